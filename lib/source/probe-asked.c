/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/probe-asked.h"

#include <bpf/libbpf.h>
#include <errno.h>

#include "bpf/fault-cgroup.h"

#define CGROUPS 4096u

int vmt_probe_asked_configure(struct bpf_object *object, const struct vmt_probe_opts *opts,
			      bool small, uint32_t maps, uint32_t tasks)
{
	uint32_t n = opts->asks & VMT_ASK_CGROUP && !small ? CGROUPS : 1;
	int r = vmt_probe_kinds_configure(object, opts->by_kind && !small, maps);

	if (opts->asks & VMT_ASK_SHARES && !small)
		r = r ?: vmt_probe_resize(object, "shares", tasks);
	r = r ?: vmt_probe_resize(object, "cgroups", n);
	r = r ?: vmt_probe_resize(object, "cgroup_index", n);
	return r ?: vmt_probe_resize(object, "cgroup_free", n);
}

int vmt_probe_asked_map(struct vmt_probe_loaded *l, const struct vmt_probe_opts *opts,
			struct vmt_probe_asked *a, struct vmt_err *err)
{
	int r = opts->by_kind ? vmt_probe_kinds_map(l, &a->kinds, err) : 0;

	if (r || !(opts->asks & VMT_ASK_CGROUP))
		return r;
	r = vmt_probe_map(l, "cgroups", &a->cgroups, err);
	return r ?: vmt_probe_fill(l, "cgroup_free", 0, (uint32_t)a->cgroups.len, err);
}

void vmt_probe_asked_unmap(struct vmt_probe_asked *a)
{
	vmt_probe_kinds_unmap(&a->kinds);
	vmt_probe_unmap(&a->cgroups);
}

int vmt_probe_asked_read(const struct vmt_probe_asked *a, const struct vmt_probe_opts *opts,
			 struct vmt_drain *drain, uint32_t hidden, struct vmt_arena *arena,
			 struct vmt_fault_sample *ret)
{
	if (opts->asks & VMT_ASK_CGROUP) {
		ret->has_cgroups = true;
		ret->totals.cgroups_lost = *a->cgroups_lost;
	}
	ret->has_lock = (a->have & VMT_HOOK_LOCK) != 0;
	ret->has_read = (a->have & VMT_HOOK_READ) != 0;
	/* Whether it was swap is a matter of the kind. */
	ret->has_swap = a->have & VMT_HOOK_SWAP_READ && a->have & VMT_HOOK_SWAP;
	return opts->by_kind ? vmt_probe_kinds_read(&a->kinds, drain, hidden, arena, ret) : 0;
}

int vmt_probe_cgroup(const struct vmt_probe_asked *a, uint32_t row, struct vmt_arena *arena,
		     struct vmt_bytes *ret)
{
	const struct vmt_slot_cgroup *from;
	bool deleted, cut;

	if (!row || row > a->cgroups.len)
		return 0;
	from = vmt_probe_at(&a->cgroups, row - 1);
	if (!from->name.ready)
		return 0;
	if (from->name.len)
		return vmt_probe_path(&from->name, false, arena, ret, &deleted, &cut);
	*ret = VMT_BYTES("/");
	return 0;
}
