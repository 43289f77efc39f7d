/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/buf.h"

/*
 * Metrics in the text format of Prometheus, version 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/). What families there are stands in
 * metric.def. Samples may come in any order; they are written by family, each with its HELP and
 * TYPE once, and a family without a sample is not written: what is unknown is not there.
 *
 * Files of two programs that node_exporter serves together must not have a sample in common.
 */
enum vmt_metric {
#define M(id, name, type, labels, help) VMT_METRIC_##id,
#include "view/metric.def"
#undef M
	VMT_METRIC_COUNT,
};

enum vmt_metric_type {
	VMT_METRIC_GAUGE,
	VMT_METRIC_COUNTER,
};

/* A row of metric.def; constants. */
struct vmt_metric_def {
	const char *name;
	enum vmt_metric_type type;
	const char *labels; /* names with blanks between */
	const char *help;
};

const struct vmt_metric_def *vmt_metric_def(enum vmt_metric metric);
const char *vmt_metric_type_name(enum vmt_metric_type type);

/* The samples of a family so far. */
struct vmt_metric_family {
	struct vmt_buf text; /* lines without the name of the family */
	struct vmt_metric_series {
		size_t at; /* of its labels in text */
		size_t len;
	} * series; /* in order of their labels; heap */
	size_t n;
	size_t cap;
};

struct vmt_metrics {
	struct vmt_metric_family families[VMT_METRIC_COUNT];
	int error; /* first failure, -ENOMEM or -EINVAL */
};

void vmt_metrics_done(struct vmt_metrics *m);
#define VMT_AUTO_METRICS VMT_CLEANUP(vmt_metrics_done) struct vmt_metrics

/* The values of the labels of a sample, in the order of metric.def. */
struct vmt_labels {
	const struct vmt_bytes *values;
	size_t n;
};

#define VMT_NO_LABELS ((struct vmt_labels){ NULL, 0 })
#define VMT_LABELS(...)                                                                            \
	((struct vmt_labels){ (const struct vmt_bytes[]){ __VA_ARGS__ },                           \
			      sizeof((const struct vmt_bytes[]){ __VA_ARGS__ }) /                  \
				      sizeof(struct vmt_bytes) })

/*
 * Each adds a sample. Values of labels may be any bytes: what is no UTF-8, or no text for a
 * terminal, is written as \xNN by vmt_fmt_safe(). 0, -EEXIST where the family has a sample with
 * these labels, which stays; -EINVAL where there are more or fewer labels than metric.def says,
 * -ENOMEM: these two are kept for vmt_metrics_write().
 */
int vmt_metrics_u64(struct vmt_metrics *m, enum vmt_metric metric, struct vmt_labels labels,
		    uint64_t value);
int vmt_metrics_i64(struct vmt_metrics *m, enum vmt_metric metric, struct vmt_labels labels,
		    int64_t value);
/* Of nanoseconds; a decimal fraction where they are no whole seconds, never an exponent. */
int vmt_metrics_seconds(struct vmt_metrics *m, enum vmt_metric metric, struct vmt_labels labels,
			uint64_t ns);

/* Appends all families that have samples. 0 or the first failure. */
int vmt_metrics_write(const struct vmt_metrics *m, struct vmt_buf *out);
