# SPDX-License-Identifier: MIT
"""`tools/kevlar profile COMMAND`: boots with the profiler on, runs a command in Alpine's shell, and leaves in build/profile/

    folded   chains of calls with their samples, as flame-graph tools read them
    calls    system calls: name, count, nanoseconds in all, on average, at most; most time first
    locks    of a kernel built with LOCKSTAT=1: see syscall/profile_locks.c; most waiting first
"""
import collections

from . import host, machine

PROMPT = r"# \x1b\[6n"
FOLDER = host.BUILD / "profile"


def read(guest, path):
    status, text = guest.shell(f"cat {path}", 60)
    return text if status == 0 else None


def samples(text):
    counts = collections.Counter()
    for line in text.splitlines():
        chain, _, count = line.rpartition(" ")
        if count.isdigit():
            counts[chain] += int(count)
    return counts


def by_column(text, column):
    """Lines, the largest number of a column first."""
    return sorted((line for line in text.splitlines() if line), key=lambda line: -int(line.split()[column]))


def run(options, command, seconds):
    with machine.Machine(**options) as guest:
        guest.expect(PROMPT, 120)
        before = samples(read(guest, "/proc/profile"))
        guest.shell("for f in /proc/profile_calls /proc/lock_stat; do [ -e $f ] && echo 0 > $f; done")
        status, output = guest.shell(command, seconds)
        calls, locks, chains = (read(guest, f"/proc/{name}") for name in ("profile_calls", "lock_stat", "profile"))
    FOLDER.mkdir(parents=True, exist_ok=True)
    folded = samples(chains) - before
    (FOLDER / "folded").write_text("".join(f"{chain} {count}\n" for chain, count in folded.most_common()))
    for name, text, column in ("calls", calls, 2), ("locks", locks, 3):
        if text:
            (FOLDER / name).write_text("\n".join(by_column(text, column)) + "\n")
    print(output, end="")
    host.say(f"status {status}; {sum(folded.values())} samples: {FOLDER.relative_to(host.ROOT)}/")
