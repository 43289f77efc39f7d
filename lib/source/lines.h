/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* A line longer than this is no line of the kernel: a path is at most some pages long. */
#define VMT_LINE_MAX ((size_t)256 * 1024)

/*
 * Cuts a stream that comes in pieces of any size into lines. Only a line that lies across two
 * pieces is copied.
 */
struct vmt_lines {
	struct vmt_buf carry; /* the beginning of a line whose end has not come */
	unsigned line; /* number of the last line handed out */
	/*
	 * Set after init, or NULL: takes lines from the beginning of what is there, where it knows
	 * them faster than one by one, adds their number to *line, and gives their bytes.
	 */
	size_t (*many)(void *arg, struct vmt_bytes text, unsigned *line);
};

void vmt_lines_init(struct vmt_lines *l);
void vmt_lines_done(struct vmt_lines *l);

/*
 * Hands each line that ends in chunk to fn, without its newline. Stops at the first error of fn
 * and returns it; -EFBIG for a line without end, -ENOMEM.
 */
int vmt_lines_feed(struct vmt_lines *l, struct vmt_bytes chunk,
		   int (*fn)(void *arg, struct vmt_bytes line), void *arg);
/* A last line without a newline counts. */
int vmt_lines_finish(struct vmt_lines *l, int (*fn)(void *arg, struct vmt_bytes line), void *arg);

/* How many lines of a whole text begin with word behind their blanks: as many rows can there be.
 * "" counts all. */
size_t vmt_count_lines(struct vmt_bytes text, const char *word);
/* A line of a whole text that is none of that file, for r (-ENOMEM, -ERANGE, -EINVAL), which is
 * returned. */
int vmt_malformed_line(struct vmt_err *err, int r, const char *path, unsigned line);
