/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "model/sample.h"

/*
 * Reading recordings (vmtop-recording(5)). A file may be broken, hostile, of another machine, and
 * grow while it is read: what is allocated is bounded whatever it says, what is broken costs itself
 * and is named in a remark, and nothing but the file is opened. Needs no privilege. Builds without
 * libzstd or json-c refuse every file with -ENOSYS.
 */
struct vmt_recording;

/* Samples that one recording is read of: at one a second, 48 days. */
#define VMT_RECORDING_SAMPLES_MAX ((size_t)1 << 22)

/*
 * Finds all samples of a file. -EINVAL for "-", -EBADMSG where it is no recording or has no whole
 * sample, is empty, or is no regular file, -EPROTONOSUPPORT where it is of a newer format, and what
 * open(2) says.
 */
int vmt_recording_open(const char *path, struct vmt_recording **ret, struct vmt_err *err);
/* The same of a file that is open, which may be without a sample; fd is the recording's, also where
 * that fails. */
int vmt_recording_open_fd(int fd, const char *path, struct vmt_recording **ret,
			  struct vmt_err *err);
void vmt_recording_free(struct vmt_recording *r);

static inline void vmt_recording_freep(struct vmt_recording **r)
{
	vmt_recording_free(*r);
}
#define VMT_AUTO_RECORDING VMT_CLEANUP(vmt_recording_freep) struct vmt_recording *

/* Looks for what was added since; the samples that there are keep their places. 0, or as above. */
int vmt_recording_refresh(struct vmt_recording *r, struct vmt_err *err);

/* Samples that can be read, in the order of the file, from 0 on. */
size_t vmt_recording_n(const struct vmt_recording *r);
/* When one was begun, in ns since 1970. */
uint64_t vmt_recording_time(const struct vmt_recording *r, size_t i);
/* The first that was begun at that time or later; vmt_recording_n() where there is none. The clock
 * may have been set back in between: then it is the first in the file. */
size_t vmt_recording_find(const struct vmt_recording *r, uint64_t realtime_ns);
/* Whether rates can be made of the sample before and this one: same boot, and no gap between. */
bool vmt_recording_follows(const struct vmt_recording *r, size_t i);
/* Samples were to be so far apart; 0 where nobody said. */
uint64_t vmt_recording_interval(const struct vmt_recording *r, size_t i);

/*
 * A whole sample, the caller's. What the recorder had not read has sources that are absent, with
 * that as their reason. -EBADMSG where its line, or that of its key sample, cannot be understood;
 * -ENOMEM.
 */
int vmt_recording_sample(struct vmt_recording *r, size_t i, struct vmt_sample **ret,
			 struct vmt_err *err);

/* What is to be said about the file, a line each: broken frames, an early end, gaps. NULL behind
 * the last. */
const char *vmt_recording_remark(const struct vmt_recording *r, size_t i);
/* Whether something of it is broken or missing; gaps alone are not. */
bool vmt_recording_is_damaged(const struct vmt_recording *r);

/* What a file ends with, for who goes on writing it. */
struct vmt_recording_tail {
	uint64_t first_ns, last_ns; /* when its samples were begun, since 1970; 0: there is none */
	uint64_t end; /* the byte behind the last whole frame */
	uint64_t remains; /* bytes behind that which are no frame, not even one that was not
			   * finished: at most 1 MiB */
	struct vmt_buf rest; /* whole lines in the frame behind that, which was not finished; the
			      * caller's */
};

/*
 * However many samples there are, the memory for it is the same. fd is closed. As
 * vmt_recording_open_fd(), and -EBADMSG where something stands behind the last whole frame that is
 * neither a frame that was not finished nor what one leaves: it may be what somebody wants to keep.
 */
int vmt_recording_tail(int fd, const char *path, struct vmt_recording_tail *ret,
		       struct vmt_err *err);
