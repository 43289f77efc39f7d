#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What a user is told where the kernel refuses a program, or says yes and does nothing.

A part of tests/live/run: it prints its cases and no plan, for it is not the only one. A preloaded
library stands between vmtop and the kernel, see bpf-shim.c.
"""

import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from tap import BUILD, VMTOP, Report  # noqa: E402

SHIM = BUILD / "tests" / "live" / "libbpf-shim.so"
# The count of record: there is no rung with BPF without it.
SPOIL = "spoil record_minor"
BPF = ("fexit", "kprobe", "tracepoint")
# Enough for the programs, and not for frames of pages.
LESS = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
        "--inh-caps=+bpf,+perfmon", "--ambient-caps=+bpf,+perfmon"]
# A child copies what both have; when it is gone its parent keeps what is left.
STORES = ["/usr/bin/python3", "-c", """import os
room = bytearray(1 << 20)
child = os.fork()
if child:
    os.waitpid(child, 0)
room[::4096] = b"1" * 256"""]


def run(shim, *args):
    env = {**os.environ, "LD_PRELOAD": str(SHIM), "VMTOP_SHIM": shim}
    return subprocess.run([VMTOP, *args], env=env, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=120)


def counted(shim):
    """(problems, document) of a run that goes on without what is refused."""
    result = run(shim, "faults", "-J", "--duration", "0.3")
    if result.returncode:
        return [f"exit {result.returncode}: {result.stderr}"], None
    document = json.loads(result.stdout)
    rung = document["probes"]["rung"]
    problems = [] if rung == "perf" else [f"rung {rung}"]
    for row in document["rungs"]:
        if row["probe"] == "fault" and row["hook"] is None and row["rung"] in BPF and \
                not (row["status"] not in ("ok", "unused") and row["reason"]):
            problems.append(f"no reason: {row}")
    return problems, document


def copies(prefix):
    """(problems, kinds, page tables) of a command that stores to write-protected pages."""
    result = subprocess.run([*prefix, VMTOP, "run", "--rung", "tracepoint", "-J", "--", *STORES],
                            stdin=subprocess.DEVNULL, text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, check=False, timeout=120)
    if result.returncode:
        return [f"exit {result.returncode}: {result.stderr[-300:]}"], {}, {}
    document = json.loads(result.stderr)
    tables = [row for row in document["rungs"] if row["hook"] == "page tables"]
    return [], document["data"]["command"]["kinds"], tables[0] if tables else {}


def page_tables(report):
    """Copies are told from what was kept by page tables, or not at all."""
    name = "F01 page tables are refused: copies are told from what was kept, "
    problems, kinds, tables = copies([])
    if tables.get("status") == "absent":
        report.skip(name + "with all rights", tables["reason"])
        return
    report.check(name + "with all rights", problems or [
        f"{tables}, {kinds}" for good in [tables.get("status") == "ok" and
                                          kinds["cow_copy"] >= 256 and kinds["cow_reuse"] >= 200]
        if not good
    ])
    if subprocess.run([*LESS, VMTOP, "--version"], stdout=subprocess.DEVNULL,
                      stderr=subprocess.DEVNULL, check=False).returncode:
        report.skip(name + "not without CAP_SYS_ADMIN",
                    "the program is nothing for others, or setpriv does not know the rights")
        return
    problems, kinds, tables = copies(LESS)
    report.check(name + "not without CAP_SYS_ADMIN", problems or [
        f"{tables}, {kinds}" for good in [tables.get("status") == "refused" and
                                          tables["reason"] and tables["fix"] and
                                          not kinds["cow_copy"] and not kinds["cow_reuse"] and
                                          kinds["write_protect"] >= 512]
        if not good
    ])


def events_probe(report):
    """doctor tells of the probe of events what it tells of those of faults."""
    for name, shim, status in (("works", "", "ok"),
                               ("is refused", "spoil call_ends", "refused")):
        result = run(shim, "doctor", "-J")
        rows = [row for row in json.loads(result.stdout or '{"rungs": []}')["rungs"]
                if row["probe"] == "events"]
        hooks = [row["hook"] for row in rows if row["status"] == "ok" and row["hook"]]
        problems = [f"exit {result.returncode}: {result.stderr}"] if result.returncode else []
        if not rows or rows[-1]["hook"] or rows[-1]["status"] != status or not rows[-1]["reason"]:
            problems.append(f"the last row: {rows[-1:]}")
        if ("tp_btf/sys_enter" in hooks and "tp_btf/sys_exit" in hooks) != (status == "ok"):
            problems.append(f"hooks that are ok: {hooks}")
        if status != "ok" and any(row["hook"] == "tp_btf/signal_generate" for row in rows):
            problems.append("the program of signals is blamed")
        report.check(f"F01 the probe of events {name}: doctor says so", problems)


def probe_of(result):
    """How events were counted, {} where that is not said."""
    return json.loads(result.stdout or '{"data": {}}')["data"].get("probe", {})


def crashes(report):
    """Without the program of signals there are no crashes, and all the rest of events."""
    told = run("spoil signal_made", "doctor", "-J")
    rows = [row for row in json.loads(told.stdout or '{"rungs": []}')["rungs"]
            if row["probe"] == "events"]
    signals = [row for row in rows if row["hook"] == "tp_btf/signal_generate"]
    report.check("F01 the program of signals is refused: doctor says so, and of the rest that it "
                 "works", [
        f"{rows}" for good in [told.returncode == 0 and len(signals) == 1 and
                               signals[0]["status"] == "refused" and signals[0]["reason"] and
                               rows[-1]["hook"] is None and rows[-1]["status"] == "ok"]
        if not good
    ])
    result = run("spoil signal_made", "events", "-J", "--", "/bin/true")
    probe = probe_of(result)
    report.check("F01 the program of signals is refused: events go on, and the report says what is "
                 "missing", [
        f"exit {result.returncode}, {result.stderr}, {probe}"
        for good in [result.returncode == 0 and probe.get("events_total", 0) > 3 and
                     probe.get("canary") == "trusted" and
                     probe.get("crash_hook") not in (None, "ok")]
        if not good
    ])
    alone = run("spoil signal_made", "events", "--only", "crash", "--", "/bin/true")
    report.check("F01 the program of signals is refused: nothing but crashes cannot be had", [
        f"exit {alone.returncode}, {alone.stderr!r}"
        for good in [alone.returncode not in (0, None) and "events are not counted" in alone.stderr]
        if not good
    ])
    if run("", "events", "--only", "pressure", "--", "/bin/true").returncode == 0:
        both = run("spoil signal_made", "events", "--only", "crash,pressure", "-J", "--",
                   "/bin/true")
        probe = probe_of(both)
        report.check("F01 the program of signals is refused: of crashes and stalls, stalls go on", [
            f"exit {both.returncode}, {both.stderr}, {probe}"
            for good in [both.returncode == 0 and probe.get("stall_causes") not in (None, "-") and
                         probe.get("crash_hook") not in (None, "ok")]
            if not good
        ])
    works = probe_of(run("", "events", "-J", "--", "/bin/true"))
    report.check("F01 no program is refused: crashes are told of",
                 [] if works.get("crash_hook") == "ok" else [f"{works}"])


def main():
    report = Report()
    best = run("", "faults", "-J", "--duration", "0.3")
    rung = json.loads(best.stdout)["probes"]["rung"] if not best.returncode else "none"
    if rung not in BPF:
        report.skip("F01 a program is refused", f"nothing with BPF works here: it is {rung}")
        return
    if os.uname().machine == "x86_64":
        page_tables(report)
    problems, _ = counted(SPOIL)
    report.check("E14 F01 a program is refused: faults goes on without, and exits with 0", problems)
    told = run(SPOIL, "doctor", "-vv")
    report.check("F01 a program is refused: doctor -vv has what the verifier said", [
        f"no {word!r} in {told.stdout[-500:]!r}" for word in ("refused", "log of fault", "invalid")
        if word not in told.stdout
    ])
    quiet = run(SPOIL, "doctor")
    report.check("F01 a program is refused: doctor says so, without the log", [
        word for word, wanted in (("refused", True), ("log of fault", False))
        if (word in quiet.stdout) != wanted
    ])
    events_probe(report)
    crashes(report)
    if rung != "tracepoint":
        report.skip("F02 events that never come", f"{rung} does not stand on them")
        return
    problems, document = counted("silent")
    if document:
        problems += [f"{row}" for row in document["rungs"]
                     if row["rung"] == rung and row["probe"] == "fault" and row["hook"] is None
                     and row["status"] != "silent"]
    report.check("F02 events that never come: attached and silent is said, faults goes on without",
                 problems)


main()
