/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake-elf.h"
#include "saved.h"
#include "source/elf.h"
#include "source/symbol-table.h"
#include "source/symbolize-stacks.h"

#define SECOND INT64_C(1000000000)
#define NOW    (INT64_C(1700000000) * SECOND)
/* By the saved machine, which has run for ten seconds, process 42 began seven seconds ago and the
 * zombie 50 six. */
#define BEGAN_42 (NOW - 7 * SECOND)
#define BEGAN_50 (NOW - 6 * SECOND)
#define UP_42	 UINT64_C(3000000000)
#define UP_50	 UINT64_C(4000000000)

/* Code that was made at run time, and an address in it. */
#define MADE	UINT64_C(0x7f0000001000)
#define ADDRESS (MADE + 0x10)

static void machine(struct unit_dir *d)
{
	save(d);
	unit_dir_write(d, "vmtop-fixture",
		       "page_size 4096\nuser_hz 100\nrelease 6.1.0-13-amd64\nmachine x86_64\n"
		       "realtime_ns 1700000000000000000\nmonotonic_ns 10000000000\n"
		       "boottime_ns 10000000000\ncpus 2\neuid 0\n");
	/* As the first is in a container, where its number is another. */
	unit_dir_write(d, "proc/42/status", "Name:\ta b\nUid:\t0\t0\t0\t0\nNSpid:\t42\t7\n");
	assert_int_equal(symlinkat("../../inside", d->fd, "proc/42/root"), 0);
}

/* A map that was written at this time, in nanoseconds since 1970. */
static void write_map(const struct unit_dir *d, const char *name, int64_t time_ns)
{
	const struct timespec times[] = {
		{ .tv_sec = time_ns / SECOND, .tv_nsec = time_ns % SECOND },
		{ .tv_sec = time_ns / SECOND, .tv_nsec = time_ns % SECOND },
	};

	unit_dir_write(d, name, "7f0000001000 100 made\n");
	assert_int_equal(utimensat(d->fd, name, times, 0), 0);
}

/* What became of the address of a process, or its failure. */
struct answer {
	char symbol[64];
	bool jit;
	size_t n_issues;
	char hint[96];
};

static struct answer ask(const char *root, const struct vmt_fault_code *code, uint64_t pid,
			 uint64_t start_time_ns, uint64_t address)
{
	struct vmt_collector *c = collector(root);
	struct vmt_sample *s = collect(c, VMT_SOURCE_BIT(PIDS), 0);
	struct vmt_fault_stack stack = {
		.pid = pid, .start_time_ns = start_time_ns, .addresses = &address, .n_user = 1
	};
	struct vmt_fault_code of_stack = code ? *code : (struct vmt_fault_code){ 0 };
	struct vmt_fault_sample f = {
		.stacks = &stack, .n_stacks = 1, .codes = &of_stack, .n_codes = code != NULL
	};
	const struct vmt_fault_frame *frame;
	struct answer a = { 0 };
	struct vmt_arena arena;

	of_stack.pid = pid;
	of_stack.start_time_ns = start_time_ns;
	vmt_arena_init(&arena);
	assert_int_equal(vmt_symbolize(c, s, &f, &arena), 0);
	assert_int_equal(f.n_frames, 1);
	frame = &f.frames[stack.frames[0]];
	snprintf(a.symbol, sizeof(a.symbol), "%.*s", (int)frame->symbol.len,
		 frame->symbol.len ? frame->symbol.ptr : "");
	a.jit = frame->jit;
	a.n_issues = s->n_issues;
	if (s->n_issues) {
		assert_text(issue, source, &s->issues[0], "elf");
		assert_field(issue, pid, &s->issues[0], pid);
		if (VMT_HAS(issue, hint, &s->issues[0]))
			snprintf(a.hint, sizeof(a.hint), "%.*s", (int)s->issues[0].hint.len,
				 s->issues[0].hint.ptr);
	}
	vmt_arena_done(&arena);
	vmt_sample_free(s);
	vmt_collector_free(c);
	return a;
}

static struct answer ask_made(const struct unit_dir *d, uint64_t pid, uint64_t start_time_ns)
{
	const struct vmt_fault_code made = { .start = MADE, .end = MADE + 0x1000 };

	return ask(d->path, &made, pid, start_time_ns, ADDRESS);
}

#define assert_named(a)                                                                            \
	do {                                                                                       \
		struct answer unit_a_ = (a);                                                       \
		assert_string_equal(unit_a_.symbol, "made");                                       \
		assert_true(unit_a_.jit);                                                          \
		assert_int_equal(unit_a_.n_issues, 0);                                             \
	} while (0)

/* Without a name, and with the reason. */
#define assert_refused(a)                                                                          \
	do {                                                                                       \
		struct answer unit_a_ = (a);                                                       \
		assert_string_equal(unit_a_.symbol, "");                                           \
		assert_false(unit_a_.jit);                                                         \
		assert_int_equal(unit_a_.n_issues, 1);                                             \
		assert_non_null(strstr(unit_a_.hint, "perf map"));                                 \
	} while (0)

static void test_map_of_a_process(void **state)
{
	static const char name[] = "inside/tmp/perf-7.map";
	struct unit_dir d;

	machine(&d);
	/* Most have no compiler. */
	assert_string_equal(ask_made(&d, 42, UP_42).symbol, "");
	assert_int_equal(ask_made(&d, 42, UP_42).n_issues, 0);
	write_map(&d, name, BEGAN_42 + SECOND / 2);
	assert_named(ask_made(&d, 42, UP_42));
	/* The clock that files have their times from is late by a tick, or more: a map that was
	 * written at once looks older than its process. */
	write_map(&d, name, BEGAN_42 - SECOND / 250);
	assert_named(ask_made(&d, 42, UP_42));
	write_map(&d, name, BEGAN_42 - 2 * SECOND);
	assert_named(ask_made(&d, 42, UP_42));
	write_map(&d, name, BEGAN_42 - 2 * SECOND - 1);
	assert_refused(ask_made(&d, 42, UP_42));
	write_map(&d, name, -1 * SECOND);
	assert_refused(ask_made(&d, 42, UP_42));
	/* Where there was no code nobody misses it. */
	assert_int_equal(ask(d.path, NULL, 42, UP_42, ADDRESS).n_issues, 0);
	unit_dir_remove(&d);
}

static void test_map_of_another_user(void **state)
{
	static const char name[] = "inside/tmp/perf-7.map";
	struct unit_dir d;

	if (geteuid())
		skip();
	machine(&d);
	write_map(&d, name, BEGAN_42 + SECOND);
	assert_int_equal(fchownat(d.fd, name, 1000, 1000, 0), 0);
	assert_refused(ask_made(&d, 42, UP_42));
	/* Its own, and root's. */
	assert_int_equal(fchownat(d.fd, "proc/42", 1000, 1000, 0), 0);
	assert_named(ask_made(&d, 42, UP_42));
	assert_int_equal(fchownat(d.fd, name, 0, 0, 0), 0);
	assert_named(ask_made(&d, 42, UP_42));
	unit_dir_remove(&d);
}

/* One that is in the list and has no root any more, one that ended while it was looked at, and one
 * that is not in the list. */
static void test_map_of_the_dead(void **state)
{
	struct unit_dir d;

	machine(&d);
	write_map(&d, "tmp/perf-50.map", BEGAN_50);
	assert_named(ask_made(&d, 50, UP_50));
	assert_int_equal(unlinkat(d.fd, "proc/42/root", 0), 0);
	write_map(&d, "tmp/perf-42.map", BEGAN_42);
	assert_named(ask_made(&d, 42, UP_42));
	write_map(&d, "tmp/perf-70.map", BEGAN_42);
	assert_named(ask_made(&d, 70, UP_42));
	write_map(&d, "tmp/perf-70.map", BEGAN_42 - 3 * SECOND);
	assert_refused(ask_made(&d, 70, UP_42));
	unit_dir_remove(&d);
}

/* The mapping of this program that an address lies in, by the path that it has on the machine. */
static struct vmt_fault_code own_code(uint64_t address, char *path, size_t size)
{
	struct vmt_fault_code code = { .has_file = true };
	FILE *f = fopen("/proc/self/maps", "re");
	ssize_t n = readlink("/proc/self/exe", path, size - 1);
	char line[4352];
	struct stat st;

	assert_non_null(f);
	assert_true(n > 0);
	path[n] = 0;
	while (!code.inode && fgets(line, sizeof(line), f)) {
		uint64_t start, end, offset;

		assert_int_equal(
			sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64, &start, &end, &offset),
			3);
		if (address < start || address >= end)
			continue;
		assert_int_equal(stat(path, &st), 0);
		code.start = start;
		code.end = end;
		code.offset_bytes = offset;
		code.inode = st.st_ino;
		code.dev_major = major(st.st_dev);
		code.dev_minor = minor(st.st_dev);
		code.path = vmt_bytes_of(path);
	}
	fclose(f);
	assert_true(code.inode);
	return code;
}

/* When a process began, as the probe has it, which is in nanoseconds: anywhere in the tick. */
static uint64_t start_of(pid_t pid)
{
	struct vmt_collector *c = collector(NULL);
	struct vmt_sample *s = collect(c, VMT_SOURCE_BIT(PIDS), (uint64_t)pid);
	uint64_t start;

	assert_int_equal(s->n_procs, 1);
	start = s->procs[0].start_time_ns + 1;
	vmt_sample_free(s);
	vmt_collector_free(c);
	return start;
}

/* A zombie is in the list of processes, and maps nothing: its file is found as that of a process
 * that is gone. */
static void test_file_of_a_zombie(void **state)
{
	uint64_t address = (uint64_t)(uintptr_t)own_code;
	struct vmt_fault_code code;
	char path[4096];
	struct answer a;
	siginfo_t info;
	pid_t pid;

	if (!vmt_elf_built())
		skip();
	code = own_code(address, path, sizeof(path));
	a = ask(NULL, &code, (uint64_t)getpid(), start_of(getpid()), address);
	assert_string_equal(a.symbol, "own_code");
	pid = fork();
	if (pid == 0)
		_exit(0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	a = ask(NULL, &code, (uint64_t)pid, start_of(pid), address);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_string_equal(a.symbol, "own_code");
	assert_int_equal(a.n_issues, 0);
	/* Gone: nobody in the list has that number and began then. */
	a = ask(NULL, &code, (uint64_t)pid, 1, address);
	assert_string_equal(a.symbol, "own_code");
}

static int one_code(void *arg, struct vmt_arena *arena, struct vmt_fault_sample *f)
{
	unsigned *asked = arg;

	++*asked;
	f->codes = vmt_arena_alloc(arena, 1, sizeof(*f->codes));
	if (!f->codes)
		return -ENOMEM;
	f->n_codes = 1;
	f->codes[0] = (struct vmt_fault_code){ .pid = 42,
					       .start_time_ns = UP_42,
					       .start = MADE,
					       .end = MADE + 0x1000,
					       .offset_bytes = 0x3000,
					       .inode = 99,
					       .has_file = true,
					       .path = VMT_BYTES("/nowhere/prog") };
	return 0;
}

static void assert_stack(const struct vmt_event_stack *is, const char *site, const char *stack)
{
	assert_bytes(is->site, site);
	assert_bytes(is->stack, stack);
}

/* Stacks of single events: each is looked up once, and what is missing of it says so. */
static void test_single_stacks(void **state)
{
	const uint64_t addresses[] = { ADDRESS, ADDRESS + 0x20, 0x13, 0, 0, 0 };
	const struct vmt_fault_stack stacks[] = {
		{ .pid = 42, .start_time_ns = UP_42, .addresses = addresses, .n_user = 3 },
		{ .pid = 42,
		  .start_time_ns = UP_42,
		  .addresses = addresses,
		  .n_user = 2,
		  .cut = true },
		{ .pid = 42, .start_time_ns = UP_42, .addresses = addresses, .lost = -EFAULT },
		{ .pid = 42, .start_time_ns = UP_42, .addresses = addresses, .lost = -ESRCH },
		/* Another image, of which no code is known. */
		{ .pid = 42,
		  .start_time_ns = UP_42,
		  .exec_id = 1,
		  .addresses = addresses,
		  .n_user = 1 },
	};
	const struct vmt_fault_stack *asked[] = { &stacks[0], &stacks[1], &stacks[2],
						  &stacks[3], &stacks[4], &stacks[0] };
	struct vmt_stack_symbols *known = vmt_stack_symbols_new();
	struct vmt_event_stack ret[6];
	struct unit_dir d;
	struct vmt_collector *c;
	struct vmt_sample *s;
	unsigned times = 0;

	machine(&d);
	c = collector(d.path);
	s = collect(c, VMT_SOURCE_BIT(PIDS), 0);
	assert_non_null(known);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(vmt_symbolize_stacks(known, c, s, asked, 6, one_code, &times, ret),
				 0);
		assert_stack(&ret[0], "prog+0x3010", "[unknown];prog+0x3030;prog+0x3010");
		assert_stack(&ret[1], "prog+0x3010", "[cut];prog+0x3030;prog+0x3010");
		assert_stack(&ret[2], "", "[no user stack]");
		assert_stack(&ret[3], "", "[another program by now]");
		assert_stack(&ret[4], "", "[unknown]");
		assert_stack(&ret[5], "prog+0x3010", "[unknown];prog+0x3030;prog+0x3010");
	}
	/* The second time all of them are known. */
	assert_int_equal(times, 1);
	vmt_stack_symbols_free(known);
	vmt_sample_free(s);
	vmt_collector_free(c);
	unit_dir_remove(&d);
}

/* Stacks to look up, and the machine on which. */
struct asked {
	struct vmt_collector *c;
	struct vmt_sample *s;
	struct vmt_fault_sample f;
	struct vmt_arena arena;
};

static int symbolize(void *arg)
{
	struct asked *a = arg;

	vmt_arena_done(&a->arena);
	vmt_arena_init(&a->arena);
	return vmt_symbolize(a->c, a->s, &a->f, &a->arena);
}

/* root: of a saved machine, or NULL. */
static void asked_begin(struct asked *a, const char *root)
{
	a->c = collector(root);
	a->s = collect(a->c, VMT_SOURCE_BIT(PIDS), root ? 0 : (uint64_t)getpid());
	vmt_arena_init(&a->arena);
}

static void asked_done(struct asked *a)
{
	vmt_arena_done(&a->arena);
	vmt_sample_free(a->s);
	vmt_collector_free(a->c);
}

static const struct vmt_fault_frame *frame_of(const struct asked *a, size_t stack, size_t at)
{
	return &a->f.frames[a->f.stacks[stack].frames[at]];
}

/* Of the kernel and its modules, of code that two processes made, of what lies nowhere. */
static void test_frames_of_a_saved_machine(void **state)
{
	const uint64_t first[] = { 0xffffffff81000010, 0xffffffffc0000010, ADDRESS, 0x13, 0 };
	const uint64_t second[] = { ADDRESS };
	struct vmt_fault_stack stacks[] = {
		{ .pid = 42,
		  .start_time_ns = UP_42,
		  .addresses = first,
		  .n_kernel = 2,
		  .n_user = 3 },
		{ .pid = 50, .start_time_ns = UP_50, .addresses = second, .n_user = 1 },
	};
	struct vmt_fault_code codes[] = {
		{ .pid = 42, .start_time_ns = UP_42, .start = MADE, .end = MADE + 0x1000 },
		{ .pid = 50, .start_time_ns = UP_50, .start = MADE, .end = MADE + 0x1000 },
	};
	struct asked a = { .f = { .stacks = stacks, .n_stacks = 2, .codes = codes, .n_codes = 2 } };
	struct unit_dir d;

	machine(&d);
	unit_dir_write(&d, "proc/kallsyms",
		       "ffffffff81000000 T inside\nffffffffc0000000 t loaded\t[mod]\n");
	write_map(&d, "inside/tmp/perf-7.map", BEGAN_42 + SECOND);
	write_map(&d, "tmp/perf-50.map", BEGAN_50 + SECOND);
	asked_begin(&a, d.path);
	assert_true(unit_alloc_sweep(symbolize, &a) > 10);
	assert_true(frame_of(&a, 0, 0)->kernel);
	assert_bytes(frame_of(&a, 0, 0)->symbol, "inside");
	assert_bytes(frame_of(&a, 0, 1)->symbol, "loaded");
	assert_bytes(frame_of(&a, 0, 1)->module, "mod");
	assert_bytes(frame_of(&a, 0, 2)->symbol, "made");
	assert_true(frame_of(&a, 0, 2)->jit);
	assert_bytes(frame_of(&a, 0, 3)->symbol, "");
	assert_bytes(frame_of(&a, 0, 4)->symbol, "");
	/* The same address of another process is another frame. */
	assert_bytes(frame_of(&a, 1, 0)->symbol, "made");
	assert_ptr_not_equal(frame_of(&a, 0, 2), frame_of(&a, 1, 0));
	/* No stack at all. */
	a.f.n_stacks = a.f.n_codes = 0;
	assert_int_equal(symbolize(&a), 0);
	assert_int_equal(a.f.n_frames, 0);
	asked_done(&a);
	unit_dir_remove(&d);
}

/* A name that a list of symbols has, and of which the file cannot be read. */
static void test_lists_that_cannot_be_read(void **state)
{
	const uint64_t address = 0xffffffff81000010;
	struct vmt_fault_stack stack = { .addresses = &address, .n_kernel = 1 };
	struct asked a = { .f = { .stacks = &stack, .n_stacks = 1 } };
	struct unit_dir d;

	machine(&d);
	/* A directory. */
	unit_dir_write(&d, "proc/kallsyms/none", "");
	asked_begin(&a, d.path);
	assert_int_equal(symbolize(&a), 0);
	assert_bytes(frame_of(&a, 0, 0)->symbol, "");
	assert_int_equal(a.s->n_issues, 1);
	assert_text(issue, error, &a.s->issues[0], "EISDIR");
	asked_done(&a);
	/* A map that is no file is not opened. */
	unit_dir_write(&d, "inside/tmp/perf-7.map/none", "");
	assert_int_equal(ask_made(&d, 42, UP_42).n_issues, 1);
	unit_dir_remove(&d);
}

/* Where two mappings were at one place, that they are of one file is enough. */
static void test_mappings_at_one_place(void **state)
{
	static const struct {
		struct vmt_fault_code other;
		bool known;
	} cases[] = {
		{ { .has_file = true, .inode = 99, .offset_bytes = 0x3000 }, true },
		{ { .has_file = true, .inode = 98, .offset_bytes = 0x3000 }, false },
		{ { .has_file = true, .inode = 99, .offset_bytes = 0x4000 }, false },
		{ { .has_file = true, .inode = 99, .offset_bytes = 0x3000, .dev_major = 1 },
		  false },
		{ { .has_file = true, .inode = 99, .offset_bytes = 0x3000, .dev_minor = 1 },
		  false },
		{ { .has_file = true, .inode = 99, .offset_bytes = 0x3000, .vdso = true }, false },
		{ { .inode = 99, .offset_bytes = 0x3000 }, false },
	};
	const uint64_t address = ADDRESS;
	struct unit_dir d;

	machine(&d);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vmt_fault_stack stack = {
			.pid = 42, .start_time_ns = UP_42, .addresses = &address, .n_user = 1
		};
		struct vmt_fault_code codes[2] = {
			{ .has_file = true,
			  .inode = 99,
			  .offset_bytes = 0x3000,
			  .deleted = true,
			  .path = VMT_BYTES("/nowhere/prog (deleted)") },
			cases[i].other,
		};
		struct asked a = {
			.f = { .stacks = &stack, .n_stacks = 1, .codes = codes, .n_codes = 2 }
		};

		for (size_t k = 0; k < 2; k++) {
			codes[k].pid = 42;
			codes[k].start_time_ns = UP_42;
			codes[k].start = MADE;
			codes[k].end = MADE + 0x1000;
			codes[k].path = codes[0].path;
			codes[k].deleted = true;
		}
		asked_begin(&a, d.path);
		assert_int_equal(symbolize(&a), 0);
		assert_bytes(frame_of(&a, 0, 0)->module, cases[i].known ? "/nowhere/prog" : "");
		assert_int_equal(frame_of(&a, 0, 0)->has_offset, cases[i].known);
		if (cases[i].known)
			assert_int_equal(frame_of(&a, 0, 0)->offset, 0x3010);
		asked_done(&a);
	}
	unit_dir_remove(&d);
}

/* The end of the vdso, of which vdso is the start. */
static uint64_t end_of_vdso(uint64_t vdso)
{
	FILE *f = fopen("/proc/self/maps", "re");
	uint64_t start = 0, end = 0;
	char line[4352];

	assert_non_null(f);
	while (start != vdso && fgets(line, sizeof(line), f))
		assert_int_equal(sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end), 2);
	fclose(f);
	assert_int_equal(start, vdso);
	return end;
}

#define VDSO_STEP 16

/* A live process: functions of its file, and of the vdso, which has no file. */
static void test_frames_of_a_process(void **state)
{
	uint64_t here = (uint64_t)(uintptr_t)own_code, started = start_of(getpid());
	uint64_t vdso = getauxval(AT_SYSINFO_EHDR), addresses[256];
	struct vmt_fault_stack stack = { .pid = (uint64_t)getpid(),
					 .start_time_ns = started,
					 .addresses = addresses,
					 .n_user = sizeof(addresses) / sizeof(addresses[0]) };
	struct vmt_fault_code codes[2];
	struct asked a = { .f = { .stacks = &stack, .n_stacks = 1, .codes = codes, .n_codes = 2 } };
	size_t i, named = 0;
	char path[4096];

	if (!vmt_elf_built() || !vdso)
		skip();
	codes[0] = own_code(here, path, sizeof(path));
	codes[1] = (struct vmt_fault_code){ .start = vdso, .end = end_of_vdso(vdso), .vdso = true };
	for (i = 0; i < 2; i++) {
		codes[i].pid = (uint64_t)getpid();
		codes[i].start_time_ns = started;
	}
	/* The innermost is where it was; of the others, the call before what it returns to. */
	addresses[0] = here;
	for (i = 1; i < stack.n_user; i++)
		addresses[i] = vdso + i * VDSO_STEP;
	asked_begin(&a, NULL);
	assert_true(unit_alloc_sweep(symbolize, &a) > 10);
	assert_bytes(frame_of(&a, 0, 0)->symbol, "own_code");
	assert_bytes(frame_of(&a, 0, 0)->module, path);
	for (i = 1; i < stack.n_user; i++) {
		const struct vmt_fault_frame *frame = frame_of(&a, 0, i);

		assert_bytes(frame->module, "[vdso]");
		assert_int_equal(frame->offset, i * VDSO_STEP);
		named += frame->symbol.len != 0;
	}
	/* It has functions, and a head. */
	assert_in_range(named, 1, stack.n_user - 2);
	asked_done(&a);
}

/* What a program that was stripped calls its function, by the debug file of that name. */
static void assert_debug(const struct unit_dir *d, const char *name)
{
	char path[128];
	struct vmt_fault_code code = { .has_file = true, .start = MADE, .end = MADE + 0x1000 };
	struct answer a;
	struct stat st;

	snprintf(path, sizeof(path), "%s/program", d->path);
	assert_int_equal(stat(path, &st), 0);
	code.inode = st.st_ino;
	code.dev_major = major(st.st_dev);
	code.dev_minor = minor(st.st_dev);
	code.path = vmt_bytes_of(path);
	code.offset_bytes = 0x1000;
	/* Of a process that is gone. */
	a = ask(NULL, &code, (uint64_t)getpid(), 1, MADE + 0x120);
	assert_string_equal(a.symbol, name);
	assert_int_equal(a.n_issues, 0);
}

static void test_debug_file(void **state)
{
	struct fake_file whole = fake_made(), program = fake_made();
	struct unit_dir d;
	uint32_t crc;
	int fd;

	if (!vmt_elf_built())
		skip();
	unit_dir_make(&d);
	program.shdr[1].sh_type = SHT_DYNSYM;
	program.shdr[1].sh_size = 2 * sizeof(program.sym[0]);
	unit_dir_write_bytes(&d, "program", &program, sizeof(program));
	assert_debug(&d, "");
	/* By that name, and another file: the checksum is not that of it. */
	unit_dir_write_bytes(&d, "file.debug", &whole, sizeof(whole));
	assert_debug(&d, "");
	fd = openat(d.fd, "file.debug", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(vmt_debug_link_crc(fd, sizeof(whole), &crc), 0);
	close(fd);
	memcpy(program.link + 12, &crc, sizeof(crc));
	unit_dir_write_bytes(&d, "program", &program, sizeof(program));
	assert_debug(&d, "inner");
	/* The one beside it is no ELF file, and no file. */
	unit_dir_write_bytes(&d, ".debug/file.debug", &whole, sizeof(whole));
	unit_dir_write(&d, "file.debug", "nothing");
	assert_debug(&d, "inner");
	assert_int_equal(unlinkat(d.fd, "file.debug", 0), 0);
	unit_dir_write(&d, "file.debug/none", "");
	assert_debug(&d, "inner");
	unit_dir_remove(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames_of_a_saved_machine),
		cmocka_unit_test(test_lists_that_cannot_be_read),
		cmocka_unit_test(test_mappings_at_one_place),
		cmocka_unit_test(test_frames_of_a_process),
		cmocka_unit_test(test_debug_file),
		cmocka_unit_test(test_map_of_a_process),
		cmocka_unit_test(test_map_of_another_user),
		cmocka_unit_test(test_map_of_the_dead),
		cmocka_unit_test(test_file_of_a_zombie),
		cmocka_unit_test(test_single_stacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
