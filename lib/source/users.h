/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/mem.h"
#include "source/root.h"

/*
 * Names of users by number, from etc/passwd below the root and from nowhere else: a name service
 * can be slow or down, and a saved machine has its own users.
 */
struct vmt_user {
	uint64_t uid;
	struct vmt_bytes name;
};

struct vmt_users {
	struct vmt_buf text;
	struct vmt_user *users; /* in order of uid; of two with one number the first in the file */
	size_t n;
	size_t cap;
};

/* Only -ENOMEM is an error; without the file there are no names. */
int vmt_users_load(struct vmt_users *u, const struct vmt_root *root);
/* The same from a text, which is taken over; passwd(5). Lines that are none are left out. */
int vmt_users_parse(struct vmt_users *u);
/* NULL where there is no name. */
const struct vmt_user *vmt_users_find(const struct vmt_users *u, uint64_t uid);
/* The name, or the number as text, in arena. 0 or -ENOMEM. */
int vmt_users_text(const struct vmt_users *u, uint64_t uid, struct vmt_arena *arena,
		   struct vmt_bytes *ret);
void vmt_users_done(struct vmt_users *u);
