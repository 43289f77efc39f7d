/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "model/cache.h"
#include "model/cached-group.h"
#include "model/model.h"
#include "saved.h"
#include "source/collect-cache.h"

#define PAGE UINT64_C(4096)

static void row(struct vmt_sample *s, const char *kind, uint64_t cached, const char *path)
{
	struct vmt_cached_file *f = vmt_cache_sample_add(&s->cache);

	assert_non_null(f);
	VMT_SET(cached_file, kind, f, vmt_bytes_of(kind));
	if (cached != UINT64_MAX)
		VMT_SET(cached_file, cached_bytes, f, cached);
	VMT_SET(cached_file, path, f, vmt_bytes_of(path));
}

static void test_sums(void **state)
{
	struct vmt_sample *s = vmt_sample_new();
	struct vmt_model *m = NULL;

	assert_non_null(s);
	s->cache.asked = true;
	s->cache.empty = 7;
	VMT_SET(system, cached_bytes, &s->system, 100 * PAGE);
	VMT_SET(system, shared_bytes, &s->system, 40 * PAGE);
	row(s, "file", 30 * PAGE, "/a");
	row(s, "file", 10 * PAGE, "[ext4 fe:00 inode 5]");
	row(s, "shmem", 20 * PAGE, "/dev/shm/x");
	row(s, "hugetlb", 512 * PAGE, "/huge");
	row(s, "buffers", 3 * PAGE, "[vda]");
	row(s, "file", UINT64_MAX, "/another");
	VMT_SET(cached_file, dirty_bytes, &s->cache.files[0], 2 * PAGE);
	/* The same file once more, by another name. */
	row(s, "file", 30 * PAGE, "/a-again");
	s->cache.n_again = 1;
	assert_int_equal(vmt_model_build(s, NULL, NULL, &m, NULL), 0);
	assert_true(m->has_cache);
	assert_int_equal(m->n_cached_files, 7);
	assert_int_equal(m->cache.files_total, 7);
	assert_int_equal(m->cache.unknown_total, 1);
	assert_int_equal(m->cache.empty_total, 7);
	assert_int_equal(m->cache.listed_cached_bytes, 60 * PAGE);
	assert_int_equal(m->cache.listed_shared_bytes, 20 * PAGE);
	assert_int_equal(m->cache.listed_hugetlb_bytes, 512 * PAGE);
	assert_int_equal(m->cache.listed_buffers_bytes, 3 * PAGE);
	assert_int_equal(m->cache.listed_dirty_bytes, 2 * PAGE);
	assert_int_equal(m->cache.named_bytes, 50 * PAGE);
	assert_int_equal(m->cache.explained_percent, 60000);
	assert_int_equal(m->cache.shared_percent, 50000);
	/* meminfo had none: its share is unknown, and not 0 or all. */
	assert_false(VMT_HAS(cache, buffers_percent, &m->cache));
	assert_false(VMT_HAS(cache, buffers_bytes, &m->cache));
	assert_true(m->cache.complete);
	vmt_model_free(m);
	vmt_sample_free(s);
}

static void percent(uint64_t cached, uint64_t size, bool known, uint64_t want)
{
	struct vmt_cached_file f = { 0 };

	VMT_SET(cached_file, cached_bytes, &f, cached);
	VMT_SET(cached_file, size_bytes, &f, size);
	vmt_cached_file_derive(&f, PAGE);
	assert_int_equal(VMT_HAS(cached_file, cached_percent, &f), known);
	if (known)
		assert_int_equal(f.cached_percent, want);
}

static void test_percent(void **state)
{
	percent(PAGE, 2 * PAGE, true, 50000);
	/* A page of which the file has a byte is whole. */
	percent(PAGE, 1, true, 100000);
	percent(0, 1, true, 0);
	/* Behind the end. */
	percent(3 * PAGE, PAGE, true, 100000);
	/* Of nothing there is no part; and no sum runs over. */
	percent(0, 0, false, 0);
	percent(0, UINT64_MAX, false, 0);
	percent(UINT64_MAX / 2, UINT64_MAX - PAGE, false, 0);
}

static void test_kinds(void **state)
{
	assert_true(vmt_bytes_is(vmt_cache_kind(0x01021994, S_IFREG), "shmem"));
	assert_true(vmt_bytes_is(vmt_cache_kind(0xef53, S_IFREG), "file"));
	assert_true(vmt_bytes_is(vmt_cache_kind(0xef53, S_IFDIR), "directory"));
	assert_true(vmt_bytes_is(vmt_cache_kind(0xef53, S_IFLNK), "other"));
	assert_true(vmt_bytes_is(vmt_cache_kind(0x62646576, S_IFBLK), "buffers"));
	assert_true(vmt_bytes_is(vmt_cache_kind(0x958458f6, S_IFREG), "hugetlb"));
}

static int fill_index(void *arg)
{
	struct vmt_inode_index x = { 0 };
	size_t i, got = 0;
	int r = 0;

	(void)arg;
	assert_false(vmt_inode_index_find(&x, 1, 2, &got));
	for (i = 0; r >= 0 && i < 5000; i++) {
		r = vmt_inode_index_add(&x, i % 3, i * 4096, i, &got);
		assert_true(r < 0 || (r == 1 && got == i));
	}
	for (i = 0; r >= 0 && i < 5000; i++) {
		r = vmt_inode_index_add(&x, i % 3, i * 4096, 77, &got);
		assert_true(r < 0 || (r == 0 && got == i));
		assert_true(vmt_inode_index_find(&x, i % 3, i * 4096, &got) && got == i);
		assert_false(vmt_inode_index_find(&x, i % 3 + 1, i * 4096, &got));
	}
	vmt_inode_index_done(&x);
	return r < 0 ? r : 0;
}

static void test_index(void **state)
{
	assert_int_equal(fill_index(NULL), 0);
	assert_true(unit_piece_sweep(fill_index, NULL) > 3);
}

static const struct vmt_cached_group *group(const struct vmt_cached_group *g, size_t n,
					    const char *name)
{
	size_t i = 0;

	while (i < n && !vmt_bytes_is(g[i].name, name))
		i++;
	if (i == n)
		fail_msg("no group %s", name);
	return &g[i];
}

static void test_groups(void **state)
{
	struct vmt_sample *s = vmt_sample_new();
	const struct vmt_cached_group *g;
	struct vmt_cached_group *rows;
	size_t i, n = 0;

	assert_non_null(s);
	row(s, "file", 30 * PAGE, "/srv/a");
	row(s, "file", 10 * PAGE, "/srv/b");
	row(s, "file", UINT64_MAX, "/srv/c");
	row(s, "file", UINT64_MAX, "/etc/shadow");
	row(s, "file", 1 * PAGE, "/top");
	row(s, "file", 2 * PAGE, "[xfs 08:01]/x/y");
	row(s, "file", 4 * PAGE, "[xfs 08:01 inode 12]");
	row(s, "file", 8 * PAGE, "[xfs 08:01 inode 13]");
	for (i = 0; i < s->cache.n_files; i++) {
		VMT_SET(cached_file, fs_type, &s->cache.files[i], VMT_BYTES("xfs"));
		VMT_SET(cached_file, device, &s->cache.files[i], VMT_BYTES("08:01"));
		VMT_SET(cached_file, size_bytes, &s->cache.files[i], UINT64_MAX / 4);
		if (i != 1)
			VMT_SET(cached_file, dirty_bytes, &s->cache.files[i], PAGE);
	}
	assert_int_equal(vmt_cached_groups(s->cache.files, s->cache.n_files, VMT_CACHED_BY_DIR,
					   &s->arena, &rows, &n),
			 0);
	assert_int_equal(n, 5);
	g = group(rows, n, "/srv");
	assert_int_equal(g->cached_bytes, 40 * PAGE);
	assert_int_equal(g->largest_bytes, 30 * PAGE);
	assert_int_equal(g->files_total, 3);
	assert_int_equal(g->unknown_total, 1);
	assert_false(VMT_HAS(cached_group, dirty_bytes, g));
	g = group(rows, n, "/etc");
	assert_false(VMT_HAS(cached_group, cached_bytes, g));
	assert_true(VMT_HAS(cached_group, dirty_bytes, g));
	assert_int_equal(group(rows, n, "/")->cached_bytes, PAGE);
	assert_int_equal(group(rows, n, "[xfs 08:01]/x")->files_total, 1);
	assert_int_equal(group(rows, n, "[xfs 08:01]")->cached_bytes, 12 * PAGE);
	assert_int_equal(vmt_cached_groups(s->cache.files, s->cache.n_files, VMT_CACHED_BY_FS,
					   &s->arena, &rows, &n),
			 0);
	assert_int_equal(n, 1);
	g = group(rows, n, "xfs 08:01");
	assert_int_equal(g->cached_bytes, 55 * PAGE);
	assert_int_equal(g->files_total, 8);
	/* It does not run over. */
	assert_int_equal(g->size_bytes, UINT64_MAX);
	assert_int_equal(vmt_cached_groups(NULL, 0, VMT_CACHED_BY_FS, &s->arena, &rows, &n), 0);
	assert_int_equal(n, 0);
	vmt_sample_free(s);
}

/* More rows than are asked about at one time. */
#define FILES 1100u

static struct vmt_sample *with_files(struct vmt_collector *c, const char *path)
{
	struct vmt_sample *s = collect(c, CHEAP, 0);
	struct statx st;
	size_t i;

	assert_int_equal(statx(AT_FDCWD, path, 0, STATX_BASIC_STATS, &st), 0);
	for (i = 0; i < FILES; i++) {
		struct vmt_cached_file *f = vmt_cache_sample_add(&s->cache);

		assert_non_null(f);
		VMT_SET(cached_file, path, f, vmt_bytes_of(path));
		VMT_SET(cached_file, inode, f, st.stx_ino);
		VMT_SET(cached_file, device, f, VMT_BYTES("00:00"));
	}
	return s;
}

/* Rows that are not asked about for want of time are counted: an order by what they lack is none.
 */
static void test_rest_of_files(void **state)
{
	struct vmt_collector *c = collector(NULL);
	struct vmt_sample *s = with_files(c, "/proc/self/status");
	size_t rows[FILES], i;

	for (i = 0; i < FILES; i++)
		rows[i] = i;
	vmt_collector_set_deadline(c, 1);
	assert_int_equal(vmt_collect_cache_rest(c, s, rows, FILES), 0);
	assert_int_equal(s->cache.skipped, FILES);
	assert_int_equal(s->sources[VMT_SOURCE_CACHESTAT].skipped, FILES);
	assert_true(s->cache.incomplete);
	vmt_sample_free(s);
	/* Another inode than the row's is no fault, and each is looked at. */
	s = with_files(c, "/proc/self/status");
	vmt_collector_set_deadline(c, 0);
	assert_int_equal(vmt_collect_cache_rest(c, s, rows, FILES), 0);
	assert_int_equal(s->cache.skipped, 0);
	assert_false(s->cache.incomplete);
	for (i = 0; i < FILES; i++)
		assert_false(VMT_HAS(cached_file, dirty_bytes, &s->cache.files[i]));
	vmt_sample_free(s);
	vmt_collector_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rest_of_files), cmocka_unit_test(test_sums),
		cmocka_unit_test(test_percent),	      cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_index),	      cmocka_unit_test(test_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
