/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "base/parse.h"
#include "source/collect-private.h"
#include "source/physical.h"

int vmt_collect_regions(struct vmt_root *root, struct vmt_sample *s, const char *prefix,
			struct vmt_region **ret, size_t *ret_n)
{
	struct vmt_meter m = vmt_meter_begin();
	struct vmt_physical *p = vmt_physical_new(root);
	struct vmt_region *rows = NULL;
	struct vmt_err err = { 0 };
	uint64_t bytes = 0;
	size_t i, n = 0;
	int r;

	if (!p)
		return -ENOMEM;
	r = vmt_iomem_load(p, &bytes, &err);
	if (r == 0)
		rows = vmt_arena_alloc(&s->arena, p->n_iomem, sizeof(*rows));
	if (r == 0 && !rows)
		r = -ENOMEM;
	for (i = 0; r == 0 && i < p->n_iomem; i++) {
		struct vmt_bytes name = vmt_bytes_of(p->iomem[i].name);

		if (!vmt_bytes_starts(name, prefix))
			continue;
		r = vmt_bytes_keep(&s->arena, name, NULL, &name);
		VMT_SET(region, start, &rows[n], p->iomem[i].first);
		VMT_SET(region, last, &rows[n], p->iomem[i].last);
		VMT_SET(region, name, &rows[n], name);
		n++;
	}
	if (r == 0) {
		*ret = rows;
		*ret_n = n;
	}
	vmt_physical_unref(p);
	return vmt_machine_done(s, VMT_SOURCE_IOMEM, &m, r < 0 ? r : (int64_t)bytes, &err);
}
