# SPDX-License-Identifier: MIT
"""A bad cable between a guest and Linux: a network namespace of its own, a tap device, and what lies between.

`wired` boots tests/system/net_agent.c and starts this file as a program inside `unshare -n`. That makes a tap device,
whose other end is this program; QEMU's frames come over a Unix socket. One process relays, and loses, delays, reorders,
repeats and damages frames as it is told, by a random generator with a seed. The other makes Linux's side of
connections: it sends and checks the agent's pattern, echoes, opens connections by the thousand.

Commands are JSON, a line each, on standard input; answers the same on standard output, by number. Nothing of the host's
network is touched. It needs /dev/net/tun and the right to make a network namespace: root's, or a user namespace's.

    loss, repeat, damage, reorder    shares of frames, 0 to 1, in each direction
    delay, jitter                    seconds; what is reordered waits `jitter` longer
"""
import contextlib
import errno
import fcntl
import heapq
import json
import os
import pathlib
import random
import select
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from kevlar_lib import frames, host, segments

BLOCK = 65536
LIMIT = 2 << 20  # bytes on their way to QEMU, beyond which Linux has to wait
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 2, 0x1000
SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK, SIOCSIFHWADDR, SIOCGIFINDEX = 0x8914, 0x8916, 0x891C, 0x8924, 0x8933


# ---- in the namespace: the relay ----

def link_up(name, address=None, address6=None, mac=None):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s, socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s6:
        def ioctl(request, value):
            return fcntl.ioctl(s, request, struct.pack("16s24s", name.encode(), value))

        if mac:
            ioctl(SIOCSIFHWADDR, struct.pack("H6s", 1, frames.mac(mac)))
        ioctl(SIOCSIFFLAGS, struct.pack("h", 1 | 0x40))
        if address:
            ioctl(SIOCSIFADDR, struct.pack("HH4s", socket.AF_INET, 0, frames.packed(address)))
            ioctl(SIOCSIFNETMASK, struct.pack("HH4s", socket.AF_INET, 0, b"\xff\xff\xff\0"))
        if address6:
            index = struct.unpack("16xi20x", ioctl(SIOCGIFINDEX, b""))[0]
            fcntl.ioctl(s6, SIOCSIFADDR, struct.pack("16sIi", frames.packed(address6), 64, index))


class Relay:
    def __init__(self, tap, cable, control):
        self.tap, self.cable, self.control = tap, cable, control
        self.settings = {}
        self.random = random.Random(0)
        self.late = []  # (when, number, towards the guest, frame)
        self.number = 0
        self.out = bytearray()

    def tell(self, settings):
        self.settings = settings
        self.random = random.Random(settings.get("seed", 0))

    def carry(self, to_guest, frame, now):
        """Decides what becomes of a frame."""
        settings = self.settings
        if not settings:
            self.deliver(to_guest, frame)
            return
        chance = self.random.random
        if chance() < settings.get("loss", 0):
            return
        copies = 2 if chance() < settings.get("repeat", 0) else 1
        # One bit, which every checksum finds; what has no checksum stays whole.
        if chance() < settings.get("damage", 0) and frame[12:14] != b"\x08\x06":
            place = self.random.randrange(14, len(frame))
            frame = frame[:place] + bytes([frame[place] ^ 1 << self.random.randrange(8)]) + frame[place + 1:]
        for _ in range(copies):
            wait = settings.get("delay", 0)
            if chance() < settings.get("reorder", 0):
                wait += chance() * settings.get("jitter", 0)
            if wait:
                self.number += 1
                heapq.heappush(self.late, (now + wait, self.number, to_guest, frame))
            else:
                self.deliver(to_guest, frame)

    def deliver(self, to_guest, frame):
        if to_guest:
            self.out += struct.pack(">I", len(frame)) + frame
            return
        with contextlib.suppress(OSError):  # a queue that is full, a frame that is no frame
            os.write(self.tap, frame)

    def flush(self):
        while self.out:
            try:
                del self.out[:self.cable.send(self.out[:1 << 18])]
            except BlockingIOError:
                return

    def from_tap(self, now):
        for _ in range(64):
            try:
                frame = os.read(self.tap, BLOCK)
            except BlockingIOError:
                return
            self.carry(True, frame, now)

    def from_cable(self, rest, now):
        more = self.cable.recv(1 << 18)
        if not more:
            sys.exit(0)
        rest += more
        at = 0
        while len(rest) - at >= 4:
            size = int.from_bytes(rest[at:at + 4], "big")
            if len(rest) - at - 4 < size:
                break
            self.carry(False, rest[at + 4:at + 4 + size], now)
            at += 4 + size
        return rest[at:]

    def run(self):
        os.set_blocking(self.tap, False)
        self.cable.setblocking(False)
        rest = b""
        while True:
            now = time.monotonic()
            while self.late and self.late[0][0] <= now:
                _, _, to_guest, frame = heapq.heappop(self.late)
                self.deliver(to_guest, frame)
            self.flush()
            wait = max(0, self.late[0][0] - now) if self.late else None
            crowded = len(self.out) > LIMIT or len(self.late) > 20000
            readers = [self.control] + ([] if crowded else [self.tap, self.cable])
            readable, _, _ = select.select(readers, [self.cable] if self.out else [], [], wait)
            now = time.monotonic()
            if self.control in readable:
                text = os.read(self.control, 65536)
                if not text:
                    return
                self.tell(json.loads(text.splitlines()[-1]))
            if self.tap in readable:
                self.from_tap(now)
            if self.cable in readable:
                rest = self.from_cable(rest, now)


# ---- in the namespace: Linux's side of connections ----

class Peer:
    def __init__(self, control):
        self.control = control
        self.pattern = frames.pattern(BLOCK)

    def wire(self, **settings):
        os.write(self.control, (json.dumps(settings) + "\n").encode())
        return {}

    def listener(self, family):
        s = socket.socket(family)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("::" if family == socket.AF_INET6 else "", 0))
        s.listen(1000)
        return s

    def listen(self, family):
        """A listener for send and receive; its port."""
        self.waiting = self.listener(family)
        return {"port": self.waiting.getsockname()[1]}

    def accept(self, seconds):
        with self.waiting as listener:
            listener.settimeout(seconds)
            connection = listener.accept()[0]
        connection.settimeout(120)
        return connection

    def receive(self, seconds=120):
        """Takes a stream of the pattern to its end."""
        with self.accept(seconds) as connection:
            at, begin = 0, time.monotonic()
            while block := connection.recv(BLOCK):
                place = at % frames.PATTERN
                if block != self.pattern[place:place + len(block)]:
                    return {"error": f"damaged after {at} bytes"}
                at += len(block)
            return {"bytes": at, "seconds": time.monotonic() - begin}

    def send(self, total, seconds=120):
        with self.accept(seconds) as connection:
            at, begin = 0, time.monotonic()
            view = memoryview(self.pattern)
            while at < total:
                place = at % frames.PATTERN
                at += connection.send(view[place:place + min(BLOCK, total - at)])
            connection.shutdown(socket.SHUT_WR)
            if connection.recv(1):
                return {"error": "data after the end"}
            return {"bytes": at, "seconds": time.monotonic() - begin}

    def echo(self, family):
        """A process that sends back what comes; its port."""
        listener = self.listener(family)
        port = listener.getsockname()[1]
        if os.fork() == 0:
            os.close(0)
            poll = select.epoll()
            poll.register(listener, select.EPOLLIN)
            listener.setblocking(False)
            open_ones = {}
            while True:
                for fd, _ in poll.poll():
                    with contextlib.suppress(OSError):
                        if fd == listener.fileno():
                            connection = listener.accept()[0]
                            open_ones[connection.fileno()] = connection
                            poll.register(connection, select.EPOLLIN)
                            continue
                        block = b""
                        with contextlib.suppress(ConnectionError):
                            block = open_ones[fd].recv(4096)
                        if block:
                            open_ones[fd].sendall(block)
                        else:
                            open_ones.pop(fd).close()
        listener.close()
        return {"port": port}

    def churn(self, address, port, count):
        """Connections to a guest's echo, one after the other, every second one ended by this side first."""
        begin = time.monotonic()
        for number in range(count):
            with socket.create_connection((address, port), 60) as connection:
                connection.sendall(b"x")
                if connection.recv(1) != b"x":
                    return {"error": f"connection {number}: no echo"}
                if number % 2:
                    connection.shutdown(socket.SHUT_WR)
                    if connection.recv(1):
                        return {"error": f"connection {number}: data after the end"}
        return {"seconds": time.monotonic() - begin}

    def serve(self):
        for line in sys.stdin:
            words = json.loads(line)
            number, verb = words.pop("number"), words.pop("do")
            if verb in ("wire", "listen", "echo"):
                self.answer(number, verb, words)
            else:
                threading.Thread(target=self.answer, args=(number, verb, words), daemon=True).start()

    def answer(self, number, verb, words):
        try:
            result = getattr(self, verb)(**words)
        except (OSError, TypeError) as error:
            result = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps({"number": number} | result), flush=True)


def inside(path):
    tap = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", b"tap0", IFF_TAP | IFF_NO_PI))
    link_up("lo", "127.0.0.1")
    link_up("tap0", segments.PEER, segments.PEER6, segments.PEER_MAC)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(1)
    print(json.dumps({"number": 0}), flush=True)
    control, commands = os.pipe()
    if os.fork() == 0:
        os.close(commands)
        os.close(0)
        Relay(tap, listener.accept()[0], control).run()
        os._exit(0)
    os.close(control)
    Peer(commands).serve()


# ---- in the tests ----

class Wire:
    """The namespace's program, and the words for QEMU that lead to it."""

    def __init__(self, log):
        # Made and used at once, so as to fail here and with a reason.
        if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
            raise host.Failure("the tests of the network over a wire need /dev/net/tun (modprobe tun; in a container, "
                               "--device /dev/net/tun)")
        host.need("unshare")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kevlar-"))
        command = ["unshare", "-n", "-p", "-f", "--kill-child"] + ([] if os.geteuid() == 0 else ["-r"])
        self.log = open(log, "wb")
        self.process = subprocess.Popen([*command, sys.executable, __file__, str(self.folder / "cable")], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log)
        self.changed = threading.Condition()
        self.answers, self.number, self.ended = {}, 0, False
        threading.Thread(target=self.read, daemon=True).start()
        self.result(0, 30)

    def read(self):
        for line in self.process.stdout:
            with self.changed:
                answer = json.loads(line)
                self.answers[answer.pop("number")] = answer
                self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def start(self, verb, **words):
        """Begins something; result(its number) waits for the end."""
        self.number += 1
        self.process.stdin.write(json.dumps({"number": self.number, "do": verb} | words) + "\n")
        self.process.stdin.flush()
        return self.number

    def result(self, number, timeout):
        with self.changed:
            if not self.changed.wait_for(lambda: self.ended or number in self.answers, timeout):
                raise segments.Mismatch(f"Linux's side has not ended within {timeout} s")
            if number not in self.answers:
                raise host.Failure("the namespace's program ended: " + pathlib.Path(self.log.name).read_text()[-1500:])
            answer = self.answers.pop(number)
        if "error" in answer:
            raise segments.Mismatch(f"Linux's side: {answer['error']}")
        return answer

    def call(self, verb, timeout=60, **words):
        return self.result(self.start(verb, **words), timeout)

    def arguments(self, device="virtio-net-pci", **properties):
        words = [device, "netdev=cable", f"mac={segments.GUEST_MAC}"] + [f"{name}={value}" for name, value in properties.items()]
        return ["-netdev", f"stream,id=cable,server=off,addr.type=unix,addr.path={self.folder / 'cable'}", "-device",
                ",".join(words + ["romfile="])]

    def close(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder)


@contextlib.contextmanager
def wired(ctx, smp=1, *, device="virtio-net-pci", properties=None, **options):
    """Boots an agent whose card ends in a Wire; yields (agent, wire). Both sides have addresses."""
    wire = Wire(ctx.work / "wire.log")
    try:
        with ctx.machine(smp=smp, initrd=segments.agent_initrd(ctx), extra=wire.arguments(device, **(properties or {})),
                         net=None, loglevel=4, **options) as guest:
            agent = segments.Agent(guest)
            segments.configure(agent)
            yield agent, wire
    finally:
        wire.close()


def connect(agent, wire, family=socket.AF_INET):
    """A socket of the guest's that will meet what the wire does next: its descriptor and a function that connects it."""
    port = wire.call("listen", family=int(family))["port"]
    fd = agent.must("socket", int(family), int(socket.SOCK_STREAM), 0)
    address = segments.PEER6 if family == socket.AF_INET6 else segments.PEER
    return fd, lambda: agent.must("connect", fd, address, port, timeout=150)


def transfer(agent, wire, total, *, to_guest, family=socket.AF_INET, timeout=600):
    """Moves `total` bytes and compares each; the seconds on the receiving side."""
    fd, go = connect(agent, wire, family)
    number = wire.start("send", total=total) if to_guest else wire.start("receive")
    go()
    if to_guest:
        value, text, _ = agent.ask("sink", fd, timeout=timeout)
    else:
        value, text, _ = agent.ask("source", fd, total, timeout=timeout)
        agent.must("shutdown", fd, socket.SHUT_WR)
    if value < 0:
        raise segments.Mismatch(f"the guest: {value} {text}")
    if to_guest:
        agent.must("close", fd)
    answer = wire.result(number, timeout)
    if not to_guest:
        agent.must("close", fd)
    if answer["bytes"] != total or int(text.split()[0]) != total:
        raise segments.Mismatch(f"{answer['bytes']} and {text} of {total}")
    return answer["seconds"]


if __name__ == "__main__":
    try:
        inside(sys.argv[1])
    except OSError as failure:
        sys.exit(f"no tap device: {errno.errorcode.get(failure.errno)} {failure}")
