/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/collect-loop.h"
#include "model/fault-raw.h"

struct vmt_probe;

/* Counting faults for a while, as 'faults' and 'report' do. */
struct vmt_window_opts {
	const uint64_t *pids; /* only these processes; NULL for all */
	size_t n_pids;
	uint64_t duration_ns;
	const char *rung; /* NULL: the best that works */
	bool follow; /* with pids: the processes that they start, too */
	/*
	 * What to do while it is counted, in place of waiting: then duration_ns and signals are its
	 * own. It is called also where nothing can be counted.
	 */
	void (*during)(void *arg);
	void *arg;
	enum vmt_stack_depth stacks;
	uint32_t asks; /* enum vmt_fault_ask */
	bool by_kind; /* counts and times by mapping and kind */
	/*
	 * The overhead guard (struct vmt_probe_opts): so much of a CPU may be taken with all faults
	 * timed. 0 trips at once, 100 is no guard.
	 */
	uint64_t overhead_percent;
	uint32_t without; /* VMT_HAVE_ bits of what is not to be known */
	bool idle; /* nothing is counted: for what else goes on meanwhile */
	bool singles; /* single faults, too; see struct vmt_probe_opts */
	uint64_t single_least_ns;
	uint64_t single_rate;
	/*
	 * To take single faults while they come (vmt_probe_live()): called some 20 times a second,
	 * and with until_ns 0 once more when the window is closed. It is back at until_ns, or when
	 * signals is readable; above 0 it ends the window, as a signal does.
	 */
	int (*live)(void *arg, struct vmt_probe *probe, int signals, uint64_t until_ns,
		    struct vmt_err *err);
	/* With tick_ns: called as often while it is counted, and once more when the window is
	 * closed. A negative errno ends the window. */
	int (*tick)(void *arg, struct vmt_probe *probe, struct vmt_err *err);
	uint64_t tick_ns;
};
#define VMT_OVERHEAD_USUAL 5 /* overhead_percent */
#define VMT_WINDOW_ENDLESS UINT64_MAX /* duration_ns: until a signal, or nobody is left */

/*
 * Starts the probe, waits, reads it, and leaves the result for vmt_window_attach(). SIGINT,
 * SIGTERM and the end of all processes that were asked for end the window early; that is no
 * failure. An exit code or 0; a machine without any rung leaves no result and is 0.
 */
struct vmt_window;
int vmt_window_run(struct vmt_ctx *ctx, const struct vmt_window_opts *opts,
		   struct vmt_window **ret);
/* Puts what was counted into the sample, with the mappings of the processes that faulted, and names
 * for the addresses of stacks; nothing of an idle one. */
int vmt_window_attach(struct vmt_ctx *ctx, struct vmt_window *w, struct vmt_run *run);
/* 128 + the number of the signal that ended it, where that asks for an end of vmtop and not only of
 * the window (SIGTERM, SIGHUP); else 0. w may be NULL. */
int vmt_window_signal(const struct vmt_window *w);
void vmt_window_free(struct vmt_window *w);

static inline void vmt_window_freep(struct vmt_window **w)
{
	vmt_window_free(*w);
}
#define VMT_AUTO_WINDOW VMT_CLEANUP(vmt_window_freep) struct vmt_window *

/* The state of the sources of a probe, from the rung that was reached. */
void vmt_window_source_state(struct vmt_source_stat *st, const struct vmt_fault_sample *f,
			     enum vmt_rung_id rung);
/* The sum in words: mappings + GUP + unattributed + dropped = the kernel's count. */
void vmt_window_text(struct vmt_buf *out, const struct vmt_ctx *ctx, const struct vmt_model *m);
