/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/check-measure.h"

const char *vmt_status_name(enum vmt_status s)
{
	static const char *const names[] = {
		[VMT_STATUS_OK] = "OK",
		[VMT_STATUS_UNKNOWN] = "UNKNOWN",
		[VMT_STATUS_WARNING] = "WARNING",
		[VMT_STATUS_CRITICAL] = "CRITICAL",
	};

	return names[s];
}

int vmt_status_code(enum vmt_status s)
{
	static const int codes[] = {
		[VMT_STATUS_OK] = 0,
		[VMT_STATUS_UNKNOWN] = 3,
		[VMT_STATUS_WARNING] = 1,
		[VMT_STATUS_CRITICAL] = 2,
	};

	return codes[s];
}

static const char *unit_name(enum vmt_check_unit unit)
{
	switch (unit) {
	case VMT_CHECK_COUNT:
		return "count";
	case VMT_CHECK_RATE:
		return "/s";
	case VMT_CHECK_GROWTH:
		return "B/s";
	case VMT_CHECK_BYTES:
	case VMT_CHECK_PERCENT:
	case VMT_CHECK_TIME:
		break;
	}
	return vmt_check_uom(unit);
}

void vmt_judged_done(struct vmt_judged *j)
{
	vmt_buf_done(&j->warning_text);
	vmt_buf_done(&j->critical_text);
	*j = (struct vmt_judged){ 0 };
}

/* Makes plain numbers of a range; false where that cannot be. */
static bool resolve(const struct vmt_range *r, struct vmt_figure *f, struct vmt_range *ret)
{
	int code = r->given ? vmt_range_resolve(r, f->total, ret) : 0;

	if (code == 0)
		return true;
	if (f->state == VMT_FIGURE_KNOWN || f->state == VMT_FIGURE_AT_LEAST) {
		f->state = VMT_FIGURE_UNKNOWN;
		vmt_buf_clear(&f->reason);
		vmt_buf_adds(&f->reason, code == -ENODATA ? "what the percents are of is not known"
							  : "a limit starts behind its end");
	}
	return false;
}

/* The limit that was passed; why the figure is known of some alone stays, behind it. */
static void passed(struct vmt_figure *f, const struct vmt_range *given,
		   const struct vmt_range *resolved, enum vmt_check_unit unit, bool at_least)
{
	VMT_AUTO_BUF why = f->reason;

	f->reason = (struct vmt_buf){ 0 };
	vmt_buf_adds(&f->reason, given->inside ? "inside " : "limit ");
	vmt_range_limit(&f->reason, given, resolved, unit, f->value);
	if (!at_least)
		return;
	vmt_buf_adds(&f->reason, "; at least: ");
	vmt_buf_add(&f->reason, why.data, why.len);
	if (vmt_buf_error(&why) < 0)
		f->reason.error = vmt_buf_error(&why);
}

static void judge(struct vmt_figure *f, enum vmt_check_unit unit, const struct vmt_range *warning,
		  const struct vmt_range *critical, struct vmt_judged *j)
{
	bool at_least = f->state == VMT_FIGURE_AT_LEAST;

	/* What is past a limit is so whatever the others have. */
	if (at_least)
		f->state = vmt_range_alerts_from(&j->critical, f->value) ||
					   vmt_range_alerts_from(&j->warning, f->value)
				   ? VMT_FIGURE_KNOWN
				   : VMT_FIGURE_UNKNOWN;
	if (f->state == VMT_FIGURE_UNKNOWN) {
		j->status = VMT_STATUS_UNKNOWN;
	} else if (f->state == VMT_FIGURE_NOTHING) {
		j->status = VMT_STATUS_OK;
	} else if (vmt_range_alerts(&j->critical, f->value)) {
		j->status = VMT_STATUS_CRITICAL;
		passed(f, critical, &j->critical, unit, at_least);
	} else if (vmt_range_alerts(&j->warning, f->value)) {
		j->status = VMT_STATUS_WARNING;
		passed(f, warning, &j->warning, unit, at_least);
	} else {
		j->status = VMT_STATUS_OK;
	}
}

static struct vmt_bytes text_of(const struct vmt_buf *b)
{
	return (struct vmt_bytes){ b->data, b->len };
}

int vmt_figure_judge(struct vmt_figure *f, enum vmt_measure_id measure, struct vmt_bytes check,
		     const struct vmt_range *warning, const struct vmt_range *critical,
		     struct vmt_judged *ret)
{
	enum vmt_check_unit unit = vmt_measures[measure].unit;
	struct vmt_verdict_row *row = &ret->row;
	bool fine = resolve(warning, f, &ret->warning);

	if (resolve(critical, f, &ret->critical) && fine) {
		vmt_range_text(&ret->warning_text, &ret->warning);
		vmt_range_text(&ret->critical_text, &ret->critical);
	}
	judge(f, unit, warning, critical, ret);
	VMT_SET(verdict, check, row, check);
	VMT_SET(verdict, metric, row, vmt_bytes_of(vmt_measures[measure].name));
	VMT_SET(verdict, status, row, vmt_bytes_of(vmt_status_name(ret->status)));
	VMT_SET(verdict, unit, row, vmt_bytes_of(unit_name(unit)));
	if (f->state == VMT_FIGURE_KNOWN) {
		VMT_SET(verdict, value, row, f->value);
		VMT_SET(verdict, figure, row, text_of(&f->text));
	}
	if (f->total >= 0)
		VMT_SET(verdict, max, row, f->total);
	if (ret->warning_text.len)
		VMT_SET(verdict, warning, row, text_of(&ret->warning_text));
	if (ret->critical_text.len)
		VMT_SET(verdict, critical, row, text_of(&ret->critical_text));
	if (f->reason.len)
		VMT_SET(verdict, reason, row, text_of(&f->reason));
	return vmt_buf_error(&ret->warning_text) < 0	? vmt_buf_error(&ret->warning_text)
	       : vmt_buf_error(&ret->critical_text) < 0 ? vmt_buf_error(&ret->critical_text)
							: vmt_buf_error(&f->reason);
}
