/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "cmd/ui/ui.h"
#include "model/fault-raw.h"
#include "model/page-cells.h"
#include "model/strip.h"

/* The screens of mappings and of pages: samples in, screens out. */

#define PAGE	UINT64_C(4096)
#define HEAP	UINT64_C(0x55550000000)
#define FILE_AT UINT64_C(0x7f0000000000)
#define GUARD	UINT64_C(0x7f1000000000)

struct scene {
	struct vmt_map maps[3];
	struct vmt_proc_maps pm;
	struct vmt_proc proc;
	struct vmt_strip strip;
	const struct vmt_strip *strips[1];
	struct vmt_page_cell cells[64];
	struct vmt_page_cells pages;
	struct vmt_sample sample;
	struct vmt_model model;
	struct vmt_ui *ui;
	struct vmt_canvas canvas;
	struct vmt_buf text;
};

static struct vmt_map map_of(uint64_t start, uint64_t pages, const char *perms, const char *kind,
			     const char *path)
{
	struct vmt_map m = { 0 };

	VMT_SET(map, start, &m, start);
	VMT_SET(map, end, &m, start + pages * PAGE);
	VMT_SET(map, perms, &m, vmt_bytes_of(perms));
	VMT_SET(map, kind, &m, vmt_bytes_of(kind));
	VMT_SET(map, path, &m, vmt_bytes_of(path));
	VMT_SET(map, offset_bytes, &m, 0);
	VMT_SET(map, device, &m, vmt_bytes_of("08:01"));
	VMT_SET(map, inode, &m, *path == '/' ? 77 : 0);
	VMT_SET(map, size_bytes, &m, pages * PAGE);
	return m;
}

static void new_model(struct scene *s)
{
	assert_int_equal(vmt_ui_model(s->ui, &s->model, 0), 0);
}

static void setup(struct scene *s, enum vmt_screen_id screen, unsigned height, unsigned width)
{
	const struct vmt_ui_opts opts = {
		.screen = screen,
		.proc = { .pid = 42 },
		.interval_ns = 1000000000,
		.ascii = true,
		.live = true,
		.version = "0",
	};

	memset(s, 0, sizeof(*s));
	s->canvas.ascii = true;
	s->maps[0] = map_of(HEAP, 24, "rw-p", "heap", "[heap]");
	VMT_SET(map, rss_bytes, &s->maps[0], 13 * PAGE);
	VMT_SET(map, dirty_bytes, &s->maps[0], 13 * PAGE);
	VMT_SET(map, present_pages, &s->maps[0], 13);
	s->maps[1] = map_of(FILE_AT, 256, "r-xp", "file", "/usr/lib/lib\x1b.so");
	VMT_SET(map, rss_bytes, &s->maps[1], 64 * PAGE);
	/* Nothing is known of what it has. */
	s->maps[2] = map_of(GUARD, 1, "---p", "anon", "");
	s->pm = (struct vmt_proc_maps){ .maps = s->maps, .n_maps = 3, .state = VMT_STATE_OK };
	VMT_SET(proc, pid, &s->proc, 42);
	VMT_SET(proc, start_time_ns, &s->proc, 4711);
	VMT_SET(proc, class, &s->proc, vmt_bytes_of("user"));
	VMT_SET(proc, comm, &s->proc, vmt_bytes_of("victim"));
	VMT_SET(proc, rss_bytes, &s->proc, 77 * PAGE);
	VMT_SET(proc, maps_total, &s->proc, 3);
	vmt_strip_begin(&s->strip, HEAP, s->maps[0].end, PAGE, 12);
	s->strip.known = s->strip.end;
	vmt_strip_add(&s->strip, HEAP, 12, false);
	vmt_strip_add(&s->strip, HEAP + 14 * PAGE, 1, false);
	vmt_strip_add(&s->strip, HEAP + 22 * PAGE, 2, true);
	s->strips[0] = &s->strip;
	s->sample.host.page_size = PAGE;
	s->sample.procs = &s->proc;
	s->sample.n_procs = 1;
	s->sample.maps = &s->pm;
	s->sample.strips = s->strips;
	s->sample.n_strips = 1;
	s->model.sample = &s->sample;
	s->model.procs = &s->proc;
	s->model.n_procs = 1;
	assert_int_equal(vmt_ui_new(&opts, &s->ui, NULL), 0);
	assert_int_equal(vmt_canvas_resize(&s->canvas, height, width), 0);
}

/* 24 pages of the heap: 12 dirty, 2 absent, 1 clean, 7 absent, 2 swapped. */
static void add_pages(struct scene *s, uint64_t cell_pages)
{
	s->pages = (struct vmt_page_cells){
		.pid = 42,
		.start_time_ns = 4711,
		.map = &s->maps[0],
		.start = HEAP,
		.end = s->maps[0].end,
		.page_size = PAGE,
		.from = HEAP,
		.cell_pages = cell_pages,
		.cells = s->cells,
		.n_cells = 24 / cell_pages,
	};
	vmt_page_cells_begin(&s->pages);
	vmt_page_cells_add(&s->pages, HEAP, 12, VMT_PAGE_KIND_DIRTY, true);
	vmt_page_cells_add(&s->pages, HEAP + 14 * PAGE, 1, VMT_PAGE_KIND_CLEAN, false);
	vmt_page_cells_add(&s->pages, HEAP + 22 * PAGE, 2, VMT_PAGE_KIND_SWAPPED, false);
	s->pages.known = s->pages.end;
	s->sample.page_cells = &s->pages;
}

static void teardown(struct scene *s)
{
	vmt_ui_free(s->ui);
	vmt_canvas_done(&s->canvas);
	vmt_buf_done(&s->text);
}

static const char *draw(struct scene *s)
{
	assert_int_equal(vmt_ui_draw(s->ui, &s->canvas), 0);
	vmt_buf_clear(&s->text);
	vmt_canvas_text(&s->canvas, &s->text);
	assert_int_equal(vmt_buf_error(&s->text), 0);
	return s->text.data;
}

static void assert_has(struct scene *s, const char *want)
{
	if (!strstr(draw(s), want))
		fail_msg("no '%s' in\n%s", want, s->text.data);
}

static void assert_has_not(struct scene *s, const char *what)
{
	if (strstr(draw(s), what))
		fail_msg("'%s' in\n%s", what, s->text.data);
}

static enum vmt_ui_act press(struct scene *s, uint32_t key)
{
	return vmt_ui_event(s->ui, &(struct vmt_ui_event){ .key = key });
}

static struct vmt_ui_want want(struct scene *s)
{
	struct vmt_ui_want w;

	vmt_ui_wants(s->ui, &w);
	return w;
}

static void test_mappings(void **state)
{
	struct scene s;

	(void)state;
	setup(&s, VMT_SCREEN_VMAS, 24, 80);
	new_model(&s);
	assert_has(&s, "PID 42 victim  RSS  308K  PSS     -  VIRT     -  3 VMAs");
	/* What has most of it first; an escape of a name does not reach the terminal. Where nobody
	 * could look at pages, it is known how many there are. */
	assert_has(&s, "7f0000000000 r-xp    1M  256K     -  [###         ]     - "
		       ">/usr/lib/lib\\x1b.so\n"
		       "055550000000 rw-p   96K   52K   52K  [######.=...s]     -  [heap]\n"
		       "7f1000000000 ---p    4K     -     -  [-           ]     -  [anon]\n");
	teardown(&s);
}

static void test_old_values_are_marked(void **state)
{
	struct scene s;

	(void)state;
	setup(&s, VMT_SCREEN_VMAS, 24, 80);
	new_model(&s);
	assert_has_not(&s, "~");
	s.pm.age_ns = 1;
	new_model(&s);
	assert_has(&s, "055550000000 rw-p  ~96K  ~52K  ~52K  [");
	/* What is not known is not old. */
	assert_has(&s, "7f1000000000 ---p   ~4K     -     -  [");
	teardown(&s);
}

static void test_part_of_a_strip(void **state)
{
	struct scene s;

	(void)state;
	setup(&s, VMT_SCREEN_VMAS, 24, 80);
	s.strip.known = HEAP + 12 * PAGE;
	new_model(&s);
	assert_has(&s, "[######      ]");
	teardown(&s);
}

static void test_what_is_wanted(void **state)
{
	struct vmt_ui_want w;
	struct scene s;

	(void)state;
	setup(&s, VMT_SCREEN_VMAS, 24, 80);
	w = want(&s);
	assert_int_equal(w.maps.pid, 42);
	assert_int_equal(w.n_strips, 0);
	assert_false(w.procs);
	new_model(&s);
	draw(&s);
	w = want(&s);
	assert_int_equal(w.n_strips, 3);
	assert_true(w.strips[0] == FILE_AT && w.strips[1] == HEAP && w.strips[2] == GUARD);
	assert_int_equal(w.strip_cells, 12);
	assert_int_equal(vmt_canvas_resize(&s.canvas, 50, 160), 0);
	draw(&s);
	assert_int_equal(want(&s).strip_cells, 36);
	teardown(&s);
}

static void test_nobody_was_named(void **state)
{
	struct vmt_ui_want w;
	struct scene s;

	(void)state;
	setup(&s, VMT_SCREEN_VMAS, 24, 80);
	vmt_ui_free(s.ui);
	assert_int_equal(vmt_ui_new(&(struct vmt_ui_opts){ .screen = VMT_SCREEN_VMAS,
							   .live = true,
							   .ascii = true },
				    &s.ui, NULL),
			 0);
	w = want(&s);
	assert_int_equal(w.maps.pid, 0);
	assert_true(w.procs);
	/* The one whose mappings came stays. */
	new_model(&s);
	assert_has(&s, "PID 42 victim");
	w = want(&s);
	assert_int_equal(w.maps.pid, 42);
	assert_true(w.maps.start_time_ns == 4711);
	assert_false(w.procs);
	teardown(&s);
}

static void test_why_there_is_nothing(void **state)
{
	struct scene s;

	(void)state;
	setup(&s, VMT_SCREEN_VMAS, 24, 80);
	s.pm.n_maps = 0;
	VMT_SET(proc, read_status, &s.proc, vmt_bytes_of("denied"));
	new_model(&s);
	assert_has(&s, "its mappings cannot be read: denied (! says why)");
	VMT_SET(proc, class, &s.proc, vmt_bytes_of("kernel"));
	assert_has(&s, "a kernel thread: it has no memory of its own");
	s.model.n_procs = s.sample.n_procs = 0;
	new_model(&s);
	assert_has(&s, "process 42 is not there\n");
	teardown(&s);
}

static void test_it_ends_while_it_is_watched(void **state)
{
	struct scene s;

	(void)state;
	setup(&s, VMT_SCREEN_VMAS, 24, 80);
	new_model(&s);
	draw(&s);
	/* Somebody else has its number now. */
	VMT_SET(proc, start_time_ns, &s.proc, 4712);
	press(&s, VMT_KEY_DOWN);
	press(&s, VMT_KEY_ENTER);
	press(&s, VMT_KEY_ESC);
	press(&s, 'm');
	s.model.n_procs = s.sample.n_procs = 0;
	s.sample.maps = NULL;
	new_model(&s);
	assert_has(&s, "process 42 is not there any more");
	assert_int_equal(want(&s).maps.pid, 42);
	teardown(&s);
}

static void test_the_selection_waits(void **state)
{
	struct vmt_ui_subject at;
	struct scene s;

	(void)state;
	setup(&s, VMT_SCREEN_VMAS, 24, 80);
	new_model(&s);
	draw(&s);
	press(&s, VMT_KEY_DOWN);
	draw(&s);
	at = vmt_ui_subject(s.ui);
	assert_true(at.start == HEAP && at.proc.pid == 42);
	/* On another screen mappings are not read. */
	press(&s, '1');
	s.sample.maps = NULL;
	new_model(&s);
	draw(&s);
	press(&s, '3');
	s.sample.maps = &s.pm;
	new_model(&s);
	assert_has(&s, " >[heap]");
	teardown(&s);
}

static void test_another_process(void **state)
{
	struct scene s;

	(void)state;
	setup(&s, VMT_SCREEN_VMAS, 24, 80);
	new_model(&s);
	press(&s, VMT_KEY_END);
	assert_has(&s, " >[anon]");
	/* Opened for another one, it begins at the begin. */
	vmt_ui_free(s.ui);
	assert_int_equal(vmt_ui_new(&(struct vmt_ui_opts){ .screen = VMT_SCREEN_PROCS,
							   .live = true,
							   .ascii = true },
				    &s.ui, NULL),
			 0);
	new_model(&s);
	draw(&s);
	press(&s, VMT_KEY_ENTER);
	new_model(&s);
	press(&s, VMT_KEY_END);
	draw(&s);
	press(&s, VMT_KEY_ESC);
	VMT_SET(proc, pid, &s.proc, 43);
	new_model(&s);
	draw(&s);
	press(&s, VMT_KEY_ENTER);
	new_model(&s);
	assert_has(&s, "PID 43 victim");
	assert_has(&s, " >/usr/lib/lib");
	teardown(&s);
}

static void test_groups(void **state)
{
	struct scene s;

	(void)state;
	setup(&s, VMT_SCREEN_VMAS, 24, 80);
	s.maps[2] = map_of(GUARD, 4, "rw-p", "file", "/usr/lib/lib\x1b.so");
	VMT_SET(map, rss_bytes, &s.maps[2], PAGE);
	new_model(&s);
	draw(&s);
	press(&s, 't');
	assert_has(&s, "FILE OR MEMORY");
	assert_has(&s, "2  1.02M   260K");
	press(&s, VMT_KEY_DOWN);
	assert_int_equal(press(&s, VMT_KEY_ENTER), VMT_UI_DRAW);
	assert_has(&s, " >[heap]");
	teardown(&s);
}

static void test_rates(void **state)
{
	/* Of 100 seconds. */
	struct vmt_fault_sample counted = { .window_ns = UINT64_C(100000000000) };
	struct vmt_fault rows[2] = { 0 };
	struct scene s;

	(void)state;
	setup(&s, VMT_SCREEN_VMAS, 24, 80);
	VMT_SET(fault, pid, &rows[0], 42);
	VMT_SET(fault, start, &rows[0], HEAP);
	VMT_SET(fault, faults_total, &rows[0], 25000000);
	VMT_SET(fault, pid, &rows[1], 42);
	VMT_SET(fault, start, &rows[1], FILE_AT);
	VMT_SET(fault, faults_total, &rows[1], 3);
	s.sample.faults = &counted;
	s.model.has_probe = true;
	VMT_SET(probe, window_ns, &s.model.probe, counted.window_ns);
	s.model.faults = rows;
	s.model.n_faults = 2;
	new_model(&s);
	/* A lot has room too, and a little is not nothing. */
	assert_has(&s, "[######.=...s]  250k  [heap]\n");
	assert_has(&s, "[###         ]  0.03 >/usr/lib/lib\\x1b.so\n");
	assert_has(&s, "[-           ]     0  [anon]\n");
	assert_has(&s, " faults/s 0.03  served as ");
	press(&s, VMT_KEY_DOWN);
	assert_has(&s, " faults/s 250000  served as ");
	teardown(&s);
}

static struct vmt_cached_file cached_of(uint64_t inode, uint64_t pages, const char *path)
{
	struct vmt_cached_file f = { 0 };

	VMT_SET(cached_file, device, &f, VMT_BYTES("08:01"));
	VMT_SET(cached_file, inode, &f, inode);
	VMT_SET(cached_file, cached_bytes, &f, pages * PAGE);
	VMT_SET(cached_file, path, &f, vmt_bytes_of(path));
	return f;
}

static void test_the_cached_file(void **state)
{
	struct vmt_cached_file files[] = { cached_of(5, 900, "/usr/bin/large"),
					   cached_of(77, 3, "/usr/lib/lib.so"),
					   cached_of(78, 2, "/usr/lib/small.so") };
	const char *key;
	struct scene s;

	(void)state;
	setup(&s, VMT_SCREEN_VMAS, 24, 80);
	new_model(&s);
	draw(&s);
	assert_int_equal(press(&s, 'c'), VMT_UI_SAMPLE);
	assert_int_equal(want(&s).screen, VMT_SCREEN_CACHE);
	/* There are no rows yet. */
	new_model(&s);
	s.model.cached_files = files;
	s.model.n_cached_files = VMT_ARRAY_LEN(files);
	new_model(&s);
	assert_has(&s, "\n>   12K ");
	/* From then on the user selects. */
	press(&s, VMT_KEY_DOWN);
	new_model(&s);
	assert_has(&s, ">    8K");
	press(&s, 'c');
	assert_has(&s, "no file is selected");
	/* The same from its groups, and from its pages. */
	press(&s, VMT_KEY_ESC);
	press(&s, 't');
	draw(&s);
	press(&s, 'c');
	new_model(&s);
	assert_has(&s, ">   12K");
	press(&s, VMT_KEY_ESC);
	press(&s, 't');
	press(&s, VMT_KEY_ENTER);
	add_pages(&s, 1);
	s.pages.map = &s.maps[1];
	new_model(&s);
	files[1].inode = 79;
	press(&s, 'c');
	new_model(&s);
	assert_has(&s, "the file is not in the page cache's list");
	/* It is in the list, and not to be seen. */
	for (key = "\\small\r"; *key; key++)
		press(&s, *key == '\r' ? VMT_KEY_ENTER : (uint32_t)*key);
	press(&s, VMT_KEY_ESC);
	files[1].inode = 77;
	new_model(&s);
	press(&s, 'c');
	new_model(&s);
	assert_has(&s, "the file does not pass the filter");
	teardown(&s);
}

static void test_pages(void **state)
{
	struct vmt_ui_want w;
	struct scene s;

	(void)state;
	setup(&s, VMT_SCREEN_VMAS, 24, 80);
	new_model(&s);
	draw(&s);
	press(&s, VMT_KEY_DOWN);
	assert_int_equal(press(&s, VMT_KEY_ENTER), VMT_UI_SAMPLE);
	w = want(&s);
	assert_int_equal(w.screen, VMT_SCREEN_PAGES);
	assert_true(w.pages.start == HEAP && w.pages.proc.pid == 42);
	assert_int_equal(w.page_cells, 0);
	add_pages(&s, 1);
	s.pages.told_apart = true;
	new_model(&s);
	assert_has(&s, "055550000000 DDDDDDDDDDDD..o.......ss\n");
	assert_has(&s, "cell = 1 page (4K)\n[heap]  resident 13/24 pages (54%)");
	assert_has(&s, "o clean");
	w = want(&s);
	assert_true(w.pages_from == HEAP && w.cell_pages == 1 && w.page_cells == 64 * 18);
	/* What flags would tell apart is not called clean. */
	s.pages.told_apart = false;
	assert_has(&s, "o resident");
	press(&s, VMT_KEY_ESC);
	assert_int_equal(want(&s).screen, VMT_SCREEN_VMAS);
	teardown(&s);
}

static void assert_cursor(struct scene *s, uint64_t page)
{
	assert_true(vmt_ui_subject(s->ui).address == HEAP + page * PAGE);
}

static void test_cursor(void **state)
{
	struct scene s;

	(void)state;
	setup(&s, VMT_SCREEN_PAGES, 24, 80);
	add_pages(&s, 1);
	new_model(&s);
	draw(&s);
	assert_cursor(&s, 0);
	press(&s, 'n');
	assert_cursor(&s, 12);
	press(&s, 'n');
	assert_cursor(&s, 14);
	press(&s, 'N');
	assert_cursor(&s, 13);
	press(&s, VMT_KEY_END);
	assert_cursor(&s, 23);
	press(&s, VMT_KEY_RIGHT);
	press(&s, VMT_KEY_DOWN);
	assert_cursor(&s, 23);
	assert_int_equal(press(&s, 'n'), VMT_UI_DRAW);
	assert_has(&s, "no other state up to the end of the mapping");
	press(&s, VMT_KEY_LEFT);
	assert_cursor(&s, 22);
	press(&s, VMT_KEY_HOME);
	press(&s, VMT_KEY_UP);
	assert_cursor(&s, 0);
	/* It grew at both ends: the cursor is where it was. */
	press(&s, 'n');
	s.maps[0].start -= PAGE;
	s.maps[0].end += 8 * PAGE;
	s.pages.start -= PAGE;
	s.pages.end += 8 * PAGE;
	new_model(&s);
	draw(&s);
	assert_cursor(&s, 12);
	teardown(&s);
}

static void test_zoom(void **state)
{
	struct vmt_ui_want w;
	struct scene s;

	(void)state;
	setup(&s, VMT_SCREEN_PAGES, 12, 40);
	/* 16 cells a line and 8 lines. */
	s.maps[0] = map_of(HEAP, 1 << 18, "rw-p", "heap", "[heap]");
	add_pages(&s, 1);
	s.pages.end = s.maps[0].end;
	new_model(&s);
	draw(&s);
	w = want(&s);
	assert_int_equal(w.page_cells, 16 * 8);
	assert_int_equal(w.cell_pages, 2048);
	press(&s, '-');
	assert_int_equal(want(&s).cell_pages, 2048);
	assert_int_equal(press(&s, '+'), VMT_UI_DRAW);
	assert_int_equal(want(&s).cell_pages, 1024);
	press(&s, VMT_KEY_END);
	w = want(&s);
	assert_true(w.pages_from > HEAP && w.pages.address >= w.pages_from);
	assert_true(w.pages_from + w.page_cells * 1024 * PAGE >= s.maps[0].end);
	while (want(&s).cell_pages > 1)
		assert_int_equal(press(&s, '+'), VMT_UI_DRAW);
	assert_int_equal(press(&s, '+'), VMT_UI_DRAW);
	draw(&s);
	teardown(&s);
}

static void test_finer_cells_are_added_up(void **state)
{
	struct scene s;

	(void)state;
	setup(&s, VMT_SCREEN_PAGES, 24, 80);
	add_pages(&s, 1);
	/* As a first sample does, which does not know the screen. */
	s.maps[0].end = s.pages.end = HEAP + 64 * 18 * 2 * PAGE;
	s.pages.known = HEAP + 24 * PAGE;
	s.pages.n_cells = 24;
	new_model(&s);
	assert_has(&s, "055550000000 DDDDDD.o...s\n");
	/* Coarser ones say nothing of finer ones. */
	s.pages.cell_pages = 4;
	new_model(&s);
	assert_has(&s, "055550000000\n");
	teardown(&s);
}

static void test_no_pagemap(void **state)
{
	struct scene s;

	(void)state;
	setup(&s, VMT_SCREEN_PAGES, 24, 80);
	s.pages = (struct vmt_page_cells){ .pid = 42,
					   .map = &s.maps[1],
					   .start = FILE_AT,
					   .end = s.maps[1].end,
					   .page_size = PAGE,
					   .from = FILE_AT,
					   .known = FILE_AT,
					   .error = -ENOENT };
	s.sample.page_cells = &s.pages;
	new_model(&s);
	assert_has(&s, "resident 64/256 pages (25%)");
	assert_has(&s, "pages cannot be looked at: there is no pagemap");
	s.pages.map = NULL;
	new_model(&s);
	assert_has(&s, "the mapping is not there any more");
	s.pm.n_maps = 0;
	VMT_SET(proc, read_status, &s.proc, vmt_bytes_of("denied"));
	new_model(&s);
	assert_has(&s, "its mappings cannot be read: denied");
	s.sample.page_cells = NULL;
	s.model.n_procs = s.sample.n_procs = 0;
	new_model(&s);
	assert_has(&s, "process 42 is not there any more");
	teardown(&s);
}

static void test_any_size(void **state)
{
	static const enum vmt_screen_id screens[] = { VMT_SCREEN_VMAS, VMT_SCREEN_PAGES };
	static const uint32_t keys[] = { VMT_KEY_DOWN, VMT_KEY_ENTER, VMT_KEY_PAGE_DOWN, '+', 'n',
					 VMT_KEY_ESC,  't',	      VMT_KEY_END };
	unsigned height, width, k;
	size_t i;

	(void)state;
	for (i = 0; i < VMT_ARRAY_LEN(screens); i++) {
		struct scene s;

		setup(&s, screens[i], 1, 1);
		add_pages(&s, 1);
		for (height = 1; height < 60; height += 7) {
			for (width = 1; width < 210; width += 13) {
				assert_int_equal(vmt_canvas_resize(&s.canvas, height, width), 0);
				new_model(&s);
				draw(&s);
				for (k = 0; k < VMT_ARRAY_LEN(keys); k++) {
					press(&s, keys[k]);
					draw(&s);
				}
			}
		}
		teardown(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mappings),
		cmocka_unit_test(test_old_values_are_marked),
		cmocka_unit_test(test_part_of_a_strip),
		cmocka_unit_test(test_what_is_wanted),
		cmocka_unit_test(test_nobody_was_named),
		cmocka_unit_test(test_why_there_is_nothing),
		cmocka_unit_test(test_it_ends_while_it_is_watched),
		cmocka_unit_test(test_the_selection_waits),
		cmocka_unit_test(test_another_process),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_the_cached_file),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_cursor),
		cmocka_unit_test(test_zoom),
		cmocka_unit_test(test_finer_cells_are_added_up),
		cmocka_unit_test(test_no_pagemap),
		cmocka_unit_test(test_any_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
