/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>

#include "model/oom.h"

#define PAGE UINT64_C(4096)

static const struct vmt_host host = { .page_size = PAGE };

struct swept {
	const struct vmt_oom_raw *raw;
	const struct vmt_oom_report *whole;
	bool differs;
};

static int once(void *arg)
{
	struct swept *s = arg;
	struct vmt_oom_report r;
	struct vmt_arena arena;
	int ret;

	vmt_arena_init(&arena);
	ret = vmt_oom_rows(s->raw, &host, 0, 1, NULL, 0, NULL, &arena, &r);
	if (ret == 0 && (!vmt_bytes_equal(r.oom.text, s->whole->oom.text) ||
			 r.n_zones != s->whole->n_zones || r.n_maps != s->whole->n_maps))
		s->differs = true;
	vmt_arena_done(&arena);
	return ret;
}

/* Whichever allocation fails, there is no report, or all of it. */
static struct vmt_oom_report report_of(struct vmt_arena *arena, const struct vmt_oom_raw *raw)
{
	struct vmt_oom_report r;
	struct swept s = { .raw = raw, .whole = &r };

	assert_int_equal(vmt_oom_rows(raw, &host, 0, 1, NULL, 0, NULL, arena, &r), 0);
	assert_true(unit_piece_sweep(once, &s) > 3);
	assert_false(s.differs);
	return r;
}

static void assert_words(struct vmt_bytes is, const char *want)
{
	if (!vmt_bytes_is(is, want))
		fail_msg("'%.*s' is not '%s'", (int)is.len, is.ptr, want);
}

/* A process of 100 pages, killed by itself for one page. */
static struct vmt_oom_raw victim(void)
{
	return (struct vmt_oom_raw){
		.ns = 5000,
		.pid = 7,
		.by_pid = 7,
		.by_tid = 7,
		.comm = "hog",
		.by_comm = "hog",
		.anon = 90,
		.file = 8,
		.shmem = 2,
		.gfp = 0xcc0,
		.highest = 2,
		.constraint = VMT_OOM_MACHINE,
		.has = VMT_OOM_HAS_RSS | VMT_OOM_HAS_REQUEST,
		.cgroup = VMT_BYTES("/a/b/c"),
	};
}

static void limits(void **state)
{
	static const struct {
		const char *limit, *victim;
		unsigned has;
		uint64_t usage, max, memsw_usage, memsw_max;
		const char *file; /* NULL: none is reached */
		int levels; /* -1: unknown */
	} cases[] = {
		{ "/a", "/a/b/c", 0, 10, 10, 0, 0, "memory.max", 2 },
		{ "/a/b/c", "/a/b/c", 0, 10, 10, 0, 0, "memory.max", 0 },
		{ "/", "/a", 0, 10, 10, 0, 0, "memory.max", 1 },
		{ "/", "/", 0, 10, 10, 0, 0, "memory.max", 0 },
		{ "/a/bb", "/a/b", 0, 10, 10, 0, 0, "memory.max", -1 },
		{ "/a/b", "/a/bb", 0, 10, 10, 0, 0, "memory.max", -1 },
		/* Another process gave some back meanwhile. */
		{ "/a", "/a/b", 0, 9, 10, 0, 0, "memory.max", 1 },
		/* The limit was lifted meanwhile. */
		{ "/a", "/a/b", 0, 10, INT64_MAX / PAGE, 0, 0, NULL, 1 },
		{ "/a", "/a/b", VMT_OOM_IS_V1, 10, 10, 10, 30, "memory.limit_in_bytes", 1 },
		{ "/a", "/a/b", VMT_OOM_IS_V1, 9, 20, 12, 12, "memory.memsw.limit_in_bytes", 1 },
		{ "/a", "/a/b", VMT_OOM_IS_V1, 10, 10, 10, 10, "memory.memsw.limit_in_bytes", 1 },
		/* Together they are not counted. */
		{ "/a", "/a/b", VMT_OOM_IS_V1, 9, 10, 0, INT64_MAX / PAGE, "memory.limit_in_bytes",
		  1 },
		/* Of version 2 it is swap alone, which has no OOM. */
		{ "/a", "/a/b", 0, 9, 20, 12, 12, "memory.max", 1 },
	};

	(void)state;
	for (size_t i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		struct vmt_oom_raw raw = victim();
		struct vmt_oom_report r;
		struct vmt_event event;
		struct vmt_arena arena;

		vmt_arena_init(&arena);
		raw.constraint = VMT_OOM_CGROUP;
		raw.has |= VMT_OOM_HAS_LIMIT | cases[i].has;
		raw.limit_cgroup = vmt_bytes_of(cases[i].limit);
		raw.cgroup = vmt_bytes_of(cases[i].victim);
		raw.usage = cases[i].usage;
		raw.max = cases[i].max;
		raw.memsw_usage = cases[i].memsw_usage;
		raw.memsw_max = cases[i].memsw_max;
		r = report_of(&arena, &raw);
		assert_int_equal(VMT_HAS(kill, limit_file, &r.oom), cases[i].file != NULL);
		assert_int_equal(VMT_HAS(kill, reason, &r.oom), cases[i].file != NULL);
		if (cases[i].file)
			assert_words(r.oom.limit_file, cases[i].file);
		assert_int_equal(VMT_HAS(kill, limit_levels, &r.oom), cases[i].levels >= 0);
		if (cases[i].levels >= 0)
			assert_field(kill, limit_levels, &r.oom, (uint64_t)cases[i].levels);
		vmt_oom_event(&r, &event);
		assert_words(event.limit_cgroup, cases[i].limit);
		assert_words(event.cgroup, cases[i].victim);
		assert_int_equal(VMT_HAS(event, reason, &event), cases[i].file != NULL);
		if (cases[i].file)
			assert_words(event.reason, strstr(cases[i].file, "memsw") ? "memsw_limit"
										  : "memory_limit");
		vmt_arena_done(&arena);
	}
}

/* DMA with 50 free, DMA32 with 1000, Normal of two nodes with 100 and 2000. */
static void add_zones(struct vmt_oom_raw *raw)
{
	static const struct vmt_oom_raw_zone zones[] = {
		{ .name = "Normal",
		  .index = 2,
		  .node = 0,
		  .free = 100,
		  .min = 100,
		  .high = 120,
		  .managed = 9000,
		  .blocks = { 100 } },
		{ .name = "DMA32",
		  .index = 1,
		  .node = 0,
		  .free = 1000,
		  .min = 10,
		  .high = 12,
		  .reserve = 990,
		  .managed = 9000,
		  .file = 7,
		  .blocks = { 1000 } },
		{ .name = "Movable", .index = 3, .node = 0, .free = 3, .managed = 9000 },
		{ .name = "Device", .index = 4, .node = 0 },
		{ .name = "Normal",
		  .index = 2,
		  .node = 1,
		  .free = 2000,
		  .min = 100,
		  .managed = 9000,
		  .blocks = { 0, 0, 500 } },
	};

	memcpy(raw->zones, zones, sizeof(zones));
	raw->n_zones = VMT_ARRAY_LEN(zones);
}

static void zones(void **state)
{
	struct vmt_oom_raw raw = victim();
	struct vmt_oom_report r;
	struct vmt_arena arena;

	(void)state;
	vmt_arena_init(&arena);
	add_zones(&raw);
	/* Node 1 has enough: why it came to that is not known. */
	r = report_of(&arena, &raw);
	assert_false(VMT_HAS(kill, reason, &r.oom));
	assert_int_equal(r.n_zones, 4);
	assert_field(kill, zone_free_bytes, &r.oom, 3100 * PAGE);
	assert_field(kill, other_free_bytes, &r.oom, 3 * PAGE);
	assert_field(kill, zone_file_bytes, &r.oom, 7 * PAGE);

	/* More than min, but not more than high, which is what the killer looks for. */
	raw.zones[4].high = 2000;
	r = report_of(&arena, &raw);
	assert_words(r.oom.reason, "zone_high");
	assert_field(oom_zone, below_min, &r.zones[3], false);
	raw.zones[4].high = 0;

	/* None of them is of use. */
	raw.has |= VMT_OOM_HAS_NODES;
	raw.nodes = 4;
	r = report_of(&arena, &raw);
	assert_false(VMT_HAS(kill, reason, &r.oom));
	assert_field(kill, zone_free_bytes, &r.oom, 0);

	raw.constraint = VMT_OOM_POLICY;
	raw.nodes = 1;
	r = report_of(&arena, &raw);
	assert_words(r.oom.reason, "zone_min");
	assert_field(kill, zone_free_bytes, &r.oom, 1100 * PAGE);
	assert_field(kill, other_free_bytes, &r.oom, 2003 * PAGE);
	assert_field(oom_zone, usable, &r.zones[0], true);
	assert_field(oom_zone, usable, &r.zones[2], false);
	assert_field(oom_zone, usable, &r.zones[3], false);
	assert_field(oom_zone, below_min, &r.zones[1], true);
	assert_field(oom_zone, below_min, &r.zones[3], false);
	assert_field(oom_zone, largest_order, &r.zones[3], 2);
	assert_false(VMT_HAS(oom_zone, largest_order, &r.zones[2]));
	assert_words(r.zones[3].free_blocks, "0 0 500 0 0 0 0 0 0 0 0");
	assert_words(
		r.oom.text,
		"oom kills it: the nodes of its memory policy are out of memory: each zone that "
		"it may use is at its min or below (4.30M free), while 7.82M are free in zones "
		"that it may not use; hog[7] asked for 4.00K (order 0, GFP_KERNEL); it had 400K "
		"in memory (360K anonymous, 32.0K file, 8.00K shmem)");

	/* A cpuset in place of that. */
	raw.has = (raw.has & ~(unsigned)VMT_OOM_HAS_NODES) | VMT_OOM_HAS_ALLOWED;
	raw.allowed = 1;
	raw.constraint = VMT_OOM_CPUSET;
	r = report_of(&arena, &raw);
	assert_words(r.oom.reason, "zone_min");
	assert_words(r.oom.constraint, "cpuset");

	/* Blocks of order 3 there are none of, of order 2 there are. */
	raw.has &= ~(unsigned)VMT_OOM_HAS_ALLOWED;
	raw.constraint = VMT_OOM_MACHINE;
	raw.order = 3;
	r = report_of(&arena, &raw);
	assert_words(r.oom.reason, "fragmentation");
	assert_non_null(memmem(r.oom.text.ptr, r.oom.text.len,
			       "no block of order 3 in a zone above its min (32.0K)", 51));
	raw.order = 2;
	r = report_of(&arena, &raw);
	assert_false(VMT_HAS(kill, reason, &r.oom));

	raw.order = -1;
	r = report_of(&arena, &raw);
	assert_words(r.oom.reason, "sysrq");
	assert_false(VMT_HAS(kill, order, &r.oom));
	vmt_arena_done(&arena);
}

static void maps(void **state)
{
	struct vmt_oom_raw raw = victim();
	struct vmt_oom_report r;
	struct vmt_arena arena;

	(void)state;
	vmt_arena_init(&arena);
	raw.maps[0] = (struct vmt_oom_raw_map){
		.start = 0x1000, .end = 0x9000, .present = 2, .flags = 3
	};
	raw.maps[1] = (struct vmt_oom_raw_map){ .start = 0x20000,
						.end = 0x24000,
						.present = 1,
						.swapped = 3,
						.flags = 5,
						.inode = 9,
						.dev_major = 8,
						.dev_minor = 1,
						.offset_pages = 2,
						.path = VMT_BYTES("/f") };
	raw.maps[2] = (struct vmt_oom_raw_map){ .start = 0x30000, .end = 0x31000, .flags = 11 };
	raw.n_maps = 3;
	raw.start_brk = 0x1000;
	raw.brk = 0x8000;
	raw.start_stack = 0x30800;
	/* By size, where pages are not known. */
	r = report_of(&arena, &raw);
	assert_int_equal(r.n_maps, 3);
	assert_words(r.maps[0].path, "[heap]");
	assert_false(VMT_HAS(oom_map, rss_bytes, &r.maps[0]));
	assert_false(VMT_HAS(kill, map_rss_bytes, &r.oom));
	raw.has |= VMT_OOM_HAS_TABLES;
	r = report_of(&arena, &raw);
	assert_words(r.maps[0].path, "/f");
	assert_words(r.maps[0].permissions, "r-xp");
	assert_words(r.maps[0].device, "08:01");
	assert_field(oom_map, rss_bytes, &r.maps[0], PAGE);
	assert_field(oom_map, swap_bytes, &r.maps[0], 3 * PAGE);
	assert_field(oom_map, offset_bytes, &r.maps[0], 2 * PAGE);
	assert_words(r.maps[1].path, "[heap]");
	assert_words(r.maps[2].path, "[stack]");
	assert_words(r.maps[2].permissions, "rw-s");
	assert_field(oom_map, rss_bytes, &r.maps[2], 0);
	assert_field(kill, map_start, &r.oom, 0x20000);
	assert_field(kill, maps_cut, &r.oom, false);
	/* Not all of one was looked at: by its length, and what it had is not known. */
	raw.maps[0].present = raw.maps[0].swapped = UINT64_MAX;
	raw.has |= VMT_OOM_IS_CUT;
	r = report_of(&arena, &raw);
	assert_words(r.maps[0].path, "[heap]");
	assert_false(VMT_HAS(oom_map, rss_bytes, &r.maps[0]));
	assert_false(VMT_HAS(oom_map, swap_bytes, &r.maps[0]));
	assert_false(VMT_HAS(kill, map_rss_bytes, &r.oom));
	assert_field(kill, maps_cut, &r.oom, true);
	assert_non_null(
		memmem(r.oom.text.ptr, r.oom.text.len,
		       "its largest mapping is [heap] at 0x1000 (32.0K), of those that were "
		       "looked at",
		       77));
	vmt_arena_done(&arena);
}

/* Nothing of it is known but who. */
static void unknown(void **state)
{
	struct vmt_oom_raw raw = { .ns = 1, .pid = 3, .by_pid = 4, .by_comm = "k", .comm = "v" };
	struct vmt_oom_report r;
	struct vmt_event event;
	struct vmt_arena arena;

	(void)state;
	vmt_arena_init(&arena);
	r = report_of(&arena, &raw);
	assert_words(r.oom.text,
		     "oom kills it: what was short of memory is not known; k[4] was the "
		     "killer");
	assert_false(VMT_HAS(kill, constraint, &r.oom));
	assert_false(VMT_HAS(kill, rss_bytes, &r.oom));
	assert_false(VMT_HAS(kill, size_bytes, &r.oom));
	assert_false(VMT_HAS(kill, cgroup, &r.oom));
	assert_false(VMT_HAS(kill, mem_available_bytes, &r.oom));
	vmt_oom_event(&r, &event);
	assert_words(event.event, "oom");
	assert_words(event.kind, "oom");
	assert_false(VMT_HAS(event, size_bytes, &event));
	assert_false(VMT_HAS(event, reason, &event));
	assert_false(VMT_HAS(event, limit_cgroup, &event));
	vmt_arena_done(&arena);
}

static void history(void **state)
{
	struct vmt_oom_raw raw = victim();
	struct vmt_oom_past past[4] = { 0 };
	struct vmt_oom_report r;
	struct vmt_arena arena;

	(void)state;
	vmt_arena_init(&arena);
	raw.ns = UINT64_C(100000000000);
	raw.constraint = VMT_OOM_CGROUP;
	raw.has |= VMT_OOM_HAS_LIMIT;
	raw.limit_cgroup = VMT_BYTES("/a");
	raw.usage = raw.max = 1;
	for (size_t i = 0; i < 4; i++)
		VMT_SET(oom_sample, available_bytes, &past[i].row, (i + 1) << 20);
	/* Older than a minute; a second before; at the moment; and behind it, which is no history.
	 */
	past[0].ns = raw.ns - UINT64_C(60000000001);
	past[1].ns = raw.ns - UINT64_C(1000000000);
	VMT_SET(oom_sample, some_percent, &past[1].row, 12340);
	past[2].ns = raw.ns + 1;
	past[3].ns = raw.ns + 2;
	assert_int_equal(vmt_oom_rows(&raw, &host, 0, 9, past, 4, NULL, &arena, &r), 0);
	assert_int_equal(r.n_samples, 1);
	assert_field(oom_sample, kill, &r.samples[0], 9);
	assert_field(oom_sample, before_ns, &r.samples[0], UINT64_C(1000000000));
	assert_field(kill, mem_available_bytes, &r.oom, UINT64_C(2) << 20);
	assert_field(kill, sample_age_ns, &r.oom, UINT64_C(1000000000));
	assert_false(VMT_HAS(kill, swap_free_bytes, &r.oom));
	assert_non_null(
		memmem(r.oom.text.ptr, r.oom.text.len,
		       "the machine had 2.00M available; tasks had waited for memory in 12.34% "
		       "of 10s",
		       77));
	vmt_arena_done(&arena);
}

static void processes(void **state)
{
	struct vmt_proc procs[12] = { 0 };
	struct vmt_sample after = { .procs = procs, .n_procs = 12 };
	struct vmt_oom_raw raw = victim();
	struct vmt_oom_report r;
	struct vmt_arena arena;

	(void)state;
	vmt_arena_init(&arena);
	for (uint64_t i = 0; i < 12; i++) {
		VMT_SET(proc, pid, &procs[i], i + 1);
		/* A thread of the kernel has none. */
		if (i != 11)
			VMT_SET(proc, rss_bytes, &procs[i], i * PAGE);
	}
	after.host.monotonic_ns = raw.ns + 30;
	assert_int_equal(vmt_oom_rows(&raw, &host, 0, 1, NULL, 0, &after, &arena, &r), 0);
	assert_int_equal(r.n_processes, 10);
	assert_field(oom_process, pid, &r.processes[0], 11);
	assert_field(oom_process, age_ns, &r.processes[0], 30);
	assert_field(oom_process, pid, &r.processes[9], 2);
	assert_false(VMT_HAS(oom_process, swap_bytes, &r.processes[0]));
	/* Read before the kill they say nothing of the time behind it. */
	after.host.monotonic_ns = raw.ns - 1;
	assert_int_equal(vmt_oom_rows(&raw, &host, 0, 1, NULL, 0, &after, &arena, &r), 0);
	assert_int_equal(r.n_processes, 0);
	vmt_arena_done(&arena);
}

static char *details(const struct vmt_oom_report *r, bool ascii, struct vmt_buf *out)
{
	vmt_buf_clear(out);
	vmt_oom_details(out, r, PAGE, ascii);
	return out->data;
}

/* What stands below the sentence: zones, the three largest mappings, the three largest processes.
 */
static void below_it(void **state)
{
	VMT_AUTO_BUF out = { 0 };
	struct vmt_proc procs[5] = { 0 };
	struct vmt_sample after = { .procs = procs, .n_procs = 5 };
	struct vmt_oom_raw raw = victim();
	struct vmt_oom_report r;
	struct vmt_arena arena;

	(void)state;
	vmt_arena_init(&arena);
	add_zones(&raw);
	raw.zones[0].boost = 28;
	strcpy(raw.zones[1].name, "D\x1b\xc3\xa4");
	for (uint64_t i = 0; i < 5; i++) {
		raw.maps[i] = (struct vmt_oom_raw_map){ .start = (i + 1) << 20,
							.end = ((i + 1) << 20) + 8 * PAGE,
							.present = i,
							.swapped = 1,
							.flags = i == 4 ? 0 : 7 };
		VMT_SET(proc, pid, &procs[i], 100 - i);
		VMT_SET(proc, rss_bytes, &procs[i], (i < 3 ? 7 : 1) * PAGE);
		VMT_SET(proc, comm, &procs[i], VMT_BYTES("p\n"));
	}
	raw.maps[3].inode = 4;
	raw.n_maps = 5;
	raw.has |= VMT_OOM_HAS_TABLES;
	after.host.monotonic_ns = raw.ns + 1500000;
	assert_int_equal(vmt_oom_rows(&raw, &host, 0, 1, NULL, 0, &after, &arena, &r), 0);
	assert_string_equal(
		details(&r, true, &out),
		"    node 0 Normal: free 400K, min 512K + reserve 0, files 0; free blocks 100 0 0 0 "
		"0 0 0 0 0 0 0\n"
		"    node 0 D\\x1b\\xc3\\xa4: free 3.91M, min 40.0K + reserve 3.87M, files 28.0K; free "
		"blocks 1000 0 0 0 0 0 0 0 0 0 0\n"
		"    node 0 Movable (not for this request): free 12.0K, min 0 + reserve 0, files 0; "
		"free blocks 0 0 0 0 0 0 0 0 0 0 0\n"
		"    node 1 Normal: free 7.81M, min 400K + reserve 0, files 0; free blocks 0 0 500 0 "
		"0 0 0 0 0 0 0\n"
		"    mapping 0x500000 32.0K ---p, in memory 16.0K, on swap 4.00K: [anon]\n"
		"    mapping 0x400000 32.0K rwxp, in memory 12.0K, on swap 4.00K: inode 4, "
		"whose name is not known\n"
		"    mapping 0x300000 32.0K rwxp, in memory 8.00K, on swap 4.00K: [anon]\n"
		/* Of those with as much the oldest first. */
		"    process p\\x0a[98] RSS 28.0K, 1.50ms later\n"
		"    process p\\x0a[99] RSS 28.0K, 1.50ms later\n"
		"    process p\\x0a[100] RSS 28.0K, 1.50ms later\n");
	assert_non_null(strstr(details(&r, false, &out), "D\\x1b\xc3\xa4: free"));
	/* A file whose name is not known has none, and what its pages are is not said twice. */
	assert_false(VMT_HAS(oom_map, path, &r.maps[1]));
	raw.maps[3].present = 50;
	r = report_of(&arena, &raw);
	assert_non_null(
		memmem(r.oom.text.ptr, r.oom.text.len, "200K of it in a file at 0x400000", 32));
	raw.has &= ~(unsigned)VMT_OOM_HAS_TABLES;
	assert_int_equal(vmt_oom_rows(&raw, &host, 0, 1, NULL, 0, NULL, &arena, &r), 0);
	assert_null(strstr(details(&r, true, &out), "in memory"));
	assert_null(strstr(out.data, "process"));
	vmt_arena_done(&arena);
}

static bool says(const struct vmt_oom_report *r, const char *words)
{
	return memmem(r->oom.text.ptr, r->oom.text.len, words, strlen(words)) != NULL;
}

/* Why it came to that, by what of it is known. */
static void reasons(void **state)
{
	static const struct vmt_host dated = { .page_size = PAGE,
					       .realtime_ns = 1700000000000000000,
					       .monotonic_ns = 9000 };
	struct vmt_oom_raw raw = victim();
	struct vmt_oom_report r;
	struct vmt_event event;
	struct vmt_arena arena;

	(void)state;
	vmt_arena_init(&arena);
	/* Not all zones were looked at: neither a sum nor a reason. */
	add_zones(&raw);
	raw.zones[4].high = 2000;
	raw.has |= VMT_OOM_IS_ZONES_CUT;
	r = report_of(&arena, &raw);
	assert_int_equal(r.n_zones, 4);
	assert_false(VMT_HAS(kill, zone_free_bytes, &r.oom));
	assert_false(VMT_HAS(kill, reason, &r.oom));
	assert_true(says(&r, "the machine is out of memory; hog"));
	raw.has &= ~(unsigned)VMT_OOM_IS_ZONES_CUT;
	r = report_of(&arena, &raw);
	assert_true(says(&r,
			 "each zone that it may use is at its high or below (12.1M free), while "
			 "12.0K are free"));

	/* Without the request no zone is of use or not. */
	raw.has &= ~(unsigned)VMT_OOM_HAS_REQUEST;
	r = report_of(&arena, &raw);
	assert_int_equal(r.n_zones, 0);

	/* A cpuset keeps out what may not leave it, and all where the killer looked inside of it.
	 */
	raw.has |= VMT_OOM_HAS_REQUEST | VMT_OOM_HAS_ALLOWED;
	raw.allowed = 1;
	raw.constraint = VMT_OOM_MACHINE;
	r = report_of(&arena, &raw);
	assert_field(oom_zone, usable, &r.zones[3], true);
	raw.gfp |= 0x100000;
	r = report_of(&arena, &raw);
	assert_field(oom_zone, usable, &r.zones[3], false);
	raw.gfp &= ~0x100000u;
	raw.constraint = VMT_OOM_CPUSET;
	r = report_of(&arena, &raw);
	assert_field(oom_zone, usable, &r.zones[3], false);
	assert_true(says(&r, "the nodes of its cpuset are out of memory"));
	/* Of a node that has no bit nobody knows, so it may. */
	raw.zones[4].node = 64;
	r = report_of(&arena, &raw);
	assert_field(oom_zone, usable, &r.zones[3], true);

	/* A cgroup of which the limit was not seen; and one that dies whole. */
	raw = victim();
	raw.constraint = VMT_OOM_CGROUP;
	raw.has |= VMT_OOM_IS_GROUP | VMT_OOM_HAS_RETRY | VMT_OOM_HAS_SPACE;
	raw.swap = 3;
	raw.retry_loops = 16;
	raw.total_vm = 500;
	assert_int_equal(vmt_oom_rows(&raw, &dated, 5001, 1, NULL, 0, NULL, &arena, &r), 0);
	assert_words(
		r.oom.text,
		"oom kills it: a cgroup was out of memory; its cgroup dies as a whole "
		"(memory.oom.group); hog[7] asked for 4.00K (order 0, GFP_KERNEL); it had 400K in "
		"memory (360K anonymous, 32.0K file, 8.00K shmem) and 12.0K on swap");
	assert_words(r.oom.reason, "group");
	assert_field(kill, retry_loops, &r.oom, 16);
	assert_field(kill, size_bytes, &r.oom, 500 * PAGE);
	/* It was before the window. */
	assert_false(VMT_HAS(kill, after_ns, &r.oom));
	assert_true(VMT_HAS(kill, time, &r.oom));
	vmt_oom_event(&r, &event);
	assert_false(VMT_HAS(event, after_ns, &event));
	assert_true(VMT_HAS(event, time, &event));
	/* The limit of a cgroup where the victim's own is not known. */
	raw.has |= VMT_OOM_HAS_LIMIT;
	raw.limit_cgroup = VMT_BYTES("/a");
	raw.usage = raw.max = 10;
	raw.cgroup = (struct vmt_bytes){ 0 };
	r = report_of(&arena, &raw);
	assert_false(VMT_HAS(kill, limit_levels, &r.oom));
	assert_true(says(&r, "cgroup /a has reached its memory.max of 40.0K"));
	vmt_arena_done(&arena);
}

/* Of a sample that lacks something there is less of a history. */
static void pasts(void **state)
{
	struct vmt_pressure rows[4] = { 0 };
	struct vmt_sample s = { .pressure = rows, .n_pressure = 4 };
	struct vmt_oom_past past;

	(void)state;
	VMT_SET(pressure, resource, &rows[0], VMT_BYTES("memory"));
	VMT_SET(pressure, kind, &rows[0], VMT_BYTES("some"));
	VMT_SET(pressure, avg10_percent, &rows[0], 5);
	VMT_SET(pressure, resource, &rows[1], VMT_BYTES("memory"));
	VMT_SET(pressure, kind, &rows[1], VMT_BYTES("full"));
	VMT_SET(pressure, resource, &rows[2], VMT_BYTES("io"));
	VMT_SET(pressure, kind, &rows[2], VMT_BYTES("full"));
	VMT_SET(pressure, avg10_percent, &rows[2], 7);
	s.n_pressure = 3;
	VMT_SET(system, active_file_bytes, &s.system, 4096);
	vmt_oom_past_set(&s, &past);
	assert_field(oom_sample, some_percent, &past.row, 5);
	assert_false(VMT_HAS(oom_sample, full_percent, &past.row));
	assert_false(VMT_HAS(oom_sample, file_bytes, &past.row));
	VMT_SET(system, inactive_file_bytes, &s.system, 8192);
	vmt_oom_past_set(&s, &past);
	assert_field(oom_sample, file_bytes, &past.row, 12288);
}

struct shortage {
	struct vmt_oom_raw raw;
	struct vmt_sample after;
};

static int rows_of(void *arg)
{
	const struct shortage *s = arg;
	struct vmt_oom_past past = { .ns = s->raw.ns };
	struct vmt_oom_report r;
	struct vmt_arena arena;
	int code;

	vmt_arena_init(&arena);
	code = vmt_oom_rows(&s->raw, &host, 0, 1, &past, 1, &s->after, &arena, &r);
	if (code == 0)
		assert_int_equal(r.n_zones + r.n_maps + r.n_processes + r.n_samples, 4 + 1 + 3 + 1);
	vmt_arena_done(&arena);
	return code;
}

/* Where memory is short the rows are not made, and that is said. */
static void no_memory(void **state)
{
	struct shortage s = { .raw = victim() };
	struct vmt_proc procs[3] = { 0 };

	(void)state;
	add_zones(&s.raw);
	s.raw.maps[0] = (struct vmt_oom_raw_map){ .start = PAGE, .end = 2 * PAGE, .inode = 3 };
	s.raw.n_maps = 1;
	for (unsigned i = 0; i < 3; i++)
		VMT_SET(proc, rss_bytes, &procs[i], i);
	s.after.procs = procs;
	s.after.n_procs = 3;
	s.after.host.monotonic_ns = s.raw.ns;
	assert_true(unit_alloc_sweep(rows_of, &s) > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits),    cmocka_unit_test(zones),	cmocka_unit_test(maps),
		cmocka_unit_test(unknown),   cmocka_unit_test(history), cmocka_unit_test(processes),
		cmocka_unit_test(below_it),  cmocka_unit_test(reasons), cmocka_unit_test(pasts),
		cmocka_unit_test(no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
