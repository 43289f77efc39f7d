/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/json.h"

#include <errno.h>
#include <inttypes.h>

#include "base/fmt.h"

const unsigned char vmt_json_plain[256] = {
	[' ' ... '"' - 1] = 1,
	['"' + 1 ... '\\' - 1] = 1,
	['\\' + 1 ... '~'] = 1,
};

void vmt_json_init(struct vmt_json *j, struct vmt_buf *out, unsigned indent)
{
	*j = (struct vmt_json){ .out = out, .indent = indent };
}

static void newline(struct vmt_json *j)
{
	unsigned i;

	if (!j->indent)
		return;
	vmt_buf_addc(j->out, '\n');
	for (i = 0; i < j->depth * j->indent; i++)
		vmt_buf_addc(j->out, ' ');
}

/* What stands before a value: nothing behind a key, else a comma and a new line. */
static bool before_value(struct vmt_json *j)
{
	if (j->error)
		return false;
	if (j->key) {
		j->key = false;
		return true;
	}
	if (j->depth == 0)
		return true;
	if (j->object[j->depth]) {
		j->error = -EINVAL;
		return false;
	}
	if (j->any[j->depth])
		vmt_buf_addc(j->out, ',');
	j->any[j->depth] = true;
	newline(j);
	return true;
}

static void escaped(struct vmt_buf *out, uint32_t code)
{
	if (code > 0xffff) {
		code -= 0x10000;
		vmt_buf_addf(out, "\\u%04x\\u%04x", 0xd800 + (unsigned)(code >> 10),
			     0xdc00 + (unsigned)(code & 0x3ff));
	} else {
		vmt_buf_addf(out, "\\u%04x", (unsigned)code);
	}
}

/* How many bytes at the beginning stand for themselves. */
static size_t plain(struct vmt_bytes text)
{
	size_t n = 0;

	while (n < text.len && vmt_json_is_plain((unsigned char)text.ptr[n]))
		n++;
	return n;
}

bool vmt_json_quote(struct vmt_buf *out, struct vmt_bytes text)
{
	bool lossy = false;

	vmt_buf_addc(out, '"');
	while (text.len) {
		uint32_t code = 0;
		size_t n = plain(text);

		if (n) {
			vmt_buf_add(out, text.ptr, n);
			text.ptr += n;
			text.len -= n;
			continue;
		}
		n = vmt_utf8_take(text, &code);
		if (n == 0) {
			vmt_buf_adds(out, "\xef\xbf\xbd");
			lossy = true;
			n = 1;
		} else if (code == '"' || code == '\\') {
			vmt_buf_addc(out, '\\');
			vmt_buf_addc(out, (char)code);
		} else if (code == '\n') {
			vmt_buf_adds(out, "\\n");
		} else if (code == '\t') {
			vmt_buf_adds(out, "\\t");
		} else if (vmt_fmt_is_unsafe(code)) {
			/* Legal in JSON for the most part; escaped all the same, as documents are
			 * looked at on terminals. */
			escaped(out, code);
		} else {
			vmt_buf_add(out, text.ptr, n);
		}
		text.ptr += n;
		text.len -= n;
	}
	vmt_buf_addc(out, '"');
	return lossy;
}

bool vmt_json_value(struct vmt_json *j)
{
	return before_value(j);
}

void vmt_json_key(struct vmt_json *j, const char *key)
{
	if (j->error)
		return;
	if (j->depth == 0 || !j->object[j->depth] || j->key) {
		j->error = -EINVAL;
		return;
	}
	if (j->any[j->depth])
		vmt_buf_addc(j->out, ',');
	j->any[j->depth] = true;
	newline(j);
	vmt_json_quote(j->out, vmt_bytes_of(key));
	vmt_buf_adds(j->out, j->indent ? ": " : ":");
	j->key = true;
}

static void open_level(struct vmt_json *j, bool object)
{
	if (!before_value(j))
		return;
	if (j->depth + 1 >= VMT_ARRAY_LEN(j->any)) {
		j->error = -EINVAL;
		return;
	}
	j->depth++;
	j->any[j->depth] = false;
	j->object[j->depth] = object;
	vmt_buf_addc(j->out, object ? '{' : '[');
}

static void close_level(struct vmt_json *j, bool object)
{
	bool any;

	if (j->error)
		return;
	if (j->depth == 0 || j->object[j->depth] != object || j->key) {
		j->error = -EINVAL;
		return;
	}
	any = j->any[j->depth];
	j->depth--;
	if (any)
		newline(j);
	vmt_buf_addc(j->out, object ? '}' : ']');
}

void vmt_json_object(struct vmt_json *j)
{
	open_level(j, true);
}

void vmt_json_object_end(struct vmt_json *j)
{
	close_level(j, true);
}

void vmt_json_array(struct vmt_json *j)
{
	open_level(j, false);
}

void vmt_json_array_end(struct vmt_json *j)
{
	close_level(j, false);
}

void vmt_json_u64(struct vmt_json *j, uint64_t v)
{
	if (before_value(j))
		vmt_buf_addu(j->out, v);
}

void vmt_json_i64(struct vmt_json *j, int64_t v)
{
	if (before_value(j))
		vmt_buf_addf(j->out, "%" PRId64, v);
}

void vmt_json_bool(struct vmt_json *j, bool v)
{
	if (before_value(j))
		vmt_buf_adds(j->out, v ? "true" : "false");
}

void vmt_json_null(struct vmt_json *j)
{
	if (before_value(j))
		vmt_buf_adds(j->out, "null");
}

void vmt_json_hex(struct vmt_json *j, uint64_t v)
{
	if (before_value(j))
		vmt_buf_addf(j->out, "\"0x%" PRIx64 "\"", v);
}

void vmt_json_milli(struct vmt_json *j, uint64_t v)
{
	if (before_value(j))
		vmt_buf_addf(j->out, "%" PRIu64 ".%03u", v / 1000, (unsigned)(v % 1000));
}

void vmt_json_str(struct vmt_json *j, const char *s)
{
	if (before_value(j))
		vmt_json_quote(j->out, vmt_bytes_of(s));
}

bool vmt_json_bytes(struct vmt_json *j, struct vmt_bytes text)
{
	return before_value(j) && vmt_json_quote(j->out, text);
}

void vmt_json_base64(struct vmt_json *j, struct vmt_bytes data)
{
	if (before_value(j))
		vmt_json_quote_base64(j->out, data);
}

void vmt_json_quote_base64(struct vmt_buf *out, struct vmt_bytes data)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789+/";
	const unsigned char *p = (const unsigned char *)data.ptr;
	size_t i;

	vmt_buf_addc(out, '"');
	for (i = 0; i < data.len; i += 3) {
		size_t left = data.len - i;
		uint32_t v = (uint32_t)p[i] << 16 | (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) |
			     (left > 2 ? p[i + 2] : 0);
		char quad[4] = { digits[v >> 18], digits[v >> 12 & 63],
				 left > 1 ? digits[v >> 6 & 63] : '=',
				 left > 2 ? digits[v & 63] : '=' };

		vmt_buf_add(out, quad, sizeof(quad));
	}
	vmt_buf_addc(out, '"');
}

int vmt_json_finish(struct vmt_json *j)
{
	if (!j->error && (j->depth || j->key))
		j->error = -EINVAL;
	return j->error ? j->error : vmt_buf_error(j->out);
}
