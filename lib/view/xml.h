/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

#include "base/buf.h"

/*
 * Writes XML 1.0 that is HTML too, where it is meant to be: elements are closed in the order in
 * which they were opened, attributes stand in a tag, and text comes through vmt_xml_escape() alone.
 * What is written holds nothing above 0x7e. A misuse is remembered, and vmt_xml_finish() says so.
 */

#define VMT_XML_DEPTH 24

struct vmt_xml {
	struct vmt_buf *out;
	const char *open[VMT_XML_DEPTH];
	unsigned depth;
	bool in_tag; /* attributes may follow */
	int error; /* the first misuse: -EINVAL */
};

void vmt_xml_init(struct vmt_xml *x, struct vmt_buf *out);
/* 0, -ENOMEM, or -EINVAL where an element is open or was closed that was not. */
int vmt_xml_finish(struct vmt_xml *x);

/*
 * The one way from the kernel's bytes to a picture or a page: what vmt_fmt_safe() leaves, which is
 * no control, no bidirectional override and no noncharacter, with the markup's own characters and
 * what is above ASCII as references. Well-formed for any bytes, as content and as a value.
 */
void vmt_xml_escape(struct vmt_buf *out, struct vmt_bytes text);

/* name is a constant, and outlives the element. */
void vmt_xml_open(struct vmt_xml *x, const char *name);
void vmt_xml_attr(struct vmt_xml *x, const char *name, struct vmt_bytes value);
void vmt_xml_close(struct vmt_xml *x);
void vmt_xml_text(struct vmt_xml *x, struct vmt_bytes text);
/* A constant, as it is: style sheets, in which references mean nothing. No markup may be in it. */
void vmt_xml_constant(struct vmt_xml *x, const char *text);

static inline void vmt_xml_attrs(struct vmt_xml *x, const char *name, const char *value)
{
	vmt_xml_attr(x, name, vmt_bytes_of(value));
}

static inline void vmt_xml_texts(struct vmt_xml *x, const char *text)
{
	vmt_xml_text(x, vmt_bytes_of(text));
}

/* A number in tenths, written without regard to any locale: 125 is 12.5. */
void vmt_xml_num(struct vmt_xml *x, const char *name, int64_t tenths);
/* An element with nothing but text in it; class may be NULL. */
void vmt_xml_element(struct vmt_xml *x, const char *name, const char *class, struct vmt_bytes text);
