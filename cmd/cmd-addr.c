/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>

#include "base/parse.h"
#include "cmd/collect-loop.h"
#include "source/collect-pages.h"
#include "source/collect-symbol.h"
#include "source/page-row.h"

static const struct vmt_section_def sections[] = {
	{ "addresses", &vmt_entity_addr, false, "the addresses, in the order of the words" },
	{ "processes", &vmt_entity_proc, false, "the process that was asked for" },
};

static const struct vmt_opt opts[] = {
	{ "pfn", 0, VMT_OPT_FLAG, NULL, NULL, "show the frame and its physical address" },
	{ "no-sharers", 0, VMT_OPT_FLAG, NULL, NULL,
	  "do not look into other processes for who maps the same part of the file" },
};

#define ADDRESSES_MAX 64u
/* Processes whose maps are held at a time, and ids that are named. */
#define BATCH ((size_t)32)
#define NAMED 8u
/* The end of the lower half where page tables have four levels, and five (x86-64, arm64, riscv). */
#define HALF_4 (UINT64_C(1) << 47)
#define HALF_5 (UINT64_C(1) << 56)
/* Code and data below an unmapped address that are this near belong to the question. */
#define NEAR (UINT64_C(1) << 20)

struct addrs {
	struct vmt_ctx *ctx;
	struct vmt_run run;
	struct vmt_addr rows[ADDRESSES_MAX];
	const struct vmt_map *maps[ADDRESSES_MAX]; /* NULL where unmapped */
	uint64_t seen[ADDRESSES_MAX]; /* sharers */
	size_t n;
	struct vmt_physical *physical;
	unsigned want;
};

static void addrs_done(struct addrs *a)
{
	vmt_run_done(&a->run);
	vmt_physical_unref(a->physical);
}

static void explain(struct addrs *a, struct vmt_addr *row, const char *class, const char *text)
{
	(void)a;
	VMT_SET(addr, class, row, vmt_bytes_of(class));
	if (text)
		VMT_SET(addr, explanation, row, vmt_bytes_of(text));
}

static bool is_kind(const struct vmt_map *m, const char *kind)
{
	return VMT_HAS(map, kind, m) && vmt_bytes_is(m->kind, kind);
}

static const char *why_mapped(const struct vmt_map *m)
{
	if (m->perms.len >= 3 && memcmp(m->perms.ptr, "---", 3) == 0)
		return "no access is allowed: a guard, or address space that is reserved; touching "
		       "it is SIGSEGV";
	if (is_kind(m, "vdso"))
		return "code and data that the kernel puts into every process";
	return NULL;
}

static const char *why_unmapped(const struct vmt_map *below, const struct vmt_map *above,
				uint64_t address, uint64_t page)
{
	/* A stack grows down: what lies just below one ran out of it. */
	if (above && is_kind(above, "stack") && above->start - address <= NEAR)
		return "just below the stack: it may have overflowed its limit (RLIMIT_STACK)";
	if (address < page)
		return "in the first page: a NULL pointer, or a member of what one points to";
	if (address < 65536 && (!below || below->end <= address))
		return "below vm.mmap_min_addr as it usually is: a NULL pointer with an offset";
	if (below && is_kind(below, "heap") && address - below->end <= NEAR)
		return "just behind the heap: past its end, or given back by now";
	if (below && address - below->end < page)
		return "just behind a mapping: past the end of what is there";
	return "nothing is mapped there: never was, or was unmapped";
}

/* The row of an address by the list of mappings. */
static void find_mapping(struct addrs *a, size_t i)
{
	const struct vmt_sample *s = a->run.sample;
	const struct vmt_proc_maps *pm = &s->maps[0];
	struct vmt_addr *row = &a->rows[i];
	const struct vmt_map *below = NULL, *above = NULL, *m = NULL;
	uint64_t at = row->address;
	size_t k;

	for (k = 0; k < pm->n_maps; k++) {
		if (pm->maps[k].end <= at) {
			below = &pm->maps[k];
		} else if (pm->maps[k].start <= at) {
			m = &pm->maps[k];
		} else {
			above = &pm->maps[k];
			break;
		}
	}
	if (m && m->end <= INT64_MAX) {
		a->maps[i] = m;
		explain(a, row, "mapped", why_mapped(m));
		VMT_SET(addr, start, row, m->start);
		VMT_SET(addr, end, row, m->end);
		VMT_SET(addr, perms, row, m->perms);
		VMT_SET(addr, kind, row, m->kind);
		VMT_SET(addr, path, row, m->path);
		if (VMT_HAS(map, role, m))
			VMT_SET(addr, role, row, m->role);
		VMT_SET(addr, device, row, m->device);
		VMT_SET(addr, inode, row, m->inode);
		if (m->inode)
			VMT_SET(addr, offset_bytes, row, m->offset_bytes + (at - m->start));
		return;
	}
	if (m || at >> 12 == UINT64_C(0xffffffffff600)) {
		explain(a, row, "vsyscall",
			"the vsyscall page: the kernel's, for programs of long ago; it is in no "
			"page table of the process");
		return;
	}
	if (at >= ~(HALF_5 - 1)) {
		explain(a, row, "kernel", "an address of the kernel's half: no process can use it");
		return;
	}
	if (at >= HALF_5) {
		explain(a, row, "non_canonical",
			"no processor has such an address: a pointer with a tag or garbage in its "
			"upper bits; touching it is SIGSEGV without an address (#GP)");
		return;
	}
	explain(a, row, "unmapped",
		at >= HALF_4 && (!below || below->end <= HALF_4)
			? "above what four levels of page tables reach: not canonical unless this "
			  "processor and kernel have five"
			: why_unmapped(below, above, at, s->host.page_size));
	if (below) {
		VMT_SET(addr, below_start, row, below->start);
		VMT_SET(addr, below_distance_bytes, row, at - below->end);
		VMT_SET(addr, below_path, row, below->path);
	}
	if (above && above->end <= INT64_MAX) {
		VMT_SET(addr, above_start, row, above->start);
		VMT_SET(addr, above_distance_bytes, row, above->start - at);
		VMT_SET(addr, above_path, row, above->path);
	}
}

static int read_page(struct addrs *a, size_t i)
{
	struct vmt_sample *s = a->run.sample;
	struct vmt_addr *row = &a->rows[i];
	uint64_t page = s->host.page_size;
	struct vmt_pages_opts options = {
		.want = a->want,
		.maps = a->maps[i],
		.n_maps = 1,
		.start = row->address & ~(page - 1),
		.end = (row->address & ~(page - 1)) + page,
	};
	struct vmt_page_rows rows = {
		.page_size = page, .physical = a->physical, .want = a->want, .arena = &s->arena
	};
	struct vmt_page state = { 0 };
	struct vmt_page_run run;
	bool has;
	int r = vmt_collect_page(a->run.collector, s, 0, &options, a->physical, &run, &has);

	if (r == -ENOMEM)
		return r;
	if (!has)
		return 0;
	r = vmt_page_row(&rows, &run, a->maps[i], &state);
	if (r == 0)
		vmt_addr_set_state(row, &state);
	if (!vmt_ctx_given(a->ctx, "pfn")) {
		VMT_UNSET(addr, frame, row);
		VMT_UNSET(addr, physical, row);
		VMT_UNSET(addr, region, row);
	}
	return r;
}

static int find_symbol(struct addrs *a, size_t i)
{
	struct vmt_sample *s = a->run.sample;
	struct vmt_addr *row = &a->rows[i];
	struct vmt_symbol symbol = { 0 };
	int r;

	if (!is_kind(a->maps[i], "file") || a->ctx->root)
		return 0;
	r = vmt_collect_symbol(a->run.collector, s, 0, a->maps[i], row->address, &symbol);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	VMT_SET(addr, module_address, row, symbol.address);
	if (symbol.name[0]) {
		size_t n = strlen(symbol.name);
		char *copy = vmt_arena_copy(&s->arena, symbol.name, n);

		if (!copy)
			return -ENOMEM;
		VMT_SET(addr, symbol, row, ((struct vmt_bytes){ copy, n }));
		VMT_SET(addr, symbol_offset_bytes, row, symbol.offset);
		VMT_SET(addr, symbol_size_bytes, row, symbol.size);
	}
	return 0;
}

static bool maps_it(const struct vmt_map *m, const struct vmt_map *of, uint64_t offset)
{
	return m->inode == of->inode && vmt_bytes_equal(m->device, of->device) &&
	       offset >= m->offset_bytes && offset - m->offset_bytes < m->end - m->start;
}

/* Whether the page of address i can be another process's as well. */
static bool may_be_shared(const struct addrs *a, size_t i)
{
	return a->maps[i] && a->maps[i]->inode && VMT_HAS(addr, offset_bytes, &a->rows[i]);
}

static void look_for_sharers(struct addrs *a, const struct vmt_sample *s, struct vmt_buf *names)
{
	size_t p, k, i;

	for (p = 0; p < s->n_procs; p++) {
		for (i = 0; i < a->n; i++) {
			bool found = false;

			if (!may_be_shared(a, i) ||
			    s->procs[p].pid == a->run.sample->procs[0].pid || !s->maps)
				continue;
			for (k = 0; k < s->maps[p].n_maps && !found; k++)
				found = maps_it(&s->maps[p].maps[k], a->maps[i],
						a->rows[i].offset_bytes);
			if (!found)
				continue;
			if (a->seen[i]++ < NAMED)
				vmt_buf_addf(&names[i], "%s%" PRIu64, names[i].len ? "," : "",
					     s->procs[p].pid);
		}
	}
}

/* *ret_listed: whether there was a list of processes at all. */
static int scan_others(struct addrs *a, struct vmt_buf *names, bool *ret_listed)
{
	VMT_AUTO_SAMPLE list = NULL;
	struct vmt_err err = { 0 };
	size_t at, n;
	int r = vmt_collect(a->run.collector, VMT_SOURCE_BIT(PIDS), NULL, 0, &list, &err);

	if (r == 0 && list->sources[VMT_SOURCE_PIDS].reads == 0) {
		vmt_sample_failed(a->run.sample, VMT_SOURCE_PIDS, 0, (struct vmt_bytes){ 0 },
				  list->sources[VMT_SOURCE_PIDS].error,
				  "who shares the pages is not known");
		*ret_listed = false;
	}
	for (at = 0; r == 0 && at < list->n_procs; at += n) {
		size_t indices[BATCH], i;
		uint64_t pids[BATCH];
		VMT_AUTO_SAMPLE s = NULL;

		n = list->n_procs - at < BATCH ? list->n_procs - at : BATCH;
		for (i = 0; i < n; i++)
			pids[i] = list->procs[at + i].pid;
		r = vmt_collect(a->run.collector, VMT_SOURCE_BIT(PIDS), pids, n, &s, &err);
		if (r < 0)
			break;
		for (i = 0; i < s->n_procs && i < BATCH; i++)
			indices[i] = i;
		r = vmt_collect_procs(a->run.collector, s, VMT_SOURCE_BIT(MAPS), indices,
				      s->n_procs, &err);
		if (r < 0)
			break;
		look_for_sharers(a, s, names);
		vmt_source_stat_count(&a->run.sample->sources[VMT_SOURCE_MAPS],
				      &s->sources[VMT_SOURCE_MAPS]);
	}
	return r;
}

static int find_sharers(struct addrs *a)
{
	struct vmt_arena *arena = &a->run.sample->arena;
	VMT_AUTO_FREE struct vmt_buf *names = NULL;
	bool any = false, listed = true;
	size_t i;
	int r;

	for (i = 0; i < a->n; i++)
		any |= may_be_shared(a, i);
	if (!any || vmt_ctx_given(a->ctx, "no-sharers"))
		return 0;
	names = calloc(ADDRESSES_MAX, sizeof(*names));
	if (!names)
		return -ENOMEM;
	r = scan_others(a, names, &listed);
	for (i = 0; i < a->n; i++) {
		if (r == 0 && listed && may_be_shared(a, i)) {
			VMT_SET(addr, sharers_total, &a->rows[i], a->seen[i]);
			if (names[i].len) {
				char *copy = vmt_arena_copy(arena, names[i].data, names[i].len);

				if (!copy)
					r = -ENOMEM;
				else
					VMT_SET(addr, sharer_pids, &a->rows[i],
						((struct vmt_bytes){ copy, names[i].len }));
			}
		}
		vmt_buf_done(&names[i]);
	}
	return r;
}

static void label(struct vmt_buf *out, const char *name)
{
	vmt_buf_addf(out, "  %-10s", name);
}

static void distance(struct vmt_buf *out, uint64_t bytes, uint64_t page)
{
	vmt_fmt_size(out, bytes, bytes < 1024 ? VMT_SIZE_BYTES : VMT_SIZE_HUMAN, page);
	if (bytes < 1024)
		vmt_buf_adds(out, " bytes");
}

static void mapping_text(struct vmt_buf *out, const struct vmt_addr *row, bool ascii, uint64_t page)
{
	label(out, "mapping");
	vmt_buf_addf(out, "%" PRIx64 "-%" PRIx64 " ", row->start, row->end);
	vmt_fmt_safe(out, row->perms, ascii);
	vmt_buf_addc(out, ' ');
	vmt_fmt_size(out, row->end - row->start, VMT_SIZE_HUMAN, page);
	vmt_buf_addc(out, ' ');
	vmt_fmt_safe(out, row->kind, ascii);
	if (VMT_HAS(addr, role, row) && !vmt_bytes_equal(row->role, row->kind)) {
		vmt_buf_addc(out, ' ');
		vmt_fmt_safe(out, row->role, ascii);
	}
	if (row->path.len) {
		vmt_buf_addc(out, ' ');
		vmt_fmt_safe(out, row->path, ascii);
	}
	vmt_buf_adds(out, "\n");
	label(out, "offset");
	vmt_buf_addf(out, "+0x%" PRIx64 " in the mapping", row->address - row->start);
	if (VMT_HAS(addr, offset_bytes, row)) {
		vmt_buf_addf(out, ", 0x%" PRIx64 " in the file, device ", row->offset_bytes);
		vmt_fmt_safe(out, row->device, true);
		vmt_buf_addf(out, " inode %" PRIu64, row->inode);
	}
	vmt_buf_adds(out, "\n");
	if (VMT_HAS(addr, symbol, row)) {
		label(out, "symbol");
		vmt_fmt_safe(out, row->symbol, ascii);
		vmt_buf_addf(out, "+0x%" PRIx64, row->symbol_offset_bytes);
		if (row->symbol_size_bytes && row->symbol_offset_bytes >= row->symbol_size_bytes)
			vmt_buf_adds(out, " (behind its end: no symbol has it)");
		vmt_buf_addf(out, ", 0x%" PRIx64 " in the module\n", row->module_address);
	} else if (VMT_HAS(addr, module_address, row)) {
		label(out, "module");
		vmt_buf_addf(out, "0x%" PRIx64 "; no symbol is near\n", row->module_address);
	}
}

static void mark_text(struct vmt_buf *out, bool known, bool set, const char *yes, const char *no)
{
	if (known && (set || no))
		vmt_buf_addf(out, ", %s", set ? yes : no);
}

static void state_text(struct vmt_buf *out, const struct vmt_addr *row, bool ascii)
{
	if (!VMT_HAS(addr, state, row))
		return;
	label(out, "page");
	vmt_fmt_safe(out, row->state, true);
	if (VMT_HAS(addr, backing, row)) {
		vmt_buf_addc(out, ' ');
		vmt_fmt_safe(out, row->backing, true);
	}
	mark_text(out, VMT_HAS(addr, exclusive, row), row->exclusive, "this process alone maps it",
		  "not exclusive");
	mark_text(out, VMT_HAS(addr, huge, row), row->huge, "part of a huge page", NULL);
	mark_text(out, VMT_HAS(addr, soft_dirty, row), row->soft_dirty, "soft-dirty",
		  "not soft-dirty");
	mark_text(out, VMT_HAS(addr, uffd_wp, row), row->uffd_wp, "write-protected by userfaultfd",
		  NULL);
	if (VMT_HAS(addr, swap_type, row))
		vmt_buf_addf(out, ", swap area %" PRIu64 " page %" PRIu64, row->swap_type,
			     row->swap_offset);
	vmt_buf_adds(out, "\n");
	if (!VMT_HAS(addr, map_count, row) && !VMT_HAS(addr, zone, row) &&
	    !VMT_HAS(addr, page_flags, row))
		return;
	label(out, "frame");
	if (VMT_HAS(addr, frame, row))
		vmt_buf_addf(out, "0x%" PRIx64 " at 0x%" PRIx64 ", ", row->frame, row->physical);
	if (VMT_HAS(addr, map_count, row))
		vmt_buf_addf(out, "mapped %" PRIu64 " time%s", row->map_count,
			     row->map_count == 1 ? "" : "s");
	if (VMT_HAS(addr, zone, row)) {
		vmt_buf_addf(out, "%snode %" PRIu64 ", zone ",
			     VMT_HAS(addr, map_count, row) ? ", " : "", row->node);
		vmt_fmt_safe(out, row->zone, true);
	}
	if (VMT_HAS(addr, region, row)) {
		vmt_buf_adds(out, ", ");
		vmt_fmt_safe(out, row->region, ascii);
	}
	vmt_buf_adds(out, "\n");
	if (VMT_HAS(addr, page_flags, row)) {
		label(out, "flags");
		vmt_fmt_safe(out, row->page_flags, true);
		vmt_buf_adds(out, "\n");
	}
}

static void neighbour_text(struct vmt_buf *out, const char *name, uint64_t bytes, uint64_t start,
			   struct vmt_bytes path, bool ascii, uint64_t page)
{
	label(out, name);
	distance(out, bytes, page);
	vmt_buf_addf(out, " %s, at %" PRIx64 " ",
		     strcmp(name, "below") == 0 ? "behind its end" : "before it", start);
	vmt_fmt_safe(out, path.len ? path : VMT_BYTES("(anonymous)"), ascii);
	vmt_buf_adds(out, "\n");
}

static void row_text(struct vmt_buf *out, const struct addrs *a, const struct vmt_addr *row)
{
	uint64_t page = a->run.sample->host.page_size;
	bool ascii = a->ctx->out.ascii;

	vmt_buf_addf(out, "%012" PRIx64 " ", row->address);
	vmt_fmt_safe(out, row->class, true);
	if (VMT_HAS(addr, explanation, row)) {
		vmt_buf_adds(out, ": ");
		vmt_fmt_safe(out, row->explanation, true);
	}
	vmt_buf_adds(out, "\n");
	if (VMT_HAS(addr, start, row))
		mapping_text(out, row, ascii, page);
	state_text(out, row, ascii);
	if (VMT_HAS(addr, sharers_total, row)) {
		label(out, "shared");
		if (row->sharers_total)
			vmt_buf_addf(out, "%" PRIu64 " other process%s map%s this part of the file",
				     row->sharers_total, row->sharers_total == 1 ? "" : "es",
				     row->sharers_total == 1 ? "s" : "");
		else
			vmt_buf_adds(out, "no other process that is visible maps this part of the "
					  "file");
		if (VMT_HAS(addr, sharer_pids, row)) {
			vmt_buf_adds(out, ": ");
			vmt_fmt_safe(out, row->sharer_pids, true);
			vmt_buf_adds(out, row->sharers_total > NAMED ? ",..." : "");
		}
		vmt_buf_adds(out, "\n");
	}
	if (VMT_HAS(addr, below_start, row))
		neighbour_text(out, "below", row->below_distance_bytes, row->below_start,
			       row->below_path, ascii, page);
	if (VMT_HAS(addr, above_start, row))
		neighbour_text(out, "above", row->above_distance_bytes, row->above_start,
			       row->above_path, ascii, page);
}

static int show(struct addrs *a)
{
	struct vmt_ctx *ctx = a->ctx;
	struct vmt_section *s, *procs;
	bool table = vmt_ctx_given(ctx, "output") || vmt_ctx_given(ctx, "output-all") ||
		     ctx->out.raw;
	bool unmapped = false;
	size_t i;
	int r = vmt_run_model(&a->run, ctx, NULL);

	if (r)
		return r;
	s = vmt_run_section(&a->run, ctx, "addresses", a->rows, a->n);
	procs = vmt_run_section(&a->run, ctx, "processes", a->run.model->procs,
				a->run.model->n_procs);
	if (!s || !procs)
		return VMT_EXIT_FAILED;
	procs->machine_only = true;
	r = vmt_section_options(ctx, s);
	if (r)
		return r;
	for (i = 0; i < a->n; i++)
		unmapped |= !a->maps[i];
	if (ctx->format->emit == vmt_out_text && !table) {
		/* A screen for each, in place of the table. */
		for (i = 0; i < s->n; i++) {
			if (i)
				vmt_buf_addc(&s->note, '\n');
			row_text(&s->note, a, s->rows[i]);
		}
		s->n = 0;
	}
	vmt_run_remarks(&a->run, ctx, s);
	r = vmt_print_doc(ctx, &a->run.doc);
	return r ? r : unmapped ? VMT_EXIT_NOTHING : 0;
}

static int read_maps(struct addrs *a, uint64_t pid)
{
	int r = vmt_run_open(&a->run, a->ctx, 0);

	if (r == 0)
		r = vmt_run_sample(&a->run, a->ctx, VMT_SOURCE_BIT(PIDS), &pid, 1);
	if (r == 0)
		r = vmt_run_missing(&a->run, a->ctx, &pid, 1);
	if (r == 0)
		r = vmt_run_procs(&a->run, a->ctx, VMT_SOURCE_BIT(MAPS) | VMT_SOURCE_BIT(ROLE),
				  NULL, 0);
	if (r)
		return r;
	return a->run.sample->maps[0].n_maps
		       ? 0
		       : vmt_run_unread(&a->run, a->ctx, &a->run.sample->procs[0]);
}

static int run_all(struct addrs *a, uint64_t pid)
{
	size_t i;
	int r = read_maps(a, pid);

	if (r)
		return r;
	r = vmt_collect_physical(a->run.collector, a->run.sample, a->want,
				 vmt_ctx_given(a->ctx, "pfn"), &a->physical);
	for (i = 0; r == 0 && i < a->n; i++) {
		VMT_SET(addr, pid, &a->rows[i], pid);
		find_mapping(a, i);
		if (!a->maps[i])
			continue;
		r = read_page(a, i);
		if (r == 0)
			r = find_symbol(a, i);
	}
	if (r == 0)
		r = find_sharers(a);
	if (r < 0) {
		vmt_complain(a->ctx, "%s", strerror(-r));
		return VMT_EXIT_FAILED;
	}
	return show(a);
}

static int run_addr(struct vmt_ctx *ctx)
{
	VMT_CLEANUP(addrs_done)
	struct addrs a = {
		.ctx = ctx,
		.want = VMT_PAGES_FRAME | VMT_PAGES_SWAP | VMT_PAGES_COUNT | VMT_PAGES_FLAGS |
			VMT_PAGES_ZONE,
	};
	uint64_t pid;
	size_t i;
	int r;

	if (vmt_column_help(ctx, &vmt_entity_addr, &r))
		return r;
	if (ctx->n_operands < 2)
		return vmt_usage_error(ctx, "which process, which address? vmtop addr PID ADDR...");
	if (vmt_parse_pid(ctx->operands[0], &pid) < 0)
		return vmt_usage_error(ctx, "'%.40s' is no process id", ctx->operands[0]);
	for (i = 1; i < ctx->n_operands; i++) {
		uint64_t address;

		if (vmt_parse_address(ctx->operands[i], &address) < 0)
			return vmt_usage_error(ctx, "'%.40s' is no address; they are hexadecimal",
					       ctx->operands[i]);
		VMT_SET(addr, address, &a.rows[a.n], address);
		a.n++;
	}
	return run_all(&a, pid);
}

const struct vmt_cmd vmt_cmd_addr = {
	.name = "addr",
	.summary = "explain an address of a process: mapping, symbol, page, frame, who shares it",
	.synopsis = "PID ADDR... [--pfn] [--no-sharers] [OPTION]...",
	.cost = "one word of pagemap for each address; for a file, its symbols, and maps of all "
		"other processes unless --no-sharers",
	.opts = opts,
	.n_opts = VMT_ARRAY_LEN(opts),
	.groups = VMT_GROUP_BASE | VMT_GROUP_OUTPUT | VMT_GROUP_TABLE | VMT_GROUP_TOP,
	.sections = sections,
	.n_sections = VMT_ARRAY_LEN(sections),
	.operands = "@pid",
	.max_operands = 1 + ADDRESSES_MAX,
	.run = run_addr,
};
