#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmtop record and vmtop replay as processes: killed, refused, on a full disk, one beside another."""

import contextlib
import json
import os
import pathlib
import random
import resource
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from program import (  # noqa: E402
    DENIED, FAILED, NOTHING, OK, PARTIAL, USAGE, Outsider, expect, loads, moment, one_line, pack, run,
)
from tap import BUILD, VMTOP, Report  # noqa: E402

OWN = f"--procs={os.getpid()}"
KILLS = 20
# Sanitizers keep what was freed, and read /proc themselves.
RELEASE = str(BUILD / "cmd" / "vmtop")


def samples(path):
    """How many samples replay reads; -1 where it reads none."""
    result = run("replay", "-r", path, "--ndjson", "-q")
    if result.code != OK:
        return -1
    return sum(loads(line)["type"] == "sample" for line in result.out.splitlines())


@contextlib.contextmanager
def recorder(path, *words, program=VMTOP, **more):
    """A recorder that runs, and ends with the block at the latest."""
    with subprocess.Popen([program, "record", "-w", path, "-d", "0.01", OWN, *words],
                          stderr=subprocess.PIPE, **more) as job:
        try:
            yield job
        finally:
            if job.poll() is None:
                job.kill()


def size(path):
    with contextlib.suppress(FileNotFoundError):
        return os.stat(path).st_size
    return 0


def grows_to(job, path, wanted):
    while job.poll() is None and size(path) < wanted:
        os.sched_yield()


def ends(job, sig=signal.SIGTERM):
    """The exit code of a recorder that is told to end, and what it said."""
    job.send_signal(sig)
    err = job.stderr.read()
    return job.wait(), err


def killed(report, folder):
    path, dice = os.path.join(folder, "killed.rec"), random.Random(7)
    wrong, had = [], 0
    for i in range(KILLS):
        with recorder(path) as job:
            grows_to(job, path, size(path) + dice.randrange(1, 6000))
            job.kill()
            job.wait()
            err = job.stderr.read()
        now = samples(path)
        if err or (now < had and not (now == -1 and had == 0)):
            wrong.append(f"kill {i}: {now} samples, {had} before it: {err!r}")
        had = max(now, had)
    with recorder(path) as job:
        grows_to(job, path, size(path) + 1)
        code, err = ends(job)
    if code != 128 + signal.SIGTERM or err:
        wrong.append(f"the last recorder: {code}, {err!r}")
    test = subprocess.run(["zstd", "-tq", path], check=False).returncode if shutil.which("zstd") else 0
    report.check(f"J05 a recorder that is killed {KILLS} times loses nothing that it wrote",
                 wrong + (["zstd does not take it"] if test else []))
    name = "J05 a recorder that is told to end while it takes over a file does so in order"
    if not shutil.which("strace"):
        report.skip(name, "no strace")
        return
    # The first thing that it does to the file is to cut it.
    result = run("-qq", "-o", os.path.join(folder, "trace"), "-e", "trace=ftruncate",
                 "-e", "inject=ftruncate:signal=SIGTERM", RELEASE, "record", "-w", path, "-d", "0.01",
                 OWN, program="strace")
    report.check(name, expect(result, 128 + signal.SIGTERM)
                 or ([] if samples(path) >= had else "samples are gone"))


def refused(report, folder):
    fifo, empty, text = (os.path.join(folder, name) for name in ("fifo", "empty", "text"))
    os.mkfifo(fifo)
    pathlib.Path(empty).touch()
    pathlib.Path(text).write_text("not a recording\n" * 9, encoding="ascii")
    for path in (fifo, empty, text, folder, "/dev/zero", "/dev/null", os.path.join(folder, "none")):
        result = run("replay", "-r", path, "-b")
        report.check(f"J07 {os.path.basename(path)} is refused",
                     expect(result, FAILED, complaint=True) or one_line(result.err))
    result = run("record", "-w", text, "-n", "1", OWN)
    report.check("J07 a file that is no recording is not written to",
                 expect(result, FAILED, complaint=True)
                 or (None if size(text) == 16 * 9 else "it is another one now"))
    path, junk = os.path.join(folder, "junk.rec"), b"what somebody has put there\n"
    wrong = []
    for more, line in ((b"", b""), (junk, b"vmtop: record: %s: %d bytes behind the last frame are "
                                          b"dropped\n" % (os.fsencode(path), len(junk)))):
        if more:
            with open(path, "ab") as file:
                file.write(more)
        result = run("record", "-w", path, "-n", "1", OWN)
        bad = expect(result, OK, quiet=False)
        wrong += [bad] if bad else [] if result.err == line else [f"{result.err!r}"]
    report.check("what is dropped behind the frames is named",
                 wrong + ([] if samples(path) == 2 else [f"{samples(path)} samples"]))


def full(report, folder):
    path = os.path.join(folder, "limit.rec")
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))  # noqa: E731
    with recorder(path, preexec_fn=limit) as job:
        err = job.stderr.read()
        code = job.wait()
    n = samples(path)
    report.check("J08 a limit of file size ends it, and all frames are whole",
                 [f"exit {code}: {err!r}" for _ in [0] if code != FAILED or one_line(err)]
                 + ([] if n > 2 and size(path) <= 8192 else [f"{n} samples"])
                 + ([] if not run("replay", "-r", path, "--ndjson").err else ["it is damaged"]))
    name = "J08 a full disk ends it, and all frames are whole"
    mount = os.path.join(folder, "tmpfs")
    os.mkdir(mount)
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", mount],
                                           check=False, stderr=subprocess.DEVNULL).returncode:
        report.skip(name, "no file system can be mounted")
        return
    try:
        path = os.path.join(mount, "a.rec")
        with recorder(path) as job:
            err = job.stderr.read()
            code = job.wait()
        n = samples(path)
        report.check(name, [f"exit {code}: {err!r}" for _ in [0] if code != FAILED or one_line(err)]
                     + ([] if n > 2 else [f"{n} samples"])
                     + ([] if not run("replay", "-r", path, "--ndjson").err else ["it is damaged"]))
    finally:
        subprocess.run(["umount", mount], check=True)


def second(report, folder):
    path = os.path.join(folder, "locked.rec")
    with recorder(path) as job:
        grows_to(job, path, 1)
        result = run("record", "-w", path, "-n", "1", OWN)
        alive = job.poll() is None
        code, err = ends(job, signal.SIGINT)
    report.check("L02 a second recorder ends with the process id of the first",
                 expect(result, FAILED, complaint=True)
                 or [] if str(job.pid).encode() in result.err and alive else [f"{result.err!r}"])
    report.check("a recorder that is interrupted has done what was asked for",
                 [] if code == OK and not err else [f"{code}: {err!r}"])


def others(report, folder):
    """What stands in the way of going on with a file."""
    path, other = os.path.join(folder, "names.rec"), os.path.join(folder, "other")
    words = ("record", "-w", path, "-n", "1", OWN)
    run(*words)
    os.link(path, other)
    was = pathlib.Path(path).read_bytes()
    report.check("H03 a recording with two names is not written to",
                 expect(run(*words), DENIED, complaint=True)
                 or ([] if pathlib.Path(path).read_bytes() == was else ["it is another one now"]))
    os.unlink(other)
    name = "H03 a recording of another user is not written to"
    if os.geteuid() != 0:
        report.skip(name, "only root can give it away")
    else:
        os.chown(path, 65534, 65534)
        report.check(name, expect(run(*words), DENIED, complaint=True)
                     or ([] if pathlib.Path(path).read_bytes() == was else ["it is another one now"]))


def packed(report, folder):
    """Recordings that no recorder has to be waited for."""
    if not shutil.which("zstd"):
        report.skip("recordings of lines", "no zstd")
        return
    path = os.path.join(folder, "aged.rec")
    pack(path, moment(1, {}))
    was = pathlib.Path(path).read_bytes()
    result = run("record", "-w", path, "-n", "1", "--rotate", "1h", OWN)
    report.check("--rotate goes by the first sample of a file, whoever has written it",
                 expect(result, OK)
                 or ([] if samples(path) == 1 else [f"{samples(path)} samples"])
                 + ([] if size(path + ".1") and pathlib.Path(path + ".1").read_bytes() == was
                    else ["the old one is not there"]))
    path = os.path.join(folder, "young.rec")
    pack(path, moment(time.time() - 10**9, {}))
    result = run("record", "-w", path, "-n", "1", "--rotate", "1h", OWN)
    report.check("--rotate goes on with a file that is not old",
                 expect(result, OK) or ([] if samples(path) == 2 else [f"{samples(path)} samples"]))
    path = os.path.join(folder, "headed.rec")
    pack(path)
    for words in (("diff", path, path), ("replay", "-r", path, "-b")):
        result = run(*words)
        report.check(f"{words[0]} of a recording without a sample",
                     expect(result, FAILED, complaint=True)
                     or ([] if b"without a whole sample" in result.err else [str(result.err)]))
    path = os.path.join(folder, "bad.rec")
    system = {"total_bytes": 1 << 30, "free_bytes": 1 << 20}
    pack(path, *(moment(i, {"system": system} if i not in (1, 3, 4) else {"system": []})
                 for i in range(1, 7)))
    result = run("replay", "-r", path, "-b")
    report.check("samples that cannot be read: replay shows the others",
                 [f"{result}" for _ in [0] if result.code != FAILED]
                 + ([] if result.err.count(b"vmtop: replay: ") == 3
                    and result.err.count(b"\n") == 3 else [f"{result.err!r}"])
                 + ([] if result.out.count(b"1:System") == 3 else [f"{result.out!r}"]))


def many(report, folder):
    """One that is longer than what replay reads: nothing of it goes when more is added."""
    name = "a recording of five million samples is gone on with"
    if not shutil.which("zstd"):
        report.skip(name, "no zstd")
        return
    path = os.path.join(folder, "long.rec")
    pack(path, *[json.dumps(moment(1, {}), separators=(",", ":"))] * 250000)
    frame = pathlib.Path(path).read_bytes()
    pathlib.Path(path).write_bytes(frame * 20)
    # The memory for it does not grow with the samples.
    limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (200 << 20, 200 << 20))  # noqa: E731
    result = run("record", "-w", path, "-n", "1", OWN, program=RELEASE, preexec_fn=limit,
                 timeout=300)
    data = pathlib.Path(path).read_bytes()
    report.check(name, expect(result, OK)
                 or ([] if data.startswith(frame * 20) and len(data) > 20 * len(frame)
                     else [f"{len(data)} bytes, {20 * len(frame)} before"]))


# As many mappings as it is told, of files of their own: no two of them are merged.
MANY_MAPS = """
import mmap, sys
maps = [mmap.mmap(-1, 4096) for _ in range(int(sys.argv[1]))]
print(len(maps), flush=True)
sys.stdin.read()
"""


def many_maps(report, folder):
    """A process with more mappings than a line can hold, and one with few."""
    with subprocess.Popen([sys.executable, "-c", MANY_MAPS, "20000"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as job:
        job.stdout.readline()
        # A busy machine may take longer to read them than an interval allows for, and mappings
        # without their figures do fit.
        for interval in ("0.01", "3", "10"):
            late, problems = record_many(os.path.join(folder, f"maps-{interval}.rec"), job.pid, interval)
            if not late:
                break
        job.stdin.close()
    report.check("mappings that no line could hold are left out, and what is written is read", problems)


def record_many(path, pid, interval):
    """How many reads came too late, and what is wrong with the recording of such a process."""
    both = f"{pid},{os.getpid()}"
    result = run("record", "-w", path, "-n", "3", "-d", interval, f"--procs={both}", "--maps", both,
                 program=RELEASE, timeout=300)
    problems = [expect(result, OK, complaint=True)]
    if b"1 of these processes have more mappings" not in result.err:
        problems.append(f"{result.err!r}")
    said = run("replay", "-r", path, "--ndjson", program=RELEASE)
    problems.append(expect(said, OK))
    lines = [loads(line) for line in said.out.splitlines()]
    seen = [sum(line["type"] == kind for line in lines) for kind in ("sample", "proc")]
    owners = {line["pid"] for line in lines if line["type"] == "map"}
    if seen != [3, 6] or owners != {os.getpid()}:
        problems.append(f"samples and processes {seen}, mappings of {owners}")
    if b"more mappings than a sample can hold" not in said.out:
        problems.append("no source says why")
    late = sum(line["scan"]["timed_out"] for line in lines if line["type"] == "sample")
    return late, [problem for problem in problems if problem]


def small_and_large(report, folder):
    """Files of some KiB that would be many MiB."""
    name = "J04 a small file does not take much memory"
    if not shutil.which("zstd"):
        report.skip(name, "no zstd")
        return
    half = [[{"pid": i} for i in range(1 + k * 60000, 60001 + k * 60000)] for k in range(2)]
    cases = {
        "zones": (moment(1, {"zones": [{}] * 260000}),),
        "processes": (moment(1, {"processes": half[0]}),
                      *(moment(i, {"processes": {"new": half[1]}}, key=1) for i in (2, 3))),
        "values": (moment(1, {"nothing": [0] * 1000000}),),
    }
    # 800 MiB is what one of these took by itself.
    limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (500 << 20, 500 << 20))  # noqa: E731
    problems = []
    for kind, lines in cases.items():
        path = os.path.join(folder, f"{kind}.rec")
        pack(path, *lines)
        for words in (("replay", "-r", path, "--ndjson", "-q"), ("diff", path, path)):
            result = run(*words, program=RELEASE, preexec_fn=limit)
            if result.code not in (OK, FAILED) or b"memory" in result.err:
                problems.append(f"{kind}: {words[0]}: {result.code}, {result.err[-200:]!r}")
    report.check(name, problems)


def on_disk(report, folder):
    name = "each frame is on the disk when it ends"
    if not shutil.which("strace"):
        report.skip(name, "no strace")
        return
    path, trace = os.path.join(folder, "disk.rec"), os.path.join(folder, "disk.trace")
    said = subprocess.run(["strace", "-f", "-o", trace, "-e", "trace=fsync,fdatasync", RELEASE,
                           "record", "-w", path, "-n", "6", "-d", "0.05", "--frame", "0.01", OWN],
                          stderr=subprocess.PIPE, check=False)
    frames = pathlib.Path(path).read_bytes().count(b"\x28\xb5\x2f\xfd")
    calls = len(re.findall(r"sync\(.* = 0$", pathlib.Path(trace).read_text(encoding="utf-8"),
                           re.MULTILINE))
    report.check(name, [f"{calls} calls, {frames} frames, {said}"]
                 if said.returncode or frames < 2 or calls < frames else [])


def resident(pid):
    """Its anonymous memory in KiB, page by page: the counters of status may be behind."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    return int(re.search(r"^Anonymous:\s+(\d+) kB$", text, re.MULTILINE).group(1))


def steady(report, folder):
    """8640 samples are a day; 1 MiB a day is 60 KiB in 500. A frame with more samples than any before
    it, as the machine has more time for them, has a larger buffer: but not each time."""
    path = os.path.join(folder, "steady.rec")
    with recorder(path, "--frame", "0.1", program=RELEASE) as job:
        def frames(n):
            data = b""
            while job.poll() is None and data.count(b"\x28\xb5\x2f\xfd") < n:
                data = pathlib.Path(path).read_bytes() if size(path) else b""
        frames(40)
        had = [resident(job.pid)]
        for n in (90, 140, 190):
            frames(n)
            had.append(resident(job.pid))
            if had[-1] - had[-2] <= 60:
                break
        ends(job)
    report.check("L07 its memory does not grow with samples",
                 [] if had[-1] - had[-2] <= 60 else [f"one time after another {had} KiB"])


def files(report, folder):
    path = os.path.join(folder, "many.rec")
    # The first sample of a file takes more than that, however little happens.
    result = run("record", "-w", path, "-d", "0.01", "-n", "20", "--rotate", "1K", "--keep", "2", OWN)
    names = sorted(name for name in os.listdir(folder) if name.startswith("many.rec"))
    report.check("--rotate begins another file, and --keep keeps as many as it says",
                 expect(result, OK)
                 or ([] if names == ["many.rec", "many.rec.1", "many.rec.2"] else [str(names)])
                 + [f"{name} has no sample" for name in names
                    if samples(os.path.join(folder, name)) < 1])
    path = os.path.join(folder, "none.rec")
    with recorder(path, "--rotate", "4K", "--keep", "0") as job:
        grows_to(job, path, 1)
        os.unlink(path)
        grows_to(job, path, 1)
        problems = [] if job.poll() is None else [f"it ended: {job.returncode}"]
        ends(job)
    report.check("--keep 0, and the file was removed meanwhile", problems)
    path = os.path.join(folder, "moved.rec")
    with recorder(path) as job:
        grows_to(job, path, 1)
        os.rename(path, path + ".old")
        job.send_signal(signal.SIGHUP)
        grows_to(job, path, 1)
        ends(job)
    report.check("SIGHUP opens what stands there now",
                 [name for name in (path, path + ".old") if samples(name) < 1])


def rights(report, folder):
    path = os.path.join(folder, "a.rec")
    run("record", "-w", path, "-d", "0.01", "-n", "3", OWN)
    report.check("a time that was not recorded", expect(
        run("replay", "-r", path, "-b", "--begin", "@4000000000"), NOTHING, complaint=True))
    for day, code in (("2026-02-29", USAGE), ("2024-02-29", OK), ("2026-04-31", USAGE)):
        report.check(f"a time of {day}", expect(
            run("replay", "-r", path, "-b", "--begin", day), code, complaint=code != OK))
    for when, code in (("@9223372036", OK), ("@9223372037", USAGE), ("@18446744073", USAGE),
                       ("@18446744074", USAGE), ("2262-04-11", OK), ("2262-04-13", USAGE),
                       ("9999-12-31T23:59:59Z", USAGE), ("03:60", USAGE), ("@", USAGE),
                       ("@-1", USAGE)):
        report.check(f"--end {when}", expect(
            run("replay", "-r", path, "-b", "--end", when), code, complaint=code != OK))
    mode = os.stat(path).st_mode & 0o777
    report.check("H05 a recording is its owner's alone", [] if mode == 0o600 else [oct(mode)])
    name = "J04 replay opens no process and no file but the recording"
    if not shutil.which("strace"):
        report.skip(name, "no strace")
    else:
        trace = os.path.join(folder, "trace")
        said = subprocess.run(["strace", "-f", "-o", trace, "-e", "trace=%file", RELEASE, "replay",
                               "-r", path, "-b"], stdout=subprocess.DEVNULL, check=False)
        text = pathlib.Path(trace).read_text(encoding="utf-8", errors="replace")
        report.check(name, re.findall(r'"/(?:proc|sys)/[^"]*"', text)[:3]
                     + ([f"exit {said.returncode}"] if said.returncode else []))
    if os.geteuid() != 0:
        report.skip("replay as nobody", "only root can become nobody")
        return
    with Outsider() as nobody:
        os.chmod(folder, 0o755)
        os.chmod(path, 0o644)
        result = nobody.run("replay", "-r", path, "-b", env={**os.environ, "HOME": folder})
        report.check("replay as nobody", expect(result, OK))


def mapped(report, folder):
    """--maps of a process that is not recorded is no silent nothing."""
    path, parent = os.path.join(folder, "maps.rec"), os.getppid()
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    for pid, words, said in ((parent, (OWN,), f"process {parent} is not in --procs"),
                             (gone.pid, (), f"process {gone.pid} is not there"),
                             (os.getpid(), (OWN,), None)):
        result = run("record", "-w", path, "-d", "0.01", "-n", "3", *words, "--maps", str(pid))
        report.check(f"--maps, and {said or 'the process is recorded'}", expect(
            result, OK, complaint=said is not None)
            or ([] if (said or "").encode() in result.err else [f"{result.err!r}"]))


def faults(report, folder):
    """--faults as nobody: on whatever rung is left, or the rest of it, and the exit code says so."""
    name = "record --faults as nobody"
    if os.geteuid() != 0:
        report.skip(name, "only root can become nobody")
        return
    with Outsider() as nobody:
        path = os.path.join(nobody.folder, "faults.rec")
        os.chmod(nobody.folder, 0o777)
        result = nobody.run("record", "-w", path, "-n", "2", "-d", "0.1", "--faults")
        text = subprocess.run(["zstd", "-dcq", path], stdout=subprocess.PIPE, check=True).stdout
    said = [loads(line)["data"].get("probe") for line in text.splitlines()
            if loads(line)["type"] == "sample"]
    rungs = [rows[0]["rung"] if rows else "unknown" for rows in said]
    wanted = DENIED if "none" in rungs else OK
    report.check(name, expect(result, wanted, quiet=False)
                 or ([f"rungs {rungs}"] if len(said) != 2 or "unknown" in rungs else []))


def events(report, folder):
    """--events as nobody: nothing of them, which is not none, the rest of it, and the exit code."""
    name = "record --events as nobody"
    if os.geteuid() != 0:
        report.skip(name, "only root can become nobody")
        return
    with Outsider() as nobody:
        path = os.path.join(nobody.folder, "events.rec")
        os.chmod(nobody.folder, 0o777)
        result = nobody.run("record", "-w", path, "-n", "2", "-d", "0.1", "--events")
        text = subprocess.run(["zstd", "-dcq", path], stdout=subprocess.PIPE, check=True).stdout
        again = nobody.run("replay", "-r", path, "--ndjson")
    lines = [loads(line) for line in text.splitlines()]
    first = [line for line in lines if line["type"] == "sample"][0]
    state = first["sources"]["events"]["status"]
    wanted = {"ok": OK, "denied": DENIED}.get(state, PARTIAL)
    problems = expect(result, wanted, quiet=False)
    if state != "ok" and ("events" in first["data"] or b"--events: " not in result.err):
        problems.append(f"{state}: {first['data'].get('events')}, said {result.err!r}")
    if state != "ok" and b'"type":"event"' in again.out:
        problems.append("replay has events")
    report.check(name, problems)


def main():
    report = Report()
    with tempfile.TemporaryDirectory() as folder:
        result = run("record", "-w", os.path.join(folder, "x.rec"), "-n", "1")
        if b"built without" in result.err:
            report.skip("recordings", "this build has none")
            report.done()
        for part in (killed, refused, full, second, others, packed, many, many_maps,
                     small_and_large, on_disk, steady, files, rights, mapped, faults,
                     events):
            part(report, folder)
    report.done()


main()
