/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/mem.h"
#include "model/other.h"
#include "model/rows.h"
#include "source/devices.h"
#include "source/lines.h"

/*
 * /proc/PID/maps and /proc/PID/smaps, read as a stream in pieces of any size. Both have the same
 * line for a mapping (fs/proc/task_mmu.c show_map_vma()); smaps has keys below it. Nothing but the
 * rows and one unfinished line is kept.
 *
 * Of the ways to list mappings the text is the cheapest. PROCMAP_QUERY (6.11+) takes a call for
 * each: 29.5 ms for 60,000 mappings where reading the text took 23 (Linux 6.18); it is asked for
 * exact names alone (exact-path.h). BPF's iter/task_vma takes what the text takes, two milliseconds
 * more to load, and privileges.
 */
struct vmt_maps_parser {
	struct vmt_arena *arena; /* the caller's; strings of the rows */
	const struct vmt_devices *devices; /* may be NULL */
	uint64_t pid; /* for the rows; 0: not set */
	bool smaps;
	bool count_only; /* set after init, for maps: n_maps and print alone, no rows */
	/*
	 * Set after init: full() is called when so many rows are complete and another mapping
	 * comes. It either takes the rows with vmt_maps_take() or sets count_only; a negative
	 * result ends the work. 0: there is no end to the rows.
	 */
	size_t batch;
	int (*full)(struct vmt_maps_parser *p, void *arg);
	void *full_arg;
	size_t taken; /* rows that vmt_maps_take() gave away; n_maps does not count them */
	uint64_t last_end; /* of the mapping before */
	char last_text[16]; /* how that was written, last_len digits; 0: it is longer */
	size_t last_len;
	bool went_back; /* the failure is that a mapping begins before the end of the last one */
	uint64_t commit_bytes; /* of all mappings, where smaps says it of each: not no_commit */
	bool no_commit;
	uint64_t size_bytes; /* of all mappings, but for vsyscall; statm says the same */
	struct vmt_lines lines;
	struct vmt_map *maps; /* on the heap */
	size_t n_maps;
	size_t cap_maps;
	bool no_print; /* set after init: nobody asks for print */
	uint64_t print; /* hash of the lines of mappings, to see whether a list changed */
	uint64_t unknown_keys; /* the most that one mapping had */
	uint64_t unknown_here;
	/* VmFlags of the last mapping with these rights that n_maps counts, mostly the same; by the
	 * bits of take_perms(). */
	struct vmt_bytes flags[16];
	unsigned rights; /* of the mapping that is read */
	struct vmt_other other; /* of the mapping that is read */
	bool other_dropped; /* of some mapping, keys that found no room */
	size_t hint;
	int error; /* the first; nothing more is taken after it */
	const char *reason; /* for error */
};

/* The field kind of a mapping; constant text. devices may be NULL. */
struct vmt_bytes vmt_map_kind(const struct vmt_devices *devices, uint64_t major, uint64_t minor,
			      uint64_t inode, struct vmt_bytes path);

/* arena and devices have to outlive the rows and the parser. */
void vmt_maps_init(struct vmt_maps_parser *p, bool smaps, uint64_t pid, struct vmt_arena *arena,
		   const struct vmt_devices *devices);
void vmt_maps_done(struct vmt_maps_parser *p);

/* 0, -EINVAL or -ERANGE where the text is none of the kernel's, -EFBIG, -ENOMEM; path is for err
 * alone, which also gets the line. */
int vmt_maps_feed(struct vmt_maps_parser *p, struct vmt_bytes chunk, const char *path,
		  struct vmt_err *err);
/* The end of the text. The rows stay with the parser until vmt_maps_done() or until somebody takes
 * p->maps (free()). */
int vmt_maps_finish(struct vmt_maps_parser *p, const char *path, struct vmt_err *err);

/* Takes the lines below a mapping that are laid out as the kernel does it: vmt_kv_run(). */
size_t vmt_smaps_run(struct vmt_map *m, struct vmt_bytes text, size_t *hint);

/* Takes a line below a mapping that is the one of the kernel's order, and simple (the greater
 * part); false, and nothing is changed, where it is anything else. */
bool vmt_smaps_expected(struct vmt_map *m, struct vmt_bytes line, size_t *hint);
/* Gives away the rows so far, which are complete at the end or in full(): the array is the caller's
 * (free()), the strings move from the parser's arena into that one. */
void vmt_maps_take(struct vmt_maps_parser *p, struct vmt_arena *arena, struct vmt_map **ret,
		   size_t *ret_n);

/* A line below a mapping in smaps. 1 where the key is known, 0 where not and other has it, or
 * -errno. */
int vmt_smaps_line(struct vmt_map *m, struct vmt_bytes line, size_t *hint, struct vmt_arena *arena,
		   struct vmt_bytes last_flags, struct vmt_other *other);
/* Sets the fields of a mapping that are sums of others, and what VmFlags tells of its kind. */
void vmt_smaps_derive(struct vmt_map *m);

/*
 * /proc/PID/smaps_rollup: one text, the fields of proc.def whose source it is. *unknown (may be
 * NULL) counts keys that this version does not know; arena owns their text. 0, 1 where some of
 * these found no room, -EINVAL or -ERANGE where the text is none of the kernel's, -ENOMEM.
 */
int vmt_rollup_parse(struct vmt_bytes text, struct vmt_proc *p, struct vmt_arena *arena,
		     uint64_t *unknown, struct vmt_err *err);
