/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/view.h"

int vmt_view_choose(struct vmt_ctx *ctx, const struct vmt_view *views, size_t n,
		    const struct vmt_view **ret)
{
	const struct vmt_view *v = &views[0];
	size_t i;

	for (i = 1; i < n; i++) {
		if (!vmt_ctx_given(ctx, views[i].option))
			continue;
		if (v->option)
			return vmt_usage_error(ctx, "--%s and --%s exclude each other", v->option,
					       views[i].option);
		v = &views[i];
	}
	if (v->once && vmt_watch_given(ctx))
		return vmt_usage_error(ctx, "--%s is for one look", v->option);
	*ret = v;
	return 0;
}

int vmt_view_options(struct vmt_ctx *ctx, const struct vmt_watch *w, const struct vmt_view *v,
		     struct vmt_section *s)
{
	if (w && v->watch && !vmt_ctx_given(ctx, "output") &&
	    vmt_columns_parse(&s->columns, s->def->entity, v->watch, NULL) < 0)
		return VMT_EXIT_FAILED;
	return vmt_section_options(ctx, s);
}

int vmt_view_run(struct vmt_ctx *ctx, const struct vmt_view *v,
		 int (*take)(struct vmt_ctx *ctx, struct vmt_run *run, struct vmt_watch *w,
			     void *arg))
{
	VMT_AUTO_RUN run = { 0 };
	int r;

	if (vmt_column_help(ctx, ctx->cmd->sections[v->section].entity, &r))
		return r;
	r = vmt_run_open(&run, ctx, 0);
	if (r == 0)
		r = vmt_watch_or_once(ctx, &run, take, &v);
	return r ? r : vmt_run_verdict(&run, ctx, v->about);
}
