/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What khugepaged comes to, in a build without BPF: nothing is known of it. */

#include <errno.h>

#include "source/probe-collapse.h"

int vmt_collapses_start(const struct vmt_collapses_opts *opts, struct vmt_collapses **ret,
			struct vmt_err *err)
{
	(void)opts;
	(void)ret;
	return vmt_err_set(err, -ENOTSUP, NULL, 0, "this vmtop was built without BPF");
}

size_t vmt_collapses_try(struct vmt_probe_try *ret, size_t most)
{
	if (!most)
		return 0;
	*ret = (struct vmt_probe_try){ .probe = "khugepaged",
				       .rung = "tracepoint",
				       .status = VMT_TRY_NOT_BUILT,
				       .reason = "built without libbpf (-Dbpf=disabled)" };
	return 1;
}

const char *vmt_collapses_doubt(const struct vmt_collapses *x)
{
	(void)x;
	return NULL;
}

void vmt_collapses_stop(struct vmt_collapses *x)
{
	(void)x;
}

int vmt_collapses_read(const struct vmt_collapses *x, struct vmt_arena *arena,
		       struct vmt_collapse_sample *ret)
{
	(void)x;
	(void)arena;
	*ret = (struct vmt_collapse_sample){ 0 };
	return 0;
}

void vmt_collapses_free(struct vmt_collapses *x)
{
	(void)x;
}
