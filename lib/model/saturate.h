/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdint.h>

/* Sums and differences of figures that need not fit together: they were read at different moments,
 * or are a recording's, and may be impossible. None of them wraps around. */

static inline uint64_t vmt_least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* a + b, UINT64_MAX where it is too large: what is too large to be true stays so. */
static inline uint64_t vmt_plus(uint64_t a, uint64_t b)
{
	return __builtin_add_overflow(a, b, &a) ? UINT64_MAX : a;
}

/* a - b, but not below 0. */
static inline uint64_t vmt_less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}
