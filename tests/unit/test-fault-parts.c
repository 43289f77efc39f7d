/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fault-setup.h"

#include "model/fault-parts.h"
#include "model/latency.h"

/* Without outcomes. */
#define KINDS ((UINT32_C(1) << VMT_FAULT_KINDS) - 1)

struct setup {
	struct fault_setup base;
	struct vmt_fault_raw raw[8];
	struct vmt_fault_by_kind kinds[16];
};

static int begin(void **state)
{
	struct setup *s =
		fault_begin(sizeof(*s), VMT_RUNG_FEXIT,
			    VMT_HAVE_MAPS | VMT_HAVE_ACCESS | VMT_HAVE_MODE | VMT_HAVE_LATENCY |
				    VMT_HAVE_KINDS | VMT_HAVE_GUP | VMT_HAVE_GUP_MAP |
				    VMT_HAVE_FAILED | VMT_HAVE_RETRIED);

	s->base.faults.canary = VMT_CANARY_TRUSTED;
	s->base.faults.maps = s->raw;
	s->base.faults.by_kind = true;
	s->base.faults.kinds = s->kinds;
	*state = s;
	return 0;
}

/* A mapping with n minor faults, all of them stores in user mode. */
static struct vmt_fault_raw *mapping(struct setup *s, uint32_t slot, uint64_t pid, uint64_t n)
{
	struct vmt_fault_raw *raw = &s->raw[s->base.faults.n_maps++];

	*raw = (struct vmt_fault_raw){
		.slot = slot,
		.pid = pid,
		.owner_pid = pid,
		.start_time_ns = pid * 1000,
		.start = 0x1000000ull * slot,
		.end = 0x1000000ull * slot + 0x10000,
		.comm = VMT_BYTES("w"),
		.minor = n,
		.write = n,
		.user = n,
		.gup = 3,
		.retried = 4,
	};
	return raw;
}

/* Of which n were of a kind, and took ns each. Its row by kind is what is returned. */
static struct vmt_fault_by_kind *kind(struct setup *s, struct vmt_fault_raw *raw,
				      enum vmt_fault_kind id, uint64_t n, uint64_t ns)
{
	struct vmt_fault_by_kind *k = &s->kinds[s->base.faults.n_kinds++];

	if (id != VMT_KIND_UNKNOWN)
		raw->kinds[id] += n;
	*k = (struct vmt_fault_by_kind){
		.slot = raw->slot,
		.pid = raw->pid,
		.start_time_ns = raw->start_time_ns,
		.kind = id,
		.minor = n,
		.write = n,
		.user = n,
	};
	k->latency.count = n;
	k->latency.sum_ns = n * ns;
	k->latency.max_ns = ns;
	k->latency.bucket[vmt_latency_bucket(ns)] = (uint32_t)n;
	return k;
}

static void build(struct setup *s, enum vmt_fault_group group, uint32_t kinds)
{
	struct vmt_model_opts opts = { .fault_group = group, .fault_kinds = kinds };

	vmt_model_free(s->base.model);
	s->base.model = NULL;
	assert_int_equal(vmt_model_build(s->base.sample, NULL, &opts, &s->base.model, NULL), 0);
}

static const struct vmt_fault *row(const struct setup *s, uint64_t pid, const char *served)
{
	const struct vmt_fault *found = NULL;
	size_t i;

	for (i = 0; i < s->base.model->n_faults; i++) {
		const struct vmt_fault *f = &s->base.model->faults[i];

		if ((pid && f->pid != pid) || !vmt_bytes_is(f->main_kind, served))
			continue;
		assert_null(found);
		found = f;
	}
	if (!found)
		abort();
	return found;
}

static uint64_t total(const struct setup *s)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < s->base.model->n_faults; i++)
		sum += s->base.model->faults[i].faults_total;
	return sum;
}

static void each_kind_has_its_own_times(void **state)
{
	struct setup *s = *state;
	struct vmt_fault_raw *a = mapping(s, 1, 42, 100), *b = mapping(s, 2, 43, 50);
	const struct vmt_fault *f;

	kind(s, a, VMT_KIND_ZERO_FILL, 60, 1000);
	kind(s, a, VMT_KIND_COW_COPY, 30, 100000);
	kind(s, b, VMT_KIND_ZERO_FILL, 50, 2000);
	build(s, VMT_FAULT_BY_VMA, KINDS);
	assert_int_equal(s->base.model->n_faults, 4);
	assert_int_equal(total(s), 150);
	f = row(s, 42, "cow_copy");
	assert_int_equal(f->faults_total, 30);
	assert_int_equal(f->write_faults_total, 30);
	assert_int_equal(f->cow_copy, 30);
	assert_int_equal(f->zero_fill, 0);
	assert_int_equal(f->unknown, 0);
	assert_int_equal(f->max_ns, 100000);
	assert_int_equal(f->total_ns, 3000000);
	assert_int_equal(f->count, 30);
	assert_int_equal(f->start, a->start);
	/* What is not counted by kind is not known of one. */
	assert_false(VMT_HAS(fault, gup_faults_total, f));
	assert_false(VMT_HAS(fault, retried_faults_total, f));
	/* The rest of the mapping was of no kind, and has no time. */
	f = row(s, 42, "unknown");
	assert_int_equal(f->faults_total, 10);
	assert_int_equal(f->unknown, 10);
	assert_int_equal(f->minor_faults_total, 10);
	assert_int_equal(f->count, 0);
	assert_false(VMT_HAS(fault, max_ns, f));

	build(s, VMT_FAULT_BY_KIND, 0);
	assert_int_equal(s->base.model->n_faults, 3);
	assert_int_equal(total(s), 150);
	f = row(s, 0, "zero_fill");
	assert_int_equal(f->faults_total, 110);
	assert_int_equal(f->keys, 2);
	assert_int_equal(f->total_ns, 60 * 1000 + 50 * 2000);
	assert_int_equal(f->anon_faults_total, 110);
	assert_false(VMT_HAS(fault, pid, f));
	assert_false(VMT_HAS(fault, path, f));
}

static void only_kinds_that_were_asked_for(void **state)
{
	struct setup *s = *state;
	struct vmt_fault_raw *a = mapping(s, 1, 42, 100), *b = mapping(s, 2, 42, 50);

	kind(s, a, VMT_KIND_ZERO_FILL, 100, 1000);
	kind(s, b, VMT_KIND_ZERO_FILL, 30, 1000);
	kind(s, b, VMT_KIND_SHMEM, 20, 5000);
	build(s, VMT_FAULT_BY_VMA, 1u << VMT_KIND_SHMEM);
	assert_int_equal(s->base.model->n_faults, 1);
	assert_int_equal(row(s, 42, "shmem_page")->faults_total, 20);
	build(s, VMT_FAULT_BY_PROC, 1u << VMT_KIND_ZERO_FILL | 1u << VMT_KIND_UNKNOWN);
	assert_int_equal(s->base.model->n_faults, 1);
	assert_int_equal(row(s, 42, "zero_fill")->faults_total, 130);
	build(s, VMT_FAULT_BY_KIND, 1u << VMT_KIND_SHMEM);
	assert_int_equal(s->base.model->n_faults, 1);
	build(s, VMT_FAULT_BY_PROC, 0);
	assert_int_equal(row(s, 42, "zero_fill")->faults_total, 150);
}

/* The times of faults that are of no known kind are in a row of their own, their number is not. */
static void what_is_unknown_has_a_time(void **state)
{
	struct setup *s = *state;
	struct vmt_fault_raw *a = mapping(s, 1, 42, 100);
	const struct vmt_fault *f;

	kind(s, a, VMT_KIND_ZERO_FILL, 60, 1000);
	kind(s, a, VMT_KIND_UNKNOWN, 30, 7000);
	build(s, VMT_FAULT_BY_VMA, KINDS);
	assert_int_equal(s->base.model->n_faults, 2);
	f = row(s, 42, "unknown");
	assert_int_equal(f->faults_total, 40);
	assert_int_equal(f->count, 30);
	assert_int_equal(f->max_ns, 7000);
	assert_int_equal(f->keys, 1);
}

/* A slot is one process's after the other. */
static void a_slot_is_not_an_identity(void **state)
{
	struct setup *s = *state;
	struct vmt_fault_raw *a = mapping(s, 7, 42, 10), *b = mapping(s, 7, 43, 20);

	kind(s, b, VMT_KIND_ZERO_FILL, 20, 1000);
	kind(s, a, VMT_KIND_COW_REUSE, 10, 2000);
	build(s, VMT_FAULT_BY_VMA, KINDS);
	assert_int_equal(s->base.model->n_faults, 2);
	assert_int_equal(row(s, 42, "cow_reuse")->max_ns, 2000);
	assert_int_equal(row(s, 43, "zero_fill")->max_ns, 1000);
}

static void f04_a_full_table_takes_no_count(void **state)
{
	struct setup *s = *state;
	struct vmt_fault_raw *a = mapping(s, 1, 42, 100), *b = mapping(s, 2, 43, 50);
	struct vmt_fault_by_kind *stray;
	const struct vmt_fault *f;

	kind(s, a, VMT_KIND_ZERO_FILL, 60, 1000);
	kind(s, a, VMT_KIND_UNKNOWN, 5, 1000);
	stray = kind(s, b, VMT_KIND_ZERO_FILL, 45, 3000);
	stray->slot = 0;
	stray->pid = 0;
	stray->start_time_ns = 0;
	s->base.faults.totals.kinds_lost = 45;

	/* By kind all of it is known but whose it was. */
	build(s, VMT_FAULT_BY_KIND, 0);
	assert_int_equal(total(s), 150);
	f = row(s, 0, "zero_fill");
	assert_int_equal(f->faults_total, 105);
	assert_int_equal(f->minor_faults_total, 105);
	assert_int_equal(f->count, 105);
	assert_int_equal(f->max_ns, 3000);
	assert_false(VMT_HAS(fault, keys, f));
	assert_false(VMT_HAS(fault, anon_faults_total, f));
	assert_int_equal(row(s, 0, "unknown")->faults_total, 45);

	/* By mapping only how many there were. */
	build(s, VMT_FAULT_BY_VMA, KINDS);
	assert_int_equal(total(s), 150);
	f = row(s, 43, "zero_fill");
	assert_int_equal(f->faults_total, 45);
	assert_false(VMT_HAS(fault, minor_faults_total, f));
	assert_false(VMT_HAS(fault, write_faults_total, f));
	assert_int_equal(f->count, 0);
	f = row(s, 43, "unknown");
	assert_int_equal(f->faults_total, 5);
	assert_false(VMT_HAS(fault, minor_faults_total, f));
	f = row(s, 42, "zero_fill");
	assert_int_equal(f->minor_faults_total, 60);
	assert_int_equal(s->base.model->probe.kinds_lost_total, 45);
}

static void a_rung_without_kinds_tells_none(void **state)
{
	struct setup *s = *state;

	mapping(s, 0, 42, 100);
	mapping(s, 0, 43, 10);
	s->base.faults.have = VMT_HAVE_MAPS;
	s->base.faults.by_kind = false;
	build(s, VMT_FAULT_BY_KIND, 0);
	assert_int_equal(s->base.model->n_faults, 1);
	assert_int_equal(total(s), 110);
	assert_false(VMT_HAS(fault, main_kind, &s->base.model->faults[0]));
	assert_false(VMT_HAS(fault, zero_fill, &s->base.model->faults[0]));
	assert_false(VMT_HAS(probe, kinds_lost_total, &s->base.model->probe));
	assert_int_equal(s->base.model->faults[0].anon_faults_total, 110);
	build(s, VMT_FAULT_BY_VMA, 1u << VMT_KIND_FILE_MAJOR);
	assert_int_equal(s->base.model->n_faults, 0);
}

static void cgroups_are_those_of_processes(void **state)
{
	struct setup *s = *state;
	struct vmt_fault_proc procs[3] = {
		{ .pid = 42, .start_time_ns = 42000, .cgroup = VMT_BYTES("/a") },
		{ .pid = 43, .start_time_ns = 43000, .cgroup = VMT_BYTES("/b") },
		/* Of a process with the same id, before. */
		{ .pid = 44, .start_time_ns = 1, .cgroup = VMT_BYTES("/b") },
	};
	struct vmt_fault_raw *a = mapping(s, 1, 42, 100), *b = mapping(s, 2, 42, 50);
	struct vmt_proc now = { 0 };
	const struct vmt_fault *f;
	size_t i;

	kind(s, a, VMT_KIND_ZERO_FILL, 100, 1000);
	kind(s, b, VMT_KIND_COW_COPY, 50, 3000);
	kind(s, mapping(s, 3, 43, 7), VMT_KIND_ZERO_FILL, 7, 9000);
	mapping(s, 4, 44, 5);
	mapping(s, 5, 0, 3)->start_time_ns = 0; /* one that processes share */
	s->base.faults.procs = procs;
	s->base.faults.n_procs = 3;

	build(s, VMT_FAULT_BY_CGROUP, 0);
	assert_int_equal(s->base.model->n_faults, 3);
	assert_int_equal(total(s), 165);
	for (i = 0; i < 3; i++) {
		f = &s->base.model->faults[i];
		if (!VMT_HAS(fault, cgroup, f)) {
			assert_int_equal(f->faults_total, 8);
		} else if (vmt_bytes_is(f->cgroup, "/a")) {
			assert_int_equal(f->faults_total, 150);
			assert_int_equal(f->gup_faults_total, 6);
		} else {
			assert_true(vmt_bytes_is(f->cgroup, "/b"));
			assert_int_equal(f->faults_total, 7);
		}
		assert_false(VMT_HAS(fault, pid, f));
		assert_false(VMT_HAS(fault, comm, f));
	}
	build(s, VMT_FAULT_BY_CGROUP, 1u << VMT_KIND_COW_COPY);
	assert_int_equal(s->base.model->n_faults, 1);
	assert_true(vmt_bytes_is(s->base.model->faults[0].cgroup, "/a"));
	assert_int_equal(s->base.model->faults[0].max_ns, 3000);
	build(s, VMT_FAULT_BY_PROC, 0);
	for (i = 0; i < s->base.model->n_faults; i++)
		assert_int_equal(VMT_HAS(fault, cgroup, &s->base.model->faults[i]),
				 s->base.model->faults[i].pid == 42 ||
					 s->base.model->faults[i].pid == 43);

	/* What the probe does not know /proc may know of a process that is the same one. */
	VMT_SET(proc, pid, &now, 44);
	VMT_SET(proc, start_time_ns, &now, 40000);
	VMT_SET(proc, cgroup, &now, VMT_BYTES("/now"));
	s->base.sample->procs = &now;
	s->base.sample->n_procs = 1;
	build(s, VMT_FAULT_BY_CGROUP, 0);
	assert_int_equal(s->base.model->n_faults, 4);
	VMT_SET(proc, start_time_ns, &now, 45000);
	build(s, VMT_FAULT_BY_CGROUP, 0);
	assert_int_equal(s->base.model->n_faults, 3);
	s->base.sample->procs = NULL;
	s->base.sample->n_procs = 0;
}

/* Two processes, of which each has something that is of no kind. */
static void give_outcomes(struct setup *s, struct vmt_fault_proc procs[2])
{
	struct vmt_fault_raw *a = mapping(s, 1, 42, 100), *b = mapping(s, 2, 43, 50);

	kind(s, a, VMT_KIND_ZERO_FILL, 100, 1000);
	kind(s, b, VMT_KIND_ZERO_FILL, 40, 1000);
	a->failed[VMT_FAILED_SIGBUS] = 2;
	procs[0] = (struct vmt_fault_proc){
		.pid = 42,
		.start_time_ns = 42000,
		.comm = VMT_BYTES("w"),
		.kernel_minor = 110,
		.mapped = 100,
		.gup = 8,
		.unattributed = 1,
		.dropped = 1,
		.retried = 4,
		.failed = { [VMT_FAILED_SIGBUS] = 2, [VMT_FAILED_OOM] = 1 },
	};
	procs[1] = (struct vmt_fault_proc){
		.pid = 43,
		.start_time_ns = 43000,
		.comm = VMT_BYTES("w"),
		.kernel_minor = 53,
		.mapped = 50,
		.gup = 3,
		.retried = 4,
	};
	s->base.faults.procs = procs;
	s->base.faults.n_procs = 2;
	s->base.faults.totals.kernel_minor = 163;
}

static void kinds_and_outcomes_are_what_the_kernel_counted(void **state)
{
	struct setup *s = *state;
	struct vmt_fault_proc procs[2];
	const struct vmt_fault *f;

	give_outcomes(s, procs);
	build(s, VMT_FAULT_BY_KIND, 0);
	assert_int_equal(total(s), s->base.model->probe.kernel);
	assert_int_equal(s->base.model->n_faults, 6);
	f = row(s, 0, "gup");
	assert_int_equal(f->faults_total, 11);
	assert_int_equal(f->gup_faults_total, 11);
	assert_false(VMT_HAS(fault, minor_faults_total, f));
	assert_false(VMT_HAS(fault, read_faults_total, f));
	assert_false(VMT_HAS(fault, failed_faults_total, f));
	assert_false(VMT_HAS(fault, p50_ns, f));
	f = row(s, 0, "unknown");
	assert_int_equal(f->faults_total, 12);
	assert_false(VMT_HAS(fault, minor_faults_total, f));
	/* These are in no sum. */
	f = row(s, 0, "failed_sigbus");
	assert_int_equal(f->faults_total, 0);
	assert_int_equal(f->failed_faults_total, 2);
	assert_false(VMT_HAS(fault, retried_faults_total, f));
	assert_int_equal(row(s, 0, "failed_oom")->failed_faults_total, 1);
	f = row(s, 0, "retried");
	assert_int_equal(f->faults_total, 0);
	assert_int_equal(f->retried_faults_total, 8);
	assert_false(VMT_HAS(fault, failed_faults_total, f));

	build(s, VMT_FAULT_BY_PROC, UINT32_MAX);
	assert_int_equal(total(s), 163);
	assert_int_equal(row(s, 42, "gup")->faults_total, 8);
	assert_int_equal(row(s, 42, "unknown")->faults_total, 2);
	assert_int_equal(row(s, 43, "retried")->retried_faults_total, 4);
	assert_true(vmt_bytes_is(row(s, 43, "gup")->comm, "w"));
	build(s, VMT_FAULT_BY_VMA, 1u << VMT_OUTCOME_GUP | 1u << VMT_OUTCOME_SIGBUS);
	assert_int_equal(s->base.model->n_faults, 3);
	assert_int_equal(row(s, 42, "gup")->faults_total, 3);
	assert_int_equal(row(s, 42, "failed_sigbus")->failed_faults_total, 2);
	assert_int_equal(row(s, 42, "failed_sigbus")->start, s->raw[0].start);
}

static void what_a_rung_does_not_see_is_unknown(void **state)
{
	struct setup *s = *state;
	struct vmt_fault_proc procs[2];
	const struct vmt_fault *f;

	give_outcomes(s, procs);
	s->base.faults.have &= ~(uint32_t)(VMT_HAVE_GUP_MAP | VMT_HAVE_FAILED | VMT_HAVE_RETRIED);
	s->base.faults.have |= VMT_HAVE_SIGBUS;
	build(s, VMT_FAULT_BY_KIND, 0);
	assert_int_equal(total(s), 163);
	assert_int_equal(row(s, 0, "gup")->faults_total, 11);
	assert_int_equal(row(s, 0, "failed_sigbus")->failed_faults_total, 2);
	f = row(s, 0, "failed_oom");
	assert_false(VMT_HAS(fault, failed_faults_total, f));
	assert_false(VMT_HAS(fault, faults_total, f));
	assert_false(VMT_HAS(fault, count, f));
	f = row(s, 0, "retried");
	assert_false(VMT_HAS(fault, retried_faults_total, f));
	assert_false(
		vmt_fault_outcome_is_known(&s->base.faults, VMT_OUTCOME_GUP, VMT_FAULT_BY_VMA));
	assert_true(
		vmt_fault_outcome_is_known(&s->base.faults, VMT_OUTCOME_GUP, VMT_FAULT_BY_PROC));
	/* By mapping there is nothing to say it with. */
	build(s, VMT_FAULT_BY_VMA, 1u << VMT_OUTCOME_GUP | 1u << VMT_OUTCOME_RETRIED);
	assert_int_equal(s->base.model->n_faults, 0);
}

static void shares_are_parts_of_the_stall(void **state)
{
	struct setup *s = *state;
	struct vmt_fault_raw *a = mapping(s, 1, 42, 10);
	struct vmt_fault_by_kind *read = kind(s, a, VMT_KIND_FILE_MAJOR, 4, 1000);
	const struct vmt_fault *f;

	kind(s, a, VMT_KIND_FILE_MINOR, 6, 500)->spent.lock_ns = 600;
	read->spent.lock_ns = 400;
	read->spent.read_ns = 3000;
	a->spent.lock_ns = 1000;
	a->spent.read_ns = 3000;
	a->latency.count = 10;
	a->latency.sum_ns = 7000;
	s->base.faults.has_read = true;
	build(s, VMT_FAULT_BY_KIND, 0);
	f = row(s, 0, "file_major");
	assert_int_equal(f->file_read_ns, 3000);
	assert_int_equal(f->file_read_percent, 75000);
	/* No hook told of the lock. */
	assert_false(VMT_HAS(fault, lock_wait_ns, f));
	assert_false(VMT_HAS(fault, lock_wait_percent, f));
	s->base.faults.has_lock = true;
	build(s, VMT_FAULT_BY_KIND, 0);
	assert_int_equal(row(s, 0, "file_major")->lock_wait_percent, 10000);
	assert_int_equal(row(s, 0, "file_minor")->lock_wait_percent, 20000);
	assert_int_equal(row(s, 0, "file_minor")->file_read_ns, 0);
	assert_false(VMT_HAS(fault, swap_read_ns, row(s, 0, "file_minor")));
	s->base.faults.has_swap = true;
	read->spent.swap_ns = 200;
	a->spent.swap_ns = 200;
	build(s, VMT_FAULT_BY_KIND, 0);
	assert_int_equal(row(s, 0, "file_major")->swap_read_percent, 5000);
	assert_int_equal(row(s, 0, "file_minor")->swap_read_ns, 0);
	build(s, VMT_FAULT_BY_PROC, 0);
	f = &s->base.model->faults[0];
	assert_int_equal(f->lock_wait_ns, 1000);
	assert_int_equal(f->file_read_ns, 3000);
	assert_int_equal(f->file_read_percent, 42857);
	/* Without a time there is no part of it. */
	a->latency.count = 0;
	a->latency.sum_ns = 0;
	build(s, VMT_FAULT_BY_PROC, 0);
	assert_false(VMT_HAS(fault, lock_wait_ns, &s->base.model->faults[0]));
}

static int build_once(void *arg)
{
	struct setup *s = arg;
	const struct vmt_model_opts opts = { .fault_kinds = UINT32_MAX };
	struct vmt_model *m = NULL;
	int r = vmt_model_build(s->base.sample, NULL, &opts, &m, NULL);

	if (r == 0)
		vmt_model_free(m);
	return r;
}

static void no_memory_is_an_error(void **state)
{
	struct setup *s = *state;

	kind(s, mapping(s, 1, 42, 100), VMT_KIND_ZERO_FILL, 60, 1000);
	assert_true(unit_piece_sweep(build_once, s) > 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, fault_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_kind_has_its_own_times),
		TEST(only_kinds_that_were_asked_for),
		TEST(what_is_unknown_has_a_time),
		TEST(a_slot_is_not_an_identity),
		TEST(f04_a_full_table_takes_no_count),
		TEST(a_rung_without_kinds_tells_none),
		TEST(cgroups_are_those_of_processes),
		TEST(shares_are_parts_of_the_stall),
		TEST(kinds_and_outcomes_are_what_the_kernel_counted),
		TEST(what_a_rung_does_not_see_is_unknown),
		TEST(no_memory_is_an_error),
	};

	return cmocka_run_group_tests_name("fault-parts", tests, NULL, NULL);
}
