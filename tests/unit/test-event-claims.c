/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "model/event-claims.h"

#define PAGE UINT64_C(4096)

/* A claim, and a mapping, in pages; the number of a claim is its age, the highest the last. */
#define CLAIM(from, to, when)                                                                      \
	{                                                                                          \
		.start = (from)*PAGE, .end = (to)*PAGE, .ns = (when)                               \
	}

struct range {
	uint64_t start, end; /* pages */
};

/* The pieces as text: "claim@map:start-end", in pages. */
static void cut_text(struct vmt_buf *out, const struct vmt_event_claim *claims, size_t n,
		     const struct range *ranges, size_t n_ranges)
{
	struct vmt_event_piece *pieces = NULL;
	struct vmt_map maps[8] = { 0 };
	size_t n_pieces = 0;

	for (size_t i = 0; i < n_ranges; i++) {
		maps[i].start = ranges[i].start * PAGE;
		maps[i].end = ranges[i].end * PAGE;
	}
	assert_int_equal(vmt_event_claims_cut(claims, n, maps, n_ranges, &pieces, &n_pieces), 0);
	vmt_buf_clear(out);
	vmt_buf_addc(out, '|');
	for (size_t i = 0; i < n_pieces; i++)
		vmt_buf_addf(out, "%zu@%zu:%u-%u|", pieces[i].claim, pieces[i].map,
			     (unsigned)(pieces[i].start / PAGE), (unsigned)(pieces[i].end / PAGE));
	free(pieces);
}

static void cuts(void **state)
{
	static const struct {
		const char *what;
		struct vmt_event_claim claims[4];
		size_t n;
		struct range maps[4];
		size_t n_maps;
		const char *text;
	} cases[] = {
		{ "nothing", { { 0 } }, 0, { { 1, 9 } }, 1, "|" },
		{ "all of a mapping", { CLAIM(10, 20, 1) }, 1, { { 10, 20 } }, 1, "|0@0:10-20|" },
		{ "gone", { CLAIM(10, 20, 1) }, 1, { { 1, 10 }, { 20, 30 } }, 2, "|" },
		{ "no mappings at all", { CLAIM(10, 20, 1) }, 1, { { 0 } }, 0, "|" },
		/* The kernel has made one mapping of two, and of what was there before. */
		{ "merged",
		  { CLAIM(10, 20, 1), CLAIM(20, 24, 2) },
		  2,
		  { { 4, 30 } },
		  1,
		  "|0@0:10-20|1@0:20-24|" },
		{ "split by mprotect",
		  { CLAIM(10, 20, 1) },
		  1,
		  { { 10, 13 }, { 13, 14 }, { 14, 20 } },
		  3,
		  "|0@0:10-13|0@1:13-14|0@2:14-20|" },
		{ "its ends and its middle unmapped",
		  { CLAIM(10, 20, 1) },
		  1,
		  { { 11, 14 }, { 16, 18 } },
		  2,
		  "|0@0:11-14|0@1:16-18|" },
		/* mmap with MAP_FIXED. */
		{ "over the middle",
		  { CLAIM(10, 20, 1), CLAIM(13, 15, 2) },
		  2,
		  { { 10, 20 } },
		  1,
		  "|0@0:10-13|1@0:13-15|0@0:15-20|" },
		{ "over all, and more",
		  { CLAIM(8, 22, 2), CLAIM(10, 20, 1) },
		  2,
		  { { 8, 22 } },
		  1,
		  "|0@0:8-22|" },
		{ "over the end of one and the begin of another",
		  { CLAIM(10, 20, 1), CLAIM(15, 25, 3), CLAIM(20, 30, 2) },
		  3,
		  { { 10, 30 } },
		  1,
		  "|0@0:10-15|1@0:15-25|2@0:25-30|" },
		{ "three deep",
		  { CLAIM(0, 30, 1), CLAIM(5, 25, 2), CLAIM(10, 20, 3) },
		  3,
		  { { 0, 30 } },
		  1,
		  "|0@0:0-5|1@0:5-10|2@0:10-20|1@0:20-25|0@0:25-30|" },
		/* An old one that was unmapped, and whose claim was not seen to end. */
		{ "on top of a leftover",
		  { CLAIM(10, 20, 1), CLAIM(12, 40, 2) },
		  2,
		  { { 12, 40 } },
		  1,
		  "|1@0:12-40|" },
		/* mremap: what was is gone, what grew in its place is another's. */
		{ "moved",
		  { CLAIM(10, 20, 1), CLAIM(50, 90, 2) },
		  2,
		  { { 50, 90 } },
		  1,
		  "|1@0:50-90|" },
		{ "grown in its place",
		  { CLAIM(10, 20, 1), CLAIM(20, 28, 2) },
		  2,
		  { { 10, 28 } },
		  1,
		  "|0@0:10-20|1@0:20-28|" },
		{ "a heap that grew twice and shrank",
		  { CLAIM(10, 20, 1), CLAIM(20, 30, 2) },
		  2,
		  { { 8, 24 } },
		  1,
		  "|0@0:10-20|1@0:20-24|" },
		{ "claims beyond each other",
		  { CLAIM(10, 12, 1), CLAIM(40, 44, 2) },
		  2,
		  { { 0, 11 }, { 11, 41 }, { 43, 50 } },
		  3,
		  "|0@0:10-11|0@1:11-12|1@1:40-41|1@2:43-44|" },
		{ "of the same moment", /* the one that lies higher */
		  { CLAIM(10, 20, 1), CLAIM(15, 25, 1) },
		  2,
		  { { 10, 25 } },
		  1,
		  "|0@0:10-15|1@0:15-25|" },
	};
	VMT_AUTO_BUF text = { 0 };

	for (size_t i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		cut_text(&text, cases[i].claims, cases[i].n, cases[i].maps, cases[i].n_maps);
		vmt_buf_addc(&text, 0);
		if (strcmp(text.data, cases[i].text) != 0)
			fail_msg("%s: %s, not %s", cases[i].what, text.data, cases[i].text);
	}
}

#define PAGES  64u
#define CLAIMS 12u

static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static int by_start(const void *pa, const void *pb)
{
	const struct vmt_event_claim *a = pa, *b = pb;

	return vmt_compare_u64(a->start, b->start) ?: vmt_compare_u64(a->ns, b->ns);
}

/* Whatever claims and mappings there are: each page is the last one's that claims it, once. */
static void cuts_by_pages(void **state)
{
	uint32_t seed = 7;

	for (unsigned round = 0; round < 2000; round++) {
		struct vmt_event_claim claims[CLAIMS] = { 0 };
		struct vmt_map maps[PAGES] = { 0 };
		size_t owner[PAGES], of_map[PAGES], n_maps = 0, n_pieces = 0, n;
		struct vmt_event_piece *pieces = NULL;

		n = next(&seed) % (CLAIMS + 1);
		for (size_t i = 0; i < n; i++) {
			claims[i].start = next(&seed) % (PAGES - 1);
			claims[i].end = claims[i].start + 1 + next(&seed) % 20;
			if (claims[i].end > PAGES)
				claims[i].end = PAGES;
			claims[i].start *= PAGE;
			claims[i].end *= PAGE;
			claims[i].ns = i + 1;
		}
		qsort(claims, n, sizeof(*claims), by_start);
		for (uint64_t at = next(&seed) % 5; at < PAGES; at += next(&seed) % 6) {
			uint64_t end = at + 1 + next(&seed) % 16;

			maps[n_maps].start = at * PAGE;
			maps[n_maps++].end = (end < PAGES ? end : PAGES) * PAGE;
			at = end;
		}
		for (size_t p = 0; p < PAGES; p++) {
			owner[p] = of_map[p] = SIZE_MAX;
			for (size_t i = 0; i < n_maps; i++)
				if (maps[i].start <= p * PAGE && p * PAGE < maps[i].end)
					of_map[p] = i;
			for (size_t i = 0; i < n && of_map[p] != SIZE_MAX; i++)
				if (claims[i].start <= p * PAGE && p * PAGE < claims[i].end &&
				    (owner[p] == SIZE_MAX || claims[i].ns > claims[owner[p]].ns))
					owner[p] = i;
		}
		assert_int_equal(vmt_event_claims_cut(claims, n, maps, n_maps, &pieces, &n_pieces),
				 0);
		for (size_t i = 0; i < n_pieces; i++) {
			assert_true(pieces[i].start < pieces[i].end);
			for (uint64_t p = pieces[i].start / PAGE; p < pieces[i].end / PAGE; p++) {
				assert_int_equal(owner[p], pieces[i].claim);
				assert_int_equal(of_map[p], pieces[i].map);
				owner[p] = SIZE_MAX;
			}
		}
		for (size_t p = 0; p < PAGES; p++)
			assert_true(owner[p] == SIZE_MAX);
		free(pieces);
	}
}

static int cut_once(void *arg)
{
	static const struct vmt_event_claim claims[] = { CLAIM(10, 20, 1), CLAIM(12, 14, 2) };
	struct vmt_map map = { .start = 0, .end = 40 * PAGE };
	struct vmt_event_piece *pieces = NULL;
	size_t n;
	int r = vmt_event_claims_cut(claims, 2, &map, 1, &pieces, &n);

	free(pieces);
	return r;
}

static void no_memory(void **state)
{
	assert_true(unit_alloc_sweep(cut_once, NULL) >= 2);
}

/* A machine with a process that goes on, one that has ended, and one that has executed. */
struct machine {
	struct vmt_fault_frame frames[2];
	uint32_t by[2];
	struct vmt_fault_stack stacks[7];
	struct vmt_event_place places[7];
	struct vmt_event_process processes[3];
	struct vmt_event_claim claims[5];
	struct vmt_fault_sample f;
	struct vmt_event_sample s;
};

enum { ONE, OTHER, UNMAP, LOST, DEAD, BEFORE, AFTER };

static void build(struct machine *m)
{
	static const uint64_t pids[] = { 9, 9, 9, 9, 7, 5, 5 };

	*m = (struct machine){
		.frames = { { .address = 0x10, .symbol = VMT_BYTES("a") },
			    { .address = 0x20, .symbol = VMT_BYTES("b") } },
		.by = { 0, 1 },
		.processes = { { .pid = 9, .start_ns = 90 },
			       { .pid = 7, .start_ns = 70, .ended = true },
			       { .pid = 5, .start_ns = 50, .exec_ns = 500 } },
		.claims = { { .start = 40 * PAGE,
			      .end = 50 * PAGE,
			      .ns = 900,
			      .process_ns = 90,
			      .pid = 9,
			      .place = OTHER },
			    { .start = 10 * PAGE,
			      .end = 20 * PAGE,
			      .ns = 800,
			      .process_ns = 90,
			      .pid = 9,
			      .place = ONE },
			    { .start = 10 * PAGE,
			      .end = 20 * PAGE,
			      .ns = 700,
			      .process_ns = 70,
			      .pid = 7,
			      .place = DEAD },
			    { .start = 10 * PAGE,
			      .end = 20 * PAGE,
			      .ns = 499,
			      .process_ns = 50,
			      .pid = 5,
			      .place = BEFORE },
			    { .start = 30 * PAGE,
			      .end = 40 * PAGE,
			      .ns = 501,
			      .process_ns = 50,
			      .pid = 5,
			      .place = AFTER } },
	};
	for (size_t i = 0; i < VMT_ARRAY_LEN(m->stacks); i++) {
		m->stacks[i] = (struct vmt_fault_stack){ .pid = pids[i],
							 .start_time_ns = pids[i] * 10,
							 .exec_id = i == AFTER,
							 .comm = VMT_BYTES("app"),
							 .n_user = 1,
							 .frames = &m->by[i == OTHER] };
		m->places[i] = (struct vmt_event_place){
			.call = i == UNMAP ? VMT_CALL_MUNMAP : VMT_CALL_MMAP,
			.count = { .events = 1 },
			.stack = i,
			.mapped = i == UNMAP ? 0 : 10 * PAGE,
			.unclaimed = i == LOST,
		};
	}
	m->f = (struct vmt_fault_sample){
		.stacks = m->stacks, .n_stacks = 7, .frames = m->frames, .n_frames = 2
	};
	m->s = (struct vmt_event_sample){ .running = true,
					  .touched_wanted = true,
					  .stop_ns = 1000,
					  .stacks = &m->f,
					  .places = m->places,
					  .n_places = 7,
					  .processes = m->processes,
					  .n_processes = 3,
					  .claims = m->claims,
					  .n_claims = 5 };
}

/* The row of a call of a process from a place; of several with different stacks that behind so many
 * others. */
static const struct vmt_event_site *find(const struct vmt_event_site *rows, size_t n, uint64_t pid,
					 const char *event, const char *symbol, size_t skip)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].pid == pid && vmt_bytes_is(rows[i].event, event) &&
		    vmt_bytes_is(rows[i].symbol, symbol) && !skip--)
			return &rows[i];
	fail_msg("no row of %u, %s, %s", (unsigned)pid, event, symbol);
	abort();
}

static void all_unknown(const struct vmt_event_site *row)
{
	assert_unknown(event_site, reserved_bytes, row);
	assert_unknown(event_site, touched_bytes, row);
	assert_unknown(event_site, resident_bytes, row);
	assert_unknown(event_site, given_back_bytes, row);
}

/* What is known of each place, and what is not. */
static void sums(void **state)
{
	struct vmt_event_piece pieces[] = {
		{ .start = 10 * PAGE,
		  .end = 14 * PAGE,
		  .claim = 0,
		  .known = true,
		  .touched = 3,
		  .resident = 2 },
		{ .start = 18 * PAGE,
		  .end = 20 * PAGE,
		  .claim = 0,
		  .known = true,
		  .touched = 1,
		  .resident = 1 },
		{ .start = 41 * PAGE, .end = 50 * PAGE, .claim = 1, .known = true },
	};
	struct vmt_event_probe probe;
	const struct vmt_event_site *row;
	struct vmt_event_site *rows;
	struct vmt_event_made *made;
	struct vmt_arena arena;
	struct machine m;
	size_t n;

	vmt_arena_init(&arena);
	build(&m);
	assert_int_equal(vmt_event_claims_begin(&m.s), 0);
	/* Those of the dead and of the program before are out, the others in order. */
	assert_int_equal(m.s.n_claims, 3);
	assert_int_equal(m.s.claims[0].place, AFTER);
	assert_int_equal(m.s.claims[1].place, ONE);
	assert_int_equal(m.s.claims[2].place, OTHER);
	vmt_event_claims_lose(&m.s, 0, 1);
	vmt_event_claims_add(&m.s, 1, pieces, 3, PAGE);

	assert_int_equal(vmt_event_site_rows(&m.s, true, &arena, &rows, &n), 0);
	assert_int_equal(n, 7);
	row = find(rows, n, 9, "mmap", "a", 0);
	assert_field(event_site, reserved_bytes, row, 6 * PAGE);
	assert_field(event_site, touched_bytes, row, 4 * PAGE);
	assert_field(event_site, resident_bytes, row, 3 * PAGE);
	assert_field(event_site, given_back_bytes, row, 4 * PAGE);
	row = find(rows, n, 9, "mmap", "b", 0);
	assert_field(event_site, reserved_bytes, row, 9 * PAGE);
	assert_field(event_site, touched_bytes, row, 0);
	assert_field(event_site, resident_bytes, row, 0);
	assert_field(event_site, given_back_bytes, row, 1 * PAGE);
	/* What maps nothing, and one of whose claims some were lost. */
	all_unknown(find(rows, n, 9, "munmap", "a", 0));
	all_unknown(find(rows, n, 9, "mmap", "a", 1));
	/* Of the dead it is known that all is given back, and no more. */
	row = find(rows, n, 7, "mmap", "a", 0);
	assert_unknown(event_site, reserved_bytes, row);
	assert_unknown(event_site, touched_bytes, row);
	assert_unknown(event_site, resident_bytes, row);
	assert_field(event_site, given_back_bytes, row, 10 * PAGE);
	/* Of a program that was replaced nothing is left, which is known; the one after it could
	 * not be read. */
	row = find(rows, n, 5, "mmap", "a", 0);
	assert_field(event_site, reserved_bytes, row, 0);
	assert_field(event_site, touched_bytes, row, 0);
	assert_field(event_site, given_back_bytes, row, 10 * PAGE);
	all_unknown(find(rows, n, 5, "mmap", "a", 1));

	/* By place, two stacks are one row: where one of them is not known, nothing of it is. */
	assert_int_equal(vmt_event_site_rows(&m.s, false, &arena, &rows, &n), 0);
	assert_int_equal(n, 6);
	all_unknown(find(rows, n, 9, "mmap", "a", 0));
	m.places[LOST].touch = (struct vmt_event_touch){ .is_mapped_known = true,
							 .is_touched_known = true,
							 .reserved = 10 * PAGE,
							 .touched = 2 * PAGE,
							 .resident = 1 * PAGE };
	assert_int_equal(vmt_event_site_rows(&m.s, false, &arena, &rows, &n), 0);
	row = find(rows, n, 9, "mmap", "a", 0);
	assert_field(event_site, stacks, row, 2);
	assert_field(event_site, reserved_bytes, row, 16 * PAGE);
	assert_field(event_site, touched_bytes, row, 6 * PAGE);
	assert_field(event_site, resident_bytes, row, 4 * PAGE);
	assert_field(event_site, given_back_bytes, row, 4 * PAGE);

	assert_int_equal(vmt_event_made_rows(&m.s, &arena, &made, &n), 0);
	assert_int_equal(n, 2);
	assert_text(event_made, site, &made[0], "b");
	assert_field(event_made, start, &made[0], 41 * PAGE);
	assert_field(event_made, end, &made[0], 50 * PAGE);
	assert_field(event_made, age_ns, &made[0], 100);
	assert_text(event_made, site, &made[1], "a");
	assert_field(event_made, start, &made[1], 10 * PAGE);
	assert_field(event_made, end, &made[1], 20 * PAGE);
	assert_field(event_made, reserved_bytes, &made[1], 6 * PAGE);
	assert_field(event_made, touched_bytes, &made[1], 4 * PAGE);
	assert_field(event_made, resident_bytes, &made[1], 3 * PAGE);
	assert_field(event_made, age_ns, &made[1], 200);

	m.s.claims_lost = 3;
	assert_int_equal(vmt_event_probe_row(&m.s, &arena, &probe), 0);
	assert_field(event_probe, claims_lost_total, &probe, 3);
	m.s.touched_wanted = false;
	assert_int_equal(vmt_event_probe_row(&m.s, &arena, &probe), 0);
	assert_unknown(event_probe, claims_lost_total, &probe);
	vmt_arena_done(&arena);
}

/* Pages that could not be read: what is mapped is known, and what was touched is not, and not 0. */
static void unread(void **state)
{
	struct vmt_event_piece pieces[] = {
		{ .start = 10 * PAGE,
		  .end = 14 * PAGE,
		  .claim = 0,
		  .known = true,
		  .touched = 3,
		  .resident = 3 },
		{ .start = 14 * PAGE, .end = 20 * PAGE, .claim = 0 },
	};
	const struct vmt_event_site *row;
	struct vmt_event_site *rows;
	struct vmt_event_made *made;
	struct vmt_arena arena;
	struct machine m;
	size_t n;

	vmt_arena_init(&arena);
	build(&m);
	assert_int_equal(vmt_event_claims_begin(&m.s), 0);
	vmt_event_claims_add(&m.s, 1, pieces, 2, PAGE);
	assert_int_equal(vmt_event_site_rows(&m.s, true, &arena, &rows, &n), 0);
	row = find(rows, n, 9, "mmap", "a", 0);
	assert_field(event_site, reserved_bytes, row, 10 * PAGE);
	assert_unknown(event_site, touched_bytes, row);
	assert_unknown(event_site, resident_bytes, row);
	assert_field(event_site, given_back_bytes, row, 0);
	assert_int_equal(vmt_event_made_rows(&m.s, &arena, &made, &n), 0);
	assert_int_equal(n, 1);
	assert_field(event_made, reserved_bytes, &made[0], 10 * PAGE);
	assert_unknown(event_made, touched_bytes, &made[0]);
	assert_unknown(event_made, resident_bytes, &made[0]);
	vmt_arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts),	     cmocka_unit_test(cuts_by_pages),
		cmocka_unit_test(no_memory), cmocka_unit_test(sums),
		cmocka_unit_test(unread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
