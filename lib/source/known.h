/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <time.h>

#include "base/mem.h"
#include "source/root.h"

/* What is known is forgotten when it is more than that, so that a window of hours does not fill the
 * memory, */
#define VMT_KNOWN_MAX ((size_t)16384)
/* and when it is older: libraries come and go, and what translates code at run time writes down
 * its names later, and uses addresses again. */
#define VMT_KNOWN_NS UINT64_C(5000000000)

/* Names that were looked up, beside an array of them. */
struct vmt_known {
	struct vmt_arena arena; /* of the texts */
	size_t n; /* rows of the array */
	size_t cap;
	uint64_t since_ns; /* CLOCK_MONOTONIC; when the first of them was asked for */
};

/* Before more are asked for. */
static inline void vmt_known_forget(struct vmt_known *k)
{
	uint64_t now = vmt_now_ns(CLOCK_MONOTONIC);

	if (k->n && k->n < VMT_KNOWN_MAX && now - k->since_ns < VMT_KNOWN_NS)
		return;
	vmt_arena_done(&k->arena);
	vmt_arena_init(&k->arena);
	k->n = 0;
	k->since_ns = now;
}
