/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/sample.h"

/* Of the format. A reader takes what has its number, whatever minor is. */
#define VMT_RECORDING_VERSION 2
#define VMT_RECORDING_MINOR   2

/*
 * What of a sample a recording keeps, beside the mappings of chosen processes: parts, each of them
 * rows of one kind. The writer and the reader of vmtop-recording(5) go by this table.
 */
enum vmt_recorded_id {
	VMT_RECORDED_SYSTEM,
	VMT_RECORDED_COMMIT,
	VMT_RECORDED_PRESSURE,
	VMT_RECORDED_PROCS,
	VMT_RECORDED_ZONES,
	VMT_RECORDED_ORDERS,
	VMT_RECORDED_ISSUES,
	VMT_RECORDED_PROBE,
	VMT_RECORDED_FAULTS,
	VMT_RECORDED_BALANCE,
	VMT_RECORDED_EVENTS,
	VMT_RECORDED_GAPS,
	VMT_RECORDED_COUNT,
};

struct vmt_recorded_part {
	const char *key; /* of its member in "data" */
	const struct vmt_entity *entity;
	bool single; /* one row, not a list */
	/* The field by whose number rows are known again, in whose order they are; NULL: by their
	 * place. */
	const struct vmt_field *id;
	/* Of the time since the sample before: each sample has all of its own, and where it has
	 * none, there are none. */
	bool own;
};

/* A constant. */
struct vmt_recorded_part vmt_recorded_part(enum vmt_recorded_id id);
/* The same of the mappings of one process. */
struct vmt_recorded_part vmt_recorded_maps(void);

/* Whether a field is recorded: not when each process was read, which is another moment in every
 * sample, between the begin of that and its end. */
bool vmt_recorded_field(const struct vmt_recorded_part *part, const struct vmt_field *f);

/*
 * In rows that say what has changed, sizes and times are written in larger units, which are as
 * exact where they come out even: free_bytes as free_pages, stalled_total_ns as stalled_total_us.
 *
 * The field that such a name stands for, or NULL; *ret_unit is what its numbers are multiplied by.
 */
const struct vmt_field *vmt_recorded_brief(const struct vmt_entity *entity, const char *name,
					   uint64_t page_size, uint64_t *ret_unit);
/* Writes the name of a field into size bytes; false where it has none. */
bool vmt_recorded_brief_name(const struct vmt_entity *entity, const struct vmt_field *f, char *to,
			     size_t size);

/* The rows of a part, one behind the other; how many. They stay the sample's. */
size_t vmt_recorded_rows(const struct vmt_sample *s, enum vmt_recorded_id id, const void **ret);
/* Makes n rows the sample's: those in its arena, or anywhere else for single parts and issues,
 * which are copied. Texts of the rows have to lie in its arena. 0 or -ENOMEM. */
int vmt_recorded_set(struct vmt_sample *s, enum vmt_recorded_id id, void *rows, size_t n);

/* Whether a field is the same in both rows, unknown included. */
bool vmt_recorded_same(const struct vmt_field *f, const void *a, const void *b);

/*
 * A sample of its own with all that is recorded of s: parts, mappings, sources, and facts of the
 * host. 0 or -ENOMEM.
 */
int vmt_recorded_copy(const struct vmt_sample *s, struct vmt_sample **ret);
/* A copy of n rows of entity, in arena with their texts; NULL on ENOMEM. */
void *vmt_recorded_copy_rows(const struct vmt_entity *entity, struct vmt_arena *arena,
			     const void *rows, size_t n);
