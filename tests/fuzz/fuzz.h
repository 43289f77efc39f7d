/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdint.h>
#include <stdlib.h>

#include "model/other.h"

/*
 * A fuzz target: it is handed any bytes, and must neither crash nor break a CHECK. See README.md
 * for how to run one, and for what to do with what it finds.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A promise of the function that is tested; libFuzzer keeps the input that breaks it. */
#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

static inline struct vmt_bytes fuzz_text(const uint8_t *data, size_t size)
{
	return (struct vmt_bytes){ (const char *)data, size };
}

/* The first byte chooses what is done with the others. 0 where there is none. */
static inline unsigned fuzz_choice(const uint8_t **data, size_t *size)
{
	if (*size == 0)
		return 0;
	--*size;
	return *(*data)++;
}

/* Keys that are not known: what is taken out of a text makes the same text again. */
static inline void fuzz_other(struct vmt_bytes text)
{
	struct vmt_other again = { 0 };
	struct vmt_bytes cur = text, key, value;

	while (vmt_other_take(&cur, &key, &value))
		vmt_other_add(&again, key, value);
	CHECK(cur.len == 0 && !again.dropped && again.n <= VMT_OTHER_KEYS);
	CHECK(text.len <= VMT_OTHER_BYTES);
	CHECK(vmt_bytes_equal(text, (struct vmt_bytes){ again.text.data, again.text.len }));
	vmt_other_done(&again);
}
