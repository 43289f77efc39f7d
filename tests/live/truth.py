#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The process of truth.c, read by everybody: what it says of itself, vmtop, pmap -X, smem and the few
lines of a parser below have to agree, on the live process and on the same bytes of smaps.

A part of tests/live/run: it prints its cases and no plan, for it is not the only one.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from pmap import SIZES, differences, pmap  # noqa: E402
from program import loads, run  # noqa: E402
from tap import BUILD, Report  # noqa: E402

FILES = ("smaps", "maps", "status", "stat", "statm", "smaps_rollup")
MACHINE = ("meminfo", "vmstat", "zoneinfo")
TRIES = 100
# Columns of smem, and of what they are the sum.
SMEM = {
    "uss": ("private_clean_bytes", "private_dirty_bytes"),
    "pss": ("pss_bytes",),
    "rss": ("rss_bytes",),
    "swap": ("swap_bytes",),
    "vss": ("size_bytes",),
}


class Workload:
    """The process, from where it stands still until the end of the with statement."""

    def __enter__(self):
        self.folder = tempfile.mkdtemp(dir="/var/tmp", prefix="vmtop-truth-")
        # A copy: pages of a program that runs twice have other shares.
        program = shutil.copy(BUILD / "tests" / "live" / "truth", self.folder)
        self.child = subprocess.Popen([program, "--make", self.folder], stdout=subprocess.PIPE)
        self.pid = self.child.pid
        self.truth = json.loads(self.child.stdout.readline())
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOWAIT)
        return self

    def __exit__(self, *_):
        self.child.kill()
        self.child.wait()
        self.child.stdout.close()
        shutil.rmtree(self.folder)

    def save(self, root):
        """What there is of it in /proc, and of the machine what vmtop needs."""
        (root / "vmtop-fixture").write_text(
            f"page_size {os.sysconf('SC_PAGE_SIZE')}\nuser_hz {os.sysconf('SC_CLK_TCK')}\n"
            f"euid {os.geteuid()}\nrelease {os.uname().release}\nmachine {os.uname().machine}\n")
        for name in MACHINE:
            self._copy(name, root)
        for name in FILES:
            self._copy(f"{self.pid}/{name}", root)

    @staticmethod
    def _copy(name, root):
        path = root / "proc" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pathlib.Path("/proc", name).read_bytes())


def parse_smaps(text):
    """Mappings as proc(5) describes them, sizes in bytes."""
    rows = []
    for line in text.splitlines():
        head = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S{4}) ([0-9a-f]+) (\S+) (\d+) *(.*)", line)
        if head:
            start, end, perms, offset, device, inode, path = head.groups()
            rows.append({
                "start": hex(int(start, 16)), "end": hex(int(end, 16)), "perms": perms,
                "offset_bytes": int(offset, 16), "device": device, "inode": int(inode),
                "path": path,
            })
            continue
        key, _, value = line.partition(":")
        words = value.split()
        if len(words) == 2 and words[1] == "kB":
            rows[-1][SIZES.get(key, key)] = int(words[0]) * 1024
    return rows


def against_parser(parsed, ours):
    """Figures of vmtop that are not those of the parser."""
    if len(parsed) != len(ours):
        return [f"{len(ours)} mappings, {len(parsed)} in smaps"]
    return [
        f"{want['start']} {key}: {have.get(key)!r}, in smaps {value!r}"
        for want, have in zip(parsed, ours)
        for key, value in want.items()
        if have.get(key) != value
    ]


def against_truth(truth, parsed):
    """What the process did, and smaps does not say: then no reader is to blame, but the test."""
    by_start = {int(row["start"], 16): row for row in parsed}
    problems = []
    for region in truth["regions"]:
        # Clean as soon as anybody calls sync(2).
        if region["label"] == "file-shared-written":
            continue
        row = by_start.get(int(region["start"], 16))
        if not row:
            problems.append(f"{region['label']} is not there")
            continue
        problems += [
            f"{region['label']} {key}: {row[key]}, not {region[key]}"
            for key in SIZES.values()
            if key in region and key in row and row[key] != region[key]
        ]
    return problems


def smem_row(pid):
    """What smem has of one process, in bytes; None where it does not list it."""
    columns = " ".join(["pid", *SMEM])
    said = subprocess.run(["smem", "-H", "-c", columns], capture_output=True, text=True,
                          check=True).stdout
    for line in said.splitlines():
        words = line.split()
        if words and words[0] == str(pid):
            return dict(zip(SMEM, (int(word) * 1024 for word in words[1:])))
    return None


def against_smem(theirs, ours):
    if theirs is None:
        return ["smem does not list it"]
    # A gate area is no mapping of smem's, either: it reads the same file.
    sums = {
        column: sum(row[key] for row in ours for key in keys) for column, keys in SMEM.items()
    }
    return [f"{column}: {theirs[column]} there, {sums[column]} here"
            for column in SMEM if theirs[column] != sums[column]]


def maps(pid, *args):
    return loads(run("maps", str(pid), "-J", *args).out)["data"]["maps"]


def readings(workload, root):
    """What each reader had of the same smaps. A written page of a file is clean as soon as anybody
    calls sync(2); and who needs memory may take a page: what was not the same before and after is
    read again."""
    pid = workload.pid
    for _ in range(TRIES):
        workload.save(root)
        text = (root / "proc" / str(pid) / "smaps").read_text()
        parsed = parse_smaps(text)
        live, saved = maps(pid), maps(pid, "--root", str(root))
        theirs = pmap("-X", pid) if shutil.which("pmap") else None
        smem = smem_row(pid) if shutil.which("smem") else None
        if pathlib.Path(f"/proc/{pid}/smaps").read_text() == text:
            break
    return parsed, live, saved, theirs, smem


def main():
    report = Report()
    with Workload() as workload, tempfile.TemporaryDirectory() as folder:
        parsed, live, saved, theirs, smem = readings(workload, pathlib.Path(folder))
        figures = sum(len(row) for row in parsed)

        report.check(f"truth-smaps: {len(workload.truth['regions'])} mappings",
                     against_truth(workload.truth, parsed))
        report.check(f"truth-parser-same-bytes: {len(parsed)} mappings, {figures} figures",
                     against_parser(parsed, saved))
        report.check(f"truth-parser-live: {len(parsed)} mappings, {figures} figures",
                     against_parser(parsed, live))
        broken = [dict(row) for row in live]
        broken[len(broken) // 2]["pss_bytes"] += 1024
        report.check("truth-parser-can-fail",
                     None if len(against_parser(parsed, broken)) == 1 else "a lie is not found")
        if theirs:
            problems, compared = differences(*theirs, live)
            report.check(f"truth-pmap: {compared} figures", problems)
        else:
            report.skip("truth-pmap", "no pmap here")
        if shutil.which("smem"):
            report.check(f"truth-smem: {len(SMEM)} sums", against_smem(smem, live))
        else:
            report.skip("truth-smem", "no smem here")


if __name__ == "__main__":
    main()
