#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Where output goes and what happens where it cannot: full disks, closed pipes, files, locales."""

import ctypes
import os
import pathlib
import resource
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from program import FAILED, OK, TIMEOUT, expect, loads, one_line, run  # noqa: E402
from tap import VMTOP, Report  # noqa: E402

# One of each way to put something out.
WRITERS = [
    ["free"], ["free", "-J"], ["free", "--csv"], ["ps"], ["ps", "-J"], ["ps", "--ndjson"],
    ["ps", "--csv"], ["maps", "1"], ["maps", "--all"], ["maps", "--all", "-J"],
    ["maps", "--all", "--ndjson"], ["maps", "--all", "--csv"], ["report", "-J"], ["doctor"], ["schema", "free"],
    ["help"], ["free", "--help"], ["--version"], ["ps", "-o", "help"],
]
ME = str(os.getpid())


def full_disk(report):
    for args in WRITERS:
        args = [ME if arg == "1" else arg for arg in args]
        with open("/dev/full", "wb") as full:
            result = run(*args, stdout=full)
        problem = expect(result, FAILED, quiet=False) or (
            None if b"No space left" in result.err else f"says {result.err!r}"
        )
        report.check(f"H01 full disk: {' '.join(arg for arg in args if arg != ME)}", problem)


def into_closed_pipe(args):
    source, sink = os.pipe()
    os.close(source)
    result = run(*args, stdout=sink)
    os.close(sink)
    return expect(result, 128 + signal.SIGPIPE)


def closed_pipe(report):
    """The reader went away: never exit 0, and not a word about it."""
    for args in (
        ["ps"], ["ps", "-J"], ["ps", "--ndjson"], ["help"], ["maps", "--all"],
        ["maps", "--all", "-J"],
    ):
        report.check(f"closed pipe: {' '.join(args)}", into_closed_pipe(args))
    report.check("F11 SIGPIPE: faults to a reader that is gone",
                 into_closed_pipe(["faults", "-J", "--duration", "0.2"]))


def closed_descriptors(report):
    with tempfile.TemporaryDirectory() as folder:
        for name, closed in (("stdin", [0]), ("stdout", [1]), ("stderr", [2]), ("all", [0, 1, 2])):
            path = os.path.join(folder, name)

            def shut(closed=closed):
                for fd in closed:
                    os.close(fd)

            said = subprocess.run(
                [VMTOP, "free", "-J", "-w", path], preexec_fn=shut, check=False, timeout=300
            )
            problem = f"exit {said.returncode}" if said.returncode else None
            if not problem:
                with open(path, "rb") as file:
                    text = file.read()
                problem = None if loads(text)["schema"] == "vmtop.free" else "another document"
            report.check(f"E20 closed at start: {name}", problem)
    report.check("closed stdout", expect(
        run("free", stdout=None, preexec_fn=lambda: os.close(1)), (OK, FAILED), quiet=False))


def no_arguments_at_all(report):
    """argc 0, which execve allows before 5.18, and an empty argv[0]."""
    libc = ctypes.CDLL(None, use_errno=True)
    for name, words in (("no argv[0]", []), ("empty argv[0]", [b""])):
        source, sink = os.pipe()
        child = os.fork()
        if child == 0:
            os.dup2(sink, 1)
            argv = (ctypes.c_char_p * (len(words) + 1))(*words, None)
            libc.execv(VMTOP.encode(), argv)
            os._exit(99)
        os.close(sink)
        with open(source, "rb") as file:
            text = file.read()
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        report.check(f"E21 {name}", f"exit {status}" if status else None if text else "prints nothing")


def written_file(report):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        path = folder / "free.json"

        old = os.umask(0)
        result = run("free", "-J", "-w", str(path))
        os.umask(old)
        problem = expect(result, OK) or (f"stdout is {result.out!r}" if result.out else None)
        report.check("-w writes the document", problem or (
            None if loads(path.read_bytes())["schema"] == "vmtop.free" else "another document"))
        mode = stat.S_IMODE(path.stat().st_mode)
        report.check("H05 -w: only the owner may read it", None if mode == 0o600 else oct(mode))
        path.write_text("old")
        report.check("-w replaces", expect(run("free", "-J", "-w", str(path)), OK)
                     or (None if path.read_text() != "old" else "the old text"))
        report.check("-w in the directory where it runs",
                     expect(run("free", "-w", "plain", cwd=folder), OK)
                     or (None if (folder / "plain").stat().st_size else "empty"))
        report.check("-w - is stdout", None if run("free", "-w", "-").out else "nothing came")

        (folder / "link").symlink_to(path)
        os.mkfifo(folder / "pipe")
        (folder / "folder").mkdir()
        for name in ("link", "pipe", "folder"):
            result = run("free", "-w", str(folder / name), timeout=300)
            report.check(f"H03 -w refuses what is no file: {name}",
                         expect(result, FAILED, complaint=True))
        for name, where in (("in no directory", folder / "no" / "file"), ("a device", "/dev/full"),
                            ("without a name", f"{folder}/"), ("of nothing", "")):
            result = run("free", "-w", str(where), timeout=300)
            report.check(f"H03 -w refuses a file {name}", None if result.code in (1, 2)
                         and not one_line(result.err) else f"{result}")

        def no_room():
            resource.setrlimit(resource.RLIMIT_FSIZE, (16, 16))

        path.write_text("old")
        result = run("ps", "-J", "-w", str(path), preexec_fn=no_room)
        report.check("H02 -w where the limit of size is met", expect(result, FAILED, complaint=True))
        report.check("H02 -w that failed leaves the old file",
                     None if path.read_text() == "old" else "another text")
        with open(folder / "out", "wb") as out:
            result = run("ps", "-J", stdout=out, preexec_fn=no_room)
        report.check("H02 stdout where the limit of size is met",
                     expect(result, FAILED, complaint=True))
        left = {item.name for item in folder.iterdir()}
        report.check("-w leaves nothing aside",
                     sorted(left - {"folder", "free.json", "link", "out", "pipe", "plain"}))


def kinds(value):
    """A document with each leaf replaced by its type, rows folded: what stays from run to run."""
    if isinstance(value, dict):
        return {key: kinds(value[key]) for key in value}
    if isinstance(value, list):
        return "rows"
    return type(value).__name__


def surroundings(report):
    """Cron's empty environment, and locales with other points, other letters, or none."""
    plain = kinds(loads(run("free", "-J").out))
    result = run("free", "-J", env={}, cwd="/")
    report.check("L01 empty environment", expect(result, OK)
                 or (None if kinds(loads(result.out)) == plain else "another document"))
    report.check("L01 empty environment, text", expect(run("ps", env={}, cwd="/"), OK))

    with tempfile.TemporaryDirectory() as folder:
        for name in ("de_DE", "tr_TR"):
            if shutil.which("localedef"):
                subprocess.run(
                    ["localedef", "-i", name, "-f", "UTF-8", f"{folder}/{name}.UTF-8"],
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
                )
        for locale in ("de_DE.UTF-8", "tr_TR.UTF-8", "bogus", "C", "POSIX"):
            if "_" in locale and not os.path.isdir(f"{folder}/{locale}"):
                report.skip(f"L03 locale {locale}", "cannot be made: package locales")
                continue
            env = {**os.environ, "LC_ALL": locale, "LANG": locale, "LOCPATH": folder}
            result = run("free", "-J", env=env)
            report.check(f"L03 locale {locale}", expect(result, OK)
                         or (None if kinds(loads(result.out)) == plain else "another document"))
            result = run("free", "--ascii", env=env)
            problem = expect(result, OK) or (
                None if result.out.isascii() else f"more than ASCII: {result.out!r}")
            report.check(f"L03 locale {locale}, --ascii", problem)
        text = run("ps", env={**os.environ, "LC_ALL": "C"})
        report.check("text of the C locale is ASCII", expect(text, OK)
                     or (None if text.out.isascii() else "it is not"))


def interrupted(number, *args):
    """What is wrong with the end of a run that gets a signal."""
    child = subprocess.Popen(
        [VMTOP, *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )
    # Any moment will do: a run must end well from its first instruction on.
    time.sleep(1)
    child.send_signal(number)
    try:
        out, _ = child.communicate(timeout=120)
        if out:
            loads(out)
        fine = child.returncode in (0, 128 + number, -number)
        return None if fine else f"exit {child.returncode}"
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        return "still there after 120 s"
    except ValueError as broken:
        return f"half a document: {broken}"


def signals(report):
    """An interrupted run ends soon, and what it printed is complete or nothing."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        for command in ("report", "faults"):
            report.check(f"F11 {number.name} ends {command}",
                         interrupted(number, command, "-J", "--duration", "600"))


def time_limit(report):
    result = run("faults", "--duration", "600", "--timeout", "1", timeout=120)
    report.check("--timeout ends a run with 124", expect(result, TIMEOUT, quiet=False))


def main():
    report = Report()
    full_disk(report)
    closed_pipe(report)
    closed_descriptors(report)
    no_arguments_at_all(report)
    written_file(report)
    surroundings(report)
    signals(report)
    time_limit(report)
    report.done()


main()
