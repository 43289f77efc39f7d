/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/check-measure.h"

/*
 * What check keeps from one run to the next, as text: the boot, the time, the counters of the
 * machine, and the size of the processes that were looked at. Read back, it is a sample, and the
 * model makes the rates of it as of any two samples.
 *
 *   vmtop-check-state 1
 *   boot_id 4a4d...
 *   monotonic_ns 60956452836665
 *   system pgmajfault_total 12
 *   proc 4711 8890000000 rss_bytes 4096
 *   end
 */

/* A longer file is not ours. */
#define VMT_CHECK_STATE_MAX 262144u
/* Processes that are kept. */
#define VMT_CHECK_STATE_PROCS 4096u

/* Appends the state of a sample; of its processes those that any of n wants takes. */
void vmt_check_state_write(struct vmt_buf *out, const struct vmt_sample *s,
			   const struct vmt_figure_want *wants, size_t n);
/*
 * Reads it. A line that is not known is passed over. -EINVAL, with the line in err, where a known
 * one is malformed, where the end is missing, or where it is of another version; -ENOMEM.
 */
int vmt_check_state_read(struct vmt_bytes text, struct vmt_sample **ret, struct vmt_err *err);
