/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/map-group.h"

#include <errno.h>

#include "model/map-key.h"

/* Sums of values that have the same name in a mapping and in a group. */
#define SUMS(X)                                                                                    \
	X(rss_bytes)                                                                               \
	X(anonymous_bytes)                                                                         \
	X(file_bytes)                                                                              \
	X(swap_bytes)                                                                              \
	X(pss_bytes)                                                                               \
	X(uss_bytes)                                                                               \
	X(shared_clean_bytes)                                                                      \
	X(shared_dirty_bytes)                                                                      \
	X(private_clean_bytes)                                                                     \
	X(private_dirty_bytes)                                                                     \
	X(dirty_bytes)                                                                             \
	X(anon_huge_pages_bytes)                                                                   \
	X(shared_hugetlb_bytes)                                                                    \
	X(private_hugetlb_bytes)                                                                   \
	X(swap_pss_bytes)                                                                          \
	X(locked_bytes)

enum sum {
#define X(member) SUM_##member,
	SUMS(X)
#undef X
		N_SUMS,
};

struct group {
	uint64_t pid; /* of the mapping that was added last */
	uint64_t known[N_SUMS]; /* mappings of which the value was known */
};

struct vmt_map_groups {
	enum vmt_map_group_by by;
	struct vmt_key_table keys;
	struct vmt_buf key;
	struct vmt_arena arena; /* names */
	size_t names_left; /* bytes */
	/* One for each key; the one behind the last key is of what found no room. */
	struct vmt_map_group *rows;
	size_t cap_rows;
	struct group *groups;
	size_t cap_groups;
	struct vmt_map_group other_row;
	struct group other;
};

struct vmt_map_groups *vmt_map_groups_new(enum vmt_map_group_by by)
{
	struct vmt_map_groups *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->by = by;
	g->names_left = VMT_MAP_GROUP_NAMES_MAX;
	vmt_arena_init(&g->arena);
	vmt_key_table_init(&g->keys, VMT_MAP_GROUPS_MAX, VMT_MAP_GROUP_NAMES_MAX);
	return g;
}

void vmt_map_groups_free(struct vmt_map_groups *g)
{
	if (!g)
		return;
	vmt_key_table_done(&g->keys);
	vmt_arena_done(&g->arena);
	vmt_buf_done(&g->key);
	free(g->rows);
	free(g->groups);
	free(g);
}

/* The key of a mapping, and what its group is called; without a name where none is known. */
static struct vmt_bytes name_of(struct vmt_map_groups *g, const struct vmt_map *m)
{
	struct vmt_bytes name = { 0 };

	vmt_buf_clear(&g->key);
	switch (g->by) {
	case VMT_MAPS_BY_ROLE:
		if (VMT_HAS(map, role, m))
			name = m->role;
		break;
	case VMT_MAPS_BY_KIND:
		if (VMT_HAS(map, kind, m))
			name = m->kind;
		break;
	case VMT_MAPS_BY_FILE:
		if (VMT_HAS(map, path, m))
			name = m->path.len ? m->path : VMT_BYTES("[anon]");
		if (vmt_map_file_key(m, &g->key))
			return name;
		break;
	}
	vmt_buf_add(&g->key, name.ptr, name.len);
	return name;
}

static int begin(struct vmt_map_groups *g, size_t at, const struct vmt_map *m,
		 struct vmt_bytes name)
{
	struct vmt_map_group *row;
	const char *copy;
	char *device = NULL;

	if (vmt_grow(&g->rows, &g->cap_rows, at + 1, sizeof(*g->rows)) < 0 ||
	    vmt_grow(&g->groups, &g->cap_groups, at + 1, sizeof(*g->groups)) < 0)
		return -ENOMEM;
	row = &g->rows[at];
	*row = (struct vmt_map_group){ 0 };
	g->groups[at] = (struct group){ 0 };
	if (name.ptr) {
		copy = vmt_arena_copy(&g->arena, name.ptr, name.len);
		if (!copy)
			return -ENOMEM;
		g->names_left -= name.len;
		VMT_SET(map_group, name, row, ((struct vmt_bytes){ copy, name.len }));
	}
	if (g->by != VMT_MAPS_BY_FILE || !vmt_map_has_file(m))
		return 0;
	device = vmt_arena_copy(&g->arena, m->device.ptr, m->device.len);
	if (!device)
		return -ENOMEM;
	VMT_SET(map_group, device, row, ((struct vmt_bytes){ device, m->device.len }));
	VMT_SET(map_group, inode, row, m->inode);
	if (VMT_HAS(map, ipc_namespace, m))
		VMT_SET(map_group, ipc_namespace, row, m->ipc_namespace);
	return 0;
}

/* A sum that would overflow, of sizes that no kernel shows, is unknown for good. */
static void add_to(uint64_t *sum, uint64_t v, uint64_t *known)
{
	if (!__builtin_add_overflow(*sum, v, sum))
		++*known;
}

static void add_residency(struct vmt_map_group *row, struct group *group, const struct vmt_map *m)
{
#define X(member)                                                                                  \
	if (VMT_HAS(map, member, m))                                                               \
		add_to(&row->member, m->member, &group->known[SUM_##member]);
	SUMS(X)
#undef X
	if (m->perms.len == 4 && m->perms.ptr[3] == 's')
		row->shared_map_bytes += m->rss_bytes;
	else
		row->private_map_bytes += m->rss_bytes;
}

static void add_map(struct vmt_map_group *row, struct group *group, uint64_t pid,
		    const struct vmt_map *m)
{
	uint64_t size;

	if (row->maps_total == 0 || group->pid != pid)
		row->processes_total++;
	group->pid = pid;
	row->maps_total++;
	if (!__builtin_add_overflow(row->size_bytes, m->size_bytes, &size))
		row->size_bytes = size;
	if (VMT_HAS(map, deleted, m))
		VMT_SET(map_group, deleted, row, m->deleted);
	if (VMT_HAS(map, rss_bytes, m))
		add_residency(row, group, m);
	else
		row->unknown_total++;
}

int vmt_map_groups_add(struct vmt_map_groups *g, uint64_t pid, const struct vmt_map *maps, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		struct vmt_bytes name = name_of(g, &maps[i]);
		size_t before = g->keys.n;
		int64_t at;

		if (vmt_buf_error(&g->key) < 0)
			return -ENOMEM;
		/* A name can be longer than its key. */
		at = vmt_key_table_take(&g->keys, (struct vmt_bytes){ g->key.data, g->key.len },
					name.len <= g->names_left);
		if (at == -ENOMEM)
			return -ENOMEM;
		if (at < 0) {
			add_map(&g->other_row, &g->other, pid, &maps[i]);
			continue;
		}
		if (g->keys.n > before && begin(g, (size_t)at, &maps[i], name) < 0)
			return -ENOMEM;
		add_map(&g->rows[at], &g->groups[at], pid, &maps[i]);
	}
	return 0;
}

/* What is known of all mappings that have a residency is valid; a group of none has none. */
static void end(const struct vmt_map_groups *g, struct vmt_map_group *row,
		const struct group *group)
{
	uint64_t known = row->maps_total - row->unknown_total;

	VMT_SET(map_group, processes_total, row, row->processes_total);
	VMT_SET(map_group, maps_total, row, row->maps_total);
	VMT_SET(map_group, unknown_total, row, row->unknown_total);
	VMT_SET(map_group, size_bytes, row, row->size_bytes);
	VMT_SET(map_group, dropped_total, row, row == &g->rows[g->keys.n] ? row->maps_total : 0);
	if (known == 0)
		return;
#define X(member)                                                                                  \
	if (group->known[SUM_##member] == known)                                                   \
		VMT_SET(map_group, member, row, row->member);
	SUMS(X)
#undef X
	if (group->known[SUM_rss_bytes] != known)
		return;
	VMT_SET(map_group, private_map_bytes, row, row->private_map_bytes);
	VMT_SET(map_group, shared_map_bytes, row, row->shared_map_bytes);
}

const struct vmt_map_group *vmt_map_groups_rows(struct vmt_map_groups *g, size_t *ret_n)
{
	size_t n = g->keys.n, i;

	*ret_n = 0;
	if (vmt_grow(&g->rows, &g->cap_rows, n + 1, sizeof(*g->rows)) < 0)
		return NULL;
	g->rows[n] = g->other_row;
	for (i = 0; i < n; i++)
		end(g, &g->rows[i], &g->groups[i]);
	if (g->other_row.maps_total)
		end(g, &g->rows[n++], &g->other);
	*ret_n = n;
	return g->rows;
}
