/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * The order of rows as a tree: each behind its parent, siblings in the order that they had, without
 * recursion, for trees may be deep. parents[i] is the row that row i is below, or SIZE_MAX; there
 * is no circle. ret_order gets n indices, ret_places for each of these the place of its parent in
 * that order, or SIZE_MAX; the caller frees both. 0 or -ENOMEM.
 */
int vmt_tree_order(const size_t *parents, size_t n, size_t **ret_order, size_t **ret_places);
