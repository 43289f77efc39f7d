/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Places of calls, by stack and not, what no stack has, and what is left of what was mapped: all of
 * it, or none, whichever allocation fails.
 */
#include "unit.h"

#include <errno.h>

#include "model/events.h"
#include "model/fault-raw.h"
#include "rows.h"

struct setup {
	struct vmt_fault_frame frames[3];
	uint32_t of_first[2], of_second[1];
	struct vmt_fault_stack stacks[3];
	struct vmt_fault_sample faults;
	struct vmt_event_process processes[2];
	struct vmt_event_place places[3];
	struct vmt_event_claim claims[3];
	struct vmt_event_sample s;
	bool by_stack;
	struct vmt_buf whole;
	bool differs;
};

/* Two calls of one place by two ways, one of a process without frames, and three that no stack
 * has; of the ranges one is gone. */
static void fill(struct setup *t)
{
	*t = (struct setup){ .of_first = { 0, 1 }, .of_second = { 0 } };
	t->frames[0] = (struct vmt_fault_frame){ .address = 0x1000,
						 .module = VMT_BYTES("/bin/x"),
						 .symbol = VMT_BYTES("work"),
						 .has_offset = true,
						 .offset = 0x10 };
	t->frames[1] = (struct vmt_fault_frame){ .address = 0x2000,
						 .module = VMT_BYTES("/bin/x"),
						 .symbol = VMT_BYTES("main") };
	t->stacks[0] = (struct vmt_fault_stack){
		.pid = 7, .comm = VMT_BYTES("x"), .frames = t->of_first, .n_user = 2
	};
	t->stacks[1] = (struct vmt_fault_stack){
		.pid = 7, .comm = VMT_BYTES("x"), .frames = t->of_second, .n_user = 1
	};
	t->stacks[2] =
		(struct vmt_fault_stack){ .pid = 8, .comm = VMT_BYTES("y"), .lost = -EFAULT };
	t->faults = (struct vmt_fault_sample){ .frames = t->frames, .stacks = t->stacks };
	for (size_t i = 0; i < 3; i++) {
		t->places[i] = (struct vmt_event_place){ .call = VMT_CALL_MMAP,
							 .count = { .events = i + 1, .bytes = 100 },
							 .stack = i,
							 .mapped = 100 };
		t->claims[i] = (struct vmt_event_claim){ .pid = 7,
							 .place = i,
							 .ns = 10 * i,
							 .low = 0x1000 * (i + 1),
							 .high = 0x1000 * (i + 2),
							 .kind = VMT_BYTES("anon"),
							 .touch = { .is_mapped_known = true,
								    .reserved = 50 * i,
								    .touched = 30,
								    .resident = 20 } };
	}
	t->claims[1].touch.is_touched_known = true;
	t->processes[0] = (struct vmt_event_process){ .pid = 7, .comm = "x" };
	t->processes[1] = (struct vmt_event_process){ .pid = 8, .comm = "y" };
	t->processes[0].counts[VMT_CALL_MMAP].events = 6;
	t->processes[1].counts[VMT_CALL_MMAP].events = 2;
	t->s = (struct vmt_event_sample){ .stop_ns = 15,
					  .processes = t->processes,
					  .n_processes = 2,
					  .stacks = &t->faults,
					  .places = t->places,
					  .n_places = 3,
					  .claims = t->claims,
					  .n_claims = 3 };
}

static int told(const struct setup *t, struct vmt_buf *out)
{
	struct vmt_event_site *rows;
	struct vmt_event_made *made;
	struct vmt_arena arena;
	size_t n;
	int r;

	vmt_arena_init(&arena);
	r = vmt_event_site_rows(&t->s, t->by_stack, &arena, &rows, &n);
	if (r == 0) {
		unit_rows_tell(out, &vmt_entity_event_site, rows, n);
		r = vmt_event_made_rows(&t->s, &arena, &made, &n);
	}
	if (r == 0)
		unit_rows_tell(out, &vmt_entity_event_made, made, n);
	vmt_arena_done(&arena);
	return r ? r : vmt_buf_error(out);
}

static int once(void *arg)
{
	struct setup *t = arg;
	VMT_AUTO_BUF out = { 0 };
	int r = told(t, &out);

	t->differs |= r == 0 &&
		      (out.len != t->whole.len || memcmp(out.data, t->whole.data, out.len) != 0);
	return r;
}

static bool says(const struct setup *t, const char *line)
{
	return memmem(t->whole.data, t->whole.len, line, strlen(line)) != NULL;
}

static void whole(struct setup *t, bool by_stack)
{
	t->by_stack = by_stack;
	vmt_buf_clear(&t->whole);
	assert_int_equal(told(t, &t->whole), 0);
	assert_true(unit_piece_sweep(once, t) > 5);
	assert_false(t->differs);
}

static void all_or_nothing(void **state)
{
	struct setup t;

	fill(&t);
	whole(&t, false);
	/* One row of the two ways. */
	assert_true(says(&t, "event_site 0 events_total 3\n"));
	assert_true(says(&t, "event_site 0 stacks 2\n"));
	assert_false(says(&t, "event_site 0 stack "));
	assert_true(says(&t, "event_site 1 events_total 3\n"));
	assert_false(says(&t, "event_site 1 site "));
	assert_false(says(&t, "event_site 2 "));
	whole(&t, true);
	assert_true(says(&t, "event_site 1 events_total 2\n"));
	assert_true(says(&t, "event_site 2 events_total 3\n"));
	/* 6 were counted of it, and stacks have 3. Of the other one more was seen than counted. */
	assert_true(says(&t, "event_site 3 events_total 3\n"));
	assert_true(says(&t, "event_site 3 stack [no stack]\n"));
	assert_false(says(&t, "event_site 4 "));
	/* The largest first; what is gone is none. */
	assert_true(says(&t, "event_made 0 reserved_bytes 100\n"));
	assert_true(says(&t, "event_made 1 reserved_bytes 50\n"));
	assert_false(says(&t, "event_made 2 "));
	/* It was made behind the end; and of its pages nothing is known. */
	assert_false(says(&t, "event_made 0 age_ns "));
	assert_false(says(&t, "event_made 0 touched_bytes "));
	assert_false(says(&t, "event_made 0 ip "));
	assert_true(says(&t, "event_made 1 age_ns 5\n"));
	assert_true(says(&t, "event_made 1 touched_bytes 30\n"));
	vmt_buf_done(&t.whole);
}

static void nothing(void **state)
{
	struct vmt_event_site *rows;
	struct vmt_event_made *made;
	struct vmt_arena arena;
	struct setup t;
	size_t n = 7;

	fill(&t);
	t.s.n_places = t.s.n_claims = t.s.n_processes = 0;
	vmt_arena_init(&arena);
	assert_int_equal(vmt_event_site_rows(&t.s, true, &arena, &rows, &n), 0);
	assert_int_equal(n, 0);
	n = 7;
	assert_int_equal(vmt_event_made_rows(&t.s, &arena, &made, &n), 0);
	assert_int_equal(n, 0);
	/* Of stacks of which no process was counted there is no rest. */
	t.s.n_places = 3;
	assert_int_equal(vmt_event_site_rows(&t.s, true, &arena, &rows, &n), 0);
	assert_int_equal(n, 3);
	vmt_arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_or_nothing),
		cmocka_unit_test(nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
