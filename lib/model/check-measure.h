/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/check-range.h"
#include "model/model.h"

/* What a metric cannot be measured without. */
#define VMT_NEEDS_BEFORE 1u /* an earlier sample */
#define VMT_NEEDS_PROCS	 2u /* the choice of processes */
#define VMT_NEEDS_CGROUP 4u /* the choice of a cgroup */
#define VMT_NEEDS_WINDOW 8u /* faults that were counted for a while */

/* The sources that source.missing always asks for. */
#define VMT_CHECK_SOURCES                                                                          \
	(VMT_SOURCE_BIT(MEMINFO) | VMT_SOURCE_BIT(VMSTAT) | VMT_SOURCE_BIT(ZONEINFO) |             \
	 VMT_SOURCE_BIT(PRESSURE) | VMT_SOURCE_BIT(BUDDYINFO))

enum vmt_measure_id {
#define M(id, ...) VMT_MEASURE_##id,
#include "model/check-measure.def"
#undef M
	VMT_MEASURE_COUNT,
};

struct vmt_measure {
	const char *name;
	enum vmt_check_unit unit;
	unsigned needs;
	uint64_t sources; /* VMT_SOURCE_BITs */
	const char *help;
};

extern const struct vmt_measure vmt_measures[VMT_MEASURE_COUNT];
/* The metric of that name, or VMT_MEASURE_COUNT. */
enum vmt_measure_id vmt_measure_find(struct vmt_bytes name);

/* What is measured of what. */
struct vmt_figure_want {
	enum vmt_measure_id measure;
	const uint64_t *pids; /* of the processes; NULL: not by number */
	size_t n_pids;
	const char *comm; /* of the processes, with * and ?; NULL: not by name */
	uint64_t sources; /* of source.missing: those that were asked for */
};

/* Whether a process is among those that are wanted; where neither numbers nor a name were given
 * each is. */
bool vmt_figure_wants(const struct vmt_figure_want *w, const struct vmt_proc *p);

/* What was measured. */
struct vmt_figure {
	enum {
		VMT_FIGURE_UNKNOWN, /* it could not be had; reason says why */
		VMT_FIGURE_NOTHING, /* there is nothing to measure, or not yet; reason says why */
		VMT_FIGURE_AT_LEAST, /* known of some, and reason says of whom not: it is that or
					more */
		VMT_FIGURE_KNOWN,
	} state;
	int64_t value; /* thousandths of the metric's unit */
	int64_t total; /* of which it is a part; -1: none, or unknown */
	struct vmt_buf text; /* for people, ASCII: the value and what it is made of */
	struct vmt_buf reason;
};

void vmt_figure_done(struct vmt_figure *f);

/*
 * Measures. prev is the sample that the rates of m are against (NULL: there is none; then or
 * where it is of another boot a metric that needs one has nothing to measure). The cgroup is
 * the first of the sample. 0 or -ENOMEM.
 */
int vmt_figure_take(const struct vmt_model *m, const struct vmt_sample *prev,
		    const struct vmt_figure_want *want, struct vmt_figure *ret);

/* In order of how bad they are; the exit codes are another order. */
enum vmt_status {
	VMT_STATUS_OK,
	VMT_STATUS_UNKNOWN,
	VMT_STATUS_WARNING,
	VMT_STATUS_CRITICAL,
};

const char *vmt_status_name(enum vmt_status s);
/* The exit code of a monitoring plugin: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN. */
int vmt_status_code(enum vmt_status s);

/* A figure beside its limits. */
struct vmt_judged {
	enum vmt_status status;
	struct vmt_range warning, critical; /* resolved */
	struct vmt_buf warning_text, critical_text;
	struct vmt_verdict_row row; /* its texts are those above and the figure's */
};

void vmt_judged_done(struct vmt_judged *j);
/* f may get a reason; what is at least its value becomes known where any more alerts, too, and
 * unknown elsewhere. check is the name of the row, which keeps the pointer. 0 or -ENOMEM. */
int vmt_figure_judge(struct vmt_figure *f, enum vmt_measure_id measure, struct vmt_bytes check,
		     const struct vmt_range *warning, const struct vmt_range *critical,
		     struct vmt_judged *ret);
