/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>

#include "cmd/top-rows.h"

#define MS   UINT64_C(1000000)
#define S    (1000 * MS)
#define PAGE UINT64_C(4096)

/* A machine with some processes, and what was read of them. */
struct machine {
	struct vmt_sample *sample;
	struct vmt_proc procs[8];
	struct vmt_top_rows rows;
};

static void begin(struct machine *m, uint64_t now_ns)
{
	m->sample->host.monotonic_ns = m->sample->host.boottime_ns = now_ns;
	vmt_top_rows_begin(&m->rows, now_ns);
}

static void setup(struct machine *m, size_t n)
{
	size_t i;

	*m = (struct machine){ .rows = { .budget_ns = 5 * MS } };
	m->sample = vmt_sample_new();
	assert_non_null(m->sample);
	m->sample->host.page_size = PAGE;
	m->sample->procs = m->procs;
	m->sample->n_procs = n;
	for (i = 0; i < n; i++) {
		VMT_SET(proc, pid, &m->procs[i], 100 + i);
		VMT_SET(proc, start_time_ns, &m->procs[i], S * (i + 1));
		VMT_SET(proc, rss_bytes, &m->procs[i], 100 * PAGE);
		VMT_SET(proc, minor_faults_total, &m->procs[i], 10);
	}
	begin(m, 100 * S);
}

static void teardown(struct machine *m)
{
	vmt_top_rows_done(&m->rows);
	vmt_sample_free(m->sample);
}

static const size_t all[] = { 0, 1, 2, 3, 4, 5, 6, 7 };

/* What a read gives. */
static void was_read(struct machine *m, size_t i, uint64_t pss, uint64_t cpu_ns)
{
	struct vmt_proc *p = &m->procs[i];

	VMT_SET(proc, pss_bytes, p, pss);
	VMT_SET(proc, pss_read_ns, p, m->sample->host.monotonic_ns);
	VMT_SET(proc, pss_cpu_ns, p, cpu_ns);
	VMT_SET(proc, read_status, p, VMT_BYTES("ok"));
}

/* The next sample knows nothing of what was read for this one. */
static void forget(struct machine *m, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		VMT_UNSET(proc, pss_bytes, &m->procs[i]);
		VMT_UNSET(proc, pss_read_ns, &m->procs[i]);
		VMT_UNSET(proc, pss_cpu_ns, &m->procs[i]);
		VMT_UNSET(proc, pss_behind, &m->procs[i]);
		VMT_UNSET(proc, read_status, &m->procs[i]);
	}
}

/* At first all are read, in the order in which they are wanted, as far as the budget goes. */
static void test_first(void **state)
{
	struct machine m;
	size_t due[8];

	setup(&m, 4);
	/* 2.25, 2.25, 2.25 ms by the estimate, and 0.009. */
	m.procs[0].rss_bytes = m.procs[1].rss_bytes = m.procs[2].rss_bytes = 25000 * PAGE;
	assert_int_equal(
		vmt_top_rows_due(&m.rows, m.sample, (const size_t[]){ 2, 0, 1, 3 }, 4, due), 3);
	assert_int_equal(due[0], 2);
	assert_int_equal(due[1], 0);
	assert_int_equal(due[2], 3);
	/* There is nothing left of it for more in the same sample. */
	assert_int_equal(vmt_top_rows_due(&m.rows, m.sample, all + 1, 1, due), 0);
	begin(&m, 101 * S);
	assert_int_equal(vmt_top_rows_due(&m.rows, m.sample, all + 1, 1, due), 1);
	teardown(&m);
}

/* A process that may be gone in a moment is not walked. */
static void test_young(void **state)
{
	struct machine m;
	size_t due[8];

	setup(&m, 1);
	m.procs[0].start_time_ns = 99 * S;
	assert_int_equal(vmt_top_rows_due(&m.rows, m.sample, all, 1, due), 0);
	begin(&m, 101 * S);
	assert_int_equal(vmt_top_rows_due(&m.rows, m.sample, all, 1, due), 1);
	teardown(&m);
}

/* Reading again has a thousandth of the time, which can be saved up to the budget; the one that
 * waits for longest goes before those that cost less. */
static void test_again(void **state)
{
	struct machine m;
	size_t due[8], i;

	setup(&m, 4);
	for (i = 0; i < 4; i++)
		was_read(&m, i, 1000, i == 3 ? 5 * MS : 2 * MS);
	m.procs[3].pss_read_ns--;
	assert_int_equal(vmt_top_rows_keep(&m.rows, m.sample, all, 4), 0);
	forget(&m, 4);
	begin(&m, 200 * S);
	assert_int_equal(vmt_top_rows_due(&m.rows, m.sample, all, 4, due), 1);
	assert_int_equal(due[0], 3);
	begin(&m, 202 * S);
	assert_int_equal(vmt_top_rows_due(&m.rows, m.sample, all, 4, due), 0);
	assert_int_equal(vmt_top_rows_due(&m.rows, m.sample, all, 3, due), 1);
	begin(&m, 203 * S);
	assert_int_equal(vmt_top_rows_due(&m.rows, m.sample, all, 3, due), 0);
	begin(&m, 205 * S);
	assert_int_equal(vmt_top_rows_due(&m.rows, m.sample, all, 3, due), 1);
	begin(&m, 300 * S);
	assert_int_equal(vmt_top_rows_due(&m.rows, m.sample, all, 3, due), 2);
	teardown(&m);
}

/* What alone is beyond the budget is tried, so that the refusal has its reason, and takes nothing
 * from the others. */
static void test_beyond(void **state)
{
	struct machine m;
	size_t due[8];

	setup(&m, 2);
	m.procs[0].rss_bytes = 1000000 * PAGE;
	m.procs[1].rss_bytes = 50000 * PAGE;
	assert_int_equal(vmt_top_rows_due(&m.rows, m.sample, all, 2, due), 2);
	/* A recording has no such limit. */
	m.rows.budget_ns = UINT64_MAX;
	begin(&m, 100 * S);
	VMT_UNSET(proc, rss_bytes, &m.procs[1]);
	assert_int_equal(vmt_top_rows_due(&m.rows, m.sample, all, 2, due), 2);
	teardown(&m);
}

static void test_kept(void **state)
{
	struct machine m;
	size_t due[8];

	setup(&m, 3);
	was_read(&m, 0, 1000, MS / 10);
	was_read(&m, 1, 2000, MS / 10);
	VMT_SET(proc, read_status, &m.procs[2], VMT_BYTES("denied"));
	assert_int_equal(vmt_top_rows_keep(&m.rows, m.sample, all, 3), 0);
	assert_unknown(proc, pss_bytes, &m.procs[2]);
	assert_text(proc, read_status, &m.procs[2], "denied");
	forget(&m, 3);

	/* Nothing has changed: only what was refused is tried again. */
	begin(&m, 101 * S);
	m.procs[1].minor_faults_total += 5;
	assert_int_equal(vmt_top_rows_due(&m.rows, m.sample, all, 3, due), 2);
	assert_int_equal(due[0], 2);
	assert_int_equal(due[1], 1);
	/* Without a new read the old value stands there, and says that it is old. */
	assert_int_equal(vmt_top_rows_keep(&m.rows, m.sample, all, 3), 0);
	assert_field(proc, pss_bytes, &m.procs[0], 1000);
	assert_field(proc, pss_read_ns, &m.procs[0], 100 * S);
	assert_field(proc, pss_behind, &m.procs[0], false);
	assert_field(proc, pss_bytes, &m.procs[1], 2000);
	assert_field(proc, pss_behind, &m.procs[1], true);
	assert_unknown(proc, pss_bytes, &m.procs[2]);
	/* More of the same sample is no newer read. */
	assert_int_equal(vmt_top_rows_keep(&m.rows, m.sample, all, 3), 0);
	assert_field(proc, pss_behind, &m.procs[1], true);
	forget(&m, 3);
	/* Those that are not on the screen have it too. */
	assert_int_equal(vmt_top_rows_keep(&m.rows, m.sample, all, 0), 0);
	assert_field(proc, pss_bytes, &m.procs[0], 1000);
	assert_text(proc, read_status, &m.procs[2], "denied");
	forget(&m, 3);

	/* One that rests is read again after a while. */
	begin(&m, 100 * S + VMT_TOP_PSS_AGE_NS);
	m.procs[1].minor_faults_total -= 5;
	assert_int_equal(vmt_top_rows_due(&m.rows, m.sample, all, 2, due), 2);
	teardown(&m);
}

/* However much a process changes, it is walked for a small part of the time alone. */
static void test_share(void **state)
{
	struct machine m;
	size_t due[8];

	setup(&m, 1);
	was_read(&m, 0, 1000, 3 * MS);
	assert_int_equal(vmt_top_rows_keep(&m.rows, m.sample, all, 1), 0);
	forget(&m, 1);
	m.procs[0].rss_bytes++;
	begin(&m, 100 * S + 2900 * MS);
	assert_int_equal(vmt_top_rows_due(&m.rows, m.sample, all, 1, due), 0);
	begin(&m, 100 * S + 3100 * MS);
	assert_int_equal(vmt_top_rows_due(&m.rows, m.sample, all, 1, due), 1);
	/* With twice the memory it takes twice as long. */
	m.procs[0].rss_bytes = 200 * PAGE;
	begin(&m, 100 * S + 5900 * MS);
	assert_int_equal(vmt_top_rows_due(&m.rows, m.sample, all, 1, due), 0);
	teardown(&m);
}

/* A number that came back is another process, which has nothing of the first one's. */
static void a08_number_came_back(void **state)
{
	struct machine m;
	size_t due[8];

	setup(&m, 2);
	was_read(&m, 0, 1000, MS);
	was_read(&m, 1, 2000, MS);
	assert_int_equal(vmt_top_rows_keep(&m.rows, m.sample, all, 2), 0);
	forget(&m, 2);
	m.procs[0].start_time_ns += S;
	begin(&m, 101 * S);
	assert_int_equal(vmt_top_rows_keep(&m.rows, m.sample, all, 2), 0);
	assert_unknown(proc, pss_bytes, &m.procs[0]);
	assert_field(proc, pss_bytes, &m.procs[1], 2000);
	assert_int_equal(m.rows.n, 1);
	assert_int_equal(vmt_top_rows_due(&m.rows, m.sample, all, 2, due), 1);
	assert_int_equal(due[0], 0);
	/* And one that ended is forgotten. */
	m.sample->n_procs = 1;
	assert_int_equal(vmt_top_rows_keep(&m.rows, m.sample, all, 1), 0);
	assert_int_equal(m.rows.n, 0);
	teardown(&m);
}

static int keep_one(void *arg)
{
	struct machine m;
	int r;

	setup(&m, 2);
	was_read(&m, 0, 1000, MS);
	r = vmt_top_rows_keep(&m.rows, m.sample, all, 2);
	teardown(&m);
	return r;
}

static void test_no_memory(void **state)
{
	struct machine m;

	setup(&m, 2);
	was_read(&m, 0, 1000, MS);
	unit_alloc_fail(1);
	assert_int_equal(vmt_top_rows_keep(&m.rows, m.sample, all, 2), -ENOMEM);
	assert_true(unit_alloc_pass());
	teardown(&m);
	assert_int_equal(keep_one(NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first),
		cmocka_unit_test(test_beyond),
		cmocka_unit_test(test_young),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_share),
		cmocka_unit_test(a08_number_came_back),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
