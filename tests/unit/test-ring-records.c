/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records of the rings of programs, as they should be, and not so. */
#include "unit.h"

#include <errno.h>

#include "bpf/crash.h"
#include "model/crash.h"
#include "model/pressure.h"
#include "source/probe-events-internal.h"
#include "source/probe-oom-record.h"

struct setup {
	struct vmt_arena arena;
	struct vmt_slot_name name;
	struct vmt_probe_array names;
	size_t given;
	int result;
	struct vmt_event_raw event;
	struct vmt_oom_raw victim;
};

static void begin(struct setup *s)
{
	*s = (struct setup){ .name = { .ready = 1, .len = 8, .components = 2 } };
	memcpy(s->name.bytes, "cat\0bin", 8);
	s->names = (struct vmt_probe_array){ .base = (const unsigned char *)&s->name,
					     .stride = sizeof(s->name),
					     .len = 1 };
	vmt_arena_init(&s->arena);
}

static int on_event(void *arg, const struct vmt_event_raw *e)
{
	struct setup *s = arg;

	s->given++;
	s->event = *e;
	return s->result;
}

static int on_victim(void *arg, const struct vmt_oom_raw *raw)
{
	struct setup *s = arg;

	s->given++;
	s->victim = *raw;
	return s->result;
}

static struct vmt_events events_of(struct setup *s)
{
	return (struct vmt_events){ .names = s->names,
				    .frames_most = VMT_STACK_USER,
				    .arena = &s->arena,
				    .fn = on_event,
				    .arg = s,
				    .left = 100 };
}

/* One of each kind, in memory that ends where it ends, one byte short of that, and one too long. */
static void an_event_has_the_length_of_its_kind(void **state)
{
	static const struct {
		enum vmt_bpf_call call;
		uint8_t flags;
		size_t size;
	} kinds[] = { { VMT_BPF_CALL_MMAP, VMT_EVENT_FILE, sizeof(struct vmt_event_record) },
		      { VMT_BPF_CALL_MMAP, VMT_EVENT_STACK, sizeof(struct vmt_event_stacked) },
		      { VMT_BPF_CALL_CRASH, 0, sizeof(struct vmt_crash_record) },
		      { VMT_BPF_CALL_STALL, 0, sizeof(struct vmt_stall_record) },
		      /* No program writes these. */
		      { VMT_BPF_CALL_NONE, 0, 0 },
		      { VMT_BPF_CALL_COUNT, 0, 0 } };
	struct setup s;
	struct vmt_events x;

	(void)state;
	begin(&s);
	x = events_of(&s);
	for (size_t i = 0; i < VMT_ARRAY_LEN(kinds); i++) {
		const struct vmt_event_record e = { .call = (uint8_t)kinds[i].call,
						    .flags = kinds[i].flags,
						    .name = 1,
						    .tgid = 40 };

		for (int more = -1; more <= 1; more++) {
			size_t size = (kinds[i].size ? kinds[i].size : sizeof(e)) + (size_t)more;
			size_t given = s.given, broken = x.broken;
			bool good = kinds[i].size && more == 0;
			unsigned char *record = calloc(1, size);

			assert_non_null(record);
			memcpy(record, &e, size < sizeof(e) ? size : sizeof(e));
			assert_int_equal(vmt_events_on_record(&x, record, size), 0);
			free(record);
			assert_int_equal(s.given - given, good);
			assert_int_equal(x.broken - broken, !good);
			if (!good)
				continue;
			assert_int_equal((int)s.event.call, (int)kinds[i].call);
			assert_int_equal(s.event.pid, 40);
			assert_true(vmt_bytes_is(s.event.path, "/bin/cat"));
			assert_int_equal(s.event.crash != NULL, i == 2);
			assert_int_equal(s.event.stall != NULL, i == 3);
			assert_int_equal(s.event.stack != NULL, i == 1);
		}
	}
	assert_int_equal(x.listed, s.given);
	vmt_arena_done(&s.arena);
}

static void who_has_enough_is_given_no_more(void **state)
{
	struct vmt_event_record e = { .call = VMT_BPF_CALL_BRK };
	struct setup s;
	struct vmt_events x;

	(void)state;
	begin(&s);
	x = events_of(&s);
	x.left = 2;
	assert_int_equal(vmt_events_on_record(&x, &e, sizeof(e)), 0);
	assert_int_equal(vmt_events_on_record(&x, &e, sizeof(e)), -EAGAIN);
	x.left = 2;
	s.result = -EPIPE;
	assert_int_equal(vmt_events_on_record(&x, &e, sizeof(e)), -EPIPE);
	assert_int_equal(x.taken, 3);
	vmt_arena_done(&s.arena);
}

static void on_check(void *arg, const struct vmt_oom_record *r)
{
	struct setup *s = arg;

	(void)r;
	s->given += 100;
}

static void a_victim_has_its_length(void **state)
{
	struct vmt_oom_record *r = calloc(1, sizeof(*r) + 8);
	struct vmt_oom_taker t;
	struct setup s;

	(void)state;
	begin(&s);
	assert_non_null(r);
	t = (struct vmt_oom_taker){ .names = &s.names,
				    .arena = &s.arena,
				    .fn = on_victim,
				    .arg = &s,
				    .check = on_check,
				    .check_arg = &s };
	/* More of both than there are: of a broken program. */
	r->n_maps = r->n_zones = UINT32_MAX;
	r->maps[0].name = 1;
	r->maps[1].name = 2;
	r->flags = VMT_OOM_CONTROL | VMT_OOM_VICTIM_CGROUP;
	assert_int_equal(vmt_oom_on_record(&t, r, sizeof(*r) - 8), 0);
	assert_int_equal(vmt_oom_on_record(&t, r, sizeof(*r) + 8), 0);
	assert_int_equal(vmt_oom_on_record(&t, r, 0), 0);
	assert_int_equal(s.given, 0);
	assert_int_equal(t.broken, 3);
	assert_int_equal(vmt_oom_on_record(&t, r, sizeof(*r)), 0);
	assert_int_equal(s.given, 1);
	assert_int_equal(s.victim.n_maps, VMT_OOM_MAP_COUNT);
	assert_int_equal(s.victim.n_zones, VMT_OOM_ZONE_COUNT);
	assert_true(vmt_bytes_is(s.victim.maps[0].path, "/bin/cat"));
	assert_int_equal(s.victim.maps[1].path.len, 0);
	assert_true(vmt_bytes_is(s.victim.cgroup, "/"));
	assert_true(s.victim.has & VMT_OOM_HAS_REQUEST);
	assert_int_equal((int)s.victim.constraint, VMT_OOM_MACHINE);
	r->flags |= VMT_OOM_CHECK;
	assert_int_equal(vmt_oom_on_record(&t, r, sizeof(*r)), 0);
	assert_int_equal(s.given, 101);
	assert_int_equal(t.taken, 1);
	free(r);
	vmt_arena_done(&s.arena);
}

/* Of what was asked for nothing is known then, not even that it was little. */
static void no_block_has_any_order(void **state)
{
	static const int32_t orders[] = { -1, 0, 31, 32, 64, INT32_MAX, -2, INT32_MIN };
	struct vmt_oom_record *r = calloc(1, sizeof(*r));
	struct vmt_oom_taker t;
	struct setup s;

	(void)state;
	begin(&s);
	assert_non_null(r);
	t = (struct vmt_oom_taker){
		.names = &s.names, .arena = &s.arena, .fn = on_victim, .arg = &s
	};
	r->flags = VMT_OOM_CONTROL;
	for (size_t i = 0; i < VMT_ARRAY_LEN(orders); i++) {
		r->order = orders[i];
		assert_int_equal(vmt_oom_on_record(&t, r, sizeof(*r)), 0);
		assert_int_equal((s.victim.has & VMT_OOM_HAS_REQUEST) != 0, i < 3);
		assert_int_equal((int)s.victim.constraint,
				 i < 3 ? VMT_OOM_MACHINE : VMT_OOM_UNKNOWN);
	}
	free(r);
	vmt_arena_done(&s.arena);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_has_the_length_of_its_kind),
		cmocka_unit_test(who_has_enough_is_given_no_more),
		cmocka_unit_test(a_victim_has_its_length),
		cmocka_unit_test(no_block_has_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
