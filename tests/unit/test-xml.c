/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fmt.h"
#include "view/svg.h"

/* What an XML parser makes of references; false where one is none, or markup is in the text. */
static bool parse(struct vmt_bytes text, struct vmt_buf *out)
{
	static const struct {
		const char *ref;
		char c;
	} named[] = { { "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' }, { "&quot;", '"' } };
	size_t i, k;

	for (i = 0; i < text.len;) {
		unsigned char c = (unsigned char)text.ptr[i];
		char *end;
		unsigned long code;

		if (c < 0x20 || c > 0x7e || strchr("<>\"'", c))
			return false;
		if (c != '&') {
			vmt_buf_addc(out, (char)c);
			i++;
			continue;
		}
		for (k = 0; k < VMT_ARRAY_LEN(named); k++)
			if (strncmp(text.ptr + i, named[k].ref, strlen(named[k].ref)) == 0)
				break;
		if (k < VMT_ARRAY_LEN(named)) {
			vmt_buf_addc(out, named[k].c);
			i += strlen(named[k].ref);
			continue;
		}
		if (text.ptr[i + 1] != '#')
			return false;
		code = text.ptr[i + 2] == 'x' ? strtoul(text.ptr + i + 3, &end, 16)
					      : strtoul(text.ptr + i + 2, &end, 10);
		/* Char of XML 1.0. */
		if (*end != ';' || (code < 0x20) || (code >= 0xd800 && code < 0xe000) ||
		    code == 0xfffe || code == 0xffff || code > 0x10ffff)
			return false;
		if (code < 0x80) {
			vmt_buf_addc(out, (char)code);
		} else if (code < 0x800) {
			vmt_buf_addc(out, (char)(0xc0 | code >> 6));
			vmt_buf_addc(out, (char)(0x80 | (code & 0x3f)));
		} else if (code < 0x10000) {
			vmt_buf_addc(out, (char)(0xe0 | code >> 12));
			vmt_buf_addc(out, (char)(0x80 | (code >> 6 & 0x3f)));
			vmt_buf_addc(out, (char)(0x80 | (code & 0x3f)));
		} else {
			vmt_buf_addc(out, (char)(0xf0 | code >> 18));
			vmt_buf_addc(out, (char)(0x80 | (code >> 12 & 0x3f)));
			vmt_buf_addc(out, (char)(0x80 | (code >> 6 & 0x3f)));
			vmt_buf_addc(out, (char)(0x80 | (code & 0x3f)));
		}
		i = (size_t)(end + 1 - text.ptr);
	}
	return true;
}

static void check_escape(struct vmt_bytes text)
{
	VMT_AUTO_BUF out = { 0 }, back = { 0 }, safe = { 0 };

	vmt_xml_escape(&out, text);
	vmt_fmt_safe(&safe, text, false);
	assert_int_equal(vmt_buf_error(&out), 0);
	assert_true(parse((struct vmt_bytes){ out.data, out.len }, &back));
	assert_int_equal(back.len, safe.len);
	if (safe.len)
		assert_memory_equal(back.data, safe.data, safe.len);
}

/* Each byte, each pair, and what is long and mixed: well-formed, and the text that was made safe.
 */
static void any_bytes(void **state)
{
	uint32_t seed = 7;
	char bytes[64];
	int i, k;

	for (i = 0; i < 256; i++)
		for (k = 0; k < 256; k++) {
			char pair[] = { (char)i, (char)k };

			check_escape((struct vmt_bytes){ pair, 2 });
		}
	for (i = 0; i < 20000; i++) {
		for (k = 0; k < (int)sizeof(bytes); k++) {
			seed = seed * 1664525 + 1013904223;
			/* Leading bytes and their followers come together more often than by
			 * chance. */
			bytes[k] = (char)(seed >> 28 < 6 ? 0x80 | (seed >> 24 & 0x7f) : seed >> 20);
		}
		check_escape((struct vmt_bytes){ bytes, sizeof(bytes) });
	}
}

static void hostile_names(void **state)
{
	VMT_AUTO_BUF out = { 0 };

	vmt_xml_escape(&out, VMT_BYTES("</title><script>alert('x')</script>&#60;\"\x01\n"));
	assert_buf(&out, "&lt;/title&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;#60;"
			 "&quot;\\x01\\x0a");
	vmt_buf_clear(&out);
	/* What turns the text around, hides it, or is no character of XML. */
	vmt_xml_escape(&out, VMT_BYTES("a\xe2\x80\xae"
				       "b\xe2\x80\x8b\xef\xbf\xbf\xed\xa0\x80\xff"));
	assert_buf(&out, "a\\xe2\\x80\\xaeb\\xe2\\x80\\x8b\\xef\\xbf\\xbf\\xed\\xa0\\x80\\xff");
	vmt_buf_clear(&out);
	vmt_xml_escape(&out, VMT_BYTES("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"));
	assert_buf(&out, "&#xE9;&#x20AC;&#x1F600;");
}

static void elements(void **state)
{
	VMT_AUTO_BUF out = { 0 };
	struct vmt_xml x;

	vmt_xml_init(&x, &out);
	vmt_xml_open(&x, "p");
	vmt_xml_attrs(&x, "class", "a\"b");
	vmt_xml_num(&x, "x", 125);
	vmt_xml_num(&x, "y", -5);
	vmt_xml_num(&x, "z", INT64_MIN);
	vmt_xml_element(&x, "td", NULL, (struct vmt_bytes){ 0 });
	vmt_xml_open(&x, "br");
	vmt_xml_close(&x);
	vmt_xml_texts(&x, "1 < 2");
	vmt_xml_close(&x);
	assert_int_equal(vmt_xml_finish(&x), 0);
	assert_buf(&out, "<p class=\"a&quot;b\" x=\"12.5\" y=\"-0.5\" z=\"-922337203685477580.8\">"
			 "<td></td><br/>\n1 &lt; 2</p>\n");
}

/* What does not nest is told, and is no output that looks as if it did. */
static void misuse(void **state)
{
	VMT_AUTO_BUF out = { 0 };
	struct vmt_xml x;
	int i;

	vmt_xml_init(&x, &out);
	vmt_xml_open(&x, "p");
	assert_int_equal(vmt_xml_finish(&x), -EINVAL);
	vmt_xml_init(&x, &out);
	vmt_xml_close(&x);
	assert_int_equal(vmt_xml_finish(&x), -EINVAL);
	vmt_xml_init(&x, &out);
	vmt_xml_open(&x, "p");
	vmt_xml_texts(&x, "text");
	vmt_xml_attrs(&x, "class", "late");
	vmt_xml_close(&x);
	assert_int_equal(vmt_xml_finish(&x), -EINVAL);
	vmt_xml_init(&x, &out);
	vmt_xml_open(&x, "style");
	vmt_xml_constant(&x, "</style>");
	vmt_xml_close(&x);
	assert_int_equal(vmt_xml_finish(&x), -EINVAL);
	vmt_xml_init(&x, &out);
	for (i = 0; i < VMT_XML_DEPTH + 1; i++)
		vmt_xml_open(&x, "g");
	for (i = 0; i < VMT_XML_DEPTH + 1; i++)
		vmt_xml_close(&x);
	assert_int_equal(vmt_xml_finish(&x), -EINVAL);
}

static void fitted(const char *text, size_t columns, bool keep_end, const char *wanted)
{
	VMT_AUTO_BUF out = { 0 };

	vmt_svg_fit(&out, vmt_bytes_of(text), columns, keep_end);
	assert_buf(&out, wanted);
}

static void fit(void **state)
{
	fitted("/usr/lib/libc.so", 16, true, "/usr/lib/libc.so");
	fitted("/usr/lib/libc.so", 8, true,
	       "\xe2\x80\xa6"
	       "libc.so");
	fitted("/usr/lib/libc.so", 8, false, "/usr/li\xe2\x80\xa6");
	fitted("a\n", 5, false, "a\\x0a");
	fitted("a\n", 4, false, "a\\x\xe2\x80\xa6");
	/* Of two columns each. */
	fitted("\xe4\xb8\xad\xe6\x96\x87", 4, false, "\xe4\xb8\xad\xe6\x96\x87");
	fitted("\xe4\xb8\xad\xe6\x96\x87", 3, false, "\xe4\xb8\xad\xe2\x80\xa6");
	fitted("\xe4\xb8\xad\xe6\x96\x87", 3, true, "\xe2\x80\xa6\xe6\x96\x87");
	fitted("", 3, true, "");
	fitted("abc", 0, false, "");
}

static void part(void **state)
{
	assert_int_equal(vmt_svg_part(UINT64_MAX, UINT64_MAX, 9600), 9600);
	assert_int_equal(vmt_svg_part(1, 3, 9600), 3200);
	assert_int_equal(vmt_svg_part(5, 0, 9600), 0);
}

static int write_all(void *arg)
{
	VMT_AUTO_BUF out = { 0 };
	struct vmt_svg_head head = { .id = "a", .height = 100, .alone = true };
	struct vmt_xml x;

	vmt_xml_init(&x, &out);
	vmt_svg_begin(&x, &head);
	vmt_svg_hatch(&x, 0, 0, 100, 100);
	vmt_svg_texts(&x, "b", 0, 0, "text");
	vmt_svg_end(&x);
	return vmt_xml_finish(&x);
}

static void without_memory(void **state)
{
	assert_true(unit_alloc_sweep(write_all, NULL) > 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_bytes),
		cmocka_unit_test(hostile_names),
		cmocka_unit_test(elements),
		cmocka_unit_test(misuse),
		cmocka_unit_test(fit),
		cmocka_unit_test(part),
		cmocka_unit_test(without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
