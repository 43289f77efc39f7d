/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loaded into vmtop by LD_PRELOAD: the Nth call of one kind fails, and all others go on as ever.
 * VMTOP_FAIL is "FD KIND NTH HOW": FD is a file of struct fail_log below, which is shared with what
 * vmtop forks, and is closed once it is mapped; NTH counts from 1, and 0 fails nothing; HOW is a
 * number of errno, or "short", by which one read gets a single byte.
 *
 * "ask" are calls that ask about something or say how it is to be read: fcntl(), mincore(), what
 * syscall() is for.
 * "libbpf" are calls of that library which can fail before one to the kernel is made, or after; it
 * says how as it does itself, by a negative result or by NULL and errno. "event" are those that
 * make sockets and the like.
 *
 * Calls are counted where the program itself makes them, not those of libraries for themselves; but
 * bpf() and perf_event_open() wherever they come from, as libbpf makes those. Each call leaves in
 * the log a sum over the addresses that it came from: the same sum is the same way through the
 * program, so that a test need not try what it has tried.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOG_CALLS 65536
#define FRAMES	  24

/* tests/failing.py reads it. */
struct fail_log {
	atomic_uint calls;
	atomic_uint failed;
	/* That were open when the program ended; 0 where it did not come so far. */
	atomic_uint files;
	uint32_t unused;
	_Atomic uint64_t ways[LOG_CALLS];
};

enum kind {
	KIND_NONE,
	KIND_OPEN,
	KIND_READ,
	KIND_LINK,
	KIND_DIR,
	KIND_STAT,
	KIND_MAP,
	KIND_IOCTL,
	KIND_THREAD,
	KIND_ALLOC,
	KIND_BPF,
	KIND_PERF,
	KIND_ASK,
	KIND_LIBBPF,
	KIND_EVENT,
};

static const char *const kind_names[] = {
	[KIND_OPEN] = "open",	  [KIND_READ] = "read",	    [KIND_LINK] = "link",
	[KIND_DIR] = "dir",	  [KIND_STAT] = "stat",	    [KIND_MAP] = "map",
	[KIND_IOCTL] = "ioctl",	  [KIND_THREAD] = "thread", [KIND_ALLOC] = "alloc",
	[KIND_BPF] = "bpf",	  [KIND_PERF] = "perf",	    [KIND_ASK] = "ask",
	[KIND_LIBBPF] = "libbpf", [KIND_EVENT] = "event",
};

static enum kind kind; /* KIND_NONE before it began, and in other programs */
static unsigned nth;
static int error; /* 0: a short read */
static struct fail_log *log_;
static uintptr_t text_start, text_end;
/* What counts a call calls others. */
static _Thread_local bool inside;

static int find_text(struct dl_phdr_info *info, size_t size, void *unused)
{
	(void)size;
	(void)unused;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		if (p->p_type != PT_LOAD || !(p->p_flags & PF_X))
			continue;
		text_start = info->dlpi_addr + p->p_vaddr;
		text_end = text_start + p->p_memsz;
	}
	return 1; /* the program is the first */
}

static bool is_own(const void *address)
{
	return (uintptr_t)address >= text_start && (uintptr_t)address < text_end;
}

static uint64_t way_here(void)
{
	void *frames[FRAMES];
	int n = backtrace(frames, FRAMES);
	uint64_t sum = 14695981039346656037u;

	for (int i = 0; i < n; i++) {
		if (!is_own(frames[i]))
			continue;
		sum = (sum ^ ((uintptr_t)frames[i] - text_start)) * 1099511628211u;
	}
	return sum;
}

/* Counts a call, and returns whether it is the one. */
static bool is_it(enum kind k, const void *caller)
{
	unsigned n;

	if (k != kind || inside)
		return false;
	if (k != KIND_BPF && k != KIND_PERF && !is_own(caller))
		return false;
	inside = true;
	n = atomic_fetch_add(&log_->calls, 1);
	if (n < LOG_CALLS && (nth == 0 || n + 1 == nth))
		atomic_store(&log_->ways[n], way_here());
	inside = false;
	if (n + 1 != nth)
		return false;
	atomic_fetch_add(&log_->failed, 1);
	return true;
}

static bool fails(enum kind k, const void *caller)
{
	if (!is_it(k, caller))
		return false;
	errno = error;
	return true;
}

#define FAILS(k) fails(k, __builtin_return_address(0))

/* The next of that name, of the C library or a sanitizer. */
#define REAL(name) ((typeof(&name))real(#name))

static void *real(const char *name)
{
	bool was = inside;
	void *found;

	inside = true;
	found = dlsym(RTLD_NEXT, name);
	inside = was;
	if (!found)
		abort();
	return found;
}

__attribute__((constructor)) static void begin(void)
{
	const char *env = getenv("VMTOP_FAIL");
	char name[16], how[16];
	void *frame[1];
	int fd;

	if (!env || strcmp(program_invocation_short_name, "vmtop") != 0 ||
	    sscanf(env, "%d %15s %u %15s", &fd, name, &nth, how) != 4)
		return;
	log_ = mmap(NULL, sizeof(*log_), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (log_ == MAP_FAILED)
		abort();
	close(fd);
	dl_iterate_phdr(find_text, NULL);
	backtrace(frame, 1); /* the first time it loads a library */
	error = atoi(how);
	for (size_t k = 1; k < sizeof(kind_names) / sizeof(kind_names[0]); k++)
		if (strcmp(name, kind_names[k]) == 0)
			kind = (enum kind)k;
}

__attribute__((destructor)) static void end(void)
{
	unsigned files = 0;
	struct stat st;

	if (!log_)
		return;
	kind = KIND_NONE;
	for (int fd = 0; fd < 4096; fd++)
		files += fstat(fd, &st) == 0;
	atomic_store(&log_->files, files);
}

/* vmtop opens all that it looks at by this one, as the C library has no openat2(). */
long syscall(long number, ...);
long syscall(long number, ...)
{
	const void *caller = __builtin_return_address(0);
	enum kind k = KIND_NONE;
	long args[6];
	va_list list;

	va_start(list, number);
	for (size_t i = 0; i < 6; i++)
		args[i] = va_arg(list, long);
	va_end(list);
	if (number == SYS_openat || number == SYS_openat2)
		k = KIND_OPEN;
	else if (number == SYS_bpf)
		k = KIND_BPF;
	else if (number == SYS_perf_event_open)
		k = KIND_PERF;
	else
		k = KIND_ASK;
	if (k && fails(k, caller))
		return -1;
	return REAL(syscall)(number, args[0], args[1], args[2], args[3], args[4], args[5]);
}

/* By another name, as their own take the mode as they like. */
int fail_openat(int dir_fd, const char *path, int flags, mode_t mode) __asm__("openat64");
int fail_openat(int dir_fd, const char *path, int flags, mode_t mode)
{
	typedef int (*fn)(int, const char *, int, mode_t);

	return FAILS(KIND_OPEN) ? -1 : ((fn)real("openat64"))(dir_fd, path, flags, mode);
}

int __openat64_2(int dir_fd, const char *path, int flags);
int __openat64_2(int dir_fd, const char *path, int flags)
{
	return FAILS(KIND_OPEN) ? -1 : REAL(__openat64_2)(dir_fd, path, flags);
}

int fail_open(const char *path, int flags, mode_t mode) __asm__("open64");
int fail_open(const char *path, int flags, mode_t mode)
{
	typedef int (*fn)(const char *, int, mode_t);

	return FAILS(KIND_OPEN) ? -1 : ((fn)real("open64"))(path, flags, mode);
}

int __open64_2(const char *path, int flags);
int __open64_2(const char *path, int flags)
{
	return FAILS(KIND_OPEN) ? -1 : REAL(__open64_2)(path, flags);
}

ssize_t read(int fd, void *to, size_t n);
ssize_t read(int fd, void *to, size_t n)
{
	if (is_it(KIND_READ, __builtin_return_address(0))) {
		errno = error;
		if (error)
			return -1;
		n = n ? 1 : 0;
	}
	return REAL(read)(fd, to, n);
}

ssize_t pread64(int fd, void *to, size_t n, off64_t offset);
ssize_t pread64(int fd, void *to, size_t n, off64_t offset)
{
	if (is_it(KIND_READ, __builtin_return_address(0))) {
		errno = error;
		if (error)
			return -1;
		n = n ? 1 : 0;
	}
	return REAL(pread64)(fd, to, n, offset);
}

ssize_t readlinkat(int dir_fd, const char *path, char *to, size_t n);
ssize_t readlinkat(int dir_fd, const char *path, char *to, size_t n)
{
	return FAILS(KIND_LINK) ? -1 : REAL(readlinkat)(dir_fd, path, to, n);
}

ssize_t readlink(const char *path, char *to, size_t n);
ssize_t readlink(const char *path, char *to, size_t n)
{
	return FAILS(KIND_LINK) ? -1 : REAL(readlink)(path, to, n);
}

DIR *fdopendir(int fd);
DIR *fdopendir(int fd)
{
	return FAILS(KIND_DIR) ? NULL : REAL(fdopendir)(fd);
}

struct dirent64 *readdir64(DIR *dir);
struct dirent64 *readdir64(DIR *dir)
{
	return FAILS(KIND_DIR) ? NULL : REAL(readdir64)(dir);
}

int fstat64(int fd, struct stat64 *st);
int fstat64(int fd, struct stat64 *st)
{
	return FAILS(KIND_STAT) ? -1 : REAL(fstat64)(fd, st);
}

int fstatat64(int fd, const char *path, struct stat64 *st, int flags);
int fstatat64(int fd, const char *path, struct stat64 *st, int flags)
{
	return FAILS(KIND_STAT) ? -1 : REAL(fstatat64)(fd, path, st, flags);
}

int fstatfs64(int fd, struct statfs64 *st);
int fstatfs64(int fd, struct statfs64 *st)
{
	return FAILS(KIND_STAT) ? -1 : REAL(fstatfs64)(fd, st);
}

int statx(int fd, const char *path, int flags, unsigned mask, struct statx *st);
int statx(int fd, const char *path, int flags, unsigned mask, struct statx *st)
{
	return FAILS(KIND_STAT) ? -1 : REAL(statx)(fd, path, flags, mask, st);
}

void *mmap64(void *at, size_t n, int prot, int flags, int fd, off64_t offset);
void *mmap64(void *at, size_t n, int prot, int flags, int fd, off64_t offset)
{
	return FAILS(KIND_MAP) ? MAP_FAILED : REAL(mmap64)(at, n, prot, flags, fd, offset);
}

int mincore(void *at, size_t n, unsigned char *to);
int mincore(void *at, size_t n, unsigned char *to)
{
	return FAILS(KIND_ASK) ? -1 : REAL(mincore)(at, n, to);
}

int memfd_create(const char *name, unsigned flags);
int memfd_create(const char *name, unsigned flags)
{
	return FAILS(KIND_ASK) ? -1 : REAL(memfd_create)(name, flags);
}

/* The third argument is a number or an address. */
int fail_fcntl(int fd, int what, long arg) __asm__("fcntl64");
int fail_fcntl(int fd, int what, long arg)
{
	typedef int (*fn)(int, int, long);

	return FAILS(KIND_ASK) ? -1 : ((fn)real("fcntl64"))(fd, what, arg);
}

int ioctl(int fd, unsigned long request, ...);
int ioctl(int fd, unsigned long request, ...)
{
	const void *caller = __builtin_return_address(0);
	va_list list;
	void *arg;

	va_start(list, request);
	arg = va_arg(list, void *);
	va_end(list);
	return fails(KIND_IOCTL, caller) ? -1 : REAL(ioctl)(fd, request, arg);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg);
int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
	if (is_it(KIND_THREAD, __builtin_return_address(0)))
		return error;
	return REAL(pthread_create)(thread, attr, fn, arg);
}

int socket(int domain, int type, int protocol)
{
	return FAILS(KIND_EVENT) ? -1 : REAL(socket)(domain, type, protocol);
}

int bind(int fd, const struct sockaddr *address, socklen_t n)
{
	return FAILS(KIND_EVENT) ? -1 : REAL(bind)(fd, address, n);
}

int eventfd(unsigned count, int flags)
{
	return FAILS(KIND_EVENT) ? -1 : REAL(eventfd)(count, flags);
}

int pipe2(int fds[2], int flags);
int pipe2(int fds[2], int flags)
{
	return FAILS(KIND_EVENT) ? -1 : REAL(pipe2)(fds, flags);
}

/* Objects of libbpf are pointers here: it need not be there. */
#define LIBBPF_INT(name, parameters, ...)                                                          \
	int name parameters;                                                                       \
	int name parameters                                                                        \
	{                                                                                          \
		return FAILS(KIND_LIBBPF) ? -error : REAL(name)(__VA_ARGS__);                      \
	}
#define LIBBPF_PTR(name, parameters, ...)                                                          \
	void *name parameters;                                                                     \
	void *name parameters                                                                      \
	{                                                                                          \
		return FAILS(KIND_LIBBPF) ? NULL : REAL(name)(__VA_ARGS__);                        \
	}
LIBBPF_INT(bpf_object__open_skeleton, (void *skeleton, const void *opts), skeleton, opts)
LIBBPF_INT(bpf_object__load_skeleton, (void *skeleton), skeleton)
LIBBPF_INT(bpf_map__set_max_entries, (void *map, uint32_t n), map, n)
LIBBPF_INT(bpf_map__set_value_size, (void *map, uint32_t n), map, n)
LIBBPF_INT(bpf_map__set_autocreate, (void *map, bool is), map, is)
LIBBPF_INT(bpf_map__set_type, (void *map, int type), map, type)
LIBBPF_INT(bpf_map__reuse_fd, (void *map, int fd), map, fd)
LIBBPF_INT(bpf_program__set_log_buf, (void *prog, char *log, size_t n), prog, log, n)
LIBBPF_INT(btf__find_by_name_kind, (const void *btf, const char *name, uint32_t type), btf, name,
	   type)
LIBBPF_PTR(ring_buffer__new, (int fd, void *fn, void *arg, const void *opts), fd, fn, arg, opts)
LIBBPF_PTR(btf__load_vmlinux_btf, (void))
LIBBPF_PTR(bpf_program__attach, (const void *prog), prog)
LIBBPF_PTR(bpf_program__attach_trace, (const void *prog), prog)
LIBBPF_PTR(bpf_program__attach_iter, (const void *prog, const void *opts), prog, opts)
LIBBPF_PTR(bpf_program__attach_perf_event, (const void *prog, int fd), prog, fd)

/*
 * Allocations: dlsym() may make some before the first of them is found, and those get room of their
 * own, which nobody gives back.
 */
static struct {
	atomic_bool looking;
	void *(*malloc)(size_t n);
	void *(*calloc)(size_t n, size_t size);
	void *(*realloc)(void *p, size_t n);
	void *(*reallocarray)(void *p, size_t n, size_t size);
	void (*free)(void *p);
	atomic_size_t used;
	_Alignas(16) char room[16384];
} heap;

static bool heap_is_found(void)
{
	if (heap.free)
		return true;
	if (atomic_exchange(&heap.looking, true))
		return false;
	heap.malloc = real("malloc");
	heap.calloc = real("calloc");
	heap.realloc = real("realloc");
	heap.reallocarray = real("reallocarray");
	heap.free = real("free");
	return true;
}

static void *early(size_t n)
{
	size_t at = atomic_fetch_add(&heap.used, (n + 15) & ~(size_t)15);

	if (at + n > sizeof(heap.room))
		abort();
	return heap.room + at;
}

static bool is_early(const void *p)
{
	return (const char *)p >= heap.room && (const char *)p < heap.room + sizeof(heap.room);
}

void *malloc(size_t n)
{
	const void *caller = __builtin_return_address(0);

	if (!heap_is_found())
		return early(n);
	return fails(KIND_ALLOC, caller) ? NULL : heap.malloc(n);
}

void *calloc(size_t n, size_t size)
{
	const void *caller = __builtin_return_address(0);

	if (!heap_is_found())
		return early(n * size);
	return fails(KIND_ALLOC, caller) ? NULL : heap.calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	const void *caller = __builtin_return_address(0);

	if (!heap_is_found() || is_early(p))
		abort();
	return fails(KIND_ALLOC, caller) ? NULL : heap.realloc(p, n);
}

void *reallocarray(void *p, size_t n, size_t size)
{
	const void *caller = __builtin_return_address(0);

	if (!heap_is_found() || is_early(p))
		abort();
	return fails(KIND_ALLOC, caller) ? NULL : heap.reallocarray(p, n, size);
}

void free(void *p)
{
	if (p && !is_early(p) && heap_is_found())
		heap.free(p);
}

char *strdup(const char *s)
{
	return FAILS(KIND_ALLOC) ? NULL : REAL(strdup)(s);
}

char *strndup(const char *s, size_t n)
{
	return FAILS(KIND_ALLOC) ? NULL : REAL(strndup)(s, n);
}
