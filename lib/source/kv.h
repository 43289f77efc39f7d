/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "model/rows.h"

/*
 * Lines of "Key:   value kB" (meminfo, status, smaps) and "key value" (vmstat), by name alone: the
 * order, blanks and tabs, and keys that are not known do not matter.
 */
enum vmt_kv_form {
	VMT_KV_SKIP, /* known, and not wanted */
	VMT_KV_KIB, /* "1234 kB", kept in bytes */
	VMT_KV_COUNT, /* "1234" */
	VMT_KV_BOOL, /* "0" or "1" */
	VMT_KV_OTHER, /* its value is for the caller, who finds it by id */
};

/* Lines of smaps: a key in so many bytes, a number in eight, and the unit. */
#define VMT_KV_HEAD ((size_t)16)
#define VMT_KV_LINE ((size_t)28)

/* One key, and the member of a row that it goes to. */
struct vmt_kv_key {
	const char *name;
	const char *head; /* the name, a colon and blanks up to VMT_KV_HEAD bytes at least */
	size_t len; /* of name */
	enum vmt_kv_form form;
	bool runs; /* vmt_kv_run() takes its line */
	unsigned index; /* bit of the member; for VMT_KV_OTHER the caller's number */
	size_t offset; /* of the member in the row */
};

#define VMT_KV(entity, strct, member, key, frm)                                                    \
	{                                                                                          \
		.name = (key), .head = key ":               ", .len = sizeof(key) - 1,             \
		.form = VMT_KV_##frm, .index = VMT_FIELD_##entity##_##member,                      \
		.runs = VMT_KV_##frm == VMT_KV_KIB && sizeof(key) <= VMT_KV_HEAD,                  \
		.offset = offsetof(struct strct, member)                                           \
	}
#define VMT_KV_IGNORE(key)                                                                         \
	{                                                                                          \
		.name = (key), .head = key ":               ", .len = sizeof(key) - 1,             \
		.form = VMT_KV_SKIP, .runs = sizeof(key) <= VMT_KV_HEAD                            \
	}
#define VMT_KV_CALLER(key, numb)                                                                   \
	{                                                                                          \
		.name = (key), .head = key ":               ", .len = sizeof(key) - 1,             \
		.form = VMT_KV_OTHER, .index = (numb)                                              \
	}

struct vmt_kv_table {
	const struct vmt_kv_key *keys;
	size_t n;
};

/*
 * Splits "Key: value" or "key value" into the key and the rest without blanks at its ends. -EINVAL
 * where the line has no key.
 */
int vmt_kv_split(struct vmt_bytes line, char separator, struct vmt_bytes *ret_key,
		 struct vmt_bytes *ret_rest);

/*
 * Finds a key. *hint is where the search begins, and is moved on: a file that keeps the order of
 * the table costs one comparison a line. NULL where the key is not known.
 */
const struct vmt_kv_key *vmt_kv_find(const struct vmt_kv_table *table, struct vmt_bytes key,
				     size_t *hint);

/*
 * Takes whole lines from the beginning of text as long as they are those of the keys from *hint on
 * and are laid out as fs/proc/task_mmu.c does it: VMT_KV_LINE bytes, "Pss:                 32
 * kB\n". Gives the bytes that it took, a multiple of that; what comes then, it does not know.
 */
size_t vmt_kv_run(const struct vmt_kv_table *table, struct vmt_bytes text, size_t *hint,
		  struct vmt_row *row);

/*
 * Takes "Key:   1234 kB" or "Key:   1" whole, where the key is the one that *hint expects, not the
 * caller's, and its value is spelled as the kernel spells it. Files of a hundred thousand mappings
 * have two million such lines. False, and nothing is changed, where it is anything else: the
 * functions above and below then say what it is.
 */
bool vmt_kv_expected(const struct vmt_kv_table *table, struct vmt_bytes line, size_t *hint,
		     struct vmt_row *row);

/*
 * Puts a value into its row and marks it as known. -EINVAL where it is not of the key's form,
 * -ERANGE where it does not fit. Keys that are skipped or the caller's are left alone.
 */
int vmt_kv_store(const struct vmt_kv_key *key, struct vmt_bytes value, struct vmt_row *row);

/*
 * Reads a whole text into a row. Unknown keys are added to *unknown (NULL: not counted, for
 * files such as vmstat of which we want a few keys); a known key
 * that is malformed is an error with its line, as is a line without a key.
 */
int vmt_kv_read(const struct vmt_kv_table *table, struct vmt_bytes text, char separator,
		struct vmt_row *row, uint64_t *unknown, const char *path, struct vmt_err *err);
