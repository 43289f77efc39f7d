/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>

#include "cmd/metrics-state.h"

/* Counters of groups, over processes that come and go. */

static struct vmt_proc process(uint64_t pid, uint64_t start, uint64_t minor, uint64_t major)
{
	struct vmt_proc p = { 0 };

	VMT_SET(proc, pid, &p, pid);
	VMT_SET(proc, start_time_ns, &p, start);
	VMT_SET(proc, minor_faults_total, &p, minor);
	VMT_SET(proc, major_faults_total, &p, major);
	return p;
}

/* A run over what it has of the file of the one before; text is that file, and becomes the next. */
static void run(struct vmt_buf *text, const char *boot, const struct vmt_proc *procs,
		const struct vmt_bytes *names, size_t n, struct vmt_fault_counts *ret_a)
{
	VMT_AUTO_METRIC_STATE old, now;
	struct vmt_err err = { 0 };

	vmt_metric_state_init(&old);
	vmt_metric_state_init(&now);
	if (text->len)
		assert_int_equal(vmt_metric_state_parse(&old, "f",
							(struct vmt_bytes){ text->data, text->len },
							&err),
				 0);
	assert_int_equal(vmt_metric_state_next(&old, vmt_bytes_of(boot), procs, names, n, &now), 0);
	*ret_a = *vmt_metric_state_total(&now, VMT_BYTES("a"));
	assert_null(vmt_metric_state_total(&now, VMT_BYTES("none")));
	vmt_buf_clear(text);
	vmt_metric_state_write(&now, text);
}

static void i03_counts_never_go_back(void **state)
{
	const struct vmt_bytes a = VMT_BYTES("a"), b = VMT_BYTES("b"), none = { NULL, 0 };
	VMT_AUTO_BUF text = { 0 };
	struct vmt_fault_counts c;
	struct vmt_proc procs[3];

	/* At first what they have counted so far. */
	procs[0] = process(5, 100, 10, 1);
	procs[1] = process(7, 200, 1000, 100);
	procs[2] = process(9, 300, 7, 7);
	run(&text, "B", procs, (struct vmt_bytes[]){ a, a, none }, 3, &c);
	assert_int_equal(c.minor, 1010);
	assert_int_equal(c.major, 101);

	/* One ended: nothing goes back. One came. */
	procs[0] = process(5, 100, 15, 1);
	procs[1] = process(8, 900, 3, 0);
	run(&text, "B", procs, (struct vmt_bytes[]){ a, a }, 2, &c);
	assert_int_equal(c.minor, 1010 + 5 + 3);
	assert_int_equal(c.major, 101);

	/* The number is another process's; and one that cannot be read for once. */
	procs[0] = process(5, 5000, 2, 2);
	procs[1] = (struct vmt_proc){ 0 };
	VMT_SET(proc, pid, &procs[1], 8);
	run(&text, "B", procs, (struct vmt_bytes[]){ a, a }, 2, &c);
	assert_int_equal(c.minor, 1018 + 2);
	assert_int_equal(c.major, 103);
	procs[1] = process(8, 900, 13, 0);
	run(&text, "B", procs, (struct vmt_bytes[]){ a, a }, 2, &c);
	assert_int_equal(c.minor, 1020 + 10);

	/* It went to another group: what comes from now on is that one's. */
	procs[1] = process(8, 900, 20, 0);
	run(&text, "B", procs, (struct vmt_bytes[]){ a, b }, 2, &c);
	assert_int_equal(c.minor, 1030);

	/* Nobody left. */
	run(&text, "B", procs, NULL, 0, &c);
	assert_int_equal(c.minor, 1030);

	/* Another boot. */
	procs[0] = process(5, 5000, 4, 4);
	run(&text, "C", procs, (struct vmt_bytes[]){ a }, 1, &c);
	assert_int_equal(c.minor, 4);
	assert_int_equal(c.major, 4);
}

static void counts_stay_in_their_range(void **state)
{
	VMT_AUTO_BUF text = { 0 };
	struct vmt_fault_counts c;
	const struct vmt_bytes a = VMT_BYTES("a");
	struct vmt_proc procs[2] = { process(1, 1, UINT64_MAX, 0), process(2, 1, 5, 0) };

	run(&text, "B", procs, (struct vmt_bytes[]){ a, a }, 2, &c);
	assert_int_equal(c.minor, UINT64_MAX);
}

static void what_is_no_state(void **state)
{
	static const char *const cases[] = {
		"",
		"\n",
		"vmtop-metrics-state 2\nboot B\nend\n",
		"vmtop-metrics-state 1\nboot B\n",
		"vmtop-metrics-state 1\nboot B\ngroup a 1\nend\n",
		"vmtop-metrics-state 1\nboot B\ngroup a 1 2 3\nend\n",
		"vmtop-metrics-state 1\nboot B\ngroup a 1 x\nend\n",
		"vmtop-metrics-state 1\nboot B\ngroup a 1 2\ngroup a 1 2\nend\n",
		"vmtop-metrics-state 1\nboot B\nprocess 2 1 1 1\nprocess 1 1 1 1\nend\n",
		"vmtop-metrics-state 1\nboot B\nprocess 1 1 1 99999999999999999999\nend\n",
		"vmtop-metrics-state 1\nboot B\nwhat 1 2\nend\n",
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		VMT_AUTO_METRIC_STATE s;
		struct vmt_err err = { 0 };

		vmt_metric_state_init(&s);
		assert_int_equal(vmt_metric_state_parse(&s, "f", vmt_bytes_of(cases[i]), &err),
				 -EINVAL);
		assert_int_equal(s.n_seen, 0);
		assert_int_equal(s.n_totals, 0);
	}
}

/* Cut at any byte it is none: half of it would count processes twice. */
static void cut_anywhere(void **state)
{
	static const char text[] = "vmtop-metrics-state 1\nboot B\ngroup a 12 3\nprocess 1 2 3 4\n"
				   "end\n";
	size_t len;

	for (len = 0; len < sizeof(text) - 1; len++) {
		VMT_AUTO_METRIC_STATE s;
		bool whole = len == sizeof(text) - 2;

		vmt_metric_state_init(&s);
		assert_int_equal(
			vmt_metric_state_parse(&s, "f", (struct vmt_bytes){ text, len }, NULL),
			whole ? 0 : -EINVAL);
	}
}

static int sweep(void *arg)
{
	static const char text[] = "vmtop-metrics-state 1\nboot B\ngroup a 12 3\nprocess 1 2 3 4\n"
				   "end\n";
	const struct vmt_proc p = process(1, 2, 4, 4);
	const struct vmt_bytes names[] = { VMT_BYTES("b") };
	VMT_AUTO_METRIC_STATE old, now;
	int r;

	vmt_metric_state_init(&old);
	vmt_metric_state_init(&now);
	r = vmt_metric_state_parse(&old, "f", vmt_bytes_of(text), NULL);
	return r ? r : vmt_metric_state_next(&old, VMT_BYTES("B"), &p, names, 1, &now);
}

static void no_memory(void **state)
{
	assert_true(unit_alloc_sweep(sweep, NULL) > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(i03_counts_never_go_back),
		cmocka_unit_test(counts_stay_in_their_range),
		cmocka_unit_test(what_is_no_state),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
