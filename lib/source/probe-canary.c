/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/probe-canary.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

int vmt_canary_fault(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t pages = VMT_CANARY_PAGES + VMT_CANARY_GUP + 1;
	unsigned char *base = mmap(NULL, pages * page, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char from[VMT_CANARY_GUP] = { 0 };
	struct iovec local = { from, sizeof(from) }, remote[VMT_CANARY_GUP];
	int gup = VMT_CANARY_GUP;

	if (base == MAP_FAILED)
		return -errno;
	madvise(base, pages * page, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < VMT_CANARY_PAGES; i++)
		*(volatile unsigned char *)(base + i * page) = 1;
	for (size_t i = 0; i < VMT_CANARY_GUP; i++)
		remote[i] = (struct iovec){ base + (VMT_CANARY_PAGES + i) * page, 1 };
	if (process_vm_writev(getpid(), &local, 1, remote, VMT_CANARY_GUP, 0) != VMT_CANARY_GUP)
		gup = 0;
	/* An event of this thread brings its account up to date. */
	*(volatile unsigned char *)(base + (pages - 1) * page) = 1;
	munmap(base, pages * page);
	return gup;
}
