/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Events in a build without BPF: there are none. */

#include <errno.h>

#include "source/probe-events.h"

int vmt_events_start(const struct vmt_events_opts *opts, struct vmt_events **ret,
		     struct vmt_err *err)
{
	(void)opts;
	(void)ret;
	return vmt_err_set(err, -ENOTSUP, NULL, 0, "this vmtop was built without BPF");
}

size_t vmt_events_try(struct vmt_probe_try *ret, size_t most)
{
	if (!most)
		return 0;
	*ret = (struct vmt_probe_try){ .probe = "events",
				       .rung = "tracepoint",
				       .status = VMT_TRY_NOT_BUILT,
				       .reason = "built without libbpf (-Dbpf=disabled)" };
	return 1;
}

uint64_t vmt_events_began(const struct vmt_events *x)
{
	(void)x;
	return 0;
}

int vmt_events_take(struct vmt_events *x, size_t most, struct vmt_arena *arena, vmt_events_fn *fn,
		    void *arg)
{
	(void)x;
	(void)most;
	(void)arena;
	(void)fn;
	(void)arg;
	return 0;
}

int vmt_events_filter(const struct vmt_events *x)
{
	(void)x;
	return -1;
}

int vmt_events_codes(const struct vmt_events *x, struct vmt_arena *arena,
		     struct vmt_fault_sample *ret)
{
	(void)x;
	(void)arena;
	(void)ret;
	return 0;
}

bool vmt_events_names_full(const struct vmt_events *x)
{
	(void)x;
	return false;
}

uint64_t vmt_events_codes_lost(const struct vmt_events *x)
{
	(void)x;
	return 0;
}

void vmt_events_losses(const struct vmt_events *x, uint64_t *ret_lost, uint64_t *ret_limited)
{
	(void)x;
	*ret_lost = 0;
	*ret_limited = 0;
}

void vmt_events_stop(struct vmt_events *x)
{
	(void)x;
}

int vmt_events_read(struct vmt_events *x, struct vmt_arena *arena, struct vmt_event_sample *ret,
		    struct vmt_err *err)
{
	(void)x;
	(void)arena;
	*ret = (struct vmt_event_sample){ 0 };
	(void)err;
	return 0;
}

void vmt_events_free(struct vmt_events *x)
{
	(void)x;
}
