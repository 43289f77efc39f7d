/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/whole-file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE 65536

int vmt_whole_file(const char *path, int flags, size_t max, struct vmt_buf *ret, mode_t *ret_mode,
		   struct vmt_err *err)
{
	VMT_AUTO_CLOSE int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | flags);
	size_t begin = ret->len;
	struct stat st;
	ssize_t n = 1;

	if (fd < 0 || fstat(fd, &st) < 0)
		return vmt_err_set(err, -errno, path, 0, "%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return vmt_err_set(err, -EINVAL, path, 0, "not a regular file");
	/* It may grow while it is read. */
	while (n && ret->len - begin <= max) {
		size_t room = max - (ret->len - begin) + 1;

		room = room < PIECE ? room : PIECE;
		if (vmt_buf_reserve(ret, room) < 0)
			return vmt_err_set(err, -ENOMEM, NULL, 0, "out of memory");
		n = read(fd, ret->data + ret->len, room);
		if (n < 0)
			return vmt_err_set(err, -errno, path, 0, "%s", strerror(errno));
		ret->len += (size_t)n;
	}
	if (ret->len - begin > max)
		return vmt_err_set(err, -EFBIG, path, 0, "more than %zu bytes", max);
	vmt_buf_adds(ret, "");
	if (vmt_buf_error(ret) < 0)
		return vmt_err_set(err, -ENOMEM, NULL, 0, "out of memory");
	if (ret_mode)
		*ret_mode = st.st_mode & 0777;
	return 0;
}

bool vmt_is_own_file(const struct vmt_buf *text, const char *word)
{
	return text->len == 0 ||
	       vmt_bytes_starts((struct vmt_bytes){ text->data, text->len }, word);
}
