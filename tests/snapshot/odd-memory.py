#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Machines and mappings that the machine at hand has not: what vmtop says of recorded ones, against
a second reading of the same files."""

import pathlib
import re
import shutil
import sys
import tempfile

import snap
from program import loads
from tap import Report

HOSTILE_PAGE = 65536
LIMIT = 2**64
# Devices whose memory is no memory of the machine; the last is one by its name alone.
GPU = [
    ("/dev/dri/renderD128", "00:06", "rd wr sh mr mw me ms pf io de dd", "device"),
    ("/dev/nvidia0", "00:06", "rd wr sh mr mw me ms io dc de dd", "device"),
    ("anon_inode:i915.gem", "00:0f", "rd wr sh mr mw me ms pf io de dd", "device"),
    ("/tmp/renderD128", "fe:01", "rd wr sh mr mw me ms", "file"),
]


def numbers(path):
    """{key: number} of a file of keys and numbers; what is no number is left out."""
    found = re.findall(r"^(\S+?):?\s+(\d+)(?: kB)?$", path.read_text(errors="replace"), re.M)
    return {key: int(value) for key, value in found}


def saved_mappings(path):
    """(start, end, VmFlags or None) of each mapping of a saved smaps."""
    rows = []
    for line in path.read_bytes().decode(errors="replace").split("\n"):
        head = re.match(r"([0-9a-f]+)-([0-9a-f]+) [rwxsp-]{4} ", line)
        if head:
            rows.append([int(head[1], 16), int(head[2], 16), None])
        elif rows and line.startswith("VmFlags:"):
            rows[-1][2] = line[8:].strip()
    return rows


def places(report):
    want = saved_mappings(snap.FIXTURES / snap.HOSTILE / "proc/60/smaps")
    rows = snap.document(snap.HOSTILE, "maps", "60")["data"]["maps"]
    got = [[int(row["start"], 16), int(row["end"], 16), row["vm_flags"]] for row in rows]
    problems = [f"{row} is not {other}" for row, other in zip(got, want) if row != other]
    if len(got) != len(want) or not any(2**56 < end < 2**57 for _, end, _ in want):
        problems.append(f"{len(got)} mappings of {len(want)}, or none of 57 bits")
    problems += [
        f"{row['start']}: size {row['size_bytes']}"
        for row, (start, end, _) in zip(rows, want)
        if row["size_bytes"] != end - start
    ]
    lines = snap.vmtop(snap.HOSTILE, "maps", "60", "--list-only", "-o", "start,end,perms").out
    ends = {re.match(rb" *\S+ +\S+", line).end() for line in lines.splitlines()[1:-1]}
    if len(ends) != 1:
        problems.append(f"columns of addresses end at {sorted(ends)}")
    report.check("C04 addresses of 57 bits: as they are, in columns that hold", problems)

    last = rows[-1]
    problems = []
    if (last["start"], last["size_bytes"], last["kind"]) != ("0xffffffffff600000", 4096, "special"):
        problems = f"it is {last['start']} of {last['size_bytes']}, {last['kind']}"
    report.check("C05 vsyscall: above all addresses of a process, and special", problems)


def flags(report, fixture):
    problems, seen = [], set()
    for path in sorted((snap.FIXTURES / fixture / "proc").glob("[1-9]*/smaps")):
        want = [row for row in saved_mappings(path) if row[2] is not None]
        pid = path.parent.name
        result = snap.vmtop(fixture, "maps", pid, "-J", "-o", "start,vm_flags")
        if result.code or not want:
            continue
        said = {int(row["start"], 16): row["vm_flags"] for row in
                loads(result.out)["data"]["maps"]}
        for start, _, words in want:
            seen.update(words.split())
            if said.get(start) != words:
                problems.append(f"{pid} {start:x}: {said.get(start)!r}, not {words!r}")
    wanted = {"??", "zz", "sl", "ss", "dp", "um"} if fixture == snap.HOSTILE else {"rd", "wr"}
    if wanted - seen:
        problems.append(f"no mapping with {sorted(wanted - seen)}")
    report.check(f"C13 flags of mappings, verbatim: {fixture}", problems)


def gpu(report):
    with tempfile.TemporaryDirectory() as tmp:
        top = pathlib.Path(tmp) / "machine"
        shutil.copytree(snap.FIXTURES / snap.HOSTILE, top)
        text, at = "", 0x7F0000000000
        for path, device, words, _ in GPU:
            text += f"{at:x}-{at + HOSTILE_PAGE:x} rw-s 00000000 {device} 77  {path}\n"
            text += f"Size: 64 kB\nRss: 0 kB\nPss: 0 kB\nAnonymous: 0 kB\nVmFlags: {words}\n"
            at += 2 * HOSTILE_PAGE
        (top / "proc/61/smaps").write_text(text)
        (top / "proc/61/maps").write_text(
            "".join(line + "\n" for line in text.splitlines() if " rw-s " in line)
        )
        rows = snap.document(top, "maps", "61", "-o", "path,role,vm_flags,rss")["data"]["maps"]
    problems = [
        f"{row['path']} is {row['role']}, RSS {row['rss_bytes']}"
        for row, (path, _, _, role) in zip(rows, GPU)
        if (row["path"], row["role"], row["rss_bytes"]) != (path, role, 0)
    ]
    if len(rows) != len(GPU):
        problems.append(f"{len(rows)} mappings")
    report.check("C11 memory of a GPU: device by its flags, whatever its name", problems)
    page = (snap.TOP / "man" / "vmtop-maps.1").read_text()
    report.check(
        "C11 memory of a GPU: the manual says that it is not visible here",
        [] if re.search(r"GPU[^.]*\bnot\s+visible here", page) else "it does not",
    )


def limits(report):
    document = snap.document(snap.HOSTILE, "ps", "-o", "pid,vsize,rss,minor_faults_total")
    rows = {row["pid"]: row for row in document["data"]["processes"]}
    full = LIMIT // HOSTILE_PAGE * HOSTILE_PAGE - HOSTILE_PAGE
    want = {"vsize_bytes": full, "rss_bytes": full, "minor_faults_total": LIMIT - 1}
    problems = [f"{key} is {rows[40][key]}" for key, value in want.items()
                if rows[40][key] != value]
    report.check("C18 counters that are full: as they are", problems)

    problems = []
    for pid in (41, 42, 43):
        row = rows.get(pid)
        said = [e for e in document["errors"] if re.search(rf"\b{pid}\b", str(e))]
        if row and any((row[key] or 0) > LIMIT - 1 for key in want):
            problems.append(f"{pid} has a number that nothing can hold")
        if row and pid == 41 and row["rss_bytes"] is not None:
            problems.append(f"the RSS of 41 is {row['rss_bytes']}")
        if not row and not said:
            problems.append(f"{pid} is not there, and nothing says why")
    document = snap.vmtop(snap.HOSTILE, "maps", "64", "-J")
    document = loads(document.out)
    smaps = next(s for s in document["sources"] if s["name"] == "smaps")
    if smaps["status"] != "failed" or "too large" not in (smaps["reason"] or ""):
        problems.append(f"smaps of 64 is {smaps['status']}: {smaps['reason']}")
    if document["data"]["maps"][0]["rss_bytes"] is not None:
        problems.append(f"RSS of 64 is {document['data']['maps'][0]['rss_bytes']}")
    report.check("C18 numbers beyond their type: unknown, and why", problems)


def zones(report, fixture):
    """What the zones of a machine sum to, and that it is not what MemTotal says."""
    root = snap.FIXTURES / fixture
    text = (root / "proc/zoneinfo").read_text()
    page = numbers(root / "vmtop-fixture")["page_size"]
    managed = sum(int(n) for n in re.findall(r"^ +managed +(\d+)$", text, re.M)) * page
    total = numbers(root / "proc/meminfo")["MemTotal"] * 1024
    said = snap.document(fixture, "free")["data"]["system"]
    problems = [
        f"{key} is {said[key]}, not {value}"
        for key, value in (("managed_bytes", managed), ("total_bytes", total))
        if said[key] != value
    ]
    checks = loads(snap.vmtop(fixture, "doctor", "--verify", "-J").out)["data"]["checks"]
    check = next(check for check in checks if check["id"] == "V8")
    result = "holds" if managed == total else "off"
    if (check["result"], check["off_bytes"]) != (result, abs(managed - total)):
        problems.append(f"V8 {check['result']} by {check['off_bytes']}")
    report.check(f"C19 zones and MemTotal, as they are: {fixture}", problems)
    return managed != total


def numa(report):
    rows = snap.document(snap.HOSTILE, "maps", "61", "-o", "start,policy,nodes")["data"]["maps"]
    path = snap.FIXTURES / snap.HOSTILE / "proc/61/numa_maps"
    problems = []
    for row, line in zip(rows, path.read_text().splitlines()):
        want = " ".join(re.findall(r"\bN\d+=\d+", line))
        if (row["numa_nodes"] or "") != want:
            problems.append(f"{row['start']}: {row['numa_nodes']!r}, not {want!r}")
    if len(rows) != 4 or "N255" not in path.read_text():
        problems.append(f"{len(rows)} mappings, or no node far away")
    report.check("C19 nodes with holes between them", problems)


def page_sizes(report):
    want = [int(n) for n in
            (snap.FIXTURES / snap.HOSTILE / "proc/10/statm").read_text().split()[:2]]
    for page in (4096, 16384, 65536):
        with tempfile.TemporaryDirectory() as tmp:
            top = pathlib.Path(tmp) / "machine"
            shutil.copytree(snap.FIXTURES / snap.HOSTILE, top)
            meta = top / "vmtop-fixture"
            meta.write_text(re.sub(r"page_size \d+", f"page_size {page}", meta.read_text()))
            said = snap.document(top, "ps", "-o", "pid,vsize,rss,minor_faults_total")
            text = (top / "proc/zoneinfo").read_text()
            free = snap.document(top, "free")["data"]["system"]
        row = next(row for row in said["data"]["processes"] if row["pid"] == 10)
        managed = sum(int(n) for n in re.findall(r"^ +managed +(\d+)$", text, re.M))
        figures = [
            ("size", row["vsize_bytes"], want[0] * page),
            ("RSS", row["rss_bytes"], want[1] * page),
            ("managed", free["managed_bytes"], managed * page),
            ("the page", said["host"]["page_size_bytes"], page),
        ]
        report.check(
            f"C20 pages of {page} bytes",
            [f"{name} is {got}, not {right}" for name, got, right in figures if got != right],
        )


def main():
    report = Report()
    places(report)
    gpu(report)
    limits(report)
    numa(report)
    page_sizes(report)
    failed = []
    for fixture in snap.fixtures():
        flags(report, fixture)
        failed.append(zones(report, fixture))
    report.check(
        "C19 the fixtures have zones that make MemTotal and zones that do not",
        [] if any(failed) and not all(failed) else f"{failed}",
    )
    report.done()


sys.exit(main())
