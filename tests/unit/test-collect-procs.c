/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "saved.h"
#include "source/root.h"

static void test_dear_sources_of_a_saved_machine(void **state)
{
	const size_t all[] = { 0, 1, 2 };
	struct vmt_collector *c;
	struct vmt_sample *s;
	struct unit_dir d;

	save(&d);
	c = collector(d.path);
	s = collect(c, CHEAP, 0);
	assert_int_equal(vmt_collect_procs(c, s, SMAPS | ROLLUP, all, 3, NULL), 0);
	/* What has no memory is not read. */
	assert_unknown(proc, read_status, &s->procs[0]);
	assert_unknown(proc, maps_total, &s->procs[0]);
	assert_unknown(proc, read_status, &s->procs[2]);
	assert_field(proc, maps_total, &s->procs[1], 2);
	assert_int_equal(s->maps[1].n_maps, 2);
	assert_true(s->maps[1].consistent);
	assert_int_equal(s->maps[1].state, VMT_STATE_OK);
	assert_field(map, rss_bytes, &s->maps[1].maps[0], 4096);
	assert_unknown(map, pss_bytes, &s->maps[1].maps[0]);
	/* That nothing recorded it is no failure of the process. */
	assert_int_equal(s->sources[VMT_SOURCE_ROLLUP].state, VMT_STATE_ABSENT);
	assert_unknown(proc, pss_bytes, &s->procs[1]);
	assert_int_equal(s->n_issues, 0);
	assert_int_equal(s->sources[VMT_SOURCE_SMAPS].state, VMT_STATE_OK);
	vmt_sample_free(s);
	vmt_collector_free(c);
	unit_dir_remove(&d);
}

/* One thread may lag behind by 64 changes of 16 pages. */
static void n10_a_rollup_far_below_rss_is_doubted(void **state)
{
	static const struct {
		const char *rss, *quality;
	} cases[] = { { "VmRSS: 4100 kB\n", "exact" }, { "VmRSS: 4104 kB\n", "approximate" } };
	const size_t one = 1;
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		struct vmt_collector *c;
		struct vmt_sample *s;
		struct unit_dir d;
		char status[128];

		save(&d);
		unit_dir_write(&d, "vmtop-fixture", "page_size 4096\nrelease 6.12.1\n");
		snprintf(status, sizeof(status),
			 "Name:\ta b\nThreads:\t1\nUid:\t1\t1\t1\t1\nVmSize:\t 8000 kB\n%s",
			 cases[i].rss);
		unit_dir_write(&d, "proc/42/status", status);
		unit_dir_write(&d, "proc/42/smaps_rollup",
			       "1-2 ---p 0 00:00 0 [rollup]\nRss: 4 kB\nPss: 2 kB\n");
		c = collector(d.path);
		s = collect(c, CHEAP, 0);
		assert_int_equal(vmt_collect_procs(c, s, SMAPS | ROLLUP, &one, 1, NULL), 0);
		assert_field(proc, rollup_rss_bytes, &s->procs[1], 4096);
		assert_text(proc, quality, &s->procs[1], cases[i].quality);
		assert_field(proc, consistent, &s->procs[1], true);
		vmt_sample_free(s);
		/* Without smaps nobody looked at the list twice. */
		s = collect(c, CHEAP, 0);
		assert_int_equal(vmt_collect_procs(c, s, MAPS, &one, 1, NULL), 0);
		assert_unknown(proc, consistent, &s->procs[1]);
		assert_text(proc, quality, &s->procs[1], "exact");
		vmt_sample_free(s);
		vmt_collector_free(c);
		unit_dir_remove(&d);
	}
}

static void test_a_second_call_adds(void **state)
{
	const size_t one = 1;
	struct vmt_collector *c;
	struct vmt_sample *s;
	struct unit_dir d;

	save(&d);
	unit_dir_write(&d, "proc/42/smaps_rollup", "1-2 ---p 0 00:00 0 [rollup]\nPss: 2 kB\n");
	c = collector(d.path);
	s = collect(c, CHEAP, 0);
	assert_int_equal(vmt_collect_procs(c, s, ROLLUP, &one, 1, NULL), 0);
	assert_field(proc, pss_bytes, &s->procs[1], 2048);
	assert_unknown(proc, maps_total, &s->procs[1]);
	assert_int_equal(s->maps[1].n_maps, 0);
	/* Linux 6.1 is known to lose some. */
	assert_int_equal(s->sources[VMT_SOURCE_ROLLUP].state, VMT_STATE_OK);
	assert_non_null(strstr(s->sources[VMT_SOURCE_ROLLUP].reason, "6.1"));
	assert_text(proc, quality, &s->procs[1], "approximate");
	unit_dir_write(&d, "proc/42/maps", "nonsense\n");
	assert_int_equal(vmt_collect_procs(c, s, MAPS, &one, 1, NULL), 0);
	assert_int_equal(s->sources[VMT_SOURCE_MAPS].state, VMT_STATE_FAILED);
	assert_int_equal(s->maps[1].state, VMT_STATE_FAILED);
	assert_int_equal(s->n_issues, 1);
	assert_text(issue, status, &s->issues[0], "failed");
	assert_text(issue, comm, &s->issues[0], "a b");
	assert_non_null(strstr(s->issues[0].hint.ptr, "maps:1"));
	assert_field(proc, pss_bytes, &s->procs[1], 2048);
	unit_dir_write(&d, "proc/42/maps", "1000-2000 r--p 00000000 fe:00 7 /bin/x\n");
	assert_int_equal(vmt_collect_procs(c, s, MAPS, &one, 1, NULL), 0);
	assert_int_equal(s->sources[VMT_SOURCE_MAPS].state, VMT_STATE_PARTIAL);
	assert_field(proc, maps_total, &s->procs[1], 1);
	vmt_sample_free(s);
	vmt_collector_free(c);
	unit_dir_remove(&d);
}

/* Reads a recording as nobody; the files of it are root's. */
static int recording_as_nobody(char *path)
{
	struct vmt_collector *c;
	struct vmt_sample *s;
	const size_t one = 1;

	if (setgid(65534) < 0 || setuid(65534) < 0)
		return 2;
	c = collector(path);
	s = collect(c, CHEAP, 0);
	if (s->host.euid != VMT_EUID_UNKNOWN)
		return 3;
	if (vmt_collect_procs(c, s, MAPS, &one, 1, NULL) < 0)
		return 4;
	if (s->n_issues != 1 || !vmt_bytes_is(s->issues[0].status, "denied") ||
	    !strstr(s->issues[0].hint.ptr, "recording"))
		return 5;
	if (s->sources[VMT_SOURCE_MAPS].fix[0] ||
	    strstr(s->sources[VMT_SOURCE_MAPS].reason, "root"))
		return 6;
	vmt_sample_free(s);
	vmt_collector_free(c);
	return 0;
}

/* Who recorded it is not known, and is not who reads it. */
static void test_a_recording_without_rights(void **state)
{
	struct unit_dir d;
	int status;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	save(&d);
	unit_dir_write(&d, "vmtop-fixture", "page_size 4096\nuser_hz 100\n");
	assert_int_equal(fchmod(d.fd, 0755), 0);
	assert_int_equal(fchmodat(d.fd, "proc/42/maps", 0600, 0), 0);
	pid = fork();
	if (pid == 0)
		_exit(recording_as_nobody(d.path));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	unit_dir_remove(&d);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* A reader that hangs until the pipe is closed. */
struct stall {
	int fds[2];
	int opens;
};

static void hang(void *arg)
{
	struct stall *stall = arg;
	char c;

	__atomic_add_fetch(&stall->opens, 1, __ATOMIC_SEQ_CST);
	while (read(stall->fds[0], &c, 1) < 0 && errno == EINTR)
		;
}

static void count_opens(void *arg)
{
	struct stall *stall = arg;

	__atomic_add_fetch(&stall->opens, 1, __ATOMIC_SEQ_CST);
}

static struct vmt_collector *impatient(const char *root)
{
	const struct vmt_collect_opts opts = { .root = root,
					       .read_timeout_ns = UINT64_C(2000000000) };
	struct vmt_collector *c = NULL;

	assert_int_equal(vmt_collector_new(&opts, &c, NULL), 0);
	return c;
}

/* smaps never answers: the list that came before stays, and nobody goes there again. */
static void d08_an_open_that_does_not_come_back(void **state)
{
	struct stall stall = { .opens = 0 };
	struct vmt_collector *c;
	struct vmt_sample *s;
	struct unit_dir d;
	const size_t one = 1;
	uint64_t t0;
	int i;

	save(&d);
	unit_dir_write(&d, "proc/42/smaps_rollup", "1-2 ---p 0 00:00 0 [rollup]\nPss: 2 kB\n");
	assert_int_equal(pipe2(stall.fds, O_CLOEXEC), 0);
	c = impatient(d.path);
	s = collect(c, CHEAP, 0);
	unit_on_open("smaps", hang, &stall);
	assert_int_equal(vmt_collect_procs(c, s, SMAPS | PAGEMAP, &one, 1, NULL), 0);
	assert_int_equal(stall.opens, 1);
	assert_text(proc, read_status, &s->procs[1], "timed_out");
	assert_field(proc, maps_total, &s->procs[1], 2);
	assert_int_equal(s->maps[1].n_maps, 2);
	assert_int_equal(s->maps[1].state, VMT_STATE_PARTIAL);
	assert_text(map, path, &s->maps[1].maps[0], "/bin/x");
	assert_unknown(map, rss_bytes, &s->maps[1].maps[0]);
	assert_int_equal(s->sources[VMT_SOURCE_MAPS].state, VMT_STATE_OK);
	assert_int_equal(s->sources[VMT_SOURCE_SMAPS].timed_out, 1);
	assert_non_null(strstr(s->sources[VMT_SOURCE_SMAPS].reason, "1 timed out: the reader"));
	assert_int_equal(s->sources[VMT_SOURCE_PAGEMAP].state, VMT_STATE_SKIPPED);
	assert_int_equal(s->n_issues, 1);
	assert_text(issue, source, &s->issues[0], "smaps");
	assert_int_equal(s->timed_out, 1);

	/* Not for another source either, and it is the same failure. */
	unit_on_open("smaps_rollup", count_opens, &stall);
	assert_int_equal(vmt_collect_procs(c, s, MAPS | ROLLUP, &one, 1, NULL), 0);
	assert_int_equal(stall.opens, 1);
	assert_text(proc, read_status, &s->procs[1], "timed_out");
	assert_int_equal(s->maps[1].n_maps, 2);
	assert_int_equal(s->maps[1].state, VMT_STATE_PARTIAL);
	assert_int_equal(s->n_issues, 1);
	assert_int_equal(s->timed_out, 1);
	assert_int_equal(s->sources[VMT_SOURCE_ROLLUP].state, VMT_STATE_SKIPPED);
	vmt_sample_free(s);

	/* Nor in the next sample, which says it once. */
	s = collect(c, CHEAP, 0);
	t0 = vmt_now_ns(CLOCK_MONOTONIC);
	assert_int_equal(vmt_collect_procs(c, s, MAPS, &one, 1, NULL), 0);
	assert_true(vmt_now_ns(CLOCK_MONOTONIC) - t0 < UINT64_C(2000000000));
	assert_int_equal(vmt_collect_procs(c, s, ROLLUP, &one, 1, NULL), 0);
	assert_text(proc, read_status, &s->procs[1], "timed_out");
	assert_unknown(proc, maps_total, &s->procs[1]);
	assert_int_equal(s->n_issues, 1);
	assert_int_equal(s->timed_out, 1);
	assert_int_equal(stall.opens, 1);
	vmt_sample_free(s);

	/* Until the reader is back. */
	unit_on_open(NULL, NULL, NULL);
	close(stall.fds[1]);
	for (i = 0, s = NULL; i < 20000; i++) {
		vmt_sample_free(s);
		s = collect(c, CHEAP, 0);
		assert_int_equal(vmt_collect_procs(c, s, SMAPS, &one, 1, NULL), 0);
		if (vmt_bytes_is(s->procs[1].read_status, "ok"))
			break;
		usleep(1000);
	}
	assert_text(proc, read_status, &s->procs[1], "ok");
	assert_field(map, rss_bytes, &s->maps[1].maps[0], 4096);
	assert_int_equal(s->n_issues, 0);
	vmt_sample_free(s);
	vmt_collector_free(c);
	close(stall.fds[0]);
	unit_dir_remove(&d);
}

/* The worst stays: a source that could be read does not take back what another one said. */
static void test_a_later_success_excuses_nothing(void **state)
{
	struct vmt_collector *c;
	struct vmt_sample *s;
	struct unit_dir d;
	const size_t one = 1;

	save(&d);
	unit_dir_write(&d, "proc/42/smaps_rollup", "1-2 ---p 0 00:00 0 [rollup]\nPss: 2 kB\n");
	unit_dir_write(&d, "proc/42/maps", "nonsense\n");
	c = collector(d.path);
	s = collect(c, CHEAP, 0);
	assert_int_equal(vmt_collect_procs(c, s, MAPS, &one, 1, NULL), 0);
	assert_text(proc, read_status, &s->procs[1], "failed");
	assert_int_equal(vmt_collect_procs(c, s, ROLLUP, &one, 1, NULL), 0);
	assert_text(proc, read_status, &s->procs[1], "failed");
	assert_int_equal(s->maps[1].state, VMT_STATE_FAILED);
	assert_field(proc, pss_bytes, &s->procs[1], 2048);
	/* The same failure again is no second one. */
	assert_int_equal(vmt_collect_procs(c, s, MAPS, &one, 1, NULL), 0);
	assert_int_equal(s->n_issues, 1);
	vmt_sample_free(s);
	vmt_collector_free(c);
	unit_dir_remove(&d);
}

/* A list without a byte is of an address space that is gone: not 0 mappings. */
static void a07_no_list_is_not_an_empty_one(void **state)
{
	struct vmt_collector *c;
	struct vmt_sample *s;
	struct unit_dir d;
	const size_t one = 1;

	save(&d);
	unit_dir_write(&d, "proc/42/maps", "");
	c = collector(d.path);
	s = collect(c, CHEAP, 0);
	assert_int_equal(vmt_collect_procs(c, s, MAPS | VMT_COLLECT_COUNT, &one, 1, NULL), 0);
	assert_text(proc, read_status, &s->procs[1], "partial");
	assert_unknown(proc, maps_total, &s->procs[1]);
	assert_int_equal(s->n_issues, 1);
	assert_non_null(strstr(s->issues[0].hint.ptr, "execve"));
	vmt_sample_free(s);
	vmt_collector_free(c);
	unit_dir_remove(&d);
}

static void test_the_number_of_mappings_alone(void **state)
{
	struct vmt_collector *c;
	struct vmt_sample *s;
	struct unit_dir d;
	const size_t one = 1;

	save(&d);
	c = collector(d.path);
	s = collect(c, CHEAP, 0);
	assert_int_equal(vmt_collect_procs(c, s, MAPS | VMT_COLLECT_COUNT, &one, 1, NULL), 0);
	assert_field(proc, maps_total, &s->procs[1], 2);
	assert_text(proc, read_status, &s->procs[1], "ok");
	assert_int_equal(s->maps[1].n_maps, 0);
	assert_int_equal(s->maps[1].state, VMT_STATE_UNUSED);
	/* The rows of those that somebody wants to see. */
	assert_int_equal(vmt_collect_procs(c, s, MAPS, &one, 1, NULL), 0);
	assert_int_equal(s->maps[1].n_maps, 2);
	assert_int_equal(s->maps[1].state, VMT_STATE_OK);
	vmt_sample_free(s);
	vmt_collector_free(c);
	unit_dir_remove(&d);
}

/* A mapping that this kernel has no way to read costs its own values. */
static void test_a_mapping_that_is_too_large(void **state)
{
	static uint64_t words[2] = { 0, UINT64_C(1) << 63 };
	struct vmt_collector *c;
	struct vmt_sample *s;
	struct unit_dir d;
	const size_t one = 1;

	save(&d);
	unit_dir_write(&d, "proc/42/maps",
		       "1000-2000 rw-p 00000000 00:00 0 \n"
		       "10000000000-20000000000 ---p 00000000 00:00 0 \n");
	unit_dir_write_bytes(&d, "proc/42/pagemap", words, sizeof(words));
	c = collector(d.path);
	s = collect(c, CHEAP, 0);
	assert_int_equal(vmt_collect_procs(c, s, PAGEMAP, &one, 1, NULL), 0);
	assert_text(proc, read_status, &s->procs[1], "partial");
	assert_field(map, present_pages, &s->maps[1].maps[0], 1);
	assert_unknown(map, present_pages, &s->maps[1].maps[1]);
	assert_int_equal(s->sources[VMT_SOURCE_PAGEMAP].state, VMT_STATE_PARTIAL);
	assert_int_equal(s->sources[VMT_SOURCE_PAGEMAP].skipped, 0);
	assert_non_null(strstr(s->sources[VMT_SOURCE_PAGEMAP].reason, "PAGEMAP_SCAN"));
	vmt_sample_free(s);
	vmt_collector_free(c);
	unit_dir_remove(&d);
}

static int collect_saved(void *arg)
{
	const struct vmt_collect_opts opts = { .root = arg };
	const size_t all[] = { 0, 1, 2 };
	struct vmt_collector *c = NULL;
	struct vmt_sample *s = NULL;
	int r;

	r = vmt_collector_new(&opts, &c, NULL);
	if (r == 0)
		r = vmt_collect(c, CHEAP, NULL, 0, &s, NULL);
	if (r == 0)
		r = vmt_collect_procs(c, s, SMAPS, all, s->n_procs, NULL);
	vmt_sample_free(s);
	vmt_collector_free(c);
	return r;
}

static void m02_failing_allocations(void **state)
{
	struct unit_dir d;

	save(&d);
	assert_true(unit_alloc_sweep(collect_saved, d.path) > 20);
	unit_dir_remove(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dear_sources_of_a_saved_machine),
		cmocka_unit_test(n10_a_rollup_far_below_rss_is_doubted),
		cmocka_unit_test(test_a_second_call_adds),
		cmocka_unit_test(test_a_recording_without_rights),
		cmocka_unit_test(d08_an_open_that_does_not_come_back),
		cmocka_unit_test(test_a_later_success_excuses_nothing),
		cmocka_unit_test(a07_no_list_is_not_an_empty_one),
		cmocka_unit_test(test_the_number_of_mappings_alone),
		cmocka_unit_test(test_a_mapping_that_is_too_large),
		cmocka_unit_test(m02_failing_allocations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
