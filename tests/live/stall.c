/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stall.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FILE_NODE  2u
#define FILE_SIZE  STALL_SLOW_SIZE
#define BUFFER	   (1u << 18)
#define WRITE_MOST 4096u

/* Written by the server, read by whoever started it. */
struct stall_waits {
	unsigned microseconds;
	size_t n; /* reads that were answered, kept or not */
	uint64_t ns[1024];
};

static int fail(struct stall *s, int r, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static int fail(struct stall *s, int r, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(s->why, sizeof(s->why), fmt, args);
	va_end(args);
	return r;
}

/* The server: the protocol of linux/fuse.h, as far as one file needs it */

static void reply(int device, const struct fuse_in_header *in, int error, const void *data,
		  size_t size)
{
	char buffer[sizeof(struct fuse_out_header) + FILE_SIZE];
	struct fuse_out_header out = {
		.len = (uint32_t)(sizeof(out) + size),
		.error = error,
		.unique = in->unique,
	};

	memcpy(buffer, &out, sizeof(out));
	if (size)
		memcpy(buffer + sizeof(out), data, size);
	/* The request may have been given up meanwhile. */
	if (write(device, buffer, out.len) < 0 && errno != ENOENT)
		_exit(1);
}

static struct fuse_attr attributes(uint64_t node)
{
	return (struct fuse_attr){
		.ino = node,
		.size = node == FILE_NODE ? FILE_SIZE : 0,
		.blocks = node == FILE_NODE ? FILE_SIZE / 512 : 0,
		.mode = node == FILE_NODE ? S_IFREG | 0600 : S_IFDIR | 0700,
		.nlink = 1,
		.blksize = 4096,
	};
}

static void serve_init(int device, const struct fuse_in_header *in)
{
	struct fuse_init_out out = {
		.major = FUSE_KERNEL_VERSION,
		.minor = 31,
		.max_readahead = FILE_SIZE,
		.max_background = 8,
		.congestion_threshold = 6,
		.max_write = WRITE_MOST,
		.time_gran = 1,
	};

	reply(device, in, 0, &out, sizeof(out));
}

static void serve_lookup(int device, const struct fuse_in_header *in, const char *name)
{
	struct fuse_entry_out out = {
		.nodeid = FILE_NODE,
		.generation = 1,
		.entry_valid = 3600,
		.attr_valid = 3600,
		.attr = attributes(FILE_NODE),
	};

	if (strcmp(name, "file"))
		reply(device, in, -ENOENT, NULL, 0);
	else
		reply(device, in, 0, &out, sizeof(out));
}

/* Opened for appending it bypasses the page cache: mmap() throws out what is in there. */
static void serve_open(int device, const struct fuse_in_header *in, const struct fuse_open_in *arg)
{
	struct fuse_open_out out = {
		.fh = 1,
		.open_flags = FOPEN_KEEP_CACHE | (arg->flags & O_APPEND ? FOPEN_DIRECT_IO : 0),
	};

	reply(device, in, 0, &out, sizeof(out));
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void stall_pause(unsigned microseconds)
{
	uint64_t end = now_ns() + (uint64_t)microseconds * 1000;

	if (microseconds > 200)
		usleep(microseconds - 200);
	while (now_ns() < end)
		;
}

static void serve_read(int device, const struct fuse_in_header *in, const struct fuse_read_in *arg,
		       struct stall_waits *waits)
{
	static char data[FILE_SIZE];
	uint64_t left = arg->offset < FILE_SIZE ? FILE_SIZE - arg->offset : 0;
	uint64_t begin = now_ns();
	size_t n;

	if (waits)
		stall_pause(waits->microseconds);
	if (waits) {
		/* Before the answer: whoever has it may look. */
		n = waits->n;
		if (n < sizeof(waits->ns) / sizeof(waits->ns[0]))
			waits->ns[n] = now_ns() - begin;
		__atomic_store_n(&waits->n, n + 1, __ATOMIC_RELEASE);
	}
	reply(device, in, 0, data, arg->size < left ? arg->size : left);
}

static void serve(int device, struct stall_waits *waits)
{
	static char buffer[BUFFER] __attribute__((aligned(8)));

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		const struct fuse_in_header *in = (const void *)buffer;
		const void *arg = buffer + sizeof(*in);
		ssize_t n = read(device, buffer, sizeof(buffer));
		struct fuse_attr_out attr = { .attr_valid = 3600 };

		if (n < 0 && (errno == EINTR || errno == EAGAIN || errno == ENOENT))
			continue;
		if (n < (ssize_t)sizeof(*in))
			_exit(0);
		switch (in->opcode) {
		case FUSE_INIT:
			serve_init(device, in);
			break;
		case FUSE_LOOKUP:
			serve_lookup(device, in, arg);
			break;
		case FUSE_GETATTR:
		case FUSE_SETATTR:
			attr.attr = attributes(in->nodeid);
			reply(device, in, 0, &attr, sizeof(attr));
			break;
		case FUSE_OPEN:
			serve_open(device, in, arg);
			break;
		case FUSE_READ:
			serve_read(device, in, arg, waits);
			break;
		case FUSE_WRITE:
		case FUSE_FORGET:
		case FUSE_BATCH_FORGET:
		case FUSE_INTERRUPT:
			break; /* no answer: the first is the point of it all */
		case FUSE_FLUSH:
		case FUSE_RELEASE:
			reply(device, in, 0, NULL, 0);
			break;
		default:
			reply(device, in, -ENOSYS, NULL, 0);
		}
	}
}

/* The victim */

/* Shares the address space of the victim and wants to change it: from then on nobody else gets the
 * lock for reading either. */
static int want_to_write(void *arg)
{
	(void)arg;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (getppid() != 1) {
		void *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p != MAP_FAILED)
			munmap(p, 4096);
	}
	return 0;
}

static __attribute__((noreturn)) void suffer(const char *dir, size_t megabytes, int ready,
					     bool reading)
{
	static char stack[65536] __attribute__((aligned(16)));
	char path[160];
	volatile char *p;
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	p = mmap(NULL, (megabytes << 20) + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		 -1, 0);
	for (size_t i = 0; p != MAP_FAILED && i < megabytes << 20; i += 4096)
		p[i] = 1;
	snprintf(path, sizeof(path), "%s/file", dir);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || p == MAP_FAILED)
		_exit(2);
	p = mmap(NULL, FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		_exit(3);
	fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC);
	if (fd < 0 || write(ready, "r", 1) != 1)
		_exit(4);
	p[0] = 'x';
	if (reading) {
		/* Closing the mapping waits for that page, with the lock held for reading: munmap()
		 * has downgraded it. */
		if (clone(want_to_write, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL) < 0)
			_exit(6);
		munmap((void *)(uintptr_t)p, FILE_SIZE);
		_exit(7);
	}
	/* Waits for that page to be written, with the lock held. */
	p = mmap(NULL, FILE_SIZE, PROT_READ, MAP_PRIVATE, fd, 0);
	_exit(5);
}

static void sleep_ms(unsigned ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	nanosleep(&t, NULL);
}

/* Waits so long for the end of a child; whether it ended. */
static bool ends(pid_t pid, unsigned ms)
{
	for (unsigned waited = 0; waited <= ms; waited += 10) {
		if (waitpid(pid, NULL, WNOHANG) != 0)
			return true;
		sleep_ms(10);
	}
	return false;
}

bool stall_blocks(pid_t pid, const char *name, unsigned milliseconds)
{
	pid_t reader = fork();
	bool blocked = false;

	if (reader < 0)
		return false;
	if (!reader) {
		char path[64], buffer[4096];
		int fd;

		snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		while (fd >= 0 && read(fd, buffer, sizeof(buffer)) > 0)
			;
		_exit(0);
	}
	/* On a slow machine it may not have come to the lock yet. */
	for (int i = 0; i < 20; i++) {
		blocked = !ends(reader, milliseconds);
		if (!blocked || stall_state(reader) == 'D')
			break;
	}
	if (blocked) {
		kill(reader, SIGKILL);
		waitpid(reader, NULL, 0);
	}
	return blocked;
}

char stall_state(pid_t pid)
{
	char path[64], text[512];
	ssize_t n;
	char *p;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	p = strrchr(text, ')');
	return p && p[1] ? p[2] : 0;
}

/* A file of the mount's entry in /sys/class/bdi. */
static void set_ratio(const struct stat *st, const char *name, const char *value)
{
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "/sys/class/bdi/%u:%u/%s", major(st->st_dev),
		 minor(st->st_dev), name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	/* Where it cannot be set, stall_start() may have to be called again. */
	(void)!write(fd, value, strlen(value));
	close(fd);
}

/*
 * A file system that has not written anything yet may hardly have dirty pages: the kernel would
 * begin to write the victim's at once, up to 6.15 from a copy, and mmap() would not wait for it.
 */
static void let_it_be_dirty(const char *dir)
{
	struct stat st;

	if (stat(dir, &st))
		return;
	set_ratio(&st, "max_ratio", "100");
	set_ratio(&st, "min_ratio", "50");
}

static int mount_it(struct stall *s, const char *parent)
{
	char options[96];

	snprintf(s->dir, sizeof(s->dir), "%s/stall-XXXXXX", parent);
	s->device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (s->device < 0)
		return fail(s, -errno, "/dev/fuse: %m");
	/* In a chroot "/" may be no mount, and has nothing that could be made private. */
	if (unshare(CLONE_NEWNS) ||
	    (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) && errno != EINVAL))
		return fail(s, -errno, "no mount namespace of our own: %m");
	if (!mkdtemp(s->dir))
		return fail(s, -errno, "%s: %m", s->dir);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", s->device);
	if (mount("stall", s->dir, "fuse", MS_NOSUID | MS_NODEV, options)) {
		int r = fail(s, -errno, "mount: %m");

		rmdir(s->dir);
		s->dir[0] = 0;
		return r;
	}
	return 0;
}

static int start_victim(struct stall *s, size_t megabytes, bool reading)
{
	struct pollfd p = { .events = POLLIN };
	int ready[2];
	char c;

	if (pipe2(ready, O_CLOEXEC))
		return fail(s, -errno, "pipe: %m");
	s->victim = fork();
	if (s->victim == 0) {
		close(s->device);
		suffer(s->dir, megabytes, ready[1], reading);
	}
	close(ready[1]);
	p.fd = ready[0];
	if (s->victim < 0 || poll(&p, 1, 120000) != 1 || read(ready[0], &c, 1) != 1) {
		int status = 0;

		close(ready[0]);
		sleep_ms(100);
		if (s->victim > 0 && waitpid(s->victim, &status, WNOHANG) == s->victim)
			s->victim = 0;
		return fail(s, -EIO, "the victim did not come to its stall: status %#x", status);
	}
	close(ready[0]);
	for (unsigned i = 0; i < 12000; i++) {
		if (stall_state(s->victim) == 'D')
			return 0;
		sleep_ms(10);
	}
	return fail(s, -EIO, "the victim is not stuck, but in state %c", stall_state(s->victim));
}

/* Mounts, and starts the server. */
static int start_server(struct stall *s, const char *parent)
{
	int r = mount_it(s, parent);

	if (r) {
		s->dir[0] = 0;
		return r;
	}
	s->server = fork();
	if (s->server == 0)
		serve(s->device, s->waits);
	return s->server < 0 ? fail(s, -errno, "fork: %m") : 0;
}

int stall_slow(struct stall *s, const char *parent, unsigned microseconds)
{
	struct stall_waits *waits = mmap(NULL, sizeof(*waits), PROT_READ | PROT_WRITE,
					 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int r;

	memset(s, 0, sizeof(*s));
	s->device = -1;
	if (waits == MAP_FAILED)
		return fail(s, -errno, "mmap: %m");
	waits->microseconds = microseconds;
	s->waits = waits;
	r = start_server(s, parent);
	if (r)
		stall_end(s);
	return r;
}

size_t stall_waited(const struct stall *s, uint64_t *ret, size_t n)
{
	size_t have = __atomic_load_n(&s->waits->n, __ATOMIC_ACQUIRE);

	if (n > have)
		n = have;
	if (n > sizeof(s->waits->ns) / sizeof(s->waits->ns[0]))
		n = sizeof(s->waits->ns) / sizeof(s->waits->ns[0]);
	memcpy(ret, s->waits->ns, n * sizeof(*ret));
	return have;
}

int stall_start(struct stall *s, const char *parent, size_t megabytes, bool reading)
{
	int r;

	memset(s, 0, sizeof(*s));
	s->device = -1;
	r = start_server(s, parent);
	if (!r)
		let_it_be_dirty(s->dir);
	r = r ?: start_victim(s, megabytes, reading);
	if (r)
		stall_end(s);
	return r;
}

int stall_end(struct stall *s)
{
	int r = 0;

	/* Without its server and its device the connection is gone, and all who wait go on. */
	if (s->server > 0) {
		kill(s->server, SIGKILL);
		waitpid(s->server, NULL, 0);
	}
	if (s->device >= 0)
		close(s->device);
	if (s->victim > 0) {
		kill(s->victim, SIGKILL);
		if (!ends(s->victim, 10000))
			r = -ETIMEDOUT;
	}
	if (s->dir[0]) {
		umount2(s->dir, MNT_DETACH);
		rmdir(s->dir);
	}
	if (s->waits)
		munmap(s->waits, sizeof(*s->waits));
	s->waits = NULL;
	s->server = s->victim = 0;
	s->device = -1;
	s->dir[0] = 0;
	return r;
}
