/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "cmd/ui/popup-kinds.h"

#define N_UNITS (VMT_SIZE_PAGES + 1)

/* The lines of setup behind those of the settings. */
enum setup {
	SETUP_COLUMNS,
	SETUP_SORT,
	SETUP_SAVE,
	SETUP_COUNT,
};

/* What the configuration would hold, but for tables; nothing in it is to be freed. */
static struct vmt_ui_settings settings_of(const struct vmt_ui *ui)
{
	struct vmt_ui_settings s = ui->settings;

	s.unit = ui->unit;
	s.interval_ns = ui->interval_ns;
	return s;
}

/* The i-th setting that is of no screen, by its name and value. */
struct setting {
	size_t i, n;
	char name[16], value[32];
};

static void take_setting(void *arg, const char *section, const char *name, const char *value)
{
	struct setting *s = arg;

	if (*section)
		return;
	if (s->n++ == s->i) {
		snprintf(s->name, sizeof(s->name), "%s", name);
		snprintf(s->value, sizeof(s->value), "%s", value ? value : "");
	}
}

/* s->n: how many there are. */
static void find_setting(const struct vmt_ui *ui, size_t i, struct setting *s)
{
	const struct vmt_ui_settings now = settings_of(ui);

	*s = (struct setting){ .i = i };
	vmt_settings_each(&now, take_setting, s);
}

static size_t n_settings(const struct vmt_ui *ui)
{
	struct setting s;

	find_setting(ui, 0, &s);
	return s.n;
}

static const char *setting_help(const char *name)
{
	static const struct {
		const char *name;
		const char *help;
	} helps[] = {
		{ "delay", "time between two samples" },
		{ "unit", "unit of sizes" },
		{ "screen", "the screen to begin with" },
		{ "mouse", "wheel and clicks" },
		{ "events", "say what crashes, on every screen" },
		{ "ascii", "no characters beyond ASCII" },
		{ "color", "colours; auto: unless NO_COLOR is set" },
		{ "theme", "which colours" },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(helps); i++)
		if (strcmp(helps[i].name, name) == 0)
			return helps[i].help;
	return "";
}

/* Enter on a setting: the next value that it can have. */
static enum vmt_ui_act next_value(struct vmt_ui *ui, const char *name)
{
	struct vmt_ui_settings *s = &ui->settings;

	if (strcmp(name, "delay") == 0)
		return vmt_popup_open(ui, VMT_ACTION_DELAY);
	if (strcmp(name, "unit") == 0)
		ui->unit = (ui->unit + 1) % N_UNITS;
	else if (strcmp(name, "screen") == 0)
		s->screen = (s->screen + 1) % VMT_SCREEN_COUNT;
	else if (strcmp(name, "mouse") == 0)
		s->mouse = !s->mouse;
	else if (strcmp(name, "events") == 0)
		s->events = !s->events;
	else if (strcmp(name, "ascii") == 0)
		s->ascii = !s->ascii;
	else if (strcmp(name, "color") == 0)
		s->color = (s->color + 1) % (VMT_WHEN_NEVER + 1);
	else if (strcmp(name, "theme") == 0)
		s->theme = (s->theme + 1) % VMT_THEME_COUNT;
	return VMT_UI_DRAW;
}

/* Columns in the order of the menu: those that are shown come first. */
static int list_columns(const struct vmt_table *t, struct vmt_popup *p)
{
	size_t i, pass, all = vmt_table_choices(t);
	/* One can sort by what has a field alone. */
	bool fields = p->action == VMT_ACTION_SORT_MENU;

	p->items = calloc(all, sizeof(*p->items));
	if (!p->items)
		return -ENOMEM;
	for (pass = 0; pass < 2; pass++)
		for (i = 0; i < all; i++) {
			struct vmt_table_choice choice = vmt_table_choice(t, i);

			if (choice.on != (pass == 0) || (fields && !choice.sorts))
				continue;
			if (fields && choice.sorted)
				p->at = p->n;
			p->items[p->n++] = i;
		}
	return 0;
}

int vmt_popup_menu_init(struct vmt_ui *ui, struct vmt_popup *p)
{
	struct vmt_table *t = vmt_popup_table(ui);

	switch (p->action) {
	case VMT_ACTION_UNIT:
		p->n = N_UNITS;
		p->at = ui->unit;
		return 0;
	case VMT_ACTION_SETUP:
		p->n = n_settings(ui) + SETUP_COUNT;
		return 0;
	default:
		break;
	}
	if (!t) {
		vmt_ui_say(ui, "this screen has no table");
		return -ENOENT;
	}
	return list_columns(t, p);
}

static void setup_line(const struct vmt_ui *ui, size_t i, struct vmt_buf *text,
		       struct vmt_buf *help)
{
	const struct vmt_table *t = vmt_popup_table(ui);
	struct setting s;
	VMT_AUTO_BUF sort = { 0 };

	find_setting(ui, i, &s);
	if (i < s.n) {
		vmt_buf_addf(text, "%-8s %s", s.name, s.value);
		vmt_buf_adds(help, setting_help(s.name));
		return;
	}
	switch ((enum setup)(i - s.n)) {
	case SETUP_COLUMNS:
		vmt_buf_addf(text, "%-8s %s", "columns", t ? "..." : "-");
		vmt_buf_adds(help, "columns of the table of this screen");
		break;
	case SETUP_SORT:
		if (t)
			vmt_table_sort_text(t, &sort);
		vmt_buf_addf(text, "%-8s %s", "sort", sort.len ? sort.data : "-");
		vmt_buf_adds(help, "what that table is sorted by");
		break;
	case SETUP_SAVE:
	case SETUP_COUNT:
		vmt_buf_adds(text, "Save");
		vmt_buf_adds(help, "write this into the configuration of this user");
		break;
	}
}

/* A line of the menu, and its help, which may be empty. */
static void line_of(const struct vmt_ui *ui, const struct vmt_popup *p, size_t i,
		    struct vmt_buf *text, struct vmt_buf *help)
{
	const struct vmt_table *t = vmt_popup_table(ui);
	struct vmt_table_choice choice;

	if (p->action == VMT_ACTION_UNIT) {
		vmt_buf_addf(text, "(%c) %s", i == ui->unit ? '*' : ' ',
			     vmt_settings_unit((enum vmt_size_unit)i));
		return;
	}
	if (p->action == VMT_ACTION_SETUP) {
		setup_line(ui, i, text, help);
		return;
	}
	choice = vmt_table_choice(t, p->items[i]);
	if (p->action == VMT_ACTION_COLUMNS)
		vmt_buf_addf(text, "[%c] %s", choice.on ? 'x' : ' ', choice.title);
	else
		vmt_buf_addf(text, "(%c) %s", choice.sorted ? '*' : ' ', choice.title);
	if (choice.field)
		vmt_buf_adds(help, choice.field->help);
}

static enum vmt_ui_act choose_column(struct vmt_ui *ui, struct vmt_popup *p)
{
	struct vmt_table *t = vmt_popup_table(ui);
	size_t i = p->items[p->at];

	if (p->action == VMT_ACTION_COLUMNS) {
		vmt_table_choose(t, i, !vmt_table_choice(t, i).on);
		return VMT_UI_SAMPLE;
	}
	vmt_table_sort_choice(ui, t, i);
	vmt_popup_close(ui);
	return VMT_UI_SAMPLE;
}

/* The line at the cursor. */
static enum vmt_ui_act choose(struct vmt_ui *ui, struct vmt_popup *p)
{
	struct setting s;

	if (p->action == VMT_ACTION_UNIT) {
		ui->unit = (enum vmt_size_unit)p->at;
		vmt_popup_close(ui);
		return VMT_UI_DRAW;
	}
	if (p->action != VMT_ACTION_SETUP)
		return choose_column(ui, p);
	find_setting(ui, p->at, &s);
	if (p->at < s.n)
		return next_value(ui, s.name);
	switch ((enum setup)(p->at - s.n)) {
	case SETUP_COLUMNS:
		return vmt_popup_open(ui, VMT_ACTION_COLUMNS);
	case SETUP_SORT:
		return vmt_popup_open(ui, VMT_ACTION_SORT_MENU);
	case SETUP_SAVE:
	case SETUP_COUNT:
		break;
	}
	vmt_popup_close(ui);
	return VMT_UI_SAVE;
}

static enum vmt_ui_act click(struct vmt_ui *ui, struct vmt_popup *p, const struct vmt_ui_event *e)
{
	const struct vmt_area *in = &p->in;
	size_t at = p->first + e->y - in->y;

	if (e->y < in->y || e->y >= in->y + in->height || e->x < in->x ||
	    e->x >= in->x + in->width || at >= p->n) {
		vmt_popup_close(ui);
		return VMT_UI_DRAW;
	}
	p->at = at;
	return choose(ui, p);
}

static enum vmt_ui_act event(struct vmt_ui *ui, struct vmt_popup *p, const struct vmt_ui_event *e)
{
	if (e->key == VMT_KEY_CLICK)
		return click(ui, p, e);
	if (vmt_popup_move(e->key, p->n, p->in.height, &p->at))
		return VMT_UI_DRAW;
	if (e->key == VMT_KEY_ENTER || e->key == ' ')
		return p->n ? choose(ui, p) : VMT_UI_NONE;
	if (e->key == '0' && p->action == VMT_ACTION_COLUMNS) {
		vmt_table_choose_default(vmt_popup_table(ui));
		return VMT_UI_SAMPLE;
	}
	if (e->key == VMT_KEY_PASTE)
		return VMT_UI_NONE;
	switch (vmt_key_action(e->key)) {
	case VMT_ACTION_BACK:
	case VMT_ACTION_QUIT:
		vmt_popup_close(ui);
		return VMT_UI_DRAW;
	default:
		/* The key that opened it closes it. */
		if (vmt_key_action(e->key) != p->action)
			return VMT_UI_NONE;
		vmt_popup_close(ui);
		return VMT_UI_DRAW;
	}
}

static void draw(struct vmt_ui *ui, struct vmt_popup *p, struct vmt_canvas *c)
{
	static const char *const hint[] = { "Enter: choose   Esc: close",
					    "Enter: on or off   0: as at first   Esc: close" };
	bool columns = p->action == VMT_ACTION_COLUMNS;
	const char *title = vmt_actions[p->action].help;
	unsigned width = 40, i;
	VMT_AUTO_BUF text = { 0 };
	VMT_AUTO_BUF help = { 0 };

	/* Fields are explained below the list. */
	if (p->items || p->action == VMT_ACTION_SETUP)
		width = 60;
	p->in = vmt_popup_box(c, p->n + 2, width, title);
	if (p->in.height < 3)
		return;
	p->in.height -= 2;
	if (p->at < p->first)
		p->first = p->at;
	if (p->at >= p->first + p->in.height)
		p->first = p->at - p->in.height + 1;
	for (i = 0; i < p->in.height && p->first + i < p->n; i++) {
		bool chosen = p->first + i == p->at;
		VMT_AUTO_BUF other = { 0 };

		vmt_buf_clear(&text);
		line_of(ui, p, p->first + i, &text, chosen ? &help : &other);
		vmt_canvas_puts(c, p->in.y + i, p->in.x - 1,
				chosen ? VMT_STYLE_SELECTED : VMT_STYLE_NORMAL, chosen ? ">" : " ");
		vmt_canvas_bytes(c, p->in.y + i, p->in.x, p->in.width,
				 chosen ? VMT_STYLE_SELECTED : VMT_STYLE_NORMAL,
				 (struct vmt_bytes){ text.data, text.len }, VMT_FIT_LEFT);
	}
	vmt_canvas_bytes(c, p->in.y + p->in.height, p->in.x, p->in.width, VMT_STYLE_NORMAL,
			 (struct vmt_bytes){ help.data, help.len }, VMT_FIT_LEFT);
	vmt_canvas_bytes(c, p->in.y + p->in.height + 1, p->in.x, p->in.width, VMT_STYLE_DIM,
			 vmt_bytes_of(hint[columns]), VMT_FIT_LEFT);
	if (vmt_buf_error(&text) < 0)
		c->error = -ENOMEM;
}

const struct vmt_popup_kind vmt_popup_menu = { event, draw };
