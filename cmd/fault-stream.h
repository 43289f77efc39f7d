/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/fault-window.h"

/*
 * 'faults --stream': single faults as lines of JSON while they come, and the table behind them.
 * window has what the options say, its live and arg are set here. run is open, with a sample of
 * before. An exit code.
 */
int vmt_fault_stream(struct vmt_ctx *ctx, struct vmt_run *run, struct vmt_window_opts *window,
		     const struct vmt_model_opts *model);
