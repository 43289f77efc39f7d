/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>

#include "base/fmt.h"
#include "source/collect-private.h"
#include "source/pids.h"

/* Descriptors that are left for all else where directories of processes are held. */
#define FDS_LEFT 128
/* Processes whose files stay open: each of two files keeps about 5 KiB in the kernel, most of it
 * the buffer of the read before. */
#define KEEP_MAX 1024
/* Processes that are read at a time: what the kernel touches for one of their files is still in the
 * caches for the next one, and the clock of a source, which is a system call, is read once for all
 * of them. */
#define AT_A_TIME ((size_t)16)

/* One process while its files are read. Its row is the one of the same number in the sample. */
struct entry {
	uint64_t pid;
	int fd; /* its directory, -1 where it is read by number */
	int code; /* 0, or why there is no row */
	enum vmt_source_id failed; /* by which source */
	struct vmt_kept_files kept;
	bool known; /* it was there in the sample before */
	bool recalled; /* stat is what it said then */
	struct vmt_pid_facts facts;
	const char *hint;
};

struct list {
	const struct vmt_list_opts *opts;
	const struct vmt_root *root;
	struct vmt_sample *s;
	uint64_t files; /* of VMT_PID_FILES */
	struct entry *entries;
	struct vmt_proc *procs;
	size_t n;
	struct vmt_buf buf;
	bool keep;
	bool hidden; /* hidepid=noaccess keeps the files of some processes back */
	uint64_t begun_ns; /* CLOCK_BOOTTIME */
	uint64_t now_ns; /* CLOCK_MONOTONIC, after the file read last */
	uint64_t last_uid;
	struct vmt_bytes last_user; /* in the arena; empty before the first */
};

static void close_kept(struct vmt_kept_files *kept)
{
	vmt_closep(&kept->status);
	vmt_closep(&kept->statm);
	vmt_closep(&kept->stat);
	kept->status = kept->statm = kept->stat = -1;
	vmt_kept_forget(kept);
}

void vmt_kept_done(struct vmt_kept *kept)
{
	size_t i;

	for (i = 0; i < kept->n; i++)
		close_kept(&kept->procs[i]);
	free(kept->procs);
	*kept = (struct vmt_kept){ 0 };
}

void vmt_held_done(struct vmt_held *held)
{
	size_t i;

	for (i = 0; i < held->n; i++)
		vmt_closep(&held->dirs[i].fd);
	free(held->dirs);
	*held = (struct vmt_held){ 0 };
}

int vmt_held_take(struct vmt_held *held, uint64_t pid)
{
	size_t lo = 0, hi = held->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (held->dirs[mid].pid < pid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < held->n && held->dirs[lo].pid == pid ? VMT_STEAL_FD(held->dirs[lo].fd) : -1;
}

/* The user's name, or the number as text. Neighbours are often of one user. */
static int name_user(struct list *l, struct vmt_proc *p)
{
	int r;

	if (!VMT_HAS(proc, uid, p))
		return 0;
	if (l->last_user.len == 0 || l->last_uid != p->uid) {
		r = vmt_users_text(l->opts->users, p->uid, &l->s->arena, &l->last_user);
		if (r < 0)
			return r;
		l->last_uid = p->uid;
	}
	VMT_SET(proc, user, p, l->last_user);
	return 0;
}

static const char *keep_text(struct vmt_sample *s, const char *text)
{
	return text[0] ? vmt_arena_copy(&s->arena, text, strlen(text)) : NULL;
}

/* Where the open file of that source is kept; NULL where it is not. */
static int *kept_file(const struct list *l, size_t i, enum vmt_source_id source)
{
	struct vmt_kept_files *kept = &l->entries[i].kept;

	if (!l->keep || i >= KEEP_MAX)
		return NULL;
	return source == VMT_SOURCE_STATUS  ? &kept->status
	       : source == VMT_SOURCE_STATM ? &kept->statm
	       : source == VMT_SOURCE_STAT  ? &kept->stat
					    : NULL;
}

static int read_entry(struct list *l, size_t i, enum vmt_source_id source)
{
	struct entry *e = &l->entries[i];
	struct vmt_proc *p = &l->procs[i];
	bool needs_text = source == VMT_SOURCE_CGROUP || !VMT_HAS(proc, comm, p);
	struct vmt_arena *arena = needs_text ? &l->s->arena : NULL;
	int dir_fd = e->fd >= 0 ? e->fd : l->root->proc_fd;
	int *keep = kept_file(l, i, source);
	bool was_open = keep && *keep >= 0;
	const char *path = vmt_source_name(source);
	struct vmt_err err = { 0 };
	char below[32];
	int r;

	/* The name of a file that is open matters only where its process has ended. */
	if (e->fd < 0 && !was_open) {
		snprintf(below, sizeof(below), "%" PRIu64 "/%s", e->pid, path);
		path = below;
	}
	r = vmt_pid_read_file(l->root, dir_fd, path, keep, source, &l->buf, arena, p, &e->facts,
			      &err);
	if (r == -ESRCH && was_open) {
		/* That one has ended. Another one may have its number by now. */
		close_kept(&e->kept);
		snprintf(below, sizeof(below), "%" PRIu64 "/%s", e->pid, path);
		r = vmt_pid_read_file(l->root, dir_fd, below, keep, source, &l->buf, arena, p,
				      &e->facts, &err);
	}
	if (r == -ENOMEM)
		return r;
	e->code = r;
	e->failed = source;
	e->hint = r < 0 ? keep_text(l->s, err.text) : NULL;
	return 0;
}

static int compare_entry(const void *key, const void *entry)
{
	uint64_t pid = *(const uint64_t *)key, other = ((const struct entry *)entry)->pid;

	return pid < other ? -1 : pid > other;
}

/* stat, out of what it said the last time where the process has not run since. */
static int read_stat(struct list *l, size_t i)
{
	struct entry *e = &l->entries[i];
	struct vmt_proc *p = &l->procs[i];
	char ran[VMT_KEPT_RAN_MAX];
	size_t n = 0;
	int r;

	/* Many processes are gone before the second look. */
	if (l->keep && i < KEEP_MAX && e->known && !e->kept.runs)
		n = vmt_kept_ran(l->root->proc_fd, &e->kept, ran);
	/* One that was running may run on, on a CPU without a tick, where nothing counts it. */
	if (n && e->kept.last && e->kept.last->ran_len == n &&
	    memcmp(e->kept.last->ran, ran, n) == 0 && !vmt_bytes_is(e->kept.last->state, "R")) {
		e->recalled = true;
		e->facts.stat.reads++;
		e->facts.stat.bytes += n;
		return vmt_kept_recall(e->kept.last, VMT_HAS(proc, comm, p) ? NULL : &l->s->arena,
				       p, &e->facts);
	}
	r = read_entry(l, i, VMT_SOURCE_STAT);
	if (r == 0 && e->code == 0 && e->known)
		vmt_kept_remember(&e->kept, ran, n, p, &e->facts);
	return r;
}

/* A process whose parent has ended has another one, without having run; also while its parent is a
 * zombie. Those of which that may be are read after all. */
static int read_orphans(struct list *l)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		struct entry *e = &l->entries[i];
		struct vmt_proc *p = &l->procs[i];
		const struct entry *up;
		int r;

		if (!e->recalled || e->code < 0 || !VMT_HAS(proc, ppid, p) || !p->ppid)
			continue;
		up = bsearch(&p->ppid, l->entries, l->n, sizeof(*up), compare_entry);
		if (up && up->code == 0) {
			const struct vmt_proc *q = &l->procs[up - l->entries];

			if (VMT_HAS(proc, state, q) && !vmt_bytes_is(q->state, "Z") &&
			    !vmt_bytes_is(q->state, "X") && VMT_HAS(proc, start_time_ns, q) &&
			    q->start_time_ns <= p->start_time_ns)
				continue;
		}
		vmt_kept_forget(&e->kept);
		r = read_entry(l, i, VMT_SOURCE_STAT);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_timed(struct list *l, size_t i, enum vmt_source_id source)
{
	struct vmt_source_stat *st = &l->s->sources[source];
	struct vmt_proc *p = &l->procs[i];
	uint64_t before = l->now_ns;
	int r = source == VMT_SOURCE_STAT ? read_stat(l, i) : read_entry(l, i, source);

	l->now_ns = vmt_now_ns(CLOCK_MONOTONIC);
	if (l->now_ns - before > st->longest_ns)
		st->longest_ns = l->now_ns - before;
	if (l->root->live) {
		if (!VMT_HAS(proc, read_start_ns, p))
			VMT_SET(proc, read_start_ns, p, before);
		VMT_SET(proc, read_end_ns, p, l->now_ns);
	}
	return r;
}

/* One file of the processes from one to another, so that the time it takes is that source's. */
static int read_some(struct list *l, enum vmt_source_id source, size_t from, size_t to)
{
	struct vmt_source_stat *st = &l->s->sources[source];
	uint64_t cpu_ns;
	size_t i;
	int r;

	if (!(l->files >> source & 1))
		return 0;
	cpu_ns = vmt_now_ns(CLOCK_THREAD_CPUTIME_ID);
	l->now_ns = vmt_now_ns(CLOCK_MONOTONIC);
	for (i = from; i < to; i++) {
		if (l->entries[i].code < 0)
			continue;
		r = read_timed(l, i, source);
		if (r < 0)
			return r;
	}
	st->cpu_ns += vmt_now_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_ns;
	return 0;
}

/*
 * Files that are found by number can be of two processes, as a number can come back within the
 * scan. But where stat, which is read last, shows a process that is older than this scan, the other
 * files were its as well: it had the number all the time.
 */
static bool is_of_one_process(const struct list *l, const struct entry *e, const struct vmt_proc *p)
{
	uint64_t tick = l->root->user_hz ? 1000000000 / l->root->user_hz : UINT64_MAX / 2;

	if (!l->root->live || e->fd >= 0 || (l->files & (l->files - 1)) == 0)
		return true;
	return VMT_HAS(proc, start_time_ns, p) && p->start_time_ns + tick <= l->begun_ns;
}

/*
 * Where the files that were read are not enough to know what it is: something without an address
 * space is a kernel thread, a zombie, or at its end. Linux 6.8 and later say the first in status,
 * all say it in stat.
 */
static bool is_unclear(const struct entry *e, const struct vmt_proc *p)
{
	return e->facts.has_status && !e->facts.has_mm && !e->facts.told_kthread &&
	       !(VMT_HAS(proc, state, p) && vmt_bytes_is(p->state, "Z"));
}

static int read_again(struct list *l, size_t i)
{
	struct entry *e = &l->entries[i];
	struct vmt_pid_facts facts = { 0 };
	struct vmt_proc *p = &l->procs[i];
	struct vmt_err err = { 0 };
	uint64_t files = l->files;
	int r;

	if (is_unclear(e, p))
		files |= VMT_SOURCE_BIT(STAT);
	*p = (struct vmt_proc){ 0 };
	/* What is open may be of one that came too late. */
	vmt_closep(&e->fd);
	e->fd = -1;
	close_kept(&e->kept);
	if (l->root->live)
		VMT_SET(proc, read_start_ns, p, vmt_now_ns(CLOCK_MONOTONIC));
	r = vmt_pid_read(l->root, e->pid, files, &l->s->arena, p, &facts, &err);
	if (r == -ENOMEM)
		return r;
	e->code = r;
	e->failed = VMT_SOURCE_STAT;
	e->hint = r < 0 ? keep_text(l->s, err.text) : NULL;
	if (r == 0 && facts.headless < 0 && facts.headless != -ESRCH)
		vmt_sample_failed(l->s, VMT_SOURCE_STATUS, e->pid,
				  VMT_HAS(proc, comm, p) ? p->comm : (struct vmt_bytes){ 0 },
				  facts.headless, "no thread says what it uses");
	e->facts.status.reads += facts.status.reads;
	e->facts.status.bytes += facts.status.bytes;
	e->facts.stat.reads += facts.stat.reads;
	e->facts.stat.bytes += facts.stat.bytes;
	e->facts.statm.reads += facts.statm.reads;
	e->facts.statm.bytes += facts.statm.bytes;
	e->facts.cgroup.reads += facts.cgroup.reads;
	e->facts.cgroup.bytes += facts.cgroup.bytes;
	if (l->root->live)
		VMT_SET(proc, read_end_ns, p, vmt_now_ns(CLOCK_MONOTONIC));
	return 0;
}

static void add_cost(struct vmt_sample *s, enum vmt_source_id id, const struct vmt_pid_cost *cost)
{
	s->sources[id].reads += cost->reads;
	s->sources[id].bytes += cost->bytes;
}

static void note_facts(struct list *l, const struct vmt_pid_facts *facts)
{
	struct vmt_source_stat *st = &l->s->sources[VMT_SOURCE_STATUS];

	add_cost(l->s, VMT_SOURCE_STATUS, &facts->status);
	add_cost(l->s, VMT_SOURCE_STAT, &facts->stat);
	add_cost(l->s, VMT_SOURCE_STATM, &facts->statm);
	add_cost(l->s, VMT_SOURCE_CGROUP, &facts->cgroup);
	if (facts->no_cgroup) {
		struct vmt_source_stat *cgroup = &l->s->sources[VMT_SOURCE_CGROUP];

		cgroup->error = -ENOENT;
		if (cgroup->reads == 0)
			snprintf(cgroup->reason, sizeof(cgroup->reason), "%s",
				 l->root->live ? "this kernel has no cgroups"
					       : "not in this recording");
		else
			cgroup->reason[0] = 0;
	}
	if (facts->unknown_keys > st->unknown_keys)
		st->unknown_keys = facts->unknown_keys;
}

/* Makes a row of what was read of process i, or a note of why there is none. */
static int settle_entry(struct list *l, size_t i)
{
	struct entry *e = &l->entries[i];
	struct vmt_proc *p = &l->procs[i];
	struct vmt_sample *s = l->s;
	int r;

	if (e->code == 0) {
		const uint64_t memory = VMT_SOURCE_BIT(STATUS) | VMT_SOURCE_BIT(STATM);
		bool headless = vmt_pid_is_headless(p) && l->files & memory;

		if (headless || !is_of_one_process(l, e, p) || is_unclear(e, p)) {
			r = read_again(l, i);
			if (r < 0)
				return r;
		} else {
			vmt_pid_settle(p, &e->facts);
		}
	}
	note_facts(l, &e->facts);
	/* Who was named and never was there is not missed. */
	if (e->code == -ESRCH && l->opts->pids &&
	    e->facts.status.reads + e->facts.stat.reads + e->facts.statm.reads == 0)
		return 0;
	s->procs_seen++;
	if (e->code < 0) {
		/* All may read status and stat but for that option (fs/proc/base.c,
		 * proc_pid_permission()), whose error is not that of a mode. */
		l->hidden |= e->code == -EPERM;
		vmt_sample_failed(s, e->failed, e->pid, (struct vmt_bytes){ 0 }, e->code, e->hint);
		return 0;
	}
	r = name_user(l, p);
	if (r < 0)
		return r;
	VMT_SET(proc, pid, p, e->pid);
	s->procs[s->n_procs++] = *p;
	return 0;
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The ids that the caller named, sorted, each once. */
static int copy_pids(const uint64_t *pids, size_t n, uint64_t **ret, size_t *ret_n)
{
	uint64_t *copy = calloc(n ? n : 1, sizeof(*copy));
	size_t i, m = 0;

	if (!copy)
		return -ENOMEM;
	if (n) {
		memcpy(copy, pids, n * sizeof(*copy));
		qsort(copy, n, sizeof(*copy), compare_u64);
	}
	for (i = 0; i < n; i++)
		if (m == 0 || copy[m - 1] != copy[i])
			copy[m++] = copy[i];
	*ret = copy;
	*ret_n = m;
	return 0;
}

static int make_entries(struct list *l, const uint64_t *pids, size_t n)
{
	size_t i;

	l->entries = calloc(n ? n : 1, sizeof(*l->entries));
	if (!l->entries)
		return -ENOMEM;
	l->n = n;
	for (i = 0; i < n; i++) {
		l->entries[i].pid = pids[i];
		l->entries[i].fd = -1;
		l->entries[i].kept =
			(struct vmt_kept_files){ pids[i], -1, -1, -1, -1, NULL, false };
	}
	/* Rows are moved down over those that ended; the two begin at the same place. */
	l->procs = l->s->procs = vmt_arena_alloc(&l->s->arena, n ? n : 1, sizeof(*l->procs));
	return l->procs ? 0 : -ENOMEM;
}

/* How many directories may be held: raises the soft limit, which nothing here depends on, as far as
 * the hard one. */
static size_t may_hold(size_t want)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) < 0)
		return 0;
	if (rl.rlim_cur < want + FDS_LEFT && rl.rlim_cur < rl.rlim_max) {
		rl.rlim_cur = rl.rlim_max < want + FDS_LEFT ? rl.rlim_max : want + FDS_LEFT;
		if (setrlimit(RLIMIT_NOFILE, &rl) < 0)
			return 0;
	}
	if (rl.rlim_cur <= FDS_LEFT)
		return 0;
	return rl.rlim_cur - FDS_LEFT < want ? rl.rlim_cur - FDS_LEFT : want;
}

/* Their files, and before them the directories of those of which the number is below held: others
 * are read by number. */
static int read_files(struct list *l, size_t held, size_t from, size_t to)
{
	/* stat last: see is_of_one_process(). */
	static const enum vmt_source_id order[] = { VMT_SOURCE_STATUS, VMT_SOURCE_CGROUP,
						    VMT_SOURCE_STATM, VMT_SOURCE_STAT };
	size_t i;
	int r = 0;

	for (i = from; i < to && i < held; i++)
		l->entries[i].fd = vmt_root_open_pid(l->root, l->entries[i].pid);
	for (i = 0; r == 0 && i < VMT_ARRAY_LEN(order); i++)
		r = read_some(l, order[i], from, to);
	return r;
}

/* Gives the directories of those that have a row to the collector, and closes the others. */
static int hold_dirs(struct list *l, bool keep)
{
	struct vmt_held *held = l->opts->hold;
	size_t i, k = 0;

	if (keep) {
		held->dirs = calloc(l->n ? l->n : 1, sizeof(*held->dirs));
		keep = held->dirs != NULL;
	}
	for (i = 0; i < l->n; i++) {
		struct entry *e = &l->entries[i];

		while (k < l->s->n_procs && l->s->procs[k].pid < e->pid)
			k++;
		if (keep && e->fd >= 0 && k < l->s->n_procs && l->s->procs[k].pid == e->pid &&
		    VMT_HAS(proc, class, &l->s->procs[k]) &&
		    vmt_bytes_is(l->s->procs[k].class, "user"))
			held->dirs[held->n++] =
				(struct vmt_held_dir){ e->pid, VMT_STEAL_FD(e->fd) };
		vmt_closep(&e->fd);
	}
	return 0;
}

/* Takes over what the sample before left open. */
static void take_kept(struct list *l)
{
	struct vmt_kept *kept = l->opts->keep;
	size_t i, k = 0, want;

	for (i = 0; l->keep && i < kept->n; i++) {
		while (k < l->n && l->entries[k].pid < kept->procs[i].pid)
			k++;
		if (k == l->n || l->entries[k].pid != kept->procs[i].pid || k >= KEEP_MAX)
			continue;
		l->entries[k].kept = kept->procs[i];
		l->entries[k].known = true;
		kept->procs[i] =
			(struct vmt_kept_files){ kept->procs[i].pid, -1, -1, -1, -1, NULL, false };
	}
	vmt_kept_done(kept);
	want = 3 * (l->n < KEEP_MAX ? l->n : KEEP_MAX);
	l->keep = l->keep && may_hold(want) == want;
}

/* Whether there is a file to keep. What was not read this time would only take memory. */
static bool is_kept(const struct list *l, struct vmt_kept_files *kept)
{
	if (!(l->files & VMT_SOURCE_BIT(STATUS))) {
		vmt_closep(&kept->status);
		kept->status = -1;
	}
	if (!(l->files & VMT_SOURCE_BIT(STATM))) {
		vmt_closep(&kept->statm);
		kept->statm = -1;
	}
	if (!(l->files & VMT_SOURCE_BIT(STAT))) {
		vmt_closep(&kept->stat);
		kept->stat = -1;
		vmt_kept_forget(kept);
	}
	return kept->status >= 0 || kept->statm >= 0 || kept->stat >= 0 || kept->schedstat >= 0;
}

/* Leaves the files of those that have a row to the next sample. */
static void leave_kept(struct list *l)
{
	struct vmt_kept *kept = l->opts->keep;
	size_t i, k = 0;

	if (l->keep)
		kept->procs = calloc(l->n ? l->n : 1, sizeof(*kept->procs));
	for (i = 0; i < l->n; i++) {
		struct entry *e = &l->entries[i];

		while (k < l->s->n_procs && l->s->procs[k].pid < e->pid)
			k++;
		if (kept->procs && e->code == 0 && k < l->s->n_procs &&
		    l->s->procs[k].pid == e->pid && is_kept(l, &e->kept))
			kept->procs[kept->n++] = e->kept;
		else
			close_kept(&e->kept);
	}
}

static int read_list(struct list *l, bool hold)
{
	size_t held = 0, i, to;
	int r = 0;

	take_kept(l);
	if (hold)
		held = may_hold(l->n);
	for (i = 0; r == 0 && i < l->n; i = to) {
		to = l->n - i < AT_A_TIME ? l->n : i + AT_A_TIME;
		r = read_files(l, held, i, to);
	}
	if (r == 0)
		r = read_orphans(l);
	for (i = 0; r == 0 && i < l->n; i++)
		r = settle_entry(l, i);
	hold_dirs(l, hold && r == 0);
	leave_kept(l);
	return r;
}

int vmt_collect_list(const struct vmt_list_opts *opts, struct vmt_sample *s)
{
	struct vmt_source_stat *st = &s->sources[VMT_SOURCE_PIDS];
	struct list l = { .opts = opts, .root = opts->root, .s = s };
	VMT_AUTO_FREE uint64_t *pids = NULL;
	struct vmt_meter m = vmt_meter_begin();
	struct vmt_err err = { 0 };
	size_t n = 0;
	int r;

	l.files = opts->sources & VMT_PID_FILES;
	l.keep = opts->root->live && opts->sources & VMT_COLLECT_KEEP;
	if (!(l.files & ~VMT_SOURCE_BIT(CGROUP)))
		l.files |= VMT_SOURCE_BIT(STATUS) | VMT_SOURCE_BIT(STAT);
	l.begun_ns = opts->root->live ? vmt_now_ns(CLOCK_BOOTTIME) : 0;
	r = opts->pids ? copy_pids(opts->pids, opts->n_pids, &pids, &n)
		       : vmt_pids_list(opts->root, &pids, &n, &err);
	if (r < 0)
		return vmt_machine_failed(s, VMT_SOURCE_PIDS, r, &err);
	st->reads++;
	/* A directory has no bytes to count. */
	st->bytes_unknown = true;
	vmt_meter_end(&m, st);
	r = make_entries(&l, pids, n);
	if (r == 0)
		r = read_list(&l, opts->root->live && opts->sources & VMT_COLLECT_HOLD);
	vmt_buf_done(&l.buf);
	free(l.entries);
	if (r < 0)
		return r;
	if (opts->pids)
		return 0;
	if (opts->root->live && (n == 0 || pids[0] != 1 || l.hidden)) {
		/* Every PID namespace has a process 1; one that is not listed is hidden, and with
		 * it those of all other users (proc(5), hidepid). */
		st->state = VMT_STATE_PARTIAL;
		snprintf(st->reason, sizeof(st->reason),
			 "processes of other users are hidden (hidepid)");
	}
	VMT_SET(system, processes_total, &s->system, s->procs_seen - s->vanished);
	return 0;
}
