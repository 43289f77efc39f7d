/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <errno.h>

/*
 * Where and why a call failed. The caller owns it, usually on the stack, and hands it down as the
 * optional last argument; the function that fails first fills it. Text is plain bytes of our own
 * making; whatever came from the kernel is escaped before it is put in.
 */
struct vmt_err {
	int code; /* negative errno; 0 while nothing failed */
	unsigned line; /* 1-based line of path, 0 where there is none */
	char path[160]; /* file that was read, empty where there is none */
	char text[256]; /* what went wrong, without a final full stop */
};

/*
 * Fills err (if not NULL) and returns code, so that a failure is one statement. A longer text or
 * path is cut. code is a negative errno.
 */
int vmt_err_set(struct vmt_err *err, int code, const char *path, unsigned line, const char *fmt,
		...) __attribute__((format(printf, 5, 6)));

/* The short upper-case name of an errno ("EACCES"), or "E?" where it has none. Never NULL. */
const char *vmt_errno_name(int code);
