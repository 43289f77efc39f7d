#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every figure of every recorded machine: what vmtop says, against a second reading of the same
bytes; and the sums that the kernel promises, between figures that vmtop says."""

import base64
import re
import sys

import oracle
import snap
from tap import Report

# Fields that no file of a recording holds: rates of one moment, and vmtop's own reads. What a kind
# is made of is for the golden files.
LEFT_OUT = {
    "minor_faults_per_second",
    "rss_delta_bytes",
    "swap_delta_bytes",
    "rss_per_second_bytes",
    "pss_read_ns",
    "pss_cpu_ns",
    "pss_behind",
    "read_start_ns",
    "read_end_ns",
    "cgroup",
    "oom_score",
    "oom_score_adj",
    "cmdline",
    "depth",
    "tree_rss_bytes",
    "major_faults_per_second",
    "pgfault_per_second",
    "pgmajfault_per_second",
    *(f"{field.removesuffix('_total')}_per_second" for field in oracle.VMSTAT),
    "pgalloc_per_second",
    "minor_faults_per_second",
    "pgsteal_per_second",
    "workingset_refault_per_second",
    "processes_total",
    "maps_total",
    "maps_limit",
    "maps_percent",
    "maps_delta",
    "shared_mm",
    "read_status",
    "quality",
    "consistent",
    "kind",
    "present_pages",
    "swapped_pages",
    "file_pages",
    "exclusive_pages",
    "soft_dirty_pages",
    "pss_sliced_bytes",
    "cached_unmapped_pages",
    "absent_pages",
    "minor_faults_left",
    "minor_faults_left_max",
    "major_faults_left",
    "major_faults_left_max",
    "elf_class",
    "build_id",
    "numa_policy",
    "numa_nodes",
    "numa_page_size_bytes",
    "role",
    "deleted",
    "ipc_namespace",
}


def text_problem(row, field, raw):
    """Text is UTF-8 as it stands; where the bytes are none they come again, in full, as base64."""
    copy = row.get(f"{field}_b64")
    try:
        if row[field] == raw.decode("utf-8"):
            return "has a copy for nothing" if copy is not None else None
        return f"is {row[field]!r}, not {raw!r}"
    except UnicodeDecodeError:
        pass
    if copy is None or base64.b64decode(copy, validate=True) != raw:
        return f"has the copy {copy!r}, not of {raw!r}"
    # How many signs of replacement there are is the encoder's affair.
    shown = re.sub("\ufffd+", "\ufffd", row[field])
    wanted = re.sub("\ufffd+", "\ufffd", raw.decode("utf-8", "replace"))
    return None if shown == wanted else f"is {row[field]!r}, not {raw!r}"


def compare(what, said, wanted):
    """Where a row differs from what it has to be."""
    problems = []
    for field in sorted(set(said) | set(wanted)):
        if field in LEFT_OUT or field.removesuffix("_b64") in wanted and field not in wanted:
            continue
        if field not in wanted or field not in said:
            problems.append(f"{what}: only one side has {field}")
        elif isinstance(wanted[field], bytes):
            problem = text_problem(said, field, wanted[field])
            problems += [f"{what}: {field} {problem}"] if problem else []
        elif said[field] != wanted[field] or isinstance(said[field], bool) != isinstance(
            wanted[field], bool
        ):
            problems.append(f"{what}: {field} is {said[field]!r}, not {wanted[field]!r}")
    return problems


def total(rows, field):
    values = [row[field] for row in rows]
    return None if None in values else sum(values)


def sums(what, process, rows, modern):
    """Identities between the mappings of a process and the process (HOSTILE cases V1 to V5)."""
    problems = []
    own = [row for row in rows if row["path"] != "[vsyscall]"]
    if total(own, "size_bytes") != process["vsize_bytes"]:
        problems.append(
            f"{what}: sizes sum to {total(own, 'size_bytes')}, not {process['vsize_bytes']}"
        )
    for row in rows:
        parts = [
            row[f"{p}_bytes"]
            for p in ("shared_clean", "shared_dirty", "private_clean", "private_dirty")
        ]
        if sum(parts) != row["rss_bytes"]:
            problems.append(f"{what}: {row['start']}: the four parts are not its RSS")
    # Up to 6.1 each thread keeps some counts to itself.
    if modern and total(rows, "rss_bytes") != process["rss_bytes"]:
        problems.append(
            f"{what}: RSS sums to {total(rows, 'rss_bytes')}, not {process['rss_bytes']}"
        )
    if process["pss_bytes"] is not None:
        rest = process["pss_bytes"] - total(rows, "pss_bytes")
        if not 0 <= rest <= 1024 * len(rows):
            problems.append(f"{what}: PSS of the process less that of its mappings is {rest}")
        for field in ("shared_clean_bytes", "private_dirty_bytes", "referenced_bytes", "uss_bytes"):
            if total(rows, field) != process[field]:
                problems.append(
                    f"{what}: {field} sums to {total(rows, field)}, not {process[field]}"
                )
    return problems


def check(report, fixture):
    machine = oracle.Machine(snap.FIXTURES / fixture)
    system = snap.document(fixture, "free")["data"]["system"]
    report.check(f"{fixture}: system", compare("system", system, machine.system()))
    if fixture != snap.HOSTILE:
        report.check(
            f"{fixture}: available is the sum of its terms",
            []
            if system["available_residual_bytes"] == 0
            else str(system["available_residual_bytes"]),
        )

    said = snap.document(fixture, "ps", "--pss", "--kernel-threads")
    rows = {row["pid"]: row for row in said["data"]["processes"]}
    failed = {error["pid"] for error in said["errors"] if error["source"] in ("status", "stat")}
    listed = set(snap.pids_of(fixture)) - failed
    # Without a byte in stat there is no process any more.
    listed = {pid for pid in listed if machine.read(f"proc/{pid}/stat")}
    problems = [f"process {pid} is missing or too much" for pid in sorted(listed ^ set(rows))]
    modern = tuple(map(int, machine.facts["release"].split(".")[:2])) > (6, 1)
    n_maps = 0
    for pid in sorted(listed & set(rows)):
        wanted, home = machine.process(pid)
        if wanted["state"] not in "RSDTtXZPI":
            wanted["state"] = "?"
        problems += compare(f"process {pid}", rows[pid], wanted)
        if fixture == snap.HOSTILE or wanted["class"] != "user":
            continue
        mappings = snap.document(fixture, "maps", str(pid))["data"]["maps"]
        expected = list(machine.mappings(home))
        n_maps += len(expected)
        if len(mappings) != len(expected):
            problems.append(f"process {pid}: {len(mappings)} mappings, not {len(expected)}")
        for row, want in zip(mappings, expected):
            problems += compare(
                f"process {pid} at {want['start']}",
                row,
                {"pid": pid, **want, **oracle.honest_map(want, row["kind"])},
            )
        problems += sums(f"process {pid}", rows[pid], mappings, modern)
    report.check(f"{fixture}: {len(rows)} processes, {n_maps} mappings", problems)


def cheaper(report, fixture):
    """Fewer columns are read from fewer files, and say the same: which files is part of it."""
    machine = oracle.Machine(snap.FIXTURES / fixture)
    full = {
        row["pid"]: row
        for row in snap.document(fixture, "ps", "--kernel-threads")["data"]["processes"]
    }
    for columns, files in (
        ("pid,vsize_bytes,rss_bytes", {"statm"}),
        ("pid,comm,state,ppid,threads,class,start_time_ns", {"stat"}),
        ("pid,comm,class,anonymous_bytes,user,rss_bytes", {"status"}),
        ("pid,comm,minor_faults_total,rss_bytes", {"stat", "statm"}),
    ):
        said = snap.document(fixture, "ps", "--kernel-threads", "-o", columns)
        # Others are looked into for the few whose first thread has ended, and where status does not
        # say whether something is a kernel thread (before Linux 6.8).
        n = len(said["data"]["processes"])
        reads = {s["name"]: s["reads_total"] or 0 for s in said["sources"]}
        used = {name for name in ("status", "stat", "statm") if reads[name] > n / 2}
        problems = [] if used == files else [f"of {n} processes, {reads} were read"]
        for row in said["data"]["processes"]:
            want = {field: full[row["pid"]][field] for field in row}
            if files == {"statm"}:
                want.update(machine.statm(row["pid"]))
            problems += compare(f"process {row['pid']}", row, want)
        report.check(f"{fixture}: {columns} from {' and '.join(sorted(files))}", problems)


def hostile_mappings(report):
    """Those of its lists that are well-formed, odd as they are."""
    machine = oracle.Machine(snap.FIXTURES / snap.HOSTILE)
    for pid in (20, 60, 61, 72):
        mappings = snap.document(snap.HOSTILE, "maps", str(pid))["data"]["maps"]
        expected = list(machine.mappings(f"proc/{pid}"))
        problems = [] if len(mappings) == len(expected) else ["another number of mappings"]
        for row, want in zip(mappings, expected):
            problems += compare(
                f"process {pid} at {want['start']}",
                row,
                {"pid": pid, **want, **oracle.honest_map(want, row["kind"])},
            )
        report.check(f"{snap.HOSTILE}: mappings of {pid}", problems)


def main():
    report = Report()
    for fixture in snap.fixtures():
        check(report, fixture)
        if fixture != snap.HOSTILE:
            cheaper(report, fixture)
    hostile_mappings(report)
    report.done()


if __name__ == "__main__":
    sys.exit(main())
