/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/ui/settings.h"

/* What the files of cmd/ui share; nobody else includes it. */

/* A part of the canvas. */
struct vmt_area {
	unsigned y, x, height, width;
};

/* What keys mean (keys.c); help and the palette list these. */
enum vmt_action {
	VMT_ACTION_NONE,
	VMT_ACTION_SCREEN, /* and the number of the screen behind it */
	VMT_ACTION_SCREEN_LAST = VMT_ACTION_SCREEN + VMT_SCREEN_COUNT - 1,
	VMT_ACTION_NEXT_SCREEN,
	VMT_ACTION_PREV_SCREEN,
	VMT_ACTION_OPEN,
	VMT_ACTION_BACK,
	VMT_ACTION_UP,
	VMT_ACTION_DOWN,
	VMT_ACTION_PAGE_UP,
	VMT_ACTION_PAGE_DOWN,
	VMT_ACTION_HALF_UP,
	VMT_ACTION_HALF_DOWN,
	VMT_ACTION_HOME,
	VMT_ACTION_END,
	VMT_ACTION_LEFT,
	VMT_ACTION_RIGHT,
	VMT_ACTION_SEARCH,
	VMT_ACTION_SEARCH_NEXT,
	VMT_ACTION_SEARCH_PREV,
	VMT_ACTION_FILTER,
	VMT_ACTION_SORT_PREV,
	VMT_ACTION_SORT_NEXT,
	VMT_ACTION_SORT_MENU,
	VMT_ACTION_INVERT,
	VMT_ACTION_TREE,
	VMT_ACTION_FOLLOW,
	VMT_ACTION_FREEZE, /* what is shown, and sampling with it */
	VMT_ACTION_HOLD, /* what is shown; sampling goes on */
	VMT_ACTION_RECORD,
	VMT_ACTION_REPORT,
	VMT_ACTION_COLUMNS,
	VMT_ACTION_UNIT,
	VMT_ACTION_DELAY,
	VMT_ACTION_ZOOM_IN,
	VMT_ACTION_ZOOM_OUT,
	VMT_ACTION_TO_PAGES,
	VMT_ACTION_TO_FAULTS,
	VMT_ACTION_TO_VMAS,
	VMT_ACTION_TO_CACHE,
	VMT_ACTION_PALETTE,
	VMT_ACTION_EXPLAIN,
	VMT_ACTION_HELP,
	VMT_ACTION_WARNINGS,
	VMT_ACTION_SETUP,
	/* In a recording. */
	VMT_ACTION_STEP,
	VMT_ACTION_STEP_BACK,
	VMT_ACTION_LATER,
	VMT_ACTION_EARLIER,
	VMT_ACTION_TO_TIME,
	VMT_ACTION_PLAY,
	VMT_ACTION_QUIT, /* one view back, and the end from the first */
	VMT_ACTION_QUIT_ALL,
	VMT_ACTION_COUNT,
};

struct vmt_key_row {
	uint32_t key;
	enum vmt_action action;
};

struct vmt_action_row {
	const char *name; /* in the palette: "sort-next" */
	const char *label; /* in the line of function keys; NULL for none */
	const char *help;
};

extern const struct vmt_action_row vmt_actions[VMT_ACTION_COUNT];
enum vmt_action vmt_key_action(uint32_t key);
/* The same for keys that mean something else in a recording; the i-th of these. */
enum vmt_action vmt_replay_key_action(uint32_t key);
const struct vmt_key_row *vmt_replay_key_row(size_t i);
/* "F3", "Enter", "Ctrl-D", "<"; in buf of at least 16 bytes. */
const char *vmt_key_name(uint32_t key, char *buf, size_t size);
/* The first key of an action, VMT_KEY_NONE where it has none. */
uint32_t vmt_action_key(enum vmt_action action);
/* The i-th key of the table; NONE behind the last. */
const struct vmt_key_row *vmt_key_row(size_t i);

struct vmt_table;
struct vmt_popup;

/* One of the seven. state is what its init made. */
struct vmt_screen {
	const char *name;
	const char *title; /* of its tab */
	const char *help; /* one line */
	/* 0 or -ENOMEM. */
	int (*init)(struct vmt_ui *ui, void **ret_state);
	void (*done)(void *state);
	/* There is a new model in ui->model. 0 or -ENOMEM. */
	int (*model)(struct vmt_ui *ui, void *state);
	void (*draw)(struct vmt_ui *ui, void *state, struct vmt_canvas *c, struct vmt_area area);
	/* What it does for an action of its own; *done_ret false where it does nothing. */
	enum vmt_ui_act (*action)(struct vmt_ui *ui, void *state, enum vmt_action action,
				  bool *done_ret);
	/* Adds to what the next sample is to hold; while it is the one that is shown. */
	void (*want)(const struct vmt_ui *ui, const void *state, struct vmt_ui_want *want);
	/* The process, mapping and address that is selected. */
	void (*subject)(const struct vmt_ui *ui, const void *state, struct vmt_ui_subject *ret);
	/* The table that searching, filtering and sorting act upon; NULL where there is none. */
	struct vmt_table *(*table)(void *state);
	/* The table whose columns and order are settings, where table() may be another one. May be
	 * NULL: they are one. */
	struct vmt_table *(*kept)(void *state);
	/* Lines of its own keys for help, "k  kinds"; NULL-terminated, may be NULL. */
	const char *const *keys;
};

extern const struct vmt_screen vmt_screen_system, vmt_screen_procs, vmt_screen_vmas,
	vmt_screen_pages, vmt_screen_faults, vmt_screen_cache, vmt_screen_events;
extern const struct vmt_screen *const vmt_screens[VMT_SCREEN_COUNT];

/* A view on the stack. */
struct vmt_view {
	enum vmt_screen_id screen;
	struct vmt_ui_subject subject; /* that it was opened for */
};

#define VMT_VIEWS_MAX 16

enum vmt_frozen {
	VMT_FROZEN_NOT,
	VMT_FROZEN_ALL, /* nothing is sampled */
	VMT_FROZEN_SHOWN, /* samples are taken and not shown */
};

struct vmt_ui {
	struct vmt_ui_opts opts; /* as given; what keys change follows */
	enum vmt_size_unit unit;
	uint64_t interval_ns;
	const struct vmt_model *model; /* that is shown; NULL before the first */
	uint64_t took_ns;
	uint64_t slow_ns; /* the interval, where samples take so long that it was made longer; or 0
			   */
	struct vmt_ui_settings settings; /* those that have no place of their own here */
	struct vmt_ui_settings given; /* as they were at the start, options included */
	struct vmt_ui_settings files; /* as the configuration alone has them */
	struct vmt_ui_settings first; /* columns and orders as they are where nothing is set */
	struct vmt_view views[VMT_VIEWS_MAX];
	size_t n_views; /* at least 1; the last is shown */
	void *states[VMT_SCREEN_COUNT];
	struct vmt_ui_subject subject; /* of the view that is shown */
	enum vmt_frozen frozen;
	struct vmt_ui_place place; /* in a recording */
	struct vmt_ui_order order; /* the last one */
	struct vmt_popup *popup; /* help, a menu, a prompt: it gets the keys first; or NULL */
	unsigned cursor_y, cursor_x; /* of the value that is explained */
	unsigned zoom; /* a full bar is the whole of it, divided by two so many times */
	char said[256]; /* by vmt_ui_say() */
	char died[512]; /* what died last, until a key is pressed, or it is long ago */
	uint64_t died_ns; /* CLOCK_MONOTONIC */
	struct vmt_canvas *canvas; /* that was drawn last, for the mouse; of the owner */
};

static inline const struct vmt_view *vmt_ui_view(const struct vmt_ui *ui)
{
	return &ui->views[ui->n_views - 1];
}

/* Opens a view on the stack (at its limit, in place of the last). */
enum vmt_ui_act vmt_ui_open(struct vmt_ui *ui, enum vmt_screen_id screen,
			    const struct vmt_ui_subject *subject);
/* Shows a screen in place of the whole stack, with the subject that there is. */
enum vmt_ui_act vmt_ui_switch(struct vmt_ui *ui, enum vmt_screen_id screen);
enum vmt_ui_act vmt_ui_back(struct vmt_ui *ui);
/* None where there is no device or inode. */
struct vmt_ui_file vmt_ui_file(struct vmt_bytes device, uint64_t inode);
/* Does what a key or the palette asked for. */
enum vmt_ui_act vmt_ui_action(struct vmt_ui *ui, enum vmt_action action);

/* From this width on there is room for what is good to know. */
#define VMT_WIDE 120

/* chrome.c: what all screens have. */
/* Tabs, and on the right the machine, the time and the pace. */
void vmt_draw_tabs(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y);
/* A value, flush right in width columns (0: in as many as it has), that can be explained; the
 * column behind it. */
unsigned vmt_draw_value(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, unsigned x,
			unsigned width, enum vmt_style style, const struct vmt_entity *entity,
			unsigned field, const void *row);
/* A word and the value behind it; the value is strong, or both are beside the matter. A word with a
 * digit belongs to what is explained. */
unsigned vmt_draw_named(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y, unsigned x,
			const char *word, unsigned width, enum vmt_style style,
			const struct vmt_entity *entity, unsigned field, const void *row);
/* A text of a row, in at most width columns, that can be explained. */
unsigned vmt_draw_text(struct vmt_canvas *c, unsigned y, unsigned x, unsigned width,
		       enum vmt_style style, const struct vmt_entity *entity, unsigned field,
		       const void *row);
/* Of the bar, by enum vmt_share_id. */
enum vmt_style vmt_share_style(size_t share);
/* MemTotal as one bar of its parts, and what is available. */
void vmt_draw_memory(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y);
/* Bars of parts of the machine: how much a full one stands for, of so much. */
static inline uint64_t vmt_bar_span(const struct vmt_ui *ui, uint64_t whole)
{
	uint64_t span = whole >> ui->zoom;

	return span ? span : 1;
}
/* A time in UTC as rows have it, by the clock of this place, as strftime(3) writes it; "-" where it
 * is none. */
void vmt_ui_clock(struct vmt_bytes time, const char *format, char *to, size_t size);
/* The keys, or what was said last, or what died. */
void vmt_draw_keys(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y);
/* One line for terminals on which nothing else has room. */
void vmt_draw_line(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y);
/* "! reason", which is a key: it says more. */
void vmt_draw_reason(struct vmt_canvas *c, unsigned y, struct vmt_bytes text);
/* "! 1 warning: ..." where there is a finding; false where nothing was drawn. */
bool vmt_draw_warning(struct vmt_ui *ui, struct vmt_canvas *c, unsigned y);
