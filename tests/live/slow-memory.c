/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "slow-memory.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096u

char *pages_apart(size_t pages)
{
	char *start = mmap(NULL, (pages + 2) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (start == MAP_FAILED || mprotect(start + PAGE, pages * PAGE, PROT_READ | PROT_WRITE) ||
	    (madvise(start + PAGE, pages * PAGE, MADV_NOHUGEPAGE) && errno != EINVAL))
		return NULL;
	return start + PAGE;
}

static void *fill(void *arg)
{
	static char page[PAGE] __attribute__((aligned(PAGE)));
	const struct slow_memory *m = arg;
	struct uffd_msg message;

	while (read(m->fd, &message, sizeof(message)) == (ssize_t)sizeof(message)) {
		struct uffdio_copy copy = {
			.dst = message.arg.pagefault.address & ~(uint64_t)(PAGE - 1),
			.src = (uintptr_t)page,
			.len = PAGE,
		};

		if (message.event != UFFD_EVENT_PAGEFAULT)
			continue;
		m->wait(m->arg);
		if (ioctl(m->fd, UFFDIO_COPY, &copy))
			_exit(3);
	}
	_exit(4);
}

bool slow_memory_open(struct slow_memory *m)
{
	m->fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	return m->fd >= 0;
}

const char *slow_memory_start(struct slow_memory *m, char *start, size_t pages)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register where = { .range = { (uintptr_t)start, pages * PAGE },
					 .mode = UFFDIO_REGISTER_MODE_MISSING };
	pthread_t thread;

	if (ioctl(m->fd, UFFDIO_API, &api) || ioctl(m->fd, UFFDIO_REGISTER, &where))
		return "UFFDIO_REGISTER";
	errno = pthread_create(&thread, NULL, fill, m);
	return errno ? "pthread_create" : NULL;
}
