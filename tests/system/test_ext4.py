# SPDX-License-Identifier: MIT
"""ext4, ext3, ext2: images of mke2fs are read and written; afterwards e2fsck finds nothing, Linux and debugfs the same
bytes. tests/long has the same with more files and more damages. See tools/kevlar_lib/ext4disk.py."""
import hashlib
import re

from kevlar_lib import ext4disk, testing
from kevlar_lib.ext4disk import (FORMATS, PROMPT, assert_clean, blocks_of, command, debugfs, make_image, make_tree,
                                 power_off, run)

# What these programs say of tmpfs does not hold on ext4, on Linux neither.
ON_TMPFS = re.compile(r"big_offset: (a page below the largest size|the size|a seek that overflows)|memfd: a tmpfs file is|"
                      r"stat: tmpfs magic|truncate: COLLAPSE_RANGE|xattr: (of 64 KiB|its size)")
STRESS = ("ext4", "ext4-1k", "ext4-plain", "ext3")


def test_formats(ctx):
    """What mke2fs -d put in is read; what is copied inside is there for debugfs."""
    tree = ctx.work / "tree"
    sums = make_tree(tree)
    (tree / "sums").write_text("".join(f"{md5}  {name}\n" for name, md5 in sums.items()))
    images = {name: make_image(ctx, name, options, tree=tree) for name, options in FORMATS.items()}
    with ctx.machine(disks=list(images.values()), memory="512M", loglevel=4) as guest:
        guest.expect(PROMPT, 60)
        for name, disk in zip(images, "abcdefghij"):
            run(guest, f"mount -t ext4 /dev/vd{disk} /mnt && cd /mnt && md5sum -c sums > /tmp/out || grep -v OK /tmp/out && "
                       "test $(readlink deep/long | wc -c) = 122 && readlink deep/short", 120)
            run(guest, "cp -a many copied && rm -r many && mv copied deep/er/ && ln deep/large link && "
                       "cp deep/large new && truncate -s 100000 new && mkdir -p x/y && mknod x/null c 1 3; cd /; umount /mnt",
                120)
        power_off(guest)
    for name, path in images.items():
        assert_clean(path)
        out = ctx.work / "dumped"
        for inner, outer in (("link", "deep/large"), ("deep/er/copied/a_file_whose_name_has_the_number_77",
                                                      "many/a_file_whose_name_has_the_number_77")):
            out.unlink(missing_ok=True)
            command("debugfs", "-R", f"dump /{inner} {out}", path)
            assert hashlib.md5(out.read_bytes()).hexdigest() == sums[outer], f"{name}: {inner}"


def test_stress(ctx, smp):
    """Parallel random operations match a model, before and after a remount."""
    initrd = ext4disk.initrd(ctx, "ext4_stress")
    images = [make_image(ctx, f"{name}-{smp}", FORMATS[name]) for name in STRESS]
    with ctx.machine(smp=smp, disks=images, memory="512M", initrd=initrd, loglevel=4) as guest:
        guest.expect(PROMPT, 60)
        for name, disk in zip(STRESS, "abcd"):
            words = f"/mnt {smp + 1} {300 if name == 'ext3' else 600} {smp}"
            fallback = "NO_FALLOCATE=1 " if name == "ext3" else ""
            run(guest, f"mount -t ext4 /dev/vd{disk} /mnt && {fallback}/ext4_stress {words}", 200)
            run(guest, f"umount /mnt && mount -t ext4 /dev/vd{disk} /mnt && {fallback}/ext4_stress -check {words} && "
                       "umount /mnt", 100)
        power_off(guest)
    for path in images:
        assert_clean(path)


def test_full_disk(ctx):
    """ENOSPC is an error like others, and what was freed can be had again at once."""
    path = make_image(ctx, "full", FORMATS["ext4"], "40M")
    with ctx.machine(disks=[path], loglevel=4) as guest:
        guest.expect(PROMPT, 60)
        run(guest, "mount -t ext4 /dev/vda /mnt")
        status, output = guest.shell("dd if=/dev/zero of=/mnt/full bs=64k", 60)
        assert status != 0 and "No space left" in output, output
        for _ in range(3):
            run(guest, "rm /mnt/full && dd if=/dev/zero of=/mnt/full bs=64k count=300 2>&1")
        run(guest, "umount /mnt")
        power_off(guest)
    assert_clean(path)


def test_features(ctx, smp):
    """FIEMAP, FITRIM, whiteouts, flags; and what is removed is discarded."""
    images = [make_image(ctx, f"{name}-{smp}", FORMATS[name], "150M") for name in ("ext4", "ext4-1k")]
    disks = [{"file": path, "discard": "on"} for path in images]
    with ctx.machine(smp=smp, disks=disks, initrd=ext4disk.initrd(ctx, "ext4_features"), loglevel=4) as guest:
        guest.expect(PROMPT, 60)
        for disk in "ab":
            run(guest, f"mount -t ext4 -o discard /dev/vd{disk} /mnt && /ext4_features /mnt 300", 100)
            run(guest, "dd if=/dev/urandom of=/mnt/large bs=1M count=60 2>&1 && sync && rm /mnt/large && sync && umount /mnt",
                120)
        power_off(guest)
    for path in images:
        assert_clean(path)
        used = path.stat().st_blocks * 512
        assert used < 60 << 20, f"{path}: {used} bytes are used: what was removed is still there"


def inode_block(path, name):
    """The block with a file's inode."""
    return int(re.search(r"located at block (\d+)", debugfs(path, f"imap {name}"))[1])


def broken(path, kind, blocks):
    """A disk on which these blocks cannot be read or written."""
    return {"file": path, "rerror": "report", "werror": "report",
            "events": [{"event": "none", "iotype": kind, "errno": 5, "sector": block * 8} for block in blocks]}


def test_read_errors(ctx, smp):
    """A block that cannot be read is EIO for who needs it, be it of a file, a directory, a map or an inode."""
    tree = ctx.work / f"readable-{smp}"
    make_tree(tree)
    path = make_image(ctx, f"unreadable-{smp}", FORMATS["ext4"], "100M", tree)
    map_block = int(re.search(r"\(ETB0\):(\d+)", debugfs(path, "stat sparse"))[1])
    bad = [blocks_of(path, "deep/large")[300], blocks_of(path, "many")[-1], map_block,
           inode_block(path, "many/a_file_whose_name_has_the_number_250")]
    with ctx.machine(smp=smp, disks=[broken(path, "read", bad)], loglevel=1) as guest:
        guest.expect(PROMPT, 60)
        run(guest, "mount -t ext4 /dev/vda /mnt && cd /mnt")
        for line in ("cat deep/large", "dd if=deep/large bs=4k skip=300 count=1 iflag=direct", "cat sparse", "ls many",
                     "stat many/a_file_whose_name_has_the_number_250"):
            status, output = guest.shell(f"{line} > /dev/null", 60)
            assert status != 0 and "I/O error" in output, (line, output)
        run(guest, "cat deep/odd deep/block > /dev/null && dd if=deep/large of=/dev/null bs=4k count=300 && "
                   "dd if=deep/large of=/dev/null bs=4k skip=301 && cp deep/odd new && sync && cmp deep/odd new && cd / && "
                   "umount /mnt")
        power_off(guest)
    checked = command("e2fsck", "-fy", path)  # it has noted that there were errors
    assert checked.returncode in (0, 1), checked.stdout


def test_write_errors(ctx, smp):
    """What cannot be written is EIO of fsync, once for each open file; what cannot leave the log stays there."""
    tree = ctx.work / f"writable-{smp}"
    make_tree(tree)
    data, metadata = (make_image(ctx, f"{name}-{smp}", FORMATS["ext4"], "100M", tree) for name in ("data", "metadata"))
    disks = [broken(data, "write", [blocks_of(data, "deep/large")[100]]),
             broken(metadata, "write", [inode_block(metadata, "deep/odd")])]
    with ctx.machine(smp=smp, disks=disks, initrd=ext4disk.initrd(ctx, "fsync_errors"), loglevel=1) as guest:
        guest.expect(PROMPT, 60)
        run(guest, f"mount -t ext4 /dev/vda /mnt && /fsync_errors /mnt/deep/large {100 * 4096} && umount /mnt", 60)
        run(guest, "mount -t ext4 /dev/vdb /mnt && chmod 4751 /mnt/deep/odd && sync; umount /mnt", 60)
        power_off(guest)
    assert_clean(data)
    checked = command("e2fsck", "-fy", metadata)
    assert checked.returncode in (0, 1), checked.stdout
    assert re.search(r"Mode: +04751", debugfs(metadata, "stat deep/odd")), debugfs(metadata, "stat deep/odd")


def test_tree(ctx, smp):
    ext4disk.random_tree(ctx, smp, 800, 4, ("ext4", "ext4-1k"), 100)


def test_foreign_tree(ctx):
    ext4disk.foreign_tree(ctx, 600, ("ext4", "ext4-1k", "ext4-meta_bg"))


def test_user_programs(ctx, smp):
    """The tests of files, which else run on tmpfs."""
    tests = [test for test in testing.user_tests() if test.name.startswith("files/")]
    for test in tests:
        if failure := test.compile("musl"):
            return [failure]
    disk, results = make_image(ctx, f"programs-{smp}", FORMATS["ext4"]), []
    initrd = testing.guest_initramfs(tests, "musl", ctx.work / f"programs-{smp}.cpio")
    with ctx.machine(initrd=initrd, smp=smp, memory="512M", loglevel=4, disks=[disk], append="TMPDISK=/dev/vda") as guest:
        testing.follow_guest(guest, ctx.name, tests, results)
        assert "@@ warning" not in guest.text, guest.text[guest.text.index("@@ warning"):][:200]
    assert_clean(disk)
    return [result for result in results if result.passed or not ON_TMPFS.search(result.name)]


def test_damaged_images(ctx, smp):
    """No damage of metadata panics or hangs the kernel."""
    return ext4disk.fuzz(ctx, smp, range(10000 * smp, 10000 * smp + 24))
