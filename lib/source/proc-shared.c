/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/parse.h"
#include "source/elf.h"
#include "source/file-cache.h"
#include "source/proc-forecast.h"
#include "source/proc-job.h"
#include "source/proc-space.h"
#include "source/residency.h"

/* mm/memory.c fault_around_pages, where debugfs does not say it */
#define AROUND_BYTES UINT64_C(65536)

/* Whether statm counts anonymous pages to the unit: from Linux 6.2 on they are counted by each CPU,
 * and up to 6.15 only what these have handed in was shown (get_mm_counter_sum()). Other threads of
 * ours may touch pages meanwhile. */
static bool anon_is_exact(const struct vmt_root *root, int self)
{
	enum { PAGES = 3, TRIES = 4 };
	struct vmt_proc_space before, after;
	volatile char *p;
	unsigned i, tries;
	bool exact = false;

	for (tries = 0; tries < TRIES && !exact; tries++) {
		p = mmap(NULL, PAGES * root->page_size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			return false;
		/* What the look itself touches it touches now. */
		exact = vmt_proc_space_now(root, self, &after) &&
			vmt_proc_space_now(root, self, &before);
		for (i = 0; i < PAGES; i++)
			p[i * root->page_size] = 1;
		exact = exact && vmt_proc_space_now(root, self, &after) &&
			after.anon_bytes - before.anon_bytes == PAGES * root->page_size;
		munmap((void *)(uintptr_t)p, PAGES * root->page_size);
	}
	return exact;
}

const struct vmt_pagemap_facts *vmt_proc_shared_pagemap(struct vmt_proc_shared *shared)
{
	pthread_mutex_lock(&shared->lock);
	if (!shared->learned && shared->root->live) {
		VMT_AUTO_CLOSE int self = vmt_root_open_pid(shared->root, (uint64_t)getpid());
		VMT_AUTO_CLOSE int fd = self < 0 ? -1 : vmt_open_at(self, "pagemap");

		if (fd >= 0) {
			vmt_pagemap_learn(fd, shared->root->page_size, &shared->pagemap);
			shared->pagemap.anon_exact = shared->pagemap.scan_absent &&
						     anon_is_exact(shared->root, self);
		}
	}
	shared->learned = true;
	pthread_mutex_unlock(&shared->lock);
	return &shared->pagemap;
}

struct vmt_proc_shared *vmt_proc_shared_new(struct vmt_root *root)
{
	struct vmt_proc_shared *shared = calloc(1, sizeof(*shared));

	if (!shared) {
		vmt_root_unref(root);
		return NULL;
	}
	pthread_mutex_init(&shared->lock, NULL);
	shared->refs = 1;
	shared->root = root;
	return shared;
}

static uint64_t fault_around(void)
{
	VMT_AUTO_CLOSE int fd =
		open("/sys/kernel/debug/fault_around_bytes", O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char text[32];
	struct vmt_bytes cur = { text, 0 };
	uint64_t bytes;
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));

	cur.len = n < 0 ? 0 : (size_t)n;
	if (vmt_take_u64(&cur, &bytes) < 0 || bytes & (bytes - 1))
		return AROUND_BYTES;
	return bytes;
}

int vmt_proc_shared_load(struct vmt_proc_shared *shared, uint64_t sources)
{
	uint64_t todo = sources & ~shared->loaded;
	int r;

	if (sources & (VMT_SOURCE_BIT(PAGEMAP) | VMT_SOURCE_BIT(WORDS) | VMT_SOURCE_BIT(FORECAST)))
		__atomic_store_n(&shared->swap_idle, shared->root->live && !vmt_swap_in_use(),
				 __ATOMIC_RELAXED);
	if (todo & VMT_SOURCE_BIT(FORECAST)) {
		shared->around_bytes = fault_around();
		shared->stores_major = vmt_forecast_stores_major();
	}
	if (todo & VMT_SOURCE_BIT(MAPS)) {
		r = vmt_devices_load(&shared->devices, shared->root);
		if (r < 0)
			return r;
	}
	if (todo & (VMT_SOURCE_BIT(ELF) | VMT_SOURCE_BIT(ROLE)) && !shared->files) {
		vmt_elf_init();
		shared->files = vmt_file_cache_new();
		if (!shared->files)
			return -ENOMEM;
	}
	shared->loaded |= sources;
	return 0;
}

void vmt_proc_shared_unref(struct vmt_proc_shared *shared)
{
	if (!shared || __atomic_sub_fetch(&shared->refs, 1, __ATOMIC_ACQ_REL))
		return;
	vmt_devices_done(&shared->devices);
	vmt_file_cache_free(shared->files);
	vmt_root_unref(shared->root);
	pthread_mutex_destroy(&shared->lock);
	free(shared);
}
