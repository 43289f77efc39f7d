/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/proc-job.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "source/collect.h"
#include "source/exact-path.h"
#include "source/maps.h"
#include "source/numa-maps.h"
#include "source/pids.h"
#include "source/proc-files.h"
#include "source/proc-forecast.h"
#include "source/proc-pagemap.h"
#include "source/proc-space.h"
#include "source/proc-texts.h"
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
	struct vmt_err err; /* now.err */
	enum vmt_source_id source;
	char *piece; /* PIECE bytes */
	int dir_fd; /* of the process, or of a thread of it */
	int list_fd; /* the list of mappings that was read last, for is_same_space() */
	int pagemap_fd; /* once it was opened */
	/* Pages of the list are read next: whether its address space is still there is asked once,
	 * behind them. */
	bool ask_later;
	bool lost; /* it was not */
	bool of_part; /* the rows that the task shows are some of the list */
	struct vmt_proc_whole whole; /* the list, where it was read without smaps */
	uint64_t *cpu_ns; /* when it was begun: the end of the one before, for the call is dear */
};

static bool wants(const struct vmt_proc_task *task, enum vmt_source_id source)
{
	return task->sources >> source & 1;
}

static void reading_begin(struct reading *rd, enum vmt_source_id source)
{
	rd->source = source;
	/* A source that is read in parts adds up. */
	rd->now = rd->task->read[vmt_proc_slot(source)];
	rd->now.tried = true;
	rd->now.code = 0;
	rd->err = rd->now.err ? *rd->now.err : (struct vmt_err){ 0 };
	rd->now.err = &rd->err;
	rd->read = &rd->now;
	if (!*rd->cpu_ns)
		*rd->cpu_ns = vmt_now_ns(CLOCK_THREAD_CPUTIME_ID);
	vmt_job_begin(rd->job, (int)source);
}

static void reading_end(struct reading *rd, int code)
{
	struct vmt_proc_task *task = rd->task;
	uint64_t now = vmt_now_ns(CLOCK_THREAD_CPUTIME_ID);

	rd->now.cpu_ns += now - *rd->cpu_ns;
	*rd->cpu_ns = now;
	rd->now.code = code;
	/* Few reads fail: each of all sources having room for a text would be most of a task. */
	rd->now.err = code < 0 ? vmt_proc_keep_err(&task->arena, &rd->err) : NULL;
	pthread_mutex_lock(&task->lock);
	task->read[vmt_proc_slot(rd->source)] = rd->now;
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

/* Whether the address space of the list that was read last is still there. What is opened later by
 * the name of the process can be another one's (execve). */
static bool is_same_space(struct reading *rd)
{
	char c;

	return rd->list_fd < 0 || timed_read(rd->read, rd->list_fd, &c, 1, 0) != 0;
}

/*
 * Reads maps or smaps as far as its end. -EXDEV where the address space that the file was opened
 * for is gone at the end (execve, exit): the list then looks complete and is not; and where its
 * mappings were joined meanwhile, so that it goes back. So may one without a byte (m_start() finds
 * no users of the mm). text (NULL: none) gets what was read, if it has no more rows than are kept.
 */
static int read_list(struct reading *rd, const char *name, struct vmt_maps_parser *parser,
		     struct vmt_buf *text)
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
		if (text && (!parser->batch || parser->n_maps <= parser->batch))
			vmt_buf_add(text, rd->piece, (size_t)n);
		r = vmt_maps_feed(parser, (struct vmt_bytes){ rd->piece, (size_t)n }, name,
				  rd->read->err);
		/* Each read of the kernel goes on at an address: a mapping that was joined with the
		 * one before it since is found there with its new start (fs/proc/task_mmu.c,
		 * m_start()). */
		if (r == -EINVAL && parser->went_back && rd->task->shared->root->live)
			return -EXDEV;
		if (r < 0)
			return r;
		/* A list of a million mappings takes seconds, and is not stuck: each piece has its
		 * own time, and the deadline of the whole stays. */
		if (!vmt_job_renew(rd->job))
			return vmt_err_set(rd->read->err, -ETIMEDOUT, name, 0,
					   "it was not read to its end in time");
	}
	rd->read->reads++;
	rd->read->bytes += bytes;
	r = vmt_maps_finish(parser, name, rd->read->err);
	if (r < 0)
		return r;
	vmt_closep(&rd->list_fd);
	rd->list_fd = VMT_STEAL_FD(fd);
	if (bytes == 0)
		return vmt_proc_why_empty(rd->dir_fd);
	/* What was handed over has its pages already. */
	if (rd->ask_later && !parser->taken)
		return 0;
	return is_same_space(rd) ? 0 : -EXDEV;
}

static void set_consistent(struct vmt_proc_task *task, bool consistent)
{
	pthread_mutex_lock(&task->lock);
	task->consistent = consistent;
	pthread_mutex_unlock(&task->lock);
}

static int read_pagemap(struct reading *rd);
static int read_of_list(struct reading *rd);
static bool instead_of_pagemap(const struct vmt_proc_task *task, int code);

/* Reads one more source of the rows that the task shows for the moment, in the middle of the list,
 * and goes on with that. The worst of the parts is what came of the source. */
static int read_beside(struct reading *rd, enum vmt_source_id source,
		       int (*read_)(struct reading *rd))
{
	enum vmt_source_id list = rd->source;
	int before, r;

	reading_end(rd, 0);
	before = rd->task->read[vmt_proc_slot(source)].code;
	reading_begin(rd, source);
	r = read_(rd);
	reading_end(rd, before < 0 ? before : r);
	reading_begin(rd, list);
	return r;
}

/* Rows of a part in place of those of the task, which returns them. */
static struct vmt_map *show_rows(struct vmt_proc_task *task, struct vmt_map *maps, size_t n)
{
	struct vmt_map *before;

	pthread_mutex_lock(&task->lock);
	before = task->maps;
	task->maps = maps;
	task->n_maps = n;
	pthread_mutex_unlock(&task->lock);
	return before;
}

/* What else is wanted of the rows of a part. -EAGAIN where the first part shows that the list has
 * to be smaps. */
static int complete_part(struct reading *rd, bool first)
{
	const struct vmt_proc_task *task = rd->task;
	enum vmt_source_id pages = task->sources >> VMT_SOURCE_WORDS & 1 ? VMT_SOURCE_WORDS
									 : VMT_SOURCE_PAGEMAP;
	int r = 0;

	rd->of_part = true;
	if (task->sources >> pages & 1)
		r = read_beside(rd, pages, read_pagemap);
	if (first && rd->source == VMT_SOURCE_MAPS && instead_of_pagemap(task, r))
		return -EAGAIN;
	if (task->sources & VMT_SOURCE_BIT(KPAGECOUNT))
		read_beside(rd, VMT_SOURCE_KPAGECOUNT, read_pagemap);
	if (task->sources & VMT_SOURCE_BIT(FORECAST))
		read_beside(rd, VMT_SOURCE_FORECAST, read_pagemap);
	if (task->sources & VMT_SOURCE_BIT(ELF))
		read_beside(rd, VMT_SOURCE_ELF, read_of_list);
	return 0;
}

/* Names that the list leaves open. Without time for all of them those that are left say so. */
static int exact_paths(struct reading *rd, struct vmt_arena *arena)
{
	int r = 0;

	if (rd->task->shared->root->live)
		r = vmt_proc_exact_paths(rd->task, rd->job, rd->dir_fd, arena, rd->read);
	return r == -ENOMEM ? r : 0;
}

/* Hands over the rows so far. */
static int hand_over(struct vmt_maps_parser *parser, void *arg)
{
	struct reading *rd = arg;
	struct vmt_proc_task *task = rd->task;
	struct vmt_proc_part *part = calloc(1, sizeof(*part));
	bool first = parser->taken == 0;
	int r;

	if (!part)
		return -ENOMEM;
	vmt_arena_init(&part->arena);
	vmt_maps_take(parser, &part->arena, &part->maps, &part->n);
	/* A reader that is stuck below leaves these rows behind. */
	free(show_rows(task, part->maps, part->n));
	r = exact_paths(rd, &part->arena);
	if (r == 0)
		r = complete_part(rd, first);
	show_rows(task, NULL, 0);
	if (r == 0) {
		task->in_parts = true;
		r = vmt_job_hand_over(rd->job, part);
	}
	if (r < 0)
		vmt_proc_part_free(part);
	return r;
}

/* Reads maps or smaps, which rd has begun, and keeps its rows, or hands them over where there are
 * too many to keep; print is the hash of the list, size the sum of its ranges. */
static int read_rows(struct reading *rd, uint64_t *ret_print, uint64_t *ret_size)
{
	struct vmt_proc_task *task = rd->task;
	bool smaps = rd->source == VMT_SOURCE_SMAPS;
	struct vmt_maps_parser parser;
	int r, handed = 0;

	vmt_maps_init(&parser, smaps, task->pid, &task->arena, &task->shared->devices);
	parser.count_only = task->count_only && !smaps;
	parser.no_print = !smaps || task->sources & VMT_COLLECT_ONCE;
	parser.batch = task->batch;
	parser.full = hand_over;
	parser.full_arg = rd;
	r = read_list(rd, smaps ? "smaps" : "maps", &parser, NULL);
	if (parser.unknown_keys > rd->read->unknown_keys)
		rd->read->unknown_keys = parser.unknown_keys;
	rd->read->doubts |= parser.other_dropped ? VMT_DOUBT_OTHER : 0;
	if (parser.taken) {
		if (parser.n_maps && (r == 0 || r == -EXDEV))
			handed = hand_over(&parser, rd);
		pthread_mutex_lock(&task->lock);
		if (r == 0)
			task->maps_total = parser.taken;
		task->has_total |= r == 0;
		task->has_maps = true;
		vmt_proc_keep_commit(task, &parser, r);
		pthread_mutex_unlock(&task->lock);
	} else if (r == 0 || (parser.n_maps && (r == -EXDEV || (r == -ETIMEDOUT && !smaps)))) {
		vmt_proc_keep_maps(task, &parser, r != -ETIMEDOUT, r);
		if (r == 0)
			r = exact_paths(rd, &task->arena);
	}
	*ret_print = parser.print;
	*ret_size = parser.size_bytes;
	vmt_maps_done(&parser);
	return handed < 0 ? handed : r;
}

/* Whether the address space had that size, bytes, when the processes were listed, or has it now: a
 * list into which something came or went while it was read mostly is of neither. */
static bool has_size(const struct reading *rd, uint64_t size)
{
	/* Mostly nothing does, and no other file is read for it. */
	return rd->task->listed_bytes == size ||
	       vmt_proc_space_is(rd->task->shared->root, rd->dir_fd, size);
}

/*
 * Whether the list is still that of the address space, once pagemap was read for it: as far as the
 * sum of its ranges tells. The list itself again would cost more than pagemap does.
 */
static void compare_size(struct reading *rd)
{
	struct vmt_proc_task *task = rd->task;
	const struct vmt_proc_read *words = &task->read[vmt_proc_slot(VMT_SOURCE_WORDS)];
	const struct vmt_proc_read *pages =
		words->tried ? words : &task->read[vmt_proc_slot(VMT_SOURCE_PAGEMAP)];
	struct vmt_proc_whole *whole = &rd->whole;

	if (!pages->tried || pages->code < 0 || task->read[vmt_proc_slot(VMT_SOURCE_SMAPS)].tried)
		return;
	/* What else is read takes its time. */
	if (!whole->known || (rd->source != VMT_SOURCE_PAGEMAP && rd->source != VMT_SOURCE_WORDS))
		whole->known = vmt_proc_space_now(task->shared->root, rd->dir_fd, &whole->now);
	if (!whole->known)
		return;
	pthread_mutex_lock(&task->lock);
	task->consistent = task->consistent && whole->now.size_bytes == whole->size_bytes;
	task->compared = true;
	pthread_mutex_unlock(&task->lock);
}

/* The list alone; once again if the process changed its address space meanwhile. */
static int read_maps(struct reading *rd)
{
	uint64_t print;
	int tries, r = 0;

	for (tries = 0; tries < 2; tries++) {
		r = read_rows(rd, &print, &rd->whole.size_bytes);
		if (r != -EXDEV || rd->task->in_parts)
			break;
	}
	set_consistent(rd->task, r == 0);
	if (rd->task->in_parts)
		compare_size(rd);
	return r;
}

/* The list before smaps: its hash, and its text, which takes the place of that before. No rows,
 * which nobody needs once smaps has them. */
static int read_print(struct reading *rd, uint64_t *ret_print)
{
	struct vmt_proc_task *task = rd->task;
	VMT_AUTO_BUF text = { 0 };
	struct vmt_maps_parser parser;
	struct vmt_buf before;
	bool whole;
	int r;

	vmt_maps_init(&parser, false, 0, NULL, NULL);
	parser.count_only = true;
	parser.batch = task->batch;
	r = read_list(rd, "maps", &parser, &text);
	if (r == 0 || (r == -EXDEV && parser.n_maps)) {
		whole = !task->batch || parser.n_maps <= task->batch;
		pthread_mutex_lock(&task->lock);
		before = task->list;
		task->list = whole && !vmt_buf_error(&text) ? text : (struct vmt_buf){ 0 };
		task->maps_total = parser.n_maps;
		task->has_total = true;
		task->has_maps = true;
		task->consistent = false;
		pthread_mutex_unlock(&task->lock);
		if (task->list.data)
			text = (struct vmt_buf){ 0 };
		vmt_buf_done(&before);
	}
	*ret_print = parser.print;
	vmt_maps_done(&parser);
	return r;
}

/* smaps gave nothing: the list alone is what there is. */
static int keep_list(struct vmt_proc_task *task)
{
	struct vmt_map *maps = NULL;
	size_t n = 0;
	int r;

	if (task->maps || task->in_parts || !task->list.len)
		return 0;
	r = vmt_proc_parse_list(task, &task->arena, &maps, &n);
	pthread_mutex_lock(&task->lock);
	task->maps = maps;
	task->n_maps = n;
	pthread_mutex_unlock(&task->lock);
	return r;
}

/*
 * maps, then smaps: where both have the same list, each row of smaps is of a mapping that was there
 * before the walk began and when the walk came to it, so that the residency belongs to the list. Up
 * to TRIES times; the last smaps stays, and the first maps where there is none, as smaps can block
 * where maps does not (Linux 6.11 and later read maps without the mmap lock). What was handed over
 * is not read again. With VMT_COLLECT_ONCE smaps alone, and the sum of the ranges is compared with
 * the size of the address space. The cost of each file goes to its own source.
 */
static int read_smaps(struct reading *rd, unsigned doubts)
{
	bool once = rd->task->sources & VMT_COLLECT_ONCE;
	uint64_t before = 0, print = 0, size = 0;
	int tries, r;

	for (tries = 0; tries < TRIES; tries++) {
		if (!once) {
			reading_begin(rd, VMT_SOURCE_MAPS);
			r = read_print(rd, &before);
			reading_end(rd, r);
			if (r < 0 && r != -EXDEV)
				return r;
		}

		reading_begin(rd, VMT_SOURCE_SMAPS);
		rd->read->doubts |= doubts;
		r = read_rows(rd, &print, &size);
		reading_end(rd, r);
		set_consistent(rd->task, r == 0 && (once ? has_size(rd, size) : before == print));
		if (r < 0 && r != -EXDEV)
			return keep_list(rd->task) < 0 ? -ENOMEM : r;
		if (rd->task->consistent || rd->task->in_parts)
			break;
	}
	return keep_list(rd->task);
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
	r = vmt_rollup_parse((struct vmt_bytes){ rd->piece, (size_t)n }, &rollup, &task->arena,
			     &rd->read->unknown_keys, rd->read->err);
	rd->read->doubts |= r > 0 ? VMT_DOUBT_OTHER : 0;
	if (r >= 0) {
		pthread_mutex_lock(&task->lock);
		task->rollup = rollup;
		pthread_mutex_unlock(&task->lock);
	}
	return r < 0 ? r : 0;
}

/* The kernel says -ESRCH, or nothing, also where only the address space is gone (execve). */
static int read_rollup(struct reading *rd)
{
	int tries, r = 0;

	for (tries = 0; tries < 2; tries++) {
		r = read_rollup_once(rd);
		if (r == -ESRCH)
			r = vmt_proc_why_empty(rd->dir_fd);
		if (r != -EXDEV)
			break;
	}
	return r;
}

/* Whether the rows are all of the process, and smaps has not said yet what is resident. */
static bool is_whole(const struct reading *rd)
{
	return !rd->of_part && !rd->task->read[vmt_proc_slot(VMT_SOURCE_SMAPS)].tried;
}

/* What was read of another address space than the list is of none of its mappings. */
static int read_pagemap(struct reading *rd)
{
	int r;

	/* All parts of a list are read of the address space that the first one was. */
	if (rd->pagemap_fd < 0)
		rd->pagemap_fd = timed_open(rd, "pagemap");
	if (rd->pagemap_fd < 0)
		r = rd->pagemap_fd;
	else if (rd->source == VMT_SOURCE_FORECAST)
		r = vmt_proc_read_forecast(rd->task, rd->job, rd->dir_fd, rd->pagemap_fd, rd->read);
	else if (rd->source == VMT_SOURCE_KPAGECOUNT)
		r = vmt_proc_read_pss(rd->task, rd->job, rd->pagemap_fd, rd->read);
	else
		r = vmt_proc_read_residency(rd->task, rd->job, rd->pagemap_fd,
					    rd->source == VMT_SOURCE_WORDS,
					    is_whole(rd) ? &rd->whole : NULL, rd->read);
	if (rd->task->n_maps == 0 || is_same_space(rd))
		return r;
	vmt_proc_drop_residency(rd->task);
	rd->lost = rd->ask_later;
	return vmt_proc_has_ended(rd->dir_fd) ? -ESRCH : -EXDEV;
}

/*
 * Pages of the list. Where its address space was not there any more behind them, the list itself
 * may have ended early: it is read once again, and is asked for that before its pages.
 */
static int read_pages(struct reading *rd)
{
	enum vmt_source_id pages = rd->source;
	int r = read_pagemap(rd), list, of_parts;

	if (!rd->lost)
		return r;
	reading_end(rd, 0);
	rd->ask_later = rd->lost = rd->whole.known = false;
	vmt_closep(&rd->pagemap_fd);
	rd->pagemap_fd = -1;
	reading_begin(rd, VMT_SOURCE_MAPS);
	list = read_maps(rd);
	reading_end(rd, list == -EAGAIN ? 0 : list);
	of_parts = rd->task->read[vmt_proc_slot(pages)].code;
	reading_begin(rd, pages);
	/* Parts are complete when they are handed over, or the first said why not. */
	if (list == -EAGAIN || rd->task->in_parts)
		return of_parts;
	return list < 0 ? r : read_pagemap(rd);
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

/* What belongs to the whole list of mappings, or is looked up for it. */
static int read_of_list(struct reading *rd)
{
	struct vmt_proc_task *task = rd->task;
	int r;

	if (rd->source == VMT_SOURCE_NUMA)
		r = vmt_proc_read_numa(task, rd->job, rd->dir_fd, rd->read);
	else if (rd->source == VMT_SOURCE_ROLE)
		r = vmt_proc_read_roles(task, rd->job, rd->dir_fd, rd->read);
	else
		r = vmt_proc_read_elf(task, rd->job, rd->dir_fd, rd->read);
	if (r == -ENOENT || task->n_maps == 0 || is_same_space(rd))
		return r;
	return vmt_proc_has_ended(rd->dir_fd) ? -ESRCH : -EXDEV;
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
			       &facts, rd->read->err);
	if (r < 0)
		return r;
	if (task->check_start && p.start_time_ns != task->start_time_ns)
		return -ESRCH;
	if (vmt_pid_is_headless(&p)) {
		rd->dir_fd = vmt_pid_open_live_task(fd, task->pid);
		return rd->dir_fd < 0 ? rd->dir_fd : 0;
	}
	task->has_faults = vmt_proc_faults(&p, &task->faults);
	/* It became a zombie since it was listed: its memory is gone. */
	if (vmt_bytes_is(p.state, "Z") || vmt_bytes_is(p.state, "X"))
		return -ESRCH;
	rd->dir_fd = VMT_STEAL_FD(fd);
	return 0;
}

static void read_text(struct reading *rd, enum vmt_source_id source)
{
	if (!wants(rd->task, source))
		return;
	reading_begin(rd, source);
	reading_end(rd, vmt_proc_read_text(rd->task, source, rd->dir_fd, rd->read));
}

static void read_sources(struct reading *rd)
{
	static const enum vmt_source_id of_list[] = { VMT_SOURCE_NUMA, VMT_SOURCE_ELF,
						      VMT_SOURCE_ROLE };
	struct vmt_proc_task *task = rd->task;
	const struct vmt_proc_read *maps = &task->read[vmt_proc_slot(VMT_SOURCE_MAPS)];
	size_t i;
	int r;

	/* The list first: it blocks least. */
	if (wants(task, VMT_SOURCE_SMAPS)) {
		read_smaps(rd, 0);
	} else if (wants(task, VMT_SOURCE_MAPS)) {
		rd->ask_later = wants(task, VMT_SOURCE_WORDS) || wants(task, VMT_SOURCE_PAGEMAP);
		reading_begin(rd, VMT_SOURCE_MAPS);
		r = read_maps(rd);
		reading_end(rd, r == -EAGAIN ? 0 : r);
		if (r == -EAGAIN) {
			/* What was asked for comes, though dearer. */
			pthread_mutex_lock(&task->lock);
			if (!wants(task, VMT_SOURCE_WORDS))
				task->read[vmt_proc_slot(VMT_SOURCE_PAGEMAP)].code = 0;
			pthread_mutex_unlock(&task->lock);
			task->sources &= ~(VMT_SOURCE_BIT(PAGEMAP) | VMT_SOURCE_BIT(WORDS));
			read_smaps(rd, VMT_DOUBT_INSTEAD);
		}
	}
	if (maps->code == -ESRCH || maps->code == -ENOMEM ||
	    task->read[vmt_proc_slot(VMT_SOURCE_SMAPS)].code == -ESRCH ||
	    task->read[vmt_proc_slot(VMT_SOURCE_SMAPS)].code == -ENOMEM)
		return;
	if (wants(task, VMT_SOURCE_ROLLUP)) {
		reading_begin(rd, VMT_SOURCE_ROLLUP);
		reading_end(rd, read_rollup(rd));
		if (task->read[vmt_proc_slot(VMT_SOURCE_ROLLUP)].code == -ESRCH)
			return;
	}
	read_text(rd, VMT_SOURCE_OOM);
	read_text(rd, VMT_SOURCE_CMDLINE);
	/* Parts are complete when they are handed over. */
	if (!task->has_maps || task->in_parts || maps->code == -ETIMEDOUT)
		return;
	if (wants(task, VMT_SOURCE_WORDS) || wants(task, VMT_SOURCE_PAGEMAP)) {
		reading_begin(rd, wants(task, VMT_SOURCE_WORDS) ? VMT_SOURCE_WORDS
								: VMT_SOURCE_PAGEMAP);
		r = read_pages(rd);
		if (task->in_parts || maps->code == -ESRCH || maps->code == -ENOMEM) {
			reading_end(rd, r);
			return;
		}
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
	if (wants(task, VMT_SOURCE_FORECAST)) {
		reading_begin(rd, VMT_SOURCE_FORECAST);
		reading_end(rd, read_pagemap(rd));
	}
	compare_size(rd);
	for (i = 0; i < VMT_ARRAY_LEN(of_list); i++) {
		if (!wants(task, of_list[i]))
			continue;
		reading_begin(rd, of_list[i]);
		reading_end(rd, read_of_list(rd));
	}
}

static int run(struct vmt_job *job, void *ctx)
{
	struct vmt_proc_task *task = ctx;
	struct reading rd = { job, task, .dir_fd = -1, .list_fd = -1, .pagemap_fd = -1 };
	uint64_t wanted = task->sources & VMT_PROC_SOURCES;
	int r;

	if (!wanted)
		return 0;
	rd.cpu_ns = vmt_job_cpu(job);
	rd.piece = malloc(PIECE);
	if (rd.piece && task->dir_fd >= 0) {
		/* What is below a directory that was open when it was listed is of that process. */
		rd.dir_fd = VMT_STEAL_FD(task->dir_fd);
		r = 0;
	} else {
		reading_begin(&rd, (enum vmt_source_id)__builtin_ctzll(wanted));
		r = rd.piece ? open_process(&rd) : -ENOMEM;
		reading_end(&rd, r);
	}
	rd.whole.dir_fd = rd.dir_fd;
	if (r == 0)
		read_sources(&rd);
	vmt_closep(&rd.pagemap_fd);
	vmt_closep(&rd.list_fd);
	vmt_closep(&rd.dir_fd);
	free(rd.piece);
	task->ended_ns = vmt_now_ns(CLOCK_MONOTONIC);
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
	free(task->maps);
	vmt_buf_done(&task->list);
	pthread_mutex_destroy(&task->lock);
	free(task);
}

static const struct vmt_job_type job_type = { .run = run, .free = task_free };

struct vmt_job *vmt_proc_job_new(struct vmt_proc_shared *shared, uint64_t sources, bool count_only,
				 size_t batch, const struct vmt_proc *p, int dir_fd)
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
			   !(sources & ~(VMT_SOURCE_BIT(MAPS) | VMT_SOURCE_BIT(ROLLUP) |
					 VMT_SOURCE_BIT(OOM) | VMT_SOURCE_BIT(CMDLINE)));
	task->batch = batch;
	task->pid = p->pid;
	task->check_start = VMT_HAS(proc, start_time_ns, p);
	task->start_time_ns = p->start_time_ns;
	task->has_faults = !vmt_pid_is_headless(p) && vmt_proc_faults(p, &task->faults);
	task->listed_bytes = VMT_HAS(proc, vsize_bytes, p) ? p->vsize_bytes : UINT64_MAX;
	vmt_arena_init(&task->arena);
	pthread_mutex_init(&task->lock, NULL);
	return vmt_job_new(&job_type, task);
}
