# SPDX-License-Identifier: MIT
"""`tools/kevlar bench`: the same benchmark program on Linux and on Kevlar, side by side.

Both kernels get the same initramfs (Alpine with bench/*.c as its init), the same command line and the same QEMU
flags. Two figures a row:

    instructions  of the guest for one operation, on one CPU: QEMU's -icount makes the guest's clock count
                  instructions, so that the figure repeats to the digit
    wall          nanoseconds for one operation on two CPUs; the kernels take turns, the median counts

and further tables: the same work on one and on four CPUs, and what a boot takes of time and memory.

    tools/kevlar bench                   everything: tables, build/bench.json, comparison with bench/baseline.json
    tools/kevlar bench --rows REGEX      only these rows
    tools/kevlar bench --quick           instructions only, one run
    tools/kevlar bench --hot ROW         the kernel's functions that one turn of a row runs, by instructions
    tools/kevlar bench --update          also write the baseline, docs/performance.md, docs/bench.svg, README.md
"""
import collections
import datetime
import json
import math
import re
import statistics
import subprocess

from . import bench_hot, bench_report, fetch, host, image, linux_peer, machine

CPU = "max,-erms,-fsrm"  # a byte of `rep stosb` is two emulated instructions: neither kernel may use it
COMMAND_LINE = ("quiet mitigations=off transparent_hugepage=always tsc=reliable clocksource=tsc "
                "random.trust_cpu=on")
BASELINE = host.ROOT / "bench/baseline.json"
RESULT = host.BUILD / "bench.json"
ALLOWED = 1.05  # more instructions than committed by this factor are a regression
WORK = host.BUILD / "bench"
SYSTEMS = ("linux", "kevlar")
LIMIT = 300     # seconds for one boot

SESSION = """#!/bin/sh
# The session on the console: the shell is there, so say what that took.
sh -c '/bin/bench icount "^(boot_to_init|memory_free)$"'
poweroff
"""


def compile_bench():
    """The benchmark, statically linked with musl."""
    host.need("musl-gcc")
    output = WORK / "bench"
    sources = sorted((host.ROOT / "bench").glob("*.[ch]"))
    if not output.exists() or output.stat().st_mtime < max(path.stat().st_mtime for path in sources):
        WORK.mkdir(parents=True, exist_ok=True)
        subprocess.run(["musl-gcc", "-idirafter", "/usr/include", "-idirafter", "/usr/include/x86_64-linux-gnu",
                        "-static", "-O2", "-Wall", "-Wextra", "-Werror", "-pthread", "-o", output,
                        *[path for path in sources if path.suffix == ".c"]], check=True)
    return output.read_bytes()


def make_images(program):
    """Three initramfs: Alpine whose init is the benchmark; Alpine as it boots to a shell; the benchmark alone."""
    rows, shell, bare = (WORK / f"{name}.cpio" for name in ("rows", "shell", "bare"))
    with open(WORK / "overlay", "wb") as file, image.Cpio(file) as cpio:
        cpio.add_file("init", program, 0o755)
    image.concatenate(rows, image.runnable(fetch.alpine()), WORK / "overlay")
    with open(WORK / "overlay", "wb") as file, image.Cpio(file) as cpio:
        cpio.add_file("bin/bench", program, 0o755)
        cpio.add_file("etc/kevlar-session", SESSION, 0o755)
    image.concatenate(shell, image.runnable(fetch.alpine()), WORK / "overlay")
    with open(bare, "wb") as file, image.Cpio(file) as cpio:
        for folder in ("dev", "proc", "tmp"):
            cpio.directory(folder)
        cpio.device("dev/console", "c", 5, 1)
        cpio.add_file("init", program, 0o755)
    return rows, shell, bare


class Boot:
    """One boot of one system: rows as {name: (operations, total, unit)}, what is absent, what failed."""

    def __init__(self, kernel, initrd, *, mode, rows="", smp=1, memory="1G"):
        icount = mode == "icount"
        self.rows, self.absent, self.failed = {}, {}, {}
        with machine.Machine(kernel=kernel, initrd=initrd, smp=smp, memory=memory, cpu=CPU,
                             accel="tcg" if icount else None,
                             append=f"{COMMAND_LINE} bench.mode={mode} bench.rows={rows}",
                             extra=["-icount", "shift=0,sleep=off"] if icount else []) as guest:
            guest.expect(r"BENCH-BEGIN", LIMIT)
            self.seconds_to_init = machine.time.monotonic() - guest.started
            try:
                guest.expect(r"BENCH-END", LIMIT)
            except (machine.Panic, machine.Ended, machine.TimedOut) as error:
                self.failed["(the machine)"] = str(error)[-3000:]
            self.text = guest.text
        for line in self.text.splitlines():
            match line.split(None, 4):
                case ["BENCH", name, operations, total, unit]:
                    self.rows[name] = (int(operations), int(total), unit)
                case ["ABSENT", name, *what]:
                    self.absent[name] = " ".join(what)
                case ["FAIL", name, *what]:
                    self.failed[name] = " ".join(what)

    def per_operation(self):
        return {name: total / operations for name, (operations, total, unit) in self.rows.items() if unit == "ns"}

    def amount(self, name):
        return self.rows[name][1] if name in self.rows else None


class Bench:
    def __init__(self, args):
        self.args = args
        self.images = make_images(compile_bench())
        peer = linux_peer.find()
        self.kernels = {"linux": peer.kernel, "kevlar": host.kernel_path()}
        if not self.kernels["kevlar"].exists():
            raise host.Failure(f"{self.kernels['kevlar']} does not exist: run make first")
        self.result = {
            "date": datetime.date.today().isoformat(),
            "linux": peer.version,
            "kevlar": subprocess.run(["git", "describe", "--always", "--dirty"], cwd=host.ROOT, text=True,
                                     capture_output=True).stdout.strip(),
            "qemu": subprocess.run([machine.QEMU, "--version"], text=True,
                                   capture_output=True).stdout.splitlines()[0].split("version ")[1],
            "accelerator": machine.accelerator(),
            "instructions": {}, "wall": {}, "scaling": {}, "boot": {}, "absent": {}, "failed": {},
        }

    def boot(self, system, initrd, **options):
        boot = Boot(self.kernels[system], initrd, **options)
        for where in ("absent", "failed"):
            for name, what in getattr(boot, where).items():
                self.result[where].setdefault(name, {})[system] = what
                if where == "failed":
                    host.say(f"{system}: {name}: {what}")
        return boot

    def put(self, table, row, system, value):
        if value is not None:
            self.result[table].setdefault(row, {})[system] = value

    def instructions(self):
        pattern = self.args.rows or "^([^s]|s[^c]|sc[^a])"  # not the rows that scale_ begins
        for system in SYSTEMS:
            host.say(f"instructions: {system}")
            for row, value in self.boot(system, self.images[0], mode="icount", rows=pattern).per_operation().items():
                self.put("instructions", row, system, round(value, 1))

    def scaling(self):
        """Kevlar alone: Linux's way of starting further CPUs does not come to an end under icount."""
        host.say("four CPUs: kevlar")
        boot = self.boot("kevlar", self.images[0], mode="icount", rows="^scale_", smp=4)
        for row, value in boot.per_operation().items():
            name, _, cpus = row.rpartition("_x")
            self.put("scaling", name, f"cpus_{cpus}", round(value, 1))

    def boots(self):
        for system in SYSTEMS:
            host.say(f"boot: {system}")
            state = "^(boot_to_init|memory_free)$"
            bare = self.boot(system, self.images[2], mode="icount", rows=state, memory="256M")
            self.put("boot", "power on to init, ms of guest time", system, self.milliseconds(bare))
            self.put("boot", "of 256 MiB not free at init, MiB", system, self.taken(bare))
            shell = self.boot(system, self.images[1], mode="icount", rows=state, memory="256M")
            self.put("boot", "power on to Alpine's shell, ms of guest time", system, self.milliseconds(shell))
            self.put("boot", "of 256 MiB not free at Alpine's shell, MiB", system, self.taken(shell))

    @staticmethod
    def milliseconds(boot):
        ticks = boot.amount("boot_to_init")
        return ticks and round(ticks / 1e6, 1)

    @staticmethod
    def taken(boot):
        free = boot.amount("memory_free")
        return free and round(256 - free / 1024, 1)

    def wall(self):
        pattern = self.args.rows or "^([^s]|s[^c]|sc[^a])"
        values = {system: collections.defaultdict(list) for system in SYSTEMS}
        for turn in range(self.args.pairs):
            for system in SYSTEMS:
                host.say(f"wall time, pair {turn + 1} of {self.args.pairs}: {system}")
                boot = self.boot(system, self.images[0], mode="wall", rows=pattern, smp=2)
                values[system]["boot"].append(boot.seconds_to_init)
                for row, value in boot.per_operation().items():
                    values[system][row].append(value)
        for system in SYSTEMS:
            self.put("boot", "QEMU's start to init, seconds", system,
                     round(statistics.median(values[system].pop("boot")), 2))
            for row, samples in values[system].items():
                self.put("wall", row, system, round(statistics.median(samples), 1))


def geometric_mean(rows):
    ratios = [row["kevlar"] / row["linux"] for row in rows.values() if len(row) == 2 and row["linux"]]
    return round(math.exp(sum(map(math.log, ratios)) / len(ratios)), 3) if ratios else None


def regressions(result):
    """Rows that take over 5 % more instructions than the committed figures."""
    if not BASELINE.exists():
        return []
    baseline = json.loads(BASELINE.read_text())["instructions"]
    found = []
    for row, values in result["instructions"].items():
        before, now = baseline.get(row, {}).get("kevlar"), values.get("kevlar")
        if before and now and now > before * ALLOWED:
            found.append(f"{row}: {before} -> {now} instructions")
    return found


def main(args):
    if args.update and args.rows:
        raise host.Failure("--update writes all rows: leave out --rows")

    bench = Bench(args)
    if args.hot:
        return bench_hot.hot(dict(kernel=bench.kernels["kevlar"], initrd=bench.images[0], memory="1G", cpu=CPU,
                                  accel="tcg"), args.hot, COMMAND_LINE)
    bench.instructions()
    if not args.quick:
        if not args.rows:
            bench.scaling()
            bench.boots()
        if args.pairs:
            bench.wall()
    result = bench.result
    result["geometric_mean"] = {table: geometric_mean(result[table]) for table in ("instructions", "wall")}
    RESULT.write_text(json.dumps(result, indent=1))
    print(bench_report.text(result, args.sort == "ratio"))
    worse = regressions(result)
    if args.update:
        BASELINE.write_text(json.dumps(result, indent=1) + "\n")
        bench_report.write_documents(result)
    elif worse:
        print("more than 5 % worse than bench/baseline.json:\n  " + "\n  ".join(worse))
        return 1
    return 1 if any("kevlar" in who for who in result["failed"].values()) else 0
