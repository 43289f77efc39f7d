/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

#include "base/buf.h"

/*
 * A document of one JSON object, cut into the members around its "data" and the rows in that, as
 * its bytes come: so that the whole never stands in memory. Only how it is nested is looked at; who
 * gets the pieces parses them.
 */

/* Bytes of a key, and of a member or row. */
#define VMT_SPLIT_KEY_MAX  ((size_t)512)
#define VMT_SPLIT_TEXT_MAX ((size_t)16 << 20)

/* What vmt_split() returns beside 0, -ENOMEM and what a callback returned. */
#define VMT_SPLIT_BROKEN   2
#define VMT_SPLIT_TOO_LONG 3

enum vmt_split_at {
	VMT_SPLIT_START,
	VMT_SPLIT_MEMBER, /* a key, or the end of the object */
	VMT_SPLIT_COLON,
	VMT_SPLIT_VALUE, /* of a member, or of an array */
	VMT_SPLIT_NEXT, /* a comma, or the end */
	VMT_SPLIT_END,
};

enum vmt_split_level {
	VMT_SPLIT_TOP,
	VMT_SPLIT_DATA,
	VMT_SPLIT_ROWS, /* an array of a section */
};

struct vmt_splitter {
	/* The caller's. A negative errno of one ends it. */
	void *arg;
	int (*member)(void *arg, const char *key, struct vmt_bytes text);
	void (*rows)(void *arg, const char *section); /* an array of rows begins */
	bool (*is_read)(const char *section); /* whether row() is called for those of a section */
	int (*row)(void *arg, const char *section, struct vmt_bytes text);
	/* Zeroed before the first byte, and nobody else's. */
	enum vmt_split_at at;
	enum vmt_split_level level;
	char keys[2][64]; /* of VMT_SPLIT_TOP and VMT_SPLIT_DATA */
	bool first; /* nothing stands before it in its object or array */
	/* A key or value that is being cut out. */
	bool cutting;
	bool is_key;
	bool bare; /* neither text, nor object, nor array */
	bool quoted, escaped;
	unsigned depth;
	bool kept; /* its bytes are wanted */
	struct vmt_buf text;
};

/* Takes the next bytes. */
int vmt_split(struct vmt_splitter *sp, struct vmt_bytes piece);
/* Whether the object is closed. */
static inline bool vmt_split_is_whole(const struct vmt_splitter *sp)
{
	return sp->at == VMT_SPLIT_END;
}
void vmt_split_done(struct vmt_splitter *sp);
