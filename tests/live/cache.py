#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmtop cache against files of which it is known what is cached, and against fincore(1).

A part of tests/live/run: it prints its cases and no plan, for it is not the only one.
"""

import ctypes
import mmap
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from program import DENIED, NOTHING, OK, Outsider, expect, loads, run  # noqa: E402
from tap import Report  # noqa: E402

PAGE = mmap.PAGESIZE
LIBC = ctypes.CDLL(None, use_errno=True)
# Whether what was read by hand is all that there is: not where somebody else reads the same files.
HAS_CACHESTAT = tuple(int(n) for n in platform.release().split(".")[:2]) >= (6, 5)


def truth(path):
    """Bytes of a file in the page cache, by mincore on a mapping of our own."""
    size = os.path.getsize(path)
    if size == 0:
        return 0
    with open(path, "rb") as file:
        with mmap.mmap(file.fileno(), size, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE) as m:
            pages = (size + PAGE - 1) // PAGE
            vec = (ctypes.c_ubyte * pages)()
            base = ctypes.c_char.from_buffer(m)
            at = ctypes.c_void_p(ctypes.addressof(base))
            failed = LIBC.mincore(at, ctypes.c_size_t(size), vec)
            del base
    if failed:
        raise OSError(ctypes.get_errno(), "mincore")
    return PAGE * sum(v & 1 for v in vec)


def make(path, pages, keep=()):
    """A file that is on the disk, of which these ranges of pages alone are cached."""
    with open(path, "wb") as file:
        file.write(os.urandom(pages * PAGE))
        file.flush()
        os.fsync(file.fileno())
    with open(path, "rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
        for first, n in keep:
            os.pread(file.fileno(), n * PAGE, first * PAGE)
    return str(path)


def rows(*args, program=run, code=OK):
    result = program("cache", "-J", *args)
    problem = expect(result, code, quiet=False)
    if problem:
        raise RuntimeError(f"{args}: {problem}")
    return {row["path"]: row for row in loads(result.out)["data"]["cached_files"]}


def differs(row, **wanted):
    return [f"{key} is {row[key]!r}, not {value!r}" for key, value in wanted.items()
            if row[key] != value]


def named(report, folder):
    ranges = [(0, 4), (100, 32), (511, 1)]
    some = make(folder / "some", 512, ranges)
    none = make(folder / "none", 64)
    with open(folder / "dirty", "wb") as file:
        file.write(bytes(16 * PAGE))
        file.flush()
        dirty = rows(file.name)[file.name]
        os.fsync(file.fileno())
        clean = rows(file.name)[file.name]
    found = rows(some, none)
    # What is cached can be more than was read: a folder of a large block, a neighbour of a page.
    least = PAGE * sum(n for _, n in ranges)
    report.check("cache: ranges that were read", differs(
        found[some], size_bytes=512 * PAGE, cached_bytes=truth(some), inode=os.stat(some).st_ino,
        read_status="ok", deleted=False)
        + ([] if least <= found[some]["cached_bytes"] < 400 * PAGE else
           [f"{found[some]['cached_bytes']} bytes of {least} that were read"]))
    report.check("cache: given back", differs(found[none], cached_bytes=0, cached_percent=0))
    if not HAS_CACHESTAT:
        report.check("cache: mincore says nothing of what is dirty",
                     differs(dirty, dirty_bytes=None, writeback_bytes=None, method="mincore"))
        return
    waits = dirty["dirty_bytes"] + dirty["writeback_bytes"]
    report.check("cache: written and not synced", differs(dirty, cached_bytes=16 * PAGE)
                 + ([] if waits == 16 * PAGE else [f"{waits} bytes wait, not {16 * PAGE}"]))
    report.check("cache: synced", differs(clean, cached_bytes=16 * PAGE, dirty_bytes=0,
                                          writeback_bytes=0))
    result = run("cache", str(folder), str(folder / "not-there"))
    report.check("cache: a directory, a name that is not there",
                 expect(result, NOTHING, quiet=False)
                 or [f"{word} is not said: {result.err!r}" for word in ("--tree", "No such file")
                     if word.encode() not in result.err])


def tree(report, folder):
    top = folder / "tree"
    (top / "a" / "b").mkdir(parents=True)
    files = [make(top / "one", 8, [(0, 8)]), make(top / "a" / "two", 16, [(0, 5)]),
             make(top / "a" / "b" / "three", 4, [(0, 4)])]
    make(top / "a" / "empty", 4)
    os.link(top / "one", top / "a" / "one-again")
    os.symlink(folder, top / "out")
    # Whoever opened one of these would wait.
    os.mkfifo(top / "pipe")
    result = run("cache", "-J", "--tree", str(top))
    problem = expect(result, OK, quiet=False)
    if problem:
        report.check("cache: a tree", problem)
        return
    data = loads(result.out)["data"]
    found = {row["path"]: row["cached_bytes"] for row in data["cached_files"]}
    # Either name of what has two.
    again = str(top / "a" / "one-again")
    if again in found:
        found[str(top / "one")] = found.pop(again)
    wanted = {path: truth(path) for path in files}
    report.check("cache: a tree has its files, each once",
                 None if found == wanted else f"{found}, not {wanted}")
    report.check("cache: a tree as a sum", differs(
        data["cache"], files_total=3, empty_total=1, unknown_total=0, complete=True,
        listed_cached_bytes=sum(wanted.values())))
    if shutil.which("fincore"):
        said = subprocess.run(["fincore", "-b", "-r", "-n", "-o", "RES,FILE", *files],
                              stdout=subprocess.PIPE, check=True, text=True).stdout.split()
        there = {path: int(size) for size, path in zip(said[::2], said[1::2])}
        report.check("cache: as fincore says", None if there == wanted else f"{there}, not {wanted}")
    else:
        report.skip("cache: as fincore says", "no fincore here (util-linux)")


def mounts(report, folder):
    """tmpfs below a tree, and a file of overlayfs, whose pages are those of another file."""
    cases = ("cache: shmem below a tree", "cache: --xdev", "cache: overlayfs")
    top = folder / "mounts"
    for name in ("shm", "lower", "upper", "work", "both"):
        (top / name).mkdir(parents=True)
    lower = make(top / "lower" / "file", 32, [(0, 32)])
    if subprocess.run(["mount", "-t", "tmpfs", "none", top / "shm"], check=False).returncode:
        for case in cases:
            report.skip(case, "nothing can be mounted here")
        return
    try:
        shm = top / "shm" / "file"
        shm.write_bytes(bytes(3 * PAGE))
        found = rows("--tree", str(top))
        report.check(cases[0], differs(found[str(shm)], cached_bytes=3 * PAGE, kind="shmem",
                                       fs_type="tmpfs", deleted=False))
        found = rows("--tree", str(top), "--xdev")
        report.check(cases[1], [f"{p} is listed" for p in found if p == str(shm)]
                     + ([] if lower in found else [f"{lower} is not listed"]))
    finally:
        subprocess.run(["umount", top / "shm"], check=True)
    options = f"lowerdir={top}/lower,upperdir={top}/upper,workdir={top}/work"
    if subprocess.run(["mount", "-t", "overlay", "-o", options, "none", top / "both"],
                      stderr=subprocess.DEVNULL, check=False).returncode:
        report.skip(cases[2], "this kernel has no overlayfs")
        return
    try:
        path = str(top / "both" / "file")
        report.check(cases[2], differs(rows(path)[path], cached_bytes=truth(lower),
                                       method="mincore", fs_type="overlay", dirty_bytes=None))
    finally:
        subprocess.run(["umount", top / "both"], check=True)


def without_rights(report, folder):
    os.chmod(folder, 0o755)
    others = make(folder / "others", 8, [(0, 8)])
    os.chmod(others, 0o644)
    own = make(folder / "own", 8, [(0, 8)])
    os.chown(own, 65534, 65534)
    with Outsider() as nobody:
        result = nobody.run("cache", "-J", others)
        row = loads(result.out)["data"]["cached_files"][0] if result.out else {}
        # Before 6.14 the kernel told everybody.
        if row.get("cached_bytes") is not None and row.get("method") == "cachestat":
            report.check("cache: nobody is told the truth of others' files",
                         differs(row, cached_bytes=8 * PAGE))
        else:
            report.check("cache: nobody is told nothing of others' files",
                         expect(result, DENIED, quiet=False)
                         or differs(row, cached_bytes=None, cached_percent=None, dirty_bytes=None,
                                    read_status="denied", size_bytes=8 * PAGE))
        found = rows(own, program=nobody.run)
        report.check("cache: nobody is told of his own",
                     differs(found[own], cached_bytes=8 * PAGE, read_status="ok"))


def main():
    report = Report()
    with tempfile.TemporaryDirectory(prefix="vmtop-cache-", dir="/var/tmp") as name:
        folder = pathlib.Path(name)
        named(report, folder)
        tree(report, folder)
        mounts(report, folder)
        without_rights(report, folder)
    sys.exit(1 if report.failed else 0)


main()
