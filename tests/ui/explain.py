#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every value on every screen answers the key ?, and says where it comes from."""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from console import DOWN, ENTER, ESC, FIXTURE, LEFT, RIGHT, SHOWN, Console, cases  # noqa: E402
from tap import Report  # noqa: E402

SAVED = ("top", "--root", FIXTURE)
WHICH = re.compile(r" (\d+) of (\d+): arrows ")
NONE = "there is no value here"
# Beside "value" or "unknown": a field has its name and unit, other figures their unit.
SAID = (("is",), ("source",), ("age",), ("field", "unit"), ("of",))


def at(c):
    """The number of the value that is explained, and of how many."""
    for row in c.screen.buffer.values():
        found = WHICH.search("".join(row[x].data for x in range(c.screen.columns)))
        if found:
            return (int(found[1]), int(found[2]))
    return None


def box(c):
    """The lines of the explanation, without the frame."""
    return [line.split("\u2502")[1].strip() for line in c.lines() if line.count("\u2502") >= 2]


def lacks(c):
    """What an explanation does not say."""
    said = box(c)
    # What has no room is scrolled to its end, which is the line "of".
    while "+ -: more" in c.text() and not any(re.match(r"of +\S", line) for line in said):
        before = box(c)
        c.press("+")
        c.wait(lambda seen=before: box(c) != seen, "more of the explanation")
        said += [line for line in box(c) if line not in said]
    first = said[0] if said else ""
    problems = [] if re.match(r"(value|unknown) +\S", first) else [f"no value: {said}"]
    problems += [f"no '{words[0]}': {said}" for words in SAID
                 if not any(re.match(f"{word} +\\S", line) for line in said for word in words)]
    return problems


def marked(c):
    """The cells of the value that is explained: only that one is bold and reverse."""
    return {(y, x) for y, row in c.screen.buffer.items() for x, cell in row.items()
            if cell.reverse and cell.bold}


def digits(c, name):
    """The digits of the screen that are to be explained. Those of tabs and clock, of the keys in the
    last line and of the addresses before the lines of the map of pages are not."""
    lines = c.lines()
    found = set()
    for y, line in enumerate(lines[1:-1], 1):
        address = re.match(r"[0-9a-f]{12} ", line) if name == "pages" else None
        found |= {(y, x) for x, char in enumerate(line) if char in "0123456789"
                  and not (address and x < address.end())}
    return found


def visit(c, name, left):
    """Goes through all values of the screen that is shown, and takes away the digits that belong to
    one of them; what is wrong with their explanations."""
    problems, before = [], set()
    c.press("?")
    c.wait(lambda: at(c) or NONE in c.text(), f"{name}: an explanation")
    if not at(c):
        return [f"{name} has no values"]
    c.press(LEFT * at(c)[0])
    c.wait(lambda: at(c) and at(c)[0] == 1, f"{name}: the first value")
    n = at(c)[1]
    for i in range(1, n + 1):
        # The line of the value may be drawn behind the box.
        c.wait(lambda seen=before: marked(c) and not marked(c) & seen, f"{name}: the place of {i}")
        problems += [f"{name}, value {i} of {n}: {what}" for what in lacks(c)]
        before = marked(c)
        left -= before
        if i < n:
            c.press(RIGHT)
            c.wait(lambda i=i: at(c) == (i + 1, n), f"{name}: value {i + 1} of {n}")
    c.press(ESC)
    c.wait(lambda: not at(c), f"{name}: no explanation")
    return problems + ([] if n > 1 else [f"{name} has {n} values"])


def walk(c, name):
    """What is wrong with the explanations of the values of the screen, and which of its digits belong
    to none of them."""
    problems = []
    for _ in range(2):
        # At first the terminal may have shown a half of what was there before; not after all of it.
        left, picture = digits(c, name), c.lines()
        problems = visit(c, name, left)
        if left:
            problems.append(f"{name}: nothing explains " + ", ".join(
                f"'{picture[y][x]}' in line {y} column {x}: {picture[y].rstrip()}"
                for y, x in sorted(left)[:5]))
        if not problems:
            break
    return problems


def every_value():
    """each number on the seven screens has an explanation: value, meaning, source, age, unit"""
    problems = []
    with Console(*SAVED, size=(80, 18)) as c:
        c.wait_for(SHOWN)
        for key, name, tab in (("1", "system", "[1:"), ("2", "procs", "[2:"), (ENTER, "vmas", "[3:"),
                               (ENTER, "pages", "[4:"), ("5", "faults", "[5:"),
                               ("6", "cache", "[6:"), ("7", "events", "[7:")):
            c.press(key)
            c.wait_for(tab)
            c.wait_for("F10")
            problems += walk(c, name)
        c.press("Q")
        c.wait_end()
    return problems


def large_screens():
    """the same where a terminal has room for everything, and with bars that were zoomed"""
    problems = []
    # Filters leave some rows: they are alike.
    for screen, size, keys, tab in (("system", (160, 36), "++", "=5."), ("pages", (100, 30), ENTER, "counts"),
                                    ("vmas", (160, 30), "\\stack" + ENTER, "filter: stack"),
                                    ("faults", (160, 40), "\\shared" + ENTER, "sums of 4 rows")):
        with Console(*SAVED, "--screen", screen, size=size) as c:
            c.wait_for("F10")
            c.press(keys)
            c.wait_for(tab)
            problems += walk(c, screen)
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
    cases(report, (every_value, large_screens, moves))
    report.done()


main()
