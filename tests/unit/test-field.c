/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <stdlib.h>

#include "model/field.h"

/* The first byte behind a field that may be another's. */
static size_t end_of(const struct vmt_entity *entity, const struct vmt_field *f)
{
	size_t i, end = entity->row_size;

	for (i = 0; i < entity->n_fields; i++)
		if (entity->fields[i].offset > f->offset && entity->fields[i].offset < end)
			end = entity->fields[i].offset;
	return end;
}

static void copy_one(const struct vmt_entity *entity, const struct vmt_field *f)
{
	unsigned char *from = calloc(1, entity->row_size), *to = malloc(entity->row_size);
	size_t i, n = 0, end = end_of(entity, f);

	assert_non_null(from);
	assert_non_null(to);
	memset(to, 0xff, entity->row_size);
	memset(to, 0, sizeof(struct vmt_row));
	vmt_row_mark((struct vmt_row *)from, f->index);
	vmt_field_copy(f, to, from);
	assert_memory_equal(to, from, sizeof(struct vmt_row));
	for (i = sizeof(struct vmt_row); i < entity->row_size; i++) {
		if (to[i] == 0xff)
			continue;
		assert_true(i >= f->offset && i < end);
		n++;
	}
	assert_int_equal(n, f->type == VMT_TYPE_BOOL   ? sizeof(bool)
			    : f->type == VMT_TYPE_HIST ? sizeof(struct vmt_hist)
			    : vmt_field_is_text(f)     ? sizeof(struct vmt_bytes)
						       : sizeof(uint64_t));
	free(from);
	free(to);
}

/* Each field of each entity: all of it is copied, and nothing beside it. */
static void test_copy(void **state)
{
	size_t i, k;

	for (i = 0; vmt_entities[i]; i++)
		for (k = 0; k < vmt_entities[i]->n_fields; k++)
			copy_one(vmt_entities[i], &vmt_entities[i]->fields[k]);
}

/* Names and titles are found whatever their case, and only as a whole. */
static void test_find(void **state)
{
	const struct vmt_entity *proc = &vmt_entity_proc;
	const struct vmt_field *f = &proc->fields[VMT_FIELD_proc_rss_bytes];

	assert_ptr_equal(vmt_field_find(proc, VMT_BYTES("rss_bytes")), f);
	assert_ptr_equal(vmt_field_find(proc, VMT_BYTES("RSS_Bytes")), f);
	assert_ptr_equal(vmt_field_find(proc, vmt_bytes_of(f->title)), f);
	assert_null(vmt_field_find(proc, VMT_BYTES("rss_byte")));
	assert_null(vmt_field_find(proc, VMT_BYTES("rss_bytes_")));
	assert_null(vmt_field_find(proc, VMT_BYTES("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
