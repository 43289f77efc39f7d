#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""'vmtop kernel' on the machine at hand against a second reading of its files, and without rights.

A part of tests/live/run: it prints its cases and no plan.
"""

import os
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import kernel_truth  # noqa: E402
from program import DENIED, OK, Outsider, expect, loads, run  # noqa: E402
from tap import Report  # noqa: E402

PAGE = os.sysconf("SC_PAGE_SIZE")
# A busy machine moves between two reads; of so many looks one finds a figure at rest.
TRIES = 100


def read(name):
    return pathlib.Path("/proc", name).read_text(encoding="ascii")


def data(*args):
    return loads(run("kernel", *args, "-J").out)["data"]


def check_lists(report, option, file, parse, rows):
    """Each row once in a moment in which the file said the same before and after."""
    name = f"kernel: {option} as in {file}"
    if os.geteuid() != 0:
        report.skip(name, "only root may read it")
        return
    seen, wrong = set(), {}
    for _ in range(TRIES):
        before, have, after = parse(read(file), PAGE), rows(data(option)), parse(read(file), PAGE)
        still = {key for key in before if after.get(key) == before[key]}
        wrong = {key: (have.get(key), before[key]) for key in still if have.get(key) != before[key]}
        seen |= still - set(wrong)
        # What moved away and back while vmtop looked is right in another moment.
        if set(wrong) <= seen and len(seen) * 10 >= len(before) * 9:
            break
    left = {key: value for key, value in wrong.items() if key not in seen}
    problems = [f"{key}: {had}, not {want}" for key, (had, want) in left.items()]
    if len(seen) * 2 < len(before):
        problems.append(f"only {len(seen)} of {len(before)} stood still")
    report.check(name, problems)


def check_sums(report):
    """The lists and what the kernel counts: it counts late, by some pages a processor and node."""
    if os.geteuid() != 0:
        report.skip("kernel: sums", "only root may read the lists")
        return
    slack = 125 * PAGE * (os.cpu_count() or 1)
    for _ in range(TRIES):
        slab = kernel_truth.sums(data("--slab")["sums"])
        areas = kernel_truth.sums(data("--vmalloc")["sums"])["vmalloc, memory"]
        problems = []
        reclaimable = slab["slab, reclaimable"]["difference_bytes"]
        if reclaimable is not None and abs(reclaimable) > slack:
            problems.append(f"reclaimable caches differ by {reclaimable}")
        if slab["slab"]["difference_bytes"] < -slack:
            problems.append(f"caches are more than Slab by {-slab['slab']['difference_bytes']}")
        if abs(areas["difference_bytes"]) > slack:
            problems.append(f"areas differ by {areas['difference_bytes']}")
        if not problems:
            break
    report.check("kernel: sums of caches and areas are those of meminfo", problems)


def check_uses(report):
    problems = []
    for _ in range(TRIES):
        before, rows, after = read("meminfo"), data()["uses"], read("meminfo")
        first, last = kernel_truth.meminfo(before), kernel_truth.meminfo(after)
        still = {key: value for key, value in first.items() if last[key] == value}
        if "SReclaimable" not in still:
            still.pop("KReclaimable", None)
        problems = kernel_truth.use_problems(rows, still)
        if not problems and len(set(kernel_truth.USES.values()) & set(still)) >= 4:
            break
    report.check("kernel: uses as in meminfo", problems)


def check_counters(report):
    for _ in range(TRIES):
        before, rows, after = read("vmstat"), data("--vmstat")["counters"], read("vmstat")
        have = {row["name"]: row["value"] for row in rows}
        first, last = dict(kernel_truth.vmstat(before)), dict(kernel_truth.vmstat(after))
        wrong = [key for key, v in first.items() if last[key] == v and have.get(key) != v]
        if not wrong:
            break
    problems = [f"{key}: {have.get(key)}, not {first[key]}" for key in wrong]
    if list(have) != list(first):
        problems.append("not the keys of the file, in its order")
    report.check("kernel: counters as in vmstat", problems)
    result = run("kernel", "--vmstat", "pgfault", "-d", "0.1", "-n", "3", "--ndjson")
    rows = [loads(line) for line in result.out.splitlines()]
    rates = [row["delta_per_second"] for row in rows if row["type"] == "counter"]
    good = len(rates) == 3 and rates[0] is None and all(rate > 0 for rate in rates[1:])
    report.check("kernel: rates", expect(result, OK) or (None if good else f"{rates}"))


def symbol(name):
    found = re.search(rf"^([0-9a-f]+) \S {name}$", read("kallsyms"), re.M)
    return int(found[1], 16) if found else None


def check_layout(report):
    document = data("--layout")
    ranges = {row["name"]: row for row in document["layout"]}
    text, end = symbol("_text"), symbol("_etext")
    code = ranges["image, code"]
    want = (hex(text), hex(end - 1)) if text else (None, None)
    problems = [] if (code["start"], code["last"]) == want else [f"{code}, not {want}"]
    if document["address_space"]["pointers_shown"] is not bool(text):
        problems.append(f"{document['address_space']}")
    # Where kcore is there, its ranges do not overlap, and the code lies in none of the others.
    placed = sorted((int(r["start"], 16), int(r["last"], 16), r["name"]) for r in ranges.values()
                    if r["start"] and not r["name"].startswith("image"))
    problems += [f"{a} and {b} overlap" for a, b in zip(placed, placed[1:], strict=False)
                 if a[1] >= b[0]]
    report.check("kernel: layout", problems)


def check_nobody(report):
    if os.geteuid() != 0:
        report.skip("kernel: as nobody", "only root can become nobody")
        return
    with Outsider() as nobody:
        said = nobody.run("kernel", "-J")
        problem = expect(said, OK)
        if not problem and not loads(said.out)["data"]["sums"][0]["listed_bytes"]:
            problem = "the sum is unknown"
        report.check("kernel: as nobody", problem)
        for option, key, name in (("--slab", "slabs", "slabinfo"),
                                  ("--vmalloc", "vmalloc", "vmallocinfo")):
            said = nobody.run("kernel", option, "-J")
            problem = expect(said, DENIED, quiet=False)
            if not problem:
                document = loads(said.out)
                state = next(s["status"] for s in document["sources"] if s["name"] == name)
                if document["data"][key] or state != "denied" or name.encode() not in said.err:
                    problem = f"{document['data']}, {state}, {said.err}"
            report.check(f"kernel: {option} as nobody is denied, and not empty or 0", problem)
        said = nobody.run("kernel", "--layout", "-J")
        problem = expect(said, OK)
        if not problem:
            rows = loads(said.out)["data"]["layout"]
            problem = [f"{row} has an address" for row in rows if row["start"] or row["last"]]
        report.check("kernel: --layout as nobody shows no address, and no 0", problem)


def main():
    report = Report()
    check_uses(report)
    check_lists(report, "--slab", "slabinfo", kernel_truth.slabs, lambda rows: {
        row["name"]: kernel_truth.slab_row(row) for row in rows["slabs"]})
    check_lists(report, "--vmalloc", "vmallocinfo", kernel_truth.areas,
                lambda rows: kernel_truth.area_rows(rows["vmalloc"]))
    check_sums(report)
    check_counters(report)
    check_layout(report)
    check_nobody(report)
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
