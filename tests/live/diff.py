#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What grew, was split, merged and remapped between two looks: exactly these, to the byte.

A part of tests/live/run: it prints its cases and no plan, for it is not the only one.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from program import OK, loads, run  # noqa: E402
from tap import BUILD, Report  # noqa: E402

PROGRAM = BUILD / "tests/live/workload-diff"
BASIS = {"moved": "size"}


def vmtop(*words):
    done = run(*words, "-q")
    if done.code != OK or done.err:
        raise RuntimeError(f"{words[0]}: exit {done.code}: {done.err.decode(errors='replace')}")
    return done.out


class Workload:
    def __init__(self):
        # What the linker wrote would become clean meanwhile.
        with open(PROGRAM, "rb") as file:
            os.fsync(file.fileno())
        # pylint: disable-next=consider-using-with
        self.job = subprocess.Popen([PROGRAM], stdout=subprocess.PIPE)
        self.pid = self.job.pid
        self.changes = json.loads(self.job.stdout.readline())["changes"]
        self.stops()

    def stops(self):
        _, status = os.waitpid(self.pid, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            self.job.returncode = os.waitstatus_to_exitcode(status)
            raise RuntimeError(f"the workload ended: {self.job.returncode}")

    def change(self):
        os.kill(self.pid, signal.SIGCONT)
        self.stops()

    def end(self):
        if self.job.returncode is None:
            self.job.kill()
            self.job.wait()
        self.job.stdout.close()


def wanted(change):
    """The row of a change."""
    want = {key: value for key, value in change.items() if key != "label"}
    for what in ("rss", "size"):
        want[f"{what}_delta_bytes"] = want[f"{what}_bytes"] - want[f"{what}_before_bytes"]
    for when in ("", "_before"):
        start = int(want[f"start{when}"], 16)
        want[f"end{when}"] = f"0x{start + want[f'size{when}_bytes']:x}"
    want["basis"] = BASIS.get(want["match"], "range")
    kind, other = ("file", "anonymous") if change["label"] == "shared" else ("anonymous", "file")
    for when in ("", "_before", "_delta"):
        want[f"{kind}{when}_bytes"] = want[f"rss{when}_bytes"]
        want[f"{other}{when}_bytes"] = 0
        want[f"swap{when}_bytes"] = 0
    return want


def address(row):
    return row["start"] or row["start_before"]


def rows_of(document, want):
    """What is wrong with the rows of what changed."""
    rows = {address(row): row for row in document["data"]["mappings"]}
    problems = []
    for label, row in want.items():
        got = rows.pop(row["start"], None)
        if got is None:
            problems.append(f"{label}: no row at {row['start']}")
            continue
        problems += [
            f"{label}: {key} is {got[key]!r}, not {value!r}"
            for key, value in row.items()
            if got[key] != value
        ]
    return problems + [f"a row that nothing happened to: {row}" for row in rows.values()]


def sums_of(document, want):
    """The sums by what became of it, and all; of the process beside."""
    delta = sum(row["rss_delta_bytes"] for row in want.values())
    sums = {row["match"]: row for row in document["data"]["sums"]}
    problems = []
    for match in ("grown", "split", "merged", "moved", "new", "gone", "shrunk", "reshaped"):
        expected = [row for row in want.values() if row["match"] == match]
        for key in ("maps_before_total", "maps_total", "rss_delta_bytes", "size_delta_bytes"):
            total = sum(row[key] for row in expected)
            if sums[match][key] != total:
                problems.append(f"of {match} {key} is {sums[match][key]}, not {total}")
    if sums["all"]["rss_delta_bytes"] != delta:
        problems.append(f"in all {sums['all']['rss_delta_bytes']}, not {delta}")
    (process,) = document["data"]["processes"]
    if (process["match"], process["maps_rss_delta_bytes"]) != ("same", delta):
        problems.append(f"the process: {process}")
    return problems


def rest_of(document, want):
    """With all of them: those that nothing happened to are the same, and of one size."""
    changed = {row["start"] for row in want.values()}
    rest = [row for row in document["data"]["mappings"] if address(row) not in changed]
    problems = [] if len(rest) >= 5 else [f"only {len(rest)} others"]
    return problems + [
        f"not the same: {row}"
        for row in rest
        if row["match"] != "same" or row["rss_delta_bytes"] or row["size_delta_bytes"]
    ]


def compare(report, name, before, after, words, want):
    document = loads(vmtop("diff", *words, "-J", before, after))
    report.check(f"{name}: exactly what changed, to the byte", rows_of(document, want))
    report.check(f"{name}: the sums are those of the changes", sums_of(document, want))
    document = loads(vmtop("diff", *words, "-J", "-a", before, after))
    report.check(f"{name}: all else is the same", rest_of(document, want))
    document = loads(vmtop("diff", *words, "-J", "-a", after, after))
    problems = [row for row in document["data"]["mappings"] if row["match"] != "same"]
    report.check(f"{name}: what is compared with itself is the same", [str(row) for row in problems])


def text_of(report, before, after, want):
    """A row for each, those that grew first, the largest growth at the top."""
    text = vmtop("diff", "--raw", "--noheadings", "-o", "match,rss_delta_bytes,start", before, after)
    # Below what was compared, and above what it adds up to.
    got = [line.split() for line in text.decode().split("\nRSS of ")[0].splitlines()[3:]]
    order = sorted(want.values(), key=lambda row: -row["rss_delta_bytes"])
    grown = [[row["match"], str(row["rss_delta_bytes"]), row["start"][2:]] for row in order]
    n = sum(row["rss_delta_bytes"] > 0 for row in order)
    problems = []
    if got[:n] != grown[:n] or sorted(got) != sorted(grown):
        problems.append(f"{got}, not {grown}")
    report.check("the largest growth is the first", problems)


def main():
    report = Report()
    workload = Workload()
    with tempfile.TemporaryDirectory() as folder:
        recording = os.path.join(folder, "workload.rec")
        before, after = os.path.join(folder, "before"), os.path.join(folder, "after")
        only = str(workload.pid)

        def look(path):
            pathlib.Path(path).write_bytes(vmtop("maps", only, "-J"))
            vmtop("record", "-w", recording, "-d", "0.01", "-n", "1", f"--procs={only}",
                  "--maps", only)

        try:
            look(before)
            workload.change()
            look(after)
        finally:
            workload.end()
        want = {change["label"]: wanted(change) for change in workload.changes}
        compare(report, "two documents", before, after, [], want)
        text_of(report, before, after, want)
        lines = vmtop("replay", "-r", recording, "--ndjson").splitlines()
        times = [line["time"] for line in map(loads, lines) if line["type"] == "sample"]
        if len(times) != 2:
            raise RuntimeError(f"the recording has {len(times)} samples")
        compare(report, "a recording", f"{recording}@{times[0]}", f"{recording}@{times[1]}",
                ["-p", only], want)
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
