/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/collect-private.h"

#include <errno.h>
#include <stdio.h>

#include "base/fmt.h"
#include "base/parse.h"
#include "source/machine.h"
#include "source/pids.h"
#include "source/proc-job.h"
#include "source/procps.h"
#include "source/reader.h"
#include "source/root.h"
#include "source/users.h"

#define MACHINE_FILE_MAX ((size_t)16 * 1024 * 1024)

struct vmt_collector {
	struct vmt_proc_shared *shared; /* and the root in it */
	struct vmt_users users;
	struct vmt_pool *pool;
	struct vmt_procps *procps; /* NULL but on the live machine */
	/* Which keys this kernel has, by one look of our own readers: libproc2 cannot say. */
	struct vmt_system has;
	bool has_meminfo;
	bool has_vmstat;
	uint64_t meminfo_unknown;
	uint64_t deadline_ns;
	struct vmt_stuck_list stuck;
};

/* The cost of a cheap source, measured around its read. */
struct meter {
	uint64_t cpu_ns;
	uint64_t wall_ns;
};

static struct meter meter_begin(void)
{
	return (struct meter){ vmt_now_ns(CLOCK_THREAD_CPUTIME_ID), vmt_now_ns(CLOCK_MONOTONIC) };
}

static void meter_end(const struct meter *m, struct vmt_source_stat *st)
{
	uint64_t wall = vmt_now_ns(CLOCK_MONOTONIC) - m->wall_ns;

	st->cpu_ns += vmt_now_ns(CLOCK_THREAD_CPUTIME_ID) - m->cpu_ns;
	if (wall > st->longest_ns)
		st->longest_ns = wall;
}

static int64_t slurp_machine(const struct vmt_collector *c, const char *name, struct vmt_buf *buf)
{
	return vmt_slurp_at(c->shared->root->proc_fd, name, buf, MACHINE_FILE_MAX);
}

static struct vmt_bytes text_of(const struct vmt_buf *buf)
{
	return (struct vmt_bytes){ buf->data, buf->len };
}

static void look_at_keys(struct vmt_collector *c)
{
	VMT_AUTO_BUF buf = { 0 };

	c->has_meminfo = slurp_machine(c, "meminfo", &buf) > 0 &&
			 vmt_meminfo_parse(text_of(&buf), &c->has, &c->meminfo_unknown, NULL) == 0;
	/* Where a container shows less memory than the host has available, libproc2 puts free in
	 * its place. That is no estimate of the kernel. */
	if (VMT_HAS(system, available_bytes, &c->has) && VMT_HAS(system, total_bytes, &c->has) &&
	    c->has.available_bytes > c->has.total_bytes)
		VMT_UNSET(system, available_bytes, &c->has);
	vmt_buf_clear(&buf);
	c->has_vmstat = slurp_machine(c, "vmstat", &buf) > 0 &&
			vmt_vmstat_parse(text_of(&buf), &c->has, NULL) == 0;
}

int vmt_collector_new(const struct vmt_collect_opts *opts, struct vmt_collector **ret,
		      struct vmt_err *err)
{
	const struct vmt_pool_opts pool = { .readers = opts->readers,
					    .stuck_max = opts->stuck_max,
					    .timeout_ns = opts->read_timeout_ns };
	struct vmt_collector *c;
	struct vmt_root *root;
	int r;

	r = vmt_root_open(opts->root, &root, err);
	if (r < 0)
		return r;
	c = calloc(1, sizeof(*c));
	if (!c) {
		vmt_root_unref(root);
		return vmt_err_set(err, -ENOMEM, NULL, 0, "out of memory");
	}
	c->deadline_ns = opts->deadline_ns;
	c->shared = vmt_proc_shared_new(root);
	r = c->shared ? 0 : -ENOMEM;
	if (r == 0)
		r = vmt_users_load(&c->users, root);
	if (r == 0)
		r = vmt_pool_new(&pool, &c->pool);
	if (r < 0) {
		vmt_collector_free(c);
		return vmt_err_set(err, r, NULL, 0, "out of memory");
	}
	if (root->live) {
		r = vmt_procps_new(&c->procps, err);
		if (r < 0) {
			vmt_collector_free(c);
			return r;
		}
		look_at_keys(c);
	}
	*ret = c;
	return 0;
}

void vmt_collector_free(struct vmt_collector *c)
{
	size_t i;

	if (!c)
		return;
	for (i = 0; i < c->stuck.n; i++)
		vmt_job_unref(c->stuck.items[i].job);
	free(c->stuck.items);
	vmt_procps_free(c->procps);
	vmt_pool_free(c->pool);
	vmt_users_done(&c->users);
	vmt_proc_shared_unref(c->shared);
	free(c);
}

void vmt_collector_set_deadline(struct vmt_collector *c, uint64_t deadline_ns)
{
	c->deadline_ns = deadline_ns;
}

static int keep_text(struct vmt_sample *s, const char *text, struct vmt_bytes *ret)
{
	size_t n = strlen(text);
	const char *p = vmt_arena_copy(&s->arena, text, n);

	if (!p)
		return -ENOMEM;
	*ret = (struct vmt_bytes){ p, n };
	return 0;
}

static int fill_host(const struct vmt_collector *c, struct vmt_sample *s)
{
	const struct vmt_root *root = c->shared->root;
	struct vmt_host *h = &s->host;
	int r;

	h->realtime_ns = root->live ? vmt_now_ns(CLOCK_REALTIME) : root->realtime_ns;
	h->monotonic_ns = root->live ? vmt_now_ns(CLOCK_MONOTONIC) : root->monotonic_ns;
	h->boottime_ns = root->live ? vmt_now_ns(CLOCK_BOOTTIME) : root->boottime_ns;
	h->page_size = root->page_size;
	h->user_hz = root->user_hz;
	h->cpus = root->cpus;
	h->euid = root->euid;
	r = keep_text(s, root->boot_id, &h->boot_id);
	if (r == 0)
		r = keep_text(s, root->release, &h->release);
	if (r == 0)
		r = keep_text(s, root->machine, &h->machine);
	if (r == 0)
		r = keep_text(s, root->path, &h->root);
	return r;
}

/* Notes the failure of a source about the machine; what is no fault of the source is returned. */
static int machine_failed(struct vmt_sample *s, enum vmt_source_id id, int r,
			  const struct vmt_err *err)
{
	struct vmt_source_stat *st = &s->sources[id];

	if (r == -ENOMEM)
		return r;
	snprintf(st->reason, sizeof(st->reason), "%.100s%s%s", err->text[0] ? err->text : "",
		 err->text[0] ? ": " : "", vmt_errno_name(r));
	if (r == -ENOENT) {
		/* A kernel, container or recording without it: the state of the source says so. */
		snprintf(st->reason, sizeof(st->reason), "%s does not exist", vmt_source_what(id));
		st->error = r;
		return 0;
	}
	vmt_sample_failed(s, id, 0, (struct vmt_bytes){ 0 }, r, NULL);
	return 0;
}

static int parse_machine(const struct vmt_collector *c, enum vmt_source_id id,
			 struct vmt_bytes text, struct vmt_sample *s, struct vmt_err *err)
{
	switch (id) {
	case VMT_SOURCE_MEMINFO:
		return vmt_meminfo_parse(text, &s->system, &s->sources[id].unknown_keys, err);
	case VMT_SOURCE_VMSTAT:
		return vmt_vmstat_parse(text, &s->system, err);
	case VMT_SOURCE_ZONEINFO:
		return vmt_zoneinfo_parse(text, c->shared->root->page_size, &s->system, err);
	default:
		return -EINVAL;
	}
}

static int collect_machine(const struct vmt_collector *c, enum vmt_source_id id, const char *name,
			   struct vmt_sample *s)
{
	struct vmt_source_stat *st = &s->sources[id];
	struct meter m = meter_begin();
	struct vmt_err err = { 0 };
	int r;

	if (c->procps && id == VMT_SOURCE_MEMINFO && c->has_meminfo) {
		r = vmt_procps_meminfo(c->procps, &c->has, &s->system, &err);
		st->unknown_keys = c->meminfo_unknown;
		st->bytes_unknown = true;
	} else if (c->procps && id == VMT_SOURCE_VMSTAT && c->has_vmstat) {
		r = vmt_procps_vmstat(c->procps, &c->has, &s->system, &err);
		st->bytes_unknown = true;
	} else {
		VMT_AUTO_BUF buf = { 0 };
		int64_t n = slurp_machine(c, name, &buf);

		r = n < 0 ? (int)n : parse_machine(c, id, text_of(&buf), s, &err);
		if (n > 0)
			st->bytes += (uint64_t)n;
	}
	meter_end(&m, st);
	if (r < 0)
		return machine_failed(s, id, r, &err);
	st->reads++;
	return 0;
}

/* The user's name, or the number as text. */
static int name_user(const struct vmt_collector *c, struct vmt_sample *s, struct vmt_proc *p)
{
	const struct vmt_user *user;
	struct vmt_bytes name;
	char number[24];
	const char *copy;

	if (!VMT_HAS(proc, uid, p))
		return 0;
	user = vmt_users_find(&c->users, p->uid);
	if (user) {
		name = user->name;
	} else {
		int n = snprintf(number, sizeof(number), "%llu", (unsigned long long)p->uid);

		name = (struct vmt_bytes){ number, (size_t)n };
	}
	copy = vmt_arena_copy(&s->arena, name.ptr, name.len);
	if (!copy)
		return -ENOMEM;
	VMT_SET(proc, user, p, ((struct vmt_bytes){ copy, name.len }));
	return 0;
}

/* Processes being gathered. */
struct gather {
	const struct vmt_collector *c;
	struct vmt_sample *s;
	size_t cap; /* of s->procs */
	bool named; /* the caller named them; one that never was there is not missed */
	bool failed; /* there is no list: nothing follows from who is not in it */
};

static void note_facts(struct gather *g, const struct vmt_pid_facts *facts)
{
	struct vmt_source_stat *st = &g->s->sources[VMT_SOURCE_PIDS];

	st->reads += facts->reads;
	st->bytes += facts->bytes;
	if (facts->unknown_keys > st->unknown_keys)
		st->unknown_keys = facts->unknown_keys;
}

/* Reads one process by our own readers, into the next free row. */
static int gather_own(struct gather *g, uint64_t pid)
{
	struct vmt_pid_facts facts = { 0 };
	struct vmt_err err = { 0 };
	struct vmt_proc p = { 0 };
	const char *hint;
	int r;

	r = vmt_pid_read(g->c->shared->root, pid, &g->s->arena, &p, &facts, &err);
	if (r == -ENOMEM)
		return r;
	if (r == -ESRCH && g->named && facts.reads == 0)
		return 0;
	g->s->procs_seen++;
	note_facts(g, &facts);
	if (r < 0) {
		hint = err.text[0] ? vmt_arena_copy(&g->s->arena, err.text, strlen(err.text))
				   : NULL;
		vmt_sample_failed(g->s, VMT_SOURCE_PIDS, pid, (struct vmt_bytes){ 0 }, r, hint);
		return 0;
	}
	r = name_user(g->c, g->s, &p);
	if (r < 0)
		return r;
	g->s->procs[g->s->n_procs++] = p;
	return 0;
}

static int gather_root(struct gather *g, const uint64_t *pids, size_t n)
{
	size_t i;
	int r;

	for (i = 0; i < n; i++) {
		r = gather_own(g, pids[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

/* status of a process, read before libproc2 looked. */
struct early {
	uint64_t pid;
	bool ok;
	struct vmt_proc proc;
	struct vmt_pid_facts facts;
};

static int read_early(struct gather *g, const uint64_t *pids, size_t n, struct early *early)
{
	const struct vmt_root *root = g->c->shared->root;
	VMT_AUTO_BUF buf = { 0 };
	size_t i;

	for (i = 0; i < n; i++) {
		struct early *e = &early[i];
		char name[40];
		int64_t got;
		int r;

		e->pid = pids[i];
		snprintf(name, sizeof(name), "%llu/status", (unsigned long long)pids[i]);
		vmt_buf_clear(&buf);
		got = vmt_slurp_at(root->proc_fd, name, &buf, MACHINE_FILE_MAX);
		if (got == -ENOMEM)
			return -ENOMEM;
		if (got <= 0)
			continue;
		e->facts.reads++;
		e->facts.bytes += (uint64_t)got;
		r = vmt_pid_status_parse(text_of(&buf), &g->s->arena, &e->proc, &e->facts, NULL);
		if (r == -ENOMEM)
			return r;
		e->ok = r == 0;
	}
	return 0;
}

/* What status gave goes into the row of libproc2. */
static void merge_early(struct vmt_proc *p, const struct vmt_proc *from)
{
	VMT_COPY(proc, uid, p, from);
	VMT_COPY(proc, comm, p, from);
	VMT_COPY(proc, anonymous_bytes, p, from);
	VMT_COPY(proc, file_bytes, p, from);
	VMT_COPY(proc, shmem_bytes, p, from);
	VMT_COPY(proc, swap_bytes, p, from);
	VMT_COPY(proc, peak_rss_bytes, p, from);
	VMT_COPY(proc, locked_bytes, p, from);
	VMT_COPY(proc, page_table_bytes, p, from);
}

static int find_early(const struct early *early, size_t n, uint64_t pid, size_t *at)
{
	while (*at < n && early[*at].pid < pid)
		++*at;
	return *at < n && early[*at].pid == pid;
}

/*
 * status by our own reader first, then stat and statm of all by libproc2. Both name processes by
 * number alone, and a number can come back within the scan. But a process that was there before
 * the first status was read, and is there when libproc2 looks, was there in between: where its
 * start is older than this scan, both are of the same process. The few that are younger are read
 * again by our own readers, through their directory.
 */
static int gather_live(struct gather *g, const uint64_t *pids, size_t n, bool all)
{
	const struct vmt_root *root = g->c->shared->root;
	VMT_AUTO_FREE struct vmt_procps_row *rows = NULL;
	VMT_AUTO_FREE struct early *early = calloc(n ? n : 1, sizeof(*early));
	struct vmt_source_stat *st = &g->s->sources[VMT_SOURCE_PIDS];
	uint64_t tick = root->user_hz ? 1000000000 / root->user_hz : UINT64_MAX / 2;
	uint64_t begun = vmt_now_ns(CLOCK_BOOTTIME);
	struct vmt_err err = { 0 };
	size_t n_rows = 0, at = 0, i;
	int r;

	if (!early)
		return -ENOMEM;
	r = read_early(g, pids, n, early);
	if (r < 0)
		return r;
	r = vmt_procps_pids(g->c->procps, all ? NULL : pids, n, root->page_size, root->user_hz,
			    &rows, &n_rows, &err);
	if (r < 0) {
		g->failed = true;
		return machine_failed(g->s, VMT_SOURCE_PIDS, r, &err);
	}
	st->bytes_unknown = true;
	st->reads += 2 * n_rows;
	if (n_rows > g->cap) {
		struct vmt_proc *procs = vmt_arena_alloc(&g->s->arena, n_rows, sizeof(*procs));

		if (!procs)
			return -ENOMEM;
		g->s->procs = procs;
		g->cap = n_rows;
	}
	for (i = 0; i < n_rows; i++) {
		struct vmt_procps_row *row = &rows[i];
		bool known = find_early(early, n, row->proc.pid, &at) && early[at].ok;

		if (!known || vmt_pid_is_headless(&row->proc) ||
		    !VMT_HAS(proc, start_time_ns, &row->proc) ||
		    row->proc.start_time_ns + tick > begun) {
			r = gather_own(g, row->proc.pid);
			if (r < 0)
				return r;
			continue;
		}
		g->s->procs_seen++;
		merge_early(&row->proc, &early[at].proc);
		early[at].facts.kthread |= row->facts.kthread;
		early[at].facts.flags = row->facts.flags;
		vmt_pid_settle(&row->proc, &early[at].facts);
		note_facts(g, &early[at].facts);
		r = name_user(g->c, g->s, &row->proc);
		if (r < 0)
			return r;
		g->s->procs[g->s->n_procs++] = row->proc;
	}
	/* Those that were there first and are not any more. */
	for (i = 0, at = 0; i < n; i++) {
		while (at < n_rows && rows[at].proc.pid < pids[i])
			at++;
		if ((at == n_rows || rows[at].proc.pid != pids[i]) && early[i].ok) {
			g->s->procs_seen++;
			vmt_sample_failed(g->s, VMT_SOURCE_PIDS, pids[i], (struct vmt_bytes){ 0 },
					  -ESRCH, NULL);
		}
	}
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

static int collect_pids(const struct vmt_collector *c, const uint64_t *pids, size_t n_pids,
			struct vmt_sample *s)
{
	struct gather g = { .c = c, .s = s, .named = pids != NULL };
	VMT_AUTO_FREE uint64_t *list = NULL;
	struct meter m = meter_begin();
	struct vmt_err err = { 0 };
	size_t n = 0;
	int r;

	r = pids ? copy_pids(pids, n_pids, &list, &n)
		 : vmt_pids_list(c->shared->root, &list, &n, &err);
	if (r == 0 && n) {
		s->procs = vmt_arena_alloc(&s->arena, n, sizeof(*s->procs));
		r = s->procs ? 0 : -ENOMEM;
	}
	g.cap = n;
	if (r == 0) {
		r = c->procps ? gather_live(&g, list, n, !pids) : gather_root(&g, list, n);
	} else {
		g.failed = true;
		r = machine_failed(s, VMT_SOURCE_PIDS, r, &err);
	}
	if (r == 0 && !g.failed && !pids && c->shared->root->live && (n == 0 || list[0] != 1)) {
		/* Every PID namespace has a process 1; one that is not listed is hidden, and with
		 * it those of all other users (proc(5), hidepid). */
		s->sources[VMT_SOURCE_PIDS].state = VMT_STATE_PARTIAL;
		snprintf(s->sources[VMT_SOURCE_PIDS].reason,
			 sizeof(s->sources[VMT_SOURCE_PIDS].reason),
			 "processes of other users are hidden (hidepid)");
	}
	meter_end(&m, &s->sources[VMT_SOURCE_PIDS]);
	if (r == 0 && !g.failed && !pids)
		VMT_SET(system, processes_total, &s->system, s->procs_seen - s->vanished);
	return r;
}

static int collect_all(struct vmt_collector *c, uint32_t sources, const uint64_t *pids,
		       size_t n_pids, struct vmt_sample *s)
{
	int r;

	r = fill_host(c, s);
	/* zoneinfo changes rarely, so it is read before meminfo, which it explains. */
	if (r == 0 && sources & VMT_SOURCE_BIT(ZONEINFO))
		r = collect_machine(c, VMT_SOURCE_ZONEINFO, "zoneinfo", s);
	if (r == 0 && sources & VMT_SOURCE_BIT(MEMINFO))
		r = collect_machine(c, VMT_SOURCE_MEMINFO, "meminfo", s);
	if (r == 0 && sources & VMT_SOURCE_BIT(VMSTAT))
		r = collect_machine(c, VMT_SOURCE_VMSTAT, "vmstat", s);
	if (r == 0 && sources & VMT_SOURCE_BIT(PIDS))
		r = collect_pids(c, pids, n_pids, s);
	return r;
}

int vmt_collect(struct vmt_collector *c, uint32_t sources, const uint64_t *pids, size_t n_pids,
		struct vmt_sample **ret, struct vmt_err *err)
{
	uint64_t t0 = vmt_now_ns(CLOCK_MONOTONIC);
	struct vmt_sample *s = vmt_sample_new();
	int r;

	r = s ? collect_all(c, sources, pids, n_pids, s) : -ENOMEM;
	if (r < 0) {
		vmt_sample_free(s);
		return vmt_err_set(err, r, NULL, 0,
				   r == -ENOMEM ? "out of memory" : "cannot read the machine");
	}
	vmt_sample_settle(s);
	if (c->shared->root->live)
		s->host.took_ns = vmt_now_ns(CLOCK_MONOTONIC) - t0;
	*ret = s;
	return 0;
}

struct vmt_pool *vmt_collector_pool(struct vmt_collector *c)
{
	return c->pool;
}

struct vmt_proc_shared *vmt_collector_shared(struct vmt_collector *c)
{
	return c->shared;
}

uint64_t vmt_collector_deadline(const struct vmt_collector *c)
{
	return c->deadline_ns;
}

struct vmt_stuck_list *vmt_collector_stuck(struct vmt_collector *c)
{
	return &c->stuck;
}
