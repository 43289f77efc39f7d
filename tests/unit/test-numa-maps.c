/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>

#include "source/numa-maps.h"

static void test_lines(void **state)
{
	static const struct {
		const char *line;
		const char *policy;
		const char *nodes;
		uint64_t page_size; /* 0: none is said */
		uint64_t unknown;
	} cases[] = {
		{ "7f00 default", "default", "", 0, 0 },
		{ "7f00 default anon=2 dirty=2 N0=1 N3=1 kernelpagesize_kB=4", "default",
		  "N0=1 N3=1", 4096, 0 },
		{ "7f00 bind:0-1,3 heap anon=1 swapcache=1 active=0 writeback=1 N1=1 "
		  "kernelpagesize_kB=64",
		  "bind:0-1,3", "N1=1", 65536, 0 },
		{ "7f00 bind=static:1 stack mapped=3 mapmax=9 N10=3 kernelpagesize_kB=4",
		  "bind=static:1", "N10=3", 4096, 0 },
		{ "7f00 prefer (many):0,2 N2=7 kernelpagesize_kB=4", "prefer (many):0,2", "N2=7",
		  4096, 0 },
		{ "7f00 prefer:1 N1=7 kernelpagesize_kB=4", "prefer:1", "N1=7", 4096, 0 },
		{ "7f00 weighted interleave:0-1", "weighted interleave:0-1", "", 0, 0 },
		{ "7f00 local huge file=/mnt/a\\040b\\075c N0=1 kernelpagesize_kB=2048", "local",
		  "N0=1", 2 << 20, 0 },
		/* A file that is called like a node, and words of tomorrow. */
		{ "7f00 default file=N0=5 N0=1 kernelpagesize_kB=4", "default", "N0=1", 4096, 0 },
		{ "7f00 default future=1 Nx=2 word N0=1", "default", "N0=1", 0, 3 },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		struct vmt_numa_line n;

		assert_int_equal(vmt_numa_line_parse(vmt_bytes_of(cases[i].line), &n), 0);
		assert_int_equal(n.start, 0x7f00);
		assert_bytes(n.policy, cases[i].policy);
		assert_bytes(n.nodes, cases[i].nodes);
		assert_int_equal(n.has_page_size, cases[i].page_size != 0);
		assert_int_equal(n.has_page_size ? n.page_size : 0, cases[i].page_size);
		assert_int_equal(n.unknown, cases[i].unknown);
	}
}

static void test_malformed(void **state)
{
	static const struct {
		const char *line;
		int r;
	} cases[] = {
		{ "", -EINVAL },
		{ "7f00", -EINVAL },
		{ "7f00 ", -EINVAL },
		{ "zzz default", -EINVAL },
		{ "11112222333344445 default", -ERANGE },
		{ "7f00 default N0=", -EINVAL },
		{ "7f00 default N0=x", -EINVAL },
		{ "7f00 default N0=1x", -EINVAL },
		{ "7f00 default N0=1 dirty=1 N1=1", -EINVAL },
		{ "7f00 default N0=18446744073709551616", -EINVAL },
		{ "7f00 default kernelpagesize_kB=x", -EINVAL },
		{ "7f00 default kernelpagesize_kB=4k", -EINVAL },
		{ "7f00 default kernelpagesize_kB=18446744073709551615", -ERANGE },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		struct vmt_numa_line n = { .start = 7 };

		assert_int_equal(vmt_numa_line_parse(vmt_bytes_of(cases[i].line), &n), cases[i].r);
		assert_int_equal(n.start, 7);
	}
}

/* Words that begin as others do, and policies of one word that begin as those of two. */
static void test_words_that_are_like_others(void **state)
{
	struct vmt_numa_line n;

	assert_int_equal(vmt_numa_line_parse(VMT_BYTES("7f00 prefer file anonymous=1 N1 N2x=1 Nx "
						       "kernelpagesize_kB N0=1"),
					     &n),
			 0);
	assert_bytes(n.policy, "prefer");
	assert_bytes(n.nodes, "N0=1");
	assert_int_equal(n.unknown, 6);
	assert_false(n.has_page_size);
	assert_int_equal(vmt_numa_line_parse(VMT_BYTES("7f00 weighted other"), &n), 0);
	assert_bytes(n.policy, "weighted");
	assert_int_equal(n.unknown, 1);
	assert_int_equal(vmt_numa_line_parse(VMT_BYTES("7f00 default interleave"), &n), 0);
	assert_bytes(n.policy, "default");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_words_that_are_like_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
