/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/err.h"
#include "base/mem.h"
#include "model/kernel-sample.h"

/*
 * Parsers of the files about the kernel's own memory and addresses. Each is a pure function over
 * the text of its file (or the beginning of it) that adds to k, in the arena, what the text says;
 * what is not known here is skipped. Errors are -EINVAL (malformed), -ERANGE and -ENOMEM, with the
 * line; then k is as it was.
 */

/* /proc/meminfo: every key, "kB" as bytes. */
int vmt_kernel_meminfo_parse(struct vmt_bytes text, struct vmt_arena *arena,
			     struct vmt_kernel_sample *k, struct vmt_err *err);
/* /proc/vmstat: every key. */
int vmt_kernel_vmstat_parse(struct vmt_bytes text, struct vmt_arena *arena,
			    struct vmt_kernel_sample *k, struct vmt_err *err);
/* /proc/slabinfo, version 2.1 (mm/slab_common.c). page_size is bytes. */
int vmt_slabinfo_parse(struct vmt_bytes text, uint64_t page_size, struct vmt_arena *arena,
		       struct vmt_kernel_sample *k, struct vmt_err *err);
/* /proc/vmallocinfo (mm/vmalloc.c), summed up by function and kind. Its addresses are hashes where
 * kernel.kptr_restrict is 0, and are not looked at. */
int vmt_vmallocinfo_parse(struct vmt_bytes text, uint64_t page_size, struct vmt_arena *arena,
			  struct vmt_kernel_sample *k, struct vmt_err *err);
/* /proc/net/sockstat: memory of TCP and UDP is of the machine, that of fragments of the network
 * namespace. */
int vmt_sockstat_parse(struct vmt_bytes text, struct vmt_kernel_sample *k, struct vmt_err *err);
/* /proc/modules. Addresses are 0 for those to whom the kernel does not show them. */
int vmt_modules_parse(struct vmt_bytes text, struct vmt_kernel_sample *k, struct vmt_err *err);
/* A line of /proc/kallsyms: notes it in k where it is one of the image's bounds. -EINVAL, -ERANGE.
 */
int vmt_kallsyms_line(struct vmt_bytes line, struct vmt_kernel_sample *k);
/* The beginning of /proc/kcore: the ELF header and its program headers (fs/proc/kcore.c), of
 * 64-bit machines with the byte order of this one. -EINVAL, -ENOMEM. */
int vmt_kcore_parse(struct vmt_bytes head, struct vmt_arena *arena, struct vmt_kernel_sample *k,
		    struct vmt_err *err);
