/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/ui/popup.h"

enum vmt_ui_act vmt_popup_open(struct vmt_ui *ui, enum vmt_action action)
{
	(void)ui;
	(void)action;
	return VMT_UI_NONE;
}

enum vmt_ui_act vmt_popup_event(struct vmt_ui *ui, const struct vmt_ui_event *event)
{
	(void)ui;
	(void)event;
	return VMT_UI_NONE;
}

void vmt_popup_draw(struct vmt_ui *ui, struct vmt_canvas *c)
{
	(void)ui;
	(void)c;
}

void vmt_popup_free(struct vmt_popup *p)
{
	(void)p;
}
