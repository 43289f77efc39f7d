/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz.h"

#include "cmd/check-plan.h"
#include "model/check-state.h"
#include "view/perfdata.h"

static struct vmt_bytes text_of(const struct vmt_buf *b)
{
	return (struct vmt_bytes){ b->data, b->len };
}

/* What a range is printed as is a range that judges in the same way. */
static void same_range(const struct vmt_range *r, enum vmt_check_unit unit)
{
	const int64_t values[] = { 0,
				   1,
				   -1,
				   INT64_MAX,
				   INT64_MIN,
				   r->low.milli,
				   r->high.milli,
				   r->low.milli / 2 + r->high.milli / 2,
				   r->low.milli / 3,
				   r->high.milli / 3 };
	VMT_AUTO_BUF text = { 0 };
	struct vmt_range again = { 0 };
	size_t i;

	vmt_range_text(&text, r);
	CHECK(text.data && vmt_range_parse(text.data, unit, &again, NULL) == 0);
	for (i = 0; i < VMT_ARRAY_LEN(values); i++) {
		VMT_AUTO_BUF limit = { 0 };

		CHECK(vmt_range_alerts(&again, values[i]) == vmt_range_alerts(r, values[i]));
		vmt_range_limit(&limit, r, &again, unit, values[i]);
		vmt_check_figure(&limit, values[i], unit);
		CHECK(limit.len > 0);
	}
}

static void range(const uint8_t *data, size_t size)
{
	enum vmt_check_unit unit = (enum vmt_check_unit)(fuzz_choice(&data, &size) % 6);
	struct vmt_range r = { 0 }, resolved = { 0 };
	struct vmt_err err = { 0 };
	VMT_AUTO_BUF text = { 0 };

	vmt_buf_add(&text, data, size);
	vmt_buf_adds(&text, "");
	if (!text.data)
		return;
	if (vmt_range_parse(text.data, unit, &r, &err) < 0) {
		CHECK(!r.given && err.text[0]);
		return;
	}
	CHECK(r.given);
	if (vmt_range_resolve(&r, INT64_C(25276502016000), &resolved) == 0)
		same_range(&resolved, unit);
	/* Of an unknown whole there are no parts. */
	if (r.low.kind == VMT_BOUND_PERCENT || r.high.kind == VMT_BOUND_PERCENT)
		CHECK(vmt_range_resolve(&r, -1, &resolved) == -ENODATA);
}

/* A state that is read is written; that one comes back as it is. */
static void state(const uint8_t *data, size_t size)
{
	const struct vmt_figure_want want = { .measure = VMT_MEASURE_PROC_GROWTH, .comm = NULL };
	VMT_AUTO_BUF first = { 0 }, second = { 0 };
	VMT_AUTO_SAMPLE s = NULL;
	VMT_AUTO_SAMPLE again = NULL;
	struct vmt_err err = { 0 };

	if (vmt_check_state_read(fuzz_text(data, size), &s, &err) < 0) {
		CHECK(!s && err.text[0]);
		return;
	}
	CHECK(s->n_procs <= VMT_CHECK_STATE_PROCS);
	vmt_check_state_write(&first, s, &want, 1);
	CHECK(vmt_check_state_read(text_of(&first), &again, NULL) == 0);
	vmt_check_state_write(&second, again, &want, 1);
	CHECK(vmt_bytes_equal(text_of(&first), text_of(&second)));
}

/* A file is refused with a reason, or all of its checks are whole, with a label each. */
static void config(const uint8_t *data, size_t size)
{
	VMT_AUTO_CHECK_PLAN plan = { 0 };
	struct vmt_err err = { 0 };
	size_t i, k;

	if (vmt_check_config_parse(&plan, "check.conf", fuzz_text(data, size), &err) < 0) {
		CHECK(err.text[0]);
		return;
	}
	CHECK(plan.n > 0);
	for (i = 0; i < plan.n; i++) {
		VMT_AUTO_BUF one = { 0 };

		CHECK(plan.items[i].want.measure < VMT_MEASURE_COUNT);
		CHECK(vmt_check_item_complete(&plan.items[i], NULL) == 0);
		vmt_perf_label(&one, vmt_bytes_of(plan.items[i].label));
		for (k = 0; k < i; k++) {
			VMT_AUTO_BUF other = { 0 };

			vmt_perf_label(&other, vmt_bytes_of(plan.items[k].label));
			CHECK(!vmt_bytes_equal(text_of(&one), text_of(&other)));
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	switch (fuzz_choice(&data, &size) % 3) {
	case 0:
		range(data, size);
		break;
	case 1:
		state(data, size);
		break;
	default:
		config(data, size);
		break;
	}
	return 0;
}
