/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/check-files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "model/check-state.h"

/* The file of the lock has a byte for each run that found it taken, and no more than these. */
#define TIMES_MAX 4096

static int failed(struct vmt_err *err, int code, const char *path)
{
	return vmt_err_set(err, code, path, 0, "%s", strerror(-code));
}

int vmt_check_lock(const char *path, int *ret_fd, unsigned *ret_times, struct vmt_err *err)
{
	VMT_AUTO_CLOSE int fd = open(
		path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
		0600);
	struct stat st;
	off_t end;

	if (fd < 0 || fstat(fd, &st) < 0)
		return failed(err, -errno, path);
	if (!S_ISREG(st.st_mode))
		return vmt_err_set(err, -EINVAL, path, 0, "not a regular file");
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		/* Only what was there before: others may be counted since, in the file as it is. */
		if (st.st_size && ftruncate(fd, 0) < 0)
			return failed(err, -errno, path);
		*ret_fd = fd;
		fd = -1;
		return 0;
	}
	if (errno != EWOULDBLOCK)
		return failed(err, -errno, path);
	*ret_times = TIMES_MAX;
	if (st.st_size >= TIMES_MAX)
		return -EWOULDBLOCK;
	/* Appended at once, so that each of those who come together gets a number of its own. */
	if (write(fd, "+", 1) != 1)
		return failed(err, -errno, path);
	end = lseek(fd, 0, SEEK_CUR);
	if (end < 0)
		return failed(err, -errno, path);
	*ret_times = (unsigned)end;
	return -EWOULDBLOCK;
}

int vmt_check_state_load(const char *path, struct vmt_sample **ret, struct vmt_err *err)
{
	VMT_AUTO_CLOSE int fd =
		open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	VMT_AUTO_BUF text = { 0 };
	struct vmt_err why = { 0 };
	struct stat st;
	ssize_t n = 1;
	int r;

	*ret = NULL;
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return failed(err, -errno, path);
	if (!S_ISREG(st.st_mode))
		return vmt_err_set(err, -EEXIST, path, 0, "not a regular file");
	while (n && text.len <= VMT_CHECK_STATE_MAX) {
		if (vmt_buf_reserve(&text, 4096) < 0)
			return vmt_err_set(err, -ENOMEM, NULL, 0, "out of memory");
		n = read(fd, text.data + text.len, 4096);
		if (n < 0)
			return failed(err, -errno, path);
		text.len += (size_t)n;
	}
	r = vmt_check_state_read((struct vmt_bytes){ text.data, text.len }, ret, &why);
	return r < 0 ? vmt_err_set(err, r, path, why.line, "%s", why.text) : 0;
}
