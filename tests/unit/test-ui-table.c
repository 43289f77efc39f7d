/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <stdlib.h>

#include "cmd/ui/row-filter.h"
#include "cmd/ui/table.h"

#define FIELD(member) &vmt_entity_proc.fields[VMT_FIELD_proc_##member]

static const struct vmt_table_column columns[] = {
	{ .field = VMT_FIELD_proc_pid, .width = 6, .fit = VMT_FIT_RIGHT },
	{ .field = VMT_FIELD_proc_user, .width = 6, .priority = 2 },
	{ .field = VMT_FIELD_proc_rss_bytes, .width = 6, .fit = VMT_FIT_RIGHT, .priority = 1 },
	{ .field = VMT_FIELD_proc_anonymous_bytes,
	  .width = 6,
	  .fit = VMT_FIT_RIGHT,
	  .priority = 3 },
	{ .field = VMT_FIELD_proc_comm, .least = 8, .fit = VMT_FIT_LEFT },
};
static const unsigned identity[] = { VMT_FIELD_proc_pid, VMT_FIELD_proc_start_time_ns };
static const struct vmt_table_word words[] = {
	{ "pid", VMT_FIELD_proc_pid },
	{ "user", VMT_FIELD_proc_user },
};
static const struct vmt_table_def def = {
	.entity = &vmt_entity_proc,
	.columns = columns,
	.n_columns = VMT_ARRAY_LEN(columns),
	.sort = "-rss,pid",
	.identity = identity,
	.n_identity = VMT_ARRAY_LEN(identity),
	.words = words,
	.n_words = VMT_ARRAY_LEN(words),
	.tree = true,
	.tree_id = VMT_FIELD_proc_pid,
	.tree_above = VMT_FIELD_proc_ppid,
};

static struct vmt_sample sample = { .host = { .page_size = 4096 } };
static struct vmt_model model = { .sample = &sample };
static struct vmt_ui ui = { .model = &model };

static struct vmt_proc proc(uint64_t pid, uint64_t ppid, const char *user, uint64_t rss_kib,
			    const char *comm)
{
	struct vmt_proc p = { 0 };

	VMT_SET(proc, pid, &p, pid);
	VMT_SET(proc, ppid, &p, ppid);
	VMT_SET(proc, start_time_ns, &p, pid * 1000);
	VMT_SET(proc, user, &p, vmt_bytes_of(user));
	VMT_SET(proc, rss_bytes, &p, rss_kib << 10);
	VMT_SET(proc, comm, &p, vmt_bytes_of(comm));
	return p;
}

/* Five processes; what is unknown of them stays so. */
static void five(struct vmt_proc procs[5])
{
	procs[0] = proc(1, 0, "root", 8, "systemd");
	procs[1] = proc(20, 1, "www", 76, "apache");
	procs[2] = proc(30, 20, "www", 20, "php worker");
	procs[3] = proc(31, 20, "www-data", 20, "php Cache");
	procs[4] = proc(400, 1, "root", 4, "cron");
}

struct scene {
	struct vmt_table *table;
	struct vmt_canvas canvas;
	struct vmt_buf text;
};

static void setup(struct scene *s, unsigned height, unsigned width, const struct vmt_proc *rows,
		  size_t n)
{
	*s = (struct scene){ .canvas = { .ascii = true } };
	ui.said[0] = 0;
	assert_int_equal(vmt_canvas_resize(&s->canvas, height, width), 0);
	assert_int_equal(vmt_table_new(&def, &s->table), 0);
	assert_int_equal(vmt_table_rows(&ui, s->table, rows, n), 0);
}

static void teardown(struct scene *s)
{
	vmt_table_free(s->table);
	vmt_canvas_done(&s->canvas);
	vmt_buf_done(&s->text);
}

/* Draws on all of the canvas; the text of it. */
static const char *draw(struct scene *s)
{
	vmt_canvas_clear(&s->canvas);
	vmt_table_draw(&ui, s->table, &s->canvas,
		       (struct vmt_area){ .height = s->canvas.height, .width = s->canvas.width });
	vmt_buf_clear(&s->text);
	vmt_canvas_text(&s->canvas, &s->text);
	assert_int_equal(s->canvas.error, 0);
	return s->text.data;
}

static enum vmt_ui_act act(struct scene *s, enum vmt_action action)
{
	bool done = false;
	enum vmt_ui_act a = vmt_table_action(&ui, s->table, action, &done);

	assert_true(done);
	return a;
}

static uint64_t selected(const struct scene *s)
{
	const struct vmt_proc *p = vmt_table_selected(s->table);

	return p ? p->pid : 0;
}

static void assert_state(const struct scene *s, const char *state, const char *range)
{
	VMT_AUTO_BUF a = { 0 };
	VMT_AUTO_BUF b = { 0 };

	vmt_table_state(s->table, &a, &b);
	assert_string_equal(a.data, state);
	assert_string_equal(b.data, range);
}

static void test_columns(void **state)
{
	struct vmt_proc procs[5];
	struct scene s;

	five(procs);
	setup(&s, 7, 40, procs, 5);
	assert_string_equal(draw(&s), "    PID USER      RSS   ANON COMMAND\n"
				      ">    20 www       76K      - apache\n"
				      "     30 www       20K      - php worker\n"
				      "     31 www-d~    20K      - php Cache\n"
				      "      1 root       8K      - systemd\n"
				      "    400 root       4K      - cron\n"
				      "\n");
	assert_state(&s, "filter: none   sort: RSS v", "1-5 of 5");
	/* ANON goes first, then the user; of the last column its end is cut. */
	assert_int_equal(vmt_canvas_resize(&s.canvas, 3, 30), 0);
	assert_string_equal(draw(&s), "    PID USER      RSS COMMAND\n"
				      ">    20 www       76K apache\n"
				      "     30 www       20K php wor~\n");
	assert_state(&s, "filter: none   sort: RSS v", "1-2 of 5");
	assert_int_equal(vmt_canvas_resize(&s.canvas, 2, 23), 0);
	assert_string_equal(draw(&s), "    PID    RSS COMMAND\n"
				      ">    20    76K apache\n");
	/* Where there is no room for anything, nothing breaks. */
	for (unsigned width = 0; width < 23; width++) {
		assert_int_equal(vmt_canvas_resize(&s.canvas, 2, width), 0);
		draw(&s);
	}
	assert_int_equal(vmt_canvas_resize(&s.canvas, 0, 0), 0);
	draw(&s);
	teardown(&s);
}

static void test_scroll(void **state)
{
	struct vmt_proc procs[5];
	struct scene s;

	five(procs);
	setup(&s, 2, 24, procs, 5);
	assert_string_equal(draw(&s), "    PID    RSS COMMAND\n>    20    76K apache\n");
	act(&s, VMT_ACTION_RIGHT);
	assert_string_equal(draw(&s), "    PID    RSS   ANON\n>    20    76K      -\n");
	act(&s, VMT_ACTION_RIGHT);
	assert_string_equal(draw(&s), "    PID   ANON COMMAND\n>    20      - apache\n");
	/* There is nothing more on the right. */
	act(&s, VMT_ACTION_RIGHT);
	assert_string_equal(draw(&s), "    PID   ANON COMMAND\n>    20      - apache\n");
	act(&s, VMT_ACTION_LEFT);
	act(&s, VMT_ACTION_LEFT);
	act(&s, VMT_ACTION_LEFT);
	assert_string_equal(draw(&s), "    PID    RSS COMMAND\n>    20    76K apache\n");
	teardown(&s);
}

static void test_edge(void **state)
{
	struct vmt_table_def narrow = def;
	struct vmt_proc procs[5];
	struct scene s;

	five(procs);
	setup(&s, 3, 30, procs, 5);
	vmt_table_free(s.table);
	narrow.edge_below = 40;
	assert_int_equal(vmt_table_new(&narrow, &s.table), 0);
	assert_int_equal(vmt_table_rows(&ui, s.table, procs, 5), 0);
	assert_string_equal(draw(&s), "   PID USER      RSS COMMAND\n"
				      "    20 www       76K>apache\n"
				      "    30 www       20K php work~\n");
	teardown(&s);
}

/* Each value, heading and row is to be found where it is drawn. */
static void test_spots(void **state)
{
	struct vmt_proc procs[5];
	const struct vmt_spot *spot;
	struct scene s;

	five(procs);
	setup(&s, 7, 40, procs, 5);
	draw(&s);
	spot = vmt_canvas_at(&s.canvas, 1, 19, 1u << VMT_SPOT_VALUE);
	assert_non_null(spot);
	assert_ptr_equal(spot->field, FIELD(rss_bytes));
	assert_ptr_equal(spot->row, &procs[1]);
	spot = vmt_canvas_at(&s.canvas, 0, 19, 1u << VMT_SPOT_TITLE);
	assert_non_null(spot);
	assert_ptr_equal(spot->field, FIELD(rss_bytes));
	spot = vmt_canvas_at(&s.canvas, 4, 19, 1u << VMT_SPOT_ROW);
	assert_non_null(spot);
	assert_ptr_equal(spot->row, &procs[0]);
	assert_null(vmt_canvas_at(&s.canvas, 6, 19, 1u << VMT_SPOT_ROW));
	teardown(&s);
}

static void test_moving(void **state)
{
	struct vmt_proc procs[20];
	struct scene s;
	size_t i, n;

	for (i = 0; i < 20; i++)
		procs[i] = proc(i + 1, 0, "u", 1000 - i, "c");
	setup(&s, 7, 40, procs, 20);
	draw(&s);
	assert_int_equal(selected(&s), 1);
	act(&s, VMT_ACTION_UP);
	assert_int_equal(selected(&s), 1);
	act(&s, VMT_ACTION_DOWN);
	assert_int_equal(selected(&s), 2);
	act(&s, VMT_ACTION_PAGE_DOWN);
	assert_int_equal(selected(&s), 7);
	draw(&s);
	assert_state(&s, "filter: none   sort: RSS v", "2-7 of 20");
	act(&s, VMT_ACTION_HALF_DOWN);
	assert_int_equal(selected(&s), 10);
	act(&s, VMT_ACTION_HALF_UP);
	assert_int_equal(selected(&s), 7);
	act(&s, VMT_ACTION_END);
	assert_int_equal(selected(&s), 20);
	draw(&s);
	assert_state(&s, "filter: none   sort: RSS v", "15-20 of 20");
	assert_int_equal(((const struct vmt_proc *)vmt_table_visible(s.table, &n)[0])->pid, 15);
	assert_int_equal(n, 6);
	act(&s, VMT_ACTION_DOWN);
	assert_int_equal(selected(&s), 20);
	act(&s, VMT_ACTION_PAGE_UP);
	assert_int_equal(selected(&s), 15);
	act(&s, VMT_ACTION_HOME);
	assert_int_equal(selected(&s), 1);
	draw(&s);
	assert_state(&s, "filter: none   sort: RSS v", "1-6 of 20");
	vmt_table_select(s.table, &procs[12]);
	assert_int_equal(selected(&s), 13);
	draw(&s);
	assert_state(&s, "filter: none   sort: RSS v", "8-13 of 20");
	teardown(&s);
}

/* Its row is its own: others come, go, and change places. */
static void test_selection_stays(void **state)
{
	struct vmt_proc before[5], after[5];
	struct scene s;

	five(before);
	setup(&s, 4, 40, before, 5);
	draw(&s);
	/* Nobody chose one yet: the first row is selected, whichever it is. */
	five(after);
	VMT_SET(proc, rss_bytes, &after[4], 900 << 10);
	assert_int_equal(vmt_table_rows(&ui, s.table, after, 5), 0);
	assert_int_equal(selected(&s), 400);
	assert_int_equal(vmt_table_rows(&ui, s.table, before, 5), 0);
	act(&s, VMT_ACTION_DOWN);
	assert_int_equal(selected(&s), 30);
	/* The rows before it go, another one comes to the top. */
	after[1] = proc(2, 1, "u", 5000, "new");
	memset(before, 0x5a, sizeof(before));
	assert_int_equal(vmt_table_rows(&ui, s.table, after, 5), 0);
	assert_int_equal(selected(&s), 30);
	/* A process with its number, and another start, is another process. */
	VMT_SET(proc, start_time_ns, &after[2], 777);
	VMT_SET(proc, rss_bytes, &after[2], 1);
	assert_int_equal(vmt_table_rows(&ui, s.table, after, 5), 0);
	assert_int_not_equal(selected(&s), 30);
	/* No rows at all, and rows again. */
	assert_int_equal(vmt_table_rows(&ui, s.table, NULL, 0), 0);
	assert_null(vmt_table_selected(s.table));
	draw(&s);
	assert_state(&s, "filter: none   sort: RSS v", "0-0 of 0");
	five(before);
	assert_int_equal(vmt_table_rows(&ui, s.table, before, 5), 0);
	assert_non_null(vmt_table_selected(s.table));
	teardown(&s);
}

static void test_follow(void **state)
{
	struct vmt_proc procs[20];
	struct scene s;
	size_t i, n;

	for (i = 0; i < 20; i++)
		procs[i] = proc(i + 1, 0, "u", 1000 - i, "c");
	setup(&s, 6, 40, procs, 20);
	draw(&s);
	act(&s, VMT_ACTION_DOWN);
	draw(&s);
	/* Not followed, it may leave the screen. */
	VMT_SET(proc, rss_bytes, &procs[1], 1);
	assert_int_equal(vmt_table_rows(&ui, s.table, procs, 20), 0);
	draw(&s);
	assert_int_equal(selected(&s), 2);
	assert_state(&s, "filter: none   sort: RSS v", "1-5 of 20");
	/* Followed, it is on the screen; at once, and wherever it goes, on its line. */
	act(&s, VMT_ACTION_FOLLOW);
	draw(&s);
	assert_state(&s, "filter: none   sort: RSS v   follow", "16-20 of 20");
	VMT_SET(proc, rss_bytes, &procs[1], 990 << 10);
	assert_int_equal(vmt_table_rows(&ui, s.table, procs, 20), 0);
	draw(&s);
	assert_ptr_equal(vmt_table_visible(s.table, &n)[4], &procs[1]);
	/* No rows were read, as while another screen is shown: nothing is known of it. */
	assert_int_equal(vmt_table_rows(&ui, s.table, NULL, 0), 0);
	assert_int_equal(vmt_table_rows(&ui, s.table, procs, 20), 0);
	draw(&s);
	assert_int_equal(selected(&s), 2);
	assert_string_equal(ui.said, "the selected row stays in sight");
	/* It ends, and that is said. */
	assert_int_equal(vmt_table_rows(&ui, s.table, procs + 2, 18), 0);
	assert_string_equal(ui.said, "what was followed is gone");
	draw(&s);
	assert_state(&s, "filter: none   sort: RSS v", "6-10 of 18");
	teardown(&s);
}

static void assert_order(const struct scene *s, const char *want)
{
	VMT_AUTO_BUF have = { 0 };
	size_t i, n;
	const void *const *rows = vmt_table_visible(s->table, &n);

	vmt_buf_adds(&have, "");
	for (i = 0; i < n; i++)
		vmt_buf_addf(&have, "%s%u", i ? " " : "",
			     (unsigned)((const struct vmt_proc *)rows[i])->pid);
	assert_string_equal(have.data, want);
}

static void test_sort(void **state)
{
	struct vmt_proc procs[5];
	VMT_AUTO_BUF spec = { 0 };
	struct vmt_err err = { 0 };
	struct scene s;

	five(procs);
	VMT_UNSET(proc, rss_bytes, &procs[1]);
	setup(&s, 10, 40, procs, 5);
	draw(&s);
	/* What is unknown comes last, either way. */
	assert_order(&s, "30 31 1 400 20");
	act(&s, VMT_ACTION_INVERT);
	assert_order(&s, "400 1 30 31 20");
	act(&s, VMT_ACTION_SORT_PREV);
	assert_state(&s, "filter: none   sort: USER ^", "1-5 of 5");
	/* Of one user, the order of the def: by rss, then by pid. */
	assert_order(&s, "1 400 30 20 31");
	act(&s, VMT_ACTION_INVERT);
	assert_order(&s, "31 30 20 1 400");
	act(&s, VMT_ACTION_SORT_PREV);
	assert_state(&s, "filter: none   sort: PID ^", "1-5 of 5");
	assert_order(&s, "1 20 30 31 400");
	act(&s, VMT_ACTION_SORT_PREV);
	assert_state(&s, "filter: none   sort: COMMAND ^", "1-5 of 5");
	assert_order(&s, "20 400 31 30 1");
	act(&s, VMT_ACTION_SORT_NEXT);
	assert_order(&s, "1 20 30 31 400");
	assert_int_equal(vmt_table_sort(&ui, s.table, "user,-pid", &err), 0);
	assert_order(&s, "400 1 30 20 31");
	vmt_table_sort_text(s.table, &spec);
	assert_string_equal(spec.data, "USER,-PID");
	assert_int_equal(vmt_table_sort(&ui, s.table, "nothing", &err), -EINVAL);
	assert_string_equal(err.text, "no column 'nothing'");
	assert_order(&s, "400 1 30 20 31");
	assert_int_equal(vmt_table_sort(&ui, s.table, "pid,pid,pid,pid,pid", &err), -EINVAL);
	/* The order of the source. */
	assert_int_equal(vmt_table_sort(&ui, s.table, "", &err), 0);
	assert_order(&s, "1 20 30 31 400");
	teardown(&s);
}

/* Against the comparison of the field table, with ties, signs and unknown values. */
static void test_sort_many(void **state)
{
	static const unsigned fields[] = { VMT_FIELD_proc_rss_bytes, VMT_FIELD_proc_comm,
					   VMT_FIELD_proc_rss_delta_bytes };
	static const char *const names[] = { "rss", "command", "rss-delta" };
	enum { N = 3000 };
	struct vmt_proc *procs = calloc(N, sizeof(*procs));
	static char comms[N][16];
	const void *const *rows;
	uint32_t seed = 12345;
	struct scene s;
	size_t i, k, n;

	assert_non_null(procs);
	for (i = 0; i < N; i++) {
		seed = seed * 1664525 + 1013904223;
		snprintf(comms[i], sizeof(comms[i]), "longprefix%u", seed >> 20);
		procs[i] = proc(i + 1, 0, "u", seed >> 24, comms[i]);
		VMT_SET(proc, rss_delta_bytes, &procs[i], (int64_t)(seed >> 22) - 512);
		if (seed >> 16 & 1)
			VMT_UNSET(proc, rss_bytes, &procs[i]);
		if (seed >> 17 & 1)
			VMT_UNSET(proc, rss_delta_bytes, &procs[i]);
	}
	setup(&s, N + 1, 40, procs, N);
	for (k = 0; k < 2 * VMT_ARRAY_LEN(fields); k++) {
		const struct vmt_field *f = &vmt_entity_proc.fields[fields[k / 2]];
		char spec[32];

		snprintf(spec, sizeof(spec), "%s%s", k % 2 ? "-" : "", names[k / 2]);
		assert_int_equal(vmt_table_sort(&ui, s.table, spec, NULL), 0);
		draw(&s);
		rows = vmt_table_visible(s.table, &n);
		assert_int_equal(n, N);
		for (i = 1; i < n; i++) {
			int c = vmt_field_compare(f, rows[i - 1], rows[i], k % 2);

			/* Of equals the first of the model is the first. */
			assert_true(c < 0 ||
				    (c == 0 && (const char *)rows[i - 1] < (const char *)rows[i]));
		}
	}
	teardown(&s);
	free(procs);
}

static void test_search(void **state)
{
	struct vmt_proc procs[5];
	struct scene s;

	five(procs);
	setup(&s, 7, 40, procs, 5);
	draw(&s);
	assert_true(vmt_table_search(&ui, s.table, "PHP"));
	assert_int_equal(selected(&s), 30);
	act(&s, VMT_ACTION_SEARCH_NEXT);
	assert_int_equal(selected(&s), 31);
	assert_string_equal(ui.said, "");
	act(&s, VMT_ACTION_SEARCH_NEXT);
	assert_int_equal(selected(&s), 30);
	assert_string_equal(ui.said, "search goes on from the begin");
	ui.said[0] = 0;
	act(&s, VMT_ACTION_SEARCH_PREV);
	assert_int_equal(selected(&s), 31);
	assert_string_equal(ui.said, "search goes on from the end");
	/* It is seen where it is. */
	draw(&s);
	assert_int_equal(s.canvas.cells[2 * 40 + 29].style, VMT_STYLE_FOUND);
	assert_int_equal(s.canvas.cells[2 * 40 + 31].style, VMT_STYLE_FOUND);
	assert_int_equal(s.canvas.cells[2 * 40 + 32].style, VMT_STYLE_NORMAL);
	/* Of a process id its begin. */
	assert_true(vmt_table_search(&ui, s.table, "40"));
	assert_int_equal(selected(&s), 400);
	assert_false(vmt_table_search(&ui, s.table, "00"));
	assert_string_equal(ui.said, "not found: 00");
	assert_int_equal(selected(&s), 400);
	assert_false(vmt_table_search(&ui, s.table, ""));
	assert_string_equal(vmt_table_search_text(s.table), "");
	act(&s, VMT_ACTION_SEARCH_NEXT);
	assert_string_equal(ui.said, "nothing was searched for");
	assert_int_equal(vmt_table_rows(&ui, s.table, NULL, 0), 0);
	assert_false(vmt_table_search(&ui, s.table, "x"));
	act(&s, VMT_ACTION_SEARCH_NEXT);
	act(&s, VMT_ACTION_SEARCH_PREV);
	teardown(&s);
}

static void test_filter(void **state)
{
	static const struct {
		const char *text;
		const char *order;
	} cases[] = {
		{ "php", "30 31" },
		{ "PHP cache", "31" },
		{ "\"php w\"", "30" },
		{ "\"php w", "30" },
		{ "\"cache php\"", "" },
		{ "user:root", "1 400" },
		{ "USER:www php", "30 31" },
		{ "pid:30,400", "30 400" },
		{ "~^(php|cron)", "30 31 400" },
		{ "user:root ~O", "1 400" },
		{ "=rss>=20K && user=www", "20 30" },
		{ "no:such", "" },
		{ "400", "" },
		{ "   ", "20 30 31 1 400" },
		{ "", "20 30 31 1 400" },
	};
	static const struct {
		const char *text;
		const char *why;
	} wrong[] = {
		{ "pid:1x", "no number: as 42, or 1,42 for a list" },
		{ "pid:", "no number: as 42, or 1,42 for a list" },
		{ "=", "filter, character 1: it ends too early" },
		{ "=rss>", "filter, character 5: no value" },
	};
	struct vmt_proc procs[5];
	struct vmt_err err = { 0 };
	struct scene s;
	char *text;
	size_t i;

	five(procs);
	setup(&s, 7, 40, procs, 5);
	draw(&s);
	for (i = 0; i < VMT_ARRAY_LEN(cases); i++) {
		assert_int_equal(vmt_table_filter(&ui, s.table, cases[i].text, &err), 0);
		assert_string_equal(vmt_table_filter_text(s.table), cases[i].text);
		assert_order(&s, cases[i].order);
	}
	assert_int_equal(vmt_table_filter(&ui, s.table, "php", &err), 0);
	assert_state(&s, "filter: php   sort: RSS v", "1-2 of 2/5");
	for (i = 0; i < VMT_ARRAY_LEN(wrong); i++) {
		assert_int_equal(vmt_table_filter(&ui, s.table, wrong[i].text, &err), -EINVAL);
		assert_string_equal(err.text, wrong[i].why);
	}
	assert_int_equal(vmt_table_filter(&ui, s.table, "~(", &err), -EINVAL);
	assert_order(&s, "30 31");
	/* New rows pass through it as well. */
	procs[0] = proc(1, 0, "root", 8, "php");
	assert_int_equal(vmt_table_rows(&ui, s.table, procs, 5), 0);
	draw(&s);
	assert_order(&s, "30 31 1");
	assert_int_equal(vmt_table_filter(&ui, s.table, "nobody", &err), 0);
	assert_string_equal(draw(&s), "    PID USER      RSS   ANON COMMAND\n"
				      " no row passes the filter\n\n\n\n\n\n");
	text = calloc(1, VMT_FILTER_MAX + 2);
	assert_non_null(text);
	memset(text, 'x', VMT_FILTER_MAX + 1);
	assert_int_equal(vmt_table_filter(&ui, s.table, text, &err), -E2BIG);
	free(text);
	teardown(&s);
}

static void test_tree(void **state)
{
	struct vmt_proc procs[5];
	struct scene s;

	five(procs);
	setup(&s, 6, 40, procs, 5);
	act(&s, VMT_ACTION_TREE);
	assert_string_equal(draw(&s), "    PID USER      RSS   ANON COMMAND\n"
				      ">     1 root       8K      - systemd\n"
				      "     20 www       76K      - |- apache\n"
				      "     30 www       20K      -   |- php w~\n"
				      "     31 www-d~    20K      -   `- php C~\n"
				      "    400 root       4K      - `- cron\n");
	/* Without the rows between, those below stand alone. */
	assert_int_equal(vmt_table_filter(&ui, s.table, "php", NULL), 0);
	draw(&s);
	assert_order(&s, "30 31");
	assert_int_equal(vmt_table_filter(&ui, s.table, "", NULL), 0);
	/* Rows of different moments can make a circle; none is lost. */
	VMT_SET(proc, ppid, &procs[0], 31);
	VMT_SET(proc, ppid, &procs[4], 400);
	assert_int_equal(vmt_table_rows(&ui, s.table, procs, 5), 0);
	assert_int_equal(vmt_table_shown(s.table), 5);
	act(&s, VMT_ACTION_TREE);
	draw(&s);
	assert_order(&s, "20 30 31 1 400");
	teardown(&s);
}

static void test_mouse(void **state)
{
	struct vmt_ui_event event = { .key = VMT_KEY_CLICK, .y = 3, .x = 20 };
	struct vmt_proc procs[20];
	struct scene s;
	bool done;
	size_t i;

	for (i = 0; i < 20; i++)
		procs[i] = proc(i + 1, 0, "u", 1000 - i, "c");
	setup(&s, 6, 40, procs, 20);
	draw(&s);
	assert_int_equal(vmt_table_mouse(&ui, s.table, &event, &done), VMT_UI_DRAW);
	assert_true(done);
	assert_int_equal(selected(&s), 3);
	/* The heading of RSS: it is sorted by that, so the other way round; then PID. */
	event.y = 0;
	assert_int_equal(vmt_table_mouse(&ui, s.table, &event, &done), VMT_UI_SAMPLE);
	draw(&s);
	assert_order(&s, "20 19 18 17 16");
	event.x = 5;
	assert_int_equal(vmt_table_mouse(&ui, s.table, &event, &done), VMT_UI_SAMPLE);
	draw(&s);
	assert_order(&s, "1 2 3 4 5");
	/* The wheel moves what is seen and not what is selected. */
	event.key = VMT_KEY_WHEEL_DOWN;
	vmt_table_mouse(&ui, s.table, &event, &done);
	draw(&s);
	assert_order(&s, "4 5 6 7 8");
	assert_int_equal(selected(&s), 3);
	for (i = 0; i < 10; i++)
		vmt_table_mouse(&ui, s.table, &event, &done);
	draw(&s);
	assert_order(&s, "16 17 18 19 20");
	event.key = VMT_KEY_WHEEL_UP;
	for (i = 0; i < 10; i++)
		vmt_table_mouse(&ui, s.table, &event, &done);
	draw(&s);
	assert_order(&s, "1 2 3 4 5");
	/* Elsewhere is nothing. */
	event = (struct vmt_ui_event){ .key = VMT_KEY_CLICK, .y = 6, .x = 1 };
	vmt_table_mouse(&ui, s.table, &event, &done);
	assert_false(done);
	teardown(&s);
}

static size_t choice_of(const struct vmt_table *t, const char *title)
{
	size_t i;

	for (i = 0; i < vmt_table_choices(t); i++)
		if (strcmp(vmt_table_choice(t, i).title, title) == 0)
			return i;
	fail_msg("no choice %s", title);
	return 0;
}

static void test_choices(void **state)
{
	struct vmt_proc procs[5];
	struct vmt_err err = { 0 };
	VMT_AUTO_BUF text = { 0 };
	struct vmt_want want = { 0 };
	struct scene s;
	size_t i;

	five(procs);
	setup(&s, 2, 50, procs, 5);
	assert_int_equal(vmt_table_choices(s.table), vmt_entity_proc.n_fields);
	for (i = 0; i < vmt_table_choices(s.table); i++)
		vmt_table_choose(s.table, i, true);
	draw(&s);
	vmt_table_choose_default(s.table);
	vmt_table_choose(s.table, choice_of(s.table, "USER"), false);
	vmt_table_choose(s.table, choice_of(s.table, "PSS"), true);
	assert_true(vmt_table_choice(s.table, choice_of(s.table, "RSS")).sorted);
	assert_string_equal(draw(&s), "    PID    RSS   ANON   PSS COMMAND\n"
				      ">    20    76K      -     - apache\n");
	/* What is seen is what has to be read. */
	vmt_table_want(s.table, &want);
	assert_true(want.need & VMT_SOURCE_BIT(ROLLUP));
	vmt_table_columns_text(s.table, &text);
	assert_string_equal(text.data, "pid,rss_bytes,anonymous_bytes,pss_bytes,comm");
	assert_int_equal(vmt_table_columns(s.table, "pid,user", &err), 0);
	assert_string_equal(draw(&s), "    PID USER\n>    20 www\n");
	assert_int_equal(vmt_table_columns(s.table, "PID,User", &err), 0);
	assert_string_equal(draw(&s), "    PID USER\n>    20 www\n");
	assert_int_equal(vmt_table_columns(s.table, "+ppid", &err), 0);
	assert_string_equal(draw(&s), "    PID USER         PPID\n>    20 www             1\n");
	assert_int_equal(vmt_table_columns(s.table,
					   "pid,us\x1b"
					   "er",
					   &err),
			 -EINVAL);
	assert_string_equal(err.text, "no column 'us\\x1ber'");
	assert_int_equal(vmt_table_columns(s.table, text.data, &err), 0);
	assert_string_equal(draw(&s), "    PID    RSS   ANON   PSS COMMAND\n"
				      ">    20    76K      -     - apache\n");
	/* Sizes in another unit have columns of another width. */
	ui.unit = VMT_SIZE_KIB;
	assert_string_equal(draw(&s), "    PID          RSS          PSS COMMAND\n"
				      ">    20           76            - apache\n");
	ui.unit = VMT_SIZE_HUMAN;
	teardown(&s);
}

static int use_table(void *arg)
{
	static const enum vmt_action actions[] = {
		VMT_ACTION_DOWN,	VMT_ACTION_FOLLOW, VMT_ACTION_SORT_NEXT, VMT_ACTION_INVERT,
		VMT_ACTION_SEARCH_NEXT, VMT_ACTION_TREE,   VMT_ACTION_UP,
	};
	struct vmt_proc procs[5];
	struct vmt_canvas c = { .ascii = true };
	struct vmt_table *t = NULL;
	bool done;
	size_t i;
	int r;

	five(procs);
	r = vmt_canvas_resize(&c, 10, 60);
	if (r == 0)
		r = vmt_table_new(&def, &t);
	if (r == 0)
		r = vmt_table_rows(&ui, t, procs, 5);
	if (t && c.cells) {
		struct vmt_area area = { .height = 10, .width = 60 };

		vmt_table_draw(&ui, t, &c, area);
		vmt_table_search(&ui, t, "php");
		for (i = 0; i < VMT_ARRAY_LEN(actions); i++) {
			vmt_table_action(&ui, t, actions[i], &done);
			vmt_table_draw(&ui, t, &c, area);
		}
		if (r == 0)
			r = vmt_table_filter(&ui, t, "user:www \"a b\" ~c", NULL);
		if (r == 0)
			r = vmt_table_filter(&ui, t, "=rss>1 && comm~a", NULL);
		if (r == 0)
			r = vmt_table_rows(&ui, t, procs, 3);
		vmt_table_draw(&ui, t, &c, area);
		if (r == 0)
			r = c.error;
	}
	vmt_table_free(t);
	vmt_canvas_done(&c);
	return r;
}

/* Whatever fails, the table goes on with what there is. */
static void test_memory(void **state)
{
	assert_true(unit_alloc_sweep(use_table, NULL) > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_columns),	  cmocka_unit_test(test_scroll),
		cmocka_unit_test(test_edge),	  cmocka_unit_test(test_spots),
		cmocka_unit_test(test_moving),	  cmocka_unit_test(test_selection_stays),
		cmocka_unit_test(test_follow),	  cmocka_unit_test(test_sort),
		cmocka_unit_test(test_sort_many), cmocka_unit_test(test_search),
		cmocka_unit_test(test_filter),	  cmocka_unit_test(test_tree),
		cmocka_unit_test(test_mouse),	  cmocka_unit_test(test_choices),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
