/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/recorded.h"

/*
 * The lines of a recording, as vmtop-recording(5) describes them: each is one JSON object and ends
 * with a newline. source/recording.h reads them.
 */

struct vmt_sample_json;

/* 0 or -ENOMEM. */
int vmt_sample_json_new(struct vmt_sample_json **ret);
void vmt_sample_json_free(struct vmt_sample_json *j);

static inline void vmt_sample_json_freep(struct vmt_sample_json **j)
{
	vmt_sample_json_free(*j);
}

/* The line before a key sample: the machine that s is of. Failing to get memory is remembered by
 * out, here and below. */
void vmt_sample_json_header(struct vmt_buf *out, const struct vmt_sample *s, const char *version,
			    uint64_t interval_ns);
/* A sample: where key is NULL all that is known of it, else what is not as it was in key. missed:
 * samples that were due since the recorder began, and were not taken. */
void vmt_sample_json_put(struct vmt_sample_json *j, struct vmt_buf *out, const struct vmt_sample *s,
			 const struct vmt_sample *key, uint64_t missed);
/* Bytes of the last sample's line that say nothing about others, nor others about them. */
size_t vmt_sample_json_own(const struct vmt_sample_json *j);
/* Time that no sample covers before that of s: duration_ns of it, or how far the clock was set. */
void vmt_sample_json_gap(struct vmt_buf *out, const struct vmt_sample *s, const char *reason,
			 int64_t duration_ns);
/* The last line of a recorder that stopped, and why. */
void vmt_sample_json_end(struct vmt_buf *out, uint64_t realtime_ns, const char *reason,
			 uint64_t samples, uint64_t missed);
