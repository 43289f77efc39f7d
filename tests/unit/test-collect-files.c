/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of processes that were read before: they stay open, and are of those processes alone. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "saved.h"

#define STATUS VMT_SOURCE_BIT(STATUS)
#define CGROUP VMT_SOURCE_BIT(CGROUP)
#define KEEP   VMT_COLLECT_KEEP

static const size_t both[] = { 0, 1 };

/* Two processes that wait, the one with the lower number first. */
struct children {
	uint64_t pids[2];
};

static pid_t waiting(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return pid;
}

static void end_child(uint64_t pid)
{
	assert_int_equal(kill((pid_t)pid, SIGKILL), 0);
	assert_int_equal(waitpid((pid_t)pid, NULL, 0), (pid_t)pid);
}

static struct children begin(void)
{
	uint64_t a = (uint64_t)waiting(), b = (uint64_t)waiting();

	return (struct children){ { a < b ? a : b, a < b ? b : a } };
}

/* Both of them, with nothing but stat. */
static struct vmt_sample *sample(struct vmt_collector *c, const struct children *of)
{
	struct vmt_sample *s;

	assert_int_equal(vmt_collect(c, VMT_SOURCE_BIT(STAT), of->pids, 2, &s, NULL), 0);
	assert_int_equal(s->n_procs, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_field(proc, pid, &s->procs[i], of->pids[i]);
		assert_false(VMT_HAS(proc, uid, &s->procs[i]));
	}
	return s;
}

static void read_files(struct vmt_collector *c, struct vmt_sample *s, uint64_t sources)
{
	assert_int_equal(vmt_collect_files(c, s, sources, both, 2, NULL), 0);
}

static void assert_read(const struct vmt_sample *s, size_t i)
{
	assert_field(proc, uid, &s->procs[i], geteuid());
	assert_true(VMT_HAS(proc, user, &s->procs[i]));
	assert_true(VMT_HAS(proc, rss_bytes, &s->procs[i]));
}

static void assert_unread(const struct vmt_sample *s, size_t i)
{
	assert_false(VMT_HAS(proc, uid, &s->procs[i]));
	assert_false(VMT_HAS(proc, user, &s->procs[i]));
	assert_true(VMT_HAS(proc, start_time_ns, &s->procs[i]));
}

static void they_stay_open(void **state)
{
	struct children of = begin();
	struct vmt_collector *c = collector(NULL);
	struct vmt_sample *s = sample(c, &of);
	size_t before = unit_open_files();

	(void)state;
	/* Nothing is asked for; then without keeping; then with. */
	read_files(c, s, VMT_SOURCE_BIT(MAPS));
	assert_unread(s, 0);
	assert_int_equal(s->sources[VMT_SOURCE_STATUS].reads, 0);
	read_files(c, s, STATUS);
	assert_read(s, 0);
	assert_read(s, 1);
	assert_int_equal(unit_open_files(), before);
	vmt_sample_free(s);

	s = sample(c, &of);
	read_files(c, s, STATUS | KEEP);
	assert_read(s, 1);
	assert_int_equal(unit_open_files(), before + 2);
	/* Once more of the same sample: out of what is open, with one read each. */
	s->sources[VMT_SOURCE_STATUS].reads = 0;
	s->sources[VMT_SOURCE_STAT].reads = 0;
	read_files(c, s, STATUS | KEEP);
	assert_int_equal(s->sources[VMT_SOURCE_STATUS].reads, 2);
	assert_int_equal(s->sources[VMT_SOURCE_STAT].reads, 0);
	vmt_sample_free(s);

	/* Another file is wanted as well; and of each later sample what is wanted then. */
	s = sample(c, &of);
	read_files(c, s, STATUS | CGROUP | KEEP);
	assert_read(s, 0);
	assert_true(VMT_HAS(proc, cgroup, &s->procs[0]));
	assert_int_equal(unit_open_files(), before + 4);
	vmt_sample_free(s);
	s = sample(c, &of);
	read_files(c, s, CGROUP | KEEP);
	assert_unread(s, 0);
	assert_true(VMT_HAS(proc, cgroup, &s->procs[1]));
	assert_int_equal(unit_open_files(), before + 4);
	vmt_sample_free(s);

	/* What was not read of two samples is closed. */
	for (unsigned i = 0; i < 2; i++) {
		s = sample(c, &of);
		assert_int_equal(vmt_collect_files(c, s, STATUS | KEEP, both + 1, 1, NULL), 0);
		assert_unread(s, 0);
		assert_read(s, 1);
		vmt_sample_free(s);
	}
	assert_int_equal(unit_open_files(), before + 2);
	vmt_collector_free(c);
	assert_true(unit_open_files() <= before);
	end_child(of.pids[0]);
	end_child(of.pids[1]);
}

/* A process that is another one by now, or none, keeps what it had. */
static void they_are_of_one_process(void **state)
{
	struct children of = begin();
	struct vmt_collector *c = collector(NULL);
	struct vmt_sample *s = sample(c, &of);

	(void)state;
	/* Of an earlier process with that number. */
	s->procs[0].start_time_ns += 1;
	read_files(c, s, STATUS | KEEP);
	assert_unread(s, 0);
	assert_read(s, 1);
	vmt_sample_free(s);
	/* Without a start it could be any. */
	s = sample(c, &of);
	VMT_UNSET(proc, start_time_ns, &s->procs[0]);
	read_files(c, s, STATUS | KEEP);
	assert_false(VMT_HAS(proc, uid, &s->procs[0]));
	assert_read(s, 1);
	vmt_sample_free(s);

	/* One ends between the list and the files; of the other they are open, and it ends, too. */
	s = sample(c, &of);
	end_child(of.pids[0]);
	end_child(of.pids[1]);
	read_files(c, s, STATUS | KEEP);
	assert_unread(s, 0);
	assert_unread(s, 1);
	assert_int_equal(s->n_issues, 0);
	vmt_sample_free(s);
	vmt_collector_free(c);
}

static int keep_and_read(void *arg)
{
	const struct children *of = arg;
	const struct vmt_collect_opts opts = { .readers = 1 };
	struct vmt_collector *c = NULL;
	int r = vmt_collector_new(&opts, &c, NULL);

	for (unsigned i = 0; r == 0 && i < 2; i++) {
		struct vmt_sample *s = NULL;

		r = vmt_collect(c, VMT_SOURCE_BIT(STAT), of->pids, 2, &s, NULL);
		if (r == 0)
			r = vmt_collect_files(c, s, STATUS | CGROUP | KEEP, both, s->n_procs, NULL);
		if (r == 0)
			assert_read(s, 1);
		vmt_sample_free(s);
	}
	vmt_collector_free(c);
	return r;
}

static void no_memory(void **state)
{
	struct children of = begin();

	(void)state;
	assert_true(unit_alloc_sweep(keep_and_read, &of) > 10);
	end_child(of.pids[0]);
	end_child(of.pids[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_stay_open),
		cmocka_unit_test(they_are_of_one_process),
		cmocka_unit_test(no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
