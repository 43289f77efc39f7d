#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""'vmtop kernel' on the machine at hand against another reading of what it was given, and without
rights.

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
from witness import witness  # noqa: E402

PAGE = os.sysconf("SC_PAGE_SIZE")
# Of so many looks at a busy machine one finds two of its files at one.
TRIES = 100


def read(name):
    return pathlib.Path("/proc", name).read_text(encoding="ascii")


def data(*args):
    return loads(run("kernel", *args, "-J").out)["data"]


def looked(*args):
    """The data of vmtop kernel, and the files of /proc that it had for it."""
    result, files = witness("/proc/", "kernel", *args, "-J")
    return loads(result.out)["data"], {
        path.removeprefix("/proc/"): texts[-1] for path, texts in files.items()
    }


def differences(have, want):
    """Of two dictionaries, key by key."""
    return [f"{key}: {have.get(key)}, not {want.get(key)}" for key in {**want, **have}
            if have.get(key) != want.get(key)]


def check_lists(report, option, file, parse, rows):
    name = f"kernel: {option} as in {file}"
    if os.geteuid() != 0:
        report.skip(name, "only root may read it")
        return
    document, files = looked(option)
    want = parse(files[file], PAGE)
    report.check(name, differences(rows(document), want) if want else f"{file} is empty")


def sum_problems(row, listed, counted):
    want = {"listed_bytes": listed, "counted_bytes": counted, "difference_bytes": counted - listed}
    return [f"{row['name']}: {key} is {row[key]}, not {value}" for key, value in want.items()
            if row[key] != value]


def check_sums(report):
    """The lists and what the kernel counts: it counts late, by some pages a processor and node, and
    what stands in two files is read one after the other."""
    if os.geteuid() != 0:
        report.skip("kernel: sums", "only root may read the lists")
        return
    problems, far = [], []
    for _ in range(TRIES):
        slabs, files = looked("--slab")
        slab, mem = kernel_truth.sums(slabs["sums"]), kernel_truth.meminfo(files["meminfo"])
        listed = sum(row[-1] for _, row in kernel_truth.slab_list(files["slabinfo"], PAGE))
        problems += sum_problems(slab["slab"], listed, mem["Slab"])
        vmalloc, files = looked("--vmalloc")
        areas, mem = kernel_truth.sums(vmalloc["sums"])["vmalloc, memory"], \
            kernel_truth.meminfo(files["meminfo"])
        listed = sum(row[-1] for key, row in kernel_truth.areas(files["vmallocinfo"], PAGE).items()
                     if key[-1] != "vmap")
        problems += sum_problems(areas, listed, mem["VmallocUsed"])

        slack = max(125 * PAGE * (os.cpu_count() or 1), mem["Slab"] // 50)
        far = []
        reclaimable = slab["slab, reclaimable"]["difference_bytes"]
        if reclaimable is not None and abs(reclaimable) > slack:
            far.append(f"reclaimable caches differ by {reclaimable}")
        if slab["slab"]["difference_bytes"] < -slack:
            far.append(f"caches are more than Slab by {-slab['slab']['difference_bytes']}")
        if abs(areas["difference_bytes"]) > slack:
            far.append(f"areas differ by {areas['difference_bytes']}")
        if problems or not far:
            break
    report.check("kernel: sums are those of the lists, and of meminfo", problems)
    report.check("kernel: sums of caches and areas are those of meminfo", far)


def check_uses(report):
    document, files = looked()
    keys = kernel_truth.meminfo(files["meminfo"])
    report.check("kernel: uses as in meminfo", kernel_truth.use_problems(document["uses"], keys)
                 or (None if len(set(kernel_truth.USES.values()) & set(keys)) >= 4
                     else f"meminfo has {list(keys)}"))


def check_counters(report):
    document, files = looked("--vmstat")
    have = {row["name"]: row["value"] for row in document["counters"]}
    want = dict(kernel_truth.vmstat(files["vmstat"]))
    problems = differences(have, want)
    if list(have) != list(want) or not want:
        problems.append("not the keys of the file, in its order")
    report.check("kernel: counters as in vmstat", problems)


def check_rates(report):
    result = run("kernel", "--vmstat", "pgfault", "-d", "0.1", "-n", "3", "--ndjson")
    problem = expect(result, OK)
    if problem:
        report.check("kernel: rates", problem)
        return
    lines = [loads(line) for line in result.out.splitlines()]
    times = [line["monotonic_ns"] for line in lines if line["type"] == "sample"]
    rows = [line for line in lines if line["type"] == "counter"]
    problems = [] if len(rows) == len(times) == 3 else [f"{len(rows)} rows of {len(times)} samples"]
    problems += [f"the first has a rate: {row}" for row in rows[:1] if row["delta_per_second"] is not None]
    # Nobody may have faulted meanwhile; and it is cut to thousandths.
    for i in range(1, len(rows)):
        came = rows[i]["value"] - rows[i - 1]["value"]
        rate, want = rows[i]["delta_per_second"], came * 1e9 / (times[i] - times[i - 1])
        if came < 0 or rate is None or abs(rate - want) > 0.002:
            problems.append(f"{came} more in {times[i] - times[i - 1]} ns are {rate} a second")
    report.check("kernel: rates", problems)


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
    check_rates(report)
    check_layout(report)
    check_nobody(report)
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
