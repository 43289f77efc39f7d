/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/probe-events.h"

#include <assert.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "bpf/events.h"
#include "source/event-check.h"
#include "source/event-numbers.h"
#include "source/probe-crash.h"
#include "source/probe-events-internal.h"

/* Generated; our warnings are not bpftool's. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wcast-qual"
#include "events.skel.h"
#pragma GCC diagnostic pop

#define RING_USUAL	(4u << 20)
#define RING_STACKS	(16u << 20)
#define ENDED_RING	(2u << 20)
#define PROCESSES_USUAL 4096u
#define ROWS_MOST	(1u << 20)
#define WATCHED		65536u
#define CLAIMS_USUAL	131072u
#define STALLS_USUAL	16384u /* threads that wait at a time */
/* Calls of the self-check. */
#define NAMES_RARE 512u
#define CHECKS	   8

/* clang-format off */
#define C(id, name, kind)                                                                          \
	static_assert((int)VMT_CALL_##id == (int)VMT_BPF_CALL_##id, "the same order on both sides");
#include "model/event-call.def"
#undef C
/* clang-format on */
static_assert((int)VMT_CALLS == (int)VMT_BPF_CALL_COUNT &&
		      (int)VMT_BPF_CALL_COUNT <= VMT_EVENT_CALLS,
	      "all of them have a row");

/* What hangs where, and what for. Without the last one there are no crashes, and all the rest. */
static const struct {
	const char *hook;
	const char *gives;
} hooks[] = {
	{ "tp_btf/sys_enter", "system calls when they begin, and their arguments" },
	{ "tp_btf/sys_exit", "what came of them, and how long they took" },
	{ "tp_btf/sched_process_fork", "children of watched processes" },
	{ "tp_btf/sched_process_exit", "ends of processes" },
	{ VMT_CRASH_HOOK, VMT_CRASH_GIVES },
};

void vmt_events_free(struct vmt_events *x)
{
	if (!x)
		return;
	for (size_t i = 0; i < x->n_links; i++)
		bpf_link__destroy(x->links[i]);
	free(x->links);
	vmt_drain_free(x->ended);
	ring_buffer__free(x->ring);
	vmt_probe_unmap(&x->processes);
	vmt_probe_unmap(&x->names);
	vmt_probe_unmap(&x->stats);
	vmt_probe_unmap(&x->sites);
	vmt_probe_stacks_unmap(&x->stacks);
	vmt_events_bpf__destroy(x->skeleton);
	free(x);
}

static void freep(struct vmt_events **x)
{
	vmt_events_free(*x);
}

#define BIT(call) (UINT32_C(1) << VMT_CALL_##call)

/* Calls that pass no program of calls. */
#define OTHERS (BIT(EXIT) | BIT(CRASH) | BIT(STALL) | BIT(OOM) | BIT(COLLAPSE) | BIT(NONE))

static bool wants_calls(uint32_t calls)
{
	/* What else there is has nothing else to check itself by. */
	return !(calls & BIT(CRASH)) || calls & (UINT32_MAX >> (32 - VMT_CALLS)) & ~OTHERS;
}

static bool wants_crashes(uint32_t calls)
{
	return calls & BIT(CRASH);
}

/* Which programs are loaded, and what they are to know of this kernel. */
static int configure_pressure(struct vmt_events_bpf *s, struct vmt_pressure_hooks *h)
{
	struct bpf_program *prog;

	bpf_object__for_each_program (prog, s->obj) {
		const char *section = bpf_program__section_name(prog);

		if (vmt_pressure_hook(section) >= 0)
			bpf_program__set_autoload(prog, vmt_pressure_loads(h, section));
	}
	s->rodata->vmt_reclaim_gfp_first = h->gfp_first;
	s->rodata->vmt_compaction_sixth = h->status_sixth;
	h->zones_loaded = vmt_pressure_by_zone(h);
	s->rodata->vmt_compaction_zones = h->zones_loaded;
	return h->wanted ? bpf_map__set_max_entries(s->maps.open_stalls, STALLS_USUAL) : 0;
}

static int configure(struct vmt_events_bpf *s, const struct vmt_events_opts *opts,
		     struct vmt_pressure_hooks *pressure)
{
	uint32_t threads = !wants_calls(opts->calls) ? 1
			   : opts->threads	     ? opts->threads
						     : vmt_probe_tasks_usual();
	uint32_t rows = opts->processes ? opts->processes : PROCESSES_USUAL;
	bool stacks = opts->stacks || opts->single_stacks;
	enum vmt_stack_depth depth = stacks ? VMT_STACK_FULL : VMT_STACK_NONE;
	int cpus = libbpf_num_possible_cpus();
	struct bpf_program *prog;
	int r = 0;

	if (cpus < 0)
		return cpus;
	rows = rows < 2 ? 2 : rows > ROWS_MOST ? ROWS_MOST : rows;
	bpf_object__for_each_program (prog, s->obj)
		bpf_program__set_autoload(prog, true);
	/* Who wants crashes alone does not make each call slower. */
	bpf_program__set_autoload(s->progs.call_begins, wants_calls(opts->calls));
	bpf_program__set_autoload(s->progs.call_ends, wants_calls(opts->calls));
	bpf_program__set_autoload(s->progs.signal_made, wants_crashes(opts->calls));
	/* Rows of processes are nobody's, and are not given back. */
	bpf_program__set_autoload(s->progs.process_begins, !opts->rare);
	bpf_program__set_autoload(s->progs.process_ends, !opts->rare);
	vmt_event_numbers_native((uint8_t *)(uintptr_t)s->rodata->vmt_native_calls);
	vmt_event_numbers_compat((uint8_t *)(uintptr_t)s->rodata->vmt_compat_calls);
	s->rodata->vmt_calls = opts->calls;
	s->rodata->vmt_single_rate = opts->rate;
	s->rodata->vmt_page = (uint64_t)sysconf(_SC_PAGESIZE);
	s->rodata->vmt_uid_on = opts->by_user;
	s->rodata->vmt_uid = opts->uid;
	s->rodata->vmt_filter_on = opts->n_pids > 0;
	s->rodata->vmt_follow = opts->follow;
	s->rodata->vmt_stacks = opts->stacks;
	s->rodata->vmt_single_stacks = opts->single_stacks;
	s->rodata->vmt_touched = opts->touched;
	r = vmt_probe_stacks_configure(s->obj, depth, false);
	if (opts->single_stacks)
		r = r ?: vmt_events_single_tables(s->obj, (uint32_t)cpus);
	r = r
		    ?: bpf_map__set_max_entries(
			       s->maps.sites,
			       opts->stacks ? bpf_map__max_entries(s->maps.stack_rows) : 1);
	if (opts->touched)
		r = r
			    ?: bpf_map__set_max_entries(s->maps.claims,
							opts->claims ? opts->claims : CLAIMS_USUAL);
	r = r ?: bpf_map__set_max_entries(s->maps.stats, (__u32)cpus);
	s->rodata->vmt_crashes = wants_crashes(opts->calls);
	s->rodata->vmt_handled = opts->handled;
	if (opts->rare) {
		/* Files that something crashed in; what finds no row has no name. */
		r = r ?: bpf_map__set_max_entries(s->maps.names, NAMES_RARE);
		r = r ?: bpf_map__set_max_entries(s->maps.name_index, NAMES_RARE);
		r = r ?: bpf_map__set_max_entries(s->maps.name_free, NAMES_RARE);
	}
	r = r ?: bpf_map__set_max_entries(s->maps.filter, opts->n_pids ? WATCHED : 1);
	r = r ?: bpf_map__set_max_entries(s->maps.processes, rows);
	if (wants_crashes(opts->calls))
		r = r ?: bpf_map__set_max_entries(s->maps.changes, rows);
	r = r ?: bpf_map__set_max_entries(s->maps.process_index, rows);
	r = r ?: bpf_map__set_max_entries(s->maps.process_free, rows);
	r = r ?: bpf_map__set_max_entries(s->maps.open_calls, threads);
	r = r ?: bpf_map__set_max_entries(s->maps.open_index, threads);
	r = r ?: bpf_map__set_max_entries(s->maps.open_free, threads);
	r = r
		    ?: bpf_map__set_max_entries(s->maps.events, opts->ring	      ? opts->ring
								: opts->single_stacks ? RING_STACKS
										      : RING_USUAL);
	r = r
		    ?: bpf_map__set_max_entries(s->maps.ended,
						opts->rare ? (__u32)sysconf(_SC_PAGESIZE)
							   : ENDED_RING);
	return r ?: configure_pressure(s, pressure);
}

static int watch(struct vmt_events *x, const struct vmt_events_opts *opts)
{
	const __u8 one = 1;

	for (size_t i = 0; i < opts->n_pids; i++) {
		const __u32 pid = (__u32)opts->pids[i];

		if (bpf_map_update_elem(bpf_map__fd(x->skeleton->maps.filter), &pid, &one, BPF_ANY))
			return -errno;
	}
	return 0;
}

/* There is more to tell of than crashes: these may be missing. */
static bool may_do_without(struct vmt_events *x, int error)
{
	if (!wants_crashes(x->calls) || !(x->calls & ~(BIT(CRASH) | BIT(NONE))))
		return false;
	x->calls &= ~BIT(CRASH);
	x->crash_error = error;
	return true;
}

static int attach(struct vmt_events *x)
{
	struct bpf_program *prog;
	const char *hook;
	size_t cap = 0;
	int r;

	bpf_object__for_each_program (prog, x->skeleton->obj) {
		struct bpf_link *link;

		if (!bpf_program__autoload(prog))
			continue;
		if (vmt_grow(&x->links, &cap, x->n_links + 1, sizeof(struct bpf_link *)))
			return -ENOMEM;
		hook = bpf_program__section_name(prog);
		link = bpf_program__attach(prog);
		if (libbpf_get_error(link)) {
			r = errno ? -errno : -EINVAL;
			link = NULL;
			if (vmt_pressure_hook(hook) >= 0)
				vmt_pressure_fails(&x->pressure, hook, r);
			else if (strcmp(hook, VMT_CRASH_HOOK) != 0 || !may_do_without(x, r))
				return r;
		}
		x->links[x->n_links++] = link;
	}
	return 0;
}

/* Whether a program hangs on a hook: they attach in their order, until one does not. */
static bool is_attached(const struct vmt_events *x, const char *hook)
{
	struct bpf_program *prog;
	size_t n = 0;

	bpf_object__for_each_program (prog, x->skeleton->obj) {
		if (!bpf_program__autoload(prog))
			continue;
		if (n < x->n_links && x->links[n] && !strcmp(bpf_program__section_name(prog), hook))
			return true;
		n++;
	}
	return false;
}

int vmt_events_take(struct vmt_events *x, size_t most, struct vmt_arena *arena, vmt_events_fn *fn,
		    void *arg)
{
	int n;

	x->arena = arena;
	x->fn = fn;
	x->arg = arg;
	x->left = most;
	x->taken = 0;
	n = most ? ring_buffer__consume(x->ring) : 0;
	if (n < 0 && n != -EAGAIN)
		return n;
	return (int)x->taken;
}

static const struct vmt_slot_process *process_at(const struct vmt_events *x, size_t i)
{
	return vmt_probe_at(&x->processes, i);
}

/* The row of this process, which has no other threads that map; 0 where it has none. */
static uint32_t own_row(const struct vmt_events *x)
{
	for (size_t i = 1; i < x->processes.len; i++)
		if (process_at(x, i)->ready && process_at(x, i)->tgid == (uint32_t)getpid())
			return (uint32_t)i;
	return 0;
}

/* Calls and signals of which is known how many they are, and how large. */
static bool counts_itself(struct vmt_events *x)
{
	bool calls = bpf_program__autoload(x->skeleton->progs.call_begins);
	bool crashes = wants_crashes(x->calls);
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const struct vmt_slot_call *found;
	bool good;
	uint32_t row;

	x->skeleton->bss->control.self_tgid = (uint32_t)getpid();
	x->skeleton->bss->control.active = 1;
	good = (!calls || vmt_event_check_maps(page, CHECKS)) &&
	       (!crashes || vmt_event_check_signal());
	x->skeleton->bss->control.active = 0;
	x->skeleton->bss->control.self_tgid = 0;
	if (!calls && !crashes)
		return true;
	row = own_row(x);
	if ((calls && !row) || !good)
		return false;
	found = process_at(x, row)->calls;
	if (crashes && found[VMT_BPF_CALL_CRASH].calls != 1 && !may_do_without(x, -ENODATA))
		return false;
	return !calls || (found[VMT_BPF_CALL_MMAP].calls == CHECKS &&
			  found[VMT_BPF_CALL_MMAP].bytes == CHECKS * 3 * page &&
			  found[VMT_BPF_CALL_MUNMAP].calls == CHECKS + 1 &&
			  found[VMT_BPF_CALL_MUNMAP].errors == 1 &&
			  found[VMT_BPF_CALL_MUNMAP].bytes == CHECKS * 3 * page);
}

/* The row of the self-check is nobody's again. */
static int forget_itself(struct vmt_events *x)
{
	static const struct vmt_slot_process empty;
	uint32_t pid = (uint32_t)getpid(), row = own_row(x);
	struct vmt_events_bpf *s = x->skeleton;

	for (unsigned i = 0; i < VMT_STAT_COUNT; i++)
		x->before[i] = vmt_probe_stat(&x->stats, i);
	if (!row)
		return 0;
	if (bpf_map_delete_elem(bpf_map__fd(s->maps.process_index), &pid) ||
	    bpf_map_update_elem(bpf_map__fd(s->maps.processes), &row, &empty, BPF_ANY) ||
	    bpf_map_update_elem(bpf_map__fd(s->maps.process_free), NULL, &row, BPF_ANY))
		return -errno;
	return 0;
}

static int load_once(struct vmt_events *x, const struct vmt_events_opts *opts)
{
	x->skeleton = vmt_events_bpf__open();
	if (!x->skeleton)
		return errno ? -errno : -ENOMEM;
	return configure(x->skeleton, opts, &x->pressure)
		       ?: vmt_events_bpf__load(x->skeleton)
		       ?: vmt_probe_has_bss(x->skeleton->bss);
}

static int load_rest(struct vmt_events *x, const struct vmt_events_opts *opts)
{
	int r;

	vmt_probe_silence();
	vmt_pressure_look(&x->pressure, opts->calls & BIT(STALL));
	r = load_once(x, opts);
	while (r && vmt_pressure_refused(&x->pressure, r)) {
		vmt_events_bpf__destroy(x->skeleton);
		r = load_once(x, opts);
	}
	return r;
}

/* Nor is more lost than crashes with the program of these. */
static int load(struct vmt_events *x, const struct vmt_events_opts *opts)
{
	struct vmt_events_opts less = *opts;
	int r;

	x->calls = opts->calls;
	r = load_rest(x, opts);
	if (r == 0 || r == -EPERM || !may_do_without(x, r))
		return r;
	vmt_events_bpf__destroy(x->skeleton);
	less.calls = x->calls;
	r = load_rest(x, &less);
	/* It was not what failed. */
	if (r)
		x->crash_error = 0;
	return r;
}

static int prepare(struct vmt_events *x, const struct vmt_events_opts *opts)
{
	const size_t sizes[VMT_DRAIN_PILES] = { sizeof(struct vmt_slot_process) };
	struct vmt_events_bpf *s = x->skeleton;
	int r = vmt_probe_array_map(s->maps.processes, &x->processes);

	r = r ?: vmt_probe_array_map(s->maps.names, &x->names);
	r = r ?: vmt_probe_array_map(s->maps.stats, &x->stats);
	/* The first row is that of all who have none. */
	r = r ?: vmt_probe_fill_queue(s->maps.process_free, 1, (uint32_t)x->processes.len);
	r = r ?: vmt_probe_fill_queue(s->maps.name_free, 0, (uint32_t)x->names.len);
	r = r
		    ?: vmt_probe_fill_queue(s->maps.open_free, 0,
					    bpf_map__max_entries(s->maps.open_calls));
	if (r == 0 && (opts->stacks || opts->single_stacks))
		r = vmt_events_map_stacks(x, x->skeleton->obj, &x->skeleton->bss->stack_lost,
					  opts->stacks);
	r = r ?: watch(x, opts);
	if (!opts->rare)
		r = r ?: vmt_drain_start(bpf_map__fd(s->maps.ended), sizes, true, NULL, &x->ended);
	if (r)
		return r;
	x->ring = ring_buffer__new(bpf_map__fd(s->maps.events), vmt_events_on_record, x, NULL);
	return x->ring ? 0 : errno ? -errno : -ENOMEM;
}

/* Where no call is of interest, none passes a program after the self-check. */
static void detach_calls(struct vmt_events *x, uint32_t wanted)
{
	const struct vmt_events_bpf *s = x->skeleton;
	struct bpf_program *prog;
	size_t i = 0;

	if (wanted & ~OTHERS)
		return;
	bpf_object__for_each_program (prog, s->obj) {
		if (!bpf_program__autoload(prog))
			continue;
		if (prog == s->progs.call_begins || prog == s->progs.call_ends) {
			bpf_link__destroy(x->links[i]);
			x->links[i] = NULL;
		}
		i++;
	}
}

/* Until its own calls were counted. */
static int begin(struct vmt_events *x, const struct vmt_events_opts *opts, struct vmt_err *err)
{
	int r = load(x, opts);

	if (r)
		return vmt_err_set(err, r, NULL, 0, "%s", vmt_probe_explain(r));
	r = prepare(x, opts);
	if (r)
		return vmt_err_set(err, r, NULL, 0, "cannot fill or map a table: %s",
				   vmt_errno_name(r));
	r = attach(x);
	if (r)
		return vmt_err_set(err, r, NULL, 0, "a program does not attach: %s",
				   vmt_probe_explain(r));
	if (x->calls == BIT(STALL) && !vmt_pressure_causes(&x->pressure))
		return vmt_err_set(err, -ENOTSUP, NULL, 0, "this kernel tells of no stall");
	x->trusted = counts_itself(x);
	if (!x->trusted)
		return vmt_err_set(err, -ENODATA, NULL, 0,
				   "attached, and its own calls were not counted%s",
				   vmt_probe_other_numbers());
	return 0;
}

int vmt_events_start(const struct vmt_events_opts *opts, struct vmt_events **ret,
		     struct vmt_err *err)
{
	VMT_CLEANUP(freep) struct vmt_events *x = calloc(1, sizeof(*x));
	int r;

	if (!x)
		return vmt_err_set(err, -ENOMEM, NULL, 0, "out of memory");
	r = begin(x, opts, err);
	if (r)
		return r;
	r = forget_itself(x);
	if (r)
		return vmt_err_set(err, r, NULL, 0, "cannot clear a table: %s", vmt_errno_name(r));
	detach_calls(x, opts->calls);
	x->skeleton->bss->control.without_tgid = (uint32_t)getpid();
	x->skeleton->bss->control.singles = opts->singles;
	x->start_ns = vmt_probe_now();
	x->skeleton->bss->control.active = 1;
	*ret = VMT_STEAL(x);
	return 0;
}

size_t vmt_events_try(struct vmt_probe_try *ret, size_t most)
{
	const struct vmt_events_opts opts = { .calls = UINT32_MAX };
	VMT_CLEANUP(freep) struct vmt_events *x = calloc(1, sizeof(*x));
	struct vmt_probe_try all = { .probe = "events",
				     .rung = "tracepoint",
				     .error = -ENOMEM,
				     .gives = "system calls that change an address space" };
	const char *reason = NULL, *fix = NULL;
	struct vmt_err err = { 0 };
	size_t n = 0;

	if (x)
		all.error = begin(x, &opts, &err);
	for (size_t i = 0; x && i < VMT_ARRAY_LEN(hooks) && n + 1 < most; i++)
		if (is_attached(x, hooks[i].hook))
			ret[n++] = (struct vmt_probe_try){ .probe = all.probe,
							   .rung = all.rung,
							   .hook = hooks[i].hook,
							   .gives = hooks[i].gives,
							   .status = VMT_TRY_OK };
	if (x && x->skeleton && n + 1 < most)
		n += vmt_pressure_tries(&x->pressure, ret + n, most - n - 1);
	if (x && x->crash_error && n + 1 < most)
		ret[n++] = vmt_probe_crash_try(x->crash_error);
	if (!all.error) {
		all.status = VMT_TRY_OK;
		snprintf(
			all.reason, sizeof(all.reason),
			"own calls: %d of mmap, and %d of munmap with one refused, counted to the unit",
			CHECKS, CHECKS + 1);
	} else if (all.error == -ENODATA) {
		all.status = VMT_TRY_SILENT;
		snprintf(all.reason, sizeof(all.reason), "%.190s", err.text);
	} else {
		all.status = vmt_probe_judge(all.error, &reason, &fix);
		snprintf(all.reason, sizeof(all.reason), "%.190s", x ? err.text : reason);
		snprintf(all.fix, sizeof(all.fix), "%s", fix ? fix : "");
	}
	if (n < most)
		ret[n++] = all;
	return n;
}

uint64_t vmt_events_began(const struct vmt_events *x)
{
	return x->start_ns;
}

static uint64_t stat(const struct vmt_events *x, unsigned which)
{
	return vmt_probe_stat(&x->stats, which) - x->before[which];
}

int vmt_events_filter(const struct vmt_events *x)
{
	return x->skeleton->rodata->vmt_filter_on ? bpf_map__fd(x->skeleton->maps.filter) : -1;
}

void vmt_events_losses(const struct vmt_events *x, uint64_t *ret_lost, uint64_t *ret_limited)
{
	*ret_lost = stat(x, VMT_STAT_DROPPED) + x->broken;
	*ret_limited = stat(x, VMT_STAT_LIMITED);
}

uint64_t vmt_events_codes_lost(const struct vmt_events *x)
{
	return x->stacks.lost ? x->stacks.lost->codes : 0;
}

bool vmt_events_names_full(const struct vmt_events *x)
{
	return stat(x, VMT_STAT_NAME_FULL) != 0;
}

void vmt_events_stop(struct vmt_events *x)
{
	if (x->stop_ns)
		return;
	x->skeleton->bss->control.active = 0;
	x->stop_ns = vmt_probe_now();
	vmt_probe_wait();
	if (x->ended)
		vmt_drain_stop(x->ended);
}

static void copy_process(const struct vmt_slot_process *p, bool ended,
			 struct vmt_event_process *out)
{
	*out = (struct vmt_event_process){
		.start_ns = p->start,
		.pid = p->tgid,
		.uid = p->uid,
		.ended = ended,
		.exec_ns = p->exec_ns,
	};
	memcpy(out->comm, p->comm, sizeof(out->comm));
	for (unsigned i = 1; i < VMT_CALLS; i++)
		out->counts[i] = vmt_events_count_of(&p->calls[i]);
	for (unsigned i = 1; i < VMT_STALL_CAUSES; i++)
		out->stalls[i] = vmt_pressure_count(&p->stalls[i]);
}

static bool has_any(const struct vmt_slot_process *p)
{
	for (unsigned i = 1; i < VMT_CALLS; i++)
		if (p->calls[i].calls)
			return true;
	return false;
}

static int read_rows(struct vmt_events *x, struct vmt_arena *arena, struct vmt_event_sample *ret)
{
	size_t n = vmt_drain_count(x->ended, 0), at = 0;
	struct vmt_slot_process gone;

	for (size_t i = 0; i < x->processes.len; i++)
		n += has_any(process_at(x, i));
	ret->processes = vmt_arena_alloc(arena, n ? n : 1, sizeof(*ret->processes));
	if (!ret->processes)
		return -ENOMEM;
	for (size_t i = 0; i < x->processes.len && ret->n_processes < n; i++)
		if (has_any(process_at(x, i)))
			copy_process(process_at(x, i), process_at(x, i)->ended,
				     &ret->processes[ret->n_processes++]);
	while (ret->n_processes < n && vmt_drain_next(x->ended, 0, &at, &gone))
		if (has_any(&gone))
			copy_process(&gone, true, &ret->processes[ret->n_processes++]);
	return vmt_drain_error(x->ended);
}

static void read_misses(const struct vmt_events *x, struct vmt_event_sample *ret)
{
	struct bpf_program *prog;

	ret->has_misses = true;
	bpf_object__for_each_program (prog, x->skeleton->obj) {
		uint64_t n = 0;

		if (!bpf_program__autoload(prog))
			continue;
		if (vmt_probe_program_misses(bpf_program__fd(prog), &n) < 0)
			ret->has_misses = false;
		ret->misses += n;
	}
}

int vmt_events_read(struct vmt_events *x, struct vmt_arena *arena, struct vmt_event_sample *ret,
		    struct vmt_err *err)
{
	int r;

	*ret = (struct vmt_event_sample){
		.running = true,
		.trusted = x->trusted,
		.start_ns = x->start_ns,
		.stop_ns = x->stop_ns,
		.listed = x->listed,
		.limited = stat(x, VMT_STAT_LIMITED),
		.lost = stat(x, VMT_STAT_DROPPED) + x->broken,
		.unopened = stat(x, VMT_STAT_NO_ACCOUNT),
		.unwatched = stat(x, VMT_STAT_BUSY),
		.compat = stat(x, VMT_STAT_COMPAT),
		.names_lost = stat(x, VMT_STAT_NAME_FULL),
		.handled = stat(x, VMT_STAT_HANDLED),
		.codes_lost = vmt_events_codes_lost(x),
		.has_codes = x->stacks.lost,
		.stalls_wanted = x->pressure.wanted,
		.causes = vmt_pressure_causes(&x->pressure),
		.throttle_told = x->pressure.throttle_told,
		.touched_wanted = x->skeleton->rodata->vmt_touched,
		.claims_lost = x->skeleton->bss->claims_lost,
	};
	ret->has_crashes = wants_crashes(x->calls);
	if (x->crash_error)
		snprintf(ret->crash_reason, sizeof(ret->crash_reason), "%.190s",
			 vmt_probe_crash_reason(x->crash_error));
	read_misses(x, ret);
	r = read_rows(x, arena, ret);
	if (r == 0 && x->sites.base &&
	    vmt_events_read_sites(x, bpf_map__fd(x->skeleton->maps.claims), arena, ret) < 0)
		r = -ENOMEM;
	return r ? vmt_drain_explain(r, "events", err) : 0;
}
