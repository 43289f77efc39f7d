/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What becomes of the rows of tables that programs fill: names, stacks, mappings, accounts,
 * cgroups, crashes. The tables are ours, so that they have what a kernel rarely puts there: rows
 * that are not ready, numbers that no row has, as many frames as there is room for.
 */

#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "bpf/fault-cgroup.h"
#include "source/probe-crash.h"
#include "source/probe-fault.h"

#define ARRAY(rows)                                                                                \
	((struct vmt_probe_array){ (const void *)(rows), sizeof(*(rows)), VMT_ARRAY_LEN(rows), 0 })

/* The object has no programs: nothing was missed. */
struct bpf_program *bpf_object__next_program(const struct bpf_object *object,
					     struct bpf_program *prog);
struct bpf_program *bpf_object__next_program(const struct bpf_object *object,
					     struct bpf_program *prog)
{
	return NULL;
}

static struct bpf_object *no_object(void *skeleton)
{
	return NULL;
}

static const struct vmt_probe_object no_programs = { .object = no_object };

static struct vmt_slot_name name_of(uint32_t flags, const char *bytes, uint32_t len)
{
	struct vmt_slot_name name = { .ready = 1, .flags = flags, .len = len };

	memcpy(name.bytes, bytes, len < sizeof(name.bytes) ? len : sizeof(name.bytes));
	return name;
}

static void assert_path(const struct vmt_slot_name *name, bool memory, const char *path,
			bool deleted, bool cut)
{
	struct vmt_bytes have = { 0 };
	bool is_deleted = !deleted, is_cut = !cut;
	struct vmt_arena arena;

	vmt_arena_init(&arena);
	assert_int_equal(vmt_probe_path(name, memory, &arena, &have, &is_deleted, &is_cut), 0);
	assert_int_equal(have.len, strlen(path));
	assert_memory_equal(have.ptr, path, have.len);
	assert_int_equal(is_deleted, deleted);
	assert_int_equal(is_cut, cut);
	vmt_arena_done(&arena);
}

static void test_names_are_paths(void **state)
{
	static char long_name[2 * VMT_NAME_BYTES];
	struct vmt_slot_name name = name_of(0, "name\0dir", 9);

	assert_path(&name, false, "/dir/name", false, false);
	name.flags = VMT_NAME_DELETED;
	assert_path(&name, false, "/dir/name (deleted)", true, false);
	name.flags = VMT_NAME_CUT;
	assert_path(&name, false, ".../dir/name", false, true);
	name = name_of(0, "", 0);
	assert_path(&name, false, "", false, false);
	/* As /proc/PID/maps shows them: memory is a file that is deleted, others are no path. */
	name = name_of(VMT_NAME_PSEUDO, "memfd:x", 8);
	assert_path(&name, true, "/memfd:x (deleted)", true, false);
	assert_path(&name, false, "/memfd:x", false, false);
	name = name_of(VMT_NAME_PSEUDO, "[eventpoll]", 12);
	assert_path(&name, false, "anon_inode:[eventpoll]", false, false);
	assert_path(&name, true, "/[eventpoll] (deleted)", true, false);
	name = name_of(VMT_NAME_PSEUDO, "", 0);
	assert_path(&name, false, "/", false, false);
	/* One that says to be longer than there is room for is as long as that. */
	memset(long_name, 'x', sizeof(long_name));
	name = name_of(0, long_name, VMT_NAME_BYTES);
	name.bytes[VMT_NAME_BYTES - 1] = '\0';
	name.len = UINT32_MAX;
	memset(long_name, 'x', VMT_NAME_BYTES);
	long_name[0] = '/';
	long_name[VMT_NAME_BYTES] = '\0';
	assert_path(&name, false, long_name, false, false);
}

static struct vmt_slot_stack stack_of(uint32_t tgid, uint32_t n_user, uint64_t caller)
{
	struct vmt_slot_stack s = { .ready = 1,
				    .tgid = tgid,
				    .n_user = n_user,
				    .caller = caller,
				    .comm = "worker",
				    .minor = 3 };

	for (uint32_t i = 0; i < VMT_STACK_USER; i++)
		s.user[i] = 0x1000 + i;
	for (uint32_t i = 0; i < VMT_STACK_KERNEL; i++)
		s.kernel[i] = UINT64_MAX - i;
	return s;
}

static void test_the_caller_is_the_second_frame(void **state)
{
	struct vmt_slot_stack one = stack_of(7, 1, 0x77), two = stack_of(7, 2, 0x77),
			      same = stack_of(7, 2, 0x1001), none = stack_of(7, 0, 0x77),
			      many = stack_of(7, UINT32_MAX, 0);
	struct vmt_fault_stack to = { 0 };
	struct vmt_arena arena;

	vmt_arena_init(&arena);
	assert_int_equal(vmt_probe_stack_copy(&one, 8, &arena, &to), 0);
	assert_int_equal(to.n_user, 2);
	assert_int_equal(to.addresses[1], 0x77);
	assert_false(to.cut);
	assert_int_equal(vmt_probe_stack_copy(&two, 2, &arena, &to), 0);
	assert_int_equal(to.n_user, 3);
	assert_int_equal(to.addresses[0], 0x1000);
	assert_int_equal(to.addresses[1], 0x77);
	assert_int_equal(to.addresses[2], 0x1001);
	assert_true(to.cut);
	/* The chain of frames has it. */
	assert_int_equal(vmt_probe_stack_copy(&same, 8, &arena, &to), 0);
	assert_int_equal(to.n_user, 2);
	assert_int_equal(vmt_probe_stack_copy(&none, 8, &arena, &to), 0);
	assert_int_equal(to.n_user, 0);
	many.n_kernel = UINT32_MAX;
	assert_int_equal(vmt_probe_stack_copy(&many, VMT_STACK_USER, &arena, &to), 0);
	assert_int_equal(to.n_user, VMT_STACK_USER);
	assert_int_equal(to.n_kernel, VMT_STACK_KERNEL);
	assert_int_equal(to.addresses[VMT_STACK_KERNEL], 0x1000);
	assert_true(to.cut);
	vmt_arena_done(&arena);
}

static void test_a_stack_that_was_not_taken_says_why(void **state)
{
	static const struct {
		int32_t user, kernel;
		int lost;
	} cases[] = {
		{ 5, 5, 0 },
		{ 5, -EFAULT, 0 }, /* there is none: it was user mode */
		{ 5, -EEXIST, -EEXIST },
		{ -ENOMEM, -EEXIST, -ENOMEM },
	};
	struct vmt_arena arena;

	vmt_arena_init(&arena);
	for (size_t i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		struct vmt_slot_stack s = stack_of(7, 1, 0);
		struct vmt_fault_stack to = { 0 };

		s.user_id = cases[i].user;
		s.kernel_id = cases[i].kernel;
		assert_int_equal(vmt_probe_stack_copy(&s, 8, &arena, &to), 0);
		assert_int_equal(to.lost, cases[i].lost);
	}
	vmt_arena_done(&arena);
}

/* Tables as the programs leave them. */
struct tables {
	struct vmt_slot_map maps[8];
	struct vmt_slot_proc procs[6];
	struct vmt_slot_name names[2];
	struct vmt_slot_stack stacks[4];
	struct vmt_slot_code codes[6];
	struct vmt_slot_cgroup cgroups[3];
	struct vmt_slot_kind kinds[VMT_BPF_KINDS + 4];
	struct vmt_stack_lost lost;
	__u64 cgroups_lost, kinds_lost;
	struct vmt_fault_state state;
	struct vmt_probe probe;
};

static void add_count(__u64 count[2][2][VMT_BPF_ACCESSES][2], uint64_t n)
{
	count[1][0][0][0] += n;
}

static void make_tables(struct tables *t)
{
	uint32_t self = (uint32_t)getpid();

	*t = (struct tables){
		.names = { name_of(0, "name\0dir", 9), { .len = 9 } },
		.stacks = { stack_of(40, 2, 0),
			    stack_of(self, 2, 0),
			    { .tgid = 40 },
			    stack_of(41, 1, 0) },
		.codes = { { .ready = 1, .tgid = 40, .name = 1, .ino = 9 },
			   { .ready = 1, .tgid = 40, .name = 2, .dev = 3u << 20 | 4 },
			   { .ready = 1, .tgid = 40, .name = 77 },
			   { .ready = 1, .tgid = 40, .vdso = 1 },
			   { .ready = 1, .tgid = self },
			   { .tgid = 40 } },
		.maps = { { .ready = 1,
			    .tgid = 40,
			    .slot = 1,
			    .name = 1,
			    .ino = 9,
			    .class = 1,
			    .comm = "worker" },
			  { .ready = 1,
			    .tgid = 40,
			    .slot = 2,
			    .name = 2,
			    .dev = 3u << 20 | 4,
			    .comm = "no end of a name" },
			  { .ready = 1, .tgid = 40, .slot = 3, .name = 77 },
			  { .ready = 1, .tgid = 40, .slot = 4, .class = 999, .special = 999 },
			  { .ready = 1, .tgid = self, .slot = 5 },
			  { .tgid = 40, .slot = 6 },
			  /* Of all processes that have it. */
			  { .ready = 1, .slot = 7 } },
		.procs = { [1] = { .ready = 1,
				   .tgid = 40,
				   .cgroup = 2,
				   .plain_minor = 3,
				   .comm = "worker" },
			   [2] = { .ready = 1,
				   .tgid = 41,
				   .cgroup = 1,
				   .kernel_major = 2,
				   .record_major = 2,
				   .flags = VMT_PROC_EXITED },
			   [3] = { .ready = 1, .tgid = self, .kernel_minor = 50 },
			   [4] = { .tgid = 42, .kernel_minor = 99 },
			   [5] = { .ready = 1, .tgid = 43, .cgroup = 77, .failed = { 1 } } },
		.cgroups = { { .name = { .ready = 1 } },
			     { .name = name_of(0, "name\0dir", 9) },
			     { .name = { .len = 9 } } },
		.lost = { .collided = 1, .full = 2, .absent = 3, .rows = 4, .codes = 5 },
		.cgroups_lost = 6,
		.kinds_lost = 7,
		.probe = { .opts = { .by_kind = true, .asks = VMT_ASK_CGROUP, .n_pids = 1 } },
	};
	add_count(t->maps[0].count, 3);
	add_count(t->kinds[1].count, 2);
	t->kinds[2].tgid = self;
	add_count(t->kinds[2].count, 2);
	t->kinds[VMT_BPF_KINDS] = (struct vmt_slot_kind){ .ready = 1, .tgid = 40, .kind = 1 };
	add_count(t->kinds[VMT_BPF_KINDS].count, 4);
	t->kinds[VMT_BPF_KINDS + 1] = (struct vmt_slot_kind){ .ready = 1, .tgid = 40, .kind = 99 };
	add_count(t->kinds[VMT_BPF_KINDS + 1].count, 4);
	t->kinds[VMT_BPF_KINDS + 2] = (struct vmt_slot_kind){ .tgid = 40, .kind = 1 };
	add_count(t->kinds[VMT_BPF_KINDS + 2].count, 4);
	t->kinds[VMT_BPF_KINDS + 3] = (struct vmt_slot_kind){ .ready = 1, .tgid = 40, .kind = 2 };
	t->state = (struct vmt_fault_state){
		.loaded = { .ops = &no_programs },
		.maps = ARRAY(t->maps),
		.procs = ARRAY(t->procs),
		.names = ARRAY(t->names),
		.stacks = { VMT_STACK_FULL, &t->lost, ARRAY(t->stacks), ARRAY(t->codes) },
		.asked = { .kinds = { .rows = ARRAY(t->kinds), .lost = &t->kinds_lost },
			   .cgroups = ARRAY(t->cgroups),
			   .cgroups_lost = &t->cgroups_lost },
	};
}

/* With a filter that the test itself is not in. */
static int read_tables(struct tables *t, struct vmt_arena *arena, struct vmt_fault_sample *ret)
{
	static pid_t watched = 40;

	t->probe.pids = &watched;
	*ret = (struct vmt_fault_sample){ 0 };
	return vmt_fault_bpf_read(&t->probe, &t->state, arena, ret, NULL);
}

static void test_rows_of_tables(void **state)
{
	struct vmt_fault_sample s;
	struct vmt_arena arena;
	struct tables t;

	make_tables(&t);
	vmt_arena_init(&arena);
	assert_int_equal(read_tables(&t, &arena, &s), 0);

	assert_int_equal(s.n_maps, 5);
	assert_bytes(s.maps[0].path, "/dir/name");
	assert_int_equal(s.maps[0].minor, 3);
	assert_true(s.maps[0].has_file);
	assert_bytes(s.maps[0].comm, "worker");
	/* A name that is being written, and one that is none. */
	assert_bytes(s.maps[1].path, "");
	assert_true(s.maps[1].has_file);
	assert_int_equal(s.maps[1].dev_major, 3);
	assert_int_equal(s.maps[1].dev_minor, 4);
	assert_bytes(s.maps[1].comm, "no end of a name");
	assert_bytes(s.maps[2].path, "");
	assert_false(s.maps[2].has_file);
	assert_int_equal(s.maps[3].class, VMT_FAULT_OTHER);
	assert_int_equal(s.maps[3].special, VMT_FAULT_PLAIN);
	assert_int_equal(s.maps[4].pid, 0);
	assert_int_equal(s.totals.slots_used, 6);
	assert_int_equal(s.totals.slots_total, 8);

	assert_int_equal(s.n_procs, 3);
	assert_bytes(s.procs[0].cgroup, "/dir/name");
	assert_int_equal(s.procs[0].mapped, 3);
	assert_bytes(s.procs[1].cgroup, "/");
	assert_true(s.procs[1].exited);
	assert_bytes(s.procs[2].cgroup, "");
	assert_int_equal(s.totals.kernel_minor, 3);
	assert_int_equal(s.totals.kernel_major, 2);
	assert_int_equal(s.totals.cgroups_lost, 6);

	assert_int_equal(s.n_stacks, 2);
	assert_int_equal(s.stacks[1].pid, 41);
	assert_int_equal(s.totals.stack_rows_full, 4);
	assert_int_equal(s.n_codes, 4);
	assert_bytes(s.codes[0].path, "/dir/name");
	assert_true(s.codes[1].has_file);
	assert_bytes(s.codes[1].path, "");
	assert_false(s.codes[2].has_file);
	assert_true(s.codes[3].vdso);

	/* Of no mapping, and of one; neither of the test, nor of a kind that is none. */
	assert_true(s.by_kind);
	assert_int_equal(s.n_kinds, 2);
	assert_int_equal(s.kinds[0].minor, 2);
	assert_int_equal(s.kinds[1].minor, 4);
	assert_int_equal(s.kinds[1].pid, 40);
	assert_int_equal(s.totals.kinds_lost, 7);
	assert_true(s.have & VMT_HAVE_MISSES);
	assert_int_equal(s.totals.recursion_misses, 0);
	vmt_arena_done(&arena);
}

static void test_sums_are_those_of_the_rows(void **state)
{
	struct vmt_fault_sample rows, sums;
	struct vmt_arena arena;
	struct tables t;

	make_tables(&t);
	/* Those that found no row. */
	t.procs[0].plain_minor = 11;
	vmt_arena_init(&arena);
	assert_int_equal(read_tables(&t, &arena, &rows), 0);
	assert_int_equal(rows.n_procs, 4);
	t.state.sums = true;
	assert_int_equal(read_tables(&t, &arena, &sums), 0);
	assert_int_equal(sums.n_procs, 0);
	assert_int_equal(sums.n_maps, 0);
	assert_int_equal(sums.totals.kernel_minor, 14);
	assert_int_equal(sums.totals.kernel_minor, rows.totals.kernel_minor);
	assert_int_equal(sums.totals.kernel_major, rows.totals.kernel_major);
	assert_int_equal(sums.totals.mapped, rows.totals.mapped);
	assert_int_equal(sums.totals.failed[0], 1);

	/* Without stacks, kinds and cgroups. */
	t.state.stacks.depth = VMT_STACK_NONE;
	t.probe.opts = (struct vmt_probe_opts){ .n_pids = 1 };
	assert_int_equal(read_tables(&t, &arena, &sums), 0);
	assert_int_equal(sums.n_stacks + sums.n_codes + sums.n_kinds, 0);
	assert_false(sums.has_cgroups);
	assert_false(sums.have & VMT_HAVE_STACKS);
	vmt_arena_done(&arena);
}

/* Nobody is left out where all processes are wanted. */
static void test_all_processes(void **state)
{
	struct vmt_fault_sample s;
	struct vmt_arena arena;
	struct tables t;

	make_tables(&t);
	t.probe.opts.n_pids = 0;
	vmt_arena_init(&arena);
	assert_int_equal(read_tables(&t, &arena, &s), 0);
	assert_int_equal(s.n_maps, 6);
	assert_int_equal(s.n_procs, 4);
	assert_int_equal(s.n_stacks, 3);
	assert_int_equal(s.n_codes, 5);
	assert_true(s.procs[2].self);
	vmt_arena_done(&arena);
}

static int read_all(void *arg)
{
	struct tables *t = arg;
	struct vmt_fault_sample s;
	struct vmt_arena arena;
	int r;

	vmt_arena_init(&arena);
	r = read_tables(t, &arena, &s);
	vmt_arena_done(&arena);
	return r;
}

static void m02_failing_allocations(void **state)
{
	struct tables t;

	make_tables(&t);
	assert_true(unit_alloc_sweep(read_all, &t) >= 3);
	t.state.sums = true;
	assert_true(unit_alloc_sweep(read_all, &t) >= 3);
}

static int add_row(void *arg, const struct vmt_slot_map *m, struct vmt_arena *arena,
		   struct vmt_fault_raw *out)
{
	out->slot = m->slot;
	out->pid = m->tgid;
	return *(int *)arg;
}

/* Of single faults: a row that is its process's, or one that processes share. */
static void test_mappings_of_single_faults(void **state)
{
	struct vmt_fault_single singles[] = {
		{ .pid = 40, .slot = 1 },
		{ .pid = 40, .slot = 1 },
		{ .pid = 40, .slot = 0 },
		{ .pid = 99, .slot = 7 },
	};
	struct vmt_fault_sample s = { .singles = singles, .n_singles = VMT_ARRAY_LEN(singles) };
	struct vmt_probe_live *live;
	struct vmt_arena arena;
	struct tables t;
	int result = 0;

	make_tables(&t);
	vmt_arena_init(&arena);
	assert_int_equal(vmt_probe_live_new(&t.state.maps, NULL, VMT_PILE_MAPS, &live), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(vmt_probe_live_maps(live, &arena, add_row, &result, &s), 0);
		assert_int_equal(s.n_maps, 2);
		assert_int_equal(s.maps[0].slot + s.maps[1].slot, 8);
	}
	result = -ENOMEM;
	assert_int_equal(vmt_probe_live_maps(live, &arena, add_row, &result, &s), -ENOMEM);
	vmt_probe_live_free(live);
	vmt_arena_done(&arena);
}

static int name_area(void *arg, uint32_t row, struct vmt_arena *arena, struct vmt_bytes *ret)
{
	*ret = VMT_BYTES("/name");
	return row == *(const uint32_t *)arg ? -ENOMEM : 0;
}

static void test_a_crash_whose_mappings_have_no_name_is_none(void **state)
{
	struct vmt_crash_record r = { .at = { .name = 1 },
				      .below = { .name = 2 },
				      .above = { .name = 3 },
				      .code = { .name = 4 } };
	struct vmt_crash crash;
	struct vmt_arena arena;

	vmt_arena_init(&arena);
	for (uint32_t bad = 0; bad <= 4; bad++)
		assert_int_equal(vmt_probe_crash(&r, name_area, &bad, &arena, &crash),
				 bad ? -ENOMEM : 0);
	vmt_arena_done(&arena);
}

/* x86 tells no address where the alignment was wrong. */
static void test_signals_that_have_an_address(void **state)
{
	static const struct {
		int sig, code;
		uint64_t address;
		bool has;
	} cases[] = {
		{ SIGSEGV, SEGV_MAPERR, 0, true }, { SIGSEGV, SI_KERNEL, 0, false },
		{ SIGSEGV, SI_USER, 0, false },	   { SIGBUS, BUS_ADRALN, 0, false },
		{ SIGBUS, BUS_ADRALN, 8, true },   { SIGBUS, BUS_ADRERR, 0, true },
	};
	uint32_t none = 0;
	struct vmt_crash crash;
	struct vmt_arena arena;

	vmt_arena_init(&arena);
	for (size_t i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		struct vmt_crash_record r = { .si_code = cases[i].code,
					      .address = cases[i].address };

		r.sig = (typeof(r.sig))cases[i].sig;
		assert_int_equal(vmt_probe_crash(&r, name_area, &none, &arena, &crash), 0);
		assert_int_equal(crash.has_address, cases[i].has);
	}
	vmt_arena_done(&arena);
}

static void test_why_crashes_are_not_seen(void **state)
{
	struct vmt_probe_try t = vmt_probe_crash_try(-ENODATA);

	assert_int_equal(t.status, VMT_TRY_SILENT);
	assert_string_equal(t.reason, "attached, and a signal of its own was not counted");
	assert_string_equal(t.fix, "");
	t = vmt_probe_crash_try(-ENOMEM);
	assert_int_not_equal(t.status, VMT_TRY_OK);
	assert_string_not_equal(t.reason, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_are_paths),
		cmocka_unit_test(test_the_caller_is_the_second_frame),
		cmocka_unit_test(test_a_stack_that_was_not_taken_says_why),
		cmocka_unit_test(test_rows_of_tables),
		cmocka_unit_test(test_sums_are_those_of_the_rows),
		cmocka_unit_test(test_all_processes),
		cmocka_unit_test(m02_failing_allocations),
		cmocka_unit_test(test_mappings_of_single_faults),
		cmocka_unit_test(test_a_crash_whose_mappings_have_no_name_is_none),
		cmocka_unit_test(test_signals_that_have_an_address),
		cmocka_unit_test(test_why_crashes_are_not_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
