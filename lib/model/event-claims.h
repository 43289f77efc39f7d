/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/events.h"

/*
 * Who made what is mapped. The kernel's side keeps a claim for each range that a call mapped, and
 * does not see all that became of it; the list of mappings does. What both have is still mapped,
 * and of two claims of an address the later one is true.
 */

/* Addresses that are still mapped as a claim says, and in one mapping. */
struct vmt_event_piece {
	uint64_t start;
	uint64_t end;
	size_t claim; /* an index, and one of the mappings */
	size_t map;
	/* For who reads page tables: */
	bool known; /* they were read */
	uint64_t touched; /* pages that have an entry */
	uint64_t resident; /* of these, those in memory */
};

/*
 * Puts the claims of a sample in order, by process and address, without those that an execve() or
 * the end of their process has ended, and says of each place what is known of it so far: nothing
 * where its process has ended, or claims of it were lost; else that nothing is left. 0 or -ENOMEM.
 */
int vmt_event_claims_begin(struct vmt_event_sample *s);

/* Of n claims and n_maps mappings of one process, each in order of address: the pieces, in order of
 * address; the array is the caller's. 0 or -ENOMEM. */
int vmt_event_claims_cut(const struct vmt_event_claim *claims, size_t n, const struct vmt_map *maps,
			 size_t n_maps, struct vmt_event_piece **ret, size_t *ret_n);

/* Adds n pieces to the claims from claims[first] on, by which they are numbered, and to the places
 * of these. */
void vmt_event_claims_add(struct vmt_event_sample *s, size_t first,
			  const struct vmt_event_piece *pieces, size_t n, uint64_t page_size);
/* Of n claims from claims[first] on it is not known what became of them. */
void vmt_event_claims_lose(struct vmt_event_sample *s, size_t first, size_t n);
