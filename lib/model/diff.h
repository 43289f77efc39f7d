/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/sample.h"

/*
 * Two samples of one machine, or of two: what became of each mapping and process, and what it grew
 * by. Pure; what is unknown in one of the two stays unknown.
 */

enum vmt_diff_match {
	VMT_DIFF_SAME,
	VMT_DIFF_GROWN,
	VMT_DIFF_SHRUNK,
	VMT_DIFF_SPLIT,
	VMT_DIFF_MERGED,
	VMT_DIFF_RESHAPED,
	VMT_DIFF_MOVED,
	VMT_DIFF_NEW,
	VMT_DIFF_GONE,
	VMT_DIFF_COUNT,
};

enum vmt_diff_basis {
	VMT_DIFF_BY_NOTHING,
	VMT_DIFF_BY_RANGE,
	VMT_DIFF_BY_FILE,
	VMT_DIFF_BY_NAME,
	VMT_DIFF_BY_SIZE,
};

/* The word for it, as in the rows. */
const char *vmt_diff_match_name(enum vmt_diff_match match);

/* Mappings that belong together: what one or several became. */
struct vmt_diff_piece {
	enum vmt_diff_match match;
	enum vmt_diff_basis basis;
	size_t first_a; /* index of the lowest, where n_a is not 0 */
	size_t first_b;
	size_t n_a;
	size_t n_b;
};

/* How two lists of mappings lie to each other. */
enum vmt_diff_space {
	VMT_DIFF_ONE_SPACE, /* one address space, at two times */
	VMT_DIFF_OTHER_SPACE, /* of a process that took the place of another: addresses say nothing
			       */
	VMT_DIFF_NO_SPACE, /* nothing of the one is in the other: another program was loaded */
};

/*
 * Matches the n mappings of a with the m of b, each in order of address. of_a and of_b get the
 * number of the piece that each belongs to; pieces has room for n + m, *ret_n gets how many there
 * are.
 *
 * First by range: mappings that overlap, without a file both, or of one file at one offset from it,
 * are one piece with all that they overlap. Of those that are left, one of a file is the same as
 * one of that file, offset and rights elsewhere, the first with the first; one without a file,
 * where it is the only one of its size, rights and name on both sides, and no stack or guard, as
 * threads come and go with those. The cost is that of sorting. 0 or -ENOMEM.
 */
int vmt_diff_maps(const struct vmt_map *a, size_t n, const struct vmt_map *b, size_t m,
		  enum vmt_diff_space space, uint32_t *of_a, uint32_t *of_b,
		  struct vmt_diff_piece *pieces, size_t *ret_n);

enum vmt_diff_by {
	VMT_DIFF_BY_ROLE,
	VMT_DIFF_BY_PATH,
};

struct vmt_diff_opts {
	bool by_name; /* a process that is gone and a new one of its name are compared */
	bool maps; /* mappings too, where both samples have some */
};

struct vmt_diff {
	struct vmt_arena arena; /* owns the rows; their texts are the samples' */
	struct vmt_diff_map *maps;
	size_t n_maps;
	struct vmt_diff_proc *procs;
	size_t n_procs;
	struct vmt_diff_sum sums[VMT_DIFF_COUNT + 1]; /* by what became of them; then all */
	bool has_maps; /* of one process at least they are known in both, or it is new or gone */
	bool other_boot; /* no process of the one can be in the other */
	/* Pairs of processes, by index of the samples; SIZE_MAX where there is none. */
	struct vmt_diff_pair *pairs;
	size_t n_pairs;
};

enum vmt_diff_fate {
	VMT_DIFF_PROC_SAME,
	VMT_DIFF_PROC_EXEC,
	VMT_DIFF_PROC_RESTARTED,
	VMT_DIFF_PROC_NEW,
	VMT_DIFF_PROC_GONE,
};

struct vmt_diff_pair {
	size_t a, b;
	enum vmt_diff_fate fate;
	bool maps; /* theirs are compared */
};

/*
 * Compares a with b, which outlive *ret; the caller frees it. A process is the same where pid and
 * start are, in one boot. 0 or -ENOMEM.
 */
int vmt_diff_build(const struct vmt_sample *a, const struct vmt_sample *b,
		   const struct vmt_diff_opts *opts, struct vmt_diff **ret);
void vmt_diff_free(struct vmt_diff *d);

static inline void vmt_diff_freep(struct vmt_diff **d)
{
	vmt_diff_free(*d);
}
#define VMT_AUTO_DIFF VMT_CLEANUP(vmt_diff_freep) struct vmt_diff *

/*
 * The mappings that were compared, in groups; the rows are d's, their names the samples'. Sums are
 * over mappings and do not depend on what was matched with what. 0 or -ENOMEM.
 */
int vmt_diff_groups(struct vmt_diff *d, const struct vmt_sample *a, const struct vmt_sample *b,
		    enum vmt_diff_by by, struct vmt_diff_group **ret, size_t *ret_n);

/* Parts of MemTotal, n of them in one order in both; of one that is NULL nothing is known. */
void vmt_diff_parts(const struct vmt_part *a, const struct vmt_part *b, size_t n,
		    struct vmt_diff_part *rows);

/*
 * Whether a row, of one of the entities of mappings, groups and processes, says that something
 * changed: what became of it, the number of mappings, or one of the n fields that is a difference.
 * Of what is known of one of the two alone nobody can say that it did not.
 */
bool vmt_diff_changed(const struct vmt_entity *e, const void *row,
		      const struct vmt_field *const *fields, size_t n);

/* Fields that are compared: NAME_bytes of one entity, as NAME_before_bytes, NAME_bytes and
 * NAME_delta_bytes of another. */
#define VMT_DIFF_MEASURES_MAX 16
struct vmt_diff_measures {
	struct vmt_diff_measure {
		const struct vmt_field *from, *before, *after, *delta;
	} m[VMT_DIFF_MEASURES_MAX];
	size_t n;
};
/* The three of the name that the first len characters of stem are, and NULL for from; false where
 * the entity has not all of them. */
bool vmt_diff_measure(const struct vmt_entity *e, const char *stem, size_t len,
		      struct vmt_diff_measure *ret);
/* The same of its difference; false where the field is none. */
bool vmt_diff_measure_of(const struct vmt_entity *e, const struct vmt_field *delta,
			 struct vmt_diff_measure *ret);
/* Whether something is known of it in a row, but not the difference: it may have changed. */
bool vmt_diff_is_half_known(const struct vmt_diff_measure *m, const void *row);
void vmt_diff_measures(struct vmt_diff_measures *ms, const struct vmt_entity *from,
		       const struct vmt_entity *to);

/* Sums of them, then or now. Zeroed before the first. */
struct vmt_diff_total {
	uint64_t sum[VMT_DIFF_MEASURES_MAX];
	size_t known[VMT_DIFF_MEASURES_MAX]; /* rows that it is known of */
	size_t n; /* rows */
};
void vmt_diff_add(const struct vmt_diff_measures *ms, struct vmt_diff_total *sum, const void *row);
/* Sets then, now and the difference in a row; unknown where one of those that were added is. */
void vmt_diff_set(const struct vmt_diff_measures *ms, const struct vmt_diff_total *before,
		  const struct vmt_diff_total *after, void *row);
