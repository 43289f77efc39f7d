/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Where the kernel has all memory mapped, so that a program can follow page tables, which name
 * frames. The address is chosen at boot and told to nobody, but a process's first table lies in it,
 * it begins at a multiple of 1 GiB, and not further down than there is memory: a guess for each
 * GiB. One is right if the walk finds the frames that pagemap has, for several pages of our own
 * that lie in tables of their own.
 */

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/parse.h"
#include "bpf/fault.h"
#include "source/pagemap.h"
#include "source/probe-load.h"

#define GIB	      (UINT64_C(1) << 30)
#define LAST_TABLE    (UINT64_C(2) << 20) /* what one of the last level spans */
#define PROOFS	      6u
#define TRIES	      3
#define ENTRY_PRESENT UINT64_C(1)
#ifdef __x86_64__
#define ENTRIES_KNOWN 1
#else
#define ENTRIES_KNOWN 0
#endif

/* The end of physical memory, or 0. Of a zone without pages there is no start. */
static uint64_t memory_end(uint64_t page_size)
{
	VMT_AUTO_FCLOSE FILE *f = fopen("/proc/zoneinfo", "re");
	VMT_AUTO_FREE char *line = NULL;
	uint64_t spanned = 0, end = 0;
	size_t size = 0;
	ssize_t n;

	while (f && (n = getline(&line, &size, f)) > 0) {
		struct vmt_bytes cur = { line, (size_t)n }, key;
		uint64_t v;

		vmt_take_blanks(&cur);
		key = vmt_take_word(&cur);
		vmt_take_blanks(&cur);
		if (vmt_bytes_is(key, "spanned")) {
			spanned = 0;
			(void)vmt_take_u64(&cur, &spanned);
		} else if (vmt_bytes_is(key, "start_pfn:") && !vmt_take_u64(&cur, &v) &&
			   v + spanned > end) {
			end = v + spanned;
		}
	}
	return end * page_size;
}

/* The frame of a page of our own as an address, 0 where we may not know it. */
static uint64_t frame_of(int pagemap, const void *p, uint64_t page_size)
{
	uint64_t word = 0;

	off_t at = (off_t)((uintptr_t)p / page_size * sizeof(word));

	if (pread(pagemap, &word, sizeof(word), at) != (ssize_t)sizeof(word) ||
	    !(word & VMT_PM_PRESENT))
		return 0;
	return (word & VMT_PM_FRAME) * page_size;
}

static int look(volatile struct vmt_fault_tables *t, int prog, const void *p)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	t->address = (uintptr_t)p;
	return bpf_prog_test_run_opts(prog, &opts);
}

/* Whether with *t as it stands all pages are found where they are. */
static bool is_proved(volatile struct vmt_fault_tables *t, int prog, char *const *pages,
		      const uint64_t *frames)
{
	for (unsigned i = 0; i < PROOFS; i++)
		if (look(t, prog, pages[i]) || !(t->entry & ENTRY_PRESENT) ||
		    (t->entry & t->mask) != frames[i])
			return false;
	return true;
}

static int search(volatile struct vmt_fault_tables *t, int prog, char *const *pages,
		  const uint64_t *frames)
{
	uint64_t first = t->top & ~(GIB - 1);

	for (uint32_t shift = 39; shift <= 48; shift += 9) {
		t->shift = shift;
		for (uint64_t down = 0; down <= t->end && down < first; down += GIB) {
			t->base = first - down;
			if (is_proved(t, prog, pages, frames))
				return 0;
		}
	}
	return -ENODATA;
}

/* What is moved between the two looks proves nothing: hence several. */
static int find(volatile struct vmt_fault_tables *t, int prog, int pagemap, char *const *pages,
		uint64_t page_size, const char **ret_reason)
{
	uint64_t frames[PROOFS];
	int r;

	for (int i = 0; i < TRIES; i++) {
		for (unsigned k = 0; k < PROOFS; k++) {
			frames[k] = frame_of(pagemap, pages[k], page_size);
			if (!frames[k]) {
				*ret_reason = "frames of pages are for CAP_SYS_ADMIN alone";
				return -EPERM;
			}
		}
		r = look(t, prog, pages[0]);
		if (r) {
			*ret_reason = "this kernel runs no such program on demand";
			return -ENOTSUP;
		}
		r = search(t, prog, pages, frames);
		if (!r)
			return 0;
	}
	*ret_reason = "the kernel's map of all memory is not where it should be";
	return r;
}

int vmt_tables_learn(volatile struct vmt_fault_tables *t, int prog, const char **ret_reason)
{
	uint64_t page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	size_t size = (PROOFS + 1) * LAST_TABLE;
	VMT_AUTO_CLOSE int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	char *pages[PROOFS], *place;
	int r;

	if (!ENTRIES_KNOWN) {
		*ret_reason = "entries of page tables are known on x86-64 alone";
		return -ENOTSUP;
	}
	t->end = memory_end(page_size);
	for (t->mask = page_size; t->mask < t->end; t->mask *= 2)
		;
	t->mask -= page_size;
	if (!t->end || pagemap < 0) {
		*ret_reason = "no /proc/zoneinfo, or no /proc/self/pagemap";
		return -ENOTSUP;
	}
	place = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (place == MAP_FAILED) {
		*ret_reason = "no memory to find them with";
		return -ENOMEM;
	}
	madvise(place, size, MADV_NOHUGEPAGE);
	for (unsigned i = 0; i < PROOFS; i++) {
		pages[i] = place + i * LAST_TABLE + i * page_size;
		*(volatile char *)pages[i] = 1;
	}
	r = find(t, prog, pagemap, pages, page_size, ret_reason);
	munmap(place, size);
	return r;
}

void vmt_probe_tables(struct vmt_probe *p, struct vmt_probe_loaded *l,
		      volatile struct vmt_fault_tables *t, int prog)
{
	const struct vmt_probe_hook *hook = NULL;
	const char *reason = NULL;
	int r;

	for (size_t i = 0; i < l->rung->n_hooks; i++)
		if (l->rung->hooks[i].have == VMT_HOOK_TABLES)
			hook = &l->rung->hooks[i];
	if (!hook || !(l->have & VMT_HOOK_TABLES))
		return;
	r = vmt_tables_learn(t, prog, &reason);
	if (r) {
		t->shift = 0;
		l->have &= ~(uint32_t)VMT_HOOK_TABLES;
	}
	vmt_probe_note(p, l->rung, hook,
		       !r	       ? VMT_TRY_OK
		       : r == -ENOTSUP ? VMT_TRY_ABSENT
				       : VMT_TRY_REFUSED,
		       r, reason, r == -EPERM ? "sudo vmtop doctor" : NULL, NULL);
}
