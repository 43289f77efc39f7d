/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/symbolize-crash.h"

#include <errno.h>
#include <string.h>

#include "model/crash.h"
#include "model/model.h"

/* Paths are as the probe gives them: what was unlinked has that behind it. */
static bool is_deleted(struct vmt_bytes path)
{
	static const char gone[] = " (deleted)";
	size_t n = sizeof(gone) - 1;

	return path.len > n && memcmp(path.ptr + path.len - n, gone, n) == 0;
}

/* Whether a text is what stands for an instruction without a symbol. */
static int is_plain(const struct vmt_fault_code *image, uint64_t ip, struct vmt_bytes text)
{
	const struct vmt_fault_frame frame = {
		.module = image->path,
		.has_offset = true,
		.offset = ip - image->start + image->offset_bytes,
	};
	VMT_AUTO_BUF plain = { 0 };

	vmt_fault_frame_text(&plain, &frame);
	if (vmt_buf_error(&plain) < 0)
		return -ENOMEM;
	return vmt_bytes_equal(text, (struct vmt_bytes){ plain.data, plain.len });
}

int vmt_symbolize_crash(struct vmt_single_symbols *known, struct vmt_collector *c,
			struct vmt_sample *s, const struct vmt_event_raw *e,
			struct vmt_crash *crash)
{
	const struct vmt_crash_map *code = &crash->image;
	/* What tells the images of one process apart: these are compared with each other alone. */
	uint64_t exec_id = code->start ^ code->inode;
	struct vmt_fault_raw map = {
		.slot = 1, .pid = e->pid, .start_time_ns = crash->start_ns, .exec_id = exec_id
	};
	struct vmt_fault_code image = {
		.pid = e->pid,
		.start_time_ns = crash->start_ns,
		.exec_id = exec_id,
		.start = code->start,
		.end = code->end,
		.offset_bytes = code->offset_bytes,
		.inode = code->inode,
		.dev_major = code->dev_major,
		.dev_minor = code->dev_minor,
		.has_file = true,
		.deleted = is_deleted(code->path),
		.path = code->path,
	};
	struct vmt_fault_single one = { .slot = 1, .ip = crash->ip, .pid = e->pid };
	struct vmt_fault_sample f = {
		.maps = &map,
		.n_maps = 1,
		.codes = &image,
		.n_codes = code->inode != 0,
		.singles = &one,
		.n_singles = 1,
	};
	int r;

	/* Of code without a file a compiler may have written down the names. */
	if (!crash->has_registers || !code->end)
		return 0;
	r = vmt_symbolize_singles(known, c, s, &f);
	if (r == 0 && code->inode && one.symbol.len)
		r = is_plain(&image, crash->ip, one.symbol);
	if (r == 0)
		crash->symbol = one.symbol;
	return r < 0 ? r : 0;
}

int vmt_symbolize_event(struct vmt_single_symbols *known, struct vmt_collector *c,
			struct vmt_sample *s, const struct vmt_event_raw *e,
			struct vmt_arena *arena, struct vmt_event_raw *ret)
{
	struct vmt_crash *crash;

	*ret = *e;
	if (!e->crash)
		return 0;
	crash = vmt_arena_alloc(arena, 1, sizeof(*crash));
	if (!crash)
		return -ENOMEM;
	*crash = *e->crash;
	ret->crash = crash;
	return vmt_symbolize_crash(known, c, s, e, crash);
}
