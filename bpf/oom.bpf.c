/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What the OOM killer knows, when it marks a victim: oom:mark_victim is in the context of who asked
 * for memory, under the kernel's oom_lock, so that there is one at a time. What it was asked for
 * lies in a struct oom_control on the stack of that task: out_of_memory() gets it by address from
 * all its callers (mm/page_alloc.c, mm/memcontrol.c, drivers/tty/sysrq.c), and the victim stands in
 * it. It is looked for there, which needs no hook at a function.
 */

#include "bpf/common.bpf.h"
#include "bpf/cgroup-path.bpf.h"
#include "bpf/near.bpf.h"
#include "bpf/oom.h"
#include "bpf/rss.bpf.h"
#include "bpf/table.bpf.h"

volatile struct vmt_oom_control control = {};

/* oom:mark_victim has the number of the victim as its argument: before 6.8 (72ba14deb40a), where
 * that is not in a stable release. */
const volatile __u32 vmt_by_number = 0;
const volatile __u32 vmt_cpus = 1; /* possible ones */
const volatile __u64 vmt_page = 4096;

#define GFP_DMA	    0x01u
#define GFP_HIGHMEM 0x02u
#define GFP_DMA32   0x04u
#define GFP_MOVABLE 0x08u

#define WORDS	    512 /* of 4 KiB */
#define STACK_PARTS 4 /* of 4 KiB */
#define PART	    64
#define PARTS	    64
#define LAST_TABLE  (2ull << 20) /* what one of the last level spans */
#define TABLES_MOST 8192 /* that are read for a victim: some milliseconds */

struct vmt_oom_record record = {};
volatile __u64 number = 0; /* a pointer becomes one on its way through memory */
__u64 words[WORDS] = {};

/* What keep_next() and count_part() go on with. */
struct {
	__u64 mm;
	__u64 at; /* where the next mapping is looked for */
	__u64 tables; /* that may still be read */
	__u64 chunk; /* within a mapping */
	__u64 span; /* of what last_table() found */
	__u64 present;
	__u64 swapped;
} walk = {};

/* The kill before, for those of one group. */
struct {
	__u64 who;
	__u64 ns;
	__u64 control;
	__u64 chosen;
} before = {};

/* What reclaim of a task looked at last before it gave up. */
struct retry {
	u64 ns;
	u64 reclaimable;
	s32 loops;
	s32 order;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, u32);
	__type(value, struct retry);
} retries SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096); /* user space sets it */
} ooms SEC(".maps");

/* Whether there is a struct oom_control: all of its members have to make sense together. */
__noinline int is_control(u64 at)
{
	struct oom_control *oc = (void *)at;
	s32 order = BPF_CORE_READ(oc, order);
	u32 constraint = BPF_CORE_READ(oc, constraint), gfp = BPF_CORE_READ(oc, gfp_mask);
	u64 memcg = (u64)BPF_CORE_READ(oc, memcg), zones = (u64)BPF_CORE_READ(oc, zonelist);

	return order >= -1 && order < VMT_OOM_ORDERS && constraint <= VMT_BPF_CONSTRAINT_MEMCG &&
	       (constraint == VMT_BPF_CONSTRAINT_MEMCG) == (memcg != 0) &&
	       (memcg ? (s64)memcg < 0 : (s64)zones < 0) && gfp && !(gfp >> 28) &&
	       BPF_CORE_READ(oc, totalpages);
}

/* A struct oom_control in 4 KiB of a stack, that deepest in its calls last: the address, or 0.
 * victim: the task, or its number. */
__noinline u64 control_in(u64 base, u64 victim)
{
	u64 place = bpf_core_field_offset(struct oom_control, chosen);

	if (bpf_probe_read_kernel(words, sizeof(words), (void *)base))
		return 0;
	for (int i = WORDS - 1; i >= 0; i--) {
		u64 word = words[i & (WORDS - 1)], at = base + i * 8 - place;

		if (vmt_by_number ? (s64)word >= 0 : word != victim)
			continue;
		if (!is_control(at))
			continue;
		if (!vmt_by_number || BPF_CORE_READ((struct task_struct *)word, pid) == (s32)victim)
			return at;
	}
	return 0;
}

static __noinline struct oom_control *find_control(u64 victim)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	u64 stack = (u64)BPF_CORE_READ(task, stack), at;

	for (int part = STACK_PARTS - 1; part >= 0; part--) {
		at = control_in(stack + part * WORDS * 8, victim);
		if (at)
			return (void *)at;
	}
	return NULL;
}

static __always_inline struct percpu_counter *counter_of(u64 mm, u32 i)
{
	return (void *)(mm + bpf_core_field_offset(struct mm_struct___6_2, rss_stat) +
			i * bpf_core_type_size(struct percpu_counter));
}

/* Adds the parts of a CPU, as percpu_counter_sum() does. */
__noinline int rss_add_cpu(u64 mm, u32 cpu)
{
	struct cpu_offset *c;
	u32 zero = 0;
	u64 table, handle = 0, offset;

	/* The verifier looks at such a function whether it is called or not, and helper and members
	 * are younger than some kernels. */
	if (!bpf_core_field_exists(struct mm_struct___6_2, rss_stat[0].count))
		return -1;
	c = bpf_map_lookup_percpu_elem(&cpu_offsets, &zero, cpu);
	if (!c)
		return -1;
	number = (u64)&cpu_offsets;
	table = number;
	if (bpf_probe_read_kernel(&handle, sizeof(handle),
				  (void *)(table + bpf_core_field_offset(struct bpf_array, pptrs))))
		return -1;
	number = (u64)c;
	offset = number - handle;
	for (u32 i = 0; i < 4; i++) {
		struct percpu_counter *counter = counter_of(mm, i);
		s32 *at = BPF_CORE_READ(counter, counters), own = 0;

		if (bpf_probe_read_kernel(&own, sizeof(own), (char *)at + offset))
			return -1;
		record.rss[i & 3] += (s64)own;
	}
	return 0;
}

static __noinline bool rss_of_cpus(u64 mm)
{
	for (u32 i = 0; i < 4; i++) {
		struct percpu_counter *counter = counter_of(mm, i);

		record.rss[i & 3] = BPF_CORE_READ(counter, count);
	}
	for (u32 cpu = 0; cpu < VMT_MAX_CPUS && cpu < vmt_cpus; cpu++)
		if (rss_add_cpu(mm, cpu))
			return false;
	return true;
}

/* Less what threads of it have not added yet, up to 64 pages each. */
static __noinline bool rss_of_mm(struct mm_struct *from)
{
	struct mm_struct___before_6_2 *mm = (void *)from;

	for (int i = 0; i < 4; i++)
		record.rss[i & 3] = BPF_CORE_READ(mm, rss_stat.count[i].counter);
	return true;
}

static __always_inline bool rss_of(struct mm_struct *mm)
{
	if (bpf_core_type_exists(struct mm_rss_stat))
		return rss_of_mm(mm);
	if (!bpf_core_field_exists(struct mm_struct___6_2, rss_stat[0].count))
		return false;
	return rss_of_cpus((u64)mm);
}

/*
 * The table of the last level that an address is in, as an address to read it at; 1: a huge page is
 * there; 0: none. walk.span: what is so around it, at least.
 */
__noinline u64 last_table(u64 table, u64 addr)
{
	u32 shift = tables.shift;
	u64 entry = 0;

	walk.span = LAST_TABLE;
	for (int level = 0; level < TABLE_LEVELS - 1 && table; level++) {
		walk.span = 1ull << (shift & 63);
		if (bpf_probe_read_kernel(&entry, sizeof(entry),
					  (void *)(table + (addr >> (shift & 63) & 511) * 8)))
			return 0;
		/* PROT_NONE, and what is balanced between nodes: without a frame to be read at. */
		if ((entry & (ENTRY_PRESENT | ENTRY_NUMA | ENTRY_HUGE)) ==
		    (ENTRY_NUMA | ENTRY_HUGE))
			return 1;
		if (!(entry & ENTRY_PRESENT) || (entry & tables.mask) >= tables.end)
			return 0;
		if (entry & ENTRY_HUGE)
			return 1;
		table = tables.base + (entry & tables.mask);
		if (shift == 21)
			return table;
		shift -= 9;
	}
	return 0;
}

/* Adds PART entries of a table that was read, from the one at from on, as far as they are among the
 * n from first on. Without a branch: the verifier follows one way through the loop, and not one for
 * each of them. */
__noinline int count_some(u64 from, u64 first, u64 n)
{
	u64 present = 0, swapped = 0;

	for (u64 k = 0; k < PART; k++) {
		u64 i = from + k, entry = words[i & (WORDS - 1)],
		    in = ((i - first - n) & ~(i - first)) >> 63;
		/* PROT_NONE, and what is balanced between nodes, is there, too. */
		u64 there = (entry | entry >> 8) & 1, some = (entry | -entry) >> 63;

		barrier_var(in);
		barrier_var(there);
		barrier_var(some);
		present += in & there;
		swapped += in & some & ~there;
	}
	walk.present += present;
	walk.swapped += swapped;
	return 0;
}

static __always_inline void count_entries(u64 first, u64 n)
{
	for (u64 from = 0; from < WORDS; from += PART)
		count_some(from, first, n);
}

/* PART steps through the tables of a mapping from walk.chunk on. 1: it is at its end. */
__noinline int count_part(u64 pgd, u64 end)
{
	for (int i = 0; i < PART; i++) {
		u64 at = walk.chunk, span, table, next;

		if (at >= end || !walk.tables)
			return 1;
		table = last_table(pgd, at);
		span = walk.span;
		next = (at & ~(span - 1)) + span;
		if (next > end || next < at)
			next = end;
		walk.chunk = next;
		walk.tables--;
		if (table == 1)
			walk.present += (next - at) / vmt_page;
		else if (table && !bpf_probe_read_kernel(words, sizeof(words), (void *)table))
			count_entries((at & (LAST_TABLE - 1)) / vmt_page, (next - at) / vmt_page);
	}
	return 0;
}

/* What of a mapping is there. */
__noinline int count_pages(u64 start, u64 end)
{
	struct mm_struct *mm = (void *)walk.mm;
	u64 pgd = (u64)BPF_CORE_READ(mm, pgd);

	walk.chunk = start;
	walk.present = walk.swapped = 0;
	for (int i = 0; i < TABLES_MOST / PART; i++)
		if (count_part(pgd, end))
			break;
	return 0;
}

/* Pages of a mapping that is kept; where they are not known, as many as it may have. */
static __always_inline u64 weight_of(const struct vmt_oom_map_slot *m)
{
	if (!tables.shift || m->present == VMT_OOM_UNCOUNTED)
		return (m->end - m->start) / vmt_page;
	return m->present + m->swapped;
}

/* Keeps a mapping where it has more than one of those that are kept. */
__noinline int keep_map(u64 at)
{
	struct vm_area_struct *vma = (void *)at;
	u64 start = BPF_CORE_READ(vma, vm_start), end = BPF_CORE_READ(vma, vm_end);
	u64 least = ~0ull, size = (end - start) / vmt_page;
	struct vmt_oom_map_slot *m;
	struct file *file;
	u32 slot = record.n_maps;
	bool full = slot >= VMT_OOM_MAPS, counted = false;

	if (full) {
		for (u32 i = 0; i < VMT_OOM_MAPS; i++) {
			u64 weight = weight_of(&record.maps[i]);

			if (weight < least) {
				least = weight;
				slot = i;
			}
		}
		/* It cannot have more than it is large. */
		if (size <= least)
			return 0;
	}
	if (tables.shift) {
		count_pages(start, end);
		counted = walk.chunk >= end;
		if (full && counted && walk.present + walk.swapped <= least)
			return 0;
	}
	if (!full)
		record.n_maps++;
	m = &record.maps[slot & (VMT_OOM_MAPS - 1)];
	m->start = start;
	m->end = end;
	m->flags = BPF_CORE_READ(vma, vm_flags);
	m->offset = BPF_CORE_READ(vma, vm_pgoff);
	m->present = counted ? walk.present : VMT_OOM_UNCOUNTED;
	m->swapped = counted ? walk.swapped : VMT_OOM_UNCOUNTED;
	m->ino = 0;
	m->dev = 0;
	m->name = 0;
	file = BPF_CORE_READ(vma, vm_file);
	if (file) {
		struct inode *inode = BPF_CORE_READ(file, f_inode);

		m->ino = BPF_CORE_READ(inode, i_ino);
		m->dev = BPF_CORE_READ(inode, i_sb, s_dev);
		m->name = name_of(file, m->ino, m->dev);
	}
	return 0;
}

/* Takes the next mapping. 1: there are no more; 2: none that is known. */
__noinline int keep_next(void)
{
	struct mm_struct *mm = (void *)walk.mm;
	u64 at = walk.at, vma, end;

	vma = vmt_mm_near(mm, at, true);
	/* The tree was changed under the walk. */
	if (vma == VMT_WALK_DEAD)
		vma = vmt_mm_near(mm, at, true);
	if (vma == VMT_WALK_NONE)
		return 1;
	if (vma == VMT_WALK_DEAD || BPF_CORE_READ((struct vm_area_struct *)vma, vm_mm) != mm)
		return 2;
	end = BPF_CORE_READ((struct vm_area_struct *)vma, vm_end);
	if (end <= at)
		return 2;
	walk.at = end;
	keep_map(vma);
	return 0;
}

/* PART mappings; else what ended it. */
__noinline int walk_part(void)
{
	for (int i = 0; i < PART; i++) {
		int ended = keep_next();

		if (ended)
			return ended;
	}
	return 0;
}

/* In its caller: no more than 8 functions may be entered at once. */
static __always_inline void largest_maps(struct mm_struct *mm)
{
	int ended = 0;

	walk.mm = (u64)mm;
	walk.at = 0;
	walk.tables = TABLES_MOST;
	for (int i = 0; i < PARTS && !ended; i++)
		ended = walk_part();
	if (tables.shift)
		record.flags |= VMT_OOM_TABLES;
	if (ended != 1 || (tables.shift && !walk.tables))
		record.flags |= VMT_OOM_MAPS_CUT;
}

/* gfp_zone() of the kernel, on 64 bits. */
static __noinline u32 zone_of(u32 gfp)
{
	if (gfp & GFP_MOVABLE && gfp & GFP_HIGHMEM)
		return bpf_core_enum_value(enum zone_type, ZONE_MOVABLE);
	if (gfp & GFP_DMA && bpf_core_enum_value_exists(enum zone_type, ZONE_DMA))
		return bpf_core_enum_value(enum zone_type, ZONE_DMA);
	if (gfp & GFP_DMA32 && bpf_core_enum_value_exists(enum zone_type, ZONE_DMA32))
		return bpf_core_enum_value(enum zone_type, ZONE_DMA32);
	return bpf_core_enum_value(enum zone_type, ZONE_NORMAL);
}

static __always_inline u64 word_at(const void *base, u64 offset)
{
	u64 v = 0;

	bpf_probe_read_kernel(&v, sizeof(v), (const char *)base + offset);
	return v;
}

/* A counter, which may be below 0 by what single CPUs have not added yet (zone_page_state()). */
static __always_inline u64 zone_stat(u64 stats, u64 item)
{
	s64 v = (s64)word_at((void *)stats, 8 * item);

	return v < 0 ? 0 : v;
}

#define ZONE_OFFSET(member) bpf_core_field_offset(struct zone, member)

/* at is a struct zone, index its enum zone_type, which row of the record. */
__noinline int keep_zone(u64 at, u32 index, u32 row)
{
	struct zone *zone = (void *)at;
	struct vmt_oom_zone_slot *z = &record.zones[row & (VMT_OOM_ZONES - 1)];
	u64 stat = at + ZONE_OFFSET(vm_stat), file;
	u64 area = at + ZONE_OFFSET(free_area) + bpf_core_field_offset(struct free_area, nr_free);

	if (bpf_probe_read_kernel_str(z->name, sizeof(z->name), BPF_CORE_READ(zone, name)) < 0)
		z->name[0] = 0;
	z->free = zone_stat(stat, bpf_core_enum_value(enum zone_stat_item, NR_FREE_PAGES));
	file = zone_stat(stat, bpf_core_enum_value(enum zone_stat_item, NR_ZONE_INACTIVE_FILE));
	z->file = file +
		  zone_stat(stat, bpf_core_enum_value(enum zone_stat_item, NR_ZONE_ACTIVE_FILE));
	z->min = word_at(zone, ZONE_OFFSET(_watermark));
	z->low = word_at(zone, ZONE_OFFSET(_watermark) + 8);
	z->high = word_at(zone, ZONE_OFFSET(_watermark) + 16);
	z->boost = BPF_CORE_READ(zone, watermark_boost);
	z->reserve = word_at(zone, ZONE_OFFSET(lowmem_reserve) + 8 * (record.highest & 7));
	z->highatomic = vmt_zone_highatomic(zone);
	z->managed = BPF_CORE_READ(zone, managed_pages.counter);
	for (int i = 0; i < VMT_OOM_ORDERS; i++)
		z->blocks[i] = word_at((void *)area, i * bpf_core_type_size(struct free_area));
	z->node = BPF_CORE_READ(zone, zone_pgdat, node_id);
	z->index = index;
	return 0;
}

static __noinline void keep_zones(struct zonelist *list)
{
	u64 ref = (u64)list + bpf_core_field_offset(struct zonelist, _zonerefs);

	for (u32 i = 0; i <= VMT_OOM_ZONES; i++, ref += bpf_core_type_size(struct zoneref)) {
		struct zoneref *r = (void *)ref;
		u64 zone = (u64)BPF_CORE_READ(r, zone);

		if (!zone)
			return;
		if (i == VMT_OOM_ZONES)
			break;
		keep_zone(zone, BPF_CORE_READ(r, zone_idx), i);
		record.n_zones = i + 1;
	}
	record.flags |= VMT_OOM_ZONES_CUT;
}

static __noinline void keep_limit(struct mem_cgroup *memcg)
{
	struct cgroup *c = BPF_CORE_READ(memcg, css.cgroup);

	if (!c)
		return;
	cgroup_fill(&record.limit_cgroup, BPF_CORE_READ(c, kn));
	record.usage = BPF_CORE_READ(memcg, memory.usage.counter);
	record.max = BPF_CORE_READ(memcg, memory.max);
	record.swap_usage = BPF_CORE_READ(memcg, memsw.usage.counter);
	record.swap_max = BPF_CORE_READ(memcg, memsw.max);
	record.flags |= VMT_OOM_LIMIT_CGROUP;
	if (BPF_CORE_READ(c, root, hierarchy_id))
		record.flags |= VMT_OOM_VERSION_1;
}

static __noinline u64 own_nodes(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, mems_allowed.bits[0]);
}

static __noinline void keep_control(struct oom_control *oc)
{
	struct mem_cgroup *memcg;
	nodemask_t *nodes = BPF_CORE_READ(oc, nodemask);
	struct zonelist *list = BPF_CORE_READ(oc, zonelist);

	record.gfp = BPF_CORE_READ(oc, gfp_mask);
	record.order = BPF_CORE_READ(oc, order);
	record.constraint = BPF_CORE_READ(oc, constraint);
	record.total_pages = BPF_CORE_READ(oc, totalpages);
	record.highest = zone_of(record.gfp);
	record.flags |= VMT_OOM_CONTROL;
	if (nodes) {
		record.nodes = word_at(nodes, 0);
		record.flags |= VMT_OOM_NODES;
	}
	if (bpf_core_field_exists(struct task_struct, mems_allowed)) {
		record.allowed = own_nodes();
		record.flags |= VMT_OOM_ALLOWED;
	}
	memcg = bpf_core_type_exists(struct mem_cgroup) ? BPF_CORE_READ(oc, memcg) : NULL;
	if (memcg)
		keep_limit(memcg);
	if (list)
		keep_zones(list);
}

/* The record, but for what the killer has. */
static __noinline void keep_victim(struct task_struct *victim)
{
	struct kernfs_node *kn;
	u64 who = bpf_get_current_pid_tgid();
	struct mm_struct *mm = BPF_CORE_READ(victim, mm);

	record.tgid = BPF_CORE_READ(victim, tgid);
	record.uid = BPF_CORE_READ(victim, real_cred, uid.val);
	record.adjust = BPF_CORE_READ(victim, signal, oom_score_adj);
	record.start = BPF_CORE_READ(victim, group_leader, start_boottime);
	BPF_CORE_READ_STR_INTO(&record.comm, victim, group_leader, comm);
	record.by_tgid = who >> 32;
	record.by_tid = who;
	bpf_get_current_comm(&record.by_comm, sizeof(record.by_comm));
	record.flags = 0;
	record.n_zones = record.n_maps = 0;
	record.limit_cgroup.len = 0;
	kn = vmt_memory_cgroup(victim);
	if (kn) {
		cgroup_fill(&record.victim_cgroup, kn);
		record.flags |= VMT_OOM_VICTIM_CGROUP;
	}
	if (!mm)
		return;
	record.flags |= VMT_OOM_SPACE;
	record.tables_bytes = BPF_CORE_READ(mm, pgtables_bytes.counter);
	record.total_vm = BPF_CORE_READ(mm, total_vm);
	record.start_brk = BPF_CORE_READ(mm, start_brk);
	record.brk = BPF_CORE_READ(mm, brk);
	record.start_stack = BPF_CORE_READ(mm, start_stack);
	if (rss_of(mm))
		record.flags |= VMT_OOM_RSS;
	largest_maps(mm);
}

static __noinline void keep_retry(u64 now)
{
	u32 tid = record.by_tid;
	struct retry *r = bpf_map_lookup_elem(&retries, &tid);

	if (!r)
		return;
	/* Of another time that it was short of memory. */
	if (now - r->ns < 60000000000ull && record.flags & VMT_OOM_CONTROL &&
	    r->order == record.order && record.constraint != VMT_BPF_CONSTRAINT_MEMCG) {
		record.retry_reclaimable = r->reclaimable;
		record.retry_loops = r->loops;
		record.flags |= VMT_OOM_RETRY;
	}
	bpf_map_delete_elem(&retries, &tid);
}

static __always_inline void hand_out(u64 now)
{
	record.ns = now;
	record.took_ns = bpf_ktime_get_ns() - now;
	if (bpf_ringbuf_output(&ooms, &record, sizeof(record), BPF_RB_NO_WAKEUP))
		stat_add(VMT_STAT_DROPPED, 1);
	else
		stat_add(VMT_STAT_COUNTED, 1);
}

/* The control of the kill before, where this is another one of its group: the kernel kills all of
 * them in one loop, and chose the first. */
static __noinline struct oom_control *control_of_group(u64 now)
{
	struct oom_control *oc = (void *)before.control;

	if (!oc || before.who != bpf_get_current_pid_tgid() || now - before.ns > 10000000000ull ||
	    (u64)BPF_CORE_READ(oc, chosen) != before.chosen || !is_control(before.control))
		return NULL;
	return oc;
}

SEC("?tp_btf/mark_victim")
int victim_marked(u64 *ctx)
{
	u64 now = bpf_ktime_get_ns(), victim;
	struct task_struct *task;
	struct oom_control *oc;
	bool group = false;

	if (!control.active)
		return 0;
	stat_add(VMT_STAT_SEEN, 1);
	number = ctx[0];
	victim = number;
	oc = find_control(victim);
	if (!oc && !vmt_by_number) {
		oc = control_of_group(now);
		group = oc != NULL;
	}
	task = vmt_by_number ? NULL : (void *)victim;
	if (vmt_by_number && oc)
		task = BPF_CORE_READ(oc, chosen);
	if (!task) {
		/* Whom it is about is not known but by its number. */
		stat_add(VMT_STAT_UNRESOLVED, 1);
		return 0;
	}
	/* Also of one that is not watched: another of its group may be. */
	before.who = bpf_get_current_pid_tgid();
	before.ns = now;
	before.control = (u64)oc;
	before.chosen = oc ? (u64)BPF_CORE_READ(oc, chosen) : 0;
	if (!watched(BPF_CORE_READ(task, tgid), 0))
		return 0;
	keep_victim(task);
	if (oc)
		keep_control(oc);
	if (group)
		record.flags |= VMT_OOM_GROUP;
	keep_retry(now);
	hand_out(now);
	return 0;
}

/* In should_reclaim_retry(), for each zone that an allocation may come from: the last one before
 * the killer is called. */
SEC("?tp_btf/reclaim_retry_zone")
int BPF_PROG(reclaim_looks, struct zoneref *ref, int order, unsigned long reclaimable,
	     unsigned long available, unsigned long min, int loops, bool met)
{
	struct retry r = {
		.ns = bpf_ktime_get_ns(),
		.reclaimable = reclaimable,
		.loops = loops,
		.order = order,
	};
	u32 tid = bpf_get_current_pid_tgid();

	if (control.active)
		bpf_map_update_elem(&retries, &tid, &r, BPF_ANY);
	return 0;
}

/* Run by user space: all that is told of a victim, of the process that runs it. */
SEC("?raw_tp")
int victim_look(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	u64 now = bpf_ktime_get_ns();

	keep_victim(task);
	record.flags |= VMT_OOM_CHECK;
	hand_out(now);
	return 0;
}
