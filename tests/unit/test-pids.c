/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "source/pids.h"

#define REST                                                                                       \
	" S 17 42 42 34816 -1 4194304 123 9 45 7 1 2 3 4 20 0 5 0 300 5545984 782 18446744073709551615\n"

static int stat_of(const char *text, size_t len, struct vmt_arena *a, struct vmt_proc *p,
		   struct vmt_pid_facts *facts)
{
	*p = (struct vmt_proc){ 0 };
	*facts = (struct vmt_pid_facts){ 0 };
	return vmt_pid_stat_parse((struct vmt_bytes){ text, len }, 100, a, p, facts, NULL);
}

static void b01_b02_stat_with_any_name(void **state)
{
	static const char *const names[] = {
		"bash",	      "",     " ",  "a) R 1\n\x1b[2J \xff", ")))))))))))))))", "(", "a b",
		"x) Z 1 1 1", "\n\n", "-1",
	};
	struct vmt_pid_facts facts;
	struct vmt_arena a;
	struct vmt_proc p;
	size_t i;

	vmt_arena_init(&a);
	for (i = 0; i < VMT_ARRAY_LEN(names); i++) {
		VMT_AUTO_BUF text = { 0 };

		vmt_buf_addf(&text, "42 (%s)" REST, names[i]);
		assert_int_equal(stat_of(text.data, text.len, &a, &p, &facts), 0);
		assert_text(proc, comm, &p, names[i]);
		assert_text(proc, state, &p, "S");
		assert_field(proc, ppid, &p, 17);
		assert_field(proc, minor_faults_total, &p, 123);
		assert_field(proc, major_faults_total, &p, 45);
		assert_field(proc, threads, &p, 5);
		assert_field(proc, start_time_ns, &p, UINT64_C(3000000000));
		assert_int_equal(facts.flags, 4194304);
		assert_false(facts.kthread);
	}
	vmt_arena_done(&a);
}

static void a05_stat_of_a_kernel_thread(void **state)
{
	static const char text[] =
		"2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 1 0 0";
	struct vmt_pid_facts facts;
	struct vmt_proc p;

	assert_int_equal(stat_of(text, strlen(text), NULL, &p, &facts), 0);
	assert_true(facts.kthread);
	assert_unknown(proc, comm, &p);
	vmt_pid_settle(&p, &facts);
	assert_text(proc, class, &p, "kernel");
}

static void test_stat_of_an_unknown_clock(void **state)
{
	static const char text[] = "42 (x)" REST;
	struct vmt_pid_facts facts = { 0 };
	struct vmt_proc p = { 0 };

	assert_int_equal(vmt_pid_stat_parse(vmt_bytes_of(text), 0, NULL, &p, &facts, NULL), 0);
	assert_unknown(proc, start_time_ns, &p);
	p = (struct vmt_proc){ 0 };
	assert_int_equal(vmt_pid_stat_parse(vmt_bytes_of(text), 1024, NULL, &p, &facts, NULL), 0);
	assert_field(proc, start_time_ns, &p, 292968750);
}

static void n06_stat_malformed(void **state)
{
	static const char *const texts[] = {
		"",
		"42",
		"42 (x",
		"42 x) S 1",
		")(",
		"42 (x)",
		"42 (x) SS 1 2",
		"42 (x) S 1 2 3",
		"42 (x) S a 42 42 0 -1 0 1 2 3 4 5 6 7 8 9 0 1 2 3",
		"42 (x) S 1 42 42 0 -1 0 1 2 3 4 5 6 7 8 9 0 1 2",
	};
	struct vmt_pid_facts facts;
	struct vmt_err err = { 0 };
	struct vmt_proc p;
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(texts); i++)
		assert_int_equal(stat_of(texts[i], strlen(texts[i]), NULL, &p, &facts), -EINVAL);
	assert_int_equal(vmt_pid_stat_parse(VMT_BYTES("1 (x) S 99999999999999999999"), 100, NULL,
					    &p, &facts, &err),
			 -ERANGE);
	assert_string_equal(err.path, "stat");
}

static void test_statm(void **state)
{
	struct vmt_proc p = { 0 };

	assert_int_equal(vmt_pid_statm_parse(VMT_BYTES("1643 459 431 5 0 99 0\n"), 4096, &p, NULL),
			 0);
	assert_field(proc, vsize_bytes, &p, 1643 * 4096);
	assert_field(proc, rss_bytes, &p, 459 * 4096);
	assert_int_equal(vmt_pid_statm_parse(VMT_BYTES("1 2"), 65536, &p, NULL), 0);
	assert_field(proc, rss_bytes, &p, 131072);
	p = (struct vmt_proc){ 0 };
	assert_int_equal(vmt_pid_statm_parse(VMT_BYTES("1643"), 4096, &p, NULL), -EINVAL);
	assert_int_equal(vmt_pid_statm_parse(VMT_BYTES("x 1"), 4096, &p, NULL), -EINVAL);
	assert_int_equal(vmt_pid_statm_parse(VMT_BYTES("9223372036854775808 1"), 4096, &p, NULL),
			 -ERANGE);
	assert_unknown(proc, vsize_bytes, &p);
}

static const char status[] = "Name:\t  a\\\\b\\nc \n"
			     "Umask:\t0022\n"
			     "State:\tS (sleeping)\n"
			     "Pid:\t42\n"
			     "Uid:\t1000\t1001\t1002\t1003\n"
			     "Gid:\t1\t1\t1\t1\n"
			     "Groups:\t4 24 \n"
			     "VmPeak:\t    9999 kB\n"
			     "VmSize:\t    5416 kB\n"
			     "VmLck:\t       4 kB\n"
			     "VmHWM:\t    3128 kB\n"
			     "VmRSS:\t    3128 kB\n"
			     "RssAnon:\t    1372 kB\n"
			     "RssFile:\t    1756 kB\n"
			     "RssShmem:\t       0 kB\n"
			     "VmData:\t     500 kB\n"
			     "VmStk:\t     132 kB\n"
			     "VmPTE:\t      48 kB\n"
			     "VmSwap:\t       8 kB\n"
			     "THP_enabled:\t0\n"
			     "Future:\tx\n"
			     "Threads:\t1\n";

static void test_status(void **state)
{
	struct vmt_pid_facts facts = { 0 };
	struct vmt_proc p = { 0 };
	struct vmt_arena a;

	vmt_arena_init(&a);
	assert_int_equal(vmt_pid_status_parse(vmt_bytes_of(status), &a, &p, &facts, NULL), 0);
	/* The escapes of the kernel are undone, blanks around the name are its own. */
	assert_text(proc, comm, &p, "  a\\b\nc ");
	assert_field(proc, uid, &p, 1001);
	assert_field(proc, locked_bytes, &p, 4096);
	assert_field(proc, peak_rss_bytes, &p, 3128 * 1024);
	assert_field(proc, anonymous_bytes, &p, 1372 * 1024);
	assert_field(proc, file_bytes, &p, 1756 * 1024);
	assert_field(proc, shmem_bytes, &p, 0);
	assert_field(proc, page_table_bytes, &p, 48 * 1024);
	assert_field(proc, swap_bytes, &p, 8 * 1024);
	assert_field(proc, data_bytes, &p, 500 * 1024);
	assert_field(proc, stack_bytes, &p, 132 * 1024);
	assert_field(proc, commit_estimate_bytes, &p, 632 * 1024);
	assert_field(proc, thp_enabled, &p, false);
	assert_true(facts.has_mm);
	assert_int_equal(facts.vsize_bytes, 5416 * 1024);
	assert_int_equal(facts.unknown_keys, 1);
	vmt_arena_done(&a);
}

static void test_status_malformed(void **state)
{
	static const char *const texts[] = { "Name:\tx\nUid:\t1\n", "Name:\tx\nVmSize:\tx kB\n",
					     "Name:\tx\nRssAnon:\t5\n", "Name:\tx\nnonsense\n" };
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(texts); i++) {
		struct vmt_pid_facts facts = { 0 };
		struct vmt_proc p = { 0 };
		struct vmt_err err = { 0 };

		assert_int_equal(
			vmt_pid_status_parse(vmt_bytes_of(texts[i]), NULL, &p, &facts, &err),
			-EINVAL);
		assert_int_equal(err.line, 2);
	}
}

/* A zombie: statm prints zeros, status has no Vm lines. */
static void a03_a04_what_has_no_memory_has_no_size(void **state)
{
	static const char text[] = "42 (x) Z 17 42 42 0 -1 0 123 9 45 7 1 2 3 4 20 0 1 0 300";
	struct vmt_pid_facts facts;
	struct vmt_proc p;

	assert_int_equal(stat_of(text, strlen(text), NULL, &p, &facts), 0);
	assert_int_equal(vmt_pid_statm_parse(VMT_BYTES("0 0 0 0 0 0 0"), 4096, &p, NULL), 0);
	assert_int_equal(vmt_pid_status_parse(VMT_BYTES("Name:\tx\nUid:\t0\t0\t0\t0\n"), NULL, &p,
					      &facts, NULL),
			 0);
	vmt_pid_settle(&p, &facts);
	assert_text(proc, class, &p, "zombie");
	assert_unknown(proc, rss_bytes, &p);
	assert_unknown(proc, vsize_bytes, &p);
	assert_unknown(proc, anonymous_bytes, &p);
	assert_unknown(proc, swap_bytes, &p);
	assert_field(proc, minor_faults_total, &p, 123);
}

static void a02_statm_after_the_end(void **state)
{
	struct vmt_pid_facts facts = { .has_mm = true, .vsize_bytes = 4096 };
	struct vmt_proc p = { 0 };

	VMT_SET(proc, vsize_bytes, &p, 0);
	VMT_SET(proc, rss_bytes, &p, 0);
	vmt_pid_settle(&p, &facts);
	assert_unknown(proc, rss_bytes, &p);
	/* Neither file that says what it is was read. */
	assert_unknown(proc, class, &p);
	VMT_SET(proc, state, &p, VMT_BYTES("S"));
	vmt_pid_settle(&p, &facts);
	assert_text(proc, class, &p, "user");
}

static void test_cgroup(void **state)
{
	static const struct {
		const char *text;
		const char *path; /* NULL: unknown */
	} cases[] = {
		{ "0::/user.slice\n", "/user.slice" },
		{ "0::/\n", "/" },
		{ "0::/a:b (deleted)\n", "/a:b (deleted)" },
		{ "5:cpu,memory:/m\n0::/u\n", "/m" },
		{ "0::/u\n5:memory:/m\n", "/m" },
		{ "5:memoryx,xmemory:/m\n1:name=memory:/n\n0::/u\n", "/u" },
		{ "1:name=systemd:/n\n", NULL },
		{ "", NULL },
		{ "\n::\n", "" },
		{ "0:\nx\n", NULL },
	};
	struct vmt_arena a;
	size_t i;

	vmt_arena_init(&a);
	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		struct vmt_proc p = { 0 };

		assert_int_equal(vmt_pid_cgroup_parse(vmt_bytes_of(cases[i].text), &a, &p), 0);
		if (cases[i].path)
			assert_text(proc, cgroup, &p, cases[i].path);
		else
			assert_unknown(proc, cgroup, &p);
	}
	vmt_arena_done(&a);
}

static void write_process(const struct unit_dir *d, const char *pid, const char *stat)
{
	char name[64];

	snprintf(name, sizeof(name), "proc/%s/stat", pid);
	unit_dir_write(d, name, stat);
	snprintf(name, sizeof(name), "proc/%s/statm", pid);
	unit_dir_write(d, name, "100 50 1 1 0 1 0\n");
	snprintf(name, sizeof(name), "proc/%s/status", pid);
	unit_dir_write(d, name, status);
}

static void test_read_below_a_root(void **state)
{
	struct vmt_pid_facts facts = { 0 };
	struct vmt_root *root = NULL;
	struct vmt_proc p = { 0 };
	struct unit_dir d;
	struct vmt_arena a;
	uint64_t *pids = NULL;
	size_t n = 0;

	unit_dir_make(&d);
	unit_dir_write(&d, "vmtop-fixture", "page_size 16384\nuser_hz 250\n");
	write_process(&d, "42", "42 (x)" REST);
	write_process(&d, "7", "7 (y)" REST);
	unit_dir_write(&d, "proc/1000000/comm", "no stat\n");
	/* No process has such a number. */
	unit_dir_write(&d, "proc/007/comm", "x\n");
	unit_dir_write(&d, "proc/0/comm", "x\n");
	unit_dir_write(&d, "proc/+9/comm", "x\n");
	unit_dir_write(&d, "proc/9x/comm", "x\n");
	unit_dir_write(&d, "proc/4194305/comm", "x\n");
	unit_dir_write(&d, "proc/meminfo", "MemTotal: 1 kB\n");
	assert_int_equal(vmt_root_open(d.path, &root, NULL), 0);
	vmt_arena_init(&a);

	assert_int_equal(vmt_pids_list(root, &pids, &n, NULL), 0);
	assert_int_equal(n, 3);
	assert_int_equal(pids[0], 7);
	assert_int_equal(pids[1], 42);
	assert_int_equal(pids[2], 1000000);

	assert_int_equal(vmt_pid_read(root, 42, VMT_PID_FILES, &a, &p, &facts, NULL), 0);
	assert_field(proc, pid, &p, 42);
	assert_field(proc, vsize_bytes, &p, 5416 * 1024);
	assert_field(proc, start_time_ns, &p, 1200000000);
	assert_text(proc, comm, &p, "x");
	assert_int_equal(facts.status.reads + facts.stat.reads + facts.statm.reads, 3);
	p = (struct vmt_proc){ 0 };
	facts = (struct vmt_pid_facts){ 0 };
	assert_int_equal(vmt_pid_read(root, 42, VMT_SOURCE_BIT(STATM) | VMT_SOURCE_BIT(STAT), &a,
				      &p, &facts, NULL),
			 0);
	assert_field(proc, vsize_bytes, &p, 100 * 16384);
	assert_field(proc, rss_bytes, &p, 50 * 16384);
	assert_text(proc, comm, &p, "x");
	assert_text(proc, class, &p, "user");
	assert_unknown(proc, uid, &p);
	assert_unknown(proc, anonymous_bytes, &p);
	assert_int_equal(facts.status.reads, 0);
	assert_int_equal(vmt_pid_read(root, 8, VMT_PID_FILES, &a, &p, &facts, NULL), -ESRCH);
	/* It ended between two files. */
	assert_int_equal(vmt_pid_read(root, 1000000, VMT_PID_FILES, &a, &p, &facts, NULL), -ESRCH);

	free(pids);
	vmt_arena_done(&a);
	vmt_root_unref(root);
	unit_dir_remove(&d);
}

/* A machine of one process, 42, whose first thread ended. */
static void make_headless(struct unit_dir *d)
{
	unit_dir_make(d);
	unit_dir_write(d, "vmtop-fixture", "page_size 4096\nuser_hz 100\n");
	unit_dir_write(d, "proc/42/stat",
		       "42 (x) Z 17 42 42 0 -1 0 1 0 0 0 0 0 0 0 20 0 3 0 300 0 0\n");
	unit_dir_write(d, "proc/42/statm", "0 0 0 0 0 0 0\n");
	unit_dir_write(d, "proc/42/status", "Name:\tx\nUid:\t0\t0\t0\t0\n");
}

/* The first thread ended, another lives: its files have the memory. */
static void a06_headless_below_a_root(void **state)
{
	struct vmt_pid_facts facts = { 0 };
	struct vmt_root *root = NULL;
	struct vmt_proc p = { 0 };
	struct unit_dir d;
	struct vmt_arena a;

	make_headless(&d);
	unit_dir_write(&d, "proc/42/task/42/status", "Name:\tx\n");
	unit_dir_write(&d, "proc/42/task/43/status", "Name:\tended too\n");
	unit_dir_write(&d, "proc/42/task/44/status", status);
	unit_dir_write(&d, "proc/42/task/44/statm", "100 50 1 1 0 1 0\n");
	assert_int_equal(vmt_root_open(d.path, &root, NULL), 0);
	vmt_arena_init(&a);
	assert_int_equal(vmt_pid_read(root, 42, VMT_PID_FILES, &a, &p, &facts, NULL), 0);
	assert_text(proc, class, &p, "user");
	assert_text(proc, comm, &p, "x");
	assert_text(proc, state, &p, "Z");
	assert_field(proc, rss_bytes, &p, 3128 * 1024);
	assert_field(proc, anonymous_bytes, &p, 1372 * 1024);
	vmt_arena_done(&a);
	vmt_root_unref(root);
	unit_dir_remove(&d);
}

static void test_ourselves(void **state)
{
	struct vmt_pid_facts facts = { 0 };
	struct vmt_root *root = NULL;
	struct vmt_proc p = { 0 };
	struct vmt_arena a;

	assert_int_equal(vmt_root_open(NULL, &root, NULL), 0);
	vmt_arena_init(&a);
	assert_int_equal(
		vmt_pid_read(root, (uint64_t)getpid(), VMT_PID_FILES, &a, &p, &facts, NULL), 0);
	assert_field(proc, ppid, &p, getppid());
	assert_field(proc, uid, &p, geteuid());
	assert_text(proc, class, &p, "user");
	assert_true(VMT_HAS(proc, rss_bytes, &p) && p.rss_bytes > 0);
	vmt_arena_done(&a);
	vmt_root_unref(root);
}

static int read_one(void *arg)
{
	struct vmt_pid_facts facts = { 0 };
	struct vmt_proc p = { 0 };
	struct vmt_arena a;
	int r;

	vmt_arena_init(&a);
	r = vmt_pid_read(arg, (uint64_t)getpid(), VMT_PID_FILES, &a, &p, &facts, NULL);
	vmt_arena_done(&a);
	return r;
}

static int list_all(void *arg)
{
	uint64_t *pids = NULL;
	size_t n;
	int r = vmt_pids_list(arg, &pids, &n, NULL);

	free(pids);
	return r;
}

static void m02_failing_allocations(void **state)
{
	struct vmt_root *root = NULL;

	assert_int_equal(vmt_root_open(NULL, &root, NULL), 0);
	assert_true(unit_alloc_sweep(read_one, root) >= 2);
	assert_true(unit_alloc_sweep(list_all, root) >= 1);
	vmt_root_unref(root);
}

/* Values of status in other forms than the kernel's: refused with their line, and none is kept. */
static void test_status_values(void **state)
{
	static const struct {
		const char *line;
		int r;
	} cases[] = {
		{ "Uid:\tx\t1\n", -EINVAL },
		{ "Uid:\t1\tx\n", -EINVAL },
		{ "Uid:\t1x2\n", -EINVAL },
		{ "Uid:\t18446744073709551616\t1\n", -ERANGE },
		{ "NStgid:\tx\n", -EINVAL },
		{ "NStgid:\t4711\tx\n", -EINVAL },
		{ "NStgid:\t4711-1\n", -EINVAL },
		{ "State:\n", -EINVAL },
		{ "VmSize:\t18446744073709551615 kB\n", -ERANGE },
		{ "RssAnon:\t18446744073709551615 kB\n", -ERANGE },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		struct vmt_pid_facts facts = { 0 };
		struct vmt_proc p = { 0 };
		struct vmt_err err = { 0 };
		VMT_AUTO_BUF text = { 0 };

		vmt_buf_addf(&text, "Name:\tx\n\n%s", cases[i].line);
		assert_int_equal(vmt_pid_status_parse((struct vmt_bytes){ text.data, text.len },
						      NULL, &p, &facts, &err),
				 cases[i].r);
		assert_int_equal(err.line, 3);
		assert_unknown(proc, uid, &p);
		assert_unknown(proc, ns_pid, &p);
		assert_false(facts.has_mm);
	}
}

static void test_status_of_other_forms(void **state)
{
	struct vmt_pid_facts facts = { 0 };
	struct vmt_proc p = { 0 };
	struct vmt_arena a;

	vmt_arena_init(&a);
	/* A backslash that escapes nothing, and one that is the last; a number of each namespace.
	 */
	assert_int_equal(vmt_pid_status_parse(VMT_BYTES("Name:\ta\\tb\\\nNStgid:\t4711\t12\t1\n"
							"State:\tQ (what)\nKthread:\t1\n"),
					      &a, &p, &facts, NULL),
			 0);
	assert_text(proc, comm, &p, "a\\tb\\");
	assert_field(proc, ns_pid, &p, 1);
	assert_text(proc, state, &p, "?");
	assert_true(facts.told_kthread && facts.kthread);
	/* One that says no letter of ours at all. */
	assert_bytes(vmt_pid_state(0), "?");
	assert_bytes(vmt_pid_state('D'), "D");
	/* Sums that no number holds are not estimated. */
	p = (struct vmt_proc){ 0 };
	assert_int_equal(vmt_pid_status_parse(VMT_BYTES("VmData:\t18014398509481983 kB\n"
							"VmStk:\t18014398509481983 kB\n"),
					      NULL, &p, &facts, NULL),
			 0);
	assert_true(VMT_HAS(proc, data_bytes, &p) && VMT_HAS(proc, stack_bytes, &p));
	assert_unknown(proc, commit_estimate_bytes, &p);
	vmt_arena_done(&a);
}

static void test_statm_that_overflows(void **state)
{
	struct vmt_proc p = { 0 };

	assert_int_equal(vmt_pid_statm_parse(VMT_BYTES("4503599627370496 1 0"), 4096, &p, NULL),
			 -ERANGE);
	assert_int_equal(vmt_pid_statm_parse(VMT_BYTES("1 4503599627370496 0"), 4096, &p, NULL),
			 -ERANGE);
	assert_int_equal(vmt_pid_statm_parse(VMT_BYTES("1-1"), 4096, &p, NULL), -EINVAL);
	assert_unknown(proc, vsize_bytes, &p);
	assert_unknown(proc, rss_bytes, &p);
}

/* Longer than what is read at first: supplementary groups may be 65536. */
static void test_a_long_status(void **state)
{
	struct vmt_pid_facts facts = { 0 };
	struct vmt_root *root = NULL;
	struct vmt_proc p = { 0 };
	VMT_AUTO_BUF text = { 0 };
	struct unit_dir d;
	struct vmt_arena a;
	int i;

	vmt_buf_adds(&text, "Name:\tx\nUid:\t5\t5\t5\t5\nGroups:\t");
	for (i = 0; i < 20000; i++)
		vmt_buf_addf(&text, "%d ", 100000 + i);
	vmt_buf_adds(&text, "\nVmSize:\t12 kB\nRssAnon:\t8 kB\n");
	unit_dir_make(&d);
	unit_dir_write(&d, "vmtop-fixture", "page_size 4096\nuser_hz 100\n");
	unit_dir_write(&d, "proc/42/status", text.data);
	assert_int_equal(vmt_root_open(d.path, &root, NULL), 0);
	vmt_arena_init(&a);
	assert_int_equal(vmt_pid_read(root, 42, VMT_SOURCE_BIT(STATUS), &a, &p, &facts, NULL), 0);
	assert_field(proc, uid, &p, 5);
	assert_field(proc, anonymous_bytes, &p, 8 * 1024);
	assert_int_equal(facts.status.bytes, text.len);
	vmt_arena_done(&a);
	vmt_root_unref(root);
	unit_dir_remove(&d);
}

/* Of a thread that answers, what it does not say stays unknown; without one, so does all. */
static void test_headless_of_which_little_is_known(void **state)
{
	static const char *const left[] = { NULL, "nonsense\n", "", "VmSize:\t12 kB\n" };
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(left); i++) {
		bool answers = i == VMT_ARRAY_LEN(left) - 1;
		struct vmt_pid_facts facts = { 0 };
		struct vmt_root *root = NULL;
		struct vmt_proc p = { 0 };
		struct unit_dir d;
		struct vmt_arena a;

		make_headless(&d);
		if (left[i]) {
			unit_dir_write(&d, "proc/42/task/notes/status", "x\n");
			unit_dir_write(&d, "proc/42/task/43/comm", "no status\n");
			unit_dir_write(&d, "proc/42/task/44/status", left[i]);
		}
		assert_int_equal(vmt_root_open(d.path, &root, NULL), 0);
		vmt_arena_init(&a);
		assert_int_equal(vmt_pid_read(root, 42, VMT_PID_FILES, &a, &p, &facts, NULL), 0);
		assert_text(proc, state, &p, "Z");
		assert_text(proc, class, &p, "user");
		assert_unknown(proc, rss_bytes, &p);
		assert_unknown(proc, anonymous_bytes, &p);
		assert_unknown(proc, swap_bytes, &p);
		assert_unknown(proc, thp_enabled, &p);
		if (answers)
			assert_field(proc, vsize_bytes, &p, 12 * 1024);
		else
			assert_unknown(proc, vsize_bytes, &p);
		/* What it is needs none of its threads where no size is asked for. */
		assert_int_equal(vmt_pid_read(root, 42, VMT_SOURCE_BIT(STAT), &a, &p, &facts, NULL),
				 0);
		vmt_arena_done(&a);
		vmt_root_unref(root);
		unit_dir_remove(&d);
	}
}

/* A machine without processes has a list without any. */
static void test_no_processes(void **state)
{
	struct vmt_root *root = NULL;
	struct unit_dir d;
	uint64_t *pids = NULL;
	size_t n = 7;

	unit_dir_make(&d);
	unit_dir_write(&d, "vmtop-fixture", "page_size 4096\n");
	unit_dir_write(&d, "proc/meminfo", "");
	assert_int_equal(vmt_root_open(d.path, &root, NULL), 0);
	assert_int_equal(vmt_pids_list(root, &pids, &n, NULL), 0);
	assert_int_equal(n, 0);
	free(pids);
	vmt_root_unref(root);
	unit_dir_remove(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(b01_b02_stat_with_any_name),
		cmocka_unit_test(a05_stat_of_a_kernel_thread),
		cmocka_unit_test(test_stat_of_an_unknown_clock),
		cmocka_unit_test(n06_stat_malformed),
		cmocka_unit_test(test_statm),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_status_malformed),
		cmocka_unit_test(a03_a04_what_has_no_memory_has_no_size),
		cmocka_unit_test(a02_statm_after_the_end),
		cmocka_unit_test(test_cgroup),
		cmocka_unit_test(test_read_below_a_root),
		cmocka_unit_test(a06_headless_below_a_root),
		cmocka_unit_test(test_ourselves),
		cmocka_unit_test(m02_failing_allocations),
		cmocka_unit_test(test_status_values),
		cmocka_unit_test(test_status_of_other_forms),
		cmocka_unit_test(test_statm_that_overflows),
		cmocka_unit_test(test_a_long_status),
		cmocka_unit_test(test_headless_of_which_little_is_known),
		cmocka_unit_test(test_no_processes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
