/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/mem.h"

#include <errno.h>
#include <stdbool.h>
#include <stdalign.h>

struct vmt_arena_block {
	struct vmt_arena_block *next;
	size_t size; /* of data, in bytes */
	size_t used;
	alignas(max_align_t) unsigned char data[];
};

/* Blocks double from the first to the largest, so that the arena of a process with ten mappings
 * costs a page and that of a whole machine few calls. */
#define BLOCK_FIRST ((size_t)4 * 1024 - sizeof(struct vmt_arena_block))
#define BLOCK_MAX   ((size_t)64 * 1024 - sizeof(struct vmt_arena_block))

void vmt_arena_init(struct vmt_arena *a)
{
	*a = (struct vmt_arena){ 0 };
}

void vmt_arena_done(struct vmt_arena *a)
{
	while (a->head) {
		struct vmt_arena_block *next = a->head->next;

		free(a->head);
		a->head = next;
	}
	a->used = 0;
	a->failed = false;
}

static struct vmt_arena_block *block_new(size_t size)
{
	struct vmt_arena_block *b;

	if (size > SIZE_MAX - sizeof(*b))
		return NULL;
	b = calloc(1, sizeof(*b) + size);
	if (b)
		b->size = size;
	return b;
}

void *vmt_arena_alloc(struct vmt_arena *a, size_t n, size_t size)
{
	const size_t align = alignof(max_align_t);
	struct vmt_arena_block *b = a->head;
	size_t bytes;
	void *ret;

	if (__builtin_mul_overflow(n, size, &bytes) || bytes > SIZE_MAX - align) {
		a->failed = true;
		return NULL;
	}
	bytes = (bytes + align - 1) & ~(align - 1);
	if (bytes == 0)
		bytes = align;
	if (!b || b->size - b->used < bytes) {
		bool big = bytes > BLOCK_MAX / 4;
		size_t room = !b ? BLOCK_FIRST : b->size < BLOCK_MAX / 2 ? b->size * 2 : BLOCK_MAX;

		if (big)
			room = bytes;
		while (room < bytes)
			room = room < BLOCK_MAX / 2 ? room * 2 : BLOCK_MAX;
		b = block_new(room);
		if (!b) {
			a->failed = true;
			return NULL;
		}
		if (big && a->head) {
			/* A big piece goes behind the open block, which keeps its free tail. */
			b->next = a->head->next;
			a->head->next = b;
		} else {
			b->next = a->head;
			a->head = b;
		}
	}
	ret = b->data + b->used;
	b->used += bytes;
	a->used += bytes;
	return ret;
}

char *vmt_arena_copy(struct vmt_arena *a, const void *bytes, size_t len)
{
	char *p;

	if (len == SIZE_MAX) {
		a->failed = true;
		return NULL;
	}
	p = vmt_arena_alloc(a, len + 1, 1);
	if (p && len)
		memcpy(p, bytes, len);
	return p;
}

void vmt_arena_join(struct vmt_arena *a, struct vmt_arena *from)
{
	struct vmt_arena_block *b = from->head;

	if (!b)
		return;
	while (b->next)
		b = b->next;
	if (a->head) {
		b->next = a->head->next;
		a->head->next = from->head;
	} else {
		a->head = from->head;
	}
	a->used += from->used;
	a->failed |= from->failed;
	vmt_arena_init(from);
}

int vmt_grow(void *array, size_t *cap, size_t want, size_t size)
{
	size_t n = *cap ? *cap : 16;
	void *p;

	if (want <= *cap)
		return 0;
	while (n < want) {
		if (n > SIZE_MAX / 2)
			return -ENOMEM;
		n *= 2;
	}
	if (n > SIZE_MAX / size)
		return -ENOMEM;
	memcpy(&p, array, sizeof(p));
	p = reallocarray(p, n, size);
	if (!p)
		return -ENOMEM;
	memset((char *)p + *cap * size, 0, (n - *cap) * size);
	memcpy(array, &p, sizeof(p));
	*cap = n;
	return 0;
}
