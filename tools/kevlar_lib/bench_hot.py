# SPDX-License-Identifier: MIT
"""`tools/kevlar bench --hot ROW`: which functions of the kernel an operation's instructions go to.

QEMU logs every block of code that it executes. Two boots that differ by some turns of the row, and
in nothing else, differ by what these turns execute: no sampling, and no trace of the rest.
"""
import bisect
import collections
import os
import re
import subprocess
import tempfile
import threading

from . import host, machine

FEW, MANY = 8, 24  # turns asked for
ENDS = re.compile(r"\b(j\w+|call\w*|ret\w*|iretq|sysret\w*|syscall|hlt|sti|cli|wrmsr|rdmsr|ud2|int3?)\b|\brep")


class Code:
    """The kernel's instructions: how many a block has, and whose they are."""

    def __init__(self, kernel):
        text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", f"{kernel}.debug"], capture_output=True,
                              text=True, check=True).stdout
        self.length, self.starts, self.names, block = {}, [], [], []
        for line in text.splitlines():
            if match := re.match(r"([0-9a-f]{16}) <(.+)>:", line):
                self.starts.append(int(match[1], 16))
                self.names.append(match[2])
            elif match := re.match(r" *([0-9a-f]{8,16}):\t(.*)", line):
                block.append(int(match[1], 16))
                if ENDS.search(match[2]):
                    for i, address in enumerate(block):
                        self.length[address] = len(block) - i
                    block = []

    def name(self, address):
        return self.names[bisect.bisect_right(self.starts, address) - 1]


def count_blocks(options, row, turns, append):
    """Boots; returns a Counter of the addresses at which executed blocks begin."""
    counts = collections.Counter()
    folder = tempfile.mkdtemp()
    path = os.path.join(folder, "log")
    os.mkfifo(path)
    command = machine.arguments(append=f"{append} bench.mode=trace bench.rows=^{row}$ bench.turns={turns}", **options)
    command += ["-display", "none", "-serial", "null", "-monitor", "none", "-d", "exec,nochain", "-D", path]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        with open(path, "rb", buffering=1 << 20) as log:
            for line in log:
                counts[line[42:58]] += 1  # Trace 0: 0x7f3b30000400 [00000000000f0000/ffffffff80001234/...
    finally:
        process.terminate()
        process.wait()
        os.unlink(path)
        os.rmdir(folder)
    return counts


def hot(options, row, append, scale=1.0):
    """scale: fewer turns, for rows whose turns are long."""
    few, many = max(1, round(FEW * scale)), max(2, round(MANY * scale))
    difference = many + many // 4 - few - few // 4  # with those for warming up
    code = Code(options["kernel"])
    results = {}

    def work(turns):
        results[turns] = count_blocks(options, row, turns, append)

    threads = [threading.Thread(target=work, args=(turns,)) for turns in (few, many)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results[many].subtract(results[few])
    functions = collections.Counter()
    for text, count in results[many].items():
        try:
            address = int(text, 16)
        except ValueError:
            continue
        user = address < 1 << 47
        functions["(user)" if user else code.name(address)] += count * (1 if user else code.length.get(address, 1))
    lines = [f"{count / difference:10.1f}  {name}" for name, count in functions.most_common(45) if count > 0]
    total = sum(functions.values()) / difference
    host.say(f"{row}: {total:.0f} instructions a turn in the kernel, blocks of the program")
    print("\n".join(lines))
