#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""-F EXPR: which rows are left, in each command that takes it, and what it reads for that."""

import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from tap import Report  # noqa: E402

VMTOP = os.environ["VMTOP"]
TOP = os.environ["VMTOP_TOP"]
ROOT = f"{TOP}/tests/fixtures/machine-6.18"


def run(*words):
    return subprocess.run([VMTOP, *words], capture_output=True, text=True, check=False, timeout=300)


def rows(section, *words):
    done = run(*words, "--root", ROOT, "-J")
    return json.loads(done.stdout)["data"][section]


def kept(report, name, section, words, expression, wanted):
    """What the filter leaves is what a look at all rows says."""
    everything = [row for row in rows(section, *words) if wanted(row)]
    said = rows(section, *words, "-F", expression)
    problem = None
    if not everything or len(everything) == len(rows(section, *words)):
        problem = "the test shows nothing: all rows, or none"
    elif said != everything:
        problem = f"{len(said)} rows, not {len(everything)}"
    report.check(name, problem)


def main():
    report = Report()
    shared = next(row["pid"] for row in rows("processes", "ps") if row["comm"] == "shared")
    for order in ([], ["-s", "start"]):
        kept(
            report,
            f"maps {' '.join(order)}: a size and a text",
            "maps",
            ["maps", str(shared), *order],
            "rss>=8K && path~'^/.*lib'",
            lambda row: row["rss_bytes"] >= 8192 and row["path"].startswith("/") and "lib" in row["path"],
        )
    kept(
        report,
        "ps: by what the rows do not need otherwise",
        "processes",
        ["ps", "--pss"],
        "!(uss<1M) || comm=shared",
        lambda row: row["uss_bytes"] is not None
        and row["uss_bytes"] >= 1 << 20
        or row["comm"] == "shared",
    )
    # Unknown is not false: a kernel thread has no RSS.
    total = len(rows("processes", "ps", "--kernel-threads"))
    low = len(rows("processes", "ps", "--kernel-threads", "-F", "rss<1M"))
    not_low = len(rows("processes", "ps", "--kernel-threads", "-F", "!(rss<1M)"))
    known = len(rows("processes", "ps", "--kernel-threads", "-F", "rss>=0"))
    report.check(
        "a test of the unknown is neither true nor false",
        None if low + not_low == known < total else f"{low} + {not_low}, {known} of {total}",
    )
    sources = json.loads(run("ps", "--root", ROOT, "-J", "-o", "pid", "-F", "pss>1M").stdout)["sources"]
    read = {source["name"] for source in sources if source["reads_total"]}
    report.check(
        "the sources of its fields are read",
        None if "smaps_rollup" in read else f"only {read}",
    )
    cut = run("ps", "--root", ROOT, "--top", "1", "-o", "comm", "--noheadings", "-F", "comm=shared")
    report.check(
        "--top counts what is left",
        None if cut.stdout.split("\n")[0].strip() == "shared" else cut.stdout,
    )
    empty = run("ps", "--root", ROOT, "--fail-empty", "-F", "rss>100T")
    report.check("--fail-empty", None if empty.returncode == 3 else f"exit {empty.returncode}")
    for words, text in (
        (["ps", "-F", "bogus>1"], "character 1: no field 'bogus'"),
        (["ps", "-F", "rss>"], "character 5: no value"),
        (["maps", "1", "-F", "rss~x"], "character 4: a number knows"),
        (["faults", "-F", "("], "character 2: it ends too early"),
        (["ps", "-F", "x" * 5000], "more than 4096"),
        (["ps", "-F", "\x1b[2J"], "character 1"),
    ):
        done = run(*words)
        good = done.returncode == 2 and text in done.stderr and "\x1b" not in done.stderr
        report.check(
            f"{words[0]}: an error in it: {text}",
            None if good else f"exit {done.returncode}: {done.stderr!r}",
        )
    done = run("ps", "-F", "help")
    report.check("help", None if done.returncode == 0 and "POSIX" in done.stdout else done.stderr)
    report.done()


if __name__ == "__main__":
    sys.exit(main())
