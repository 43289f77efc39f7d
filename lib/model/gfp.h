/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/buf.h"

/* How the kernel may make room for an allocation: GFP_* and __GFP_*, by name, with + between; bits
 * without a name in hex. */
void vmt_gfp_text(struct vmt_buf *out, uint32_t gfp);
