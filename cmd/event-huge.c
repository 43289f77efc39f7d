/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/event-huge.h"

#include <inttypes.h>

#include "model/collapse.h"

static struct vmt_source_stat *source_of(const struct vmt_huge_watch *w)
{
	return &w->run->sample->sources[VMT_SOURCE_KHUGEPAGED];
}

int vmt_huge_watch_begin(struct vmt_huge_watch *w, const struct vmt_events *events,
			 const struct vmt_events_opts *opts, bool needed)
{
	const struct vmt_collapses_opts mine = { .filter_fd = vmt_events_filter(events),
						 .by_user = opts->by_user,
						 .uid = opts->uid };
	struct vmt_source_stat *s = source_of(w);
	struct vmt_err err = { 0 };
	int r = vmt_collapses_start(&mine, &w->collapses, &err);
	bool denied = r == -EPERM || r == -EACCES;

	w->asked = true;
	s->state = VMT_STATE_OK;
	if (r < 0) {
		s->state = denied ? VMT_STATE_DENIED : VMT_STATE_ABSENT;
		s->error = r;
		snprintf(s->reason, sizeof(s->reason), "%.159s", err.text);
		if (!needed)
			return 0;
		vmt_complain(w->ctx, "what khugepaged does is not seen: %s", err.text);
		return denied ? VMT_EXIT_DENIED : VMT_EXIT_FAILED;
	}
	if (vmt_collapses_doubt(w->collapses)) {
		s->state = VMT_STATE_PARTIAL;
		snprintf(s->reason, sizeof(s->reason), "%.159s", vmt_collapses_doubt(w->collapses));
	}
	return 0;
}

void vmt_huge_watch_end(struct vmt_huge_watch *w)
{
	if (w->collapses)
		vmt_collapses_stop(w->collapses);
}

int vmt_huge_watch_section(struct vmt_huge_watch *w, bool remark, struct vmt_buf *note,
			   struct vmt_section **ret)
{
	struct vmt_arena *arena = &w->run->sample->arena;
	struct vmt_source_stat *s = source_of(w);
	struct vmt_collapse_sample sample = { 0 };
	struct vmt_event_collapse *rows;
	size_t n;

	*ret = NULL;
	if (!w->asked)
		return 0;
	if ((w->collapses && vmt_collapses_read(w->collapses, arena, &sample) < 0) ||
	    vmt_collapse_rows(&sample, arena, &rows, &n) < 0)
		return vmt_no_memory(w->ctx);
	if (sample.ownerless) {
		s->state = VMT_STATE_PARTIAL;
		snprintf(s->reason, sizeof(s->reason),
			 "this kernel does not say whose memory it is (CONFIG_MEMCG)");
	}
	if (remark && s->state != VMT_STATE_OK)
		vmt_buf_addf(note, "! of khugepaged %s is known: %s\n",
			     w->collapses ? "a part" : "nothing", s->reason);
	if (sample.shared)
		vmt_buf_addf(note,
			     "! %" PRIu64 " results of khugepaged found the table full, and are "
			     "in one row\n",
			     sample.shared);
	*ret = vmt_run_section(w->run, w->ctx, "collapses", rows, n);
	if (!*ret)
		return VMT_EXIT_FAILED;
	return 0;
}

void vmt_huge_watch_done(struct vmt_huge_watch *w)
{
	vmt_collapses_free(w->collapses);
	*w = (struct vmt_huge_watch){ 0 };
}
