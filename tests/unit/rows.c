/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rows.h"

#define PAGE UINT64_C(4096)

static bool ends(const char *name, const char *with)
{
	size_t n = strlen(name), m = strlen(with);

	return n > m && strcmp(name + n - m, with) == 0;
}

void unit_row_fill(const struct vmt_entity *e, void *row, uint64_t base)
{
	size_t i;

	for (i = 0; i < e->n_fields; i++) {
		const struct vmt_field *f = &e->fields[i];
		void *at = (char *)row + f->offset;

		if (ends(f->name, "_per_second") || ends(f->name, "_delta_bytes"))
			continue;
		switch (f->type) {
		case VMT_TYPE_STR:
			*(struct vmt_bytes *)at = VMT_BYTES("/x");
			break;
		case VMT_TYPE_BOOL:
			*(bool *)at = i % 2;
			break;
		case VMT_TYPE_HIST:
		case VMT_TYPE_KEYS:
			continue;
		default:
			*(uint64_t *)at = base + i * PAGE;
		}
		vmt_row_mark(row, f->index);
	}
}

void unit_rows_tell(struct vmt_buf *out, const struct vmt_entity *e, const void *rows, size_t n)
{
	size_t i, k;

	for (i = 0; i < n; i++) {
		const char *row = (const char *)rows + i * e->row_size;

		for (k = 0; k < e->n_fields; k++) {
			const struct vmt_field *f = &e->fields[k];
			const struct vmt_bytes *text = vmt_field_at(f, row);

			if (!vmt_row_has((const void *)row, f->index))
				continue;
			vmt_buf_addf(out, "%s %zu %s ", e->name, i, f->name);
			if (f->type == VMT_TYPE_STR || f->type == VMT_TYPE_KEYS)
				vmt_buf_add(out, text->ptr, text->len);
			else if (f->type != VMT_TYPE_HIST)
				vmt_buf_addu(out, vmt_field_number(f, row));
			vmt_buf_addc(out, '\n');
		}
	}
}
