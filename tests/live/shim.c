/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loaded into vmtop by LD_PRELOAD: the program waits at one place, while a test does something to
 * the process that is being read. VMTOP_AT is "open N PATH", before PATH is opened for the Nth
 * time, or "read N PATH", before it is read for the Nth time; VMTOP_AT_FDS "OUT IN" are pipes: a
 * byte goes out when the place is reached, and one is waited for. PATH is absolute, as the kernel
 * names what is open. Everything else goes on as ever: what happens next the kernel decides.
 *
 * Or it keeps what was read, so that a test judges figures that move by the bytes that they were
 * made of: VMTOP_KEEP is "FD PREFIX", and what is read from files whose name begins with PREFIX is
 * appended to FD, each time behind a line "LENGTH OFFSET PATH".
 */
#include <dlfcn.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static struct {
	char when[8];
	unsigned nth;
	char path[4096];
	int out;
	int in;
	atomic_uint count;
	long (*syscall)(long number, ...);
	ssize_t (*read)(int fd, void *to, size_t n);
	ssize_t (*pread)(int fd, void *to, size_t n, off64_t offset);
	char prefix[4096];
	int kept;
} at;

__attribute__((constructor)) static void begin(void)
{
	const char *place = getenv("VMTOP_AT"), *fds = getenv("VMTOP_AT_FDS");
	const char *keep = getenv("VMTOP_KEEP");

	at.syscall = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	at.read = (ssize_t(*)(int, void *, size_t))dlsym(RTLD_NEXT, "read");
	at.pread = (ssize_t(*)(int, void *, size_t, off64_t))dlsym(RTLD_NEXT, "pread64");
	if (!place || !fds || sscanf(place, "%7s %u %4095[^\n]", at.when, &at.nth, at.path) != 3 ||
	    sscanf(fds, "%d %d", &at.out, &at.in) != 2)
		at.when[0] = 0;
	if (!keep || sscanf(keep, "%d %4095[^\n]", &at.kept, at.prefix) != 2)
		at.prefix[0] = 0;
}

/* What is open as fd, by the name that the kernel has for it. */
static bool name_of(int fd, char *to, size_t room)
{
	char link[40];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, to, room - 1);
	if (n <= 0)
		return false;
	to[n] = 0;
	return true;
}

static void arrive(const char *path)
{
	char c = 'x';

	if (strcmp(path, at.path) != 0 || atomic_fetch_add(&at.count, 1) + 1 != at.nth)
		return;
	if (write(at.out, &c, 1) == 1)
		while (at.read(at.in, &c, 1) < 0)
			;
}

static void before_read(int fd)
{
	char path[4096];

	if (strcmp(at.when, "read") == 0 && name_of(fd, path, sizeof(path)))
		arrive(path);
}

/* Of several threads, too: one call appends a whole record. */
static void keep(int fd, void *data, ssize_t n, long long offset)
{
	char path[4096], head[4200];
	struct iovec parts[2] = { { head, 0 }, { data, (size_t)n } };

	if (!at.prefix[0] || n < 0 || !name_of(fd, path, sizeof(path)) ||
	    strncmp(path, at.prefix, strlen(at.prefix)) != 0)
		return;
	parts[0].iov_len = (size_t)snprintf(head, sizeof(head), "%zd %lld %s\n", n, offset, path);
	if (writev(at.kept, parts, 2) != (ssize_t)(parts[0].iov_len + parts[1].iov_len))
		abort();
}

ssize_t read(int fd, void *to, size_t n);
ssize_t read(int fd, void *to, size_t n)
{
	long long offset = at.prefix[0] ? lseek(fd, 0, SEEK_CUR) : 0;
	ssize_t had;

	before_read(fd);
	had = at.read(fd, to, n);
	keep(fd, to, had, offset);
	return had;
}

ssize_t pread64(int fd, void *to, size_t n, off64_t offset);
ssize_t pread64(int fd, void *to, size_t n, off64_t offset)
{
	ssize_t had;

	before_read(fd);
	had = at.pread(fd, to, n, offset);
	keep(fd, to, had, offset);
	return had;
}

/* vmtop opens all that it looks at by this one, as the C library has no openat2(). */
long syscall(long number, ...)
{
	long args[6];
	va_list list;

	va_start(list, number);
	for (size_t i = 0; i < 6; i++)
		args[i] = va_arg(list, long);
	va_end(list);
	if ((number == SYS_openat || number == SYS_openat2) && strcmp(at.when, "open") == 0) {
		char path[8192];
		size_t n;

		if (name_of((int)args[0], path, 4096)) {
			n = strlen(path);
			snprintf(path + n, sizeof(path) - n, "/%s", (const char *)args[1]);
			arrive(path);
		}
	}
	return at.syscall(number, args[0], args[1], args[2], args[3], args[4], args[5]);
}
