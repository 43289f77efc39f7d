#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""'vmtop kernel' over the recorded machines against a second reading of their files, and over a
machine made of them with modules, symbols and slabs in sysfs: shown, and kept back."""

import pathlib
import shutil
import sys
import tempfile

import snap
import kernel_truth
from program import FAILED, NOTHING, USAGE, expect, loads
from tap import Report


def proc(fixture, name):
    return (snap.FIXTURES / fixture / "proc" / name).read_text(encoding="ascii")


def check_recorded(report, fixture):
    keys = kernel_truth.meminfo(proc(fixture, "meminfo"))
    document = snap.document(fixture, "kernel")
    page = document["host"]["page_size_bytes"]
    uses = document["data"]["uses"]
    problems = kernel_truth.use_problems(uses, keys)
    held = kernel_truth.sums(document["data"]["sums"])["held by the kernel"]
    part = [row["size_bytes"] or 0 for row in uses if row["in"] == "total"]
    if held["listed_bytes"] != sum(part):
        problems.append(f"{held} is not the sum of {part}")
    # As 'vmtop free' has it: stacks are in vmalloc memory, if that has as much as they are.
    stacks = keys["KernelStack"] + keys.get("ShadowCallStack", 0)
    place = "vmalloc" if stacks <= keys["VmallocUsed"] else "total"
    problems += [f"{row['name']}: in {row['in']}, not {place}" for row in uses
                 if "stacks" in row["name"] and row["in"] != place]
    report.check(f"{fixture}: {len(uses)} uses", problems)

    data = snap.document(fixture, "kernel", "--slab")["data"]
    wanted = kernel_truth.slabs(proc(fixture, "slabinfo"), page)
    have = {row["name"]: kernel_truth.slab_row(row) for row in data["slabs"]}
    problems = [f"{n}: {have.get(n)}, not {v}" for n, v in wanted.items() if have.get(n) != v]
    slab = kernel_truth.sums(data["sums"])["slab"]
    listed = sum(row[-1] for row in wanted.values())
    if (slab["listed_bytes"], slab["difference_bytes"]) != (listed, keys["Slab"] - listed):
        problems.append(f"{slab}, not {listed} of {keys['Slab']}")
    # Large kmalloc() is what a machine at rest has beyond its caches: some MiB, and never less.
    if not 0 <= keys["Slab"] - listed < 32 << 20:
        problems.append(f"caches of {listed}, Slab {keys['Slab']}")
    report.check(f"{fixture}: {len(have)} caches", problems)

    data = snap.document(fixture, "kernel", "--vmalloc")["data"]
    wanted = kernel_truth.areas(proc(fixture, "vmallocinfo"), page)
    have = kernel_truth.area_rows(data["vmalloc"])
    problems = [f"{n}: {have.get(n)}, not {v}" for n, v in wanted.items() if have.get(n) != v]
    memory = kernel_truth.sums(data["sums"])["vmalloc, memory"]
    listed = sum(row[2] for name, row in wanted.items() if name[2] != "vmap")
    if (memory["listed_bytes"], memory["counted_bytes"]) != (listed, keys["VmallocUsed"]):
        problems.append(f"{memory}, not {listed} of {keys['VmallocUsed']}")
    report.check(f"{fixture}: {len(have)} callers", problems)

    rows = snap.document(fixture, "kernel", "--vmstat")["data"]["counters"]
    same = [(row["name"], row["value"]) for row in rows] == kernel_truth.vmstat(proc(fixture, "vmstat"))
    report.check(f"{fixture}: {len(rows)} counters", None if same else "not those of the file")

    data = snap.document(fixture, "kernel", "--layout")["data"]
    ranges = {row["name"]: row for row in data["layout"]}
    problems = [f"{row['name']} has an address" for row in ranges.values() if row["start"]]
    direct = sum(size for key, size in keys.items() if key.startswith("DirectMap"))
    if ranges["direct map"]["used_bytes"] != direct:
        problems.append(f"direct map {ranges['direct map']}, not {direct}")
    if ranges["vmalloc"]["size_bytes"] != keys["VmallocTotal"]:
        problems.append(f"vmalloc {ranges['vmalloc']}")
    levels = 5 if keys["VmallocTotal"] >> 50 else 4
    if data["address_space"]["page_table_levels"] != levels:
        problems.append(f"{data['address_space']}, not {levels} levels")
    report.check(f"{fixture}: {len(ranges)} ranges, none with an address", problems)


def made(report, machine):
    """What no recording has."""
    proc_dir, slab = machine / "proc", machine / "sys/kernel/slab"
    (proc_dir / "modules").write_text("ext4 8192 1 - Live 0xffffffffc0a02000 (E)\n"
                                      "jbd2 4096 0 - Live 0xffffffffc0a00000\n", encoding="ascii")
    (proc_dir / "kallsyms").write_text("ffffffff8a000000 T _text\nffffffff8b000000 T _etext\n"
                                       "ffffffffc0a02000 t _end\t[ext4]\n", encoding="ascii")
    (proc_dir / "net").mkdir()
    (proc_dir / "net/sockstat").write_text("TCP: inuse 1 mem 3\nFRAG: inuse 0 memory 9\n",
                                           encoding="ascii")
    names = list(kernel_truth.slabs((proc_dir / "slabinfo").read_text(encoding="ascii"), 4096))
    for at, name in enumerate(names):
        (slab / f":{at}").mkdir(parents=True)
        (slab / f":{at}" / "reclaim_account").write_text(f"{at % 2}\n", encoding="ascii")
        (slab / name).symlink_to(f":{at}")
    data = snap.document(machine, "kernel", "--layout")["data"]
    ranges = {row["name"]: row for row in data["layout"]}
    have = [ranges[name][key] for name in ("image, code", "modules") for key in ("start", "last")]
    want = ["0xffffffff8a000000", "0xffffffff8affffff", "0xffffffffc0a00000", "0xffffffffc0a03fff"]
    problems = [] if have == want else [f"{have}, not {want}"]
    if ranges["modules"]["used_bytes"] != 12288:
        problems.append(f"{ranges['modules']}")
    if data["address_space"]["image_offset_bytes"] != 0x9000000:
        problems.append(f"{data['address_space']}")
    report.check("addresses of symbols and modules", problems)
    rows = {row["name"]: row["size_bytes"] for row in snap.document(machine, "kernel")["data"]["uses"]}
    have = [rows[name] for name in ("sockets, TCP", "sockets, UDP", "IP fragments")]
    report.check("sockets that are counted", None if have == [12288, None, 9] else f"{have}")
    rows = {row["name"]: row for row in snap.document(machine, "kernel", "--slab")["data"]["slabs"]}
    wrong = [name for at, name in enumerate(names) if rows[name]["reclaimable"] is not bool(at % 2)]
    report.check("caches that are merged, by their links", wrong)

    (slab / names[0]).unlink()
    (slab / names[0]).symlink_to("../../../proc")
    shutil.rmtree(slab / ":1")
    rows = {row["name"]: row for row in snap.document(machine, "kernel", "--slab")["data"]["slabs"]}
    have = [rows[names[at]]["reclaimable"] for at in (0, 1, 2, 3)]
    report.check("a link to elsewhere is not followed",
                 None if have == [None, None, False, True] else f"{have}")

    (proc_dir / "kallsyms").write_text("0000000000000000 T _text\n0000000000000000 T _etext\n")
    (proc_dir / "modules").write_text("ext4 8192 1 - Live 0x0000000000000000 (E)\n")
    data = snap.document(machine, "kernel", "--layout")["data"]
    problems = [f"{row}" for row in data["layout"] if row["start"] or row["last"]]
    if data["address_space"]["pointers_shown"] is not False:
        problems.append(f"{data['address_space']}")
    report.check("addresses that read 0 are unknown", problems)

    for name, text in (("slabinfo", "slabinfo - version: 2.1\nx 1 2\n"), ("vmallocinfo", "x\n")):
        (proc_dir / name).write_text(text, encoding="ascii")
        result = snap.vmtop(machine, "kernel", f"--{name[:-4]}", "-J")
        problem = expect(result, FAILED, quiet=False)
        if not problem and name.encode() not in result.err:
            problem = f"{result.err}"
        report.check(f"a {name} that is none", problem)
        (proc_dir / name).unlink()
        result = snap.vmtop(machine, "kernel", f"--{name[:-4]}", "-J")
        rows = loads(result.out)["data"]["slabs" if name == "slabinfo" else "vmalloc"]
        report.check(f"no {name}", expect(result, FAILED, quiet=False) or [str(row) for row in rows])


def check_usage(report):
    for name, words, code in (
        ("a counter that is not there", ["kernel", "--vmstat", "pgfault", "nonsense"], NOTHING),
        ("keys without --vmstat", ["kernel", "pgfault"], USAGE),
        ("two views", ["kernel", "--slab", "--vmalloc"], USAGE),
    ):
        report.check(name, expect(snap.vmtop("guest-7", *words), code, complaint=True))
    rows = snap.document("guest-7", "kernel", "--vmstat", "pgmajfault", "pgfault")["data"]["counters"]
    names = [row["name"] for row in rows]
    report.check("two counters", None if names == ["pgfault", "pgmajfault"] else f"{names}")


def main():
    report = Report()
    for fixture in snap.fixtures():
        if (snap.FIXTURES / fixture / "proc" / "slabinfo").exists():
            check_recorded(report, fixture)
    with tempfile.TemporaryDirectory() as tmp:
        machine = pathlib.Path(tmp) / "machine"
        shutil.copytree(snap.FIXTURES / "guest-6.1", machine)
        made(report, machine)
    check_usage(report)
    report.done()


if __name__ == "__main__":
    sys.exit(main())
