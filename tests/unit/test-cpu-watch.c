/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "source/cpu-watch.h"

/* With what follows the first word of a message. */
#define MESSAGE(text) text "\0ACTION=x\0SEQNUM=7", sizeof(text "\0ACTION=x\0SEQNUM=7")

static void messages_of_cpus(void **state)
{
	unsigned cpu = 99;
	bool online = false;

	(void)state;
	assert_true(vmt_cpu_of_uevent(MESSAGE("online@/devices/system/cpu/cpu1"), &cpu, &online));
	assert_int_equal(cpu, 1);
	assert_true(online);
	assert_true(
		vmt_cpu_of_uevent(MESSAGE("offline@/devices/system/cpu/cpu127"), &cpu, &online));
	assert_int_equal(cpu, 127);
	assert_false(online);
}

static void other_messages(void **state)
{
	unsigned cpu = 99;
	bool online = true;

	(void)state;
	assert_false(vmt_cpu_of_uevent(MESSAGE("add@/devices/system/cpu/cpu1"), &cpu, &online));
	assert_false(
		vmt_cpu_of_uevent(MESSAGE("online@/devices/system/memory/memory3"), &cpu, &online));
	assert_false(vmt_cpu_of_uevent(MESSAGE("online@/devices/system/cpu/cpu"), &cpu, &online));
	assert_false(
		vmt_cpu_of_uevent(MESSAGE("online@/devices/system/cpu/cpu1/cache"), &cpu, &online));
	assert_false(vmt_cpu_of_uevent(
		MESSAGE("online@/devices/system/cpu/cpu99999999999999999999"), &cpu, &online));
	assert_false(vmt_cpu_of_uevent(MESSAGE("libudev"), &cpu, &online));
	assert_false(vmt_cpu_of_uevent("", 0, &cpu, &online));
	/* What has no end is not read beyond it. */
	assert_false(vmt_cpu_of_uevent("online@/devices/system/cpu/cpu1", 12, &cpu, &online));
	assert_int_equal(cpu, 99);
	assert_true(online);
}

static void is_called(void *arg, unsigned cpu, bool online)
{
	(void)cpu;
	(void)online;
	*(bool *)arg = true;
}

static void a_watch_begins_and_ends(void **state)
{
	struct vmt_cpu_watch *w;
	bool called = false;

	(void)state;
	assert_int_equal(vmt_cpu_watch_new(&w), 0);
	assert_int_equal(vmt_cpu_watch_start(w, is_called, &called), 0);
	assert_int_equal(vmt_cpu_watch_stop(w), 0);
	assert_int_equal(vmt_cpu_watch_stop(w), 0);
	vmt_cpu_watch_free(w);
	assert_int_equal(vmt_cpu_watch_new(&w), 0);
	vmt_cpu_watch_free(w);
	vmt_cpu_watch_free(NULL);
	assert_false(called);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_of_cpus),
		cmocka_unit_test(other_messages),
		cmocka_unit_test(a_watch_begins_and_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
