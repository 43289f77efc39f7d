/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/collect-loop.h"
#include "cmd/event-watch.h"

/* What dies while a report measures. */
struct vmt_report_events {
	struct vmt_event_watch watch;
	bool begun;
	uint64_t took_ns; /* that it was watched */
};

void vmt_report_events_done(struct vmt_report_events *e);
/* From now on, of n_pids processes, or of all; an exit code or 0, also where that does not work. */
int vmt_report_events_begin(struct vmt_report_events *e, struct vmt_ctx *ctx, const uint64_t *pids,
			    size_t n_pids);
/* Ends it, and puts what died into the sample of run. An exit code or 0; nothing where it was not
 * begun. */
int vmt_report_events_take(struct vmt_report_events *e, struct vmt_ctx *ctx, struct vmt_run *run);
/* Adds the sections "events" and "gaps", where something was watched; of the first text lists so
 * many rows (0: all). Where nothing could be, text and pages say why. *ret is the first, or NULL
 * where there is none. An exit code or 0. */
int vmt_report_events_add(const struct vmt_report_events *e, struct vmt_ctx *ctx,
			  struct vmt_run *run, size_t rows, struct vmt_section **ret);
