/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/check-plan.h"

/* What the command line is about, while its words are gone through. */
struct line {
	struct vmt_ctx *ctx;
	struct vmt_check_plan *plan;
	struct vmt_check_item *item; /* that options belong to; NULL before the first */
	const char *common[3]; /* pid, comm, cgroup that were given before the first */
};

static const char *const common_keys[] = { "pid", "comm", "cgroup" };

static int add_operand(struct line *l, const char *word)
{
	struct vmt_err err = { 0 };
	int r = 0;
	size_t i;

	l->item = vmt_check_plan_add(l->plan, vmt_bytes_of(word));
	if (!l->item)
		return vmt_no_memory(l->ctx);
	r = vmt_check_item_set(l->item, "metric", word, &err);
	for (i = 0; r == 0 && i < VMT_ARRAY_LEN(common_keys); i++)
		if (l->common[i])
			r = vmt_check_item_set(l->item, common_keys[i], l->common[i], &err);
	return r < 0 ? vmt_usage_error(l->ctx, "%s", err.text) : 0;
}

static int take_option(struct line *l, const char *key, const char *value)
{
	bool limit = strcmp(key, "warning") == 0 || strcmp(key, "critical") == 0, common = false;
	struct vmt_err err = { 0 };
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(common_keys); i++) {
		if (strcmp(key, common_keys[i]) != 0)
			continue;
		common = true;
		if (!l->item)
			l->common[i] = value;
	}
	if (!limit && !common)
		return 0;
	if (!l->item)
		return common ? 0
			      : vmt_usage_error(l->ctx,
						"--%s: of which metric? it stands behind it", key);
	if (vmt_check_item_set(l->item, key, value, &err) < 0)
		return vmt_usage_error(l->ctx, "%s: --%s: %s", l->item->name, key, err.text);
	return 0;
}

int vmt_check_plan_parse(struct vmt_ctx *ctx, struct vmt_check_plan *plan)
{
	const char *config = vmt_ctx_value(ctx, "config");
	struct line l = { .ctx = ctx, .plan = plan };
	struct vmt_err err = { 0 };
	size_t i;
	int r = 0;

	if (config && vmt_check_config_read(plan, config, &err) < 0)
		return vmt_complain_err(ctx, &err);
	for (i = 0; r == 0 && i < ctx->n_given; i++)
		r = ctx->given[i].opt == &vmt_opt_operand
			    ? add_operand(&l, ctx->given[i].value)
			    : take_option(&l, ctx->given[i].opt->name, ctx->given[i].value);
	/* Those of the file have their own: what is given for none is no filter of them. */
	for (i = 0; r == 0 && !l.item && i < VMT_ARRAY_LEN(common_keys); i++)
		if (l.common[i])
			r = vmt_usage_error(ctx, "--%s: of which metric? none is given with it",
					    common_keys[i]);
	for (i = 0; r == 0 && i < plan->n; i++)
		if (vmt_check_item_complete(&plan->items[i], &err) < 0)
			r = vmt_usage_error(ctx, "%s", err.text);
	if (r)
		return r;
	if (!plan->n)
		return vmt_usage_error(ctx, "what is to be checked? (see --list)");
	return 0;
}
