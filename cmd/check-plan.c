/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/check-plan.h"

#include "base/parse.h"
#include "view/perfdata.h"

#define PIDS_MAX 1024

static void item_done(struct vmt_check_item *item)
{
	free(item->name);
	free(item->label);
	free(item->comm);
	free(item->cgroup);
	free(item->pids);
	vmt_figure_done(&item->figure);
	vmt_judged_done(&item->judged);
}

void vmt_check_plan_done(struct vmt_check_plan *plan)
{
	size_t i;

	for (i = 0; i < plan->n; i++)
		item_done(&plan->items[i]);
	free(plan->items);
	*plan = (struct vmt_check_plan){ 0 };
}

/* Performance data has "_" for much, and would have two values of one name. */
static bool same_label(const char *one, const char *two)
{
	VMT_AUTO_BUF a = { 0 }, b = { 0 };

	vmt_perf_label(&a, vmt_bytes_of(one));
	vmt_perf_label(&b, vmt_bytes_of(two));
	return vmt_bytes_equal((struct vmt_bytes){ a.data, a.len },
			       (struct vmt_bytes){ b.data, b.len });
}

/* A label that none before it has. */
static int make_label(struct vmt_check_plan *plan, struct vmt_check_item *item)
{
	unsigned again = 1;
	size_t i;

	if (asprintf(&item->label, "%s", item->name) < 0)
		item->label = NULL;
	for (i = 0; item->label && i < plan->n; i++) {
		if (!same_label(plan->items[i].label, item->label))
			continue;
		free(item->label);
		if (asprintf(&item->label, "%s_%u", item->name, ++again) < 0)
			item->label = NULL;
		/* All of them, from the first on. */
		i = SIZE_MAX;
	}
	return item->label ? 0 : -ENOMEM;
}

struct vmt_check_item *vmt_check_plan_add(struct vmt_check_plan *plan, struct vmt_bytes name)
{
	struct vmt_check_item item = { .want = { .measure = VMT_MEASURE_COUNT } };

	if (vmt_grow(&plan->items, &plan->cap, plan->n + 1, sizeof(*plan->items)) < 0)
		return NULL;
	item.name = strndup(name.ptr, name.len);
	if (!item.name || make_label(plan, &item) < 0) {
		item_done(&item);
		return NULL;
	}
	plan->items[plan->n] = item;
	return &plan->items[plan->n++];
}

static int set_pids(struct vmt_check_item *item, const char *value, struct vmt_err *err)
{
	VMT_AUTO_BUF word = { 0 };
	size_t cap = 0;

	free(item->pids);
	item->pids = NULL;
	item->want.n_pids = 0;
	while (*value) {
		size_t len = strcspn(value, ", "), n = item->want.n_pids;

		vmt_buf_clear(&word);
		vmt_buf_add(&word, value, len);
		value += len + (value[len] ? 1 : 0);
		if (n == PIDS_MAX)
			return vmt_err_set(err, -EINVAL, NULL, 0, "more than %d processes",
					   PIDS_MAX);
		if (vmt_buf_error(&word) < 0 ||
		    vmt_grow(&item->pids, &cap, n + 1, sizeof(*item->pids)) < 0)
			return vmt_err_set(err, -ENOMEM, NULL, 0, "out of memory");
		if (vmt_parse_pid(word.data, &item->pids[n]) < 0)
			return vmt_err_set(err, -EINVAL, NULL, 0, "'%.40s' is no process id",
					   word.data);
		item->want.n_pids++;
	}
	/* An unset variable does not mean all of them. */
	if (!item->want.n_pids)
		return vmt_err_set(err, -EINVAL, NULL, 0, "no process id given");
	item->want.pids = item->pids;
	return 0;
}

static int set_text(char **to, const char *value, const char *what, struct vmt_err *err)
{
	if (!*value)
		return vmt_err_set(err, -EINVAL, NULL, 0, "%s is empty", what);
	free(*to);
	*to = strdup(value);
	return *to ? 0 : vmt_err_set(err, -ENOMEM, NULL, 0, "out of memory");
}

static int set_metric(struct vmt_check_item *item, const char *value, struct vmt_err *err)
{
	enum vmt_measure_id id = vmt_measure_find(vmt_bytes_of(value));

	if (id == VMT_MEASURE_COUNT)
		return vmt_err_set(err, -EINVAL, NULL, 0, "no metric '%.60s': see --list", value);
	item->want.measure = id;
	return 0;
}

int vmt_check_item_set(struct vmt_check_item *item, const char *key, const char *value,
		       struct vmt_err *err)
{
	bool warning = strcmp(key, "warning") == 0;
	int r;

	if (strcmp(key, "metric") == 0)
		return set_metric(item, value, err);
	if (strcmp(key, "pid") == 0)
		return set_pids(item, value, err);
	if (strcmp(key, "comm") == 0) {
		r = set_text(&item->comm, value, "the name", err);
		item->want.comm = item->comm;
		return r;
	}
	if (strcmp(key, "cgroup") == 0)
		return set_text(&item->cgroup, value, "the path of a cgroup", err);
	if (!warning && strcmp(key, "critical") != 0)
		return vmt_err_set(err, -EINVAL, NULL, 0,
				   "no setting '%.40s': metric, warning, critical, pid, comm, "
				   "cgroup",
				   key);
	return vmt_range_parse(value, vmt_measures[item->want.measure].unit,
			       warning ? &item->warning : &item->critical, err);
}

static bool has_percent(const struct vmt_range *r)
{
	return r->given && (r->low.kind == VMT_BOUND_PERCENT || r->high.kind == VMT_BOUND_PERCENT);
}

int vmt_check_item_complete(const struct vmt_check_item *item, struct vmt_err *err)
{
	const struct vmt_measure *m = &vmt_measures[item->want.measure];

	if (m->needs & VMT_NEEDS_PROCS && !item->want.pids && !item->comm)
		return vmt_err_set(err, -EINVAL, NULL, 0,
				   "%s is of processes: which, by pid or comm", m->name);
	if (m->needs & VMT_NEEDS_PROCS &&
	    (has_percent(&item->warning) || has_percent(&item->critical)))
		return vmt_err_set(err, -EINVAL, NULL, 0,
				   "%s is no part of a total: its limits are bytes, not percents",
				   m->name);
	if (m->needs & VMT_NEEDS_CGROUP && !item->cgroup)
		return vmt_err_set(err, -EINVAL, NULL, 0, "%s is of a cgroup: which", m->name);
	return 0;
}

unsigned vmt_check_plan_needs(const struct vmt_check_plan *plan)
{
	unsigned needs = 0;
	size_t i;

	for (i = 0; i < plan->n; i++)
		needs |= vmt_measures[plan->items[i].want.measure].needs;
	return needs;
}
