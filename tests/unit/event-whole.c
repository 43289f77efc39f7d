/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "event-whole.h"

struct swept {
	const struct vmt_event_raw *raw;
	const struct vmt_host *host;
	struct vmt_bytes text;
	bool differs;
};

static int once(void *arg)
{
	struct swept *s = arg;
	struct vmt_event row;
	struct vmt_arena arena;
	int r;

	vmt_arena_init(&arena);
	r = vmt_event_row(s->raw, s->host, 0, &arena, &row);
	if (r == 0 && !vmt_bytes_equal(row.text, s->text))
		s->differs = true;
	vmt_arena_done(&arena);
	return r;
}

void unit_event_whole(const struct vmt_event_raw *raw, const struct vmt_host *host,
		      const struct vmt_event *row)
{
	struct swept s = { .raw = raw, .host = host, .text = row->text };

	assert_true(unit_piece_sweep(once, &s) > 0);
	assert_false(s.differs);
}
