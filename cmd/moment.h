/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdint.h>

/*
 * A moment as people write it, in ns since 1970: 2026-11-21, 2026-11-21T03:14, 2026-11-21 03:14:05,
 * all of local time, or of UTC with a Z behind; 03:14 or 03:14:05, the first such time at base_ns
 * or later; seconds may have a fraction, as in times that vmtop prints; @1763694845, seconds since
 * 1970. -EINVAL.
 */
int vmt_parse_moment(const char *text, uint64_t base_ns, uint64_t *ret_ns);
