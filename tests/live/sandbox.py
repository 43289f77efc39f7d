#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""--sandbox: each command does its work in it, and any system call that it does without is its end.

A part of tests/live/run: it prints its cases and no plan, for it is not the only one. A preloaded
library makes the calls that are forbidden, see sandbox-shim.c.
"""

import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE.parent / "ui"))

from console import Console, ENTER  # noqa: E402
from program import loads, run  # noqa: E402
from tap import BUILD, Report  # noqa: E402

# As a release: sanitizers make calls of their own.
VMTOP = BUILD / "cmd" / "vmtop"
SHIM = BUILD / "tests" / "live" / "libsandbox-shim.so"
KILLED = -signal.SIGSYS
LATE_S = 60
FORBIDDEN = ("socket", "socketpair", "execve", "fork", "ptrace", "kill", "process_vm_readv", "mount",
             "open-write", "open-create", "rename", "unlink", "chmod", "ioctl-type", "mmap-exec",
             "bpf-load")
SCREENS = [("available =", "2"), ("COMMAND", "3"), ("ADDRESS", ENTER), ("cell =", "5"),
           ("shown: all", "6"), (re.compile(r"\d mapped files: \d"), "7"), ("events:", "1"),
           ("available =", "q")]


def no_core():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def words_of(folder, pid, start):
    """(words, exit code) of a run of each command, and of what reads most differently."""
    tape, doc = f"{folder}/tape.rec", f"{folder}/free.json"
    yield from ((words, 0) for words in (
        ["free"], ["free", "-J", "-w", doc], ["zones"], ["kernel"], ["cgroups"], ["ps"],
        ["ps", "--pss"], ["maps", pid], ["maps", "--pss", pid], ["maps", "--forecast", pid],
        ["maps", "--group", "role", pid], ["pages", pid], ["addr", pid, start],
        ["cache", "--mapped"], ["cache", f"{folder}/mapped"], ["report", "--duration", "0.2"],
        ["metrics", "--textfile", f"{folder}/m.prom"],
        ["check", "available", "maps.count", "--textfile", f"{folder}/check.prom"],
        ["check", "fault.p99", "-p", pid, "--interval", "0.2"],
        ["faults", "--duration", "0.2"], ["faults", "--stacks", "--duration", "0.2"],
        ["faults", "--stream", "--ndjson", "--duration", "0.2"],
        ["events", "--duration", "0.2"], ["events", "--summary", "--", "true"],
        ["events", "--only", "huge", "--duration", "0.2"], ["doctor"],
        ["record", "-d", "0.1", "-n", "3", "--faults", "-w", tape], ["replay", "-b", "-r", tape],
        ["schema", "free"], ["completion", "bash"], ["introspect"], ["help", "free"],
        ["top", "-b", "-n", "1"], ["run", "--", "true"], ["run", "--rung", "perf", "--", "true"]))
    yield ["diff", "--fail-empty", tape, tape], (0, 3)
    yield ["run", "-q", "--", "sh", "-c", "exit 7"], 7


def forbidden(call, *words, sandbox=True, thread=False):
    env = {**os.environ, "LD_PRELOAD": str(SHIM), "VMTOP_CALL": call}
    if thread:
        env["VMTOP_CALL_THREAD"] = "1"
    return run(*(["--sandbox"] if sandbox else []), *words, program=VMTOP, env=env,
               preexec_fn=no_core)


def calls(report):
    """What a filter of free, or of faults once it counts, ends."""
    for call in FORBIDDEN:
        result = forbidden(call, "free")
        report.check(f"--sandbox: {call} is the end",
                     None if result.code == KILLED else f"exit {result.code}: {result.err!r}")
    result = forbidden("socket", "free", thread=True)
    report.check("--sandbox: so it is in another thread",
                 None if result.code == KILLED else f"exit {result.code}: {result.err!r}")
    wrong = []
    for words in (["faults", "--duration", "0.1"], ["events", "--duration", "0.1"], ["doctor"],
                  ["report", "--duration", "0.1"], ["report", "--duration", "0"],
                  ["check", "available"], ["cache", "/bin/sh"], ["cache", "--mapped"]):
        result = forbidden("bpf-load", *words)
        if result.code != KILLED:
            wrong.append(f"{' '.join(words)}: exit {result.code}: {result.err[-300:]!r}")
    report.check("--sandbox: nothing is loaded once all is that is used", wrong)
    wrong = []
    for call, what in (("openat2", b"ENOSYS"), ("read-only", b"0")):
        result = forbidden(call, "free")
        if result.code != 0 or b"made %s: %s\n" % (call.encode(), what) not in result.err:
            wrong.append(f"{call}: exit {result.code}: {result.err!r}")
    report.check("--sandbox: openat2 is not there, and files are read", wrong)
    wrong = [f"{call}: {result.code}" for call in ("socket", "open-write", "fork", "mmap-exec")
             for result in [forbidden(call, "free", sandbox=False)]
             if result.code != 0 or b"made " not in result.err]
    report.check("without --sandbox the same calls are made", wrong)


def replayed(report, tape):
    """Its dashboard is on a terminal that it opens, and writes files at a key."""
    with Console("--sandbox", "replay", "-r", tape, size=(120, 40), program=str(VMTOP)) as screen:
        screen.wait(lambda: screen.code is not None or "available =" in screen.text(), "the tape")
        if screen.code is None:
            screen.press("q")
        code = screen.wait_end()
    report.check("--sandbox: a recording on the dashboard", None if code == 0 else f"ended: {code}")


def dashboard(report, pid):
    with Console("--sandbox", "top", "-p", pid, size=(120, 40), program=str(VMTOP)) as screen:
        for text, key in SCREENS:
            screen.wait(lambda: screen.code is not None or
                        (text.search(screen.text()) if isinstance(text, re.Pattern)
                         else text in screen.text()), str(text))
            if screen.code is not None:
                break
            screen.press(key)
        code = screen.wait_end()
    report.check("--sandbox: every screen of the dashboard", None if code == 0 else f"ended: {code}")


def links(report, folder):
    """A link in a saved machine leads nowhere, with openat2() and without."""
    fixture = HERE.parent / "fixtures" / "machine-6.18"
    wrong = []
    for name in ("right", "link"):
        saved = pathlib.Path(folder, name)
        shutil.copytree(fixture, saved, symlinks=True)
        if name == "link":
            (saved / "proc" / "pressure").rename(saved / "elsewhere")
            (saved / "proc" / "pressure").symlink_to(saved / "elsewhere")
        said = [run(*words, "free", "-J", "--root", str(saved), program=VMTOP).out
                for words in ([], ["--sandbox"])]
        found = [source["status"] for text in said for source in loads(text)["sources"]
                 if source["name"] == "pressure"]
        if len(found) != 2 or found[0] != found[1] or (found[0] == "ok") != (name == "right"):
            wrong.append(f"{name}: {found}")
    report.check("--sandbox: no link in a saved machine is followed", wrong)


def main():
    report = Report()
    said = run("--sandbox", "free", program=VMTOP)
    if b"+seccomp" not in run("-V", "-v", program=VMTOP).out:
        report.check("--sandbox is refused where it was not built",
                     None if said.code == 1 and b"libseccomp" in said.err else f"{said}")
        sys.exit(1 if report.failed else 0)
    with tempfile.TemporaryDirectory(prefix="vmtop-sandbox-", dir="/var/tmp") as folder:
        links(report, folder)
        pathlib.Path(folder, "mapped").write_bytes(bytes(4096))
        with subprocess.Popen(["sleep", "600"]) as other:
            try:
                until = time.monotonic() + LATE_S
                while b"sleep" not in pathlib.Path(f"/proc/{other.pid}/cmdline").read_bytes()[:5]:
                    if time.monotonic() > until:
                        raise RuntimeError("sleep did not begin")
                    time.sleep(0.01)
                maps = pathlib.Path(f"/proc/{other.pid}/maps").read_text(encoding="utf-8")
                start = next(line for line in maps.splitlines() if " r-xp " in line).split("-")[0]
                wrong = []
                for words, code in words_of(folder, str(other.pid), "0x" + start):
                    result = run("--sandbox", *words, program=VMTOP, preexec_fn=no_core)
                    codes = code if isinstance(code, tuple) else (code,)
                    if result.code not in codes:
                        wrong.append(f"{' '.join(words)}: exit {result.code}: {result.err[-300:]!r}")
                report.check("--sandbox: every command does its work", wrong)
                dashboard(report, str(other.pid))
                replayed(report, f"{folder}/tape.rec")
            finally:
                other.kill()
    calls(report)
    sys.exit(1 if report.failed else 0)


main()
