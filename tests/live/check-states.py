#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check against states that are there: a cgroup near its limit, a storm of major faults, a process
that grows, a source that is missing. The right code, the right figure, perfdata that is read
strictly.

A part of tests/live/run: it prints its cases and no plan, for it is not the only one.
"""

import ctypes
import mmap
import os
import pathlib
import signal
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from perfdata import Broken, parse  # noqa: E402
from program import run  # noqa: E402
from tap import VMTOP, Report  # noqa: E402

OK, WARNING, CRITICAL, UNKNOWN = range(4)
MIB = 1 << 20
DEADLINE = 120
MCL_CURRENT = 1


def judge(result, code, label, fits):
    """What is wrong with a run; fits says whether the value of label is right."""
    try:
        found = parse(result.out, result.code)[2]
    except Broken as broken:
        return f"{broken}: {result.err[-300:]!r}"
    if result.code != code:
        return f"exit {result.code}, not {code}: {result.out[:300]!r}"
    return None if label not in found or fits(found[label][0]) else f"{found[label]}"


class Child:
    """A process that does one thing each time that it is told to, and says when it is done."""

    def __init__(self, work):
        ours, self.orders = os.pipe()
        self.answers, theirs = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(self.orders)
                while os.read(ours, 1):
                    work()
                    os.write(theirs, b"x")
            finally:
                os._exit(0)
        os.close(ours)
        os.close(theirs)

    def stat(self, field):
        """A field of its stat, numbered as proc(5) does."""
        text = pathlib.Path(f"/proc/{self.pid}/stat").read_text(errors="replace")
        return text.rsplit(")", 1)[1].split()[field - 3]

    def tell(self):
        """Whether it did it; then it waits for the next time, and touches nothing until then."""
        os.write(self.orders, b"x")
        done = os.read(self.answers, 1) == b"x"
        until = time.monotonic() + DEADLINE
        while done and self.stat(3) != "S" and time.monotonic() < until:
            time.sleep(0.01)
        return done

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.orders)
        os.close(self.answers)


def grows(report):
    size, held = 8 * MIB, []

    def work():
        # What it has by then stays, whatever others need memory for.
        held.append(mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
        for _ in range(size // MIB):
            held[-1].write(b"x" * MIB)
        ctypes.CDLL(None).mlockall(MCL_CURRENT)

    child = Child(work)
    told = child.tell()
    with tempfile.TemporaryDirectory() as folder:
        words = ["check", "--state", f"{folder}/state", "proc.growth", "-p", str(child.pid), "-c", "0"]
        begun = time.monotonic()
        first = run(*words)
        told = child.tell() and told
        second = run(*words)
        # A rate: no time between two looks is longer than this.
        most = time.monotonic() - begun
        third = run(*words)
    child.end()
    report.check("a process that grows: known from the second run on",
                 (None if told else "the workload ended")
                 or judge(first, OK, "proc_growth", lambda v: v is None)
                 or judge(second, CRITICAL, "proc_growth", lambda v: v * (most + 1) >= size)
                 or judge(third, OK, "proc_growth", lambda v: v == 0))


def storm(report):
    """Pages of a file that the cache has let go, read by faults."""
    size = 4 * MIB
    with tempfile.NamedTemporaryFile(dir="/var/tmp") as file:
        file.write(os.urandom(size))
        file.flush()
        os.fsync(file.fileno())

        def work():
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            with mmap.mmap(file.fileno(), size, prot=mmap.PROT_READ) as view:
                view.madvise(mmap.MADV_RANDOM)
                for at in range(0, size, mmap.PAGESIZE):
                    view[at]

        child = Child(work)
        before = child.stat(12)
        with tempfile.TemporaryDirectory() as folder:
            words = ["check", "--state", f"{folder}/state", "majflt", "-w", "0"]
            first = run(*words)
            child.tell()
            after = child.stat(12)
            second = run(*words)
        child.end()
    name = "a storm of major faults"
    if int(after) - int(before) < 100:
        report.skip(name, "this file system keeps its pages")
        return
    report.check(name, judge(first, OK, "majflt", lambda v: v is None)
                 or judge(second, WARNING, "majflt", lambda v: v > 0))


def limit(report):
    """A cgroup with 48 of 64 MiB in use has 16 left."""
    name = "a cgroup near its limit"
    v1 = pathlib.Path("/sys/fs/cgroup/memory/memory.limit_in_bytes").exists()
    top = pathlib.Path("/sys/fs/cgroup") / ("memory" if v1 else "")
    group = top / f"vmtop-check-{os.getpid()}"
    try:
        group.mkdir()
        (group / ("memory.limit_in_bytes" if v1 else "memory.max")).write_text(str(64 * MIB))
    except OSError as error:
        report.skip(name, f"no cgroup with a limit: {error}")
        if group.is_dir():
            group.rmdir()
        return
    held = []

    def work():
        (group / "cgroup.procs").write_text(str(os.getpid()))
        held.append(mmap.mmap(-1, 48 * MIB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
        # By pieces: what is written counts as well.
        for _ in range(48):
            held[-1].write(b"x" * MIB)

    child = Child(work)
    words = ["check", "cgroup.available", "--cgroup", f"/{group.name}", "-w", "90%:", "-c", "50%:"]
    empty = run(*words)
    told = child.tell()
    full = run(*words)
    child.end()
    # It is busy until the last of the process is freed.
    until = time.monotonic() + DEADLINE
    while group.is_dir() and time.monotonic() < until:
        try:
            group.rmdir()
        except OSError:
            time.sleep(0.01)
    report.check(name, (None if told else "the workload ended")
                 or judge(empty, OK, "cgroup_available", lambda v: v > 60 * MIB)
                 or judge(full, CRITICAL, "cgroup_available", lambda v: 8 * MIB < v <= 16 * MIB))
    report.check("a cgroup that is gone", judge(run(*words), UNKNOWN, "cgroup_available",
                                                lambda v: v is None))


def missing(report):
    name = "a source that is missing"
    script = "mount -t tmpfs none /proc/pressure 2>/dev/null || exit 77; exec \"$@\""
    words = ["check", "source.missing", "-c", "0", "psi.some.avg10", "available"]
    result = run("--mount", "/bin/sh", "-c", script, "sh", VMTOP, *words, program="unshare")
    if result.code == 77 or b"unshare" in result.err:
        report.skip(name, "no /proc/pressure, or no mount namespace")
        return
    report.check(name, judge(result, CRITICAL, "source_missing", lambda v: v == 1)
                 or judge(result, CRITICAL, "psi_some_avg10", lambda v: v is None)
                 or judge(result, CRITICAL, "available", lambda v: v > 0)
                 or (None if b"pressure absent" in result.out else f"{result.out!r}"))


def main():
    report = Report()
    grows(report)
    storm(report)
    limit(report)
    missing(report)
    sys.exit(1 if report.failed else 0)


main()
