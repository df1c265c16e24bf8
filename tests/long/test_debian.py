# SPDX-License-Identifier: MIT
"""Debian from its packages, with sysvinit and OpenRC, boots from ext4 and works there."""
from kevlar_lib import disks

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
