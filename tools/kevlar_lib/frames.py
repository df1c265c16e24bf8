# SPDX-License-Identifier: MIT
"""Ethernet frames, made and read: ARP, IPv4, IPv6, ICMP, UDP, TCP.

Addresses are text ("10.9.0.1", "fd09::1", "02:00:00:00:00:01"). make functions return bytes with right lengths and
checksums; `parse` turns a frame into a Frame, whose attributes are None where the frame does not have that part.
"""
import ipaddress
import struct

ARP, IPV4, IPV6 = 0x0806, 0x0800, 0x86DD
ICMP, IGMP, TCP, UDP, FRAGMENT, ICMPV6 = 1, 2, 6, 17, 44, 58
PATTERN = 8 * 131071  # bytes after which the agent's pattern begins again

FLAGS = {"F": 1, "S": 2, "R": 4, "P": 8, "A": 16, "U": 32, "E": 64, "C": 128}


def pattern(extra=0):
    """The pattern of tests/system/net_agent.c, followed by its first `extra` bytes."""
    x, words = 88172645463325252, []
    for _ in range(PATTERN // 8):
        x ^= x << 13 & 0xFFFFFFFFFFFFFFFF
        x ^= x >> 7
        x ^= x << 17 & 0xFFFFFFFFFFFFFFFF
        words.append(x)
    data = struct.pack(f"<{len(words)}Q", *words)
    return data + data[:extra]


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def mac_text(data):
    return ":".join(f"{byte:02x}" for byte in data)


def packed(address):
    return ipaddress.ip_address(address).packed


def checksum(data):
    if len(data) & 1:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def multicast_mac(address):
    """Where an IP multicast address lives on Ethernet."""
    raw = packed(address)
    if len(raw) == 4:
        return "01:00:5e:" + mac_text(bytes([raw[1] & 0x7F, raw[2], raw[3]]))
    return "33:33:" + mac_text(raw[12:])


def solicited_node(address):
    return str(ipaddress.IPv6Address(b"\xff\x02" + bytes(9) + b"\x01\xff" + packed(address)[13:]))


# ---- making ----

def ethernet(destination, source, kind, payload):
    return mac(destination) + mac(source) + struct.pack(">H", kind) + payload


def arp(operation, sender_mac, sender, target_mac, target):
    return struct.pack(">HHBBH", 1, IPV4, 6, 4, operation) + mac(sender_mac) + packed(sender) + mac(target_mac) + packed(target)


def ipv4(source, destination, protocol, payload, *, ttl=64, ident=0, flags=0, offset=0, options=b"", tos=0, length=None):
    """flags: 1 more fragments, 2 don't fragment; offset in bytes."""
    words = 5 + len(options) // 4
    head = struct.pack(">BBHHHBBH", 0x40 | words, tos, length or words * 4 + len(payload), ident,
                       flags << 13 | offset // 8, ttl, protocol, 0) + packed(source) + packed(destination) + options
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload


def ipv6(source, destination, protocol, payload, *, hops=64, tos=0, length=None):
    return struct.pack(">IHBB", 6 << 28 | tos << 20, len(payload) if length is None else length, protocol, hops) + \
        packed(source) + packed(destination) + payload


def ip(source, destination, protocol, payload, *, ttl=64, **words):
    """Either, as the addresses are."""
    if ":" in source:
        return ipv6(source, destination, protocol, payload, hops=ttl, **words)
    return ipv4(source, destination, protocol, payload, ttl=ttl, **words)


def transport_sum(source, destination, protocol, data):
    a, b = packed(source), packed(destination)
    if len(a) == 4:
        pseudo = a + b + struct.pack(">BBH", 0, protocol, len(data))
    else:
        pseudo = a + b + struct.pack(">II", len(data), protocol)
    return checksum(pseudo + data)


def udp(source, destination, source_port, port, payload, *, sum_=None):
    data = struct.pack(">HHHH", source_port, port, 8 + len(payload), 0) + payload
    value = (transport_sum(source, destination, UDP, data) or 0xFFFF) if sum_ is None else sum_
    return data[:6] + struct.pack(">H", value) + payload


def tcp(source, destination, source_port, port, flags, seq, ack, window, payload=b"", options=b"", urgent=0):
    options += b"\0" * (-len(options) % 4)
    bits = flags if isinstance(flags, int) else sum(FLAGS[letter] for letter in flags)
    data = struct.pack(">HHIIBBHHH", source_port, port, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, (5 + len(options) // 4) << 4,
                       bits, window, 0, urgent) + options + payload
    return data[:16] + struct.pack(">H", transport_sum(source, destination, TCP, data)) + data[18:]


def icmp(kind, code, rest=b"\0\0\0\0", payload=b""):
    data = struct.pack(">BBH", kind, code, 0) + rest + payload
    return data[:2] + struct.pack(">H", checksum(data)) + data[4:]


def icmpv6(source, destination, kind, code, rest=b"\0\0\0\0", payload=b""):
    data = struct.pack(">BBH", kind, code, 0) + rest + payload
    return data[:2] + struct.pack(">H", transport_sum(source, destination, ICMPV6, data)) + data[4:]


# ---- reading ----

class Frame:
    """What `parse` found; raw is all of it."""
    destination = source = kind = None  # Ethernet
    operation = sender = sender_mac = target = None  # ARP
    src = dst = protocol = ttl = ident = more = offset = df = tos = payload = sum_good = extensions = None  # IP
    icmp_type = icmp_code = rest = body = None  # ICMP and ICMPv6: four bytes and what follows
    sport = dport = data = None  # UDP and TCP
    seq = ack = flags = window = urgent = options = None  # TCP

    def __init__(self, raw):
        self.raw = raw

    def __str__(self):
        if self.seq is not None:
            return (f"{self.src}.{self.sport} > {self.dst}.{self.dport} {self.flags} {self.seq}:{self.seq + len(self.data)} "
                    f"ack {self.ack} win {self.window} {self.options}")
        words = {name: value for name, value in vars(self).items() if name not in ("raw", "payload", "body", "data")}
        return str(words)


def tcp_options(raw):
    """A dictionary: mss, ws, sackok, sack [(left, right)], ts (value, echo), fastopen; bad if it makes no sense."""
    found, at = {}, 0
    while at < len(raw) and raw[at]:
        if raw[at] == 1:
            at += 1
            continue
        length = raw[at + 1] if at + 1 < len(raw) else 0
        if length < 2 or at + length > len(raw):
            found["bad"] = True
            break
        value = raw[at + 2:at + length]
        if raw[at] == 2:
            found["mss"] = int.from_bytes(value, "big")
        elif raw[at] == 3:
            found["ws"] = value[0]
        elif raw[at] == 4:
            found["sackok"] = True
        elif raw[at] == 5:
            words = struct.unpack(f">{len(value) // 4}I", value)
            found["sack"] = list(zip(words[::2], words[1::2]))
        elif raw[at] == 8:
            found["ts"] = struct.unpack(">II", value)
        elif raw[at] == 34:
            found["fastopen"] = value
        at += length
    return found


def parse_ip(frame, raw):
    if raw[0] >> 4 == 4:
        words = (raw[0] & 15) * 4
        frame.tos, length, frame.ident, bits, frame.ttl, frame.protocol = struct.unpack(">xBHHHBB", raw[:10])
        frame.df, frame.more, frame.offset = bool(bits & 0x4000), bool(bits & 0x2000), (bits & 0x1FFF) * 8
        frame.src, frame.dst = str(ipaddress.ip_address(raw[12:16])), str(ipaddress.ip_address(raw[16:20]))
        frame.sum_good = checksum(raw[:words]) == 0
        frame.payload = raw[words:length]
        return
    first, length, frame.protocol, frame.ttl = struct.unpack(">IHBB", raw[:8])
    frame.tos = first >> 20 & 255
    frame.src, frame.dst = str(ipaddress.ip_address(raw[8:24])), str(ipaddress.ip_address(raw[24:40]))
    frame.payload = raw[40:40 + length]
    frame.more, frame.offset, frame.sum_good, frame.extensions = False, 0, True, []
    while frame.protocol in (0, 43, 60, FRAGMENT) and len(frame.payload) >= 8:
        frame.extensions.append(frame.protocol)
        size = 8
        if frame.protocol == FRAGMENT:
            bits, frame.ident = struct.unpack(">xxHI", frame.payload[:8])
            frame.more, frame.offset = bool(bits & 1), bits & 0xFFF8
        else:
            size += frame.payload[1] * 8
        frame.protocol, frame.payload = frame.payload[0], frame.payload[size:]


def parse_transport(frame):
    data = frame.payload
    if frame.protocol in (ICMP, ICMPV6) and len(data) >= 8:
        frame.icmp_type, frame.icmp_code, frame.rest, frame.body = data[0], data[1], data[4:8], data[8:]
        frame.sum_good = frame.sum_good and (checksum(data) if frame.protocol == ICMP else
                                             transport_sum(frame.src, frame.dst, ICMPV6, data)) == 0
    elif frame.protocol == UDP and len(data) >= 8:
        frame.sport, frame.dport = struct.unpack(">HH", data[:4])
        frame.data = data[8:]
    elif frame.protocol == TCP and len(data) >= 20:
        frame.sport, frame.dport, frame.seq, frame.ack, words, bits, frame.window, frame.urgent = \
            struct.unpack(">HHIIBBHxxH", data[:20])
        frame.flags = "".join(letter for letter, bit in FLAGS.items() if bits & bit)
        frame.options = tcp_options(data[20:(words >> 4) * 4])
        frame.data = data[(words >> 4) * 4:]
        frame.sum_good = frame.sum_good and transport_sum(frame.src, frame.dst, TCP, data) == 0


def parse(raw):
    frame = Frame(raw)
    frame.destination, frame.source = mac_text(raw[:6]), mac_text(raw[6:12])
    frame.kind = struct.unpack(">H", raw[12:14])[0]
    if frame.kind == ARP and len(raw) >= 42:
        frame.operation = struct.unpack(">H", raw[20:22])[0]
        frame.sender_mac, frame.sender = mac_text(raw[22:28]), str(ipaddress.ip_address(raw[28:32]))
        frame.target = str(ipaddress.ip_address(raw[38:42]))
    elif frame.kind in (IPV4, IPV6):
        parse_ip(frame, raw[14:])
        if not frame.offset:
            parse_transport(frame)
    return frame
