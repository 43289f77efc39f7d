/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "source/symbolize.h"

/* What instructions of single faults are, as it was found out; for as long as one window. */
struct vmt_single_symbols;

/* NULL without memory. */
struct vmt_single_symbols *vmt_single_symbols_new(void);
void vmt_single_symbols_free(struct vmt_single_symbols *known);
/*
 * Sets the symbols of the single faults of f, which has their mappings and the code that they may
 * be in; s is as for vmt_symbolize(), and may be of before. What was not asked for yet is looked
 * up, and what was asked for some seconds ago is anew; a symbol that cannot be had is empty. Texts
 * are those of known, until the next call. 0 or -ENOMEM.
 */
int vmt_symbolize_singles(struct vmt_single_symbols *known, struct vmt_collector *c,
			  struct vmt_sample *s, struct vmt_fault_sample *f);
