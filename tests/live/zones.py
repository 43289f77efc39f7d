#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""'vmtop zones' on the machine at hand against a second reading of its files, the kernel's own
indices, and without rights.

A part of tests/live/run and of live.suite: it prints its cases and no plan.
"""

import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import zones_truth  # noqa: E402
from program import DENIED, OK, Outsider, expect, loads, run  # noqa: E402
from tap import Report  # noqa: E402

PAGE = os.sysconf("SC_PAGE_SIZE")
PROC = pathlib.Path("/proc")
EXTFRAG = pathlib.Path("/sys/kernel/debug/extfrag")
# Memory of a busy machine moves between two reads; of so many looks one finds a zone at rest.
TRIES = 100
MOVES = re.compile(r": (free|pcp|buddy|distance|next|largest)_\w+ is |\bunusable_ratio\b")


def read():
    zones = zones_truth.zoneinfo((PROC / "zoneinfo").read_text(encoding="ascii"), PAGE)
    return zones, zones_truth.buddyinfo((PROC / "buddyinfo").read_text(encoding="ascii"))


def data(*args):
    return loads(run("zones", *args, "-J").out)["data"]


def check_zones(report):
    """Each zone once in a moment at which the files said the same before and after."""
    problems, left = {}, set(read()[0])
    for _ in range(TRIES):
        (zones, buddy), rows, (after, buddy_after) = read(), data(), read()
        for row in rows["zones"]:
            at = row["node"], row["zone"]
            if zones[at] != after[at] or buddy.get(at) != buddy_after.get(at):
                continue
            problems[at] = zones_truth.zone_problems(row, zones[at], buddy.get(at), PAGE)
            orders = [o for o in rows["orders"] if (o["node"], o["zone"]) == at]
            if at in buddy:
                problems[at] += zones_truth.order_problems(orders, {at: buddy[at]}, PAGE)
            if not problems[at]:
                left.discard(at)
        if not left:
            break
    have = [(row["node"], row["zone"]) for row in rows["zones"]]
    report.check("zones: a row for each", None if have == list(zones) else f"{have}, not {zones}")
    # Of one that never stood still, what does not move is judged; that of old devices always does.
    found = [p for at in left for p in problems.get(at, []) if not MOVES.search(p)]
    if left and len(left) == len(have):
        found.append("all of them are in motion")
    report.check(f"zones: figures as in the files, {len(left)} of {len(have)} in motion", found)


def kernel_index(name):
    """The kernel's own: {(node, zone): [index of each order]}."""
    lines = (EXTFRAG / name).read_text(encoding="ascii").splitlines()
    found = (re.fullmatch(r"Node (\d+), zone +(\S+) +(.*)", line.strip()) for line in lines)
    return {(int(m[1]), m[2]): [round(float(v) * 1000) for v in m[3].split()] for m in found}


def check_extfrag(report):
    for name, key in (("unusable_index", "unusable_ratio"), ("extfrag_index", "fragmentation_ratio")):
        case = f"zones: {key} as the kernel computes it"
        if not (EXTFRAG / name).exists():
            report.skip(case, f"there is no {EXTFRAG / name}")
            continue
        for _ in range(TRIES):
            before, rows, after = kernel_index(name), data("--orders")["orders"], kernel_index(name)
            have = {}
            for row in rows:
                have.setdefault((row["node"], row["zone"]), []).append(round(row[key] * 1000))
            wrong = [at for at in before if before[at] == after[at] and have[at] != before[at]]
            if not wrong:
                break
        report.check(case, [f"{at}: {have[at]}, not {before[at]}" for at in wrong])


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
    for _ in range(TRIES):
        before = (PROC / "pagetypeinfo").read_text(encoding="ascii")
        types = data("--types")["types"]
        if before == (PROC / "pagetypeinfo").read_text(encoding="ascii"):
            report.check("zones: types", zones_truth.type_problems(types, before, PAGE))
            break
    else:
        have = {(row["node"], row["zone"], row["type"]) for row in types}
        want = re.findall(r"^Node +(\d+), zone +(\S+), type +(\S+)", before, re.M)
        same = have == {(int(node), zone, kind) for node, zone, kind in want}
        report.check("zones: types, always in motion", None if same else f"{have}, not {want}")
    text = (PROC / "iomem").read_text(encoding="utf-8")
    said = data("--layout")
    report.check(
        "zones: layout", zones_truth.layout_problems(said["layout"], said["layout_totals"], text)
    )


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
