/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/ui/table.h"

/* Settings in and out of the dashboard. */

static struct vmt_table *table_of(const struct vmt_ui *ui, int screen)
{
	const struct vmt_screen *s = vmt_screens[screen];

	if (s->kept)
		return s->kept(ui->states[screen]);
	return s->table ? s->table(ui->states[screen]) : NULL;
}

/* Columns and order of a table as the configuration writes them. */
static int table_texts(const struct vmt_table *t, char **columns, char **sort)
{
	VMT_AUTO_BUF c = { 0 }, s = { 0 };

	vmt_buf_adds(&c, "");
	vmt_buf_adds(&s, "");
	vmt_table_columns_text(t, &c);
	vmt_table_sort_text(t, &s);
	if (vmt_buf_error(&c) < 0 || vmt_buf_error(&s) < 0)
		return -ENOMEM;
	free(*columns);
	free(*sort);
	*columns = VMT_STEAL(c.data);
	*sort = VMT_STEAL(s.data);
	return 0;
}

/* What a table says to a setting of it. */
static int told(int r, int screen, const char *name, struct vmt_err *err,
		void (*complain)(void *arg, const struct vmt_err *err), void *arg)
{
	struct vmt_err whole = { 0 };

	if (r == -ENOMEM || r >= 0)
		return r < 0 ? r : 0;
	vmt_err_set(&whole, r, NULL, 0, "[%s] %s: %s", vmt_screens[screen]->name, name, err->text);
	complain(arg, &whole);
	return 1;
}

/* A text that is as it was at first is none of the user's. */
static void drop_same(char **text, const char *first)
{
	if (*text && first && strcmp(*text, first) == 0) {
		free(*text);
		*text = NULL;
	}
}

/* Columns and order of a table, NULL where they are as they were at first. */
static int chosen_texts(const struct vmt_ui *ui, int screen, struct vmt_ui_settings *ret)
{
	const struct vmt_table *t = table_of(ui, screen);
	int r = t ? table_texts(t, &ret->columns[screen], &ret->sort[screen]) : 0;

	if (!t || r < 0)
		return r;
	drop_same(&ret->columns[screen], ui->first.columns[screen]);
	drop_same(&ret->sort[screen], ui->first.sort[screen]);
	return 0;
}

int vmt_ui_apply(struct vmt_ui *ui, const struct vmt_ui_settings *settings,
		 const struct vmt_ui_settings *files,
		 void (*complain)(void *arg, const struct vmt_err *err), void *arg)
{
	int i, r, n = 0;

	vmt_settings_done(&ui->settings);
	vmt_settings_done(&ui->given);
	vmt_settings_done(&ui->files);
	if (vmt_settings_copy(&ui->settings, settings) < 0 ||
	    vmt_settings_copy(&ui->given, settings) < 0 || vmt_settings_copy(&ui->files, files) < 0)
		return -ENOMEM;
	for (i = 0; i < VMT_SCREEN_COUNT; i++) {
		struct vmt_table *t = table_of(ui, i);
		struct vmt_err err = { 0 };

		if (!t)
			continue;
		if (table_texts(t, &ui->first.columns[i], &ui->first.sort[i]) < 0)
			return -ENOMEM;
		r = settings->columns[i] ? vmt_table_columns(t, settings->columns[i], &err) : 0;
		r = told(r, i, "columns", &err, complain, arg);
		if (r < 0)
			return r;
		n += r;
		r = settings->sort[i] ? vmt_table_sort(ui, t, settings->sort[i], &err) : 0;
		r = told(r, i, "sort", &err, complain, arg);
		if (r < 0)
			return r;
		n += r;
		/* As the table writes them, to see later what was changed. */
		if (chosen_texts(ui, i, &ui->files) < 0)
			return -ENOMEM;
	}
	return n;
}

const struct vmt_ui_settings *vmt_ui_look(const struct vmt_ui *ui)
{
	return &ui->settings;
}

/* What is as it was at the start was said by an option or by the configuration: it stays as that
 * has it. */
static void drop_options(const struct vmt_ui *ui, struct vmt_ui_settings *s)
{
	const struct vmt_ui_settings *given = &ui->given, *files = &ui->files;

	if (s->interval_ns == given->interval_ns)
		s->interval_ns = files->interval_ns;
	if (s->unit == given->unit)
		s->unit = files->unit;
	if (s->screen == given->screen)
		s->screen = files->screen;
	if (s->mouse == given->mouse)
		s->mouse = files->mouse;
	if (s->events == given->events)
		s->events = files->events;
	if (s->ascii == given->ascii)
		s->ascii = files->ascii;
	if (s->color == given->color)
		s->color = files->color;
	if (s->theme == given->theme)
		s->theme = files->theme;
}

int vmt_ui_settings(const struct vmt_ui *ui, struct vmt_ui_settings *ret)
{
	int i, r = vmt_settings_copy(ret, &ui->settings);

	if (r < 0)
		return r;
	ret->interval_ns = ui->interval_ns;
	ret->unit = ui->unit;
	drop_options(ui, ret);
	for (i = 0; i < VMT_SCREEN_COUNT; i++) {
		if (chosen_texts(ui, i, ret) < 0) {
			vmt_settings_done(ret);
			return -ENOMEM;
		}
	}
	return 0;
}

const struct vmt_ui_settings *vmt_ui_files(const struct vmt_ui *ui)
{
	return &ui->files;
}
