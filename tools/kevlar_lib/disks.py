# SPDX-License-Identifier: MIT
"""Disks of whole distributions, made from their packages: ROOTFS=alpine-disk, ROOTFS=debian; and "programs", the
benchmarks' disk: Debian's packages unpacked, not installed.

A recipe is a shell script that fills the directory $OUT with the distribution's own tools, and mke2fs
makes an ext4 disk of that. Both run as root where we are root, else in a user namespace of their own,
so that no rights are needed; what must run outside of it is a script of its own, which goes first. The
result is kept in build/images until the recipe changes.
`make run` boots a copy, build/disks/NAME.img, which keeps what the guest writes: delete it to begin anew.
"""
import contextlib
import hashlib
import os
import pathlib
import shutil
import subprocess
import threading
import time

from . import fetch, host

LOCK = threading.Lock()  # several tests may want the same disk at the same time

ALPINE_RELEASE = "alpine-minirootfs-3.19.4-x86_64.tar.gz"
ALPINE_PACKAGES = ("alpine-base busybox-binsh busybox-suid busybox-openrc busybox-mdev-openrc openssh dhcpcd "
                   "ca-certificates-bundle e2fsprogs chrony ssl_client")
ALPINE_MIRROR = "https://dl-cdn.alpinelinux.org/alpine/v3.19"

# Alpine's release tarball is the tool: its apk, with its keys, installs a second tree below itself.
ALPINE = r"""
tar -xzf "$RELEASE" -C "$WORK"
if [ -d "$PACKAGES" ]; then
	mkdir "$WORK/packages"
	cp -R "$PACKAGES/." "$WORK/packages/"
	repositories='--no-network -X /packages'
else
	repositories="-X $MIRROR/main -X $MIRROR/community"
	cp /etc/resolv.conf "$WORK/etc/resolv.conf"
fi
chroot "$WORK" /sbin/apk --root /out --initdb --keys-dir /etc/apk/keys $repositories --no-progress -q \
	add $NAMES >&2
mv "$WORK/out" "$OUT"
cp -R "$WORK/etc/apk/keys/." "$OUT/etc/apk/keys/"
printf '%s\n' "$MIRROR/main" "$MIRROR/community" > "$OUT/etc/apk/repositories"
cd "$OUT"
echo kevlar > etc/hostname
printf '127.0.0.1\tkevlar localhost\n::1\tlocalhost\n' > etc/hosts
printf '/dev/vda\t/\text4\trw,relatime 0 1\n' > etc/fstab
printf 'auto lo\niface lo inet loopback\n\nauto eth0\niface eth0 inet dhcp\n' > etc/network/interfaces
sed -i -e 's/^tty\([1-6]\)/#tty\1/' -e 's/^#ttyS0:/ttyS0:/' etc/inittab
echo ttyS0 >> etc/securetty
sed -i 's/^root:[^:]*:/root::/' etc/shadow # no password: the console is the user's own
level() {
	for service in $2; do
		[ -e "etc/init.d/$service" ] && ln -s "/etc/init.d/$service" "etc/runlevels/$1/$service"
	done
}
mkdir -p etc/runlevels/sysinit etc/runlevels/boot etc/runlevels/default etc/runlevels/shutdown
level sysinit 'devfs dmesg mdev'
level boot 'hwclock sysctl hostname bootmisc syslog networking seedrng'
level default 'crond sshd local'
level shutdown 'mount-ro killprocs savecache'
"""

DEBIAN_PACKAGES = ("openrc sysvinit-core initscripts login bash coreutils procps iproute2 ifupdown isc-dhcp-client python3 gcc "
                   "libc6-dev make git sqlite3 strace gdb rsync openssh-server ca-certificates").replace(" ", ",")

DEBIAN_TREE = r"""
mmdebstrap --quiet --variant=minbase --include="$NAMES" $MODE \
	--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
	--dpkgopt='path-exclude=/usr/share/locale/*' bookworm "$WORK/tree.tar" $SOURCES >&2
"""

DEBIAN = r"""
mkdir "$OUT"
tar -xf "$WORK/tree.tar" -C "$OUT"
cd "$OUT"
echo kevlar > etc/hostname
printf '127.0.0.1\tkevlar localhost\n::1\tlocalhost\n' > etc/hosts
printf '/dev/vda\t/\text4\trw,relatime 0 1\n' > etc/fstab
printf 'auto lo\niface lo inet loopback\n\nauto eth0\niface eth0 inet dhcp\n' > etc/network/interfaces
sed -i '/^[1-6]:.*getty/d' etc/inittab
echo 'T0:2345:respawn:/sbin/getty -L ttyS0 115200 vt100' >> etc/inittab
sed -i 's/^root:[^:]*:/root::/' etc/shadow
rm -rf var/cache/apt/archives/*.deb var/lib/apt/lists/*
"""

# Servers and their clients, without an init: tests run them in a chroot.
SERVERS_PACKAGES = ("bash coreutils procps iproute2 iputils-ping curl openssl nginx-light redis-server iperf3 wrk "
                    "openssh-server").replace(" ", ",")

SERVERS = r"""
mkdir "$OUT"
tar -xf "$WORK/tree.tar" -C "$OUT"
cd "$OUT"
printf '127.0.0.1\tlocalhost\n10.0.2.2\thost.test\n' > etc/hosts
sed -i 's/^root:[^:]*:/root:*:/' etc/shadow
rm -rf var/cache/apt/archives/*.deb var/lib/apt/lists/*
"""

PROGRAMS_PACKAGES = ("dash coreutils findutils tar gzip gcc libc6-dev python3-minimal git sqlite3 redis-server nginx-light "
                     "rt-tests").replace(" ", ",")

PROGRAMS_TREE = r"""
mmdebstrap --quiet --variant=extract --include="$NAMES" $MODE bookworm "$WORK/tree.tar" $SOURCES >&2
"""

PROGRAMS = r"""
mkdir "$OUT"
tar -xf "$WORK/tree.tar" -C "$OUT" --exclude='./dev/*' --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' \
	--exclude='./usr/share/locale/*'
cd "$OUT"
mkdir -p proc root run var/lib/nginx var/log/nginx
echo 'root:x:0:0:root:/root:/bin/sh' > etc/passwd
echo 'root:x:0:' > etc/group
"""


def _alpine_variables():
    release = fetch.fetch(ALPINE_RELEASE)
    packages = release.parent / "packages-3.19"
    return {"RELEASE": release, "PACKAGES": packages, "MIRROR": ALPINE_MIRROR, "NAMES": ALPINE_PACKAGES}


def _debian_variables(names):
    host.need("mmdebstrap")
    return {"NAMES": names, "MODE": "--mode=root" if os.geteuid() == 0 else "--mode=unshare",
            "SOURCES": os.environ.get("KEVLAR_DEBIAN_MIRROR", "")}


# Name: what goes first, the recipe, their variables, size of the disk.
RECIPES = {
    "alpine-disk": ("", ALPINE, _alpine_variables, "256M"),
    "debian": (DEBIAN_TREE, DEBIAN, lambda: _debian_variables(DEBIAN_PACKAGES), "2G"),
    "servers": (DEBIAN_TREE + f"# {SERVERS_PACKAGES}", SERVERS, lambda: _debian_variables(SERVERS_PACKAGES), "1G"),
    "programs": (PROGRAMS_TREE + f"# {PROGRAMS_PACKAGES}", PROGRAMS, lambda: _debian_variables(PROGRAMS_PACKAGES), "1G"),
}


def _namespace():
    """What to put before a command so that it is root: nothing, or a user namespace."""
    if os.geteuid() == 0:
        return []
    host.need("unshare")
    for mapping in (["--map-root-user", "--map-auto"], ["--map-root-user"]):
        command = ["unshare", *mapping]
        if subprocess.run([*command, "true"], capture_output=True).returncode == 0:
            return command
    raise host.Failure("making a distribution's disk takes root or user namespaces, and there are neither")


def _build(name, output):
    outside, recipe, variables, size = RECIPES[name]
    host.need("mke2fs")
    work = output.with_name(f"{output.name}.{os.getpid()}")
    shutil.rmtree(work, ignore_errors=True)
    (work / "tools").mkdir(parents=True)
    partial = work / "disk"
    environment = dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin", LC_ALL="C",
                       WORK=str(work / "tools"), OUT=str(work / "tree"), DISK=str(partial), SIZE=size)
    environment.update({key: str(value) for key, value in variables().items()})
    environment["LABEL"] = name
    pack = 'mke2fs -q -F -t ext4 -L "$LABEL" -d "$OUT" "$DISK" "$SIZE" >&2\nrm -rf "$OUT" "$WORK"'
    host.say(f"making {output.relative_to(host.ROOT)} (once)")
    try:
        for prefix, script in ([], outside), (_namespace(), f"({recipe})\n{pack}"):
            if subprocess.run([*prefix, "sh", "-euc", script], env=environment,
                              stdin=subprocess.DEVNULL).returncode != 0:
                raise host.Failure(f"{name}: its recipe in tools/kevlar_lib/disks.py failed")
        return partial.rename(output)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def disk(name):
    """Returns the pristine disk of a recipe; nobody writes to it."""
    outside, recipe, _, size = RECIPES[name]
    key = hashlib.sha256(f"{outside} {recipe} {size} {ALPINE_PACKAGES} {DEBIAN_PACKAGES}".encode()).hexdigest()[:8]
    output = host.BUILD / "images" / f"{name}-{key}.ext4"
    with LOCK:
        if not output.exists():
            output.parent.mkdir(parents=True, exist_ok=True)
            for old in output.parent.glob(f"{name}-*.ext4"):
                old.unlink()
            _build(name, output)
    return output


def copy(source, target):
    """A copy that shares blocks, or holes at least, where the file system can."""
    target = pathlib.Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "--reflink=auto", "--sparse=always", source, target], check=True)
    return target


def working_copy(name):
    """Returns the disk that `make run` boots: it keeps what was written."""
    target = host.BUILD / "disks" / f"{name}.img"
    return target if target.exists() else copy(disk(name), target)


def check(path):
    """Fails unless e2fsck finds nothing to repair."""
    host.need("e2fsck")
    done = subprocess.run(["e2fsck", "-fn", path], capture_output=True, text=True,
                          env=dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin"))
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr


@contextlib.contextmanager
def login(ctx, path, smp, memory, seconds, **options):
    """Boots a test's disk to the login on its console and gives the `with` the guest with root's shell; then powers
    it off and checks the disk. How long the login took is in the test's folder."""
    began = time.monotonic()
    with ctx.machine(initrd=None, disk=path, smp=smp, memory=memory, append="root=/dev/vda rw", **options) as guest:
        guest.expect(r"login: ", seconds)
        (ctx.work / "seconds-to-login").write_text(f"{time.monotonic() - began:.1f}\n")
        guest.send("root\n")
        guest.expect(r"# ?(\x1b\[6n)?$", 30)
        yield guest
        guest.send("poweroff\n")
        guest.expect("Power down", 120)
        guest.wait(20)
    check(path)


def session(ctx, path, smp, memory, command, seconds):
    """Runs one command on a test's disk; returns its output."""
    with login(ctx, path, smp, memory, seconds) as guest:
        status, output = guest.shell(command, 200)
        assert status == 0, output
    return output
