#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmtop events against strace: both watch the same programs at once, and have to tell the same calls
with the same arguments, results and files, in the same order.

A part of tests/live/run: it prints its cases and no plan, for it is not the only one.
"""

import json
import mmap
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from tap import BUILD, VMTOP, Report  # noqa: E402
from traced import untraced  # noqa: E402

CALLS = BUILD / "tests" / "live" / "event-calls"
TRACED = ("mmap,munmap,mprotect,mremap,brk,madvise,mlock,munlock,mlockall,msync,memfd_create,shmat,"
          "shmdt,?clone,?clone3,?fork,?vfork,execve,?execveat,?pkey_mprotect,?process_madvise,?mlock2,"
          "munlockall,?remap_file_pages,?mseal")
PAGE = mmap.PAGESIZE
# How strace begins the names of flags, which vmtop leaves out.
PREFIX = re.compile(r"^(PROT|MAP|MADV|MREMAP|MS|MFD|SHM|CLONE|MCL)_")
ERROR = re.compile(r"^-1 (E[A-Z0-9]+) ")
FILE = re.compile(r"^(-?\d+)<(.*)>(\(deleted\))?$")


def split_arguments(text):
    """At the commas that stand in no text and in no brackets."""
    found, depth, quoted, begin = [], 0, False, 0
    for at, char in enumerate(text):
        if char == '"' and text[at - 1:at] != "\\":
            quoted = not quoted
        elif not quoted and char in "([{<":
            depth += 1
        elif not quoted and char in ")]}>":
            depth -= 1
        elif not quoted and depth == 0 and char == ",":
            found.append(text[begin:at].strip())
            begin = at + 1
    return found + [text[begin:].strip()]


def number(text):
    return 0 if text == "NULL" else int(text.split()[0], 0)


def words(text):
    """PROT_READ|PROT_WRITE as {read, write}; 0 and PROT_NONE as none."""
    names = {PREFIX.sub("", word).lower() for word in text.split("/*")[0].strip().split("|")}
    return names - {"0", "none", "0x0"}


def pages(start, size):
    low = start & -PAGE
    return low, (size + start - low + PAGE - 1) & -PAGE


def of_file(text):
    """(descriptor, path) of 3</usr/lib/libc.so.6>; the path as vmtop writes it."""
    match = FILE.match(text)
    if not match:
        return int(text, 0) & 0xffffffff, None
    return int(match[1]), match[2] + (" (deleted)" if match[3] else "")


def expected(name, text, result):
    """What vmtop has to tell of a call of strace, as {key: value}; None for one of a thread."""
    args = split_arguments(text)
    error = ERROR.match(result)
    row = {"event": name, "error": error[1] if error else None}
    ret = None if error else of_file(result)[0] if "<" in result else number(result)
    if not error:
        row["result"] = ret
    if name == "mmap":
        start, size = (number(args[0]), number(args[1]))
        row["start"], row["size_bytes"] = (start, size) if error else (ret, pages(0, size)[1])
        row["protection"], row["flags"] = words(args[2]), words(args[3])
        if "anonymous" not in row["flags"]:
            row["fd"], path = of_file(args[4])
            row["offset_bytes"] = number(args[5])
            if path:
                row["path"] = path
    elif name in ("munmap", "mprotect", "madvise", "mlock", "munlock", "msync"):
        where = number(args[0]), number(args[1])
        row["start"], row["size_bytes"] = where if error else pages(*where)
        if name == "mprotect":
            row["protection"] = words(args[2])
        elif len(args) > 2 and "???" not in args[2]:
            row["flags"] = words(args[2])
    elif name == "mremap":
        row["old_start"], row["old_size_bytes"] = number(args[0]), pages(0, number(args[1]))[1]
        row["flags"] = words(args[3])
        if not error:
            row["start"], row["size_bytes"] = ret, pages(0, number(args[2]))[1]
    elif name == "memfd_create":
        row["flags"] = words(args[1])
        row["path"] = of_file(result)[1]
    elif name in ("shmat", "shmdt"):
        row["start"] = ret if name == "shmat" else number(args[0])
        if name == "shmat":
            row["flags"] = words(args[2])
    elif name in ("clone", "clone3", "fork", "vfork"):
        if "CLONE_THREAD" in text:
            return None
        row["child_pid"] = ret
        flags = re.search(r"flags=([A-Z_|0-9x]+)", text)
        if flags:
            row["flags"] = {word for word in words(flags[1]) if not word.startswith("sig")}
    return row


def read_strace(path):
    """{pid: rows} in the order of the ends of the calls."""
    found, begun = {}, {}
    for line in path.read_text().splitlines():
        pid, text = line.split(maxsplit=1)
        if text.endswith("<unfinished ...>"):
            begun[pid] = text[:-len("<unfinished ...>")].rstrip()
            continue
        resumed = re.match(r"<\.\.\. \w+ resumed>\s*(.*)", text)
        if resumed:
            text = begun.pop(pid) + resumed[1]
        ended = re.match(r"\+\+\+ exited with (\d+) \+\+\+", text)
        call = re.match(r"(\w+)\((.*)\)\s+= (.*)$", text)
        rows = found.setdefault(int(pid), [])
        if ended:
            rows.append({"event": "exit", "exit_status": int(ended[1])})
        elif re.match(r"\+\+\+ killed by", text):
            rows.append({"event": "exit"})
        elif call:
            row = expected(call[1], call[2], call[3])
            if row:
                rows.append(row)
        else:
            raise ValueError(f"strace says {line!r}")
    return found


def same(want, row):
    """Whether a row of vmtop has what strace said."""
    for key, value in want.items():
        has = row[key]
        if key in ("flags", "protection"):
            has = set((has or "").split("+")) - {"none", "0", ""}
        elif key in ("start", "old_start"):
            has = int(has, 16) if isinstance(has, str) else has
        if has != value:
            return False
    return True


def watch(command, scratch):
    """(problems, {pid: rows of strace}, {pid: rows of vmtop})"""
    trace = pathlib.Path(scratch) / "strace"
    result = subprocess.run(
        # strace and what it runs end with it.
        ["timeout", "-k", "5", "400", VMTOP, "events", "--ndjson", "--rate-limit", "0", "--",
         "strace", "-f", "-y", "-s", "4096", "-e", f"trace={TRACED}", "-e", "signal=none",
         "-o", trace, *command],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        check=False)
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    told, problems = {}, []
    for row in rows:
        if row["type"] == "event":
            told.setdefault(row["pid"], []).append(row)
        elif row["type"] == "event_probe":
            problems += [f"{key}: {row[key]}" for key in ("lost_total", "limited_total") if row[key]]
    if not trace.exists():
        return [f"exit {result.returncode}: {result.stderr[-300:]}"], {}, told
    return problems, read_strace(trace), told


def compare(report, name, command, least):
    with tempfile.TemporaryDirectory(prefix="events-strace-") as scratch:
        problems, traced, told = watch([word.replace("SCRATCH", scratch) for word in command],
                                       scratch)
    calls = 0
    for pid, wanted in traced.items():
        rows = told.get(pid, [])
        first = [i for i, row in enumerate(rows) if row["event"] == "execve" and not row["failed"]]
        # Of the program itself: what strace did before in its place is not traced.
        if wanted and wanted[0]["event"] == "execve" and not wanted[0]["error"] and first:
            rows = rows[first[0]:]
        if len(rows) != len(wanted):
            problems.append(f"process {pid}: {len(rows)} events, strace has {len(wanted)}")
        for want, row in zip(wanted, rows):
            calls += 1
            if not same(want, row):
                problems.append(f"strace: {want}; vmtop: {row['text']}, {row['result']}")
                break
    if not problems and calls < least:
        problems.append(f"{calls} calls were compared, not {least}")
    report.check(name, problems)
    print(f"# {name}: {calls} calls of {len(traced)} processes", flush=True)


def main():
    report = Report()
    why = untraced()
    if why:
        report.skip("events-strace", why)
        return 0
    with open("/proc/self/status", encoding="ascii") as status:
        if any(line.startswith("NSpid:") and len(line.split()) > 2 for line in status):
            report.skip("events-strace", "in a PID namespace the two have other numbers")
            return 0
    compare(report, "events-strace/known-calls",
            [str(CALLS), "--calls", "SCRATCH/calls", "native"], 40)
    compare(report, "events-strace/shell",
            ["sh", "-c", "ls -l / >/dev/null; sort /etc/passwd >/dev/null; python3 -c 'x = bytearray(1 << 24)'"], 100)
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
