/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <stdlib.h>

#include "view/doc.h"

static const struct vmt_section_def def = { "processes", &vmt_entity_proc, false, "rows" };

struct setup {
	struct vmt_sample *sample;
	struct vmt_model *model;
	struct vmt_proc procs[3];
	struct vmt_doc doc;
	struct vmt_sink sink;
	struct vmt_out_opts opts;
};

static int begin(void **state)
{
	struct setup *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->sample = vmt_sample_new();
	assert_non_null(s->sample);
	s->sample->host.page_size = 4096;
	assert_int_equal(vmt_model_build(s->sample, NULL, NULL, &s->model, NULL), 0);
	VMT_SET(proc, pid, &s->procs[0], 10);
	VMT_SET(proc, rss_bytes, &s->procs[0], 4096);
	VMT_SET(proc, comm, &s->procs[0], VMT_BYTES("a,b\033[2J"));
	VMT_SET(proc, pid, &s->procs[1], 11);
	VMT_SET(proc, comm, &s->procs[1], VMT_BYTES("=1+1"));
	VMT_SET(proc, pid, &s->procs[2], 12);
	VMT_SET(proc, rss_bytes, &s->procs[2], 1310720);
	VMT_SET(proc, comm, &s->procs[2], VMT_BYTES("bad\xff"));
	s->doc = (struct vmt_doc){ .schema = "ps", .version = "0", .model = s->model };
	assert_non_null(vmt_doc_add(&s->doc, &def, s->procs, 3));
	s->sink.fd = -1;
	s->opts.headings = true;
	*state = s;
	return 0;
}

static int end(void **state)
{
	struct setup *s = *state;

	vmt_doc_done(&s->doc);
	vmt_sink_done(&s->sink);
	vmt_model_free(s->model);
	vmt_sample_free(s->sample);
	free(s);
	return 0;
}

static void columns(struct setup *s, const char *spec)
{
	assert_int_equal(
		vmt_columns_parse(&s->doc.sections[0].columns, &vmt_entity_proc, spec, NULL), 0);
}

/* The formats write through the sink; without a descriptor what they wrote stays to be seen. */
static const char *emit(struct setup *s, int (*out)(struct vmt_sink *, const struct vmt_doc *,
						    const struct vmt_out_opts *))
{
	int fds[2];
	ssize_t n;
	static char text[65536];

	assert_int_equal(pipe(fds), 0);
	s->sink.fd = fds[1];
	assert_int_equal(out(&s->sink, &s->doc, &s->opts), 0);
	close(fds[1]);
	n = read(fds[0], text, sizeof(text) - 1);
	assert_true(n >= 0);
	text[n] = 0;
	close(fds[0]);
	return text;
}

static void columns_are_found_by_key_and_title(void **state)
{
	struct vmt_columns c = { 0 };
	struct vmt_err err = { 0 };

	assert_int_equal(vmt_columns_parse(&c, &vmt_entity_proc, "pid,RSS_BYTES,Anon", &err), 0);
	assert_int_equal(c.n, 3);
	assert_string_equal(c.fields[2]->name, "anonymous_bytes");
	assert_int_equal(vmt_columns_parse(&c, &vmt_entity_fault, "latency.p50_ns", &err), 0);
	assert_int_equal(vmt_columns_parse(&c, &vmt_entity_proc, "pid,nope\033", &err), -EINVAL);
	assert_null(strchr(err.text, '\033'));
	assert_int_equal(vmt_columns_parse(&c, &vmt_entity_proc, "", &err), -EINVAL);
	vmt_columns_done(&c);
}

static void added_columns_go_before_the_tail(void **state)
{
	struct vmt_columns c = { 0 };

	assert_int_equal(vmt_columns_parse(&c, &vmt_entity_proc, "PID,COMMAND", NULL), 0);
	assert_int_equal(vmt_columns_parse(&c, &vmt_entity_proc, "+PSS,USS,PID", NULL), 0);
	assert_int_equal(c.n, 4);
	assert_string_equal(c.fields[1]->title, "PSS");
	assert_string_equal(c.fields[3]->title, "COMMAND");
	assert_int_equal(vmt_columns_sources(&c),
			 VMT_SOURCE_BIT(PIDS) | VMT_SOURCE_BIT(STAT) | VMT_SOURCE_BIT(ROLLUP));
	vmt_columns_done(&c);
}

/* Where two files say the same, the columns decide which is read: never both for nothing. */
static void columns_choose_the_cheapest_files(void **state)
{
	static const struct {
		const char *columns;
		uint64_t sources;
	} cases[] = {
		{ "COMMAND", VMT_SOURCE_BIT(STAT) },
		{ "RSS,VSIZE", VMT_SOURCE_BIT(STATM) },
		{ "RSS,COMMAND", VMT_SOURCE_BIT(STATUS) },
		{ "RSS,COMMAND,MINFLT", VMT_SOURCE_BIT(STAT) | VMT_SOURCE_BIT(STATM) },
		{ "RSS,ANON", VMT_SOURCE_BIT(STATUS) },
		{ "CLASS,S,THR,PPID,START", VMT_SOURCE_BIT(STAT) },
		{ "USER,MINFLT,RSS,COMMAND", VMT_SOURCE_BIT(STAT) | VMT_SOURCE_BIT(STATUS) },
		{ "READ", VMT_SOURCE_BIT(NONE) },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		struct vmt_columns c = { 0 };

		assert_int_equal(vmt_columns_parse(&c, &vmt_entity_proc, cases[i].columns, NULL),
				 0);
		assert_int_equal(vmt_columns_sources(&c), cases[i].sources);
		vmt_columns_done(&c);
	}
}

static void unknown_values_sort_last(void **state)
{
	struct setup *s = *state;
	struct vmt_section *sec = &s->doc.sections[0];

	assert_int_equal(vmt_sort_parse(&sec->sort, &vmt_entity_proc, "-rss", NULL), 0);
	vmt_section_arrange(sec, 0);
	assert_ptr_equal(sec->rows[0], &s->procs[2]);
	assert_ptr_equal(sec->rows[2], &s->procs[1]);
	assert_int_equal(vmt_sort_parse(&sec->sort, &vmt_entity_proc, "rss", NULL), 0);
	vmt_section_arrange(sec, 2);
	assert_ptr_equal(sec->rows[0], &s->procs[0]);
	assert_ptr_equal(sec->rows[1], &s->procs[2]);
	assert_int_equal(sec->n, 2);
	assert_int_equal(sec->total, 3);
}

static void b03_text_shows_a_dash_and_no_control_byte(void **state)
{
	struct setup *s = *state;

	columns(s, "PID,RSS,COMMAND");
	assert_string_equal(emit(s, vmt_out_text), "PID   RSS COMMAND\n"
						   " 10 4.00K a,b\\x1b[2J\n"
						   " 11     - =1+1\n"
						   " 12 1.25M bad\\xff\n");
}

static void b09_csv_is_quoted_and_no_formula(void **state)
{
	struct setup *s = *state;

	columns(s, "PID,RSS,COMMAND");
	assert_string_equal(emit(s, vmt_out_csv), "pid,rss_bytes,comm\n"
						  "10,4096,\"a,b\\x1b[2J\"\n"
						  "11,,\"'=1+1\"\n"
						  "12,1310720,bad\\xff\n");
}

/* CSV is the table that text begins with. */
static void csv_has_the_first_table_that_is_shown(void **state)
{
	struct setup *s = *state;
	struct vmt_proc last = { 0 };
	struct vmt_section *second;

	VMT_SET(proc, pid, &last, 77);
	second = vmt_doc_add(&s->doc, &def, &last, 1);
	assert_non_null(second);
	assert_int_equal(vmt_columns_parse(&second->columns, &vmt_entity_proc, "PID", NULL), 0);
	columns(s, "PID,RSS");
	assert_string_equal(emit(s, vmt_out_csv), "pid,rss_bytes\n10,4096\n11,\n12,1310720\n");
	s->doc.sections[0].machine_only = true;
	assert_string_equal(emit(s, vmt_out_csv), "pid\n77\n");
	second->machine_only = true;
	assert_string_equal(emit(s, vmt_out_csv), "pid,rss_bytes\n10,4096\n11,\n12,1310720\n");
}

static void b04_json_has_null_and_the_bytes(void **state)
{
	struct setup *s = *state;
	const char *text;

	columns(s, "PID,RSS,COMMAND");
	text = emit(s, vmt_out_json);
	assert_non_null(strstr(text, "\"schema\":\"vmtop.ps\",\"version\":1"));
	assert_non_null(strstr(text, "\"processes\":[{\"pid\":10,\"rss_bytes\":4096,"
				     "\"comm\":\"a,b\\u001b[2J\"},"
				     "{\"pid\":11,\"rss_bytes\":null,\"comm\":\"=1+1\"},"
				     "{\"pid\":12,\"rss_bytes\":1310720,"
				     "\"comm\":\"bad\xef\xbf\xbd\",\"comm_b64\":\"YmFk/w==\"}]"));
}

static void ndjson_has_a_header_and_an_end(void **state)
{
	struct setup *s = *state;
	const char *text, *line;
	size_t lines = 0;

	columns(s, "PID");
	text = emit(s, vmt_out_ndjson);
	assert_memory_equal(text, "{\"type\":\"header\",", 17);
	for (line = text; (line = strchr(line, '\n')); line++)
		lines++;
	assert_int_equal(lines, 5);
	assert_non_null(strstr(text, "\n{\"type\":\"proc\",\"pid\":11}\n"));
	assert_non_null(strstr(text, "\n{\"type\":\"end\","));
}

/* A recording may say any count. */
static void a_bar_of_the_largest_count(void **state)
{
	const struct vmt_field f = { .type = VMT_TYPE_HIST, .unit = VMT_UNIT_BYTES };
	const struct vmt_hist_bucket buckets[] = { { 0, 15, UINT64_MAX }, { 16, 31, 1 } };
	struct {
		struct vmt_row row;
		struct vmt_hist hist;
	} row = { .hist = { buckets, 2 } };
	struct vmt_field at = f;
	struct vmt_out_opts opts = { .ascii = true };
	VMT_AUTO_BUF out = { 0 };

	(void)state;
	at.offset = offsetof(__typeof__(row), hist);
	vmt_row_mark(&row.row, 0);
	vmt_cell_text(&out, &at, &row, &opts, 4096);
	assert_buf(&out, "#_______________");
}

static void a_full_disk_is_an_error(void **state)
{
	struct setup *s = *state;
	FILE *full = fopen("/dev/full", "w");

	assert_non_null(full);
	s->sink.fd = fileno(full);
	assert_int_equal(vmt_out_text(&s->sink, &s->doc, &s->opts), -ENOSPC);
	fclose(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_found_by_key_and_title),
		cmocka_unit_test(added_columns_go_before_the_tail),
		cmocka_unit_test(columns_choose_the_cheapest_files),
		cmocka_unit_test_setup_teardown(unknown_values_sort_last, begin, end),
		cmocka_unit_test_setup_teardown(b03_text_shows_a_dash_and_no_control_byte, begin,
						end),
		cmocka_unit_test_setup_teardown(b09_csv_is_quoted_and_no_formula, begin, end),
		cmocka_unit_test_setup_teardown(csv_has_the_first_table_that_is_shown, begin, end),
		cmocka_unit_test_setup_teardown(b04_json_has_null_and_the_bytes, begin, end),
		cmocka_unit_test_setup_teardown(ndjson_has_a_header_and_an_end, begin, end),
		cmocka_unit_test(a_bar_of_the_largest_count),
		cmocka_unit_test_setup_teardown(a_full_disk_is_an_error, begin, end),
	};

	return cmocka_run_group_tests_name("view", tests, NULL, NULL);
}
