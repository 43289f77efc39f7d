/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/events.h"
#include "source/symbolize.h"

/* What stacks of single events are, as it was found out; for as long as one window. */
struct vmt_stack_symbols;

/* NULL without memory. */
struct vmt_stack_symbols *vmt_stack_symbols_new(void);
/* NULL is fine. */
void vmt_stack_symbols_free(struct vmt_stack_symbols *known);

/* Fills the codes of f that stacks may be in; arena is for them. 0 or -ENOMEM. */
typedef int vmt_codes_fn(void *arg, struct vmt_arena *arena, struct vmt_fault_sample *f);

/*
 * Says what each of n stacks is, in ret, by s as for vmt_symbolize_singles(). What was not asked
 * for yet is looked up, by codes, and what was asked for some seconds ago is anew. Texts are those
 * of known, until the next call. 0 or -ENOMEM.
 */
int vmt_symbolize_stacks(struct vmt_stack_symbols *known, struct vmt_collector *c,
			 struct vmt_sample *s, const struct vmt_fault_stack *const *stacks,
			 size_t n, vmt_codes_fn *codes, void *arg, struct vmt_event_stack *ret);
