#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Nothing unknown reads 0: each key and each file of a recorded machine is taken away in turn. What
it said has to become null, and so may what is made of it; nothing else may change at all."""

import pathlib
import re
import shutil
import sys
import tempfile

import oracle
import snap
from tap import Report

# Shares sum parts, and what a kernel does not count is in the last of them.
UNACCOUNTED = {
    "unaccounted_bytes", "unaccounted_part", "unaccounted_percent",
    *(f"{name}_share{what}" for what in ("", "_percent")
      for name in ("kernel", "slab_reclaimable", "free", "other")),
}
# What may become another number instead, and why.
MAY_CHANGE = {
    # Before Linux 4.20 the kernel made available of SReclaimable alone.
    ("proc/meminfo", "KReclaimable"): {
        "available_derived_bytes",
        "available_residual_bytes",
        "reclaimable_part",
        "kept_slab_part",
    }
    | UNACCOUNTED,
    # What some kernels have no counter for is in what is unaccounted.
    **{
        ("proc/meminfo", key): UNACCOUNTED
        for key in ("Percpu", "SecPageTables", "Zswap", "GPUActive", "GPUReclaim", "WritebackTmp")
    },
    ("proc/meminfo", "HardwareCorrupted"): UNACCOUNTED,
    ("proc/meminfo", "Hugetlb"): UNACCOUNTED
    | {"commit_limit_derived_bytes", "commit_limit_residual_bytes"},
    ("proc/vmstat", "nr_zspages"): UNACCOUNTED,
    ("proc/vmstat", "nr_memmap_pages"): UNACCOUNTED,
    **{("proc/zoneinfo", key): UNACCOUNTED for key in ("low", "high", "managed", "protection", None)},
    ("proc/vmstat", None): UNACCOUNTED,
    # Kernels before 5.4 do not have it, and the bounds are wider.
    ("proc/PID/smaps_rollup", "Pss_Anon"): {"freed_bytes", "freed_slack_bytes"},
    # The number stands for the name.
    ("etc/passwd", None): {"user"},
    # The list of mappings can be had without what is resident of them.
    ("proc/PID/smaps", None): {"read_status", "quality"},
    ("proc/PID/smaps_rollup", None): {"read_status", "quality"},
    ("proc/PID/maps", None): {"read_status", "quality"},
    # What is known of Linux 6.1 alone.
    ("vmtop-fixture", "release"): {"quality"},
}
# A process without one of these cannot be told from one that ended.
IDENTITY = {"stat", "status"}


def flat(value, where=""):
    """{path: leaf} of the data of a document."""
    if isinstance(value, dict):
        return {
            k: v for key, part in value.items() for k, v in flat(part, f"{where}.{key}").items()
        }
    if isinstance(value, list):
        return {
            k: v for i, part in enumerate(value) for k, v in flat(part, f"{where}[{i}]").items()
        }
    return {where: value}


def by_name(data):
    """Parts and terms under their names, so that each is a field of its own."""
    data = dict(data)
    for key, word in (("parts", "part"), ("shares", "share"), ("available", "part")):
        rows = data.get(key, [])
        if isinstance(rows, list):
            data[key] = {f"{row['name']}_{word}": row["size_bytes"] for row in rows} | {
                f"{row['name']}_percent" if word == "part" else f"{row['name']}_share_percent":
                row["total_percent"] for row in rows if "total_percent" in row
            }
    return data


def told(document):
    """What a document says of the machine; not how it was read."""
    host = {key: value for key, value in document["host"].items() if key not in ("root", "took_ns")}
    return flat(
        {
            "data": by_name(document["data"]),
            "host": host,
            **{key: document[key] for key in ("time", "boot_id", "monotonic_ns")},
        }
    )


class Case:
    """A file of a copy, a key in it (None: the whole file), and the words that show it."""

    def __init__(self, name, key, words, fields):
        self.name, self.key, self.words, self.fields = name, key, words, fields

    def __str__(self):
        return f"{self.name} {self.key}" if self.key else self.name

    def take_away(self, top):
        path = top / self.name
        raw = path.read_bytes()
        if self.key is None:
            path.unlink()
            return raw
        # By the line; "key value" and "Key: value", blanks before it in zoneinfo.
        line = re.compile(rb"^ *" + re.escape(self.key.encode()) + rb"(?::|\s).*\n", re.M)
        new = line.sub(b"", raw)
        if new == raw:
            return None
        path.write_bytes(new)
        return raw


SETTINGS = {
    "overcommit_memory": "overcommit_memory",
    "overcommit_ratio": "overcommit_ratio",
    "overcommit_kbytes": "overcommit_bytes",
    "admin_reserve_kbytes": "admin_reserve_bytes",
    "user_reserve_kbytes": "user_reserve_bytes",
}


def inverse(table):
    return {key: {field} for field, key in table.items()}


def cases(top, pid):
    """Every key of every file, with the fields that come from it and from nothing else."""

    def keys(name, form):
        return list(
            dict.fromkeys(key.decode() for key in re.findall(form, (top / name).read_bytes(), re.M))
        )

    meminfo, status = inverse(oracle.MEMINFO), inverse(oracle.STATUS)
    rollup, smaps = inverse(oracle.ROLLUP), inverse(oracle.SMAPS)
    status.update(VmSize={"vsize_bytes", "rss_bytes"}, Uid={"uid", "user"})
    smaps.update(
        ProtectionKey={"protection_key"}, THPeligible={"thp_eligible"}, VmFlags={"vm_flags"}
    )
    home = f"proc/{pid}"
    free, ps, maps = ["free"], ["ps", "--pss", "-p", str(pid)], ["maps", str(pid)]
    colon = rb"^([^\s:]+):"
    for key in keys("proc/meminfo", colon):
        yield Case("proc/meminfo", key, free, meminfo.get(key, set()))
    counters = keys("proc/vmstat", rb"^(\S+) ")
    for field, key in oracle.VMSTAT.items():
        if key in counters:
            yield Case("proc/vmstat", key, free, {field})
    zones = {"managed_bytes", "reserve_bytes", "low_bytes", "available_derived_bytes"}
    zones |= {"pcp_bytes", "free_on_cpus_part"}
    for key, field in SETTINGS.items():
        yield Case(f"proc/sys/vm/{key}", None, free, {field})
    for key in ("low", "high", "managed", "protection"):
        yield Case("proc/zoneinfo", key, free, zones)
    for key in keys(f"{home}/status", colon):
        yield Case(f"{home}/status", key, ps, status.get(key, set()))
    for key in keys(f"{home}/smaps_rollup", colon):
        yield Case(f"{home}/smaps_rollup", key, ps, rollup.get(key, set()))
    for key in keys(f"{home}/smaps", rb"^([A-Z]\w*):"):
        yield Case(f"{home}/smaps", key, maps, smaps.get(key, set()))
    facts = {
        "user_hz": "start_time_ns",
        "cpus": "cpus",
        "euid": "euid",
        "release": "release",
        "machine": "machine",
        "realtime_ns": "time",
        "monotonic_ns": "monotonic_ns",
    }
    for key, field in facts.items():
        if key != "machine" or not (top / "proc/sys/kernel/arch").exists():
            yield Case("vmtop-fixture", key, ps, {field})
    yield Case("proc/sys/kernel/random/boot_id", None, ps, {"boot_id"})
    if (top / "proc/sys/vm/max_map_count").exists():
        count = ["ps", "-o", "pid,maps_total,maps_limit,maps_percent", "-p", str(pid)]
        limited = {"maps_limit", "maps_percent"}
        yield Case("proc/sys/vm/max_map_count", None, count, limited)
    yield Case("etc/passwd", None, ps, set())
    yield Case("proc/meminfo", None, free, set(oracle.MEMINFO))
    yield Case("proc/vmstat", None, free, set(oracle.VMSTAT))
    yield Case("proc/zoneinfo", None, free, zones)
    yield Case(f"{home}/smaps_rollup", None, ps, set(oracle.ROLLUP) | {"uss_bytes"})
    yield Case(
        f"{home}/smaps", None, maps, set(oracle.SMAPS) | {"uss_bytes", "dirty_bytes", "file_bytes"}
    )


def problems_of(case, before, after, pid):
    allowed = MAY_CHANGE.get((case.name.replace(f"/{pid}/", "/PID/"), case.key), set())
    problems = []
    # Keys that vmtop does not know: nothing where there are none, null where that is not known.
    odd = {
        path
        for path in set(before) ^ set(after)
        if not path.endswith(".other") or after.get(path, "") is not None
    }
    if odd:
        problems.append(f"other fields: {sorted(odd)[:5]}")
    for path in sorted(set(before) & set(after)):
        field = path.rpartition(".")[2]
        # The document of maps has the process too, of which other files tell.
        own = case.words[0] != "maps" or path.startswith(".data.maps")
        if own and field in case.fields and after[path] is not None:
            problems.append(f"{path} is {after[path]!r} without {case}, and was {before[path]!r}")
        elif after[path] != before[path] and after[path] is not None and field not in allowed:
            problems.append(f"{path} was {before[path]!r} and is {after[path]!r} without {case}")
    return problems


def check(report, fixture, pid):
    """All cases over one fixture; a line for each file of it."""
    by_file = {}
    with tempfile.TemporaryDirectory() as tmp:
        top = pathlib.Path(tmp) / "machine"
        shutil.copytree(snap.FIXTURES / fixture, top, symlinks=True)
        base = {}
        for case in cases(snap.FIXTURES / fixture, pid):
            words = tuple(case.words)
            if words not in base:
                base[words] = told(snap.document(top, *words))
            raw = case.take_away(top)
            problems, count = by_file.setdefault(case.name, [[], 0])
            by_file[case.name][1] = count + 1
            if raw is None:
                problems.append(f"{case} is not there to be taken away")
                continue
            result = snap.vmtop(top, *words, "-J")
            if not result.out:
                problems.append(f"{case}: exit {result.code}: {result.err.decode()}")
            else:
                problems += problems_of(case, base[words], told(snap.loads(result.out)), pid)
            (top / case.name).write_bytes(raw)
        for name in sorted(IDENTITY):
            raw = Case(f"proc/{pid}/{name}", None, [], set()).take_away(top)
            said = snap.document(top, "ps", "--kernel-threads")
            rows = [row["pid"] for row in said["data"]["processes"]]
            wrong = (
                pid in rows
                or said["scan"]["vanished"] != 1
                or said["scan"]["procs_seen"] != len(rows) + 1
            )
            by_file[f"proc/{pid}/{name} (all of it)"] = [
                [f"it is {said['scan']}, {rows}"] if wrong else [],
                1,
            ]
            (top / f"proc/{pid}/{name}").write_bytes(raw)
    for name, (problems, count) in by_file.items():
        report.check(f"{fixture}: {name}, {count} taken away", problems[:20])


def shown(report):
    """The same in the text and CSV that people read: a dash, and an empty cell."""
    with tempfile.TemporaryDirectory() as tmp:
        top = pathlib.Path(tmp) / "machine"
        shutil.copytree(snap.FIXTURES / "guest-7", top, symlinks=True)
        Case("proc/meminfo", "MemAvailable", [], set()).take_away(top)
        for path in top.glob("proc/**/smaps_rollup"):
            path.unlink()
        system, process = "available,used,residual", "pid,pss,uss,swap-pss"
        for words, rows, wanted in (
            # Below the row stands what available is made of; below the processes, what was missing.
            (["free", "--noheadings", "-b", "-o", system], 1, r" *- +- +-"),
            (["free", "--noheadings", "--raw", "-o", system], 1, r"- - -"),
            (["free", "--noheadings", "--csv", "-o", system], 1, r",,"),
            (["ps", "--noheadings", "-o", process], 16, r" *\d+ +- +- +-"),
            (["ps", "--noheadings", "--raw", "-o", process], 16, r"\d+ - - -"),
            (["ps", "--noheadings", "--csv", "-o", process], 16, r"\d+,,,"),
        ):
            lines = snap.vmtop(top, *words).out.decode().splitlines()[:rows]
            bad = [line for line in lines if not re.fullmatch(wanted, line)]
            report.check(
                f"unknown in {' '.join(words)}",
                bad if len(lines) == rows else f"{len(lines)} rows, not {rows}",
            )


def no_page_monitor(report):
    """A kernel built without PROC_PAGE_MONITOR has neither smaps, smaps_rollup nor pagemap. What other
    files tell stays as it is."""
    pid = snap.pid_named("guest-7", "anonymous")
    cheap = ["ps", "-o", "pid,rss,anon,file,shmem,swap,pss,uss", "--pss"]
    with tempfile.TemporaryDirectory() as tmp:
        top = pathlib.Path(tmp) / "machine"
        shutil.copytree(snap.FIXTURES / "guest-7", top, symlinks=True)
        before = snap.document(top, *cheap), snap.document(top, "maps", str(pid))
        for name in ("smaps", "smaps_rollup", "pagemap"):
            for path in top.glob(f"proc/**/{name}"):
                path.unlink()
        after = snap.document(top, *cheap), snap.document(top, "maps", str(pid))
    problems = []
    was, now = (doc["data"]["processes"] for doc in (before[0], after[0]))
    if not any(row["pss_bytes"] for row in was):
        problems.append("no PSS was there to be taken away")
    for old, new in zip(was, now, strict=True):
        wanted = {**old, "pss_bytes": None, "uss_bytes": None}
        if new != wanted:
            problems.append(f"ps: {new}, not {wanted}")
    was, now = (doc["data"]["maps"] for doc in (before[1], after[1]))
    if [(row["start"], row["path"]) for row in was] != [(row["start"], row["path"]) for row in now]:
        problems.append("maps: not the same mappings")
    problems += [f"maps: {row}" for row in now if row["rss_bytes"] is not None]
    report.check("N03 no smaps, smaps_rollup and pagemap: unknown, and the rest as before", problems[:5])


def main():
    report = Report()
    for fixture in snap.fixtures():
        if fixture != snap.HOSTILE:
            check(report, fixture, snap.pid_named(fixture, "anonymous"))
    shown(report)
    no_page_monitor(report)
    report.done()


if __name__ == "__main__":
    sys.exit(main())
