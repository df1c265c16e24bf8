# SPDX-License-Identifier: MIT
"""Twenty minutes of malformed packets: tests/system/test_net_fuzz.py at length."""
import importlib.util

from kevlar_lib import host

spec = importlib.util.spec_from_file_location("net_fuzz", host.ROOT / "tests/system/test_net_fuzz.py")
short = importlib.util.module_from_spec(spec)
spec.loader.exec_module(short)


def test_frames(ctx):
    for seed in range(4):
        short.fuzz(ctx, 1 + seed, 300, 1000 + seed)


def test_junk_inside(ctx):
    short.junk(ctx, 2, 120000)
