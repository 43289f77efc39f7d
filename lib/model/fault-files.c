/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/fault-raw.h"
#include "model/model.h"

/* The parts that calls were for. */
static bool offset_hist(const struct vmt_fault_file *raw, struct vmt_arena *arena,
			struct vmt_hist *ret)
{
	struct vmt_hist_bucket *buckets;
	uint64_t sum = 0;
	size_t n = 0, i;

	for (i = 0; i < VMT_FAULT_PARTS; i++) {
		n += raw->parts[i] != 0;
		sum += raw->parts[i];
	}
	/* They are narrower than the count of calls. */
	if (!raw->part_bytes || raw->calls > UINT32_MAX || sum < raw->calls)
		return false;
	buckets = vmt_arena_alloc(arena, n ? n : 1, sizeof(*buckets));
	if (!buckets)
		return false;
	*ret = (struct vmt_hist){ .buckets = buckets };
	for (i = 0; i < VMT_FAULT_PARTS; i++) {
		uint64_t end = (i + 1) * raw->part_bytes - 1;

		if (!raw->parts[i])
			continue;
		/* The file has grown: the last part goes on. */
		if (i + 1 == VMT_FAULT_PARTS && raw->last_offset_bytes > end)
			end = UINT64_MAX;
		buckets[ret->n++] = (struct vmt_hist_bucket){ .from = i * raw->part_bytes,
							      .to = end,
							      .count = raw->parts[i] };
	}
	return true;
}

void vmt_fault_file_calls(const struct vmt_fault_file *raw, uint32_t have, struct vmt_arena *arena,
			  struct vmt_file *row)
{
	struct vmt_hist offsets;

	VMT_SET(file, calls_total, row, raw->calls);
	if (raw->has_offset) {
		VMT_SET(file, first_offset_bytes, row, raw->first_offset_bytes);
		VMT_SET(file, last_offset_bytes, row, raw->last_offset_bytes);
	}
	if (offset_hist(raw, arena, &offsets))
		VMT_SET(file, offset_histogram, row, offsets);
	if (have & (VMT_HAVE_FILE_RESULT | VMT_HAVE_FILE_PAGES)) {
		VMT_SET(file, cached_total, row, raw->cached);
		VMT_SET(file, read_total, row, raw->major);
	}
	if (have & VMT_HAVE_FILE_RESULT) {
		VMT_SET(file, retried_total, row, raw->retried);
		VMT_SET(file, failed_total, row, raw->failed);
	}
	if (have & VMT_HAVE_FILE_AROUND)
		VMT_SET(file, around_total, row, raw->around);
	if (!(have & VMT_HAVE_FILE_PAGES))
		return;
	VMT_SET(file, brought_bytes, row, raw->brought_bytes);
	VMT_SET(file, ahead_bytes, row, raw->ahead_bytes);
	if (!raw->ahead_lost)
		VMT_SET(file, ahead_hits_total, row, raw->ahead_hits);
}
