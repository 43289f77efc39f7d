/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/probe-singles.h"

#include <assert.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/fault-event.h"

/* Whatever the rate and the time: 100 MB. */
#define SINGLES_MOST ((size_t)1 << 20)

/* Runs that may go on; a power of two. Two that meet in one place end each other. */
#define RUNS 1024u

/* Faults of one call: whoever fills the ring may be faster than we are. */
#define TURN ((size_t)1 << 18)

#define SECOND UINT64_C(1000000000)

/* A run that is handed out while it runs: when nothing came for so long, and at the latest. */
#define RUN_QUIET (SECOND / 10)
#define RUN_MOST  SECOND

struct vmt_probe_singles {
	struct ring_buffer *ring;
	size_t in_turn; /* taken since the last call */
	bool runs;
	uint64_t rate;
	uint64_t second; /* in which n_second were kept */
	uint64_t n_second;
	uint64_t taken;
	uint64_t limited;
	uint64_t broken; /* that were no faults, by their length */
	uint64_t page;
	struct vmt_fault_single *all;
	size_t n;
	size_t cap;
	uint32_t open[RUNS]; /* index in all + 1, by thread and mapping */
};

static_assert((int)VMT_ACCESS_EXEC == (int)VMT_BPF_EXEC &&
		      (int)VMT_MODE_KERNEL == (int)VMT_BPF_MODE_KERNEL,
	      "the same access and mode");

/* The place of the run that a fault may go on with. */
static uint32_t *run_of(struct vmt_probe_singles *s, uint32_t tid, uint32_t slot)
{
	return &s->open[(tid * 2654435761u ^ slot * 40503u) % RUNS];
}

static enum vmt_fault_kind kind_of(const struct vmt_fault_event *e)
{
	return e->kind < VMT_FAULT_KINDS ? e->kind : VMT_KIND_UNKNOWN;
}

/* One whose kind is not known breaks no run: the first page of each table is often such a one. */
static bool goes_on(const struct vmt_probe_singles *s, const struct vmt_fault_single *run,
		    const struct vmt_fault_event *e)
{
	return run->tid == e->tid && run->pid == e->tgid && run->slot == e->slot &&
	       run->address + run->faults * s->page == e->address && run->ip == e->ip &&
	       (int)run->access == (int)e->access && (int)run->mode == (int)e->mode &&
	       run->major == (e->major != 0) &&
	       ((int)run->kind == (int)e->kind || run->kind == VMT_KIND_UNKNOWN ||
		kind_of(e) == VMT_KIND_UNKNOWN);
}

int vmt_probe_singles_take(struct vmt_probe_singles *s, const struct vmt_fault_event *e)
{
	uint32_t *open = run_of(s, e->tid, e->slot);
	struct vmt_fault_single *one;

	s->taken++;
	if (s->runs && *open && goes_on(s, &s->all[*open - 1], e)) {
		one = &s->all[*open - 1];
		one->faults++;
		if (one->kind == VMT_KIND_UNKNOWN)
			one->kind = kind_of(e);
		one->total_ns += e->ns;
		if (e->ns > one->latency_ns)
			one->latency_ns = e->ns;
		if (e->end_ns > one->end_ns)
			one->end_ns = e->end_ns;
		return 0;
	}
	if (e->end_ns / SECOND != s->second) {
		s->second = e->end_ns / SECOND;
		s->n_second = 0;
	}
	if ((s->rate && s->n_second >= s->rate) || s->n >= SINGLES_MOST) {
		s->limited++;
		return 0;
	}
	if (vmt_grow(&s->all, &s->cap, s->n + 1, sizeof(*s->all)))
		return -ENOMEM;
	s->n_second++;
	one = &s->all[s->n++];
	*one = (struct vmt_fault_single){
		.end_ns = e->end_ns,
		.first_ns = e->end_ns,
		.latency_ns = e->ns,
		.total_ns = e->ns,
		.address = e->address,
		.ip = e->ip,
		.faults = 1,
		.page = s->page,
		.pid = e->tgid,
		.tid = e->tid,
		.slot = e->slot,
		.access = e->access <= VMT_BPF_EXEC ? e->access : VMT_ACCESS_UNKNOWN,
		.mode = e->mode <= VMT_BPF_MODE_KERNEL ? e->mode : VMT_MODE_UNKNOWN,
		.major = e->major != 0,
		.kind = kind_of(e),
	};
	memcpy(one->comm, e->comm, sizeof(one->comm));
	*open = (uint32_t)s->n;
	return 0;
}

static int take(void *ctx, void *data, size_t size)
{
	struct vmt_probe_singles *s = ctx;
	int r;

	if (size != sizeof(struct vmt_fault_event)) {
		s->broken++;
		return 0;
	}
	r = vmt_probe_singles_take(s, data);
	if (r)
		return r;
	/* A negative result ends the call; this fault has been taken. */
	return ++s->in_turn < TURN ? 0 : -EAGAIN;
}

int vmt_probe_singles_new(int ring_fd, const struct vmt_probe_opts *opts,
			  struct vmt_probe_singles **ret, struct vmt_err *err)
{
	struct vmt_probe_singles *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return vmt_err_set(err, -ENOMEM, NULL, 0, "no memory for single faults");
	s->runs = !opts->single_least_ns;
	s->rate = opts->single_rate;
	s->page = (uint64_t)sysconf(_SC_PAGESIZE);
	if (ring_fd >= 0) {
		s->ring = ring_buffer__new(ring_fd, take, s, NULL);
		if (!s->ring) {
			r = errno ? -errno : -ENOMEM;
			free(s);
			return vmt_err_set(err, r, NULL, 0, "cannot map the ring of faults");
		}
	}
	*ret = s;
	return 0;
}

void vmt_probe_singles_free(struct vmt_probe_singles *s)
{
	if (!s)
		return;
	ring_buffer__free(s->ring);
	free(s->all);
	free(s);
}

uint64_t vmt_probe_singles_broken(const struct vmt_probe_singles *s)
{
	return s->broken;
}

int vmt_probe_singles_drain(struct vmt_probe_singles *s, struct vmt_err *err)
{
	int n;

	s->in_turn = 0;
	n = ring_buffer__consume(s->ring);
	return n < 0 && n != -EAGAIN ? vmt_err_set(err, n, NULL, 0, "no memory for single faults")
				     : 0;
}

static int by_end(const void *a, const void *b)
{
	const struct vmt_fault_single *x = a, *y = b;

	return x->end_ns < y->end_ns ? -1 : x->end_ns > y->end_ns;
}

/* Whether a fault may still go on with a run. */
static bool is_open(const struct vmt_fault_single *run, uint64_t now_ns)
{
	return run->end_ns + RUN_QUIET > now_ns && run->first_ns + RUN_MOST > now_ns;
}

int vmt_probe_singles_live(struct vmt_probe_singles *s, uint64_t now_ns, bool last,
			   struct vmt_arena *arena, struct vmt_fault_sample *ret)
{
	VMT_AUTO_FREE bool *stays = calloc(s->n + 1, sizeof(*stays));
	size_t kept = 0;

	ret->singles = vmt_arena_alloc(arena, s->n + 1, sizeof(*ret->singles));
	if (!stays || !ret->singles)
		return -ENOMEM;
	for (size_t i = 0; i < RUNS; i++)
		if (s->runs && !last && s->open[i] && is_open(&s->all[s->open[i] - 1], now_ns))
			stays[s->open[i] - 1] = true;
	memset(s->open, 0, sizeof(s->open));
	for (size_t i = 0; i < s->n; i++) {
		struct vmt_fault_single *one = &s->all[i];

		if (!stays[i]) {
			ret->singles[ret->n_singles++] = *one;
			continue;
		}
		s->all[kept++] = *one;
		*run_of(s, one->tid, one->slot) = (uint32_t)kept;
	}
	s->n = kept;
	qsort(ret->singles, ret->n_singles, sizeof(*ret->singles), by_end);
	ret->totals.singles = s->taken;
	ret->totals.singles_limited = s->limited;
	return 0;
}

int vmt_probe_singles_read(const struct vmt_probe_singles *s, struct vmt_arena *arena,
			   struct vmt_fault_sample *ret)
{
	ret->singles = vmt_arena_alloc(arena, s->n ? s->n : 1, sizeof(*ret->singles));
	if (!ret->singles)
		return -ENOMEM;
	if (s->n) {
		memcpy(ret->singles, s->all, s->n * sizeof(*s->all));
		/* Each CPU is in order, one against the other is not. */
		qsort(ret->singles, s->n, sizeof(*s->all), by_end);
	}
	ret->n_singles = s->n;
	ret->totals.singles = s->taken;
	ret->totals.singles_limited = s->limited;
	return 0;
}
