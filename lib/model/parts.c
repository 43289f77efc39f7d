/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/parts.h"

#include "model/saturate.h"

#define KNOWN(s, m) VMT_HAS(system, m, s)

struct part {
	const char *name;
	const char *from;
	bool needed; /* without it, what is unaccounted cannot be known */
	bool rare;
};

/*
 * Pages by what they are used for, and not by the lists that reclaim keeps (Active, Inactive,
 * Unevictable): a page that was just touched is on no list yet, and counted all the same.
 */
static const struct part parts[VMT_PART_COUNT] = {
	[VMT_PART_FREE] = { "free", "MemFree", true, false },
	[VMT_PART_PCP] = { "free_on_cpus", "zoneinfo: count of each processor", false, false },
	[VMT_PART_ANON] = { "anonymous", "AnonPages", true, false },
	[VMT_PART_SHMEM] = { "shmem", "Shmem", true, false },
	[VMT_PART_CLEAN] = { "file_clean", "Cached - Shmem - Dirty - Writeback", true, false },
	[VMT_PART_DIRTY] = { "file_dirty", "Dirty, as far as it can be files'", true, false },
	[VMT_PART_WRITEBACK] = { "file_writeback", "Writeback, likewise", true, false },
	[VMT_PART_BUFFERS] = { "buffers", "Buffers", true, false },
	[VMT_PART_SWAP_CACHE] = { "swap_cache", "SwapCached, as far as nobody maps it", true,
				  true },
	[VMT_PART_SLAB_REC] = { "slab_reclaimable", "SReclaimable", true, false },
	[VMT_PART_SLAB_UNREC] = { "slab_unreclaimable", "SUnreclaim", true, false },
	[VMT_PART_OTHER_REC] = { "other_reclaimable", "KReclaimable - SReclaimable", false, true },
	[VMT_PART_STACKS] = { "kernel_stacks", "KernelStack + ShadowCallStack", true, false },
	[VMT_PART_TABLES] = { "page_tables", "PageTables", true, false },
	[VMT_PART_SEC_TABLES] = { "sec_page_tables", "SecPageTables", false, true },
	[VMT_PART_VMALLOC] = { "vmalloc", "VmallocUsed, less the stacks in it", true, false },
	[VMT_PART_PERCPU] = { "percpu", "Percpu", false, false },
	[VMT_PART_HUGETLB] = { "hugetlb", "Hugetlb", false, false },
	[VMT_PART_ZSWAP] = { "zswap", "Zswap", false, true },
	[VMT_PART_ZRAM] = { "zram", "mem_used_total of all zram devices", false, true },
	[VMT_PART_GPU] = { "gpu", "GPUActive + GPUReclaim", false, true },
	[VMT_PART_MEMMAP] = { "memmap", "nr_memmap_pages", false, true },
	[VMT_PART_FUSE] = { "fuse_writeback", "WritebackTmp", false, true },
	[VMT_PART_POISONED] = { "poisoned", "HardwareCorrupted", false, true },
	[VMT_PART_SECRETMEM] = { "secretmem", "not counted; in file_clean and Unevictable", false,
				 true },
	[VMT_PART_UNACCOUNTED] = { "unaccounted", "MemTotal - all of the above", false, false },
};

bool vmt_part_is_rare(enum vmt_part_id id)
{
	return parts[id].rare;
}

bool vmt_part_is_needed(enum vmt_part_id id)
{
	return parts[id].needed;
}

/* What is too large to be true, as sums of impossible figures are, is not taken. */
static void put(struct vmt_part *rows, enum vmt_part_id id, uint64_t bytes)
{
	if (bytes <= INT64_MAX)
		VMT_SET(part, size_bytes, &rows[id], (int64_t)bytes);
}

/*
 * Dirty and Writeback count pages of block devices and of swap too, and are no more than a state
 * of what is in Cached or elsewhere: only as much of them is taken as files have, so that the
 * three together are Cached - Shmem. More Shmem than Cached is a contradiction, and unknown.
 */
static void page_cache(struct vmt_part *rows, const struct vmt_system *s)
{
	uint64_t file, dirty, writeback;

	if (!KNOWN(s, cached_bytes) || !KNOWN(s, shared_bytes) || !KNOWN(s, dirty_bytes) ||
	    !KNOWN(s, writeback_bytes) || s->shared_bytes > s->cached_bytes)
		return;
	file = s->cached_bytes - s->shared_bytes;
	dirty = vmt_least(s->dirty_bytes, file);
	writeback = vmt_least(s->writeback_bytes, file - dirty);
	put(rows, VMT_PART_DIRTY, dirty);
	put(rows, VMT_PART_WRITEBACK, writeback);
	put(rows, VMT_PART_CLEAN, file - dirty - writeback);
}

/*
 * Pages of swap cache that a process maps are in AnonPages already. The lists of reclaim have each
 * page once: what they have above AnonPages and the page cache is what nobody maps.
 */
static void swap_cache(struct vmt_part *rows, const struct vmt_system *s)
{
	uint64_t lists, used;

	if (!KNOWN(s, swap_cached_bytes))
		return;
	if (s->swap_cached_bytes == 0) {
		put(rows, VMT_PART_SWAP_CACHE, 0);
		return;
	}
	if (!KNOWN(s, active_anon_bytes) || !KNOWN(s, inactive_anon_bytes) ||
	    !KNOWN(s, active_file_bytes) || !KNOWN(s, inactive_file_bytes) ||
	    !KNOWN(s, unevictable_bytes) || !KNOWN(s, anon_bytes) || !KNOWN(s, cached_bytes) ||
	    !KNOWN(s, buffers_bytes))
		return;
	lists = vmt_plus(vmt_plus(s->active_anon_bytes, s->inactive_anon_bytes),
			 vmt_plus(vmt_plus(s->active_file_bytes, s->inactive_file_bytes),
				  s->unevictable_bytes));
	used = vmt_plus(vmt_plus(s->anon_bytes, s->cached_bytes), s->buffers_bytes);
	if (lists != UINT64_MAX && used != UINT64_MAX)
		put(rows, VMT_PART_SWAP_CACHE,
		    vmt_least(s->swap_cached_bytes, vmt_less(lists, used)));
}

uint64_t vmt_vmalloc_without_stacks(uint64_t vmalloc, uint64_t stacks)
{
	return vmalloc >= stacks ? vmalloc - stacks : vmalloc;
}

static void stacks_and_vmalloc(struct vmt_part *rows, const struct vmt_system *s)
{
	uint64_t stacks;

	if (KNOWN(s, kernel_stack_bytes)) {
		stacks = s->kernel_stack_bytes;
		if (KNOWN(s, shadow_call_stack_bytes))
			stacks = vmt_plus(stacks, s->shadow_call_stack_bytes);
		put(rows, VMT_PART_STACKS, stacks);
		if (KNOWN(s, vmalloc_used_bytes))
			put(rows, VMT_PART_VMALLOC,
			    vmt_vmalloc_without_stacks(s->vmalloc_used_bytes, stacks));
	}
}

#define COPY(id, member)                                                                           \
	do {                                                                                       \
		if (KNOWN(s, member))                                                              \
			put(rows, VMT_PART_##id, s->member);                                       \
	} while (0)

static void percent(struct vmt_part *p, const struct vmt_system *s)
{
	uint64_t v;

	if (VMT_HAS(part, size_bytes, p) && p->size_bytes >= 0 && KNOWN(s, total_bytes) &&
	    s->total_bytes && !__builtin_mul_overflow((uint64_t)p->size_bytes, 100 * 1000, &v))
		VMT_SET(part, total_percent, p, v / s->total_bytes);
}

void vmt_parts(const struct vmt_system *s, uint64_t page_size, struct vmt_part rows[VMT_PART_COUNT])
{
	bool all = KNOWN(s, total_bytes) && s->total_bytes <= INT64_MAX;
	uint64_t bytes;
	int64_t rest;
	size_t i;

	memset(rows, 0, VMT_PART_COUNT * sizeof(*rows));
	COPY(FREE, free_bytes);
	COPY(PCP, pcp_bytes);
	COPY(ANON, anon_bytes);
	COPY(SHMEM, shared_bytes);
	page_cache(rows, s);
	COPY(BUFFERS, buffers_bytes);
	swap_cache(rows, s);
	COPY(SLAB_REC, slab_reclaimable_bytes);
	COPY(SLAB_UNREC, slab_unreclaimable_bytes);
	if (KNOWN(s, kreclaimable_bytes) && KNOWN(s, slab_reclaimable_bytes))
		put(rows, VMT_PART_OTHER_REC,
		    vmt_less(s->kreclaimable_bytes, s->slab_reclaimable_bytes));
	stacks_and_vmalloc(rows, s);
	COPY(TABLES, page_tables_bytes);
	COPY(SEC_TABLES, sec_page_tables_bytes);
	COPY(PERCPU, percpu_bytes);
	COPY(HUGETLB, hugetlb_bytes);
	COPY(ZSWAP, zswap_bytes);
	COPY(ZRAM, zram_bytes);
	if (KNOWN(s, gpu_active_bytes) && KNOWN(s, gpu_reclaim_bytes))
		put(rows, VMT_PART_GPU, vmt_plus(s->gpu_active_bytes, s->gpu_reclaim_bytes));
	if (KNOWN(s, memmap_pages) && page_size &&
	    !__builtin_mul_overflow(s->memmap_pages, page_size, &bytes))
		put(rows, VMT_PART_MEMMAP, bytes);
	COPY(FUSE, writeback_tmp_bytes);
	COPY(POISONED, hardware_corrupted_bytes);
	rest = all ? (int64_t)s->total_bytes : 0;
	for (i = 0; i < VMT_PART_UNACCOUNTED; i++) {
		if (VMT_HAS(part, size_bytes, &rows[i]))
			all &= !__builtin_sub_overflow(rest, rows[i].size_bytes, &rest);
		else
			all &= !parts[i].needed;
	}
	if (all)
		VMT_SET(part, size_bytes, &rows[VMT_PART_UNACCOUNTED], rest);
	for (i = 0; i < VMT_PART_COUNT; i++) {
		VMT_SET(part, name, &rows[i], vmt_bytes_of(parts[i].name));
		VMT_SET(part, from, &rows[i], vmt_bytes_of(parts[i].from));
		percent(&rows[i], s);
	}
}

void vmt_parts_change(struct vmt_part rows[VMT_PART_COUNT],
		      const struct vmt_part before[VMT_PART_COUNT])
{
	int64_t v;
	size_t i;

	for (i = 0; i < VMT_PART_COUNT; i++)
		if (VMT_HAS(part, size_bytes, &rows[i]) && VMT_HAS(part, size_bytes, &before[i]) &&
		    !__builtin_sub_overflow(rows[i].size_bytes, before[i].size_bytes, &v))
			VMT_SET(part, change_bytes, &rows[i], v);
}

enum { FREE, RESERVE, FILE_CACHE, KEPT_CACHE, RECLAIMABLE, KEPT_SLAB };

static void term(struct vmt_term *t, uint64_t bytes, bool minus)
{
	if (bytes <= INT64_MAX)
		VMT_SET(term, size_bytes, t, minus ? -(int64_t)bytes : (int64_t)bytes);
}

/* What can be taken back, and what of it the kernel means to keep: half, in whole pages, and not
 * more than the low watermarks. */
static void term_pair(struct vmt_term *t, uint64_t bytes, const struct vmt_system *s,
		      uint64_t page_size)
{
	term(&t[0], bytes, false);
	if (KNOWN(s, low_bytes) && page_size)
		term(&t[1], vmt_least(bytes / 2 / page_size * page_size, s->low_bytes), true);
}

void vmt_available_terms(const struct vmt_system *s, uint64_t page_size,
			 struct vmt_term rows[VMT_TERM_COUNT])
{
	static const char *const names[VMT_TERM_COUNT][2] = {
		[FREE] = { "free", "MemFree" },
		[RESERVE] = { "reserve", "zoneinfo: kept back by the zones" },
		[FILE_CACHE] = { "file_cache", "Active(file) + Inactive(file)" },
		[KEPT_CACHE] = { "kept_cache", "min(half of it, low watermarks)" },
		[RECLAIMABLE] = { "reclaimable", "KReclaimable" },
		[KEPT_SLAB] = { "kept_slab", "min(half of it, low watermarks)" },
	};
	uint64_t file;
	size_t i;

	memset(rows, 0, VMT_TERM_COUNT * sizeof(*rows));
	for (i = 0; i < VMT_TERM_COUNT; i++) {
		VMT_SET(term, name, &rows[i], vmt_bytes_of(names[i][0]));
		VMT_SET(term, from, &rows[i], vmt_bytes_of(names[i][1]));
	}
	if (KNOWN(s, free_bytes))
		term(&rows[FREE], s->free_bytes, false);
	if (KNOWN(s, reserve_bytes))
		term(&rows[RESERVE], s->reserve_bytes, true);
	if (KNOWN(s, active_file_bytes) && KNOWN(s, inactive_file_bytes) &&
	    !__builtin_add_overflow(s->active_file_bytes, s->inactive_file_bytes, &file))
		term_pair(&rows[FILE_CACHE], file, s, page_size);
	/* Before 4.20 there was SReclaimable alone. */
	if (KNOWN(s, kreclaimable_bytes))
		term_pair(&rows[RECLAIMABLE], s->kreclaimable_bytes, s, page_size);
	else if (KNOWN(s, slab_reclaimable_bytes))
		term_pair(&rows[RECLAIMABLE], s->slab_reclaimable_bytes, s, page_size);
}

/* vm_commit_limit() of mm/util.c, which computes in pages. */
static void commit_limit(struct vmt_commit *c, const struct vmt_system *s, uint64_t page_size)
{
	uint64_t pages, huge = 0, sum;

	if (!page_size || !KNOWN(s, swap_total_bytes) || !VMT_HAS(commit, overcommit_bytes, c))
		return;
	if (c->overcommit_bytes) {
		pages = c->overcommit_bytes / page_size;
	} else {
		if (!KNOWN(s, total_bytes) || !VMT_HAS(commit, overcommit_ratio, c))
			return;
		if (KNOWN(s, hugetlb_bytes))
			huge = s->hugetlb_bytes;
		if (__builtin_mul_overflow(vmt_less(s->total_bytes, huge) / page_size,
					   c->overcommit_ratio, &pages))
			return;
		pages /= 100;
	}
	if (__builtin_mul_overflow(pages, page_size, &sum) ||
	    __builtin_add_overflow(sum, s->swap_total_bytes, &sum))
		return;
	VMT_SET(commit, commit_limit_derived_bytes, c, sum);
	if (VMT_HAS(commit, commit_limit_bytes, c))
		VMT_SET(commit, commit_limit_residual_bytes, c,
			(int64_t)sum - (int64_t)c->commit_limit_bytes);
}

void vmt_commit_derive(struct vmt_commit *c, const struct vmt_system *s, uint64_t page_size)
{
	static const char *const policies[] = { "heuristic", "always", "never" };
	uint64_t all;

	if (KNOWN(s, commit_limit_bytes))
		VMT_SET(commit, commit_limit_bytes, c, s->commit_limit_bytes);
	if (KNOWN(s, committed_bytes))
		VMT_SET(commit, committed_bytes, c, s->committed_bytes);
	commit_limit(c, s, page_size);
	if (!VMT_HAS(commit, overcommit_memory, c) ||
	    c->overcommit_memory >= VMT_ARRAY_LEN(policies))
		return;
	VMT_SET(commit, policy, c, vmt_bytes_of(policies[c->overcommit_memory]));
	/* __vm_enough_memory() of mm/util.c since 5.2: refused is what is larger than all. */
	if (c->overcommit_memory == 0 && KNOWN(s, total_bytes) && KNOWN(s, swap_total_bytes) &&
	    !__builtin_add_overflow(s->total_bytes, s->swap_total_bytes, &all))
		VMT_SET(commit, largest_bytes, c, all);
	if (c->overcommit_memory == 2 && VMT_HAS(commit, commit_limit_bytes, c) &&
	    VMT_HAS(commit, committed_bytes, c))
		VMT_SET(commit, largest_bytes, c,
			vmt_less(c->commit_limit_bytes, c->committed_bytes));
}

void vmt_pressure_rates(struct vmt_pressure *rows, size_t n, const struct vmt_pressure *prev,
			size_t n_prev, uint64_t dt_ns)
{
	size_t i, k;

	for (i = 0; i < n; i++)
		for (k = 0; k < n_prev; k++) {
			struct vmt_pressure *p = &rows[i];
			const struct vmt_pressure *q = &prev[k];
			uint64_t milli;

			if (!vmt_bytes_equal(p->resource, q->resource) ||
			    !vmt_bytes_equal(p->kind, q->kind) ||
			    !VMT_HAS(pressure, stalled_total_ns, p) ||
			    !VMT_HAS(pressure, stalled_total_ns, q) ||
			    /* Thousandths of ns a second are 10^-10 percent. */
			    !vmt_rate_milli(p->stalled_total_ns, q->stalled_total_ns, dt_ns,
					    &milli))
				continue;
			VMT_SET(pressure, stalled_percent, p, milli / 10000000);
		}
}
