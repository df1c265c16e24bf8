# SPDX-License-Identifier: MIT
"""Booting: machines, CPUs, memory sizes, and what is said when something is missing or broken."""
import gzip
import pathlib
import re

from kevlar_lib import fetch, image

PROMPT = r"# \x1b\[6n"  # BusyBox's shell asks for the cursor's place when it is ready for typing


def reaches_shell(guest, seconds=60):
    guest.expect(PROMPT, seconds)
    status, output = guest.shell("uname -sr")
    assert (status, output.strip()) == (0, "Linux 6.1.0-kevlar"), output


def powers_off(guest):
    guest.expect(PROMPT)
    guest.send("poweroff\r")
    assert guest.wait(30) == 0


def test_alpine_shell(ctx, smp):
    with ctx.machine(smp=smp) as guest:
        reaches_shell(guest)
        assert guest.shell("nproc")[1].strip() == str(smp)
        assert guest.shell("grep -c ^processor /proc/cpuinfo")[1].strip() == str(smp)
        powers_off(guest)


def test_32_mib(ctx):
    with ctx.machine(memory="32M") as guest:
        reaches_shell(guest)
        assert guest.shell("ls -lR /etc /bin | tail -1")[0] == 0
        powers_off(guest)


def test_16_gib(ctx):
    with ctx.machine(memory="16G") as guest:
        reaches_shell(guest)
        total = int(guest.shell("awk '/MemTotal/ { print $2 }' /proc/meminfo")[1])
        assert total > 15 << 20, total
        powers_off(guest)


def test_pc(ctx):
    with ctx.machine(machine="pc", smp=2) as guest:
        reaches_shell(guest)
        powers_off(guest)


def test_microvm(ctx):
    with ctx.machine(machine="microvm", smp=2) as guest:
        reaches_shell(guest)
        powers_off(guest)


def test_cpu_qemu64(ctx, smp):
    with ctx.machine(cpu="qemu64", smp=smp) as guest:
        reaches_shell(guest)
        powers_off(guest)


def test_64_cpus(ctx):
    """All of them are up and run programs."""
    with ctx.machine(smp=64, memory="1G") as guest:
        reaches_shell(guest, 400)
        assert guest.shell("nproc", 60)[1].strip() == "64"
        command = "for i in $(seq 128); do (taskset -p $$ >/dev/null 2>&1; true) & done; wait; echo all"
        assert "all" in guest.shell(command, 240)[1]
        busy = guest.shell("awk '/^cpu[0-9]/ && $2 + $4 + $5 > 0' /proc/stat | wc -l", 60)[1]
        assert busy.strip() == "64", busy
        guest.send("poweroff -f\r")
        assert guest.wait(60) == 0


def test_gzip_initramfs(ctx):
    archive = ctx.work / "alpine.cpio.gz"
    archive.write_bytes(gzip.compress(ctx.alpine().read_bytes(), 1))
    with ctx.machine(initrd=archive) as guest:
        reaches_shell(guest)
        powers_off(guest)


def test_concatenated_archives(ctx):
    """The later archive wins, plain after gzip."""
    first = gzip.compress(ctx.cpio("a", lambda cpio: (cpio.directory("etc"), cpio.add_file("etc/which", "first")))
                          .read_bytes())
    second = ctx.cpio("b", lambda cpio: cpio.add_file("etc/which", "second"))
    packed, both = ctx.work / "first.gz", ctx.work / "both.cpio"
    packed.write_bytes(first)
    image.concatenate(both, ctx.alpine(), packed, second)
    with ctx.machine(initrd=both) as guest:
        guest.expect(PROMPT, 60)
        status, output = guest.shell("cat /etc/which")
        assert (status, output) == (0, "second"), output


def test_parameters_go_to_init(ctx):
    """Words that the kernel does not know: NAME=VALUE is environment, others are arguments, -- ends ours."""
    script = "#!/bin/sh\nmount -t proc proc /proc\ntr '\\0' ' ' < /proc/1/cmdline; echo\necho colour=$colour\n" \
             "echo args=$*\npoweroff -f\n"
    overlay = ctx.cpio("overlay", lambda cpio: cpio.add_file("show", script, 0o755))
    image.concatenate(ctx.work / "root.cpio", ctx.alpine(), overlay)
    with ctx.machine(initrd=ctx.work / "root.cpio", append="rdinit=/show colour=green single -- last=1") as guest:
        guest.expect("colour=green", 60)
        guest.expect("args=single last=1")
        assert guest.wait(30) == 0


# ---- wrong input ------------------------------------------------------------------------------------

def expect_panic(guest, pattern, seconds=60):
    """The kernel panics, what it printed names the cause, and QEMU ends (panic=-1, -no-reboot)."""
    guest.allow_panic = True
    guest.expect("Kernel panic", seconds)
    guest.wait(30)
    assert re.search(pattern, guest.text), f"no {pattern!r} in: {guest.text[-1500:]}"


def test_corrupt_initramfs(ctx):
    data = bytearray(gzip.compress(ctx.alpine().read_bytes(), 1))
    data[len(data) // 3:len(data) // 3 + 64] = bytes(64)
    archive = ctx.work / "corrupt.cpio.gz"
    archive.write_bytes(data)
    with ctx.machine(initrd=archive) as guest:
        guest.allow_panic = True
        guest.expect(r"(?i)initramfs.*(corrupt|invalid|damaged|broken|bad)", 60)


def test_initramfs_that_is_none(ctx):
    archive = ctx.work / "noise"
    archive.write_bytes(b"This is no archive." * 4096)
    with ctx.machine(initrd=archive) as guest:
        guest.allow_panic = True
        guest.expect(r"(?i)initramfs.*(corrupt|invalid|damaged|broken|bad)", 60)


def test_truncated_initramfs(ctx):
    archive = ctx.work / "truncated.cpio"
    archive.write_bytes(ctx.alpine().read_bytes()[:1000000])
    with ctx.machine(initrd=archive) as guest:
        guest.allow_panic = True
        guest.expect(r"(?i)initramfs.*(corrupt|truncated|invalid|ends)", 60)


def test_missing_init(ctx):
    """The panic names what was tried."""
    empty = ctx.cpio("empty", lambda cpio: (cpio.directory("bin"), cpio.directory("dev"),
                                            cpio.add_file("init.txt", "no program")))
    with ctx.machine(initrd=empty, append="rdinit=/none") as guest:
        expect_panic(guest, "/none")


def test_no_working_init(ctx):
    """An /init that is no program, and none of the places where Linux looks then."""
    archive = ctx.cpio("bad", lambda cpio: (cpio.directory("dev"), cpio.add_file("init", b"\x00" * 64, 0o755)))
    with ctx.machine(initrd=archive) as guest:
        expect_panic(guest, "No working init found")
        assert re.search(r"/init.*-8", guest.text), guest.text[-1500:]


def test_unknown_root(ctx):
    with ctx.machine(initrd=None, append="root=/dev/nowhere1") as guest:
        expect_panic(guest, "(?i)(root|mount).*nowhere1")


def test_damaged_elf(ctx):
    """An init whose ELF head promises program headers of an impossible size."""
    program = bytearray(pathlib.Path("/bin/true").read_bytes())
    program[54:56] = b"\x01\x00"  # e_phentsize
    archive = ctx.cpio("damaged", lambda cpio: (cpio.directory("dev"), cpio.add_file("init", bytes(program), 0o755)))
    with ctx.machine(initrd=archive) as guest:
        expect_panic(guest, r"/init.*-8")


def test_too_little_memory(ctx):
    """11 MiB hold the archive but not its contents: the kernel says so. (In 8 MiB QEMU lays it over the kernel.)"""
    with ctx.machine(memory="11M") as guest:
        guest.allow_panic = True
        guest.expect("(?i)(memory|initramfs|initrd)", 60)
        guest.wait(60)


def test_init_exits(ctx):
    archive = ctx.cpio("exits", lambda cpio: cpio.add_file("init", "#!/bin/sh\nexit 3\n", 0o755))
    image.concatenate(ctx.work / "root.cpio", ctx.alpine(), archive)
    with ctx.machine(initrd=ctx.work / "root.cpio") as guest:
        expect_panic(guest, r"Attempted to kill init.*exitcode=0x00000300")
