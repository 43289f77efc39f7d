/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/honest.h"

#include "model/saturate.h"
#include "model/vm-flags.h"

/* Sums of resident pages, in bytes. */
struct pages {
	uint64_t rss;
	uint64_t anon;
	uint64_t lazy_free;
	uint64_t clean; /* shared and private */
	uint64_t private; /* clean and dirty */
};

struct split {
	uint64_t reclaimable; /* clean pages of files, at most, and LazyFree */
	uint64_t slack;
	uint64_t file_dirty;
};

/* Whether the sums can be those of one moment: then no difference below is negative. */
static bool agree(const struct pages *p)
{
	return p->anon <= p->rss && p->lazy_free <= p->anon && p->lazy_free <= p->clean &&
	       p->clean <= p->rss && p->private <= p->rss;
}

static struct split split(const struct pages *p)
{
	uint64_t file = p->rss - p->anon;
	uint64_t file_clean = vmt_least(p->clean - p->lazy_free, file);
	/* As many of the clean pages as can be are anonymous. */
	uint64_t file_clean_least = vmt_less(p->clean, p->anon);

	return (struct split){
		.reclaimable = file_clean + p->lazy_free,
		.slack = file_clean - file_clean_least,
		.file_dirty = file - file_clean,
	};
}

static void map_reclaim(struct vmt_map *m, const struct pages *p)
{
	struct split s = split(p);
	bool shmem = VMT_HAS(map, kind, m) && vmt_bytes_is(m->kind, "shmem");

	/* Without the flags (before Linux 3.8) nobody knows what is locked. */
	if (!VMT_HAS(map, vm_flags, m))
		return;
	if (vmt_vm_flags_have(m->vm_flags, "lo")) {
		VMT_SET(map, unevictable_bytes, m, p->rss);
		VMT_SET(map, reclaimable_bytes, m, 0);
		VMT_SET(map, writeback_bytes, m, 0);
		VMT_SET(map, needs_swap_bytes, m, 0);
		VMT_SET(map, reclaim_slack_bytes, m, 0);
		return;
	}
	VMT_SET(map, unevictable_bytes, m, 0);
	VMT_SET(map, reclaimable_bytes, m, s.reclaimable);
	VMT_SET(map, reclaim_slack_bytes, m, s.slack);
	/* A file in memory is written nowhere but to swap. */
	VMT_SET(map, writeback_bytes, m, shmem ? 0 : s.file_dirty);
	VMT_SET(map, needs_swap_bytes, m, p->anon - p->lazy_free + (shmem ? s.file_dirty : 0));
}

static void map_freed(struct vmt_map *m, const struct pages *p)
{
	uint64_t most = vmt_least(p->anon, p->private);
	uint64_t hugetlb = 0;

	if (!VMT_HAS(map, private_hugetlb_bytes, m) || !VMT_HAS(map, perms, m) || m->perms.len < 4)
		return;
	/* Shared hugetlb memory may be a file, which stays. */
	if (m->perms.ptr[3] == 'p')
		hugetlb = m->private_hugetlb_bytes;
	if (most > UINT64_MAX - hugetlb)
		return;
	VMT_SET(map, freed_bytes, m, most + hugetlb);
	VMT_SET(map, freed_slack_bytes, m, most - vmt_less(p->private, p->rss - p->anon));
}

void vmt_map_honest(struct vmt_map *m)
{
	struct pages p;

	if (!VMT_HAS(map, rss_bytes, m) || !VMT_HAS(map, anonymous_bytes, m) ||
	    !VMT_HAS(map, lazy_free_bytes, m) || !VMT_HAS(map, shared_clean_bytes, m) ||
	    !VMT_HAS(map, private_clean_bytes, m) || !VMT_HAS(map, uss_bytes, m) ||
	    m->shared_clean_bytes > UINT64_MAX - m->private_clean_bytes)
		return;
	p = (struct pages){
		.rss = m->rss_bytes,
		.anon = m->anonymous_bytes,
		.lazy_free = m->lazy_free_bytes,
		.clean = m->shared_clean_bytes + m->private_clean_bytes,
		.private = m->uss_bytes,
	};
	if (!agree(&p))
		return;
	map_reclaim(m, &p);
	map_freed(m, &p);
}

static void proc_reclaim(struct vmt_proc *proc, const struct pages *p)
{
	struct split s = split(p);
	uint64_t shmem;

	VMT_SET(proc, reclaimable_bytes, proc, s.reclaimable);
	VMT_SET(proc, reclaim_slack_bytes, proc, s.slack);
	if (VMT_HAS(proc, pss_shmem_bytes, proc) && proc->pss_shmem_bytes == 0)
		shmem = 0;
	else if (VMT_HAS(proc, shmem_bytes, proc))
		shmem = vmt_least(proc->shmem_bytes, s.file_dirty);
	else
		return;
	VMT_SET(proc, writeback_bytes, proc, s.file_dirty - shmem);
	VMT_SET(proc, needs_swap_bytes, proc, p->anon - p->lazy_free + shmem);
}

/* Pss_Anon (5.4+) is all of the private anonymous pages and at most half of the shared ones. */
static void proc_freed(struct vmt_proc *proc, const struct pages *p)
{
	uint64_t most = vmt_least(p->anon, p->private),
		 few = vmt_less(p->private, p->rss - p->anon);

	if (VMT_HAS(proc, pss_anon_bytes, proc) && proc->pss_anon_bytes <= p->anon) {
		/* Each sum is rounded down to a KiB. */
		uint64_t pss = proc->pss_anon_bytes, half = vmt_less(pss, p->anon - pss);

		if (p->anon - pss < 1024)
			pss = half = p->anon;
		most = vmt_least(most, pss + 1023);
		few = few > half ? few : half;
	}
	if (few > most)
		return;
	if (!VMT_HAS(proc, private_hugetlb_bytes, proc) ||
	    most > UINT64_MAX - proc->private_hugetlb_bytes)
		return;
	VMT_SET(proc, freed_bytes, proc, most + proc->private_hugetlb_bytes);
	VMT_SET(proc, freed_slack_bytes, proc, most - few);
}

void vmt_proc_honest(struct vmt_proc *proc)
{
	struct pages p;

	/* An entry that others share counts for at most half: of Swap, 2 SwapPss - Swap is private.
	 */
	if (VMT_HAS(proc, rollup_swap_bytes, proc) && VMT_HAS(proc, swap_pss_bytes, proc) &&
	    proc->swap_pss_bytes <= proc->rollup_swap_bytes)
		VMT_SET(proc, freed_swap_bytes, proc,
			vmt_less(proc->swap_pss_bytes,
				 proc->rollup_swap_bytes - proc->swap_pss_bytes));
	if (!VMT_HAS(proc, rollup_rss_bytes, proc) ||
	    !VMT_HAS(proc, rollup_anonymous_bytes, proc) || !VMT_HAS(proc, lazy_free_bytes, proc) ||
	    !VMT_HAS(proc, shared_clean_bytes, proc) || !VMT_HAS(proc, private_clean_bytes, proc) ||
	    !VMT_HAS(proc, uss_bytes, proc) ||
	    proc->shared_clean_bytes > UINT64_MAX - proc->private_clean_bytes)
		return;
	p = (struct pages){
		.rss = proc->rollup_rss_bytes,
		.anon = proc->rollup_anonymous_bytes,
		.lazy_free = proc->lazy_free_bytes,
		.clean = proc->shared_clean_bytes + proc->private_clean_bytes,
		.private = proc->uss_bytes,
	};
	if (!agree(&p))
		return;
	proc_reclaim(proc, &p);
	proc_freed(proc, &p);
}
