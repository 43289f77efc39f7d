/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/fmt.h"

#include <inttypes.h>

size_t vmt_utf8_take(struct vmt_bytes text, uint32_t *ret_code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)text.ptr;
	uint32_t code;
	size_t n, i;

	if (text.len == 0)
		return 0;
	if (p[0] < 0x80) {
		*ret_code = p[0];
		return 1;
	}
	if ((p[0] & 0xe0) == 0xc0) {
		n = 2;
		code = p[0] & 0x1f;
	} else if ((p[0] & 0xf0) == 0xe0) {
		n = 3;
		code = p[0] & 0x0f;
	} else if ((p[0] & 0xf8) == 0xf0) {
		n = 4;
		code = p[0] & 0x07;
	} else {
		return 0;
	}
	if (text.len < n)
		return 0;
	for (i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (p[i] & 0x3f);
	}
	if (code < least[n] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	*ret_code = code;
	return n;
}

bool vmt_fmt_is_unsafe(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c || c == 0x180e ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff0 && c <= 0xfffb) ||
	       (c >= 0xfdd0 && c <= 0xfdef) || (c & 0xfffe) == 0xfffe ||
	       (c >= 0xe0000 && c <= 0xe0fff);
}

/* Marks that are drawn over the character before them. */
static bool is_mark(uint32_t c)
{
	return (c >= 0x300 && c <= 0x36f) || (c >= 0x483 && c <= 0x489) ||
	       (c >= 0x591 && c <= 0x5bd) || (c >= 0x610 && c <= 0x61a) ||
	       (c >= 0x64b && c <= 0x65f) || (c >= 0x1ab0 && c <= 0x1aff) ||
	       (c >= 0x1dc0 && c <= 0x1dff) || (c >= 0x20d0 && c <= 0x20ff) ||
	       (c >= 0xfe00 && c <= 0xfe0f) || (c >= 0xfe20 && c <= 0xfe2f);
}

/* No script puts more over one character; a name made of marks would climb over the lines above. */
#define MARKS_MAX 4

void vmt_fmt_safe(struct vmt_buf *out, struct vmt_bytes text, bool ascii)
{
	unsigned marks = 0;

	static const char hex[] = "0123456789abcdef";

	while (text.len) {
		uint32_t code = 0;
		size_t n = vmt_utf8_take(text, &code);
		size_t take = n ? n : 1, i;

		marks = n && is_mark(code) ? marks + 1 : 0;
		if (n && !vmt_fmt_is_unsafe(code) && (code < 0x80 || !ascii) &&
		    marks <= MARKS_MAX) {
			vmt_buf_add(out, text.ptr, n);
		} else {
			for (i = 0; i < take; i++) {
				unsigned char b = (unsigned char)text.ptr[i];
				char esc[4] = { '\\', 'x', hex[b >> 4], hex[b & 15] };

				vmt_buf_add(out, esc, sizeof(esc));
			}
		}
		text.ptr += take;
		text.len -= take;
	}
}

void vmt_fmt_process(struct vmt_buf *out, uint64_t pid, const struct vmt_bytes *comm)
{
	vmt_buf_addu(out, pid);
	if (!comm)
		return;
	vmt_buf_adds(out, " (");
	vmt_fmt_safe(out, *comm, true);
	vmt_buf_adds(out, ")");
}

/* Three significant digits of value / 1024^n with the letter of n, in integer arithmetic so that
 * no locale can change the decimal point. */
static void fmt_human(struct vmt_buf *out, uint64_t bytes)
{
	static const char letters[] = "BKMGTPE";
	unsigned n = 0;
	uint64_t unit = 1, whole, rest, digits;

	while (n < 6 && bytes / unit >= 1000) {
		unit <<= 10;
		n++;
	}
	if (n == 0) {
		vmt_buf_addf(out, "%" PRIu64, bytes);
		return;
	}
	whole = bytes / unit;
	rest = bytes % unit;
	if (whole < 10) {
		digits = (uint64_t)(((unsigned __int128)rest * 100 + unit / 2) / unit);
		if (digits == 100) {
			whole++;
			digits = 0;
		}
		if (whole < 10)
			vmt_buf_addf(out, "%" PRIu64 ".%02" PRIu64 "%c", whole, digits, letters[n]);
		else
			vmt_buf_addf(out, "%" PRIu64 ".0%c", whole, letters[n]);
		return;
	}
	if (whole < 100) {
		digits = (uint64_t)(((unsigned __int128)rest * 10 + unit / 2) / unit);
		if (digits == 10) {
			whole++;
			digits = 0;
		}
		if (whole < 100)
			vmt_buf_addf(out, "%" PRIu64 ".%" PRIu64 "%c", whole, digits, letters[n]);
		else
			vmt_buf_addf(out, "%" PRIu64 "%c", whole, letters[n]);
		return;
	}
	vmt_buf_addf(out, "%" PRIu64 "%c", whole + (rest >= unit / 2 ? 1 : 0), letters[n]);
}

void vmt_fmt_size(struct vmt_buf *out, uint64_t bytes, enum vmt_size_unit unit, uint64_t page_size)
{
	uint64_t div = 1;

	switch (unit) {
	case VMT_SIZE_HUMAN:
		fmt_human(out, bytes);
		return;
	case VMT_SIZE_BYTES:
		break;
	case VMT_SIZE_KIB:
		div = UINT64_C(1) << 10;
		break;
	case VMT_SIZE_MIB:
		div = UINT64_C(1) << 20;
		break;
	case VMT_SIZE_GIB:
		div = UINT64_C(1) << 30;
		break;
	case VMT_SIZE_PAGES:
		div = page_size ? page_size : 1;
		break;
	}
	vmt_buf_addf(out, "%" PRIu64, bytes / div);
}

void vmt_fmt_size_signed(struct vmt_buf *out, int64_t bytes, enum vmt_size_unit unit,
			 uint64_t page_size)
{
	if (bytes < 0)
		vmt_buf_addc(out, '-');
	vmt_fmt_size(out, bytes < 0 ? 0 - (uint64_t)bytes : (uint64_t)bytes, unit, page_size);
}

void vmt_fmt_duration(struct vmt_buf *out, uint64_t ns)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = { { "s", 1000000000 }, { "ms", 1000000 }, { "us", 1000 } };
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(units); i++) {
		uint64_t u = units[i].ns, whole = ns / u, rest = ns % u;

		if (whole == 0)
			continue;
		if (whole < 10)
			vmt_buf_addf(out, "%" PRIu64 ".%02" PRIu64 "%s", whole, rest / (u / 100),
				     units[i].name);
		else if (whole < 100)
			vmt_buf_addf(out, "%" PRIu64 ".%" PRIu64 "%s", whole, rest / (u / 10),
				     units[i].name);
		else
			vmt_buf_addf(out, "%" PRIu64 "%s", whole, units[i].name);
		return;
	}
	vmt_buf_addf(out, "%" PRIu64 "%s", ns, ns ? "ns" : "");
}

/* Days since 1970 to a date of the Gregorian calendar, by years that begin in March so that the
 * leap day is the last of its year. */
static void civil_from_days(uint64_t days, unsigned *ret_y, unsigned *ret_m, unsigned *ret_d)
{
	uint64_t z = days + 719468;
	uint64_t era = z / 146097;
	unsigned doe = (unsigned)(z % 146097);
	unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	unsigned mp = (5 * doy + 2) / 153;

	*ret_d = doy - (153 * mp + 2) / 5 + 1;
	*ret_m = mp < 10 ? mp + 3 : mp - 9;
	*ret_y = (unsigned)(yoe + era * 400) + (*ret_m <= 2 ? 1 : 0);
}

void vmt_fmt_time(struct vmt_buf *out, uint64_t realtime_ns)
{
	uint64_t s = realtime_ns / 1000000000;
	unsigned y, m, d;

	civil_from_days(s / 86400, &y, &m, &d);
	vmt_buf_addf(out, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", y, m, d,
		     (unsigned)(s % 86400 / 3600), (unsigned)(s % 3600 / 60), (unsigned)(s % 60),
		     (unsigned)(realtime_ns % 1000000000 / 1000000));
}

void vmt_fmt_shell(struct vmt_buf *out, const char *word)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789_-+=./:,@%";

	if (*word && strspn(word, plain) == strlen(word)) {
		vmt_buf_adds(out, word);
		return;
	}
	vmt_buf_addc(out, '\'');
	for (; *word; word++) {
		if (*word == '\'')
			vmt_buf_adds(out, "'\\''");
		else
			vmt_buf_addc(out, *word);
	}
	vmt_buf_addc(out, '\'');
}
