/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/thp.h"

#include <errno.h>
#include <stdio.h>

#include "base/parse.h"
#include "source/collect-private.h"
#include "source/machine.h"
#include "source/proc-job.h"
#include "source/root.h"

#define DIR	 "sys/kernel/mm/transparent_hugepage"
#define FILE_MAX ((size_t)256)

/* What a kernel lacks is not there; any other failure is noted in *error. */
static int read_text(int dir, const char *name, struct vmt_buf *buf, int *error)
{
	int64_t got = vmt_slurp_at(dir, name, buf, FILE_MAX);

	if (got < 0 && got != -ENOENT)
		*error = (int)got;
	return got < 0 ? (int)got : 0;
}

static enum vmt_thp_mode read_mode(int dir, const char *name, int *error)
{
	VMT_AUTO_BUF buf = { 0 };

	if (read_text(dir, name, &buf, error) < 0 || !buf.len)
		return VMT_THP_UNKNOWN;
	return vmt_thp_mode_parse((struct vmt_bytes){ buf.data, buf.len });
}

static bool read_number(int dir, const char *name, uint64_t *ret, int *error)
{
	VMT_AUTO_BUF buf = { 0 };

	return read_text(dir, name, &buf, error) == 0 && buf.len &&
	       vmt_setting_parse((struct vmt_bytes){ buf.data, buf.len }, ret) == 0;
}

void vmt_collect_thp(struct vmt_collector *c, struct vmt_thp *ret)
{
	const struct vmt_root *root = vmt_collector_shared(c)->root;
	VMT_AUTO_CLOSE int above = vmt_open_dir_at(root->fd, "sys/kernel/mm");
	VMT_AUTO_CLOSE int dir = vmt_open_dir_at(root->fd, DIR);
	uint64_t kib;

	*ret = (struct vmt_thp){ .absent = dir == -ENOENT && above >= 0 };
	if (dir < 0) {
		ret->error = dir == -ENOENT ? 0 : dir;
		return;
	}
	ret->enabled = read_mode(dir, "enabled", &ret->error);
	ret->shmem = read_mode(dir, "shmem_enabled", &ret->error);
	/* A power of two, as mm/huge_memory.c HPAGE_PMD_SIZE is one. */
	if (!read_number(dir, "hpage_pmd_size", &ret->pmd_bytes, &ret->error) ||
	    ret->pmd_bytes < root->page_size || ret->pmd_bytes & (ret->pmd_bytes - 1))
		ret->pmd_bytes = 0;
	ret->has_max_ptes_none =
		read_number(dir, "khugepaged/max_ptes_none", &ret->max_ptes_none, &ret->error);
	for (kib = 2 * root->page_size / 1024;
	     ret->pmd_bytes && kib <= ret->pmd_bytes / 1024 && ret->n_sizes < VMT_THP_SIZES_MAX;
	     kib *= 2) {
		struct vmt_thp_size size = { .bytes = kib * 1024 };
		char name[64];

		snprintf(name, sizeof(name), "hugepages-%llukB/enabled", (unsigned long long)kib);
		size.anon = read_mode(dir, name, &ret->error);
		snprintf(name, sizeof(name), "hugepages-%llukB/shmem_enabled",
			 (unsigned long long)kib);
		size.shmem = read_mode(dir, name, &ret->error);
		if (size.anon != VMT_THP_UNKNOWN || size.shmem != VMT_THP_UNKNOWN)
			ret->sizes[ret->n_sizes++] = size;
	}
}
