/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/collect-loop.h"
#include "source/probe-collapse.h"
#include "source/probe-events.h"

/* What khugepaged comes to beside a window of events. */
struct vmt_huge_watch {
	struct vmt_ctx *ctx;
	struct vmt_run *run;
	struct vmt_collapses *collapses; /* NULL: nobody asked, or it cannot be had */
	bool asked;
};

/*
 * Begins to count, of the processes alone that opts, and events with it, have an eye on. Where that
 * cannot be done, the source says why; with needed, an exit code, and the reason is told. Else 0.
 */
int vmt_huge_watch_begin(struct vmt_huge_watch *w, const struct vmt_events *events,
			 const struct vmt_events_opts *opts, bool needed);
/* As soon as the window is over. */
void vmt_huge_watch_end(struct vmt_huge_watch *w);
/*
 * Adds the section to the document, and to note a line where results found the table full and, with
 * remark, on what the source lacks. *ret is the section, NULL where nobody asked. An exit code or
 * 0.
 */
int vmt_huge_watch_section(struct vmt_huge_watch *w, bool remark, struct vmt_buf *note,
			   struct vmt_section **ret);
void vmt_huge_watch_done(struct vmt_huge_watch *w);
