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

/* What a row of an entity with stacks has for a line; comm and stack are empty where they are not
 * known. */
struct stack {
	struct vmt_bytes comm;
	struct vmt_bytes frames;
	uint64_t count; /* faults, or events */
};

static struct stack of_fault(const struct vmt_stack *row)
{
	return (struct stack){
		.comm = VMT_HAS(stack, comm, row) ? row->comm : (struct vmt_bytes){ 0 },
		.frames = VMT_HAS(stack, stack, row) ? row->stack : (struct vmt_bytes){ 0 },
		.count = row->faults_total,
	};
}

static struct stack of_event(const struct vmt_event_site *row)
{
	return (struct stack){
		.comm = VMT_HAS(event_site, comm, row) ? row->comm : (struct vmt_bytes){ 0 },
		.frames = VMT_HAS(event_site, stack, row) ? row->stack : (struct vmt_bytes){ 0 },
		.count = row->events_total,
	};
}

static void add_safe(struct vmt_buf *out, struct vmt_bytes text, bool ascii)
{
	vmt_fmt_safe(out, text.len ? text : VMT_BYTES("[unknown]"), ascii);
}

static struct vmt_bytes text_of(struct vmt_arena *arena, const struct stack *s, bool ascii)
{
	VMT_AUTO_BUF text = { 0 };
	char *copy;
	size_t i;

	add_safe(&text, s->comm, ascii);
	/* In the frames there is none but those between. */
	for (i = 0; i < text.len; i++)
		if (text.data[i] == ';')
			text.data[i] = ':';
	vmt_buf_addc(&text, ';');
	add_safe(&text, s->frames, ascii);
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
		struct stack stack = s->def->entity == &vmt_entity_stack ? of_fault(s->rows[i])
									 : of_event(s->rows[i]);

		lines[i].text = text_of(arena, &stack, ascii);
		lines[i].count = stack.count;
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
		if (doc->sections[i].def->entity == &vmt_entity_stack ||
		    doc->sections[i].def->entity == &vmt_entity_event_site)
			return emit(sink, &arena, &doc->sections[i], opts->ascii);
	return 0;
}
