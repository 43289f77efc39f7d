/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * /proc/PID/pagemap: one word of 64 bits a page, or the ioctl PAGEMAP_SCAN (Linux 6.7) that gives
 * ranges (the kernel's Documentation/admin-guide/mm/pagemap.rst). Both are asked in slices, so that
 * the process gets its mmap lock back between them.
 */

#define VMT_PM_SOFT_DIRTY (UINT64_C(1) << 55)
#define VMT_PM_EXCLUSIVE  (UINT64_C(1) << 56)
#define VMT_PM_GUARD	  (UINT64_C(1) << 58) /* 6.15 */
#define VMT_PM_FILE	  (UINT64_C(1) << 61)
#define VMT_PM_SWAP	  (UINT64_C(1) << 62)
#define VMT_PM_PRESENT	  (UINT64_C(1) << 63)
/* The number of the frame, where the page is present and we may know it (CAP_SYS_ADMIN); else 0. */
#define VMT_PM_FRAME ((UINT64_C(1) << 55) - 1)

/* include/uapi/linux/fs.h of Linux 6.7 and later; the headers of distributions may be older. */
#define VMT_SCAN_FILE	 (UINT64_C(1) << 2)
#define VMT_SCAN_PRESENT (UINT64_C(1) << 3)
#define VMT_SCAN_SWAPPED (UINT64_C(1) << 4)
#define VMT_SCAN_ZERO	 (UINT64_C(1) << 5)
#define VMT_SCAN_HUGE	 (UINT64_C(1) << 6)
#define VMT_SCAN_GUARD	 (UINT64_C(1) << 8) /* 6.15 */

struct vmt_scan_region {
	__u64 start;
	__u64 end;
	__u64 categories;
};

struct vmt_scan_arg {
	__u64 size;
	__u64 flags;
	__u64 start;
	__u64 end;
	__u64 walk_end;
	__u64 vec;
	__u64 vec_len;
	__u64 max_pages;
	__u64 category_inverted;
	__u64 category_mask;
	__u64 category_anyof_mask;
	__u64 return_mask;
};

/* Of ioctl(), with sys/ioctl.h. */
#define VMT_PAGEMAP_SCAN _IOWR('f', 16, struct vmt_scan_arg)

/*
 * What this kernel's pagemap tells, found out on pages of our own rather than by its version. All
 * false is right for a file that is no kernel's.
 */
struct vmt_pagemap_facts {
	bool scan; /* PAGEMAP_SCAN is there */
	bool scan_guard; /* and tells guard markers from swap */
	bool word_guard; /* so do the words */
	bool guards_hidden; /* guard markers can be made, and look like swap */
	bool frames; /* words have the numbers of frames: zero_frame is right */
	uint64_t zero_frame; /* of the zero page of 4 KiB, or whatever the page size is */
	bool soft_dirty; /* the kernel keeps that mark */
	uint64_t scan_ns; /* what a scan of a single page takes here */
	bool scan_absent; /* the scan can be asked for what is not there */
	bool anon_exact; /* statm counts anonymous pages to the unit; by vmt_proc_shared_pagemap()
			  */
};

/* What a range has, in pages. */
struct vmt_pagemap_sum {
	uint64_t present; /* the zero page included */
	uint64_t swapped; /* guard markers left out where they can be told */
	uint64_t file; /* present, of a file or shmem */
	uint64_t zero; /* present, the zero page, which belongs to nobody */
	uint64_t unsure; /* present, and perhaps the zero page */
	uint64_t exclusive;
	uint64_t soft_dirty;
	bool by_words; /* the last two are known */
};

/* Asked between two slices; true ends the work with -ETIMEDOUT. */
struct vmt_pagemap_stop {
	bool (*fn)(void *arg);
	void *arg;
};

/* A pagemap file, how it is read, and what that cost so far. */
struct vmt_pagemap {
	int fd; /* the caller's */
	uint64_t page_size; /* bytes */
	const struct vmt_pagemap_facts *facts;
	const struct vmt_pagemap_stop *stop; /* may be NULL */
	uint64_t *words; /* the caller's, for reading words: n_words of them, at least one */
	size_t n_words;
	/* The ioctl, for tests; NULL for the kernel's. A number of regions, or -errno. */
	int (*scan)(int fd, struct vmt_scan_arg *arg);
	/* The address space is large: shorter calls, and a pause after each (VMT_GENTLE_BYTES). */
	bool gentle;
	uint64_t held_ns; /* in calls since the last pause */
	bool paused; /* once */
	uint64_t span; /* pages that the next scan may look at; 0 for VMT_SCAN_SPAN */
	uint64_t reads; /* system calls */
	uint64_t bytes;
	uint64_t longest_ns; /* one of them, waiting for the lock included */
};

/* A range longer than this many pages is not read word by word: one of a TiB without a single page
 * would be 2 GiB to read. */
#define VMT_PAGEMAP_READ_MAX ((uint64_t)1 << 20)

/* Regions of one call. With more, a call that fills the kernel's own buffer of 512 and then comes
 * to the end reports a place to go on from that lies before it, and regions come twice. */
#define VMT_SCAN_REGIONS 512
/* What one call may look at, and what it may find, in pages: both bound how long it holds the mmap
 * lock (an entry with a page costs 10 to 25 ns, one without some 2 ns). */
#define VMT_SCAN_SPAN  ((uint64_t)1 << 16)
#define VMT_SCAN_FOUND ((uint64_t)1 << 11)
/*
 * What is empty has mostly no page tables either, and is skipped at no cost: reservations of TiBs,
 * as of AddressSanitizer and Go. So a call that found nothing and was quick makes the next look at
 * four times as much, up to 16 GiB; anything else goes back to the start. Where each call is slow,
 * as under emulation, quick is what takes no more than some calls for a single page.
 */
#define VMT_SCAN_SPAN_MOST ((uint64_t)1 << 22)
#define VMT_SCAN_QUICK_NS  UINT64_C(20000)
#define VMT_SCAN_QUICK_OF  3u
/* Words of one read. The kernel takes the lock for 512 of them at a time. */
#define VMT_READ_WORDS ((uint64_t)1 << 11)

/*
 * Slices alone do not let anybody in: a reader that comes back at once takes the lock before a
 * writer that sleeps has woken up (kernel/locking/rwsem.c rwsem_down_read_slowpath(), "steal"), for
 * 4 ms or until all is read. So after so much time in the kernel we sleep, long enough for the one
 * who waits to wake up. Small processes are through before the first pause.
 */
#define VMT_PAUSE_FIRST_NS UINT64_C(150000)
#define VMT_PAUSE_AFTER_NS UINT64_C(60000)
#define VMT_PAUSE_NS	   UINT64_C(60000)
/*
 * A large process is looked at many times in a row, so that it feels nearly each of them: its calls
 * find a quarter as much, which takes less than a writer spins before it sleeps (rwsem.c
 * rwsem_rspin_threshold(), 10 us), and each is followed by a pause. That is dearer by a half, which
 * small processes, of which there are many, need not pay.
 */
#define VMT_GENTLE_BYTES ((uint64_t)64 << 20)
#define VMT_GENTLE_SHARE 4u
#define VMT_GENTLE_NS	 UINT64_C(8000)

/* Adds up words. */
void vmt_pagemap_add_words(struct vmt_pagemap_sum *sum, const struct vmt_pagemap_facts *facts,
			   const uint64_t *words, size_t n);

/* The most words of one read: a range of so many pages has all of them in words afterwards. */
uint64_t vmt_pagemap_words(const struct vmt_pagemap *pm);

/*
 * Adds up [start, end) word by word, at most VMT_READ_WORDS of them at a time. -ESRCH where the
 * address space is gone (the kernel then gives 0 bytes), -ERANGE for addresses of the kernel's
 * half, -ETIMEDOUT, or what read(2) says.
 */
int vmt_pagemap_read(struct vmt_pagemap *pm, uint64_t start, uint64_t end,
		     struct vmt_pagemap_sum *sum);

/*
 * One call of PAGEMAP_SCAN over [start, end) for whatever is present or swapped. categories are
 * those that shall be told apart; VMT_SCAN_FILE makes it look at each page, and costs as much again
 * as all others. Fills at most VMT_SCAN_REGIONS of regions and *ret_next, where to go on (end where
 * it is done). The number of regions; -ENOTTY where the kernel or the file does not have the ioctl,
 * -EIO where it does not advance.
 */
int vmt_pagemap_scan(struct vmt_pagemap *pm, uint64_t start, uint64_t end, uint64_t categories,
		     struct vmt_scan_region *regions, uint64_t *ret_next);

/*
 * The same for whatever is not plainly resident: pages that are absent, swapped or guarded, and the
 * zero page. What is full is the cheaper for it, as nothing is put out, and all of [start,
 * *ret_next) that no region has is resident. But a range without a mapping puts out nothing either,
 * and looks full (a page table walk calls pte_hole() without a VMA there): the caller has to know
 * that the mappings were there. It is for ranges that are mostly full; [start, end) bounds what a
 * call does.
 */
int vmt_pagemap_scan_absent(struct vmt_pagemap *pm, uint64_t start, uint64_t end,
			    struct vmt_scan_region *regions, uint64_t *ret_next);

/* How many bytes the next scan may look at. */
uint64_t vmt_pagemap_span(const struct vmt_pagemap *pm);

/* Fills facts from fd, our own pagemap, which is a kernel's. */
void vmt_pagemap_learn(int fd, uint64_t page_size, struct vmt_pagemap_facts *facts);
