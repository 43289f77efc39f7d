/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fault-setup.h"

#include "model/latency.h"

#define PAGE 4096ull
#define BORN 5000000000ull

struct setup {
	struct fault_setup base;
	struct vmt_fault_raw raw[256];
	struct vmt_fault_proc procs[4];
	struct vmt_proc proc;
	struct vmt_proc_maps maps;
	struct vmt_map map[8];
};

static int begin(void **state)
{
	struct setup *s =
		fault_begin(sizeof(*s), VMT_RUNG_FEXIT,
			    VMT_HAVE_MAPS | VMT_HAVE_ACCESS | VMT_HAVE_LATENCY | VMT_HAVE_GUP);

	s->base.faults.canary = VMT_CANARY_PARTIAL;
	s->base.faults.maps = s->raw;
	s->base.faults.procs = s->procs;
	VMT_SET(proc, pid, &s->proc, 42);
	/* /proc counts in ticks: the kernel's start is a little later. */
	VMT_SET(proc, start_time_ns, &s->proc, BORN / 10000000 * 10000000);
	s->base.sample->procs = &s->proc;
	s->base.sample->n_procs = 1;
	s->maps.maps = s->map;
	s->base.sample->maps = &s->maps;
	*state = s;
	return 0;
}

static struct vmt_fault_raw *key(struct setup *s, uint64_t start, uint64_t stop, uint64_t minor)
{
	struct vmt_fault_raw *raw = &s->raw[s->base.faults.n_maps++];

	*raw = (struct vmt_fault_raw){
		.pid = 42,
		.owner_pid = 42,
		.start_time_ns = BORN + 3,
		.start = start,
		.end = stop,
		.vm_flags = 3,
		.comm = VMT_BYTES("w"),
		.minor = minor,
		.write = minor,
	};
	raw->latency.count = minor;
	raw->latency.bucket[vmt_latency_bucket(1500)] = (uint32_t)minor;
	raw->latency.max_ns = 1500;
	raw->latency.sum_ns = minor * 1500;
	return raw;
}

static struct vmt_fault_raw *of_file(struct vmt_fault_raw *raw, uint64_t inode, uint64_t offset)
{
	raw->class = VMT_FAULT_FILE;
	raw->has_file = true;
	raw->inode = inode;
	raw->dev_major = 8;
	raw->dev_minor = 1;
	raw->offset_bytes = offset;
	raw->path = VMT_BYTES("/usr/lib/x.so");
	return raw;
}

static struct vmt_map *mapping(struct setup *s, uint64_t start, uint64_t stop, const char *perms,
			       const char *path)
{
	struct vmt_map *m = &s->map[s->maps.n_maps++];

	VMT_SET(map, start, m, start);
	VMT_SET(map, end, m, stop);
	VMT_SET(map, perms, m, vmt_bytes_of(perms));
	VMT_SET(map, inode, m, 0);
	VMT_SET(map, offset_bytes, m, 0);
	VMT_SET(map, device, m, VMT_BYTES("00:00"));
	if (path)
		VMT_SET(map, path, m, vmt_bytes_of(path));
	return m;
}

static void build(struct setup *s, enum vmt_fault_group group)
{
	struct vmt_model_opts opts = { .fault_group = group };

	assert_int_equal(vmt_model_build(s->base.sample, NULL, &opts, &s->base.model, NULL), 0);
}

/* No fault may get lost or doubled by folding. */
static void assert_sum(const struct setup *s)
{
	uint64_t raw = 0, rows = 0;
	size_t i;

	for (i = 0; i < s->base.faults.n_maps; i++)
		raw += s->raw[i].minor + s->raw[i].major;
	for (i = 0; i < s->base.model->n_faults; i++)
		rows += s->base.model->faults[i].faults_total;
	assert_int_equal(rows, raw);
}

/* Rows that processes share have no range; each is a row of its own, and none is taken twice. */
static void shared_rows_end(void **state)
{
	struct setup *s = *state;
	size_t i;

	key(s, 0x10000, 0x20000, 5);
	for (i = 0; i < 3; i++) {
		struct vmt_fault_raw *raw = key(s, 0, 0, 7);

		raw->pid = 0;
		raw->owner_pid = 0;
		raw->start_time_ns = 0;
	}
	build(s, VMT_FAULT_BY_VMA);
	assert_int_equal(s->base.model->n_faults, 4);
	assert_sum(s);
}

static void merging_mappings_are_one_row(void **state)
{
	struct setup *s = *state;
	size_t i;

	/* Each new page merges with the area above it, so that the start moves down. */
	for (i = 0; i < 200; i++)
		key(s, 0x7f0000000000 - i * PAGE, 0x7f0000001000, 1);
	mapping(s, 0x7f0000000000 - 199 * PAGE, 0x7f0000001000, "rw-p", NULL);
	build(s, VMT_FAULT_BY_VMA);
	assert_int_equal(s->base.model->n_faults, 1);
	assert_int_equal(s->base.model->faults[0].keys, 200);
	assert_int_equal(s->base.model->faults[0].start, 0x7f0000000000 - 199 * PAGE);
	assert_true(vmt_bytes_is(s->base.model->faults[0].state, "mapped"));
	assert_true(vmt_bytes_is(s->base.model->faults[0].path, "[anon]"));
	assert_sum(s);
}

static void gone_keys_fold_where_they_overlap(void **state)
{
	struct setup *s = *state;

	key(s, 0x10000, 0x20000, 5);
	key(s, 0x18000, 0x20000, 6);
	key(s, 0x20000, 0x30000, 7); /* only touches */
	build(s, VMT_FAULT_BY_VMA);
	assert_int_equal(s->base.model->n_faults, 2);
	assert_int_equal(s->base.model->faults[0].faults_total, 11);
	assert_int_equal(s->base.model->faults[0].start, 0x10000);
	assert_int_equal(s->base.model->faults[0].end, 0x20000);
	assert_true(vmt_bytes_is(s->base.model->faults[0].state, "gone"));
	assert_sum(s);
}

static void a_stack_is_one_row(void **state)
{
	struct setup *s = *state;
	struct vmt_fault_raw *raw = key(s, 0x7ffe00000000, 0x7ffe00021000, 30);

	raw->special = VMT_FAULT_STACK;
	raw->vm_flags |= 0x100;
	raw->path = VMT_BYTES("[stack]");
	mapping(s, 0x7ffdffff0000, 0x7ffe00021000, "rw-p", "[stack]");
	build(s, VMT_FAULT_BY_VMA);
	assert_int_equal(s->base.model->n_faults, 1);
	assert_int_equal(s->base.model->faults[0].start, 0x7ffdffff0000);
	assert_true(vmt_bytes_is(s->base.model->faults[0].kind, "stack"));
	assert_true(vmt_bytes_is(s->base.model->faults[0].state, "mapped"));
}

static void a_split_file_mapping_keeps_its_rows(void **state)
{
	struct setup *s = *state;
	struct vmt_map *m;

	/* One mapping, of which mprotect made two: both keys know offset - address. */
	of_file(key(s, 0x400000, 0x410000, 3), 77, 0x1000);
	of_file(key(s, 0x408000, 0x410000, 4), 77, 0x9000);
	m = mapping(s, 0x400000, 0x408000, "r--p", "/usr/lib/x.so");
	VMT_SET(map, inode, m, 77);
	VMT_SET(map, device, m, VMT_BYTES("08:01"));
	VMT_SET(map, offset_bytes, m, 0x1000);
	m = mapping(s, 0x408000, 0x410000, "rw-p", "/usr/lib/x.so");
	VMT_SET(map, inode, m, 77);
	VMT_SET(map, device, m, VMT_BYTES("08:01"));
	VMT_SET(map, offset_bytes, m, 0x9000);
	build(s, VMT_FAULT_BY_VMA);
	assert_int_equal(s->base.model->n_faults, 2);
	assert_int_equal(s->base.model->faults[0].faults_total, 3);
	assert_true(vmt_bytes_is(s->base.model->faults[0].perms, "r--p"));
	assert_int_equal(s->base.model->faults[1].offset_bytes, 0x9000);
	assert_sum(s);
}

static void the_same_address_is_not_the_same_mapping(void **state)
{
	struct setup *s = *state;
	struct vmt_map *m;

	/* The file was unmapped, and anonymous memory took its place. */
	of_file(key(s, 0x400000, 0x410000, 3), 77, 0);
	of_file(key(s, 0x400000, 0x410000, 4), 78, 0);
	key(s, 0x400000, 0x410000, 5);
	m = mapping(s, 0x400000, 0x410000, "rw-p", NULL);
	VMT_SET(map, inode, m, 0);
	build(s, VMT_FAULT_BY_VMA);
	assert_int_equal(s->base.model->n_faults, 3);
	assert_true(vmt_bytes_is(s->base.model->faults[0].state, "mapped"));
	assert_true(vmt_bytes_is(s->base.model->faults[1].state, "gone"));
	assert_true(vmt_bytes_is(s->base.model->faults[2].state, "gone"));
	assert_sum(s);
}

static void another_image_or_process_is_another_row(void **state)
{
	struct setup *s = *state;

	key(s, 0x10000, 0x20000, 1);
	key(s, 0x10000, 0x20000, 2)->exec_id = 1;
	key(s, 0x10000, 0x20000, 4)->start_time_ns = BORN + 9000000000ull; /* pid reused */
	key(s, 0x10000, 0x20000, 8)->owner_pid = 43; /* process_vm_writev(2) */
	key(s, 0x10000, 0x20000, 16)->vm_flags |= 8; /* shared */
	mapping(s, 0x10000, 0x20000, "rw-p", NULL);
	build(s, VMT_FAULT_BY_VMA);
	assert_int_equal(s->base.model->n_faults, 5);
	assert_sum(s);
}

static void shared_anonymous_memory_has_no_inode(void **state)
{
	struct setup *s = *state;
	size_t i;

	for (i = 0; i < 4; i++) {
		struct vmt_fault_raw *raw = of_file(key(s, 0x400000, 0x410000, 1), 1000 + i, 0);

		raw->class = VMT_FAULT_SHMEM;
		raw->path = i < 3 ? VMT_BYTES("/dev/zero (deleted)")
				  : VMT_BYTES("/memfd:x (deleted)");
	}
	build(s, VMT_FAULT_BY_VMA);
	assert_int_equal(s->base.model->n_faults, 2);
	assert_int_equal(s->base.model->faults[0].faults_total, 3);
	assert_sum(s);
}

static void rows_by_process_and_file(void **state)
{
	struct setup *s = *state;

	of_file(key(s, 0x400000, 0x410000, 3), 77, 0);
	of_file(key(s, 0x500000, 0x510000, 4), 77, 0x100000);
	key(s, 0x10000, 0x20000, 5);
	key(s, 0x90000, 0xa0000, 6)->pid = 50;
	build(s, VMT_FAULT_BY_PROC);
	assert_int_equal(s->base.model->n_faults, 2);
	assert_int_equal(s->base.model->faults[0].faults_total, 12);
	assert_int_equal(s->base.model->faults[0].file_faults_total, 7);
	assert_false(VMT_HAS(fault, start, &s->base.model->faults[0]));
	assert_sum(s);
	vmt_model_free(s->base.model);
	build(s, VMT_FAULT_BY_FILE);
	assert_int_equal(s->base.model->n_faults, 2);
	assert_false(VMT_HAS(fault, pid, &s->base.model->faults[0]));
	assert_sum(s);
}

static void latency_comes_from_the_buckets(void **state)
{
	struct setup *s = *state;
	struct vmt_fault_raw *raw = key(s, 0x10000, 0x20000, 100);
	struct vmt_fault *row;

	raw->latency =
		(struct vmt_fault_latency){ .count = 100, .sum_ns = 123456, .max_ns = 70000 };
	raw->latency.bucket[vmt_latency_bucket(1000)] = 50; /* 960..1023 ns */
	raw->latency.bucket[vmt_latency_bucket(8000)] = 49; /* 7680..8191 ns */
	raw->latency.bucket[vmt_latency_bucket(70000)] = 1; /* 65536..73727 ns */
	build(s, VMT_FAULT_BY_VMA);
	row = &s->base.model->faults[0];
	assert_int_equal(row->p50_ns, 992);
	assert_int_equal(row->p90_ns, 7936);
	assert_int_equal(row->p99_ns, 7936);
	assert_int_equal(row->histogram.n, 3);
	assert_int_equal(row->histogram.buckets[1].from, 7680);
	assert_int_equal(row->histogram.buckets[1].to, 8191);
	assert_int_equal(row->histogram.buckets[1].count, 49);
	assert_int_equal(row->max_ns, 70000);
	assert_int_equal(row->total_ns, 123456);
}

static struct vmt_fault_single single(uint32_t slot, uint64_t address)
{
	return (struct vmt_fault_single){
		.end_ns = 7000000000,
		.latency_ns = 5000000,
		.total_ns = 5000000,
		.address = address,
		.faults = 1,
		.pid = 42,
		.tid = 43,
		.slot = slot,
		.access = VMT_ACCESS_READ,
		.mode = VMT_MODE_KERNEL,
		.major = true,
		.comm = "sixteen bytes or",
	};
}

static void single_faults_have_their_mapping(void **state)
{
	struct setup *s = *state;
	struct vmt_fault_raw *raw = of_file(key(s, 0x10000, 0x20000, 1), 77, 0x3000);
	struct vmt_fault_single all[] = { single(9, 0x11000), single(4, 0x5000), single(~0u, 0) };
	const struct vmt_single *row;

	raw->slot = 9;
	/* The row was another process's before, which has ended. */
	raw = key(s, 0x10000, 0x20000, 1);
	raw->slot = 9;
	raw->pid = 41;
	raw->path = VMT_BYTES("/not/this");
	key(s, 0x40000, 0x50000, 1)->slot = 3;
	all[0].kind = VMT_KIND_FILE_MAJOR;
	all[1].latency_ns = 0;
	all[1].access = VMT_ACCESS_UNKNOWN;
	all[1].mode = VMT_MODE_UNKNOWN;
	s->base.faults.have |= VMT_HAVE_SINGLES;
	s->base.faults.singles_asked = true;
	s->base.faults.start_ns = 6000000000;
	s->base.faults.singles = all;
	s->base.faults.n_singles = 3;
	s->base.faults.totals.singles = 5;
	s->base.faults.totals.singles_limited = 2;
	s->base.sample->host.monotonic_ns = 8000000000;
	s->base.sample->host.realtime_ns = 1000000000;
	build(s, VMT_FAULT_BY_VMA);
	assert_int_equal(s->base.model->n_singles, 3);
	row = &s->base.model->singles[0];
	assert_text(single, time, row, "1970-01-01T00:00:00.000Z");
	assert_int_equal(row->after_ns, 1000000000);
	assert_int_equal(row->pid, 42);
	assert_int_equal(row->tid, 43);
	assert_int_equal(row->offset_bytes, 0x4000);
	assert_int_equal(row->inode, 77);
	assert_text(single, device, row, "08:01");
	assert_text(single, kind, row, "file");
	assert_text(single, path, row, "/usr/lib/x.so");
	assert_text(single, fault, row, "major");
	assert_text(single, served, row, "file_major");
	assert_text(single, access, row, "read");
	assert_text(single, mode, row, "kernel");
	assert_text(single, comm, row, "sixteen bytes or");
	assert_int_equal(row->latency_ns, 5000000);
	/* A slot that no row has, and none at all. */
	row = &s->base.model->singles[1];
	assert_unknown(single, path, row);
	assert_unknown(single, kind, row);
	assert_unknown(single, latency_ns, row);
	assert_unknown(single, total_ns, row);
	assert_unknown(single, access, row);
	assert_unknown(single, served, row);
	assert_unknown(single, mode, row);
	assert_unknown(single, path, &s->base.model->singles[2]);
	assert_int_equal(s->base.model->probe.singles_total, 5);
	assert_int_equal(s->base.model->probe.singles_limited_total, 2);
	assert_int_equal(s->base.model->probe.singles_lost_total, 0);
}

static void what_the_rung_does_not_see_is_unknown(void **state)
{
	struct setup *s = *state;
	struct vmt_fault *row;

	key(s, 0x10000, 0x20000, 1);
	s->base.faults.have = VMT_HAVE_MAPS;
	build(s, VMT_FAULT_BY_VMA);
	row = &s->base.model->faults[0];
	assert_true(VMT_HAS(fault, faults_total, row));
	assert_false(VMT_HAS(fault, read_faults_total, row));
	assert_false(VMT_HAS(fault, user_faults_total, row));
	assert_false(VMT_HAS(fault, p50_ns, row));
	assert_false(VMT_HAS(fault, count, row));
	assert_false(VMT_HAS(fault, gup_faults_total, row));
	assert_false(VMT_HAS(probe, gup, &s->base.model->probe));
	assert_false(VMT_HAS(probe, failed, &s->base.model->probe));
	assert_false(VMT_HAS(probe, record_minor, &s->base.model->probe));
}

static void the_sum_is_held_against_the_kernel(void **state)
{
	struct setup *s = *state;

	s->base.faults.n_procs = 1;
	s->procs[0] = (struct vmt_fault_proc){ .pid = 42,
					       .kernel_minor = 100,
					       .kernel_major = 5,
					       .mapped = 90,
					       .gup = 10,
					       .unattributed = 3 };
	s->base.faults.totals = (struct vmt_fault_totals){
		.kernel_minor = 100, .kernel_major = 5, .mapped = 90, .gup = 10, .unattributed = 3
	};
	build(s, VMT_FAULT_BY_VMA);
	assert_int_equal(s->base.model->balance[0].residual_faults, -2);
	assert_int_equal(s->base.model->probe.residual, -2);
	assert_int_equal(s->base.model->n_findings, 2); /* the canary, and this */
	vmt_model_free(s->base.model);
	s->base.faults.complete = false;
	build(s, VMT_FAULT_BY_VMA);
	assert_false(VMT_HAS(probe, residual, &s->base.model->probe));
	/* Also of counts above what has a sign. */
	vmt_model_free(s->base.model);
	s->base.faults.complete = true;
	s->procs[0] = (struct vmt_fault_proc){ .pid = 42,
					       .kernel_minor = INT64_MAX,
					       .mapped = (uint64_t)INT64_MAX + 2 };
	s->base.faults.totals = (struct vmt_fault_totals){ .kernel_minor = INT64_MAX,
							   .mapped = (uint64_t)INT64_MAX + 2 };
	build(s, VMT_FAULT_BY_VMA);
	assert_int_equal(s->base.model->balance[0].residual_faults, 2);
	assert_int_equal(s->base.model->probe.residual, 2);
}

static bool has_finding(const struct vmt_model *m, const char *id)
{
	for (size_t i = 0; i < m->n_findings; i++)
		if (vmt_bytes_is(m->findings[i].id, id))
			return true;
	return false;
}

/* One in eight was timed of a mapping, and none of a smaller one. */
static void f07_guard_is_told(void **state)
{
	struct setup *s = *state;
	struct vmt_fault_totals *t = &s->base.faults.totals;
	struct vmt_fault_raw *some = key(s, 0x10000, 0x20000, 80), *all, *none;

	all = key(s, 0x30000, 0x40000, 6);
	none = key(s, 0x50000, 0x60000, 3);
	build(s, VMT_FAULT_BY_VMA);
	/* No guard, nothing to tell of it. */
	assert_int_equal(s->base.model->probe.timed_faults_total, 89);
	assert_false(VMT_HAS(probe, guard_trips_total, &s->base.model->probe));
	assert_false(s->base.model->faults[0].sampled);
	assert_false(has_finding(s->base.model, "overhead_guard"));
	vmt_model_free(s->base.model);

	t->guarded = true;
	t->guard_rate = 125000;
	build(s, VMT_FAULT_BY_VMA);
	assert_int_equal(s->base.model->probe.guard_trips_total, 0);
	assert_false(VMT_HAS(probe, guard_first_ns, &s->base.model->probe));
	assert_false(VMT_HAS(probe, guard_cpus, &s->base.model->probe));
	assert_false(has_finding(s->base.model, "overhead_guard"));
	vmt_model_free(s->base.model);

	some->latency.count = 10;
	some->latency.others = 70;
	none->latency = (struct vmt_fault_latency){ 0 };
	t->guard_trips = 3;
	t->guard_calms = 2;
	t->guard_first_ns = 5000;
	t->guard_cpus = VMT_BYTES("0-1");
	build(s, VMT_FAULT_BY_VMA);
	assert_int_equal(s->base.model->n_faults, 3);
	assert_int_equal(s->base.model->probe.timed_faults_total, 16);
	assert_int_equal(s->base.model->probe.guard_rate, 125000);
	assert_int_equal(s->base.model->probe.guard_trips_total, 3);
	assert_int_equal(s->base.model->probe.guard_calms_total, 2);
	assert_int_equal(s->base.model->probe.guard_first_ns, 5000);
	assert_true(vmt_bytes_is(s->base.model->probe.guard_cpus, "0-1"));
	assert_true(has_finding(s->base.model, "overhead_guard"));
	/* Counts are of all. */
	assert_int_equal(s->base.model->faults[0].faults_total, 80);
	assert_int_equal(s->base.model->faults[0].count, 10);
	assert_int_equal(s->base.model->faults[0].stands_for_total, 80);
	assert_true(s->base.model->faults[0].sampled);
	assert_int_equal(s->base.model->faults[0].total_ns, 80 * 1500);
	assert_int_equal(s->base.model->faults[1].count, all->minor);
	assert_false(s->base.model->faults[1].sampled);
	/* Not timed at all is not 0. */
	assert_true(s->base.model->faults[2].sampled);
	assert_int_equal(s->base.model->faults[2].stands_for_total, 0);
	assert_false(VMT_HAS(fault, total_ns, &s->base.model->faults[2]));
	assert_false(VMT_HAS(fault, p50_ns, &s->base.model->faults[2]));
}

static void f12_cpus_that_come_are_told(void **state)
{
	struct setup *s = *state;

	build(s, VMT_FAULT_BY_VMA);
	/* Nobody could say. */
	assert_false(VMT_HAS(probe, cpus_gone_total, &s->base.model->probe));
	vmt_model_free(s->base.model);
	s->base.faults.totals.cpus_known = true;
	s->base.faults.totals.cpus_gone = 2;
	build(s, VMT_FAULT_BY_VMA);
	assert_int_equal(s->base.model->probe.cpus_gone_total, 2);
	assert_int_equal(s->base.model->probe.cpus_back_total, 0);
	assert_false(has_finding(s->base.model, "cpus_came_back"));
	assert_false(has_finding(s->base.model, "cpus_not_watched"));
	vmt_model_free(s->base.model);
	s->base.faults.totals.cpus_back = 1;
	build(s, VMT_FAULT_BY_VMA);
	assert_true(has_finding(s->base.model, "cpus_came_back"));
	assert_false(has_finding(s->base.model, "cpus_not_watched"));
	vmt_model_free(s->base.model);
	s->base.faults.totals.cpus_blind = 1;
	build(s, VMT_FAULT_BY_VMA);
	assert_true(has_finding(s->base.model, "cpus_not_watched"));
}

static int build_once(void *arg)
{
	struct setup *s = arg;
	struct vmt_model *m = NULL;
	int r = vmt_model_build(s->base.sample, NULL, NULL, &m, NULL);

	if (r == 0)
		vmt_model_free(m);
	return r;
}

static uint32_t have_of(const char *name)
{
	for (size_t i = 0; i < vmt_entity_fault.n_fields; i++)
		if (strcmp(vmt_entity_fault.fields[i].name, name) == 0)
			return vmt_fault_field_have(&vmt_entity_fault.fields[i]);
	fail_msg("no field %s", name);
	return 0;
}

static void fields_say_what_they_cannot_be_known_without(void **state)
{
	(void)state;
	assert_int_equal(have_of("faults_total"), 0);
	assert_int_equal(have_of("major_faults_total"), 0);
	assert_int_equal(have_of("path"), 0);
	assert_int_equal(have_of("exec_faults_total"), VMT_HAVE_ACCESS);
	assert_int_equal(have_of("kernel_faults_total"), VMT_HAVE_MODE);
	assert_int_equal(have_of("failed_faults_total"), VMT_HAVE_FAILED | VMT_HAVE_SIGBUS);
	assert_int_equal(have_of("main_kind"), VMT_HAVE_KINDS);
	assert_int_equal(have_of("cow_copy"), VMT_HAVE_KINDS);
	assert_int_equal(have_of("p50_ns"), VMT_HAVE_LATENCY);
	assert_int_equal(have_of("count"), VMT_HAVE_LATENCY);
	assert_int_equal(have_of("histogram"), VMT_HAVE_LATENCY);
}

static void no_memory_is_an_error_and_no_empty_text(void **state)
{
	struct setup *s = *state;
	size_t i;

	for (i = 0; i < 100; i++)
		of_file(key(s, 0x400000 + i * 0x10000, 0x408000 + i * 0x10000, 1), 77 + i, 0);
	s->base.faults.n_procs = 4;
	assert_true(unit_piece_sweep(build_once, s) > 4);
}

/* What mappings are called that have no name, and what they are, by what the probe saw of them. */
static void words_for_mappings(void **unused)
{
	static const struct {
		struct vmt_fault_raw raw;
		const char *path, *word;
	} cases[] = {
		{ { .class = VMT_FAULT_ANON, .end = 0x1000 }, "[anon]", "anon" },
		{ { .class = VMT_FAULT_ANON, .path = VMT_BYTES("/f") }, "/f", "anon" },
		{ { .class = VMT_FAULT_FILE, .has_file = true }, "", "file" },
		{ { .class = VMT_FAULT_SHMEM }, "", "shmem" },
		{ { .class = VMT_FAULT_HUGETLB }, "", "hugetlb" },
		{ { .class = VMT_FAULT_OTHER }, "[special]", "special" },
		/* VM_READ is 1, VM_WRITE 2, VM_PFNMAP 0x400. */
		{ { .class = VMT_FAULT_OTHER, .vm_flags = 0x401, .end = 0x4000 },
		  "[vvar]",
		  "special" },
		{ { .class = VMT_FAULT_OTHER, .vm_flags = 0x401, .end = 0x2000 },
		  "[special]",
		  "special" },
		{ { .class = VMT_FAULT_OTHER, .vm_flags = 0x403, .end = 0x4000 },
		  "[special]",
		  "special" },
		{ { .class = VMT_FAULT_OTHER, .vm_flags = 0x1, .end = 0x4000 },
		  "[special]",
		  "special" },
		{ { .class = VMT_FAULT_ANON, .special = VMT_FAULT_HEAP }, "[anon]", "heap" },
		{ { .class = VMT_FAULT_ANON, .special = VMT_FAULT_STACK }, "[anon]", "stack" },
		{ { .class = VMT_FAULT_OTHER, .special = VMT_FAULT_VDSO }, "[special]", "vdso" },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		assert_bytes(vmt_fault_path(&cases[i].raw), cases[i].path);
		assert_bytes(vmt_fault_class_word(&cases[i].raw), cases[i].word);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, fault_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(shared_rows_end),
		TEST(merging_mappings_are_one_row),
		TEST(gone_keys_fold_where_they_overlap),
		TEST(a_stack_is_one_row),
		TEST(a_split_file_mapping_keeps_its_rows),
		TEST(the_same_address_is_not_the_same_mapping),
		TEST(another_image_or_process_is_another_row),
		TEST(shared_anonymous_memory_has_no_inode),
		TEST(rows_by_process_and_file),
		TEST(latency_comes_from_the_buckets),
		TEST(single_faults_have_their_mapping),
		TEST(what_the_rung_does_not_see_is_unknown),
		TEST(the_sum_is_held_against_the_kernel),
		TEST(f07_guard_is_told),
		TEST(f12_cpus_that_come_are_told),
		TEST(fields_say_what_they_cannot_be_known_without),
		TEST(no_memory_is_an_error_and_no_empty_text),
		cmocka_unit_test(words_for_mappings),
	};

	return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
