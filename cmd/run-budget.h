/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/commands.h"

/* The limits of --budget FIELD=N, of which each is one row. */
struct vmt_budgets {
	struct vmt_budget *rows; /* heap */
	const struct vmt_field **fields; /* of the command; heap */
	size_t n;
};

void vmt_budgets_done(struct vmt_budgets *b);
#define VMT_AUTO_BUDGETS VMT_CLEANUP(vmt_budgets_done) struct vmt_budgets

/* What --budget says, each time that it is given. An exit code or 0. */
int vmt_budgets_parse(struct vmt_ctx *ctx, struct vmt_budgets *b);
/* Judges what came out: sets value and status of each, and says in a line each which are broken.
 * How many are. */
size_t vmt_budgets_judge(struct vmt_ctx *ctx, struct vmt_budgets *b, const struct vmt_command *c,
			 uint64_t page_size);
