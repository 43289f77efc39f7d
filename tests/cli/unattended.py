#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What runs where nobody watches: files that are replaced while it is killed, disks without room,
readers that take a few bytes at a time, few rights and little memory, silence where all is well."""

import fcntl
import os
import pathlib
import random
import resource
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from program import DENIED, FAILED, OK, PARTIAL, Outsider, expect, loads, run  # noqa: E402
from tap import BUILD, VMTOP, Report  # noqa: E402

CANNOT = 77
HEALTHY = [["free"], ["free", "-J"], ["ps"], ["ps", "--ndjson"], ["zones"], ["doctor", "-J"],
           ["check", "available"], ["metrics"], ["report", "--duration", "0.1"]]


def killed(report):
    """SIGKILL at any moment leaves the old file or the new one."""
    chance = random.Random(4)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "file"
        words = [VMTOP, "free", "-J", "-w", str(path)]
        path.write_text("old")
        problems = []
        for _ in range(40):
            child = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                # From before its first instruction to after its last one.
                child.wait(timeout=chance.random() * 0.02)
            except subprocess.TimeoutExpired:
                child.send_signal(signal.SIGKILL)
            child.wait()
            text = path.read_bytes()
            if text == b"old":
                continue
            try:
                if loads(text)["schema"] != "vmtop.free":
                    problems.append("another document")
            except ValueError as broken:
                problems.append(f"{broken}: {text[:100]!r}")
            path.write_text("old")
        report.check("H04 killed while it replaces a file: the old one or the new one", problems)


def no_room(report):
    """A file system with room for a part of it."""
    script = (f"mount -t tmpfs -o size=16k none /mnt || exit {CANNOT}; echo old > /mnt/file;"
              "\"$1\" kernel --vmstat -J -w /mnt/file; code=$?; ls -A /mnt; cat /mnt/file; exit $code")
    result = run("--mount", "/bin/sh", "-c", script, "sh", VMTOP, program="unshare")
    if result.code == CANNOT or b"unshare" in result.err:
        report.skip("H01 a file system without room", "no mount namespace here")
        return
    problem = expect(result, FAILED, complaint=True)
    report.check("H01 a file system without room: the old file, and nothing beside it",
                 problem or (None if result.out == b"file\nold\n" else f"{result.out[:300]!r}"))


def slow_reader(report):
    """A pipe of one page, some bytes at a time, stopped and continued in between."""
    source, sink = os.pipe()
    fcntl.fcntl(sink, fcntl.F_SETPIPE_SZ, 4096)
    child = subprocess.Popen([VMTOP, "kernel", "--vmstat", "-J"], stdout=sink)
    os.close(sink)
    text, step = b"", 0
    while piece := os.read(source, 1 + step * 7 % 97):
        text += piece
        step += 1
        if step % 50 == 0 and child.poll() is None:
            child.send_signal(signal.SIGSTOP)
            child.send_signal(signal.SIGCONT)
    os.close(source)
    code = child.wait(timeout=300)
    try:
        problem = f"exit {code}" if code else None if loads(text)["data"] else "no data"
    except ValueError as broken:
        problem = f"{broken}"
    report.check("H09 a reader of some bytes at a time has the whole document", problem)


def little(report):
    """As a service may be run: no new privileges, little memory, processes of others hidden. The
    release build: sanitizers need more memory than this limit gives."""

    def limits():
        resource.setrlimit(resource.RLIMIT_DATA, (32 << 20, 32 << 20))
        resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))

    for words in (["check", "available", "maps.count"], ["free", "-J"], ["ps", "-J"]):
        with Outsider(BUILD / "cmd" / "vmtop") as nobody:
            script = (f"mount -t proc -o hidepid=invisible proc /proc || exit {CANNOT};"
                      "exec setpriv --no-new-privs --reuid 65534 --regid 65534 --clear-groups \"$@\"")
            result = run("--mount", "/bin/sh", "-c", script, "sh", nobody.program, *words,
                         program="unshare", cwd="/", preexec_fn=limits)
        name = f"L04 few rights, 32 MiB, 32 files, hidden processes: {words[0]}"
        if result.code == CANNOT:
            report.skip(name, "no mount namespace here")
            continue
        codes = (0, 3) if words[0] == "check" else (OK, DENIED, PARTIAL)
        report.check(name, expect(result, codes, quiet=False)
                     or (None if result.out else f"nothing: {result.err!r}"))


def silence(report):
    for words in HEALTHY:
        report.check(f"L06 nothing on stderr: {' '.join(words)}", expect(run(*words), OK))


def main():
    report = Report()
    killed(report)
    if os.geteuid() == 0:
        no_room(report)
        little(report)
    else:
        report.skip("H01 L04 file systems and rights of others", "only root can make them")
    slow_reader(report)
    silence(report)
    report.done()


main()
