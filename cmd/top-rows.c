/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/top-rows.h"

#include <errno.h>

#include "model/cost.h"

void vmt_top_rows_done(struct vmt_top_rows *rows)
{
	free(rows->rows);
	*rows = (struct vmt_top_rows){ .budget_ns = rows->budget_ns };
}

void vmt_top_rows_begin(struct vmt_top_rows *rows, uint64_t now_ns)
{
	rows->left_ns = rows->budget_ns;
	if (!rows->now_ns || rows->budget_ns == UINT64_MAX)
		rows->again_ns = rows->budget_ns;
	else if (now_ns > rows->now_ns)
		rows->again_ns += (now_ns - rows->now_ns) / VMT_TOP_PSS_SHARE;
	if (rows->again_ns > rows->budget_ns)
		rows->again_ns = rows->budget_ns;
	rows->now_ns = now_ns;
}

/* Where the process is, or would be. */
static size_t place_of(const struct vmt_top_rows *rows, uint64_t pid)
{
	size_t lo = 0, hi = rows->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (rows->rows[mid].pid < pid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct vmt_top_row *find(const struct vmt_top_rows *rows, const struct vmt_proc *p)
{
	size_t i = place_of(rows, p->pid);

	if (i == rows->n || rows->rows[i].pid != p->pid || !VMT_HAS(proc, start_time_ns, p) ||
	    rows->rows[i].start_time_ns != p->start_time_ns)
		return NULL;
	return &rows->rows[i];
}

static uint64_t faults_of(const struct vmt_proc *p)
{
	return (VMT_HAS(proc, minor_faults_total, p) ? p->minor_faults_total : 0) +
	       (VMT_HAS(proc, major_faults_total, p) ? p->major_faults_total : 0);
}

static bool has_changed(const struct vmt_top_row *r, const struct vmt_proc *p)
{
	return r->rss_bytes != (VMT_HAS(proc, rss_bytes, p) ? p->rss_bytes : 0) ||
	       r->faults != faults_of(p);
}

/* A process that could be read, and how much that is wanted. */
struct due {
	size_t index;
	unsigned rank; /* the lower the sooner */
	uint64_t read_ns; /* when it was; 0: never */
	uint64_t cost_ns;
};

static int compare(const void *a, const void *b)
{
	const struct due *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return x->read_ns < y->read_ns ? -1 : x->read_ns > y->read_ns;
}

/* What it took the last time, for as much memory as there is now. */
static uint64_t known_cost(const struct vmt_top_row *r, const struct vmt_proc *p)
{
	uint64_t ns = r->values.pss_cpu_ns, rss = VMT_HAS(proc, rss_bytes, p) ? p->rss_bytes : 0;

	if (rss > r->rss_bytes && r->rss_bytes)
		ns = (uint64_t)((unsigned __int128)ns * rss / r->rss_bytes);
	return ns;
}

static bool is_due(const struct vmt_top_rows *rows, const struct vmt_sample *s, size_t index,
		   unsigned place, struct due *ret)
{
	const struct vmt_proc *p = &s->procs[index];
	const struct vmt_top_row *r = find(rows, p);
	bool changed = r && has_changed(r, p);
	uint64_t now = s->host.monotonic_ns, age;

	*ret = (struct due){ .index = index };
	if (!r && rows->budget_ns != UINT64_MAX && VMT_HAS(proc, start_time_ns, p) &&
	    s->host.boottime_ns < p->start_time_ns + VMT_TOP_PSS_YOUNG_NS)
		return false;
	if (!r) {
		/* In the order in which they are wanted. */
		ret->read_ns = place;
		ret->cost_ns = vmt_cost_walk_ns(p, s->host.page_size);
		return true;
	}
	if (r->refused)
		return true;
	ret->rank = changed ? 1 : 2;
	ret->read_ns = r->values.pss_read_ns;
	ret->cost_ns = known_cost(r, p);
	age = now > ret->read_ns ? now - ret->read_ns : 0;
	return changed ? age / VMT_TOP_PSS_SHARE >= ret->cost_ns : age >= VMT_TOP_PSS_AGE_NS;
}

size_t vmt_top_rows_due(struct vmt_top_rows *rows, const struct vmt_sample *s,
			const size_t *indices, size_t n, size_t *ret_indices)
{
	struct due due[VMT_UI_ROWS_MAX];
	size_t n_due = 0, i, k = 0;
	uint64_t cost;

	for (i = 0; i < n && n_due < VMT_ARRAY_LEN(due); i++)
		n_due += is_due(rows, s, indices[i], (unsigned)i, &due[n_due]);
	qsort(due, n_due, sizeof(*due), compare);
	for (i = 0; i < n_due; i++) {
		/* Who waits for longest is not overtaken by those that cost less. */
		if (due[i].rank) {
			cost = due[i].cost_ns < rows->budget_ns ? due[i].cost_ns : rows->budget_ns;
			if (cost > rows->left_ns || cost > rows->again_ns)
				break;
			rows->again_ns -= cost;
			rows->left_ns -= cost;
		} else if (rows->budget_ns != UINT64_MAX && due[i].cost_ns <= rows->budget_ns) {
			/* What is beyond the whole budget will be refused, which costs nothing. */
			if (due[i].cost_ns > rows->left_ns)
				continue;
			rows->left_ns -= due[i].cost_ns;
		}
		ret_indices[k++] = due[i].index;
	}
	return k;
}

static void copy_values(struct vmt_proc *to, const struct vmt_proc *from)
{
	size_t i;

	for (i = 0; i < vmt_entity_proc.n_fields; i++) {
		const struct vmt_field *f = &vmt_entity_proc.fields[i];

		if (f->source == VMT_SOURCE_ROLLUP && !vmt_field_is_text(f) &&
		    f->type != VMT_TYPE_BOOL && vmt_row_has(&from->row, f->index))
			vmt_field_copy(f, to, from);
	}
}

static int keep(struct vmt_top_rows *rows, const struct vmt_proc *p)
{
	struct vmt_top_row *r;
	size_t i = place_of(rows, p->pid);

	if (i == rows->n || rows->rows[i].pid != p->pid) {
		if (vmt_grow(&rows->rows, &rows->cap, rows->n + 1, sizeof(*rows->rows)) < 0)
			return -ENOMEM;
		memmove(&rows->rows[i + 1], &rows->rows[i], (rows->n - i) * sizeof(*rows->rows));
		rows->n++;
	}
	r = &rows->rows[i];
	*r = (struct vmt_top_row){
		.pid = p->pid,
		.start_time_ns = p->start_time_ns,
		.rss_bytes = VMT_HAS(proc, rss_bytes, p) ? p->rss_bytes : 0,
		.faults = faults_of(p),
		.refused = !VMT_HAS(proc, pss_read_ns, p),
		.status = p->read_status,
	};
	copy_values(&r->values, p);
	return 0;
}

/* Those that ended, and those whose number is another's now. */
static void forget(struct vmt_top_rows *rows, const struct vmt_sample *s)
{
	size_t i, n = 0;

	for (i = 0; i < rows->n; i++) {
		const struct vmt_proc *p = vmt_sample_proc(s, rows->rows[i].pid);

		if (p && VMT_HAS(proc, start_time_ns, p) &&
		    p->start_time_ns == rows->rows[i].start_time_ns)
			rows->rows[n++] = rows->rows[i];
	}
	rows->n = n;
}

/* Whether what p says is what was kept. */
static bool is_recalled(const struct vmt_top_row *r, const struct vmt_proc *p)
{
	return r && !r->refused && VMT_HAS(proc, pss_read_ns, p) &&
	       p->pss_read_ns == r->values.pss_read_ns;
}

/* What is kept of a process, where this sample has not said it. */
static void recall(const struct vmt_top_row *r, struct vmt_proc *p)
{
	if (!VMT_HAS(proc, read_status, p))
		VMT_SET(proc, read_status, p, r->status);
	if (r->refused)
		return;
	copy_values(p, &r->values);
	VMT_SET(proc, pss_behind, p, has_changed(r, p));
}

int vmt_top_rows_keep(struct vmt_top_rows *rows, struct vmt_sample *s, const size_t *indices,
		      size_t n)
{
	size_t i;

	forget(rows, s);
	for (i = 0; i < n; i++) {
		const struct vmt_proc *p = &s->procs[indices[i]];

		/* What was tried says how it went. */
		if (VMT_HAS(proc, start_time_ns, p) && VMT_HAS(proc, read_status, p) &&
		    !is_recalled(find(rows, p), p) && keep(rows, p) < 0)
			return -ENOMEM;
	}
	for (i = 0; i < rows->n; i++)
		recall(&rows->rows[i], vmt_sample_proc(s, rows->rows[i].pid));
	return 0;
}
