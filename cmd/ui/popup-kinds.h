/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/ui/line.h"
#include "cmd/ui/sheet.h"
#include "cmd/ui/popup.h"
#include "cmd/ui/table.h"

/* What the files of popups share. */

struct vmt_popup_kind {
	enum vmt_ui_act (*event)(struct vmt_ui *ui, struct vmt_popup *p,
				 const struct vmt_ui_event *event);
	void (*draw)(struct vmt_ui *ui, struct vmt_popup *p, struct vmt_canvas *c);
};

struct vmt_popup {
	const struct vmt_popup_kind *kind;
	enum vmt_action action; /* that opened it */
	/* Of texts and menus: lines, the first that is drawn, the one that is chosen. */
	size_t n, first, at;
	struct vmt_area in; /* where lines were drawn last */
	size_t *items; /* of menus over columns: which choice of the table a line is; heap */
	bool placed; /* of explain: the cursor is at a value */
	/* Of prompts: */
	struct vmt_line line;
	char *before; /* what the filter was; heap */
	char error[256];
};

extern const struct vmt_popup_kind vmt_popup_text; /* help, warnings */
extern const struct vmt_popup_kind vmt_popup_menu; /* sort, columns, unit, setup */
extern const struct vmt_popup_kind vmt_popup_prompt; /* search, filter, delay, palette */
extern const struct vmt_popup_kind vmt_popup_explain;

void vmt_popup_close(struct vmt_ui *ui);
/* The table of the screen that is shown, or NULL. */
struct vmt_table *vmt_popup_table(const struct vmt_ui *ui);
/* Fill a popup of their kind, which is zeroed but for its action. 0; -ENOMEM; -ENOENT where there
 * is nothing to show, and that was said. */
int vmt_popup_menu_init(struct vmt_ui *ui, struct vmt_popup *p);
int vmt_popup_prompt_init(struct vmt_ui *ui, struct vmt_popup *p);
int vmt_popup_explain_init(struct vmt_ui *ui, struct vmt_popup *p);

/* Whether the key moves lines as it moves rows, and to where: at of n, page lines being shown. */
bool vmt_popup_move(uint32_t key, size_t n, size_t page, size_t *at);
/* A box of that many lines and columns within, in the middle of a canvas or what fits of it. */
struct vmt_area vmt_popup_box(struct vmt_canvas *c, size_t lines, unsigned columns,
			      const char *title);

/* explain.c: what there is to say about a value. */
void vmt_explain_sheet(const struct vmt_ui *ui, const struct vmt_spot *spot,
		       struct vmt_sheet *sheet);
