/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pictures of what is unknown, of one thing, of too many, and of nothing: each says which it is.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "model/diff.h"
#include "view/picture.h"

#define MIB	UINT64_C(1048576)
#define MANY	300
#define CHANGED 45

struct setup {
	struct vmt_sample sample;
	struct vmt_model model;
	struct vmt_out_opts opts;
	struct vmt_picture_ask ask;
	struct vmt_stack stacks[MANY];
	char names[MANY][24];
	struct vmt_proc proc;
	struct vmt_proc_maps list;
	struct vmt_map maps[MANY];
	struct vmt_diff_proc rows[MANY];
};

static int begin(void **state)
{
	struct setup *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->model.sample = &s->sample;
	s->sample.host.page_size = 4096;
	s->model.stacks = s->stacks;
	s->ask = (struct vmt_picture_ask){ .model = &s->model, .opts = &s->opts, .alone = true };
	*state = s;
	return 0;
}

static int end(void **state)
{
	free(*state);
	return 0;
}

static void drawn(const struct vmt_picture *p, const struct setup *s, struct vmt_buf *out)
{
	struct vmt_xml x;

	vmt_buf_clear(out);
	vmt_xml_init(&x, out);
	assert_int_equal(p->draw(&x, &s->ask), 0);
	assert_int_equal(vmt_xml_finish(&x), 0);
}

/* The picture, and the text below it. */
static void shown(const struct vmt_picture *p, const struct setup *s, struct vmt_buf *out)
{
	struct vmt_xml x;

	drawn(p, s, out);
	vmt_xml_init(&x, out);
	assert_int_equal(p->tell(&x, &s->ask), 0);
	assert_int_equal(vmt_xml_finish(&x), 0);
}

#define assert_in(buf, text)	 assert_non_null(strstr((buf)->data, text))
#define assert_not_in(buf, text) assert_null(strstr((buf)->data, text))

static struct vmt_stack *add_stack(struct setup *s, const char *stack, uint64_t faults)
{
	struct vmt_stack *row = &s->stacks[s->model.n_stacks++];

	VMT_SET(stack, comm, row, VMT_BYTES("prog"));
	VMT_SET(stack, stack, row, vmt_bytes_of(stack));
	VMT_SET(stack, faults_total, row, faults);
	VMT_SET(stack, major_faults_total, row, 0);
	return row;
}

/* Frames by what they are: of the kernel, made at run time, places, and functions. */
static void colours_of_frames(void **state)
{
	static const struct {
		const char *name, *colour;
	} cases[] = {
		{ "work", "orange" },	    { "fault_[k]", "vermillion" },
		{ "made_[j]", "yellow" },   { "_[k", "orange" },
		{ "[anon]", "grey" },	    { "lib.so+0x12", "grey" },
		{ "operator+0", "orange" }, { "a+1x", "orange" },
		{ "a+0", "orange" },	    { "a+0y1", "orange" },
	};
	struct setup *s = *state;
	VMT_AUTO_BUF out = { 0 };
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		char want[64];
		const char *title, *class;

		s->model.n_stacks = 0;
		add_stack(s, cases[i].name, 1);
		shown(&vmt_picture_flame, s, &out);
		assert_in(&out, ">1 fault, 0 major");
		snprintf(want, sizeof(want), "<title>%s: 1 fault, 100.0%%</title>", cases[i].name);
		title = strstr(out.data, want);
		assert_non_null(title);
		/* Of the rectangle that it is the title of. */
		for (class = title; strncmp(class, "class=\"", 7) != 0; class --)
			assert_true(class > out.data);
		snprintf(want, sizeof(want), "class=\"%s cut\"", cases[i].colour);
		assert_memory_equal(class, want, strlen(want));
	}
}

/* Stacks of nobody, and nothing of a stack; those that are the same twice, or begin alike. */
static void stacks_that_are_unknown(void **state)
{
	struct setup *s = *state;
	struct vmt_stack *row = add_stack(s, "main", 6);
	VMT_AUTO_BUF out = { 0 };

	VMT_UNSET(stack, comm, row);
	row = add_stack(s, "main", 2);
	VMT_UNSET(stack, stack, row);
	add_stack(s, "[stack lost: no room]", 3);
	add_stack(s, "main;f", 4);
	add_stack(s, "main;f", 5);
	add_stack(s, "main", 1);
	shown(&vmt_picture_flame, s, &out);
	assert_in(&out, "21 faults, 0 major; without a stack in user mode 3;");
	assert_in(&out, "<title>[unknown]: 6 faults, 28.5%</title>");
	assert_in(&out, "<title>prog: 15 faults, 71.4%</title>");
	assert_in(&out, "<title>[unknown]: 2 faults, 9.5%</title>");
	/* 4 + 5 are one frame, and the one of their caller has another fault of its own. */
	assert_in(&out, "<title>f: 9 faults, 42.8%</title>");
	assert_in(&out, "<title>main: 10 faults, 47.6%</title>");
}

static void stacks_without_faults(void **state)
{
	struct setup *s = *state;
	VMT_AUTO_BUF out = { 0 };
	size_t i;

	add_stack(s, "main", 0);
	shown(&vmt_picture_flame, s, &out);
	assert_in(&out, "0 faults, 0 major");
	assert_not_in(&out, "--format folded");
	assert_in(&out, "<td>0.0%</td>");
	s->model.n_stacks = 0;
	shown(&vmt_picture_flame, s, &out);
	assert_in(&out, "0 faults, 0 major");
	/* More functions than the table has. */
	for (i = 0; i < MANY; i++) {
		snprintf(s->names[i], sizeof(s->names[i]), "f%zu", i);
		add_stack(s, s->names[i], 1);
	}
	shown(&vmt_picture_flame, s, &out);
	assert_in(&out, "vmtop faults --stacks --format folded");
}

/* Why there is no address space to be seen. */
static void spaces_that_are_missing(void **state)
{
	static const struct {
		uint64_t pid;
		const char *class, *status, *why;
	} cases[] = {
		{ 8, "user", "ok", "process 8: there is none" },
		{ 7, "kernel", NULL, "process 7: a kernel has no memory of its own" },
		{ 7, "user", "denied", "process 7: its mappings could not be read: denied" },
		{ 7, NULL, "denied", "process 7: its mappings could not be read: denied" },
		{ 7, "user", "ok", "process 7: it has no mappings" },
		{ 7, "user", NULL, "process 7: it has no mappings" },
		{ 7, NULL, NULL, "process 7: it has no mappings" },
	};
	struct setup *s = *state;
	size_t i, lists;

	s->sample.procs = &s->proc;
	s->sample.n_procs = 1;
	for (i = 0; i < VMT_ARRAY_LEN(cases); i++)
		for (lists = 0; lists < 2; lists++) {
			VMT_AUTO_BUF why = { 0 };

			s->sample.maps = lists ? &s->list : NULL;
			s->proc = (struct vmt_proc){ 0 };
			VMT_SET(proc, pid, &s->proc, 7);
			if (cases[i].class)
				VMT_SET(proc, class, &s->proc, vmt_bytes_of(cases[i].class));
			if (cases[i].status)
				VMT_SET(proc, read_status, &s->proc, vmt_bytes_of(cases[i].status));
			s->ask.pid = cases[i].pid;
			assert_false(vmt_picture_maps.has(&s->ask, &why));
			assert_buf(&why, cases[i].why);
		}
}

static void add_map(struct setup *s, uint64_t start, uint64_t size, const char *path)
{
	struct vmt_map *m = &s->maps[s->list.n_maps++];

	VMT_SET(map, pid, m, 7);
	VMT_SET(map, start, m, start);
	VMT_SET(map, end, m, start + size);
	VMT_SET(map, size_bytes, m, size);
	if (path)
		VMT_SET(map, path, m, vmt_bytes_of(path));
}

static void space(struct setup *s)
{
	VMT_SET(proc, pid, &s->proc, 7);
	s->list.maps = s->maps;
	s->list.state = VMT_STATE_OK;
	s->sample.procs = &s->proc;
	s->sample.maps = &s->list;
	s->sample.n_procs = 1;
	s->ask.pid = 7;
}

static void one_mapping(void **state)
{
	struct setup *s = *state;
	VMT_AUTO_BUF out = { 0 };

	space(s);
	/* Of which there is nothing but where it is; of no length, as a recording may have it. */
	add_map(s, MIB, 0, NULL);
	shown(&vmt_picture_maps, s, &out);
	assert_in(&out, "Address space of process 7");
	assert_in(&out, ">1 mapping, ");
	assert_in(&out, "resident -, not known of all, in swap -, not known of all");
	assert_in(&out, "[anon]");
	assert_in(&out, "<td class=\"l\">-</td>");
	assert_not_in(&out, "Drawn as");
	VMT_SET(proc, comm, &s->proc, VMT_BYTES("a<b"));
	VMT_SET(map, rss_bytes, &s->maps[0], 0);
	VMT_SET(map, perms, &s->maps[0], VMT_BYTES("rw-p"));
	shown(&vmt_picture_maps, s, &out);
	assert_in(&out, "Address space of a&lt;b (7)");
	assert_not_in(&out, "resident -, not");
	assert_in(&out, "<td class=\"l\">rw-p</td>");
}

/* Names are said once for all of one file beside each other; those of nothing each time. */
static void names_of_mappings(void **state)
{
	static const char *const paths[] = { "/f", "/f", "/g", "", "", NULL, NULL, "/g" };
	struct setup *s = *state;
	VMT_AUTO_BUF out = { 0 };
	const char *at;
	size_t i, n;

	space(s);
	for (i = 0; i < VMT_ARRAY_LEN(paths); i++)
		add_map(s, (10 + i) * MIB, MIB, paths[i]);
	shown(&vmt_picture_maps, s, &out);
	assert_in(&out, ">8 mappings, ");
	/* In the picture, which the table is below. */
	for (at = out.data, n = 0; (at = strstr(at, ">/f</text>")); at++)
		n++;
	assert_int_equal(n, 1);
	for (at = out.data, n = 0; (at = strstr(at, ">/g</text>")); at++)
		n++;
	assert_int_equal(n, 2);
	for (at = out.data, n = 0; (at = strstr(at, ">[anon]</text>")); at++)
		n++;
	assert_int_equal(n, 4);
}

static void many_mappings(void **state)
{
	struct setup *s = *state;
	VMT_AUTO_BUF out = { 0 };
	size_t i;

	space(s);
	for (i = 0; i < MANY; i++)
		add_map(s, (10 + i) * MIB, 4096, i % 3 ? "/f" : "");
	shown(&vmt_picture_maps, s, &out);
	assert_in(&out, ">300 mappings, ");
	assert_in(&out, ". Drawn as ");
	assert_in(&out, " +");
}

static void change(struct vmt_diff_proc *p, size_t at, uint64_t before, uint64_t after)
{
	VMT_SET(diff_proc, pid, p, at + 1);
	VMT_SET(diff_proc, comm, p, VMT_BYTES("prog"));
	VMT_SET(diff_proc, match, p, VMT_BYTES("same"));
	VMT_SET(diff_proc, rss_before_bytes, p, before);
	VMT_SET(diff_proc, rss_bytes, p, after);
	VMT_SET(diff_proc, rss_delta_bytes, p, (int64_t)(after - before));
}

/* A section of the first n rows, in the order in which they are. */
static void section(struct setup *s, struct vmt_doc *doc, size_t n)
{
	static const struct vmt_section_def def = { "processes", &vmt_entity_diff_proc, false,
						    "processes" };

	*doc = (struct vmt_doc){ .schema = "diff", .version = "0", .model = &s->model };
	s->ask.section = vmt_doc_add(doc, &def, s->rows, n);
	assert_non_null(s->ask.section);
}

static void nothing_grew(void **state)
{
	static const struct vmt_section_def machine = { "system", &vmt_entity_system, true,
							"the machine" };
	struct setup *s = *state;
	VMT_AUTO_BUF why = { 0 };
	struct vmt_doc doc;

	assert_false(vmt_picture_growth.has(&s->ask, &why));
	assert_buf(&why, "there is nothing that could be compared");
	vmt_buf_clear(&why);
	section(s, &doc, 0);
	assert_false(vmt_picture_growth.has(&s->ask, &why));
	assert_buf(&why, "nothing grew and nothing shrank");
	vmt_doc_done(&doc);

	change(&s->rows[0], 0, 4096, 4096);
	change(&s->rows[1], 1, 0, 0);
	vmt_buf_clear(&why);
	section(s, &doc, 2);
	assert_false(vmt_picture_growth.has(&s->ask, &why));
	assert_buf(&why, "nothing grew and nothing shrank");
	VMT_UNSET(diff_proc, rss_before_bytes, &s->rows[1]);
	VMT_UNSET(diff_proc, rss_delta_bytes, &s->rows[1]);
	vmt_buf_clear(&why);
	assert_false(vmt_picture_growth.has(&s->ask, &why));
	assert_buf(&why, "what changed is not known of 1 of 2 rows");
	vmt_doc_done(&doc);

	/* Rows without a then and a now. */
	doc = (struct vmt_doc){ .schema = "diff", .version = "0", .model = &s->model };
	s->ask.section = vmt_doc_add(&doc, &machine, &s->sample.system, 1);
	assert_non_null(s->ask.section);
	vmt_buf_clear(&why);
	assert_false(vmt_picture_growth.has(&s->ask, &why));
	assert_buf(&why, "there is nothing that could be compared");
	vmt_doc_done(&doc);
}

/* Of many rows those that changed most, of equal ones the first, in the order of the section. */
static void much_grew(void **state)
{
	struct setup *s = *state;
	VMT_AUTO_BUF out = { 0 };
	const char *first, *second;
	struct vmt_doc doc;
	size_t i;

	for (i = 0; i < CHANGED; i++) {
		bool most = i == 7 || i == 44;

		change(&s->rows[i], i, i % 2 ? 4 * MIB : 2 * MIB, i % 2 ? 2 * MIB : 4 * MIB);
		if (most)
			change(&s->rows[i], i, 0, 100 * MIB + i * MIB);
	}
	VMT_SET(diff_proc, comm, &s->rows[7], VMT_BYTES("much"));
	VMT_SET(diff_proc, comm, &s->rows[44], VMT_BYTES("most"));
	/* Nobody says what this one is called; and that one is the first that is left out. */
	VMT_UNSET(diff_proc, comm, &s->rows[3]);
	VMT_SET(diff_proc, comm, &s->rows[38], VMT_BYTES("inside"));
	VMT_SET(diff_proc, comm, &s->rows[40], VMT_BYTES("outside"));
	section(s, &doc, CHANGED);
	assert_true(vmt_picture_growth.has(&s->ask, &out));
	drawn(&vmt_picture_growth, s, &out);
	assert_in(&out, "45 of 45 rows changed, drawn are the 40 that changed most: ");
	first = strstr(out.data, ">much<");
	second = strstr(out.data, ">most<");
	assert_non_null(first);
	assert_non_null(second);
	assert_true(first < second);
	assert_in(&out, ">inside<");
	assert_not_in(&out, ">outside<");
	vmt_doc_done(&doc);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(colours_of_frames),
		TEST(stacks_that_are_unknown),
		TEST(stacks_without_faults),
		TEST(spaces_that_are_missing),
		TEST(one_mapping),
		TEST(names_of_mappings),
		TEST(many_mappings),
		TEST(nothing_grew),
		TEST(much_grew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
