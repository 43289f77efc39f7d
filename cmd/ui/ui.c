/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/ui/ui.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#include "cmd/ui/popup.h"
#include "cmd/ui/table.h"

const struct vmt_screen *const vmt_screens[VMT_SCREEN_COUNT] = {
	[VMT_SCREEN_SYSTEM] = &vmt_screen_system, [VMT_SCREEN_PROCS] = &vmt_screen_procs,
	[VMT_SCREEN_VMAS] = &vmt_screen_vmas,	  [VMT_SCREEN_PAGES] = &vmt_screen_pages,
	[VMT_SCREEN_FAULTS] = &vmt_screen_faults, [VMT_SCREEN_CACHE] = &vmt_screen_cache,
	[VMT_SCREEN_EVENTS] = &vmt_screen_events,
};

int vmt_screen_find(const char *name)
{
	int i;

	for (i = 0; i < VMT_SCREEN_COUNT; i++)
		if (strcmp(vmt_screens[i]->name, name) == 0)
			return i;
	return -EINVAL;
}

const char *vmt_screen_name(enum vmt_screen_id id)
{
	return vmt_screens[id]->name;
}

/* The screen that is shown, and what it keeps. */
static const struct vmt_screen *shown(const struct vmt_ui *ui, void **ret_state)
{
	enum vmt_screen_id id = vmt_ui_view(ui)->screen;

	*ret_state = ui->states[id];
	return vmt_screens[id];
}

int vmt_ui_new(const struct vmt_ui_opts *opts, struct vmt_ui **ret, struct vmt_err *err)
{
	VMT_AUTO_UI ui = calloc(1, sizeof(struct vmt_ui));
	size_t i;
	int r;

	if (!ui)
		return -ENOMEM;
	ui->opts = *opts;
	ui->unit = opts->unit;
	ui->interval_ns = opts->interval_ns;
	ui->subject.proc = opts->proc;
	vmt_settings_init(&ui->settings);
	vmt_settings_init(&ui->given);
	vmt_settings_init(&ui->files);
	ui->views[0] = (struct vmt_view){ opts->screen, ui->subject };
	ui->n_views = 1;
	for (i = 0; i < VMT_SCREEN_COUNT; i++) {
		r = vmt_screens[i]->init ? vmt_screens[i]->init(ui, &ui->states[i]) : 0;
		if (r < 0)
			return r;
	}
	*ret = VMT_STEAL(ui);
	return 0;
}

void vmt_ui_free(struct vmt_ui *ui)
{
	size_t i;

	if (!ui)
		return;
	vmt_popup_free(ui->popup);
	vmt_settings_done(&ui->settings);
	vmt_settings_done(&ui->given);
	vmt_settings_done(&ui->files);
	vmt_settings_done(&ui->first);
	for (i = 0; i < VMT_SCREEN_COUNT; i++)
		if (ui->states[i])
			vmt_screens[i]->done(ui->states[i]);
	free(ui);
}

void vmt_ui_slow(struct vmt_ui *ui, uint64_t interval_ns)
{
	ui->slow_ns = interval_ns;
}

void vmt_ui_say(struct vmt_ui *ui, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(ui->said, sizeof(ui->said), fmt, args);
	va_end(args);
}

/* How long it is shown what died, where no key is pressed. */
#define DIED_NS (UINT64_C(30) * 1000000000)

/* Says what died since the model before. */
static void tell_died(struct vmt_ui *ui)
{
	const struct vmt_model *m = ui->model;
	const struct vmt_event *e = m->n_events ? &m->events[m->n_events - 1] : NULL;
	uint64_t now = m->sample->host.monotonic_ns;
	VMT_AUTO_BUF text = { 0 };
	char clock[32];

	/* In a recording it is of the sample that is shown. */
	if (ui->opts.replay || now - ui->died_ns > DIED_NS)
		ui->died[0] = 0;
	if (!e || !m->n_events_new)
		return;
	vmt_ui_clock(VMT_HAS(event, time, e) ? e->time : (struct vmt_bytes){ 0 }, "%H:%M:%S", clock,
		     sizeof(clock));
	vmt_buf_addf(&text, "%s ", clock);
	vmt_fmt_safe(&text, VMT_HAS(event, comm, e) ? e->comm : VMT_BYTES("-"), ui->opts.ascii);
	vmt_buf_addf(&text, "[%" PRIu64 "] ", VMT_HAS(event, pid, e) ? e->pid : 0);
	if (m->n_events_new > 1)
		vmt_buf_addf(&text, "(and %zu before) ", m->n_events_new - 1);
	vmt_fmt_safe(&text, VMT_HAS(event, text, e) ? e->text : VMT_BYTES("-"), ui->opts.ascii);
	if (vmt_buf_error(&text) < 0)
		return;
	snprintf(ui->died, sizeof(ui->died), "%s", text.data);
	ui->died_ns = now;
}

int vmt_ui_model(struct vmt_ui *ui, const struct vmt_model *m, uint64_t took_ns)
{
	size_t i;
	int r;

	ui->model = m;
	ui->took_ns = took_ns;
	tell_died(ui);
	for (i = 0; i < VMT_SCREEN_COUNT; i++) {
		r = vmt_screens[i]->model ? vmt_screens[i]->model(ui, ui->states[i]) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

/* What is selected on the screen that is shown, or else what it was opened for. */
struct vmt_ui_subject vmt_ui_subject(const struct vmt_ui *ui)
{
	struct vmt_ui_subject subject = ui->subject;
	void *state;
	const struct vmt_screen *s = shown(ui, &state);

	if (s->subject)
		s->subject(ui, state, &subject);
	return subject;
}

enum vmt_screen_id vmt_ui_screen(const struct vmt_ui *ui)
{
	return vmt_ui_view(ui)->screen;
}

struct vmt_ui_file vmt_ui_file(struct vmt_bytes device, uint64_t inode)
{
	struct vmt_ui_file f = { .inode = inode };

	if (!inode || !device.len || device.len >= sizeof(f.device))
		return (struct vmt_ui_file){ 0 };
	memcpy(f.device, device.ptr, device.len);
	return f;
}

enum vmt_ui_act vmt_ui_open(struct vmt_ui *ui, enum vmt_screen_id screen,
			    const struct vmt_ui_subject *subject)
{
	if (ui->n_views < VMT_VIEWS_MAX)
		ui->n_views++;
	ui->subject = *subject;
	ui->views[ui->n_views - 1] = (struct vmt_view){ screen, *subject };
	return VMT_UI_SAMPLE;
}

enum vmt_ui_act vmt_ui_switch(struct vmt_ui *ui, enum vmt_screen_id screen)
{
	struct vmt_ui_subject subject = vmt_ui_subject(ui);

	/* All of a screen is asked for, and no file of it. */
	subject.file = (struct vmt_ui_file){ 0 };
	ui->n_views = 0;
	return vmt_ui_open(ui, screen, &subject);
}

enum vmt_ui_act vmt_ui_back(struct vmt_ui *ui)
{
	if (ui->n_views < 2) {
		vmt_ui_say(ui, "this is the first view");
		return VMT_UI_DRAW;
	}
	ui->n_views--;
	ui->subject = vmt_ui_view(ui)->subject;
	return VMT_UI_SAMPLE;
}

/* Opens a screen for what is selected, where that is enough for it. */
static enum vmt_ui_act go(struct vmt_ui *ui, enum vmt_screen_id screen)
{
	struct vmt_ui_subject subject = vmt_ui_subject(ui);

	if (screen == VMT_SCREEN_VMAS && !subject.proc.pid) {
		vmt_ui_say(ui, "no process is selected");
		return VMT_UI_DRAW;
	}
	if (screen == VMT_SCREEN_PAGES && !subject.end) {
		vmt_ui_say(ui, "no mapping is selected");
		return VMT_UI_DRAW;
	}
	if (screen == VMT_SCREEN_CACHE && !*subject.file.device) {
		vmt_ui_say(ui, "no file is selected");
		return VMT_UI_DRAW;
	}
	return vmt_ui_open(ui, screen, &subject);
}

void vmt_ui_place(struct vmt_ui *ui, const struct vmt_ui_place *place)
{
	ui->place = *place;
}

struct vmt_ui_order vmt_ui_order(const struct vmt_ui *ui)
{
	return ui->order;
}

/* What is done in a recording, and nowhere else. */
static enum vmt_ui_act replay(struct vmt_ui *ui, enum vmt_action action)
{
	if (!ui->opts.replay) {
		vmt_ui_say(ui, "this is no recording");
		return VMT_UI_DRAW;
	}
	switch (action) {
	case VMT_ACTION_STEP:
		ui->order = (struct vmt_ui_order){ .kind = VMT_ORDER_STEP, .by = 1 };
		return VMT_UI_REPLAY;
	case VMT_ACTION_STEP_BACK:
		ui->order = (struct vmt_ui_order){ .kind = VMT_ORDER_STEP, .by = -1 };
		return VMT_UI_REPLAY;
	case VMT_ACTION_PLAY:
		ui->order = (struct vmt_ui_order){ .kind = VMT_ORDER_PLAY };
		return VMT_UI_REPLAY;
	default:
		return vmt_popup_open(ui, action);
	}
}

static enum vmt_ui_act freeze(struct vmt_ui *ui, enum vmt_frozen how)
{
	ui->frozen = ui->frozen ? VMT_FROZEN_NOT : how;
	return ui->frozen ? VMT_UI_DRAW : VMT_UI_SAMPLE;
}

/* A full bar is at least this part of the whole. */
#define ZOOM_MAX 10

/* Bars of the machine; other screens have others, or none. */
static enum vmt_ui_act zoom(struct vmt_ui *ui, bool in)
{
	enum vmt_screen_id now = vmt_ui_view(ui)->screen;

	if (now != VMT_SCREEN_SYSTEM && now != VMT_SCREEN_PROCS)
		vmt_ui_say(ui, "this screen has nothing to zoom");
	else if (in && ui->zoom == ZOOM_MAX)
		vmt_ui_say(ui, "a bar is no less than 1/%u of the whole", 1u << ZOOM_MAX);
	else if (!in && !ui->zoom)
		vmt_ui_say(ui, "a bar is all of it");
	else if (in)
		ui->zoom++;
	else
		ui->zoom--;
	return VMT_UI_DRAW;
}

static enum vmt_ui_act common(struct vmt_ui *ui, enum vmt_action action)
{
	enum vmt_screen_id now = vmt_ui_view(ui)->screen;

	if (action >= VMT_ACTION_SCREEN && action <= VMT_ACTION_SCREEN_LAST)
		return vmt_ui_switch(ui, (enum vmt_screen_id)(action - VMT_ACTION_SCREEN));
	switch (action) {
	case VMT_ACTION_NEXT_SCREEN:
		return vmt_ui_switch(ui, (now + 1) % VMT_SCREEN_COUNT);
	case VMT_ACTION_PREV_SCREEN:
		return vmt_ui_switch(ui, (now + VMT_SCREEN_COUNT - 1) % VMT_SCREEN_COUNT);
	case VMT_ACTION_BACK:
		return vmt_ui_back(ui);
	case VMT_ACTION_QUIT:
		return ui->n_views > 1 ? vmt_ui_back(ui) : VMT_UI_QUIT;
	case VMT_ACTION_QUIT_ALL:
		return VMT_UI_QUIT;
	case VMT_ACTION_STEP:
	case VMT_ACTION_STEP_BACK:
	case VMT_ACTION_LATER:
	case VMT_ACTION_EARLIER:
	case VMT_ACTION_TO_TIME:
	case VMT_ACTION_PLAY:
		return replay(ui, action);
	case VMT_ACTION_FREEZE:
		if (ui->opts.replay)
			return replay(ui, VMT_ACTION_PLAY);
		return freeze(ui, VMT_FROZEN_ALL);
	case VMT_ACTION_HOLD:
		if (ui->opts.replay)
			return replay(ui, VMT_ACTION_PLAY);
		return freeze(ui, VMT_FROZEN_SHOWN);
	case VMT_ACTION_RECORD:
		if (!ui->opts.replay)
			return VMT_UI_RECORD;
		vmt_ui_say(ui, "this is a recording");
		return VMT_UI_DRAW;
	case VMT_ACTION_REPORT:
		return VMT_UI_REPORT;
	case VMT_ACTION_ZOOM_IN:
	case VMT_ACTION_ZOOM_OUT:
		return zoom(ui, action == VMT_ACTION_ZOOM_IN);
	case VMT_ACTION_TO_PAGES:
		return go(ui, VMT_SCREEN_PAGES);
	case VMT_ACTION_TO_FAULTS:
		return go(ui, VMT_SCREEN_FAULTS);
	case VMT_ACTION_TO_VMAS:
		return go(ui, VMT_SCREEN_VMAS);
	case VMT_ACTION_TO_CACHE:
		return go(ui, VMT_SCREEN_CACHE);
	default:
		return vmt_popup_open(ui, action);
	}
}

enum vmt_ui_act vmt_ui_action(struct vmt_ui *ui, enum vmt_action action)
{
	void *state;
	const struct vmt_screen *s = shown(ui, &state);
	struct vmt_table *table = s->table ? s->table(state) : NULL;
	enum vmt_ui_act act = VMT_UI_NONE;
	bool done = false;

	if (s->action)
		act = s->action(ui, state, action, &done);
	if (!done && table) {
		act = vmt_table_action(ui, table, action, &done);
		if (action >= VMT_ACTION_UP && action <= VMT_ACTION_END && !vmt_table_shown(table))
			vmt_ui_say(ui, "there are no rows");
	}
	return done ? act : common(ui, action);
}

/* A click on a key acts as the key; one on a row or a heading is the table's. */
static enum vmt_ui_act mouse(struct vmt_ui *ui, const struct vmt_ui_event *event)
{
	void *state;
	const struct vmt_screen *s = shown(ui, &state);
	struct vmt_table *table = s->table ? s->table(state) : NULL;
	const struct vmt_spot *spot = NULL;
	enum vmt_ui_act act = VMT_UI_NONE;
	bool done = false;

	if (event->key == VMT_KEY_CLICK && ui->canvas)
		spot = vmt_canvas_at(ui->canvas, event->y, event->x, 1u << VMT_SPOT_KEY);
	if (spot)
		return vmt_ui_event(ui, &(struct vmt_ui_event){ .key = spot->code });
	if (table)
		act = vmt_table_mouse(ui, table, event, &done);
	if (!done && event->key == VMT_KEY_WHEEL_UP)
		act = vmt_ui_action(ui, VMT_ACTION_UP);
	if (!done && event->key == VMT_KEY_WHEEL_DOWN)
		act = vmt_ui_action(ui, VMT_ACTION_DOWN);
	return act;
}

enum vmt_ui_act vmt_ui_event(struct vmt_ui *ui, const struct vmt_ui_event *event)
{
	bool said = ui->said[0] || ui->died[0];
	enum vmt_ui_act act = VMT_UI_NONE;
	enum vmt_action action;

	ui->said[0] = 0;
	ui->died[0] = 0;
	if (ui->popup) {
		act = vmt_popup_event(ui, event);
	} else if (event->key == VMT_KEY_CLICK || event->key == VMT_KEY_WHEEL_UP ||
		   event->key == VMT_KEY_WHEEL_DOWN) {
		act = mouse(ui, event);
	} else if (event->key != VMT_KEY_PASTE) {
		action = ui->opts.replay ? vmt_replay_key_action(event->key) : VMT_ACTION_NONE;
		if (!action)
			action = vmt_key_action(event->key);
		if (action)
			act = vmt_ui_action(ui, action);
	}
	return act == VMT_UI_NONE && said ? VMT_UI_DRAW : act;
}

void vmt_ui_wants(const struct vmt_ui *ui, struct vmt_ui_want *ret)
{
	void *state;
	const struct vmt_screen *s = shown(ui, &state);

	*ret = (struct vmt_ui_want){
		.screen = vmt_ui_view(ui)->screen,
		.sampling = ui->frozen != VMT_FROZEN_ALL,
		.still = ui->opts.replay && !ui->place.playing,
		.held = ui->frozen == VMT_FROZEN_SHOWN,
		.interval_ns = ui->interval_ns,
		.sources = VMT_SOURCE_BIT(MEMINFO) | VMT_SOURCE_BIT(VMSTAT) |
			   VMT_SOURCE_BIT(ZONEINFO),
		.events = !ui->opts.batch && ui->settings.events,
	};
	if (s->want)
		s->want(ui, state, ret);
}

/* Terminals on which there is room for one line and no more. */
#define LINE_HEIGHT 10
#define LINE_WIDTH  40

int vmt_ui_draw(struct vmt_ui *ui, struct vmt_canvas *c)
{
	void *state;
	const struct vmt_screen *s = shown(ui, &state);
	struct vmt_area area = { .y = 1, .width = c->width };

	vmt_canvas_clear(c);
	ui->canvas = c;
	if (c->height < LINE_HEIGHT || c->width < LINE_WIDTH) {
		vmt_draw_line(ui, c, 0);
	} else {
		area.height = c->height - 1 - (ui->opts.batch ? 0 : 1);
		vmt_draw_tabs(ui, c, 0);
		if (ui->model && s->draw)
			s->draw(ui, state, c, area);
		else
			vmt_canvas_puts(c, 2, 0, VMT_STYLE_DIM, "reading ...");
		if (!ui->opts.batch)
			vmt_draw_keys(ui, c, c->height - 1);
	}
	if (ui->popup)
		vmt_popup_draw(ui, c);
	return c->error;
}
