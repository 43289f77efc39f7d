#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmtop metrics: its file, groups of processes, counters from run to run, and what it says where
something is wrong."""

import contextlib
import fcntl
import mmap
import os
import pathlib
import shutil
import stat
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import exposition  # noqa: E402
from program import FAILED, OK, TIMEOUT, USAGE, Outsider, expect, run  # noqa: E402
from tap import VMTOP, Report  # noqa: E402

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures"
PAGE = mmap.PAGESIZE


def metrics(*args, **more):
    """The families that a run printed, or why there are none."""
    result = run("metrics", *args, **more)
    problem = expect(result, OK)
    if problem:
        raise AssertionError(problem)
    return exposition.parse(result.out)


def sums(report):
    """The kinds of memory are MemTotal, live; all values are numbers of the right sign."""
    total = next(int(line.split()[1]) * 1024 for line in open("/proc/meminfo", encoding="ascii")
                 if line.startswith("MemTotal:"))
    families = metrics()
    kinds = [int(v) for v in families["vmtop_memory_bytes"][1].values()]
    report.check("the kinds of memory sum to MemTotal", None if sum(kinds) == total and len(kinds) == 8
                 else f"{kinds}: {sum(kinds)}, not {total}")
    report.check("no counter is negative",
                 [f"{name}{labels}" for name, (kind, samples) in families.items()
                  for labels, value in samples.items() if kind == "counter" and value[0] == "-"])


def unknown(report, folder):
    """A machine without some files: what they would say is not there, and that they are not is."""
    copy = folder / "machine"
    shutil.copytree(FIXTURES / "machine-6.18", copy, symlinks=True)
    (copy / "proc" / "vmstat").unlink()
    (copy / "proc" / "zoneinfo").unlink()
    shutil.rmtree(copy / "proc" / "pressure")
    families = metrics("--root", str(copy))
    problems = [f"{name} is there" for name in families if any(
        word in name for word in ("zone", "fault", "pressure", "oom", "reclaim", "residual"))]
    problems += [f"source {name} is not down" for name in ("vmstat", "zoneinfo", "pressure")
                 if exposition.value(families, "vmtop_source_up", source=name) != 0]
    if exposition.value(families, "vmtop_source_up", source="meminfo") != 1:
        problems.append("meminfo is not up")
    if exposition.value(families, "vmtop_memory_available_bytes") is None:
        problems.append("available is not there")
    report.check("what is unknown is not there", problems)


def textfile(report, folder):
    path = folder / "vmtop.prom"
    old = os.umask(0o077)
    result = run("metrics", "--textfile", str(path))
    os.umask(old)
    problem = expect(result, OK) or (["prints something"] if result.out else None)
    report.check("--textfile writes the file", problem or exposition.problems(path.read_bytes()))
    mode = stat.S_IMODE(path.stat().st_mode)
    report.check("--textfile: all may read it, whatever the umask", None if mode == 0o644 else oct(mode))
    before = path.stat().st_ino
    report.check("--textfile replaces it as a whole",
                 expect(run("metrics", "--textfile", str(path)), OK)
                 or (None if path.stat().st_ino != before else "the same inode"))
    report.check("--textfile leaves nothing aside",
                 sorted(p.name for p in folder.iterdir() if p.name.startswith(".")))
    target = folder / "target"
    target.write_text("mine")
    (folder / "link.prom").symlink_to(target)
    (folder / "loose.prom").symlink_to(folder / "nowhere")
    os.mkfifo(folder / "fifo.prom")
    (folder / "dir.prom").mkdir()
    for name in ("link.prom", "loose.prom", "fifo.prom", "dir.prom"):
        report.check(f"H03 --textfile refuses what is no file: {name}",
                     expect(run("metrics", "--textfile", str(folder / name)), FAILED, complaint=True))
    report.check("what a link points at stays", None if target.read_text() == "mine" else "written")
    report.check("--textfile in no folder", expect(
        run("metrics", "--textfile", str(folder / "none" / "a.prom")), FAILED, complaint=True))
    with open("/dev/full", "wb") as full:
        report.check("H01 metrics on a full disk", expect(run("metrics", stdout=full), FAILED, quiet=False))


def killed(report, folder):
    """SIGKILL at moments of a run: what is there is the old file or the new one, and all of it."""
    path = folder / "killed.prom"
    begun = time.monotonic()
    run("metrics", "--textfile", str(path))
    whole = time.monotonic() - begun
    problems, replaced = [], set()
    for i in range(24):
        child = subprocess.Popen([VMTOP, "metrics", "--textfile", str(path)],
                                 stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(whole * i / 8)
        child.kill()
        child.wait()
        found = path.read_bytes()
        replaced.add(path.stat().st_ino)
        problems += exposition.problems(found)
        if b"vmtop_build_info" not in found:
            problems.append("half a file")
    report.check(f"H04 killed while it writes: the old file or the new one ({len(replaced)} files)",
                 problems)


def at_once(report, folder):
    """Twenty runs with one file and one state: all end well, and both are whole."""
    conf, path, state = folder / "all.conf", folder / "once.prom", folder / "once.state"
    conf.write_text("[all]\ncomm = *\n")
    words = [VMTOP, "metrics", "--groups", str(conf), "--state", str(state), "--textfile", str(path)]
    runs = [subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
            for _ in range(20)]
    ends = [(child.communicate(timeout=300)[1], child.returncode) for child in runs]
    problems = [f"exit {code}: {err!r}" for err, code in ends if code or err]
    lines = state.read_text(encoding="ascii").splitlines()
    if lines[0] != "vmtop-metrics-state 1" or lines[-1] != "end":
        problems.append("half a state")
    report.check("L02 twenty runs of metrics at once", problems or exposition.problems(path.read_bytes()))


def surroundings(report):
    """From cron: no terminal, no home, other locales. The text is the same but for times."""
    root = ["--root", str(FIXTURES / "machine-6.18"), "metrics"]
    steady = [line for line in run(*root).out.splitlines() if b"duration" not in line]
    for name, env in (("L01 nothing", {}), ("L03 de_DE", {"LC_ALL": "de_DE.UTF-8"}),
                      ("L03 tr_TR", {"LC_ALL": "tr_TR.UTF-8"})):
        result = run(*root, env=env, cwd="/")
        lines = [line for line in result.out.splitlines() if b"duration" not in line]
        report.check(f"{name} in the environment",
                     expect(result, OK) or (None if lines == steady else "another text"))


NAMER = """
import ctypes, mmap, sys
ctypes.CDLL(None).prctl(15, sys.argv[1].encode(), 0, 0, 0)
held = mmap.mmap(-1, int(sys.argv[2]))
held.madvise(mmap.MADV_NOHUGEPAGE)
for at in range(0, len(held), 4096): held[at] = 1
print("ready", flush=True)
for line in sys.stdin:
    more = mmap.mmap(-1, int(line))
    more.madvise(mmap.MADV_NOHUGEPAGE)
    for at in range(0, len(more), 4096): more[at] = 1
    more.close()
    print("done", flush=True)
"""


class Named:
    """A process of a name that holds memory, and faults on demand."""

    def __init__(self, name, size):
        self.child = subprocess.Popen([sys.executable, "-c", NAMER, name, str(size)], text=True,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.child.stdout.readline()

    def fault(self, pages):
        self.child.stdin.write(f"{pages * PAGE}\n")
        self.child.stdin.flush()
        self.child.stdout.readline()

    def end(self):
        self.child.stdin.close()
        self.child.wait()
        self.child.stdout.close()


def rss(process):
    for line in open(f"/proc/{process.child.pid}/status", encoding="ascii", errors="replace"):
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def opened_by(pid):
    """What it has open; descriptors come and go meanwhile."""
    found = set()
    for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.add(os.readlink(fd))
    return found


def waits_for_state(report, words, state, process, faults):
    """A run reads the processes when it has the lock, not before: what comes while it waits is in."""
    before = faults(metrics(*words))
    lock = state.with_name(state.name + ".lock")
    with open(lock, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        late = run("metrics", *words, "-t", "0.2")
        with subprocess.Popen([VMTOP, "metrics", *words], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as other:
            waited, until = False, time.monotonic() + 120
            while not waited and other.poll() is None and time.monotonic() < until:
                time.sleep(0.01)
                waited = str(lock) in opened_by(other.pid)
            process.fault(1000)
            fcntl.flock(file, fcntl.LOCK_UN)
            out, err = other.communicate(timeout=120)
    after = faults(exposition.parse(out)) if other.returncode == OK else None
    report.check("--state: a run waits for another, and counts what came meanwhile",
                 None if waited and after is not None and 1000 <= after - before < 2000
                 else f"{waited}, exit {other.returncode}, {err!r}: {before}, then {after}")
    report.check("--state: -t ends the wait", expect(late, TIMEOUT, quiet=False)
                 or (None if b"another run has had it" in late.err else f"{late.err!r}"))


def groups(report, folder):
    tag = f"vmt{os.getpid() % 100000}"
    conf, state = folder / "groups.conf", folder / "state"
    conf.write_text(f"[ours]\ncomm = {tag}*\n[none]\ncomm = {tag[::-1]}\n")
    a, b = Named(tag + "a", 8 << 20), Named(tag + "b", 4 << 20)
    words = ["--groups", str(conf), "--state", str(state)]
    try:
        families = metrics(*words, "--pss")
        want = rss(a) + rss(b)
        got = exposition.value(families, "vmtop_group_resident_bytes", group="ours")
        report.check("--groups: the memory of a group",
                     None if got and abs(got - want) < 1 << 20 else f"{got}, not {want}")
        pss = exposition.value(families, "vmtop_group_proportional_bytes", group="ours")
        report.check("--pss: PSS of a group, between what it holds alone and its RSS",
                     None if pss and 12 << 20 <= pss <= want else f"{pss}")
        rest = exposition.value(families, "vmtop_group_processes", group="other")
        report.check("--groups: the rest, and a group without a process", None if rest and
                     exposition.value(families, "vmtop_group_processes", group="ours") == 2 and
                     exposition.value(families, "vmtop_group_resident_bytes", group="none") == 0
                     else str(families["vmtop_group_processes"]))
        report.check("--pss is not read of the rest", None if exposition.value(
            families, "vmtop_group_proportional_bytes", group="other") is None else "it is")

        def faults(found):
            return exposition.value(found, "vmtop_group_page_faults_total", group="ours", kind="minor")

        first = faults(families)
        a.fault(1000)
        second = faults(metrics(*words))
        report.check("--state: what came since is added", None if 1000 <= second - first < 2000
                     else f"{first}, then {second}")
        a.end()
        third = faults(metrics(*words))
        report.check("--state: nothing goes back where a process ends",
                     None if third >= second else f"{second}, then {third}")
        b.fault(500)
        fourth = faults(metrics(*words))
        report.check("--state: and it goes on", None if 500 <= fourth - third < 1000
                     else f"{third}, then {fourth}")
        report.check("without --state there is no such counter",
                     None if "vmtop_group_page_faults_total" not in metrics("--groups", str(conf))
                     else "it is there")
        waits_for_state(report, words, state, b, faults)
        state.write_text("# of somebody else\n")
        result = run("metrics", *words)
        report.check("--state: a file of somebody else is refused and kept",
                     expect(result, FAILED, complaint=True) or
                     (None if state.read_text() == "# of somebody else\n" else "it is gone"))
        many = "".join(f"group g{i} 0 0\n" for i in range(200000))
        state.write_text(f"vmtop-metrics-state 1\n{many}end\n")
        result = run("metrics", *words)
        report.check("--state: more groups than there may be begin anew, at once",
                     expect(result, OK, quiet=False) or (None if b"anew" in result.err else "not told"))
        state.write_text("vmtop-metrics-state 1\nnoise\n")
        result = run("metrics", *words)
        report.check("--state: a file of noise begins anew, and is told",
                     expect(result, OK, quiet=False) or (None if b"anew" in result.err else "not told"))
        for name, make in (("FIFO", os.mkfifo), ("directory", os.mkdir)):
            state.unlink()
            make(state)
            result = run("metrics", *words)
            report.check(f"--state: a {name} is refused in one line",
                         expect(result, FAILED, complaint=True) or
                         (None if result.err.endswith(b": not a regular file\n") else f"{result.err!r}"))
            if name == "directory":
                state.rmdir()
        state.symlink_to(folder / "elsewhere")
        result = run("metrics", *words)
        report.check("--state: a link is refused, the rest is there",
                     expect(result, FAILED, complaint=True)
                     or (None if b"vmtop_memory_bytes" in result.out else "nothing"))
    finally:
        for process in (a, b):
            if process.child.poll() is None:
                process.end()


def checks(report, folder):
    """check --textfile: the status of each check, 0 to 3, and when."""
    path = folder / "check.prom"
    words = ["check", "-q", "available", "-w", "0:", "available", "-w", "~:0", "commit", "-c", "~:-1",
             "proc.rss", "-p", "4194304", "--textfile", str(path)]
    begun = time.time()
    result = run(*words)
    problem = expect(result, 2, quiet=False)
    families = exposition.parse(path.read_bytes()) if path.exists() else {}
    found = sorted(families.get("vmtop_check_status", (0, {}))[1].values())
    when = exposition.value(families, "vmtop_check_last_run_timestamp_seconds")
    report.check("check --textfile: the status of each check",
                 problem or (None if found == ["0", "1", "2", "3"] and len(families) == 2
                             else str(families)))
    report.check("check --textfile: when it was",
                 None if when and begun - 1 <= when <= time.time() + 1 else f"{when}")
    mode = stat.S_IMODE(path.stat().st_mode)
    report.check("check --textfile: all may read it", None if mode == 0o644 else oct(mode))
    (folder / "check-link.prom").symlink_to(path)
    result = run("check", "available", "--textfile", str(folder / "check-link.prom"))
    report.check("check --textfile: a link is refused, and nothing is OK then",
                 expect(result, 3, quiet=False)
                 or (None if b"UNKNOWN" in result.out and b"check-link.prom" in result.out
                     else f"{result.out!r}"))


WRONG = [
    ("[a]\npid = 1\n", b":2: "), ("comm = a\n", b":1: "), ("[a]\n", b":1: "),
    ("[other]\ncomm = x\n", b":2: "), ("[a]\ncomm = x\nxyz\n", b":3: "),
    ("".join(f"[g{i}]\ncomm = x{i}\n" for i in range(65)), b":130: "),
]


def wrong(report, folder):
    conf = folder / "wrong.conf"
    for text, line in WRONG:
        conf.write_text(text)
        result = run("metrics", "--groups", str(conf), "--textfile", str(folder / "never.prom"))
        report.check(f"--groups: wrong in line {line.decode().strip(': ')}: {text[:12]!r}",
                     expect(result, USAGE, complaint=True)
                     or (None if str(conf).encode() + line in result.err else str(result.err)))
    report.check("nothing is written then", None if not (folder / "never.prom").exists() else "it is")
    report.check("--groups: no such file", expect(run("metrics", "--groups", str(folder / "none")),
                                                  FAILED, complaint=True))
    os.mkfifo(folder / "fifo.conf")
    report.check("--groups: a FIFO", expect(
        run("metrics", "--groups", str(folder / "fifo.conf")), USAGE, complaint=True))
    for word in ("--state=x", "--pss", "--force"):
        report.check(f"{word} without --groups", expect(run("metrics", word), USAGE, complaint=True))


def as_nobody(report):
    if os.geteuid() != 0:
        report.skip("as nobody", "only root can become nobody")
        return
    with Outsider() as nobody:
        result = nobody.run("metrics")
        report.check("as nobody", expect(result, OK) or exposition.problems(result.out))


def main():
    report = Report()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="vmtop-metrics-"))
    try:
        sums(report)
        unknown(report, folder)
        textfile(report, folder)
        killed(report, folder)
        at_once(report, folder)
        surroundings(report)
        groups(report, folder)
        checks(report, folder)
        wrong(report, folder)
        as_nobody(report)
    finally:
        shutil.rmtree(folder)
    report.done()


main()
