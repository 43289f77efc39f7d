/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "model/check-measure.h"

/* What check measures, of models that are made here: what is known, and why what is not is not. */

#define SEC   UINT64_C(1000000000)
#define ROOMY (UINT64_MAX / 4)

struct made {
	struct vmt_sample *now, *before;
	struct vmt_model m;
	struct vmt_figure f;
};

static struct made make(void)
{
	struct made d = { .now = vmt_sample_new(), .before = vmt_sample_new() };

	assert_non_null(d.now);
	assert_non_null(d.before);
	d.now->host.boot_id = d.before->host.boot_id = VMT_BYTES("b");
	d.before->host.monotonic_ns = 10 * SEC;
	d.now->host.monotonic_ns = 20 * SEC;
	d.m.sample = d.now;
	return d;
}

static void done(struct made *d)
{
	vmt_figure_done(&d->f);
	vmt_sample_free(d->now);
	vmt_sample_free(d->before);
}

static void take(struct made *d, struct vmt_figure_want want)
{
	assert_int_equal(vmt_figure_take(&d->m, d->before, &want, &d->f), 0);
}

#define assert_unknown_as(d, why)                                                                  \
	do {                                                                                       \
		assert_int_equal((d)->f.state, VMT_FIGURE_UNKNOWN);                                \
		assert_string_equal((d)->f.reason.data, why);                                      \
	} while (0)
#define assert_nothing_as(d, why)                                                                  \
	do {                                                                                       \
		assert_int_equal((d)->f.state, VMT_FIGURE_NOTHING);                                \
		assert_string_equal((d)->f.reason.data, why);                                      \
	} while (0)
#define assert_known(d, milli, words)                                                              \
	do {                                                                                       \
		assert_int_equal((d)->f.state, VMT_FIGURE_KNOWN);                                  \
		assert_true((d)->f.value == (milli));                                              \
		assert_string_equal((d)->f.text.data, words);                                      \
	} while (0)

static void sizes_of_the_machine(void **state)
{
	struct made d = make();

	take(&d, (struct vmt_figure_want){ .measure = VMT_MEASURE_AVAILABLE });
	assert_unknown_as(&d, "meminfo does not say it on this kernel");
	VMT_SET(system, available_bytes, &d.m.system, 1024);
	take(&d, (struct vmt_figure_want){ .measure = VMT_MEASURE_AVAILABLE });
	assert_unknown_as(&d, "meminfo does not say it on this kernel");
	VMT_SET(system, total_bytes, &d.m.system, 4096);
	take(&d, (struct vmt_figure_want){ .measure = VMT_MEASURE_AVAILABLE });
	assert_known(&d, 1024000, "25% (1.00KiB of 4.00KiB)");
	VMT_SET(system, available_bytes, &d.m.system, UINT64_MAX);
	take(&d, (struct vmt_figure_want){ .measure = VMT_MEASURE_AVAILABLE });
	assert_unknown_as(&d, "the number is too large");

	VMT_SET(system, swap_used_bytes, &d.m.system, 0);
	take(&d, (struct vmt_figure_want){ .measure = VMT_MEASURE_SWAP_USED });
	assert_unknown_as(&d, "meminfo does not say it on this kernel");
	VMT_SET(system, swap_total_bytes, &d.m.system, 0);
	take(&d, (struct vmt_figure_want){ .measure = VMT_MEASURE_SWAP_USED });
	assert_known(&d, 0, "0B (0B of 0B)");

	VMT_SET(system, committed_bytes, &d.m.system, 2048);
	take(&d, (struct vmt_figure_want){ .measure = VMT_MEASURE_COMMIT });
	assert_unknown_as(&d, "meminfo does not say it on this kernel");
	VMT_SET(system, commit_limit_bytes, &d.m.system, 0);
	take(&d, (struct vmt_figure_want){ .measure = VMT_MEASURE_COMMIT });
	assert_nothing_as(&d, "the limit is 0");
	VMT_SET(system, commit_limit_bytes, &d.m.system, 4096);
	take(&d, (struct vmt_figure_want){ .measure = VMT_MEASURE_COMMIT });
	assert_known(&d, 50000, "50% (2.00KiB of 4.00KiB)");
	/* A source that was not read says why. */
	d.now->sources[VMT_SOURCE_MEMINFO].state = VMT_STATE_DENIED;
	d.m.system = (struct vmt_system){ 0 };
	take(&d, (struct vmt_figure_want){ .measure = VMT_MEASURE_COMMIT });
	assert_unknown_as(&d, "meminfo denied");
	snprintf(d.now->sources[VMT_SOURCE_MEMINFO].reason,
		 sizeof(d.now->sources[VMT_SOURCE_MEMINFO].reason), "no rights\x1b");
	take(&d, (struct vmt_figure_want){ .measure = VMT_MEASURE_COMMIT });
	assert_unknown_as(&d, "meminfo denied: no rights\\x1b");
	done(&d);
}

static void pressure_of_memory(void **state)
{
	static const enum vmt_measure_id measures[] = { VMT_MEASURE_PSI_SOME_10,
							VMT_MEASURE_PSI_SOME_60,
							VMT_MEASURE_PSI_FULL_10,
							VMT_MEASURE_PSI_FULL_60 };
	static const int64_t values[] = { 1000, 2000, 0, 4000 };
	struct vmt_pressure rows[4] = { 0 };
	struct made d = make();
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(rows); i++) {
		VMT_SET(pressure, resource, &rows[i],
			i < 2 ? VMT_BYTES("io") : VMT_BYTES("memory"));
		VMT_SET(pressure, kind, &rows[i], i % 2 ? VMT_BYTES("full") : VMT_BYTES("some"));
		VMT_SET(pressure, avg10_percent, &rows[i], i == 2 ? 1000 : 7000);
		VMT_SET(pressure, avg60_percent, &rows[i], i == 2 ? 2000 : 4000);
	}
	VMT_UNSET(pressure, avg10_percent, &rows[3]);
	d.m.pressure = rows;
	d.m.n_pressure = VMT_ARRAY_LEN(rows);
	for (i = 0; i < VMT_ARRAY_LEN(measures); i++) {
		take(&d, (struct vmt_figure_want){ .measure = measures[i] });
		if (!values[i]) {
			assert_unknown_as(&d, "pressure does not say it on this kernel");
			continue;
		}
		assert_int_equal(d.f.state, VMT_FIGURE_KNOWN);
		assert_int_equal(d.f.value, values[i]);
	}
	done(&d);
}

static void rates_of_counters(void **state)
{
	struct vmt_figure_want want = { .measure = VMT_MEASURE_THP_FALLBACK };
	struct vmt_system *now, *before;
	struct made d = make();

	now = &d.m.system;
	before = &d.before->system;
	take(&d, want);
	assert_unknown_as(&d, "vmstat does not say it on this kernel");
	VMT_SET(system, thp_fault_fallback_total, now, 5);
	VMT_SET(system, thp_fault_fallback_total, before, 5);
	take(&d, want);
	assert_unknown_as(&d, "vmstat does not say it on this kernel");
	VMT_SET(system, thp_fault_alloc_total, now, 9);
	take(&d, want);
	assert_nothing_as(&d, "known from the next run on");
	VMT_SET(system, thp_fault_alloc_total, before, 9);
	take(&d, want);
	assert_nothing_as(&d, "no fault wanted a huge page");
	now->thp_fault_alloc_total = 12;
	now->thp_fault_fallback_total = 6;
	take(&d, want);
	assert_known(&d, 25000, "25% (1 of 4 faults)");
	now->thp_fault_alloc_total = now->thp_fault_fallback_total = UINT64_MAX;
	take(&d, want);
	assert_unknown_as(&d, "the number is too large");
	/* Rates that 64 bits hold, and one that they do not. */
	want.measure = VMT_MEASURE_REFAULT;
	VMT_SET(system, workingset_refault_per_second, now, UINT64_MAX);
	take(&d, want);
	assert_int_equal(d.f.state, VMT_FIGURE_KNOWN);
	assert_true(d.f.value == INT64_MAX);
	VMT_UNSET(system, workingset_refault_per_second, now);
	VMT_SET(system, workingset_refault_anon_total, now, UINT64_MAX);
	VMT_SET(system, workingset_refault_anon_total, before, 0);
	take(&d, want);
	assert_unknown_as(&d, "vmstat does not say it on this kernel");
	VMT_SET(system, workingset_refault_file_total, now, UINT64_MAX);
	VMT_SET(system, workingset_refault_file_total, before, 0);
	take(&d, want);
	assert_unknown_as(&d, "the number is too large");
	want.measure = VMT_MEASURE_OOM_KILL;
	VMT_SET(system, oom_kill_total, now, UINT64_MAX);
	VMT_SET(system, oom_kill_total, before, 0);
	take(&d, want);
	assert_unknown_as(&d, "the number is too large");
	done(&d);
}

static struct vmt_zone_row zone(const char *name, uint64_t free, uint64_t low, uint64_t managed)
{
	struct vmt_zone_row z = { 0 };

	VMT_SET(zone, node, &z, 0);
	VMT_SET(zone, zone, &z, vmt_bytes_of(name));
	VMT_SET(zone, free_bytes, &z, free);
	VMT_SET(zone, low_bytes, &z, low);
	VMT_SET(zone, managed_bytes, &z, managed);
	return z;
}

static void zones(void **state)
{
	struct vmt_zone_row rows[] = { zone("Empty", 0, 4096, 0), zone("Huge", ROOMY, 1, ROOMY),
				       zone("A", 8192, 4096, 1 << 20),
				       zone("B", 1024, 4096, 1 << 20),
				       zone("C", 2048, 4096, 1 << 20) };
	struct made d = make();

	take(&d, (struct vmt_figure_want){ .measure = VMT_MEASURE_ZONE_LOW });
	assert_unknown_as(&d, "zoneinfo does not say it on this kernel");
	take(&d, (struct vmt_figure_want){ .measure = VMT_MEASURE_ZONE_DISTANCE });
	assert_unknown_as(&d, "zoneinfo does not say it on this kernel");
	d.m.zones = rows;
	d.m.n_zones = VMT_ARRAY_LEN(rows);
	/* The first that is low is named, and the lowest. */
	take(&d, (struct vmt_figure_want){ .measure = VMT_MEASURE_ZONE_LOW });
	assert_known(&d, 2000, "2 of 4 (node 0 B: free 1.00KiB, low 4.00KiB)");
	take(&d, (struct vmt_figure_want){ .measure = VMT_MEASURE_ZONE_DISTANCE });
	assert_known(&d, -3072000, "-3.00KiB (node 0 B: free 1.00KiB, low 4.00KiB)");
	VMT_UNSET(zone, low_bytes, &rows[3]);
	VMT_UNSET(zone, managed_bytes, &rows[4]);
	take(&d, (struct vmt_figure_want){ .measure = VMT_MEASURE_ZONE_LOW });
	assert_known(&d, 0, "0 of 2");
	take(&d, (struct vmt_figure_want){ .measure = VMT_MEASURE_ZONE_DISTANCE });
	assert_known(&d, 4096000, "4.00KiB (node 0 A: free 8.00KiB, low 4.00KiB)");
	done(&d);
}

static void fragmentation(void **state)
{
	static const struct vmt_figure_want want = { .measure = VMT_MEASURE_FRAG };
	struct vmt_order rows[4] = { 0 };
	struct made d = make();
	size_t i;

	take(&d, want);
	assert_unknown_as(&d, "buddyinfo does not say it on this kernel");
	for (i = 0; i < VMT_ARRAY_LEN(rows); i++) {
		VMT_SET(order, order, &rows[i], i + 8);
		VMT_SET(order, block_bytes, &rows[i], UINT64_C(1) << (i + 20));
		VMT_SET(order, free_bytes, &rows[i], 0);
	}
	d.m.orders = rows;
	d.m.n_orders = VMT_ARRAY_LEN(rows);
	take(&d, want);
	assert_nothing_as(&d, "nothing is free");
	rows[0].free_bytes = 3 << 20;
	rows[2].free_bytes = 1 << 20;
	/* What is not known is no part of it. */
	rows[3].free_bytes = 1 << 20;
	VMT_UNSET(order, free_bytes, &rows[3]);
	take(&d, want);
	assert_known(&d, 25000, "25% (1.00MiB of 4.00MiB free in blocks of 2.00MiB and more)");
	done(&d);
}

static void cgroups(void **state)
{
	struct vmt_figure_want available = { .measure = VMT_MEASURE_CGROUP_AVAILABLE };
	struct vmt_figure_want distance = { .measure = VMT_MEASURE_CGROUP_DISTANCE };
	struct vmt_cgroup c = { 0 };
	struct made d = make();

	take(&d, available);
	assert_unknown_as(&d, "memcg does not say it on this kernel");
	d.m.cgroups = &c;
	d.m.n_cgroups = 1;
	take(&d, available);
	assert_unknown_as(&d, "memcg does not say it on this kernel");
	take(&d, distance);
	assert_unknown_as(&d, "memcg does not say it on this kernel");
	VMT_SET(cgroup, available_bytes, &c, 1024);
	VMT_SET(cgroup, distance_bytes, &c, -1024);
	take(&d, available);
	assert_known(&d, 1024000, "1.00KiB");
	take(&d, distance);
	assert_known(&d, -1024000, "-1.00KiB");
	VMT_SET(cgroup, tightest_limit_bytes, &c, 4096);
	take(&d, distance);
	assert_known(&d, -1024000, "-1.00KiB");
	VMT_SET(cgroup, tightest_current_bytes, &c, 5120);
	VMT_SET(cgroup, binds, &c, VMT_BYTES("memory.max"));
	take(&d, distance);
	assert_known(&d, -1024000, "-1.00KiB (limit 4.00KiB - 5.00KiB, memory.max)");
	VMT_SET(cgroup, tightest, &c, VMT_BYTES("/a\x1b"));
	VMT_SET(cgroup, tightest_reclaimable_bytes, &c, 2048);
	take(&d, available);
	assert_known(&d, 1024000,
		     "25% (1.00KiB of 4.00KiB - 5.00KiB + reclaimable 2.00KiB, memory.max of "
		     "/a\\x1b)");
	assert_int_equal(d.f.total, 4096000);
	c.distance_bytes = INT64_MAX;
	take(&d, distance);
	assert_true(d.f.value == INT64_MAX);
	c.distance_bytes = INT64_MIN;
	take(&d, distance);
	assert_true(d.f.value == INT64_MIN);
	c.available_bytes = UINT64_MAX;
	take(&d, available);
	assert_unknown_as(&d, "the number is too large");
	done(&d);
}

static struct vmt_fault fault(uint64_t pid, uint64_t p99)
{
	struct vmt_fault f = { 0 };

	VMT_SET(fault, pid, &f, pid);
	VMT_SET(fault, p99_ns, &f, p99);
	return f;
}

static void slowest_faults(void **state)
{
	static const uint64_t pids[] = { 3, 7 };
	struct vmt_figure_want want = { .measure = VMT_MEASURE_FAULT_P99 };
	struct vmt_fault rows[] = { fault(3, 800), fault(7, 900), fault(7, 500), fault(9, 5000) };
	struct vmt_proc procs[2] = { 0 };
	struct made d = make();

	take(&d, want);
	assert_unknown_as(&d, "no process of that number");
	want.pids = pids;
	want.n_pids = 2;
	take(&d, want);
	assert_unknown_as(&d, "fault does not say it on this kernel");
	d.m.has_probe = true;
	d.now->sources[VMT_SOURCE_FAULT].state = VMT_STATE_FAILED;
	take(&d, want);
	assert_unknown_as(&d, "fault failed");
	d.now->sources[VMT_SOURCE_FAULT].state = VMT_STATE_OK;
	/* Of those that were named one is not there. */
	VMT_SET(proc, pid, &procs[0], 3);
	VMT_SET(proc, pid, &procs[1], 7);
	d.now->procs = procs;
	d.now->n_procs = 1;
	take(&d, want);
	assert_unknown_as(&d, "no process 7");
	d.m.faults = rows;
	d.m.n_faults = VMT_ARRAY_LEN(rows);
	take(&d, want);
	assert_int_equal(d.f.state, VMT_FIGURE_AT_LEAST);
	assert_int_equal(d.f.value, 900);
	d.now->n_procs = 2;
	VMT_SET(fault, comm, &rows[1], VMT_BYTES("slow"));
	VMT_SET(fault, count, &rows[1], 12);
	take(&d, want);
	assert_known(&d, 900, "900ns (7 (slow), 12 faults)");
	d.m.n_faults = 0;
	take(&d, want);
	assert_nothing_as(&d, "no page fault in the interval");
	VMT_UNSET(fault, p99_ns, &rows[0]);
	d.m.n_faults = 1;
	take(&d, want);
	assert_unknown_as(&d, "this way to count has no times; see 'vmtop doctor'");
	VMT_SET(fault, p99_ns, &rows[0], UINT64_MAX);
	take(&d, want);
	assert_true(d.f.value == INT64_MAX);
	done(&d);
}

static struct vmt_issue issue(uint64_t pid, const char *comm, const char *status)
{
	struct vmt_issue i = { 0 };

	if (pid)
		VMT_SET(issue, pid, &i, pid);
	if (comm)
		VMT_SET(issue, comm, &i, vmt_bytes_of(comm));
	VMT_SET(issue, source, &i, VMT_BYTES("status"));
	VMT_SET(issue, status, &i, vmt_bytes_of(status));
	return i;
}

/* The largest is that of all where all that may be meant were read. */
static void processes_that_were_not_read(void **state)
{
	static const uint64_t pids[] = { 3 };
	struct vmt_figure_want by_name = { .measure = VMT_MEASURE_PROC_RSS, .comm = "a*" };
	struct vmt_figure_want by_pid = { .measure = VMT_MEASURE_PROC_RSS,
					  .pids = pids,
					  .n_pids = 1 };
	struct vmt_figure_want all = { .measure = VMT_MEASURE_PROC_RSS };
	struct vmt_issue issues[1];
	struct vmt_proc p = { 0 };
	struct made d = make();

	take(&d, by_pid);
	assert_unknown_as(&d, "no process 3");
	take(&d, by_name);
	assert_unknown_as(&d, "no process is called a*");
	VMT_SET(proc, pid, &p, 3);
	VMT_SET(proc, rss_bytes, &p, 4096);
	d.now->procs = d.m.procs = &p;
	d.now->n_procs = d.m.n_procs = 1;
	/* One without a name is none of that name. */
	take(&d, by_name);
	assert_unknown_as(&d, "no process is called a*");
	take(&d, by_pid);
	assert_known(&d, 4096000, "4.00KiB (3)");
	VMT_SET(proc, comm, &p, VMT_BYTES("ab"));
	d.now->issues = issues;
	d.now->n_issues = 1;
	/* Another one, of another name; one that ended; and one that may have any name. */
	issues[0] = issue(9, "b", "denied");
	take(&d, by_name);
	assert_known(&d, 4096000, "4.00KiB (3 (ab))");
	take(&d, by_pid);
	assert_int_equal(d.f.state, VMT_FIGURE_KNOWN);
	take(&d, all);
	assert_int_equal(d.f.state, VMT_FIGURE_AT_LEAST);
	assert_string_equal(d.f.reason.data, "status of process 9 denied");
	issues[0] = issue(9, "ac", "gone");
	take(&d, by_name);
	assert_int_equal(d.f.state, VMT_FIGURE_KNOWN);
	issues[0] = issue(9, NULL, "denied");
	VMT_SET(issue, hint, &issues[0], VMT_BYTES("run as root"));
	take(&d, by_name);
	assert_int_equal(d.f.state, VMT_FIGURE_AT_LEAST);
	assert_string_equal(d.f.reason.data, "status of process 9 denied: run as root");
	/* Of the machine, and of one that has a row. */
	issues[0] = issue(0, NULL, "denied");
	take(&d, all);
	assert_int_equal(d.f.state, VMT_FIGURE_KNOWN);
	issues[0] = issue(3, "ab", "denied");
	take(&d, all);
	assert_int_equal(d.f.state, VMT_FIGURE_KNOWN);
	/* Without a figure, the first that could not be read says why; else the source. */
	VMT_UNSET(proc, rss_bytes, &p);
	take(&d, all);
	assert_unknown_as(&d, "status of process 3 denied");
	d.now->issues = NULL;
	d.now->n_issues = 0;
	take(&d, all);
	assert_unknown_as(&d, "status does not say it on this kernel");
	done(&d);
}

/* Numbers that have no thousandths are none, and a share of a limit goes up to the largest. */
static void numbers_at_their_ends(void **state)
{
	struct vmt_figure_want growth = { .measure = VMT_MEASURE_PROC_GROWTH };
	struct vmt_figure_want maps = { .measure = VMT_MEASURE_MAPS_COUNT };
	struct vmt_proc procs[2] = { 0 };
	struct made d = make();

	d.now->procs = d.m.procs = procs;
	d.now->n_procs = d.m.n_procs = 2;
	VMT_SET(proc, pid, &procs[0], 3);
	VMT_SET(proc, pid, &procs[1], 7);
	take(&d, growth);
	assert_nothing_as(&d, "no process that was there before");
	VMT_SET(proc, rss_bytes, &procs[0], 1);
	VMT_SET(proc, rss_bytes, &procs[1], 1);
	VMT_SET(proc, rss_per_second_bytes, &procs[0], INT64_MAX);
	VMT_SET(proc, rss_per_second_bytes, &procs[1], INT64_MIN);
	take(&d, growth);
	assert_int_equal(d.f.state, VMT_FIGURE_UNKNOWN);
	procs[1].rss_per_second_bytes = -1024;
	take(&d, growth);
	assert_known(&d, -1024000, "-1.00KiB/s (7, most of 2, over 10.0s)");
	VMT_SET(proc, class, &procs[0], VMT_BYTES("kernel"));
	VMT_SET(proc, maps_percent, &procs[1], UINT64_MAX);
	VMT_SET(proc, maps_total, &procs[1], 7);
	VMT_SET(proc, maps_limit, &procs[1], 9);
	take(&d, maps);
	assert_true(d.f.value == INT64_MAX);
	done(&d);
}

static void names(void **state)
{
	assert_int_equal(vmt_measure_find(VMT_BYTES("zone.low")), VMT_MEASURE_ZONE_LOW);
	assert_int_equal(vmt_measure_find(VMT_BYTES("zone.lo")), VMT_MEASURE_COUNT);
	assert_int_equal(vmt_measure_find(VMT_BYTES("")), VMT_MEASURE_COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_of_the_machine),
		cmocka_unit_test(pressure_of_memory),
		cmocka_unit_test(rates_of_counters),
		cmocka_unit_test(zones),
		cmocka_unit_test(fragmentation),
		cmocka_unit_test(cgroups),
		cmocka_unit_test(slowest_faults),
		cmocka_unit_test(processes_that_were_not_read),
		cmocka_unit_test(numbers_at_their_ends),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
