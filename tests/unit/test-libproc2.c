/* SPDX-License-Identifier: GPL-2.0-or-later */
/* meminfo and vmstat of this machine by libproc2, the reader of procps: a second opinion. It is no
 * library of the program: it does not know newer keys, gives 0 for those that a kernel lacks, and
 * brings libsystemd with it. */
#include "unit.h"

#include <libproc2/meminfo.h>
#include <libproc2/vmstat.h>
#include <stdlib.h>

#include "source/machine.h"
#include "source/root.h"

/* What moves between two looks at a machine that others use too. */
#define SLACK ((uint64_t)256 * 1024 * 1024)

struct item {
	int id;
	unsigned index;
	bool still; /* does not move at all */
};

#define ITEM(number, member)                                                                       \
	{                                                                                          \
		(int)(number), VMT_FIELD_system_##member, false                                    \
	}
#define STILL(number, member)                                                                      \
	{                                                                                          \
		(int)(number), VMT_FIELD_system_##member, true                                     \
	}

/* KiB */
static const struct item meminfo_items[] = {
	STILL(MEMINFO_MEM_TOTAL, total_bytes),
	ITEM(MEMINFO_MEM_FREE, free_bytes),
	ITEM(MEMINFO_MEM_AVAILABLE, available_bytes),
	ITEM(MEMINFO_MEM_BUFFERS, buffers_bytes),
	ITEM(MEMINFO_MEM_CACHED, cached_bytes),
	ITEM(MEMINFO_SWAP_CACHED, swap_cached_bytes),
	ITEM(MEMINFO_MEM_ACTIVE_ANON, active_anon_bytes),
	ITEM(MEMINFO_MEM_INACTIVE_ANON, inactive_anon_bytes),
	ITEM(MEMINFO_MEM_ACTIVE_FILE, active_file_bytes),
	ITEM(MEMINFO_MEM_INACTIVE_FILE, inactive_file_bytes),
	ITEM(MEMINFO_MEM_UNEVICTABLE, unevictable_bytes),
	ITEM(MEMINFO_MEM_LOCKED, mlocked_bytes),
	STILL(MEMINFO_SWAP_TOTAL, swap_total_bytes),
	ITEM(MEMINFO_SWAP_FREE, swap_free_bytes),
	ITEM(MEMINFO_MEM_DIRTY, dirty_bytes),
	ITEM(MEMINFO_MEM_WRITEBACK, writeback_bytes),
	ITEM(MEMINFO_MEM_ANON, anon_bytes),
	ITEM(MEMINFO_MEM_MAPPED, mapped_bytes),
	ITEM(MEMINFO_MEM_SHARED, shared_bytes),
	ITEM(MEMINFO_MEM_KERNEL_RECLAIM, kreclaimable_bytes),
	ITEM(MEMINFO_MEM_SLAB_RECLAIM, slab_reclaimable_bytes),
	ITEM(MEMINFO_MEM_SLAB_UNRECLAIM, slab_unreclaimable_bytes),
	ITEM(MEMINFO_MEM_SLAB, slab_bytes),
	ITEM(MEMINFO_MEM_KERNEL_STACK, kernel_stack_bytes),
	ITEM(MEMINFO_MEM_PAGE_TABLES, page_tables_bytes),
	STILL(MEMINFO_MEM_COMMIT_LIMIT, commit_limit_bytes),
	ITEM(MEMINFO_MEM_COMMITTED_AS, committed_bytes),
	ITEM(MEMINFO_MEM_VM_ALLOC_USED, vmalloc_used_bytes),
	ITEM(MEMINFO_MEM_PER_CPU, percpu_bytes),
	ITEM(MEMINFO_MEM_HUGE_ANON, anon_huge_bytes),
	ITEM(MEMINFO_MEM_HUGETBL, hugetlb_bytes),
};

static const struct item vmstat_items[] = {
	ITEM(VMSTAT_PGFAULT, pgfault_total),
	ITEM(VMSTAT_PGMAJFAULT, pgmajfault_total),
	ITEM(VMSTAT_OOM_KILL, oom_kill_total),
	ITEM(VMSTAT_PSWPIN, pswpin_total),
	ITEM(VMSTAT_PSWPOUT, pswpout_total),
	ITEM(VMSTAT_PGSCAN_KSWAPD, pgscan_kswapd_total),
	ITEM(VMSTAT_PGSCAN_DIRECT, pgscan_direct_total),
	ITEM(VMSTAT_PGSTEAL_KSWAPD, pgsteal_kswapd_total),
	ITEM(VMSTAT_PGSTEAL_DIRECT, pgsteal_direct_total),
	ITEM(VMSTAT_COMPACT_STALL, compact_stall_total),
	ITEM(VMSTAT_THP_FAULT_ALLOC, thp_fault_alloc_total),
	ITEM(VMSTAT_THP_FAULT_FALLBACK, thp_fault_fallback_total),
	ITEM(VMSTAT_PGFREE, pgfree_total),
};

static struct vmt_root *root;

static int setup(void **state)
{
	return vmt_root_open(NULL, &root, NULL);
}

static int teardown(void **state)
{
	vmt_root_unref(root);
	return 0;
}

static void own(struct vmt_system *sys)
{
	VMT_AUTO_BUF buf = { 0 };

	assert_true(vmt_slurp_at(root->proc_fd, "meminfo", &buf, 1 << 20) > 0);
	assert_int_equal(
		vmt_meminfo_parse((struct vmt_bytes){ buf.data, buf.len }, sys, NULL, NULL), 0);
	vmt_buf_clear(&buf);
	assert_true(vmt_slurp_at(root->proc_fd, "vmstat", &buf, 1 << 20) > 0);
	assert_int_equal(vmt_vmstat_parse((struct vmt_bytes){ buf.data, buf.len }, sys, NULL), 0);
}

/* v was read between before and after. */
static void compare(const struct item *item, uint64_t v, uint64_t unit,
		    const struct vmt_system *before, const struct vmt_system *after)
{
	const struct vmt_field *f = &vmt_entity_system.fields[item->index];
	uint64_t a, b, slack = unit == 1024 ? SLACK : 0;

	/* It says 0 of what the kernel does not have. */
	if (!vmt_row_has(&before->row, item->index)) {
		assert_int_equal(v, 0);
		return;
	}
	a = vmt_field_number(f, before);
	b = vmt_field_number(f, after);
	v *= unit;
	if (item->still) {
		assert_int_equal(v, a);
		return;
	}
	if (v + slack < (a < b ? a : b) || v > (a > b ? a : b) + slack)
		fail_msg("%s: %llu between %llu and %llu", f->name, (unsigned long long)v,
			 (unsigned long long)a, (unsigned long long)b);
}

static void meminfo_is_that_of_libproc2(void **state)
{
	enum meminfo_item ids[VMT_ARRAY_LEN(meminfo_items)];
	struct vmt_system before = { 0 }, after = { 0 };
	struct meminfo_info *info = NULL;
	struct meminfo_stack *stack;
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(ids); i++)
		ids[i] = (enum meminfo_item)meminfo_items[i].id;
	assert_int_equal(procps_meminfo_new(&info), 0);
	own(&before);
	stack = procps_meminfo_select(info, ids, (int)VMT_ARRAY_LEN(ids));
	assert_non_null(stack);
	own(&after);
	for (i = 0; i < VMT_ARRAY_LEN(ids); i++)
		compare(&meminfo_items[i], stack->head[i].result.ul_int, 1024, &before, &after);
	procps_meminfo_unref(&info);
}

static void vmstat_is_that_of_libproc2(void **state)
{
	enum vmstat_item ids[VMT_ARRAY_LEN(vmstat_items)];
	struct vmt_system before = { 0 }, after = { 0 };
	struct vmstat_info *info = NULL;
	struct vmstat_stack *stack;
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(ids); i++)
		ids[i] = (enum vmstat_item)vmstat_items[i].id;
	assert_int_equal(procps_vmstat_new(&info), 0);
	own(&before);
	stack = procps_vmstat_select(info, ids, (int)VMT_ARRAY_LEN(ids));
	assert_non_null(stack);
	own(&after);
	for (i = 0; i < VMT_ARRAY_LEN(ids); i++)
		compare(&vmstat_items[i], stack->head[i].result.ul_int, 1, &before, &after);
	procps_vmstat_unref(&info);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(meminfo_is_that_of_libproc2),
		cmocka_unit_test(vmstat_is_that_of_libproc2),
	};

	return cmocka_run_group_tests_name("libproc2", tests, setup, teardown);
}
