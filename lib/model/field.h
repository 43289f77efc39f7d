/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "model/field-id.h"
#include "model/source-id.h"

/*
 * Fields: one row of a .def file describes a value everywhere it appears. A row is
 *
 *   F(member, TYPE, UNIT, KIND, SOURCE, group, "TITLE", FLAGS, "help")
 *
 * member  the struct member, and the key in JSON (FK("key", member, ...) where they differ)
 * TYPE    U64, I64, STR (bytes of the kernel), HEX (address), BOOL, HIST, KEYS (model/other.h)
 * UNIT    NONE, BYTES, PAGES, COUNT, NS, MILLI (thousandths, of a ratio or a rate)
 * KIND    GAUGE, COUNTER (only grows while its subject lives), LABEL (says what the row is)
 * SOURCE  the dearest source that is needed to know it (source.def)
 * group   the JSON object that it stands in, NULL for the row's own
 * TITLE   the column of text and CSV, and what -o and -s take
 * FLAGS   0, VMT_DEFAULT (in the default columns), VMT_LEFT (flush left), VMT_TAIL (last column,
 *         may be cut), VMT_SPARE (left out of the default columns where the terminal is narrow),
 *         VMT_ALSO(ID) (a cheaper source than SOURCE gives it as well), VMT_ENDLESS (of U64: a
 *         limit, UINT64_MAX where there is none: text and CSV say max, JSON null), VMT_CHANGE (of
 *         I64: a difference, whose plus the dashboard shows)
 */
enum vmt_type {
	VMT_TYPE_U64,
	VMT_TYPE_I64,
	VMT_TYPE_STR,
	VMT_TYPE_HEX,
	VMT_TYPE_BOOL,
	VMT_TYPE_HIST,
	VMT_TYPE_KEYS,
};

enum vmt_unit {
	VMT_UNIT_NONE,
	VMT_UNIT_BYTES,
	VMT_UNIT_PAGES,
	VMT_UNIT_COUNT,
	VMT_UNIT_NS,
	VMT_UNIT_MILLI,
};

enum vmt_kind {
	VMT_KIND_GAUGE,
	VMT_KIND_COUNTER,
	VMT_KIND_LABEL,
};

#define VMT_DEFAULT 1u
#define VMT_LEFT    2u
#define VMT_TAIL    4u
#define VMT_SPARE   8u
#define VMT_ENDLESS 16u
#define VMT_CHANGE  32u
/* VMT_ALSO(ID): a cheaper source gives it too, and is read where no other field needs SOURCE. */
#define VMT_ALSO(id) ((VMT_SOURCE_##id + 1u) << 16)

/* A histogram: its buckets that are not empty, from small to large. Their memory is the row's
 * owner's. */
struct vmt_hist_bucket {
	uint64_t from;
	uint64_t to; /* that, too, falls into it; UINT64_MAX: it has no end */
	uint64_t count;
};

struct vmt_hist {
	const struct vmt_hist_bucket *buckets;
	size_t n;
};

#define VMT_CTYPE_U64  uint64_t
#define VMT_CTYPE_I64  int64_t
#define VMT_CTYPE_STR  struct vmt_bytes
#define VMT_CTYPE_HEX  uint64_t
#define VMT_CTYPE_BOOL bool
#define VMT_CTYPE_HIST struct vmt_hist
#define VMT_CTYPE_KEYS struct vmt_bytes

/* Every row struct begins with this: bit i says that field i of its entity is known. */
#define VMT_ROW_WORDS 2
struct vmt_row {
	uint64_t valid[VMT_ROW_WORDS];
};

struct vmt_field {
	const char *name;
	const char *title;
	const char *help;
	const char *group;
	enum vmt_type type;
	enum vmt_unit unit;
	enum vmt_kind kind;
	enum vmt_source_id source;
	unsigned flags;
	unsigned index; /* bit in vmt_row.valid */
	size_t offset; /* of the member in the row */
};

/* A kind of row. */
struct vmt_entity {
	const char *name; /* "proc" */
	const char *plural; /* "processes": the key of its rows in documents */
	const char *help;
	const struct vmt_field *fields;
	size_t n_fields;
	size_t row_size;
	const char *sort; /* default order as for -s, or NULL for the order of the source */
};

extern const struct vmt_entity vmt_entity_system;
extern const struct vmt_entity vmt_entity_part;
extern const struct vmt_entity vmt_entity_share;
extern const struct vmt_entity vmt_entity_term;
extern const struct vmt_entity vmt_entity_commit;
extern const struct vmt_entity vmt_entity_commit_part;
extern const struct vmt_entity vmt_entity_pressure;
extern const struct vmt_entity vmt_entity_proc;
extern const struct vmt_entity vmt_entity_group;
extern const struct vmt_entity vmt_entity_map;
extern const struct vmt_entity vmt_entity_map_group;
extern const struct vmt_entity vmt_entity_sharer;
extern const struct vmt_entity vmt_entity_cow;
extern const struct vmt_entity vmt_entity_huge;
extern const struct vmt_entity vmt_entity_page;
extern const struct vmt_entity vmt_entity_addr;
extern const struct vmt_entity vmt_entity_fault;
extern const struct vmt_entity vmt_entity_stack;
extern const struct vmt_entity vmt_entity_balance;
extern const struct vmt_entity vmt_entity_single;
extern const struct vmt_entity vmt_entity_gap;
extern const struct vmt_entity vmt_entity_file;
extern const struct vmt_entity vmt_entity_cached_file;
extern const struct vmt_entity vmt_entity_cached_group;
extern const struct vmt_entity vmt_entity_cache;
extern const struct vmt_entity vmt_entity_command;
extern const struct vmt_entity vmt_entity_budget;
extern const struct vmt_entity vmt_entity_probe;
extern const struct vmt_entity vmt_entity_rung;
extern const struct vmt_entity vmt_entity_source;
extern const struct vmt_entity vmt_entity_issue;
extern const struct vmt_entity vmt_entity_finding;
extern const struct vmt_entity vmt_entity_check;
extern const struct vmt_entity vmt_entity_verdict;
extern const struct vmt_entity vmt_entity_zone;
extern const struct vmt_entity vmt_entity_order;
extern const struct vmt_entity vmt_entity_migrate;
extern const struct vmt_entity vmt_entity_node;
extern const struct vmt_entity vmt_entity_cpu_list;
extern const struct vmt_entity vmt_entity_compaction;
extern const struct vmt_entity vmt_entity_region;
extern const struct vmt_entity vmt_entity_region_sum;
extern const struct vmt_entity vmt_entity_cgroup;
extern const struct vmt_entity vmt_entity_cgroup_level;
extern const struct vmt_entity vmt_entity_cgroup_part;
extern const struct vmt_entity vmt_entity_kernel_use;
extern const struct vmt_entity vmt_entity_slab;
extern const struct vmt_entity vmt_entity_vmalloc;
extern const struct vmt_entity vmt_entity_kernel_sum;
extern const struct vmt_entity vmt_entity_kernel_range;
extern const struct vmt_entity vmt_entity_address_space;
extern const struct vmt_entity vmt_entity_counter;
extern const struct vmt_entity vmt_entity_diff;
extern const struct vmt_entity vmt_entity_diff_group;
extern const struct vmt_entity vmt_entity_diff_sum;
extern const struct vmt_entity vmt_entity_diff_proc;
extern const struct vmt_entity vmt_entity_diff_part;
extern const struct vmt_entity vmt_entity_diff_document;
extern const struct vmt_entity vmt_entity_event;
extern const struct vmt_entity vmt_entity_event_sum;
extern const struct vmt_entity vmt_entity_event_site;
extern const struct vmt_entity vmt_entity_event_made;
extern const struct vmt_entity vmt_entity_event_probe;
extern const struct vmt_entity vmt_entity_event_stall;
extern const struct vmt_entity vmt_entity_event_psi;
extern const struct vmt_entity vmt_entity_event_cgroup;
extern const struct vmt_entity vmt_entity_event_collapse;
extern const struct vmt_entity vmt_entity_kill;
extern const struct vmt_entity vmt_entity_oom_zone;
extern const struct vmt_entity vmt_entity_oom_map;
extern const struct vmt_entity vmt_entity_oom_process;
extern const struct vmt_entity vmt_entity_oom_sample;

/* All entities, NULL at the end, in the order in which documentation lists them. */
extern const struct vmt_entity *const vmt_entities[];

static inline bool vmt_row_has(const struct vmt_row *row, unsigned index)
{
	return row->valid[index / 64] >> (index % 64) & 1;
}

static inline void vmt_row_mark(struct vmt_row *row, unsigned index)
{
	row->valid[index / 64] |= UINT64_C(1) << (index % 64);
}

static inline void vmt_row_unmark(struct vmt_row *row, unsigned index)
{
	row->valid[index / 64] &= ~(UINT64_C(1) << (index % 64));
}

/* VMT_SET(proc, rss_bytes, p, v): the value is known. VMT_HAS(proc, rss_bytes, p): is it? */
#define VMT_SET(entity, member, ptr, value)                                                        \
	do {                                                                                       \
		(ptr)->member = (value);                                                           \
		vmt_row_mark(&(ptr)->row, VMT_FIELD_##entity##_##member);                          \
	} while (0)
#define VMT_HAS(entity, member, ptr)   vmt_row_has(&(ptr)->row, VMT_FIELD_##entity##_##member)
#define VMT_UNSET(entity, member, ptr) vmt_row_unmark(&(ptr)->row, VMT_FIELD_##entity##_##member)
/* Copies a field from one row to another of the same entity, unknown included. */
#define VMT_COPY(entity, member, to, from)                                                         \
	do {                                                                                       \
		if (VMT_HAS(entity, member, from))                                                 \
			VMT_SET(entity, member, to, (from)->member);                               \
		else                                                                               \
			VMT_UNSET(entity, member, to);                                             \
	} while (0)

/* Whether a cheaper source than f->source gives the field too, and which. */
static inline bool vmt_field_cheaper(const struct vmt_field *f, enum vmt_source_id *ret)
{
	unsigned id = f->flags >> 16;

	if (id)
		*ret = (enum vmt_source_id)(id - 1);
	return id != 0;
}

/*
 * The sources, as VMT_SOURCE_BITs, that give n fields at the least cost: where a field can come
 * from either of two sources, the cheaper set for all of them together is taken. For sources of
 * which each gives its fields whole; VMT_ALSO of a source that may be refused is
 * vmt_want_sources()'s.
 */
uint64_t vmt_fields_sources(const struct vmt_field *const *fields, size_t n);

/* The sources of a choice of fields. Zeroed before the first. */
struct vmt_want {
	uint64_t need; /* VMT_SOURCE_BITs: of fields that have no other source */
	uint64_t also[VMT_SOURCE_COUNT]; /* by dear source: the cheaper ones, of fields with both */
};

void vmt_want_field(struct vmt_want *w, const struct vmt_field *f);
/* The sources that have to be read, as VMT_SOURCE_BITs. *ret_cheap gets the cheaper ones that then
 * stand for a dear one which nothing else needs; they are not in what is returned. */
uint64_t vmt_want_sources(const struct vmt_want *w, uint64_t *ret_cheap);

/* The entity of that name, or NULL. */
const struct vmt_entity *vmt_entity_find(const char *name);
/* The field whose name or title is len bytes of name, without regard to case; "group.name" names a
 * field in a group. NULL where there is none. */
const struct vmt_field *vmt_field_find(const struct vmt_entity *entity, struct vmt_bytes name);

static inline const void *vmt_field_at(const struct vmt_field *f, const void *row)
{
	return (const char *)row + f->offset;
}

/* Whether its member is a struct vmt_bytes, whose bytes somebody owns. */
static inline bool vmt_field_is_text(const struct vmt_field *f)
{
	return f->type == VMT_TYPE_STR || f->type == VMT_TYPE_KEYS;
}

/*
 * Copies a field that is known from one row to another of the same entity, where it is known then,
 * too. Of a text or a histogram the bytes are those of from, whose owner's they stay.
 */
void vmt_field_copy(const struct vmt_field *f, void *to, const void *from);

/*
 * Copies the text of a row of entity into arena, so that it can outlive what the row was copied
 * from. before: the row that to follows, which has texts of its own, and from_before, what that was
 * copied from; a text that those two have in common is in common again. NULL where there is none.
 * 0 or -ENOMEM.
 */
int vmt_row_own_text(const struct vmt_entity *entity, struct vmt_arena *arena, void *to,
		     const void *before, const void *from_before);

/* Whether the value, which is known, is a limit that is none. */
static inline bool vmt_field_is_endless(const struct vmt_field *f, const void *row)
{
	return f->flags & VMT_ENDLESS && *(const uint64_t *)vmt_field_at(f, row) == UINT64_MAX;
}

/* A whole number of a field that has one (U64, HEX, BOOL; I64 as its two's complement). */
uint64_t vmt_field_number(const struct vmt_field *f, const void *row);

/* Order of two rows by one field: numbers by value, text by bytes; unknown values come last in
 * both directions. <0, 0, >0. */
int vmt_field_compare(const struct vmt_field *f, const void *a, const void *b, bool descending);

const char *vmt_type_name(enum vmt_type type);
const char *vmt_unit_name(enum vmt_unit unit);
const char *vmt_kind_name(enum vmt_kind kind);
