/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Victims of the OOM killer in a build without BPF: none are seen. */

#include <errno.h>

#include "source/probe-oom.h"

int vmt_ooms_start(const struct vmt_ooms_opts *opts, struct vmt_ooms **ret, struct vmt_err *err)
{
	(void)opts;
	(void)ret;
	return vmt_err_set(err, -ENOTSUP, NULL, 0, "this vmtop was built without BPF");
}

const char *vmt_ooms_tables(const struct vmt_ooms *x)
{
	(void)x;
	return NULL;
}

int vmt_ooms_take(struct vmt_ooms *x, struct vmt_arena *arena, vmt_ooms_fn *fn, void *arg)
{
	(void)x;
	(void)arena;
	(void)fn;
	(void)arg;
	return 0;
}

uint64_t vmt_ooms_lost(const struct vmt_ooms *x)
{
	(void)x;
	return 0;
}

uint64_t vmt_ooms_nameless(const struct vmt_ooms *x)
{
	(void)x;
	return 0;
}

void vmt_ooms_stop(struct vmt_ooms *x)
{
	(void)x;
}

void vmt_ooms_free(struct vmt_ooms *x)
{
	(void)x;
}

size_t vmt_ooms_try(struct vmt_probe_try *ret, size_t most)
{
	if (!most)
		return 0;
	*ret = (struct vmt_probe_try){ .probe = "oom",
				       .rung = "tracepoint",
				       .status = VMT_TRY_NOT_BUILT,
				       .reason = "built without libbpf (-Dbpf=disabled)" };
	return 1;
}
