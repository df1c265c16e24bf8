# SPDX-License-Identifier: MIT
"""TCP by exact segments: what a guest sends in answer to what it gets. tools/kevlar_lib/segments.py has the language.

All scenes share one guest, each with ports of its own, and several are played at a time, for most of each is waiting.
Times have narrow lower and wide upper bounds: the machine may be busy.
"""
import concurrent.futures
import itertools
import socket
import struct
import time

from kevlar_lib import frames, segments
from kevlar_lib.segments import GUEST, GUEST6, PEER, PEER6, Mismatch, Talk
from kevlar_lib.testing import Result

STREAM = socket.SOCK_STREAM | socket.SOCK_NONBLOCK
ESTABLISHED, SYN_RECV, FIN_WAIT2, CLOSE, CLOSE_WAIT = 1, 3, 5, 7, 8
scenes, alone = [], []


def scene(function):
    scenes.append(function)
    return function


def scene_alone(function):
    """One that others would disturb: it changes a setting of the whole machine."""
    alone.append(function)
    return function


def same(what, got, wanted):
    if got != wanted:
        raise Mismatch(f"{what}: {got}, not {wanted}")


class Stage:
    """What a scene gets: the agent, the link, and ports that nobody else has."""
    ports = itertools.count(1001)

    def __init__(self, agent, link):
        self.agent, self.link = agent, link

    def listener(self, family=socket.AF_INET, options=(), backlog=8):
        """(descriptor, port)"""
        port, agent = next(Stage.ports), self.agent
        fd = agent.must("socket", int(family), int(STREAM), 0)
        for level, name, value in options:
            agent.must("set", fd, level, name, value)
        agent.must("bind", fd, "::" if family == socket.AF_INET6 else "0.0.0.0", port)
        agent.must("listen", fd, backlog)
        return fd, port

    def accept(self, listener):
        same("poll", self.agent.call("poll", listener, 1, 20000) & 1, 1)
        return self.agent.must("accept", listener, int(socket.SOCK_NONBLOCK))

    def opened(self, offer="mss 1000, sackok", win=65535, options=(), family=socket.AF_INET, rtt=0.1):
        """An open connection to a socket of the guest's: (talk, descriptor). rtt: the
        seconds that the guest measures, and so how soon it suspects a loss."""
        listener, port = self.listener(family, options)
        talk = self.talk(port, family)
        stamp = " <ts 101>" if "ts" in offer else ""
        talk.play(f"""
            > S 0 win {win} <{offer}>
            < SA 0 ack 1
            wait {rtt}
            > A 1 ack 1 win {win}{stamp}""")
        fd = self.accept(listener)
        self.agent.must("close", listener)
        return talk, fd

    def talk(self, port, family=socket.AF_INET, **words):
        if family == socket.AF_INET6:
            return Talk(self.link, port, guest=GUEST6, peer=PEER6, **words)
        return Talk(self.link, port, **words)

    def connecting(self, family=socket.AF_INET, options=()):
        """A socket of the guest's that connects: (talk, descriptor); its SYN is still to be expected."""
        port, agent = next(Stage.ports), self.agent
        talk = self.talk(port, family)
        fd = agent.must("socket", int(family), int(STREAM), 0)
        for level, name, value in options:
            agent.must("set", fd, level, name, value)
        agent.must("bind", fd, "::" if family == socket.AF_INET6 else "0.0.0.0", port)
        same("connect", agent.call("connect", fd, talk.peer, talk.peer_port), -115)
        return talk, fd

    def state(self, fd):
        return self.agent.option(fd, socket.IPPROTO_TCP, socket.TCP_INFO, 8)[0]

    def wait_state(self, fd, wanted):
        deadline = time.monotonic() + 20
        while (state := self.state(fd)) != wanted:
            if time.monotonic() > deadline:
                raise Mismatch(f"state {state}, not {wanted}")
            time.sleep(0.02)

    def receive(self, talk, fd, start, end):
        """The guest's program gets just that of what this side sent."""
        same("poll", self.agent.call("poll", fd, 1, 20000) & 1, 1)
        count, crc, _, _ = self.agent.receive(fd, end - start)
        same("received", (count, crc), (end - start, talk.crc(start, end)))

    def error(self, fd, wanted):
        deadline = time.monotonic() + 20
        while not (value := self.agent.number(fd, socket.SOL_SOCKET, socket.SO_ERROR)):
            if time.monotonic() > deadline:
                break
            time.sleep(0.05)
        same("SO_ERROR", value, wanted)


TCP, SOL = socket.IPPROTO_TCP, socket.SOL_SOCKET
NODELAY = (TCP, socket.TCP_NODELAY, 1)


# ---- opening ----

@scene
def handshake_with_all_options(stage):
    listener, port = stage.listener()
    talk = stage.talk(port)
    talk.play("""
        > S 0 win 64240 <mss 1460, sackok, ts 100, ws 7>
        < SA 0 ack 1 <mss 1460, sackok, ts 100, ws 5>
        > A 1 ack 1 win 502 <ts 101>
        > PA 1:101 ack 1 win 502 <ts 102>
        < A 1 ack 101 <ts 102, no sack>""")
    fd = stage.accept(listener)
    stage.receive(talk, fd, 1, 101)
    same("sent", stage.agent.call("send", fd, 300, 0), 300)
    talk.play("< A 1:301 ack 101 <ts 102>\n> A 101 ack 301 win 502 <ts 110>")


@scene
def handshake_without_options(stage):
    listener, port = stage.listener()
    talk = stage.talk(port)
    talk.play("""
        > S 0 win 65535
        < SA 0 ack 1 <mss 1460, no sackok, no ts, no ws>
        > A 1 ack 1""")
    fd = stage.accept(listener)
    # Who names no segment size takes 536 bytes.
    stage.agent.must("set", fd, *NODELAY)
    same("sent", stage.agent.call("send", fd, 1000, 0), 1000)
    talk.play("< A 1:537 ack 1 <none>\n< A 537:1001 ack 1 <none>\n> A 1 ack 1001")


@scene
def handshake_over_ipv6(stage):
    talk, fd = stage.opened("mss 1440, sackok, ts 100, ws 7", family=socket.AF_INET6)
    same("mss", talk.got.options["mss"], 1440)
    talk.play("> PA 1:1201 ack 1 <ts 102>\n< A 1 ack 1201 <ts 102>")
    stage.receive(talk, fd, 1, 1201)
    stage.agent.must("close", fd)
    talk.play("""
        < FA 1 ack 1201
        > FA 1201 ack 2 <ts 110>
        < A 2 ack 1202""")


@scene
def syn_ack_is_repeated(stage):
    _, port = stage.listener()
    stage.talk(port).play("""
        > S 0 <mss 1000>
        < SA 0 ack 1
        < SA 0 ack 1 @0.9..2.5
        < SA 0 ack 1 @1.8..4
        > S 0 <mss 1000>
        < SA 0 ack 1
        > R 1""")


@scene
def syn_is_repeated(stage):
    talk, fd = stage.connecting()
    talk.play("""
        < S 0 <mss 1460, sackok, ts, ws 5>
        < S 0 @0.9..2.5
        < S 0 @1.8..4
        > SA 0 ack 1 <mss 1000, sackok>
        < A 1 ack 1 <none>""")
    stage.wait_state(fd, ESTABLISHED)


@scene
def closed_ports_refuse(stage):
    stage.talk(999).play("> S 0 win 1000\n< RA 0 ack 1 <none>")
    stage.talk(999).play("> S 0:5 win 1000\n< RA 0 ack 6")
    stage.talk(999).play("> R 0 win 1000\n< nothing 0.3")
    talk = stage.talk(999)
    talk.guest_isn = 7000
    talk.play("> A 1 ack 77\n< R 77 <none>\n> RA 1 ack 77\n< nothing 0.3")


@scene
def refusal_reaches_the_program(stage):
    talk, fd = stage.connecting()
    talk.play("< S 0\n> RA 0 ack 1")
    stage.error(fd, 111)


@scene
def wrong_ack_of_a_syn_is_reset(stage):
    talk, fd = stage.connecting()
    talk.play("""
        < S 0
        > SA 0 ack 100 <mss 1000>
        < R 100
        > RA 0 ack 100
        < nothing 0.2
        > SA 0 ack 1 <mss 1000>
        < A 1 ack 1""")
    stage.wait_state(fd, ESTABLISHED)


@scene
def wrong_ack_of_a_syn_ack_is_reset(stage):
    listener, port = stage.listener()
    talk = stage.talk(port)
    talk.play("""
        > S 0 <mss 1000>
        < SA 0 ack 1
        > A 1 ack 500
        < R 500
        > A 1 ack 1""")
    stage.accept(listener)


@scene
def simultaneous_open(stage):
    talk, fd = stage.connecting()
    talk.play("""
        < S 0
        > S 0 <mss 1000>
        < SA 0 ack 1
        > A 1 ack 1""")
    stage.wait_state(fd, ESTABLISHED)
    talk.play("> PA 1:11 ack 1\n< A 1 ack 11")
    stage.receive(talk, fd, 1, 11)


@scene
def data_on_a_syn_comes_again(stage):
    listener, port = stage.listener()
    talk = stage.talk(port)
    talk.play("""
        > S 0:10 <mss 1000>
        < SA 0 ack 1
        > A 1 ack 1
        > PA 1:11 ack 1
        < A 1 ack 11""")
    stage.receive(talk, stage.accept(listener), 1, 11)


@scene
def data_with_the_third_segment(stage):
    listener, port = stage.listener()
    talk = stage.talk(port)
    talk.play("> S 0 <mss 1000>\n< SA 0 ack 1\n> PA 1:51 ack 1\n< A 1 ack 51")
    stage.receive(talk, stage.accept(listener), 1, 51)


# ---- sending again ----

@scene
def time_outs_double(stage):
    talk, fd = stage.opened()
    same("sent", stage.agent.call("send", fd, 100, 0), 100)
    # The probe of the tail, then time-outs.
    talk.play("""
        < A 1:101 ack 1
        < A 1:101 ack 1 @0.15..1.2
        < A 1:101 ack 1 @0.15..1.2
        < A 1:101 ack 1 @0.35..1.5
        < A 1:101 ack 1 @0.75..2.5
        < A 1:101 ack 1 @1.5..4
        > A 1 ack 101
        < nothing 0.5""")


@scene
def tail_is_probed(stage):
    talk, fd = stage.opened()
    same("sent", stage.agent.call("send", fd, 2000, 0), 2000)
    talk.play("""
        < A 1:1001 ack 1
        < A 1001:2001 ack 1
        < A 1001:2001 ack 1 @0..1
        > A 1 ack 1 <sack 1001:2001>
        < A 1:1001 ack 1 @0..1
        > A 1 ack 2001""")


@scene
def three_duplicates_without_sack(stage):
    talk, fd = stage.opened("mss 1000")
    same("sent", stage.agent.call("send", fd, 5000, 0), 5000)
    talk.play("""
        < A 1:1001
        < A 1001:2001
        < A 2001:3001
        < A 3001:4001
        < A 4001:5001
        > A 1 ack 1
        > A 1 ack 1
        > A 1 ack 1
        < A 1:1001 ack 1 @0..0.18
        > A 1 ack 5001
        < nothing 0.5""")


@scene
def sacks_bring_the_hole_back(stage):
    talk, fd = stage.opened()
    same("sent", stage.agent.call("send", fd, 6000, 0), 6000)
    talk.play("""
        < A 1:1001
        < A 1001:2001
        < A 2001:3001
        < A 3001:4001
        < A 4001:5001
        < A 5001:6001
        > A 1 ack 1001
        > A 1 ack 1001 <sack 2001:3001>
        > A 1 ack 1001 <sack 2001:4001>
        > A 1 ack 1001 <sack 2001:5001>
        < A 1001:2001 ack 1 @0..0.18
        > A 1 ack 6001
        < nothing 0.5""")


@scene
def a_single_sack_waits_for_reordering(stage):
    talk, fd = stage.opened()
    same("sent", stage.agent.call("send", fd, 4000, 0), 4000)
    talk.play("""
        < A 1:1001
        < A 1001:2001
        < A 2001:3001
        < A 3001:4001
        > A 1 ack 1 <sack 3001:4001>
        < A 1:1001 ack 1 @0.01..0.18
        > A 1 ack 1001 <sack 3001:4001>
        < A 1001:2001 ack 1 @0..0.18
        < A 2001:3001 ack 1 @0..0.18
        > A 1 ack 4001
        < nothing 0.5""")


@scene
def a_lie_about_sacks_does_no_harm(stage):
    talk, fd = stage.opened()
    same("sent", stage.agent.call("send", fd, 2000, 0), 2000)
    talk.play("""
        < A 1:1001
        < A 1001:2001
        > A 1 ack 1 <sack 5001:9001>
        > A 1 ack 1 <sack 2001:1>
        > A 1 ack 1 <sack 0:2001>
        > A 1 ack 2001
        < nothing 0.4""")
    same("state", stage.state(fd), ESTABLISHED)


@scene
def fin_is_repeated(stage):
    talk, fd = stage.opened()
    stage.agent.must("shutdown", fd, socket.SHUT_WR)
    talk.play("< FA 1 ack 1\n< FA 1 ack 1 @0.15..1.5\n> A 1 ack 2\n< nothing 0.6")


# ---- receiving out of order ----

@scene
def holes_are_reported(stage):
    talk, fd = stage.opened()
    talk.play("""
        > A 101:201 ack 1
        < A 1 ack 1 <sack 101:201>
        > A 301:401 ack 1
        < A 1 ack 1 <sack 301:401 101:201>
        > A 501:601 ack 1
        < A 1 ack 1 <sack 501:601 301:401 101:201>
        > A 201:301 ack 1
        < A 1 ack 1 <sack 101:401 501:601>
        > A 1:101 ack 1
        < A 1 ack 401 <sack 501:601>
        > A 401:501 ack 1
        < A 1 ack 601 <no sack>""")
    stage.receive(talk, fd, 1, 601)


@scene
def repeats_are_reported(stage):
    talk, fd = stage.opened()
    talk.play("""
        > A 1:101 ack 1
        < A 1 ack 101
        > A 1:101 ack 1
        < A 1 ack 101 <sack 1:101>
        > A 201:301 ack 1
        < A 1 ack 101 <sack 201:301>
        > A 201:301 ack 1
        < A 1 ack 101 <sack 201:301 201:301>
        > A 1:201 ack 1
        < A 1 ack 301""")
    stage.receive(talk, fd, 1, 301)


@scene
def without_sack_permitted_there_is_none(stage):
    talk, _ = stage.opened("mss 1000")
    talk.play("> A 101:201 ack 1\n< A 1 ack 1 <none>")


@scene
def overlaps_are_trimmed(stage):
    talk, fd = stage.opened()
    talk.play("""
        > A 51:151 ack 1
        < A 1 ack 1
        > A 101:251 ack 1
        < A 1 ack 1
        > A 1:301 ack 1
        < A 1 ack 301""")
    stage.receive(talk, fd, 1, 301)


@scene
def fin_out_of_order(stage):
    talk, fd = stage.opened()
    talk.play("> FA 101 ack 1\n< A 1 ack 1\n> A 1:101 ack 1\n< A 1 ack 102")
    stage.receive(talk, fd, 1, 101)
    same("end", stage.agent.receive(fd)[0], 0)


# ---- windows ----

@scene
def zero_windows_are_probed(stage):
    talk, fd = stage.opened()
    talk.play("> A 1 ack 1 win 0")
    time.sleep(0.1)
    same("sent", stage.agent.call("send", fd, 100, 0), 100)
    talk.play("""
        < A 0 ack 1 @0.1..2
        > A 1 ack 1 win 0
        < A 0 ack 1 @0.3..2
        > A 1 ack 1 win 0
        < A 0 ack 1 @0.7..3
        > A 1 ack 1 win 1000
        < A 1:101 ack 1
        > A 1 ack 101""")


@scene
def small_windows_wait_for_the_probe(stage):
    talk, fd = stage.opened()
    talk.play("> A 1:2 ack 1\n< A 1 ack 2\n> A 2 ack 1 win 100")
    time.sleep(0.1)
    same("sent", stage.agent.call("send", fd, 1000, 0), 1000)
    talk.play("""
        < A 1:101 ack 2 @0.1..2
        > A 2 ack 101 win 2000
        < A 101:1001 ack 2
        > A 2 ack 1001""")


@scene
def windows_are_scaled(stage):
    talk, fd = stage.opened("mss 1000, ws 2", win=1000)
    same("sent", stage.agent.call("send", fd, 9000, 0), 9000)
    talk.play("""
        < A 1:1001
        < A 1001:2001
        < A 2001:3001
        < A 3001:4001
        < nothing 0.1
        > A 1 ack 4001 win 500
        < A 4001:5001
        < A 5001:6001
        < nothing 0.1
        > A 1 ack 6001 win 60000
        < A 6001:7001
        < A 7001:8001
        < A 8001:9001
        > A 1 ack 9001""")


@scene
def a_window_may_shrink(stage):
    talk, fd = stage.opened(win=3000)
    same("sent", stage.agent.call("send", fd, 3000, 0), 3000)
    talk.play("""
        < A 1:1001
        < A 1001:2001
        < A 2001:3001
        > A 1 ack 1001 win 500""")
    time.sleep(1.2)  # what was sent outside the window is sent again or not, but nothing breaks
    talk.arrived.clear()
    talk.play("> A 1 ack 3001 win 3000")
    time.sleep(0.1)
    talk.arrived.clear()
    same("sent", stage.agent.call("send", fd, 100, 0), 100)
    talk.play("< A 3001:3101 ack 1\n> A 1 ack 3101")


@scene
def a_full_receiver_says_so(stage):
    talk, fd = stage.opened("mss 1000", options=((SOL, socket.SO_RCVBUF, 4096),))
    at = 1
    while True:
        talk.play(f"> A {at}:{at + 1000} ack 1")
        when, frame = talk.next_frame(5)
        while talk.arrived:
            when, frame = talk.next_frame(0)
        if not frame:
            raise Mismatch("no acknowledgement")
        acked = talk.relative(frame.ack, talk.isn)
        if acked < at + 1000 or frame.window < 1000:
            break
        at += 1000
    same("acknowledged", acked in (at, at + 1000), True)
    if frame.window:  # the next one fills it
        talk.play(f"> A {acked}:{acked + frame.window} ack 1")
        when, frame = talk.next_frame(5)
        acked = talk.relative(frame.ack, talk.isn)
    same("window", frame.window, 0)
    # A byte of room is not worth telling; all of it is.
    same("read", stage.agent.receive(fd, 10)[0], 10)
    talk.play("< nothing 0.2")
    same("read", stage.agent.receive(fd, 65536)[0], acked - 1 - 10)
    talk.play(f"< A 1 ack {acked} win >1000")


@scene
def data_outside_the_window_is_answered(stage):
    talk, fd = stage.opened()
    talk.play("> A 200001:200101 ack 1\n< A 1 ack 1")
    same("nothing", stage.agent.receive(fd)[0], -11)


# ---- timestamps ----

@scene
def old_timestamps_are_refused(stage):
    talk, fd = stage.opened("mss 1000, sackok, ts 100")
    talk.play("""
        > PA 1:101 ack 1 <ts 200>
        < A 1 ack 101 <ts 200>
        > PA 101:201 ack 1 <ts 150>
        < A 1 ack 101 <ts 200>
        > PA 101:201 ack 1 <ts 201>
        < A 1 ack 201 <ts 201>""")
    stage.receive(talk, fd, 1, 201)


@scene
def a_segment_without_timestamp_is_dropped(stage):
    """RFC 7323, 3.2: once agreed upon, every segment has one; Linux takes those without all the same."""
    talk, fd = stage.opened("mss 1000, sackok, ts 100")
    talk.play("> PA 1:101 ack 1\n< A 1 ack 101")
    stage.receive(talk, fd, 1, 101)


# ---- resets and blind attacks ----

@scene
def resets_must_be_exact(stage):
    talk, fd = stage.opened()
    talk.play("""
        > R 500
        < A 1 ack 1
        > R 500000
        < nothing 0.2""")
    same("state", stage.state(fd), ESTABLISHED)
    talk.play("> R 1\n< nothing 0.1")
    stage.error(fd, 104)
    same("state", stage.state(fd), CLOSE)


@scene
def syns_in_the_window_are_challenged(stage):
    talk, fd = stage.opened()
    talk.play("""
        > S 1
        < A 1 ack 1
        > S 5
        < nothing 0.1
        wait 0.6
        > S 5
        < A 1 ack 1""")
    same("state", stage.state(fd), ESTABLISHED)


@scene
def acks_far_from_the_window_are_not_believed(stage):
    talk, fd = stage.opened()
    talk.play("""
        > PA 1:11 ack 5000
        < A 1 ack 1
        wait 0.6
        > PA 1:11 ack -100000
        < A 1 ack 1""")
    same("nothing", stage.agent.receive(fd)[0], -11)


@scene
def a_bad_checksum_is_dropped(stage):
    talk, fd = stage.opened()
    segment = bytearray(frames.tcp(PEER, GUEST, talk.peer_port, talk.port, "A", talk.isn + 1, talk.guest_isn + 1, 1000, b"xxxx"))
    segment[-1] ^= 1
    stage.link.send_ip(PEER, GUEST, frames.TCP, bytes(segment))
    talk.play("< nothing 0.2\n> PA 1:5 ack 1\n< A 1 ack 5")
    stage.receive(talk, fd, 1, 5)


@scene
def nonsense_of_flags_is_survived(stage):
    talk, fd = stage.opened()
    for flags in (".", "F", "U", "P", "FPU", "SF", "SFRPAUEC"):
        talk.play(f"> {flags} 400000")
    time.sleep(0.7)
    talk.arrived.clear()
    talk.play("> PA 1:5 ack 1\n< A 1 ack 5")
    stage.receive(talk, fd, 1, 5)


# ---- closing ----

@scene
def the_guest_closes_first(stage):
    talk, fd = stage.opened()
    stage.agent.must("close", fd)
    talk.play("""
        < FA 1 ack 1
        > A 1 ack 2
        > FA 1 ack 2
        < A 2 ack 2
        wait 0.6
        > FA 1 ack 2
        < A 2 ack 2""")


@scene
def the_peer_closes_first(stage):
    talk, fd = stage.opened()
    talk.play("> FA 1 ack 1\n< A 1 ack 2")
    same("end", stage.agent.receive(fd)[0], 0)
    same("state", stage.state(fd), CLOSE_WAIT)
    same("sent", stage.agent.call("send", fd, 50, 0), 50)
    talk.play("< A 1:51 ack 2\n> A 2 ack 51")
    stage.agent.must("close", fd)
    talk.play("< FA 51 ack 2\n> A 2 ack 52\n> A 2 ack 52\n< R 52")


@scene
def both_close_at_once(stage):
    talk, fd = stage.opened()
    stage.agent.must("close", fd)
    talk.play("< FA 1 ack 1\n> FA 1 ack 1\n< A 2 ack 2\n> A 2 ack 2\n< nothing 0.3")


@scene
def half_closed_still_receives(stage):
    talk, fd = stage.opened()
    stage.agent.must("shutdown", fd, socket.SHUT_WR)
    talk.play("< FA 1 ack 1\n> A 1 ack 2")
    stage.wait_state(fd, FIN_WAIT2)
    talk.play("> PA 1:101 ack 2\n< A 2 ack 101\n> FA 101 ack 2\n< A 2 ack 102")
    stage.receive(talk, fd, 1, 101)
    same("end", stage.agent.receive(fd)[0], 0)


@scene
def data_for_a_closed_socket_is_reset(stage):
    talk, fd = stage.opened()
    stage.agent.must("close", fd)
    talk.play("< FA 1 ack 1\n> A 1 ack 2\n> PA 1:11 ack 2\n< R 2")


@scene
def unread_data_make_a_reset(stage):
    talk, fd = stage.opened()
    talk.play("> PA 1:11 ack 1\n< A 1 ack 11")
    stage.agent.must("close", fd)
    talk.play("< RA 1 ack 11")


@scene
def linger_zero_resets(stage):
    talk, fd = stage.opened()
    stage.agent.must("set", fd, SOL, socket.SO_LINGER, "x" + struct.pack("<ii", 1, 0).hex())
    stage.agent.must("close", fd)
    talk.play("< RA 1 ack 1\n> A 1 ack 1\n< R 1")


@scene
def time_wait_gives_way_to_a_new_connection(stage):
    listener, port = stage.listener()
    talk = stage.talk(port, isn=1000000)
    talk.play("> S 0 <mss 1000>\n< SA 0 ack 1\n> A 1 ack 1")
    fd = stage.accept(listener)
    stage.agent.must("close", fd)
    talk.play("< FA 1 ack 1\n> FA 1 ack 2\n< A 2 ack 2")
    first, old = talk.guest_isn, talk.peer_port
    # An old SYN gets an acknowledgement, a new one a connection whose numbers are beyond the old one's.
    talk.play("> S -50 <mss 1000>\n< A 2 ack 2")
    again = stage.talk(port, peer_port=old, isn=2000000)
    again.play("> S 0 <mss 1000>\n< SA 0 ack 1\n> A 1 ack 1")
    same("later", again.relative(again.guest_isn, first) > 2, True)
    stage.accept(listener)


@scene
def a_reset_in_time_wait_is_survived(stage):
    talk, fd = stage.opened()
    stage.agent.must("close", fd)
    talk.play("< FA 1 ack 1\n> FA 1 ack 2\n< A 2 ack 2\n> R 900\n< nothing 0.1\n> FA 1 ack 2\n< A 2 ack 2")


@scene
def nobody_waits_for_ever_in_fin_wait_2(stage):
    talk, fd = stage.opened(options=((TCP, socket.TCP_LINGER2, 1),))
    stage.agent.must("close", fd)
    talk.play("< FA 1 ack 1\n> A 1 ack 2\nwait 1.5\n> FA 1 ack 2\n< R 2")


# ---- when to send ----

@scene
def small_segments_wait_for_the_ack(stage):
    talk, fd = stage.opened()
    for _ in range(3):
        same("sent", stage.agent.call("send", fd, 10, 0), 10)
    talk.play("< A 1:11\n< nothing 0.1\n> A 1 ack 11\n< A 11:31\n> A 1 ack 31")


@scene
def nodelay_does_not_wait(stage):
    talk, fd = stage.opened(options=(NODELAY,), rtt=0.5)
    for _ in range(3):
        same("sent", stage.agent.call("send", fd, 10, 0), 10)
    talk.play("< A 1:11\n< A 11:21\n< A 21:31\n> A 1 ack 31")


@scene
def cork_gathers(stage):
    talk, fd = stage.opened()
    stage.agent.must("set", fd, TCP, socket.TCP_CORK, 1)
    for _ in range(3):
        same("sent", stage.agent.call("send", fd, 10, 0), 10)
    stage.agent.must("set", fd, TCP, socket.TCP_CORK, 0)
    talk.play("< A 1:31\n> A 1 ack 31")


@scene
def corks_do_not_hold_for_ever(stage):
    talk, fd = stage.opened()
    stage.agent.must("set", fd, TCP, socket.TCP_CORK, 1)
    same("sent", stage.agent.call("send", fd, 10, 0), 10)
    talk.play("< A 1:11 @0.15..2\n> A 1 ack 11")


@scene
def every_second_segment_is_acknowledged_at_once(stage):
    talk, fd = stage.opened("mss 1000")
    stage.agent.must("set", fd, TCP, socket.TCP_QUICKACK, 0)
    same("sent", stage.agent.call("send", fd, 1, 0), 1)
    talk.play("""
        < A 1:2 ack 1
        > A 1 ack 2
        > A 1:1001 ack 2
        > A 1001:2001 ack 2
        < A 2 ack 2001 @0..0.5""")


@scene
def the_window_of_congestion_begins_at_ten(stage):
    talk, fd = stage.opened()
    same("sent", stage.agent.call("send", fd, 30000, 0), 30000)
    for at in range(1, 10001, 1000):
        talk.play(f"< A {at}:{at + 1000}")
    # The eleventh is the probe of the tail, then there is a time-out.
    talk.play("< A 10001:11001 @0.05..1\n< A 1:1001 @0.1..1\n> R 1")


# ---- urgent data, keep-alive ----

@scene
def urgent_data_out(stage):
    talk, fd = stage.opened()
    same("sent", stage.agent.call("send", fd, 5, socket.MSG_OOB), 5)
    talk.play("< UA 1:6 ack 1 urg 5\n> A 1 ack 6")


@scene
def urgent_data_in(stage):
    talk, fd = stage.opened()
    talk.play("> UPA 1:11 ack 1 urg 5\n< A 1 ack 11")
    same("poll", stage.agent.call("poll", fd, 2, 20000) & 2, 2)
    count, crc, _, _ = stage.agent.receive(fd, 1, socket.MSG_OOB)
    same("urgent", (count, crc), (1, talk.crc(5, 6)))
    same("before", stage.agent.receive(fd)[0], 4)
    same("at the mark", stage.agent.call("ioctl", fd, 0x8905), 1)
    same("behind", stage.agent.receive(fd)[0], 5)


KEEP = ((SOL, socket.SO_KEEPALIVE, 1), (TCP, socket.TCP_KEEPIDLE, 1), (TCP, socket.TCP_KEEPINTVL, 1), (TCP, socket.TCP_KEEPCNT, 2))


@scene
def keep_alive(stage):
    talk, fd = stage.opened(options=KEEP)
    talk.play("""
        < A 0 ack 1 @0.9..2.5
        > A 1 ack 1
        < A 0 ack 1 @0.9..2.5
        < A 0 ack 1 @0.9..2.5
        < RA 1 ack 1 @0.9..2.5""")
    stage.error(fd, 110)


@scene
def user_timeout(stage):
    talk, fd = stage.opened(options=((TCP, 18, 1000),))
    same("sent", stage.agent.call("send", fd, 10, 0), 10)
    stage.error(fd, 110)


# ---- the size of segments ----

@scene
def segment_size_is_the_peers(stage):
    talk, fd = stage.opened("mss 400")
    same("sent", stage.agent.call("send", fd, 800, 0), 800)
    talk.play("< A 1:401\n< A 401:801\n> A 1 ack 801")


@scene
def maxseg_is_obeyed(stage):
    talk, fd = stage.connecting(options=((TCP, socket.TCP_MAXSEG, 700),))
    talk.play("< S 0 <mss 700>\n> SA 0 ack 1 <mss 1460>\n< A 1 ack 1")
    stage.agent.must("set", fd, *NODELAY)
    same("sent", stage.agent.call("send", fd, 1000, 0), 1000)
    talk.play("< A 1:701\n< A 701:1001\n> A 1 ack 1001")


@scene
def path_mtu_over_ipv4(stage):
    listener, port = stage.listener()
    peer = "198.51.100.7"  # the path is of this address alone
    talk = Talk(stage.link, port, peer=peer)
    talk.play("> S 0 <mss 1460>\n< SA 0 ack 1\n> A 1 ack 1")
    fd = stage.accept(listener)
    same("sent", stage.agent.call("send", fd, 1460, 0), 1460)
    talk.play("< A 1:1461")
    same("do not fragment", talk.got.df, True)
    # One about something that was never sent is not believed.
    stray = frames.parse(talk.got.raw)
    stray.raw = stray.raw[:14 + 20 + 4] + struct.pack(">I", stray.seq - 100000 & 0xFFFFFFFF) + stray.raw[14 + 20 + 8:]
    talk.icmp_error(3, 4, stray, rest=struct.pack(">HH", 0, 700), source=PEER)
    talk.icmp_error(3, 4, rest=struct.pack(">HH", 0, 1000), source=PEER)
    talk.play("< A 1:961 ack 1 @0..1.5\n< A 961:1461 ack 1\n> A 1 ack 1461")


@scene
def path_mtu_over_ipv6(stage):
    listener, port = stage.listener(socket.AF_INET6)
    talk = Talk(stage.link, port, guest=GUEST6, peer="2001:db8::7")
    talk.play("> S 0 <mss 1440>\n< SA 0 ack 1\n> A 1 ack 1")
    fd = stage.accept(listener)
    same("sent", stage.agent.call("send", fd, 1440, 0), 1440)
    talk.play("< A 1:1441")
    talk.icmp_error(2, 0, rest=struct.pack(">I", 1300), source=PEER6)
    talk.play("< A 1:1241 ack 1 @0..1.5")
    talk.arrived.clear()
    talk.play("> A 1 ack 1441")


@scene
def icmp_ends_a_connecting_socket(stage):
    talk, fd = stage.connecting()
    talk.play("< S 0")
    talk.icmp_error(3, 3)
    stage.error(fd, 111)


@scene
def icmp_does_not_end_an_open_one(stage):
    talk, fd = stage.opened()
    same("sent", stage.agent.call("send", fd, 10, 0), 10)
    talk.play("< A 1:11")
    talk.icmp_error(3, 1)
    time.sleep(0.1)
    same("state", stage.state(fd), ESTABLISHED)
    talk.arrived.clear()
    talk.play("> A 1 ack 11")


# ---- settings of the whole machine ----

FLOOD = [f"10.9.0.{host}" for host in range(10, 250)]


def flood(stage, port, count):
    """SYNs from everywhere that nobody follows up; how many were answered."""
    stage.link.peers.update(FLOOD)
    answers = stage.link.count(lambda frame: frame.sport == port)
    for number in range(count):
        source = FLOOD[number % len(FLOOD)]
        segment = frames.tcp(source, GUEST, 1024 + number // len(FLOOD), port, "S", number * 64123, 0, 1000, b"", b"\2\4\5\xb4")
        stage.link.send_ip(source, GUEST, frames.TCP, segment)
        if number % 200 == 199:
            time.sleep(0.02)
    answers = stage.link.count(lambda frame: frame.sport == port and "S" in (frame.flags or ""), 1)
    return answers


def memory_free(agent):
    return int(next(line for line in agent.show("/proc/meminfo") if line.startswith("MemAvailable:")).split()[1])


@scene_alone
def a_flood_of_syns_with_cookies(stage):
    listener, port = stage.listener(backlog=16)
    before = memory_free(stage.agent)
    answers = flood(stage, port, 4000)
    if answers < 1000:
        raise Mismatch(f"{answers} answers")
    talk = stage.talk(port)
    talk.play("> S 0 win 65535 <mss 1000, sackok, ts 100, ws 7>\n< SA 0 ack 1 <sackok, ts 100>\n> A 1 ack 1 <ts 101>")
    fd = stage.accept(listener)
    talk.play("> PA 1:11 ack 1 <ts 102>\n< A 1 ack 11")
    stage.receive(talk, fd, 1, 11)
    # One that this guest has never given out.
    forged = stage.talk(port)
    forged.guest_isn = 12345
    forged.play("> A 1 ack 1\n< R 1")
    used = before - memory_free(stage.agent)
    if used > 8192:
        raise Mismatch(f"{used} KiB in use")


@scene_alone
def a_flood_of_syns_without_cookies(stage):
    stage.agent.put("/proc/sys/net/ipv4/tcp_syncookies", "0")
    stage.agent.put("/proc/sys/net/ipv4/tcp_synack_retries", "1")
    try:
        listener, port = stage.listener(backlog=16)
        before = memory_free(stage.agent)
        flood(stage, port, 4000)
        used = before - memory_free(stage.agent)
        if used > 8192:
            raise Mismatch(f"{used} KiB in use")
        # Unanswered requests expire, and a stubborn peer gets through.
        talk = stage.talk(port)
        deadline = time.monotonic() + 30
        while talk.guest_isn is None:
            talk.play("> S 0 win 65535 <mss 1000>")
            when, frame = talk.next_frame(1)
            if frame:
                talk.guest_isn = frame.seq
            elif time.monotonic() > deadline:
                raise Mismatch("the listener does not answer any more")
        talk.play("> A 1 ack 1")
        stage.accept(listener)
    finally:
        stage.agent.put("/proc/sys/net/ipv4/tcp_synack_retries", "5")
        stage.agent.put("/proc/sys/net/ipv4/tcp_syncookies", "1")


@scene_alone
def cookies_always(stage):
    stage.agent.put("/proc/sys/net/ipv4/tcp_syncookies", "2")
    try:
        talk, fd = stage.opened("mss 1300, sackok, ts 100, ws 6", family=socket.AF_INET6)
        talk.play("> PA 1:11 ack 1 <ts 102>\n< A 1 ack 11")
        stage.receive(talk, fd, 1, 11)
        talk, fd = stage.opened("mss 700")
        same("sent", stage.agent.call("send", fd, 500, 0), 500)
        talk.play("< A 1:501\n> A 1 ack 501")
    finally:
        stage.agent.put("/proc/sys/net/ipv4/tcp_syncookies", "1")


def play(function, agent, link, prefix):
    try:
        function(Stage(agent, link))
    except (Mismatch, struct.error, ValueError, IndexError, AttributeError, TypeError) as error:
        return Result(f"{prefix}/{function.__name__}", False, f"{type(error).__name__}: {error}")
    return Result(f"{prefix}/{function.__name__}", True)


def perform(prefix, agent, link, together, one_by_one):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda function: play(function, agent, link, prefix), together))
    return results + [play(function, agent, link, prefix) for function in one_by_one]


def test_segments(ctx, smp):
    with segments.scripted(ctx, smp) as (agent, link):
        return perform(ctx.name, agent, link, scenes, alone)
