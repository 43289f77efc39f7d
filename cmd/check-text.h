/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/check-plan.h"

/* The worst of the items. */
enum vmt_status vmt_check_worst(const struct vmt_check_plan *plan);

/*
 * What a monitor reads: a line with what is not fine (or all, where they are few), with perfdata
 * behind a bar unless it is not wanted; below it a line for each item that is not in the first, and
 * more (may be NULL), which has whole lines. problem, which may be empty, is what went wrong with
 * check itself.
 */
void vmt_check_text(struct vmt_buf *out, const struct vmt_check_plan *plan, enum vmt_status status,
		    const char *problem, const struct vmt_buf *more, bool perfdata);
