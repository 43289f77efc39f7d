#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The pictures of mappings and of pages on the dashboard, of memory that is known to the page.

A part of tests/live/run: it prints its cases and no plan, for it is not the only one.
"""

import mmap
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from program import OK, expect, run  # noqa: E402
from tap import Report  # noqa: E402

PAGE = os.sysconf("SC_PAGE_SIZE")
NAME = "vmtop-pic"
# A twelfth of the mapping is one cell of the strip, and a line of the map. So many pages of each are
# there, from its begin on.
PART = 1024
PARTS = [PART, 0, PART // 2, 1, 0, 0, PART, 16, 0, PART - 1, 0, 1]
# By the part that is resident, rounded up: see lib/model/strip.h.
STRIP = "#.=_..#_.#._"


def victim():
    """Maps it, says so, and ends with its standard input."""
    fd = os.memfd_create(NAME)
    os.ftruncate(fd, PART * len(PARTS) * PAGE)
    memory = mmap.mmap(fd, PART * len(PARTS) * PAGE)
    memory.madvise(mmap.MADV_NOHUGEPAGE)
    for i, n in enumerate(PARTS):
        for page in range(n):
            memory[(i * PART + page) * PAGE] = 1
    print("ready", flush=True)
    sys.stdin.read()


def screen(name, pid):
    done = run("top", "--ascii", "--render", name, "-p", str(pid), stderr=subprocess.STDOUT,
               timeout=120)
    problem = expect(done, OK)
    return [problem] if problem else done.out.decode(errors="replace").splitlines()


def strip_problem(lines):
    for line in lines:
        found = re.search(r"\[(.{12})\].*" + NAME, line)
        if found:
            return "" if found[1] == STRIP else f"{found[1]}, not {STRIP}"
    return "no row of it: " + "|".join(lines)


def map_problems(lines):
    there, all_pages = sum(PARTS), PART * len(PARTS)
    problems = []
    if not any(f"resident {there}/{all_pages} pages" in line for line in lines):
        problems.append(f"not {there} of {all_pages} pages: {lines[2:3]}")
    drawn = [line.split(" ", 1)[1] for line in lines if re.match(r"[0-9a-f]{12} ", line)]
    for i, n in enumerate(PARTS):
        # A cell of 16 pages shows that one of them is there. Which letter it has depends on what
        # may be known.
        cells = -(-n // 16)
        want = re.compile(r"[doDO=rR]{%d}\.{%d}" % (cells, 64 - cells))
        if len(drawn) <= i or not want.fullmatch(drawn[i]):
            problems.append(f"line {i} with {n} pages: {drawn[i] if i < len(drawn) else None}")
    return problems


def main():
    report = Report()
    child = subprocess.Popen([sys.executable, __file__, "victim"], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True)
    if child.stdout.readline() != "ready\n":
        report.check("map-pictures/ready", "the process that is looked at does not begin")
        return
    report.check("map-pictures/strip: as much of each cell as is resident",
                 strip_problem(screen("vmas", child.pid)))
    report.check("map-pictures/pages: each page in its place",
                 map_problems(screen("pages", child.pid)))
    child.stdin.close()
    child.wait()
    gone = screen("vmas", child.pid)
    report.check("map-pictures/gone: a process that ended is said to be",
                 [] if any("is not there" in line for line in gone) else "|".join(gone))


if len(sys.argv) > 1:
    victim()
else:
    main()
