/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/maps-group.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/parse.h"
#include "cmd/maps-cow.h"
#include "cmd/maps-huge.h"

static const struct vmt_section_def sections[] = {
	{ "maps", &vmt_entity_map, false, "mappings, in order of address" },
	{ "groups", &vmt_entity_map_group, false, "with --group: their sums, the largest first" },
	{ "sharers", &vmt_entity_sharer, false, "with --sharers: who maps each file" },
	{ "cow", &vmt_entity_cow, false, "with --cow: what a fork made two processes share" },
	{ "huge", &vmt_entity_huge, false, "with --huge: why mappings have no more huge pages" },
	{ "processes", &vmt_entity_proc, false, "the processes that were asked for" },
};

static const struct vmt_opt opts[] = {
	{ "all", 'a', VMT_OPT_FLAG, NULL, NULL, "all processes" },
	{ "user", 'u', VMT_OPT_VALUE, "NAME", "@user",
	  "all processes of this user (name or id); with PID only those of them" },
	{ "pss", 0, VMT_OPT_MAYBE, NULL, "sliced",
	  "add PSS, for which the kernel walks a mapping in one hold of its lock; or an estimate "
	  "that is read in slices" },
	{ "forecast", 0, VMT_OPT_FLAG, NULL, NULL,
	  "what is not mapped yet, where it is, and how many faults that leaves; opens the files" },
	{ "group", 0, VMT_OPT_VALUE, "WHAT", "role kind file",
	  "sums over the mappings of one role, kind or file" },
	{ "sharers", 0, VMT_OPT_FLAG, NULL, NULL,
	  "who maps each file, memfd and SysV segment; with PID those that it maps" },
	{ "cow", 0, VMT_OPT_FLAG, NULL, NULL,
	  "what a fork made PID share with its parent and children, or with the second PID: still "
	  "shared, copied since" },
	{ "interval", 0, VMT_OPT_VALUE, "SEC", NULL,
	  "with --cow: look twice, SEC seconds apart, for the rate" },
	{ "huge", 0, VMT_OPT_FLAG, NULL, NULL,
	  "huge pages of each mapping, how much could be, and why it is not; reads smaps" },
	{ "list-only", 0, VMT_OPT_FLAG, NULL, NULL,
	  "read maps alone: no residency, and no walk of page tables" },
	VMT_OPTS_BUDGET,
};

/* Sums over mappings; a value is one of all of them, or unknown. */
struct totals {
	size_t n;
	uint64_t size;
	uint64_t rss;
	uint64_t pss;
	uint64_t sliced;
	bool no_rss;
	bool no_pss;
	bool no_sliced;
};

/* All but the number. */
static void add_map(struct totals *t, const struct vmt_map *m)
{
	/* The vsyscall page is the kernel's: the process's own size has it not. */
	if (!vmt_bytes_is(m->path, "[vsyscall]"))
		t->size += m->size_bytes;
	if (VMT_HAS(map, rss_bytes, m))
		t->rss += m->rss_bytes;
	else
		t->no_rss = true;
	if (VMT_HAS(map, pss_bytes, m))
		t->pss += m->pss_bytes;
	else
		t->no_pss = true;
	if (VMT_HAS(map, pss_sliced_bytes, m))
		t->sliced += m->pss_sliced_bytes;
	else
		t->no_sliced = true;
}

static void add_totals(struct totals *to, const struct totals *from)
{
	to->n += from->n;
	to->size += from->size;
	to->rss += from->rss;
	to->pss += from->pss;
	to->no_rss |= from->no_rss;
	to->no_pss |= from->no_pss;
	to->sliced += from->sliced;
	to->no_sliced |= from->no_sliced;
}

/* Behind a sum of some mappings: what it is of all. */
static void add_of(struct vmt_buf *out, const struct vmt_ctx *ctx, bool known, uint64_t all,
		   uint64_t page)
{
	if (!known)
		return;
	vmt_buf_adds(out, " of ");
	vmt_fmt_size(out, all, ctx->out.unit, page);
}

/* p: the process that they are of, or NULL where they are of several. */
static void totals_text(struct vmt_buf *out, const struct vmt_ctx *ctx, const struct totals *t,
			const struct vmt_proc *p, uint64_t page)
{
	/* The time was over before all of them came, or any. Its size and RSS are those of status.
	 */
	bool part = p && !ctx->filter && VMT_HAS(proc, read_status, p) &&
		    (vmt_bytes_is(p->read_status, "timed_out") ||
		     (vmt_bytes_is(p->read_status, "skipped") && !t->n));

	vmt_buf_addf(out, "%zu ", t->n);
	if (part && VMT_HAS(proc, maps_total, p))
		vmt_buf_addf(out, "of %" PRIu64 " ", p->maps_total);
	vmt_buf_addf(out, "mappings%s, size ", part ? " (partial)" : "");
	vmt_fmt_size(out, t->size, ctx->out.unit, page);
	add_of(out, ctx, part && VMT_HAS(proc, vsize_bytes, p), p ? p->vsize_bytes : 0, page);
	if ((part && VMT_HAS(proc, rss_bytes, p)) || (t->n && !t->no_rss)) {
		vmt_buf_adds(out, ", RSS ");
		if (t->no_rss || !t->n)
			vmt_buf_adds(out, "-");
		else
			vmt_fmt_size(out, t->rss, ctx->out.unit, page);
		add_of(out, ctx, part && VMT_HAS(proc, rss_bytes, p), p ? p->rss_bytes : 0, page);
	}
	if (t->n && !t->no_pss) {
		vmt_buf_adds(out, ", PSS ");
		vmt_fmt_size(out, t->pss, ctx->out.unit, page);
	}
	if (t->n && !t->no_sliced) {
		vmt_buf_adds(out, ", PSS about ");
		vmt_fmt_size(out, t->sliced, ctx->out.unit, page);
	}
	vmt_buf_addc(out, '\n');
}

/* A process without mappings of its own, in words: 0 would say that it could have some. */
static bool without_memory_text(struct vmt_buf *out, const struct vmt_proc *p)
{
	const char *what = NULL;

	if (VMT_HAS(proc, class, p) && vmt_bytes_is(p->class, "zombie"))
		what = "is a zombie: its memory is given back";
	else if (VMT_HAS(proc, class, p) && vmt_bytes_is(p->class, "kernel"))
		what = "is a kernel thread: it has no memory of its own";
	if (what)
		vmt_buf_addf(out, "process %llu %s\n", (unsigned long long)p->pid, what);
	return what != NULL;
}

/* Names every process that could not be read whole; the exit code for the first. */
static int unread(const struct vmt_run *run, struct vmt_ctx *ctx)
{
	const struct vmt_sample *s = run->sample;
	int ret = 0;
	size_t i;

	for (i = 0; i < s->n_procs; i++) {
		int code = vmt_run_unread(run, ctx, &s->procs[i]);

		if (!ret)
			ret = code;
	}
	return ret;
}

static int parse_operands(struct vmt_ctx *ctx, uint64_t **ret, size_t *ret_n)
{
	VMT_AUTO_BUF list = { 0 };
	size_t i;

	for (i = 0; i < ctx->n_operands; i++) {
		if (i)
			vmt_buf_addc(&list, ',');
		vmt_buf_adds(&list, ctx->operands[i]);
	}
	if (vmt_buf_error(&list) < 0)
		return vmt_no_memory(ctx);
	return vmt_parse_pids(ctx, list.data ? list.data : "", ret, ret_n);
}

/* What the run is about, for the rows as they come. */
struct work {
	struct vmt_ctx *ctx;
	struct vmt_run run;
	uint64_t want; /* sources */
	bool named; /* processes were named: each that cannot be read is complained about */
	bool sorted; /* all rows are wanted before the first is printed */
	int failed; /* exit code of the first process that was not read */
	const uint64_t *pids; /* --sharers: the processes that were named */
	size_t n_pids;

	vmt_emit_fn *emit;
	void *emit_ctx;
	bool headed; /* the process that is at work has its heading */
	struct totals proc; /* of it */
	struct totals all;

	/* sorted: every row, with strings of their own */
	struct vmt_map *maps;
	size_t n_maps;
	size_t cap_maps;
};

/* Above the table of a process, where there are several. */
static void heading(struct vmt_buf *out, const struct work *w, const struct vmt_proc *p)
{
	vmt_buf_addf(out, "%llu ", (unsigned long long)p->pid);
	if (VMT_HAS(proc, comm, p))
		vmt_fmt_safe(out, p->comm, w->ctx->out.ascii);
	else
		vmt_buf_addc(out, '-');
	vmt_buf_addc(out, '\n');
}

/* The rows of which --filter is true, in an array of their own. */
static int filter_rows(const struct work *w, const struct vmt_map **maps, size_t *n,
		       struct vmt_map **ret)
{
	uint64_t page_size = w->run.sample->host.page_size;
	size_t i, k = 0;

	if (!w->ctx->filter || *n == 0)
		return 0;
	*ret = reallocarray(NULL, *n, sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	for (i = 0; i < *n; i++)
		if (vmt_filter_test(w->ctx->filter, &(*maps)[i], page_size) == VMT_TRUE)
			(*ret)[k++] = (*maps)[i];
	*maps = *ret;
	*n = k;
	return 0;
}

static int print_rows(void *arg, size_t index, const struct vmt_map *maps, size_t n, bool last)
{
	struct work *w = arg;
	VMT_AUTO_FREE struct vmt_map *kept = NULL;
	const struct vmt_sample *s = w->run.sample;
	bool several = s->n_procs > 1;
	struct vmt_rows rows = { 0 };
	VMT_AUTO_BUF lead = { 0 };
	VMT_AUTO_BUF note = { 0 };
	size_t i;
	int r = filter_rows(w, &maps, &n, &kept);

	if (r < 0)
		return r;
	rows.rows = maps;
	rows.n = n;
	/* Of what nobody is told their number is enough. */
	for (i = 0; w->ctx->format->emit == vmt_out_text && i < n; i++)
		add_map(&w->proc, &maps[i]);
	w->proc.n += n;
	if (n && !w->headed && several)
		heading(&lead, w, &s->procs[index]);
	w->headed |= n > 0;
	if (last && several && w->proc.n)
		totals_text(&note, w->ctx, &w->proc, &s->procs[index], s->host.page_size);
	rows.lead = lead.data;
	rows.note = note.data;
	r = vmt_buf_error(&lead) ?: vmt_buf_error(&note);
	if (r == 0 && (n || rows.note))
		r = w->emit(w->emit_ctx, &rows);
	if (last) {
		add_totals(&w->all, &w->proc);
		w->proc = (struct totals){ 0 };
		w->headed = false;
	}
	return r;
}

/* Room for n more rows. What is not used yet is not written to either: the array doubles, and half
 * of it may never be needed. */
static int make_room(struct work *w, size_t n)
{
	size_t cap = w->cap_maps ? w->cap_maps : 1024, want;
	struct vmt_map *maps;

	if (__builtin_add_overflow(w->n_maps, n, &want) || want > SIZE_MAX / 4)
		return -ENOMEM;
	if (want <= w->cap_maps)
		return 0;
	while (cap < want)
		cap *= 2;
	maps = reallocarray(w->maps, cap, sizeof(*maps));
	if (!maps)
		return -ENOMEM;
	w->maps = maps;
	w->cap_maps = cap;
	return 0;
}

/* Keeps rows and their strings, for an order of all of them. */
static int keep_rows(void *arg, size_t index, const struct vmt_map *maps, size_t n, bool last)
{
	struct work *w = arg;
	struct vmt_arena *arena = &w->run.sample->arena;
	VMT_AUTO_FREE struct vmt_map *kept = NULL;
	size_t i;
	int r = filter_rows(w, &maps, &n, &kept);

	if (r == 0)
		r = make_room(w, n);
	for (i = 0; r == 0 && i < n; i++) {
		struct vmt_map *m = &w->maps[w->n_maps];

		*m = maps[i];
		r = vmt_row_own_text(&vmt_entity_map, arena, m, i ? m - 1 : NULL,
				     i ? &maps[i - 1] : NULL);
		if (r < 0)
			return r;
		w->n_maps++;
		add_map(&w->all, m);
		w->all.n++;
	}
	return r;
}

/* Reads the processes, and hands their mappings to fn. A negative errno, or 0. */
static int read_rows(void *arg, vmt_rows_fn *fn, void *fn_arg)
{
	struct work *w = arg;
	struct vmt_sample *s = w->run.sample;
	VMT_AUTO_FREE size_t *indices = calloc(s->n_procs ? s->n_procs : 1, sizeof(*indices));
	struct vmt_err err = { 0 };
	size_t i;
	int r;

	if (!indices)
		return -ENOMEM;
	for (i = 0; i < s->n_procs; i++)
		indices[i] = i;
	r = vmt_collect_rows(w->run.collector, s, w->want, indices, s->n_procs, fn, fn_arg, &err);
	if (r < 0)
		return r;
	if (w->named)
		w->failed = unread(&w->run, w->ctx);
	return 0;
}

/* Adds what stands behind the mappings, once all of them came. An exit code or 0. */
static int finish(struct work *w, struct vmt_section *s)
{
	const struct vmt_sample *sample = w->run.sample;
	struct vmt_section *procs;
	size_t without = 0, i;

	procs = vmt_run_section(&w->run, w->ctx, "processes", w->run.model->procs,
				w->run.model->n_procs);
	if (!procs)
		return VMT_EXIT_FAILED;
	procs->machine_only = true;
	for (i = 0; w->named && i < sample->n_procs; i++)
		without += without_memory_text(&s->note, &sample->procs[i]);
	if (w->all.n && sample->n_procs > 1 && !w->sorted)
		vmt_buf_addf(&s->note, "\nall %zu processes: ", sample->n_procs);
	if (sample->n_procs > without)
		totals_text(&s->note, w->ctx, &w->all,
			    sample->n_procs == 1 ? &sample->procs[0] : NULL,
			    sample->host.page_size);
	vmt_run_remarks(&w->run, w->ctx, s);
	return 0;
}

static int produce(void *arg, vmt_emit_fn *emit, void *ctx)
{
	static const struct vmt_rows nothing = { 0 };
	struct work *w = arg;
	struct vmt_section *s = &w->run.doc.sections[0];
	int r;

	w->emit = emit;
	w->emit_ctx = ctx;
	r = read_rows(w, print_rows, w);
	/* What is known of a process whose time was over is the document, without a mapping too. */
	if (r == 0 && w->failed == VMT_EXIT_TIMEOUT && w->all.n == 0)
		r = w->emit(w->emit_ctx, &nothing);
	if (r < 0)
		return r;
	s->total = w->all.n;
	r = vmt_run_remodel(&w->run, w->ctx, NULL);
	if (r == 0)
		r = finish(w, s);
	return r ? r : w->failed;
}

/* The columns of --forecast and --pss: an exit code, or 0. */
static int add_columns(struct vmt_ctx *ctx, struct vmt_columns *columns, bool pid)
{
	static const char forecast[] = "PID,ADDRESS,PERM,SIZE,RSS,SWAP,CACHED,ABSENT,MINOR-LEFT,"
				       "MINOR-MAX,MAJOR-LEFT,MAJOR-MAX,MAPPING";
	const char *how = vmt_ctx_value(ctx, "pss");

	if (vmt_ctx_given(ctx, "output") || vmt_ctx_given(ctx, "output-all"))
		return 0;
	if (vmt_ctx_given(ctx, "forecast") &&
	    vmt_columns_parse(columns, &vmt_entity_map, forecast + (pid ? 0 : strlen("PID,")),
			      NULL) < 0)
		return vmt_no_memory(ctx);
	if (!how)
		return 0;
	return vmt_columns_parse(columns, &vmt_entity_map, *how ? "+PSS-SLICED" : "+PSS", NULL) < 0
		       ? vmt_no_memory(ctx)
		       : 0;
}

static int print_sorted(struct work *w)
{
	struct vmt_section *s;
	int r = read_rows(w, keep_rows, w);

	if (r < 0)
		return vmt_no_memory(w->ctx);
	r = vmt_run_model(&w->run, w->ctx, NULL);
	if (r)
		return r;
	s = vmt_run_section(&w->run, w->ctx, "maps", w->maps, w->n_maps);
	if (!s)
		return VMT_EXIT_FAILED;
	if (w->run.sample->n_procs > 1 && !vmt_ctx_given(w->ctx, "output") &&
	    vmt_columns_parse(&s->columns, &vmt_entity_map,
			      "PID,ADDRESS,PERM,KIND,SIZE,RSS,ANON,FILE,SWAP,MAPPING", NULL) < 0)
		return vmt_no_memory(w->ctx);
	r = add_columns(w->ctx, &s->columns, w->run.sample->n_procs > 1);
	if (r == 0)
		r = vmt_section_options(w->ctx, s);
	if (r == 0)
		r = finish(w, s);
	if (r)
		return r;
	if (w->failed && w->failed != VMT_EXIT_TIMEOUT && w->n_maps == 0)
		return w->failed;
	r = vmt_print_doc(w->ctx, &w->run.doc);
	return r ? r : w->failed;
}

static int print_as_they_come(struct work *w)
{
	struct vmt_section *s;
	int r = vmt_run_model(&w->run, w->ctx, NULL);

	if (r)
		return r;
	s = vmt_run_section(&w->run, w->ctx, "maps", NULL, 0);
	if (!s)
		return VMT_EXIT_FAILED;
	s->produce = produce;
	s->produce_arg = w;
	r = add_columns(w->ctx, &s->columns, false);
	if (r == 0)
		r = vmt_section_options(w->ctx, s);
	return r ? r : vmt_print_doc(w->ctx, &w->run.doc);
}

/* Takes away the processes of other users, and, where nobody named them, those without memory. */
static void filter(struct work *w)
{
	const char *user = vmt_ctx_value(w->ctx, "user");
	struct vmt_sample *s = w->run.sample;
	uint64_t uid = 0;
	bool by_uid = user && vmt_parse_u64(user, &uid) == 0;
	size_t i, n = 0;

	for (i = 0; i < s->n_procs; i++) {
		const struct vmt_proc *p = &s->procs[i];

		if (!w->named && VMT_HAS(proc, class, p) && !vmt_bytes_is(p->class, "user"))
			continue;
		if (user && !(by_uid && VMT_HAS(proc, uid, p) && p->uid == uid) &&
		    !(VMT_HAS(proc, user, p) && vmt_bytes_is(p->user, user)))
			continue;
		s->procs[n++] = *p;
	}
	s->n_procs = n;
}

/* --sharers PID: the mappings of the processes that were named. */
static int read_chosen(void *arg, vmt_rows_fn *fn, void *fn_arg)
{
	struct work *w = arg;
	struct vmt_sample *s = w->run.sample;
	VMT_AUTO_FREE size_t *indices = calloc(w->n_pids ? w->n_pids : 1, sizeof(*indices));
	struct vmt_err err = { 0 };
	size_t n = 0, i;
	int r;

	if (!indices)
		return -ENOMEM;
	for (i = 0; i < w->n_pids; i++) {
		const struct vmt_proc *p = vmt_sample_proc(s, w->pids[i]);

		if (p)
			indices[n++] = (size_t)(p - s->procs);
	}
	r = vmt_collect_rows(w->run.collector, s, vmt_map_group_sources(VMT_MAPS_BY_FILE), indices,
			     n, fn, fn_arg, &err);
	if (r < 0)
		return r;
	w->failed = unread(&w->run, w->ctx);
	return 0;
}

/*
 * What is read of each process beside its mappings. -o says what is wanted: stat then is enough to
 * know who it is, and status, which is half of what the list of processes costs, is left alone.
 */
static uint64_t list_sources(const struct vmt_ctx *ctx, const struct vmt_entity *entity,
			     uint64_t want)
{
	uint64_t identity = VMT_SOURCE_BIT(PIDS) | VMT_COLLECT_HOLD;

	/* Sums have the mappings of one address space once. */
	if (entity == &vmt_entity_map_group && ctx->n_operands != 1)
		return identity | VMT_SOURCE_BIT(KCMP) | VMT_SOURCE_BIT(STATUS) |
		       VMT_SOURCE_BIT(STAT);
	if (vmt_ctx_given(ctx, "output") && !vmt_ctx_given(ctx, "user"))
		identity |= VMT_SOURCE_BIT(STAT);
	/* What a walk will cost is estimated by the RSS; without rights it may come to one. */
	if (identity & VMT_SOURCE_BIT(STAT) &&
	    (want & VMT_SOURCES_WALK || (want & VMT_COLLECT_CHEAP && geteuid() != 0)))
		identity |= VMT_SOURCE_BIT(STATM);
	return identity;
}

/* Prints what was read, in the way that was asked for. */
static int print(struct work *w, const struct vmt_entity *entity, enum vmt_map_group_by by)
{
	int r;

	if (entity == &vmt_entity_map)
		return w->sorted ? print_sorted(w) : print_as_they_come(w);
	if (entity == &vmt_entity_map_group)
		r = vmt_map_groups_print(w->ctx, &w->run, by, read_rows, w);
	else
		r = vmt_sharers_print(w->ctx, &w->run, w->n_pids ? read_chosen : NULL, read_rows,
				      w);
	return r ? r : w->failed;
}

/* Which rows it is about; false after a complaint. */
static bool choose_rows(struct vmt_ctx *ctx, const struct vmt_entity **ret,
			enum vmt_map_group_by *ret_by)
{
	const char *group = vmt_ctx_value(ctx, "group");
	bool sharers = vmt_ctx_given(ctx, "sharers");

	*ret = group ? &vmt_entity_map_group : sharers ? &vmt_entity_sharer : &vmt_entity_map;
	if (group && sharers) {
		vmt_usage_error(ctx, "--group or --sharers, not both");
		return false;
	}
	return !group || vmt_map_group_parse(ctx, group, ret_by);
}

/* --cow */
static int run_cow(struct vmt_ctx *ctx)
{
	VMT_AUTO_FREE uint64_t *pids = NULL;
	VMT_AUTO_RUN run = { 0 };
	uint64_t ns = 0;
	size_t n = 0;
	int r;

	if (vmt_column_help(ctx, &vmt_entity_cow, &r))
		return r;
	r = vmt_maps_cow_parse(ctx, &ns);
	if (r == 0)
		r = parse_operands(ctx, &pids, &n);
	if (r == 0)
		r = vmt_run_open(&run, ctx, ns);
	return r ? r : vmt_maps_cow_print(ctx, &run, pids, n, ns);
}

/* --huge */
static int run_huge(struct vmt_ctx *ctx)
{
	VMT_AUTO_FREE uint64_t *pids = NULL;
	VMT_AUTO_RUN run = { 0 };
	size_t n = 0;
	int r;

	if (vmt_column_help(ctx, &vmt_entity_huge, &r))
		return r;
	r = vmt_maps_huge_parse(ctx);
	if (r == 0)
		r = parse_operands(ctx, &pids, &n);
	if (r == 0)
		r = vmt_run_open(&run, ctx, 0);
	if (r == 0)
		r = vmt_run_budget(&run, ctx);
	return r ? r : vmt_maps_huge_print(ctx, &run, pids, n);
}

static int run_maps(struct vmt_ctx *ctx)
{
	bool all = vmt_ctx_given(ctx, "all") || vmt_ctx_given(ctx, "user");
	enum vmt_map_group_by by = VMT_MAPS_BY_FILE;
	VMT_AUTO_FREE uint64_t *pids = NULL;
	struct work w = { .ctx = ctx, .named = ctx->n_operands > 0 };
	const struct vmt_entity *entity;
	size_t n_pids = 0;
	int r, missing = 0;

	if (vmt_ctx_given(ctx, "cow"))
		return run_cow(ctx);
	if (vmt_ctx_given(ctx, "huge"))
		return run_huge(ctx);
	if (vmt_ctx_given(ctx, "interval"))
		return vmt_usage_error(ctx, "--interval is of --cow");
	if (!choose_rows(ctx, &entity, &by))
		return VMT_EXIT_USAGE;
	if (vmt_column_help(ctx, entity, &r))
		return r;
	if (!w.named && !all)
		return vmt_usage_error(ctx, "which process? vmtop maps PID..., or --all");
	if (w.named && vmt_ctx_given(ctx, "all"))
		return vmt_usage_error(ctx, "--all is every process; name none");
	if (w.named)
		r = parse_operands(ctx, &pids, &n_pids);
	else
		r = 0;
	w.want = entity == &vmt_entity_map ? VMT_SOURCE_BIT(MAPS) : vmt_map_group_sources(by);
	if (r == 0)
		r = vmt_maps_want(ctx, entity, &w.want);
	if (r)
		return r;
	w.sorted = vmt_ctx_given(ctx, "sort") || vmt_ctx_given(ctx, "top");
	r = vmt_run_open(&w.run, ctx, 0);
	if (r == 0)
		r = vmt_run_budget(&w.run, ctx);
	if (r == 0)
		/* Who shares something can be anybody. */
		r = vmt_run_sample(&w.run, ctx, list_sources(ctx, entity, w.want),
				   entity == &vmt_entity_sharer ? NULL : pids, n_pids);
	if (r == 0 && w.named) {
		missing = vmt_run_missing(&w.run, ctx, pids, n_pids);
		if (missing && w.run.sample->n_procs == 0)
			r = missing;
	}
	if (r == 0) {
		if (entity == &vmt_entity_sharer) {
			w.pids = pids;
			w.n_pids = n_pids;
			w.named = false;
		}
		filter(&w);
		vmt_run_announce(&w.run, ctx, w.want, NULL, 0);
		r = print(&w, entity, by);
	}
	vmt_run_done(&w.run);
	free(w.maps);
	return r ? r : missing;
}

const struct vmt_cmd vmt_cmd_maps = {
	.name = "maps",
	.summary = "the mappings of a process, with what is resident of each",
	.synopsis =
		"(PID... | --all | -u NAME) [--group WHAT | --sharers | --cow [--interval SEC] | --huge] [--pss[=sliced]] "
		"[--forecast] [--list-only] [OPTION]...",
	.cost = "by default the page tables are looked at in slices of some tens of microseconds; "
		"PSS and other lines of smaps need a walk over a whole mapping under the mmap lock "
		"of the process: about 20 ns for each resident page of 4 KiB",
	.opts = opts,
	.n_opts = VMT_ARRAY_LEN(opts),
	.groups = VMT_GROUP_BASE | VMT_GROUP_OUTPUT | VMT_GROUP_TABLE | VMT_GROUP_TOP,
	.sections = sections,
	.n_sections = VMT_ARRAY_LEN(sections),
	.sections_optional = true,
	.operands = "@pid",
	.max_operands = 1024,
	.run = run_maps,
};
