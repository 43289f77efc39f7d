/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/events.h"
#include "source/symbolize-singles.h"

/*
 * Sets the symbol of the instruction of a crash, by the file that it was mapped from; known and s
 * are as for vmt_symbolize_singles(), and the text is that of known, until its next call. 0 or
 * -ENOMEM.
 */
int vmt_symbolize_crash(struct vmt_single_symbols *known, struct vmt_collector *c,
			struct vmt_sample *s, const struct vmt_event_raw *e,
			struct vmt_crash *crash);
/* The same of an event, whatever it is: *ret is e, with a crash of its own in arena where it has
 * one. */
int vmt_symbolize_event(struct vmt_single_symbols *known, struct vmt_collector *c,
			struct vmt_sample *s, const struct vmt_event_raw *e,
			struct vmt_arena *arena, struct vmt_event_raw *ret);
