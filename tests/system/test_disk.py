# SPDX-License-Identifier: MIT
"""Disks: what is written is there after a reboot and in the host's file, whatever bus it went over."""
import hashlib
import os
import struct
import subprocess
import uuid
import zlib

from kevlar_lib import host

SECTOR = 512
MIB = 1 << 20
PROMPT = r"# \x1b\[6n"


def pattern(size, seed):
    """Bytes that repeat nowhere near, the same for the same seed."""
    return b"".join(hashlib.sha256(f"{seed} {i}".encode()).digest() for i in range(size // 32))


def md5(data):
    return hashlib.md5(data).hexdigest()


def blank(ctx, name, size):
    path = ctx.work / name
    with open(path, "wb") as file:
        file.truncate(size)
    return path


def run(guest, command, timeout=60):
    """The output of a command that must succeed."""
    status, output = guest.shell(command, timeout)
    assert status == 0, f"{command}: {status}: {output}"
    return output


def power_off(guest):
    guest.send("poweroff -f\n")
    guest.wait(30)


# ---- partition tables ----

def mbr_entry(kind, start, sectors, status=0):
    return struct.pack("<B3sB3sII", status, b"", kind, b"", start, sectors)


def write_gpt(path, parts, damage_first=False):
    sectors = os.path.getsize(path) // SECTOR
    entries = bytearray(128 * 128)
    for i, (start, length, name) in enumerate(parts):
        entries[i * 128:(i + 1) * 128] = (
            uuid.UUID("0fc63daf-8483-4772-8e79-3d69d8477de4").bytes_le + uuid.UUID(int=i + 1).bytes_le
            + struct.pack("<QQQ", start, start + length - 1, 0) + name.encode("utf-16le").ljust(72, b"\0"))

    def header(here, other, table):
        def pack(crc):
            return struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, crc, 0, here, other, 34, sectors - 34,
                               uuid.UUID(int=99).bytes_le, table, 128, 128, zlib.crc32(entries))
        return pack(zlib.crc32(pack(0)))

    with open(path, "r+b") as file:
        file.write(bytes(446) + mbr_entry(0xee, 1, sectors - 1) + bytes(48) + b"\x55\xaa")
        file.write(b"damaged!" if damage_first else header(1, sectors - 1, 2))
        file.seek(2 * SECTOR)
        file.write(entries)
        file.seek((sectors - 33) * SECTOR)
        file.write(entries)
        file.seek((sectors - 1) * SECTOR)
        file.write(header(sectors - 1, 1, sectors - 33))


def write_mbr(path):
    def table(*entries):
        return b"".join(entries).ljust(64, b"\0") + b"\x55\xaa"
    with open(path, "r+b") as file:
        file.seek(440)
        file.write(struct.pack("<I", 0xdeadbeef))
        file.seek(446)
        file.write(table(mbr_entry(0x83, 2048, 4096, 0x80), mbr_entry(0x82, 8192, 2048), mbr_entry(5, 12288, 16384)))
        file.seek(12288 * SECTOR + 446)
        file.write(table(mbr_entry(0x83, 2048, 1024), mbr_entry(5, 4096, 4096)))
        file.seek((12288 + 4096) * SECTOR + 446)
        file.write(table(mbr_entry(0x83, 2048, 1024)))


def test_partitions(ctx):
    gpt, backup, mbr = (blank(ctx, f"{name}.img", 32 * MIB) for name in ("gpt", "backup", "mbr"))
    parts = [(2048, 8192, "first"), (10240, 4096, "zweit\u00e4lteste")]
    write_gpt(gpt, parts)
    write_gpt(backup, parts, damage_first=True)
    write_mbr(mbr)
    with ctx.machine(disks=[gpt, backup, mbr]) as guest:
        guest.expect(PROMPT, 60)
        table = {line.split()[3]: int(line.split()[2]) for line in run(guest, "cat /proc/partitions").splitlines()[2:]}
        assert table == {"vda": 32768, "vda1": 4096, "vda2": 2048, "vdb": 32768, "vdb1": 4096, "vdb2": 2048,
                         "vdc": 32768, "vdc1": 2048, "vdc2": 1024, "vdc3": 1, "vdc5": 512, "vdc6": 512}, table
        run(guest, "mount -t sysfs sysfs /sys || true")
        assert run(guest, "cat /sys/class/block/vda2/start /sys/class/block/vda2/partition").split() == ["10240", "2"]
        name = run(guest, "sed -n s/PARTNAME=//p /sys/block/vdb/vdb2/uevent | md5sum").split()[0]
        assert name == md5("zweit\u00e4lteste\n".encode())
        assert run(guest, "cat /sys/class/block/vdc6/start").strip() == str(12288 + 4096 + 2048)
        run(guest, "echo there | dd of=/dev/vdc6 conv=fsync")
        power_off(guest)
    with open(mbr, "rb") as file:
        file.seek((12288 + 4096 + 2048) * SECTOR)
        assert file.read(6) == b"there\n"


# ---- data ----

def round_trip(ctx, name, disk, smp=2, **options):
    """Reads what the host wrote, writes for the host to read, and reads that again after a reboot."""
    size = 24 * MIB
    path = blank(ctx, f"{ctx.work.name}.img", size)
    with open(path, "r+b") as file:
        file.write(pattern(8 * MIB, "host"))
    half = 8 * MIB
    for boot in range(2):
        with ctx.machine(smp=smp, disks=[dict(disk, file=path)], **options) as guest:
            guest.expect(PROMPT, 60)
            assert run(guest, f"blockdev --getsize64 /dev/{name}").strip() == str(size)
            assert run(guest, f"head -c {half} /dev/{name} | md5sum").split()[0] == md5(pattern(half, "host"))
            if boot == 0:
                run(guest, f"dd if=/dev/{name} of=/dev/{name} bs=64k count=128 seek=128 conv=notrunc,fsync")
                run(guest, f"for i in 0 1 2 3; do dd if=/dev/{name} of=/dev/{name} bs=1M count=2 skip=$((2*i)) "
                           f"seek=$((16 + 2*i)) conv=notrunc & done; wait; sync")
                run(guest, f"dd if=/dev/{name} of=/dev/{name} bs=128k count=8 seek=64 conv=notrunc oflag=direct iflag=direct")
            for start in (8, 16):
                output = run(guest, f"dd if=/dev/{name} bs=1M skip={start} count=8 2>/dev/null | md5sum")
                assert output.split()[0] == md5(pattern(half, "host")), (boot, start)
            power_off(guest)
    with open(path, "rb") as file:
        assert file.read() == pattern(half, "host") * 3


def test_virtio(ctx, smp):
    round_trip(ctx, "vda", {"serial": "KV1"}, smp)


def test_virtio_one_queue(ctx):
    round_trip(ctx, "vda", {"num-queues": 1}, 4)


def test_virtio_4k_blocks(ctx):
    round_trip(ctx, "vda", {"logical_block_size": 4096, "physical_block_size": 4096})


def test_virtio_small_ring(ctx):
    round_trip(ctx, "vda", {"queue-size": 8, "seg-max-adjust": "on"})


def test_virtio_plain_ring(ctx):
    round_trip(ctx, "vda", {"event_idx": "off", "indirect_desc": "off"})


def test_virtio_packed_ring(ctx, smp):
    round_trip(ctx, "vda", {"packed": "on"}, smp)


def test_virtio_packed_small(ctx):
    round_trip(ctx, "vda", {"packed": "on", "queue-size": 8, "seg-max-adjust": "on", "event_idx": "off"})


def test_virtio_mmio(ctx, smp):
    round_trip(ctx, "vda", {}, smp, machine="microvm")


def test_virtio_pc(ctx):
    round_trip(ctx, "vda", {}, machine="pc")


def test_loop_mount(ctx, smp):
    """A file system in a file on a file system; both are whole afterwards, as e2fsck says."""
    host.need("mke2fs", "e2fsck", "debugfs")
    folder = ctx.work / "tree"
    folder.mkdir(exist_ok=True)
    disk, inner = ctx.work / "outer.img", folder / "inner.img"
    subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", inner, "16M"], check=True, capture_output=True)
    disk.unlink(missing_ok=True)
    subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-d", folder, disk, "64M"], check=True, capture_output=True)
    with ctx.machine(smp=smp, disks=[disk]) as guest:
        guest.expect(PROMPT, 60)
        run(guest, "mkdir /outer /inner; mount -t ext4 /dev/vda /outer && mount -t ext4 -o loop /outer/inner.img /inner")
        run(guest, "cp -a /bin /etc /inner/ && umount /inner && [ -z \"$(losetup -a)\" ]", 120)
        run(guest, "mount -t ext4 -o loop,ro /outer/inner.img /inner && diff -r /etc /inner/etc && umount /inner")
        run(guest, "umount /outer")
        power_off(guest)
    subprocess.run(["e2fsck", "-fn", disk], check=True, capture_output=True)
    subprocess.run(["debugfs", "-R", f"dump inner.img {ctx.work}/after.img", disk], check=True, capture_output=True)
    subprocess.run(["e2fsck", "-fn", ctx.work / "after.img"], check=True, capture_output=True)


# ---- errors ----

def test_io_errors(ctx):
    """A bad sector is EIO for who touches it, and for nobody else."""
    path = blank(ctx, "bad.img", 16 * MIB)
    with open(path, "r+b") as file:
        file.write(pattern(16 * MIB, "bad"))
    bad = 20000
    events = [{"event": "read_aio", "errno": 5, "sector": bad}, {"event": "write_aio", "errno": 5, "sector": bad}]
    with ctx.machine(disks=[dict(file=path, events=events, werror="report", rerror="report")]) as guest:
        guest.expect(PROMPT, 60)
        status, output = guest.shell(f"dd if=/dev/vda of=/tmp/x bs=512 skip={bad} count=1 iflag=direct")
        assert status != 0 and "I/O error" in output, output
        status, output = guest.shell(f"dd if=/dev/vda of=/tmp/x bs=4k skip={bad // 8} count=1")
        assert status != 0 and "I/O error" in output, output
        status, output = guest.shell(f"dd if=/dev/zero of=/dev/vda bs=512 seek={bad} count=1 oflag=direct conv=notrunc")
        assert status != 0 and "I/O error" in output, output
        status, output = guest.shell(f"dd if=/dev/zero of=/dev/vda bs=4k seek={bad // 8} count=1 conv=notrunc,fsync")
        assert status != 0 and "I/O error" in output, output
        good = run(guest, f"dd if=/dev/vda bs=4k skip=100 count=1000 2>/dev/null | md5sum").split()[0]
        assert good == md5(pattern(16 * MIB, "bad")[100 * 4096:1100 * 4096])
        power_off(guest)


def test_read_only(ctx):
    path = blank(ctx, "ro.img", 4 * MIB)
    with ctx.machine(disks=[dict(file=path, readonly=True)]) as guest:
        guest.expect(PROMPT, 60)
        assert run(guest, "blockdev --getro /dev/vda").strip() == "1"
        status, output = guest.shell("echo x | dd of=/dev/vda")
        assert status != 0 and "not permitted" in output, output
        assert guest.shell("blockdev --setrw /dev/vda")[0] != 0
        power_off(guest)


def test_discard(ctx):
    path = blank(ctx, "discard.img", 8 * MIB)
    with open(path, "r+b") as file:
        file.write(pattern(8 * MIB, "discard"))
        os.fsync(file.fileno())
    with ctx.machine(disks=[dict(file=path, discard="on")]) as guest:
        guest.expect(PROMPT, 60)
        run(guest, "mount -t sysfs sysfs /sys || true")
        assert int(run(guest, "cat /sys/block/vda/queue/discard_max_bytes")) > 0
        run(guest, "fallocate -p -o 1048576 -l 1048576 /dev/vda || dd if=/dev/zero of=/dev/vda bs=1M seek=1 count=1 conv=notrunc")
        assert run(guest, "dd if=/dev/vda bs=1M skip=1 count=1 2>/dev/null | md5sum").split()[0] == md5(bytes(MIB))
        run(guest, "blkdiscard -o 2097152 -l 1048576 /dev/vda")
        power_off(guest)
    with open(path, "rb") as file:
        assert file.read(2 * MIB) == pattern(8 * MIB, "discard")[:MIB] + bytes(MIB)
        file.seek(3 * MIB)
        assert file.read() == pattern(8 * MIB, "discard")[3 * MIB:]


def test_nvme(ctx, smp):
    round_trip(ctx, "nvme0n1", {"driver": "nvme"}, smp)


def test_nvme_4k_blocks(ctx):
    round_trip(ctx, "nvme0n1", {"driver": "nvme", "logical_block_size": 4096, "physical_block_size": 4096})
