/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "event-whole.h"

#include <errno.h>
#include <signal.h>

#include "model/events.h"
#include "model/model.h"
#include "view/doc.h"

static const struct vmt_host host = { .page_size = 4096 };

static struct vmt_event row_of(struct vmt_arena *arena, const struct vmt_event_raw *raw)
{
	struct vmt_event row;

	assert_int_equal(vmt_event_row(raw, &host, 0, arena, &row), 0);
	unit_event_whole(raw, &host, &row);
	return row;
}

static void assert_words(struct vmt_bytes is, const char *want)
{
	if (!vmt_bytes_is(is, want))
		fail_msg("'%.*s' is not '%s'", (int)is.len, is.ptr, want);
}

static void assert_sentence(const struct vmt_event_raw *raw, const char *want)
{
	struct vmt_arena arena;

	vmt_arena_init(&arena);
	assert_words(row_of(&arena, raw).text, want);
	vmt_arena_done(&arena);
}

static void protections(void **state)
{
	static const struct {
		uint64_t prot;
		const char *text;
	} cases[] = {
		{ 0, "none" },
		{ 1, "read" },
		{ 7, "read+write+exec" },
		{ 0x01000001, "read+growsdown" },
		{ 0x40, "0x40" },
		{ 0x42, "write+0x40" },
	};
	VMT_AUTO_BUF out = { 0 };

	for (size_t i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		vmt_buf_clear(&out);
		vmt_event_prot(&out, cases[i].prot);
		assert_string_equal(out.data, cases[i].text);
	}
}

static void flags(void **state)
{
	static const struct {
		enum vmt_event_call call;
		uint64_t flags;
		const char *text;
	} cases[] = {
		{ VMT_CALL_MMAP, 0x22, "private+anonymous" },
		{ VMT_CALL_MMAP, 0x01, "shared" },
		{ VMT_CALL_MMAP, 0x03, "shared_validate" },
		{ VMT_CALL_MMAP, 0x100032, "private+fixed+anonymous+fixed_noreplace" },
		/* No sort of mapping is 0. */
		{ VMT_CALL_MMAP, 0, "0" },
		{ VMT_CALL_MMAP, 0x20, "anonymous" },
		/* Nor 4; and it is no flag either. */
		{ VMT_CALL_MMAP, 0x24, "anonymous+0x4" },
		/* 2 MiB: 21 << 26. */
		{ VMT_CALL_MMAP, 0x40022 | UINT64_C(21) << 26, "private+anonymous+hugetlb+2^21" },
		/* Without hugetlb these are no size. */
		{ VMT_CALL_MMAP, 0x4000022, "private+anonymous+uninitialized" },
		{ VMT_CALL_MREMAP, 3, "maymove+fixed" },
		{ VMT_CALL_MREMAP, 0, "0" },
		{ VMT_CALL_MSYNC, 4, "sync" },
		{ VMT_CALL_MLOCK2, 1, "onfault" },
		{ VMT_CALL_MLOCKALL, 3, "current+future" },
		{ VMT_CALL_MEMFD_CREATE, 0x13, "cloexec+allow_sealing+exec" },
		{ VMT_CALL_SHMAT, 010000, "rdonly" },
		/* The signal is none of them. */
		{ VMT_CALL_CLONE, 0x4100 | SIGCHLD, "vm+vfork" },
		{ VMT_CALL_CLONE, SIGCHLD, "0" },
		{ VMT_CALL_CLONE3, 0x200000000, "into_cgroup" },
		{ VMT_CALL_EXECVEAT, 0x1000, "empty_path" },
		{ VMT_CALL_MUNMAP, 1, "" },
	};
	VMT_AUTO_BUF out = { 0 };

	for (size_t i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		vmt_buf_clear(&out);
		vmt_buf_adds(&out, "-");
		vmt_event_flags(&out, cases[i].call, cases[i].flags);
		assert_string_equal(out.data + 1, cases[i].text);
	}
	vmt_buf_clear(&out);
	vmt_event_advice(&out, 4);
	vmt_buf_addc(&out, ' ');
	vmt_event_advice(&out, 102);
	vmt_buf_addc(&out, ' ');
	vmt_event_advice(&out, 77);
	assert_string_equal(out.data, "dontneed guard_install 77");
}

static void only(void **state)
{
	struct vmt_bytes word = { 0 };
	uint32_t calls = 0, map, process, crash, pressure;

	assert_int_equal(vmt_event_only_parse("mmap,exit", &calls, &word), 0);
	assert_int_equal(calls, 1u << VMT_CALL_MMAP | 1u << VMT_CALL_EXIT);
	assert_int_equal(vmt_event_only_parse("map", &map, &word), 0);
	assert_int_equal(vmt_event_only_parse("process", &process, &word), 0);
	assert_int_equal(map & process, 0);
	assert_int_equal(vmt_event_only_parse("crash", &crash, &word), 0);
	assert_int_equal(crash, 1u << VMT_CALL_CRASH);
	assert_int_equal(vmt_event_only_parse("pressure", &pressure, &word), 0);
	assert_int_equal(map | process | crash | pressure | 1u << VMT_CALL_OOM |
				 1u << VMT_CALL_COLLAPSE,
			 (1u << VMT_CALLS) - 2);
	assert_true(map >> VMT_CALL_MSEAL & 1);
	assert_true(process >> VMT_CALL_EXECVE & 1);
	calls = 5;
	assert_int_equal(vmt_event_only_parse("mmap,nmap", &calls, &word), -EINVAL);
	assert_words(word, "nmap");
	assert_int_equal(calls, 5);
	assert_int_equal(vmt_event_only_parse("", &calls, &word), -EINVAL);
	assert_int_equal(vmt_event_only_parse("mmap,", &calls, &word), -EINVAL);
}

static void failures(void **state)
{
	struct vmt_event_raw e = { .call = VMT_CALL_MMAP, .ret = -12 };

	assert_true(vmt_event_failed(&e));
	/* The last address that is none, and one that is. */
	e.ret = -4095;
	assert_true(vmt_event_failed(&e));
	e.ret = -4096;
	assert_false(vmt_event_failed(&e));
	e = (struct vmt_event_raw){ .call = VMT_CALL_BRK, .args = { 0x5000 }, .ret = 0x5000 };
	assert_false(vmt_event_failed(&e));
	e.ret = 0x4000;
	assert_true(vmt_event_failed(&e));
	/* It was asked for. */
	e.args[0] = 0;
	assert_false(vmt_event_failed(&e));
	e = (struct vmt_event_raw){ .call = VMT_CALL_EXIT, .ret = -1 };
	assert_false(vmt_event_failed(&e));
}

static void fields(void **state)
{
	struct vmt_event_raw e = {
		.call = VMT_CALL_MMAP,
		.args = { 0, 5000, 3, 1, 7, 0x3000 },
		.ret = 0x7f0000000000,
		.ns = 2100,
		.rss_pages = -2,
		.inode = 99,
		.dev_major = 8,
		.dev_minor = 1,
		.path = VMT_BYTES("/a b"),
		.pid = 4,
		.tid = 5,
		.uid = 6,
		.comm = "sixteen bytes...",
		.has = VMT_EVENT_HAS_TIME | VMT_EVENT_HAS_FILE,
	};
	struct vmt_arena arena;
	struct vmt_event r;

	vmt_arena_init(&arena);
	r = row_of(&arena, &e);
	assert_field(event, pid, &r, 4);
	assert_field(event, tid, &r, 5);
	assert_field(event, uid, &r, 6);
	assert_int_equal(r.comm.len, 16);
	assert_field(event, start, &r, 0x7f0000000000);
	assert_field(event, end, &r, 0x7f0000002000);
	assert_field(event, size_bytes, &r, 8192);
	assert_field(event, fd, &r, 7);
	assert_field(event, offset_bytes, &r, 0x3000);
	assert_field(event, inode, &r, 99);
	assert_words(r.device, "08:01");
	assert_field(event, failed, &r, false);
	assert_false(VMT_HAS(event, error, &r));
	/* What is not known is not 0. */
	assert_false(VMT_HAS(event, rss_change_bytes, &r));
	assert_false(VMT_HAS(event, time, &r));
	assert_false(VMT_HAS(event, child_pid, &r));
	assert_false(VMT_HAS(event, exit_status, &r));

	e.has = VMT_EVENT_HAS_RSS;
	e.ret = -EACCES;
	r = row_of(&arena, &e);
	assert_false(VMT_HAS(event, duration_ns, &r));
	assert_false(VMT_HAS(event, inode, &r));
	assert_false(VMT_HAS(event, path, &r));
	assert_words(r.error, "EACCES");
	assert_field(event, failed, &r, true);
	/* As it was asked for. */
	assert_field(event, start, &r, 0);
	assert_field(event, size_bytes, &r, 5000);
	assert_int_equal(r.rss_change_bytes, -8192);
	/* More than there can be is not known. */
	e.rss_pages = INT64_MIN / 4096 - 1;
	r = row_of(&arena, &e);
	assert_false(VMT_HAS(event, rss_change_bytes, &r));
	vmt_arena_done(&arena);
}

static void ends(void **state)
{
	struct vmt_event_raw e = { .call = VMT_CALL_EXIT, .ret = 3 << 8 };
	struct vmt_arena arena;
	struct vmt_event r;

	vmt_arena_init(&arena);
	r = row_of(&arena, &e);
	assert_field(event, exit_status, &r, 3);
	assert_false(VMT_HAS(event, exit_signal, &r));
	assert_false(VMT_HAS(event, result, &r));
	/* A core was dumped, too. */
	e.ret = SIGSEGV | 0x80;
	r = row_of(&arena, &e);
	assert_field(event, exit_signal, &r, SIGSEGV);
	assert_false(VMT_HAS(event, exit_status, &r));
	assert_words(r.text, "exit by signal 11 (SIGSEGV)");
	vmt_arena_done(&arena);
}

static void sentences(void **state)
{
	struct vmt_event_raw e = {
		.call = VMT_CALL_MMAP,
		.args = { 0, 4096, 1, 2, 3, 0x1000 },
		.ret = 0x10000,
		.path = VMT_BYTES("/x\x1b[31m"),
		.has = VMT_EVENT_HAS_FILE | VMT_EVENT_HAS_TIME,
		.ns = 1500,
	};

	assert_sentence(&e, "mmap 0x10000-0x11000 (4.00K) read, private of /x\\x1b[31m at 0x1000; "
			    "1.50us");
	e.path = (struct vmt_bytes){ 0 };
	e.inode = 12;
	e.ret = -ENODEV;
	assert_sentence(&e, "mmap 0x0-0x1000 (4.00K) read, private of inode 12 of 00:00: ENODEV; "
			    "1.50us");
	e = (struct vmt_event_raw){ .call = VMT_CALL_MUNMAP,
				    .args = { 0x10000, 8192 },
				    .rss_pages = -2,
				    .has = VMT_EVENT_HAS_RSS };
	assert_sentence(&e, "munmap 0x10000-0x12000 (8.00K); RSS -8.00K");
	e.rss_pages = 3;
	e.has |= VMT_EVENT_IS_COMPAT;
	assert_sentence(&e, "munmap 0x10000-0x12000 (8.00K); RSS +12.0K; 32 bits");
	e = (struct vmt_event_raw){ .call = VMT_CALL_MREMAP,
				    .args = { 0x10000, 4096, 8192, 1 },
				    .ret = 0x20000 };
	assert_sentence(&e, "mremap 0x10000-0x11000 (4.00K) moves to 0x20000-0x22000 (8.00K) "
			    "maymove");
	e.ret = 0x10000;
	assert_sentence(&e, "mremap 0x10000-0x11000 (4.00K) becomes 0x10000-0x12000 (8.00K) "
			    "maymove");
	e.ret = -ENOMEM;
	assert_sentence(&e, "mremap 0x10000-0x11000 (4.00K) maymove: ENOMEM");
	e = (struct vmt_event_raw){ .call = VMT_CALL_BRK,
				    .args = { 0x6000 },
				    .ret = 0x6000,
				    .before = 0x5000,
				    .has = VMT_EVENT_HAS_BEFORE };
	assert_sentence(&e, "brk grows the heap, 0x5000-0x6000 (4.00K)");
	e.before = 0x8000;
	assert_sentence(&e, "brk shrinks the heap, 0x6000-0x8000 (8.00K)");
	e.ret = 0x8000;
	assert_sentence(&e, "brk is refused: the break stays 0x8000");
	e.args[0] = 0;
	assert_sentence(&e, "brk says 0x8000");
	e = (struct vmt_event_raw){ .call = VMT_CALL_FORK, .ret = 77 };
	assert_sentence(&e, "fork makes process 77");
	e = (struct vmt_event_raw){ .call = VMT_CALL_EXECVE,
				    .path = VMT_BYTES("/bin/true"),
				    .has = VMT_EVENT_HAS_FILE };
	assert_sentence(&e, "execve becomes /bin/true");
	e = (struct vmt_event_raw){ .call = VMT_CALL_MPROTECT, .args = { 0x1000, 4096, 5 } };
	assert_sentence(&e, "mprotect 0x1000-0x2000 (4.00K) to read+exec");
	e = (struct vmt_event_raw){ .call = VMT_CALL_MADVISE, .args = { 0x1001, 4095, 4 } };
	assert_sentence(&e, "madvise 0x1000-0x2000 (4.00K) dontneed");
}

/* A range that would end behind the last address has no end. */
static void ranges_at_the_edge(void **state)
{
	struct vmt_event_raw e = { .call = VMT_CALL_MUNMAP,
				   .args = { UINT64_MAX - 4095, 8192 },
				   .ret = -EINVAL };
	struct vmt_arena arena;
	struct vmt_event r;

	vmt_arena_init(&arena);
	r = row_of(&arena, &e);
	assert_field(event, start, &r, UINT64_MAX - 4095);
	assert_field(event, size_bytes, &r, 8192);
	assert_false(VMT_HAS(event, end, &r));
	vmt_arena_done(&arena);
}

static void sums(void **state)
{
	struct vmt_event_process p[] = {
		{ .counts[VMT_CALL_MMAP] = { .events = 2, .failed = 1, .bytes = 4096, .ns = 30 } },
		{ .pid = 9,
		  .uid = 1,
		  .comm = "nine",
		  .ended = true,
		  .counts[VMT_CALL_FORK] = { .events = 3, .ns = 30 },
		  .counts[VMT_CALL_EXIT] = { .events = 1 } },
	};
	struct vmt_event_sample s = { .running = true,
				      .trusted = true,
				      .start_ns = 5,
				      .stop_ns = 25,
				      .processes = p,
				      .n_processes = 2,
				      .listed = 1,
				      .limited = 2,
				      .lost = 3 };
	struct vmt_event_probe probe;
	struct vmt_event_sum *rows;
	struct vmt_arena arena;
	size_t n;

	vmt_arena_init(&arena);
	assert_int_equal(vmt_event_sum_rows(&s, &arena, &rows, &n), 0);
	assert_int_equal(n, 3);
	assert_false(VMT_HAS(event_sum, pid, &rows[0]));
	assert_field(event_sum, events_total, &rows[0], 2);
	assert_field(event_sum, range_bytes, &rows[0], 4096);
	assert_field(event_sum, mean_ns, &rows[0], 15);
	assert_field(event_sum, pid, &rows[1], 9);
	assert_field(event_sum, ended, &rows[1], true);
	assert_false(VMT_HAS(event_sum, range_bytes, &rows[1]));
	assert_words(rows[2].event, "exit");
	assert_false(VMT_HAS(event_sum, total_ns, &rows[2]));
	assert_int_equal(vmt_event_probe_row(&s, &arena, &probe), 0);
	assert_field(event_probe, events_total, &probe, 6);
	assert_field(event_probe, shared_total, &probe, 2);
	assert_field(event_probe, processes, &probe, 1);
	assert_field(event_probe, window_ns, &probe, 20);
	assert_false(VMT_HAS(event_probe, recursion_misses, &probe));
	s.running = false;
	assert_int_equal(vmt_event_probe_row(&s, &arena, &probe), 0);
	assert_words(probe.rung, "none");
	assert_false(VMT_HAS(event_probe, events_total, &probe));
	vmt_arena_done(&arena);
}

/* Two calls of one place by different ways, one that no frame pointer leads out of the C library
 * from, and one without a stack. */
static void sites(void **state)
{
	struct vmt_fault_frame frames[] = {
		{ .address = 0x7010,
		  .module = VMT_BYTES("/lib/libc.so.6"),
		  .has_offset = true,
		  .offset = 0x10,
		  .symbol = VMT_BYTES("mmap") },
		{ .address = 0x5020,
		  .module = VMT_BYTES("/usr/bin/app"),
		  .has_offset = true,
		  .offset = 0x1020,
		  .symbol = VMT_BYTES("grow") },
		{ .address = 0x5080,
		  .module = VMT_BYTES("/usr/bin/app"),
		  .has_offset = true,
		  .offset = 0x1080 },
		{ .address = 0x13 },
	};
	uint32_t direct[] = { 0, 1 }, longer[] = { 0, 1, 2 }, lost[] = { 0, 3, 1 };
	struct vmt_fault_stack stacks[] = {
		{ .pid = 9, .comm = VMT_BYTES("app"), .n_user = 2, .frames = direct },
		{ .pid = 9, .comm = VMT_BYTES("app"), .n_user = 3, .frames = longer },
		{ .pid = 9, .comm = VMT_BYTES("app"), .n_user = 3, .frames = lost },
		{ .pid = 9, .comm = VMT_BYTES("app"), .n_user = 0, .lost = -EFAULT },
		{ .pid = 9, .comm = VMT_BYTES("app"), .n_user = 2, .frames = direct },
	};
	struct vmt_event_place places[] = {
		{ .call = VMT_CALL_MMAP,
		  .count = { .events = 2, .bytes = 8192, .ns = 10 },
		  .stack = 0 },
		{ .call = VMT_CALL_MMAP,
		  .count = { .events = 1, .failed = 1, .ns = 2 },
		  .stack = 1 },
		{ .call = VMT_CALL_MMAP,
		  .count = { .events = 4, .bytes = 4096, .ns = 4 },
		  .stack = 2 },
		{ .call = VMT_CALL_MMAP,
		  .count = { .events = 5, .bytes = 5, .ns = 5 },
		  .stack = 3 },
		{ .call = VMT_CALL_MMAP, .count = { .events = 0 }, .stack = 4 },
	};
	struct vmt_event_process process = { .pid = 9,
					     .counts[VMT_CALL_MMAP] = { .events = 12 },
					     .counts[VMT_CALL_EXIT] = { .events = 1 } };
	struct vmt_fault_sample f = {
		.stacks = stacks, .n_stacks = 5, .frames = frames, .n_frames = 4
	};
	struct vmt_event_sample s = { .running = true,
				      .stacks = &f,
				      .places = places,
				      .n_places = 5,
				      .processes = &process,
				      .n_processes = 1 };
	struct vmt_event_site *rows;
	struct vmt_event_probe probe;
	struct vmt_arena arena;
	size_t n;

	vmt_arena_init(&arena);
	assert_int_equal(vmt_event_site_rows(&s, false, &arena, &rows, &n), 0);
	assert_int_equal(n, 3);
	assert_words(rows[0].site, "grow");
	assert_field(event_site, events_total, &rows[0], 3);
	assert_field(event_site, failed_total, &rows[0], 1);
	assert_field(event_site, range_bytes, &rows[0], 8192);
	assert_field(event_site, mean_ns, &rows[0], 4);
	assert_field(event_site, stacks, &rows[0], 2);
	assert_field(event_site, offset_bytes, &rows[0], 0x1020);
	assert_false(VMT_HAS(event_site, stack, &rows[0]));
	assert_words(rows[1].site, "mmap");
	assert_words(rows[1].stack, "grow;[unknown];mmap");
	assert_field(event_site, events_total, &rows[1], 4);
	assert_false(VMT_HAS(event_site, site, &rows[2]));
	assert_words(rows[2].stack, "[no user stack]");
	assert_int_equal(vmt_event_site_rows(&s, true, &arena, &rows, &n), 0);
	assert_int_equal(n, 4);
	assert_words(rows[0].stack, "grow;mmap");
	assert_words(rows[1].stack, "app+0x1080;grow;mmap");
	assert_int_equal(vmt_event_probe_row(&s, &arena, &probe), 0);
	assert_field(event_probe, stackless_total, &probe, 1);
	assert_false(VMT_HAS(event_probe, codes_lost_total, &probe));
	s.has_codes = true;
	s.codes_lost = 3;
	assert_int_equal(vmt_event_probe_row(&s, &arena, &probe), 0);
	assert_field(event_probe, codes_lost_total, &probe, 3);
	s.stacks = NULL;
	assert_int_equal(vmt_event_probe_row(&s, &arena, &probe), 0);
	assert_false(VMT_HAS(event_probe, stackless_total, &probe));
	vmt_arena_done(&arena);
}

/* Rows by stack add up to what was counted, whatever has no stack; and as lines for a flame graph
 * stacks of one name are one. */
static void rests(void **state)
{
	static const struct vmt_section_def def = { "sites", &vmt_entity_event_site, false, "" };
	struct vmt_fault_frame frames[] = { { .symbol = VMT_BYTES("mmap") },
					    { .symbol = VMT_BYTES("a;b") } };
	uint32_t order[] = { 0, 1 };
	struct vmt_fault_stack stacks[] = {
		{ .pid = 9, .comm = VMT_BYTES("app"), .n_user = 2, .frames = order, .cut = true },
		{ .pid = 10, .comm = VMT_BYTES("app"), .n_user = 2, .frames = order },
		{ .pid = 9, .comm = VMT_BYTES("app"), .lost = -EEXIST },
	};
	struct vmt_event_place places[] = {
		{ .call = VMT_CALL_MMAP, .count = { .events = 2 }, .stack = 0 },
		{ .call = VMT_CALL_MMAP, .count = { .events = 3 }, .stack = 1 },
		{ .call = VMT_CALL_MUNMAP, .count = { .events = 1 }, .stack = 2 },
	};
	/* The second is one of those that have no row of their own; it made four calls. */
	struct vmt_event_process processes[] = {
		{ .pid = 9,
		  .comm = "app",
		  .counts[VMT_CALL_MMAP] = { .events = 7 },
		  .counts[VMT_CALL_MUNMAP] = { .events = 1 },
		  .counts[VMT_CALL_EXIT] = { .events = 1 } },
		{ .pid = 0, .counts[VMT_CALL_MMAP] = { .events = 4 } },
	};
	struct vmt_fault_sample f = { .stacks = stacks, .n_stacks = 3, .frames = frames };
	struct vmt_event_sample s = { .stacks = &f,
				      .places = places,
				      .n_places = 3,
				      .processes = processes,
				      .n_processes = 2 };
	struct vmt_out_opts opts = { .ascii = true };
	VMT_CLEANUP(vmt_sink_done) struct vmt_sink sink = { .fd = -1 };
	VMT_CLEANUP(vmt_doc_done) struct vmt_doc doc = { 0 };
	VMT_AUTO_MODEL model = NULL;
	VMT_AUTO_SAMPLE sample = vmt_sample_new();
	struct vmt_event_site *rows;
	struct vmt_arena arena;
	size_t n;

	vmt_arena_init(&arena);
	assert_int_equal(vmt_event_site_rows(&s, false, &arena, &rows, &n), 0);
	assert_int_equal(n, 3);
	assert_int_equal(vmt_event_site_rows(&s, true, &arena, &rows, &n), 0);
	assert_int_equal(n, 5);
	assert_words(rows[1].stack, "[stack lost: collision]");
	assert_field(event_site, depth, &rows[1], 0);
	assert_words(rows[3].stack, "[no stack]");
	assert_words(rows[3].comm, "(table full)");
	assert_false(VMT_HAS(event_site, pid, &rows[3]));
	assert_field(event_site, events_total, &rows[3], 1);
	assert_words(rows[4].stack, "[no stack]");
	assert_words(rows[4].event, "mmap");
	assert_field(event_site, pid, &rows[4], 9);
	assert_field(event_site, events_total, &rows[4], 5);
	assert_false(VMT_HAS(event_site, failed_total, &rows[4]));
	assert_int_equal(vmt_model_build(sample, NULL, NULL, &model, NULL), 0);
	doc.model = model;
	assert_non_null(vmt_doc_add(&doc, &def, rows, n));
	assert_int_equal(vmt_out_folded(&sink, &doc, &opts), 0);
	assert_buf(&sink.buf, "(table full);[no stack] 1\napp;[cut];a:b;mmap 2\n"
			      "app;[no stack] 5\napp;[stack lost: collision] 1\napp;a:b;mmap 3\n");
	vmt_arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(protections), cmocka_unit_test(flags),
		cmocka_unit_test(only),	       cmocka_unit_test(failures),
		cmocka_unit_test(fields),      cmocka_unit_test(ends),
		cmocka_unit_test(sentences),   cmocka_unit_test(ranges_at_the_edge),
		cmocka_unit_test(sums),	       cmocka_unit_test(sites),
		cmocka_unit_test(rests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
