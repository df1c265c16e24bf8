# SPDX-License-Identifier: MIT
"""`tools/kevlar bench`: the same benchmark program on Linux and on Kevlar, side by side.

Both kernels get the same initramfs (Alpine with bench/*.c as its init), the same disk (Debian's programs on ext4), the
same command line and the same QEMU flags. Two figures a row:

    instructions  of the guest for one operation, on one CPU: QEMU's -icount makes the guest's clock count
                  instructions, so that the figure repeats to the digit. Rows that wait for the disk or the
                  network card do not count what passes while they wait (bench/bench.h); how many requests and
                  packets come together depends on the host there, so that these figures repeat within a few percent
    wall          nanoseconds for one operation on two CPUs; the kernels take turns, the median counts

and further tables: the same work on one and on four CPUs, and what a boot takes of time and memory.

    tools/kevlar bench                   everything: tables, build/bench.json, comparison with bench/baseline.json
    tools/kevlar bench --rows REGEX      only these rows
    tools/kevlar bench --quick           instructions only, one run
    tools/kevlar bench --hot ROW         the kernel's functions that one turn of a row runs, by instructions; --scale 0.1
                                         where a turn is long
    tools/kevlar bench --update          also write the baseline, docs/performance.md, docs/bench.svg, README.md

Linux's instructions are kept in build/bench/linux-*.json, by everything that they depend on.
"""
import collections
import concurrent.futures
import datetime
import hashlib
import json
import math
import re
import socket
import statistics
import subprocess
import threading
import time

from . import bench_hot, bench_report, disks, fetch, host, image, linux_peer, machine

CPU = "max,-erms,-fsrm"  # a byte of `rep stosb` is two emulated instructions: neither kernel may use it
COMMAND_LINE = ("quiet mitigations=off transparent_hugepage=always tsc=reliable clocksource=tsc "
                "random.trust_cpu=on")
BASELINE = host.ROOT / "bench/baseline.json"
RESULT = host.BUILD / "bench.json"
ALLOWED = 1.05  # more instructions than committed by this factor are a regression
ALLOWED_WAITING = 1.5  # of rows that wait for a device: it decides what is done at once
WORK = host.BUILD / "bench"
SYSTEMS = ("linux", "kevlar")
BOOT_LIMIT, LIMIT = 300, 1200  # seconds to init, and for all rows of a boot
STATE = "^(boot_to_init|memory_free)$"
ALL_ROWS = "^([^s]|s[^c]|sc[^a])"  # but those that scale_ begins

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
                        "-static", "-O2", "-Wall", "-Wextra", "-Werror", "-Wno-missing-field-initializers", "-pthread",
                        "-o", output, *[path for path in sources if path.suffix == ".c"]], check=True)
    return output.read_bytes()


def make_images(program, modules):
    """Three initramfs: Alpine whose init is the benchmark; Alpine as it boots to a shell; the benchmark alone."""
    rows, shell, bare = (WORK / f"{name}.cpio" for name in ("rows", "shell", "bare"))
    with open(WORK / "overlay", "wb") as file, image.Cpio(file) as cpio:
        cpio.add_file("init", program, 0o755)
        cpio.directory("modules")
        for path in modules:
            cpio.add_file(f"modules/{path.name}", path.read_bytes())
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


class Host:
    """What the rows named host_ talk to. The first byte of a connection says what it does: S, it takes whatever
    comes; R, it gives whatever is taken; E, it gives back every byte."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            connection, _ = self.listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    @staticmethod
    def _serve(connection):
        data = bytes(1 << 16)
        with connection:
            try:
                task = connection.recv(1)
                while task == b"R":
                    connection.sendall(data)
                while received := connection.recv(len(data)):
                    if task == b"E":
                        connection.sendall(received)
            except OSError:
                pass  # the guest has gone


class Boot:
    """One boot of one system: rows as {name: (operations, total, unit)}, what is absent, what failed."""

    def __init__(self, text, seconds_to_init=0.0, error=None):
        self.text, self.seconds_to_init = text, seconds_to_init
        self.rows, self.absent, self.failed, self.waits = {}, {}, {}, set()
        if error:
            self.failed["(the machine)"] = error
        for line in text.splitlines():
            match line.split(None, 5):
                case ["BENCH", name, operations, total, unit, *waits]:
                    self.rows[name] = (int(operations), int(total), unit)
                    if waits:
                        self.waits.add(name)
                case ["ABSENT", name, *what]:
                    self.absent[name] = " ".join(what)
                case ["FAIL", name, *what]:
                    self.failed[name] = " ".join(what)

    @classmethod
    def run(cls, kernel, initrd, *, mode, rows="", smp=1, memory="1G", disk=None, host_port=None):
        icount, error = mode == "icount", None
        append = f"{COMMAND_LINE} bench.mode={mode} bench.rows={rows}"
        options = {}
        if disk:
            options = dict(disk=disk, snapshot=True, net="user")
            append += f" bench.disk=yes bench.host={host_port}"
        with machine.Machine(kernel=kernel, initrd=initrd, smp=smp, memory=memory, cpu=CPU,
                             accel="tcg" if icount else None, append=append,
                             extra=["-icount", "shift=0,sleep=off"] if icount else [], **options) as guest:
            guest.expect(r"BENCH-BEGIN", BOOT_LIMIT)
            seconds_to_init = machine.time.monotonic() - guest.started
            try:
                guest.expect(r"BENCH-END", LIMIT)
            except (machine.Panic, machine.Ended, machine.TimedOut) as failure:
                error = str(failure)[-3000:]
            return cls(guest.text, seconds_to_init, error)

    @classmethod
    def kept(cls, path, **options):
        """As run(), but from the file if it is there."""
        if path.exists():
            return cls(json.loads(path.read_text()))
        boot = cls.run(**options)
        if not boot.failed:
            path.write_text(json.dumps(boot.text))
        return boot

    def per_operation(self):
        return {name: total / operations for name, (operations, total, unit) in self.rows.items() if unit == "ns"}

    def amount(self, name):
        return self.rows[name][1] if name in self.rows else None


def milliseconds(boot):
    ticks = boot.amount("boot_to_init")
    return ticks and round(ticks / 1e6, 1)


def taken(boot):
    free = boot.amount("memory_free")
    return free and round(256 - free / 1024, 1)


class Bench:
    def __init__(self, args):
        self.args = args
        peer = linux_peer.find()
        self.images = make_images(compile_bench(), peer.modules)
        self.disk = disks.disk("programs")
        self.host = Host()
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
            "instructions": {}, "wall": {}, "scaling": {}, "boot": {}, "waits": [], "absent": {}, "failed": {},
        }

    def with_disk(self, system, **options):
        return self.boot(system, self.images[0], disk=self.disk, host_port=self.host.port, **options)

    def boot(self, system, initrd, **options):
        options.update(kernel=self.kernels[system], initrd=initrd)
        if system == "linux" and options["mode"] == "icount":
            key = hashlib.sha256(initrd.read_bytes())
            key.update(f"{self.result['linux']} {self.result['qemu']} {COMMAND_LINE} ".encode())
            key.update(" ".join(f"{name}={value}" for name, value in sorted(options.items())
                                if name not in ("initrd", "host_port")).encode())
            boot = Boot.kept(WORK / f"linux-{key.hexdigest()[:16]}.json", **options)
        else:
            boot = Boot.run(**options)
        return boot

    def note(self, system, boot):
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
        """Everything under icount, where a machine has one thread of the host: two machines at a time."""
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            def start(what, system, function, *arguments, **options):
                def work():
                    began = time.monotonic()
                    boot = function(system, *arguments, mode="icount", **options)
                    host.say(f"{what}: {system}: {time.monotonic() - began:.0f} s")
                    return boot
                return system, pool.submit(work)

            pattern = self.args.rows or ALL_ROWS
            rows = [start("instructions", system, self.with_disk, rows=pattern) for system in SYSTEMS]
            boots, scaling = [], None
            if not (self.args.rows or self.args.quick):
                # Kevlar alone: Linux's way of starting further CPUs does not come to an end under icount.
                scaling = start("four CPUs", "kevlar", self.boot, self.images[0], rows="^scale_", smp=4)
                boots = [(at, *start(f"boot to {at}", system, self.boot, initrd, rows=STATE, memory="256M"))
                         for system in SYSTEMS
                         for at, initrd in (("init", self.images[2]), ("Alpine's shell", self.images[1]))]
            for system, future in rows:
                boot = self.note(system, future.result())
                self.result["waits"] = sorted(boot.waits)
                for row, value in boot.per_operation().items():
                    self.put("instructions", row, system, round(value, 1))
            if scaling:
                for row, value in self.note("kevlar", scaling[1].result()).per_operation().items():
                    name, _, cpus = row.rpartition("_x")
                    self.put("scaling", name, f"cpus_{cpus}", round(value, 1))
            for at, system, future in boots:
                boot = self.note(system, future.result())
                self.put("boot", f"power on to {at}, ms of guest time", system, milliseconds(boot))
                self.put("boot", f"of 256 MiB not free at {at}, MiB", system, taken(boot))

    def wall(self):
        values = {system: collections.defaultdict(list) for system in SYSTEMS}
        for turn in range(self.args.pairs):
            for system in SYSTEMS:
                began = time.monotonic()
                boot = self.note(system, self.with_disk(system, mode="wall", rows=self.args.rows or ALL_ROWS, smp=2))
                host.say(f"wall time, pair {turn + 1} of {self.args.pairs}: {system}: {time.monotonic() - began:.0f} s")
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
    """Rows that take more instructions than the committed figures, by over 5 %, or 50 where they wait for a device."""
    if not BASELINE.exists():
        return []
    baseline = json.loads(BASELINE.read_text())["instructions"]
    found = []
    for row, values in result["instructions"].items():
        before, now = baseline.get(row, {}).get("kevlar"), values.get("kevlar")
        if before and now and now > before * (ALLOWED_WAITING if row in result["waits"] else ALLOWED):
            found.append(f"{row}: {before} -> {now} instructions")
    return found


def main(args):
    if args.update and args.rows:
        raise host.Failure("--update writes all rows: leave out --rows")

    bench = Bench(args)
    if args.hot:
        return bench_hot.hot(dict(kernel=bench.kernels["kevlar"], initrd=bench.images[0], memory="1G", cpu=CPU,
                                  accel="tcg", disk=bench.disk, snapshot=True, net="user"),
                             args.hot, f"{COMMAND_LINE} bench.disk=yes bench.host={bench.host.port}", args.scale)
    bench.instructions()
    if args.pairs and not args.quick:
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
        print("over 5 % (waiting for devices: 50 %) worse than bench/baseline.json:\n  " + "\n  ".join(worse))
        return 1
    return 1 if any("kevlar" in who for who in result["failed"].values()) else 0
