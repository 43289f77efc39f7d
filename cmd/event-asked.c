/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/event-asked.h"

#include "base/fmt.h"
#include "base/parse.h"
#include "cmd/text.h"
#include "source/root.h"
#include "source/users.h"

const char *vmt_event_sums_by(const struct vmt_ctx *ctx)
{
	if (vmt_ctx_given(ctx, "summary"))
		return vmt_ctx_value(ctx, "summary");
	return strcmp(ctx->format->name, "folded") == 0 ? "stack" : NULL;
}

/* The calls of --only; 0 where it is not there, or wrong. */
static uint32_t asked(const struct vmt_ctx *ctx)
{
	const char *only = vmt_ctx_value(ctx, "only");
	struct vmt_bytes word;
	uint32_t calls;

	return only && vmt_event_only_parse(only, &calls, &word) == 0 ? calls : 0;
}

bool vmt_event_is_asked(const struct vmt_ctx *ctx, enum vmt_event_call call)
{
	return asked(ctx) >> call & 1;
}

bool vmt_event_is_alone(const struct vmt_ctx *ctx, enum vmt_event_call call)
{
	return asked(ctx) == UINT32_C(1) << call;
}

const struct vmt_entity *vmt_event_entity(const struct vmt_ctx *ctx)
{
	const char *by = vmt_event_sums_by(ctx);

	if (!by)
		return &vmt_entity_event;
	if (*by)
		return &vmt_entity_event_site;
	if (vmt_event_is_alone(ctx, VMT_CALL_COLLAPSE))
		return &vmt_entity_event_collapse;
	return vmt_event_is_alone(ctx, VMT_CALL_STALL) ? &vmt_entity_event_stall
						       : &vmt_entity_event_sum;
}

/* The number of a user of this machine by name, or -ENOENT. */
static int find_user(const char *name, uint32_t *ret)
{
	VMT_CLEANUP(vmt_users_done) struct vmt_users users = { 0 };
	struct vmt_root *root;
	int r = vmt_root_open(NULL, &root, NULL);

	if (r < 0)
		return r;
	r = vmt_users_load(&users, root);
	vmt_root_unref(root);
	if (r < 0)
		return r;
	for (size_t i = 0; i < users.n; i++) {
		if (!vmt_bytes_is(users.users[i].name, name))
			continue;
		*ret = (uint32_t)users.users[i].uid;
		return 0;
	}
	return -ENOENT;
}

int vmt_event_user_parse(struct vmt_ctx *ctx, const char *user, struct vmt_events_opts *opts)
{
	VMT_AUTO_BUF safe = { 0 };
	uint64_t uid;

	opts->by_user = true;
	if (vmt_parse_u64(user, &uid) == 0 && uid < UINT32_MAX) {
		opts->uid = (uint32_t)uid;
		return 0;
	}
	if (find_user(user, &opts->uid) == 0)
		return 0;
	vmt_fmt_safe(&safe, vmt_bytes_of(user), true);
	vmt_complain(ctx, "no such user: %.60s", safe.data ? safe.data : "");
	return VMT_EXIT_NOTHING;
}
