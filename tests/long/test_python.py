# SPDX-License-Identifier: MIT
"""Python's own regression tests, as Debian packages them: each must pass in the guest if it passes on Linux."""
import os
import re
import shutil
import subprocess

from kevlar_lib import host, image, testing

PROMPT = r"# \x1b\[6n"
PACKAGES = ["python3.11-minimal", "libpython3.11-minimal", "libpython3.11-stdlib", "libpython3.11-testsuite",
            "libsqlite3-0"]
MODULES = ("test_os test_posix test_subprocess test_signal test_threading test_mmap test_select test_epoll test_pty "
           "test_tempfile test_shutil test_io test_fcntl test_time test_resource").split()
NET_MODULES = ("test_socket test_asyncio test_ssl test_socketserver test_httplib test_ftplib test_poll test_selectors "
               "test_urllib2_localnet test_smtplib test_xmlrpc").split()
# What of the test suite goes along: the modules above, and the helpers and certificates of all.
SUITE = re.compile(r"/test/((?!test_)[\w.-]+|(%s)(\.py|/.*)|(support|subprocessdata|libregrtest|data|capath)/.*)$" %
                   "|".join(MODULES + NET_MODULES))
SECONDS_ON_LINUX, SECONDS_IN_GUEST = 300, 2400
TREE = host.BUILD / "python"

ROOM = """cd "$1" && mount -t proc proc proc && mount --rbind /dev dev && mount -t tmpfs tmp tmp && ip link set lo up &&
{ [ ! -e dev/vsock ] || mount --bind dev/null dev/vsock; } && # on a virtual machine without a peer its tests wait for ever
exec chroot . /usr/bin/python3.11 /outcomes.py "$2" """


def tree():
    """A root file system with this Debian's Python and its tests, made once."""
    stamp = TREE / "complete"
    if not stamp.exists():
        shutil.rmtree(TREE, ignore_errors=True)
        downloads = host.BUILD / "downloads/python"
        downloads.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "download", "-q", *PACKAGES], cwd=downloads, check=True, capture_output=True)
        for package in downloads.glob("*.deb"):
            subprocess.run(["dpkg", "-x", package, TREE], check=True)
        for folder in ("proc", "dev", "tmp", "etc", "root", "bin", "lib64", "lib"):
            (TREE / folder).mkdir(exist_ok=True)
        (TREE / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n")
        (TREE / "etc/hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")
        (TREE / "etc/services").write_text("echo 7/tcp\necho 7/udp\ndaytime 13/tcp\ndomain 53/tcp\ndomain 53/udp\n")
        (TREE / "etc/protocols").write_text("ip 0 IP\nicmp 1 ICMP\ntcp 6 TCP\nudp 17 UDP\n")
        (TREE / "etc/group").write_text("root:x:0:\nnogroup:x:65534:\n")
        wanted = [TREE / "usr/bin/python3.11", *TREE.glob("usr/lib/python3.11/lib-dynload/*.so"), "/bin/sh", "/bin/true",
                  "/bin/cat", "/bin/sleep", "/bin/echo", "/bin/ls", "/bin/kill", "/bin/false"]
        libraries = {name for program in wanted for name in image.libraries_of(program)}
        for path in libraries | {str(path) for path in wanted if str(path).startswith("/bin")}:
            target = TREE / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
        stamp.touch()
    shutil.copy(host.ROOT / "tests/long/outcomes.py", TREE / "outcomes.py")
    return TREE


def outcomes(output):
    return dict(reversed(match) for match in re.findall(r"^@@ (\w+) (\S+)\r?$", output, re.MULTILINE))


def on_linux(module):
    unshare = ["unshare", "-mpfn", "--kill-child"] + ([] if os.geteuid() == 0 else ["-r"])
    done = subprocess.run([*unshare, "sh", "-c", ROOM, "sh", tree(), module], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                          timeout=SECONDS_ON_LINUX)
    return outcomes(done.stdout), done.stdout


def compare(module, linux, guest, output):
    """One Result: the same tests, none of which ends worse."""
    differences = [f"{name}: {guest.get(name, 'not run')}, on Linux {outcome}"
                   for name, outcome in linux.items() if guest.get(name) not in (outcome, "ok")]
    if not linux:
        differences = ["does not run on Linux"]
    elif not guest:
        differences = [f"did not end: {output[-1000:]}"]
    return testing.Result(f"python/{module}: {len(linux)} tests as on Linux", not differences, "\n".join(differences))


def regression(ctx, modules):
    root = tree()

    def fill(cpio):
        shutil.rmtree(ctx.work / "tree", ignore_errors=True)
        shutil.copytree(root, ctx.work / "tree" / "python", symlinks=True, ignore=lambda folder, names: [
            name for name in names if name in ("__pycache__", "doc", "man") or
            ("/test" in folder and os.path.isfile(f"{folder}/{name}") and not SUITE.search(f"{folder}/{name}"))])
        cpio.add_tree(ctx.work / "tree", all_root=True)

    initrd = image.concatenate(ctx.work / "root.cpio", ctx.alpine(), ctx.cpio("python.cpio", fill))
    results = []
    with ctx.machine(smp=2, memory="2G", initrd=initrd, loglevel=4) as guest:
        guest.expect(PROMPT, 180)
        guest.shell("cd /python; mount --bind /proc proc; mount --rbind /dev dev; mount -t tmpfs tmp tmp; ip link set lo up")
        for module in modules:
            linux, _ = on_linux(module)
            _, output = guest.shell(f"timeout {SECONDS_IN_GUEST} chroot /python /usr/bin/python3.11 /outcomes.py {module} "
                                    "< /dev/null", SECONDS_IN_GUEST + 60)
            results.append(compare(module, linux, outcomes(output), output))
    return results


def test_regression(ctx):
    return regression(ctx, MODULES)


def test_network(ctx):
    return regression(ctx, NET_MODULES)
