#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""One of the calls fails that put programs into the kernel and read their tables: bpf(),
perf_event_open(), one of libbpf, a mapping, a thread, an allocation. The command ends well, and what
it counted is right or said to be missing; or it says in one line why not. Nothing stays open, and no
sanitizer has anything to say.

Each command has some of these fail, in turn; with VMTOP_SWEEP=all each way to each of them is tried,
which takes a quarter of an hour."""

import contextlib
import mmap
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import failing  # noqa: E402
from program import OK, loads  # noqa: E402
from tap import VMTOP as GIVEN  # noqa: E402
from tap import BUILD_DEV, Report  # noqa: E402

VMTOP = str(BUILD_DEV / "cmd" / "vmtop")
SHIM = BUILD_DEV / "tests" / "live" / "libfail-shim.so"
EPERM, EAGAIN, ENOMEM, EINVAL, EMFILE = 1, 11, 12, 22, 24
# Kind, error, of how many calls each where all ways are tried.
KINDS = [("bpf", EPERM, 8), ("alloc", ENOMEM, 0), ("libbpf", ENOMEM, 0), ("bpf", EINVAL, 8),
         ("map", ENOMEM, 0), ("thread", EAGAIN, 0), ("libbpf", EINVAL, 16), ("bpf", ENOMEM, 0),
         ("ioctl", EINVAL, 0), ("perf", EMFILE, 4), ("event", EMFILE, 0)]
# How many calls of one of them fail, for each command the next one, where not all are tried.
MOST = 2
# A program that is loaded waits for other CPUs more than it runs.
BESIDE = 6
PAGE = mmap.PAGESIZE
HEAP, WRITTEN, FILE = 256, 64, 32

# A process with HEAP pages of which a child, that it forked, has written WRITTEN; and with a file of
# FILE pages, which both map.
KEEPER = f"""if True:
    import ctypes, mmap, os, sys
    page = mmap.PAGESIZE
    with open(sys.argv[1], "w+b") as file:
        file.write(bytes({FILE} * page))
        file.flush()
        mapped = mmap.mmap(file.fileno(), {FILE} * page, mmap.MAP_SHARED)
    sum(mapped[at] for at in range(0, len(mapped), page))
    heap = mmap.mmap(-1, {HEAP} * page, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    # Neither merged with what is beside it nor, where there are huge pages, made of them.
    heap.madvise(16)
    try:
        heap.madvise(15)
    except OSError:
        pass
    for at in range(0, len(heap), page):
        heap[at] = 1
    to_parent, to_child = os.pipe(), os.pipe()
    child = os.fork()
    if not child:
        for at in range(0, {WRITTEN} * page, page):
            heap[at] = 2
        os.write(to_parent[1], b"w")
        os.close(to_child[1])
        os.read(to_child[0], 1)
        os._exit(0)
    os.read(to_parent[0], 1)
    print(child, hex(ctypes.addressof(ctypes.c_char.from_buffer(heap))), flush=True)
    sys.stdin.read()
"""


class Kept:
    """The two processes, while it is entered."""

    def __init__(self, folder):
        self.file = str(pathlib.Path(folder) / "file")
        self.job = subprocess.Popen([sys.executable, "-c", KEEPER, self.file], text=True,
                                    stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        child, self.heap = self.job.stdout.readline().split()
        self.pid, self.child = str(self.job.pid), child

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.job.stdin.close()
        self.job.wait()
        self.job.stdout.close()

    def judge_cow(self, run, whole):
        """Pages of the heap: those that the child wrote are no longer shared."""
        if run.code != OK:
            return None
        document = loads(run.out)
        at = int(self.heap, 16)
        rows = [row for row in document["data"]["cow"]
                if int(row["start"], 16) <= at < int(row["end"], 16)]
        if not rows or rows[0]["shared_bytes"] is None:
            return None if said(document) else "the heap is missing, and nothing is said"
        have = {key: rows[0][key] for key in ("shared_bytes", "broken_bytes")}
        want = {"shared_bytes": (HEAP - WRITTEN) * PAGE, "broken_bytes": WRITTEN * PAGE}
        # What is not known is in neither.
        if have != want and not rows[0]["unknown_bytes"]:
            return f"the heap has {have}, not {want}"
        return None

    def judge_cache(self, run, whole):
        """All pages of the file are cached."""
        if run.code != OK:
            return None
        document = loads(run.out)
        rows = [row for row in document["data"]["cached_files"] if row["path"] == self.file]
        if not rows or rows[0]["cached_bytes"] is None:
            return None if said(document) else "the file is missing, and nothing is said"
        if rows[0]["cached_bytes"] != FILE * PAGE:
            return f"of the file {rows[0]['cached_bytes']} bytes are cached, not {FILE * PAGE}"
        return None


def said(document):
    """Whether a document says that something is missing."""
    return bool(document["errors"]) or any(
        source["status"] not in ("ok", "unused", "absent") for source in document["sources"]
    ) or any(value for key, value in document.get("scan", {}).items() if key != "procs_seen")


def judge_run(run, whole):
    """Faults of a command, against the count that the kernel has for its parent."""
    if run.code != OK:
        return None
    document = loads(run.err)
    command, probes = document["data"]["command"], document["probes"]
    if command["minor_faults_total"] is None:
        return "the kernel's own count is missing"
    counted = command["counted_faults_total"]
    kernel = command["minor_faults_total"] + command["major_faults_total"]
    if counted is None or probes["canary"] != "trusted":
        return None
    # What was counted in other places than asked for is told with how much it is.
    missing = sum(probes[key] or 0 for key in ("dropped", "lost", "recursion_misses", "record_lost"))
    if abs(counted - kernel) > missing:
        return f"{counted} faults were counted, and there were {kernel}: {probes}"
    return None


def judge_faults(run, whole):
    """What is counted is trusted, or said not to be; and a hook that is lost is among the rungs."""
    if run.code != OK:
        return None
    document, before = loads(run.out), loads(whole.out)
    want, have = before["probes"], document["probes"]
    lost = [row for row in document["rungs"] if row["status"] not in ("ok", "unused")]
    if want["canary"] == "trusted" and have["canary"] != "trusted" and not (lost or said(document)):
        return f"the self-check says {have['canary']}, and nothing says why"
    less = [key for key in ("mapped", "kernel", "gup") if want[key] is not None and have[key] is None]
    if less and not lost and not said(document):
        return f"{less} are missing, and nothing is said"
    return None


def judge_lines(run, whole):
    """Each line of a stream is an object, and the last one ends."""
    if run.code == OK and not run.out.endswith(b"\n"):
        return f"the last line is cut: {run.out[-200:]!r}"
    for line in run.out.splitlines()[:-1]:
        loads(line)
    return None


def judge_events(run, whole):
    """A program that is executed maps itself, its interpreter and a library."""
    if run.code != OK:
        return None
    document = loads(run.out)
    probe = document["data"]["probe"]
    if probe["canary"] == "trusted" and not probe["lost_total"] and not probe["unopened_total"] and \
            not probe["recursion_misses"] and probe["events_total"] < 3:
        return f"trusted, and no events: {probe}"
    return None


def judge_only(run, whole):
    """What was seen of the rarer events, or why it is not."""
    if run.code != OK:
        return None
    document = loads(run.out)
    if document["data"]["probe"]["canary"] not in ("trusted", "partial") and not said(document):
        return f"not trusted, and nothing is said: {document['data']['probe']}"
    return None


def judge_doctor(run, whole):
    """The same hooks are told of, each with its state, and a reason where it does not work."""
    if run.code != OK:
        return None
    have, want = loads(run.out), loads(whole.out)
    without = [row for row in have["data"]["rungs"]
               if row["status"] in ("refused", "silent") and not row["reason"]]
    if without:
        return f"no reason: {without[0]}"
    probes = {row["probe"] for row in want["data"]["rungs"]}
    missing = probes - {row["probe"] for row in have["data"]["rungs"]}
    return f"nothing of {sorted(missing)}" if missing and not said(have) else None


def commands(kept):
    """(arguments, judge). That which tries all probes takes the longest, and is not among some."""
    faults = ["faults", "-J", "--duration", "0.1"]
    events = ["events", "-J", "--duration", "0.1", "--only"]
    return [
        (["run", "-J", "--", "/bin/true"], judge_run),
        (["events", "-J", "--", "/bin/true"], judge_events),
        (["cache", "-J", "--live", "0.1", "-p", kept.pid], kept.judge_cache),
        (["maps", "-J", "--cow", kept.pid, kept.child], kept.judge_cow),
        (["events", "-J", "--stacks", "--", "/bin/true"], judge_events),
        ([*faults, "--stacks", "--summary", "cgroup"], judge_faults),
        ([*events, "oom"], judge_only),
        ([*events, "pressure"], judge_only),
        ([*faults, "--min-latency", "0"], judge_faults),
        (["events", "-J", "--summary=stack", "--touched", "--", "/bin/true"], judge_events),
        ([*events, "huge"], judge_only),
        (["faults", "--ndjson", "--duration", "0.1", "--stream"], judge_lines),
        ([*events, "crash,exit"], judge_only),
        ([*faults, "--rung", "perf"], judge_faults),
        ([*faults, "--summary", "kind"], judge_faults),
    ] + ([(["doctor", "-J"], judge_doctor)] if failing.ALL else [])


def careful(judge):
    """A document that is no document is another problem, not the end of the test."""

    def judged(run, whole):
        try:
            return judge(run, whole)
        except ValueError as error:
            return f"no document: {error}: {(run.out or run.err)[-300:]!r}"

    return judged


def main():
    report, tried = Report(), {}
    if os.path.realpath(GIVEN).endswith("-sandboxed"):
        report.skip("one call fails", "these are runs of the program with sanitizers")
        sys.exit(0)
    with contextlib.ExitStack() as stack:
        kept = stack.enter_context(Kept(stack.enter_context(tempfile.TemporaryDirectory(dir="/var/tmp"))))
        for i, (args, judge) in enumerate(commands(kept)):
            name = " ".join(word for word in args if word not in (kept.pid, kept.child, "-J"))
            chosen = KINDS if failing.ALL else [KINDS[i % len(KINDS)]]
            whole = failing.run_failing(VMTOP, SHIM, chosen[0][0], 0, EPERM, args)
            if whole.code != OK:
                report.skip(f"one call fails: {name}", f"it does not run here: exit {whole.code} "
                            f"{whole.err[-200:]!r}")
                continue
            problems, runs, wholes = [], 0, {chosen[0][0]: whole}
            for kind, how, each in chosen:
                found, n = failing.sweep(VMTOP, SHIM, kind, how, args, careful(judge), MOST, each=each,
                                         reports=args[0] == "run", wholes=wholes, beside=BESIDE,
                                         tried=tried.setdefault((kind, how), set())
                                         if failing.ALL else None)
                problems += found
                runs += n
            print(f"# {name}: {runs} runs")
            report.check(f"one call fails: {name}", problems)
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
