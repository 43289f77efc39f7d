/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/check-files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "cmd/whole-file.h"
#include "model/check-state.h"

/* The file of the lock has a byte for each run that found it taken, and no more than these. */
#define TIMES_MAX 4096

static int failed(struct vmt_err *err, int code, const char *path)
{
	return vmt_err_set(err, code, path, 0, "%s", strerror(-code));
}

/*
 * One run at a time looks at the lock and counts: a mark that were written between another's
 * flock() and its ftruncate() would be of no run, or of the wrong one. A lock of its own kind,
 * which knows nothing of flock(); it ends with the descriptor. 0 or a negative errno.
 */
static int take_turn(int fd)
{
	struct flock turn = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int r;

	do
		r = fcntl(fd, F_OFD_SETLKW, &turn);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

static int end_turn(int fd)
{
	struct flock turn = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_SETLK, &turn) < 0 ? -errno : 0;
}

/* Whether the file holds what runs that came too late wrote, and nothing of somebody else. */
static int only_marks(int fd)
{
	char marks[TIMES_MAX + 1];
	ssize_t i, n = pread(fd, marks, sizeof(marks), 0);

	if (n < 0)
		return -errno;
	for (i = 0; i < n; i++)
		if (marks[i] != '+')
			return 0;
	return n <= TIMES_MAX;
}

int vmt_check_lock(const char *path, int *ret_fd, unsigned *ret_times, struct vmt_err *err)
{
	VMT_AUTO_CLOSE int fd = open(
		path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
		0600);
	struct stat st;
	off_t end;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return failed(err, -errno, path);
	if (!S_ISREG(st.st_mode))
		return vmt_err_set(err, -EINVAL, path, 0, "not a regular file");
	r = take_turn(fd);
	if (r < 0)
		return failed(err, r, path);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		r = only_marks(fd);
		if (r == 0)
			return vmt_err_set(err, -EINVAL, path, 0, "not a lock of vmtop check");
		if (r < 0 || ftruncate(fd, 0) < 0)
			return failed(err, r < 0 ? r : -errno, path);
		r = end_turn(fd);
		if (r < 0)
			return failed(err, r, path);
		*ret_fd = VMT_STEAL_FD(fd);
		return 0;
	}
	if (errno != EWOULDBLOCK)
		return failed(err, -errno, path);
	*ret_times = TIMES_MAX;
	if (fstat(fd, &st) < 0)
		return failed(err, -errno, path);
	if (st.st_size >= TIMES_MAX)
		return -EWOULDBLOCK;
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
	VMT_AUTO_BUF text = { 0 };
	struct vmt_err why = { 0 };
	int r;

	*ret = NULL;
	r = vmt_whole_file(path, O_NOFOLLOW, VMT_CHECK_STATE_MAX, &text, NULL, err);
	if ((r == 0 || r == -EFBIG) && !vmt_is_own_file(&text, "vmtop-check-state "))
		return vmt_err_set(err, -EEXIST, path, 0, "not the state of vmtop check, and kept");
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = vmt_check_state_read((struct vmt_bytes){ text.data, text.len }, ret, &why);
	return r < 0 ? vmt_err_set(err, r, path, why.line, "%s", why.text) : 0;
}
