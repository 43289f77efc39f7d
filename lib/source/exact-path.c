/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/exact-path.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/types.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define NEWLINE "\\012"

/* include/uapi/linux/fs.h of Linux 6.11 and later; the headers of distributions may be older. */
struct procmap_query {
	__u64 size;
	__u64 query_flags;
	__u64 query_addr;
	__u64 vma_start;
	__u64 vma_end;
	__u64 vma_flags;
	__u64 vma_page_size;
	__u64 vma_offset;
	__u64 inode;
	__u32 dev_major;
	__u32 dev_minor;
	__u32 vma_name_size; /* of the buffer; then of the name, its NUL included */
	__u32 build_id_size; /* 0: the kernel would read the file for it */
	__u64 vma_name_addr;
	__u64 build_id_addr;
};

_Static_assert(sizeof(struct procmap_query) == VMT_PROCMAP_QUERY_SIZE, "uapi/linux/fs.h");

bool vmt_path_is_ambiguous(struct vmt_bytes path)
{
	/* Backslashes are rare. */
	return path.len && memchr(path.ptr, '\\', path.len) &&
	       memmem(path.ptr, path.len, NEWLINE, strlen(NEWLINE));
}

bool vmt_path_is_written_as(struct vmt_bytes exact, struct vmt_bytes written)
{
	size_t i, at = 0;

	for (i = 0; i < exact.len; i++) {
		const char *as = exact.ptr[i] == '\n' ? NEWLINE : &exact.ptr[i];
		size_t n = exact.ptr[i] == '\n' ? strlen(NEWLINE) : 1;

		if (written.len - at < n || memcmp(written.ptr + at, as, n) != 0)
			return false;
		at += n;
	}
	return at == written.len;
}

/* The length of the path, or -errno. */
static int ask(int maps_fd, const struct vmt_map *m, char *path)
{
	struct procmap_query q = {
		.size = sizeof(q),
		.query_addr = m->start,
		.vma_name_size = PATH_MAX,
		.vma_name_addr = (uint64_t)(uintptr_t)path,
	};
	int r;

	do
		r = ioctl(maps_fd, VMT_PROCMAP_QUERY, &q);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	if (q.vma_start != m->start || q.vma_end != m->end || q.inode != m->inode ||
	    q.vma_name_size == 0 || q.vma_name_size > PATH_MAX)
		return -ESTALE;
	return (int)q.vma_name_size - 1;
}

static int follow(int dir_fd, const struct vmt_map *m, char *path)
{
	char name[64];
	ssize_t n;

	snprintf(name, sizeof(name), "map_files/%" PRIx64 "-%" PRIx64, m->start, m->end);
	n = readlinkat(dir_fd, name, path, PATH_MAX);
	return n < 0 ? -errno : n == PATH_MAX ? -ENAMETOOLONG : (int)n;
}

int vmt_proc_exact_paths(struct vmt_proc_task *task, struct vmt_job *job, int dir_fd,
			 struct vmt_arena *arena, struct vmt_proc_read *read)
{
	VMT_AUTO_CLOSE int maps = -1;
	char path[PATH_MAX];
	size_t i;

	for (i = 0; i < task->n_maps; i++) {
		struct vmt_map *m = &task->maps[i];
		struct vmt_bytes exact = { .ptr = path };
		uint64_t t0;
		int n;

		if (!VMT_HAS(map, path_ambiguous, m) || !m->path_ambiguous)
			continue;
		if (vmt_job_expired(job))
			return -ETIMEDOUT;
		t0 = vmt_now_ns(CLOCK_MONOTONIC);
		if (maps < 0)
			maps = vmt_open_at(dir_fd, "maps");
		n = maps < 0 ? maps : ask(maps, m, path);
		if (n < 0)
			n = follow(dir_fd, m, path);
		t0 = vmt_now_ns(CLOCK_MONOTONIC) - t0;
		read->reads++;
		if (t0 > read->longest_ns)
			read->longest_ns = t0;
		vmt_job_go_on(job);
		if (n < 0)
			continue;
		exact.len = (size_t)n;
		/* Of another mapping that is there since. */
		if (!vmt_path_is_written_as(exact, m->path))
			continue;
		exact.ptr = vmt_arena_copy(arena, exact.ptr, exact.len);
		if (!exact.ptr)
			return -ENOMEM;
		pthread_mutex_lock(&task->lock);
		VMT_SET(map, path, m, exact);
		VMT_SET(map, path_ambiguous, m, false);
		pthread_mutex_unlock(&task->lock);
	}
	return 0;
}
