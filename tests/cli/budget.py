#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""--budget and --force: what could hold the lock of a process for too long is not read, is unknown
and not 0, and is said."""

import os
import pathlib
import re
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from program import FAILED, OK, PARTIAL, USAGE, expect, loads, run  # noqa: E402
from tap import TOP, Report  # noqa: E402

FIXTURE = TOP / "tests/fixtures/machine-6.18"
RSS = 200 * 1000**3
PAGE = 4096  # of the recording


def documents(words, code=OK):
    """The end of a run, and its document where it has one."""
    result = run(*words, "-J", "--quiet")
    problem = expect(result, code, quiet=code == OK)
    return problem, None if problem else loads(result.out)


def source(document, name):
    return next(row for row in document["sources"] if row["name"] == name)


def left_out(document, pid, name):
    """What is wrong with the figures of a process that was over the budget."""
    row = next(row for row in document["data"]["processes"] if row["pid"] == pid)
    said = [error for error in document["errors"] if error["pid"] == pid]
    problems = []
    if row.get("pss_bytes") is not None or row.get("uss_bytes") is not None:
        problems.append(f"PSS is {row['pss_bytes']!r}, USS {row['uss_bytes']!r}")
    if row["read_status"] != "skipped":
        problems.append(f"it is {row['read_status']!r}")
    if [error["source"] for error in said] != [name] or "the budget is" not in said[0]["hint"]:
        problems.append(f"errors are {said!r}")
    if source(document, name)["skipped_total"] < 1:
        problems.append(f"{name} counts nothing skipped")
    return problems


def was_read(document, pid):
    row = next(row for row in document["data"]["processes"] if row["pid"] == pid)
    return None if row["pss_bytes"] is not None else f"PSS is unknown: {row['read_status']!r}"


def huge(top):
    """Gives a process of the recording an RSS of 200 GB; its id, and that of another one."""
    pids = sorted(
        int(path.parent.name)
        for path in top.glob("proc/[0-9]*/smaps_rollup")
        if "VmRSS:" in (path.parent / "status").read_text(errors="replace")
        and path.stat().st_size
    )
    path = top / f"proc/{pids[0]}/status"
    text = re.sub(r"VmRSS:\s*\d+ kB", f"VmRSS:\t{RSS // 1024} kB", path.read_text())
    path.write_text(text)
    path = top / f"proc/{pids[0]}/statm"
    words = path.read_text().split()
    path.write_text(" ".join([words[0], str(RSS // PAGE), *words[2:]]) + "\n")
    return pids[0], pids[1]


def recorded(report):
    with tempfile.TemporaryDirectory() as tmp:
        top = pathlib.Path(tmp) / "machine"
        shutil.copytree(FIXTURE, top)
        pid, other = huge(top)
        words = ["ps", "--root", str(top), "--pss", "-o", "pid,pss,uss,read"]
        problem, found = documents([*words, "--budget", "2"])
        report.check(
            "D05 200 GB of RSS are over a budget of 2 s, and unknown",
            problem or left_out(found, pid, "smaps_rollup"),
        )
        report.check("D05 others are read beside it", problem or was_read(found, other))
        problem, found = documents([*words, "--budget", "2", "--force"])
        report.check("D05 --force reads 200 GB", problem or was_read(found, pid))
        result = run(*words, "--budget", "10", "-J")
        problem = expect(result, OK, quiet=False)
        found = None if problem else loads(result.out)
        report.check("D05 200 GB within a budget of 10 s", problem or was_read(found, pid))
        said = [f["id"] for f in found["findings"]] if found else []
        report.check(
            "D05 what it costs is a finding",
            None if "long_walk" in said else f"{said}",
        )
        told = run(*words, "--budget", "10").err.decode()
        line = rf"vmtop: ps: walks page tables: up to 4\.\d+s under the mmap lock of process {pid} "
        report.check(
            "D05 what it costs is told before, in one line",
            None if re.match(line, told) and told.count("\n") == 1 else f"{told!r}",
        )
        told = run(*words, "--budget", "2").err.decode()
        report.check("D05 who is left out costs nothing", f"{told!r}" if "walks" in told else None)
        told = run(*words, "--budget", "10", "--quiet").err.decode()
        report.check("D05 --quiet does not tell", f"{told!r}" if told else None)
        strict = run(*words, "--budget", "2", "--strict")
        report.check("D05 left out: exit 5 of --strict", expect(strict, PARTIAL, quiet=False))


def native(report):
    pid = os.getpid()
    ps = ["ps", "-p", str(pid), "-o", "pid,pss,uss,read"]
    problem, found = documents([*ps, "--budget", "1us"])
    report.check("D05 a small budget: ps", problem or left_out(found, pid, "smaps_rollup"))
    problem, found = documents([*ps, "--budget", "1us", "--force"])
    report.check("D05 a small budget and --force: ps", problem or was_read(found, pid))
    problem, found = documents(ps)
    report.check("D05 the usual budget: ps", problem or was_read(found, pid))

    maps = ["maps", str(pid), "-o", "address,size,pss"]
    problem, found = documents([*maps, "--budget", "1us"], FAILED)
    if not problem:
        rows = found["data"]["maps"]
        problem = left_out(found, pid, "smaps")
        if not rows or any(row["pss_bytes"] is not None for row in rows):
            problem.append("mappings are missing, or have PSS")
    report.check("D05 a small budget: maps has the list alone", problem)
    problem, found = documents([*maps, "--budget", "1us", "--force"])
    if not problem and any(row["pss_bytes"] is None for row in found["data"]["maps"]):
        problem = "a mapping has no PSS"
    report.check("D05 a small budget and --force: maps", problem)


def reports(report):
    """The report, which has PSS of the largest processes, or of all that are named."""
    with tempfile.TemporaryDirectory() as tmp:
        top = pathlib.Path(tmp) / "machine"
        shutil.copytree(FIXTURE, top)
        pid, other = huge(top)
        words = ["report", "--root", str(top)]
        for how in ([], ["-p", f"{pid},{other}"]):
            name = " ".join(["report", *how[:1]])
            problem, found = documents([*words, *how, "--budget", "2"])
            report.check(f"D05 200 GB over a budget of 2 s: {name}",
                         problem or left_out(found, pid, "smaps_rollup"))
            if how:
                report.check(f"D05 others are read beside it: {name}",
                             problem or was_read(found, other))
            problem, found = documents([*words, *how, "--budget", "2", "--force"])
            report.check(f"D05 --force reads 200 GB: {name}", problem or was_read(found, pid))
            said = [finding["id"] for finding in found["findings"]] if found else []
            report.check(f"D05 what it costs is a finding: {name}",
                         None if "long_walk" in said else f"{said}")
            told = run(*words, *how, "--budget", "10").err.decode()
            line = (r"vmtop: report: walks page tables: up to 4\.\d+s under the mmap lock of "
                    rf"process {pid} ")
            report.check(f"D05 what it costs is told before, in one line: {name}",
                         None if re.match(line, told) and told.count("\n") == 1 else f"{told!r}")
        told = run(*words, "-p", str(other), "--budget", "10").err.decode()
        report.check("D05 what is not walked costs nothing: report -p",
                     f"{told!r}" if told else None)
        told = run(*words, "--only", "system", "--budget", "10").err.decode()
        report.check("D05 what is not walked costs nothing: report --only system",
                     f"{told!r}" if told else None)


def main():
    report = Report()
    recorded(report)
    reports(report)
    native(report)
    for value in ("x", "-1", ""):
        report.check(
            f"--budget={value} is no time",
            expect(run("ps", f"--budget={value}"), USAGE, complaint=True),
        )
    report.done()


if __name__ == "__main__":
    main()
