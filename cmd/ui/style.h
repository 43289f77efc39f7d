/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What a cell of the screen means; the terminal's colours follow from it (terminal.c), and a screen
 * without colour loses nothing, for each of these is in the text or its glyph as well.
 */
enum vmt_style {
	VMT_STYLE_NORMAL,
	VMT_STYLE_DIM, /* beside the matter: what is absent, old or at rest */
	VMT_STYLE_STRONG,
	VMT_STYLE_TITLE, /* headings of tables */
	VMT_STYLE_SORTED, /* the heading that rows are sorted by */
	VMT_STYLE_SELECTED, /* the row, or the tab, that keys act upon */
	VMT_STYLE_FOUND, /* what was searched for */
	VMT_STYLE_KEY, /* a key to press */
	VMT_STYLE_LABEL, /* what that key does */
	VMT_STYLE_WARNING,
	VMT_STYLE_CURSOR, /* the number that is explained, the cell of a map */
	/* Kinds of memory, as in the bars. */
	VMT_STYLE_ANON,
	VMT_STYLE_SHMEM,
	VMT_STYLE_KERNEL,
	VMT_STYLE_DIRTY,
	VMT_STYLE_CLEAN,
	VMT_STYLE_SLAB,
	VMT_STYLE_FREE,
	VMT_STYLE_SWAP,
	VMT_STYLE_COUNT,
};
