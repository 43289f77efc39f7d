/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/ui/line.h"

#include "base/fmt.h"

#define CTRL(c) ((c)&0x1f)

/* The character in UTF-8, or 0 bytes where it has no place in a line. */
static size_t encode(uint32_t code, char to[4])
{
	if (vmt_fmt_is_unsafe(code) || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	if (code < 0x80) {
		to[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		to[0] = (char)(0xc0 | code >> 6);
		to[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		to[0] = (char)(0xe0 | code >> 12);
		to[1] = (char)(0x80 | (code >> 6 & 0x3f));
		to[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	to[0] = (char)(0xf0 | code >> 18);
	to[1] = (char)(0x80 | (code >> 12 & 0x3f));
	to[2] = (char)(0x80 | (code >> 6 & 0x3f));
	to[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

static bool insert(struct vmt_line *l, uint32_t code)
{
	char bytes[4];
	size_t n = encode(code, bytes);

	if (!n || l->len + n >= sizeof(l->text))
		return false;
	memmove(l->text + l->at + n, l->text + l->at, l->len - l->at + 1);
	memcpy(l->text + l->at, bytes, n);
	l->len += n;
	l->at += n;
	return true;
}

/* Where the character before or behind at begins. */
static size_t before(const struct vmt_line *l, size_t at)
{
	if (at)
		at--;
	while (at && (l->text[at] & 0xc0) == 0x80)
		at--;
	return at;
}

static size_t behind(const struct vmt_line *l, size_t at)
{
	if (at < l->len)
		at++;
	while (at < l->len && (l->text[at] & 0xc0) == 0x80)
		at++;
	return at;
}

static bool cut(struct vmt_line *l, size_t from, size_t to)
{
	memmove(l->text + from, l->text + to, l->len - to + 1);
	l->len -= to - from;
	l->at = from;
	return to > from;
}

static size_t word_begin(const struct vmt_line *l)
{
	size_t at = l->at;

	while (at && l->text[at - 1] == ' ')
		at--;
	while (at && l->text[at - 1] != ' ')
		at--;
	return at;
}

void vmt_line_set(struct vmt_line *l, const char *text)
{
	struct vmt_bytes cur = vmt_bytes_of(text);

	*l = (struct vmt_line){ .len = 0 };
	while (cur.len) {
		uint32_t code = 0;
		size_t n = vmt_utf8_take(cur, &code);

		if (n)
			insert(l, code);
		n = n ? n : 1;
		cur.ptr += n;
		cur.len -= n;
	}
}

bool vmt_line_event(struct vmt_line *l, const struct vmt_ui_event *event, bool *ret_changed)
{
	*ret_changed = false;
	switch (event->key) {
	case VMT_KEY_PASTE:
		*ret_changed = insert(l, event->pasted);
		return true;
	case VMT_KEY_BACKSPACE:
	case CTRL('H'):
		*ret_changed = cut(l, before(l, l->at), l->at);
		return true;
	case VMT_KEY_DELETE:
	case CTRL('D'):
		*ret_changed = cut(l, l->at, behind(l, l->at));
		return true;
	case CTRL('U'):
		*ret_changed = cut(l, 0, l->at);
		return true;
	case CTRL('K'):
		*ret_changed = cut(l, l->at, l->len);
		return true;
	case CTRL('W'):
		*ret_changed = cut(l, word_begin(l), l->at);
		return true;
	case VMT_KEY_LEFT:
	case CTRL('B'):
		l->at = before(l, l->at);
		return true;
	case VMT_KEY_RIGHT:
	case CTRL('F'):
		l->at = behind(l, l->at);
		return true;
	case VMT_KEY_HOME:
	case CTRL('A'):
		l->at = 0;
		return true;
	case VMT_KEY_END:
	case CTRL('E'):
		l->at = l->len;
		return true;
	default:
		if (event->key < ' ' || event->key >= VMT_KEY_UP)
			return false;
		*ret_changed = insert(l, event->key);
		return true;
	}
}

unsigned vmt_line_draw(const struct vmt_line *l, struct vmt_canvas *c, unsigned y, unsigned x,
		       unsigned width, const char *label)
{
	unsigned end = x + width, cursor, room;
	size_t from = 0;

	vmt_canvas_bytes(c, y, x, width, VMT_STYLE_NORMAL, VMT_BYTES(""), VMT_FIT_LEFT);
	x = vmt_canvas_puts(c, y, x, VMT_STYLE_KEY, label);
	room = end > x + 1 ? end - x - 1 : 0;
	/* What is before the cursor is scrolled out on the left, until the cursor has room. */
	cursor = vmt_text_width((struct vmt_bytes){ l->text, l->at }, c->ascii);
	while (cursor > room && from < l->at) {
		from = behind(l, from);
		cursor = vmt_text_width((struct vmt_bytes){ l->text + from, l->at - from },
					c->ascii);
	}
	if (room)
		vmt_canvas_bytes(c, y, x, room, VMT_STYLE_NORMAL,
				 (struct vmt_bytes){ l->text + from, l->len - from }, VMT_FIT_LEFT);
	vmt_canvas_restyle(c, y, x + cursor, 1, VMT_STYLE_CURSOR);
	cursor = vmt_text_width((struct vmt_bytes){ l->text + from, l->len - from }, c->ascii);
	return x + (cursor < room ? cursor : room);
}
