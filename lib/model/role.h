/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/mem.h"
#include "model/rows.h"

/*
 * The role of a mapping: what it is for the process. It follows from the file that is mapped (its
 * device, what the kernel says it is, its program headers), from the rights, the neighbours and the
 * flags, and never from a name that somebody may choose.
 */

/* A PT_LOAD or PT_GNU_RELRO; bytes. offset + filesz and vaddr + memsz do not overflow. */
struct vmt_segment {
	uint64_t offset;
	uint64_t vaddr;
	uint64_t filesz;
	uint64_t memsz;
	bool write;
	bool exec;
};

/* What the program headers of an ELF file ask the loader for. */
struct vmt_segments {
	const struct vmt_segment *load;
	unsigned n;
	bool has_relro;
	struct vmt_segment relro;
};

/* What sort of file is mapped, as far as it was looked at. */
enum vmt_backing {
	VMT_BACKING_UNKNOWN,
	VMT_BACKING_FILE, /* of a file system, or a block device */
	VMT_BACKING_TMPFS, /* a file of a tmpfs that is mounted */
	VMT_BACKING_KERNEL, /* the kernel's own mount of shmem: memfd, SysV, shared anonymous */
	VMT_BACKING_ZERO, /* /dev/zero, mapped private: anonymous memory */
	VMT_BACKING_DEVICE, /* a character device */
	VMT_BACKING_SECRET, /* memfd_secret(2) */
};

struct vmt_role_file {
	enum vmt_backing backing;
	bool read; /* its headers were: segments are empty where it is no ELF file */
	struct vmt_segments segments;
};

/* A mapping without a file. */
#define VMT_NO_FILE UINT32_MAX

struct vmt_role_input {
	const uint32_t *file_of; /* of each mapping: which of files, or VMT_NO_FILE */
	const struct vmt_role_file *const *files; /* NULL where nothing is known of it */
	size_t n_files;
	/* Addresses that lie in the stacks of threads other than the first, in ascending order. */
	const uint64_t *stacks;
	size_t n_stacks;
	uint64_t page_size; /* bytes; a power of 2 */
};

/*
 * Sets the field role of the n mappings of a process, which are in order of address, and takes it
 * back where it cannot be told. VmFlags are used where a row has them. Pure. 0 or -ENOMEM, with the
 * rows as they were.
 */
int vmt_roles_assign(struct vmt_map *maps, size_t n, const struct vmt_role_input *in);
