/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What is written to standard error while a screen is shown would stand in the middle of it: it is
 * kept, and comes out behind it.
 */
struct vmt_aside {
	int old; /* standard error as it was; -1 while nothing is kept */
};

/* Begins, where standard error is a terminal; without memory for it nothing changes. */
void vmt_aside_begin(struct vmt_aside *a);
/* No more than a page of it is kept; to be called now and then. */
void vmt_aside_trim(const struct vmt_aside *a);
/* Ends, and writes what was kept. Safe in a handler of signals. */
void vmt_aside_end(struct vmt_aside *a);
