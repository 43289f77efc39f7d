#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every figure of vmtop maps against pmap -X and -XX of procps, on a process that stands still.

A part of tests/live/run: it prints its cases and no plan, for it is not the only one.

The process is linked statically and copied for the test: pages of a library, or of a program that
runs twice, have other shares while the program that looks runs too.
"""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from program import loads, run  # noqa: E402
from tap import BUILD_DEV, Report  # noqa: E402

# Columns of pmap and keys of vmtop; what is not a size is in TEXTS.
SIZES = {
    "Size": "size_bytes",
    "KernelPageSize": "kernel_page_size_bytes",
    "MMUPageSize": "mmu_page_size_bytes",
    "Rss": "rss_bytes",
    "Pss": "pss_bytes",
    "Pss_Dirty": "pss_dirty_bytes",
    "Shared_Clean": "shared_clean_bytes",
    "Shared_Dirty": "shared_dirty_bytes",
    "Private_Clean": "private_clean_bytes",
    "Private_Dirty": "private_dirty_bytes",
    "Referenced": "referenced_bytes",
    "Anonymous": "anonymous_bytes",
    "KSM": "ksm_bytes",
    "LazyFree": "lazy_free_bytes",
    "AnonHugePages": "anon_huge_pages_bytes",
    "ShmemPmdMapped": "shmem_pmd_mapped_bytes",
    "FilePmdMapped": "file_pmd_mapped_bytes",
    "Shared_Hugetlb": "shared_hugetlb_bytes",
    "Private_Hugetlb": "private_hugetlb_bytes",
    "Swap": "swap_bytes",
    "SwapPss": "swap_pss_bytes",
    "Locked": "locked_bytes",
}
TEXTS = {
    "Address": lambda row: f"{int(row['start'], 16):08x}",
    "Perm": lambda row: row["perms"],
    "Offset": lambda row: f"{row['offset_bytes']:08x}",
    "Device": lambda row: row["device"],
    "Inode": lambda row: str(row["inode"]),
    "THPeligible": lambda row: str(int(row["thp_eligible"])),
    "ProtectionKey": lambda row: str(row["protection_key"]),
    "Mapping": lambda row: row["path"].rsplit("/", 1)[-1],
}


def stopped_copy(directory):
    """The victim, stopped where its own tests find it: after its mappings are made."""
    program = shutil.copy(BUILD_DEV / "tests" / "unit" / "victim", directory)
    process = subprocess.Popen([program], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        state = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        if state == "T":
            return process
        # It sleeps when it is done.
        if state == "S":
            process.send_signal(signal.SIGSTOP)
        time.sleep(0.02)
    process.kill()
    raise TimeoutError("the process did not stop")


def pmap(option, pid):
    """Columns and rows of pmap, without its totals."""
    lines = subprocess.run(["pmap", option, str(pid)], capture_output=True, text=True, check=True,
                           env={**os.environ, "LC_ALL": "C"}).stdout.splitlines()
    head = lines[1].split()
    rows = []
    for line in lines[2:]:
        if set(line) <= {" ", "="}:
            break
        # VmFlags are several words; the mapping may be none. Both come last.
        rows.append(dict(zip(head, line.split(None, len(head) - 1))))
    return head, rows


def differences(head, theirs, ours):
    """Figures that differ, and how many were held against each other."""
    problems, figures = [], 0
    if len(theirs) != len(ours):
        return [f"{len(theirs)} mappings there, {len(ours)} here"], 0
    for their, our in zip(theirs, ours):
        for column in head:
            if column in SIZES:
                want = int(their[column]) * 1024
                have = our[SIZES[column]]
            elif column in TEXTS and not (column == "Mapping" and "VmFlags" in head):
                want, have = their.get(column, ""), TEXTS[column](our)
            else:
                continue
            figures += 1
            if want != have:
                problems.append(f"{their['Address']} {column}: {want} there, {have} here")
    return problems, figures


def main():
    report = Report()
    if not shutil.which("pmap"):
        report.skip("pmap", "no pmap here")
        return
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
        process = stopped_copy(directory)
        try:
            for option in ("-X", "-XX"):
                head, theirs = pmap(option, process.pid)
                ours = loads(run("maps", str(process.pid), "-J").out)["data"]["maps"]
                problems, figures = differences(head, theirs, ours)
                missing = [c for c in head if c not in SIZES and c not in TEXTS and c != "VmFlags"]
                problems += [f"no such column here: {column}" for column in missing]
                report.check(f"maps-pmap{option}: {len(theirs)} mappings, {figures} figures",
                             problems)
        finally:
            process.kill()
            process.wait()


if __name__ == "__main__":
    main()
