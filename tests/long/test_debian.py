# SPDX-License-Identifier: MIT
"""Debian from its packages, with sysvinit and OpenRC, boots from ext4 and works there."""
import re
import shutil
import subprocess
import urllib.request

from kevlar_lib import disks, host, testing
import test_python as regression

HELLO = r"""cd /root && printf '#include <stdio.h>\nint main(void) { puts("built"); return 0; }\n' > hello.c &&
gcc -O2 -o hello hello.c && ./hello && git init -q repository && cd repository && cp ../hello.c . && git add . &&
git -c user.name=n -c user.email=e commit -qm first && git fsck && cd .. && git clone -q repository copy &&
sqlite3 base 'pragma journal_mode=wal; create table t(a); insert into t values(42); select a from t' &&
tar -cf - repository | md5sum && python3 -c 'import sqlite3; print(sqlite3.connect("base").execute(
"select a from t").fetchall())'"""


def test_debian_disk(ctx, smp):
    disk = disks.copy(disks.disk("debian"), ctx.work / f"debian-{smp}.img")
    first = disks.session(ctx, disk, smp, "512M", HELLO.replace("\n", " "), 400)
    assert "built" in first and "[(42,)]" in first, first
    second = disks.session(ctx, disk, smp, "512M", "/root/hello; git --no-pager -C /root/copy log --oneline; cmp /root/hello.c "
                           "/root/copy/hello.c; sqlite3 /root/base 'select a from t'", 400)
    assert "built" in second and "first" in second and "42" in second, second


# ---- work for a day: what people do with a disk -----------------------------------------------------

# Scripts for `bash -e`.
STEPS = {
    "apt install ./local.deb": """
cp /mnt/local.deb .
apt-get install -y ./local.deb
local-greeting | grep 'hello from a package'
test -e /var/lib/local-was-configured
apt-get remove -y local
test ! -e /usr/bin/local-greeting
""",
    "dpkg -i": """
dpkg -i --force-depends /mnt/libpython3.11-testsuite_*.deb
dpkg -s libpython3.11-testsuite | grep 'Status: install ok installed'
""",
    "tar": """
tar -cf all.tar -C / usr/include usr/lib/git-core
mkdir out
tar -xf all.tar -C out
diff -r --no-dereference /usr/include out/usr/include
diff -r --no-dereference /usr/lib/git-core out/usr/lib/git-core
tar -df all.tar -C /
rm -rf out all.tar
""",
    "rsync": """
rsync -a --checksum /usr/include/ copy/
rsync -a --delete --itemize-changes /usr/include/ copy/ > changes
test ! -s changes
echo more >> copy/stdio.h
rm copy/stdlib.h
test $(rsync -ai /usr/include/ copy/ | grep -c '^>f') = 2
diff -r --no-dereference /usr/include copy
rm -rf copy
""",
    "sqlite3, WAL": """
sqlite3 wal.db 'pragma journal_mode=wal; create table t(a integer primary key, b text)'
for w in 1 2 3; do
    for i in $(seq 60); do echo "begin immediate; insert into t(b) values($w$i); commit;"; done |
        sqlite3 -bail -cmd '.timeout 100000' wal.db &
done
wait
test "$(echo $(sqlite3 wal.db 'pragma integrity_check; select count(*) from t'))" = 'ok 180'
""",
    "sqlite3, rollback": """
sqlite3 roll.db 'pragma journal_mode=delete; create table t(a integer primary key, b text)'
for w in 1 2 3; do
    for i in $(seq 40); do echo "begin immediate; insert into t(b) values($w$i); commit;"; done |
        sqlite3 -bail -cmd '.timeout 100000' roll.db &
done
wait
sqlite3 roll.db 'begin; delete from t; rollback'
test "$(echo $(sqlite3 roll.db 'pragma integrity_check; select count(*) from t'))" = 'ok 120'
""",
    "gcc builds Lua": """
mkdir lua
tar -xzf /mnt/lua.orig.tar.gz -C lua --strip-components=1
make -s -C lua/src -j2 posix
lua/src/lua -e 'local t = {} for i = 1, 1000 do t[i] = i * i end print(#t, t[1000], _VERSION)' | grep '1000.1000000.Lua 5'
""",
    "git": """
git config --global user.name n
git config --global user.email e
rm -f lua/src/*.o
git init -q repository
cp -a lua/. repository
git -C repository add .
git -C repository commit -qm first
for i in 1 2 3; do echo $i >> repository/README; git -C repository add README; git -C repository commit -qm change$i; done
git clone -q repository clone
git clone -q --no-local repository packed
git -C packed gc -q
for r in repository clone packed; do git -C $r fsck --strict --full; git -C $r diff --quiet HEAD; done
test "$(git -C packed rev-list --count HEAD)" = 4
""",
}
PYTHON_TESTS = "test_os test_shutil test_tarfile test_zipfile".split()  # Debian packs no test_sqlite3
GREETING = {"usr/bin/local-greeting": "#!/bin/sh\necho hello from a package\n",
            "DEBIAN/postinst": "#!/bin/sh\ntouch /var/lib/local-was-configured\n",
            "DEBIAN/control": "Package: local\nVersion: 1.0\nArchitecture: all\nMaintainer: Nobody <nobody@example.com>\n"
                              "Depends: bash\nDescription: a greeting\n"}


def materials(ctx):
    """A disk with what the steps need and Debian's disk lacks."""
    downloads = host.BUILD / "downloads/debian"
    downloads.mkdir(parents=True, exist_ok=True)
    if not (downloads / "lua.orig.tar.gz").exists():
        uri = subprocess.run(["apt-get", "download", "--print-uris", "lua5.4"], check=True, capture_output=True, text=True).stdout
        folder, version = re.match(r"'(.*/)lua5\.4_([\d.]+)-", uri.replace("%2b", "+")).groups()
        with urllib.request.urlopen(f"{folder}lua5.4_{version}.orig.tar.gz", timeout=60) as source:
            (downloads / "lua.orig.tar.gz").write_bytes(source.read())
    if not list(downloads.glob("libpython*.deb")):
        subprocess.run(["apt-get", "download", "-q", "libpython3.11-testsuite"], cwd=downloads, check=True, capture_output=True)
    for name, text in GREETING.items():
        path = ctx.work / "package" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o644 if name.endswith("control") else 0o755)
    folder = ctx.work / "materials"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(downloads, folder)
    shutil.copy(host.ROOT / "tests/long/outcomes.py", folder)
    subprocess.run(["dpkg-deb", "-b", "--root-owner-group", ctx.work / "package", folder / "local.deb"], check=True,
                   capture_output=True)
    for name, script in STEPS.items():
        (folder / name.replace("/", "")).write_text(script)
    disk = ctx.work / "materials.img"
    disk.unlink(missing_ok=True)
    subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-d", folder, disk, "64M"], check=True, capture_output=True)
    return disk


def test_work(ctx):
    disk = disks.copy(disks.disk("debian"), ctx.work / "debian.img")
    results = []
    with disks.login(ctx, disk, 2, "1G", 400, disks=[materials(ctx)]) as guest:
        guest.shell("mount -o ro /dev/vdb /mnt && mkdir work && cd work && export TMPDIR=/root/work")
        for name in STEPS:
            status, output = guest.shell(f"bash -e '/mnt/{name.replace('/', '')}' < /dev/null", 1200)
            results.append(testing.Result(f"{ctx.name}: {name}", status == 0, output[-2000:]))
        for module in PYTHON_TESTS:
            linux, _ = regression.on_linux(module)
            _, output = guest.shell(f"timeout 1500 python3 /mnt/outcomes.py {module} < /dev/null", 1600)
            results.append(regression.compare(module, linux, regression.outcomes(output), output))
    return results
