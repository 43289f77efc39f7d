/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Reads a whole file that somebody named, of at most max bytes: not a device, and not a pipe that
 * nobody writes to, for which it does not wait. flags are of open(2), such as O_NOFOLLOW. ret is
 * added to; what it holds is followed by a NUL. *ret_mode gets the rights, unless it is NULL.
 *
 * 0, or a negative errno, with path and reason in err: -ENOENT and the like of open(2), -EINVAL for
 * what is no regular file, -EFBIG for more than max bytes, -ENOMEM.
 */
int vmt_whole_file(const char *path, int flags, size_t max, struct vmt_buf *ret, mode_t *ret_mode,
		   struct vmt_err *err);

/*
 * Whether a file of our own that is replaced by each run may be: text, of which the file has that
 * or more, is empty or begins with word, of whatever version. One that somebody else wrote is kept.
 */
bool vmt_is_own_file(const struct vmt_buf *text, const char *word);
