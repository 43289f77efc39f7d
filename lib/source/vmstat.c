/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/kv.h"
#include "source/machine.h"

static const struct vmt_kv_key keys[] = {
	VMT_KV(system, vmt_system, pgfault_total, "pgfault", COUNT),
	VMT_KV(system, vmt_system, pgmajfault_total, "pgmajfault", COUNT),
	VMT_KV(system, vmt_system, oom_kill_total, "oom_kill", COUNT),
};

int vmt_vmstat_parse(struct vmt_bytes text, struct vmt_system *sys, struct vmt_err *err)
{
	static const struct vmt_kv_table table = { keys, VMT_ARRAY_LEN(keys) };

	return vmt_kv_read(&table, text, ' ', &sys->row, NULL, "/proc/vmstat", err);
}
