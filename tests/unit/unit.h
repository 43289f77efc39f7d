/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What cmocka.h wants before itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"

#define assert_bytes(b, text)                                                                      \
	do {                                                                                       \
		struct vmt_bytes unit_b_ = (b);                                                    \
		assert_int_equal(unit_b_.len, strlen(text));                                       \
		assert_memory_equal(unit_b_.len ? unit_b_.ptr : "", text, unit_b_.len);            \
	} while (0)

#define assert_buf(b, text) assert_bytes(((struct vmt_bytes){ (b)->data, (b)->len }), text)

/* A field is known and has this value; or is unknown. */
#define assert_field(entity, member, row_, value)                                                  \
	do {                                                                                       \
		assert_true(VMT_HAS(entity, member, row_));                                        \
		assert_int_equal((row_)->member, value);                                           \
	} while (0)
#define assert_text(entity, member, row_, text)                                                    \
	do {                                                                                       \
		assert_true(VMT_HAS(entity, member, row_));                                        \
		assert_bytes((row_)->member, text);                                                \
	} while (0)
#define assert_unknown(entity, member, row_) assert_false(VMT_HAS(entity, member, row_))

/*
 * Allocations that fail: the tests are linked so that malloc() and its like come here. The nth
 * allocation after unit_alloc_fail(n) fails, and so do all behind it until unit_alloc_pass().
 */
void unit_alloc_fail(size_t n);
/* Returns whether one failed. */
bool unit_alloc_pass(void);

/*
 * Calls fn with the first allocation failing, then the second, and so on, until none does. fn
 * must return -ENOMEM while one fails (or 0, where the allocation was one it can do without), and
 * leak nothing. Returns how many allocations it makes.
 */
size_t unit_alloc_sweep(int (*fn)(void *arg), void *arg);
/*
 * The same, where each piece that an arena hands out may fail, although most of them take no
 * malloc(), and where only the nth allocation fails and those behind it do not: what went on as if
 * nothing were missing has something to go on with. For what is small.
 */
size_t unit_piece_sweep(int (*fn)(void *arg), void *arg);

/*
 * Calls fn in the thread that opens a file of that name by vmt_open_at(), before it does so, each
 * time; NULL ends it. For what happens between two steps of a reader, and for readers that hang.
 */
void unit_on_open(const char *name, void (*fn)(void *arg), void *arg);

/* The files that this process has open, by number: for what leaves none behind. */
size_t unit_open_files(void);

/* A directory for the test, and files in it; everything is removed at the end. */
struct unit_dir {
	char path[64];
	int fd;
};

void unit_dir_make(struct unit_dir *dir);
void unit_dir_remove(struct unit_dir *dir);
/* Writes a file, making the directories on the way. */
void unit_dir_write(const struct unit_dir *dir, const char *name, const char *text);
void unit_dir_write_bytes(const struct unit_dir *dir, const char *name, const void *bytes,
			  size_t len);

/* Sizes in which streams are fed: single bytes, odd ones, and around the page. */
extern const size_t unit_pieces[];
extern const size_t unit_n_pieces;
