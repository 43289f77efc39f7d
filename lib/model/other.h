/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * Keys of a file of the kernel that this version does not know, as values of fields of type KEYS:
 * "FutureBytes=4096 FutureText="two words" FutureFlag=". Values in kB are there in bytes, others as
 * the kernel spells them, in quotes where they have a blank. Nothing in it has to be escaped but
 * the quotes. A text without a byte says that there were none.
 */

/* Of one text: more keys, and longer ones, are left out. */
#define VMT_OTHER_KEYS	64
#define VMT_OTHER_NAME	64
#define VMT_OTHER_BYTES 2048

/* Zeroed before the first key. */
struct vmt_other {
	struct vmt_buf text; /* remembers an allocation that failed */
	size_t n; /* keys in it */
	bool dropped; /* a key found no room, was there already, or is none of printable ASCII */
};

/* Adds "key: value", value without blanks at its ends. */
void vmt_other_add(struct vmt_other *o, struct vmt_bytes key, struct vmt_bytes value);
/* For another text; keeps the memory. */
void vmt_other_clear(struct vmt_other *o);
void vmt_other_done(struct vmt_other *o);

/* Takes the next key and its value without the quotes off such a text; false at its end. */
bool vmt_other_take(struct vmt_bytes *cur, struct vmt_bytes *ret_key, struct vmt_bytes *ret_value);
/* Whether a value is a number: decimal, as the kernel prints it, below 2^64. */
bool vmt_other_number(struct vmt_bytes value, uint64_t *ret_number);
