/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/users.h"

#include <errno.h>
#include <inttypes.h>

#include "base/parse.h"

/* Beyond this numbers are shown; no system has a local file like that by design. */
#define PASSWD_MAX ((size_t)4 * 1024 * 1024)

static bool take_field(struct vmt_bytes *cur, struct vmt_bytes *ret)
{
	const char *at = memchr(cur->ptr, ':', cur->len);

	if (!at)
		return false;
	*ret = (struct vmt_bytes){ cur->ptr, (size_t)(at - cur->ptr) };
	cur->ptr += ret->len + 1;
	cur->len -= ret->len + 1;
	return true;
}

/* By number, then by place in the file. */
static int compare(const void *a, const void *b)
{
	const struct vmt_user *x = a, *y = b;

	if (x->uid != y->uid)
		return x->uid < y->uid ? -1 : 1;
	return x->name.ptr < y->name.ptr ? -1 : x->name.ptr > y->name.ptr;
}

int vmt_users_parse(struct vmt_users *u)
{
	struct vmt_bytes cur = { u->text.data, u->text.len }, line, name, word;
	size_t i, n = 0;
	int r;

	while (vmt_take_line(&cur, &line)) {
		uint64_t uid;

		if (!take_field(&line, &name) || name.len == 0 || !take_field(&line, &word) ||
		    !take_field(&line, &word))
			continue;
		if (vmt_take_u64(&word, &uid) < 0 || word.len)
			continue;
		r = vmt_grow(&u->users, &u->cap, u->n + 1, sizeof(*u->users));
		if (r < 0)
			return r;
		u->users[u->n++] = (struct vmt_user){ uid, name };
	}
	if (u->n == 0)
		return 0;
	qsort(u->users, u->n, sizeof(*u->users), compare);
	for (i = 0; i < u->n; i++)
		if (n == 0 || u->users[n - 1].uid != u->users[i].uid)
			u->users[n++] = u->users[i];
	u->n = n;
	return 0;
}

int vmt_users_load(struct vmt_users *u, const struct vmt_root *root)
{
	int64_t n;

	*u = (struct vmt_users){ 0 };
	n = vmt_slurp_at(root->fd, "etc/passwd", &u->text, PASSWD_MAX);
	if (n == -ENOMEM)
		return -ENOMEM;
	if (n <= 0)
		return 0;
	return vmt_users_parse(u);
}

const struct vmt_user *vmt_users_find(const struct vmt_users *u, uint64_t uid)
{
	size_t lo = 0, hi = u->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (u->users[mid].uid < uid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < u->n && u->users[lo].uid == uid ? &u->users[lo] : NULL;
}

int vmt_users_text(const struct vmt_users *u, uint64_t uid, struct vmt_arena *arena,
		   struct vmt_bytes *ret)
{
	const struct vmt_user *user = vmt_users_find(u, uid);
	struct vmt_bytes name;
	char number[24];
	const char *copy;

	if (user) {
		name = user->name;
	} else {
		int n = snprintf(number, sizeof(number), "%" PRIu64, uid);

		name = (struct vmt_bytes){ number, (size_t)n };
	}
	copy = vmt_arena_copy(arena, name.ptr, name.len);
	if (!copy)
		return -ENOMEM;
	*ret = (struct vmt_bytes){ copy, name.len };
	return 0;
}

void vmt_users_done(struct vmt_users *u)
{
	vmt_buf_done(&u->text);
	free(u->users);
	*u = (struct vmt_users){ 0 };
}
