/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/check-measure.h"

/*
 * Output of check in the form of the Monitoring Plugins Development Guidelines, in ASCII: a line of
 * text, a bar, performance data, and lines of long output.
 */

/* Text that cannot be taken for the bar that perfdata stands behind: safe for a terminal, "|" as
 * \x7c. */
void vmt_perf_text(struct vmt_buf *out, struct vmt_bytes text);

/*
 * A label: what is not ASCII, "=", "|" and control bytes become "_", a dot too; in single quotes
 * where there is more than letters, digits and "_-/" in it, a quote in it doubled.
 */
void vmt_perf_label(struct vmt_buf *out, struct vmt_bytes name);

/* One value: 'label'=value[UOM];[warn];[crit];[min];[max], trailing semicolons left out; U in place
 * of a value that is not known. */
void vmt_perf_value(struct vmt_buf *out, struct vmt_bytes label, enum vmt_measure_id measure,
		    const struct vmt_figure *f, const struct vmt_judged *j);
