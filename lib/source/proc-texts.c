/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/proc-texts.h"

#include <errno.h>
#include <unistd.h>

#include "base/parse.h"

/* Of a command line; nobody looks at more. */
#define CMDLINE_MAX ((size_t)4096)
#define NUMBER_MAX  ((size_t)64)

/* As much of a file as one read gives; how many bytes, or -errno. */
static int64_t read_some(int dir_fd, const char *name, size_t most, struct vmt_buf *buf)
{
	VMT_AUTO_CLOSE int fd = vmt_open_at(dir_fd, name);
	ssize_t n;
	int r = fd < 0 ? fd : vmt_buf_reserve(buf, most);

	if (r < 0)
		return r;
	do
		n = read(fd, buf->data, most);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	buf->len = (size_t)n;
	return n;
}

/* The same, and what it costs. */
static int64_t read_first(int dir_fd, const char *name, size_t most, struct vmt_buf *buf,
			  struct vmt_proc_read *cost)
{
	uint64_t t0 = vmt_now_ns(CLOCK_MONOTONIC), ns;
	int64_t n = read_some(dir_fd, name, most, buf);

	ns = vmt_now_ns(CLOCK_MONOTONIC) - t0;
	if (ns > cost->longest_ns)
		cost->longest_ns = ns;
	if (n >= 0) {
		cost->reads++;
		cost->bytes += (uint64_t)n;
	}
	return n;
}

/* A number of its own line, which can be below 0. */
static int read_number(int dir_fd, const char *name, struct vmt_proc_read *read, int64_t *ret)
{
	VMT_AUTO_BUF buf = { 0 };
	int64_t n = read_first(dir_fd, name, NUMBER_MAX, &buf, read);
	struct vmt_bytes text;
	bool minus;
	uint64_t v;

	if (n < 0)
		return (int)n;
	if (n == 0)
		return -ESRCH;
	text = (struct vmt_bytes){ buf.data, buf.len };
	minus = vmt_take_char(&text, '-') == 0;
	if (vmt_take_u64(&text, &v) < 0 || v > INT64_MAX ||
	    (text.len && (vmt_take_char(&text, '\n') < 0 || text.len)))
		return vmt_err_set(read->err, -EINVAL, name, 1, "no number");
	*ret = minus ? -(int64_t)v : (int64_t)v;
	return 0;
}

static int read_oom(struct vmt_proc_task *task, int dir_fd, struct vmt_proc_read *read)
{
	int64_t score, adj;
	int r = read_number(dir_fd, "oom_score", read, &score);

	if (r < 0)
		return r;
	if (score < 0)
		return vmt_err_set(read->err, -EINVAL, "oom_score", 1, "below 0");
	r = read_number(dir_fd, "oom_score_adj", read, &adj);
	pthread_mutex_lock(&task->lock);
	VMT_SET(proc, oom_score, &task->rollup, (uint64_t)score);
	if (r == 0)
		VMT_SET(proc, oom_score_adj, &task->rollup, adj);
	pthread_mutex_unlock(&task->lock);
	return r;
}

int vmt_proc_cmdline_parse(struct vmt_bytes text, struct vmt_arena *arena, struct vmt_bytes *ret)
{
	size_t i;
	char *line;

	while (text.len && (!text.ptr[text.len - 1] || text.ptr[text.len - 1] == ' '))
		text.len--;
	line = vmt_arena_copy(arena, text.ptr, text.len);
	if (!line)
		return -ENOMEM;
	for (i = 0; i < text.len; i++)
		if (!line[i])
			line[i] = ' ';
	*ret = (struct vmt_bytes){ line, text.len };
	return 0;
}

static int read_cmdline(struct vmt_proc_task *task, int dir_fd, struct vmt_proc_read *read)
{
	VMT_AUTO_BUF buf = { 0 };
	int64_t n = read_first(dir_fd, "cmdline", CMDLINE_MAX, &buf, read);
	struct vmt_bytes line;
	int r;

	if (n < 0)
		return (int)n;
	r = vmt_proc_cmdline_parse((struct vmt_bytes){ buf.data, buf.len }, &task->arena, &line);
	if (r < 0)
		return r;
	pthread_mutex_lock(&task->lock);
	VMT_SET(proc, cmdline, &task->rollup, line);
	pthread_mutex_unlock(&task->lock);
	return 0;
}

int vmt_proc_read_text(struct vmt_proc_task *task, enum vmt_source_id source, int dir_fd,
		       struct vmt_proc_read *read)
{
	return source == VMT_SOURCE_OOM ? read_oom(task, dir_fd, read)
					: read_cmdline(task, dir_fd, read);
}
