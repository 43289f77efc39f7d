/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/event-oom.h"
#include "model/events.h"

/* How it went, below what text has of events. */
void vmt_event_note(struct vmt_buf *out, const struct vmt_event_probe *p,
		    const struct vmt_event_sample *sample, const struct vmt_oom_watch *oom);
