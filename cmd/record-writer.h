/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/*
 * The file of a recorder: lines go into frames of zstd, one after the other, and are in the file
 * when a call returns. Two recorders never write one file.
 */
struct vmt_record_file;

/*
 * Opens path, or makes it (mode 0600), and locks it. What a recorder left unfinished is finished:
 * its whole lines become a frame. *ret_last_ns: when the last sample of it was taken, since 1970; 0
 * where there is none. -EBUSY with the pid in err where another recorder has it, -EBADMSG where it
 * is something else than a recording (it is not touched), -EPROTONOSUPPORT, -ENOSYS (this build),
 * and what the kernel says.
 */
int vmt_record_file_open(const char *path, struct vmt_record_file **ret, uint64_t *ret_last_ns,
			 struct vmt_err *err);
/* Finishes the frame and closes. What was written stays whole whatever fails. */
int vmt_record_file_close(struct vmt_record_file *f);

/* Adds whole lines to the frame, and writes them. 0, or what write(2) says: then the file ends with
 * a whole frame, in which these lines are not. */
int vmt_record_file_add(struct vmt_record_file *f, struct vmt_bytes lines);
/* Finishes the frame, if one was begun. The same. */
int vmt_record_file_finish(struct vmt_record_file *f);
/* Bytes of text in the frame; 0 where none was begun. */
size_t vmt_record_file_frame(const struct vmt_record_file *f);
/* Bytes of the file. */
uint64_t vmt_record_file_size(const struct vmt_record_file *f);
