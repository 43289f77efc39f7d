#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Processes that have one address space (vfork, CLONE_VM): found, and their memory counted once.

A part of tests/live/run: it prints its cases and no plan, for it is not the only one.
"""

import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from program import Outsider, loads, run  # noqa: E402
from tap import BUILD, Report  # noqa: E402

PROGRAM = BUILD / "tests/live/same-mm"


def document(*args, by=run):
    done = by(*args, "-J")
    if done.code:
        raise RuntimeError(done.err.decode(errors="replace"))
    return loads(done.out)


def kib(pid, name, key):
    text = pathlib.Path(f"/proc/{pid}/{name}").read_text(encoding="utf-8", errors="replace")
    return 1024 * int(re.search(rf"^{key}:\s*(\d+) kB$", text, re.M)[1])


def start():
    """The program, and {name: pid} of what it made."""
    made = subprocess.Popen([PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    pids = {"main": made.pid}
    while (line := made.stdout.readline()) != "ready\n":
        if not line:
            raise RuntimeError("the workload did not come up")
        name, pid = line.split()
        pids[name] = int(pid)
    return made, pids


def found(report, pids):
    rows = document("ps", "-p", ",".join(map(str, pids.values())), "-o", "pid,shared_mm")
    said = {row["pid"]: row["shared_mm"] for row in rows["data"]["processes"]}
    one = [pids[name] for name in ("parent", "vfork", "clone")]
    want = {pid: min(one) if pid in one else pid for pid in pids.values()}
    problems = [
        f"{name} ({pid}) is of {said[pid]}, not {want[pid]}"
        for name, pid in pids.items()
        if said[pid] != want[pid]
    ]
    report.check("A11 children by vfork and CLONE_VM have one address space, by fork not", problems)


def counted(report, pids):
    own = [pids[name] for name in ("main", "parent", "fork")]
    words = ["-p", ",".join(map(str, pids.values()))]
    rss = {pid: kib(pid, "status", "VmRSS") for pid in pids.values()}

    (group,) = document("ps", *words, "--group", "comm")["data"]["groups"]
    said = (group["processes_total"], group["rss_bytes"])
    want = (len(pids), sum(rss[pid] for pid in own))
    report.check(
        "A11 one address space: ps --group comm has its memory once",
        None if said == want else f"{said}, not {want}",
    )

    rows = document("ps", *words, "--tree", "-o", "pid,tree_rss_bytes")["data"]["processes"]
    said = {row["pid"]: row["tree_rss_bytes"] for row in rows}[pids["main"]]
    report.check(
        "A11 one address space: ps --tree has its memory once",
        None if said == want[1] else f"{said}, not {want[1]}",
    )

    want = sum(kib(pid, "smaps_rollup", "Anonymous") for pid in own)
    problems = []
    for args, key in (
        (["ps", *words, "--group", "file"], "files"),
        (["maps", *words[1].split(","), "--group", "kind"], "groups"),
    ):
        said = sum(row["anonymous_bytes"] for row in document(*args)["data"][key])
        if said != want:
            problems.append(f"{args[0]}: {said}, not {want}")
    report.check("A11 one address space: sums of mappings have its memory once", problems)


def refused(report, pids):
    """Who may not ask does not know."""
    if os.geteuid():
        report.skip("A11 one address space: without rights it is unknown", "needs root to give them up")
        return
    words = ["-p", ",".join(map(str, pids.values())), "-o", "pid,shared_mm"]
    with Outsider() as nobody:
        said = document("ps", *words, by=nobody.run)
    known = {row["pid"]: row["shared_mm"] for row in said["data"]["processes"]}
    (source,) = [s for s in said["sources"] if s["name"] == "kcmp"]
    problems = [
        f"{name} is of {known[pids[name]]}"
        for name in ("parent", "vfork", "clone", "fork")
        if known[pids[name]] is not None
    ]
    if source["denied_total"] < 4 or source["status"] not in ("denied", "partial"):
        problems.append(f"the source is {source}")
    report.check("A11 one address space: without rights it is unknown", problems)


def main():
    report = Report()
    made, pids = start()
    try:
        found(report, pids)
        counted(report, pids)
        refused(report, pids)
    finally:
        made.stdin.close()
        made.wait()
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
