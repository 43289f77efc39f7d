/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/fault-doc.h"

#include "cmd/fault-window.h"

int vmt_fault_summary(struct vmt_ctx *ctx, enum vmt_fault_group *ret)
{
	const char *what = vmt_ctx_value(ctx, "summary");

	if (!what || strcmp(what, "vma") == 0)
		*ret = VMT_FAULT_BY_VMA;
	else if (strcmp(what, "proc") == 0)
		*ret = VMT_FAULT_BY_PROC;
	else if (strcmp(what, "file") == 0)
		*ret = VMT_FAULT_BY_FILE;
	else
		return vmt_usage_error(ctx, "--summary takes vma, proc or file");
	return 0;
}

static const char *const group_columns[] = {
	[VMT_FAULT_BY_VMA] = NULL,
	[VMT_FAULT_BY_PROC] = "PID,FAULTS,MAJOR,READ,WRITE,GUP,P50,P99,MAX,STALL,COMMAND",
	[VMT_FAULT_BY_FILE] = "KIND,FAULTS,MAJOR,READ,WRITE,P50,P99,MAX,STALL,MAPPING",
};

int vmt_fault_sections(struct vmt_ctx *ctx, struct vmt_run *run, enum vmt_fault_group group,
		       struct vmt_section **ret_first, struct vmt_section **ret_last)
{
	const struct vmt_model *m = run->model;
	struct vmt_section *s = vmt_run_section(run, ctx, "faults", m->faults, m->n_faults);
	struct vmt_section *balance, *files;
	int r;

	if (!s)
		return VMT_EXIT_FAILED;
	if (group_columns[group] &&
	    vmt_columns_parse(&s->columns, &vmt_entity_fault, group_columns[group], NULL) < 0)
		return VMT_EXIT_FAILED;
	r = vmt_section_options(ctx, s);
	if (r)
		return r;
	vmt_window_text(&s->note, ctx, m);
	balance = vmt_run_section(run, ctx, "balance", m->balance, m->n_balance);
	files = vmt_run_section(run, ctx, "files", m->files, m->n_files);
	if (!balance || !files)
		return VMT_EXIT_FAILED;
	vmt_section_arrange(balance, 0);
	vmt_section_arrange(files, 0);
	balance->title = "SUM by process";
	balance->machine_only = !vmt_ctx_given(ctx, "balance");
	files->title = "FILES: calls of filemap_fault";
	files->machine_only = group != VMT_FAULT_BY_FILE || m->n_files == 0;
	if (ret_first)
		*ret_first = s;
	*ret_last = !files->machine_only ? files : !balance->machine_only ? balance : s;
	return 0;
}
