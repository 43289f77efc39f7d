#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What vmtop may do once it has started as root: the capabilities of RIGHTS in vmtop(1) and no other,
nothing in the bounding and the ambient set, no new ones by execve(). And what it runs for its user
keeps what that had.

A part of tests/live/run: it prints its cases and no plan, for it is not the only one.
"""

import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "ui"))

from console import Console  # noqa: E402
from program import run  # noqa: E402
from tap import TOP, VMTOP, Report  # noqa: E402

LATE_S = 60
NUMBERS = {
    name: number
    for name, number in re.findall(
        r"#define (CAP_[A-Z_]+)\s+(\d+)$",
        pathlib.Path("/usr/include/linux/capability.h").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
}
SETS = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs")


def documented():
    """Capabilities of RIGHTS in vmtop(1): those of all commands, and each other with its words."""
    text = (TOP / "man" / "vmtop.1").read_text(encoding="utf-8")
    section = re.search(r"^\.Sh RIGHTS$(.*?)^\.Sh ", text, re.MULTILINE | re.DOTALL)[1]
    items = re.split(r"^\.It Dv ", section, flags=re.MULTILINE)[1:]
    some = {item.split()[0]: item for item in items if "Only" in item}
    return {item.split()[0] for item in items} - set(some), some


def mask(names):
    return sum(1 << int(NUMBERS[name]) for name in names)


def parse(text):
    return {
        name: int(value, 10 if name == "NoNewPrivs" else 16)
        for name, value in re.findall(r"^(\w+):\s*([0-9a-f]+)$", text, re.MULTILINE)
        if name in SETS
    }


def sets(pid):
    return parse(pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8"))


def judge(found, names):
    """What is wrong with the sets of a process that may have names; this one has the most there are."""
    own = sets("self")
    may = mask(names) & own["CapPrm"] if own["CapPrm"] & mask({"CAP_SYS_PTRACE"}) else own["CapPrm"]
    want = {"CapInh": found["CapInh"], "CapPrm": may, "CapEff": may, "CapAmb": 0, "NoNewPrivs": 1,
            "CapBnd": 0 if own["CapEff"] & mask({"CAP_SETPCAP"}) else own["CapBnd"]}
    return [f"{name} {found[name]:x}, not {want[name]:x}" for name in SETS if found[name] != want[name]]


def wait_for(what):
    until = time.monotonic() + LATE_S
    while not what():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def measured(argv, ready, names):
    """Starts vmtop, and judges all its threads once ready() says that it is at work."""
    child = subprocess.Popen([VMTOP, *argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        if not wait_for(lambda: ready(child) or child.poll() is not None) or child.poll() is not None:
            return f"it did not begin: {child.stderr.read()[-300:] if child.poll() is not None else ''}"
        found = []
        for task in pathlib.Path(f"/proc/{child.pid}/task").iterdir():
            found += judge(parse((task / "status").read_text(encoding="utf-8")), names)
        return found
    finally:
        child.send_signal(signal.SIGINT)
        child.communicate()


def dashboard(report, names):
    with Console(program=VMTOP, size=(120, 40)) as screen:
        screen.wait_for("available =")
        report.check("the dashboard has the documented capabilities", judge(sets(screen.pid), names))


def files(report, folder):
    """A directory of another user's, in which root writes by CAP_DAC_OVERRIDE alone."""
    theirs = folder / "theirs"
    theirs.mkdir(mode=0o755)
    os.chown(theirs, 65534, 65534)
    problems = []
    for words in (["free", "-J", "-w", theirs / "free.json"],
                  ["record", "-d", "0.1", "-n", "2", "-w", theirs / "two.rec"]):
        result = run(*map(str, words), program=VMTOP)
        if result.code != 0:
            problems.append(f"{words[0]}: exit {result.code}: {result.err[-300:]!r}")
    if not problems and sorted(path.name for path in theirs.iterdir()) != ["free.json", "two.rec"]:
        problems.append(f"there is {sorted(theirs.iterdir())}")
    report.check("files are written where only root may", problems)


def container(report):
    """As root of a container, which may not trace: others as root are read all the same."""
    name = "root without CAP_SYS_PTRACE reads what has no more than itself"
    less = ["setpriv", "--bounding-set", "-sys_ptrace,-perfmon,-sys_admin"]
    if subprocess.run([*less, "true"], stderr=subprocess.DEVNULL, check=False).returncode:
        report.skip(name, "nothing can be taken out of the bounding set here")
        return
    other = subprocess.Popen([*less, "sleep", "600"])
    try:
        wait_for(lambda: b"sleep" in pathlib.Path(f"/proc/{other.pid}/cmdline").read_bytes()[:5])
        result = run(*less[1:], VMTOP, "maps", str(other.pid), program=less[0])
    finally:
        other.kill()
        other.wait()
    report.check(name, None if result.code == 0 and b"sleep" in result.out
                 else f"exit {result.code}: {result.err[-300:]!r}")


def main():
    report = Report()
    every, some = documented()
    if b"+caps" not in run("-V", "-v", program=VMTOP).out:
        report.skip("capabilities", "built without libcap")
        report.done()
    unknown = sorted((every | set(some)) - set(NUMBERS))
    report.check("RIGHTS of vmtop(1) names capabilities", unknown or (len(every) < 5 and "too few"))
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        tape = folder / "tape.rec"
        writes = every | {"CAP_DAC_OVERRIDE"}
        report.check("record has the documented capabilities", measured(
            ["record", "-d", "0.1", "-w", str(tape)],
            lambda _: tape.exists() and tape.stat().st_size > 0, writes))
        report.check("events has no more", measured(
            ["events", "--summary", "-v", "--duration", "60"],
            lambda child: b"counting" in os.read(child.stderr.fileno(), 4096), every))
        files(report, folder)
    dashboard(report, writes)
    container(report)
    own = sets("self")
    for words in (["run", "-q", "-w", "/dev/null"], ["events", "-q", "--summary", "-w", "/dev/null"]):
        result = run(*words, "--", "cat", "/proc/self/status", program=VMTOP)
        found = parse(result.out.decode())
        report.check(f"a command that {words[0]} runs has what it was started with",
                     [f"{name} {found.get(name)}, not {own[name]}" for name in SETS
                      if found.get(name) != own[name]])
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
