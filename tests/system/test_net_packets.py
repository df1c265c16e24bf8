# SPDX-License-Identifier: MIT
"""Everything below TCP by exact packets: fragments, ICMP, ARP and neighbours, groups, routers, forwarding.

The scenes share one guest. tools/kevlar_lib/segments.py plays the other end of the cable.
"""
import socket
import struct
import time

from kevlar_lib import frames, segments
from kevlar_lib.segments import GUEST, GUEST6, GUEST_MAC, PEER, PEER6, PEER_MAC, Mismatch
from test_net_script import Stage, perform, same

scenes, alone = [], []
LINK_LOCAL = "fe80::5054:ff:fe12:3456"
BROADCAST = "ff:ff:ff:ff:ff:ff"
UDP, ICMP, ICMPV6 = frames.UDP, frames.ICMP, frames.ICMPV6


def scene(function):
    scenes.append(function)
    return function


def scene_alone(function):
    alone.append(function)
    return function


def udp_socket(stage, port, family=socket.AF_INET):
    fd = stage.agent.must("socket", int(family), int(socket.SOCK_DGRAM | socket.SOCK_NONBLOCK), 0)
    stage.agent.must("bind", fd, "::" if family == socket.AF_INET6 else "0.0.0.0", port)
    return fd


def received(stage, fd, wanted):
    """The datagram that comes has just these bytes."""
    same("poll", stage.agent.call("poll", fd, 1, 10000) & 1, 1)
    count, crc, sender, _ = stage.agent.receive(fd)
    same("datagram", (count, crc), (len(wanted), segments.zlib.crc32(wanted)))
    return sender


def nothing_received(stage, fd):
    same("poll", stage.agent.call("poll", fd, 1, 200), 0)


def pieces(payload, size):
    return [(at, payload[at:at + size], at + size < len(payload)) for at in range(0, len(payload), size)]


def send_piece(stage, ident, at, data, more, protocol=UDP, source=PEER):
    stage.link.send_ip(source, GUEST, protocol, data, ident=ident, flags=int(more), offset=at)


def send_piece6(stage, ident, at, data, more, protocol=UDP):
    head = struct.pack(">BBHI", protocol, 0, at | int(more), ident)
    stage.link.send_ip(PEER6, GUEST6, frames.FRAGMENT, head + data)


# ---- echoes and errors ----

@scene
def echoes_are_answered(stage):
    for size in (0, 1, 56, 1400):
        stage.link.send_ip(PEER, GUEST, ICMP, frames.icmp(8, 0, b"\1\2\3" + bytes([size & 255]), b"e" * size))
        answer = stage.link.expect("echo", lambda frame, size=size: frame.icmp_type == 0 and frame.rest == b"\1\2\3" + bytes([size & 255]))
        same("answer", (answer.body, answer.sum_good), (b"e" * size, True))
    stage.link.send_ip(PEER6, GUEST6, ICMPV6, frames.icmpv6(PEER6, GUEST6, 128, 0, b"\1\2\3\4", b"six"))
    same("six", stage.link.expect("echo", lambda frame: frame.icmp_type == 129 and frame.rest == b"\1\2\3\4").body, b"six")


@scene
def broken_echoes_are_not(stage):
    bad = bytearray(frames.icmp(8, 0, b"\t\t\t\1", b"abc"))
    bad[-1] ^= 1
    stage.link.send_ip(PEER, GUEST, ICMP, bytes(bad))
    stage.link.send_ip(PEER, "10.9.0.255", ICMP, frames.icmp(8, 0, b"\t\t\t\2"), to_mac=BROADCAST)
    whole = frames.ipv4(PEER, GUEST, ICMP, frames.icmp(8, 0, b"\t\t\t\3"))
    stage.link.send(frames.ethernet(GUEST_MAC, PEER_MAC, frames.IPV4, whole[:10] + b"\0\0" + whole[12:]))
    stage.link.send(frames.ethernet(GUEST_MAC, PEER_MAC, frames.IPV4, frames.ipv4(PEER, GUEST, ICMP, frames.icmp(8, 0, b"\t\t\t\4"), length=99)))
    stage.link.send_ip("127.0.0.1", GUEST, ICMP, frames.icmp(8, 0, b"\t\t\t\5"))
    stage.link.send_ip("10.9.0.255", GUEST, ICMP, frames.icmp(8, 0, b"\t\t\t\6"))
    stage.link.send_ip("224.0.0.9", GUEST, ICMP, frames.icmp(8, 0, b"\t\t\t\7"))
    stage.link.expect_none("answer", lambda frame: frame.icmp_type == 0 and frame.rest[:3] == b"\t\t\t", 0.5)


@scene
def closed_udp_ports_are_unreachable(stage):
    stage.link.send_ip(PEER, GUEST, UDP, frames.udp(PEER, GUEST, 5001, 9, b"hello"))
    answer = stage.link.expect("unreachable", lambda frame: frame.icmp_type == 3 and frame.body[22:24] == b"\0\x09"
                               and frame.body[20:22] == struct.pack(">H", 5001))
    same("code", answer.icmp_code, 3)
    same("quoted", answer.body[28:33], b"hello")
    stage.link.send_ip(PEER6, GUEST6, UDP, frames.udp(PEER6, GUEST6, 5002, 9, b"hello"))
    answer = stage.link.expect("unreachable", lambda frame: frame.protocol == ICMPV6 and frame.icmp_type == 1)
    same("code", answer.icmp_code, 4)


@scene
def errors_answer_no_errors(stage):
    """Nor broadcasts, nor fragments but the first, nor what has no one sender."""
    quoted = frames.ipv4(GUEST, PEER, UDP, bytes(8))
    stage.link.send_ip(PEER, GUEST, ICMP, frames.icmp(3, 3, payload=quoted))
    stage.link.send_ip(PEER, "10.9.0.255", UDP, frames.udp(PEER, "10.9.0.255", 5003, 9, b"all"), to_mac=BROADCAST)
    stage.link.send_ip(PEER, "224.0.0.1", UDP, frames.udp(PEER, "224.0.0.1", 5003, 9, b"all"), to_mac="01:00:5e:00:00:01")
    stage.link.send(frames.ethernet(BROADCAST, PEER_MAC, frames.IPV4, frames.ipv4(PEER, GUEST, UDP, frames.udp(PEER, GUEST, 5003, 9, b"x"))))
    stage.link.send_ip("0.0.0.0", GUEST, UDP, frames.udp("0.0.0.0", GUEST, 5003, 9, b"x"))
    stage.link.expect_none("error", lambda frame: frame.protocol == ICMP and frame.icmp_type == 3 and frame.body[20:22] == struct.pack(">H", 5003),
                           0.5)


@scene
def unknown_protocols_are_unreachable(stage):
    stage.link.send_ip(PEER, GUEST, 253, b"what is this")
    same("code", stage.link.expect("unreachable", lambda frame: frame.icmp_type == 3 and frame.body[9:10] == b"\xfd").icmp_code, 2)
    stage.link.send_ip(PEER6, GUEST6, 253, b"what is this")
    answer = stage.link.expect("parameter problem", lambda frame: frame.protocol == ICMPV6 and frame.icmp_type == 4)
    same("code and place", (answer.icmp_code, answer.rest), (1, b"\0\0\0\6"))


@scene
def errors_reach_their_socket(stage):
    fd = stage.agent.must("socket", int(socket.AF_INET), int(socket.SOCK_DGRAM | socket.SOCK_NONBLOCK), 0)
    stage.agent.must("set", fd, 0, 11, 1)  # IP_RECVERR
    stage.agent.must("bind", fd, "0.0.0.0", 5010)
    stage.agent.must("connect", fd, PEER, 5011)
    stage.agent.must("send", fd, 5, 0)
    sent = stage.link.expect("datagram", lambda frame: frame.dport == 5011)
    stage.link.send_ip(PEER, GUEST, ICMP, frames.icmp(3, 3, payload=sent.raw[14:14 + 28]))
    same("poll", stage.agent.call("poll", fd, 1, 5000) & 8, 8)
    value, text, _ = stage.agent.ask("error", fd)
    same("report", (value, text.strip()), (0, "111 2 3 3 0"))
    stage.agent.must("send", fd, 5, 0)
    # One that quotes another's datagram is for nobody.
    strange = sent.raw[14:34] + struct.pack(">HHHH", 5010, 4444, 13, 0)
    stage.link.send_ip(PEER, GUEST, ICMP, frames.icmp(3, 3, payload=strange))
    time.sleep(0.2)
    same("error", stage.agent.number(fd, socket.SOL_SOCKET, socket.SO_ERROR), 0)


@scene_alone
def errors_are_limited(stage):
    time.sleep(7)  # a full allowance again
    peer = "10.9.0.60"
    stage.link.peers.add(peer)
    for number in range(60):
        stage.link.send_ip(peer, GUEST, UDP, frames.udp(peer, GUEST, 5020, 9, bytes([number])))
    count = stage.link.count(lambda frame: frame.icmp_type == 3 and frame.dst == peer, 1)
    if not 1 <= count <= 8:
        raise Mismatch(f"{count} errors for 60 datagrams")


# ---- fragments ----

@scene
def fragments_are_joined(stage):
    fd = udp_socket(stage, 5100)
    body = bytes(range(256)) * 12
    whole = frames.udp(PEER, GUEST, 5101, 5100, body)
    parts = pieces(whole, 1024)
    for number, order in enumerate(([0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [0, 0, 1, 1, 2, 2, 3])):
        for at in order:
            send_piece(stage, 100 + number, *parts[at])
        same("sender", received(stage, fd, body), f"{PEER} 5101")
    nothing_received(stage, fd)


@scene
def fragments_are_joined_over_ipv6(stage):
    fd = udp_socket(stage, 5102, socket.AF_INET6)
    body = bytes(range(256)) * 12
    parts = pieces(frames.udp(PEER6, GUEST6, 5101, 5102, body), 1024)
    for number, order in enumerate(([0, 1, 2, 3], [3, 1, 2, 0])):
        for at in order:
            send_piece6(stage, 100 + number, *parts[at])
        received(stage, fd, body)
    atomic = frames.udp(PEER6, GUEST6, 5101, 5102, b"alone")
    send_piece6(stage, 200, 0, atomic, False)
    received(stage, fd, b"alone")


@scene
def overlapping_fragments_are_dropped(stage):
    fd, fd6 = udp_socket(stage, 5103), udp_socket(stage, 5104, socket.AF_INET6)
    body = bytes(2000)
    whole = frames.udp(PEER, GUEST, 5101, 5103, body)
    send_piece(stage, 300, 0, whole[:1024], True)
    send_piece(stage, 300, 512, whole[512:1536], True)
    send_piece(stage, 300, 1024, whole[1024:], False)
    whole = frames.udp(PEER6, GUEST6, 5101, 5104, body)
    send_piece6(stage, 300, 0, whole[:1024], True)
    send_piece6(stage, 300, 512, whole[512:1536], True)
    send_piece6(stage, 300, 1024, whole[1024:], False)
    nothing_received(stage, fd)
    nothing_received(stage, fd6)


@scene
def fragments_beyond_64_kib_are_dropped(stage):
    fd = udp_socket(stage, 5105)
    send_piece(stage, 400, 65528, bytes(1000), False)
    send_piece(stage, 400, 0, frames.udp(PEER, GUEST, 5101, 5105, bytes(1016))[:1024], True)
    send_piece6(stage, 400, 65528, bytes(1000), False)
    answer = stage.link.expect("parameter problem", lambda frame: frame.protocol == ICMPV6 and frame.icmp_type == 4 and frame.body[6] == 44)
    same("place", answer.rest, struct.pack(">I", 42))
    send_piece6(stage, 401, 0, bytes(1001), True)
    answer = stage.link.expect("parameter problem", lambda frame: frame.protocol == ICMPV6 and frame.icmp_type == 4 and frame.body[6] == 44)
    same("place", answer.rest, struct.pack(">I", 4))
    nothing_received(stage, fd)


@scene_alone
def fragments_time_out(stage):
    stage.agent.put("/proc/sys/net/ipv4/ipfrag_time", "1")
    try:
        whole = frames.udp(PEER, GUEST, 5101, 5106, bytes(2000))
        send_piece(stage, 500, 0, whole[:1024], True)
        answer = stage.link.expect("time exceeded", lambda frame: frame.icmp_type == 11 and frame.body[4:6] == struct.pack(">H", 500))
        same("code", answer.icmp_code, 1)
        send_piece(stage, 501, 1024, whole[1024:], False)  # without the first there is nothing to tell
        stage.link.expect_none("time exceeded", lambda frame: frame.icmp_type == 11 and frame.body[4:6] == struct.pack(">H", 501), 2)
    finally:
        stage.agent.put("/proc/sys/net/ipv4/ipfrag_time", "30")


@scene_alone
def fragments_are_bounded(stage):
    limit = int(stage.agent.show("/proc/sys/net/ipv4/ipfrag_high_thresh")[0])
    stage.agent.put("/proc/sys/net/ipv4/ipfrag_high_thresh", str(256 << 10))
    try:
        for number in range(2000):
            send_piece(stage, 1000 + number, 0, bytes(1400), True)
        time.sleep(1)
        memory = next(int(line.split()[4]) for line in stage.agent.show("/proc/net/sockstat") if line.startswith("FRAG"))
        if memory > 300 << 10:
            raise Mismatch(f"fragments keep {memory} bytes")
    finally:
        stage.agent.put("/proc/sys/net/ipv4/ipfrag_high_thresh", str(limit))


@scene
def large_datagrams_are_fragmented(stage):
    for family, peer, limit in ((socket.AF_INET, PEER, 1500), (socket.AF_INET6, PEER6, 1500)):
        fd = stage.agent.must("socket", int(family), int(socket.SOCK_DGRAM), 0)
        same("sent", stage.agent.call("send", fd, 4000, 0, peer, 5107), 4000)
        got, done, data = 0, False, {}
        while not done or sum(map(len, data.values())) < 4008:
            frame = stage.link.expect("fragment", lambda frame: frame.dst == peer and (frame.more or frame.offset) and frame.protocol == UDP)
            if len(frame.raw) > limit + 14 or frame.offset in data:
                raise Mismatch(f"{frame}")
            data[frame.offset] = frame.payload
            done = done or not frame.more
            got += 1
        whole = b"".join(data[at] for at in sorted(data))
        same("data", whole[8:], frames.pattern()[:4000])


@scene
def datagrams_that_must_not_be_fragmented(stage):
    fd = stage.agent.must("socket", int(socket.AF_INET), int(socket.SOCK_DGRAM), 0)
    stage.agent.must("set", fd, 0, 10, 2)  # IP_MTU_DISCOVER: do
    same("too long", stage.agent.call("send", fd, 1473, 0, PEER, 5108), -90)
    same("just right", stage.agent.call("send", fd, 1472, 0, PEER, 5108), 1472)
    sent = stage.link.expect("datagram", lambda frame: frame.dport == 5108)
    same("do not fragment", sent.df, True)
    peer = "198.51.100.20"
    same("sent", stage.agent.call("send", fd, 1400, 0, peer, 5109), 1400)
    sent = stage.link.expect("datagram", lambda frame: frame.dport == 5109)
    stage.link.send_ip(PEER, GUEST, ICMP, frames.icmp(3, 4, struct.pack(">HH", 0, 1000), sent.raw[14:42]))
    deadline = time.monotonic() + 5
    while stage.agent.call("send", fd, 1400, 0, peer, 5109) != -90:
        if time.monotonic() > deadline:
            raise Mismatch("the path's MTU is not learned")
        time.sleep(0.02)
    same("fits", stage.agent.call("send", fd, 972, 0, peer, 5109), 972)


# ---- ARP ----

def arp(operation, sender, target, sender_mac=PEER_MAC, target_mac="00:00:00:00:00:00", to=BROADCAST):
    return frames.ethernet(to, sender_mac, frames.ARP, frames.arp(operation, sender_mac, sender, target_mac, target))


def arp_answer(frame):
    return frame.operation == 2 and frame.sender == GUEST


@scene
def arp_requests_are_answered(stage):
    stage.link.send(arp(1, "10.9.0.61", GUEST))
    same("who", stage.link.expect("answer", lambda frame: arp_answer(frame) and frame.target == "10.9.0.61").sender_mac, GUEST_MAC)
    stage.link.send(arp(1, "0.0.0.0", GUEST))  # a probe of one who wants the address
    stage.link.expect("answer to a probe", lambda frame: arp_answer(frame) and frame.target == "0.0.0.0")
    stage.link.send(arp(1, "10.9.0.62", "10.9.0.63"))
    stage.link.send(arp(1, "10.9.0.62", "127.0.0.1"))
    stage.link.send(arp(1, "224.0.0.1", GUEST))
    stage.link.expect_none("answer", lambda frame: frame.operation == 2 and frame.target in ("10.9.0.62", "224.0.0.1"), 0.4)


@scene
def silent_neighbours_are_asked_three_times(stage):
    fd = stage.agent.must("socket", int(socket.AF_INET), int(socket.SOCK_DGRAM | socket.SOCK_NONBLOCK), 0)
    stage.agent.must("set", fd, 0, 11, 1)  # IP_RECVERR
    stage.agent.must("connect", fd, "10.9.0.70", 5200)
    stage.agent.must("send", fd, 5, 0)
    times = [stage.link.expect_at("request", lambda frame: frame.operation == 1 and frame.target == "10.9.0.70", 5)[0] for _ in range(3)]
    for gap in (times[1] - times[0], times[2] - times[1]):
        if not 0.85 < gap < 2.5:
            raise Mismatch(f"{gap} s between requests")
    stage.link.expect_none("fourth request", lambda frame: frame.operation == 1 and frame.target == "10.9.0.70", 1.5)
    same("error", stage.agent.number(fd, socket.SOL_SOCKET, socket.SO_ERROR), 113)


def arp_entry(stage, address):
    """(flags, MAC) of an entry, or None."""
    for line in stage.agent.show("/proc/net/arp"):
        words = line.split()
        if words[0] == address:
            return words[2], words[3]
    return None


@scene
def what_waits_goes_when_the_answer_comes(stage):
    fd = stage.agent.must("socket", int(socket.AF_INET), int(socket.SOCK_DGRAM), 0)
    for _ in range(3):
        stage.agent.must("send", fd, 5, 0, "10.9.0.71", 5201)
    stage.link.expect("request", lambda frame: frame.operation == 1 and frame.target == "10.9.0.71")
    stage.link.send(arp(2, "10.9.0.71", GUEST, "02:00:00:00:00:71", GUEST_MAC, GUEST_MAC))
    for _ in range(3):
        same("to", stage.link.expect("datagram", lambda frame: frame.dport == 5201).destination, "02:00:00:00:00:71")


@scene
def unasked_answers_make_no_neighbours(stage):
    stage.link.send(arp(2, "10.9.0.72", GUEST, "02:00:00:00:00:72", GUEST_MAC, GUEST_MAC))
    stage.link.send(arp(2, "10.9.0.73", "10.9.0.73", "02:00:00:00:00:73"))
    stage.link.send(arp(1, "10.9.0.74", "10.9.0.74", "02:00:00:00:00:74"))
    time.sleep(0.3)
    same("entries", [arp_entry(stage, f"10.9.0.{host}") for host in (72, 73, 74)], [None] * 3)


@scene
def gratuitous_arp_moves_a_neighbour(stage):
    stage.link.send(arp(1, "10.9.0.75", GUEST, "02:00:00:00:00:75"))
    stage.link.expect("answer", lambda frame: arp_answer(frame) and frame.target == "10.9.0.75")
    same("entry", arp_entry(stage, "10.9.0.75"), ("0x2", "02:00:00:00:00:75"))
    time.sleep(1.3)  # a neighbour that has just moved does not move again
    stage.link.send(arp(1, "10.9.0.75", "10.9.0.75", "02:00:00:00:00:76"))
    time.sleep(0.3)
    same("entry", arp_entry(stage, "10.9.0.75"), ("0x2", "02:00:00:00:00:76"))


# ---- neighbours and routers of IPv6 ----

def icmpv6(stage, source, target, kind, rest, body=b"", hops=255, to_mac=GUEST_MAC, code=0):
    stage.link.send_ip(source, target, ICMPV6, frames.icmpv6(source, target, kind, code, rest, body), ttl=hops, to_mac=to_mac)


def advertisement_of(address, to=None):
    raw = frames.packed(address)
    return lambda frame: frame.icmp_type == 136 and frame.protocol == ICMPV6 and frame.body[:16] == raw and to in (None, frame.dst)


@scene
def solicitations_are_answered(stage):
    group = frames.solicited_node(GUEST6)
    icmpv6(stage, PEER6, group, 135, bytes(4), frames.packed(GUEST6) + b"\1\1" + frames.mac(PEER_MAC), to_mac=frames.multicast_mac(group))
    answer = stage.link.expect("advertisement", advertisement_of(GUEST6, PEER6))
    same("bits, hops, option", (answer.rest[0], answer.ttl, answer.body[16:]), (0x60, 255, b"\2\1" + frames.mac(GUEST_MAC)))
    # From one who tries the address: to all.
    icmpv6(stage, "::", group, 135, bytes(4), frames.packed(GUEST6), to_mac=frames.multicast_mac(group))
    same("bits", stage.link.expect("advertisement", advertisement_of(GUEST6, "ff02::1")).rest[0], 0x20)


@scene
def solicitations_from_afar_are_not(stage):
    source = "fd09::64"
    icmpv6(stage, source, GUEST6, 135, bytes(4), frames.packed(GUEST6) + b"\1\1" + frames.mac(PEER_MAC), hops=254)
    icmpv6(stage, source, GUEST6, 135, bytes(4), frames.packed(GUEST6) + b"\1\0" + frames.mac(PEER_MAC))
    icmpv6(stage, source, GUEST6, 135, bytes(4), frames.packed("fd09::abcd") + b"\1\1" + frames.mac(PEER_MAC))
    icmpv6(stage, source, GUEST6, 135, bytes(4), frames.packed(GUEST6), code=1)
    stage.link.expect_none("advertisement", advertisement_of(GUEST6, source), 0.4)


@scene
def neighbours_are_asked_at_their_group(stage):
    fd = stage.agent.must("socket", int(socket.AF_INET6), int(socket.SOCK_DGRAM | socket.SOCK_NONBLOCK), 0)
    target = "fd09::77"
    stage.agent.must("send", fd, 5, 0, target, 5300)
    asked = stage.link.expect("solicitation", lambda frame: frame.icmp_type == 135 and frame.body[:16] == frames.packed(target))
    same("to", (asked.dst, asked.destination, asked.ttl), (frames.solicited_node(target), frames.multicast_mac(frames.solicited_node(target)), 255))
    stage.link.advertise(target, address="02:00:00:00:00:77")
    same("to", stage.link.expect("datagram", lambda frame: frame.dport == 5300).destination, "02:00:00:00:00:77")
    stage.link.advertise(target, bits=0x20, address="02:00:00:00:00:78")
    time.sleep(0.2)
    stage.agent.must("send", fd, 5, 0, target, 5300)
    same("to", stage.link.expect("datagram", lambda frame: frame.dport == 5300).destination, "02:00:00:00:00:78")


def address_flags(stage, address):
    """Of /proc/net/if_inet6, or None."""
    raw = frames.packed(address).hex()
    return next((int(line.split()[4], 16) for line in stage.agent.show("/proc/net/if_inet6") if line.split()[0] == raw), None)


@scene
def new_addresses_are_tried_first(stage):
    address = "fd09::1:1"
    stage.agent.must("address", "eth0", address, 64)
    asked = stage.link.expect("trial", lambda frame: frame.icmp_type == 135 and frame.body[:16] == frames.packed(address) and frame.src == "::")
    same("to", (asked.dst, len(asked.body)), (frames.solicited_node(address), 16))
    same("tentative", address_flags(stage, address) & 0x40, 0x40)
    time.sleep(2)
    same("its own", address_flags(stage, address) & 0x48, 0)


@scene
def an_address_in_use_is_not_taken(stage):
    for address, kind in (("fd09::2:1", 136), ("fd09::2:2", 135)):
        stage.agent.must("address", "eth0", address, 64)
        stage.link.expect("trial", lambda frame: frame.icmp_type == 135 and frame.body[:16] == frames.packed(address))
        time.sleep(0.2)  # for the card's filter of groups
        group = frames.solicited_node(address)
        if kind == 136:
            icmpv6(stage, address, "ff02::1", 136, b"\x20\0\0\0", frames.packed(address) + b"\2\1" + frames.mac(PEER_MAC), to_mac="33:33:00:00:00:01")
        else:
            icmpv6(stage, "::", group, 135, bytes(4), frames.packed(address), to_mac=frames.multicast_mac(group))
        time.sleep(0.3)
        same("failed", address_flags(stage, address) & 0x08, 0x08)


def advertise_router(stage, lifetime, options=b"", hops=255, source="fe80::1"):
    icmpv6(stage, source, "ff02::1", 134, struct.pack(">BBH", 64, 0, lifetime), bytes(8) + options, hops=hops, to_mac="33:33:00:00:00:01")


def prefix_option(prefix, bits=0xC0, valid=600, preferred=300, length=64):
    return struct.pack(">BBBBII", 3, 4, length, bits, valid, preferred) + bytes(4) + frames.packed(prefix)


def routes6(stage):
    return [line.split() for line in stage.agent.show("/proc/net/ipv6_route")]


@scene_alone
def routers_give_addresses(stage):
    advertise_router(stage, 0, prefix_option("fd0b::"), hops=254)
    advertise_router(stage, 0, prefix_option("fd0b::"), source=PEER6)  # not from this link
    advertise_router(stage, 0, prefix_option("fd0b::", length=48))
    advertise_router(stage, 0, prefix_option("fe80::"))
    advertise_router(stage, 0, prefix_option("fd0b::", valid=10, preferred=20))
    time.sleep(0.3)
    same("none", address_flags(stage, "fd0b::5054:ff:fe12:3456"), None)
    advertise_router(stage, 0, prefix_option("fd0a::"))
    stage.link.expect("trial", lambda frame: frame.icmp_type == 135 and frame.body[:16] == frames.packed("fd0a::5054:ff:fe12:3456"))
    time.sleep(2)
    same("address", address_flags(stage, "fd0a::5054:ff:fe12:3456") & 0x48, 0)
    # It ends two hours from now at the earliest, whatever is said without proof.
    advertise_router(stage, 0, prefix_option("fd0a::", valid=0, preferred=0))
    time.sleep(0.2)
    same("address", address_flags(stage, "fd0a::5054:ff:fe12:3456") is not None, True)


@scene_alone
def routers_come_and_go(stage):
    def default_routes():
        return [route for route in routes6(stage) if route[1] == "00" and route[4] == frames.packed("fe80::1").hex() and route[-1] == "eth0"]

    advertise_router(stage, 1800)
    time.sleep(0.3)
    same("default route", len(default_routes()), 1)
    advertise_router(stage, 0)
    time.sleep(0.3)
    same("default route", len(default_routes()), 0)
    advertise_router(stage, 1)
    time.sleep(2.5)
    same("default route after its time", len(default_routes()), 0)


# ---- groups ----

@scene
def joining_a_group_is_reported(stage):
    fd = udp_socket(stage, 5400)
    request = frames.packed("239.9.9.9") + frames.packed(GUEST)
    stage.agent.must("set", fd, 0, 35, "x" + request.hex())  # IP_ADD_MEMBERSHIP
    report = stage.link.expect("report", lambda frame: frame.protocol == frames.IGMP and frames.packed("239.9.9.9") in frame.payload)
    same("report", (report.dst, report.ttl, report.payload[0], report.destination), ("224.0.0.22", 1, 0x22, "01:00:5e:00:00:16"))
    time.sleep(0.2)  # for the card's filter of groups
    data = frames.udp(PEER, "239.9.9.9", 5401, 5400, b"to the group")
    stage.link.send_ip(PEER, "239.9.9.9", UDP, data, to_mac=frames.multicast_mac("239.9.9.9"))
    received(stage, fd, b"to the group")
    query = bytes([0x11, 10, 0, 0]) + bytes(4) + bytes([2, 125, 0, 0])
    query = query[:2] + struct.pack(">H", frames.checksum(query)) + query[4:]
    stage.link.count(lambda frame: frame.protocol == frames.IGMP)
    stage.link.send_ip(PEER, "224.0.0.1", frames.IGMP, query, ttl=1, to_mac="01:00:5e:00:00:01", options=b"\x94\x04\0\0")
    stage.link.expect("answer to a query", lambda frame: frame.protocol == frames.IGMP and frames.packed("239.9.9.9") in frame.payload, 10)
    stage.agent.must("set", fd, 0, 36, "x" + request.hex())
    left = stage.link.expect("leaving", lambda frame: frame.protocol == frames.IGMP and frame.payload[8:9] == b"\3"
                             and frames.packed("239.9.9.9") in frame.payload)
    same("to", left.dst, "224.0.0.22")
    stage.link.send_ip(PEER, "239.9.9.9", UDP, data, to_mac=frames.multicast_mac("239.9.9.9"))
    nothing_received(stage, fd)


@scene
def joining_a_group_of_ipv6_is_reported(stage):
    fd = udp_socket(stage, 5402, socket.AF_INET6)
    request = frames.packed("ff15::9") + struct.pack("<i", 2)
    stage.agent.must("set", fd, 41, 20, "x" + request.hex())  # IPV6_JOIN_GROUP
    report = stage.link.expect("report", lambda frame: frame.icmp_type == 143 and frames.packed("ff15::9") in frame.payload)
    same("report", (report.dst, report.ttl, report.extensions), ("ff02::16", 1, [0]))
    time.sleep(0.2)
    data = frames.udp(PEER6, "ff15::9", 5401, 5402, b"to the group")
    stage.link.send_ip(PEER6, "ff15::9", UDP, data, to_mac=frames.multicast_mac("ff15::9"))
    received(stage, fd, b"to the group")


# ---- forwarding ----

@scene_alone
def hosts_do_not_forward(stage):
    stage.link.send_ip(PEER, "203.0.113.5", UDP, frames.udp(PEER, "203.0.113.5", 1, 2, b"x"))
    stage.link.expect_none("anything", lambda frame: frame.dst == "203.0.113.5", 0.4)


@scene_alone
def routers_forward(stage):
    stage.link.peers.add("10.9.0.80")
    stage.agent.must("route", "203.0.113.0", 24, "10.9.0.80", "eth0")
    stage.agent.put("/proc/sys/net/ipv4/ip_forward", "1")
    try:
        data = frames.udp(PEER, "203.0.113.5", 1, 5500, b"through")
        stage.link.send_ip(PEER, "203.0.113.5", UDP, data, ttl=9, ident=77)
        passed = stage.link.expect("forwarded", lambda frame: frame.dport == 5500)
        same("forwarded", (passed.ttl, passed.ident, passed.sum_good, passed.payload), (8, 77, True, data))
        stage.link.send_ip(PEER, "203.0.113.5", UDP, data, ttl=1)
        stage.link.expect("time exceeded", lambda frame: frame.icmp_type == 11 and frame.icmp_code == 0)
        stage.link.send_ip(PEER, "203.0.113.5", UDP, bytes(1200), flags=2)
        stage.link.expect("forwarded", lambda frame: frame.dst == "203.0.113.5" and len(frame.payload) == 1200)
        stage.agent.must("link", "eth0", 1000)
        stage.link.send_ip(PEER, "203.0.113.5", UDP, bytes(1200), flags=2)
        answer = stage.link.expect("fragmentation needed", lambda frame: frame.icmp_type == 3 and frame.icmp_code == 4)
        same("mtu", answer.rest, struct.pack(">HH", 0, 1000))
        stage.link.send_ip(PEER, "203.0.113.5", UDP, data[:8] + bytes(1192), ident=99)
        total = 0
        while total < 1200:
            total += len(stage.link.expect("fragment", lambda frame: frame.dst == "203.0.113.5" and frame.ident == 99).payload)
        same("together", total, 1200)
    finally:
        stage.agent.must("link", "eth0", 1500)
        stage.agent.put("/proc/sys/net/ipv4/ip_forward", "0")


@scene_alone
def routers_forward_ipv6(stage):
    stage.link.peers.add("fd09::80")
    stage.agent.must("route", "2001:db8:5::", 64, "fd09::80", "eth0")
    stage.agent.put("/proc/sys/net/ipv6/conf/all/forwarding", "1")
    try:
        data = frames.udp(PEER6, "2001:db8:5::1", 1, 5501, b"through")
        stage.link.send_ip(PEER6, "2001:db8:5::1", UDP, data, ttl=9)
        passed = stage.link.expect("forwarded", lambda frame: frame.dport == 5501)
        same("forwarded", (passed.ttl, passed.payload), (8, data))
        stage.link.send_ip(PEER6, "2001:db8:5::1", UDP, data, ttl=1)
        answer = stage.link.expect("time exceeded", lambda frame: frame.protocol == ICMPV6 and frame.icmp_type == 3)
        same("code", answer.icmp_code, 0)
        stage.link.send_ip("fe80::1", "2001:db8:5::1", UDP, data)
        stage.link.expect_none("forwarded", lambda frame: frame.src == "fe80::1" and frame.dport == 5501, 0.3)
    finally:
        stage.agent.put("/proc/sys/net/ipv6/conf/all/forwarding", "0")


def test_packets(ctx, smp):
    with segments.scripted(ctx, smp) as (agent, link):
        return perform(ctx.name, agent, link, [], scenes + alone)
