# SPDX-License-Identifier: MIT
"""An Alpine whose changes go to an ext4 disk: what a container's root is, over two boots, and on Linux's terms."""
import subprocess

PROMPT = r"# \x1b\[6n"


def run(guest, command, timeout=60):
    status, output = guest.shell(command, timeout)
    assert status == 0, f"{command}: {status}: {output}"
    return output.replace("\r", "")


def debugfs(disk, command):
    return subprocess.run(["/sbin/debugfs", "-R", command, disk], capture_output=True, text=True).stdout


def mount(guest):
    """The initramfs is the lower layer, seen through a bind mount: /m is the whole system."""
    run(guest, "mkdir -p /m /disk; mount -t ext4 /dev/vda /disk && mkdir -p /disk/upper /disk/work; "
               "mount -t overlay overlay -o lowerdir=/,upperdir=/disk/upper,workdir=/disk/work /m")


def test_alpine_on_ext4(ctx):
    disk = ctx.work / "disk.img"
    disk.unlink(missing_ok=True)
    with open(disk, "wb") as file:
        file.truncate(64 << 20)
    subprocess.run(["/sbin/mke2fs", "-q", "-t", "ext4", disk], check=True)
    with ctx.machine(smp=2, disks=[disk]) as guest:
        guest.expect(PROMPT, 60)
        mount(guest)
        # What a package manager does: new trees, replaced files by rename, removed ones, links, scripts run inside.
        run(guest, "cd /m; mkdir -p usr/share/pack/doc; for i in $(seq 200); do echo $i > usr/share/pack/$i; done; "
                   "cp etc/passwd etc/.apk.new; echo 'pack:x:900:900::/:/bin/false' >> etc/.apk.new; mv etc/.apk.new etc/passwd; "
                   "rm etc/motd; rm -r etc/network; mkdir etc/network; echo auto > etc/network/interfaces; "
                   "ln -s pack usr/share/link; ln usr/share/pack/1 usr/share/pack/one; chmod 4755 bin/busybox; cd /", 120)
        run(guest, "chroot /m /bin/busybox sh -c 'adduser -D someone && su someone -c id | grep -q someone && "
                   "tar -C /usr/share -cf /tmp/p.tar pack && cd /tmp && tar xf p.tar && cmp pack/77 /usr/share/pack/77'", 120)
        got = run(guest, "grep -c ^pack /m/etc/passwd; grep -c ^pack /etc/passwd; ls /m/etc/network | cat")
        assert got.split() == ["1", "0", "interfaces"], got
        assert run(guest, "ls /disk/work/work | wc -l; ls -ld /disk/upper/etc/motd | cut -c1").split() == ["0", "c"]
        run(guest, "umount /m && umount /disk")
        guest.send("poweroff -f\n")
        guest.wait(30)
    fsck = subprocess.run(["/sbin/e2fsck", "-fn", disk], capture_output=True, text=True)
    assert fsck.returncode == 0, fsck.stdout
    # Linux's format: whiteouts are devices 0:0, a directory that replaced one is opaque.
    assert "Type: character special" in debugfs(disk, "stat /upper/etc/motd")
    assert "00:00" in debugfs(disk, "stat /upper/etc/motd").replace("(", " ").replace(")", " ")
    assert 'trusted.overlay.opaque (1) = "y"' in debugfs(disk, "ea_list /upper/etc/network")
    with ctx.machine(smp=1, disks=[disk]) as guest:
        guest.expect(PROMPT, 60)
        mount(guest)
        got = run(guest, "cd /m; [ -e etc/motd ] || echo none; ls etc/network | cat; cat usr/share/link/200; stat -c %h usr/share/pack/one; "
                         "stat -c %a bin/busybox; grep -c someone etc/passwd; ls usr/share/pack | wc -l; cd /")
        assert got.split() == ["none", "interfaces", "200", "2", "4755", "1", "202"], got
        run(guest, "umount /m; umount /disk")
