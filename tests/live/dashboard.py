#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The dashboard beside a process that faults at a known rate in one of its mappings.

A part of tests/live/run: it prints its cases and no plan, for it is not the only one.
"""

import os
import pathlib
import re
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE.parent / "ui"))

from console import Console, Late  # noqa: E402
from tap import BUILD, Report  # noqa: E402
from victims import Victims  # noqa: E402

PAGES = 200
ROUND = 0.01
# Looks at the screen that are averaged, and how often that is tried on a machine that is busy.
LOOKS = 4
TRIES = 12

# Stores to each page of a mapping that nothing merges with, a hundred times a second.
WORK = f"""
import ctypes, mmap, time
size = {PAGES} * mmap.PAGESIZE
room = mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
room.madvise(mmap.MADV_DONTDUMP)
room.madvise(mmap.MADV_NOHUGEPAGE)
print("%012x" % ctypes.addressof(ctypes.c_char.from_buffer(room)), flush=True)
due = time.monotonic()
while True:
    for at in range(0, size, mmap.PAGESIZE):
        room[at] = 1
    room.madvise(mmap.MADV_DONTNEED)
    due = max(due + {ROUND}, time.monotonic() - 1)
    time.sleep(max(due - time.monotonic(), 0))
"""


def faults_of(pid):
    text = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    return int(text.rpartition(")")[2].split()[7])


def number(text):
    scale = {"k": 1000, "M": 1000000}.get(text[-1], 1)
    return float(text.rstrip("kM")) * scale


def clock(c):
    found = re.search(r"\d\d:\d\d:\d\d", c.lines()[0])
    return found and found.group()


def rates(c, address, pid):
    """What the screen says the mapping faults in a second, and what the process did."""
    line = re.compile(rf"{address} .*\]\s+([\d.]+[kM]?)\s")
    said, seen = [], clock(c)
    c.wait(lambda: clock(c) != seen, "another sample")
    first = faults_of(pid), time.monotonic()
    for _ in range(LOOKS):
        seen = clock(c)
        c.wait(lambda then=seen: clock(c) != then, "another sample")
        c.drain()
        last = faults_of(pid), time.monotonic()
        found = line.search(c.text())
        said.append(number(found.group(1)) if found else 0.0)
    return sum(said) / len(said), (last[0] - first[0]) / (last[1] - first[1])


def on_vmas(address, pid):
    """Faults of the mapping in a second, their kind and latency."""
    with Console("top", "--screen", "vmas", "-p", str(pid), size=(160, 50)) as c:
        c.wait_for("VMAs")
        # Its residency changes all the time, and with that its place in the order.
        c.press(f"/{address}\rF")
        c.wait_for(re.compile(rf">{address} .*\]\s+[1-9]"))
        for _ in range(TRIES):
            said, truth = rates(c, address, pid)
            if abs(said - truth) <= truth / 20:
                break
        problems = [] if abs(said - truth) <= truth / 20 else [f"{said:.0f}/s, not {truth:.0f}/s"]
        # Of a sample in which it had no turn there are none.
        c.wait_for(re.compile(r"zero_fill.* p99 [\d.]+(ns|us|ms)"))
        return problems, f"{said:.0f}/s on the screen, {truth:.0f}/s by min_flt"


def on_faults(address, pid):
    """Single faults, with what they are."""
    with Console("top", "--screen", "faults", "-p", str(pid), size=(160, 50)) as c:
        c.wait_for(re.compile(rf"{pid} python3\s+W\s+anon\s+zero_fill .*{address[:8]}"))
        c.wait_for("BY KIND")
    return []


def on_symbol():
    """The function of the selected fault, also while nothing is sampled."""
    with subprocess.Popen([BUILD / "tests" / "bench" / "fault-loop", "1"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as loop:
        turn(loop)
        # What it touches in libc and on its stack has been touched: only the loop itself faults.
        return symbol_of(loop)


def turn(loop):
    """A round of the loop, from its first fault to its last."""
    loop.stdin.write(b"\n")
    loop.stdin.flush()
    return loop.stdout.readline()


def symbol_of(loop):
    with Console("top", "--screen", "faults", size=(80, 24)) as c:

        def comes():
            turn(loop)
            return re.search(rf"\n\S+ +{loop.pid} .* W +anon .*>", c.text())

        # The one function may be part of the other.
        known = re.compile(r"\ninstruction [0-9a-f]+: (pass|main) *\n")
        c.wait_for("counted by")
        c.press(f"\\pid:{loop.pid}\r")
        c.wait(comes, "a fault of the loop")
        c.wait_for("name the function")
        before = c.text()
        c.press(" ")
        c.wait_for("frozen")
        c.wait_for(known)
        c.press(" k")
        c.wait_gone("frozen")
        c.wait_for(known)
        loop.stdin.close()
    return ["there before it was asked for"] if known.search(before) else []


def order(c):
    """The column that processes are sorted by."""
    found = re.search(r"sort: (\S+)", c.lines()[2])
    return found and found.group(1)


def stands_right(c, pid):
    """Whether the process faults, and only those that fault as much or more stand before it."""
    rows = re.findall(r"^[> ] *(\d+) .* ([\d.]+[kM]?) +[\d.]+[kM]? \S+ *$", c.text(), re.M)
    pids, often = [row for row, _ in rows], [number(rate) for _, rate in rows]
    if str(pid) not in pids:
        return False
    place = pids.index(str(pid))
    return often[place] > 0 and all(rate >= often[place] for rate in often[:place])


def on_procs(pid):
    """It is the first by faults, or behind others that have as many."""
    with Console("top", "--screen", "procs", size=(80, 24)) as c:
        c.wait_for("sort: RSS")
        for _ in range(20):
            before = order(c)
            if before == "MIN/s":
                break
            c.press(">")
            c.wait(lambda then=before: order(c) != then, "another order")
        c.wait(lambda: stands_right(c, pid), "none before it that faults less")
    return []


# Dies of a null pointer.
VICTIM = "import ctypes, resource; resource.setrlimit(4, (0, 0)); ctypes.string_at(8)"


def on_events():
    """What dies is told on whatever screen, and is on the list."""
    pids = []
    with Console("top", env={"VMTOP_CONFIG": "/dev/null"}, size=(100, 24)) as c:

        def comes():
            # Others may die meanwhile, and the last one of a sample is told.
            with subprocess.Popen([sys.executable, "-c", VICTIM], stderr=subprocess.DEVNULL) as job:
                pids.append(job.pid)
            c.drain()
            found = re.search(r"\d\d:\d\d:\d\d python3\S*\[(\d+)\].* crash by SIGSEGV at ",
                              c.lines()[-1])
            return found and int(found.group(1)) in pids

        c.wait_for("avail")
        c.press("7")
        c.wait_for("that nobody handles")
        c.press("1")
        c.wait_for("avail")
        c.wait(comes, "a crash at the bottom")
        c.press("7")
        c.wait_for(re.compile(rf"\n\S+ +({'|'.join(map(str, pids))}) python3\S* +null_page"))
    return []


def on_kills():
    """So is what the OOM killer takes."""
    with Victims() as victims, Console("top", env={"VMTOP_CONFIG": "/dev/null"},
                                       size=(300, 24)) as c:
        if not victims.cgroup:
            return None, victims.why
        c.wait_for("avail")
        c.press("7")
        c.wait_for("that nobody handles")
        c.press("1")
        c.wait_for("avail")
        pid = victims.kill(1)[0]
        # Others may die in the same second, and the last one of a sample is told.
        c.wait(lambda: re.search(rf"\d\d:\d\d:\d\d \S+\[\d+\].* (oom kills it: |crash by )",
                                 c.lines()[-1]), "what died at the bottom")
        c.press("7")
        c.wait_for(re.compile(rf"\n\S+ \S+ +{pid} oom-kill +memory_limit +.*oom kills it: cgroup "
                              rf"\S*{victims.cgroup}"))
    return [], None


# Processes that come, fault and go while memory is measured; and MiB that it may take at most.
CHURN = "i=0; while [ $i -lt 150 ]; do /bin/true; i=$((i+1)); done"
MOST_MIB = 24


def peak_mib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def in_memory(pid):
    """The peak of what each screen takes, with all that it loads, beside faults and processes."""
    peaks = {}
    for screen, ready in (("system", "avail"), ("procs", "sort:"), ("vmas", "faults/s"),
                          ("pages", "PID"), ("faults", "counted by"), ("cache", "mapped files"), ("events", "events: ")):
        with Console("top", "--screen", screen, "-p", str(pid), size=(160, 50),
                     env={"VMTOP_CONFIG": "/dev/null"}) as c:
            c.wait_for(ready)
            seen = clock(c)
            subprocess.run(["/bin/sh", "-c", CHURN], check=True)
            c.wait(lambda then=seen: clock(c) != then, "another sample")
            seen = clock(c)
            c.wait(lambda then=seen: clock(c) != then, "one with all of it")
            peaks[screen] = peak_mib(c.pid)
    problems = [f"{screen}: {peak:.1f} MiB" for screen, peak in peaks.items() if peak > MOST_MIB]
    return problems, ", ".join(f"{screen} {peak:.1f}" for screen, peak in peaks.items())


def main():
    report = Report()
    with subprocess.Popen([sys.executable, "-c", WORK], stdout=subprocess.PIPE,
                          stdin=subprocess.DEVNULL, text=True) as work:
        try:
            address = work.stdout.readline().strip()
            for name, look in (("VMAs", lambda: on_vmas(address, work.pid)),
                               ("Faults", lambda: (on_faults(address, work.pid), None)),
                               ("Procs", lambda: (on_procs(work.pid), None)),
                               ("symbol", lambda: (on_symbol(), None)),
                               ("events", lambda: (on_events(), None)),
                               ("kills", on_kills),
                               ("memory", lambda: in_memory(work.pid))):
                try:
                    problems, figures = look()
                except Late as late:
                    problems, figures = str(late), None
                what = {"memory": f"no screen takes more than {MOST_MIB} MiB",
                        "events": "what dies is told on each screen, and listed on one",
                        "kills": "so is what the OOM killer takes",
                        "symbol": "Faults names the function of the selected fault"}.get(
                            name, f"{name} shows who faults, where and how")
                if problems is None:
                    report.skip(f"dashboard: {what}", figures)
                    continue
                report.check(f"dashboard: {what}" + (f", {figures}" if figures else ""), problems)
        finally:
            work.kill()


if __name__ == "__main__":
    if os.geteuid():
        print("skip dashboard: needs root - the probe is root's")
    else:
        main()
