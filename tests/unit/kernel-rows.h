/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdlib.h>

#include "model/model.h"
#include "unit.h"

/* The begin of slabinfo. */
#define SLAB_HEAD                                                                                  \
	"slabinfo - version: 2.1\n"                                                                \
	"# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : ...\n"

/* The sum of that name, which there has to be; and the range. */
static inline const struct vmt_kernel_sum *sum(const struct vmt_model *m, const char *name)
{
	size_t i;

	for (i = 0; i < m->n_kernel_sums; i++)
		if (vmt_bytes_is(m->kernel_sums[i].name, name))
			return &m->kernel_sums[i];
	fail_msg("there is no sum of %s", name);
	abort();
}

static inline const struct vmt_kernel_range *range(const struct vmt_model *m, const char *name)
{
	size_t i;

	for (i = 0; i < m->n_ranges; i++)
		if (vmt_bytes_is(m->ranges[i].name, name))
			return &m->ranges[i];
	fail_msg("there is no range %s", name);
	abort();
}
