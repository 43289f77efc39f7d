/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/file-cache.h"

#include <pthread.h>

/* A power of 2, so that there is always a free slot to end a search. */
#define SLOTS ((size_t)2 * VMT_FILES_KEPT)

struct entry {
	uint64_t hash;
	uint64_t inode;
	struct vmt_bytes device;
	struct vmt_bytes path;
	const struct vmt_file_facts *facts; /* NULL: the slot is free */
};

struct vmt_file_cache {
	pthread_mutex_t lock;
	struct vmt_arena arena; /* names and facts */
	size_t n;
	struct entry slots[SLOTS];
};

struct vmt_file_cache *vmt_file_cache_new(void)
{
	struct vmt_file_cache *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	pthread_mutex_init(&c->lock, NULL);
	vmt_arena_init(&c->arena);
	return c;
}

void vmt_file_cache_free(struct vmt_file_cache *c)
{
	if (!c)
		return;
	vmt_arena_done(&c->arena);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

/* FNV-1a. The kernel chooses inodes and a user names, so that some can be made to collide; the
 * table is small enough for that to cost little. */
static uint64_t hash_of(const struct vmt_map *m)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ m->inode;
	size_t i;

	for (i = 0; i < m->device.len; i++)
		h = (h ^ (unsigned char)m->device.ptr[i]) * UINT64_C(0x100000001b3);
	for (i = 0; i < m->path.len; i++)
		h = (h ^ (unsigned char)m->path.ptr[i]) * UINT64_C(0x100000001b3);
	return h;
}

static const struct vmt_file_facts *find(const struct vmt_file_cache *c, const struct vmt_map *m,
					 uint64_t hash, bool headers)
{
	size_t at;

	for (at = hash % SLOTS; c->slots[at].facts; at = (at + 1) % SLOTS) {
		const struct entry *e = &c->slots[at];

		if (e->hash == hash && e->inode == m->inode &&
		    vmt_bytes_equal(e->device, m->device) && vmt_bytes_equal(e->path, m->path) &&
		    (e->facts->headers || !headers))
			return e->facts;
	}
	return NULL;
}

const struct vmt_file_facts *vmt_file_cache_find(struct vmt_file_cache *c, const struct vmt_map *m,
						 bool headers)
{
	const struct vmt_file_facts *facts;
	uint64_t hash = hash_of(m);

	pthread_mutex_lock(&c->lock);
	facts = find(c, m, hash, headers);
	pthread_mutex_unlock(&c->lock);
	return facts;
}

static const struct vmt_file_facts *copy(struct vmt_arena *arena, const struct vmt_file_facts *from,
					 const struct vmt_elf_facts *elf)
{
	size_t n = elf ? elf->n_loads : 0;
	struct vmt_file_facts *f = vmt_arena_alloc(arena, 1, sizeof(*f) + n * sizeof(f->load[0]));

	if (!f)
		return NULL;
	*f = *from;
	if (!elf)
		return f;
	memcpy(f->load, elf->load, n * sizeof(f->load[0]));
	f->elf_class = elf->class;
	f->build_id_len = elf->build_id_len;
	memcpy(f->build_id, elf->build_id, sizeof(f->build_id));
	f->role.segments = (struct vmt_segments){
		.load = f->load, .n = (unsigned)n, .has_relro = elf->has_relro, .relro = elf->relro
	};
	return f;
}

static const struct vmt_file_facts *add(struct vmt_file_cache *c, const struct vmt_map *m,
					uint64_t hash, const struct vmt_file_facts *facts,
					const struct vmt_elf_facts *elf)
{
	const char *device = vmt_arena_copy(&c->arena, m->device.ptr, m->device.len);
	const char *path = vmt_arena_copy(&c->arena, m->path.ptr, m->path.len);
	const struct vmt_file_facts *f = copy(&c->arena, facts, elf);
	size_t at = hash % SLOTS;

	if (!device || !path || !f)
		return NULL;
	while (c->slots[at].facts)
		at = (at + 1) % SLOTS;
	c->slots[at] = (struct entry){ .hash = hash,
				       .inode = m->inode,
				       .device = { device, m->device.len },
				       .path = { path, m->path.len },
				       .facts = f };
	c->n++;
	return f;
}

const struct vmt_file_facts *vmt_file_cache_add(struct vmt_file_cache *c, const struct vmt_map *m,
						const struct vmt_file_facts *facts,
						const struct vmt_elf_facts *elf,
						struct vmt_arena *arena)
{
	const struct vmt_file_facts *ret;
	uint64_t hash = hash_of(m);

	pthread_mutex_lock(&c->lock);
	/* Another thread may have looked at the same file. */
	ret = find(c, m, hash, facts->headers);
	if (!ret && c->n < VMT_FILES_KEPT)
		ret = add(c, m, hash, facts, elf);
	else if (!ret)
		ret = copy(arena, facts, elf);
	pthread_mutex_unlock(&c->lock);
	return ret;
}
