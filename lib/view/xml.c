/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/xml.h"

#include <errno.h>

#include "base/fmt.h"

void vmt_xml_init(struct vmt_xml *x, struct vmt_buf *out)
{
	*x = (struct vmt_xml){ .out = out };
}

int vmt_xml_finish(struct vmt_xml *x)
{
	if (x->depth && !x->error)
		x->error = -EINVAL;
	return vmt_buf_error(x->out) ?: x->error;
}

void vmt_xml_escape(struct vmt_buf *out, struct vmt_bytes text)
{
	VMT_AUTO_BUF safe = { 0 };
	struct vmt_bytes rest;

	vmt_fmt_safe(&safe, text, false);
	if (vmt_buf_error(&safe) < 0) {
		out->error = vmt_buf_error(&safe);
		return;
	}
	rest = (struct vmt_bytes){ safe.data, safe.len };
	while (rest.len) {
		uint32_t code = 0;
		size_t n = vmt_utf8_take(rest, &code);

		switch (code) {
		case '&':
			vmt_buf_adds(out, "&amp;");
			break;
		case '<':
			vmt_buf_adds(out, "&lt;");
			break;
		case '>':
			vmt_buf_adds(out, "&gt;");
			break;
		case '"':
			vmt_buf_adds(out, "&quot;");
			break;
		case '\'':
			vmt_buf_adds(out, "&#39;");
			break;
		default:
			if (code < 0x7f)
				vmt_buf_addc(out, (char)code);
			else
				vmt_buf_addf(out, "&#x%X;", (unsigned)code);
		}
		/* vmt_fmt_safe() leaves nothing that is no UTF-8. */
		n = n ? n : 1;
		rest.ptr += n;
		rest.len -= n;
	}
}

static void end_tag(struct vmt_xml *x)
{
	if (x->in_tag)
		vmt_buf_addc(x->out, '>');
	x->in_tag = false;
}

static bool misused(struct vmt_xml *x, bool wrong)
{
	if (wrong && !x->error)
		x->error = -EINVAL;
	return x->error != 0;
}

void vmt_xml_open(struct vmt_xml *x, const char *name)
{
	if (misused(x, x->depth == VMT_XML_DEPTH))
		return;
	end_tag(x);
	vmt_buf_addc(x->out, '<');
	vmt_buf_adds(x->out, name);
	x->open[x->depth++] = name;
	x->in_tag = true;
}

static void begin_value(struct vmt_xml *x, const char *name)
{
	vmt_buf_addc(x->out, ' ');
	vmt_buf_adds(x->out, name);
	vmt_buf_adds(x->out, "=\"");
}

void vmt_xml_attr(struct vmt_xml *x, const char *name, struct vmt_bytes value)
{
	if (misused(x, !x->in_tag))
		return;
	begin_value(x, name);
	vmt_xml_escape(x->out, value);
	vmt_buf_addc(x->out, '"');
}

void vmt_xml_num(struct vmt_xml *x, const char *name, int64_t tenths)
{
	uint64_t v = tenths < 0 ? 0 - (uint64_t)tenths : (uint64_t)tenths;

	if (misused(x, !x->in_tag))
		return;
	begin_value(x, name);
	if (tenths < 0)
		vmt_buf_addc(x->out, '-');
	vmt_buf_addu(x->out, v / 10);
	if (v % 10) {
		vmt_buf_addc(x->out, '.');
		vmt_buf_addu(x->out, v % 10);
	}
	vmt_buf_addc(x->out, '"');
}

/* Elements that HTML closes in their tag; and shapes, which nothing stands in when they are empty.
 */
static bool closes_itself(const char *name)
{
	static const char *const names[] = { "meta", "br", "hr", "rect", "line", "path" };
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

void vmt_xml_close(struct vmt_xml *x)
{
	const char *name;

	if (misused(x, x->depth == 0))
		return;
	name = x->open[--x->depth];
	if (x->in_tag && closes_itself(name)) {
		vmt_buf_adds(x->out, "/>");
		x->in_tag = false;
	} else {
		end_tag(x);
		vmt_buf_adds(x->out, "</");
		vmt_buf_adds(x->out, name);
		vmt_buf_addc(x->out, '>');
	}
	/* Lines that a person can find a thing in. */
	if (strcmp(name, "title") != 0 && strcmp(name, "td") != 0 && strcmp(name, "tspan") != 0)
		vmt_buf_addc(x->out, '\n');
}

void vmt_xml_text(struct vmt_xml *x, struct vmt_bytes text)
{
	if (misused(x, x->depth == 0))
		return;
	end_tag(x);
	vmt_xml_escape(x->out, text);
}

void vmt_xml_constant(struct vmt_xml *x, const char *text)
{
	if (misused(x, x->depth == 0 || strpbrk(text, "<&") != NULL))
		return;
	end_tag(x);
	vmt_buf_adds(x->out, text);
}

void vmt_xml_element(struct vmt_xml *x, const char *name, const char *class, struct vmt_bytes text)
{
	vmt_xml_open(x, name);
	if (class)
		vmt_xml_attrs(x, "class", class);
	if (text.len)
		vmt_xml_text(x, text);
	vmt_xml_close(x);
}
