# SPDX-License-Identifier: MIT
"""A few power cuts; tests/long has a hundred. And a journal that breaks. See tools/kevlar_lib/powercut.py."""
from kevlar_lib import powercut


def test_fsync(ctx, smp):
    return powercut.run(ctx, 3, seed=1000 * smp, smp=smp)


def test_journal_error(ctx, smp):
    return powercut.run(ctx, 2, seed=2000 * smp, how=powercut.break_journal, smp=smp)
