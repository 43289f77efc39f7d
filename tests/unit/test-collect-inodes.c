/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What becomes of the records of a walk over inodes, with a walk of our own in the place of the
 * kernel's (source/probe-inodes.c): it needs no rights, and has what no machine has.
 */

#include "unit.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "model/model.h"
#include "source/collect-inodes.h"
#include "source/probe-inodes.h"

#define PAGE UINT64_C(4096)

/* Superblocks of the walk, of devices that nothing is mounted from. */
enum { EXT4 = 0x1000, TMPFS = 0x2000, OVERLAY = 0x3000 };

static const struct vmt_inode_super supers[] = {
	{ EXT4, EXT4_SUPER_MAGIC, 0xffeULL << 20 | 1, "ext4", "sdz" },
	{ TMPFS, TMPFS_MAGIC, 0xffeULL << 20 | 2, "tmpfs", "tmpfs" },
	{ OVERLAY, OVERLAYFS_SUPER_MAGIC, 0xffeULL << 20 | 3, "overlay", "overlay" },
};

/* What the walk puts out; those of a test. */
struct vmt_inodes {
	bool live;
};

static const struct vmt_inode_record *records;
static size_t n_records;
static struct vmt_inodes_stats walk_stats;

int vmt_inodes_open(const struct vmt_inodes_opts *opts, struct vmt_inodes **ret,
		    struct vmt_err *err)
{
	*ret = calloc(1, sizeof(**ret));
	if (!*ret)
		return vmt_err_set(err, -ENOMEM, NULL, 0, "out of memory");
	(*ret)->live = opts->live;
	return 0;
}

void vmt_inodes_free(struct vmt_inodes *x)
{
	free(x);
}

bool vmt_inodes_has_mappings(const struct vmt_inodes *x)
{
	return x != NULL;
}

bool vmt_inodes_has_files(const struct vmt_inodes *x)
{
	return x != NULL;
}

int vmt_inodes_live_start(struct vmt_inodes *x, struct vmt_err *err)
{
	(void)err;
	return x->live ? 0 : -EINVAL;
}

void vmt_inodes_live_stop(struct vmt_inodes *x)
{
	(void)x;
}

int vmt_inodes_count_users(struct vmt_inodes *x, struct vmt_pool *pool, uint64_t deadline_ns,
			   struct vmt_err *err)
{
	(void)x;
	(void)pool;
	(void)deadline_ns;
	(void)err;
	return 0;
}

int vmt_inodes_all(struct vmt_inodes *x, uint64_t deadline_ns, vmt_inodes_fn *fn, void *arg,
		   struct vmt_err *err)
{
	size_t i;
	int r = 0;

	(void)x;
	(void)deadline_ns;
	(void)err;
	for (i = 0; r == 0 && i < n_records; i++)
		r = fn(&records[i], arg);
	return r;
}

int vmt_inodes_used(struct vmt_inodes *x, uint64_t deadline_ns, vmt_inodes_fn *fn, void *arg,
		    struct vmt_err *err)
{
	return vmt_inodes_all(x, deadline_ns, fn, arg, err);
}

const struct vmt_inode_super *vmt_inodes_super(const struct vmt_inodes *x, uint64_t address)
{
	size_t i;

	(void)x;
	for (i = 0; i < VMT_ARRAY_LEN(supers); i++)
		if (supers[i].address == address)
			return &supers[i];
	return NULL;
}

void vmt_inodes_stats(const struct vmt_inodes *x, struct vmt_inodes_stats *ret)
{
	(void)x;
	*ret = walk_stats;
}

static struct vmt_inode_record dir(uint64_t address, uint64_t parent, const char *name)
{
	struct vmt_inode_record r = { .f = { .what = VMT_INODE_DIR,
					     .address = address,
					     .parent = parent,
					     .super = EXT4,
					     .root = parent == address,
					     .hashed = 1,
					     .name_len = (uint32_t)strlen(name) } };

	snprintf(r.name, sizeof(r.name), "%s", name);
	return r;
}

static struct vmt_inode_record file(uint64_t super, uint64_t ino, uint64_t parent, const char *name)
{
	struct vmt_inode_record r = { .f = { .what = VMT_INODE_FILE,
					     .address = 0x100000 + ino * 8,
					     .parent = parent,
					     .super = super,
					     .ino = ino,
					     .size = 10 * PAGE,
					     .pages = 4,
					     .added = 3,
					     .deleted = 1,
					     .mode = S_IFREG | 0644,
					     .nlink = 1,
					     .hashed = 1,
					     .name_len = (uint32_t)strlen(name) } };

	snprintf(r.name, sizeof(r.name), "%s", name);
	return r;
}

struct walked {
	struct vmt_collector *c;
	struct vmt_sample *s;
};

static int walk(struct walked *w, const struct vmt_inode_record *r, size_t n,
		const struct vmt_inode_opts *opts)
{
	const struct vmt_collect_opts how = { 0 };
	int ret;

	records = r;
	n_records = n;
	*w = (struct walked){ 0 };
	ret = vmt_collector_new(&how, &w->c, NULL);
	if (ret == 0)
		ret = vmt_collect(w->c, 0, NULL, 0, &w->s, NULL);
	return ret ? ret : vmt_collect_inodes(w->c, w->s, opts);
}

static void done(struct walked *w)
{
	vmt_sample_free(w->s);
	vmt_collector_free(w->c);
}

static const struct vmt_cached_file *find(const struct walked *w, uint64_t inode)
{
	static const struct vmt_cached_file none;
	size_t i;

	for (i = 0; i < w->s->cache.n_files; i++)
		if (w->s->cache.files[i].inode == inode)
			return &w->s->cache.files[i];
	fail_msg("no row of %u", (unsigned)inode);
	return &none;
}

static void rows_and_names(void **state)
{
	const struct vmt_inode_opts opts = { .all = true, .live_ns = 1 };
	struct vmt_inode_record r[] = {
		dir(1, 1, ""),
		dir(2, 1, "a"),
		dir(3, 2, "b"),
		/* Two that name each other, and one of which the next is not there. */
		dir(4, 5, "x"),
		dir(5, 4, "y"),
		dir(6, 99, "z"),
		file(EXT4, 10, 3, "f"),
		file(EXT4, 11, 4, "f"),
		file(EXT4, 12, 6, "f"),
		file(EXT4, 13, 0, ""),
		file(TMPFS, 14, 1, "shm"),
		file(OVERLAY, 15, 1, "o"),
		file(EXT4, 16, 1, "gone"),
		file(0x7777, 17, 0, ""),
		/* The walk began anew: met before. */
		file(EXT4, 10, 3, "f"),
	};
	struct walked w;

	r[12].f.hashed = 0;
	assert_int_equal(walk(&w, r, VMT_ARRAY_LEN(r), &opts), 0);
	assert_int_equal(w.s->cache.n_files, 8);
	assert_text(cached_file, path, find(&w, 10), "[ext4 ffe:01]/a/b/f");
	assert_text(cached_file, path, find(&w, 11), "[ext4 ffe:01 inode 11]");
	assert_text(cached_file, path, find(&w, 12), "[ext4 ffe:01 inode 12]");
	assert_text(cached_file, path, find(&w, 13), "[ext4 ffe:01 inode 13]");
	assert_text(cached_file, path, find(&w, 16), "[ext4 ffe:01]/gone (deleted)");
	assert_field(cached_file, cached_bytes, find(&w, 10), 4 * PAGE);
	assert_field(cached_file, cached_percent, find(&w, 10), 40000);
	assert_text(cached_file, kind, find(&w, 14), "shmem");
	/* What the tracepoints do not see, and pages that are those of another inode. */
	assert_unknown(cached_file, added_bytes_per_second, find(&w, 14));
	assert_unknown(cached_file, deleted_bytes_per_second, find(&w, 14));
	assert_true(VMT_HAS(cached_file, added_bytes_per_second, find(&w, 10)));
	assert_unknown(cached_file, cached_bytes, find(&w, 15));
	assert_unknown(cached_file, fs_type, find(&w, 17));
	assert_int_equal(w.s->sources[VMT_SOURCE_INODES].reason[0], 0);
	assert_false(w.s->cache.incomplete);
	done(&w);
}

static void no_more_rows_than_there_is_room_for(void **state)
{
	const struct vmt_inode_opts opts = { .all = true, .most = 5 };
	struct vmt_inode_record r[40];
	struct walked w;
	size_t i;

	r[0] = dir(1, 1, "");
	for (i = 1; i < 10; i++)
		r[i] = dir(i + 1, 1, "d");
	for (; i < VMT_ARRAY_LEN(r); i++)
		r[i] = file(EXT4, i, i - 8, "f");
	assert_int_equal(walk(&w, r, VMT_ARRAY_LEN(r), &opts), 0);
	assert_int_equal(w.s->cache.n_files, 5);
	assert_true(w.s->cache.incomplete);
	assert_int_equal(w.s->sources[VMT_SOURCE_INODES].state, VMT_STATE_PARTIAL);
	assert_string_equal(w.s->sources[VMT_SOURCE_INODES].reason,
			    "25 inodes are more than there is room for");
	/* Five directories as well: what is in the others is named by its inode. */
	assert_text(cached_file, path, find(&w, 12), "[ext4 ffe:01]/d/f");
	assert_text(cached_file, path, find(&w, 14), "[ext4 ffe:01 inode 14]");
	done(&w);
}

static void a_walk_that_did_not_end(void **state)
{
	const struct vmt_inode_opts opts = { .all = true };
	const struct vmt_inode_record r = file(EXT4, 10, 0, "");
	struct walked w;

	walk_stats = (struct vmt_inodes_stats){ .cut = 2, .seen = 7 };
	assert_int_equal(walk(&w, &r, 1, &opts), 0);
	walk_stats = (struct vmt_inodes_stats){ 0 };
	assert_true(w.s->cache.incomplete);
	assert_int_equal(w.s->sources[VMT_SOURCE_INODES].state, VMT_STATE_PARTIAL);
	assert_field(cache, inodes_total, &w.s->cache.walk, 7);
	assert_int_equal(w.s->cache.n_files, 1);
	done(&w);
}

static int sweep(void *arg)
{
	const struct vmt_inode_opts opts = { .all = true };
	const struct vmt_inode_record r[] = { dir(1, 1, ""), dir(2, 1, "a"), file(EXT4, 10, 2, "f"),
					      file(TMPFS, 11, 0, "") };
	struct walked w;
	int ret = walk(&w, r, VMT_ARRAY_LEN(r), &opts);

	(void)arg;
	done(&w);
	return ret;
}

static void failing_allocations(void **state)
{
	assert_true(unit_alloc_sweep(sweep, NULL) > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_and_names),
		cmocka_unit_test(no_more_rows_than_there_is_room_for),
		cmocka_unit_test(a_walk_that_did_not_end),
		cmocka_unit_test(failing_allocations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
