/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/page-kind.h"

/* include/uapi/linux/kernel-page-flags.h */
#define KPF_REFERENCED	  (UINT64_C(1) << 2)
#define KPF_DIRTY	  (UINT64_C(1) << 4)
#define KPF_WRITEBACK	  (UINT64_C(1) << 8)
#define KPF_SWAPCACHE	  (UINT64_C(1) << 13)
#define KPF_SWAPBACKED	  (UINT64_C(1) << 14)
#define KPF_COMPOUND_HEAD (UINT64_C(1) << 15)
#define KPF_COMPOUND_TAIL (UINT64_C(1) << 16)

/* Whether what is in it would have to be written before it can be taken away. */
static bool is_dirty(const struct vmt_page_run *run)
{
	bool flags = run->known & VMT_PAGE_HAS_FLAGS;

	if (flags && run->flags & (KPF_DIRTY | KPF_WRITEBACK))
		return true;
	if (run->backing != VMT_BACKING_ANON)
		return false;
	/* Memory of one's own is nowhere else, but where swap has the same still, or where it was
	 * given back by MADV_FREE and not taken yet. */
	return !flags || (run->flags & KPF_SWAPBACKED && !(run->flags & KPF_SWAPCACHE));
}

static bool is_shared(const struct vmt_page_run *run)
{
	if (run->known & VMT_PAGE_HAS_COUNT)
		return run->count > 1;
	return run->known & VMT_PAGE_EXCLUSIVE && !(run->marks & VMT_PAGE_EXCLUSIVE);
}

static enum vmt_page_kind kind_of_present(const struct vmt_page_run *run)
{
	if (run->backing == VMT_BACKING_ZERO)
		return VMT_PAGE_KIND_ZERO;
	if (is_dirty(run))
		return VMT_PAGE_KIND_DIRTY;
	if (is_shared(run))
		return VMT_PAGE_KIND_SHARED;
	if (run->known & VMT_PAGE_HAS_FLAGS && run->flags & KPF_REFERENCED)
		return VMT_PAGE_KIND_REFERENCED;
	return VMT_PAGE_KIND_CLEAN;
}

enum vmt_page_kind vmt_page_kind_of(const struct vmt_page_run *run, bool *ret_large)
{
	static const enum vmt_page_kind of_state[VMT_PAGE_STATES] = {
		[VMT_PAGE_NONE] = VMT_PAGE_KIND_NONE,
		[VMT_PAGE_SWAPPED] = VMT_PAGE_KIND_SWAPPED,
		[VMT_PAGE_GUARD] = VMT_PAGE_KIND_GUARD,
		[VMT_PAGE_SPECIAL] = VMT_PAGE_KIND_SPECIAL,
	};

	*ret_large = run->state == VMT_PAGE_PRESENT &&
		     (run->marks & VMT_PAGE_HUGE ||
		      (run->known & VMT_PAGE_HAS_FLAGS &&
		       run->flags & (KPF_COMPOUND_HEAD | KPF_COMPOUND_TAIL | VMT_KPF_THP)));
	return run->state == VMT_PAGE_PRESENT ? kind_of_present(run) : of_state[run->state];
}
