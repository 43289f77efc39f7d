/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "source/collect.h"
#include "source/symbol.h"

/*
 * The symbol at an address of process s->procs[index], which lies in mapping m of a file: the file
 * is opened and read by a reader of the pool. Cost and failure go to the sample, to ELF. 0, or a
 * negative errno of vmt_mapped_file_open() or vmt_symbol_find(); -ETIMEDOUT where the file system
 * did not answer.
 */
int vmt_collect_symbol(struct vmt_collector *c, struct vmt_sample *s, size_t index,
		       const struct vmt_map *m, uint64_t address, struct vmt_symbol *ret);
