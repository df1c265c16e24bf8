# SPDX-License-Identifier: MIT
"""TCP between a guest and Linux over a bad wire, and connections by the thousand. See tools/kevlar_lib/wire.py.

tests/long/test_net_wire.py does the same with a GiB and a hundred thousand.
"""
import re
import socket
import time

from kevlar_lib import host, segments, wire
from kevlar_lib.testing import Result

MIB = 1 << 20
CONDITIONS = {
    "whole": {},
    "loss_1": {"loss": 0.01, "delay": 0.001},
    "loss_5": {"loss": 0.05, "delay": 0.001},
    "mixed": {"loss": 0.01, "repeat": 0.02, "damage": 0.01, "reorder": 0.1, "delay": 0.002, "jitter": 0.01},
}


def transfers(ctx, smp, size, timeout, conditions=CONDITIONS):
    """Streams in both directions under all conditions, over IPv4 and IPv6; a Result each."""
    results = []
    with wire.wired(ctx, smp) as (agent, cable):
        for seed, (name, settings) in enumerate(conditions.items()):
            for to_guest in (False, True):
                family = socket.AF_INET6 if to_guest ^ (seed & 1) else socket.AF_INET
                title = f"{ctx.name}/{name}_{'to_guest' if to_guest else 'from_guest'}"
                cable.call("wire", **(settings | {"seed": seed} if settings else {}))
                try:
                    seconds = wire.transfer(agent, cable, size, to_guest=to_guest, family=family, timeout=timeout)
                    results.append(Result(title, True))
                    host.say(f"{title}: {size / seconds / 1e6:.1f} MB/s")
                except segments.Mismatch as mismatch:
                    results.append(Result(title, False, str(mismatch)))
                    cable.call("wire")
    return results


def sockets_left(agent):
    """TCP's sockets and those in TIME-WAIT, KiB of memory in use."""
    line = next(line for line in agent.show("/proc/net/sockstat") if line.startswith("TCP:"))
    free = next(line for line in agent.show("/proc/meminfo") if line.startswith("MemAvailable:"))
    numbers = dict(re.findall(r"(\w+) (\d+)", line))
    return int(numbers["alloc"]), int(numbers["tw"]), int(free.split()[1])


def churn(ctx, smp, count, slack):
    """count connections from the guest and as many to it; memory may differ by `slack` KiB afterwards."""
    with wire.wired(ctx, smp) as (agent, cable):
        agent.put("/proc/sys/net/ipv4/ip_local_port_range", "2048 65000")
        agent.put("/proc/sys/net/ipv4/tcp_tw_reuse", "1")
        fd = agent.must("socket", int(socket.AF_INET6), int(socket.SOCK_STREAM), 0)
        agent.must("bind", fd, "::", 7)
        agent.must("listen", fd, 500)
        agent.must("spawn", "echo", fd)
        port = cable.call("echo", family=int(socket.AF_INET))["port"]
        quiet = sockets_left(agent)[0]
        # A first part fills what is kept for reuse.
        agent.must("churn", segments.PEER, port, 500, 32, timeout=120)
        cable.call("churn", 120, address=segments.GUEST, port=7, count=500)
        before = sockets_left(agent)
        number = cable.start("churn", address=segments.GUEST, port=7, count=count)
        agent.must("churn", segments.PEER, port, count, 32, timeout=60 + count / 50)
        cable.result(number, 60 + count / 50)
        # TIME-WAIT lasts a minute; it may be long over for some.
        deadline = time.monotonic() + 90
        while ((after := sockets_left(agent))[1] or after[0] > quiet) and time.monotonic() < deadline:
            time.sleep(1)
        assert after[1] == 0, f"{after[1]} sockets are in TIME-WAIT after 90 seconds"
        left = [line[:120] for name in ("tcp", "tcp6") for line in agent.show(f"/proc/net/{name}")][:20]
        assert after[0] == quiet, f"{after[0]} sockets, {quiet} before: {left}"
        assert before[2] - after[2] < slack, f"{before[2] - after[2]} KiB have gone"


def test_transfers(ctx, smp):
    return transfers(ctx, smp, 8 * MIB, 120)


def test_churn(ctx):
    churn(ctx, 2, 5000, 2048)
