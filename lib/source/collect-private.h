/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "source/collect.h"
#include "source/proc-job.h"

/* What collect-procs.c needs of a collector; they stay the collector's. */
struct vmt_pool *vmt_collector_pool(struct vmt_collector *c);
struct vmt_proc_shared *vmt_collector_shared(struct vmt_collector *c);
uint64_t vmt_collector_deadline(const struct vmt_collector *c);
