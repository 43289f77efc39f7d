/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/moment.h"

#include <time.h>

#include "base/parse.h"

#define SECOND UINT64_C(1000000000)
/* Seconds since 1970, of the year 2262: the kernel's clocks go no further, and who adds to such a
 * time has room to. */
#define SECONDS_MAX ((uint64_t)INT64_MAX / SECOND)

/* A number of exactly so many digits, in its bounds. */
static int take_digits(struct vmt_bytes *cur, size_t n, int least, int most, int *ret)
{
	struct vmt_bytes digits = { cur->ptr, n };
	uint64_t v;

	if (cur->len < n || vmt_take_u64(&digits, &v) < 0 || digits.len || (int)v < least ||
	    (int)v > most)
		return -EINVAL;
	cur->ptr += n;
	cur->len -= n;
	*ret = (int)v;
	return 0;
}

/* Digits behind a dot, of a second; nanoseconds at most. */
static int take_fraction(struct vmt_bytes *cur, uint64_t *ret_ns)
{
	uint64_t unit = SECOND;

	if (!cur->len || !vmt_is_digit(*cur->ptr))
		return -EINVAL;
	for (; cur->len && vmt_is_digit(*cur->ptr); cur->ptr++, cur->len--) {
		if (unit == 1)
			return -EINVAL;
		unit /= 10;
		*ret_ns += unit * (uint64_t)(*cur->ptr - '0');
	}
	return 0;
}

/* HH:MM, HH:MM:SS or HH:MM:SS.SSS */
static int take_clock(struct vmt_bytes *cur, struct tm *tm, uint64_t *ret_ns)
{
	if (take_digits(cur, 2, 0, 23, &tm->tm_hour) < 0 || vmt_take_char(cur, ':') < 0 ||
	    take_digits(cur, 2, 0, 59, &tm->tm_min) < 0)
		return -EINVAL;
	*ret_ns = 0;
	if (vmt_take_char(cur, ':') < 0)
		return 0;
	if (take_digits(cur, 2, 0, 60, &tm->tm_sec) < 0)
		return -EINVAL;
	return vmt_take_char(cur, '.') == 0 ? take_fraction(cur, ret_ns) : 0;
}

/* Of the Gregorian calendar. */
static int days_of(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

/* YYYY-MM-DD */
static int take_date(struct vmt_bytes *cur, struct tm *tm)
{
	if (take_digits(cur, 4, 1970, 9999, &tm->tm_year) < 0 || vmt_take_char(cur, '-') < 0 ||
	    take_digits(cur, 2, 1, 12, &tm->tm_mon) < 0 || vmt_take_char(cur, '-') < 0 ||
	    take_digits(cur, 2, 1, 31, &tm->tm_mday) < 0 ||
	    tm->tm_mday > days_of(tm->tm_year, tm->tm_mon))
		return -EINVAL;
	tm->tm_year -= 1900;
	tm->tm_mon--;
	return 0;
}

static int finish(struct vmt_bytes cur, struct tm *tm, uint64_t ns, uint64_t *ret_ns)
{
	bool utc = vmt_take_char(&cur, 'Z') == 0;
	time_t t;

	if (cur.len)
		return -EINVAL;
	t = utc ? timegm(tm) : mktime(tm);
	if (t < 0 || (uint64_t)t > SECONDS_MAX)
		return -EINVAL;
	*ret_ns = (uint64_t)t * SECOND + ns;
	return 0;
}

/* The first such time of day at base or later. */
static int next_clock(struct vmt_bytes cur, uint64_t base_ns, uint64_t *ret_ns)
{
	bool utc = cur.len && cur.ptr[cur.len - 1] == 'Z';
	time_t base = (time_t)(base_ns / SECOND);
	struct tm tm = { .tm_isdst = -1 }, day;
	uint64_t ns;
	int i, r;

	if (!(utc ? gmtime_r(&base, &tm) : localtime_r(&base, &tm)))
		return -EINVAL;
	tm.tm_sec = 0;
	if (take_clock(&cur, &tm, &ns) < 0)
		return -EINVAL;
	for (i = 0; i < 2; i++) {
		day = tm;
		day.tm_mday += i;
		day.tm_isdst = -1;
		r = finish(cur, &day, ns, ret_ns);
		/* Of the second that base is in, too. */
		if (r < 0 || *ret_ns + SECOND > base_ns)
			return r;
	}
	return 0;
}

int vmt_parse_moment(const char *text, uint64_t base_ns, uint64_t *ret_ns)
{
	struct vmt_bytes cur = vmt_bytes_of(text), rest;
	struct tm tm = { .tm_isdst = -1 };
	uint64_t seconds, ns = 0;

	if (vmt_take_char(&cur, '@') == 0) {
		if (vmt_take_u64(&cur, &seconds) < 0 || cur.len || seconds > SECONDS_MAX)
			return -EINVAL;
		*ret_ns = seconds * SECOND;
		return 0;
	}
	rest = cur;
	if (take_date(&rest, &tm) < 0)
		return next_clock(cur, base_ns, ret_ns);
	if (vmt_take_char(&rest, 'T') == 0 || vmt_take_char(&rest, ' ') == 0) {
		if (take_clock(&rest, &tm, &ns) < 0)
			return -EINVAL;
	}
	return finish(rest, &tm, ns, ret_ns);
}
