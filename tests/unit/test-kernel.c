/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel-rows.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>

#include "model/model.h"
#include "model/sample.h"
#include "source/kernel.h"

#define PAGE UINT64_C(4096)

static struct vmt_sample *sample(uint64_t ns)
{
	struct vmt_sample *s = vmt_sample_new();

	assert_non_null(s);
	s->host.monotonic_ns = ns;
	s->host.page_size = PAGE;
	s->host.machine = VMT_BYTES("x86_64");
	s->kernel = vmt_arena_alloc(&s->arena, 1, sizeof(*s->kernel));
	assert_non_null(s->kernel);
	s->kernel->uses = true;
	return s;
}

static int meminfo(struct vmt_sample *s, const char *text)
{
	return vmt_kernel_meminfo_parse(vmt_bytes_of(text), &s->arena, s->kernel, NULL);
}

static int vmstat(struct vmt_sample *s, const char *text)
{
	return vmt_kernel_vmstat_parse(vmt_bytes_of(text), &s->arena, s->kernel, NULL);
}

static void test_keys(void **state)
{
	VMT_AUTO_SAMPLE s = sample(1);
	struct vmt_err err = { 0 };
	uint64_t v = 7;

	assert_int_equal(meminfo(s, "MemTotal:  1000 kB\nHugePages_Total:   3\nTomorrow: 9 kB\n"),
			 0);
	assert_true(vmt_kernel_meminfo(s->kernel, "MemTotal", &v));
	assert_int_equal(v, 1024000);
	assert_true(vmt_kernel_meminfo(s->kernel, "HugePages_Total", &v));
	assert_int_equal(v, 3);
	assert_true(vmt_kernel_meminfo(s->kernel, "Tomorrow", &v));
	assert_false(vmt_kernel_meminfo(s->kernel, "Mem", &v));
	assert_int_equal(v, 9216);
	assert_int_equal(meminfo(s, "MemTotal: 1 MB\n"), -EINVAL);
	assert_int_equal(meminfo(s, "MemTotal: 1x kB\n"), -EINVAL);
	assert_int_equal(meminfo(s, "MemTotal 1 kB\n"), -EINVAL);
	assert_int_equal(meminfo(s, "DirectMap8M: much\n"), -EINVAL);
	assert_int_equal(meminfo(s, "MemTotal: 18014398509481984 kB\n"), -ERANGE);
	assert_int_equal(meminfo(s, "MemTotal: 18446744073709551616\n"), -ERANGE);
	/* As it was. */
	assert_int_equal(s->kernel->n_meminfo, 3);
	/* Of what is not known, a line may be of any form. */
	assert_int_equal(meminfo(s, "Later: words and 12\nMemTotal: 1 kB\nLater: 1 MB\n"), 0);
	assert_int_equal(s->kernel->n_meminfo, 1);

	assert_int_equal(vmstat(s, "nr_free_pages 5\nnr_iommu_pages 2\n"), 0);
	assert_true(vmt_kernel_vmstat(s->kernel, "nr_iommu_pages", &v));
	assert_int_equal(v, 2);
	assert_int_equal(
		vmt_kernel_vmstat_parse(VMT_BYTES("a 1\nnr_zspages\n"), &s->arena, s->kernel, &err),
		-EINVAL);
	assert_int_equal(err.line, 2);
	assert_int_equal(vmstat(s, "nr_zspages 1 2\n"), -EINVAL);
	assert_int_equal(vmstat(s, "\n"), -EINVAL);
	assert_int_equal(vmstat(s, "nr_zspages -1\n"), -EINVAL);
	assert_int_equal(s->kernel->n_counters, 2);
	assert_int_equal(vmstat(s, "later\npgfault 3\nlater 1 2\n"), 0);
	assert_int_equal(s->kernel->n_counters, 1);
	assert_field(counter, value, &s->kernel->counters[0], 3);
}

static int slabinfo(struct vmt_sample *s, const char *text, struct vmt_err *err)
{
	return vmt_slabinfo_parse(vmt_bytes_of(text), PAGE, &s->arena, s->kernel, err);
}

static void test_slabinfo(void **state)
{
	VMT_AUTO_SAMPLE s = sample(1);
	const struct vmt_slab *c;

	assert_int_equal(slabinfo(s,
				  SLAB_HEAD "dentry  20 42 192 21 1 : tunables 0 0 0 : slabdata 2 "
					    "2 0\n"
					    "a 7 b 9  1 2 8 512 1 : tunables 0 0 0 : slabdata 1 1 "
					    "0\n"
					    "later 0 0 8 512 1 : tunables 0 0 0 : slabdata 0 0 0 "
					    ": more 4\n",
				  NULL),
			 0);
	assert_int_equal(s->kernel->n_slabs, 3);
	c = &s->kernel->slabs[0];
	assert_text(slab, name, c, "dentry");
	assert_field(slab, objects_used, c, 20);
	assert_field(slab, objects_total, c, 42);
	assert_field(slab, object_bytes, c, 192);
	assert_field(slab, slab_objects, c, 21);
	assert_field(slab, slab_pages, c, 1);
	assert_field(slab, slabs, c, 2);
	assert_field(slab, size_bytes, c, 2 * PAGE);
	assert_field(slab, used_bytes, c, 20 * 192);
	assert_unknown(slab, reclaimable, c);
	/* A name with blanks and numbers in it. */
	assert_text(slab, name, &s->kernel->slabs[1], "a 7 b 9");
	assert_field(slab, objects_used, &s->kernel->slabs[1], 1);
	assert_field(slab, slabs, &s->kernel->slabs[2], 0);
}

static void test_malformed_slabinfo(void **state)
{
	static const struct {
		const char *text;
		int error;
		unsigned line;
	} cases[] = {
		{ "slabinfo - version: 3.0\n", -EINVAL, 1 },
		{ "dentry 1 2 3 4 5 : tunables 0 0 0 : slabdata 2 2 0\n", -EINVAL, 1 },
		{ SLAB_HEAD "dentry 1 2 3 4 5\n", -EINVAL, 3 },
		{ SLAB_HEAD "dentry 2 3 4 5 : tunables 0 0 0 : slabdata 2 2 0\n", -EINVAL, 3 },
		{ SLAB_HEAD " 1 2 3 4 5 : tunables 0 0 0 : slabdata 2 2 0\n", -EINVAL, 3 },
		{ SLAB_HEAD "dentry 1 2 3 4 x : tunables 0 0 0 : slabdata 2 2 0\n", -EINVAL, 3 },
		{ SLAB_HEAD "dentry 1 2 3 4 5 : tunables 0 0 0 : slabdata 2\n", -EINVAL, 3 },
		{ SLAB_HEAD "dentry 18446744073709551616 2 3 4 5 : tunables 0 : slabdata 2 2\n",
		  -ERANGE, 3 },
		{ SLAB_HEAD "dentry 1 2 3 4 18446744073709551615 : tunables 0 : slabdata 2 2\n",
		  -ERANGE, 3 },
		{ SLAB_HEAD "dentry 1 2 3 4 5 : slabdata 2 2 : tunables 0 0 0\n", -EINVAL, 3 },
		{ SLAB_HEAD "d 1 2 3 x 5 : tunables 0 0 0 : slabdata 2 2 0\n", -EINVAL, 3 },
		{ SLAB_HEAD "d 1 2 x 4 5 : tunables 0 0 0 : slabdata 2 2 0\n", -EINVAL, 3 },
		{ SLAB_HEAD "d 1 x 3 4 5 : tunables 0 0 0 : slabdata 2 2 0\n", -EINVAL, 3 },
		{ SLAB_HEAD "d 1 2 3 4 5 : tunables 0 0 0 : slabdata x 2 0\n", -EINVAL, 3 },
		{ SLAB_HEAD " : tunables  : slabdata 2 2 0\n", -EINVAL, 3 },
		{ SLAB_HEAD "\n", -EINVAL, 3 },
		/* Pages that are no bytes. */
		{ SLAB_HEAD "d 1 2 3 4 4503599627370496 : tunables 0 : slabdata 1 1\n", -ERANGE,
		  3 },
		{ SLAB_HEAD "dentry 99999999999 2 9999999999 4 5 : tunables 0 : slabdata 2 2\n",
		  -ERANGE, 3 },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		VMT_AUTO_SAMPLE s = sample(1);
		struct vmt_err err = { 0 };

		assert_int_equal(slabinfo(s, cases[i].text, &err), cases[i].error);
		assert_int_equal(err.line, cases[i].line);
		assert_int_equal(s->kernel->n_slabs, 0);
	}
}

/* Lists against counts: what a difference is, and what is unknown. */
static void test_slab_sums(void **state)
{
	VMT_AUTO_SAMPLE s = sample(1);
	VMT_AUTO_MODEL m = NULL;

	assert_int_equal(slabinfo(s,
				  SLAB_HEAD
				  "dentry  20 42 192 21 1 : tunables 0 0 0 : slabdata 2 2 0\n"
				  "pid 0 32 128 32 1 : tunables 0 0 0 : slabdata 1 1 0\n"
				  "empty 0 0 128 32 1 : tunables 0 0 0 : slabdata 0 0 0\n",
				  NULL),
			 0);
	assert_int_equal(meminfo(s, "Slab: 20 kB\nSReclaimable: 4 kB\n"), 0);
	VMT_SET(slab, reclaimable, &s->kernel->slabs[0], true);
	VMT_SET(slab, reclaimable, &s->kernel->slabs[1], false);
	assert_int_equal(vmt_model_build(s, NULL, NULL, &m, NULL), 0);
	assert_int_equal(m->n_slabs, 3);
	assert_field(slab, unused_bytes, &m->slabs[0], 2 * PAGE - 20 * 192);
	assert_field(kernel_sum, listed_bytes, sum(m, "slab"), 3 * PAGE);
	assert_field(kernel_sum, counted_bytes, sum(m, "slab"), 20 * 1024);
	assert_field(kernel_sum, difference_bytes, sum(m, "slab"), 2 * 4096);
	assert_field(kernel_sum, listed_bytes, sum(m, "slab, reclaimable"), 2 * PAGE);
	assert_field(kernel_sum, difference_bytes, sum(m, "slab, reclaimable"), -4096);
	/* No SUnreclaim. */
	assert_field(kernel_sum, listed_bytes, sum(m, "slab, unreclaimable"), PAGE);
	assert_unknown(kernel_sum, counted_bytes, sum(m, "slab, unreclaimable"));
	assert_unknown(kernel_sum, difference_bytes, sum(m, "slab, unreclaimable"));
}

static void test_slabs_of_unknown_kind(void **state)
{
	VMT_AUTO_SAMPLE s = sample(1);
	VMT_AUTO_MODEL m = NULL;

	assert_int_equal(
		slabinfo(s, SLAB_HEAD "dentry  20 42 192 21 1 : tunables 0 0 0 : slabdata 2 2 0\n",
			 NULL),
		0);
	assert_int_equal(meminfo(s, "Slab: 8 kB\nSReclaimable: 4 kB\nSUnreclaim: 4 kB\n"), 0);
	assert_int_equal(vmt_model_build(s, NULL, NULL, &m, NULL), 0);
	assert_field(kernel_sum, difference_bytes, sum(m, "slab"), 0);
	assert_unknown(kernel_sum, listed_bytes, sum(m, "slab, reclaimable"));
	assert_unknown(kernel_sum, difference_bytes, sum(m, "slab, unreclaimable"));
}

/* As Linux 5.10 and 6.18 print them: hashed addresses, and one that is hidden. */
static const char areas[] =
	"0x00000000a2eb7501-0x00000000ac79290c   20480 irq_init_percpu_irqstack+0xcf/0x100 vmap\n"
	"0x0000000000000000-0x0000000000000000   20480 kernel_clone+0x94/0x3e0 pages=4 vmalloc "
	"N0=4\n"
	"0x00000000cb554c8f-0x00000000d2ec0edd   20480 kernel_clone+0x98/0x3e0 pages=4 vmalloc "
	"N0=2 N1=2\n"
	"0xffffc90000000000-0xffffc90000002000    8192 map_cap+0x1bc/0x1e0 [virtio_pci] "
	"phys=0x00000000000a0000 ioremap\n"
	"0xffffc90000000000-0xffffc90000002000    8192 map_cap+0x1bc/0x1e0 "
	"phys=0x00000000000a0000 ioremap\n"
	"0x0000000009037f3d-0x0000000016c05bf4 2097152 pcpu_get_vm_areas+0x0/0x1050 vmalloc\n"
	"0x000000008e6f87e1-0x000000005dbb1e83   20480 unpurged vm_area\n"
	"0x000000008e6f87e1-0x000000005dbb1e83    4096 vm_map_ram\n"
	"0x000000008e6f87e1-0x000000005dbb1e83   12288 bpf_map+0x1/0x2 pages=2 vmalloc user vpages "
	"tomorrow=3\n"
	"0x000000008e6f87e1-0x000000005dbb1e83   12288 vb2_vmalloc+0x1/0x2 pages=2 vmap\n";

static void test_vmallocinfo(void **state)
{
	static const struct {
		const char *caller, *module, *kind;
		uint64_t areas, size, pages;
	} want[] = {
		{ "irq_init_percpu_irqstack", NULL, "vmap", 1, 20480, 0 },
		{ "kernel_clone", NULL, "vmalloc", 2, 40960, 8 },
		{ "map_cap", "virtio_pci", "ioremap", 1, 8192, 0 },
		{ "map_cap", NULL, "ioremap", 1, 8192, 0 },
		{ "pcpu_get_vm_areas", NULL, "vmalloc", 1, 2097152, 0 },
		{ NULL, NULL, "unpurged", 1, 20480, 0 },
		{ NULL, NULL, "vm_map_ram", 1, 4096, 0 },
		{ "bpf_map", NULL, "user", 1, 12288, 2 },
		{ "vb2_vmalloc", NULL, "vmap", 1, 12288, 2 },
	};
	VMT_AUTO_SAMPLE s = sample(1);
	VMT_AUTO_MODEL m = NULL;
	size_t i;

	assert_int_equal(
		vmt_vmallocinfo_parse(vmt_bytes_of(areas), PAGE, &s->arena, s->kernel, NULL), 0);
	assert_int_equal(s->kernel->n_vmalloc, VMT_ARRAY_LEN(want));
	for (i = 0; i < VMT_ARRAY_LEN(want); i++) {
		const struct vmt_vmalloc *v = &s->kernel->vmalloc[i];

		if (want[i].caller)
			assert_text(vmalloc, caller, v, want[i].caller);
		else
			assert_unknown(vmalloc, caller, v);
		if (want[i].module)
			assert_text(vmalloc, module, v, want[i].module);
		else
			assert_unknown(vmalloc, module, v);
		assert_text(vmalloc, kind, v, want[i].kind);
		assert_field(vmalloc, areas, v, want[i].areas);
		assert_field(vmalloc, size_bytes, v, want[i].size);
		assert_field(vmalloc, memory_bytes, v, want[i].pages * PAGE);
	}
	assert_int_equal(s->kernel->vmalloc_put_bytes, 2 * PAGE);
	assert_int_equal(meminfo(s, "VmallocUsed: 44 kB\n"), 0);
	assert_int_equal(vmt_model_build(s, NULL, NULL, &m, NULL), 0);
	/* Without what vmap() was given. */
	assert_text(kernel_sum, name, &m->kernel_sums[0], "vmalloc, memory");
	assert_field(kernel_sum, listed_bytes, &m->kernel_sums[0], 10 * PAGE);
	assert_field(kernel_sum, difference_bytes, &m->kernel_sums[0], 4096);
}

static void test_malformed_vmallocinfo(void **state)
{
	static const struct {
		const char *text;
		int error;
	} cases[] = {
		{ "0x0-0x1 4096 vmap\nno addresses 4096 vmap\n", -EINVAL },
		{ "0x0-0x1 4096 vmap\n0x0-0x1\n", -EINVAL },
		{ "0x0-0x1 4096 vmap\n0x0-0x1 many vmap\n", -EINVAL },
		{ "0x0-0x1 4096 vmap\n0x0-0x1 4096 pages=x vmap\n", -EINVAL },
		{ "0x0-0x1 4096 vmap\n0x0-0x1 18446744073709551616 vmap\n", -ERANGE },
		{ "0x0-0x1 4096 vmap\n0x0-0x1 18446744073709551615 vmap\n", -ERANGE },
		{ "0x0-0x1 4096 vmap\n0x0-0x1 1 pages=18446744073709551615 vmalloc\n", -ERANGE },
		{ "0x0-0x1 4096 vmap\n0x0 0x1 4096 vmap\n", -EINVAL },
		{ "0x0-0x1 1 pages=4503599627370495 user\n0x0-0x1 1 pages=1 user\n", -ERANGE },
		/* Of two callers, each a sum that fits, and both together do not. */
		{ "0x0-0x1 1 a+0x1/0x2 pages=4503599627370495 vmap\n0x0-0x1 1 b+0x1/0x2 pages=1 "
		  "vmap\n",
		  -ERANGE },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		VMT_AUTO_SAMPLE s = sample(1);
		struct vmt_err err = { 0 };

		assert_int_equal(vmt_vmallocinfo_parse(vmt_bytes_of(cases[i].text), PAGE, &s->arena,
						       s->kernel, &err),
				 cases[i].error);
		assert_int_equal(err.line, 2);
		assert_int_equal(s->kernel->n_vmalloc, 0);
	}
}

static void test_sockstat(void **state)
{
	struct vmt_kernel_sample k = { 0 };

	assert_int_equal(vmt_sockstat_parse(VMT_BYTES("sockets: used 16\n"
						      "TCP: inuse 1 orphan 0 tw 0 alloc 1 mem 185\n"
						      "UDPLITE: inuse 0\n"
						      "FRAG: inuse 0 memory 96\n"),
					    &k, NULL),
			 0);
	assert_true(k.has_tcp);
	assert_int_equal(k.tcp_pages, 185);
	assert_false(k.has_udp);
	assert_true(k.has_frag);
	assert_int_equal(k.frag_bytes, 96);
	assert_int_equal(vmt_sockstat_parse(VMT_BYTES("TCP: inuse 1 mem\n"), &k, NULL), -EINVAL);
	assert_int_equal(vmt_sockstat_parse(VMT_BYTES("UDP: mem x\n"), &k, NULL), -EINVAL);
	assert_int_equal(k.tcp_pages, 185);
}

static void test_modules(void **state)
{
	struct vmt_kernel_sample k = { 0 }, hidden = { 0 }, bad = { 0 };

	assert_int_equal(vmt_modules_parse(VMT_BYTES("nf 8192 1 a,b, Live 0xffffffffc0a02000 (E)\n"
						     "ext4 4096 0 - Live 0xffffffffc0a00000\n"),
					   &k, NULL),
			 0);
	assert_int_equal(k.modules, 2);
	assert_int_equal(k.modules_bytes, 12288);
	assert_true(k.has_module_range);
	assert_int_equal(k.module_start, 0xffffffffc0a00000);
	assert_int_equal(k.module_end, 0xffffffffc0a04000);
	assert_int_equal(vmt_modules_parse(VMT_BYTES("nf 8192 1 - Live 0x0000000000000000\n"),
					   &hidden, NULL),
			 0);
	assert_true(hidden.has_modules);
	assert_false(hidden.has_module_range);
	assert_int_equal(
		vmt_modules_parse(VMT_BYTES("nf 1 1 - Live 0xffffffffffffffff\n"), &bad, NULL),
		-ERANGE);
	assert_int_equal(vmt_modules_parse(VMT_BYTES("nf\n"), &bad, NULL), -EINVAL);
	assert_int_equal(vmt_modules_parse(VMT_BYTES("nf 1 1 - Live 0xg\n"), &bad, NULL), -EINVAL);
	assert_false(bad.has_modules);
}

static void test_kallsyms(void **state)
{
	struct vmt_kernel_sample k = { 0 };

	assert_int_equal(vmt_kallsyms_line(VMT_BYTES("ffffffff81000000 T _text"), &k), 0);
	assert_int_equal(vmt_kallsyms_line(VMT_BYTES("ffffffff81000000 T _text_not"), &k), 0);
	assert_int_equal(vmt_kallsyms_line(VMT_BYTES("ffffffffc0000000 t _end\t[mod]"), &k), 0);
	assert_int_equal(k.symbols[VMT_IMAGE_TEXT], 0xffffffff81000000);
	assert_int_equal(k.symbols[VMT_IMAGE_END], 0);
	assert_int_equal(vmt_kallsyms_line(VMT_BYTES("nothing"), &k), -EINVAL);
	assert_int_equal(vmt_kallsyms_line(VMT_BYTES("ffffffff81000000"), &k), -EINVAL);
	assert_int_equal(vmt_kallsyms_line(VMT_BYTES("11ffffffff81000000 T _text"), &k), -ERANGE);
}

/* A core with the segments of an x86-64 machine: vmalloc, modules, vsyscall, the image, RAM in two
 * pieces, and vmemmap. */
static size_t make_core(char *to, size_t room)
{
	static const struct {
		uint64_t start, size, physical;
	} parts[] = {
		{ 0xffffc90000000000, (UINT64_C(32) << 40) - 1, UINT64_MAX },
		{ 0xffffffffc0000000, 0x3f000000, UINT64_MAX },
		{ 0xffffffffff600000, 0x1000, UINT64_MAX },
		{ 0xffffffff81000000, 0x3000000, 0x1000000 },
		{ 0xffff888000001000, 0x9e000, 0x1000 },
		{ 0xffff888000100000, 0xbff00000, 0x100000 },
		{ 0xffffea0000000000, 0x3000000, UINT64_MAX },
	};
	Elf64_Ehdr ehdr = { .e_type = ET_CORE,
			    .e_phoff = sizeof(ehdr),
			    .e_phentsize = sizeof(Elf64_Phdr),
			    .e_phnum = VMT_ARRAY_LEN(parts) + 1 };
	Elf64_Phdr phdr = { .p_type = PT_NOTE, .p_memsz = 100 };
	size_t i, n = sizeof(ehdr);

	memcpy(ehdr.e_ident, ELFMAG, SELFMAG);
	ehdr.e_ident[EI_CLASS] = ELFCLASS64;
	ehdr.e_ident[EI_DATA] = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB
									  : ELFDATA2MSB;
	assert_true(room >= n + (VMT_ARRAY_LEN(parts) + 1) * sizeof(phdr));
	memcpy(to, &ehdr, sizeof(ehdr));
	memcpy(to + n, &phdr, sizeof(phdr));
	n += sizeof(phdr);
	for (i = 0; i < VMT_ARRAY_LEN(parts); i++, n += sizeof(phdr)) {
		phdr = (Elf64_Phdr){ .p_type = PT_LOAD,
				     .p_vaddr = parts[i].start,
				     .p_paddr = parts[i].physical,
				     .p_memsz = parts[i].size };
		memcpy(to + n, &phdr, sizeof(phdr));
	}
	return n;
}

#define assert_place(m, name, first, end)                                                          \
	do {                                                                                       \
		const struct vmt_kernel_range *r_ = range(m, name);                                \
		assert_field(kernel_range, start, r_, first);                                      \
		assert_field(kernel_range, last, r_, end);                                         \
		assert_field(kernel_range, size_bytes, r_, (end) - (first) + 1);                   \
	} while (0)

static void test_layout(void **state)
{
	VMT_AUTO_SAMPLE s = sample(1);
	VMT_AUTO_MODEL m = NULL;
	char core[1024];
	size_t n = make_core(core, sizeof(core));

	assert_int_equal(vmt_kcore_parse((struct vmt_bytes){ core, n }, &s->arena, s->kernel, NULL),
			 0);
	assert_int_equal(s->kernel->n_segments, 7);
	assert_int_equal(meminfo(s, "VmallocTotal: 34359738367 kB\nVmallocUsed: 100 kB\n"
				    "DirectMap4k: 4 kB\nDirectMap2M: 2048 kB\n"),
			 0);
	assert_int_equal(vmt_kallsyms_line(VMT_BYTES("ffffffff8a000000 T _text"), s->kernel), 0);
	assert_int_equal(vmt_kallsyms_line(VMT_BYTES("ffffffff8b000000 T _etext"), s->kernel), 0);
	s->kernel->has_symbols = true;
	s->sources[VMT_SOURCE_KCORE].reads = 1;
	assert_int_equal(vmt_model_build(s, NULL, NULL, &m, NULL), 0);
	assert_place(m, "direct map", 0xffff888000001000, UINT64_C(0xffff8880bfffffff));
	assert_field(kernel_range, used_bytes, range(m, "direct map"), 2052 * 1024);
	assert_field(kernel_range, used_bytes, range(m, "direct map, 2 MiB pages"), 2048 * 1024);
	assert_place(m, "vmalloc", 0xffffc90000000000, UINT64_C(0xffffe8fffffffffe));
	assert_field(kernel_range, used_bytes, range(m, "vmalloc"), 102400);
	assert_place(m, "vmemmap", 0xffffea0000000000, UINT64_C(0xffffea0002ffffff));
	assert_unknown(kernel_range, used_bytes, range(m, "vmemmap"));
	assert_place(m, "modules", 0xffffffffc0000000, UINT64_C(0xfffffffffeffffff));
	assert_place(m, "vsyscall", 0xffffffffff600000, UINT64_C(0xffffffffff600fff));
	assert_place(m, "image, code", 0xffffffff8a000000, UINT64_C(0xffffffff8affffff));
	assert_unknown(kernel_range, start, range(m, "image, bss"));
	assert_unknown(kernel_range, size_bytes, range(m, "fixmap"));
	assert_field(address_space, page_table_levels, &m->address_space, 4);
	assert_field(address_space, image_offset_bytes, &m->address_space, 0x9000000);
	assert_field(address_space, pointers_shown, &m->address_space, true);
}

/* Nothing is shown: sizes that everybody may know, and no address, 0 least of all. */
static void test_layout_that_is_hidden(void **state)
{
	VMT_AUTO_SAMPLE s = sample(1);
	VMT_AUTO_MODEL m = NULL;
	size_t i;

	assert_int_equal(meminfo(s, "VmallocTotal: 13743895347199 kB\nHighTotal: 8 kB\n"
				    "HighFree: 2 kB\n"),
			 0);
	assert_int_equal(vmt_kallsyms_line(VMT_BYTES("0000000000000000 T _text"), s->kernel), 0);
	assert_int_equal(vmt_kallsyms_line(VMT_BYTES("0000000000000000 T _etext"), s->kernel), 0);
	assert_int_equal(vmt_modules_parse(VMT_BYTES("ext4 4096 0 - Live 0x0000000000000000\n"),
					   s->kernel, NULL),
			 0);
	s->kernel->has_symbols = true;
	s->sources[VMT_SOURCE_KCORE].error = -EACCES;
	assert_int_equal(vmt_model_build(s, NULL, NULL, &m, NULL), 0);
	for (i = 0; i < m->n_ranges; i++) {
		assert_unknown(kernel_range, start, &m->ranges[i]);
		assert_unknown(kernel_range, last, &m->ranges[i]);
	}
	assert_field(kernel_range, size_bytes, range(m, "vmalloc"),
		     UINT64_C(13743895347199) * 1024);
	assert_unknown(kernel_range, size_bytes, range(m, "direct map"));
	assert_field(kernel_range, used_bytes, range(m, "modules"), 4096);
	assert_field(kernel_range, used_bytes, range(m, "highmem"), 6 * 1024);
	assert_unknown(kernel_range, size_bytes, range(m, "kmap"));
	assert_field(address_space, page_table_levels, &m->address_space, 5);
	assert_unknown(address_space, image_offset_bytes, &m->address_space);
	assert_field(address_space, pointers_shown, &m->address_space, false);
}

static void test_malformed_kcore(void **state)
{
	VMT_AUTO_SAMPLE s = sample(1);
	char core[1024];
	size_t n = make_core(core, sizeof(core)), i;
	Elf64_Ehdr *ehdr = (Elf64_Ehdr *)(void *)core;
	Elf64_Phdr *phdr = (Elf64_Phdr *)(void *)(core + sizeof(*ehdr));

	/* Any end of it but the last. */
	for (i = 0; i < n; i++)
		assert_int_equal(
			vmt_kcore_parse((struct vmt_bytes){ core, i }, &s->arena, s->kernel, NULL),
			-EINVAL);
	ehdr->e_ident[EI_CLASS] = ELFCLASS32;
	assert_int_equal(vmt_kcore_parse((struct vmt_bytes){ core, n }, &s->arena, s->kernel, NULL),
			 -EINVAL);
	ehdr->e_ident[EI_CLASS] = ELFCLASS64;
	phdr[1].p_memsz = UINT64_MAX;
	assert_int_equal(vmt_kcore_parse((struct vmt_bytes){ core, n }, &s->arena, s->kernel, NULL),
			 -EINVAL);
	ehdr->e_phoff = UINT64_MAX - 8;
	assert_int_equal(vmt_kcore_parse((struct vmt_bytes){ core, n }, &s->arena, s->kernel, NULL),
			 -EINVAL);
	assert_int_equal(s->kernel->n_segments, 0);
}

static const struct vmt_kernel_use *use_any(const struct vmt_model *m, const char *name)
{
	size_t i;

	for (i = 0; i < m->n_uses; i++)
		if (vmt_bytes_is(m->uses[i].name, name))
			return &m->uses[i];
	return NULL;
}

static const struct vmt_kernel_use *use(const struct vmt_model *m, const char *name)
{
	const struct vmt_kernel_use *u = use_any(m, name);

	if (u)
		return u;
	fail_msg("there is no use %s", name);
	abort();
}

#define MEMINFO                                                                                    \
	"MemTotal: 10000 kB\nKReclaimable: 150 kB\nSlab: 300 kB\nSReclaimable: 100 kB\n"           \
	"SUnreclaim: 200 kB\nPageTables: 40 kB\n"

static void test_uses(void **state)
{
	VMT_AUTO_SAMPLE before = sample(1);
	VMT_AUTO_SAMPLE s = sample(1000000001);
	VMT_AUTO_MODEL m = NULL;

	assert_int_equal(meminfo(before, MEMINFO "KernelStack: 60 kB\nVmallocUsed: 30 kB\n"), 0);
	assert_int_equal(vmstat(before, "pgfault 100\nnr_free_pages 50\n"), 0);
	assert_int_equal(meminfo(s, MEMINFO "KernelStack: 64 kB\nVmallocUsed: 30 kB\n"
					    "Percpu: 16 kB\nSecPageTables: 8 kB\n"),
			 0);
	assert_int_equal(vmstat(s, "pgfault 2600\nnr_free_pages 49\n"), 0);
	assert_int_equal(vmt_sockstat_parse(VMT_BYTES("TCP: mem 3\n"), s->kernel, NULL), 0);
	assert_int_equal(vmt_model_build(s, before, NULL, &m, NULL), 0);
	assert_field(kernel_use, size_bytes, use(m, "other reclaimable"), 50 * 1024);
	assert_field(kernel_use, size_bytes, use(m, "secondary page tables"), 8 * 1024);
	assert_field(kernel_use, size_bytes, use(m, "sockets, TCP"), 3 * PAGE);
	assert_field(kernel_use, delta_bytes, use(m, "kernel stacks"), 4096);
	assert_unknown(kernel_use, delta_bytes, use(m, "percpu"));
	/* What was not read, or is not counted, is not 0. */
	assert_unknown(kernel_use, size_bytes, use(m, "sockets, UDP"));
	assert_unknown(kernel_use, size_bytes, use(m, "lists of the processors"));
	assert_unknown(kernel_use, size_bytes, use(m, "secretmem"));
	/* What this kernel has no word for is no row. */
	assert_null(use_any(m, "hugetlb"));
	assert_null(use_any(m, "zsmalloc"));
	/* 100 + 200 + 50 + vmalloc 30, which has not the stacks, 64, + 40 + 8 + 16 */
	assert_text(kernel_sum, name, &m->kernel_sums[0], "held by the kernel");
	assert_field(kernel_sum, listed_bytes, &m->kernel_sums[0], 508 * 1024);
	assert_text(kernel_use, in, use(m, "kernel stacks"), "total");
	assert_field(kernel_sum, difference_bytes, &m->kernel_sums[0], (10000 - 508) * 1024);
	assert_int_equal(m->n_counters, 2);
	assert_field(counter, delta_per_second, &m->counters[0], 2500000);
	assert_field(counter, delta_per_second, &m->counters[1], -1000);
	/* Nobody asked where anything is. */
	assert_int_equal(m->n_ranges, 0);
}

/* Of the two kinds of stacks both lie in vmalloc, if either does. */
static void test_stacks_in_vmalloc(void **state)
{
	VMT_AUTO_SAMPLE s = sample(1);
	VMT_AUTO_MODEL m = NULL;

	assert_int_equal(meminfo(s, MEMINFO "KernelStack: 64 kB\nShadowCallStack: 4 kB\n"
					    "VmallocUsed: 68 kB\nPercpu: 16 kB\n"),
			 0);
	assert_int_equal(vmt_model_build(s, NULL, NULL, &m, NULL), 0);
	assert_text(kernel_use, in, use(m, "kernel stacks"), "vmalloc");
	assert_text(kernel_use, in, use(m, "shadow call stacks"), "vmalloc");
	/* 100 + 200 + 50 + 68 + 40 + 16 */
	assert_field(kernel_sum, listed_bytes, &m->kernel_sums[0], 474 * 1024);
}

static void test_a_sum_with_a_part_unknown(void **state)
{
	VMT_AUTO_SAMPLE s = sample(1);
	VMT_AUTO_MODEL m = NULL;

	assert_int_equal(meminfo(s, "MemTotal: 10 kB\nSReclaimable: 1 kB\nSUnreclaim: 1 kB\n"), 0);
	assert_int_equal(vmt_model_build(s, NULL, NULL, &m, NULL), 0);
	assert_unknown(kernel_use, size_bytes, use(m, "page tables"));
	assert_int_equal(m->n_kernel_sums, 0);
}

static int all(void *arg)
{
	struct vmt_sample *s = vmt_sample_new();
	struct vmt_model *m = NULL;
	int r;

	if (!s)
		return -ENOMEM;
	s->host.page_size = PAGE;
	s->sources[VMT_SOURCE_KCORE].error = -ENOENT;
	s->kernel = vmt_arena_alloc(&s->arena, 1, sizeof(*s->kernel));
	r = s->kernel ? 0 : -ENOMEM;
	if (r == 0)
		r = meminfo(s, MEMINFO);
	if (r == 0)
		r = vmstat(s, "pgfault 2600\n");
	if (r == 0)
		r = slabinfo(s, SLAB_HEAD "d 2 4 8 4 1 : tunables 0 0 0 : slabdata 2 2 0\n", NULL);
	if (r == 0)
		r = vmt_vmallocinfo_parse(vmt_bytes_of(areas), PAGE, &s->arena, s->kernel, NULL);
	if (r == 0)
		r = vmt_model_build(s, NULL, NULL, &m, NULL);
	vmt_model_free(m);
	vmt_sample_free(s);
	return r;
}

static void test_out_of_memory(void **state)
{
	assert_true(unit_piece_sweep(all, NULL) > 5);
}

/* In brackets a module stands, and only the first; empty ones are none. Lines of nothing are none.
 */
static void test_words_of_areas(void **state)
{
	static const char text[] = "0x0-0x1 4096 f+0x1/0x2 [a] [b] g+0x3/0x4 vmalloc\n"
				   "0x0-0x1 4096 f+0x1/0x2 [] vmalloc\n"
				   "0x0-0x1 4096 f+0x1/0x2 [c vmalloc\n";
	VMT_AUTO_SAMPLE s = sample(1);
	const struct vmt_vmalloc *v;

	assert_int_equal(vmt_vmallocinfo_parse(VMT_BYTES(text), PAGE, &s->arena, s->kernel, NULL),
			 0);
	v = s->kernel->vmalloc;
	assert_int_equal(s->kernel->n_vmalloc, 2);
	assert_text(vmalloc, caller, &v[0], "f");
	assert_text(vmalloc, module, &v[0], "a");
	assert_text(vmalloc, caller, &v[1], "f");
	assert_unknown(vmalloc, module, &v[1]);
	assert_field(vmalloc, areas, &v[1], 2);
	assert_int_equal(vmt_vmallocinfo_parse(VMT_BYTES(""), PAGE, &s->arena, s->kernel, NULL), 0);
	assert_int_equal(s->kernel->n_vmalloc, 0);
}

static void test_malformed_modules(void **state)
{
	static const struct {
		const char *text;
		int error;
	} cases[] = {
		{ "a 1 0 - Live 0x1000\n\n", -EINVAL },
		{ "a 1 0 - Live 0x1000\na x 0 - Live 0x1000\n", -EINVAL },
		{ "a 1 0 - Live 0x1000\na 1 0 - Live 0x1000g\n", -EINVAL },
		{ "a 1 0 - Live 0x1000\na 1 0 - Live 0x11000000000000000\n", -ERANGE },
		{ "a 1 0 - Live 0x1000\na 18446744073709551615 0 - Live\n", -ERANGE },
	};
	struct vmt_kernel_sample k = { 0 };
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		struct vmt_err err = { 0 };

		assert_int_equal(vmt_modules_parse(vmt_bytes_of(cases[i].text), &k, &err),
				 cases[i].error);
		assert_int_equal(err.line, 2);
		assert_false(k.has_modules);
	}
	/* One that is loaded and says no address; and the range of several, in any order. */
	assert_int_equal(
		vmt_modules_parse(VMT_BYTES("a 4096 0 - Live\nb 16 0 - Live 0x2000\n"
					    "c 16 0 - Live 0x1000\nd 16 0 - Live 0x1800\n"),
				  &k, NULL),
		0);
	assert_int_equal(k.modules, 4);
	assert_int_equal(k.module_start, 0x1000);
	assert_int_equal(k.module_end, 0x2010);
}

static void test_lines_that_are_no_symbols(void **state)
{
	static const char *const bad[] = { "", "T _text", "1T", "1 T", "1\tT _text", "1 T\t_text" };
	struct vmt_kernel_sample k = { 0 };
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(bad); i++)
		assert_int_equal(vmt_kallsyms_line(vmt_bytes_of(bad[i]), &k), -EINVAL);
	assert_int_equal(k.symbols[VMT_IMAGE_TEXT], 0);
}

/* Each part of the header that makes it a core of this machine, and segments that are none. */
static void test_headers_of_kcore(void **state)
{
	VMT_AUTO_SAMPLE s = sample(1);
	char core[1024];
	size_t n = make_core(core, sizeof(core)), i;
	Elf64_Ehdr *ehdr = (Elf64_Ehdr *)(void *)core;
	Elf64_Phdr *phdr = (Elf64_Phdr *)(void *)(core + sizeof(*ehdr));
	const Elf64_Ehdr good = *ehdr;

	for (i = 0; i < 5; i++) {
		*ehdr = good;
		if (i == 0)
			ehdr->e_ident[EI_MAG0]++;
		if (i == 1)
			ehdr->e_ident[EI_DATA] = ELFDATANONE;
		if (i == 2)
			ehdr->e_type = ET_EXEC;
		if (i == 3)
			ehdr->e_phentsize++;
		if (i == 4)
			ehdr->e_phoff = n + 1;
		assert_int_equal(
			vmt_kcore_parse((struct vmt_bytes){ core, n }, &s->arena, s->kernel, NULL),
			-EINVAL);
	}
	*ehdr = good;
	phdr[1].p_memsz = 0;
	assert_int_equal(vmt_kcore_parse((struct vmt_bytes){ core, n }, &s->arena, s->kernel, NULL),
			 0);
	assert_int_equal(s->kernel->n_segments, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_slabinfo),
		cmocka_unit_test(test_malformed_slabinfo),
		cmocka_unit_test(test_slab_sums),
		cmocka_unit_test(test_slabs_of_unknown_kind),
		cmocka_unit_test(test_vmallocinfo),
		cmocka_unit_test(test_malformed_vmallocinfo),
		cmocka_unit_test(test_sockstat),
		cmocka_unit_test(test_modules),
		cmocka_unit_test(test_kallsyms),
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_layout_that_is_hidden),
		cmocka_unit_test(test_malformed_kcore),
		cmocka_unit_test(test_uses),
		cmocka_unit_test(test_stacks_in_vmalloc),
		cmocka_unit_test(test_a_sum_with_a_part_unknown),
		cmocka_unit_test(test_out_of_memory),
		cmocka_unit_test(test_words_of_areas),
		cmocka_unit_test(test_malformed_modules),
		cmocka_unit_test(test_lines_that_are_no_symbols),
		cmocka_unit_test(test_headers_of_kcore),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
