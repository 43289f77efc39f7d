/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/map-key.h"

#include <errno.h>

#define SLOTS_MIN ((size_t)256)

void vmt_key_table_init(struct vmt_key_table *t, size_t max, size_t bytes)
{
	*t = (struct vmt_key_table){ .max = max, .bytes_left = bytes };
	vmt_arena_init(&t->arena);
}

void vmt_key_table_done(struct vmt_key_table *t)
{
	vmt_arena_done(&t->arena);
	free(t->keys);
	free(t->slots);
	*t = (struct vmt_key_table){ 0 };
}

/* FNV-1a, mixed once more, as the low bits choose the slot. */
static uint64_t hash_of(struct vmt_bytes key)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	size_t i;

	for (i = 0; i < key.len; i++)
		h = (h ^ (unsigned char)key.ptr[i]) * UINT64_C(0x100000001b3);
	return h ^ h >> 32;
}

/* The slot of a key, or the free one where it belongs. */
static size_t find_slot(const struct vmt_key_table *t, struct vmt_bytes key)
{
	size_t at = hash_of(key) & (t->n_slots - 1);

	while (t->slots[at] && !vmt_bytes_equal(t->keys[t->slots[at] - 1], key))
		at = (at + 1) & (t->n_slots - 1);
	return at;
}

static int grow(struct vmt_key_table *t)
{
	size_t n = t->n_slots ? 4 * t->n_slots : SLOTS_MIN, i;
	uint32_t *slots = calloc(n, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	free(t->slots);
	t->slots = slots;
	t->n_slots = n;
	for (i = 0; i < t->n; i++)
		t->slots[find_slot(t, t->keys[i])] = (uint32_t)i + 1;
	return 0;
}

int64_t vmt_key_table_take(struct vmt_key_table *t, struct vmt_bytes key, bool add)
{
	const char *copy;
	size_t at;

	if (2 * (t->n + 1) >= t->n_slots && grow(t) < 0)
		return -ENOMEM;
	at = find_slot(t, key);
	if (t->slots[at])
		return (int64_t)t->slots[at] - 1;
	if (!add)
		return -ENOENT;
	if (t->n >= t->max || key.len > t->bytes_left)
		return -ENOSPC;
	copy = vmt_arena_copy(&t->arena, key.ptr, key.len);
	if (!copy || vmt_grow(&t->keys, &t->cap, t->n + 1, sizeof(*t->keys)) < 0)
		return -ENOMEM;
	t->bytes_left -= key.len;
	t->keys[t->n] = (struct vmt_bytes){ copy, key.len };
	t->slots[at] = (uint32_t)++t->n;
	return (int64_t)t->n - 1;
}

bool vmt_map_has_file(const struct vmt_map *m)
{
	return VMT_HAS(map, inode, m) &&
	       (m->inode || (VMT_HAS(map, device, m) && !vmt_bytes_is(m->device, "00:00")));
}

bool vmt_map_file_key(const struct vmt_map *m, struct vmt_buf *key)
{
	uint64_t ipc = VMT_HAS(map, ipc_namespace, m) ? m->ipc_namespace : 0;

	if (!vmt_map_has_file(m))
		return false;
	vmt_buf_add(key, &m->inode, sizeof(m->inode));
	vmt_buf_add(key, &ipc, sizeof(ipc));
	vmt_buf_add(key, m->device.ptr, m->device.len);
	return true;
}
