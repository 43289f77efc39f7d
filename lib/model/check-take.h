/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/check-measure.h"

/* What the measures of check share; for them alone. */

/* What is measured, and where it goes. */
struct vmt_take {
	const struct vmt_model *m;
	const struct vmt_sample *prev;
	const struct vmt_figure_want *want;
	struct vmt_figure *f;
	enum vmt_check_unit unit;
	uint64_t dt_ns; /* since prev; 0: no rates */
};

/* The figure is not known, for that reason. */
void vmt_take_unknown(const struct vmt_take *t, const char *why);
/* There is nothing to measure, for that reason. */
void vmt_take_nothing(const struct vmt_take *t, const char *why);
/* It is not known, for the reason of that source. */
void vmt_take_no_source(const struct vmt_take *t, enum vmt_source_id id);
/* It is known, in thousandths of the unit. True. */
bool vmt_take_known(const struct vmt_take *t, int64_t milli);
/* Adds a value, in thousandths of the unit, to the text. */
void vmt_take_say(const struct vmt_take *t, int64_t milli);

/*
 * The largest value of the field at index of the processes that are wanted. Of those that have no
 * value of base it is not known; without that of index alone one is left out, as one that was not
 * there before.
 */
void vmt_take_proc(const struct vmt_take *t, unsigned index, unsigned base,
		   enum vmt_source_id source);
void vmt_take_growth(const struct vmt_take *t);
void vmt_take_maps(const struct vmt_take *t);
void vmt_take_p99(const struct vmt_take *t);
