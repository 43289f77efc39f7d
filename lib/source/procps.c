/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The only file that knows libproc2. Its rules: always *_select (the *_get functions look again
 * once a second at most); results are overwritten by the next call; no VAL macros, whose arguments
 * change in procps 4.0.5; units as noted at each item.
 */
#include "source/procps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libproc2/meminfo.h>
#include <libproc2/vmstat.h>

struct vmt_procps {
	struct meminfo_info *meminfo;
	struct vmstat_info *vmstat;
};

/* An item, and the member that it fills. */
struct item {
	int id;
	unsigned index;
	size_t offset;
};

#define ITEM(number, member)                                                                       \
	{                                                                                          \
		.id = (number), .index = VMT_FIELD_system_##member,                                \
		.offset = offsetof(struct vmt_system, member)                                      \
	}

/* KiB */
static const struct item meminfo_items[] = {
	ITEM(MEMINFO_MEM_TOTAL, total_bytes),
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
	ITEM(MEMINFO_SWAP_TOTAL, swap_total_bytes),
	ITEM(MEMINFO_SWAP_FREE, swap_free_bytes),
	ITEM(MEMINFO_MEM_DIRTY, dirty_bytes),
	ITEM(MEMINFO_MEM_WRITEBACK, writeback_bytes),
	ITEM(MEMINFO_MEM_ANON, anon_bytes),
	ITEM(MEMINFO_MEM_MAPPED, mapped_bytes),
	ITEM(MEMINFO_MEM_SHARED, shared_bytes),
	ITEM(MEMINFO_MEM_KERNEL_RECLAIM, kreclaimable_bytes),
	ITEM(MEMINFO_MEM_SLAB_RECLAIM, slab_reclaimable_bytes),
	ITEM(MEMINFO_MEM_SLAB_UNRECLAIM, slab_unreclaimable_bytes),
	ITEM(MEMINFO_MEM_KERNEL_STACK, kernel_stack_bytes),
	ITEM(MEMINFO_MEM_PAGE_TABLES, page_tables_bytes),
	ITEM(MEMINFO_MEM_COMMIT_LIMIT, commit_limit_bytes),
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
};

static int failed(struct vmt_err *err, int r, const char *what)
{
	if (r >= 0)
		r = -EIO;
	return vmt_err_set(err, r, what, 0, "libproc2 cannot read it");
}

int vmt_procps_new(struct vmt_procps **ret, struct vmt_err *err)
{
	struct vmt_procps *pp = calloc(1, sizeof(*pp));

	if (!pp)
		return vmt_err_set(err, -ENOMEM, NULL, 0, "out of memory");
	/* Where these cannot be had (a /proc with subset=pid), their functions say so. */
	if (procps_meminfo_new(&pp->meminfo) < 0)
		pp->meminfo = NULL;
	if (procps_vmstat_new(&pp->vmstat) < 0)
		pp->vmstat = NULL;
	*ret = pp;
	return 0;
}

void vmt_procps_free(struct vmt_procps *pp)
{
	if (!pp)
		return;
	if (pp->meminfo)
		procps_meminfo_unref(&pp->meminfo);
	if (pp->vmstat)
		procps_vmstat_unref(&pp->vmstat);
	free(pp);
}

static int set(struct vmt_system *sys, const struct item *item, uint64_t value, uint64_t unit)
{
	if (__builtin_mul_overflow(value, unit, &value))
		return -ERANGE;
	memcpy((char *)sys + item->offset, &value, sizeof(value));
	vmt_row_mark(&sys->row, item->index);
	return 0;
}

int vmt_procps_meminfo(struct vmt_procps *pp, const struct vmt_system *has, struct vmt_system *sys,
		       struct vmt_err *err)
{
	enum meminfo_item ids[VMT_ARRAY_LEN(meminfo_items)];
	struct meminfo_stack *stack;
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(ids); i++)
		ids[i] = (enum meminfo_item)meminfo_items[i].id;
	errno = 0;
	stack = pp->meminfo ? procps_meminfo_select(pp->meminfo, ids, (int)VMT_ARRAY_LEN(ids))
			    : NULL;
	if (!stack)
		return failed(err, -errno, "/proc/meminfo");
	for (i = 0; i < VMT_ARRAY_LEN(ids); i++) {
		if (!vmt_row_has(&has->row, meminfo_items[i].index))
			continue;
		if (set(sys, &meminfo_items[i], stack->head[i].result.ul_int, 1024) < 0)
			return vmt_err_set(err, -ERANGE, "/proc/meminfo", 0,
					   "the number is too large");
	}
	return 0;
}

int vmt_procps_vmstat(struct vmt_procps *pp, const struct vmt_system *has, struct vmt_system *sys,
		      struct vmt_err *err)
{
	enum vmstat_item ids[VMT_ARRAY_LEN(vmstat_items)];
	struct vmstat_stack *stack;
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(ids); i++)
		ids[i] = (enum vmstat_item)vmstat_items[i].id;
	errno = 0;
	stack = pp->vmstat ? procps_vmstat_select(pp->vmstat, ids, (int)VMT_ARRAY_LEN(ids)) : NULL;
	if (!stack)
		return failed(err, -errno, "/proc/vmstat");
	for (i = 0; i < VMT_ARRAY_LEN(ids); i++)
		if (vmt_row_has(&has->row, vmstat_items[i].index))
			set(sys, &vmstat_items[i], stack->head[i].result.ul_int, 1);
	return 0;
}
