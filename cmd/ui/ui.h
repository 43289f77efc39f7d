/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "base/fmt.h"
#include "cmd/ui/canvas.h"
#include "model/model.h"

/*
 * The dashboard without a terminal: models in, keys in, screens out. It reads nothing and knows no
 * clock but that of the models; who owns it samples, waits and shows.
 */

enum vmt_screen_id {
	VMT_SCREEN_SYSTEM,
	VMT_SCREEN_PROCS,
	VMT_SCREEN_VMAS,
	VMT_SCREEN_PAGES,
	VMT_SCREEN_FAULTS,
	VMT_SCREEN_CACHE,
	VMT_SCREEN_EVENTS,
	VMT_SCREEN_COUNT,
};

/* By its name ("system", "procs", "vmas", "pages", "faults", "cache", "events"); -EINVAL. */
int vmt_screen_find(const char *name);
const char *vmt_screen_name(enum vmt_screen_id id);

/* Keys that are no characters; a character is its code point. */
enum vmt_key {
	VMT_KEY_NONE = 0,
	VMT_KEY_TAB = '\t',
	VMT_KEY_ENTER = '\r',
	VMT_KEY_ESC = 0x1b,
	VMT_KEY_BACKSPACE = 0x7f,
	VMT_KEY_UP = 0x110000,
	VMT_KEY_DOWN,
	VMT_KEY_LEFT,
	VMT_KEY_RIGHT,
	VMT_KEY_PAGE_UP,
	VMT_KEY_PAGE_DOWN,
	VMT_KEY_HOME,
	VMT_KEY_END,
	VMT_KEY_INSERT,
	VMT_KEY_DELETE,
	VMT_KEY_BACK_TAB,
	VMT_KEY_F1,
	VMT_KEY_F10 = VMT_KEY_F1 + 9,
	VMT_KEY_F12 = VMT_KEY_F1 + 11,
	VMT_KEY_CLICK, /* the left button, at y, x */
	VMT_KEY_WHEEL_UP,
	VMT_KEY_WHEEL_DOWN,
	VMT_KEY_PASTE, /* a character of text that was pasted: it is never a command */
};

struct vmt_ui_event {
	uint32_t key; /* enum vmt_key, or a character */
	unsigned y, x; /* of the mouse */
	uint32_t pasted; /* of VMT_KEY_PASTE: the character */
};

/* What the owner is to do after an event. */
enum vmt_ui_act {
	VMT_UI_NONE,
	VMT_UI_DRAW, /* something looks different */
	VMT_UI_SAMPLE, /* something else is wanted: sample at once */
	VMT_UI_REPORT, /* write a report of what vmt_ui_subject() says */
	VMT_UI_SAVE, /* write the configuration */
	VMT_UI_RECORD, /* begin a recording of the samples, or end it */
	VMT_UI_REPLAY, /* go where vmt_ui_order() says */
	VMT_UI_QUIT,
};

/* A process by its identity; pid 0 for none. */
struct vmt_ui_proc {
	uint64_t pid;
	uint64_t start_time_ns; /* 0: whoever has that pid */
};

/* A file by its identity, as maps has it; device "" for none. */
struct vmt_ui_file {
	char device[16];
	uint64_t inode;
};

/* An instruction of a process; pid 0 for none. Numbers of processes are used again: it is the one
 * that had this number then. */
struct vmt_ui_code {
	uint64_t pid;
	uint64_t ip;
	uint64_t time_ns; /* CLOCK_MONOTONIC; when the fault of it ended */
};

/* What keys act upon: a process, one of its mappings, an address in that, the file that is mapped.
 */
struct vmt_ui_subject {
	struct vmt_ui_proc proc;
	struct vmt_ui_file file;
	uint64_t start, end; /* of the mapping; 0 for none */
	uint64_t address;
};

/* Processes whose dear figures are wanted at most in one sample. */
#define VMT_UI_ROWS_MAX 512

/* What the next sample is to hold; nothing else is read. */
struct vmt_ui_want {
	enum vmt_screen_id screen;
	bool sampling; /* false: frozen, and nothing is to be read at all */
	bool still; /* in a recording, and nothing plays: the sample is another one on request alone
		     */
	bool held; /* samples are taken and not shown: the model that is shown is to stay */
	uint64_t interval_ns;
	uint64_t sources; /* VMT_SOURCE_BITs of the cheap sources */
	bool procs; /* the list of processes */
	/* Processes on the screen, the most wanted first, and the sources (STATUS, CGROUP, ROLLUP)
	 * that are read of them alone. */
	struct vmt_ui_proc rows[VMT_UI_ROWS_MAX];
	size_t n_rows;
	size_t n_candidates; /* behind them: those that might be there with the next sample */
	uint64_t row_sources;
	struct vmt_ui_proc maps; /* whose mappings are shown */
	/* Mappings on the screen whose residency is drawn, by their first address. */
	uint64_t strips[VMT_UI_ROWS_MAX];
	size_t n_strips;
	unsigned strip_cells;
	struct vmt_ui_subject pages; /* the mapping whose pages are drawn, and the page in detail */
	uint64_t pages_from; /* address of the first cell that is drawn */
	uint64_t cell_pages; /* pages of a cell, a power of two */
	size_t page_cells; /* cells; 0 where it is not known yet: all of the mapping */
	bool faults; /* counts of faults by mapping */
	bool singles; /* single faults */
	bool events; /* rare events, from now on */
	/* Of the single fault that the user looks at, which is to be named; whether or not there is
	 * another sample. */
	struct vmt_ui_code code;
	/* The files of the page cache, and of so many of the largest what opening them tells. */
	size_t cache;
};

struct vmt_ui_settings;

struct vmt_ui_opts {
	enum vmt_screen_id screen;
	struct vmt_ui_proc proc; /* whose mappings are shown first */
	enum vmt_size_unit unit;
	uint64_t interval_ns;
	bool ascii;
	bool live; /* false: of a saved machine */
	bool replay; /* of a recording: keys go through it */
	bool batch; /* no keys can be pressed: no footer */
	const char *version; /* of vmtop */
	const char *filter; /* of the processes; NULL */
	const char *sort;
};

struct vmt_ui;

/* Where in a recording the model is. */
struct vmt_ui_place {
	size_t at, n; /* the at-th of n samples, from 0 on */
	bool playing;
	bool jumped; /* it does not follow the one that was shown before */
};

/* Where a key asked to go. */
struct vmt_ui_order {
	enum vmt_ui_order_kind {
		VMT_ORDER_STEP, /* by samples */
		VMT_ORDER_BY, /* by ns */
		VMT_ORDER_TO, /* the time in text */
		VMT_ORDER_PLAY, /* or pause */
	} kind;
	int64_t by;
	char text[64];
};

/* 0, -ENOMEM, or -EINVAL with the reason in err. */
int vmt_ui_new(const struct vmt_ui_opts *opts, struct vmt_ui **ret, struct vmt_err *err);
void vmt_ui_free(struct vmt_ui *ui);
static inline void vmt_ui_freep(struct vmt_ui **ui)
{
	vmt_ui_free(*ui);
}
#define VMT_AUTO_UI VMT_CLEANUP(vmt_ui_freep) struct vmt_ui *

/* A new model; it and its sample stay valid until the next call. took_ns: CPU time that it cost. 0
 * or -ENOMEM. */
int vmt_ui_model(struct vmt_ui *ui, const struct vmt_model *m, uint64_t took_ns);
enum vmt_ui_act vmt_ui_event(struct vmt_ui *ui, const struct vmt_ui_event *event);
/* Draws on all of c. 0 or -ENOMEM. */
int vmt_ui_draw(struct vmt_ui *ui, struct vmt_canvas *c);
void vmt_ui_wants(const struct vmt_ui *ui, struct vmt_ui_want *ret);
struct vmt_ui_subject vmt_ui_subject(const struct vmt_ui *ui);
enum vmt_screen_id vmt_ui_screen(const struct vmt_ui *ui);
/* Samples take so long that there is one each interval_ns; 0: as often as is wanted. */
void vmt_ui_slow(struct vmt_ui *ui, uint64_t interval_ns);
/* Columns and orders of the screens as the configuration has them, and what the settings begin
 * with; before the first model. files: the same without what options say, which is not to be saved;
 * What no table knows is told to complain, and left. How many of those there were, or -ENOMEM. */
int vmt_ui_apply(struct vmt_ui *ui, const struct vmt_ui_settings *settings,
		 const struct vmt_ui_settings *files,
		 void (*complain)(void *arg, const struct vmt_err *err), void *arg);
/* The settings of how it looks (mouse, ascii, color, theme) as they are now. */
const struct vmt_ui_settings *vmt_ui_look(const struct vmt_ui *ui);
/* What is set, by the configuration and by keys since, but not by options alone; ret is empty
 * before. 0 or -ENOMEM. */
int vmt_ui_settings(const struct vmt_ui *ui, struct vmt_ui_settings *ret);
/* What of it the configuration said. */
const struct vmt_ui_settings *vmt_ui_files(const struct vmt_ui *ui);
/* The model that comes next, or is there, is of that place; before it is told of the model. */
void vmt_ui_place(struct vmt_ui *ui, const struct vmt_ui_place *place);
struct vmt_ui_order vmt_ui_order(const struct vmt_ui *ui);
/* One line to show until the next key, as what an act came to. */
void vmt_ui_say(struct vmt_ui *ui, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
