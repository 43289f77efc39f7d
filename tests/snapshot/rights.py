#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A recorded machine says the same to everybody: as nobody, each document is valid and the same as
that of root. And pagemap of a recording, a file as large as an address space, is read where there
is one."""

import os
import pathlib
import shutil
import struct
import sys
import tempfile

import jsonschema
import snap
from program import OK, Outsider, expect, loads, run
from tap import Report

COMMANDS = [
    ["free"], ["cgroups"], ["zones"], ["kernel"], ["ps", "--pss"], ["report"], ["doctor"],
]


def everybody(report):
    if os.geteuid() != 0:
        report.skip("as nobody", "only root can become nobody")
        return
    schemas = {words[0]: loads(run("schema", words[0]).out) for words in COMMANDS}
    with Outsider() as nobody:
        # Its folder is one that nobody can reach; that of the source tree need not be.
        for fixture in snap.fixtures():
            top = pathlib.Path(nobody.folder) / fixture
            shutil.copytree(snap.FIXTURES / fixture, top)
            for words in COMMANDS:
                root = run(*words, "-J", "--root", str(top))
                said = nobody.run(*words, "-J", "--root", str(top))
                problems = expect(said, OK)
                if not problems:
                    validator = jsonschema.Draft202012Validator(schemas[words[0]])
                    problems = [e.message[:200] for e in validator.iter_errors(loads(said.out))]
                if not problems and snap.steady(said.out) != snap.steady(root.out):
                    problems = "it is not what root is told"
                report.check(f"{fixture}: {words[0]} as nobody", problems)


PRESENT, SWAPPED, FILE, EXCLUSIVE = 1 << 63, 1 << 62, 1 << 61, 1 << 56


def pagemap(report, fixture, pid, page):
    """Four kinds of pages in one mapping, at the place of the file that is theirs."""
    with tempfile.TemporaryDirectory() as tmp:
        top = pathlib.Path(tmp) / "machine"
        shutil.copytree(snap.FIXTURES / fixture, top)
        rows = snap.document(top, "maps", str(pid))["data"]["maps"]
        rows = [row for row in rows if row["path"] != "[vsyscall]"]
        row = max(rows, key=lambda row: (row["kind"] == "heap", row["size_bytes"]))
        pages = row["size_bytes"] // page
        words = [(PRESENT | EXCLUSIVE, PRESENT | FILE, SWAPPED, 0)[i % 4] for i in range(pages)]
        path = top / f"proc/{pid}/pagemap"
        try:
            with open(path, "wb") as file:
                file.truncate(int(rows[-1]["end"], 16) // page * 8)
                file.seek(int(row["start"], 16) // page * 8)
                file.write(struct.pack(f"={pages}Q", *words))
        except OSError as error:
            report.skip(f"{fixture}: pagemap", f"no sparse file of that size: {error.strerror}")
            return
        columns = "address,present,swapped,filepages,exclusive,softdirty"
        document = snap.document(top, "maps", str(pid), "-o", columns)
        wanted = {
            "present_pages": sum(1 for word in words if word & PRESENT),
            "swapped_pages": sum(1 for word in words if word & SWAPPED),
            "file_pages": sum(1 for word in words if word & FILE),
            "exclusive_pages": sum(1 for word in words if word & EXCLUSIVE),
            # Whether the kernel of a recording kept the mark, it does not say.
            "soft_dirty_pages": None,
        }
        problems = []
        for said in document["data"]["maps"]:
            there = said["start"] == row["start"]
            # The page of vsyscall is the kernel's.
            if int(said["start"], 16) >= 1 << 63:
                continue
            problems += [
                f"{said['start']}: {key} is {said[key]!r}, not {value if there else 0}"
                for key, value in wanted.items()
                if said[key] != (value if there or value is None else 0)
            ]
        report.check(f"{fixture}: pagemap of {len(rows)} mappings", problems)


def main():
    report = Report()
    everybody(report)
    for fixture in snap.fixtures():
        if fixture == snap.HOSTILE:
            pagemap(report, fixture, 61, 65536)
        else:
            pagemap(report, fixture, snap.pid_named(fixture, "files"), 4096)
    report.done()


if __name__ == "__main__":
    sys.exit(main())
