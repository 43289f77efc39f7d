/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "source/probe-events.h"
#include "source/probe-oom.h"
#include "source/symbolize-singles.h"

/* Single events of one sample at most; more of them are counted. */
#define VMT_EVENT_WATCH_ROWS 64u

/* How one sort of them is watched. */
struct vmt_event_watched {
	uint64_t lost, limited; /* as they were told last */
	int error; /* why it could not begin: a negative errno, and in words; 0 where it could */
	char reason[160];
};

/*
 * Events that are rare, crashes and victims of the OOM killer, from sample to sample: for what goes
 * on for days. System calls are not looked at, so that nothing but these events costs something.
 */
struct vmt_event_watch {
	struct vmt_events *events; /* NULL: no crash is seen */
	struct vmt_event_watched crashes;
	struct vmt_ooms *ooms; /* NULL: no victim is seen */
	struct vmt_event_watched kills;
	struct vmt_oom_past past; /* the sample before */
	bool has_past;
	uint64_t n_kills;
	struct vmt_single_symbols *symbols;
	pid_t *pids; /* heap; n_pids 0: all processes */
	size_t n_pids;
	bool is_last; /* set by who samples once: nothing begins anew behind it */
	uint64_t began_ns; /* first: from there on times of events are told */
};

/* Begins to watch all processes, or n_pids of them. 0, also where that does not work, which is in
 * what is sampled; -ENOMEM. */
int vmt_event_watch_begin(struct vmt_event_watch *w, const uint64_t *pids, size_t n_pids);
/* Can be called again, and of one that was never begun. */
void vmt_event_watch_end(struct vmt_event_watch *w);
/* Puts what came since the sample before into s, in its arena and in the order of time, and how
 * that went into its sources. Files of crashed programs are read by way of c, for a second at
 * most, whatever its deadline. 0 or -ENOMEM. */
int vmt_event_watch_sample(struct vmt_event_watch *w, struct vmt_collector *c,
			   struct vmt_sample *s);
