#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Odd places to be run in: no BTF, no /proc, no /sys, a root directory with nothing in it, limits of
nothing, system calls that a container refuses. What can be had is had, the rest is said in one line.

The release build: sanitizers need more of everything."""

import ctypes
import os
import pathlib
import platform
import resource
import shutil
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from program import DENIED, FAILED, NOBODY, OK, PARTIAL, Outsider, expect, loads, run  # noqa: E402
from tap import BUILD, Report  # noqa: E402

VMTOP = str(BUILD / "cmd" / "vmtop")
CANNOT = 77
FAULTS = ["faults", "--duration", "0.2", "-J"]

EPERM, EACCES, ENOSYS = 1, 13, 38
NUMBERS = {  # of x86-64 and of what has the generic table
    "x86_64": {"bpf": 321, "perf_event_open": 298, "ioctl": 16, "clone3": 435},
    "aarch64": {"bpf": 280, "perf_event_open": 241, "ioctl": 29, "clone3": 435},
}


def elsewhere(script, *words):
    """Runs vmtop in a mount namespace of its own, behind a script; None where there can be none."""
    result = run("--mount", "/bin/sh", "-c", f"({script}) 2>/dev/null || exit {CANNOT}; exec \"$@\"",
                 "sh", VMTOP, *words, program="unshare")
    return None if result.code == CANNOT or b"unshare" in result.err else result


def document(result, code=OK):
    """The document of a run, and what is wrong with the run."""
    problem = expect(result, code, quiet=False)
    if problem:
        return None, problem
    try:
        return loads(result.out), None
    except ValueError as broken:
        return None, f"{broken}: {result.out[:200]!r}"


def without_btf(report):
    name = "E13 no BTF: faults are told from /proc, and events say why there are none"
    hide = "mount -t tmpfs none /sys/kernel/btf"
    result = elsewhere(hide, *FAULTS)
    if result is None:
        report.skip(name, "no mount namespace, or no BTF to hide")
        return
    text, problem = document(result)
    if not problem and (text["probes"]["rung"] not in ("perf", "proc") or not text["data"]["faults"]):
        problem = f"rung {text['probes']['rung']}: {result.out[:300]!r}"
    if not problem:
        result = elsewhere(hide, "events", "--duration", "0.1")
        problem = expect(result, FAILED, complaint=True) or (
            None if b"BTF" in result.err else f"{result.err!r}")
    report.check(name, problem)


def places(report):
    for name, script, code in (
        ("an empty /proc", "mount -t tmpfs none /proc", FAILED),
        ("no /sys", "mount -t tmpfs none /sys", OK),
        ("a /sys that is read-only", "mount -o remount,ro,bind /sys", OK),
    ):
        for words in (["free"], ["ps", "-J"], ["report", "--duration", "0.1", "-J"]):
            case = f"E17 {name}: {words[0]}"
            result = elsewhere(script, *words)
            if result is None:
                report.skip(case, "no mount namespace, or that cannot be mounted")
                continue
            if code == OK:
                report.check(case, expect(result, (OK, PARTIAL), quiet=False)
                             or (None if result.out else "nothing"))
            else:
                report.check(case, expect(result, code, complaint=True))


def libraries():
    said = subprocess.run(["ldd", VMTOP], stdout=subprocess.PIPE, text=True, check=True).stdout
    return sorted({word for word in said.split() if word.startswith("/")})


def bare_root(report):
    """The program and its libraries, /proc and /sys, and not one other file; nothing to write to."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for path in (VMTOP, *libraries()):
            (root / path[1:]).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, root / path[1:])
        for name in ("proc", "sys"):
            (root / name).mkdir()
        for words in (["free"], ["ps", "-J"], ["report", "--duration", "0.1", "-J"],
                      ["top", "-b", "-n", "1"]):
            script = ('mount --bind "$0" "$0" && mount --rbind /proc "$0/proc" &&'
                      'mount --rbind /sys "$0/sys" && mount -o remount,ro,bind "$0"')
            result = run("--mount", "/bin/sh", "-c",
                         f"({script}) 2>/dev/null || exit {CANNOT}; exec chroot \"$0\" \"$@\"",
                         folder, VMTOP, *words, program="unshare", cwd="/")
            case = f"E18 a root directory with nothing in it: {words[0]}"
            if result.code == CANNOT or b"unshare" in result.err:
                report.skip(case, "no mount namespace here")
                continue
            report.check(case, expect(result, (OK, PARTIAL), quiet=False)
                         or (None if result.out else "nothing"))


def limits(report):
    """Descriptors, threads, address space, file size, cores, locked memory: as good as none."""
    for name, limit, most in (
        ("E19 16 descriptors", resource.RLIMIT_NOFILE, 16),
        ("E19 64 MiB of addresses", resource.RLIMIT_AS, 64 << 20),
        ("E19 no file", resource.RLIMIT_FSIZE, 0),
        ("E19 no core", resource.RLIMIT_CORE, 0),
        ("E15 no locked memory", resource.RLIMIT_MEMLOCK, 0),
    ):
        for words in (["free", "-J"], ["ps", "-J"], ["maps", str(os.getpid()), "-J"], FAULTS,
                      ["report", "--duration", "0.1", "-J"]):
            def lower(limit=limit, most=most):
                resource.setrlimit(limit, (most, most))

            result = run(*words, program=VMTOP, preexec_fn=lower, timeout=120)
            report.check(f"{name}: {words[0]}", document(result, (OK, PARTIAL))[1])


def no_thread(report):
    """Of a user: root has no such limit."""
    for words in (["free", "-J"], ["ps", "-J"], ["report", "--duration", "0.1", "-J"]):
        with Outsider(VMTOP) as nobody:
            result = run("--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups",
                         "prlimit", "--nproc=0", nobody.program, *words, program="setpriv", cwd="/")
        report.check(f"E19 no thread, no process: {words[0]}",
                     document(result, (OK, PARTIAL, DENIED))[1])


def refused_to_root(report):
    """Process 1, where a security module or the boundary of a container keeps root out of it."""
    name = "E11 root, and yet refused: that process is denied, and the others are not"
    try:
        with open("/proc/1/maps", "rb") as file:
            file.read(1)
        report.skip(name, "nothing is refused to root here")
        return
    except OSError as error:
        if error.errno not in (EPERM, EACCES):
            report.skip(name, f"/proc/1/maps: {error.strerror}")
            return
    text, problem = document(run("ps", "--pss", "-J", program=VMTOP), (OK, PARTIAL))
    if not problem:
        states = {row["pid"]: row["read_status"] for row in text["data"]["processes"]}
        others = {state for pid, state in states.items() if pid != 1}
        problem = None if states.get(1) == "denied" and "ok" in others else f"{states}"[:300]
    report.check(name, problem or expect(run("maps", "1", program=VMTOP), DENIED, complaint=True))


def forbid(answers):
    """What answers system calls with an error, as the filter of a container does, for preexec_fn."""
    numbers = NUMBERS[platform.machine()]
    ld, jump, ret = 0x20, 0x15, 0x06
    code = [struct.pack("HBBI", ld, 0, 0, 0)]
    for name, error in answers.items():
        code.append(struct.pack("HBBI", jump, 0, 1, numbers[name]))
        code.append(struct.pack("HBBI", ret, 0, 0, 0x00050000 | error))
    code.append(struct.pack("HBBI", ret, 0, 0, 0x7FFF0000))
    program = ctypes.create_string_buffer(b"".join(code))
    header = struct.pack("HxxxxxxP", len(code), ctypes.addressof(program))
    libc = ctypes.CDLL(None, use_errno=True)

    def begin():
        if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, header, 0, 0):
            os._exit(CANNOT)

    begin.keeps = program  # for as long as it is called
    return begin


def container(report):
    if platform.machine() not in NUMBERS:
        report.skip("E22 system calls that a container refuses", "their numbers are not known here")
        return
    for name, answers in (
        ("bpf", {"bpf": EPERM}),
        ("bpf and perf_event_open", {"bpf": EPERM, "perf_event_open": EPERM}),
        ("bpf, which is not there", {"bpf": ENOSYS, "perf_event_open": ENOSYS}),
        ("clone3 and ioctl", {"clone3": ENOSYS, "ioctl": EPERM}),
    ):
        for words in (["free", "-J"], ["ps", "-J"], ["maps", str(os.getpid()), "-J"], FAULTS,
                      ["doctor", "-J"]):
            result = run(*words, program=VMTOP, preexec_fn=forbid(answers), timeout=120)
            case = f"E22 a container refuses {name}: {words[0]}"
            if result.code == CANNOT:
                report.skip(case, "no filter of system calls here")
                continue
            report.check(case, document(result, (OK, PARTIAL, DENIED))[1])


def main():
    report = Report()
    if os.geteuid() == 0:
        without_btf(report)
        places(report)
        bare_root(report)
        no_thread(report)
        refused_to_root(report)
    else:
        report.skip("E11 E13 E17 E18 other places", "only root can make them")
    limits(report)
    container(report)
    report.done()


main()
