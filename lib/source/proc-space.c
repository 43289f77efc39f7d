/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/proc-space.h"

#include <errno.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/parse.h"
#include "source/pids.h"

#define FILE_MAX ((size_t)64 * 1024)
/* Seven numbers and their blanks. */
#define STATM_MAX ((size_t)160)
/* 52 numbers, and a name. */
#define STAT_MAX ((size_t)2048)

/* A file that is made whole, and anew, for a read of its start (fs/seq_file.c, single_open()). */
static ssize_t read_start(int fd, char *to, size_t room)
{
	ssize_t n;

	do
		n = pread(fd, to, room, 0);
	while (n < 0 && errno == EINTR);
	return n;
}

bool vmt_proc_has_ended(int dir_fd)
{
	VMT_AUTO_BUF buf = { 0 };
	struct vmt_pid_facts facts = { 0 };
	struct vmt_proc p = { 0 };

	return vmt_slurp_at(dir_fd, "stat", &buf, FILE_MAX) <= 0 ||
	       vmt_pid_stat_parse((struct vmt_bytes){ buf.data, buf.len }, 0, NULL, &p, &facts,
				  NULL) < 0 ||
	       vmt_bytes_is(p.state, "Z") || vmt_bytes_is(p.state, "X") ||
	       facts.flags & VMT_PF_EXITING;
}

int vmt_proc_why_empty(int dir_fd)
{
	VMT_AUTO_BUF buf = { 0 };
	struct vmt_pid_facts facts = { 0 };
	struct vmt_proc p = { 0 };

	if (vmt_proc_has_ended(dir_fd))
		return -ESRCH;
	if (vmt_slurp_at(dir_fd, "status", &buf, FILE_MAX) <= 0 ||
	    vmt_pid_status_parse((struct vmt_bytes){ buf.data, buf.len }, NULL, &p, &facts, NULL) <
		    0)
		return -EXDEV;
	return facts.has_mm && facts.vsize_bytes == 0 ? 0 : -EXDEV;
}

bool vmt_proc_faults(const struct vmt_proc *p, uint64_t *ret)
{
	if (!VMT_HAS(proc, minor_faults_total, p) || !VMT_HAS(proc, major_faults_total, p))
		return false;
	*ret = p->minor_faults_total + p->major_faults_total;
	return true;
}

bool vmt_proc_faults_now(int dir_fd, uint64_t *ret)
{
	VMT_AUTO_CLOSE int fd = vmt_open_at(dir_fd, "stat");
	struct vmt_pid_facts facts = { 0 };
	struct vmt_proc p = { 0 };
	char text[STAT_MAX];
	ssize_t n;

	if (fd < 0)
		return false;
	n = read_start(fd, text, sizeof(text));
	return n > 0 && (size_t)n < sizeof(text) &&
	       vmt_pid_stat_parse((struct vmt_bytes){ text, (size_t)n }, 0, NULL, &p, &facts,
				  NULL) == 0 &&
	       vmt_proc_faults(&p, ret);
}

/* A number of pages, as bytes. */
static bool take_pages(struct vmt_bytes *cur, uint64_t page_size, uint64_t *ret)
{
	vmt_take_blanks(cur);
	return vmt_take_u64(cur, ret) == 0 && !__builtin_mul_overflow(*ret, page_size, ret);
}

int vmt_proc_space_open(int dir_fd)
{
	return vmt_open_at(dir_fd, "statm");
}

bool vmt_proc_space_read(const struct vmt_root *root, int fd, struct vmt_proc_space *ret)
{
	uint64_t resident, shared;
	struct vmt_bytes cur;
	char text[STATM_MAX];
	ssize_t n;

	if (fd < 0)
		return false;
	n = read_start(fd, text, sizeof(text));
	if (n < 0)
		return false;
	cur = (struct vmt_bytes){ text, (size_t)n };
	if (!take_pages(&cur, root->page_size, &ret->size_bytes) ||
	    !take_pages(&cur, root->page_size, &resident) ||
	    !take_pages(&cur, root->page_size, &shared))
		return false;
	ret->anon_bytes = resident > shared ? resident - shared : 0;
	return true;
}

bool vmt_proc_space_now(const struct vmt_root *root, int dir_fd, struct vmt_proc_space *ret)
{
	VMT_AUTO_CLOSE int fd = vmt_proc_space_open(dir_fd);

	return vmt_proc_space_read(root, fd, ret);
}

bool vmt_proc_space_is(const struct vmt_root *root, int dir_fd, uint64_t size_bytes)
{
	struct vmt_proc_space now;

	return vmt_proc_space_now(root, dir_fd, &now) && now.size_bytes == size_bytes;
}
