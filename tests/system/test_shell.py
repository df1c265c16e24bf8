# SPDX-License-Identifier: MIT
"""An interactive session on the serial console: what a person does in the first five minutes.

Keys are pressed only when a program shows that it reads them, as a person would.
"""
import re

PROMPT = r"# \x1b\[6n"


def start(ctx, smp=1):
    guest = ctx.machine(smp=smp, append="TERM=vt100 LINES=24 COLUMNS=80")
    guest.expect(PROMPT, 60)
    return guest


def foreground(guest, program):
    """Starts a program that says when it runs in the foreground, and waits for that."""
    guest.send(f"sh -c 'echo re\"\"ady; exec {program}'\r")
    guest.expect(r"ready\r\n")


def test_typing(ctx, smp):
    with start(ctx, smp) as guest:
        guest.send("echo helo\x7flo wor\x15echo one; echo two\r")  # DEL erases, ^U kills the line
        guest.expect(r"one\r\ntwo\r\n")
        guest.expect(PROMPT)
        foreground(guest, "cat")
        guest.send("abx\x7fc\r")
        guest.expect(r"abx\x08 \x08c\r\nabc\r\n")
        guest.send("lost\x15kept\r")
        guest.expect(r"\r\nkept\r\n|[^\r]kept\r\nkept\r\n")
        guest.send("\x04")
        guest.expect(PROMPT)


def test_interrupt(ctx, smp):
    with start(ctx, smp) as guest:
        foreground(guest, "cat")
        guest.send("hello\r")
        guest.expect(r"hello\r\nhello\r\n")
        guest.send("\x03")
        guest.expect(r"\^C")
        guest.expect(PROMPT)
        guest.send("echo $?\r")
        guest.expect(r"^130\r\n")
        guest.expect(PROMPT)
        foreground(guest, "cat")
        guest.send("hello\r")  # its echo shows that cat runs: the shell before it ignores SIGQUIT
        guest.expect(r"hello\r\nhello\r\n")
        guest.send("\x1c")
        guest.expect(r"\^\\Quit")
        guest.expect(PROMPT)


def test_stop_and_foreground(ctx, smp):
    with start(ctx, smp) as guest:
        foreground(guest, "sleep 1000")
        guest.send("\x1a")
        guest.expect(r"\^Z.*Stopped")
        guest.expect(PROMPT)
        guest.send("jobs\r")
        guest.expect(r"\[1\]\+ +Stopped.*sleep 1000")
        guest.expect(PROMPT)
        guest.send("bg\r")
        guest.expect(r"\[1\].*sleep 1000")
        guest.expect(PROMPT)
        guest.send("kill %1; wait; jobs; echo go\"\"ne\r")
        guest.expect(r"gone\r\n")
        guest.expect(PROMPT)
        foreground(guest, "cat")
        guest.send("\x1a")
        guest.expect(r"\^Z.*Stopped")
        guest.expect(PROMPT)
        guest.send("fg\r")
        guest.expect(r"exec cat\"?\r\n")
        # fg names the job before it hands the terminal over: a ^C in between is the shell's. cat's answer
        # shows that it is in front.
        guest.send("hello\r")
        guest.expect(r"hello\r\nhello\r\n")
        guest.send("\x03")
        guest.expect(PROMPT)
        guest.send("jobs; echo e\"\"nd\r")
        guest.expect(r"jobs; echo e\"\"nd\r\nend\r\n")


def test_background_jobs(ctx, smp):
    with start(ctx, smp) as guest:
        status, output = guest.shell("for i in 1 2 3 4 5 6 7 8; do (sleep 0.$i; echo job$i) & done; wait; echo over")
        assert status == 0
        lines = [line for line in output.split() if re.fullmatch(r"job\d|over", line)]
        assert sorted(lines[:-1]) == [f"job{i}" for i in range(1, 9)] and lines[-1] == "over", output


def test_less(ctx):
    with start(ctx) as guest:
        guest.send("ls -1 /bin | less\r")
        guest.expect(r"ash\r\n")
        guest.expect(r"(\x1b\[7m|:|\(standard input\)|lines)")
        first = guest.position
        guest.send(" ")
        guest.expect(r"\r\n")
        assert guest.position > first
        guest.send("q")
        guest.expect(PROMPT)


def test_vi(ctx):
    with start(ctx) as guest:
        guest.send("vi /tmp/letter\r")
        guest.expect(r"/tmp/letter")
        guest.send("iDear reader\x1b")
        guest.expect(r"Dear reader")
        guest.send(":wq\r")
        guest.expect(PROMPT)
        assert guest.shell("cat /tmp/letter") == (0, "Dear reader\n")


def test_top(ctx, smp):
    with start(ctx, smp) as guest:
        guest.send("top\r")
        guest.expect(r"Mem: \d+K used, \d+K free")
        guest.expect(r"CPU: .*idle")
        guest.expect(r"PID .*COMMAND")
        guest.expect(r"Mem: \d+K used, \d+K free", 15)
        guest.send("q")
        guest.expect(PROMPT)


def test_pipelines(ctx, smp):
    with start(ctx, smp) as guest:
        assert guest.shell("seq 20000 | sort -rn | head -n 1") == (0, "20000\n")
        assert guest.shell("yes | head -c 1000000 | wc -c")[1].strip() == "1000000"
        assert guest.shell("dd if=/dev/zero bs=4k count=512 2>/dev/null | md5sum")[1].split()[0] == \
            "b2d1236c286a3c0704224fe4105eca49"
        status, output = guest.shell("find / -xdev -type f | xargs cat 2>/dev/null | sha1sum", 60)
        assert status == 0 and len(output.split()[0]) == 40


def test_window_size(ctx):
    with start(ctx) as guest:
        assert guest.shell("stty size")[1].strip() == "24 80"
        assert guest.shell("stty rows 50 cols 132; stty size")[1].strip() == "50 132"


def test_exit_ends_qemu(ctx, smp):
    with start(ctx, smp) as guest:
        guest.send("exit\r")
        assert guest.wait(30) == 0


def test_poweroff_ends_qemu(ctx, smp):
    with start(ctx, smp) as guest:
        guest.send("poweroff\r")
        assert guest.wait(30) == 0


def test_reboot_ends_qemu(ctx):
    with start(ctx) as guest:
        guest.send("reboot\r")
        assert guest.wait(30) == 0
