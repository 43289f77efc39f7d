/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "source/physical.h"

static const char zones[] = "Node 0, zone      DMA\n"
			    "  per-node stats\n"
			    "      nr_inactive_anon 12\n"
			    "  pages free     2816\n"
			    "        spanned  4095\n"
			    "        present  3998\n"
			    "  start_pfn:           1\n"
			    "Node 0, zone   Normal\n"
			    "        spanned  1000\n"
			    "  start_pfn:           4096\n"
			    "Node 0, zone  Movable\n"
			    "        spanned  0\n"
			    "  start_pfn:           0\n"
			    "Node 1, zone   Normal\n"
			    "        spanned  500\n"
			    "  start_pfn:           4500\n";

static struct vmt_physical *parsed(const char *text)
{
	struct vmt_physical *p = vmt_physical_new(NULL);
	struct vmt_err err = { 0 };

	assert_non_null(p);
	assert_int_equal(vmt_zones_parse(vmt_bytes_of(text), p, &err), 0);
	return p;
}

static void test_zone_of_a_frame(void **state)
{
	struct vmt_physical *p = parsed(zones);

	assert_int_equal(p->n_zones, 3);
	assert_string_equal(p->zones[0].name, "DMA");
	assert_int_equal(p->zones[2].node, 1);
	assert_int_equal(vmt_physical_zone(p, 0), -1);
	assert_int_equal(vmt_physical_zone(p, 1), 0);
	assert_int_equal(vmt_physical_zone(p, 4095), 0);
	assert_int_equal(vmt_physical_zone(p, 4096), 1);
	assert_int_equal(vmt_physical_zone(p, 4499), 1);
	/* Two nodes span it, and nothing says which has it: unknown, not the first. */
	assert_int_equal(vmt_physical_zone(p, 4600), -1);
	assert_int_equal(vmt_physical_zone(p, 5095), 1);
	assert_int_equal(vmt_physical_zone(p, 5096), -1);
	vmt_physical_unref(p);
}

static void test_malformed_zones(void **state)
{
	static const char *const bad[] = {
		"Node x, zone DMA\n",
		"Node 0 zone DMA\n",
		"Node 0, zone \n",
		"Node 0, zone AVeryLongNameOfAZone\n",
		"Node 0, zone DMA\n spanned many\n",
		"Node 0, zone DMA\n spanned 99999999999999999999\n",
		"Node 0, zone DMA\n spanned 18446744073709551615\n start_pfn: 2\n",
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(bad); i++) {
		struct vmt_physical *p = vmt_physical_new(NULL);
		struct vmt_err err = { 0 };

		assert_true(vmt_zones_parse(vmt_bytes_of(bad[i]), p, &err) < 0);
		assert_true(err.line > 0);
		vmt_physical_unref(p);
	}
}

static void test_regions(void **state)
{
	static const char iomem[] = "00000000-00000fff : Reserved\n"
				    "00001000-0009fbff : System RAM\n"
				    "00100000-3fffffff : System RAM\n"
				    "  01000000-01dfffff : Kernel code\n"
				    "100000000-1ffffffff : odd : name\n";
	static const char hidden[] = "00000000-00000000 : Reserved\n"
				     "  00000000-00000000 : Kernel code\n";
	struct vmt_physical *p = vmt_physical_new(NULL);
	struct vmt_err err = { 0 };

	assert_int_equal(vmt_iomem_parse(vmt_bytes_of(iomem), p, &err), 0);
	assert_string_equal(vmt_physical_region(p, 0), "Reserved");
	assert_string_equal(vmt_physical_region(p, 0x9fbff), "System RAM");
	assert_null(vmt_physical_region(p, 0x9fc00));
	assert_string_equal(vmt_physical_region(p, 0x1000000), "Kernel code");
	assert_string_equal(vmt_physical_region(p, 0x1e00000), "System RAM");
	assert_string_equal(vmt_physical_region(p, UINT64_C(0x1ffffffff)), "odd : name");
	assert_null(vmt_physical_region(p, UINT64_C(0x200000000)));
	vmt_physical_unref(p);

	/* Without rights all are 0, which is no place. */
	p = vmt_physical_new(NULL);
	assert_int_equal(vmt_iomem_parse(vmt_bytes_of(hidden), p, &err), -EPERM);
	assert_null(vmt_physical_region(p, 0));
	vmt_physical_unref(p);
	p = vmt_physical_new(NULL);
	assert_int_equal(vmt_iomem_parse(VMT_BYTES("nonsense\n"), p, &err), -EINVAL);
	assert_int_equal(err.line, 1);
	vmt_physical_unref(p);
}

static int parse_both(void *arg)
{
	struct vmt_physical *p = vmt_physical_new(NULL);
	int r;

	if (!p)
		return -ENOMEM;
	r = vmt_zones_parse(VMT_BYTES(zones), p, NULL);
	if (r == 0)
		r = vmt_iomem_parse(VMT_BYTES("1000-1fff : RAM\n"), p, NULL);
	vmt_physical_unref(p);
	return r;
}

static void test_no_memory(void **state)
{
	assert_true(unit_alloc_sweep(parse_both, NULL) >= 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zone_of_a_frame),
		cmocka_unit_test(test_malformed_zones),
		cmocka_unit_test(test_regions),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
