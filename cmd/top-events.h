/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/collect-loop.h"
#include "cmd/event-watch.h"
#include "cmd/ui/ui.h"

/* Events of one sample, with the arena of their texts. */
struct vmt_top_event_rows {
	struct vmt_arena arena;
	struct vmt_event *rows;
	size_t n;
	size_t at; /* of which sample */
};

/* The rare events of the dashboard: those that came since it began, or of a recording those of the
 * samples that were shown one after the other. */
struct vmt_top_events {
	struct vmt_event_watch watch;
	bool begun;
	bool shown; /* there has been a sample: a probe may take its time */
	struct vmt_top_event_rows *kept; /* the oldest first */
	size_t n_kept, cap_kept;
	size_t at; /* the sample that was shown last */
};

void vmt_top_events_done(struct vmt_top_events *e);
/* Puts what came since the last sample into the one of run, which is live. An exit code or 0; that
 * it does not work is no failure. */
int vmt_top_events_sample(struct vmt_top_events *e, struct vmt_run *run, struct vmt_ctx *ctx,
			  const struct vmt_ui_want *want);
/* Puts the last events into the model of run. at: its place among the samples; where it is not
 * behind the one before, the events of that are not those before it. 0 or -ENOMEM. */
int vmt_top_events_model(struct vmt_top_events *e, struct vmt_run *run, size_t at);
