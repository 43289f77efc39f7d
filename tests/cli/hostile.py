#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Names that processes choose, and trees that are no /proc: nothing reaches the terminal raw, no
format breaks, nothing hangs."""

import csv
import io
import mmap
import os
import pathlib
import signal
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from program import FAILED, NOTHING, OK, USAGE, expect, loads, raw_controls, run  # noqa: E402
from tap import TOP, Report  # noqa: E402

COMMS = [
    b"\x1b]0;owned\x07", b"a\nb", b"a\rb\tc", b"\xff\xfe\x80", b"\xc2\x9b2J", b") R 1 2 (",
    "\u202egnp".encode(), "\U0001f600\u0301".encode(), b'","x":{', b"a,b;\"c'", b"\xed\xa0\x80",
    b" ", b"<b>&", b"%s%n", b"012345678901234",
]
FILE = b"x\n\x1b[2J\xff\x9b \\012 (deleted)\"',%s"


CGROUP_FILES = ["memory.stat", "memory.current", "memory.max", "memory.high", "memory.events",
                "memory.pressure", "cgroup.procs"]


def stopped(comm, path):
    """A child of this name that maps this file, and sleeps."""
    ready, done = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            with open("/proc/self/comm", "wb") as file:
                file.write(comm)
            with open(path, "r+b") as file:
                kept = mmap.mmap(file.fileno(), 4096)
            kept[0] = 1
            os.write(done, b"x")
            signal.pause()
        finally:
            os._exit(1)
    os.close(done)
    os.read(ready, 1)
    os.close(ready)
    return child


def names(report):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(os.fsencode(folder), FILE)
        with open(path, "wb") as file:
            file.truncate(4096)
        children = [stopped(comm, path) for comm in COMMS]
        os.unlink(path)
        pids = ",".join(map(str, children))
        # Text, as the C locale and as UTF-8 show it.
        try:
            for name, args in (
                ("ps", ["-p", pids]), ("ps", ["-p", pids, "--raw"]), ("ps", ["-p", pids, "--csv"]),
                ("maps", [str(children[0])]), ("maps", [str(children[0]), "--raw"]),
            ):
                for locale in ("C", "C.UTF-8"):
                    result = run(name, *args, env={**os.environ, "LC_ALL": locale})
                    bad = raw_controls(result.out.replace(b"\r\n", b"\n"))
                    form = args[-1].lstrip("-") if args[-1].startswith("--") else "text"
                    report.check(f"names in {name}, {form}, {locale}",
                                 expect(result, OK)
                                 or (f"raw control bytes: {bad}" if bad else None))
            lines = run("ps", "-p", pids, "--noheadings").out.decode().splitlines()
            report.check("a row for each process", None if len(lines) == len(COMMS)
                         else f"{len(lines)} rows for {len(COMMS)} processes")

            result = run("ps", "-J", "-p", pids)
            rows = {row["pid"]: row for row in loads(result.out)["data"]["processes"]}
            problems = []
            for pid, comm in zip(children, COMMS):
                wanted = comm.decode("utf-8", errors="replace")
                if wanted.isprintable() and rows[pid]["comm"] != wanted:
                    problems.append(f"{rows[pid]['comm']!r}, not {wanted!r}")
            report.check("JSON keeps every name that is text", problems)

            result = run("ps", "--ndjson", "-p", pids)
            report.check("NDJSON: each line stands alone", [
                repr(line) for line in result.out.splitlines() if not isinstance(loads(line), dict)
            ])

            text = run("ps", "--csv", "-p", pids).out.decode()
            table = list(csv.reader(io.StringIO(text, newline="")))
            report.check("CSV: as many cells in each row",
                         sorted({str(len(row)) for row in table} - {str(len(table[0]))})
                         or (None if len(table) == len(COMMS) + 1 else f"{len(table)} rows"))

            result = run("maps", "-J", str(children[0]))
            problem = expect(result, OK)
            if not problem:
                problem = None if loads(result.out) and b"(deleted)" in result.out else "no path"
            report.check("JSON of a mapping with a hostile path", problem)
        finally:
            for child in children:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)


def unreadable(report):
    """What cannot be read of a process that was named is said, and is not that it does not exist."""
    root = ["--root", str(TOP / "tests/fixtures/hostile")]
    everything = loads(run("ps", "-J", *root).out)["errors"]
    for pid in (42, 43, 44):
        error = next(error for error in everything if error["pid"] == pid)
        wanted = f"process {pid}: {error['source']} {error['status']}: {error['hint']}"
        for args in (["ps", "-p", str(pid), "-J"], ["report", "-p", str(pid)]):
            result = run(*args, *root)
            problem = expect(result, FAILED, complaint=True)
            if not problem and not result.err.decode().endswith(f": {wanted}\n"):
                problem = f"it says {result.err!r}, not {wanted!r}"
            report.check(f"C18 numbers beyond their type, of process {pid} alone: {args[0]}",
                         problem)
    # Of several the others are shown; the reason of each that is not stands on stderr.
    result = run("ps", "-J", *root, "-o", "pid,majflt", "-p", "41,42,99999")
    said = result.err.decode()
    report.check("C18 numbers beyond their type, beside others", [
        *([] if result.code == FAILED else [f"exit {result.code}"]),
        *([] if [row["pid"] for row in loads(result.out)["data"]["processes"]] == [41]
          else ["the others are not shown"]),
        *([] if "process 42: stat failed" in said and "no such process: 99999" in said
          else [f"it says {said!r}"]),
    ])
    result = run("ps", *root, "-p", "99999")
    report.check("a process that is not there", expect(result, NOTHING, complaint=True) or (
        None if b"no such process: 99999" in result.err else f"{result.err!r}"))


def roots(report):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for name, root in (("that is not there", folder / "no"), ("without a proc", folder),
                           ("that is a file", "/etc/passwd"), ("of nothing", "")):
            result = run("free", "--root", str(root), timeout=300)
            report.check(f"root {name}", expect(result, (FAILED, USAGE), complaint=True))

        for name in ("empty", "pipe", "folder", "device", "loop"):
            proc = folder / name / "proc"
            (proc / "1").mkdir(parents=True)
            for file in ("meminfo", "vmstat", "zoneinfo", "1/stat", "1/statm", "1/status", "1/maps",
                         "1/smaps", "1/smaps_rollup", "1/cmdline", "1/comm", "uptime", "version",
                         *(f"../cgroup/a/{file}" for file in CGROUP_FILES)):
                path = proc / file
                path.parent.mkdir(parents=True, exist_ok=True)
                if name == "empty":
                    path.write_bytes(b"")
                elif name == "pipe":
                    os.mkfifo(path)
                elif name == "folder":
                    path.mkdir()
                elif name == "device":
                    path.symlink_to("/dev/zero")
                else:
                    path.symlink_to(path)
            (proc / "self").mkdir()
            (proc / "self/mountinfo").write_text("30 1 0:26 / /cgroup rw - cgroup2 none rw\n")
            (folder / name / "cgroup/cgroup.controllers").write_text("cpu memory\n")
            (folder / name / "cgroup/a/up").symlink_to("..")
            (folder / name / "vmtop-fixture").write_text("page_size 4096\n")
            for args in (["free"], ["ps"], ["maps", "1"], ["report"], ["cgroups"],
                         ["free", "--cgroup", "/a"]):
                result = run(*args, "-J", "--root", str(folder / name), timeout=300)
                problem = None
                if result.code is None or result.code < 0 or result.code > 124:
                    problem = f"exit {result.code}: {result.err[-300:]!r}"
                elif result.out:
                    try:
                        loads(result.out)
                    except ValueError as broken:
                        problem = f"broken JSON: {broken}"
                elif not result.err:
                    problem = "says nothing"
                report.check(f"files of proc are {name}: {args[0]}", problem)


def main():
    report = Report()
    names(report)
    unreadable(report)
    roots(report)
    report.done()


main()
