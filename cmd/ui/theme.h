/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cmd/ui/style.h"

/*
 * Colours. The palette is that of Okabe and Ito, which people who do not tell red from green can
 * tell apart; nothing is said by colour alone.
 */
enum vmt_theme {
	VMT_THEME_DEFAULT, /* for dark terminals */
	VMT_THEME_LIGHT,
	VMT_THEME_MONO, /* no colour, but bold and reverse */
	VMT_THEME_HIGH_CONTRAST,
	VMT_THEME_COUNT,
};

/* "default", "light", "mono", "high-contrast"; -EINVAL. */
int vmt_theme_find(const char *name);
const char *vmt_theme_name(enum vmt_theme theme);

#define VMT_LOOK_BOLD	   1u
#define VMT_LOOK_DIM	   2u
#define VMT_LOOK_REVERSE   4u
#define VMT_LOOK_UNDERLINE 8u

struct vmt_look {
	unsigned attributes; /* VMT_LOOK_ */
	int color; /* of the text, as the terminal numbers its colours; -1: its own */
};

/* How a style looks on a terminal of that many colours: 0, 8 or 16, 256 (xterm's), or more, where a
 * number is 0xRRGGBB. */
struct vmt_look vmt_theme_look(enum vmt_theme theme, enum vmt_style style, int colors);
