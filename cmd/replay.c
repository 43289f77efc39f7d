/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/replay.h"

#include "base/fmt.h"
#include "cmd/moment.h"
#include "model/recorded.h"
#include "vmtop-config.h"

/* Samples, one after the other, that cannot be read before nobody tries the next one: a key is
 * answered at once. */
#define LEFT_OUT_MAX 100

void vmt_replay_done(struct vmt_replay *rp)
{
	vmt_recording_free(VMT_STEAL(rp->recording));
}

static int limits(struct vmt_replay *rp, struct vmt_ctx *ctx)
{
	const char *begin = vmt_ctx_value(ctx, "begin"), *end = vmt_ctx_value(ctx, "end");
	uint64_t base = vmt_recording_time(rp->recording, 0), ns;

	rp->end = vmt_recording_n(rp->recording);
	rp->open_end = !end;
	if (begin && vmt_parse_moment(begin, base, &ns) < 0)
		return vmt_usage_error(ctx, "--begin takes a time, as 03:14, 2026-11-21T03:14:05, "
					    "the same with Z for UTC, or @SECONDS");
	if (begin) {
		rp->first = vmt_recording_find(rp->recording, ns);
		base = ns;
	}
	if (end && vmt_parse_moment(end, base, &ns) < 0)
		return vmt_usage_error(ctx, "--end takes a time, as --begin does");
	/* The second that is named is in it. */
	if (end)
		rp->end = vmt_recording_find(rp->recording, ns + 1000000000);
	if (rp->first >= rp->end) {
		vmt_complain(ctx, "no sample of that time");
		return VMT_EXIT_NOTHING;
	}
	rp->at = rp->first;
	return 0;
}

int vmt_replay_open(struct vmt_replay *rp, struct vmt_ctx *ctx)
{
	const char *path = vmt_ctx_value(ctx, "read"), *text;
	struct vmt_err err = { 0 };
	size_t i;

	rp->shown = rp->untried = SIZE_MAX;
	if (!path)
		return vmt_usage_error(ctx, "-r FILE says what");
	if (ctx->root)
		return vmt_usage_error(ctx, "a recording is of its machine: no --root");
	if (vmt_recording_open(path, &rp->recording, &err) < 0)
		return vmt_complain_err(ctx, &err);
	for (i = 0; (text = vmt_recording_remark(rp->recording, i)); i++)
		vmt_note(ctx, "%s: %s", path, text);
	return limits(rp, ctx);
}

int vmt_replay_sample(struct vmt_replay *rp, struct vmt_run *run, const struct vmt_ctx *ctx,
		      struct vmt_err *err)
{
	VMT_AUTO_SAMPLE prev = NULL;
	VMT_AUTO_SAMPLE s = NULL;
	struct vmt_model *m = NULL;
	struct vmt_err none = { 0 };
	size_t at = rp->at;
	int r = 0;

	if (rp->shown == at && run->model)
		return 0;
	if (vmt_recording_follows(rp->recording, at)) {
		if (rp->shown == at - 1 && run->sample)
			r = vmt_recorded_copy(run->sample, &prev);
		else
			r = vmt_recording_sample(rp->recording, at - 1, &prev, &none);
		/* Then there are no rates. */
		if (r < 0 && r != -ENOMEM)
			r = 0;
	}
	if (r == 0)
		r = vmt_recording_sample(rp->recording, at, &s, err);
	if (r == 0)
		r = vmt_model_build(s, prev, NULL, &m, err);
	if (r < 0)
		return err->code ? r : vmt_err_set(err, r, NULL, 0, "out of memory");
	vmt_model_free(run->model);
	vmt_sample_free(run->prev);
	vmt_sample_free(run->sample);
	run->model = m;
	run->prev = VMT_STEAL(prev);
	run->sample = VMT_STEAL(s);
	run->doc = (struct vmt_doc){
		.schema = ctx->cmd->name,
		.version = VMTOP_VERSION,
		.model = run->model,
	};
	rp->shown = at;
	rp->untried = SIZE_MAX;
	return 0;
}

int vmt_replay_nearest(struct vmt_replay *rp, struct vmt_run *run, const struct vmt_ctx *ctx,
		       size_t *ret_left_out, bool *ret_stopped, struct vmt_err *err)
{
	bool shows = rp->shown != SIZE_MAX && run->model, back = shows && rp->at < rp->shown;
	bool at_edge = false, near;
	size_t n, edge = back ? rp->first : rp->end - 1;
	int r = 0;

	*ret_stopped = false;
	/* A jump says nothing about what it went over. */
	near = shows && rp->at == (back ? rp->shown - 1 : rp->shown + 1);
	/* On the side of what is shown that it goes to. */
	if (near && rp->untried != SIZE_MAX && (back ? rp->untried < rp->at : rp->untried > rp->at))
		rp->at = rp->untried;
	for (n = 0; n < LEFT_OUT_MAX; n++) {
		struct vmt_err why = { 0 };

		r = vmt_replay_sample(rp, run, ctx, &why);
		if (r < 0 && !err->code)
			*err = why;
		if (r == 0 || r == -ENOMEM)
			break;
		if (rp->at == edge) {
			n++;
			at_edge = true;
			break;
		}
		rp->at += back ? -(size_t)1 : 1;
	}
	*ret_left_out = n;
	*ret_stopped = r < 0 && r != -ENOMEM && !at_edge;
	if (*ret_stopped && near)
		rp->untried = rp->at;
	if (r < 0 && shows)
		rp->at = rp->shown;
	return r;
}

bool vmt_replay_go(struct vmt_replay *rp, size_t at)
{
	size_t was = rp->at;

	/* The recorder may still be at it. */
	if (at >= rp->end && rp->open_end) {
		vmt_recording_refresh(rp->recording, NULL);
		rp->end = vmt_recording_n(rp->recording);
	}
	rp->at = at < rp->first ? rp->first : at >= rp->end ? rp->end - 1 : at;
	return rp->at != was;
}

bool vmt_replay_to(struct vmt_replay *rp, uint64_t realtime_ns)
{
	return vmt_replay_go(rp, vmt_recording_find(rp->recording, realtime_ns));
}

bool vmt_replay_by(struct vmt_replay *rp, int64_t ns)
{
	uint64_t now = vmt_recording_time(rp->recording, rp->at), to;
	size_t was = rp->at;

	if (ns < 0)
		to = now > 0 - (uint64_t)ns ? now + (uint64_t)ns : 0;
	else if (__builtin_add_overflow(now, (uint64_t)ns, &to))
		to = UINT64_MAX;
	vmt_replay_to(rp, to);
	/* By less than lies between two samples: to the next one all the same. */
	if (rp->at == was && ns)
		vmt_replay_go(rp, ns > 0 ? was + 1 : was ? was - 1 : 0);
	return rp->at != was;
}
