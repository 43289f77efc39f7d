/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "model/model.h"
#include "model/verify.h"
#include "source/collect.h"
#include "source/verify-read.h"

#define KIB(n)	 ((uint64_t)(n)*1024)
#define MAPPINGS 3

/* A process of three mappings of which all identities hold; tests then make one figure wrong. */
struct space {
	struct vmt_map smaps[MAPPINGS];
	struct vmt_map pages[MAPPINGS];
	struct vmt_proc first, middle, last;
	struct vmt_reading rd;
};

static struct vmt_map mapping(uint64_t start, uint64_t pages)
{
	struct vmt_map m = { 0 };

	VMT_SET(map, start, &m, start);
	VMT_SET(map, end, &m, start + KIB(4 * pages));
	VMT_SET(map, kind, &m, vmt_bytes_of("anon"));
	VMT_SET(map, path, &m, vmt_bytes_of(""));
	VMT_SET(map, rss_bytes, &m, KIB(4 * pages));
	return m;
}

static void ends(struct vmt_proc *p)
{
	VMT_SET(proc, threads, p, 2);
	VMT_SET(proc, vsize_bytes, p, KIB(40));
	VMT_SET(proc, rss_bytes, p, KIB(40));
	VMT_SET(proc, anonymous_bytes, p, KIB(20));
	VMT_SET(proc, file_bytes, p, KIB(16));
	VMT_SET(proc, shmem_bytes, p, KIB(4));
	VMT_SET(proc, rollup_rss_bytes, p, KIB(40));
	VMT_SET(proc, pss_bytes, p, KIB(31));
}

static void make(struct space *s)
{
	size_t i;

	*s = (struct space){ 0 };
	s->smaps[0] = mapping(0x1000, 2);
	s->smaps[1] = mapping(0x8000, 8);
	/* vsyscall has no page of the process. */
	s->smaps[2] = mapping(UINT64_C(0xffffffffff600000), 1);
	s->smaps[2].rss_bytes = 0;
	for (i = 0; i < MAPPINGS; i++) {
		struct vmt_map *m = &s->smaps[i];

		s->pages[i] = *m;
		VMT_SET(map, shared_clean_bytes, m, m->rss_bytes / 2);
		VMT_SET(map, shared_dirty_bytes, m, 0);
		VMT_SET(map, private_clean_bytes, m, m->rss_bytes / 4);
		VMT_SET(map, private_dirty_bytes, m, m->rss_bytes / 4);
		VMT_SET(map, pss_bytes, m, m->rss_bytes / 4 * 3);
		VMT_SET(map, anonymous_bytes, m, m->rss_bytes / 4);
		VMT_SET(map, referenced_bytes, m, m->rss_bytes);
		VMT_SET(map, anon_huge_pages_bytes, m, 0);
		VMT_SET(map, locked_bytes, m, m->rss_bytes / 4 * 3);
		VMT_SET(map, swap_bytes, m, KIB(8));
		VMT_SET(map, swap_pss_bytes, m, KIB(8));
	}
	ends(&s->first);
	ends(&s->last);
	VMT_SET(proc, vsize_bytes, &s->middle, KIB(40));
	VMT_SET(proc, rss_bytes, &s->middle, KIB(40));
	s->rd = (struct vmt_reading){
		.page_size = 4096,
		.smaps = s->smaps,
		.n_smaps = MAPPINGS,
		.pages = s->pages,
		.n_pages = MAPPINGS,
		.pages_exact = true,
		.same_list = true,
		.first = &s->first,
		.middle = &s->middle,
		.last = &s->last,
	};
}

/* Only the check that is named says anything but that it holds. */
static void verify(const struct space *s, enum vmt_check_id id, enum vmt_verdict verdict,
		   int64_t off)
{
	struct vmt_outcome out[VMT_CHECK_PROC];
	int i;

	vmt_verify_reading(&s->rd, out);
	for (i = 0; i < VMT_CHECK_PROC; i++) {
		if (i == (int)id)
			continue;
		assert_int_equal(out[i].verdict, VMT_VERDICT_HOLDS);
		assert_int_equal(out[i].off, 0);
	}
	if (id == VMT_CHECKS)
		return;
	assert_int_equal(out[id].verdict, verdict);
	assert_int_equal(out[id].off, off);
}

static void right_figures_hold(void **state)
{
	struct space s;
	struct vmt_outcome out[VMT_CHECK_PROC];

	make(&s);
	verify(&s, VMT_CHECKS, VMT_VERDICT_HOLDS, 0);
	vmt_verify_reading(&s.rd, out);
	assert_int_equal(out[VMT_CHECK_V1].checked, 1);
	assert_int_equal(out[VMT_CHECK_V3].checked, 3);
	/* The kernel's own page is in no pagemap. */
	assert_int_equal(out[VMT_CHECK_V6].checked, 2);
	assert_true(vmt_verify_is_final(out));
}

static void wrong_figures_are_off(void **state)
{
	struct space s;

	make(&s);
	s.first.rollup_rss_bytes = s.last.rollup_rss_bytes = KIB(36);
	verify(&s, VMT_CHECK_V1, VMT_VERDICT_OFF, (int64_t)KIB(4));

	make(&s);
	s.first.anonymous_bytes = s.last.anonymous_bytes = KIB(8020);
	s.first.threads = 1;
	verify(&s, VMT_CHECK_V2, VMT_VERDICT_OFF, (int64_t)KIB(8000));

	make(&s);
	s.smaps[1].private_dirty_bytes -= KIB(4);
	verify(&s, VMT_CHECK_V3, VMT_VERDICT_OFF, -(int64_t)KIB(4));

	make(&s);
	s.smaps[0].pss_bytes += KIB(2); /* the locked ones stay below */
	verify(&s, VMT_CHECK_V4, VMT_VERDICT_OFF, (int64_t)KIB(1));

	make(&s);
	s.middle.vsize_bytes = KIB(44);
	verify(&s, VMT_CHECK_V5, VMT_VERDICT_OFF, (int64_t)KIB(4));

	make(&s);
	s.pages[1].rss_bytes += KIB(4);
	verify(&s, VMT_CHECK_V6, VMT_VERDICT_OFF, (int64_t)KIB(4));
}

static void each_limit_of_v7_is_looked_at(void **state)
{
	struct space s;

	make(&s);
	s.smaps[0].anonymous_bytes = s.smaps[0].rss_bytes + KIB(4);
	verify(&s, VMT_CHECK_V7, VMT_VERDICT_OFF, (int64_t)KIB(4));
	make(&s);
	s.smaps[0].referenced_bytes = s.smaps[0].rss_bytes + KIB(8);
	verify(&s, VMT_CHECK_V7, VMT_VERDICT_OFF, (int64_t)KIB(8));
	make(&s);
	s.smaps[1].anon_huge_pages_bytes = s.smaps[1].anonymous_bytes + KIB(4);
	verify(&s, VMT_CHECK_V7, VMT_VERDICT_OFF, (int64_t)KIB(4));
	make(&s);
	s.smaps[1].locked_bytes = s.smaps[1].pss_bytes + 1;
	verify(&s, VMT_CHECK_V7, VMT_VERDICT_OFF, 1);
	make(&s);
	s.smaps[2].swap_pss_bytes = KIB(9);
	verify(&s, VMT_CHECK_V7, VMT_VERDICT_OFF, (int64_t)KIB(1));
}

static void rss_may_lag_by_the_caches_of_the_threads(void **state)
{
	struct space s;
	int64_t bound = 2 * 1024 * 4096; /* two threads */

	make(&s);
	s.first.rss_bytes = s.last.rss_bytes = s.middle.rss_bytes = KIB(40) + (uint64_t)bound;
	s.first.file_bytes = s.last.file_bytes = KIB(16) + (uint64_t)bound;
	verify(&s, VMT_CHECK_V2, VMT_VERDICT_BOUNDED, -bound);
	s.first.rss_bytes = s.last.rss_bytes = ++s.middle.rss_bytes;
	s.first.file_bytes++;
	s.last.file_bytes++;
	verify(&s, VMT_CHECK_V2, VMT_VERDICT_OFF, -bound - 1);
}

static void rounding_of_pss_is_one_sided(void **state)
{
	struct space s;

	make(&s);
	/* Three mappings: the rollup may have up to 3 KiB more, 31 - 28. */
	s.smaps[1].pss_bytes -= KIB(2);
	s.smaps[1].locked_bytes = 0;
	verify(&s, VMT_CHECKS, VMT_VERDICT_HOLDS, 0);
	s.smaps[1].pss_bytes -= 1;
	verify(&s, VMT_CHECK_V4, VMT_VERDICT_OFF, -1);
}

static void what_moves_between_two_files_has_drifted(void **state)
{
	struct vmt_outcome out[VMT_CHECK_PROC];
	struct space s;

	make(&s);
	/* Between both ends: it holds as far as one can see. */
	s.first.rollup_rss_bytes = KIB(36);
	verify(&s, VMT_CHECKS, VMT_VERDICT_HOLDS, 0);
	s.last.rollup_rss_bytes = KIB(32);
	/* Pages too: what rss was at their time is not known. */
	verify(&s, VMT_CHECK_V1, VMT_VERDICT_DRIFTED, (int64_t)KIB(4));
	vmt_verify_reading(&s.rd, out);
	assert_false(vmt_verify_is_final(out));

	make(&s);
	s.rd.same_list = false;
	s.middle.vsize_bytes = KIB(48);
	verify(&s, VMT_CHECK_V5, VMT_VERDICT_DRIFTED, (int64_t)KIB(8));
	/* What one walk over a mapping says is of one instant. */
	make(&s);
	s.rd.same_list = false;
	s.smaps[1].private_dirty_bytes += 1;
	verify(&s, VMT_CHECK_V3, VMT_VERDICT_OFF, 1);
}

static void unknown_is_not_compared(void **state)
{
	struct vmt_outcome out[VMT_CHECK_PROC];
	struct space s;
	int i;

	make(&s);
	VMT_UNSET(proc, rollup_rss_bytes, &s.last);
	VMT_UNSET(proc, rss_bytes, &s.middle);
	VMT_UNSET(map, pss_bytes, &s.smaps[1]);
	VMT_UNSET(proc, vsize_bytes, &s.first);
	s.rd.pages_exact = false;
	vmt_verify_reading(&s.rd, out);
	assert_int_equal(out[VMT_CHECK_V1].verdict, VMT_VERDICT_NONE);
	assert_int_equal(out[VMT_CHECK_V2].verdict, VMT_VERDICT_NONE);
	assert_int_equal(out[VMT_CHECK_V3].verdict, VMT_VERDICT_HOLDS);
	assert_int_equal(out[VMT_CHECK_V4].verdict, VMT_VERDICT_NONE);
	assert_int_equal(out[VMT_CHECK_V5].verdict, VMT_VERDICT_NONE);
	assert_int_equal(out[VMT_CHECK_V6].verdict, VMT_VERDICT_NONE);
	s.rd.smaps = NULL;
	vmt_verify_reading(&s.rd, out);
	for (i = 0; i < VMT_CHECK_PROC; i++)
		assert_int_equal(out[i].verdict, VMT_VERDICT_NONE);
}

static void the_better_reading_stays(void **state)
{
	struct vmt_outcome a[VMT_CHECK_PROC], b[VMT_CHECK_PROC];
	struct space s;

	make(&s);
	s.first.rollup_rss_bytes = s.last.rollup_rss_bytes = KIB(36);
	vmt_verify_reading(&s.rd, a);
	assert_false(vmt_verify_is_final(a));
	make(&s);
	s.smaps[1].private_dirty_bytes += 1;
	vmt_verify_reading(&s.rd, b);
	vmt_verify_better(a, b);
	assert_int_equal(a[VMT_CHECK_V1].verdict, VMT_VERDICT_HOLDS);
	assert_int_equal(a[VMT_CHECK_V3].verdict, VMT_VERDICT_HOLDS);
	assert_true(vmt_verify_is_final(a));
}

static void rows_name_the_worst(void **state)
{
	struct vmt_verify v;
	struct vmt_outcome out[VMT_CHECK_PROC];
	struct space s;
	int i;

	vmt_verify_init(&v);
	make(&s);
	vmt_verify_reading(&s.rd, out);
	vmt_verify_add(&v, VMT_CHECK_V3, &out[VMT_CHECK_V3], 1, vmt_bytes_of("init"));
	for (i = 1; i <= 3; i++) {
		make(&s);
		s.smaps[1].private_dirty_bytes -= KIB(i == 2 ? 8 : 4);
		vmt_verify_reading(&s.rd, out);
		vmt_verify_add(&v, VMT_CHECK_V3, &out[VMT_CHECK_V3], 10 + (uint64_t)i,
			       vmt_bytes_of("worker"));
	}
	vmt_verify_unread(&v);
	assert_int_equal(vmt_verify_finish(&v), 1);
	assert_text(check, result, &v.checks[VMT_CHECK_V3], "off");
	assert_field(check, off_bytes, &v.checks[VMT_CHECK_V3], -(int64_t)KIB(8));
	assert_field(check, pid, &v.checks[VMT_CHECK_V3], 12);
	assert_field(check, address, &v.checks[VMT_CHECK_V3], 0x8000);
	assert_text(check, comm, &v.checks[VMT_CHECK_V3], "worker");
	assert_field(check, checked_total, &v.checks[VMT_CHECK_V3], 12);
	assert_field(check, off_total, &v.checks[VMT_CHECK_V3], 3);
	assert_field(check, unread_total, &v.checks[VMT_CHECK_V3], 1);
	/* Nothing was compared: no difference is known, least of all 0. */
	assert_text(check, result, &v.checks[VMT_CHECK_V1], "not_checkable");
	assert_unknown(check, off_bytes, &v.checks[VMT_CHECK_V1]);
	assert_unknown(check, pid, &v.checks[VMT_CHECK_V1]);
	vmt_verify_done(&v);
}

static const char meminfo[] = "MemTotal:       1000 kB\nMemFree:         100 kB\n"
			      "Buffers:          10 kB\nCached:          200 kB\n"
			      "SwapCached:        2 kB\nActive:           50 kB\n"
			      "Active(anon):     30 kB\nActive(file):     20 kB\n"
			      "AnonPages:        64 kB\nSlab:             33 kB\n"
			      "SReclaimable:     11 kB\nSUnreclaim:       22 kB\n";
static const char vmstat[] = "nr_free_pages 25\nnr_file_pages 53\nnr_anon_pages 16\n";

static void machine(struct vmt_machine_reading *r)
{
	*r = (struct vmt_machine_reading){ 0 };
	vmt_verify_meminfo(vmt_bytes_of(meminfo), &r->first);
	vmt_verify_vmstat(vmt_bytes_of(vmstat), 4096, &r->middle);
	r->middle.value[VMT_MACHINE_MANAGED] = KIB(1000);
	r->middle.has |= UINT32_C(1) << VMT_MACHINE_MANAGED;
	r->last = r->first;
}

static void figures_of_the_machine(void **state)
{
	static const struct {
		enum vmt_check_id check;
		enum vmt_machine_id figure;
		bool of_vmstat;
	} wrong[] = {
		{ VMT_CHECK_V8, VMT_MACHINE_MANAGED, true },
		{ VMT_CHECK_V9_FILE, VMT_MACHINE_NR_FILE, true },
		{ VMT_CHECK_V9_FREE, VMT_MACHINE_NR_FREE, true },
		{ VMT_CHECK_V9_ANON, VMT_MACHINE_NR_ANON, true },
		{ VMT_CHECK_V9_SLAB, VMT_MACHINE_SUNRECLAIM, false },
		{ VMT_CHECK_V9_ACTIVE, VMT_MACHINE_ACTIVE_FILE, false },
	};
	struct vmt_outcome out[VMT_CHECKS];
	struct vmt_machine_reading r;
	size_t i;

	machine(&r);
	/* 212 kB are 53 pages. */
	vmt_verify_machine(&r, out);
	for (i = 0; i < VMT_ARRAY_LEN(wrong); i++)
		assert_int_equal(out[wrong[i].check].verdict, VMT_VERDICT_HOLDS);
	for (i = 0; i < VMT_ARRAY_LEN(wrong); i++) {
		machine(&r);
		if (wrong[i].of_vmstat)
			r.middle.value[wrong[i].figure] += 4096;
		else
			r.first.value[wrong[i].figure] += 4096;
		vmt_verify_machine(&r, out);
		assert_int_equal(out[wrong[i].check].verdict, VMT_VERDICT_OFF);
		assert_int_equal(out[wrong[i].check].off, -4096);
	}
	/* It was less before and is more now. */
	machine(&r);
	r.middle.value[VMT_MACHINE_NR_FREE] += 4096;
	r.last.value[VMT_MACHINE_FREE] += 8192;
	vmt_verify_machine(&r, out);
	assert_int_equal(out[VMT_CHECK_V9_FREE].verdict, VMT_VERDICT_HOLDS);
	r.middle.value[VMT_MACHINE_NR_FREE] += 8192;
	vmt_verify_machine(&r, out);
	assert_int_equal(out[VMT_CHECK_V9_FREE].verdict, VMT_VERDICT_DRIFTED);
	r.middle.has = 0;
	vmt_verify_machine(&r, out);
	assert_int_equal(out[VMT_CHECK_V9_FREE].verdict, VMT_VERDICT_NONE);
	assert_int_equal(out[VMT_CHECK_V9_SLAB].verdict, VMT_VERDICT_HOLDS);
}

static const struct vmt_source_row *source_row(const struct vmt_model *m, enum vmt_source_id id)
{
	/* The model has none for VMT_SOURCE_NONE, which is the first. */
	return &m->sources[id - 1];
}

static void sources_say_how_good_they_are(void **state)
{
	struct vmt_sample *s = vmt_sample_new();
	struct vmt_bytes comm = vmt_bytes_of("x");
	struct vmt_model *m = NULL;
	const struct vmt_source_row *r;

	s->sources[VMT_SOURCE_STATUS].reads = 3;
	s->sources[VMT_SOURCE_SMAPS].reads = 3;
	s->sources[VMT_SOURCE_SMAPS].answered = 2;
	vmt_sample_failed(s, VMT_SOURCE_SMAPS, 1, comm, -EACCES, NULL);
	vmt_sample_failed(s, VMT_SOURCE_SMAPS, 2, comm, -EXDEV, NULL);
	vmt_sample_failed(s, VMT_SOURCE_SMAPS, 3, comm, -ESRCH, NULL);
	s->sources[VMT_SOURCE_ROLLUP].reads = 2;
	s->sources[VMT_SOURCE_ROLLUP].answered = 2;
	s->sources[VMT_SOURCE_ROLLUP].doubts = 1;
	vmt_sample_failed(s, VMT_SOURCE_PAGEMAP, 1, comm, -EACCES, NULL);
	vmt_sample_settle(s);
	assert_int_equal(vmt_model_build(s, NULL, NULL, &m, NULL), 0);

	r = source_row(m, VMT_SOURCE_STATUS);
	assert_text(source, name, r, "status");
	assert_text(source, quality, r, "exact");
	assert_field(source, asked_total, r, 3);
	assert_field(source, answered_total, r, 3);
	r = source_row(m, VMT_SOURCE_SMAPS);
	assert_text(source, quality, r, "partial");
	/* Who ended is neither answered nor missing. */
	assert_field(source, asked_total, r, 4);
	assert_field(source, answered_total, r, 2);
	assert_text(source, quality, source_row(m, VMT_SOURCE_ROLLUP), "approximate");
	r = source_row(m, VMT_SOURCE_PAGEMAP);
	assert_text(source, quality, r, "unavailable");
	assert_field(source, answered_total, r, 0);
	assert_unknown(source, quality, source_row(m, VMT_SOURCE_NUMA));
	vmt_model_free(m);
	vmt_sample_free(s);
}

static void a_recording_cannot_be_churned(void **state)
{
	struct vmt_collect_opts opts = { 0 };
	struct vmt_collector *c;
	struct unit_dir dir;
	struct vmt_outcome out;

	unit_dir_make(&dir);
	unit_dir_write(&dir, "proc/meminfo", "MemTotal: 4 kB\n");
	unit_dir_write(&dir, "vmtop-fixture", "page_size 4096\n");
	opts.root = dir.path;
	assert_int_equal(vmt_collector_new(&opts, &c, NULL), 0);
	vmt_verify_churn(c, true, &out);
	assert_int_equal(out.verdict, VMT_VERDICT_NONE);
	vmt_collector_free(c);
	unit_dir_remove(&dir);
}

static void this_process_agrees_with_itself(void **state)
{
	struct vmt_collect_opts opts = { 0 };
	struct vmt_outcome out[VMT_CHECK_PROC];
	struct vmt_collector *c;
	struct vmt_sample *s;
	uint64_t pid = (uint64_t)getpid();

	assert_int_equal(vmt_collector_new(&opts, &c, NULL), 0);
	assert_int_equal(vmt_collect(c, VMT_SOURCE_BIT(PIDS), &pid, 1, &s, NULL), 0);
	assert_int_equal(vmt_verify_read_proc(c, s, pid, out, NULL), 0);
	assert_int_equal(out[VMT_CHECK_V3].verdict, VMT_VERDICT_HOLDS);
	assert_int_equal(out[VMT_CHECK_V7].verdict, VMT_VERDICT_HOLDS);
	assert_true(s->sources[VMT_SOURCE_SMAPS].reads > 0);
	assert_true(s->sources[VMT_SOURCE_ROLLUP].reads > 1);
	assert_int_equal(vmt_verify_read_proc(c, s, 4194303, out, NULL), -ESRCH);
	vmt_sample_free(s);
	vmt_collector_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_figures_hold),
		cmocka_unit_test(wrong_figures_are_off),
		cmocka_unit_test(each_limit_of_v7_is_looked_at),
		cmocka_unit_test(rss_may_lag_by_the_caches_of_the_threads),
		cmocka_unit_test(rounding_of_pss_is_one_sided),
		cmocka_unit_test(what_moves_between_two_files_has_drifted),
		cmocka_unit_test(unknown_is_not_compared),
		cmocka_unit_test(the_better_reading_stays),
		cmocka_unit_test(rows_name_the_worst),
		cmocka_unit_test(figures_of_the_machine),
		cmocka_unit_test(sources_say_how_good_they_are),
		cmocka_unit_test(a_recording_cannot_be_churned),
		cmocka_unit_test(this_process_agrees_with_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
