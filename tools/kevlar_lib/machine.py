# SPDX-License-Identifier: MIT
"""Boots a kernel in QEMU, and talks to its console.

`arguments()` makes QEMU's command line for everybody: `make run`, the tests, the benchmarks. `Machine`
runs it without a terminal: a thread collects what the console prints, expect() waits for a pattern,
send() types. A Machine ends its own QEMU by its process id, whatever happens; use it in a `with`.
"""
import json
import os
import pathlib
import re
import subprocess
import tempfile
import threading
import time

from . import host

QEMU = "qemu-system-x86_64"
TRIAL_LIFETIME = 3600  # seconds for which the result of an accelerator's trial is believed

MACHINES = {
    "q35": "q35",
    "pc": "pc",
    "microvm": "microvm,rtc=on,pit=on,pic=on,isa-serial=on,acpi=on",
}


class Panic(Exception):
    """The guest kernel panicked."""


class Ended(Exception):
    """QEMU ended while something was still expected of it."""


class TimedOut(Exception):
    """The console did not print what was expected in time."""


def kvm_works():
    """Whether KVM runs code, which the mere presence of /dev/kvm does not tell.

    The trial's ROM consists of zeros but for the reset vector: mov $0x10, %al; out %al, $0xf4. It makes
    the debug-exit device end QEMU with status 33.
    """
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    cache = host.BUILD / ".kvm-works"
    if cache.exists() and time.time() - cache.stat().st_mtime < TRIAL_LIFETIME:
        return cache.read_text() == "yes"
    rom = bytearray(65536)
    rom[0xFFF0:0xFFF4] = b"\xb0\x10\xe6\xf4"
    with tempfile.NamedTemporaryFile() as file:
        file.write(rom)
        file.flush()
        command = [QEMU, "-accel", "kvm", "-machine", "q35", "-cpu", "max", "-m", "16M", "-nodefaults",
                   "-display", "none", "-bios", file.name, "-device", "isa-debug-exit,iobase=0xf4"]
        try:
            status = subprocess.run(command, timeout=10, stdin=subprocess.DEVNULL,
                                    capture_output=True).returncode
        except subprocess.TimeoutExpired:
            status = None
    cache.parent.mkdir(parents=True, exist_ok=True)
    cache.write_text("yes" if status == 33 else "no")
    return status == 33


def accelerator(wanted=None):
    """Turns auto (or nothing) into kvm or tcg."""
    wanted = wanted or os.environ.get("ACCEL") or "auto"
    if wanted == "auto":
        return "kvm" if kvm_works() else "tcg"
    return wanted


def disk_arguments(number, machine, file, *, driver="virtio-blk", format="raw", events=None, **properties):
    """One disk. driver: virtio-blk (over PCI, or MMIO on microvm) or nvme. events: blkdebug's, as
    [{"event": "read_aio", "errno": 5, "sector": 64}]; properties are the device's, as QEMU spells them."""
    unmap = {"discard": "unmap"} if properties.get("discard") == "on" else {}
    node = {"driver": "file", "filename": str(file), **unmap}
    if events:
        node = {"driver": "blkdebug", "image": node, "inject-error": events}
    node = {"driver": format, "node-name": f"disk{number}", "file": node, "read-only": properties.pop("readonly", False),
            **unmap}
    if driver == "virtio-blk":
        driver = "virtio-blk-device" if machine == "microvm" else "virtio-blk-pci"
    elif driver == "nvme":
        properties.setdefault("serial", f"nvme{number}")
    words = [driver, f"drive=disk{number}"] + [f"{name}={value}" for name, value in properties.items()]
    return ["-blockdev", json.dumps(node), "-device", ",".join(words)]


def net_arguments(machine, net, ports=(), capture=None):
    """One network card. net: "none"; "user", QEMU's own network, where the host is 10.0.2.2 and `ports` lists what
    of the host leads to what of the guest, as in ["8080:80"]; "tap" or "tap:NAME", a tap device that is there
    already. capture: a file for all packets, in pcap's format."""
    kind, _, name = (net or "none").partition(":")
    if kind == "none":
        return ["-nic", "none"]
    if kind == "user":
        back = "user,id=net0"
        for pair in ports:
            outside, _, inside = str(pair).rpartition(":")
            if not (outside.isdigit() and inside.isdigit()):
                raise host.Failure(f"PORTS: {pair!r} is not HOST:GUEST")
            back += f",hostfwd=tcp:127.0.0.1:{outside}-:{inside}"
    elif kind == "tap":
        back = f"tap,id=net0,ifname={name or 'tap0'},script=no,downscript=no"
    else:
        raise host.Failure(f"NET={net}: not user, tap or none")
    card = "virtio-net-device,netdev=net0" if machine == "microvm" else "virtio-net-pci,netdev=net0,romfile="
    dump = ["-object", f"filter-dump,id=dump0,netdev=net0,file={capture}"] if capture else []
    return ["-netdev", back, *dump, "-device", card]


def share_arguments(number, machine, folder, tag=None, options="", security="none"):
    """A directory of the host for the guest: mount -t 9p -o trans=virtio TAG /mnt. Owners and modes of files are the
    host's, as far as QEMU may set them, or with security "mapped-xattr" the guest's alone. options: more of QEMU's for the file system, as in ",readonly=on"."""
    driver = "virtio-9p-device" if machine == "microvm" else "virtio-9p-pci"
    tag = tag or ("share" if number == 0 else f"share{number}")
    return ["-fsdev", f"local,id=share{number},path={folder},security_model={security},multidevs=remap{options}",
            "-device", f"{driver},fsdev=share{number},mount_tag={tag}"]


def arguments(*, kernel=None, initrd=None, disk=None, snapshot=False, append="", smp=1, memory="256M", machine="q35",
              cpu="max", accel=None, disks=(), net=None, ports=(), capture=None, shares=(), extra=()):
    """QEMU's command line, without the part that says where the console goes.

    disks: a path, or a dictionary of disk_arguments' words, for each of vda (or vdb, after the root), ...
    net, ports, capture: net_arguments'. shares: a path, or a tuple of share_arguments' words, for each directory.
    """
    command = [QEMU, "-accel", accelerator(accel), "-machine", MACHINES.get(machine, machine), "-cpu", cpu,
               "-smp", str(smp), "-m", str(memory), "-kernel", str(kernel or host.kernel_path()),
               "-append", append, "-no-reboot", "-nodefaults", "-no-user-config"]
    if machine == "microvm":
        command += ["-global", "virtio-mmio.force-legacy=false"]
    if initrd:
        command += ["-initrd", str(initrd)]
    if disk:
        command += ["-drive", f"file={disk},format=raw,if=none,id=root,snapshot={'on' if snapshot else 'off'}",
                    "-device", "virtio-blk-device,drive=root" if machine == "microvm"
                    else "virtio-blk-pci,drive=root"]
    for number, words in enumerate(disks):
        command += disk_arguments(number, machine, **(words if isinstance(words, dict) else {"file": words}))
    command += net_arguments(machine, net, ports, capture)
    for number, words in enumerate(shares):
        command += share_arguments(number, machine, *(words if isinstance(words, tuple) else (words,)))
    return command + list(extra)


class Machine:
    """A guest with its console on pipes. Keyword arguments are those of arguments().

    text is all that the console printed so far, position how much of it expect() has consumed.
    """

    def __init__(self, *, log=None, append="", loglevel=None, **options):
        host.need(QEMU)
        append = f"console=ttyS0 panic=-1 {f'loglevel={loglevel} ' if loglevel is not None else ''}{append}"
        command = arguments(append=append.strip(), **options)
        command += ["-display", "none", "-serial", "stdio", "-monitor", "none"]
        self.started = time.monotonic()
        self.text = ""
        self.position = 0
        self.allow_panic = False
        self._changed = threading.Condition()
        self._open = True
        self._log = open(log, "wb") if log else None
        self._errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self._errors, start_new_session=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _read(self):
        while data := self.process.stdout.read1(65536):
            if self._log:
                self._log.write(data)
                self._log.flush()
            with self._changed:
                self.text += data.decode("utf-8", "replace")
                self._changed.notify_all()
        with self._changed:
            self._open = False
            self._changed.notify_all()

    def expect(self, pattern, timeout=30):
        """Waits until the console prints something that matches; returns the match and moves past it."""
        compiled = re.compile(pattern, re.MULTILINE)
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                if match := compiled.search(self.text, self.position):
                    self.position = match.end()
                    return match
                tail = self.text[self.position:][-2000:]
                if not self.allow_panic and "Kernel panic" in self.text[self.position:]:
                    self._changed.wait(2)  # let the backtrace come
                    raise Panic(self.text[-4000:])
                if not self._open:
                    raise Ended(f"expected {pattern!r}; QEMU ended after: {tail}{self.errors()}")
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimedOut(f"expected {pattern!r} within {timeout} s; got: {tail}")
                self._changed.wait(left)

    def send(self, text):
        """Types text. Control characters are themselves: '\\x03' is ^C."""
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def shell(self, command, timeout=30):
        """Runs a command in the guest's shell; returns (status, output).

        The markers are split by quotes when typed, so that the echo of the line does not contain them.
        """
        self.send(f"echo K'V'B; {command}; echo K'V'E$?\n")
        start = self.expect(r"KVB\r?\n", timeout).end()
        # A pattern that took the output along would be tried anew from each of its characters.
        match = self.expect(r"KVE(\d+)\r?\n", timeout)
        return int(match[1]), self.text[start:match.start()].replace("\r\n", "\n")

    def wait(self, timeout=30):
        """Waits until QEMU ends by itself; returns its exit status."""
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise TimedOut(f"QEMU did not end within {timeout} s; last: {self.text[-2000:]}") from None
        self._reader.join(5)
        return status

    def errors(self):
        """What QEMU itself complained about."""
        self._errors.seek(0)
        return self._errors.read().decode("utf-8", "replace")

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._reader.join(5)
        self.process.stdin.close()
        self.process.stdout.close()
        self._errors.close()
        if self._log:
            self._log.close()


def run_interactive(*, append="", rows_columns=None, **options):
    """Replaces this process by QEMU on this terminal: ^C and ^Z go to the guest, Ctrl-A X quits."""
    host.need(QEMU)
    words = ["console=ttyS0"]
    if re.fullmatch(r"[A-Za-z0-9_.+-]+", os.environ.get("TERM", "")):
        words.append(f"TERM={os.environ['TERM']}")
    if rows_columns:
        words += [f"LINES={rows_columns[0]}", f"COLUMNS={rows_columns[1]}"]
    command = arguments(append=" ".join(words + [append]).strip(), **options)
    command += ["-nographic", "-serial", "mon:stdio"]
    os.execvp(command[0], command)


def run_debugger(*, kernel, append="", **options):
    """Boots a guest that waits for gdb, and runs gdb on this terminal. The console is a pty of its own."""
    host.need(QEMU)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="kevlar-"))
    command = arguments(kernel=kernel, append=f"console=ttyS0 {append}", **options)
    command += ["-display", "none", "-monitor", "none", "-serial", "pty", "-S",
                "-gdb", f"unix:{folder}/gdb,server=on,wait=off"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                               start_new_session=True)
    try:
        # QEMU says "char device redirected to /dev/pts/5 (label serial0)".
        console = re.search(r"/dev/\S+", process.stdout.readline())
        host.say(f"the guest's console: screen {console[0] if console else '?'}")
        subprocess.run(["gdb", "-q", "-x", host.ROOT / "tools/gdb/kevlar.py", "-ex", f"target remote {folder}/gdb",
                        f"{kernel}.debug"], check=False)
    finally:
        process.terminate()
        process.wait()
        (folder / "gdb").unlink(missing_ok=True)
        folder.rmdir()


def script(machine, path):
    """Plays a script on a machine's console: lines `expect REGEX`, `send TEXT`, `wait`.

    TEXT knows Python's escapes, so that `send ls\\n` ends its line and `send \\x03` is ^C.
    """
    for line in pathlib.Path(path).read_text().splitlines():
        verb, _, argument = line.strip().partition(" ")
        if verb == "expect":
            machine.expect(argument, 60)
        elif verb == "send":
            machine.send(argument.encode().decode("unicode_escape"))
        elif verb == "wait":
            machine.wait()
        elif verb and not verb.startswith("#"):
            raise host.Failure(f"{path}: unknown word {verb!r}")
