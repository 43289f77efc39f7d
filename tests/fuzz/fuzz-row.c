/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A row of a document or recording, as JSON; the first byte says of which entity. What was read is
 * written, and read again: it is the same then. */
#include "fuzz.h"

#include <json-c/json.h>

#include "source/row-parse.h"
#include "view/row-json.h"

static bool read_row(const struct vmt_entity *e, struct vmt_bytes text, struct vmt_arena *a,
		     void *row)
{
	struct json_object *o = NULL;
	struct vmt_err err = { 0 };
	uint64_t unknown = 0;
	int r = vmt_json_parse(text, &o, &err);

	if (r == 0)
		r = vmt_row_parse(e, o, a, row, &unknown, &err);
	CHECK(r == 0 || (r == -EINVAL && err.text[0]));
	CHECK(unknown <= text.len);
	json_object_put(o);
	return r == 0;
}

static void write_row(const struct vmt_entity *e, const void *row, struct vmt_buf *out)
{
	const struct vmt_field *all[VMT_ROW_WORDS * 64];
	struct vmt_row_json plan;
	size_t i;

	for (i = 0; i < e->n_fields; i++)
		all[i] = &e->fields[i];
	CHECK(vmt_row_json_init(&plan, all, e->n_fields, 0, 1, false) == 0);
	vmt_row_json_put(&plan, out, row);
	CHECK(vmt_buf_error(out) == 0);
	vmt_row_json_done(&plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	VMT_CLEANUP(vmt_arena_done) struct vmt_arena a = { 0 };
	VMT_AUTO_BUF once = { 0 }, twice = { 0 };
	const struct vmt_entity *e;
	size_t n = 0, choice = fuzz_choice(&data, &size);
	void *row, *again;

	while (vmt_entities[n])
		n++;
	e = vmt_entities[choice % n];
	row = vmt_arena_alloc(&a, 1, e->row_size);
	again = vmt_arena_alloc(&a, 1, e->row_size);
	if (!read_row(e, fuzz_text(data, size), &a, row))
		return 0;
	write_row(e, row, &once);
	CHECK(read_row(e, (struct vmt_bytes){ once.data, once.len }, &a, again));
	write_row(e, again, &twice);
	CHECK(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
	return 0;
}
