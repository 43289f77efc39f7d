/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "model/fault-raw.h"
#include "model/heat.h"
#include "view/picture.h"

/* A machine of which nothing is known but what a test adds. */
struct setup {
	struct vmt_sample sample;
	struct vmt_model model;
	struct vmt_fault_sample faults;
	struct vmt_out_opts opts;
	struct vmt_picture_ask ask;
	struct vmt_stack stacks[8];
	struct vmt_heat heat;
};

static int begin(void **state)
{
	struct setup *s = calloc(1, sizeof(*s));

	if (!s)
		return -1;
	s->model.sample = &s->sample;
	s->ask = (struct vmt_picture_ask){ .model = &s->model, .opts = &s->opts, .alone = true };
	vmt_heat_init(&s->heat);
	*state = s;
	return 0;
}

static int end(void **state)
{
	struct setup *s = *state;

	vmt_heat_done(&s->heat);
	free(s);
	return 0;
}

static void add_stack(struct setup *s, const char *comm, const char *stack, uint64_t faults)
{
	struct vmt_stack *row = &s->stacks[s->model.n_stacks++];

	VMT_SET(stack, comm, row, vmt_bytes_of(comm));
	VMT_SET(stack, stack, row, vmt_bytes_of(stack));
	VMT_SET(stack, faults_total, row, faults);
	VMT_SET(stack, major_faults_total, row, 0);
	s->model.stacks = s->stacks;
}

static void drawn(const struct vmt_picture *p, const struct setup *s, struct vmt_buf *out)
{
	struct vmt_xml x;

	vmt_xml_init(&x, out);
	assert_int_equal(p->draw(&x, &s->ask), 0);
	assert_int_equal(vmt_xml_finish(&x), 0);
}

static void told(const struct vmt_picture *p, const struct setup *s, struct vmt_buf *out)
{
	struct vmt_xml x;

	vmt_xml_init(&x, out);
	assert_int_equal(p->tell(&x, &s->ask), 0);
	assert_int_equal(vmt_xml_finish(&x), 0);
}

#define assert_in(buf, text)	 assert_non_null(strstr((buf)->data, text))
#define assert_not_in(buf, text) assert_null(strstr((buf)->data, text))

/* Frames are as wide as their faults, and stand where those of their caller do. */
static void flame_shares(void **state)
{
	struct setup *s = *state;
	VMT_AUTO_BUF out = { 0 };

	add_stack(s, "prog", "main;work;half", 50);
	add_stack(s, "prog", "main;work;third", 30);
	add_stack(s, "prog", "main;other", 19);
	/* "main" is the begin of its name, and it is another one all the same. */
	add_stack(s, "prog", "main loop", 1);
	drawn(&vmt_picture_flame, s, &out);
	assert_in(&out, "width=\"960\" height=\"17\"><title>prog: 100 faults, 100.0%</title>");
	assert_in(&out, "width=\"950.4\" height=\"17\"><title>main: 99 faults, 99.0%</title>");
	assert_in(&out, "x=\"182.4\" ");
	assert_in(&out, "width=\"768\" height=\"17\"><title>work: 80 faults, 80.0%</title>");
	assert_in(&out, "x=\"182.4\" y=\"66\" width=\"480\" height=\"17\">"
			"<title>half: 50 faults, 50.0%</title>");
	assert_in(&out, "x=\"662.4\" y=\"66\" width=\"288\" height=\"17\">"
			"<title>third: 30 faults, 30.0%</title>");
	assert_in(&out, "<title>main loop: 1 fault, 1.0%</title>");
	vmt_buf_clear(&out);
	told(&vmt_picture_flame, s, &out);
	assert_in(&out, "<td>80</td><td>0</td><td>80.0%</td><td class=\"l\">work</td>");
	assert_in(&out, "<td>50</td><td>50</td><td>50.0%</td><td class=\"l\">half</td>");
}

/* What is not drawn is said, and recursion counts once. */
static void flame_rest(void **state)
{
	struct setup *s = *state;
	VMT_AUTO_BUF deep = { 0 };
	VMT_AUTO_BUF out = { 0 };
	int i;

	vmt_buf_adds(&deep, "main");
	for (i = 0; i < 95; i++)
		vmt_buf_adds(&deep, ";again");
	add_stack(s, "prog", deep.data, 5000);
	add_stack(s, "prog", "[no user stack]", 4993);
	add_stack(s, "prog", "rare", 7);
	drawn(&vmt_picture_flame, s, &out);
	assert_in(&out, "without a stack in user mode 4993");
	assert_in(&out, "too narrow to be drawn: 7");
	assert_in(&out, "deeper than is drawn: 5000");
	assert_not_in(&out, "<title>rare");
	vmt_buf_clear(&out);
	told(&vmt_picture_flame, s, &out);
	assert_in(&out, "<td>5000</td><td>5000</td><td>50.0%</td><td class=\"l\">again</td>");
}

static void flame_hostile(void **state)
{
	struct setup *s = *state;
	VMT_AUTO_BUF out = { 0 };

	add_stack(s, "</svg>;x", "a<b>(\"&\");\xe2\x80\xaetxt\n", 3);
	add_stack(s, "", "", 2);
	drawn(&vmt_picture_flame, s, &out);
	assert_in(&out, "<title>&lt;/svg&gt;:x: 3 faults, 60.0%</title>");
	assert_in(&out, "<title>a&lt;b&gt;(&quot;&amp;&quot;): 3 faults, 60.0%</title>");
	assert_in(&out, "\\xe2\\x80\\xaetxt\\x0a");
}

/* Why there is no picture is said; nothing is not the same as not known. */
static void flame_lacks(void **state)
{
	struct setup *s = *state;
	VMT_AUTO_BUF why = { 0 };

	assert_false(vmt_picture_flame.has(&s->ask, &why));
	assert_buf(&why, "faults were not counted");
	vmt_buf_clear(&why);
	s->sample.faults = &s->faults;
	assert_false(vmt_picture_flame.has(&s->ask, &why));
	assert_buf(&why, "faults could not be counted here: 'vmtop doctor' says why");
	vmt_buf_clear(&why);
	s->faults.rung = VMT_RUNG_PERF;
	assert_false(vmt_picture_flame.has(&s->ask, &why));
	assert_buf(&why, "there are no stacks on the rung perf");
	vmt_buf_clear(&why);
	s->faults.have = VMT_HAVE_STACKS;
	assert_false(vmt_picture_flame.has(&s->ask, &why));
	assert_buf(&why, "there was no fault while they were counted");
	vmt_buf_clear(&why);
	s->sample.host.root = VMT_BYTES("dir");
	assert_false(vmt_picture_heat.has(&s->ask, &why));
	assert_buf(&why, "faults are counted live, and a saved machine has none");
}

static struct vmt_fault_raw raw(uint64_t pid, uint64_t start, uint64_t minor, const char *path)
{
	return (struct vmt_fault_raw){ .pid = pid,
				       .start_time_ns = pid * 10,
				       .start = start,
				       .end = start + 0x1000,
				       .minor = minor,
				       .path = vmt_bytes_of(path),
				       .comm = VMT_BYTES("prog") };
}

/* A column for each reading; a mapping that grows stays one row; rows by process and address. */
static void heat_rows(void **state)
{
	struct setup *s = *state;
	struct vmt_fault_raw first[] = { raw(7, 0x9000, 5, ""), raw(3, 0x5000, 2, "/f"),
					 raw(7, 0x1000, 1, "[heap]") };
	struct vmt_fault_raw second[] = { raw(7, 0x1000, 0, "[heap]"), raw(7, 0x8000, 4, "") };
	struct vmt_fault_sample delta = { .maps = first, .n_maps = 3 };
	VMT_AUTO_BUF out = { 0 };

	assert_int_equal(vmt_heat_add(&s->heat, &delta, 1000000000), 0);
	second[1].end = 0xa000;
	delta = (struct vmt_fault_sample){ .maps = second, .n_maps = 2, .totals = { .lost = 3 } };
	assert_int_equal(vmt_heat_add(&s->heat, &delta, 3000000000), 0);
	assert_int_equal(s->heat.n_columns, 2);
	assert_int_equal(s->heat.n_rows, 3);
	assert_int_equal(s->heat.total, 12);
	assert_int_equal(s->heat.lost, 3);
	assert_int_equal(s->heat.rows[0].pid, 3);
	assert_int_equal(s->heat.rows[1].start, 0x1000);
	assert_int_equal(s->heat.rows[2].start, 0x8000);
	assert_int_equal(s->heat.rows[2].end, 0xa000);
	assert_int_equal(s->heat.rows[2].counts[0], 5);
	assert_int_equal(s->heat.rows[2].counts[1], 4);
	s->sample.heat = &s->heat;
	assert_true(vmt_picture_heat.has(&s->ask, &out));
	drawn(&vmt_picture_heat, s, &out);
	assert_in(&out, "<title>5 faults, 0 to 1.00s</title>");
	assert_in(&out, "<title>4 faults, 1.00s to 3.00s</title>");
	/* Five in a second, and two in one: of five shades the last, and one for up to 5 / 2. */
	assert_in(&out, "class=\"heat\" x=\"270\"");
	vmt_buf_clear(&out);
	told(&vmt_picture_heat, s, &out);
	assert_in(&out, "<td>9</td><td>1.00s</td><td>3.00s</td><td>0</td><td>1.00s</td><td>5</td>"
			"<td>5</td><td class=\"l\">[anon]</td>");
}

/* More readings than columns: the last one has the rest, and no fault is lost. */
static void heat_full(void **state)
{
	struct setup *s = *state;
	struct vmt_fault_raw one = raw(1, 0x1000, 1, "");
	struct vmt_fault_sample delta = { .maps = &one, .n_maps = 1 };
	size_t i;

	for (i = 0; i < VMT_HEAT_COLUMNS + 5; i++)
		assert_int_equal(vmt_heat_add(&s->heat, &delta, (i + 1) * 1000), 0);
	assert_int_equal(s->heat.n_columns, VMT_HEAT_COLUMNS);
	assert_int_equal(s->heat.rows[0].counts[VMT_HEAT_COLUMNS - 1], 6);
	assert_int_equal(s->heat.rows[0].total, VMT_HEAT_COLUMNS + 5);
	assert_int_equal(s->heat.ends_ns[VMT_HEAT_COLUMNS - 1], (VMT_HEAT_COLUMNS + 5) * 1000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(flame_shares), TEST(flame_rest), TEST(flame_hostile),
		TEST(flame_lacks),  TEST(heat_rows),  TEST(heat_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
