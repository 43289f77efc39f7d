#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every field is filled by a recorded machine, and no finding that they can fire is left untried: so
that what was added is not only null in all of them."""

import pathlib
import re
import shutil
import sys
import tempfile

import snap
from oracle import COUNTERS
from tap import Report

# What one look at saved files cannot fill, and why.
EMPTY = {
    "minor_faults_per_second": "a rate",
    "rss_delta_bytes": "a difference of two samples",
    "swap_delta_bytes": "a difference of two samples",
    "rss_per_second_bytes": "a rate",
    "pss_read_ns": "vmtop's own reads",
    "pss_cpu_ns": "vmtop's own reads",
    "pss_behind": "a difference of two samples",
    "read_start_ns": "vmtop's own reads",
    "read_end_ns": "vmtop's own reads",
    "shared_mm": "the kernel says it of live processes",
    "maps_delta": "a difference of two samples",
    "cgroup": "only on request",
    "oom_score": "only on request",
    "oom_score_adj": "only on request",
    "cmdline": "only on request",
    "depth": "only with --tree",
    "tree_rss_bytes": "only with --tree",
    "major_faults_per_second": "a rate",
    "pgfault_per_second": "a rate",
    "pgmajfault_per_second": "a rate",
    "pgalloc_per_second": "a rate",
    "pgsteal_per_second": "a rate",
    "workingset_refault_per_second": "a rate",
    "oom_kill_per_second": "a rate",
    "free_per_second_bytes": "a rate",
    "reached_ns": "a rate",
    "stalls_per_second": "a rate",
    "success_per_second": "a rate",
    "fail_per_second": "a rate",
    "isolated_per_second": "a rate",
    "daemon_wakes_per_second": "a rate",
    "kswapd_runs_per_second": "a rate",
    "delta_bytes": "a difference of two samples",
    "delta_per_second": "a rate",
    "reclaimable": "/sys/kernel/slab is not recorded",
    "mixed_blocks": "only with page_owner=on, which none was booted with",
    **{f"{key}_per_second": "a rate" for key in COUNTERS},
    "shadow_call_stack_bytes": "arm64 has it",
    "change_bytes": "a difference of two samples",
    "stalled_percent": "a difference of two samples",
    "elf_class": "the mapped files are not recorded",
    "build_id": "the mapped files are not recorded",
    "numa_policy": "numa_maps is not recorded, but for the hostile machine",
    "numa_nodes": "numa_maps is not recorded, but for the hostile machine",
    "numa_page_size_bytes": "numa_maps is not recorded, but for the hostile machine",
    "ipc_namespace": "the namespaces are not recorded",
    "other": "no recorded kernel has keys that are not known",
    # rights.py makes a pagemap.
    "present_pages": "pagemap is too large to be kept",
    "swapped_pages": "pagemap is too large to be kept",
    "file_pages": "pagemap is too large to be kept",
    "exclusive_pages": "pagemap is too large to be kept",
    "soft_dirty_pages": "pagemap is too large to be kept",
    "cached_unmapped_pages": "page caches are not recorded",
    "absent_pages": "page caches are not recorded",
    "minor_faults_left": "page caches are not recorded",
    "minor_faults_left_max": "page caches are not recorded",
    "major_faults_left": "page caches are not recorded",
    "major_faults_left_max": "page caches are not recorded",
    "pss_sliced_bytes": "pagemap is too large to be kept",
    "current_delta_bytes": "a difference of two samples",
    "refaults_per_second": "a rate",
    "scans_per_second": "a rate",
    "steals_per_second": "a rate",
    "faults_per_second": "a rate",
    "id": "inodes of a recording are not those of the machine",
    "hugetlb_bytes": "of cgroups: none was mounted with memory_hugetlb_accounting",
}
# Of these, what other kinds of rows have.
FILLED = {"cgroups": {"depth"}, "system": {"hugetlb_bytes"}}

ZONES = [["zones", *option] for option in ([], ["--types"], ["--cpus"], ["--layout"])]
KERNEL = [["kernel", *option] for option in ([], ["--slab"], ["--vmalloc"], ["--vmstat"])]

# The most mappings that a process of machine-6.18 has.
MOST = 44


def fields(report):
    filled, known = {}, {}
    for fixture in snap.fixtures():
        if fixture == snap.HOSTILE:
            continue
        pids = [snap.pid_named(fixture, name) for name in ("anonymous", "shared")]
        pids = [str(pid) for pid in pids]
        roles = ["maps", "-o", "role,deleted", *pids]
        for words in (["free"], ["ps", "--pss"], ["report"], ["maps", *pids], roles, *ZONES,
                      *KERNEL, ["cgroups"],
                      ["free", "--cgroup", "/app.slice/database.service"]):
            data = snap.document(fixture, *words)["data"]
            for kind, rows in data.items():
                for row in rows if isinstance(rows, list) else [rows]:
                    known.setdefault(kind, set()).update(row)
                    filled.setdefault(kind, set()).update(
                        k for k, v in row.items() if v is not None
                    )
                    # Limits that are known to be none.
                    filled[kind].update((row.get("unlimited") or "").split())
    zones = ("zones", "nodes", "orders", "compaction", "types", "cpu_lists", "layout")
    kinds = ("system", "parts", "available", "commit", "pressure", "processes", "maps", "cgroups",
             "cgroup_levels", "cgroup_parts")
    kernel = ("uses", "sums", "slabs", "vmalloc", "counters")
    for kind in (*kinds, *zones, "layout_totals", *kernel):
        cannot = set(EMPTY) - FILLED.get(kind, set())
        empty = known[kind] - filled[kind] - cannot
        report.check(
            f"{len(known[kind])} fields of {kind} are filled",
            [f"{field} is null in every fixture" for field in sorted(empty)],
        )
        report.check(
            f"those of {kind} that cannot be are not",
            [f"{f} is not null any more" for f in sorted(filled[kind] & cannot)],
        )


def findings_of(top):
    return {finding["id"] for finding in snap.document(top, "free")["findings"]}


def shifted(fixture, kib):
    """The findings where MemAvailable is some KiB less."""
    with tempfile.TemporaryDirectory() as tmp:
        top = pathlib.Path(tmp) / "machine"
        shutil.copytree(snap.FIXTURES / fixture, top)
        path = top / "proc/meminfo"
        text = path.read_text(encoding="ascii")
        found = re.search(r"^MemAvailable:\s*(\d+) kB$", text, re.M)
        path.write_text(text.replace(found[0], f"MemAvailable: {int(found[1]) - kib} kB"))
        return findings_of(top)


def edited(fixture, **keys):
    """The findings where meminfo says other numbers of KiB."""
    with tempfile.TemporaryDirectory() as tmp:
        top = pathlib.Path(tmp) / "machine"
        shutil.copytree(snap.FIXTURES / fixture, top)
        path = top / "proc/meminfo"
        text = path.read_text(encoding="ascii")
        for key, value in keys.items():
            text, n = re.subn(rf"(?m)^{key}:.*$", f"{key}: {value} kB", text)
            assert n == 1, key
        path.write_text(text)
        return findings_of(top)


def limited(limit):
    """The findings of ps with the number of mappings, where no process may have more than that."""
    with tempfile.TemporaryDirectory() as tmp:
        top = pathlib.Path(tmp) / "machine"
        shutil.copytree(snap.FIXTURES / "machine-6.18", top)
        if limit is None:
            (top / "proc/sys/vm/max_map_count").unlink()
        else:
            (top / "proc/sys/vm/max_map_count").write_text(limit, encoding="ascii")
        document = snap.document(top, "ps", "-o", "pid,maps_total,maps_percent")
    most = max(row["maps_total"] or 0 for row in document["data"]["processes"])
    assert most == MOST, most
    return {finding["id"] for finding in document["findings"]} - {"managed_is_not_total"}


def compressed(report):
    """zram devices: what they hold is a part, and what cannot be read of them is unknown."""
    with tempfile.TemporaryDirectory() as tmp:
        top = pathlib.Path(tmp) / "machine"
        shutil.copytree(snap.FIXTURES / "machine-6.18", top)
        vmstat = top / "proc/vmstat"
        text = vmstat.read_text(encoding="ascii")
        vmstat.write_text(text.replace("nr_zspages 0\n", "nr_zspages 30\n"))
        devices = top / "sys/devices/virtual/block"
        (devices / "zram1").mkdir()
        (devices / "zramble").mkdir()
        (devices / "zram0/mm_stat").write_text("  40960  1000  98304  0  98304  0  0  0  0\n")
        (devices / "zram1/mm_stat").write_text("4096 70 4096 0 4096 0 0\n")
        (devices / "zramble/mm_stat").write_text("1 1 1 1\n")
        said = []

        def look():
            document = snap.document(top, "free")
            system = document["data"]["system"]
            parts = {row["name"]: row["size_bytes"] for row in document["data"]["parts"]}
            state = next(row for row in document["sources"] if row["name"] == "zram")
            total = sum(value for value in parts.values() if value is not None)
            said.append(f"{total} of {system['total_bytes']}")
            sums = total == system["total_bytes"]
            return sums, parts["zram"], system["zram_data_bytes"], state["status"]

        report.check("zram: two devices", [] if look() == (True, 102400, 45056, "ok") else said)
        (devices / "zram1/mm_stat").write_text("4096 70\n")
        wrong = look()
        report.check("zram: not two numbers", [] if wrong[:3] == (True, None, None) else said)
        shutil.rmtree(devices)
        gone = look()
        report.check("zram: no device", [] if gone == (True, None, None, "absent") else str(gone))


EXCEEDED = {"parts_exceed_total", "commit_limit_differs"}
UNCOUNTED = {"much_unaccounted", "commit_limit_differs", "managed_is_not_total"}


def contained():
    """The findings of cgroups where the first that can be seen is one of many."""
    with tempfile.TemporaryDirectory() as tmp:
        top = pathlib.Path(tmp) / "machine"
        shutil.copytree(snap.FIXTURES / "guest-7", top)
        hierarchy = top / "sys/fs/cgroup"
        (hierarchy / "app.slice").rename(top / "container")
        shutil.rmtree(hierarchy)
        (top / "container").rename(hierarchy)
        document = snap.document(top, "cgroups")
    assert all(row["at_most"] for row in document["data"]["cgroups"])
    return {finding["id"] for finding in document["findings"]}


def findings(report):
    guest = next(name for name in snap.fixtures() if name.startswith("guest-"))
    for name, ids, wanted in (
        (f"{guest}: nothing", findings_of(guest), set()),
        ("machine-6.18: zones and MemTotal", findings_of("machine-6.18"), {"managed_is_not_total"}),
        ("available 4 MiB off: pages move", shifted(guest, 4096), set()),
        # 44 of 48 are 91.7 percent, of 49 89.8.
        ("mappings: far from the limit", limited("65530\n"), set()),
        ("mappings: within nine tenths", limited("49\n"), set()),
        ("mappings: beyond nine tenths", limited("48\n"), {"few_maps_left"}),
        ("mappings: above the limit", limited("1\n"), {"few_maps_left"}),
        ("mappings: no limit is known", limited(None), set()),
        ("mappings: a limit that is no number", limited("many\n"), set()),
        ("cgroups: all of them", {f["id"] for f in snap.document(guest, "cgroups")["findings"]},
         set()),
        ("cgroups: of a container", contained(), {"cgroups_above"}),
        ("available 5 MiB off", shifted(guest, 5120), {"available_differs"}),
        ("Slab is another sum", edited(guest, Slab=1), {"meminfo_contradicts"}),
        ("more Shmem than Cached", edited(guest, Shmem=10**6), {"meminfo_contradicts"}),
        ("hugetlb beyond all", edited(guest, Hugetlb=500000), EXCEEDED),
        ("a little too much", edited(guest, Percpu=20000), set()),
        ("less is counted", edited(guest, VmallocUsed=1, AnonPages=0), set()),
        ("much is not counted", edited(guest, MemTotal=1300000), UNCOUNTED),
        ("another CommitLimit", edited(guest, CommitLimit=1), {"commit_limit_differs"}),
    ):
        report.check(f"finding in {name}", None if ids == wanted else f"{ids}, not {wanted}")


def main():
    report = Report()
    fields(report)
    findings(report)
    compressed(report)
    report.done()


if __name__ == "__main__":
    sys.exit(main())
