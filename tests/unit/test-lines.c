/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "source/lines.h"

/* Joins what it gets with '|', and fails at the line "stop". */
static int join(void *arg, struct vmt_bytes line)
{
	struct vmt_buf *out = arg;

	if (vmt_bytes_is(line, "stop"))
		return -EPROTO;
	vmt_buf_add(out, line.ptr, line.len);
	vmt_buf_addc(out, '|');
	return 0;
}

static int feed(struct vmt_lines *l, const char *text, size_t piece, struct vmt_buf *out)
{
	size_t len = strlen(text), at;
	int r;

	for (at = 0; at < len; at += piece) {
		size_t n = len - at < piece ? len - at : piece;
		/* A piece of its own, so that reading behind its end is seen. */
		char *copy = malloc(n);

		memcpy(copy, text + at, n);
		r = vmt_lines_feed(l, (struct vmt_bytes){ copy, n }, join, out);
		free(copy);
		if (r < 0)
			return r;
	}
	return vmt_lines_finish(l, join, out);
}

static void n07_any_pieces(void **state)
{
	size_t i;

	for (i = 0; i < unit_n_pieces; i++) {
		VMT_AUTO_BUF out = { 0 };
		struct vmt_lines l;

		vmt_lines_init(&l);
		assert_int_equal(feed(&l, "one\n\nthree is longer\nlast", unit_pieces[i], &out), 0);
		assert_buf(&out, "one||three is longer|last|");
		assert_int_equal(l.line, 4);
		vmt_lines_done(&l);
	}
}

static void test_no_line_behind_the_last_newline(void **state)
{
	VMT_AUTO_BUF out = { 0 };
	struct vmt_lines l;

	vmt_lines_init(&l);
	assert_int_equal(feed(&l, "a\nb\n", 3, &out), 0);
	assert_buf(&out, "a|b|");
	vmt_lines_done(&l);
}

static void test_stops_at_an_error(void **state)
{
	size_t i;

	for (i = 0; i < unit_n_pieces; i++) {
		VMT_AUTO_BUF out = { 0 };
		struct vmt_lines l;

		vmt_lines_init(&l);
		assert_int_equal(feed(&l, "a\nstop\nb\n", unit_pieces[i], &out), -EPROTO);
		assert_buf(&out, "a|");
		assert_int_equal(l.line, 2);
		vmt_lines_done(&l);
	}
}

static void test_a_line_without_end(void **state)
{
	VMT_AUTO_BUF out = { 0 };
	struct vmt_lines l;
	char piece[4096];
	size_t fed;
	int r = 0;

	memset(piece, 'x', sizeof(piece));
	vmt_lines_init(&l);
	for (fed = 0; r == 0 && fed < 4 * VMT_LINE_MAX; fed += sizeof(piece))
		r = vmt_lines_feed(&l, (struct vmt_bytes){ piece, sizeof(piece) }, join, &out);
	assert_int_equal(r, -EFBIG);
	assert_true(fed <= VMT_LINE_MAX + 2 * sizeof(piece));
	vmt_lines_done(&l);
}

static int feed_all(void *arg)
{
	VMT_AUTO_BUF out = { 0 };
	struct vmt_lines l;
	int r;

	vmt_lines_init(&l);
	r = vmt_lines_feed(&l, VMT_BYTES("abc"), join, &out);
	if (r == 0)
		r = vmt_lines_feed(&l, VMT_BYTES("def\n"), join, &out);
	vmt_lines_done(&l);
	return r ? r : vmt_buf_error(&out);
}

static void m02_failing_allocations(void **state)
{
	assert_int_equal(unit_alloc_sweep(feed_all, NULL), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(n07_any_pieces),
		cmocka_unit_test(test_no_line_behind_the_last_newline),
		cmocka_unit_test(test_stops_at_an_error),
		cmocka_unit_test(test_a_line_without_end),
		cmocka_unit_test(m02_failing_allocations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
