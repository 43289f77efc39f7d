/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ways from the kernel's bytes to a terminal, a document and a shell: nothing that is obeyed
 * comes through, and nothing is lost without a word.
 */
#include "base/fmt.h"
#include "base/json.h"
#include "fuzz-utf8.h"
#include "view/xml.h"

static struct vmt_bytes bytes_of(const struct vmt_buf *b)
{
	return (struct vmt_bytes){ b->data, b->len };
}

static void safe(struct vmt_bytes text)
{
	VMT_AUTO_BUF wide = { 0 }, ascii = { 0 }, again = { 0 };
	size_t i;

	vmt_fmt_safe(&wide, text, false);
	vmt_fmt_safe(&ascii, text, true);
	CHECK(fuzz_is_utf8(bytes_of(&wide), false));
	for (i = 0; i < ascii.len; i++)
		CHECK(ascii.data[i] >= 0x20 && ascii.data[i] < 0x7f);
	/* Plain text stays as it is, and so does what was made safe. */
	for (i = 0; i < text.len && text.ptr[i] >= 0x20 && text.ptr[i] < 0x7f; i++)
		;
	if (i == text.len)
		CHECK(vmt_bytes_equal(bytes_of(&wide), text) &&
		      vmt_bytes_equal(bytes_of(&ascii), text));
	vmt_fmt_safe(&again, bytes_of(&wide), false);
	CHECK(vmt_bytes_equal(bytes_of(&wide), bytes_of(&again)));
}

/* No markup, no control and nothing above ASCII; a reference is one of those that there are. */
static void xml(struct vmt_bytes text)
{
	VMT_AUTO_BUF out = { 0 };
	size_t i;

	vmt_xml_escape(&out, text);
	for (i = 0; i < out.len; i++) {
		const char *p = out.data + i;
		size_t n;

		CHECK(*p >= 0x20 && *p < 0x7f && !strchr("<>\"'", *p));
		if (*p != '&')
			continue;
		n = strcspn(p, ";");
		CHECK(p[n] == ';' && n < 10);
		if (strncmp(p, "&#x", 3) == 0) {
			unsigned long code = strtoul(p + 3, NULL, 16);

			CHECK(strspn(p + 3, "0123456789ABCDEF") == n - 3);
			CHECK(code <= 0x10ffff && !fuzz_is_unsafe((uint32_t)code) &&
			      (code < 0xd800 || code >= 0xe000));
		} else {
			CHECK(strncmp(p, "&amp;", 5) == 0 || strncmp(p, "&lt;", 4) == 0 ||
			      strncmp(p, "&gt;", 4) == 0 || strncmp(p, "&quot;", 6) == 0 ||
			      strncmp(p, "&#39;", 5) == 0);
		}
	}
}

static void json(struct vmt_bytes text)
{
	VMT_AUTO_BUF out = { 0 }, back = { 0 };
	struct vmt_json j;
	bool lost;
	size_t i;

	vmt_json_init(&j, &out, 0);
	lost = vmt_json_bytes(&j, text);
	CHECK(vmt_json_finish(&j) == 0);
	CHECK(lost == !fuzz_is_utf8(text, true));
	CHECK(fuzz_is_utf8(bytes_of(&out), true));
	CHECK(out.len >= 2 && out.data[0] == '"' && out.data[out.len - 1] == '"');
	for (i = 1; i < out.len - 1; i++) {
		unsigned char c = (unsigned char)out.data[i];
		char hex[5] = { 0 };
		unsigned long code;

		CHECK(c >= 0x20 && c != 0x7f && c != '"');
		CHECK(c != 0xc2 || (unsigned char)out.data[i + 1] >= 0xa0);
		if (c != '\\') {
			vmt_buf_addc(&back, out.data[i]);
			continue;
		}
		c = (unsigned char)out.data[++i];
		CHECK(i < out.len - 1 && strchr("\"\\/bfnrtu", c));
		if (c != 'u') {
			vmt_buf_addc(&back,
				     "\"\\/\b\f\n\r\t"[strchr("\"\\/bfnrt", c) - "\"\\/bfnrt"]);
			continue;
		}
		CHECK(i + 4 < out.len - 1);
		memcpy(hex, out.data + i + 1, 4);
		CHECK(strspn(hex, "0123456789abcdefABCDEF") == 4);
		code = strtoul(hex, NULL, 16);
		/* Pairs are for characters beyond the first plane. */
		if (code >= 0xd800 && code < 0xdc00) {
			unsigned long low;

			CHECK(i + 10 < out.len - 1 && out.data[i + 5] == '\\' &&
			      out.data[i + 6] == 'u');
			memcpy(hex, out.data + i + 7, 4);
			low = strtoul(hex, NULL, 16);
			CHECK(low >= 0xdc00 && low < 0xe000);
			code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
			vmt_buf_addc(&back, (char)(0xf0 | code >> 18));
			vmt_buf_addc(&back, (char)(0x80 | (code >> 12 & 0x3f)));
			vmt_buf_addc(&back, (char)(0x80 | (code >> 6 & 0x3f)));
			vmt_buf_addc(&back, (char)(0x80 | (code & 0x3f)));
			i += 10;
			continue;
		}
		CHECK(code < 0xd800 || code >= 0xe000);
		if (code >= 0x800)
			vmt_buf_addc(&back, (char)(0xe0 | code >> 12));
		if (code >= 0x80)
			vmt_buf_addc(&back, (char)(code >= 0x800 ? 0x80 | (code >> 6 & 0x3f)
								 : 0xc0 | code >> 6));
		vmt_buf_addc(&back, (char)(code >= 0x80 ? 0x80 | (code & 0x3f) : code));
		i += 4;
	}
	/* Read back, it is what went in. */
	if (!lost)
		CHECK(vmt_bytes_equal(bytes_of(&back), text));
}

static void base64(struct vmt_bytes text)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	VMT_AUTO_BUF out = { 0 }, back = { 0 };
	struct vmt_json j;
	uint32_t bits = 0;
	unsigned n = 0;
	size_t i;

	vmt_json_init(&j, &out, 0);
	vmt_json_base64(&j, text);
	CHECK(vmt_json_finish(&j) == 0);
	CHECK(out.len == 2 + (text.len + 2) / 3 * 4);
	for (i = 1; i < out.len - 1 && out.data[i] != '='; i++) {
		const char *digit = strchr(digits, out.data[i]);

		CHECK(digit && *digit);
		bits = bits << 6 | (uint32_t)(digit - digits);
		n += 6;
		if (n >= 8) {
			n -= 8;
			vmt_buf_addc(&back, (char)(bits >> n));
		}
	}
	CHECK(vmt_bytes_equal(bytes_of(&back), text));
}

/* A word for a shell, taken apart as a shell does: it is one word, and the one that went in. */
static void shell(struct vmt_bytes text)
{
	VMT_AUTO_BUF out = { 0 }, word = { 0 }, back = { 0 };
	bool quoted = false;
	size_t i;

	vmt_buf_add(&word, text.ptr, text.len);
	if (!word.data)
		return;
	vmt_fmt_shell(&out, word.data);
	for (i = 0; i < out.len; i++) {
		char c = out.data[i];

		if (c == '\'') {
			quoted = !quoted;
		} else if (!quoted && c == '\\') {
			CHECK(++i < out.len);
			vmt_buf_addc(&back, out.data[i]);
		} else {
			CHECK(quoted || !strchr(" \t\n\"$`&|;<>()*?[]#~!{}", c));
			vmt_buf_addc(&back, c);
		}
	}
	CHECK(!quoted);
	CHECK(out.len > 0);
	CHECK(vmt_bytes_equal(bytes_of(&back), vmt_bytes_of(word.data)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vmt_bytes text = fuzz_text(data, size);
	uint32_t c = 0, d = 0;
	size_t n = fuzz_sequence(data, size, &d);

	CHECK(vmt_utf8_take(text, &c) == n);
	CHECK(n == 0 || c == d);
	safe(text);
	xml(text);
	json(text);
	base64(text);
	shell(text);
	return 0;
}
