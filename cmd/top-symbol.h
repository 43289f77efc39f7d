/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/collect-loop.h"
#include "cmd/ui/ui.h"

#define VMT_TOP_SYMBOLS 16

/*
 * What instructions of single faults are. The mappings of their process as they are now say which
 * file that is, so one that has ended has none, also where another one has its number by now;
 * nothing of it is asked in the kernel at the fault.
 */
struct vmt_top_symbols {
	struct vmt_top_symbol {
		uint64_t pid; /* 0: of none */
		uint64_t ip;
		/* CLOCK_MONOTONIC, both included: of faults from then till then. Those before and
		 * after may be of another process with that number. */
		uint64_t from_ns, to_ns;
		struct vmt_buf text; /* empty: it could not be had */
		uint64_t until_ns; /* CLOCK_MONOTONIC; after that it is looked up anew */
	} known[VMT_TOP_SYMBOLS];
	size_t next; /* the oldest of them */
};

void vmt_top_symbols_done(struct vmt_top_symbols *t);
/*
 * Looks up what the code is, where that is not known: mappings and file are read by readers of the
 * pool, for which the caller waits a tenth of a second and no longer. 1 where it was looked up, 0
 * where it was known, -ENOMEM.
 */
int vmt_top_symbols_look(struct vmt_top_symbols *t, struct vmt_collector *c,
			 const struct vmt_ui_code *code);
/* Sets the symbols of the single faults of a model, as far as they are known. 0 or -ENOMEM. */
int vmt_top_symbols_put(const struct vmt_top_symbols *t, struct vmt_model *m);
