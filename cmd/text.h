/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/commands.h"

/* Lines of prose that several commands print below their tables. */

/* available, term by term, as si_mem_available() of the kernel computes it. */
void vmt_available_text(struct vmt_buf *out, const struct vmt_ctx *ctx, const struct vmt_model *m);
void vmt_swap_text(struct vmt_buf *out, const struct vmt_ctx *ctx, const struct vmt_model *m);
/* How much may be promised to processes, with what that means. */
void vmt_commit_text(struct vmt_buf *out, const struct vmt_ctx *ctx, const struct vmt_model *m);
/* Faults, swap and reclaim in a second; nothing in the first sample. */
void vmt_rates_text(struct vmt_buf *out, const struct vmt_model *m);
/* Pressure in one line: of the interval, or of the last 10 seconds in the first sample. */
void vmt_pressure_text(struct vmt_buf *out, const struct vmt_model *m);
/* Text in lines of at most width columns, and a newline; those behind the first begin with indent
 * blanks, which are not part of width. A word that is longer stays whole. */
void vmt_wrap(struct vmt_buf *out, const char *text, size_t width, int indent);
