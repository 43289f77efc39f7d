/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's figures at their ends: ranges of machines other than x86-64, files that contradict
 * each other, and sums and differences that no 64 bits hold.
 */
#include "kernel-rows.h"

#include <errno.h>
#include <stdlib.h>

#include "model/model.h"
#include "model/sample.h"
#include "source/kernel.h"

#define PAGE UINT64_C(4096)

static struct vmt_sample *sample(const char *machine)
{
	struct vmt_sample *s = vmt_sample_new();

	assert_non_null(s);
	s->host.monotonic_ns = UINT64_C(1000000001);
	s->host.page_size = PAGE;
	s->host.machine = vmt_bytes_of(machine);
	s->kernel = vmt_arena_alloc(&s->arena, 1, sizeof(*s->kernel));
	assert_non_null(s->kernel);
	s->kernel->uses = true;
	s->sources[VMT_SOURCE_KCORE].reads = 1;
	return s;
}

static void meminfo(struct vmt_sample *s, const char *text)
{
	assert_int_equal(vmt_kernel_meminfo_parse(vmt_bytes_of(text), &s->arena, s->kernel, NULL),
			 0);
}

static void vmstat(struct vmt_sample *s, const char *text)
{
	assert_int_equal(vmt_kernel_vmstat_parse(vmt_bytes_of(text), &s->arena, s->kernel, NULL),
			 0);
}

static struct vmt_model *model(const struct vmt_sample *s, const struct vmt_sample *before)
{
	struct vmt_model *m = NULL;

	assert_int_equal(vmt_model_build(s, before, NULL, &m, NULL), 0);
	return m;
}

/* Which part of the address space a segment of the core is. */
static void segments(void **state)
{
	static const struct {
		const char *machine;
		struct vmt_kcore_segment segment;
		const char *name; /* of the range that is there */
		bool listed; /* else it is a part of the image, whose place is that of kallsyms */
	} cases[] = {
		/* The image of others is where kallsyms says that the text is. */
		{ "aarch64",
		  { .start = 0x10000, .size = 0x1000, .physical = 1 },
		  "direct map",
		  true },
		{ "aarch64",
		  { .start = 0x7000, .size = 0x1000, .physical = 1 },
		  "direct map",
		  true },
		{ "aarch64",
		  { .start = 0x7000, .size = 0x1001, .physical = 1 },
		  "direct map",
		  false },
		{ "aarch64", { .start = 0x8000, .size = 1, .physical = 1 }, "direct map", false },
		{ "x86_64", { .start = 0x8000, .size = 1, .physical = 1 }, "direct map", true },
		/* By its size, and not by where it is. */
		{ "aarch64", { .start = 0x10000, .size = 409600 }, "vmalloc", true },
		{ "aarch64", { .start = 0x10000, .size = 409599 }, "vmemmap", true },
		{ "aarch64", { .start = 0xffffffffff600000, .size = PAGE }, "vmemmap", true },
		{ "aarch64", { .start = 0xffffffff90000000, .size = PAGE }, "vmemmap", true },
		{ "x86_64", { .start = 0xffffffff90000000, .size = PAGE }, "modules", true },
		{ "x86_64", { .start = 0xffffffffff000000, .size = PAGE }, "vmemmap", true },
		{ "x86_64", { .start = 0xffffffffff600000, .size = PAGE }, "vsyscall", true },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		VMT_AUTO_SAMPLE s = sample(cases[i].machine);
		VMT_AUTO_MODEL m = NULL;
		struct vmt_kcore_segment at = cases[i].segment;
		const struct vmt_kernel_range *r;

		meminfo(s, "VmallocTotal: 400 kB\n");
		s->kernel->has_symbols = true;
		s->kernel->symbols[VMT_IMAGE_TEXT] = 0x8000;
		s->kernel->segments = &at;
		s->kernel->n_segments = 1;
		m = model(s, NULL);
		r = range(m, cases[i].name);
		if (cases[i].listed) {
			assert_field(kernel_range, start, r, at.start);
			assert_field(kernel_range, last, r, at.start + at.size - 1);
			assert_field(kernel_range, size_bytes, r, at.size);
		} else {
			assert_unknown(kernel_range, start, r);
		}
		assert_unknown(address_space, page_table_levels, &m->address_space);
	}
}

/* From the first to the last, in whichever order they are listed. */
static void segments_in_any_order(void **state)
{
	static const uint64_t starts[][3] = { { 0x1000, 0x5000, 0x9000 },
					      { 0x9000, 0x5000, 0x1000 },
					      { 0x5000, 0x9000, 0x1000 } };
	size_t i, k;

	for (i = 0; i < VMT_ARRAY_LEN(starts); i++) {
		VMT_AUTO_SAMPLE s = sample("aarch64");
		VMT_AUTO_MODEL m = NULL;
		struct vmt_kcore_segment at[3];

		for (k = 0; k < 3; k++)
			at[k] = (struct vmt_kcore_segment){ .start = starts[i][k],
							    .size = PAGE,
							    .physical = starts[i][k] };
		s->kernel->segments = at;
		s->kernel->n_segments = 3;
		m = model(s, NULL);
		assert_field(kernel_range, start, range(m, "direct map"), 0x1000);
		assert_field(kernel_range, last, range(m, "direct map"), 0x9fff);
	}
}

/* Sums of which the terms are more than 64 bits are unknown, and not what is left of them. */
static void sums_of_ranges(void **state)
{
	static const struct {
		const char *vmstat;
		bool known;
		uint64_t used;
	} cases[] = {
		{ "nr_memmap_pages 3\nnr_memmap_boot_pages 4\n", true, 7 * PAGE },
		{ "nr_memmap_pages 3\n", false, 0 },
		{ "nr_memmap_boot_pages 3\n", false, 0 },
		{ "nr_memmap_pages 18446744073709551615\nnr_memmap_boot_pages 1\n", false, 0 },
		{ "nr_memmap_pages 4503599627370495\nnr_memmap_boot_pages 1\n", false, 0 },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		VMT_AUTO_SAMPLE s = sample("x86_64");
		VMT_AUTO_MODEL m = NULL;

		vmstat(s, cases[i].vmstat);
		meminfo(s, "DirectMap4k: 18014398509481983 kB\nDirectMap2M: 4 kB\n");
		m = model(s, NULL);
		if (cases[i].known)
			assert_field(kernel_range, used_bytes, range(m, "vmemmap"), cases[i].used);
		else
			assert_unknown(kernel_range, used_bytes, range(m, "vmemmap"));
		assert_unknown(kernel_range, used_bytes, range(m, "direct map"));
		assert_field(kernel_range, used_bytes, range(m, "direct map, 2 MiB pages"), 4096);
	}
}

/* Sizes of the image by iomem: of those that name it, and end behind their start. */
static void image(void **state)
{
	VMT_AUTO_SAMPLE s = sample("x86_64");
	VMT_AUTO_MODEL m = NULL;
	struct vmt_region regions[2] = { 0 };

	VMT_SET(region, name, &regions[0], VMT_BYTES("Kernel code"));
	VMT_SET(region, start, &regions[0], 0x2000);
	VMT_SET(region, last, &regions[0], 0x1fff);
	VMT_SET(region, name, &regions[1], VMT_BYTES("Kernel data"));
	VMT_SET(region, start, &regions[1], 0x2000);
	VMT_SET(region, last, &regions[1], 0x2fff);
	s->kernel->regions = regions;
	s->kernel->n_regions = 2;
	m = model(s, NULL);
	assert_unknown(kernel_range, size_bytes, range(m, "image, code"));
	assert_field(kernel_range, size_bytes, range(m, "image, data"), 0x1000);
	assert_text(kernel_range, from, range(m, "image, data"), "iomem");
	assert_unknown(kernel_range, size_bytes, range(m, "image, bss"));
}

static void modules(void **state)
{
	static const struct {
		bool has_range;
		uint64_t start, end;
		int error;
		bool placed;
		const char *why;
	} cases[] = {
		{ true, 0x1000, 0x3000, 0, true,
		  "from the first module to the last: the range itself is larger" },
		{ true, 0x1000, 0x1000, 0, false, "kcore has no such segment" },
		{ false, 0x1000, 0x3000, 0, false, "kcore has no such segment" },
		{ false, 0, 0, -ENOENT, false, "there is no /proc/modules" },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		VMT_AUTO_SAMPLE s = sample("x86_64");
		VMT_AUTO_MODEL m = NULL;
		const struct vmt_kernel_range *r;

		s->kernel->has_modules = cases[i].error == 0;
		s->kernel->modules_bytes = 77;
		s->kernel->has_module_range = cases[i].has_range;
		s->kernel->module_start = cases[i].start;
		s->kernel->module_end = cases[i].end;
		s->sources[VMT_SOURCE_MODULES].error = cases[i].error;
		m = model(s, NULL);
		r = range(m, "modules");
		if (cases[i].placed) {
			assert_field(kernel_range, start, r, cases[i].start);
			assert_field(kernel_range, last, r, cases[i].end - 1);
		} else {
			assert_unknown(kernel_range, start, r);
		}
		assert_text(kernel_range, why, r, cases[i].why);
		if (cases[i].error) {
			assert_unknown(kernel_range, used_bytes, r);
		} else {
			assert_field(kernel_range, used_bytes, r, 77);
			assert_text(kernel_range, from, r, "modules");
		}
	}
}

/* Why it is not known where things are, by what reading the core ended with. */
static void without_a_core(void **state)
{
	static const struct {
		int error;
		const char *why;
	} cases[] = {
		{ -ENOENT, "without /proc/kcore its addresses are not shown" },
		{ -EACCES, "its addresses need /proc/kcore: root, CAP_SYS_RAWIO, no lockdown" },
		{ -EPERM, "its addresses need /proc/kcore: root, CAP_SYS_RAWIO, no lockdown" },
		{ -EIO, "its addresses need /proc/kcore, which could not be read" },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		VMT_AUTO_SAMPLE s = sample("x86_64");
		VMT_AUTO_MODEL m = NULL;

		s->sources[VMT_SOURCE_KCORE].error = cases[i].error;
		m = model(s, NULL);
		assert_text(kernel_range, why, range(m, "vmalloc"), cases[i].why);
		assert_text(kernel_range, why, range(m, "direct map"), cases[i].why);
	}
}

static void highmem(void **state)
{
	static const struct {
		const char *meminfo;
		bool known;
		uint64_t used;
	} cases[] = {
		{ "HighTotal: 8 kB\nHighFree: 2 kB\n", true, 6144 },
		{ "HighTotal: 8 kB\nHighFree: 8 kB\n", true, 0 },
		{ "HighTotal: 8 kB\nHighFree: 9 kB\n", false, 0 },
		{ "HighTotal: 8 kB\n", false, 0 },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		VMT_AUTO_SAMPLE s = sample("i686");
		VMT_AUTO_MODEL m = NULL;

		meminfo(s, cases[i].meminfo);
		m = model(s, NULL);
		assert_field(kernel_range, size_bytes, range(m, "highmem"), 8192);
		if (cases[i].known)
			assert_field(kernel_range, used_bytes, range(m, "highmem"), cases[i].used);
		else
			assert_unknown(kernel_range, used_bytes, range(m, "highmem"));
	}
}

/* Uses that are a difference or a product, by name. */
static void uses(void **state)
{
	static const struct {
		const char *meminfo, *vmstat, *name;
		bool listed, known;
		uint64_t size;
	} cases[] = {
		{ "KReclaimable: 3 kB\nSReclaimable: 1 kB\n", NULL, "other reclaimable", true, true,
		  2048 },
		{ "KReclaimable: 3 kB\n", NULL, "other reclaimable", true, false, 0 },
		{ "KReclaimable: 3 kB\nSReclaimable: 4 kB\n", NULL, "other reclaimable", true,
		  false, 0 },
		{ "SReclaimable: 4 kB\n", NULL, "other reclaimable", true, false, 0 },
		{ "MemTotal: 1 kB\n", "nr_zspages 3\n", "zsmalloc", true, true, 3 * PAGE },
		{ "MemTotal: 1 kB\n", "nr_zspages 4503599627370496\n", "zsmalloc", false, false,
		  0 },
	};
	size_t i, k;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		VMT_AUTO_SAMPLE s = sample("x86_64");
		VMT_AUTO_MODEL m = NULL;
		const struct vmt_kernel_use *u = NULL;

		meminfo(s, cases[i].meminfo);
		if (cases[i].vmstat)
			vmstat(s, cases[i].vmstat);
		m = model(s, NULL);
		for (k = 0; k < m->n_uses; k++)
			if (vmt_bytes_is(m->uses[k].name, cases[i].name))
				u = &m->uses[k];
		assert_int_equal(u != NULL, cases[i].listed);
		if (u && cases[i].known)
			assert_field(kernel_use, size_bytes, u, cases[i].size);
		else if (u)
			assert_unknown(kernel_use, size_bytes, u);
	}
}

#define ALL_BUT_STACKS "SReclaimable: 1 kB\nSUnreclaim: 1 kB\nVmallocUsed: 1 kB\nPageTables: 1 kB\n"
#define LARGEST	       "18014398509481983 kB\n" /* of KiB, that are bytes of 64 bits */

/* What is held, against all that there is. */
static void held(void **state)
{
	static const struct {
		const char *meminfo;
		bool summed, counted, differs;
		int64_t difference;
	} cases[] = {
		{ "MemTotal: 10 kB\nKernelStack: 0 kB\n" ALL_BUT_STACKS, true, true, true, 6144 },
		{ "KernelStack: 0 kB\n" ALL_BUT_STACKS, true, false, false, 0 },
		{ "MemTotal: " LARGEST "KernelStack: 0 kB\n" ALL_BUT_STACKS, true, true, false, 0 },
		{ "MemTotal: 10 kB\nPercpu: 9007199254740992 kB\nKernelStack: 0 kB\n" ALL_BUT_STACKS,
		  true, true, false, 0 },
		/* A sum beyond 64 bits is none. */
		{ "MemTotal: 10 kB\nPercpu: " LARGEST "KernelStack: 0 kB\n" ALL_BUT_STACKS, false,
		  false, false, 0 },
		/* Stacks that are more than 64 bits together are where they were. */
		{ "MemTotal: 10 kB\nKernelStack: " LARGEST
		  "ShadowCallStack: " LARGEST ALL_BUT_STACKS,
		  true, true, true, 6144 },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		VMT_AUTO_SAMPLE s = sample("x86_64");
		VMT_AUTO_MODEL m = NULL;
		const struct vmt_kernel_sum *k;

		meminfo(s, cases[i].meminfo);
		m = model(s, NULL);
		assert_int_equal(m->n_kernel_sums, cases[i].summed);
		if (!cases[i].summed)
			continue;
		k = sum(m, "held by the kernel");
		assert_true(VMT_HAS(kernel_sum, listed_bytes, k));
		assert_int_equal(VMT_HAS(kernel_sum, counted_bytes, k), cases[i].counted);
		assert_int_equal(VMT_HAS(kernel_sum, difference_bytes, k), cases[i].differs);
		if (cases[i].differs)
			assert_true(k->difference_bytes == cases[i].difference);
	}
}

/* Since the sample before; of figures that no signed number holds there is no difference. */
static void changes(void **state)
{
	static const struct {
		const char *before, *now;
		bool known;
		int64_t delta;
	} cases[] = {
		{ "PageTables: 3 kB\n", "PageTables: 1 kB\n", true, -2048 },
		{ "PageTables: " LARGEST, "PageTables: 1 kB\n", false, 0 },
		{ "PageTables: 1 kB\n", "PageTables: " LARGEST, false, 0 },
		{ "MemTotal: 1 kB\n", "PageTables: 1 kB\n", false, 0 },
	};
	size_t i, k;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		VMT_AUTO_SAMPLE before = sample("x86_64");
		VMT_AUTO_SAMPLE s = sample("x86_64");
		VMT_AUTO_MODEL m = NULL;

		before->host.monotonic_ns = 1;
		meminfo(before, cases[i].before);
		meminfo(s, cases[i].now);
		m = model(s, before);
		for (k = 0; k < m->n_uses; k++) {
			const struct vmt_kernel_use *u = &m->uses[k];
			bool known = cases[i].known && vmt_bytes_is(u->name, "page tables");

			assert_int_equal(VMT_HAS(kernel_use, delta_bytes, u), known);
			if (known)
				assert_true(u->delta_bytes == cases[i].delta);
		}
	}
}

/* Counters of a second ago: by name, at the same place. */
static void counters(void **state)
{
	static const struct {
		const char *before, *now;
		bool known;
		int64_t rate; /* thousandths a second */
	} cases[] = {
		{ "pgfault 100\n", "pgfault 2600\n", true, 2500000 },
		{ "pgfault 2600\n", "pgfault 100\n", true, -2500000 },
		{ "pgmajfault 100\n", "pgfault 2600\n", false, 0 },
		{ "later\n", "pgfault 2600\n", false, 0 },
		{ "pgfault 0\n", "pgfault 18446744073709551615\n", false, 0 },
		{ "pgfault 18446744073709551615\n", "pgfault 0\n", false, 0 },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		VMT_AUTO_SAMPLE before = sample("x86_64");
		VMT_AUTO_SAMPLE s = sample("x86_64");
		VMT_AUTO_MODEL m = NULL;

		before->host.monotonic_ns = 1;
		vmstat(before, cases[i].before);
		vmstat(s, cases[i].now);
		m = model(s, before);
		assert_int_equal(m->n_counters, 1);
		assert_int_equal(VMT_HAS(counter, delta_per_second, &m->counters[0]),
				 cases[i].known);
		if (cases[i].known)
			assert_true(m->counters[0].delta_per_second == cases[i].rate);
	}
}

static void slabs(void **state)
{
	VMT_AUTO_SAMPLE s = sample("x86_64");
	VMT_AUTO_MODEL m = NULL;
	VMT_AUTO_MODEL wide = NULL;

	assert_int_equal(
		vmt_slabinfo_parse(VMT_BYTES(SLAB_HEAD
					     "a 100 42 192 21 1 : tunables 0 0 0 : slabdata 2 2 0\n"
					     "b 1 42 192 21 1 : tunables 0 0 0 : slabdata 2 2 0\n"),
				   PAGE, &s->arena, s->kernel, NULL),
		0);
	/* One of which more is in use than there is: the counts were taken at different times. */
	m = model(s, NULL);
	assert_unknown(slab, unused_bytes, &m->slabs[0]);
	assert_field(slab, unused_bytes, &m->slabs[1], 2 * PAGE - 192);
	assert_field(kernel_sum, listed_bytes, sum(m, "slab"), 4 * PAGE);

	s->kernel->slabs[0].size_bytes = UINT64_MAX;
	meminfo(s, "Slab: 1 kB\n");
	wide = model(s, NULL);
	assert_unknown(kernel_sum, listed_bytes, sum(wide, "slab"));
	assert_field(kernel_sum, counted_bytes, sum(wide, "slab"), 1024);
	assert_unknown(kernel_sum, difference_bytes, sum(wide, "slab"));
}

/* A list against a count that is beyond what a signed number holds, and the other way round. */
static void wide_sums(void **state)
{
	static const struct {
		uint64_t listed[2];
		const char *counted;
		bool summed, differs;
	} cases[] = {
		{ { 1024, 1024 }, "VmallocUsed: 4 kB\n", true, true },
		{ { 1024, 1024 }, "VmallocUsed: " LARGEST, true, false },
		{ { UINT64_MAX - 1, 1 }, "VmallocUsed: 4 kB\n", true, false },
		{ { UINT64_MAX, 1 }, "VmallocUsed: 4 kB\n", false, false },
	};
	size_t i, k;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		VMT_AUTO_SAMPLE s = sample("x86_64");
		VMT_AUTO_MODEL m = NULL;
		struct vmt_vmalloc areas[2] = { 0 };

		for (k = 0; k < 2; k++)
			VMT_SET(vmalloc, memory_bytes, &areas[k], cases[i].listed[k]);
		s->kernel->uses = false;
		s->kernel->vmalloc = areas;
		s->kernel->n_vmalloc = 2;
		meminfo(s, cases[i].counted);
		m = model(s, NULL);
		assert_int_equal(m->n_kernel_sums, cases[i].summed);
		if (!cases[i].summed)
			continue;
		assert_field(kernel_sum, listed_bytes, &m->kernel_sums[0],
			     cases[i].listed[0] + cases[i].listed[1]);
		if (cases[i].differs)
			assert_field(kernel_sum, difference_bytes, &m->kernel_sums[0], 2048);
		else
			assert_unknown(kernel_sum, difference_bytes, &m->kernel_sums[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segments),	  cmocka_unit_test(segments_in_any_order),
		cmocka_unit_test(sums_of_ranges), cmocka_unit_test(image),
		cmocka_unit_test(modules),	  cmocka_unit_test(without_a_core),
		cmocka_unit_test(highmem),	  cmocka_unit_test(uses),
		cmocka_unit_test(held),		  cmocka_unit_test(changes),
		cmocka_unit_test(counters),	  cmocka_unit_test(slabs),
		cmocka_unit_test(wide_sums),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
