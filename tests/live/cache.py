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
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from program import DENIED, FAILED, NOTHING, OK, Outsider, expect, loads, run  # noqa: E402
from tap import VMTOP, Report  # noqa: E402

PAGE = mmap.PAGESIZE
TRIES = 50
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


# {path: ranges of pages} of the files that were made.
MADE = {}


def read_again(path):
    """What a file is to have in the page cache; what is there already is not read."""
    with open(path, "rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
        for first, n in MADE.get(path, ()):
            os.pread(file.fileno(), n * PAGE, first * PAGE)


def steady(paths, look, names=None):
    """What look() gives, and {path: bytes in the page cache} where that was the same before it and
    behind it: the kernel writes and takes pages when it likes, and of a whole machine at times. It
    forgets names, too: names(said) are those that look() has found, and these are looked for again."""
    for _ in range(TRIES):
        for path in paths:
            read_again(path)
        before = {path: truth(path) for path in paths}
        said, after = look(), {path: truth(path) for path in paths}
        if after == before and (not names or set(paths) <= set(names(said))):
            break
    return said, after


def names_of(result):
    """Of the document of a run."""
    return [row["path"] for row in loads(result.out)["data"]["cached_files"]] if result.out else []


def make(path, pages, keep=()):
    """A file that is on the disk, of which these ranges of pages alone are cached."""
    with open(path, "wb") as file:
        file.write(os.urandom(pages * PAGE))
        file.flush()
        os.fsync(file.fileno())
    with open(path, "rb") as file:
        for _ in range(TRIES):
            # A page that somebody looks at, as who writes it to the disk, stays.
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            if truth(path) == 0:
                break
            os.fsync(file.fileno())
    MADE[str(path)] = keep
    read_again(str(path))
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
        # Where much is dirty the kernel does not wait with writing it.
        for _ in range(TRIES):
            file.seek(0)
            file.write(bytes(16 * PAGE))
            file.flush()
            dirty = rows(file.name)[file.name]
            if not HAS_CACHESTAT or dirty["dirty_bytes"] + dirty["writeback_bytes"] == 16 * PAGE:
                break
        for _ in range(TRIES):
            os.fsync(file.fileno())
            clean = rows(file.name)[file.name]
            if clean["cached_bytes"] == 16 * PAGE:
                break
            # What is clean can be taken away.
            file.seek(0)
            file.write(bytes(16 * PAGE))
            file.flush()
    found, cached = steady([some], lambda: rows(some, none))
    # What is cached can be more than was read: a folder of a large block, a neighbour of a page.
    least = PAGE * sum(n for _, n in ranges)
    report.check("cache: ranges that were read", differs(
        found[some], size_bytes=512 * PAGE, cached_bytes=cached[some], inode=os.stat(some).st_ino,
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
    os.link(some, folder / "again")
    result, cached = steady(
        [some], lambda: run("cache", "-J", some, str(folder / "again"), some, none))
    data = loads(result.out)["data"]
    found = sorted(row["path"] for row in data["cached_files"])
    report.check("cache: what is named twice, or has two names, has its rows and is summed once",
                 ([] if found == sorted([some, some, str(folder / "again"), none]) else [f"{found}"])
                 + differs(data["cache"], listed_cached_bytes=cached[some], files_total=4))
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
    def fincore():
        return subprocess.run(["fincore", "-b", "-r", "-n", "-o", "RES,FILE", *files],
                              stdout=subprocess.PIPE, check=True, text=True).stdout.split()

    known = shutil.which("fincore")
    (result, said), wanted = steady(
        files, lambda: (run("cache", "-J", "--tree", str(top)), fincore() if known else None))
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
    report.check("cache: a tree has its files, each once",
                 None if found == wanted else f"{found}, not {wanted}")
    report.check("cache: a tree as a sum", differs(
        data["cache"], files_total=3, empty_total=1, unknown_total=0, complete=True,
        listed_cached_bytes=sum(wanted.values())))
    if known:
        there = {path: int(size) for size, path in zip(said[::2], said[1::2])}
        report.check("cache: as fincore says", None if there == wanted else f"{there}, not {wanted}")
    else:
        report.skip("cache: as fincore says", "no fincore here (util-linux)")


def mounts(report, folder):
    """tmpfs below a tree, and a file of overlayfs, whose pages are those of another file."""
    cases = ("cache: shmem below a tree", "cache: --xdev", "cache: overlayfs",
             "cache: open on overlayfs")
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
        for case in cases[2:]:
            report.skip(case, "this kernel has no overlayfs")
        return
    try:
        path = str(top / "both" / "file")
        pid, end = holder(path)
        found, mapped = steady([lower], lambda: rows("--mapped", "-p", str(pid)), list)
        os.write(end, b"x")
        os.close(end)
        os.waitpid(pid, 0)
        named, cached = steady([lower], lambda: rows(path))
        # What it maps is the file below, and that has the pages.
        report.check(cases[2], differs(named[path], cached_bytes=cached[lower],
                                       method="mincore", fs_type="overlay", dirty_bytes=None)
                     + (differs(found[lower], cached_bytes=mapped[lower], mappers_total=1)
                        if lower in found else [f"{lower} is not among what is mapped"]))
        with open(path, "rb"):
            found, cached = steady([lower], lambda: rows("--open", "-p", str(os.getpid())), list)
        report.check(cases[3], differs(found[lower], cached_bytes=cached[lower], openers_total=1)
                     if lower in found else [f"{lower} is not among what is open"])
    finally:
        subprocess.run(["umount", top / "both"], check=True)


def holder(path):
    """A process that maps a file until it is told to end; the pipe for that, and its id."""
    come, done = os.pipe()
    wait, end = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(end)
            with open(path, "rb") as file:
                kept = mmap.mmap(file.fileno(), 0, mmap.MAP_SHARED, mmap.PROT_READ)
            # A second mapping of the same process.
            with open(path, "rb") as file:
                more = mmap.mmap(file.fileno(), 0, mmap.MAP_SHARED, mmap.PROT_READ)
            os.write(done, bytes([kept[0] & more[0] & 1]) or b"x")
            os.read(wait, 1)
        finally:
            os._exit(0)
    os.close(done)
    os.close(wait)
    if not os.read(come, 1):
        raise RuntimeError("the workload did not come up")
    os.close(come)
    return pid, end


def walk(report, folder):
    """--all: what nobody has open, what has no name any more, what is mapped, and by whom."""
    closed = make(folder / "closed", 200, [(0, 10), (50, 20)])
    twice = make(folder / "twice", 8, [(0, 8)])
    os.link(twice, folder / "another-name")
    gone = open(make(folder / "gone", 16, [(0, 16)]), "rb")
    os.unlink(gone.name)
    # The way to it without a name.
    nameless = f"/proc/self/fd/{gone.fileno()}"
    MADE[nameless] = [(0, 16)]
    memory = os.memfd_create("vmtop-cache")
    os.write(memory, bytes(5 * PAGE))
    odd = make(folder / "a \n\x1b[31m\\012 name", 4, [(0, 4)])
    # These inherit what is open.
    pids = [holder(twice) for _ in range(2)]
    try:
        result, cached = steady(
            [closed, twice, nameless, odd], lambda: run("cache", "--all", "-J"),
            # One of them has no name to be forgotten.
            lambda said: [nameless, *names_of(said)])
        problem = expect(result, OK, quiet=False)
        if problem:
            report.check("cache --all", problem)
            return
        document = loads(result.out)
        found = {row["path"]: row for row in document["data"]["cached_files"]}
        nothing = dict.fromkeys(found[next(iter(found))], "no row")

        def row(path):
            return found.get(path, nothing)

        report.check("cache --all: a closed file", differs(
            row(closed), cached_bytes=cached[closed], size_bytes=200 * PAGE, kind="file",
            inode=os.stat(closed).st_ino, mappers_total=0, openers_total=0, method="inode"))
        report.check("cache --all: two processes, two mappings each", differs(
            row(twice), cached_bytes=8 * PAGE, mappers_total=2, mappings_total=4))
        report.check("cache --all: deleted and open", differs(
            row(gone.name + " (deleted)"), cached_bytes=16 * PAGE, deleted=True, openers_total=3))
        report.check("cache --all: a memfd", differs(
            row("/memfd:vmtop-cache (deleted)"), cached_bytes=5 * PAGE, kind="shmem",
            openers_total=3))
        report.check("cache --all: an odd name", differs(row(odd), cached_bytes=4 * PAGE))
        explains(report)
        found = rows("--mapped", "-p", str(pids[0][0]))
        report.check("cache -p --mapped", [] if twice in found else "the file is no row")
        if twice in found:
            report.check("cache -p: of that process alone", differs(
                found[twice], mappers_total=1, mappings_total=2, dirty_bytes=0)
                + ([f"{closed} is a row"] if closed in found else []))
        found = rows("--open", "-p", str(os.getpid()))
        report.check("cache -p --open: by the name that was opened, also without one", [
            f"{path} is no row" for path in (gone.name + " (deleted)",
                                             "/memfd:vmtop-cache (deleted)") if path not in found])
        left = make(folder / "left", 4, [(0, 4)])
        with open(left, "rb"):
            os.link(left, folder / "stays")
            os.unlink(left)
            stays = str(folder / "stays")
            MADE[stays] = [(0, 4)]
            found, _ = steady([stays], lambda: rows("--open", "-p", str(os.getpid())), list)
            report.check("cache --open: removed, by the name that stays", differs(
                found[stays], cached_bytes=4 * PAGE, openers_total=1, deleted=False)
                if stays in found else [path for path in found if str(folder) in path])
        result, cached = steady([closed, twice], lambda: run(
            "cache", "--all", "-J", "--group", "dir", "-F", f"name = '{folder}'"))
        groups = loads(result.out)["data"]["cached_groups"]
        least = cached[closed] + 8 * PAGE
        report.check("cache --group dir", expect(result, OK)
                     or ([] if len(groups) == 1 and groups[0]["cached_bytes"] >= least
                         and groups[0]["name"] == str(folder) else f"{groups}, not {least}"))
        result = run("cache", "--all", "--csv", "-o", "cached,file", "--top", "3")
        sizes = [int(line.split(b",")[0]) for line in result.out.splitlines()[1:]]
        report.check("cache --all --top", expect(result, OK)
                     or (None if len(sizes) == 3 and sizes == sorted(sizes, reverse=True)
                         else f"{sizes}"))
    finally:
        for pid, end in pids:
            os.write(end, b"x")
            os.close(end)
            os.waitpid(pid, 0)
        gone.close()
        os.close(memory)


def explains(report):
    """The two are read one after the other, on a machine that works; one look finds them at one."""
    for _ in range(TRIES):
        result = run("cache", "--all", "-J", "--top", "1")
        problem = expect(result, OK, quiet=False)
        if problem:
            break
        cache = loads(result.out)["data"]["cache"]
        problem = [f"{key} is {cache[key]}" for key in ("explained_percent", "shared_percent")
                   if not 95 <= cache[key] <= 106] + differs(cache, complete=True, cut_total=0)
        if not problem:
            break
    report.check("cache --all: explains Cached", problem)


def processes(report):
    """Those that are not there, and numbers that the kernel's lists do not have."""
    gone = 1 << 22
    result = run("cache", "-p", str(gone - 1))
    report.check("cache -p: a process that is not there", expect(result, NOTHING, complaint=True))
    result = run("cache", "-J", "-p", f"{os.getpid()},{gone - 1}")
    problem = expect(result, NOTHING, quiet=False)
    report.check("cache -p: one that is there beside it",
                 problem or (None if loads(result.out)["data"]["cached_files"] else "no rows"))
    result = run("-pf", "--mount-proc", VMTOP, "cache", "-p", "1", program="unshare")
    report.check("cache -p: in a PID namespace", expect(result, FAILED, complaint=True))


def live(report, folder):
    """Pages that come and go: a file that is written and cut, until all is seen. And files that
    are made and removed: the last to get the memory of one has its own pages alone. Shmem is
    unknown, and not nothing. For as long as it takes on a machine where others have their turn."""
    for seconds in ("0.5", "2", "8", "30"):
        top = folder / f"live-{seconds}"
        top.mkdir()
        found = live_for(top, seconds)
        if not any(found):
            break
    for case, problem in zip(("", ": what had the memory of an inode before",
                              ": of shmem it is not known"), found):
        report.check(f"cache --live{case}", problem)


def live_for(folder, seconds):
    """What is wrong with its three cases."""
    path = str(folder / "busy")
    last = str(folder / "last")
    over = threading.Event()
    memory = os.memfd_create("vmtop-busy")
    os.write(memory, bytes(3 * PAGE))

    def work():
        number = 0
        with open(path, "wb", buffering=0) as file:
            while not over.is_set():
                file.write(bytes(32 * PAGE))
                file.truncate(0)
                file.seek(0)
                number += 1
                os.ftruncate(memory, PAGE)
                os.pwrite(memory, bytes(2 * PAGE), PAGE)
                kept = number % 8 == 0 and number < 20000
                with open(f"{last}-{number}", "wb", buffering=0) as other:
                    other.write(bytes(PAGE if kept else 8 * PAGE))
                if not kept:
                    os.unlink(other.name)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        result = run("cache", "--all", "--live", seconds, "-J", "-F",
                     f"file ~ '{folder}' || file ~ vmtop-busy")
    finally:
        over.set()
        thread.join()
        os.close(memory)
    problem = expect(result, OK, quiet=False)
    reused = shmem = problem
    if not problem:
        data = loads(result.out)["data"]
        cache = data["cache"]
        files = {row["path"]: row for row in data["cached_files"]}
        row = files.get(path, {})
        shmem = [differs(row, kind="shmem", added_bytes_per_second=None,
                         deleted_bytes_per_second=None)
                 for name, row in files.items() if "vmtop-busy" in name] or [["it has no row"]]
        shmem = [word for words in shmem for word in words]
        seconds = cache["live_ns"] / 1e9
        # To those that stay came one page, at most.
        reused = [f"{name}: {row[rate] * seconds} bytes"
                  for name, row in files.items() if name.startswith(f"{last}-")
                  for rate in ("added_bytes_per_second", "deleted_bytes_per_second")
                  if not row["deleted"] and row["size_bytes"] == PAGE
                  and row[rate] * seconds > PAGE + 1]
        for rate, total in (("added_bytes_per_second", "added_bytes"),
                            ("deleted_bytes_per_second", "deleted_bytes")):
            seen = (row.get(rate) or 0) * seconds
            # Whole rounds of 32 pages, but for those that it began or ended in.
            if not 32 * PAGE <= seen <= cache[total] + PAGE:
                problem = f"{rate}: {seen} bytes of {cache[total]}"
    return problem, reused, shmem


def file_systems(report, folder):
    """What a file system keeps elsewhere than in the inodes of its superblock would be missing."""
    image = folder / "image"
    for fs, size, make_fs in (("ext4", 64, ["mkfs.ext4", "-q"]), ("xfs", 320, ["mkfs.xfs", "-q"]),
                              ("btrfs", 128, ["mkfs.btrfs", "-q"])):
        case = f"cache --all: {fs}"
        if shutil.which(make_fs[0]) is None:
            report.skip(case, f"no {make_fs[0]} here")
            continue
        with open(image, "wb") as file:
            file.truncate(size << 20)
        subprocess.run([*make_fs, str(image)], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        top = folder / fs
        top.mkdir()
        done = subprocess.run(["mount", "-o", "loop", "-t", fs, str(image), str(top)], check=False,
                              stderr=subprocess.DEVNULL)
        if done.returncode:
            report.skip(case, f"{fs} cannot be mounted here")
            image.unlink()
            continue
        try:
            where = top / "folder"
            if fs == "btrfs":
                # Files of a subvolume have a device of their own in stat(2).
                subprocess.run(["btrfs", "subvolume", "create", str(where)], check=True,
                               stdout=subprocess.DEVNULL)
            else:
                where.mkdir()
            path = make(where / "file", 100, [(0, 7), (60, 30)])
            # With what is dirty, which opening by the path finds only where that is the same file.
            (named, found), cached = steady(
                [path], lambda: (rows(path)[path], rows("--all", "-F", f"file = '{path}'")),
                lambda said: said[1])
            wanted = {"cached_bytes": cached[path], "fs_type": fs, "kind": "file",
                      "inode": os.stat(path).st_ino, "device": named["device"]}
            if HAS_CACHESTAT:
                wanted["dirty_bytes"] = 0
            report.check(case, differs(found[path], **wanted) if path in found else "no row")
            report.check(f"cache PATH: {fs}", differs(named, cached_bytes=wanted["cached_bytes"]))
        finally:
            subprocess.run(["umount", str(top)], check=True)
            image.unlink()


def without_rights(report, folder):
    os.chmod(folder, 0o755)
    others = make(folder / "others", 8, [(0, 8)])
    os.chmod(others, 0o644)
    own = make(folder / "own", 8, [(0, 8)])
    os.chown(own, 65534, 65534)
    with Outsider() as nobody:
        result, _ = steady([others], lambda: nobody.run("cache", "-J", others))
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
        result = nobody.run("cache", "--all", "-J")
        problem = expect(result, DENIED, quiet=False)
        if not problem:
            data = loads(result.out)["data"]
            problem = differs(data["cache"], files_total=0, complete=False, inodes_total=None) + \
                ([] if b"CAP_BPF" in result.err else [f"the reason is not said: {result.err!r}"])
        report.check("cache --all: nobody is told why there are no rows", problem)
        found, _ = steady([own], lambda: rows(own, program=nobody.run))
        report.check("cache: nobody is told of his own",
                     differs(found[own], cached_bytes=8 * PAGE, read_status="ok"))


def main():
    report = Report()
    with tempfile.TemporaryDirectory(prefix="vmtop-cache-", dir="/var/tmp") as name:
        folder = pathlib.Path(name)
        named(report, folder)
        tree(report, folder)
        mounts(report, folder)
        walk(report, folder)
        processes(report)
        live(report, folder)
        file_systems(report, folder)
        without_rights(report, folder)
    sys.exit(1 if report.failed else 0)


main()
