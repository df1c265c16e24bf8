# SPDX-License-Identifier: MIT
"""Disks with ext4, ext3, ext2 for the tests: made by mke2fs, looked at by e2fsck, debugfs and Linux's own mount, damaged."""
import hashlib
import os
import random
import re
import shutil
import subprocess

from . import host, image, testing

FORMATS = {
    "ext4": "-t ext4 -b 4096",
    "ext4-1k": "-t ext4 -b 1024",
    "ext4-plain": "-t ext4 -b 4096 -O ^has_journal,^metadata_csum,uninit_bg",
    "ext4-inline": "-t ext4 -b 4096 -I 256 -O inline_data,metadata_csum_seed,large_dir",
    "ext4-meta_bg": "-t ext4 -b 1024 -O meta_bg,^resize_inode,sparse_super2",
    "ext3": "-t ext3 -b 1024",
    "ext2": "-t ext2 -b 4096",
}
TOOLS = dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin", LC_ALL="C")


def command(*words, **options):
    host.need(words[0])
    return subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False, env=TOOLS, **options)


def make_image(ctx, name, options, size="200M", tree=None):
    path = ctx.work / f"{name}.img"
    path.unlink(missing_ok=True)
    made = command("mke2fs", "-q", "-F", *options.split(), *(["-d", tree] if tree else []), path, size)
    assert made.returncode == 0, made.stderr
    return path


def assert_clean(path):
    checked = command("e2fsck", "-fn", path)
    assert checked.returncode == 0, f"{path}: e2fsck: {checked.stdout[-3000:]}{checked.stderr}"


def debugfs(path, request):
    done = command("debugfs", "-R", request, path)
    assert done.returncode == 0, done.stderr
    return done.stdout


def blocks_of(path, name):
    """The numbers of a file's blocks on the disk, in their order, its extent tree's among them."""
    return [int(number) for number in debugfs(path, f"blocks {name}").split()]


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


# ---- programs of the guest --------------------------------------------------------------------------

def program(name):
    """tests/system/NAME.c, compiled: runs here as well as in the guest."""
    source = host.ROOT / f"tests/system/{name}.c"
    output = testing.OUTPUT / "programs" / name
    failure = testing.compile_program(name, ["musl-gcc", "-O2", "-static", "-Wall", "-Wextra", "-Werror", source], output,
                                      [source])
    if failure:
        raise host.Failure(failure.detail)
    return output


def initrd(ctx, *names):
    """Alpine's tree with programs at its root."""
    def fill(cpio):
        for name in names:
            cpio.add_file(name, program(name).read_bytes(), 0o755)
    return image.concatenate(ctx.work / f"root{ctx.booted}.cpio", ctx.alpine(), ctx.cpio(f"overlay{ctx.booted}.cpio", fill))


# ---- what others find on a disk ---------------------------------------------------------------------

def with_linux_mount(path, script, *arguments):
    """Runs a script with the disk mounted at $1 by this Linux; None where that may not be."""
    if os.geteuid() != 0:
        return None
    folder = path.with_suffix(".mnt")
    folder.mkdir(exist_ok=True)
    room = 'mount -o loop,ro,noload "$0" "$1" || exit 99; ' + script
    done = command("unshare", "-m", "sh", "-c", room, path, folder, *arguments)
    return None if done.returncode == 99 else done


def assert_tree(ctx, path, words):
    """The tree of ext4_tree is on the disk: all of it as Linux sees it, and bytes and sizes as debugfs does."""
    tree = program("ext4_tree")
    done = with_linux_mount(path, 'shift; exec "$@"', tree, "-check", path.with_suffix(".mnt"), *words)
    assert done is None or done.returncode == 0, done.stdout + done.stderr
    folder = ctx.work / "dumped"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    debugfs(path, f"rdump / {folder}")
    done = subprocess.run([tree, "-check", folder, *words], env=dict(TOOLS, BYTES="1"), capture_output=True, text=True)
    shutil.rmtree(folder)
    assert done.returncode == 0, f"debugfs: {done.stdout}"


def random_tree(ctx, smp, files, processes, formats, seconds):
    """The guest makes random trees, and finds them again after a remount; so do Linux, debugfs and e2fsck."""
    words = [str(processes), str(files), str(smp)]
    images = [make_image(ctx, f"{name}-{smp}", FORMATS[name], "600M" if files > 5000 else "100M") for name in formats]
    with ctx.machine(smp=smp, disks=images, memory="512M", initrd=initrd(ctx, "ext4_tree"), loglevel=4) as guest:
        guest.expect(PROMPT, 60)
        for disk in "abcdefgh"[:len(images)]:
            run(guest, f"mount -t ext4 /dev/vd{disk} /mnt && /ext4_tree /mnt {' '.join(words)} && umount /mnt", seconds)
            run(guest, f"mount -t ext4 -o ro /dev/vd{disk} /mnt && /ext4_tree -check /mnt {' '.join(words)} && umount /mnt",
                seconds)
        power_off(guest)
    for path in images:
        assert_clean(path)
        assert_tree(ctx, path, words)
        path.unlink()


def foreign_tree(ctx, files, formats):
    """Linux makes the tree, mke2fs -d the disk; the guest finds all of it."""
    folder, words = ctx.work / "tree", ["3", str(files), "5"]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    made = command(program("ext4_tree"), folder, *words)
    assert made.returncode == 0, made.stdout
    images = [make_image(ctx, name, FORMATS[name], "100M", folder) for name in formats]
    with ctx.machine(smp=2, disks=images, initrd=initrd(ctx, "ext4_tree"), loglevel=4) as guest:
        guest.expect(PROMPT, 60)
        for disk in "abcdefgh"[:len(images)]:
            run(guest, f"mount -t ext4 -o ro /dev/vd{disk} /mnt && SECONDS=1 /ext4_tree -check /mnt {' '.join(words)} && "
                       "umount /mnt", 300)
        power_off(guest)
    shutil.rmtree(folder)


# ---- a guest with Alpine's shell --------------------------------------------------------------------

PROMPT = r"# \x1b\[6n"


def run(guest, line, timeout=60):
    status, output = guest.shell(line, timeout)
    assert status == 0, f"{line}: {status}: {output}"
    return output


def power_off(guest):
    guest.send("poweroff -f\n")
    guest.wait(30)


# ---- damage -----------------------------------------------------------------------------------------

DAMAGED = ("-t ext4 -b 1024 -O ^metadata_csum", "-t ext4 -b 1024", "-t ext2 -b 1024",
           "-t ext4 -b 4096 -I 256 -O ^metadata_csum,^has_journal,inline_data", "-t ext3 -b 1024",
           "-t ext4 -b 4096 -O ^metadata_csum,64bit", "-t ext4 -b 1024 -O ^metadata_csum,bigalloc -C 4096",
           "-t ext4 -b 1024 -O ^metadata_csum,meta_bg,^resize_inode,sparse_super2,large_dir")


def damaged_bases(ctx):
    """(bytes, offsets of KiB that hold metadata) of a disk of each format."""
    tree = ctx.work / "small"
    make_tree(tree)
    (tree / "deep/large").unlink()
    for path in list((tree / "many").iterdir())[200:]:
        path.unlink()
    os.setxattr(tree / "deep/tiny", "user.small", b"value")
    os.setxattr(tree / "deep/odd", "user.large", b"v" * 300)
    bases = []
    for number, options in enumerate(DAMAGED):
        path = make_image(ctx, f"base{number}", options, "8M", tree)
        for request in ("jo -c", "jw -b 333 /dev/zero") if "journal" in debugfs(path, "features") and number % 2 == 0 else ():
            command("debugfs", "-w", "-R", request, path)
        data = path.read_bytes()
        # What looks like random bytes is the contents of files.
        bases.append((data, [at for at in range(0, len(data), 1024)
                             if any(data[at:at + 1024]) and len(set(data[at:at + 1024])) < 200]))
        path.unlink()
    return bases


def damage(base, rng):
    """Bits, bytes and words of metadata, now and then a whole block."""
    data, places = bytearray(base[0]), base[1]
    for _ in range(rng.choice((1, 2, 5, 20, 60))):
        at = rng.choice(places)
        if rng.random() < 0.05:
            other = rng.choice(places)
            data[at:at + 1024] = rng.choice((bytes(1024), b"\xff" * 1024, data[other:other + 1024]))
            continue
        size = rng.choice((1, 2, 4))
        at += rng.randrange(1024 // size) * size
        old = int.from_bytes(data[at:at + size], "little")
        value = rng.choice((0, 1, (1 << 8 * size) - 1, 1 << (8 * size - 1), rng.getrandbits(8 * size), old + 1, old - 1,
                            old ^ 1 << rng.randrange(8 * size)))
        data[at:at + size] = (value & (1 << 8 * size) - 1).to_bytes(size, "little")
    return data


def fuzz(ctx, smp, seeds, at_once=25):
    """Disks with random damages of their metadata are used, many a boot: no panic, no hang. A disk that does harm stays
    in the test's folder."""
    bases = damaged_bases(ctx)
    archive = ctx.cpio("fuzz.cpio", lambda cpio: (cpio.directory("dev"), cpio.directory("mnt"),
                                                  cpio.device("dev/console", "c", 5, 1),
                                                  cpio.add_file("init", program("ext4_fuzz").read_bytes(), 0o755)))
    results, mounted = [], 0
    seeds = list(seeds)
    while seeds:
        batch, paths = seeds[:at_once], []
        for seed in batch:
            rng = random.Random(seed)
            paths.append(ctx.work / f"seed-{seed}.img")
            paths[-1].write_bytes(damage(bases[seed % len(bases)], rng))
        pristine = {path: path.read_bytes() for path in paths}
        trouble, done = "", 0
        with ctx.machine(initrd=archive, smp=smp, memory="256M", loglevel=1, disks=paths,
                         log=ctx.work / f"fuzz-{batch[0]}.log") as guest:
            try:
                while True:
                    match = guest.expect(r"^@@ (end vd\w: (\S+)|hang.*|done)", 150)
                    if not match[2]:
                        trouble = "" if match[1] == "done" else match[1]
                        break
                    mounted += "1" in match[2]
                    done += 1
            except Exception as error:  # whatever ended it, it was this disk
                trouble = f"{type(error).__name__}: {error}"
        if not trouble and done < len(batch):
            trouble = "the guest did not see all disks"
        for path in paths:
            path.unlink()
        if trouble:
            seed = batch[min(done, len(batch) - 1)]
            path = ctx.work / f"seed-{seed}.img"
            path.write_bytes(pristine[path])
            results.append(testing.Result(f"{ctx.name}: seed {seed}", False, f"{path}: {trouble}"))
            done += 1
        seeds = seeds[max(done, 1):] if trouble else seeds[len(batch):]
    count = len(results)
    results.append(testing.Result(f"{ctx.name}: {mounted} damaged disks could be mounted, {count} did harm", mounted > 0))
    return results
