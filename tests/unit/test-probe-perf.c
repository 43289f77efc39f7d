/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "toucher.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>

#include "source/probe-perf.h"
#include "source/probe.h"

/* Whether the rung works for this process at all; says why not. */
static bool begin_with(const struct vmt_probe_opts *opts, struct vmt_probe **ret)
{
	struct vmt_err err = { 0 };
	int r;

	assert_int_equal(vmt_probe_open(opts, ret, NULL), 0);
	r = vmt_probe_start(*ret, &err);
	if (r == -EACCES || r == -EPERM || r == -ENOSYS || r == -EOPNOTSUPP) {
		printf("# skipped: %s\n", err.text);
		return false;
	}
	if (r)
		fail_msg("%s", err.text);
	return true;
}

static bool begin(const pid_t *pids, size_t n, bool follow, struct vmt_probe **ret)
{
	return begin_with(
		&(struct vmt_probe_opts){
			.rung = VMT_RUNG_PERF, .pids = pids, .n_pids = n, .follow = follow },
		ret);
}

static struct vmt_fault_proc account(const struct vmt_fault_sample *s, pid_t pid)
{
	for (size_t i = 0; i < s->n_procs; i++)
		if (s->procs[i].pid == (uint64_t)pid)
			return s->procs[i];
	fail_msg("no account of %d", (int)pid);
	return (struct vmt_fault_proc){ 0 };
}

/* Faults in mappings that lie where the child touched, and their class. */
static uint64_t faults_in(const struct vmt_fault_sample *s, pid_t pid,
			  const struct toucher_said *said, enum vmt_fault_class class)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s->n_maps; i++) {
		const struct vmt_fault_raw *m = &s->maps[i];

		if (m->pid == (uint64_t)pid && m->start < said->end && m->end > said->start &&
		    m->class == class)
			n += m->minor + m->major;
	}
	return n;
}

static void check_sums(const struct vmt_fault_sample *s)
{
	uint64_t in_maps = 0, mapped = 0;

	for (size_t i = 0; i < s->n_maps; i++)
		in_maps += s->maps[i].minor + s->maps[i].major;
	for (size_t i = 0; i < s->n_procs; i++) {
		const struct vmt_fault_proc *a = &s->procs[i];
		uint64_t gup = s->have & VMT_HAVE_GUP ? a->gup : 0;

		assert_int_equal(a->kernel_minor + a->kernel_major,
				 a->mapped + gup + a->unattributed + a->dropped);
		/* A difference that went below nothing. */
		assert_true(a->unattributed <= a->kernel_minor + a->kernel_major);
		mapped += a->mapped;
	}
	assert_int_equal(in_maps, mapped);
	assert_int_equal(s->totals.mapped, mapped);
	assert_true(s->have & VMT_HAVE_MAPS);
	assert_true(s->have & VMT_HAVE_RECORD);
	assert_false(s->have & (VMT_HAVE_ACCESS | VMT_HAVE_LATENCY));
}

static void test_to_the_unit(void **state)
{
	struct vmt_fault_sample s = { 0 };
	struct toucher_said before, anon, file, after;
	struct vmt_fault_proc a;
	struct vmt_arena arena;
	struct toucher t;
	VMT_AUTO_PROBE p = NULL;

	toucher_begin(&t);
	before = toucher_tell(&t, 0, TOUCHER_USER);
	if (!begin(&t.pid, 1, false, &p)) {
		toucher_end(&t);
		skip();
	}
	vmt_arena_init(&arena);
	anon = toucher_tell(&t, 3000, TOUCHER_USER);
	file = toucher_tell(&t, 1000, TOUCHER_FILE);
	after = toucher_tell(&t, 300, TOUCHER_KERNEL);
	assert_int_equal(vmt_probe_stop(p, NULL), 0);
	/* What comes behind the end is not in it. */
	toucher_tell(&t, 500, TOUCHER_USER);
	assert_int_equal(vmt_probe_read(p, &arena, &s, NULL), 0);

	assert_int_equal(s.rung, VMT_RUNG_PERF);
	assert_true(s.complete);
	assert_int_equal(s.totals.lost, 0);
	assert_int_equal(s.n_procs, 1);
	check_sums(&s);
	a = account(&s, t.pid);
	assert_int_equal(a.kernel_minor, after.minor - before.minor);
	assert_int_equal(a.kernel_major, after.major - before.major);
	/* Both mappings are gone by now; the places may be the same. */
	assert_true(faults_in(&s, t.pid, &anon, VMT_FAULT_ANON) >= 3000);
	assert_true(faults_in(&s, t.pid, &file, VMT_FAULT_SHMEM) >= 1000);
	assert_true(a.mapped >= 4000);
	if (s.have & VMT_HAVE_MODE)
		assert_true(a.record_minor + a.record_major >= 4300);
	else
		assert_true(a.unattributed >= 300);
	toucher_end(&t);
	vmt_arena_done(&arena);
}

/* Other processes are in nobody's figures; a child only where it is followed. */
static void test_children(void **state)
{
	for (int follow = 0; follow < 2; follow++) {
		struct vmt_fault_sample s = { 0 };
		struct toucher_said before, after;
		struct vmt_fault_proc a;
		struct vmt_arena arena;
		struct toucher t;
		VMT_AUTO_PROBE p = NULL;
		uint64_t children = 0;

		toucher_begin(&t);
		toucher_tell(&t, 4, TOUCHER_FORK);
		before = toucher_tell(&t, 0, TOUCHER_USER);
		if (!begin(&t.pid, 1, follow, &p)) {
			toucher_end(&t);
			skip();
		}
		vmt_arena_init(&arena);
		toucher_tell(&t, 700, TOUCHER_FORK);
		/* A fork leaves pages to be copied even behind getrusage(). */
		toucher_tell(&t, 0, TOUCHER_USER);
		after = toucher_tell(&t, 0, TOUCHER_USER);
		assert_int_equal(vmt_probe_stop(p, NULL), 0);
		assert_int_equal(vmt_probe_read(p, &arena, &s, NULL), 0);
		check_sums(&s);
		a = account(&s, t.pid);
		assert_int_equal(a.kernel_minor, after.minor - before.minor);
		for (size_t i = 0; i < s.n_procs; i++)
			if (s.procs[i].pid != (uint64_t)t.pid)
				children += s.procs[i].mapped;
		if (follow)
			assert_true(children >= 700);
		else
			assert_int_equal(children, 0);
		toucher_end(&t);
		vmt_arena_done(&arena);
	}
}

/* What children fault in takes no row of the table where they are not followed. */
static void test_children_take_no_rows(void **state)
{
	struct vmt_fault_sample before = { 0 }, after = { 0 };
	struct vmt_arena arena;
	VMT_AUTO_PROBE p = NULL;
	struct toucher t;

	toucher_begin(&t);
	toucher_tell(&t, 4, TOUCHER_FORK);
	if (!begin(&t.pid, 1, false, &p)) {
		toucher_end(&t);
		skip();
	}
	vmt_arena_init(&arena);
	/* The parent's own rows: all that a fork writes to. */
	toucher_tell(&t, 4, TOUCHER_FORK);
	assert_int_equal(vmt_probe_read(p, &arena, &before, NULL), 0);
	for (int i = 0; i < 40; i++)
		toucher_tell(&t, 50, TOUCHER_FORK);
	assert_int_equal(vmt_probe_read(p, &arena, &after, NULL), 0);
	assert_true(before.totals.slots_used > 0);
	assert_true(after.totals.slots_used < before.totals.slots_used + 40);
	assert_int_equal(after.totals.dropped, 0);
	toucher_end(&t);
	vmt_arena_done(&arena);
}

/* Sums alone: no rows, the kernel's own figures, and what ended stays in them. */
static void test_sums(void **state)
{
	struct vmt_fault_sample s = { 0 }, later = { 0 };
	struct toucher_said before, after;
	struct vmt_arena arena;
	VMT_AUTO_PROBE p = NULL;
	struct toucher t;
	uint64_t record;

	toucher_begin(&t);
	before = toucher_tell(&t, 0, TOUCHER_USER);
	if (!begin_with(&(struct vmt_probe_opts){ .rung = VMT_RUNG_PERF,
						  .pids = &t.pid,
						  .n_pids = 1,
						  .follow = true,
						  .sums = true },
			&p)) {
		toucher_end(&t);
		skip();
	}
	vmt_arena_init(&arena);
	after = toucher_tell(&t, 3000, TOUCHER_USER);
	assert_int_equal(vmt_probe_read(p, &arena, &s, NULL), 0);
	record = s.totals.record_minor + s.totals.record_major;
	assert_int_equal(s.n_maps, 0);
	assert_int_equal(s.n_procs, 0);
	assert_false(s.have & VMT_HAVE_MAPS);
	assert_true(s.have & VMT_HAVE_RECORD);
	assert_true(s.totals.kernel_minor >= after.minor - before.minor);
	assert_true(record >= 3000);
	assert_int_equal(s.totals.unattributed, s.totals.kernel_minor + s.totals.kernel_major);
	toucher_tell(&t, 700, TOUCHER_FORK);
	/* Twice: the child is forgotten after the first one. */
	for (int i = 0; i < 2; i++) {
		later = (struct vmt_fault_sample){ 0 };
		assert_int_equal(vmt_probe_read(p, &arena, &later, NULL), 0);
		assert_true(later.totals.record_minor + later.totals.record_major >= record + 700);
		assert_true(later.totals.kernel_minor >= s.totals.kernel_minor + 700);
	}
	assert_int_equal(later.totals.record_lost, 0);
	toucher_end(&t);
	vmt_arena_done(&arena);
}

/* What the kernel had counted of a process stays when it ends, with its identity: rates of the next
 * reading are differences. */
static void test_one_that_ends(void **state)
{
	for (int sums = 0; sums < 2; sums++) {
		struct vmt_fault_sample s = { 0 }, later = { 0 };
		struct vmt_fault_proc a, gone;
		struct vmt_arena arena;
		VMT_AUTO_PROBE p = NULL;
		struct toucher t;

		toucher_begin(&t);
		if (!begin_with(&(struct vmt_probe_opts){ .rung = VMT_RUNG_PERF,
							  .pids = &t.pid,
							  .n_pids = 1,
							  .follow = true,
							  .sums = sums },
				&p)) {
			toucher_end(&t);
			skip();
		}
		vmt_arena_init(&arena);
		toucher_tell(&t, 100, TOUCHER_USER);
		toucher_tell(&t, 8, TOUCHER_LOCK);
		assert_int_equal(vmt_probe_read(p, &arena, &s, NULL), 0);
		assert_true(s.totals.kernel_minor >= 108);
		assert_true(s.totals.record_minor < s.totals.kernel_minor);
		toucher_end(&t);
		assert_int_equal(vmt_probe_read(p, &arena, &later, NULL), 0);
		assert_true(later.totals.kernel_minor >= s.totals.kernel_minor);
		if (!sums) {
			check_sums(&later);
			a = account(&s, t.pid);
			gone = account(&later, t.pid);
			assert_true(gone.exited && !a.exited);
			assert_true(a.start_time_ns);
			assert_int_equal(gone.start_time_ns, a.start_time_ns);
			assert_true(gone.kernel_minor >= a.kernel_minor);
			for (size_t i = 0; i < later.n_maps; i++)
				assert_true(later.maps[i].pid != (uint64_t)t.pid ||
					    later.maps[i].start_time_ns == a.start_time_ns);
		}
		vmt_arena_done(&arena);
	}
}

/* More than the rings hold at once: nothing is lost, or it is said how much. */
static void f05_no_silent_loss(void **state)
{
	struct vmt_fault_sample s = { 0 };
	struct toucher_said before, after = { 0 };
	struct vmt_fault_proc a;
	struct vmt_arena arena;
	struct toucher t;
	VMT_AUTO_PROBE p = NULL;
	uint64_t touched = 0;

	toucher_begin(&t);
	before = toucher_tell(&t, 0, TOUCHER_USER);
	if (!begin(&t.pid, 1, false, &p)) {
		toucher_end(&t);
		skip();
	}
	vmt_arena_init(&arena);
	for (int i = 0; i < 20; i++) {
		after = toucher_tell(&t, 10000, TOUCHER_USER);
		touched += 10000;
	}
	assert_int_equal(vmt_probe_stop(p, NULL), 0);
	assert_int_equal(vmt_probe_read(p, &arena, &s, NULL), 0);
	check_sums(&s);
	a = account(&s, t.pid);
	assert_int_equal(a.kernel_minor, after.minor - before.minor);
	assert_true(a.record_minor + a.record_major + s.totals.lost >= touched);
	if (!s.totals.lost)
		assert_true(a.mapped >= touched);
	toucher_end(&t);
	vmt_arena_done(&arena);
}

static size_t descriptors(void)
{
	size_t n = 0;

	for (int fd = 0; fd < 4096; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void test_nothing_is_left(void **state)
{
	size_t before = descriptors();
	struct toucher t;

	toucher_begin(&t);
	for (int i = 0; i < 3; i++) {
		VMT_AUTO_PROBE p = NULL;

		if (!begin(&t.pid, 1, false, &p)) {
			toucher_end(&t);
			skip();
		}
		/* The second is closed while it counts. */
		if (i != 1)
			assert_int_equal(vmt_probe_stop(p, NULL), 0);
	}
	toucher_end(&t);
	assert_int_equal(descriptors(), before);
}

/* Too few descriptors: the ladder goes on, and says why. */
static void test_few_descriptors(void **state)
{
	struct vmt_probe_opts opts = { .rung = VMT_RUNG_PERF };
	struct vmt_fault_sample s = { 0 };
	struct rlimit old, few;
	struct vmt_arena arena;
	VMT_AUTO_PROBE p = NULL;
	struct toucher t;
	int r;

	toucher_begin(&t);
	if (!begin(&t.pid, 1, false, &p)) {
		toucher_end(&t);
		skip();
	}
	vmt_probe_close(VMT_STEAL(p));
	opts.pids = &t.pid;
	opts.n_pids = 1;
	vmt_arena_init(&arena);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	few = old;
	few.rlim_cur = descriptors() + 2;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(vmt_probe_open(&opts, &p, NULL), 0);
	r = vmt_probe_start(p, NULL);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_true(r < 0);
	assert_int_equal(vmt_probe_read(p, &arena, &s, NULL), 0);
	assert_int_equal(s.rung, VMT_RUNG_NONE);
	assert_int_equal(s.n_tries, 1);
	assert_true(s.tries[0].status != VMT_TRY_OK);
	assert_true(strlen(s.tries[0].reason) > 0);
	toucher_end(&t);
	vmt_arena_done(&arena);
}

/* The kernel writes none; and nothing is read before the ring, or behind it. */
static void short_records_are_lost(void **state)
{
	static const uint32_t kinds[] = { PERF_RECORD_SAMPLE, PERF_RECORD_MMAP2, PERF_RECORD_COMM,
					  PERF_RECORD_FORK,   PERF_RECORD_EXIT,	 200 };
	_Alignas(8) unsigned char data[4096] = { 0 };
	struct perf_event_mmap_page page = { .data_head = 0 };
	struct vmt_perf_ring ring = { .page = &page, .data = data, .size = sizeof(data) };
	struct vmt_perf_state s = { .rings = &ring, .n_rings = 1 };
	struct perf_event_header h = { .size = sizeof(h) };
	size_t i;

	(void)state;
	for (i = 0; i < VMT_ARRAY_LEN(kinds); i++) {
		h.type = kinds[i];
		memcpy(data + i * sizeof(h), &h, sizeof(h));
	}
	page.data_head = i * sizeof(h);
	vmt_perf_drain(&s, UINT64_MAX);
	assert_int_equal(page.data_tail, page.data_head);
	assert_int_equal(s.lost, VMT_ARRAY_LEN(kinds));
	assert_int_equal(s.samples, 0);
	/* Of a length that no record has: what is behind it is not found. */
	h.size = 12;
	memcpy(data + page.data_head, &h, sizeof(h));
	page.data_head += 16;
	vmt_perf_drain(&s, UINT64_MAX);
	assert_int_equal(page.data_tail, page.data_head - 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(short_records_are_lost),
		cmocka_unit_test(test_to_the_unit),
		cmocka_unit_test(test_children),
		cmocka_unit_test(test_children_take_no_rows),
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_one_that_ends),
		cmocka_unit_test(f05_no_silent_loss),
		cmocka_unit_test(test_nothing_is_left),
		cmocka_unit_test(test_few_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
