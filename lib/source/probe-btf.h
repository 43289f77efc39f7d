/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What the kernel says of its own functions and tracepoints, in BTF (/sys/kernel/btf/vmlinux). It
 * spares loading what cannot hang anywhere. For the probe-*.c files alone.
 */

#include "source/probe-internal.h"

struct btf;

/* The kernel's BTF, or NULL where there is none; btf__free() frees it. */
struct btf *vmt_probe_btf(void);

/*
 * Programs that read arguments of a function by position are lost where it has others. A function
 * that the kernel's BTF leaves out has another name, or was compiled to other arguments. Where the
 * kernel has no BTF nothing can be said, and only kprobes would load. 0, -ENOENT or -ENOTSUP.
 */
int vmt_probe_btf_arguments(const struct btf *btf, const struct vmt_probe_rung *rung,
			    struct vmt_err *err);

/* Whether a hook, as SEC() says it, is a function or tracepoint that this kernel does not have.
 * false where nothing can be said. */
bool vmt_probe_btf_lacks(const struct btf *btf, const char *hook);

/* Whether the kernel has the functions by which a program says what a pointer is of (6.2). */
bool vmt_probe_btf_casts(const struct btf *btf);
