/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/text.h"

#include <inttypes.h>

/* Width of "-b" numbers on the largest machines; names stand flush left before them. */
static void term(struct vmt_buf *out, const struct vmt_ctx *ctx, const char *sign, const char *name,
		 uint64_t bytes, const char *how, uint64_t page_size)
{
	VMT_AUTO_BUF size = { 0 };

	vmt_fmt_size(&size, bytes, ctx->out.unit, page_size);
	vmt_buf_addf(out, "  %1s %14s  %-*s%s%s\n", sign, size.data ? size.data : "", *how ? 12 : 0,
		     name, *how ? " " : "", how);
}

/* available, term by term (si_mem_available() of the kernel). */
void vmt_available_text(struct vmt_buf *out, const struct vmt_ctx *ctx, const struct vmt_model *m)
{
	static const char *const titles[] = { "free",	    "reserve",	   "file cache",
					      "kept cache", "reclaimable", "kept slab" };
	static const char *const how[] = { "",
					   "kept back by the zones",
					   "active + inactive",
					   "min(half of it, low watermarks)",
					   "slab and other kernel memory",
					   "min(half of it, low watermarks)" };
	const struct vmt_system *s = &m->system;
	uint64_t page = m->sample->host.page_size;
	VMT_AUTO_BUF rest = { 0 };
	size_t i;

	if (!VMT_HAS(system, available_derived_bytes, s) || m->n_terms != VMT_ARRAY_LEN(titles)) {
		vmt_buf_adds(out, "available as a sum: unknown, a term of it could not be read\n");
		return;
	}
	vmt_buf_adds(out, "available is\n");
	for (i = 0; i < m->n_terms; i++) {
		int64_t v = m->terms[i].size_bytes;
		/* Half of nothing is taken away all the same. */
		bool minus = i == 1 || i == 3 || i == 5;

		term(out, ctx,
		     i == 0  ? ""
		     : minus ? "-"
			     : "+",
		     titles[i], v < 0 ? (uint64_t)-v : (uint64_t)v, how[i], page);
	}
	term(out, ctx, "=", "available", s->available_derived_bytes, "", page);
	if (VMT_HAS(system, available_residual_bytes, s)) {
		vmt_fmt_size_signed(&rest, s->available_residual_bytes, ctx->out.unit, page);
		vmt_buf_addf(out, "    %14s  %-12s %s\n", rest.data ? rest.data : "", "difference",
			     "to the kernel's MemAvailable");
	}
}

static void size(struct vmt_buf *out, const struct vmt_ctx *ctx, const struct vmt_model *m,
		 uint64_t bytes)
{
	vmt_fmt_size(out, bytes, ctx->out.unit, m->sample->host.page_size);
}

void vmt_commit_text(struct vmt_buf *out, const struct vmt_ctx *ctx, const struct vmt_model *m)
{
	const struct vmt_commit *c = &m->commit;
	bool limit = VMT_HAS(commit, commit_limit_bytes, c);

	if (!VMT_HAS(commit, committed_bytes, c))
		return;
	vmt_buf_adds(out, "promised to processes: ");
	size(out, ctx, m, c->committed_bytes);
	if (!VMT_HAS(commit, policy, c)) {
		vmt_buf_adds(out, "; how much may be is unknown\n");
		return;
	}
	if (c->overcommit_memory == 1) {
		vmt_buf_adds(out, "\n  vm.overcommit_memory 1, always: no request is refused, "
				  "and memory is taken\n  when it is written\n");
	} else if (c->overcommit_memory == 0) {
		vmt_buf_adds(out, "\n  vm.overcommit_memory 0, a rule of thumb: a single request "
				  "is refused above\n  memory + swap");
		if (VMT_HAS(commit, largest_bytes, c)) {
			vmt_buf_adds(out, ", ");
			size(out, ctx, m, c->largest_bytes);
		}
		vmt_buf_adds(out, "; their sum is not limited, memory is taken\n"
				  "  when it is written");
		if (limit) {
			vmt_buf_adds(out, "; CommitLimit ");
			size(out, ctx, m, c->commit_limit_bytes);
			vmt_buf_adds(out, " does not bind");
		}
		vmt_buf_addc(out, '\n');
	} else {
		if (limit) {
			vmt_buf_adds(out, " of ");
			size(out, ctx, m, c->commit_limit_bytes);
		}
		vmt_buf_adds(out, "\n  vm.overcommit_memory 2, never");
		if (VMT_HAS(commit, largest_bytes, c)) {
			vmt_buf_adds(out, ": ");
			size(out, ctx, m, c->largest_bytes);
			vmt_buf_adds(out, " are left");
		}
		if (VMT_HAS(commit, admin_reserve_bytes, c)) {
			vmt_buf_adds(out, ",\n  less ");
			size(out, ctx, m, c->admin_reserve_bytes);
			vmt_buf_adds(out, " that are for root alone");
		}
		vmt_buf_addc(out, '\n');
	}
}

static void rate(struct vmt_buf *out, const char *name, bool known, uint64_t milli)
{
	if (known)
		vmt_buf_addf(out, " %s %" PRIu64, name, (milli + 500) / 1000);
	else
		vmt_buf_addf(out, " %s -", name);
}

void vmt_rates_text(struct vmt_buf *out, const struct vmt_model *m)
{
	const struct vmt_system *s = &m->system;

	if (!VMT_HAS(system, pgfault_per_second, s))
		return;
#define RATE(name, member)                                                                         \
	rate(out, name, VMT_HAS(system, member##_per_second, s), s->member##_per_second)
	vmt_buf_adds(out, "a second:");
	RATE("faults", pgfault);
	RATE("major", pgmajfault);
	RATE("| swap in", pswpin);
	RATE("out", pswpout);
	RATE("| refaults: file", workingset_refault_file);
	RATE("anon", workingset_refault_anon);
	vmt_buf_adds(out, "\n  reclaim: kswapd");
	RATE("scanned", pgscan_kswapd);
	RATE("took", pgsteal_kswapd);
	RATE("| direct scanned", pgscan_direct);
	RATE("took", pgsteal_direct);
#undef RATE
	vmt_buf_addc(out, '\n');
}

#define WIDTH	       ((size_t)80)
#define PRESSURE_WIDTH (sizeof(" | memory some 100.00 full 100.00") - 1)

void vmt_pressure_text(struct vmt_buf *out, const struct vmt_model *m)
{
	size_t line = out->len, i;

	if (!m->n_pressure)
		return;
	vmt_buf_adds(out, "waited, %:");
	for (i = 0; i < m->n_pressure; i++) {
		const struct vmt_pressure *p = &m->pressure[i];
		bool now = VMT_HAS(pressure, stalled_percent, p);
		uint64_t v = now ? p->stalled_percent : p->avg10_percent;

		if (!now && !VMT_HAS(pressure, avg10_percent, p))
			continue;
		if (i == 0 || !vmt_bytes_equal(p->resource, p[-1].resource)) {
			/* Of three the last may have no room. */
			if (out->len - line > WIDTH - PRESSURE_WIDTH) {
				line = out->len + 1;
				vmt_buf_adds(out, "\n ");
			}
			vmt_buf_adds(out, i ? " | " : " ");
			vmt_fmt_safe(out, p->resource, true);
		}
		vmt_buf_addc(out, ' ');
		vmt_fmt_safe(out, p->kind, true);
		vmt_buf_addf(out, " %" PRIu64 ".%02u", v / 1000, (unsigned)(v % 1000 / 10));
	}
	vmt_buf_addc(out, '\n');
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

void vmt_wrap(struct vmt_buf *out, const char *text, size_t width, int indent)
{
	while (strlen(text) > width) {
		size_t n = width;

		while (n > 0 && text[n] != ' ')
			n--;
		if (n == 0)
			n = strcspn(text, " ");
		if (!text[n])
			break;
		vmt_buf_add(out, text, n);
		vmt_buf_addf(out, "\n%*s", indent, "");
		text += n + 1;
	}
	vmt_buf_addf(out, "%s\n", text);
}
