# SPDX-License-Identifier: MIT
"""ext4 with many files and many damages: tests/system/test_ext4.py at length. See tools/kevlar_lib/ext4disk.py."""
from kevlar_lib import ext4disk


def test_tree(ctx, smp):
    """20,000 files on disks of three formats."""
    ext4disk.random_tree(ctx, smp, 20000, 8, ("ext4", "ext4-1k", "ext4-plain"), 1500)


def test_foreign_tree(ctx):
    ext4disk.foreign_tree(ctx, 6000, ("ext4", "ext4-1k", "ext4-meta_bg", "ext3"))


def test_damaged_images(ctx):
    """1,000 disks."""
    return ext4disk.fuzz(ctx, 2, range(1, 1001))
