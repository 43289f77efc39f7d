/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/zones-text.h"

#include <inttypes.h>

#include "base/fmt.h"

#define CELLS 28u

/* Doublings from base to v, in 1024ths; v is not below base. */
static uint64_t doublings(uint64_t base, uint64_t v)
{
	unsigned __int128 x = ((unsigned __int128)v << 32) / base;
	unsigned whole = 0;
	uint64_t part;

	while (x >> 33) {
		x >>= 1;
		whole++;
	}
	/* Between two powers a straight line is near enough for a cell. */
	part = (uint64_t)((x - (UINT64_C(1) << 32)) >> 22);
	return (uint64_t)whole * 1024 + part;
}

/* The cell that v falls into, of all from base to top. */
static unsigned cell_of(uint64_t base, uint64_t top, uint64_t v)
{
	uint64_t all = doublings(base, top);
	uint64_t cell;

	if (v <= base || all == 0)
		return 0;
	cell = v >= top ? CELLS : doublings(base, v) * CELLS / all;
	return cell < CELLS ? (unsigned)cell : CELLS - 1;
}

static void bar(struct vmt_buf *out, const struct vmt_zone_row *z)
{
	const struct {
		char letter;
		uint64_t bytes;
	} marks[] = { { 'm', z->min_bytes }, { 'l', z->low_bytes }, { 'h', z->high_bytes } };
	uint64_t base = z->min_bytes / 2 ? z->min_bytes / 2 : 1;
	char cells[CELLS + 1];
	unsigned i, free_cells, next = 0;

	/* Nothing free has no cell, and a little has one. */
	free_cells = z->free_bytes ? cell_of(base, z->managed_bytes, z->free_bytes) + 1 : 0;
	for (i = 0; i < CELLS; i++)
		cells[i] = i < free_cells ? '=' : '.';
	cells[CELLS] = 0;
	for (i = 0; i < VMT_ARRAY_LEN(marks); i++) {
		unsigned at = cell_of(base, z->managed_bytes, marks[i].bytes);

		/* Those that fall into one cell stand beside each other. */
		at = at < next ? next : at;
		if (at >= CELLS)
			break;
		cells[at] = marks[i].letter;
		next = at + 1;
	}
	vmt_buf_addf(out, "[%s]", cells);
}

/* "0 Normal  " */
static void zone_name(struct vmt_buf *out, uint64_t node, struct vmt_bytes zone)
{
	VMT_AUTO_BUF name = { 0 };

	vmt_fmt_safe(&name, zone, true);
	vmt_buf_addf(out, "  %" PRIu64 " %-8s ", node, name.data ? name.data : "");
}

void vmt_zone_bars(struct vmt_buf *out, const struct vmt_model *m)
{
	bool any = false;
	size_t i;

	for (i = 0; i < m->n_zones; i++) {
		const struct vmt_zone_row *z = &m->zones[i];

		if (!VMT_HAS(zone, free_bytes, z) || !VMT_HAS(zone, managed_bytes, z) ||
		    !VMT_HAS(zone, min_bytes, z) || !VMT_HAS(zone, low_bytes, z) ||
		    !VMT_HAS(zone, high_bytes, z) || z->managed_bytes == 0)
			continue;
		if (!any)
			vmt_buf_adds(out,
				     "watermarks (min low high) and free (=); a cell is the same "
				     "factor,\nthe last is all that is managed\n");
		any = true;
		zone_name(out, z->node, z->zone);
		bar(out, z);
		vmt_buf_addc(out, '\n');
	}
}

/* The orders of one zone. */
static void zone_fragmentation(struct vmt_buf *out, const struct vmt_order *orders, size_t n)
{
	bool any = false;
	size_t i;

	zone_name(out, orders[0].node, orders[0].zone);
	for (i = 0; i < n; i++) {
		if (VMT_HAS(order, unusable_ratio, &orders[i]))
			vmt_buf_addf(out, " %3" PRId64, orders[i].unusable_ratio / 10);
		else
			vmt_buf_adds(out, "   -");
	}
	for (i = 0; i < n; i++) {
		const struct vmt_order *o = &orders[i];
		uint64_t u;

		/* The kernel's sign for "it would not fail". */
		if (!VMT_HAS(order, fragmentation_ratio, o) || o->fragmentation_ratio == -1000)
			continue;
		u = (uint64_t)(o->fragmentation_ratio < 0 ? -o->fragmentation_ratio
							  : o->fragmentation_ratio);
		vmt_buf_addf(out, "%s %zu: %s%" PRIu64 ".%03u", any ? "," : "  index of order", i,
			     o->fragmentation_ratio < 0 ? "-" : "", u / 1000, (unsigned)(u % 1000));
		any = true;
	}
	vmt_buf_addc(out, '\n');
}

void vmt_fragmentation_text(struct vmt_buf *out, const struct vmt_model *m)
{
	size_t i, k;

	if (!m->n_orders)
		return;
	vmt_buf_adds(out, "free memory in blocks smaller than order 0, 1, 2, ..., in percent;\n"
			  "fragmentation index where there is no block\n");
	for (i = 0; i < m->n_orders; i = k) {
		for (k = i + 1; k < m->n_orders && m->orders[k].order > m->orders[k - 1].order; k++)
			;
		zone_fragmentation(out, &m->orders[i], k - i);
	}
}

static void events(struct vmt_buf *out, const char *before, bool known, uint64_t v, bool rate_known,
		   uint64_t milli, const char *behind)
{
	vmt_buf_adds(out, before);
	if (known)
		vmt_buf_addu(out, v);
	else
		vmt_buf_addc(out, '-');
	vmt_buf_addf(out, " %s", behind);
	if (rate_known)
		vmt_buf_addf(out, " (%" PRIu64 ".%03u/s)", milli / 1000, (unsigned)(milli % 1000));
}

#define EVENTS(before, total, rate, behind)                                                        \
	events(out, before, VMT_HAS(compaction, total, c), c->total, VMT_HAS(compaction, rate, c), \
	       c->rate, behind)

void vmt_compaction_text(struct vmt_buf *out, const struct vmt_model *m)
{
	const struct vmt_compaction *c = &m->compaction;

	/* A kernel without compaction has none of these. */
	if (VMT_HAS(compaction, stalls_total, c)) {
		EVENTS("compaction: ", stalls_total, stalls_per_second, "stalls");
		EVENTS("\n  ", success_total, success_per_second, "with success");
		EVENTS(", ", fail_total, fail_per_second, "without");
		EVENTS("\n  ", isolated_pages, isolated_per_second, "pages isolated");
		EVENTS("; ", daemon_wakes_total, daemon_wakes_per_second, "times kcompactd");
		vmt_buf_addc(out, '\n');
	}
	if (VMT_HAS(compaction, kswapd_runs_total, c)) {
		EVENTS("kswapd: ", kswapd_runs_total, kswapd_runs_per_second, "runs");
		if (VMT_HAS(compaction, low_hit_quickly_total, c))
			vmt_buf_addf(out, ", %" PRIu64 " times again below low at once",
				     c->low_hit_quickly_total);
		vmt_buf_addc(out, '\n');
	}
}

void vmt_layout_text(struct vmt_buf *out, const struct vmt_ctx *ctx, const struct vmt_model *m)
{
	uint64_t ram = 0, present = 0, page = m->sample->host.page_size;
	size_t i;

	for (i = 0; i < m->n_regions; i++) {
		const struct vmt_region *r = &m->regions[i];

		if (r->level == 0 && vmt_bytes_is(r->class, "ram") &&
		    (!VMT_HAS(region, size_bytes, r) ||
		     __builtin_add_overflow(ram, r->size_bytes, &ram)))
			return;
	}
	for (i = 0; i < m->n_zones; i++) {
		const struct vmt_zone_row *z = &m->zones[i];

		if (!VMT_HAS(zone, present_bytes, z) ||
		    __builtin_add_overflow(present, z->present_bytes, &present))
			return;
	}
	if (!m->n_regions || !m->n_zones)
		return;
	vmt_buf_adds(out, "System RAM ");
	vmt_fmt_size(out, ram, ctx->out.unit, page);
	vmt_buf_adds(out, ", present in the zones ");
	vmt_fmt_size(out, present, ctx->out.unit, page);
	vmt_buf_adds(out, ", difference ");
	vmt_fmt_size_signed(out, (int64_t)(ram - present), ctx->out.unit, page);
	vmt_buf_addc(out, '\n');
}
