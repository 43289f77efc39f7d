/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/fault-raw.h"
#include "source/collect.h"

/*
 * Says of every address in f->stacks what it is: fills f->frames and the frames of each stack, in
 * arena. f is a sample whose probe was stopped, s one of the same machine, of after that: it says
 * which processes still run. The files that were mapped are opened, those of live processes by what
 * they map, those of others by the path that was seen at the fault, where the same inode still
 * lies; symbols that stand in a debug file on this machine are taken from there. The network is
 * not asked.
 *
 * A symbol that cannot be had is empty, and no failure: its module and offset are known where the
 * mapping is. What could not be read counts in the source ELF of s. 0 or -ENOMEM.
 */
int vmt_symbolize(struct vmt_collector *c, struct vmt_sample *s, struct vmt_fault_sample *f,
		  struct vmt_arena *arena);
