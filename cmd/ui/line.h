/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/ui/screen.h"

/* A line of text that is being typed: UTF-8, without control characters, of bounded length. */

#define VMT_LINE_BYTES 1024

struct vmt_line {
	char text[VMT_LINE_BYTES]; /* NUL behind len bytes */
	size_t len;
	size_t at; /* where what is typed goes, between two characters */
};

/* Replaces all; what has no place in a line is left out. */
void vmt_line_set(struct vmt_line *l, const char *text);
/* Whether the key was one for the line: a character, typed or pasted, or one that moves or
 * deletes. *ret_changed: the text is another. */
bool vmt_line_event(struct vmt_line *l, const struct vmt_ui_event *event, bool *ret_changed);
/* Label, text and cursor in width columns, such that the cursor is seen; the column behind the
 * text. */
unsigned vmt_line_draw(const struct vmt_line *l, struct vmt_canvas *c, unsigned y, unsigned x,
		       unsigned width, const char *label);
