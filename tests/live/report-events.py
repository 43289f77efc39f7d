#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What dies while a report measures is in it, a sentence each, and that nothing did, or could not be
seen; without a time to measure it says nothing of it."""

import json
import pathlib
import signal
import subprocess
import sys

try:
    import jsonschema
except ImportError:
    jsonschema = None

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from dying import Worker  # noqa: E402
from program import OK, PARTIAL, Outsider, expect, loads, run  # noqa: E402
from tap import BUILD, VMTOP, Report  # noqa: E402
from victims import Victims  # noqa: E402

MOST = 64
MANY = 150
RING = 40  # victims, for which the kernel's side has no room at a time


def measured(during, *words):
    """What a report printed that was ended when during() had been called, and what that returned.
    Who counts can see what dies by then."""
    with subprocess.Popen([VMTOP, "report", "-v", "--duration", "600", *words],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as job:
        try:
            for line in job.stderr:
                if line.endswith(": counting\n"):
                    break
            died = during()
            job.send_signal(signal.SIGINT)
            out, err = job.communicate()
        finally:
            job.kill()
    if job.returncode:
        raise RuntimeError(f"exit {job.returncode}: {err[-300:]}")
    return out, died


def source(document, name):
    return next(row for row in document["sources"] if row["name"] == name)


def schema_problems(document):
    """What is not as vmtop schema says."""
    said = subprocess.run([VMTOP, "schema", "report"], stdout=subprocess.PIPE, check=True)
    known = jsonschema.Draft202012Validator(json.loads(said.stdout))
    return [error.message[:200] for error in known.iter_errors(document)]


def everything(report, worker, victims):
    """All that can die, in a document with faults, too."""
    def during():
        died = {how: worker.kill(1, how)[0] for how in ("null", "bus", "handled", "blocked", "term")}
        died["oom"] = victims.kill(2) if victims.cgroup else []
        return died

    out, died = measured(during, "-J")
    document = json.loads(out)
    data = document["data"]
    rows = data.get("events", [])
    problems = [f"{name} {source(document, name)['status']}" for name in ("events", "oom_kills")
                if source(document, name)["status"] not in ("ok", "partial")]
    if "gaps" not in data or "faults" not in data:
        problems.append(f"there are {sorted(data)}")
    report.check("a report has events, gaps and faults", problems)
    for how, wanted in (("null", [("SIGSEGV", "null_page")]), ("bus", [("SIGBUS", "sent")]),
                        ("handled", []), ("blocked", []), ("term", [])):
        said = [(row["signal_name"], row["reason"]) for row in rows if row["pid"] == died[how]]
        report.check(f"one that dies of {how}", [f"{said}"] if said != wanted else [])
    if victims.cgroup:
        kills = [row for row in rows if row["pid"] in died["oom"]]
        report.check("victims of the OOM killer, once each", [
            f"{died['oom']} died: {[(row['pid'], row['event']) for row in kills]}"]
            if sorted(row["pid"] for row in kills) != sorted(died["oom"]) or any(
                row["event"] != "oom" or not row["limit_cgroup"].endswith("/" + victims.cgroup)
                for row in kills) else [])
    else:
        report.skip("victims of the OOM killer, once each", victims.why)
    if jsonschema:
        report.check("the document is as its schema says", schema_problems(document))
    else:
        report.skip("the document is as its schema says", "needs python3-jsonschema")


def alone(report, worker):
    """--only events: it waits, and counts no fault."""
    out, died = measured(lambda: worker.kill(1, "null"), "--only", "events")
    lines = out.splitlines()
    told = [line for line in lines if f"[{died[0]}] " in line]
    report.check("text has a sentence of it", [out[:600]] if len(told) != 1 or not told[0].endswith(
        "read of 0x8: the null page") or "DIED: crashes and OOM kills" not in lines else [])
    report.check("and no faults", [out[:600]] if "FAULTS" in out or "sum:" in out else [])
    out, died = measured(lambda: worker.kill(1, "null"), "--only", "events", "--format", "html",
                         "-w", "-")
    report.check("a page has it", [] if "Crashes and OOM kills" in out and
                 f"<td>{died[0]}</td>" in out and "the null page" in out else [out[-600:]])


def named(report, worker, victims):
    """Only of those who are asked for, and that nobody died."""
    with subprocess.Popen(["sleep", "600"]) as other:
        try:
            out, died = measured(lambda: worker.kill(1, "null"), "-p", str(other.pid), "-J")
            rows = json.loads(out)["data"]["events"]
            report.check("a crash of another process is not told", [f"{rows}"] if rows else [])
            text, _ = measured(lambda: None, "-p", str(other.pid), "--only", "events")
            lines = text.splitlines()
            at = lines.index("DIED: crashes and OOM kills") if "DIED: crashes and OOM kills" in lines else -2
            report.check("that nobody died is said, with the time", [text[:400]] if at < 0 or
                         not lines[at + 1].startswith("none in ") else [])
            name = "victims who are others are neither told nor lost"
            if victims.cgroup:
                out, _ = measured(lambda: victims.kill(RING), "-p", str(other.pid), "--only", "events", "-J")
                data = json.loads(out)["data"]
                report.check(name, [f"{data}"[:300]] if data["events"] or data["gaps"] else [])
            else:
                report.skip(name, victims.why)
        finally:
            other.kill()


def many(report, worker):
    out, died = measured(lambda: worker.kill(MANY, "bus"), "--only", "events", "-J")
    data = json.loads(out)["data"]
    rows = [row["pid"] for row in data["events"] if row["pid"] in set(died)]
    missing = sum(gap["lost_total"] + gap["limited_total"] for gap in data["gaps"])
    report.check(f"of {MANY} each is listed or counted", [
        f"{len(rows)} of {len(data['events'])} rows, and {missing} counted"]
        if not rows or len(data["events"]) > MOST or len(rows) + missing < MANY else [])


def unwatched(report):
    """No time, or no right: nothing that reads as nobody having died."""
    data = loads(run("report", "--duration", "0", "-J").out)
    report.check("without a time there is nothing of it", [
        f"{source(data, name)['status']}, {sorted(data['data'])}" for name in ("events", "oom_kills")
        if "events" in data["data"] or source(data, name)["status"] != "unused"])
    with Outsider(BUILD / "cmd" / "vmtop") as nobody:
        said = nobody.run("report", "--duration", "0.1", "-J")
        problem = expect(said, OK, quiet=False)
        data = loads(said.out) if not problem else None
        report.check("without rights the reason is said", problem or [
            f"{source(data, name)}, {sorted(data['data'])}" for name in ("events", "oom_kills")
            if "events" in data["data"] or source(data, name)["status"] not in ("denied", "absent")
            or not source(data, name)["reason"]])
        text = nobody.run("report", "--duration", "0.1", "--only", "events").out.decode()
        report.check("text says it, too", [text[-400:]] if " in 0." in text or
                     "\nDIED: crashes and OOM kills\nnot watched: " not in text or
                     "\n- events " not in text or "\n- oom_kills " not in text else [])
        for parts, code in (("system", OK), ("system,events", PARTIAL)):
            said = nobody.run("report", "--duration", "0.1", "--strict", "--only", parts)
            report.check(f"--strict of {parts}", expect(said, code, quiet=False))
    data = loads(run("report", "--duration", "0.1", "--only", "system,faults", "-J").out)
    report.check("who does not ask does not watch", [
        source(data, name)["status"] for name in ("events", "oom_kills")
        if source(data, name)["status"] != "unused" or "events" in data["data"]])


def main():
    report = Report()
    with Worker() as worker, Victims() as victims:
        everything(report, worker, victims)
        alone(report, worker)
        named(report, worker, victims)
        many(report, worker)
    unwatched(report)
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
