/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/*
 * The file of a recorder: lines go into frames of zstd, one after the other, and are in the file
 * when a call returns. Two recorders never write one file.
 */
struct vmt_record_file;

/* What a file had before it was opened. */
struct vmt_record_found {
	/* When the first and the last one of its samples were taken, since 1970; 0: there are none.
	 */
	uint64_t first_ns, last_ns;
	/* Bytes behind the last frame that were dropped, as no part of a recording. */
	uint64_t dropped;
};

/*
 * Opens path, or makes it (mode 0600), and locks it; fresh: it has to be made. What a recorder left
 * unfinished is finished: its whole lines become a frame. -EBUSY with the pid in err where another
 * recorder has it, -EPERM where it is another user's or has more than one name, -EBADMSG where it
 * is something else than a recording, or ends in something else (it is not touched),
 * -EPROTONOSUPPORT, -ENOSYS (this build), and what the kernel says.
 */
int vmt_record_file_open(const char *path, bool fresh, struct vmt_record_file **ret,
			 struct vmt_record_found *ret_found, struct vmt_err *err);
/* Finishes the frame and closes. What was written stays whole whatever fails, but the frame that is
 * being finished: it is written once more in its own place. */
int vmt_record_file_close(struct vmt_record_file *f);

/* Adds whole lines to the frame, and writes them. 0, or what write(2) says: then the file ends with
 * a whole frame, in which these lines are not. */
int vmt_record_file_add(struct vmt_record_file *f, struct vmt_bytes lines);
/* Finishes the frame, if one was begun, and has it on the disk. The same. */
int vmt_record_file_finish(struct vmt_record_file *f);
/* Bytes of text in the frame; 0 where none was begun. */
size_t vmt_record_file_frame(const struct vmt_record_file *f);
/* Bytes of the file. */
uint64_t vmt_record_file_size(const struct vmt_record_file *f);
