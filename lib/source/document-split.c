/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/document-split.h"

#include <stdio.h>

/* What was cut out is whole. */
static int cut_done(struct vmt_splitter *sp)
{
	struct vmt_bytes text = { sp->text.data ? sp->text.data : "", sp->text.len };
	char *key = sp->keys[sp->level == VMT_SPLIT_TOP ? 0 : 1];

	sp->cutting = false;
	if (vmt_buf_error(&sp->text) < 0)
		return -ENOMEM;
	if (sp->is_key) {
		/* Ours are short, and need no escapes; what is cut here is none of them. */
		snprintf(key, sizeof(sp->keys[0]), "%.*s", (int)(text.len - 2), text.ptr + 1);
		sp->at = VMT_SPLIT_COLON;
		return 0;
	}
	sp->at = VMT_SPLIT_NEXT;
	if (!sp->kept)
		return 0;
	return sp->level == VMT_SPLIT_TOP ? sp->member(sp->arg, key, text)
					  : sp->row(sp->arg, key, text);
}

static int cut_begin(struct vmt_splitter *sp, char c, bool is_key)
{
	sp->cutting = true;
	sp->is_key = is_key;
	sp->quoted = c == '"';
	sp->escaped = false;
	sp->depth = c == '{' || c == '[';
	sp->bare = !sp->quoted && !sp->depth;
	/* What stands in a document without being of use here can be long. */
	sp->kept = is_key ||
		   (sp->level == VMT_SPLIT_TOP ? strcmp(sp->keys[0], "errors") != 0 &&
							 strcmp(sp->keys[0], "sources") != 0
					       : sp->is_read(sp->keys[1]));
	vmt_buf_clear(&sp->text);
	vmt_buf_addc(&sp->text, c);
	return 0;
}

/* One more byte of what is cut out; 1: it belongs to what comes behind that. */
static int cut_byte(struct vmt_splitter *sp, char c)
{
	if (sp->bare &&
	    (c == ',' || c == '}' || c == ']' || c == ' ' || c == '\n' || c == '\t' || c == '\r')) {
		int r = cut_done(sp);

		return r < 0 ? r : 1;
	}
	if (sp->kept) {
		if (sp->text.len > (sp->is_key ? VMT_SPLIT_KEY_MAX : VMT_SPLIT_TEXT_MAX))
			return VMT_SPLIT_TOO_LONG;
		vmt_buf_addc(&sp->text, c);
	}
	if (sp->quoted) {
		if (sp->escaped)
			sp->escaped = false;
		else if (c == '\\')
			sp->escaped = true;
		else if (c == '"')
			sp->quoted = false;
		return !sp->quoted && sp->depth == 0 ? cut_done(sp) : 0;
	}
	if (c == '"')
		sp->quoted = true;
	else if (c == '{' || c == '[')
		sp->depth++;
	else if (c == '}' || c == ']')
		sp->depth--;
	return !sp->quoted && !sp->bare && sp->depth == 0 ? cut_done(sp) : 0;
}

/* The first byte of a value. */
static int value_byte(struct vmt_splitter *sp, char c)
{
	if (sp->level == VMT_SPLIT_ROWS && c == ']' && sp->first) {
		sp->level = VMT_SPLIT_DATA;
		sp->at = VMT_SPLIT_NEXT;
		return 0;
	}
	if (c == ',' || c == ':' || c == '}' || c == ']')
		return VMT_SPLIT_BROKEN;
	if (sp->level == VMT_SPLIT_TOP && strcmp(sp->keys[0], "data") == 0 && c == '{') {
		sp->level = VMT_SPLIT_DATA;
		sp->at = VMT_SPLIT_MEMBER;
		sp->first = true;
		return 0;
	}
	if (sp->level == VMT_SPLIT_DATA && c == '[') {
		sp->level = VMT_SPLIT_ROWS;
		sp->at = VMT_SPLIT_VALUE;
		sp->first = true;
		sp->rows(sp->arg, sp->keys[1]);
		return 0;
	}
	return cut_begin(sp, c, false);
}

static int end_byte(struct vmt_splitter *sp, char c)
{
	if (c != (sp->level == VMT_SPLIT_ROWS ? ']' : '}'))
		return VMT_SPLIT_BROKEN;
	sp->at = VMT_SPLIT_NEXT;
	if (sp->level == VMT_SPLIT_TOP) {
		sp->at = VMT_SPLIT_END;
	} else {
		sp->level = sp->level == VMT_SPLIT_ROWS ? VMT_SPLIT_DATA : VMT_SPLIT_TOP;
	}
	return 0;
}

static int split_byte(struct vmt_splitter *sp, char c)
{
	if (sp->cutting) {
		int r = cut_byte(sp, c);

		if (r != 1)
			return r;
	}
	if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
		return 0;
	switch (sp->at) {
	case VMT_SPLIT_START:
		sp->at = VMT_SPLIT_MEMBER;
		sp->first = true;
		return c == '{' ? 0 : VMT_SPLIT_BROKEN;
	case VMT_SPLIT_MEMBER:
		if (c == '"')
			return cut_begin(sp, c, true);
		return sp->first ? end_byte(sp, c) : VMT_SPLIT_BROKEN;
	case VMT_SPLIT_COLON:
		sp->at = VMT_SPLIT_VALUE;
		sp->first = false;
		return c == ':' ? 0 : VMT_SPLIT_BROKEN;
	case VMT_SPLIT_VALUE:
		return value_byte(sp, c);
	case VMT_SPLIT_NEXT:
		if (c != ',')
			return end_byte(sp, c);
		sp->first = false;
		sp->at = sp->level == VMT_SPLIT_ROWS ? VMT_SPLIT_VALUE : VMT_SPLIT_MEMBER;
		return 0;
	case VMT_SPLIT_END:
		break;
	}
	return VMT_SPLIT_BROKEN;
}

int vmt_split(struct vmt_splitter *sp, struct vmt_bytes piece)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < piece.len; i++)
		r = split_byte(sp, piece.ptr[i]);
	return r;
}

void vmt_split_done(struct vmt_splitter *sp)
{
	vmt_buf_done(&sp->text);
}
