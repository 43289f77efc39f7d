/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/svg.h"

#include "base/fmt.h"

/*
 * The eight colours of Okabe and Ito, which people with any sort of colour vision tell apart. They
 * stay in the dark; what is not there is the same colour, pale. No colour stands without a letter.
 */
const char vmt_svg_style[] =
	"svg text{font-family:system-ui,'Helvetica Neue',Arial,'DejaVu Sans',sans-serif;"
	"font-size:12px;fill:#1b1b1b}\n"
	"svg .m{font-family:ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;"
	"font-size:11px}\n"
	"svg .big{font-size:16px;font-weight:600}\n"
	"svg .b{font-weight:600}\n"
	"svg .dim{fill:#5f5f5f}\n"
	"svg .r{text-anchor:end}\n"
	"svg .c{text-anchor:middle}\n"
	"svg .n{font-variant-numeric:tabular-nums}\n"
	"svg .ink{fill:#000}\n"
	"svg .paper{fill:#fff}\n"
	"svg .bg{fill:#fff}\n"
	"svg .rule{stroke:#c8c8c8;stroke-width:1}\n"
	"svg .tick{stroke:#8a8a8a;stroke-width:1}\n"
	"svg .gap{stroke:#8a8a8a;stroke-width:1;stroke-dasharray:1 3}\n"
	"svg .hatch{stroke:#1b1b1b;stroke-width:1;fill:none}\n"
	"svg .pale{fill-opacity:.2}\n"
	"svg .edge{stroke:#8a8a8a;stroke-width:1;fill:none}\n"
	"svg .ground{fill-opacity:.1}\n"
	"svg .s1{fill-opacity:.15}\n"
	"svg .s2{fill-opacity:.32}\n"
	"svg .s3{fill-opacity:.52}\n"
	"svg .s4{fill-opacity:.74}\n"
	"svg .heat{fill:#0072b2}\n"
	"svg .cut{stroke:#fff;stroke-width:.6}\n"
	"svg .orange{fill:#e69f00}\n"
	"svg .sky{fill:#56b4e9}\n"
	"svg .green{fill:#009e73}\n"
	"svg .yellow{fill:#f0e442}\n"
	"svg .blue{fill:#0072b2}\n"
	"svg .vermillion{fill:#d55e00}\n"
	"svg .purple{fill:#cc79a7}\n"
	"svg .grey{fill:#999}\n"
	"svg .none{fill:none}\n"
	"@media screen and (prefers-color-scheme:dark){\n"
	"svg text{fill:#e8e8e8}\n"
	"svg .dim{fill:#a9a9a9}\n"
	"svg .ink{fill:#000}\n"
	"svg .paper{fill:#fff}\n"
	"svg .bg{fill:#16181a}\n"
	"svg .rule{stroke:#3c4043}\n"
	"svg .tick{stroke:#7d8185}\n"
	"svg .gap{stroke:#7d8185}\n"
	"svg .edge{stroke:#7d8185}\n"
	"svg .hatch{stroke:#e8e8e8}\n"
	"svg .pale{fill-opacity:.28}\n"
	"svg .heat{fill:#56b4e9}\n"
	"svg .cut{stroke:#16181a}\n"
	"}\n";

/* An id that is one in a page with several pictures: the picture's own, and what it is of. */
static void put_id(struct vmt_xml *x, const char *name, const char *id, const char *what)
{
	VMT_AUTO_BUF text = { 0 };

	vmt_buf_addf(&text, "%s-%s", id, what);
	vmt_xml_attr(x, name, (struct vmt_bytes){ text.data, text.len });
	if (vmt_buf_error(&text) < 0)
		x->out->error = vmt_buf_error(&text);
}

void vmt_svg_begin(struct vmt_xml *x, const struct vmt_svg_head *head)
{
	int64_t height = (head->height + 9) / 10 * 10;
	int margin = head->alone ? VMT_SVG_MARGIN : 0;
	VMT_AUTO_BUF text = { 0 };

	vmt_xml_open(x, "svg");
	vmt_xml_attrs(x, "xmlns", "http://www.w3.org/2000/svg");
	vmt_buf_addf(&text, "%d %d %d %lld", -margin / 10, -margin / 10,
		     (VMT_SVG_WIDTH + 2 * margin) / 10, (long long)(height + 2 * margin) / 10);
	vmt_xml_attr(x, "viewBox", (struct vmt_bytes){ text.data, text.len });
	vmt_xml_num(x, "width", VMT_SVG_WIDTH + 2 * margin);
	vmt_xml_num(x, "height", height + 2 * margin);
	vmt_xml_attrs(x, "role", "img");
	vmt_buf_next(&text);
	vmt_buf_addf(&text, "%s-title %s-desc", head->id, head->id);
	vmt_xml_attr(x, "aria-labelledby", (struct vmt_bytes){ text.data, text.len });
	vmt_xml_open(x, "title");
	put_id(x, "id", head->id, "title");
	vmt_xml_text(x, head->title);
	vmt_xml_close(x);
	vmt_xml_open(x, "desc");
	put_id(x, "id", head->id, "desc");
	vmt_xml_text(x, head->desc);
	vmt_xml_close(x);
	if (head->alone) {
		vmt_xml_open(x, "style");
		vmt_xml_constant(x, vmt_svg_style);
		vmt_xml_close(x);
		vmt_svg_rect(x, "bg", -margin, -margin, VMT_SVG_WIDTH + 2 * margin,
			     height + 2 * margin, (struct vmt_bytes){ 0 });
	}
	if (vmt_buf_error(&text) < 0)
		x->out->error = vmt_buf_error(&text);
}

void vmt_svg_end(struct vmt_xml *x)
{
	vmt_xml_close(x);
}

void vmt_svg_rect(struct vmt_xml *x, const char *class, int64_t left, int64_t top, int64_t width,
		  int64_t height, struct vmt_bytes title)
{
	vmt_xml_open(x, "rect");
	vmt_xml_attrs(x, "class", class);
	vmt_xml_num(x, "x", left);
	vmt_xml_num(x, "y", top);
	vmt_xml_num(x, "width", width < 0 ? 0 : width);
	vmt_xml_num(x, "height", height < 0 ? 0 : height);
	if (title.len)
		vmt_xml_element(x, "title", NULL, title);
	vmt_xml_close(x);
}

void vmt_svg_line(struct vmt_xml *x, const char *class, int64_t x1, int64_t y1, int64_t x2,
		  int64_t y2)
{
	vmt_xml_open(x, "line");
	vmt_xml_attrs(x, "class", class);
	vmt_xml_num(x, "x1", x1);
	vmt_xml_num(x, "y1", y1);
	vmt_xml_num(x, "x2", x2);
	vmt_xml_num(x, "y2", y2);
	vmt_xml_close(x);
}

void vmt_svg_text(struct vmt_xml *x, const char *class, int64_t left, int64_t y,
		  struct vmt_bytes text)
{
	if (!text.len)
		return;
	vmt_xml_open(x, "text");
	if (*class)
		vmt_xml_attrs(x, "class", class);
	vmt_xml_num(x, "x", left);
	vmt_xml_num(x, "y", y);
	vmt_xml_text(x, text);
	vmt_xml_close(x);
}

void vmt_svg_texts(struct vmt_xml *x, const char *class, int64_t left, int64_t y, const char *text)
{
	vmt_svg_text(x, class, left, y, vmt_bytes_of(text));
}

static void put_tenths(struct vmt_buf *out, int64_t v)
{
	vmt_buf_addu(out, (uint64_t)v / 10);
	if (v % 10)
		vmt_buf_addf(out, ".%u", (unsigned)(v % 10));
}

#define HATCH 50 /* between lines */

void vmt_svg_hatch(struct vmt_xml *x, int64_t left, int64_t top, int64_t width, int64_t height)
{
	int64_t at;
	VMT_AUTO_BUF path = { 0 };

	/* Of the line that meets the bottom at left + at, what is inside. */
	for (at = HATCH - height; at < width; at += HATCH) {
		int64_t from = at < 0 ? -at : 0;
		int64_t to = at + height > width ? width - at : height;

		if (to <= from)
			continue;
		vmt_buf_addc(&path, 'M');
		put_tenths(&path, left + at + from);
		vmt_buf_addc(&path, ' ');
		put_tenths(&path, top + height - from);
		vmt_buf_addc(&path, 'L');
		put_tenths(&path, left + at + to);
		vmt_buf_addc(&path, ' ');
		put_tenths(&path, top + height - to);
	}
	if (path.len) {
		vmt_xml_open(x, "path");
		vmt_xml_attrs(x, "class", "hatch");
		vmt_xml_attr(x, "d", (struct vmt_bytes){ path.data, path.len });
		vmt_xml_close(x);
	}
	if (vmt_buf_error(&path) < 0)
		x->out->error = vmt_buf_error(&path);
}

/* Columns of a character: East Asian and other scripts may take two, which is taken of all. */
static size_t columns_of(uint32_t code)
{
	return code >= 0x1100 ? 2 : 1;
}

static size_t count_columns(struct vmt_bytes text)
{
	size_t sum = 0;

	while (text.len) {
		uint32_t code = 0;
		size_t n = vmt_utf8_take(text, &code);

		n = n ? n : 1;
		sum += columns_of(code);
		text.ptr += n;
		text.len -= n;
	}
	return sum;
}

void vmt_svg_fit(struct vmt_buf *out, struct vmt_bytes text, size_t columns, bool keep_end)
{
	static const char ellipsis[] = "\xe2\x80\xa6";
	VMT_AUTO_BUF safe = { 0 };
	struct vmt_bytes rest;
	size_t has, left = columns ? columns - 1 : 0;

	vmt_fmt_safe(&safe, text, false);
	if (vmt_buf_error(&safe) < 0) {
		out->error = vmt_buf_error(&safe);
		return;
	}
	rest = (struct vmt_bytes){ safe.data, safe.len };
	has = count_columns(rest);
	if (has <= columns) {
		vmt_buf_add(out, rest.ptr, rest.len);
		return;
	}
	if (keep_end)
		vmt_buf_adds(out, ellipsis);
	while (rest.len && (keep_end || left)) {
		uint32_t code = 0;
		size_t n = vmt_utf8_take(rest, &code), width;

		n = n ? n : 1;
		width = columns_of(code);
		if (keep_end) {
			if (has <= left) {
				vmt_buf_add(out, rest.ptr, rest.len);
				return;
			}
			has -= width;
		} else {
			if (width > left)
				break;
			left -= width;
			vmt_buf_add(out, rest.ptr, n);
		}
		rest.ptr += n;
		rest.len -= n;
	}
	if (!keep_end && columns)
		vmt_buf_adds(out, ellipsis);
}

int64_t vmt_svg_part(uint64_t value, uint64_t whole, int64_t width)
{
	return whole ? (int64_t)((unsigned __int128)value * (uint64_t)width / whole) : 0;
}
