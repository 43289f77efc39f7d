/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/event-psi.h"

#include "model/event-psi.h"
#include "model/events.h"
#include "source/collect-cgroups.h"

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

static int look(struct vmt_psi_watch *w, struct vmt_sample **ret)
{
	const struct vmt_cgroup_want want = { .files = files() };
	struct vmt_err err = { 0 };
	int r;

	vmt_run_time_anew(w->run, w->ctx);
	r = vmt_collect(w->run->collector, VMT_SOURCE_BIT(PRESSURE), NULL, 0, ret, &err);
	r = r < 0 ? r : vmt_collect_cgroups(w->run->collector, *ret, &want, &err);
	return r < 0 ? vmt_complain_err(w->ctx, &err) : 0;
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
	    vmt_event_cgroup_rows(w->before, w->after, &s->arena, &groups, &n_groups) < 0) {
		vmt_complain(w->ctx, "out of memory");
		return VMT_EXIT_FAILED;
	}
	psi = vmt_run_section(w->run, w->ctx, "psi", parts, n_parts);
	cgroups = psi ? vmt_run_section(w->run, w->ctx, "cgroups", groups, n_groups) : NULL;
	if (!cgroups)
		return VMT_EXIT_FAILED;
	psi->machine_only = true;
	cgroups->machine_only = !shown;
	cgroups->title = "cgroups in which memory was waited for or came back";
	if (vmt_section_arrange(cgroups, 0) < 0)
		return VMT_EXIT_FAILED;
	vmt_event_psi_text(note, parts, n_parts, sample->stop_ns - sample->start_ns);
	return 0;
}

void vmt_psi_watch_done(struct vmt_psi_watch *w)
{
	vmt_sample_free(w->before);
	vmt_sample_free(w->after);
	*w = (struct vmt_psi_watch){ 0 };
}
