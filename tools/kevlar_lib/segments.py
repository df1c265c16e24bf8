# SPDX-License-Identifier: MIT
"""Exact packets to a guest's network card and exact packets back: what tests of protocols are written with.

A Link is the other end of the guest's cable: QEMU hands it whole frames over a socket of this process, so that neither
privileges nor a network of this host's are needed. It answers ARP and neighbour solicitations for the addresses of its
peers, unless told not to, and keeps everything else for those who `expect` it.

An Agent is tests/system/net_agent.c, the guest's init, which makes the system calls that its console names.

A Talk is one TCP conversation, with this side played by a script: a line is one event.

    > FLAGS SEQ[:END] [ack N] [win N] [urg N] [<options>]    this side sends
    < FLAGS SEQ[:END] [ack N] [win N] [urg N] [<options>] [@MIN..MAX]    the guest has to send just that
    < nothing SECONDS                     the guest has to be silent
    wait SECONDS

Sequence numbers count from each side's SYN, which is 0. FLAGS are of S A F R P U E C, "." for none; P is not compared.
Options: mss N, ws N, sackok, ts VALUE (echoing the guest's last), sack L:R ..., none (after `<`: there are none);
after `<`, only those named are compared, ts may stand without its value, and `win` may be N, >N or <N.
@MIN..MAX are the seconds since the previous event. What a `<` line does not say is not compared, but for SEQ and END.
"""
import collections
import contextlib
import itertools
import pathlib
import queue
import random
import re
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
import zlib

from . import frames, host

GUEST_MAC, PEER_MAC = "52:54:00:12:34:56", "02:00:00:00:00:01"
GUEST, GUEST6, PEER, PEER6 = "10.9.0.2", "fd09::2", "10.9.0.1", "fd09::1"
PATIENCE = 20  # seconds for what has to come at once: the machine may be busy


class Mismatch(Exception):
    """The guest did something else."""


class Cable:
    """QEMU's `-netdev stream`: frames, each behind its length, over a Unix socket on which this side listens."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kevlar-"))
        self.path = self.folder / "cable"
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.listener.listen(1)
        self.socket = None
        self.waiting = queue.SimpleQueue()  # who reads must not wait for the guest to read

    def arguments(self, device="virtio-net-pci", **properties):
        """Words for QEMU's command line. properties: the card's, as QEMU spells them."""
        words = [device, "netdev=cable", f"mac={GUEST_MAC}"] + [f"{name}={value}" for name, value in properties.items()]
        return ["-netdev", f"stream,id=cable,server=off,addr.type=unix,addr.path={self.path}", "-device",
                ",".join(words + ["romfile="])]

    def accept(self):
        self.listener.settimeout(60)
        self.socket = self.listener.accept()[0]
        threading.Thread(target=self.write, daemon=True).start()

    def send(self, frame):
        self.waiting.put(struct.pack(">I", len(frame)) + frame)

    def write(self):
        with contextlib.suppress(OSError):
            while data := self.waiting.get():
                self.socket.sendall(data)

    def receive(self):
        """Yields lists of frames until QEMU ends."""
        rest = b""
        while True:
            try:
                more = self.socket.recv(1 << 18)
            except OSError:
                more = b""
            if not more:
                return
            rest += more
            found, at = [], 0
            while len(rest) - at >= 4:
                size = int.from_bytes(rest[at:at + 4], "big")
                if len(rest) - at - 4 < size:
                    break
                found.append(rest[at + 4:at + 4 + size])
                at += 4 + size
            rest = rest[at:]
            if found:
                yield found

    def close(self):
        self.waiting.put(b"")
        if self.socket:
            with contextlib.suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)
            self.socket.close()
        self.listener.close()
        shutil.rmtree(self.folder)


class Agent:
    """The guest's side: agent.call("socket", 2, 1, 0) is the result, negative errno; `must` refuses those."""

    def __init__(self, guest):
        self.guest = guest
        self.lock = threading.Lock()
        guest.expect(r"^= 0 ready\r?\n", 60)

    def ask(self, *words, timeout=60):
        """(result, text, lines of a file shown)"""
        with self.lock:
            self.guest.send(" ".join(str(word) for word in words) + "\n")
            match = self.guest.expect(r"((?:^\| .*\n)*)^= (-?\d+) ?(.*?)\r?\n", timeout)
        shown = [line[2:].rstrip("\r") for line in match[1].splitlines()]
        return int(match[2]), match[3], shown

    def call(self, *words, **options):
        return self.ask(*words, **options)[0]

    def must(self, *words, **options):
        value, text, _ = self.ask(*words, **options)
        if value < 0:
            raise Mismatch(f"{' '.join(map(str, words))}: {value} {text}")
        return value

    def show(self, path):
        value, text, lines = self.ask("show", path)
        if value < 0:
            raise Mismatch(f"show {path}: {text}")
        return lines

    def put(self, path, text):
        self.must("put", path, text)

    def receive(self, fd, size=65536, flags=0):
        """(count or negative errno, CRC-32, "address port" of the sender, the first bytes)"""
        value, text, _ = self.ask("recv", fd, size, flags | socket.MSG_DONTWAIT)
        if value < 0:
            return value, 0, "", b""
        words = text.split(" ")
        return value, int(words[0]), f"{words[1]} {words[2]}", bytes.fromhex(words[3] if len(words) > 3 else "")

    def option(self, fd, level, name, size=4):
        value, text, _ = self.ask("get", fd, level, name, size)
        if value < 0:
            raise Mismatch(f"getsockopt {level} {name}: {text}")
        return bytes.fromhex(text)

    def number(self, fd, level, name):
        return int.from_bytes(self.option(fd, level, name), "little", signed=True)


class Link:
    """The other end of the guest's cable."""

    def __init__(self, cable):
        self.cable = cable
        self.changed = threading.Condition()
        self.frames = collections.deque(maxlen=20000)  # (time, Frame), what no talk has taken
        self.talks = {}
        self.silent = set()  # addresses for which nobody answers
        self.peers = {PEER, PEER6, "fe80::1"}
        self.capture = None
        cable.accept()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for found in self.cable.receive():
            now = time.monotonic()
            for raw in found:
                try:
                    frame = frames.parse(raw)
                except (ValueError, struct.error, IndexError):
                    frame = frames.Frame(raw)
                if self.capture is not None:
                    self.capture.append((now, frame))
                if self.resolve(frame):
                    continue
                with self.changed:
                    talk = self.talks.get((frame.src, frame.sport, frame.dst, frame.dport)) if frame.seq is not None else None
                    (talk.arrived if talk else self.frames).append((now, frame))
                    self.changed.notify_all()

    def resolve(self, frame):
        """Answers who asks for an address of a peer's."""
        if frame.operation == 1 and frame.target in self.peers - self.silent and frame.sender != "0.0.0.0":
            self.cable.send(frames.ethernet(frame.source, PEER_MAC, frames.ARP,
                                            frames.arp(2, PEER_MAC, frame.target, frame.source, frame.sender)))
            return True
        if frame.icmp_type == 135 and frame.protocol == frames.ICMPV6 and frame.src != "::":
            target = str(frames.ipaddress.ip_address(frame.body[:16]))
            if target in self.peers - self.silent:
                self.advertise(target, frame.src, frame.source)
                return True
        return False

    def advertise(self, target, to=GUEST6, to_mac=GUEST_MAC, bits=0x60, address=PEER_MAC):
        """A neighbour advertisement. bits: router 0x80, solicited 0x40, override 0x20."""
        self.send_ip(target, to, frames.ICMPV6, frames.icmpv6(
            target, to, 136, 0, bytes([bits, 0, 0, 0]), frames.packed(target) + b"\x02\x01" + frames.mac(address)),
                     ttl=255, to_mac=to_mac)

    def send(self, frame):
        self.cable.send(frame)

    def send_ip(self, source, destination, protocol, payload, *, to_mac=GUEST_MAC, **words):
        kind = frames.IPV6 if ":" in source else frames.IPV4
        self.send(frames.ethernet(to_mac, PEER_MAC, kind, frames.ip(source, destination, protocol, payload, **words)))

    def expect(self, what, wanted, timeout=PATIENCE):
        """The first frame of those not yet taken for which wanted(frame) holds; takes it out."""
        return self.expect_at(what, wanted, timeout)[1]

    def expect_at(self, what, wanted, timeout=PATIENCE):
        """(when, frame)"""
        deadline = time.monotonic() + timeout
        with self.changed:
            while True:
                for entry in self.frames:
                    if wanted(entry[1]):
                        self.frames.remove(entry)
                        return entry
                left = deadline - time.monotonic()
                if left <= 0:
                    last = "\n".join(str(frame) for _, frame in list(self.frames)[-6:])
                    raise Mismatch(f"no {what} within {timeout} s; last:\n{last}")
                self.changed.wait(left)

    def expect_none(self, what, wanted, seconds):
        try:
            frame = self.expect(what, wanted, seconds)
        except Mismatch:
            return
        raise Mismatch(f"{what}: {frame}")

    def count(self, wanted, seconds=0):
        """Waits, and takes out all that match; how many there were."""
        time.sleep(seconds)
        with self.changed:
            found = [entry for entry in self.frames if wanted(entry[1])]
            for entry in found:
                self.frames.remove(entry)
        return len(found)


class Talk:
    """One TCP conversation: the peer's (address, port) is this side's."""
    ports = itertools.count(20001)

    def __init__(self, link, port, *, guest=GUEST, peer=PEER, peer_port=None, isn=None):
        peer_port = peer_port or next(Talk.ports)
        self.link, self.guest, self.peer, self.port, self.peer_port = link, guest, peer, port, peer_port
        self.isn = random.Random(peer_port).getrandbits(32) if isn is None else isn
        self.guest_isn = None
        self.guest_ts = 0
        self.last = time.monotonic()
        self.line = ""
        self.got = None  # the last frame taken
        self.arrived = collections.deque()
        link.talks[guest, port, peer, peer_port] = self

    def relative(self, seq, isn):
        value = (seq - isn) & 0xFFFFFFFF
        return value - (1 << 32) if value >> 31 else value

    def play(self, script):
        for line in script.strip().splitlines():
            self.line = line.strip()
            verb, _, words = self.line.partition(" ")
            if verb == ">":
                self.send(words)
            elif verb == "<" and words.startswith("nothing"):
                self.silence(float(words.split()[1]))
            elif verb == "<":
                self.expect(words)
            elif verb == "wait":
                time.sleep(float(words))
            elif verb and not verb.startswith("#"):
                raise ValueError(self.line)

    @staticmethod
    def words(text):
        """(flags, seq, end, values by name, options)"""
        options = re.search(r"<(.*)>$|<([^>]*)>(?= @)", text)
        if options:
            text = text.replace(options[0], "")
            options = [option.strip() for option in (options[1] or options[2] or "").split(",")]
        parts = text.split()
        flags, place = parts[0], parts[1]
        seq, _, end = place.partition(":")
        values = dict(zip(parts[2::2], parts[3::2])) if not parts[-1].startswith("@") else \
            dict(zip(parts[2:-1:2], parts[3:-1:2])) | {"@": parts[-1][1:]}
        return flags, int(seq), int(end or seq), values, options

    def encode(self, options):
        raw = b""
        for option in options or ():
            name, *words = option.split()
            if name == "mss":
                raw += struct.pack(">BBH", 2, 4, int(words[0]))
            elif name == "ws":
                raw += struct.pack(">BBBB", 1, 3, 3, int(words[0]))
            elif name == "sackok":
                raw += b"\x01\x01\x04\x02"
            elif name == "ts":
                raw += struct.pack(">BBBBII", 1, 1, 8, 10, int(words[0]) & 0xFFFFFFFF,
                                   self.guest_ts if len(words) < 2 else int(words[1]))
            elif name == "sack":
                raw += struct.pack(">BBBB", 1, 1, 5, 2 + 8 * len(words))
                for block in words:
                    left, right = (int(edge) + (self.guest_isn or 0) & 0xFFFFFFFF for edge in block.split(":"))
                    raw += struct.pack(">II", left, right)
            elif name == "raw":
                raw += bytes.fromhex(words[0])
            else:
                raise ValueError(option)
        return raw

    @staticmethod
    def bytes_at(start, end):
        """What this side sends at a place of the stream."""
        return bytes((place * 7 + place // 256) & 255 for place in range(start, end))

    def send(self, text):
        flags, seq, end, values, options = self.words(text)
        letters = "" if flags == "." else flags
        first = seq + ("S" in letters)  # a SYN's data begins one later
        payload = self.bytes_at(first, first + end - seq)
        segment = frames.tcp(self.peer, self.guest, self.peer_port, self.port, letters, self.isn + seq,
                             (self.guest_isn or 0) + int(values["ack"]) if "ack" in values else 0,
                             int(values.get("win", 65535)), payload, self.encode(options), int(values.get("urg", 0)))
        self.last = time.monotonic()
        self.link.send_ip(self.peer, self.guest, frames.TCP, segment)

    def next_frame(self, timeout):
        deadline = time.monotonic() + timeout
        with self.link.changed:
            while not self.arrived:
                left = deadline - time.monotonic()
                if left <= 0:
                    return None, None
                self.link.changed.wait(left)
            return self.arrived.popleft()

    def silence(self, seconds):
        when, frame = self.next_frame(seconds)
        if frame:
            raise Mismatch(f"{self.line}: {self.describe(frame)} after {when - self.last:.3f} s")

    def describe(self, frame):
        seq = self.relative(frame.seq, self.guest_isn if self.guest_isn is not None else frame.seq)
        options = dict(frame.options)
        if "sack" in options:
            options["sack"] = [f"{self.relative(l, self.isn)}:{self.relative(r, self.isn)}" for l, r in options["sack"]]
        return (f"{frame.flags or '.'} {seq}:{seq + len(frame.data)} ack {self.relative(frame.ack, self.isn)} win {frame.window} "
                f"urg {frame.urgent} {options}")

    def expect(self, text):
        flags, seq, end, values, options = self.words(text)
        latest = float(values["@"].partition("..")[2]) if "@" in values else 0
        when, frame = self.next_frame(max(latest, PATIENCE))
        if not frame:
            raise Mismatch(f"{self.line}: nothing came")
        self.got = frame
        if self.guest_isn is None and "S" in frame.flags:
            self.guest_isn = frame.seq
        if "ts" in frame.options:
            self.guest_ts = frame.options["ts"][0]
        wrong = []

        def check(name, good):
            if not good:
                wrong.append(name)

        letters = set() if flags == "." else set(flags) - {"P"}
        check("flags", set(frame.flags) - {"P"} == letters)
        check("checksum", frame.sum_good)
        base = self.guest_isn if self.guest_isn is not None else frame.seq - seq
        place = self.relative(frame.seq, base)
        check("seq", place == seq)
        check("end", place + len(frame.data) == end or frame.seq is None)
        if "ack" in values:
            check("ack", self.relative(frame.ack, self.isn) == int(values["ack"]))
        if "urg" in values:
            check("urg", frame.urgent == int(values["urg"]))
        if "win" in values:
            bound = values["win"]
            check("win", frame.window > int(bound[1:]) if bound[0] == ">" else
                  frame.window < int(bound[1:]) if bound[0] == "<" else frame.window == int(bound))
        for option in options or ():
            self.check_option(frame, option, check)
        after = when - self.last
        self.last = when
        if "@" in values:
            low, _, high = values["@"].partition("..")
            check(f"time {after:.3f}", float(low) <= after <= float(high or 1e9))
        if wrong:
            raise Mismatch(f"{self.line}: {', '.join(wrong)}; got {self.describe(frame)} after {after:.3f} s")

    def check_option(self, frame, option, check):
        name, *words = option.split()
        have = frame.options
        if name == "none":
            check("options", not have)
        elif name == "no":
            check(f"no {words[0]}", words[0] not in have)
        elif name in ("mss", "ws"):
            check(name, have.get(name) == int(words[0]))
        elif name == "sackok":
            check(name, "sackok" in have)
        elif name == "ts":
            check(name, "ts" in have and (not words or have["ts"][1] == int(words[0])))
        elif name == "sack":
            blocks = [f"{self.relative(l, self.isn)}:{self.relative(r, self.isn)}" for l, r in have.get("sack", [])]
            check(name, blocks == words)
        else:
            raise ValueError(option)

    def crc(self, start, end):
        """Of what this side sends at a place, as the agent's `receive` reports it."""
        return zlib.crc32(self.bytes_at(start, end))

    def icmp_error(self, kind, code, frame=None, rest=b"\0\0\0\0", source=None):
        """An ICMP error about a segment of the guest's, the last one that came unless another is named."""
        frame = frame or self.got
        quoted = frame.raw[14:]
        if ":" in self.guest:
            source = source or self.peer
            message = frames.icmpv6(source, self.guest, kind, code, rest, quoted[:1200])
            self.link.send_ip(source, self.guest, frames.ICMPV6, message)
        else:
            self.link.send_ip(source or self.peer, self.guest, frames.ICMP, frames.icmp(kind, code, rest, quoted[:28]))


def agent_initrd(ctx):
    """An archive whose init is the agent."""
    program = ctx.work / "net_agent"
    done = subprocess.run(["musl-gcc", "-idirafter", "/usr/include", "-idirafter", "/usr/include/x86_64-linux-gnu", "-static",
                           "-O2", "-Wall", "-Wextra", "-Werror", "-o", program, host.ROOT / "tests/system/net_agent.c"],
                          capture_output=True, text=True)
    if done.returncode:
        raise host.Failure(done.stderr)

    def fill(cpio):
        for folder in ("dev", "proc", "sys", "tmp"):
            cpio.directory(folder)
        cpio.device("dev/console", "c", 5, 1)
        cpio.add_file("init", program.read_bytes(), 0o755)

    return ctx.cpio("agent.cpio", fill)


def configure(agent):
    """Links up, the guest's addresses, routes by way of the peer's."""
    agent.must("link", "lo", "up")
    agent.must("link", "eth0", "up")
    agent.must("address", "eth0", GUEST, 24)
    agent.must("address", "eth0", GUEST6, 64)
    agent.must("route", "0.0.0.0", 0, PEER, "eth0")
    agent.must("route", "::", 0, PEER6, "eth0")
    # IPv6's addresses are its own when nobody has objected for a second.
    deadline = time.monotonic() + 30
    while any(int(line.split()[4], 16) & 0x40 for line in agent.show("/proc/net/if_inet6")):
        if time.monotonic() > deadline:
            raise Mismatch("addresses stay tentative")
        time.sleep(0.05)


@contextlib.contextmanager
def scripted(ctx, smp=1, *, device="virtio-net-pci", properties=None, **options):
    """Boots an agent whose card ends in a Link; yields (agent, link). Addresses are set, lo and eth0 are up."""
    cable = Cable()
    guest = ctx.machine(smp=smp, initrd=agent_initrd(ctx), extra=cable.arguments(device, **(properties or {})),
                        net=None, loglevel=4, **options)
    try:
        with guest:
            link = Link(cable)
            agent = Agent(guest)
            configure(agent)
            yield agent, link
    finally:
        cable.close()
