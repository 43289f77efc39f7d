/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Victims of the OOM killer as bpf/oom.bpf.c puts them into its ring. For probe-oom.c alone. */

#include "bpf/oom.h"
#include "source/probe-load.h"
#include "source/probe-oom.h"

/* Who takes them. */
struct vmt_oom_taker {
	const struct vmt_probe_array *names; /* of files, rows of struct vmt_slot_name */
	struct vmt_arena *arena; /* of texts */
	vmt_ooms_fn *fn;
	void *arg;
	/* Gets the record of the self-check. */
	void (*check)(void *arg, const struct vmt_oom_record *r);
	void *check_arg;
	size_t taken; /* and given to fn */
	uint64_t broken; /* that were no records, by their length */
};

/* A counter of RSS may be below 0 for a moment, and means 0 then, as get_mm_counter() has it. */
static inline uint64_t vmt_oom_pages(uint64_t rss)
{
	return rss > INT64_MAX ? 0 : rss;
}

/* For ring_buffer__new(): takes one record, of any length and any bytes. taker is a struct
 * vmt_oom_taker. -ENOMEM, or what its fn returned. */
int vmt_oom_on_record(void *taker, void *record, size_t size);
