#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""'vmtop zones' on the machine at hand against another reading of what it was given, the kernel's own
indices, and without rights.

A part of tests/live/run: it prints its cases and no plan.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import zones_truth  # noqa: E402
from program import DENIED, OK, Outsider, expect, loads, run  # noqa: E402
from tap import Report  # noqa: E402
from witness import witness  # noqa: E402

PAGE = os.sysconf("SC_PAGE_SIZE")
PROC = pathlib.Path("/proc")
EXTFRAG = pathlib.Path("/sys/kernel/debug/extfrag")
# The kernel's indices of a zone are computed from what moves; of so many looks one finds it at rest.
TRIES = 1000


def data(*args):
    return loads(run("zones", *args, "-J").out)["data"]


def looked(*args):
    """The data of vmtop zones, and the files of /proc that it had for it."""
    result, files = witness("/proc/", "zones", *args, "-J")
    return loads(result.out)["data"], {
        path.removeprefix("/proc/"): texts[-1] for path, texts in files.items()
    }


def check_zones(report):
    rows, files = looked()
    zones = zones_truth.zoneinfo(files["zoneinfo"], PAGE)
    buddy = zones_truth.buddyinfo(files["buddyinfo"])
    have = [(row["node"], row["zone"]) for row in rows["zones"]]
    report.check("zones: a row for each",
                 None if have == list(zones) and have else f"{have}, not {list(zones)}")
    problems = zones_truth.order_problems(rows["orders"], buddy, PAGE)
    for row in rows["zones"]:
        at = row["node"], row["zone"]
        problems += zones_truth.zone_problems(row, zones[at], buddy.get(at), PAGE)
    report.check("zones: figures as in the files", problems)


def kernel_index(name):
    """The kernel's own: {(node, zone): [index of each order]}."""
    lines = (EXTFRAG / name).read_text(encoding="ascii").splitlines()
    found = (re.fullmatch(r"Node (\d+), zone +(\S+) +(.*)", line.strip()) for line in lines)
    return {(int(m[1]), m[2]): [round(float(v) * 1000) for v in m[3].split()] for m in found}


def buddies():
    return (PROC / "buddyinfo").read_text(encoding="ascii")


def indices_of(text, key):
    """What vmtop makes of a buddyinfo: the same as kernel_index()."""
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        (root / "vmtop-fixture").write_text(f"page_size {PAGE}\nuser_hz 100\neuid 0\n")
        (root / "proc").mkdir()
        (root / "proc" / "buddyinfo").write_text(text, encoding="ascii")
        rows = data("--orders", "--root", name)["orders"]
    have = {}
    for row in rows:
        have.setdefault((row["node"], row["zone"]), []).append(round(row[key] * 1000))
    return have


def check_extfrag(report):
    """Each zone in a moment in which its lists were the same before and after: of these vmtop has to
    make what the kernel made of them."""
    for name, key in (("unusable_index", "unusable_ratio"), ("extfrag_index", "fragmentation_ratio")):
        case = f"zones: {key} as the kernel computes it"
        if not (EXTFRAG / name).exists():
            report.skip(case, f"there is no {EXTFRAG / name}")
            continue
        right, wrong = set(), {}
        for _ in range(TRIES):
            before, index, after = buddies(), kernel_index(name), buddies()
            old, new = zones_truth.buddyinfo(before), zones_truth.buddyinfo(after)
            rest = {at for at in index if old.get(at) == new.get(at)} - right
            if not rest:
                continue
            have = indices_of(before, key)
            for at in rest:
                if have.get(at) == index[at]:
                    right.add(at)
                else:
                    wrong[at] = f"{at}: {have.get(at)}, not {index[at]}"
            if right == set(index):
                break
        problems = [text for at, text in wrong.items() if at not in right]
        report.check(case, problems or (None if right else "none of them ever stood still"))


def check_nodes(report):
    problems = []
    for node in data()["nodes"]:
        top = pathlib.Path(f"/sys/devices/system/node/node{node['node']}")
        if not top.exists():
            continue
        cpus = (top / "cpulist").read_text(encoding="ascii").strip()
        total = re.search(r"MemTotal: +(\d+) kB", (top / "meminfo").read_text(encoding="ascii"))
        if (node["cpus"], node["total_bytes"]) != (cpus, int(total[1]) * 1024):
            problems.append(f"{node}, not {cpus} and {total[1]} KiB")
    report.check("zones: processors and memory of nodes", problems)


def check_root(report):
    if os.geteuid() != 0:
        report.skip("zones: types and layout", "only root may read them")
        return
    rows, files = looked("--types")
    report.check(
        "zones: types", zones_truth.type_problems(rows["types"], files["pagetypeinfo"], PAGE)
    )
    rows, files = looked("--layout")
    report.check("zones: layout", zones_truth.layout_problems(rows["layout"], rows["layout_totals"],
                                                              files["iomem"]))


def check_nobody(report):
    if os.geteuid() != 0:
        report.skip("zones: as nobody", "only root can become nobody")
        return
    with Outsider() as nobody:
        said = nobody.run("zones", "-J")
        problem = expect(said, OK)
        if not problem and None in (row["free_bytes"] for row in loads(said.out)["data"]["zones"]):
            problem = "free_bytes is unknown"
        report.check("zones: as nobody", problem)
        for option, key, name in (("--types", "types", "pagetypeinfo"), ("--layout", "layout", "iomem")):
            said = nobody.run("zones", option, "-J")
            problem = expect(said, DENIED, quiet=False)
            if not problem:
                document = loads(said.out)
                state = next(s["status"] for s in document["sources"] if s["name"] == name)
                if document["data"][key] or state != "denied" or name.encode() not in said.err:
                    problem = f"{document['data'][key][:2]}, {state}, {said.err}"
            report.check(f"zones: {option} as nobody is denied, and not empty or 0", problem)


def check_watch(report):
    """While a child takes memory, bit by bit: rate, distance and time are of one piece."""
    child = subprocess.Popen(
        [sys.executable, "-c", "import time\nheld = []\nwhile len(held) < 512:\n"
         " held.append(bytearray(1 << 18)); time.sleep(0.002)\ntime.sleep(60)"],
        stdout=subprocess.DEVNULL,
    )
    try:
        result = run("zones", "-d", "0.2", "-n", "4", "--ndjson")
    finally:
        child.kill()
        child.wait()
    problem = expect(result, OK)
    if problem:
        report.check("zones: rates", problem)
        return
    rows = [loads(line) for line in result.out.splitlines()]
    rows = [row for row in rows if row["type"] == "zone"]
    first, rest = rows[: len(rows) // 4], rows[len(rows) // 4 :]
    problems = [f"the first has a rate: {row}" for row in first
                if row["free_per_second_bytes"] is not None or row["reached_ns"] is not None]
    falling = 0
    for row in rest:
        rate, left, ns = row["free_per_second_bytes"], row["distance_bytes"], row["reached_ns"]
        if rate is None:
            problems.append(f"no rate: {row}")
        elif rate >= 0 or left is None:
            problems += [f"it does not fall: {row}"] if ns is not None else []
        else:
            falling += 1
            # The rate is cut to whole bytes, towards 0.
            least, most = left * 10**9 // (-rate + 1) - 1, left * 10**9 // -rate + 1
            if ns is None or not least <= ns <= most:
                problems.append(f"{left} at {rate}/s are not {ns} ns")
    report.check(f"zones: time to the next watermark, {falling} times falling", problems)


def main():
    report = Report()
    check_zones(report)
    check_extfrag(report)
    check_nodes(report)
    check_root(report)
    check_nobody(report)
    check_watch(report)
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
