/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The hooks of an object whose programs are each of use without the others: what this kernel has
 * of them, and what hangs on them. For the probe-*.c files alone.
 */

#include "source/probe-internal.h"

struct bpf_link;
struct bpf_object;
struct btf;

#define VMT_HOOKS_MOST 4

struct vmt_hook {
	const char *hook; /* as SEC() has it, without the ? of what is optional */
	const char *gives;
};

struct vmt_hooks {
	const struct vmt_hook *all; /* constant */
	size_t n; /* VMT_HOOKS_MOST at most */
	int error[VMT_HOOKS_MOST]; /* why a program does not hang there; 0 where it does */
	struct bpf_link *links[VMT_HOOKS_MOST];
};

/* Which of them btf, which may be NULL, has: the programs of the others are not loaded. */
void vmt_hooks_look(struct vmt_hooks *h, struct bpf_object *object, const struct btf *btf);
/* Leaves out the program of one of them, before the object is loaded, for that reason. */
void vmt_hooks_omit(struct vmt_hooks *h, struct bpf_object *object, size_t i, int error);
/* Attaches the programs of a loaded object. 0 where one hangs at least, else the first error. */
int vmt_hooks_attach(struct vmt_hooks *h, struct bpf_object *object);
void vmt_hooks_detach(struct vmt_hooks *h);
/*
 * Rows for doctor: one for each hook, and one for all together, the last, whose error is r and
 * whose reason is reason; of the hooks only where r is 0. How many, at most most, which is 1 or
 * more.
 */
size_t vmt_hooks_tries(const struct vmt_hooks *h, const char *probe, const char *gives, int r,
		       const char *reason, struct vmt_probe_try *ret, size_t most);
