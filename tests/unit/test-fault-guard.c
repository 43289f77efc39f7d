/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "bpf/fault-guard.h"

#define HZ     250u
#define PERIOD (HZ / 10)

/* 100 faults in a period. */
static const struct vmt_guard_limits limits = { .period = PERIOD, .most = 100, .calm = HZ };

/* n faults in one tick; how many of them found it tripped. */
static unsigned storm(struct vmt_slot_guard *g, const struct vmt_guard_limits *l, uint64_t tick,
		      unsigned n)
{
	unsigned tripped = 0;

	while (n--)
		tripped += vmt_guard_count(g, l, tick, 1) != 0;
	return tripped;
}

static void f07_trips_above_its_limit(void **state)
{
	struct vmt_slot_guard g = { 0 };
	uint64_t tick = 1000000;

	(void)state;
	/* At the limit, for a minute: a period begins anew with the first fault behind its end. */
	for (unsigned i = 0; i < 600; i++, tick += PERIOD)
		assert_int_equal(storm(&g, &limits, tick, 100), 0);
	assert_int_equal(g.trips, 0);
	/* One more, and from there on. */
	assert_int_equal(storm(&g, &limits, tick, 101), 1);
	assert_int_equal(g.trips, 1);
	assert_int_equal(storm(&g, &limits, tick + PERIOD - 1, 5), 5);
	assert_int_equal(g.trips, 1);
}

/* What comes in one period and the next, and is too much only for one, does not trip it. */
static void f07_does_not_trip_on_half(void **state)
{
	struct vmt_slot_guard g = { 0 };
	uint64_t tick = 77;

	(void)state;
	for (unsigned i = 0; i < 10 * HZ; i++)
		assert_int_equal(storm(&g, &limits, tick + i, 2), 0);
	assert_int_equal(g.trips, 0);
}

static void f07_hysteresis(void **state)
{
	struct vmt_slot_guard g = { 0 };
	uint64_t tick = 5000;
	unsigned i;

	(void)state;
	assert_int_equal(storm(&g, &limits, tick, 200), 100);
	/* Between half of the limit and all of it nothing changes, however long. */
	for (i = 0; i < 100; i++) {
		tick += PERIOD;
		assert_int_equal(storm(&g, &limits, tick, 60), 60);
	}
	assert_int_equal(g.calms, 0);
	/* Below half of it, but not for a second: again from the begin. */
	for (i = 0; i < 8; i++) {
		tick += PERIOD;
		assert_int_equal(storm(&g, &limits, tick, 49), 49);
	}
	tick += PERIOD;
	assert_int_equal(storm(&g, &limits, tick, 60), 60);
	for (i = 0; i < 10; i++) {
		tick += PERIOD;
		assert_int_equal(storm(&g, &limits, tick, 49), 49);
	}
	assert_int_equal(g.calms, 0);
	/* The second is over. */
	tick += PERIOD;
	assert_int_equal(storm(&g, &limits, tick, 49), 0);
	assert_int_equal(g.calms, 1);
	assert_int_equal(g.trips, 1);
	/* And it trips as it did the first time. */
	tick += PERIOD;
	assert_int_equal(storm(&g, &limits, tick, 101), 1);
	assert_int_equal(g.trips, 2);
}

/* Nobody faults: then nobody tells it that time goes on, but the next one. */
static void f07_goes_back_after_silence(void **state)
{
	struct vmt_slot_guard g = { 0 };

	(void)state;
	assert_int_equal(storm(&g, &limits, 9000, 101), 1);
	assert_int_equal(storm(&g, &limits, 9000 + HZ - 1, 1), 1);
	assert_int_equal(storm(&g, &limits, 9000 + 2 * HZ, 1), 0);
	assert_int_equal(g.calms, 1);
}

static void f07_limit_0_trips_at_once(void **state)
{
	const struct vmt_guard_limits none = { .period = PERIOD, .most = 0, .calm = HZ };
	struct vmt_slot_guard g = { 0 };

	(void)state;
	assert_int_equal(storm(&g, &none, 3, 1), 1);
	/* No rate is less than half of it. */
	for (uint64_t tick = 4; tick < 1000 * HZ; tick += 3 * HZ)
		assert_int_equal(storm(&g, &none, tick, 1), 1);
	assert_int_equal(g.trips, 1);
	assert_int_equal(g.calms, 0);
}

/* Of each VMT_GUARD_EVERY one is chosen, and all of their places are in turn. */
static void f07_chooses_one_of_each(void **state)
{
	enum { GROUPS = 8000 };
	unsigned places[VMT_GUARD_EVERY] = { 0 };
	struct vmt_slot_guard g = { 0 };

	(void)state;
	for (unsigned group = 0; group < GROUPS; group++) {
		unsigned n = 0;

		for (unsigned place = 0; place < VMT_GUARD_EVERY; place++)
			if (vmt_guard_chooses(&g)) {
				n++;
				places[place]++;
			}
		assert_int_equal(n, 1);
	}
	for (unsigned place = 0; place < VMT_GUARD_EVERY; place++)
		assert_in_range(places[place], GROUPS / VMT_GUARD_EVERY * 9 / 10,
				GROUPS / VMT_GUARD_EVERY * 11 / 10);
}

/* Nor do two groups in a row follow a rhythm: of those that are 16 faults apart, as of windows of
 * 16 pages, each of the 16 places is chosen as often as the others. */
static void f07_follows_no_rhythm(void **state)
{
	enum { WINDOWS = 8000, WINDOW = 16 };
	unsigned places[WINDOW] = { 0 };
	struct vmt_slot_guard g = { 0 };

	(void)state;
	for (unsigned i = 0; i < WINDOWS * WINDOW; i++)
		places[i % WINDOW] += vmt_guard_chooses(&g) != 0;
	for (unsigned place = 0; place < WINDOW; place++)
		assert_in_range(places[place], WINDOWS / VMT_GUARD_EVERY * 85 / 100,
				WINDOWS / VMT_GUARD_EVERY * 115 / 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(f07_trips_above_its_limit),
		cmocka_unit_test(f07_does_not_trip_on_half),
		cmocka_unit_test(f07_hysteresis),
		cmocka_unit_test(f07_goes_back_after_silence),
		cmocka_unit_test(f07_limit_0_trips_at_once),
		cmocka_unit_test(f07_chooses_one_of_each),
		cmocka_unit_test(f07_follows_no_rhythm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
