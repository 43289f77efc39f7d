/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"

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
