/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/top-config-edit.h"

#include "base/parse.h"

/* Lines are no longer than this where a value can go on in the next one: inih reads 200 bytes. */
#define LINE_MAX_BYTES 100

static struct vmt_bytes trim(struct vmt_bytes s)
{
	vmt_take_blanks(&s);
	while (s.len && (vmt_is_blank(s.ptr[s.len - 1]) || s.ptr[s.len - 1] == '\r'))
		s.len--;
	return s;
}

static struct vmt_bytes before(struct vmt_bytes s, const char *marks)
{
	size_t n = 0;

	while (n < s.len && !strchr(marks, s.ptr[n]))
		n++;
	return (struct vmt_bytes){ s.ptr, n };
}

/* What a value is without the comment behind it. */
static struct vmt_bytes without_comment(struct vmt_bytes s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (s.ptr[i] == ';' && (i == 0 || vmt_is_blank(s.ptr[i - 1])))
			break;
	s.len = i;
	return trim(s);
}

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
	struct vmt_bytes value; /* of a line alone */
	bool single;
};

static void find(const struct vmt_buf *text, const char *section, const char *name,
		 struct place *ret)
{
	struct vmt_bytes rest = { text->data, text->len }, line, in = VMT_BYTES("");
	bool mine = false; /* the line before set it */

	*ret = (struct place){ .has_section = !*section };
	if (rest.len >= 3 && memcmp(rest.ptr, "\xef\xbb\xbf", 3) == 0) {
		rest.ptr += 3;
		rest.len -= 3;
		ret->insert = 3;
	}
	while (vmt_take_line(&rest, &line)) {
		size_t from = (size_t)(line.ptr - text->data);
		size_t to = (size_t)(rest.ptr - text->data);
		struct vmt_bytes t = trim(line), key;

		/* A value goes on behind these. */
		if (!t.len || *t.ptr == ';' || *t.ptr == '#')
			continue;
		if (mine && vmt_is_blank(line.ptr[0])) {
			ret->to = to;
			ret->insert = to;
			ret->single = false;
			continue;
		}
		mine = false;
		if (*t.ptr == '[') {
			t.ptr++;
			t.len--;
			in = before(t, "]");
			if (vmt_bytes_is(in, section)) {
				ret->has_section = true;
				ret->insert = to;
			}
			continue;
		}
		if (!vmt_bytes_is(in, section))
			continue;
		ret->insert = to;
		key = trim(before(t, "=:"));
		if (!vmt_bytes_is(key, name))
			continue;
		mine = true;
		ret->from = from;
		ret->to = to;
		ret->single = true;
		key = before(t, "=:");
		ret->value =
			without_comment((struct vmt_bytes){ key.ptr + key.len + (key.len < t.len),
							    t.len - key.len - (key.len < t.len) });
	}
}

int vmt_config_edit(struct vmt_buf *text, const char *section, const char *name, const char *value)
{
	VMT_AUTO_BUF out = { 0 };
	struct place p;
	size_t from, to;

	/* A last line may be without its end. */
	if (text->len && text->data[text->len - 1] != '\n')
		vmt_buf_addc(text, '\n');
	vmt_buf_adds(text, "");
	if (vmt_buf_error(text) < 0)
		return -ENOMEM;
	find(text, section, name, &p);
	if (p.to > p.from && p.single && value && vmt_bytes_is(p.value, value))
		return 0;
	if (p.to == p.from && !value)
		return 0;
	from = p.to > p.from ? p.from : p.has_section ? p.insert : text->len;
	to = p.to > p.from ? p.to : from;
	vmt_buf_add(&out, text->data, from);
	if (!p.has_section)
		vmt_buf_addf(&out, "%s[%s]\n", from ? "\n" : "", section);
	if (value)
		add_setting(&out, name, value);
	vmt_buf_add(&out, text->data + to, text->len - to);
	vmt_buf_clear(text);
	if (out.data)
		vmt_buf_add(text, out.data, out.len);
	return vmt_buf_error(&out) < 0 || vmt_buf_error(text) < 0 ? -ENOMEM : 0;
}
