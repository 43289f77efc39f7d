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

#include "base/parse.h"
#include "bpf/fault.h"
#include "source/perf-event.h"
#include "source/probe-asked.h"
#include "source/probe-canary.h"
#include "source/probe-counts.h"
#include "source/probe-cpus.h"
#include "source/probe-guard.h"
#include "source/probe-live.h"
#include "source/probe-singles.h"
#include "source/probe-stack.h"

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

/* The records of the ring that the programs hand rows over through. */
enum {
	PILE_MAPS,
	PILE_PROCS,
	PILE_KINDS,
};

static const size_t pile_sizes[VMT_DRAIN_PILES] = {
	[PILE_MAPS] = sizeof(struct vmt_slot_map),
	[PILE_PROCS] = sizeof(struct vmt_slot_proc),
	[PILE_KINDS] = sizeof(struct vmt_slot_kind),
};

static_assert(sizeof(struct vmt_slot_map) % 8 == 0 && sizeof(struct vmt_slot_proc) % 8 == 0 &&
		      sizeof(struct vmt_slot_kind) % 8 == 0,
	      "they are kept by words");
static_assert(sizeof(struct vmt_slot_map) != sizeof(struct vmt_slot_proc) &&
		      sizeof(struct vmt_slot_map) != sizeof(struct vmt_slot_kind) &&
		      sizeof(struct vmt_slot_proc) != sizeof(struct vmt_slot_kind),
	      "told by their size");

/* The walk over all tasks runs three times: at the start, and twice at the end. */
enum {
	WALK_BASE,
	WALK_MARK,
	WALK_CLOSE,
	WALKS,
};

struct fault_state {
	struct vmt_probe_loaded loaded;
	struct vmt_fault_bpf *skeleton;
	struct bpf_link *walk;
	int walks[WALKS]; /* made at the start, because making one needs bpf() */
	bool has_walks;
	struct vmt_probe_array maps;
	struct vmt_probe_array procs;
	struct vmt_probe_array names;
	struct vmt_probe_array stats;
	struct vmt_probe_guard guard;
	struct vmt_drain
		*drain; /* rows of processes that are gone; NULL: they stay in the tables */
	struct vmt_probe_stacks stacks;
	struct vmt_probe_asked asked;
	struct vmt_probe_singles *singles; /* NULL where nobody asked for them */
	struct vmt_probe_live *live; /* NULL where they are not handed out live */
	uint64_t events_counted; /* by the kernel, whether or not a program saw them */
	uint64_t events_before; /* that programs saw before they were started together */
	bool events_known;
	struct vmt_probe_cpus cpus;
	bool around; /* programs are attached around handle_mm_fault() */
	bool stopped;
};

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
	return vmt_fault_bpf__load(skeleton);
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
	s->rodata->vmt_guard_period = limits.period;
	s->rodata->vmt_guard_most = limits.most;
	s->rodata->vmt_guard_calm = limits.calm;
	s->rodata->vmt_tick_ns = tick_ns;
	if (s->rodata->vmt_guard && !small)
		r = bpf_map__set_max_entries(s->maps.guards, (__u32)cpus);
	r = r ?: bpf_map__set_autocreate(s->maps.events, p->opts.singles);
	r = r ?: bpf_map__set_max_entries(s->maps.events, VMT_PROBE_RING_BYTES);
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
	if (small)
		r = r ?: bpf_map__set_max_entries(s->maps.drained, (__u32)sysconf(_SC_PAGESIZE));
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

static volatile struct vmt_fault_control *control(struct fault_state *s)
{
	return &s->skeleton->bss->control;
}

/* Runs the walk over all tasks in one of its phases. */
static int walk(struct fault_state *s, int which, enum vmt_fault_phase phase, struct vmt_err *err)
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

static int make_walks(struct fault_state *s, struct vmt_err *err)
{
	struct bpf_program *prog = s->skeleton->progs.walk_task;

	for (int i = 0; i < WALKS; i++)
		s->walks[i] = -1;
	if (!bpf_program__autoload(prog))
		return 0;
	s->walk = bpf_program__attach(prog);
	if (!s->walk)
		return vmt_err_set(err, -errno, NULL, 0, "cannot walk over tasks");
	for (int i = 0; i < WALKS; i++) {
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

static const struct vmt_slot_proc *own_account(struct fault_state *s)
{
	for (size_t i = 1; i < s->procs.len; i++) {
		const struct vmt_slot_proc *p = vmt_probe_at(&s->procs, i);

		if (p->ready && p->tgid == control(s)->self_tgid)
			return p;
	}
	return NULL;
}

/* An account with what went as it should in all the sums that it belongs to. */
static struct vmt_slot_proc whole(const struct fault_state *s, const struct vmt_slot_proc *p)
{
	struct vmt_slot_proc q = *p;

	q.kernel_minor += q.plain_minor;
	q.kernel_major += q.plain_major;
	q.mapped += q.plain_minor + q.plain_major;
	if (!s->around) {
		q.record_minor += q.plain_minor;
		q.record_major += q.plain_major;
	}
	return q;
}

/* Both sides of the comparison, without a fault in between: everything written to is resident. */
static void canary_look(struct fault_state *s, struct canary_view *view)
{
	const struct vmt_slot_proc *p = own_account(s);

	view->found = p != NULL;
	if (p)
		view->account = whole(s, p);
	getrusage(RUSAGE_SELF, &view->usage);
}

/* One round of the self-check. Other threads of this process may fault meanwhile; then the next
 * round will do. */
static enum vmt_canary canary_round(struct vmt_probe *p, struct fault_state *s)
{
	struct canary_view before = { 0 }, after = { 0 };
	uint64_t kernel, mapped, gup, rest, record, usage;
	int done;

	done = vmt_canary_fault();
	if (done < 0)
		goto failed;
	canary_look(s, &before);
	canary_look(s, &before);
	done = vmt_canary_fault();
	canary_look(s, &after);
	if (done < 0)
		goto failed;
	if (!after.found || !before.found) {
		snprintf(p->canary_text, sizeof(p->canary_text),
			 "attached, and none of its %u own faults was counted", VMT_CANARY_PAGES);
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
	snprintf(
		p->canary_text, sizeof(p->canary_text),
		"own faults: %llu by mapping + %llu by get_user_pages + %llu rest, %llu of record; "
		"getrusage says %llu",
		(unsigned long long)mapped, (unsigned long long)gup, (unsigned long long)rest,
		(unsigned long long)record, (unsigned long long)usage);
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

static void canary(struct vmt_probe *p, struct fault_state *s)
{
	for (int i = 0; i < 4; i++) {
		p->canary = canary_round(p, s);
		if (p->canary == VMT_CANARY_TRUSTED)
			return;
	}
}

static void fault_close(void *state)
{
	struct fault_state *s = state;

	if (!s)
		return;
	if (s->skeleton)
		control(s)->active = 0;
	if (s->has_walks || s->walk)
		for (int i = 0; i < WALKS; i++)
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

static int set_up(struct vmt_probe *p, struct fault_state *s, struct vmt_err *err)
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
	s->asked.kinds.pile = PILE_KINDS;
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

static int restart_events(struct fault_state *s, struct vmt_err *err)
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
	struct fault_state *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return vmt_err_set(err, -ENOMEM, NULL, 0, "no memory for the probe");
	s->around = rung->function != NULL;
	r = vmt_probe_load(p, rung, &fault_ops, &s->loaded, err);
	if (r) {
		free(s);
		return r;
	}
	s->skeleton = s->loaded.skeleton;
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
	control(s)->active = 1;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	p->start_ns = vmt_probe_now();
	control(s)->start_ns = p->start_ns;
	r = walk(s, WALK_BASE, VMT_PHASE_BASE, err);
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
	r = vmt_drain_start(bpf_map__fd(s->skeleton->maps.drained), pile_sizes, &s->drain);
	if (r) {
		vmt_err_set(err, r, NULL, 0, "no thread to take over rows");
		goto fail;
	}
	if (p->opts.single_live)
		r = vmt_probe_live_new(&s->maps, s->drain, PILE_MAPS, &s->live);
	if (r) {
		vmt_err_set(err, r, NULL, 0, "no memory for single faults");
		goto fail;
	}
	if (!vmt_probe_wants(p, getpid()))
		control(s)->self_tgid = 0;
	s->asked.have = s->loaded.have;
	p->have |= (uint32_t)(s->loaded.have & ~(VMT_HOOKS | VMT_HOOK_SHARES));
	vmt_probe_note(p, rung, NULL, VMT_TRY_OK, 0, p->canary_text, NULL, NULL);
	*ret_state = s;
	return 0;
fail:
	fault_close(s);
	return r;
}

static int fault_watch(void *state, pid_t pid, struct vmt_err *err)
{
	struct fault_state *s = state;

	return vmt_probe_filter(&s->loaded, &pid, 1, err);
}

static int fault_drain(void *state, struct vmt_err *err)
{
	struct fault_state *s = state;

	return vmt_probe_singles_drain(s->singles, err);
}

static int fault_stop(void *state, struct vmt_err *err)
{
	struct fault_state *s = state;
	int r;

	control(s)->close_ns = vmt_probe_now();
	control(s)->closing = 1;
	vmt_probe_cpus_stop(&s->cpus);
	vmt_probe_wait();
	/* Nothing more is handed over. */
	vmt_drain_stop(s->drain);
	r = walk(s, WALK_MARK, VMT_PHASE_MARK, err);
	vmt_probe_wait();
	r = r ?: walk(s, WALK_CLOSE, VMT_PHASE_CLOSE, err);
	control(s)->active = 0;
	s->stopped = true;
	if (s->singles)
		r = r ?: vmt_probe_singles_drain(s->singles, err);

	/* From here on both sides of the comparison stand still. */
	s->events_known = !vmt_probe_events_stop(&s->loaded, &s->events_counted);
	vmt_probe_wait();
	return r;
}

static int copy_comm(struct vmt_arena *arena, const char comm[16], struct vmt_bytes *ret)
{
	size_t len = strnlen(comm, 16);
	char *copy = vmt_arena_copy(arena, comm, len);

	if (!copy)
		return -ENOMEM;
	*ret = (struct vmt_bytes){ copy, len };
	return 0;
}

static int copy_path(struct fault_state *s, const struct vmt_slot_map *m, struct vmt_arena *arena,
		     struct vmt_fault_raw *out)
{
	static const char *const special[VMT_FAULT_SPECIALS] = { "", "[heap]", "[stack]",
								 "[vdso]" };
	const struct vmt_slot_name *name;

	out->path = vmt_bytes_of(special[out->special]);
	if (!m->name || m->name > s->names.len)
		return 0;
	name = vmt_probe_at(&s->names, m->name - 1);
	if (!name->ready)
		return 0;
	return vmt_probe_path(name,
			      out->class == VMT_FAULT_SHMEM || out->class == VMT_FAULT_HUGETLB ||
				      out->class == VMT_FAULT_ANON,
			      arena, &out->path, &out->deleted, &out->path_cut);
}

static int add_map(void *state, const struct vmt_slot_map *m, struct vmt_arena *arena,
		   struct vmt_fault_raw *out)
{
	struct fault_state *s = state;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct vmt_probe_counts n;
	int r;

	out->slot = m->slot;
	out->pid = m->tgid;
	out->owner_pid = m->owner_tgid;
	out->start_time_ns = m->start_time;
	out->exec_id = m->exec_id;
	out->start = m->vm_start;
	out->end = m->vm_end;
	out->offset_bytes = m->vm_pgoff * page;
	out->vm_flags = m->vm_flags;
	out->inode = m->ino;
	out->dev_major = m->dev >> 20;
	out->dev_minor = m->dev & ((1u << 20) - 1);
	out->class = m->class < VMT_FAULT_CLASSES ? m->class : VMT_FAULT_OTHER;
	out->special = m->special < VMT_FAULT_SPECIALS ? m->special : VMT_FAULT_PLAIN;
	out->has_file = m->ino || m->dev;
	vmt_probe_counts(m->count, &n);
#define COPY(member) out->member = n.member;
	VMT_FAULT_COUNTS(COPY)
#undef COPY
	out->retried = m->retried;
	out->gup = m->gup;
	for (int f = 0; f < VMT_FAILURES; f++)
		out->failed[f] = m->failed[f];
	for (int k = 0; k < VMT_FAULT_KINDS; k++)
		out->kinds[k] = m->kinds[k];
	out->spent.lock_ns = m->lock_ns;
	out->spent.read_ns = m->read_ns;
	out->spent.swap_ns = m->swap_ns;
	vmt_probe_latency(&m->latency, n.timed, &out->latency);
	r = copy_comm(arena, m->comm, &out->comm);
	return r ?: copy_path(s, m, arena, out);
}

static int read_maps(struct fault_state *s, struct vmt_arena *arena, uint32_t hidden,
		     struct vmt_fault_sample *ret)
{
	size_t drained = s->drain ? vmt_drain_count(s->drain, PILE_MAPS) : 0, at = 0, n = 0;
	struct vmt_slot_map gone;
	int r = 0;

	for (size_t i = 0; i < s->maps.len; i++) {
		const struct vmt_slot_map *m = vmt_probe_at(&s->maps, i);

		n += m->ready != 0;
	}
	ret->maps = vmt_arena_alloc(arena, n + drained + 1, sizeof(*ret->maps));
	if (!ret->maps)
		return -ENOMEM;
	ret->totals.slots_used = n;
	ret->totals.slots_total = s->maps.len;
	for (size_t i = 0; i < s->maps.len && ret->n_maps < n && !r; i++) {
		const struct vmt_slot_map *m = vmt_probe_at(&s->maps, i);

		if (m->ready && !(hidden && m->tgid == hidden))
			r = add_map(s, m, arena, &ret->maps[ret->n_maps++]);
	}
	for (size_t i = 0; i < drained && !r; i++) {
		if (!vmt_drain_next(s->drain, PILE_MAPS, &at, &gone))
			break;
		if (!(hidden && gone.tgid == hidden))
			r = add_map(s, &gone, arena, &ret->maps[ret->n_maps++]);
	}
	return r;
}

/*
 * Whether there is no such process any more. sched_process_free comes after a grace period of RCU,
 * and on a busy machine some time after that: a process that was waited for may seem to live on.
 */
static bool is_gone(uint32_t tgid)
{
	return tgid && kill((pid_t)tgid, 0) < 0 && errno == ESRCH;
}

static int add_proc(const struct fault_state *s, const struct vmt_slot_proc *p,
		    struct vmt_arena *arena, struct vmt_fault_totals *t, struct vmt_fault_proc *out)
{
	const struct vmt_slot_proc account = whole(s, p), *q = &account;
	int r;

	out->pid = q->tgid;
	out->start_time_ns = q->start_time;
	out->exited = q->flags & VMT_PROC_EXITED || (s->stopped && is_gone(q->tgid));
	out->self = q->tgid == (uint32_t)getpid();
	out->kernel_minor = q->kernel_minor;
	out->kernel_major = q->kernel_major;
	out->record_minor = q->record_minor;
	out->record_major = q->record_major;
	out->mapped = q->mapped;
	out->gup = q->gup;
	out->unattributed = q->unattributed;
	out->dropped = q->dropped;
	out->retried = q->retried;
	out->abandoned = q->abandoned;
	t->kernel_minor += q->kernel_minor;
	t->kernel_major += q->kernel_major;
	t->record_minor += q->record_minor;
	t->record_major += q->record_major;
	t->mapped += q->mapped;
	t->gup += q->gup;
	t->unattributed += q->unattributed;
	t->dropped += q->dropped;
	t->retried += q->retried;
	t->abandoned += q->abandoned;
	for (int f = 0; f < VMT_FAILURES; f++) {
		out->failed[f] = q->failed[f];
		t->failed[f] += q->failed[f];
	}
	r = vmt_probe_cgroup(&s->asked, q->cgroup, arena, &out->cgroup);
	return r ?: copy_comm(arena, q->comm, &out->comm);
}

static int read_procs(struct fault_state *s, struct vmt_arena *arena, uint32_t hidden,
		      struct vmt_fault_sample *ret)
{
	size_t drained = s->drain ? vmt_drain_count(s->drain, PILE_PROCS) : 0, at = 0, n = 1;
	struct vmt_slot_proc gone;
	int r = 0;

	for (size_t i = 1; i < s->procs.len; i++) {
		const struct vmt_slot_proc *q = vmt_probe_at(&s->procs, i);

		n += q->ready != 0;
	}
	ret->procs = vmt_arena_alloc(arena, n + drained, sizeof(*ret->procs));
	if (!ret->procs)
		return -ENOMEM;
	for (size_t i = 0; i < s->procs.len && ret->n_procs < n && !r; i++) {
		const struct vmt_slot_proc *q = vmt_probe_at(&s->procs, i);

		if (i ? !q->ready
		      : !(q->plain_minor | q->plain_major | q->kernel_minor | q->kernel_major |
			  q->record_minor))
			continue;
		if (!(hidden && q->tgid == hidden))
			r = add_proc(s, q, arena, &ret->totals, &ret->procs[ret->n_procs++]);
	}
	for (size_t i = 0; i < drained && !r; i++) {
		if (!vmt_drain_next(s->drain, PILE_PROCS, &at, &gone))
			break;
		if (!(hidden && gone.tgid == hidden))
			r = add_proc(s, &gone, arena, &ret->totals, &ret->procs[ret->n_procs++]);
	}
	return r;
}

static int fault_read(struct vmt_probe *p, void *state, struct vmt_arena *arena,
		      struct vmt_fault_sample *ret, struct vmt_err *err)
{
	struct fault_state *s = state;
	struct vmt_fault_totals *t = &ret->totals;
	/* The self-check's faults are ours, and nobody asked for them. */
	uint32_t hidden = vmt_probe_wants(p, getpid()) ? 0 : (uint32_t)getpid();
	int r;

	r = read_procs(s, arena, hidden, ret);
	r = r ?: read_maps(s, arena, hidden, ret);
	r = r ?: vmt_probe_stacks_read(&s->stacks, &s->names, hidden, arena, ret);
	r = r ?: vmt_probe_asked_read(&s->asked, &p->opts, s->drain, hidden, arena, ret);
	if (!r && s->drain)
		r = vmt_drain_error(s->drain);
	if (!r && s->singles) {
		ret->have |= VMT_HAVE_SINGLES;
		t->singles_lost = s->skeleton->bss->vmt_events_lost;
		r = vmt_probe_singles_read(s->singles, arena, ret);
	}
	if (r)
		return vmt_err_set(err, r, NULL, 0, "no memory for the faults");

	if (!vmt_probe_misses(&s->loaded, &t->recursion_misses))
		ret->have |= VMT_HAVE_MISSES;
	t->repaired = vmt_probe_stat(&s->stats, VMT_STAT_REPAIRED);
	t->unresolved = vmt_probe_stat(&s->stats, VMT_STAT_UNRESOLVED);
	t->dead_nodes = vmt_probe_stat(&s->stats, VMT_STAT_DEAD_NODES);
	t->paths_cut = vmt_probe_stat(&s->stats, VMT_STAT_NAME_CUT);
	t->paths_missing = vmt_probe_stat(&s->stats, VMT_STAT_NAME_FULL);
	t->disagreed = vmt_probe_stat(&s->stats, VMT_STAT_DISAGREE);
	t->no_account = vmt_probe_stat(&s->stats, VMT_STAT_NO_ACCOUNT);
	if (s->events_known) {
		uint64_t ran = vmt_probe_stat(&s->stats, VMT_STAT_RECORD) - s->events_before;

		t->record_lost = s->events_counted > ran ? s->events_counted - ran : 0;
	}
	vmt_probe_cpus_read(&s->cpus, t);
	r = vmt_probe_guard_read(&s->guard, p->start_ns, arena, ret);
	if (r)
		return vmt_err_set(err, r, NULL, 0, "no memory for the guard's state");
	t->lost = t->dropped + t->no_account;
	return 0;
}

static int fault_live(void *state, bool last, struct vmt_arena *arena, struct vmt_fault_sample *ret,
		      struct vmt_err *err)
{
	struct fault_state *s = state;
	int r = s->stopped ? 0 : vmt_probe_singles_drain(s->singles, err);

	r = r ?: vmt_probe_singles_live(s->singles, vmt_probe_now(), last, arena, ret);
	r = r ?: vmt_probe_live_maps(s->live, arena, add_map, s, ret);
	if (ret->n_singles)
		r = r ?: vmt_probe_codes_read(&s->stacks, &s->names, 0, arena, ret);
	if (r)
		return vmt_err_set(err, r, NULL, 0, "no memory for single faults");
	ret->have = VMT_HAVE_SINGLES;
	ret->totals.singles_lost = s->skeleton->bss->vmt_events_lost;
	return 0;
}

const struct vmt_probe_backend vmt_probe_fault_bpf = {
	.start = fault_start,
	.watch = fault_watch,
	.drain = fault_drain,
	.live = fault_live,
	.stop = fault_stop,
	.read = fault_read,
	.close = fault_close,
};
