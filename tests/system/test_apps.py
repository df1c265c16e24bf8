# SPDX-License-Identifier: MIT
"""What people run: Alpine from its disk with OpenRC's networking and sshd, its packages, HTTPS, SSH.

One boot for all: the login takes longer than the checks.
"""
import hashlib
import os
import subprocess

from kevlar_lib import disks, fetch, host, servers


def check(guest, command, *wanted, status=0, timeout=60):
    got, output = guest.shell(command, timeout)
    assert got == status, f"{command}: status {got}\n{output}"
    for text in wanted:
        assert text in output, f"{command}: no {text!r} in\n{output}"
    return output


class Ssh:
    """OpenSSH's client on this host, with a key of its own."""

    def __init__(self, folder, port):
        host.need("ssh", "ssh-keygen")
        self.key = folder / "key"
        self.key.unlink(missing_ok=True)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key], check=True)
        self.public = self.key.with_suffix(".pub").read_text().strip()
        self.command = ["ssh", "-F", "none", "-i", self.key, "-p", str(port), "-o", "StrictHostKeyChecking=no", "-o",
                        f"UserKnownHostsFile={folder}/known", "-o", "BatchMode=yes", "root@127.0.0.1"]

    def run(self, command, data=b"", seconds=120, status=0):
        done = subprocess.run([*self.command, command], input=data, capture_output=True, timeout=seconds)
        assert done.returncode == status, f"ssh: {done.returncode}\n{done.stderr.decode(errors='replace')}"
        return done.stdout


def copy_both_ways(ssh, size, seconds):
    data = os.urandom(size)
    digest = hashlib.sha256(data).hexdigest()
    there = ssh.run("cat > /root/copy && sha256sum /root/copy", data, seconds).decode()
    assert digest in there, f"{there}: {digest} was sent"
    back = ssh.run("cat /root/copy", b"", seconds)
    assert hashlib.sha256(back).hexdigest() == digest, f"{len(back)} of {size} bytes came back, or others"


def packages():
    """The folder of Alpine's own packages of the disk's release, beside which another has more without an index."""
    folder = fetch.fetch(disks.ALPINE_RELEASE).parent / "packages-3.19"
    assert folder.is_dir(), "packages-3.19 is not beside the release: KEVLAR_DOWNLOADS names a folder that has it"
    return folder


def check_packages(guest, port):
    """update, add, del, from a repository whose index and packages are signed with Alpine's keys."""
    check(guest, f"echo http://10.0.2.2:{port}/packages-3.19 > /etc/apk/repositories; apk update 2>&1", "OK: ", timeout=120)
    check(guest, "apk add openssl wget 2>&1", "Installing openssl", "OK: ", timeout=120)
    check(guest, "openssl version && wget --version | head -n 1", "OpenSSL 3.1", "GNU Wget")
    # Files of packages: their signature counts alone. This one's trigger makes the bundle and the links by hash.
    check(guest, f"cd /tmp && wget -q http://10.0.2.2:{port}/extra-3.19/ca-certificates-20240226-r0.apk && "
          "apk add /tmp/ca-certificates-20240226-r0.apk 2>&1", "Installing ca-certificates", timeout=200)
    check(guest, "update-ca-certificates; test $(wc -c < /etc/ssl/certs/ca-certificates.crt) -gt 1000 && "
          "ls /etc/ssl/certs/*.0 | wc -l", timeout=200)
    check(guest, "apk del wget 2>&1", "Purging wget")
    check(guest, "apk info -e wget", status=1)


def check_https(guest, port, wrong):
    """BusyBox's wget: an authority that is not known, then is; a certificate that nobody vouches for."""
    url = f"https://host.test:{port}/hello"
    check(guest, "echo 10.0.2.2 host.test >> /etc/hosts")
    assert "hello" not in check(guest, f"wget -q -O - {url} 2>&1", status=1)
    check(guest, "cat /tmp/ca.pem >> /etc/ssl/certs/ca-certificates.crt")
    check(guest, f"wget -q -O - {url}", "hello over TLS")
    assert "hello" not in check(guest, f"wget -q -O - https://host.test:{wrong}/hello 2>&1", status=1)


def test_alpine(ctx):
    disk = disks.copy(disks.disk("alpine-disk"), ctx.work / "alpine.img")
    port = servers.free_port()
    ssh = Ssh(ctx.work, port)
    made = servers.certificates(ctx.work / "tls")
    site = ctx.work / "site"
    site.mkdir(exist_ok=True)
    (site / "hello").write_text("hello over TLS\n")
    with (servers.web(packages().parent) as web, servers.web(made) as keys, servers.web(site, made / "right.pem") as right,
          servers.web(site, made / "wrong.pem") as wrong,
          disks.login(ctx, disk, 2, "256M", 240, net="user", ports=[f"{port}:22"]) as guest):
        assert check(guest, "rc-service networking status; rc-service sshd status").count("started") == 2
        check(guest, "ip addr show eth0", "inet 10.0.2.15/24", "inet6 fe80::")
        check(guest, "ping -c 2 -W 5 10.0.2.2", "2 packets received")
        check(guest, f"mkdir -p -m 700 .ssh && echo '{ssh.public}' > .ssh/authorized_keys && "
              f"wget -q -O /tmp/ca.pem http://10.0.2.2:{keys}/ca.pem")
        assert ssh.run("uname -s; tty; echo $SSH_CONNECTION").split(b"\n")[:2] == [b"Linux", b"not a tty"]
        copy_both_ways(ssh, 2 << 20, 120)
        check_packages(guest, web)
        check_https(guest, right, wrong)
        check(guest, "rc-service networking restart 2>&1; ip route", "default via 10.0.2.2", timeout=90)
