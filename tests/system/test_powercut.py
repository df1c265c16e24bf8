# SPDX-License-Identifier: MIT
"""A few power cuts; tests/long has a hundred. See tools/kevlar_lib/powercut.py."""
from kevlar_lib import powercut


def test_fsync(ctx, smp):
    return powercut.run(ctx, 3, seed=1000 * smp, smp=smp)
