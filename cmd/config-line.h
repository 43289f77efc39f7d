/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/buf.h"

/* A line of vmtop.conf(5): what reads a configuration and what edits it take each for the same. */

/* The longest line; inih reads 200 bytes with what ends it. */
#define VMT_CONFIG_LINE_MAX 198

enum vmt_config_kind {
	VMT_CONFIG_NOTHING, /* empty, or a comment */
	VMT_CONFIG_SECTION,
	VMT_CONFIG_SETTING,
	VMT_CONFIG_MORE, /* of the value before */
	VMT_CONFIG_WRONG, /* it does not count */
};

struct vmt_config_line {
	enum vmt_config_kind kind;
	struct vmt_bytes text; /* all of it, without what ends it */
	struct vmt_bytes name; /* of a section or a setting */
	struct vmt_bytes value; /* of a setting, or more of it, without the comment behind it */
	const char *wrong; /* why it is */
};

/* Where one reads. Begin with rest, the whole text, and false. */
struct vmt_config_lines {
	struct vmt_bytes rest;
	bool begun;
	bool has_name; /* that a value can go on with */
};

/* Takes the next line, which points into the text; false at the end. */
bool vmt_config_take_line(struct vmt_config_lines *l, struct vmt_config_line *ret);
