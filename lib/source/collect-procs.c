/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>

#include "base/fmt.h"
#include "base/parse.h"
#include "model/cost.h"
#include "model/honest.h"
#include "model/verify.h"
#include "source/collect-private.h"
#include "source/elf.h"
#include "source/pids.h"
#include "source/residency.h"
#include "source/setcap.h"
#include "source/verify-read.h"

/* Of these nothing is said of how well a process could be read. */
#define TEXTS (VMT_SOURCE_BIT(OOM) | VMT_SOURCE_BIT(CMDLINE))
#define OF_MAPPINGS                                                                                \
	(VMT_SOURCE_BIT(SMAPS) | VMT_SOURCE_BIT(PAGEMAP) | VMT_SOURCE_BIT(WORDS) |                 \
	 VMT_SOURCE_BIT(KPAGECOUNT) | VMT_SOURCE_BIT(ELF) | VMT_SOURCE_BIT(ROLE) |                 \
	 VMT_SOURCE_BIT(NUMA) | VMT_SOURCE_BIT(FORECAST))

/* A call of vmt_collect_procs(), for the callback of the pool. */
struct call {
	struct vmt_collector *c;
	struct vmt_sample *s;
	uint64_t sources;
	bool rollup_loses; /* smaps_rollup is too low for some */
	const size_t *procs; /* index into s->procs of each job */
	/* For vmt_collect_rows(). */
	vmt_rows_fn *rows; /* NULL: the sample keeps them */
	void *arg;
	int error; /* what rows() returned, where that was negative */
	size_t indices_done; /* processes that rows() had the last of */
	const size_t *indices;
};

static enum vmt_source_id first_source(uint64_t sources)
{
	return (enum vmt_source_id)__builtin_ctzll(sources);
}

static const char *keep_hint(struct vmt_sample *s, const struct vmt_err *err)
{
	char text[sizeof(err->path) + sizeof(err->text) + 24];
	int n;

	if (!err || !err->text[0])
		return NULL;
	if (err->line)
		n = snprintf(text, sizeof(text), "%s:%u: %s", err->path, err->line, err->text);
	else
		n = snprintf(text, sizeof(text), "%s%s%s", err->path, err->path[0] ? ": " : "",
			     err->text);
	return n < 0 ? NULL : vmt_arena_copy(&s->arena, text, (size_t)n);
}

static const char *hint_of(struct vmt_sample *s, int code, const struct vmt_err *err)
{
	/* Who recorded it is not who reads it. */
	if (s->host.root.len && (code == -EACCES || code == -EPERM))
		return "this file of the recording may not be read";
	switch (code) {
	case -EXDEV:
		return "its address space changed (execve, mappings joined) while it was read; what is "
		       "shown is part";
	case -EACCES:
	case -EPERM:
		return s->host.euid == 0
			       ? "refused to root as well: a security module, a user namespace or "
				 "lockdown"
			       : "not permitted for processes of other users; vmtop doctor says what "
				 "would change it";
	default:
		return keep_hint(s, err);
	}
}

/* The worst first: what the process as a whole is said to be. */
static int worse(int a, int b)
{
	static const int order[] = { -ESRCH, -ETIMEDOUT, -EACCES, -EPERM, -EBUSY, -ECANCELED };
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(order); i++)
		if (a == order[i] || b == order[i])
			return order[i];
	return a ? a : b;
}

static void add_cost(struct vmt_source_stat *st, const struct vmt_proc_read *read, bool library)
{
	st->reads += read->reads;
	st->bytes += read->bytes;
	st->cpu_ns += read->cpu_ns;
	if (read->longest_ns > st->longest_ns)
		st->longest_ns = read->longest_ns;
	st->bytes_unknown |= library;
	if (read->unknown_keys > st->unknown_keys)
		st->unknown_keys = read->unknown_keys;
	st->doubts |= read->doubts;
	st->answered += read->code >= 0;
}

static void copy_rollup_field(const struct vmt_field *f, struct vmt_proc *to,
			      const struct vmt_proc *from, struct vmt_arena *arena)
{
	struct vmt_bytes text;

	if (!vmt_field_is_text(f)) {
		vmt_field_copy(f, to, from);
		return;
	}
	text = *(const struct vmt_bytes *)vmt_field_at(f, from);
	text.ptr = vmt_arena_copy(arena, text.ptr, text.len);
	if (!text.ptr)
		return;
	vmt_field_copy(f, to, from);
	*(struct vmt_bytes *)((char *)to + f->offset) = text;
}

/* Fields out of a row that has those of the job alone; text is copied into arena, which
 * remembers where it could not be. */
static void copy_rollup(struct vmt_proc *to, const struct vmt_proc *from, struct vmt_arena *arena)
{
	size_t i;

	for (i = 0; i < VMT_ROW_WORDS; i++) {
		uint64_t left = from->row.valid[i];

		for (; left; left &= left - 1) {
			unsigned at = (unsigned)(i * 64) + (unsigned)__builtin_ctzll(left);

			copy_rollup_field(&vmt_entity_proc.fields[at], to, from, arena);
		}
	}
}

/* A file that no process has is no failure of each: the kernel, or the recording, lacks it. */
static bool is_absent(struct vmt_source_stat *st, int code)
{
	if (code != -ENOENT && code != -ENOSYS && code != -EOPNOTSUPP)
		return false;
	st->error = code;
	return true;
}

/* Notes, once in a sample, that a source gave nothing for a process. */
static void missed(struct vmt_sample *s, size_t index, enum vmt_source_id id, int code,
		   const char *hint)
{
	const struct vmt_proc *p = &s->procs[index];
	struct vmt_proc_maps *pm = &s->maps[index];

	pm->worst = worse(pm->worst, code);
	if (pm->missed >> id & 1)
		return;
	pm->missed |= UINT64_C(1) << id;
	vmt_sample_failed(s, id, p->pid, p->comm, code, hint);
}

/*
 * Sources that were asked for and never came to be tried, because another one failed with code:
 * where there are no rights for one, there are none for the others; where it did not answer, they
 * were left out. They are counted and are no issues of their own.
 */
static void untried(struct vmt_sample *s, size_t index, uint64_t sources, int code)
{
	struct vmt_proc_maps *pm = &s->maps[index];
	bool denied = code == -EACCES || code == -EPERM;
	int i;

	if (!denied && code != -ETIMEDOUT && code != -EBUSY && code != -ECANCELED)
		return;
	for (i = 0; i < VMT_SOURCE_COUNT; i++) {
		struct vmt_source_stat *st = &s->sources[i];

		if (!(sources >> i & 1) || pm->missed >> i & 1)
			continue;
		pm->missed |= UINT64_C(1) << i;
		st->error = code;
		if (denied)
			st->denied++;
		else
			st->skipped++;
	}
}

/* What the dear sources of all calls so far say of the process as a whole. */
static void set_read_status(struct vmt_sample *s, size_t index)
{
	const struct vmt_proc_maps *pm = &s->maps[index];
	/* What no process has is missed where there was nothing else to read. */
	int code = pm->worst || pm->answered ? pm->worst : -ENOENT;

	VMT_SET(proc, read_status, &s->procs[index],
		vmt_bytes_of(code ? vmt_failure_word(code) : "ok"));
	VMT_SET(proc, quality, &s->procs[index],
		vmt_bytes_of(!pm->answered ? "unavailable"
			     : code	   ? "partial"
			     : pm->doubts  ? "approximate"
					   : "exact"));
}

/* Rss of the rollup of a process is no less than its RSS, but for what the kernel's counters lag
 * behind. Where it is, mappings were left out, or given back meanwhile. */
static bool is_short(const struct vmt_sample *s, const struct vmt_proc *p)
{
	return VMT_HAS(proc, rollup_rss_bytes, p) && VMT_HAS(proc, rss_bytes, p) &&
	       p->rollup_rss_bytes < p->rss_bytes &&
	       p->rss_bytes - p->rollup_rss_bytes > vmt_verify_rss_lag(p, s->host.page_size);
}

static void merge_maps(struct vmt_sample *s, size_t index, const struct vmt_proc_task *task)
{
	const struct vmt_proc_read *smaps = &task->read[vmt_proc_slot(VMT_SOURCE_SMAPS)];
	const struct vmt_proc_read *maps = &task->read[vmt_proc_slot(VMT_SOURCE_MAPS)];
	struct vmt_proc_maps *pm = &s->maps[index];

	if (task->has_maps) {
		if (!task->count_only) {
			pm->maps = task->kept ? task->kept : task->maps;
			pm->n_maps = pm->maps ? task->n_maps : 0;
			pm->consistent = task->consistent;
			if (task->compared ||
			    (smaps->tried && (smaps->code >= 0 || smaps->code == -EXDEV)))
				VMT_SET(proc, consistent, &s->procs[index], task->consistent);
			pm->state = maps->code < 0 || smaps->code < 0 ||
						    pm->missed & VMT_SOURCE_BIT(SMAPS)
					    ? VMT_STATE_PARTIAL
					    : VMT_STATE_OK;
		}
		vmt_proc_task_sums(task, &s->procs[index]);
	} else if (maps->code < 0 && !pm->maps) {
		pm->state = maps->code == -EACCES || maps->code == -EPERM ? VMT_STATE_DENIED
									  : VMT_STATE_FAILED;
	}
}

/* The end of the process at index for rows(), and before it that of those that came before it and
 * were not read. */
static void last_rows(struct call *call, size_t index, const struct vmt_map *maps, size_t n)
{
	bool found = false;

	while (!found && !call->error) {
		size_t i = call->indices[call->indices_done++];

		found = i == index;
		call->error = call->rows(call->arg, i, found ? maps : NULL, found ? n : 0, true);
		if (call->error > 0)
			call->error = 0;
	}
}

/* The sample takes over the rows and strings of a task. */
static int keep_rows(struct vmt_sample *s, struct vmt_proc_task *task)
{
	struct vmt_map *copy;

	vmt_arena_join(&s->arena, &task->arena);
	if (!task->maps)
		return 0;
	copy = vmt_arena_alloc(&s->arena, task->n_maps ? task->n_maps : 1, sizeof(*copy));
	if (copy)
		memcpy(copy, task->maps, task->n_maps * sizeof(*copy));
	free(task->maps);
	task->maps = NULL;
	task->kept = copy;
	return copy ? 0 : -ENOMEM;
}

/* When PSS was read, and what that cost. */
static void note_rollup(struct vmt_proc *p, const struct vmt_proc_read *read)
{
	if (!read->tried || read->code < 0)
		return;
	VMT_SET(proc, pss_read_ns, p, p->read_end_ns);
	VMT_SET(proc, pss_cpu_ns, p, read->cpu_ns);
}

static void merge(struct call *call, size_t index, struct vmt_proc_task *task)
{
	struct vmt_sample *s = call->s;
	struct vmt_proc_maps *pm = &s->maps[index];
	uint64_t left = call->sources;
	int worst = 0, i;

	if (!call->rows && keep_rows(s, task) < 0) {
		task->read[vmt_proc_slot(VMT_SOURCE_MAPS)].code = -ENOMEM;
		task->has_maps = false;
	}
	for (i = VMT_PROC_FIRST; i <= VMT_PROC_LAST; i++) {
		struct vmt_proc_read *read = &task->read[vmt_proc_slot((enum vmt_source_id)i)];

		if (!read->tried)
			continue;
		left &= ~(UINT64_C(1) << i);
		/* libelf does not say how much it reads. */
		add_cost(&s->sources[i], read, i == VMT_SOURCE_ELF || i == VMT_SOURCE_ROLE);
		pm->answered |= read->code >= 0 && !(TEXTS >> i & 1);
		pm->doubts |= read->doubts;
		if (read->code >= 0 || is_absent(&s->sources[i], read->code))
			continue;
		/* It ended: once, whatever was read when it did. */
		if (worst != -ESRCH)
			missed(s, index, (enum vmt_source_id)i, read->code,
			       hint_of(s, read->code, read->err));
		worst = worse(worst, read->code);
	}
	untried(s, index, left, worst);
	copy_rollup(&s->procs[index], &task->rollup, &s->arena);
	vmt_proc_honest(&s->procs[index]);
	if (task->read[vmt_proc_slot(VMT_SOURCE_ROLLUP)].tried &&
	    task->read[vmt_proc_slot(VMT_SOURCE_ROLLUP)].code >= 0 &&
	    (call->rollup_loses || is_short(s, &s->procs[index])))
		pm->doubts |= VMT_DOUBT_LOSES;
	if (call->sources & VMT_SOURCE_BIT(MAPS))
		merge_maps(s, index, task);
	if (worst || call->sources & ~TEXTS)
		set_read_status(s, index);
	/* One that was left behind was waited for until now. */
	if (!s->host.root.len) {
		VMT_SET(proc, read_end_ns, &s->procs[index],
			task->ended_ns ? task->ended_ns : vmt_now_ns(CLOCK_MONOTONIC));
		note_rollup(&s->procs[index], &task->read[vmt_proc_slot(VMT_SOURCE_ROLLUP)]);
	}
	if (call->rows) {
		last_rows(call, index, pm->maps, pm->n_maps);
		/* The job has them, and ends. */
		pm->maps = NULL;
		pm->n_maps = 0;
	}
}

/* A job that a reader kept: what it had finished before it was stuck. */
static void left_behind(struct call *call, size_t index, struct vmt_job *job)
{
	static const char hint[] = "the reader sleeps in the kernel: the process holds its address "
				   "space, perhaps for a file system that does not answer";
	struct vmt_stuck_list *stuck = vmt_collector_stuck(call->c);
	const struct vmt_proc *p = &call->s->procs[index];
	int stage = vmt_job_stage(job);
	struct vmt_proc_read *read;
	struct vmt_proc_task task;
	struct vmt_err err;

	/* Without memory for it, it has nothing. */
	vmt_proc_job_copy(job, &task);
	read = &task.read[vmt_proc_slot(stage > 0 ? (enum vmt_source_id)stage
						  : first_source(call->sources))];
	read->tried = true;
	read->code = vmt_err_set(&err, -ETIMEDOUT, NULL, 0, "%s", hint);
	read->err = &err;
	merge(call, index, &task);
	vmt_arena_done(&task.arena);
	free(task.maps);
	if (vmt_grow(&stuck->items, &stuck->cap, stuck->n + 1, sizeof(*stuck->items)) < 0)
		return;
	stuck->items[stuck->n++] = (struct vmt_stuck){
		.pid = p->pid,
		.start_time_ns = VMT_HAS(proc, start_time_ns, p) ? p->start_time_ns : 0,
		.job = vmt_job_ref(job),
	};
}

/* Whether a reader is still stuck in that process. */
static bool is_stuck(struct vmt_stuck_list *stuck, const struct vmt_proc *p)
{
	uint64_t start = VMT_HAS(proc, start_time_ns, p) ? p->start_time_ns : 0;
	size_t i;

	for (i = 0; i < stuck->n; i++) {
		if (stuck->items[i].pid != p->pid || stuck->items[i].start_time_ns != start)
			continue;
		if (!vmt_job_has_ended(stuck->items[i].job))
			return true;
		vmt_job_unref(stuck->items[i].job);
		stuck->items[i] = stuck->items[--stuck->n];
		return false;
	}
	return false;
}

/* A process that is not even tried: code says why. */
static void not_read(struct vmt_sample *s, size_t index, uint64_t sources, int code,
		     const char *hint)
{
	struct vmt_proc_maps *pm = &s->maps[index];

	/* Where this sample has said it already, only more was left out. */
	if (pm->worst != code)
		missed(s, index, first_source(sources), code, hint);
	untried(s, index, sources, code);
	if (sources & VMT_SOURCE_BIT(MAPS) && !pm->maps)
		pm->state = code == -ETIMEDOUT ? VMT_STATE_FAILED : VMT_STATE_SKIPPED;
	set_read_status(s, index);
}

static void no_reader(struct call *call, size_t index, int code)
{
	const char *hint;

	switch (code) {
	case -ECANCELED:
		hint = "the time for the whole report was over";
		break;
	case -EAGAIN:
		/* Never in the main thread instead: it could sleep for ever. */
		code = -EBUSY;
		hint = "no reader thread could be started (RLIMIT_NPROC, memory)";
		break;
	default:
		hint = "too many readers are stuck in the kernel";
		break;
	}
	not_read(call->s, index, call->sources, code, hint);
}

static void job_done(size_t index, struct vmt_job *job, int result, void *ctx, void *arg)
{
	struct call *call = arg;

	if (ctx)
		merge(call, call->procs[index], ctx);
	else if (result == -ETIMEDOUT)
		left_behind(call, call->procs[index], job);
	else
		no_reader(call, call->procs[index], result);
}

static int take_part(size_t index, void *arg_part, void *arg)
{
	struct call *call = arg;
	struct vmt_proc_part *part = arg_part;

	/* Those before it are due first. */
	while (!call->error && call->indices[call->indices_done] != call->procs[index])
		last_rows(call, call->indices[call->indices_done], NULL, 0);
	if (!call->error)
		call->error = call->rows(call->arg, call->procs[index], part->maps, part->n, false);
	vmt_proc_part_free(part);
	if (call->error > 0)
		call->error = 0;
	return call->error;
}

static bool has_memory(const struct vmt_proc *p)
{
	return !VMT_HAS(proc, class, p) || vmt_bytes_is(p->class, "user");
}

/*
 * Of sources those that may be read of the process at index within the budget; the others are noted
 * as left out. The list of the mappings walks no page tables.
 */
static uint64_t affordable(struct call *call, size_t index, uint64_t sources)
{
	uint64_t dear = sources & VMT_SOURCES_WALK;
	uint64_t budget = vmt_collector_budget(call->c), ns;
	struct vmt_sample *s = call->s;
	const char *hint = "over the budget; its RSS is not known";
	VMT_AUTO_BUF text = { 0 };
	int i;

	if (budget == UINT64_MAX || !(dear || sources & VMT_COLLECT_CHEAP))
		return sources;
	ns = vmt_cost_walk_ns(&s->procs[index], s->host.page_size);
	/* In place of pagemap, which is a chance, it may be what nobody knows. */
	if (ns <= budget || (ns == UINT64_MAX && !dear))
		return sources;
	if (dear && ns != UINT64_MAX) {
		vmt_buf_adds(&text, "reading it may hold its mmap lock for ");
		vmt_fmt_duration(&text, ns);
		vmt_buf_adds(&text, ", the budget is ");
		vmt_fmt_duration(&text, budget);
		if (vmt_buf_error(&text) == 0)
			hint = vmt_arena_copy(&s->arena, text.data, text.len);
	}
	for (i = 0; i < VMT_SOURCE_COUNT; i++)
		if (dear >> i & 1)
			missed(s, index, (enum vmt_source_id)i, -ECANCELED, hint);
	if (dear)
		set_read_status(s, index);
	/* Nor in place of pagemap. */
	return sources & ~dear & ~VMT_COLLECT_CHEAP;
}

/* The command that would open a denied source: a capability for this very program. */
static void set_fix(struct vmt_sample *s, enum vmt_source_id id)
{
	struct vmt_source_stat *st = &s->sources[id];
	/* Linux 6.15 lets CAP_PERFMON read maps and its like; before, CAP_SYS_PTRACE did. */
	bool perfmon = vmt_release_is_at_least(s->host.release, 6, 15);
	/* Where something else went wrong too, the reason that has all of it stays. */
	bool alone = st->timed_out + st->skipped == 0;
	VMT_AUTO_BUF cmd = { 0 };
	const char *caps;
	char exe[4096];
	ssize_t n;

	if (s->host.root.len || st->denied == 0)
		return;
	if (s->host.euid == 0) {
		if (alone)
			snprintf(
				st->reason, sizeof(st->reason),
				"%llu refused, to root as well: a security module, a user namespace or "
				"lockdown",
				(unsigned long long)st->denied);
		return;
	}
	if (alone)
		snprintf(st->reason, sizeof(st->reason), "%llu refused: processes of other users",
			 (unsigned long long)st->denied);
	switch (id) {
	case VMT_SOURCE_PAGEMAP:
	case VMT_SOURCE_WORDS:
		caps = perfmon ? "cap_perfmon,cap_dac_read_search"
			       : "cap_sys_ptrace,cap_dac_read_search";
		break;
	case VMT_SOURCE_FORECAST:
		caps = "cap_checkpoint_restore,cap_sys_ptrace,cap_dac_read_search,cap_fowner";
		break;
	case VMT_SOURCE_KPAGECOUNT:
		caps = "cap_sys_admin,cap_sys_ptrace,cap_dac_read_search";
		break;
	case VMT_SOURCE_ELF:
	case VMT_SOURCE_ROLE:
		caps = "cap_checkpoint_restore,cap_sys_ptrace";
		break;
	default:
		caps = perfmon ? "cap_perfmon" : "cap_sys_ptrace";
		break;
	}
	n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	if (n <= 0)
		return;
	exe[n] = 0;
	vmt_setcap_command(&cmd, exe, caps);
	if (vmt_buf_error(&cmd) == 0 && cmd.len < sizeof(st->fix))
		snprintf(st->fix, sizeof(st->fix), "%s", cmd.data);
}

/* Debian 12's 6.1: show_smaps_rollup() leaves out a mapping each time that it had to wait for the
 * lock. */
static bool is_suspect(const struct vmt_sample *s)
{
	return vmt_bytes_starts(s->host.release, "6.1.");
}

/*
 * Whether smaps_rollup loses mappings here. show_smaps_rollup() walks by mas_find() since 6.1, and
 * 6.12 was seen to be right; which of the kernels between have the repair is found out by trying,
 * once, in some milliseconds.
 */
static bool rollup_loses(struct vmt_collector *c, const struct vmt_sample *s)
{
	struct vmt_proc_shared *shared = vmt_collector_shared(c);
	struct vmt_outcome out;

	if (!shared->root->live)
		return is_suspect(s);
	if (!shared->rollup_tried && vmt_release_is_at_least(s->host.release, 6, 1) &&
	    !vmt_release_is_at_least(s->host.release, 6, 12)) {
		vmt_verify_churn(c, true, &out);
		shared->rollup_loses = out.verdict == VMT_VERDICT_OFF;
	}
	shared->rollup_tried = true;
	return shared->rollup_loses;
}

/* The states of dear sources are made anew with each call, from all counts so far. */
static void settle(struct vmt_sample *s, uint64_t sources)
{
	int i;

	for (i = 0; i < VMT_SOURCE_COUNT; i++)
		if (sources >> i & 1 && s->sources[i].state != VMT_STATE_ABSENT) {
			s->sources[i].state = VMT_STATE_UNUSED;
			s->sources[i].reason[0] = 0;
			s->sources[i].fix[0] = 0;
		}
	vmt_sample_settle(s);
	for (i = 0; i < VMT_SOURCE_COUNT; i++) {
		struct vmt_source_stat *st = &s->sources[i];

		if (!(sources >> i & 1))
			continue;
		if (st->state == VMT_STATE_ABSENT && !s->host.root.len && i == VMT_SOURCE_ROLLUP)
			snprintf(st->reason, sizeof(st->reason),
				 "this kernel has no smaps_rollup (Linux 4.14 and later)");
		else if (st->state == VMT_STATE_ABSENT && st->error)
			snprintf(st->reason, sizeof(st->reason), "%s",
				 s->host.root.len ? "not in this recording"
						  : "this kernel does not have it");
		set_fix(s, (enum vmt_source_id)i);
		if (st->doubts && !st->reason[0])
			vmt_residency_doubt(st->doubts, st->reason, sizeof(st->reason));
	}
	/* What was recorded there may be too low; it cannot be tried any more. */
	if (sources & VMT_SOURCE_BIT(ROLLUP) && !s->sources[VMT_SOURCE_ROLLUP].reason[0] &&
	    s->host.root.len && is_suspect(s))
		snprintf(s->sources[VMT_SOURCE_ROLLUP].reason, sizeof(s->sources[0].reason),
			 "on Linux 6.1 sums are too low for processes that map and unmap "
			 "meanwhile; smaps is right");
}

/* Where the first thread has ended, the job has to look for another one itself. */
static int held_dir(struct vmt_collector *c, const struct vmt_proc *p)
{
	return vmt_pid_is_headless(p) ? -1 : vmt_collector_take_dir(c, p->pid);
}

static void free_jobs(struct vmt_job **jobs, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		vmt_job_unref(jobs[i]);
	free(jobs);
}

/* What is read where sources are wanted; 0: nothing. */
static uint64_t choose_sources(struct vmt_sample *s, uint64_t sources)
{
	bool cheap = sources & VMT_COLLECT_CHEAP;

	sources &= VMT_PROC_SOURCES;
	/* Reading a recording holds nobody up, and smaps has no doubts. */
	if (cheap)
		sources |= s->host.root.len ? VMT_SOURCE_BIT(SMAPS) : VMT_SOURCE_BIT(PAGEMAP);
	/* In place of the files, which are not in it. */
	if (s->host.root.len && sources & VMT_SOURCE_BIT(ROLE))
		sources |= VMT_SOURCE_BIT(SMAPS);
	if (sources & VMT_SOURCE_BIT(WORDS))
		sources &= ~VMT_SOURCE_BIT(PAGEMAP);
	if (sources & OF_MAPPINGS)
		sources |= VMT_SOURCE_BIT(MAPS);
	if (sources & VMT_SOURCE_BIT(ELF) && !vmt_elf_built()) {
		struct vmt_source_stat *st = &s->sources[VMT_SOURCE_ELF];

		st->state = VMT_STATE_ABSENT;
		st->error = -EOPNOTSUPP;
		snprintf(st->reason, sizeof(st->reason),
			 "not built: no libelf (meson option symbols)");
		sources &= ~VMT_SOURCE_BIT(ELF);
	}
	return sources;
}

/* Reads n processes; flags are those of the caller's sources, batch is for jobs that hand over. */
static int run_jobs(struct call *call, uint64_t flags, size_t batch, const size_t *indices,
		    size_t n)
{
	VMT_AUTO_FREE size_t *procs = calloc(n, sizeof(*procs));
	struct vmt_job **jobs = calloc(n, sizeof(*jobs));
	struct vmt_collector *c = call->c;
	struct vmt_sample *s = call->s;
	size_t n_jobs = 0, i;
	int r = 0;

	if (!procs || !jobs)
		r = -ENOMEM;
	if (r == 0)
		r = vmt_proc_shared_load(vmt_collector_shared(c), call->sources);
	for (i = 0; r == 0 && i < n; i++) {
		uint64_t sources = call->sources | (flags & (VMT_COLLECT_CHEAP | VMT_COLLECT_ONCE));

		/* A kernel thread or zombie has nothing to read, and each kernel says so in its
		 * own way. */
		if (!has_memory(&s->procs[indices[i]]))
			continue;
		if (is_stuck(vmt_collector_stuck(c), &s->procs[indices[i]])) {
			not_read(s, indices[i], call->sources, -ETIMEDOUT,
				 "a reader still sleeps in the kernel for this process");
			continue;
		}
		sources = affordable(call, indices[i], sources);
		if (!(sources & VMT_PROC_SOURCES))
			continue;
		jobs[n_jobs] = vmt_proc_job_new(
			vmt_collector_shared(c), sources, flags & VMT_COLLECT_COUNT, batch,
			&s->procs[indices[i]], held_dir(c, &s->procs[indices[i]]));
		if (!jobs[n_jobs])
			r = -ENOMEM;
		else
			procs[n_jobs++] = indices[i];
	}
	call->procs = procs;
	if (r == 0 && n_jobs && call->rows)
		r = vmt_pool_run_ordered(vmt_collector_pool(c), jobs, n_jobs,
					 vmt_collector_deadline(c), take_part, vmt_proc_part_free,
					 job_done, call);
	else if (r == 0 && n_jobs)
		r = vmt_pool_run(vmt_collector_pool(c), jobs, n_jobs, vmt_collector_deadline(c),
				 job_done, call);
	free_jobs(jobs, n_jobs);
	return r;
}

/* What limits the number of mappings, once in a sample: a fact of the machine, and no read of a
 * process. A kernel or recording that does not say leaves it unknown. */
static void read_map_limit(struct call *call)
{
	VMT_AUTO_BUF buf = { 0 };
	struct vmt_bytes text;
	uint64_t v;
	int r;

	if (!(call->sources & VMT_SOURCE_BIT(MAPS)) || call->s->host.max_map_count)
		return;
	r = (int)vmt_slurp_at(vmt_collector_shared(call->c)->root->proc_fd, "sys/vm/max_map_count",
			      &buf, 64);
	text = (struct vmt_bytes){ buf.data, buf.len };
	if (r >= 0)
		r = vmt_take_u64(&text, &v);
	if (r == 0 && vmt_take_char(&text, '\n') == 0)
		call->s->host.max_map_count = v;
	else if (r != -ENOENT && r != -ESRCH)
		vmt_sample_failed(call->s, VMT_SOURCE_MAPS, 0, (struct vmt_bytes){ 0 },
				  r < 0 ? r : -EINVAL, "vm.max_map_count cannot be read");
}

static int collect(struct call *call, uint64_t flags, const size_t *indices, size_t n,
		   struct vmt_err *err)
{
	/* Of the mappings of so many processes some are in memory at one time; a job is 2 KiB, and
	 * memory that was used before costs less than what is new. */
	const size_t window = call->rows ? 16 : 128;
	/* The role of a mapping follows from the whole list. */
	const size_t batch =
		call->rows && !(flags & (VMT_SOURCE_BIT(ROLE) | VMT_SOURCE_BIT(NUMA))) ? 1024 : 0;
	uint64_t t0 = vmt_now_ns(CLOCK_MONOTONIC);
	struct vmt_sample *s = call->s;
	size_t i, k;
	int r = 0;

	call->sources = choose_sources(s, flags);
	if (!n || (!call->sources && !call->rows))
		return 0;
	if (call->sources & VMT_SOURCE_BIT(ROLLUP) && rollup_loses(call->c, s)) {
		call->rollup_loses = true;
		if (!s->host.root.len)
			s->sources[VMT_SOURCE_ROLLUP].doubts |= VMT_DOUBT_LOSES;
	}
	read_map_limit(call);
	if (!s->maps) {
		s->maps = vmt_arena_alloc(&s->arena, s->n_procs, sizeof(*s->maps));
		if (!s->maps)
			return vmt_err_set(err, -ENOMEM, NULL, 0, "out of memory");
	}
	for (i = 0; r == 0 && !call->error && i < n; i += k) {
		k = n - i < window ? n - i : window;
		call->indices = &indices[i];
		call->indices_done = 0;
		if (call->sources)
			r = run_jobs(call, flags, batch, &indices[i], k);
		while (r == 0 && call->rows && !call->error && call->indices_done < k)
			last_rows(call, indices[i + call->indices_done], NULL, 0);
	}
	if (r < 0)
		return vmt_err_set(err, r, NULL, 0, "out of memory");
	settle(s, call->sources);
	if (!s->host.root.len)
		s->host.took_ns += vmt_now_ns(CLOCK_MONOTONIC) - t0;
	return call->error;
}

int vmt_collect_procs(struct vmt_collector *c, struct vmt_sample *s, uint64_t sources,
		      const size_t *indices, size_t n, struct vmt_err *err)
{
	struct call call = { .c = c, .s = s };

	return collect(&call, sources, indices, n, err);
}

int vmt_collect_rows(struct vmt_collector *c, struct vmt_sample *s, uint64_t sources,
		     const size_t *indices, size_t n, vmt_rows_fn *fn, void *arg,
		     struct vmt_err *err)
{
	struct call call = { .c = c, .s = s, .rows = fn, .arg = arg };

	return collect(&call, sources, indices, n, err);
}
