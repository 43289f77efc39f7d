#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""faults --stream: every fault of a known workload stands in it once, while it happens; what a reader
is too slow for is told, and missing in no count; and how a stream ends.

A part of tests/live/run: it prints its cases and no plan, for it is not the only one.
"""

import fcntl
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

import jsonschema

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from program import loads, run  # noqa: E402
from tap import BUILD, VMTOP, Report  # noqa: E402

PAGE = os.sysconf("SC_PAGESIZE")
PAGES = 10000

# Maps that many pages, says where, and writes to all of them for each line that it reads: upwards
# for "up", else downwards, which is no run.
CHILD = """
import mmap, sys
pages = int(sys.argv[1])
m = mmap.mmap(-1, pages * mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
m.madvise(mmap.MADV_NOHUGEPAGE)
import ctypes
at = ctypes.addressof(ctypes.c_char.from_buffer(m))
print(at, flush=True)
for line in sys.stdin:
    up = line == "up\\n"
    m.madvise(mmap.MADV_DONTNEED)
    for i in range(pages) if up else range(pages - 1, -1, -1):
        m[i * mmap.PAGESIZE] = 1
    print("done", flush=True)
"""


class Child:
    def __init__(self, pages=PAGES):
        self.process = subprocess.Popen([sys.executable, "-c", CHILD, str(pages)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.pages = pages
        self.base = int(self.process.stdout.readline())

    def fault(self, order):
        self.process.stdin.write(order + b"\n")
        self.process.stdin.flush()
        self.process.stdout.readline()

    def end(self):
        self.process.stdin.close()
        self.process.wait()


class Stream:
    """A running 'faults --stream'; its first line has come when it counts."""

    def __init__(self, *args):
        self.process = subprocess.Popen(
            [VMTOP, "faults", "--stream", "--ndjson", *args],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        self.lines = [loads(self.process.stdout.readline())]

    def next(self):
        self.lines.append(loads(self.process.stdout.readline()))
        return self.lines[-1]

    def end(self, sig=None):
        if sig:
            self.process.send_signal(sig)
        self.lines += [loads(line) for line in self.process.stdout]
        err = self.process.stderr.read()
        return self.process.wait(), err

    def of(self, kind):
        return [line for line in self.lines if line["type"] == kind]


def whole(stream, code, err, wanted=0):
    """What is wrong with a stream as such: its ends, its sums, its lines."""
    if code != wanted or err:
        return [f"exit {code}: {err[-300:]!r}"]
    if stream.lines[0]["type"] != "header" or stream.lines[-1]["type"] != "end":
        return [f"from {stream.lines[0]['type']} to {stream.lines[-1]['type']}"]
    problems = []
    probes = stream.lines[-1]["probes"]
    singles = sum(line["faults_total"] for line in stream.of("single"))
    if singles + probes["singles_limited_total"] != probes["singles_total"]:
        problems.append(f"{singles} in lines, {probes['singles_limited_total']} left out, "
                        f"{probes['singles_total']} taken")
    for key in ("lost", "limited"):
        told = sum(line[f"{key}_total"] for line in stream.of("gap"))
        if told != probes[f"singles_{key}_total"]:
            problems.append(f"gaps say {told} {key}, the end {probes[f'singles_{key}_total']}")
    if probes["residual"] or probes["lost"] or probes["unattributed"]:
        problems.append(f"the sum does not hold: {probes}")
    rows = sum(line["faults_total"] for line in stream.of("fault"))
    if rows != probes["mapped"]:
        problems.append(f"rows have {rows}, {probes['mapped']} in mappings")
    # Where nothing is skipped, each that is in a mapping went into the ring or was lost there.
    if probes["rung"] == "tracepoint" and \
            probes["singles_total"] + probes["singles_lost_total"] != probes["mapped"]:
        problems.append(f"{probes['singles_total']} + {probes['singles_lost_total']} lost "
                        f"of {probes['mapped']} in mappings")
    return problems


def row_of(stream, child):
    """Faults that the table has in the child's mapping."""
    return sum(line["faults_total"] for line in stream.of("fault")
               if line["start"] and int(line["start"], 16) <= child.base < int(line["end"], 16))


def pages_of(stream, child):
    """How often each page of the child's mapping is in the stream."""
    seen = [0] * child.pages
    for line in stream.of("single"):
        first = (int(line["address"], 16) - child.base) // PAGE
        for i in range(first, first + line["faults_total"]):
            if 0 <= i < child.pages:
                seen[i] += 1
    return seen


def each_once(report, schema):
    child = Child()
    stream = Stream("-p", str(child.process.pid), "--rate-limit", "0")
    child.fault(b"up")
    # It is still there, and waits: what comes now comes while it happens.
    while stream.next()["type"] != "single":
        pass
    child.fault(b"down")
    child.end()
    code, err = stream.end()
    problems = whole(stream, code, err)
    if not problems:
        seen = pages_of(stream, child)
        wrong = [i for i, n in enumerate(seen) if n != 2]
        lost = stream.lines[-1]["probes"]["singles_lost_total"]
        if wrong and not lost:
            problems.append(f"{len(wrong)} pages, as the {wrong[0]}th {seen[wrong[0]]} times")
        if row_of(stream, child) != 2 * PAGES:
            problems.append(f"{row_of(stream, child)} in the table, {2 * PAGES} were made")
        runs = max(line["faults_total"] for line in stream.of("single"))
        if runs < PAGES // 20 and not lost:
            problems.append(f"the longest run has {runs}")
        ours = [line for line in stream.of("single")
                if 0 <= int(line["address"], 16) - child.base < PAGES * PAGE]
        # All by one instruction of the interpreter.
        if len({line["ip"] for line in ours}) != 1 or not ours[0]["ip"]:
            problems.append(f"instructions {sorted({str(line['ip']) for line in ours})}")
        if [line for line in ours if line["symbol"] is not None]:
            problems.append("symbols that nobody asked for")
        unlike = [line for line in ours if line["served"] != "zero_fill" or line["fault"] != "minor"
                  or line["kind"] != "anon"]
        if unlike:
            problems.append(f"{len(unlike)} of {len(ours)} are not fresh pages: {unlike[0]}")
        if [line for line in stream.of("single") if not line["path"] or not line["comm"]]:
            problems.append("a fault without a name")
    report.check("stream: every fault once, while it happens, runs in one line", problems)

    broken = []
    for line in stream.lines:
        kind = line.pop("type")
        if kind in ("header", "end"):
            continue
        part = {"$defs": schema["$defs"], "$ref": f"#/$defs/{kind}"}
        broken += [f"{kind}: {error.message}" for error in
                   jsonschema.Draft202012Validator(part).iter_errors(line)][:1]
    report.check("stream: lines are as the schema says", broken[:3])


def symbols(report):
    """The function of each fault, while its process runs, and where it is asked for alone."""
    rounds = 3
    with subprocess.Popen([BUILD / "tests" / "bench" / "fault-loop", "4"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as process:
        stream = Stream("-p", str(process.pid), "--rate-limit", "0", "-o", "faults_total,symbol")
        for _ in range(rounds):
            process.stdin.write(b"\n")
            process.stdin.flush()
            process.stdout.readline()
        process.stdin.close()
    code, err = stream.end()
    # The columns are those of the lines.
    problems = [] if code == 0 and not err else [f"exit {code}: {err[-300:]!r}"]
    named = {}
    for line in stream.of("single"):
        named[line["symbol"]] = named.get(line["symbol"], 0) + line["faults_total"]
    # The one may be part of the other.
    if max(named.get("pass", 0), named.get("main", 0)) < rounds * (4 << 20) // PAGE:
        problems.append(f"{named}")
    report.check("stream: the function that faulted", problems)


def slow_reader(report):
    child = Child()
    stream = Stream("-p", str(child.process.pid), "--rate-limit", "0")
    # More than waits for a reader; from here on nothing is taken out of the ring.
    child.fault(b"down")
    while stream.next()["type"] != "single":
        pass
    rounds = 9
    for _ in range(rounds):
        child.fault(b"down")
    child.end()
    code, err = stream.end()
    problems = whole(stream, code, err)
    if not problems:
        probes = stream.lines[-1]["probes"]
        if not probes["singles_lost_total"]:
            problems.append(f"nothing was lost of {probes['singles_total']}")
        if row_of(stream, child) != (rounds + 1) * PAGES:
            problems.append(f"{row_of(stream, child)} in the table")
    report.check("F05 stream: a reader that does not read loses lines, and is told; no count is "
                 "touched", problems)


def limited(report):
    child = Child(500)
    stream = Stream("-p", str(child.process.pid), "--rate-limit", "20")
    child.fault(b"down")
    child.end()
    code, err = stream.end()
    problems = whole(stream, code, err)
    if not problems:
        probes = stream.lines[-1]["probes"]
        seconds = probes["window_ns"] // 10**9 + 2
        if not probes["singles_limited_total"] or len(stream.of("single")) > 20 * seconds:
            problems.append(f"{len(stream.of('single'))} lines, {probes['singles_limited_total']} "
                            f"left out in {seconds} s")
        if row_of(stream, child) != 500:
            problems.append(f"{row_of(stream, child)} in the table")
    report.check("stream: the rate is kept, what is left out is told", problems)


def short_lived(report):
    """Processes whose rows have left the kernel's table when the faults are looked at."""
    with tempfile.TemporaryDirectory(prefix="vmtop-test-") as folder:
        program = os.path.join(folder, "vmt-short")
        shutil.copy("/bin/true", program)
        stream = Stream("--rate-limit", "0", "-F", "comm=vmt-short")
        pids = set()
        for _ in range(60):
            with subprocess.Popen([program]) as process:
                pids.add(process.pid)
        code, err = stream.end(signal.SIGINT)
    problems = [] if code == 0 and not err else [f"exit {code}: {err[-300:]!r}"]
    if not problems:
        singles = stream.of("single")
        nameless = [line for line in singles if not line["path"]]
        missing = pids - {line["pid"] for line in singles}
        if nameless:
            problems.append(f"{len(nameless)} of {len(singles)} without a name: {nameless[0]}")
        if missing and not stream.lines[-1]["probes"]["singles_lost_total"]:
            problems.append(f"{len(missing)} processes are missing")
    report.check("stream: processes that are gone have names for their faults", problems)


def stalled(report, words, child):
    """A reader that is there and does not read, when the stream is told to end."""
    streams = [Stream(*words, "--rate-limit", "0") for _ in range(2)]
    for stream in streams:
        # The lines that come do not fit.
        fcntl.fcntl(stream.process.stdout.fileno(), fcntl.F_SETPIPE_SZ, PAGE)
    problems = []
    for _ in range(40):
        child.fault(b"down")
    for stream, sig in zip(streams, (signal.SIGTERM, signal.SIGINT)):
        stream.process.send_signal(sig)
    for stream, sig in zip(streams, (signal.SIGTERM, signal.SIGINT)):
        code = stream.process.wait(timeout=60)
        text = stream.process.stdout.read()
        err = stream.process.stderr.read()
        if code != 128 + sig or b"nobody reads" not in err:
            problems.append(f"{sig.name}: exit {code}, {err[-200:]!r}")
        if b'"type":"end"' in text:
            problems.append(f"{sig.name}: it seems to be whole")
    report.check("stream: a reader that does not read, and a signal", problems)


def ends(report):
    child = Child(10)
    words = ["-p", str(child.process.pid)]
    stream = Stream(*words)
    code, err = stream.end(signal.SIGTERM)
    report.check("stream: SIGTERM, and the stream is whole", whole(stream, code, err, 128 + 15))

    stream = Stream(*words)
    stream.process.stdout.close()
    code = stream.process.wait(timeout=60)
    err = stream.process.stderr.read()
    stream.process.stderr.close()
    report.check("stream: nobody reads any more",
                 None if code == 128 + signal.SIGPIPE and not err else f"exit {code}: {err!r}")

    stalled(report, words, child)

    with open("/dev/full", "wb") as full:
        result = run("faults", "--stream", "--ndjson", *words, stdout=full)
    report.check("stream: a full disk",
                 None if result.code == 1 and b"No space left" in result.err else f"{result}")
    result = run("faults", "--stream", "--ndjson", "--rung", "perf", *words)
    report.check("stream: a rung without single faults",
                 None if result.code == 1 and not result.out and b"need BPF" in result.err
                 else f"{result}")
    child.end()


def main():
    report = Report()
    if os.geteuid() != 0:
        report.skip("single faults as they happen", "needs root")
        sys.exit(0)
    schema = loads(run("schema", "faults").out)
    each_once(report, schema)
    symbols(report)
    slow_reader(report)
    limited(report)
    short_lived(report)
    ends(report)
    sys.exit(1 if report.failed else 0)


main()
