/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>

#include "base/parse.h"
#include "cmd/collect-loop.h"
#include "cmd/page-map.h"
#include "source/collect-pages.h"
#include "source/page-row.h"

static const struct vmt_section_def sections[] = {
	{ "pages", &vmt_entity_page, false, "runs of pages that are alike, in order of address" },
	{ "processes", &vmt_entity_proc, false, "the process that was asked for" },
};

static const struct vmt_opt opts[] = {
	{ "range", 0, VMT_OPT_VALUE, "LO-HI", NULL, "only these addresses, in hex" },
	{ "vma", 0, VMT_OPT_VALUE, "ADDR", NULL, "only the mapping that has this address" },
	{ "runs", 0, VMT_OPT_FLAG, NULL, NULL,
	  "a row for each run of pages that are alike (default)" },
	{ "each", 0, VMT_OPT_FLAG, NULL, NULL,
	  "a row for each page; what is not there is one row a hole" },
	{ "map", 0, VMT_OPT_FLAG, NULL, NULL, "draw it, a character for a page or for several" },
	{ "written-since", 0, VMT_OPT_VALUE, "SEC", NULL,
	  "look twice, SEC seconds apart, and say what was written in between, where that can be "
	  "seen without touching the process" },
	{ "pfn", 0, VMT_OPT_FLAG, NULL, NULL,
	  "show frames and physical addresses, and how often each is mapped, its flags, zone and "
	  "node" },
};

/* Rows that are kept at most; the rest is for another call. */
#define ROWS_MAX ((size_t)1 << 18)

/* Runs of one look. */
struct look {
	struct vmt_page_run *runs; /* heap */
	size_t n;
	size_t cap;
	bool full;
	bool out_of_memory;
};

struct pages {
	struct vmt_ctx *ctx;
	struct vmt_run run;
	unsigned want;
	uint64_t start;
	uint64_t end;
	struct vmt_map *maps; /* those in the range */
	size_t n_maps;
	struct vmt_physical *physical;
	struct look look;
	struct vmt_page *rows; /* heap */
	size_t n_rows;
	int verdict; /* of reading the pages */
};

static void pages_done(struct pages *p)
{
	free(p->look.runs);
	free(p->rows);
	vmt_run_done(&p->run);
	vmt_physical_unref(p->physical);
}

/* "7f00-7f80", the second not included */
static int parse_range(struct vmt_ctx *ctx, struct pages *p)
{
	const char *range = vmt_ctx_value(ctx, "range"), *vma = vmt_ctx_value(ctx, "vma");
	VMT_AUTO_FREE char *low = NULL;
	const char *dash;

	p->end = UINT64_MAX;
	if (range && vma)
		return vmt_usage_error(ctx, "--range and --vma exclude each other");
	if (vma) {
		if (vmt_parse_address(vma, &p->start) < 0)
			return vmt_usage_error(ctx, "--vma takes an address, as 7f1cc7e00000");
		p->end = p->start;
	}
	if (!range)
		return 0;
	dash = strchr(range, '-');
	low = dash ? strndup(range, (size_t)(dash - range)) : NULL;
	if (!low || vmt_parse_address(low, &p->start) < 0 ||
	    vmt_parse_address(dash + 1, &p->end) < 0 || p->start >= p->end)
		return vmt_usage_error(ctx, "--range takes two addresses, as 7f1cc7e00000-"
					    "7f1cc8e00000, the second behind the last");
	return 0;
}

static int parse_mode(struct vmt_ctx *ctx)
{
	if (vmt_ctx_given(ctx, "runs") + vmt_ctx_given(ctx, "each") + vmt_ctx_given(ctx, "map") > 1)
		return vmt_usage_error(ctx, "--runs, --each and --map exclude each other");
	return 0;
}

/* What the columns and --pfn need. */
static int parse_want(struct vmt_ctx *ctx, struct pages *p)
{
	static const struct {
		unsigned field;
		unsigned want;
	} needs[] = {
		{ VMT_FIELD_page_swap_type, VMT_PAGES_SWAP },
		{ VMT_FIELD_page_swap_offset, VMT_PAGES_SWAP },
		{ VMT_FIELD_page_map_count, VMT_PAGES_COUNT },
		{ VMT_FIELD_page_page_flags, VMT_PAGES_FLAGS },
		{ VMT_FIELD_page_kpageflags, VMT_PAGES_FLAGS },
		{ VMT_FIELD_page_zone, VMT_PAGES_ZONE },
		{ VMT_FIELD_page_node, VMT_PAGES_ZONE },
	};
	VMT_CLEANUP(vmt_columns_done) struct vmt_columns columns = { 0 };
	size_t i, k;
	int r = vmt_wanted_columns(ctx, &vmt_entity_page, &columns);

	for (i = 0; r == 0 && i < columns.n; i++) {
		unsigned index = columns.fields[i]->index;

		for (k = 0; k < VMT_ARRAY_LEN(needs); k++)
			if (needs[k].field == index)
				p->want |= needs[k].want;
		if ((index == VMT_FIELD_page_frame || index == VMT_FIELD_page_physical ||
		     index == VMT_FIELD_page_region) &&
		    vmt_ctx_given(ctx, "output") && !vmt_ctx_given(ctx, "pfn"))
			return vmt_usage_error(ctx, "frames are shown with --pfn alone");
	}
	if (vmt_ctx_given(ctx, "pfn"))
		p->want |= VMT_PAGES_FRAME | VMT_PAGES_SWAP | VMT_PAGES_COUNT | VMT_PAGES_FLAGS |
			   VMT_PAGES_ZONE;
	if (vmt_ctx_given(ctx, "each"))
		p->want |= VMT_PAGES_EACH;
	return r;
}

/* The mappings in the range; exit code or 0. */
static int choose_maps(struct pages *p)
{
	const struct vmt_sample *s = p->run.sample;
	const struct vmt_proc_maps *pm = &s->maps[0];
	size_t i;

	for (i = 0; i < pm->n_maps; i++) {
		struct vmt_map *m = &pm->maps[i];

		VMT_SET(map, pid, m, s->procs[0].pid);
		if (vmt_ctx_given(p->ctx, "vma") && m->start <= p->start && p->start < m->end) {
			p->start = m->start;
			p->end = m->end;
		}
		if (m->end <= p->start || m->start >= p->end)
			continue;
		if (!p->maps)
			p->maps = m;
		p->n_maps = (size_t)(m - p->maps) + 1;
	}
	if (p->n_maps)
		return 0;
	if (!vmt_ctx_given(p->ctx, "vma") && !vmt_ctx_given(p->ctx, "range")) {
		if (pm->state == VMT_STATE_OK)
			vmt_complain(p->ctx, "process %" PRIu64 " has no mappings",
				     s->procs[0].pid);
		return VMT_EXIT_NOTHING;
	}
	vmt_complain(p->ctx, "process %" PRIu64 " maps nothing there", s->procs[0].pid);
	return VMT_EXIT_NOTHING;
}

static bool same(const struct vmt_page_run *a, const struct vmt_page_run *b, uint64_t page_size)
{
	return a->map == b->map && a->state == VMT_PAGE_NONE && b->state == VMT_PAGE_NONE &&
	       a->start + a->pages * page_size == b->start;
}

static int keep(const struct vmt_page_run *runs, size_t n, void *arg)
{
	struct pages *p = arg;
	struct look *look = &p->look;
	size_t i;

	for (i = 0; i < n; i++) {
		/* A hole that two batches share. */
		if (look->n &&
		    same(&look->runs[look->n - 1], &runs[i], p->run.sample->host.page_size)) {
			look->runs[look->n - 1].pages += runs[i].pages;
			continue;
		}
		if (look->n == ROWS_MAX) {
			look->full = true;
			return 1;
		}
		if (vmt_grow(&look->runs, &look->cap, look->n + 1, sizeof(*look->runs)) < 0) {
			look->out_of_memory = true;
			return 1;
		}
		look->runs[look->n++] = runs[i];
	}
	return 0;
}

static int read_pages(struct pages *p)
{
	const struct vmt_pages_opts what = {
		.want = p->want,
		.maps = p->maps,
		.n_maps = p->n_maps,
		.start = p->start,
		.end = p->end,
	};
	int r = vmt_collect_pages(p->run.collector, p->run.sample, 0, &what, p->physical, keep, p);

	if (r == -ENOMEM || p->look.out_of_memory)
		return vmt_no_memory(p->ctx);
	p->verdict = r < 0 ? r : 0;
	return 0;
}

/* Whether a page that was as a (NULL: not there) and is as b now was written in between: 1, 0, or
 * -1 where it cannot be told. */
static int was_written(const struct vmt_page_run *a, const struct vmt_page_run *b)
{
	static const unsigned marks[] = { VMT_PAGE_WRITTEN, VMT_PAGE_SOFT_DIRTY };
	size_t i;

	if (b->state != VMT_PAGE_PRESENT)
		return -1;
	for (i = 0; i < VMT_ARRAY_LEN(marks); i++) {
		if (!(b->known & marks[i]))
			continue;
		if (!(b->marks & marks[i]))
			return 0;
		if (a && a->known & marks[i] && !(a->marks & marks[i]))
			return 1;
	}
	/* Memory of one's own comes to be by a write: reads get the zero page. */
	if (b->backing == VMT_BACKING_ANON &&
	    (!a || a->state == VMT_PAGE_NONE || a->backing == VMT_BACKING_ZERO ||
	     a->backing == VMT_BACKING_FILE || a->backing == VMT_BACKING_SHMEM))
		return 1;
	/* The zero page cannot be written, and whoever writes gets another. */
	if (b->backing == VMT_BACKING_ZERO)
		return 0;
	return -1;
}

/* Splits the runs of the second look where the first one had others, and says what was written. */
static int compare_looks(struct pages *p, const struct look *before, int8_t **ret)
{
	uint64_t page = p->run.sample->host.page_size;
	struct look now = p->look;
	VMT_AUTO_FREE int8_t *written = NULL;
	size_t cap = 0, i, k = 0;

	p->look = (struct look){ .full = now.full };
	for (i = 0; i < now.n; i++) {
		struct vmt_page_run rest = now.runs[i];

		while (rest.pages) {
			const struct vmt_page_run *a = NULL;
			struct vmt_page_run part = rest;

			while (k < before->n &&
			       before->runs[k].start + before->runs[k].pages * page <= rest.start)
				k++;
			if (k < before->n && before->runs[k].start <= rest.start) {
				uint64_t end;

				a = &before->runs[k];
				end = a->start + a->pages * page;
				if (end < rest.start + rest.pages * page)
					part.pages = (end - rest.start) / page;
			}
			if (p->look.n == ROWS_MAX) {
				p->look.full = true;
				break;
			}
			if (vmt_grow(&p->look.runs, &p->look.cap, p->look.n + 1,
				     sizeof(*p->look.runs)) < 0 ||
			    vmt_grow(&written, &cap, p->look.n + 1, sizeof(*written)) < 0) {
				free(now.runs);
				return -ENOMEM;
			}
			written[p->look.n] = (int8_t)was_written(a, &part);
			p->look.runs[p->look.n++] = part;
			rest.start += part.pages * page;
			rest.pages -= part.pages;
			if (rest.known & VMT_PAGE_HAS_FRAME)
				rest.frame += part.pages;
			if (rest.known & VMT_PAGE_HAS_SWAP)
				rest.swap_offset += part.pages;
		}
	}
	free(now.runs);
	*ret = VMT_STEAL(written);
	return 0;
}

static int make_rows(struct pages *p, const int8_t *written)
{
	struct vmt_page_rows rows = {
		.page_size = p->run.sample->host.page_size,
		.physical = p->physical,
		.want = p->want,
		.arena = &p->run.sample->arena,
	};
	size_t i, n = p->look.n;

	p->rows = calloc(n ? n : 1, sizeof(*p->rows));
	if (!p->rows)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		const struct vmt_page_run *run = &p->look.runs[i];
		int r = vmt_page_row(&rows, run, &p->maps[run->map], &p->rows[i]);

		if (r < 0)
			return r;
		if (written && written[i] >= 0)
			VMT_SET(page, written, &p->rows[i], written[i] == 1);
	}
	p->n_rows = n;
	return 0;
}

/* Sums below the table. */
static void total_text(struct pages *p, struct vmt_buf *out)
{
	uint64_t page = p->run.sample->host.page_size, sums[VMT_PAGE_STATES] = { 0 };
	const struct look *look = &p->look;
	unsigned i;
	size_t k;

	for (k = 0; k < look->n; k++)
		sums[look->runs[k].state] += look->runs[k].pages;
	for (i = VMT_PAGE_STATES; i-- > 0;) {
		if (!sums[i])
			continue;
		vmt_buf_addf(out, "%s %" PRIu64 " pages (", vmt_page_state_name(i), sums[i]);
		vmt_fmt_size(out, sums[i] * page, p->ctx->out.unit, page);
		vmt_buf_adds(out, i == VMT_PAGE_NONE ? ")" : "), ");
	}
	while (out->len >= 2 && out->data[out->len - 1] == ' ')
		out->len -= 2;
	if (look->n)
		vmt_buf_addc(out, '\n');
	if (look->full)
		vmt_buf_addf(out,
			     "- only the first %zu rows: go on with --range %" PRIx64 "-%" PRIx64
			     "\n",
			     ROWS_MAX,
			     look->runs[look->n - 1].start + look->runs[look->n - 1].pages * page,
			     p->end);
}

/* Looks twice; an exit code or 0. */
static int watch(struct pages *p, uint64_t ns, int8_t **ret)
{
	struct look before = { 0 };
	uint64_t unknown = 0;
	bool known = false;
	int r = read_pages(p);
	const char *why;
	size_t i;

	before = p->look;
	p->look = (struct look){ 0 };
	if (r == 0)
		r = vmt_run_wait(p->ctx, ns);
	if (r == 0)
		r = read_pages(p);
	if (r == 0 && compare_looks(p, &before, ret) < 0) {
		vmt_complain(p->ctx, "out of memory");
		r = VMT_EXIT_FAILED;
	}
	free(before.runs);
	for (i = 0; r == 0 && i < p->look.n; i++) {
		known |= (*ret)[i] >= 0;
		if ((*ret)[i] < 0 && p->look.runs[i].state == VMT_PAGE_PRESENT)
			unknown += p->look.runs[i].pages;
	}
	if (r || p->verdict < 0 || !p->look.n || (known && !unknown))
		return r;
	why = vmt_collect_has_soft_dirty(p->run.collector)
		      ? "they were soft-dirty before (the process, or whoever owns it, may write 4 "
			"to its clear_refs)"
		      : "this kernel keeps no soft-dirty mark, and the process does not track "
			"writes to them by userfaultfd (WP_ASYNC)";
	if (known) {
		vmt_note(p->ctx,
			 "whether %" PRIu64 " pages were written cannot be seen from outside: %s",
			 unknown, why);
		return 0;
	}
	vmt_complain(p->ctx,
		     "what was written cannot be seen from outside: %s; vmtop will not clear marks "
		     "or write-protect pages of another process",
		     why);
	return VMT_EXIT_FAILED;
}

static int show(struct pages *p, const int8_t *written)
{
	struct vmt_ctx *ctx = p->ctx;
	struct vmt_section *s, *procs;
	bool draw = vmt_ctx_given(ctx, "map") && ctx->format->emit == vmt_out_text;
	int r = draw ? 0 : make_rows(p, written);

	if (r < 0)
		return vmt_no_memory(ctx);
	r = vmt_run_model(&p->run, ctx, NULL);
	if (r)
		return r;
	s = vmt_run_section(&p->run, ctx, "pages", p->rows, p->n_rows);
	procs = vmt_run_section(&p->run, ctx, "processes", p->run.model->procs,
				p->run.model->n_procs);
	if (!s || !procs)
		return VMT_EXIT_FAILED;
	procs->machine_only = true;
	if (written && vmt_columns_parse(&s->columns, &vmt_entity_page, "+WRITTEN", NULL) < 0)
		return vmt_no_memory(ctx);
	if (vmt_ctx_given(ctx, "pfn") &&
	    vmt_columns_parse(&s->columns, &vmt_entity_page,
			      "ADDRESS,PAGES,STATE,BACKING,PFN,MAPCOUNT,NODE,ZONE,FLAGS,MAPPING",
			      NULL) < 0)
		return vmt_no_memory(ctx);
	r = vmt_section_options(ctx, s);
	if (r)
		return r;
	if (draw) {
		const struct vmt_page_map_opts map = {
			.page_size = p->run.sample->host.page_size,
			.width = ctx->out.width,
			.ascii = ctx->out.ascii,
			.unit = ctx->out.unit,
			.start = p->start,
			.end = p->end,
			.chosen = vmt_ctx_given(ctx, "range") || vmt_ctx_given(ctx, "vma"),
			.written = written,
		};

		vmt_page_map_draw(&s->note, &map, p->maps, p->n_maps, p->look.runs, p->look.n);
	}
	total_text(p, &s->note);
	vmt_run_remarks(&p->run, ctx, s);
	ctx->partial |= p->look.full;
	return vmt_print_doc(ctx, &p->run.doc);
}

/* An exit code where the mappings themselves could not be read. */
static int without_maps(struct pages *p)
{
	if (p->run.sample->maps[0].n_maps)
		return 0;
	return vmt_run_unread(&p->run, p->ctx, &p->run.sample->procs[0]);
}

static int run_all(struct pages *p, uint64_t pid, uint64_t watch_ns)
{
	struct vmt_ctx *ctx = p->ctx;
	VMT_AUTO_FREE int8_t *written = NULL;
	int r = vmt_run_open(&p->run, ctx, watch_ns);

	if (r == 0)
		r = vmt_run_sample(&p->run, ctx, VMT_SOURCE_BIT(PIDS), &pid, 1);
	if (r == 0)
		r = vmt_run_missing(&p->run, ctx, &pid, 1);
	if (r == 0)
		r = vmt_run_procs(&p->run, ctx, VMT_SOURCE_BIT(MAPS), NULL, 0);
	if (r == 0)
		r = without_maps(p);
	if (r == 0)
		r = choose_maps(p);
	if (r)
		return r;
	if (vmt_collect_physical(p->run.collector, p->run.sample, p->want,
				 vmt_ctx_given(ctx, "pfn"), &p->physical) < 0)
		return vmt_no_memory(ctx);
	r = watch_ns ? watch(p, watch_ns, &written) : read_pages(p);
	if (r)
		return r;
	if (p->verdict < 0 && p->look.n == 0) {
		vmt_complain(ctx, "process %" PRIu64 ": pagemap: %s", pid,
			     p->verdict == -ENOENT && ctx->root ? "the recording does not have it"
								: vmt_failure_word(p->verdict));
		return vmt_run_pages_exit(p->verdict);
	}
	r = show(p, written);
	return r ? r : vmt_run_pages_exit(p->verdict);
}

static int run_pages(struct vmt_ctx *ctx)
{
	const char *since = vmt_ctx_value(ctx, "written-since");
	VMT_CLEANUP(pages_done) struct pages p = { .ctx = ctx };
	uint64_t pid, ns = 0;
	int r;

	if (vmt_column_help(ctx, &vmt_entity_page, &r))
		return r;
	if (ctx->n_operands == 0)
		return vmt_usage_error(ctx, "which process? vmtop pages PID");
	if (vmt_parse_pid(ctx->operands[0], &pid) < 0)
		return vmt_usage_error(ctx, "'%.40s' is no process id", ctx->operands[0]);
	if (since && (vmt_parse_duration(since, &ns) < 0 || ns == 0))
		return vmt_usage_error(ctx, "--written-since takes seconds, as 3, 0.5 or 500ms");
	if (since && ctx->root)
		return vmt_usage_error(ctx, "what is written is watched live; --root has none");
	r = parse_range(ctx, &p);
	if (r == 0)
		r = parse_mode(ctx);
	if (r == 0)
		r = parse_want(ctx, &p);
	if (r)
		return r;
	if (since)
		p.want |= VMT_PAGES_WRITTEN;
	return run_all(&p, pid, ns);
}

const struct vmt_cmd vmt_cmd_pages = {
	.name = "pages",
	.summary = "the pages of a process: what each is, where it is, who else has it",
	.synopsis = "PID [--range LO-HI|--vma ADDR] [--runs|--each|--map] [--written-since SEC] "
		    "[--pfn] [OPTION]...",
	.cost = "pagemap in slices, some 20 ns for each page that is there; holes are skipped by "
		"PAGEMAP_SCAN (6.7+); with --pfn also kpagecount and kpageflags of each frame",
	.opts = opts,
	.n_opts = VMT_ARRAY_LEN(opts),
	.groups = VMT_GROUP_BASE | VMT_GROUP_OUTPUT | VMT_GROUP_TABLE | VMT_GROUP_TOP,
	.sections = sections,
	.n_sections = VMT_ARRAY_LEN(sections),
	.operands = "@pid",
	.max_operands = 1,
	.run = run_pages,
};
