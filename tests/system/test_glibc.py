# SPDX-License-Identifier: MIT
"""Debian's programs: dynamic and static glibc, taken from this Linux and run in a chroot of the guest."""
import subprocess

from kevlar_lib import host, image

PROMPT = r"# \x1b\[6n"
COREUTILS = "ls cat sort wc stat cp mv rm ln mkdir date id uname sha256sum head tail cut tr seq du touch env tee".split()
SKIPPED = ("/test/", "/tests/", "__pycache__", "/idlelib/", "/tkinter/", "/ensurepip/", "/lib2to3/", "/dist-packages/")


def debian(ctx):
    """Alpine's tree with Debian's programs in /debian."""
    static = ctx.work / "static"
    (ctx.work / "static.c").write_text('#include <stdio.h>\n#include <pthread.h>\n'
                                       'static void *f(void *p) { return p; }\nint main(void) { pthread_t t; void *r;\n'
                                       'pthread_create(&t, 0, f, "joined"); pthread_join(t, &r);\n'
                                       'printf("static glibc %s\\n", (char *)r); return 0; }\n')
    subprocess.run(["gcc", "-static", "-O2", "-pthread", "-o", static, ctx.work / "static.c"], check=True)

    def fill(cpio):
        for folder in ("debian", "debian/tmp", "debian/proc", "debian/dev", "debian/etc", "debian/root"):
            cpio.directory(folder)
        cpio.add_file("debian/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n")
        cpio.add_file("debian/etc/group", "root:x:0:\n")
        cpio.add_file("debian/static", static.read_bytes(), 0o755)
        programs = ["/bin/bash", "/usr/bin/perl", "/usr/bin/python3.11"] + [f"/usr/bin/{name}" for name in COREUTILS]
        image.add_programs(cpio, programs, ["/usr/lib/python3.11", "/usr/lib/x86_64-linux-gnu/perl-base"], "debian",
                           lambda path: any(word in path for word in SKIPPED))
        for name in COREUTILS:
            cpio.symlink(f"debian/bin/{name}", f"../usr/bin/{name}")

    return image.concatenate(ctx.work / "root.cpio", ctx.alpine(), ctx.cpio("debian.cpio", fill))


def test_programs(ctx, smp):
    host.need("gcc")
    with ctx.machine(smp=smp, memory="1G", initrd=debian(ctx), loglevel=4) as guest:
        guest.expect(PROMPT, 120)
        guest.shell("mount --bind /proc /debian/proc; mount --bind /dev /debian/dev")

        def run(command, seconds=60):
            status, output = guest.shell(f"LC_ALL=C chroot /debian {command}", seconds)
            assert status == 0, output
            return output

        assert run("/static") == "static glibc joined\n"
        assert run("/usr/bin/uname -s") == "Linux\n"
        assert run("/bin/bash -c 'a=(1 2 3); echo ${a[1]} $((2**40)); for i in {1..3}; do echo -n $i; done; echo'") == \
            "2 1099511627776\n123\n"
        assert run("/bin/bash -c 'seq 1000 | sort -rn | head -n1; wc -c < <(echo hello); id -un'") == "1000\n6\nroot\n"
        assert "/debian" not in run("/usr/bin/ls -la /")
        assert run("/usr/bin/perl -e 'my %h = map { $_ => $_ ** 2 } 1..9; print join(\",\", map { $h{$_} } sort keys %h)'") == \
            "1,4,9,16,25,36,49,64,81"
        assert run("/usr/bin/perl -e 'my $p = fork; if (!$p) { exit 7 } waitpid($p, 0); print $? >> 8'") == "7"
        assert run("/usr/bin/python3.11 -c 'import sys; print(sys.version_info[:2], sys.platform)'") == \
            "(3, 11) linux\n"
        script = ("import os, threading, subprocess, json, hashlib, time, select, socket, mmap; "
                  "r = []; t = [threading.Thread(target=r.append, args=(i,)) for i in range(8)]; "
                  "[x.start() for x in t]; [x.join() for x in t]; a, b = socket.socketpair(); a.send(b\"hi\"); "
                  "print(sorted(r), subprocess.check_output([\"/usr/bin/uname\"]), b.recv(9), "
                  "hashlib.sha256(b\"x\").hexdigest()[:8])")
        assert run(f"/usr/bin/python3.11 -c '{script}'") == "[0, 1, 2, 3, 4, 5, 6, 7] b'Linux\\n' b'hi' 2d711642\n"
