/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "source/exact-path.h"

static void b06_which_paths_stand_for_two(void **state)
{
	assert_true(vmt_path_is_ambiguous(VMT_BYTES("/a\\012b")));
	assert_true(vmt_path_is_ambiguous(VMT_BYTES("/\\0\\012")));
	assert_false(vmt_path_is_ambiguous(VMT_BYTES("")));
	assert_false(vmt_path_is_ambiguous(VMT_BYTES("/a\\01")));
	assert_false(vmt_path_is_ambiguous(VMT_BYTES("/a012")));
	assert_false(vmt_path_is_ambiguous(VMT_BYTES("/a\\")));
}

static void b06_what_maps_writes(void **state)
{
	static const struct {
		struct vmt_bytes exact;
		struct vmt_bytes written;
		bool is;
	} cases[] = {
		{ VMT_BYTES("/a\nb"), VMT_BYTES("/a\\012b"), true },
		{ VMT_BYTES("/a\\012b"), VMT_BYTES("/a\\012b"), true },
		{ VMT_BYTES("\n\\012\n"), VMT_BYTES("\\012\\012\\012"), true },
		{ VMT_BYTES("/a\nb"), VMT_BYTES("/a\nb"), false },
		/* Another file, or the start of its name. */
		{ VMT_BYTES("/a\nc"), VMT_BYTES("/a\\012b"), false },
		{ VMT_BYTES("/a\n"), VMT_BYTES("/a\\012b"), false },
		{ VMT_BYTES("/a\nb"), VMT_BYTES("/a\\01"), false },
		{ VMT_BYTES(""), VMT_BYTES("/a\\012b"), false },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++)
		assert_int_equal(vmt_path_is_written_as(cases[i].exact, cases[i].written),
				 cases[i].is);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(b06_which_paths_stand_for_two),
		cmocka_unit_test(b06_what_maps_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
