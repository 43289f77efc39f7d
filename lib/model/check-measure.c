/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/check-take.h"

#include <inttypes.h>

#include "model/zone-sample.h"

const struct vmt_measure vmt_measures[VMT_MEASURE_COUNT] = {
#define M(id, n, u, needed, from, text)                                                            \
	[VMT_MEASURE_##id] = {                                                                     \
		.name = n, .unit = VMT_CHECK_##u, .needs = needed, .sources = from, .help = text   \
	},
#include "model/check-measure.def"
#undef M
};

enum vmt_measure_id vmt_measure_find(struct vmt_bytes name)
{
	size_t i;

	for (i = 0; i < VMT_MEASURE_COUNT; i++)
		if (vmt_bytes_is(name, vmt_measures[i].name))
			break;
	return (enum vmt_measure_id)i;
}

void vmt_figure_done(struct vmt_figure *f)
{
	vmt_buf_done(&f->text);
	vmt_buf_done(&f->reason);
	*f = (struct vmt_figure){ 0 };
}

void vmt_take_unknown(const struct vmt_take *t, const char *why)
{
	t->f->state = VMT_FIGURE_UNKNOWN;
	vmt_buf_clear(&t->f->reason);
	vmt_buf_adds(&t->f->reason, why);
}

/* There is something now, and was nothing to measure it against. */
#define LATER "known from the next run on"

void vmt_take_nothing(const struct vmt_take *t, const char *why)
{
	vmt_take_unknown(t, why);
	t->f->state = VMT_FIGURE_NOTHING;
}

/* That a source did not give it, with its reason. */
void vmt_take_no_source(const struct vmt_take *t, enum vmt_source_id id)
{
	const struct vmt_source_stat *st = &t->m->sample->sources[id];
	struct vmt_buf *out = &t->f->reason;

	vmt_take_unknown(t, vmt_source_name(id));
	if (st->state == VMT_STATE_OK || st->state == VMT_STATE_UNUSED) {
		vmt_buf_adds(out, " does not say it on this kernel");
		return;
	}
	vmt_buf_addf(out, " %s", vmt_source_state_name(st->state));
	if (st->reason[0]) {
		vmt_buf_adds(out, ": ");
		vmt_fmt_safe(out, vmt_bytes_of(st->reason), true);
	}
}

bool vmt_take_known(const struct vmt_take *t, int64_t milli)
{
	t->f->state = VMT_FIGURE_KNOWN;
	t->f->value = milli;
	return true;
}

static int64_t to_milli(uint64_t v)
{
	return v > INT64_MAX / 1000 ? -1 : (int64_t)v * 1000;
}

/* A number that has thousandths; false, and unknown, where it has no room. */
static bool known_whole(const struct vmt_take *t, uint64_t v)
{
	int64_t milli = to_milli(v);

	if (milli >= 0)
		return vmt_take_known(t, milli);
	vmt_take_unknown(t, "the number is too large");
	return false;
}

void vmt_take_say(const struct vmt_take *t, int64_t milli)
{
	vmt_check_figure(&t->f->text, milli, t->unit);
}

static void bytes(const struct vmt_take *t, uint64_t v)
{
	vmt_check_figure(&t->f->text, to_milli(v), VMT_CHECK_BYTES);
}

/* v of total, as "6.0% (1.41GiB of 23.5GiB" with the bracket open. */
static void part(const struct vmt_take *t, uint64_t v, uint64_t total)
{
	if (total)
		vmt_check_figure(&t->f->text, (int64_t)((unsigned __int128)v * 100000 / total),
				 VMT_CHECK_PERCENT);
	else
		bytes(t, v);
	vmt_buf_adds(&t->f->text, " (");
	bytes(t, v);
	vmt_buf_adds(&t->f->text, " of ");
	bytes(t, total);
}

/* A size that is a part of another. */
static void take_part(const struct vmt_take *t, bool has, uint64_t v, uint64_t total,
		      enum vmt_source_id source)
{
	if (!has) {
		vmt_take_no_source(t, source);
		return;
	}
	if (!known_whole(t, v))
		return;
	t->f->total = to_milli(total);
	part(t, v, total);
	vmt_buf_addc(&t->f->text, ')');
}

static void take_commit(const struct vmt_take *t)
{
	const struct vmt_system *s = &t->m->system;

	if (!VMT_HAS(system, committed_bytes, s) || !VMT_HAS(system, commit_limit_bytes, s)) {
		vmt_take_no_source(t, VMT_SOURCE_MEMINFO);
		return;
	}
	if (s->commit_limit_bytes == 0) {
		vmt_take_nothing(t, "the limit is 0");
		return;
	}
	vmt_take_known(t, (int64_t)((unsigned __int128)s->committed_bytes * 100000 /
				    s->commit_limit_bytes));
	part(t, s->committed_bytes, s->commit_limit_bytes);
	vmt_buf_addc(&t->f->text, ')');
}

static void take_pressure(const struct vmt_take *t, const char *kind, bool minute)
{
	size_t i;

	for (i = 0; i < t->m->n_pressure; i++) {
		const struct vmt_pressure *p = &t->m->pressure[i];
		bool has = minute ? VMT_HAS(pressure, avg60_percent, p)
				  : VMT_HAS(pressure, avg10_percent, p);

		if (!has || !vmt_bytes_is(p->resource, "memory") || !vmt_bytes_is(p->kind, kind))
			continue;
		vmt_take_known(t, (int64_t)(minute ? p->avg60_percent : p->avg10_percent));
		vmt_take_say(t, t->f->value);
		return;
	}
	vmt_take_no_source(t, VMT_SOURCE_PRESSURE);
}

/* In which time it was. */
static void over(const struct vmt_take *t)
{
	vmt_buf_adds(&t->f->text, " (over ");
	vmt_fmt_duration(&t->f->text, t->dt_ns);
	vmt_buf_addc(&t->f->text, ')');
}

/* How far a counter went since prev; false, with why, where that is not known. */
static bool went(const struct vmt_take *t, unsigned index, uint64_t *ret)
{
	const struct vmt_field *field = &vmt_entity_system.fields[index];
	uint64_t now = vmt_field_number(field, &t->m->system);
	uint64_t before = vmt_field_number(field, &t->prev->system);

	if (!vmt_row_has(&t->m->system.row, index)) {
		vmt_take_no_source(t, VMT_SOURCE_VMSTAT);
		return false;
	}
	/* The last run was not asked for a counter, and kept none. */
	if (!vmt_row_has(&t->prev->system.row, index)) {
		vmt_take_nothing(t, LATER);
		return false;
	}
	if (now < before) {
		vmt_take_unknown(t, "the counter went back");
		return false;
	}
	*ret = now - before;
	return true;
}

#define WENT(t, member, ret) went(t, VMT_FIELD_system_##member, ret)

/* A rate that the model made of two counters, or of one that is given twice. */
static void take_rate(const struct vmt_take *t, bool has, uint64_t milli, unsigned one,
		      unsigned two)
{
	uint64_t n;

	if (has) {
		vmt_take_known(t, milli > INT64_MAX ? INT64_MAX : (int64_t)milli);
		vmt_take_say(t, t->f->value);
		over(t);
	} else if (went(t, one, &n) && went(t, two, &n)) {
		vmt_take_unknown(t, "the number is too large");
	}
}

#define RATE(t, rate, one, two)                                                                    \
	take_rate(t, VMT_HAS(system, rate, &(t)->m->system), (t)->m->system.rate,                  \
		  VMT_FIELD_system_##one, VMT_FIELD_system_##two)

static void take_oom_kills(const struct vmt_take *t)
{
	uint64_t n;

	if (!WENT(t, oom_kill_total, &n) || !known_whole(t, n))
		return;
	vmt_take_say(t, t->f->value);
	over(t);
}

static void take_thp(const struct vmt_take *t)
{
	uint64_t failed, got, all;

	if (!WENT(t, thp_fault_fallback_total, &failed) || !WENT(t, thp_fault_alloc_total, &got))
		return;
	if (__builtin_add_overflow(failed, got, &all)) {
		vmt_take_unknown(t, "the number is too large");
		return;
	}
	if (all == 0) {
		vmt_take_nothing(t, "no fault wanted a huge page");
		return;
	}
	vmt_take_known(t, (int64_t)((unsigned __int128)failed * 100000 / all));
	vmt_take_say(t, t->f->value);
	vmt_buf_addf(&t->f->text, " (%" PRIu64 " of %" PRIu64 " faults)", failed, all);
}

static bool has_marks(const struct vmt_zone_row *z)
{
	/* A zone without memory has marks of 0 and is below none. */
	return VMT_HAS(zone, free_bytes, z) && VMT_HAS(zone, low_bytes, z) &&
	       VMT_HAS(zone, managed_bytes, z) && z->managed_bytes > 0;
}

static void name_zone(const struct vmt_take *t, const struct vmt_zone_row *z)
{
	vmt_buf_addf(&t->f->text, "node %" PRIu64 " ", z->node);
	vmt_fmt_safe(&t->f->text, z->zone, true);
	vmt_buf_adds(&t->f->text, ": free ");
	bytes(t, z->free_bytes);
	vmt_buf_adds(&t->f->text, ", low ");
	bytes(t, z->low_bytes);
}

static void take_zones_low(const struct vmt_take *t)
{
	const struct vmt_model *m = t->m;
	size_t i, n = 0, any = 0;

	for (i = 0; i < m->n_zones; i++) {
		if (!has_marks(&m->zones[i]))
			continue;
		any++;
		n += m->zones[i].free_bytes < m->zones[i].low_bytes;
	}
	if (!any) {
		vmt_take_no_source(t, VMT_SOURCE_ZONEINFO);
		return;
	}
	known_whole(t, n);
	vmt_take_say(t, t->f->value);
	vmt_buf_addf(&t->f->text, " of %zu", any);
	for (i = 0; n && i < m->n_zones; i++) {
		const struct vmt_zone_row *z = &m->zones[i];

		if (!has_marks(z) || z->free_bytes >= z->low_bytes)
			continue;
		vmt_buf_adds(&t->f->text, " (");
		name_zone(t, z);
		vmt_buf_addc(&t->f->text, ')');
		break;
	}
}

static void take_zone_distance(const struct vmt_take *t)
{
	const struct vmt_zone_row *worst = NULL;
	int64_t least = INT64_MAX;
	size_t i;

	for (i = 0; i < t->m->n_zones; i++) {
		const struct vmt_zone_row *z = &t->m->zones[i];
		int64_t free = has_marks(z) ? to_milli(z->free_bytes) : -1;
		int64_t low = has_marks(z) ? to_milli(z->low_bytes) : -1;

		if (free < 0 || low < 0 || free - low >= least)
			continue;
		least = free - low;
		worst = z;
	}
	if (!worst) {
		vmt_take_no_source(t, VMT_SOURCE_ZONEINFO);
		return;
	}
	vmt_take_known(t, least);
	t->f->total = to_milli(worst->low_bytes);
	vmt_take_say(t, least);
	vmt_buf_adds(&t->f->text, " (");
	name_zone(t, worst);
	vmt_buf_addc(&t->f->text, ')');
}

/* Order 9 is a huge page where pages have 4 KiB. */
#define LARGE_ORDER 9

static void take_frag(const struct vmt_take *t)
{
	const struct vmt_model *m = t->m;
	uint64_t all = 0, large = 0, block = 0;
	size_t i;

	for (i = 0; i < m->n_orders; i++) {
		const struct vmt_order *o = &m->orders[i];

		if (!VMT_HAS(order, free_bytes, o) || !VMT_HAS(order, order, o))
			continue;
		all += o->free_bytes;
		if (o->order >= LARGE_ORDER)
			large += o->free_bytes;
		if (o->order == LARGE_ORDER && VMT_HAS(order, block_bytes, o))
			block = o->block_bytes;
	}
	if (m->n_orders == 0) {
		vmt_take_no_source(t, VMT_SOURCE_BUDDYINFO);
		return;
	}
	if (all == 0) {
		vmt_take_nothing(t, "nothing is free");
		return;
	}
	vmt_take_known(t, (int64_t)((unsigned __int128)large * 100000 / all));
	part(t, large, all);
	vmt_buf_adds(&t->f->text, " free in blocks of ");
	bytes(t, block);
	vmt_buf_adds(&t->f->text, " and more)");
}

static void name_limit(const struct vmt_take *t, const struct vmt_cgroup *c)
{
	vmt_buf_adds(&t->f->text, ", ");
	if (VMT_HAS(cgroup, binds, c))
		vmt_fmt_safe(&t->f->text, c->binds, true);
	if (VMT_HAS(cgroup, tightest, c)) {
		vmt_buf_adds(&t->f->text, " of ");
		vmt_fmt_safe(&t->f->text, c->tightest, true);
	}
	vmt_buf_addc(&t->f->text, ')');
}

static void take_cgroup(const struct vmt_take *t, bool available)
{
	const struct vmt_model *m = t->m;
	size_t at = m->sample->cgroup_facts.first;
	const struct vmt_cgroup *c = at < m->n_cgroups ? &m->cgroups[at] : NULL;
	bool has_limit = c && VMT_HAS(cgroup, tightest_limit_bytes, c) &&
			 VMT_HAS(cgroup, tightest_current_bytes, c);

	if (!c || (available ? !VMT_HAS(cgroup, available_bytes, c)
			     : !VMT_HAS(cgroup, distance_bytes, c))) {
		vmt_take_no_source(t, VMT_SOURCE_MEMCG);
		return;
	}
	if (has_limit)
		t->f->total = to_milli(c->tightest_limit_bytes);
	if (available) {
		if (!known_whole(t, c->available_bytes))
			return;
	} else {
		vmt_take_known(t, c->distance_bytes > INT64_MAX / 1000 ? INT64_MAX
				  : c->distance_bytes < INT64_MIN / 1000
					  ? INT64_MIN
					  : c->distance_bytes * 1000);
	}
	if (!has_limit) {
		vmt_take_say(t, t->f->value);
		return;
	}
	if (t->f->value >= 0) {
		part(t, (uint64_t)t->f->value / 1000, c->tightest_limit_bytes);
	} else {
		vmt_take_say(t, t->f->value);
		vmt_buf_adds(&t->f->text, " (limit ");
		bytes(t, c->tightest_limit_bytes);
	}
	vmt_buf_adds(&t->f->text, " - ");
	bytes(t, c->tightest_current_bytes);
	if (available && VMT_HAS(cgroup, tightest_reclaimable_bytes, c)) {
		vmt_buf_adds(&t->f->text, " + reclaimable ");
		vmt_check_figure(&t->f->text, c->tightest_reclaimable_bytes * 1000,
				 VMT_CHECK_BYTES);
	}
	name_limit(t, c);
}

static void take_missing(const struct vmt_take *t)
{
	struct vmt_buf *out = &t->f->text;
	size_t i, n = 0, asked = 0;

	for (i = VMT_SOURCE_NONE + 1; i < VMT_SOURCE_COUNT; i++) {
		enum vmt_source_state state = t->m->sample->sources[i].state;

		if (!(t->want->sources >> i & 1) || state == VMT_STATE_UNUSED)
			continue;
		asked++;
		n += state != VMT_STATE_OK && state != VMT_STATE_PARTIAL;
	}
	if (asked == 0) {
		vmt_take_unknown(t, "no source was asked for");
		return;
	}
	known_whole(t, n);
	vmt_buf_addf(out, "%zu of %zu", n, asked);
	for (i = VMT_SOURCE_NONE + 1, n = 0; i < VMT_SOURCE_COUNT; i++) {
		const struct vmt_source_stat *st = &t->m->sample->sources[i];

		if (!(t->want->sources >> i & 1) || st->state == VMT_STATE_UNUSED ||
		    st->state == VMT_STATE_OK || st->state == VMT_STATE_PARTIAL)
			continue;
		vmt_buf_addf(out, "%s%s %s", n++ ? ", " : " (",
			     vmt_source_name((enum vmt_source_id)i),
			     vmt_source_state_name(st->state));
	}
	if (n)
		vmt_buf_addc(out, ')');
}

static void take(const struct vmt_take *t)
{
	const struct vmt_system *s = &t->m->system;

	switch (t->want->measure) {
	case VMT_MEASURE_AVAILABLE:
		take_part(t, VMT_HAS(system, available_bytes, s) && VMT_HAS(system, total_bytes, s),
			  s->available_bytes, s->total_bytes, VMT_SOURCE_MEMINFO);
		break;
	case VMT_MEASURE_SWAP_USED:
		take_part(t,
			  VMT_HAS(system, swap_used_bytes, s) &&
				  VMT_HAS(system, swap_total_bytes, s),
			  s->swap_used_bytes, s->swap_total_bytes, VMT_SOURCE_MEMINFO);
		break;
	case VMT_MEASURE_COMMIT:
		take_commit(t);
		break;
	case VMT_MEASURE_PSI_SOME_10:
	case VMT_MEASURE_PSI_SOME_60:
		take_pressure(t, "some", t->want->measure == VMT_MEASURE_PSI_SOME_60);
		break;
	case VMT_MEASURE_PSI_FULL_10:
	case VMT_MEASURE_PSI_FULL_60:
		take_pressure(t, "full", t->want->measure == VMT_MEASURE_PSI_FULL_60);
		break;
	case VMT_MEASURE_MAJFLT:
		RATE(t, pgmajfault_per_second, pgmajfault_total, pgmajfault_total);
		break;
	case VMT_MEASURE_REFAULT:
		RATE(t, workingset_refault_per_second, workingset_refault_anon_total,
		     workingset_refault_file_total);
		break;
	case VMT_MEASURE_DIRECT_RECLAIM:
		RATE(t, pgscan_direct_per_second, pgscan_direct_total, pgscan_direct_total);
		break;
	case VMT_MEASURE_OOM_KILL:
		take_oom_kills(t);
		break;
	case VMT_MEASURE_THP_FALLBACK:
		take_thp(t);
		break;
	case VMT_MEASURE_ZONE_LOW:
		take_zones_low(t);
		break;
	case VMT_MEASURE_ZONE_DISTANCE:
		take_zone_distance(t);
		break;
	case VMT_MEASURE_FRAG:
		take_frag(t);
		break;
	case VMT_MEASURE_MAPS_COUNT:
		vmt_take_maps(t);
		break;
	case VMT_MEASURE_PROC_RSS:
		vmt_take_proc(t, VMT_FIELD_proc_rss_bytes, VMT_FIELD_proc_rss_bytes,
			      VMT_SOURCE_STATUS);
		break;
	case VMT_MEASURE_PROC_PSS:
		vmt_take_proc(t, VMT_FIELD_proc_pss_bytes, VMT_FIELD_proc_pss_bytes,
			      VMT_SOURCE_ROLLUP);
		break;
	case VMT_MEASURE_PROC_SWAP:
		vmt_take_proc(t, VMT_FIELD_proc_swap_bytes, VMT_FIELD_proc_swap_bytes,
			      VMT_SOURCE_STATUS);
		break;
	case VMT_MEASURE_PROC_GROWTH:
		vmt_take_growth(t);
		break;
	case VMT_MEASURE_FAULT_P99:
		vmt_take_p99(t);
		break;
	case VMT_MEASURE_CGROUP_AVAILABLE:
	case VMT_MEASURE_CGROUP_DISTANCE:
		take_cgroup(t, t->want->measure == VMT_MEASURE_CGROUP_AVAILABLE);
		break;
	case VMT_MEASURE_SOURCE_MISSING:
		take_missing(t);
		break;
	case VMT_MEASURE_COUNT:
		break;
	}
}

int vmt_figure_take(const struct vmt_model *m, const struct vmt_sample *prev,
		    const struct vmt_figure_want *want, struct vmt_figure *ret)
{
	const struct vmt_take t = {
		.m = m,
		.prev = prev,
		.want = want,
		.f = ret,
		.unit = vmt_measures[want->measure].unit,
		.dt_ns = vmt_time_between(m->sample, prev),
	};

	vmt_buf_clear(&ret->text);
	vmt_buf_clear(&ret->reason);
	ret->state = VMT_FIGURE_UNKNOWN;
	ret->value = 0;
	ret->total = -1;
	if (vmt_measures[want->measure].needs & VMT_NEEDS_BEFORE && !t.dt_ns)
		vmt_take_nothing(&t, LATER);
	else
		take(&t);
	return vmt_buf_error(&ret->text) < 0 ? vmt_buf_error(&ret->text)
					     : vmt_buf_error(&ret->reason);
}
