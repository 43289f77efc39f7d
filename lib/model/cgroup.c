/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/cgroup.h"

#include <errno.h>
#include <stdio.h>

#include "model/saturate.h"
#include "model/tree.h"

#define KNOWN(c, m) VMT_HAS(cgroup, m, c)

#define ABOVE "above" /* the level that cannot be seen */

/* A limit, and what is charged against it. */
struct level {
	uint64_t available;
	uint64_t limit;
	uint64_t current;
	int64_t reclaimable;
	const char *kind;
	const struct vmt_cgroup *at; /* NULL for the machine, and for one that cannot be seen */
};

/* Rows of limits, as they are met. */
struct seen {
	struct vmt_cgroup_level *rows;
	size_t n;
};

/* The least of a cgroup's own level and those above it. */
struct chain {
	struct level least;
	bool known;
	bool at_most; /* a level of them is not known */
	struct seen *seen; /* where each of them is to have a row; or NULL */
};

/* What of a limit is left, and what can be made to. The figures are of different moments, and the
 * kernel adds up those of memory.stat lazily: no more than the limit is ever left. */
static uint64_t left_of(uint64_t limit, uint64_t current, uint64_t reclaimable)
{
	if (reclaimable > current)
		reclaimable = current;
	current -= reclaimable;
	return limit > current ? limit - current : 0;
}

static void see(struct seen *seen, const struct level *l)
{
	struct vmt_cgroup_level *r = &seen->rows[seen->n++];

	*r = (struct vmt_cgroup_level){ 0 };
	VMT_SET(cgroup_level, limit_bytes, r, l->limit);
	VMT_SET(cgroup_level, current_bytes, r, l->current);
	VMT_SET(cgroup_level, reclaimable_bytes, r, l->reclaimable);
	VMT_SET(cgroup_level, available_bytes, r, l->available);
	VMT_SET(cgroup_level, kind, r, vmt_bytes_of(l->kind));
	VMT_SET(cgroup_level, binds, r, false);
	if (l->at && KNOWN(l->at, path))
		VMT_SET(cgroup_level, path, r, l->at->path);
}

static void take_level(struct chain *chain, const struct vmt_cgroup *c, const char *kind,
		       uint64_t limit, uint64_t current)
{
	const struct level l = {
		.available = left_of(limit, current, c->reclaimable_bytes),
		.limit = limit,
		.current = current,
		.reclaimable = (int64_t)vmt_least(c->reclaimable_bytes, INT64_MAX),
		.kind = kind,
		.at = strcmp(kind, ABOVE) == 0 ? NULL : c,
	};

	if (chain->seen)
		see(chain->seen, &l);
	/* Of two that leave the same, the nearer one. */
	if (chain->known && l.available > chain->least.available)
		return;
	chain->known = true;
	chain->least = l;
}

/* A limit that is one: known, and set. */
#define LIMITED(c, m) (KNOWN(c, m) && (c)->m != UINT64_MAX)

/* What a cgroup's own limits leave. c has its reclaimable_bytes, where that can be known. */
static void own_level(struct chain *chain, const struct vmt_cgroup *c, bool unread)
{
	bool v1 = KNOWN(c, version) && vmt_bytes_is(c->version, "v1");
	bool limited = LIMITED(c, max_bytes) || LIMITED(c, high_bytes) ||
		       LIMITED(c, memsw_max_bytes);

	/* A file that this cgroup has not is no limit: its memory controller is off. */
	if (unread && !(KNOWN(c, max_bytes) && KNOWN(c, current_bytes) &&
			KNOWN(c, reclaimable_bytes) && (v1 || KNOWN(c, high_bytes))))
		chain->at_most = true;
	if (!limited)
		return;
	if (!KNOWN(c, reclaimable_bytes)) {
		chain->at_most = true;
		return;
	}
	if (LIMITED(c, memsw_max_bytes) && KNOWN(c, memsw_bytes))
		take_level(chain, c, "memsw", c->memsw_max_bytes, c->memsw_bytes);
	if (!KNOWN(c, current_bytes)) {
		chain->at_most = true;
		return;
	}
	if (LIMITED(c, high_bytes))
		take_level(chain, c, "high", c->high_bytes, c->current_bytes);
	if (LIMITED(c, max_bytes))
		take_level(chain, c, v1 ? "limit" : "max", c->max_bytes, c->current_bytes);
}

/*
 * Version 1 tells the least limit of all levels, those included that cannot be seen. What is
 * charged there is at least what is charged to the first that can be, and what others have there
 * can at best be reclaimed.
 */
static void hidden_level(struct chain *chain, const struct vmt_cgroup *top)
{
	chain->at_most = true;
	if (!LIMITED(top, hierarchical_limit_bytes) || !KNOWN(top, current_bytes) ||
	    !KNOWN(top, reclaimable_bytes) || !KNOWN(top, max_bytes) ||
	    top->hierarchical_limit_bytes >= top->max_bytes)
		return;
	take_level(chain, top, ABOVE, top->hierarchical_limit_bytes, top->current_bytes);
}

/* The machine as a level: MemFree is left, and MemAvailable says what can be reclaimed. */
static struct chain machine_level(const struct vmt_system *s)
{
	struct chain chain = { .at_most = true };

	if (!VMT_HAS(system, available_bytes, s) || !VMT_HAS(system, total_bytes, s) ||
	    !VMT_HAS(system, free_bytes, s) || s->free_bytes > s->total_bytes)
		return chain;
	chain.known = true;
	chain.at_most = false;
	chain.least = (struct level){
		.available = s->available_bytes,
		.limit = s->total_bytes,
		.current = s->total_bytes - s->free_bytes,
		.reclaimable = (int64_t)(s->available_bytes - s->free_bytes),
		.kind = "machine",
	};
	return chain;
}

static void set_available(struct vmt_cgroup *c, const struct chain *chain)
{
	const struct level *l = &chain->least;

	VMT_SET(cgroup, at_most, c, chain->at_most);
	if (!chain->known)
		return;
	VMT_SET(cgroup, available_bytes, c, l->available);
	VMT_SET(cgroup, distance_bytes, c, (int64_t)(l->limit - l->current));
	VMT_SET(cgroup, binds, c, vmt_bytes_of(l->kind));
	VMT_SET(cgroup, tightest_limit_bytes, c, l->limit);
	VMT_SET(cgroup, tightest_current_bytes, c, l->current);
	VMT_SET(cgroup, tightest_reclaimable_bytes, c, l->reclaimable);
	if (l->at && KNOWN(l->at, path))
		VMT_SET(cgroup, tightest, c, l->at->path);
}

/* Its own limit and room. unread: a file that it has could not be read; where that may be the lower
 * of its limits, neither is known. */
static void set_own(struct vmt_cgroup *c, bool unread)
{
	bool v1 = KNOWN(c, version) && vmt_bytes_is(c->version, "v1");
	struct chain own = { 0 };

	if (unread && !v1 && !KNOWN(c, high_bytes))
		return;
	if (KNOWN(c, max_bytes))
		VMT_SET(cgroup, limit_bytes, c,
			KNOWN(c, high_bytes) ? vmt_least(c->max_bytes, c->high_bytes)
					     : c->max_bytes);
	own_level(&own, c, false);
	if (own.known)
		VMT_SET(cgroup, room_bytes, c, own.least.available);
	else if (KNOWN(c, limit_bytes) && c->limit_bytes == UINT64_MAX)
		VMT_SET(cgroup, room_bytes, c, UINT64_MAX);
}

/* What reclaim can take where nothing is protected. Version 1 does not say what of the slab it can
 * take. */
static bool may_take(const struct vmt_cgroup *c, uint64_t *ret)
{
	uint64_t sum;

	if (!KNOWN(c, active_file_bytes) || !KNOWN(c, inactive_file_bytes) ||
	    __builtin_add_overflow(c->active_file_bytes, c->inactive_file_bytes, &sum))
		return false;
	if (KNOWN(c, slab_reclaimable_bytes) &&
	    __builtin_add_overflow(sum, c->slab_reclaimable_bytes, &sum))
		return false;
	*ret = sum;
	return true;
}

/* The cgroups of one hierarchy, while reclaim for one of them is thought through. */
struct protection {
	const struct vmt_cgroup *rows; /* one behind those above it */
	const struct vmt_cgroup_link *links;
	size_t n;
	bool recursive;
	struct share {
		size_t end; /* index behind the last that is below it */
		uint64_t own; /* what could be taken of what is charged to none below it */
		uint64_t kept; /* memory.min as far as it counts for who reclaims */
		uint64_t asked; /* min(usage, memory.min) of its children in all */
		uint64_t below; /* what can be taken of those below it */
		bool any; /* one below it has a memory.min */
	} * shares;
};

static uint64_t usage_of(const struct vmt_cgroup *c)
{
	return KNOWN(c, current_bytes) ? c->current_bytes : 0;
}

static uint64_t asks(const struct vmt_cgroup *c)
{
	return KNOWN(c, min_bytes) ? vmt_least(c->min_bytes, usage_of(c)) : 0;
}

/* a * b / c, where the result is no larger than a or b. */
static uint64_t part_of(uint64_t a, uint64_t b, uint64_t c)
{
	return (uint64_t)((unsigned __int128)a * b / c);
}

/*
 * How much of a cgroup reclaim for top, above it, leaves alone: mm/page_counter.c
 * effective_protection() (mm/memcontrol.c before 6.11). Right below the one that reclaims,
 * memory.min counts in full, further down no more than what the parent is left, in shares.
 */
static uint64_t effective(const struct protection *p, size_t i, size_t top)
{
	size_t up = p->links[i].parent;
	uint64_t mine = asks(&p->rows[i]), usage = usage_of(&p->rows[i]);
	uint64_t usage_up = usage_of(&p->rows[up]);
	uint64_t kept = p->shares[up].kept, asked = p->shares[up].asked;

	if (up == top)
		return mine;
	if (asked > kept)
		return part_of(mine, kept, asked);
	if (p->recursive && kept > asked && usage_up > asked && usage > mine)
		mine += part_of(kept - asked, usage - mine, usage_up - asked);
	return vmt_least(mine, usage);
}

/* What reclaim for top can take of all that is charged below it. */
static uint64_t take_below(const struct protection *p, size_t top)
{
	struct share *s = p->shares;
	size_t end = s[top].end, i;

	for (i = top; i < end; i++)
		s[i].asked = s[i].below = 0;
	for (i = top + 1; i < end; i++) {
		struct share *up = &s[p->links[i].parent];

		up->asked = vmt_plus(up->asked, asks(&p->rows[i]));
	}
	for (i = top + 1; i < end; i++)
		s[i].kept = effective(p, i, top);
	/* Each is looked at for itself: what is charged to it alone goes as long as more than that
	 * is charged to it and those below it. */
	for (i = end; i-- > top + 1;) {
		struct share *up = &s[p->links[i].parent];
		uint64_t own = s[i].own, rest = usage_of(&p->rows[i]);

		rest -= vmt_least(rest, s[i].below);
		rest -= vmt_least(rest, s[i].kept);
		up->below = vmt_plus(up->below,
				     vmt_plus(s[i].below, s[i].kept ? vmt_least(own, rest) : own));
	}
	return s[top].below;
}

/* Which are below which, what each could be taken alone, and who has protection below it. */
static void find_shares(const struct protection *p)
{
	struct share *s = p->shares;
	uint64_t all;
	size_t i;

	for (i = 0; i < p->n; i++) {
		s[i].end = i + 1;
		s[i].own = may_take(&p->rows[i], &all) ? all : 0;
	}
	for (i = p->n; i-- > 1;) {
		size_t up = p->links[i].parent;

		if (up == SIZE_MAX)
			continue;
		if (s[up].end < s[i].end)
			s[up].end = s[i].end;
		s[up].any |= s[i].any || asks(&p->rows[i]);
	}
	for (i = p->n; i-- > 1;) {
		size_t up = p->links[i].parent;

		/* Statistics of version 2 are of a cgroup and all below it. */
		if (up != SIZE_MAX && may_take(&p->rows[i], &all))
			s[up].own -= vmt_least(s[up].own, all);
	}
}

static int set_reclaimable(struct vmt_cgroup *rows, const struct vmt_sample *sample)
{
	VMT_AUTO_FREE struct share *shares = calloc(sample->n_cgroups + 1, sizeof(*shares));
	const struct protection p = { .rows = rows,
				      .links = sample->cgroup_links,
				      .n = sample->n_cgroups,
				      .recursive = sample->cgroup_facts.recursive,
				      .shares = shares };
	uint64_t all, take;
	size_t i;

	if (!shares)
		return -ENOMEM;
	find_shares(&p);
	for (i = 0; i < p.n; i++) {
		if (!may_take(&rows[i], &all))
			continue;
		take = shares[i].any ? vmt_plus(shares[i].own, take_below(&p, i)) : all;
		VMT_SET(cgroup, reclaimable_bytes, &rows[i], take);
		VMT_SET(cgroup, kept_bytes, &rows[i], all > take ? all - take : 0);
	}
	return 0;
}

/* The names of the limits that are set to none. */
static int set_unlimited(struct vmt_cgroup *c, struct vmt_arena *arena, struct vmt_bytes *before)
{
	VMT_AUTO_BUF text = { 0 };
	struct vmt_bytes kept;
	bool known = false;
	size_t i;
	int r;

	for (i = 0; i < vmt_entity_cgroup.n_fields; i++) {
		const struct vmt_field *f = &vmt_entity_cgroup.fields[i];

		/* Those of the model say no more. */
		if (!(f->flags & VMT_ENDLESS) || !vmt_row_has(&c->row, f->index) ||
		    i == VMT_FIELD_cgroup_limit_bytes || i == VMT_FIELD_cgroup_room_bytes)
			continue;
		known = true;
		if (vmt_field_is_endless(f, c))
			vmt_buf_addf(&text, "%s%s", text.len ? " " : "", f->name);
	}
	r = vmt_buf_error(&text);
	if (r < 0 || !known)
		return r;
	r = vmt_bytes_keep(arena, (struct vmt_bytes){ text.data ? text.data : "", text.len },
			   before, &kept);
	if (r < 0)
		return r;
	*before = kept;
	VMT_SET(cgroup, unlimited, c, kept);
	return 0;
}

#define RATE(rate, counter, c, prev, dt)                                                           \
	do {                                                                                       \
		uint64_t milli_;                                                                   \
		if (KNOWN(c, counter) && KNOWN(prev, counter) &&                                   \
		    vmt_rate_milli((c)->counter, (prev)->counter, dt, &milli_))                    \
			VMT_SET(cgroup, rate, c, milli_);                                          \
	} while (0)

static void set_rates(struct vmt_cgroup *c, const struct vmt_cgroup *prev, uint64_t dt_ns)
{
	uint64_t now, before, milli;

	/* Another one of that name has counters of its own. */
	if (!KNOWN(c, id) || !KNOWN(prev, id) || c->id != prev->id)
		return;
	RATE(scans_per_second, scan_total, c, prev, dt_ns);
	RATE(steals_per_second, steal_total, c, prev, dt_ns);
	RATE(faults_per_second, faults_total, c, prev, dt_ns);
	RATE(major_faults_per_second, major_faults_total, c, prev, dt_ns);
	if (KNOWN(c, current_bytes) && KNOWN(prev, current_bytes))
		VMT_SET(cgroup, current_delta_bytes, c,
			(int64_t)(c->current_bytes - prev->current_bytes));
	if (KNOWN(c, refault_anon_total) && KNOWN(c, refault_file_total) &&
	    KNOWN(prev, refault_anon_total) && KNOWN(prev, refault_file_total) &&
	    !__builtin_add_overflow(c->refault_anon_total, c->refault_file_total, &now) &&
	    !__builtin_add_overflow(prev->refault_anon_total, prev->refault_file_total, &before) &&
	    vmt_rate_milli(now, before, dt_ns, &milli))
		VMT_SET(cgroup, refaults_per_second, c, milli);
}

static int compare_paths(const void *a, const void *b)
{
	const struct vmt_cgroup *x = *(const struct vmt_cgroup *const *)a;
	const struct vmt_cgroup *y = *(const struct vmt_cgroup *const *)b;

	return vmt_bytes_compare(x->path, y->path);
}

/* The rows in order of their paths; the caller frees the array. */
static const struct vmt_cgroup **by_path(const struct vmt_cgroup *rows, size_t n)
{
	const struct vmt_cgroup **sorted = calloc(n ? n : 1, sizeof(*sorted));
	size_t i;

	for (i = 0; sorted && i < n; i++)
		sorted[i] = &rows[i];
	if (sorted)
		qsort(sorted, n, sizeof(*sorted), compare_paths);
	return sorted;
}

static const struct vmt_cgroup *find_path(const struct vmt_cgroup *const *sorted, size_t n,
					  struct vmt_bytes path)
{
	const struct vmt_cgroup key = { .path = path }, *wanted = &key, *const * found;

	found = n ? bsearch(&wanted, sorted, n, sizeof(*sorted), compare_paths) : NULL;
	return found ? *found : NULL;
}

static int all_rates(struct vmt_cgroup *rows, size_t n, const struct vmt_sample *prev,
		     uint64_t dt_ns)
{
	VMT_AUTO_FREE const struct vmt_cgroup **sorted = by_path(prev->cgroups, prev->n_cgroups);
	size_t i;

	if (!sorted)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		const struct vmt_cgroup *before = find_path(sorted, prev->n_cgroups, rows[i].path);

		if (before)
			set_rates(&rows[i], before, dt_ns);
	}
	return 0;
}

/* From the first, which is above all, down. */
static int all_available(struct vmt_cgroup *rows, const struct vmt_sample *s,
			 const struct vmt_system *machine)
{
	VMT_AUTO_FREE struct chain *chains = calloc(s->n_cgroups, sizeof(*chains));
	size_t i;

	if (!chains)
		return -ENOMEM;
	for (i = 0; i < s->n_cgroups; i++) {
		size_t up = s->cgroup_links[i].parent;

		chains[i] = up == SIZE_MAX ? machine_level(machine) : chains[up];
		/* Version 1 before 5.11: what is below such a one is not charged to it. */
		if (up != SIZE_MAX && KNOWN(&rows[up], use_hierarchy) && !rows[up].use_hierarchy)
			chains[i] = machine_level(machine);
		if (up == SIZE_MAX && s->cgroup_facts.above_hidden)
			hidden_level(&chains[i], &rows[i]);
		own_level(&chains[i], &rows[i], s->cgroup_links[i].unread);
		set_available(&rows[i], &chains[i]);
	}
	return 0;
}

int vmt_model_cgroups(struct vmt_model *m, const struct vmt_sample *prev, uint64_t dt_ns)
{
	const struct vmt_sample *s = m->sample;
	struct vmt_bytes before = { 0 };
	size_t i;
	int r;

	if (!s->n_cgroups)
		return 0;
	m->cgroups = vmt_arena_alloc(&m->arena, s->n_cgroups, sizeof(*m->cgroups));
	if (!m->cgroups)
		return -ENOMEM;
	m->n_cgroups = s->n_cgroups;
	memcpy(m->cgroups, s->cgroups, s->n_cgroups * sizeof(*m->cgroups));
	r = set_reclaimable(m->cgroups, s);
	for (i = 0; r == 0 && i < m->n_cgroups; i++) {
		set_own(&m->cgroups[i], s->cgroup_links[i].unread);
		r = set_unlimited(&m->cgroups[i], &m->arena, &before);
	}
	if (r == 0)
		r = all_available(m->cgroups, s, &m->system);
	if (r == 0 && dt_ns)
		r = all_rates(m->cgroups, m->n_cgroups, prev, dt_ns);
	return r;
}

/* A level where nothing is limited, or where it is not known what is. */
static void see_none(struct seen *seen, const struct vmt_cgroup *c)
{
	struct vmt_cgroup_level *r = &seen->rows[seen->n++];

	*r = (struct vmt_cgroup_level){ 0 };
	if (KNOWN(c, limit_bytes))
		VMT_SET(cgroup_level, limit_bytes, r, c->limit_bytes);
	if (KNOWN(c, current_bytes))
		VMT_SET(cgroup_level, current_bytes, r, c->current_bytes);
	if (KNOWN(c, reclaimable_bytes) && c->reclaimable_bytes <= INT64_MAX)
		VMT_SET(cgroup_level, reclaimable_bytes, r, (int64_t)c->reclaimable_bytes);
	if (KNOWN(c, room_bytes))
		VMT_SET(cgroup_level, available_bytes, r, c->room_bytes);
	VMT_SET(cgroup_level, binds, r, false);
	VMT_SET(cgroup_level, path, r, c->path);
}

/* The rows that a cgroup and those above it can have: three limits each, the machine, and what is
 * above all. */
static size_t most_levels(const struct vmt_sample *s, size_t at)
{
	size_t n = 2;

	for (; at != SIZE_MAX; at = s->cgroup_links[at].parent)
		n += 3;
	return n;
}

/* The level that decides, which set_available() found by the same rules. */
static void mark_least(struct seen *seen, const struct vmt_cgroup *c)
{
	size_t i;

	for (i = 0; KNOWN(c, binds) && i < seen->n; i++) {
		struct vmt_cgroup_level *r = &seen->rows[i];
		bool same = VMT_HAS(cgroup_level, path, r) == KNOWN(c, tightest);

		if (same && KNOWN(c, tightest))
			same = vmt_bytes_equal(r->path, c->tightest);
		if (same && VMT_HAS(cgroup_level, kind, r) && vmt_bytes_equal(r->kind, c->binds))
			r->binds = true;
	}
}

int vmt_cgroup_levels(struct vmt_model *m, size_t at, struct vmt_cgroup_level **ret, size_t *ret_n)
{
	const struct vmt_sample *s = m->sample;
	const struct vmt_cgroup *rows = m->cgroups;
	struct seen seen = {
		.rows = vmt_arena_alloc(&m->arena, most_levels(s, at), sizeof(*seen.rows)),
	};
	struct chain all = machine_level(&m->system);
	size_t i = at, up = at;

	if (!seen.rows)
		return -ENOMEM;
	for (;; i = up) {
		struct chain own = { .seen = &seen };
		size_t before = seen.n;

		own_level(&own, &rows[i], false);
		if (seen.n == before)
			see_none(&seen, &rows[i]);
		up = s->cgroup_links[i].parent;
		if (up == SIZE_MAX && s->cgroup_facts.above_hidden)
			hidden_level(&own, &rows[i]);
		if (up == SIZE_MAX || (KNOWN(&rows[up], use_hierarchy) && !rows[up].use_hierarchy))
			break;
	}
	if (all.known)
		see(&seen, &all.least);
	mark_least(&seen, &rows[at]);
	*ret = seen.rows;
	*ret_n = seen.n;
	return 0;
}

/* The path of what is above path; false where that is the first of all. */
static bool go_up(struct vmt_bytes *path)
{
	const char *slash = path->len > 1 ? memrchr(path->ptr, '/', path->len) : NULL;

	if (!slash)
		return false;
	path->len = slash == path->ptr ? 1 : (size_t)(slash - path->ptr);
	return true;
}

/* A row by its path. */
struct named {
	struct vmt_bytes path;
	size_t row;
};

static int compare_names(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int c = vmt_bytes_compare(x->path, y->path);

	return c ? c : x->row < y->row ? -1 : x->row > y->row;
}

/* The row of the next above it that is there, or SIZE_MAX. */
static size_t find_above(const struct named *names, size_t n, struct vmt_bytes path)
{
	while (go_up(&path)) {
		size_t lo = 0, hi = n;

		while (lo < hi) {
			size_t mid = lo + (hi - lo) / 2;

			if (vmt_bytes_compare(names[mid].path, path) < 0)
				lo = mid + 1;
			else
				hi = mid;
		}
		if (lo < n && vmt_bytes_equal(names[lo].path, path))
			return names[lo].row;
	}
	return SIZE_MAX;
}

int vmt_cgroup_tree(const void **rows, size_t n, size_t **ret_parents)
{
	VMT_AUTO_FREE struct named *names = calloc(n ? n : 1, sizeof(*names));
	VMT_AUTO_FREE size_t *above = calloc(n ? n : 1, sizeof(*above));
	VMT_AUTO_FREE const void **old = calloc(n ? n : 1, sizeof(*old));
	VMT_AUTO_FREE size_t *order = NULL;
	size_t i;
	int r;

	if (!names || !above || !old)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		names[i] = (struct named){ ((const struct vmt_cgroup *)rows[i])->path, i };
	qsort(names, n, sizeof(*names), compare_names);
	for (i = 0; i < n; i++)
		above[i] = find_above(names, n, ((const struct vmt_cgroup *)rows[i])->path);
	r = vmt_tree_order(above, n, &order, ret_parents);
	if (r < 0)
		return r;
	memcpy(old, rows, n * sizeof(*old));
	for (i = 0; i < n; i++)
		rows[i] = old[order[i]];
	return 0;
}
