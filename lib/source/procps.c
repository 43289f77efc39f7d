/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The only file that knows libproc2. Its rules: always *_select and pids_reap (the *_get functions
 * look again once a second at most); results are overwritten by the next call; no VAL macros, whose
 * arguments change in procps 4.0.5; at most 255 ids a select; units as noted at each item.
 */
#include "source/procps.h"

#include <errno.h>

#include <libproc2/meminfo.h>
#include <libproc2/pids.h>
#include <libproc2/vmstat.h>

#define SELECT_MAX ((size_t)255)

struct vmt_procps {
	struct meminfo_info *meminfo;
	struct vmstat_info *vmstat;
	struct pids_info *pids;
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

/* Those of stat and statm alone: status says more than libproc2 takes out of it (VmHWM, VmPTE),
 * and tells a missing key from 0, so it is read by pids.c. */
enum pid_item {
	P_PID,
	P_PPID,
	P_STATE,
	P_THREADS,
	P_FLAGS,
	P_MINFLT,
	P_MAJFLT,
	P_START,
	P_SIZE,
	P_RESIDENT,
	P_COUNT,
};

static const enum pids_item pid_items[P_COUNT] = {
	[P_PID] = PIDS_ID_PID,		 [P_PPID] = PIDS_ID_PPID,     [P_STATE] = PIDS_STATE,
	[P_THREADS] = PIDS_NLWP,	 [P_FLAGS] = PIDS_FLAGS,      [P_MINFLT] = PIDS_FLT_MIN,
	[P_MAJFLT] = PIDS_FLT_MAJ,	 [P_START] = PIDS_TICS_BEGAN, /* ticks */
	[P_SIZE] = PIDS_MEM_VIRT_PGS, /* pages */
	[P_RESIDENT] = PIDS_MEM_RES_PGS, /* pages */
};

static int failed(struct vmt_err *err, int r, const char *what)
{
	if (r >= 0)
		r = -EIO;
	return vmt_err_set(err, r, what, 0, "libproc2 cannot read it");
}

int vmt_procps_new(struct vmt_procps **ret, struct vmt_err *err)
{
	enum pids_item items[P_COUNT];
	struct vmt_procps *pp = calloc(1, sizeof(*pp));
	int r;

	if (!pp)
		return vmt_err_set(err, -ENOMEM, NULL, 0, "out of memory");
	memcpy(items, pid_items, sizeof(items));
	r = procps_pids_new(&pp->pids, items, P_COUNT);
	if (r < 0) {
		vmt_procps_free(pp);
		return failed(err, r, "/proc/PID");
	}
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
	if (pp->pids)
		procps_pids_unref(&pp->pids);
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

static int take_row(const struct pids_result *head, uint64_t page_size, uint64_t user_hz,
		    struct vmt_procps_row *row)
{
	struct vmt_proc *p = &row->proc;
	uint64_t size, resident;
	unsigned __int128 ns;

	*row = (struct vmt_procps_row){ 0 };
	VMT_SET(proc, pid, p, (uint64_t)head[P_PID].result.s_int);
	VMT_SET(proc, ppid, p, (uint64_t)head[P_PPID].result.s_int);
	VMT_SET(proc, state, p, vmt_pid_state((char)head[P_STATE].result.s_ch));
	VMT_SET(proc, threads, p, (uint64_t)head[P_THREADS].result.s_int);
	VMT_SET(proc, minor_faults_total, p, head[P_MINFLT].result.ul_int);
	VMT_SET(proc, major_faults_total, p, head[P_MAJFLT].result.ul_int);
	row->facts.flags = head[P_FLAGS].result.ul_int;
	row->facts.kthread = (row->facts.flags & VMT_PF_KTHREAD) != 0;
	ns = (unsigned __int128)head[P_START].result.ull_int * 1000000000;
	if (user_hz) {
		ns /= user_hz;
		if (ns > UINT64_MAX)
			return -ERANGE;
		VMT_SET(proc, start_time_ns, p, (uint64_t)ns);
	}
	if (__builtin_mul_overflow((uint64_t)head[P_SIZE].result.ul_int, page_size, &size) ||
	    __builtin_mul_overflow((uint64_t)head[P_RESIDENT].result.ul_int, page_size, &resident))
		return -ERANGE;
	VMT_SET(proc, vsize_bytes, p, size);
	VMT_SET(proc, rss_bytes, p, resident);
	return 0;
}

struct rows {
	struct vmt_procps_row *rows;
	size_t n;
	size_t cap;
};

static int take_fetch(const struct pids_fetch *fetch, uint64_t page_size, uint64_t user_hz,
		      struct rows *to)
{
	int i, r;

	/* After an id that does not exist stacks[] ends early, whatever the count says. */
	for (i = 0; i < fetch->counts->total && fetch->stacks[i]; i++) {
		r = vmt_grow(&to->rows, &to->cap, to->n + 1, sizeof(*to->rows));
		if (r == 0)
			r = take_row(fetch->stacks[i]->head, page_size, user_hz, &to->rows[to->n]);
		if (r < 0)
			return r;
		to->n++;
	}
	return 0;
}

static int compare_rows(const void *a, const void *b)
{
	uint64_t x = ((const struct vmt_procps_row *)a)->proc.pid;
	uint64_t y = ((const struct vmt_procps_row *)b)->proc.pid;

	return x < y ? -1 : x > y;
}

static int fetch_all(struct vmt_procps *pp, uint64_t page_size, uint64_t user_hz, struct rows *to)
{
	struct pids_fetch *fetch;

	errno = 0;
	fetch = procps_pids_reap(pp->pids, PIDS_FETCH_TASKS_ONLY);
	if (!fetch)
		return errno ? -errno : -EIO;
	return take_fetch(fetch, page_size, user_hz, to);
}

static int fetch_some(struct vmt_procps *pp, const uint64_t *pids, size_t n, uint64_t page_size,
		      uint64_t user_hz, struct rows *to)
{
	while (n) {
		unsigned ids[SELECT_MAX];
		size_t some = n < SELECT_MAX ? n : SELECT_MAX, i;
		struct pids_fetch *fetch;
		int r;

		for (i = 0; i < some; i++)
			ids[i] = (unsigned)pids[i];
		errno = 0;
		fetch = procps_pids_select(pp->pids, ids, (int)some, PIDS_SELECT_PID);
		if (!fetch)
			return errno ? -errno : -EIO;
		r = take_fetch(fetch, page_size, user_hz, to);
		if (r < 0)
			return r;
		pids += some;
		n -= some;
	}
	return 0;
}

int vmt_procps_pids(struct vmt_procps *pp, const uint64_t *pids, size_t n_pids, uint64_t page_size,
		    uint64_t user_hz, struct vmt_procps_row **ret, size_t *ret_n,
		    struct vmt_err *err)
{
	struct rows to = { 0 };
	size_t i, n = 0;
	int r;

	r = pids ? fetch_some(pp, pids, n_pids, page_size, user_hz, &to)
		 : fetch_all(pp, page_size, user_hz, &to);
	if (r < 0) {
		free(to.rows);
		return failed(err, r, "/proc/PID");
	}
	if (to.n)
		qsort(to.rows, to.n, sizeof(*to.rows), compare_rows);
	/* A list may name a process twice. */
	for (i = 0; i < to.n; i++)
		if (n == 0 || to.rows[n - 1].proc.pid != to.rows[i].proc.pid)
			to.rows[n++] = to.rows[i];
	*ret = to.rows;
	*ret_n = n;
	return 0;
}
