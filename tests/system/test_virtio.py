# SPDX-License-Identifier: MIT
"""Virtio devices that are no disks: the console, the random number generator."""
import hashlib
import socket
import tempfile
import time

PROMPT = r"# \x1b\[6n"


class Line:
    """The host's end of a virtio console."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        deadline = time.monotonic() + 20
        while True:
            try:
                self.socket.connect(path)
                break
            except OSError:
                assert time.monotonic() < deadline, "QEMU makes no socket"
                time.sleep(0.05)
        self.text = b""

    def expect(self, wanted, timeout=60):
        deadline = time.monotonic() + timeout
        while wanted not in self.text:
            self.socket.settimeout(max(0.1, deadline - time.monotonic()))
            data = self.socket.recv(65536)
            assert data, f"closed; wanted {wanted!r}, got {self.text[-500:]!r}"
            self.text += data
        self.text = self.text.split(wanted, 1)[1]


def console(ctx, machine, smp, append="", options=""):
    folder = tempfile.mkdtemp(prefix="kevlar-")
    path = f"{folder}/hvc"
    bus = "virtio-serial-device" if machine == "microvm" else "virtio-serial-pci"
    extra = ["-chardev", f"socket,id=hvc,path={path},server=on,wait=off", "-device", bus + options, "-device", "virtconsole,chardev=hvc"]
    return ctx.machine(smp=smp, machine=machine, append=append, extra=extra), path


def check_console(ctx, machine, smp, options=""):
    guest, path = console(ctx, machine, smp, options=options)
    with guest:
        line = Line(path)
        guest.expect(PROMPT, 60)
        assert guest.shell("ls -l /dev/hvc0")[1].startswith("crw"), "no node"
        guest.shell("exec 3<>/dev/hvc0; stty -F /dev/hvc0 raw -echo; seq 1 8000 > /tmp/numbers")
        # Within the socket's buffer: QEMU drops what a console's other end does not take.
        guest.send("cat /tmp/numbers >&3\n")
        line.expect(b"\n7999\n8000\n")
        # More than the terminal's buffers hold, with nobody reading at first.
        data = b"".join(b"%06d\n" % i for i in range(4000))
        line.socket.settimeout(60)
        guest.send(f"sleep 1; head -c {len(data)} <&3 | md5sum > /tmp/sum; echo go''t it\n")
        line.socket.sendall(data)
        guest.expect(r"^got it", 60)
        assert guest.shell("cat /tmp/sum")[1].split()[0] == hashlib.md5(data).hexdigest()
        guest.send("(setsid sh -c 'exec sh <>/dev/hvc0 >&0 2>&1' &)\n")
        line.expect(b"# ")
        line.socket.sendall(b"echo a''b\n")
        line.expect(b"ab\n")
        guest.send("poweroff -f\n")
        guest.wait(30)


def test_console(ctx, smp):
    check_console(ctx, "q35", smp)


def test_console_packed(ctx):
    check_console(ctx, "q35", 2, ",packed=on")


def test_console_mmio(ctx):
    check_console(ctx, "microvm", 2)


def test_console_log(ctx):
    guest, path = console(ctx, "q35", 1, append="console=hvc0 loglevel=8")
    with guest:
        line = Line(path)
        line.expect(b"run /init")


def test_rng(ctx):
    with ctx.machine(smp=2, extra=["-device", "virtio-rng-pci"]) as guest:
        guest.expect(PROMPT, 60)
        interrupts = guest.shell("grep virtio-rng /proc/interrupts")[1].split()
        assert int(interrupts[1]) + int(interrupts[2]) > 0, interrupts
        guest.send("poweroff -f\n")
        guest.wait(30)
