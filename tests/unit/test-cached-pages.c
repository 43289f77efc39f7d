/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "source/cached-pages.h"

#define PAGES 40u

struct setup {
	uint64_t page_size;
	struct vmt_mapped_file file;
	unsigned char vec[16]; /* less than the file has */
};

/* Memory of which pages 3 to 8 and the last, of which it has a byte, were written. */
static int begin(void **state)
{
	struct setup *s = calloc(1, sizeof(*s));
	unsigned i;

	assert_non_null(s);
	s->page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	s->file.type = S_IFREG;
	s->file.fd = memfd_create("cached-pages", MFD_CLOEXEC);
	assert_true(s->file.fd >= 0);
	for (i = 3; i <= 8; i++)
		assert_int_equal(pwrite(s->file.fd, "x", 1, (off_t)(i * s->page_size)), 1);
	assert_int_equal(pwrite(s->file.fd, "x", 1, (off_t)((PAGES - 1) * s->page_size)), 1);
	*state = s;
	return 0;
}

static int end(void **state)
{
	struct setup *s = *state;

	close(s->file.fd);
	free(s);
	return 0;
}

static void count(struct setup *s, bool no_stat)
{
	VMT_CLEANUP(vmt_cached_pages_done) struct vmt_cached_pages c = { .fd = -1 };
	static const struct {
		uint64_t first, n, cached;
	} cases[] = { { 0, 3, 0 },  { 0, PAGES, 7 },	 { 3, 6, 6 }, { 8, 2, 1 },   { 9, 30, 0 },
		      { 9, 31, 1 }, { PAGES - 1, 1, 1 }, { 2, 2, 1 }, { 30, 10, 1 }, { 0, 1, 0 } };
	size_t i;
	int r;

	r = vmt_cached_pages_open(&c, &s->file, s->page_size, s->vec, sizeof(s->vec), no_stat);
	assert_int_equal(r, 0);
	assert_int_equal(c.pages, PAGES);
	assert_true(!no_stat || c.by_map);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t cached = 99, evicted = 99;

		r = vmt_cached_pages_count(&c, cases[i].first, cases[i].n, &cached, &evicted);
		assert_int_equal(r, 0);
		assert_int_equal(cached, cases[i].cached);
		assert_true(evicted == (c.by_map ? UINT64_MAX : 0));
	}
}

static void the_kernel_counts(void **state)
{
	count(*state, false);
}

static void mincore_says_the_same(void **state)
{
	count(*state, true);
}

static bool go_on(void *arg)
{
	++*(unsigned *)arg;
	return true;
}

/* One that is nearly all holes is not looked through for minutes. */
static void holes_have_an_end(void **state)
{
	struct setup *s = *state;
	unsigned char *vec = malloc(VMT_CACHED_VEC);
	struct vmt_cache_counts counts = { 0 };
	unsigned n = 0;

	assert_non_null(vec);
	assert_int_equal(
		vmt_cached_pages_all(s->file.fd, s->page_size, true, vec, go_on, &n, &counts), 0);
	assert_int_equal(counts.cached, 7);
	assert_int_equal(n, 1);
	assert_int_equal(ftruncate(s->file.fd, INT64_C(1) << 42), 0);
	assert_int_equal(
		vmt_cached_pages_all(s->file.fd, s->page_size, true, vec, go_on, &n, &counts),
		-EFBIG);
	assert_int_equal(n, 1);
	free(vec);
}

static void only_regular_files_are_opened(void **state)
{
	struct setup *s = *state;
	VMT_CLEANUP(vmt_cached_pages_done) struct vmt_cached_pages c = { .fd = -1 };

	s->file.type = S_IFIFO;
	assert_int_equal(
		vmt_cached_pages_open(&c, &s->file, s->page_size, s->vec, sizeof(s->vec), false),
		-EINVAL);
	assert_int_equal(c.fd, -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_kernel_counts),
		TEST(mincore_says_the_same),
		TEST(holes_have_an_end),
		TEST(only_regular_files_are_opened),
	};

	return cmocka_run_group_tests_name("cached-pages", tests, NULL, NULL);
}
