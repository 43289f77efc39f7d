/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/commands.h"

/*
 * What waits for the reader of a stream at most. Behind that nothing is taken out of the kernel's
 * ring: it fills, and the programs count what finds it full.
 */
#define VMT_STREAM_BACKLOG ((size_t)1 << 20)

/* Writes what a sink holds until nothing is left, or the time of CLOCK_MONOTONIC is over, or there
 * is a signal on that signalfd. -EPIPE where the reader is gone; what a write failed with. */
int vmt_stream_write(struct vmt_sink *sink, int signals, uint64_t until_ns);
