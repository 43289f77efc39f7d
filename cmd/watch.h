/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/collect-loop.h"

/*
 * Samples at a fixed pace (-d SEC, -n N). A tick that comes while a sample is still being taken is
 * counted as missed and not caught up. SIGINT, SIGTERM and SIGHUP end the run after the sample that
 * is being taken; what was printed then is complete.
 */
struct vmt_watch {
	uint64_t interval_ns;
	uint64_t count; /* 0: until a signal or --timeout */
	uint64_t sample; /* being taken, from 1 */
	uint64_t missed;
	int timer;
	int signals;
	int signal; /* that ended it; 0 */
};

/* The options -d and -n, for the tables of commands. */
#define VMT_OPTS_WATCH                                                                             \
	{ "delay", 'd',	 VMT_OPT_VALUE,                                                            \
	  "SEC",   NULL, "again every SEC seconds, with what changed in between" },                \
	{                                                                                          \
		"count", 'n', VMT_OPT_VALUE, "N", NULL,                                            \
			"N times; every second where -d says nothing else"                         \
	}

/* Whether -d or -n asks for more than one sample. */
bool vmt_watch_given(const struct vmt_ctx *ctx);

/*
 * Takes samples and prints each: fill makes run->model and run->doc of one, and says how it went
 * with an exit code or 0 (then the run ends with it). An exit code.
 */
int vmt_watch_run(struct vmt_ctx *ctx, struct vmt_run *run,
		  int (*fill)(struct vmt_ctx *ctx, struct vmt_run *run, struct vmt_watch *w,
			      void *arg),
		  void *arg);
/* That where it is asked for; else one sample, with w NULL, is made by fill and printed. */
int vmt_watch_or_once(struct vmt_ctx *ctx, struct vmt_run *run,
		      int (*fill)(struct vmt_ctx *ctx, struct vmt_run *run, struct vmt_watch *w,
				  void *arg),
		      void *arg);
