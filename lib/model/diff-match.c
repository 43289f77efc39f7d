/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/diff.h"

#include <errno.h>

#include "model/map-key.h"

#define NO_PIECE UINT32_MAX

struct matcher {
	const struct vmt_map *a, *b;
	size_t n, m;
	uint32_t *of_a, *of_b;
	struct vmt_diff_piece *pieces;
	size_t n_pieces;
	bool relocated; /* files by their names, which outlive a package; addresses say nothing */
};

const char *vmt_diff_match_name(enum vmt_diff_match match)
{
	static const char *const names[] = { "same",	 "grown", "shrunk", "split", "merged",
					     "reshaped", "moved", "new",    "gone" };

	return names[match];
}

static bool starts_with(const struct vmt_map *m, const char *text)
{
	return VMT_HAS(map, path, m) && vmt_bytes_starts(m->path, text);
}

/* Where a document has no device and inode, the name is all there is. */
static bool has_file(const struct vmt_map *m)
{
	return vmt_map_has_file(m) || (!VMT_HAS(map, inode, m) && starts_with(m, "/"));
}

static bool is_shared(const struct vmt_map *m)
{
	return VMT_HAS(map, perms, m) && m->perms.len == 4 && m->perms.ptr[3] == 's';
}

static struct vmt_bytes text_of(bool known, struct vmt_bytes text)
{
	return known ? text : (struct vmt_bytes){ 0 };
}

static int compare_file(const struct vmt_map *x, const struct vmt_map *y, bool by_name)
{
	int c = 0;

	if (!by_name)
		c = vmt_compare_u64(VMT_HAS(map, inode, x) ? x->inode : 0,
				VMT_HAS(map, inode, y) ? y->inode : 0)
			    ?: vmt_bytes_compare(text_of(VMT_HAS(map, device, x), x->device),
						 text_of(VMT_HAS(map, device, y), y->device))
			    ?: vmt_compare_u64(VMT_HAS(map, ipc_namespace, x) ? x->ipc_namespace : 0,
					   VMT_HAS(map, ipc_namespace, y) ? y->ipc_namespace : 0);
	if (c == 0 && (by_name || !VMT_HAS(map, inode, x) || !VMT_HAS(map, inode, y)))
		c = vmt_bytes_compare(text_of(VMT_HAS(map, path, x), x->path),
				      text_of(VMT_HAS(map, path, y), y->path));
	return c;
}

static uint64_t offset_of(const struct vmt_map *m)
{
	return VMT_HAS(map, offset_bytes, m) ? m->offset_bytes : 0;
}

/* What the kernel made, and no call moves or cuts: each is for itself. */
static bool is_special(const struct vmt_map *m)
{
	return starts_with(m, "[v") || starts_with(m, "[uprobes") || starts_with(m, "[sigpage");
}

/* Whether what overlaps is the same memory. Names and rights of a part may change at any time. */
static bool is_same_memory(const struct vmt_map *x, const struct vmt_map *y)
{
	if (has_file(x) != has_file(y) || is_shared(x) != is_shared(y))
		return false;
	if (has_file(x))
		return compare_file(x, y, false) == 0 &&
		       x->start - offset_of(x) == y->start - offset_of(y);
	if (is_special(x) || is_special(y))
		return vmt_bytes_equal(text_of(VMT_HAS(map, path, x), x->path),
				       text_of(VMT_HAS(map, path, y), y->path));
	return true;
}

static uint32_t new_piece(struct matcher *mt, enum vmt_diff_basis basis)
{
	mt->pieces[mt->n_pieces] = (struct vmt_diff_piece){ .basis = basis };
	return (uint32_t)mt->n_pieces++;
}

static void put_a(struct matcher *mt, size_t i, uint32_t piece)
{
	struct vmt_diff_piece *p = &mt->pieces[piece];

	if (p->n_a++ == 0 || i < p->first_a)
		p->first_a = i;
	mt->of_a[i] = piece;
}

static void put_b(struct matcher *mt, size_t i, uint32_t piece)
{
	struct vmt_diff_piece *p = &mt->pieces[piece];

	if (p->n_b++ == 0 || i < p->first_b)
		p->first_b = i;
	mt->of_b[i] = piece;
}

/*
 * What overlaps, in one pass over both lists. Neither index goes back, so that of two that overlap
 * one at most is in a piece already.
 */
static void match_ranges(struct matcher *mt)
{
	size_t i = 0, k = 0;

	while (i < mt->n && k < mt->m) {
		const struct vmt_map *x = &mt->a[i], *y = &mt->b[k];

		if (x->end > y->start && y->end > x->start && is_same_memory(x, y)) {
			uint32_t piece = mt->of_a[i] != NO_PIECE ? mt->of_a[i] : mt->of_b[k];

			if (piece == NO_PIECE)
				piece = new_piece(mt, VMT_DIFF_BY_RANGE);
			if (mt->of_a[i] == NO_PIECE)
				put_a(mt, i, piece);
			if (mt->of_b[k] == NO_PIECE)
				put_b(mt, k, piece);
		}
		if (x->end <= y->end)
			i++;
		else
			k++;
	}
}

/* One that no range matched. */
struct left {
	const struct vmt_map *map;
	size_t at; /* its index */
};

/* The order in which equal ones stand beside each other; what is equal in it may be the same. */
static int compare_kind(const struct left *l, const struct left *r, bool by_name)
{
	const struct vmt_map *x = l->map, *y = r->map;
	bool file = has_file(x);
	int c = vmt_compare_u64(file, has_file(y));

	if (c == 0 && file)
		c = compare_file(x, y, by_name) ?: vmt_compare_u64(offset_of(x), offset_of(y));
	else if (c == 0)
		c = vmt_bytes_compare(text_of(VMT_HAS(map, path, x), x->path),
				      text_of(VMT_HAS(map, path, y), y->path));
	return c
		       ?: vmt_bytes_compare(text_of(VMT_HAS(map, perms, x), x->perms),
					    text_of(VMT_HAS(map, perms, y), y->perms));
}

static int compare_sized(const struct left *l, const struct left *r, bool by_name)
{
	return compare_kind(l, r, by_name)
		       ?: vmt_compare_u64(l->map->size_bytes, r->map->size_bytes);
}

struct order {
	int (*compare)(const struct left *l, const struct left *r, bool by_name);
	bool by_name;
};

static int by_order(const void *l, const void *r, void *arg)
{
	const struct order *o = arg;
	const struct left *x = l, *y = r;

	return o->compare(x, y, o->by_name) ?: vmt_compare_u64(x->at, y->at);
}

static size_t run_of(const struct left *l, size_t n, size_t at, const struct order *o)
{
	size_t k = at + 1;

	while (k < n && o->compare(&l[at], &l[k], o->by_name) == 0)
		k++;
	return k - at;
}

static bool has_role(const struct vmt_map *m, const char *role)
{
	return VMT_HAS(map, role, m) && vmt_bytes_is(m->role, role);
}

/* Whether memory without a file can be known again elsewhere: stacks and guards of threads come and
 * go, all of one size, and what was never written to is nothing that could have been moved. */
static bool is_mobile(const struct vmt_map *m)
{
	if (has_role(m, "thread-stack") || has_role(m, "stack") || has_role(m, "guard"))
		return false;
	return !is_special(m) && VMT_HAS(map, perms, m) && !vmt_bytes_starts(m->perms, "---");
}

/* Which of the pairs of two runs of equal ones are the same, and by what; 0 to n of them. */
static size_t pairs_of(const struct matcher *mt, const struct left *x, size_t n,
		       const struct left *y, size_t m, bool sized, enum vmt_diff_basis *ret_basis)
{
	const struct vmt_map *map = x->map;

	if (has_file(map)) {
		*ret_basis = VMT_DIFF_BY_FILE;
		return n < m ? n : m;
	}
	if (n != 1 || m != 1)
		return 0;
	if (mt->relocated) {
		*ret_basis = VMT_DIFF_BY_NAME;
		return starts_with(map, "[") ? 1 : 0;
	}
	*ret_basis = VMT_DIFF_BY_SIZE;
	return sized && is_mobile(map) && is_mobile(y->map) ? 1 : 0;
}

static size_t collect(const struct vmt_map *maps, size_t n, const uint32_t *of, struct left *ret)
{
	size_t i, k = 0;

	for (i = 0; i < n; i++)
		if (of[i] == NO_PIECE)
			ret[k++] = (struct left){ &maps[i], i };
	return k;
}

/* One pass over those that are left, on both sides in that order. */
static void match_left(struct matcher *mt, struct left *x, struct left *y, bool sized)
{
	struct order o = { sized ? compare_sized : compare_kind, mt->relocated };
	size_t n = collect(mt->a, mt->n, mt->of_a, x), m = collect(mt->b, mt->m, mt->of_b, y);
	size_t i = 0, k = 0;

	qsort_r(x, n, sizeof(*x), by_order, &o);
	qsort_r(y, m, sizeof(*y), by_order, &o);
	while (i < n && k < m) {
		int c = o.compare(&x[i], &y[k], o.by_name);
		enum vmt_diff_basis basis = VMT_DIFF_BY_NOTHING;
		size_t in_x, in_y, pairs, p;

		if (c < 0) {
			i++;
			continue;
		}
		if (c > 0) {
			k++;
			continue;
		}
		in_x = run_of(x, n, i, &o);
		in_y = run_of(y, m, k, &o);
		pairs = pairs_of(mt, &x[i], in_x, &y[k], in_y, sized, &basis);
		for (p = 0; p < pairs; p++) {
			uint32_t piece = new_piece(mt, basis);

			put_a(mt, x[i + p].at, piece);
			put_b(mt, y[k + p].at, piece);
		}
		i += in_x;
		k += in_y;
	}
}

static void judge(const struct matcher *mt, struct vmt_diff_piece *p)
{
	const struct vmt_map *x = &mt->a[p->first_a], *y = &mt->b[p->first_b];

	if (p->n_a == 0)
		p->match = VMT_DIFF_NEW;
	else if (p->n_b == 0)
		p->match = VMT_DIFF_GONE;
	else if (p->n_a > 1 && p->n_b > 1)
		p->match = VMT_DIFF_RESHAPED;
	else if (p->n_a > 1)
		p->match = VMT_DIFF_MERGED;
	else if (p->n_b > 1)
		p->match = VMT_DIFF_SPLIT;
	else if (p->basis != VMT_DIFF_BY_RANGE && !mt->relocated)
		p->match = VMT_DIFF_MOVED;
	else if (x->size_bytes != y->size_bytes)
		p->match = x->size_bytes < y->size_bytes ? VMT_DIFF_GROWN : VMT_DIFF_SHRUNK;
	else
		p->match = mt->relocated || x->start == y->start ? VMT_DIFF_SAME : VMT_DIFF_MOVED;
}

int vmt_diff_maps(const struct vmt_map *a, size_t n, const struct vmt_map *b, size_t m,
		  enum vmt_diff_space space, uint32_t *of_a, uint32_t *of_b,
		  struct vmt_diff_piece *pieces, size_t *ret_n)
{
	struct matcher mt = { .a = a,
			      .b = b,
			      .n = n,
			      .m = m,
			      .of_a = of_a,
			      .of_b = of_b,
			      .pieces = pieces,
			      .relocated = space == VMT_DIFF_OTHER_SPACE };
	VMT_AUTO_FREE struct left *x = NULL;
	VMT_AUTO_FREE struct left *y = NULL;
	size_t i;

	for (i = 0; i < n; i++)
		of_a[i] = NO_PIECE;
	for (i = 0; i < m; i++)
		of_b[i] = NO_PIECE;
	x = calloc(n ? n : 1, sizeof(*x));
	y = calloc(m ? m : 1, sizeof(*y));
	if (!x || !y)
		return -ENOMEM;
	if (space == VMT_DIFF_ONE_SPACE)
		match_ranges(&mt);
	if (space != VMT_DIFF_NO_SPACE) {
		match_left(&mt, x, y, true);
		match_left(&mt, x, y, false);
	}
	for (i = 0; i < n; i++)
		if (of_a[i] == NO_PIECE)
			put_a(&mt, i, new_piece(&mt, VMT_DIFF_BY_NOTHING));
	for (i = 0; i < m; i++)
		if (of_b[i] == NO_PIECE)
			put_b(&mt, i, new_piece(&mt, VMT_DIFF_BY_NOTHING));
	for (i = 0; i < mt.n_pieces; i++)
		judge(&mt, &pieces[i]);
	*ret_n = mt.n_pieces;
	return 0;
}
