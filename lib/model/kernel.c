/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/kernel-sample.h"

#include <errno.h>

#include "model/model.h"
#include "model/parts.h"

bool vmt_kernel_meminfo(const struct vmt_kernel_sample *k, const char *name, uint64_t *ret)
{
	size_t i;

	for (i = 0; i < k->n_meminfo; i++) {
		if (!vmt_bytes_is(k->meminfo[i].name, name))
			continue;
		*ret = k->meminfo[i].value;
		return true;
	}
	return false;
}

bool vmt_kernel_vmstat(const struct vmt_kernel_sample *k, const char *name, uint64_t *ret)
{
	size_t i;

	for (i = 0; i < k->n_counters; i++) {
		if (!vmt_bytes_is(k->counters[i].name, name))
			continue;
		*ret = k->counters[i].value;
		return true;
	}
	return false;
}

/* Where the figure of a use is from. */
enum use_from {
	FROM_MEMINFO, /* key, in bytes */
	FROM_VMSTAT, /* key, in pages */
	FROM_MISC, /* KReclaimable - SReclaimable */
	FROM_PCP,
	FROM_TCP,
	FROM_UDP,
	FROM_FRAG,
	FROM_NOTHING,
};

#define STACKS	      "kernel stacks"
#define SHADOW_STACKS "shadow call stacks"

struct use {
	const char *name;
	const char *in;
	const char *key; /* as it is shown */
	enum use_from from;
	const char *member; /* of that file */
	const char *why;
	bool always; /* a row where the kernel lacks the key, too */
};

static const struct use uses[] = {
	{ "slab, reclaimable", "total", "meminfo SReclaimable", FROM_MEMINFO, "SReclaimable",
	  "shrinkers can give it back: dentries, inodes and the like", true },
	{ "slab, unreclaimable", "total", "meminfo SUnreclaim", FROM_MEMINFO, "SUnreclaim",
	  "large kmalloc() is in it, and in no cache", true },
	{ "other reclaimable", "total", "meminfo KReclaimable", FROM_MISC, NULL,
	  "KReclaimable - SReclaimable", true },
	{ "vmalloc", "total", "meminfo VmallocUsed", FROM_MEMINFO, "VmallocUsed",
	  "memory of vmalloc(), not its address space", true },
	{ STACKS, "vmalloc", "meminfo KernelStack", FROM_MEMINFO, "KernelStack",
	  "in vmalloc (CONFIG_VMAP_STACK), but where that is less", true },
	{ SHADOW_STACKS, "vmalloc", "meminfo ShadowCallStack", FROM_MEMINFO, "ShadowCallStack",
	  "likewise", false },
	{ "page tables", "total", "meminfo PageTables", FROM_MEMINFO, "PageTables", "of processes",
	  true },
	{ "secondary page tables", "total", "meminfo SecPageTables", FROM_MEMINFO, "SecPageTables",
	  "of virtual machines and IOMMUs (6.1+)", false },
	{ "IOMMU pages", "sec_page_tables", "vmstat nr_iommu_pages", FROM_VMSTAT, "nr_iommu_pages",
	  NULL, false },
	{ "percpu", "total", "meminfo Percpu", FROM_MEMINFO, "Percpu",
	  "each variable once for every possible processor", true },
	{ "lists of the processors", "none", "zoneinfo count", FROM_PCP, NULL,
	  "free pages that each keeps to itself; MemFree is without them", true },
	{ "sockets, TCP", "slab", "sockstat TCP mem", FROM_TCP, NULL,
	  "by TCP's own account: in slab, and pages that are counted nowhere else", true },
	{ "sockets, UDP", "slab", "sockstat UDP mem", FROM_UDP, NULL, "as with TCP", true },
	{ "IP fragments", "slab", "sockstat FRAG memory", FROM_FRAG, NULL,
	  "of this network namespace", true },
	{ "zsmalloc", "total", "vmstat nr_zspages", FROM_VMSTAT, "nr_zspages",
	  "compressed pages of zswap and zram", false },
	{ "struct page", "total", "vmstat nr_memmap_pages", FROM_VMSTAT, "nr_memmap_pages",
	  "of memory that was plugged later, and of page extensions (6.12+)", false },
	{ "struct page, from boot", "none", "vmstat nr_memmap_boot_pages", FROM_VMSTAT,
	  "nr_memmap_boot_pages", "taken before MemTotal is counted (6.12+)", false },
	{ "balloon", "reserved", "meminfo Balloon", FROM_MEMINFO, "Balloon",
	  "given back to the host (6.18+)", false },
	{ "GPU, in use", "reserved", "meminfo GPUActive", FROM_MEMINFO, "GPUActive", NULL, false },
	{ "GPU, reclaimable", "reserved", "meminfo GPUReclaim", FROM_MEMINFO, "GPUReclaim", NULL,
	  false },
	{ "bounce buffers", "total", "meminfo Bounce", FROM_MEMINFO, "Bounce", NULL, false },
	{ "hugetlb", "reserved", "meminfo Hugetlb", FROM_MEMINFO, "Hugetlb",
	  "set aside for huge pages of processes, in use or not", false },
	{ "unaccepted", "free", "meminfo Unaccepted", FROM_MEMINFO, "Unaccepted",
	  "of a confidential machine, not yet taken from the host", false },
	{ "corrupted", "none", "meminfo HardwareCorrupted", FROM_MEMINFO, "HardwareCorrupted",
	  "taken out of use for errors of the hardware", false },
	{ "secretmem", "cached", NULL, FROM_NOTHING, NULL,
	  "the kernel counts it in Cached and Unevictable, and not for itself", true },
};

/* What a use comes to; false where it is unknown. */
static bool use_size(const struct vmt_kernel_sample *k, const struct use *u, uint64_t page_size,
		     uint64_t *ret)
{
	uint64_t v, less;

	switch (u->from) {
	case FROM_MEMINFO:
		return vmt_kernel_meminfo(k, u->member, ret);
	case FROM_VMSTAT:
		if (!vmt_kernel_vmstat(k, u->member, &v))
			return false;
		break;
	case FROM_MISC:
		if (!vmt_kernel_meminfo(k, "KReclaimable", &v) ||
		    !vmt_kernel_meminfo(k, "SReclaimable", &less) || less > v)
			return false;
		*ret = v - less;
		return true;
	case FROM_PCP:
		*ret = k->pcp_bytes;
		return k->has_pcp;
	case FROM_TCP:
		if (!k->has_tcp)
			return false;
		v = k->tcp_pages;
		break;
	case FROM_UDP:
		if (!k->has_udp)
			return false;
		v = k->udp_pages;
		break;
	case FROM_FRAG:
		*ret = k->frag_bytes;
		return k->has_frag;
	case FROM_NOTHING:
	default:
		return false;
	}
	return page_size && !__builtin_mul_overflow(v, page_size, ret);
}

static bool is_stacks(const struct vmt_kernel_use *u)
{
	return vmt_bytes_is(u->name, STACKS) || vmt_bytes_is(u->name, SHADOW_STACKS);
}

/* Stacks of which vmalloc has less than they are count for themselves. */
static void place_stacks(struct vmt_model *m)
{
	uint64_t stacks = 0, vmalloc = 0;
	bool known = false;
	size_t i;

	for (i = 0; i < m->n_uses; i++) {
		const struct vmt_kernel_use *u = &m->uses[i];

		if (!VMT_HAS(kernel_use, size_bytes, u))
			continue;
		if (vmt_bytes_is(u->name, "vmalloc")) {
			known = true;
			vmalloc = u->size_bytes;
		} else if (is_stacks(u) && __builtin_add_overflow(stacks, u->size_bytes, &stacks)) {
			return;
		}
	}
	if (!known || !stacks || vmt_vmalloc_without_stacks(vmalloc, stacks) != vmalloc)
		return;
	for (i = 0; i < m->n_uses; i++)
		if (is_stacks(&m->uses[i]))
			VMT_SET(kernel_use, in, &m->uses[i], VMT_BYTES("total"));
}

/* The sum of what counts for it. A part that every kernel has and this one did not show makes it
 * unknown. */
static void sum_uses(struct vmt_model *m, const struct vmt_kernel_sample *k)
{
	uint64_t sum = 0, total;
	struct vmt_kernel_sum *s = &m->kernel_sums[m->n_kernel_sums];
	size_t i;

	for (i = 0; i < m->n_uses; i++) {
		const struct vmt_kernel_use *u = &m->uses[i];
		bool known = VMT_HAS(kernel_use, size_bytes, u);

		if (!vmt_bytes_is(u->in, "total"))
			continue;
		/* Kernels before 4.20 and 5.0 count neither. */
		if (!known &&
		    (vmt_bytes_is(u->name, "other reclaimable") || vmt_bytes_is(u->name, "percpu")))
			continue;
		if (!known || __builtin_add_overflow(sum, u->size_bytes, &sum))
			return;
	}
	if (!m->n_uses)
		return;
	m->n_kernel_sums++;
	VMT_SET(kernel_sum, name, s, VMT_BYTES("held by the kernel"));
	VMT_SET(kernel_sum, listed_bytes, s, sum);
	VMT_SET(kernel_sum, why, s,
		VMT_BYTES("the rows that are in total; counted is MemTotal, all that there is"));
	if (!vmt_kernel_meminfo(k, "MemTotal", &total))
		return;
	VMT_SET(kernel_sum, counted_bytes, s, total);
	if (total <= INT64_MAX && sum <= INT64_MAX)
		VMT_SET(kernel_sum, difference_bytes, s, (int64_t)total - (int64_t)sum);
}

static int derive_uses(struct vmt_model *m, const struct vmt_kernel_sample *prev)
{
	const struct vmt_kernel_sample *k = m->sample->kernel;
	uint64_t page_size = m->sample->host.page_size;
	size_t i;

	if (!k->uses || !k->n_meminfo)
		return 0;
	m->uses = vmt_arena_alloc(&m->arena, VMT_ARRAY_LEN(uses), sizeof(*m->uses));
	if (!m->uses)
		return -ENOMEM;
	for (i = 0; i < VMT_ARRAY_LEN(uses); i++) {
		struct vmt_kernel_use *row = &m->uses[m->n_uses];
		const struct use *u = &uses[i];
		uint64_t v = 0, before;
		bool known = use_size(k, u, page_size, &v);

		if (!known && !u->always)
			continue;
		m->n_uses++;
		VMT_SET(kernel_use, name, row, vmt_bytes_of(u->name));
		VMT_SET(kernel_use, in, row, vmt_bytes_of(u->in));
		if (u->key)
			VMT_SET(kernel_use, key, row, vmt_bytes_of(u->key));
		if (u->why)
			VMT_SET(kernel_use, why, row, vmt_bytes_of(u->why));
		if (!known)
			continue;
		VMT_SET(kernel_use, size_bytes, row, v);
		if (prev && use_size(prev, u, page_size, &before) && v <= INT64_MAX &&
		    before <= INT64_MAX)
			VMT_SET(kernel_use, delta_bytes, row, (int64_t)v - (int64_t)before);
	}
	place_stacks(m);
	sum_uses(m, k);
	return 0;
}

/* A list against the count that meminfo has of the same. */
static void held_against(struct vmt_model *m, const char *name, bool listed, uint64_t bytes,
			 const char *key, const char *why)
{
	struct vmt_kernel_sum *s = &m->kernel_sums[m->n_kernel_sums++];
	uint64_t counted;

	VMT_SET(kernel_sum, name, s, vmt_bytes_of(name));
	VMT_SET(kernel_sum, why, s, vmt_bytes_of(why));
	if (listed)
		VMT_SET(kernel_sum, listed_bytes, s, bytes);
	if (!vmt_kernel_meminfo(m->sample->kernel, key, &counted))
		return;
	VMT_SET(kernel_sum, counted_bytes, s, counted);
	if (listed && counted <= INT64_MAX && bytes <= INT64_MAX)
		VMT_SET(kernel_sum, difference_bytes, s, (int64_t)counted - (int64_t)bytes);
}

/* The caches of one kind, or of both. False where one does not say which it is. */
static bool sum_slabs(const struct vmt_slab *s, size_t n, int reclaimable, uint64_t *ret)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		/* One without slabs is of no weight on either side. */
		if (reclaimable >= 0 && s[i].size_bytes) {
			if (!VMT_HAS(slab, reclaimable, &s[i]))
				return false;
			if (s[i].reclaimable != (reclaimable != 0))
				continue;
		}
		if (__builtin_add_overflow(sum, s[i].size_bytes, &sum))
			return false;
	}
	*ret = sum;
	return true;
}

static int derive_slabs(struct vmt_model *m)
{
	static const char large[] =
		"kmalloc() of more than two pages is in no cache; each processor "
		"tells its counts late";
	static const char late[] = "each processor tells its counts late";
	const struct vmt_kernel_sample *k = m->sample->kernel;
	uint64_t sum = 0;
	bool known;
	size_t i;

	if (!k->n_slabs)
		return 0;
	m->slabs = vmt_arena_alloc(&m->arena, k->n_slabs, sizeof(*m->slabs));
	if (!m->slabs)
		return -ENOMEM;
	m->n_slabs = k->n_slabs;
	for (i = 0; i < k->n_slabs; i++) {
		struct vmt_slab *s = &m->slabs[i];

		*s = k->slabs[i];
		if (s->used_bytes <= s->size_bytes)
			VMT_SET(slab, unused_bytes, s, s->size_bytes - s->used_bytes);
	}
	known = sum_slabs(m->slabs, m->n_slabs, -1, &sum);
	held_against(m, "slab", known, sum, "Slab", large);
	known = sum_slabs(m->slabs, m->n_slabs, 1, &sum);
	held_against(m, "slab, reclaimable", known, sum, "SReclaimable", late);
	known = sum_slabs(m->slabs, m->n_slabs, 0, &sum);
	held_against(m, "slab, unreclaimable", known, sum, "SUnreclaim", large);
	return 0;
}

static void derive_vmalloc(struct vmt_model *m)
{
	const struct vmt_kernel_sample *k = m->sample->kernel;
	uint64_t memory = 0;
	size_t i;

	m->vmalloc = k->vmalloc;
	m->n_vmalloc = k->n_vmalloc;
	if (!k->n_vmalloc)
		return;
	for (i = 0; i < k->n_vmalloc; i++)
		if (__builtin_add_overflow(memory, k->vmalloc[i].memory_bytes, &memory))
			return;
	held_against(m, "vmalloc, memory", true, memory - k->vmalloc_put_bytes, "VmallocUsed",
		     "areas came and went between the two reads; pages of vmap() are in neither");
}

static int derive_counters(struct vmt_model *m, const struct vmt_kernel_sample *prev,
			   uint64_t dt_ns)
{
	const struct vmt_kernel_sample *k = m->sample->kernel;
	size_t i;

	m->counters = vmt_arena_alloc(&m->arena, k->n_counters, sizeof(*m->counters));
	if (!m->counters)
		return -ENOMEM;
	m->n_counters = k->n_counters;
	for (i = 0; i < k->n_counters; i++) {
		struct vmt_counter *c = &m->counters[i];
		__int128 v;

		*c = k->counters[i];
		/* The keys of one boot are in one order. */
		if (!prev || !dt_ns || i >= prev->n_counters ||
		    !vmt_bytes_equal(prev->counters[i].name, c->name))
			continue;
		v = ((__int128)c->value - prev->counters[i].value) * 1000000000000 / dt_ns;
		if (v >= INT64_MIN && v <= INT64_MAX)
			VMT_SET(counter, delta_per_second, c, (int64_t)v);
	}
	return 0;
}

int vmt_model_kernel(struct vmt_model *m, const struct vmt_sample *prev, uint64_t dt_ns)
{
	const struct vmt_kernel_sample *before = prev && dt_ns ? prev->kernel : NULL;
	int r;

	if (!m->sample->kernel)
		return 0;
	m->kernel_sums = vmt_arena_alloc(&m->arena, 5, sizeof(*m->kernel_sums));
	if (!m->kernel_sums)
		return -ENOMEM;
	r = derive_uses(m, before);
	if (r == 0)
		r = derive_slabs(m);
	if (r < 0)
		return r;
	derive_vmalloc(m);
	r = derive_counters(m, before, dt_ns);
	return r ? r : vmt_model_kernel_ranges(m);
}
