#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How many mappings a process has, of how many it may have: next to the limit, and growing.

A part of tests/live/run: it prints its cases and no plan, for it is not the only one.
"""

import ctypes
import mmap
import os
import pathlib
import re
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from program import OK, TIMEOUT, loads, run  # noqa: E402
from tap import VMTOP, Report  # noqa: E402

PAGE = mmap.PAGESIZE
# More would take hundreds of MiB of the kernel's memory.
MOST = 100_000
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + 3 * [ctypes.c_int] + [ctypes.c_long]
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]


def split(n):
    """Makes at least n mappings more: pages of different protection, without memory."""
    base = libc.mmap(None, n * PAGE, 0, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0)
    if base in (None, ctypes.c_void_p(-1).value):
        raise OSError(ctypes.get_errno(), "mmap")
    for i in range(0, n, 2):
        if libc.mprotect(base + i * PAGE, PAGE, mmap.PROT_READ):
            raise OSError(ctypes.get_errno(), "mprotect")


class Workload:
    """A child that makes as many mappings more as it is told to, and then says so."""

    def __init__(self):
        ours, self.orders = os.pipe()
        self.answers, theirs = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(self.orders)
                while order := os.read(ours, 16):
                    split(int(order))
                    os.write(theirs, b"x")
            finally:
                os._exit(1)
        os.close(ours)
        os.close(theirs)

    def grow(self, n):
        os.write(self.orders, str(n).encode())
        if os.read(self.answers, 1) != b"x":
            raise RuntimeError("the workload ended")

    def count(self):
        return len(pathlib.Path(f"/proc/{self.pid}/maps").read_bytes().splitlines())

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def look(pid):
    done = run("ps", "-p", str(pid), "-o", "pid,maps_total,maps_limit,maps_percent", "-J")
    if done.code:
        raise RuntimeError(done.err.decode(errors="replace"))
    return loads(done.out)


def budget(report, name, workload, limit, near):
    count = workload.count()
    document = look(workload.pid)
    (row,) = document["data"]["processes"]
    want = {
        "pid": workload.pid,
        "maps_total": count,
        "maps_limit": limit,
        "maps_percent": count * 100_000 // limit / 1000,
    }
    problems = [] if row == want else [f"it is {row}, not {want}"]
    texts = [f["text"] for f in document["findings"] if f["id"] == "few_maps_left"]
    if near != any(f" {workload.pid} (" in f" {t}" and f"with {count}" in t for t in texts):
        problems.append(f"the findings are {texts}")
    report.check(f"{name}: {count} of {limit} mappings", problems)


def growth(report, workload):
    """The changes between samples add up to what was made meanwhile."""
    words = ["-p", str(workload.pid), "-o", "pid,maps_total,maps_delta", "-d", "0.05"]
    with subprocess.Popen([VMTOP, "ps", "--ndjson", *words], stdout=subprocess.PIPE) as watch:

        def sample():
            while line := watch.stdout.readline():
                record = loads(line)
                if record["type"] == "proc":
                    return record
            raise RuntimeError("the stream ended")

        first = sample()
        before = workload.count()
        workload.grow(200)
        after = workload.count()
        total, last = 0, first
        while last["maps_total"] != after:
            last = sample()
            total += last["maps_delta"]
        watch.kill()
    problems = [] if first["maps_delta"] is None else ["the first sample has a change"]
    if (first["maps_total"], total) != (before, after - before):
        problems.append(f"{first['maps_total']} and {total} more, not {before} and {after - before}")
    report.check("the mappings that came between samples are counted", problems)


def status_bytes(pid, key):
    text = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    return int(re.search(rf"^{key}:\s*(\d+) kB$", text, re.M).group(1)) * 1024


def what_is_partial(row, got, truth, size):
    """What is wrong with the row of a process whose time was over, of whose mappings got came."""
    if row["read_status"] == "ok":
        # The time was over when it was printed.
        return [] if got == truth else [f"{got} mappings of {truth}, and it is ok"]
    return [
        # All of them may be there, and the time over before the end of the file was seen.
        *([] if got <= truth else [f"{got} mappings of {truth}"]),
        # Or over before it came to that.
        *([] if row["read_status"] == "timed_out" or (row["read_status"], got) == ("skipped", 0)
          else [f"it is {row['read_status']!r}"]),
        *([] if row["quality"] in ("partial", "unavailable") else [f"it is {row['quality']!r}"]),
        *([] if row["maps_total"] in (None, truth) else [f"{row['maps_total']} in all"]),
        *([] if row["vsize_bytes"] == size else [f"its size is {row['vsize_bytes']}"]),
        *([] if row["rss_bytes"] else [f"its RSS is {row['rss_bytes']}"]),
    ]


def within(workload, words, limit, truth, size):
    """A run that may take so long: whether it had time enough, what is wrong with it, how many
    mappings it had, and its row where it was over."""
    result = run("maps", str(workload.pid), "-J", *words, "-t", limit)
    if result.code == OK:
        return True, [], truth, None
    if result.code != TIMEOUT:
        return True, [f"exit {result.code}: {result.err[-300:]!r}"], 0, None
    problems, got, row = [], 0, None
    if result.out:
        data = loads(result.out)["data"]
        (row,) = data["processes"]
        got = len(data["maps"])
        problems = what_is_partial(row, got, truth, size)
    text = run("maps", str(workload.pid), *words, "-t", limit)
    last = re.search(rb"^(\d+) (?:of (\d+) )?mappings( \(partial\))?, size \S+( of \S+)?",
                     text.out, re.M)
    if text.code == TIMEOUT and text.out and not (
            last and (last[3] and last[4] and last[2] in (None, b"%d" % truth) or
                      not last[3] and int(last[1]) == truth)):
        problems.append(f"text ends with {text.out[-300:]!r}")
    return False, problems, got, row


def time_box(report, workload):
    """Whatever the time allows: what is cheap is known of all of it, and what came of the rest says
    of how many. The time grows until all of it comes; where a busy machine left no step between
    none and all, in smaller steps."""
    truth, size = workload.count(), status_bytes(workload.pid, "VmSize")
    for name, words, of_how_many in (
            ("the list", ["--list-only"], False), ("smaps, behind the list", ["--pss"], True)):
        problems, parts = [], 0
        for step in (1.25, 1.1, 1.05, 1.02):
            seconds, done = 0.01, False
            while not done and not problems:
                done, wrong, got, row = within(workload, words, f"{seconds:.3f}", truth, size)
                problems += wrong
                parts += 0 < got < truth and (not of_how_many or row["maps_total"] == truth)
                seconds *= step
                if seconds > 60:
                    raise RuntimeError("a minute is not enough")
            if parts or problems:
                break
        if not parts and not problems:
            problems.append("no time was between none and all")
        report.check(f"C02 not all of {truth} mappings in the time: {name}", problems[:5])


def main():
    report = Report()
    limit = int(pathlib.Path("/proc/sys/vm/max_map_count").read_text(encoding="ascii"))
    workload = Workload()
    try:
        workload.grow(1000)
        budget(report, "far from the limit", workload, limit, 1000 > limit * 0.9)
        growth(report, workload)
        if limit > MOST:
            report.skip("close to the limit", f"vm.max_map_count is {limit}")
        else:
            workload.grow(limit - 500 - workload.count())
            budget(report, "close to the limit", workload, limit, True)
            time_box(report, workload)
    finally:
        workload.end()
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
