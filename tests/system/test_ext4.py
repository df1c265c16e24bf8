# SPDX-License-Identifier: MIT
"""ext4, ext3, ext2: images of mke2fs are read and written; afterwards e2fsck finds nothing and debugfs the same bytes."""
import hashlib
import os
import random
import shutil
import subprocess

from kevlar_lib import host, image, testing

PROMPT = r"# \x1b\[6n"
FORMATS = {
    "ext4": "-t ext4 -b 4096",
    "ext4-1k": "-t ext4 -b 1024",
    "ext4-plain": "-t ext4 -b 4096 -O ^has_journal,^metadata_csum,uninit_bg",
    "ext4-inline": "-t ext4 -b 4096 -I 256 -O inline_data,metadata_csum_seed,large_dir",
    "ext4-meta_bg": "-t ext4 -b 1024 -O meta_bg,^resize_inode,sparse_super2",
    "ext3": "-t ext3 -b 1024",
    "ext2": "-t ext2 -b 4096",
}
STRESS = ("ext4", "ext4-1k", "ext4-plain", "ext3")


def command(*words, **options):
    host.need(words[0])
    return subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False, **options)


def make_image(ctx, name, options, size="200M", tree=None):
    path = ctx.work / f"{name}.img"
    path.unlink(missing_ok=True)
    made = command("mke2fs", "-q", "-F", *options.split(), *(["-d", tree] if tree else []), path, size)
    assert made.returncode == 0, made.stderr
    return path


def assert_clean(image):
    checked = command("e2fsck", "-fn", image)
    assert checked.returncode == 0, f"{image}: e2fsck: {checked.stdout}{checked.stderr}"


def make_tree(root):
    """Files, links, an indexed directory; {name: md5} of the files."""
    shutil.rmtree(root, ignore_errors=True)
    (root / "many").mkdir(parents=True)
    (root / "deep/er/still").mkdir(parents=True)
    rng = random.Random(1)
    sizes = {"empty": 0, "tiny": 20, "small": 140, "block": 4096, "odd": 70001, "large": 3 << 20}
    for name, size in sizes.items():
        (root / "deep" / name).write_bytes(rng.randbytes(size))
    with open(root / "sparse", "wb") as file:
        for at in range(0, 8 << 20, 128 << 10):
            file.seek(at)
            file.write(rng.randbytes(1000))
    for number in range(500):
        (root / f"many/a_file_whose_name_has_the_number_{number}").write_text(str(number))
    os.symlink("tiny", root / "deep/short")
    os.symlink("still/" * 20 + "x", root / "deep/long")
    return {str(path.relative_to(root)): hashlib.md5(path.read_bytes()).hexdigest()
            for path in sorted(root.rglob("*")) if path.is_file() and not path.is_symlink()}


def run(guest, line, timeout=60):
    status, output = guest.shell(line, timeout)
    assert status == 0, f"{line}: {status}: {output}"
    return output


def power_off(guest):
    guest.send("poweroff -f\n")
    guest.wait(30)


def test_formats(ctx):
    """What mke2fs -d put in is read; what is copied inside is there for debugfs."""
    tree = ctx.work / "tree"
    sums = make_tree(tree)
    (tree / "sums").write_text("".join(f"{md5}  {name}\n" for name, md5 in sums.items()))
    images = {name: make_image(ctx, name, options, tree=tree) for name, options in FORMATS.items()}
    with ctx.machine(disks=list(images.values()), memory="512M", loglevel=4) as guest:
        guest.expect(PROMPT, 60)
        for name, disk in zip(images, "abcdefghij"):
            run(guest, f"mount -t ext4 /dev/vd{disk} /mnt && cd /mnt && md5sum -c sums > /tmp/out || grep -v OK /tmp/out && "
                       "test $(readlink deep/long | wc -c) = 122 && readlink deep/short", 120)
            run(guest, "cp -a many copied && rm -r many && mv copied deep/er/ && ln deep/large link && "
                       "cp deep/large new && truncate -s 100000 new && mkdir -p x/y && mknod x/null c 1 3; cd /; umount /mnt",
                120)
        power_off(guest)
    for name, path in images.items():
        assert_clean(path)
        out = ctx.work / "dumped"
        for inner, outer in (("link", "deep/large"), ("deep/er/copied/a_file_whose_name_has_the_number_77",
                                                      "many/a_file_whose_name_has_the_number_77")):
            out.unlink(missing_ok=True)
            command("debugfs", "-R", f"dump /{inner} {out}", path)
            assert hashlib.md5(out.read_bytes()).hexdigest() == sums[outer], f"{name}: {inner}"


def test_stress(ctx, smp):
    """Parallel random operations match a model, before and after a remount."""
    program = ctx.work / f"stress{smp}"
    failure = testing.compile_program("stress", ["musl-gcc", "-O2", "-static", "tests/system/ext4_stress.c"], program,
                                      [host.ROOT / "tests/system/ext4_stress.c"])
    assert not failure, failure.detail
    overlay = ctx.cpio(f"overlay{smp}", lambda cpio: cpio.add_file("ext4_stress", program.read_bytes(), 0o755))
    initrd = image.concatenate(ctx.work / f"root{smp}.cpio", ctx.alpine(), overlay)
    images = [make_image(ctx, f"{name}-{smp}", FORMATS[name]) for name in STRESS]
    with ctx.machine(smp=smp, disks=images, memory="512M", initrd=initrd, loglevel=4) as guest:
        guest.expect(PROMPT, 60)
        for name, disk in zip(STRESS, "abcd"):
            words = f"/mnt {smp + 1} {300 if name == 'ext3' else 600} {smp}"
            fallback = "NO_FALLOCATE=1 " if name == "ext3" else ""
            run(guest, f"mount -t ext4 /dev/vd{disk} /mnt && {fallback}/ext4_stress {words}", 200)
            run(guest, f"umount /mnt && mount -t ext4 /dev/vd{disk} /mnt && {fallback}/ext4_stress -check {words} && "
                       "umount /mnt", 100)
        power_off(guest)
    for path in images:
        assert_clean(path)


def test_full_disk(ctx):
    """ENOSPC is an error like others, and what was freed can be had again at once."""
    path = make_image(ctx, "full", FORMATS["ext4"], "40M")
    with ctx.machine(disks=[path], loglevel=4) as guest:
        guest.expect(PROMPT, 60)
        run(guest, "mount -t ext4 /dev/vda /mnt")
        status, output = guest.shell("dd if=/dev/zero of=/mnt/full bs=64k", 60)
        assert status != 0 and "No space left" in output, output
        for _ in range(3):
            run(guest, "rm /mnt/full && dd if=/dev/zero of=/mnt/full bs=64k count=300 2>&1")
        run(guest, "umount /mnt")
        power_off(guest)
    assert_clean(path)


def damage(path, rng):
    """Bits, bytes and words of metadata: blocks that do not look like random data."""
    data = bytearray(path.read_bytes())
    blocks = [at for at in range(0, len(data), 1024)
              if any(data[at:at + 1024]) and len(set(data[at:at + 1024])) < 200]
    for _ in range(rng.choice((1, 3, 10, 60))):
        at = rng.choice(blocks) + rng.randrange(1024)
        size = rng.choice((1, 2, 4))
        at -= at % size
        value = rng.choice((0, 1, (1 << 8 * size) - 1, 1 << (8 * size - 1), rng.getrandbits(8 * size)))
        data[at:at + size] = value.to_bytes(size, "little")
    path.write_bytes(data)


USE = ("for disk in /dev/vd?; do mount -t ext4 -o errors=continue $disk /mnt || mount -t ext4 -o ro,noload $disk /mnt || "
       "continue; find /mnt -type f -exec cat {} + >/dev/null; ls -laR /mnt >/dev/null; "
       "for i in 1 2 3 4 5; do echo $i >/mnt/many/new$i; mkdir /mnt/deep/d$i; echo more >>/mnt/sparse; done; "
       "cp /mnt/deep/odd /mnt/copy; mv /mnt/many /mnt/deep/er/; rm -rf /mnt/deep; sync; umount /mnt || umount -l /mnt; "
       "done 2>/dev/null; true")


def test_damaged_images(ctx, smp):
    """No damage of metadata panics or hangs the kernel."""
    rng = random.Random(smp)
    tree = ctx.work / f"small{smp}"
    make_tree(tree)
    (tree / "deep/large").unlink()
    for path in list((tree / "many").iterdir())[300:]:
        path.unlink()
    formats = ("-t ext4 -b 1024 -O ^metadata_csum", "-t ext4 -b 1024", "-t ext2 -b 1024",
               "-t ext4 -b 4096 -I 256 -O ^metadata_csum,^has_journal,inline_data")
    images = []
    for number in range(20):
        path = make_image(ctx, f"damaged{smp}-{number}", formats[number % len(formats)], "12M", tree)
        damage(path, rng)
        images.append(path)
    with ctx.machine(smp=smp, disks=images, loglevel=1) as guest:
        guest.expect(PROMPT, 60)
        run(guest, USE, 120)
        power_off(guest)
