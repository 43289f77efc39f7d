/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/proc-job.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "source/collect.h"
#include "source/maps.h"
#include "source/pids.h"
#include "source/proc-files.h"
#include "source/proc-pagemap.h"
#include "source/residency.h"

/* The kernel hands out maps and smaps in pieces of at most a page or so; files of a saved machine
 * come in pieces of this. */
#define PIECE ((size_t)64 * 1024)
/* How often a list of mappings is read again when it changed under the read. */
#define TRIES 3

/* One source being read: its costs, and the job that may have to stop. */
struct reading {
	struct vmt_job *job;
	struct vmt_proc_task *task;
	struct vmt_proc_read *read; /* &now */
	struct vmt_proc_read now; /* of the source below, until it is finished */
	enum vmt_source_id source;
	char *piece; /* PIECE bytes */
	int dir_fd; /* of the process, or of a thread of it */
	int list_fd; /* the list of mappings that was read last, for is_same_space() */
	uint64_t cpu_ns; /* when it was begun */
};

static void reading_begin(struct reading *rd, enum vmt_source_id source)
{
	rd->source = source;
	/* A source that is read in parts adds up. */
	rd->now = rd->task->read[source];
	rd->now.tried = true;
	rd->now.code = 0;
	rd->read = &rd->now;
	rd->cpu_ns = vmt_now_ns(CLOCK_THREAD_CPUTIME_ID);
	vmt_job_begin(rd->job, (int)source);
}

static void reading_end(struct reading *rd, int code)
{
	struct vmt_proc_task *task = rd->task;

	rd->now.cpu_ns += vmt_now_ns(CLOCK_THREAD_CPUTIME_ID) - rd->cpu_ns;
	rd->now.code = code;
	pthread_mutex_lock(&task->lock);
	task->read[rd->source] = rd->now;
	pthread_mutex_unlock(&task->lock);
}

static void note_longest(struct vmt_proc_read *read, uint64_t since_ns)
{
	uint64_t ns = vmt_now_ns(CLOCK_MONOTONIC) - since_ns;

	if (ns > read->longest_ns)
		read->longest_ns = ns;
}

/* read(2) or, with offset >= 0, pread(2), timed; bytes or -errno. */
static ssize_t timed_read(struct vmt_proc_read *read_, int fd, void *to, size_t n, off_t offset)
{
	uint64_t t0 = vmt_now_ns(CLOCK_MONOTONIC);
	ssize_t got;

	do
		got = offset < 0 ? read(fd, to, n) : pread(fd, to, n, offset);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		got = -errno;
	note_longest(read_, t0);
	return got;
}

static int timed_open(struct reading *rd, const char *name)
{
	uint64_t t0 = vmt_now_ns(CLOCK_MONOTONIC);
	int fd = vmt_open_at(rd->dir_fd, name);

	note_longest(rd->read, t0);
	return fd;
}

/* Whether the process has ended since it was opened, or is about to: its files then are empty
 * without an error. */
static bool has_ended(const struct reading *rd)
{
	VMT_AUTO_BUF buf = { 0 };
	struct vmt_pid_facts facts = { 0 };
	struct vmt_proc p = { 0 };

	return vmt_slurp_at(rd->dir_fd, "stat", &buf, PIECE) <= 0 ||
	       vmt_pid_stat_parse((struct vmt_bytes){ buf.data, buf.len }, 0, NULL, &p, &facts,
				  NULL) < 0 ||
	       vmt_bytes_is(p.state, "Z") || vmt_bytes_is(p.state, "X") ||
	       facts.flags & VMT_PF_EXITING;
}

/*
 * What a file without a byte means: 0, the address space has no mapping, which status says too;
 * -ESRCH, the process has ended; -EXDEV, it has another address space since the file was opened.
 */
static int why_empty(const struct reading *rd)
{
	VMT_AUTO_BUF buf = { 0 };
	struct vmt_pid_facts facts = { 0 };
	struct vmt_proc p = { 0 };

	if (has_ended(rd))
		return -ESRCH;
	if (vmt_slurp_at(rd->dir_fd, "status", &buf, PIECE) <= 0 ||
	    vmt_pid_status_parse((struct vmt_bytes){ buf.data, buf.len }, NULL, &p, &facts, NULL) <
		    0)
		return -EXDEV;
	return facts.has_mm && facts.vsize_bytes == 0 ? 0 : -EXDEV;
}

/* Whether the address space of the list that was read last is still there. What is opened later by
 * the name of the process can be another one's (execve). */
static bool is_same_space(struct reading *rd)
{
	char c;

	return rd->list_fd < 0 || timed_read(rd->read, rd->list_fd, &c, 1, 0) != 0;
}

/*
 * Reads maps or smaps as far as its end. -EXDEV where the address space that the file was opened
 * for is gone at the end (execve, exit): the list then looks complete and is not. So may one
 * without a byte (m_start() finds no users of the mm).
 */
static int read_list(struct reading *rd, const char *name, struct vmt_maps_parser *parser)
{
	VMT_AUTO_CLOSE int fd = timed_open(rd, name);
	uint64_t bytes = 0;
	ssize_t n;
	int r;

	if (fd < 0)
		return fd;
	for (;;) {
		n = timed_read(rd->read, fd, rd->piece, PIECE, -1);
		if (n < 0)
			return (int)n;
		if (n == 0)
			break;
		bytes += (uint64_t)n;
		r = vmt_maps_feed(parser, (struct vmt_bytes){ rd->piece, (size_t)n }, name,
				  &rd->read->err);
		if (r < 0)
			return r;
		if (vmt_job_expired(rd->job))
			return vmt_err_set(&rd->read->err, -ETIMEDOUT, name, 0,
					   "it was not read to its end in time");
	}
	rd->read->reads++;
	rd->read->bytes += bytes;
	r = vmt_maps_finish(parser, name, &rd->read->err);
	if (r < 0)
		return r;
	vmt_closep(&rd->list_fd);
	rd->list_fd = VMT_STEAL_FD(fd);
	if (bytes == 0)
		return why_empty(rd);
	return is_same_space(rd) ? 0 : -EXDEV;
}

/* Puts the rows of a parser into the task, in place of those that it has. */
static int keep_maps(struct vmt_proc_task *task, const struct vmt_maps_parser *parser)
{
	struct vmt_map *maps = task->maps;
	size_t cap = task->cap_maps;

	if (!parser->count_only && parser->n_maps > cap) {
		cap = parser->n_maps;
		maps = vmt_arena_alloc(&task->arena, cap, sizeof(*maps));
		if (!maps)
			return -ENOMEM;
	}
	pthread_mutex_lock(&task->lock);
	if (!parser->count_only && parser->n_maps)
		memcpy(maps, parser->maps, parser->n_maps * sizeof(*maps));
	task->maps = maps;
	task->cap_maps = cap;
	task->n_maps = parser->n_maps;
	task->has_maps = true;
	task->consistent = false;
	pthread_mutex_unlock(&task->lock);
	return 0;
}

static void set_consistent(struct vmt_proc_task *task, bool consistent)
{
	pthread_mutex_lock(&task->lock);
	task->consistent = consistent;
	pthread_mutex_unlock(&task->lock);
}

/* Reads maps or smaps, which rd has begun, and keeps its rows; print is the hash of the list. */
static int read_rows(struct reading *rd, uint64_t *ret_print)
{
	struct vmt_proc_task *task = rd->task;
	bool smaps = rd->source == VMT_SOURCE_SMAPS;
	struct vmt_maps_parser parser;
	int r, keep = 0;

	vmt_maps_init(&parser, smaps, task->pid, &task->arena, &task->shared->devices);
	parser.count_only = task->count_only && !smaps;
	r = read_list(rd, smaps ? "smaps" : "maps", &parser);
	if (parser.unknown_keys > rd->read->unknown_keys)
		rd->read->unknown_keys = parser.unknown_keys;
	if (r == 0 || (r == -EXDEV && parser.n_maps))
		keep = keep_maps(task, &parser);
	*ret_print = parser.print;
	vmt_maps_done(&parser);
	return keep < 0 ? keep : r;
}

/* The list alone; once again if the process changed its address space meanwhile. */
static int read_maps(struct reading *rd)
{
	uint64_t print;
	int tries, r = 0;

	for (tries = 0; tries < 2; tries++) {
		r = read_rows(rd, &print);
		if (r != -EXDEV)
			break;
	}
	set_consistent(rd->task, r == 0);
	return r;
}

/* The hash of the list, no rows. */
static int read_print(struct reading *rd, uint64_t *ret_print)
{
	struct vmt_maps_parser parser;
	int r;

	vmt_maps_init(&parser, false, 0, NULL, NULL);
	parser.count_only = true;
	r = read_list(rd, "maps", &parser);
	*ret_print = parser.print;
	vmt_maps_done(&parser);
	return r;
}

/*
 * maps, smaps, maps: where all three have the same list, the residency belongs to it. Up to TRIES
 * times; the last smaps stays, and the first maps where there is none, as smaps can block where
 * maps does not (Linux 6.11 and later read maps without the mmap lock). The cost of each file goes
 * to its own source.
 */
static int read_smaps(struct reading *rd, unsigned doubts)
{
	uint64_t before = 0, print = 0, after = 0;
	int tries, r;

	for (tries = 0; tries < TRIES; tries++) {
		reading_begin(rd, VMT_SOURCE_MAPS);
		if (tries == 0) {
			r = read_rows(rd, &before);
			set_consistent(rd->task, r == 0);
		} else {
			r = read_print(rd, &before);
		}
		reading_end(rd, r);
		if (r < 0 && r != -EXDEV)
			return r;

		reading_begin(rd, VMT_SOURCE_SMAPS);
		rd->read->doubts |= doubts;
		r = read_rows(rd, &print);
		reading_end(rd, r);
		if (r == -EXDEV)
			continue;
		if (r < 0)
			return r;

		reading_begin(rd, VMT_SOURCE_MAPS);
		r = read_print(rd, &after);
		reading_end(rd, r == -EXDEV ? 0 : r);
		if (r < 0 && r != -EXDEV)
			return r;
		set_consistent(rd->task, r == 0 && before == print && after == print);
		if (rd->task->consistent)
			break;
	}
	return 0;
}

static int read_rollup_once(struct reading *rd)
{
	VMT_AUTO_CLOSE int fd = timed_open(rd, "smaps_rollup");
	struct vmt_proc_task *task = rd->task;
	struct vmt_proc rollup = { 0 };
	ssize_t n;
	int r;

	if (fd < 0)
		return fd;
	/* It is made whole for the first read (fs/seq_file.c, single_open()). */
	n = timed_read(rd->read, fd, rd->piece, PIECE, -1);
	if (n == (ssize_t)PIECE)
		return -EFBIG;
	if (n < 0)
		return (int)n;
	rd->read->reads++;
	rd->read->bytes += (uint64_t)n;
	if (n == 0)
		return -ESRCH;
	r = vmt_rollup_parse((struct vmt_bytes){ rd->piece, (size_t)n }, &rollup,
			     &rd->read->unknown_keys, &rd->read->err);
	if (r == 0) {
		pthread_mutex_lock(&task->lock);
		task->rollup = rollup;
		pthread_mutex_unlock(&task->lock);
	}
	return r;
}

/* The kernel says -ESRCH, or nothing, also where only the address space is gone (execve). */
static int read_rollup(struct reading *rd)
{
	int tries, r = 0;

	for (tries = 0; tries < 2; tries++) {
		r = read_rollup_once(rd);
		if (r == -ESRCH)
			r = why_empty(rd);
		if (r != -EXDEV)
			break;
	}
	return r;
}

/* What was read of another address space than the list is of none of its mappings. */
static int read_pagemap(struct reading *rd)
{
	VMT_AUTO_CLOSE int fd = timed_open(rd, "pagemap");
	int r;

	if (fd < 0)
		return fd;
	if (rd->source == VMT_SOURCE_KPAGECOUNT)
		r = vmt_proc_read_pss(rd->task, rd->job, fd, rd->read);
	else
		r = vmt_proc_read_residency(rd->task, rd->job, fd, rd->source == VMT_SOURCE_WORDS,
					    rd->read);
	if (rd->task->n_maps == 0 || is_same_space(rd))
		return r;
	vmt_proc_drop_residency(rd->task);
	return has_ended(rd) ? -ESRCH : -EXDEV;
}

/*
 * Whether smaps shall be read in place of pagemap: that has a mode of its own (0400), so that it
 * can be refused where smaps is not; and without the scan a mapping of TiBs is read faster by
 * smaps, which skips what has no page tables.
 */
static bool instead_of_pagemap(const struct vmt_proc_task *task, int code)
{
	return task->sources & VMT_COLLECT_CHEAP &&
	       (code == -EACCES || code == -EPERM || code == -ENOENT || code == -E2BIG);
}

/* The files are compared with their mappings one by one, but the roles are of the whole list. */
static int read_files(struct reading *rd)
{
	struct vmt_proc_task *task = rd->task;
	int r = rd->source == VMT_SOURCE_ROLE
			? vmt_proc_read_roles(task, rd->job, rd->dir_fd, rd->read)
			: vmt_proc_read_elf(task, rd->job, rd->dir_fd, rd->read);

	if (r == -ENOENT || task->n_maps == 0 || is_same_space(rd))
		return r;
	return has_ended(rd) ? -ESRCH : -EXDEV;
}

/* The process is the one that was meant, and which of its threads to ask. */
static int open_process(struct reading *rd)
{
	struct vmt_proc_task *task = rd->task;
	const struct vmt_root *root = task->shared->root;
	VMT_AUTO_CLOSE int fd = vmt_root_open_pid(root, task->pid);
	VMT_AUTO_BUF buf = { 0 };
	struct vmt_pid_facts facts = { 0 };
	struct vmt_proc p = { 0 };
	int64_t n;
	int r;

	if (fd < 0)
		return fd;
	n = vmt_slurp_at(fd, "stat", &buf, PIECE);
	if (n <= 0)
		return n == 0 || n == -ENOENT ? -ESRCH : (int)n;
	r = vmt_pid_stat_parse((struct vmt_bytes){ buf.data, buf.len }, root->user_hz, NULL, &p,
			       &facts, &rd->read->err);
	if (r < 0)
		return r;
	if (task->check_start && p.start_time_ns != task->start_time_ns)
		return -ESRCH;
	if (vmt_pid_is_headless(&p)) {
		rd->dir_fd = vmt_pid_open_live_task(fd, task->pid);
		return rd->dir_fd < 0 ? rd->dir_fd : 0;
	}
	/* It became a zombie since it was listed: its memory is gone. */
	if (vmt_bytes_is(p.state, "Z") || vmt_bytes_is(p.state, "X"))
		return -ESRCH;
	rd->dir_fd = VMT_STEAL_FD(fd);
	return 0;
}

static bool wants(const struct vmt_proc_task *task, enum vmt_source_id source)
{
	return task->sources >> source & 1;
}

static void read_sources(struct reading *rd)
{
	struct vmt_proc_task *task = rd->task;
	const struct vmt_proc_read *maps = &task->read[VMT_SOURCE_MAPS];
	int r;

	/* The list first: it blocks least. */
	if (wants(task, VMT_SOURCE_SMAPS)) {
		read_smaps(rd, 0);
	} else if (wants(task, VMT_SOURCE_MAPS)) {
		reading_begin(rd, VMT_SOURCE_MAPS);
		reading_end(rd, read_maps(rd));
	}
	if (maps->code == -ESRCH || maps->code == -ENOMEM ||
	    task->read[VMT_SOURCE_SMAPS].code == -ESRCH ||
	    task->read[VMT_SOURCE_SMAPS].code == -ENOMEM)
		return;
	if (wants(task, VMT_SOURCE_ROLLUP)) {
		reading_begin(rd, VMT_SOURCE_ROLLUP);
		reading_end(rd, read_rollup(rd));
		if (task->read[VMT_SOURCE_ROLLUP].code == -ESRCH)
			return;
	}
	if (!task->has_maps)
		return;
	if (wants(task, VMT_SOURCE_WORDS) || wants(task, VMT_SOURCE_PAGEMAP)) {
		reading_begin(rd, wants(task, VMT_SOURCE_WORDS) ? VMT_SOURCE_WORDS
								: VMT_SOURCE_PAGEMAP);
		r = read_pagemap(rd);
		if (wants(task, VMT_SOURCE_SMAPS) || !instead_of_pagemap(task, r)) {
			reading_end(rd, r);
		} else {
			/* What was asked for comes, though dearer. */
			reading_end(rd, wants(task, VMT_SOURCE_WORDS) ? r : 0);
			read_smaps(rd, VMT_DOUBT_INSTEAD);
		}
	}
	if (wants(task, VMT_SOURCE_KPAGECOUNT)) {
		reading_begin(rd, VMT_SOURCE_KPAGECOUNT);
		reading_end(rd, read_pagemap(rd));
	}
	if (wants(task, VMT_SOURCE_ELF)) {
		reading_begin(rd, VMT_SOURCE_ELF);
		reading_end(rd, read_files(rd));
	}
	if (wants(task, VMT_SOURCE_ROLE)) {
		reading_begin(rd, VMT_SOURCE_ROLE);
		reading_end(rd, read_files(rd));
	}
}

static int run(struct vmt_job *job, void *ctx)
{
	struct vmt_proc_task *task = ctx;
	struct reading rd = { .job = job, .task = task, .dir_fd = -1, .list_fd = -1 };
	enum vmt_source_id first = VMT_SOURCE_COUNT;
	int i, r;

	for (i = VMT_SOURCE_COUNT - 1; i >= 0; i--)
		if (wants(task, (enum vmt_source_id)i))
			first = (enum vmt_source_id)i;
	if (first == VMT_SOURCE_COUNT)
		return 0;
	rd.piece = malloc(PIECE);
	if (rd.piece && task->dir_fd >= 0) {
		/* What is below a directory that was open when the process was listed is of that
		 * process. */
		rd.dir_fd = VMT_STEAL_FD(task->dir_fd);
		r = 0;
	} else {
		reading_begin(&rd, first);
		r = rd.piece ? open_process(&rd) : -ENOMEM;
		reading_end(&rd, r);
	}
	if (r == 0)
		read_sources(&rd);
	vmt_closep(&rd.list_fd);
	vmt_closep(&rd.dir_fd);
	free(rd.piece);
	return 0;
}

static void task_free(void *ctx)
{
	struct vmt_proc_task *task = ctx;

	if (!task)
		return;
	vmt_closep(&task->dir_fd);
	vmt_proc_shared_unref(task->shared);
	vmt_arena_done(&task->arena);
	pthread_mutex_destroy(&task->lock);
	free(task);
}

static const struct vmt_job_type job_type = { .run = run, .free = task_free };

struct vmt_job *vmt_proc_job_new(struct vmt_proc_shared *shared, uint32_t sources, bool count_only,
				 const struct vmt_proc *p, int dir_fd)
{
	struct vmt_proc_task *task = calloc(1, sizeof(*task));

	if (!task) {
		vmt_closep(&dir_fd);
		return NULL;
	}
	task->dir_fd = dir_fd;
	__atomic_add_fetch(&shared->refs, 1, __ATOMIC_RELAXED);
	task->shared = shared;
	task->sources = sources;
	/* The others need the rows. */
	task->count_only = count_only &&
			   !(sources & ~(VMT_SOURCE_BIT(MAPS) | VMT_SOURCE_BIT(ROLLUP)));
	task->pid = p->pid;
	task->check_start = VMT_HAS(proc, start_time_ns, p);
	task->start_time_ns = p->start_time_ns;
	vmt_arena_init(&task->arena);
	pthread_mutex_init(&task->lock, NULL);
	return vmt_job_new(&job_type, task);
}

/* Gives row i of to strings of its own. Neighbours share theirs, as in from. */
static int own_strings(struct vmt_arena *arena, struct vmt_map *to, const struct vmt_map *from,
		       size_t i)
{
	size_t k;

	for (k = 0; k < vmt_entity_map.n_fields; k++) {
		const struct vmt_field *f = &vmt_entity_map.fields[k];
		struct vmt_bytes *text = (struct vmt_bytes *)((char *)&to[i] + f->offset);

		if (f->type != VMT_TYPE_STR || !vmt_row_has(&to[i].row, f->index))
			continue;
		if (i && vmt_row_has(&to[i - 1].row, f->index)) {
			const struct vmt_bytes *before = vmt_field_at(f, &from[i - 1]);

			if (before->ptr == text->ptr && before->len == text->len) {
				*text = *(const struct vmt_bytes *)vmt_field_at(f, &to[i - 1]);
				continue;
			}
		}
		text->ptr = vmt_arena_copy(arena, text->ptr, text->len);
		if (!text->ptr)
			return -ENOMEM;
	}
	return 0;
}

int vmt_proc_job_copy(struct vmt_job *job, struct vmt_proc_task *ret)
{
	struct vmt_proc_task *task = vmt_job_context(job);
	struct vmt_map *maps = NULL;
	int r = 0;
	size_t i;

	*ret = (struct vmt_proc_task){ 0 };
	vmt_arena_init(&ret->arena);
	pthread_mutex_lock(&task->lock);
	if (task->maps && task->n_maps) {
		maps = vmt_arena_alloc(&ret->arena, task->n_maps, sizeof(*maps));
		if (!maps)
			r = -ENOMEM;
	}
	for (i = 0; maps && r == 0 && i < task->n_maps; i++) {
		maps[i] = task->maps[i];
		r = own_strings(&ret->arena, maps, task->maps, i);
	}
	if (r == 0) {
		ret->count_only = task->count_only;
		ret->maps = maps;
		ret->n_maps = task->n_maps;
		ret->has_maps = task->has_maps;
		ret->consistent = task->consistent;
		ret->rollup = task->rollup;
		memcpy(ret->read, task->read, sizeof(ret->read));
	}
	pthread_mutex_unlock(&task->lock);
	return r;
}
