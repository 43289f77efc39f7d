/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "model/rows.h"

/*
 * The files of a cgroup that are about memory, in both versions: which fields each gives, and
 * parsers, which are pure functions over a text. Documented in the kernel's
 * Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst.
 */

/* The number of files that there are; a set of them is a mask of as many bits. */
size_t vmt_cgroup_n_files(void);
/* Its name in a version (1 or 2), or NULL where that has no such file. */
const char *vmt_cgroup_file_name(size_t file, unsigned version);
/* The files that give n fields of vmt_entity_cgroup, or what the model makes them of. */
uint64_t vmt_cgroup_files(const struct vmt_field *const *fields, size_t n);
/* All of them. */
uint64_t vmt_cgroup_all_files(void);

/*
 * Reads the text of a file into a row. page_size in bytes is what version 1 rounds its "no limit"
 * by. *unknown counts keys that this version does not know. -EINVAL or -ERANGE with the line.
 */
int vmt_cgroup_file_parse(size_t file, unsigned version, struct vmt_bytes text, uint64_t page_size,
			  struct vmt_cgroup *c, uint64_t *unknown, struct vmt_err *err);
