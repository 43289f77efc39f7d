/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <unistd.h>

#include "bpf/fault-event.h"
#include "source/probe-singles.h"

#define SECOND UINT64_C(1000000000)

/* A fault on the page of that number. */
static struct vmt_fault_event fault(uint64_t end_ns, uint64_t number)
{
	return (struct vmt_fault_event){
		.end_ns = end_ns,
		.ns = 100 + number,
		.address = number * (uint64_t)sysconf(_SC_PAGESIZE),
		.slot = 5,
		.tgid = 40,
		.tid = 41,
		.access = VMT_BPF_WRITE,
		.mode = VMT_BPF_MODE_USER,
		.comm = "w",
	};
}

struct setup {
	struct vmt_probe_singles *singles;
	struct vmt_fault_sample sample;
	struct vmt_arena arena;
};

static void begin(struct setup *s, uint64_t least_ns, uint64_t rate)
{
	struct vmt_probe_opts opts = { .singles = true,
				       .single_least_ns = least_ns,
				       .single_rate = rate };

	*s = (struct setup){ 0 };
	vmt_arena_init(&s->arena);
	assert_int_equal(vmt_probe_singles_new(-1, &opts, &s->singles, NULL), 0);
}

static void take(struct setup *s, struct vmt_fault_event e)
{
	assert_int_equal(vmt_probe_singles_take(s->singles, &e), 0);
}

static void end(struct setup *s)
{
	uint64_t sum = 0;
	size_t i;

	assert_int_equal(vmt_probe_singles_read(s->singles, &s->arena, &s->sample), 0);
	for (i = 0; i < s->sample.n_singles; i++)
		sum += s->sample.singles[i].faults;
	/* No fault is nowhere, or in two places. */
	assert_int_equal(sum + s->sample.totals.singles_limited, s->sample.totals.singles);
}

static void done(struct setup *s)
{
	vmt_probe_singles_free(s->singles);
	vmt_arena_done(&s->arena);
}

static void each_is_kept_in_the_order_of_its_end(void **state)
{
	struct setup s;

	(void)state;
	begin(&s, 1, 0);
	take(&s, fault(30, 7));
	take(&s, fault(20, 8));
	take(&s, fault(10, 9));
	end(&s);
	/* Adjacent, and still one each: a least time was given. */
	assert_int_equal(s.sample.n_singles, 3);
	assert_int_equal(s.sample.singles[0].end_ns, 10);
	assert_int_equal(s.sample.singles[0].latency_ns, 109);
	assert_int_equal(s.sample.singles[2].end_ns, 30);
	assert_int_equal(s.sample.singles[2].access, VMT_ACCESS_WRITE);
	assert_int_equal(s.sample.singles[2].mode, VMT_MODE_USER);
	assert_false(s.sample.singles[2].major);
	assert_string_equal(s.sample.singles[2].comm, "w");
	done(&s);
}

static void adjacent_ones_are_a_run(void **state)
{
	struct vmt_fault_event e;
	struct setup s;
	uint64_t i;

	(void)state;
	begin(&s, 0, 0);
	/* Two threads, in turn. */
	for (i = 0; i < 50; i++) {
		take(&s, fault(2 * i + 1, i));
		e = fault(2 * i + 2, 1000 + i);
		e.tid = 42;
		take(&s, e);
	}
	end(&s);
	assert_int_equal(s.sample.n_singles, 2);
	assert_int_equal(s.sample.singles[0].faults, 50);
	assert_int_equal(s.sample.singles[0].address, 0);
	assert_int_equal(s.sample.singles[0].end_ns, 99);
	assert_int_equal(s.sample.singles[0].latency_ns, 149);
	assert_int_equal(s.sample.singles[0].total_ns, 50 * 100 + 49 * 50 / 2);
	assert_int_equal(s.sample.singles[1].tid, 42);
	assert_int_equal(s.sample.singles[1].faults, 50);
	done(&s);
}

static void what_differs_ends_a_run(void **state)
{
	struct vmt_fault_event e;
	struct setup s;

	(void)state;
	begin(&s, 0, 0);
	take(&s, fault(1, 1));
	take(&s, fault(2, 3)); /* a page is left out */
	take(&s, fault(3, 3)); /* the same again */
	take(&s, fault(4, 2)); /* backwards */
	e = fault(5, 3);
	e.access = VMT_BPF_READ;
	take(&s, e);
	e = fault(6, 4);
	e.access = VMT_BPF_READ;
	e.major = 1;
	take(&s, e);
	e.end_ns = 7;
	e.address += (uint64_t)sysconf(_SC_PAGESIZE);
	e.slot = 6;
	take(&s, e);
	/* That something is not known is no difference; another kind is one. */
	e.end_ns = 8;
	e.address += (uint64_t)sysconf(_SC_PAGESIZE);
	e.kind = VMT_BPF_KIND_FILE_MAJOR;
	take(&s, e);
	e.end_ns = 9;
	e.address += (uint64_t)sysconf(_SC_PAGESIZE);
	e.kind = VMT_BPF_KIND_UNKNOWN;
	take(&s, e);
	e.end_ns = 10;
	e.address += (uint64_t)sysconf(_SC_PAGESIZE);
	e.kind = VMT_BPF_KIND_FILE_MINOR;
	take(&s, e);
	end(&s);
	assert_int_equal(s.sample.n_singles, 8);
	assert_int_equal(s.sample.singles[5].kind, VMT_KIND_UNKNOWN);
	assert_int_equal(s.sample.singles[6].kind, VMT_KIND_FILE_MAJOR);
	assert_int_equal(s.sample.singles[6].faults, 3);
	assert_int_equal(s.sample.singles[7].kind, VMT_KIND_FILE_MINOR);
	done(&s);
}

static void the_rate_is_kept_and_the_rest_counted(void **state)
{
	struct setup s;
	uint64_t i;

	(void)state;
	begin(&s, 1, 10);
	for (i = 0; i < 25; i++)
		take(&s, fault(5 * SECOND + i, 2 * i));
	for (i = 0; i < 4; i++)
		take(&s, fault(6 * SECOND + i, 2 * i));
	end(&s);
	assert_int_equal(s.sample.n_singles, 14);
	assert_int_equal(s.sample.totals.singles, 29);
	assert_int_equal(s.sample.totals.singles_limited, 15);
	done(&s);
	/* A run that goes on is no new row. */
	begin(&s, 0, 1);
	for (i = 0; i < 1000; i++)
		take(&s, fault(5 * SECOND + i, i));
	take(&s, fault(5 * SECOND + i, 5000));
	end(&s);
	assert_int_equal(s.sample.n_singles, 1);
	assert_int_equal(s.sample.singles[0].faults, 1000);
	assert_int_equal(s.sample.totals.singles_limited, 1);
	done(&s);
}

static void nothing_is_nothing(void **state)
{
	struct setup s;

	(void)state;
	begin(&s, 1, 10);
	end(&s);
	assert_int_equal(s.sample.n_singles, 0);
	done(&s);
}

/* What is handed out while it runs, at now. */
static void live(struct setup *s, uint64_t now_ns, bool last)
{
	s->sample = (struct vmt_fault_sample){ 0 };
	assert_int_equal(vmt_probe_singles_live(s->singles, now_ns, last, &s->arena, &s->sample),
			 0);
}

static void a_run_is_handed_out_when_it_is_over(void **state)
{
	struct setup s;

	(void)state;
	begin(&s, 0, 0);
	take(&s, fault(1, 1));
	take(&s, fault(2, 2));
	live(&s, 10, false);
	assert_int_equal(s.sample.n_singles, 0);
	/* It goes on where it was kept. */
	take(&s, fault(20, 3));
	live(&s, 30, false);
	assert_int_equal(s.sample.n_singles, 0);
	/* Another one takes its place. */
	take(&s, fault(40, 9));
	live(&s, 50, false);
	assert_int_equal(s.sample.n_singles, 1);
	assert_int_equal(s.sample.singles[0].faults, 3);
	assert_int_equal(s.sample.singles[0].end_ns, 20);
	assert_int_equal(s.sample.totals.singles, 4);
	/* Nothing came for a while. */
	live(&s, SECOND, false);
	assert_int_equal(s.sample.n_singles, 1);
	assert_int_equal(s.sample.singles[0].address, fault(0, 9).address);
	live(&s, SECOND, true);
	assert_int_equal(s.sample.n_singles, 0);
	/* What was handed out is over. */
	take(&s, fault(SECOND + 1, 10));
	live(&s, SECOND + 2, true);
	assert_int_equal(s.sample.n_singles, 1);
	assert_int_equal(s.sample.singles[0].faults, 1);
	done(&s);
}

static void a_run_without_an_end_is_handed_out_in_parts(void **state)
{
	uint64_t i, all = 0;
	struct setup s;
	size_t parts = 0;

	(void)state;
	begin(&s, 0, 0);
	for (i = 0; i < 300; i++) {
		take(&s, fault(i * SECOND / 100 + 1, i));
		live(&s, i * SECOND / 100 + 2, false);
		parts += s.sample.n_singles;
		all += s.sample.n_singles ? s.sample.singles[0].faults : 0;
	}
	live(&s, 3 * SECOND, true);
	assert_int_equal(parts, 2);
	assert_int_equal(all + s.sample.singles[0].faults, 300);
	done(&s);
}

static void no_memory_is_said_live(void **state)
{
	struct setup s;

	(void)state;
	begin(&s, 0, 0);
	take(&s, fault(1, 1));
	unit_alloc_fail(1);
	assert_int_equal(vmt_probe_singles_live(s.singles, 2, true, &s.arena, &s.sample), -ENOMEM);
	assert_true(unit_alloc_pass());
	done(&s);
}

static void no_memory_is_said(void **state)
{
	struct vmt_fault_event e = fault(1, 1);
	struct setup s;

	(void)state;
	begin(&s, 1, 0);
	unit_alloc_fail(1);
	assert_int_equal(vmt_probe_singles_take(s.singles, &e), -ENOMEM);
	assert_true(unit_alloc_pass());
	done(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_kept_in_the_order_of_its_end),
		cmocka_unit_test(adjacent_ones_are_a_run),
		cmocka_unit_test(what_differs_ends_a_run),
		cmocka_unit_test(the_rate_is_kept_and_the_rest_counted),
		cmocka_unit_test(nothing_is_nothing),
		cmocka_unit_test(a_run_is_handed_out_when_it_is_over),
		cmocka_unit_test(a_run_without_an_end_is_handed_out_in_parts),
		cmocka_unit_test(no_memory_is_said_live),
		cmocka_unit_test(no_memory_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
