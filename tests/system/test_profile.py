# SPDX-License-Identifier: MIT
"""The profiler: chains of calls by sampling, and system calls counted and timed."""
import re
import subprocess
import sys

from kevlar_lib import host

PROMPT = r"# \x1b\[6n"


def test_samples_and_calls(ctx, smp):
    with ctx.machine(smp=smp, append="profile=997 profile=calls") as guest:
        guest.expect(PROMPT, 60)
        status, output = guest.shell("echo 0 > /proc/profile_calls; i=0; while [ $i -lt 200 ]; do "
                                     "(:); i=$((i+1)); done; cat /proc/profile_calls")
        assert status == 0, output
        calls = {name: tuple(map(int, numbers)) for name, *numbers in
                 re.findall(r"^(\w+) (\d+) (\d+) (\d+) (\d+)\r?$", output, re.MULTILINE)}
        count, total, mean, longest = calls["fork"]
        assert 200 <= count < 220, calls
        assert mean == total // count and mean <= longest <= total, calls
        assert calls["wait4"][0] >= count and "exit" not in calls, calls

        status, output = guest.shell("cat /proc/profile > /tmp/folded; tail -n 500 /tmp/folded")
        assert status == 0, output
        chains = re.findall(r"^([^;]+);(\S+) (\d+)\r?$", output, re.MULTILINE)
        assert any(comm == "sh" and ";sys_fork;" in f";{chain};" for comm, chain, _ in chains), output[:3000]
        assert any(chain == "(user)" for _, chain, _ in chains), output[:3000]


def test_off(ctx):
    with ctx.machine() as guest:
        guest.expect(PROMPT, 60)
        assert guest.shell("ls /proc/profile /proc/profile_calls /proc/lock_stat")[0] != 0


def test_tool(ctx):
    tool = [sys.executable, host.ROOT / "tools/kevlar", "profile", "ls -lR /etc"]
    done = subprocess.run(tool, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0 and "apk" in done.stdout, done.stdout + done.stderr
    chains = (host.BUILD / "profile/folded").read_text().splitlines()
    assert any(re.fullmatch(r"ls;[\w.;()]+ \d+", line) for line in chains), chains
    assert any(line.startswith("getdents64 ") for line in (host.BUILD / "profile/calls").read_text().splitlines())
