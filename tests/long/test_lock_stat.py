# SPDX-License-Identifier: MIT
"""A kernel that is built with LOCKSTAT=1 tells what its locks cost."""
import os
import re
import subprocess

from kevlar_lib import host

PROMPT = r"# \x1b\[6n"


def test_places(ctx):
    subprocess.run(["make", "-s", f"-j{os.cpu_count()}", "LOCKSTAT=1", "build"], cwd=host.ROOT, check=True)
    with ctx.machine(kernel=host.BUILD / f"{host.ARCH}-lockstat/kevlar", smp=4) as guest:
        guest.expect(PROMPT, 90)
        status, output = guest.shell("echo 0 > /proc/lock_stat; for i in 1 2 3 4; do (find / -xdev; dd if=/dev/zero "
                                     "of=/tmp/$i bs=64k count=20) >/dev/null 2>&1 & done; wait; cat /proc/lock_stat", 120)
        assert status == 0, output
        places = re.findall(r"^(\w+) (\d+) (\d+) (\d+) (\d+) (\d+) (\d+) (\w+)[.\w]*\+\d+\r?$", output, re.MULTILINE)
        assert {kind for kind, *_ in places} == {"spin", "mutex", "read", "write"}, output
        for kind, *numbers, _ in places:
            taken, waited, wait_total, wait_max, held_total, held_max = map(int, numbers)
            assert waited <= taken and wait_max <= wait_total and held_max <= held_total, numbers
            assert (wait_total > 0) <= (waited > 0) and (kind != "read" or held_total == 0), numbers
        functions = {function for *_, function in places}
        assert {"sched_switch", "file_readdir", "mm_map"} <= functions, functions
        assert "spin_lock_irqsave" not in functions
