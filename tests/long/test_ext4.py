# SPDX-License-Identifier: MIT
"""ext4 with many files and many damages: tests/system/test_ext4.py at length. See tools/kevlar_lib/ext4disk.py."""
from kevlar_lib import ext4disk


def test_tree(ctx, smp):
    """20,000 files on disks of three formats."""
    ext4disk.random_tree(ctx, smp, 20000, 8, ("ext4", "ext4-1k", "ext4-plain"), 1500)


def test_foreign_tree(ctx):
    ext4disk.foreign_tree(ctx, 6000, ("ext4", "ext4-1k", "ext4-meta_bg", "ext3"))


def test_links(ctx):
    """65,000 links of a file, and more directories in one than can be counted."""
    path = ext4disk.make_image(ctx, "links", ext4disk.FORMATS["ext4"] + " -N 80000", "500M")
    with ctx.machine(smp=2, disks=[{"file": path, "discard": "on"}],
                     initrd=ext4disk.initrd(ctx, "ext4_features"), memory="512M", loglevel=4) as guest:
        guest.expect(ext4disk.PROMPT, 60)
        ext4disk.run(guest, "mount -t ext4 /dev/vda /mnt && /ext4_features /mnt 66000 && umount /mnt", 1500)
        ext4disk.power_off(guest)
    ext4disk.assert_clean(path)


def test_damaged_images(ctx):
    """1,000 disks."""
    return ext4disk.fuzz(ctx, 2, range(1, 1001))
