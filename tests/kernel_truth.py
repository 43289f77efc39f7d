# SPDX-License-Identifier: GPL-2.0-or-later
"""A second reading of the files about the kernel's own memory, written from proc(5), slabinfo(5) and
the kernel's documentation and not from vmtop's code: what 'vmtop kernel' has to say."""

import re

USES = {
    "slab, reclaimable": "SReclaimable",
    "slab, unreclaimable": "SUnreclaim",
    "vmalloc": "VmallocUsed",
    "kernel stacks": "KernelStack",
    "page tables": "PageTables",
    "secondary page tables": "SecPageTables",
    "percpu": "Percpu",
    "hugetlb": "Hugetlb",
    "bounce buffers": "Bounce",
}


def meminfo(text):
    return {k: int(v) * 1024 for k, v in re.findall(r"^([^:]+): +(\d+) kB$", text, re.M)}


def vmstat(text):
    return [(key, int(value)) for key, value in re.findall(r"^(\S+) (\d+)$", text, re.M)]


def use_problems(rows, keys):
    have = {row["name"]: row["size_bytes"] for row in rows}
    wanted = {name: keys[key] for name, key in USES.items() if key in keys}
    if "KReclaimable" in keys:
        wanted["other reclaimable"] = keys["KReclaimable"] - keys["SReclaimable"]
    wanted["secretmem"] = None
    return [f"{n}: {have.get(n)}, not {v}" for n, v in wanted.items() if have.get(n, 0) != v]


def slab_list(text, page):
    """(name, (objects in use, objects, size of one, slabs, bytes)) of each line: the kernel lets two
    caches have one name."""
    found = []
    for line in text.splitlines()[2:]:
        m = re.fullmatch(r"(.+?) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+) : tunables .* : slabdata "
                         r"+(\d+) +(\d+) +(\d+)", line)
        used, total, size, _, pages, _, count, _ = map(int, m.groups()[1:])
        found.append((m[1], (used, total, size, count, count * pages * page)))
    return found


def slabs(text, page):
    return dict(slab_list(text, page))


def slab_row(row):
    keys = ("objects_used", "objects_total", "object_bytes", "slabs", "size_bytes")
    return tuple(row[key] for key in keys)


def areas(text, page):
    """{(function, module, kind): (areas, address space, memory)}"""
    found = {}
    for line in text.splitlines():
        _, size, *rest = line.split()
        caller = next((word.split("+0x")[0] for word in rest if "+0x" in word), None)
        module = next((word[1:-1] for word in rest if word.startswith("[")), None)
        kind = "other"
        for word in ("vmalloc", "vmap", "ioremap", "user", "dma-coherent", "vm_map_ram", "unpurged"):
            kind = word if word in rest else kind
        pages = sum(int(word[6:]) for word in rest if word.startswith("pages="))
        count, sizes, memory = found.get((caller, module, kind), (0, 0, 0))
        found[caller, module, kind] = count + 1, sizes + int(size), memory + pages * page
    return found


def area_rows(rows):
    return {
        (row["caller"], row["module"], row["kind"]):
            (row["areas"], row["size_bytes"], row["memory_bytes"])
        for row in rows
    }


def sums(rows):
    return {row["name"]: row for row in rows}
