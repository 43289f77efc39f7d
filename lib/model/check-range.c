/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/check-range.h"

#include <inttypes.h>

#include "base/parse.h"

/* A letter behind a number: the number of thousandths that it makes of 1. */
struct suffix {
	const char *name;
	uint64_t milli;
};

#define KIB UINT64_C(1024)
static const struct suffix sizes[] = {
	{ "", 1000 },
	{ "B", 1000 },
	{ "K", 1000 * KIB },
	{ "KiB", 1000 * KIB },
	{ "M", 1000 * KIB *KIB },
	{ "MiB", 1000 * KIB *KIB },
	{ "G", 1000 * KIB *KIB *KIB },
	{ "GiB", 1000 * KIB *KIB *KIB },
	{ "T", 1000 * KIB *KIB *KIB *KIB },
	{ "TiB", 1000 * KIB *KIB *KIB *KIB },
	{ "KB", UINT64_C(1000000) },
	{ "MB", UINT64_C(1000000000) },
	{ "GB", UINT64_C(1000000000000) },
	{ "TB", UINT64_C(1000000000000000) },
};

static const struct suffix times[] = {
	{ "", 1000 }, { "us", 1000 }, { "ns", 1 }, { "ms", 1000000 }, { "s", 1000000000 },
};

static const struct suffix plain[] = { { "", 1000 } };
static const struct suffix percents[] = { { "", 1000 }, { "%", 1000 } };

static const struct {
	const struct suffix *list;
	size_t n;
	const char *form;
} suffixes[] = {
	[VMT_CHECK_BYTES] = { sizes, VMT_ARRAY_LEN(sizes), "a size, as 512M, or a part, as 10%" },
	[VMT_CHECK_PERCENT] = { percents, VMT_ARRAY_LEN(percents), "a percentage, as 95" },
	[VMT_CHECK_COUNT] = { plain, VMT_ARRAY_LEN(plain), "a number" },
	[VMT_CHECK_RATE] = { plain, VMT_ARRAY_LEN(plain), "a number, of a second" },
	[VMT_CHECK_GROWTH] = { sizes, VMT_ARRAY_LEN(sizes), "a size, as 10K, of a second" },
	[VMT_CHECK_TIME] = { times, VMT_ARRAY_LEN(times), "a time, as 500us or 10ms" },
};

/* Digits with a fraction, in units of 10^-9; -EINVAL, -ERANGE. */
static int take_decimal(struct vmt_bytes *cur, unsigned __int128 *ret)
{
	uint64_t whole, scale = 1000000000;
	unsigned __int128 v;
	int r = vmt_take_u64(cur, &whole);

	if (r < 0)
		return r;
	v = (unsigned __int128)whole * scale;
	if (vmt_take_char(cur, '.') == 0) {
		if (cur->len == 0 || !vmt_is_digit(*cur->ptr))
			return -EINVAL;
		/* What stands behind the ninth digit is less than anything that is measured. */
		for (; cur->len && vmt_is_digit(*cur->ptr); cur->ptr++, cur->len--) {
			scale /= 10;
			v += (uint64_t)(*cur->ptr - '0') * scale;
		}
	}
	*ret = v;
	return 0;
}

static int parse_bound(struct vmt_bytes text, enum vmt_check_unit unit, struct vmt_bound *ret)
{
	bool minus = vmt_take_char(&text, '-') == 0;
	unsigned __int128 v;
	uint64_t scale = 0;
	size_t i;
	int r = take_decimal(&text, &v);

	if (r < 0)
		return r;
	ret->kind = VMT_BOUND_VALUE;
	if (unit == VMT_CHECK_BYTES && vmt_bytes_is(text, "%")) {
		ret->kind = VMT_BOUND_PERCENT;
		scale = 1000;
	}
	for (i = 0; i < suffixes[unit].n && !scale; i++)
		if (vmt_bytes_is(text, suffixes[unit].list[i].name))
			scale = suffixes[unit].list[i].milli;
	if (!scale)
		return -EINVAL;
	/* At most 2^64 * 10^9 * 1000 * 2^40: 144 bits are too many. */
	if (v > (unsigned __int128)-1 / scale)
		return -ERANGE;
	v = v * scale / 1000000000;
	if (v > INT64_MAX)
		return -ERANGE;
	ret->milli = minus ? -(int64_t)v : (int64_t)v;
	return 0;
}

static bool wrong_way(const struct vmt_range *r)
{
	return r->low.kind != VMT_BOUND_NONE && r->low.kind == r->high.kind &&
	       r->low.milli > r->high.milli;
}

int vmt_range_parse(const char *text, enum vmt_check_unit unit, struct vmt_range *ret,
		    struct vmt_err *err)
{
	struct vmt_bytes all = vmt_bytes_of(text), low = { 0 }, high;
	struct vmt_range r = { .given = true };
	const char *colon;
	int code = 0;

	r.inside = vmt_take_char(&all, '@') == 0;
	high = all;
	colon = all.len ? memchr(all.ptr, ':', all.len) : NULL;
	/* An unset variable is no threshold. */
	if (all.len == 0 || (colon && all.len == 1))
		return vmt_err_set(err, -EINVAL, NULL, 0, "a range is [@][start:][end]");
	/* Without a start it is 0. */
	r.low.kind = VMT_BOUND_VALUE;
	if (colon) {
		low = (struct vmt_bytes){ all.ptr, (size_t)(colon - all.ptr) };
		high = (struct vmt_bytes){ colon + 1, all.len - low.len - 1 };
		if (vmt_bytes_is(low, "~"))
			r.low.kind = VMT_BOUND_NONE;
		else if (low.len)
			code = parse_bound(low, unit, &r.low);
	}
	if (code == 0 && high.len)
		code = parse_bound(high, unit, &r.high);
	if (code == -ERANGE)
		return vmt_err_set(err, code, NULL, 0, "the number is too large");
	if (code < 0)
		return vmt_err_set(err, code, NULL, 0,
				   "a range is [@][start:][end], and what stands there %s",
				   suffixes[unit].form);
	if (wrong_way(&r))
		return vmt_err_set(err, -EINVAL, NULL, 0, "it starts behind its end");
	*ret = r;
	return 0;
}

static int resolve_bound(struct vmt_bound *b, int64_t total)
{
	__int128 v;

	if (b->kind != VMT_BOUND_PERCENT)
		return 0;
	if (total < 0)
		return -ENODATA;
	/* Whole units: bytes have no thousandths. */
	v = (__int128)total * b->milli / 100000 / 1000 * 1000;
	if (v > INT64_MAX || v < INT64_MIN)
		return -EINVAL;
	*b = (struct vmt_bound){ VMT_BOUND_VALUE, (int64_t)v };
	return 0;
}

int vmt_range_resolve(const struct vmt_range *r, int64_t total, struct vmt_range *ret)
{
	struct vmt_range out = *r;
	int code = resolve_bound(&out.low, total);

	if (code == 0)
		code = resolve_bound(&out.high, total);
	if (code == 0 && wrong_way(&out))
		code = -EINVAL;
	if (code == 0)
		*ret = out;
	return code;
}

bool vmt_range_alerts(const struct vmt_range *r, int64_t value)
{
	bool outside = (r->low.kind != VMT_BOUND_NONE && value < r->low.milli) ||
		       (r->high.kind != VMT_BOUND_NONE && value > r->high.milli);

	return r->given && outside != r->inside;
}

bool vmt_range_alerts_from(const struct vmt_range *r, int64_t value)
{
	bool has_high = r->high.kind != VMT_BOUND_NONE;

	return vmt_range_alerts(r, value) &&
	       (r->inside ? !has_high : has_high && value > r->high.milli);
}

void vmt_check_number(struct vmt_buf *out, int64_t milli)
{
	uint64_t v = milli < 0 ? -(uint64_t)milli : (uint64_t)milli;
	unsigned rest = (unsigned)(v % 1000), digits = 3;

	vmt_buf_addf(out, "%s%" PRIu64, milli < 0 ? "-" : "", v / 1000);
	if (!rest)
		return;
	for (; rest % 10 == 0; rest /= 10)
		digits--;
	vmt_buf_addf(out, ".%0*u", (int)digits, rest);
}

void vmt_range_text(struct vmt_buf *out, const struct vmt_range *r)
{
	bool from_zero = r->low.kind == VMT_BOUND_VALUE && r->low.milli == 0;

	if (!r->given)
		return;
	if (r->inside)
		vmt_buf_addc(out, '@');
	if (r->low.kind == VMT_BOUND_NONE)
		vmt_buf_adds(out, "~:");
	else if (!from_zero || r->high.kind == VMT_BOUND_NONE) {
		vmt_check_number(out, r->low.milli);
		vmt_buf_addc(out, ':');
	}
	if (r->high.kind != VMT_BOUND_NONE)
		vmt_check_number(out, r->high.milli);
}

/* 6.0% and not 5.97%: one digit, but of what is small. */
static void percent(struct vmt_buf *out, int64_t milli)
{
	if (milli > -10000 && milli < 10000)
		vmt_check_number(out, milli / 10 * 10);
	else
		vmt_check_number(out, milli / 100 * 100);
	vmt_buf_addc(out, '%');
}

/* With the whole name of the unit, as prose has it. */
static void size(struct vmt_buf *out, int64_t milli)
{
	char last;

	vmt_fmt_size_signed(out, milli / 1000, VMT_SIZE_HUMAN, 0);
	last = out->len ? out->data[out->len - 1] : '0';
	vmt_buf_adds(out, vmt_is_digit(last) ? "B" : "iB");
}

void vmt_check_figure(struct vmt_buf *out, int64_t milli, enum vmt_check_unit unit)
{
	switch (unit) {
	case VMT_CHECK_BYTES:
		size(out, milli);
		break;
	case VMT_CHECK_GROWTH:
		size(out, milli);
		vmt_buf_adds(out, "/s");
		break;
	case VMT_CHECK_PERCENT:
		percent(out, milli);
		break;
	case VMT_CHECK_COUNT:
		vmt_check_number(out, milli);
		break;
	case VMT_CHECK_RATE:
		vmt_check_number(out, milli);
		vmt_buf_adds(out, "/s");
		break;
	case VMT_CHECK_TIME:
		/* Thousandths of a microsecond. */
		vmt_fmt_duration(out, milli > 0 ? (uint64_t)milli : 0);
		break;
	}
}

const char *vmt_check_uom(enum vmt_check_unit unit)
{
	switch (unit) {
	case VMT_CHECK_BYTES:
		return "B";
	case VMT_CHECK_PERCENT:
		return "%";
	case VMT_CHECK_TIME:
		return "us";
	case VMT_CHECK_COUNT:
	case VMT_CHECK_RATE:
	case VMT_CHECK_GROWTH:
		break;
	}
	return "";
}

static void bound(struct vmt_buf *out, const struct vmt_bound *b, enum vmt_check_unit unit)
{
	if (b->kind == VMT_BOUND_NONE)
		return;
	vmt_check_figure(out, b->milli, b->kind == VMT_BOUND_PERCENT ? VMT_CHECK_PERCENT : unit);
}

void vmt_range_limit(struct vmt_buf *out, const struct vmt_range *r,
		     const struct vmt_range *resolved, enum vmt_check_unit unit, int64_t value)
{
	bool below = resolved->low.kind != VMT_BOUND_NONE && value < resolved->low.milli;

	if (!r->inside) {
		bound(out, below ? &r->low : &r->high, unit);
		return;
	}
	bound(out, &r->low, unit);
	vmt_buf_adds(out, " to ");
	bound(out, &r->high, unit);
}
