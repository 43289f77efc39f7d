/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/cache.h"

#include <errno.h>
#include <linux/magic.h>
#include <sys/stat.h>

#include "model/model.h"

#define SLOTS_LEAST ((size_t)1024)

void vmt_cache_sample_done(struct vmt_cache_sample *c)
{
	free(c->files);
	*c = (struct vmt_cache_sample){ 0 };
}

struct vmt_cached_file *vmt_cache_sample_add(struct vmt_cache_sample *c)
{
	if (vmt_grow(&c->files, &c->cap_files, c->n_files + 1, sizeof(*c->files)) < 0)
		return NULL;
	c->files[c->n_files] = (struct vmt_cached_file){ 0 };
	return &c->files[c->n_files++];
}

struct vmt_bytes vmt_cache_kind(uint64_t magic, unsigned mode)
{
	if (magic == HUGETLBFS_MAGIC)
		return VMT_BYTES("hugetlb");
	if (magic == BDEVFS_MAGIC || S_ISBLK(mode))
		return VMT_BYTES("buffers");
	/* shmem of the kernel's own mounts and devtmpfs, too. */
	if (magic == TMPFS_MAGIC)
		return VMT_BYTES("shmem");
	if (S_ISDIR(mode))
		return VMT_BYTES("directory");
	return S_ISREG(mode) ? VMT_BYTES("file") : VMT_BYTES("other");
}

/* part * 100 in thousandths of whole; false where there is no whole. */
static bool percent_of(uint64_t part, uint64_t whole, uint64_t *ret)
{
	uint64_t v;

	if (whole == 0 || __builtin_mul_overflow(part, 100 * 1000, &v))
		return false;
	*ret = v / whole;
	return true;
}

void vmt_cached_file_derive(struct vmt_cached_file *f, uint64_t page_size)
{
	uint64_t whole, v;

	if (!VMT_HAS(cached_file, cached_bytes, f) || !VMT_HAS(cached_file, size_bytes, f) ||
	    __builtin_add_overflow(f->size_bytes, page_size - 1, &whole))
		return;
	whole -= whole % page_size;
	/* Behind the end of a file there can be pages: it shrank, or its blocks are larger. */
	if (percent_of(f->cached_bytes < whole ? f->cached_bytes : whole, whole, &v))
		VMT_SET(cached_file, cached_percent, f, v);
}

/* Where the pages of a row are counted. */
struct sums {
	uint64_t cached;
	uint64_t buffers;
	uint64_t shared;
	uint64_t hugetlb;
	uint64_t named;
	uint64_t dirty;
	uint64_t writeback;
	uint64_t unknown;
};

static void add(struct sums *s, const struct vmt_cached_file *f, bool again)
{
	s->unknown += !VMT_HAS(cached_file, cached_bytes, f);
	if (again)
		return;
	if (VMT_HAS(cached_file, dirty_bytes, f))
		s->dirty += f->dirty_bytes;
	if (VMT_HAS(cached_file, writeback_bytes, f))
		s->writeback += f->writeback_bytes;
	if (!VMT_HAS(cached_file, cached_bytes, f))
		return;
	if (vmt_bytes_is(f->kind, "buffers")) {
		s->buffers += f->cached_bytes;
	} else if (vmt_bytes_is(f->kind, "hugetlb")) {
		s->hugetlb += f->cached_bytes;
	} else {
		s->cached += f->cached_bytes;
		if (vmt_bytes_is(f->kind, "shmem"))
			s->shared += f->cached_bytes;
		if (VMT_HAS(cached_file, path, f) && f->path.len && f->path.ptr[0] != '[')
			s->named += f->cached_bytes;
	}
}

static void set_shares(struct vmt_cache *c, const struct vmt_system *s)
{
	uint64_t v;

	if (VMT_HAS(system, cached_bytes, s)) {
		VMT_SET(cache, cached_bytes, c, s->cached_bytes);
		if (percent_of(c->listed_cached_bytes, s->cached_bytes, &v))
			VMT_SET(cache, explained_percent, c, v);
	}
	if (VMT_HAS(system, buffers_bytes, s)) {
		VMT_SET(cache, buffers_bytes, c, s->buffers_bytes);
		if (percent_of(c->listed_buffers_bytes, s->buffers_bytes, &v))
			VMT_SET(cache, buffers_percent, c, v);
	}
	if (VMT_HAS(system, shared_bytes, s)) {
		VMT_SET(cache, shared_bytes, c, s->shared_bytes);
		if (percent_of(c->listed_shared_bytes, s->shared_bytes, &v))
			VMT_SET(cache, shared_percent, c, v);
	}
	if (VMT_HAS(system, dirty_bytes, s))
		VMT_SET(cache, dirty_bytes, c, s->dirty_bytes);
	if (VMT_HAS(system, writeback_bytes, s))
		VMT_SET(cache, writeback_bytes, c, s->writeback_bytes);
}

void vmt_model_cache(struct vmt_model *m)
{
	const struct vmt_cache_sample *from = &m->sample->cache;
	struct vmt_cache *c = &m->cache;
	struct sums s = { 0 };
	size_t i;

	if (!from->asked)
		return;
	m->has_cache = true;
	m->cached_files = from->files;
	m->n_cached_files = from->n_files;
	*c = from->walk;
	for (i = 0; i < from->n_files; i++)
		add(&s, &from->files[i], i >= from->n_files - from->n_again);
	VMT_SET(cache, files_total, c, from->n_files);
	VMT_SET(cache, empty_total, c, from->empty);
	VMT_SET(cache, unknown_total, c, s.unknown);
	VMT_SET(cache, skipped_total, c, from->skipped);
	VMT_SET(cache, listed_cached_bytes, c, s.cached);
	VMT_SET(cache, listed_buffers_bytes, c, s.buffers);
	VMT_SET(cache, listed_shared_bytes, c, s.shared);
	VMT_SET(cache, listed_hugetlb_bytes, c, s.hugetlb);
	VMT_SET(cache, listed_dirty_bytes, c, s.dirty);
	VMT_SET(cache, listed_writeback_bytes, c, s.writeback);
	VMT_SET(cache, named_bytes, c, s.named);
	VMT_SET(cache, complete, c, !from->incomplete);
	set_shares(c, &m->sample->system);
}

static size_t place_of(uint64_t a, uint64_t b, size_t cap)
{
	uint64_t h = (a ^ b * UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xff51afd7ed558ccd);

	return (size_t)(h ^ h >> 32) & (cap - 1);
}

static struct vmt_inode_slot *slot_of(const struct vmt_inode_index *x, uint64_t a, uint64_t b)
{
	size_t at = place_of(a, b, x->cap);

	while (x->slots[at].row && (x->slots[at].a != a || x->slots[at].b != b))
		at = (at + 1) & (x->cap - 1);
	return &x->slots[at];
}

void vmt_inode_index_done(struct vmt_inode_index *x)
{
	free(x->slots);
	*x = (struct vmt_inode_index){ 0 };
}

static int make_room(struct vmt_inode_index *x)
{
	struct vmt_inode_index larger = { .n = x->n, .cap = x->cap ? 2 * x->cap : SLOTS_LEAST };
	size_t i;

	if (x->n < x->cap / 4 * 3)
		return 0;
	larger.slots = calloc(larger.cap, sizeof(*larger.slots));
	if (!larger.slots)
		return -ENOMEM;
	for (i = 0; i < x->cap; i++)
		if (x->slots[i].row)
			*slot_of(&larger, x->slots[i].a, x->slots[i].b) = x->slots[i];
	free(x->slots);
	*x = larger;
	return 0;
}

int vmt_inode_index_add(struct vmt_inode_index *x, uint64_t a, uint64_t b, size_t row,
			size_t *ret_row)
{
	struct vmt_inode_slot *s;
	int r = make_room(x);

	if (r < 0)
		return r;
	s = slot_of(x, a, b);
	if (s->row) {
		*ret_row = s->row - 1;
		return 0;
	}
	*s = (struct vmt_inode_slot){ .a = a, .b = b, .row = row + 1 };
	x->n++;
	*ret_row = row;
	return 1;
}

bool vmt_inode_index_find(const struct vmt_inode_index *x, uint64_t a, uint64_t b, size_t *ret_row)
{
	const struct vmt_inode_slot *s;

	if (!x->cap)
		return false;
	s = slot_of(x, a, b);
	if (!s->row)
		return false;
	*ret_row = s->row - 1;
	return true;
}
