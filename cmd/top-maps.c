/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/top-maps.h"

#include <errno.h>

#include "cmd/top-pause.h"
#include "base/fmt.h"
#include "model/cost.h"

/* What reading smaps may hold the mmap lock of the process for in each sample. */
#define BUDGET_NS UINT64_C(5000000)
/* A mapping in smaps is about a KiB of text; more of them are dear whatever they have. */
#define SMAPS_MAPS_MAX 2000u

static void forget(struct vmt_top_maps *m)
{
	vmt_top_strips_done(&m->strips);
	vmt_top_pages_done(&m->pages);
	vmt_sample_free(m->read);
	m->read = NULL;
	m->next_ns = 0;
}

void vmt_top_maps_done(struct vmt_top_maps *m)
{
	forget(m);
}

/* The process that want is about. */
static struct vmt_ui_proc subject_of(const struct vmt_ui_want *want)
{
	return want->screen == VMT_SCREEN_PAGES ? want->pages.proc : want->maps;
}

static bool is_wanted(const struct vmt_ui_want *want)
{
	return want->screen == VMT_SCREEN_PAGES || want->screen == VMT_SCREEN_VMAS;
}

uint64_t vmt_top_maps_pid(const struct vmt_ui_want *want)
{
	return is_wanted(want) ? subject_of(want).pid : 0;
}

/* The process that was asked for; where none was, the one with the most memory. */
static const struct vmt_proc *find_proc(const struct vmt_sample *s, struct vmt_ui_proc who)
{
	const struct vmt_proc *best = NULL;
	size_t i;

	if (who.pid) {
		best = vmt_sample_proc(s, who.pid);
		return best && who.start_time_ns && VMT_HAS(proc, start_time_ns, best) &&
				       best->start_time_ns != who.start_time_ns
			       ? NULL
			       : best;
	}
	for (i = 0; i < s->n_procs; i++) {
		const struct vmt_proc *p = &s->procs[i];

		if (VMT_HAS(proc, rss_bytes, p) && (!best || p->rss_bytes > best->rss_bytes))
			best = p;
	}
	return best;
}

static bool is_of(const struct vmt_sample *read, const struct vmt_proc *p)
{
	return read && read->procs[0].pid == p->pid &&
	       read->procs[0].start_time_ns == p->start_time_ns;
}

static int own(struct vmt_arena *arena, struct vmt_bytes *text)
{
	char *copy = vmt_arena_copy(arena, text->ptr, text->len);

	if (!copy)
		return -ENOMEM;
	text->ptr = copy;
	return 0;
}

/* A sample of one process, which is that of another sample. */
static struct vmt_sample *sample_of(const struct vmt_sample *from, const struct vmt_proc *p)
{
	VMT_AUTO_SAMPLE s = vmt_sample_new();

	if (!s)
		return NULL;
	s->host = from->host;
	s->procs = vmt_arena_alloc(&s->arena, 1, sizeof(*s->procs));
	if (!s->procs || own(&s->arena, &s->host.boot_id) < 0 ||
	    own(&s->arena, &s->host.release) < 0 || own(&s->arena, &s->host.machine) < 0 ||
	    own(&s->arena, &s->host.root) < 0)
		return NULL;
	s->procs[0] = *p;
	s->n_procs = 1;
	if (vmt_row_own_text(&vmt_entity_proc, &s->arena, &s->procs[0], NULL, NULL) < 0)
		return NULL;
	return VMT_STEAL(s);
}

/* Whether smaps is cheap enough, with so many mappings. */
static bool is_cheap(const struct vmt_sample *s, size_t n_maps)
{
	return s->host.root.len || (n_maps <= SMAPS_MAPS_MAX &&
				    vmt_cost_walk_ns(&s->procs[0], s->host.page_size) <= BUDGET_NS);
}

static int collect(struct vmt_run *run, struct vmt_sample *s, uint64_t sources)
{
	static const size_t first = 0;
	struct vmt_err err = { 0 };

	return vmt_collect_procs(run->collector, s, sources, &first, 1, &err);
}

/* Reads the mappings with smaps where that is cheap, and says why where it is not. */
static int collect_all(struct vmt_run *run, struct vmt_sample *s, bool known, size_t n_maps)
{
	const uint64_t cheap = VMT_SOURCE_BIT(MAPS) | VMT_SOURCE_BIT(PAGEMAP);
	const uint64_t dear = VMT_SOURCE_BIT(MAPS) | VMT_SOURCE_BIT(SMAPS);
	const struct vmt_proc *p = &s->procs[0];
	int r;

	if (s->host.root.len || (known && is_cheap(s, n_maps)))
		return collect(run, s, dear);
	/* A walk that is over the budget is left out by itself, with the reason. */
	if (vmt_cost_walk_ns(p, s->host.page_size) > BUDGET_NS)
		return collect(run, s, cheap | dear);
	r = collect(run, s, cheap);
	if (r < 0 || !s->maps)
		return r;
	if (is_cheap(s, s->maps[0].n_maps))
		return known ? 0 : collect(run, s, dear);
	vmt_sample_failed(s, VMT_SOURCE_SMAPS, p->pid, p->comm, -ECANCELED,
			  "it has so many mappings that their smaps would take too long");
	return 0;
}

static int read_maps(struct vmt_top_maps *m, struct vmt_run *run, const struct vmt_proc *p,
		     const struct vmt_ui_want *want)
{
	VMT_AUTO_SAMPLE s = sample_of(run->sample, p);
	uint64_t cpu0 = vmt_now_ns(CLOCK_PROCESS_CPUTIME_ID);
	bool known = m->read && m->read->maps;
	int r;

	if (!s)
		return -ENOMEM;
	if (!run->sample->host.root.len)
		vmt_collector_set_budget(run->collector, BUDGET_NS);
	if (want->screen == VMT_SCREEN_PAGES && !s->host.root.len)
		r = collect(run, s, VMT_SOURCE_BIT(MAPS) | VMT_SOURCE_BIT(PAGEMAP));
	else
		r = collect_all(run, s, known, known ? m->read->maps[0].n_maps : 0);
	if (r < 0)
		return r;
	m->read_ns = vmt_now_ns(CLOCK_MONOTONIC);
	m->next_ns = m->read_ns + vmt_top_pause(vmt_now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu0);
	if (s->maps && s->maps[0].worst == -ETIMEDOUT)
		m->next_ns = m->read_ns + VMT_TOP_RETRY_NS;
	vmt_sample_free(m->read);
	m->read = VMT_STEAL(s);
	return 0;
}

/* Puts what was read into the sample, which is the one before or this one. */
static int attach(const struct vmt_top_maps *m, struct vmt_sample *s, size_t index, bool fresh)
{
	static const enum vmt_source_id dear[] = { VMT_SOURCE_MAPS, VMT_SOURCE_SMAPS,
						   VMT_SOURCE_PAGEMAP };
	const struct vmt_sample *read = m->read;
	struct vmt_proc *p = &s->procs[index];
	size_t i;

	if (!read->maps)
		return 0;
	if (!s->maps)
		s->maps = vmt_arena_alloc(&s->arena, s->n_procs, sizeof(*s->maps));
	if (!s->maps)
		return -ENOMEM;
	s->maps[index] = read->maps[0];
	s->maps[index].age_ns = fresh ? 0 : vmt_now_ns(CLOCK_MONOTONIC) - m->read_ns;
	s->host.max_map_count = read->host.max_map_count;
	VMT_COPY(proc, maps_total, p, &read->procs[0]);
	VMT_COPY(proc, read_status, p, &read->procs[0]);
	VMT_COPY(proc, quality, p, &read->procs[0]);
	VMT_COPY(proc, consistent, p, &read->procs[0]);
	for (i = 0; i < VMT_ARRAY_LEN(dear); i++)
		s->sources[dear[i]] = read->sources[dear[i]];
	for (i = 0; i < read->n_issues; i++) {
		if (vmt_grow(&s->issues, &s->cap_issues, s->n_issues + 1, sizeof(*s->issues)) < 0)
			return -ENOMEM;
		s->issues[s->n_issues++] = read->issues[i];
	}
	return 0;
}

/* Whether the process answers: else its pages would not come either. */
static bool answers(const struct vmt_sample *s, size_t index)
{
	return s->maps && s->maps[index].worst != -ETIMEDOUT && s->maps[index].worst != -EBUSY;
}

/* Looks at pages, for the strips or for the map. */
static int look(struct vmt_top_maps *m, struct vmt_run *run, size_t index,
		const struct vmt_ui_want *want)
{
	if (!answers(run->sample, index))
		return 0;
	return want->screen == VMT_SCREEN_PAGES
		       ? vmt_top_pages_sample(&m->pages, run, index, want)
		       : vmt_top_strips_sample(&m->strips, run, index, want);
}

int vmt_top_maps_sample(struct vmt_top_maps *m, struct vmt_run *run, const struct vmt_ui_want *want)
{
	struct vmt_sample *s = run->sample;
	const struct vmt_proc *p = is_wanted(want) ? find_proc(s, subject_of(want)) : NULL;
	bool fresh = false;
	size_t index;
	int r = 0;

	/* What is shown is an earlier sample, with what was read for that one. */
	if (want->held)
		return 0;
	m->of = s;
	m->pages.row = NULL;
	if (!p) {
		forget(m);
		return 0;
	}
	if (!is_of(m->read, p))
		forget(m);
	if (want->screen != VMT_SCREEN_VMAS)
		vmt_top_strips_done(&m->strips);
	if (want->screen != VMT_SCREEN_PAGES)
		vmt_top_pages_done(&m->pages);
	if (!m->read || vmt_now_ns(CLOCK_MONOTONIC) >= m->next_ns) {
		fresh = true;
		r = read_maps(m, run, p, want);
	}
	index = (size_t)(p - s->procs);
	if (r == 0)
		r = attach(m, s, index, fresh);
	return r < 0 ? r : look(m, run, index, want);
}

int vmt_top_maps_more(struct vmt_top_maps *m, struct vmt_run *run, const struct vmt_ui_want *want)
{
	const struct vmt_proc *p = is_wanted(want) ? find_proc(run->sample, subject_of(want))
						   : NULL;
	bool pages = want->screen == VMT_SCREEN_PAGES;
	size_t index;
	int r;

	if (!p || want->held || !is_of(m->read, p) || m->of != run->sample)
		return 0;
	index = (size_t)(p - run->sample->procs);
	if (!answers(run->sample, index) ||
	    !(pages ? vmt_top_pages_lack(&m->pages, want) : vmt_top_strips_lack(&m->strips, want)))
		return 0;
	r = look(m, run, index, want);
	return r < 0 ? r : 1;
}
