/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/watch.h"

/* What one run of a command shows that has several tables, of which an option chooses one. */
struct vmt_view {
	const char *option; /* NULL for the first, which stands where none is given */
	int section; /* index of the command's sections: what -o, -s and -F are for */
	int second; /* that stands below it, or -1 */
	enum vmt_source_id about; /* without which there is nothing to show */
	uint64_t sources; /* of the command's own collector */
	const char *watch; /* columns with -d; NULL for the usual ones */
	bool once; /* -d is not for it */
};

/* The view that is asked for: 0, or an exit code with the complaint made. */
int vmt_view_choose(struct vmt_ctx *ctx, const struct vmt_view *views, size_t n,
		    const struct vmt_view **ret);

/* The columns and the options of the view's section; w is NULL without -d. An exit code or 0. */
int vmt_view_options(struct vmt_ctx *ctx, const struct vmt_watch *w, const struct vmt_view *v,
		     struct vmt_section *s);

/* The command: columns on request, one look or many by take, whose arg is v. An exit code. */
int vmt_view_run(struct vmt_ctx *ctx, const struct vmt_view *v,
		 int (*take)(struct vmt_ctx *ctx, struct vmt_run *run, struct vmt_watch *w,
			     void *arg));
