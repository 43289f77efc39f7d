/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/field.h"
#include "unit.h"

/* Rows of any kind, for what holds of all their fields. */

/* Gives each field of a row a value of its own, sizes from base on, all of them known; but not
 * those that a model adds, which are differences and rates, nor histograms. */
void unit_row_fill(const struct vmt_entity *e, void *row, uint64_t base);
/* A line for each field that is known, with its value. */
void unit_rows_tell(struct vmt_buf *out, const struct vmt_entity *e, const void *rows, size_t n);
