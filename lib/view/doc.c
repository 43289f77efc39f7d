/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/doc.h"

#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>

#include "model/cgroup.h"
#include "model/proc-group.h"

void vmt_doc_done(struct vmt_doc *doc)
{
	size_t i;

	for (i = 0; i < doc->n; i++) {
		struct vmt_section *s = &doc->sections[i];

		free(s->rows);
		free(s->parents);
		vmt_columns_done(&s->columns);
		vmt_buf_done(&s->note);
		vmt_buf_done(&s->lead);
	}
	*doc = (struct vmt_doc){ 0 };
}

struct vmt_section *vmt_doc_add(struct vmt_doc *doc, const struct vmt_section_def *def,
				const void *rows, size_t n)
{
	struct vmt_section *s;
	size_t i;

	if (doc->n == VMT_SECTIONS_MAX)
		return NULL;
	s = &doc->sections[doc->n];
	*s = (struct vmt_section){ .def = def, .n = n, .total = n };
	if (doc->model)
		s->page_size = doc->model->sample->host.page_size;
	s->rows = calloc(n ? n : 1, sizeof(*s->rows));
	if (!s->rows)
		return NULL;
	for (i = 0; i < n; i++)
		s->rows[i] = (const char *)rows + i * def->entity->row_size;
	if (vmt_columns_default(&s->columns, def->entity) < 0) {
		free(s->rows);
		vmt_columns_done(&s->columns);
		return NULL;
	}
	if (def->entity->sort)
		vmt_sort_parse(&s->sort, def->entity, def->entity->sort, NULL);
	doc->n++;
	return s;
}

int vmt_section_arrange(struct vmt_section *s, size_t top)
{
	int r;

	vmt_rows_sort(s->rows, s->n, &s->sort);
	if (s->tree) {
		r = vmt_proc_tree(s->rows, s->n, s->tree, &s->parents);
		if (r < 0)
			return r;
	}
	if (s->cgroup_tree) {
		r = vmt_cgroup_tree(s->rows, s->n, &s->parents);
		if (r < 0)
			return r;
	}
	if (top && s->n > top)
		s->n = top;
	return 0;
}

void vmt_sink_done(struct vmt_sink *sink)
{
	vmt_buf_done(&sink->buf);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Waits until PIPE_BUF bytes can be written; 0, or -errno. */
static int wait_for_reader(const struct vmt_sink *sink)
{
	struct pollfd fd = { .fd = sink->fd, .events = POLLOUT };
	int64_t end = now_ms() + sink->patience_ms;

	for (;;) {
		int64_t left = end - now_ms();
		int n = poll(&fd, 1, left > 0 ? (int)left : 0);

		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (left <= 0)
			return -ETIMEDOUT;
	}
}

int vmt_sink_flush(struct vmt_sink *sink, size_t least)
{
	size_t done = sink->done;

	if (!sink->error)
		sink->error = vmt_buf_error(&sink->buf);
	if (sink->error || sink->held || sink->buf.len <= least)
		return sink->error;
	while (done < sink->buf.len) {
		size_t rest = sink->buf.len - done;
		ssize_t n;

		if (sink->patience_ms) {
			sink->error = wait_for_reader(sink);
			if (sink->error)
				break;
			rest = rest < PIPE_BUF ? rest : PIPE_BUF;
		}
		n = write(sink->fd, sink->buf.data + done, rest);
		if (n < 0) {
			if (errno == EINTR)
				continue;
			/* Whoever shares the terminal or pipe may have made it non-blocking. */
			if (errno == EAGAIN) {
				struct pollfd fd = { .fd = sink->fd, .events = POLLOUT };

				if (poll(&fd, 1, -1) >= 0 || errno == EINTR)
					continue;
			}
			sink->error = -errno;
			break;
		}
		done += (size_t)n;
		sink->used = true;
	}
	vmt_buf_clear(&sink->buf);
	sink->done = 0;
	return sink->error;
}

int vmt_sink_write(struct vmt_sink *sink)
{
	size_t rest = vmt_sink_rest(sink);
	ssize_t n;

	if (!sink->error)
		sink->error = vmt_buf_error(&sink->buf);
	if (sink->error || !rest)
		return sink->error;
	n = write(sink->fd, sink->buf.data + sink->done, rest < PIPE_BUF ? rest : PIPE_BUF);
	if (n < 0) {
		if (errno != EINTR && errno != EAGAIN)
			sink->error = -errno;
		return sink->error;
	}
	sink->used = true;
	sink->done += (size_t)n;
	rest = vmt_sink_rest(sink);
	/* What was written makes room when it is the greater part. */
	if (sink->done >= rest) {
		memmove(sink->buf.data, sink->buf.data + sink->done, rest);
		sink->buf.len = rest;
		sink->done = 0;
	}
	return 0;
}
