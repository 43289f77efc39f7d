#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The units of systemd: systemd-analyze takes them, and quotes how exposed they are; what they run
is there, and gets along with the system calls that they leave it. And the example for cron."""

import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from program import commands, run  # noqa: E402
from tap import BUILD, TOP, VMTOP, Report  # noqa: E402

SYSTEMD = TOP / "systemd"
# "security" of systemd 252 on Debian 12 says 3.8, 1.8 and 1.9; other versions weigh in other ways.
EXPOSED_MAX = {"vmtop-check.service": 4.5, "vmtop-metrics.service": 2.5, "vmtop-record.service": 2.5}


def analyze(*args):
    said = subprocess.run(["systemd-analyze", *args], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=60,
                          env={**os.environ, "LC_ALL": "C.UTF-8", "SYSTEMD_PAGER": ""})
    return said.returncode, said.stdout


def made(folder):
    """The units with the program under test in them."""
    for path in SYSTEMD.iterdir():
        text = path.read_text(encoding="utf-8")
        text = text.replace("@bindir@/vmtop", VMTOP).replace("@sysconfdir@", "/etc")
        if path.name.endswith((".service.in", ".timer")):
            (folder / path.name.removesuffix(".in")).write_text(text, encoding="utf-8")
    return sorted(path.name for path in folder.iterdir())


def command_problems(words, names):
    """Whether vmtop has the command, and it the options; one that was left out of this build has no
    line."""
    command = names.get(words[0])
    if not command:
        return [f"there is no command {words[0]}"]
    known = {f"--{o['name']}" for o in command["options"]}
    known |= {f"-{o['letter']}" for o in command["options"] if o["letter"]}
    return [f"{words[0]} has no {word}" for word in words
            if word.startswith("-") and word not in known]


def what_runs(text):
    """The words of ExecStart as systemd hands them over, which says $ by $$."""
    line = re.search(r"^ExecStart=(.*)$", text, re.MULTILINE)[1]
    return [word.replace("$$", "$") for word in shlex.split(line)]


def command_of(words):
    """The command of vmtop in them, with its options: their own, or those of a line for the shell."""
    if words[:2] != ["/bin/sh", "-c"]:
        return words[1:]
    before, _, line = words[2].partition("exec ")
    return [word for word in [*shlex.split(line)[1:], *re.findall(r"--\w\S*", before)]
            if not word.startswith("$")]


def shell_problems(words, folder):
    """What the line for the shell does where there is a folder for the collector, and where there is
    none: an exit code that says something, and the file where it belongs."""
    wrong = []
    # What every kernel has, so that nothing is unknown.
    conf = folder / "check.conf"
    conf.write_text("[available]\nwarning = 1:\n[oom_kill]\nwarning = 0\n", encoding="utf-8")
    line = words[2].replace("/etc/vmtop/check.conf", str(conf))
    line = line.replace("/var/lib/vmtop/check.state", str(folder / "check.state"))
    there, nowhere = folder / "collector", folder / "no-collector"
    there.mkdir()
    # The first run has no earlier one to compare with.
    for place in (nowhere, there, nowhere):
        said = subprocess.run(["/bin/sh", "-c", line, str(place)], stdin=subprocess.DEVNULL, text=True,
                              capture_output=True, check=False, timeout=120)
        if said.returncode not in (0, 1, 2) or said.stderr:
            wrong.append(f"exit {said.returncode}: {said.stdout!r} {said.stderr!r}")
    found = sorted(path.name for path in there.iterdir())
    if found != ["vmtop-check.prom"] or nowhere.exists():
        wrong.append(f"it wrote {found}")
    return wrong


def expand(text):
    """The names of system calls in a setting of SystemCallFilter."""
    names = set()
    for word in text.split():
        if word.startswith("@"):
            _, said = analyze("syscall-filter", "--no-pager", word)
            lines = (line.strip() for line in said.splitlines()[1:])
            names |= expand(" ".join(line for line in lines if line and not line.startswith("#")))
        else:
            names.add(word)
    return names


def allowed(text):
    """What the lines of SystemCallFilter of a unit come to, in their order."""
    names = set()
    for line in re.findall(r"^SystemCallFilter=(.*)$", text, re.MULTILINE):
        if line.startswith("~"):
            names -= expand(line[1:])
        else:
            names |= expand(line)
    return names


def call_problems(text, folder):
    """What vmtop metrics calls that the unit does not let it."""
    words = shlex.split(re.search(r"^ExecStart=(.*)$", text, re.MULTILINE)[1])
    for at, word in enumerate(words):
        if words[at - 1] in ("--state", "--textfile"):
            words[at] = str(folder / pathlib.Path(word).name)
        elif words[at - 1] == "--groups":
            words[at] = str(TOP / "tests" / "fixtures" / "groups.conf")
    trace = folder / "trace"
    said = subprocess.run(["strace", "-f", "-qq", "-o", str(trace), *words, "--pss"], text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=120)
    called = set(re.findall(r"^\d+ +(\w+)\(", trace.read_text(errors="replace"), re.MULTILINE))
    if said.returncode or "openat" not in called:
        return [f"exit {said.returncode}: {said.stderr[-400:]}"]
    return [f"the unit does not let it call {name}" for name in sorted(called - allowed(text))]


def stop_problems(text, folder):
    """What systemd would take for a failure when the recorder is stopped as units are."""
    words = shlex.split(re.search(r"^ExecStart=(.*)$", text, re.MULTILINE)[1])
    path = folder / "stopped.rec"
    words[words.index("-w") + 1] = str(path)
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as job:
        until = time.monotonic() + 120
        while job.poll() is None and time.monotonic() < until and \
                not (path.exists() and path.stat().st_size):
            time.sleep(0.01)
        job.terminate()
        err = job.communicate(timeout=120)[1]
    fine = {"0", *" ".join(re.findall(r"^SuccessExitStatus=(.*)$", text, re.MULTILINE)).split()}
    return [f"exit {job.returncode}, and {sorted(fine)} are fine: {err!r}"] \
        if str(job.returncode) not in fine or err else []


def main():
    report = Report()
    names = {c["name"]: c for c in commands()["commands"]}
    folder = pathlib.Path(tempfile.mkdtemp(prefix="vmtop-units-"))
    units = made(folder)
    services = [unit for unit in units if unit.endswith(".service")]
    report.check("there are units", None if len(units) == 5 and len(services) == 3 else str(units))
    for unit in services:
        text = (folder / unit).read_text(encoding="utf-8")
        words = what_runs(text)
        command = command_of(words)
        if command[0] not in names:
            report.skip(f"{unit}: what it runs", f"this vmtop has no {command[0]}")
            continue
        report.check(f"{unit}: what it runs", command_problems(command, names))
        if words[0] == "/bin/sh":
            report.check(f"{unit}: with a folder for the collector, and without",
                         shell_problems(words, folder))
    name = "vmtop-record.service: to stop it is no failure"
    if b"built without" in run("record", "-w", str(folder / "none.rec"), "-n", "1").err:
        report.skip(name, "this vmtop has no recordings")
    else:
        report.check(name, stop_problems(
            (folder / "vmtop-record.service").read_text(encoding="utf-8"), folder))
    cron = (TOP / "contrib" / "vmtop.cron").read_text(encoding="utf-8")
    lines = re.findall(r"^\S+ \S+ \S+ \S+ \S+ +root .*?\bvmtop ((?:check|metrics) .*)$", cron, re.MULTILINE)
    problems = [] if len(lines) == 2 else [f"{len(lines)} lines"]
    for line in lines:
        if line.split()[0] in names:
            problems += command_problems(line.split(), names)
    report.check("vmtop.cron: what it runs", problems)
    installed = [BUILD / "systemd" / unit for unit in services]
    report.check("the build fills in where things are",
                 [f"{path.name}: @" for path in installed if "@" in re.sub(
                     r"@system-service|@privileged|@resources", "", path.read_text(encoding="utf-8"))])
    if not shutil.which("systemd-analyze"):
        report.skip("systemd-analyze", "needs the package systemd")
    else:
        code, said = analyze("verify", "--man=no", *(str(folder / unit) for unit in units))
        report.check("systemd-analyze verify", said or (f"exit {code}" if code else None))
        for unit in services:
            code, said = analyze("security", "--offline=yes", "--no-pager", str(folder / unit))
            level = re.search(r"Overall exposure level for \S+: (\d+\.\d+)", said)
            report.check(f"systemd-analyze security {unit}: {level[1] if level else '?'}",
                         None if level and float(level[1]) <= EXPOSED_MAX[unit] else said[-300:])
        if shutil.which("strace") and os.geteuid() == 0:
            report.check("vmtop-metrics.service: system calls", call_problems(
                (folder / "vmtop-metrics.service").read_text(encoding="utf-8"), folder))
        else:
            report.skip("vmtop-metrics.service: system calls", "needs root and the package strace")
    shutil.rmtree(folder)
    report.done()


main()
