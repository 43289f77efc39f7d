/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/top-collect.h"

/* Screens as text, where there is no terminal. */
struct vmt_top_batch {
	unsigned width, height; /* 0: 80, 24 */
	uint64_t count; /* samples; 0: without end */
	uint64_t interval_ns;
	bool ascii;
};

/* Samples and prints one screen a sample, with an empty line between two. An exit code. */
int vmt_top_batch(struct vmt_ctx *ctx, const struct vmt_top_batch *opts, struct vmt_top *top,
		  struct vmt_ui *ui);
