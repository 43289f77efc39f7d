/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "cmd/ui/figure.h"
#include "cmd/ui/table.h"

struct events_state {
	struct vmt_table *table;
	bool left_tail; /* the user looks at older ones: new ones do not move the lines */
};

static void draw_time(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, unsigned x,
		      unsigned width, enum vmt_style style, const void *row)
{
	const struct vmt_event *e = row;
	char clock[32];

	vmt_ui_clock(VMT_HAS(event, time, e) ? e->time : (struct vmt_bytes){ 0 },
		     width > 8 ? "%m-%d %H:%M:%S" : "%H:%M:%S", clock, sizeof(clock));
	vmt_canvas_bytes(c, y, x, width, style, vmt_bytes_of(clock), VMT_FIT_LEFT);
}

static const struct vmt_table_column columns[] = {
	{ .field = VMT_FIELD_event_time, .width = 8, .wide = 14, .draw = draw_time },
	{ .field = VMT_FIELD_event_pid, .width = 7, .fit = VMT_FIT_RIGHT },
	{ .field = VMT_FIELD_event_comm,
	  .title = "COMM",
	  .width = 8,
	  .wide = 15,
	  .priority = 1,
	  .fit = VMT_FIT_LEFT },
	{ .field = VMT_FIELD_event_reason,
	  .width = 14,
	  .wide = 18,
	  .priority = 2,
	  .fit = VMT_FIT_LEFT },
	{ .field = VMT_FIELD_event_text, .title = "WHAT", .least = 16, .fit = VMT_FIT_LEFT },
};

static const unsigned identity[] = { VMT_FIELD_event_after_ns, VMT_FIELD_event_pid,
				     VMT_FIELD_event_tid };

static const struct vmt_table_word words[] = {
	{ "pid", VMT_FIELD_event_pid },
	{ "cmd", VMT_FIELD_event_comm },
	{ "reason", VMT_FIELD_event_reason },
};

static const struct vmt_table_def def = {
	.entity = &vmt_entity_event,
	.columns = columns,
	.n_columns = VMT_ARRAY_LEN(columns),
	.identity = identity,
	.n_identity = VMT_ARRAY_LEN(identity),
	.words = words,
	.n_words = VMT_ARRAY_LEN(words),
	.edge_below = VMT_WIDE,
};

static int init(struct vmt_ui *ui, void **ret)
{
	struct events_state *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	r = vmt_table_new(&def, &s->table);
	if (r < 0)
		free(s);
	else
		*ret = s;
	return r;
}

static void done(void *state)
{
	struct events_state *s = state;

	vmt_table_free(s->table);
	free(s);
}

static int take_model(struct vmt_ui *ui, void *state)
{
	struct events_state *s = state;
	bool done;
	int r = vmt_table_rows(ui, s->table, ui->model->events, ui->model->n_events);

	if (r == 0 && !s->left_tail)
		vmt_table_action(ui, s->table, VMT_ACTION_END, &done);
	return r;
}

/* "events: 3 kept" and the state of the table. */
static void draw_head(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y,
		      const struct vmt_table *t)
{
	const struct vmt_sample *s = ui->model->sample;
	VMT_AUTO_BUF state = { 0 }, range = { 0 };
	unsigned x = vmt_canvas_puts(c, y, 0, VMT_STYLE_NORMAL, "events: "), width;

	vmt_table_state(t, &state, &range);
	if (vmt_buf_error(&state) < 0 || vmt_buf_error(&range) < 0) {
		c->error = -ENOMEM;
		return;
	}
	x = vmt_draw_figure(c, y, x, VMT_STYLE_NORMAL, &vmt_figure_rows, NULL, 0, "%zu",
			    vmt_table_total(t));
	x = vmt_canvas_puts(c, y, x, VMT_STYLE_NORMAL, " kept");
	if (s->n_event_gaps) {
		x = vmt_canvas_puts(c, y, x, VMT_STYLE_DIM, ", not listed ");
		x = vmt_draw_value(ui, c, y, x, 0, VMT_STYLE_STRONG, &vmt_entity_gap,
				   VMT_FIELD_gap_limited_total, s->event_gaps);
		x = vmt_canvas_puts(c, y, x, VMT_STYLE_DIM, ", lost ");
		x = vmt_draw_value(ui, c, y, x, 0, VMT_STYLE_STRONG, &vmt_entity_gap,
				   VMT_FIELD_gap_lost_total, s->event_gaps);
	}
	x += 3;
	width = vmt_text_width((struct vmt_bytes){ state.data, state.len }, c->ascii);
	vmt_canvas_figure(c, y, x, width, &vmt_figure_chosen, NULL, 0);
	x = vmt_canvas_bytes(c, y, x, width, VMT_STYLE_NORMAL,
			     (struct vmt_bytes){ state.data, state.len }, VMT_FIT_LEFT);
	if (range.len && x + 1 + range.len <= c->width)
		vmt_draw_figure(c, y, c->width - (unsigned)range.len, VMT_STYLE_NORMAL,
				&vmt_figure_range, NULL, 0, "%s", range.data);
}

/* What is watched, and why it cannot be where it is not. */
static const struct {
	enum vmt_source_id source;
	const char *what;
} watched[] = {
	{ VMT_SOURCE_EVENTS, "crashes" },
	{ VMT_SOURCE_KILLS, "OOM kills" },
};

/* Why some of it is not there. */
static void add_reasons(struct vmt_buf *out, const struct vmt_sample *s)
{
	const char *first = s->sources[watched[0].source].reason;
	bool same = !vmt_sample_has_events(s) && first[0];

	for (size_t i = 0; i < VMT_ARRAY_LEN(watched); i++)
		same = same && strcmp(s->sources[watched[i].source].reason, first) == 0;
	for (size_t i = 0; i < VMT_ARRAY_LEN(watched) && !same; i++) {
		const struct vmt_source_stat *st = &s->sources[watched[i].source];

		if (st->state == VMT_STATE_OK || st->state == VMT_STATE_PARTIAL || !st->reason[0])
			continue;
		vmt_buf_addf(out, "%s%s: %s", out->len ? "; " : "", watched[i].what, st->reason);
	}
	if (same)
		vmt_buf_adds(out, first);
}

/* Why nothing comes, or what could be pressed. */
static void draw_foot(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y)
{
	VMT_AUTO_BUF text = { 0 };

	add_reasons(&text, ui->model->sample);
	if (vmt_buf_error(&text) < 0)
		c->error = -ENOMEM;
	else if (text.len)
		vmt_draw_reason(c, y, (struct vmt_bytes){ text.data, text.len });
	else if (vmt_sample_has_events(ui->model->sample))
		vmt_canvas_puts(c, y, 0, VMT_STYLE_DIM,
				"OOM kills, SIGSEGV and SIGBUS that nobody handles   "
				"Enter: mappings   \\: filter");
	else
		vmt_draw_reason(c, y,
				vmt_bytes_of(ui->opts.live ? "crashes and OOM kills are watched "
							     "from the next sample on"
							   : "crashes and OOM kills are not in a "
							     "saved machine"));
}

/* All that is said of the selected one, in lines that break at blanks. */
static void draw_sentence(struct vmt_canvas *c, unsigned y, unsigned lines,
			  const struct vmt_event *e)
{
	struct vmt_bytes rest = e->text;

	for (; lines && rest.len; lines--, y++) {
		struct vmt_bytes line = rest;
		size_t cut;

		if (vmt_text_width(line, c->ascii) > c->width && lines > 1) {
			/* Each column takes a byte at least, or less of one that is escaped. */
			line.len = rest.len > c->width ? c->width : rest.len - 1;
			for (cut = line.len; cut && rest.ptr[cut] != ' '; cut--)
				;
			line.len = cut ? cut : line.len;
		}
		vmt_canvas_bytes(c, y, 0, c->width, VMT_STYLE_STRONG, line, VMT_FIT_LEFT);
		vmt_canvas_value(c, y, 0, c->width, &vmt_entity_event, VMT_FIELD_event_text, e);
		rest.ptr += line.len;
		rest.len -= line.len;
		while (rest.len && *rest.ptr == ' ') {
			rest.ptr++;
			rest.len--;
		}
	}
}

/* From this height of the screen on, for the sentence of the selected event. */
#define SENTENCE_HEIGHT 14
#define SENTENCE_LINES	3

static void draw(struct vmt_ui *ui, void *state, struct vmt_canvas *c, struct vmt_area area)
{
	struct events_state *s = state;
	unsigned y = area.y, end = area.y + area.height;
	const struct vmt_event *one = vmt_table_selected(s->table);

	draw_head(ui, c, y++, s->table);
	if (area.height > 8)
		draw_foot(ui, c, --end);
	if (area.height > SENTENCE_HEIGHT) {
		end -= SENTENCE_LINES;
		if (one && VMT_HAS(event, text, one))
			draw_sentence(c, end, SENTENCE_LINES, one);
	}
	vmt_table_draw(ui, s->table, c, (struct vmt_area){ y, 0, end - y, area.width });
}

static void want(const struct vmt_ui *ui, const void *state, struct vmt_ui_want *w)
{
	w->events = true;
}

static void subject(const struct vmt_ui *ui, const void *state, struct vmt_ui_subject *ret)
{
	const struct events_state *s = state;
	const struct vmt_event *one = vmt_table_selected(s->table);

	if (!one || !VMT_HAS(event, pid, one))
		return;
	*ret = (struct vmt_ui_subject){ .proc = { .pid = one->pid } };
	if (VMT_HAS(event, address, one))
		ret->address = one->address;
}

static enum vmt_ui_act action(struct vmt_ui *ui, void *state, enum vmt_action act, bool *done_ret)
{
	struct events_state *s = state;
	struct vmt_ui_subject of = vmt_ui_subject(ui);

	switch (act) {
	case VMT_ACTION_OPEN:
		*done_ret = true;
		if (of.proc.pid)
			return vmt_ui_open(ui, VMT_SCREEN_VMAS, &of);
		vmt_ui_say(ui, "no process is selected");
		return VMT_UI_DRAW;
	case VMT_ACTION_END:
		s->left_tail = false;
		break;
	case VMT_ACTION_UP:
	case VMT_ACTION_PAGE_UP:
	case VMT_ACTION_HALF_UP:
	case VMT_ACTION_HOME:
		s->left_tail = true;
		break;
	default:
		break;
	}
	return VMT_UI_NONE;
}

static struct vmt_table *table(void *state)
{
	struct events_state *s = state;

	return s->table;
}

const struct vmt_screen vmt_screen_events = {
	.name = "events",
	.title = "Events",
	.help = "what died, and why",
	.init = init,
	.done = done,
	.model = take_model,
	.draw = draw,
	.action = action,
	.want = want,
	.subject = subject,
	.table = table,
};
