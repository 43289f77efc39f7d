/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/picture.h"

#include <errno.h>
#include <inttypes.h>

#include "model/map-strips.h"
#include "view/html.h"

/*
 * The address space of a process, from low to high addresses: a strip for each mapping, as high as
 * the logarithm of its size, with its residency in it. What is not mapped between them takes next
 * to no room, and is marked.
 */

/* More are folded: a picture of thousands would be read by nobody. */
#define STRIPS_MOST 120

/* Columns, in tenths of a pixel. */
#define BOX_LEFT    1150
#define BOX_WIDTH   160
#define TRACK_LEFT  (BOX_LEFT + BOX_WIDTH + 30) /* the letter is no part of what is resident */
#define TRACK_RIGHT 4020
#define TRACK_WIDTH (TRACK_RIGHT - TRACK_LEFT)
#define SIZE_RIGHT  4850
#define RSS_RIGHT   5500
#define SWAP_RIGHT  6120
#define PERM_LEFT   6260
#define GROUP_AT    6620
#define NAME_LEFT   6680
#define NAME_CHARS  ((VMT_SVG_WIDTH - NAME_LEFT) / VMT_SVG_MONO)

#define HEAD_ROW  220
#define KEY_WIDTH 1370 /* of an entry of the legend */
#define KEY_ROW	  7 /* entries */

/* A gap of this and more has its size beside it. */
#define GAP_TOLD (UINT64_C(1) << 20)
#define GAP_ROW	 170
#define GAP_THIN 60

static const char *const colours[VMT_MAP_SORTS] = {
	[VMT_MAP_SORT_TEXT] = "blue",	 [VMT_MAP_SORT_RODATA] = "sky",
	[VMT_MAP_SORT_DATA] = "green",	 [VMT_MAP_SORT_HEAP] = "orange",
	[VMT_MAP_SORT_ANON] = "yellow",	 [VMT_MAP_SORT_STACK] = "vermillion",
	[VMT_MAP_SORT_FILE] = "sky",	 [VMT_MAP_SORT_SHARED] = "purple",
	[VMT_MAP_SORT_HUGE] = "purple",	 [VMT_MAP_SORT_JIT] = "vermillion",
	[VMT_MAP_SORT_GUARD] = "none",	 [VMT_MAP_SORT_KERNEL] = "grey",
	[VMT_MAP_SORT_DEVICE] = "grey",	 [VMT_MAP_SORT_IMAGE] = "sky",
	[VMT_MAP_SORT_VARIOUS] = "grey", [VMT_MAP_SORT_UNKNOWN] = "grey",
};

struct strips {
	const struct vmt_map *maps;
	size_t n_maps;
	struct vmt_map_strip *all;
	size_t n;
	struct vmt_arena arena;
};

static void strips_done(struct strips *s)
{
	vmt_arena_done(&s->arena);
}

static const struct vmt_proc_maps *maps_of(const struct vmt_picture_ask *ask)
{
	const struct vmt_sample *s = ask->model->sample;
	const struct vmt_proc *p = vmt_sample_proc(s, ask->pid);

	return p && s->maps ? &s->maps[p - s->procs] : NULL;
}

static int find_strips(struct strips *s, const struct vmt_picture_ask *ask)
{
	const struct vmt_proc_maps *pm = maps_of(ask);

	vmt_arena_init(&s->arena);
	if (!pm)
		return 0;
	s->maps = pm->maps;
	s->n_maps = pm->n_maps;
	return vmt_map_strips(pm->maps, pm->n_maps, STRIPS_MOST, &s->arena, &s->all, &s->n);
}

static bool has(const struct vmt_picture_ask *ask, struct vmt_buf *why)
{
	const struct vmt_proc *p = vmt_sample_proc(ask->model->sample, ask->pid);
	const struct vmt_proc_maps *pm = maps_of(ask);

	if (pm && pm->n_maps)
		return true;
	vmt_buf_addf(why, "process %" PRIu64 ": ", ask->pid);
	if (!p)
		vmt_buf_adds(why, "there is none");
	else if (VMT_HAS(proc, class, p) && !vmt_bytes_is(p->class, "user"))
		vmt_buf_addf(why, "a %.*s has no memory of its own", (int)p->class.len,
			     p->class.ptr);
	else if (VMT_HAS(proc, read_status, p) && !vmt_bytes_is(p->read_status, "ok"))
		vmt_buf_addf(why, "its mappings could not be read: %.*s", (int)p->read_status.len,
			     p->read_status.ptr);
	else
		vmt_buf_adds(why, "it has no mappings");
	return false;
}

/* 10 * log2(v), straight between powers of two. */
static int64_t log2_tenths(uint64_t v)
{
	unsigned bit;

	if (v < 2)
		return 0;
	bit = 63 - (unsigned)__builtin_clzll(v);
	return (int64_t)bit * 10 +
	       (int64_t)((unsigned __int128)(v - (UINT64_C(1) << bit)) * 10 >> bit);
}

/* Of a page 13 pixels, so that a line of text fits; two more each time that it doubles. */
static int64_t height_of(uint64_t bytes)
{
	int64_t more = log2_tenths(bytes) - 120;

	return 130 + (more > 0 ? more * 2 : 0);
}

static int64_t gap_height(uint64_t gap)
{
	if (!gap)
		return 10;
	return gap >= GAP_TOLD ? GAP_ROW : GAP_THIN;
}

/* The name of a strip, or what stands for one; not escaped. Of several the first, and how many. */
static void name_of(struct vmt_buf *out, const struct strips *s, const struct vmt_map_strip *strip)
{
	const struct vmt_map *m = &s->maps[strip->first];

	if (VMT_HAS(map, path, m) && m->path.len)
		vmt_fmt_safe(out, m->path, false);
	else
		vmt_buf_adds(out, "[anon]");
	if (strip->n > 1)
		vmt_buf_addf(out, " +%zu", strip->n - 1);
}

/* Where the first of them has the name of the strip before, it is not said again. */
static bool same_as_before(const struct strips *s, size_t i)
{
	const struct vmt_map *m = &s->maps[s->all[i - 1].first], *k = &s->maps[s->all[i].first];

	return VMT_HAS(map, path, m) && VMT_HAS(map, path, k) && m->path.len &&
	       vmt_bytes_equal(m->path, k->path);
}

static void tooltip(struct vmt_buf *out, const struct strips *s, const struct vmt_map_strip *strip,
		    const struct vmt_picture_ask *ask)
{
	const struct vmt_map *m = &s->maps[strip->first];

	vmt_buf_addf(out, "%" PRIx64 "-%" PRIx64 " ", strip->start, strip->end);
	if (strip->n == 1 && VMT_HAS(map, perms, m)) {
		vmt_fmt_safe(out, m->perms, false);
		vmt_buf_addc(out, ' ');
	}
	if (strip->n == 1 && VMT_HAS(map, role, m))
		vmt_fmt_safe(out, m->role, false);
	else
		vmt_buf_adds(out, vmt_map_sort_name(strip->sort));
	vmt_buf_adds(out, ", ");
	vmt_picture_size(out, ask, strip->size);
	if (strip->has_resident) {
		vmt_buf_adds(out, ", resident ");
		vmt_picture_size(out, ask, strip->resident);
	}
	if (strip->has_swapped) {
		vmt_buf_adds(out, ", swapped ");
		vmt_picture_size(out, ask, strip->swapped);
	}
	vmt_buf_adds(out, ": ");
	name_of(out, s, strip);
}

/* A width that is seen, where there is something. */
static int64_t seen(uint64_t value, uint64_t whole)
{
	int64_t width = vmt_svg_part(value < whole ? value : whole, whole, TRACK_WIDTH);

	return value && width < 10 ? 10 : width;
}

static void draw_box(struct vmt_xml *x, enum vmt_map_sort sort, int64_t left, int64_t top,
		     int64_t height)
{
	char letter = vmt_map_sort_letter(sort);

	vmt_svg_rect(x, colours[sort], left, top, BOX_WIDTH, height, (struct vmt_bytes){ 0 });
	vmt_svg_text(x,
		     sort == VMT_MAP_SORT_TEXT	  ? "m b c paper"
		     : sort == VMT_MAP_SORT_GUARD ? "m b c dim"
						  : "m b c ink",
		     left + BOX_WIDTH / 2, top + height / 2 + 40, (struct vmt_bytes){ &letter, 1 });
}

static void draw_track(struct vmt_xml *x, const struct vmt_map_strip *strip, int64_t top,
		       int64_t height, struct vmt_bytes title)
{
	const char *colour = colours[strip->sort];
	int64_t resident = strip->has_resident ? seen(strip->resident, strip->size) : 0;
	int64_t swapped = strip->has_swapped ? seen(strip->swapped, strip->size) : 0;
	char pale[40];

	snprintf(pale, sizeof(pale), "%s pale", colour);
	if (resident + swapped > TRACK_WIDTH)
		resident = TRACK_WIDTH - swapped;
	vmt_svg_rect(x, strip->has_resident && strip->sort != VMT_MAP_SORT_GUARD ? pale : "edge",
		     TRACK_LEFT, top + 5, TRACK_WIDTH - 5, height - 10, title);
	if (resident > 0)
		vmt_svg_rect(x, colour, TRACK_LEFT, top, resident, height, (struct vmt_bytes){ 0 });
	if (swapped)
		vmt_svg_hatch(x, TRACK_LEFT + resident, top, swapped, height);
}

/* The name, once for all strips beside each other that have it: a line holds them together. */
static void put_name(struct vmt_xml *x, const struct strips *s, size_t i, int64_t top, int64_t y)
{
	const struct vmt_map_strip *strip = &s->all[i];
	const struct vmt_map *m = &s->maps[strip->first];
	int64_t bottom = top + height_of(strip->size);
	bool again = i && same_as_before(s, i);
	VMT_AUTO_BUF text = { 0 }, fit = { 0 };

	if (again)
		vmt_svg_line(x, "rule", GROUP_AT, top - gap_height(strip->gap), GROUP_AT, bottom);
	else if (i + 1 < s->n && same_as_before(s, i + 1))
		vmt_svg_line(x, "rule", GROUP_AT, top, GROUP_AT, bottom);
	if (!again)
		name_of(&text, s, strip);
	else if (strip->n > 1)
		vmt_buf_addf(&text, "+%zu", strip->n - 1);
	vmt_svg_fit(&fit, (struct vmt_bytes){ text.data, text.len }, NAME_CHARS, true);
	vmt_svg_text(x, !again && VMT_HAS(map, path, m) && m->path.len ? "m" : "m dim", NAME_LEFT,
		     y, (struct vmt_bytes){ fit.data, fit.len });
	if (vmt_buf_error(&text) < 0 || vmt_buf_error(&fit) < 0)
		x->out->error = -ENOMEM;
}

static void draw_strip(struct vmt_xml *x, const struct strips *s, size_t i, int64_t top,
		       const struct vmt_picture_ask *ask)
{
	const struct vmt_map_strip *strip = &s->all[i];
	const struct vmt_map *m = &s->maps[strip->first];
	int64_t height = height_of(strip->size), y = top + height / 2 + 40;
	VMT_AUTO_BUF text = { 0 };

	tooltip(&text, s, strip, ask);
	draw_track(x, strip, top, height, (struct vmt_bytes){ text.data, text.len });
	draw_box(x, strip->sort, BOX_LEFT, top, height);
	vmt_buf_next(&text);
	vmt_buf_addf(&text, "%012" PRIx64, strip->start);
	vmt_svg_text(x, "m dim r", BOX_LEFT - 70, y, (struct vmt_bytes){ text.data, text.len });
	vmt_picture_put_size(x, ask, "n r", SIZE_RIGHT, y, true, strip->size);
	vmt_picture_put_size(x, ask, "n r", RSS_RIGHT, y, strip->has_resident, strip->resident);
	if (strip->swapped || !strip->has_swapped)
		vmt_picture_put_size(x, ask, "n r", SWAP_RIGHT, y, strip->has_swapped,
				     strip->swapped);
	if (strip->n == 1 && VMT_HAS(map, perms, m))
		vmt_svg_text(x, "m dim", PERM_LEFT, y, m->perms);
	put_name(x, s, i, top, y);
	if (vmt_buf_error(&text) < 0)
		x->out->error = vmt_buf_error(&text);
}

static void draw_gap(struct vmt_xml *x, const struct vmt_picture_ask *ask, uint64_t gap,
		     int64_t top)
{
	int64_t y = top + gap_height(gap) / 2;
	VMT_AUTO_BUF text = { 0 };

	if (!gap)
		return;
	if (gap < GAP_TOLD) {
		vmt_svg_line(x, "gap", BOX_LEFT, y, TRACK_RIGHT, y);
		return;
	}
	vmt_picture_size(&text, ask, gap);
	vmt_buf_adds(&text, " not mapped");
	vmt_svg_line(x, "gap", BOX_LEFT, y, BOX_LEFT + 750, y);
	vmt_svg_text(x, "n c dim", (BOX_LEFT + TRACK_RIGHT) / 2, y + 40,
		     (struct vmt_bytes){ text.data, text.len });
	vmt_svg_line(x, "gap", TRACK_RIGHT - 750, y, TRACK_RIGHT, y);
	if (vmt_buf_error(&text) < 0)
		x->out->error = vmt_buf_error(&text);
}

/* The sorts that there are, how residency is drawn, and what the heights mean. How much it takes.
 */
static int64_t draw_legend(struct vmt_xml *x, const struct strips *s, int64_t top, bool dry)
{
	static const uint64_t sizes[] = { UINT64_C(1) << 12, UINT64_C(1) << 21, UINT64_C(1) << 30 };
	static const char *const names[] = { "4K", "2M", "1G" };
	bool there[VMT_MAP_SORTS] = { false };
	int64_t y, at, left = VMT_SVG_WIDTH - 1600;
	size_t i, n = 0;

	for (i = 0; i < s->n; i++)
		there[s->all[i].sort] = true;
	for (i = 0; i < VMT_MAP_SORTS; i++) {
		if (!there[i])
			continue;
		y = top + (int64_t)(n / KEY_ROW) * HEAD_ROW;
		at = (int64_t)(n % KEY_ROW) * KEY_WIDTH;
		n++;
		if (dry)
			continue;
		draw_box(x, (enum vmt_map_sort)i, at, y, 160);
		if (i == VMT_MAP_SORT_GUARD)
			vmt_svg_rect(x, "edge", at + 5, y + 5, BOX_WIDTH - 10, 150,
				     (struct vmt_bytes){ 0 });
		vmt_svg_texts(x, "", at + BOX_WIDTH + 70, y + 120,
			      vmt_map_sort_name((enum vmt_map_sort)i));
	}
	y = top + (int64_t)((n + KEY_ROW - 1) / KEY_ROW) * HEAD_ROW + 250;
	if (dry)
		return y + 300 - top;
	/* One strip for all of them. */
	vmt_svg_rect(x, "green", 0, y + 60, 760, 160, (struct vmt_bytes){ 0 });
	vmt_svg_texts(x, "ink c", 380, y + 180, "resident");
	vmt_svg_rect(x, "green pale", 760, y + 60, 1760, 160, (struct vmt_bytes){ 0 });
	vmt_svg_hatch(x, 760, y + 60, 500, 160);
	vmt_svg_texts(x, "dim", 1320, y + 180, "in swap");
	vmt_svg_texts(x, "c", 2200, y + 180, "neither");
	vmt_svg_rect(x, "edge", 2525, y + 65, 790, 150, (struct vmt_bytes){ 0 });
	vmt_svg_texts(x, "c dim", 2920, y + 180, "not known");
	vmt_svg_texts(x, "dim r", left - 150, y + 180, "heights, by the logarithm of the size:");
	for (i = 0; i < VMT_ARRAY_LEN(sizes); i++) {
		int64_t height = height_of(sizes[i]);

		vmt_svg_rect(x, "grey", left, y + 220 - height, 160, height,
			     (struct vmt_bytes){ 0 });
		vmt_svg_texts(x, "dim", left + 230, y + 180, names[i]);
		left += 600;
	}
	return y + 300 - top;
}

static void draw_headings(struct vmt_xml *x, int64_t y)
{
	vmt_svg_texts(x, "dim r", BOX_LEFT - 70, y, "address");
	vmt_svg_texts(x, "dim", BOX_LEFT, y, "residency");
	vmt_svg_texts(x, "dim r", SIZE_RIGHT, y, "size");
	vmt_svg_texts(x, "dim r", RSS_RIGHT, y, "resident");
	vmt_svg_texts(x, "dim r", SWAP_RIGHT, y, "swapped");
	vmt_svg_texts(x, "dim", NAME_LEFT, y, "mapping");
	vmt_svg_line(x, "rule", 0, y + 70, VMT_SVG_WIDTH, y + 70);
}

/* "17 mappings, 5.20M: 1.30M resident, 0B swapped", and whether some are drawn as one. */
static void gist(struct vmt_buf *out, const struct strips *s, const struct vmt_picture_ask *ask)
{
	struct vmt_map_strip sum = { .has_resident = true, .has_swapped = true };
	size_t i;

	for (i = 0; i < s->n; i++) {
		sum.size += s->all[i].size;
		sum.resident += s->all[i].resident;
		sum.swapped += s->all[i].swapped;
		sum.has_resident &= s->all[i].has_resident;
		sum.has_swapped &= s->all[i].has_swapped;
	}
	vmt_buf_addf(out, "%zu mapping%s, ", s->n_maps, s->n_maps == 1 ? "" : "s");
	vmt_picture_size(out, ask, sum.size);
	vmt_buf_adds(out, "; resident ");
	if (sum.has_resident)
		vmt_picture_size(out, ask, sum.resident);
	else
		vmt_buf_adds(out, "-, not known of all");
	vmt_buf_adds(out, ", in swap ");
	if (sum.has_swapped)
		vmt_picture_size(out, ask, sum.swapped);
	else
		vmt_buf_adds(out, "-, not known of all");
	if (s->n < s->n_maps)
		vmt_buf_addf(out,
			     ". Drawn as %zu strips: small ones beside each other are folded, "
			     "those of one sort first",
			     s->n);
}

static void title_of(struct vmt_buf *out, const struct vmt_picture_ask *ask)
{
	const struct vmt_proc *p = vmt_sample_proc(ask->model->sample, ask->pid);

	vmt_buf_adds(out, "Address space of ");
	if (p && VMT_HAS(proc, comm, p)) {
		vmt_fmt_safe(out, p->comm, false);
		vmt_buf_addf(out, " (%" PRIu64 ")", ask->pid);
	} else {
		vmt_buf_addf(out, "process %" PRIu64, ask->pid);
	}
}

static int draw(struct vmt_xml *x, const struct vmt_picture_ask *ask)
{
	VMT_CLEANUP(strips_done) struct strips s = { 0 };
	VMT_AUTO_BUF title = { 0 }, desc = { 0 };
	struct vmt_svg_head head = { .alone = ask->alone };
	int64_t top = ask->alone ? VMT_PICTURE_TITLE : 0, y, legend;
	char id[32];
	size_t i;
	int r = find_strips(&s, ask);

	if (r < 0)
		return r;
	snprintf(id, sizeof(id), "maps-%" PRIu64, ask->pid);
	title_of(&title, ask);
	gist(&desc, &s, ask);
	head.id = id;
	head.title = (struct vmt_bytes){ title.data, title.len };
	head.desc = (struct vmt_bytes){ desc.data, desc.len };
	legend = draw_legend(x, &s, 0, true);
	head.height = top + legend + 400;
	for (i = 0; i < s.n; i++)
		head.height += height_of(s.all[i].size) + (i ? gap_height(s.all[i].gap) : 0);
	vmt_svg_begin(x, &head);
	vmt_picture_title(x, ask, head.title);
	draw_legend(x, &s, top, false);
	draw_headings(x, top + legend + 180);
	y = top + legend + 320;
	for (i = 0; i < s.n; i++) {
		if (i) {
			draw_gap(x, ask, s.all[i].gap, y);
			y += gap_height(s.all[i].gap);
		}
		draw_strip(x, &s, i, y, ask);
		y += height_of(s.all[i].size);
	}
	vmt_svg_end(x);
	return vmt_buf_error(&title) ?: vmt_buf_error(&desc);
}

static void size_cell(struct vmt_xml *x, const struct vmt_picture_ask *ask, bool known, uint64_t v)
{
	VMT_AUTO_BUF text = { 0 };

	if (known)
		vmt_picture_size(&text, ask, v);
	else
		vmt_buf_addc(&text, '-');
	vmt_html_cell(x, false, (struct vmt_bytes){ text.data, text.len });
	if (vmt_buf_error(&text) < 0)
		x->out->error = vmt_buf_error(&text);
}

static int tell(struct vmt_xml *x, const struct vmt_picture_ask *ask)
{
	static const char *const titles[] = { "<ADDRESS", "<END",     "GAP BEFORE", "MAPPINGS",
					      "<ROLE",	  "<PERM",    "SIZE",	    "RESIDENT",
					      "SWAPPED",  "<MAPPING", NULL };
	VMT_CLEANUP(strips_done) struct strips s = { 0 };
	VMT_AUTO_BUF text = { 0 };
	size_t i;
	int r = find_strips(&s, ask);

	if (r < 0)
		return r;
	gist(&text, &s, ask);
	vmt_buf_addc(&text, '.');
	vmt_html_says(x, (struct vmt_bytes){ text.data, text.len });
	vmt_html_table_begin(x, titles);
	for (i = 0; i < s.n; i++) {
		const struct vmt_map_strip *strip = &s.all[i];
		const struct vmt_map *m = &s.maps[strip->first];
		bool one = strip->n == 1;

		vmt_xml_open(x, "tr");
		vmt_buf_next(&text);
		vmt_buf_addf(&text, "%012" PRIx64, strip->start);
		vmt_html_cell(x, true, (struct vmt_bytes){ text.data, text.len });
		vmt_buf_next(&text);
		vmt_buf_addf(&text, "%012" PRIx64, strip->end);
		vmt_html_cell(x, true, (struct vmt_bytes){ text.data, text.len });
		size_cell(x, ask, true, strip->gap);
		vmt_buf_next(&text);
		vmt_buf_addu(&text, strip->n);
		vmt_html_cell(x, false, (struct vmt_bytes){ text.data, text.len });
		vmt_html_cell(x, true,
			      one && VMT_HAS(map, role, m)
				      ? m->role
				      : vmt_bytes_of(vmt_map_sort_name(strip->sort)));
		vmt_html_cell(x, true, one && VMT_HAS(map, perms, m) ? m->perms : VMT_BYTES("-"));
		size_cell(x, ask, true, strip->size);
		size_cell(x, ask, strip->has_resident, strip->resident);
		size_cell(x, ask, strip->has_swapped, strip->swapped);
		vmt_buf_next(&text);
		name_of(&text, &s, strip);
		vmt_html_cell(x, true, (struct vmt_bytes){ text.data, text.len });
		vmt_xml_close(x);
	}
	vmt_html_table_end(x);
	return vmt_buf_error(&text);
}

const struct vmt_picture vmt_picture_maps = {
	.name = "maps",
	.title = "Address space",
	.has = has,
	.draw = draw,
	.tell = tell,
};
