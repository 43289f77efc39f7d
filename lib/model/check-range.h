/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "base/fmt.h"

/*
 * Thresholds of check, in the form of the Monitoring Plugins Development Guidelines:
 * [@][start:][end]. A value alerts where it is outside of start..end, with @ where it is inside;
 * both ends belong to the range. Without start it is 0, "~" is no lower end, "start:" no upper one.
 *
 * All numbers are thousandths of the unit, and whole ones: nothing here rounds but down.
 */
enum vmt_check_unit {
	VMT_CHECK_BYTES, /* UOM B; K, M, G, T of 1024 and KB, MB, ... of 1000; % of a total */
	VMT_CHECK_PERCENT, /* UOM % */
	VMT_CHECK_COUNT, /* no UOM: how many there are, or how many there were */
	VMT_CHECK_RATE, /* no UOM: so many a second */
	VMT_CHECK_GROWTH, /* no UOM: bytes a second, with the letters of bytes */
	VMT_CHECK_TIME, /* UOM us; ns, us, ms, s */
};

struct vmt_bound {
	enum {
		VMT_BOUND_NONE, /* there is no such end */
		VMT_BOUND_VALUE,
		VMT_BOUND_PERCENT, /* of a total that is known when it is measured */
	} kind;
	int64_t milli;
};

struct vmt_range {
	bool given;
	bool inside; /* @ */
	struct vmt_bound low, high;
};

/* -EINVAL with what is wrong in err, -ERANGE where a number is too large. */
int vmt_range_parse(const char *text, enum vmt_check_unit unit, struct vmt_range *ret,
		    struct vmt_err *err);
/* Makes values of the percents, with total in thousandths (negative: it is unknown). -ENODATA where
 * one is needed and unknown, -EINVAL where the ends then stand the wrong way round. */
int vmt_range_resolve(const struct vmt_range *r, int64_t total, struct vmt_range *ret);
/* Whether a value alerts; of a range that is resolved. One that was not given never does. */
bool vmt_range_alerts(const struct vmt_range *r, int64_t value);
/* Whether that value and each larger one alerts. */
bool vmt_range_alerts_from(const struct vmt_range *r, int64_t value);
/* As perfdata has it: resolved, plain numbers. Nothing where it was not given. */
void vmt_range_text(struct vmt_buf *out, const struct vmt_range *r);
/* The end that value has passed, for people, as it was given: "10%", "1.50GiB"; of a range with @
 * both. r is as it was given, resolved what was made of it. */
void vmt_range_limit(struct vmt_buf *out, const struct vmt_range *r,
		     const struct vmt_range *resolved, enum vmt_check_unit unit, int64_t value);

/* A number in thousandths as decimals without an exponent: 12, 0.5, -3.25. */
void vmt_check_number(struct vmt_buf *out, int64_t milli);
/* A value for people: 1.41GiB, 6.0%, 12, 3.5/s, 12.0KiB/s, 850us. */
void vmt_check_figure(struct vmt_buf *out, int64_t milli, enum vmt_check_unit unit);
/* The UOM of perfdata: "B", "%", "us" or "". */
const char *vmt_check_uom(enum vmt_check_unit unit);
