/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "saved.h"

#define MANY 3000u

/* What came for each process, in order. */
struct seen {
	size_t next; /* process whose rows are due */
	size_t rows; /* of it, so far */
	size_t parts;
	size_t ended;
	size_t total[4];
	uint64_t last_start;
	uint64_t rss;
	int fail_at; /* parts until the consumer fails; 0: never */
};

static int take(void *arg, size_t index, const struct vmt_map *maps, size_t n, bool last)
{
	struct seen *seen = arg;
	size_t i;

	assert_int_equal(index, seen->next);
	for (i = 0; i < n; i++) {
		assert_true(VMT_HAS(map, start, &maps[i]));
		assert_true(maps[i].start >= seen->last_start);
		seen->last_start = maps[i].end;
		if (VMT_HAS(map, rss_bytes, &maps[i]))
			seen->rss += maps[i].rss_bytes;
		assert_field(map, pid, &maps[i], 42);
	}
	seen->rows += n;
	seen->parts += n > 0;
	if (last) {
		seen->total[index] = seen->rows;
		seen->rows = 0;
		seen->last_start = 0;
		seen->next++;
		seen->ended++;
	}
	return seen->fail_at && seen->parts == (size_t)seen->fail_at ? -EPIPE : 0;
}

/* Makes process 42 one of MANY mappings, each with 4 KiB of two resident. */
static void write_many(const struct unit_dir *d, bool smaps)
{
	VMT_AUTO_BUF text = { 0 };
	unsigned i;

	for (i = 0; i < MANY; i++) {
		vmt_buf_addf(&text, "%x000-%x000 rw-p 00000000 00:00 0 \n", 0x100000 + 2 * i,
			     0x100000 + 2 * i + 2);
		if (smaps)
			vmt_buf_adds(&text, "Size: 8 kB\nRss: 4 kB\nAnonymous: 4 kB\n"
					    "VmFlags: rd wr\n");
	}
	assert_int_equal(vmt_buf_error(&text), 0);
	unit_dir_write(d, smaps ? "proc/42/smaps" : "proc/42/maps", text.data);
}

static const size_t all[] = { 0, 1, 2 };

static void test_as_many_as_are_kept(void **state)
{
	struct seen seen = { 0 };
	struct vmt_collector *c;
	struct vmt_sample *s;
	struct unit_dir d;

	save(&d);
	c = collector(d.path);
	s = collect(c, CHEAP, 0);
	assert_int_equal(vmt_collect_rows(c, s, SMAPS, all, 3, take, &seen, NULL), 0);
	/* Every process ends, also one that has no memory. */
	assert_int_equal(seen.ended, 3);
	assert_int_equal(seen.total[0], 0);
	assert_int_equal(seen.total[1], 2);
	assert_int_equal(seen.total[2], 0);
	assert_int_equal(seen.parts, 1);
	assert_int_equal(seen.rss, 4096);
	assert_field(proc, maps_total, &s->procs[1], 2);
	assert_text(proc, read_status, &s->procs[1], "ok");
	assert_true(s->maps[1].consistent);
	/* They are gone. */
	assert_null(s->maps[1].maps);
	assert_int_equal(s->maps[1].n_maps, 0);
	vmt_sample_free(s);
	vmt_collector_free(c);
	unit_dir_remove(&d);
}

static void test_more_than_are_kept(void **state)
{
	static const struct {
		uint64_t sources;
		uint64_t rss;
		unsigned maps_reads;
	} kinds[] = {
		{ MAPS, 0, 1 },
		{ SMAPS, MANY * UINT64_C(4096), 1 },
		{ SMAPS | VMT_COLLECT_ONCE, MANY * UINT64_C(4096), 0 },
		{ MAPS | PAGEMAP, 0, 1 },
	};
	struct unit_dir d;
	char path[128];
	size_t i;

	save(&d);
	write_many(&d, false);
	write_many(&d, true);
	unit_dir_write(&d, "proc/42/statm", "6000 3000 0 0 0 0 0\n");
	unit_dir_write(&d, "proc/42/pagemap", "");
	/* A word for each page up to the last; none is there. */
	snprintf(path, sizeof(path), "%s/proc/42/pagemap", d.path);
	assert_int_equal(truncate(path, (0x100000 + 2 * MANY) * INT64_C(8)), 0);
	for (i = 0; i < VMT_ARRAY_LEN(kinds); i++) {
		struct vmt_collector *c = collector(d.path);
		struct vmt_sample *s = collect(c, CHEAP, 0);
		struct seen seen = { 0 };

		assert_int_equal(
			vmt_collect_rows(c, s, kinds[i].sources, all, 3, take, &seen, NULL), 0);
		assert_int_equal(seen.ended, 3);
		assert_int_equal(seen.total[1], MANY);
		assert_true(seen.parts > 1);
		assert_int_equal(seen.rss, kinds[i].rss);
		assert_field(proc, maps_total, &s->procs[1], MANY);
		assert_text(proc, read_status, &s->procs[1], "ok");
		assert_true(s->maps[1].consistent);
		if (kinds[i].sources == MAPS)
			assert_unknown(proc, consistent, &s->procs[1]);
		else
			assert_field(proc, consistent, &s->procs[1], true);
		assert_int_equal(s->sources[VMT_SOURCE_MAPS].reads, kinds[i].maps_reads);
		vmt_sample_free(s);
		vmt_collector_free(c);
	}
	unit_dir_remove(&d);
}

/* The list before, or the size of the address space, is another one. */
static void a13_a_list_that_changed(void **state)
{
	struct vmt_collector *c;
	struct vmt_sample *s;
	struct unit_dir d;
	int once;

	save(&d);
	write_many(&d, true);
	for (once = 0; once < 2; once++) {
		struct seen seen = { 0 };

		c = collector(d.path);
		s = collect(c, CHEAP, 0);
		assert_int_equal(vmt_collect_rows(c, s, SMAPS | (once ? VMT_COLLECT_ONCE : 0), all,
						  3, take, &seen, NULL),
				 0);
		/* What was handed over is not read again. */
		assert_int_equal(seen.total[1], MANY);
		assert_int_equal(s->sources[VMT_SOURCE_SMAPS].reads, 1);
		assert_false(s->maps[1].consistent);
		vmt_sample_free(s);
		vmt_collector_free(c);
	}
	unit_dir_remove(&d);
}

/* What was mapped behind the read of the list is not missing in it. */
static void test_a_list_of_the_size_before(void **state)
{
	struct seen seen = { 0 };
	struct vmt_collector *c;
	struct vmt_sample *s;
	struct unit_dir d;

	save(&d);
	write_many(&d, true);
	unit_dir_write(&d, "proc/42/status",
		       "Name:\ta b\nVmSize:\t 24000 kB\nVmRSS:\t 4 kB\nRssAnon:\t 4 kB\n");
	unit_dir_write(&d, "proc/42/statm", "6000 3000 0 0 0 0 0\n");
	c = collector(d.path);
	s = collect(c, CHEAP, 0);
	unit_dir_write(&d, "proc/42/statm", "7000 3000 0 0 0 0 0\n");
	assert_int_equal(
		vmt_collect_rows(c, s, SMAPS | VMT_COLLECT_ONCE, all, 3, take, &seen, NULL), 0);
	assert_int_equal(seen.total[1], MANY);
	assert_field(proc, consistent, &s->procs[1], true);
	vmt_sample_free(s);
	vmt_collector_free(c);
	unit_dir_remove(&d);
}

static void test_a_consumer_that_fails(void **state)
{
	struct seen seen = { .fail_at = 2 };
	struct vmt_collector *c;
	struct vmt_sample *s;
	struct unit_dir d;

	save(&d);
	write_many(&d, false);
	c = collector(d.path);
	s = collect(c, CHEAP, 0);
	assert_int_equal(vmt_collect_rows(c, s, MAPS, all, 3, take, &seen, NULL), -EPIPE);
	assert_int_equal(seen.parts, 2);
	assert_int_equal(seen.ended, 1);
	vmt_sample_free(s);
	vmt_collector_free(c);
	unit_dir_remove(&d);
}

struct stall {
	int fds[2];
};

static void hang(void *arg)
{
	struct stall *stall = arg;
	char c;

	while (read(stall->fds[0], &c, 1) < 0 && errno == EINTR)
		;
}

/* smaps never answers: the rows of the list come, and the next processes. */
static void test_a_process_that_does_not_answer(void **state)
{
	const struct vmt_collect_opts opts = { .read_timeout_ns = UINT64_C(2000000000) };
	struct vmt_collect_opts there = opts;
	struct seen seen = { 0 };
	struct vmt_collector *c = NULL;
	struct vmt_sample *s;
	struct stall stall;
	struct unit_dir d;

	save(&d);
	there.root = d.path;
	assert_int_equal(pipe2(stall.fds, O_CLOEXEC), 0);
	assert_int_equal(vmt_collector_new(&there, &c, NULL), 0);
	s = collect(c, CHEAP, 0);
	unit_on_open("smaps", hang, &stall);
	assert_int_equal(vmt_collect_rows(c, s, SMAPS, all, 3, take, &seen, NULL), 0);
	assert_int_equal(seen.ended, 3);
	assert_int_equal(seen.total[1], 2);
	assert_int_equal(seen.rss, 0);
	assert_text(proc, read_status, &s->procs[1], "timed_out");
	vmt_sample_free(s);
	unit_on_open(NULL, NULL, NULL);
	close(stall.fds[1]);
	vmt_collector_free(c);
	close(stall.fds[0]);
	unit_dir_remove(&d);
}

static int ignore(void *arg, size_t index, const struct vmt_map *maps, size_t n, bool last)
{
	return 0;
}

static int collect_saved(void *arg)
{
	const struct vmt_collect_opts opts = { .root = arg };
	struct vmt_collector *c = NULL;
	struct vmt_sample *s = NULL;
	int r;

	r = vmt_collector_new(&opts, &c, NULL);
	if (r == 0)
		r = vmt_collect(c, CHEAP, NULL, 0, &s, NULL);
	if (r == 0)
		r = vmt_collect_rows(c, s, SMAPS, all, s->n_procs, ignore, NULL, NULL);
	vmt_sample_free(s);
	vmt_collector_free(c);
	return r;
}

static void m02_failing_allocations(void **state)
{
	struct unit_dir d;

	save(&d);
	write_many(&d, false);
	write_many(&d, true);
	assert_true(unit_alloc_sweep(collect_saved, d.path) > 20);
	unit_dir_remove(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_many_as_are_kept),
		cmocka_unit_test(test_more_than_are_kept),
		cmocka_unit_test(a13_a_list_that_changed),
		cmocka_unit_test(test_a_list_of_the_size_before),
		cmocka_unit_test(test_a_consumer_that_fails),
		cmocka_unit_test(test_a_process_that_does_not_answer),
		cmocka_unit_test(m02_failing_allocations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
