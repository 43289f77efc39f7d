#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The dashboard on a recording, and recording from it."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from console import F, Console, Skip, cases  # noqa: E402
from program import OK, expect, loads, moment, pack, raw_controls, run  # noqa: E402
from tap import Report  # noqa: E402

SAMPLES = 12


def make(folder):
    path = os.path.join(folder, "a.rec")
    problems = expect(run("record", "-w", path, "-d", "0.02", "-n", str(SAMPLES),
                          f"--procs={os.getpid()}"), OK)
    if problems:
        raise AssertionError(problems)
    return path


def at(c, place):
    c.wait_for(f" {place}/{SAMPLES} paused")


def keys_go_through_it():
    """t T j J b and Space go through a recording, and the line at the bottom says where it is"""
    with tempfile.TemporaryDirectory() as folder:
        path = make(folder)
        with Console("replay", "-r", path) as c:
            at(c, 1)
            c.press("t")
            at(c, 2)
            c.press("tt")
            at(c, 4)
            c.press("T")
            at(c, 3)
            c.press("j")
            c.wait_for("forward by: 10m")
            c.press("\r")
            at(c, SAMPLES)
            c.press("t")
            c.wait_for("this is the end of the recording")
            c.press("J")
            c.wait_for("back by: 10m")
            c.press("\r")
            at(c, 1)
            c.press("b")
            c.wait_for("to: ")
            c.press("@4000000000\r")
            at(c, SAMPLES)
            c.press("b")
            c.press("nonsense\r")
            c.wait_for("a time is 03:14")
            c.press("b@0\r")
            at(c, 1)
            # The other screens are of the same sample.
            c.press("2")
            c.wait_for(str(os.getpid()))
            at(c, 1)
            c.press("d")
            c.wait_for("delay: ")
            c.press("\x150.1\r ")
            c.wait_for("this is the end of the recording")
            c.press("Q")
            said = c.wait_end()
            return ([f"exit code {said}"] if said else []) + c.left_problems()


def help_and_reasons():
    """F1 has the keys of recordings, and ! says what was not recorded"""
    with tempfile.TemporaryDirectory() as folder:
        with Console("replay", "-r", make(folder), size=(100, 60)) as c:
            at(c, 1)
            c.press(F[1])
            c.wait_for("in a recording: the next sample")
            problems = [] if not re.search(r"^.*\bt\b.*as a tree", c.text(), re.MULTILINE) else [
                "t is the key of two actions"]
            c.press("\x1b")
            c.press("!")
            c.wait_for("not recorded")
            c.press("\x1b")
            c.press("Q")
            said = c.wait_end()
            return problems + ([f"exit code {said}"] if said else [])


def crash(pid, clock, reason, text):
    return {"time": f"2026-11-21T{clock}.947Z", "after_ns": pid, "pid": pid, "tid": pid,
            "comm": "victim", "kind": "crash", "event": "crash", "signal_name": "SIGSEGV",
            "reason": reason, "text": text}


def kill(pid, clock, text):
    return {"time": f"2026-11-21T{clock}.947Z", "after_ns": pid, "pid": pid, "tid": pid,
            "comm": "hog", "kind": "oom", "event": "oom", "reason": "memory_limit",
            "limit_cgroup": "/web", "text": text}


KILL = "oom kills it: cgroup /web has reached its memory.max of 512M; hog[44] asked for 4.00K"
LONG = ("crash by SIGBUS at f of /tmp/a: read of 0x7f4b000: beyond the end of the file: it has 10 "
        "bytes; 0x7f4a000-0x7f4c000 is read+write of /tmp/ten at 0x1000")


def make_crashes(path):
    """Of four samples the second has a crash, the third two and more that are not there, and the
    last an OOM kill, of which crashes were not seen."""
    data = {"system": {"total_bytes": 1 << 20, "available_bytes": 4096}}
    watched = {"sources": {"events": {"status": "ok"}, "oom_kills": {"status": "ok"}}}
    part = {"sources": {"events": {"status": "denied", "reason": "only root may"},
                        "oom_kills": {"status": "partial", "reason": "no page tables"}}}
    one = [crash(41, "23:45:41", "null_page", "crash by SIGSEGV: the null page")]
    more = [crash(42, "23:45:43", "freed", "crash by SIGSEGV: one"),
            crash(43, "23:45:44", "beyond_end", LONG)]
    pack(path, moment(1, data, **watched), moment(2, {**data, "events": one}, **watched),
         moment(3, {**data, "events": more, "gaps": [{"limited_total": 5, "lost_total": 2}]},
                **watched), moment(4, {**data, "events": [kill(44, "23:45:50", KILL)]}, **part))


def crashes_are_told():
    """what died is a line at the bottom until a key is pressed, and a list on a screen of its own"""
    if not shutil.which("zstd"):
        return Skip("no zstd")
    problems = []
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a.rec")
        make_crashes(path)
        with Console("replay", "-r", path, env={"TZ": "XXX-1"}) as c:
            c.wait_for("1/4 paused")
            c.press("t")
            c.wait_for("00:45:41 victim[41] crash by SIGSEGV: the null page")
            if "2/4" in c.text():
                problems.append("it is beside the place")
            # A key that means nothing.
            c.press("x")
            c.wait_for("2/4 paused")
            c.press("t")
            c.wait_for("00:45:44 victim[43] (and 1 before) crash by SIGBUS at f of /tmp/a: read")
            c.press("7")
            c.wait_for("events: 3 kept, not listed 5, lost 2")
            c.wait_for(re.compile(r"00:45:41 +41 victim +null_page +crash by SIGSEGV: the null pa"))
            c.wait_for(re.compile(r"00:45:44 +43 victim +beyond_end +>crash by"))
            # The last one is selected, and said to its end.
            c.wait_for("is read+write of /tmp/ten at 0x1000")
            c.press("kk")
            c.wait_for(re.compile(r"00:45:41 +41 victim +null_page +>crash by"))
            c.wait_gone("at 0x1000")
            c.press("\\reason:freed\r")
            c.wait_for("1-1 of 1")
            c.press("\\\x15\r")
            c.wait_for("that nobody handles")
            # Another sample keeps those of before; back, there are fewer.
            c.press("t")
            c.wait_for("00:45:50 hog[44] oom kills it: cgroup /web has reached its memory.max of")
            c.press("x")
            c.wait_for("4/4 paused")
            c.wait_for("events: 4 kept ")
            c.wait_for(re.compile(r"00:45:50 +44 hog +memory_limit +>?oom kills it: cgroup /web has r"))
            c.wait_for("! crashes: only root may")
            c.press("TT")
            c.wait_for("events: 1 kept ")
            c.press("T")
            c.wait_for("events: 0 kept ")
            c.press("b@4000000000\r")
            c.wait_for("00:45:50 hog[44] oom kills it")
            c.press("x")
            c.wait_for("4/4 paused")
            c.wait_for("events: 1 kept ")
            c.press("Q")
            problems += [f"exit code {code}" for code in [c.wait_end()] if code]
        for words in (("--ascii",), ("--size", "160x50"), ("--size", "40x10"), ("--size", "39x9")):
            result = run("replay", "-r", path, "-b", "--screen", "events", *words)
            problems += expect(result, OK) or []
            if "--ascii" in words and not result.out.isascii():
                problems.append("not ASCII")
            if "160x50" in words and b"11-21 23:45:41" not in result.out:
                problems.append("wide: no date")
        result = run("replay", "-r", path, "--ndjson")
        told = [row for row in map(json.loads, result.out.splitlines())
                if row["type"] in ("event", "gap")]
        if [row.get("pid") for row in told] != [41, 42, 43, None, 44] or told[4]["text"] != KILL:
            problems.append(f"replayed: {told}")
    return problems


def unknown_crashes():
    """where crashes were not watched, the screen says so, and not that there were none"""
    if not shutil.which("zstd"):
        return Skip("no zstd")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a.rec")
        pack(path, moment(1, {"system": {"total_bytes": 1 << 20}}))
        result = run("replay", "-r", path, "-b", "--screen", "events")
    return expect(result, OK) or ([] if b"! not recorded" in result.out else ["no reason"])


# A title, a colour, a bell, a control of C1, and a right-to-left override.
EVIL = "\x1b]0;title\x07\x1b[31mEVIL\x9b2J\u202e"
SOURCES = ("meminfo", "vmstat", "pressure", "pids", "stat", "status", "maps", "smaps", "rollup",
           "pagemap", "zoneinfo", "buddyinfo")


def hostile_recording():
    """G12 J04 what a recording says, reasons too, is harmless on every screen"""
    if not shutil.which("zstd"):
        return Skip("no zstd")
    problems, seen = [], set()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a.rec")
        data = {
            "system": {"total_bytes": 1 << 20, "free_bytes": 4096, "available_bytes": 4096},
            "pressure": [{"resource": EVIL, "kind": EVIL}],
            "processes": [{"pid": 7, "comm": EVIL, "user": EVIL, "cgroup": EVIL, "rss_bytes": 4096}],
            "zones": [{"node": 0, "zone": EVIL, "managed_bytes": 4096, "free_bytes": 4096}],
            "errors": [{"source": EVIL, "pid": 7, "status": EVIL, "hint": EVIL}],
            "mappings": {"7": [{"start": "0x1000", "end": "0x2000", "path": EVIL, "perms": EVIL}]},
            "events": [{"time": EVIL, "after_ns": 1, "pid": 7, "comm": EVIL, "reason": EVIL,
                        "text": 9 * EVIL}],
        }
        sources = {name: {"status": "denied", "reason": EVIL + name, "fix": EVIL}
                   for name in SOURCES}
        pack(path, moment(1, data, sources=sources), moment(2, data, sources=sources),
             head={"vmtop": EVIL, "boot_id": EVIL,
                   "host": {"page_size_bytes": 4096, "release": EVIL, "machine": EVIL}})
        for screen in ("system", "procs", "vmas", "pages", "faults", "cache", "events"):
            for size in ("80x24", "200x60"):
                result = run("replay", "-r", path, "-b", "--screen", screen, "--size", size)
                bad = raw_controls(result.out) + re.findall("\u202e".encode(), result.out)
                problems += [f"{screen} {size}: {p}" for p in (expect(result, OK), bad) if p]
                seen |= set(re.findall(rb"EVIL\S*?(pressure|smaps)", result.out))
        result = run("replay", "-r", path, "--ndjson")
        problems += expect(result, OK) or raw_controls(result.out)
        if seen != {b"pressure", b"smaps"}:
            problems.append(f"reasons that are shown: {seen}")
        with Console("replay", "-r", path, size=(200, 60)) as c:
            c.wait_for("[7] ")
            for key in "1234567!":
                c.press(key)
            c.wait_for("denied")
            c.press("\x1b")
            c.press("Q")
            problems += [f"exit code {code}" for code in [c.wait_end()] if code]
            strange = re.findall(rb"[\x00-\x07\x0e-\x1a\x7f]|\x1b[]P^_X]|\xc2\x9b", c.raw)
            problems += [f"sends {sorted(set(strange))}"] if strange else []
    return problems


def broken_samples():
    """samples that cannot be read are left out, in the direction of the step"""
    if not shutil.which("zstd"):
        return Skip("no zstd")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a.rec")
        pack(path, *(moment(i, {"system": {"total_bytes": 1 << 30}} if i in (2, 5) else
                            {"system": []}) for i in range(1, 7)))
        with Console("replay", "-r", path, size=(100, 30)) as c:
            c.wait_for("left out: sample 1:")
            for key, said, place in (("t", "2 samples are left out: sample 3:", "5/6"),
                                     ("t", "left out: sample 6:", "5/6"),
                                     ("T", "2 samples are left out: sample 4:", "2/6"),
                                     ("T", "left out: sample 1:", "2/6")):
                c.press(key)
                c.wait_for(said)
                # Any other key: the line is that of the place again.
                c.press("1")
                c.wait_for(f" {place} paused")
            c.press("Q")
            return [f"exit code {code}" for code in [c.wait_end()] if code]


def many_broken_samples():
    """more broken samples than a step tries are passed by the next steps, both ways"""
    if not shutil.which("zstd"):
        return Skip("no zstd")
    n, good = 361, (2, 357)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a.rec")
        pack(path, *(moment(i, {"system": {"total_bytes": 1 << 30}} if i in good else
                            {"system": []}) for i in range(1, n + 1)))
        with Console("replay", "-r", path, size=(100, 30)) as c:
            c.wait_for("left out: sample 1:")
            for key, said, place in (
                    ("t", "stopped after 100 bad samples, the same key goes on: sample 3:", 2),
                    # There is something to show that way, and it says nothing about this one.
                    ("T", "left out: sample 1:", 2),
                    ("t", "stopped after 100 bad samples, the same key goes on: sample 103:", 2),
                    ("t", "stopped after 100 bad samples, the same key goes on: sample 203:", 2),
                    ("t", "54 samples are left out: sample 303:", 357),
                    ("t", "4 samples are left out: sample 358:", 357),
                    ("T", "stopped after 100 bad samples, the same key goes on: sample 356:", 357),
                    ("T", "stopped after 100 bad samples, the same key goes on: sample 256:", 357),
                    ("T", "stopped after 100 bad samples, the same key goes on: sample 156:", 357),
                    ("T", "54 samples are left out: sample 56:", 2),
                    ("t", "stopped after 100 bad samples, the same key goes on: sample 3:", 2),
                    # What a jump went over nobody tried.
                    ("b@1000000150\r",
                     "stopped after 100 bad samples, the same key goes on: sample 150:", 2),
                    ("t", "stopped after 100 bad samples, the same key goes on: sample 103:", 2)):
                c.press(key)
                c.wait_for(said)
                # Any other key: the line is that of the place again.
                c.press("1")
                c.wait_for(f" {place}/{n} paused")
            c.press("Q")
            return [f"exit code {code}" for code in [c.wait_end()] if code]


def f8_records():
    """F8 in the dashboard records its samples, and says in which file"""
    with tempfile.TemporaryDirectory() as folder:
        make(folder)
        was = os.getcwd()
        os.chdir(folder)
        try:
            with Console("top", "-d", "0.1", size=(100, 30)) as c:
                c.wait_for("avail")
                c.press(F[8])
                c.wait_for("recording to vmtop-")
                name = re.search(r"recording to (vmtop-\S+\.rec)", c.text()).group(1)
                c.wait(lambda: os.path.exists(name) and os.path.getsize(name) > 0, "a sample")
                c.press(F[8])
                c.wait_for(f"in {name}")
                c.press("Q")
                said = c.wait_end()
        finally:
            os.chdir(was)
        result = run("replay", "-r", os.path.join(folder, name), "-b")
        return [f"exit code {said}"] if said else expect(result, OK)


def f8_records_processes():
    """F8 records the processes on every screen, and the interval that is wanted"""
    with tempfile.TemporaryDirectory() as folder:
        with Console("top", "-d", "0.1", size=(100, 30), cwd=folder) as c:
            c.wait_for("avail")
            c.press("2")
            c.press(F[8])
            c.wait_for("recording to vmtop-")
            path = os.path.join(folder, re.search(r"recording to (vmtop-\S+\.rec)", c.text()).group(1))
            for key in "26":
                had = os.path.getsize(path)
                c.press(key)
                # The second sample from now on is one of this screen.
                for _ in range(3):
                    c.wait(lambda had=had: os.path.getsize(path) > had, "a sample")
                    had = os.path.getsize(path)
            c.press(F[8])
            c.wait_for("recorded ")
            c.press("Q")
            said = c.wait_end()
        result = run("replay", "-r", path, "--ndjson")
        counts = []
        for line in result.out.splitlines():
            row = loads(line)
            if row["type"] == "sample":
                counts.append(0)
            elif row["type"] == "proc":
                counts[-1] += 1
        problems = [] if len(counts) > 4 and min(counts) > 0 else [f"processes: {counts}"]
        problems += [f"exit code {said}"] if said else []
        if shutil.which("zstd"):
            text = subprocess.run(["zstd", "-dcq", path], check=True, capture_output=True).stdout
            if b'"interval_ns":100000000,' not in text.splitlines()[0]:
                problems.append(f"header: {text.splitlines()[0]!r}")
    return problems + [problem for problem in [expect(result, OK)] if problem]


def main():
    report = Report()
    cases(report, [keys_go_through_it, help_and_reasons, crashes_are_told, unknown_crashes,
                   hostile_recording, broken_samples,
                   many_broken_samples, f8_records, f8_records_processes])
    report.done()


main()
