#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""doctor --verify: what it says of processes at rest and of machines of which a figure is wrong, and
its exit codes."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))
from program import (  # noqa: E402
    DENIED, FAILED, NOTHING, OK, USAGE, Outsider, expect, loads, one_line, run,
)
from tap import Report  # noqa: E402

FIXTURE = TESTS / "fixtures" / "guest-6.12"
PROCESS = ("V1", "V2", "V3", "V4", "V5", "V6", "V7")


def checks(*args):
    result = run("doctor", "--verify", "-J", *args)
    return result, {row["id"]: row for row in loads(result.out)["data"]["checks"]}


def at_rest(report):
    """A process that sleeps: nothing of it may be off. PSS is shared with whoever comes and goes."""
    with subprocess.Popen(["sleep", "600"], stdout=subprocess.DEVNULL) as sleeper:
        try:
            # It sleeps once it is what it is to become.
            while pathlib.Path(f"/proc/{sleeper.pid}/comm").read_text() != "sleep\n":
                pass
            while pathlib.Path(f"/proc/{sleeper.pid}/wchan").read_text() == "0" and (
                pathlib.Path(f"/proc/{sleeper.pid}/stat").read_text().split()[2] != "S"
            ):
                pass
            result, rows = checks(str(sleeper.pid))
        finally:
            sleeper.kill()
    fine = {"holds"} if os.geteuid() == 0 else {"holds", "not_checkable"}
    problems = []
    for name in PROCESS:
        allowed = fine | ({"bounded"} if name == "V2" else {"drifted"} if name == "V4" else set())
        if rows[name]["result"] not in allowed:
            problems.append(str(rows[name]))
    report.check("a sleeping process agrees with itself", problems)
    report.check("nothing is off: exit 0",
                 expect(result, OK) or ([str(rows)] if "V8" in rows else None))
    report.check("of one process one was compared",
                 [] if rows["V1"]["checked_total"] == 1 and rows["V3"]["checked_total"] > 5
                 else [str(rows["V1"]), str(rows["V3"])])


def altered(name, change):
    """The checks of the recorded machine with one file changed."""
    with tempfile.TemporaryDirectory() as tmp:
        top = pathlib.Path(tmp) / "machine"
        shutil.copytree(FIXTURE, top)
        path = top / "proc" / name
        before = path.read_text()
        after = change(before)
        assert before != after
        path.chmod(0o644)
        path.write_text(after)
        return checks("--root", str(top))


def raise_figure(key, kib, separator=":"):
    """Adds to the last line of that key that is not 0."""

    def change(text):
        lines = text.splitlines(keepends=True)
        for i in reversed(range(len(lines))):
            words = lines[i].split()
            if words and words[0] == key + (separator if separator == ":" else "") and words[1] != "0":
                lines[i] = lines[i].replace(words[1], str(int(words[1]) + kib), 1)
                return "".join(lines)
        raise AssertionError(f"no {key} that is not 0")

    return change


def wrong_figures(report):
    result, rows = checks("--root", str(FIXTURE))
    report.check("a machine of which all holds: exit 0", expect(result, OK))
    report.check("and nothing is off", [str(r) for r in rows.values() if r["result"] == "off"])
    before = {r["id"]: r["off_bytes"] for r in rows.values() if r["result"] == "drifted"}
    pid = max((p.name for p in (FIXTURE / "proc").iterdir()
               if p.name.isdigit() and (p / "smaps").stat().st_size), key=int)
    kib = 1024
    # file, key, KiB more, separator, the checks that are off by it, and by how many bytes
    cases = [
        (f"{pid}/smaps_rollup", "Rss", 4, ":", {"V1": -4 * kib}),
        (f"{pid}/smaps_rollup", "Pss", 4096, ":", {"V4": None}),
        (f"{pid}/smaps", "Shared_Clean", 4, ":", {"V3": 4 * kib}),
        (f"{pid}/smaps", "Referenced", 1 << 30, ":", {"V7": None}),
        ("meminfo", "MemTotal", 4, ":", {"V8": 4 * kib}),
        ("vmstat", "nr_file_pages", 1, " ", {"V9-file": -4 * kib}),
        ("vmstat", "nr_free_pages", 1, " ", {"V9-free": -4 * kib}),
        ("vmstat", "nr_anon_pages", 2, " ", {"V9-anon": -8 * kib}),
        ("meminfo", "Slab", 4, ":", {"V9-slab": 4 * kib}),
        ("meminfo", "Active", 8, ":", {"V9-active": 8 * kib}),
    ]
    for name, key, more, separator, want in cases:
        result, rows = altered(name, raise_figure(key, more, separator))
        # Two files of a recording are two instants.
        word = "drifted" if name == "vmstat" else "off"
        off = {r["id"]: r["off_bytes"] for r in rows.values() if r["result"] == word}
        problems = [expect(result, FAILED if word == "off" else OK)]
        if set(off) - set(before) != set(want) - set(before):
            problems.append(f"{word}: {off}")
        problems += [f"{c} off by {off.get(c)}, not {n}" for c, n in want.items()
                     if n is not None and off.get(c) != n + before.get(c, 0)]
        if name.startswith(pid):
            problems += [f"{c} names process {rows[c]['pid']}" for c in want
                         if rows[c]["pid"] != int(pid)]
        report.check(f"{key} of {name.split('/')[-1]} is wrong", [p for p in problems if p])


def second_opinion(report):
    """What libproc2 reads of this machine, which it cannot of a recorded one."""
    _, rows = checks("--root", str(FIXTURE))
    report.check("V12 is for a running machine",
                 [] if rows["V12"]["result"] == "not_checkable" and rows["V12"]["note"]
                 else [str(rows["V12"])])
    if not any(list(pathlib.Path(top).glob("**/libproc2.so.[01]")) for top in ("/lib", "/usr/lib")):
        report.skip("V12: libproc2 reads what vmtop reads", "no libproc2")
        return
    _, rows = checks()
    report.check("V12: libproc2 reads what vmtop reads",
                 [] if rows["V12"]["result"] in ("holds", "drifted")
                 and rows["V12"]["checked_total"] >= 40 else [str(rows["V12"])])


def codes(report):
    report.check("a process without --verify", expect(run("doctor", "1"), USAGE, complaint=True))
    report.check("no process id", expect(run("doctor", "--verify", "x"), USAGE, complaint=True))
    report.check("no such process",
                 expect(run("doctor", "--verify", "4194303"), NOTHING, complaint=True))
    if os.geteuid() != 0:
        report.skip("a process of another user", "only root can become nobody")
        return
    with Outsider() as nobody:
        result = nobody.run("doctor", "--verify", str(os.getpid()))
        report.check("a process of another user",
                     expect(result, DENIED, quiet=False) or one_line(result.err))


def main():
    report = Report()
    at_rest(report)
    wrong_figures(report)
    second_opinion(report)
    codes(report)
    report.done()


main()
