/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "base/parse.h"
#include "cmd/ui/popup-kinds.h"
#include "cmd/ui/row-filter.h"

/* Lines of the list above the palette. */
#define CANDIDATES 10

int vmt_popup_prompt_init(struct vmt_ui *ui, struct vmt_popup *p)
{
	struct vmt_table *t = vmt_popup_table(ui);
	VMT_AUTO_BUF text = { 0 };

	switch (p->action) {
	case VMT_ACTION_DELAY:
		vmt_buf_addf(&text, "%u.%u", (unsigned)(ui->interval_ns / 1000000000),
			     (unsigned)(ui->interval_ns / 100000000 % 10));
		if (vmt_buf_error(&text) < 0)
			return -ENOMEM;
		vmt_line_set(&p->line, text.data);
		return 0;
	case VMT_ACTION_LATER:
	case VMT_ACTION_EARLIER:
		vmt_line_set(&p->line, "10m");
		return 0;
	case VMT_ACTION_TO_TIME:
	case VMT_ACTION_PALETTE:
		return 0;
	default:
		break;
	}
	if (!t) {
		vmt_ui_say(ui, "this screen has no table");
		return -ENOENT;
	}
	if (p->action == VMT_ACTION_FILTER) {
		p->before = strdup(vmt_table_filter_text(t));
		if (!p->before)
			return -ENOMEM;
		vmt_line_set(&p->line, p->before);
	}
	return 0;
}

/* Actions by their names: those that begin with what was typed, or where none does those that have
 * it somewhere. The i-th of them, or NONE; *ret_n how many there are. */
static enum vmt_action candidate(const char *text, size_t i, size_t *ret_n)
{
	size_t len = strcspn(text, " "), n = 0;
	enum vmt_action found = VMT_ACTION_NONE;
	int pass, a;

	for (pass = 0; pass < 2 && !n; pass++)
		for (a = 1; a < VMT_ACTION_COUNT; a++) {
			const char *name = vmt_actions[a].name;

			if (!name || (pass == 0 ? strncmp(name, text, len) != 0
						: !memmem(name, strlen(name), text, len)))
				continue;
			if (n == i)
				found = (enum vmt_action)a;
			n++;
		}
	if (ret_n)
		*ret_n = n;
	return found;
}

/* What the names of all candidates begin with; how many bytes of the first of them. */
static size_t in_common(const char *text)
{
	const char *first;
	size_t i, n, len;

	candidate(text, 0, &n);
	if (!n)
		return 0;
	first = vmt_actions[candidate(text, 0, NULL)].name;
	len = strlen(first);
	for (i = 1; i < n; i++) {
		const char *name = vmt_actions[candidate(text, i, NULL)].name;
		size_t same = 0;

		while (same < len && name[same] == first[same])
			same++;
		len = same;
	}
	return len;
}

/* Tab: as much as all candidates have in common; or else the one at the cursor, and so on. */
static void complete(struct vmt_popup *p)
{
	char text[VMT_LINE_BYTES];
	size_t n, len = in_common(p->line.text);
	enum vmt_action a = candidate(p->line.text, p->at, &n);

	if (!n || strchr(p->line.text, ' '))
		return;
	if (len > p->line.len)
		snprintf(text, sizeof(text), "%.*s", (int)len,
			 vmt_actions[candidate(p->line.text, 0, NULL)].name);
	else
		snprintf(text, sizeof(text), "%s", vmt_actions[a].name);
	vmt_line_set(&p->line, text);
	p->at = 0;
}

static int set_delay(struct vmt_ui *ui, const char *text, struct vmt_err *err)
{
	uint64_t ns;

	if (vmt_parse_duration(text, &ns) < 0 || ns < VMT_UI_INTERVAL_MIN_NS ||
	    ns > VMT_UI_INTERVAL_MAX_NS)
		return vmt_err_set(err, -EINVAL, NULL, 0, "0.1 to 60 seconds: as 2, 0.5, 500ms");
	ui->interval_ns = ns;
	return 0;
}

/* By how long, or to when, in a recording. */
static int set_order(struct vmt_ui *ui, enum vmt_action action, const char *text,
		     struct vmt_err *err)
{
	uint64_t ns;

	if (!ui->opts.replay)
		return vmt_err_set(err, -EINVAL, NULL, 0, "this is no recording");
	if (action == VMT_ACTION_TO_TIME) {
		ui->order = (struct vmt_ui_order){ .kind = VMT_ORDER_TO };
		snprintf(ui->order.text, sizeof(ui->order.text), "%s", text);
		return 0;
	}
	if (vmt_parse_duration(text, &ns) < 0 || !ns)
		return vmt_err_set(err, -EINVAL, NULL, 0, "a time, as 30, 10m or 1h");
	ui->order = (struct vmt_ui_order){
		.kind = VMT_ORDER_BY,
		.by = action == VMT_ACTION_LATER ? (int64_t)ns : -(int64_t)ns,
	};
	return 0;
}

static bool is_order(enum vmt_action action)
{
	return action == VMT_ACTION_LATER || action == VMT_ACTION_EARLIER ||
	       action == VMT_ACTION_TO_TIME;
}

static int set_unit(struct vmt_ui *ui, const char *text, struct vmt_err *err)
{
	int i;

	for (i = 0; i <= VMT_SIZE_PAGES; i++)
		if (strlen(text) == strlen(vmt_settings_unit((enum vmt_size_unit)i)) &&
		    vmt_bytes_contains(vmt_bytes_of(text),
				       vmt_bytes_of(vmt_settings_unit((enum vmt_size_unit)i)))) {
			ui->unit = (enum vmt_size_unit)i;
			return 0;
		}
	return vmt_err_set(err, -EINVAL, NULL, 0, "auto, KiB, MiB, GiB, pages or bytes");
}

/* An action with something behind its name: "sort -rss". 0, or why not in err. */
static int run_with(struct vmt_ui *ui, enum vmt_action action, const char *arg, struct vmt_err *err)
{
	struct vmt_table *t = vmt_popup_table(ui);

	switch (action) {
	case VMT_ACTION_DELAY:
		return set_delay(ui, arg, err);
	case VMT_ACTION_UNIT:
		return set_unit(ui, arg, err);
	case VMT_ACTION_LATER:
	case VMT_ACTION_EARLIER:
	case VMT_ACTION_TO_TIME:
		return set_order(ui, action, arg, err);
	case VMT_ACTION_SEARCH:
	case VMT_ACTION_FILTER:
	case VMT_ACTION_SORT_MENU:
	case VMT_ACTION_COLUMNS:
		break;
	default:
		return vmt_err_set(err, -EINVAL, NULL, 0, "nothing can follow %s",
				   vmt_actions[action].name);
	}
	if (!t)
		return vmt_err_set(err, -EINVAL, NULL, 0, "this screen has no table");
	if (action == VMT_ACTION_FILTER)
		return vmt_table_filter(ui, t, arg, err);
	if (action == VMT_ACTION_SORT_MENU)
		return vmt_table_sort(ui, t, arg, err);
	if (action == VMT_ACTION_COLUMNS)
		return vmt_table_columns(t, arg, err);
	vmt_table_search(ui, t, arg);
	return 0;
}

/* Keeps the prompt open and says why. */
static enum vmt_ui_act refuse(struct vmt_popup *p, int code, const struct vmt_err *err)
{
	snprintf(p->error, sizeof(p->error), "%s", code == -ENOMEM ? "out of memory" : err->text);
	return VMT_UI_DRAW;
}

static enum vmt_ui_act run(struct vmt_ui *ui, struct vmt_popup *p)
{
	const char *text = p->line.text, *arg = strchr(text, ' ');
	struct vmt_err err = { 0 };
	enum vmt_action action = VMT_ACTION_NONE;
	size_t n, i;
	int r;

	candidate(text, 0, &n);
	for (i = 0; i < n; i++) {
		enum vmt_action a = candidate(text, i, NULL);

		/* One that is called so goes before those that begin so. */
		if (strlen(vmt_actions[a].name) == strcspn(text, " "))
			action = a;
	}
	if (!action)
		action = candidate(text, p->at, NULL);
	if (!action || !*text) {
		vmt_err_set(&err, -EINVAL, NULL, 0, "nothing is called so");
		return refuse(p, -EINVAL, &err);
	}
	arg = arg ? arg + strspn(arg, " ") : "";
	if (*arg) {
		r = run_with(ui, action, arg, &err);
		if (r < 0)
			return refuse(p, r, &err);
		vmt_popup_close(ui);
		return is_order(action) ? VMT_UI_REPLAY : VMT_UI_SAMPLE;
	}
	vmt_popup_close(ui);
	r = (int)vmt_ui_action(ui, action);
	return r == VMT_UI_NONE ? VMT_UI_DRAW : (enum vmt_ui_act)r;
}

static enum vmt_ui_act enter(struct vmt_ui *ui, struct vmt_popup *p)
{
	struct vmt_table *t = vmt_popup_table(ui);
	struct vmt_err err = { 0 };
	int r;

	switch (p->action) {
	case VMT_ACTION_PALETTE:
		return run(ui, p);
	case VMT_ACTION_DELAY:
		r = set_delay(ui, p->line.text, &err);
		break;
	case VMT_ACTION_FILTER:
		r = vmt_table_filter(ui, t, p->line.text, &err);
		break;
	case VMT_ACTION_LATER:
	case VMT_ACTION_EARLIER:
	case VMT_ACTION_TO_TIME:
		r = set_order(ui, p->action, p->line.text, &err);
		if (r < 0)
			return refuse(p, r, &err);
		vmt_popup_close(ui);
		return VMT_UI_REPLAY;
	default:
		/* What was found is selected already. */
		vmt_popup_close(ui);
		return VMT_UI_DRAW;
	}
	if (r < 0)
		return refuse(p, r, &err);
	vmt_popup_close(ui);
	return VMT_UI_SAMPLE;
}

/* Esc: as it was before. */
static enum vmt_ui_act leave(struct vmt_ui *ui, struct vmt_popup *p)
{
	struct vmt_table *t = vmt_popup_table(ui);

	if (p->action == VMT_ACTION_FILTER)
		vmt_table_filter(ui, t, p->before, NULL);
	else if (p->action == VMT_ACTION_SEARCH)
		vmt_table_search(ui, t, "");
	vmt_popup_close(ui);
	return VMT_UI_DRAW;
}

/* The text is another: searching and filtering go along. */
static enum vmt_ui_act changed(struct vmt_ui *ui, struct vmt_popup *p)
{
	struct vmt_err err = { 0 };
	int r;

	p->error[0] = 0;
	p->at = 0;
	if (p->action == VMT_ACTION_SEARCH) {
		vmt_table_search(ui, vmt_popup_table(ui), p->line.text);
		/* It is said in the line of the prompt. */
		snprintf(p->error, sizeof(p->error), "%.*s", (int)sizeof(p->error) - 1, ui->said);
		ui->said[0] = 0;
	} else if (p->action == VMT_ACTION_FILTER) {
		r = vmt_table_filter(ui, vmt_popup_table(ui), p->line.text, &err);
		if (r < 0)
			return refuse(p, r, &err);
	}
	return VMT_UI_DRAW;
}

static enum vmt_ui_act event(struct vmt_ui *ui, struct vmt_popup *p, const struct vmt_ui_event *e)
{
	bool other;
	size_t n;

	if (e->key == VMT_KEY_ENTER)
		return enter(ui, p);
	if (e->key == VMT_KEY_ESC)
		return leave(ui, p);
	/* Backspace in a line that is empty leaves it. */
	if (e->key == VMT_KEY_BACKSPACE && !p->line.len)
		return leave(ui, p);
	if (p->action == VMT_ACTION_PALETTE) {
		candidate(p->line.text, 0, &n);
		if (e->key == VMT_KEY_TAB) {
			complete(p);
			return VMT_UI_DRAW;
		}
		if (e->key == VMT_KEY_UP || e->key == VMT_KEY_DOWN || e->key == VMT_KEY_PAGE_UP ||
		    e->key == VMT_KEY_PAGE_DOWN) {
			vmt_popup_move(e->key, n, CANDIDATES, &p->at);
			return VMT_UI_DRAW;
		}
	}
	if (!vmt_line_event(&p->line, e, &other))
		return VMT_UI_NONE;
	return other ? changed(ui, p) : VMT_UI_DRAW;
}

/* The names that would complete what was typed, above the line. */
static void draw_candidates(struct vmt_popup *p, struct vmt_canvas *c)
{
	struct vmt_area a = { .width = c->width < 64 ? c->width : 64 }, in;
	char key[16];
	size_t n;
	unsigned i;

	candidate(p->line.text, 0, &n);
	if (!n || c->height < 4)
		return;
	a.height = (unsigned)(n < CANDIDATES ? n : CANDIDATES) + 2;
	a.height = a.height < c->height - 1 ? a.height : c->height - 1;
	a.y = c->height - 1 - a.height;
	in = vmt_box_draw(c, a, "");
	if (!in.height)
		return;
	if (p->at < p->first)
		p->first = p->at;
	if (p->at >= p->first + in.height)
		p->first = p->at - in.height + 1;
	for (i = 0; i < in.height && p->first + i < n; i++) {
		enum vmt_action action = candidate(p->line.text, p->first + i, NULL);
		uint32_t code = vmt_action_key(action);
		char text[128];

		snprintf(text, sizeof(text), "%s%-16s %-9s %s", p->first + i == p->at ? ">" : " ",
			 vmt_actions[action].name, code ? vmt_key_name(code, key, sizeof(key)) : "",
			 vmt_actions[action].help);
		vmt_canvas_bytes(c, in.y + i, in.x - 1, in.width + 1,
				 p->first + i == p->at ? VMT_STYLE_SELECTED : VMT_STYLE_NORMAL,
				 vmt_bytes_of(text), VMT_FIT_LEFT);
	}
}

static void draw(struct vmt_ui *ui, struct vmt_popup *p, struct vmt_canvas *c)
{
	const char *label = p->action == VMT_ACTION_SEARCH    ? "/"
			    : p->action == VMT_ACTION_FILTER  ? "\\"
			    : p->action == VMT_ACTION_DELAY   ? "delay: "
			    : p->action == VMT_ACTION_LATER   ? "forward by: "
			    : p->action == VMT_ACTION_EARLIER ? "back by: "
			    : p->action == VMT_ACTION_TO_TIME ? "to: "
							      : ":";
	unsigned x, y, width;

	(void)ui;
	if (!c->height)
		return;
	y = c->height - 1;
	if (p->action == VMT_ACTION_PALETTE)
		draw_candidates(p, c);
	x = vmt_line_draw(&p->line, c, y, 0, c->width, label);
	width = vmt_text_width(vmt_bytes_of(p->error), c->ascii);
	if (width && x + 3 < c->width)
		vmt_canvas_bytes(c, y, x + 2, c->width - x - 2, VMT_STYLE_WARNING,
				 vmt_bytes_of(p->error), VMT_FIT_LEFT);
}

const struct vmt_popup_kind vmt_popup_prompt = { event, draw };
