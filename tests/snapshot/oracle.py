# SPDX-License-Identifier: GPL-2.0-or-later
"""A second reading of a recorded machine, written from proc(5) and the kernel's documentation and
not from vmtop's code: what each figure has to be. None is what cannot be known."""

import pathlib
import re

MEMINFO = {
    "total_bytes": "MemTotal",
    "free_bytes": "MemFree",
    "shared_bytes": "Shmem",
    "available_bytes": "MemAvailable",
    "buffers_bytes": "Buffers",
    "cached_bytes": "Cached",
    "swap_cached_bytes": "SwapCached",
    "active_file_bytes": "Active(file)",
    "inactive_file_bytes": "Inactive(file)",
    "active_anon_bytes": "Active(anon)",
    "inactive_anon_bytes": "Inactive(anon)",
    "unevictable_bytes": "Unevictable",
    "mlocked_bytes": "Mlocked",
    "anon_bytes": "AnonPages",
    "mapped_bytes": "Mapped",
    "dirty_bytes": "Dirty",
    "writeback_bytes": "Writeback",
    "kreclaimable_bytes": "KReclaimable",
    "slab_reclaimable_bytes": "SReclaimable",
    "slab_unreclaimable_bytes": "SUnreclaim",
    "kernel_stack_bytes": "KernelStack",
    "page_tables_bytes": "PageTables",
    "percpu_bytes": "Percpu",
    "vmalloc_used_bytes": "VmallocUsed",
    "hugetlb_bytes": "Hugetlb",
    "anon_huge_bytes": "AnonHugePages",
    "commit_limit_bytes": "CommitLimit",
    "committed_bytes": "Committed_AS",
    "swap_total_bytes": "SwapTotal",
    "swap_free_bytes": "SwapFree",
    "slab_bytes": "Slab",
    "sec_page_tables_bytes": "SecPageTables",
    "shadow_call_stack_bytes": "ShadowCallStack",
    "shmem_huge_bytes": "ShmemHugePages",
    "file_huge_bytes": "FileHugePages",
    "zswap_bytes": "Zswap",
    "zswapped_bytes": "Zswapped",
    "writeback_tmp_bytes": "WritebackTmp",
    "hardware_corrupted_bytes": "HardwareCorrupted",
    "balloon_bytes": "Balloon",
    "gpu_active_bytes": "GPUActive",
    "gpu_reclaim_bytes": "GPUReclaim",
    "cma_total_bytes": "CmaTotal",
    "cma_free_bytes": "CmaFree",
    "unaccepted_bytes": "Unaccepted",
}
# Counters whose fields are named after them: KEY_total, and in watch mode KEY_per_second.
COUNTERS = (
    "pswpin",
    "pswpout",
    "pgscan_kswapd",
    "pgscan_direct",
    "pgsteal_kswapd",
    "pgsteal_direct",
    "workingset_refault_anon",
    "workingset_refault_file",
    "compact_stall",
    "thp_fault_alloc",
    "thp_fault_fallback",
    "pgfree",
    "pgpgin",
    "pgpgout",
    "numa_hint_faults",
    "nr_dirtied",
)
VMSTAT = {
    "pgfault_total": "pgfault",
    "pgmajfault_total": "pgmajfault",
    "oom_kill_total": "oom_kill",
    "zs_pages": "nr_zspages",
    "memmap_pages": "nr_memmap_pages",
    **{f"{key}_total": key for key in COUNTERS},
}
STATUS = {
    "vsize_bytes": "VmSize",
    "rss_bytes": "VmRSS",
    "anonymous_bytes": "RssAnon",
    "file_bytes": "RssFile",
    "shmem_bytes": "RssShmem",
    "swap_bytes": "VmSwap",
    "peak_rss_bytes": "VmHWM",
    "locked_bytes": "VmLck",
    "page_table_bytes": "VmPTE",
    "data_bytes": "VmData",
    "stack_bytes": "VmStk",
}
ROLLUP = {
    "pss_bytes": "Pss",
    "pss_dirty_bytes": "Pss_Dirty",
    "pss_anon_bytes": "Pss_Anon",
    "pss_file_bytes": "Pss_File",
    "pss_shmem_bytes": "Pss_Shmem",
    "shared_clean_bytes": "Shared_Clean",
    "shared_dirty_bytes": "Shared_Dirty",
    "private_clean_bytes": "Private_Clean",
    "private_dirty_bytes": "Private_Dirty",
    "referenced_bytes": "Referenced",
    "swap_pss_bytes": "SwapPss",
    "rollup_rss_bytes": "Rss",
    "rollup_anonymous_bytes": "Anonymous",
    "lazy_free_bytes": "LazyFree",
    "anon_huge_pages_bytes": "AnonHugePages",
    "shared_hugetlb_bytes": "Shared_Hugetlb",
    "private_hugetlb_bytes": "Private_Hugetlb",
    "ksm_bytes": "KSM",
    "shmem_pmd_mapped_bytes": "ShmemPmdMapped",
    "file_pmd_mapped_bytes": "FilePmdMapped",
    "rollup_swap_bytes": "Swap",
    "locked_pss_bytes": "Locked",
}
SMAPS = {
    "kernel_page_size_bytes": "KernelPageSize",
    "mmu_page_size_bytes": "MMUPageSize",
    "rss_bytes": "Rss",
    "pss_bytes": "Pss",
    "pss_dirty_bytes": "Pss_Dirty",
    "shared_clean_bytes": "Shared_Clean",
    "shared_dirty_bytes": "Shared_Dirty",
    "private_clean_bytes": "Private_Clean",
    "private_dirty_bytes": "Private_Dirty",
    "referenced_bytes": "Referenced",
    "anonymous_bytes": "Anonymous",
    "ksm_bytes": "KSM",
    "lazy_free_bytes": "LazyFree",
    "anon_huge_pages_bytes": "AnonHugePages",
    "shmem_pmd_mapped_bytes": "ShmemPmdMapped",
    "file_pmd_mapped_bytes": "FilePmdMapped",
    "shared_hugetlb_bytes": "Shared_Hugetlb",
    "private_hugetlb_bytes": "Private_Hugetlb",
    "swap_bytes": "Swap",
    "swap_pss_bytes": "SwapPss",
    "locked_bytes": "Locked",
}
MAP_KEYS = {*SMAPS.values(), "Size", "THPeligible", "ProtectionKey", "VmFlags"}
HEAD = re.compile(rb"([0-9a-f]+)-([0-9a-f]+) (\S{4}) ([0-9a-f]+) ([0-9a-f]+:[0-9a-f]+) (\d+) *(.*)")
PF_KTHREAD = 0x200000


def kib(text, key):
    found = re.search(rb"^" + re.escape(key.encode()) + rb":\s*(\d+) kB$", text, re.M)
    return int(found[1]) * 1024 if found else None


def number(text, key, separator=rb"\s+"):
    found = re.search(rb"^" + re.escape(key.encode()) + separator + rb"(\d+)\s*$", text, re.M)
    return int(found[1]) if found else None


def others(text, known):
    """{"other": the keys of a text that vmtop has no field for}; where it has none, nothing."""
    if not text:
        return {"other": None}
    lines = [line.partition(b":") for line in text.split(b"\n")[1:] if line]
    found = {key.decode(): value.strip().decode() for key, _, value in lines}
    found = {key: value_of(value) for key, value in found.items() if key not in known}
    return {"other": found} if found else {}


def value_of(text):
    if re.fullmatch(r"\d+ +kB", text):
        return int(text.split()[0]) * 1024
    return int(text) if re.fullmatch(r"0|[1-9]\d*", text) else text


def plus(*values):
    return None if None in values else sum(values)


def honest(row, rss, anonymous):
    """reclaimable, its slack, dirty pages of files, freed: by trying what the clean pages could be."""
    lazy, private = row["lazy_free_bytes"], row["uss_bytes"]
    clean = plus(row["shared_clean_bytes"], row["private_clean_bytes"])
    if None in (rss, anonymous, lazy, clean, private):
        return None
    if anonymous > rss or lazy > min(anonymous, clean) or max(clean, private) > rss:
        return None
    file = rss - anonymous
    # Of the clean pages so many can be the file's.
    most, fewest = min(file, clean - lazy), max(0, clean - anonymous)
    mine, least = min(anonymous, private), max(0, private - file)
    return {
        "reclaimable": most + lazy,
        "slack": most - fewest,
        "dirty": file - most,
        "swap": anonymous - lazy,
        "freed": (mine, least),
    }


def honest_map(row, kind):
    """The columns of a mapping of that kind."""
    flags = row["vm_flags"]
    known = honest(row, row["rss_bytes"], row["anonymous_bytes"])
    out = dict.fromkeys(
        f"{name}_bytes"
        for name in "reclaimable writeback needs_swap unevictable reclaim_slack freed freed_slack".split()
    )
    if known and flags is not None:
        moved = kind == "shmem"
        parts = (
            known["reclaimable"],
            0 if moved else known["dirty"],
            known["swap"] + (known["dirty"] if moved else 0),
            0,
            known["slack"],
        )
        if "lo" in flags.split():
            parts = (0, 0, 0, row["rss_bytes"], 0)
        out.update(zip(list(out)[:5], parts, strict=True))
    if known and row["private_hugetlb_bytes"] is not None:
        mine, least = known["freed"]
        huge = row["private_hugetlb_bytes"] if row["perms"].endswith("p") else 0
        out.update(freed_bytes=mine + huge, freed_slack_bytes=mine - least)
    return out


def honest_process(row):
    """The columns of a process."""
    known = honest(row, row["rollup_rss_bytes"], row["rollup_anonymous_bytes"])
    out = dict.fromkeys(
        f"{name}_bytes"
        for name in "reclaimable writeback needs_swap reclaim_slack freed freed_slack freed_swap".split()
    )
    swap, pss = row["rollup_swap_bytes"], row["swap_pss_bytes"]
    if None not in (swap, pss) and pss <= swap:
        out["freed_swap_bytes"] = max(0, 2 * pss - swap)
    if not known:
        return out
    out.update(reclaimable_bytes=known["reclaimable"], reclaim_slack_bytes=known["slack"])
    shmem = 0 if row["pss_shmem_bytes"] == 0 else row["shmem_bytes"]
    if shmem is not None:
        shmem = min(shmem, known["dirty"])
        out["writeback_bytes"] = known["dirty"] - shmem
        out["needs_swap_bytes"] = known["swap"] + shmem
    mine, least = known["freed"]
    anonymous, proportional = row["rollup_anonymous_bytes"], row["pss_anon_bytes"]
    if proportional is not None and proportional <= anonymous:
        if anonymous - proportional < 1024:
            least = max(least, anonymous)
            mine = min(mine, anonymous)
        else:
            least = max(least, 2 * proportional - anonymous)
            mine = min(mine, proportional + 1023)
    if least <= mine and row["private_hugetlb_bytes"] is not None:
        out["freed_bytes"] = mine + row["private_hugetlb_bytes"]
        out["freed_slack_bytes"] = mine - least
    return out


class Machine:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        facts = (line.split(None, 1) for line in self.read("vmtop-fixture").splitlines())
        self.facts = {fact[0].decode(): fact[1].decode() for fact in facts if len(fact) == 2}
        self.page = int(self.facts["page_size"])

    def read(self, name):
        """Bytes of a file; nothing where there is none."""
        path = self.root / name
        return path.read_bytes() if path.is_file() else b""

    def reserves(self):
        """Sums over the zones: managed, kept back, low, on lists of processors; in bytes."""
        sums = [0, 0, 0, 0]
        for zone in re.split(rb"^Node ", self.read("proc/zoneinfo"), flags=re.M)[1:]:
            managed, high, low = (number(zone, f"        {k}") for k in ("managed", "high", "low"))
            boost = number(zone, "        boost") or 0
            protection = re.search(rb"protection: \((.*)\)", zone)
            kept = max(map(int, protection[1].split(b","))) + high - boost
            cpus = sum(map(int, re.findall(rb"^ +count: +(\d+)$", zone, re.M)))
            for i, value in enumerate((managed, min(managed, kept), low, cpus)):
                sums[i] += value * self.page
        return sums

    def system(self):
        text, counters = self.read("proc/meminfo"), self.read("proc/vmstat")
        row = {field: kib(text, key) for field, key in MEMINFO.items()}
        row.update((field, number(counters, key)) for field, key in VMSTAT.items())
        by_zone = [int(n) for n in re.findall(rb"^pgalloc_\w+ (\d+)$", counters or b"", re.M)]
        row["pgalloc_total"] = sum(by_zone) if by_zone else None
        managed, kept, low, on_cpus = self.reserves()
        row["managed_bytes"], row["reserve_bytes"], row["low_bytes"] = managed, kept, low
        row["pcp_bytes"] = on_cpus
        row["zram_bytes"], row["zram_data_bytes"] = self.zram(row)
        total, free, available = row["total_bytes"], row["free_bytes"], row["available_bytes"]
        row["used_bytes"] = None if available is None else total - available
        row["buff_cache_bytes"] = plus(
            row["buffers_bytes"], row["cached_bytes"], row["slab_reclaimable_bytes"]
        )
        row["swap_used_bytes"] = row["swap_total_bytes"] - row["swap_free_bytes"]
        # si_mem_available() of mm/show_mem.c counts in pages.
        slab = row["kreclaimable_bytes"]
        slab = row["slab_reclaimable_bytes"] if slab is None else slab
        sum_ = free - kept
        for part in (row["active_file_bytes"] + row["inactive_file_bytes"], slab):
            sum_ += part - min(part // self.page // 2 * self.page, low)
        row["available_derived_bytes"] = max(sum_, 0)
        row["available_residual_bytes"] = None if available is None else max(sum_, 0) - available
        row["unaccounted_bytes"] = None if None in self.taken(row) else total - sum(self.taken(row))
        return row

    def zram(self, row):
        """What the devices hold, and what was written to them; nothing without zsmalloc, or where
        zswap has all of it and there is no device."""
        devices = list((self.root / "sys/devices/virtual/block").glob("zram*/mm_stat"))
        pages = row["zs_pages"]
        if pages == 0:
            return 0, 0
        if not devices:
            explained = pages is not None and pages * self.page <= (row["zswap_bytes"] or 0)
            return (0, 0) if explained else (None, None)
        said = [[int(word) for word in path.read_text().split()] for path in devices]
        return sum(words[2] for words in said), sum(words[0] for words in said)

    def taken(self, row):
        """What MemTotal was taken for, by the counters that the kernel has: those of every kernel,
        and those of some. Each page once: shmem is in Cached, stacks in vmalloc memory, swap cache
        in part in AnonPages."""

        def of(*names):
            return [row[f"{name}_bytes"] for name in names]

        stacks = plus(row["kernel_stack_bytes"], row["shadow_call_stack_bytes"] or 0)
        vmalloc = row["vmalloc_used_bytes"]
        if None not in (stacks, vmalloc):
            vmalloc -= stacks if vmalloc >= stacks else 0
        listed = plus(
            *of("active_anon", "inactive_anon", "active_file", "inactive_file", "unevictable")
        )
        used = plus(*of("anon", "cached", "buffers"))
        swap = row["swap_cached_bytes"]
        if swap:
            swap = None if None in (listed, used) else max(0, min(swap, listed - used))
        always = of("free", "anon", "cached", "buffers", "slab_reclaimable", "slab_unreclaimable")
        always += [*of("page_tables", "dirty", "writeback", "shared"), stacks, vmalloc, swap]
        if row["shared_bytes"] is not None and row["shared_bytes"] > (row["cached_bytes"] or 0):
            return [None]
        if None in always:
            return [None]
        some = of("pcp", "sec_page_tables", "percpu", "hugetlb", "zswap", "zram", "writeback_tmp")
        some += of("hardware_corrupted")
        some.append(plus(row["gpu_active_bytes"], row["gpu_reclaim_bytes"]))
        some.append(None if row["memmap_pages"] is None else row["memmap_pages"] * self.page)
        if row["kreclaimable_bytes"] is not None:
            some.append(max(0, row["kreclaimable_bytes"] - row["slab_reclaimable_bytes"]))
        # Parts of Cached, or attributes of it.
        for name in ("dirty", "writeback", "shared"):
            always.remove(row[f"{name}_bytes"])
        return always + [value for value in some if value is not None]

    def user(self, uid):
        for line in self.read("etc/passwd").splitlines():
            fields = line.split(b":")
            if len(fields) > 2 and fields[2] == b"%d" % uid and fields[0]:
                return fields[0]
        return b"%d" % uid

    def process(self, pid):
        home = f"proc/{pid}"
        stat, status = self.read(f"{home}/stat"), self.read(f"{home}/status")
        fields = stat[stat.rindex(b")") + 2 :].split()
        flags, threads = int(fields[6]), int(fields[17])
        kthread = bool(flags & PF_KTHREAD) or number(status, "Kthread", rb":\t") == 1
        zombie = fields[0] in (b"Z", b"X")
        if zombie and threads > 1:
            # The first thread ended; what the process holds is told by one that lives.
            for task in sorted((self.root / home / "task").glob("*/status")):
                if b"VmSize:" in task.read_bytes() and task.parent.name != str(pid):
                    home, status = str(task.parent.relative_to(self.root)), task.read_bytes()
        ticks = int(self.facts["user_hz"])
        uid = int(re.search(rb"^Uid:\t\d+\t(\d+)", status, re.M)[1])
        row = {
            "pid": pid,
            "ppid": int(fields[1]),
            "ns_pid": number(status, "NStgid", rb":\t(?:\d+\t)*"),
            "state": fields[0].decode(),
            "threads": threads,
            "uid": uid,
            "class": "kernel" if kthread else "zombie" if zombie and threads == 1 else "user",
            "minor_faults_total": int(fields[7]),
            "major_faults_total": int(fields[9]),
            "start_time_ns": int(fields[19]) * 10**9 // ticks,
            "user": self.user(uid),
            "comm": stat[stat.index(b"(") + 1 : stat.rindex(b")")],
        }
        memory = b"VmSize:" in status
        row.update((field, kib(status, key)) for field, key in STATUS.items())
        # ps reads no smaps unless it is asked to.
        row["commit_bytes"] = None
        enabled = number(status, "THP_enabled", rb":\t")
        row["thp_enabled"] = None if enabled is None else bool(enabled)
        row["commit_estimate_bytes"] = plus(row["data_bytes"], row["stack_bytes"])
        rollup = self.read(f"{home}/smaps_rollup") if memory else b""
        row.update((field, kib(rollup, key)) for field, key in ROLLUP.items())
        row.update(others(rollup, ROLLUP.values()))
        row["uss_bytes"] = plus(row["private_clean_bytes"], row["private_dirty_bytes"])
        row.update(honest_process(row))
        return row, home

    def statm(self, pid):
        """Size and RSS of a process, None for what has no memory."""
        text = self.read(f"proc/{pid}/statm")
        size, resident = (int(word) * self.page for word in text.split()[:2])
        return {"vsize_bytes": size or None, "rss_bytes": resident if size else None}

    def mappings(self, home):
        """A row for each line of maps, with what smaps says of it, in order."""

        def split(name):
            parts = re.split(rb"^(?=[0-9a-f]+-[0-9a-f]+ )", self.read(f"{home}/{name}"), flags=re.M)
            return [part for part in parts if part]

        maps, smaps = split("maps"), split("smaps")
        for line, text in zip(maps, smaps or [b""] * len(maps), strict=True):
            start, end, perms, offset, device, inode, path = HEAD.match(line.rstrip(b"\n")).groups()
            row = {field: kib(text, key) for field, key in SMAPS.items()}
            row.update(
                start=hex(int(start, 16)),
                end=hex(int(end, 16)),
                perms=perms.decode(),
                offset_bytes=int(offset, 16),
                device=device.decode(),
                inode=int(inode),
                size_bytes=int(end, 16) - int(start, 16),
                path=path,
                path_ambiguous=b"\\012" in path,
                uss_bytes=plus(row["private_clean_bytes"], row["private_dirty_bytes"]),
                dirty_bytes=plus(row["shared_dirty_bytes"], row["private_dirty_bytes"]),
                protection_key=number(text, "ProtectionKey", rb":\s+"),
            )
            rss, anonymous = row["rss_bytes"], row["anonymous_bytes"]
            row["file_bytes"] = (
                None if None in (rss, anonymous) or rss < anonymous else rss - anonymous
            )
            eligible = number(text, "THPeligible", rb":\s+")
            row["thp_eligible"] = None if eligible is None else bool(eligible)
            flags = re.search(rb"^VmFlags: (.*)$", text, re.M)
            row.update(others(text, MAP_KEYS))
            row["vm_flags"] = flags[1].strip().decode() if flags else None
            registered = (b"um", "missing"), (b"uw", "wp"), (b"ui", "minor")
            row["uffd"] = flags and " ".join(
                word for flag, word in registered if flag in flags[1].split()
            )
            accountable = flags and b"ac" in flags[1].split()
            row["commit_bytes"] = flags and (row["size_bytes"] if accountable else 0)
            yield row
