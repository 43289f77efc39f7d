/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "base/parse.h"
#include "model/honest.h"
#include "model/vm-flags.h"
#include "source/kv.h"
#include "source/maps.h"

#define KEY_FLAGS 1u

#define KIB(member, key) VMT_KV(map, vmt_map, member, key, KIB)

/* In the order of fs/proc/task_mmu.c show_smap(); keys that old kernels had stand at the end. */
static const struct vmt_kv_key map_keys[] = {
	VMT_KV_IGNORE("Size"), /* the range says it */
	KIB(kernel_page_size_bytes, "KernelPageSize"),
	KIB(mmu_page_size_bytes, "MMUPageSize"),
	KIB(rss_bytes, "Rss"),
	KIB(pss_bytes, "Pss"),
	KIB(pss_dirty_bytes, "Pss_Dirty"),
	KIB(shared_clean_bytes, "Shared_Clean"),
	KIB(shared_dirty_bytes, "Shared_Dirty"),
	KIB(private_clean_bytes, "Private_Clean"),
	KIB(private_dirty_bytes, "Private_Dirty"),
	KIB(referenced_bytes, "Referenced"),
	KIB(anonymous_bytes, "Anonymous"),
	KIB(ksm_bytes, "KSM"),
	KIB(lazy_free_bytes, "LazyFree"),
	KIB(anon_huge_pages_bytes, "AnonHugePages"),
	KIB(shmem_pmd_mapped_bytes, "ShmemPmdMapped"),
	KIB(file_pmd_mapped_bytes, "FilePmdMapped"),
	KIB(shared_hugetlb_bytes, "Shared_Hugetlb"),
	KIB(private_hugetlb_bytes, "Private_Hugetlb"),
	KIB(swap_bytes, "Swap"),
	KIB(swap_pss_bytes, "SwapPss"),
	KIB(locked_bytes, "Locked"),
	VMT_KV(map, vmt_map, thp_eligible, "THPeligible", BOOL),
	VMT_KV(map, vmt_map, protection_key, "ProtectionKey", COUNT),
	VMT_KV_CALLER("VmFlags", KEY_FLAGS),
	VMT_KV_IGNORE("Name"), /* Android before Linux 5.17 */
};

#undef KIB
#define KIB(member, key) VMT_KV(proc, vmt_proc, member, key, KIB)

/* fs/proc/task_mmu.c __show_smap() with rollup_mode. */
static const struct vmt_kv_key rollup_keys[] = {
	KIB(rollup_rss_bytes, "Rss"),
	KIB(pss_bytes, "Pss"),
	KIB(pss_dirty_bytes, "Pss_Dirty"),
	KIB(pss_anon_bytes, "Pss_Anon"),
	KIB(pss_file_bytes, "Pss_File"),
	KIB(pss_shmem_bytes, "Pss_Shmem"),
	KIB(shared_clean_bytes, "Shared_Clean"),
	KIB(shared_dirty_bytes, "Shared_Dirty"),
	KIB(private_clean_bytes, "Private_Clean"),
	KIB(private_dirty_bytes, "Private_Dirty"),
	KIB(referenced_bytes, "Referenced"),
	KIB(rollup_anonymous_bytes, "Anonymous"),
	KIB(ksm_bytes, "KSM"),
	KIB(lazy_free_bytes, "LazyFree"),
	KIB(anon_huge_pages_bytes, "AnonHugePages"),
	KIB(shmem_pmd_mapped_bytes, "ShmemPmdMapped"),
	KIB(file_pmd_mapped_bytes, "FilePmdMapped"),
	KIB(shared_hugetlb_bytes, "Shared_Hugetlb"),
	KIB(private_hugetlb_bytes, "Private_Hugetlb"),
	KIB(rollup_swap_bytes, "Swap"),
	KIB(swap_pss_bytes, "SwapPss"),
	KIB(locked_pss_bytes, "Locked"),
};

static const struct vmt_kv_table map_table = { map_keys, VMT_ARRAY_LEN(map_keys) };

size_t vmt_smaps_run(struct vmt_map *m, struct vmt_bytes text, size_t *hint)
{
	return vmt_kv_run(&map_table, text, hint, &m->row);
}

bool vmt_smaps_expected(struct vmt_map *m, struct vmt_bytes line, size_t *hint)
{
	return vmt_kv_expected(&map_table, line, hint, &m->row);
}

/* The line of VmFlags, where it has the flags last_flags: the kernel ends it with a blank. */
static bool is_same_flags(struct vmt_bytes line, struct vmt_bytes last_flags)
{
	static const char head[] = "VmFlags: ";
	const size_t n = sizeof(head) - 1;

	return last_flags.ptr && line.len == n + last_flags.len + 1 &&
	       memcmp(line.ptr, head, n) == 0 &&
	       memcmp(line.ptr + n, last_flags.ptr, last_flags.len) == 0 &&
	       line.ptr[line.len - 1] == ' ';
}

int vmt_smaps_line(struct vmt_map *m, struct vmt_bytes line, size_t *hint, struct vmt_arena *arena,
		   struct vmt_bytes last_flags, struct vmt_other *other)
{
	struct vmt_bytes key, value;
	const struct vmt_kv_key *k;
	const char *copy;
	int r;

	/* Mappings beside each other mostly have the same. */
	if (is_same_flags(line, last_flags)) {
		VMT_SET(map, vm_flags, m, last_flags);
		return 1;
	}
	r = vmt_kv_split(line, ':', &key, &value);
	if (r < 0)
		return r;
	k = vmt_kv_find(&map_table, key, hint);
	if (!k) {
		vmt_other_add(other, key, value);
		return 0;
	}
	if (k->form != VMT_KV_OTHER) {
		r = vmt_kv_store(k, value, &m->row);
		return r < 0 ? r : 1;
	}
	/* Flags are kept as they are spelled: new ones come with each kernel. */
	copy = vmt_arena_copy(arena, value.ptr, value.len);
	if (!copy)
		return -ENOMEM;
	value.ptr = copy;
	VMT_SET(map, vm_flags, m, value);
	return 1;
}

static bool sum(uint64_t a, uint64_t b, uint64_t *ret)
{
	return !__builtin_add_overflow(a, b, ret);
}

/* VM_UFFD_MISSING, VM_UFFD_WP, VM_UFFD_MINOR. */
static struct vmt_bytes uffd_of(struct vmt_bytes flags)
{
	static const char *const texts[] = { "",	   "missing",	      "wp",
					     "missing wp", "minor",	      "missing minor",
					     "wp minor",   "missing wp minor" };

	return vmt_bytes_of(
		texts[vmt_vm_flags_have(flags, "um") | vmt_vm_flags_have(flags, "uw") << 1 |
		      vmt_vm_flags_have(flags, "ui") << 2]);
}

void vmt_smaps_derive(struct vmt_map *m)
{
	uint64_t v;

	if (VMT_HAS(map, private_clean_bytes, m) && VMT_HAS(map, private_dirty_bytes, m) &&
	    sum(m->private_clean_bytes, m->private_dirty_bytes, &v))
		VMT_SET(map, uss_bytes, m, v);
	if (VMT_HAS(map, shared_dirty_bytes, m) && VMT_HAS(map, private_dirty_bytes, m) &&
	    sum(m->shared_dirty_bytes, m->private_dirty_bytes, &v))
		VMT_SET(map, dirty_bytes, m, v);
	if (VMT_HAS(map, rss_bytes, m) && VMT_HAS(map, anonymous_bytes, m) &&
	    m->rss_bytes >= m->anonymous_bytes)
		VMT_SET(map, file_bytes, m, m->rss_bytes - m->anonymous_bytes);
	if (VMT_HAS(map, vm_flags, m)) {
		/* VM_ACCOUNT: mm/mmap.c accountable_mapping(), mm/mprotect.c mprotect_fixup(). */
		VMT_SET(map, commit_bytes, m,
			vmt_vm_flags_have(m->vm_flags, "ac") ? m->size_bytes : 0);
		VMT_SET(map, uffd, m, uffd_of(m->vm_flags));
		/* VM_HUGETLB, VM_PFNMAP, VM_IO: nobody can fake them by a name. */
		if (vmt_vm_flags_have(m->vm_flags, "ht"))
			VMT_SET(map, kind, m, VMT_BYTES("hugetlb"));
		else if ((vmt_bytes_is(m->kind, "file") || vmt_bytes_is(m->kind, "shmem")) &&
			 (vmt_vm_flags_have(m->vm_flags, "pf") ||
			  vmt_vm_flags_have(m->vm_flags, "io")))
			VMT_SET(map, kind, m, VMT_BYTES("special"));
	}
	vmt_map_honest(m);
}

/* The keys that are not known, of a text that was parsed before. */
static int rollup_other(const struct vmt_kv_table *table, struct vmt_bytes text,
			struct vmt_arena *arena, struct vmt_proc *p)
{
	VMT_CLEANUP(vmt_other_done) struct vmt_other other = { 0 };
	struct vmt_bytes line, key, value;
	const char *copy;
	size_t hint = 0;

	while (vmt_take_line(&text, &line))
		if (vmt_kv_split(line, ':', &key, &value) == 0 && !vmt_kv_find(table, key, &hint))
			vmt_other_add(&other, key, value);
	if (vmt_buf_error(&other.text) < 0)
		return -ENOMEM;
	copy = vmt_arena_copy(arena, other.text.data ? other.text.data : "", other.text.len);
	if (!copy)
		return -ENOMEM;
	VMT_SET(proc, other, p, ((struct vmt_bytes){ copy, other.text.len }));
	return other.dropped;
}

int vmt_rollup_parse(struct vmt_bytes text, struct vmt_proc *p, struct vmt_arena *arena,
		     uint64_t *unknown, struct vmt_err *err)
{
	static const struct vmt_kv_table table = { rollup_keys, VMT_ARRAY_LEN(rollup_keys) };
	uint64_t v, strange = 0;
	struct vmt_bytes head;
	int r;

	/* A process without memory has a text without a byte on some kernels. */
	if (!vmt_take_line(&text, &head))
		return 0;
	if (vmt_take_hex(&head, &v) < 0 || vmt_take_char(&head, '-') < 0)
		return vmt_err_set(err, -EINVAL, "smaps_rollup", 1, "this is no line of a mapping");
	r = vmt_kv_read(&table, text, ':', &p->row, &strange, "smaps_rollup", err);
	if (unknown)
		*unknown += strange;
	if (r < 0) {
		if (err)
			err->line++; /* the head was line 1 */
		return r;
	}
	if (VMT_HAS(proc, private_clean_bytes, p) && VMT_HAS(proc, private_dirty_bytes, p) &&
	    sum(p->private_clean_bytes, p->private_dirty_bytes, &v))
		VMT_SET(proc, uss_bytes, p, v);
	if (strange)
		return rollup_other(&table, text, arena, p);
	VMT_SET(proc, other, p, VMT_BYTES(""));
	return 0;
}
