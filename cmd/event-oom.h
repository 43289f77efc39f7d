/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/collect-loop.h"
#include "source/probe-events.h"
#include "source/probe-oom.h"

#define VMT_OOM_PAST 60

/* The OOM killer beside a window of events: its victims, and the machine in the minute before. */
struct vmt_oom_watch {
	struct vmt_ctx *ctx;
	struct vmt_run *run;
	struct vmt_ooms *ooms; /* NULL: none are looked for */
	uint64_t start_ns; /* of the window */
	bool by_user;
	uint32_t uid;
	struct vmt_oom_past past[VMT_OOM_PAST]; /* oldest first */
	size_t n_past;
	uint64_t past_ns; /* when the last one was taken */
	/* Of one turn: what came, and the processes behind it. */
	struct vmt_oom_raw *raws; /* heap */
	size_t n_raws, cap_raws;
	struct vmt_oom_report *reports; /* heap; the first ones, with their rows in run->sample */
	size_t n_reports, cap_reports;
	struct vmt_event_process *victims; /* heap; the first ones, for the sums */
	size_t n_victims, cap_victims;
	uint64_t kills; /* all of them */
	uint64_t told; /* victims that emit got */
	bool keep; /* for vmt_oom_watch_sections() */
	/* A victim, whose rows are there until it returns. */
	int (*emit)(void *arg, const struct vmt_oom_report *report);
	void *arg;
	struct vmt_arena arena; /* of one turn */
};

/*
 * Begins to look, at the processes alone that events has an eye on. Where that cannot be done, the
 * source says why; with needed, an exit code, and the reason is told. Else 0.
 */
int vmt_oom_watch_begin(struct vmt_oom_watch *w, const struct vmt_events *events, bool needed);
/* Takes what came, and keeps the history; some times a second. last: no more will come. 0, or a
 * negative errno. */
int vmt_oom_watch_tick(struct vmt_oom_watch *w, bool last);
/* Adds the victims to what was counted. 0 or -ENOMEM. */
int vmt_oom_watch_count(const struct vmt_oom_watch *w, struct vmt_arena *arena,
			struct vmt_event_sample *sample);
/* A line of text on what could not be seen of kills; none where all could. */
void vmt_oom_watch_note(const struct vmt_oom_watch *w, struct vmt_buf *out);
/* The sections of the kills, of a document. An exit code or 0. */
int vmt_oom_watch_sections(const struct vmt_oom_watch *w);
void vmt_oom_watch_done(struct vmt_oom_watch *w);
