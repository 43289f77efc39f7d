#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""One sample after another: what is printed for each, what is refused, how it ends, and what is said
of processes that come, go and grow meanwhile. Then the other ways to choose and sum processes."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from program import NOTHING, OK, TIMEOUT, USAGE, expect, loads, run  # noqa: E402
from tap import TOP, VMTOP, Report  # noqa: E402

REFUSED = [
    ("JSON", ["-d", "1", "-J"]),
    ("CSV", ["-n", "2", "--csv"]),
    ("no time at all", ["-d", "0"]),
    ("a word for a time", ["-d", "soon"]),
    ("faster than anybody reads", ["-d", "1us"]),
    ("no sample", ["-n", "0"]),
    ("a word for a number", ["-n", "x"]),
    ("a saved machine", ["-d", "1", "--root", str(TOP / "tests/fixtures/guest-7")]),
    ("groups of nothing known", ["--group", "nonsense"]),
    ("a tree of groups", ["--group", "user", "--tree"]),
]
# Grows by 8 MiB for each line that it reads, and says when it has.
GROWS = """
import sys
held = []
print("ready", flush=True)
for line in sys.stdin:
    held.append(bytearray(b"x") * (8 << 20))
    print("grown", flush=True)
"""


class Child:
    """A process that grows when it is told."""

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-c", GROWS], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.pid = self.process.pid
        self.process.stdout.readline()

    def grow(self):
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        self.process.stdout.readline()

    def end(self):
        self.process.kill()
        self.process.wait()


class Watch:
    """A running vmtop whose NDJSON lines are taken one by one."""

    def __init__(self, *args):
        # Whoever runs the tests in the background may have SIGINT ignored; this one is to take it.
        self.process = subprocess.Popen(
            [VMTOP, "ps", "--ndjson", *args],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        self.lines = []

    def sample(self):
        """Rows of the next whole sample: it is whole when another line follows, or at the end."""
        while True:
            line = loads(self.process.stdout.readline())
            self.lines.append(line)
            if line["type"] == "proc":
                return line

    def end(self, sig=signal.SIGINT):
        self.process.send_signal(sig)
        out, err = self.process.communicate(timeout=300)
        self.lines += [loads(line) for line in out.splitlines()]
        return self.process.returncode, err


def stream_problems(lines, samples):
    types = [line["type"] for line in lines]
    problems = []
    if types[0] != "header" or types[-1] != "end" or types.count("header") != 1:
        problems.append(f"it is not one stream: {types}")
    marks = [line for line in lines if line["type"] == "sample"]
    if [mark["sample"] for mark in marks] != list(range(1, samples + 1)):
        problems.append(f"samples {[mark['sample'] for mark in marks]}")
    if types[1] != "sample":
        problems.append("rows before the first sample")
    times = [mark["monotonic_ns"] for mark in marks]
    if times != sorted(set(times)):
        problems.append(f"times {times}")
    if lines[-1]["samples_total"] != samples:
        problems.append(f"the end says {lines[-1]['samples_total']} samples")
    if any("scan" not in mark or "sources" not in mark for mark in marks):
        problems.append("a sample without what could not be read")
    return problems


def text(report):
    result = run("ps", "-d", "50ms", "-n", "3", "-p", str(os.getpid()))
    out = result.out.decode()
    blocks = out.split("\n\n")
    problems = [expect(result, OK)] if expect(result, OK) else []
    if len(blocks) != 3:
        problems.append(f"{len(blocks)} samples: {out!r}")
    for i, block in enumerate(blocks, 1):
        lines = block.strip("\n").split("\n")
        if len(lines) != 3 or not re.match(rf"\d{{4}}-\d\d-\d\dT\S+Z  sample {i}  1 rows", lines[0]):
            problems.append(f"sample {i} is {lines}")
        elif "RSS-DELTA" not in lines[1] or not lines[2].split()[0] == str(os.getpid()):
            problems.append(f"sample {i} is {lines}")
        else:
            delta = lines[2].split()[lines[1].split().index("RSS-DELTA")]
            if (delta == "-") != (i == 1):
                problems.append(f"sample {i} says it grew by {delta}")
    report.check("text: time, headings and rows of each, what grew from the second on", problems)
    result = run("ps", "-n", "1", "-J", "-p", str(os.getpid()))
    report.check("-n 1 is one document", expect(result, OK) or (None if loads(result.out) else "?"))


def growth(report):
    child = Child()
    try:
        watch = Watch("-d", "200ms", "-p", str(child.pid))
        first = watch.sample()
        child.grow()
        # A sample may fall into the middle of it; before 6.2 the kernel tells some pages late.
        seen = [watch.sample()]
        while sum(row["rss_delta_bytes"] for row in seen) < 7 << 20:
            seen.append(watch.sample())
        second = seen[-1]
        code, err = watch.end()
        marks = [line for line in watch.lines if line["type"] == "sample"]
        report.check(
            "NDJSON is one stream, which SIGINT ends in order",
            stream_problems(watch.lines, len(marks)) + ([] if code == 0 else [f"{code} {err}"]),
        )
        problems = []
        for field in ("rss_delta_bytes", "swap_delta_bytes", "minor_faults_per_second"):
            if first[field] is not None:
                problems.append(f"{field} of the first sample is {first[field]}")
        grown = sum(row["rss_delta_bytes"] for row in seen)
        if not 7 << 20 <= grown < 10 << 20 or seen[-1]["rss_bytes"] - first["rss_bytes"] != grown:
            problems.append(f"8 MiB more are {grown}")
        if not second["minor_faults_per_second"] > 0:
            problems.append(f"{second['minor_faults_per_second']} faults a second")
        if not first["read_start_ns"] < first["read_end_ns"] < second["read_start_ns"]:
            problems.append("the times of the reads are in disorder")
        report.check("what grew is told, and told of the second sample only", problems)
    finally:
        child.end()


def deaths(report):
    """A process that ends is gone; one that comes has grown by nothing known."""
    first, second = Child(), None
    try:
        watch = Watch("-d", "100ms", "--comm", "python3*", "-o", "pid,rss_delta_bytes,rss_bytes")
        while watch.sample()["pid"] != first.pid:
            pass
        second = Child()
        while (row := watch.sample())["pid"] != second.pid:
            pass
        first.end()
        ended_ns = time.monotonic_ns()
        # What is in the pipe may be of before, and a sample may have been taken while it ended.
        while not any(line["type"] == "sample" and line["monotonic_ns"] > ended_ns
                      for line in watch.lines[-1:]):
            watch.lines.append(loads(watch.process.stdout.readline()))
        mark = len(watch.lines)
        while watch.sample()["pid"] != second.pid:
            pass
        code, err = watch.end(signal.SIGTERM)
        late = [line["pid"] for line in watch.lines[mark:] if line["type"] == "proc"]
        nth = [i for i, line in enumerate(watch.lines) if line["type"] == "sample"]
        after = [line for line in watch.lines[nth[-1] :] if line["type"] == "proc"]
        report.check("who came has no growth", None if row["rss_delta_bytes"] is None else str(row))
        report.check(
            "who ended is gone, and nobody is shown twice in a sample",
            []
            if second.pid in late and first.pid not in [line["pid"] for line in after]
            else [f"{first.pid} of {after}"],
        )
        report.check(
            "SIGTERM ends it in order and is told",
            stream_problems(watch.lines, len(nth))
            + ([] if code == 128 + signal.SIGTERM else [f"{code} {err}"]),
        )
    finally:
        first.end()
        if second:
            second.end()


def ends(report):
    pid = str(os.getpid())
    result = run("ps", "-d", "10s", "-t", "200ms", "-p", pid)
    report.check("--timeout ends it", expect(result, TIMEOUT, quiet=False))
    result = run("ps", "-d", "20ms", "-n", "2", "-p", "4194303")
    report.check("nobody to watch", expect(result, NOTHING, complaint=True))
    watch = subprocess.Popen([VMTOP, "ps", "-d", "50ms", "-p", pid], stdout=subprocess.PIPE)
    watch.stdout.readline()
    watch.stdout.close()
    report.check("a closed pipe ends it", None if watch.wait(300) == 141 else f"{watch.returncode}")
    with open("/dev/full", "wb") as full:
        result = run("ps", "-d", "20ms", "-n", "3", "-p", pid, stdout=full)
    report.check("a full disk ends it", expect(result, 1, complaint=True))
    ignored = subprocess.Popen(
        [VMTOP, "ps", "-d", "50ms", "-n", "8", "-p", pid],
        stdout=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )
    ignored.stdout.readline()
    ignored.send_signal(signal.SIGHUP)
    out = ignored.communicate(timeout=300)[0]
    report.check(
        "a signal that is ignored from the start (nohup) stays so",
        None if ignored.returncode == 0 and b"sample 8" in out else f"{ignored.returncode} {out!r}",
    )


def missed(report):
    """Stopped for half a second, it has missed ticks, says so and does not catch up."""
    watch = Watch("-d", "50ms", "-p", str(os.getpid()))
    watch.sample()
    watch.process.send_signal(signal.SIGSTOP)
    time.sleep(0.5)
    watch.process.send_signal(signal.SIGCONT)
    for _ in range(3):
        watch.sample()
    watch.end()
    total = watch.lines[-1]["missed_total"]
    marks = [line["missed_total"] for line in watch.lines if line["type"] == "sample"]
    report.check(
        "I05 missed ticks are counted",
        None if total >= 7 and marks == sorted(marks) and marks[0] == 0 else f"{marks}, {total}",
    )


def choices(report):
    me = loads(run("ps", "-J", "-p", str(os.getpid()), "-o", "pid,comm,cgroup,user").out)
    row = me["data"]["processes"][0]
    said = loads(run("ps", "-J", "--comm", row["comm"]).out)["data"]["processes"]
    report.check(
        "--comm leaves those of the name",
        None
        if {r["comm"] for r in said} == {row["comm"]} and os.getpid() in {r["pid"] for r in said}
        else f"{said}"[:200],
    )
    result = run("ps", "--comm", "no such name", "--fail-empty")
    report.check("--comm of nobody", expect(result, NOTHING))
    if row["cgroup"]:
        said = loads(run("ps", "-J", "--cgroup", row["cgroup"], "-o", "pid,cgroup").out)
        pids = {r["pid"] for r in said["data"]["processes"]}
        report.check("--cgroup leaves those in it", None if os.getpid() in pids else f"{pids}")
    else:
        report.skip("--cgroup leaves those in it", "this kernel has no cgroups")
    # Of those who are there before and after.
    every = ("ps", "-J", "--kernel-threads", "-o", "pid,user")
    before = loads(run(*every).out)["data"]["processes"]
    said = loads(run("ps", "-J", "--group", "user", "--kernel-threads").out)["data"]["groups"]
    after = {(r["pid"], r["user"]) for r in loads(run(*every).out)["data"]["processes"]}
    users = {r["user"] for r in before if (r["pid"], r["user"]) in after}
    report.check(
        "--group user has every user",
        None if users <= {r["name"] for r in said} else f"{users}, {said}"[:300],
    )
    tree = loads(run("ps", "-J", "--tree", "--kernel-threads").out)["data"]["processes"]
    problems, path = [], []
    for r in tree:
        del path[r["depth"] :]
        if r["depth"] and (not path or path[-1] != r["ppid"]):
            problems.append(f"{r['pid']} stands below {path}, not {r['ppid']}")
        path.append(r["pid"])
        if r["rss_bytes"] and r["tree_rss_bytes"] is not None and (
            r["tree_rss_bytes"] < r["rss_bytes"]
        ):
            problems.append(f"{r['pid']}: the tree is smaller than its root")
    if os.getpid() not in {r["pid"] for r in tree} or not any(r["depth"] for r in tree):
        problems.append("we are missing, or nobody has a parent")
    report.check("--tree: each stands below its parent", problems[:5])


# Rates that are made of several counters.
SUMS = {
    "minor_faults_per_second": [(1, "pgfault"), (-1, "pgmajfault")],
    "pgsteal_per_second": [(1, "pgsteal_kswapd"), (1, "pgsteal_direct")],
    "workingset_refault_per_second": [(1, "workingset_refault_anon"),
                                      (1, "workingset_refault_file")],
}


def machine(report):
    """free: what is said of an interval is what changed in it."""
    result = run("free", "--ndjson", "-d", "0.2", "-n", "3")
    problem = expect(result, OK)
    report.check("free: three samples", problem)
    if problem:
        return
    samples = []
    for line in result.out.splitlines():
        row = loads(line)
        if row["type"] == "sample":
            samples.append({"ns": row["monotonic_ns"], "part": {}, "pressure": {}})
        elif row["type"] == "system":
            samples[-1]["system"] = row
        elif row["type"] == "part":
            samples[-1]["part"][row["name"]] = row
        elif row["type"] == "pressure":
            samples[-1]["pressure"][row["resource"], row["kind"]] = row
    first, *others = samples
    rates = [key for key in first["system"] if key.endswith("_per_second")]
    known = [key for key in rates if first["system"][key] is not None]
    problems = [f"{key} is {first['system'][key]}" for key in known]
    problems += [
        f"{name} changed by {row['change_bytes']}"
        for name, row in first["part"].items()
        if row["change_bytes"] is not None
    ]
    problems += [] if len(rates) >= 14 else [f"{len(rates)} rates"]
    report.check("free: the first sample has no rates", problems)
    problems = []
    for before, after in zip(samples, others, strict=False):
        seconds = (after["ns"] - before["ns"]) / 10**9
        for key in rates:
            terms = [(sign, before["system"][f"{name}_total"], after["system"][f"{name}_total"])
                     for sign, name in SUMS.get(key, [(1, key.removesuffix("_per_second"))])]
            want = None
            if not any(None in term for term in terms):
                want = sum(sign * (b - a) for sign, a, b in terms) / seconds
            said = after["system"][key]
            if (want is None) != (said is None) or abs((want or 0) - (said or 0)) > 0.004:
                problems.append(f"{key} is {said}, not {want}")
        for name, row in after["part"].items():
            a, b = before["part"][name]["size_bytes"], row["size_bytes"]
            want = None if None in (a, b) else b - a
            if row["change_bytes"] != want:
                problems.append(f"{name} changed by {row['change_bytes']}, not {want}")
        for key, row in after["pressure"].items():
            ns = row["stalled_total_ns"] - before["pressure"][key]["stalled_total_ns"]
            want = ns / seconds / 10**7
            if ns >= 0 and abs(row["stalled_percent"] - want) > 0.002:
                problems.append(f"{key}: {row['stalled_percent']} percent, not {want}")
        total = sum(row["size_bytes"] or 0 for row in after["part"].values())
        if total != after["system"]["total_bytes"]:
            problems.append(f"the parts are {total} of {after['system']['total_bytes']}")
    report.check("free: rates and changes are those of the counters", problems)
    result = run("free", "-d", "0.1", "-n", "2")
    said = result.out.decode()
    problem = expect(result, OK, quiet=False)
    if not problem and (said.count("\na second:"), said.count("unaccounted:")) != (1, 2):
        problem = said[:600]
    report.check("free: text has rates from the second sample on", problem)
    saved = run("free", "-d", "1", "--root", str(TOP / "tests/fixtures/guest-7"))
    report.check("free: not of a saved machine", expect(saved, USAGE, complaint=True))


def main():
    report = Report()
    for name, args in REFUSED:
        report.check(f"refused: {name}", expect(run("ps", *args), USAGE, complaint=True))
    text(report)
    growth(report)
    deaths(report)
    ends(report)
    missed(report)
    choices(report)
    machine(report)
    report.done()


if __name__ == "__main__":
    sys.exit(main())
