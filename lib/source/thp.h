/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/huge.h"
#include "source/collect.h"

/* Reads /sys/kernel/mm/transparent_hugepage. What could not be read is unknown, and the
 * error says so; a kernel that was built without it says so in absent. */
void vmt_collect_thp(struct vmt_collector *c, struct vmt_thp *ret);
