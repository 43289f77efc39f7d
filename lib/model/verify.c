/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/verify.h"

#include <errno.h>

#define KIB UINT64_C(1024)

struct check_def {
	const char *id;
	const char *identity;
	const char *note;
};

static const struct check_def defs[VMT_CHECKS] = {
	[VMT_CHECK_V1] = { "V1", "sum of Rss in smaps = Rss of smaps_rollup",
			   "on some kernels not while the process maps and unmaps: see V1-churn" },
	[VMT_CHECK_V2] = { "V2",
			   "sum of Rss in smaps = resident of statm = VmRSS = RssAnon + RssFile + "
			   "RssShmem",
			   "the counters of some kernels lag behind, by threads (before 6.2) or "
			   "processors: bounded by 64 x 16 pages a thread" },
	[VMT_CHECK_V3] = { "V3",
			   "Shared_Clean + Shared_Dirty + Private_Clean + Private_Dirty = Rss, in "
			   "each mapping",
			   "of one reading of smaps" },
	[VMT_CHECK_V4] = { "V4",
			   "Pss of smaps_rollup - sum of Pss in smaps is 0 to 1 KiB a mapping",
			   "smaps rounds each mapping down; PSS changes with every process that maps "
			   "the same pages" },
	[VMT_CHECK_V5] = { "V5", "sum of Size = size of statm",
			   "without [vsyscall], which belongs to the kernel" },
	[VMT_CHECK_V6] = { "V6",
			   "present pages of pagemap, zero page left out = Rss, in each mapping",
			   "hugetlb and device memory left out; needs to tell the zero page: "
			   "PAGEMAP_SCAN (6.7) or CAP_SYS_ADMIN" },
	[VMT_CHECK_V7] = { "V7",
			   "Anonymous, Referenced <= Rss, AnonHugePages <= Anonymous, Locked <= Pss, "
			   "SwapPss <= Swap, in each mapping",
			   "of one reading of smaps" },
	[VMT_CHECK_CHURN] = { "V1-churn",
			      "smaps_rollup has all that is resident while vmtop itself maps and "
			      "unmaps",
			      "where it is off, smaps_rollup (ps --pss) leaves mappings out of busy "
			      "processes; smaps is right" },
	[VMT_CHECK_V8] = { "V8", "MemTotal = managed pages of all zones",
			   "off where a balloon or hot-plug took or gave memory behind the counter" },
	[VMT_CHECK_V9_FILE] = { "V9-file", "Buffers + Cached + SwapCached = nr_file_pages", NULL },
	[VMT_CHECK_V9_FREE] = { "V9-free", "MemFree = nr_free_pages",
				"off where a balloon hides itself in one of them" },
	[VMT_CHECK_V9_SLAB] = { "V9-slab", "Slab = SReclaimable + SUnreclaim", NULL },
	[VMT_CHECK_V9_ACTIVE] = { "V9-active", "Active = Active(anon) + Active(file)", NULL },
	[VMT_CHECK_V9_ANON] = { "V9-anon", "AnonPages = nr_anon_pages", NULL },
	[VMT_CHECK_V10] = { "V10",
			    "MemTotal less all that the kernel counts (vmtop free) = unaccounted",
			    "no identity: memory of drivers and the like; its growth is a leak" },
	[VMT_CHECK_V11] = { "V11", "used = MemTotal - MemAvailable, as free(1) of procps 4",
			    "off by: used less total - free - buff/cache, the older definition" },
	[VMT_CHECK_V12] = { "V12", "meminfo and vmstat as libproc2 reads them = as vmtop does",
			    "libproc2 is the reader of free, vmstat and top" },
};

uint64_t vmt_verify_rss_lag(const struct vmt_proc *p, uint64_t page_size)
{
	uint64_t threads = VMT_HAS(proc, threads, p) ? p->threads : 1, lag;

	return __builtin_mul_overflow(threads, page_size * 64 * 16, &lag) ? UINT64_MAX : lag;
}

static const char *verdict_name(enum vmt_verdict v)
{
	switch (v) {
	case VMT_VERDICT_HOLDS:
		return "holds";
	case VMT_VERDICT_BOUNDED:
		return "bounded";
	case VMT_VERDICT_DRIFTED:
		return "drifted";
	case VMT_VERDICT_OFF:
		return "off";
	case VMT_VERDICT_NONE:
		break;
	}
	return "not_checkable";
}

static uint64_t size_of(int64_t off)
{
	return off < 0 ? -(uint64_t)off : (uint64_t)off;
}

/* What does not fit into a number with a sign is of a broken file; it stays as large as it can be.
 */
static int64_t with_sign(uint64_t size, bool negative)
{
	int64_t v = size > INT64_MAX ? INT64_MAX : (int64_t)size;

	return negative ? -v : v;
}

/* v less the nearer end of [a, b] or [b, a]; 0 inside. */
static int64_t outside(uint64_t v, uint64_t a, uint64_t b)
{
	uint64_t low = a < b ? a : b, high = a < b ? b : a;

	if (v < low)
		return with_sign(low - v, true);
	return v > high ? with_sign(v - high, false) : 0;
}

static struct vmt_outcome judge(int64_t off, uint64_t bound, bool settled)
{
	struct vmt_outcome o = { .off = off, .checked = 1 };

	if (off == 0)
		o.verdict = VMT_VERDICT_HOLDS;
	else if (size_of(off) <= bound)
		o.verdict = VMT_VERDICT_BOUNDED;
	else if (!settled)
		o.verdict = VMT_VERDICT_DRIFTED;
	else
		o.verdict = VMT_VERDICT_OFF;
	o.failed = o.verdict == VMT_VERDICT_OFF;
	return o;
}

/* The page of vsyscall is the kernel's; so is that of [vectors]. */
static bool is_gate(const struct vmt_map *m)
{
	return m->end > INT64_MAX || vmt_bytes_is(m->path, "[vectors]");
}

struct sums {
	uint64_t size, rss, pss;
	bool has_rss, has_pss; /* of all mappings */
};

static struct sums sum_up(const struct vmt_reading *r)
{
	struct sums s = { .has_rss = true, .has_pss = true };
	size_t i;

	for (i = 0; i < r->n_smaps; i++) {
		const struct vmt_map *m = &r->smaps[i];

		if (!is_gate(m))
			s.size += m->end - m->start;
		s.rss += VMT_HAS(map, rss_bytes, m) ? m->rss_bytes : 0;
		s.has_rss &= VMT_HAS(map, rss_bytes, m);
		s.pss += VMT_HAS(map, pss_bytes, m) ? m->pss_bytes : 0;
		s.has_pss &= VMT_HAS(map, pss_bytes, m);
	}
	return s;
}

#define BOTH(member, r) (VMT_HAS(proc, member, (r)->first) && VMT_HAS(proc, member, (r)->last))

static void v1(const struct vmt_reading *r, const struct sums *s, struct vmt_outcome *out)
{
	uint64_t a = r->first->rollup_rss_bytes, b = r->last->rollup_rss_bytes;

	if (s->has_rss && BOTH(rollup_rss_bytes, r))
		*out = judge(outside(s->rss, a, b), 0, r->same_list && a == b);
}

static uint64_t parts(const struct vmt_proc *p)
{
	return p->anonymous_bytes + p->file_bytes + p->shmem_bytes;
}

static void v2(const struct vmt_reading *r, const struct sums *s, struct vmt_outcome *out)
{
	uint64_t a = r->first->rss_bytes, b = r->last->rss_bytes;
	int64_t off, other;

	if (!s->has_rss || !BOTH(rss_bytes, r) || !VMT_HAS(proc, rss_bytes, r->middle))
		return;
	off = outside(s->rss, a, b);
	other = outside(r->middle->rss_bytes, a, b);
	if (size_of(other) > size_of(off))
		off = other;
	/* The parts are of the same instant as their sum. */
	if (BOTH(anonymous_bytes, r) && BOTH(file_bytes, r) && BOTH(shmem_bytes, r)) {
		other = outside(parts(r->first), a, a);
		if (size_of(other) > size_of(off))
			off = other;
		other = outside(parts(r->last), b, b);
		if (size_of(other) > size_of(off))
			off = other;
	}
	*out = judge(off, vmt_verify_rss_lag(r->first, r->page_size), r->same_list && a == b);
}

/* Puts a mapping into the outcome of a check that looks at each. */
static void each(struct vmt_outcome *out, const struct vmt_map *m, int64_t off, bool settled)
{
	struct vmt_outcome o = judge(off, 0, settled);

	if (out->verdict == VMT_VERDICT_NONE)
		*out = (struct vmt_outcome){ .verdict = VMT_VERDICT_HOLDS };
	out->checked++;
	out->failed += o.failed;
	if (o.verdict > out->verdict)
		out->verdict = o.verdict;
	if (size_of(off) > size_of(out->off)) {
		out->off = off;
		out->address = m->start;
		out->has_address = true;
	}
}

static void v3(const struct vmt_reading *r, struct vmt_outcome *out)
{
	size_t i;

	for (i = 0; i < r->n_smaps; i++) {
		const struct vmt_map *m = &r->smaps[i];

		if (!VMT_HAS(map, rss_bytes, m) || !VMT_HAS(map, shared_clean_bytes, m) ||
		    !VMT_HAS(map, shared_dirty_bytes, m) || !VMT_HAS(map, private_clean_bytes, m) ||
		    !VMT_HAS(map, private_dirty_bytes, m))
			continue;
		each(out, m,
		     outside(m->shared_clean_bytes + m->shared_dirty_bytes +
				     m->private_clean_bytes + m->private_dirty_bytes,
			     m->rss_bytes, m->rss_bytes),
		     true);
	}
}

static void v4(const struct vmt_reading *r, const struct sums *s, struct vmt_outcome *out)
{
	uint64_t a = r->first->pss_bytes, b = r->last->pss_bytes, rounding = r->n_smaps * KIB, low;

	if (!s->has_pss || !BOTH(pss_bytes, r))
		return;
	low = a < b ? a : b;
	low = low > rounding ? low - rounding : 0;
	*out = judge(outside(s->pss, low, a > b ? a : b), 0, r->same_list && a == b);
}

static void v5(const struct vmt_reading *r, const struct sums *s, struct vmt_outcome *out)
{
	uint64_t a = r->first->vsize_bytes, b = r->last->vsize_bytes;
	int64_t off, other;

	if (!BOTH(vsize_bytes, r) || !VMT_HAS(proc, vsize_bytes, r->middle))
		return;
	off = outside(s->size, a, b);
	other = outside(r->middle->vsize_bytes, a, b);
	*out = judge(size_of(other) > size_of(off) ? other : off, 0, r->same_list && a == b);
}

static void v6(const struct vmt_reading *r, struct vmt_outcome *out)
{
	bool settled = r->same_list && BOTH(rss_bytes, r) &&
		       r->first->rss_bytes == r->last->rss_bytes && BOTH(rollup_rss_bytes, r) &&
		       r->first->rollup_rss_bytes == r->last->rollup_rss_bytes;
	size_t i, k = 0;

	if (!r->pages_exact)
		return;
	for (i = 0; i < r->n_smaps; i++) {
		const struct vmt_map *m = &r->smaps[i], *p;

		while (k < r->n_pages && r->pages[k].start < m->start)
			k++;
		p = k < r->n_pages ? &r->pages[k] : NULL;
		if (!p || p->start != m->start || p->end != m->end || is_gate(m) ||
		    vmt_bytes_is(m->kind, "hugetlb") || vmt_bytes_is(m->kind, "special") ||
		    !VMT_HAS(map, rss_bytes, m) || !VMT_HAS(map, rss_bytes, p))
			continue;
		each(out, m, outside(p->rss_bytes, m->rss_bytes, m->rss_bytes), settled);
	}
}

#define EXCESS(small, large, m)                                                                    \
	(VMT_HAS(map, small, m) && VMT_HAS(map, large, m) && (m)->small > (m)->large               \
		 ? (m)->small - (m)->large                                                         \
		 : 0)

static void v7(const struct vmt_reading *r, struct vmt_outcome *out)
{
	size_t i, k;

	for (i = 0; i < r->n_smaps; i++) {
		const struct vmt_map *m = &r->smaps[i];
		const uint64_t excess[] = {
			EXCESS(anonymous_bytes, rss_bytes, m),
			EXCESS(referenced_bytes, rss_bytes, m),
			EXCESS(anon_huge_pages_bytes, anonymous_bytes, m),
			EXCESS(locked_bytes, pss_bytes, m),
			EXCESS(swap_pss_bytes, swap_bytes, m),
		};
		uint64_t most = 0;

		if (!VMT_HAS(map, rss_bytes, m))
			continue;
		for (k = 0; k < VMT_ARRAY_LEN(excess); k++)
			if (excess[k] > most)
				most = excess[k];
		each(out, m, with_sign(most, false), true);
	}
}

void vmt_verify_reading(const struct vmt_reading *r, struct vmt_outcome *out)
{
	struct sums s;
	int i;

	for (i = 0; i < VMT_CHECK_PROC; i++)
		out[i] = (struct vmt_outcome){ .verdict = VMT_VERDICT_NONE };
	if (!r->smaps)
		return;
	s = sum_up(r);
	v1(r, &s, &out[VMT_CHECK_V1]);
	v2(r, &s, &out[VMT_CHECK_V2]);
	v3(r, &out[VMT_CHECK_V3]);
	v4(r, &s, &out[VMT_CHECK_V4]);
	v5(r, &s, &out[VMT_CHECK_V5]);
	v6(r, &out[VMT_CHECK_V6]);
	v7(r, &out[VMT_CHECK_V7]);
}

void vmt_verify_better(struct vmt_outcome *best, const struct vmt_outcome *other)
{
	int i;

	for (i = 0; i < VMT_CHECK_PROC; i++)
		if (other[i].verdict < best[i].verdict)
			best[i] = other[i];
}

bool vmt_verify_is_final(const struct vmt_outcome *out)
{
	int i;

	for (i = 0; i < VMT_CHECK_PROC; i++)
		if (out[i].verdict == VMT_VERDICT_DRIFTED || out[i].verdict == VMT_VERDICT_OFF)
			return false;
	return true;
}

/* Sums of figures of meminfo against one of vmstat or zoneinfo, or of the same text. */
struct machine_check {
	enum vmt_check_id id;
	enum vmt_machine_id left[3];
	unsigned n_left;
	enum vmt_machine_id right[2];
	unsigned n_right;
	bool one_text; /* both sides are of meminfo, which prints them of the same values */
};

static const struct machine_check machine_checks[] = {
	{ VMT_CHECK_V8, { VMT_MACHINE_TOTAL }, 1, { VMT_MACHINE_MANAGED }, 1, false },
	{ VMT_CHECK_V9_FILE,
	  { VMT_MACHINE_BUFFERS, VMT_MACHINE_CACHED, VMT_MACHINE_SWAP_CACHED },
	  3,
	  { VMT_MACHINE_NR_FILE },
	  1,
	  false },
	{ VMT_CHECK_V9_FREE, { VMT_MACHINE_FREE }, 1, { VMT_MACHINE_NR_FREE }, 1, false },
	{ VMT_CHECK_V9_SLAB,
	  { VMT_MACHINE_SLAB },
	  1,
	  { VMT_MACHINE_SRECLAIMABLE, VMT_MACHINE_SUNRECLAIM },
	  2,
	  true },
	{ VMT_CHECK_V9_ACTIVE,
	  { VMT_MACHINE_ACTIVE },
	  1,
	  { VMT_MACHINE_ACTIVE_ANON, VMT_MACHINE_ACTIVE_FILE },
	  2,
	  true },
	{ VMT_CHECK_V9_ANON, { VMT_MACHINE_ANON }, 1, { VMT_MACHINE_NR_ANON }, 1, false },
};

static bool add_up(const struct vmt_machine *m, const enum vmt_machine_id *ids, unsigned n,
		   uint64_t *ret)
{
	uint64_t sum = 0;
	unsigned i;

	for (i = 0; i < n; i++) {
		if (!(m->has >> ids[i] & 1))
			return false;
		sum += m->value[ids[i]];
	}
	*ret = sum;
	return true;
}

void vmt_verify_machine(const struct vmt_machine_reading *r, struct vmt_outcome *out)
{
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(machine_checks); i++) {
		const struct machine_check *c = &machine_checks[i];
		const struct vmt_machine *other = c->one_text ? &r->first : &r->middle;
		uint64_t a, b, right;

		out[c->id] = (struct vmt_outcome){ .verdict = VMT_VERDICT_NONE };
		if (!add_up(&r->first, c->left, c->n_left, &a) ||
		    !add_up(c->one_text ? &r->first : &r->last, c->left, c->n_left, &b) ||
		    !add_up(other, c->right, c->n_right, &right))
			continue;
		/* The right side lies between two readings of the left one. */
		out[c->id] = judge(-outside(right, a, b), 0, a == b);
	}
}

#define AGREED UINT8_C(1)
#define ABOVE  UINT8_C(2)
#define BELOW  UINT8_C(4)

static enum vmt_verdict opinion(unsigned state)
{
	if (state & AGREED)
		return VMT_VERDICT_HOLDS;
	return (state & ABOVE) && (state & BELOW) ? VMT_VERDICT_DRIFTED : VMT_VERDICT_OFF;
}

void vmt_second_opinion_add(struct vmt_second_opinion *s, const struct vmt_system *before,
			    const struct vmt_system *other, const struct vmt_system *after,
			    struct vmt_outcome *out)
{
	const struct vmt_entity *e = &vmt_entity_system;
	unsigned i;

	*out = (struct vmt_outcome){ .verdict = VMT_VERDICT_NONE };
	for (i = 0; i < e->n_fields; i++) {
		const struct vmt_field *f = &e->fields[i];
		enum vmt_verdict verdict;
		int64_t off;

		if (f->type != VMT_TYPE_U64 || !vmt_row_has(&other->row, i) ||
		    !vmt_row_has(&before->row, i) || !vmt_row_has(&after->row, i))
			continue;
		off = outside(vmt_field_number(f, other), vmt_field_number(f, before),
			      vmt_field_number(f, after));
		s->state[i] |= off == 0 ? AGREED : off > 0 ? ABOVE : BELOW;
		verdict = opinion(s->state[i]);
		/* Only sizes have a difference in bytes. */
		if (verdict == VMT_VERDICT_HOLDS || f->unit != VMT_UNIT_BYTES)
			off = 0;
		if (!out->checked++ || verdict > out->verdict)
			out->off = 0;
		if (out->checked == 1 || verdict > out->verdict)
			out->verdict = verdict;
		if (verdict == out->verdict && size_of(off) > size_of(out->off))
			out->off = off;
		out->failed += verdict == VMT_VERDICT_OFF;
	}
}

void vmt_verify_init(struct vmt_verify *v)
{
	int i;

	*v = (struct vmt_verify){ 0 };
	vmt_arena_init(&v->arena);
	for (i = 0; i < VMT_CHECKS; i++) {
		struct vmt_check *c = &v->checks[i];

		VMT_SET(check, id, c, vmt_bytes_of(defs[i].id));
		VMT_SET(check, identity, c, vmt_bytes_of(defs[i].identity));
		if (defs[i].note)
			VMT_SET(check, note, c, vmt_bytes_of(defs[i].note));
		VMT_SET(check, checked_total, c, 0);
		VMT_SET(check, bounded_total, c, 0);
		VMT_SET(check, drifted_total, c, 0);
		VMT_SET(check, off_total, c, 0);
		if (i < VMT_CHECK_PROC)
			VMT_SET(check, unread_total, c, 0);
		v->worst[i] = VMT_VERDICT_NONE;
	}
}

void vmt_verify_done(struct vmt_verify *v)
{
	vmt_arena_done(&v->arena);
}

void vmt_verify_add(struct vmt_verify *v, enum vmt_check_id id, const struct vmt_outcome *out,
		    uint64_t pid, struct vmt_bytes comm)
{
	struct vmt_check *c = &v->checks[id];
	enum vmt_verdict before = v->worst[id];

	if (out->verdict == VMT_VERDICT_NONE) {
		c->unread_total += id < VMT_CHECK_PROC;
		return;
	}
	c->checked_total += out->checked;
	c->bounded_total += out->verdict == VMT_VERDICT_BOUNDED;
	c->drifted_total += out->verdict == VMT_VERDICT_DRIFTED;
	c->off_total += out->failed;
	if (before != VMT_VERDICT_NONE &&
	    (out->verdict < before ||
	     (out->verdict == before && size_of(out->off) <= size_of(c->off_bytes))))
		return;
	v->worst[id] = out->verdict;
	VMT_SET(check, off_bytes, c, out->off);
	VMT_UNSET(check, address, c);
	if (!pid || out->verdict == VMT_VERDICT_HOLDS)
		return;
	VMT_SET(check, pid, c, pid);
	if (out->has_address)
		VMT_SET(check, address, c, out->address);
	comm.ptr = vmt_arena_copy(&v->arena, comm.ptr, comm.len);
	if (comm.ptr)
		VMT_SET(check, comm, c, comm);
}

void vmt_verify_unread(struct vmt_verify *v)
{
	int i;

	for (i = 0; i < VMT_CHECK_PROC; i++)
		v->checks[i].unread_total++;
}

void vmt_verify_state(struct vmt_verify *v, const struct vmt_system *s)
{
	struct vmt_check *c = &v->checks[VMT_CHECK_V10];
	uint64_t older;

	if (VMT_HAS(system, unaccounted_bytes, s)) {
		VMT_SET(check, off_bytes, c, s->unaccounted_bytes);
		VMT_SET(check, result, c, VMT_BYTES("stated"));
	}
	c = &v->checks[VMT_CHECK_V11];
	if (VMT_HAS(system, used_bytes, s) && VMT_HAS(system, total_bytes, s) &&
	    VMT_HAS(system, free_bytes, s) && VMT_HAS(system, buff_cache_bytes, s)) {
		older = s->total_bytes - s->free_bytes - s->buff_cache_bytes;
		VMT_SET(check, off_bytes, c, outside(s->used_bytes, older, older));
		VMT_SET(check, result, c, VMT_BYTES("stated"));
	}
}

void vmt_verify_why(struct vmt_verify *v, enum vmt_check_id id, const char *text)
{
	VMT_SET(check, note, &v->checks[id], vmt_bytes_of(text));
}

int vmt_verify_finish(struct vmt_verify *v)
{
	int i, off = 0;

	for (i = 0; i < VMT_CHECKS; i++) {
		struct vmt_check *c = &v->checks[i];

		if (!VMT_HAS(check, result, c))
			VMT_SET(check, result, c, vmt_bytes_of(verdict_name(v->worst[i])));
		off += v->worst[i] == VMT_VERDICT_OFF;
	}
	return v->arena.failed ? -ENOMEM : off;
}
