/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/commands.h"

/* In the order of help: the machine, processes, mappings, faults, everything, vmtop itself. */
/* clang-format off */
const struct vmt_cmd *const vmt_cmds[] = {
	&vmt_cmd_top,
	&vmt_cmd_free,
	&vmt_cmd_zones,
	&vmt_cmd_kernel,
	&vmt_cmd_cgroups,
	&vmt_cmd_ps,
	&vmt_cmd_maps,
	&vmt_cmd_pages,
	&vmt_cmd_addr,
	&vmt_cmd_cache,
	&vmt_cmd_faults,
	&vmt_cmd_run,
	&vmt_cmd_events,
	&vmt_cmd_report,
	&vmt_cmd_record,
	&vmt_cmd_replay,
	&vmt_cmd_metrics,
	&vmt_cmd_check,
	&vmt_cmd_diff,
	&vmt_cmd_doctor,
	&vmt_cmd_schema,
	&vmt_cmd_completion,
	&vmt_cmd_help,
	&vmt_cmd_introspect,
	NULL,
};
/* clang-format on */

const struct vmt_cmd *vmt_cmd_find(const char *name)
{
	size_t i;

	for (i = 0; vmt_cmds[i]; i++)
		if (strcmp(vmt_cmds[i]->name, name) == 0)
			return vmt_cmds[i];
	return NULL;
}
