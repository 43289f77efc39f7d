/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <time.h>
#include <unistd.h>

#include "cmd/top-symbol.h"
#include "model/fault-raw.h"
#include "saved.h"

#define S UINT64_C(1000000000)
/* Since it booted the saved machine ran for ten seconds and slept for two. Process 42 began three
 * seconds after it booted, which is one second of those that it ran, if it slept before. */
#define BEGAN_42 S
#define NOW	 (10 * S)
#define IP	 UINT64_C(0x7f0000001010)

static void machine(struct unit_dir *d)
{
	save(d);
	unit_dir_write(d, "vmtop-fixture",
		       "page_size 4096\nuser_hz 100\nrelease 6.1.0-13-amd64\nmachine x86_64\n"
		       "realtime_ns 1700000000000000000\nmonotonic_ns 10000000000\n"
		       "boottime_ns 12000000000\ncpus 2\neuid 0\n");
	unit_dir_write(d, "proc/42/maps", "7f0000001000-7f0000002000 r-xp 00000000 00:00 0 \n");
	unit_dir_write(d, "inside/tmp/perf-42.map", "7f0000001000 100 made\n");
	assert_int_equal(symlinkat("../../inside", d->fd, "proc/42/root"), 0);
}

/* The name that a fault has, of what was looked up; "" for none. */
static const char *named(const struct vmt_top_symbols *t, uint64_t pid, uint64_t ip,
			 uint64_t time_ns)
{
	static char text[64];
	struct vmt_fault_sample f = { .start_ns = S / 2 };
	struct vmt_sample *s = vmt_sample_new();
	struct vmt_single one = { 0 };
	struct vmt_model m = { .sample = s, .singles = &one, .n_singles = 1 };

	assert_non_null(s);
	s->faults = &f;
	VMT_SET(single, pid, &one, pid);
	VMT_SET(single, ip, &one, ip);
	VMT_SET(single, after_ns, &one, time_ns - f.start_ns);
	vmt_arena_init(&m.arena);
	assert_int_equal(vmt_top_symbols_put(t, &m), 0);
	snprintf(text, sizeof(text), "%.*s", (int)one.symbol.len,
		 VMT_HAS(single, symbol, &one) ? one.symbol.ptr : "");
	vmt_arena_done(&m.arena);
	s->faults = NULL;
	vmt_sample_free(s);
	return text;
}

/* Looks a fault up that there is a name for: also where the readers are late, for whom nobody waits
 * longer than the user would. */
static void look_until_named(struct vmt_top_symbols *t, struct vmt_collector *c,
			     const struct vmt_ui_code *code)
{
	uint64_t until = vmt_now_ns(CLOCK_MONOTONIC) + 120 * S;

	do {
		vmt_top_symbols_done(t);
		assert_int_equal(vmt_top_symbols_look(t, c, code), 1);
	} while (!*named(t, code->pid, code->ip, code->time_ns) &&
		 vmt_now_ns(CLOCK_MONOTONIC) < until);
}

static void test_its_process(void **state)
{
	const struct vmt_ui_code code = { .pid = 42, .ip = IP, .time_ns = BEGAN_42 };
	struct vmt_top_symbols t = { .next = 0 };
	struct vmt_collector *c;
	struct unit_dir d;

	(void)state;
	machine(&d);
	c = collector(d.path);
	look_until_named(&t, c, &code);
	assert_string_equal(named(&t, 42, IP, BEGAN_42), "made_[j]");
	assert_int_equal(vmt_top_symbols_look(&t, c, &code), 0);
	/* Its other faults there, as long as it is known to have lived. */
	assert_string_equal(named(&t, 42, IP, NOW), "made_[j]");
	assert_string_equal(named(&t, 42, IP, NOW + 1), "");
	assert_string_equal(named(&t, 42, IP, BEGAN_42 - 1), "");
	assert_string_equal(named(&t, 42, IP + 1, NOW), "");
	assert_string_equal(named(&t, 43, IP, NOW), "");
	vmt_top_symbols_done(&t);
	vmt_collector_free(c);
	unit_dir_remove(&d);
}

/* The number was another process's when the fault was. */
static void test_number_used_again(void **state)
{
	const struct vmt_ui_code before = { .pid = 42, .ip = IP, .time_ns = BEGAN_42 - 1 };
	const struct vmt_ui_code since = { .pid = 42, .ip = IP, .time_ns = BEGAN_42 };
	struct vmt_top_symbols t = { .next = 0 };
	struct vmt_collector *c;
	struct unit_dir d;

	(void)state;
	machine(&d);
	c = collector(d.path);
	/* It is there and could be named. */
	look_until_named(&t, c, &since);
	assert_int_equal(vmt_top_symbols_look(&t, c, &before), 1);
	assert_string_equal(named(&t, 42, IP, BEGAN_42 - 1), "");
	/* Each of the two is known by itself. */
	assert_int_equal(vmt_top_symbols_look(&t, c, &before), 0);
	assert_int_equal(vmt_top_symbols_look(&t, c, &since), 0);
	assert_string_equal(named(&t, 42, IP, BEGAN_42), "made_[j]");
	vmt_top_symbols_done(&t);
	vmt_collector_free(c);
	unit_dir_remove(&d);
}

static void test_ended(void **state)
{
	const struct vmt_ui_code code = { .pid = 70, .ip = IP, .time_ns = 2 * S };
	struct vmt_top_symbols t = { .next = 0 };
	struct vmt_collector *c;
	struct unit_dir d;

	(void)state;
	machine(&d);
	c = collector(d.path);
	assert_int_equal(vmt_top_symbols_look(&t, c, &code), 1);
	assert_int_equal(vmt_top_symbols_look(&t, c, &code), 0);
	assert_string_equal(named(&t, 70, IP, 2 * S), "");
	vmt_top_symbols_done(&t);
	vmt_collector_free(c);
	unit_dir_remove(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_its_process),
		cmocka_unit_test(test_number_used_again),
		cmocka_unit_test(test_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
