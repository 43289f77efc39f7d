/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/fmt.h"
#include "model/model.h"
#include "view/columns.h"

/* A part of a document, as a command declares it; schema(1) and help are made from these. */
struct vmt_section_def {
	const char *key; /* in data */
	const struct vmt_entity *entity;
	bool single; /* one object, not an array */
	const char *help;
};

/* Rows that have just come, in the order of the document; they end with the call. */
struct vmt_rows {
	const char *lead; /* for text, above a table of their own; NULL: they go on with the last */
	const void *rows; /* n of the entity's rows, one behind the other */
	size_t n;
	/* Of another entity than the section's: lines of their own in ndjson, and nothing in other
	 * formats. NULL for the section's. */
	const struct vmt_entity *entity;
	const char *note; /* for text, below the table, NULL for nothing */
};

/* Puts them out. 0, or a negative errno, with which the rows shall end. */
typedef int vmt_emit_fn(void *ctx, const struct vmt_rows *rows);

/* A part of a document with its rows. */
struct vmt_section {
	const struct vmt_section_def *def;
	const void **rows; /* heap; the rows belong to the model */
	size_t n;
	size_t total; /* rows before --top cut them */
	uint64_t page_size; /* of the machine that the rows are of; 0 where it is unknown */
	struct vmt_columns columns;
	struct vmt_sort sort;
	const char *title; /* heading in text; NULL for none */
	struct vmt_buf note; /* lines below the table in text */
	struct vmt_buf lead; /* lines above its titles title */
	/*
	 * For rows that are not there yet, and shall not all be in memory: calls emit(ctx, ...) as
	 * they come, when the section is due. It may add to the document what stands behind it, and
	 * change the model for that. A negative errno ends the document. A positive result is an
	 * exit code: where no row came, nothing is printed at all, unless it emitted that there
	 * is none (no rows, no note).
	 */
	int (*produce)(void *arg, vmt_emit_fn *emit, void *ctx);
	void *produce_arg;
	bool chosen; /* the user named the columns: all of them are shown */
	bool machine_only; /* not in text */
	struct vmt_proc
		*tree; /* the array of the rows, which are to be a tree of processes; or NULL */
	bool cgroup_tree; /* the rows are to be a tree of cgroups */
	size_t *parents; /* then: the place of each row's parent, or SIZE_MAX; heap */
};

#define VMT_SECTIONS_MAX 16

/* What of a document is put out: in a stream of samples the whole never stands at once. */
enum vmt_doc_part {
	VMT_DOC_WHOLE,
	VMT_DOC_SAMPLE, /* one sample; the first brings the header with it */
	VMT_DOC_END, /* after the last sample; the document still is that one */
};

/* What a command has to say, before it is put into a format. */
struct vmt_doc {
	const char *schema; /* "maps": the document is vmtop.maps */
	const char *version; /* of vmtop */
	const struct vmt_model *model;
	struct vmt_section sections[VMT_SECTIONS_MAX];
	size_t n;
	enum vmt_doc_part part; /* of text, ndjson; the others know whole documents alone */
	uint64_t sample; /* its number, from 1, where part is not VMT_DOC_WHOLE */
	uint64_t missed; /* ticks that no sample was taken for, so far */
	/* Of html and svg: which (bits by enum vmt_picture_id; VMT_PICTURE_GROWTH is the only one
	 * then), and the processes that were named. */
	unsigned pictures;
	const uint64_t *pids;
	size_t n_pids;
};

/* The format version of every document; keys are only added while it stays. */
#define VMT_DOC_VERSION 1

void vmt_doc_done(struct vmt_doc *doc);
/*
 * Adds a section with the default columns and order of its entity. rows is an array of n rows of
 * entity->row_size bytes that outlives the document. NULL on ENOMEM.
 */
struct vmt_section *vmt_doc_add(struct vmt_doc *doc, const struct vmt_section_def *def,
				const void *rows, size_t n);
/* Sorts by s->sort, makes the tree where there is to be one, and keeps the first top rows (0: all).
 * 0 or -ENOMEM. */
int vmt_section_arrange(struct vmt_section *s, size_t top);

struct vmt_out_opts {
	enum vmt_size_unit unit;
	bool ascii; /* nothing above 0x7e */
	bool headings;
	bool raw; /* columns with one blank between, no alignment */
	unsigned width; /* of the terminal; 0 where it is none */
	unsigned indent; /* of JSON */
	bool all_fields; /* machine formats: every field, else only the columns */
};

/* Where output goes: a buffer that is flushed when it is large. */
struct vmt_sink {
	struct vmt_buf buf;
	int fd;
	int error; /* first failure of a write, as negative errno */
	bool used; /* something was written */
	/* Of a stream that waits for its reader and for other things: vmt_sink_flush() writes
	 * nothing, and who waits calls vmt_sink_write(). */
	bool held;
	size_t done; /* bytes of the buffer that vmt_sink_write() has written */
	/* 0: whoever reads is waited for. Else where it takes nothing for so long: -ETIMEDOUT. */
	unsigned patience_ms;
};

void vmt_sink_done(struct vmt_sink *sink);
/* Writes what the buffer holds if it is larger than least bytes. 0 or a negative errno, which
 * stays. */
int vmt_sink_flush(struct vmt_sink *sink, size_t least);
/* The same for who asks after each of many rows. */
static inline int vmt_sink_flush_rows(struct vmt_sink *sink)
{
	const size_t least = 65536;

	return sink->buf.len <= least && !sink->buf.error ? sink->error
							  : vmt_sink_flush(sink, least);
}
/* What is still to be written. */
static inline size_t vmt_sink_rest(const struct vmt_sink *sink)
{
	return sink->buf.len - sink->done;
}
/*
 * Writes as much as does not block where poll(2) has just said POLLOUT: PIPE_BUF bytes, of which a
 * pipe has room then. 0 or a negative errno, which stays.
 */
int vmt_sink_write(struct vmt_sink *sink);

/* A format. */
struct vmt_output {
	const char *name;
	const char *help;
	const struct vmt_entity *const *only; /* what it is for: rows of these entities, NULL at the
					       * end; NULL for all */
	const char *const *commands; /* that have it, NULL at the end; NULL for all */
	/* 0, a negative errno, or what produce() of a section returned. */
	int (*emit)(struct vmt_sink *sink, const struct vmt_doc *doc,
		    const struct vmt_out_opts *opts);
};

/* NULL-named at the end. */
extern const struct vmt_output vmt_outputs[];
const struct vmt_output *vmt_output_find(const char *name);

int vmt_out_text(struct vmt_sink *sink, const struct vmt_doc *doc, const struct vmt_out_opts *opts);
int vmt_out_json(struct vmt_sink *sink, const struct vmt_doc *doc, const struct vmt_out_opts *opts);
int vmt_out_ndjson(struct vmt_sink *sink, const struct vmt_doc *doc,
		   const struct vmt_out_opts *opts);
int vmt_out_folded(struct vmt_sink *sink, const struct vmt_doc *doc,
		   const struct vmt_out_opts *opts);
int vmt_out_html(struct vmt_sink *sink, const struct vmt_doc *doc, const struct vmt_out_opts *opts);
int vmt_out_svg(struct vmt_sink *sink, const struct vmt_doc *doc, const struct vmt_out_opts *opts);
int vmt_out_csv(struct vmt_sink *sink, const struct vmt_doc *doc, const struct vmt_out_opts *opts);

/* A value as text of a table; "-" where it is unknown. */
void vmt_cell_text(struct vmt_buf *out, const struct vmt_field *f, const void *row,
		   const struct vmt_out_opts *opts, uint64_t page_size);
