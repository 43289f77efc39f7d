#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmtop run: the command finds the world as it would without, its end is vmtop's end, budgets."""

import os
import pathlib
import pty
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from program import FAILED, OK, TIMEOUT, Outsider, expect, loads, one_line, raw_controls, run  # noqa: E402
from tap import VMTOP, Report  # noqa: E402

BUDGET, NO_EXEC, NO_COMMAND = 123, 126, 127
SH = "/bin/sh"


def facts(*words, **more):
    """The command's row of a run whose command prints nothing, and the whole document."""
    result = run("run", "-J", "-w", "-", *words, **more)
    document = loads(result.out)
    return result, document["data"]["command"], document


def ends(report):
    for name, script, code in (
        ("0", "exit 0", 0), ("7", "exit 7", 7), ("255", "exit 255", 255),
        ("SIGKILL", "kill -KILL $$", 137), ("SIGTERM", "kill -TERM $$", 143),
        ("SIGSEGV", "kill -SEGV $$", 139),
    ):
        result = run("run", "--", SH, "-c", script)
        report.check(f"its end is passed on: {name}", expect(result, code, quiet=False))
    result, row, _ = facts("--", SH, "-c", "exit 7")
    report.check("its exit status is in the document",
                 None if (row["exit_status"], row["signal"]) == (7, None) else f"{row}")
    result, row, _ = facts("--", SH, "-c", "kill -TERM $$")
    report.check("its signal is in the document",
                 None if (row["exit_status"], row["signal"]) == (None, 15) else f"{row}")

    with tempfile.TemporaryDirectory() as folder:
        plain = pathlib.Path(folder) / "plain"
        plain.write_text("no program\n")
        script = pathlib.Path(folder) / "script"
        script.write_text("exit 9\n")
        script.chmod(0o755)
        for name, words, code in (
            ("no such command", ["no-such-command-anywhere"], NO_COMMAND),
            ("no such file", [folder + "/nothing"], NO_COMMAND),
            ("an empty name", [""], NO_COMMAND),
            ("a file that is no program", [str(plain)], NO_EXEC),
            ("a directory", [folder], NO_EXEC),
        ):
            result = run("run", *words)
            report.check(f"not run: {name}", expect(result, code, complaint=True)
                         or (f"stdout is {result.out!r}" if result.out else None))
        report.check("a script without a first line is the shell's",
                     expect(run("run", str(script)), 9, quiet=False))
        result = run("run", "-q", "script", env={**os.environ, "PATH": folder})
        report.check("PATH is searched", expect(result, 9))


def world(report):
    """What it finds, compared with what it finds without vmtop."""
    show = [SH, "-c", "grep -E '^(Sig|Shd|Cap|NoNew|Seccomp:|Umask)' /proc/self/status; "
            "ls /proc/self/fd | wc -l; env; ulimit -a; pwd"]

    def look(*before, **more):
        said = subprocess.run([*before, *show], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=300, check=False, **more)
        return sorted(line for line in said.stdout.splitlines()
                      if not line.startswith((b"_=", b"SigQ")))

    def ignoring():
        for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)

    def blocking():
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGUSR2})

    urls = {**os.environ, "DEBUGINFOD_URLS": "http://localhost:1/ x"}
    for name, more in (
        ("signals, descriptors, limits, environment", {"env": urls}),
        ("signals that are ignored", {"preexec_fn": ignoring}),
        ("signals that are blocked", {"preexec_fn": blocking}),
        ("no environment", {"env": {}}),
        ("another directory", {"cwd": "/"}),
        ("stdin that is closed", {"preexec_fn": lambda: os.close(0)}),
    ):
        alone, under = look(**more), look(VMTOP, "run", "-q", "--", **more)
        report.check(f"as without vmtop: {name}",
                     [f"{line!r} is in one of both" for line in set(alone) ^ set(under)]
                     or (None if alone else "nothing was printed"))

    data = bytes(range(256)) * 4096
    for form in ([], ["-J"], ["--csv"]):
        said = subprocess.run([VMTOP, "run", *form, "cat"], input=data, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=300, check=False)
        report.check(f"stdin and stdout are its own {' '.join(form)}",
                     f"exit {said.returncode}" if said.returncode
                     else None if said.stdout == data and said.stderr else "not what went in")
    result = run("run", "-q", SH, "-c", "echo no report >&2")
    report.check("stderr holds no more than its own with -q",
                 expect(result, OK, quiet=False)
                 or (None if result.err == b"no report\n" else repr(result.err)))
    result = run("run", "printf", "%s.", "-J", "--help", "--", "-w", "x")
    report.check("options behind it are its own", expect(result, OK, quiet=False)
                 or (None if result.out == b"-J.--help.--.-w.x." else repr(result.out)))
    result = run("run", "--", "printf", "%s", "\x1b[31m\x07")
    report.check("its words are made safe for a terminal", expect(result, OK, quiet=False)
                 or [f"raw {found!r}" for found in raw_controls(result.err)])
    with tempfile.TemporaryDirectory() as folder:
        result = run("run", "-J", "-w", folder + "/out", "echo", "x")
        with open(folder + "/out", "rb") as file:
            document = loads(file.read())
        report.check("-w FILE", expect(result, OK)
                     or (None if result.out == b"x\n" else repr(result.out))
                     or (None if document["schema"] == "vmtop.run" else document["schema"]))
        report.check("-w that fails is not 0",
                     expect(run("run", "-w", folder + "/no/out", "true"), FAILED, complaint=True))
        report.check("-w that fails does not hide how it ended",
                     expect(run("run", "-w", folder + "/no/out", "false"), 1, complaint=True))


def budgets(report):
    kept = ["--budget", "min_flt=1000000", "--budget", "peak-rss=10G", "--budget", "elapsed=1h"]
    result = run("run", "-q", *kept, "true")
    report.check("budgets that are kept", expect(result, OK)
                 or (f"stdout is {result.out!r}" if result.out else None))
    for name, words in (
        ("a count", ["minor_faults_total=1"]), ("a count by its title", ["MIN-FLT=1"]),
        ("a size", ["peak_rss=1K"]), ("a size in pages", ["peak_rss=2p"]),
        ("a time", ["elapsed=1us"]), ("one of two", ["maj_flt=1000000", "min_flt=0"]),
    ):
        args = [arg for word in words for arg in ("--budget", word)]
        result = run("run", "-q", *args, "sleep", "0.1")
        report.check(f"a broken budget: {name}", expect(result, BUDGET, complaint=True))
    result = run("run", "-q", "--budget", "min_flt=1", "--budget", "elapsed=1us", "sleep", "0.1")
    report.check("a line for each that is broken", expect(result, BUDGET, quiet=False)
                 or (None if result.err.count(b"budget broken: ") == result.err.count(b"\n") == 2
                     else repr(result.err)))
    result, row, _ = facts("--", SH, "-c", "echo x >/dev/null")
    result, again, document = facts("--budget", f"min_flt={row['minor_faults_total'] * 2}",
                                    "--budget", "min_flt=0", "true")
    states = [(b["field"], b["status"]) for b in document["data"]["budgets"]]
    report.check("budgets are in the document", expect(result, BUDGET, complaint=True)
                 or (None if states == [("minor_faults_total", "kept"),
                                        ("minor_faults_total", "broken")] else f"{states}"))
    result = run("run", "-q", "--budget", "min_flt=1", "--", SH, "-c", "exit 7")
    report.check("a command that fails is that first", expect(result, 7, complaint=True))
    result = run("run", "-q", "--rung", "proc", "--budget", "stall=1h", "true")
    report.check("what is not known does not keep its budget", expect(result, BUDGET, complaint=True)
                 or (None if b"not known" in result.err else repr(result.err)))


# Says that it is ready, and each signal that it gets; ends with the last of them.
LISTENER = r"""
import os, signal
wanted, got = {2, 3, 1, 10, 12}, []
signal.pthread_sigmask(signal.SIG_BLOCK, wanted)
os.write(1, b"ready ")
while 12 not in got:
    got.append(int(signal.sigwait(wanted)))
    os.write(1, b"%d " % got[-1])
os._exit(40 + len(got))
"""


def listen(fd, end):
    """What comes until it has that in it, or ends."""
    said = b""
    while end not in said:
        try:
            more = os.read(fd, 4096)
        except OSError:
            break
        if not more:
            break
        said += more
    return said


def signals(report):
    words = [VMTOP, "run", "-q", "--", sys.executable, "-c", LISTENER]
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGUSR1):
        child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)
        out = child.stdout.fileno()
        said = listen(out, b"ready ")
        child.send_signal(number)
        said += listen(out, b"%d " % number)
        child.send_signal(signal.SIGUSR2)
        said += listen(out, b"12 ")
        _, err = child.communicate(timeout=120)
        wanted = b"ready %d 12 " % number
        report.check(f"{number.name} is passed on, once",
                     None if said == wanted and child.returncode == 42 and not err
                     else f"{said!r}, exit {child.returncode}, {err!r}")
    child = subprocess.Popen([VMTOP, "run", "-q", "sh", "-c", "echo ready; exec sleep 600"],
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    listen(child.stdout.fileno(), b"ready")
    child.terminate()
    report.check("SIGTERM ends it, with the code of that",
                 None if child.wait(timeout=120) == 143 else f"exit {child.returncode}")
    child.stdout.close()

    # The keys of a terminal go to both by themselves: not twice to the command.
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(words[0], words)
    said = listen(fd, b"ready ")
    os.write(fd, b"\x03")
    said += listen(fd, b"2 ")
    os.kill(pid, signal.SIGUSR2)
    said += listen(fd, b"12 ")
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(fd)
    said = said.replace(b"^C", b"")
    report.check("the key of a terminal reaches it once, and vmtop reports",
                 None if said == b"ready 2 12 " and code == 42 else f"{said!r}, exit {code}")


def limited(signal_number, *words):
    """A run that is over its time. The shorter ones may be over before the command has begun what
    it is to be ended in: on a busy machine that takes a while."""
    for seconds in (1, 4, 16, 64):
        result = run("run", "-t", str(seconds), *words, timeout=180)
        problem = expect(result, TIMEOUT, quiet=False) or (
            None if b"signal %d" % signal_number in result.err else repr(result.err))
        if not problem:
            break
    return problem


def time_limit(report):
    report.check("--timeout ends it with 124", limited(15, "sleep", "600"))
    report.check("--timeout kills what does not end",
                 limited(9, SH, "-c", "trap '' TERM; exec sleep 600"))


def counts(report):
    for form in (["--ndjson"], ["--csv"], ["-J"], [], ["--raw"], ["--summary", "file"],
                 ["--summary", "proc", "--balance"]):
        result = run("run", *form, "true")
        report.check(f"a report: {' '.join(form) or 'text'}", expect(result, OK, quiet=False)
                     or (None if result.err and not result.out else f"{result}"))
    for rung in ("auto", "perf", "proc"):
        result, row, document = facts("--rung", rung, "--", SH, "-c", "/bin/true; /bin/true")
        problems = []
        if not row["minor_faults_total"] or not row["setup_faults_total"]:
            problems.append("wait4() said nothing")
        if row["agree"] is not (row["difference_faults"] == 0):
            problems.append(f"agree {row['agree']}, difference {row['difference_faults']}")
        if rung == "proc" and (row["agree"] or row["difference_faults"] >= 0):
            problems.append("proc saw the children")
        if document["probes"]["rung"] == "proc" and row["processes_total"] is not None:
            problems.append("proc knows how many processes")
        if row["mapped_faults_total"] == 0:
            problems.append("0 faults in mappings")
        report.check(f"counted on the rung {rung}", expect(result, OK, quiet=False) or problems)


def as_nobody(report):
    if os.geteuid():
        report.skip("a user without rights", "only root can become nobody")
        return
    with Outsider() as nobody:
        result = nobody.run("run", "-J", "-w", "-", "--", SH, "-c", "/bin/true; exit 5")
        problem = expect(result, 5, quiet=False)
        if not problem:
            document = loads(result.out)
            row = document["data"]["command"]
            if document["probes"]["rung"] not in ("perf", "proc"):
                problem = f"rung {document['probes']['rung']}"
            elif row["difference_faults"] > 0 or row["stall_ns"] is not None:
                problem = f"{row}"
            elif document["probes"]["rung"] == "perf" and not row["mapped_faults_total"]:
                problem = "no fault has a mapping"
        report.check("nobody: its end, and what can be counted", problem)
        result = nobody.run("run", "sh", "-c", "/bin/true")
        report.check("nobody: what is not seen is said", expect(result, OK, quiet=False)
                     or (None if b"not seen on the rung" in result.err
                         or b"and as many counted" in result.err else repr(result.err)))
        result = nobody.run("run", "no-such-command-anywhere",
                            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"})
        report.check("nobody: no such command", expect(result, NO_COMMAND, complaint=True))


def main():
    report = Report()
    report.check("a complaint is told from none", None if one_line(b"x") else "it is not")
    ends(report)
    world(report)
    budgets(report)
    signals(report)
    time_limit(report)
    counts(report)
    as_nobody(report)
    report.done()


main()
