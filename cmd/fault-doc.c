/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/fault-doc.h"

#include "base/parse.h"
#include "cmd/fault-window.h"
#include "model/fault-parts.h"

const char vmt_fault_kind_words[] = "all"
#define K(id, member) " " #member
#include "model/fault-kind.def"
#undef K
#define O(id, word) " " #word
#include "model/fault-outcome.def"
#undef O
	;

/* The kinds of a list, as bits; false where one is none. */
static bool parse_kinds(const char *list, uint32_t *ret)
{
	uint32_t kinds = 0;

	for (;;) {
		size_t n = strcspn(list, ",");
		struct vmt_bytes word = { list, n };
		int k;

		for (k = 0; k < VMT_FAULT_OUTCOMES; k++)
			if (vmt_bytes_is(word, vmt_fault_kind_name((enum vmt_fault_kind)k)))
				break;
		if (k < VMT_FAULT_OUTCOMES)
			kinds |= UINT32_C(1) << k;
		else if (vmt_bytes_is(word, "all"))
			kinds = UINT32_MAX;
		else
			return false;
		if (!list[n])
			break;
		list += n + 1;
	}
	*ret = kinds;
	return true;
}

int vmt_fault_summary(struct vmt_ctx *ctx, struct vmt_model_opts *ret)
{
	const char *what = vmt_ctx_value(ctx, "summary");
	const char *kinds = vmt_ctx_value(ctx, "kind");

	if (!what || strcmp(what, "vma") == 0)
		ret->fault_group = VMT_FAULT_BY_VMA;
	else if (strcmp(what, "proc") == 0)
		ret->fault_group = VMT_FAULT_BY_PROC;
	else if (strcmp(what, "file") == 0)
		ret->fault_group = VMT_FAULT_BY_FILE;
	else if (strcmp(what, "cgroup") == 0)
		ret->fault_group = VMT_FAULT_BY_CGROUP;
	else if (strcmp(what, "kind") == 0)
		ret->fault_group = VMT_FAULT_BY_KIND;
	else if (strcmp(what, "ip") == 0)
		ret->fault_group = VMT_FAULT_BY_IP;
	else
		return vmt_usage_error(ctx, "--summary takes vma, proc, file, cgroup, kind or ip");
	if (kinds && !parse_kinds(kinds, &ret->fault_kinds))
		return vmt_usage_error(
			ctx, "--kind takes names of kinds, as zero_fill,file_major; or all");
	if (kinds && ret->fault_group == VMT_FAULT_BY_IP)
		return vmt_usage_error(ctx, "--summary ip has no kinds");
	return 0;
}

int vmt_fault_asks(struct vmt_ctx *ctx, const struct vmt_model_opts *opts,
		   const struct vmt_entity *entity, uint32_t *ret)
{
	VMT_CLEANUP(vmt_columns_done) struct vmt_columns columns = { 0 };
	int r;
	size_t i;

	*ret = opts->fault_group == VMT_FAULT_BY_CGROUP ? VMT_ASK_CGROUP : 0;
	r = vmt_wanted_columns(ctx, entity, &columns);
	for (i = 0; i < columns.n; i++)
		*ret |= entity == &vmt_entity_fault ? vmt_fault_field_ask(columns.fields[i])
						    : vmt_single_field_ask(columns.fields[i]);
	return r;
}

int vmt_fault_overhead(struct vmt_ctx *ctx, bool singles, uint32_t asks, uint64_t *ret_percent)
{
	const char *percent = vmt_ctx_value(ctx, "overhead");

	*ret_percent = VMT_OVERHEAD_USUAL;
	if (!percent)
		return 0;
	if (vmt_parse_u64(percent, ret_percent) < 0 || *ret_percent > 100)
		return vmt_usage_error(ctx, "--overhead takes a percentage, 0 to 100");
	if (singles)
		return vmt_usage_error(ctx, "single faults are all timed: no --overhead");
	if (asks & VMT_ASK_SHARES)
		return vmt_usage_error(ctx, "LOCK-WAIT, READ-WAIT and SWAP-WAIT are of all faults: "
					    "no --overhead");
	return 0;
}

uint32_t vmt_fault_sources(uint32_t asks)
{
	uint32_t sources = VMT_SOURCE_BIT(PIDS);

	/* What the probe does not know of processes that still run. */
	if (asks & VMT_ASK_CGROUP)
		sources |= VMT_SOURCE_BIT(CGROUP);
	return sources;
}

bool vmt_fault_by_kind(const struct vmt_model_opts *opts)
{
	return opts->fault_kinds || opts->fault_group == VMT_FAULT_BY_KIND;
}

uint32_t vmt_fault_without_pages(const struct vmt_ctx *ctx)
{
	const char *what = vmt_ctx_value(ctx, "summary");

	/* Documents have every section; a stream has none. */
	if (vmt_ctx_given(ctx, "stream"))
		return VMT_HAVE_FILE_PAGES;
	return strstr(ctx->format->name, "json") || (what && strcmp(what, "file") == 0)
		       ? 0
		       : VMT_HAVE_FILE_PAGES;
}

int vmt_fault_without(struct vmt_ctx *ctx, const struct vmt_model_opts *opts, uint32_t *ret)
{
	const uint32_t begin = VMT_HAVE_ACCESS | VMT_HAVE_MODE | VMT_HAVE_LATENCY |
			       VMT_HAVE_SIGBUS | VMT_HAVE_KINDS | VMT_HAVE_ABANDONED;
	VMT_CLEANUP(vmt_columns_done) struct vmt_columns columns = { 0 };
	uint32_t needed = 0;
	int r = vmt_wanted_columns(ctx, &vmt_entity_fault, &columns);
	size_t i;

	if (r)
		return r;
	for (i = 0; i < columns.n; i++)
		needed |= vmt_fault_field_have(columns.fields[i]);
	if (vmt_fault_by_kind(opts))
		needed |= VMT_HAVE_KINDS;
	/* All of it comes with the begin of each fault. */
	*ret = needed & begin ? 0 : begin;
	return 0;
}

static const char *const group_columns[] = {
	[VMT_FAULT_BY_VMA] = NULL,
	[VMT_FAULT_BY_PROC] = "PID,FAULTS,MAJOR,READ,WRITE,GUP,P50,P99,MAX,STALL,COMMAND",
	[VMT_FAULT_BY_FILE] = "KIND,FAULTS,MAJOR,READ,WRITE,P50,P99,MAX,STALL,MAPPING",
	[VMT_FAULT_BY_IP] = "PID,IP,FAULTS,MAJOR,USER,KERNEL,SYMBOL,COMMAND,OFFSET,MAPPING",
	[VMT_FAULT_BY_CGROUP] = "FAULTS,MAJOR,READ,WRITE,GUP,P50,P99,MAX,STALL,CGROUP",
	[VMT_FAULT_BY_KIND] = NULL,
};

/* The same where each row is of one kind, which may be an outcome; what comes behind the counts. */
static const char *const kind_columns[][2] = {
	[VMT_FAULT_BY_VMA] = { "PID,ADDRESS,PERM,SERVED,FAULTS",
			       "MAJOR,P50,P99,MAX,STALL,COMMAND,MAPPING" },
	[VMT_FAULT_BY_PROC] = { "PID,SERVED,FAULTS", "MAJOR,READ,WRITE,P50,P99,MAX,STALL,COMMAND" },
	[VMT_FAULT_BY_FILE] = { "KIND,SERVED,FAULTS",
				"MAJOR,READ,WRITE,P50,P99,MAX,STALL,MAPPING" },
	[VMT_FAULT_BY_CGROUP] = { "SERVED,FAULTS", "MAJOR,READ,WRITE,P50,P99,MAX,STALL,CGROUP" },
	[VMT_FAULT_BY_KIND] = { "SERVED,FAULTS", "MAJOR,READ,WRITE,P50,P90,P99,MAX,STALL" },
};

/* The columns of a table of faults, in text. 0 or -errno. */
static int choose_columns(struct vmt_section *s, const struct vmt_model_opts *opts)
{
	const uint32_t failed = ~UINT32_C(0) << VMT_OUTCOME_SIGBUS;
	uint32_t kinds = opts->fault_kinds;
	VMT_AUTO_BUF list = { 0 };
	int r;

	if (!vmt_fault_by_kind(opts))
		return group_columns[opts->fault_group]
			       ? vmt_columns_parse(&s->columns, &vmt_entity_fault,
						   group_columns[opts->fault_group], NULL)
			       : 0;
	/* Outcomes that are not charged have columns of their own. */
	kinds = kinds ? kinds : UINT32_MAX;
	vmt_buf_addf(&list, "%s,%s%s%s", kind_columns[opts->fault_group][0],
		     kinds & failed ? "FAILED," : "",
		     kinds >> VMT_OUTCOME_RETRIED & 1 ? "RETRIED," : "",
		     kind_columns[opts->fault_group][1]);
	r = vmt_buf_error(&list);
	return r < 0 ? r : vmt_columns_parse(&s->columns, &vmt_entity_fault, list.data, NULL);
}

/* Outcomes that were asked for by name, and of which there can be no row. */
static void note_outcomes(struct vmt_ctx *ctx, const struct vmt_fault_sample *f,
			  const struct vmt_model_opts *opts)
{
	int k;

	if (!f || f->rung == VMT_RUNG_NONE || opts->fault_kinds == UINT32_MAX ||
	    opts->fault_group == VMT_FAULT_BY_KIND)
		return;
	for (k = VMT_FAULT_KINDS; k < VMT_FAULT_OUTCOMES; k++) {
		enum vmt_fault_kind kind = (enum vmt_fault_kind)k;

		if (!(opts->fault_kinds >> k & 1) ||
		    vmt_fault_outcome_is_known(f, kind, opts->fault_group))
			continue;
		vmt_note(ctx, "%s: not told here by this rung; see 'vmtop doctor'",
			 vmt_fault_kind_name(kind));
		ctx->partial = true;
	}
}

/* Single faults stand first where they were asked for; NULL where not, or without memory. */
static struct vmt_section *singles_section(struct vmt_ctx *ctx, struct vmt_run *run)
{
	const struct vmt_model *m = run->model;

	if (!m->sample->faults || !m->sample->faults->singles_asked)
		return NULL;
	return vmt_run_section(run, ctx, "singles", m->singles, m->n_singles);
}

int vmt_fault_sections(struct vmt_ctx *ctx, struct vmt_run *run, const struct vmt_model_opts *opts,
		       struct vmt_section **ret_first, struct vmt_section **ret_last)
{
	const struct vmt_model *m = run->model;
	enum vmt_fault_group group = opts->fault_group;
	/* In a stream they came before, and the options were theirs. */
	bool streamed = run->doc.n > 0;
	struct vmt_section *singles = streamed ? run->doc.sections : singles_section(ctx, run);
	struct vmt_section *s = vmt_run_section(run, ctx, "faults", m->faults, m->n_faults);
	struct vmt_section *balance, *files, *first = singles ? singles : s;
	int r;

	if (!s)
		return VMT_EXIT_FAILED;
	if (vmt_fault_by_kind(opts) && m->sample->faults &&
	    m->sample->faults->rung != VMT_RUNG_NONE &&
	    !(m->sample->faults->have & VMT_HAVE_KINDS)) {
		vmt_note(ctx, "the kinds of faults are not told by this rung; see 'vmtop doctor'");
		ctx->partial = true;
	}
	note_outcomes(ctx, m->sample->faults, opts);
	if (choose_columns(s, opts) < 0)
		return VMT_EXIT_FAILED;
	r = streamed ? 0 : vmt_section_options(ctx, first);
	if (r)
		return r;
	if (singles) {
		vmt_section_arrange(s, 0);
		s->machine_only = true;
	}
	vmt_window_text(&first->note, ctx, m);
	balance = vmt_run_section(run, ctx, "balance", m->balance, m->n_balance);
	files = vmt_run_section(run, ctx, "files", m->files, m->n_files);
	if (!balance || !files)
		return VMT_EXIT_FAILED;
	vmt_section_arrange(balance, 0);
	vmt_section_arrange(files, 0);
	balance->title = "SUM by process";
	balance->machine_only = !vmt_ctx_given(ctx, "balance");
	files->title = "FILES: calls of filemap_fault";
	files->machine_only = group != VMT_FAULT_BY_FILE || m->n_files == 0;
	if (ret_first)
		*ret_first = s;
	*ret_last = !files->machine_only ? files : !balance->machine_only ? balance : first;
	return 0;
}

enum vmt_stack_depth vmt_fault_stacks(const struct vmt_ctx *ctx)
{
	const char *what = vmt_ctx_value(ctx, "summary");

	if (vmt_ctx_given(ctx, "stacks") || strcmp(ctx->format->name, "folded") == 0)
		return VMT_STACK_FULL;
	return what && strcmp(what, "ip") == 0 ? VMT_STACK_LEAF : VMT_STACK_NONE;
}

int vmt_fault_stack_section(struct vmt_ctx *ctx, struct vmt_run *run, struct vmt_section **last)
{
	const struct vmt_model *m = run->model;
	const char *top = vmt_ctx_value(ctx, "top");
	struct vmt_section *s;
	uint64_t n = 0;

	if (!m->stacks)
		return 0;
	s = vmt_run_section(run, ctx, "stacks", m->stacks, m->n_stacks);
	if (!s)
		return VMT_EXIT_FAILED;
	if (top)
		vmt_parse_u64(top, &n);
	s->title = "STACKS";
	if (vmt_section_arrange(s, n) < 0)
		return vmt_no_memory(ctx);
	*last = s;
	return 0;
}
