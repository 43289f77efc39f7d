/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The rungs of the fault probe that run BPF programs: bpf/fault.bpf.c. */

#include <assert.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "source/perf-event.h"
#include "source/probe-canary.h"
#include "source/probe-fault.h"

/* Generated; our warnings are not bpftool's. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wcast-qual"
#include "fault.skel.h"
#pragma GCC diagnostic pop

#define MAPS_USUAL  16384u
#define PROCS_USUAL 8192u
#define NAMES_USUAL 4096u
#define ROWS_MOST   (1u << 20)

static const size_t pile_sizes[VMT_DRAIN_PILES] = {
	[VMT_PILE_MAPS] = sizeof(struct vmt_slot_map),
	[VMT_PILE_PROCS] = sizeof(struct vmt_slot_proc),
	[VMT_PILE_KINDS] = sizeof(struct vmt_slot_kind),
};

static_assert(sizeof(struct vmt_slot_map) % 8 == 0 && sizeof(struct vmt_slot_proc) % 8 == 0 &&
		      sizeof(struct vmt_slot_kind) % 8 == 0,
	      "they are kept by words");
static_assert(sizeof(struct vmt_slot_map) != sizeof(struct vmt_slot_proc) &&
		      sizeof(struct vmt_slot_map) != sizeof(struct vmt_slot_kind) &&
		      sizeof(struct vmt_slot_proc) != sizeof(struct vmt_slot_kind),
	      "told by their size");

static_assert((int)VMT_FAULT_CLASSES == (int)VMT_BPF_CLASSES &&
		      (int)VMT_FAULT_OTHER == (int)VMT_BPF_OTHER,
	      "the same classes");
static_assert((int)VMT_FAULT_SPECIALS == (int)VMT_BPF_SPECIALS &&
		      (int)VMT_FAULT_VDSO == (int)VMT_BPF_VDSO,
	      "the same specials");
static_assert((int)VMT_FAILURES == (int)VMT_BPF_FAILURES &&
		      (int)VMT_FAILED_OTHER == (int)VMT_BPF_FAILED_OTHER,
	      "the same failures");
#define K(id, member) static_assert((int)VMT_KIND_##id == (int)VMT_BPF_KIND_##id, "the same kinds");
#include "model/fault-kind.def"
#undef K
static_assert((int)VMT_FAULT_KINDS == (int)VMT_BPF_KINDS, "the same kinds");

static uint32_t rows(uint32_t asked, uint32_t usual)
{
	if (!asked)
		return usual;
	return asked < 2 ? 2 : asked > ROWS_MOST ? ROWS_MOST : asked;
}

static void *fault_open(const struct bpf_object_open_opts *opts)
{
	return vmt_fault_bpf__open_opts(opts);
}

static struct bpf_object *fault_object(void *skeleton)
{
	return ((struct vmt_fault_bpf *)skeleton)->obj;
}

static int fault_load(void *skeleton)
{
	struct vmt_fault_bpf *s = skeleton;

	return vmt_fault_bpf__load(s) ?: vmt_probe_has_bss(s->bss);
}

static void fault_destroy(void *skeleton)
{
	vmt_fault_bpf__destroy(skeleton);
}

static int fault_configure(void *skeleton, const struct vmt_probe *p,
			   const struct vmt_probe_rung *rung, bool small)
{
	struct vmt_fault_bpf *s = skeleton;
	uint32_t maps = small ? 2 : rows(p->opts.maps, MAPS_USUAL);
	uint32_t procs = small ? 2 : rows(p->opts.procs, PROCS_USUAL);
	uint32_t names = small ? 2 : rows(p->opts.names, NAMES_USUAL);
	uint32_t tasks = small ? 2 : rows(p->opts.tasks, vmt_probe_tasks_usual());
	int cpus = libbpf_num_possible_cpus();
	struct vmt_guard_limits limits;
	uint64_t tick_ns;
	int r = 0;

	if (cpus < 0)
		return cpus;
	s->rodata->vmt_filter_on = p->opts.n_pids > 0;
	s->rodata->vmt_follow = p->opts.follow;
	s->rodata->vmt_around = rung->function != NULL;
	s->rodata->vmt_stacks = p->opts.stacks;
	s->rodata->vmt_by_kind = (p->opts.by_kind ? VMT_COUNT_KINDS : 0) |
				 (p->opts.asks & VMT_ASK_SHARES ? VMT_COUNT_SHARES : 0);
	s->rodata->vmt_cgroups = (p->opts.asks & VMT_ASK_CGROUP) != 0;
	/* The rest is for rows that processes of one name share. */
	s->rodata->vmt_rows_apart = maps - maps / 4;
	s->rodata->vmt_events = p->opts.singles;
	s->rodata->vmt_event_least = p->opts.single_least_ns;
	s->rodata->vmt_event_self = (uint32_t)getpid();
	s->rodata->vmt_guard = vmt_probe_guard_limits(&p->opts, &limits, &tick_ns);
	/* What is not used need not pass the verifier. */
	s->rodata->vmt_ahead_timed = bpf_program__autoload(s->progs.timed_minor);
	s->rodata->vmt_guard_period = limits.period;
	s->rodata->vmt_guard_most = limits.most;
	s->rodata->vmt_guard_calm = limits.calm;
	s->rodata->vmt_tick_ns = tick_ns;
	if (s->rodata->vmt_guard && !small)
		r = bpf_map__set_max_entries(s->maps.guards, (__u32)cpus);
	r = r ?: bpf_map__set_autocreate(s->maps.events, p->opts.singles);
	r = r
		    ?: bpf_map__set_max_entries(s->maps.events,
						p->opts.single_ring ?: VMT_PROBE_RING_BYTES);
	r = r ?: bpf_map__set_max_entries(s->maps.stats, (__u32)cpus);
	r = r ?: vmt_probe_stacks_configure(s->obj, p->opts.stacks, small);
	r = r ?: vmt_probe_asked_configure(s->obj, &p->opts, small, maps, tasks);
	/* The children of watched processes are added here, and are the other object's too. */
	if (p->filter_fd >= 0)
		r = r ?: bpf_map__reuse_fd(s->maps.filter, p->filter_fd);
	else if (p->opts.watched)
		r = r ?: bpf_map__set_max_entries(s->maps.filter, p->opts.watched);
	r = r ?: bpf_map__set_max_entries(s->maps.maps, maps);
	r = r ?: bpf_map__set_max_entries(s->maps.map_index, maps);
	r = r ?: bpf_map__set_max_entries(s->maps.map_free, maps);
	r = r ?: bpf_map__set_max_entries(s->maps.maps_more, maps);
	if (small || p->opts.ended_ring)
		r = r
			    ?: bpf_map__set_max_entries(s->maps.drained,
							small ? (__u32)sysconf(_SC_PAGESIZE)
							      : p->opts.ended_ring);
	r = r ?: bpf_map__set_max_entries(s->maps.procs_more, procs);
	r = r ?: bpf_map__set_max_entries(s->maps.procs, procs);
	r = r ?: bpf_map__set_max_entries(s->maps.proc_index, procs);
	r = r ?: bpf_map__set_max_entries(s->maps.proc_free, procs);
	r = r ?: bpf_map__set_max_entries(s->maps.names, names);
	r = r ?: bpf_map__set_max_entries(s->maps.name_index, names);
	r = r ?: bpf_map__set_max_entries(s->maps.name_free, names);
	r = r ?: bpf_map__set_max_entries(s->maps.accounts, tasks);
	r = r ?: bpf_map__set_max_entries(s->maps.account_index, tasks);
	r = r ?: bpf_map__set_max_entries(s->maps.account_free, tasks);
	return r;
}

static const struct vmt_probe_object fault_ops = {
	.open = fault_open,
	.object = fault_object,
	.load = fault_load,
	.destroy = fault_destroy,
	.configure = fault_configure,
};

static volatile struct vmt_fault_control *control(struct vmt_fault_state *s)
{
	return &s->skeleton->bss->control;
}

/* Runs the walk over all tasks in one of its phases. */
static int walk(struct vmt_fault_state *s, int which, enum vmt_fault_phase phase,
		struct vmt_err *err)
{
	char nothing[64];
	ssize_t n;

	if (!s->has_walks)
		return 0;
	control(s)->phase = phase;
	do {
		n = read(s->walks[which], nothing, sizeof(nothing));
	} while (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)));
	if (n < 0)
		return vmt_err_set(err, -errno, NULL, 0, "the walk over all tasks failed");
	return 0;
}

static int make_walks(struct vmt_fault_state *s, struct vmt_err *err)
{
	struct bpf_program *prog = s->skeleton->progs.walk_task;

	for (int i = 0; i < VMT_WALKS; i++)
		s->walks[i] = -1;
	if (!bpf_program__autoload(prog))
		return 0;
	s->walk = bpf_program__attach(prog);
	if (!s->walk)
		return vmt_err_set(err, -errno, NULL, 0, "cannot walk over tasks");
	for (int i = 0; i < VMT_WALKS; i++) {
		s->walks[i] = bpf_iter_create(bpf_link__fd(s->walk));
		if (s->walks[i] < 0)
			return vmt_err_set(err, s->walks[i], NULL, 0, "cannot walk over tasks");
	}
	s->has_walks = true;
	return 0;
}

/* The self-check */

struct canary_view {
	struct rusage usage;
	struct vmt_slot_proc account;
	bool found;
};

static const struct vmt_slot_proc *own_account(struct vmt_fault_state *s)
{
	for (size_t i = 1; i < s->procs.len; i++) {
		const struct vmt_slot_proc *p = vmt_probe_at(&s->procs, i);

		if (p->ready && p->tgid == control(s)->self_tgid)
			return p;
	}
	return NULL;
}

/* Both sides of the comparison, without a fault in between: everything written to is resident. */
static void canary_look(struct vmt_fault_state *s, struct canary_view *view)
{
	const struct vmt_slot_proc *p = own_account(s);

	view->found = p != NULL;
	if (p)
		view->account = vmt_fault_whole(s, p);
	getrusage(RUSAGE_SELF, &view->usage);
}

/* One round of the self-check. Other threads of this process may fault meanwhile; then the next
 * round will do. */
static enum vmt_canary canary_round(struct vmt_probe *p, struct vmt_fault_state *s)
{
	struct canary_view before = { 0 }, after = { 0 };
	uint64_t kernel, mapped, gup, rest, record, usage, events;
	char counted[48];
	int done;

	done = vmt_canary_fault();
	if (done < 0)
		goto failed;
	canary_look(s, &before);
	canary_look(s, &before);
	events = vmt_probe_stat(&s->stats, VMT_STAT_TIMED);
	done = vmt_canary_fault();
	canary_look(s, &after);
	if (done < 0)
		goto failed;
	events = vmt_probe_stat(&s->stats, VMT_STAT_TIMED) - events;
	if (!after.found || !before.found || (s->loaded.timed && !events)) {
		snprintf(p->canary_text, sizeof(p->canary_text),
			 "attached, and none of its %u own faults was counted%s", VMT_CANARY_PAGES,
			 vmt_probe_other_numbers());
		return VMT_CANARY_MISSING;
	}
#define GREW(member) (after.account.member - before.account.member)
	kernel = GREW(kernel_minor) + GREW(kernel_major);
	mapped = GREW(mapped);
	gup = GREW(gup);
	rest = GREW(unattributed) + GREW(dropped);
	record = GREW(record_minor) + GREW(record_major);
#undef GREW
	usage = (uint64_t)(after.usage.ru_minflt - before.usage.ru_minflt) +
		(uint64_t)(after.usage.ru_majflt - before.usage.ru_majflt);
	snprintf(counted, sizeof(counted), ", %llu of record", (unsigned long long)record);
	snprintf(p->canary_text, sizeof(p->canary_text),
		 "own faults: %llu by mapping + %llu by get_user_pages + %llu rest%s; "
		 "getrusage says %llu",
		 (unsigned long long)mapped, (unsigned long long)gup, (unsigned long long)rest,
		 s->loaded.ahead ? "" : counted, (unsigned long long)usage);
	if (!mapped)
		return VMT_CANARY_MISSING;
	if (kernel == usage && mapped + gup == kernel && mapped >= VMT_CANARY_PAGES + 1 &&
	    record == mapped && gup >= (uint64_t)done && !rest)
		return VMT_CANARY_TRUSTED;
	return VMT_CANARY_PARTIAL;
failed:
	snprintf(p->canary_text, sizeof(p->canary_text), "no memory to check itself with");
	return VMT_CANARY_PARTIAL;
}

static void canary(struct vmt_probe *p, struct vmt_fault_state *s)
{
	for (int i = 0; i < 4; i++) {
		p->canary = canary_round(p, s);
		if (p->canary == VMT_CANARY_TRUSTED)
			return;
	}
}

static void fault_close(void *state)
{
	struct vmt_fault_state *s = state;

	if (!s)
		return;
	if (s->skeleton)
		control(s)->active = 0;
	if (s->has_walks || s->walk)
		for (int i = 0; i < VMT_WALKS; i++)
			if (s->walks[i] >= 0)
				close(s->walks[i]);
	vmt_probe_cpus_done(&s->cpus);
	bpf_link__destroy(s->walk);
	vmt_probe_live_free(s->live);
	vmt_drain_free(s->drain);
	vmt_probe_singles_free(s->singles);
	vmt_probe_unmap(&s->maps);
	vmt_probe_unmap(&s->procs);
	vmt_probe_unmap(&s->names);
	vmt_probe_unmap(&s->stats);
	vmt_probe_guard_unmap(&s->guard);
	vmt_probe_stacks_unmap(&s->stacks);
	vmt_probe_asked_unmap(&s->asked);
	vmt_probe_unload(&s->loaded);
	free(s);
}

static int set_up(struct vmt_probe *p, struct vmt_fault_state *s, struct vmt_err *err)
{
	int r;

	r = vmt_probe_map(&s->loaded, "maps", &s->maps, err);
	r = r ?: vmt_probe_map(&s->loaded, "procs", &s->procs, err);
	r = r ?: vmt_probe_map(&s->loaded, "names", &s->names, err);
	r = r ?: vmt_probe_map(&s->loaded, "stats", &s->stats, err);
	r = r ?: vmt_probe_guard_map(&s->loaded, &p->opts, &s->guard, err);
	r = r ?: vmt_probe_fill(&s->loaded, "map_free", 0, (uint32_t)s->maps.len, err);
	/* Number 0 is nobody's. */
	r = r
		    ?: vmt_probe_fill(&s->loaded, "account_free", 1,
				      bpf_map__max_entries(s->skeleton->maps.account_free), err);
	/* Row 0 is for the processes that find no row. */
	r = r ?: vmt_probe_fill(&s->loaded, "proc_free", 1, (uint32_t)s->procs.len, err);
	r = r ?: vmt_probe_fill(&s->loaded, "name_free", 0, (uint32_t)s->names.len, err);
	s->stacks.depth = p->opts.stacks;
	s->stacks.lost = &s->skeleton->bss->stack_lost;
	r = r ?: vmt_probe_stacks_map(&s->loaded, &s->stacks, err);
	s->asked.kinds.pile = VMT_PILE_KINDS;
	s->asked.kinds.lost = &s->skeleton->bss->vmt_kinds_lost;
	s->asked.cgroups_lost = &s->skeleton->bss->vmt_cgroups_lost;
	r = r ?: vmt_probe_asked_map(&s->loaded, &p->opts, &s->asked, err);
	r = r ?: vmt_probe_filter(&s->loaded, p->pids, p->opts.n_pids, err);
	r = r ?: make_walks(s, err);
	if (!r && p->opts.singles)
		r = vmt_probe_singles_new(bpf_map__fd(s->skeleton->maps.events), &p->opts,
					  &s->singles, err);
	if (!r)
		vmt_probe_cpus_init(&s->cpus, vmt_probe_attach_cpu, &s->loaded);
	r = r ?: vmt_probe_attach(p, &s->loaded, err);
	return r;
}

static int restart_events(struct vmt_fault_state *s, struct vmt_err *err)
{
	int r = 0;

	for (size_t i = 0; i < s->loaded.n_events; i++)
		r = r ?: vmt_perf_event_stop(s->loaded.events[i].fd);
	vmt_probe_wait();
	s->events_before = vmt_probe_stat(&s->stats, VMT_STAT_RECORD);
	for (size_t i = 0; i < s->loaded.n_events; i++)
		r = r ?: vmt_perf_event_start(s->loaded.events[i].fd);
	if (r)
		return vmt_err_set(err, r, NULL, 0, "software events do not start");
	return 0;
}

static int fault_start(struct vmt_probe *p, const struct vmt_probe_rung *rung, void **ret_state,
		       struct vmt_err *err)
{
	struct vmt_fault_state *s = calloc(1, sizeof(*s));
	struct vmt_drain_tick tick;
	int r;

	if (!s)
		return vmt_err_set(err, -ENOMEM, NULL, 0, "no memory for the probe");
	s->around = rung->function != NULL;
	tick = (struct vmt_drain_tick){ vmt_probe_guard_tick, &s->guard };
	r = vmt_probe_load(p, rung, &fault_ops, &s->loaded, err);
	if (r) {
		free(s);
		return r;
	}
	s->skeleton = s->loaded.skeleton;
	s->guard.sparse = &control(s)->sparse;
	s->events_lost = &s->skeleton->bss->vmt_events_lost;
	s->sums = p->opts.sums;
	s->forget = p->opts.forget;
	r = set_up(p, s, err);
	if (r)
		goto fail;

	vmt_probe_tables(p, &s->loaded, &s->skeleton->bss->tables,
			 bpf_program__fd(s->skeleton->progs.table_look));
	/* Attaching took a while; both sides of the comparison at the end begin here. */
	r = restart_events(s, err);
	if (r)
		goto fail;

	/*
	 * Tasks that are born after start_ns begin at 0, and all of their events are seen; the
	 * others begin where their first event, or the walk, finds them. So events count first.
	 */
	control(s)->start_ns = UINT64_MAX;
	control(s)->self_tgid = (uint32_t)getpid();
	control(s)->kinds = vmt_probe_kind_facts((uint32_t)s->loaded.have);
	control(s)->ahead = s->loaded.ahead;
	control(s)->active = 1;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	p->start_ns = vmt_probe_now();
	control(s)->start_ns = p->start_ns;
	r = walk(s, VMT_WALK_BASE, VMT_PHASE_BASE, err);
	if (r)
		goto fail;

	canary(p, s);
	if (p->canary == VMT_CANARY_MISSING) {
		bool around = rung->function != NULL;

		vmt_probe_note(p, rung, NULL, VMT_TRY_SILENT, -ENODATA, p->canary_text,
			       around ? "sysctl kernel.ftrace_enabled=1" : NULL, NULL);
		r = vmt_err_set(err, -ENODATA, NULL, 0, "%s", p->canary_text);
		goto fail;
	}
	vmt_probe_cpus_start(&s->cpus);
	/* Behind the self-check, which no other thread of ours should fault into. */
	r = vmt_drain_start(bpf_map__fd(s->skeleton->maps.drained), pile_sizes, false, &tick,
			    &s->drain);
	if (r) {
		vmt_err_set(err, r, NULL, 0, "no thread to take over rows");
		goto fail;
	}
	if (p->opts.single_live)
		r = vmt_probe_live_new(&s->maps, s->drain, VMT_PILE_MAPS, &s->live);
	if (r) {
		vmt_err_set(err, r, NULL, 0, "no memory for single faults");
		goto fail;
	}
	if (!vmt_probe_wants(p, getpid()))
		control(s)->self_tgid = 0;
	s->asked.have = s->loaded.have;
	p->have |= (uint32_t)(s->loaded.have & ~(VMT_HOOKS | VMT_HOOK_SHARES));
	/* Begins that the counters confirm are no count of their own. */
	if (s->loaded.ahead)
		p->have &= ~(uint32_t)VMT_HAVE_RECORD;
	vmt_probe_note(p, rung, NULL, VMT_TRY_OK, 0, p->canary_text, NULL, NULL);
	*ret_state = s;
	return 0;
fail:
	fault_close(s);
	return r;
}

static int fault_watch(void *state, pid_t pid, struct vmt_err *err)
{
	struct vmt_fault_state *s = state;

	return vmt_probe_filter(&s->loaded, &pid, 1, err);
}

static int fault_drain(void *state, struct vmt_err *err)
{
	struct vmt_fault_state *s = state;

	return vmt_probe_singles_drain(s->singles, err);
}

static int fault_stop(void *state, struct vmt_err *err)
{
	struct vmt_fault_state *s = state;
	int r;

	control(s)->close_ns = vmt_probe_now();
	control(s)->closing = 1;
	vmt_probe_cpus_stop(&s->cpus);
	vmt_probe_wait();
	/* Nothing more is handed over. */
	vmt_drain_stop(s->drain);
	r = walk(s, VMT_WALK_MARK, VMT_PHASE_MARK, err);
	vmt_probe_wait();
	r = r ?: walk(s, VMT_WALK_CLOSE, VMT_PHASE_CLOSE, err);
	control(s)->active = 0;
	s->stopped = true;
	if (s->singles)
		r = r ?: vmt_probe_singles_drain(s->singles, err);

	/* From here on both sides of the comparison stand still. */
	s->events_known = !vmt_probe_events_stop(&s->loaded, &s->events_counted);
	vmt_probe_wait();
	return r;
}

const struct vmt_probe_backend vmt_probe_fault_bpf = {
	.start = fault_start,
	.watch = fault_watch,
	.drain = fault_drain,
	.live = vmt_fault_bpf_live,
	.stop = fault_stop,
	.read = vmt_fault_bpf_read,
	.close = fault_close,
};
