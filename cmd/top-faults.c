/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/top-faults.h"

#include <stdlib.h>

#include "cmd/fault-window.h"
#include "source/probe.h"
#include "source/saved-faults.h"

/* Single faults that are kept, and taken in a second. */
#define SINGLES_MAX  4096
#define SINGLES_RATE 2000

/*
 * Mappings in the kernel's table: all of it is in our memory, more than a KiB a row, and what of it
 * is used is read at each tick. Of one process these are its own, and twice as many where they do
 * not do; of all processes the last quarter is for rows that many share.
 */
#define MAPS_LEAST 2048
#define MAPS_MOST  8192
#define NAMES	   2048
#define PROCS	   4096
/* Bytes of the kernel's rings, which are in our memory twice. */
#define SINGLE_RING (1 << 19)
#define ENDED_RING  (1 << 19)
/* Rows of processes with which the probe begins anew, where it keeps those that have ended. */
#define ROWS_MAX (4 * MAPS_LEAST)

/* How long it stays when nobody looks any more, and when one that failed is tried again. */
#define LINGER_NS (UINT64_C(10) * 1000000000)
#define RETRY_NS  (UINT64_C(60) * 1000000000)

static void drop_singles(struct vmt_top_faults *f)
{
	size_t i;

	for (i = 0; i < f->n_kept; i++)
		vmt_arena_done(&f->kept[i].arena);
	f->n_kept = 0;
}

void vmt_top_faults_done(struct vmt_top_faults *f)
{
	vmt_fault_interval_end(&f->interval);
	drop_singles(f);
	free(f->kept);
	*f = (struct vmt_top_faults){ 0 };
}

/* -ENOMEM, or 0: whether it works is in what vmt_probe_read() gives. */
static int begin(struct vmt_top_faults *f, const struct vmt_ui_want *want, uint64_t now_ns)
{
	const bool singles = want->singles;
	/* Faults by mapping are those of the process whose mappings are shown. */
	const pid_t pid = singles ? 0 : (pid_t)want->maps.pid;
	const uint32_t rows = singles || !f->rows ? MAPS_LEAST : f->rows;
	const struct vmt_probe_opts opts = {
		.singles = singles,
		.single_live = singles,
		.single_rate = SINGLES_RATE,
		.guard = !singles,
		.guard_rate = VMT_FAULT_INTERVAL_GUARD,
		.pids = &pid,
		.n_pids = pid != 0,
		.maps = rows,
		.names = NAMES,
		.procs = PROCS,
		.sums = singles,
		.single_ring = SINGLE_RING,
		.ended_ring = ENDED_RING,
	};
	struct vmt_err err = { 0 };
	int r = vmt_probe_open(&opts, &f->interval.probe, &err);
	if (r < 0)
		return r;
	f->singles = singles;
	f->rows = rows;
	f->of = want->maps;
	if (vmt_probe_start(f->interval.probe, &err) < 0)
		f->again_ns = now_ns + RETRY_NS;
	return 0;
}

/* The rows and their texts, and nothing of the many mappings that these were of. */
static int own_singles(const struct vmt_single *rows, size_t n, struct vmt_top_singles *one)
{
	size_t i;

	one->rows = vmt_arena_alloc(&one->arena, n, sizeof(*one->rows));
	if (!one->rows)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		one->rows[i] = rows[i];
		if (vmt_row_own_text(&vmt_entity_single, &one->arena, &one->rows[i],
				     i ? &one->rows[i - 1] : NULL, i ? &rows[i - 1] : NULL) < 0)
			return -ENOMEM;
	}
	one->n = n;
	return 0;
}

/* Takes the single faults that came, and forgets the oldest ones. */
static int take_singles(struct vmt_top_faults *f, const struct vmt_host *host)
{
	struct vmt_top_singles *kept, one = { 0 };
	VMT_CLEANUP(vmt_arena_done) struct vmt_arena arena;
	struct vmt_fault_sample live = { 0 };
	struct vmt_single *rows = NULL;
	struct vmt_err err = { 0 };
	size_t sum, i, n = 0, gone = 0;
	int r;

	vmt_arena_init(&arena);
	r = vmt_probe_live(f->interval.probe, false, &arena, &live, &err);
	if (r == 0)
		r = vmt_single_rows(&live, host, &arena, &rows, &n);
	if (r < 0 || !n)
		return r == -EOPNOTSUPP ? 0 : r;
	vmt_arena_init(&one.arena);
	r = own_singles(rows, n, &one);
	if (r < 0) {
		vmt_arena_done(&one.arena);
		return r;
	}
	kept = reallocarray(f->kept, f->n_kept + 1, sizeof(*kept));
	if (!kept) {
		vmt_arena_done(&one.arena);
		return -ENOMEM;
	}
	f->kept = kept;
	f->kept[f->n_kept++] = one;
	f->n_new = one.n;
	for (sum = 0, i = f->n_kept; i-- && !gone;) {
		sum += f->kept[i].n;
		if (sum > SINGLES_MAX && i + 1 < f->n_kept)
			gone = i + 1;
	}
	for (i = 0; i < gone; i++)
		vmt_arena_done(&f->kept[i].arena);
	memmove(f->kept, f->kept + gone, (f->n_kept - gone) * sizeof(*f->kept));
	f->n_kept -= gone;
	return 0;
}

bool vmt_top_faults_begins(const struct vmt_top_faults *f, const struct vmt_ui_want *want)
{
	return (want->faults || want->singles) &&
	       (!f->interval.probe || f->singles != want->singles);
}

/* Whether the probe counts something else than what is wanted, or has no room for it. */
static bool is_other(struct vmt_top_faults *f, const struct vmt_ui_want *want)
{
	if (want->singles)
		return !f->singles;
	if (!want->faults)
		return false;
	if (f->singles || f->of.pid != want->maps.pid ||
	    f->of.start_time_ns != want->maps.start_time_ns) {
		f->rows = MAPS_LEAST;
		return true;
	}
	return vmt_fault_interval_is_full(&f->interval, ROWS_MAX, MAPS_MOST, &f->rows);
}

void vmt_top_faults_idle(struct vmt_top_faults *f)
{
	vmt_probe_close(VMT_STEAL(f->interval.probe));
	f->interval.has_before = false;
}

/* The faults that were saved with the machine; an exit code or 0. They stay as they are. */
static int read_saved(struct vmt_top_faults *f, struct vmt_run *run, struct vmt_ctx *ctx)
{
	struct vmt_root *root = NULL;
	struct vmt_err err = { 0 };
	int r = 0;

	if (!f->read) {
		f->read = true;
		vmt_arena_init(&f->interval.delta_arena);
		r = vmt_root_open(ctx->root, &root, &err);
		if (r == 0)
			r = vmt_saved_faults_read(root, &f->interval.delta_arena,
						  &f->interval.delta, &err);
		vmt_root_unref(root);
		f->saved = r == 0;
	}
	if (r < 0 && r != -ENOENT) {
		if (!err.code)
			vmt_err_set(&err, r, "vmtop-faults", 0, "%s", vmt_errno_name(r));
		return vmt_complain_err(ctx, &err);
	}
	if (!f->saved)
		return 0;
	run->sample->faults = &f->interval.delta;
	vmt_window_source_state(&run->sample->sources[VMT_SOURCE_FAULT], &f->interval.delta,
				f->interval.delta.rung);
	return 0;
}

/* What the screen shows and this rung does not give, and why there is no better one. */
static void say_what_lacks(struct vmt_source_stat *st, const struct vmt_fault_sample *f,
			   bool singles)
{
	const char *lacks = singles && !(f->have & VMT_HAVE_SINGLES) ? "single faults"
			    : singles				     ? NULL
			    : !(f->have & VMT_HAVE_MAPS)	     ? "faults by mapping"
			    : !(f->have & VMT_HAVE_LATENCY)	     ? "kinds and latencies"
								     : NULL;
	size_t i;

	if (f->rung == VMT_RUNG_NONE || !lacks)
		return;
	st->state = VMT_STATE_PARTIAL;
	for (i = 0; i < f->n_tries && (f->tries[i].hook || !f->tries[i].reason[0] ||
				       f->tries[i].status == VMT_TRY_OK);
	     i++)
		;
	snprintf(st->reason, sizeof(st->reason), "no %s on the rung %s: %.100s", lacks,
		 vmt_rung_name(f->rung),
		 i < f->n_tries ? f->tries[i].reason : "see 'vmtop doctor'");
	if (i < f->n_tries)
		snprintf(st->fix, sizeof(st->fix), "%s", f->tries[i].fix);
}

int vmt_top_faults_sample(struct vmt_top_faults *f, struct vmt_run *run, struct vmt_ctx *ctx,
			  const struct vmt_ui_want *want)
{
	struct vmt_sample *s = run->sample;
	uint64_t now = s->host.monotonic_ns;
	int r = 0;

	/* What faults here and now is nothing of a saved machine. */
	if (ctx->root)
		return want->faults || want->singles || want->screen == VMT_SCREEN_VMAS
			       ? read_saved(f, run, ctx)
			       : 0;
	/* The texts of a held screen stay. */
	if (want->held)
		return 0;
	if (want->faults || want->singles)
		f->wanted_ns = now;
	else if (!f->interval.probe || now - f->wanted_ns > LINGER_NS)
		return vmt_fault_interval_end(&f->interval), 0;
	if (f->interval.probe && (is_other(f, want) || (f->again_ns && now >= f->again_ns))) {
		vmt_fault_interval_end(&f->interval);
		f->again_ns = 0;
	}
	f->n_new = 0;
	if (!f->interval.probe)
		r = begin(f, want, now);
	if (r == 0 && f->singles && !f->again_ns)
		r = take_singles(f, &s->host);
	if (r == 0)
		r = vmt_fault_interval_read(&f->interval);
	if (r < 0) {
		vmt_complain(ctx, "faults: %s", strerror(-r));
		return VMT_EXIT_FAILED;
	}
	s->faults = &f->interval.delta;
	vmt_window_source_state(&s->sources[VMT_SOURCE_FAULT], &f->interval.delta,
				f->interval.delta.rung);
	say_what_lacks(&s->sources[VMT_SOURCE_FAULT], &f->interval.delta, f->singles);
	return 0;
}

int vmt_top_faults_model(struct vmt_top_faults *f, struct vmt_run *run, struct vmt_ctx *ctx,
			 const struct vmt_ui_want *want)
{
	struct vmt_model *m = run->model;
	size_t sum = 0, i;

	/* The model has made rows of those that were saved. */
	if (ctx->root)
		m->n_singles_new = m->n_singles;
	if (ctx->root || !want->singles || want->held)
		return 0;
	for (i = 0; i < f->n_kept; i++)
		sum += f->kept[i].n;
	m->singles = vmt_arena_alloc(&m->arena, sum, sizeof(*m->singles));
	m->n_singles = 0;
	if (!m->singles)
		return vmt_no_memory(ctx);
	for (i = 0; i < f->n_kept; i++) {
		memcpy(m->singles + m->n_singles, f->kept[i].rows,
		       f->kept[i].n * sizeof(*m->singles));
		m->n_singles += f->kept[i].n;
	}
	m->n_singles_new = f->n_new;
	return 0;
}
