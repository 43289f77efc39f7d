/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdlib.h>

#include "cmd/ui/faults-sums.h"
#include "model/fault-raw.h"

struct faults_state {
	struct vmt_table *table;
	bool left_tail; /* the user looks at older ones: new ones do not move the lines */
	struct vmt_ui_proc of; /* whose faults alone are shown; pid 0: all */
	struct vmt_fault_sums sums; /* of the rows that were drawn last */
};

/* "2026-11-21T00:45:41.947123Z" begins with what is the same for all that are on the screen. */
#define CLOCK_FROM 11

static void draw_time(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, unsigned x,
		      unsigned width, enum vmt_style style, const void *row)
{
	const struct vmt_single *s = row;
	struct vmt_bytes t = VMT_BYTES("-");

	if (VMT_HAS(single, time, s) && s->time.len > CLOCK_FROM) {
		t = (struct vmt_bytes){ s->time.ptr + CLOCK_FROM, s->time.len - CLOCK_FROM };
		if (t.len && t.ptr[t.len - 1] == 'Z')
			t.len--;
		if (t.len > width)
			t.len = width;
	}
	vmt_canvas_bytes(c, y, x, width, style, t, VMT_FIT_LEFT);
}

static void draw_access(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, unsigned x,
			unsigned width, enum vmt_style style, const void *row)
{
	const struct vmt_single *s = row;
	const char *letter = "-";

	if (VMT_HAS(single, access, s))
		letter = vmt_bytes_is(s->access, "write")  ? "W"
			 : vmt_bytes_is(s->access, "read") ? "R"
			 : vmt_bytes_is(s->access, "exec") ? "X"
							   : "-";
	vmt_canvas_bytes(c, y, x, width, style, vmt_bytes_of(letter), VMT_FIT_LEFT);
}

/* "x64" of a run, nothing of a single page. */
static void draw_pages(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, unsigned x,
		       unsigned width, enum vmt_style style, const void *row)
{
	const struct vmt_single *s = row;
	VMT_AUTO_BUF text = { 0 };

	if (VMT_HAS(single, faults_total, s) && s->faults_total > 1)
		vmt_buf_addf(&text, "x%" PRIu64, s->faults_total);
	vmt_canvas_bytes(c, y, x, width, style, (struct vmt_bytes){ text.data, text.len },
			 VMT_FIT_LEFT);
}

/* A major fault stands out. */
static void draw_kind(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, unsigned x,
		      unsigned width, enum vmt_style style, const void *row)
{
	const struct vmt_single *s = row;
	bool major = VMT_HAS(single, fault, s) && vmt_bytes_is(s->fault, "major");

	vmt_canvas_bytes(c, y, x, width, major ? VMT_STYLE_WARNING : style,
			 VMT_HAS(single, kind, s) ? s->kind : VMT_BYTES("-"), VMT_FIT_LEFT);
	if (major)
		vmt_canvas_puts(c, y, x + width - 1, VMT_STYLE_WARNING, "!");
}

static const struct vmt_table_column columns[] = {
	{ .field = VMT_FIELD_single_time, .width = 12, .wide = 15, .draw = draw_time },
	{ .field = VMT_FIELD_single_pid, .width = 6, .priority = 2, .fit = VMT_FIT_RIGHT },
	{ .field = VMT_FIELD_single_comm,
	  .title = "COMM",
	  .width = 8,
	  .wide = 15,
	  .priority = 4,
	  .fit = VMT_FIT_LEFT },
	{ .field = VMT_FIELD_single_access,
	  .title = "RW",
	  .width = 2,
	  .priority = 3,
	  .draw = draw_access },
	{ .field = VMT_FIELD_single_kind, .title = "KIND", .width = 6, .draw = draw_kind },
	{ .field = VMT_FIELD_single_served, .width = 12, .priority = 9, .fit = VMT_FIT_LEFT },
	{ .field = VMT_FIELD_single_latency_ns,
	  .title = "LATENCY",
	  .width = 7,
	  .priority = 5,
	  .fit = VMT_FIT_RIGHT },
	{ .field = VMT_FIELD_single_address, .width = 12, .fit = VMT_FIT_LEFT },
	{ .field = VMT_FIELD_single_faults_total,
	  .title = "PGS",
	  .width = 4,
	  .priority = 6,
	  .draw = draw_pages },
	{ .field = VMT_FIELD_single_offset_bytes,
	  .title = "OFFSET",
	  .width = 8,
	  .priority = 10,
	  .fit = VMT_FIT_RIGHT },
	{ .field = VMT_FIELD_single_ip,
	  .title = "INSTRUCTION",
	  .width = 12,
	  .priority = 8,
	  .fit = VMT_FIT_LEFT },
	{ .field = VMT_FIELD_single_path, .title = "VMA", .least = 10, .fit = VMT_FIT_TAIL },
};

static const unsigned identity[] = { VMT_FIELD_single_after_ns, VMT_FIELD_single_tid,
				     VMT_FIELD_single_address };

static const struct vmt_table_word words[] = {
	{ "pid", VMT_FIELD_single_pid },
	{ "file", VMT_FIELD_single_path },
	{ "kind", VMT_FIELD_single_served },
};

static const struct vmt_table_def def = {
	.entity = &vmt_entity_single,
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
	struct faults_state *s = calloc(1, sizeof(*s));
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
	struct faults_state *s = state;

	vmt_table_free(s->table);
	free(s);
}

/* Opened for a process, it shows that one's, until another filter is set. */
static int take_subject(struct vmt_ui *ui, struct faults_state *s)
{
	const struct vmt_view *v = vmt_ui_view(ui);
	struct vmt_ui_proc of = { 0 };
	char text[32] = "";

	if (v->screen != VMT_SCREEN_FAULTS)
		return 0;
	if (ui->n_views > 1)
		of = v->subject.proc;
	if (of.pid == s->of.pid)
		return 0;
	s->of = of;
	if (of.pid)
		snprintf(text, sizeof(text), "pid:%" PRIu64, of.pid);
	return vmt_table_filter(ui, s->table, text, NULL);
}

static int take_model(struct vmt_ui *ui, void *state)
{
	struct faults_state *s = state;
	bool done;
	int r;

	/* A filter looks at the rows: those of the model before are gone. */
	r = vmt_table_rows(ui, s->table, ui->model->singles, ui->model->n_singles);
	if (r == 0)
		r = take_subject(ui, s);
	if (r == 0 && !s->left_tail)
		vmt_table_action(ui, s->table, VMT_ACTION_END, &done);
	return r;
}

static unsigned number(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, unsigned x,
		       unsigned field)
{
	return vmt_draw_value(ui, c, y, x, 0, VMT_STYLE_STRONG, &vmt_entity_probe, field,
			      &ui->model->probe);
}

static bool counts(const struct vmt_model *m)
{
	return m->has_probe && !vmt_bytes_is(m->probe.rung, "none");
}

/* Why nothing comes, or what could be pressed. */
static void draw_foot(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y)
{
	const struct vmt_model *m = ui->model;
	const char *reason = m->sample->sources[VMT_SOURCE_FAULT].reason;

	if (counts(m)) {
		unsigned x = vmt_canvas_puts(c, y, 0, VMT_STYLE_DIM, "counted by ");

		x = number(ui, c, y, x, VMT_FIELD_probe_rung);
		x = vmt_canvas_puts(c, y, x, VMT_STYLE_DIM, ", self-check ");
		x = number(ui, c, y, x, VMT_FIELD_probe_canary);
		vmt_canvas_puts(c, y, x, VMT_STYLE_DIM, "   Enter: its mapping   \\: filter");
		return;
	}
	if (!reason[0])
		reason = ui->opts.live ? "the probe starts with the next sample"
				       : "single faults are not in a saved machine";
	vmt_draw_reason(c, y, vmt_bytes_of(reason));
}

/* Whether the selected fault is one that the user looks at, and not the one that came last. */
static bool is_held(const struct vmt_ui *ui, const struct faults_state *s)
{
	return s->left_tail || ui->frozen;
}

/* "instruction 7f1ccb342000: mmap_touch", of the selected fault. */
static void draw_code(struct vmt_ui *ui, const struct faults_state *s, struct vmt_canvas *c,
		      unsigned y)
{
	const struct vmt_single *one = vmt_table_selected(s->table);
	unsigned x;

	if (!one)
		return;
	x = vmt_draw_named(ui, c, y, 0, "instruction ", 0, VMT_STYLE_STRONG, &vmt_entity_single,
			   VMT_FIELD_single_ip, one);
	if (!VMT_HAS(single, ip, one))
		return;
	x = vmt_canvas_puts(c, y, x, VMT_STYLE_DIM, ": ");
	if (VMT_HAS(single, symbol, one) || is_held(ui, s) || !ui->opts.live) {
		vmt_draw_text(c, y, x, c->width > x ? c->width - x : 0, VMT_STYLE_STRONG,
			      &vmt_entity_single, VMT_FIELD_single_symbol, one);
		return;
	}
	x = vmt_draw_text(c, y, x, 1, VMT_STYLE_STRONG, &vmt_entity_single, VMT_FIELD_single_symbol,
			  one);
	vmt_canvas_puts(c, y, x, VMT_STYLE_DIM, "   Up or Space: stay, and name the function");
}

/* From this height on there is room for sums below the table. */
#define TALL	  40
#define SUM_LINES 12
/* From this height of the screen on, for the code of the selected fault. */
#define CODE_HEIGHT 14

static void draw(struct vmt_ui *ui, void *state, struct vmt_canvas *c, struct vmt_area area)
{
	const struct vmt_model *m = ui->model;
	struct faults_state *s = state;
	unsigned y = area.y, end = area.y + area.height;

	vmt_fault_sums(&s->sums, ui->model, s->table);
	vmt_draw_fault_head(ui, c, y++, &s->sums, s->table);
	if (area.height > 8)
		draw_foot(ui, c, --end);
	if (area.height > 8 && counts(m) && !VMT_HAS(probe, singles_total, &m->probe))
		vmt_draw_reason(c, --end,
				vmt_bytes_of(m->sample->sources[VMT_SOURCE_FAULT].reason));
	else if (area.height > CODE_HEIGHT)
		draw_code(ui, s, c, --end);
	if (c->height >= TALL && c->width >= VMT_WIDE) {
		end -= SUM_LINES;
		vmt_draw_fault_sums(c, (struct vmt_area){ end, 0, SUM_LINES, c->width }, &s->sums,
				    s->table);
	}
	vmt_table_draw(ui, s->table, c, (struct vmt_area){ y, 0, end - y, area.width });
}

static void want(const struct vmt_ui *ui, const void *state, struct vmt_ui_want *w)
{
	const struct faults_state *s = state;
	const struct vmt_single *one = vmt_table_selected(s->table);

	w->faults = true;
	w->singles = true;
	if (ui->opts.live && one && is_held(ui, s) && VMT_HAS(single, ip, one) &&
	    VMT_HAS(single, pid, one) && VMT_HAS(single, after_ns, one))
		w->code = (struct vmt_ui_code){
			.pid = one->pid,
			.ip = one->ip,
			.time_ns = ui->model->sample->faults->start_ns + one->after_ns,
		};
}

static void subject(const struct vmt_ui *ui, const void *state, struct vmt_ui_subject *ret)
{
	const struct faults_state *s = state;
	const struct vmt_single *one = vmt_table_selected(s->table);

	if (!one || !VMT_HAS(single, pid, one))
		return;
	*ret = (struct vmt_ui_subject){ .proc = { .pid = one->pid } };
	if (VMT_HAS(single, address, one))
		ret->address = one->address;
	if (VMT_HAS(single, device, one) && VMT_HAS(single, inode, one))
		ret->file = vmt_ui_file(one->device, one->inode);
}

static enum vmt_ui_act action(struct vmt_ui *ui, void *state, enum vmt_action act, bool *done_ret)
{
	struct faults_state *s = state;
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
	struct faults_state *s = state;

	return s->table;
}

const struct vmt_screen vmt_screen_faults = {
	.name = "faults",
	.title = "Faults",
	.help = "page faults as they come",
	.init = init,
	.done = done,
	.model = take_model,
	.draw = draw,
	.action = action,
	.want = want,
	.subject = subject,
	.table = table,
};
