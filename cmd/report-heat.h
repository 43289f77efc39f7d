/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/fault-window.h"
#include "model/heat.h"

/* Readings of the probe while it counts, for the picture of faults over time. */
struct vmt_report_heat {
	struct vmt_heat heat;
	struct vmt_arena arenas[2]; /* of the last two readings */
	struct vmt_fault_sample readings[2];
	unsigned now;
	bool has_before;
};

void vmt_report_heat_init(struct vmt_report_heat *h);
void vmt_report_heat_done(struct vmt_report_heat *h);
/* Has window fill h: at a pace with which the duration has as many columns as there may be. */
void vmt_report_heat_ask(struct vmt_report_heat *h, struct vmt_window_opts *window);
