/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/top-config-edit.h"

#include "cmd/config-line.h"

/* Lines are no longer than this where a value can go on in the next one. */
#define LINE_MAX_BYTES 100

/* "name = value", on as many lines as it takes. */
static void add_setting(struct vmt_buf *out, const char *name, const char *value)
{
	size_t column = strlen(name) + 3;

	vmt_buf_addf(out, "%s = ", name);
	while (*value) {
		size_t n = strcspn(value, ",");

		n += value[n] == ',';
		if (column + n > LINE_MAX_BYTES && column > 8) {
			vmt_buf_adds(out, "\n        ");
			column = 8;
		}
		vmt_buf_add(out, value, n);
		column += n;
		value += n;
	}
	vmt_buf_addc(out, '\n');
}

/* Where in the text something belongs. */
struct place {
	size_t from, to; /* the lines that set it; the same: it is not there */
	size_t insert; /* where its section ends */
	bool has_section;
	struct vmt_buf value; /* of all its lines */
};

static void find(const struct vmt_buf *text, const char *section, const char *name,
		 struct place *ret)
{
	struct vmt_config_lines lines = { .rest = { text->data, text->len } };
	struct vmt_bytes in = VMT_BYTES("");
	struct vmt_config_line line;
	bool mine = false; /* the setting before is the one */

	ret->has_section = !*section;
	if (text->len >= 3 && memcmp(text->data, "\xef\xbb\xbf", 3) == 0)
		ret->insert = 3;
	while (vmt_config_take_line(&lines, &line)) {
		size_t from = (size_t)(line.text.ptr - text->data);
		size_t to = (size_t)(lines.rest.ptr - text->data);

		if (line.kind == VMT_CONFIG_NOTHING)
			continue;
		if (line.kind == VMT_CONFIG_SECTION)
			in = line.name;
		if (line.kind == VMT_CONFIG_SECTION || line.kind == VMT_CONFIG_SETTING)
			mine = false;
		if (!vmt_bytes_is(in, section))
			continue;
		ret->has_section = true;
		ret->insert = to;
		if (line.kind == VMT_CONFIG_SETTING && vmt_bytes_is(line.name, name)) {
			mine = true;
			ret->from = from;
			vmt_buf_clear(&ret->value);
		}
		if (mine && line.kind != VMT_CONFIG_WRONG) {
			ret->to = to;
			vmt_buf_add(&ret->value, line.value.ptr, line.value.len);
		}
	}
}

/* What stands between the lines of a setting stays. */
static void add_others(struct vmt_buf *out, struct vmt_bytes lines_of_it)
{
	struct vmt_config_lines lines = { .rest = lines_of_it, .begun = true };
	struct vmt_config_line line;

	while (vmt_config_take_line(&lines, &line))
		if (line.kind == VMT_CONFIG_NOTHING || line.kind == VMT_CONFIG_WRONG)
			vmt_buf_add(out, line.text.ptr, (size_t)(lines.rest.ptr - line.text.ptr));
}

/* 1 where there may be another line that sets it, 0 where there is not, or -ENOMEM. */
static int edit_once(struct vmt_buf *text, const char *section, const char *name, const char *value,
		     struct place *p)
{
	VMT_AUTO_BUF out = { 0 };
	bool found;
	size_t from, to;

	find(text, section, name, p);
	if (vmt_buf_error(&p->value) < 0)
		return -ENOMEM;
	found = p->to > p->from;
	if (found ? value && vmt_bytes_is((struct vmt_bytes){ p->value.data, p->value.len }, value)
		  : !value)
		return 0;
	from = found ? p->from : p->has_section ? p->insert : text->len;
	to = found ? p->to : from;
	vmt_buf_add(&out, text->data, from);
	if (!p->has_section)
		vmt_buf_addf(&out, "%s[%s]\n", from ? "\n" : "", section);
	if (value)
		add_setting(&out, name, value);
	add_others(&out, (struct vmt_bytes){ text->data + from, to - from });
	vmt_buf_add(&out, text->data + to, text->len - to);
	vmt_buf_clear(text);
	if (out.data)
		vmt_buf_add(text, out.data, out.len);
	if (vmt_buf_error(&out) < 0 || vmt_buf_error(text) < 0)
		return -ENOMEM;
	return !value;
}

int vmt_config_edit(struct vmt_buf *text, const char *section, const char *name, const char *value)
{
	int r;

	/* A last line may be without its end. */
	if (text->len && text->data[text->len - 1] != '\n')
		vmt_buf_addc(text, '\n');
	vmt_buf_adds(text, "");
	if (vmt_buf_error(text) < 0)
		return -ENOMEM;
	do {
		struct place p = { 0 };

		r = edit_once(text, section, name, value, &p);
		vmt_buf_done(&p.value);
	} while (r > 0);
	return r;
}
