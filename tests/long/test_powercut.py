# SPDX-License-Identifier: MIT
"""A hundred power cuts at random moments, on disks of several formats. See tools/kevlar_lib/powercut.py."""
from kevlar_lib import powercut


def test_default_format(ctx):
    return powercut.run(ctx, 60, seed=1, smp=2)


def test_small_blocks(ctx):
    return powercut.run(ctx, 20, seed=101, smp=4, options=("-b", "1024"))


def test_no_checksums(ctx):
    return powercut.run(ctx, 10, seed=201, smp=1, options=("-O", "^metadata_csum,^64bit"))


def test_ext3(ctx):
    return powercut.run(ctx, 10, seed=301, smp=2, options=("-O", "^extents,^metadata_csum,^64bit,^flex_bg,^huge_file"))
