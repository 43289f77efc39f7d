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

static void test_malformed_regions(void **state)
{
	static const char *const bad[] = {
		"x-1fff : RAM\n",    "1000+1fff : RAM\n", "1000-x : RAM\n",   "1000-1fff\n",
		"1000-1fff_: RAM\n", "1000-1fff  RAM\n",  "1000-1fff :RAM\n", "1000-1fff:\n",
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(bad); i++) {
		struct vmt_physical *p = vmt_physical_new(NULL);
		struct vmt_err err = { 0 };
		VMT_AUTO_BUF text = { 0 };

		vmt_buf_addf(&text, "0-fff : RAM\n%s", bad[i]);
		assert_int_equal(
			vmt_iomem_parse((struct vmt_bytes){ text.data, text.len }, p, &err),
			-EINVAL);
		assert_int_equal(err.line, 2);
		vmt_physical_unref(p);
	}
}

/* Of two that hold an address the smaller, wherever it stands. */
static void test_regions_inside_each_other(void **state)
{
	struct vmt_physical *p = vmt_physical_new(NULL);

	assert_int_equal(
		vmt_iomem_parse(VMT_BYTES("2000-2fff : inner\n1000-3fff : outer\n"), p, NULL), 0);
	assert_string_equal(vmt_physical_region(p, 0x2000), "inner");
	assert_string_equal(vmt_physical_region(p, 0x1fff), "outer");
	vmt_physical_unref(p);
}

/* Where zones of two nodes span a frame, sysfs says by blocks of memory which node has it. */
static void test_nodes_that_overlap(void **state)
{
	struct vmt_root *root = NULL;
	struct vmt_err err = { 0 };
	struct vmt_physical *p;
	struct unit_dir d;
	uint64_t bytes = 0;

	unit_dir_make(&d);
	unit_dir_write(&d, "vmtop-fixture", "page_size 4096\n");
	unit_dir_write(&d, "proc/meminfo", "");
	assert_int_equal(vmt_root_open(d.path, &root, NULL), 0);
	p = vmt_physical_new(root);
	assert_int_equal(vmt_zones_load(p, &bytes, &err), -ENOENT);
	assert_int_equal(vmt_iomem_load(p, &bytes, &err), -ENOENT);
	vmt_physical_unref(p);

	unit_dir_write(&d, "proc/zoneinfo", zones);
	unit_dir_write(&d, "proc/iomem", "1000-1fff : RAM\n");
	/* 16 frames a block; what is no number is no size. */
	unit_dir_write(&d, "sys/devices/system/memory/block_size_bytes", "none\n");
	p = vmt_physical_new(root);
	assert_int_equal(vmt_zones_load(p, &bytes, &err), 0);
	assert_int_equal(bytes, strlen(zones));
	assert_int_equal(vmt_iomem_load(p, &bytes, &err), 0);
	assert_string_equal(vmt_physical_region(p, 0x1000), "RAM");
	assert_int_equal(vmt_physical_zone(p, 4600), -1);
	vmt_physical_unref(p);

	unit_dir_write(&d, "sys/devices/system/memory/block_size_bytes", "10000\n");
	unit_dir_write(&d, "sys/devices/system/node/node1/memory287/x", "");
	unit_dir_write(&d, "sys/devices/system/node/node0/memory288/x", "");
	unit_dir_write(&d, "sys/devices/system/node/node1/memory288/x", "");
	p = vmt_physical_new(root);
	assert_int_equal(vmt_zones_load(p, &bytes, &err), 0);
	assert_int_equal(vmt_physical_zone(p, 287 * 16), 2);
	/* A block that both have says nothing, nor does one that none has. */
	assert_int_equal(vmt_physical_zone(p, 288 * 16), -1);
	assert_int_equal(vmt_physical_zone(p, 289 * 16), -1);
	vmt_physical_unref(p);
	vmt_root_unref(root);
	unit_dir_remove(&d);
}

static void test_a_heading_that_is_none(void **state)
{
	struct vmt_physical *p = vmt_physical_new(NULL);
	struct vmt_err err = { 0 };

	assert_int_equal(vmt_zones_parse(VMT_BYTES("Node 0, area DMA\n"), p, &err), -EINVAL);
	assert_int_equal(err.line, 1);
	vmt_physical_unref(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zone_of_a_frame),
		cmocka_unit_test(test_malformed_zones),
		cmocka_unit_test(test_regions),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_malformed_regions),
		cmocka_unit_test(test_regions_inside_each_other),
		cmocka_unit_test(test_nodes_that_overlap),
		cmocka_unit_test(test_a_heading_that_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
