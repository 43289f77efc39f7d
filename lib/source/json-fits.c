/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/row-parse.h"

#include <errno.h>

/* Whether json-c would make more of text than there is room for: of "{}" it makes 800 bytes, so
 * that a short file, which is compressed, could ask for gigabytes. */
static bool too_many(struct vmt_bytes text)
{
	size_t objects = 0, values = 0, i;
	bool quoted = false;

	for (i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c == '"')
			quoted = !quoted;
		else if (quoted)
			i += c == '\\';
		else if (c == '{')
			objects++;
		else if (c == ',' || c == '[')
			values++;
	}
	return objects > VMT_JSON_OBJECTS_MAX || values > VMT_JSON_VALUES_MAX;
}

int vmt_json_fits(struct vmt_bytes text, struct vmt_err *err)
{
	if (text.len > VMT_JSON_TEXT_MAX)
		return vmt_err_set(err, -E2BIG, NULL, 0, "more than %zu bytes of JSON",
				   VMT_JSON_TEXT_MAX);
	if (too_many(text))
		return vmt_err_set(err, -E2BIG, NULL, 0,
				   "more than %zu objects or %zu values in JSON",
				   VMT_JSON_OBJECTS_MAX, VMT_JSON_VALUES_MAX);
	return 0;
}
