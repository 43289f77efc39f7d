/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is not known is not read: each field of each row of a machine of which all is known is made
 * unknown by itself, and what is made of the machine must be the same whatever the field held. A
 * counter that went back must leave a rate unknown, and no other one may change.
 */
#include "unit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/cgroup.h"
#include "model/diff.h"
#include "model/proc-group.h"
#include "model/verify.h"
#include "model/zone-sample.h"
#include "rows.h"

#define PAGE UINT64_C(4096)
#define MIB  UINT64_C(1048576)

/* Rows that something is made of, and what is made of them. */
struct rows {
	const struct vmt_entity *e;
	void *rows;
	size_t n;
};
struct task {
	struct rows in[6];
	size_t n;
	int (*make)(void *arg, struct vmt_buf *out); /* as text: what is known */
	void *arg;
	const char *always; /* a field that each of the rows has, or NULL */
};

/* What stands in a field of which it is said to be unknown. */
static void poison(const struct vmt_field *f, void *row, bool other)
{
	void *at = (char *)row + f->offset;

	switch (f->type) {
	case VMT_TYPE_STR:
	case VMT_TYPE_KEYS:
		*(struct vmt_bytes *)at = other ? VMT_BYTES("[v") : (struct vmt_bytes){ 0 };
		break;
	case VMT_TYPE_BOOL:
		*(bool *)at = other;
		break;
	case VMT_TYPE_HIST:
		*(struct vmt_hist *)at = (struct vmt_hist){ 0 };
		break;
	default:
		*(uint64_t *)at = other ? INT64_MAX : 0;
	}
}

static void made(const struct task *t, struct vmt_buf *out)
{
	vmt_buf_clear(out);
	assert_int_equal(t->make(t->arg, out), 0);
	assert_int_equal(vmt_buf_error(out), 0);
}

/* The first line in which two texts differ, for the message. */
static size_t differ(const struct vmt_buf *a, const struct vmt_buf *b)
{
	size_t i, line = 0;

	for (i = 0; i < a->len && i < b->len && a->data[i] == b->data[i]; i++)
		if (a->data[i] == '\n')
			line = i + 1;
	return line;
}

static void assert_not_read(const struct task *t)
{
	VMT_AUTO_BUF a = { 0 };
	VMT_AUTO_BUF b = { 0 };
	uint64_t saved[256];
	size_t i, k, at, bad = 0;

	for (i = 0; i < t->n; i++)
		for (k = 0; k < t->in[i].n; k++)
			for (at = 0; at < t->in[i].e->n_fields; at++) {
				const struct rows *in = &t->in[i];
				const struct vmt_field *f = &in->e->fields[at];
				void *row = (char *)in->rows + k * in->e->row_size;

				/* What says which row it is is known of every one. */
				if (!vmt_row_has(row, f->index) ||
				    (f->kind == VMT_KIND_LABEL && f->type != VMT_TYPE_STR) ||
				    (t->always && strcmp(t->always, f->name) == 0))
					continue;
				assert_true(in->e->row_size <= sizeof(saved));
				memcpy(saved, row, in->e->row_size);
				vmt_row_unmark(row, f->index);
				poison(f, row, false);
				made(t, &a);
				poison(f, row, true);
				made(t, &b);
				if (a.len != b.len || memcmp(a.data, b.data, a.len) != 0) {
					size_t from = differ(&a, &b);

					bad++;
					print_error("%s %zu: %s is unknown, and was read: %.60s\n",
						    in->e->name, k, f->name, a.data + from);
				}
				memcpy(row, saved, in->e->row_size);
			}
	assert_int_equal(bad, 0);
}

/* Whether all lines of one text are in the other. */
static bool is_part(const struct vmt_buf *text, const struct vmt_buf *of)
{
	const char *line = text->data, *end;

	for (; line && (end = strchr(line, '\n')); line = end + 1)
		if (!memmem(of->data, of->len, line, (size_t)(end - line) + 1))
			return false;
	return true;
}

/* Rows from before, of which one counter at a time is beyond what it is now: less is known then,
 * and nothing else. */
static void assert_no_rate_back(const struct task *t, const struct rows *before)
{
	VMT_AUTO_BUF whole = { 0 };
	VMT_AUTO_BUF text = { 0 };
	size_t k, at;

	made(t, &whole);
	for (k = 0; k < before->n; k++)
		for (at = 0; at < before->e->n_fields; at++) {
			const struct vmt_field *f = &before->e->fields[at];
			void *row = (char *)before->rows + k * before->e->row_size;
			uint64_t *value = (void *)((char *)row + f->offset), saved;

			if (f->kind != VMT_KIND_COUNTER || f->type != VMT_TYPE_U64)
				continue;
			saved = *value;
			*value = UINT64_MAX;
			made(t, &text);
			if (!is_part(&text, &whole))
				fail_msg("%s: %s went back and gave a rate", before->e->name,
					 f->name);
			*value = saved;
		}
}

/* Two samples of a machine, two seconds apart. */
struct machine {
	struct vmt_sample *then, *now;
	struct vmt_zone_sample zones[2];
};

static int model(void *arg, struct vmt_buf *out)
{
	struct machine *m = arg;
	VMT_AUTO_MODEL model = NULL;
	struct vmt_cgroup_level *levels;
	struct vmt_cgroup_part parts[VMT_CGROUP_PART_COUNT];
	size_t i, n;
	int r = vmt_model_build(m->now, m->then, NULL, &model, NULL);

	if (r < 0)
		return r;
	unit_rows_tell(out, &vmt_entity_system, &model->system, 1);
	unit_rows_tell(out, &vmt_entity_part, model->parts, model->n_parts);
	unit_rows_tell(out, &vmt_entity_share, model->shares, model->n_shares);
	unit_rows_tell(out, &vmt_entity_term, model->terms, model->n_terms);
	unit_rows_tell(out, &vmt_entity_commit, &model->commit, 1);
	unit_rows_tell(out, &vmt_entity_pressure, model->pressure, model->n_pressure);
	unit_rows_tell(out, &vmt_entity_proc, model->procs, model->n_procs);
	unit_rows_tell(out, &vmt_entity_cgroup, model->cgroups, model->n_cgroups);
	unit_rows_tell(out, &vmt_entity_zone, model->zones, model->n_zones);
	unit_rows_tell(out, &vmt_entity_order, model->orders, model->n_orders);
	unit_rows_tell(out, &vmt_entity_node, model->nodes, model->n_nodes);
	unit_rows_tell(out, &vmt_entity_compaction, &model->compaction, 1);
	unit_rows_tell(out, &vmt_entity_finding, model->findings, model->n_findings);
	for (i = 0; r == 0 && i < model->n_cgroups; i++) {
		r = vmt_cgroup_levels(model, i, &levels, &n);
		if (r == 0)
			unit_rows_tell(out, &vmt_entity_cgroup_level, levels, n);
		vmt_cgroup_parts(&model->cgroups[i], parts);
		unit_rows_tell(out, &vmt_entity_cgroup_part, parts, VMT_CGROUP_PART_COUNT);
	}
	return r;
}

static void machine_new(struct machine *m)
{
	*m = (struct machine){ .then = vmt_sample_new(), .now = vmt_sample_new() };
	assert_non_null(m->then);
	assert_non_null(m->now);
	m->then->host.page_size = m->now->host.page_size = PAGE;
	m->then->host.monotonic_ns = UINT64_C(1000000000);
	m->now->host.monotonic_ns = UINT64_C(3000000000);
}

static void machine_free(struct machine *m)
{
	vmt_sample_free(m->then);
	vmt_sample_free(m->now);
}

static void of_the_machine(void **state)
{
	struct machine m;
	struct task t = { .make = model, .arg = &m };
	struct vmt_system *s;

	machine_new(&m);
	s = &m.now->system;
	unit_row_fill(&vmt_entity_system, &m.then->system, 100 * PAGE);
	unit_row_fill(&vmt_entity_system, s, 101 * PAGE);
	VMT_UNSET(system, unaccounted_bytes, s);
	/* Of these the sums are made. */
	s->total_bytes = 4000 * MIB;
	s->available_bytes = 2000 * MIB;
	s->free_bytes = 1000 * MIB;
	s->swap_total_bytes = 900 * MIB;
	s->swap_free_bytes = 300 * MIB;
	t.in[t.n++] = (struct rows){ &vmt_entity_system, s, 1 };
	t.in[t.n++] = (struct rows){ &vmt_entity_system, &m.then->system, 1 };
	assert_not_read(&t);
	assert_no_rate_back(&t, &t.in[1]);
	machine_free(&m);
}

static void of_processes(void **state)
{
	struct vmt_proc then[2] = { 0 }, now[2] = { 0 };
	struct machine m;
	struct task t = { .make = model, .arg = &m };
	int i;

	machine_new(&m);
	for (i = 0; i < 2; i++) {
		unit_row_fill(&vmt_entity_proc, &then[i], 100 * PAGE);
		unit_row_fill(&vmt_entity_proc, &now[i], 101 * PAGE);
		now[i].pid = then[i].pid = 7 + (unsigned)i;
		now[i].start_time_ns = then[i].start_time_ns;
		then[i].read_start_ns = 1000;
		now[i].read_start_ns = 2000001000;
		VMT_UNSET(proc, maps_percent, &now[i]);
	}
	m.then->procs = then;
	m.now->procs = now;
	m.then->n_procs = m.now->n_procs = 2;
	t.in[t.n++] = (struct rows){ &vmt_entity_proc, now, 2 };
	t.in[t.n++] = (struct rows){ &vmt_entity_proc, then, 2 };
	assert_not_read(&t);
	assert_no_rate_back(&t, &t.in[1]);
	machine_free(&m);
}

static void of_cgroups(void **state)
{
	static const char *const paths[] = { "/", "/a", "/a/b" };
	struct vmt_cgroup then[3] = { 0 }, now[3] = { 0 };
	struct vmt_cgroup_link links[3];
	struct machine m;
	struct task t = { .make = model, .arg = &m };
	int i, version;

	for (version = 1; version <= 2; version++) {
		machine_new(&m);
		t.n = 0;
		memset(then, 0, sizeof(then));
		memset(now, 0, sizeof(now));
		for (i = 0; i < 3; i++) {
			links[i] = (struct vmt_cgroup_link){ .parent = (size_t)i - 1 };
			unit_row_fill(&vmt_entity_cgroup, &then[i], 100 * PAGE);
			unit_row_fill(&vmt_entity_cgroup, &now[i], 101 * PAGE);
			then[i].path = now[i].path = vmt_bytes_of(paths[i]);
			then[i].id = now[i].id = 7 + (unsigned)i;
			now[i].max_bytes = (unsigned)(3 - i) * 100 * MIB;
			now[i].high_bytes = (unsigned)(3 - i) * 90 * MIB;
			now[i].memsw_max_bytes = (unsigned)(3 - i) * 110 * MIB;
			now[i].hierarchical_limit_bytes = 95 * MIB;
			now[i].use_hierarchy = true;
			/* What is the model's to find out. */
			VMT_UNSET(cgroup, limit_bytes, &now[i]);
			VMT_UNSET(cgroup, room_bytes, &now[i]);
			VMT_UNSET(cgroup, available_bytes, &now[i]);
			VMT_UNSET(cgroup, tightest, &now[i]);
			VMT_UNSET(cgroup, binds, &now[i]);
			VMT_UNSET(cgroup, reclaimable_bytes, &now[i]);
			if (version == 2) {
				VMT_UNSET(cgroup, memsw_max_bytes, &now[i]);
				VMT_UNSET(cgroup, memsw_bytes, &now[i]);
				VMT_UNSET(cgroup, use_hierarchy, &now[i]);
				VMT_UNSET(cgroup, hierarchical_limit_bytes, &now[i]);
			} else {
				VMT_UNSET(cgroup, high_bytes, &now[i]);
			}
		}
		VMT_SET(system, total_bytes, &m.now->system, 4000 * MIB);
		VMT_SET(system, available_bytes, &m.now->system, 2000 * MIB);
		VMT_SET(system, free_bytes, &m.now->system, 1000 * MIB);
		m.then->cgroups = then;
		m.now->cgroups = now;
		m.now->cgroup_links = m.then->cgroup_links = links;
		m.then->n_cgroups = m.now->n_cgroups = 3;
		m.now->cgroup_facts.above_hidden = version == 1;
		m.now->cgroup_facts.recursive = version == 2;
		t.in[t.n++] = (struct rows){ &vmt_entity_cgroup, now, 3 };
		t.in[t.n++] = (struct rows){ &vmt_entity_cgroup, then, 3 };
		t.in[t.n++] = (struct rows){ &vmt_entity_system, &m.now->system, 1 };
		assert_not_read(&t);
		assert_no_rate_back(&t, &t.in[1]);
		machine_free(&m);
	}
}

static void of_zones(void **state)
{
	struct vmt_zone_row then[2] = { 0 }, now[2] = { 0 };
	struct vmt_order orders[4] = { 0 };
	struct vmt_node nodes[2] = { 0 };
	struct machine m;
	struct task t = { .make = model, .arg = &m };
	unsigned i;

	machine_new(&m);
	for (i = 0; i < 2; i++) {
		unit_row_fill(&vmt_entity_zone, &then[i], 200 * PAGE);
		unit_row_fill(&vmt_entity_zone, &now[i], 100 * PAGE);
		then[i].node = now[i].node = i;
		then[i].zone = now[i].zone = VMT_BYTES("Normal");
		now[i].free_bytes = 80 * MIB;
		then[i].free_bytes = 90 * MIB;
		now[i].managed_bytes = now[i].present_bytes = 4000 * MIB;
		now[i].min_bytes = 10 * MIB;
		now[i].low_bytes = 20 * MIB;
		now[i].high_bytes = 30 * MIB;
		VMT_SET(node, node, &nodes[i], i);
	}
	for (i = 0; i < 4; i++) {
		VMT_SET(order, node, &orders[i], i / 2);
		VMT_SET(order, zone, &orders[i], VMT_BYTES("Normal"));
		VMT_SET(order, order, &orders[i], i % 2);
		VMT_SET(order, block_bytes, &orders[i], PAGE << i % 2);
		VMT_SET(order, free_blocks, &orders[i], 5 + i);
	}
	m.now->zones = &m.zones[1];
	m.then->zones = &m.zones[0];
	m.zones[0] = (struct vmt_zone_sample){ .zones = then, .n_zones = 2 };
	m.zones[1] = (struct vmt_zone_sample){ .zones = now,
					       .n_zones = 2,
					       .orders = orders,
					       .n_orders = 4,
					       .nodes = nodes,
					       .n_nodes = 2 };
	unit_row_fill(&vmt_entity_compaction, &m.zones[0].compaction, 100 * PAGE);
	unit_row_fill(&vmt_entity_compaction, &m.zones[1].compaction, 101 * PAGE);
	t.in[t.n++] = (struct rows){ &vmt_entity_zone, now, 2 };
	t.in[t.n++] = (struct rows){ &vmt_entity_zone, then, 2 };
	t.in[t.n++] = (struct rows){ &vmt_entity_compaction, &m.zones[1].compaction, 1 };
	t.in[t.n++] = (struct rows){ &vmt_entity_compaction, &m.zones[0].compaction, 1 };
	assert_not_read(&t);
	assert_no_rate_back(&t, &t.in[3]);
	machine_free(&m);
}

static int groups(void *arg, struct vmt_buf *out)
{
	struct vmt_proc *procs = arg, copy[3];
	const void *rows[3] = { &copy[0], &copy[1], &copy[2] };
	struct vmt_proc_group *groups;
	struct vmt_arena arena;
	size_t n, *parents = NULL;
	int by, r = 0;

	vmt_arena_init(&arena);
	for (by = VMT_GROUP_BY_USER; r == 0 && by <= VMT_GROUP_BY_CGROUP; by++) {
		r = vmt_proc_groups(procs, 3, (enum vmt_group_by)by, &arena, &groups, &n);
		if (r == 0)
			unit_rows_tell(out, &vmt_entity_group, groups, n);
	}
	memcpy(copy, procs, sizeof(copy));
	if (r == 0)
		r = vmt_proc_tree(rows, 3, copy, &parents);
	if (r == 0)
		unit_rows_tell(out, &vmt_entity_proc, copy, 3);
	free(parents);
	vmt_arena_done(&arena);
	return r;
}

static void of_groups(void **state)
{
	struct vmt_proc procs[3] = { 0 };
	struct task t = { .make = groups, .arg = procs, .n = 1 };
	unsigned i;

	for (i = 0; i < 3; i++) {
		unit_row_fill(&vmt_entity_proc, &procs[i], 100 * PAGE);
		procs[i].pid = 7 + i;
		procs[i].ppid = 6 + i;
		procs[i].comm = i ? VMT_BYTES("x") : VMT_BYTES("y");
		procs[i].class = VMT_BYTES("user");
		VMT_UNSET(proc, shared_mm, &procs[i]);
		VMT_UNSET(proc, depth, &procs[i]);
		VMT_UNSET(proc, tree_rss_bytes, &procs[i]);
	}
	VMT_SET(proc, shared_mm, &procs[2], 8);
	t.in[0] = (struct rows){ &vmt_entity_proc, procs, 3 };
	assert_not_read(&t);
}

static int difference(void *arg, struct vmt_buf *out)
{
	struct vmt_sample *const *s = arg;
	struct vmt_diff_opts opts = { .maps = true };
	struct vmt_diff_group *groups;
	size_t n, i;
	int r = 0;

	for (i = 0; r == 0 && i < 2; i++) {
		VMT_AUTO_DIFF d = NULL;

		opts.by_name = i;
		r = vmt_diff_build(s[0], s[1], &opts, &d);
		if (r < 0)
			break;
		unit_rows_tell(out, &vmt_entity_diff, d->maps, d->n_maps);
		unit_rows_tell(out, &vmt_entity_diff_proc, d->procs, d->n_procs);
		unit_rows_tell(out, &vmt_entity_diff_sum, d->sums, VMT_DIFF_COUNT + 1);
		r = vmt_diff_groups(d, s[0], s[1], (enum vmt_diff_by)i, &groups, &n);
		if (r == 0)
			unit_rows_tell(out, &vmt_entity_diff_group, groups, n);
	}
	return r;
}

/* Of two processes of a few mappings each, of which all is known. */
static void of_differences(void **state)
{
	struct vmt_sample *s[2] = { vmt_sample_new(), vmt_sample_new() };
	struct vmt_proc procs[2][2] = { 0 };
	struct vmt_proc_maps lists[2][2] = { 0 };
	struct vmt_map maps[2][3] = { 0 };
	struct task t = { .make = difference, .arg = s, .n = 4, .always = "size_bytes" };
	unsigned i, k;

	for (i = 0; i < 2; i++) {
		assert_non_null(s[i]);
		s[i]->procs = procs[i];
		s[i]->maps = lists[i];
		s[i]->n_procs = 2;
		s[i]->host.boot_id = VMT_BYTES("one");
		for (k = 0; k < 2; k++) {
			unit_row_fill(&vmt_entity_proc, &procs[i][k], (100 + i) * PAGE);
			/* One of each is the other's by name alone. */
			procs[i][k].pid = 7 + k + k * i;
			procs[i][k].start_time_ns = 100 + k * i;
			procs[i][k].comm = k ? VMT_BYTES("y") : VMT_BYTES("x");
			lists[i][k].state = VMT_STATE_OK;
		}
		for (k = 0; k < 3; k++) {
			struct vmt_map *m = &maps[i][k];

			unit_row_fill(&vmt_entity_map, m, (10 + i) * PAGE);
			m->pid = 7;
			m->start = (100 + 100 * k + (k == 2 ? i : 0)) * MIB;
			m->size_bytes = (1 + k) * MIB;
			m->end = m->start + m->size_bytes;
			m->perms = VMT_BYTES("rw-p");
			m->inode = k == 1 ? 99 : 0;
			m->device = k == 1 ? VMT_BYTES("fe:01") : VMT_BYTES("00:00");
			m->path = k == 1 ? VMT_BYTES("/f") : VMT_BYTES("");
			m->kind = k == 1 ? VMT_BYTES("file") : VMT_BYTES("anon");
			m->role = VMT_BYTES("anon");
			m->offset_bytes = 0;
			VMT_UNSET(map, ipc_namespace, m);
		}
		lists[i][0].maps = maps[i];
		lists[i][0].n_maps = 3;
		t.in[2 * i] = (struct rows){ &vmt_entity_map, maps[i], 3 };
		t.in[2 * i + 1] = (struct rows){ &vmt_entity_proc, procs[i], 2 };
	}
	assert_not_read(&t);
	vmt_sample_free(s[0]);
	vmt_sample_free(s[1]);
}

struct space {
	struct vmt_map smaps[3], pages[3];
	struct vmt_proc procs[3];
	struct vmt_reading rd;
};

static int checks(void *arg, struct vmt_buf *out)
{
	struct space *s = arg;
	struct vmt_outcome o[VMT_CHECK_PROC];
	int i;

	vmt_verify_reading(&s->rd, o);
	for (i = 0; i < VMT_CHECK_PROC; i++)
		vmt_buf_addf(out, "%d: %d %" PRId64 " %" PRIu64 " %" PRIu64 " %d %" PRIx64 "\n", i,
			     (int)o[i].verdict, o[i].off, o[i].checked, o[i].failed,
			     o[i].has_address, o[i].has_address ? o[i].address : 0);
	return 0;
}

/* What is compared is of no two rows the same here, so that each check says by how much. */
static void of_checks(void **state)
{
	struct space s = { 0 };
	struct task t = { .make = checks, .arg = &s, .n = 3 };
	unsigned i;

	for (i = 0; i < 3; i++) {
		unit_row_fill(&vmt_entity_map, &s.smaps[i], 100 * PAGE);
		s.smaps[i].start = (1 + i) * MIB;
		s.smaps[i].end = (2 + i) * MIB;
		s.smaps[i].path = VMT_BYTES("");
		s.smaps[i].kind = VMT_BYTES("anon");
		s.smaps[i].anonymous_bytes = s.smaps[i].rss_bytes + PAGE;
		s.pages[i] = s.smaps[i];
		s.pages[i].rss_bytes += PAGE * (1 + i);
		unit_row_fill(&vmt_entity_proc, &s.procs[i], (100 + i) * PAGE);
		s.procs[i].threads = 2;
	}
	s.rd = (struct vmt_reading){ .page_size = PAGE,
				     .smaps = s.smaps,
				     .n_smaps = 3,
				     .pages = s.pages,
				     .n_pages = 3,
				     .pages_exact = true,
				     .same_list = true,
				     .first = &s.procs[0],
				     .middle = &s.procs[1],
				     .last = &s.procs[2] };
	t.in[0] = (struct rows){ &vmt_entity_map, s.smaps, 3 };
	t.in[1] = (struct rows){ &vmt_entity_map, s.pages, 3 };
	t.in[2] = (struct rows){ &vmt_entity_proc, s.procs, 3 };
	assert_not_read(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_the_machine), cmocka_unit_test(of_processes),
		cmocka_unit_test(of_cgroups),	  cmocka_unit_test(of_zones),
		cmocka_unit_test(of_groups),	  cmocka_unit_test(of_differences),
		cmocka_unit_test(of_checks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
