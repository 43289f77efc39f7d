/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/commands.h"
#include "source/document.h"

/* One of the two things that are compared. */
struct vmt_diff_input {
	const char *name; /* as it was named on the command line */
	struct vmt_document doc;
};

/* Reads it: an exit code, with the complaint made, or 0. */
int vmt_diff_input_read(struct vmt_ctx *ctx, const char *name, struct vmt_diff_input *ret);
void vmt_diff_input_done(struct vmt_diff_input *in);
/* Leaves these processes alone in it. Returns how many there are. */
size_t vmt_diff_input_keep(struct vmt_diff_input *in, const uint64_t *pids, size_t n);
/* What it is, as a row. */
void vmt_diff_input_row(const struct vmt_diff_input *in, struct vmt_diff_document *row);
