/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/maps-group.h"

#include <inttypes.h>

#include "model/proc-group.h"
#include "model/sharers.h"
#include "source/sysvipc.h"

bool vmt_map_group_parse(struct vmt_ctx *ctx, const char *word, enum vmt_map_group_by *ret)
{
	static const struct {
		const char *word;
		enum vmt_map_group_by by;
	} words[] = {
		{ "role", VMT_MAPS_BY_ROLE },
		{ "kind", VMT_MAPS_BY_KIND },
		{ "file", VMT_MAPS_BY_FILE },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(words); i++) {
		if (strcmp(word, words[i].word) == 0) {
			*ret = words[i].by;
			return true;
		}
	}
	vmt_usage_error(ctx, "--group takes role, kind or file, not '%.40s'", word);
	return false;
}

uint64_t vmt_map_group_sources(enum vmt_map_group_by by)
{
	/* Of a file it tells which of two SysV segments with the same id it is. */
	return VMT_SOURCE_BIT(MAPS) | (by == VMT_MAPS_BY_KIND ? 0 : VMT_SOURCE_BIT(ROLE));
}

int vmt_maps_want(struct vmt_ctx *ctx, const struct vmt_entity *entity, uint64_t *ret)
{
	const char *pss = vmt_ctx_value(ctx, "pss");
	uint64_t want = *ret;
	int r;

	if (pss && *pss && strcmp(pss, "sliced") != 0)
		return vmt_usage_error(ctx, "--pss takes sliced or no value, not '%.40s'", pss);
	if (pss && *pss && entity != &vmt_entity_map)
		return vmt_usage_error(ctx, "--pss=sliced is of single mappings");
	r = vmt_wanted_sources(ctx, entity, &want);
	if (r)
		return r;
	if (pss)
		want |= *pss ? VMT_SOURCE_BIT(KPAGECOUNT) : VMT_SOURCE_BIT(SMAPS);
	if (vmt_ctx_given(ctx, "forecast") && entity != &vmt_entity_map)
		return vmt_usage_error(ctx, "--forecast is of single mappings");
	if (vmt_ctx_given(ctx, "forecast"))
		want |= VMT_SOURCE_BIT(FORECAST);
	if (vmt_ctx_given(ctx, "list-only"))
		want = *ret;
	else if (ctx->format->emit != vmt_out_text && !vmt_ctx_given(ctx, "output"))
		/* A document without -o has every field of smaps. */
		want |= VMT_SOURCE_BIT(SMAPS);
	want &= VMT_SOURCE_BIT(MAPS) | VMT_SOURCE_BIT(SMAPS) | VMT_SOURCE_BIT(PAGEMAP) |
		VMT_SOURCE_BIT(WORDS) | VMT_SOURCE_BIT(KPAGECOUNT) | VMT_SOURCE_BIT(ELF) |
		VMT_SOURCE_BIT(ROLE) | VMT_SOURCE_BIT(NUMA) | VMT_SOURCE_BIT(FORECAST) |
		VMT_COLLECT_CHEAP;
	if (want & VMT_SOURCE_BIT(SMAPS))
		want &= ~VMT_COLLECT_CHEAP;
	if (ctx->n_operands == 0)
		want |= VMT_COLLECT_ONCE;
	*ret = want;
	return 0;
}

struct grouping {
	const struct vmt_sample *sample;
	struct vmt_map_groups *groups;
	struct vmt_sharers *sharers;
	uint64_t maps;
	uint64_t size;
};

/* Whether the mappings of that process are those of another one that is among them. */
static bool is_again(const struct vmt_sample *s, size_t index)
{
	uint64_t first = vmt_proc_mm(&s->procs[index]);

	return first != s->procs[index].pid && vmt_sample_proc(s, first);
}

static int add_to_groups(void *arg, size_t index, const struct vmt_map *maps, size_t n, bool last)
{
	struct grouping *g = arg;
	size_t i;

	if (is_again(g->sample, index))
		return 0;
	for (i = 0; i < n; i++)
		/* The vsyscall page is the kernel's: the process's own size has it not. */
		if (!vmt_bytes_is(maps[i].path, "[vsyscall]"))
			g->size += maps[i].size_bytes;
	g->maps += n;
	return vmt_map_groups_add(g->groups, g->sample->procs[index].pid, maps, n);
}

/* The section of the command that has such rows; every caller has one. NULL after a complaint. */
static struct vmt_section *add_section(struct vmt_ctx *ctx, struct vmt_run *run,
				       const struct vmt_entity *entity, const void *rows, size_t n)
{
	size_t i;

	for (i = 0; i < ctx->cmd->n_sections; i++)
		if (ctx->cmd->sections[i].entity == entity)
			return vmt_run_section(run, ctx, ctx->cmd->sections[i].key, rows, n);
	return NULL;
}

/* The processes, for machines: whether each of them could be read. */
static int add_processes(struct vmt_ctx *ctx, struct vmt_run *run)
{
	struct vmt_section *s =
		add_section(ctx, run, &vmt_entity_proc, run->model->procs, run->model->n_procs);

	if (!s)
		return VMT_EXIT_FAILED;
	s->machine_only = true;
	return 0;
}

/* "--pss" adds the column, as it does to mappings. */
static int arrange(struct vmt_ctx *ctx, struct vmt_section *s)
{
	if (vmt_ctx_given(ctx, "pss") && !vmt_ctx_given(ctx, "output") &&
	    !vmt_ctx_given(ctx, "output-all") &&
	    vmt_columns_parse(&s->columns, s->def->entity, "+PSS", NULL) < 0)
		return VMT_EXIT_FAILED;
	return vmt_section_options(ctx, s);
}

static void dropped_note(struct vmt_buf *note, uint64_t dropped)
{
	if (dropped)
		vmt_buf_addf(note,
			     "! %" PRIu64 " mappings are in the last row alone: there are more "
			     "names than are kept\n",
			     dropped);
}

int vmt_map_groups_print(struct vmt_ctx *ctx, struct vmt_run *run, enum vmt_map_group_by by,
			 vmt_maps_reader *read, void *arg)
{
	VMT_AUTO_MAP_GROUPS groups = vmt_map_groups_new(by);
	struct grouping g = { .sample = run->sample, .groups = groups };
	const struct vmt_map_group *rows;
	struct vmt_section *s;
	size_t n = 0;
	int r;

	if (!groups || read(arg, add_to_groups, &g) < 0)
		return vmt_no_memory(ctx);
	rows = vmt_map_groups_rows(groups, &n);
	if (!rows)
		return vmt_no_memory(ctx);
	r = vmt_run_model(run, ctx, NULL);
	if (r)
		return r;
	s = add_section(ctx, run, &vmt_entity_map_group, rows, n);
	r = s ? arrange(ctx, s) : VMT_EXIT_FAILED;
	if (r == 0)
		r = add_processes(ctx, run);
	if (r)
		return r;
	if (n)
		dropped_note(&s->note, rows[n - 1].dropped_total);
	vmt_buf_addf(&s->note, "%" PRIu64 " mappings of %zu process%s, size ", g.maps,
		     run->sample->n_procs, run->sample->n_procs == 1 ? "" : "es");
	vmt_fmt_size(&s->note, g.size, ctx->out.unit, run->sample->host.page_size);
	vmt_buf_addc(&s->note, '\n');
	vmt_run_remarks(run, ctx, s);
	return vmt_print_doc(ctx, &run->doc);
}

static int add_wanted(void *arg, size_t index, const struct vmt_map *maps, size_t n, bool last)
{
	struct grouping *g = arg;

	return vmt_sharers_want(g->sharers, maps, n);
}

static int add_to_sharers(void *arg, size_t index, const struct vmt_map *maps, size_t n, bool last)
{
	struct grouping *g = arg;

	return vmt_sharers_add(g->sharers, &g->sample->procs[index], maps, n);
}

static int read_sharers(struct vmt_run *run, struct grouping *g, vmt_maps_reader *read_chosen,
			vmt_maps_reader *read, void *arg)
{
	VMT_AUTO_FREE struct vmt_segment *segments = NULL;
	size_t n = 0;
	int r = 0;

	/* Which files, even where the process maps none. */
	if (read_chosen) {
		r = vmt_sharers_want(g->sharers, NULL, 0);
		if (r == 0)
			r = read_chosen(arg, add_wanted, g);
	}
	if (r == 0)
		r = read(arg, add_to_sharers, g);
	if (r == 0)
		r = vmt_collect_segments(run->collector, run->sample, &segments, &n);
	if (r == 0)
		r = vmt_sharers_add_segments(g->sharers, segments, n);
	return r;
}

int vmt_sharers_print(struct vmt_ctx *ctx, struct vmt_run *run, vmt_maps_reader *read_chosen,
		      vmt_maps_reader *read, void *arg)
{
	VMT_AUTO_SHARERS sharers = vmt_sharers_new(vmt_own_ipc_namespace(run->collector));
	struct grouping g = { .sample = run->sample, .sharers = sharers };
	const struct vmt_sharer *rows;
	struct vmt_section *s;
	uint64_t dropped = 0;
	size_t n = 0;
	int r;

	if (!sharers || read_sharers(run, &g, read_chosen, read, arg) < 0)
		return vmt_no_memory(ctx);
	rows = vmt_sharers_rows(sharers, &n, &dropped);
	if (!rows)
		return vmt_no_memory(ctx);
	r = vmt_run_model(run, ctx, NULL);
	if (r)
		return r;
	s = add_section(ctx, run, &vmt_entity_sharer, rows, n);
	r = s ? arrange(ctx, s) : VMT_EXIT_FAILED;
	if (r == 0)
		r = add_processes(ctx, run);
	if (r)
		return r;
	dropped_note(&s->note, dropped);
	vmt_run_remarks(run, ctx, s);
	return vmt_print_doc(ctx, &run->doc);
}
