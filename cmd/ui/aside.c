/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/ui/aside.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/mem.h"

#define KEPT_MAX 4096

void vmt_aside_begin(struct vmt_aside *a)
{
	VMT_AUTO_CLOSE int fd = -1;

	if (a->old >= 0 || !isatty(STDERR_FILENO))
		return;
	fd = memfd_create("vmtop-stderr", MFD_CLOEXEC);
	if (fd < 0 || fcntl(fd, F_SETFL, O_APPEND) < 0)
		return;
	a->old = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	/* No program is run while it is so. */
	if (a->old >= 0)
		dup3(fd, STDERR_FILENO, O_CLOEXEC);
}

void vmt_aside_trim(const struct vmt_aside *a)
{
	struct stat st;

	/* The first of them is what matters. */
	if (a->old < 0 || fstat(STDERR_FILENO, &st) < 0 || st.st_size <= KEPT_MAX)
		return;
	if (ftruncate(STDERR_FILENO, KEPT_MAX) < 0)
		return;
}

void vmt_aside_end(struct vmt_aside *a)
{
	char text[KEPT_MAX];
	ssize_t n;

	if (a->old < 0)
		return;
	n = pread(STDERR_FILENO, text, sizeof(text), 0);
	dup3(a->old, STDERR_FILENO, O_CLOEXEC);
	close(a->old);
	a->old = -1;
	if (n > 0 && write(STDERR_FILENO, text, (size_t)n) < 0)
		return;
}
