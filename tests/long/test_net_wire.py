# SPDX-License-Identifier: MIT
"""A GiB in each direction at each loss, a hundred thousand connections: tests/system/test_net_wire.py at length."""
import importlib.util

from kevlar_lib import host

spec = importlib.util.spec_from_file_location("net_wire", host.ROOT / "tests/system/test_net_wire.py")
short = importlib.util.module_from_spec(spec)
spec.loader.exec_module(short)


def test_gigabytes(ctx):
    return short.transfers(ctx, 2, 1 << 30, 3000)


def test_churn(ctx):
    short.churn(ctx, 2, 100000, 4096)
