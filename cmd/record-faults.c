/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/record-faults.h"

#include <stdlib.h>

#include "cmd/fault-window.h"
#include "model/fault-table.h"
#include "source/probe.h"

/* Rows of the kernel's table of mappings, all of which are in our memory, a KiB each: at first, and
 * at most. */
#define MAPS	  8192u
#define MAPS_MOST 65536u
/* Rows with which the probe begins anew: on a rung that does not forget processes that ended. */
#define ROWS_MAX ((size_t)4 * MAPS)

static int failed(struct vmt_ctx *ctx, int r)
{
	vmt_complain(ctx, "faults: %s", r == -ENOMEM ? "out of memory" : strerror(-r));
	return VMT_EXIT_FAILED;
}

int vmt_record_faults_begin(struct vmt_record_faults *f, struct vmt_ctx *ctx)
{
	VMT_AUTO_FREE pid_t *pids = calloc(f->n_pids + 1, sizeof(*pids));
	const uint32_t maps = f->maps ? f->maps : MAPS;
	const struct vmt_probe_opts opts = {
		.pids = pids,
		.n_pids = f->n_pids,
		.guard = true,
		.guard_rate = VMT_FAULT_INTERVAL_GUARD,
		.forget = true,
		.maps = maps,
	};
	struct vmt_err err = { 0 };
	size_t i;
	int r;

	f->maps = maps;
	if (!pids)
		return failed(ctx, -ENOMEM);
	for (i = 0; i < f->n_pids; i++)
		pids[i] = (pid_t)f->pids[i];
	r = vmt_probe_open(&opts, &f->interval.probe, &err);
	if (r < 0)
		return failed(ctx, r);
	/* What there is to say of a failure is in what is read. */
	f->none = vmt_probe_start(f->interval.probe, &err) < 0;
	return 0;
}

void vmt_record_faults_end(struct vmt_record_faults *f)
{
	vmt_fault_interval_end(&f->interval);
}

int vmt_record_faults_sample(struct vmt_record_faults *f, struct vmt_ctx *ctx, struct vmt_sample *s)
{
	struct vmt_source_stat *st = &s->sources[VMT_SOURCE_FAULT];
	int r = vmt_fault_interval_read(&f->interval);

	if (r < 0)
		return failed(ctx, r);
	s->faults = &f->interval.delta;
	vmt_window_source_state(st, s->faults, s->faults->rung);
	r = vmt_fault_table_make(s);
	/* It is gone before the sample is. */
	s->faults = NULL;
	if (r < 0)
		return failed(ctx, r);
	f->denied = st->state == VMT_STATE_DENIED;
	/* All that was counted is in the sample. */
	if (f->none || !vmt_fault_interval_is_full(&f->interval, ROWS_MAX, MAPS_MOST, &f->maps))
		return 0;
	vmt_fault_interval_end(&f->interval);
	return vmt_record_faults_begin(f, ctx);
}
