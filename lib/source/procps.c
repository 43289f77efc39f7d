/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The only file that knows libproc2. Its rules: always *_select (the *_get functions look again
 * once a second at most); results are overwritten by the next call and die with their info; no VAL
 * macros, whose arguments change in procps 4.0.5. Items are numbered by the headers that vmtop was
 * built with, so the library is asked for by their soname.
 */
#include "source/procps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#ifndef VMT_HAVE_LIBPROC2

int vmt_procps_open(struct vmt_procps **ret, struct vmt_err *err)
{
	(void)ret;
	return vmt_err_set(err, -EOPNOTSUPP, "", 0, "built without libproc2");
}

int vmt_procps_read(struct vmt_procps *p, struct vmt_system *sys, struct vmt_err *err)
{
	(void)p;
	(void)sys;
	return vmt_err_set(err, -EOPNOTSUPP, "", 0, "built without libproc2");
}

struct vmt_procps *vmt_procps_close(struct vmt_procps *p)
{
	(void)p;
	return NULL;
}

#else

#include <dlfcn.h>
#include <libproc2/meminfo.h>
#include <libproc2/vmstat.h>

/* An item, and the member that it fills. */
struct item {
	int id;
	unsigned index;
	size_t offset;
};

#define ITEM(number, member)                                                                       \
	{                                                                                          \
		(int)(number), VMT_FIELD_system_##member, offsetof(struct vmt_system, member)      \
	}

/* KiB */
static const struct item meminfo_items[] = {
	ITEM(MEMINFO_MEM_TOTAL, total_bytes),
	ITEM(MEMINFO_MEM_USED, used_bytes),
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
	ITEM(MEMINFO_MEM_SLAB, slab_bytes),
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

static void put(struct vmt_system *sys, const struct item *item, uint64_t value)
{
	memcpy((char *)sys + item->offset, &value, sizeof(value));
	vmt_row_mark(&sys->row, item->index);
}

/* A function of the library, into a pointer of its own type. */
#define FUNCTION(lib, name)                                                                        \
	({                                                                                         \
		void *symbol_ = dlsym(lib, #name);                                                 \
		__typeof__(&(name)) function_ = NULL;                                              \
                                                                                                   \
		_Static_assert(sizeof(function_) == sizeof(symbol_), "as POSIX has it");           \
		memcpy(&function_, &symbol_, sizeof(function_));                                   \
		function_;                                                                         \
	})

struct vmt_procps {
	void *lib;
	struct meminfo_info *meminfo;
	struct vmstat_info *vmstat;
	__typeof__(&procps_meminfo_new) meminfo_new;
	__typeof__(&procps_meminfo_select) meminfo_select;
	__typeof__(&procps_meminfo_unref) meminfo_unref;
	__typeof__(&procps_vmstat_new) vmstat_new;
	__typeof__(&procps_vmstat_select) vmstat_select;
	__typeof__(&procps_vmstat_unref) vmstat_unref;
};

struct vmt_procps *vmt_procps_close(struct vmt_procps *p)
{
	if (!p)
		return NULL;
	if (p->meminfo)
		p->meminfo_unref(&p->meminfo);
	if (p->vmstat)
		p->vmstat_unref(&p->vmstat);
	if (p->lib)
		dlclose(p->lib);
	free(p);
	return NULL;
}

int vmt_procps_open(struct vmt_procps **ret, struct vmt_err *err)
{
	struct vmt_procps *p = calloc(1, sizeof(*p));

	if (!p)
		return vmt_err_set(err, -ENOMEM, "", 0, "out of memory");
	p->lib = dlopen(VMT_HAVE_LIBPROC2, RTLD_NOW | RTLD_LOCAL);
	if (!p->lib) {
		vmt_procps_close(p);
		return vmt_err_set(err, -ENOENT, "", 0, "%s is not installed", VMT_HAVE_LIBPROC2);
	}
	p->meminfo_new = FUNCTION(p->lib, procps_meminfo_new);
	p->meminfo_select = FUNCTION(p->lib, procps_meminfo_select);
	p->meminfo_unref = FUNCTION(p->lib, procps_meminfo_unref);
	p->vmstat_new = FUNCTION(p->lib, procps_vmstat_new);
	p->vmstat_select = FUNCTION(p->lib, procps_vmstat_select);
	p->vmstat_unref = FUNCTION(p->lib, procps_vmstat_unref);
	if (!p->meminfo_new || !p->meminfo_select || !p->meminfo_unref || !p->vmstat_new ||
	    !p->vmstat_select || !p->vmstat_unref || p->meminfo_new(&p->meminfo) < 0 ||
	    p->vmstat_new(&p->vmstat) < 0) {
		vmt_procps_close(p);
		return vmt_err_set(err, -EIO, "", 0, "%s fails", VMT_HAVE_LIBPROC2);
	}
	*ret = p;
	return 0;
}

int vmt_procps_read(struct vmt_procps *p, struct vmt_system *sys, struct vmt_err *err)
{
	enum meminfo_item meminfo_ids[VMT_ARRAY_LEN(meminfo_items)];
	enum vmstat_item vmstat_ids[VMT_ARRAY_LEN(vmstat_items)];
	const struct meminfo_stack *m;
	const struct vmstat_stack *v;
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(meminfo_ids); i++)
		meminfo_ids[i] = (enum meminfo_item)meminfo_items[i].id;
	for (i = 0; i < VMT_ARRAY_LEN(vmstat_ids); i++)
		vmstat_ids[i] = (enum vmstat_item)vmstat_items[i].id;
	m = p->meminfo_select(p->meminfo, meminfo_ids, (int)VMT_ARRAY_LEN(meminfo_ids));
	v = p->vmstat_select(p->vmstat, vmstat_ids, (int)VMT_ARRAY_LEN(vmstat_ids));
	if (!m || !v)
		return vmt_err_set(err, -EIO, "", 0, "%s cannot read /proc", VMT_HAVE_LIBPROC2);
	for (i = 0; i < VMT_ARRAY_LEN(meminfo_ids); i++)
		put(sys, &meminfo_items[i], (uint64_t)m->head[i].result.ul_int * 1024);
	for (i = 0; i < VMT_ARRAY_LEN(vmstat_ids); i++)
		put(sys, &vmstat_items[i], v->head[i].result.ul_int);
	return 0;
}

#endif
