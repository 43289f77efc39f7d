/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/check-text.h"

#include "view/perfdata.h"

/* So many fit into a line that people read. */
#define IN_LINE 4

enum vmt_status vmt_check_worst(const struct vmt_check_plan *plan)
{
	enum vmt_status worst = VMT_STATUS_OK;
	size_t i;

	for (i = 0; i < plan->n; i++)
		if (plan->items[i].judged.status > worst)
			worst = plan->items[i].judged.status;
	return worst;
}

/* "available 6.0% (1.41GiB of 23.5GiB), limit 10%" */
static void add_item(struct vmt_buf *out, const struct vmt_check_item *item)
{
	const struct vmt_figure *f = &item->figure;

	vmt_perf_text(out, vmt_bytes_of(item->name));
	if (f->state == VMT_FIGURE_KNOWN) {
		vmt_buf_addc(out, ' ');
		vmt_perf_text(out, (struct vmt_bytes){ f->text.data, f->text.len });
		if (f->reason.len)
			vmt_buf_adds(out, ", ");
	} else {
		vmt_buf_adds(out, f->state == VMT_FIGURE_UNKNOWN ? " unknown: " : ": ");
	}
	vmt_perf_text(out, (struct vmt_bytes){ f->reason.data, f->reason.len });
}

/* Those of a status, in their order; returns how many. */
static size_t add_items(struct vmt_buf *out, const struct vmt_check_plan *plan,
			enum vmt_status status, size_t before)
{
	size_t i, n = before;

	for (i = 0; i < plan->n; i++) {
		if (plan->items[i].judged.status != status)
			continue;
		vmt_buf_adds(out, n++ ? (status == VMT_STATUS_OK ? ", " : "; ") : "");
		add_item(out, &plan->items[i]);
	}
	return n;
}

static void add_perfdata(struct vmt_buf *out, const struct vmt_check_plan *plan)
{
	size_t i;

	vmt_buf_adds(out, " |");
	for (i = 0; i < plan->n; i++) {
		const struct vmt_check_item *item = &plan->items[i];

		vmt_buf_addc(out, ' ');
		vmt_perf_value(out, vmt_bytes_of(item->label), item->want.measure, &item->figure,
			       &item->judged);
	}
}

void vmt_check_text(struct vmt_buf *out, const struct vmt_check_plan *plan, enum vmt_status status,
		    const char *problem, const struct vmt_buf *more, bool perfdata)
{
	static const enum vmt_status order[] = { VMT_STATUS_CRITICAL, VMT_STATUS_WARNING,
						 VMT_STATUS_UNKNOWN };
	bool bad = vmt_check_worst(plan) != VMT_STATUS_OK, few = plan->n <= IN_LINE;
	size_t i, n = 0;

	vmt_buf_addf(out, "VMTOP %s - ", vmt_status_name(status));
	vmt_perf_text(out, vmt_bytes_of(problem));
	n = *problem != 0;
	for (i = 0; i < VMT_ARRAY_LEN(order); i++)
		n = add_items(out, plan, order[i], n);
	if (!bad && few)
		add_items(out, plan, VMT_STATUS_OK, n);
	else if (!bad)
		vmt_buf_addf(out, "%s%zu checks", n ? ", " : "", plan->n);
	if (perfdata)
		add_perfdata(out, plan);
	vmt_buf_addc(out, '\n');
	for (i = 0; i < plan->n && (bad || !few); i++) {
		if (plan->items[i].judged.status != VMT_STATUS_OK)
			continue;
		vmt_buf_adds(out, "OK ");
		add_item(out, &plan->items[i]);
		vmt_buf_addc(out, '\n');
	}
	if (!more)
		return;
	for (i = 0; i < more->len; i++) {
		if (more->data[i] == '|')
			vmt_buf_adds(out, "\\x7c");
		else
			vmt_buf_addc(out, more->data[i]);
	}
}
