/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/ui/settings.h"

#include <inttypes.h>

#include "base/parse.h"

/* Longer than any name of a column. */
#define NAME_BYTES_MAX 64

static const char *const units[] = {
	[VMT_SIZE_HUMAN] = "auto", [VMT_SIZE_BYTES] = "bytes", [VMT_SIZE_KIB] = "KiB",
	[VMT_SIZE_MIB] = "MiB",	   [VMT_SIZE_GIB] = "GiB",     [VMT_SIZE_PAGES] = "pages",
};
static const char *const whens[] = {
	[VMT_WHEN_AUTO] = "auto",
	[VMT_WHEN_ALWAYS] = "always",
	[VMT_WHEN_NEVER] = "never",
};
static const char *const yes_no[] = { "no", "yes" };

const char *vmt_settings_unit(enum vmt_size_unit unit)
{
	return units[unit];
}

void vmt_settings_init(struct vmt_ui_settings *s)
{
	*s = (struct vmt_ui_settings){
		.interval_ns = UINT64_C(1000000000),
		.screen = VMT_SCREEN_SYSTEM,
		.mouse = true,
		.events = true,
	};
}

void vmt_settings_done(struct vmt_ui_settings *s)
{
	size_t i;

	for (i = 0; i < VMT_SCREEN_COUNT; i++) {
		free(s->columns[i]);
		free(s->sort[i]);
		s->columns[i] = s->sort[i] = NULL;
	}
}

static int copy_text(char **ret, const char *text)
{
	*ret = text ? strdup(text) : NULL;
	return text && !*ret ? -ENOMEM : 0;
}

int vmt_settings_copy(struct vmt_ui_settings *ret, const struct vmt_ui_settings *s)
{
	size_t i;
	int r = 0;

	*ret = *s;
	memset(ret->columns, 0, sizeof(ret->columns));
	memset(ret->sort, 0, sizeof(ret->sort));
	for (i = 0; i < VMT_SCREEN_COUNT && r == 0; i++) {
		r = copy_text(&ret->columns[i], s->columns[i]);
		if (r == 0)
			r = copy_text(&ret->sort[i], s->sort[i]);
	}
	if (r < 0)
		vmt_settings_done(ret);
	return r;
}

/* The index of a word, or -EINVAL with those that there are. */
static int word(const char *const *words, size_t n, const char *name, const char *value,
		struct vmt_err *err)
{
	VMT_AUTO_BUF text = { 0 };
	size_t i;

	for (i = 0; i < n; i++) {
		if (strcmp(words[i], value) == 0)
			return (int)i;
		vmt_buf_addf(&text, "%s%s", !i ? "" : i + 1 < n ? ", " : " or ", words[i]);
	}
	if (vmt_buf_error(&text) < 0)
		return -ENOMEM;
	return vmt_err_set(err, -EINVAL, NULL, 0, "%s is %s", name, text.data);
}

static int set_delay(struct vmt_ui_settings *s, const char *value, struct vmt_err *err)
{
	uint64_t ns;

	if (vmt_parse_duration(value, &ns) < 0 || ns < VMT_UI_INTERVAL_MIN_NS ||
	    ns > VMT_UI_INTERVAL_MAX_NS)
		return vmt_err_set(err, -EINVAL, NULL, 0, "delay is 0.1 to 60 seconds");
	s->interval_ns = ns;
	return 0;
}

static int set_text(char **to, const char *value)
{
	char *text = *value ? strdup(value) : NULL;

	if (*value && !text)
		return -ENOMEM;
	free(*to);
	*to = text;
	return 0;
}

/* Whether they could be names with commas between: what the configuration can hold on its lines, a
 * new one of which may begin behind each comma. */
static bool is_list(const char *s)
{
	while (*s) {
		size_t n = strcspn(s, ",");

		if (n > NAME_BYTES_MAX || memchr(s, ';', n) || *s == '#')
			return false;
		if (n && (vmt_is_blank(s[0]) || vmt_is_blank(s[n - 1])))
			return false;
		s += n + (s[n] == ',');
	}
	return true;
}

static int set_of_screen(struct vmt_ui_settings *s, const char *section, const char *name,
			 const char *value, struct vmt_err *err)
{
	int id = vmt_screen_find(section);

	if (id < 0)
		return vmt_err_set(err, -ENOENT, NULL, 0, "there is no such section");
	if (!is_list(value))
		return vmt_err_set(err, -EINVAL, NULL, 0, "it takes names with commas between");
	if (strcmp(name, "columns") == 0)
		return set_text(&s->columns[id], value);
	if (strcmp(name, "sort") == 0)
		return set_text(&s->sort[id], value);
	return vmt_err_set(err, -ENOENT, NULL, 0, "a screen has columns and sort alone");
}

int vmt_settings_set(struct vmt_ui_settings *s, const char *section, const char *name,
		     const char *value, struct vmt_err *err)
{
	const char *themes[VMT_THEME_COUNT], *screens[VMT_SCREEN_COUNT];
	int i, r;

	for (i = 0; i < VMT_THEME_COUNT; i++)
		themes[i] = vmt_theme_name((enum vmt_theme)i);
	for (i = 0; i < VMT_SCREEN_COUNT; i++)
		screens[i] = vmt_screen_name((enum vmt_screen_id)i);
	if (*section)
		return set_of_screen(s, section, name, value, err);
#define WORD(words) (r = word(words, VMT_ARRAY_LEN(words), name, value, err))
	if (strcmp(name, "delay") == 0) {
		r = set_delay(s, value, err);
	} else if (strcmp(name, "unit") == 0) {
		if (WORD(units) >= 0)
			s->unit = (enum vmt_size_unit)r;
	} else if (strcmp(name, "screen") == 0) {
		if (WORD(screens) >= 0)
			s->screen = (enum vmt_screen_id)r;
	} else if (strcmp(name, "mouse") == 0) {
		if (WORD(yes_no) >= 0)
			s->mouse = r == 1;
	} else if (strcmp(name, "events") == 0) {
		if (WORD(yes_no) >= 0)
			s->events = r == 1;
	} else if (strcmp(name, "ascii") == 0) {
		if (WORD(yes_no) >= 0)
			s->ascii = r == 1;
	} else if (strcmp(name, "color") == 0) {
		if (WORD(whens) >= 0)
			s->color = (enum vmt_when)r;
	} else if (strcmp(name, "theme") == 0) {
		if (WORD(themes) >= 0)
			s->theme = (enum vmt_theme)r;
	} else {
		r = vmt_err_set(err, -ENOENT, NULL, 0, "there is no such setting");
	}
#undef WORD
	return r < 0 ? r : 0;
}

void vmt_settings_each(const struct vmt_ui_settings *s,
		       void (*fn)(void *arg, const char *section, const char *name,
				  const char *value),
		       void *arg)
{
	uint64_t ms = s->interval_ns / 1000000;
	char delay[32];
	int i;

	if (ms % 1000)
		snprintf(delay, sizeof(delay), "%" PRIu64 "ms", ms);
	else
		snprintf(delay, sizeof(delay), "%" PRIu64, ms / 1000);
	fn(arg, "", "delay", delay);
	fn(arg, "", "unit", units[s->unit]);
	fn(arg, "", "screen", vmt_screen_name(s->screen));
	fn(arg, "", "mouse", yes_no[s->mouse]);
	fn(arg, "", "events", yes_no[s->events]);
	fn(arg, "", "ascii", yes_no[s->ascii]);
	fn(arg, "", "color", whens[s->color]);
	fn(arg, "", "theme", vmt_theme_name(s->theme));
	for (i = 0; i < VMT_SCREEN_COUNT; i++) {
		fn(arg, vmt_screen_name((enum vmt_screen_id)i), "columns", s->columns[i]);
		fn(arg, vmt_screen_name((enum vmt_screen_id)i), "sort", s->sort[i]);
	}
}
