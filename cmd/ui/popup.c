/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/ui/popup.h"

#include <stdlib.h>

#include "cmd/ui/popup-kinds.h"

void vmt_popup_free(struct vmt_popup *p)
{
	if (!p)
		return;
	free(p->items);
	free(p->before);
	free(p);
}

void vmt_popup_close(struct vmt_ui *ui)
{
	vmt_popup_free(ui->popup);
	ui->popup = NULL;
}

struct vmt_table *vmt_popup_table(const struct vmt_ui *ui)
{
	enum vmt_screen_id id = vmt_ui_view(ui)->screen;

	return vmt_screens[id]->table ? vmt_screens[id]->table(ui->states[id]) : NULL;
}

static const struct vmt_popup_kind *kind_of(enum vmt_action action)
{
	switch (action) {
	case VMT_ACTION_HELP:
	case VMT_ACTION_WARNINGS:
		return &vmt_popup_text;
	case VMT_ACTION_SORT_MENU:
	case VMT_ACTION_COLUMNS:
	case VMT_ACTION_UNIT:
	case VMT_ACTION_SETUP:
		return &vmt_popup_menu;
	case VMT_ACTION_SEARCH:
	case VMT_ACTION_FILTER:
	case VMT_ACTION_DELAY:
	case VMT_ACTION_PALETTE:
	case VMT_ACTION_LATER:
	case VMT_ACTION_EARLIER:
	case VMT_ACTION_TO_TIME:
		return &vmt_popup_prompt;
	case VMT_ACTION_EXPLAIN:
		return &vmt_popup_explain;
	default:
		return NULL;
	}
}

enum vmt_ui_act vmt_popup_open(struct vmt_ui *ui, enum vmt_action action)
{
	const struct vmt_popup_kind *kind = kind_of(action);
	struct vmt_popup *p;
	int r = 0;

	/* Nobody else took it. */
	if (!kind) {
		vmt_ui_say(ui, "not on this screen: %s", vmt_actions[action].help);
		return VMT_UI_DRAW;
	}
	p = calloc(1, sizeof(*p));
	if (!p) {
		vmt_ui_say(ui, "out of memory");
		return VMT_UI_DRAW;
	}
	p->kind = kind;
	p->action = action;
	if (kind == &vmt_popup_menu)
		r = vmt_popup_menu_init(ui, p);
	else if (kind == &vmt_popup_prompt)
		r = vmt_popup_prompt_init(ui, p);
	else if (kind == &vmt_popup_explain)
		r = vmt_popup_explain_init(ui, p);
	if (r < 0) {
		if (r == -ENOMEM)
			vmt_ui_say(ui, "out of memory");
		vmt_popup_free(p);
		return VMT_UI_DRAW;
	}
	vmt_popup_close(ui);
	ui->popup = p;
	return VMT_UI_DRAW;
}

enum vmt_ui_act vmt_popup_event(struct vmt_ui *ui, const struct vmt_ui_event *event)
{
	return ui->popup->kind->event(ui, ui->popup, event);
}

void vmt_popup_draw(struct vmt_ui *ui, struct vmt_canvas *c)
{
	ui->popup->kind->draw(ui, ui->popup, c);
}

bool vmt_popup_move(uint32_t key, size_t n, size_t page, size_t *at)
{
	size_t last = n ? n - 1 : 0, to = *at;

	page = page > 1 ? page - 1 : 1;
	switch (vmt_key_action(key)) {
	case VMT_ACTION_UP:
		to = to ? to - 1 : 0;
		break;
	case VMT_ACTION_DOWN:
		to++;
		break;
	case VMT_ACTION_PAGE_UP:
		to = to > page ? to - page : 0;
		break;
	case VMT_ACTION_PAGE_DOWN:
		to += page;
		break;
	case VMT_ACTION_HALF_UP:
		to = to > page / 2 + 1 ? to - page / 2 - 1 : 0;
		break;
	case VMT_ACTION_HALF_DOWN:
		to += page / 2 + 1;
		break;
	case VMT_ACTION_HOME:
		to = 0;
		break;
	case VMT_ACTION_END:
		to = last;
		break;
	default:
		if (key == VMT_KEY_WHEEL_UP)
			to = to > 3 ? to - 3 : 0;
		else if (key == VMT_KEY_WHEEL_DOWN)
			to += 3;
		else
			return false;
		break;
	}
	*at = to < last ? to : last;
	return true;
}

struct vmt_area vmt_popup_box(struct vmt_canvas *c, size_t lines, unsigned columns,
			      const char *title)
{
	struct vmt_area a;

	a.width = columns + 4 < c->width ? columns + 4 : c->width;
	a.height = lines + 2 < c->height ? (unsigned)lines + 2 : c->height;
	a.y = (c->height - a.height) / 2;
	a.x = (c->width - a.width) / 2;
	return vmt_box_draw(c, a, title);
}
