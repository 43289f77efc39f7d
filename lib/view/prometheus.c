/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/prometheus.h"

#include <errno.h>
#include <inttypes.h>

#include "base/fmt.h"

static const struct vmt_metric_def defs[] = {
#define M(id, name, type, labels, help) { name, VMT_METRIC_##type, labels, help },
#include "view/metric.def"
#undef M
};

const struct vmt_metric_def *vmt_metric_def(enum vmt_metric metric)
{
	return &defs[metric];
}

const char *vmt_metric_type_name(enum vmt_metric_type type)
{
	return type == VMT_METRIC_COUNTER ? "counter" : "gauge";
}

void vmt_metrics_done(struct vmt_metrics *m)
{
	size_t i;

	for (i = 0; i < VMT_METRIC_COUNT; i++) {
		vmt_buf_done(&m->families[i].text);
		free(m->families[i].series);
	}
	*m = (struct vmt_metrics){ 0 };
}

static int fail(struct vmt_metrics *m, int code)
{
	if (!m->error)
		m->error = code;
	return code;
}

/* A value in quotes: after vmt_fmt_safe() there is no line end in it that would want \n. */
static void add_value(struct vmt_buf *out, struct vmt_bytes value)
{
	VMT_AUTO_BUF safe = { 0 };
	size_t i;

	vmt_fmt_safe(&safe, value, false);
	vmt_buf_addc(out, '"');
	for (i = 0; i < safe.len; i++) {
		if (safe.data[i] == '"' || safe.data[i] == '\\')
			vmt_buf_addc(out, '\\');
		vmt_buf_addc(out, safe.data[i]);
	}
	vmt_buf_addc(out, '"');
	if (vmt_buf_error(&safe) < 0)
		out->error = vmt_buf_error(&safe);
}

/* {name="value",...}, or nothing for a family without labels; -EINVAL where they do not fit. */
static int add_labels(struct vmt_buf *out, const char *names, struct vmt_labels labels)
{
	size_t i;

	for (i = 0; *names; i++) {
		size_t len = strcspn(names, " ");

		if (i == labels.n)
			return -EINVAL;
		vmt_buf_addc(out, i ? ',' : '{');
		vmt_buf_add(out, names, len);
		vmt_buf_addc(out, '=');
		add_value(out, labels.values[i]);
		names += len + (names[len] == ' ');
	}
	if (i != labels.n)
		return -EINVAL;
	if (i)
		vmt_buf_addc(out, '}');
	return 0;
}

static struct vmt_bytes labels_of(const struct vmt_metric_family *f, size_t i)
{
	return (struct vmt_bytes){ f->text.data + f->series[i].at, f->series[i].len };
}

/* Where labels belong among the series; *ret_there says that they are there. */
static size_t place_of(const struct vmt_metric_family *f, struct vmt_bytes labels, bool *ret_there)
{
	size_t lo = 0, hi = f->n;

	*ret_there = false;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = vmt_bytes_compare(labels_of(f, mid), labels);

		if (c == 0)
			*ret_there = true;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* A sample whose value is text already. */
static int add(struct vmt_metrics *m, enum vmt_metric metric, struct vmt_labels values,
	       const struct vmt_buf *value)
{
	struct vmt_metric_family *f = &m->families[metric];
	VMT_AUTO_BUF labels = { 0 };
	struct vmt_bytes key;
	size_t at, begin;
	bool there;
	int r = add_labels(&labels, defs[metric].labels, values);

	if (r == 0)
		r = vmt_buf_error(&labels);
	if (r == 0)
		r = vmt_buf_error(value);
	if (r < 0)
		return fail(m, r);
	key = (struct vmt_bytes){ labels.data, labels.len };
	at = place_of(f, key, &there);
	if (there)
		return -EEXIST;
	if (vmt_grow(&f->series, &f->cap, f->n + 1, sizeof(*f->series)) < 0)
		return fail(m, -ENOMEM);
	begin = f->text.len;
	vmt_buf_add(&f->text, key.ptr, key.len);
	vmt_buf_addc(&f->text, ' ');
	vmt_buf_add(&f->text, value->data, value->len);
	vmt_buf_addc(&f->text, '\n');
	if (vmt_buf_error(&f->text) < 0)
		return fail(m, -ENOMEM);
	memmove(f->series + at + 1, f->series + at, (f->n - at) * sizeof(*f->series));
	f->series[at] = (struct vmt_metric_series){ begin, key.len };
	f->n++;
	return 0;
}

int vmt_metrics_u64(struct vmt_metrics *m, enum vmt_metric metric, struct vmt_labels labels,
		    uint64_t value)
{
	VMT_AUTO_BUF text = { 0 };

	vmt_buf_addu(&text, value);
	return add(m, metric, labels, &text);
}

int vmt_metrics_i64(struct vmt_metrics *m, enum vmt_metric metric, struct vmt_labels labels,
		    int64_t value)
{
	VMT_AUTO_BUF text = { 0 };

	vmt_buf_addf(&text, "%" PRId64, value);
	return add(m, metric, labels, &text);
}

int vmt_metrics_seconds(struct vmt_metrics *m, enum vmt_metric metric, struct vmt_labels labels,
			uint64_t ns)
{
	const uint64_t second = UINT64_C(1000000000);
	uint64_t part = ns % second;
	VMT_AUTO_BUF text = { 0 };
	int digits = 9;

	vmt_buf_addu(&text, ns / second);
	while (part && part % 10 == 0) {
		part /= 10;
		digits--;
	}
	if (part)
		vmt_buf_addf(&text, ".%0*" PRIu64, digits, part);
	return add(m, metric, labels, &text);
}

/* Of a HELP line a backslash and a line end are escaped, and nothing else. */
static void add_help(struct vmt_buf *out, const char *help)
{
	for (; *help; help++) {
		if (*help == '\\')
			vmt_buf_adds(out, "\\\\");
		else if (*help == '\n')
			vmt_buf_adds(out, "\\n");
		else
			vmt_buf_addc(out, *help);
	}
}

int vmt_metrics_write(const struct vmt_metrics *m, struct vmt_buf *out)
{
	size_t i;

	if (m->error)
		return m->error;
	for (i = 0; i < VMT_METRIC_COUNT; i++) {
		struct vmt_bytes rest = { m->families[i].text.data, m->families[i].text.len };

		if (!m->families[i].n)
			continue;
		vmt_buf_addf(out, "# HELP %s ", defs[i].name);
		add_help(out, defs[i].help);
		vmt_buf_addf(out, "\n# TYPE %s %s\n", defs[i].name,
			     vmt_metric_type_name(defs[i].type));
		while (rest.len) {
			const char *end = memchr(rest.ptr, '\n', rest.len);
			size_t len = (size_t)(end - rest.ptr) + 1;

			vmt_buf_adds(out, defs[i].name);
			vmt_buf_add(out, rest.ptr, len);
			rest.ptr += len;
			rest.len -= len;
		}
	}
	return vmt_buf_error(out);
}
