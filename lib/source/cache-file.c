/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/cache-file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>

#include "model/cache.h"
#include "model/sample.h"
#include "source/cached-pages.h"
#include "source/reader.h"

/* Which mount a file is in is known since Linux 5.8. */
#ifdef STATX_MNT_ID
#define WANT_MOUNT STATX_MNT_ID
#else
#define WANT_MOUNT 0
#endif

int vmt_cache_stat(int fd, struct statx *st)
{
	unsigned mask = STATX_TYPE | STATX_INO | STATX_NLINK | STATX_SIZE | STATX_BLOCKS |
			WANT_MOUNT;

	return statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, mask, st) < 0 ? -errno : 0;
}

const struct vmt_mount *vmt_cache_mount(const struct vmt_mounts *mounts, const struct statx *st)
{
#ifdef STATX_MNT_ID
	if (st->stx_mask & STATX_MNT_ID)
		return vmt_mounts_by_id(mounts, st->stx_mnt_id);
#endif
	return vmt_mounts_of(mounts, st->stx_dev_major, st->stx_dev_minor, VMT_BYTES("/"));
}

static uint64_t magic_of(struct vmt_bytes fs_type)
{
	if (vmt_bytes_is(fs_type, "tmpfs") || vmt_bytes_is(fs_type, "devtmpfs"))
		return TMPFS_MAGIC;
	return vmt_bytes_is(fs_type, "hugetlbfs") ? HUGETLBFS_MAGIC : 0;
}

int vmt_cache_identify(const struct statx *st, const struct vmt_mount *mount,
		       struct vmt_arena *arena, struct vmt_cached_file *row)
{
	struct vmt_bytes fs = mount ? mount->fs_type : (struct vmt_bytes){ 0 };
	char text[48];
	int n;

	n = snprintf(text, sizeof(text), "%02llx:%02llx",
		     (unsigned long long)(mount ? mount->major : st->stx_dev_major),
		     (unsigned long long)(mount ? mount->minor : st->stx_dev_minor));
	VMT_SET(cached_file, device, row,
		((struct vmt_bytes){ vmt_arena_copy(arena, text, (size_t)n), (size_t)n }));
	if (fs.len)
		VMT_SET(cached_file, fs_type, row,
			((struct vmt_bytes){ vmt_arena_copy(arena, fs.ptr, fs.len), fs.len }));
	VMT_SET(cached_file, inode, row, st->stx_ino);
	VMT_SET(cached_file, size_bytes, row, st->stx_size);
	VMT_SET(cached_file, kind, row, vmt_cache_kind(magic_of(fs), st->stx_mode));
	if (st->stx_mask & STATX_NLINK)
		VMT_SET(cached_file, deleted, row, st->stx_nlink == 0);
	return arena->failed || !row->device.ptr ? -ENOMEM : 0;
}

static bool more(void *arg)
{
	return vmt_job_renew(arg);
}

static void take_counts(const struct vmt_cache_counts *c, uint64_t page, const char *method,
			struct vmt_cached_file *row)
{
	VMT_SET(cached_file, cached_bytes, row, c->cached * page);
	VMT_SET(cached_file, method, row, vmt_bytes_of(method));
	if (!c->by_stat)
		return;
	VMT_SET(cached_file, dirty_bytes, row, c->dirty * page);
	VMT_SET(cached_file, writeback_bytes, row, c->writeback * page);
	VMT_SET(cached_file, evicted_bytes, row, c->evicted * page);
	VMT_SET(cached_file, recently_evicted_bytes, row, c->recently_evicted * page);
}

/* By mincore, which tells the truth to its owner alone; the kernel says who that is by letting him
 * keep the time of access as it is. */
static int ask_mapped(const struct vmt_cache_look *look, int fd, struct vmt_cached_file *row)
{
	VMT_AUTO_FREE unsigned char *vec = NULL;
	struct vmt_cache_counts counts;
	int r;

	if (fcntl(fd, F_SETFL, O_NONBLOCK | O_NOATIME) < 0)
		return -errno;
	vec = malloc(VMT_CACHED_VEC);
	if (!vec)
		return -ENOMEM;
	r = vmt_cached_pages_all(fd, look->page_size, true, vec, more, look->job, &counts);
	if (r == 0)
		take_counts(&counts, look->page_size, "mincore", row);
	return r;
}

static int ask(const struct vmt_cache_look *look, int path_fd, struct vmt_bytes fs_type,
	       struct vmt_cached_file *row)
{
	VMT_AUTO_CLOSE int fd = -1;
	struct vmt_cache_counts counts;
	char name[40];
	int r;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", path_fd);
	fd = open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* What overlayfs opens has the pages; what it shows has none. */
	if (vmt_bytes_is(fs_type, "overlay"))
		return ask_mapped(look, fd, row);
	r = vmt_cached_pages_all(fd, look->page_size, false, NULL, more, look->job, &counts);
	if (r == -ENOSYS)
		return ask_mapped(look, fd, row);
	if (r == 0)
		take_counts(&counts, look->page_size, "cachestat", row);
	return r;
}

int vmt_cache_ask(const struct vmt_cache_look *look, int fd, const struct statx *st,
		  const struct vmt_mount *mount, struct vmt_cached_file *row)
{
	struct vmt_bytes fs = mount ? mount->fs_type : (struct vmt_bytes){ 0 };
	int r = 0;

	if (vmt_bytes_is(fs, "hugetlbfs") && st->stx_mask & STATX_BLOCKS) {
		/* It counts no page twice, and none that is only reserved (fs/hugetlbfs). */
		VMT_SET(cached_file, cached_bytes, row, st->stx_blocks * 512);
		VMT_SET(cached_file, method, row, VMT_BYTES("blocks"));
	} else {
		r = ask(look, fd, fs, row);
	}
	VMT_SET(cached_file, read_status, row,
		vmt_bytes_of(r == 0				? "ok"
			     : r == -ENOSYS || r == -EOPNOTSUPP ? "absent"
								: vmt_failure_word(r)));
	vmt_cached_file_derive(row, look->page_size);
	return r;
}

bool vmt_cache_is_empty(const struct vmt_cached_file *row)
{
	return VMT_HAS(cached_file, cached_bytes, row) && row->cached_bytes == 0 &&
	       (!VMT_HAS(cached_file, recently_evicted_bytes, row) ||
		row->recently_evicted_bytes == 0);
}
