/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/ui/theme.h"
#include "cmd/ui/ui.h"

/* What can be set, and how the configuration writes it. */

enum vmt_when {
	VMT_WHEN_AUTO,
	VMT_WHEN_ALWAYS,
	VMT_WHEN_NEVER,
};

struct vmt_ui_settings {
	uint64_t interval_ns;
	enum vmt_size_unit unit;
	enum vmt_screen_id screen; /* to begin with */
	bool mouse;
	bool events; /* crashes are watched whatever is shown */
	bool ascii;
	enum vmt_when color;
	enum vmt_theme theme;
	/* Of the tables of the screens, as -o and -s have them; heap, NULL for those of vmtop. */
	char *columns[VMT_SCREEN_COUNT];
	char *sort[VMT_SCREEN_COUNT];
};

/* Shortest and longest time between two samples. */
#define VMT_UI_INTERVAL_MIN_NS UINT64_C(100000000)
#define VMT_UI_INTERVAL_MAX_NS UINT64_C(60000000000)

/* What units are called; those up to VMT_SIZE_PAGES. */
const char *vmt_settings_unit(enum vmt_size_unit unit);
/* What they are where nobody says anything. */
void vmt_settings_init(struct vmt_ui_settings *s);
void vmt_settings_done(struct vmt_ui_settings *s);
#define VMT_AUTO_SETTINGS VMT_CLEANUP(vmt_settings_done) struct vmt_ui_settings
/* A copy; ret is empty before. 0 or -ENOMEM, which leaves it empty. */
int vmt_settings_copy(struct vmt_ui_settings *ret, const struct vmt_ui_settings *s);

/*
 * Sets one by its name; section is "" or the name of a screen. -ENOENT where there is none of that
 * name, -EINVAL where its value is not of the form, both with the reason in err; -ENOMEM. Whether
 * columns are those of a table is seen where the table is.
 */
int vmt_settings_set(struct vmt_ui_settings *s, const char *section, const char *name,
		     const char *value, struct vmt_err *err);
/* Calls fn for each, those without a section first; value is NULL where nothing is set, and fn's
 * only while it runs. */
void vmt_settings_each(const struct vmt_ui_settings *s,
		       void (*fn)(void *arg, const char *section, const char *name,
				  const char *value),
		       void *arg);
