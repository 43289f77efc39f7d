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

int vmt_ui_apply(struct vmt_ui *ui, const struct vmt_ui_settings *settings,
		 void (*complain)(void *arg, const struct vmt_err *err), void *arg)
{
	int i, r, n = 0;

	vmt_settings_done(&ui->settings);
	if (vmt_settings_copy(&ui->settings, settings) < 0)
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
	}
	return n;
}

const struct vmt_ui_settings *vmt_ui_look(const struct vmt_ui *ui)
{
	return &ui->settings;
}

/* A text that is as it was at first is none of the user's. */
static void drop_same(char **text, const char *first)
{
	if (*text && first && strcmp(*text, first) == 0) {
		free(*text);
		*text = NULL;
	}
}

int vmt_ui_settings(const struct vmt_ui *ui, struct vmt_ui_settings *ret)
{
	int i, r = vmt_settings_copy(ret, &ui->settings);

	if (r < 0)
		return r;
	ret->interval_ns = ui->interval_ns;
	ret->unit = ui->unit;
	for (i = 0; i < VMT_SCREEN_COUNT; i++) {
		const struct vmt_table *t = table_of(ui, i);

		if (!t)
			continue;
		if (table_texts(t, &ret->columns[i], &ret->sort[i]) < 0) {
			vmt_settings_done(ret);
			return -ENOMEM;
		}
		drop_same(&ret->columns[i], ui->first.columns[i]);
		drop_same(&ret->sort[i], ui->first.sort[i]);
	}
	return 0;
}
