/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Single events, as the programs put them into their ring. */

#include <errno.h>
#include <string.h>

#include "bpf/crash.h"
#include "source/probe-crash.h"
#include "source/probe-events-internal.h"

static struct vmt_event_raw raw_of(const struct vmt_event_record *r)
{
	struct vmt_event_raw e = {
		.end_ns = r->end_ns,
		.ns = r->ns,
		.ret = r->ret,
		.rss_pages = r->rss_pages,
		.before = r->before,
		.inode = r->ino,
		.dev_major = r->dev >> 20,
		.dev_minor = r->dev & ((1u << 20) - 1),
		.pid = r->tgid,
		.tid = r->tid,
		.uid = r->uid,
		.call = r->call,
	};

	e.has = (r->flags & VMT_EVENT_TIMED ? VMT_EVENT_HAS_TIME : 0u) |
		(r->flags & VMT_EVENT_RSS ? VMT_EVENT_HAS_RSS : 0u) |
		(r->flags & VMT_EVENT_FILE ? VMT_EVENT_HAS_FILE : 0u) |
		(r->flags & VMT_EVENT_BEFORE ? VMT_EVENT_HAS_BEFORE : 0u) |
		(r->flags & VMT_EVENT_CLONE_FLAGS ? VMT_EVENT_HAS_CLONE : 0u) |
		(r->flags & VMT_EVENT_COMPAT ? VMT_EVENT_IS_COMPAT : 0u);
	memcpy(e.args, r->args, sizeof(e.args));
	memcpy(e.comm, r->comm, sizeof(e.comm));
	return e;
}

static int name_at(void *arg, uint32_t row, struct vmt_arena *arena, struct vmt_bytes *ret)
{
	const struct vmt_events *x = arg;

	return vmt_probe_name(&x->names, row, arena, ret);
}

static int stack_of(struct vmt_events *x, const void *record, struct vmt_event_raw *e)
{
	const struct vmt_event_stacked *r = record;
	struct vmt_fault_stack *stack = vmt_arena_alloc(x->arena, 1, sizeof(*stack));

	if (!stack || vmt_probe_stack_copy(&r->stack, x->frames_most, x->arena, stack))
		return -ENOMEM;
	e->stack = stack;
	return 0;
}

static int crash_of(struct vmt_events *x, const void *record, struct vmt_event_raw *e)
{
	struct vmt_crash *crash = vmt_arena_alloc(x->arena, 1, sizeof(*crash));

	if (!crash || vmt_probe_crash(record, name_at, x, x->arena, crash))
		return -ENOMEM;
	e->crash = crash;
	return 0;
}

static int stall_of(struct vmt_events *x, const struct vmt_stall_record *r, struct vmt_event_raw *e)
{
	struct vmt_stall *stall = vmt_arena_alloc(x->arena, 1, sizeof(*stall));

	if (!stall)
		return -ENOMEM;
	*stall = vmt_pressure_stall(r, x->pressure.throttle_told);
	if (name_at(x, r->cgroup, x->arena, &stall->cgroup) ||
	    name_at(x, r->limit, x->arena, &stall->limit))
		return -ENOMEM;
	e->stall = stall;
	return 0;
}

/* How long the record of an event is; 0: there is no such event. */
static size_t size_of(const struct vmt_event_record *r)
{
	if (r->call == VMT_BPF_CALL_NONE || r->call >= VMT_BPF_CALL_COUNT)
		return 0;
	if (r->call == VMT_BPF_CALL_CRASH)
		return sizeof(struct vmt_crash_record);
	if (r->call == VMT_BPF_CALL_STALL)
		return sizeof(struct vmt_stall_record);
	return r->flags & VMT_EVENT_STACK ? sizeof(struct vmt_event_stacked) : sizeof(*r);
}

/* What stands behind the event itself. */
static int rest_of(struct vmt_events *x, const struct vmt_event_record *r, struct vmt_event_raw *e)
{
	if (e->call == VMT_CALL_CRASH)
		return crash_of(x, r, e);
	if (e->call == VMT_CALL_STALL)
		return stall_of(x, (const void *)r, e);
	return r->flags & VMT_EVENT_STACK ? stack_of(x, r, e) : 0;
}

int vmt_events_on_record(void *data, void *record, size_t size)
{
	const struct vmt_event_record *r = record;
	struct vmt_events *x = data;
	struct vmt_event_raw e;
	int code;

	if (size < sizeof(*r) || size != size_of(r)) {
		x->broken++;
		return 0;
	}
	e = raw_of(r);
	if (name_at(x, r->name, x->arena, &e.path) || rest_of(x, r, &e))
		return -ENOMEM;
	x->taken++;
	x->listed++;
	code = x->fn(x->arg, &e);
	if (code < 0)
		return code;
	/* A negative result ends the call; this event has been taken. */
	return --x->left ? 0 : -EAGAIN;
}
