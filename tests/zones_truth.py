# SPDX-License-Identifier: GPL-2.0-or-later
"""A second reading of the files about nodes and zones, written from proc(5) and mm/vmstat.c of the
kernel and not from vmtop's code: what each figure of 'vmtop zones' has to be."""

import re

MARKS = ("high", "low", "min")


def zoneinfo(text, page):
    """{(node, zone): {key: bytes}}, with the lists of the processors by number."""
    zones = {}
    for part in re.split(r"^(?=Node )", text, flags=re.M)[1:]:
        head = re.match(r"Node +(\d+), zone +(\S+)\n", part)
        body = part[part.index("  pages free") :]
        own = body.split("  pagesets")[0]
        zone = {
            key: int(value) * page
            for key, value in re.findall(r"^ +(?:pages )?([a-z]+) +(\d+)$", own, re.M)
        }
        limits = [int(n) for n in re.search(r"protection: \((.*)\)", own)[1].split(",")]
        zone["protection"] = max(limits) * page
        start = re.search(r"start_pfn: +(\d+)", body)
        zone["start"] = int(start[1]) * page if start and zone["spanned"] else None
        zone["cpus"] = {
            int(cpu): {k: int(v) * page for k, v in re.findall(r"^ +(\w+): +(\d+)$", rest, re.M)}
            for cpu, rest in re.findall(r"^ +cpu: (\d+)\n((?: {14}.*\n)+)", body, re.M)
        }
        zones[int(head[1]), head[2]] = zone
    return zones


def buddyinfo(text):
    lines = (re.fullmatch(r"Node +(\d+), zone +(\S+) +([\d ]+)", line) for line in text.splitlines())
    return {(int(m[1]), m[2]): [int(n) for n in m[3].split()] for m in lines}


def indices(blocks, order):
    """Unusable free space and fragmentation, in thousandths as the kernel rounds."""
    pages = sum(n << i for i, n in enumerate(blocks))
    suitable = sum(n << i for i, n in enumerate(blocks) if i >= order)
    unusable = (pages - suitable) * 1000 // pages if pages else 1000
    if not sum(blocks):
        return unusable, 0
    if suitable:
        return unusable, -1000
    return unusable, 1000 - (1000 + pages * 1000 // (1 << order)) // sum(blocks)


def zone_problems(row, zone, blocks, page):
    """What is wrong with a row of zones; zone and blocks are what the files say."""
    wanted = {
        f"{key}_bytes": zone.get(key)
        for key in ("spanned", "present", "managed", "free", "min", "low", "high", "promo",
                    "boost", "cma", "protection")
    }
    wanted["start"] = None if zone["start"] is None else hex(zone["start"])
    wanted["end"] = None if zone["start"] is None else hex(zone["start"] + zone["spanned"])
    wanted["reserve_bytes"] = min(
        zone["managed"], zone["protection"] + zone["high"] - zone.get("boost", 0)
    )
    wanted["next_mark"] = wanted["distance_bytes"] = None
    if zone["managed"]:
        below = [mark for mark in MARKS if zone["free"] > zone[mark]]
        wanted["next_mark"] = below[0] if below else "none"
        wanted["distance_bytes"] = zone["free"] - zone[below[0]] if below else None
    cpus = zone["cpus"].values()
    wanted["pcp_bytes"] = sum(cpu["count"] for cpu in cpus) if cpus else None
    wanted["pcp_high_bytes"] = sum(cpu["high"] for cpu in cpus) if cpus else None
    wanted["free_blocks"] = " ".join(map(str, blocks)) if blocks else None
    wanted["buddy_bytes"] = sum(n << i for i, n in enumerate(blocks)) * page if blocks else None
    largest = [i for i, n in enumerate(blocks or []) if n]
    wanted["largest_order"] = largest[-1] if largest else None
    where = f"{row['node']} {row['zone']}"
    return [
        f"{where}: {key} is {row[key]}, not {value}"
        for key, value in wanted.items()
        if row[key] != value
    ]


def order_problems(rows, buddy, page):
    wanted = []
    for (node, zone), blocks in buddy.items():
        for order, n in enumerate(blocks):
            unusable, fragmentation = indices(blocks, order)
            wanted.append({
                "node": node, "zone": zone, "order": order, "block_bytes": page << order,
                "free_blocks": n, "free_bytes": n * (page << order),
                "usable_bytes": sum(m * (page << i) for i, m in enumerate(blocks) if i >= order),
                "unusable_ratio": unusable / 1000, "fragmentation_ratio": fragmentation / 1000,
            })
    if len(rows) != len(wanted):
        return [f"{len(rows)} orders, not {len(wanted)}"]
    return [f"{have} is not {want}" for have, want in zip(rows, wanted, strict=True) if have != want]


def type_problems(rows, text, page):
    """pagetypeinfo: a row for each line of the lists, and the numbers of blocks below the types."""
    block = int(re.search(r"^Pages per block: +(\d+)$", text, re.M)[1]) * page
    wanted, titles = {}, None
    for line in text.splitlines():
        lists = re.fullmatch(r"Node +(\d+), zone +(\S+), type +(\S+) +([>\d ]+)", line)
        counts = re.fullmatch(r"Node +(\d+), zone +(\S+) +([\d ]+)", line)
        if line.startswith("Number of blocks type"):
            titles = line.split()[4:]
        if lists:
            free = lists[4].split()
            wanted[int(lists[1]), lists[2], lists[3]] = {
                "free_blocks": " ".join(free),
                "free_bytes": None if ">" in lists[4]
                else sum(int(n) << i for i, n in enumerate(free)) * page,
            }
        elif counts:
            for title, n in zip(titles, counts[3].split(), strict=True):
                wanted[int(counts[1]), counts[2], title] |= {
                    "blocks": int(n), "blocks_bytes": int(n) * block,
                }
    have = {(row["node"], row["zone"], row["type"]): row for row in rows}
    if list(have) != list(wanted):
        return [f"types {list(have)}, not {list(wanted)}"]
    return [
        f"{at}: {key} is {have[at][key]}, not {value}"
        for at, row in wanted.items()
        for key, value in row.items()
        if have[at][key] != value
    ]


def layout_problems(rows, totals, text):
    """iomem: depth by its blanks, and what no inner range covers, address by address."""
    lines = [re.fullmatch(r"( *)([0-9a-f]+)-([0-9a-f]+) : (.*)", line) for line in text.splitlines()]
    ranges = [(len(m[1]) // 2, int(m[2], 16), int(m[3], 16), m[4]) for m in lines]
    have = [(r["level"], int(r["start"], 16), int(r["last"], 16), r["name"]) for r in rows]
    if have != ranges:
        return ["not the ranges of the file"]
    own = [last - start + 1 for _, start, last, _ in ranges]
    for i, (depth, start, last, _) in enumerate(ranges):
        parents = [k for k in range(i) if ranges[k][0] == depth - 1]
        if parents:
            own[parents[-1]] -= last - start + 1
    problems = [
        f"{row['name']}: own_bytes {row['own_bytes']}, not {size}"
        for row, size in zip(rows, own, strict=True)
        if row["own_bytes"] != size
    ]
    covered = sum(last - start + 1 for depth, start, last, _ in ranges if depth == 0)
    if sum(total["own_bytes"] for total in totals) != covered:
        problems.append(f"classes sum up to another size than {covered}")
    if sum(total["ranges"] for total in totals) != len(ranges):
        problems.append("classes have not all of the ranges")
    for total in totals:
        size = sum(row["own_bytes"] for row in rows if row["class"] == total["class"])
        if size != total["own_bytes"]:
            problems.append(f"{total['class']}: {total['own_bytes']}, not {size}")
    return problems
