/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "model/kernel-sample.h"
#include "model/model.h"

/* x86-64, Documentation/arch/x86/x86_64/mm.rst: where the image would be without KASLR, and from
 * where on the address space is that of the image, modules and fixed mappings. */
#define X86_IMAGE    UINT64_C(0xffffffff81000000)
#define X86_TOP	     UINT64_C(0xffffffff80000000)
#define X86_FIXED    UINT64_C(0xffffffffff000000)
#define X86_VSYSCALL UINT64_C(0xffffffffff600000)
/* Sizes of the vmalloc range in meminfo by levels of the page tables: 32 TiB and 12.5 PiB, each
 * less a byte and rounded down to KiB. */
#define X86_VMALLOC_4 ((UINT64_C(32) << 40) - 1024)
#define X86_VMALLOC_5 ((UINT64_C(12800) << 40) - 1024)

#define RANGES_MAX 24

struct ranges {
	struct vmt_model *m;
	const struct vmt_kernel_sample *k;
	bool x86;
	const char *no_kcore; /* why its segments are not known */
};

static struct vmt_kernel_range *add(struct ranges *r, const char *name)
{
	struct vmt_kernel_range *row = &r->m->ranges[r->m->n_ranges++];

	VMT_SET(kernel_range, name, row, vmt_bytes_of(name));
	return row;
}

static void set_from(struct vmt_kernel_range *row, const char *from)
{
	VMT_SET(kernel_range, from, row, vmt_bytes_of(from));
}

static void set_why(struct vmt_kernel_range *row, const char *why)
{
	if (why)
		VMT_SET(kernel_range, why, row, vmt_bytes_of(why));
}

/* Where it is, both ends included. */
static void set_place(struct vmt_kernel_range *row, uint64_t start, uint64_t last, const char *from)
{
	VMT_SET(kernel_range, start, row, start);
	VMT_SET(kernel_range, last, row, last);
	if (last - start < UINT64_MAX)
		VMT_SET(kernel_range, size_bytes, row, last - start + 1);
	set_from(row, from);
}

enum part {
	PART_DIRECT,
	PART_IMAGE,
	PART_VMALLOC,
	PART_MODULES,
	PART_VSYSCALL,
	PART_VMEMMAP,
};

static enum part part_of(const struct ranges *r, const struct vmt_kcore_segment *s)
{
	uint64_t vmalloc, text = r->k->symbols[VMT_IMAGE_TEXT];

	if (s->physical) {
		if (r->x86)
			return s->start >= X86_TOP ? PART_IMAGE : PART_DIRECT;
		return text && text >= s->start && text - s->start < s->size ? PART_IMAGE
									     : PART_DIRECT;
	}
	if (vmt_kernel_meminfo(r->k, "VmallocTotal", &vmalloc) && s->size / 1024 == vmalloc / 1024)
		return PART_VMALLOC;
	if (r->x86 && s->start == X86_VSYSCALL)
		return PART_VSYSCALL;
	if (r->x86 && s->start >= X86_TOP && s->start < X86_FIXED)
		return PART_MODULES;
	return PART_VMEMMAP;
}

/* From the first segment of a part to its last one. */
static bool segments_of(const struct ranges *r, enum part part, uint64_t *ret_start,
			uint64_t *ret_last)
{
	bool any = false;
	size_t i;

	for (i = 0; i < r->k->n_segments; i++) {
		const struct vmt_kcore_segment *s = &r->k->segments[i];
		uint64_t last = s->start + (s->size - 1);

		if (part_of(r, s) != part)
			continue;
		if (!any || s->start < *ret_start)
			*ret_start = s->start;
		if (!any || last > *ret_last)
			*ret_last = last;
		any = true;
	}
	return any;
}

static void direct_map(struct ranges *r)
{
	static const struct {
		const char *key, *name;
	} sizes[] = {
		{ "DirectMap4k", "direct map, 4 KiB pages" },
		{ "DirectMap64k", "direct map, 64 KiB pages" },
		{ "DirectMap1M", "direct map, 1 MiB pages" },
		{ "DirectMap2M", "direct map, 2 MiB pages" },
		{ "DirectMap4M", "direct map, 4 MiB pages" },
		{ "DirectMap1G", "direct map, 1 GiB pages" },
		{ "DirectMap2G", "direct map, 2 GiB pages" },
	};
	struct vmt_kernel_range *row = add(r, "direct map");
	uint64_t start, last, sum = 0, v;
	bool known = false, over = false, placed = segments_of(r, PART_DIRECT, &start, &last);
	size_t i;

	if (placed)
		set_place(row, start, last, "kcore");
	set_why(row, placed ? "all of physical memory, one to one, with its holes" : r->no_kcore);
	for (i = 0; i < VMT_ARRAY_LEN(sizes); i++) {
		struct vmt_kernel_range *part;

		if (!vmt_kernel_meminfo(r->k, sizes[i].key, &v))
			continue;
		part = add(r, sizes[i].name);
		VMT_SET(kernel_range, used_bytes, part, v);
		set_from(part, "meminfo");
		known = true;
		over |= __builtin_add_overflow(sum, v, &sum);
	}
	if (!known || over)
		return;
	VMT_SET(kernel_range, used_bytes, row, sum);
	if (!placed)
		set_from(row, "meminfo");
}

static void vmalloc_range(struct ranges *r)
{
	struct vmt_kernel_range *row = add(r, "vmalloc");
	uint64_t start, last, v;
	bool placed = segments_of(r, PART_VMALLOC, &start, &last);

	if (placed) {
		set_place(row, start, last, "kcore");
	} else {
		set_why(row, r->no_kcore);
		if (vmt_kernel_meminfo(r->k, "VmallocTotal", &v)) {
			VMT_SET(kernel_range, size_bytes, row, v);
			set_from(row, "meminfo");
		}
	}
	/* Memory, not addresses; those of ioremap() are in vmallocinfo alone. */
	if (vmt_kernel_meminfo(r->k, "VmallocUsed", &v))
		VMT_SET(kernel_range, used_bytes, row, v);
}

static void vmemmap(struct ranges *r)
{
	struct vmt_kernel_range *row = add(r, "vmemmap");
	uint64_t start, last, pages, boot, page = r->m->sample->host.page_size;

	if (segments_of(r, PART_VMEMMAP, &start, &last)) {
		set_place(row, start, last, "kcore");
		set_why(row, "struct page of each frame");
	} else {
		set_why(row, r->no_kcore);
	}
	if (vmt_kernel_vmstat(r->k, "nr_memmap_pages", &pages) &&
	    vmt_kernel_vmstat(r->k, "nr_memmap_boot_pages", &boot) &&
	    !__builtin_add_overflow(pages, boot, &pages) &&
	    !__builtin_mul_overflow(pages, page, &pages))
		VMT_SET(kernel_range, used_bytes, row, pages);
}

/* The parts of the image: by kallsyms where it shows addresses, else their sizes by iomem. */
static void image(struct ranges *r)
{
	static const struct {
		const char *name;
		const char *iomem; /* what it is called there */
		enum vmt_image_symbol from, to;
	} parts[] = {
		{ "image, code", "Kernel code", VMT_IMAGE_TEXT, VMT_IMAGE_ETEXT },
		{ "image, rodata", "Kernel rodata", VMT_IMAGE_RODATA, VMT_IMAGE_ERODATA },
		{ "image, data", "Kernel data", VMT_IMAGE_DATA, VMT_IMAGE_EDATA },
		{ "image, bss", "Kernel bss", VMT_IMAGE_BSS, VMT_IMAGE_EBSS },
	};
	size_t i, n;

	for (i = 0; i < VMT_ARRAY_LEN(parts); i++) {
		uint64_t from = r->k->symbols[parts[i].from], to = r->k->symbols[parts[i].to];
		struct vmt_kernel_range *row = add(r, parts[i].name);

		if (from && to > from) {
			set_place(row, from, to - 1, "kallsyms");
			continue;
		}
		set_why(row, !r->k->has_symbols
				     ? "without /proc/kallsyms its addresses are not shown"
			     : r->k->symbols[VMT_IMAGE_TEXT]
				     ? "kallsyms has no data (CONFIG_KALLSYMS_ALL)"
				     : "kallsyms shows no addresses (CAP_SYSLOG, kptr_restrict)");
		for (n = 0; n < r->k->n_regions; n++) {
			const struct vmt_region *g = &r->k->regions[n];

			if (!vmt_bytes_is(g->name, parts[i].iomem) || g->last < g->start)
				continue;
			VMT_SET(kernel_range, size_bytes, row, g->last - g->start + 1);
			set_from(row, "iomem");
		}
	}
}

static void modules(struct ranges *r)
{
	const struct vmt_sample *s = r->m->sample;
	struct vmt_kernel_range *row = add(r, "modules");
	const char *no_modules = s->sources[VMT_SOURCE_MODULES].error == -ENOENT
					 ? "there is no /proc/modules"
					 : NULL;
	uint64_t start, last;

	if (segments_of(r, PART_MODULES, &start, &last)) {
		set_place(row, start, last, "kcore");
		set_why(row, no_modules);
	} else if (r->k->has_module_range && r->k->module_end > r->k->module_start) {
		set_place(row, r->k->module_start, r->k->module_end - 1, "modules");
		set_why(row, "from the first module to the last: the range itself is larger");
	} else {
		set_why(row, no_modules ? no_modules : r->no_kcore);
	}
	if (!r->k->has_modules)
		return;
	VMT_SET(kernel_range, used_bytes, row, r->k->modules_bytes);
	if (!VMT_HAS(kernel_range, from, row))
		set_from(row, "modules");
}

/* What only some machines have. */
static void others(struct ranges *r)
{
	struct vmt_kernel_range *row;
	uint64_t start, last, total, left;

	if (r->x86) {
		set_why(add(r, "fixmap"), "the kernel shows it nowhere");
		if (segments_of(r, PART_VSYSCALL, &start, &last))
			set_place(add(r, "vsyscall"), start, last, "kcore");
	}
	if (!vmt_kernel_meminfo(r->k, "HighTotal", &total))
		return;
	row = add(r, "highmem");
	VMT_SET(kernel_range, size_bytes, row, total);
	set_from(row, "meminfo");
	set_why(row, "memory without a place in the kernel's address space: kmap() makes one");
	if (vmt_kernel_meminfo(r->k, "HighFree", &left) && left <= total)
		VMT_SET(kernel_range, used_bytes, row, total - left);
	set_why(add(r, "kmap"), "the kernel shows it nowhere");
}

static void whole(struct ranges *r)
{
	struct vmt_address_space *a = &r->m->address_space;
	uint64_t text = r->k->symbols[VMT_IMAGE_TEXT], v;

	if (r->k->has_symbols)
		VMT_SET(address_space, pointers_shown, a, text != 0);
	if (!r->x86)
		return;
	if (vmt_kernel_meminfo(r->k, "VmallocTotal", &v) &&
	    (v == X86_VMALLOC_4 || v == X86_VMALLOC_5))
		VMT_SET(address_space, page_table_levels, a, v == X86_VMALLOC_4 ? 4 : 5);
	if (text >= X86_IMAGE)
		VMT_SET(address_space, image_offset_bytes, a, text - X86_IMAGE);
}

static const char *without_kcore(const struct vmt_sample *s)
{
	switch (s->sources[VMT_SOURCE_KCORE].error) {
	case 0:
		return "kcore has no such segment";
	case -ENOENT:
		return "without /proc/kcore its addresses are not shown";
	case -EACCES:
	case -EPERM:
		return "its addresses need /proc/kcore: root, CAP_SYS_RAWIO, no lockdown";
	default:
		return "its addresses need /proc/kcore, which could not be read";
	}
}

int vmt_model_kernel_ranges(struct vmt_model *m)
{
	const struct vmt_sample *s = m->sample;
	struct ranges r = { .m = m, .k = s->kernel, .no_kcore = without_kcore(s) };

	/* Nobody asked where things are. */
	if (s->sources[VMT_SOURCE_KCORE].error == 0 && s->sources[VMT_SOURCE_KCORE].reads == 0)
		return 0;
	m->ranges = vmt_arena_alloc(&m->arena, RANGES_MAX, sizeof(*m->ranges));
	if (!m->ranges)
		return -ENOMEM;
	r.x86 = vmt_bytes_is(s->host.machine, "x86_64");
	direct_map(&r);
	vmalloc_range(&r);
	vmemmap(&r);
	image(&r);
	modules(&r);
	others(&r);
	whole(&r);
	return 0;
}
