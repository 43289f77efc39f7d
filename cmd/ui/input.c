/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/ui/input.h"

#define ESC 0x1b

void vmt_input_done(struct vmt_input *in)
{
	size_t i;

	for (i = 0; i < in->n_keys; i++)
		free(in->keys[i].text);
	free(in->keys);
	in->keys = NULL;
	in->n_keys = in->cap_keys = 0;
}

int vmt_input_learn(struct vmt_input *in, const char *text, uint32_t key)
{
	if (text[0] != ESC || !text[1] || strlen(text) > VMT_SEQUENCE_MAX)
		return 0;
	if (vmt_grow(&in->keys, &in->cap_keys, in->n_keys + 1, sizeof(*in->keys)) < 0)
		return -ENOMEM;
	in->keys[in->n_keys].text = strdup(text);
	if (!in->keys[in->n_keys].text)
		return -ENOMEM;
	in->keys[in->n_keys++].key = key;
	return 0;
}

char *vmt_input_room(struct vmt_input *in, size_t *ret_n)
{
	if (in->at) {
		memmove(in->buf, in->buf + in->at, in->len - in->at);
		in->len -= in->at;
		in->at = 0;
	}
	*ret_n = sizeof(in->buf) - in->len;
	return in->buf + in->len;
}

void vmt_input_add(struct vmt_input *in, size_t n)
{
	in->len += n;
}

/* How far taking one event came. */
enum taken {
	TAKEN_MORE, /* it takes more bytes */
	TAKEN_NONE, /* bytes that mean nothing */
	TAKEN_EVENT,
};

/* The key of "ESC [ number ~". */
static uint32_t tilde_key(unsigned number)
{
	static const uint32_t keys[] = {
		[1] = VMT_KEY_HOME,	[2] = VMT_KEY_INSERT,  [3] = VMT_KEY_DELETE,
		[4] = VMT_KEY_END,	[5] = VMT_KEY_PAGE_UP, [6] = VMT_KEY_PAGE_DOWN,
		[7] = VMT_KEY_HOME,	[8] = VMT_KEY_END,     [11] = VMT_KEY_F1,
		[12] = VMT_KEY_F1 + 1,	[13] = VMT_KEY_F1 + 2, [14] = VMT_KEY_F1 + 3,
		[15] = VMT_KEY_F1 + 4,	[17] = VMT_KEY_F1 + 5, [18] = VMT_KEY_F1 + 6,
		[19] = VMT_KEY_F1 + 7,	[20] = VMT_KEY_F1 + 8, [21] = VMT_KEY_F10,
		[23] = VMT_KEY_F1 + 10, [24] = VMT_KEY_F12,
	};

	return number < VMT_ARRAY_LEN(keys) ? keys[number] : VMT_KEY_NONE;
}

/* The key of "ESC [ letter" and "ESC O letter". */
static uint32_t letter_key(char c)
{
	switch (c) {
	case 'A':
		return VMT_KEY_UP;
	case 'B':
		return VMT_KEY_DOWN;
	case 'C':
		return VMT_KEY_RIGHT;
	case 'D':
		return VMT_KEY_LEFT;
	case 'H':
		return VMT_KEY_HOME;
	case 'F':
		return VMT_KEY_END;
	case 'M':
		return VMT_KEY_ENTER;
	case 'Z':
		return VMT_KEY_BACK_TAB;
	case 'P':
	case 'Q':
	case 'R':
	case 'S':
		return VMT_KEY_F1 + (uint32_t)(c - 'P');
	default:
		return VMT_KEY_NONE;
	}
}

/* What the mouse did, of the button word of xterm: modifiers do not matter, moving and other
 * buttons mean nothing. Lines and columns count from 1. */
static enum taken mouse(struct vmt_ui_event *ret, unsigned button, unsigned x, unsigned y)
{
	switch (button & ~(4u | 8u | 16u)) {
	case 0:
		ret->key = VMT_KEY_CLICK;
		break;
	case 64:
		ret->key = VMT_KEY_WHEEL_UP;
		break;
	case 65:
		ret->key = VMT_KEY_WHEEL_DOWN;
		break;
	default:
		return TAKEN_NONE;
	}
	if (!x || !y)
		return TAKEN_NONE;
	ret->y = y - 1;
	ret->x = x - 1;
	return TAKEN_EVENT;
}

/* A place in the bytes of xterm's first encoding, from 1; 0 for a byte that is none. */
static unsigned place(char c)
{
	return (unsigned char)c > 32 ? (unsigned char)c - 32u : 0;
}

/* The parameters of a control sequence; those that are missing are 0, and no number gets large. */
static size_t parameters(const char *p, const char *end, unsigned *ret, size_t max)
{
	size_t n = 0;

	memset(ret, 0, max * sizeof(*ret));
	for (; p < end; p++) {
		if (*p == ';') {
			if (++n == max)
				return max;
		} else if (*p >= '0' && *p <= '9' && ret[n] < 100000) {
			ret[n] = 10 * ret[n] + (unsigned)(*p - '0');
		}
	}
	return n + 1;
}

/* A control sequence: ESC [, parameters, intermediate bytes, a final one (ECMA-48, 5.4). */
static enum taken control_sequence(struct vmt_input *in, size_t *n, struct vmt_ui_event *ret)
{
	const char *p = in->buf + in->at, *end = in->buf + in->len, *q = p + 2;
	unsigned arg[3];

	/* The console of Linux: ESC [ [ A is F1. */
	if (q < end && *q == '[') {
		if (q + 1 == end)
			return TAKEN_MORE;
		*n = 4;
		if (q[1] < 'A' || q[1] > 'E')
			return TAKEN_NONE;
		ret->key = VMT_KEY_F1 + (uint32_t)(q[1] - 'A');
		return TAKEN_EVENT;
	}
	while (q < end && q - p <= VMT_SEQUENCE_MAX && (unsigned char)*q >= 0x20 &&
	       (unsigned char)*q < 0x40)
		q++;
	*n = (size_t)(q - p);
	/* Whether its end is there already or not. */
	if (*n > VMT_SEQUENCE_MAX) {
		in->skipping = true;
		return TAKEN_NONE;
	}
	if (q == end)
		return TAKEN_MORE;
	/* A byte that no sequence has is looked at anew. */
	if ((unsigned char)*q < 0x40 || (unsigned char)*q > 0x7e)
		return TAKEN_NONE;
	++*n;
	if (*q == 'M' && q == p + 2) {
		if (end - q < 4)
			return TAKEN_MORE;
		*n = 6;
		return mouse(ret, (unsigned char)q[1] - 32u, place(q[2]), place(q[3]));
	}
	if (p[2] == '<' && (*q == 'M' || *q == 'm')) {
		if (parameters(p + 3, q, arg, 3) != 3 || *q == 'm')
			return TAKEN_NONE;
		return mouse(ret, arg[0], arg[1], arg[2]);
	}
	parameters(p + 2, q, arg, 3);
	if (*q == '~' && arg[0] == 200) {
		in->pasting = true;
		return TAKEN_NONE;
	}
	ret->key = *q == '~' ? tilde_key(arg[0]) : letter_key(*q);
	return ret->key ? TAKEN_EVENT : TAKEN_NONE;
}

static enum taken escape(struct vmt_input *in, size_t *n, struct vmt_ui_event *ret)
{
	const char *p = in->buf + in->at;
	size_t left = in->len - in->at, i;
	bool more = false;

	for (i = 0; i < in->n_keys; i++) {
		size_t len = strlen(in->keys[i].text);

		if (left >= len && memcmp(p, in->keys[i].text, len) == 0) {
			*n = len;
			ret->key = in->keys[i].key;
			return TAKEN_EVENT;
		}
		more |= left < len && memcmp(p, in->keys[i].text, left) == 0;
	}
	if (left == 1 || more)
		return TAKEN_MORE;
	if (p[1] == '[')
		return control_sequence(in, n, ret);
	if (p[1] == 'O') {
		if (left == 2)
			return TAKEN_MORE;
		*n = 3;
		ret->key = letter_key(p[2]);
		return ret->key ? TAKEN_EVENT : TAKEN_NONE;
	}
	/* The key ESC, and another one close behind it. */
	*n = 1;
	ret->key = VMT_KEY_ESC;
	return TAKEN_EVENT;
}

/* Whether the bytes may be the beginning of a character of UTF-8 that is not all there yet. */
static bool is_part(const char *p, size_t n)
{
	unsigned char c = (unsigned char)*p;
	size_t want = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2, i;

	if (c < 0xc2 || c > 0xf4 || n >= want)
		return false;
	for (i = 1; i < n; i++)
		if (((unsigned char)p[i] & 0xc0) != 0x80)
			return false;
	return true;
}

static enum taken character(struct vmt_input *in, size_t *n, struct vmt_ui_event *ret)
{
	const char *p = in->buf + in->at;
	size_t left = in->len - in->at;
	uint32_t code = (unsigned char)*p;

	if (code >= 0x80) {
		*n = vmt_utf8_take((struct vmt_bytes){ p, left }, &code);
		if (!*n) {
			if (is_part(p, left))
				return TAKEN_MORE;
			*n = 1;
			return TAKEN_NONE;
		}
	}
	if (!code)
		return TAKEN_NONE;
	if (code == '\n')
		code = VMT_KEY_ENTER;
	else if (code == '\b')
		code = VMT_KEY_BACKSPACE;
	ret->key = code;
	return TAKEN_EVENT;
}

/* A character of text that is pasted, up to the mark at its end. */
static enum taken pasted(struct vmt_input *in, size_t *n, struct vmt_ui_event *ret)
{
	static const char mark[] = "\033[201~";
	const char *p = in->buf + in->at;
	size_t left = in->len - in->at, len = sizeof(mark) - 1;
	enum taken taken;

	if (memcmp(p, mark, left < len ? left : len) == 0) {
		if (left < len)
			return TAKEN_MORE;
		*n = len;
		in->pasting = false;
		return TAKEN_NONE;
	}
	if (*p == ESC)
		return TAKEN_NONE;
	taken = character(in, n, ret);
	if (taken == TAKEN_EVENT) {
		ret->pasted = ret->key == VMT_KEY_ENTER ? '\n' : ret->key;
		ret->key = VMT_KEY_PASTE;
	}
	return taken;
}

bool vmt_input_next(struct vmt_input *in, struct vmt_ui_event *ret)
{
	while (in->at < in->len) {
		char c = in->buf[in->at];
		enum taken taken;
		size_t n = 1;

		*ret = (struct vmt_ui_event){ 0 };
		if (in->skipping) {
			/* To the end of what was too long: a final byte, or what cannot be in it.
			 */
			in->skipping = (unsigned char)c >= 0x20 && (unsigned char)c < 0x40;
			in->at += (unsigned char)c >= 0x20 && (unsigned char)c < 0x7f;
			continue;
		}
		if (in->pasting)
			taken = pasted(in, &n, ret);
		else if (c == ESC)
			taken = escape(in, &n, ret);
		else
			taken = character(in, &n, ret);
		if (taken == TAKEN_MORE)
			return false;
		in->at += n;
		if (taken == TAKEN_EVENT)
			return true;
	}
	return false;
}

int vmt_input_wait_ms(const struct vmt_input *in)
{
	if (in->pasting)
		return VMT_INPUT_PASTE_MS;
	return in->at < in->len || in->skipping ? VMT_INPUT_ESC_MS : -1;
}

bool vmt_input_silence(struct vmt_input *in, struct vmt_ui_event *ret)
{
	bool esc = !in->pasting && in->len - in->at == 1 && in->buf[in->at] == ESC;

	*ret = (struct vmt_ui_event){ .key = VMT_KEY_ESC };
	in->at = in->len;
	in->pasting = false;
	in->skipping = false;
	return esc;
}
