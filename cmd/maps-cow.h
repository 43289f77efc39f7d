/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/collect-loop.h"

/* Checks what --cow was given with, before anything is read, and gives --interval, or 0; an exit
 * code or 0. */
int vmt_maps_cow_parse(struct vmt_ctx *ctx, uint64_t *ret_ns);

/*
 * Prints what a fork made processes share: pids is one process, which is compared with its parent
 * and its children as far as they come of a fork, or two. ns: look twice, so long apart, for the
 * rate. An exit code.
 */
int vmt_maps_cow_print(struct vmt_ctx *ctx, struct vmt_run *run, const uint64_t *pids, size_t n,
		       uint64_t ns);
