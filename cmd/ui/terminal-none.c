/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/ui/terminal.h"

/* A build without ncurses: terminal.c is not in it, and no terminal is ever opened. */

int vmt_terminal_open(const struct vmt_terminal_opts *opts, struct vmt_terminal **ret,
		      struct vmt_err *err)
{
	*ret = NULL;
	return vmt_err_set(err, -EOPNOTSUPP, NULL, 0, "this build has no dashboard");
}

void vmt_terminal_close(struct vmt_terminal *t)
{
}

int vmt_terminal_change(struct vmt_terminal *t, const struct vmt_terminal_opts *opts)
{
	return -EOPNOTSUPP;
}

int vmt_terminal_fd(const struct vmt_terminal *t)
{
	return -1;
}

short vmt_terminal_poll(const struct vmt_terminal *t)
{
	return 0;
}

int vmt_terminal_wait_ms(const struct vmt_terminal *t)
{
	return -1;
}

int vmt_terminal_read(struct vmt_terminal *t)
{
	return -EIO;
}

bool vmt_terminal_event(struct vmt_terminal *t, struct vmt_ui_event *ret)
{
	return false;
}

bool vmt_terminal_silence(struct vmt_terminal *t, struct vmt_ui_event *ret)
{
	return false;
}

int vmt_terminal_key_signal(const struct vmt_terminal *t, uint32_t key)
{
	return 0;
}

void vmt_terminal_size(const struct vmt_terminal *t, unsigned *ret_height, unsigned *ret_width)
{
	*ret_height = 24;
	*ret_width = 80;
}

bool vmt_terminal_busy(const struct vmt_terminal *t)
{
	return false;
}

int vmt_terminal_show(struct vmt_terminal *t, const struct vmt_canvas *c)
{
	return -EIO;
}

int vmt_terminal_flush(struct vmt_terminal *t)
{
	return -EIO;
}

void vmt_terminal_redraw(struct vmt_terminal *t)
{
}

void vmt_terminal_leave(struct vmt_terminal *t)
{
}

int vmt_terminal_enter(struct vmt_terminal *t, bool found)
{
	return -EIO;
}
