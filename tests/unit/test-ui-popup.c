/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <locale.h>
#include <stdlib.h>

#include "cmd/ui/popup-kinds.h"
#include "model/cache.h"

/* The dashboard with a machine of three cached files, shown by the Cache screen. */
struct scene {
	struct vmt_sample *sample;
	struct vmt_model *model;
	struct vmt_ui *ui;
	struct vmt_canvas canvas;
	struct vmt_buf text;
};

static void add_file(struct vmt_sample *s, uint64_t inode, uint64_t cached, const char *path)
{
	struct vmt_cached_file *f = vmt_cache_sample_add(&s->cache);

	assert_non_null(f);
	VMT_SET(cached_file, device, f, VMT_BYTES("fe:01"));
	VMT_SET(cached_file, inode, f, inode);
	VMT_SET(cached_file, cached_bytes, f, cached);
	VMT_SET(cached_file, path, f, vmt_bytes_of(path));
}

static void setup(struct scene *s, unsigned height, unsigned width)
{
	const struct vmt_ui_opts opts = { .screen = VMT_SCREEN_CACHE,
					  .interval_ns = UINT64_C(1000000000),
					  .ascii = true,
					  .live = true };
	const struct vmt_model_opts usual = { 0 };

	*s = (struct scene){ .canvas = { .ascii = true } };
	s->sample = vmt_sample_new();
	assert_non_null(s->sample);
	s->sample->host.page_size = 4096;
	s->sample->host.realtime_ns = UINT64_C(1763685504) * 1000000000;
	s->sample->host.took_ns = 12345678;
	s->sample->cache.asked = true;
	add_file(s->sample, 1, 4 << 20, "/usr/lib/libc.so.6");
	add_file(s->sample, 2, 12 << 20, "/srv/data/table.bin");
	add_file(s->sample, 3, 8192, "/etc/passwd");
	s->sample->sources[VMT_SOURCE_CACHESTAT] = (struct vmt_source_stat){
		.state = VMT_STATE_DENIED,
		.reads = 3,
		.bytes = 4096,
		.cpu_ns = 1500,
		.longest_ns = 900,
		.reason = "files of others may not be asked",
		.fix = "setcap cap_fowner+ep vmtop",
	};
	assert_int_equal(vmt_model_build(s->sample, NULL, &usual, &s->model, NULL), 0);
	assert_int_equal(vmt_ui_new(&opts, &s->ui, NULL), 0);
	assert_int_equal(vmt_ui_model(s->ui, s->model, 0), 0);
	assert_int_equal(vmt_canvas_resize(&s->canvas, height, width), 0);
	assert_int_equal(vmt_ui_draw(s->ui, &s->canvas), 0);
}

static void teardown(struct scene *s)
{
	vmt_ui_free(s->ui);
	vmt_model_free(s->model);
	vmt_sample_free(s->sample);
	vmt_canvas_done(&s->canvas);
	vmt_buf_done(&s->text);
}

static enum vmt_ui_act press(struct scene *s, uint32_t key)
{
	enum vmt_ui_act act = vmt_ui_event(s->ui, &(struct vmt_ui_event){ .key = key });

	assert_int_equal(vmt_ui_draw(s->ui, &s->canvas), 0);
	return act;
}

static void type(struct scene *s, const char *text)
{
	for (; *text; text++)
		press(s, (uint8_t)*text);
}

static void paste(struct scene *s, uint32_t code)
{
	vmt_ui_event(s->ui, &(struct vmt_ui_event){ .key = VMT_KEY_PASTE, .pasted = code });
}

static const char *screen(struct scene *s)
{
	vmt_buf_clear(&s->text);
	vmt_canvas_text(&s->canvas, &s->text);
	return s->text.data;
}

/* One line of the screen, blanks at its end left out. */
static const char *line(struct scene *s, unsigned y)
{
	char *at = s->text.data, *end;

	screen(s);
	at = s->text.data;
	while (y--)
		at = strchr(at, '\n') + 1;
	end = strchr(at, '\n');
	*end = 0;
	return at;
}

static void assert_sees(struct scene *s, const char *text)
{
	if (!strstr(screen(s), text))
		fail_msg("no '%s' in\n%s", text, s->text.data);
}

static void assert_sees_not(struct scene *s, const char *text)
{
	if (strstr(screen(s), text))
		fail_msg("'%s' in\n%s", text, s->text.data);
}

static const char *selected_path(struct scene *s)
{
	const struct vmt_cached_file *f = vmt_table_selected(vmt_popup_table(s->ui));

	return f ? f->path.ptr : "";
}

static void test_line(void **state)
{
	struct vmt_line l;
	bool changed;
	size_t i;

#define KEY(k) assert_true(vmt_line_event(&l, &(struct vmt_ui_event){ .key = (k) }, &changed))
	vmt_line_set(&l, "a\xc3\xa4\xff\x1b[b\xe2\x82\xac\n");
	assert_string_equal(l.text, "a\xc3\xa4[b\xe2\x82\xac");
	KEY(VMT_KEY_BACKSPACE);
	assert_true(changed);
	assert_string_equal(l.text, "a\xc3\xa4[b");
	KEY(VMT_KEY_HOME);
	assert_false(changed);
	KEY(VMT_KEY_RIGHT);
	KEY(VMT_KEY_DELETE);
	assert_string_equal(l.text, "a[b");
	KEY(0x1f600);
	assert_string_equal(l.text, "a\xf0\x9f\x98\x80[b");
	KEY(VMT_KEY_LEFT);
	KEY('x');
	assert_string_equal(l.text, "ax\xf0\x9f\x98\x80[b");
	KEY('E' & 0x1f);
	KEY(' ');
	KEY('c');
	KEY('W' & 0x1f);
	assert_string_equal(l.text, "ax\xf0\x9f\x98\x80[b ");
	KEY('A' & 0x1f);
	KEY(VMT_KEY_RIGHT);
	KEY('K' & 0x1f);
	assert_string_equal(l.text, "a");
	KEY('U' & 0x1f);
	assert_string_equal(l.text, "");
	KEY(VMT_KEY_BACKSPACE);
	KEY(VMT_KEY_DELETE);
	assert_false(changed);
	assert_false(vmt_line_event(&l, &(struct vmt_ui_event){ .key = VMT_KEY_F1 }, &changed));
	assert_false(vmt_line_event(&l, &(struct vmt_ui_event){ .key = VMT_KEY_TAB }, &changed));
	/* It has an end, and does not break a character there. */
	for (i = 0; i < 1000000; i++)
		vmt_line_event(&l,
			       &(struct vmt_ui_event){ .key = VMT_KEY_PASTE,
						       .pasted = (uint32_t)(i * 7919 % 0x120000) },
			       &changed);
	assert_true(l.len > VMT_LINE_BYTES - 5 && l.len < VMT_LINE_BYTES);
	assert_int_equal(strlen(l.text), l.len);
	for (i = 0; i < l.len;) {
		uint32_t code = 0;
		size_t n = vmt_utf8_take((struct vmt_bytes){ l.text + i, l.len - i }, &code);

		assert_true(n > 0);
		assert_false(vmt_fmt_is_unsafe(code));
		i += n;
	}
#undef KEY
}

static void test_line_draw(void **state)
{
	VMT_AUTO_CANVAS c = { .ascii = false };
	VMT_AUTO_BUF text = { 0 };
	struct vmt_line l;

	assert_int_equal(vmt_canvas_resize(&c, 1, 12), 0);
	vmt_line_set(&l, "abcdefghijklmnop");
	assert_int_equal(vmt_line_draw(&l, &c, 0, 0, 12, "/"), 11);
	vmt_canvas_text(&c, &text);
	assert_string_equal(text.data, "/ghijklmnop\n");
	assert_int_equal(c.cells[11].style, VMT_STYLE_CURSOR);
	l.at = 0;
	vmt_line_draw(&l, &c, 0, 0, 12, "/");
	vmt_buf_clear(&text);
	vmt_canvas_text(&c, &text);
	assert_string_equal(text.data, "/abcdefghi\u2026\n");
	assert_int_equal(c.cells[1].style, VMT_STYLE_CURSOR);
	/* Wide characters, of which a half has no room. */
	vmt_line_set(&l, "\u6f22\u5b57\u6f22\u5b57\u6f22\u5b57");
	vmt_line_draw(&l, &c, 0, 0, 12, "/");
	assert_int_equal(c.cells[11].style, VMT_STYLE_CURSOR);
	for (unsigned width = 0; width < 12; width++)
		vmt_line_draw(&l, &c, 0, 0, width, "delay: ");
}

static void test_sheet(void **state)
{
	VMT_AUTO_SHEET s;
	static const char *const want[] = { "one two three", "  four", "  fivesixseven",
					    "  eight" };
	size_t i;

	vmt_sheet_init(&s, 14, true);
	vmt_sheet_add(&s, VMT_STYLE_NORMAL, 2, VMT_BYTES("one two three four fivesixseveneight"));
	assert_int_equal(s.n, 4);
	for (i = 0; i < 4; i++)
		assert_string_equal(s.lines[i].text, want[i]);
	vmt_sheet_add(&s, VMT_STYLE_NORMAL, 2, VMT_BYTES(""));
	vmt_sheet_add(&s, VMT_STYLE_NORMAL, 20, VMT_BYTES("a\033[1mb"));
	assert_int_equal(s.n, 6);
	assert_string_equal(s.lines[4].text, "");
	assert_string_equal(s.lines[5].text, "a\\x1b[1mb");
	assert_int_equal(s.error, 0);
}

static void test_help(void **state)
{
	struct scene s;
	size_t i, seen;

	setup(&s, 24, 80);
	assert_int_equal(press(&s, VMT_KEY_F1), VMT_UI_DRAW);
	assert_non_null(s.ui->popup);
	assert_sees(&s, "Cache: files in the page cache");
	/* Every action that has a key is there, somewhere. */
	for (i = 1; i < VMT_ACTION_COUNT; i++) {
		if (!vmt_actions[i].name || !vmt_action_key((enum vmt_action)i))
			continue;
		press(&s, VMT_KEY_HOME);
		for (seen = 0; seen < 20; seen++) {
			if (strstr(screen(&s), vmt_actions[i].help))
				break;
			press(&s, VMT_KEY_PAGE_DOWN);
		}
		if (seen == 20)
			fail_msg("help has no '%s'", vmt_actions[i].help);
	}
	/* Pasted text is no key. */
	paste(&s, 'q');
	assert_non_null(s.ui->popup);
	press(&s, VMT_KEY_ESC);
	assert_null(s.ui->popup);
	/* Esc closed that alone. */
	assert_int_equal(s.ui->n_views, 1);
	teardown(&s);
}

static void test_warnings(void **state)
{
	struct scene s;

	setup(&s, 30, 100);
	press(&s, '!');
	assert_sees(&s, "cachestat (cachestat(2), mincore(2)): denied: files of others");
	assert_sees(&s, "fix: setcap cap_fowner+ep vmtop");
	press(&s, '!');
	assert_null(s.ui->popup);
	/* Before anything was read. */
	s.ui->model = NULL;
	press(&s, '!');
	assert_sees(&s, "Nothing was read yet.");
	s.ui->model = s.model;
	teardown(&s);
}

static void test_search(void **state)
{
	struct scene s;

	setup(&s, 12, 80);
	assert_string_equal(selected_path(&s), "/srv/data/table.bin");
	type(&s, "/LIBC");
	assert_string_equal(line(&s, 11), "/LIBC");
	assert_string_equal(selected_path(&s), "/usr/lib/libc.so.6");
	type(&s, "x");
	assert_string_equal(line(&s, 11), "/LIBCx  not found: LIBCx");
	press(&s, VMT_KEY_BACKSPACE);
	press(&s, VMT_KEY_ENTER);
	assert_null(s.ui->popup);
	assert_string_equal(vmt_table_search_text(vmt_popup_table(s.ui)), "LIBC");
	/* Keys that are commands elsewhere are text here. */
	type(&s, "/q");
	assert_non_null(s.ui->popup);
	press(&s, VMT_KEY_ESC);
	assert_null(s.ui->popup);
	assert_string_equal(vmt_table_search_text(vmt_popup_table(s.ui)), "");
	teardown(&s);
}

static void test_filter(void **state)
{
	struct vmt_table *t;
	struct scene s;

	setup(&s, 12, 80);
	t = vmt_popup_table(s.ui);
	type(&s, "\\etc");
	assert_int_equal(vmt_table_shown(t), 1);
	assert_sees_not(&s, "libc");
	press(&s, VMT_KEY_ENTER);
	assert_string_equal(vmt_table_filter_text(t), "etc");
	/* What is being typed is tried at once; what is wrong is said, and the last good one stays.
	 */
	press(&s, VMT_KEY_F1 + 3);
	assert_string_equal(line(&s, 11), "\\etc");
	type(&s, "x");
	assert_int_equal(vmt_table_shown(t), 0);
	press(&s, 'U' & 0x1f);
	assert_int_equal(vmt_table_shown(t), 3);
	type(&s, "=cached>");
	assert_sees(&s, "filter, character 8: no value");
	assert_int_equal(press(&s, VMT_KEY_ENTER), VMT_UI_DRAW);
	assert_non_null(s.ui->popup);
	type(&s, "1M");
	assert_int_equal(vmt_table_shown(t), 2);
	/* Esc: as it was. */
	press(&s, VMT_KEY_ESC);
	assert_string_equal(vmt_table_filter_text(t), "etc");
	assert_int_equal(vmt_table_shown(t), 1);
	/* A line that is pasted is text to its end, and no Enter. */
	type(&s, "\\");
	press(&s, 'U' & 0x1f);
	paste(&s, 'l');
	paste(&s, '\r');
	paste(&s, '\n');
	paste(&s, 0x1b);
	paste(&s, 'i');
	assert_non_null(s.ui->popup);
	assert_string_equal(vmt_table_filter_text(t), "li");
	teardown(&s);
}

static void test_delay(void **state)
{
	struct scene s;

	setup(&s, 12, 80);
	press(&s, 'd');
	assert_string_equal(line(&s, 11), "delay: 1.0");
	press(&s, 'U' & 0x1f);
	type(&s, "61");
	press(&s, VMT_KEY_ENTER);
	assert_string_equal(line(&s, 11), "delay: 61  0.1 to 60 seconds: as 2, 0.5, 500ms");
	press(&s, 'U' & 0x1f);
	type(&s, "500ms");
	assert_int_equal(press(&s, VMT_KEY_ENTER), VMT_UI_SAMPLE);
	assert_int_equal(s.ui->interval_ns, 500000000);
	press(&s, 'd');
	press(&s, VMT_KEY_ESC);
	assert_int_equal(s.ui->interval_ns, 500000000);
	teardown(&s);
}

static void test_palette(void **state)
{
	struct vmt_table *t;
	struct scene s;

	setup(&s, 24, 80);
	t = vmt_popup_table(s.ui);
	/* Tab: what all have in common, then the one at the cursor. */
	type(&s, ":sor");
	press(&s, VMT_KEY_TAB);
	assert_string_equal(line(&s, 23), ":sort");
	type(&s, "-");
	assert_sees(&s, ">sort-previous    <");
	press(&s, VMT_KEY_DOWN);
	assert_sees(&s, ">sort-next        >");
	press(&s, VMT_KEY_TAB);
	assert_string_equal(line(&s, 23), ":sort-next");
	press(&s, VMT_KEY_ENTER);
	assert_null(s.ui->popup);
	/* A name is taken whole before one that begins so. */
	type(&s, ":sort");
	press(&s, VMT_KEY_ENTER);
	assert_non_null(s.ui->popup);
	assert_sees(&s, "choose the column to sort by");
	press(&s, VMT_KEY_ESC);
	type(&s, ":sort file");
	assert_int_equal(press(&s, VMT_KEY_ENTER), VMT_UI_SAMPLE);
	assert_string_equal(selected_path(&s), "/etc/passwd");
	type(&s, ":sort nothing");
	press(&s, VMT_KEY_ENTER);
	assert_sees(&s, "no column 'nothing'");
	press(&s, VMT_KEY_ESC);
	type(&s, ":filter libc");
	press(&s, VMT_KEY_ENTER);
	assert_int_equal(vmt_table_shown(t), 1);
	type(&s, ":unit kib");
	press(&s, VMT_KEY_ENTER);
	assert_int_equal(s.ui->unit, VMT_SIZE_KIB);
	type(&s, ":delay 2");
	press(&s, VMT_KEY_ENTER);
	assert_int_equal(s.ui->interval_ns, UINT64_C(2000000000));
	type(&s, ":columns path,inode");
	press(&s, VMT_KEY_ENTER);
	assert_sees_not(&s, "CACHED");
	type(&s, ":quit all");
	press(&s, VMT_KEY_ENTER);
	assert_sees(&s, "nothing can follow quit");
	press(&s, VMT_KEY_ESC);
	type(&s, ":nonsense");
	press(&s, VMT_KEY_ENTER);
	assert_sees(&s, "nothing is called so");
	press(&s, VMT_KEY_ESC);
	type(&s, ":quit-all");
	assert_int_equal(press(&s, VMT_KEY_ENTER), VMT_UI_QUIT);
	teardown(&s);
}

static void test_menus(void **state)
{
	struct vmt_ui_event click = { .key = VMT_KEY_CLICK };
	struct vmt_table *t;
	const struct vmt_popup *p;
	struct scene s;

	setup(&s, 24, 80);
	t = vmt_popup_table(s.ui);
	press(&s, 'u');
	assert_sees(&s, ">(*) auto");
	press(&s, 'j');
	press(&s, VMT_KEY_ENTER);
	assert_int_equal(s.ui->unit, VMT_SIZE_BYTES);
	/* Sorting, by what is chosen; where it is sorted by that already, the other way round. */
	press(&s, VMT_KEY_F1 + 5);
	assert_sees(&s, ">(*) CACHED");
	assert_int_equal(press(&s, VMT_KEY_ENTER), VMT_UI_SAMPLE);
	assert_null(s.ui->popup);
	assert_string_equal(selected_path(&s), "/etc/passwd");
	/* Columns stay until they are closed; the help of a field stands below. */
	press(&s, 'o');
	assert_sees(&s, ">[x] CACHED");
	assert_sees(&s, "pages of it in the page cache");
	press(&s, ' ');
	assert_sees(&s, ">[ ] CACHED");
	press(&s, '0');
	assert_sees(&s, ">[x] CACHED");
	press(&s, VMT_KEY_END);
	press(&s, VMT_KEY_ENTER);
	assert_true(vmt_table_choice(t, vmt_table_choices(t) - 1).on ||
		    vmt_table_choice(t, vmt_table_choices(t) - 2).on);
	press(&s, 'o');
	assert_null(s.ui->popup);
	/* The mouse: a line is chosen, a click beside it closes. */
	press(&s, 'u');
	p = s.ui->popup;
	click.y = p->in.y + VMT_SIZE_MIB;
	click.x = p->in.x;
	vmt_ui_event(s.ui, &click);
	assert_int_equal(s.ui->unit, VMT_SIZE_MIB);
	assert_null(s.ui->popup);
	press(&s, 'u');
	click.y = 0;
	vmt_ui_event(s.ui, &click);
	assert_null(s.ui->popup);
	assert_int_equal(s.ui->unit, VMT_SIZE_MIB);
	teardown(&s);
}

static void test_setup(void **state)
{
	static const char *const lines[] = { "delay    1",	 "unit     auto",
					     "screen   system",	 "mouse    yes",
					     "ascii    no",	 "color    auto",
					     "theme    default", "columns  ...",
					     "sort     -CACHED", "Save" };
	static const char *const next[] = { "unit     bytes", "screen   procs", "mouse    no",
					    "events   no",    "ascii    yes",	"color    always",
					    "theme    light" };
	VMT_AUTO_SETTINGS settings = { 0 };
	struct scene s;
	size_t i;

	setup(&s, 24, 80);
	press(&s, VMT_KEY_F1 + 1);
	for (i = 0; i < VMT_ARRAY_LEN(lines); i++)
		assert_sees(&s, lines[i]);
	for (i = 0; i < VMT_ARRAY_LEN(next); i++) {
		press(&s, VMT_KEY_DOWN);
		assert_int_equal(press(&s, VMT_KEY_ENTER), VMT_UI_DRAW);
		assert_sees(&s, next[i]);
	}
	/* What is saved is what is seen. */
	assert_int_equal(vmt_ui_settings(s.ui, &settings), 0);
	assert_int_equal(settings.unit, VMT_SIZE_BYTES);
	assert_int_equal(settings.screen, VMT_SCREEN_PROCS);
	assert_false(settings.mouse);
	assert_true(settings.ascii);
	assert_int_equal(settings.color, VMT_WHEN_ALWAYS);
	assert_int_equal(settings.theme, VMT_THEME_LIGHT);
	press(&s, VMT_KEY_HOME);
	press(&s, VMT_KEY_ENTER);
	assert_string_equal(line(&s, 23), "delay: 1.0");
	press(&s, VMT_KEY_ESC);
	/* Nothing is written but by this. */
	press(&s, VMT_KEY_F1 + 1);
	press(&s, VMT_KEY_END);
	assert_int_equal(press(&s, VMT_KEY_ENTER), VMT_UI_SAVE);
	assert_null(s.ui->popup);
	teardown(&s);
}

/* Where a screen has no table, what is about tables says so. */
static void test_without_table(void **state)
{
	static const uint32_t keys[] = { '/', '\\', VMT_KEY_F1 + 5, 'o' };
	struct scene s;
	size_t i;

	setup(&s, 24, 80);
	press(&s, '1');
	for (i = 0; i < VMT_ARRAY_LEN(keys); i++) {
		press(&s, keys[i]);
		assert_null(s.ui->popup);
		assert_string_equal(line(&s, 23), "this screen has no table");
	}
	teardown(&s);
}

static void test_explain(void **state)
{
	struct vmt_ui_event click = { .key = VMT_KEY_CLICK };
	struct scene s;
	const struct vmt_spot *spot;
	unsigned y;

	setup(&s, 30, 80);
	press(&s, '?');
	assert_true(s.ui->popup && s.ui->popup->kind == &vmt_popup_explain);
	/* The first value of the selected row. */
	assert_sees(&s, "CACHED of cached_file");
	assert_sees(&s, "value    12582912 bytes = 12.0M = 3072 pages of 4096");
	assert_sees(&s, "is       pages of it in the page cache");
	assert_sees(&s, "source   cachestat: cachestat(2), mincore(2)");
	assert_sees(&s, "fix: setcap cap_fowner+ep vmtop");
	assert_sees(&s, "cost     dear: 3 reads, 4.00K, CPU 1.50us, longest 900ns");
	assert_sees(&s, "age      that of the sample: begun 2025-11-21T00:38:24.000Z, took 12.3ms");
	assert_sees(&s, "or from  inodes:");
	spot = vmt_canvas_at(&s.canvas, s.ui->cursor_y, s.ui->cursor_x, 1u << VMT_SPOT_VALUE);
	assert_non_null(spot);
	assert_int_equal(s.canvas.cells[spot->y * 80 + spot->x].style, VMT_STYLE_CURSOR);
	y = s.ui->cursor_y;
	press(&s, VMT_KEY_DOWN);
	assert_int_equal(s.ui->cursor_y, y + 1);
	assert_sees(&s, "value    4194304 bytes");
	/* What is unknown says why. */
	press(&s, VMT_KEY_RIGHT);
	assert_sees(&s, "SIZE of cached_file");
	assert_sees(&s, "unknown  its source is denied: files of others may not be asked");
	press(&s, VMT_KEY_LEFT);
	assert_sees(&s, "CACHED of cached_file");
	/* From the begin of a line to the end of the one before. */
	press(&s, 'h');
	assert_int_equal(s.ui->cursor_y, y);
	assert_sees(&s, "value    /srv/data/table.bin");
	/* Up to the first line of the screen, and not beyond. */
	for (y = 0; y < 40; y++)
		press(&s, 'k');
	assert_int_equal(s.ui->cursor_y, 1);
	for (y = 0; y < 40; y++)
		press(&s, 'j');
	/* A click on a value, and beside all. */
	click.y = s.ui->cursor_y;
	click.x = s.ui->cursor_x;
	vmt_ui_event(s.ui, &click);
	assert_true(s.ui->popup && s.ui->popup->kind == &vmt_popup_explain);
	/* The screen becomes small: the cursor goes to a value that there is. */
	assert_int_equal(vmt_canvas_resize(&s.canvas, 10, 40), 0);
	assert_int_equal(vmt_ui_draw(s.ui, &s.canvas), 0);
	assert_non_null(
		vmt_canvas_at(&s.canvas, s.ui->cursor_y, s.ui->cursor_x, 1u << VMT_SPOT_VALUE));
	press(&s, '+');
	press(&s, '-');
	press(&s, VMT_KEY_ESC);
	assert_null(s.ui->popup);
	assert_int_equal(s.ui->n_views, 1);
	teardown(&s);
}

/* Every field of every entity has an explanation, known or not. */
static void test_explain_all(void **state)
{
	struct scene s;
	size_t e, i;

	setup(&s, 30, 80);
	for (e = 0; vmt_entities[e]; e++) {
		const struct vmt_entity *entity = vmt_entities[e];
		VMT_AUTO_FREE void *row = calloc(1, entity->row_size);

		assert_non_null(row);
		for (i = 0; i < 2 * entity->n_fields; i++) {
			const struct vmt_field *f = &entity->fields[i / 2];
			struct vmt_spot spot = { .entity = entity, .field = f, .row = row };
			VMT_AUTO_SHEET sheet;

			if (i % 2)
				vmt_row_mark(row, f->index);
			vmt_sheet_init(&sheet, 60, true);
			vmt_explain_sheet(s.ui, &spot, &sheet);
			assert_int_equal(sheet.error, 0);
			assert_true(sheet.n >= 4);
			assert_memory_equal(sheet.lines[0].text, i % 2 ? "value" : "unknown", 5);
		}
	}
	teardown(&s);
}

/* All popups on terminals of all sizes. */
static void test_small(void **state)
{
	static const uint32_t keys[] = { VMT_KEY_F1,	 '!', 'u', 'o', VMT_KEY_F1 + 5,
					 VMT_KEY_F1 + 1, '/', ':', '?', 'd' };
	struct scene s;
	size_t i;
	unsigned height, width;

	setup(&s, 24, 80);
	for (i = 0; i < VMT_ARRAY_LEN(keys); i++) {
		press(&s, keys[i]);
		assert_non_null(s.ui->popup);
		for (height = 0; height < 14; height++)
			for (width = 0; width < 90; width += width < 12 ? 1 : 13) {
				assert_int_equal(vmt_canvas_resize(&s.canvas, height, width), 0);
				assert_int_equal(vmt_ui_draw(s.ui, &s.canvas), 0);
			}
		assert_int_equal(vmt_canvas_resize(&s.canvas, 24, 80), 0);
		assert_int_equal(vmt_ui_draw(s.ui, &s.canvas), 0);
		press(&s, VMT_KEY_ESC);
		assert_null(s.ui->popup);
	}
	teardown(&s);
}

static struct scene shared;

static int use_popups(void *arg)
{
	static const uint32_t keys[] = {
		VMT_KEY_F1,  VMT_KEY_ESC,   '!',	   VMT_KEY_ESC,	   'o',
		'j',	     ' ',	    VMT_KEY_ESC,   VMT_KEY_F1 + 5, VMT_KEY_ENTER,
		'/',	     'l',	    VMT_KEY_ENTER, '\\',	   'a',
		VMT_KEY_ESC, ':',	    's',	   VMT_KEY_TAB,	   VMT_KEY_ESC,
		'?',	     VMT_KEY_RIGHT, VMT_KEY_ESC,
	};
	size_t i;
	int r = 0;

	for (i = 0; i < VMT_ARRAY_LEN(keys); i++) {
		vmt_ui_event(shared.ui, &(struct vmt_ui_event){ .key = keys[i] });
		shared.canvas.error = 0;
		if (vmt_ui_draw(shared.ui, &shared.canvas) < 0)
			r = -ENOMEM;
	}
	/* Where a popup could not be opened, its keys did something else. */
	vmt_popup_close(shared.ui);
	shared.ui->n_views = 1;
	shared.ui->views[0].screen = VMT_SCREEN_CACHE;
	return r;
}

static void test_memory(void **state)
{
	setup(&shared, 24, 80);
	assert_true(unit_alloc_sweep(use_popups, NULL) > 100);
	teardown(&shared);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),	 cmocka_unit_test(test_line_draw),
		cmocka_unit_test(test_sheet),	 cmocka_unit_test(test_help),
		cmocka_unit_test(test_warnings), cmocka_unit_test(test_search),
		cmocka_unit_test(test_filter),	 cmocka_unit_test(test_delay),
		cmocka_unit_test(test_palette),	 cmocka_unit_test(test_menus),
		cmocka_unit_test(test_setup),	 cmocka_unit_test(test_without_table),
		cmocka_unit_test(test_explain),	 cmocka_unit_test(test_explain_all),
		cmocka_unit_test(test_small),	 cmocka_unit_test(test_memory),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
