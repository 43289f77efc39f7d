/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/sample.h"

/* Samples into the file of a recording: which of them are key samples, when a frame ends, what lies
 * between two of them, and files one after the other. */
struct vmt_recorder_opts {
	const char *path; /* stays the caller's, and there */
	uint64_t interval_ns; /* between samples, as wanted; 0 where it is not known */
	uint64_t frame_ns; /* time in one frame; 0: a minute */
	/* Another file is begun where one has so many bytes, or is so old; 0: never. */
	uint64_t rotate_bytes;
	uint64_t rotate_ns;
	unsigned keep; /* files that are kept beside the one that is written */
	bool fresh; /* path has to be made when it is opened first */
};

struct vmt_recorder;

/* As vmt_record_file_open(). */
int vmt_recorder_open(const struct vmt_recorder_opts *opts, struct vmt_recorder **ret,
		      struct vmt_err *err);
/* Finishes the file; reason says why, in a word. The recorder is gone, and what was written before
 * stays whole whatever fails, but the frame that is being finished. */
int vmt_recorder_close(struct vmt_recorder *r, const char *reason, struct vmt_err *err);
/* Records a sample, which stays the caller's; -E2BIG where it is more than is ever read. missed:
 * ticks that no sample was taken for, since the recorder was opened. A failure is the end of the
 * recording: it is to be closed. */
int vmt_recorder_put(struct vmt_recorder *r, const struct vmt_sample *s, uint64_t missed,
		     struct vmt_err *err);
/* Closes the file and opens what stands there now. The same. */
int vmt_recorder_reopen(struct vmt_recorder *r, struct vmt_err *err);
/* Samples that were recorded. */
uint64_t vmt_recorder_samples(const struct vmt_recorder *r);
/* Processes whose mappings were left out of the last one, which would have been more than a line
 * can hold. */
size_t vmt_recorder_left_out(const struct vmt_recorder *r);
/* Bytes behind the last frame of the file, when it was opened, that were no part of a recording:
 * they were dropped. */
uint64_t vmt_recorder_dropped(const struct vmt_recorder *r);
/* Bytes of the file that is written. */
uint64_t vmt_recorder_size(const struct vmt_recorder *r);

/* What lies between two moments of one boot: how long the machine was suspended, and how far its
 * clock was set, in ns; 0 where that is too little to be told. */
uint64_t vmt_recorder_suspended(const struct vmt_host *before, const struct vmt_host *now);
int64_t vmt_recorder_clock_step(const struct vmt_host *before, const struct vmt_host *now);
