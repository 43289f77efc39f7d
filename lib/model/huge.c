/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/huge.h"

#include <errno.h>
#include <inttypes.h>

#include "model/vm-flags.h"

static const char *const mode_names[] = {
	[VMT_THP_UNKNOWN] = "unknown", [VMT_THP_ALWAYS] = "always",
	[VMT_THP_INHERIT] = "inherit", [VMT_THP_MADVISE] = "madvise",
	[VMT_THP_NEVER] = "never",     [VMT_THP_WITHIN_SIZE] = "within_size",
	[VMT_THP_DENY] = "deny",       [VMT_THP_FORCE] = "force",
};

const char *vmt_thp_mode_name(enum vmt_thp_mode mode)
{
	return mode_names[mode];
}

enum vmt_thp_mode vmt_thp_mode_parse(struct vmt_bytes text)
{
	const char *open = memchr(text.ptr, '[', text.len), *close;
	struct vmt_bytes word;
	size_t i;

	if (!open)
		return VMT_THP_UNKNOWN;
	close = memchr(open, ']', text.len - (size_t)(open - text.ptr));
	if (!close)
		return VMT_THP_UNKNOWN;
	word = (struct vmt_bytes){ open + 1, (size_t)(close - open - 1) };
	if (vmt_bytes_is(word, "advise"))
		return VMT_THP_MADVISE;
	for (i = VMT_THP_ALWAYS; i < VMT_ARRAY_LEN(mode_names); i++)
		if (vmt_bytes_is(word, mode_names[i]))
			return (enum vmt_thp_mode)i;
	return VMT_THP_UNKNOWN;
}

/* What one mapping is judged by. */
struct judge {
	const struct vmt_thp *thp;
	const struct vmt_map *m;
	uint64_t page_size;
	bool of_anon; /* anonymous, heap or stack */
	bool of_shmem;
	bool of_zero; /* shared anonymous memory, the one shmem that has settings by size */
	bool of_mount; /* of a mounted tmpfs, whose option huge= decides */
	bool advised; /* MADV_HUGEPAGE */
	bool refused; /* MADV_NOHUGEPAGE */
	bool disabled; /* PR_SET_THP_DISABLE */
	struct vmt_buf why;
	unsigned reasons;
};

static void reason(struct judge *j, const char *word)
{
	if (j->reasons++)
		vmt_buf_addc(&j->why, ' ');
	vmt_buf_adds(&j->why, word);
}

static void take_kind(struct judge *j)
{
	const struct vmt_map *m = j->m;

	j->of_anon = vmt_bytes_is(m->kind, "anon") || vmt_bytes_is(m->kind, "heap") ||
		     vmt_bytes_is(m->kind, "stack");
	j->of_shmem = vmt_bytes_is(m->kind, "shmem");
	j->of_zero = j->of_shmem && (vmt_bytes_is(m->path, "/dev/zero (deleted)") ||
				     vmt_bytes_starts(m->path, "[anon_shmem:"));
	j->of_mount = j->of_shmem && !j->of_zero && !vmt_bytes_starts(m->path, "/memfd:") &&
		      !vmt_bytes_starts(m->path, "/SYSV");
	j->advised = vmt_vm_flags_have(m->vm_flags, "hg");
	j->refused = vmt_vm_flags_have(m->vm_flags, "nh");
}

/* Bytes of the range that lie in whole aligned pages of that size, in memory and in the file. */
static uint64_t extents(const struct judge *j, uint64_t size)
{
	const struct vmt_map *m = j->m;
	uint64_t first, last = m->end & ~(size - 1);

	if (!j->of_anon && ((m->start - m->offset_bytes) & (size - 1)))
		return 0;
	if (__builtin_add_overflow(m->start, size - 1, &first))
		return 0;
	first &= ~(size - 1);
	return last > first ? last - first : 0;
}

/* What a setting says where it is not that of all sizes: 1 yes, 0 no, -1 that cannot be told. */
static int allows(enum vmt_thp_mode mode, bool advised)
{
	switch (mode) {
	case VMT_THP_ALWAYS:
	case VMT_THP_FORCE:
		return 1;
	case VMT_THP_MADVISE:
		return advised;
	case VMT_THP_NEVER:
	case VMT_THP_DENY:
		return 0;
	default:
		return -1;
	}
}

/* The setting for pages of that size. */
static enum vmt_thp_mode mode_of(const struct judge *j, const struct vmt_thp_size *size)
{
	enum vmt_thp_mode all = j->of_shmem ? j->thp->shmem : j->thp->enabled;
	enum vmt_thp_mode own = j->of_shmem ? size->shmem : size->anon;

	/* These two are for tests, and go before all others. */
	if (j->of_shmem && (all == VMT_THP_DENY || all == VMT_THP_FORCE))
		return all;
	return own == VMT_THP_INHERIT ? all : own;
}

static enum vmt_thp_mode pmd_mode(const struct judge *j)
{
	const struct vmt_thp *t = j->thp;
	size_t i;

	if (!j->of_anon && !j->of_shmem)
		return t->enabled;
	if (j->of_mount && t->shmem != VMT_THP_DENY && t->shmem != VMT_THP_FORCE)
		return VMT_THP_UNKNOWN;
	if (j->of_shmem && !j->of_zero)
		return t->shmem;
	for (i = 0; i < t->n_sizes; i++)
		if (t->sizes[i].bytes == t->pmd_bytes &&
		    (j->of_anon || t->sizes[i].shmem != VMT_THP_UNKNOWN))
			return mode_of(j, &t->sizes[i]);
	return j->of_shmem ? t->shmem : t->enabled;
}

/* Why a range has not even one place for a huge page. */
static void judge_extent(struct judge *j)
{
	const struct vmt_map *m = j->m;
	uint64_t pmd = j->thp->pmd_bytes;

	if (m->size_bytes < pmd)
		reason(j, "short");
	else if (!j->of_anon && ((m->start - m->offset_bytes) & (pmd - 1)))
		reason(j, "offset");
	else if (!extents(j, pmd))
		reason(j, "unaligned");
}

/* What forbids it from the outset; whether that can be told. */
static bool judge_rules(struct judge *j)
{
	enum vmt_thp_mode mode = pmd_mode(j);
	int allowed = allows(mode, j->advised);

	if (j->refused)
		reason(j, "nohugepage");
	if (j->disabled)
		reason(j, "prctl");
	judge_extent(j);
	/* Who refused them did not ask for them. */
	if (allowed == 0 && !(j->refused && mode == VMT_THP_MADVISE))
		reason(j, mode == VMT_THP_MADVISE
				  ? (j->of_shmem ? "shmem_not_advised" : "not_advised")
				  : (j->of_shmem ? "shmem_never" : "never"));
	return allowed >= 0;
}

/* Why what is allowed is not there; huge is what is. */
static void judge_pages(struct judge *j, uint64_t huge, uint64_t eligible)
{
	const struct vmt_map *m = j->m;
	const struct vmt_thp *t = j->thp;
	uint64_t small, pages = t->pmd_bytes / j->page_size;

	if (huge >= eligible)
		return;
	if (!VMT_HAS(map, rss_bytes, m) || !VMT_HAS(map, swap_bytes, m) || m->rss_bytes < huge) {
		reason(j, "unknown");
		return;
	}
	small = m->rss_bytes - huge + m->swap_bytes;
	if (small == 0) {
		reason(j, "untouched");
		return;
	}
	if (vmt_vm_flags_have(m->vm_flags, "um"))
		reason(j, "userfaultfd");
	/* Even were all of them in one place. */
	if (j->of_anon && t->has_max_ptes_none && t->max_ptes_none < pages &&
	    small / j->page_size < pages - t->max_ptes_none)
		reason(j, "few_pages");
	if (!j->reasons)
		reason(j, "unknown");
}

/* Of what a range could have, eligible_bytes, and why not, why; huge is what it has. */
static void judge_map(struct judge *j, struct vmt_huge *row, uint64_t huge)
{
	bool says = VMT_HAS(map, thp_eligible, j->m), told;
	uint64_t eligible;

	if (j->thp->absent) {
		reason(j, "no_thp");
		VMT_SET(huge, eligible_bytes, row, 0);
		return;
	}
	if (!j->thp->pmd_bytes) {
		reason(j, "unknown");
		return;
	}
	eligible = extents(j, j->thp->pmd_bytes);
	told = judge_rules(j);
	if (j->reasons) {
		/* Smaller pages, or pages that a file system makes, are eligible too. */
		VMT_SET(huge, eligible_bytes, row, 0);
		if (eligible && huge >= eligible)
			vmt_buf_clear(&j->why);
		return;
	}
	if (says && !j->m->thp_eligible) {
		VMT_SET(huge, eligible_bytes, row, 0);
		if (huge < eligible)
			reason(j, j->of_anon || j->of_shmem ? "unknown" : "file");
		return;
	}
	/* Where neither the settings nor the kernel say it of this mapping. */
	if (!says && (!told || (!j->of_anon && !j->of_shmem))) {
		reason(j, "unknown");
		return;
	}
	VMT_SET(huge, eligible_bytes, row, eligible);
	judge_pages(j, huge, eligible);
}

/* Sizes that the settings allow; false where that cannot be told. */
static bool add_sizes(const struct judge *j, struct vmt_buf *out)
{
	const struct vmt_thp *t = j->thp;
	size_t i;

	if (t->absent || (!j->of_anon && !j->of_zero) || !t->n_sizes)
		return false;
	for (i = 0; i < t->n_sizes; i++) {
		int allowed = allows(mode_of(j, &t->sizes[i]), j->advised);

		/* Of shmem there were none before 6.11. */
		if (j->of_zero && t->sizes[i].shmem == VMT_THP_UNKNOWN)
			continue;
		if (allowed < 0)
			return false;
		if (!allowed || j->refused || j->disabled || !extents(j, t->sizes[i].bytes))
			continue;
		if (out->len)
			vmt_buf_addc(out, ' ');
		/* A power of two. */
		if (t->sizes[i].bytes >> 20)
			vmt_buf_addf(out, "%" PRIu64 "M", t->sizes[i].bytes >> 20);
		else
			vmt_buf_addf(out, "%" PRIu64 "K", t->sizes[i].bytes >> 10);
	}
	return true;
}

static int keep(struct vmt_arena *arena, const struct vmt_buf *text, struct vmt_bytes *ret)
{
	const char *copy;

	if (vmt_buf_error(text) < 0)
		return -ENOMEM;
	copy = vmt_arena_copy(arena, text->len ? text->data : "", text->len);
	if (!copy)
		return -ENOMEM;
	*ret = (struct vmt_bytes){ copy, text->len };
	return 0;
}

/* Whether frames of the kernel or of a device are mapped, which khugepaged leaves alone. */
static bool is_special(const struct vmt_map *m)
{
	return vmt_bytes_is(m->kind, "special") || vmt_bytes_is(m->kind, "vdso") ||
	       vmt_vm_flags_have(m->vm_flags, "pf") || vmt_vm_flags_have(m->vm_flags, "io") ||
	       vmt_vm_flags_have(m->vm_flags, "mm");
}

static bool huge_of(const struct vmt_map *m, uint64_t *ret)
{
	uint64_t sum;

	if (vmt_bytes_is(m->kind, "hugetlb")) {
		if (!VMT_HAS(map, shared_hugetlb_bytes, m) ||
		    !VMT_HAS(map, private_hugetlb_bytes, m))
			return false;
		return !__builtin_add_overflow(m->shared_hugetlb_bytes, m->private_hugetlb_bytes,
					       ret);
	}
	if (!VMT_HAS(map, anon_huge_pages_bytes, m))
		return false;
	sum = m->anon_huge_pages_bytes;
	/* Kernels without these lines have no such pages. */
	if (VMT_HAS(map, shmem_pmd_mapped_bytes, m) &&
	    __builtin_add_overflow(sum, m->shmem_pmd_mapped_bytes, &sum))
		return false;
	if (VMT_HAS(map, file_pmd_mapped_bytes, m) &&
	    __builtin_add_overflow(sum, m->file_pmd_mapped_bytes, &sum))
		return false;
	*ret = sum;
	return true;
}

int vmt_huge_row(const struct vmt_thp *thp, const struct vmt_proc *p, const struct vmt_map *m,
		 uint64_t page_size, struct vmt_arena *arena, struct vmt_huge *row)
{
	struct judge j = { .thp = thp, .m = m, .page_size = page_size };
	VMT_AUTO_BUF sizes = { 0 };
	struct vmt_bytes text;
	uint64_t huge = 0;
	bool known = huge_of(m, &huge);
	int r = 0;

	*row = (struct vmt_huge){ 0 };
	VMT_SET(huge, pid, row, p->pid);
	VMT_SET(huge, start, row, m->start);
	VMT_SET(huge, end, row, m->end);
	VMT_SET(huge, perms, row, m->perms);
	VMT_SET(huge, kind, row, m->kind);
	VMT_SET(huge, size_bytes, row, m->size_bytes);
	VMT_SET(huge, path, row, m->path);
	if (VMT_HAS(map, rss_bytes, m))
		VMT_SET(huge, rss_bytes, row, m->rss_bytes);
	if (known)
		VMT_SET(huge, huge_bytes, row, huge);
	if (!VMT_HAS(map, vm_flags, m))
		return 0;
	take_kind(&j);
	j.disabled = VMT_HAS(proc, thp_enabled, p) && !p->thp_enabled;
	if (vmt_bytes_is(m->kind, "hugetlb") || is_special(m)) {
		reason(&j, vmt_bytes_is(m->kind, "hugetlb") ? "hugetlb" : "special");
		VMT_SET(huge, eligible_bytes, row, 0);
	} else if (known) {
		judge_map(&j, row, huge);
		if (add_sizes(&j, &sizes)) {
			r = keep(arena, &sizes, &text);
			if (r == 0)
				VMT_SET(huge, sizes, row, text);
		}
	} else {
		reason(&j, "unknown");
	}
	if (r == 0)
		r = keep(arena, &j.why, &text);
	if (r == 0)
		VMT_SET(huge, why, row, text);
	vmt_buf_done(&j.why);
	return r;
}
