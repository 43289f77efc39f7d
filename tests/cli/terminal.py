#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables and remarks on terminals of 80 and more columns: nothing is wider, a column that gives way
does so as a whole, and what was asked for is there whatever the width."""

import fcntl
import os
import pathlib
import struct
import subprocess
import sys
import termios

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from tap import VMTOP, Report  # noqa: E402

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures"
SERVICE = "/app.slice/database.service"

COMMANDS = [
    ["free"], ["free", "-b"], ["free", "--cgroup", SERVICE], ["free", "--cgroup", SERVICE, "-b"],
    ["zones"], ["zones", "-b"], ["zones", "--orders"], ["zones", "--types"], ["zones", "--cpus"],
    ["zones", "--layout"], ["kernel"], ["kernel", "-b"], ["kernel", "--slab"],
    ["kernel", "--vmalloc"], ["kernel", "--vmstat"], ["kernel", "--layout"],
    ["cgroups"], ["cgroups", "-b"], ["cgroups", "--tree"],
]


def show(fixture, width, *words):
    """The lines that a terminal of that width gets."""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    env = {key: value for key, value in os.environ.items() if key != "COLUMNS"}
    child = subprocess.Popen([VMTOP, *words, "--root", str(FIXTURES / fixture)], stdout=slave,
                             stderr=subprocess.PIPE, env=env)
    os.close(slave)
    text = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:
            piece = b""
        if not piece:
            break
        text += piece
    os.close(master)
    said = child.stderr.read().decode()
    child.stderr.close()
    return text.decode().replace("\r", "").split("\n"), child.wait(), said


def widths(report):
    for fixture in ("machine-6.18", "guest-7", "hostile"):
        for words in COMMANDS:
            lines, code, said = show(fixture, 80, *words)
            problem = [f"{len(line)} cells: {line}" for line in lines if len(line) > 80]
            # Not all of them have such a cgroup, or such a file.
            if code and not said:
                problem.append(f"exit {code}, and says nothing")
            report.check(f"{fixture}: {' '.join(words)} in 80 columns", problem)


def columns(report):
    for words, spare, wide in (
        (["zones", "--types"], "FREE-BLOCKS", 200), (["kernel"], "NOTE", 200),
        (["zones", "-b"], "FREE-BLOCKS", 250), (["cgroups", "-b"], "SWAP", 250),
        (["kernel", "--slab", "-b"], "PAGES/SLAB", 200),
    ):
        narrow = show("machine-6.18", 80, *words)[0]
        large = show("machine-6.18", wide, *words)[0]
        problem = [] if spare in large[0].split() else [f"{spare} is not in {large[0]}"]
        titles = narrow[0].split()
        problem += [f"{title} is cut" for title in titles if title not in large[0].split()]
        if spare in titles:
            problem.append(f"{spare} is in {narrow[0]}")
        report.check(f"{' '.join(words)}: {spare} gives way as a whole", problem)
        asked = show("machine-6.18", 80, *words, "-o", spare)[0]
        report.check(f"{' '.join(words)}: {spare} is there where it is asked for",
                     [] if asked[0].split() == [spare] else [f"{asked[0]}"])


def remarks(report):
    """The words of a remark are those of a pipe, in lines of their own."""
    lines = show("hostile", 60, "cgroups")[0]
    at = next(i for i, line in enumerate(lines) if line.startswith("!"))
    told = " ".join(line.strip() for line in lines[at:] if line)
    piped = subprocess.run([VMTOP, "cgroups", "--root", str(FIXTURES / "hostile")],
                           stdout=subprocess.PIPE, check=False).stdout.decode().split("\n")
    at = next(i for i, line in enumerate(piped) if line.startswith("!"))
    said = " ".join(line for line in piped[at:] if line)
    report.check("a remark in 60 columns", [] if told == said else [f"{told!r}, not {said!r}"])


def main():
    report = Report()
    widths(report)
    columns(report)
    remarks(report)
    report.done()


main()
