#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmtop run on commands as people run them: its totals are those of wait4(), no mapping is without a
name; and on commands whose faults and memory are known.

A part of tests/live/run: it prints its cases and no plan, for it is not the only one.
"""

import os
import pathlib
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from program import OK, expect, loads, run  # noqa: E402
from tap import Report  # noqa: E402

PAGE = os.sysconf("SC_PAGESIZE")
MIB = 1 << 20
TRIES = 5

SOURCE = """
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv) { printf("%zu %d\\n", strlen(argv[0]), argc); return abs(0); }
"""
INDEX = """
create table t (a integer, b text);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
insert into t select i * 7919 % 20011, hex(i) from n;
create index by_a on t (a); create index by_b on t (b, a);
select count(*) from t;
"""
# Writes to so many fresh pages; huge pages would make few faults of them.
TOUCH = """
import mmap, sys
n = int(sys.argv[1])
m = mmap.mmap(-1, (n + 1) * mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
m.madvise(mmap.MADV_NOHUGEPAGE)
for i in range(n):
    m[i * mmap.PAGESIZE] = 1
"""
# Holds so much of each for some seconds, in which it is looked at some times.
HOLD = """
import mmap, sys, time
private = mmap.mmap(-1, 48 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
shared = mmap.mmap(-1, 24 << 20, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
for m in (private, shared):
    for at in range(0, len(m), mmap.PAGESIZE):
        m[at] = 1
time.sleep(int(sys.argv[1]))
"""
# Pages that the kernel takes by itself, and children that touch what lies behind the end of a file.
OUTCOMES = """
import ctypes, mmap, os, signal, sys, tempfile
pages, children = 64, 5
m = mmap.mmap(-1, pages * mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
at = ctypes.addressof(ctypes.c_char.from_buffer(m))
assert not ctypes.CDLL(None).mlock(ctypes.c_void_p(at), pages * mmap.PAGESIZE)
file = tempfile.TemporaryFile(dir=sys.argv[1])
file.truncate(mmap.PAGESIZE)
empty = mmap.mmap(file.fileno(), mmap.PAGESIZE)
file.truncate(0)
for i in range(children):
    pid = os.fork()
    if not pid:
        signal.signal(signal.SIGBUS, signal.SIG_DFL)
        empty[0]
    assert os.waitpid(pid, 0)[1] & 127 == signal.SIGBUS
"""
# Children of children, threads, and a program that each of them becomes.
FAMILY = "for i in 1 2 3 4 5 6 7 8; do (for j in 1 2 3 4 5; do /bin/true; done) & done; wait"


# Its stressors of page faults, each with its work counted; and others that fault in other ways.
STRESS = ["stress-ng", "--quiet", "--no-rand-seed"]
FAULTS = ["--fault", "1", "--fault-ops", "2000", "--userfaultfd", "1", "--userfaultfd-ops", "20"]
MEMORY = ["--brk", "1", "--brk-ops", "1000", "--bigheap", "1", "--bigheap-ops", "1000",
          "--bigheap-growth", "64k", "--memfd", "1", "--memfd-ops", "1", "--memfd-bytes", "16m",
          "--mremap", "1", "--mremap-ops", "3", "--mremap-bytes", "8m", "--fork", "1",
          "--fork-ops", "40", "--vm", "1", "--vm-ops", "1000", "--vm-bytes", "8m"]


def document_of(words, folder, options=(), **more):
    path = os.path.join(folder, "report.json")
    result = run("run", "-J", "-w", path, *options, "--", *words, timeout=120, **more)
    problem = expect(result, OK, quiet=False)
    if problem:
        return problem, None
    with open(path, "rb") as file:
        return None, loads(file.read())


def peaks(row):
    """No sample is above the peak; where one was above the kernel's mark, it is the peak."""
    sampled, peak, quality = row["peak_sampled_bytes"], row["peak_rss_bytes"], row["peak_quality"]
    if quality not in ("approximate", "at_least", "at_most"):
        yield f"the quality of the peak is {quality}"
    if sampled is not None and sampled > peak:
        yield f"{sampled} bytes were sampled, the peak is {peak}"
    if quality == "at_least" and sampled != peak:
        yield f"{peak} bytes at least, {sampled} were sampled"


def totals(document):
    """Where the sums of a document are not those of wait4(), or a mapping has no name."""
    data, probe = document["data"], document["probes"]
    row = data["command"]
    wait4 = row["minor_faults_total"] + row["major_faults_total"]
    rows = sum(fault["faults_total"] for fault in data["faults"])
    if row["agree"] is not True or row["difference_faults"]:
        yield f"{row['counted_faults_total']} counted, wait4() says {wait4}"
    if rows != row["mapped_faults_total"]:
        yield f"rows have {rows}, the sum {row['mapped_faults_total']}"
    parts = [row[f"{part}_faults_total"] for part in ("mapped", "gup", "unattributed", "dropped")]
    if sum(parts) != wait4 + row["running_faults_total"] or probe["residual"]:
        yield f"{parts} of {wait4}, residual {probe['residual']}"
    if row["unattributed_faults_total"] or row["dropped_faults_total"] or probe["lost"]:
        yield f"{row['unattributed_faults_total']} unattributed, {probe['lost']} lost"
    for name in ("minor", "major"):
        kernel = sum(b[f"{name}_faults_total"] for b in data["balance"])
        if kernel - row[f"{name}_faults_total"] and not row["running_faults_total"]:
            yield f"{kernel} {name} counted, wait4() says {row[f'{name}_faults_total']}"
    kinds = sum(row["kinds"].values())
    if kinds != row["mapped_faults_total"]:
        yield f"{kinds} of known and unknown kinds, {row['mapped_faults_total']} in mappings"
    nameless = [fault for fault in data["faults"] if not fault["path"]]
    if nameless:
        yield f"{len(nameless)} rows without a name, as at {nameless[0]['start']}"
    yield from peaks(row)


def commands(folder):
    """name, program that it needs, words, standard input"""
    source = os.path.join(folder, "x.c")
    with open(source, "w", encoding="utf-8") as file:
        file.write(SOURCE)
    yield "gcc compiles a file", "gcc", ["gcc", "-O2", "-o", f"{folder}/x", source], None
    yield "sqlite3 builds an index", "sqlite3", ["sqlite3", f"{folder}/db"], INDEX.encode()
    for name, words in (("page faults", FAULTS), ("memory", MEMORY)):
        yield (f"stress-ng, stressors of {name}", "stress-ng",
               [*STRESS, "--temp-path", folder, *words], None)
    yield "node starts", "node", ["node", "-e", "console.log(process.version)"], None
    yield "java starts", "java", ["java", "-version"], None
    yield "python3 starts", sys.executable, [sys.executable, "-c", "import json"], None
    yield "children of children", "sh", ["sh", "-c", FAMILY], None
    yield "perl forks and execs", "perl", ["perl", "-e", "system('true') for 1..20"], None


def outcomes(report, folder):
    """Rows of all kinds are what the kernel counted; those beside the kinds have their numbers."""
    problem, document = document_of([sys.executable, "-c", OUTCOMES, folder], folder,
                                    ["--summary", "kind"])
    if problem:
        report.check("kinds and the rest are what wait4() says", problem)
        return
    row = document["data"]["command"]
    rows = {fault["main_kind"]: fault for fault in document["data"]["faults"]}
    total = sum(fault["faults_total"] or 0 for fault in rows.values())
    problems = []
    if total != row["minor_faults_total"] + row["major_faults_total"]:
        problems.append(f"{total} in rows, {row['minor_faults_total']} + "
                        f"{row['major_faults_total']} by wait4()")
    if rows["gup"]["faults_total"] != row["gup_faults_total"] or \
            rows["gup"]["faults_total"] < 64:
        problems.append(f"{rows['gup']['faults_total']} gup, {row['gup_faults_total']} in the sum")
    if rows["failed_sigbus"]["failed_faults_total"] != 5 or rows["failed_sigbus"]["faults_total"]:
        problems.append(f"{rows['failed_sigbus']}")
    for name in ("retried", "failed_oom"):
        seen = document["probes"][name]
        if seen is None and rows[name]["faults_total"] is not None:
            problems.append(f"{name}: the rung does not tell, the row does")
        if seen == 0 and name in rows:
            problems.append(f"{name}: a row of nothing")
    report.check("kinds and the rest are what wait4() says", problems)


def known(report, folder):
    """Figures that are known before."""
    least = {}
    for _ in range(TRIES):
        for pages in (1000, 9000):
            problem, document = document_of([sys.executable, "-c", TOUCH, str(pages)], folder)
            most = None if problem else document["data"]["faults"][0]
            if problem or most["faults_total"] < pages or most["kind"] != "anon":
                report.check(f"{pages} pages: a row of as many", problem or f"{most}")
                return
            n = document["data"]["command"]["minor_faults_total"]
            least[pages] = min(n, least.get(pages, n))
        # Of the interpreter itself some come and go, more of them where its files were not in the
        # page cache, or nobody had room for large pages of it.
        extra = least[9000] - least[1000] - 8000
        if abs(extra) < 40:
            break
    report.check("1000 and 9000 pages: a row of as many")
    report.check("8000 pages more are 8000 faults more",
                 None if abs(extra) < 40 else f"{extra:+} of 8000")

    # On a busy machine that takes longer.
    for seconds in (2, 8, 32):
        problem, document = document_of([sys.executable, "-c", HOLD, str(seconds)], folder)
        if problem or document["data"]["command"]["samples_total"] >= 3:
            break
    if not problem:
        row = document["data"]["command"]
        problem = []
        problem.extend(peaks(row))
        if row["peak_quality"] == "at_most" or not 72 * MIB <= row["peak_rss_bytes"] < 112 * MIB:
            problem.append(f"peak {row['peak_rss_bytes']}, {row['peak_quality']}")
        for part, least in (("anon", 48), ("shmem", 24)):
            have = row[f"peak_{part}_bytes"]
            # Counters of the kernel are kept for each processor, and added up in lots.
            if not (least - 1) * MIB <= have < (least + 16) * MIB:
                problem.append(f"{have} bytes {part}, {least} MiB were held")
        if row["tree_rss_bytes"] < row["peak_sampled_bytes"] or row["samples_total"] < 3:
            problem.append(f"{row['tree_rss_bytes']} in all, {row['samples_total']} samples")
    report.check("memory at the peak, and what it was", problem)


def left_behind(report, folder):
    """A process that outlives the command is counted, and is not in wait4()."""
    pipe, ready = os.path.join(folder, "pipe"), os.path.join(folder, "ready")
    os.mkfifo(pipe)
    os.mkfifo(ready)
    # The command waits until its child has faulted; that ends when somebody has written to the
    # pipe: after the report.
    script = f"(echo x >{ready}; exec cat {pipe} >/dev/null 2>&1) & read x <{ready}; exit 0"
    problem, document = document_of(["sh", "-c", script], folder)
    with open(pipe, "wb"):
        pass
    if not problem:
        row = document["data"]["command"]
        problem = list(totals(document))
        if not row["running_faults_total"] or row["processes_total"] != 2:
            problem.append(f"{row['running_faults_total']} of those that run, "
                           f"{row['processes_total']} processes")
    report.check("a process that is left behind", problem)


def latencies(document):
    return [row["latency"] for row in document["data"]["faults"]]


def guarded(report, folder):
    """The guard of the overhead trips, and the report says it: --overhead 0, against all timed."""
    words = [sys.executable, "-c", TOUCH, "8000"]
    problem, document = document_of(words, folder, ["--overhead", "0"])
    name = "F07 the guard trips: one in eight is timed, all are counted, and the report says so"
    if problem or document["probes"]["guard_rate"] is None:
        report.check(name, problem) if problem else report.skip(name, "nothing is timed here")
        return
    probe, rows = document["probes"], document["data"]["faults"]
    timed = sum(latency["count"] for latency in latencies(document))
    stand = sum(latency["stands_for_total"] for latency in latencies(document))
    buckets = sum(bucket["count"] for latency in latencies(document)
                  for bucket in latency["histogram"] or [])
    report.check(name, list(totals(document)) + [problem for problem, found in [
        (f"{probe['timed_faults_total']} timed, {timed} in rows", timed == probe["timed_faults_total"]),
        # Slow ones and the first of each thread are above the eighth.
        (f"{timed} of {probe['mapped']} timed", probe["mapped"] / 9 < timed < probe["mapped"] / 6),
        (f"they stand for {stand} of {probe['mapped']}",
         abs(stand - probe["mapped"]) < probe["mapped"] / 20),
        (f"{buckets} in histograms for {stand}", buckets == stand),
        ("rows are not marked", all(row["latency"]["sampled"] for row in rows
                                    if row["latency"]["count"] < row["faults_total"])),
        (f"guard: {probe}", probe["guard_rate"] == 0 and probe["guard_trips_total"] >= 1 and
         probe["guard_calms_total"] == 0 and probe["guard_first_ns"] > 0 and probe["guard_cpus"]),
        ("no finding", "overhead_guard" in [found["id"] for found in document["findings"]]),
    ] if not found])

    problem, document = document_of(words, folder, ["--overhead", "100"])
    report.check("F07 without a guard all are timed", problem or [problem for problem, found in [
        ("a guard", document["probes"]["guard_rate"] is None),
        ("not all timed", document["probes"]["timed_faults_total"] == document["probes"]["mapped"]),
        ("rows are marked", not any(latency["sampled"] for latency in latencies(document))),
        ("a finding", "overhead_guard" not in [found["id"] for found in document["findings"]]),
    ] if not found])


def main():
    report = Report()
    if os.geteuid() != 0:
        report.skip("commands as people run them", "needs root")
        sys.exit(0)
    with tempfile.TemporaryDirectory(prefix="vmtop-test-") as folder:
        for name, needs, words, stdin in commands(folder):
            if not shutil.which(needs):
                report.skip(f"run: {name}", f"{needs} is not installed")
                continue
            if stdin:
                with open(os.path.join(folder, "in"), "wb") as file:
                    file.write(stdin)
            with open(os.path.join(folder, "in") if stdin else os.devnull, "rb") as file:
                problem, document = document_of(words, folder, stdin=file)
            report.check(f"run: {name}: as wait4() says, all mappings named",
                         problem or list(totals(document)))
            if document:
                row = document["data"]["command"]
                print(f"  {row['minor_faults_total']} minor, {row['major_faults_total']} major, "
                      f"{row['processes_total']} processes, rung {document['probes']['rung']}")
        known(report, folder)
        outcomes(report, folder)
        left_behind(report, folder)
        guarded(report, folder)
    sys.exit(1 if report.failed else 0)


main()
