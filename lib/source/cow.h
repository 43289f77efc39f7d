/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "source/collect.h"
#include "source/page-read.h"

/*
 * What a fork made two processes share. fork() leaves both with the same frames, read-only, of what
 * is private and anonymous (mm/memory.c copy_present_page()); the first of the two that writes gets
 * a copy of that page (do_wp_page(), wp_page_copy()). So a page of the two is still shared where
 * both have it in one frame, or at one place on swap, and broken where each has its own.
 */

/* Pages of a range, as two processes have them. */
struct vmt_cow_sum {
	uint64_t shared;
	uint64_t broken;
	uint64_t first_only;
	uint64_t second_only;
	uint64_t unknown; /* in none of the others */
	bool by_marks; /* some could be told by the exclusive mark alone: of what is not unknown,
			* shared is at most so much, and broken at least */
};

/* Adds pages that lie at the same addresses of both; each is one run, or NULL for nothing. Frames
 * and places on swap are those of the first of these pages. */
void vmt_cow_add(struct vmt_cow_sum *sum, const struct vmt_page_run *first,
		 const struct vmt_page_run *second, uint64_t pages);

/* Addresses that both have in a private mapping of the same. */
struct vmt_cow_range {
	uint64_t start;
	uint64_t end;
	size_t first; /* the index of its mapping in each */
	size_t second;
};

/* The ranges, in order of address, of mappings that are in it, too. The array is the caller's. 0 or
 * -ENOMEM. */
int vmt_cow_ranges(const struct vmt_proc_maps *first, const struct vmt_proc_maps *second,
		   struct vmt_cow_range **ret, size_t *ret_n);

/*
 * Whether the one comes of a fork of the other, or both of a third, and none has run another
 * program since: by where their stacks end and where the kernel put its vdso, both of which
 * execve() chooses anew. Where addresses are not random, the same program run twice looks like
 * that, too.
 */
bool vmt_cow_is_fork(const struct vmt_proc_maps *first, const struct vmt_proc_maps *second);

/*
 * Compares processes s->procs[first] and [second], whose mappings s has: reads both in slices, each
 * of the one and then of the other, so that what is written meanwhile is seen as it was at either,
 * and what the kernel moves meanwhile has two frames and counts as broken. A slice is 2^20 pages of
 * address space, or as many as have 2^17 runs in the first process, pages with frames that follow
 * each other being one run. *ret gets a row for each mapping of the first that has anonymous pages
 * in one of the two, or of which that is not known; the array is the caller's, strings are those of
 * s. Of what could not be read no figure is known. 0 or a negative errno as of vmt_collect_pages(),
 * after which the rows are there all the same; -ENOMEM, and there are none.
 */
int vmt_collect_cow(struct vmt_collector *c, struct vmt_sample *s, size_t first, size_t second,
		    struct vmt_cow **ret, size_t *ret_n);
