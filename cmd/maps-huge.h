/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/collect-loop.h"

/* Whether the options fit to vmtop maps --huge; an exit code or 0. */
int vmt_maps_huge_parse(struct vmt_ctx *ctx);
/* Prints why the mappings of these processes have no more huge pages; an exit code. */
int vmt_maps_huge_print(struct vmt_ctx *ctx, struct vmt_run *run, const uint64_t *pids, size_t n);
