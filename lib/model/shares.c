/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/parts.h"

struct share {
	const char *name;
	const char *letter;
	const char *from;
	uint32_t parts; /* bits by enum vmt_part_id */
};

#define P(id)  (UINT32_C(1) << VMT_PART_##id)
#define KERNEL (P(SLAB_UNREC) | P(STACKS) | P(TABLES) | P(SEC_TABLES) | P(VMALLOC) | P(PERCPU))

static const struct share shares[VMT_SHARE_COUNT] = {
	[VMT_SHARE_ANON] = { "anon", "A", "anonymous", P(ANON) },
	[VMT_SHARE_SHMEM] = { "shmem", "S", "shmem", P(SHMEM) },
	[VMT_SHARE_KERNEL] = { "kernel", "K",
			       "slab_unreclaimable + kernel_stacks + page_tables + "
			       "sec_page_tables + vmalloc + percpu",
			       KERNEL },
	[VMT_SHARE_DIRTY] = { "dirty", "D", "file_dirty + file_writeback",
			      P(DIRTY) | P(WRITEBACK) },
	[VMT_SHARE_CACHE] = { "cache", "C", "file_clean + buffers + swap_cache",
			      P(CLEAN) | P(BUFFERS) | P(SWAP_CACHE) },
	[VMT_SHARE_SLAB] = { "slab_reclaimable", "R", "slab_reclaimable + other_reclaimable",
			     P(SLAB_REC) | P(OTHER_REC) },
	[VMT_SHARE_FREE] = { "free", ".", "free + free_on_cpus", P(FREE) | P(PCP) },
	[VMT_SHARE_OTHER] = { "other", "?", "MemTotal - all of the above", 0 },
};

/* The sum of parts; what a kernel does not count is not in it, and so in other. False where a part
 * that every kernel counts is unknown. */
static bool sum_of(const struct vmt_part *parts, uint32_t which, int64_t *ret)
{
	size_t i;

	*ret = 0;
	for (i = 0; i < VMT_PART_COUNT; i++) {
		if (!(which >> i & 1))
			continue;
		if (VMT_HAS(part, size_bytes, &parts[i])) {
			if (__builtin_add_overflow(*ret, parts[i].size_bytes, ret))
				return false;
		} else if (vmt_part_is_needed((enum vmt_part_id)i)) {
			return false;
		}
	}
	return true;
}

void vmt_shares(const struct vmt_system *s, const struct vmt_part parts[VMT_PART_COUNT],
		struct vmt_share rows[VMT_SHARE_COUNT])
{
	int64_t rest = 0, size;
	bool known = VMT_HAS(system, total_bytes, s) && s->total_bytes <= INT64_MAX;
	size_t i;

	if (known)
		rest = (int64_t)s->total_bytes;
	for (i = 0; i < VMT_SHARE_COUNT; i++) {
		struct vmt_share *row = &rows[i];

		*row = (struct vmt_share){ 0 };
		VMT_SET(share, name, row, vmt_bytes_of(shares[i].name));
		VMT_SET(share, letter, row, vmt_bytes_of(shares[i].letter));
		VMT_SET(share, from, row, vmt_bytes_of(shares[i].from));
		if (i == VMT_SHARE_OTHER) {
			if (known)
				VMT_SET(share, size_bytes, row, rest);
		} else if (sum_of(parts, shares[i].parts, &size)) {
			VMT_SET(share, size_bytes, row, size);
			known = known && !__builtin_sub_overflow(rest, size, &rest);
		} else {
			known = false;
		}
		if (VMT_HAS(share, size_bytes, row) && VMT_HAS(system, total_bytes, s) &&
		    s->total_bytes && row->size_bytes >= 0)
			VMT_SET(share, total_percent, row,
				(uint64_t)((unsigned __int128)row->size_bytes * 100000 /
					   s->total_bytes));
	}
}
