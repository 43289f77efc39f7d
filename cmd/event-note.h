/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/event-oom.h"
#include "model/events.h"

/* "05:12:33.123 bash[42] " and what happened, as a line; the time since the begin where the clock
 * is not known. */
void vmt_event_line(struct vmt_buf *out, const struct vmt_event *e, bool ascii);
/* How it went, below what text has of events. */
void vmt_event_note(struct vmt_buf *out, const struct vmt_event_probe *p,
		    const struct vmt_event_sample *sample, const struct vmt_oom_watch *oom);
