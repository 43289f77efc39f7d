/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/fault-parts.h"

/*
 * What is beside the kinds: faults that get_user_pages() took, which the kernel charges and no kind
 * is told of; calls that failed, or that were made again, which it does not charge. And faults that
 * are in no mapping.
 */

_Static_assert(VMT_FAULT_OUTCOMES <= 32, "bits of a word");
_Static_assert((int)VMT_FAULT_OUTCOMES - (int)VMT_OUTCOME_SIGBUS == (int)VMT_FAILURES,
	       "the same failures");

const char *vmt_fault_kind_name(enum vmt_fault_kind kind)
{
	static const char *const names[VMT_FAULT_OUTCOMES] = {
#define K(id, member) [VMT_KIND_##id] = #member,
#include "model/fault-kind.def"
#undef K
#define O(id, word) [VMT_OUTCOME_##id] = #word,
#include "model/fault-outcome.def"
#undef O
	};

	return kind < VMT_FAULT_OUTCOMES ? names[kind] : names[VMT_KIND_UNKNOWN];
}

static bool is_by_map(enum vmt_fault_group group)
{
	return group == VMT_FAULT_BY_VMA || group == VMT_FAULT_BY_FILE;
}

bool vmt_fault_outcome_is_known(const struct vmt_fault_sample *f, enum vmt_fault_kind kind,
				enum vmt_fault_group group)
{
	switch (kind) {
	case VMT_OUTCOME_GUP:
		return f->have & (is_by_map(group) ? VMT_HAVE_GUP_MAP : VMT_HAVE_GUP);
	case VMT_OUTCOME_RETRIED:
		return f->have & VMT_HAVE_RETRIED;
	case VMT_OUTCOME_SIGBUS:
		return f->have & (VMT_HAVE_FAILED | VMT_HAVE_SIGBUS);
	default:
		return f->have & VMT_HAVE_FAILED;
	}
}

uint32_t vmt_fault_part_have(const struct vmt_fault_raw *part, uint32_t have)
{
	have &= ~(uint32_t)(VMT_HAVE_GUP_MAP | VMT_HAVE_FAILED | VMT_HAVE_RETRIED);
	if (part->kind == VMT_OUTCOME_GUP)
		have |= VMT_HAVE_GUP_MAP;
	else if (part->kind == VMT_OUTCOME_RETRIED)
		have |= VMT_HAVE_RETRIED;
	else if (part->kind >= VMT_OUTCOME_SIGBUS)
		have |= VMT_HAVE_FAILED;
	return have;
}

static uint64_t number_of(enum vmt_fault_kind kind, uint64_t gup, uint64_t retried,
			  const uint64_t *failed)
{
	if (kind == VMT_OUTCOME_GUP)
		return gup;
	return kind == VMT_OUTCOME_RETRIED ? retried : failed[kind - VMT_OUTCOME_SIGBUS];
}

/* Of those that were charged only the number is known. */
static void fill(struct vmt_fault_raw *part, enum vmt_fault_kind kind, uint64_t n)
{
	if (kind == VMT_OUTCOME_RETRIED) {
		part->retried = n;
	} else if (kind >= VMT_OUTCOME_SIGBUS) {
		part->failed[kind - VMT_OUTCOME_SIGBUS] = n;
	} else {
		part->gup = kind == VMT_OUTCOME_GUP ? n : 0;
		part->minor = n;
		part->coarse = true;
	}
}

static void fill_proc(struct vmt_fault_raw *part, const struct vmt_fault_proc *p,
		      enum vmt_fault_kind kind, uint64_t n)
{
	vmt_fault_part(part, NULL, kind);
	part->pid = p->pid;
	part->start_time_ns = p->start_time_ns;
	part->comm = p->comm;
	fill(part, kind, n);
}

static size_t of_maps(const struct vmt_fault_sample *f, enum vmt_fault_kind kind,
		      struct vmt_fault_raw *ret)
{
	size_t i, n = 0;

	for (i = 0; i < f->n_maps; i++) {
		const struct vmt_fault_raw *m = &f->maps[i];
		uint64_t number = number_of(kind, m->gup, m->retried, m->failed);

		if (!number)
			continue;
		if (ret) {
			vmt_fault_part(&ret[n], m, kind);
			fill(&ret[n], kind, number);
		}
		n++;
	}
	return n;
}

static size_t of_procs(const struct vmt_fault_sample *f, enum vmt_fault_kind kind,
		       struct vmt_fault_raw *ret)
{
	size_t i, n = 0;

	for (i = 0; i < f->n_procs; i++) {
		const struct vmt_fault_proc *p = &f->procs[i];
		uint64_t number = kind == VMT_KIND_UNKNOWN
					  ? p->unattributed + p->dropped
					  : number_of(kind, p->gup, p->retried, p->failed);

		if (!number)
			continue;
		if (ret)
			fill_proc(&ret[n], p, kind, number);
		n++;
	}
	return n;
}

size_t vmt_fault_outcomes(const struct vmt_fault_sample *f, uint32_t kinds,
			  enum vmt_fault_group group, struct vmt_fault_raw *ret)
{
	bool by_map = is_by_map(group);
	size_t n = 0;
	int k;

	if (!by_map && kinds >> VMT_KIND_UNKNOWN & 1)
		n = of_procs(f, VMT_KIND_UNKNOWN, ret);
	for (k = VMT_FAULT_KINDS; k < VMT_FAULT_OUTCOMES; k++) {
		enum vmt_fault_kind kind = (enum vmt_fault_kind)k;
		struct vmt_fault_raw *to = ret ? ret + n : NULL;

		if (!(kinds >> k & 1))
			continue;
		if (vmt_fault_outcome_is_known(f, kind, group)) {
			n += by_map ? of_maps(f, kind, to) : of_procs(f, kind, to);
			continue;
		}
		/* Where all kinds have one row each, one says that it is not told. */
		if (group != VMT_FAULT_BY_KIND || !(f->have & VMT_HAVE_KINDS))
			continue;
		if (to) {
			vmt_fault_part(to, NULL, kind);
			to->unseen = true;
		}
		n++;
	}
	return n;
}
