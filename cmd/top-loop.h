/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/commands.h"
#include "cmd/ui/terminal.h"
#include "cmd/ui/settings.h"

/* What the loop of the dashboard calls: it samples, draws and waits, and does not care how. */
struct vmt_top_calls {
	/* Reads what is wanted and makes a model of it, which stays until the next call, or NULL
	 * where the one before is to stay; an exit code (the dashboard ends with it), or 0.
	 * took_ns: CPU time that it cost. */
	int (*sample)(void *arg, const struct vmt_ui_want *want, const struct vmt_model **ret,
		      uint64_t *ret_took_ns);
	/* Whether the next sample takes so long that what there is is drawn before it. */
	bool (*slow)(void *arg, const struct vmt_ui_want *want);
	/* Nothing is to be read from now on: what costs without being read ends. */
	void (*idle)(void *arg);
	/* After a screen was drawn: reads what its rows want that the sample has not, into the
	 * model that is shown; *ret_new where there is something more to be seen. The same. */
	int (*more)(void *arg, const struct vmt_ui_want *want, bool *ret_new);
	/* What the settings say of how it looks is for the terminal as well. */
	void (*look)(void *arg, const struct vmt_ui_settings *settings,
		     struct vmt_terminal_opts *ret);
	/* Writes a report of what is selected, or the settings, and says how that went by
	 * vmt_ui_say(). */
	void (*report)(void *arg, struct vmt_ui *ui);
	void (*save)(void *arg, struct vmt_ui *ui);
	/* The samples are to be recorded, or not any more: says which. */
	void (*record)(void *arg, struct vmt_ui *ui);
	/* In a recording: goes where vmt_ui_order() says; and, at each tick, on where it plays. */
	void (*replay)(void *arg, struct vmt_ui *ui);
	void (*tick)(void *arg, struct vmt_ui *ui);
	void *arg;
};

/*
 * The dashboard on a terminal, from its first sample to its end, after count samples at the latest
 * (0: without end); the terminal is entered here, and left. An exit code: 0 where a key or the
 * count ended it, 128 and the signal where that did, or where the terminal went away (SIGHUP).
 */
int vmt_top_loop(struct vmt_ctx *ctx, uint64_t count, struct vmt_terminal *terminal,
		 struct vmt_ui *ui, const struct vmt_top_calls *calls);
