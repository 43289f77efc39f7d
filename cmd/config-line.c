/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/config-line.h"

#include "base/parse.h"

/* As inih takes them, but for two: a comment behind a line that goes on, which release 55 takes for
 * a part of the value, and a line that is indented where there is nothing that it could go on with,
 * which it takes for a setting. */

static struct vmt_bytes trim(struct vmt_bytes s)
{
	vmt_take_blanks(&s);
	while (s.len && vmt_is_blank(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

/* What is before one of the marks, or before a comment behind a blank. */
static struct vmt_bytes before(struct vmt_bytes s, const char *marks)
{
	size_t n = 0;

	while (n < s.len && !strchr(marks, s.ptr[n]) &&
	       !(s.ptr[n] == ';' && n && vmt_is_blank(s.ptr[n - 1])))
		n++;
	return (struct vmt_bytes){ s.ptr, n };
}

static struct vmt_bytes behind(struct vmt_bytes s, size_t n)
{
	return (struct vmt_bytes){ s.ptr + n, s.len - n };
}

static const char *refused(struct vmt_bytes text)
{
	size_t i;

	for (i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return "not text";
	}
	if (text.len > VMT_CONFIG_LINE_MAX)
		return "the line is too long; a value may go on in the next one, behind blanks";
	return NULL;
}

static enum vmt_config_kind wrong(struct vmt_config_line *line, const char *why)
{
	line->wrong = why;
	return VMT_CONFIG_WRONG;
}

static enum vmt_config_kind take(struct vmt_config_lines *l, struct vmt_config_line *line,
				 struct vmt_bytes text)
{
	struct vmt_bytes t = trim(text);
	const char *why = refused(line->text);

	if (why)
		return wrong(line, why);
	if (!t.len || *t.ptr == ';' || *t.ptr == '#')
		return VMT_CONFIG_NOTHING;
	if (vmt_is_blank(*text.ptr)) {
		line->value = trim(before(t, ""));
		return l->has_name ? VMT_CONFIG_MORE
				   : wrong(line, "it begins with a blank, and there is no value "
						 "before that it could go on with");
	}
	if (*t.ptr == '[') {
		line->name = before(behind(t, 1), "]");
		if (line->name.len + 1 == t.len || t.ptr[line->name.len + 1] != ']')
			return wrong(line, "a section without its ]");
		l->has_name = false;
		return VMT_CONFIG_SECTION;
	}
	line->name = before(t, "=:");
	if (line->name.len == t.len || t.ptr[line->name.len] == ';')
		return wrong(line, "neither [section] nor name = value");
	line->value = trim(before(behind(t, line->name.len + 1), ""));
	line->name = trim(line->name);
	l->has_name = line->name.len > 0;
	return VMT_CONFIG_SETTING;
}

bool vmt_config_take_line(struct vmt_config_lines *l, struct vmt_config_line *ret)
{
	struct vmt_bytes text;

	*ret = (struct vmt_config_line){ 0 };
	if (!vmt_take_line(&l->rest, &ret->text))
		return false;
	if (ret->text.len && ret->text.ptr[ret->text.len - 1] == '\r')
		ret->text.len--;
	text = ret->text;
	/* The mark of the order of bytes is none of the first line. */
	if (!l->begun && text.len >= 3 && memcmp(text.ptr, "\xef\xbb\xbf", 3) == 0)
		text = behind(text, 3);
	l->begun = true;
	ret->kind = take(l, ret, text);
	return true;
}
