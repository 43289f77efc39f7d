#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""One of the calls fails that put programs into the kernel: bpf(), perf_event_open(), a mapping, an
allocation. The command ends well, and what it counted is right or said to be missing; or it says in
one line why not. Nothing stays open, and no sanitizer has anything to say.

It takes minutes, each run with the sanitizers, and is run by hand. VMTOP_SWEEP=all tries every call;
without, some over all of them."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import failing  # noqa: E402
from program import OK, loads  # noqa: E402
from tap import BUILD_DEV, Report  # noqa: E402

VMTOP = str(BUILD_DEV / "cmd" / "vmtop")
SHIM = BUILD_DEV / "tests" / "live" / "libfail-shim.so"
EPERM, ENOMEM, EMFILE = 1, 12, 24
# Kind, error, how many are tried.
KINDS = [("bpf", EPERM, 8), ("bpf", ENOMEM, 4), ("perf", EMFILE, 2), ("map", ENOMEM, 4),
         ("thread", 11, 2), ("alloc", ENOMEM, 8)]
RUN = ["run", "-J", "--", "/bin/true"]
EVENTS = ["events", "-J", "--", "/bin/true"]


def judge_run(run, whole):
    """Faults of a command, against the count that the kernel has for its parent."""
    if run.code != OK:
        return None
    try:
        document = loads(run.err)
    except ValueError as error:
        return f"no document: {error}: {run.err[-300:]!r}"
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


def judge_events(run, whole):
    if run.code != OK:
        return None
    try:
        probe = loads(run.out)["data"]["probe"]
    except ValueError as error:
        return f"no document: {error}: {run.out[-300:]!r}"
    # A program that is executed maps itself, its interpreter and a library.
    if probe["canary"] == "trusted" and not probe["lost_total"] and probe["events_total"] < 3:
        return f"trusted, and no events: {probe}"
    return None


def main():
    report = Report()
    for args, judge in ((RUN, judge_run), (EVENTS, judge_events)):
        whole = failing.run_failing(VMTOP, SHIM, "bpf", 0, EPERM, args)
        if whole.code != OK or not whole.calls:
            report.skip(f"one call fails: {args[0]}", "there is nothing with BPF here: "
                        f"exit {whole.code} {whole.err[-200:]!r}")
            continue
        for kind, how, most in KINDS:
            problems, n = failing.sweep(VMTOP, SHIM, kind, how, args, judge, most,
                                        each=kind == "bpf", reports=args is RUN)
            report.check(f"one call fails: {args[0]}, {kind}, error {how}, {n} runs", problems)
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
