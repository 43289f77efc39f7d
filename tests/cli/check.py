#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check: exit codes, the form of its output, several metrics, the files of --config, --state and
--lock, and what is refused."""

import ctypes
import fcntl
import json
import os
import pathlib
import re
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from perfdata import Broken, parse  # noqa: E402
from program import expect, loads, run  # noqa: E402
from tap import TOP, VMTOP, Report  # noqa: E402

OK, WARNING, CRITICAL, UNKNOWN = range(4)
FIXTURE = str(TOP / "tests/fixtures/machine-6.18")
# Passed by every machine, and by none.
HIGH, NEVER = ["-w", "~:0"], ["-w", "0:"]


def check(*args, **more):
    return run("check", *args, **more)


def judged(result, code, labels=None, stderr=b""):
    """What is wrong with a run that should end with code; labels that its perfdata has."""
    if result.code != code:
        return f"exit {result.code}, not {code}: {result.out[-300:]!r} {result.err[-300:]!r}"
    if result.err != stderr:
        return f"stderr is {result.err[-300:]!r}"
    try:
        found = parse(result.out, code)[2]
    except Broken as broken:
        return str(broken)
    if labels is not None and list(found) != labels:
        return f"perfdata of {list(found)}"
    return None


def codes(report):
    for name, words, code in (
        ("nothing is passed", ["available", *NEVER], OK),
        ("no limits", ["available"], OK),
        ("warning", ["available", *HIGH], WARNING),
        ("critical before warning", ["available", *HIGH, "-c", "~:0"], CRITICAL),
        ("the worst of two", ["commit", *NEVER, "available", "-c", "~:0"], CRITICAL),
        ("unknown before OK", ["available", "proc.rss", "-p", "4194304"], UNKNOWN),
        ("warning before unknown", ["available", *HIGH, "proc.rss", "-p", "4194304"], WARNING),
    ):
        report.check(f"exit code: {name}", judged(check(*words), code))
    result = check("available", *HIGH, "commit", "-c", "~:0")
    report.check("the worst stands first", judged(result, CRITICAL, ["available", "commit"]) or (
        None if re.match(rb"VMTOP CRITICAL - commit .*, limit 0%; available ", result.out)
        else f"{result.out!r}"))
    report.check("--help and --version end with 0",
                 expect(check("--help"), 0) or expect(check("--version"), 0))


def refused(report):
    """Usage errors are UNKNOWN here: one line on stderr, nothing on stdout."""
    for words in (
        [], ["nonsense"], ["-w", "5", "available"], ["available", "-w"], ["available", "-w", ""],
        ["available", "-w", "5:1"], ["available", "-w", "x"], ["psi.some.avg10", "-w", "1K"],
        ["majflt"], ["fault.p99", "-p", "1"], ["proc.rss"], ["cgroup.available"], ["proc.rss", "-p", "0"],
        ["proc.rss", "-p", "1", "-w", "10%"], ["proc.swap", "--comm", "x", "-c", "~:5%"],
        ["proc.rss", "-p", ""], ["proc.rss", "--comm", ""], ["cgroup.available", "--cgroup", ""],
        ["available", "--perfdata", "maybe"], ["available", "--nonsense"], ["available", "-t", "0"],
        ["available", "--format", "folded"], ["available", "--config", "/nonexistent"],
        ["majflt", "--interval", "5", "-t", "2"],
        ["majflt", "--interval", "1", "--root", FIXTURE], ["--", "-w"],
        ["-p", "1", "--config", str(TOP / "contrib/check.conf"), "--interval", "1"],
    ):
        result = check(*words)
        report.check(f"refused: {' '.join(words) or 'nothing to check'}",
                     expect(result, UNKNOWN, complaint=True)
                     or (f"stdout is {result.out!r}" if result.out else None))
    for text in ("0", "1us", "1000000000", "-1", "1e3", "0x10", "nan", "inf", "", "1 ", "9" * 30):
        result = check("majflt", f"--interval={text}")
        report.check(f"I04 an interval of {text or 'nothing'}",
                     expect(result, UNKNOWN, complaint=True))


def order(report):
    """Limits and processes belong to the metric before them."""
    me, parent = str(os.getpid()), str(os.getppid())
    result = check("proc.rss", "-p", me, "-c", "~:0", "proc.rss", "-p", parent, *NEVER)
    problem = judged(result, CRITICAL, ["proc_rss", "proc_rss_2"])
    report.check("each has its own process and limit", problem or (
        None if f"{me} (".encode() in result.out.split(b"|")[0] else f"{result.out!r}"))
    result = check("-p", me, "proc.rss", "proc.swap", "proc.rss", "-p", parent)
    report.check("what stands first is for all", judged(result, OK) or (
        None if result.out.count(f"({me} ".encode()) == 2 else f"{result.out!r}"))
    result = check("--", "available")
    report.check("-- ends the options", judged(result, OK, ["available"]))


def quiet(report):
    result = check("-q", "available", *NEVER)
    report.check("L06 -q where all is OK: nothing on stdout or stderr",
                 expect(result, OK) or (f"stdout is {result.out!r}" if result.out else None))
    report.check("L06 -q -J where all is OK: nothing",
                 None if check("-q", "-J", "available") == (OK, b"", b"") else "something")
    report.check("-q where it is not: the same as without",
                 judged(check("-q", "available", *HIGH), WARNING, ["available"]))
    result = check("available", "--perfdata=no")
    report.check("--perfdata=no", judged(result, OK, []) or (
        f"{result.out!r}" if b"|" in result.out else None))


def document(report):
    result = check("-J", "available", *HIGH, "psi.some.avg10", "proc.rss", "-p", "4194304")
    try:
        rows = loads(result.out)["data"]["checks"]
    except (ValueError, KeyError) as broken:
        report.check("the document", f"{broken}: {result.err!r}")
        return
    problems = [] if result.code == WARNING else [f"exit {result.code}"]
    want = [("available", "WARNING", "B"), ("psi.some.avg10", "OK", "%"), ("proc.rss", "UNKNOWN", "B")]
    if [(row["metric"], row["status"], row["unit"]) for row in rows] != want:
        problems.append(f"{rows}")
    if rows[0]["warning"] != "~:0" or rows[0]["value"] <= 0 or not rows[0]["reason"]:
        problems.append(f"{rows[0]}")
    if rows[2]["value"] is not None or not rows[2]["reason"]:
        problems.append(f"{rows[2]}")
    report.check("the document has the same", problems)


def hostile_names(report):
    """A process may be called anything; the output stays one that monitors can read."""
    libc = ctypes.CDLL(None)
    for name in (b"a|b=1;2", b"x\ny|z=1", b"\x1b[2J\x07", b"\xff\xfe\xc2\x9b", b"'quoted' ''"):
        child = os.fork()
        if child == 0:
            libc.prctl(15, name, 0, 0, 0)
            time.sleep(600)
            os._exit(0)
        try:
            comm = pathlib.Path(f"/proc/{child}/comm")
            while comm.read_bytes() != name + b"\n":
                time.sleep(0.01)
            result = check("proc.rss", "-p", str(child), *HIGH, "proc.pss", "-p", str(child))
            report.check(f"a process called {name!r}",
                         judged(result, WARNING, ["proc_rss", "proc_pss"]))
        finally:
            os.kill(child, 9)
            os.waitpid(child, 0)


def config(report):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "check.conf"

        def read(text, *more):
            path.write_bytes(text)
            return check("--config", str(path), *more)

        result = read(b"# a comment\n[available]\nwarning = ~:0\n\n[it's mine | a=b]\n"
                      b"metric = proc.rss\npid = 1 ; the first\ncritical= 0:\n")
        report.check("config: two sections",
                     judged(result, WARNING, ["available", "'it''s mine _ a_b'"]))
        result = read(b"[a.b]\nmetric = available\n[a_b]\nmetric = available\n")
        report.check("config: names that would be one label",
                     judged(result, OK, ["a_b", "a_b_2"]))
        result = read(b"[available]\r\nwarning=0:\r\n", "commit")
        report.check("config: CRLF, and a metric of the command line behind it",
                     judged(result, OK, ["available", "commit"]))
        report.check("config: the example that is installed",
                     expect(check("--config", str(TOP / "contrib/check.conf"), "--state",
                                  f"{folder}/state"), (0, 1, 2)))
        for line, text in (
            (0, b""), (0, b"# nothing\n"), (2, b"[available]\nwarning = x\n"), (1, b"warning = 5\n[available]\n"),
            (1, b"[nonsense]\n"),
            (2, b"[nonsense]\nwarning = 5\n"), (2, b"[available]\nno = 5\n"),
            (2, b"[available]\nwarning\n"), (3, b"[available]\n\n[available]\n"),
            (1, b"[proc.rss]\n"), (1, b"[]\n"), (2, b"[available]\n\x00\n"),
            (2, b"[available]\nwarning = " + b"1" * 5000 + b"\n"),
            (3, b"[a]\nmetric = available\nmetric = commit\n"),
            (2, b"[proc.rss]\npid = 0\n"), (2, b"[available]\n\xff\xfe = 1\n"),
        ):
            result = read(text)
            where = f"{path}:{line}:" if line else f"{path}:"
            report.check(f"config: {text[:30]!r}", expect(result, UNKNOWN, complaint=True) or (
                None if where.encode() in result.err else f"says {result.err!r}"))
        path.write_bytes(b"[available]\n" + b"#\n" * 40000)
        report.check("config: too large", expect(check("--config", str(path)), UNKNOWN, complaint=True))
        os.mkfifo(f"{folder}/pipe")
        for name in (f"{folder}/pipe", folder, "/dev/zero"):
            report.check(f"config: {os.path.basename(name)[:3]} is no file",
                         expect(check("--config", name), UNKNOWN, complaint=True))


def state(report):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "state"
        words = ["--state", str(path), "oom_kill", "-c", "0", "majflt", *NEVER]
        result = check(*words)
        report.check("state: the first run is OK and says that it knows nothing",
                     judged(result, OK, ["oom_kill", "majflt"]) or (
                         None if b"oom_kill=U majflt=U\n" in result.out else f"{result.out!r}"))
        run("check", "--state", f"{folder}/less", "available")
        report.check("state: a metric that is new to it is OK, and known from the next run on",
                     judged(check("--state", f"{folder}/less", "oom_kill", "refault"), OK,
                            ["oom_kill", "refault"]))
        mode = path.stat().st_mode & 0o777
        report.check("H05 the state is its owner's", None if mode == 0o600 else oct(mode))
        result = check(*words)
        report.check("state: the second knows it",
                     judged(result, OK) or (f"{result.out!r}" if b"=U" in result.out else None))
        text = path.read_bytes()
        boot = re.search(rb"boot_id (.*)", text).group(1)
        path.write_bytes(text.replace(boot, b"another"))
        report.check("state: of another boot it counts as none",
                     judged(check(*words), OK) or (
                         None if boot in path.read_bytes() else "it was not replaced"))
        path.write_bytes(b"[available]\n")
        both = [check(*words), check(*words)]
        report.check("state: a file of somebody else is UNKNOWN, and kept",
                     judged(both[0], UNKNOWN) or judged(both[1], UNKNOWN) or
                     (None if path.read_bytes() == b"[available]\n" else "it is gone"))
        for name, broken in (
            ("empty", b""), ("cut", text[:-5]), ("noise", text[:20] + os.urandom(3000)),
            ("of another version",
             text.replace(b"state 1", b"state 2")), ("a malformed number",
             re.sub(rb"(pgmajfault_total) \d+", rb"\1 -5", text)), ("of 300 KiB", text + b"#" * 300000),
        ):
            path.write_bytes(broken)
            first, second = check(*words), check(*words)
            report.check(f"state: {name} is UNKNOWN once, with the file named",
                         judged(first, UNKNOWN) or judged(second, OK)
                         or (None if str(path).encode() in first.out else f"{first.out!r}"))
        (pathlib.Path(folder) / "link").symlink_to(path)
        os.mkfifo(f"{folder}/pipe")
        before = path.read_bytes()
        for name in ("link", "pipe", "no/where"):
            result = check("--state", f"{folder}/{name}", "oom_kill")
            report.check(f"H03 a state in the place of a {name}: UNKNOWN",
                         None if result.code == UNKNOWN and result.out.startswith(b"VMTOP UNKNOWN")
                         else f"{result}")
        report.check("H03 what the link names is as it was",
                     None if path.read_bytes() == before else "it changed")
        prom, words = f"{folder}/prom", ["--state", f"{folder}/no/file", "oom_kill", "available"]
        code = check("--textfile", prom, *words).code
        rows = {row["check"]: row["status"] for row in
                json.loads(check("-J", *words).out)["data"]["checks"]}
        found = dict(re.findall(r'^vmtop_check_status\{check="(\S+)"\} (\d)$',
                                pathlib.Path(prom).read_text(encoding="ascii"), re.MULTILINE))
        report.check("state: where it cannot be written, what needs it is UNKNOWN for everybody",
                     None if (code, found, rows) ==
                     (UNKNOWN, {"oom_kill": "3", "available": "0"},
                      {"oom_kill": "UNKNOWN", "available": "OK"}) else f"{code} {found} {rows}")
        # A saved machine has a state, too.
        result = check("--root", FIXTURE, "--state", f"{folder}/saved", "majflt")
        again = check("--root", FIXTURE, "--state", f"{folder}/saved", "majflt")
        report.check("state of a saved machine, whose time stands still",
                     judged(result, OK) or judged(again, OK) or (
                         None if again.out == result.out else f"{again.out!r}"))


def lock(report):
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/lock"
        words = ["--lock", path, "available"]
        report.check("lock: free", judged(check(*words), OK))
        with open(path, "a", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            got = [check(*words) for _ in range(5)]
        silent = (OK, b"", b"")
        report.check("lock: taken twice is silent", None if got[:2] == [silent] * 2 else f"{got[:2]}")
        report.check("lock: the third time in a row is UNKNOWN",
                     [problem for result in got[2:] if (problem := judged(result, UNKNOWN, []))])
        report.check("lock: who gets it begins to count anew",
                     judged(check(*words), OK)
                     or (None if os.path.getsize(path) == 0 else "it did not"))
        os.symlink(path, f"{folder}/link")
        for name in ("link", ""):
            result = check("--lock", f"{folder}/{name}", "available")
            report.check(f"H03 a lock that is a {name or 'directory'}: UNKNOWN",
                         judged(result, UNKNOWN, []))
        turn(report, f"{folder}/turn")
        overlap(report, f"{folder}/many")


# struct flock of fcntl(2): a whole file; type, whence, start, length, pid.
F_OFD_SETLK = 37


def whole(kind):
    return struct.pack("hhqqi4x", kind, os.SEEK_SET, 0, 0, 0)


def turn(report, path):
    """Who finds it taken while another run is about to empty it waits, and is the first to be counted:
    two marks of the holder before are none of the new one's."""
    pathlib.Path(path).write_text("++", encoding="ascii")
    with open(path, "r+", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        fcntl.fcntl(file, F_OFD_SETLK, whole(fcntl.F_WRLCK))
        with subprocess.Popen([VMTOP, "check", "--lock", path, "available"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as other:
            waits = re.compile(rf"-> OFDLCK .*:{os.stat(path).st_ino} ")
            waited, until = False, time.monotonic() + 120
            while not waited and other.poll() is None and time.monotonic() < until:
                time.sleep(0.01)
                waited = waits.search(
                    pathlib.Path("/proc/locks").read_text(encoding="ascii")) is not None
            file.truncate(0)
            fcntl.fcntl(file, F_OFD_SETLK, whole(fcntl.F_UNLCK))
            out, err = other.communicate(timeout=120)
        report.check("lock: who comes while it changes hands is counted for the new holder",
                     None if waited and (other.returncode, out, err) == (OK, b"", b"")
                     and os.path.getsize(path) == 1
                     else f"{waited}, {other.returncode}, {out!r}, {err!r}")


def overlap(report, path):
    """Twenty at once, while the first is at work: one result, and each of the others its number."""
    words = [VMTOP, "check", "--lock", path, "majflt", "--interval", "600"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as first:
        # Looked up, as trying would have it taken at times when the first asks for it.
        until = time.monotonic() + 120
        while first.poll() is None and time.monotonic() < until:
            locks = pathlib.Path("/proc/locks").read_text(encoding="ascii")
            if os.path.exists(path) and f":{os.stat(path).st_ino} " in locks:
                break
            time.sleep(0.01)
        words[-1] = "0.1"
        others = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                  for _ in range(19)]
        results = []
        for other in others:
            out, err = other.communicate(timeout=300)
            results.append((other.returncode, out, err))
        working = first.poll() is None
        first.kill()
    silent = results.count((OK, b"", b""))
    busy = sum(code == UNKNOWN and re.fullmatch(rb"VMTOP UNKNOWN - another run has .* \d+ runs in a "
                                                rb"row found it taken\n", out) is not None
               and not err for code, out, err in results)
    numbers = sorted(int(re.search(rb"(\d+) runs", out).group(1)) for _, out, _ in results if out)
    report.check("L02 twenty at once: one works, two leave in silence, the rest say how often",
                 None if working and silent == 2 and busy == 17 and numbers == list(range(3, 20))
                 else f"{working}, {silent} silent, {busy} busy, {numbers}: {results[:2]}")


def surroundings(report):
    """Cron, and locales with another point and another i: the same bytes."""
    words = ["--root", FIXTURE, "available", *HIGH, "commit", "zone.distance", "frag", "proc.rss",
             "--comm", "*"]
    plain = check(*words)
    report.check("a saved machine", judged(plain, WARNING))
    document = check("-J", *words).out

    def same(env, name):
        result = check(*words, env=env, cwd="/", start_new_session=True)
        other = check("-J", *words, env=env, cwd="/", start_new_session=True).out
        took = rb'"(took|cpu|longest)_ns":\d+'
        report.check(name, "another text" if result != plain else
                     None if re.sub(took, b"", other) == re.sub(took, b"", document)
                     else "another document")

    same({}, "L01 env -i from cron, no terminal, no HOME: the same bytes")
    same({"TZ": ":/etc/passwd", "HOME": "/nonexistent"}, "I06 L01 a TZ that is none: the same bytes")
    with tempfile.TemporaryDirectory() as folder:
        for name in ("de_DE", "tr_TR"):
            if shutil.which("localedef"):
                subprocess.run(["localedef", "-i", name, "-f", "UTF-8", f"{folder}/{name}.UTF-8"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
            if os.path.isdir(f"{folder}/{name}.UTF-8"):
                same({"LC_ALL": f"{name}.UTF-8", "LOCPATH": folder}, f"L03 {name}: the same bytes")
            else:
                report.skip(f"L03 {name}: the same bytes", "cannot be made: package locales")


def missing(report):
    """One of several that cannot be read, or is not there, may be the one that matters."""
    with tempfile.TemporaryDirectory() as folder:
        machine = f"{folder}/machine"
        shutil.copytree(FIXTURE, machine, symlinks=True)
        words = ["--root", machine, "proc.rss", "-c", "9M"]
        report.check("the largest of two processes is judged",
                     judged(check(*words, "-p", "16120,16145"), CRITICAL))
        pathlib.Path(machine, "proc/16120/status").write_bytes(b"nothing of a kernel\n")
        for name, more, code in (
            ("named by number", ["-p", "16120,16145"], UNKNOWN),
            ("that may have the name", ["--comm", "python3"], UNKNOWN),
            ("that nobody asked for", ["-p", "16145"], OK),
        ):
            result = check(*words, *more)
            report.check(f"a process that cannot be read, {name}",
                         judged(result, code) or
                         (None if code == OK or b"process 16120" in result.out else f"{result}"))
        result = check("--root", machine, "proc.rss", "-c", "1M", "-p", "16120,16145")
        report.check("what is past its limit is so whatever the others have",
                     judged(result, CRITICAL, ["proc_rss"]) or
                     (None if b"16145 (python3)" in result.out else f"{result}"))
    me = str(os.getpid())
    for words in (["proc.rss"], ["proc.swap"], ["maps.count"], ["fault.p99", "--interval", "0.1"]):
        result = check(words[0], "-p", f"{me},4194304", *words[1:])
        report.check(f"{words[0]} of a process that is there and one that is not",
                     judged(result, UNKNOWN) or
                     (None if b"no process 4194304" in result.out else f"{result}"))
    words = ["proc.rss", "-c", "1K", "-p", f"{me},4194304"]
    result = check(*words)
    report.check("what is past its limit names whom it is not known of",
                 judged(result, CRITICAL, ["proc_rss"]) or
                 (None if b"limit 1.00KiB; at least: no process 4194304" in result.out
                  else f"{result}"))


def textfile(report):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "vmtop.prom"
        result = check("--textfile", str(path), "available", *HIGH, "commit", "proc.rss", "-p", "4194304")
        text = path.read_text(encoding="ascii")
        found = dict(re.findall(r'^vmtop_check_status\{check="(\S+)"\} (\d)$', text, re.MULTILINE))
        report.check("--textfile has the status of each",
                     judged(result, WARNING) or (
                         None if found == {"available": "1", "commit": "0", "proc.rss": "3"}
                         and "\nvmtop_check_last_run_timestamp_seconds " in text else text))
        mode = path.stat().st_mode & 0o777
        report.check("--textfile: all may read it", None if mode == 0o644 else oct(mode))
        result = check("--textfile", f"{folder}/no/file", "available")
        report.check("--textfile that cannot be written: UNKNOWN",
                     None if result.code == UNKNOWN else f"{result}")


def unit(report):
    """What the service runs, with and without the directory of node_exporter."""
    text = (TOP / "systemd/vmtop-check.service.in").read_text(encoding="ascii")
    line = re.search("^ExecStart=(.*)$", text, re.MULTILINE).group(1).replace("$$", "$")
    with tempfile.TemporaryDirectory() as folder:
        conf = pathlib.Path(folder) / "vmtop/check.conf"
        conf.parent.mkdir()
        conf.write_text("[available]\nwarning = 0:\n", encoding="ascii")
        bindir = pathlib.Path(folder) / "bin"
        bindir.mkdir()
        (bindir / "vmtop").symlink_to(VMTOP)
        for old, new in (("@bindir@", str(bindir)), ("@sysconfdir@", folder),
                         ("/var/lib/vmtop", folder),
                         ("/var/lib/prometheus/node-exporter", f"{folder}/textfiles")):
            line = line.replace(old, new)
        got = []
        for _ in range(2):
            done = subprocess.run(shlex.split(line), capture_output=True, check=False, timeout=300)
            got.append((done.returncode, done.stdout, done.stderr,
                        os.path.exists(f"{folder}/textfiles/vmtop-check.prom")))
            os.makedirs(f"{folder}/textfiles", exist_ok=True)
        report.check("the service is silent without node_exporter, and writes for it where it is",
                     None if got == [(OK, b"", b"", False), (OK, b"", b"", True)] else f"{got}")


def late(report):
    """-t is a hard limit, also where no deadline of reading reaches."""
    result = check("-t", "0.3", "available", "fault.p99", "-p", str(os.getpid()),
                   "--interval", "0.2")
    report.check("-t: what is late is UNKNOWN, or was in time",
                 None if result.code in (OK, UNKNOWN) and result.out.startswith(b"VMTOP ")
                 else f"{result}")
    # A pipe that is full and that nobody reads.
    source, sink = os.pipe()
    fcntl.fcntl(sink, fcntl.F_SETPIPE_SZ, 4096)
    os.write(sink, b"x" * 4096)
    result = check("-t", "0.5", "available", stdout=sink)
    # Before anything was measured, and the watchdog has a line of its own.
    locked = check("-t", "0.5", "available", "--lock", "/", stdout=sink)
    hung = check("-t", "0.3", "majflt", "--interval", "0.29", stdout=sink)
    os.close(source)
    os.close(sink)
    report.check("-t: ends where nobody reads what is printed",
                 None if [result.code, locked.code, hung.code] == [UNKNOWN] * 3
                 else f"{result} {locked} {hung}")
    with open("/dev/full", "wb") as full:
        result = check("available", stdout=full)
    report.check("H01 full disk: check is UNKNOWN", expect(result, UNKNOWN, complaint=True))


def often(report):
    """Run after run leaves its two files and nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["-q", "--state", f"{folder}/state", "--lock", f"{folder}/lock", "majflt"]
        bad = [result for _ in range(60) if (result := check(*words)) != (OK, b"", b"")]
        report.check("L05 run after run: two files, and nothing else is left",
                     f"{bad[:1]}" if bad else
                     None if sorted(os.listdir(folder)) == ["lock", "state"] else os.listdir(folder))


def main():
    report = Report()
    codes(report)
    refused(report)
    order(report)
    quiet(report)
    document(report)
    hostile_names(report)
    config(report)
    state(report)
    lock(report)
    surroundings(report)
    missing(report)
    textfile(report)
    unit(report)
    late(report)
    often(report)
    report.done()


main()
