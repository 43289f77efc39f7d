/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/cached-pages.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

/* The same on every architecture; the headers of distributions may be older. */
#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif

/* include/uapi/linux/mman.h of Linux 6.5 */
struct cache_range {
	__u64 off;
	__u64 len;
};

struct cache_stat {
	__u64 cached;
	__u64 dirty;
	__u64 writeback;
	__u64 evicted;
	__u64 recently_evicted;
};

static int ask(const struct vmt_cached_pages *c, uint64_t first, uint64_t n, struct cache_stat *ret)
{
	struct cache_range range = { .off = first * c->page_size, .len = n * c->page_size };

	return syscall(SYS_cachestat, c->fd, &range, ret, 0) < 0 ? -errno : 0;
}

/* Once more, as the owner of the file may. */
static int reopen(struct vmt_cached_pages *c)
{
	char name[40];
	int fd;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", c->fd);
	fd = open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOATIME | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	vmt_closep(&c->fd);
	c->fd = fd;
	return 0;
}

int vmt_cached_pages_open(struct vmt_cached_pages *c, const struct vmt_mapped_file *file,
			  uint64_t page_size, unsigned char *vec, size_t n_vec, bool no_stat)
{
	struct cache_stat stat;
	struct statx st;
	int fd;

	*c = (struct vmt_cached_pages){
		.fd = -1, .page_size = page_size, .vec = vec, .n_vec = n_vec
	};
	fd = vmt_mapped_file_read(file);
	if (fd < 0)
		return fd;
	c->fd = fd;
	/* No server is asked: what maps the file has asked it. */
	if (statx(c->fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_SIZE, &st) < 0)
		return -errno;
	c->pages = st.stx_size / page_size + (st.stx_size % page_size != 0);
	if (!no_stat && ask(c, 0, 1, &stat) == 0)
		return 0;
	c->by_map = true;
	return reopen(c);
}

void vmt_cached_pages_done(struct vmt_cached_pages *c)
{
	vmt_closep(&c->fd);
}

/* Fills vec from a page on. */
static int look(struct vmt_cached_pages *c, uint64_t first)
{
	uint64_t left = c->pages - first;
	size_t n = left < c->n_vec ? (size_t)left : c->n_vec;
	void *p = mmap(NULL, n * c->page_size, PROT_READ, MAP_SHARED, c->fd,
		       (off_t)(first * c->page_size));
	int r;

	if (p == MAP_FAILED)
		return -errno;
	r = mincore(p, n * c->page_size, c->vec) < 0 ? -errno : 0;
	munmap(p, n * c->page_size);
	c->calls++;
	c->first = first;
	c->n = r == 0 ? n : 0;
	return r;
}

int vmt_cached_pages_count(struct vmt_cached_pages *c, uint64_t first, uint64_t n,
			   uint64_t *ret_cached, uint64_t *ret_evicted)
{
	struct cache_stat stat;
	uint64_t cached = 0, page;
	int r;

	if (!c->by_map) {
		r = ask(c, first, n, &stat);
		c->calls++;
		if (r < 0)
			return r;
		/* It is not read at one time. */
		*ret_cached = stat.cached < n ? stat.cached : n;
		*ret_evicted = stat.evicted < n - *ret_cached ? stat.evicted : n - *ret_cached;
		return 0;
	}
	for (page = first; page < first + n; page++) {
		if (page < c->first || page - c->first >= c->n) {
			r = look(c, page);
			if (r < 0)
				return r;
		}
		cached += c->vec[page - c->first] & 1;
	}
	*ret_cached = cached;
	*ret_evicted = UINT64_MAX;
	return 0;
}

/* How much of a file may be holes: in them, too, there can be pages, so that they have to be looked
 * at, and a file of holes can be as large as anybody likes. */
#define HOLES_MAX (UINT64_C(1) << 24)

/* Counts what a mapping of the file has, in parts of VMT_CACHED_VEC pages. */
static int count_mapped(int fd, uint64_t page_size, unsigned char *vec, bool (*more)(void *arg),
			void *arg, struct vmt_cache_counts *ret)
{
	struct vmt_cached_pages c = { .fd = fd,
				      .page_size = page_size,
				      .by_map = true,
				      .vec = vec,
				      .n_vec = VMT_CACHED_VEC };
	uint64_t at, cached = 0;
	struct statx st;
	size_t i;
	int r;

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_SIZE | STATX_BLOCKS, &st) < 0)
		return -errno;
	c.pages = st.stx_size / page_size + (st.stx_size % page_size != 0);
	if (c.pages > HOLES_MAX && c.pages - HOLES_MAX > st.stx_blocks / (page_size / 512))
		return -EFBIG;
	for (at = 0; at < c.pages; at += c.n) {
		if (!more(arg))
			return -ETIMEDOUT;
		r = look(&c, at);
		if (r < 0)
			return r;
		for (i = 0; i < c.n; i++)
			cached += vec[i] & 1;
	}
	*ret = (struct vmt_cache_counts){ .cached = cached };
	return 0;
}

int vmt_cached_pages_all(int fd, uint64_t page_size, bool mapped, unsigned char *vec,
			 bool (*more)(void *arg), void *arg, struct vmt_cache_counts *ret)
{
	/* A length of 0 is to the end, wherever that is. */
	struct cache_range range = { 0 };
	struct cache_stat stat;

	if (mapped)
		return count_mapped(fd, page_size, vec, more, arg, ret);
	if (syscall(SYS_cachestat, fd, &range, &stat, 0) < 0)
		return -errno;
	*ret = (struct vmt_cache_counts){ .cached = stat.cached,
					  .by_stat = true,
					  .dirty = stat.dirty,
					  .writeback = stat.writeback,
					  .evicted = stat.evicted,
					  .recently_evicted = stat.recently_evicted };
	return 0;
}
