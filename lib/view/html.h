/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "view/picture.h"

/*
 * Pages: one file without script, network, or anything that it would have to load. They are
 * well-formed XML as well.
 */

/*
 * Rows as a table, with the columns that list names (as -o does; NULL: the default ones), figures
 * flush right. -ENOMEM, or 0.
 */
int vmt_html_table(struct vmt_xml *x, const struct vmt_entity *entity, const void *rows, size_t n,
		   const char *list, const struct vmt_picture_ask *ask);
/* The same of a section of a document: its rows and columns. */
int vmt_html_section(struct vmt_xml *x, const struct vmt_section *s,
		     const struct vmt_picture_ask *ask);
/* A table by hand: titles ends with NULL; one whose first character is < is flush left, which is
 * not part of it. */
void vmt_html_table_begin(struct vmt_xml *x, const char *const *titles);
void vmt_html_cell(struct vmt_xml *x, bool left, struct vmt_bytes text);
void vmt_html_table_end(struct vmt_xml *x);
/* A paragraph. */
void vmt_html_says(struct vmt_xml *x, struct vmt_bytes text);
/* Lines of text as they are, made safe before. */
void vmt_html_lines(struct vmt_xml *x, const struct vmt_buf *lines);
