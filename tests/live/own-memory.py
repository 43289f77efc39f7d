#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmtop's own memory, and what it takes of the machine: a limit that it keeps, nothing locked, nothing
asked of the OOM killer or the scheduler, its own faults among those that are counted.

A part of tests/live/run: it prints its cases and no plan, for it is not the only one.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "ui"))

from console import Console  # noqa: E402
from program import DENIED, OK, PARTIAL  # noqa: E402
from tap import VMTOP, Report  # noqa: E402

LATE_S = 60
LIMIT_MIB = 32
# Without programs and tables of the kernel, which are charged to who loads them.
COMMANDS = (["free", "-J"], ["ps", "-J"], ["ps", "--pss", "-J"], ["maps", "--all", "-J"],
            ["zones", "-J"], ["report", "-J", "--duration", "0"])


def memory_folder():
    """Where memory cgroups can be made, and the names of limit and kills; or why there is none."""
    for line in pathlib.Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        _, where, kind, options, *_ = line.split()
        where = pathlib.Path(where)
        if kind == "cgroup" and "memory" in options.split(","):
            return where, "memory.limit_in_bytes", "memory.oom_control"
        if kind == "cgroup2" and "memory" in (where / "cgroup.subtree_control").read_text().split():
            return where, "memory.max", "memory.events"
    return None


def kills(path):
    return sum(int(line.split()[1]) for line in path.read_text(encoding="utf-8").splitlines()
               if line.split()[0] == "oom_kill")


def limited(report):
    """Each command alone in a cgroup that may have LIMIT_MIB; the page cache that it reads is in it."""
    name = f"M01 {LIMIT_MIB} MiB in a cgroup are enough"
    found = memory_folder()
    if not found:
        report.skip(name, "no hierarchy of cgroups here limits memory for children of its root")
        return
    top, limit, events = found
    group = top / f"vmtop-own-{os.getpid()}"
    try:
        group.mkdir()
        (group / limit).write_text(str(LIMIT_MIB << 20), encoding="ascii")
    except OSError as refused:
        if group.is_dir():
            group.rmdir()
        report.skip(name, f"no cgroup can be made in {top}: {refused.strerror}")
        return
    problems = []
    try:
        for words in COMMANDS:
            with tempfile.TemporaryFile() as out:
                # The shell goes in, and becomes vmtop there.
                child = subprocess.run(
                    ["sh", "-c", 'echo $$ >"$0" && exec "$@"', group / "cgroup.procs", VMTOP, *words],
                    stdout=out, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, check=False,
                    timeout=300)
                out.seek(0)
                text = out.read()
            if child.returncode not in (OK, PARTIAL):
                problems.append(f"{' '.join(words)}: exit {child.returncode}: {child.stderr[-300:]}")
            elif not json.loads(text).get("schema"):
                problems.append(f"{' '.join(words)}: no document")
        if kills(group / events):
            problems.append(f"{kills(group / events)} were killed")
    finally:
        group.rmdir()
    report.check(name, problems)


def status(pid, key):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{key}:"):
            return line.partition(":")[2].strip()
    raise LookupError(key)


def manners(pid):
    """What each thread of a process asks of the scheduler: policy and nice."""
    found = set()
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            fields = (task / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        found.add((int(fields[38]), int(fields[16])))
    return found


def adjusted(pid):
    return pathlib.Path(f"/proc/{pid}/oom_score_adj").read_text(encoding="ascii").strip()


def asks_for_nothing(report, what, pid):
    """While it is at work."""
    locked, mine = status(pid, "VmLck"), manners("self")
    report.check(f"M03 {what} locks no memory", None if locked == "0 kB" else f"VmLck {locked}")
    report.check(f"M04 {what} has the oom_score_adj of who started it",
                 None if adjusted(pid) == adjusted("self") else adjusted(pid))
    report.check(f"M07 no thread of {what} has another nice or policy than who started it",
                 None if manners(pid) == mine else f"{sorted(manners(pid))}, not {sorted(mine)}")


def dashboard(report):
    with Console(program=VMTOP, size=(120, 40)) as screen:
        screen.wait_for("available =")
        asks_for_nothing(report, "the dashboard", screen.pid)


def recorder(report):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "own.rec"
        child = subprocess.Popen([VMTOP, "record", "--faults", "-d", "0.2", "-w", path],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            until = time.monotonic() + LATE_S
            while not (path.exists() and path.stat().st_size) and child.poll() is None and \
                    time.monotonic() < until:
                time.sleep(0.01)
            if child.poll() is None:
                asks_for_nothing(report, "a recorder", child.pid)
            else:
                report.check("M03 a recorder begins", f"exit {child.returncode}: {child.stderr.read()}")
        finally:
            child.send_signal(signal.SIGINT)
            child.communicate()


def own_faults(report):
    """What it faults itself is not left out: sums would not be those of the kernel. It has little to do
    in a window; in a longer one it takes over more rows."""
    name = "M05 its own faults are among those counted"
    for duration in ("0.5", "2", "8"):
        child = subprocess.Popen([VMTOP, "faults", "-J", "--duration", duration],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, err = child.communicate(timeout=300)
        if child.returncode == DENIED:
            report.skip(name, err[-200:].decode())
            return
        if child.returncode not in (OK, PARTIAL):
            report.check(name, f"exit {child.returncode}: {err[-300:]}")
            return
        if any(row["pid"] == child.pid and row["faults_total"]
               for row in json.loads(out)["data"]["faults"]):
            report.check(name)
            return
    report.check(name, "there is no row of its own, in three windows")


def main():
    report = Report()
    limited(report)
    dashboard(report)
    recorder(report)
    own_faults(report)
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
