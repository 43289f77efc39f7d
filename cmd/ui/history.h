/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/ui/screen.h"

/* What figures were in the last minute, for the small pictures beside them. */

#define VMT_HISTORY_SAMPLES 60

struct vmt_history; /* of many subjects, each known by a key of two numbers */

int vmt_history_new(struct vmt_history **ret);
/* Forgets all: what comes does not follow it. */
void vmt_history_clear(struct vmt_history *h);
void vmt_history_free(struct vmt_history *h);
/* A new sample begins; subjects that do not come again are forgotten. */
void vmt_history_tick(struct vmt_history *h);
/* The figure of a subject in this sample. 0 or -ENOMEM. */
int vmt_history_add(struct vmt_history *h, uint64_t key, uint64_t key2, uint64_t value);
/* The last n figures as bars, the newest on the right; where there was none, a blank. */
void vmt_history_draw(const struct vmt_history *h, uint64_t key, uint64_t key2,
		      struct vmt_canvas *c, unsigned y, unsigned x, unsigned n,
		      enum vmt_style style);
