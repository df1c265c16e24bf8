# SPDX-License-Identifier: MIT
"""ext4, ext3, ext2: images of mke2fs are read and written; afterwards e2fsck finds nothing, Linux and debugfs the same
bytes. tests/long has the same with more files and more damages. See tools/kevlar_lib/ext4disk.py."""
import hashlib
import re

from kevlar_lib import ext4disk, testing
from kevlar_lib.ext4disk import FORMATS, PROMPT, assert_clean, command, make_image, make_tree, power_off, run

# What these programs say of tmpfs does not hold on ext4, on Linux neither.
ON_TMPFS = re.compile(r"memfd: a tmpfs file is|path_walk: (a link text of 4095|which names something)|stat: (blksize|blocks of "
                      r"one|numbers agree|tmpfs magic|block size|1 MiB takes)|truncate: COLLAPSE_RANGE|xattr: (of 64 KiB|its size)")
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
