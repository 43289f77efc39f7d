/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "model/event-psi.h"
#include "model/events.h"

#define MS UINT64_C(1000000)

static void line(struct vmt_pressure *p, const char *resource, const char *kind, uint64_t total)
{
	VMT_SET(pressure, resource, p, vmt_bytes_of(resource));
	VMT_SET(pressure, kind, p, vmt_bytes_of(kind));
	VMT_SET(pressure, stalled_total_ns, p, total);
}

/* Pressure of a machine: others of its lines are not of memory. */
static void machine(struct vmt_sample *s, struct vmt_pressure p[3], uint64_t some, uint64_t full)
{
	memset(p, 0, 3 * sizeof(*p));
	line(&p[0], "io", "some", 77 * MS);
	line(&p[1], "memory", "some", some);
	line(&p[2], "memory", "full", full);
	s->pressure = p;
	s->n_pressure = 3;
}

static void sums(void **state)
{
	struct vmt_event_process p[] = { { .pid = 0 }, { .pid = 9 } };
	struct vmt_event_sample s = { .processes = p,
				      .n_processes = 2,
				      .causes = 1u << VMT_STALL_CAUSE_RECLAIM |
						1u << VMT_STALL_CAUSE_COMPACTION };
	struct vmt_sample before = { 0 }, after = { 0 };
	struct vmt_pressure was[3], is[3];
	VMT_AUTO_BUF text = { 0 };
	struct vmt_event_psi *r;
	struct vmt_arena arena;
	size_t n;

	p[0].stalls[VMT_STALL_CAUSE_RECLAIM] =
		(struct vmt_stall_count){ .stalls = 1, .ns = 20 * MS };
	p[1].stalls[VMT_STALL_CAUSE_RECLAIM] =
		(struct vmt_stall_count){ .stalls = 2, .ns = 30 * MS };
	/* A cause that is not told of has no row, whatever was counted. */
	p[1].stalls[VMT_STALL_CAUSE_CGROUP] =
		(struct vmt_stall_count){ .stalls = 3, .ns = 70 * MS };
	vmt_arena_init(&arena);
	machine(&before, was, 1000 * MS, 500 * MS);
	machine(&after, is, 1080 * MS, 510 * MS);

	/* Less than the kernel says: the rest is something else. */
	assert_int_equal(vmt_event_psi_rows(&s, &before, &after, &arena, &r, &n), 0);
	assert_int_equal(n, 5);
	assert_text(event_psi, part, &r[0], "reclaim");
	assert_field(event_psi, stalls_total, &r[0], 3);
	assert_field(event_psi, time_ns, &r[0], 50 * MS);
	assert_text(event_psi, part, &r[1], "compaction");
	assert_field(event_psi, time_ns, &r[1], 0);
	assert_text(event_psi, part, &r[2], "rest");
	assert_field(event_psi, time_ns, &r[2], 30 * MS);
	assert_false(VMT_HAS(event_psi, stalls_total, &r[2]));
	assert_text(event_psi, part, &r[3], "some");
	assert_field(event_psi, time_ns, &r[3], 80 * MS);
	assert_text(event_psi, part, &r[4], "full");
	assert_field(event_psi, time_ns, &r[4], 10 * MS);
	vmt_event_psi_text(&text, r, n, 1000 * MS, "");
	assert_string_equal(text.data,
			    "memory pressure (PSI): some 80.0ms, full 10.0ms of 1.00s; some = "
			    "50.0ms reclaim + 30.0ms rest\n");

	/* More: several waited at a time. */
	p[1].stalls[VMT_STALL_CAUSE_COMPACTION] =
		(struct vmt_stall_count){ .stalls = 1, .ns = 100 * MS };
	assert_int_equal(vmt_event_psi_rows(&s, &before, &after, &arena, &r, &n), 0);
	assert_int_equal(n, 5);
	assert_text(event_psi, part, &r[2], "overlap");
	assert_true(r[2].time_ns == -(int64_t)(70 * MS));
	assert_true(r[0].time_ns + r[1].time_ns + r[2].time_ns == r[3].time_ns);
	vmt_buf_clear(&text);
	vmt_event_psi_text(&text, r, n, 1000 * MS, "");
	assert_string_equal(text.data,
			    "memory pressure (PSI): some 80.0ms, full 10.0ms of 1.00s; some = "
			    "50.0ms reclaim + 100ms compaction - 70.0ms overlap\n");

	/* What the kernel does not say is not 0. */
	after.n_pressure = 1;
	assert_int_equal(vmt_event_psi_rows(&s, &before, &after, &arena, &r, &n), 0);
	assert_int_equal(n, 2);
	vmt_buf_clear(&text);
	vmt_event_psi_text(&text, r, n, 1000 * MS, "/proc/pressure does not exist");
	assert_string_equal(text.data,
			    "memory pressure (PSI): unknown, /proc/pressure does not exist\n");
	machine(&after, is, 999 * MS, 500 * MS);
	assert_int_equal(vmt_event_psi_rows(&s, &before, &after, &arena, &r, &n), 0);
	assert_int_equal(n, 3);
	assert_text(event_psi, part, &r[2], "full");
	assert_field(event_psi, time_ns, &r[2], 0);
	vmt_buf_clear(&text);
	vmt_event_psi_text(&text, r, n, 1000 * MS, "");
	assert_string_equal(text.data, "memory pressure (PSI): unknown, its counter was missing at "
				       "the begin or at the end, or went back\n");
	vmt_arena_done(&arena);
}

static void group(struct vmt_cgroup *g, uint64_t id, const char *path)
{
	VMT_SET(cgroup, id, g, id);
	VMT_SET(cgroup, path, g, vmt_bytes_of(path));
}

static void groups(void **state)
{
	struct vmt_cgroup was[3] = { 0 }, is[4] = { 0 };
	struct vmt_sample before = { .cgroups = was, .n_cgroups = 3 };
	struct vmt_sample after = { .cgroups = is, .n_cgroups = 4 };
	struct vmt_event_cgroup *r;
	struct vmt_arena arena;
	size_t n;

	group(&was[0], 1, "/");
	VMT_SET(cgroup, refault_file_total, &was[0], 10);
	group(&was[1], 2, "/idle");
	VMT_SET(cgroup, refault_file_total, &was[1], 5);
	group(&was[2], 3, "/job");
	VMT_SET(cgroup, refault_file_total, &was[2], 100);
	VMT_SET(cgroup, some_total_ns, &was[2], 50);
	VMT_SET(cgroup, max_total, &was[2], 4);
	VMT_SET(cgroup, max_local_total, &was[2], 1);

	/* The name came back with another cgroup; /idle had nothing; the root is behind them now.
	 */
	group(&is[0], 9, "/new");
	VMT_SET(cgroup, refault_anon_total, &is[0], 7);
	VMT_SET(cgroup, max_local_total, &is[0], 2);
	group(&is[1], 2, "/idle");
	VMT_SET(cgroup, refault_file_total, &is[1], 5);
	group(&is[2], 3, "/job");
	VMT_SET(cgroup, refault_file_total, &is[2], 175);
	VMT_SET(cgroup, some_total_ns, &is[2], 50);
	VMT_SET(cgroup, full_total_ns, &is[2], 40);
	VMT_SET(cgroup, max_total, &is[2], 6);
	VMT_SET(cgroup, max_local_total, &is[2], 1);
	group(&is[3], 1, "/");
	VMT_SET(cgroup, refault_file_total, &is[3], 9);
	VMT_SET(cgroup, steal_total, &is[3], 9);

	vmt_arena_init(&arena);
	assert_int_equal(vmt_event_cgroup_rows(&before, &after, &arena, &r, &n), 0);
	assert_int_equal(n, 2);
	assert_text(event_cgroup, path, &r[0], "/new");
	assert_field(event_cgroup, made, &r[0], true);
	assert_field(event_cgroup, refault_anon_total, &r[0], 7);
	assert_field(event_cgroup, max_total, &r[0], 2);
	assert_false(VMT_HAS(event_cgroup, refault_file_total, &r[0]));
	assert_text(event_cgroup, path, &r[1], "/job");
	assert_field(event_cgroup, made, &r[1], false);
	assert_field(event_cgroup, refault_file_total, &r[1], 75);
	assert_field(event_cgroup, some_ns, &r[1], 0);
	assert_field(event_cgroup, max_total, &r[1], 2);
	/* Not known before, so not known now. */
	assert_false(VMT_HAS(event_cgroup, full_ns, &r[1]));

	/* One that is new may be one of those that were left out, or below one that was not listed.
	 */
	for (int i = 0; i < 2; i++) {
		before.cgroup_facts.left_out = i == 0;
		before.cgroup_facts.unlisted = i == 1;
		assert_int_equal(vmt_event_cgroup_rows(&before, &after, &arena, &r, &n), 0);
		assert_int_equal(n, 1);
		assert_text(event_cgroup, path, &r[0], "/job");
		assert_field(event_cgroup, made, &r[0], false);
	}
	before.n_cgroups = 0;
	assert_int_equal(vmt_event_cgroup_rows(&before, &after, &arena, &r, &n), 0);
	assert_int_equal(n, 0);
	vmt_arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums),
		cmocka_unit_test(groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
