/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include "model/fault-raw.h"

/*
 * Programs whose page faults are known. A workload counts its own with getrusage() around each
 * group of touches, and says what it found; a test compares that with what a probe counted. They
 * meet by two pipes: the workload writes a struct workload_truth when it is ready, another just
 * before it begins and a third when it is done, and reads a byte before it goes on each time. From
 * the second to the third nothing faults but what is told. The file that it made, DIR/truth-PID,
 * stays: its inode is not to be used again.
 */

#define WORKLOAD_RANGES	  4
#define WORKLOAD_CHILDREN 8

enum workload_status {
	WORKLOAD_READY,
	WORKLOAD_DONE,
	WORKLOAD_UNABLE, /* the machine does not have what it needs: why */
	WORKLOAD_FAILED, /* why */
};

enum workload_access {
	WORKLOAD_READ,
	WORKLOAD_WRITE,
	WORKLOAD_SYSCALL, /* written to by the kernel, in a system call */
	WORKLOAD_SYSCALL_READ, /* read by the kernel, in a system call */
	WORKLOAD_EXEC,
};

/* How faults of a file are served. */
enum workload_filemap {
	WORKLOAD_AROUND, /* some with their neighbours */
	WORKLOAD_FILEMAP, /* each by filemap_fault() */
	WORKLOAD_EITHER,
};

/* A mapping of its own, that no neighbour can merge with, and what touching it came to. */
struct workload_range {
	char label[16];
	uint64_t start;
	uint64_t end;
	uint64_t pid; /* who faulted: a child of the workload; 0 for itself */
	uint64_t owner_pid; /* whose mapping it is; 0 for the one who faulted */
	uint64_t pages; /* that were touched */
	uint64_t minor; /* what getrusage() said to that, gup included */
	uint64_t major;
	uint64_t gup; /* of these, taken by get_user_pages() */
	uint64_t sigbus; /* faults that failed */
	uint64_t efault; /* at least so many failed in the kernel, without a signal */
	uint64_t kinds[VMT_FAULT_KINDS]; /* what they were, as far as the workload says */
	uint64_t said; /* how many of them it says */
	uint64_t said_major; /* major ones at that time */
	uint32_t class; /* enum vmt_fault_class */
	uint32_t special; /* enum vmt_fault_special */
	uint32_t access; /* enum workload_access */
	uint32_t each_page; /* a fault for each page, whatever the kernel */
	uint32_t alone; /* there is nothing else in the mapping: its counts are exact */
	uint32_t gone; /* the mapping is not there any more */
	uint32_t filemap; /* enum workload_filemap */
	uint32_t replaced; /* mappings of another class lay at these addresses, too */
	uint32_t cold; /* nothing of it was in the page cache */
	uint32_t mixed; /* loads and stores */
	uint32_t dev_major;
	uint32_t dev_minor;
	uint64_t inode; /* 0: no file */
	uint64_t offset_bytes;
	char path[256]; /* as maps has it; empty: not to be compared */
};

struct workload_child {
	uint64_t pid;
	uint64_t minor; /* of its whole life, by wait4() */
	uint64_t major;
};

struct workload_truth {
	uint32_t status; /* enum workload_status */
	uint32_t n_ranges;
	uint32_t n_children;
	uint32_t pad;
	uint64_t minor; /* getrusage() from ready to done, whatever they were for */
	uint64_t major;
	char why[200];
	struct workload_range ranges[WORKLOAD_RANGES];
	struct workload_child children[WORKLOAD_CHILDREN];
};

/* What a child of a workload says to its parent at its end. */
struct workload_said {
	uint32_t status; /* enum workload_status; READY where it did not get so far */
	char why[200];
	struct workload_range range;
};

/* What a workload works with. */
struct workload {
	struct workload_said *child; /* in a child of workload_in_child() */
	struct workload_truth *truth;
	const char *program; /* to be run again, as a leaf */
	const char *dir; /* on a file system of a disk */
	size_t pages;
	unsigned storm_ms;
	int fd; /* of prepare() for touch() */
	char file[256];
	char group[256]; /* a cgroup of its own; removed at the end */
	void *top; /* of the stack that the measuring uses */
};

struct workload_kind {
	const char *name;
	void (*prepare)(struct workload *w); /* before "ready"; NULL for nothing */
	void (*touch)(struct workload *w);
};

extern const struct workload_kind workload_memory_kinds[];
extern const size_t workload_n_memory_kinds;
extern const struct workload_kind workload_file_kinds[];
extern const size_t workload_n_file_kinds;
extern const struct workload_kind workload_process_kinds[];
extern const size_t workload_n_process_kinds;
extern const struct workload_kind workload_served_kinds[];
extern const size_t workload_n_served_kinds;
extern const struct workload_kind workload_served_more_kinds[];
extern const size_t workload_n_served_more_kinds;
extern const struct workload_kind workload_again_kinds[];
extern const size_t workload_n_again_kinds;
extern const struct workload_kind workload_child_kinds[];
extern const size_t workload_n_child_kinds;
extern const struct workload_kind workload_cache_kinds[];
extern const size_t workload_n_cache_kinds;
extern const struct workload_kind workload_shmem_kinds[];
extern const size_t workload_n_shmem_kinds;
extern const struct workload_kind workload_huge_kinds[];
extern const size_t workload_n_huge_kinds;
extern const struct workload_kind workload_swap_kinds[];
extern const size_t workload_n_swap_kinds;
extern const struct workload_kind workload_numa_kinds[];
extern const size_t workload_n_numa_kinds;

#define WORKLOAD_PAGE 4096ul

/* End the workload, saying why. */
void workload_unable(struct workload *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), noreturn));
void workload_failed(struct workload *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), noreturn));

/* n pages without access, and one more on either side: what is mapped over them stays alone. */
char *workload_reserve(struct workload *w, size_t pages);
/* The same, readable and writable anonymous memory. */
char *workload_anon(struct workload *w, size_t pages);

/* A new range of the truth; label is its name in messages. */
struct workload_range *workload_range(struct workload *w, const char *label, const void *start,
				      size_t pages);

/* Makes resident all that the measuring itself writes to; again after each fork(). */
void workload_settle(struct workload *w);
/* The same of a thread that measures nothing: its stack, and what the kernel writes for it. */
void workload_settle_thread(void);

/* One byte of every step-th page is read or written; the faults are added to the range. */
void workload_touch(struct workload_range *range, size_t step);
/* The same of n pages from the first-th on. */
void workload_touch_part(struct workload_range *range, size_t first, size_t n);

/*
 * Stores to all pages, which are there and write-protected: the frames tell which of them were
 * copied, where they may be known.
 */
void workload_store_again(struct workload *w, struct workload_range *range);
/* Entries of /proc/self/pagemap of n pages from p on. */
void workload_pagemap(struct workload *w, const void *p, size_t n, uint64_t *ret);

/* Waits for the end of a child that only exits or is killed; its faults go into the truth. */
void workload_reap(struct workload *w, pid_t pid);
/* The pid of a child that does nothing; all that the measuring writes to is resident again. */
pid_t workload_idle_child(struct workload *w);
void workload_end_child(struct workload *w, pid_t pid);
/* A cgroup for a child that joins it; its limit, as "memory.max", is so many bytes. */
void workload_small_group(struct workload *w, const char *limit, const char *bytes);
void workload_join_group(struct workload *w);

/* A child that does something with the range and ends; its faults are its own, and the range is
 * what it made of it. */
void workload_in_child(struct workload *w, struct workload_range *range,
		       void (*act)(struct workload *w, struct workload_range *range));

/* Room for so many bytes, aligned to the size of a huge page. */
char *workload_huge_place(struct workload *w, size_t bytes);
#define WORKLOAD_HUGE (2ul << 20)

/* Leaves SIGSEGV or SIGBUS to workload_try(), and makes the way there resident. */
void workload_catch(struct workload *w, int sig);
/* Whether a byte can be read or written. */
bool workload_try(volatile char *p, bool write);

/* A file of so many pages in w->file, open in w->fd, all of it on the disk and in the cache. */
void workload_make_file(struct workload *w, size_t pages);
/* The same of the size for workload_map_file(); out of the cache, where it is cold. */
void workload_warm_file(struct workload *w);
void workload_cold_file(struct workload *w);
/* w->pages of it, behind those that are skipped: an offset that is lost shows. */
struct workload_range *workload_map_file(struct workload *w, const char *label, int prot,
					 int flags);
#define WORKLOAD_SKIPPED 16ul

/* The faults of a range since this was said last were of that kind. */
void workload_was(struct workload_range *range, enum vmt_fault_kind kind);

/* The same of loads of a file that is in the page cache. One that had to wait for the page, which
 * somebody else holds, is major. */
void workload_was_cached(struct workload_range *range);

/*
 * Brackets of anything else that is to be added to a range. What is called between them has to have
 * been called before: its own code is a page of a file.
 */
void workload_measure(struct rusage *before);
void workload_add(struct workload_range *range, const struct rusage *before);
