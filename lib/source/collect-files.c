/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "source/collect-private.h"
#include "source/pids.h"

/* Files that stay open of processes on a screen; more are not kept. */
#define KEEP_MAX ((size_t)128)

static void close_row(struct vmt_kept_row *row)
{
	vmt_closep(&row->status);
	vmt_closep(&row->cgroup);
}

void vmt_kept_rows_done(struct vmt_kept_rows *kept)
{
	size_t i;

	for (i = 0; i < kept->n; i++)
		close_row(&kept->rows[i]);
	free(kept->rows);
	*kept = (struct vmt_kept_rows){ 0 };
}

/* Closes what was not read for two samples. */
static void drop_unused(struct vmt_kept_rows *kept)
{
	size_t i, n = 0;

	for (i = 0; i < kept->n; i++) {
		if (kept->rows[i].used_ns >= kept->before_ns)
			kept->rows[n++] = kept->rows[i];
		else
			close_row(&kept->rows[i]);
	}
	kept->n = n;
}

/* The open files of that process; NULL where there are none. */
static struct vmt_kept_row *find_row(struct vmt_kept_rows *kept, const struct vmt_proc *p)
{
	size_t i;

	for (i = 0; i < kept->n; i++)
		if (kept->rows[i].pid == p->pid && kept->rows[i].start_time_ns == p->start_time_ns)
			return &kept->rows[i];
	return NULL;
}

/* Fields of those sources alone: counters stay of the moment at which all processes were read. */
static void copy_fields(struct vmt_proc *to, const struct vmt_proc *from, uint64_t sources)
{
	size_t i;

	for (i = 0; i < vmt_entity_proc.n_fields; i++) {
		const struct vmt_field *f = &vmt_entity_proc.fields[i];

		if (sources >> f->source & 1 && vmt_row_has(&from->row, f->index))
			vmt_field_copy(f, to, from);
	}
}

static void add_cost(struct vmt_source_stat *st, const struct vmt_pid_cost *cost)
{
	st->reads += cost->reads;
	st->bytes += cost->bytes;
}

struct files {
	struct vmt_collector *c;
	struct vmt_sample *s;
	const struct vmt_root *root;
	uint64_t sources;
	struct vmt_kept_rows *kept; /* NULL: files do not stay open */
	struct vmt_buf buf;
};

/* Opens the files of a process that was just found to be the one that is meant, if it still is. */
static int keep_row(struct files *f, const struct vmt_proc *p)
{
	VMT_AUTO_CLOSE int fd = vmt_root_open_pid(f->root, p->pid);
	struct vmt_kept_rows *kept = f->kept;
	struct vmt_pid_facts facts = { 0 };
	struct vmt_proc now = { 0 };
	struct vmt_kept_row *row;
	struct vmt_err err = { 0 };

	if (fd < 0 || kept->n >= KEEP_MAX)
		return 0;
	/* The directory is of one process for ever. */
	if (vmt_pid_read_file(f->root, fd, "stat", NULL, VMT_SOURCE_STAT, &f->buf, NULL, &now,
			      &facts, &err) < 0 ||
	    !VMT_HAS(proc, start_time_ns, &now) || now.start_time_ns != p->start_time_ns ||
	    vmt_pid_is_headless(&now))
		return 0;
	if (vmt_grow(&kept->rows, &kept->cap, kept->n + 1, sizeof(*kept->rows)) < 0)
		return -ENOMEM;
	row = &kept->rows[kept->n++];
	*row = (struct vmt_kept_row){ p->pid, p->start_time_ns, -1, -1, f->kept->now_ns };
	if (f->sources & VMT_SOURCE_BIT(STATUS))
		row->status = vmt_open_at(fd, "status");
	if (f->sources & VMT_SOURCE_BIT(CGROUP))
		row->cgroup = vmt_open_at(fd, "cgroup");
	return 0;
}

/* Out of files that are open. */
static int read_kept(struct files *f, struct vmt_kept_row *row, struct vmt_proc *p,
		     struct vmt_pid_facts *facts, struct vmt_err *err)
{
	int r = 0;

	row->used_ns = f->kept->now_ns;
	if (f->sources & VMT_SOURCE_BIT(STATUS))
		r = vmt_pid_read_file(f->root, -1, "status", &row->status, VMT_SOURCE_STATUS,
				      &f->buf, &f->s->arena, p, facts, err);
	if (r == 0 && f->sources & VMT_SOURCE_BIT(CGROUP))
		r = vmt_pid_read_file(f->root, -1, "cgroup", &row->cgroup, VMT_SOURCE_CGROUP,
				      &f->buf, &f->s->arena, p, facts, err);
	vmt_pid_settle(p, facts);
	return r;
}

/* Whether the files that are open are all that are wanted. */
static bool has_files(const struct files *f, const struct vmt_kept_row *row)
{
	return (!(f->sources & VMT_SOURCE_BIT(STATUS)) || row->status >= 0) &&
	       (!(f->sources & VMT_SOURCE_BIT(CGROUP)) || row->cgroup >= 0);
}

/* Reads the files of the process that to is; -ESRCH where that one is gone. */
static int read_files(struct files *f, const struct vmt_proc *to, struct vmt_proc *p,
		      struct vmt_pid_facts *facts, struct vmt_err *err)
{
	struct vmt_kept_row *row = f->kept ? find_row(f->kept, to) : NULL;
	int r;

	if (row && has_files(f, row))
		return read_kept(f, row, p, facts, err);
	if (row) {
		/* More of them are wanted now. */
		close_row(row);
		*row = f->kept->rows[--f->kept->n];
	}
	r = vmt_pid_read(f->root, to->pid, f->sources | VMT_SOURCE_BIT(STAT), &f->s->arena, p,
			 facts, err);
	if (r < 0)
		return r;
	if (!VMT_HAS(proc, start_time_ns, p) || p->start_time_ns != to->start_time_ns)
		return -ESRCH;
	/* The next time it is cheaper. */
	return f->kept && !vmt_pid_is_headless(p) ? keep_row(f, to) : 0;
}

/* One process. What it cost is noted in the sample; a process that ended is what it was. */
static int read_one(struct files *f, size_t index)
{
	struct vmt_sample *s = f->s;
	struct vmt_proc *to = &s->procs[index], p = { 0 };
	struct vmt_pid_facts facts = { 0 };
	struct vmt_err err = { 0 };
	int r;

	/* Without a start it could be any process that has that number. */
	if (!VMT_HAS(proc, start_time_ns, to))
		return 0;
	r = read_files(f, to, &p, &facts, &err);
	add_cost(&s->sources[VMT_SOURCE_STATUS], &facts.status);
	add_cost(&s->sources[VMT_SOURCE_STAT], &facts.stat);
	add_cost(&s->sources[VMT_SOURCE_CGROUP], &facts.cgroup);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		if (r != -ESRCH)
			vmt_sample_failed(s, VMT_SOURCE_STATUS, to->pid, to->comm, r, NULL);
		return 0;
	}
	if (VMT_HAS(proc, uid, &p)) {
		struct vmt_bytes name;

		r = vmt_users_text(vmt_collector_users(f->c), p.uid, &s->arena, &name);
		if (r < 0)
			return r;
		VMT_SET(proc, user, &p, name);
	}
	copy_fields(to, &p, f->sources);
	return 0;
}

/* All of them; 0 or -ENOMEM. */
static int read_all(struct files *f, const size_t *indices, size_t n)
{
	uint64_t cpu_ns = vmt_now_ns(CLOCK_THREAD_CPUTIME_ID);
	uint64_t before = vmt_now_ns(CLOCK_MONOTONIC), after;
	/* The files of a process are read together; the largest of them stands for all. */
	bool status = f->sources & VMT_SOURCE_BIT(STATUS);
	struct vmt_source_stat *st = &f->s->sources[status ? VMT_SOURCE_STATUS : VMT_SOURCE_CGROUP];
	size_t i;
	int r;

	for (i = 0; i < n; i++) {
		r = read_one(f, indices[i]);
		if (r < 0)
			return r;
		after = vmt_now_ns(CLOCK_MONOTONIC);
		if (after - before > st->longest_ns)
			st->longest_ns = after - before;
		before = after;
	}
	st->cpu_ns += vmt_now_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_ns;
	return 0;
}

int vmt_collect_files(struct vmt_collector *c, struct vmt_sample *s, uint64_t sources,
		      const size_t *indices, size_t n, struct vmt_err *err)
{
	struct files f = {
		.c = c,
		.s = s,
		.root = vmt_collector_shared(c)->root,
		.sources = sources & (VMT_SOURCE_BIT(STATUS) | VMT_SOURCE_BIT(CGROUP)),
	};
	int r;

	if (!f.sources)
		return 0;
	if (f.root->live && sources & VMT_COLLECT_KEEP)
		f.kept = vmt_collector_kept_rows(c);
	if (f.kept && f.kept->now_ns != s->host.monotonic_ns) {
		f.kept->before_ns = f.kept->now_ns;
		f.kept->now_ns = s->host.monotonic_ns;
		drop_unused(f.kept);
	}
	r = read_all(&f, indices, n);
	vmt_buf_done(&f.buf);
	if (r < 0)
		return vmt_err_set(err, r, NULL, 0, "out of memory");
	vmt_sample_settle(s);
	return 0;
}
