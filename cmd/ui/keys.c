/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "cmd/ui/screen.h"

const struct vmt_action_row vmt_actions[VMT_ACTION_COUNT] = {
	[VMT_ACTION_SCREEN + VMT_SCREEN_SYSTEM] = { "system", NULL, "the machine's memory" },
	[VMT_ACTION_SCREEN + VMT_SCREEN_PROCS] = { "procs", NULL, "processes" },
	[VMT_ACTION_SCREEN + VMT_SCREEN_VMAS] = { "vmas", NULL, "mappings of a process" },
	[VMT_ACTION_SCREEN + VMT_SCREEN_PAGES] = { "pages", NULL, "pages of a mapping" },
	[VMT_ACTION_SCREEN + VMT_SCREEN_FAULTS] = { "faults", NULL, "page faults as they come" },
	[VMT_ACTION_SCREEN + VMT_SCREEN_CACHE] = { "cache", NULL, "files in the page cache" },
	[VMT_ACTION_SCREEN + VMT_SCREEN_EVENTS] = { "events", NULL, "what died, and why" },
	[VMT_ACTION_NEXT_SCREEN] = { "next-screen", NULL, "the next screen" },
	[VMT_ACTION_PREV_SCREEN] = { "previous-screen", NULL, "the screen before" },
	[VMT_ACTION_OPEN] = { "open", NULL, "open what is selected" },
	[VMT_ACTION_BACK] = { "back", NULL, "back to the view before" },
	[VMT_ACTION_UP] = { "up", NULL, "one line up" },
	[VMT_ACTION_DOWN] = { "down", NULL, "one line down" },
	[VMT_ACTION_PAGE_UP] = { "page-up", NULL, "a page up" },
	[VMT_ACTION_PAGE_DOWN] = { "page-down", NULL, "a page down" },
	[VMT_ACTION_HALF_UP] = { "half-page-up", NULL, "half a page up" },
	[VMT_ACTION_HALF_DOWN] = { "half-page-down", NULL, "half a page down" },
	[VMT_ACTION_HOME] = { "first", NULL, "the first line" },
	[VMT_ACTION_END] = { "last", NULL, "the last line" },
	[VMT_ACTION_LEFT] = { "left", NULL, "columns to the left; in a map one cell" },
	[VMT_ACTION_RIGHT] = { "right", NULL, "columns to the right; in a map one cell" },
	[VMT_ACTION_SEARCH] = { "search", "Find", "search" },
	[VMT_ACTION_SEARCH_NEXT] = { "search-next", NULL, "the next match" },
	[VMT_ACTION_SEARCH_PREV] = { "search-previous", NULL, "the match before" },
	[VMT_ACTION_FILTER] = { "filter", "Filter", "show only rows that match" },
	[VMT_ACTION_SORT_PREV] = { "sort-previous", NULL, "sort by the column to the left" },
	[VMT_ACTION_SORT_NEXT] = { "sort-next", NULL, "sort by the column to the right" },
	[VMT_ACTION_SORT_MENU] = { "sort", "Sort", "choose the column to sort by" },
	[VMT_ACTION_INVERT] = { "invert", NULL, "turn the order round" },
	[VMT_ACTION_TREE] = { "tree", "Tree", "processes as a tree, mappings by file" },
	[VMT_ACTION_FOLLOW] = { "follow", NULL, "keep the selected row in sight" },
	[VMT_ACTION_FREEZE] = { "freeze", "Freeze", "stop, sampling too; again to go on" },
	[VMT_ACTION_HOLD] = { "hold", NULL, "stop what is shown, and go on sampling" },
	[VMT_ACTION_RECORD] = { "record", "Rec", "record the samples to a file; again to end it" },
	[VMT_ACTION_REPORT] = { "report", "Report", "write a report of what is selected" },
	[VMT_ACTION_COLUMNS] = { "columns", NULL, "choose columns" },
	[VMT_ACTION_UNIT] = { "unit", NULL, "unit of sizes" },
	[VMT_ACTION_DELAY] = { "delay", NULL, "seconds between two samples" },
	[VMT_ACTION_ZOOM_IN] = { "zoom-in", NULL, "zoom in: bars, in a map fewer pages in a cell" },
	[VMT_ACTION_ZOOM_OUT] = { "zoom-out", NULL,
				  "zoom out: bars, in a map more pages in a cell" },
	[VMT_ACTION_TO_PAGES] = { "to-pages", NULL, "the pages of what is selected" },
	[VMT_ACTION_TO_FAULTS] = { "to-faults", NULL, "the faults of what is selected" },
	[VMT_ACTION_TO_VMAS] = { "to-vmas", NULL, "the mappings of what is selected" },
	[VMT_ACTION_TO_CACHE] = { "to-cache", NULL, "the cached file of what is selected" },
	[VMT_ACTION_PALETTE] = { "palette", NULL, "do something by its name" },
	[VMT_ACTION_EXPLAIN] = { "explain", NULL, "explain a number" },
	[VMT_ACTION_HELP] = { "help", "Help", "this help" },
	[VMT_ACTION_WARNINGS] = { "warnings", NULL, "what was noticed, and what is missing" },
	[VMT_ACTION_SETUP] = { "setup", "Setup", "settings, and saving them" },
	[VMT_ACTION_STEP] = { "step", NULL, "in a recording: the next sample" },
	[VMT_ACTION_STEP_BACK] = { "step-back", NULL, "in a recording: the sample before" },
	[VMT_ACTION_LATER] = { "later", NULL, "in a recording: forward by a time" },
	[VMT_ACTION_EARLIER] = { "earlier", NULL, "in a recording: back by a time" },
	[VMT_ACTION_TO_TIME] = { "to-time", NULL, "in a recording: to a time, as 03:14" },
	[VMT_ACTION_PLAY] = { "play", "Play", "in a recording: play, and pause" },
	[VMT_ACTION_QUIT] = { "quit", "Quit", "back; from the first view: quit" },
	[VMT_ACTION_QUIT_ALL] = { "quit-all", NULL, "quit" },
};

#define CTRL(c) ((c)&0x1f)
#define F(n)	(VMT_KEY_F1 + (n)-1)

/* The first key of an action is the one that the line at the bottom and help name. */
static const struct vmt_key_row keys[] = {
	{ '1', VMT_ACTION_SCREEN + VMT_SCREEN_SYSTEM },
	{ '2', VMT_ACTION_SCREEN + VMT_SCREEN_PROCS },
	{ '3', VMT_ACTION_SCREEN + VMT_SCREEN_VMAS },
	{ '4', VMT_ACTION_SCREEN + VMT_SCREEN_PAGES },
	{ '5', VMT_ACTION_SCREEN + VMT_SCREEN_FAULTS },
	{ '6', VMT_ACTION_SCREEN + VMT_SCREEN_CACHE },
	{ '7', VMT_ACTION_SCREEN + VMT_SCREEN_EVENTS },
	{ VMT_KEY_TAB, VMT_ACTION_NEXT_SCREEN },
	{ VMT_KEY_BACK_TAB, VMT_ACTION_PREV_SCREEN },
	{ VMT_KEY_ENTER, VMT_ACTION_OPEN },
	{ VMT_KEY_ESC, VMT_ACTION_BACK },
	{ VMT_KEY_BACKSPACE, VMT_ACTION_BACK },
	{ VMT_KEY_UP, VMT_ACTION_UP },
	{ 'k', VMT_ACTION_UP },
	{ VMT_KEY_DOWN, VMT_ACTION_DOWN },
	{ 'j', VMT_ACTION_DOWN },
	{ VMT_KEY_PAGE_UP, VMT_ACTION_PAGE_UP },
	{ VMT_KEY_PAGE_DOWN, VMT_ACTION_PAGE_DOWN },
	{ CTRL('U'), VMT_ACTION_HALF_UP },
	{ CTRL('D'), VMT_ACTION_HALF_DOWN },
	{ VMT_KEY_HOME, VMT_ACTION_HOME },
	{ 'g', VMT_ACTION_HOME },
	{ VMT_KEY_END, VMT_ACTION_END },
	{ 'G', VMT_ACTION_END },
	{ VMT_KEY_LEFT, VMT_ACTION_LEFT },
	{ 'h', VMT_ACTION_LEFT },
	{ VMT_KEY_RIGHT, VMT_ACTION_RIGHT },
	{ 'l', VMT_ACTION_RIGHT },
	{ F(1), VMT_ACTION_HELP },
	{ F(2), VMT_ACTION_SETUP },
	{ F(3), VMT_ACTION_SEARCH },
	{ '/', VMT_ACTION_SEARCH },
	{ 'n', VMT_ACTION_SEARCH_NEXT },
	{ 'N', VMT_ACTION_SEARCH_PREV },
	{ F(4), VMT_ACTION_FILTER },
	{ '\\', VMT_ACTION_FILTER },
	{ F(5), VMT_ACTION_TREE },
	{ 't', VMT_ACTION_TREE },
	{ F(6), VMT_ACTION_SORT_MENU },
	{ '<', VMT_ACTION_SORT_PREV },
	{ '>', VMT_ACTION_SORT_NEXT },
	{ 'I', VMT_ACTION_INVERT },
	{ 'F', VMT_ACTION_FOLLOW },
	{ F(7), VMT_ACTION_FREEZE },
	{ ' ', VMT_ACTION_FREEZE },
	{ 'Z', VMT_ACTION_HOLD },
	{ F(8), VMT_ACTION_RECORD },
	{ F(9), VMT_ACTION_REPORT },
	{ 'R', VMT_ACTION_REPORT },
	{ 'o', VMT_ACTION_COLUMNS },
	{ 'u', VMT_ACTION_UNIT },
	{ 'd', VMT_ACTION_DELAY },
	{ '+', VMT_ACTION_ZOOM_IN },
	{ '-', VMT_ACTION_ZOOM_OUT },
	{ 'p', VMT_ACTION_TO_PAGES },
	{ 'f', VMT_ACTION_TO_FAULTS },
	{ 'm', VMT_ACTION_TO_VMAS },
	{ 'c', VMT_ACTION_TO_CACHE },
	{ ':', VMT_ACTION_PALETTE },
	{ '?', VMT_ACTION_EXPLAIN },
	{ '!', VMT_ACTION_WARNINGS },
	{ F(10), VMT_ACTION_QUIT },
	{ 'q', VMT_ACTION_QUIT },
	{ 'Q', VMT_ACTION_QUIT_ALL },
};

/* In a recording these go before. */
static const struct vmt_key_row replay_keys[] = {
	{ 't', VMT_ACTION_STEP },    { 'T', VMT_ACTION_STEP_BACK }, { 'j', VMT_ACTION_LATER },
	{ 'J', VMT_ACTION_EARLIER }, { 'b', VMT_ACTION_TO_TIME },   { ' ', VMT_ACTION_PLAY },
	{ F(7), VMT_ACTION_PLAY },
};

const struct vmt_key_row *vmt_replay_key_row(size_t i)
{
	static const struct vmt_key_row end = { VMT_KEY_NONE, VMT_ACTION_NONE };

	return i < VMT_ARRAY_LEN(replay_keys) ? &replay_keys[i] : &end;
}

enum vmt_action vmt_replay_key_action(uint32_t key)
{
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(replay_keys); i++)
		if (replay_keys[i].key == key)
			return replay_keys[i].action;
	return VMT_ACTION_NONE;
}

const struct vmt_key_row *vmt_key_row(size_t i)
{
	static const struct vmt_key_row end = { VMT_KEY_NONE, VMT_ACTION_NONE };

	return i < VMT_ARRAY_LEN(keys) ? &keys[i] : &end;
}

enum vmt_action vmt_key_action(uint32_t key)
{
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(keys); i++)
		if (keys[i].key == key)
			return keys[i].action;
	return VMT_ACTION_NONE;
}

uint32_t vmt_action_key(enum vmt_action action)
{
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(keys); i++)
		if (keys[i].action == action)
			return keys[i].key;
	return VMT_KEY_NONE;
}

const char *vmt_key_name(uint32_t key, char *buf, size_t size)
{
	static const struct {
		uint32_t key;
		const char *name;
	} names[] = {
		{ VMT_KEY_TAB, "Tab" },	       { VMT_KEY_BACK_TAB, "Shift-Tab" },
		{ VMT_KEY_ENTER, "Enter" },    { VMT_KEY_ESC, "Esc" },
		{ VMT_KEY_UP, "Up" },	       { VMT_KEY_DOWN, "Down" },
		{ VMT_KEY_LEFT, "Left" },      { VMT_KEY_RIGHT, "Right" },
		{ VMT_KEY_PAGE_UP, "PgUp" },   { VMT_KEY_PAGE_DOWN, "PgDn" },
		{ VMT_KEY_HOME, "Home" },      { VMT_KEY_END, "End" },
		{ VMT_KEY_INSERT, "Ins" },     { VMT_KEY_DELETE, "Del" },
		{ VMT_KEY_BACKSPACE, "Bksp" }, { ' ', "Space" },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(names); i++)
		if (names[i].key == key)
			return names[i].name;
	if (key >= VMT_KEY_F1 && key <= VMT_KEY_F12)
		snprintf(buf, size, "F%u", key - VMT_KEY_F1 + 1);
	else if (key < ' ')
		snprintf(buf, size, "Ctrl-%c", (char)(key + '@'));
	else
		snprintf(buf, size, "%c", key < 0x7f ? (char)key : '?');
	return buf;
}
