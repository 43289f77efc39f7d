/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/commands.h"

/* Lines that 'zones' prints below its table. */

/*
 * A bar for each zone with memory: from half of min on the left to all that is managed on the
 * right, each cell standing for the same factor, so that the watermarks, which are close to each
 * other and far from what is managed, stand apart. m, l and h are min, low and high, "=" is free,
 * "." is not.
 */
void vmt_zone_bars(struct vmt_buf *out, const struct vmt_model *m);
/* What of the free memory is of no use for a block of each order, and why one would fail. */
void vmt_fragmentation_text(struct vmt_buf *out, const struct vmt_model *m);
void vmt_compaction_text(struct vmt_buf *out, const struct vmt_model *m);
/* What is RAM by iomem against what is present in the zones. */
void vmt_layout_text(struct vmt_buf *out, const struct vmt_ctx *ctx, const struct vmt_model *m);
