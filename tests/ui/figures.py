#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What figures of a screen follow: the order by faults, the filter, the zoom of bars."""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from console import ENTER, ESC, FIXTURE, Console, cases  # noqa: E402
from tap import Report  # noqa: E402

SAVED = ("top", "--root", FIXTURE)


def column(c, title):
    """The column of the table with that title, flush right, from the first row on."""
    lines = c.lines()
    y = next(i for i, line in enumerate(lines) if title in line)
    end = lines[y].index(title) + len(title)
    found = []
    for line in lines[y + 1:-2]:
        value = line[:end].split()
        if value:
            found.append(value[-1])
    return found


def sorted_by_faults():
    """mappings are sorted by FLT/s: by < and >, by a click on the heading, and the other way round"""
    problems = []
    with Console(*SAVED, "--screen", "vmas") as c:
        c.wait_for("F10")
        before = column(c, "RSS")
        if "260" not in column(c, "FLT/s") or column(c, "FLT/s")[:2] == ["260", "4.0"]:
            problems.append(f"at first: {column(c, 'FLT/s')}")
        for _ in range(10):
            if column(c, "FLT/s")[:2] == ["260", "4.0"]:
                break
            was = c.lines()[-1]
            c.press(">")
            # The last line is what comes last.
            c.wait(lambda was=was: c.lines()[-1] != was and "order: " in c.lines()[-1],
                   "another order")
        else:
            problems.append("> never comes to FLT/s")
        y = next(i for i, line in enumerate(c.lines()) if "FLT/s" in line)
        x = c.lines()[y].index("FLT/s")
        click = f"\x1b[<0;{x + 2};{y + 1}M"
        c.press(click)
        c.wait(lambda: column(c, "FLT/s")[0] == "0", "the least first")
        c.press(click)
        c.wait(lambda: column(c, "FLT/s")[0] == "260", "the most first again")
        c.press(":sort -FLT/s" + ENTER)
        c.wait(lambda: column(c, "FLT/s")[0] == "260", "by its name")
        c.press(":sort -RSS" + ENTER)
        c.wait(lambda: column(c, "RSS") == before, "the order of before")
        c.press("Q")
        c.wait_end()
    return problems


def sums_of_filter():
    """the sums of Faults, its head and its rate are of the rows that pass the filter, and say so"""
    problems = []
    with Console(*SAVED, "--screen", "faults", size=(160, 44)) as c:
        c.wait_for("sums of all 25 rows")
        c.wait_for("277/s  shown: all  kept 25,")
        c.press("\\pid:16121" + ENTER)
        c.wait_for("sums of 8 rows by filter pid:16121")
        c.wait_for("277/s  shown: 8/s by pid:16121  kept 8 of 25,")
        c.wait_for(re.compile(r"^ *files +8 +100\.0 +file_minor +4 +50\.0", re.M))
        if re.search(r"^  anonymous +\d", c.text(), re.M):
            problems.append("there are sums of rows that are not shown")
        c.press("\\" + "\x15" + "shared" + ENTER)
        c.wait_for("sums of 4 rows by filter shared")
        c.wait_for("shown: 4/s by shared")
        c.press("Q")
        c.wait_end()
    return problems


def zoomed_bars():
    """+ and - change what a bar of the machine stands for, and the screen says what that is"""
    problems = []
    with Console(*SAVED) as c:
        c.wait_for("F10")
        before = c.text()
        c.press("-")
        c.wait_for("a bar is all of it")
        c.press("++")
        c.wait_for("]=5.89G")
        c.wait_for("to 1/4")
        if c.text().count("A") <= before.count("A") or not re.search(r"=mlh=|=m=*l", c.text()):
            problems.append(f"nothing is larger: {c.text()}")
        c.press("2")
        c.wait_for("[2:Procs]")
        c.wait_for("]=5.89G")
        c.press("1" + "--")
        c.wait(lambda: c.text() == before, "as it was")
        c.press("+" * 12)
        c.wait_for("no less than 1/1024")
        c.wait_for(">]=23.5M")
        c.press("Q")
        c.wait_end()
    with Console(*SAVED, "--screen", "vmas", size=(120, 30)) as c:
        c.wait_for("RESIDENT")
        short = re.search(r"\[.*?\]", c.lines()[3])[0]
        c.press("+")
        c.wait(lambda: len(re.search(r"\[.*?\]", c.lines()[3])[0]) == 2 * len(short) - 2, "a longer bar")
        c.press("-")
        c.wait(lambda: re.search(r"\[.*?\]", c.lines()[3])[0] == short, "the bar of before")
        c.press("-")
        c.wait_for("as short as they get")
        c.press(ESC + "Q")
        c.wait_end()
    return problems


def main():
    report = Report()
    cases(report, (sorted_by_faults, sums_of_filter, zoomed_bars))
    report.done()


main()
