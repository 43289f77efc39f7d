/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/ui/screen.h"

/* What stands above a screen and gets the keys first: help, menus, prompts, explanations. One at a
 * time. */

/* Opens what an action asks for (search, filter, sort, columns, unit, delay, palette, explain,
 * help, warnings, setup); VMT_UI_NONE for all others. */
enum vmt_ui_act vmt_popup_open(struct vmt_ui *ui, enum vmt_action action);
/* While ui->popup is one. */
enum vmt_ui_act vmt_popup_event(struct vmt_ui *ui, const struct vmt_ui_event *event);
void vmt_popup_draw(struct vmt_ui *ui, struct vmt_canvas *c);
void vmt_popup_free(struct vmt_popup *p);
