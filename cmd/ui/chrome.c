/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <time.h>

#include "cmd/ui/figure.h"
#include "cmd/ui/table.h"
#include "model/parts.h"

/* "00:45:42 1s", and on wide terminals the machine before it; flush right. */
static void draw_clock(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, unsigned left)
{
	VMT_AUTO_BUF text = { 0 };
	const struct vmt_host *h = ui->model ? &ui->model->sample->host : NULL;
	time_t now = h ? (time_t)(h->realtime_ns / 1000000000) : 0;
	char clock[16] = "--:--:--";
	unsigned width,
		tenths = (unsigned)((ui->slow_ns ? ui->slow_ns : ui->interval_ns) / 100000000);
	struct tm tm;

	if (h && localtime_r(&now, &tm))
		strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	if (c->width >= VMT_WIDE && h) {
		vmt_buf_adds(&text, "Linux ");
		vmt_fmt_safe(&text, h->release, true);
		vmt_buf_adds(&text, "  ");
	}
	vmt_buf_adds(&text, clock);
	if (ui->frozen) {
		vmt_buf_adds(&text, ui->frozen == VMT_FROZEN_ALL ? " frozen" : " held");
	} else if (!ui->opts.live) {
		vmt_buf_adds(&text, " saved");
	} else {
		vmt_buf_adds(&text, ui->slow_ns ? " slow " : c->width >= VMT_WIDE ? "  " : " ");
		if (tenths % 10 || c->width >= VMT_WIDE || ui->slow_ns)
			vmt_buf_addf(&text, "%u.%us", tenths / 10, tenths % 10);
		else
			vmt_buf_addf(&text, "%us", tenths / 10);
		if (c->width >= VMT_WIDE)
			vmt_buf_adds(&text, "  live");
	}
	if (vmt_buf_error(&text) < 0)
		return;
	width = vmt_text_width((struct vmt_bytes){ text.data, text.len }, true);
	if (left + width < c->width)
		vmt_canvas_puts(c, y, c->width - width, VMT_STYLE_NORMAL, text.data);
}

void vmt_ui_clock(struct vmt_bytes time, const char *format, char *to, size_t size)
{
	char text[20] = ""; /* "2026-11-21T00:45:41" */
	struct tm utc = { 0 }, here;
	time_t t;

	snprintf(to, size, "-");
	if (time.len < sizeof(text) - 1)
		return;
	memcpy(text, time.ptr, sizeof(text) - 1);
	if (!strptime(text, "%Y-%m-%dT%H:%M:%S", &utc))
		return;
	t = timegm(&utc);
	if (localtime_r(&t, &here))
		strftime(to, size, format, &here);
}

/* From this width on there is room for blanks around the names of screens. */
#define WIDE_TABS 96

/* Where names have little room, a bracket takes the place of the blank between two of them. */
static unsigned draw_close_tabs(struct vmt_canvas *c, unsigned y, int now)
{
	unsigned x = 0;
	int i;

	for (i = 0; i < VMT_SCREEN_COUNT; i++) {
		enum vmt_style style = i == now ? VMT_STYLE_SELECTED : VMT_STYLE_NORMAL;
		unsigned from = x;

		x = vmt_canvas_puts(c, y, x, i == now + 1 ? VMT_STYLE_SELECTED : style,
				    i == now	   ? "["
				    : i == now + 1 ? "]"
						   : " ");
		x = vmt_canvas_putf(c, y, x, style, "%d:%s", i + 1, vmt_screens[i]->title);
		vmt_canvas_spot(c, &(struct vmt_spot){ .kind = VMT_SPOT_KEY,
						       .y = y,
						       .x = from,
						       .width = x - from,
						       .code = (uint32_t)('1' + i) });
	}
	return now == VMT_SCREEN_COUNT - 1 ? vmt_canvas_puts(c, y, x, VMT_STYLE_SELECTED, "]") : x;
}

void vmt_draw_tabs(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y)
{
	enum vmt_screen_id now = vmt_ui_view(ui)->screen;
	/* With their numbers alone where their names have no room. */
	bool names = c->width >= 70;
	unsigned x = 0;
	int i;

	if (names && c->width < WIDE_TABS) {
		draw_clock(ui, c, y, draw_close_tabs(c, y, (int)now));
		return;
	}

	if (c->width >= VMT_WIDE && ui->opts.version)
		x = vmt_canvas_putf(c, y, 0, VMT_STYLE_STRONG, "vmtop %s  ", ui->opts.version);
	for (i = 0; i < VMT_SCREEN_COUNT; i++) {
		enum vmt_style style = i == (int)now ? VMT_STYLE_SELECTED : VMT_STYLE_NORMAL;
		unsigned from = x;

		x = vmt_canvas_puts(c, y, x, style, i == (int)now ? "[" : " ");
		x = names || i == (int)now
			    ? vmt_canvas_putf(c, y, x, style, "%d:%s", i + 1, vmt_screens[i]->title)
			    : vmt_canvas_putf(c, y, x, style, "%d", i + 1);
		x = vmt_canvas_puts(c, y, x, style, i == (int)now ? "]" : " ");
		vmt_canvas_spot(c, &(struct vmt_spot){ .kind = VMT_SPOT_KEY,
						       .y = y,
						       .x = from,
						       .width = x - from,
						       .code = (uint32_t)('1' + i) });
		x += names;
	}
	draw_clock(ui, c, y, x);
}

enum vmt_style vmt_share_style(size_t share)
{
	static const uint8_t styles[VMT_SHARE_COUNT] = {
		[VMT_SHARE_ANON] = VMT_STYLE_ANON,     [VMT_SHARE_SHMEM] = VMT_STYLE_SHMEM,
		[VMT_SHARE_KERNEL] = VMT_STYLE_KERNEL, [VMT_SHARE_DIRTY] = VMT_STYLE_DIRTY,
		[VMT_SHARE_CACHE] = VMT_STYLE_CLEAN,   [VMT_SHARE_SLAB] = VMT_STYLE_SLAB,
		[VMT_SHARE_FREE] = VMT_STYLE_FREE,     [VMT_SHARE_OTHER] = VMT_STYLE_DIM,
	};

	return share < VMT_SHARE_COUNT ? (enum vmt_style)styles[share] : VMT_STYLE_NORMAL;
}

/* Cells of the bar: as many of each letter as its share, rounded so that the ends of the shares and
 * not their lengths are right; what is free, or has no letter, is dots. Where the bar stands for a
 * part of the whole and more is used, its end says so. */
static void draw_bar(const struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, unsigned x,
		     unsigned width)
{
	const struct vmt_model *m = ui->model;
	uint64_t span = vmt_bar_span(ui, m->system.total_bytes), sum = 0;
	unsigned at = 0;
	size_t i;

	for (i = 0; i < m->n_shares && i < VMT_SHARE_FREE; i++) {
		const struct vmt_share *s = &m->shares[i];
		unsigned __int128 to;

		if (!VMT_HAS(share, size_bytes, s) || s->size_bytes < 0)
			continue;
		sum += (uint64_t)s->size_bytes;
		to = ((unsigned __int128)sum * width + span / 2) / span;
		for (; at < to && at < width; at++)
			vmt_canvas_bytes(c, y, x + at, 1, vmt_share_style(i), s->letter,
					 VMT_FIT_LEFT);
	}
	for (; at < width; at++)
		vmt_canvas_puts(c, y, x + at, VMT_STYLE_FREE, ".");
	if (width && ui->zoom && sum > span)
		vmt_canvas_puts(c, y, x + width - 1, VMT_STYLE_STRONG, ">");
}

static void percent_value(struct vmt_buf *out, const struct vmt_ui *ui, const struct vmt_spot *s)
{
	const struct vmt_system *sys = &ui->model->system;
	uint64_t milli;

	if (!VMT_HAS(system, total_bytes, sys) || !VMT_HAS(system, available_bytes, sys) ||
	    !sys->total_bytes)
		return;
	milli = (uint64_t)((unsigned __int128)sys->available_bytes * 100000 / sys->total_bytes);
	vmt_buf_addf(out, "%" PRIu64 ".%03u %%", milli / 1000, (unsigned)(milli % 1000));
}

static void percent_terms(struct vmt_explanation *e)
{
	const struct vmt_system *s = &e->ui->model->system;

	vmt_figure_field(e, &vmt_entity_system, VMT_FIELD_system_available_bytes, s);
	vmt_figure_field(e, &vmt_entity_system, VMT_FIELD_system_total_bytes, s);
}

static const struct vmt_figure available_percent = {
	.title = "available in percent",
	.unit = "percent",
	.help = "what new programs could get without swapping, as a part of all memory; rounded down",
	.formula = "100 * available / total, MemAvailable and MemTotal of /proc/meminfo",
	.value = percent_value,
	.terms = percent_terms,
};

static void bar_value(struct vmt_buf *out, const struct vmt_ui *ui, const struct vmt_spot *s)
{
	const struct vmt_system *sys = &ui->model->system;
	unsigned cells = s->width > 2 ? s->width - 2 : 0;
	uint64_t span;

	if (!VMT_HAS(system, total_bytes, sys) || !sys->total_bytes || !cells)
		return;
	span = vmt_bar_span(ui, sys->total_bytes);
	vmt_buf_adds(out, "all of the bar is ");
	vmt_fmt_size(out, span, VMT_SIZE_HUMAN, 0);
	vmt_buf_addf(out, ", MemTotal / %u; each of its %u cells ", 1u << ui->zoom, cells);
	vmt_fmt_size(out, span / cells, VMT_SIZE_HUMAN, 0);
}

static void bar_terms(struct vmt_explanation *e)
{
	const struct vmt_model *m = e->ui->model;
	size_t i;

	for (i = 0; i < m->n_shares; i++) {
		const struct vmt_share *s = &m->shares[i];
		VMT_AUTO_BUF text = { 0 };

		if (!VMT_HAS(share, size_bytes, s) || !VMT_HAS(share, name, s))
			continue;
		vmt_fmt_size(&text,
			     s->size_bytes < 0 ? 0 - (uint64_t)s->size_bytes
					       : (uint64_t)s->size_bytes,
			     VMT_SIZE_HUMAN, 0);
		if (vmt_buf_error(&text) == 0)
			vmt_figure_term(e, "%.*s %.*s: %s%s", (int)s->letter.len, s->letter.ptr,
					(int)s->name.len, s->name.ptr, s->size_bytes < 0 ? "-" : "",
					text.data);
	}
}

static void end_value(struct vmt_buf *out, const struct vmt_ui *ui, const struct vmt_spot *s)
{
	const struct vmt_system *sys = &ui->model->system;

	vmt_buf_addf(out, "%" PRIu64 " bytes = ", vmt_bar_span(ui, sys->total_bytes));
	vmt_fmt_size(out, vmt_bar_span(ui, sys->total_bytes), VMT_SIZE_HUMAN, 0);
	vmt_buf_addf(out, " = 1/%u", 1u << ui->zoom);
}

static void end_terms(struct vmt_explanation *e)
{
	vmt_figure_field(e, &vmt_entity_system, VMT_FIELD_system_total_bytes,
			 &e->ui->model->system);
}

/* Behind the bar, where that is not for all of it. */
static const struct vmt_figure bar_end = {
	.title = "end of the bar",
	.unit = "bytes",
	.help = "how much memory the right end of the bar stands for: + halves it, - doubles it up to "
		"MemTotal",
	.formula = "total / 2 for each time that + was pressed",
	.value = end_value,
	.terms = end_terms,
};

static const struct vmt_figure memory_bar = {
	.title = "memory as a bar",
	.unit = "cells",
	.help = "MemTotal from left to right: a letter for what is used, dots for what is free or has "
		"no letter; + makes the bar stand for half as much from its left end on, - for twice; "
		"> at its end: what is used goes on",
	.formula = "cells of a letter = size / size of all of the bar * cells",
	.value = bar_value,
	.terms = bar_terms,
	.source = VMT_SOURCE_MEMINFO,
};

unsigned vmt_draw_value(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, unsigned x,
			unsigned width, enum vmt_style style, const struct vmt_entity *entity,
			unsigned field, const void *row)
{
	VMT_AUTO_BUF text = { 0 };
	struct vmt_bytes s;
	unsigned need;

	vmt_ui_value(&text, ui, &entity->fields[field], row, width);
	s = (struct vmt_bytes){ text.data, text.len };
	if (vmt_buf_error(&text) < 0)
		return x;
	need = vmt_text_width(s, c->ascii);
	width = width > need ? width : need;
	vmt_canvas_bytes(c, y, x, width, style, s, VMT_FIT_RIGHT);
	vmt_canvas_value(c, y, x, width, entity, field, row);
	return x + width;
}

unsigned vmt_draw_named(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, unsigned x,
			const char *word, unsigned width, enum vmt_style style,
			const struct vmt_entity *entity, unsigned field, const void *row)
{
	enum vmt_style of_word = style == VMT_STYLE_STRONG ? VMT_STYLE_NORMAL : VMT_STYLE_DIM;
	unsigned from = x + (unsigned)strspn(word, " ");
	size_t n = c->n_spots;

	x = vmt_canvas_puts(c, y, x, of_word, word);
	x = vmt_draw_value(ui, c, y, x, width, style, entity, field, row);
	/* "p99 1.2ms" is one. */
	if (c->n_spots > n && word[strcspn(word, "0123456789")]) {
		c->spots[n].width += c->spots[n].x - from;
		c->spots[n].x = from;
	}
	return x;
}

unsigned vmt_draw_text(struct vmt_canvas *c, unsigned y, unsigned x, unsigned width,
		       enum vmt_style style, const struct vmt_entity *entity, unsigned field,
		       const void *row)
{
	struct vmt_bytes text = VMT_BYTES("-");
	unsigned have;

	if (vmt_row_has(row, field))
		text = *(const struct vmt_bytes *)vmt_field_at(&entity->fields[field], row);
	have = vmt_text_width(text, c->ascii);
	width = have < width ? have : width;
	vmt_canvas_value(c, y, x, width, entity, field, row);
	return vmt_canvas_bytes(c, y, x, width, style, text, VMT_FIT_LEFT);
}

static unsigned draw_value(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, unsigned x,
			   unsigned field)
{
	return vmt_draw_value(ui, c, y, x, 0, VMT_STYLE_STRONG, &vmt_entity_system, field,
			      &ui->model->system);
}

void vmt_draw_memory(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y)
{
	const struct vmt_system *s = &ui->model->system;
	/* "       avail 20.5G 87%" behind the bar. */
	unsigned x, bar, room = c->width >= VMT_WIDE ? 29 : 23, right = c->width - 15;
	unsigned percent;

	x = vmt_canvas_puts(c, y, 0, VMT_STYLE_NORMAL, "MEM ");
	x = draw_value(ui, c, y, x, VMT_FIELD_system_total_bytes);
	x = vmt_canvas_puts(c, y, x, VMT_STYLE_NORMAL, " [");
	bar = c->width > x + room ? c->width - x - room : 0;
	if (VMT_HAS(system, total_bytes, s) && s->total_bytes)
		draw_bar(ui, c, y, x, bar);
	vmt_canvas_puts(c, y, x + bar, VMT_STYLE_NORMAL, "]");
	vmt_canvas_figure(c, y, x - 1, bar + 2, &memory_bar, NULL, 0);
	if (ui->zoom && VMT_HAS(system, total_bytes, s)) {
		VMT_AUTO_BUF span = { 0 };

		/* So that nobody takes a part for the whole. */
		vmt_fmt_size(&span, vmt_bar_span(ui, s->total_bytes), VMT_SIZE_HUMAN, 0);
		if (vmt_buf_error(&span) == 0)
			vmt_draw_figure(c, y, x + bar + 1, VMT_STYLE_STRONG, &bar_end, NULL, 0,
					"=%s", span.data);
	}
	x = vmt_canvas_puts(c, y, right, VMT_STYLE_NORMAL, "avail ");
	draw_value(ui, c, y, x, VMT_FIELD_system_available_bytes);
	if (VMT_HAS(system, total_bytes, s) && VMT_HAS(system, available_bytes, s) &&
	    s->total_bytes) {
		percent = (unsigned)((unsigned __int128)s->available_bytes * 100 / s->total_bytes);
		vmt_draw_figure(c, y, c->width - 4, VMT_STYLE_NORMAL, &available_percent, NULL, 0,
				"%3u%%", percent);
	}
}

void vmt_draw_line(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y)
{
	static const struct {
		const char *word;
		unsigned field;
	} figures[] = {
		{ "free ", VMT_FIELD_system_free_bytes },
		{ " avail ", VMT_FIELD_system_available_bytes },
		{ " faults/s ", VMT_FIELD_system_pgfault_per_second },
	};
	unsigned x = 0;
	size_t i;

	if (!ui->model)
		return;
	for (i = 0; i < VMT_ARRAY_LEN(figures); i++) {
		x = vmt_canvas_puts(c, y, x, VMT_STYLE_NORMAL, figures[i].word);
		x = draw_value(ui, c, y, x, figures[i].field);
	}
}

static void draw_labels(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y)
{
	unsigned x = 0, n;

	for (n = 1; n <= 10; n++) {
		uint32_t key = VMT_KEY_F1 + n - 1;
		const char *label = vmt_actions[vmt_key_action(key)].label;
		unsigned from = x;

		if (n == 7 && ui->frozen)
			label = "Go on";
		if (!label)
			continue;
		if (x + strlen(label) + 2 > c->width)
			return;
		x = vmt_canvas_putf(c, y, x, VMT_STYLE_KEY, "F%u", n);
		x = vmt_canvas_puts(c, y, x, VMT_STYLE_LABEL, label);
		vmt_canvas_spot(c, &(struct vmt_spot){ .kind = VMT_SPOT_KEY,
						       .y = y,
						       .x = from,
						       .width = x - from,
						       .code = key });
		x++;
	}
	if (c->width >= VMT_WIDE)
		vmt_canvas_puts(c, y, x, VMT_STYLE_DIM,
				"Enter:open Esc:back /:search \\:filter u:unit d:delay o:columns "
				"?:explain");
}

/* Where in the recording it is, and the keys that lead elsewhere. */
static void draw_place(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y)
{
	uint64_t ns = ui->model ? ui->model->sample->host.realtime_ns : 0;
	time_t t = (time_t)(ns / 1000000000);
	char when[32] = "";
	struct tm tm;
	unsigned x;

	if (ns && localtime_r(&t, &tm))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	x = vmt_canvas_putf(c, y, 0, VMT_STYLE_STRONG, "%s %zu/%zu %s", when, ui->place.at + 1,
			    ui->place.n, ui->place.playing ? "plays" : "paused");
	vmt_canvas_puts(c, y, x, VMT_STYLE_DIM,
			c->width < VMT_WIDE ? " t/T step j/J by time b to Space play F1"
					    : "  t/T:step j/J:by a time b:to a time Space:play "
					      "arrows:move Enter:open Esc:back ?:explain F1:help "
					      "q:quit");
}

void vmt_draw_keys(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y)
{
	if (ui->said[0])
		vmt_canvas_bytes(c, y, 0, c->width, VMT_STYLE_STRONG, vmt_bytes_of(ui->said),
				 VMT_FIT_LEFT);
	else if (ui->died[0])
		vmt_canvas_bytes(c, y, 0, c->width, VMT_STYLE_WARNING, vmt_bytes_of(ui->died),
				 VMT_FIT_LEFT);
	else if (ui->opts.replay)
		draw_place(ui, c, y);
	else
		draw_labels(ui, c, y);
}

void vmt_draw_reason(struct vmt_canvas *c, unsigned y, struct vmt_bytes text)
{
	unsigned x = vmt_canvas_puts(c, y, 0, VMT_STYLE_KEY, "!") + 1;

	vmt_canvas_bytes(c, y, x, c->width > x ? c->width - x : 0, VMT_STYLE_WARNING, text,
			 VMT_FIT_LEFT);
	vmt_canvas_figure(c, y, x, c->width > x ? c->width - x : 0, &vmt_figure_reason, NULL, 0);
	vmt_canvas_spot(c, &(struct vmt_spot){
				   .kind = VMT_SPOT_KEY, .y = y, .width = c->width, .code = '!' });
}

bool vmt_draw_warning(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y)
{
	const struct vmt_model *m = ui->model;
	VMT_AUTO_BUF text = { 0 };
	unsigned n = 0;
	size_t i, first = 0;

	for (i = 0; i < m->n_findings; i++) {
		if (!vmt_bytes_is(m->findings[i].severity, "warning"))
			continue;
		if (!n++)
			first = i;
	}
	if (!n)
		return false;
	vmt_buf_addf(&text, "%u warning%s: ", n, n == 1 ? "" : "s");
	vmt_buf_add(&text, m->findings[first].text.ptr, m->findings[first].text.len);
	if (vmt_buf_error(&text) < 0)
		c->error = -ENOMEM;
	else
		vmt_draw_reason(c, y, (struct vmt_bytes){ text.data, text.len });
	vmt_canvas_value(c, y, 2, c->width > 2 ? c->width - 2 : 0, &vmt_entity_finding,
			 VMT_FIELD_finding_text, &m->findings[first]);
	return true;
}
