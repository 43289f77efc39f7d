#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Sums of groups against our own reading of smaps, and who shares what between processes that know.

A part of tests/live/run: it prints its cases and no plan, for it is not the only one.
"""

import ctypes
import mmap
import os
import pathlib
import re
import signal
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from program import loads, run  # noqa: E402
from tap import Report  # noqa: E402

IPC_PRIVATE, IPC_CREAT, IPC_RMID = 0, 0o1000, 0
CLONE_NEWIPC = 0x08000000
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
libc.shmat.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_int]

SUMS = {
    "Size": "size_bytes",
    "Rss": "rss_bytes",
    "Anonymous": "anonymous_bytes",
    "Swap": "swap_bytes",
}
PAGE = mmap.PAGESIZE


def child(work):
    """A process that does its work, then stands still. Its id; what work returns comes back."""
    ready, done = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            kept = work()  # noqa: F841
            os.write(done, b"x")
            os.kill(os.getpid(), signal.SIGSTOP)
            while True:
                signal.pause()
        finally:
            os._exit(1)
    os.close(done)
    came = os.read(ready, 1)
    os.close(ready)
    if came != b"x":
        raise RuntimeError("the workload did not come up")
    os.waitpid(pid, os.WUNTRACED)
    return pid


def document(*args):
    done = run(*args, "-J")
    if done.code:
        raise RuntimeError(done.err.decode(errors="replace"))
    return loads(done.out)


def groups(report, pid):
    """Whatever the groups are: together they are what smaps says. Pages of libraries and of the
    program that forked have other shares at each look, so that only what has none is compared."""
    text = pathlib.Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8", errors="replace")
    total = {key: 0 for key in SUMS}
    for key, kib in re.findall(r"^(\w+):\s*(\d+) kB$", text, re.M):
        if key in total:
            total[key] += int(kib) * 1024
    count = len(re.findall(r"^[0-9a-f]+-[0-9a-f]+ ", text, re.M))
    for by in ("role", "kind", "file"):
        rows = document("maps", "--group", by, str(pid))["data"]["groups"]
        problems = [
            f"{field}: {sum(row[field] for row in rows)}, not {total[key]}"
            for key, field in SUMS.items()
            if sum(row[field] for row in rows) != total[key]
        ]
        if sum(row["maps_total"] for row in rows) != count:
            problems.append(f"{sum(row['maps_total'] for row in rows)} mappings, not {count}")
        for row in rows:
            if row["private_map_bytes"] + row["shared_map_bytes"] != row["rss_bytes"]:
                problems.append(f"{row['name']}: private and shared are not all")
            if row["unknown_total"] or row["processes_total"] != 1:
                problems.append(f"{row['name']}: {row}")
        names = [row["name"] for row in rows]
        if by == "role" and (None in names or len(set(names)) != len(names)):
            problems.append(f"roles {names}")
        report.check(f"sharers/sums by {by}", problems)


def sharing(report, folder):
    memfd = os.memfd_create("shared by two")
    os.ftruncate(memfd, 8 * PAGE)
    path = os.path.join(folder, "removed (deleted)")
    file = os.open(path, os.O_RDWR | os.O_CREAT)
    os.ftruncate(file, 8 * PAGE)
    ids = [libc.shmget(IPC_PRIVATE, 4 * PAGE, IPC_CREAT | 0o600) for _ in range(2)]

    def work(pages, attach, fresh):
        def inner():
            kept = []
            if fresh and libc.unshare(CLONE_NEWIPC) == 0:
                # The first of its namespace: number 0, which is its inode too.
                own = libc.shmget(IPC_PRIVATE, 4 * PAGE, IPC_CREAT | 0o600)
                kept.append(libc.shmat(own, None, 0))
            for fd in (memfd, file):
                m = mmap.mmap(fd, 8 * PAGE)
                for i in range(pages):
                    m[i * PAGE] = 1
                kept.append(m)
            if attach:
                at = libc.shmat(ids[0], None, 0)
                ctypes.memset(at, 1, 2 * PAGE)
                kept.append(at)
            return kept

        return inner

    pids = []
    try:
        pids = [child(work(3, True, False)), child(work(5, False, True))]
        os.unlink(path)
        for shmid in ids[1:]:
            at = libc.shmat(shmid, None, 0)
            ctypes.memset(at, 1, 3 * PAGE)
            libc.shmdt(ctypes.c_void_p(at))
        for name, args in (("all", ["--all"]), ("one", [str(pids[0])])):
            rows = document("maps", "--sharers", *args)["data"]["sharers"]
            report.check(f"sharers/{name}", judge(rows, pids, memfd, file, ids, name == "all"))
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        for shmid in ids:
            libc.shmctl(shmid, IPC_RMID, None)
        os.close(memfd)
        os.close(file)


def judge(rows, pids, memfd, file, ids, everything):
    problems = []
    device = f"{os.major(os.fstat(memfd).st_dev):02x}:{os.minor(os.fstat(memfd).st_dev):02x}"

    def of(inode, kind):
        return [row for row in rows if row["inode"] == inode and row["kind"] == kind]

    for fd, kind, gone in ((memfd, "memfd", None), (file, None, True)):
        inode = os.fstat(fd).st_ino
        found = [r for r in rows if r["inode"] == inode and r["kind"] in (kind, "file", "tmpfs")]
        wanted = [(pids[1], 5 * PAGE), (pids[0], 3 * PAGE)]
        # One who wrote a page has it; neither reads those of the other.
        if [(r["pid"], r["rss_bytes"]) for r in found] != wanted:
            problems.append(f"{kind}: {[(r['pid'], r['rss_bytes']) for r in found]}")
        for row in found:
            if (row["processes_total"], row["maps_total"]) != (2, 1) or row["deleted"] is not gone:
                problems.append(f"{kind}: {row}")
            if kind and row["device"] != device:
                problems.append(f"{kind}: device {row['device']}, not {device}")
    mine = [row for row in of(ids[0], "sysv") if row["pid"] == pids[0]]
    if len(mine) != 1 or mine[0]["processes_total"] != 1 or mine[0]["attached_total"] != 1:
        problems.append(f"the segment that is mapped: {mine}")
    elif (mine[0]["rss_bytes"], mine[0]["held_bytes"]) != (2 * PAGE, 2 * PAGE):
        problems.append(f"its size: {mine}")
    left = of(ids[1], "sysv")
    if not everything:
        if left:
            problems.append(f"nobody asked for {left}")
    elif [(r["pid"], r["held_bytes"], r["size_bytes"]) for r in left] != [(None, 3 * PAGE, 4 * PAGE)]:
        problems.append(f"the segment that nobody maps: {left}")
    foreign = [row for row in rows if row["kind"] == "sysv" and row["pid"] == pids[1]]
    if everything and (
        len(foreign) != 1 or foreign[0]["held_bytes"] is not None or foreign[0]["inode"] != 0
    ):
        problems.append(f"the segment of another namespace: {foreign}")
    return problems


def main():
    report = Report()
    if os.geteuid() != 0:
        report.skip("sharers", "only root sees all processes")
        return
    pid = child(lambda: mmap.mmap(-1, 64 * PAGE))
    try:
        groups(report, pid)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        sharing(report, folder)


main()
