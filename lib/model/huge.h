/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/mem.h"
#include "model/rows.h"

/*
 * Why a mapping has no more transparent huge pages of the size of a PMD: by the settings of the
 * machine, VmFlags and the extent of the mapping, as mm/huge_memory.c
 * __thp_vma_allowable_orders() decides it (before 6.8 hugepage_vma_check(), before 6.1
 * transparent_hugepage_active()). A reason is given only where it holds; what the kernel says of
 * the mapping (THPeligible) is compared with it.
 */

#define VMT_THP_SIZES_MAX ((size_t)20)

/* The word in brackets of a setting: Documentation/admin-guide/mm/transhuge.rst. */
enum vmt_thp_mode {
	VMT_THP_UNKNOWN, /* could not be read, or a word that is not known */
	VMT_THP_ALWAYS,
	VMT_THP_INHERIT, /* of one size: what the setting for all says */
	VMT_THP_MADVISE, /* "advise" of shmem is the same */
	VMT_THP_NEVER,
	VMT_THP_WITHIN_SIZE,
	VMT_THP_DENY,
	VMT_THP_FORCE,
};

/* /sys/kernel/mm/transparent_hugepage */
struct vmt_thp {
	bool absent; /* there is none: a kernel without transparent huge pages */
	enum vmt_thp_mode enabled;
	enum vmt_thp_mode shmem;
	uint64_t pmd_bytes; /* 0: unknown */
	bool has_max_ptes_none;
	uint64_t max_ptes_none; /* of khugepaged */
	struct vmt_thp_size {
		uint64_t bytes;
		enum vmt_thp_mode anon;
		enum vmt_thp_mode shmem; /* shared anonymous memory */
	} sizes[VMT_THP_SIZES_MAX]; /* hugepages-*kB, the smallest first; none before 6.8 */
	size_t n_sizes;
	int error; /* 0, or a negative errno: something that is there could not be read */
};

/* The mode that is chosen in a line such as "always [madvise] never". */
enum vmt_thp_mode vmt_thp_mode_parse(struct vmt_bytes text);
/* The word for it; "unknown". */
const char *vmt_thp_mode_name(enum vmt_thp_mode mode);

/* Fills row with what is known of a mapping of p that smaps was read for. The strings of m are
 * shared, its own are the arena's. page_size is in bytes. 0 or -ENOMEM. */
int vmt_huge_row(const struct vmt_thp *thp, const struct vmt_proc *p, const struct vmt_map *m,
		 uint64_t page_size, struct vmt_arena *arena, struct vmt_huge *row);
