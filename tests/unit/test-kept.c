/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "saved.h"

/* A child that waits to be killed. */
static pid_t child(void)
{
	int fds[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (write(fds[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &c, 1), 1);
	close(fds[0]);
	return pid;
}

static void reap(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Files that stay open are of the process that they were opened for, and go with it. */
static void test_kept_files(void **state)
{
	const uint64_t files = VMT_SOURCE_BIT(STATUS) | VMT_SOURCE_BIT(STAT);
	struct vmt_collector *c = collector(NULL);
	size_t before = unit_open_files();
	pid_t pid = child();
	uint64_t start;
	int i;
	struct vmt_sample *s;

	/* One that is younger than the scan by the clock of the kernel is read by its directory. */
	usleep(50000);
	s = collect(c, files | VMT_COLLECT_KEEP, (uint64_t)pid);
	assert_int_equal(s->n_procs, 1);
	start = s->procs[0].start_time_ns;
	assert_true(s->procs[0].read_end_ns >= s->procs[0].read_start_ns);
	assert_true(VMT_HAS(proc, read_start_ns, &s->procs[0]));
	vmt_sample_free(s);
	/* In place of stat another file does, from the second look on. */
	assert_int_equal(unit_open_files(), before + 2);
	s = collect(c, files | VMT_COLLECT_KEEP, (uint64_t)pid);
	assert_int_equal(s->n_procs, 1);
	assert_field(proc, start_time_ns, &s->procs[0], start);
	assert_text(proc, class, &s->procs[0], "user");
	assert_int_equal(s->sources[VMT_SOURCE_STATUS].reads, 1);
	vmt_sample_free(s);
	assert_int_equal(unit_open_files(), before + 2);
	reap(pid);
	s = collect(c, files | VMT_COLLECT_KEEP, (uint64_t)pid);
	assert_int_equal(s->n_procs, 0);
	vmt_sample_free(s);
	assert_int_equal(unit_open_files(), before);
	for (i = 0; i < 2; i++) {
		s = collect(c, files | VMT_COLLECT_KEEP, (uint64_t)getpid());
		vmt_sample_free(s);
	}
	assert_int_equal(unit_open_files(), before + 2);
	/* Without the wish they go. */
	s = collect(c, files, (uint64_t)getpid());
	vmt_sample_free(s);
	assert_int_equal(unit_open_files(), before);
	vmt_collector_free(c);
}

/* The process and its parent, which we are: where that has ended, there is another one. */
static struct vmt_sample *collect_two(struct vmt_collector *c, uint64_t files, pid_t pid)
{
	const uint64_t pids[] = { (uint64_t)getpid(), (uint64_t)pid };
	struct vmt_sample *s = NULL;

	assert_int_equal(vmt_collect(c, files, pids, 2, &s, NULL), 0);
	assert_int_equal(s->n_procs, 2);
	return s;
}

/* stat is not read again of a process that has not run; one that has is. */
static void test_kept_stat(void **state)
{
	const uint64_t files = VMT_SOURCE_BIT(STATM) | VMT_SOURCE_BIT(STAT) | VMT_COLLECT_KEEP;
	struct vmt_collector *c = collector(NULL);
	uint64_t whole = 0, less = 0, start = 0, faults = 0, ours = 0;
	pid_t pid = child();
	struct vmt_sample *s;
	const struct vmt_proc *p;
	int i;

	usleep(50000);
	for (i = 0; i < 4; i++) {
		char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				  -1, 0);

		/* We run, and fault, all the time. */
		assert_true(page != MAP_FAILED);
		memset(page, 1, 4096);
		munmap(page, 4096);
		s = collect_two(c, files, pid);
		p = vmt_sample_proc(s, (uint64_t)getpid());
		assert_true(p->minor_faults_total > ours);
		ours = p->minor_faults_total;
		p = vmt_sample_proc(s, (uint64_t)pid);
		if (i > 0) {
			assert_field(proc, start_time_ns, p, start);
			assert_field(proc, minor_faults_total, p, faults);
		}
		assert_field(proc, ppid, p, (uint64_t)getpid());
		assert_field(proc, threads, p, 1);
		assert_text(proc, state, p, "S");
		assert_text(proc, class, p, "user");
		assert_true(VMT_HAS(proc, comm, p));
		start = p->start_time_ns;
		faults = p->minor_faults_total;
		less = s->sources[VMT_SOURCE_STAT].bytes;
		whole = i == 0 ? less : whole;
		assert_int_equal(s->sources[VMT_SOURCE_STAT].reads, 2);
		vmt_sample_free(s);
	}
	/* A kernel without schedstat has stat read each time. */
	if (access("/proc/self/schedstat", R_OK) == 0)
		assert_true(less < whole * 3 / 4);
	/* It runs, to be stopped. */
	kill(pid, SIGSTOP);
	assert_int_equal(waitpid(pid, NULL, WUNTRACED), pid);
	s = collect_two(c, files, pid);
	assert_text(proc, state, vmt_sample_proc(s, (uint64_t)pid), "T");
	vmt_sample_free(s);
	kill(pid, SIGCONT);
	reap(pid);
	vmt_collector_free(c);
}

/* More files of one process of a sample, from files that stay open; of no other one. */
static void a08_more_files(void **state)
{
	const uint64_t files = VMT_SOURCE_BIT(STATM) | VMT_SOURCE_BIT(STAT);
	const uint64_t more = VMT_SOURCE_BIT(STATUS) | VMT_SOURCE_BIT(CGROUP);
	size_t at_first = unit_open_files(), before, i, zero = 0;
	struct vmt_collector *c = collector(NULL);
	pid_t pid = child();
	struct vmt_sample *s;

	before = unit_open_files();
	for (i = 0; i < 3; i++) {
		s = collect(c, files, (uint64_t)pid);
		assert_unknown(proc, uid, &s->procs[0]);
		assert_int_equal(vmt_collect_files(c, s, more | VMT_COLLECT_KEEP, &zero, 1, NULL),
				 0);
		assert_field(proc, uid, &s->procs[0], geteuid());
		assert_true(VMT_HAS(proc, user, &s->procs[0]));
		assert_true(VMT_HAS(proc, anonymous_bytes, &s->procs[0]));
		assert_true(VMT_HAS(proc, swap_bytes, &s->procs[0]));
		assert_int_equal(unit_open_files(), before + 2);
		vmt_sample_free(s);
	}
	/* The number is another process's by now. */
	s = collect(c, files, (uint64_t)pid);
	s->procs[0].start_time_ns++;
	assert_int_equal(vmt_collect_files(c, s, more, &zero, 1, NULL), 0);
	assert_unknown(proc, uid, &s->procs[0]);
	vmt_sample_free(s);
	/* It ended after it was listed. */
	s = collect(c, files, (uint64_t)pid);
	reap(pid);
	assert_int_equal(vmt_collect_files(c, s, more | VMT_COLLECT_KEEP, &zero, 1, NULL), 0);
	assert_unknown(proc, uid, &s->procs[0]);
	vmt_sample_free(s);
	vmt_collector_free(c);
	assert_int_equal(unit_open_files(), at_first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kept_files),
		cmocka_unit_test(test_kept_stat),
		cmocka_unit_test(a08_more_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
