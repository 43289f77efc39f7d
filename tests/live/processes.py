#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Processes that come, go and change while they are read, and processes of rare kinds.

A part of tests/live/run: it prints its cases and no plan, for it is not the only one.

odd-process makes the processes. Where a moment matters, shim.c holds vmtop at it until the process
has ended, or has become another one: no clock decides whether the race is met.
"""

import contextlib
import os
import pathlib
import re
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from program import NOTHING, OK, PARTIAL, Result, expect, loads, run  # noqa: E402
from tap import BUILD, VMTOP, Report  # noqa: E402

ODD = BUILD / "tests" / "live" / "odd-process"
SHIM = BUILD / "tests" / "live" / "libshim.so"
MIB = 1 << 20
DEADLINE = 180
TICK_NS = 10**9 // os.sysconf("SC_CLK_TCK")
PF_KTHREAD = 0x00200000


class Odd:
    """A process of some kind, and what was made with it, until end() or the end of a with."""

    def __init__(self, *kind):
        self.helper = subprocess.Popen([ODD, *map(str, kind)], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE)
        self.said = self.helper.stdout.readline().decode().split()
        self.pids = [int(word) for word in self.said if word.isdigit()]

    @property
    def pid(self):
        return self.pids[0]

    def tell(self):
        """What the kind does on a byte; it says its number again when that is done."""
        self.helper.stdin.write(b"x")
        self.helper.stdin.flush()
        return int(self.helper.stdout.readline())

    def kill(self):
        """Ends it without its being reaped: its parent is this program."""
        os.kill(self.helper.pid, signal.SIGKILL)
        os.waitid(os.P_PID, self.helper.pid, os.WEXITED | os.WNOWAIT)

    def end(self):
        if self.helper.returncode is None:
            with contextlib.suppress(BrokenPipeError):
                self.helper.stdin.close()
            try:
                self.helper.wait(DEADLINE)
            except subprocess.TimeoutExpired:
                self.helper.kill()
                self.helper.wait()
            self.helper.stdout.close()

    def reap(self):
        """Ends it at once, so that its number is free."""
        self.helper.kill()
        self.end()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


class Place:
    """A place where vmtop waits, by the shim: it says that it is there, and is told to go on."""

    def __init__(self, place):
        self.arrived, self.out = os.pipe()
        self.go_on, self.answer = os.pipe()
        self.fds = (self.out, self.go_on)
        self.environment = {**os.environ, "LD_PRELOAD": str(SHIM), "VMTOP_AT": place,
                            "VMTOP_AT_FDS": f"{self.out} {self.go_on}"}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for fd in (self.arrived, self.answer, self.go_on, self.out):
            if fd >= 0:
                os.close(fd)

    def only_there(self):
        """From here on vmtop alone can say that it is there, so that its end is seen, too."""
        os.close(self.out)
        self.out = -1

    def is_met(self, seconds):
        return bool(select.select([self.arrived], [], [], seconds)[0])


def held(place, action, *args):
    """vmtop, which waits at a place while the action is done; None where it did not come there."""
    with Place(place) as at, subprocess.Popen(
        [VMTOP, *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=at.environment, pass_fds=at.fds,
    ) as vmtop:
        at.only_there()
        met = at.is_met(DEADLINE) and os.read(at.arrived, 1)
        if met:
            action()
        os.write(at.answer, b"x")
        said, err = vmtop.communicate(timeout=DEADLINE)
        return Result(vmtop.returncode, said, err) if met else None


def never_answers(place, *args):
    """vmtop, of which a thread waits at a place for ever, and the seconds that it took; None where
    it did not come there."""
    with Place(place) as at:
        begun = time.monotonic()
        result = run(*args, timeout=DEADLINE, env=at.environment, pass_fds=at.fds)
        return (result, time.monotonic() - begun) if at.is_met(0) else None


def release():
    """Of the kernel: two numbers."""
    return tuple(map(int, re.match(r"(\d+)\.(\d+)", os.uname().release).groups()))


def processes(result):
    return {row["pid"]: row for row in loads(result.out)["data"]["processes"]}


def unknown(row, keys):
    return [f"{key} is {row[key]!r}" for key in keys if row[key] is not None]


def one(args, pid):
    """The document of ps about one process, and its row."""
    result = run("ps", "-J", "-p", str(pid), *args)
    problem = expect(result, OK, quiet=False)
    if problem:
        raise RuntimeError(problem)
    document = loads(result.out)
    return document, processes(result)[pid]


MEMORY = ("rss_bytes", "anonymous_bytes", "swap_bytes", "pss_bytes", "uss_bytes")
COLUMNS = ("-o", "pid,state,class,vsize,rss,anon,swap,pss,uss,read_status,maps_total,"
                 "start,comm")


def open_sleeps(report):
    """An open() that does not come back, as that of maps does behind an execve() that is stuck."""
    for file, args in (("smaps_rollup", ["ps", "-J", *COLUMNS]),
                       ("maps", ["maps", "--all", "-J", "-o", "start,size"]),
                       ("smaps", ["maps", "--all", "-J", "-o", "start,pss"]),
                       ("pagemap", ["maps", "--all", "-J", "-o", "start,rss"])):
        with Odd("quiet") as odd, Odd("quiet") as other:
            found = never_answers(f"open 1 /proc/{odd.pid}/{file}", *args)
            name = f"D08 an open() of {file} that does not come back: its process is named, and " \
                   "the others are read"
            if not found:
                report.check(name, "vmtop does not come there")
                continue
            result, seconds = found
            problem = expect(result, OK, quiet=False)
            if problem:
                report.check(name, f"{problem}, after {seconds:.1f} s")
                continue
            document = loads(result.out)
            said = [error["status"] for error in document["errors"] if error["pid"] == odd.pid]
            row = processes(result).get(other.pid)
            report.check(name, [
                *([] if said == ["timed_out"] else [f"errors have {said}"]),
                *([] if row and row.get("read_status", "ok") in ("ok", None)
                  else [f"the other one is {row}"]),
                *([] if seconds < 10 + 40 else [f"it took {seconds:.1f} s"]),
            ])


def vanishes(report):
    for place, when in (("open 1 {proc}/status", "A01 it ends before it is opened"),
                        ("read 1 {proc}/status", "A02 it ends between opening and reading"),
                        ("open 1 {proc}/smaps_rollup", "A01 it ends before smaps_rollup is opened"),
                        ("read 1 {proc}/smaps_rollup", "A02 it ends before smaps_rollup is read")):
        with Odd("quiet") as odd:
            result = held(place.format(proc=f"/proc/{odd.pid}"), odd.reap, "ps", "-J", *COLUMNS)
            name = f"{when}: it is counted, and no more is said"
            if not result:
                report.check(name, "vmtop does not come there")
                continue
            problem = expect(result, OK)
            problems = [problem] if problem else []
            if not problem:
                document = loads(result.out)
                row = processes(result).get(odd.pid)
                # Where it was listed already, its row may stay, without what was not read.
                if row and "rollup" not in place:
                    problems.append(f"it is listed: {row}")
                elif row:
                    problems += unknown(row, ("pss_bytes", "uss_bytes"))
                if not row and not document["scan"]["vanished"]:
                    problems.append("vanished is 0")
                problems += [str(error) for error in document["errors"]
                             if error["pid"] == odd.pid and error["status"] != "gone"]
            report.check(name, problems)

    for file, args in (("maps", ("maps", "-J")), ("maps", ("maps", "-o", "start,rss,path")),
                       ("smaps", ("maps", "-J", "-o", "pss")), ("pagemap", ("pages", "-J"))):
        with Odd("quiet") as odd:
            result = held(f"read 1 /proc/{odd.pid}/{file}", odd.reap, *args, str(odd.pid))
            name = f"A02 {' '.join(args)}: it ends before {file} is read: no process without memory"
            if not result and file == "pagemap":
                result = held(f"open 1 /proc/{odd.pid}/{file}", odd.reap, *args, str(odd.pid))
            if not result:
                report.check(name, "vmtop does not come there")
                continue
            problems = [] if result.code else [f"exit {result.code}"]
            if b"\"rss_bytes\":0" in result.out or b"RSS 0" in result.out:
                problems.append(f"its memory is 0: {result.out[:300]!r}")
            report.check(name, problems)

    with Odd("brief"):
        problems = []
        for _ in range(10):
            result = run("ps", "-J", "-o", "pid,rss,pss")
            problems += [problem for problem in [expect(result, OK)] if problem]
        report.check("A01 children that end as soon as they are there: no message, ten times",
                     problems)


def zombies(report):
    with Odd("quiet") as odd:
        result = held(f"read 1 /proc/{odd.pid}/status", odd.kill, "ps", "-J", "-p", str(odd.pid),
                      *COLUMNS)
        problem = "vmtop does not come there" if not result else expect(result, OK)
        problems = [problem] if problem else []
        if not problem:
            row = processes(result)[odd.pid]
            problems += unknown(row, MEMORY)
            if (row["state"], row["class"]) != ("Z", "zombie"):
                problems.append(f"it is {row['state']}, {row['class']}")
        report.check("A03 a zombie since its files were opened: its memory is not 0, but none",
                     problems)
        odd.end()
    with Odd("quiet") as odd:
        result = held(f"read 1 /proc/{odd.pid}/maps", odd.kill, "maps", "-J", str(odd.pid))
        problems = ["vmtop does not come there"] if not result else []
        if result and (not result.code or b"\"rss_bytes\":0" in result.out):
            problems.append(f"exit {result.code}: {result.out[:300]!r}")
        report.check("A03 a zombie since maps was opened: no empty list of mappings", problems)
        odd.end()
    with Odd("zombie") as odd:
        document, row = one(COLUMNS, odd.pid)
        problems = unknown(row, MEMORY)
        if (row["state"], row["class"]) != ("Z", "zombie"):
            problems.append(f"it is {row['state']}, {row['class']}")
        problems += [str(error) for error in document["errors"]]
        result = run("maps", str(odd.pid))
        if b"zombie" not in result.out + result.err or b"RSS 0" in result.out:
            problems.append(f"maps says {result}")
        report.check("A04 a zombie: it is shown as one, without sizes", problems)


def kernel_threads(report):
    def is_kernel(pid):
        with contextlib.suppress(OSError):
            words = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            return bool(int(words[6]) & PF_KTHREAD)
        return False

    kernel = next((pid for pid in map(int, filter(str.isdigit, os.listdir("/proc")))
                   if is_kernel(pid)), None)
    name = "A05 a kernel thread: class kernel, without memory"
    if not kernel:
        report.skip(name, "none is to be seen here")
        return
    _, row = one(COLUMNS, kernel)
    problems = unknown(row, MEMORY)
    if row["class"] != "kernel":
        problems.append(f"its class is {row['class']}")
    result = run("maps", str(kernel))
    if b"kernel thread" not in result.out + result.err or b"RSS 0" in result.out:
        problems.append(f"maps says {result}")
    report.check(name, problems)


def headless(report):
    with Odd("headless") as odd:
        _, row = one(COLUMNS, odd.pid)
        problems = [f"{key} is {row[key]!r}" for key in ("rss_bytes", "anonymous_bytes",
                                                        "pss_bytes")
                    if (row[key] or 0) < 8 * MIB]
        if row["class"] != "user":
            problems.append(f"its class is {row['class']}")
        result = run("maps", "-J", str(odd.pid))
        problem = expect(result, OK)
        if problem:
            problems.append(problem)
        elif sum(m["rss_bytes"] for m in loads(result.out)["data"]["maps"]) < 8 * MIB:
            problems.append("maps has less than 8 MiB")
        report.check("A06 the first thread has ended: its memory is read through another", problems)


def execs(report):
    for file, args in (("maps", ("-o", "start,end,rss,perms")), ("smaps", ())):
        with Odd("exec") as odd:
            result = held(f"read 2 /proc/{odd.pid}/{file}", odd.tell, "maps", "-J", str(odd.pid),
                          *args)
            name = f"A07 execve in the middle of {file}: the list is that of the new program"
            problem = "vmtop does not come there" if not result else expect(result, OK)
            if problem:
                report.check(name, problem)
                continue
            have = [(row["start"], row["end"]) for row in loads(result.out)["data"]["maps"]]
            wanted = [tuple(f"0x{word}" for word in line.split()[0].split("-"))
                      for line in pathlib.Path(f"/proc/{odd.pid}/maps").read_text().splitlines()]
            report.check(name, None if have == wanted else
                         f"{len(have)} mappings, {len(wanted)} are there")


def moves(report):
    """What is asked of pagemap is what is absent, of which a range without a mapping has nothing."""
    for kind, name in (("shrinks", "A13 a mapping has gone before its pages are read: it has none"),
                       ("moves", "A13 the same, and another one of its size has come")):
        with Odd(kind) as odd:
            pid, start = odd.pids
            result = held(f"open 1 /proc/{pid}/pagemap", odd.tell, "maps", "-J", str(pid),
                          "-o", "start,end,size,rss,anon")
            problem = "vmtop does not come there" if not result else expect(result, OK)
            if problem:
                report.check(name, problem)
                continue
            rows = loads(result.out)["data"]["maps"]
            gone = [row for row in rows if int(row["start"], 16) <= start < int(row["end"], 16)]
            found = [row["rss_bytes"] for row in gone]
            anon = sum(row["anonymous_bytes"] for row in rows)
            problems = [] if found == [0] else [f"rss of what has gone: {found}"]
            if not 8 * MIB <= anon < 9 * MIB:
                problems.append(f"{anon} bytes are anonymous")
            report.check(name, problems)


def splinters(report):
    """Mappings that may be full are not asked where statm says that they must be."""
    page = os.sysconf("SC_PAGE_SIZE")
    # Which of the first mappings have a page less, behind what is done between both reads of statm.
    kinds = (("full", "mappings of a great many that are full are told so", set()),
             ("loses", "the same, and one loses a page before it is told", {0}),
             ("holes", "two have a page less, and so many came to others while these were read",
              {1, 2}))
    for kind, name, less in kinds:
        # Before Linux 6.16 statm does not count to the unit.
        if release() < (6, 16):
            report.skip(f"A13 {name}", "this kernel's statm is not exact (Linux 6.16)")
            continue
        with Odd(kind) as odd:
            pid, start = odd.pids
            result = held(f"read 2 /proc/{pid}/statm", odd.tell, "maps", "-J", str(pid),
                          "-o", "start,end,size,rss,anon,present_pages")
            problem = "vmtop does not come there" if not result else expect(result, OK)
            if problem:
                report.check(f"A13 {name}", problem)
                continue
            rows = [row for row in loads(result.out)["data"]["maps"]
                    if 0 <= int(row["start"], 16) - start < 128 * 8 * page]
            problems = [] if len(rows) == 128 else [f"{len(rows)} mappings of 128"]
            for i, row in enumerate(rows):
                have = (row["rss_bytes"], row["anonymous_bytes"])
                want = (8 - (i in less)) * page
                if have != (want, want):
                    problems.append(f"mapping {i} has {have}, not {want} bytes")
            report.check(f"A13 {name}", problems)


def churns(report):
    """As many pages as one of these lacks come and go elsewhere while the process is looked at."""
    page = os.sysconf("SC_PAGE_SIZE")
    name = "A13 a mapping with a hole is never full, whatever comes elsewhere"
    problems = []
    with Odd("churns") as odd:
        pid, start = odd.pids
        for _ in range(100):
            result = run("maps", "-J", str(pid), "-o", "start,rss")
            problem = expect(result, OK)
            rss = [row["rss_bytes"] for row in loads(result.out)["data"]["maps"]
                   if int(row["start"], 16) == start + 8 * page] if not problem else []
            if rss != [7 * page]:
                problems.append(problem or f"it has {rss}, not {7 * page} bytes")
    report.check(name, [f"{len(problems)} of 100 readings: {problems[0]}"] if problems else [])


@contextlib.contextmanager
def swapped():
    """A process, a function that ends it and gives its number to another (set_tid of clone3()), and
    where that one is then; both are gone behind it."""
    again = []
    with Odd("quiet") as odd:

        def swap():
            odd.reap()
            again.append(Odd("numbered", odd.pid))

        try:
            yield odd.pid, swap, again
        finally:
            for process in again:
                process.reap()


def numbers(report):
    """A number is used again."""
    with swapped() as (pid, swap, again):
        # Memory is read before, stat after.
        result = held(f"open 1 /proc/{pid}/stat", swap, "ps", "-J", "-p", str(pid), *COLUMNS)
        name = "A09 its number is used again within a scan: no row is made of two processes"
        if again and not again[0].pids:
            report.skip(name, "the number of a process cannot be chosen here")
            return
        problem = "vmtop does not come there" if not result else \
            expect(result, (OK, NOTHING), quiet=False)
        problems = [problem] if problem else []
        if not problem and result.code == OK:
            row = processes(result).get(pid)
            _, now = one(COLUMNS, pid)
            if row and row["start_time_ns"] != now["start_time_ns"]:
                problems.append("it is not the process that is there now")
            if row and row["rss_bytes"] is not None and row["rss_bytes"] > 6 * MIB:
                problems.append(f"it has the memory of the one before: {row['rss_bytes']}")
        report.check(name, problems)

    with swapped() as (pid, swap, _):
        result = held(f"open 1 /proc/{pid}/maps", swap, "maps", "-J", str(pid))
        problems = ["vmtop does not come there"] if not result else []
        if result and (not result.code or b"\"start\"" in result.out):
            problems.append(f"exit {result.code}: {result.out[:300]!r}")
        report.check("A09 its number is used again before maps is opened: no mappings of another",
                     problems)

    with swapped() as (pid, swap, _):
        words = ["-p", str(pid), "-o", "pid,start,rss,rss-delta,min/s",
                 "-d", "0.05"]
        with subprocess.Popen([VMTOP, "ps", "--ndjson", *words], stdout=subprocess.PIPE) as watch:
            try:

                def sample():
                    for line in watch.stdout:
                        record = loads(line)
                        if record["type"] == "proc":
                            return record
                    raise RuntimeError("the stream ended")

                first = sample()
                # The kernel tells the start in ticks: two of one tick are one process to all.
                while time.clock_gettime_ns(time.CLOCK_BOOTTIME) < (
                    first["start_time_ns"] + 2 * TICK_NS
                ):
                    first = sample()
                swap()
                record = sample()
                while record["start_time_ns"] == first["start_time_ns"]:
                    record = sample()
                problems = unknown(record, ("rss_delta_bytes", "minor_faults_per_second"))
                following = sample()
                problems += [f"{key} is null in the sample after" for key in
                             ("rss_delta_bytes", "minor_faults_per_second")
                             if following[key] is None]
            finally:
                watch.kill()
        report.check("A08 its number is used again between two samples: no change between the two",
                     problems)


# Forks a child that forks another, ends when it is told to, and is not waited for.
LEAVES = """import os, time
if os.fork() == 0:
    if os.fork() == 0:
        print(os.getpid(), flush=True)
        time.sleep(600)
    os.read(0, 1)
    os._exit(0)
time.sleep(600)"""


def orphans(report):
    """A process that sleeps has another parent as soon as its own has ended, a zombie or not."""


    def parent_of(pid):
        status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
        return int(re.search(r"^PPid:\t(\d+)$", status, re.M).group(1))

    with subprocess.Popen([sys.executable, "-c", LEAVES], stdout=subprocess.PIPE,
                          stdin=subprocess.PIPE) as above:
        pid = int(above.stdout.readline())
        words = ["-p", str(pid), "-d", "0.2", "--ndjson", "-o", "pid,ppid"]
        watch = subprocess.Popen([VMTOP, "ps", *words], stdout=subprocess.PIPE)
        try:
            parents = (row["ppid"] for line in watch.stdout
                       if (row := loads(line))["type"] == "proc")
            was = parent_of(pid)
            seen = [next(parents)]
            above.stdin.write(b"x")
            above.stdin.flush()
            until = time.monotonic() + DEADLINE
            while (now := parent_of(pid)) == was and time.monotonic() < until:
                time.sleep(0.01)
            # One may have been on its way; what begins from here on has to know it.
            seen += [next(parents) for _ in range(3)]
            problems = [] if seen[0] == was and now != was and seen[-1] == now else \
                [f"parents {seen}, first {was}, now {now}"]
        finally:
            watch.kill()
            watch.communicate()
            os.kill(pid, signal.SIGKILL)
            above.kill()
    report.check("its parent has ended and is a zombie: the next sample has the new one", problems)


def empty(report):
    with Odd("empty") as odd:
        lines = pathlib.Path(f"/proc/{odd.pid}/maps").read_text().splitlines()
        result = run("maps", "-J", str(odd.pid))
        problem = expect(result, OK)
        problems = [problem] if problem else []
        if not problem:
            rows = loads(result.out)["data"]["maps"]
            if len(rows) != len(lines) or any("vsyscall" not in line for line in lines):
                problems.append(f"{len(rows)} mappings, {len(lines)} there")
        _, row = one(COLUMNS, odd.pid)
        if row["read_status"] != "ok" or row["pss_bytes"] != 0:
            problems.append(f"it is {row}")
        report.check("A10 a process without a mapping: an empty list, and no failure", problems)


# Its one system call is pause(), for ever.
PROGRAM_32 = """
.globl _start
_start:
    mov $29, %eax
    int $0x80
    jmp _start
.bss
.lcomm space, 65536
"""


def of_32_bits(report):
    name = "A12 a 32-bit process: its mappings are told, and its ELF class"
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        path = pathlib.Path(folder)
        (path / "x.s").write_text(PROGRAM_32)
        try:
            subprocess.run(["as", "--32", "-o", path / "x.o", path / "x.s"], check=True,
                           capture_output=True)
            subprocess.run(["ld", "-m", "elf_i386", "-o", path / "x", path / "x.o"], check=True,
                           capture_output=True)
        except (OSError, subprocess.CalledProcessError) as why:
            report.skip(name, f"binutils makes no such program: {why}")
            return
        try:
            child = subprocess.Popen([path / "x"])
        except OSError as why:
            report.skip(name, f"this kernel runs no such program: {why}")
            return
        try:
            result = run("maps", "-J", "-o", "start,end,elf_class,path", str(child.pid))
            problem = expect(result, OK)
            problems = [problem] if problem else []
            if not problem:
                rows = loads(result.out)["data"]["maps"]
                lines = pathlib.Path(f"/proc/{child.pid}/maps").read_text().splitlines()
                have = [(int(row["start"], 16), int(row["end"], 16)) for row in rows]
                wanted = [tuple(int(word, 16) for word in line.split()[0].split("-"))
                          for line in lines]
                if have != wanted or max(end for _, end in have) > 1 << 32:
                    problems.append(f"{have}, not {wanted}")
                classes = {row["elf_class"] for row in rows if row["path"] == str(path / "x")}
                if classes != {32}:
                    problems.append(f"the ELF class is {classes}")
            report.check(name, problems)
        finally:
            child.kill()
            child.wait()


def splits(report):
    with Odd("splits") as odd:
        problems = []
        for args in (("-o", "start,end,rss"), ()):
            for _ in range(5):
                result = run("maps", "-J", str(odd.pid), *args)
                problem = expect(result, (OK, PARTIAL), quiet=False)
                if problem:
                    problems.append(problem)
                    continue
                last = 0
                document = loads(result.out)
                # What could not be read in one piece is said to be a part.
                said = any(error["pid"] == odd.pid and error["status"] == "partial"
                           for error in document["errors"])
                if said != (result.code == PARTIAL):
                    problems.append(f"exit {result.code}, and the errors are {document['errors']}")
                for row in document["data"]["maps"]:
                    if int(row["start"], 16) < last or int(row["end"], 16) <= int(row["start"], 16):
                        problems.append(f"{row['start']} comes after {last:#x}")
                    last = int(row["end"], 16)
        report.check("A13 mappings that split and merge: no range twice, none before the last",
                     problems)


# Where control groups of version 2 are, or freezer of version 1; what freezes and thaws there.
FREEZERS = (("/sys/fs/cgroup", "cgroup.freeze", "1", "0"),
            ("/sys/fs/cgroup/unified", "cgroup.freeze", "1", "0"),
            ("/sys/fs/cgroup/freezer", "freezer.state", "FROZEN", "THAWED"))


def is_frozen(group):
    events = group / "cgroup.events"
    if events.exists():
        return "frozen 1" in events.read_text()
    return (group / "freezer.state").read_text().strip() == "FROZEN"


@contextlib.contextmanager
def frozen(odd):
    """The process stands still; behind it, it has ended. OSError where nothing can freeze it."""
    for top, file, freeze, thaw in FREEZERS:
        group = pathlib.Path(top) / f"vmtop-test-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        # Any other file system would take the files below, too.
        if (group / file).exists():
            break
        group.rmdir()
    else:
        raise OSError("no control group with a freezer can be made")
    try:
        (group / "cgroup.procs").write_text(str(odd.pid))
        (group / file).write_text(freeze)
        until = time.monotonic() + DEADLINE
        while not is_frozen(group):
            if time.monotonic() > until:
                raise TimeoutError("it does not freeze")
            time.sleep(0.01)
        yield
    finally:
        (group / file).write_text(thaw)
        odd.end()
        group.rmdir()


def full_rows(report, name, pid, state):
    """Without a state any is fine: those of frozen processes differ by how they were frozen."""
    _, row = one(COLUMNS, pid)
    problems = [] if state in (None, row["state"]) else [f"its state is {row['state']}"]
    problems += [f"{key} is {row[key]!r}" for key in ("rss_bytes", "anonymous_bytes", "pss_bytes")
                 if (row[key] or 0) < 8 * MIB]
    result = run("maps", "-J", str(pid))
    problem = expect(result, OK)
    if problem:
        problems.append(problem)
    elif sum(m["rss_bytes"] for m in loads(result.out)["data"]["maps"]) < 8 * MIB:
        problems.append("maps has less than 8 MiB")
    report.check(name, problems)


def standing(report):
    with Odd("quiet") as odd:
        os.kill(odd.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, odd.pid, os.WSTOPPED | os.WNOWAIT)
        full_rows(report, "A14 a stopped process is read as any other", odd.pid, "T")
        os.kill(odd.pid, signal.SIGCONT)
    with Odd("traced") as odd:
        full_rows(report, "A14 a traced process is read as any other", odd.pid, "t")
    name = "A14 a frozen process is read as any other"
    with Odd("quiet") as odd:
        try:
            with frozen(odd):
                full_rows(report, name, odd.pid, None)
        except OSError as why:
            report.skip(name, f"no process can be frozen: {why}")


def saved_machine(folder, n):
    """A recording of n processes of one page each."""
    (folder / "vmtop-fixture").write_text("page_size 4096\nuser_hz 100\neuid 0\n")
    for pid in range(1, n + 1):
        path = folder / "proc" / str(pid)
        path.mkdir(parents=True)
        (path / "stat").write_text(f"{pid} (p) S 0 1 1 0 -1 0 1 0 0 0 0 0 0 0 20 0 5 0 {pid} 4096 "
                                   "1\n")
        (path / "statm").write_text("2 1 0 0 0 1 0\n")
        (path / "status").write_text(
            f"Name:\tp\nState:\tS (sleeping)\nPid:\t{pid}\nPPid:\t0\nUid:\t0\t0\t0\t0\n"
            "VmSize:\t       8 kB\nVmRSS:\t       4 kB\nRssAnon:\t       4 kB\n"
            "RssFile:\t       0 kB\nRssShmem:\t       0 kB\nVmSwap:\t       0 kB\nThreads:\t5\n")


def few_descriptors():
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


def many(report):
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    folder = pathlib.Path(tempfile.mkdtemp(dir=memory, prefix="vmtop-many-"))
    try:
        n = 10_000
        saved_machine(folder, n)
        result = run("ps", "-J", "--root", str(folder), preexec_fn=few_descriptors)
        problem = expect(result, OK, quiet=False)
        problems = [problem] if problem else []
        if not problem:
            rows = processes(result)
            if len(rows) != n or sum(row["rss_bytes"] for row in rows.values()) != n * 4096:
                problems.append(f"{len(rows)} processes")
        report.check("A15 H08 10,000 processes, 50,000 threads of a recording, 64 descriptors", problems)
    finally:
        shutil.rmtree(folder)

    with Odd("crowd", 300) as odd:
        n = odd.pids[1]
        result = run("ps", "-J", "-o", "pid,comm,threads,rss,pss", preexec_fn=few_descriptors)
        problem = expect(result, OK, quiet=False)
        problems = [problem] if problem else []
        if not problem:
            crowd = [row for row in processes(result).values()
                     if row["comm"] == "odd-process" and row["threads"] == 16]
            if len(crowd) != n:
                problems.append(f"{len(crowd)} of {n}")
            problems += [f"{row['pid']} is {row}" for row in crowd
                         if not row["rss_bytes"] or not row["pss_bytes"]]
        report.check("A15 300 live processes, 4800 threads, 64 descriptors", problems)


def texts(report):
    """What a process is called, and how soon the OOM killer takes it: for who asks, and no other."""
    name = "the command line, and the score of the OOM killer, of who asks for them"
    argv = ["words", "-c", "input()", "two words", "", "caf\u00e9"]
    with subprocess.Popen(argv, executable=sys.executable, stdin=subprocess.PIPE) as child:
        try:
            proc = pathlib.Path(f"/proc/{child.pid}")
            proc.joinpath("oom_score_adj").write_text("321", encoding="ascii")
            asked = run("ps", "-J", "-p", str(child.pid), "-o", "oom_score,oom_score_adj,cmdline")
            usual = run("ps", "-J", "--pss", "-p", str(child.pid))
            score = int(proc.joinpath("oom_score").read_text(encoding="ascii"))
            rows = [next(iter(loads(result.out)["data"]["processes"])) for result in (asked, usual)]
            found = [rows[0][key] for key in ("oom_score_adj", "cmdline")]
            problems = [] if found == [321, " ".join(argv)] else [f"{found}"]
            # It goes with the memory that it and all others have.
            if abs(rows[0]["oom_score"] - score) > 20:
                problems.append(f"score {rows[0]['oom_score']}, not {score}")
            problems += [f"without being asked: {key}" for key in ("oom_score", "cmdline")
                         if rows[1].get(key) is not None]
        finally:
            child.kill()
    report.check(name, problems)


def main():
    report = Report()
    for part in (vanishes, open_sleeps, zombies, kernel_threads, headless, execs, moves, splinters,
                 churns, numbers, orphans, empty, of_32_bits, splits, standing, many, texts):
        try:
            part(report)
        except (RuntimeError, OSError, KeyError, ValueError) as why:
            report.check(f"processes: {part.__name__}", f"{type(why).__name__}: {why}")
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
