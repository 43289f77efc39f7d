#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What no run of vmtop does, as strace sees it: it talks to nobody, executes nothing, writes nothing
but the output that was asked for, and opens no file because a process maps it, unless it was asked
what is in such files.

A part of tests/live/run: it prints its cases and no plan, for it is not the only one.
"""

import mmap
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE.parent / "ui"))

from console import Console, ENTER  # noqa: E402
from tap import VMTOP, Report  # noqa: E402
from traced import untraced, victim  # noqa: E402

# As a release: what sanitizers do by themselves is none of the program's.
CASES = ("no socket but that of the kernel's news of processors", "no program is executed",
         "nothing is written but the output that was asked for",
         "no file that a process maps is opened unless it was asked what is in it")
TRACE = ["strace", "-f", "-y", "-qq", "-s", "4096", "-e", "trace=%file,%network,%process,prctl",
         "-e", "verbose=clone,clone3,bind"]
OPENS = ("open", "openat", "openat2")
# What changes a file without opening it.
CHANGES = re.compile(r"creat|mk(?:dir|nod)(?:at)?|rename(?:at2?)?|unlink(?:at)?|rmdir|link(?:at)?|"
                     r"symlink(?:at)?|f?chmodat2?|chmod|l?chown|fchownat|truncate|utime(?:s|nsat)?|"
                     r"futimesat|l?setxattr|l?removexattr|u?mount2?|pivot_root|swapon|swapoff|acct")
# CPUs that come and go: multicast of the kernel, to which nobody else can send.
UEVENT = re.compile(r"socket\(AF_NETLINK, [^,]+, NETLINK_KOBJECT_UEVENT\)|"
                    r"(?:bind|recvmsg)\(\d+<(?:socket|NETLINK):")
# The two ends between vmtop and the command that it is asked to run.
PAIR = re.compile(r"socketpair\(AF_UNIX, ")
CALL = re.compile(r"^(\d+) +(\w+)\(")
# main() gives up its privileges before anything is read; before that is the loader's work.
BEGUN = "prctl(PR_SET_NO_NEW_PRIVS"


def whole(lines):
    """Calls that another thread came between, in one line where they end."""
    begun = {}
    for line in lines:
        pid, _, rest = line.partition(" ")
        rest = rest.strip()
        if rest.endswith("<unfinished ...>"):
            begun[pid] = rest[:-len("<unfinished ...>")].rstrip()
            continue
        match = re.match(r"<\.\.\. \w+ resumed>(.*)", rest)
        if match:
            rest = begun.pop(pid, "") + match[1]
        yield f"{pid} {rest}"


def judge(lines, mapped, folder, tty=None, command=False):
    """What each rule objects to, in the order of CASES. mapped: paths; below folder output was asked
    for, and on tty; command: one is run, in a process of its own."""
    talks, runs, writes, opens = [], [], [], []
    lines = list(whole(lines))
    own = {line.split()[0] for line in lines[:1]}
    start = next((at for at, line in enumerate(lines) if BEGUN in line), None)
    if start is None:
        return ["it did not come to its work"], [], [], []
    for at, line in enumerate(lines):
        match = CALL.match(line)
        if not match:
            continue
        pid, name = match.groups()
        said = line[match.start(2):]
        below = f'"{folder}/' in said or f'<{folder}>, "' in said
        if name in ("clone", "clone3", "fork", "vfork"):
            child = re.search(r"= (\d+)$", said)
            if "CLONE_THREAD" in said and pid in own:
                own |= {child[1]} if child else set()
            elif pid in own:
                runs += [] if command else [line]
                command = False
            continue
        # A command that is run is no more ours than what it does.
        if pid not in own:
            continue
        if name in ("execve", "execveat"):
            runs += [line] if at else []
        elif name in ("socket", "socketpair", "bind", "connect", "listen", "accept", "accept4",
                      "sendto", "sendmsg", "sendmmsg", "recvfrom", "recvmsg", "recvmmsg"):
            if not UEVENT.match(said) and not PAIR.match(said):
                talks.append(line)
        elif CHANGES.fullmatch(name):
            if not below:
                writes.append(line)
        elif name in OPENS:
            found = re.search(r"= \d+<([^>]*)>(?:\(deleted\))?$", said)
            path = found[1] if found else ""
            if re.search(r"O_(?:WRONLY|RDWR|CREAT|TRUNC|TMPFILE|APPEND)", said) and \
                    not below and path != tty:
                writes.append(line)
            if at > start and (path in mapped or "map_files" in said):
                opens.append(line)
    return talks, runs, writes, opens


# What the C library and ncurses read by themselves, and others may map.
LIBC = ("/usr/share/zoneinfo/", "/usr/share/terminfo/", "/usr/lib/locale/", "/lib/terminfo/")


def mapped_paths():
    """Files that the processes of this machine map."""
    found = set()
    for path in pathlib.Path("/proc").glob("[0-9]*/maps"):
        try:
            text = path.read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            continue
        found |= {line.split(None, 5)[5] for line in text.splitlines() if line.count(" /") and
                  len(line.split(None, 5)) > 5}
    # The self-check reads a page of the program itself.
    return {path for path in found if path.startswith("/") and
            not path.startswith(("/proc/", "/sys/", "/dev/", *LIBC))} - {os.path.realpath(VMTOP)}


def traced(log, *args, codes=(0,)):
    done = subprocess.run([*TRACE, "-o", log, VMTOP, *args], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False, timeout=300)
    if done.returncode not in codes:
        raise RuntimeError(f"{args}: {done.returncode}: {done.stderr[-300:]!r}")
    return pathlib.Path(log).read_text(errors="surrogateescape").splitlines()


def dashboard(log, pid, steps):
    """Its calls while keys are pressed, each once the screen shows the text before it; its terminal."""
    with Console(command=[*TRACE, "-o", log, VMTOP, "top", "-p", str(pid)], size=(120, 40)) as c:
        for text, key in steps:
            c.wait_for(text)
            c.press(key)
        code, tty = c.wait_end(), c.slave_path
    if code:
        raise RuntimeError(f"the dashboard ended with {code}")
    return pathlib.Path(log).read_text(errors="surrogateescape").splitlines(), tty


SCREENS = [("available =", "2"), ("COMMAND", "3"), ("ADDRESS", ENTER), ("cell =", "5"),
           ("shown: all", "7"), ("events:", "1"), ("available =", "q")]
CACHE = [("available =", "6"), (re.compile(r"\d mapped files: \d"), "q")]


# What is no failure: there is a difference; no controller of memory; what needs a probe has none.
CODES = {"diff": (0, 3), "cgroups": (0, 1), "faults": (0, 1), "events": (0, 1)}


def runs(folder, pid):
    """The runs that are judged, and whether they run a command."""
    tape, doc = f"{folder}/tape.rec", f"{folder}/free.json"
    for words in (["free"], ["zones"], ["kernel"], ["cgroups"], ["ps"], ["ps", "--pss"],
                  ["maps", str(pid)], ["maps", "--pss", str(pid)], ["maps", "--cow", str(pid)],
                  ["pages", str(pid)], ["report", "--duration", "0.2"],
                  ["report", "--duration", "0.2", "-p", str(pid)], ["metrics"],
                  ["check", "available", "maps.count", "--textfile", f"{folder}/check.prom"], ["faults", "--duration", "0.2"],
                  ["events", "--summary", "--duration", "0.2"], ["free", "-J", "-w", doc],
                  ["record", "-d", "0.1", "-n", "3", "-w", tape], ["replay", "-b", "-r", tape],
                  ["diff", tape, tape]):
        yield words, False
    yield ["run", "--", "true"], True
    yield ["events", "--summary", "--", "true"], True


def examples(report, folder, path):
    """That the rules find what they forbid."""
    begun = '7 execve("vmtop", ["vmtop"], 0x1) = 0', f"7 {BEGUN}, 1, 0, 0, 0) = 0"
    bad = (
        "7 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3<socket:[1]>",
        '7 execve("/bin/sh", ["sh"], 0x1) = 0',
        f'7 openat(AT_FDCWD</>, "/proc/self/fd/3", O_WRONLY) = 4<{path}x>',
        f'7 openat(AT_FDCWD</>, "/proc/self/fd/3", O_RDONLY) = 4<{path}>',
    )
    missed = [line for line, found in zip(bad, judge([*begun, *bad], {path}, folder))
              if found != [line]]
    broken = [*begun, f'7 openat(3</proc/9>, "map_files/1-2" <unfinished ...>',
              "8 getpid() = 8", f"7 <... openat resumed>, O_RDONLY) = 4<{path}y>"]
    missed += ["map_files, in two lines"] if not judge(broken, set(), folder)[3] else []
    missed += ["fork"] if not judge([*begun, "7 clone(flags=SIGCHLD) = 8"], set(), folder)[1] else []
    missed += ["rename"] if not judge([*begun, '7 rename("/a", "/b") = 0'], set(), folder)[2] else []
    report.check("the rules of strace-quiet find what they forbid", missed)


def main():
    report = Report()
    why = untraced()
    if why:
        for case in CASES:
            report.skip(case, why)
        return
    with tempfile.TemporaryDirectory(prefix="vmtop-quiet-", dir="/var/tmp") as name, \
            tempfile.TemporaryDirectory(prefix="vmtop-quiet-", dir="/var/tmp") as folder:
        path, log = f"{name}/mapped", f"{name}/log"
        pathlib.Path(path).write_bytes(bytes(mmap.PAGESIZE))
        examples(report, folder, path)
        pid = victim(path)
        try:
            with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
                line = next(line for line in maps if path in line)
            start = "0x" + line.split("-")[0]
            found = {case: [] for case in CASES}

            def judged(words, lines, mapped, **more):
                for case, calls in zip(CASES, judge(lines, mapped | {path}, folder, **more)):
                    found[case] += [f"{words}: {call[:300]}" for call in calls[:3]]

            for words, command in runs(folder, pid):
                mapped = mapped_paths()
                lines = traced(log, *words, codes=CODES.get(words[0], (0,)))
                judged(" ".join(words), lines, mapped, command=command)
            lines, tty = dashboard(log, pid, SCREENS)
            judged("the dashboard", lines, mapped_paths(), tty=tty)
            for case, problems in found.items():
                report.check(case, problems)
            # What is asked for what is in files opens them, and the rule sees that.
            asked = [words for words in (["addr", str(pid), start], ["maps", "--forecast", str(pid)])
                     if not judge(traced(log, *words), {path}, folder)[3]]
            lines, tty = dashboard(log, pid, CACHE)
            asked += [] if judge(lines, mapped_paths(), folder, tty=tty)[3] else ["the cache screen"]
            report.check("files that processes map are opened where it was asked what is in them",
                         [f"{words}: no file was opened" for words in asked])
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    sys.exit(1 if report.failed else 0)


main()
