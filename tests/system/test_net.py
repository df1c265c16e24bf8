# SPDX-License-Identifier: MIT
"""Alpine on QEMU's user network: DHCP, ping, DNS, HTTP, apk with signed packages.

The servers are on this host's loopback, which the guest reaches as 10.0.2.2.
"""
import base64
import gzip
import hashlib
import io
import os
import socket
import socketserver
import struct
import subprocess
import tarfile
import threading

from kevlar_lib import disks, fetch, host
from kevlar_lib.servers import free_port, serving, web

PROMPT = r"# \x1b\[6n"


class Names(socketserver.BaseRequestHandler):
    """A name server that knows one name: kevlar.test is 192.0.2.7, everything else does not exist."""

    def handle(self):
        query, reply = self.request
        labels, position = [], 12
        while query[position]:
            labels.append(query[position + 1:position + 1 + query[position]])
            position += 1 + query[position]
        question = query[12:position + 5]
        kind = struct.unpack_from(">H", question, len(question) - 4)[0]
        known = b".".join(labels).lower() == b"kevlar.test"
        answers = known and kind == 1
        header = query[:2] + struct.pack(">HHHHH", 0x8180 if known else 0x8183, 1, int(answers), 0, 0)
        record = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + bytes([192, 0, 2, 7]) if answers else b""
        reply.sendto(header + question + record, self.client_address)


def start(ctx, smp, machine="q35", **options):
    guest = ctx.machine(smp=smp, net="user", machine=machine, **options)
    guest.expect(PROMPT, 60)
    status, output = guest.shell("ip link set lo up && ip link set eth0 up && udhcpc -i eth0 -n -q -t 10 2>&1", 60)
    assert status == 0 and "lease of 10.0.2.15 obtained" in output, output
    return guest


def check(guest, command, *wanted, status=0, timeout=60):
    got, output = guest.shell(command, timeout)
    assert got == status, f"{command}: status {got}\n{output}"
    for text in wanted:
        assert text in output, f"{command}: no {text!r} in\n{output}"
    return output


def test_dhcp(ctx, smp):
    with start(ctx, smp) as guest:
        check(guest, "ip addr show eth0", "inet 10.0.2.15/24")
        check(guest, "ip route", "default via 10.0.2.2 dev eth0", "10.0.2.0/24 dev eth0")
        check(guest, "ping -c 3 -W 5 10.0.2.2", "3 packets received")
        check(guest, "ping -c 3 -W 5 127.0.0.1", "3 packets received")
        check(guest, "cat /etc/resolv.conf", "nameserver 10.0.2.3")
        check(guest, "arp -n", "52:55:0a:00:02:02")
        check(guest, "ifconfig eth0", "inet addr:10.0.2.15", "RUNNING")
        check(guest, "route -n", "10.0.2.2")
        check(guest, "cat /proc/net/dev", "eth0:")
        check(guest, "ip route get 192.0.2.1", "via 10.0.2.2 dev eth0", "src 10.0.2.15")
        check(guest, "ip link set eth0 down; ip route; ping -c 1 10.0.2.2 2>&1", "unreachable", status=1)


def test_microvm(ctx):
    with start(ctx, 1, machine="microvm") as guest:
        check(guest, "ping -c 2 -W 5 10.0.2.2", "2 packets received")


def test_names(ctx):
    with serving(socketserver.ThreadingUDPServer(("127.0.0.1", 0), Names)) as port, start(ctx, 1) as guest:
        check(guest, f"nslookup -port={port} kevlar.test 10.0.2.2", "192.0.2.7")
        check(guest, f"nslookup -port={port} other.test 10.0.2.2 2>&1", "NXDOMAIN", status=1)


def test_http(ctx, smp):
    folder = ctx.work / "web"
    folder.mkdir(exist_ok=True)
    data = os.urandom(8 << 20)
    (folder / "data").write_bytes(data)
    with web(folder) as port, start(ctx, smp) as guest:
        check(guest, f"wget -q -O /tmp/data http://10.0.2.2:{port}/data && md5sum /tmp/data",
              hashlib.md5(data).hexdigest(), timeout=120)
        check(guest, f"wget -q -O - http://10.0.2.2:{port}/missing 2>&1", "404", status=1)
        # Eight at once.
        check(guest, f"for i in 1 2 3 4 5 6 7 8; do wget -q -O /tmp/d$i http://10.0.2.2:{port}/data & done; wait; "
                     "md5sum /tmp/d? | cut -c1-32 | sort | uniq -c", f"8 {hashlib.md5(data).hexdigest()}", timeout=180)
        check(guest, "wget -q -O - -T 5 http://10.0.2.2:1/ 2>&1", "refused", status=1)


def test_server_in_guest(ctx, smp):
    """The host connects to a port of the guest's."""
    port = free_port()
    with start(ctx, smp, ports=[f"{port}:80"]) as guest:
        check(guest, "nc -ll -p 80 -e cat </dev/null >/dev/null 2>&1 & sleep 1; netstat -tln", ":80 ")
        data = os.urandom(300000)
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", port), 20) as connection:
                connection.settimeout(60)
                sender = threading.Thread(target=lambda: (connection.sendall(data), connection.shutdown(socket.SHUT_WR)))
                sender.start()
                got = bytearray()
                while block := connection.recv(65536):
                    got += block
                sender.join()
                assert bytes(got) == data, f"{len(got)} of {len(data)} bytes came back"


# ---- packages ----

def tar_member(archive, name, data, checksum=False):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    info.mode = 0o755
    if name.endswith("/"):
        info.type = tarfile.DIRTYPE
    elif checksum:
        info.pax_headers = {"APK-TOOLS.checksum.SHA1": hashlib.sha1(data).hexdigest()}
    archive.addfile(info, io.BytesIO(data))


def tar_gz(members, end):
    """A gzip stream of a tar archive, without the blocks of zeros that end it unless `end`."""
    room = io.BytesIO()
    archive = tarfile.open(fileobj=room, mode="w", format=tarfile.PAX_FORMAT)
    for name, data, checksum in members:
        tar_member(archive, name, data, checksum)
    length = archive.offset
    archive.close()
    raw = room.getvalue()
    return gzip.compress(raw if end else raw[:length], mtime=0)


def sign(key, data):
    done = subprocess.run(["openssl", "dgst", "-sha1", "-sign", key], input=data, capture_output=True, check=True)
    return done.stdout


def repository(folder, signed):
    """A repository of one package, hello, made and signed here; returns the name of its public key."""
    host.need("openssl")
    folder.mkdir(parents=True, exist_ok=True)
    key, public = folder / "test.rsa", folder / "test.rsa.pub"
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
    subprocess.run(["openssl", "rsa", "-in", key, "-pubout", "-out", public], check=True, capture_output=True)
    data = tar_gz([("usr/", b"", True), ("usr/bin/", b"", True),
                   ("usr/bin/hello", b"#!/bin/sh\necho hello from a package\n", True)], True)
    info = ("pkgname = hello\npkgver = 1.0-r0\npkgdesc = a test\nurl = https://example.org\narch = x86_64\n"
            f"size = 100\nlicense = MIT\ndatahash = {hashlib.sha256(data).hexdigest()}\n").encode()
    control = tar_gz([(".PKGINFO", info, False)], False)
    package = control + data
    if signed:
        package = tar_gz([(".SIGN.RSA.test.rsa.pub", sign(key, control), False)], False) + package
    place = folder / "x86_64"
    place.mkdir(exist_ok=True)
    (place / "hello-1.0-r0.apk").write_bytes(package)
    checksum = "Q1" + base64.b64encode(hashlib.sha1(control).digest()).decode()
    index = (f"C:{checksum}\nP:hello\nV:1.0-r0\nA:x86_64\nS:{len(package)}\nI:100\nT:a test\n"
             "U:https://example.org\nL:MIT\n\n").encode()
    listing = tar_gz([("DESCRIPTION", b"test", False), ("APKINDEX", index, False)], True)
    if signed:
        listing = tar_gz([(".SIGN.RSA.test.rsa.pub", sign(key, listing), False)], False) + listing
    (place / "APKINDEX.tar.gz").write_bytes(listing)
    return public


def test_apk_own_repository(ctx, smp):
    signed, unsigned = ctx.work / "signed", ctx.work / "unsigned"
    public = repository(signed, True)
    repository(unsigned, False)
    with web(signed) as port, web(unsigned) as other, start(ctx, smp) as guest:
        apk = f"apk --repositories-file /dev/null -X http://10.0.2.2:{port}"
        output = check(guest, f"{apk} --no-cache add hello 2>&1", status=1, timeout=120)
        assert "UNTRUSTED" in output or "untrusted" in output, output
        check(guest, f"wget -q -O /etc/apk/keys/{public.name} http://10.0.2.2:{port}/{public.name}")
        check(guest, f"{apk} --no-cache add hello 2>&1", "Installing hello (1.0-r0)", timeout=120)
        check(guest, "hello", "hello from a package")
        check(guest, "apk info -e hello", "hello")
        check(guest, f"{apk} --no-cache del hello 2>&1", "Purging hello")
        check(guest, "hello 2>&1", "not found", status=127)
        output = check(guest, f"apk --repositories-file /dev/null -X http://10.0.2.2:{other} --no-cache add hello 2>&1",
                       status=1, timeout=120)
        assert "UNTRUSTED" in output or "untrusted" in output, output


def test_apk_alpine(ctx):
    """Alpine's own signed packages, from where `make` finds them; they are the release's that the disk is of."""
    packages = fetch.fetch(disks.ALPINE_RELEASE).parent / "packages-3.19"
    # Tests send packets to this host alone: there is no falling back to Alpine's mirror.
    assert packages.is_dir(), "packages-3.19 is not beside the release: KEVLAR_DOWNLOADS names a folder that has it"
    with web(packages) as port, start(ctx, 2) as guest:
        guest.shell(f"echo http://10.0.2.2:{port} > /etc/apk/repositories")
        check(guest, "apk update 2>&1", "OK:", timeout=120)
        check(guest, "apk add pcre2 doas 2>&1", "Installing doas", "OK:", timeout=120)
        check(guest, "doas -C /etc/doas.conf 2>&1; apk info -e doas", "doas")
        check(guest, "apk del doas 2>&1", "Purging doas")
