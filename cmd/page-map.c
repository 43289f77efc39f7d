/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/page-map.h"

#include <errno.h>
#include <inttypes.h>

/* Cells of a line are a power of two, so that lines begin at round addresses. */
#define CELLS_MAX 128u
/* Lines of one mapping. */
#define LINES_MAX 32u

/* What a cell can show, in the order in which the legend has them. */
enum cell {
	CELL_NONE,
	CELL_ANON,
	CELL_FILE,
	CELL_SHMEM,
	CELL_HUGETLB,
	CELL_ZERO,
	CELL_PRESENT, /* anonymous or zero: it cannot be told */
	CELL_SWAPPED,
	CELL_GUARD,
	CELL_SPECIAL,
	CELL_WRITTEN,
	CELLS,
};

static const struct {
	char letter;
	const char *what;
} cells[CELLS] = {
	[CELL_NONE] = { '.', "none" },	     [CELL_ANON] = { 'a', "anon" },
	[CELL_FILE] = { 'f', "file" },	     [CELL_SHMEM] = { 'm', "shmem" },
	[CELL_HUGETLB] = { 't', "hugetlb" }, [CELL_ZERO] = { 'z', "zero page" },
	[CELL_PRESENT] = { 'p', "present" }, [CELL_SWAPPED] = { 's', "swapped" },
	[CELL_GUARD] = { 'g', "guard" },     [CELL_SPECIAL] = { 'x', "special" },
	[CELL_WRITTEN] = { 'w', "written" },
};

static enum cell cell_of(const struct vmt_page_run *run, int written)
{
	static const enum cell of_backing[VMT_BACKINGS] = {
		[VMT_BACKING_UNKNOWN] = CELL_PRESENT, [VMT_BACKING_ANON] = CELL_ANON,
		[VMT_BACKING_FILE] = CELL_FILE,	      [VMT_BACKING_SHMEM] = CELL_SHMEM,
		[VMT_BACKING_HUGETLB] = CELL_HUGETLB, [VMT_BACKING_ZERO] = CELL_ZERO,
	};
	static const enum cell of_state[VMT_PAGE_STATES] = {
		[VMT_PAGE_NONE] = CELL_NONE,
		[VMT_PAGE_SWAPPED] = CELL_SWAPPED,
		[VMT_PAGE_GUARD] = CELL_GUARD,
		[VMT_PAGE_SPECIAL] = CELL_SPECIAL,
	};

	if (written == 1)
		return CELL_WRITTEN;
	return run->state == VMT_PAGE_PRESENT ? of_backing[run->backing] : of_state[run->state];
}

/* Pages of each kind in a cell. */
struct count {
	uint64_t n[CELLS];
	uint64_t huge[CELLS];
};

struct block {
	uint64_t start; /* of the mapping, as far as it is drawn */
	uint64_t end;
	uint64_t cell; /* bytes, a power of two pages */
	uint64_t line; /* bytes */
	struct count counts[CELLS_MAX * (LINES_MAX + 1)];
};

static unsigned cells_of(unsigned width)
{
	return width == 0 || width >= 80 ? (width >= 160 ? CELLS_MAX : 64)
					 : (width >= 48 ? 32 : 16);
}

static void scale(struct block *b, const struct vmt_page_map_opts *opts)
{
	unsigned n = cells_of(opts->width), lines = n == CELLS_MAX ? LINES_MAX : LINES_MAX / 2;

	b->cell = opts->page_size;
	while ((b->end - b->start) / b->cell > (uint64_t)n * lines)
		b->cell *= 2;
	b->line = b->cell * n;
}

/* Adds a run to the cells that it lies in. The first line begins at the mapping. */
static void add_run(struct block *b, const struct vmt_page_map_opts *opts,
		    const struct vmt_page_run *run, int written)
{
	uint64_t at = run->start, end = run->start + run->pages * opts->page_size;
	enum cell kind = cell_of(run, written);

	if (at < b->start)
		at = b->start;
	if (end > b->end)
		end = b->end;
	while (at < end) {
		uint64_t i = (at - b->start) / b->cell, next = b->start + (i + 1) * b->cell;
		uint64_t pages = ((next < end ? next : end) - at) / opts->page_size;

		if (i >= VMT_ARRAY_LEN(b->counts))
			return;
		b->counts[i].n[kind] += pages;
		if (run->marks & VMT_PAGE_HUGE)
			b->counts[i].huge[kind] += pages;
		at = next;
	}
}

static void add_cell(struct vmt_buf *out, const struct vmt_page_map_opts *opts,
		     const struct count *c, bool *seen)
{
	unsigned best = CELL_NONE, i;
	char letter;

	for (i = CELL_NONE + 1; i < CELLS; i++)
		if (c->n[i] && (best == CELL_NONE || c->n[i] >= c->n[best]))
			best = i;
	/* What was written is what was asked for. */
	if (c->n[CELL_WRITTEN])
		best = CELL_WRITTEN;
	seen[best] = true;
	if (best == CELL_NONE && !opts->ascii) {
		vmt_buf_adds(out, "\xc2\xb7");
		return;
	}
	letter = cells[best].letter;
	if (best != CELL_NONE && 2 * c->huge[best] > c->n[best])
		letter = (char)(letter - 'a' + 'A');
	vmt_buf_addc(out, letter);
}

static void draw_lines(struct vmt_buf *out, const struct block *b,
		       const struct vmt_page_map_opts *opts, bool *seen)
{
	uint64_t at, i;

	for (at = b->start; at < b->end; at += b->line) {
		uint64_t present = 0, total = 0, k;

		vmt_buf_addf(out, "%012" PRIx64 " ", at);
		for (i = 0; i < b->line / b->cell && at + i * b->cell < b->end; i++) {
			const struct count *c = &b->counts[(at - b->start) / b->cell + i];

			add_cell(out, opts, c, seen);
			for (k = 0; k < CELLS; k++) {
				total += c->n[k];
				if (k != CELL_NONE && k != CELL_SWAPPED && k != CELL_GUARD &&
				    k != CELL_SPECIAL)
					present += c->n[k];
			}
		}
		/* Where there is room for it. */
		if (opts->width >= 160 && total)
			vmt_buf_addf(out, " %3" PRIu64 "%% resident", present * 100 / total);
		vmt_buf_addc(out, '\n');
		if (b->end - at <= b->line)
			break;
	}
}

static void draw_heading(struct vmt_buf *out, const struct block *b,
			 const struct vmt_page_map_opts *opts, const struct vmt_map *m,
			 uint64_t resident)
{
	uint64_t pages = (b->end - b->start) / opts->page_size;

	vmt_buf_addf(out, "%" PRIx64 "-%" PRIx64 " ", b->start, b->end);
	vmt_fmt_safe(out, m->perms, opts->ascii);
	vmt_buf_addc(out, ' ');
	vmt_fmt_size(out, b->end - b->start, VMT_SIZE_HUMAN, opts->page_size);
	if (m->path.len) {
		vmt_buf_addc(out, ' ');
		vmt_fmt_safe(out, m->path, opts->ascii);
	}
	vmt_buf_addf(out, "\n  resident %" PRIu64 "/%" PRIu64 " pages (%" PRIu64 "%%)", resident,
		     pages, pages ? (uint64_t)((double)resident * 100 / (double)pages) : 0);
	vmt_buf_addf(out, ", cell = %" PRIu64 " page%s (", b->cell / opts->page_size,
		     b->cell == opts->page_size ? "" : "s");
	vmt_fmt_size(out, b->cell, VMT_SIZE_HUMAN, opts->page_size);
	vmt_buf_adds(out, ")\n");
}

static void draw_legend(struct vmt_buf *out, const struct vmt_page_map_opts *opts, const bool *seen)
{
	unsigned i;

	for (i = 0; i < CELLS; i++) {
		if (!seen[i])
			continue;
		if (i == CELL_NONE)
			vmt_buf_addf(out, "%s %s  ", opts->ascii ? "." : "\xc2\xb7", cells[i].what);
		else
			vmt_buf_addf(out, "%c %s  ", cells[i].letter, cells[i].what);
	}
	vmt_buf_adds(out, "CAPITAL: huge page\n");
}

void vmt_page_map_draw(struct vmt_buf *out, const struct vmt_page_map_opts *opts,
		       const struct vmt_map *maps, size_t n_maps, const struct vmt_page_run *runs,
		       size_t n_runs)
{
	VMT_AUTO_FREE struct block *b = calloc(1, sizeof(*b));
	bool seen[CELLS] = { false }, any = false;
	size_t i, k, next = 0, empty = 0;

	if (!b) {
		out->error = -ENOMEM;
		return;
	}
	for (i = 0; i < n_maps; i++) {
		uint64_t resident = 0;
		bool something = false;

		for (k = next; k < n_runs && runs[k].map == i; k++) {
			something |= runs[k].state != VMT_PAGE_NONE;
			if (runs[k].state == VMT_PAGE_PRESENT)
				resident += runs[k].pages;
		}
		if (k == next)
			continue;
		if (!something && !opts->chosen) {
			empty++;
			next = k;
			continue;
		}
		*b = (struct block){ .start = maps[i].start, .end = maps[i].end };
		if (b->start < opts->start)
			b->start = opts->start;
		if (b->end > opts->end)
			b->end = opts->end;
		scale(b, opts);
		for (; next < k; next++)
			add_run(b, opts, &runs[next], opts->written ? opts->written[next] : -1);
		if (any)
			vmt_buf_addc(out, '\n');
		any = true;
		draw_heading(out, b, opts, &maps[i], resident);
		draw_lines(out, b, opts, seen);
	}
	if (any) {
		vmt_buf_addc(out, '\n');
		draw_legend(out, opts, seen);
	}
	if (empty)
		vmt_buf_addf(out, "%zu mapping%s no page\n", empty, empty == 1 ? " has" : "s have");
}
