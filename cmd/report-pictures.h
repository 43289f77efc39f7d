/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/collect-loop.h"

/* What report, and diff where it has the same, do for pages and pictures (--format html, svg),
 * beside their sections. */

/* Whether the format that was asked for has pictures. */
bool vmt_report_has_pictures(const struct vmt_ctx *ctx);
/* Complains where a page would go to a terminal; an exit code or 0. */
int vmt_report_check_sink(struct vmt_ctx *ctx);
/* The picture that a word of --only names, or -1. */
int vmt_report_picture_of(const char *word, size_t len);
/* With svg, the one of those that were asked for (bits by enum vmt_picture_id; 0: the default one)
 * alone: *pictures becomes it. An exit code or 0. */
int vmt_report_choose(struct vmt_ctx *ctx, bool with_pids, unsigned *pictures);
/* Reads the mappings of the processes that are named, with what they are and what is resident; an
 * exit code or 0. */
int vmt_report_maps(struct vmt_ctx *ctx, struct vmt_run *run, const uint64_t *pids, size_t n);
/* Complains where the only picture has nothing to draw; an exit code or 0. */
int vmt_report_drawable(struct vmt_ctx *ctx, const struct vmt_doc *doc);
