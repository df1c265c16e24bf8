# SPDX-License-Identifier: MIT
"""Power cuts: a guest that works on an ext4 disk is killed; what it called durable must be there.

QEMU writes through its blklogwrites driver, so that beside the disk as it was when QEMU died there is
the order of writes and flushes. A disk with a volatile cache may have lost any of the writes after the last
flush: variants of the disk are made that way. Each disk is then looked at twice, by the kernel under test,
which replays the journal and lists all files, and by e2fsck and debugfs on a copy. Both must find
the same files, everything durable among them, and nothing else to repair.

The workload is tests/system/powercut.c. Its decisions depend on nothing but the seed; Worker takes them too.
"""
import array
import os
import random
import re
import shutil
import struct
import subprocess
import time
import zlib

from . import host, testing

WORKERS, FILES, MAX_SIZE, APPEND, MAX_APPEND = 3, 12, 40000, 1500, 60000
LOG_MAGIC, LOG_FLUSH, LOG_FUA, LOG_DISCARD = 0x6A736677736872, 1, 2, 4
SECTOR = 512
TOOLS = dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin", LC_ALL="C")


def contents(seed, size):
    first = seed * 2654435761
    return array.array("I", [(first + i) & 0xFFFFFFFF for i in range((size + 3) // 4)]).tobytes()[:size]


class Worker:
    """One process of the workload: files and contents after so many operations."""

    def __init__(self, number, seed):
        self.state = (seed * 1000003 + number) & 0xFFFFFFFF
        self.files = {}
        self.op = 0

    def below(self, n):
        self.state = (self.state * 1664525 + 1013904223) & 0xFFFFFFFF
        return (self.state >> 8) % n

    def step(self):
        """The next operation. Returns the files that it touches, and whether halves of it may be seen."""
        self.op += 1
        f, what, size = self.below(FILES), self.below(8), self.below(MAX_SIZE) + 1
        g, _ = self.below(FILES), self.below(3)
        if f not in self.files or what == 0:
            self.files[f] = contents(self.op, size)
            return {f}, True
        if what <= 2:
            self.files[f] = contents(self.op, size)
            return {f}, False
        if what == 3:
            del self.files[f]
            return {f}, False
        if what == 4:
            self.files[f] = self.files[f][:size % len(self.files[f])] if self.files[f] else b""
            return {f}, True
        if what == 5 and f != g:
            self.files[g] = self.files.pop(f)
            return {f, g}, False
        if len(self.files[f]) + APPEND <= MAX_APPEND:
            self.files[f] += contents(self.op, APPEND)
            return {f}, True
        return set(), False


def plausible(found, old, new):
    """What a file may be while an operation on it is under way: of no other contents than before, after or zeroes."""
    if found is None:
        return old is None
    old = old or b""
    return len(found) <= max(len(old), len(new or b"")) and all(
        byte in (0, old[at] if at < len(old) else 0, new[at] if new and at < len(new) else 0)
        for at, byte in enumerate(found))


def missing(tree, durable, seed):
    """Complaints about a tree {path: contents} after so many durable operations of each worker."""
    complaints = []
    for number in range(WORKERS):
        worker = Worker(number, seed)
        for _ in range(durable[number]):
            worker.step()
        before = dict(worker.files)
        touched, halves = worker.step()
        for f in range(FILES):
            found, old, new = tree.get(f"w{number}/f{f}"), before.get(f), worker.files.get(f)
            good = found == old or (f in touched and (found == new or (halves and plausible(found, old, new))))
            if not good:
                show = [None if data is None else (len(data), zlib.crc32(data)) for data in (found, old, new)]
                complaints.append(f"w{number}/f{f} after operation {durable[number]}: found {show[0]}, "
                                  f"durable {show[1]}, next {show[2] if f in touched else 'the same'}")
    return complaints


# ---- disks ------------------------------------------------------------------------------------------

def make_disk(path, *options):
    path.unlink(missing_ok=True)
    subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", *options, path, "64M"], env=TOOLS, check=True,
                   capture_output=True)


def read_log(path):
    """Entries (flags, offset, data or length) of a blklogwrites log; None: it has a hole where QEMU died."""
    data = path.read_bytes()
    if len(data) < SECTOR or struct.unpack_from("<Q", data)[0] != LOG_MAGIC:
        return None
    entries, at = [], SECTOR
    while at + SECTOR <= len(data):
        sector, sectors, flags, _ = struct.unpack_from("<QQQQ", data, at)
        if not (sectors or flags):
            return None if any(data[at:]) else entries
        at += SECTOR
        length = sectors * SECTOR
        if flags & LOG_DISCARD:
            entries.append((flags, sector * SECTOR, length))
        else:
            if at + length > len(data):
                break
            entries.append((flags, sector * SECTOR, data[at:at + length]))
            at += length
    return entries


def lose_writes(base, entries, chooser):
    """The disk without some of the writes that no flush had come after."""
    disk = bytearray(base)
    last = max((index for index, entry in enumerate(entries) if entry[0] & LOG_FLUSH), default=-1)
    chance = chooser.choice([0.1, 0.5, 0.9, 1.0])
    for index, (flags, offset, data) in enumerate(entries):
        if isinstance(data, int) or not data:
            continue
        if index > last and not flags & LOG_FUA and chooser.random() < chance:
            continue
        disk[offset:offset + len(data)] = data
    return disk


def debugfs(disk, command):
    return subprocess.run(["debugfs", "-R", command, disk], env=TOOLS, capture_output=True, text=True,
                          check=True).stdout


def check_with_e2fsck(disk, folder, repair="-fp"):
    """Replays and checks a disk with e2fsprogs; returns (complaints, tree)."""
    preen = subprocess.run(["e2fsck", repair, disk], env=TOOLS, capture_output=True, text=True)
    again = subprocess.run(["e2fsck", "-fn", disk], env=TOOLS, capture_output=True, text=True)
    complaints = []
    if preen.returncode not in (0, 1):
        complaints.append(f"e2fsck {repair}: {preen.returncode}: {preen.stdout[-1500:]}")
    if again.returncode:
        complaints.append(f"e2fsck -fn: {again.returncode}: {again.stdout[-1500:]}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    debugfs(disk, f"rdump / {folder}")
    tree = {}
    for where, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)
            with open(path, "rb") as file:
                tree[os.path.relpath(path, folder)] = file.read()
    shutil.rmtree(folder)
    return complaints, tree


# ---- a round ----------------------------------------------------------------------------------------

def initrd(ctx):
    program = ctx.work / "powercut"
    source = host.ROOT / "tests/system/powercut.c"
    done = subprocess.run(["musl-gcc", "-static", "-O2", "-Wall", "-Wextra", "-Werror", source, "-o", program],
                          capture_output=True, text=True)
    if done.returncode:
        raise host.Failure(done.stderr)

    def fill(cpio):
        for folder in ("dev", "mnt"):
            cpio.directory(folder)
        cpio.device("dev/console", "c", 5, 1)
        cpio.add_file("init", program.read_bytes(), 0o755)
    return ctx.cpio("powercut.cpio", fill)


def durable_operations(text):
    durable = [0] * WORKERS
    for match in re.finditer(r"@@ D (\d) (\d+)\r?\n", text):
        durable[int(match[1])] = max(durable[int(match[1])], int(match[2]))
    return durable


def work_until_killed(ctx, archive, disk, log, seed, smp, seconds):
    """Returns how many operations of each worker were durable when QEMU was killed."""
    log.unlink(missing_ok=True)
    log.touch()
    drive = ["-blockdev", f"driver=blklogwrites,node-name=root,file.driver=file,file.filename={disk},"
             f"log.driver=file,log.filename={log},log-sector-size={SECTOR}",
             "-device", "virtio-blk-pci,drive=root"]
    with ctx.machine(initrd=archive, smp=smp, memory="256M", loglevel=4, append=f"POWERCUT=work SEED={seed}",
                     extra=drive) as guest:
        guest.expect("@@ ready", 60)
        time.sleep(seconds)
        guest.process.kill()
        guest.process.wait()
        guest._reader.join(5)
        text = guest.text
    if trouble := re.search(r"@@ error.*|Kernel panic.*", text):
        raise AssertionError(trouble[0])
    return durable_operations(text)


def list_with_kernel(ctx, archive, disks, smp):
    """The trees {path: (size, crc)} that the kernel under test sees; it leaves the disks unmounted."""
    extra = []
    for number, disk in enumerate(disks):
        extra += ["-drive", f"file={disk},format=raw,if=none,id=d{number}",
                  "-device", f"virtio-blk-pci,drive=d{number}"]
    with ctx.machine(initrd=archive, smp=smp, memory="256M", loglevel=4, append="POWERCUT=check", extra=extra) as guest:
        guest.expect(r"@@ (done|error.*)", 120)
        text = guest.text
        guest.wait(30)
    if trouble := re.search(r"@@ error.*", text):
        raise AssertionError(trouble[0])
    return [{path: (int(size), int(crc, 16)) for path, size, crc in
             re.findall(r"@@ F (\S+) (\d+) ([0-9a-f]{8})", part)} for part in text.split("@@ disk ")[1:]]


def cut(ctx, archive, seed, smp=2, variants=2, options=()):
    """One power cut; a list of complaints, empty if all is well, and the number of durable operations."""
    chooser = random.Random(seed)
    base, log = ctx.work / "base.img", ctx.work / "writes.log"
    make_disk(base, *options)
    pristine = base.read_bytes()
    durable = work_until_killed(ctx, archive, base, log, seed, smp, 0.3 + chooser.random() * 4)

    disks = [base]
    entries = read_log(log)
    for number in range(variants if entries else 0):
        disks.append(ctx.work / f"lost-{number}.img")
        disks[-1].write_bytes(lose_writes(pristine, entries, chooser))
    complaints, trees = [], []
    for disk in disks:
        copy = ctx.work / "copy.img"
        shutil.copyfile(disk, copy)
        trouble, tree = check_with_e2fsck(copy, ctx.work / "tree")
        trouble += missing(tree, durable, seed)
        complaints += [f"{disk.name}: {text}" for text in trouble]
        trees.append({path: (len(data), zlib.crc32(data)) for path, data in tree.items()})
    for disk, theirs, ours in zip(disks, trees, list_with_kernel(ctx, archive, disks, smp)):
        if ours != theirs:
            different = sorted(path for path in ours.keys() | theirs.keys() if ours.get(path) != theirs.get(path))
            complaints.append(f"{disk.name}: this kernel's replay differs from e2fsck's: " + ", ".join(
                f"{path} {ours.get(path)} {theirs.get(path)}" for path in different[:5]))
        done = subprocess.run(["e2fsck", "-fn", disk], env=TOOLS, capture_output=True, text=True)
        if done.returncode:
            complaints.append(f"{disk.name}: e2fsck -fn after this kernel: {done.stdout[-1500:]}")
    return complaints, sum(durable)


def break_journal(ctx, archive, seed, smp=2):
    """A block of the journal cannot be written: the file system stops, and what was durable before stays."""
    disk = ctx.work / "broken.img"
    make_disk(disk)
    size = int(re.search(r"^Block size:\s+(\d+)", debugfs(disk, "stats -h"), re.MULTILINE)[1])
    block = int(debugfs(disk, "blocks <8>").split()[random.Random(seed).randrange(100, 600)])
    drive = ["-blockdev", f"driver=blkdebug,node-name=root,image.driver=file,image.filename={disk},"
             f"inject-error.0.event=none,inject-error.0.iotype=write,inject-error.0.sector={block * size // SECTOR}",
             "-device", "virtio-blk-pci,drive=root,werror=report"]
    with ctx.machine(initrd=archive, smp=smp, memory="256M", loglevel=4, append=f"POWERCUT=work SEED={seed}",
                     extra=drive) as guest:
        guest.expect("@@ ready", 60)
        for _ in range(WORKERS):
            guest.expect(r"@@ error: worker \d: \S.*: (I/O error|Read-only file system)", 120)
        durable = durable_operations(guest.text)
    # -y: in a file system that noted an error e2fsck does not go by the list of orphans, and asks about each.
    complaints, tree = check_with_e2fsck(disk, ctx.work / "tree", "-fy")
    return complaints + missing(tree, durable, seed), sum(durable)


def run(ctx, count, seed=1, how=cut, **options):
    host.need("mke2fs", "e2fsck", "debugfs")
    archive = initrd(ctx)
    results, total = [], 0
    for number in range(count):
        complaints, durable = how(ctx, archive, seed + number, **options)
        total += durable
        results.append(testing.Result(f"{ctx.name}: seed {seed + number}", not complaints, "\n".join(complaints)))
    results.append(testing.Result(f"{ctx.name}: the workload gets somewhere", total >= count,
                                  f"{total} durable operations"))
    return results
