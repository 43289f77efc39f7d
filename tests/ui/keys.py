#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every key that F1 lists, on every screen: the screen says what it did, or why not here."""

import os
import pathlib
import re
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from console import (BACKSPACE, DOWN, END, ENTER, ESC, F, FIXTURE, HOME, LEFT,  # noqa: E402
                     PAGE_DOWN, PAGE_UP, RIGHT, TAB, UP, Console, Late, cases)
from tap import VMTOP, Report  # noqa: E402

SAVED = ("top", "--root", FIXTURE)
SCREENS = ("system", "procs", "vmas", "pages", "faults", "cache", "events")
NAMED = {"Tab": TAB, "Shift-Tab": "\x1b[Z", "Enter": ENTER, "Esc": ESC, "Bksp": BACKSPACE, "Up": UP,
         "Down": DOWN, "Left": LEFT, "Right": RIGHT, "PgUp": PAGE_UP, "PgDn": PAGE_DOWN,
         "Home": HOME, "End": END, "Space": " ", "Ctrl-U": "\x15", "Ctrl-D": "\x04"}
QUITS_HELP = ("back; from the first view: quit", "quit")
# The first row, and the last.
ENDS = {"procs": ("16120", "16152"), "vmas": ("7f3f40800000", "ffffffffff6"),
        "faults": ("23:59:59.036", "23:59:59.990")}
TABLES = ("procs", "vmas", "faults")  # with rows in this fixture; that of cache has none
# What a key shows, wherever it is pressed, by what help says of it: a box, a prompt, a word.
SHOWN = {
    "this help": "┌ Help ", "settings, and saving them": "┌ settings",
    "unit of sizes": "┌ unit of", "explain a number": r"arrows +Esc: back",
    "what was noticed, and what is missing": "┌ Warnings",
    "seconds between two samples": r"\ndelay: ", "do something by its name": r"\n: *$",
    "stop, sampling too; again to go on": "F7Go on",
    "stop what is shown, and go on sampling": "F7Go on",
    "record the samples to a file; again to end it": "a saved machine does not change",
    "in a recording: the next sample": "this is no recording",
    "back to the view before": "this is the first view",
}
NO_TABLE = "this screen has no table"
# The same for keys of tables.
OF_TABLES = {
    "search": r"\n/ *$", "the next match": "nothing was searched for",
    "the match before": "nothing was searched for", "show only rows that match": r"\n\\ *$",
    "sort by the column to the left": "\norder: ", "sort by the column to the right": "\norder: ",
    "choose the column to sort by": "┌ choose the column", "turn the order round": "\norder: ",
    "choose columns": "┌ choose columns",
}
# Tables or none: those that say so by themselves.
PROMPTS = ("search", "show only rows that match", "choose the column to sort by", "choose columns")
# By the screens on which the key does it; "" on all others.
GOES = {
    "open what is selected": {"system": r"\[2:", "procs": r"\[3:", "vmas": r"\[4:",
                              "faults": r"\[3:", "events": "no process is selected",
                              "pages": " page [0-9a-f]{12} "},
    "the pages of what is selected": {"vmas": r"\[4:", "pages": "these are the pages",
                                      "": r"no mapping is selected|\[4:"},
    "the faults of what is selected": {"faults": "by pid:", "": r"\[5:"},
    "the mappings of what is selected": {"vmas": "these are the mappings",
                                         "cache": r"no process is selected|\[3:",
                                         "events": r"no process is selected|\[3:", "": r"\[3:"},
    "the cached file of what is selected": {"": r"no file is selected|\[6:"},
    "processes as a tree, mappings by file": {"procs": "   tree", "vmas": "t: each mapping"},
    "zoom in: bars, in a map fewer pages in a cell": {
        "system": "=11.8G", "procs": "=11.8G", "vmas": r"RESIDENT {12,}", "pages": r"cell = 1 ",
        "": "nothing to zoom"},
    "zoom out: bars, in a map more pages in a cell": {
        "system": "a bar is all of it", "procs": "a bar is all of it",
        "vmas": "as short as they get",
        "pages": "all of the mapping is shown", "": "nothing to zoom"},
    "keep the selected row in sight": {"procs": "stays in sight", "vmas": "stays in sight",
                                       "faults": "stays in sight", "cache": "no row to follow",
                                       "events": "no row to follow"},
}
# What takes it back; None: the same key.
UNDONE = {"stop, sampling too; again to go on": None, "turn the order round": None,
          "stop what is shown, and go on sampling": None,
          "processes as a tree, mappings by file": None, "keep the selected row in sight": None,
          "sort by the column to the left": ">", "sort by the column to the right": "<",
          "zoom in: bars, in a map fewer pages in a cell": "-"}
WRITES = "write a report of what is selected"


def listed():
    """The keys of help, as (name, what it does), and the lines that nobody can read."""
    with Console(*SAVED, size=(80, 110)) as c:
        c.wait_for("F10")
        c.press(F[1])
        c.wait_for("Filters: words")
        lines = [line.split("│")[1] for line in c.lines() if line.count("│") == 2]
        c.press("Q" + ESC + "Q")
        c.wait_end()
    begin = next(i for i, line in enumerate(lines) if line.strip() == "Everywhere")
    found = []
    for line in lines[begin + 1:]:
        if not line.strip():
            break
        keys, what = line[1:18].split(), line[18:].strip()
        if not keys:
            raise Late(f"help says: {line}")
        found += [(key.rstrip(",") or key, what) for key in keys]
    return found


def data(key):
    return NAMED.get(key) or (F[int(key[1:])] if re.fullmatch(r"F\d+", key) else key)


def wanted(screen, key, what):
    """A pattern of what the screen shows after a key; None for a key that moves."""
    if re.fullmatch("[1-7]", key):
        return rf"\[{key}:"
    if what in ("the next screen", "the screen before"):
        there = SCREENS.index(screen) + (1 if what == "the next screen" else -1)
        return rf"\[{there % len(SCREENS) + 1}:"
    none = re.escape("not on this screen: " + what)
    if what in SHOWN:
        return SHOWN[what]
    if what in GOES:
        return GOES[what].get(screen) or GOES[what].get("") or none
    if what in OF_TABLES:
        if screen in (*TABLES, "cache", "events"):
            return OF_TABLES[what]
        if screen == "pages" and what in ("the next match", "the match before"):
            return "pages cannot be looked at .! says why"
        return NO_TABLE if what in PROMPTS else none
    if screen == "system":
        return none
    if screen == "pages":
        return "pages cannot be looked at .! says why"
    if screen in ("cache", "events") and not what.startswith("columns"):
        return "there are no rows"
    return None


def selected(c):
    """The row that is selected."""
    return next((line for line in c.lines()[3:-1] if re.search("(^| )>", line)), "")


def base(c, screen):
    """Nothing is open, and nothing said."""
    tab = f"[{SCREENS.index(screen) + 1}:"
    c.wait(lambda: tab in c.lines()[0] and "F7Freeze" in c.lines()[-1] and "\u250c" not in c.text(),
           f"{screen} as it was")


def columns(c, screen, key, what):
    """Other columns come, and go again."""
    def heading():
        return c.lines()[3 if screen == "procs" else 2]

    before = heading()
    for each, there in ((RIGHT if "left" in what else data(key), False),
                        (data(key) if "left" in what else LEFT, True)):
        c.press(each)
        c.wait(lambda there=there: (heading() == before) == there, f"{screen}, {key}: columns")


def move(c, screen, key, what):
    """Another row is selected, from the end where that can be."""
    up = what in ("one line up", "a page up", "half a page up", "the first line")
    end = ENDS[screen][up]
    c.press(END if up else HOME)
    c.wait(lambda: end in selected(c), f"{screen}: {end}")
    c.press(data(key))
    c.wait(lambda: selected(c) and end not in selected(c), f"{screen}, {key}: not {end}")


def press(c, screen, key, what):
    """One key, what it does, and back."""
    number = str(SCREENS.index(screen) + 1)
    pattern = wanted(screen, key, what)
    if not pattern:
        (columns if what.startswith("columns") else move)(c, screen, key, what)
        return
    c.press(data(key))
    c.wait_for(re.compile(pattern))
    last = c.lines()[-1]
    if "\u250c" in c.text() or re.match(r"[/\\:] *$|delay:", last):
        c.press(ESC)
    elif what in UNDONE:
        c.press(UNDONE[what] or data(key))
        c.press("x")
    elif what == "open what is selected" and screen == "pages":
        c.press(ENTER + "x")
    else:
        # A key that does nothing takes away what was said.
        c.press(number + "x")
    base(c, screen)


def leaves(row):
    """Keys that open something else come last: they may change of what a screen is."""
    key, what = row
    return (what in ("the next screen", "the screen before") or bool(re.fullmatch("[1-7]", key)),
            what.startswith(("the pages of", "the faults of", "the mappings of", "the cached")),
            what.startswith("open "))


def each_key():
    """each key of help does on each screen what help says, or one line says why not there"""
    problems, keys = [], sorted(listed(), key=leaves)
    for key in ("1", "Tab", "Enter", "Esc", "Up", "j", "Ctrl-D", "g", "/", "\\", "<", "I", "F5",
    "F",
                "Z", "F8", "R", "o", "u", "d", "+", "p", "f", "m", "c", ":", "?", "!", "F2", "Q"):
        if key not in dict(keys):
            problems.append(f"help does not list {key}")
    for screen in SCREENS:
        with Console(*SAVED, "--screen", screen) as c:
            base(c, screen)
            for key, what in keys:
                if what in QUITS_HELP or what == WRITES:
                    continue
                try:
                    press(c, screen, key, what)
                except Late as late:
                    problems.append(f"{screen}, {key} ({what}): {late}")
                    break
            c.press("Q")
            if c.wait_end() != 0:
                problems.append(f"{screen} ends with {c.code}")
    return problems


def reports():
    """F9 writes a report into the folder one is in, and says where, or that it could not"""
    with tempfile.TemporaryDirectory() as folder, Console(*SAVED, cwd=folder) as c:
        base(c, "system")
        c.press(F[9])
        c.wait_for("report written to ")
        c.press("Q")
        c.wait_end()
        return None if os.listdir(folder) else "there is no report"


def small():
    """all keys, one after the other, on small terminals and as nobody: nothing crashes"""
    problems = []
    keys = "".join(data(key) for key, what in listed() if what not in QUITS_HELP and what != WRITES)
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    for size, before in (((38, 9), []), ((60, 16), []), ((80, 24), nobody)):
        if before and os.geteuid() != 0:
            continue
        with Console(size=size, command=[*before, VMTOP, *SAVED], cwd="/") as c:
            c.wait_for("avail")
            for screen in range(1, 7):
                # A box or a prompt takes what comes, and this closes it.
                c.press(keys)
                c.press(ESC)
                c.drain()
                c.press(str(screen % 6 + 1))
            c.press("\x03")
            if c.wait_end() != 130:
                problems.append(f"{size}: it ends with {c.code}")
            problems += [f"{size}: {what}" for what in c.left_problems()]
    return problems


def main():
    report = Report()
    cases(report, (each_key, reports, small))
    report.done()


main()
