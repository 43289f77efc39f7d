/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "source/elf.h"
#include "source/file-cache.h"
#include "source/proc-job.h"
#include "source/residency.h"

const struct vmt_pagemap_facts *vmt_proc_shared_pagemap(struct vmt_proc_shared *shared)
{
	pthread_mutex_lock(&shared->lock);
	if (!shared->learned && shared->root->live) {
		VMT_AUTO_CLOSE int self = vmt_root_open_pid(shared->root, (uint64_t)getpid());
		VMT_AUTO_CLOSE int fd = self < 0 ? -1 : vmt_open_at(self, "pagemap");

		if (fd >= 0)
			vmt_pagemap_learn(fd, shared->root->page_size, &shared->pagemap);
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

int vmt_proc_shared_load(struct vmt_proc_shared *shared, uint32_t sources)
{
	uint32_t todo = sources & ~shared->loaded;
	int r;

	if (sources & (VMT_SOURCE_BIT(PAGEMAP) | VMT_SOURCE_BIT(WORDS)))
		__atomic_store_n(&shared->swap_idle, shared->root->live && !vmt_swap_in_use(),
				 __ATOMIC_RELAXED);
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
