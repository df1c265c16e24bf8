# SPDX-License-Identifier: MIT
"""The test runner behind `make test`.

Six kinds of tests; host, uapi, guest and system are the default:

    host     tests/host/*_test.c, each with the sources named in its `SOURCES:` comment, compiled for this
             machine under AddressSanitizer and UndefinedBehaviorSanitizer
    uapi     tools/check-uapi: our ABI headers against linux-libc-dev's
    user     tests/user/**/*.c, linked statically with musl and with glibc, run on this Linux, which
             says whether the test is right
    guest    the same programs run by Kevlar, on each number of CPUs asked for
    system   functions test_*(ctx) in tests/system/test_*.py, which boot whole machines; one that takes
             an argument `smp` is run for each number of CPUs, one that returns a list of Results has many
    long     the same in tests/long: what takes many minutes

The first three and the programs of the guest print TAP. Every TAP line counts as a test, and so does
whatever keeps one from speaking: a failed build, a crash, a time-out, a missing plan, a skip. At most two
jobs, and so two QEMUs, run at a time. Results go to build/test-results.json; the last line printed is
"N passed, N failed".

tests/known-failures.txt names the checks that are known to fail, each with its reason. They are printed and
counted apart, and are neither passed nor failed; one that passes after all is a failure of the list, unless its
reason begins with "sometimes:", which marks a bug whose cause is still to be found.
"""
import collections
import concurrent.futures
import importlib.util
import inspect
import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import time
import traceback

from . import fetch, host, image, machine

KINDS = ("host", "uapi", "user", "guest", "system", "long")
DEFAULT_KINDS = ("host", "uapi", "guest", "system")  # what Kevlar does; user asks Linux whether the tests are right
WORKERS = 2
GUEST_SLOWNESS = 6  # an emulated guest gets so many times the seconds that Linux gets
GUEST_REBOOTS = 8   # a guest that panics or hangs is booted again, past that test, so often
OUTPUT = host.BUILD / "tests"


class Result:
    def __init__(self, name, passed, detail=""):
        self.name, self.passed, self.detail = name, passed, detail


class KnownFailures:
    """tests/known-failures.txt: a line is a regular expression that matches whole names, two spaces or more, and the reason."""

    def __init__(self, path):
        self.entries = []
        for line in path.read_text().splitlines():
            if line.strip() and not line.startswith("#"):
                pattern, reason = re.split(r"  +", line.strip(), maxsplit=1)
                self.entries.append((re.compile(pattern), reason))

    def reason(self, name):
        return next((reason for pattern, reason in self.entries if pattern.fullmatch(name)), None)


def tap_results(prefix, output, ending):
    """Reads TAP. ending is '' after a good end, or else says how the program ended."""
    results, plan, count = [], None, 0
    for line in output.splitlines():
        if match := re.match(r"(not )?ok\b *(\d*) *(?:- )?(.*)", line):
            count += 1
            title = match[3].strip() or match[2]
            skipped = re.search(r"# *skip", title, re.IGNORECASE)
            detail = "" if not match[1] else "check failed"
            results.append(Result(f"{prefix}: {title}", not match[1] and not skipped,
                                  "could not run" if skipped else detail))
        elif match := re.match(r"1\.\.(\d+)", line):
            plan = int(match[1])
        elif line.startswith("#") and results and not results[-1].passed:
            results[-1].detail += "\n" + line
    failed = any(not result.passed for result in results)
    if ending and not (failed and ending == "exit 1"):
        results.append(Result(f"{prefix}: ends well", False, f"{ending}\n{output[-1500:]}"))
    elif plan is None or plan != count or count == 0:
        results.append(Result(f"{prefix}: follows its plan", False,
                              f"plan {plan}, {count} checks\n{output[-1500:]}"))
    return results


def ending_of(status):
    if status == 0:
        return ""
    return f"exit {status}" if status > 0 else f"signal {-status}"


def run_program(prefix, command, seconds, **options):
    try:
        done = subprocess.run(command, timeout=seconds, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", **options)
    except subprocess.TimeoutExpired as error:
        output = error.stdout or b""
        return tap_results(prefix, output.decode(errors="replace"), f"no end within {seconds} s")
    return tap_results(prefix, done.stdout, ending_of(done.returncode))


compiling = collections.defaultdict(threading.Lock)  # by output: two jobs may want the same program


def compile_program(prefix, command, output, sources):
    """Compiles unless output is newer than all sources; returns a failed Result or None."""
    newest = max(os.path.getmtime(source) for source in sources)
    with compiling[output]:
        if output.exists() and output.stat().st_mtime > newest:
            return None
        output.parent.mkdir(parents=True, exist_ok=True)
        # Never seen half-written: the other job may be packing it.
        fresh = output.with_name(output.name + ".new")
        done = subprocess.run([*command, "-o", fresh], cwd=host.ROOT, capture_output=True, text=True)
        if done.returncode == 0:
            fresh.rename(output)
    return Result(f"{prefix}: compiles", False, done.stderr[-3000:]) if done.returncode else None


# ---- host and uapi ----------------------------------------------------------------------------------

HOST_FLAGS = ["-std=gnu17", "-g", "-O1", "-Wall", "-Wextra", "-Wno-unused-parameter", "-fno-omit-frame-pointer",
              "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fwrapv", "-DKEVLAR_HOST",
              "-Iinclude", "-Itests/host"]


def host_job(source):
    def job():
        head = (host.ROOT / source).read_text()[:2000]
        match = re.search(r"SOURCES:(.*?)\*/", head, re.DOTALL)
        sources = [source] + (match[1].replace("*", " ").split() if match else [])
        output = OUTPUT / source.with_suffix("")
        headers = list((host.ROOT / "include").glob("**/*.h")) + list((host.ROOT / "tests/host").glob("*.h"))
        failure = compile_program(str(source), ["gcc", *HOST_FLAGS, *sources, "-pthread"], output,
                                  [host.ROOT / path for path in sources] + headers)
        if failure:
            return [failure]
        return run_program(str(source), [output], 120, cwd=host.ROOT)
    return job


def uapi_job():
    done = subprocess.run([sys.executable, host.ROOT / "tools/check-uapi"], stdin=subprocess.DEVNULL,
                          cwd=host.ROOT, capture_output=True, text=True)
    if re.search(r"^(not )?ok\b", done.stdout, re.MULTILINE):
        return tap_results("uapi", done.stdout, ending_of(done.returncode))
    return [Result("uapi: headers agree with linux-libc-dev", done.returncode == 0,
                   (done.stdout + done.stderr)[-3000:])]


# ---- user programs: on this Linux and in the guest --------------------------------------------------

class UserTest:
    """One source below tests/user. Its second line may say `TEST: timeout=SECONDS libs=-lm musl-only`."""

    compilers = {
        "musl": ["musl-gcc", "-idirafter", "/usr/include", "-idirafter", "/usr/include/x86_64-linux-gnu"],
        "glibc": ["gcc"],
    }

    def __init__(self, source):
        self.source = source
        self.name = str(source.relative_to("tests/user").with_suffix(""))
        match = re.search(r"TEST:(.*?)\*/", (host.ROOT / source).read_text()[:400])
        words = match[1].replace("*", " ").split() if match else []
        options = dict(word.split("=", 1) for word in words if "=" in word)
        self.seconds = int(options.get("timeout", 10))
        self.libraries = options["libs"].split(",") if "libs" in options else []
        self.libcs = [libc for libc in self.compilers if not ({"musl-only", "glibc-only"} & set(words))
                      or f"{libc}-only" in words]

    def program(self, libc):
        return OUTPUT / "user" / libc / self.name

    def compile(self, libc):
        headers = [path for path in (host.ROOT / "tests/user").glob("**/*.h")]
        command = [*self.compilers[libc], "-static", "-O2", "-Wall", "-Wextra", "-Werror", "-pthread",
                   "-Itests/user", self.source, *self.libraries]
        return compile_program(f"{self.name} ({libc})", command, self.program(libc),
                               [host.ROOT / self.source, *headers])


def user_tests():
    folder = host.ROOT / "tests/user"
    return [UserTest(path.relative_to(host.ROOT)) for path in sorted(folder.glob("*/**/*.c"))]


# A test gets what the guest gives it: the rights of root, processes of its own, an empty /tmp.
LINUX_ROOM = """mount --bind "$1" /mnt && mount -t tmpfs tmpfs /tmp && mount -t proc proc /proc &&
cd /tmp && exec timeout -k 1 "$3" "/mnt/$2" """


def user_job(test, libc):
    def job():
        if failure := test.compile(libc):
            return [failure]
        program = test.program(libc)
        unshare = ["unshare", "-mpf", "--kill-child"] + ([] if os.geteuid() == 0 else ["-r"])
        return run_program(f"user/linux/{libc}/{test.name}",
                           [*unshare, "sh", "-c", LINUX_ROOM, "sh", program.parent, program.name,
                            str(test.seconds)], test.seconds + 10)
    return job


def guest_initramfs(tests, libc, output):
    init = OUTPUT / "guest_init"
    source = host.ROOT / "tests/system/guest_init.c"
    failure = compile_program("guest_init", ["musl-gcc", "-static", "-O2", "-Wall", "-Wextra", "-Werror", source],
                              init, [source])
    if failure:
        raise host.Failure(failure.detail)
    with open(output, "wb") as file, image.Cpio(file) as cpio:
        for folder in ("dev", "proc", "sys", "tests", "etc", "root"):
            cpio.directory(folder)
        cpio.directory("tmp", 0o1777)
        cpio.device("dev/console", "c", 5, 1)
        cpio.device("dev/null", "c", 1, 3, 0o666)
        cpio.add_file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n")
        cpio.add_file("etc/group", "root:x:0:\nnogroup:x:65534:\n")
        cpio.add_file("init", init.read_bytes(), 0o755)
        cpio.add_file("tests/list", "".join(f"{test.seconds * GUEST_SLOWNESS} {test.name}\n" for test in tests))
        for folder in sorted({str(pathlib.Path(test.name).parent) for test in tests} - {"."}):
            cpio.directory(f"tests/{folder}")
        for test in tests:
            cpio.add_file(f"tests/{test.name}", test.program(libc).read_bytes(), 0o755)
    return output


def guest_job(tests, libc, smp, options):
    """One guest that runs all programs; booted again past a program that it did not survive."""
    def job():
        results, runnable = [], []
        for test in tests:
            if failure := test.compile(libc):
                results.append(failure)
            else:
                runnable.append(test)
        place = f"guest/{libc}/smp{smp}"
        OUTPUT.mkdir(parents=True, exist_ok=True)
        initrd = guest_initramfs(runnable, libc, OUTPUT / f"guest-{libc}-smp{smp}.cpio")
        scratch = OUTPUT / f"guest-{libc}-smp{smp}.disk"  # /dev/vda: tests/user/block/scratch.h
        with open(scratch, "wb") as file:
            file.write(b"kevlar scratch")
            file.truncate(64 << 20)
        first = 0
        for boot in range(GUEST_REBOOTS + 1):
            log = OUTPUT / f"guest-{libc}-smp{smp}-{boot}.log"
            with machine.Machine(initrd=initrd, smp=smp, memory="768M", log=log, loglevel=4, disks=[scratch],
                                 append=f"FIRST={first}", **options) as guest:
                ran, over = follow_guest(guest, place, runnable[first:], results)
            first += ran
            if over or first >= len(runnable):
                break
        for test in runnable[first:]:
            results.append(Result(f"{place}/{test.name}: runs", False, "the guest failed too often before it"))
        return results
    return job


def follow_guest(guest, place, tests, results):
    """Collects the results of one boot; returns (tests dealt with, whether it reached its end)."""
    try:
        for index, test in enumerate(tests):
            name = re.escape(test.name)
            seconds = test.seconds * GUEST_SLOWNESS
            guest.expect(rf"^@@ begin {name}\r?\n", 120)
            match = guest.expect(rf"([\s\S]*?)^@@ end {name} (.*?)\r?\n", seconds + 60)
            ending = "" if match[2] == "exit 0" else match[2]
            results += tap_results(f"{place}/{test.name}", match[1].replace("\r\n", "\n"), ending)
        index = len(tests)
        guest.expect("^@@ done", 60)
        guest.wait(30)
        return index, True
    except (machine.Panic, machine.Ended, machine.TimedOut) as error:
        test = f"{place}/{tests[index].name}" if index < len(tests) else f"{place}: power-off"
        results.append(Result(f"{test}: the guest survives", False, f"{type(error).__name__}: {error}"))
        return index + 1, False


# ---- system tests -----------------------------------------------------------------------------------

class Context:
    """What a system test gets: machines with a log each, and the images to boot."""

    def __init__(self, name, options):
        self.name, self.options = name, options
        self.work = OUTPUT / "system" / re.sub(r"[^\w.-]", "_", name)
        self.work.mkdir(parents=True, exist_ok=True)
        self.booted = 0

    def machine(self, **options):
        """A Machine that boots the kernel under test; without initrd= it gets Alpine."""
        self.booted += 1
        options = self.options | options
        options.setdefault("initrd", self.alpine())
        options.setdefault("log", self.work / f"console-{self.booted}.log")
        return machine.Machine(**options)

    def alpine(self):
        """Alpine's tree with the overlay of `make run`: ends at a shell prompt."""
        return image.runnable(fetch.alpine())

    def cpio(self, name, fill):
        """Makes an archive by fill(cpio)."""
        path = self.work / name
        with open(path, "wb") as file, image.Cpio(file) as cpio:
            fill(cpio)
        return path


def system_job(name, function, options, arguments):
    def job():
        try:
            return function(Context(name, options), **arguments) or [Result(name, True)]
        except Exception as error:  # a test may fail in any way; the others go on
            if isinstance(error, AssertionError):
                where = traceback.extract_tb(error.__traceback__)[-1]
                return [Result(name, False, f"{where.filename}:{where.lineno}: {where.line} {error}")]
            return [Result(name, False, f"{type(error).__name__}: {error}")]
    return job


def system_jobs(kind, smp_list, options):
    sys.path.insert(0, str(host.ROOT / "tests" / kind))  # they may use each other
    for path in sorted((host.ROOT / "tests" / kind).glob("test_*.py")):
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for word, function in vars(module).items():
            if not word.startswith("test_"):
                continue
            name = f"{kind}/{path.stem.removeprefix('test_')}/{word.removeprefix('test_')}"
            if "smp" in inspect.signature(function).parameters:
                for smp in smp_list:
                    full = f"{name}/smp{smp}"
                    yield full, system_job(full, function, options, {"smp": smp})
            else:
                yield name, system_job(name, function, options, {})


# ---- running ----------------------------------------------------------------------------------------

def all_jobs(args):
    """Yields (kind, name, function)."""
    options = {"kernel": host.kernel_path(args.debug)}
    smp_list = [int(word) for word in args.smp.split(",")]
    wanted = re.compile(args.filter)
    for path in sorted((host.ROOT / "tests/host").glob("*_test.c")):
        yield "host", str(path.relative_to(host.ROOT)), host_job(path.relative_to(host.ROOT))
    yield "uapi", "uapi", uapi_job
    tests = user_tests()
    for test in tests:
        for libc in test.libcs:
            yield "user", f"user/linux/{libc}/{test.name}", user_job(test, libc)
    for libc in UserTest.compilers:
        for smp in smp_list:
            place = f"guest/{libc}/smp{smp}"
            chosen = [test for test in tests if libc in test.libcs and wanted.search(f"{place}/{test.name}")]
            if chosen:
                # The filter has chosen among the programs: the job's name must match it whatever it is.
                yield "guest", f"{place}/{chosen[0].name}", guest_job(chosen, libc, smp, options)
    for kind in ("system", "long"):
        for name, job in system_jobs(kind, smp_list, options):
            yield kind, name, job


def main(args):
    host.need("gcc", "musl-gcc", machine.QEMU)
    for kind in args.kind or ():
        if kind not in KINDS:
            raise host.Failure(f"{kind}: not a kind of test; there are {', '.join(KINDS)}")
    kinds = args.kind or DEFAULT_KINDS
    wanted = re.compile(args.filter)
    jobs = [(kind, name, job) for kind, name, job in all_jobs(args) if kind in kinds and wanted.search(name)]
    started = time.monotonic()
    records, passed, failed, known_count = [], 0, 0, 0
    known = KnownFailures(host.ROOT / "tests/known-failures.txt")

    def timed(job):
        begin = time.monotonic()
        try:
            results = job()
        except Exception as error:  # the runner's own trouble is a failed test too
            results = [Result("could not be run", False, f"{type(error).__name__}: {error}")]
        return results, time.monotonic() - begin

    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        futures = {pool.submit(timed, job): (kind, name) for kind, name, job in jobs}
        for future in concurrent.futures.as_completed(futures):
            kind, name = futures[future]
            results, seconds = future.result()
            expected = [result for result in results if not result.passed and known.reason(result.name)]
            for result in results:
                if result.passed and not (known.reason(result.name) or "sometimes:").startswith("sometimes:"):
                    result.passed, result.detail = False, "passes: take it out of tests/known-failures.txt"
            bad = [result for result in results if not result.passed and result not in expected]
            passed += len(results) - len(bad) - len(expected)
            failed += len(bad)
            known_count += len(expected)
            for result in expected:
                print(f"known failure: {result.name}: {known.reason(result.name)}")
            for result in bad:
                print(f"FAIL {result.name}\n    " + result.detail.strip().replace("\n", "\n    "))
            if args.verbose or kind in ("guest", "system") or not results:
                print(f"{'FAIL' if bad or not results else 'ok  '} {name}  {len(results)} checks, {seconds:.1f} s")
            sys.stdout.flush()
            records.append({"kind": kind, "name": name, "seconds": round(seconds, 2), "results": [
                {"name": result.name, "passed": result.passed, "detail": result.detail} for result in results]})

    host.BUILD.mkdir(exist_ok=True)
    with open(host.BUILD / "test-results.json", "w") as file:
        json.dump({"passed": passed, "failed": failed, "known": known_count, "seconds": round(time.monotonic() - started, 1),
                   "jobs": records}, file, indent=1)
    if known_count:
        print(f"{known_count} known to fail, as tests/known-failures.txt says why")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0
