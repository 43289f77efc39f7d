/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/sysvipc.h"

#include <errno.h>
#include <stdio.h>

#include "base/parse.h"
#include "source/collect-private.h"
#include "source/namespace.h"

/* 2^15 segments with a line of 200 bytes each, the most that a namespace has (IPCMNI), twice. */
#define FILE_MAX ((size_t)16 * 1024 * 1024)

enum column {
	COL_ID,
	COL_MODE,
	COL_SIZE,
	COL_CREATOR,
	COL_ATTACHED,
	COL_RSS,
	COL_SWAP,
	N_COLS,
	COL_OTHER = N_COLS,
};

#define COLS_MAX 32

static enum column column_of(struct vmt_bytes title)
{
	static const char *const titles[N_COLS] = {
		[COL_ID] = "shmid",	[COL_MODE] = "perms",	   [COL_SIZE] = "size",
		[COL_CREATOR] = "cpid", [COL_ATTACHED] = "nattch", [COL_RSS] = "rss",
		[COL_SWAP] = "swap",
	};
	size_t i;

	for (i = 0; i < N_COLS; i++)
		if (vmt_bytes_is(title, titles[i]))
			return (enum column)i;
	return COL_OTHER;
}

/* Which column each word of a line is of. Those that every kernel has and that say nothing here are
 * no unknown ones. */
static size_t take_titles(struct vmt_bytes line, enum column *cols, unsigned *ret_has,
			  uint64_t *unknown)
{
	static const char *const skipped[] = { "key",  "lpid",	"uid",	 "gid",	 "cuid",
					       "cgid", "atime", "dtime", "ctime" };
	size_t n = 0, i;

	*ret_has = 0;
	vmt_take_blanks(&line);
	while (line.len && n < COLS_MAX) {
		struct vmt_bytes title = vmt_take_word(&line);
		bool known = false;

		cols[n] = column_of(title);
		for (i = 0; i < VMT_ARRAY_LEN(skipped); i++)
			known |= vmt_bytes_is(title, skipped[i]);
		if (cols[n] != COL_OTHER)
			*ret_has |= 1u << cols[n];
		else if (!known)
			++*unknown;
		n++;
		vmt_take_blanks(&line);
	}
	return n;
}

/* The mode is octal: "%4o". */
static int take_octal(struct vmt_bytes *cur, uint64_t *ret)
{
	uint64_t v = 0;
	size_t n = 0;

	while (n < cur->len && cur->ptr[n] >= '0' && cur->ptr[n] <= '7') {
		if (v >> 61)
			return -ERANGE;
		v = v << 3 | (uint64_t)(cur->ptr[n++] - '0');
	}
	if (n == 0)
		return -EINVAL;
	cur->ptr += n;
	cur->len -= n;
	*ret = v;
	return 0;
}

static uint64_t *member(struct vmt_segment *s, enum column col)
{
	switch (col) {
	case COL_ID:
		return &s->id;
	case COL_MODE:
		return &s->mode;
	case COL_SIZE:
		return &s->size;
	case COL_CREATOR:
		return &s->creator;
	case COL_ATTACHED:
		return &s->attached;
	case COL_RSS:
		return &s->rss;
	case COL_SWAP:
		return &s->swap;
	case COL_OTHER:
		break;
	}
	return NULL;
}

static int take_segment(struct vmt_bytes line, const enum column *cols, size_t n,
			struct vmt_segment *ret)
{
	size_t i;

	*ret = (struct vmt_segment){ 0 };
	vmt_take_blanks(&line);
	for (i = 0; i < n; i++) {
		struct vmt_bytes word = vmt_take_word(&line);
		uint64_t *to = member(ret, cols[i]);
		int r = 0;

		if (word.len == 0)
			return -EINVAL;
		if (to)
			r = cols[i] == COL_MODE ? take_octal(&word, to) : vmt_take_u64(&word, to);
		if (r < 0)
			return r;
		if (to && word.len)
			return -EINVAL;
		vmt_take_blanks(&line);
	}
	return line.len ? -EINVAL : 0;
}

int vmt_sysvipc_parse(struct vmt_bytes text, struct vmt_segment **ret, size_t *ret_n,
		      uint64_t *unknown, struct vmt_err *err)
{
	VMT_AUTO_FREE struct vmt_segment *segments = NULL;
	enum column cols[COLS_MAX];
	size_t n_cols, n = 0, cap = 0;
	struct vmt_bytes line;
	unsigned has = 0, number = 1;

	if (!vmt_take_line(&text, &line))
		return vmt_err_set(err, -EINVAL, "sysvipc/shm", 1, "there are no titles");
	n_cols = take_titles(line, cols, &has, unknown);
	if (has != (1u << N_COLS) - 1)
		return vmt_err_set(err, -EINVAL, "sysvipc/shm", 1, "a column is missing");
	while (vmt_take_line(&text, &line)) {
		int r = vmt_grow(&segments, &cap, n + 1, sizeof(*segments));

		number++;
		if (r < 0)
			return vmt_err_set(err, r, NULL, 0, "out of memory");
		r = take_segment(line, cols, n_cols, &segments[n]);
		if (r < 0)
			return vmt_err_set(err, r, "sysvipc/shm", number,
					   r == -ERANGE ? "the number is too large"
							: "this is no line of a segment");
		n++;
	}
	*ret = VMT_STEAL(segments);
	*ret_n = n;
	return 0;
}

int vmt_collect_segments(struct vmt_collector *c, struct vmt_sample *s, struct vmt_segment **ret,
			 size_t *ret_n)
{
	const struct vmt_root *root = vmt_collector_shared(c)->root;
	struct vmt_source_stat *st = &s->sources[VMT_SOURCE_SYSVIPC];
	uint64_t t0 = vmt_now_ns(CLOCK_MONOTONIC), cpu = vmt_now_ns(CLOCK_THREAD_CPUTIME_ID);
	struct vmt_err err = { 0 };
	VMT_AUTO_BUF buf = { 0 };
	int64_t n;
	int r;

	*ret = NULL;
	*ret_n = 0;
	n = vmt_slurp_at(root->proc_fd, "sysvipc/shm", &buf, FILE_MAX);
	r = n < 0 ? (int)n
		  : vmt_sysvipc_parse((struct vmt_bytes){ buf.data, buf.len }, ret, ret_n,
				      &st->unknown_keys, &err);
	st->cpu_ns += vmt_now_ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
	st->longest_ns = vmt_now_ns(CLOCK_MONOTONIC) - t0;
	if (r == -ENOMEM)
		return r;
	if (n > 0)
		st->bytes += (uint64_t)n;
	if (r == 0) {
		st->reads++;
	} else if (r == -ENOENT || r == -ESRCH) {
		st->error = -ENOENT;
		snprintf(st->reason, sizeof(st->reason), "%s",
			 root->live ? "this kernel does not have it" : "not in this recording");
	} else {
		const char *hint =
			err.text[0] ? vmt_arena_copy(&s->arena, err.text, strlen(err.text)) : NULL;

		vmt_sample_failed(s, VMT_SOURCE_SYSVIPC, 0, (struct vmt_bytes){ 0 }, r, hint);
	}
	return 0;
}

uint64_t vmt_own_ipc_namespace(struct vmt_collector *c)
{
	const struct vmt_root *root = vmt_collector_shared(c)->root;
	VMT_AUTO_CLOSE int self = root->live ? vmt_root_open_pid(root, (uint64_t)getpid()) : -1;

	return self < 0 ? 0 : vmt_ipc_namespace(self);
}
