/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/collect-private.h"

#include <errno.h>
#include <stdio.h>

#include "base/fmt.h"
#include "base/parse.h"
#include "source/machine.h"
#include "source/namespace.h"
#include "source/pids.h"
#include "source/proc-job.h"
#include "source/reader.h"
#include "source/root.h"
#include "source/same-mm.h"
#include "source/users.h"

#define MACHINE_FILE_MAX ((size_t)16 * 1024 * 1024)

struct vmt_collector {
	struct vmt_proc_shared *shared; /* and the root in it */
	struct vmt_users users;
	struct vmt_pool *pool;
	uint64_t deadline_ns;
	uint64_t budget_ns;
	struct vmt_stuck_list stuck;
	struct vmt_held held;
	struct vmt_kept kept;
	struct vmt_kept_rows kept_rows;
};

struct vmt_meter vmt_meter_begin(void)
{
	return (struct vmt_meter){ vmt_now_ns(CLOCK_THREAD_CPUTIME_ID),
				   vmt_now_ns(CLOCK_MONOTONIC) };
}

void vmt_meter_end(const struct vmt_meter *m, struct vmt_source_stat *st)
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
	c->budget_ns = UINT64_MAX;
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
	vmt_held_done(&c->held);
	vmt_kept_done(&c->kept);
	vmt_kept_rows_done(&c->kept_rows);
	vmt_pool_free(c->pool);
	vmt_users_done(&c->users);
	vmt_proc_shared_unref(c->shared);
	free(c);
}

void vmt_collector_set_deadline(struct vmt_collector *c, uint64_t deadline_ns)
{
	c->deadline_ns = deadline_ns;
}

void vmt_collector_set_budget(struct vmt_collector *c, uint64_t budget_ns)
{
	c->budget_ns = budget_ns;
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
	h->pid_namespace = root->live && vmt_in_pid_namespace(root->proc_fd);
	r = keep_text(s, root->boot_id, &h->boot_id);
	if (r == 0)
		r = keep_text(s, root->release, &h->release);
	if (r == 0)
		r = keep_text(s, root->machine, &h->machine);
	if (r == 0)
		r = keep_text(s, root->path, &h->root);
	return r;
}

int vmt_machine_failed(struct vmt_sample *s, enum vmt_source_id id, int r,
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

int vmt_machine_done(struct vmt_sample *s, enum vmt_source_id id, const struct vmt_meter *m,
		     int64_t n, const struct vmt_err *err)
{
	struct vmt_source_stat *st = &s->sources[id];

	vmt_meter_end(m, st);
	/* A file of the machine that is not there is no process that ended. */
	if (n < 0)
		return vmt_machine_failed(s, id, n == -ESRCH ? -ENOENT : (int)n, err);
	st->reads++;
	st->bytes += (uint64_t)n;
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
	struct vmt_meter m = vmt_meter_begin();
	struct vmt_err err = { 0 };
	VMT_AUTO_BUF buf = { 0 };
	int64_t n = slurp_machine(c, name, &buf);
	int r = n < 0 ? (int)n : parse_machine(c, id, text_of(&buf), s, &err);

	if (n > 0)
		st->bytes += (uint64_t)n;
	vmt_meter_end(&m, st);
	if (r < 0)
		return vmt_machine_failed(s, id, r, &err);
	st->reads++;
	return 0;
}

static int collect_all(struct vmt_collector *c, uint64_t sources, const uint64_t *pids,
		       size_t n_pids, struct vmt_sample *s)
{
	int r;

	vmt_held_done(&c->held);
	r = fill_host(c, s);
	/* zoneinfo changes rarely, so it is read before meminfo, which it explains. */
	if (r == 0 && sources & VMT_SOURCE_BIT(ZONEINFO))
		r = collect_machine(c, VMT_SOURCE_ZONEINFO, "zoneinfo", s);
	if (r == 0 && sources & VMT_SOURCE_BIT(MEMINFO))
		r = collect_machine(c, VMT_SOURCE_MEMINFO, "meminfo", s);
	if (r == 0 && sources & VMT_SOURCE_BIT(VMSTAT))
		r = collect_machine(c, VMT_SOURCE_VMSTAT, "vmstat", s);
	if (r == 0 && sources & VMT_SOURCE_BIT(PRESSURE))
		r = vmt_collect_pressure(c->shared->root, s);
	if (r == 0 && sources & VMT_SOURCE_BIT(OVERCOMMIT))
		r = vmt_collect_overcommit(c->shared->root, s);
	if (r == 0 && sources & VMT_SOURCE_BIT(ZRAM))
		r = vmt_collect_zram(c->shared->root, s);
	if (r == 0 && sources & (VMT_SOURCE_BIT(PIDS) | VMT_PID_FILES))
		r = vmt_collect_list(&(struct vmt_list_opts){ .root = c->shared->root,
							      .users = &c->users,
							      .sources = sources,
							      .pids = pids,
							      .n_pids = n_pids,
							      .hold = &c->held,
							      .keep = &c->kept },
				     s);
	if (r == 0 && sources & VMT_SOURCE_BIT(KCMP))
		r = vmt_collect_same_mm(c, s);
	return r;
}

int vmt_collect(struct vmt_collector *c, uint64_t sources, const uint64_t *pids, size_t n_pids,
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

struct vmt_kept_rows *vmt_collector_kept_rows(struct vmt_collector *c)
{
	return &c->kept_rows;
}

const struct vmt_users *vmt_collector_users(const struct vmt_collector *c)
{
	return &c->users;
}

uint64_t vmt_collector_deadline(const struct vmt_collector *c)
{
	return c->deadline_ns;
}

uint64_t vmt_collector_budget(const struct vmt_collector *c)
{
	return c->budget_ns;
}

int vmt_collector_take_dir(struct vmt_collector *c, uint64_t pid)
{
	return vmt_held_take(&c->held, pid);
}

struct vmt_stuck_list *vmt_collector_stuck(struct vmt_collector *c)
{
	return &c->stuck;
}
