/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/top-collect.h"
#include "cmd/ui/settings.h"

/* The dashboard on the terminal, until it is told to end, or after count samples (0: no such end).
 * An exit code; -1 after a note where the terminal cannot show it. */
int vmt_top_dashboard(struct vmt_ctx *ctx, const struct vmt_ui_settings *settings, uint64_t count,
		      struct vmt_top *top, struct vmt_ui *ui);
