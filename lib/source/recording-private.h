/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "source/recording.h"

/* What the files of lib/source/recording*.c share; nobody else includes it. */

/* Of the window that a frame asks for, and of what comes out of it: a few bytes can stand for any
 * number of them. */
#define VMT_FRAME_WINDOW_LOG 23
#define VMT_FRAME_MAX	     ((size_t)32 << 20)

struct vmt_frames;

/* Reads frames of fd, which stays the caller's. 0 or -ENOMEM. */
int vmt_frames_new(int fd, struct vmt_frames **ret);
void vmt_frames_free(struct vmt_frames *f);

enum vmt_frame_end {
	VMT_FRAME_WHOLE, /* and its checksum is that of its content */
	VMT_FRAME_EARLY, /* the file ends in it */
	VMT_FRAME_BROKEN,
};

/*
 * Reads the frame that begins at byte at into out, which is cleared before: all of it, or of one
 * that ends early what came. *ret_end is the byte behind it. An enum vmt_frame_end, -ENOMEM, or
 * what pread(2) says.
 */
int vmt_frames_read(struct vmt_frames *f, uint64_t at, struct vmt_buf *out, uint64_t *ret_end);
/* The first byte from at on where a frame could begin, but not at limit or behind it; 1 where there
 * is one, else 0, or a negative errno. */
int vmt_frames_find(struct vmt_frames *f, uint64_t at, uint64_t limit, uint64_t *ret);

/* A moment that a line is about. */
struct vmt_recorded_line {
	enum vmt_recorded_type {
		VMT_LINE_OTHER, /* of a newer minor version */
		VMT_LINE_HEADER,
		VMT_LINE_SAMPLE,
		VMT_LINE_GAP,
		VMT_LINE_END,
	} type;
	/* Where the other two are 0 in a sample, they have gone on by as much as the first one has
	 * since the key sample. */
	uint64_t realtime_ns, monotonic_ns, boottime_ns;
	uint64_t key_ns; /* of samples */
	int64_t duration_ns; /* of gaps */
	char reason[32]; /* of gaps */
};

/* What the header says; texts are the arena's. */
struct vmt_recorded_head {
	struct vmt_host host;
	uint64_t interval_ns;
	uint64_t version;
};

/* What sort of line it is. -EBADMSG where it is none, or lacks what its sort must have. */
int vmt_recorded_line(struct vmt_bytes text, struct vmt_recorded_line *ret);
/* -EBADMSG where it is no header of a recording, -ENOMEM. */
int vmt_recorded_head(struct vmt_bytes text, struct vmt_arena *arena,
		      struct vmt_recorded_head *ret);
/* The sample of a line; key NULL: it is a key sample, else the one that it differs from. Its host
 * is left to the caller. -EBADMSG, -ENOMEM. */
int vmt_recorded_sample(struct vmt_bytes text, const struct vmt_sample *key,
			struct vmt_sample **ret, struct vmt_err *err);
