/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/picture.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "model/fault-raw.h"
#include "view/html.h"

/*
 * Faults by stack as a flame graph: the process at the bottom, what it called above it, as wide as
 * the faults that came of it. Beside each other frames stand by name, so that the same functions
 * are one.
 */

#define FRAME	   170 /* from one row to the next */
#define DEPTH_MOST 70 /* frames above the process; what is above them is not drawn */
#define NARROWEST  10 /* tenths of a pixel: what would be less is not drawn */
#define LEGEND	   320
#define FUNCTIONS  30 /* of the table */

/* A stack as one text: the process, then its frames, with ; between. */
struct line {
	const char *text;
	size_t len;
	uint64_t faults;
	uint64_t major;
};

struct flame {
	struct vmt_arena arena;
	struct line *lines; /* by text, a frame of which stands before those that it begins */
	size_t n;
	uint64_t faults;
	uint64_t major;
	uint64_t without; /* of these, with no frame in user mode */
	/* Of the drawing. */
	struct vmt_xml *x;
	int64_t floor; /* of the lowest row */
	size_t deepest;
	uint64_t narrow; /* faults in frames that are not drawn, once for each stack */
	uint64_t deep;
};

static void flame_done(struct flame *f)
{
	vmt_arena_done(&f->arena);
}

static int by_frames(const void *pa, const void *pb)
{
	const struct line *a = pa, *b = pb;
	size_t i, n = a->len < b->len ? a->len : b->len;

	for (i = 0; i < n; i++) {
		/* The end of a frame is before all that may stand in one. */
		int c = a->text[i] == ';' ? -1 : (unsigned char)a->text[i];
		int d = b->text[i] == ';' ? -1 : (unsigned char)b->text[i];

		if (c != d)
			return c < d ? -1 : 1;
	}
	return a->len < b->len ? -1 : a->len > b->len;
}

static int read_lines(struct flame *f, const struct vmt_model *m)
{
	size_t i, k;

	vmt_arena_init(&f->arena);
	f->lines = vmt_arena_alloc(&f->arena, m->n_stacks + 1, sizeof(*f->lines));
	if (!f->lines)
		return -ENOMEM;
	for (i = 0; i < m->n_stacks; i++) {
		const struct vmt_stack *row = &m->stacks[i];
		struct vmt_bytes comm = VMT_HAS(stack, comm, row) ? row->comm
								  : VMT_BYTES("[unknown]");
		struct vmt_bytes stack = VMT_HAS(stack, stack, row) ? row->stack
								    : VMT_BYTES("[unknown]");
		char *text = vmt_arena_alloc(&f->arena, comm.len + stack.len + 1, 1);

		if (!text)
			return -ENOMEM;
		for (k = 0; k < comm.len; k++)
			text[k] = (char)(comm.ptr[k] == ';' ? ':' : comm.ptr[k]);
		text[comm.len] = ';';
		if (stack.len)
			memcpy(text + comm.len + 1, stack.ptr, stack.len);
		f->lines[f->n++] = (struct line){ .text = text,
						  .len = comm.len + stack.len + 1,
						  .faults = row->faults_total,
						  .major = row->major_faults_total };
		f->faults += row->faults_total;
		f->major += row->major_faults_total;
		/* "[no user stack]", "[no stack]", "[stack lost: ...]" */
		if (vmt_bytes_starts(stack, "[no ") || vmt_bytes_starts(stack, "[stack lost"))
			f->without += row->faults_total;
	}
	if (f->n)
		qsort(f->lines, f->n, sizeof(*f->lines), by_frames);
	return 0;
}

/* The length of the frame that begins at a place in a line. */
static size_t frame_at(const struct line *l, size_t at)
{
	const char *end = memchr(l->text + at, ';', l->len - at);

	return end ? (size_t)(end - l->text) - at : l->len - at;
}

/* Lines from first on, below end, that have the same frame at a place; their faults. */
static size_t same_frame(const struct flame *f, size_t first, size_t end, size_t at,
			 uint64_t *ret_faults)
{
	size_t len = frame_at(&f->lines[first], at), i;

	*ret_faults = 0;
	for (i = first; i < end; i++) {
		const struct line *l = &f->lines[i];

		if (l->len < at + len || frame_at(l, at) != len ||
		    memcmp(l->text + at, f->lines[first].text + at, len) != 0)
			break;
		*ret_faults += l->faults;
	}
	return i;
}

static bool ends_with(struct vmt_bytes a, const char *end)
{
	size_t n = strlen(end);

	return a.len >= n && memcmp(a.ptr + a.len - n, end, n) == 0;
}

/* Whether it is a place in a file, or in nothing that is known, and no function. */
static bool is_place(struct vmt_bytes name)
{
	size_t i;

	if (vmt_bytes_starts(name, "["))
		return true;
	for (i = 0; i + 2 < name.len; i++)
		if (name.ptr[i] == '+' && name.ptr[i + 1] == '0' && name.ptr[i + 2] == 'x')
			return true;
	return false;
}

static const char *colour_of(struct vmt_bytes name, size_t depth)
{
	if (depth == 0)
		return "sky cut";
	if (ends_with(name, "_[k]"))
		return "vermillion cut";
	if (ends_with(name, "_[j]"))
		return "yellow cut";
	return is_place(name) ? "grey cut" : "orange cut";
}

static void put_share(struct vmt_buf *out, uint64_t faults, uint64_t all)
{
	uint64_t share = all ? (uint64_t)((unsigned __int128)faults * 1000 / all) : 0;

	vmt_buf_addf(out, "%" PRIu64 " fault%s, %" PRIu64 ".%" PRIu64 "%%", faults,
		     faults == 1 ? "" : "s", share / 10, share % 10);
}

static void put_frame(struct flame *f, struct vmt_bytes name, size_t depth, int64_t left,
		      int64_t width, uint64_t faults)
{
	int64_t top = f->floor - (int64_t)(depth + 1) * FRAME;
	VMT_AUTO_BUF text = { 0 };

	vmt_fmt_safe(&text, name, false);
	vmt_buf_adds(&text, ": ");
	put_share(&text, faults, f->faults);
	vmt_svg_rect(f->x, colour_of(name, depth), left, top, width, FRAME,
		     (struct vmt_bytes){ text.data, text.len });
	vmt_buf_next(&text);
	if (width >= 4 * VMT_SVG_MONO)
		vmt_svg_fit(&text, name, (size_t)(width - 60) / VMT_SVG_MONO, false);
	vmt_svg_text(f->x, "m ink", left + 30, top + 125,
		     (struct vmt_bytes){ text.data, text.len });
	if (vmt_buf_error(&text) < 0)
		f->x->out->error = vmt_buf_error(&text);
}

/*
 * The frames of lines [first, end) at a place, of which before is the number of faults that stand
 * left of them. Without f->x nothing is drawn, and only what would be is found out.
 */
static void put_frames(struct flame *f, size_t first, size_t end, size_t at, size_t depth,
		       uint64_t before)
{
	while (first < end) {
		uint64_t faults;
		size_t next = same_frame(f, first, end, at, &faults), len, child = first;
		int64_t left = vmt_svg_part(before, f->faults, VMT_SVG_WIDTH);
		int64_t right = vmt_svg_part(before + faults, f->faults, VMT_SVG_WIDTH);
		uint64_t at_left = before;

		len = frame_at(&f->lines[first], at);
		before += faults;
		if (right - left < NARROWEST) {
			f->narrow += faults;
			first = next;
			continue;
		}
		f->deepest = depth > f->deepest ? depth : f->deepest;
		if (f->x)
			put_frame(f, (struct vmt_bytes){ f->lines[first].text + at, len }, depth,
				  left, right - left, faults);
		/* Lines that end here are first; what is behind them goes on above. */
		while (child < next && f->lines[child].len <= at + len)
			at_left += f->lines[child++].faults;
		if (child < next && depth < DEPTH_MOST)
			put_frames(f, child, next, at + len + 1, depth + 1, at_left);
		else if (child < next)
			f->deep += before - at_left;
		first = next;
	}
}

/* Why there is nothing, from the most general on. */
static bool has(const struct vmt_picture_ask *ask, struct vmt_buf *why)
{
	const struct vmt_model *m = ask->model;
	const struct vmt_fault_sample *f = m->sample->faults;

	if (m->n_stacks)
		return true;
	if (m->sample->host.root.len)
		vmt_buf_adds(why, "faults are counted live, and a saved machine has none");
	else if (!f)
		vmt_buf_adds(why, "faults were not counted");
	else if (f->rung == VMT_RUNG_NONE)
		vmt_buf_adds(why, "faults could not be counted here: 'vmtop doctor' says why");
	else if (!(f->have & VMT_HAVE_STACKS))
		vmt_buf_addf(why, "there are no stacks on the rung %s", vmt_rung_name(f->rung));
	else
		vmt_buf_adds(why, "there was no fault while they were counted");
	return false;
}

/* "12000 faults in 3.00s, 12 of them major; 40 have no stack in user mode." */
static void gist(struct vmt_buf *out, const struct flame *f, const struct vmt_model *m)
{
	const struct vmt_probe_row *p = &m->probe;

	vmt_buf_addf(out, "%" PRIu64 " fault%s", f->faults, f->faults == 1 ? "" : "s");
	if (VMT_HAS(probe, window_ns, p)) {
		vmt_buf_adds(out, " in ");
		vmt_fmt_duration(out, p->window_ns);
	}
	vmt_buf_addf(out, ", %" PRIu64 " major; without a stack in user mode %" PRIu64, f->major,
		     f->without);
	if (VMT_HAS(probe, lost, p))
		vmt_buf_addf(out, "; lost %" PRIu64, p->lost);
	vmt_buf_adds(out, "; rung ");
	vmt_fmt_safe(out, VMT_HAS(probe, rung, p) ? p->rung : VMT_BYTES("-"), false);
	if (f->narrow)
		vmt_buf_addf(out, "; too narrow to be drawn: %" PRIu64, f->narrow);
	if (f->deep)
		vmt_buf_addf(out, "; deeper than is drawn: %" PRIu64, f->deep);
}

static void put_legend(struct vmt_xml *x, int64_t top)
{
	static const struct {
		const char *colour;
		const char *text;
		int64_t width;
	} keys[] = {
		{ "sky", "process", 1000 },
		{ "orange", "function", 1050 },
		{ "vermillion", "function of the kernel, _[k]", 2250 },
		{ "yellow", "code made at run time, _[j]", 2250 },
		{ "grey", "place in a file, or not known", 0 },
	};
	int64_t left = 0;
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(keys); i++) {
		vmt_svg_rect(x, keys[i].colour, left, top, 160, 130, (struct vmt_bytes){ 0 });
		vmt_svg_texts(x, "dim", left + 230, top + 110, keys[i].text);
		left += keys[i].width;
	}
}

static int draw(struct vmt_xml *x, const struct vmt_picture_ask *ask)
{
	VMT_CLEANUP(flame_done) struct flame f = { 0 };
	struct vmt_svg_head head = { .id = "flame", .alone = ask->alone };
	int64_t top = ask->alone ? VMT_PICTURE_TITLE : 0;
	VMT_AUTO_BUF text = { 0 };
	int r = read_lines(&f, ask->model);

	if (r < 0)
		return r;
	put_frames(&f, 0, f.n, 0, 0, 0);
	gist(&text, &f, ask->model);
	head.title = VMT_BYTES("Page faults by stack");
	head.desc = (struct vmt_bytes){ text.data, text.len };
	head.height = top + LEGEND + (int64_t)(f.deepest + 1) * FRAME + 260;
	vmt_svg_begin(x, &head);
	vmt_picture_title(x, ask, head.title);
	put_legend(x, top + 20);
	f.x = x;
	f.floor = head.height - 260;
	put_frames(&f, 0, f.n, 0, 0, 0);
	vmt_svg_line(x, "tick", 0, f.floor, VMT_SVG_WIDTH, f.floor);
	vmt_svg_text(x, "n dim", 0, f.floor + 180, head.desc);
	vmt_svg_end(x);
	return vmt_buf_error(&text);
}

/* A function with the faults in it, and in what it called. */
struct function {
	struct vmt_bytes name;
	uint64_t self;
	uint64_t total;
};

static int by_name(const void *pa, const void *pb)
{
	const struct function *a = pa, *b = pb;

	return vmt_bytes_compare(a->name, b->name);
}

static int by_total(const void *pa, const void *pb)
{
	const struct function *a = pa, *b = pb;

	if (a->total != b->total)
		return a->total > b->total ? -1 : 1;
	if (a->self != b->self)
		return a->self > b->self ? -1 : 1;
	return by_name(pa, pb);
}

/* Whether the frame at a place stood in the line before, behind its process. */
static bool is_again(const struct line *l, size_t from, size_t at, size_t len)
{
	size_t k, n;

	for (k = from; k < at; k += n + 1) {
		n = frame_at(l, k);
		if (n == len && memcmp(l->text + k, l->text + at, len) == 0)
			return true;
	}
	return false;
}

/* Functions of all lines, the one with most faults first; recursion counts once. */
static int read_functions(struct flame *f, struct function **ret, size_t *ret_n)
{
	struct function *all;
	size_t room = 0, n = 0, kept = 0, i, at, len;

	for (i = 0; i < f->n; i++)
		for (at = 0; at < f->lines[i].len; at += frame_at(&f->lines[i], at) + 1)
			room++;
	all = vmt_arena_alloc(&f->arena, room + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	for (i = 0; i < f->n; i++) {
		const struct line *l = &f->lines[i];
		size_t from = frame_at(l, 0) + 1;

		for (at = from; at < l->len; at += len + 1) {
			bool last;

			len = frame_at(l, at);
			last = at + len >= l->len;
			all[n++] = (struct function){
				.name = { l->text + at, len },
				.self = last ? l->faults : 0,
				.total = is_again(l, from, at, len) ? 0 : l->faults,
			};
		}
	}
	if (n)
		qsort(all, n, sizeof(*all), by_name);
	for (i = 0; i < n; i++) {
		if (kept && by_name(&all[kept - 1], &all[i]) == 0) {
			all[kept - 1].self += all[i].self;
			all[kept - 1].total += all[i].total;
		} else {
			all[kept++] = all[i];
		}
	}
	if (kept)
		qsort(all, kept, sizeof(*all), by_total);
	*ret = all;
	*ret_n = kept;
	return 0;
}

static void put_count(struct vmt_xml *x, uint64_t v)
{
	VMT_AUTO_BUF text = { 0 };

	vmt_buf_addu(&text, v);
	vmt_html_cell(x, false, (struct vmt_bytes){ text.data, text.len });
	if (vmt_buf_error(&text) < 0)
		x->out->error = vmt_buf_error(&text);
}

static void put_percent(struct vmt_xml *x, uint64_t v, uint64_t all)
{
	uint64_t share = all ? (uint64_t)((unsigned __int128)v * 1000 / all) : 0;
	VMT_AUTO_BUF text = { 0 };

	vmt_buf_addf(&text, "%" PRIu64 ".%" PRIu64 "%%", share / 10, share % 10);
	vmt_html_cell(x, false, (struct vmt_bytes){ text.data, text.len });
	if (vmt_buf_error(&text) < 0)
		x->out->error = vmt_buf_error(&text);
}

static int tell(struct vmt_xml *x, const struct vmt_picture_ask *ask)
{
	static const char *const titles[] = { "IN IT", "ITSELF", "SHARE", "<FUNCTION", NULL };
	static const char probe[] = "rung,canary,window,mapped,gup,unattributed,dropped,kernel,"
				    "residual,lost,recursion,stack-collisions,stack-full,"
				    "stack-absent,stack-rows-full";
	VMT_CLEANUP(flame_done) struct flame f = { 0 };
	struct function *functions = NULL;
	VMT_AUTO_BUF text = { 0 };
	size_t n = 0, i;
	int r = read_lines(&f, ask->model);

	if (r == 0)
		r = read_functions(&f, &functions, &n);
	if (r < 0)
		return r;
	put_frames(&f, 0, f.n, 0, 0, 0);
	gist(&text, &f, ask->model);
	vmt_buf_adds(&text,
		     ". IN IT are faults of the function and of what it called, ITSELF those "
		     "of its own instructions.");
	vmt_html_says(x, (struct vmt_bytes){ text.data, text.len });
	vmt_html_table_begin(x, titles);
	for (i = 0; i < n && i < FUNCTIONS; i++) {
		vmt_xml_open(x, "tr");
		put_count(x, functions[i].total);
		put_count(x, functions[i].self);
		put_percent(x, functions[i].total, f.faults);
		vmt_html_cell(x, true, functions[i].name);
		vmt_xml_close(x);
	}
	vmt_html_table_end(x);
	if (n > FUNCTIONS) {
		vmt_buf_next(&text);
		vmt_buf_addf(&text,
			     "%zu more; 'vmtop faults --stacks --format folded' has every stack.",
			     n - FUNCTIONS);
		vmt_html_says(x, (struct vmt_bytes){ text.data, text.len });
	}
	return vmt_buf_error(&text)
		       ?: vmt_html_table(x, &vmt_entity_probe, &ask->model->probe, 1, probe, ask);
}

const struct vmt_picture vmt_picture_flame = {
	.name = "flame",
	.title = "Page faults by stack",
	.has = has,
	.draw = draw,
	.tell = tell,
};
