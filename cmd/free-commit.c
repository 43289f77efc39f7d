/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/free-commit.h"

#include <errno.h>

#include "cmd/text.h"
#include "model/promise.h"
#include "source/sysvipc.h"

#define CHEAP                                                                                      \
	(VMT_SOURCE_BIT(MEMINFO) | VMT_SOURCE_BIT(OVERCOMMIT) | VMT_SOURCE_BIT(PIDS) |             \
	 VMT_SOURCE_BIT(STATUS) | VMT_SOURCE_BIT(STAT) | VMT_SOURCE_BIT(KCMP))
/* Processes that text has. */
#define PROCS_SHOWN ((size_t)10)

static int add_shared(void *arg, size_t index, const struct vmt_map *maps, size_t n, bool last)
{
	return vmt_shared_anon_add(arg, maps, n);
}

/* Reads smaps of all, and the segments; *ret in bytes. An exit code or 0. */
static int read_promises(struct vmt_ctx *ctx, struct vmt_run *run, bool *ret_known, uint64_t *ret)
{
	VMT_CLEANUP(vmt_shared_anon_done) struct vmt_shared_anon shared = { 0 };
	VMT_AUTO_FREE struct vmt_segment *segments = NULL;
	struct vmt_sample *s = run->sample;
	VMT_AUTO_FREE size_t *indices = calloc(s->n_procs ? s->n_procs : 1, sizeof(*indices));
	struct vmt_err err = { 0 };
	size_t n = 0, i;
	bool known;
	int r;

	if (!indices)
		r = vmt_err_set(&err, -ENOMEM, NULL, 0, "out of memory");
	else
		r = 0;
	for (i = 0; indices && i < s->n_procs; i++)
		indices[i] = i;
	if (r == 0)
		r = vmt_collect_rows(run->collector, s, VMT_SOURCE_BIT(SMAPS) | VMT_COLLECT_ONCE,
				     indices, s->n_procs, add_shared, &shared, &err);
	if (r == 0)
		r = vmt_collect_segments(run->collector, s, &segments, &n);
	if (r < 0)
		return vmt_complain_err(ctx, &err);
	known = vmt_shared_anon_untouched(&shared, ret);
	for (i = 0; known && i < n; i++)
		if (segments[i].size > segments[i].rss)
			known = !__builtin_add_overflow(*ret, segments[i].size - segments[i].rss,
							ret);
	/* What is mapped is known of who could be read alone. */
	*ret_known = known && (s->sources[VMT_SOURCE_SMAPS].state == VMT_STATE_OK ||
			       s->sources[VMT_SOURCE_SMAPS].state == VMT_STATE_PARTIAL);
	return 0;
}

static int by_commit(const void *a, const void *b)
{
	const struct vmt_proc *x = *(const struct vmt_proc *const *)a;
	const struct vmt_proc *y = *(const struct vmt_proc *const *)b;
	uint64_t v = VMT_HAS(proc, commit_bytes, x)	       ? x->commit_bytes
		     : VMT_HAS(proc, commit_estimate_bytes, x) ? x->commit_estimate_bytes
							       : 0;
	uint64_t w = VMT_HAS(proc, commit_bytes, y)	       ? y->commit_bytes
		     : VMT_HAS(proc, commit_estimate_bytes, y) ? y->commit_estimate_bytes
							       : 0;

	return v != w ? (v < w) - (v > w) : (x->pid > y->pid) - (x->pid < y->pid);
}

/* The processes with memory, those that were promised most first; in text no more than some. */
static int add_processes(struct vmt_ctx *ctx, struct vmt_run *run, bool text)
{
	const struct vmt_model *m = run->model;
	struct vmt_section *s = vmt_run_section(run, ctx, "processes", m->procs, m->n_procs);
	size_t i, n = 0;

	if (!s)
		return VMT_EXIT_FAILED;
	for (i = 0; i < s->n; i++) {
		const struct vmt_proc *p = s->rows[i];

		if (VMT_HAS(proc, commit_bytes, p) || VMT_HAS(proc, commit_estimate_bytes, p))
			s->rows[n++] = p;
	}
	s->n = s->total = n;
	if (n)
		qsort(s->rows, n, sizeof(*s->rows), by_commit);
	if (text && s->n > PROCS_SHOWN)
		s->n = PROCS_SHOWN;
	s->title = "by whom";
	s->sort = (struct vmt_sort){ 0 };
	if (vmt_columns_parse(&s->columns, &vmt_entity_proc,
			      "PID,USER,COMMIT,COMMIT-EST,RSS,SWAP,COMMAND", NULL) < 0)
		return vmt_no_memory(ctx);
	return 0;
}

int vmt_free_commit(struct vmt_ctx *ctx, struct vmt_run *run, uint64_t sources,
		    int (*add)(struct vmt_ctx *ctx, struct vmt_run *run))
{
	struct vmt_commit_part rows[VMT_COMMIT_PART_COUNT];
	bool text = strcmp(ctx->format->name, "text") == 0, known = false;
	struct vmt_section *s;
	uint64_t untouched = 0;
	int r = vmt_run_sample(run, ctx, CHEAP | (text ? 0 : sources), NULL, 0);

	if (r)
		return r;
	vmt_run_announce(run, ctx, VMT_SOURCE_BIT(SMAPS), NULL, 0);
	r = read_promises(ctx, run, &known, &untouched);
	if (r == 0)
		r = vmt_run_model(run, ctx, NULL);
	if (r)
		return r;
	vmt_commit_parts(&run->model->system, run->model->procs, run->model->n_procs, known,
			 untouched, rows);
	s = vmt_run_section(run, ctx, "commit_parts", rows, VMT_COMMIT_PART_COUNT);
	if (!s)
		return VMT_EXIT_FAILED;
	r = vmt_section_options(ctx, s);
	if (r)
		return r;
	vmt_commit_text(&s->lead, ctx, run->model);
	vmt_buf_addc(&s->lead, '\n');
	r = add_processes(ctx, run, text);
	if (r == 0)
		vmt_run_remarks(run, ctx, &run->doc.sections[run->doc.n - 1]);
	if (r == 0 && !text)
		r = add(ctx, run);
	if (r)
		return r;
	r = vmt_print_doc(ctx, &run->doc);
	return r ? r : vmt_run_verdict(run, ctx, VMT_SOURCE_MEMINFO);
}
