#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables by keys and mouse: moving, searching, filtering, sorting, columns, trees, the palette."""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from console import (BACKSPACE, DOWN, END, ENTER, ESC, F, FIXTURE, HOME, RIGHT, TAB,  # noqa: E402
                     Console, cases)
from tap import Report  # noqa: E402

SAVED = ("top", "--root", FIXTURE, "--screen", "procs")
ROW = re.compile(r"^[> ] *(\d+) (\S+) .* (\S+)$")
PASTE, PASTED = "\x1b[200~", "\x1b[201~"


def rows(c):
    """Process id, user and last word of each row."""
    return [found.groups() for line in c.lines()[3:-1] if (found := ROW.match(line.rstrip()))]


def pids(c):
    return [int(pid) for pid, _, _ in rows(c)]


def selected(c):
    """The process id of the row with the mark."""
    return next((int(line[1:].split()[0]) for line in c.lines()[3:-1] if line.startswith(">")),
                None)


def shown(size=(80, 24)):
    """The screen of processes, with all of its rows."""
    c = Console(*SAVED, size=size)
    c.wait_for("[2:Procs]")
    c.wait_for(re.compile(r"(\d+) processes, .*filter: none"))
    n = int(re.search(r"(\d+) processes", c.text())[1])
    # Lines of tabs, memory, filter, heading, a warning and keys; and one that may be blank.
    c.wait(lambda: len(rows(c)) >= min(n, size[1] - 7), f"{n} rows")
    return c


def moving():
    """keys select rows, and the row that is selected stays so in another order"""
    with shown() as c:
        order = pids(c)
        c.press(DOWN + "j")
        c.wait(lambda: selected(c) == order[2], "the third row")
        c.press("I")
        c.wait_for("sort: RSS ^").wait(lambda: pids(c) != order, "another order")
        c.wait(lambda: selected(c) in (order[2], None), "the same row")
        c.press(HOME)
        c.wait(lambda: selected(c) == pids(c)[0], "the first row")
        c.press(END)
        c.wait(lambda: selected(c) == pids(c)[-1], "the last row")
        c.press("<")
        c.wait_gone("sort: RSS")
        c.press("Q")
        return [] if c.wait_end() == 0 else ["exit code"]


def searching():
    """/ finds as one types, n and N go on, Esc forgets"""
    with shown() as c:
        c.press("/SLEEP")
        c.wait(lambda: c.lines()[-1].startswith("/SLEEP"), "the prompt")
        sleeps = [int(pid) for pid, _, word in rows(c) if word == "sleep"]
        if len(sleeps) < 2:
            return f"the saved machine has {len(sleeps)} processes called sleep"
        c.wait(lambda: selected(c) == sleeps[0], "the first")
        c.press("x")
        c.wait_for("not found: SLEEPx")
        c.press(BACKSPACE + ENTER + "n")
        c.wait(lambda: selected(c) == sleeps[1], "the second")
        c.press("N")
        c.wait(lambda: selected(c) == sleeps[0], "the first again")
    return []


def filtering():
    """\\ shows what matches as one types; words, expressions, what is wrong with them, and Esc"""
    with shown() as c:
        everything = set(pids(c))
        c.press("\\user:nobody")
        c.wait(lambda: rows(c) and {user for _, user, _ in rows(c)} == {"nobody"}, "one user")
        c.press(ENTER)
        c.wait_for("filter: user:nobody")
        c.press(F[4] + "\x15=rss>")
        c.wait_for("no value")
        c.press("3M")
        c.wait(lambda: 0 < len(rows(c)) < len(everything) and not {"nobody"} == {
            user for _, user, _ in rows(c)}, "the large ones")
        c.press(ESC)
        c.wait_for("filter: user:nobody")
        c.press("\\\x15" + ENTER)
        c.wait_for("filter: none").wait(lambda: set(pids(c)) == everything, "all")
    return []


def pasting():
    """G10 text that is pasted into a prompt stays text: no Enter, no Esc, no control character"""
    with shown() as c:
        c.press("\\" + PASTE + "sle\r\n\x1b\tep" + PASTED)
        c.wait(lambda: c.lines()[-1].rstrip() == "\\sleep", "one line of text")
        c.wait(lambda: rows(c) and {word for _, _, word in rows(c)} == {"sleep"}, "what it finds")
        c.press(PASTE + "x" * 100000 + PASTED)
        c.wait_for("xxxxxxxxxxxxxxxxxxxxxxxx")
        c.press("\x15" + ENTER + "q")
        return [] if c.wait_end() == 0 else ["exit code"]


def heading():
    """a click on a heading sorts, a second one turns it round, one on a row selects"""
    with shown() as c:
        y = next(i for i, line in enumerate(c.lines()) if " PID " in line)
        x = c.lines()[y].index("PID")

        def click(line, column):
            c.press(f"\x1b[<0;{column + 1};{line + 1}M\x1b[<0;{column + 1};{line + 1}m")

        click(y, x)
        c.wait_for("sort: PID ^").wait(lambda: pids(c) == sorted(pids(c)), "in order")
        click(y, x)
        c.wait_for("sort: PID v").wait(lambda: pids(c) == sorted(pids(c), reverse=True), "reversed")
        click(y + 3, x)
        c.wait(lambda: selected(c) == pids(c)[2], "the third row")
    return []


def columns():
    """o takes columns away and brings others, F6 sorts by one that is not shown"""
    with shown() as c:
        c.press("o")
        c.wait_for("[x] USER")
        c.press(DOWN + " ")
        c.wait_for("[ ] USER")
        c.press(ESC)
        c.wait_gone(" USER ")
        c.press("o0" + ESC)
        c.wait_for(" USER ")
        c.press(":sort threads" + ENTER)
        c.wait_for("sort: THR ^")
        c.press(F[6])
        c.wait_for("(*) THR")
        c.press(ESC)
        c.wait_gone("(*)")
    return []


def tree():
    """t makes a tree of processes: children stand below their parents"""
    with shown() as c:
        c.press("t")
        c.wait_for("tree")
        c.wait(lambda: any("\u2514\u2500 " in line for line in c.lines()), "a branch")
        c.press("t")
        c.wait(lambda: not any("\u2514\u2500 " in line for line in c.lines()), "none")
    return []


def palette():
    """: completes names by Tab, takes what follows them, and says what it does not know"""
    with shown() as c:
        c.press(":proc" + TAB)
        c.wait(lambda: c.lines()[-1].rstrip() == ":procs", "the whole name")
        c.press("\x15unit kib" + ENTER)
        c.wait(lambda: c.lines()[-1].startswith("F1"), "no prompt")
        c.press(":nothing" + ENTER)
        c.wait_for("nothing is called so")
        c.press("\x15cache" + ENTER)
        c.wait_for("[6:Cache]")
        c.press(":quit-all" + ENTER)
        return [] if c.wait_end() == 0 else ["exit code"]


def scrolling():
    """on a narrow terminal arrows bring the columns that had no room"""
    with shown(size=(50, 20)) as c:
        if "ANON" in c.lines()[3]:
            return "there was room"
        c.press(RIGHT * 12)
        c.wait(lambda: "COMMAND" in c.lines()[3] and "RSS" not in c.lines()[3], "the last columns")
        c.press("h" * 12)
        c.wait(lambda: "RSS" in c.lines()[3], "the first columns")
    return []


def main():
    report = Report()
    cases(report, [moving, searching, filtering, pasting, heading, columns, tree, palette,
                   scrolling])
    report.done()


main()
