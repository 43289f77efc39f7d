/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/events.h"
#include "unit.h"

/* Whichever allocation fails, there is no row of an event, or one that says all that row does. */
void unit_event_whole(const struct vmt_event_raw *raw, const struct vmt_host *host,
		      const struct vmt_event *row);
