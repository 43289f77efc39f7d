/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cmd/commands.h"
#include "source/probe-events.h"

/* What the command line of events asks for. */

/* What sums are by: WHAT of --summary, "" where it has none; folded stacks are such sums, too. NULL
 * for single events. */
const char *vmt_event_sums_by(const struct vmt_ctx *ctx);
/* Whether --only names that one, alone or with others. */
bool vmt_event_is_asked(const struct vmt_ctx *ctx, enum vmt_event_call call);
/* Whether --only has nothing else. */
bool vmt_event_is_alone(const struct vmt_ctx *ctx, enum vmt_event_call call);
/* What the columns of the command line are of. */
const struct vmt_entity *vmt_event_entity(const struct vmt_ctx *ctx);
/* A user by name or number, into opts; an exit code or 0. */
int vmt_event_user_parse(struct vmt_ctx *ctx, const char *user, struct vmt_events_opts *opts);
