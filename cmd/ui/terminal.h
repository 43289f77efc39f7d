/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "cmd/ui/theme.h"
#include "cmd/ui/ui.h"

/*
 * The terminal: keys from it, screens to it. Of ncurses only the descriptions of terminals are
 * used: its screens wait for slow terminals, and write through a stream of which what a terminal
 * does not take at once is lost. Here nothing ever waits: what goes out is kept until poll(2) says
 * that it is taken. A build without ncurses has the same functions, and vmt_terminal_open() fails.
 *
 * There is one at a time: the handlers of crashes know it.
 */

struct vmt_terminal;

struct vmt_terminal_opts {
	enum vmt_theme theme;
	bool color; /* where the terminal has some */
	bool mouse;
};

/*
 * Opens the terminal that is standard output, and has it show a screen of ours. -ENOTTY where there
 * is none, -ENOENT where its kind is unknown, -EOPNOTSUPP where it (or this build) cannot show
 * screens; err says so in words that end a line.
 */
int vmt_terminal_open(const struct vmt_terminal_opts *opts, struct vmt_terminal **ret,
		      struct vmt_err *err);
/* The terminal as it was found; what was typed and not read is dropped. */
void vmt_terminal_close(struct vmt_terminal *t);
static inline void vmt_terminal_closep(struct vmt_terminal **t)
{
	vmt_terminal_close(*t);
}
#define VMT_AUTO_TERMINAL VMT_CLEANUP(vmt_terminal_closep) struct vmt_terminal *

/* Changes what can be changed while it is open; the next screen is drawn whole. 0 or -ENOMEM. */
int vmt_terminal_change(struct vmt_terminal *t, const struct vmt_terminal_opts *opts);

/* What poll(2) is to look for. */
int vmt_terminal_fd(const struct vmt_terminal *t);
short vmt_terminal_poll(const struct vmt_terminal *t);
/* Milliseconds of silence after which to call vmt_terminal_silence(); -1 for none. */
int vmt_terminal_wait_ms(const struct vmt_terminal *t);

/* Takes in what was typed: 0, or -EIO where the terminal is gone. Take all events first. */
int vmt_terminal_read(struct vmt_terminal *t);
bool vmt_terminal_event(struct vmt_terminal *t, struct vmt_ui_event *ret);
bool vmt_terminal_silence(struct vmt_terminal *t, struct vmt_ui_event *ret);
/* The signal that the terminal would send for a key if it were not told otherwise; or 0. */
int vmt_terminal_key_signal(const struct vmt_terminal *t, uint32_t key);

/* Its lines and columns, as many of them as a screen is ever drawn on. */
void vmt_terminal_size(const struct vmt_terminal *t, unsigned *ret_height, unsigned *ret_width);
/* Whether it has not taken yet what was shown last: then nothing more is shown. */
bool vmt_terminal_busy(const struct vmt_terminal *t);
/* Sends what differs from what it shows: 0, -EAGAIN where it is busy, -ENOMEM, or -EIO. */
int vmt_terminal_show(struct vmt_terminal *t, const struct vmt_canvas *c);
/* Sends what is left, as far as it takes it: 0 or -EIO. */
int vmt_terminal_flush(struct vmt_terminal *t);
/* What it shows is not known any more: the next screen is drawn whole. */
void vmt_terminal_redraw(struct vmt_terminal *t);

/* Leaves our screen for that of the shell, and the other way round; before and after the process
 * is stopped. */
void vmt_terminal_leave(struct vmt_terminal *t);
/* found: that its modes now are those to leave it with. 0 or -EIO. */
int vmt_terminal_enter(struct vmt_terminal *t, bool found);
