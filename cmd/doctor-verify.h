/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/commands.h"

/* doctor --verify: whether figures of the kernel that have to agree do. An exit code. */
int vmt_doctor_verify(struct vmt_ctx *ctx);
