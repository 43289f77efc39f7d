/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The page cache by inode: programs that user space runs, some thousand inodes at a time, by
 * BPF_PROG_TEST_RUN of a raw tracepoint that they are never attached to (5.10, 1b4d60ec162f), and
 * iterators over mappings and open files. All of the kernel's lists are walked without their locks,
 * inside one section of RCU for each run: whatever was in a list when it was read is memory still,
 * if not what it was. So each step is checked from both of its sides, every pointer is read by
 * bpf_probe_read_kernel(), and what does not fit ends the run.
 */

#include "bpf/kernel_types.h"
#include "bpf/compat.bpf.h"
#include "bpf/inodes.h"

char LICENSE[] SEC("license") = "GPL";

#define RETRIES 4 /* of a step that fell between the two halves of a change */
#define ALIASES 4 /* names of an inode that are looked at, where one was removed */

volatile struct vmt_inode_walk walk = {};

/* Processes whose mappings and files are wanted, where vmt_filter_on says so. */
const volatile __u32 vmt_filter_on = 0;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, u32);
	__type(value, u8);
} filter SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, VMT_INODE_OUT);
	__type(key, u32);
	__type(value, struct vmt_inode_record);
} out SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, VMT_INODE_SUPERS);
	__type(key, u32);
	__type(value, struct vmt_inode_super);
} supers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, VMT_INODE_USED);
	__type(key, u32);
	__type(value, struct vmt_inode_used);
} used SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, VMT_INODE_USED);
	__type(key, u64);
	__type(value, u32);
} used_index SEC(".maps");

/* Whether pages are counted that come and go. */
const volatile __u32 vmt_live = 0;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, VMT_INODE_CHURN);
	__type(key, struct vmt_inode_id);
	__type(value, struct vmt_inode_churn);
} churn SEC(".maps");

/*
 * Directories that were put out lately, by some bits of their address. One that is put out twice
 * does no harm. An address may come to be another directory's, so its parent and its name are
 * compared, too.
 */
#define KNOWN 8192 /* a power of two */

struct known_dir {
	u64 dentry;
	u64 parent;
	u64 hash_len;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, KNOWN);
	__type(key, u32);
	__type(value, struct known_dir);
} known SEC(".maps");

/* The next record, or NULL. */
static __always_inline struct vmt_inode_record *record(void)
{
	u32 at = walk.n_out;

	return bpf_map_lookup_elem(&out, &at);
}

static __always_inline void take_name(struct vmt_inode_record *r, struct dentry *dentry)
{
	long n = bpf_probe_read_kernel_str(r->name, sizeof(r->name),
					   BPF_CORE_READ(dentry, d_name.name));

	/* With its NUL. */
	r->f.name_len = n > 1 ? n - 1 : 0;
}

/* Puts out a directory; 1 where its parents are to follow. Not static, as others below. */
__noinline int put_dir(u64 address)
{
	struct dentry *dentry = (struct dentry *)address;
	struct known_dir now = {
		.dentry = address,
		.parent = (u64)BPF_CORE_READ(dentry, d_parent),
		.hash_len = BPF_CORE_READ(dentry, d_name.hash_len),
	};
	u32 slot = (address >> 6 ^ address >> 19) & (KNOWN - 1);
	struct known_dir *k = bpf_map_lookup_elem(&known, &slot);
	struct vmt_inode_record *r = record();

	if (!k || !r ||
	    (k->dentry == now.dentry && k->parent == now.parent && k->hash_len == now.hash_len))
		return 0;
	*k = now;
	r->f.what = VMT_INODE_DIR;
	r->f.address = address;
	r->f.parent = now.parent;
	r->f.root = now.parent == address;
	r->f.super = (u64)BPF_CORE_READ(dentry, d_sb);
	r->f.hashed = BPF_CORE_READ(dentry, d_hash.pprev) != NULL;
	take_name(r, dentry);
	walk.n_out++;
	return !r->f.root;
}

/*
 * A loop is followed by the verifier round by round; a function that is not static it looks at
 * once. So long loops are loops of functions with short ones: loading takes half of the time.
 */
#define ROUNDS 16
_Static_assert(VMT_INODE_STEPS % ROUNDS == 0 && VMT_INODE_DEPTH % 8 == 0, "whole rounds");

/* The next eight directories; that to go on with, or 0. */
__noinline u64 put_some_dirs(u64 dentry)
{
	for (int i = 0; i < 8; i++) {
		if (!put_dir(dentry))
			return 0;
		dentry = (u64)BPF_CORE_READ((struct dentry *)dentry, d_parent);
	}
	return dentry;
}

/* Puts out the directories above a dentry, up to one that was put out lately. */
static __always_inline void put_dirs(u64 dentry)
{
	for (int i = 0; i < VMT_INODE_DEPTH / 8 && dentry; i++)
		dentry = put_some_dirs(dentry);
}

/* Fills in who uses an inode, where that was counted; the dentry by which, or 0. */
static __always_inline u64 take_users(struct vmt_inode_record *r, u64 inode)
{
	u32 *at = bpf_map_lookup_elem(&used_index, &inode);
	struct vmt_inode_used *u = at ? bpf_map_lookup_elem(&used, at) : NULL;

	r->f.mappings = u ? u->mappings : 0;
	r->f.mappers = u ? u->mappers : 0;
	r->f.openers = u ? u->openers : 0;
	return u ? u->dentry : 0;
}

/* What an inode is known by for longer than one section of RCU. */
static __always_inline struct vmt_inode_id id_of(struct inode *inode)
{
	struct vmt_inode_id id = {
		.address = (u64)inode,
		.super = (u64)BPF_CORE_READ(inode, i_sb),
		.ino = BPF_CORE_READ(inode, i_ino),
		.generation = BPF_CORE_READ(inode, i_generation),
	};

	return id;
}

static __always_inline struct vmt_inode_churn *churn_of(struct inode *inode)
{
	struct vmt_inode_id id = id_of(inode);

	return bpf_map_lookup_elem(&churn, &id);
}

static __always_inline void take_churn(struct vmt_inode_record *r, struct inode *inode)
{
	struct vmt_inode_churn *c = vmt_live ? churn_of(inode) : NULL;

	r->f.added = c ? c->added : 0;
	r->f.deleted = c ? c->deleted : 0;
}

/* Puts out the name of an inode by one of its dentries. */
static __always_inline void put_name(struct vmt_inode_record *r, struct dentry *dentry)
{
	u64 parent = (u64)BPF_CORE_READ(dentry, d_parent);

	take_name(r, dentry);
	r->f.root = parent == (u64)dentry;
	r->f.hashed = BPF_CORE_READ(dentry, d_hash.pprev) != NULL;
	r->f.parent = parent;
	if (!r->f.root)
		put_dirs(parent);
}

/*
 * The dentry by which an inode is named: that by which it is used, or else the first; but where
 * that name was removed, one that was not, if one of the next has it. 0 where there is none (any
 * more): the list of an inode that is being freed is something else, so each has to lead back.
 */
__noinline u64 name_of(u64 address, u64 used_by)
{
	struct inode *inode = (struct inode *)address;
	struct dentry *dentry = (struct dentry *)used_by;
	u64 node = (u64)BPF_CORE_READ(inode, i_dentry.first), found = 0;

	for (int i = 0; i <= ALIASES; i++) {
		if (dentry && BPF_CORE_READ(dentry, d_inode) == inode) {
			if (BPF_CORE_READ(dentry, d_hash.pprev) ||
			    BPF_CORE_READ(dentry, d_parent) == dentry)
				return (u64)dentry;
			if (!found)
				found = (u64)dentry;
		} else if (i) {
			break;
		}
		if (!node)
			break;
		dentry = vmt_alias_dentry(node);
		node = (u64)BPF_CORE_READ((struct hlist_node *)node, next);
	}
	return found;
}

/* Puts out an inode and the directories that its name needs, for which there is room. */
__noinline int put_inode(u64 address)
{
	struct inode *inode = (struct inode *)address;
	struct vmt_inode_record *r = record();
	struct dentry *dentry;

	if (!r)
		return 0;
	r->f.what = VMT_INODE_FILE;
	r->f.address = address;
	r->f.parent = 0;
	r->f.super = (u64)BPF_CORE_READ(inode, i_sb);
	r->f.ino = BPF_CORE_READ(inode, i_ino);
	r->f.size = BPF_CORE_READ(inode, i_size);
	r->f.pages = BPF_CORE_READ(inode, i_data.nrpages);
	r->f.blocks = BPF_CORE_READ(inode, i_blocks);
	r->f.mode = BPF_CORE_READ(inode, i_mode);
	r->f.nlink = BPF_CORE_READ(inode, i_nlink);
	r->f.rdev = BPF_CORE_READ(inode, i_rdev);
	r->f.root = 0;
	r->f.hashed = 0;
	r->f.name_len = 0;
	dentry = (struct dentry *)name_of(address, take_users(r, address));
	take_churn(r, inode);
	walk.n_out++;
	if (dentry)
		put_name(r, dentry);
	return 0;
}

/* Whether there is room for an inode and all directories above it. */
static __always_inline bool has_room(void)
{
	return walk.n_out + VMT_INODE_DEPTH + 1 < VMT_INODE_OUT;
}

/* The node behind one of a list, or 0 where the list changed there. */
static __always_inline u64 next_node(u64 at)
{
	struct list_head *node = (struct list_head *)at;

	for (int i = 0; i < RETRIES; i++) {
		struct list_head *next = BPF_CORE_READ(node, next);

		/* What was taken out points to itself. */
		if (next != node && BPF_CORE_READ(next, prev) == node)
			return (u64)next;
	}
	return 0;
}

static __always_inline u64 inode_of(u64 node)
{
	return node - bpf_core_field_offset(struct inode, i_sb_list);
}

/* Whether the walk is still at the inode where the run before left it: it can have been freed
 * since, and its memory be another one. */
static __always_inline bool is_here(void)
{
	struct inode *inode = (struct inode *)inode_of(walk.at);

	return BPF_CORE_READ(inode, i_ino) == walk.at_ino &&
	       (u64)BPF_CORE_READ(inode, i_sb) == walk.super;
}

/* Looks at the inode where the walk is, and goes on; other than 0: the run ends. */
__noinline int walk_step(u64 head)
{
	struct inode *inode = (struct inode *)inode_of(walk.at);
	u64 next;

	if (walk.at == head) {
		walk.state = VMT_INODE_END;
		return 1;
	}
	if (!has_room())
		return 1;
	next = next_node(walk.at);
	if (!next)
		goto changed;
	walk.seen++;
	if (BPF_CORE_READ(inode, i_data.nrpages) >= walk.least_pages ||
	    (vmt_live && churn_of(inode))) {
		/* A list leads from no superblock to another; this is in a cache line of its own,
		 * and of most inodes not looked at. */
		if ((u64)BPF_CORE_READ(inode, i_sb) != walk.super)
			goto changed;
		put_inode((u64)inode);
	}
	walk.at = next;
	return 0;
changed:
	walk.state = VMT_INODE_CHANGED;
	return 1;
}

__noinline int walk_some(u64 head)
{
	for (int i = 0; i < ROUNDS; i++)
		if (walk_step(head))
			return 1;
	return 0;
}

/* Whether the superblock is one still: mounted, with itself as that of its root. */
static __always_inline bool is_super(u64 address)
{
	struct super_block *sb = (struct super_block *)address;
	struct dentry *root = BPF_CORE_READ(sb, s_root);

	return root && (u64)BPF_CORE_READ(root, d_sb) == address;
}

SEC("raw_tp/vmtop_walk")
int walk_inodes(void *ctx)
{
	u64 t0 = bpf_ktime_get_ns();
	u64 head = walk.super + bpf_core_field_offset(struct super_block, s_inodes);

	walk.n_out = 0;
	walk.seen = 0;
	walk.state = VMT_INODE_MORE;
	if (!is_super(walk.super)) {
		walk.state = VMT_INODE_GONE;
		return 0;
	}
	if (!walk.at) {
		walk.at = next_node(head);
	} else if (walk.at != head && !is_here()) {
		walk.at = 0;
	}
	if (!walk.at) {
		walk.state = VMT_INODE_CHANGED;
		return 0;
	}
	for (u32 i = 0; i < VMT_INODE_STEPS / ROUNDS; i++)
		if (walk_some(head) || bpf_ktime_get_ns() - t0 > walk.limit_ns)
			break;
	if (walk.at != head) {
		struct inode *inode = (struct inode *)inode_of(walk.at);

		walk.at_ino = BPF_CORE_READ(inode, i_ino);
	}
	walk.took_ns = bpf_ktime_get_ns() - t0;
	return 0;
}

/* Takes the superblock where the walk is, and goes on; other than 0: the run ends. */
__noinline int super_step(u64 first)
{
	u64 address = walk.at - bpf_core_field_offset(struct super_block, s_list);
	struct super_block *sb = (struct super_block *)address;
	u32 at = walk.n_supers;
	struct vmt_inode_super *s = bpf_map_lookup_elem(&supers, &at);
	u64 next = next_node(walk.at);

	if (!s || !next) {
		walk.state = VMT_INODE_CHANGED;
		return 1;
	}
	/* The head of the list is no superblock, and fails here as well. */
	if (is_super(address)) {
		s->address = address;
		s->magic = BPF_CORE_READ(sb, s_magic);
		s->dev = BPF_CORE_READ(sb, s_dev);
		bpf_probe_read_kernel_str(s->type, sizeof(s->type),
					  BPF_CORE_READ(sb, s_type, name));
		bpf_probe_read_kernel_str(s->id, sizeof(s->id), &sb->s_id);
		walk.n_supers++;
	}
	walk.at = next;
	if (next != first)
		return 0;
	walk.state = VMT_INODE_END;
	return 1;
}

__noinline int some_supers(u64 first)
{
	for (int i = 0; i < ROUNDS; i++)
		if (super_step(first))
			return 1;
	return 0;
}

/* All superblocks: they are one list, of which that of our own root directory is a member. */
SEC("raw_tp/vmtop_supers")
int walk_supers(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct super_block *own = BPF_CORE_READ(task, fs, root.mnt, mnt_sb);
	u64 first = (u64)own + bpf_core_field_offset(struct super_block, s_list);

	walk.n_supers = 0;
	walk.at = first;
	walk.state = VMT_INODE_MORE;
	if (!is_super((u64)own)) {
		walk.state = VMT_INODE_GONE;
		return 0;
	}
	for (u32 i = 0; i < VMT_INODE_SUPERS / ROUNDS; i++)
		if (some_supers(first))
			break;
	return 0;
}

/* The next of the used inodes; other than 0: the run ends. */
__noinline int used_step(void)
{
	u32 at = walk.next_used;
	struct vmt_inode_used *u;
	struct inode *inode;

	if (walk.next_used >= walk.n_used) {
		walk.state = VMT_INODE_END;
		return 1;
	}
	if (!has_room())
		return 1;
	u = bpf_map_lookup_elem(&used, &at);
	if (!u) {
		walk.state = VMT_INODE_END;
		return 1;
	}
	inode = (struct inode *)u->address;
	/* Whoever used it may have let go of it since, and it be another one. */
	if ((u64)BPF_CORE_READ(inode, i_sb) == u->super && BPF_CORE_READ(inode, i_ino) == u->ino)
		put_inode(u->address);
	walk.next_used++;
	return 0;
}

__noinline int some_used(void)
{
	for (int i = 0; i < ROUNDS; i++)
		if (used_step())
			return 1;
	return 0;
}

SEC("raw_tp/vmtop_used")
int walk_used(void *ctx)
{
	u64 t0 = bpf_ktime_get_ns();

	walk.n_out = 0;
	walk.state = VMT_INODE_MORE;
	for (u32 i = 0; i < VMT_INODE_STEPS / ROUNDS; i++)
		if (some_used() || bpf_ktime_get_ns() - t0 > walk.limit_ns)
			break;
	walk.took_ns = bpf_ktime_get_ns() - t0;
	return 0;
}

/* The row of an inode that is used, made where it has none; NULL where there is no room. */
static __always_inline struct vmt_inode_used *use(struct inode *inode, struct file *file)
{
	u64 address = (u64)inode;
	u32 *known_at = bpf_map_lookup_elem(&used_index, &address);
	struct vmt_inode_used *u;
	u32 at;

	if (known_at) {
		at = *known_at;
		return bpf_map_lookup_elem(&used, &at);
	}
	/* One reader drives the iterators: nobody else takes a row. */
	at = walk.n_used;
	u = bpf_map_lookup_elem(&used, &at);
	if (!u || bpf_map_update_elem(&used_index, &address, &at, BPF_ANY)) {
		walk.used_lost++;
		return NULL;
	}
	u->address = address;
	u->super = (u64)BPF_CORE_READ(inode, i_sb);
	u->ino = BPF_CORE_READ(inode, i_ino);
	u->dentry = (u64)BPF_CORE_READ(file, f_path.dentry);
	u->mappings = 0;
	u->mappers = 0;
	u->openers = 0;
	u->last_mapper = 0;
	u->last_opener = 0;
	walk.n_used++;
	return u;
}

static __always_inline bool is_wanted(u32 tgid)
{
	return !walk.users_over && (!vmt_filter_on || bpf_map_lookup_elem(&filter, &tgid));
}

/* Whether that is a file: its mapping is that of its inode. */
static __always_inline bool is_file(struct file *file)
{
	struct inode *host = file ? BPF_CORE_READ(file, f_mapping, host) : NULL;

	return host && host == BPF_CORE_READ(file, f_inode);
}

/*
 * The file below one of overlayfs, whose own inode has no pages; the file itself where it is of
 * another file system, or what is below is not found. private_data was that file from 4.19
 * (d1d04ef8572b), and has been a structure that begins with it since 6.13 (87a8a76c34a2), of a
 * module mostly, of which to ask for types costs each start. One may be below another.
 */
static __always_inline struct file *below(struct file *file)
{
	for (int i = 0; i < 2; i++) {
		struct file *real, **first;

		if (BPF_CORE_READ(file, f_inode, i_sb, s_magic) != VMT_OVERLAY_MAGIC)
			break;
		first = BPF_CORE_READ(file, private_data);
		real = (struct file *)first;
		if (!is_file(real) && bpf_probe_read_kernel(&real, sizeof(real), first))
			break;
		if (!is_file(real))
			break;
		file = real;
	}
	return file;
}

/* The inode whose pages a file has, of a block device its own. NULL where it has none, as pipes and
 * sockets. What is mapped of overlayfs is the file below already. */
static __always_inline struct inode *pages_of(struct file *file)
{
	struct address_space *mapping = BPF_CORE_READ(file, f_mapping);
	struct inode *inode = mapping ? BPF_CORE_READ(mapping, host) : NULL;
	u32 type = inode ? BPF_CORE_READ(inode, i_mode) & VMT_S_IFMT : 0;

	return type == VMT_S_IFREG || type == VMT_S_IFBLK ? inode : NULL;
}

/* Every mapping of a file (5.12, 3a7b35b899de). Threads that have an address space in common are
 * not visited twice but where they have no files in common. */
SEC("?iter/task_vma")
int used_by_mapping(struct bpf_iter__task_vma *ctx)
{
	struct task_struct *task = ctx->task;
	struct vm_area_struct *vma = ctx->vma;
	struct vmt_inode_used *u;
	struct inode *inode;
	struct file *file;
	u32 tgid;

	if (!task || !vma)
		return 0;
	tgid = task->tgid;
	file = vma->vm_file;
	if (!file || !is_wanted(tgid))
		return 0;
	if (task->pid != task->tgid && BPF_CORE_READ(task, group_leader, mm))
		return 0;
	inode = pages_of(file);
	u = inode ? use(inode, file) : NULL;
	if (!u)
		return 0;
	u->mappings++;
	if (u->last_mapper != tgid + 1) {
		u->last_mapper = tgid + 1;
		u->mappers++;
	}
	return 0;
}

SEC("?iter/task_file")
int used_by_file(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct vmt_inode_used *u;
	struct inode *inode;
	u32 tgid;

	if (!task || !file)
		return 0;
	tgid = task->tgid;
	if (!is_wanted(tgid))
		return 0;
	file = below(file);
	inode = pages_of(file);
	u = inode ? use(inode, file) : NULL;
	if (u && u->last_opener != tgid + 1) {
		u->last_opener = tgid + 1;
		u->openers++;
	}
	return 0;
}

/* Counts pages that come to an inode or go from it, on whatever processor. */
static __always_inline void count_churn(struct folio *folio, bool added)
{
	struct address_space *mapping = (void *)vmt_folio_mapping(folio);
	struct inode *inode = mapping ? BPF_CORE_READ(mapping, host) : NULL;
	struct vmt_inode_id id = id_of(inode);
	struct vmt_inode_churn fresh = {};
	struct vmt_inode_churn *c;
	u64 pages = vmt_folio_pages(folio);

	/* Of shmem only what is truncated comes here: neither new pages nor those that go to swap
	 * pass the tracepoints (mm/shmem.c shmem_add_to_page_cache()). */
	if (inode && BPF_CORE_READ(inode, i_sb, s_magic) == VMT_TMPFS_MAGIC)
		return;
	__sync_fetch_and_add(added ? &walk.added : &walk.deleted, pages);
	c = inode ? bpf_map_lookup_elem(&churn, &id) : NULL;
	if (!c && inode) {
		/* Another processor may be first: then there is one. */
		bpf_map_update_elem(&churn, &id, &fresh, BPF_NOEXIST);
		c = bpf_map_lookup_elem(&churn, &id);
	}
	if (c)
		__sync_fetch_and_add(added ? &c->added : &c->deleted, pages);
	else
		__sync_fetch_and_add(&walk.churn_lost, pages);
}

SEC("?tp_btf/mm_filemap_add_to_page_cache")
int BPF_PROG(page_added, struct folio *folio)
{
	count_churn(folio, true);
	return 0;
}

SEC("?tp_btf/mm_filemap_delete_from_page_cache")
int BPF_PROG(page_deleted, struct folio *folio)
{
	count_churn(folio, false);
	return 0;
}
