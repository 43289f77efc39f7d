/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/diff.h"

#include <errno.h>
#include <stdio.h>

/* The length of a field's name before suffix, 0 where it does not end so. */
static size_t stem_of(const char *name, const char *suffix)
{
	size_t len = strlen(name), n = strlen(suffix);

	return len > n && strcmp(name + len - n, suffix) == 0 ? len - n : 0;
}

bool vmt_diff_measure(const struct vmt_entity *e, const char *stem, size_t len,
		      struct vmt_diff_measure *ret)
{
	char name[64];

	*ret = (struct vmt_diff_measure){ 0 };
	snprintf(name, sizeof(name), "%.*s_before_bytes", (int)len, stem);
	ret->before = vmt_field_find(e, vmt_bytes_of(name));
	snprintf(name, sizeof(name), "%.*s_bytes", (int)len, stem);
	ret->after = vmt_field_find(e, vmt_bytes_of(name));
	snprintf(name, sizeof(name), "%.*s_delta_bytes", (int)len, stem);
	ret->delta = vmt_field_find(e, vmt_bytes_of(name));
	return ret->before && ret->after && ret->delta;
}

bool vmt_diff_measure_of(const struct vmt_entity *e, const struct vmt_field *delta,
			 struct vmt_diff_measure *ret)
{
	size_t len = stem_of(delta->name, "_delta_bytes");

	return len && vmt_diff_measure(e, delta->name, len, ret);
}

bool vmt_diff_is_half_known(const struct vmt_diff_measure *m, const void *row)
{
	return !vmt_row_has(row, m->delta->index) &&
	       (vmt_row_has(row, m->before->index) || vmt_row_has(row, m->after->index));
}

void vmt_diff_measures(struct vmt_diff_measures *ms, const struct vmt_entity *from,
		       const struct vmt_entity *to)
{
	char name[64];
	size_t i;

	*ms = (struct vmt_diff_measures){ 0 };
	for (i = 0; i < to->n_fields && ms->n < VMT_DIFF_MEASURES_MAX; i++) {
		const char *full = to->fields[i].name;
		size_t len = stem_of(full, "_before_bytes");
		struct vmt_diff_measure *m = &ms->m[ms->n];

		if (!len || !vmt_diff_measure(to, full, len, m))
			continue;
		snprintf(name, sizeof(name), "%.*s_bytes", (int)len, full);
		m->from = vmt_field_find(from, vmt_bytes_of(name));
		if (m->from)
			ms->n++;
	}
}

void vmt_diff_add(const struct vmt_diff_measures *ms, struct vmt_diff_total *sum, const void *row)
{
	size_t i;

	for (i = 0; i < ms->n; i++) {
		const struct vmt_field *f = ms->m[i].from;

		/* A sum that overflows, of sizes that no kernel shows, is unknown for good. */
		if (vmt_row_has(row, f->index) &&
		    !__builtin_add_overflow(sum->sum[i], vmt_field_number(f, row), &sum->sum[i]))
			sum->known[i]++;
	}
	sum->n++;
}

static void set_number(const struct vmt_field *f, void *row, uint64_t v)
{
	memcpy((char *)row + f->offset, &v, sizeof(v));
	vmt_row_mark(row, f->index);
}

void vmt_diff_set(const struct vmt_diff_measures *ms, const struct vmt_diff_total *before,
		  const struct vmt_diff_total *after, void *row)
{
	size_t i;

	for (i = 0; i < ms->n; i++) {
		bool then = before->known[i] == before->n, now = after->known[i] == after->n;
		int64_t delta;

		if (then)
			set_number(ms->m[i].before, row, before->sum[i]);
		if (now)
			set_number(ms->m[i].after, row, after->sum[i]);
		if (then && now && !__builtin_sub_overflow(after->sum[i], before->sum[i], &delta))
			set_number(ms->m[i].delta, row, (uint64_t)delta);
	}
}

/* The value of a field, which two rows of different entities may call the same. */
static uint64_t value_of(const struct vmt_entity *e, const char *name, const void *row)
{
	const struct vmt_field *f = vmt_field_find(e, vmt_bytes_of(name));

	return f && vmt_row_has(row, f->index) ? vmt_field_number(f, row) : 0;
}

static bool field_changed(const struct vmt_entity *e, const void *row, const struct vmt_field *f)
{
	struct vmt_diff_measure m;

	if (!(f->flags & VMT_CHANGE))
		return false;
	if (!vmt_row_has(row, f->index))
		return vmt_diff_measure_of(e, f, &m) && vmt_diff_is_half_known(&m, row);
	return vmt_field_number(f, row) != 0;
}

bool vmt_diff_changed(const struct vmt_entity *e, const void *row,
		      const struct vmt_field *const *fields, size_t n)
{
	const struct vmt_field *match = vmt_field_find(e, VMT_BYTES("match"));
	size_t i;

	if (match && !vmt_bytes_is(*(const struct vmt_bytes *)vmt_field_at(match, row), "same"))
		return true;
	if (value_of(e, "maps_before_total", row) != value_of(e, "maps_total", row))
		return true;
	for (i = 0; i < n; i++)
		if (field_changed(e, row, fields[i]))
			return true;
	return false;
}

void vmt_diff_free(struct vmt_diff *d)
{
	if (!d)
		return;
	vmt_arena_done(&d->arena);
	free(d);
}

/* What is at work while two samples are compared. */
struct differ {
	const struct vmt_sample *a, *b;
	const struct vmt_diff_opts *opts;
	struct vmt_diff *d;
	struct vmt_diff_measures of_maps, of_sums, of_procs;
	size_t cap_maps;
	struct vmt_diff_total before[VMT_DIFF_COUNT + 1], after[VMT_DIFF_COUNT + 1];
};

/* Processes. */

static bool is_same_proc(const struct vmt_proc *p, const struct vmt_proc *q)
{
	if (p->pid != q->pid)
		return false;
	if (VMT_HAS(proc, start_time_ns, p) && VMT_HAS(proc, start_time_ns, q))
		return p->start_time_ns == q->start_time_ns;
	/* Without its start, a name is better than nothing. */
	return VMT_HAS(proc, comm, p) == VMT_HAS(proc, comm, q) &&
	       (!VMT_HAS(proc, comm, p) || vmt_bytes_equal(p->comm, q->comm));
}

static void add_pair(struct differ *df, size_t a, size_t b, enum vmt_diff_fate fate)
{
	df->d->pairs[df->d->n_pairs++] = (struct vmt_diff_pair){ .a = a, .b = b, .fate = fate };
}

struct named {
	const struct vmt_proc *proc;
	size_t at;
};

static int compare_names(const struct named *x, const struct named *y)
{
	return vmt_bytes_compare(x->proc->comm, y->proc->comm);
}

static int by_name(const void *l, const void *r)
{
	const struct named *x = l, *y = r;
	int c = compare_names(x, y);

	if (c)
		return c;
	if (x->proc->start_time_ns != y->proc->start_time_ns)
		return x->proc->start_time_ns < y->proc->start_time_ns ? -1 : 1;
	return x->at < y->at ? -1 : 1;
}

static size_t collect_names(const struct vmt_sample *s, const bool *done, struct named *ret)
{
	size_t i, n = 0;

	for (i = 0; i < s->n_procs; i++)
		if (!done[i] && VMT_HAS(proc, comm, &s->procs[i]))
			ret[n++] = (struct named){ &s->procs[i], i };
	qsort(ret, n, sizeof(*ret), by_name);
	return n;
}

/* Of one name the first that is gone with the first that is new, in order of their starts. */
static int pair_names(struct differ *df, bool *done_a, bool *done_b)
{
	VMT_AUTO_FREE struct named *x = calloc(df->a->n_procs + 1, sizeof(*x));
	VMT_AUTO_FREE struct named *y = calloc(df->b->n_procs + 1, sizeof(*y));
	size_t n, m, i = 0, k = 0;

	if (!x || !y)
		return -ENOMEM;
	n = collect_names(df->a, done_a, x);
	m = collect_names(df->b, done_b, y);
	while (i < n && k < m) {
		int c = compare_names(&x[i], &y[k]);

		if (c == 0) {
			done_a[x[i].at] = done_b[y[k].at] = true;
			add_pair(df, x[i].at, y[k].at, VMT_DIFF_PROC_RESTARTED);
		}
		i += c <= 0;
		k += c >= 0;
	}
	return 0;
}

/* Both lists are in order of pid. */
static int pair_procs(struct differ *df)
{
	size_t n = df->a->n_procs, m = df->b->n_procs, i, k;
	VMT_AUTO_FREE bool *done_a = calloc(n + 1, sizeof(*done_a));
	VMT_AUTO_FREE bool *done_b = calloc(m + 1, sizeof(*done_b));
	int r = 0;

	df->d->pairs = vmt_arena_alloc(&df->d->arena, n + m + 1, sizeof(*df->d->pairs));
	if (!done_a || !done_b || !df->d->pairs)
		return -ENOMEM;
	for (i = 0, k = 0; !df->d->other_boot && i < n && k < m;) {
		const struct vmt_proc *p = &df->a->procs[i], *q = &df->b->procs[k];

		if (is_same_proc(p, q)) {
			done_a[i] = done_b[k] = true;
			add_pair(df, i, k, VMT_DIFF_PROC_SAME);
		}
		i += p->pid <= q->pid;
		k += p->pid >= q->pid;
	}
	if (df->opts->by_name)
		r = pair_names(df, done_a, done_b);
	for (i = 0; i < n; i++)
		if (!done_a[i])
			add_pair(df, i, SIZE_MAX, VMT_DIFF_PROC_GONE);
	for (k = 0; k < m; k++)
		if (!done_b[k])
			add_pair(df, SIZE_MAX, k, VMT_DIFF_PROC_NEW);
	return r;
}

/* Mappings of one process of a sample. */
struct list {
	const struct vmt_proc *proc; /* NULL: there is none */
	const struct vmt_map *maps;
	size_t n;
	bool known;
};

static struct list list_of(const struct vmt_sample *s, size_t at)
{
	struct list l = { 0 };

	if (at == SIZE_MAX) {
		/* It has none where it is not. */
		l.known = true;
		return l;
	}
	l.proc = &s->procs[at];
	if (!s->maps)
		return l;
	l.maps = s->maps[at].maps;
	l.n = s->maps[at].n_maps;
	l.known = s->maps[at].state == VMT_STATE_OK;
	return l;
}

static const struct vmt_map *vdso_of(const struct list *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (VMT_HAS(map, path, &l->maps[i]) && vmt_bytes_is(l->maps[i].path, "[vdso]"))
			return &l->maps[i];
	return NULL;
}

/* Where another program was loaded, the kernel has put its pages to another place, too: nothing
 * else moves them. */
static bool has_execed(const struct list *x, const struct list *y)
{
	const struct vmt_map *p = vdso_of(x), *q = vdso_of(y);

	return p && q && p->start != q->start;
}

static struct vmt_diff_map *new_row(struct differ *df)
{
	struct vmt_diff_map *rows;
	size_t cap = df->cap_maps ? 2 * df->cap_maps : 256;

	if (df->d->n_maps < df->cap_maps)
		return &df->d->maps[df->d->n_maps++];
	/* The arena has no way to grow: what was there before stays in it, which is as much again.
	 */
	rows = vmt_arena_alloc(&df->d->arena, cap, sizeof(*rows));
	if (!rows)
		return NULL;
	if (df->d->n_maps)
		memcpy(rows, df->d->maps, df->d->n_maps * sizeof(*rows));
	df->d->maps = rows;
	df->cap_maps = cap;
	return &df->d->maps[df->d->n_maps++];
}

static const char *basis_name(enum vmt_diff_basis basis)
{
	static const char *const names[] = { NULL, "range", "file", "name", "size" };

	return names[basis];
}

/* What the piece is, as it is now, or, where it is gone, as it was. */
static void label(struct vmt_diff_map *row, const struct vmt_map *m)
{
#define LABEL(member)                                                                              \
	if (VMT_HAS(map, member, m))                                                               \
	VMT_SET(diff, member, row, m->member)
	LABEL(perms);
	LABEL(offset_bytes);
	LABEL(device);
	LABEL(inode);
	LABEL(kind);
	LABEL(role);
	LABEL(path);
#undef LABEL
}

/* The rows of a process, one for each piece; before and after are of those. */
static int add_pieces(struct differ *df, const struct list *x, const struct list *y,
		      const struct vmt_diff_piece *pieces, size_t n, const uint32_t *of_a,
		      const uint32_t *of_b)
{
	VMT_AUTO_FREE struct vmt_diff_total *before = calloc(n + 1, sizeof(*before));
	VMT_AUTO_FREE struct vmt_diff_total *after = calloc(n + 1, sizeof(*after));
	VMT_AUTO_FREE uint64_t *end_a = calloc(n + 1, sizeof(*end_a));
	VMT_AUTO_FREE uint64_t *end_b = calloc(n + 1, sizeof(*end_b));
	const struct vmt_proc *proc = y->proc ? y->proc : x->proc;
	size_t i;

	if (!before || !after || !end_a || !end_b)
		return -ENOMEM;
	for (i = 0; i < x->n; i++) {
		vmt_diff_add(&df->of_maps, &before[of_a[i]], &x->maps[i]);
		end_a[of_a[i]] = x->maps[i].end;
		vmt_diff_add(&df->of_maps, &df->before[pieces[of_a[i]].match], &x->maps[i]);
		vmt_diff_add(&df->of_maps, &df->before[VMT_DIFF_COUNT], &x->maps[i]);
	}
	for (i = 0; i < y->n; i++) {
		vmt_diff_add(&df->of_maps, &after[of_b[i]], &y->maps[i]);
		end_b[of_b[i]] = y->maps[i].end;
		vmt_diff_add(&df->of_maps, &df->after[pieces[of_b[i]].match], &y->maps[i]);
		vmt_diff_add(&df->of_maps, &df->after[VMT_DIFF_COUNT], &y->maps[i]);
	}
	for (i = 0; i < n; i++) {
		const struct vmt_diff_piece *p = &pieces[i];
		struct vmt_diff_map *row = new_row(df);

		if (!row)
			return -ENOMEM;
		VMT_SET(diff, pid, row, proc->pid);
		if (VMT_HAS(proc, comm, proc))
			VMT_SET(diff, comm, row, proc->comm);
		VMT_SET(diff, match, row, vmt_bytes_of(vmt_diff_match_name(p->match)));
		if (p->basis)
			VMT_SET(diff, basis, row, vmt_bytes_of(basis_name(p->basis)));
		VMT_SET(diff, maps_before_total, row, p->n_a);
		VMT_SET(diff, maps_total, row, p->n_b);
		if (p->n_a) {
			VMT_SET(diff, start_before, row, x->maps[p->first_a].start);
			VMT_SET(diff, end_before, row, end_a[i]);
		}
		if (p->n_b) {
			VMT_SET(diff, start, row, y->maps[p->first_b].start);
			VMT_SET(diff, end, row, end_b[i]);
		}
		label(row, p->n_b ? &y->maps[p->first_b] : &x->maps[p->first_a]);
		vmt_diff_set(&df->of_maps, &before[i], &after[i], row);
	}
	return 0;
}

static int diff_maps(struct differ *df, struct vmt_diff_pair *pair, const struct list *x,
		     const struct list *y)
{
	VMT_AUTO_FREE uint32_t *of_a = calloc(x->n + 1, sizeof(*of_a));
	VMT_AUTO_FREE uint32_t *of_b = calloc(y->n + 1, sizeof(*of_b));
	VMT_AUTO_FREE struct vmt_diff_piece *pieces = calloc(x->n + y->n + 1, sizeof(*pieces));
	enum vmt_diff_space space = VMT_DIFF_ONE_SPACE;
	size_t n;
	int r;

	if (!of_a || !of_b || !pieces)
		return -ENOMEM;
	if (pair->fate == VMT_DIFF_PROC_RESTARTED)
		space = VMT_DIFF_OTHER_SPACE;
	else if (pair->fate == VMT_DIFF_PROC_SAME && has_execed(x, y))
		pair->fate = VMT_DIFF_PROC_EXEC;
	if (pair->fate == VMT_DIFF_PROC_EXEC)
		space = VMT_DIFF_NO_SPACE;
	r = vmt_diff_maps(x->maps, x->n, y->maps, y->n, space, of_a, of_b, pieces, &n);
	if (r == 0)
		r = add_pieces(df, x, y, pieces, n, of_a, of_b);
	pair->maps = true;
	df->d->has_maps = true;
	return r;
}

static const char *fate_name(enum vmt_diff_fate fate)
{
	static const char *const names[] = { "same", "exec", "restarted", "new", "gone" };

	return names[fate];
}

/* What status says of it beside what its mappings do. */
static void set_apart(struct vmt_diff_proc *row, const struct list *x, const struct list *y)
{
	const struct list *lists[] = { x, y };
	uint64_t sum[2] = { 0 };
	int64_t delta, apart;
	size_t i, k;

	for (k = 0; k < 2; k++)
		for (i = 0; i < lists[k]->n; i++)
			if (!VMT_HAS(map, rss_bytes, &lists[k]->maps[i]) ||
			    __builtin_add_overflow(sum[k], lists[k]->maps[i].rss_bytes, &sum[k]))
				return;
	if (__builtin_sub_overflow(sum[1], sum[0], &delta))
		return;
	VMT_SET(diff_proc, maps_rss_delta_bytes, row, delta);
	if (VMT_HAS(diff_proc, rss_delta_bytes, row) &&
	    !__builtin_sub_overflow(row->rss_delta_bytes, delta, &apart))
		VMT_SET(diff_proc, rss_apart_bytes, row, apart);
}

static void set_proc(struct differ *df, const struct vmt_diff_pair *pair, struct vmt_diff_proc *row,
		     const struct list *x, const struct list *y)
{
	const struct vmt_proc *proc = y->proc ? y->proc : x->proc;
	struct vmt_diff_total before = { 0 }, after = { 0 };

	VMT_SET(diff_proc, pid, row, proc->pid);
	if (x->proc)
		VMT_SET(diff_proc, pid_before, row, x->proc->pid);
	if (VMT_HAS(proc, start_time_ns, proc))
		VMT_SET(diff_proc, start_time_ns, row, proc->start_time_ns);
	if (VMT_HAS(proc, user, proc))
		VMT_SET(diff_proc, user, row, proc->user);
	if (VMT_HAS(proc, comm, proc))
		VMT_SET(diff_proc, comm, row, proc->comm);
	VMT_SET(diff_proc, match, row, vmt_bytes_of(fate_name(pair->fate)));
	if (x->proc)
		vmt_diff_add(&df->of_procs, &before, x->proc);
	if (y->proc)
		vmt_diff_add(&df->of_procs, &after, y->proc);
	vmt_diff_set(&df->of_procs, &before, &after, row);
	if (x->known)
		VMT_SET(diff_proc, maps_before_total, row, x->n);
	if (y->known)
		VMT_SET(diff_proc, maps_total, row, y->n);
	if (x->known && y->known)
		set_apart(row, x, y);
}

static bool is_kernel_thread(const struct vmt_proc *p)
{
	return VMT_HAS(proc, class, p) && vmt_bytes_is(p->class, "kernel");
}

static int diff_procs(struct differ *df)
{
	struct vmt_diff *d = df->d;
	size_t i;
	int r;

	d->procs = vmt_arena_alloc(&d->arena, d->n_pairs + 1, sizeof(*d->procs));
	if (!d->procs)
		return -ENOMEM;
	for (i = 0; i < d->n_pairs; i++) {
		struct vmt_diff_pair *pair = &d->pairs[i];
		struct list x = list_of(df->a, pair->a), y = list_of(df->b, pair->b);

		/* Which of them are listed is a matter of options, and none has memory. */
		if ((!x.proc || !y.proc) && is_kernel_thread(x.proc ? x.proc : y.proc))
			continue;
		/* Kernel threads and the like have none, then and now. */
		if (df->opts->maps && df->a->maps && df->b->maps && x.known && y.known &&
		    (x.n || y.n)) {
			r = diff_maps(df, pair, &x, &y);
			if (r < 0)
				return r;
		}
		set_proc(df, pair, &d->procs[d->n_procs++], &x, &y);
	}
	return 0;
}

static void sum_up(struct differ *df)
{
	size_t i;

	for (i = 0; i <= VMT_DIFF_COUNT; i++) {
		struct vmt_diff_sum *row = &df->d->sums[i];
		const char *name = i < VMT_DIFF_COUNT ? vmt_diff_match_name((enum vmt_diff_match)i)
						      : "all";

		VMT_SET(diff_sum, match, row, vmt_bytes_of(name));
		VMT_SET(diff_sum, maps_before_total, row, df->before[i].n);
		VMT_SET(diff_sum, maps_total, row, df->after[i].n);
		vmt_diff_set(&df->of_sums, &df->before[i], &df->after[i], row);
	}
}

int vmt_diff_build(const struct vmt_sample *a, const struct vmt_sample *b,
		   const struct vmt_diff_opts *opts, struct vmt_diff **ret)
{
	struct differ df = { .a = a, .b = b, .opts = opts };
	int r;

	df.d = calloc(1, sizeof(*df.d));
	if (!df.d)
		return -ENOMEM;
	vmt_arena_init(&df.d->arena);
	vmt_diff_measures(&df.of_maps, &vmt_entity_map, &vmt_entity_diff);
	vmt_diff_measures(&df.of_sums, &vmt_entity_map, &vmt_entity_diff_sum);
	vmt_diff_measures(&df.of_procs, &vmt_entity_proc, &vmt_entity_diff_proc);
	df.d->other_boot = a->host.boot_id.len && b->host.boot_id.len &&
			   !vmt_bytes_equal(a->host.boot_id, b->host.boot_id);
	r = pair_procs(&df);
	if (r == 0)
		r = diff_procs(&df);
	if (r < 0) {
		vmt_diff_free(df.d);
		return r;
	}
	sum_up(&df);
	*ret = df.d;
	return 0;
}

void vmt_diff_parts(const struct vmt_part *a, const struct vmt_part *b, size_t n,
		    struct vmt_diff_part *rows)
{
	size_t i;

	for (i = 0; i < n; i++) {
		struct vmt_diff_part *row = &rows[i];
		const struct vmt_part *some = b ? &b[i] : &a[i];
		int64_t delta;

		*row = (struct vmt_diff_part){ 0 };
		VMT_SET(diff_part, name, row, some->name);
		if (VMT_HAS(part, from, some))
			VMT_SET(diff_part, from, row, some->from);
		if (a && VMT_HAS(part, size_bytes, &a[i]))
			VMT_SET(diff_part, size_before_bytes, row, a[i].size_bytes);
		if (b && VMT_HAS(part, size_bytes, &b[i]))
			VMT_SET(diff_part, size_bytes, row, b[i].size_bytes);
		if (VMT_HAS(diff_part, size_before_bytes, row) &&
		    VMT_HAS(diff_part, size_bytes, row) &&
		    !__builtin_sub_overflow(row->size_bytes, row->size_before_bytes, &delta))
			VMT_SET(diff_part, size_delta_bytes, row, delta);
	}
}
