/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/event-note.h"

#include <inttypes.h>

#include "base/fmt.h"

void vmt_event_line(struct vmt_buf *out, const struct vmt_event *e, bool ascii)
{
	if (VMT_HAS(event, time, e) && e->time.len >= 23) {
		vmt_fmt_safe(out, (struct vmt_bytes){ e->time.ptr + 11, 12 }, true);
	} else {
		vmt_buf_addc(out, '+');
		vmt_fmt_duration(out, e->after_ns);
	}
	vmt_buf_addc(out, ' ');
	vmt_fmt_safe(out, e->comm, ascii);
	vmt_buf_addf(out, "[%" PRIu64 "] ", e->pid);
	vmt_fmt_safe(out, e->text, ascii);
	vmt_buf_addc(out, '\n');
}

void vmt_event_note(struct vmt_buf *out, const struct vmt_event_probe *p,
		    const struct vmt_event_sample *sample, const struct vmt_oom_watch *oom)
{
	vmt_buf_addf(out, "%" PRIu64 " event%s of %" PRIu64 " process%s in ", p->events_total,
		     p->events_total == 1 ? "" : "s", p->processes, p->processes == 1 ? "" : "es");
	vmt_fmt_duration(out, p->window_ns);
	vmt_buf_adds(out, ", rung ");
	vmt_fmt_safe(out, p->rung, true);
	vmt_buf_adds(out, ", canary ");
	vmt_fmt_safe(out, p->canary, true);
	if (p->limited_total || p->lost_total)
		vmt_buf_addf(out, "; single ones: %" PRIu64 " left out, %" PRIu64 " lost",
			     p->limited_total, p->lost_total);
	vmt_buf_addc(out, '\n');
	if (VMT_HAS(event_probe, crash_hook, p) && !vmt_bytes_is(p->crash_hook, "ok")) {
		vmt_buf_adds(out, "! crashes are not told of: ");
		vmt_fmt_safe(out, p->crash_hook, true);
		vmt_buf_addc(out, '\n');
	}
	if (p->unopened_total)
		vmt_buf_addf(out, "! %" PRIu64 " calls found no room, and are not counted\n",
			     p->unopened_total);
	if (p->compat_total)
		vmt_buf_addf(out, "! %" PRIu64 " calls by numbers of 32 bits were not understood\n",
			     p->compat_total);
	if (VMT_HAS(event_probe, stackless_total, p) && p->stackless_total)
		vmt_buf_addf(out,
			     "%" PRIu64 " of them have no place: ends of processes, and what "
			     "found the table of stacks full\n",
			     p->stackless_total);
	if (VMT_HAS(event_probe, stacks_collided, p) && p->stacks_collided + p->stacks_full)
		vmt_buf_addf(out, "! %" PRIu64 " calls have no place: no room for their stacks\n",
			     p->stacks_collided + p->stacks_full);
	if (VMT_HAS(event_probe, codes_lost_total, p) && p->codes_lost_total)
		vmt_buf_addf(out,
			     "! %" PRIu64 " frames of stacks are [unknown]: the table of code was "
			     "full\n",
			     p->codes_lost_total);
	if (VMT_HAS(event_probe, claims_lost_total, p) && p->claims_lost_total)
		vmt_buf_addf(out,
			     "! %" PRIu64 " mapped ranges found no room: of their places it is not "
			     "known what is still mapped\n",
			     p->claims_lost_total);
	if (sample->stalls_wanted && sample->causes != VMT_STALL_CAUSES_ALL) {
		vmt_buf_adds(out, "! of stalls this kernel tells only: ");
		vmt_fmt_safe(out, p->stall_causes, true);
		vmt_buf_addc(out, '\n');
	}
	if (p->unwatched_total)
		vmt_buf_addf(out, "! %" PRIu64 " children could not be watched\n",
			     p->unwatched_total);
	vmt_oom_watch_note(oom, out);
}
