/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "source/proc-job.h"

#define STAT(start) "42 (x) S 1 42 42 0 -1 0 1 0 0 0 0 0 0 0 20 0 1 0 " start " 0 0\n"

static const char maps[] = "1000-2000 r--p 00000000 fe:00 7                   /bin/x\n"
			   "2000-4000 rw-p 00000000 00:00 0 \n";
static const char smaps[] = "1000-2000 r--p 00000000 fe:00 7                   /bin/x\n"
			    "Rss: 4 kB\nVmFlags: rd\n"
			    "2000-4000 rw-p 00000000 00:00 0 \n"
			    "Rss: 0 kB\nVmFlags: rd wr\n";
static const char rollup[] = "1000-4000 ---p 00000000 00:00 0 [rollup]\nRss: 4 kB\nPss: 2 kB\n";

struct fixture {
	struct unit_dir dir;
	struct vmt_proc_shared *shared;
	struct vmt_pool *pool;
	struct vmt_proc proc;
	int opens;
};

static int setup(void **state)
{
	const struct vmt_pool_opts opts = { .readers = 1 };
	struct fixture *f = calloc(1, sizeof(*f));
	struct vmt_root *root = NULL;

	unit_dir_make(&f->dir);
	unit_dir_write(&f->dir, "vmtop-fixture", "page_size 4096\nuser_hz 100\n");
	unit_dir_write(&f->dir, "proc/42/stat", STAT("300"));
	unit_dir_write(&f->dir, "proc/42/maps", maps);
	unit_dir_write(&f->dir, "proc/42/smaps", smaps);
	unit_dir_write(&f->dir, "proc/42/smaps_rollup", rollup);
	assert_int_equal(vmt_root_open(f->dir.path, &root, NULL), 0);
	f->shared = vmt_proc_shared_new(root);
	assert_non_null(f->shared);
	assert_int_equal(vmt_proc_shared_load(f->shared, UINT32_MAX), 0);
	assert_int_equal(vmt_pool_new(&opts, &f->pool), 0);
	VMT_SET(proc, pid, &f->proc, 42);
	VMT_SET(proc, start_time_ns, &f->proc, UINT64_C(3000000000));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	vmt_pool_free(f->pool);
	vmt_proc_shared_unref(f->shared);
	unit_dir_remove(&f->dir);
	free(f);
	return 0;
}

static void done(size_t index, struct vmt_job *job, int result, void *ctx, void *arg)
{
	assert_int_equal(result, 0);
	assert_non_null(ctx);
	*(struct vmt_proc_task **)arg = ctx;
}

/* Runs one job; the task lives as long as the job. */
static struct vmt_job *run(struct fixture *f, uint64_t sources, struct vmt_proc_task **task)
{
	struct vmt_job *job = vmt_proc_job_new(f->shared, sources, false, 0, &f->proc, -1);

	assert_non_null(job);
	assert_int_equal(vmt_pool_run(f->pool, &job, 1, 0, done, task), 0);
	return job;
}

#define MAPS	VMT_SOURCE_BIT(MAPS)
#define SMAPS	VMT_SOURCE_BIT(SMAPS)
#define ROLLUP	VMT_SOURCE_BIT(ROLLUP)
#define PAGEMAP VMT_SOURCE_BIT(PAGEMAP)

static void test_all_at_once(void **state)
{
	struct vmt_proc_task *t;
	struct vmt_job *job = run(*state, MAPS | SMAPS | ROLLUP, &t);

	assert_true(t->has_maps && t->consistent);
	assert_int_equal(t->n_maps, 2);
	assert_field(map, rss_bytes, &t->maps[0], 4096);
	assert_text(map, path, &t->maps[0], "/bin/x");
	assert_field(proc, pss_bytes, &t->rollup, 2048);
	assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_MAPS)].reads, 1);
	assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_SMAPS)].reads, 1);
	assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_SMAPS)].bytes, strlen(smaps));
	assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_ROLLUP)].reads, 1);
	assert_true(t->read[vmt_proc_slot(VMT_SOURCE_SMAPS)].longest_ns > 0);
	assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_SMAPS)].code, 0);
	vmt_job_unref(job);
}

/* Nodes by the start of the mapping; a line without a mapping says that the list is another one. */
static void test_numa(void **state)
{
	static const char numa[] = "1000 bind:1 file=/bin/x mapped=1 N1=1 kernelpagesize_kB=4\n"
				   "2000 default\n";
	struct fixture *f = *state;
	struct vmt_proc_task *t;
	struct vmt_job *job;

	job = run(f, MAPS | VMT_SOURCE_BIT(NUMA), &t);
	assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_NUMA)].code, -ENOENT);
	vmt_job_unref(job);
	unit_dir_write(&f->dir, "proc/42/numa_maps", numa);
	job = run(f, MAPS | VMT_SOURCE_BIT(NUMA), &t);
	assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_NUMA)].code, 0);
	assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_NUMA)].bytes, strlen(numa));
	assert_text(map, numa_policy, &t->maps[0], "bind:1");
	assert_text(map, numa_nodes, &t->maps[0], "N1=1");
	assert_field(map, numa_page_size_bytes, &t->maps[0], 4096);
	assert_text(map, numa_nodes, &t->maps[1], "");
	assert_unknown(map, numa_page_size_bytes, &t->maps[1]);
	vmt_job_unref(job);
	unit_dir_write(&f->dir, "proc/42/numa_maps", "2000 default N0=1\n3000 default\n");
	job = run(f, MAPS | VMT_SOURCE_BIT(NUMA), &t);
	assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_NUMA)].code, -EXDEV);
	assert_unknown(map, numa_nodes, &t->maps[0]);
	assert_text(map, numa_nodes, &t->maps[1], "N0=1");
	vmt_job_unref(job);
	unit_dir_write(&f->dir, "proc/42/numa_maps", "1000 default N0=1\n2000 default N0=x\n");
	job = run(f, MAPS | VMT_SOURCE_BIT(NUMA), &t);
	assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_NUMA)].code, -EINVAL);
	assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_NUMA)].err->line, 2);
	vmt_job_unref(job);
}

static void test_maps_alone(void **state)
{
	struct vmt_proc_task *t;
	struct vmt_job *job = run(*state, MAPS, &t);

	assert_true(t->has_maps);
	assert_int_equal(t->n_maps, 2);
	assert_unknown(map, rss_bytes, &t->maps[0]);
	assert_false(t->read[vmt_proc_slot(VMT_SOURCE_SMAPS)].tried);
	assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_MAPS)].reads, 1);
	vmt_job_unref(job);
}

static void a13_lists_that_differ(void **state)
{
	struct fixture *f = *state;
	struct vmt_proc_task *t;
	struct vmt_job *job;

	unit_dir_write(&f->dir, "proc/42/maps", "1000-2000 r--p 00000000 fe:00 7 /bin/x\n");
	job = run(f, MAPS | SMAPS, &t);
	assert_true(t->has_maps);
	assert_false(t->consistent);
	assert_int_equal(t->n_maps, 2);
	assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_SMAPS)].reads, 3);
	vmt_job_unref(job);
}

static void test_without_smaps_there_still_is_maps(void **state)
{
	struct fixture *f = *state;
	struct vmt_proc_task *t;
	struct vmt_job *job;

	assert_int_equal(unlinkat(f->dir.fd, "proc/42/smaps", 0), 0);
	job = run(f, MAPS | SMAPS, &t);
	assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_SMAPS)].code, -ENOENT);
	assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_MAPS)].code, 0);
	assert_true(t->has_maps);
	assert_int_equal(t->n_maps, 2);
	assert_unknown(map, rss_bytes, &t->maps[0]);
	vmt_job_unref(job);
}

static void a08_another_process_of_that_number(void **state)
{
	struct fixture *f = *state;
	struct vmt_proc_task *t;
	struct vmt_job *job;

	unit_dir_write(&f->dir, "proc/42/stat", STAT("301"));
	job = run(f, MAPS | SMAPS | ROLLUP, &t);
	assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_MAPS)].code, -ESRCH);
	assert_false(t->has_maps);
	assert_unknown(proc, pss_bytes, &t->rollup);
	vmt_job_unref(job);
}

static void a03_it_became_a_zombie(void **state)
{
	struct fixture *f = *state;
	struct vmt_proc_task *t;
	struct vmt_job *job;

	unit_dir_write(&f->dir, "proc/42/stat",
		       "42 (x) Z 1 42 42 0 -1 0 1 0 0 0 0 0 0 0 20 0 1 0 300 0 0\n");
	unit_dir_write(&f->dir, "proc/42/maps", "");
	job = run(f, MAPS, &t);
	assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_MAPS)].code, -ESRCH);
	assert_false(t->has_maps);
	vmt_job_unref(job);
}

static void a10_a_process_without_mappings(void **state)
{
	struct fixture *f = *state;
	struct vmt_proc_task *t;
	struct vmt_job *job;

	unit_dir_write(&f->dir, "proc/42/maps", "");
	unit_dir_write(&f->dir, "proc/42/smaps", "");
	unit_dir_write(&f->dir, "proc/42/smaps_rollup", "");
	unit_dir_write(&f->dir, "proc/42/status", "Name:\tx\nVmSize:\t       0 kB\n");
	job = run(f, MAPS | SMAPS | ROLLUP, &t);
	assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_MAPS)].code, 0);
	assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_SMAPS)].code, 0);
	assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_ROLLUP)].code, 0);
	assert_true(t->has_maps && t->consistent);
	assert_int_equal(t->n_maps, 0);
	assert_unknown(proc, pss_bytes, &t->rollup);
	vmt_job_unref(job);
}

/* status does not agree: its address space was gone when the list was read. */
static void a07_a_list_without_a_byte(void **state)
{
	struct fixture *f = *state;
	struct vmt_proc_task *t;
	struct vmt_job *job;

	unit_dir_write(&f->dir, "proc/42/maps", "");
	unit_dir_write(&f->dir, "proc/42/smaps", "");
	unit_dir_write(&f->dir, "proc/42/smaps_rollup", "");
	unit_dir_write(&f->dir, "proc/42/status", "Name:\tx\nVmSize:\t       8 kB\n");
	job = run(f, MAPS | SMAPS | ROLLUP, &t);
	assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_SMAPS)].code, -EXDEV);
	assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_ROLLUP)].code, -EXDEV);
	assert_false(t->has_maps);
	vmt_job_unref(job);
}

static void write_maps(void *arg)
{
	struct fixture *f = arg;

	if (f->opens++)
		unit_dir_write(&f->dir, "proc/42/maps", maps);
}

static void write_rollup(void *arg)
{
	struct fixture *f = arg;

	if (f->opens++)
		unit_dir_write(&f->dir, "proc/42/smaps_rollup", rollup);
}

/* execve() between open and read: the second look finds the new address space. */
static void a07_another_address_space_at_the_second_look(void **state)
{
	struct fixture *f = *state;
	struct vmt_proc_task *t;
	struct vmt_job *job;

	unit_dir_write(&f->dir, "proc/42/maps", "");
	unit_on_open("maps", write_maps, f);
	job = run(f, MAPS, &t);
	unit_on_open(NULL, NULL, NULL);
	assert_int_equal(f->opens, 2);
	assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_MAPS)].code, 0);
	assert_int_equal(t->n_maps, 2);
	assert_true(t->consistent);
	vmt_job_unref(job);

	f->opens = 0;
	unit_dir_write(&f->dir, "proc/42/smaps_rollup", "");
	unit_on_open("smaps_rollup", write_rollup, f);
	job = run(f, ROLLUP, &t);
	unit_on_open(NULL, NULL, NULL);
	assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_ROLLUP)].code, 0);
	assert_field(proc, pss_bytes, &t->rollup, 2048);
	vmt_job_unref(job);
}

static void empty_maps(void *arg)
{
	struct fixture *f = arg;

	unit_dir_write(&f->dir, "proc/42/maps", "");
}

/* pagemap was opened after the address space of the list had gone, and no other one is there. */
static void a07_pagemap_of_another_address_space(void **state)
{
	static uint64_t words[4] = { 0, UINT64_C(1) << 63, UINT64_C(1) << 63, UINT64_C(1) << 63 };
	struct fixture *f = *state;
	struct vmt_proc_task *t;
	struct vmt_job *job;

	unit_dir_write_bytes(&f->dir, "proc/42/pagemap", words, sizeof(words));
	unit_on_open("pagemap", empty_maps, f);
	job = run(f, MAPS | PAGEMAP, &t);
	unit_on_open(NULL, NULL, NULL);
	/* Nobody knows any more whether the list had come to its end. */
	assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_MAPS)].code, -EXDEV);
	assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_PAGEMAP)].code, -EXDEV);
	assert_int_equal(t->n_maps, 2);
	assert_false(t->consistent);
	assert_unknown(map, present_pages, &t->maps[0]);
	assert_unknown(map, swapped_pages, &t->maps[1]);
	vmt_job_unref(job);
}

static const char maps_then[] = "5000-6000 r--p 00000000 fe:00 7                   /bin/y\n";

/* execve() between the list and its pages: the file of the list that is open is empty from then
 * on, and the next that is opened is the new program's. */
static void another_program(void *arg)
{
	struct fixture *f = arg;
	char path[PATH_MAX];

	if (f->opens++)
		return;
	unit_dir_write(&f->dir, "proc/42/maps", "");
	snprintf(path, sizeof(path), "%s/proc/42/maps", f->dir.path);
	assert_int_equal(unlink(path), 0);
	unit_dir_write(&f->dir, "proc/42/maps", maps_then);
}

static void a07_list_and_pages_of_the_next_program(void **state)
{
	static uint64_t words[6] = { 0, UINT64_C(1) << 63, 0, 0, 0, UINT64_C(5) << 61 };
	struct fixture *f = *state;
	struct vmt_proc_task *t;
	struct vmt_job *job;

	unit_dir_write_bytes(&f->dir, "proc/42/pagemap", words, sizeof(words));
	unit_on_open("pagemap", another_program, f);
	job = run(f, MAPS | PAGEMAP, &t);
	unit_on_open(NULL, NULL, NULL);
	assert_int_equal(f->opens, 2);
	assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_MAPS)].code, 0);
	assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_PAGEMAP)].code, 0);
	assert_int_equal(t->n_maps, 1);
	assert_true(t->consistent);
	assert_text(map, path, &t->maps[0], "/bin/y");
	assert_field(map, file_pages, &t->maps[0], 1);
	vmt_job_unref(job);
}

static void it_ends(void *arg)
{
	struct fixture *f = arg;

	unit_dir_write(&f->dir, "proc/42/maps", "");
	unit_dir_write(&f->dir, "proc/42/stat",
		       "42 (x) Z 1 42 42 0 -1 0 1 0 0 0 0 0 0 0 20 0 1 0 300 0 0\n");
}

static void a02_it_ends_between_list_and_pages(void **state)
{
	static uint64_t words[6] = { 0, UINT64_C(1) << 63, 0, 0, 0, UINT64_C(5) << 61 };
	struct fixture *f = *state;
	struct vmt_proc_task *t;
	struct vmt_job *job;

	unit_dir_write_bytes(&f->dir, "proc/42/pagemap", words, sizeof(words));
	unit_on_open("pagemap", it_ends, f);
	job = run(f, MAPS | PAGEMAP, &t);
	unit_on_open(NULL, NULL, NULL);
	assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_MAPS)].code, -ESRCH);
	assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_PAGEMAP)].code, -ESRCH);
	assert_unknown(map, present_pages, &t->maps[0]);
	vmt_job_unref(job);
}

static void test_the_number_of_mappings_alone(void **state)
{
	struct fixture *f = *state;
	struct vmt_proc_task *t = NULL;
	struct vmt_job *job = vmt_proc_job_new(f->shared, MAPS | ROLLUP, true, 0, &f->proc, -1);

	assert_int_equal(vmt_pool_run(f->pool, &job, 1, 0, done, &t), 0);
	assert_true(t->has_maps && t->consistent);
	assert_int_equal(t->maps_total, 2);
	assert_null(t->maps);
	assert_field(proc, pss_bytes, &t->rollup, 2048);
	vmt_job_unref(job);
	/* What needs the rows has them. */
	job = vmt_proc_job_new(f->shared, MAPS | SMAPS, true, 0, &f->proc, -1);
	assert_int_equal(vmt_pool_run(f->pool, &job, 1, 0, done, &t), 0);
	assert_field(map, rss_bytes, &t->maps[0], 4096);
	vmt_job_unref(job);
}

/* A copy of what a job has shares nothing with it. */
static void test_a_copy(void **state)
{
	struct vmt_proc_task *t, copy;
	struct vmt_job *job = run(*state, MAPS | SMAPS | ROLLUP, &t);
	const char *path = t->maps[0].path.ptr;

	assert_int_equal(vmt_proc_job_copy(job, &copy), 0);
	assert_ptr_not_equal(copy.maps, t->maps);
	assert_ptr_not_equal(copy.maps[0].path.ptr, path);
	vmt_job_unref(job);
	assert_true(copy.has_maps && copy.consistent);
	assert_int_equal(copy.n_maps, 2);
	assert_text(map, path, &copy.maps[0], "/bin/x");
	assert_text(map, vm_flags, &copy.maps[1], "rd wr");
	assert_field(map, rss_bytes, &copy.maps[0], 4096);
	assert_field(proc, pss_bytes, &copy.rollup, 2048);
	assert_int_equal(copy.read[vmt_proc_slot(VMT_SOURCE_SMAPS)].reads, 1);
	vmt_arena_done(&copy.arena);
	free(copy.maps);
}

static void a06_the_first_thread_has_ended(void **state)
{
	struct fixture *f = *state;
	struct vmt_proc_task *t;
	struct vmt_job *job;

	unit_dir_write(&f->dir, "proc/42/stat",
		       "42 (x) Z 1 42 42 0 -1 0 1 0 0 0 0 0 0 0 20 0 2 0 300 0 0\n");
	unit_dir_write(&f->dir, "proc/42/maps", "");
	unit_dir_write(&f->dir, "proc/42/task/42/status", "Name:\tx\n");
	unit_dir_write(&f->dir, "proc/42/task/43/status", "Name:\tx\nVmSize:\t 8 kB\n");
	unit_dir_write(&f->dir, "proc/42/task/43/stat", STAT("300"));
	unit_dir_write(&f->dir, "proc/42/task/43/maps", maps);
	job = run(f, MAPS, &t);
	assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_MAPS)].code, 0);
	assert_int_equal(t->n_maps, 2);
	vmt_job_unref(job);
}

static void test_malformed_says_where(void **state)
{
	struct fixture *f = *state;
	struct vmt_proc_task *t;
	struct vmt_job *job;

	unit_dir_write(&f->dir, "proc/42/smaps", "1000-2000 r--p 0 fe:00 7 /x\nRss: much\n");
	job = run(f, MAPS | SMAPS, &t);
	assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_SMAPS)].code, -EINVAL);
	assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_SMAPS)].err->line, 2);
	assert_string_equal(t->read[vmt_proc_slot(VMT_SOURCE_SMAPS)].err->path, "smaps");
	/* The list of mappings is not lost with it. */
	assert_int_equal(t->n_maps, 2);
	vmt_job_unref(job);
}

static void test_pagemap(void **state)
{
	static uint64_t words[5] = { 0, UINT64_C(5) << 61, 0, UINT64_C(1) << 63 };
	struct fixture *f = *state;
	struct vmt_proc_task *t;
	struct vmt_job *job;

	unit_dir_write_bytes(&f->dir, "proc/42/pagemap", words, sizeof(words));
	job = run(f, MAPS | PAGEMAP, &t);
	assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_PAGEMAP)].code, 0);
	assert_field(map, present_pages, &t->maps[0], 1);
	assert_field(map, file_pages, &t->maps[0], 1);
	assert_field(map, present_pages, &t->maps[1], 1);
	assert_field(map, file_pages, &t->maps[1], 0);
	/* Nobody knows whether the kernel of a recording kept the mark. */
	assert_unknown(map, soft_dirty_pages, &t->maps[0]);
	vmt_job_unref(job);
}

/* The list that pagemap was read for has the size of the address space behind it, or not. */
static void a13_a_list_that_changed_under_pagemap(void **state)
{
	static const struct {
		const char *statm;
		bool compared;
		bool consistent;
	} cases[] = {
		{ NULL, false, true }, /* nobody knows */
		{ "3 1 0 0 0 0 0\n", true, true },
		{ "4 1 0 0 0 0 0\n", true, false },
	};
	static uint64_t words[5] = { 0, UINT64_C(1) << 63 };
	struct fixture *f = *state;
	struct vmt_proc_task *t, copy;
	struct vmt_job *job;
	size_t i;

	unit_dir_write_bytes(&f->dir, "proc/42/pagemap", words, sizeof(words));
	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		if (cases[i].statm)
			unit_dir_write(&f->dir, "proc/42/statm", cases[i].statm);
		job = run(f, MAPS | PAGEMAP, &t);
		assert_int_equal(t->compared, cases[i].compared);
		assert_int_equal(t->consistent, cases[i].consistent);
		assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_MAPS)].reads, 1);
		assert_int_equal(vmt_proc_job_copy(job, &copy), 0);
		assert_int_equal(copy.compared, cases[i].compared);
		vmt_arena_done(&copy.arena);
		free(copy.maps);
		vmt_job_unref(job);
	}
	/* Without pagemap there is nothing that the list could differ from. */
	job = run(f, MAPS, &t);
	assert_false(t->compared);
	vmt_job_unref(job);
}

static void test_pagemap_of_a_huge_mapping_without_scan(void **state)
{
	static uint64_t words[2] = { 0, UINT64_C(1) << 63 };
	struct fixture *f = *state;
	struct vmt_proc_task *t;
	struct vmt_job *job;

	unit_dir_write(&f->dir, "proc/42/maps",
		       "1000-2000 rw-p 00000000 00:00 0 \n"
		       "10000000000-20000000000 ---p 00000000 00:00 0 \n"
		       "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]\n");
	unit_dir_write_bytes(&f->dir, "proc/42/pagemap", words, sizeof(words));
	job = run(f, MAPS | PAGEMAP, &t);
	assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_PAGEMAP)].code, -E2BIG);
	assert_field(map, present_pages, &t->maps[0], 1);
	assert_unknown(map, present_pages, &t->maps[1]);
	assert_unknown(map, present_pages, &t->maps[2]);
	assert_field(map, rss_bytes, &t->maps[2], 0);
	vmt_job_unref(job);
}

#define OOM	VMT_SOURCE_BIT(OOM)
#define CMDLINE VMT_SOURCE_BIT(CMDLINE)

/* What is no list of nodes: the line says where, and what it is not. */
static void test_numa_malformed(void **state)
{
	static const char longest[] = "1000 default N0=1 file=/";
	static const struct {
		const char *text;
		int r;
		unsigned line;
	} cases[] = {
		{ "11112222333344445 default\n", -ERANGE, 1 },
		{ "1000 default N0=1\n2000 default kernelpagesize_kB=18446744073709551615\n",
		  -ERANGE, 2 },
		{ "1000 default N0=1\n2000\n", -EINVAL, 2 },
	};
	struct fixture *f = *state;
	struct vmt_proc_task *t;
	struct vmt_job *job;
	VMT_AUTO_BUF endless = { 0 };
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		unit_dir_write(&f->dir, "proc/42/numa_maps", cases[i].text);
		job = run(f, MAPS | VMT_SOURCE_BIT(NUMA), &t);
		assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_NUMA)].code, cases[i].r);
		assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_NUMA)].err->line, cases[i].line);
		vmt_job_unref(job);
	}
	vmt_buf_adds(&endless, longest);
	while (endless.len < (1 << 21))
		vmt_buf_adds(&endless, "0123456789abcdef");
	unit_dir_write(&f->dir, "proc/42/numa_maps", endless.data);
	job = run(f, MAPS | VMT_SOURCE_BIT(NUMA), &t);
	assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_NUMA)].code, -EFBIG);
	assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_NUMA)].err->line, 1);
	vmt_job_unref(job);
	/* Fewer lines than mappings, and more. */
	unit_dir_write(&f->dir, "proc/42/numa_maps", "1000 default N0=1\n");
	job = run(f, MAPS | VMT_SOURCE_BIT(NUMA), &t);
	assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_NUMA)].code, -EXDEV);
	assert_text(map, numa_nodes, &t->maps[0], "N0=1");
	vmt_job_unref(job);
	unit_dir_write(&f->dir, "proc/42/numa_maps",
		       "1000 default N0=1\n1800 default\n2000 default\n");
	job = run(f, MAPS | VMT_SOURCE_BIT(NUMA), &t);
	assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_NUMA)].code, -EXDEV);
	assert_text(map, numa_nodes, &t->maps[1], "");
	vmt_job_unref(job);
}

/* The page of vsyscall has no line. */
static void test_numa_of_vsyscall(void **state)
{
	struct fixture *f = *state;
	struct vmt_proc_task *t;
	struct vmt_job *job;

	unit_dir_write(&f->dir, "proc/42/maps",
		       "1000-2000 r--p 00000000 fe:00 7                   /bin/x\n"
		       "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0      [vsyscall]\n");
	unit_dir_write(&f->dir, "proc/42/numa_maps", "1000 default N0=1\n");
	job = run(f, MAPS | VMT_SOURCE_BIT(NUMA), &t);
	assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_NUMA)].code, 0);
	assert_unknown(map, numa_nodes, &t->maps[1]);
	vmt_job_unref(job);
}

static void test_oom_and_command(void **state)
{
	static const struct {
		const char *score, *adj;
		int r;
		bool has_score;
	} cases[] = {
		{ "666\n", "-1000\n", 0, true },
		{ "666", "0", 0, true },
		{ "-1\n", "0\n", -EINVAL, false },
		{ "x\n", "0\n", -EINVAL, false },
		{ "66 6\n", "0\n", -EINVAL, false },
		{ "666\n\n", "0\n", -EINVAL, false },
		{ "9223372036854775808\n", "0\n", -EINVAL, false },
		{ "18446744073709551616\n", "0\n", -EINVAL, false },
		{ "", "0\n", -ESRCH, false },
		{ "666\n", "--1\n", -EINVAL, true },
		{ "666\n", "", -ESRCH, true },
	};
	struct fixture *f = *state;
	struct vmt_proc_task *t;
	struct vmt_job *job;
	size_t i;

	job = run(f, OOM | CMDLINE, &t);
	assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_OOM)].code, -ENOENT);
	assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_CMDLINE)].code, -ENOENT);
	assert_unknown(proc, cmdline, &t->rollup);
	vmt_job_unref(job);
	unit_dir_write_bytes(&f->dir, "proc/42/cmdline", "/bin/x\0-a\0b c\0 \0\0", 17);
	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		unit_dir_write(&f->dir, "proc/42/oom_score", cases[i].score);
		unit_dir_write(&f->dir, "proc/42/oom_score_adj", cases[i].adj);
		job = run(f, OOM | CMDLINE, &t);
		assert_int_equal(t->read[vmt_proc_slot(VMT_SOURCE_OOM)].code, cases[i].r);
		if (cases[i].has_score)
			assert_field(proc, oom_score, &t->rollup, 666);
		else
			assert_unknown(proc, oom_score, &t->rollup);
		assert_int_equal(VMT_HAS(proc, oom_score_adj, &t->rollup), cases[i].r == 0);
		if (i == 0)
			assert_field(proc, oom_score_adj, &t->rollup, -1000);
		assert_text(proc, cmdline, &t->rollup, "/bin/x -a b c");
		vmt_job_unref(job);
	}
	/* A process may take away its arguments: none, which is known. */
	unit_dir_write(&f->dir, "proc/42/cmdline", "");
	job = run(f, CMDLINE, &t);
	assert_text(proc, cmdline, &t->rollup, "");
	vmt_job_unref(job);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_all_at_once),
		TEST(test_numa),
		TEST(test_maps_alone),
		TEST(a13_lists_that_differ),
		TEST(test_without_smaps_there_still_is_maps),
		TEST(a08_another_process_of_that_number),
		TEST(a03_it_became_a_zombie),
		TEST(a10_a_process_without_mappings),
		TEST(a07_a_list_without_a_byte),
		TEST(a07_another_address_space_at_the_second_look),
		TEST(a07_pagemap_of_another_address_space),
		TEST(a07_list_and_pages_of_the_next_program),
		TEST(a02_it_ends_between_list_and_pages),
		TEST(test_the_number_of_mappings_alone),
		TEST(test_a_copy),
		TEST(a06_the_first_thread_has_ended),
		TEST(test_malformed_says_where),
		TEST(test_pagemap),
		TEST(a13_a_list_that_changed_under_pagemap),
		TEST(test_pagemap_of_a_huge_mapping_without_scan),
		TEST(test_numa_malformed),
		TEST(test_numa_of_vsyscall),
		TEST(test_oom_and_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
