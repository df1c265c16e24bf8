# SPDX-License-Identifier: MIT
"""Debian's network programs in the guest, with peers on this host: HTTPS by curl, OpenSSH with 100 MiB each way, nginx
with 1,000 files for a parallel client, iperf3, redis and wrk.

The disk has no init: Alpine's shell mounts it and runs the programs in a chroot, with the network from udhcpc.
"""
import concurrent.futures
import contextlib
import hashlib
import json
import os
import subprocess
import sys
import time
import urllib.request

from kevlar_lib import disks, host, servers

sys.path.insert(0, str(host.ROOT / "tests/system"))
from test_apps import Ssh, check, copy_both_ways  # noqa: E402

PROMPT = r"# \x1b\[6n"
ENTER = ("mkdir /deb && mount -o rw /dev/vda /deb && mount -t proc proc /deb/proc && mount --rbind /dev /deb/dev && "
         "mount --rbind /sys /deb/sys && mount -t tmpfs tmp /deb/run && mount -t tmpfs tmp /deb/tmp && ip link set lo up && "
         "ip link set eth0 up && udhcpc -i eth0 -n -q -t 10 2>&1")
FILES = 1000


@contextlib.contextmanager
def debian(ctx, smp, *ports, memory="1G"):
    disk = disks.copy(disks.disk("servers"), ctx.work / "servers.img")
    with ctx.machine(smp=smp, memory=memory, net="user", ports=list(ports), disks=[disk], loglevel=4) as guest:
        guest.expect(PROMPT, 120)
        check(guest, ENTER, "lease of 10.0.2.15 obtained", timeout=120)
        yield guest


def chroot(guest, command, *wanted, **options):
    assert "'" not in command
    return check(guest, f"chroot /deb bash -c '{command}'", *wanted, **options)


def settled(condition, seconds=60):
    """Waits until the guest's server answers."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return condition()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def test_https(ctx):
    made = servers.certificates(ctx.work / "tls")
    site = ctx.work / "site"
    site.mkdir(exist_ok=True)
    data = os.urandom(8 << 20)
    (site / "data").write_bytes(data)
    with (servers.web(made) as keys, servers.web(site, made / "right.pem") as right,
          servers.web(site, made / "wrong.pem") as wrong, debian(ctx, 2) as guest):
        chroot(guest, f"curl -sS -o /tmp/ca.pem http://10.0.2.2:{keys}/ca.pem")
        curl = "curl -sS --cacert /tmp/ca.pem"
        chroot(guest, f"{curl} https://host.test:{right}/data | sha256sum", hashlib.sha256(data).hexdigest(), timeout=200)
        chroot(guest, f"{curl} -o /dev/null https://10.0.2.2:{right}/data", timeout=200)
        chroot(guest, f"{curl} https://host.test:{wrong}/data 2>&1", "self-signed certificate", status=60)
        chroot(guest, f"curl -sS -o /tmp/wrong.crt http://10.0.2.2:{keys}/wrong.crt")
        chroot(guest, f"curl -sS --cacert /tmp/wrong.crt https://host.test:{right}/data 2>&1", "unable to get local issuer",
               status=60)
        chroot(guest, f"{curl} --resolve other.test:{right}:10.0.2.2 https://other.test:{right}/data 2>&1",
               "no alternative certificate subject name matches", status=60)


def test_ssh(ctx):
    port = servers.free_port()
    ssh = Ssh(ctx.work, port)
    with debian(ctx, 2, f"{port}:22") as guest:
        chroot(guest, f"mkdir -p -m 700 /root/.ssh /run/sshd && echo \"{ssh.public}\" > /root/.ssh/authorized_keys && "
               "/usr/sbin/sshd")
        assert ssh.run("tty; cat /etc/debian_version").startswith(b"not a tty\n12.")
        copy_both_ways(ssh, 100 << 20, 1200)
        # A terminal of its own.
        terminal = subprocess.run([ssh.command[0], "-tt", *ssh.command[1:], "tty; ss -tn"], stdin=subprocess.DEVNULL,
                                  capture_output=True, timeout=60)
        assert b"/dev/pts/" in terminal.stdout and b"10.0.2.15:22" in terminal.stdout, terminal


def test_nginx(ctx, smp):
    port = servers.free_port()
    with debian(ctx, smp, f"{port}:80") as guest:
        chroot(guest, f"cd /var/www/html && for i in $(seq {FILES}); do seq $i $((i + 3000)) > $i; done; nginx", timeout=200)
        settled(lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/1", timeout=20).read())

        def fetch(number):
            body = urllib.request.urlopen(f"http://127.0.0.1:{port}/{number}", timeout=60).read()
            return body == "".join(f"{line}\n" for line in range(number, number + 3001)).encode()

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            right = sum(pool.map(fetch, range(1, FILES + 1)))
        assert right == FILES, f"{right} of {FILES} files are right"
        output = chroot(guest, "wrk -t 2 -c 50 -d 10s http://127.0.0.1:80/1", "Requests/sec", timeout=120)
        assert "Non-2xx" not in output and "Socket errors" not in output, output
        chroot(guest, "nginx -s stop; ss -tan state listening", timeout=60)


def test_iperf3(ctx):
    port = servers.free_port()
    with debian(ctx, 2, f"{port}:5201") as guest:
        host.need("iperf3")
        # Its server has no listening socket for a moment after each test.
        listening = "until ss -tlnp | grep 5201; do sleep 0.2; done"
        chroot(guest, f"iperf3 -s -D; {listening}", "iperf3")
        for words in ("", "-R", "-P 4", "-u -b 50M -l 1400", "-u -b 50M -l 1400 -R"):
            client = f"iperf3 -J -t 3 -c 127.0.0.1 {words}"
            report = json.loads(chroot(guest, client, timeout=90))
            chroot(guest, listening)
            assert not report.get("error"), report
            total = report["end"].get("sum_received") or report["end"]["sum"]
            assert total["bytes"] > 1 << 20, f"{words}: {total}"
        # From this host, both ways: through the forward.
        for words in ([], ["-R"]):
            done = subprocess.run(["iperf3", "-J", "-t", "3", "-c", "127.0.0.1", "-p", str(port), *words],
                                  capture_output=True, text=True, timeout=90)
            report = json.loads(done.stdout)
            assert not report.get("error") and report["end"]["sum_received"]["bytes"] > 1 << 20, done.stdout
            chroot(guest, listening)


def test_tools(ctx):
    """iproute2's ss and ip, with what they show and change."""
    with debian(ctx, 2) as guest:
        chroot(guest, "nginx; sleep 1; ss -tlnp", "users:((\"nginx\"", "0.0.0.0:80")
        chroot(guest, "curl -s -o /dev/null http://127.0.0.1/; ss -tan state time-wait", "127.0.0.1:80")
        chroot(guest, "ss -tlnH sport = :80 | wc -l", "2")
        chroot(guest, "ss -tlnH sport = :81 | wc -l", "0")
        chroot(guest, "ss -xa; ss -uan; ss -s; ss -tie state all", "u_str", "cubic")
        chroot(guest, "ip link add va type veth peer name vb && ip addr add 10.5.0.1/24 dev va && ip link set va up && "
               "ip link set vb up && ip -d link show va; ip route", "va@vb", "veth", "10.5.0.0/24 dev va")
        chroot(guest, "ip link add d0 type dummy && ip link set d0 up mtu 9000 && ip -br link show d0; ip link del va; "
               "ip link del d0; ip -br link", "d0")
        chroot(guest, "ip link show va 2>&1", "does not exist", status=1)


def test_redis(ctx, smp):
    with debian(ctx, smp) as guest:
        chroot(guest, "redis-server --daemonize yes --dir /tmp --unixsocket /tmp/redis.sock > /tmp/log; "
               "for i in 1 2 3 4 5 6 7 8 9; do redis-cli ping 2>/dev/null && break; sleep 1; done", "PONG")
        tests = "-q -n 5000 -t ping_inline,set,get,incr,lpush,lrange_100,mset"
        for words in ("-c 20", "-c 20 -P 16", "-c 10 -s /tmp/redis.sock"):
            output = chroot(guest, f"redis-benchmark {words} {tests} | tr \"\\r\" \"\\n\" | grep \"requests per second\"",
                            "SET:", "LRANGE", timeout=300)
            assert "rror" not in output, output
        chroot(guest, "redis-cli set k v && redis-cli save && redis-cli get k && redis-cli shutdown", "OK", "v")
