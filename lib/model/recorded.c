/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/recorded.h"

#include <errno.h>
#include <stdio.h>

#include "model/fault-table.h"
#include "model/zone-sample.h"

struct vmt_recorded_part vmt_recorded_part(enum vmt_recorded_id id)
{
	const struct vmt_recorded_part parts[VMT_RECORDED_COUNT] = {
		[VMT_RECORDED_SYSTEM] = { "system", &vmt_entity_system, true, NULL, false },
		[VMT_RECORDED_COMMIT] = { "commit", &vmt_entity_commit, true, NULL, false },
		[VMT_RECORDED_PRESSURE] = { "pressure", &vmt_entity_pressure, false, NULL, false },
		[VMT_RECORDED_PROCS] = { "processes", &vmt_entity_proc, false,
					 &vmt_entity_proc.fields[VMT_FIELD_proc_pid], false },
		[VMT_RECORDED_ZONES] = { "zones", &vmt_entity_zone, false, NULL, false },
		[VMT_RECORDED_ORDERS] = { "orders", &vmt_entity_order, false, NULL, false },
		[VMT_RECORDED_ISSUES] = { "errors", &vmt_entity_issue, false, NULL, false },
		[VMT_RECORDED_PROBE] = { "probe", &vmt_entity_probe, false, NULL, true },
		[VMT_RECORDED_FAULTS] = { "faults", &vmt_entity_fault, false, NULL, true },
		[VMT_RECORDED_BALANCE] = { "balance", &vmt_entity_balance, false, NULL, true },
		[VMT_RECORDED_EVENTS] = { "events", &vmt_entity_event, false, NULL, true },
		[VMT_RECORDED_GAPS] = { "gaps", &vmt_entity_gap, false, NULL, true },
	};

	return parts[id];
}

struct vmt_recorded_part vmt_recorded_maps(void)
{
	return (struct vmt_recorded_part){ "mappings", &vmt_entity_map, false,
					   &vmt_entity_map.fields[VMT_FIELD_map_start], false };
}

bool vmt_recorded_field(const struct vmt_recorded_part *part, const struct vmt_field *f)
{
	return part->entity != &vmt_entity_proc ||
	       (f->index != VMT_FIELD_proc_read_start_ns && f->index != VMT_FIELD_proc_read_end_ns);
}

/* Names of units that are longer, and end in what those of fields end in. */
static const struct unit {
	enum vmt_unit of;
	const char *suffix, *brief;
	uint64_t unit; /* 0: the page size */
} units[] = {
	{ VMT_UNIT_BYTES, "_bytes", "_pages", 0 },
	{ VMT_UNIT_NS, "_ns", "_us", 1000 },
};

/* The length of name without its end; 0 where it has another one. */
static size_t stem(const char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);

	return n > m && strcmp(name + n - m, suffix) == 0 ? n - m : 0;
}

const struct vmt_field *vmt_recorded_brief(const struct vmt_entity *entity, const char *name,
					   uint64_t page_size, uint64_t *ret_unit)
{
	const struct vmt_field *found = NULL;
	const struct unit *u = NULL;
	size_t i, n = 0;

	for (i = 0; !n && i < VMT_ARRAY_LEN(units); i++) {
		u = &units[i];
		n = stem(name, u->brief);
	}
	for (i = 0; n && i < entity->n_fields; i++) {
		const struct vmt_field *f = &entity->fields[i];

		/* It is a name of its own. */
		if (!f->group && strcmp(f->name, name) == 0)
			return NULL;
		if (!f->group && f->type == VMT_TYPE_U64 && f->unit == u->of &&
		    !(f->flags & VMT_ENDLESS) && stem(f->name, u->suffix) == n &&
		    memcmp(f->name, name, n) == 0)
			found = f;
	}
	if (!found || !(u->unit || page_size))
		return NULL;
	*ret_unit = u->unit ? u->unit : page_size;
	return found;
}

bool vmt_recorded_brief_name(const struct vmt_entity *entity, const struct vmt_field *f, char *to,
			     size_t size)
{
	size_t i, n = 0;
	uint64_t unit;

	for (i = 0; i < VMT_ARRAY_LEN(units); i++) {
		n = f->unit == units[i].of ? stem(f->name, units[i].suffix) : 0;
		if (n && n + strlen(units[i].brief) < size) {
			snprintf(to, size, "%.*s%s", (int)n, f->name, units[i].brief);
			return vmt_recorded_brief(entity, to, 1, &unit) == f;
		}
	}
	return false;
}

size_t vmt_recorded_rows(const struct vmt_sample *s, enum vmt_recorded_id id, const void **ret)
{
	switch (id) {
	case VMT_RECORDED_SYSTEM:
		*ret = &s->system;
		return 1;
	case VMT_RECORDED_COMMIT:
		*ret = &s->commit;
		return 1;
	case VMT_RECORDED_PRESSURE:
		*ret = s->pressure;
		return s->n_pressure;
	case VMT_RECORDED_PROCS:
		*ret = s->procs;
		return s->n_procs;
	case VMT_RECORDED_ZONES:
		*ret = s->zones ? s->zones->zones : NULL;
		return s->zones ? s->zones->n_zones : 0;
	case VMT_RECORDED_ORDERS:
		*ret = s->zones ? s->zones->orders : NULL;
		return s->zones ? s->zones->n_orders : 0;
	case VMT_RECORDED_ISSUES:
		*ret = s->issues;
		return s->n_issues;
	case VMT_RECORDED_PROBE:
		*ret = s->fault_table ? s->fault_table->probe : NULL;
		return s->fault_table ? s->fault_table->n_probe : 0;
	case VMT_RECORDED_FAULTS:
		*ret = s->fault_table ? s->fault_table->rows : NULL;
		return s->fault_table ? s->fault_table->n_rows : 0;
	case VMT_RECORDED_BALANCE:
		*ret = s->fault_table ? s->fault_table->procs : NULL;
		return s->fault_table ? s->fault_table->n_procs : 0;
	case VMT_RECORDED_EVENTS:
		*ret = s->events;
		return s->n_events;
	case VMT_RECORDED_GAPS:
		*ret = s->event_gaps;
		return s->n_event_gaps;
	case VMT_RECORDED_COUNT:
		break;
	}
	*ret = NULL;
	return 0;
}

static int set_zones(struct vmt_sample *s, enum vmt_recorded_id id, void *rows, size_t n)
{
	if (!n)
		return 0;
	if (!s->zones)
		s->zones = vmt_arena_alloc(&s->arena, 1, sizeof(*s->zones));
	if (!s->zones)
		return -ENOMEM;
	if (id == VMT_RECORDED_ZONES) {
		s->zones->zones = rows;
		s->zones->n_zones = n;
	} else {
		s->zones->orders = rows;
		s->zones->n_orders = n;
	}
	return 0;
}

static int set_faults(struct vmt_sample *s, enum vmt_recorded_id id, void *rows, size_t n)
{
	struct vmt_fault_table *t = s->fault_table;

	if (!n && !t)
		return 0;
	if (!t)
		t = s->fault_table = vmt_arena_alloc(&s->arena, 1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	if (id == VMT_RECORDED_PROBE) {
		t->probe = rows;
		t->n_probe = n;
	} else if (id == VMT_RECORDED_FAULTS) {
		t->rows = rows;
		t->n_rows = n;
	} else {
		t->procs = rows;
		t->n_procs = n;
	}
	return 0;
}

int vmt_recorded_set(struct vmt_sample *s, enum vmt_recorded_id id, void *rows, size_t n)
{
	switch (id) {
	case VMT_RECORDED_SYSTEM:
		if (n)
			s->system = *(const struct vmt_system *)rows;
		return 0;
	case VMT_RECORDED_COMMIT:
		if (n)
			s->commit = *(const struct vmt_commit *)rows;
		return 0;
	case VMT_RECORDED_PRESSURE:
		s->pressure = rows;
		s->n_pressure = n;
		return 0;
	case VMT_RECORDED_PROCS:
		s->procs = rows;
		s->n_procs = n;
		return 0;
	case VMT_RECORDED_ZONES:
	case VMT_RECORDED_ORDERS:
		return set_zones(s, id, rows, n);
	case VMT_RECORDED_ISSUES:
		s->n_issues = 0;
		if (vmt_grow(&s->issues, &s->cap_issues, n, sizeof(*s->issues)) < 0)
			return -ENOMEM;
		if (n)
			memcpy(s->issues, rows, n * sizeof(*s->issues));
		s->n_issues = n;
		return 0;
	case VMT_RECORDED_PROBE:
	case VMT_RECORDED_FAULTS:
	case VMT_RECORDED_BALANCE:
		return set_faults(s, id, rows, n);
	case VMT_RECORDED_EVENTS:
		s->events = rows;
		s->n_events = n;
		return 0;
	case VMT_RECORDED_GAPS:
		s->event_gaps = rows;
		s->n_event_gaps = n;
		return 0;
	case VMT_RECORDED_COUNT:
		break;
	}
	return 0;
}

bool vmt_recorded_same(const struct vmt_field *f, const void *a, const void *b)
{
	const void *x = vmt_field_at(f, a), *y = vmt_field_at(f, b);
	const struct vmt_hist *h, *g;

	if (vmt_row_has(a, f->index) != vmt_row_has(b, f->index))
		return false;
	if (!vmt_row_has(a, f->index))
		return true;
	switch (f->type) {
	case VMT_TYPE_STR:
	case VMT_TYPE_KEYS:
		return vmt_bytes_equal(*(const struct vmt_bytes *)x, *(const struct vmt_bytes *)y);
	case VMT_TYPE_HIST:
		h = x;
		g = y;
		return h->n == g->n &&
		       (!h->n || memcmp(h->buckets, g->buckets, h->n * sizeof(*h->buckets)) == 0);
	default:
		return vmt_field_number(f, a) == vmt_field_number(f, b);
	}
}

static int own_hists(const struct vmt_entity *entity, struct vmt_arena *arena, char *row)
{
	size_t i;

	for (i = 0; i < entity->n_fields; i++) {
		const struct vmt_field *f = &entity->fields[i];
		struct vmt_hist *h = (struct vmt_hist *)(void *)(row + f->offset);
		struct vmt_hist_bucket *copy;

		if (f->type != VMT_TYPE_HIST || !vmt_row_has((const void *)row, f->index) || !h->n)
			continue;
		copy = vmt_arena_alloc(arena, h->n, sizeof(*copy));
		if (!copy)
			return -ENOMEM;
		memcpy(copy, h->buckets, h->n * sizeof(*copy));
		h->buckets = copy;
	}
	return 0;
}

void *vmt_recorded_copy_rows(const struct vmt_entity *entity, struct vmt_arena *arena,
			     const void *rows, size_t n)
{
	const char *from = rows;
	char *to = vmt_arena_alloc(arena, n ? n : 1, entity->row_size);
	size_t i;

	if (!to)
		return NULL;
	if (n)
		memcpy(to, from, n * entity->row_size);
	for (i = 0; i < n; i++)
		if (vmt_row_own_text(entity, arena, to + i * entity->row_size,
				     i ? to + (i - 1) * entity->row_size : NULL,
				     i ? from + (i - 1) * entity->row_size : NULL) < 0 ||
		    own_hists(entity, arena, to + i * entity->row_size) < 0)
			return NULL;
	return to;
}

static int copy_maps(const struct vmt_sample *s, struct vmt_sample *to)
{
	size_t i;

	if (!s->maps)
		return 0;
	to->maps = vmt_arena_alloc(&to->arena, s->n_procs, sizeof(*to->maps));
	if (!to->maps)
		return -ENOMEM;
	for (i = 0; i < s->n_procs; i++) {
		to->maps[i] = s->maps[i];
		if (!s->maps[i].n_maps)
			continue;
		to->maps[i].maps = vmt_recorded_copy_rows(&vmt_entity_map, &to->arena,
							  s->maps[i].maps, s->maps[i].n_maps);
		if (!to->maps[i].maps)
			return -ENOMEM;
	}
	return 0;
}

static int copy_host(const struct vmt_sample *s, struct vmt_sample *to)
{
	struct vmt_bytes *texts[] = { &to->host.boot_id, &to->host.release, &to->host.machine,
				      &to->host.root };
	size_t i;

	to->host = s->host;
	for (i = 0; i < VMT_ARRAY_LEN(texts); i++)
		if (vmt_bytes_keep(&to->arena, *texts[i], NULL, texts[i]) < 0)
			return -ENOMEM;
	return 0;
}

int vmt_recorded_copy(const struct vmt_sample *s, struct vmt_sample **ret)
{
	VMT_AUTO_SAMPLE to = vmt_sample_new();
	int i, r = to ? copy_host(s, to) : -ENOMEM;

	for (i = 0; r == 0 && i < VMT_RECORDED_COUNT; i++) {
		const struct vmt_entity *e = vmt_recorded_part((enum vmt_recorded_id)i).entity;
		const void *rows;
		size_t n = vmt_recorded_rows(s, (enum vmt_recorded_id)i, &rows);
		void *copy = vmt_recorded_copy_rows(e, &to->arena, rows, n);

		r = copy ? vmt_recorded_set(to, (enum vmt_recorded_id)i, copy, n) : -ENOMEM;
	}
	if (r == 0)
		r = copy_maps(s, to);
	if (r < 0)
		return r;
	memcpy(to->sources, s->sources, sizeof(to->sources));
	to->issues_dropped = s->issues_dropped;
	to->procs_seen = s->procs_seen;
	to->vanished = s->vanished;
	to->denied = s->denied;
	to->timed_out = s->timed_out;
	*ret = VMT_STEAL(to);
	return 0;
}
