/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/events.h"

#include <errno.h>
#include <stdio.h>

#include "base/err.h"
#include "base/fmt.h"
#include "model/crash.h"

static struct vmt_bytes copy(struct vmt_arena *arena, const char *text, size_t len)
{
	char *c = vmt_arena_copy(arena, text, len);

	return (struct vmt_bytes){ c, c ? len : 0 };
}

/* A text that was written, which is empty then. */
static struct vmt_bytes taken(struct vmt_arena *arena, struct vmt_buf *text)
{
	struct vmt_bytes ret;

	if (vmt_buf_error(text) < 0) {
		arena->failed = true;
		return (struct vmt_bytes){ 0 };
	}
	ret = copy(arena, text->data ? text->data : "", text->len);
	vmt_buf_clear(text);
	return ret;
}

bool vmt_event_failed(const struct vmt_event_raw *e)
{
	if (e->call == VMT_CALL_EXIT || e->call == VMT_CALL_CRASH || e->call == VMT_CALL_STALL)
		return false;
	if (e->call == VMT_CALL_BRK)
		return e->args[0] && (uint64_t)e->ret != e->args[0];
	return e->ret < 0 && e->ret >= -4095;
}

static void set_range(struct vmt_event *row, uint64_t start, uint64_t len)
{
	VMT_SET(event, start, row, start);
	if (start + len >= start)
		VMT_SET(event, end, row, start + len);
	VMT_SET(event, size_bytes, row, len);
}

/* The whole pages of a range; of a call that failed the range as it was asked for. */
static void set_pages(struct vmt_event *row, uint64_t start, uint64_t len, bool failed,
		      uint64_t page)
{
	uint64_t low = start & ~(page - 1);

	if (failed)
		set_range(row, start, len);
	else
		set_range(row, low, (len + (start - low) + page - 1) & ~(page - 1));
}

static void set_break(const struct vmt_event_raw *e, struct vmt_event *row, bool failed)
{
	uint64_t now = (uint64_t)e->ret;

	if (!(e->has & VMT_EVENT_HAS_BEFORE))
		return;
	VMT_SET(event, old_start, row, e->before);
	if (failed || !e->args[0])
		return;
	set_range(row, now < e->before ? now : e->before,
		  now < e->before ? e->before - now : now - e->before);
}

static void set_ranges(const struct vmt_event_raw *e, struct vmt_event *row, bool failed,
		       uint64_t page)
{
	uint64_t mask = page - 1;

	switch (e->call) {
	case VMT_CALL_MMAP:
		if (failed)
			set_range(row, e->args[0], e->args[1]);
		else
			set_range(row, (uint64_t)e->ret, (e->args[1] + mask) & ~mask);
		break;
	case VMT_CALL_MREMAP:
		VMT_SET(event, old_start, row, e->args[0]);
		VMT_SET(event, old_size_bytes, row, (e->args[1] + mask) & ~mask);
		if (!failed)
			set_range(row, (uint64_t)e->ret, (e->args[2] + mask) & ~mask);
		break;
	case VMT_CALL_BRK:
		set_break(e, row, failed);
		break;
	case VMT_CALL_SHMAT:
	case VMT_CALL_SHMDT: {
		uint64_t start = failed || e->call == VMT_CALL_SHMDT ? e->args[0]
								     : (uint64_t)e->ret;

		if (e->call == VMT_CALL_SHMAT && failed)
			start = e->args[1];
		if (e->has & VMT_EVENT_HAS_BEFORE)
			set_range(row, start, e->before);
		else
			VMT_SET(event, start, row, start);
		break;
	}
	case VMT_CALL_MUNMAP:
	case VMT_CALL_MPROTECT:
	case VMT_CALL_PKEY_MPROTECT:
	case VMT_CALL_MADVISE:
	case VMT_CALL_MLOCK:
	case VMT_CALL_MLOCK2:
	case VMT_CALL_MUNLOCK:
	case VMT_CALL_MSYNC:
	case VMT_CALL_REMAP_FILE_PAGES:
	case VMT_CALL_MSEAL:
		set_pages(row, e->args[0], e->args[1], failed, page);
		break;
	case VMT_CALL_PROCESS_MADVISE:
		if (!failed)
			VMT_SET(event, size_bytes, row, (uint64_t)e->ret);
		break;
	case VMT_CALL_NONE:
	case VMT_CALL_MLOCKALL:
	case VMT_CALL_MUNLOCKALL:
	case VMT_CALL_MEMFD_CREATE:
	case VMT_CALL_FORK:
	case VMT_CALL_VFORK:
	case VMT_CALL_CLONE:
	case VMT_CALL_CLONE3:
	case VMT_CALL_EXECVE:
	case VMT_CALL_EXECVEAT:
	case VMT_CALL_EXIT:
	case VMT_CALL_CRASH:
	case VMT_CALL_STALL:
	case VMT_CALL_OOM:
	case VMT_CALL_COLLAPSE:
	case VMT_CALLS:
		break;
	}
}

static void set_words(const struct vmt_event_raw *e, struct vmt_event *row, struct vmt_arena *arena)
{
	/* Which argument has the flags. */
	static const int8_t at[VMT_CALLS] = {
		[VMT_CALL_MMAP] = 3,	 [VMT_CALL_MREMAP] = 3,		  [VMT_CALL_MSYNC] = 2,
		[VMT_CALL_MLOCK2] = 2,	 [VMT_CALL_MEMFD_CREATE] = 1,	  [VMT_CALL_SHMAT] = 2,
		[VMT_CALL_EXECVEAT] = 4, [VMT_CALL_REMAP_FILE_PAGES] = 4,
	};
	VMT_AUTO_BUF text = { 0 };

	if (e->call == VMT_CALL_MMAP || e->call == VMT_CALL_MPROTECT ||
	    e->call == VMT_CALL_PKEY_MPROTECT) {
		vmt_event_prot(&text, e->args[2]);
		VMT_SET(event, protection, row, taken(arena, &text));
	}
	if (at[e->call])
		vmt_event_flags(&text, e->call, (uint32_t)e->args[at[e->call]]);
	else if (e->call == VMT_CALL_MLOCKALL || e->call == VMT_CALL_CLONE ||
		 (e->call == VMT_CALL_CLONE3 && e->has & VMT_EVENT_HAS_CLONE))
		vmt_event_flags(&text, e->call, e->args[0]);
	else if (e->call == VMT_CALL_MADVISE)
		vmt_event_advice(&text, (uint32_t)e->args[2]);
	else if (e->call == VMT_CALL_PROCESS_MADVISE)
		vmt_event_advice(&text, (uint32_t)e->args[3]);
	if (text.len || vmt_buf_error(&text) < 0)
		VMT_SET(event, flags, row, taken(arena, &text));
}

static void set_file(const struct vmt_event_raw *e, struct vmt_event *row, struct vmt_arena *arena)
{
	char buf[24];
	int n;

	if (e->call == VMT_CALL_MMAP && !(e->args[3] & 0x20)) {
		VMT_SET(event, fd, row, (uint32_t)e->args[4]);
		VMT_SET(event, offset_bytes, row, e->args[5]);
	}
	if (!(e->has & VMT_EVENT_HAS_FILE))
		return;
	n = snprintf(buf, sizeof(buf), "%02x:%02x", e->dev_major, e->dev_minor);
	VMT_SET(event, device, row, copy(arena, buf, n > 0 ? (size_t)n : 0));
	VMT_SET(event, inode, row, e->inode);
	if (e->path.len)
		VMT_SET(event, path, row, e->path);
}

/* What came of it. */
static void set_end(const struct vmt_event_raw *e, struct vmt_event *row, bool failed)
{
	if (e->call == VMT_CALL_EXIT) {
		/* As wait(2) divides it. */
		if (e->ret & 0x7f)
			VMT_SET(event, exit_signal, row, (uint64_t)e->ret & 0x7f);
		else
			VMT_SET(event, exit_status, row, (uint64_t)e->ret >> 8 & 0xff);
		return;
	}
	VMT_SET(event, result, row, e->ret);
	VMT_SET(event, failed, row, failed);
	if (failed && e->call != VMT_CALL_BRK)
		VMT_SET(event, error, row, vmt_bytes_of(vmt_errno_name((int)e->ret)));
	if (failed)
		return;
	if (e->call == VMT_CALL_MEMFD_CREATE)
		VMT_SET(event, fd, row, (uint64_t)e->ret);
	else if (e->call >= VMT_CALL_FORK && e->call <= VMT_CALL_CLONE3)
		VMT_SET(event, child_pid, row, (uint64_t)e->ret);
}

int vmt_event_row(const struct vmt_event_raw *e, const struct vmt_host *host, uint64_t start_ns,
		  struct vmt_arena *arena, struct vmt_event *ret)
{
	VMT_AUTO_BUF text = { 0 };
	bool failed = vmt_event_failed(e);
	int64_t rss;

	*ret = (struct vmt_event){ 0 };
	if (host->realtime_ns && host->monotonic_ns) {
		vmt_fmt_time(&text, host->realtime_ns + e->end_ns - host->monotonic_ns);
		VMT_SET(event, time, ret, taken(arena, &text));
	}
	if (e->end_ns >= start_ns)
		VMT_SET(event, after_ns, ret, e->end_ns - start_ns);
	VMT_SET(event, pid, ret, e->pid);
	VMT_SET(event, tid, ret, e->tid);
	VMT_SET(event, uid, ret, e->uid);
	VMT_SET(event, comm, ret, copy(arena, e->comm, strnlen(e->comm, sizeof(e->comm))));
	VMT_SET(event, kind, ret, vmt_bytes_of(vmt_event_kind_name(vmt_event_kind_of(e->call))));
	VMT_SET(event, event, ret, vmt_bytes_of(vmt_event_name(e->call)));
	if (e->call == VMT_CALL_CRASH) {
		vmt_crash_fill(e, host, arena, ret);
	} else if (e->call == VMT_CALL_STALL) {
		vmt_stall_fill(e, host->page_size, arena, ret);
	} else {
		set_ranges(e, ret, failed, host->page_size);
		set_words(e, ret, arena);
		set_file(e, ret, arena);
		set_end(e, ret, failed);
	}
	if (e->has & VMT_EVENT_HAS_TIME)
		VMT_SET(event, duration_ns, ret, e->ns);
	if (e->has & VMT_EVENT_HAS_RSS &&
	    !__builtin_mul_overflow(e->rss_pages, (int64_t)host->page_size, &rss))
		VMT_SET(event, rss_change_bytes, ret, rss);
	if (e->call != VMT_CALL_STALL)
		VMT_SET(event, compat, ret, (e->has & VMT_EVENT_IS_COMPAT) != 0);
	vmt_event_sentence(&text, ret, host->page_size);
	VMT_SET(event, text, ret, taken(arena, &text));
	return arena->failed ? -ENOMEM : 0;
}

bool vmt_event_has_bytes(enum vmt_event_call call)
{
	return vmt_event_kind_of(call) == VMT_EVENT_KIND_MAP && call != VMT_CALL_MLOCKALL &&
	       call != VMT_CALL_MUNLOCKALL && call != VMT_CALL_MEMFD_CREATE;
}

static void sum_row(const struct vmt_event_process *p, enum vmt_event_call call,
		    struct vmt_bytes comm, struct vmt_event_sum *ret)
{
	const struct vmt_event_count *c = &p->counts[call];

	if (p->pid) {
		VMT_SET(event_sum, pid, ret, p->pid);
		VMT_SET(event_sum, comm, ret, comm);
		VMT_SET(event_sum, uid, ret, p->uid);
		VMT_SET(event_sum, start_time_ns, ret, p->start_ns);
		VMT_SET(event_sum, ended, ret, p->ended);
	}
	VMT_SET(event_sum, kind, ret, vmt_bytes_of(vmt_event_kind_name(vmt_event_kind_of(call))));
	VMT_SET(event_sum, event, ret, vmt_bytes_of(vmt_event_name(call)));
	VMT_SET(event_sum, events_total, ret, c->events);
	if (call != VMT_CALL_EXIT && call != VMT_CALL_CRASH && call != VMT_CALL_OOM) {
		if (call != VMT_CALL_STALL)
			VMT_SET(event_sum, failed_total, ret, c->failed);
		VMT_SET(event_sum, total_ns, ret, c->ns);
		VMT_SET(event_sum, mean_ns, ret, c->ns / c->events);
	}
	if (vmt_event_has_bytes(call))
		VMT_SET(event_sum, range_bytes, ret, c->bytes);
}

int vmt_event_sum_rows(const struct vmt_event_sample *s, struct vmt_arena *arena,
		       struct vmt_event_sum **ret, size_t *ret_n)
{
	struct vmt_event_sum *rows;
	size_t n = 0;

	for (size_t i = 0; i < s->n_processes; i++)
		for (unsigned c = 1; c < VMT_CALLS; c++)
			n += s->processes[i].counts[c].events != 0;
	rows = vmt_arena_alloc(arena, n ? n : 1, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	n = 0;
	for (size_t i = 0; i < s->n_processes; i++) {
		const struct vmt_event_process *p = &s->processes[i];
		struct vmt_bytes comm = copy(arena, p->comm, strnlen(p->comm, sizeof(p->comm)));

		for (unsigned c = 1; c < VMT_CALLS; c++)
			if (p->counts[c].events)
				sum_row(p, c, comm, &rows[n++]);
	}
	*ret = rows;
	*ret_n = n;
	return arena->failed ? -ENOMEM : 0;
}

int vmt_event_probe_row(const struct vmt_event_sample *s, struct vmt_arena *arena,
			struct vmt_event_probe *ret)
{
	uint64_t events = 0, shared = 0, processes = 0, placed = 0;

	*ret = (struct vmt_event_probe){ 0 };
	VMT_SET(event_probe, rung, ret, s->running ? VMT_BYTES("tracepoint") : VMT_BYTES("none"));
	if (!s->running)
		return 0;
	if (s->stalls_wanted)
		VMT_SET(event_probe, stall_causes, ret, vmt_stall_causes_text(s->causes, arena));
	VMT_SET(event_probe, canary, ret, s->trusted ? VMT_BYTES("trusted") : VMT_BYTES("missing"));
	if (s->stop_ns >= s->start_ns)
		VMT_SET(event_probe, window_ns, ret, s->stop_ns - s->start_ns);
	for (size_t i = 0; i < s->n_processes; i++) {
		const struct vmt_event_process *p = &s->processes[i];

		processes += p->pid != 0;
		for (unsigned c = 1; c < VMT_CALLS; c++) {
			events += p->counts[c].events;
			shared += p->pid ? 0 : p->counts[c].events;
		}
	}
	VMT_SET(event_probe, events_total, ret, events);
	VMT_SET(event_probe, listed_total, ret, s->listed);
	VMT_SET(event_probe, limited_total, ret, s->limited);
	VMT_SET(event_probe, lost_total, ret, s->lost);
	VMT_SET(event_probe, shared_total, ret, shared);
	VMT_SET(event_probe, unopened_total, ret, s->unopened);
	if (s->has_misses)
		VMT_SET(event_probe, recursion_misses, ret, s->misses);
	VMT_SET(event_probe, unwatched_total, ret, s->unwatched);
	VMT_SET(event_probe, compat_total, ret, s->compat);
	VMT_SET(event_probe, names_lost_total, ret, s->names_lost);
	if (s->has_codes)
		VMT_SET(event_probe, codes_lost_total, ret, s->codes_lost);
	if (s->touched_wanted)
		VMT_SET(event_probe, claims_lost_total, ret, s->claims_lost);
	VMT_SET(event_probe, handled_total, ret, s->handled);
	VMT_SET(event_probe, processes, ret, processes);
	if (s->has_crashes)
		VMT_SET(event_probe, crash_hook, ret, VMT_BYTES("ok"));
	else if (s->crash_reason[0])
		VMT_SET(event_probe, crash_hook, ret, vmt_bytes_of(s->crash_reason));
	if (!s->stacks)
		return arena->failed ? -ENOMEM : 0;
	for (size_t i = 0; i < s->n_places; i++)
		placed += s->places[i].count.events;
	VMT_SET(event_probe, stackless_total, ret, events > placed ? events - placed : 0);
	VMT_SET(event_probe, stacks_collided, ret, s->stacks->totals.stacks_collided);
	VMT_SET(event_probe, stacks_full, ret, s->stacks->totals.stacks_full);
	VMT_SET(event_probe, stacks_absent, ret, s->stacks->totals.stacks_absent);
	return arena->failed ? -ENOMEM : 0;
}
