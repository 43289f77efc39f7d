/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/thread-stacks.h"

#include <dirent.h>
#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>

#include "base/parse.h"
#include "source/root.h"

/* A process with more threads gets no further than these. */
#define THREADS_MAX ((size_t)32768)
/* Nine numbers of 64 bits in hex. */
#define SYSCALL_MAX ((size_t)1024)

bool vmt_syscall_stack(struct vmt_bytes text, uint64_t *ret_sp)
{
	struct vmt_bytes words[10];
	size_t n = 0;
	uint64_t v;

	while (text.len && text.ptr[text.len - 1] == '\n')
		text.len--;
	while (text.len && n < VMT_ARRAY_LEN(words)) {
		words[n++] = vmt_take_word(&text);
		vmt_take_blanks(&text);
	}
	if (text.len || !(n == 9 || (n == 3 && vmt_bytes_is(words[0], "-1"))) ||
	    !vmt_bytes_starts(words[n - 2], "0x"))
		return false;
	words[n - 2].ptr += 2;
	words[n - 2].len -= 2;
	if (vmt_take_hex(&words[n - 2], &v) < 0 || words[n - 2].len || v == 0)
		return false;
	*ret_sp = v;
	return true;
}

static bool by_robust_list(uint64_t tid, uint64_t *ret)
{
	struct robust_list_head *head = NULL;
	size_t len = 0;

	if (syscall(SYS_get_robust_list, (long)tid, &head, &len) < 0 || !head)
		return false;
	*ret = (uint64_t)(uintptr_t)head;
	return true;
}

static bool by_syscall(int task_fd, const char *tid, uint64_t *ret)
{
	VMT_AUTO_BUF buf = { 0 };
	char name[sizeof(((struct dirent *)0)->d_name) + sizeof("/syscall")];

	snprintf(name, sizeof(name), "%s/syscall", tid);
	return vmt_slurp_at(task_fd, name, &buf, SYSCALL_MAX) > 0 &&
	       vmt_syscall_stack((struct vmt_bytes){ buf.data, buf.len }, ret);
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

int vmt_thread_stacks(int dir_fd, uint64_t pid, uint64_t **ret, size_t *ret_n)
{
	VMT_AUTO_FREE uint64_t *stacks = NULL;
	int fd = vmt_open_dir_at(dir_fd, "task");
	size_t n = 0, cap = 0, seen = 0;
	struct dirent *e;
	DIR *dir;
	int r = 0;

	*ret = NULL;
	*ret_n = 0;
	/* One that ended has no threads. */
	if (fd < 0)
		return fd == -ENOENT || fd == -ESRCH ? 0 : fd;
	dir = fdopendir(fd);
	if (!dir) {
		r = -errno;
		close(fd);
		return r;
	}
	for (errno = 0; seen++ < THREADS_MAX && (e = readdir(dir)); errno = 0) {
		uint64_t tid, at;

		if (vmt_parse_pid(e->d_name, &tid) < 0 || tid == pid ||
		    (!by_robust_list(tid, &at) && !by_syscall(fd, e->d_name, &at)))
			continue;
		if (vmt_grow(&stacks, &cap, n + 1, sizeof(*stacks)) < 0) {
			closedir(dir);
			return -ENOMEM;
		}
		stacks[n++] = at;
	}
	if (errno && errno != ENOENT)
		r = -errno;
	closedir(dir);
	if (n)
		qsort(stacks, n, sizeof(*stacks), compare_u64);
	*ret = VMT_STEAL(stacks);
	*ret_n = n;
	return r;
}
