#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What vmtop opens and asks for, as strace sees it: the hostile cases D06, D07, D09 and D10.

A part of tests/live/run: it prints its cases and no plan, for it is not the only one.
"""

import mmap
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from tap import VMTOP, Report  # noqa: E402
from traced import victim  # noqa: E402

CASES = ("D06 the kernel is never asked for build-ids", "D07 no mapped file is opened or looked at",
         "D09 no file is read that blocks otherwise",
         "D10 files of a process are read in pieces of at most 64 KiB")
# Calls that take the path of a file, and those whose size tells how long a lock is held.
BY_PATH = "open,openat,openat2,stat,lstat,newfstatat,statx,readlink,readlinkat,access,faccessat," \
          "faccessat2,statfs"
SIZED = "read,pread64,preadv,ioctl"
# PROCMAP_QUERY of linux/fs.h: _IOWR(0x9f, 17, struct procmap_query). It is the query that can name
# a buffer for a build-id; vmtop does not make it at all.
PROCMAP_QUERY = re.compile(r"PROCMAP_QUERY|_IOC_READ\|_IOC_WRITE, 0x9f, 0x11|0x9f, 0x11")
BLOCKS = re.compile(r'"[^"]*(?:slabinfo|pagetypeinfo|cgroup\.controllers|/environ|mem|auxv|'
                    r"cmdline)\"")
MOST = 65536


def traced(*args):
    """The calls of a run, one a line; paths of descriptors stand behind them in <>."""
    with tempfile.NamedTemporaryFile() as file:
        done = subprocess.run(
            ["strace", "-f", "-y", "-qq", "-s", "4096", "-e", f"trace={BY_PATH},{SIZED}",
             "-e", "verbose=none", "-o", file.name, VMTOP, *args],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False, timeout=120)
        if done.returncode:
            raise RuntimeError(f"{args}: {done.returncode}: {done.stderr[-300:]!r}")
        return file.read().decode(errors="replace").splitlines()


def wrong(lines, path, pid):
    """What each rule objects to, in the order of CASES."""
    asked = [line for line in lines if PROCMAP_QUERY.search(line)]
    # The directory map_files leads to the file, and exe to a program.
    by_path = re.compile(rf"\b(?:{BY_PATH.replace(',', '|')})\(")
    named = [line for line in lines if by_path.search(line)]
    touched = [line for line in named if path in line or f"/proc/{pid}/map_files" in line
               or '"map_files' in line or '"exe"' in line]
    blocks = [line for line in lines
              if re.search(r"\b(?:open|openat|openat2)\(", line) and BLOCKS.search(line)]
    large = []
    for line in lines:
        match = re.search(r"\b(?:read|pread64)\(\d+</proc/\d+/[^>]*>, .*?, (\d+)(?:, \d+)?\) *=",
                          line)
        if match and int(match.group(1)) > MOST:
            large.append(line)
    return asked, touched, blocks, large


def main():
    report = Report()
    if shutil.which("strace") is None:
        for case in CASES:
            report.skip(case, "no strace here")
        return
    with tempfile.TemporaryDirectory(prefix="vmtop-opened-", dir="/var/tmp") as folder:
        path = f"{folder}/mapped"
        pathlib.Path(path).write_bytes(bytes(mmap.PAGESIZE))
        pid = victim(path)
        try:
            found = {case: [] for case in CASES}
            seen = set()
            for args in (["ps"], ["ps", "--pss"], ["maps", str(pid)], ["maps", "--pss", str(pid)],
                         ["maps", "--all", "--list-only"], ["pages", str(pid)],
                         ["report", "--duration", "0", "-p", str(pid)], ["free"]):
                lines = traced(*args)
                seen |= {name for line in lines for name in
                         re.findall(r"\b(?:read|pread64)\(\d+</proc/\d+/(\w+)>", line)}
                for case, lines_ in zip(CASES, wrong(lines, path, pid)):
                    found[case] += [f"{' '.join(args)}: {line[:300]}" for line in lines_[:3]]
            missed = {"status", "maps", "smaps", "smaps_rollup"} - seen
            for case, problems in found.items():
                report.check(case, problems or
                             ([f"strace does not show reads of {sorted(missed)}"] if missed
                              else None))
            # The rules find what they forbid.
            example = [
                'ioctl(3</proc/9/maps>, PROCMAP_QUERY, 0x7ffc) = 0',
                f'openat(AT_FDCWD, "{path}", O_RDONLY) = 3',
                'openat2(3</proc>, "slabinfo", {...}, 24) = 4',
                'read(5</proc/9/smaps>, "x"..., 1048576) = 4000',
            ]
            report.check("D06 D07 D09 D10 the rules find what they forbid", [
                line for line, lines_ in zip(example, wrong(example, path, pid))
                if line not in lines_
            ])
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    sys.exit(1 if report.failed else 0)


main()
