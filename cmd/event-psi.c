/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/event-psi.h"

#include "model/event-psi.h"
#include "model/events.h"
#include "source/collect-cgroups.h"

/* What a look may take. */
#define LOOK_NS UINT64_C(5000000000)

/* The files of a cgroup that have what event-cgroup.def shows. */
static uint64_t files(void)
{
	static const unsigned of[] = {
		VMT_FIELD_cgroup_refault_file_total, /* memory.stat has the others as well */
		VMT_FIELD_cgroup_steal_total,	     VMT_FIELD_cgroup_some_total_ns,
		VMT_FIELD_cgroup_max_total,	     VMT_FIELD_cgroup_max_local_total,
	};
	const struct vmt_field *fields[VMT_ARRAY_LEN(of)];

	for (size_t i = 0; i < VMT_ARRAY_LEN(of); i++)
		fields[i] = &vmt_entity_cgroup.fields[of[i]];
	return vmt_cgroup_files(fields, VMT_ARRAY_LEN(of));
}

/* The document has one row of a source: what both looks cost and lacked, and how the worse went. */
static void tell_sources(struct vmt_sample *to, struct vmt_sample *look)
{
	static const enum vmt_source_id of[] = { VMT_SOURCE_PRESSURE, VMT_SOURCE_MEMCG };

	vmt_sample_settle(look);
	for (size_t i = 0; i < VMT_ARRAY_LEN(of); i++)
		vmt_source_stat_add(&to->sources[of[i]], &look->sources[of[i]]);
}

static int look(struct vmt_psi_watch *w, struct vmt_sample **ret)
{
	const struct vmt_cgroup_want want = { .files = files() };
	struct vmt_collector *c = w->run->collector;
	uint64_t deadline = vmt_collector_deadline(c);
	struct vmt_err err = { 0 };
	int r;

	/* Where --timeout ends the window it is over by now. */
	vmt_collector_set_deadline(c, vmt_now_ns(CLOCK_MONOTONIC) + LOOK_NS);
	r = vmt_collect(c, VMT_SOURCE_BIT(PRESSURE), NULL, 0, ret, &err);
	r = r < 0 ? r : vmt_collect_cgroups(c, *ret, &want, &err);
	vmt_collector_set_deadline(c, deadline);
	if (r < 0) {
		vmt_sample_free(VMT_STEAL(*ret));
		return vmt_complain_err(w->ctx, &err);
	}
	tell_sources(w->run->sample, *ret);
	return 0;
}

int vmt_psi_watch_begin(struct vmt_psi_watch *w)
{
	return look(w, &w->before);
}

int vmt_psi_watch_end(struct vmt_psi_watch *w)
{
	return w->before ? look(w, &w->after) : 0;
}

int vmt_psi_watch_sections(struct vmt_psi_watch *w, const struct vmt_event_sample *sample,
			   bool shown, struct vmt_buf *note)
{
	struct vmt_sample *s = w->run->sample;
	struct vmt_event_cgroup *groups;
	struct vmt_event_psi *parts;
	size_t n_groups, n_parts;
	struct vmt_section *psi, *cgroups;

	if (!w->before || !w->after)
		return 0;
	if (vmt_event_psi_rows(sample, w->before, w->after, &s->arena, &parts, &n_parts) < 0 ||
	    vmt_event_cgroup_rows(w->before, w->after, &s->arena, &groups, &n_groups) < 0)
		return vmt_no_memory(w->ctx);
	psi = vmt_run_section(w->run, w->ctx, "psi", parts, n_parts);
	cgroups = psi ? vmt_run_section(w->run, w->ctx, "cgroups", groups, n_groups) : NULL;
	if (!cgroups)
		return VMT_EXIT_FAILED;
	psi->machine_only = true;
	cgroups->machine_only = !shown;
	cgroups->title = "cgroups in which memory was waited for or came back";
	if (vmt_section_arrange(cgroups, 0) < 0)
		return VMT_EXIT_FAILED;
	vmt_event_psi_text(note, parts, n_parts, sample->stop_ns - sample->start_ns,
			   s->sources[VMT_SOURCE_PRESSURE].reason);
	return 0;
}

void vmt_psi_watch_done(struct vmt_psi_watch *w)
{
	vmt_sample_free(w->before);
	vmt_sample_free(w->after);
	*w = (struct vmt_psi_watch){ 0 };
}
