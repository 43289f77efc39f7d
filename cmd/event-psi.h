/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/collect-loop.h"

struct vmt_event_sample;

/* The kernel's own counters of memory pressure, of the machine and its cgroups, at the begin and at
 * the end of a window of events. */
struct vmt_psi_watch {
	struct vmt_ctx *ctx;
	struct vmt_run *run;
	struct vmt_sample *before; /* NULL: nobody asked */
	struct vmt_sample *after;
};

/* Reads them at the begin, and at the end. An exit code or 0. */
int vmt_psi_watch_begin(struct vmt_psi_watch *w);
int vmt_psi_watch_end(struct vmt_psi_watch *w);
/*
 * Adds the sections to the document, with shown that of cgroups to text as well, and to note a
 * line on the machine. Nothing where the window was not looked at. An exit code or 0.
 */
int vmt_psi_watch_sections(struct vmt_psi_watch *w, const struct vmt_event_sample *sample,
			   bool shown, struct vmt_buf *note);
void vmt_psi_watch_done(struct vmt_psi_watch *w);
