/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/check-plan.h"

/*
 * Writes what came of the checks to a file for the textfile collector of node_exporter, as metrics:
 * the status of each by its label, and when it was. known is false where nothing could be measured,
 * which makes all UNKNOWN. An exit code, or 0.
 */
int vmt_check_textfile(struct vmt_ctx *ctx, const char *path, const struct vmt_check_plan *plan,
		       bool known);
