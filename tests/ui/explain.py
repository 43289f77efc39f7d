#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every value on every screen answers the key ?, and says where it comes from."""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from console import (DOWN, ENTER, ESC, FIXTURE, LEFT, RIGHT, SHOWN, Console, cases)  # noqa: E402
from tap import Report  # noqa: E402

SAVED = ("top", "--root", FIXTURE)
WHICH = re.compile(r" (\d+) of (\d+): arrows ")
NONE = "there is no value here"
# Values that are walked one by one; of what is left the last ones.
WALKED = 80


def at(c):
    """The number of the value that is explained, and of how many."""
    found = WHICH.search(c.text())
    return (int(found[1]), int(found[2])) if found else None


def box(c):
    """The lines of the explanation, without the frame."""
    return [line.split("\u2502")[1].strip() for line in c.lines() if line.count("\u2502") >= 2]


def lacks(c):
    """What an explanation does not say."""
    said = box(c)
    first = said[0] if said else ""
    problems = [] if re.match(r"(value|unknown) +\S", first) else [f"no value: {said}"]
    problems += [f"no '{word}': {said}" for word in ("is ", "source ", "age ", "field ", "of ")
                 if not any(re.match(word + r"+\S", line) for line in said)]
    return problems


def walk(c, name):
    """Goes through the values of the screen that is shown; what is wrong with their explanations.
    A saved machine has no faults."""
    c.press("?")
    c.wait(lambda: at(c) or NONE in c.text(), f"{name}: an explanation")
    if not at(c):
        c.press(ESC)
        c.wait_gone(NONE)
        return [] if name == "faults" else [f"{name} has no values"]
    c.press(LEFT * at(c)[0])
    c.wait(lambda: at(c) and at(c)[0] == 1, f"{name}: the first value")
    n = at(c)[1]
    problems = []
    for i in range(1, n + 1):
        problems += [f"{name}, value {i} of {n}: {what}" for what in lacks(c)]
        if i == WALKED or i == n:
            break
        c.press(RIGHT)
        c.wait(lambda: at(c) == (i + 1, n), f"{name}: value {i + 1} of {n}")
    c.press(RIGHT * n)
    c.wait(lambda: at(c) == (n, n), f"{name}: the last of {n} values")
    problems += [f"{name}, value {n} of {n}: {what}" for what in lacks(c)]
    c.press(ESC)
    c.wait(lambda: not at(c), f"{name}: no explanation")
    return problems + ([] if n > 1 else [f"{name} has {n} values"])


def every_value():
    """each value of the six screens has an explanation: value, meaning, source, age, field"""
    problems = []
    with Console(*SAVED, size=(100, 40)) as c:
        c.wait_for(SHOWN)
        for key, name, tab in (("1", "system", "[1:"), ("2", "procs", "[2:"), (ENTER, "vmas", "[3:"),
                               (ENTER, "pages", "[4:"), ("5", "faults", "[5:"),
                               ("6", "cache", "[6:")):
            c.press(key)
            c.wait_for(tab)
            problems += walk(c, name)
        c.press("Q")
        c.wait_end()
    return problems


def moves():
    """arrows go to the next value in their direction, and the value is the one that stands there"""
    problems = []
    with Console(*SAVED) as c:
        c.wait_for(SHOWN)
        c.press("2")
        c.wait_for("[2:Procs]")
        c.press("?")
        c.wait_for("PID of proc")
        pid = re.search(r"^> +(\d+)", c.text(), re.MULTILINE)[1]
        if f"value    {pid}" not in c.text():
            problems.append(f"not the process id {pid}")
        c.press(RIGHT + RIGHT)
        c.wait_for("RSS of proc")
        c.press(DOWN)
        c.wait(lambda: f"of       proc {pid}" not in c.text() and "RSS of proc" in c.text(),
               "RSS of another process")
        c.press(ESC)
        c.wait_gone("RSS of proc")
    return problems


def main():
    report = Report()
    cases(report, (every_value, moves))
    report.done()


main()
