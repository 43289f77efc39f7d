/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/page-row.h"

#include <errno.h>

static int set_flags(struct vmt_page_rows *rows, uint64_t flags, struct vmt_page *row)
{
	VMT_AUTO_BUF text = { 0 };

	if (!rows->last_text.ptr || rows->last_flags != flags) {
		char *copy;

		vmt_kpage_flags_text(&text, flags);
		if (vmt_buf_error(&text) < 0)
			return -ENOMEM;
		copy = vmt_arena_copy(rows->arena, text.data, text.len);
		if (!copy)
			return -ENOMEM;
		rows->last_text = (struct vmt_bytes){ copy, text.len };
		rows->last_flags = flags;
	}
	VMT_SET(page, kpageflags, row, flags);
	VMT_SET(page, page_flags, row, rows->last_text);
	return 0;
}

static void set_place(const struct vmt_page_rows *rows, const struct vmt_page_run *run,
		      struct vmt_page *row)
{
	const struct vmt_physical *physical = rows->physical;
	const char *region;

	if (physical && run->zone >= 0 && (size_t)run->zone < physical->n_zones) {
		VMT_SET(page, zone, row, vmt_bytes_of(physical->zones[run->zone].name));
		VMT_SET(page, node, row, physical->zones[run->zone].node);
	}
	if (!(run->known & VMT_PAGE_HAS_FRAME))
		return;
	VMT_SET(page, frame, row, run->frame);
	VMT_SET(page, physical, row, run->frame * rows->page_size);
	region = physical ? vmt_physical_region(physical, run->frame * rows->page_size) : NULL;
	if (region)
		VMT_SET(page, region, row, vmt_bytes_of(region));
}

int vmt_page_row(struct vmt_page_rows *rows, const struct vmt_page_run *run,
		 const struct vmt_map *m, struct vmt_page *row)
{
	const char *backing = vmt_page_backing_name(run->backing);

	if (VMT_HAS(map, pid, m))
		VMT_SET(page, pid, row, m->pid);
	VMT_SET(page, perms, row, m->perms);
	VMT_SET(page, kind, row, m->kind);
	VMT_SET(page, path, row, m->path);
	/* Only what is of a file has a place in one. */
	if (m->inode)
		VMT_SET(page, offset_bytes, row, m->offset_bytes + (run->start - m->start));
	VMT_SET(page, start, row, run->start);
	VMT_SET(page, end, row, run->start + run->pages * rows->page_size);
	VMT_SET(page, pages, row, run->pages);
	VMT_SET(page, size_bytes, row, run->pages * rows->page_size);
	VMT_SET(page, state, row, vmt_bytes_of(vmt_page_state_name(run->state)));
	if (backing)
		VMT_SET(page, backing, row, vmt_bytes_of(backing));
	if (run->known & VMT_PAGE_EXCLUSIVE)
		VMT_SET(page, exclusive, row, (run->marks & VMT_PAGE_EXCLUSIVE) != 0);
	if (run->known & VMT_PAGE_SOFT_DIRTY)
		VMT_SET(page, soft_dirty, row, (run->marks & VMT_PAGE_SOFT_DIRTY) != 0);
	if (run->known & VMT_PAGE_UFFD_WP)
		VMT_SET(page, uffd_wp, row, (run->marks & VMT_PAGE_UFFD_WP) != 0);
	if (run->known & VMT_PAGE_HUGE)
		VMT_SET(page, huge, row, (run->marks & VMT_PAGE_HUGE) != 0);
	if (run->known & VMT_PAGE_HAS_SWAP) {
		VMT_SET(page, swap_type, row, run->swap_type);
		VMT_SET(page, swap_offset, row, run->swap_offset);
	}
	if (run->known & VMT_PAGE_HAS_COUNT)
		VMT_SET(page, map_count, row, run->count);
	set_place(rows, run, row);
	return run->known & VMT_PAGE_HAS_FLAGS ? set_flags(rows, run->flags, row) : 0;
}

void vmt_addr_set_state(struct vmt_addr *row, const struct vmt_page *page)
{
#define F(member, ...) FK(0, member, 0)
#define FK(key, member, ...)                                                                       \
	if (VMT_HAS(page, member, page))                                                           \
		VMT_SET(addr, member, row, page->member);
#include "model/page-state.def"
#undef F
#undef FK
}
