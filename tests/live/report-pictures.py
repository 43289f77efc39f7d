#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The flame graph and the picture of faults over time, of a process whose functions fault in known
shares: 3 to 2, in one mapping; and a report with every picture, in a browser.

A part of tests/live/run: it prints its cases and no plan, for it is not the only one.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import browser  # noqa: E402
from program import OK, expect, run  # noqa: E402
from tap import Report  # noqa: E402

# With frame pointers, which is what the kernel walks. One page a fault, whatever the machine's
# setting for huge pages is; the memory is given back, so that there is no end to it.
SOURCE = r"""
#include <stdio.h>
#include <sys/mman.h>
#define FUNCTION __attribute__((noinline)) static void
static char *next;
FUNCTION three(int n) { for (; n; n--, next += 4096) *(volatile char *)next = 1; }
FUNCTION two(int n) { for (; n; n--, next += 4096) *(volatile char *)next = 1; }
FUNCTION work(char *from) { next = from; three(300); two(200); }
int main(void)
{
	char *at = mmap(NULL, 500 * 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	madvise(at, 500 * 4096, MADV_NOHUGEPAGE);
	puts("ready");
	fflush(stdout);
	for (;;) {
		work(at);
		madvise(at, 500 * 4096, MADV_DONTNEED);
	}
}
"""
ENOUGH = 10000  # rounds of 500, and the first and last of them are cut
SVG = "{http://www.w3.org/2000/svg}"


def cells_of(titles):
    """Faults of each shape of the picture over time."""
    return [int(m[1]) for m in (re.match(r"(\d+) faults, \S+ to \S+", t) for t in titles) if m]


def picture(name, pid, folder, least=0):
    """Tooltips of the shapes, and the words below; or a problem. For as long as it takes to see some
    faults, and so many parts of the time with faults, which depends on what else the machine has to
    do."""
    path = folder / f"{name}.svg"
    for seconds in (0.5, 2, 8, 30):
        done = run("report", "-p", str(pid), "--duration", str(seconds), "--format", "svg",
                   "--only", name, "-w", str(path), stderr=subprocess.STDOUT, timeout=120)
        if done.code != OK:
            # There is none of a window in which nothing happened.
            problem, titles, said = f"exit {done.code}: {done.out[-400:]!r}", [], ""
            continue
        problem = None
        root = xml.etree.ElementTree.fromstring(path.read_bytes())
        titles = [title.text for title in root.iter(f"{SVG}title")]
        said = root.find(f"{SVG}desc").text
        total = re.match(r"(\d+) faults in", said)
        if total and int(total[1]) >= ENOUGH and len(cells_of(titles)) >= least:
            break
    return problem, titles, said


def flame(report, pid, folder):
    problem, titles, said = picture("flame", pid, folder)
    faults = {}
    for title in titles:
        match = re.fullmatch(r"(\w+): (\d+) faults?, [\d.]+%", title)
        if match:
            faults[match[1]] = int(match[2])
    problem = problem or (None if {"three", "two", "work", "main"} <= set(faults) else titles)
    report.check("a flame graph has the functions' names", problem)
    if problem:
        return
    three, two = faults["three"], faults["two"]
    # The window may begin and end anywhere in a round of 500.
    wrong = abs(2 * three - 3 * two) > 1500 or three + two < ENOUGH / 2
    report.check("they have their shares: 3 to 2", f"{three} to {two}" if wrong else None)
    report.check("what they called is in those who called them",
                 None if three + two <= faults["work"] <= faults["main"] else faults)
    total = re.match(r"(\d+) faults in", said)
    report.check("the words below it have the sum, and what was lost",
                 None if total and int(total[1]) >= faults["main"] and "; lost 0" in said else said)


def heat(report, pid, folder):
    problem, titles, said = picture("heat", pid, folder, 5)
    cells = cells_of(titles)
    total = re.match(r"(\d+) faults in \d+ mappings? in", said)
    problem = problem or (None if total and len(cells) > 4 else f"{len(cells)} cells: {said}")
    report.check("faults over time have several readings", problem)
    if not problem:
        wrong = sum(cells) != int(total[1]) or sum(cells) < ENOUGH / 2
        report.check("its cells add up to what was counted",
                     f"{sum(cells)} of {total[1]}" if wrong else None)


def drawn_and_counted(text):
    """What is wrong with a page of faults over time and of all faults, of one window."""
    drawn = re.search(r"(\d+) faults in \d+ mappings? in", text)
    counted = re.search(r"sum: (\d+) in mappings", text)
    if drawn and counted and int(drawn[1]) >= 500 and \
            abs(int(drawn[1]) - int(counted[1])) <= int(counted[1]) / 100:
        return None
    return f"{drawn and drawn[1]} drawn, {counted and counted[1]} counted"


def churn(report, folder):
    """Of processes that come and go while the table is read, none is missed or taken twice."""
    path = folder / "churn.html"
    with subprocess.Popen(["sh", "-c", "while :; do /bin/true; done"]) as load:
        try:
            # A row that is handed over while the machine takes the CPU away may still come twice,
            # and be a large one: not in each window.
            for seconds in (1, 2, 4, 8):
                done = run("report", "--duration", str(seconds), "--format", "html", "--only",
                           "heat,faults", "-w", str(path), stderr=subprocess.STDOUT, timeout=120)
                problem = expect(done, OK) or drawn_and_counted(path.read_text())
                if not problem:
                    break
        finally:
            load.kill()
    report.check("of all processes, those that end among them, they are what was counted", problem)


def in_browser(report, pid, folder):
    """A report with all that there is in it, as a browser draws it."""
    page = folder / "report.html"
    done = run("report", "-p", str(pid), "--duration", "0.5", "--format", "html", "-w", str(page),
               stderr=subprocess.STDOUT, timeout=120)
    problem = expect(done, OK)
    if problem:
        report.check("a report with every picture", problem)
        return
    try:
        with browser.Browser(folder) as one:
            for size in browser.SIZES:
                for dark in (False, True):
                    seen = one.see(page, size, dark)
                    # Memory, processes, the space of the process, stacks, faults over time.
                    report.check(f"every picture in a browser, {size}, {'dark' if dark else 'light'}",
                                 browser.judge(seen, size, dark, least=5))
    except browser.Missing as why:
        report.skip("every picture in a browser", why)
    except browser.Broken as why:
        report.check("every picture in a browser", str(why))


def main():
    report = Report()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "load.c").write_text(SOURCE)
        subprocess.run(["gcc", "-O0", "-fno-omit-frame-pointer", "-D_GNU_SOURCE", "-o",
                        str(folder / "load"), str(folder / "load.c")], check=True)
        with subprocess.Popen([str(folder / "load")], stdout=subprocess.PIPE) as load:
            try:
                load.stdout.readline()
                flame(report, load.pid, folder)
                heat(report, load.pid, folder)
                in_browser(report, load.pid, folder)
            finally:
                load.kill()
        churn(report, folder)
    sys.exit(1 if report.failed else 0)


if os.geteuid():
    print("skip the flame graph - only root may load the probe")
else:
    main()
