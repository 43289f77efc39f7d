/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>

#include "source/kpage.h"

#define FRAMES 1000

/* The word of a frame is its number times 7; calls are counted by the reader itself. */
static ssize_t fake(int fd, void *to, size_t n, off_t at)
{
	uint64_t *words = to, first = (uint64_t)at / sizeof(*words);
	size_t i, count = n / sizeof(*words);

	assert_int_equal(fd, 42);
	assert_int_equal(at % (off_t)sizeof(*words), 0);
	if (first >= FRAMES)
		return 0;
	if (count > FRAMES - first)
		count = FRAMES - first;
	for (i = 0; i < count; i++)
		words[i] = (first + i) * 7;
	return (ssize_t)(count * sizeof(*words));
}

static ssize_t refuse(int fd, void *to, size_t n, off_t at)
{
	errno = EPERM;
	return -1;
}

static ssize_t interrupted_once(int fd, void *to, size_t n, off_t at)
{
	if (errno != EINTR) {
		errno = EINTR;
		return -1;
	}
	errno = 0;
	return fake(fd, to, n, at);
}

static void check(struct vmt_kpage *k, const uint64_t *frames, size_t n, uint64_t reads)
{
	uint64_t values[64];
	bool known[64];
	size_t i;

	k->reads = 0;
	assert_int_equal(vmt_kpage_read(k, frames, n, values, known), 0);
	assert_int_equal(k->reads, reads);
	for (i = 0; i < n; i++) {
		bool want = frames[i] != VMT_NO_FRAME && frames[i] < FRAMES;

		assert_int_equal(known[i], want);
		assert_int_equal(values[i], want ? frames[i] * 7 : 0);
	}
}

static void test_frames_in_any_order(void **state)
{
	static const uint64_t row[] = { 10, 11, 12, 13 }, near[] = { 10, 60, 61 };
	static const uint64_t far[] = { 10, 200, 300 }, back[] = { 12, 11, 10 };
	static const uint64_t none[] = { 0, 5, 0, 6, 0 }, same[] = { 9, 9, 9 };
	static const uint64_t edge[] = { 998, 999, 1000, 1001 }, behind[] = { 5000 };
	uint64_t buf[256];
	struct vmt_kpage k = { .fd = 42, .buf = buf, .n_buf = 256, .pread = fake };

	check(&k, row, 4, 1);
	check(&k, near, 3, 1);
	check(&k, far, 3, 3);
	check(&k, back, 3, 3);
	/* PFN 0 is what the kernel gives to who may not know: never a page. */
	check(&k, none, 5, 2);
	check(&k, same, 3, 1);
	check(&k, edge, 4, 1);
	check(&k, behind, 1, 1);
	/* As many as there is room for. */
	k.n_buf = 2;
	check(&k, row, 4, 2);
}

static void test_what_the_file_says(void **state)
{
	static const uint64_t row[] = { 10, 11 }, huge[] = { UINT64_MAX / 8 };
	uint64_t buf[16], values[2];
	bool known[2];
	struct vmt_kpage k = { .fd = 42, .buf = buf, .n_buf = 16, .pread = refuse };

	assert_int_equal(vmt_kpage_read(&k, row, 2, values, known), -EPERM);
	errno = 0;
	k.pread = interrupted_once;
	check(&k, row, 2, 1);
	assert_int_equal(vmt_kpage_read(&k, huge, 1, values, known), -ERANGE);
}

static void test_names(void **state)
{
	VMT_AUTO_BUF out = { 0 };

	vmt_kpage_flags_text(&out, 0);
	assert_buf(&out, "-");
	vmt_buf_clear(&out);
	vmt_kpage_flags_text(&out, 1 | 1 << 4 | VMT_KPF_THP | VMT_KPF_ZERO_PAGE);
	assert_buf(&out, "LOCKED,DIRTY,THP,ZERO_PAGE");
	/* What a newer kernel may have. */
	vmt_buf_clear(&out);
	vmt_kpage_flags_text(&out, UINT64_C(1) << 28 | UINT64_C(1) << 63);
	assert_buf(&out, "bit28,bit63");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames_in_any_order),
		cmocka_unit_test(test_what_the_file_says),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
