/* SPDX-License-Identifier: GPL-2.0-or-later */
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
};

int vmt_vmstat_parse(struct vmt_bytes text, struct vmt_system *sys, struct vmt_err *err)
{
	static const struct vmt_kv_table table = { keys, VMT_ARRAY_LEN(keys) };

	return vmt_kv_read(&table, text, ' ', &sys->row, NULL, "/proc/vmstat", err);
}
