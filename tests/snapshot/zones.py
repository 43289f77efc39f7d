#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""'vmtop zones' over the recorded machines against a second reading of their files, and with the
files taken away or spoilt: what cannot be known is unknown, and said to be."""

import pathlib
import shutil
import sys
import tempfile

import snap
import zones_truth
from program import DENIED, FAILED, OK, expect, loads
from tap import Report


def proc(fixture, name):
    return (snap.FIXTURES / fixture / "proc" / name).read_text(encoding="ascii")


def check_recorded(report, fixture):
    document = snap.document(fixture, "zones")
    data, page = document["data"], document["host"]["page_size_bytes"]
    zones = zones_truth.zoneinfo(proc(fixture, "zoneinfo"), page)
    buddy = zones_truth.buddyinfo(proc(fixture, "buddyinfo"))
    rows = {(row["node"], row["zone"]): row for row in data["zones"]}
    problems = [] if list(rows) == list(zones) else [f"zones {list(rows)}, not {list(zones)}"]
    for at, row in rows.items():
        problems += zones_truth.zone_problems(row, zones[at], buddy.get(at), page)
    report.check(f"{fixture}: {len(rows)} zones", problems)
    report.check(
        f"{fixture}: {len(data['orders'])} orders",
        zones_truth.order_problems(data["orders"], buddy, page),
    )
    problems = []
    for node in data["nodes"]:
        for key in ("present", "managed", "free"):
            want = sum(zone[key] for (number, _), zone in zones.items() if number == node["node"])
            if node[f"{key}_bytes"] != want:
                problems.append(f"node {node['node']}: {key} {node[f'{key}_bytes']}, not {want}")
        top = snap.FIXTURES / fixture / f"sys/devices/system/node/node{node['node']}"
        for key, name in (("cpus", "cpulist"), ("distances", "distance")):
            want = (top / name).read_text(encoding="ascii").strip()
            if node[key] != want:
                problems.append(f"node {node['node']}: {key} {node[key]!r}, not {want!r}")
    report.check(f"{fixture}: {len(data['nodes'])} nodes", problems)
    types = snap.document(fixture, "zones", "--types")["data"]["types"]
    text = proc(fixture, "pagetypeinfo")
    report.check(f"{fixture}: {len(types)} types", zones_truth.type_problems(types, text, page))
    data = snap.document(fixture, "zones", "--layout")["data"]
    report.check(
        f"{fixture}: {len(data['layout'])} ranges",
        zones_truth.layout_problems(data["layout"], data["layout_totals"], proc(fixture, "iomem")),
    )
    lists = snap.document(fixture, "zones", "--cpus")["data"]["cpu_lists"]
    have = {(row["node"], row["zone"], row["cpu"]): row["held_bytes"] for row in lists}
    want = {
        (*at, cpu): values["count"] for at, zone in zones.items()
        for cpu, values in zone["cpus"].items()
    }
    report.check(
        f"{fixture}: {len(lists)} lists of processors", None if have == want else f"{have}, not {want}"
    )


def spoilt(files, *args):
    """A recorded machine with other files in place of its own (None: without)."""
    with tempfile.TemporaryDirectory() as tmp:
        top = pathlib.Path(tmp) / "machine"
        shutil.copytree(snap.FIXTURES / "guest-6.12", top)
        for name, text in files.items():
            path = top / name
            if path.is_dir():
                shutil.rmtree(path)
            elif text is None:
                path.unlink()
            else:
                path.write_text(text, encoding="ascii")
        result = snap.vmtop(top, *args, "-J")
        return result, loads(result.out)


def source(document, name):
    return next(row for row in document["sources"] if row["name"] == name)


def check_spoilt(report):
    result, document = spoilt({"proc/buddyinfo": None}, "zones")
    rows = document["data"]["zones"]
    known = [row["zone"] for row in rows if row["free_blocks"] is not None]
    problems = [expect(result, OK)] if expect(result, OK) else []
    if known or document["data"]["orders"] or not any(row["free_bytes"] for row in rows):
        problems.append(f"blocks of {known}")
    if source(document, "buddyinfo")["status"] != "absent":
        problems.append(str(source(document, "buddyinfo")))
    report.check("without buddyinfo the zones stay", problems)

    result, document = spoilt({"sys/devices/system/node": None}, "zones")
    nodes = document["data"]["nodes"]
    good = all(n["cpus"] is None and n["total_bytes"] is None and n["free_bytes"] for n in nodes)
    good = good and source(document, "node")["status"] == "absent"
    report.check(
        "without nodes in sysfs their sums stay", expect(result, OK) or (None if good else [str(nodes)])
    )

    result, document = spoilt({"proc/zoneinfo": "Node 0, zone DMA\n  pages free many\n"}, "zones")
    good = not document["data"]["zones"] and source(document, "zoneinfo")["status"] == "failed"
    problem = None if good and b"zoneinfo" in result.err else str(document["data"])
    report.check("a zoneinfo that is none has failed", expect(result, FAILED, quiet=False) or problem)

    hidden = "00000000-00000000 : Reserved\n00000000-00000000 : System RAM\n"
    result, document = spoilt({"proc/iomem": hidden}, "zones", "--layout")
    good = not document["data"]["layout"] and not document["data"]["layout_totals"]
    good = good and source(document, "iomem")["status"] == "denied"
    problem = None if good and b"CAP_SYS_ADMIN" in result.err else str(document["data"])
    report.check(
        "addresses that are not shown are no ranges", expect(result, DENIED, quiet=False) or problem
    )

    result, document = spoilt({"proc/pagetypeinfo": None}, "zones", "--types")
    report.check("types that are not there", expect(result, FAILED, quiet=False))


def main():
    report = Report()
    for fixture in snap.fixtures():
        if (snap.FIXTURES / fixture / "proc" / "buddyinfo").exists():
            check_recorded(report, fixture)
    check_spoilt(report)
    report.done()


if __name__ == "__main__":
    sys.exit(main())
