/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/pagemap.h"

#include <errno.h>
#include <linux/types.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define PM_SOFT_DIRTY (UINT64_C(1) << 55)
#define PM_EXCLUSIVE  (UINT64_C(1) << 56)
#define PM_FILE	      (UINT64_C(1) << 61)
#define PM_SWAP	      (UINT64_C(1) << 62)
#define PM_PRESENT    (UINT64_C(1) << 63)

/* include/uapi/linux/fs.h of Linux 6.7; the headers of distributions may be older. */
struct scan_region {
	__u64 start;
	__u64 end;
	__u64 categories;
};

struct scan_arg {
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

#define SCAN	     _IOWR('f', 16, struct scan_arg)
#define SCAN_FILE    (UINT64_C(1) << 2)
#define SCAN_PRESENT (UINT64_C(1) << 3)
#define SCAN_SWAPPED (UINT64_C(1) << 4)

/* With more, a call that fills the kernel's own buffer of 512 and then comes to the end reports a
 * place to go on from that lies before it, and regions come twice. */
#define SCAN_REGIONS 512
/* The lock is held for one call; this bounds the entries that it looks at. */
#define SCAN_SLICE (UINT64_C(1) << 30)

static bool stopped(const struct vmt_pagemap_stop *stop)
{
	return stop && stop->fn(stop->arg);
}

static void add_words(struct vmt_pagemap_sum *sum, const uint64_t *words, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		uint64_t w = words[i];

		if (w & PM_PRESENT) {
			sum->present++;
			sum->file += (w & PM_FILE) != 0;
			sum->exclusive += (w & PM_EXCLUSIVE) != 0;
		} else if (w & PM_SWAP) {
			sum->swapped++;
		}
		sum->soft_dirty += (w & PM_SOFT_DIRTY) != 0;
	}
}

int vmt_pagemap_read(int fd, uint64_t start, uint64_t end, uint64_t page_size, uint64_t *buf,
		     size_t n_buf, const struct vmt_pagemap_stop *stop, struct vmt_pagemap_sum *sum)
{
	uint64_t page = start / page_size, last = end / page_size;

	sum->has_exclusive = true;
	sum->has_soft_dirty = true;
	while (page < last) {
		uint64_t want = last - page;
		uint64_t at;
		ssize_t n;

		if (want > n_buf)
			want = n_buf;
		/* Addresses of the kernel's half have no words, and offsets are signed. */
		if (__builtin_mul_overflow(page, (uint64_t)sizeof(*buf), &at) || at > INT64_MAX)
			return -ERANGE;
		n = pread(fd, buf, want * sizeof(*buf), (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if ((size_t)n < sizeof(*buf))
			return -ESRCH;
		sum->reads++;
		sum->bytes += (uint64_t)n;
		add_words(sum, buf, (size_t)n / sizeof(*buf));
		page += (size_t)n / sizeof(*buf);
		if (page < last && stopped(stop))
			return -ETIMEDOUT;
	}
	return 0;
}

int vmt_pagemap_scan(int fd, uint64_t start, uint64_t end, uint64_t page_size,
		     const struct vmt_pagemap_stop *stop, struct vmt_pagemap_sum *sum)
{
	struct scan_region regions[SCAN_REGIONS];

	while (start < end) {
		uint64_t stop_at = end - start > SCAN_SLICE ? start + SCAN_SLICE : end;
		struct scan_arg arg = {
			.size = sizeof(arg),
			.start = start,
			.end = stop_at,
			.vec = (uint64_t)(uintptr_t)regions,
			.vec_len = SCAN_REGIONS,
			.category_anyof_mask = SCAN_PRESENT | SCAN_SWAPPED,
			.return_mask = SCAN_PRESENT | SCAN_SWAPPED | SCAN_FILE,
		};
		int i, n = ioctl(fd, SCAN, &arg);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EINVAL || errno == ENOSYS ? -ENOTTY : -errno;
		sum->reads++;
		sum->bytes += (uint64_t)n * sizeof(regions[0]);
		for (i = 0; i < n; i++) {
			uint64_t pages = (regions[i].end - regions[i].start) / page_size;

			if (regions[i].categories & SCAN_PRESENT) {
				sum->present += pages;
				if (regions[i].categories & SCAN_FILE)
					sum->file += pages;
			} else {
				sum->swapped += pages;
			}
		}
		if (n == SCAN_REGIONS) {
			if (arg.walk_end <= start)
				return -EIO;
			start = arg.walk_end;
		} else {
			start = stop_at;
		}
		if (start < end && stopped(stop))
			return -ETIMEDOUT;
	}
	return 0;
}

bool vmt_pagemap_has_soft_dirty(int fd, uint64_t page_size)
{
	volatile char *page =
		mmap(NULL, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct vmt_pagemap_sum sum = { 0 };
	uint64_t word;

	if (page == MAP_FAILED)
		return false;
	page[0] = 1;
	if (vmt_pagemap_read(fd, (uint64_t)(uintptr_t)page, (uint64_t)(uintptr_t)page + page_size,
			     page_size, &word, 1, NULL, &sum) < 0)
		sum.soft_dirty = 0;
	munmap((void *)(uintptr_t)page, page_size);
	return sum.soft_dirty == 1;
}
