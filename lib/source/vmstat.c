/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/parse.h"
#include "source/kv.h"
#include "source/machine.h"

static const struct vmt_kv_key keys[] = {
	VMT_KV(system, vmt_system, pgfault_total, "pgfault", COUNT),
	VMT_KV(system, vmt_system, pgmajfault_total, "pgmajfault", COUNT),
	VMT_KV(system, vmt_system, oom_kill_total, "oom_kill", COUNT),
	VMT_KV(system, vmt_system, zs_pages, "nr_zspages", COUNT),
	VMT_KV(system, vmt_system, memmap_pages, "nr_memmap_pages", COUNT),
	VMT_KV(system, vmt_system, pswpin_total, "pswpin", COUNT),
	VMT_KV(system, vmt_system, pswpout_total, "pswpout", COUNT),
	VMT_KV(system, vmt_system, pgscan_kswapd_total, "pgscan_kswapd", COUNT),
	VMT_KV(system, vmt_system, pgscan_direct_total, "pgscan_direct", COUNT),
	VMT_KV(system, vmt_system, pgsteal_kswapd_total, "pgsteal_kswapd", COUNT),
	VMT_KV(system, vmt_system, pgsteal_direct_total, "pgsteal_direct", COUNT),
	VMT_KV(system, vmt_system, workingset_refault_anon_total, "workingset_refault_anon", COUNT),
	VMT_KV(system, vmt_system, workingset_refault_file_total, "workingset_refault_file", COUNT),
	VMT_KV(system, vmt_system, compact_stall_total, "compact_stall", COUNT),
	VMT_KV(system, vmt_system, thp_fault_alloc_total, "thp_fault_alloc", COUNT),
	VMT_KV(system, vmt_system, thp_fault_fallback_total, "thp_fault_fallback", COUNT),
	VMT_KV(system, vmt_system, pgfree_total, "pgfree", COUNT),
	VMT_KV(system, vmt_system, pgpgin_total, "pgpgin", COUNT),
	VMT_KV(system, vmt_system, pgpgout_total, "pgpgout", COUNT),
	VMT_KV(system, vmt_system, numa_hint_faults_total, "numa_hint_faults", COUNT),
	VMT_KV(system, vmt_system, nr_dirtied_total, "nr_dirtied", COUNT),
};

/* pgalloc is counted by zone. Lines that are no "key number" vmt_kv_read() has complained about. */
static void sum_allocations(struct vmt_bytes text, struct vmt_system *sys)
{
	struct vmt_bytes line, key, rest;
	uint64_t sum = 0, v;
	bool found = false;

	while (vmt_take_line(&text, &line)) {
		if (!vmt_bytes_starts(line, "pgalloc_") || vmt_kv_split(line, ' ', &key, &rest) < 0)
			continue;
		/* Counters wrap as the kernel's do. */
		if (vmt_take_u64(&rest, &v) < 0)
			return;
		sum += v;
		found = true;
	}
	if (found)
		VMT_SET(system, pgalloc_total, sys, sum);
}

int vmt_vmstat_parse(struct vmt_bytes text, struct vmt_system *sys, struct vmt_err *err)
{
	static const struct vmt_kv_table table = { keys, VMT_ARRAY_LEN(keys) };

	int r = vmt_kv_read(&table, text, ' ', &sys->row, NULL, "/proc/vmstat", err);

	if (r == 0)
		sum_allocations(text, sys);
	return r;
}
