#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Prints how many branches of lib/ were taken by what ran of build-cov/, a line for each file and the
sums; ends with 1 where a sum is below its limit. tests/coverage/run fills build-cov/ and calls it.

tests/coverage/branches.py [--lib PERCENT] [--parsers PERCENT] [--missing FILE]...

--missing prints the branches of a file that nothing took, by line, and no table.

A branch is one way out of a condition: gcc makes two of each comparison and of each operand of && and
||, and one of each case of a switch. One in a header or a table counts once for each function it is
part of, however many objects have that. Files of which nothing was run count with all their branches.

Not counted: what the compiler was not given, which are the "-none.c" files in place of a library that
is there; and the BPF programs, which run in the kernel, where no counter of gcc is (tests/live and
tests/vm count their events one by one).
"""

import argparse
import collections
import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from tap import TOP, Report  # noqa: E402

TREE = TOP / "build-cov"
# One path a line: the files that read text or bytes of others.
PARSERS = pathlib.Path(__file__).resolve().parent / "parsers"

Branch = collections.namedtuple("Branch", "path function line index")


def parsers():
    """The paths of the list, in its order."""
    lines = (line.partition("#")[0].strip() for line in PARSERS.read_text("utf-8").splitlines())
    return [line for line in lines if line]


def taken(objects):
    """How often each branch of lib/ was taken, from the notes of these objects: {Branch: count}."""
    counts = collections.Counter()
    for notes in objects:
        said = subprocess.run(
            ["gcov", "--branch-probabilities", "--json-format", "--stdout", str(notes)],
            cwd=TREE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False,
        )
        # Counts of another build than this one, as where it was built anew since they were made.
        if said.returncode:
            why = (said.stderr.strip() or "failed").splitlines()[-1]
            sys.exit(f"branches.py: gcov: {why}; see tests/coverage/run")
        for unit in map(json.loads, said.stdout.splitlines()):
            add_unit(counts, unit)
    return counts


def add_unit(counts, unit):
    folder = pathlib.Path(unit["current_working_directory"])
    for file in unit["files"]:
        path = (folder / file["file"]).resolve()
        if not path.is_relative_to(TOP / "lib"):
            continue
        path = str(path.relative_to(TOP))
        for line in file["lines"]:
            for index, branch in enumerate(line["branches"]):
                where = Branch(path, line.get("function_name"), line["line_number"], index)
                counts[where] += branch["count"]


class Sum:
    """Branches taken, of all."""

    def __init__(self):
        self.taken = 0
        self.all = 0

    def add(self, count):
        self.taken += count > 0
        self.all += 1

    def percent(self):
        return 100 * self.taken / self.all if self.all else 100.0

    def __str__(self):
        # Rounded down, so that 89.99 is not read as 90.
        return f"{int(self.percent() * 10) / 10:.1f} % ({self.taken} of {self.all})"


def print_table(files, sums):
    print(f"# {'branches':>8} {'taken':>6} {'%':>6}")
    rows = sorted(files.items(), key=lambda item: (item[0].split("/")[:2], item[0]))
    for name, row in [*rows, *sums]:
        print(f"# {row.all:8} {row.taken:6} {int(row.percent() * 10) / 10:6.1f}  {name}")


def print_missing(counts, path):
    source = (TOP / path).read_text("utf-8").splitlines()
    lines = collections.defaultdict(Sum)
    for where, count in counts.items():
        if where.path == path:
            lines[where.line, where.function].add(count)
    for (number, function), row in sorted(lines.items()):
        if row.taken < row.all:
            print(f"{path}:{number}: {function}: {row.taken}/{row.all}: {source[number - 1].strip()}")


def judge(report, name, row, limit):
    if row.percent() >= limit:
        report.check(f"branches of {name}: {row}, at least {limit:g} %")
    else:
        report.check(f"branches of {name}", f"{row}, at least {limit:g} %")


def main():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--lib", type=float, default=90.0)
    parser.add_argument("--parsers", type=float, default=95.0)
    parser.add_argument("--missing", action="append", default=[])
    options = parser.parse_args()

    objects = sorted((TREE / "lib").rglob("*.gcno"))
    if not objects:
        sys.exit(f"branches.py: nothing in {TREE}: see tests/coverage/run")
    counts = taken(objects)
    if options.missing:
        for path in options.missing:
            print_missing(counts, path)
        return

    listed = set(parsers())
    files = collections.defaultdict(Sum)
    whole, reading = Sum(), Sum()
    for where, count in counts.items():
        files[where.path].add(count)
        whole.add(count)
        if where.path in listed:
            reading.add(count)
    print_table(files, [("parsers", reading), ("lib/", whole)])
    report = Report()
    judge(report, "parsers", reading, options.parsers)
    judge(report, "lib/", whole, options.lib)
    report.done()


if __name__ == "__main__":
    main()
