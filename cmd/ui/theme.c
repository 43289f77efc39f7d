/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/ui/theme.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"

static const char *const names[VMT_THEME_COUNT] = {
	[VMT_THEME_DEFAULT] = "default",
	[VMT_THEME_LIGHT] = "light",
	[VMT_THEME_MONO] = "mono",
	[VMT_THEME_HIGH_CONTRAST] = "high-contrast",
};

int vmt_theme_find(const char *name)
{
	int i;

	for (i = 0; i < VMT_THEME_COUNT; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -EINVAL;
}

const char *vmt_theme_name(enum vmt_theme theme)
{
	return names[theme];
}

enum color {
	OWN, /* of the terminal */
	GREY,
	ORANGE,
	SKY,
	GREEN,
	YELLOW,
	BLUE,
	VERMILLION,
	PURPLE,
	COLORS,
};

/*
 * The palette on terminals of 8 and of 256 colours, and whole. The light ones of it are darker on a
 * light ground. Green and vermillion are no green and red among 8, where those are the two colours
 * that many mix up.
 */
static const struct {
	short of8, of256, of256_light;
	int rgb, rgb_light;
} colors[COLORS] = {
	[OWN] = { -1, -1, -1, -1, -1 },
	[GREY] = { -1, 245, 243, 0x8a8a8a, 0x767676 },
	[ORANGE] = { 3, 178, 136, 0xe69f00, 0xaf7800 },
	[SKY] = { 6, 74, 31, 0x56b4e9, 0x0072a2 },
	[GREEN] = { 4, 35, 29, 0x009e73, 0x007a59 },
	[YELLOW] = { 7, 221, 100, 0xf0e442, 0x7d7600 },
	[BLUE] = { 4, 25, 25, 0x0072b2, 0x0072b2 },
	[VERMILLION] = { 3, 166, 166, 0xd55e00, 0xd55e00 },
	[PURPLE] = { 5, 175, 132, 0xcc79a7, 0xa04c7a },
};

/* What a style looks like without any colour, and the colour that it has besides. */
static const struct {
	unsigned attributes;
	enum color color;
} looks[VMT_STYLE_COUNT] = {
	[VMT_STYLE_NORMAL] = { 0, OWN },
	[VMT_STYLE_DIM] = { VMT_LOOK_DIM, GREY },
	[VMT_STYLE_STRONG] = { VMT_LOOK_BOLD, OWN },
	[VMT_STYLE_TITLE] = { VMT_LOOK_UNDERLINE, OWN },
	[VMT_STYLE_SORTED] = { VMT_LOOK_BOLD | VMT_LOOK_UNDERLINE, SKY },
	[VMT_STYLE_SELECTED] = { VMT_LOOK_REVERSE, OWN },
	[VMT_STYLE_FOUND] = { VMT_LOOK_BOLD | VMT_LOOK_UNDERLINE, YELLOW },
	[VMT_STYLE_KEY] = { VMT_LOOK_BOLD, OWN },
	[VMT_STYLE_LABEL] = { VMT_LOOK_REVERSE, SKY },
	[VMT_STYLE_WARNING] = { VMT_LOOK_BOLD, VERMILLION },
	[VMT_STYLE_CURSOR] = { VMT_LOOK_BOLD | VMT_LOOK_REVERSE, YELLOW },
	[VMT_STYLE_ANON] = { 0, ORANGE },
	[VMT_STYLE_SHMEM] = { 0, SKY },
	[VMT_STYLE_KERNEL] = { 0, PURPLE },
	[VMT_STYLE_DIRTY] = { VMT_LOOK_BOLD, VERMILLION },
	[VMT_STYLE_CLEAN] = { 0, GREEN },
	[VMT_STYLE_SLAB] = { 0, YELLOW },
	[VMT_STYLE_FREE] = { VMT_LOOK_DIM, GREY },
	[VMT_STYLE_SWAP] = { 0, BLUE },
};

struct vmt_look vmt_theme_look(enum vmt_theme theme, enum vmt_style style, int n)
{
	struct vmt_look look = { .attributes = looks[style].attributes, .color = -1 };
	enum color color = looks[style].color;
	bool light = theme == VMT_THEME_LIGHT;

	if (theme == VMT_THEME_HIGH_CONTRAST) {
		/* Nothing faint; kinds of memory stand out from the rest. */
		look.attributes &= ~VMT_LOOK_DIM;
		if (color != OWN && color != GREY)
			look.attributes |= VMT_LOOK_BOLD;
		if (color == GREY || color == BLUE)
			color = color == BLUE ? SKY : OWN;
	}
	if (theme == VMT_THEME_MONO || color == OWN || n < 8)
		return look;
	if (n > 256)
		look.color = light ? colors[color].rgb_light : colors[color].rgb;
	else if (n == 256)
		look.color = light ? colors[color].of256_light : colors[color].of256;
	else
		look.color = colors[color].of8;
	/* White is nothing on a light ground. */
	if (light && n < 256 && look.color == 7)
		look.color = 0;
	/* A grey of its own is faint enough. */
	if (color == GREY && look.color >= 0)
		look.attributes &= ~VMT_LOOK_DIM;
	return look;
}
