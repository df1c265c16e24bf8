# SPDX-License-Identifier: MIT
"""Makes what a kernel boots from: newc cpio archives (an initramfs) and ext4 disks.

A cpio archive is written in pure Python from a directory, a tar archive or single entries, with modes,
owners, devices and hard links as the source has them, so that no root rights are needed. Archives
may be concatenated: the kernel unpacks one after the other, and a later file replaces an
earlier one of the same name. This is how an overlay is put on a distribution's tree.
"""
import gzip
import os
import pathlib
import re
import shutil
import stat
import subprocess
import tarfile
import threading

from . import host


class Cpio:
    """Writes a newc archive to a binary file. Use as a context manager, or call close()."""

    def __init__(self, file):
        self.file = file
        self.inode = 0
        self.written = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _write(self, data):
        self.file.write(data)
        self.written += len(data)

    def _align(self, to):
        self._write(bytes(-self.written % to))

    def entry(self, name, mode, data=b"", *, uid=0, gid=0, mtime=0, rdev=(0, 0), inode=None, links=1):
        if inode is None:
            self.inode += 1
            inode = self.inode
        name = os.fsencode(name) + b"\0"
        if len(data) >= 1 << 32:
            raise host.Failure(f"{name.decode()}: a cpio archive cannot hold files of 4 GiB")
        fields = (inode, mode, uid, gid, links, int(mtime) & 0xFFFFFFFF, len(data), 0, 0, *rdev,
                  len(name), 0)
        self._write(b"070701" + b"".join(b"%08X" % field for field in fields) + name)
        self._align(4)
        self._write(data)
        self._align(4)

    def directory(self, name, permissions=0o755):
        self.entry(name, stat.S_IFDIR | permissions, links=2)

    def add_file(self, name, data, permissions=0o644):
        self.entry(name, stat.S_IFREG | permissions, data.encode() if isinstance(data, str) else data)

    def symlink(self, name, target):
        self.entry(name, stat.S_IFLNK | 0o777, os.fsencode(target))

    def device(self, name, kind, major, minor, permissions=0o600):
        self.entry(name, {"c": stat.S_IFCHR, "b": stat.S_IFBLK}[kind] | permissions, rdev=(major, minor))

    def close(self):
        self.entry("TRAILER!!!", 0, inode=0)
        self._align(512)

    def add_tree(self, root, all_root=False):
        """Adds everything below the directory root; all_root gives it all to uid 0, gid 0."""
        root = os.fspath(root)
        linked = {}
        for folder, folders, files in os.walk(root):
            folders.sort()
            relative = os.path.relpath(folder, root)
            names = [relative] if relative != "." else []
            names += sorted(os.path.normpath(os.path.join(relative, name)) for name in files
                            + [name for name in folders if os.path.islink(os.path.join(folder, name))])
            for name in names:
                self._add_path(os.path.join(root, name), name, linked, all_root)

    def _add_path(self, path, name, linked, all_root):
        status = os.lstat(path)
        data, inode, links = b"", None, status.st_nlink
        if stat.S_ISLNK(status.st_mode):
            data = os.fsencode(os.readlink(path))
        elif stat.S_ISREG(status.st_mode):
            key = (status.st_dev, status.st_ino)
            if links > 1 and key in linked:
                inode = linked[key]  # a further name: the content came with the first
            else:
                data = pathlib.Path(path).read_bytes()
        elif stat.S_ISSOCK(status.st_mode):
            return
        rdev = (os.major(status.st_rdev), os.minor(status.st_rdev))
        uid, gid = (0, 0) if all_root else (status.st_uid, status.st_gid)
        self.entry(name, status.st_mode, data, uid=uid, gid=gid, mtime=status.st_mtime, rdev=rdev,
                   inode=inode, links=links)
        if stat.S_ISREG(status.st_mode) and links > 1 and inode is None:
            linked[key] = self.inode

    def add_tar(self, path):
        """Adds the members of a tar archive, compressed or not."""
        kinds = {tarfile.DIRTYPE: stat.S_IFDIR, tarfile.SYMTYPE: stat.S_IFLNK,
                 tarfile.CHRTYPE: stat.S_IFCHR, tarfile.BLKTYPE: stat.S_IFBLK,
                 tarfile.FIFOTYPE: stat.S_IFIFO}
        with tarfile.open(path) as tar:
            members = [member for member in tar if os.path.normpath(member.name) != "."]
            names = {}
            for member in members:
                if member.islnk():
                    target = os.path.normpath(member.linkname)
                    names[target] = names.get(target, 1) + 1
            inodes = {}
            for member in members:
                name = os.path.normpath(member.name).lstrip("/")
                if member.islnk():
                    target = os.path.normpath(member.linkname)
                    self.entry(name, stat.S_IFREG | member.mode, uid=member.uid, gid=member.gid,
                               mtime=member.mtime, inode=inodes[target], links=names[target])
                    continue
                data = b""
                if member.isfile():
                    data = tar.extractfile(member).read()
                elif member.issym():
                    data = os.fsencode(member.linkname)
                mode = kinds.get(member.type, stat.S_IFREG) | member.mode
                rdev = (member.devmajor, member.devminor) if member.isdev() else (0, 0)
                self.entry(name, mode, data, uid=member.uid, gid=member.gid, mtime=member.mtime,
                           rdev=rdev, links=names.get(name, 1))
                inodes[name] = self.inode


def libraries_of(program):
    """The shared objects that a program of this Linux needs, as ldd tells, by the names it opens."""
    done = subprocess.run(["ldd", program], capture_output=True, text=True)
    return re.findall(r"(?:=> )?(/\S+) \(0x", done.stdout)


def add_programs(cpio, programs, folders=(), prefix="", skip=None):
    """Adds programs of this Linux with their libraries, and whole folders, at their paths below prefix.

    skip(path) leaves out files of the folders. Symbolic links are followed, except in folders.
    """
    paths = {path for program in programs for path in (program, *libraries_of(program))}
    for folder in folders:
        for place, _, files in os.walk(folder):
            for name in files:
                path = os.path.join(place, name)
                if not (skip and skip(path)):
                    paths.add(path)
                    if ".so" in name:
                        paths.update(libraries_of(path))
    made = set()
    for path in sorted(paths):
        name = (prefix + path).lstrip("/")
        for parent in reversed(pathlib.PurePath(name).parents):
            if str(parent) != "." and parent not in made:
                made.add(parent)
                cpio.directory(str(parent))
        status = os.stat(path)
        cpio.entry(name, stat.S_IFREG | stat.S_IMODE(status.st_mode), pathlib.Path(path).read_bytes(),
                   mtime=status.st_mtime)


def kind_of(source):
    """What a ROOTFS argument is: 'directory', 'tar', 'cpio' or 'disk'."""
    source = pathlib.Path(source)
    if source.is_dir():
        return "directory"
    if not source.is_file():
        raise host.Failure(f"{source}: no such file")
    with open(source, "rb") as file:
        head = file.read(512)
    if not head.strip(b"\0"):
        return "disk"  # what Python takes for an empty tar archive
    head = head[:6]
    if head == b"070701":
        return "cpio"
    if head[:2] == b"\x1f\x8b":
        with gzip.open(source) as file:
            if file.read(6) == b"070701":
                return "cpio"
    return "tar" if tarfile.is_tarfile(source) else "disk"


def make_cpio(source, output, *, all_root=False, compress=False):
    """Makes output, an initramfs, from a directory or a tar archive."""
    output = pathlib.Path(output)
    output.parent.mkdir(parents=True, exist_ok=True)
    partial = output.with_name(f"{output.name}.{os.getpid()}")
    with gzip.open(partial, "wb", 6) if compress else open(partial, "wb") as file, Cpio(file) as cpio:
        if kind_of(source) == "directory":
            cpio.add_tree(source, all_root or os.geteuid() != 0)
        else:
            cpio.add_tar(source)
    return partial.rename(output)


def make_ext4(source, output, size):
    """Makes output, an ext4 disk of that size ('256M'), from a directory or a tar archive."""
    host.need("mke2fs")
    output = pathlib.Path(output)
    output.parent.mkdir(parents=True, exist_ok=True)
    tree = pathlib.Path(source)
    unpacked = None
    if kind_of(source) == "tar":
        unpacked = tree = output.with_name(output.name + ".tree")
        shutil.rmtree(unpacked, ignore_errors=True)
        with tarfile.open(source) as tar:
            tar.extractall(unpacked, numeric_owner=True, filter="fully_trusted")
    environment = dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin")
    subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-d", tree, output, size], check=True,
                   env=environment)
    if unpacked:
        shutil.rmtree(unpacked)
    return output


# ---- the tree that `make run` boots ----------------------------------------------------------------

# A minirootfs has no service manager: this init mounts what every program expects, and hands over to
# BusyBox's init, which keeps one session on the console and powers off after it.
INIT = """\
#!/bin/sh
# First program of `make run`: prepares the tree, then becomes the real init.
mount -t devtmpfs dev /dev 2>/dev/null
mkdir -p /dev/pts /dev/shm
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devpts -o mode=620,gid=5 devpts /dev/pts
mount -t tmpfs -o mode=1777 shm /dev/shm
mount -t tmpfs -o mode=755 run /run
mount -t tmpfs -o mode=1777 tmp /tmp
ln -sf /proc/self/fd /dev/fd
ln -sf fd/0 /dev/stdin
ln -sf fd/1 /dev/stdout
ln -sf fd/2 /dev/stderr
hostname kevlar
tty=console
for word in $(cat /proc/cmdline); do
	case $word in
	console=*) tty=${word#console=} tty=${tty%%,*} ;;
	esac
done
cat > /etc/inittab <<END
$tty::once:/etc/kevlar-session
::ctrlaltdel:/sbin/reboot
END
exec /sbin/init
"""

SESSION = """\
#!/bin/sh
# The session on the console: a shell, and power-off when it ends.
. /etc/profile
export HOME=/root USER=root PS1='\\w \\$ '
cd
[ -n "$LINES" ] && stty rows "$LINES" cols "$COLUMNS"
unset LINES COLUMNS
sh
poweroff
"""


def run_overlay(output):
    """Makes the archive with /init that turns a distribution's tree into an interactive session."""
    output.parent.mkdir(parents=True, exist_ok=True)
    with open(output, "wb") as file, Cpio(file) as cpio:
        for folder in ("dev", "etc", "proc", "run", "sys", "tmp"):
            cpio.directory(folder)
        cpio.device("dev/console", "c", 5, 1)
        cpio.device("dev/null", "c", 1, 3, 0o666)
        cpio.add_file("init", INIT, 0o755)
        cpio.add_file("etc/kevlar-session", SESSION, 0o755)
    return output


def concatenate(output, *archives):
    partial = output.with_name(f"{output.name}.{os.getpid()}")
    with open(partial, "wb") as file:
        for archive in archives:
            data = pathlib.Path(archive).read_bytes()
            file.write(data + bytes(-len(data) % 4))  # Linux looks for the next one at a multiple of 4
    return partial.rename(output)


RUNNABLE_LOCK = threading.Lock()  # several tests may want the same image at the same time


def runnable(source):
    """Returns an initramfs made of source and the overlay, made anew only when source is newer."""
    source = pathlib.Path(source).absolute()
    output = host.BUILD / "images" / (source.name.removesuffix(".gz").removesuffix(".tar") + ".cpio")
    newest = max(os.path.getmtime(path) for path in (source, __file__))
    kind = kind_of(source)
    if kind != "directory" and output.exists() and output.stat().st_mtime > newest:
        return output
    with RUNNABLE_LOCK:
        output.parent.mkdir(parents=True, exist_ok=True)
        tree = source if kind == "cpio" else make_cpio(source, output.with_suffix(".tree"))
        overlay = run_overlay(output.with_suffix(".overlay"))
        return concatenate(output, tree, overlay)
