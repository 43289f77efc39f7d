/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/collect-loop.h"

/* vmtop free --commit: by whom Committed_AS was promised. Reads smaps of all processes that it may
 * read, within the budget, and prints the document; an exit code. Of a document for machines the
 * rest is what add() adds, for which these sources are read, too. */
int vmt_free_commit(struct vmt_ctx *ctx, struct vmt_run *run, uint64_t sources,
		    int (*add)(struct vmt_ctx *ctx, struct vmt_run *run));
