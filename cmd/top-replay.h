/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/replay.h"

/* The screens that there are, for tables of options. */
#define VMT_TOP_SCREENS "system procs vmas pages faults cache events"

/* Options of how the dashboard looks, for tables of options. */
#define VMT_OPTS_TOP_LOOK                                                                              \
	{ "screen", 0, VMT_OPT_VALUE, "NAME", VMT_TOP_SCREENS, "the screen to begin with" },           \
		{ "pid", 'p', VMT_OPT_VALUE, "PID", "@pid", "the process to begin with" },             \
		{ "unit", 0, VMT_OPT_VALUE, "NAME", "auto bytes KiB MiB GiB pages", "unit of sizes" }, \
		{ "ascii", 0, VMT_OPT_FLAG, NULL, NULL, "nothing but ASCII" },                         \
		{ "no-mouse", 0, VMT_OPT_FLAG, NULL, NULL, "leave the mouse to the terminal" },        \
		{ "color",                                                                             \
		  0,                                                                                   \
		  VMT_OPT_VALUE,                                                                       \
		  "WHEN",                                                                              \
		  "auto always never",                                                                 \
		  "colours; auto is where NO_COLOR says nothing" },                                    \
	{                                                                                              \
		"size", 0, VMT_OPT_VALUE, "WxH", NULL, "size of screens that are printed (80x24)"      \
	}

/* The dashboard on a recording, or, where it is no terminal, or with --batch, a screen for each
 * sample. An exit code. */
int vmt_top_replay(struct vmt_ctx *ctx, struct vmt_replay *rp);
