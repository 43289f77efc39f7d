#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The dashboard on a recording, and recording from it."""

import os
import pathlib
import re
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from console import F, Console, cases  # noqa: E402
from program import OK, expect, run  # noqa: E402
from tap import Report  # noqa: E402

SAMPLES = 12


def make(folder):
    path = os.path.join(folder, "a.rec")
    problems = expect(run("record", "-w", path, "-d", "0.02", "-n", str(SAMPLES),
                          f"--procs={os.getpid()}"), OK)
    if problems:
        raise AssertionError(problems)
    return path


def at(c, place):
    c.wait_for(f" {place}/{SAMPLES} paused")


def keys_go_through_it():
    """t T j J b and Space go through a recording, and the line at the bottom says where it is"""
    with tempfile.TemporaryDirectory() as folder:
        path = make(folder)
        with Console("replay", "-r", path) as c:
            at(c, 1)
            c.press("t")
            at(c, 2)
            c.press("tt")
            at(c, 4)
            c.press("T")
            at(c, 3)
            c.press("j")
            c.wait_for("forward by: 10m")
            c.press("\r")
            at(c, SAMPLES)
            c.press("t")
            c.wait_for("this is the end of the recording")
            c.press("J")
            c.wait_for("back by: 10m")
            c.press("\r")
            at(c, 1)
            c.press("b")
            c.wait_for("to: ")
            c.press("@4000000000\r")
            at(c, SAMPLES)
            c.press("b")
            c.press("nonsense\r")
            c.wait_for("a time is 03:14")
            c.press("b@0\r")
            at(c, 1)
            # The other screens are of the same sample.
            c.press("2")
            c.wait_for(str(os.getpid()))
            at(c, 1)
            c.press("d")
            c.wait_for("delay: ")
            c.press("\x150.1\r ")
            c.wait_for("this is the end of the recording")
            c.press("Q")
            said = c.wait_end()
            return ([f"exit code {said}"] if said else []) + c.left_problems()


def help_and_reasons():
    """F1 has the keys of recordings, and ! says what was not recorded"""
    with tempfile.TemporaryDirectory() as folder:
        with Console("replay", "-r", make(folder), size=(100, 60)) as c:
            at(c, 1)
            c.press(F[1])
            c.wait_for("in a recording: the next sample")
            problems = [] if not re.search(r"^.*\bt\b.*as a tree", c.text(), re.MULTILINE) else [
                "t is the key of two actions"]
            c.press("\x1b")
            c.press("!")
            c.wait_for("not recorded")
            c.press("\x1b")
            c.press("Q")
            said = c.wait_end()
            return problems + ([f"exit code {said}"] if said else [])


def f8_records():
    """F8 in the dashboard records its samples, and says in which file"""
    with tempfile.TemporaryDirectory() as folder:
        make(folder)
        was = os.getcwd()
        os.chdir(folder)
        try:
            with Console("top", "-d", "0.1", size=(100, 30)) as c:
                c.wait_for("avail")
                c.press(F[8])
                c.wait_for("recording to vmtop-")
                name = re.search(r"recording to (vmtop-\S+\.rec)", c.text()).group(1)
                c.wait(lambda: os.path.exists(name) and os.path.getsize(name) > 0, "a sample")
                c.press(F[8])
                c.wait_for(f"in {name}")
                c.press("Q")
                said = c.wait_end()
        finally:
            os.chdir(was)
        result = run("replay", "-r", os.path.join(folder, name), "-b")
        return [f"exit code {said}"] if said else expect(result, OK)


def main():
    report = Report()
    cases(report, [keys_go_through_it, help_and_reasons, f8_records])
    report.done()


main()
