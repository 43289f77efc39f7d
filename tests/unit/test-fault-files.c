/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "model/fault-raw.h"
#include "model/model.h"
#include "view/doc.h"

#define PAGE 4096ull
#define PART (3 * PAGE)

static const struct vmt_field *field_of(const char *name)
{
	size_t i;

	for (i = 0; i < vmt_entity_file.n_fields; i++)
		if (!strcmp(vmt_entity_file.fields[i].name, name))
			return &vmt_entity_file.fields[i];
	fail_msg("no field %s", name);
	return NULL;
}

static struct vmt_fault_file sequential(void)
{
	struct vmt_fault_file f = { .calls = 40,
				    .cached = 33,
				    .major = 5,
				    .has_offset = true,
				    .last_offset_bytes = 64 * PART - PAGE,
				    .part_bytes = PART,
				    .brought_bytes = 38 * PAGE,
				    .ahead_bytes = 33 * PAGE,
				    .ahead_hits = 30 };

	f.parts[0] = 1;
	f.parts[8] = 30;
	f.parts[63] = 9;
	return f;
}

static void what_is_not_seen_is_unknown(void **state)
{
	const struct vmt_fault_file f = sequential();
	struct vmt_arena arena;
	struct vmt_file row = { 0 };

	(void)state;
	vmt_arena_init(&arena);
	vmt_fault_file_calls(&f, VMT_HAVE_FILES, &arena, &row);
	assert_field(file, calls_total, &row, 40);
	assert_unknown(file, cached_total, &row);
	assert_unknown(file, read_total, &row);
	assert_unknown(file, around_total, &row);
	assert_unknown(file, brought_bytes, &row);
	assert_unknown(file, ahead_hits_total, &row);
	/* At the tracepoint, with what comes into the page cache. */
	vmt_fault_file_calls(&f, VMT_HAVE_FILES | VMT_HAVE_FILE_PAGES, &arena, &row);
	assert_field(file, cached_total, &row, 33);
	assert_field(file, read_total, &row, 5);
	assert_unknown(file, retried_total, &row);
	assert_unknown(file, failed_total, &row);
	assert_field(file, brought_bytes, &row, 38 * PAGE);
	assert_field(file, ahead_bytes, &row, 33 * PAGE);
	assert_field(file, ahead_hits_total, &row, 30);
	vmt_fault_file_calls(&f, VMT_HAVE_FILES | VMT_HAVE_FILE_RESULT | VMT_HAVE_FILE_AROUND,
			     &arena, &row);
	assert_field(file, retried_total, &row, 0);
	assert_field(file, around_total, &row, 0);
	vmt_arena_done(&arena);
}

static void hits_are_unknown_where_pages_were_lost(void **state)
{
	struct vmt_fault_file f = sequential();
	struct vmt_arena arena;
	struct vmt_file row = { 0 };

	(void)state;
	vmt_arena_init(&arena);
	f.ahead_lost = 1;
	vmt_fault_file_calls(&f, VMT_HAVE_FILES | VMT_HAVE_FILE_PAGES, &arena, &row);
	assert_field(file, ahead_bytes, &row, 33 * PAGE);
	assert_unknown(file, ahead_hits_total, &row);
	vmt_arena_done(&arena);
}

static void offsets_are_parts_of_the_file(void **state)
{
	const struct vmt_field *field = field_of("offset_histogram");
	struct vmt_out_opts opts = { .unit = VMT_SIZE_HUMAN, .ascii = true };
	struct vmt_fault_file f = sequential();
	struct vmt_arena arena;
	struct vmt_file row = { 0 }, other = { 0 };
	VMT_AUTO_BUF text = { 0 };

	(void)state;
	vmt_arena_init(&arena);
	vmt_fault_file_calls(&f, VMT_HAVE_FILES, &arena, &row);
	assert_true(VMT_HAS(file, offset_histogram, &row));
	assert_int_equal(row.offset_histogram.n, 3);
	assert_int_equal(row.offset_histogram.buckets[1].from, 8 * PART);
	assert_int_equal(row.offset_histogram.buckets[1].to, 9 * PART - 1);
	assert_int_equal(row.offset_histogram.buckets[1].count, 30);
	assert_int_equal(row.offset_histogram.buckets[2].to, 64 * PART - 1);
	/* One of 40 is to be seen; the most is the highest. */
	vmt_cell_text(&text, field, &row, &opts, PAGE);
	assert_buf(&text, "._#____________-");
	vmt_buf_clear(&text);
	opts.ascii = false;
	vmt_cell_text(&text, field, &row, &opts, PAGE);
	assert_true(text.len > 16 && vmt_buf_error(&text) == 0);
	vmt_buf_clear(&text);
	/* For programs: where each begins. */
	opts.raw = true;
	vmt_cell_text(&text, field, &row, &opts, PAGE);
	assert_buf(&text, "0:1 98304:30 774144:9");
	/* The file has grown since: what lies behind is in the last part. */
	f.last_offset_bytes = 100 * PART;
	vmt_fault_file_calls(&f, VMT_HAVE_FILES, &arena, &row);
	assert_true(row.offset_histogram.buckets[2].to == UINT64_MAX);
	vmt_buf_clear(&text);
	opts = (struct vmt_out_opts){ .unit = VMT_SIZE_HUMAN, .ascii = true };
	vmt_cell_text(&text, field, &row, &opts, PAGE);
	assert_buf(&text, "._#____________-");
	/* Calls are missing in it: a part ran over. */
	f.calls = 41;
	vmt_fault_file_calls(&f, VMT_HAVE_FILES, &arena, &other);
	assert_unknown(file, offset_histogram, &other);
	vmt_arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_seen_is_unknown),
		cmocka_unit_test(hits_are_unknown_where_pages_were_lost),
		cmocka_unit_test(offsets_are_parts_of_the_file),
	};

	return cmocka_run_group_tests_name("fault-files", tests, NULL, NULL);
}
