/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/diff.h"

#include <errno.h>

#include "model/map-group.h"
#include "model/map-key.h"

struct group {
	struct vmt_bytes name;
	bool named;
	const struct vmt_map *map; /* one of it, as it is last */
	struct vmt_diff_total before, after;
};

struct groups {
	enum vmt_diff_by by;
	struct vmt_diff_measures ms;
	struct vmt_key_table keys;
	struct vmt_buf key;
	struct group *groups; /* one behind the last is of what found no room */
	size_t cap;
	size_t others; /* mappings in that */
};

/* The key of a mapping; what is called the same may be another file. */
static void key_of(struct groups *g, const struct vmt_map *m, struct vmt_bytes *ret_name,
		   bool *ret_named)
{
	struct vmt_bytes name = { 0 };
	bool named = true;

	vmt_buf_clear(&g->key);
	if (g->by == VMT_DIFF_BY_ROLE && VMT_HAS(map, role, m))
		name = m->role;
	else if (g->by == VMT_DIFF_BY_ROLE && VMT_HAS(map, kind, m))
		name = m->kind;
	else if (g->by == VMT_DIFF_BY_ROLE)
		named = false;
	else if (VMT_HAS(map, path, m))
		name = m->path.len ? m->path : VMT_BYTES("[anon]");
	else
		named = false;
	*ret_name = name;
	*ret_named = named;
	vmt_buf_addc(&g->key, named ? 'n' : 'u');
	if (g->by == VMT_DIFF_BY_PATH && vmt_map_file_key(m, &g->key))
		return;
	vmt_buf_add(&g->key, name.ptr, name.len);
}

static int add(struct groups *g, const struct vmt_map *m, bool now)
{
	struct vmt_bytes name;
	bool named;
	int64_t at;
	struct group *to;

	key_of(g, m, &name, &named);
	if (vmt_buf_error(&g->key) < 0)
		return -ENOMEM;
	at = vmt_key_table_take(&g->keys, (struct vmt_bytes){ g->key.data, g->key.len }, true);
	if (at == -ENOSPC) {
		at = (int64_t)g->keys.max;
		g->others++;
	}
	if (at < 0 || vmt_grow(&g->groups, &g->cap, (size_t)at + 1, sizeof(*g->groups)) < 0)
		return -ENOMEM;
	to = &g->groups[at];
	if (at < (int64_t)g->keys.max) {
		to->name = name;
		to->named = named;
		to->map = m;
	}
	vmt_diff_add(&g->ms, now ? &to->after : &to->before, m);
	return 0;
}

static int add_pairs(struct groups *g, const struct vmt_diff *d, const struct vmt_sample *s,
		     bool now)
{
	size_t i, k;
	int r;

	for (i = 0; i < d->n_pairs; i++) {
		const struct vmt_diff_pair *pair = &d->pairs[i];
		size_t at = now ? pair->b : pair->a;

		for (k = 0; pair->maps && at != SIZE_MAX && k < s->maps[at].n_maps; k++) {
			r = add(g, &s->maps[at].maps[k], now);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static void set_row(const struct groups *g, const struct group *from, struct vmt_diff_group *row)
{
	if (from->named)
		VMT_SET(diff_group, name, row, from->name);
	if (g->by == VMT_DIFF_BY_PATH && from->map && vmt_map_has_file(from->map)) {
		VMT_SET(diff_group, inode, row, from->map->inode);
		if (VMT_HAS(map, device, from->map))
			VMT_SET(diff_group, device, row, from->map->device);
	}
	VMT_SET(diff_group, maps_before_total, row, from->before.n);
	VMT_SET(diff_group, maps_total, row, from->after.n);
	vmt_diff_set(&g->ms, &from->before, &from->after, row);
}

int vmt_diff_groups(struct vmt_diff *d, const struct vmt_sample *a, const struct vmt_sample *b,
		    enum vmt_diff_by by, struct vmt_diff_group **ret, size_t *ret_n)
{
	struct groups g = { .by = by };
	struct vmt_diff_group *rows;
	size_t n, i;
	int r;

	vmt_diff_measures(&g.ms, &vmt_entity_map, &vmt_entity_diff_group);
	vmt_key_table_init(&g.keys, VMT_MAP_GROUPS_MAX, VMT_MAP_GROUP_NAMES_MAX);
	r = add_pairs(&g, d, a, false);
	if (r == 0)
		r = add_pairs(&g, d, b, true);
	n = g.keys.n;
	rows = r == 0 ? vmt_arena_alloc(&d->arena, n + 1, sizeof(*rows)) : NULL;
	for (i = 0; rows && i < n; i++)
		set_row(&g, &g.groups[i], &rows[i]);
	if (rows && g.others)
		set_row(&g, &g.groups[g.keys.max], &rows[n++]);
	vmt_key_table_done(&g.keys);
	vmt_buf_done(&g.key);
	free(g.groups);
	if (!rows)
		return -ENOMEM;
	*ret = rows;
	*ret_n = n;
	return 0;
}
