# SPDX-License-Identifier: MIT
"""A directory of the host in the guest: both see what the other does, at once."""
import hashlib
import os
import shutil
import subprocess

from kevlar_lib import fetch

PROMPT = r"# \x1b\[6n"
MOUNT = "mount -t 9p -o trans=virtio,version=9p2000.L"


def run(guest, command, timeout=60):
    """The output of a command that must succeed."""
    status, output = guest.shell(command, timeout)
    assert status == 0, f"{command}: {status}: {output}"
    return output


def digest(data):
    return hashlib.md5(data).hexdigest()


def folder(ctx, name="share"):
    path = ctx.work / name
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    return path


def names_and_bytes(guest, share, where):
    """Names, links, modes, owners and bytes, there and back."""
    (share / "from-host").write_text("hello\n")
    assert run(guest, f"cat {where}/from-host") == "hello\n"
    (share / "from-host").write_text("other text\n")
    assert run(guest, f"cat {where}/from-host") == "other text\n", "what the host changes is not seen"
    run(guest, f"echo more >> {where}/from-host; mkdir -p {where}/a/b; echo x > {where}/a/b/c; mv {where}/a/b/c {where}/a/d")
    assert (share / "from-host").read_text() == "other text\nmore\n"
    assert (share / "a/d").read_text() == "x\n" and not (share / "a/b/c").exists()
    os.rename(share / "a/d", share / "a/e")
    assert run(guest, f"ls {where}/a | cat") == "b\ne\n"
    assert guest.shell(f"cat {where}/a/d")[0] == 1
    run(guest, f"ln -s e {where}/a/soft; ln {where}/a/e {where}/a/hard; chmod 640 {where}/a/e; "
               f"touch -d '2001-02-03 04:05:06' {where}/a/e; truncate -s 3 {where}/a/e")
    st = os.stat(share / "a/e")
    assert os.readlink(share / "a/soft") == "e" and st.st_nlink == 2 and st.st_mode & 0o7777 == 0o640 and st.st_size == 3
    assert run(guest, f"head -c 2 {where}/a/soft; stat -c '%h %a %s' {where}/a/hard") == "x\n2 640 3\n"
    run(guest, f"rm {where}/a/e; cat {where}/a/hard")
    assert guest.shell(f"rmdir {where}/a")[0] == 1 and "not empty" in guest.shell(f"rmdir {where}/a")[1]
    run(guest, f"df {where} | grep -q share")
    # A file that is open has its bytes without a name.
    run(guest, f"exec 5<>{where}/gone; echo held >&5; rm {where}/gone; echo again >&5; exec 5>&-")
    assert not (share / "gone").exists()
    # Created read-only, and written all the same by who made it; owned by who made it.
    run(guest, f"umask 222; echo git > {where}/object; umask 22; chmod 777 {where}; su nobody -s /bin/sh -c 'echo n > {where}/nobodys'")
    assert (share / "object").read_text() == "git\n"
    assert os.geteuid() or os.stat(share / "nobodys").st_uid == 65534
    assert guest.shell(f"su nobody -s /bin/sh -c 'cat < /dev/null > {where}/object'")[0] != 0


def many_files(guest, share, where, count=2000):
    """A tree of the guest's read here, and one of ours read there."""
    run(guest, f"mkdir {where}/tree; for i in $(seq {count}); do d={where}/tree/$((i % 40)); [ -d $d ] || mkdir $d; "
               f"echo file $i > $d/$i; done", 240)
    for i in range(1, count + 1):
        assert (share / f"tree/{i % 40}/{i}").read_text() == f"file {i}\n"
    os.rename(share / "tree", share / "tree2")
    for i in range(1, count + 1):
        (share / f"tree2/{i % 40}/{i}").write_text(f"host {i}\n")
    paths = sorted(f"{i % 40}/{i}" for i in range(1, count + 1))
    expected = "".join(f"host {path.split('/')[1]}\n" for path in paths).encode()
    got = run(guest, f"cd {where}/tree2; find * -type f | LC_ALL=C sort > /tmp/names; wc -l < /tmp/names; "
                     "xargs cat < /tmp/names | md5sum; cd /", 240).split()
    assert got[:2] == [str(count), digest(expected)], got
    run(guest, f"rm -r {where}/tree2", 240)
    assert not (share / "tree2").exists()


def big_file(guest, share, where, size=24 << 20):
    data = os.urandom(size)
    (share / "big").write_bytes(data)
    assert run(guest, f"md5sum < {where}/big", 120).split()[0] == digest(data)
    run(guest, f"dd if={where}/big of={where}/copy bs=70000 2>/dev/null; sync", 120)
    assert digest((share / "copy").read_bytes()) == digest(data)
    run(guest, f"dd if=/dev/zero of={where}/copy bs=1 seek=100001 count=5 conv=notrunc 2>/dev/null")
    changed = data[:100001] + bytes(5) + data[100006:]
    assert (share / "copy").read_bytes() == changed


def programs_and_maps(guest, share, where):
    run(guest, f"cp /bin/busybox {where}/busybox; ln -s busybox {where}/expr; {where}/expr 6 '*' 7 | grep -qx 42")
    assert os.access(share / "busybox", os.X_OK)
    # A program that the host replaces is the new one at the next start.
    (share / "script").write_text("#!/bin/sh\necho one\n")
    os.chmod(share / "script", 0o755)
    assert run(guest, f"{where}/script") == "one\n"
    (share / "script").write_text("#!/bin/sh\necho two\n")
    assert run(guest, f"{where}/script") == "two\n"


def check(ctx, options, machine="q35", smp=2, count=2000):
    share = folder(ctx)
    with ctx.machine(smp=smp, machine=machine, shares=[share]) as guest:
        guest.expect(PROMPT, 60)
        run(guest, f"mkdir -p /mnt/s; {MOUNT}{options} share /mnt/s; grep -q 'share /mnt/s 9p' /proc/mounts")
        names_and_bytes(guest, share, "/mnt/s")
        programs_and_maps(guest, share, "/mnt/s")
        big_file(guest, share, "/mnt/s")
        many_files(guest, share, "/mnt/s", count)
        # One mount a tag; a tag that is not there.
        assert "busy" in guest.shell(f"{MOUNT} share /media")[1].lower()
        assert guest.shell(f"{MOUNT} nowhere /media")[0] != 0
        run(guest, f"umount /mnt/s && {MOUNT},cache=mmap share /mnt/s && ls /mnt/s | grep -q big && umount /mnt/s")


def test_both_ways(ctx):
    check(ctx, "")


def test_small_messages_microvm(ctx):
    check(ctx, ",msize=4096,cache=mmap", machine="microvm", smp=1, count=100)


def test_loose(ctx):
    """All cached: right for one side alone, and at the host after sync."""
    share = folder(ctx)
    data = os.urandom(9 << 20)
    (share / "big").write_bytes(data)
    with ctx.machine(smp=2, shares=[share]) as guest:
        guest.expect(PROMPT, 60)
        run(guest, f"{MOUNT},cache=loose share /mnt")
        run(guest, "cp /mnt/big /mnt/copy; cmp /mnt/big /mnt/copy; mkdir /mnt/d; for i in $(seq 300); do echo $i > /mnt/d/$i; done; "
                   "mv /mnt/d /mnt/e; rm /mnt/e/1; ln /mnt/e/2 /mnt/e/two; rm /mnt/e/2; echo + >> /mnt/e/two; stat /mnt/e/two", 120)
        assert run(guest, "ls /mnt/e | wc -l; cat /mnt/e/two") == "299\n2\n+\n"
        run(guest, "cd /; umount /mnt")
    assert digest((share / "copy").read_bytes()) == digest(data)
    assert (share / "e/two").read_text() == "2\n+\n" and len(os.listdir(share / "e")) == 299


def test_readonly(ctx):
    share = folder(ctx)
    (share / "f").write_text("text\n")
    with ctx.machine(smp=1, shares=[(share, "tag", ",readonly=on")]) as guest:
        guest.expect(PROMPT, 60)
        run(guest, f"{MOUNT} tag /mnt; cat /mnt/f")
        for command in ("echo x > /mnt/new", "echo x >> /mnt/f", "mkdir /mnt/d", "rm /mnt/f", "mv /mnt/f /mnt/g"):
            status, output = guest.shell(command)
            assert status and "ead-only" in output, f"{command}: {output}"
    assert os.listdir(share) == ["f"]


def test_mapped(ctx):
    """Owners, modes and special files that are the guest's alone."""
    share = folder(ctx)
    with ctx.machine(smp=1, shares=[(share, "tag", "", "mapped-xattr")]) as guest:
        guest.expect(PROMPT, 60)
        run(guest, f"{MOUNT} tag /mnt; cd /mnt; mkfifo fifo; mknod null c 1 3; mknod disk b 254 17; echo x > f; "
                   "chown 1234:567 f; chmod 4751 f; mkdir -m 2775 d; chown :77 d; echo y > d/f; ln -s f s")
        got = run(guest, "stat -c '%n %F %a %u %g %t,%T' fifo null disk f d d/f s; echo z > /mnt/null; cd /").replace("\r", "")
        assert got.splitlines() == [
            "fifo fifo 644 0 0 0,0", "null character special file 644 0 0 1,3", "disk block special file 644 0 0 fe,11",
            "f regular file 4751 1234 567 0,0", "d directory 2775 0 77 0,0", "d/f regular file 644 0 77 0,0",
            "s symbolic link 777 0 0 0,0"], got
        assert guest.shell("[ -p /mnt/fifo ] && (cat /mnt/fifo & echo through > /mnt/fifo; wait)")[1].endswith("through\n")
    assert os.path.isfile(share / "null") and os.path.isfile(share / "s")


def test_root(ctx):
    """root=TAG rootfstype=9p, and init from there."""
    share = folder(ctx)
    subprocess.run(["tar", "-C", share, "-xf", fetch.alpine()], check=True)
    with ctx.machine(initrd=None, smp=2, shares=[(share, "rootdir")],
                     append="root=rootdir rootfstype=9p rootflags=trans=virtio rw init=/bin/sh") as guest:
        guest.expect(PROMPT, 60)
        guest.send("mount -t proc none /proc\n")
        assert "rootdir / 9p" in run(guest, "cat /proc/mounts")
        run(guest, "echo made > /made; ls /etc/alpine-release; exec 3</dev/null")
    assert (share / "made").read_text() == "made\n"
