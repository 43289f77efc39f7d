/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The kernel structs that the probes read, with just the members that they read. Offsets are
 * relocated at load time against the BTF of the running kernel (CO-RE), so order and size mean
 * nothing here, and no vmlinux.h or BTF of the build machine is needed. bpf_tracing.h takes the
 * kernel's names of registers when it sees this macro.
 */
#define __VMLINUX_H__

#include <linux/bpf.h>
#include <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __s32 s32;
typedef __u64 u64;
typedef __s64 s64;
#ifndef bool
#define bool _Bool
#define true 1
#define false 0
#endif
#ifndef NULL
#define NULL ((void *)0)
#endif

/* What a kprobe and a perf_event program get is no kernel object but this layout itself. */
#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8;
	unsigned long ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp, ss;
};
typedef struct pt_regs bpf_user_pt_regs_t;
#elif defined(__TARGET_ARCH_arm64)
struct user_pt_regs {
	__u64 regs[31], sp, pc, pstate;
};
struct pt_regs {
	struct user_pt_regs user_regs;
};
typedef struct user_pt_regs bpf_user_pt_regs_t;
#else
#error "registers of this architecture are not described yet"
#endif

struct bpf_perf_event_data {
	bpf_user_pt_regs_t regs;
	__u64 sample_period;
	__u64 addr;
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct list_head {
	struct list_head *next;
	struct list_head *prev;
};

struct hlist_node {
	struct hlist_node *next;
};

struct hlist_head {
	struct hlist_node *first;
};

struct rb_node {
	struct rb_node *rb_right;
	struct rb_node *rb_left;
};

struct rb_root {
	struct rb_node *rb_node;
};

struct maple_tree {
	void *ma_root;
};

struct file_system_type {
	const char *name;
};

struct dentry;

struct super_block {
	struct list_head s_list;
	__u32 s_dev;
	unsigned long s_magic;
	struct file_system_type *s_type;
	struct dentry *s_root;
	void *s_fs_info;
	char s_id[32];
	struct list_head s_inodes;
};

struct inode;

struct address_space {
	struct inode *host;
	unsigned long nrpages;
};

struct inode {
	__u16 i_mode;
	struct super_block *i_sb;
	unsigned long i_ino; /* 64 bits everywhere since 7.0 */
	unsigned int i_nlink;
	__u32 i_rdev;
	__u32 i_generation;
	s64 i_size;
	u64 i_blocks;
	struct list_head i_sb_list;
	struct hlist_head i_dentry;
	struct address_space i_data;
};

enum pageflags {
	PG_head = 16, /* its place is the running kernel's */
};

struct page {
	unsigned long flags; /* before 6.18 */
	struct address_space *mapping;
	unsigned long index;
	unsigned char compound_order; /* of the second page, before 5.17 */
};

struct folio {
	struct address_space *mapping;
	unsigned long index;
	unsigned char _folio_order; /* before 6.6 */
	unsigned long _flags_1;
};

typedef struct {
	unsigned long f;
} memdesc_flags_t;

struct page___6_18 {
	memdesc_flags_t flags;
};

struct qstr {
	u64 hash_len;
	const unsigned char *name;
};

struct hlist_bl_node {
	struct hlist_bl_node **pprev;
};

struct dentry {
	struct hlist_bl_node d_hash;
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	struct super_block *d_sb;
	union {
		struct hlist_node d_alias;
	} d_u; /* before 7.0 */
};

struct dentry___7_0 {
	struct hlist_node d_alias;
};

struct vfsmount {
	struct dentry *mnt_root;
	struct super_block *mnt_sb;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	struct inode *f_inode;
	struct address_space *f_mapping;
	struct path f_path;
	void *private_data;
};

typedef struct {
	void *vdso;
} mm_context_t;

typedef struct {
	long counter;
} atomic_long_t;

struct bpf_array {
	void *pptrs[1];
};

struct task_struct;

typedef struct {
	int counter;
} atomic_t;

typedef struct seqcount {
	unsigned int sequence;
} seqcount_t;

struct mm_struct {
	void *pgd;
	struct list_head mmlist;
	unsigned long start_brk;
	unsigned long brk;
	unsigned long start_stack;
	unsigned long total_vm;
	atomic_long_t pgtables_bytes;
	mm_context_t context;
	struct task_struct *owner;
	struct file *exe_file;
	struct maple_tree mm_mt; /* since 6.1 */
	struct rb_root mm_rb; /* before 6.1 */
	seqcount_t mm_lock_seq; /* since 6.14, with CONFIG_PER_VMA_LOCK */
	atomic_t mm_users;
};

struct mm_struct___6_4 {
	int mm_lock_seq;
};

struct mm_rss_stat { /* before 6.2 */
	atomic_long_t count[4];
};

struct mm_struct___before_6_2 {
	struct mm_rss_stat rss_stat;
};

struct percpu_counter {
	s64 count;
	s32 *counters;
};

struct mm_struct___6_2 {
	struct percpu_counter rss_stat[4];
};

struct userfaultfd_ctx {
	unsigned int features;
};

struct vm_userfaultfd_ctx {
	struct userfaultfd_ctx *ctx; /* with CONFIG_USERFAULTFD */
};

struct vm_area_struct {
	unsigned long vm_start;
	unsigned long vm_end;
	struct mm_struct *vm_mm;
	unsigned long vm_flags;
	const void *vm_ops;
	unsigned long vm_pgoff;
	struct file *vm_file;
	struct rb_node vm_rb; /* before 6.1 */
	struct vm_userfaultfd_ctx vm_userfaultfd_ctx;
};

typedef struct {
	unsigned long pte;
} pte_t;

struct vm_fault {
	struct vm_area_struct *vma;
	unsigned long pgoff;
	pte_t *pte;
	pte_t orig_pte;
};

struct kernfs_node {
	struct kernfs_node *parent; /* before 6.15 */
	const char *name;
	u64 id;
};

struct kernfs_node___6_15 {
	struct kernfs_node *__parent;
};

struct cgroup_root {
	int hierarchy_id; /* 0: version 2 */
};

struct cgroup {
	struct kernfs_node *kn;
	struct cgroup_root *root;
};

struct cgroup_subsys_state {
	struct cgroup *cgroup;
};

struct page_counter {
	atomic_long_t usage;
	unsigned long max;
};

struct mem_cgroup {
	struct cgroup_subsys_state css;
	struct page_counter memory;
	struct page_counter memsw; /* of version 1; of version 2 that of swap lies there */
};

enum cgroup_subsys_id {
	memory_cgrp_id = 4, /* whatever number the kernel has for it */
};

struct css_set {
	struct cgroup_subsys_state *subsys[1]; /* by enum cgroup_subsys_id */
	struct cgroup *dfl_cgrp; /* of version 2 */
};

struct fs_struct {
	struct path root;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct rlimit {
	unsigned long rlim_cur;
};

struct signal_struct {
	atomic_t live; /* threads */
	int group_exit_code;
	short oom_score_adj;
	unsigned int flags;
	struct rlimit rlim[16]; /* by RLIMIT_* */
};

struct sigaction {
	void *sa_handler;
};

struct k_sigaction {
	struct sigaction sa;
};

struct sighand_struct {
	struct k_sigaction action[64]; /* by signal - 1 */
};

typedef struct {
	unsigned long sig[1];
} sigset_t;

typedef struct {
	u32 val;
} kuid_t;

struct cred {
	kuid_t uid;
};

struct thread_info {
	unsigned long flags;
	u32 status; /* of x86 */
};

struct thread_struct {
#if defined(__TARGET_ARCH_x86)
	unsigned long trap_nr;
	unsigned long error_code;
#else
	unsigned long fault_code;
#endif
};

typedef struct {
	unsigned long bits[1];
} nodemask_t;

struct task_rss_stat { /* before 6.2 */
	int count[4];
};

struct task_struct {
	struct thread_info thread_info;
	void *stack;
	unsigned int flags;
	struct mm_struct *mm;
	struct fs_struct *fs;
	struct files_struct *files;
	struct signal_struct *signal;
	struct sighand_struct *sighand;
	sigset_t blocked;
	const struct cred *cred;
	struct thread_struct thread;
	int exit_code;
	s32 pid;
	s32 tgid;
	struct task_struct *group_leader;
	u64 start_time;
	u64 start_boottime;
	unsigned long min_flt;
	unsigned long maj_flt;
	u64 self_exec_id;
	struct css_set *cgroups;
	const struct cred *real_cred;
	nodemask_t mems_allowed; /* with CONFIG_CPUSETS */
	char comm[16];
};

struct task_struct___before_6_2 {
	struct task_rss_stat rss_stat;
};

union __sifields {
	struct {
		s32 _pid;
	} _kill;
	struct {
		void *_addr;
		short _addr_lsb;
		struct {
			u32 _pkey;
		} _addr_pkey;
	} _sigfault;
};

enum zone_type {
	/* Their places are the running kernel's. */
	ZONE_DMA = 0,
	ZONE_DMA32 = 1,
	ZONE_NORMAL = 2,
	ZONE_MOVABLE = 3,
};

enum zone_stat_item {
	NR_FREE_PAGES = 0,
	NR_ZONE_INACTIVE_FILE = 3,
	NR_ZONE_ACTIVE_FILE = 4,
};

struct pglist_data {
	int node_id;
};

struct free_area {
	unsigned long nr_free;
};

struct zone {
	unsigned long _watermark[3]; /* WMARK_MIN, WMARK_LOW, WMARK_HIGH */
	unsigned long watermark_boost;
	unsigned long nr_reserved_highatomic;
	long lowmem_reserve[1]; /* by enum zone_type */
	struct pglist_data *zone_pgdat;
	atomic_long_t managed_pages;
	const char *name;
	struct free_area free_area[1];
	atomic_long_t vm_stat[1]; /* by enum zone_stat_item */
};

struct zone___6_13 {
	unsigned long nr_free_highatomic;
};

struct zoneref {
	struct zone *zone;
	int zone_idx;
};

struct zonelist {
	struct zoneref _zonerefs[1];
};

enum oom_constraint {
	CONSTRAINT_NONE,
};

struct oom_control {
	struct zonelist *zonelist;
	nodemask_t *nodemask;
	struct mem_cgroup *memcg;
	unsigned int gfp_mask;
	int order;
	unsigned long totalpages;
	struct task_struct *chosen;
	enum oom_constraint constraint;
};

struct kernel_siginfo {
	int si_code;
	union __sifields _sifields;
};

struct shmem_sb_info {
	unsigned long max_blocks; /* pages; 0: no limit */
	struct percpu_counter used_blocks;
};

struct hstate {
	unsigned int order;
	unsigned long free_huge_pages;
	unsigned long resv_huge_pages;
};

struct hugetlbfs_sb_info {
	struct hstate *hstate;
};

/* What a program of a perf event has behind its context, since 4.9. */
struct hw_perf_event {
	u64 sample_period;
};

struct perf_event {
	struct hw_perf_event hw;
};

struct bpf_perf_event_data_kern {
	bpf_user_pt_regs_t *regs;
	struct perf_event *event;
};

struct bpf_iter_meta {
	u64 session_id;
	u64 seq_num;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct bpf_iter__task_vma {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	struct vm_area_struct *vma;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	u32 fd;
	struct file *file;
};

#pragma clang attribute pop
