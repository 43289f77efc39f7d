/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Without memory there is no half of a model, a picture or a document: whichever allocation fails,
 * what is made is an error, or all of it, byte for byte.
 */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "model/diff.h"
#include "model/fault-raw.h"
#include "model/heat.h"
#include "model/recorded.h"
#include "rows.h"
#include "view/picture.h"
#include "view/sample-json.h"

#define PAGE UINT64_C(4096)
#define MIB  UINT64_C(1048576)

/* Two samples of a machine of which something of everything is known, and what they are made of. */
struct machine {
	struct vmt_sample *s[2];
	struct vmt_proc procs[2][2];
	struct vmt_proc_maps lists[2][2];
	struct vmt_map maps[2][3];
	struct vmt_pressure pressure[2];
	struct vmt_fault_sample faults;
	struct vmt_heat heat;
	struct vmt_issue issue;
	struct vmt_stack stacks[2];
	struct vmt_sample_json *json;
	/* As text: what the making of it ended with, where nothing failed. */
	int (*make)(struct machine *m, struct vmt_buf *out);
	struct vmt_buf whole;
	const struct vmt_output *format;
	unsigned pictures;
	const struct vmt_entity *entity; /* of the section; NULL: mappings */
};

static void add_process(struct machine *m, unsigned at, unsigned i)
{
	struct vmt_proc *p = &m->procs[at][i];

	unit_row_fill(&vmt_entity_proc, p, (i + 1 + at) * 100 * MIB);
	p->pid = 7 + i;
	p->ppid = 6 + i;
	p->start_time_ns = 100 + i;
	p->comm = VMT_BYTES("a&b");
	p->class = VMT_BYTES("user");
	p->read_status = VMT_BYTES("ok");
	VMT_UNSET(proc, depth, p);
	VMT_UNSET(proc, tree_rss_bytes, p);
	VMT_UNSET(proc, maps_percent, p);
	VMT_SET(proc, other, p, VMT_BYTES("New:1\n"));
	m->lists[at][i].state = VMT_STATE_OK;
}

static void add_mapping(struct machine *m, unsigned at, unsigned i)
{
	struct vmt_map *map = &m->maps[at][i];

	unit_row_fill(&vmt_entity_map, map, (10 + at * (i + 1)) * MIB);
	map->pid = 7;
	map->start = 100 * (i + 1) * MIB;
	map->size_bytes = (1 + i + at * i) * MIB;
	map->end = map->start + map->size_bytes;
	map->inode = i == 1 ? 99 : 0;
	map->device = i == 1 ? VMT_BYTES("fe:01") : VMT_BYTES("00:00");
	map->path = i == 1 ? VMT_BYTES("/<f>") : VMT_BYTES("");
	map->kind = i == 1 ? VMT_BYTES("file") : VMT_BYTES("anon");
	map->perms = VMT_BYTES("rw-p");
	map->offset_bytes = 0;
	VMT_UNSET(map, ipc_namespace, map);
	if (i == 2) {
		VMT_UNSET(map, rss_bytes, map);
		VMT_UNSET(map, role, map);
	}
}

static void add_faults(struct machine *m)
{
	struct vmt_fault_raw raw[] = {
		{ .pid = 7, .start = 0x1000, .end = 0x3000, .minor = 5, .path = VMT_BYTES("/f") },
		{ .pid = 8, .start = 0x1000, .end = 0x2000, .minor = 2, .comm = VMT_BYTES("b") },
	};
	struct vmt_fault_sample delta = { .maps = raw, .n_maps = 2, .totals = { .lost = 1 } };
	static const char *const stacks[] = { "main;work", "[no user stack]" };
	size_t i;

	vmt_heat_init(&m->heat);
	for (i = 1; i < 3; i++)
		assert_int_equal(vmt_heat_add(&m->heat, &delta, i * 1000000000), 0);
	m->s[1]->heat = &m->heat;
	for (i = 0; i < VMT_ARRAY_LEN(stacks); i++) {
		VMT_SET(stack, comm, &m->stacks[i], VMT_BYTES("prog"));
		VMT_SET(stack, stack, &m->stacks[i], vmt_bytes_of(stacks[i]));
		VMT_SET(stack, faults_total, &m->stacks[i], 10 * (i + 1));
		VMT_SET(stack, major_faults_total, &m->stacks[i], i);
	}
}

static int begin(void **state)
{
	struct machine *m = calloc(1, sizeof(*m));
	unsigned at, i;

	assert_non_null(m);
	for (at = 0; at < 2; at++) {
		struct vmt_sample *s = m->s[at] = vmt_sample_new();

		assert_non_null(s);
		unit_row_fill(&vmt_entity_system, &s->system, (100 + at) * MIB);
		s->system.total_bytes = 4000 * MIB;
		s->system.available_bytes = 2000 * MIB;
		s->system.free_bytes = 1000 * MIB;
		unit_row_fill(&vmt_entity_pressure, &m->pressure[at], (100 + at) * PAGE);
		m->pressure[at].resource = VMT_BYTES("memory");
		s->pressure = &m->pressure[at];
		s->n_pressure = 1;
		for (i = 0; i < 2; i++)
			add_process(m, at, i);
		for (i = 0; i < 3; i++)
			add_mapping(m, at, i);
		m->lists[at][0].maps = m->maps[at];
		m->lists[at][0].n_maps = 3;
		s->procs = m->procs[at];
		s->maps = m->lists[at];
		s->n_procs = s->procs_seen = 2;
		s->host = (struct vmt_host){ .page_size = PAGE,
					     .cpus = 2,
					     .user_hz = 100,
					     .boot_id = VMT_BYTES("one"),
					     .release = VMT_BYTES("6.1"),
					     .machine = VMT_BYTES("x86_64"),
					     .monotonic_ns = UINT64_C(1000000000) * (1 + 2 * at),
					     .boottime_ns = UINT64_C(1000000000) * (1 + 2 * at),
					     .realtime_ns = UINT64_C(1000000000) * (9 + 2 * at) };
		vmt_sample_failed(s, VMT_SOURCE_ROLLUP, 8, VMT_BYTES("a&b"), -EACCES, "be root");
		vmt_sample_settle(s);
	}
	add_faults(m);
	*state = m;
	return 0;
}

static int end(void **state)
{
	struct machine *m = *state;

	vmt_heat_done(&m->heat);
	vmt_buf_done(&m->whole);
	vmt_sample_free(m->s[0]);
	vmt_sample_free(m->s[1]);
	free(m);
	return 0;
}

/* Set where something was made without an error, and is not what it is with memory. */
static bool differs;

static int once(void *arg)
{
	struct machine *m = arg;
	VMT_AUTO_BUF out = { 0 };
	int r = m->make(m, &out);

	if (r == 0)
		r = vmt_buf_error(&out);
	if (r == 0 && !differs &&
	    (out.len != m->whole.len || memcmp(out.data, m->whole.data, out.len) != 0)) {
		size_t at = 0;

		while (at < out.len && at < m->whole.len && out.data[at] == m->whole.data[at])
			at++;
		print_error("at %zu: '%.*s', and not '%.*s'\n", at, 60,
			    at < out.len ? out.data + at : "", 60, m->whole.data + at);
		differs = true;
	}
	return r;
}

/* Returns how many allocations it takes. */
static size_t all_or_nothing(struct machine *m, int (*make)(struct machine *m, struct vmt_buf *out))
{
	size_t n;

	m->make = make;
	vmt_buf_clear(&m->whole);
	assert_int_equal(make(m, &m->whole), 0);
	assert_int_equal(vmt_buf_error(&m->whole), 0);
	assert_true(m->whole.len > 0);
	differs = false;
	n = unit_piece_sweep(once, m);
	assert_false(differs);
	return n;
}

static int model(struct machine *m, struct vmt_buf *out)
{
	VMT_AUTO_MODEL model = NULL;
	int r = vmt_model_build(m->s[1], m->s[0], NULL, &model, NULL);

	if (r < 0)
		return r;
	unit_rows_tell(out, &vmt_entity_part, model->parts, model->n_parts);
	unit_rows_tell(out, &vmt_entity_share, model->shares, model->n_shares);
	unit_rows_tell(out, &vmt_entity_term, model->terms, model->n_terms);
	unit_rows_tell(out, &vmt_entity_proc, model->procs, model->n_procs);
	unit_rows_tell(out, &vmt_entity_pressure, model->pressure, model->n_pressure);
	unit_rows_tell(out, &vmt_entity_source, model->sources, model->n_sources);
	unit_rows_tell(out, &vmt_entity_finding, model->findings, model->n_findings);
	return 0;
}

static void models(void **state)
{
	assert_true(all_or_nothing(*state, model) > 10);
}

static int copy(struct machine *m, struct vmt_buf *out)
{
	VMT_AUTO_SAMPLE s = NULL;
	int r = vmt_recorded_copy(m->s[1], &s);

	if (r < 0)
		return r;
	unit_rows_tell(out, &vmt_entity_system, &s->system, 1);
	unit_rows_tell(out, &vmt_entity_proc, s->procs, s->n_procs);
	unit_rows_tell(out, &vmt_entity_map, s->maps[0].maps, s->maps[0].n_maps);
	unit_rows_tell(out, &vmt_entity_pressure, s->pressure, s->n_pressure);
	unit_rows_tell(out, &vmt_entity_issue, s->issues, s->n_issues);
	return 0;
}

static void copies(void **state)
{
	assert_true(all_or_nothing(*state, copy) > 10);
}

static int writer(struct machine *m, struct vmt_buf *out)
{
	VMT_CLEANUP(vmt_sample_json_freep) struct vmt_sample_json *j = NULL;
	int r = vmt_sample_json_new(&j);

	(void)m;
	if (r == 0)
		vmt_buf_adds(out, "made");
	return r;
}

static int lines(struct machine *m, struct vmt_buf *out)
{
	vmt_sample_json_header(out, m->s[0], "0", 1000000000);
	vmt_sample_json_put(m->json, out, m->s[0], NULL, 0);
	vmt_sample_json_put(m->json, out, m->s[1], m->s[0], 1);
	vmt_sample_json_gap(out, m->s[1], "suspend", 5);
	vmt_sample_json_end(out, 5, "end", 2, 1);
	return vmt_buf_error(out);
}

static void recordings(void **state)
{
	struct machine *m = *state;

	assert_true(all_or_nothing(m, writer) > 10);
	assert_int_equal(vmt_sample_json_new(&m->json), 0);
	assert_true(all_or_nothing(m, lines) > 2);
	vmt_sample_json_free(m->json);
}

static int emit(const struct machine *m, const struct vmt_doc *doc, const struct vmt_out_opts *opts,
		struct vmt_buf *out)
{
	struct vmt_sink sink = { .fd = -1, .held = true };
	int r = m->format->emit(&sink, doc, opts);

	if (r == 0)
		r = vmt_buf_error(&sink.buf);
	if (r == 0)
		vmt_buf_add(out, sink.buf.data, sink.buf.len);
	vmt_sink_done(&sink);
	return r;
}

/* The document in one of the formats, with a section of mappings and one of processes. */
static int document(struct machine *m, struct vmt_buf *out)
{
	static const struct vmt_section_def defs[] = {
		{ "processes", &vmt_entity_proc, false, "processes" },
		{ "mappings", &vmt_entity_map, false, "mappings" },
		{ "system", &vmt_entity_system, true, "the machine" },
		{ "stacks", &vmt_entity_stack, false, "stacks" },
	};
	static const uint64_t pids[] = { 7, 8 };
	const struct vmt_out_opts opts = { .headings = true, .width = 100, .indent = 2 };
	struct vmt_doc doc = { .schema = "report",
			       .version = "0",
			       .pictures = m->pictures,
			       .pids = pids,
			       .n_pids = 2 };
	VMT_AUTO_MODEL model = NULL;
	size_t i;
	int r = vmt_model_build(m->s[1], m->s[0], NULL, &model, NULL);

	if (r < 0)
		return r;
	/* One source is as good as forty. */
	model->n_sources = 1;
	model->stacks = m->stacks;
	model->n_stacks = VMT_ARRAY_LEN(m->stacks);
	doc.model = model;
	for (i = 0; r == 0 && i < VMT_ARRAY_LEN(defs); i++) {
		const void *const rows[] = { model->procs, m->maps[1], &model->system, m->stacks };
		const size_t n[] = { model->n_procs, 3, 1, model->n_stacks };
		struct vmt_section *s;

		if (m->entity && m->entity != defs[i].entity)
			continue;
		s = vmt_doc_add(&doc, &defs[i], rows[i], n[i]);
		r = s ? vmt_section_arrange(s, 3) : -ENOMEM;
	}
	if (r == 0)
		r = emit(m, &doc, &opts, out);
	vmt_doc_done(&doc);
	return r;
}

static void documents(void **state)
{
	static const struct {
		const char *format;
		const struct vmt_entity *only; /* section, of formats that have one alone */
	} cases[] = { { "text", NULL },
		      { "json", NULL },
		      { "ndjson", NULL },
		      { "csv", &vmt_entity_proc },
		      { "folded", &vmt_entity_stack },
		      { "html", &vmt_entity_proc } };
	struct machine *m = *state;
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		m->format = vmt_output_find(cases[i].format);
		assert_non_null(m->format);
		m->entity = cases[i].only;
		assert_true(all_or_nothing(m, document) > 10);
	}
}

/* A page of each, which has its table too. */
static void pictures(void **state)
{
	struct machine *m = *state;
	unsigned i;

	m->format = vmt_output_find("html");
	assert_non_null(m->format);
	m->entity = &vmt_entity_stack;
	for (i = 0; i < VMT_PICTURES; i++) {
		m->pictures = 1u << i;
		assert_true(all_or_nothing(m, document) > 10);
	}
}

/* What grew: mappings of the one process, as a page and as a picture. */
static int growth(struct machine *m, struct vmt_buf *out)
{
	static const struct vmt_section_def defs[] = {
		{ "diff", &vmt_entity_diff, false, "mappings" },
		{ "processes", &vmt_entity_diff_proc, false, "processes" },
	};
	const struct vmt_diff_opts by = { .maps = true };
	const struct vmt_out_opts opts = { .headings = true, .width = 100 };
	struct vmt_doc doc = { .schema = "diff", .version = "0", .pictures = m->pictures };
	VMT_AUTO_MODEL model = NULL;
	VMT_AUTO_DIFF d = NULL;
	int r = vmt_model_build(m->s[1], NULL, NULL, &model, NULL);

	if (r == 0)
		r = vmt_diff_build(m->s[0], m->s[1], &by, &d);
	if (r < 0)
		return r;
	doc.model = model;
	if (!vmt_doc_add(&doc, &defs[0], d->maps, d->n_maps) ||
	    !vmt_doc_add(&doc, &defs[1], d->procs, d->n_procs))
		r = -ENOMEM;
	if (r == 0)
		r = emit(m, &doc, &opts, out);
	vmt_doc_done(&doc);
	return r;
}

static void what_grew(void **state)
{
	static const char *const formats[] = { "html", "svg" };
	struct machine *m = *state;
	size_t i;

	m->pictures = 1u << VMT_PICTURE_GROWTH;
	for (i = 0; i < VMT_ARRAY_LEN(formats); i++) {
		m->format = vmt_output_find(formats[i]);
		assert_non_null(m->format);
		assert_true(all_or_nothing(m, growth) > 10);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(models),	 TEST(copies),	 TEST(recordings),
		TEST(documents), TEST(pictures), TEST(what_grew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
