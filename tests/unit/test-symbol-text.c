/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "source/symbol-text.h"

static void test_kallsyms(void **state)
{
	static const char text[] = "0000000000000000 A fixed_percpu_data\n"
				   "ffffffff81000000 T _text\n"
				   "ffffffff81000000 T _stext\n"
				   "ffffffff81000100 t local\n"
				   "ffffffff81000180 d data_between\n"
				   "nonsense\n"
				   "ffffffff81000200 W weak\n"
				   "ffffffffc0000010 t helper\t[ext4]\n"
				   "ffffffffc0000000 T first\t[ext4]\n";
	struct vmt_text_symbol w[] = {
		{ .address = 0x1000 },
		{ .address = 0xffffffff81000000 },
		{ .address = 0xffffffff810000ff },
		{ .address = 0xffffffff81000190 },
		{ .address = 0xffffffff81000500 },
		{ .address = 0xffffffffc0000008 },
		{ .address = 0xffffffffc0000020 },
	};

	vmt_kallsyms_find((struct vmt_bytes){ text, sizeof(text) - 1 }, w, VMT_ARRAY_LEN(w));
	assert_bytes(w[0].name, "");
	assert_bytes(w[1].name, "_text");
	assert_bytes(w[2].name, "_text");
	/* Data is no function, and hides none. */
	assert_bytes(w[3].name, "local");
	assert_bytes(w[4].name, "weak");
	assert_bytes(w[4].module, "");
	/* Modules are in no order. */
	assert_bytes(w[5].name, "first");
	assert_bytes(w[5].module, "ext4");
	assert_bytes(w[6].name, "helper");
}

static void test_hidden(void **state)
{
	static const char text[] = "0000000000000000 T _text\n0000000000000000 t local\n";
	struct vmt_text_symbol w[] = { { .address = 0xffffffff81000000 } };

	vmt_kallsyms_find((struct vmt_bytes){ text, sizeof(text) - 1 }, w, 1);
	assert_bytes(w[0].name, "");
	vmt_kallsyms_find((struct vmt_bytes){ text, 0 }, w, 1);
	assert_bytes(w[0].name, "");
	vmt_kallsyms_find((struct vmt_bytes){ text, sizeof(text) - 1 }, NULL, 0);
}

static void test_perf_map(void **state)
{
	static const char text[] = "7f0000001000 100 old name\n"
				   "0x7f0000002000 0x20 with prefix\n"
				   "7f0000001080 10 new;er\n"
				   "7f0000003000 zz broken\n"
				   "7f0000003000\n"
				   "ffffffffffffff00 1000 wraps\n"
				   "7f0000003000 10 last";
	struct vmt_text_symbol w[] = {
		{ .address = 0x7f0000000fff }, { .address = 0x7f0000001000 },
		{ .address = 0x7f0000001085 }, { .address = 0x7f00000010ff },
		{ .address = 0x7f0000001100 }, { .address = 0x7f000000201f },
		{ .address = 0x7f0000003008 }, { .address = 0xffffffffffffff08 },
	};
	static const char *const names[] = { "", "old name",	"new;er", "old name",
					     "", "with prefix", "last",	  "" };

	vmt_perf_map_find((struct vmt_bytes){ text, sizeof(text) - 1 }, w, VMT_ARRAY_LEN(w));
	for (size_t i = 0; i < VMT_ARRAY_LEN(w); i++)
		assert_bytes(w[i].name, names[i]);
}

/* Lines of any other form are none, and what stands behind a name is a module in brackets alone. */
static void test_kallsyms_of_any_form(void **state)
{
	static const char text[] = "1000 T first\t[mod]\n"
				   "1010 T no_module\t[mod\n"
				   "1020 w weak\t[]\n"
				   "1030 x other\n"
				   "1040 T \n"
				   "1050\tT tab\n"
				   "1060 T\ttab\n"
				   "1070 T";
	struct vmt_text_symbol w[] = { { .address = 0x1008 },
				       { .address = 0x1018 },
				       { .address = 0x1028 },
				       { .address = 0x1078 } };

	vmt_kallsyms_find((struct vmt_bytes){ text, sizeof(text) - 1 }, w, VMT_ARRAY_LEN(w));
	assert_bytes(w[0].name, "first");
	assert_bytes(w[0].module, "mod");
	assert_bytes(w[1].name, "no_module");
	assert_bytes(w[1].module, "");
	assert_bytes(w[2].name, "weak");
	assert_bytes(w[2].module, "");
	assert_bytes(w[3].name, "weak");
}

static void test_perf_map_of_any_form(void **state)
{
	static const char text[] = "x1000 10 a\n"
				   "1000-10 b\n"
				   "1000 0y10 c\n"
				   "1000 10-d\n"
				   "1000 10 \n"
				   "0\n"
				   "0x\n"
				   "1000 0x\n"
				   "1000 1";
	struct vmt_text_symbol w[] = { { .address = 0x1000 } };

	vmt_perf_map_find((struct vmt_bytes){ text, sizeof(text) - 1 }, w, 1);
	assert_bytes(w[0].name, "");
	/* Both numbers may have the prefix. */
	vmt_perf_map_find(VMT_BYTES("0x1000 0x10 e\n"), w, 1);
	assert_bytes(w[0].name, "e");
	assert_int_equal(w[0].from, 0x1000);
}

/* A symbol before all that is wanted, behind them, and one that stands there twice. */
static void test_kallsyms_around_what_is_wanted(void **state)
{
	static const char text[] = "3000 T behind\n"
				   "2000 T at\n"
				   "1000 T before\n"
				   "2000 T alias\n"
				   "2000 T \n";
	struct vmt_text_symbol w[] = { { .address = 0x1800 }, { .address = 0x2000 } };

	vmt_kallsyms_find((struct vmt_bytes){ text, sizeof(text) - 1 }, w, VMT_ARRAY_LEN(w));
	assert_bytes(w[0].name, "before");
	assert_bytes(w[1].name, "at");
	vmt_kallsyms_find(VMT_BYTES("1700 T nearer\t[m\n"), w, VMT_ARRAY_LEN(w));
	assert_bytes(w[0].name, "nearer");
	assert_bytes(w[0].module, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kallsyms),
		cmocka_unit_test(test_hidden),
		cmocka_unit_test(test_perf_map),
		cmocka_unit_test(test_kallsyms_of_any_form),
		cmocka_unit_test(test_perf_map_of_any_form),
		cmocka_unit_test(test_kallsyms_around_what_is_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
