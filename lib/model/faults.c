/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>

#include "model/fault-cgroup.h"
#include "model/fault-parts.h"
#include "model/fault-table.h"
#include "model/latency.h"

/*
 * From the kernel's keys to rows. A key is a mapping as it looked when it faulted, so one mapping
 * that grows, splits or merges leaves several. They are folded into the mapping that contains
 * them now and is the same by what split and merge keep: device, inode, shared or not, and for
 * files the distance between offset and address. What has no such mapping any more is folded where
 * ranges overlap.
 */

#define VM_READ	  0x1u
#define VM_WRITE  0x2u
#define VM_EXEC	  0x4u
#define VM_SHARED 0x8u
#define VM_PFNMAP 0x400u

static bool is_file(const struct vmt_fault_raw *raw)
{
	return raw->has_file;
}

/*
 * Shared anonymous memory lies in a file of its own each time it is mapped, one that no path leads
 * to. Its inode says nothing: mapped again at the same place, it is the same to whoever looks.
 */
static uint64_t inode_of(const struct vmt_fault_raw *raw)
{
	if (raw->class == VMT_FAULT_SHMEM && vmt_bytes_is(raw->path, "/dev/zero (deleted)"))
		return 0;
	return raw->inode;
}

/* What stays the same for a file's mapping under split, merge and growth, in bytes; may wrap. */
static uint64_t distance(const struct vmt_fault_raw *raw)
{
	return is_file(raw) ? raw->offset_bytes - raw->start : 0;
}

static uint64_t device(const struct vmt_fault_raw *raw)
{
	return (uint64_t)raw->dev_major << 32 | raw->dev_minor;
}

/* What two keys of one mapping have in common. */
static int compare_identity(const struct vmt_fault_raw *a, const struct vmt_fault_raw *b)
{
	int c = vmt_compare_u64(a->pid, b->pid);

	if (!c)
		c = vmt_compare_u64(a->start_time_ns, b->start_time_ns);
	if (!c)
		c = vmt_compare_u64(a->exec_id, b->exec_id);
	if (!c)
		c = vmt_compare_u64(a->owner_pid, b->owner_pid);
	if (!c)
		c = vmt_compare_u64(a->class, b->class);
	if (!c)
		c = vmt_compare_u64(a->special, b->special);
	if (!c)
		c = vmt_compare_u64(device(a), device(b));
	if (!c)
		c = vmt_compare_u64(inode_of(a), inode_of(b));
	if (!c)
		c = vmt_compare_u64(a->vm_flags & VM_SHARED, b->vm_flags & VM_SHARED);
	if (!c)
		c = vmt_compare_u64(distance(a), distance(b));
	return c ? c : vmt_compare_u64(a->kind, b->kind);
}

/* One key with the mapping that it belongs to. */
struct item {
	const struct vmt_fault_raw *raw;
	const struct vmt_map *now; /* NULL where it is gone */
	struct vmt_bytes cgroup; /* of the process; empty where it is not known */
};

static int compare_items(const void *pa, const void *pb)
{
	const struct item *a = pa, *b = pb;
	int c = compare_identity(a->raw, b->raw);

	if (!c)
		c = vmt_compare_u64(a->now ? a->now->start : UINT64_MAX,
				    b->now ? b->now->start : UINT64_MAX);
	if (!c)
		c = vmt_compare_u64(a->raw->start, b->raw->start);
	return c ? c : vmt_compare_u64(a->raw->end, b->raw->end);
}

/* The device as maps writes it. */
static bool same_device(struct vmt_bytes text, const struct vmt_fault_raw *raw)
{
	char buf[24];
	int n = snprintf(buf, sizeof(buf), "%02x:%02x", raw->dev_major, raw->dev_minor);

	return n > 0 && text.len == (size_t)n && memcmp(text.ptr, buf, text.len) == 0;
}

static const struct vmt_map *find_map(const struct vmt_sample *s, const struct vmt_fault_raw *raw)
{
	uint64_t pid = raw->owner_pid ? raw->owner_pid : raw->pid;
	const struct vmt_proc *p = vmt_sample_proc(s, pid);
	const struct vmt_proc_maps *maps;
	const struct vmt_map *m;
	size_t lo = 0, hi;

	if (!p || !s->maps || !VMT_HAS(proc, start_time_ns, p))
		return NULL;
	if ((!raw->owner_pid || raw->owner_pid == raw->pid) &&
	    !vmt_fault_same_start(s, p, raw->start_time_ns))
		return NULL;
	maps = &s->maps[p - s->procs];
	hi = maps->n_maps;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (maps->maps[mid].end <= raw->start)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == maps->n_maps)
		return NULL;
	m = &maps->maps[lo];
	/* A stack that has grown begins below its key. */
	if (raw->special == VMT_FAULT_STACK)
		return m->end == raw->end && vmt_bytes_is(m->path, "[stack]") ? m : NULL;
	if (m->start > raw->start || !VMT_HAS(map, inode, m) || m->inode != raw->inode)
		return NULL;
	if (is_file(raw) &&
	    (!same_device(m->device, raw) || m->offset_bytes - m->start != distance(raw)))
		return NULL;
	if (m->perms.len == 4 && (m->perms.ptr[3] == 's') != !!(raw->vm_flags & VM_SHARED))
		return NULL;
	return m;
}

/* The row's fields of latency; arena is the model's. */
#define SET_LATENCY(entity, row, l, arena)                                                         \
	do {                                                                                       \
		struct vmt_hist hist_;                                                             \
		uint64_t ns_;                                                                      \
                                                                                                   \
		if (vmt_latency_percentile(l, 50, &ns_))                                           \
			VMT_SET(entity, p50_ns, row, ns_);                                         \
		if (vmt_latency_percentile(l, 90, &ns_))                                           \
			VMT_SET(entity, p90_ns, row, ns_);                                         \
		if (vmt_latency_percentile(l, 99, &ns_))                                           \
			VMT_SET(entity, p99_ns, row, ns_);                                         \
		if ((l)->count) {                                                                  \
			VMT_SET(entity, max_ns, row, (l)->max_ns);                                 \
			VMT_SET(entity, total_ns, row, (l)->sum_ns);                               \
			if (vmt_latency_hist(l, arena, &hist_))                                    \
				VMT_SET(entity, histogram, row, hist_);                            \
		}                                                                                  \
		VMT_SET(entity, count, row, (l)->count);                                           \
	} while (0)

static uint64_t failed_sum(const uint64_t *failed)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < VMT_FAILURES; i++)
		sum += failed[i];
	return sum;
}

struct vmt_bytes vmt_fault_class_word(const struct vmt_fault_raw *raw)
{
	switch (raw->special) {
	case VMT_FAULT_HEAP:
		return VMT_BYTES("heap");
	case VMT_FAULT_STACK:
		return VMT_BYTES("stack");
	case VMT_FAULT_VDSO:
		return VMT_BYTES("vdso");
	default:
		break;
	}
	switch (raw->class) {
	case VMT_FAULT_ANON:
		return VMT_BYTES("anon");
	case VMT_FAULT_FILE:
		return VMT_BYTES("file");
	case VMT_FAULT_SHMEM:
		return VMT_BYTES("shmem");
	case VMT_FAULT_HUGETLB:
		return VMT_BYTES("hugetlb");
	default:
		return VMT_BYTES("special");
	}
}

/*
 * What the kernel maps without a file and without a name that the probe can read. The data of the
 * vdso is the only one that programs read from; that of a hypervisor's clock (Linux 6.13) lies
 * beside it, has two pages and the same flags, and is not told from a vdso that needs no more.
 */
static struct vmt_bytes special_name(const struct vmt_fault_raw *raw)
{
	bool read_only = (raw->vm_flags & (VM_READ | VM_WRITE | VM_EXEC)) == VM_READ;

	return read_only && raw->vm_flags & VM_PFNMAP && raw->end - raw->start > 0x2000
		       ? VMT_BYTES("[vvar]")
		       : VMT_BYTES("[special]");
}

struct vmt_bytes vmt_fault_path(const struct vmt_fault_raw *raw)
{
	if (raw->path.len || raw->has_file)
		return raw->path;
	if (raw->class == VMT_FAULT_ANON)
		return VMT_BYTES("[anon]");
	return raw->class == VMT_FAULT_OTHER ? special_name(raw) : raw->path;
}

/*
 * Adds a key to a row. Which of a key's counts are known depends on the rung (have); what is not
 * known stays unset in the row.
 */
static void row_add(struct vmt_fault *row, struct vmt_latency_sum *latency,
		    const struct vmt_fault_raw *raw, uint32_t have)
{
	uint64_t n = raw->minor + raw->major;

	if (raw->part)
		have = vmt_fault_part_have(raw, have);
#define ADD(member, value) VMT_SET(fault, member, row, row->member + (value))
	ADD(keys, !raw->part || n);
	ADD(faults_total, n);
	ADD(minor_faults_total, raw->minor);
	ADD(major_faults_total, raw->major);
	if (have & VMT_HAVE_ACCESS) {
		ADD(read_faults_total, raw->read);
		ADD(write_faults_total, raw->write);
		ADD(exec_faults_total, raw->exec);
	}
	if (have & VMT_HAVE_MODE) {
		ADD(user_faults_total, raw->user);
		ADD(kernel_faults_total, raw->kernel);
	}
	ADD(anon_faults_total, raw->class == VMT_FAULT_ANON ? n : 0);
	ADD(file_faults_total, raw->class == VMT_FAULT_FILE ? n : 0);
	ADD(shmem_faults_total, raw->class == VMT_FAULT_SHMEM ? n : 0);
	if (have & VMT_HAVE_GUP_MAP)
		ADD(gup_faults_total, raw->gup);
	if (have & VMT_HAVE_FAILED)
		ADD(failed_faults_total, failed_sum(raw->failed));
	if (have & VMT_HAVE_RETRIED)
		ADD(retried_faults_total, raw->retried);
	if (have & VMT_HAVE_KINDS) {
		uint64_t known = 0;

#define K(id, member)                                                                              \
	if (VMT_KIND_##id != VMT_KIND_UNKNOWN) {                                                   \
		ADD(member, raw->kinds[VMT_KIND_##id]);                                            \
		known += raw->kinds[VMT_KIND_##id];                                                \
	}
#include "model/fault-kind.def"
#undef K
		/* A row that is read while faults go on may be ahead in one and behind in the
		 * other. */
		ADD(unknown, n > known ? n - known : 0);
	}
#undef ADD
	if (have & VMT_HAVE_LATENCY)
		vmt_latency_add(latency, &raw->latency);
}

/* What a part does not tell is not known of the row that it is in. */
static void forget(struct vmt_fault *row, const struct vmt_fault_raw *raw)
{
	if (raw->coarse) {
		VMT_UNSET(fault, minor_faults_total, row);
		VMT_UNSET(fault, major_faults_total, row);
		VMT_UNSET(fault, read_faults_total, row);
		VMT_UNSET(fault, write_faults_total, row);
		VMT_UNSET(fault, exec_faults_total, row);
		VMT_UNSET(fault, user_faults_total, row);
		VMT_UNSET(fault, kernel_faults_total, row);
	}
	if (raw->no_map) {
		VMT_UNSET(fault, keys, row);
		VMT_UNSET(fault, anon_faults_total, row);
		VMT_UNSET(fault, file_faults_total, row);
		VMT_UNSET(fault, shmem_faults_total, row);
	}
}

/* The most frequent kind; of two as frequent as each other the first in the list. */
static void set_main_kind(struct vmt_fault *row)
{
	struct vmt_bytes name = VMT_BYTES("unknown");
	uint64_t most = row->unknown;

	if (!row->faults_total)
		return;
#define K(id, member)                                                                              \
	if (row->member > most) {                                                                  \
		most = row->member;                                                                \
		name = VMT_BYTES(#member);                                                         \
	}
#include "model/fault-kind.def"
#undef K
	VMT_SET(fault, main_kind, row, name);
}

uint32_t vmt_fault_field_have(const struct vmt_field *f)
{
	switch (f->offset) {
	case offsetof(struct vmt_fault, read_faults_total):
	case offsetof(struct vmt_fault, write_faults_total):
	case offsetof(struct vmt_fault, exec_faults_total):
		return VMT_HAVE_ACCESS;
	case offsetof(struct vmt_fault, user_faults_total):
	case offsetof(struct vmt_fault, kernel_faults_total):
		return VMT_HAVE_MODE;
	case offsetof(struct vmt_fault, gup_faults_total):
		return VMT_HAVE_GUP_MAP;
	case offsetof(struct vmt_fault, failed_faults_total):
		return VMT_HAVE_FAILED | VMT_HAVE_SIGBUS;
	case offsetof(struct vmt_fault, retried_faults_total):
		return VMT_HAVE_RETRIED;
	case offsetof(struct vmt_fault, main_kind):
		return VMT_HAVE_KINDS;
	default:
		if (!f->group)
			return 0;
		return strcmp(f->group, "latency") == 0 ? VMT_HAVE_LATENCY
		       : strcmp(f->group, "kinds") == 0 ? VMT_HAVE_KINDS
							: 0;
	}
}

static struct vmt_bytes device_text(struct vmt_arena *arena, uint32_t major, uint32_t minor)
{
	char buf[24];
	int n = snprintf(buf, sizeof(buf), "%02x:%02x", major, minor);
	char *copy = n > 0 ? vmt_arena_copy(arena, buf, (size_t)n) : NULL;

	return (struct vmt_bytes){ copy, copy ? (size_t)n : 0 };
}

static struct vmt_bytes perms_text(struct vmt_arena *arena, uint64_t flags)
{
	char buf[4] = { flags & VM_READ ? 'r' : '-', flags & VM_WRITE ? 'w' : '-',
			flags & VM_EXEC ? 'x' : '-', flags & VM_SHARED ? 's' : 'p' };
	char *copy = vmt_arena_copy(arena, buf, sizeof(buf));

	return (struct vmt_bytes){ copy, copy ? sizeof(buf) : 0 };
}

/* The labels of a row of one mapping. */
static void label_vma(struct vmt_arena *arena, struct vmt_fault *row, const struct item *item,
		      uint64_t start, uint64_t end)
{
	const struct vmt_fault_raw *raw = item->raw;
	const struct vmt_map *now = item->now;

	if (now) {
		start = now->start;
		end = now->end;
	}
	/* A row that processes share is of no one of them, and nowhere. */
	if (raw->pid)
		VMT_SET(fault, pid, row, raw->pid);
	if (raw->start_time_ns)
		VMT_SET(fault, start_time_ns, row, raw->start_time_ns);
	if (raw->owner_pid)
		VMT_SET(fault, owner_pid, row, raw->owner_pid);
	if (end) {
		VMT_SET(fault, start, row, start);
		VMT_SET(fault, end, row, end);
		VMT_SET(fault, size_bytes, row, end - start);
	}
	if (now && VMT_HAS(map, perms, now))
		VMT_SET(fault, perms, row, now->perms);
	else
		VMT_SET(fault, perms, row, perms_text(arena, raw->vm_flags));
	if (is_file(raw)) {
		VMT_SET(fault, offset_bytes, row, distance(raw) + start);
		VMT_SET(fault, device, row, device_text(arena, raw->dev_major, raw->dev_minor));
		VMT_SET(fault, inode, row, raw->inode);
	}
	VMT_SET(fault, kind, row, vmt_fault_class_word(raw));
	VMT_SET(fault, state, row, now ? VMT_BYTES("mapped") : VMT_BYTES("gone"));
	VMT_SET(fault, comm, row, raw->comm);
	if (!raw->path.len && now && VMT_HAS(map, path, now) && now->path.len)
		VMT_SET(fault, path, row, now->path);
	else if (vmt_fault_path(raw).len)
		VMT_SET(fault, path, row, vmt_fault_path(raw));
}

static void label_proc(struct vmt_fault *row, const struct vmt_fault_raw *raw)
{
	VMT_SET(fault, pid, row, raw->pid);
	VMT_SET(fault, start_time_ns, row, raw->start_time_ns);
	VMT_SET(fault, comm, row, raw->comm);
}

static void label_file(struct vmt_arena *arena, struct vmt_fault *row,
		       const struct vmt_fault_raw *raw)
{
	if (is_file(raw)) {
		VMT_SET(fault, device, row, device_text(arena, raw->dev_major, raw->dev_minor));
		VMT_SET(fault, inode, row, raw->inode);
	}
	VMT_SET(fault, kind, row, vmt_fault_class_word(raw));
	if (vmt_fault_path(raw).len)
		VMT_SET(fault, path, row, vmt_fault_path(raw));
}

static int compare_proc(const struct item *a, const struct item *b)
{
	int c = vmt_compare_u64(a->raw->pid, b->raw->pid);

	if (!c)
		c = vmt_compare_u64(a->raw->start_time_ns, b->raw->start_time_ns);
	return c ? c : vmt_compare_u64(a->raw->kind, b->raw->kind);
}

static int compare_file(const struct item *a, const struct item *b)
{
	int c = vmt_compare_u64(device(a->raw), device(b->raw));

	if (!c)
		c = vmt_compare_u64(inode_of(a->raw), inode_of(b->raw));
	if (!c)
		c = vmt_compare_u64(a->raw->class, b->raw->class);
	if (!c)
		c = vmt_compare_u64(a->raw->special, b->raw->special);
	return c ? c : vmt_compare_u64(a->raw->kind, b->raw->kind);
}

static int by_proc(const void *a, const void *b)
{
	return compare_proc(a, b);
}

static int by_file(const void *a, const void *b)
{
	return compare_file(a, b);
}

static int by_cgroup(const void *pa, const void *pb)
{
	const struct item *a = pa, *b = pb;
	int c = vmt_bytes_compare(a->cgroup, b->cgroup);

	return c ? c : vmt_compare_u64(a->raw->kind, b->raw->kind);
}

static int by_kind(const void *pa, const void *pb)
{
	const struct item *a = pa, *b = pb;

	return vmt_compare_u64(a->raw->kind, b->raw->kind);
}

/* Whether item goes on the row that first began and that ends at end so far. */
static bool same_row(const struct item *first, const struct item *item, uint64_t end,
		     enum vmt_fault_group group)
{
	switch (group) {
	case VMT_FAULT_BY_PROC:
		return compare_proc(first, item) == 0;
	case VMT_FAULT_BY_FILE:
		return compare_file(first, item) == 0;
	case VMT_FAULT_BY_CGROUP:
		return by_cgroup(first, item) == 0;
	case VMT_FAULT_BY_KIND:
		return by_kind(first, item) == 0;
	case VMT_FAULT_BY_VMA:
	case VMT_FAULT_BY_IP:
		break;
	}
	if (compare_identity(first->raw, item->raw) != 0)
		return false;
	if (first->now || item->now)
		return first->now == item->now;
	/* brk() moves the end of the heap, and there is one of it. */
	if (first->raw->special == VMT_FAULT_HEAP)
		return true;
	return item->raw->start < end;
}

static int fold(struct vmt_model *m, struct item *items, size_t n, enum vmt_fault_group group)
{
	static int (*const orders[])(const void *, const void *) = {
		[VMT_FAULT_BY_VMA] = compare_items, [VMT_FAULT_BY_PROC] = by_proc,
		[VMT_FAULT_BY_FILE] = by_file,	    [VMT_FAULT_BY_CGROUP] = by_cgroup,
		[VMT_FAULT_BY_KIND] = by_kind,
	};
	uint32_t have = m->sample->faults->have;
	size_t i, k;

	if (n)
		qsort(items, n, sizeof(*items), orders[group]);
	for (i = 0; i < n; i = k) {
		struct vmt_fault *row = &m->faults[m->n_faults++];
		const struct vmt_fault_raw *first = items[i].raw;
		struct vmt_latency_sum latency = { 0 };
		struct vmt_fault_spent spent = { 0 };
		uint64_t end = items[i].raw->end, known = 0;

		/* The first is always on its row, also one without a range. */
		for (k = i; k < n && (k == i || same_row(&items[i], &items[k], end, group)); k++) {
			if (!items[k].raw->unseen)
				row_add(row, &latency, items[k].raw, have);
			spent.lock_ns += items[k].raw->spent.lock_ns;
			spent.read_ns += items[k].raw->spent.read_ns;
			spent.swap_ns += items[k].raw->spent.swap_ns;
			known += items[k].raw->read + items[k].raw->write + items[k].raw->exec;
			if (items[k].raw->end > end)
				end = items[k].raw->end;
		}
		if (group == VMT_FAULT_BY_VMA)
			label_vma(&m->arena, row, &items[i], items[i].raw->start, end);
		else if (group == VMT_FAULT_BY_PROC)
			label_proc(row, items[i].raw);
		else if (group == VMT_FAULT_BY_FILE)
			label_file(&m->arena, row, items[i].raw);
		if (items[i].cgroup.len)
			VMT_SET(fault, cgroup, row, items[i].cgroup);
		for (; i < k; i++)
			forget(row, items[i].raw);
		if (first->part && first->kind >= VMT_FAULT_KINDS)
			VMT_SET(fault, main_kind, row,
				vmt_bytes_of(vmt_fault_kind_name(first->kind)));
		else if (have & VMT_HAVE_KINDS)
			set_main_kind(row);
		if (have & VMT_HAVE_LATENCY && !first->unseen) {
			SET_LATENCY(fault, row, &latency, &m->arena);
			vmt_fault_set_sampled(row, m->sample->faults, &latency, known);
		}
		vmt_fault_set_shares(row, m->sample->faults, &spent);
	}
	return 0;
}

static int add_maps(struct vmt_model *m, const struct vmt_model_opts *opts)
{
	const struct vmt_fault_sample *f = m->sample->faults;
	enum vmt_fault_group group = opts->fault_group;
	struct vmt_fault_raw *maps = f->maps;
	VMT_CLEANUP(vmt_fault_cgroups_done) struct vmt_fault_cgroups cgroups = { 0 };
	VMT_AUTO_FREE struct item *items = NULL;
	bool by_kind = opts->fault_kinds || group == VMT_FAULT_BY_KIND;
	bool of_one = group != VMT_FAULT_BY_KIND && group != VMT_FAULT_BY_FILE;
	size_t n = f->n_maps, i;
	int r;

	if (!(f->have & VMT_HAVE_MAPS) || (f->n_maps == 0 && !by_kind))
		return 0;
	if (by_kind) {
		r = vmt_fault_parts(f, opts->fault_kinds ? opts->fault_kinds : UINT32_MAX, group,
				    &m->arena, &maps, &n);
		if (r < 0)
			return r;
	}
	/* Rows by file or kind are of several processes, and of no one cgroup. */
	r = of_one ? vmt_fault_cgroups_init(&cgroups, m->sample) : 0;
	if (r < 0)
		return r;
	items = calloc(n + 1, sizeof(*items));
	m->faults = vmt_arena_alloc(&m->arena, n + 1, sizeof(*m->faults));
	if (!items || !m->faults)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		items[i].raw = &maps[i];
		items[i].now = group == VMT_FAULT_BY_VMA ? find_map(m->sample, &maps[i]) : NULL;
		if (of_one)
			items[i].cgroup = vmt_fault_cgroup(&cgroups, &maps[i]);
	}
	return fold(m, items, n, group);
}

static int add_balance(struct vmt_model *m)
{
	const struct vmt_fault_sample *f = m->sample->faults;
	size_t i;

	m->balance = vmt_arena_alloc(&m->arena, f->n_procs, sizeof(*m->balance));
	if (!m->balance)
		return -ENOMEM;
	for (i = 0; i < f->n_procs; i++) {
		const struct vmt_fault_proc *p = &f->procs[i];
		struct vmt_balance *b = &m->balance[m->n_balance++];
		uint64_t kernel = p->kernel_minor + p->kernel_major;
		uint64_t sum = p->mapped + p->unattributed + p->dropped;

		/* pid 0 is the row that processes share once the table is full. */
		if (p->pid) {
			VMT_SET(balance, pid, b, p->pid);
			VMT_SET(balance, start_time_ns, b, p->start_time_ns);
			VMT_SET(balance, exited, b, p->exited);
		}
		VMT_SET(balance, comm, b, p->pid ? p->comm : VMT_BYTES("(table full)"));
		VMT_SET(balance, mapped_faults_total, b, p->mapped);
		if (f->have & VMT_HAVE_GUP) {
			VMT_SET(balance, gup_faults_total, b, p->gup);
			sum += p->gup;
		}
		VMT_SET(balance, unattributed_faults_total, b, p->unattributed);
		VMT_SET(balance, dropped_faults_total, b, p->dropped);
		VMT_SET(balance, kernel_faults_total, b, kernel);
		VMT_SET(balance, residual_faults, b, (int64_t)(sum - kernel));
		VMT_SET(balance, minor_faults_total, b, p->kernel_minor);
		VMT_SET(balance, major_faults_total, b, p->kernel_major);
		if (f->have & VMT_HAVE_RECORD) {
			VMT_SET(balance, record_minor_total, b, p->record_minor);
			VMT_SET(balance, record_major_total, b, p->record_major);
		}
		if (f->have & VMT_HAVE_FAILED)
			VMT_SET(balance, failed_faults_total, b, failed_sum(p->failed));
	}
	return 0;
}

static int add_files(struct vmt_model *m)
{
	const struct vmt_fault_sample *f = m->sample->faults;
	size_t i;

	if (!(f->have & VMT_HAVE_FILES) || f->n_files == 0)
		return 0;
	m->files = vmt_arena_alloc(&m->arena, f->n_files, sizeof(*m->files));
	if (!m->files)
		return -ENOMEM;
	for (i = 0; i < f->n_files; i++) {
		const struct vmt_fault_file *raw = &f->files[i];
		struct vmt_file *row = &m->files[m->n_files++];

		VMT_SET(file, device, row, device_text(&m->arena, raw->dev_major, raw->dev_minor));
		VMT_SET(file, inode, row, raw->inode);
		if (raw->path.len)
			VMT_SET(file, path, row, raw->path);
		vmt_fault_file_calls(raw, f->have, &m->arena, row);
		if (f->have & VMT_HAVE_FILE_LATENCY) {
			struct vmt_latency_sum latency = { 0 };

			vmt_latency_add(&latency, &raw->latency);
			SET_LATENCY(file, row, &latency, &m->arena);
		}
	}
	return 0;
}

static void add_probe(struct vmt_model *m)
{
	const struct vmt_fault_sample *f = m->sample->faults;
	const struct vmt_fault_totals *t = &f->totals;
	struct vmt_probe_row *p = &m->probe;
	uint64_t kernel = t->kernel_minor + t->kernel_major;
	uint64_t sum = t->mapped + t->unattributed + t->dropped;

	m->has_probe = true;
	VMT_SET(probe, rung, p, vmt_bytes_of(vmt_rung_name(f->rung)));
	if (f->filemap_rung != VMT_RUNG_NONE)
		VMT_SET(probe, filemap_rung, p, vmt_bytes_of(vmt_rung_name(f->filemap_rung)));
	VMT_SET(probe, canary, p, vmt_bytes_of(vmt_canary_name(f->canary)));
	if (f->canary_text[0])
		VMT_SET(probe, canary_text, p, vmt_bytes_of(f->canary_text));
	if (f->rung == VMT_RUNG_NONE)
		return;
	VMT_SET(probe, window_ns, p, f->window_ns);
	VMT_SET(probe, mapped, p, t->mapped);
	if (f->have & VMT_HAVE_GUP) {
		VMT_SET(probe, gup, p, t->gup);
		sum += t->gup;
	}
	VMT_SET(probe, unattributed, p, t->unattributed);
	VMT_SET(probe, dropped, p, t->dropped);
	VMT_SET(probe, kernel, p, kernel);
	/* Before the window is closed, tasks have moved on since their last event. */
	if (f->complete)
		VMT_SET(probe, residual, p, (int64_t)(sum - kernel));
	if (f->have & VMT_HAVE_RECORD) {
		VMT_SET(probe, record_minor, p, t->record_minor);
		VMT_SET(probe, record_major, p, t->record_major);
		VMT_SET(probe, record_lost, p, t->record_lost);
	}
	if (f->have & VMT_HAVE_FAILED) {
		VMT_SET(probe, failed, p, failed_sum(t->failed));
		VMT_SET(probe, failed_sigsegv, p, t->failed[VMT_FAILED_SIGSEGV]);
		VMT_SET(probe, failed_oom, p, t->failed[VMT_FAILED_OOM]);
		VMT_SET(probe, failed_hwpoison, p, t->failed[VMT_FAILED_HWPOISON]);
	}
	if (f->have & (VMT_HAVE_FAILED | VMT_HAVE_SIGBUS))
		VMT_SET(probe, failed_sigbus, p, t->failed[VMT_FAILED_SIGBUS]);
	if (f->have & VMT_HAVE_RETRIED)
		VMT_SET(probe, retried, p, t->retried);
	if (f->have & VMT_HAVE_MISSES)
		VMT_SET(probe, recursion_misses, p, t->recursion_misses);
	VMT_SET(probe, lost, p, t->lost);
	vmt_fault_set_guard(p, f);
	if (t->cpus_known) {
		VMT_SET(probe, cpus_gone_total, p, t->cpus_gone);
		VMT_SET(probe, cpus_back_total, p, t->cpus_back);
		VMT_SET(probe, cpus_blind_total, p, t->cpus_blind);
	}
	if (f->have & VMT_HAVE_STACKS) {
		VMT_SET(probe, stacks_collided, p, t->stacks_collided);
		VMT_SET(probe, stacks_full, p, t->stacks_full);
		VMT_SET(probe, stacks_absent, p, t->stacks_absent);
		VMT_SET(probe, stack_rows_full, p, t->stack_rows_full);
	}
	if (f->has_cgroups)
		VMT_SET(probe, cgroups_lost_total, p, t->cgroups_lost);
	if (f->by_kind)
		VMT_SET(probe, kinds_lost_total, p, t->kinds_lost);
	if (f->have & VMT_HAVE_SINGLES) {
		VMT_SET(probe, singles_total, p, t->singles);
		VMT_SET(probe, singles_limited_total, p, t->singles_limited);
		VMT_SET(probe, singles_lost_total, p, t->singles_lost);
	}
	if (f->have & VMT_HAVE_MAPS) {
		VMT_SET(probe, slots_used, p, t->slots_used);
		VMT_SET(probe, slots_total, p, t->slots_total);
		VMT_SET(probe, unresolved, p, t->unresolved);
		VMT_SET(probe, dead_nodes, p, t->dead_nodes);
		VMT_SET(probe, paths_cut, p, t->paths_cut);
	}
}

static int add_rungs(struct vmt_model *m)
{
	const struct vmt_fault_sample *f = m->sample->faults;
	size_t i;

	m->rungs = vmt_arena_alloc(&m->arena, f->n_tries, sizeof(*m->rungs));
	if (!m->rungs)
		return -ENOMEM;
	for (i = 0; i < f->n_tries; i++) {
		const struct vmt_probe_try *t = &f->tries[i];
		struct vmt_rung *r = &m->rungs[m->n_rungs++];

		VMT_SET(rung, probe, r, vmt_bytes_of(t->probe));
		VMT_SET(rung, rung, r, vmt_bytes_of(t->rung));
		if (t->hook)
			VMT_SET(rung, hook, r, vmt_bytes_of(t->hook));
		VMT_SET(rung, status, r, vmt_bytes_of(vmt_try_status_name(t->status)));
		if (t->error)
			VMT_SET(rung, error, r, vmt_bytes_of(vmt_errno_name(t->error)));
		if (t->gives)
			VMT_SET(rung, gives, r, vmt_bytes_of(t->gives));
		if (t->fix[0])
			VMT_SET(rung, fix, r, vmt_bytes_of(t->fix));
		if (t->reason[0])
			VMT_SET(rung, reason, r, vmt_bytes_of(t->reason));
	}
	return 0;
}

int vmt_model_faults(struct vmt_model *m, const struct vmt_model_opts *opts)
{
	int r;

	if (!m->sample->faults) {
		vmt_fault_table_take(m);
		return 0;
	}
	add_probe(m);
	r = add_rungs(m);
	if (r == 0)
		r = opts->fault_group == VMT_FAULT_BY_IP ? vmt_model_fault_ips(m)
							 : add_maps(m, opts);
	if (r == 0)
		r = add_balance(m);
	if (r == 0)
		r = add_files(m);
	if (r == 0)
		r = vmt_model_stacks(m);
	if (r == 0)
		r = vmt_model_singles(m);
	return r;
}
