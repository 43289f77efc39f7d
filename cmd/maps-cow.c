/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/maps-cow.h"

#include <errno.h>
#include <inttypes.h>

#include "base/parse.h"
#include "model/proc-group.h"
#include "source/cow.h"

/* Pairs whose sums are told in words. */
#define PAIRS_TOLD ((size_t)20)

/* Two processes, as indices into the sample. */
struct pair {
	size_t first;
	size_t second;
	size_t row; /* of its rows, the first */
	size_t n_rows;
	uint64_t at_ns; /* between the begin and the end of its reading (CLOCK_MONOTONIC) */
};

struct look {
	struct pair *pairs; /* heap */
	size_t n_pairs;
	size_t cap_pairs;
	struct vmt_cow *rows; /* heap; their strings are the sample's */
	size_t n_rows;
	size_t cap_rows;
	int failed; /* exit code of the first pair that was not read */
};

struct cow {
	struct vmt_ctx *ctx;
	struct vmt_run *run;
	bool named; /* two processes were */
	uint64_t *pids; /* those that are looked at, the one that was named first; heap */
	size_t n_pids;
	size_t cap_pids;
	struct look before; /* of two looks the first */
	struct look look;
};

static void cow_done(struct cow *w)
{
	free(w->pids);
	free(w->before.pairs);
	free(w->before.rows);
	free(w->look.pairs);
	free(w->look.rows);
}

int vmt_maps_cow_parse(struct vmt_ctx *ctx, uint64_t *ret_ns)
{
	static const char *const others[] = {
		"all",	   "user",	"pss",	  "forecast", "group",
		"sharers", "list-only", "budget", "force",    "huge"
	};
	VMT_CLEANUP(vmt_columns_done) struct vmt_columns columns = { 0 };
	const char *value = vmt_ctx_value(ctx, "interval");
	size_t i;

	*ret_ns = 0;
	if (value && (vmt_parse_duration(value, ret_ns) < 0 || *ret_ns == 0))
		return vmt_usage_error(ctx, "--interval takes seconds, as 3, 0.5 or 500ms");
	for (i = 0; i < VMT_ARRAY_LEN(others); i++)
		if (vmt_ctx_given(ctx, others[i]))
			return vmt_usage_error(ctx, "--cow or --%s, not both", others[i]);
	if (ctx->root)
		return vmt_usage_error(ctx, "pages are compared live; --root has none");
	if (ctx->n_operands == 0 || ctx->n_operands > 2)
		return vmt_usage_error(ctx, "--cow takes a process, or two that shall be compared");
	/* Columns that are none, before somebody waits for them. */
	return vmt_wanted_columns(ctx, &vmt_entity_cow, &columns);
}

static bool has_memory(const struct vmt_proc *p)
{
	return !VMT_HAS(proc, class, p) || vmt_bytes_is(p->class, "user");
}

static bool is_child(const struct vmt_proc *p, uint64_t pid)
{
	return VMT_HAS(proc, ppid, p) && p->ppid == pid && has_memory(p);
}

static int add_pid(struct cow *w, uint64_t pid)
{
	if (vmt_grow(&w->pids, &w->cap_pids, w->n_pids + 1, sizeof(*w->pids)) < 0)
		return vmt_no_memory(w->ctx);
	w->pids[w->n_pids++] = pid;
	return 0;
}

/* The process, its parent and its children; an exit code or 0. */
static int find_relatives(struct cow *w, uint64_t pid)
{
	const struct vmt_sample *s;
	const struct vmt_proc *p, *parent;
	size_t i;
	int r = vmt_run_sample(w->run, w->ctx, VMT_SOURCE_BIT(STAT), NULL, 0);

	if (r == 0)
		r = vmt_run_missing(w->run, w->ctx, &pid, 1);
	if (r)
		return r;
	s = w->run->sample;
	p = vmt_sample_proc(s, pid);
	parent = VMT_HAS(proc, ppid, p) ? vmt_sample_proc(s, p->ppid) : NULL;
	r = add_pid(w, pid);
	if (r == 0 && parent && has_memory(parent))
		r = add_pid(w, parent->pid);
	for (i = 0; r == 0 && i < s->n_procs; i++)
		if (is_child(&s->procs[i], pid))
			r = add_pid(w, s->procs[i].pid);
	return r;
}

/* The two as a pair, the parent first where one is; false where they are not to be compared. */
static bool choose_pair(const struct cow *w, size_t a, size_t b, struct pair *ret)
{
	const struct vmt_sample *s = w->run->sample;
	const struct vmt_proc *p = &s->procs[a], *q = &s->procs[b];

	if (!w->named && !is_child(p, q->pid) && !is_child(q, p->pid))
		return false;
	/* CLONE_VM, as by vfork(): it is one address space. */
	if (vmt_proc_mm(p) == vmt_proc_mm(q) || !s->maps[a].n_maps || !s->maps[b].n_maps)
		return false;
	if (!w->named && !vmt_cow_is_fork(&s->maps[a], &s->maps[b]))
		return false;
	*ret = is_child(p, q->pid) ? (struct pair){ .first = b, .second = a }
				   : (struct pair){ .first = a, .second = b };
	return true;
}

/* The pairs of the one that was named with each other; an exit code or 0. */
static int find_pairs(struct cow *w)
{
	const struct vmt_sample *s = w->run->sample;
	const struct vmt_proc *p = vmt_sample_proc(s, w->pids[0]), *q;
	struct look *look = &w->look;
	struct pair pair;
	size_t i;

	for (i = 1; p && i < w->n_pids; i++) {
		q = vmt_sample_proc(s, w->pids[i]);
		if (!q || !choose_pair(w, (size_t)(p - s->procs), (size_t)(q - s->procs), &pair))
			continue;
		if (vmt_grow(&look->pairs, &look->cap_pairs, look->n_pairs + 1,
			     sizeof(*look->pairs)) < 0)
			return vmt_no_memory(w->ctx);
		look->pairs[look->n_pairs++] = pair;
	}
	return 0;
}

static int read_pair(struct cow *w, struct pair *pair)
{
	VMT_AUTO_FREE struct vmt_cow *rows = NULL;
	struct vmt_sample *s = w->run->sample;
	struct look *look = &w->look;
	uint64_t begun = vmt_now_ns(CLOCK_MONOTONIC);
	size_t n = 0;
	int r = vmt_collect_cow(w->run->collector, s, pair->first, pair->second, &rows, &n);

	if (r == -ENOMEM ||
	    vmt_grow(&look->rows, &look->cap_rows, look->n_rows + n, sizeof(*look->rows)) < 0)
		return vmt_no_memory(w->ctx);
	pair->at_ns = begun + (vmt_now_ns(CLOCK_MONOTONIC) - begun) / 2;
	pair->row = look->n_rows;
	pair->n_rows = n;
	if (n)
		memcpy(&look->rows[look->n_rows], rows, n * sizeof(*rows));
	look->n_rows += n;
	if (r < 0) {
		vmt_complain(w->ctx, "processes %" PRIu64 " and %" PRIu64 ": pagemap: %s",
			     s->procs[pair->first].pid, s->procs[pair->second].pid,
			     vmt_failure_word(r));
		if (!look->failed)
			look->failed = vmt_run_pages_exit(r);
	}
	return 0;
}

/* Of those that were named, which must be there: an exit code, or 0. */
static int unread(const struct cow *w)
{
	const struct vmt_sample *s = w->run->sample;
	int ret = 0, r;
	size_t i;

	for (i = 0; i < (w->named ? w->n_pids : 1); i++) {
		const struct vmt_proc *p = vmt_sample_proc(s, w->pids[i]);

		if (!p || s->maps[p - s->procs].n_maps)
			continue;
		r = vmt_run_unread(w->run, w->ctx, p);
		if (!r) {
			vmt_complain(w->ctx, "process %" PRIu64 " has no memory", p->pid);
			r = VMT_EXIT_NOTHING;
		}
		if (!ret)
			ret = r;
	}
	return ret;
}

static int take_look(struct cow *w)
{
	struct vmt_ctx *ctx = w->ctx;
	size_t i;
	int r = vmt_run_sample(w->run, ctx,
			       VMT_SOURCE_BIT(PIDS) | VMT_SOURCE_BIT(KCMP) |
				       VMT_SOURCE_BIT(STATUS) | VMT_SOURCE_BIT(STAT),
			       w->pids, w->n_pids);

	if (r == 0)
		r = vmt_run_missing(w->run, ctx, w->pids, w->named ? w->n_pids : 1);
	if (r == 0)
		r = vmt_run_procs(w->run, ctx, VMT_SOURCE_BIT(MAPS), NULL, 0);
	if (r == 0)
		r = unread(w);
	if (r == 0)
		r = find_pairs(w);
	for (i = 0; r == 0 && i < w->look.n_pairs; i++)
		r = read_pair(w, &w->look.pairs[i]);
	return r;
}

/*
 * What the mapping of row had broken at the look before: the sum of the old rows that lie in it, as
 * it may have grown at either end or have become one with a neighbour, from *at on, which is moved
 * past those that end before it. A mapping that had no page had broken none. False where one lies
 * in it in part, or its figure is unknown.
 */
static bool broken_before(const struct vmt_cow *old, size_t n, size_t *at,
			  const struct vmt_cow *row, uint64_t *ret)
{
	size_t i;

	*ret = 0;
	while (*at < n && old[*at].end <= row->start)
		++*at;
	for (i = *at; i < n && old[i].start < row->end; i++) {
		if (old[i].start < row->start || old[i].end > row->end ||
		    !VMT_HAS(cow, broken_bytes, &old[i]))
			return false;
		*ret += old[i].broken_bytes;
	}
	return true;
}

/* What each mapping has broken since the look before. */
static void set_rates(struct cow *w)
{
	const struct look *before = &w->before;
	size_t i, k, m;

	for (i = 0; i < w->look.n_pairs; i++) {
		const struct pair *pair = &w->look.pairs[i], *was = NULL;
		uint64_t dt;

		for (k = 0; k < before->n_pairs && !was; k++)
			if (before->pairs[k].n_rows && pair->n_rows &&
			    before->rows[before->pairs[k].row].pid == w->look.rows[pair->row].pid &&
			    before->rows[before->pairs[k].row].child_pid ==
				    w->look.rows[pair->row].child_pid)
				was = &before->pairs[k];
		if (!was || pair->at_ns <= was->at_ns)
			continue;
		dt = pair->at_ns - was->at_ns;
		for (k = 0, m = 0; k < pair->n_rows; k++) {
			struct vmt_cow *row = &w->look.rows[pair->row + k];
			uint64_t old;

			if (!VMT_HAS(cow, broken_bytes, row) ||
			    !broken_before(&before->rows[was->row], was->n_rows, &m, row, &old))
				continue;
			VMT_SET(cow, broken_per_second_bytes, row,
				(int64_t)(((double)row->broken_bytes - (double)old) * 1e9 /
					  (double)dt));
		}
	}
}

/* Figures of a pair; what is known of no row is in none of them. */
struct sums {
	uint64_t shared;
	uint64_t broken;
	uint64_t first_only;
	uint64_t second_only;
	uint64_t unknown;
	int64_t rate;
	bool exact;
	bool missing; /* of some mappings nothing is known */
	bool has_rate;
};

static struct sums sum_up(const struct cow *w, const struct pair *pair)
{
	struct sums sums = { .exact = true, .has_rate = w->before.n_pairs > 0 };
	size_t i;

	for (i = 0; i < pair->n_rows; i++) {
		const struct vmt_cow *row = &w->look.rows[pair->row + i];

		if (!VMT_HAS(cow, shared_bytes, row)) {
			sums.missing = true;
			sums.exact = false;
			continue;
		}
		sums.shared += row->shared_bytes;
		sums.broken += row->broken_bytes;
		sums.first_only += row->parent_only_bytes;
		sums.second_only += row->child_only_bytes;
		sums.unknown += row->unknown_bytes;
		sums.exact &= row->exact;
		sums.has_rate &= VMT_HAS(cow, broken_per_second_bytes, row);
		if (sums.has_rate)
			sums.rate += row->broken_per_second_bytes;
	}
	return sums;
}

static void add_size(struct vmt_buf *out, const struct cow *w, const char *before, uint64_t size,
		     const char *after)
{
	vmt_buf_adds(out, before);
	vmt_fmt_size(out, size, w->ctx->out.unit, w->run->sample->host.page_size);
	vmt_buf_adds(out, after);
}

/* "redis-server[8] and its child redis-server[9]: 192M still shared, 64M broken (25.0 %)" */
static void pair_text(struct vmt_buf *out, const struct cow *w, const struct pair *pair)
{
	const struct vmt_sample *s = w->run->sample;
	const struct vmt_proc *p = &s->procs[pair->first], *q = &s->procs[pair->second];
	struct sums sums = sum_up(w, pair);

	vmt_fmt_process(out, p->pid, VMT_HAS(proc, comm, p) ? &p->comm : NULL);
	vmt_buf_adds(out, is_child(q, p->pid) ? " and its child " : " and ");
	vmt_fmt_process(out, q->pid, VMT_HAS(proc, comm, q) ? &q->comm : NULL);
	add_size(out, w, ": ", sums.shared, " still shared, ");
	add_size(out, w, "", sums.broken, " broken");
	if (sums.shared + sums.broken)
		vmt_buf_addf(out, " (%.1f %%)",
			     100 * (double)sums.broken / (double)(sums.shared + sums.broken));
	if (sums.has_rate) {
		vmt_buf_adds(out, ", ");
		vmt_fmt_size_signed(out, sums.rate, w->ctx->out.unit, s->host.page_size);
		vmt_buf_adds(out, " a second");
	}
	add_size(out, w, "; ", sums.first_only, " of the first alone, ");
	add_size(out, w, "", sums.second_only, " of the second");
	if (sums.unknown)
		add_size(out, w, "; ", sums.unknown, " unknown");
	if (sums.missing)
		vmt_buf_adds(out, "; mappings of which nothing is known are left out");
	else if (!sums.exact && !sums.unknown)
		vmt_buf_adds(out, "; shared at most, broken at least");
	vmt_buf_addc(out, '\n');
}

static int show(struct cow *w)
{
	struct vmt_ctx *ctx = w->ctx;
	struct vmt_section *s, *procs;
	size_t i;
	int r = vmt_run_model(w->run, ctx, NULL);

	if (r)
		return r;
	s = vmt_run_section(w->run, ctx, "cow", w->look.rows, w->look.n_rows);
	procs = vmt_run_section(w->run, ctx, "processes", w->run->model->procs,
				w->run->model->n_procs);
	if (!s || !procs)
		return VMT_EXIT_FAILED;
	procs->machine_only = true;
	if (w->before.n_pairs && !vmt_ctx_given(ctx, "output") &&
	    vmt_columns_parse(&s->columns, &vmt_entity_cow,
			      "PID,CHILD,ADDRESS,SIZE,SHARED,BROKEN,BROKEN-PCT,BROKEN/S,UNKNOWN,"
			      "EXACT,MAPPING",
			      NULL) < 0)
		return VMT_EXIT_FAILED;
	r = vmt_section_options(ctx, s);
	if (r)
		return r;
	for (i = 0; i < w->look.n_pairs && i < PAIRS_TOLD; i++)
		pair_text(&s->note, w, &w->look.pairs[i]);
	if (i < w->look.n_pairs)
		vmt_buf_addf(&s->note, "and %zu more pairs\n", w->look.n_pairs - i);
	vmt_run_remarks(w->run, ctx, s);
	return vmt_print_doc(ctx, &w->run->doc);
}

/* An exit code where there is nobody to compare it with, or 0. */
static int check_pairs(const struct cow *w)
{
	if (w->look.n_pairs)
		return 0;
	if (w->named)
		vmt_complain(w->ctx, "processes %" PRIu64 " and %" PRIu64 " have one address space",
			     w->pids[0], w->pids[1]);
	else
		vmt_complain(w->ctx,
			     "process %" PRIu64
			     " shares no memory by a fork with its parent or a child of its own, "
			     "as far as these may be read",
			     w->pids[0]);
	return VMT_EXIT_NOTHING;
}

int vmt_maps_cow_print(struct vmt_ctx *ctx, struct vmt_run *run, const uint64_t *pids, size_t n,
		       uint64_t ns)
{
	VMT_CLEANUP(cow_done) struct cow w = { .ctx = ctx, .run = run, .named = n > 1 };
	size_t i;
	int r = 0;

	if (w.named && pids[0] == pids[1])
		return vmt_usage_error(ctx, "twice the same process");
	for (i = 0; w.named && r == 0 && i < n; i++)
		r = add_pid(&w, pids[i]);
	if (!w.named)
		r = find_relatives(&w, pids[0]);
	if (r == 0)
		r = take_look(&w);
	if (r == 0)
		r = check_pairs(&w);
	if (r)
		return r;
	if (ns) {
		w.before = w.look;
		w.look = (struct look){ 0 };
		r = vmt_run_wait(ctx, ns);
		if (r == 0)
			r = take_look(&w);
		if (r == 0)
			r = check_pairs(&w);
		if (r)
			return r;
		set_rates(&w);
	} else {
		/* The list that the relatives were found in is no sample of the past. */
		vmt_sample_free(run->prev);
		run->prev = NULL;
	}
	r = show(&w);
	return r ? r : w.look.failed;
}
