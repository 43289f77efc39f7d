#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The screens in README.md are those that vmtop draws of a recorded machine.

    tests/static/readme.py --update        writes them (tests/static/generated.py --update does it too)
"""

import difflib
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from tap import TOP, VMTOP, Report  # noqa: E402

PAGE = TOP / "README.md"
FIXTURE = TOP / "tests" / "fixtures" / "machine-6.18"
# As much of each screen as shows what it is for.
LINES = {"system": 24, "procs": 12, "vmas": 12, "pages": 10, "faults": 14, "cache": 10}
BLOCK = re.compile(r"(<!-- screen (\w+) -->\n```\n).*?(```\n)", re.S)


def screen(name):
    """The text of a screen; empty lines at its end say nothing."""
    text = subprocess.run([VMTOP, "top", "--render", name, "--size", f"80x{LINES[name]}", "--root",
                           FIXTURE], capture_output=True, text=True, check=True, timeout=60).stdout
    return text.rstrip("\n") + "\n"


def wanted(text):
    """The page with its screens as they are now."""
    return BLOCK.sub(lambda m: m[1] + screen(m[2]) + m[3], text)


def update():
    text = PAGE.read_text(encoding="utf-8")
    now = wanted(text)
    if now != text:
        PAGE.write_text(now, encoding="utf-8")
        print(f"wrote {PAGE.name}")


def main():
    if "--update" in sys.argv[1:]:
        update()
        return
    report = Report()
    text = PAGE.read_text(encoding="utf-8")
    lines = list(difflib.unified_diff(text.splitlines(), wanted(text).splitlines(), "committed",
                                      "drawn now", n=0, lineterm=""))
    report.check("README.md: its screens are those that vmtop draws",
                 ["tests/static/readme.py --update writes them"] + lines[:20] if lines else None)
    names = [found[2] for found in BLOCK.finditer(text)]
    report.check("README.md: each of the six screens is there once",
                 None if names == list(LINES) else f"it has {names}")
    report.done()


if __name__ == "__main__":
    main()
