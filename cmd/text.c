/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/text.h"

/* Width of "-b" numbers on the largest machines; names stand flush left before them. */
static void term(struct vmt_buf *out, const struct vmt_ctx *ctx, const char *sign, const char *name,
		 uint64_t bytes, const char *how, uint64_t page_size)
{
	VMT_AUTO_BUF size = { 0 };

	vmt_fmt_size(&size, bytes, ctx->out.unit, page_size);
	vmt_buf_addf(out, "  %1s %14s  %-12s %s\n", sign, size.data ? size.data : "", name, how);
}

/* available, term by term (si_mem_available() of the kernel). */
void vmt_available_text(struct vmt_buf *out, const struct vmt_ctx *ctx, const struct vmt_model *m)
{
	const struct vmt_system *s = &m->system;
	uint64_t page = m->sample->host.page_size;
	uint64_t file, rec, keep;
	VMT_AUTO_BUF rest = { 0 };

	if (!VMT_HAS(system, available_derived_bytes, s)) {
		vmt_buf_adds(out, "available as a sum: unknown, a term of it could not be read\n");
		return;
	}
	file = s->active_file_bytes + s->inactive_file_bytes;
	rec = VMT_HAS(system, kreclaimable_bytes, s) ? s->kreclaimable_bytes
						     : s->slab_reclaimable_bytes;
	vmt_buf_adds(out, "available is\n");
	term(out, ctx, "", "free", s->free_bytes, "", page);
	term(out, ctx, "-", "reserve", s->reserve_bytes, "kept back by the zones", page);
	term(out, ctx, "+", "file cache", file, "active + inactive", page);
	keep = file / 2 / page * page;
	keep = keep < s->low_bytes ? keep : s->low_bytes;
	term(out, ctx, "-", "kept cache", keep, "min(half of it, low watermarks)", page);
	term(out, ctx, "+", "reclaimable", rec, "slab and other kernel memory", page);
	keep = rec / 2 / page * page;
	keep = keep < s->low_bytes ? keep : s->low_bytes;
	term(out, ctx, "-", "kept slab", keep, "min(half of it, low watermarks)", page);
	term(out, ctx, "=", "available", s->available_derived_bytes, "", page);
	if (VMT_HAS(system, available_residual_bytes, s)) {
		vmt_fmt_size_signed(&rest, s->available_residual_bytes, ctx->out.unit, page);
		vmt_buf_addf(out, "    %14s  %-12s %s\n", rest.data ? rest.data : "", "difference",
			     "to the kernel's MemAvailable");
	}
}

void vmt_swap_text(struct vmt_buf *out, const struct vmt_ctx *ctx, const struct vmt_model *m)
{
	const struct vmt_system *s = &m->system;
	uint64_t page = m->sample->host.page_size;

	if (!VMT_HAS(system, swap_used_bytes, s))
		return;
	if (s->swap_total_bytes == 0) {
		vmt_buf_adds(out, "swap: none\n");
		return;
	}
	vmt_buf_adds(out, "swap: ");
	vmt_fmt_size(out, s->swap_used_bytes, ctx->out.unit, page);
	vmt_buf_adds(out, " used of ");
	vmt_fmt_size(out, s->swap_total_bytes, ctx->out.unit, page);
	vmt_buf_addc(out, '\n');
}
