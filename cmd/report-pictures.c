/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/report-pictures.h"

#include <unistd.h>

#include "view/picture.h"

bool vmt_report_has_pictures(const struct vmt_ctx *ctx)
{
	return ctx->format->emit == vmt_out_html || ctx->format->emit == vmt_out_svg;
}

int vmt_report_check_sink(struct vmt_ctx *ctx)
{
	if (vmt_ctx_given(ctx, "write") || !isatty(STDOUT_FILENO))
		return 0;
	return vmt_usage_error(ctx, "%s is not for a terminal: -w FILE, or > FILE",
			       ctx->format->name);
}

int vmt_report_picture_of(const char *word, size_t len)
{
	int i;

	for (i = 0; i < VMT_PICTURES; i++)
		if (strlen(vmt_pictures[i]->name) == len &&
		    strncmp(vmt_pictures[i]->name, word, len) == 0)
			return i;
	return -1;
}

int vmt_report_choose(struct vmt_ctx *ctx, bool with_pids, unsigned *pictures)
{
	if (ctx->format->emit != vmt_out_svg)
		return 0;
	if (!*pictures && vmt_ctx_given(ctx, "only"))
		return vmt_usage_error(ctx, "of that there is no picture");
	if (!*pictures)
		*pictures = 1u << (with_pids ? VMT_PICTURE_MAPS : VMT_PICTURE_MEMORY);
	if (__builtin_popcount(*pictures) > 1)
		return vmt_usage_error(ctx, "svg is one picture: --only names it");
	return 0;
}

int vmt_report_maps(struct vmt_ctx *ctx, struct vmt_run *run, const uint64_t *pids, size_t n)
{
	const uint64_t sources = VMT_SOURCE_BIT(MAPS) | VMT_SOURCE_BIT(ROLE) | VMT_COLLECT_CHEAP;
	VMT_AUTO_FREE size_t *indices = calloc(n ? n : 1, sizeof(*indices));
	const struct vmt_sample *s = run->sample;
	size_t i, k = 0;

	if (!indices)
		return vmt_no_memory(ctx);
	for (i = 0; i < n; i++) {
		const struct vmt_proc *p = vmt_sample_proc(s, pids[i]);

		if (p)
			indices[k++] = (size_t)(p - s->procs);
	}
	vmt_run_announce(run, ctx, sources, indices, k);
	return k ? vmt_run_procs(run, ctx, sources, indices, k) : 0;
}

int vmt_report_drawable(struct vmt_ctx *ctx, const struct vmt_doc *doc)
{
	struct vmt_picture_ask ask = { .model = doc->model, .opts = &ctx->out, .alone = true };
	VMT_AUTO_BUF why = { 0 };
	int i;

	if (ctx->format->emit != vmt_out_svg)
		return 0;
	if (doc->n_pids)
		ask.pid = doc->pids[0];
	if (doc->n)
		ask.section = &doc->sections[0];
	for (i = 0; i < VMT_PICTURES_ALL; i++) {
		if (!(doc->pictures >> i & 1) || vmt_pictures[i]->has(&ask, &why))
			continue;
		vmt_complain(ctx, "no picture: %s", why.data ? why.data : "");
		return VMT_EXIT_FAILED;
	}
	return 0;
}
