/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/collect-loop.h"
#include "model/events.h"

/* What events --touched adds: how much of what was mapped was touched, and who made it. */

/* Reads that, as soon as the window is over. An exit code or 0. */
int vmt_event_touched_read(struct vmt_ctx *ctx, struct vmt_run *run, struct vmt_event_sample *e);
/* Adds the section of what was made, and to sites, the one of places, its columns. An exit code or
 * 0. */
int vmt_event_touched_sections(struct vmt_ctx *ctx, struct vmt_run *run,
			       const struct vmt_event_sample *e, struct vmt_section *sites);
