/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/numa-maps.h"

#include <errno.h>

#include "base/parse.h"
#include "source/lines.h"

#define PIECE ((size_t)64 * 1024)

/* The word before a '=' of that name; the rest is what stands behind it. */
static bool take_key(struct vmt_bytes word, const char *key, struct vmt_bytes *ret_value)
{
	size_t len = strlen(key);

	if (!vmt_bytes_starts(word, key) || word.len <= len || word.ptr[len] != '=')
		return false;
	*ret_value = (struct vmt_bytes){ word.ptr + len + 1, word.len - len - 1 };
	return true;
}

/* "N0=12" */
static bool is_node(struct vmt_bytes word)
{
	uint64_t v;

	return vmt_take_char(&word, 'N') == 0 && vmt_take_u64(&word, &v) == 0 &&
	       vmt_take_char(&word, '=') == 0;
}

/* Words that say what smaps and the list say as well. */
static bool is_known(struct vmt_bytes word)
{
	static const char *const flags[] = { "heap", "stack", "huge" };
	static const char *const keys[] = { "file",   "anon",	"dirty",     "mapped",
					    "mapmax", "active", "swapcache", "writeback" };
	struct vmt_bytes value;
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(flags); i++)
		if (vmt_bytes_is(word, flags[i]))
			return true;
	for (i = 0; i < VMT_ARRAY_LEN(keys); i++)
		if (take_key(word, keys[i], &value))
			return true;
	return false;
}

/* mm/mempolicy.c mpol_to_str(): "prefer (many)" and "weighted interleave" are of two words. */
static void take_policy(struct vmt_bytes *cur, struct vmt_bytes *ret)
{
	struct vmt_bytes rest;

	*ret = vmt_take_word(cur);
	rest = *cur;
	vmt_take_blanks(&rest);
	if ((vmt_bytes_is(*ret, "prefer") && vmt_bytes_starts(rest, "(many)")) ||
	    (vmt_bytes_is(*ret, "weighted") && vmt_bytes_starts(rest, "interleave"))) {
		vmt_take_word(&rest);
		ret->len = (size_t)(rest.ptr - ret->ptr);
		*cur = rest;
	}
}

/* The nodes stand together: fs/proc/task_mmu.c prints them in one loop. */
static int add_node(struct vmt_numa_line *n, struct vmt_bytes word)
{
	struct vmt_bytes cur = word;
	uint64_t v;

	vmt_take_char(&cur, 'N');
	vmt_take_u64(&cur, &v);
	vmt_take_char(&cur, '=');
	if (vmt_take_u64(&cur, &v) < 0 || cur.len)
		return -EINVAL;
	if (n->nodes.len && n->nodes.ptr + n->nodes.len + 1 != word.ptr)
		return -EINVAL;
	if (!n->nodes.len)
		n->nodes.ptr = word.ptr;
	n->nodes.len = (size_t)(word.ptr + word.len - n->nodes.ptr);
	return 0;
}

static int take_page_size(struct vmt_numa_line *n, struct vmt_bytes value)
{
	uint64_t kib;
	int r = vmt_take_u64(&value, &kib);

	if (r < 0 || value.len)
		return r < 0 ? r : -EINVAL;
	if (kib > UINT64_MAX / 1024)
		return -ERANGE;
	n->has_page_size = true;
	n->page_size = kib * 1024;
	return 0;
}

int vmt_numa_line_parse(struct vmt_bytes line, struct vmt_numa_line *ret)
{
	struct vmt_numa_line n = { 0 };
	struct vmt_bytes word, value;
	int r = vmt_take_hex(&line, &n.start);

	if (r == 0)
		r = vmt_take_char(&line, ' ');
	if (r < 0)
		return r;
	take_policy(&line, &n.policy);
	if (n.policy.len == 0)
		return -EINVAL;
	vmt_take_blanks(&line);
	while (r == 0 && line.len) {
		word = vmt_take_word(&line);
		vmt_take_blanks(&line);
		if (is_node(word))
			r = add_node(&n, word);
		else if (take_key(word, "kernelpagesize_kB", &value))
			r = take_page_size(&n, value);
		else if (!is_known(word))
			n.unknown++;
	}
	if (r == 0)
		*ret = n;
	return r;
}

struct reading {
	struct vmt_proc_task *task;
	struct vmt_proc_read *read;
	size_t at; /* the mapping that is next */
	struct vmt_map *before; /* that was set last, for its texts */
	bool differs; /* a line without a mapping, or a mapping without a line */
};

static int set(struct reading *rd, struct vmt_map *m, const struct vmt_numa_line *n)
{
	struct vmt_proc_task *task = rd->task;
	struct vmt_bytes policy, nodes;
	const struct vmt_map *before = rd->before;
	int r = vmt_bytes_keep(&task->arena, n->policy, before ? &before->numa_policy : NULL,
			       &policy);

	if (r == 0)
		r = vmt_bytes_keep(&task->arena, n->nodes, before ? &before->numa_nodes : NULL,
				   &nodes);
	if (r < 0)
		return r;
	pthread_mutex_lock(&task->lock);
	VMT_SET(map, numa_policy, m, policy);
	VMT_SET(map, numa_nodes, m, nodes);
	if (n->has_page_size)
		VMT_SET(map, numa_page_size_bytes, m, n->page_size);
	pthread_mutex_unlock(&task->lock);
	rd->before = m;
	return 0;
}

/* Both lists are in order of address. The vsyscall page has no line. */
static int take_line(void *arg, struct vmt_bytes line)
{
	struct reading *rd = arg;
	struct vmt_proc_task *task = rd->task;
	struct vmt_numa_line n;
	int r = vmt_numa_line_parse(line, &n);

	if (r < 0)
		return r;
	if (n.unknown > rd->read->unknown_keys)
		rd->read->unknown_keys = n.unknown;
	while (rd->at < task->n_maps && task->maps[rd->at].start < n.start) {
		rd->at++;
		rd->differs = true;
	}
	if (rd->at == task->n_maps || task->maps[rd->at].start != n.start) {
		rd->differs = true;
		return 0;
	}
	return set(rd, &task->maps[rd->at++], &n);
}

static void note_read(struct vmt_proc_read *read, ssize_t n, uint64_t since_ns)
{
	uint64_t ns = vmt_now_ns(CLOCK_MONOTONIC) - since_ns;

	if (ns > read->longest_ns)
		read->longest_ns = ns;
	if (n > 0)
		read->bytes += (uint64_t)n;
}

static int read_lines(struct reading *rd, struct vmt_job *job, int fd, char *piece)
{
	struct vmt_lines lines;
	ssize_t n;
	int r = 0;

	vmt_lines_init(&lines);
	while (r == 0) {
		uint64_t t0 = vmt_now_ns(CLOCK_MONOTONIC);

		do
			n = read(fd, piece, PIECE);
		while (n < 0 && errno == EINTR);
		r = n < 0 ? -errno : 0;
		note_read(rd->read, n, t0);
		if (n <= 0)
			break;
		r = vmt_lines_feed(&lines, (struct vmt_bytes){ piece, (size_t)n }, take_line, rd);
		if (r == 0 && vmt_job_expired(job))
			r = -ETIMEDOUT;
	}
	if (r == 0)
		r = vmt_lines_finish(&lines, take_line, rd);
	if (r == -EINVAL || r == -ERANGE || r == -EFBIG)
		vmt_err_set(rd->read->err, r, "numa_maps", lines.line + (r == -EFBIG ? 1 : 0),
			    r == -EINVAL   ? "this is no line of a mapping"
			    : r == -ERANGE ? "the number is too large"
					   : "the line has no end");
	else if (r == -ETIMEDOUT)
		vmt_err_set(rd->read->err, r, "numa_maps", 0, "it was not read to its end in time");
	vmt_lines_done(&lines);
	return r;
}

int vmt_proc_read_numa(struct vmt_proc_task *task, struct vmt_job *job, int dir_fd,
		       struct vmt_proc_read *read)
{
	struct reading rd = { .task = task, .read = read };
	uint64_t t0 = vmt_now_ns(CLOCK_MONOTONIC);
	VMT_AUTO_CLOSE int fd = vmt_open_at(dir_fd, "numa_maps");
	VMT_AUTO_FREE char *piece = NULL;
	int r;

	note_read(read, 0, t0);
	if (fd < 0)
		return fd;
	piece = malloc(PIECE);
	if (!piece)
		return -ENOMEM;
	r = read_lines(&rd, job, fd, piece);
	if (r < 0)
		return r;
	read->reads++;
	while (rd.at < task->n_maps && vmt_bytes_is(task->maps[rd.at].path, "[vsyscall]"))
		rd.at++;
	return rd.differs || rd.at < task->n_maps ? -EXDEV : 0;
}
