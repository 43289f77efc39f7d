#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Few rights, few resources: what is not permitted is unknown and said, never 0, never fatal."""

import os
import pathlib
import resource
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from program import DENIED, OK, Outsider, expect, loads, pages_without_frames, run  # noqa: E402
from tap import BUILD, Report  # noqa: E402



def closed_cgroup(report, nobody):
    """A cgroup that may not be looked into: unknown, with the reason, and no success."""
    with tempfile.TemporaryDirectory(prefix="vmtop-rights-") as name:
        top = pathlib.Path(name)
        files = {"proc/meminfo": "MemTotal: 1000 kB\nMemFree: 400 kB\nMemAvailable: 600 kB\n",
                 "proc/self/mountinfo": "30 1 0:26 / /cgroup rw - cgroup2 none rw\n",
                 "cgroup/cgroup.controllers": "memory\n", "cgroup/cgroup.procs": "1\n",
                 "cgroup/closed/memory.current": "4096\n", "vmtop-fixture": "page_size 4096\n"}
        for file, text in files.items():
            (top / file).parent.mkdir(parents=True, exist_ok=True)
            (top / file).write_text(text)
        top.chmod(0o755)
        (top / "cgroup/closed").chmod(0o700)
        for words in (["free", "--cgroup", "/closed"], ["cgroups", "/closed"]):
            result = nobody.run(*words, "-J", "--root", name)
            problem = expect(result, DENIED, quiet=False)
            data = loads(result.out)["data"] if result.out else {}
            row = data["cgroup"] if "cgroup" in data else (data.get("cgroups") or [{}])[0]
            if not problem and (row.get("current_bytes") is not None or not row.get("at_most")):
                problem = f"{row.get('current_bytes')}, at most: {row.get('at_most')}"
            report.check(f"nobody: {words[0]} of a cgroup that is closed", problem)


def as_nobody(report):
    with Outsider() as nobody:
        for args in (["free"], ["ps"], ["ps", "-J"], ["doctor"], ["report", "--duration", "0.2"],
                     ["faults", "--duration", "0.2"], ["run", "true"], ["schema", "free"], ["--version"],
                     ["cgroups"], ["cgroups", "-J"], ["free", "--cgroup", "/"]):
            result = nobody.run(*args)
            report.check(f"nobody: {' '.join(args[:2])}", expect(result, OK, quiet=False))
        result = nobody.run("events", "--duration", "0.1")
        report.check("nobody: events are denied, with one line",
                     expect(result, DENIED, complaint=True)
                     or (f"stdout is {result.out!r}" if result.out else None)
                     or (None if result.err.count(b"\n") == 1 else f"stderr is {result.err!r}"))
        report.check("nobody: quiet is quiet", expect(nobody.run("report", "-q"), OK))

        for args in (["maps"], ["pages"], ["addr", "400000"]):
            result = nobody.run(args[0], str(os.getpid()), *args[1:])
            report.check(f"nobody: {args[0]} of root's process is denied",
                         expect(result, DENIED, complaint=True)
                         or (f"stdout is {result.out!r}" if result.out else None))

        closed_cgroup(report, nobody)

        result = nobody.run("ps", "-J", "-p", str(os.getpid()), "-o", "+pss,uss")
        problem = expect(result, OK, quiet=False)
        if not problem:
            row = loads(result.out)["data"]["processes"][0]
            problem = [f"{key} is {row[key]!r}" for key in ("pss_bytes", "uss_bytes")
                       if row[key] is not None]
            if not row["rss_bytes"]:
                problem.append(f"rss_bytes is {row['rss_bytes']!r}, and all may read it")
        report.check("nobody: what smaps would say is null", problem)

        child = subprocess.Popen(
            ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "sleep", "60"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd="/",
        )
        try:
            result = nobody.run("maps", "-J", str(child.pid))
            problem = expect(result, OK, quiet=False) or (
                None if loads(result.out)["data"] else "no data")
            states = pages_without_frames(nobody.run("pages", "-J", "--pfn", str(child.pid)))
        finally:
            child.kill()
            child.wait()
        report.check("nobody: maps of an own process", problem)
        report.check("nobody: pages of an own process have states and no frames", states)


def with_limits(report):
    """The release build: sanitizers need more memory than these limits give."""
    program = str(BUILD / "cmd" / "vmtop")
    limits = [
        ("16 descriptors", resource.RLIMIT_NOFILE, 16),
        ("64 MiB of address space", resource.RLIMIT_AS, 64 << 20),
        ("no core", resource.RLIMIT_CORE, 0),
        ("256 KiB of stack", resource.RLIMIT_STACK, 256 << 10),
        ("no locked memory", resource.RLIMIT_MEMLOCK, 0),
    ]
    for name, limit, value in limits:
        for args in (["free", "-J"], ["ps", "-J", "-o", "+pss"], ["cgroups", "-J"],
                     ["report", "-J", "--duration", "0.2"]):

            def less(limit=limit, value=value):
                resource.setrlimit(limit, (value, value))

            # The faults of more processes than usual need more than that, and are over at times.
            for _ in range(10):
                result = run(*args, program=program, preexec_fn=less, timeout=300)
                if b"no memory for the faults" not in result.err:
                    break
            problem = expect(result, OK, quiet=False)
            if not problem:
                try:
                    loads(result.out)
                except ValueError as broken:
                    problem = str(broken)
            report.check(f"{name}: {args[0]}", problem)


def main():
    report = Report()
    if os.geteuid() == 0:
        as_nobody(report)
    else:
        report.skip("a user without rights", "only root can become nobody")
    with_limits(report)
    report.done()


main()
