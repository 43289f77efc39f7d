/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/map-strips.h"

#include <errno.h>

static const struct {
	char letter;
	const char *name;
} sorts[VMT_MAP_SORTS] = {
	[VMT_MAP_SORT_TEXT] = { 'T', "text" },
	[VMT_MAP_SORT_RODATA] = { 'R', "read-only data" },
	[VMT_MAP_SORT_DATA] = { 'D', "data" },
	[VMT_MAP_SORT_HEAP] = { 'H', "heap" },
	[VMT_MAP_SORT_ANON] = { 'A', "anonymous" },
	[VMT_MAP_SORT_STACK] = { 'S', "stack" },
	[VMT_MAP_SORT_FILE] = { 'F', "file" },
	[VMT_MAP_SORT_SHARED] = { 'M', "shared memory" },
	[VMT_MAP_SORT_HUGE] = { 'U', "huge pages" },
	[VMT_MAP_SORT_JIT] = { 'J', "made code" },
	[VMT_MAP_SORT_GUARD] = { 'G', "no access" },
	[VMT_MAP_SORT_KERNEL] = { 'V', "the kernel's" },
	[VMT_MAP_SORT_DEVICE] = { 'X', "device" },
	[VMT_MAP_SORT_IMAGE] = { 'L', "parts of a file" },
	[VMT_MAP_SORT_VARIOUS] = { '+', "of sorts" },
	[VMT_MAP_SORT_UNKNOWN] = { '?', "unknown" },
};

/* Roles of model/role.c, and kinds, which are named alike where they mean the same. */
static const struct {
	const char *name;
	enum vmt_map_sort sort;
} roles[] = {
	{ "text", VMT_MAP_SORT_TEXT },
	{ "rodata", VMT_MAP_SORT_RODATA },
	{ "data", VMT_MAP_SORT_DATA },
	{ "relro", VMT_MAP_SORT_DATA },
	{ "bss", VMT_MAP_SORT_DATA },
	{ "heap", VMT_MAP_SORT_HEAP },
	{ "anon", VMT_MAP_SORT_ANON },
	{ "stack", VMT_MAP_SORT_STACK },
	{ "thread-stack", VMT_MAP_SORT_STACK },
	{ "shadow-stack", VMT_MAP_SORT_STACK },
	{ "file", VMT_MAP_SORT_FILE },
	{ "shmem", VMT_MAP_SORT_SHARED },
	{ "tmpfs", VMT_MAP_SORT_SHARED },
	{ "memfd", VMT_MAP_SORT_SHARED },
	{ "sysv", VMT_MAP_SORT_SHARED },
	{ "shared-anon", VMT_MAP_SORT_SHARED },
	{ "secretmem", VMT_MAP_SORT_SHARED },
	{ "hugetlb", VMT_MAP_SORT_HUGE },
	{ "jit", VMT_MAP_SORT_JIT },
	{ "guard", VMT_MAP_SORT_GUARD },
	{ "reserved", VMT_MAP_SORT_GUARD },
	{ "vdso", VMT_MAP_SORT_KERNEL },
	{ "vvar", VMT_MAP_SORT_KERNEL },
	{ "vsyscall", VMT_MAP_SORT_KERNEL },
	{ "special", VMT_MAP_SORT_KERNEL },
	{ "device", VMT_MAP_SORT_DEVICE },
};

enum vmt_map_sort vmt_map_sort_of(const struct vmt_map *m)
{
	bool role = VMT_HAS(map, role, m);
	size_t i;

	for (i = 0; (role || VMT_HAS(map, kind, m)) && i < VMT_ARRAY_LEN(roles); i++)
		if (vmt_bytes_is(role ? m->role : m->kind, roles[i].name))
			return roles[i].sort;
	return VMT_MAP_SORT_UNKNOWN;
}

char vmt_map_sort_letter(enum vmt_map_sort sort)
{
	return sorts[sort < VMT_MAP_SORTS ? sort : VMT_MAP_SORT_UNKNOWN].letter;
}

const char *vmt_map_sort_name(enum vmt_map_sort sort)
{
	return sorts[sort < VMT_MAP_SORTS ? sort : VMT_MAP_SORT_UNKNOWN].name;
}

/* With more than that between them, mappings have nothing to do with each other. */
#define NEAR (UINT64_C(1) << 20)
#define FAR  (UINT64_C(1) << 30)

/* What is folded, in this order, each time the small ones first. */
static const struct pass {
	bool same_sort;
	bool same_file;
	uint64_t gap;
} passes[] = {
	{ true, false, NEAR },	     { true, false, UINT64_MAX }, { false, true, FAR },
	{ true, false, UINT64_MAX }, { false, false, FAR },	  { false, false, UINT64_MAX },
};

static bool same_name(const struct vmt_map *a, const struct vmt_map *b)
{
	return VMT_HAS(map, path, a) && VMT_HAS(map, path, b) && a->path.len &&
	       vmt_bytes_equal(a->path, b->path) && a->inode == b->inode;
}

/* The sort of both together. A guard is that of what it guards, which is beside it. */
static enum vmt_map_sort sort_of_both(const struct vmt_map_strip *a, const struct vmt_map_strip *b,
				      bool one_file)
{
	if (a->sort == b->sort || (b->sort == VMT_MAP_SORT_GUARD && !b->gap))
		return a->sort;
	if (a->sort == VMT_MAP_SORT_GUARD && !b->gap)
		return b->sort;
	return one_file ? VMT_MAP_SORT_IMAGE : VMT_MAP_SORT_VARIOUS;
}

static bool goes_with(const struct vmt_map_strip *a, const struct vmt_map_strip *b,
		      const struct pass *p, bool one_file)
{
	enum vmt_map_sort sort = sort_of_both(a, b, one_file);

	if (b->gap > p->gap)
		return false;
	if (p->same_sort && sort != a->sort && sort != b->sort)
		return false;
	return !p->same_file || one_file;
}

static void fold(struct vmt_map_strip *a, const struct vmt_map_strip *b, bool one_file)
{
	a->sort = sort_of_both(a, b, one_file);
	a->n += b->n;
	a->end = b->end;
	a->size += b->size;
	a->largest = a->largest > b->largest ? a->largest : b->largest;
	a->within += b->within + b->gap;
	a->has_resident &= b->has_resident;
	a->has_swapped &= b->has_swapped;
	a->resident += b->resident;
	a->swapped += b->swapped;
	a->one_file = one_file;
}

/* One walk: what is not larger than limit, and goes with what is beside it. How many are left. */
static size_t walk(const struct vmt_map *maps, struct vmt_map_strip *s, size_t n,
		   const struct pass *p, uint64_t limit)
{
	size_t i, kept = 0;

	for (i = 0; i < n; i++) {
		struct vmt_map_strip *a = kept ? &s[kept - 1] : NULL;
		bool one = a && a->one_file && s[i].one_file &&
			   same_name(&maps[a->first], &maps[s[i].first]);

		if (a && a->largest <= limit && s[i].largest <= limit &&
		    goes_with(a, &s[i], p, one)) {
			fold(a, &s[i], one);
			continue;
		}
		s[kept++] = s[i];
	}
	return kept;
}

static void begin(struct vmt_map_strip *s, const struct vmt_map *maps, size_t i)
{
	const struct vmt_map *m = &maps[i];

	*s = (struct vmt_map_strip){
		.first = i,
		.n = 1,
		.sort = vmt_map_sort_of(m),
		.start = m->start,
		.end = m->end,
		.size = m->size_bytes,
		.largest = m->size_bytes,
		.gap = i && m->start > maps[i - 1].end ? m->start - maps[i - 1].end : 0,
		.has_resident = VMT_HAS(map, rss_bytes, m),
		.has_swapped = VMT_HAS(map, swap_bytes, m),
		.one_file = true,
	};
	if (s->has_resident)
		s->resident = m->rss_bytes;
	if (s->has_swapped)
		s->swapped = m->swap_bytes;
}

int vmt_map_strips(const struct vmt_map *maps, size_t n, size_t most, struct vmt_arena *arena,
		   struct vmt_map_strip **ret, size_t *ret_n)
{
	struct vmt_map_strip *s = vmt_arena_alloc(arena, n + 1, sizeof(*s));
	size_t i, k, kept = n;
	unsigned bit;

	if (!s)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		begin(&s[i], maps, i);
	for (k = 0; k < VMT_ARRAY_LEN(passes) && kept > most; k++)
		for (bit = 12; bit < 64 && kept > most; bit++)
			kept = walk(maps, s, kept, &passes[k], UINT64_C(1) << bit);
	*ret = s;
	*ret_n = kept;
	return 0;
}
