/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "cmd/ui/popup-kinds.h"

static const char *const units[] = {
	[VMT_SIZE_HUMAN] = "auto", [VMT_SIZE_KIB] = "KiB",     [VMT_SIZE_MIB] = "MiB",
	[VMT_SIZE_GIB] = "GiB",	   [VMT_SIZE_PAGES] = "pages", [VMT_SIZE_BYTES] = "bytes",
};

const char *vmt_popup_unit(enum vmt_size_unit unit)
{
	return units[unit];
}

/* The lines of setup. */
enum setup {
	SETUP_UNIT,
	SETUP_DELAY,
	SETUP_COLUMNS,
	SETUP_SORT,
	SETUP_SAVE,
	SETUP_COUNT,
};

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

			if (choice.on != (pass == 0) || (fields && !choice.field))
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
		p->n = VMT_ARRAY_LEN(units);
		p->at = ui->unit;
		return 0;
	case VMT_ACTION_SETUP:
		p->n = SETUP_COUNT;
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

/* A line of the menu: mark, text and help; *ret_help may be empty. */
static void line_of(const struct vmt_ui *ui, const struct vmt_popup *p, size_t i,
		    struct vmt_buf *text, const char **ret_help)
{
	static const char *const setup_help[] = {
		[SETUP_UNIT] = "unit of sizes",
		[SETUP_DELAY] = "time between two samples",
		[SETUP_COLUMNS] = "columns of the table of this screen",
		[SETUP_SORT] = "what that table is sorted by",
		[SETUP_SAVE] = "write this into the configuration of this user",
	};
	const struct vmt_table *t = vmt_popup_table(ui);
	struct vmt_table_choice choice;
	VMT_AUTO_BUF sort = { 0 };

	*ret_help = "";
	if (p->action == VMT_ACTION_UNIT) {
		vmt_buf_addf(text, "(%c) %s", i == ui->unit ? '*' : ' ', units[i]);
		return;
	}
	if (p->action == VMT_ACTION_SETUP) {
		*ret_help = setup_help[i];
		switch ((enum setup)i) {
		case SETUP_UNIT:
			vmt_buf_addf(text, "Unit     %s", units[ui->unit]);
			break;
		case SETUP_DELAY:
			vmt_buf_adds(text, "Delay    ");
			vmt_fmt_duration(text, ui->interval_ns);
			break;
		case SETUP_COLUMNS:
			vmt_buf_adds(text, t ? "Columns  ..." : "Columns  -");
			break;
		case SETUP_SORT:
			if (t)
				vmt_table_sort_text(t, &sort);
			vmt_buf_addf(text, "Sort     %s", sort.len ? sort.data : "-");
			break;
		case SETUP_SAVE:
		case SETUP_COUNT:
			vmt_buf_adds(text, "Save");
			break;
		}
		return;
	}
	choice = vmt_table_choice(t, p->items[i]);
	if (p->action == VMT_ACTION_COLUMNS)
		vmt_buf_addf(text, "[%c] %s", choice.on ? 'x' : ' ', choice.title);
	else
		vmt_buf_addf(text, "(%c) %s", choice.sorted ? '*' : ' ', choice.title);
	if (choice.field)
		*ret_help = choice.field->help;
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
	if (p->action == VMT_ACTION_UNIT) {
		ui->unit = (enum vmt_size_unit)p->at;
		vmt_popup_close(ui);
		return VMT_UI_DRAW;
	}
	if (p->action != VMT_ACTION_SETUP)
		return choose_column(ui, p);
	switch ((enum setup)p->at) {
	case SETUP_UNIT:
		ui->unit = (ui->unit + 1) % VMT_ARRAY_LEN(units);
		return VMT_UI_DRAW;
	case SETUP_DELAY:
		return vmt_popup_open(ui, VMT_ACTION_DELAY);
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
	const char *help = "", *title = vmt_actions[p->action].help;
	unsigned width = 40, i;
	VMT_AUTO_BUF text = { 0 };

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
		const char *this_help;

		vmt_buf_clear(&text);
		line_of(ui, p, p->first + i, &text, &this_help);
		if (chosen)
			help = this_help;
		vmt_canvas_puts(c, p->in.y + i, p->in.x - 1,
				chosen ? VMT_STYLE_SELECTED : VMT_STYLE_NORMAL, chosen ? ">" : " ");
		vmt_canvas_bytes(c, p->in.y + i, p->in.x, p->in.width,
				 chosen ? VMT_STYLE_SELECTED : VMT_STYLE_NORMAL,
				 (struct vmt_bytes){ text.data, text.len }, VMT_FIT_LEFT);
	}
	vmt_canvas_bytes(c, p->in.y + p->in.height, p->in.x, p->in.width, VMT_STYLE_NORMAL,
			 vmt_bytes_of(help), VMT_FIT_LEFT);
	vmt_canvas_bytes(c, p->in.y + p->in.height + 1, p->in.x, p->in.width, VMT_STYLE_DIM,
			 vmt_bytes_of(hint[columns]), VMT_FIT_LEFT);
	if (vmt_buf_error(&text) < 0)
		c->error = -ENOMEM;
}

const struct vmt_popup_kind vmt_popup_menu = { event, draw };
