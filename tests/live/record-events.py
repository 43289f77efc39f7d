#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Crashes and OOM kills in a recording: each is told once, in the sample that it came before, and the
same when it is replayed; of many at once as many as a sample has, and the rest is counted."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

try:
    import jsonschema
except ImportError:
    jsonschema = None

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from dying import Worker  # noqa: E402
from recorded import after, output, samples  # noqa: E402
from tap import VMTOP, Report  # noqa: E402
from victims import Victims  # noqa: E402

MOST = 64
MANY = 150


def record(path, worker, victims):
    """Who died of what, and what was said of it."""
    died = {}
    with subprocess.Popen([VMTOP, "record", "-w", path, "-d", "0.5", "--duration", "600",
                           "--procs=none", "--events"],
                          stderr=subprocess.PIPE, text=True) as job:
        after(path, job, 1)
        for how in ("null", "bus", "handled", "blocked", "term"):
            died[how] = worker.kill(1, how)[0]
            # One that was begun when it was dead.
            after(path, job, len(samples(path)) + 2)
        died["oom"] = victims.kill(2) if victims.cgroup else []
        after(path, job, len(samples(path)) + 2)
        died["many"] = worker.kill(MANY, "bus")
        after(path, job, len(samples(path)) + 2)
        job.send_signal(signal.SIGINT)
        said = job.stderr.read()
    return died, said.strip() or (f"exit {job.returncode}" if job.returncode else "")


def schema_problems(lines):
    """What is not as vmtop schema says."""
    schema = json.loads(subprocess.run([VMTOP, "schema", "recording"], stdout=subprocess.PIPE,
                                       check=True).stdout)
    known = jsonschema.Draft202012Validator(schema)
    return [error.message[:200] for line in lines for error in known.iter_errors(line)]


def about(rows, pid):
    return [(row["signal_name"], row["reason"]) for row in rows if row["pid"] == pid]


def kills(report, victims, died, lines):
    """Victims of the OOM killer stand in the recording, each once, with what killed them."""
    problems = [f"the source says {line['sources']['oom_kills']}" for line in lines[:1]
                if line["sources"]["oom_kills"]["status"] not in ("ok", "partial")]
    if not victims.cgroup:
        report.skip("OOM kills are recorded", victims.why)
        return
    rows = [row for line in lines for row in line["data"].get("events", [])
            if row["pid"] in died["oom"]]
    if sorted(row["pid"] for row in rows) != sorted(died["oom"]):
        problems.append(f"{died['oom']} died, {[row['pid'] for row in rows]} are told of")
    for row in rows:
        if row["event"] != "oom" or not row["limit_cgroup"].endswith("/" + victims.cgroup):
            problems.append(f"{row}")
        if victims.cgroup not in row["text"] or "oom kills it: " not in row["text"]:
            problems.append(row["text"])
    report.check("OOM kills are recorded, with the cgroup whose limit it was", problems)


def main():
    report = Report()
    if not shutil.which("zstd"):
        report.skip("crashes in a recording", "needs zstd")
        return
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a.rec")
        with Worker() as worker, Victims() as victims:
            died, problem = record(path, worker, victims)
        lines = samples(path)
        if problem or not lines:
            report.check("crashes are recorded", problem or "no sample")
            sys.exit(1)
        rows = [row for line in lines for row in line["data"].get("events", [])]
        report.check("the source says that they were watched", [
            line["sources"]["events"] for line in lines[:1]
            if line["sources"]["events"]["status"] != "ok"])
        for how, wanted in (("null", [("SIGSEGV", "null_page")]), ("bus", [("SIGBUS", "sent")]),
                            ("handled", []), ("blocked", []), ("term", [])):
            said = about(rows, died[how])
            report.check(f"one that dies of {how}", [f"{said}"] if said != wanted else [])
        report.check("a sentence says it", [row["text"] for row in rows
                                            if row["pid"] == died["null"]
                                            and not row["text"].endswith("read of 0x8: the null page")])
        kills(report, victims, died, lines)
        if jsonschema:
            report.check("samples are as their schema says", schema_problems(lines))
        else:
            report.skip("samples are as their schema says", "needs python3-jsonschema")
        report.check("samples are bounded", [
            f"{len(line['data']['events'])} in one" for line in lines
            if len(line["data"].get("events", [])) > MOST])
        many = [row["pid"] for row in rows if row["pid"] in set(died["many"])]
        missing = sum(gap["lost_total"] + gap["limited_total"]
                      for line in lines for gap in line["data"].get("gaps", []))
        report.check(f"of {MANY} at once each is told of or counted", [
            f"{len(many)}, {len(set(many))} of them different, and {missing} counted"]
            if len(set(many)) != len(many) or not many or len(many) + missing < MANY else [])
        again = [json.loads(line) for line in output(VMTOP, "replay", "-r", path, "--ndjson", "-q")]
        told = [(row["pid"], row["time"], row["text"]) for row in again if row["type"] == "event"]
        report.check("replay prints the same", [f"{len(told)} of {len(rows)}"] if told != [
            (row["pid"], row["time"], row["text"]) for row in rows] else [])
        report.check("replay prints what is missing", [] if missing == sum(
            row["lost_total"] + row["limited_total"] for row in again if row["type"] == "gap")
            else ["another number"])
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
