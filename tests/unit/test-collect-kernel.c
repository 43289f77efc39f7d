/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of the kernel's own memory, out of files that are not as they should be. */
#include <elf.h>
#include <errno.h>
#include <unistd.h>

#include "model/kernel-sample.h"
#include "kernel-rows.h"
#include "saved.h"
#include "source/collect-kernel.h"

#define BIT(id)	   VMT_SOURCE_BIT(id)
#define SLAB(name) name " 1 2 64 64 1 : tunables 0 0 0 : slabdata 1 1 0\n"

/* A sample of the kernel of this root, of those sources. */
static struct vmt_sample *kernel_of(const struct unit_dir *d, uint64_t sources)
{
	struct vmt_collector *c = collector(d->path);
	struct vmt_sample *s = collect(c, BIT(MEMINFO), 0);

	assert_int_equal(vmt_collect_kernel(c, s, sources), 0);
	vmt_collector_free(c);
	return s;
}

static void link_to(const struct unit_dir *d, const char *target, const char *name)
{
	assert_int_equal(symlinkat(target, d->fd, name), 0);
}

/* A cache is reclaimable or not by its folder, by the one that it is merged with, or nobody knows.
 */
static void caches(void **state)
{
	static const struct {
		const char *name;
		int reclaimable; /* -1: unknown */
	} want[] = {
		{ "alone", 1 }, { "merged", 0 }, { "elsewhere", -1 },
		{ "a/b", -1 },	{ "..", -1 },	 { "absent", -1 },
		{ "odd", -1 },	{ "empty", -1 }, { "nowhere", -1 },
	};
	struct vmt_sample *s;
	struct unit_dir d;

	(void)state;
	save(&d);
	unit_dir_write(&d, "proc/slabinfo",
		       SLAB_HEAD SLAB("alone") SLAB("merged") SLAB("elsewhere") SLAB("a/b")
			       SLAB("..") SLAB("absent") SLAB("odd") SLAB("empty") SLAB("nowhere"));
	/* Without the folder nothing is known of any. */
	s = kernel_of(&d, BIT(SLABINFO) | BIT(SLAB));
	assert_int_equal(s->sources[VMT_SOURCE_SLAB].error, -ENOENT);
	assert_int_equal(s->sources[VMT_SOURCE_SLABINFO].error, 0);
	vmt_sample_free(s);

	unit_dir_write(&d, "sys/kernel/slab/alone/reclaim_account", "1\n");
	unit_dir_write(&d, "sys/kernel/slab/:0000064/reclaim_account", "0\n");
	unit_dir_write(&d, "sys/kernel/slab/a/b/reclaim_account", "1\n");
	unit_dir_write(&d, "sys/kernel/slab/reclaim_account", "1\n");
	unit_dir_write(&d, "sys/kernel/reclaim_account", "1\n");
	unit_dir_write(&d, "sys/kernel/slab/odd/reclaim_account", "yes\n");
	unit_dir_write(&d, "sys/kernel/slab/empty/reclaim_account", "");
	link_to(&d, ":0000064", "sys/kernel/slab/merged");
	link_to(&d, "../slab/alone", "sys/kernel/slab/elsewhere");
	link_to(&d, "gone", "sys/kernel/slab/nowhere");
	s = kernel_of(&d, BIT(SLABINFO) | BIT(SLAB));
	assert_int_equal(s->kernel->n_slabs, VMT_ARRAY_LEN(want));
	for (size_t i = 0; i < VMT_ARRAY_LEN(want); i++) {
		const struct vmt_slab *row = &s->kernel->slabs[i];

		assert_true(vmt_bytes_is(row->name, want[i].name));
		if (VMT_HAS(slab, reclaimable, row) != (want[i].reclaimable >= 0))
			fail_msg("%s: %d", want[i].name, VMT_HAS(slab, reclaimable, row));
		if (want[i].reclaimable >= 0)
			assert_field(slab, reclaimable, row, want[i].reclaimable == 1);
	}
	/* Some are known: that others came or went is no fault of the folder. */
	assert_int_equal(s->sources[VMT_SOURCE_SLAB].error, 0);
	vmt_sample_free(s);

	/* Without the names of caches the folder says nothing, and was not asked. */
	s = kernel_of(&d, BIT(SLAB));
	assert_int_equal(s->kernel->n_slabs, 0);
	vmt_sample_free(s);
	unit_dir_remove(&d);
}

/* Headers of kcore: how many bytes there are of them decides, not what they promise. */
static void segments(void **state)
{
	Elf64_Ehdr head = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
					 ELFDATA2LSB, EV_CURRENT },
			    .e_type = ET_CORE,
			    .e_machine = EM_X86_64,
			    .e_version = EV_CURRENT,
			    .e_phoff = sizeof(head),
			    .e_ehsize = sizeof(head),
			    .e_phentsize = sizeof(Elf64_Phdr),
			    .e_phnum = 2 };
	Elf64_Phdr load = { .p_type = PT_LOAD, .p_vaddr = 0x1000, .p_memsz = 0x2000 };
	char bytes[sizeof(head) + 2 * sizeof(load)];
	struct vmt_sample *s;
	struct unit_dir d;

	(void)state;
	save(&d);
	s = kernel_of(&d, BIT(KCORE));
	assert_int_equal(s->sources[VMT_SOURCE_KCORE].error, -ENOENT);
	vmt_sample_free(s);

	memcpy(bytes, &head, sizeof(head));
	memcpy(bytes + sizeof(head), &load, sizeof(load));
	load.p_vaddr = 0x8000;
	memcpy(bytes + sizeof(head) + sizeof(load), &load, sizeof(load));
	unit_dir_write_bytes(&d, "proc/kcore", bytes, sizeof(bytes));
	s = kernel_of(&d, BIT(KCORE));
	assert_int_equal(s->kernel->n_segments, 2);
	assert_int_equal(s->kernel->segments[1].start, 0x8000);
	assert_int_equal(s->kernel->segments[1].size, 0x2000);
	vmt_sample_free(s);

	/* Shorter than its own head; a table that is cut off; a table far away. */
	unit_dir_write_bytes(&d, "proc/kcore", bytes, sizeof(head) - 1);
	s = kernel_of(&d, BIT(KCORE));
	assert_int_equal(s->sources[VMT_SOURCE_KCORE].error, -EINVAL);
	assert_int_equal(s->kernel->n_segments, 0);
	vmt_sample_free(s);
	unit_dir_write_bytes(&d, "proc/kcore", bytes, sizeof(bytes) - 1);
	s = kernel_of(&d, BIT(KCORE));
	assert_true(s->sources[VMT_SOURCE_KCORE].error < 0);
	assert_int_equal(s->kernel->n_segments, 0);
	vmt_sample_free(s);
	head.e_phoff = UINT64_MAX - 8;
	memcpy(bytes, &head, sizeof(head));
	unit_dir_write_bytes(&d, "proc/kcore", bytes, sizeof(bytes));
	s = kernel_of(&d, BIT(KCORE));
	assert_int_equal(s->sources[VMT_SOURCE_KCORE].error, -EINVAL);
	vmt_sample_free(s);
	unit_dir_remove(&d);
}

/* Files that are not theirs have an error, and leave what others said alone. */
static void other_files(void **state)
{
	static const uint64_t all = BIT(SLABINFO) | BIT(VMALLOCINFO) | BIT(MEMINFO) | BIT(VMSTAT) |
				    BIT(ZONEINFO) | BIT(SOCKSTAT) | BIT(MODULES) | BIT(KALLSYMS) |
				    BIT(KCORE) | BIT(IOMEM);
	static const enum vmt_source_id absent[] = { VMT_SOURCE_SLABINFO, VMT_SOURCE_VMALLOCINFO,
						     VMT_SOURCE_SOCKSTAT, VMT_SOURCE_MODULES,
						     VMT_SOURCE_KALLSYMS, VMT_SOURCE_KCORE };
	struct vmt_sample *s;
	struct unit_dir d;

	(void)state;
	save(&d);
	s = kernel_of(&d, all);
	for (size_t i = 0; i < VMT_ARRAY_LEN(absent); i++)
		assert_int_equal(s->sources[absent[i]].error, -ENOENT);
	assert_int_equal(s->sources[VMT_SOURCE_MEMINFO].error, 0);
	assert_int_equal(s->kernel->n_meminfo, 3);
	assert_int_equal(s->kernel->n_counters, 1);
	assert_false(s->kernel->has_symbols || s->kernel->has_modules || s->kernel->has_tcp);
	vmt_sample_free(s);

	/* A folder in the place of a file, and the text of another. */
	unit_dir_write(&d, "proc/kallsyms/file", "");
	unit_dir_write(&d, "proc/modules", "no module\n");
	unit_dir_write(&d, "proc/net/sockstat", "TCP: inuse x\n");
	s = kernel_of(&d, all);
	assert_true(s->sources[VMT_SOURCE_KALLSYMS].error < 0);
	assert_true(s->sources[VMT_SOURCE_MODULES].error < 0);
	assert_false(s->kernel->has_symbols || s->kernel->has_modules || s->kernel->has_tcp);
	vmt_sample_free(s);
	unit_dir_remove(&d);
}

static int all_of_it(void *arg)
{
	const struct vmt_collect_opts opts = { .root = arg, .readers = 1 };
	struct vmt_collector *c = NULL;
	struct vmt_sample *s = NULL;
	int r = vmt_collector_new(&opts, &c, NULL);

	if (r == 0)
		r = vmt_collect(c, BIT(MEMINFO), NULL, 0, &s, NULL);
	if (r == 0)
		r = vmt_collect_kernel(c, s,
				       BIT(SLABINFO) | BIT(SLAB) | BIT(KALLSYMS) | BIT(MEMINFO));
	if (r == 0) {
		assert_int_equal(s->kernel->n_slabs, 1);
		assert_true(VMT_HAS(slab, reclaimable, &s->kernel->slabs[0]));
		assert_true(s->kernel->has_symbols);
	}
	vmt_sample_free(s);
	vmt_collector_free(c);
	return r;
}

static void no_memory(void **state)
{
	struct unit_dir d;

	(void)state;
	save(&d);
	unit_dir_write(&d, "proc/slabinfo", SLAB_HEAD SLAB("alone"));
	unit_dir_write(&d, "sys/kernel/slab/alone/reclaim_account", "1\n");
	unit_dir_write(&d, "proc/kallsyms",
		       "ffffffff81000000 T _text\nffffffff82000000 T _etext\n");
	assert_true(unit_alloc_sweep(all_of_it, d.path) > 10);
	unit_dir_remove(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(caches),
		cmocka_unit_test(segments),
		cmocka_unit_test(other_files),
		cmocka_unit_test(no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
