/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/cgroup.h"

#include "model/saturate.h"

#define KNOWN(c, m) VMT_HAS(cgroup, m, c)

struct part {
	const char *name;
	const char *from;
	const char *from_v1; /* NULL: the same, or version 1 does not say */
	bool needed; /* without it, what is unaccounted cannot be known */
	bool rare;
};

static const struct part parts[VMT_CGROUP_PART_COUNT] = {
	[VMT_CGROUP_ANON] = { "anonymous", "anon", "rss", true, false },
	[VMT_CGROUP_SHMEM] = { "shmem", "shmem", NULL, true, false },
	[VMT_CGROUP_CLEAN] = { "file_clean", "file - shmem - the next two",
			       "cache - shmem - the next two", true, false },
	[VMT_CGROUP_DIRTY] = { "file_dirty", "file_dirty", "dirty", true, false },
	[VMT_CGROUP_WRITEBACK] = { "file_writeback", "file_writeback", "writeback", true, false },
	[VMT_CGROUP_SWAP_CACHE] = { "swap_cache", "swapcached, as far as nobody maps it", NULL,
				    false, true },
	[VMT_CGROUP_SLAB_REC] = { "slab_reclaimable", "slab_reclaimable", NULL, false, false },
	[VMT_CGROUP_SLAB_UNREC] = { "slab_unreclaimable", "slab_unreclaimable", NULL, false,
				    false },
	[VMT_CGROUP_STACKS] = { "kernel_stacks", "kernel_stack", NULL, false, false },
	[VMT_CGROUP_TABLES] = { "page_tables", "pagetables", NULL, false, false },
	[VMT_CGROUP_SEC_TABLES] = { "sec_page_tables", "sec_pagetables", NULL, false, true },
	[VMT_CGROUP_PERCPU] = { "percpu", "percpu", NULL, false, false },
	[VMT_CGROUP_VMALLOC] = { "vmalloc", "vmalloc", NULL, false, false },
	[VMT_CGROUP_ZSWAP] = { "zswap", "zswap", NULL, false, true },
	[VMT_CGROUP_KERNEL] = { "kernel_other", "kernel, less what is listed of it",
				"kmem.usage_in_bytes", false, false },
	[VMT_CGROUP_SOCK] = { "sockets", "sock", NULL, false, false },
	[VMT_CGROUP_HUGETLB] = { "hugetlb", "hugetlb", NULL, false, true },
	[VMT_CGROUP_UNACCOUNTED] = { "unaccounted", "memory.current - all of the above",
				     "usage_in_bytes - all of the above", false, false },
};

bool vmt_cgroup_part_is_rare(enum vmt_cgroup_part_id id, bool v1)
{
	return parts[id].rare || (v1 && !parts[id].from_v1 && !parts[id].needed);
}

/* What is too large to be true, as sums of impossible figures are, is not taken. */
static void put(struct vmt_cgroup_part *rows, enum vmt_cgroup_part_id id, uint64_t bytes)
{
	if (bytes <= INT64_MAX)
		VMT_SET(cgroup_part, size_bytes, &rows[id], (int64_t)bytes);
}

/*
 * The pages of the swap cache that a process maps are in "anon" as well; in "file" of a cgroup none
 * of them is (mm/swap_state.c counts NR_FILE_PAGES of the node alone). The lists of reclaim have
 * each page once: what they have above both is what nobody maps.
 */
static void swap_cache(struct vmt_cgroup_part *rows, const struct vmt_cgroup *c, uint64_t file)
{
	uint64_t lists, used;

	if (!KNOWN(c, swap_cached_bytes))
		return;
	if (c->swap_cached_bytes == 0) {
		put(rows, VMT_CGROUP_SWAP_CACHE, 0);
		return;
	}
	if (!KNOWN(c, active_anon_bytes) || !KNOWN(c, inactive_anon_bytes) ||
	    !KNOWN(c, active_file_bytes) || !KNOWN(c, inactive_file_bytes) ||
	    !KNOWN(c, unevictable_bytes) || !KNOWN(c, anon_bytes))
		return;
	lists = vmt_plus(vmt_plus(c->active_anon_bytes, c->inactive_anon_bytes),
			 vmt_plus(vmt_plus(c->active_file_bytes, c->inactive_file_bytes),
				  c->unevictable_bytes));
	used = vmt_plus(c->anon_bytes, file);
	if (lists != UINT64_MAX && used != UINT64_MAX)
		put(rows, VMT_CGROUP_SWAP_CACHE,
		    vmt_least(c->swap_cached_bytes, vmt_less(lists, used)));
}

/* Dirty and being written are states of what files have; more shmem than that is a contradiction,
 * and unknown. */
static void page_cache(struct vmt_cgroup_part *rows, const struct vmt_cgroup *c)
{
	uint64_t file, dirty, writeback;

	if (!KNOWN(c, file_bytes) || !KNOWN(c, shmem_bytes) || !KNOWN(c, dirty_bytes) ||
	    !KNOWN(c, writeback_bytes) || c->shmem_bytes > c->file_bytes)
		return;
	file = c->file_bytes;
	swap_cache(rows, c, file);
	file = vmt_less(file, c->shmem_bytes);
	dirty = vmt_least(c->dirty_bytes, file);
	writeback = vmt_least(c->writeback_bytes, file - dirty);
	put(rows, VMT_CGROUP_SHMEM, c->shmem_bytes);
	put(rows, VMT_CGROUP_DIRTY, dirty);
	put(rows, VMT_CGROUP_WRITEBACK, writeback);
	put(rows, VMT_CGROUP_CLEAN, file - dirty - writeback);
}

#define COPY(id, member)                                                                           \
	do {                                                                                       \
		if (KNOWN(c, member))                                                              \
			put(rows, VMT_CGROUP_##id, c->member);                                     \
	} while (0)

/* All of these are in "kernel", which came with 5.18; before that, what no key tells of is
 * unaccounted. */
static void kernel(struct vmt_cgroup_part *rows, const struct vmt_cgroup *c)
{
	uint64_t listed = 0;
	size_t i;

	COPY(SLAB_REC, slab_reclaimable_bytes);
	COPY(SLAB_UNREC, slab_unreclaimable_bytes);
	COPY(STACKS, kernel_stack_bytes);
	COPY(TABLES, page_tables_bytes);
	COPY(SEC_TABLES, sec_page_tables_bytes);
	COPY(PERCPU, percpu_bytes);
	COPY(VMALLOC, vmalloc_bytes);
	COPY(ZSWAP, zswap_bytes);
	if (!KNOWN(c, kernel_bytes))
		return;
	for (i = VMT_CGROUP_SLAB_REC; i < VMT_CGROUP_KERNEL; i++)
		if (VMT_HAS(cgroup_part, size_bytes, &rows[i]))
			listed = vmt_plus(listed, (uint64_t)rows[i].size_bytes);
	put(rows, VMT_CGROUP_KERNEL, vmt_less(c->kernel_bytes, listed));
}

static void percent(struct vmt_cgroup_part *p, const struct vmt_cgroup *c)
{
	uint64_t v;

	if (VMT_HAS(cgroup_part, size_bytes, p) && p->size_bytes >= 0 && KNOWN(c, current_bytes) &&
	    c->current_bytes && !__builtin_mul_overflow((uint64_t)p->size_bytes, 100 * 1000, &v))
		VMT_SET(cgroup_part, current_percent, p, v / c->current_bytes);
}

void vmt_cgroup_parts(const struct vmt_cgroup *c,
		      struct vmt_cgroup_part rows[VMT_CGROUP_PART_COUNT])
{
	bool all = KNOWN(c, current_bytes) && c->current_bytes <= INT64_MAX;
	bool v1 = KNOWN(c, version) && vmt_bytes_is(c->version, "v1");
	int64_t rest = all ? (int64_t)c->current_bytes : 0;
	size_t i;

	memset(rows, 0, VMT_CGROUP_PART_COUNT * sizeof(*rows));
	COPY(ANON, anon_bytes);
	page_cache(rows, c);
	kernel(rows, c);
	COPY(SOCK, sock_bytes);
	COPY(HUGETLB, hugetlb_bytes);
	for (i = 0; i < VMT_CGROUP_UNACCOUNTED; i++) {
		if (VMT_HAS(cgroup_part, size_bytes, &rows[i]))
			all &= !__builtin_sub_overflow(rest, rows[i].size_bytes, &rest);
		else
			all &= !parts[i].needed;
	}
	if (all)
		VMT_SET(cgroup_part, size_bytes, &rows[VMT_CGROUP_UNACCOUNTED], rest);
	for (i = 0; i < VMT_CGROUP_PART_COUNT; i++) {
		VMT_SET(cgroup_part, name, &rows[i], vmt_bytes_of(parts[i].name));
		VMT_SET(cgroup_part, from, &rows[i],
			vmt_bytes_of(v1 && parts[i].from_v1 ? parts[i].from_v1 : parts[i].from));
		percent(&rows[i], c);
	}
}
