/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"

/*
 * /proc/kpagecount and /proc/kpageflags: one word of 64 bits for each frame of the machine, in the
 * order of their numbers (Documentation/admin-guide/mm/pagemap.rst). No lock of a process is taken
 * for them.
 */
struct vmt_kpage {
	int fd; /* the caller's */
	uint64_t *buf; /* the caller's: n_buf words, at least one */
	size_t n_buf;
	/* pread(2), for tests; NULL for the kernel's. */
	ssize_t (*pread)(int fd, void *to, size_t n, off_t at);
	uint64_t reads; /* system calls */
	uint64_t bytes;
	uint64_t longest_ns;
};

/* No frame: a page that is not present, or whose frame is not shown. PFN 0 is never a page. */
#define VMT_NO_FRAME UINT64_C(0)

/*
 * The words of n frames, in whatever order; those that stand near each other are read in one call.
 * known[i] is false for VMT_NO_FRAME and for frames behind the end of the file, and values[i] 0. 0,
 * or what read(2) says.
 */
int vmt_kpage_read(struct vmt_kpage *k, const uint64_t *frames, size_t n, uint64_t *values,
		   bool *known);

/* Bits of kpageflags (include/uapi/linux/kernel-page-flags.h). */
#define VMT_KPF_HWPOISON  (UINT64_C(1) << 19)
#define VMT_KPF_THP	  (UINT64_C(1) << 22)
#define VMT_KPF_ZERO_PAGE (UINT64_C(1) << 24)

/* The names of the bits, with commas between; "-" for none. A bit without a name is "bitN". */
void vmt_kpage_flags_text(struct vmt_buf *out, uint64_t flags);
