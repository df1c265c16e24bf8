# SPDX-License-Identifier: MIT
"""Malformed packets at a guest's card and inside it: nothing panics, hangs or is lost for ever.

Frames of all protocols are made rightly, then damaged: bytes changed, lengths wrong, ends cut off, headers repeated. Half
of them get right checksums again, so that they come further than the first look. Among them are segments for open
connections, whose numbers are near the right ones. Every so often the guest has to answer an echo and a connection; in
the end as much memory has to be free as in the beginning. The seed is the test's: a run repeats but for its timing.

tests/long/test_net_fuzz.py does it for 20 minutes.
"""
import os
import random
import socket
import struct
import time

from kevlar_lib import frames, segments
from kevlar_lib.segments import GUEST, GUEST6, GUEST_MAC, PEER, PEER6, PEER_MAC, Mismatch, Talk

ECHO = 7
ALL_NODES, SELF6 = "ff02::1", "fe80::5054:ff:fe12:3456"


class Fuzzer:
    def __init__(self, agent, link, seed):
        self.agent, self.link, self.random = agent, link, random.Random(seed)
        self.talks = []
        self.sent = 0
        self.makers = [self.arp, self.icmp, self.udp, self.tcp, self.open_tcp, self.open_tcp, self.fragment, self.options, self.igmp,
                       self.icmpv6, self.neighbour, self.router, self.mld, self.extensions, self.fragment6, self.noise]

    # ---- rightly made, with what may be chosen chosen at random ----

    def data(self, most=600):
        return self.random.randbytes(self.random.choice([0, 1, 7, 8, self.random.randrange(most)]))

    def either(self):
        return (PEER, GUEST) if self.random.random() < 0.5 else (PEER6, GUEST6)

    def source(self):
        return self.random.choice([PEER, PEER, "10.9.0.77", "198.51.100.9", GUEST, "127.0.0.1", "224.0.0.1", "255.255.255.255",
                                   "0.0.0.0"])

    def ethernet(self, packet, to=GUEST_MAC):
        return frames.ethernet(to, PEER_MAC, frames.IPV6 if packet[0] >> 4 == 6 else frames.IPV4, packet)

    def arp(self):
        return frames.ethernet(self.random.choice([GUEST_MAC, "ff:ff:ff:ff:ff:ff"]), PEER_MAC, frames.ARP, frames.arp(
            self.random.randrange(4), PEER_MAC, self.source(), self.random.choice([GUEST_MAC, "00:00:00:00:00:00"]), GUEST))

    def icmp(self):
        quoted = frames.ipv4(GUEST, PEER, self.random.choice([1, 6, 17, 255]), self.data(64))
        kind = self.random.choice([0, 3, 4, 5, 8, 11, 12, 13, 15, 17, self.random.randrange(256)])
        return self.ethernet(frames.ipv4(self.source(), GUEST, frames.ICMP, frames.icmp(
            kind, self.random.randrange(16), self.random.randbytes(4), quoted)))

    def udp(self):
        a, b = self.either()
        return self.ethernet(frames.ip(a, b, frames.UDP, frames.udp(a, b, self.random.randrange(65536), self.random.choice(
            [ECHO, 68, 53, 9999, self.random.randrange(65536)]), self.data(1400))))

    def tcp_options(self):
        choice = [b"\2\4\5\xb4", b"\3\3\7", b"\4\2", b"\1", b"\0", b"\5\x0a" + self.random.randbytes(8), b"\x08\x0a" + self.random.randbytes(8),
                  b"\x22\x0a" + self.random.randbytes(8), bytes([self.random.randrange(256), self.random.randrange(12)]), b"\x13\x12"]
        return b"".join(self.random.sample(choice, self.random.randrange(5)))[:40]

    def tcp(self):
        a, b = self.either()
        flags = self.random.choice([2, 2, 16, 4, 1, 18, self.random.randrange(256)])
        return self.ethernet(frames.ip(a, b, frames.TCP, frames.tcp(
            a, b, self.random.randrange(1, 20000), self.random.choice([ECHO, ECHO, self.random.randrange(65536)]), flags,
            self.random.getrandbits(32), self.random.getrandbits(32), self.random.randrange(65536), self.data(), self.tcp_options(),
            self.random.randrange(65536))))

    def open_tcp(self):
        """For a connection that is there, near its numbers."""
        if not self.talks:
            return self.tcp()
        talk = self.random.choice(self.talks)
        near = self.random.choice([0, 1, -1, self.random.randrange(-3000, 70000), self.random.getrandbits(32)])
        flags = self.random.choice([16, 16, 16, 24, 17, 4, 2, 18, 48, self.random.randrange(256)])
        at = (talk.got.ack if talk.got else talk.isn) + near
        ack = talk.guest_isn + 1 + self.random.choice([0, 0, self.random.randrange(-5000, 70000), self.random.getrandbits(32)])
        return self.ethernet(frames.ip(talk.peer, talk.guest, frames.TCP, frames.tcp(
            talk.peer, talk.guest, talk.peer_port, talk.port, flags, at, ack, self.random.choice([0, 1, 500, 65535]), self.data(1400),
            self.tcp_options(), self.random.randrange(65536))))

    def fragment(self):
        return self.ethernet(frames.ipv4(self.source(), GUEST, self.random.choice([1, 6, 17]), self.data(1400), ident=self.random.randrange(64),
                                         flags=self.random.randrange(4), offset=8 * self.random.choice(
                                             [0, 0, 1, self.random.randrange(200), self.random.randrange(8192)])))

    def options(self):
        options = self.random.choice([b"\x44\x0c\x05\x00" + bytes(8), b"\x07\x0b\x04" + bytes(8) + b"\0", b"\x83\x07\x04\x0a\x09\x00\x01\x00",
                                      b"\x94\x04\0\0", self.random.randbytes(4 * self.random.randrange(1, 11))])
        return self.ethernet(frames.ipv4(self.source(), GUEST, frames.ICMP, frames.icmp(8, 0, b"\0\1\0\1", self.data()), options=options))

    def igmp(self):
        body = bytes([self.random.choice([0x11, 0x12, 0x16, 0x17, 0x22]), self.random.randrange(256), 0, 0]) + \
            self.random.choice([bytes(4), frames.packed("224.0.0.251"), self.random.randbytes(4)]) + self.data(60)
        body = body[:2] + struct.pack(">H", frames.checksum(body)) + body[4:]
        return self.ethernet(frames.ipv4(PEER, "224.0.0.1", frames.IGMP, body, ttl=1, options=self.random.choice([b"", b"\x94\x04\0\0"])),
                             "01:00:5e:00:00:01")

    def icmpv6_frame(self, source, target, kind, code, rest=b"\0\0\0\0", payload=b"", to=GUEST_MAC):
        return self.ethernet(frames.ipv6(source, target, frames.ICMPV6, frames.icmpv6(source, target, kind, code, rest, payload),
                                         hops=self.random.choice([255, 255, 255, 64, 1])), to)

    def icmpv6(self):
        quoted = frames.ipv6(GUEST6, PEER6, self.random.choice([6, 17, 58, 44]), self.data(64))
        return self.icmpv6_frame(PEER6, GUEST6, self.random.choice([1, 2, 3, 4, 128, 129, self.random.randrange(256)]), self.random.randrange(8),
                                 self.random.randbytes(4), quoted)

    def neighbour_options(self):
        choice = [b"\1\1" + frames.mac(PEER_MAC), b"\2\1" + frames.mac(PEER_MAC), b"\5\1\0\0" + struct.pack(">I", self.random.randrange(70000)),
                  b"\3\4" + bytes([self.random.randrange(130), self.random.randrange(256)]) + self.random.randbytes(12) +
                  frames.packed("fd0a::")[:8] + bytes(8), b"\x18\3" + self.random.randbytes(22), b"\1\0", b"\3\1" + bytes(6), b"\x0e\1" + bytes(6)]
        return b"".join(self.random.sample(choice, self.random.randrange(4)))

    def neighbour(self):
        target = frames.packed(self.random.choice([GUEST6, PEER6, SELF6, "fd09::99", ALL_NODES]))
        source = self.random.choice([PEER6, "::", "fe80::1", GUEST6])
        return self.icmpv6_frame(source, self.random.choice([GUEST6, ALL_NODES, frames.solicited_node(GUEST6)]),
                                 self.random.choice([135, 136]), 0, self.random.randbytes(4), target + self.neighbour_options())

    def router(self):
        kind = self.random.choice([133, 134, 134, 134, 137])
        body = struct.pack(">II", self.random.getrandbits(32), self.random.getrandbits(32))
        if kind == 137:
            body = frames.packed("fe80::1") + frames.packed(self.random.choice([PEER6, "2001:db8::5"]))
        # Lifetimes are short: what comes of them is gone at the end.
        return self.icmpv6_frame(self.random.choice(["fe80::1", PEER6]), ALL_NODES, kind, 0,
                                 struct.pack(">BBH", 64, self.random.randrange(256), self.random.randrange(3)), body + self.neighbour_options(),
                                 "33:33:00:00:00:01")

    def mld(self):
        body = self.random.choice([bytes(16), frames.packed("ff02::fb"), self.random.randbytes(16)]) + self.data(60)
        icmp = frames.icmpv6("fe80::1", ALL_NODES, self.random.choice([130, 131, 132, 143]), 0, struct.pack(">HH", self.random.randrange(65536), 0), body)
        return self.ethernet(frames.ipv6("fe80::1", ALL_NODES, 0, b"\x3a\0\5\2\0\0\1\0" + icmp, hops=1), "33:33:00:00:00:01")

    def extensions(self):
        chain, kind = frames.udp(PEER6, GUEST6, 5, ECHO, self.data(100)), frames.UDP
        for _ in range(self.random.randrange(1, 12)):
            header = self.random.choice([0, 43, 60, 44, 51, 59, 50])
            size = self.random.choice([0, 0, 1, 2, 31, 255])
            body = self.random.choice([bytes(6 + 8 * (size % 32)), b"\1\4" + bytes(4 + 8 * (size % 32)), self.random.randbytes(6 + 8 * (size % 32))])
            chain, kind = bytes([kind, size]) + body + chain, header
        return self.ethernet(frames.ipv6(PEER6, GUEST6, kind, chain[:1400]))

    def fragment6(self):
        offset = 8 * self.random.choice([0, 0, 1, self.random.randrange(180), self.random.randrange(8192)])
        head = struct.pack(">BBHI", self.random.choice([6, 17, 58, 0, 43, 44, 60]), 0, offset | self.random.randrange(2), self.random.randrange(64))
        return self.ethernet(frames.ipv6(PEER6, GUEST6, frames.FRAGMENT, head + self.data(1300)))

    def noise(self):
        kind = self.random.choice([frames.IPV4, frames.IPV6, frames.ARP, 0x8100, 0x88CC, self.random.randrange(65536)])
        return frames.ethernet(GUEST_MAC, PEER_MAC, kind, self.random.randbytes(self.random.randrange(1, 200)))

    # ---- damage ----

    def damage(self, frame):
        data = bytearray(frame)
        for _ in range(self.random.choice([0, 1, 1, 2, 5])):
            what = self.random.randrange(6)
            place = self.random.randrange(12, len(data))
            if what < 3:
                data[place] = self.random.choice([0, 1, 0x7F, 0x80, 0xFF, data[place] ^ 1 << self.random.randrange(8), self.random.randrange(256)])
            elif what == 3:
                del data[max(place, 15):]
            elif what == 4:
                data += self.random.randbytes(self.random.randrange(60))
            else:
                data[place:place] = data[place:place + 8]
        return bytes(data[:1514])

    @staticmethod
    def repair(frame):
        """Right checksums where there is room for them."""
        data = bytearray(frame)
        if data[12:14] == b"\x08\x00" and len(data) >= 34:
            size = (data[14] & 15) * 4
            total = min(int.from_bytes(data[16:18], "big"), len(data) - 14)
            if size < 20 or total < size:
                return frame
            data[24:26] = b"\0\0"
            data[24:26] = struct.pack(">H", frames.checksum(bytes(data[14:14 + size])))
            protocol, start, end = data[23], 14 + size, 14 + total
            pseudo = bytes(data[26:34]) + struct.pack(">BBH", 0, protocol, end - start)
        elif data[12:14] == b"\x86\xdd" and len(data) >= 54:
            protocol, start, end = data[20], 54, min(54 + int.from_bytes(data[18:20], "big"), len(data))
            pseudo = bytes(data[22:54]) + struct.pack(">II", end - start, protocol)
        else:
            return frame
        place = {frames.ICMP: 2, frames.IGMP: 2, frames.TCP: 16, frames.UDP: 6, frames.ICMPV6: 2}.get(protocol)
        if place is None or end - start < place + 2:
            return bytes(data)
        if protocol in (frames.ICMP, frames.IGMP):
            pseudo = b""
        data[start + place:start + place + 2] = b"\0\0"
        data[start + place:start + place + 2] = struct.pack(">H", frames.checksum(pseudo + bytes(data[start:end])))
        return bytes(data)

    # ---- the run ----

    def open(self):
        """Connections for open_tcp; those of before are left to themselves."""
        for talk in self.talks:
            self.link.talks.pop((talk.guest, talk.port, talk.peer, talk.peer_port), None)
        self.talks = []
        for number in range(8):
            a, b = self.either()
            for attempt in range(3):  # damaged segments may have made a connection just there
                talk = Talk(self.link, ECHO, guest=b, peer=a)
                talk.play("> S 0 win 65535 <mss 1000, sackok, ts 1>" if number & 1 else "> S 0 win 500 <mss 1000, ws 3>")
                try:
                    talk.play("< SA 0 ack 1")
                    break
                except Mismatch as mismatch:
                    if attempt == 2 or "nothing came" in str(mismatch):
                        raise
            talk.play("> A 1 ack 1" + (" <ts 2>" if number & 1 else ""))
            self.talks.append(talk)

    def check(self):
        """The guest answers: an echo, a connection over each IP."""
        mark = os.urandom(4)
        self.link.send_ip(PEER, GUEST, frames.ICMP, frames.icmp(8, 0, mark, b"x" * 32))
        self.link.expect("answer to an echo", lambda frame: frame.icmp_type == 0 and frame.rest == mark, 60)
        self.open()
        with self.link.changed:
            self.link.frames.clear()

    def run(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for _ in range(1000):
                frame = self.damage(self.random.choice(self.makers)())
                self.link.send(self.repair(frame) if self.random.random() < 0.5 else frame)
                self.sent += 1
                while self.link.cable.waiting.qsize() > 500:
                    time.sleep(0.002)
            self.restore()
            self.check()

    def restore(self):
        """What was honestly said by forged packets, and would keep the guest from answering, is taken back."""
        self.link.send(frames.ethernet(GUEST_MAC, PEER_MAC, frames.ARP, frames.arp(1, PEER_MAC, PEER, GUEST_MAC, GUEST)))
        self.link.advertise(PEER6, bits=0x20)


def used(agent):
    """KiB that are not available, sockets, memory of fragments."""
    lines = agent.show("/proc/meminfo")
    available = next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
    sockets = {line.split(":")[0]: line.split() for line in agent.show("/proc/net/sockstat")}
    return available, int(sockets["TCP"][8]), int(sockets["FRAG"][4])


def fuzz(ctx, smp, seconds, seed):
    with segments.scripted(ctx, smp) as (agent, link):
        agent.put("/proc/sys/net/ipv4/tcp_fin_timeout", "3")
        agent.put("/proc/sys/net/ipv4/tcp_retries2", "3")
        agent.put("/proc/sys/net/ipv4/tcp_orphan_retries", "2")
        agent.put("/proc/sys/net/ipv4/ipfrag_time", "3")
        agent.put("/proc/sys/net/ipv4/tcp_synack_retries", "1")
        agent.put("/proc/sys/net/ipv4/icmp_ratelimit", "0")
        fd = agent.must("socket", int(socket.AF_INET6), int(socket.SOCK_STREAM), 0)
        for name, value in ((socket.SO_KEEPALIVE, 1), (socket.SO_REUSEADDR, 1)):
            agent.must("set", fd, socket.SOL_SOCKET, name, value)
        for name, value in ((socket.TCP_KEEPIDLE, 5), (socket.TCP_KEEPINTVL, 1), (socket.TCP_KEEPCNT, 2)):
            agent.must("set", fd, socket.IPPROTO_TCP, name, value)
        agent.must("bind", fd, "::", ECHO)
        agent.must("listen", fd, 64)
        agent.must("spawn", "echo", fd)
        for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
            receiver = agent.must("socket", int(family), int(socket.SOCK_DGRAM | socket.SOCK_NONBLOCK), 0)
            agent.must("set", receiver, socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            agent.call("bind", receiver, address, ECHO if family == socket.AF_INET6 else 9999)
        fuzzer = Fuzzer(agent, link, seed)
        fuzzer.run(3)
        time.sleep(6)
        before = used(agent)
        fuzzer.run(seconds)
        # Neighbours, fragments, half-open and dead connections go in their time.
        deadline = time.monotonic() + 90
        while True:
            after = used(agent)
            if before[0] - after[0] < 4096 and after[1] <= before[1] + 8 and after[2] == 0:
                break
            if time.monotonic() > deadline:
                raise Mismatch(f"free, sockets, fragments: {before} before, {after} after {fuzzer.sent} frames")
            time.sleep(2)
        fuzzer.check()
        agent.must("ping")


def test_frames(ctx, smp):
    fuzz(ctx, smp, 20, seed=smp)


def junk(ctx, smp, milliseconds):
    """A program with a packet socket sends noise to itself: every protocol's receiver gets it, without a device between."""
    with segments.scripted(ctx, smp) as (agent, link):
        agent.must("junk", "lo", 1, 1000)
        before = used(agent)
        for seed in range(4):
            agent.must("spawn", "junk", "lo", seed + 2, milliseconds)
        agent.must("junk", "lo", 7, milliseconds + 500, timeout=milliseconds / 1000 + 120)
        agent.must("junk", "eth0", 8, 500)
        deadline = time.monotonic() + 60
        while before[0] - (after := used(agent))[0] > 4096 or after[1] > before[1]:
            if time.monotonic() > deadline:
                raise Mismatch(f"free, sockets, fragments: {before} before, {after} after")
            time.sleep(2)
        mark = os.urandom(4)
        link.send_ip(PEER, GUEST, frames.ICMP, frames.icmp(8, 0, mark))
        link.expect("answer to an echo", lambda frame: frame.icmp_type == 0 and frame.rest == mark)


def test_junk_inside(ctx, smp):
    junk(ctx, smp, 5000)
