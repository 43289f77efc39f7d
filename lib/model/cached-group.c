/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/cached-group.h"

#include <errno.h>

#include "base/buf.h"

struct key {
	struct vmt_bytes name;
	struct vmt_bytes device; /* empty but for file systems */
	const struct vmt_cached_file *file;
};

struct vmt_bytes vmt_cached_dir(struct vmt_bytes path)
{
	size_t n = path.len;

	while (n && path.ptr[n - 1] != '/')
		n--;
	if (n == 0)
		return path;
	/* The root keeps its slash. */
	return (struct vmt_bytes){ path.ptr, n == 1 ? 1 : n - 1 };
}

static struct key key_of(const struct vmt_cached_file *f, enum vmt_cached_group_by by)
{
	struct key k = { .file = f };

	if (by == VMT_CACHED_BY_DIR && VMT_HAS(cached_file, path, f)) {
		k.name = vmt_cached_dir(f->path);
		/* Of files without a name it is the file system that they have in common. */
		if (!f->path.len || f->path.ptr[0] != '[' || memchr(f->path.ptr, '/', f->path.len))
			return k;
	}
	k.name = VMT_HAS(cached_file, fs_type, f) ? f->fs_type : VMT_BYTES("unknown");
	if (VMT_HAS(cached_file, device, f))
		k.device = f->device;
	return k;
}

static int compare(const void *a, const void *b)
{
	const struct key *x = a, *y = b;
	int r = vmt_bytes_compare(x->name, y->name);

	return r ? r : vmt_bytes_compare(x->device, y->device);
}

/* "ext4 fe:00"; in [ ] where other groups are directories. */
static int set_name(struct vmt_cached_group *g, const struct key *k, enum vmt_cached_group_by by,
		    struct vmt_arena *arena)
{
	VMT_AUTO_BUF text = { 0 };
	const char *p;

	if (!k->device.len) {
		VMT_SET(cached_group, name, g, k->name);
		return 0;
	}
	vmt_buf_adds(&text, by == VMT_CACHED_BY_DIR ? "[" : "");
	vmt_buf_add(&text, k->name.ptr, k->name.len);
	vmt_buf_addc(&text, ' ');
	vmt_buf_add(&text, k->device.ptr, k->device.len);
	vmt_buf_adds(&text, by == VMT_CACHED_BY_DIR ? "]" : "");
	p = vmt_buf_error(&text) ? NULL : vmt_arena_copy(arena, text.data, text.len);
	if (!p)
		return -ENOMEM;
	VMT_SET(cached_group, name, g, ((struct vmt_bytes){ p, text.len }));
	return 0;
}

/* A sum of which one term is not known is not known. */
#define ADD(member)                                                                                \
	do {                                                                                       \
		if (!VMT_HAS(cached_file, member, f))                                              \
			VMT_UNSET(cached_group, member, g);                                        \
		else if (VMT_HAS(cached_group, member, g))                                         \
			g->member += f->member;                                                    \
	} while (0)

static void add(struct vmt_cached_group *g, const struct vmt_cached_file *f)
{
	g->files_total++;
	if (VMT_HAS(cached_file, cached_bytes, f)) {
		g->cached_bytes += f->cached_bytes;
		if (f->cached_bytes > g->largest_bytes)
			g->largest_bytes = f->cached_bytes;
	} else {
		g->unknown_total++;
	}
	if (VMT_HAS(cached_file, size_bytes, f) &&
	    __builtin_add_overflow(g->size_bytes, f->size_bytes, &g->size_bytes))
		g->size_bytes = UINT64_MAX;
	ADD(dirty_bytes);
	ADD(writeback_bytes);
	ADD(evicted_bytes);
	ADD(recently_evicted_bytes);
}

static void begin(struct vmt_cached_group *g)
{
	VMT_SET(cached_group, cached_bytes, g, 0);
	VMT_SET(cached_group, files_total, g, 0);
	VMT_SET(cached_group, unknown_total, g, 0);
	VMT_SET(cached_group, size_bytes, g, 0);
	VMT_SET(cached_group, dirty_bytes, g, 0);
	VMT_SET(cached_group, writeback_bytes, g, 0);
	VMT_SET(cached_group, evicted_bytes, g, 0);
	VMT_SET(cached_group, recently_evicted_bytes, g, 0);
	VMT_SET(cached_group, largest_bytes, g, 0);
}

/* Of files of which nothing is known, that is not 0. */
static void finish(struct vmt_cached_group *g)
{
	if (g->unknown_total < g->files_total)
		return;
	VMT_UNSET(cached_group, cached_bytes, g);
	VMT_UNSET(cached_group, largest_bytes, g);
}

int vmt_cached_groups(const struct vmt_cached_file *files, size_t n, enum vmt_cached_group_by by,
		      struct vmt_arena *arena, struct vmt_cached_group **ret, size_t *ret_n)
{
	VMT_AUTO_FREE struct key *keys = calloc(n ? n : 1, sizeof(*keys));
	struct vmt_cached_group *groups, *g = NULL;
	size_t i, n_groups = 0;

	if (!keys)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		keys[i] = key_of(&files[i], by);
	qsort(keys, n, sizeof(*keys), compare);
	for (i = 0; i < n; i++)
		n_groups += i == 0 || compare(&keys[i], &keys[i - 1]) != 0;
	groups = vmt_arena_alloc(arena, n_groups ? n_groups : 1, sizeof(*groups));
	if (!groups)
		return -ENOMEM;
	n_groups = 0;
	for (i = 0; i < n; i++) {
		if (!g || compare(&keys[i], &keys[i - 1]) != 0) {
			if (g)
				finish(g);
			g = &groups[n_groups++];
			begin(g);
			if (set_name(g, &keys[i], by, arena) < 0)
				return -ENOMEM;
		}
		add(g, keys[i].file);
	}
	if (g)
		finish(g);
	*ret = groups;
	*ret_n = n_groups;
	return 0;
}
