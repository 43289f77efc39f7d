/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "view/doc.h"

/*
 * Stacks as tools for flame graphs read them: the process and the frames with ; between, a blank
 * and the count. Lines of several processes with one name are one. Text of the kernel is escaped as
 * it is for a terminal, so that a newline in it makes no line.
 */

struct line {
	struct vmt_bytes text;
	uint64_t count;
};

static int by_text(const void *pa, const void *pb)
{
	const struct line *a = pa, *b = pb;

	return vmt_bytes_compare(a->text, b->text);
}

static struct vmt_bytes text_of(struct vmt_arena *arena, const struct vmt_stack *row, bool ascii)
{
	VMT_AUTO_BUF text = { 0 };
	char *copy;
	size_t i;

	vmt_fmt_safe(&text, VMT_HAS(stack, comm, row) ? row->comm : VMT_BYTES("[unknown]"), ascii);
	/* In the frames there is none but those between. */
	for (i = 0; i < text.len; i++)
		if (text.data[i] == ';')
			text.data[i] = ':';
	vmt_buf_addc(&text, ';');
	vmt_fmt_safe(&text, VMT_HAS(stack, stack, row) ? row->stack : VMT_BYTES("[unknown]"),
		     ascii);
	if (vmt_buf_error(&text) < 0)
		return (struct vmt_bytes){ 0 };
	copy = vmt_arena_copy(arena, text.data, text.len);
	return (struct vmt_bytes){ copy, copy ? text.len : 0 };
}

static int emit(struct vmt_sink *sink, struct vmt_arena *arena, const struct vmt_section *s,
		bool ascii)
{
	struct line *lines = vmt_arena_alloc(arena, s->n ? s->n : 1, sizeof(*lines));
	size_t i, k;
	int r = 0;

	if (!lines)
		return -ENOMEM;
	for (i = 0; i < s->n; i++) {
		const struct vmt_stack *row = s->rows[i];

		lines[i].text = text_of(arena, row, ascii);
		lines[i].count = row->faults_total;
		if (!lines[i].text.ptr)
			return -ENOMEM;
	}
	if (s->n)
		qsort(lines, s->n, sizeof(*lines), by_text);
	for (i = 0; i < s->n && r == 0; i = k) {
		uint64_t sum = lines[i].count;

		for (k = i + 1; k < s->n && by_text(&lines[i], &lines[k]) == 0; k++)
			sum += lines[k].count;
		vmt_buf_add(&sink->buf, lines[i].text.ptr, lines[i].text.len);
		vmt_buf_addf(&sink->buf, " %" PRIu64 "\n", sum);
		r = vmt_sink_flush(sink, 65536);
	}
	return r;
}

int vmt_out_folded(struct vmt_sink *sink, const struct vmt_doc *doc,
		   const struct vmt_out_opts *opts)
{
	VMT_CLEANUP(vmt_arena_done) struct vmt_arena arena;
	size_t i;

	vmt_arena_init(&arena);
	for (i = 0; i < doc->n; i++)
		if (doc->sections[i].def->entity == &vmt_entity_stack)
			return emit(sink, &arena, &doc->sections[i], opts->ascii);
	return 0;
}
