/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Faults divided by how they were served, and by what else became of them. */

#include "model/fault-raw.h"
#include "model/model.h"

/*
 * The mappings of a sample with the faults of one kind each, of the kinds of the bits alone, in
 * any order; several parts may be of one mapping and kind. group says what they are to be summed
 * by: parts may have no mapping where it is not that. The array is the arena's. 0 or -ENOMEM.
 */
int vmt_fault_parts(const struct vmt_fault_sample *f, uint32_t kinds, enum vmt_fault_group group,
		    struct vmt_arena *arena, struct vmt_fault_raw **ret, size_t *ret_n);
/* Makes a part of a mapping, or of none (NULL), without any count. */
void vmt_fault_part(struct vmt_fault_raw *part, const struct vmt_fault_raw *map,
		    enum vmt_fault_kind kind);
/*
 * The parts of outcomes that are beside the kinds, and of faults that were charged to no mapping,
 * which are of no known kind. Where rows are not by mapping they are those of processes, so that
 * parts of all kinds have as many faults as the kernel counted. Puts them at ret, which may be
 * NULL, and gives their number.
 */
size_t vmt_fault_outcomes(const struct vmt_fault_sample *f, uint32_t kinds,
			  enum vmt_fault_group group, struct vmt_fault_raw *ret);
/* What is known of a part, of what is known of mappings: no outcome but its own. */
uint32_t vmt_fault_part_have(const struct vmt_fault_raw *part, uint32_t have);
/* Whether such parts are known of what is summed by group. */
bool vmt_fault_outcome_is_known(const struct vmt_fault_sample *f, enum vmt_fault_kind kind,
				enum vmt_fault_group group);
/* The name of a kind, or of an outcome. */
const char *vmt_fault_kind_name(enum vmt_fault_kind kind);
