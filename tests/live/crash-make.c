/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "crash-make.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

#define PAGE 4096ul

/* Of a function of its own, whatever the compiler thinks of it: its name is looked for. */
#ifdef __clang__
#define ALONE __attribute__((noinline, optnone))
#else
#define ALONE __attribute__((noipa))
#endif
#define WAY static ALONE void

#define SAY(member, ...) snprintf(want->member, sizeof(want->member), __VA_ARGS__)
#define SKIP(...)                                                                                  \
	do {                                                                                       \
		SAY(skip, __VA_ARGS__);                                                            \
		return;                                                                            \
	} while (0)

/* Before it all that was said stands in memory, and the compiler does not know the address. */
static inline uintptr_t said(uintptr_t at)
{
	__asm__ volatile("" : "+r"(at) : : "memory");
	return at;
}

static inline void store(uintptr_t at)
{
	*(volatile char *)said(at) = 1;
}

static inline void load(uintptr_t at)
{
	(void)*(volatile char *)said(at);
}

static void say(struct crash_want *want, const char *reason, const char *signal, uintptr_t address,
		const char *access, const char *symbol)
{
	SAY(reason, "%s", reason);
	SAY(signal, "%s", signal);
	SAY(address, "0x%lx", address);
	SAY(access, "%s", access);
	SAY(symbol, "%s", symbol);
}

static uintptr_t anonymous(size_t pages, int prot)
{
	void *p = mmap(NULL, pages * PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? 0 : (uintptr_t)p;
}

static int make_file(struct crash_want *want, const char *scratch, off_t size)
{
	char path[sizeof(want->path) - 16];
	int fd;

	snprintf(path, sizeof(path), "%s/crash-%d", scratch, (int)getpid());
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, size) < 0)
		exit(1);
	/* It stays until all is over: another file may take the place of one that is gone. */
	SAY(path, "%s", path);
	return fd;
}

static uintptr_t map_file(int fd, size_t pages, int prot, int flags, off_t offset)
{
	void *p = mmap(NULL, pages * PAGE, prot, flags, fd, offset);

	if (p == MAP_FAILED)
		exit(1);
	return (uintptr_t)p;
}

WAY null_write(struct crash_want *want, const char *scratch)
{
	say(want, "null_page", "SIGSEGV", 8, "write", __func__);
	store(8);
}

WAY null_read(struct crash_want *want, const char *scratch)
{
	say(want, "null_page", "SIGSEGV", 0x1000, "read", __func__);
	load(0x1000);
}

WAY null_call(struct crash_want *want, const char *scratch)
{
	void (*volatile nothing)(void) = NULL;

	say(want, "null_page", "SIGSEGV", 0, "exec", "-");
	(void)said(0);
	nothing();
}

WAY nothing_there(struct crash_want *want, const char *scratch)
{
	const uintptr_t at = 0x100000000000;
	void *p = mmap((void *)at, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	if (p == MAP_FAILED)
		exit(1);
	say(want, "no_mapping", "SIGSEGV", at + 16 * PAGE, "read", __func__);
	SAY(below, "%lu", 15 * PAGE);
	SAY(changed_by, "-");
	load(at + 16 * PAGE);
}

WAY used_after_unmap(struct crash_want *want, const char *scratch)
{
	uintptr_t at = anonymous(4, PROT_READ | PROT_WRITE);

	munmap((void *)at, 4 * PAGE);
	say(want, "freed", "SIGSEGV", at + PAGE + 3, "write", __func__);
	SAY(changed_by, "munmap");
	store(at + PAGE + 3);
}

WAY used_after_move(struct crash_want *want, const char *scratch)
{
	uintptr_t at = anonymous(2, PROT_READ | PROT_WRITE), to = anonymous(2, PROT_NONE);

	if (mremap((void *)at, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)to) ==
	    MAP_FAILED)
		exit(1);
	say(want, "freed", "SIGSEGV", at + PAGE, "read", __func__);
	SAY(changed_by, "mremap");
	load(at + PAGE);
}

WAY used_after_break(struct crash_want *want, const char *scratch)
{
	uintptr_t at = (uintptr_t)sbrk(64 * PAGE);

	at = (at + PAGE - 1) & ~(PAGE - 1);
	if (sbrk(-(intptr_t)(64 * PAGE)) == (void *)-1)
		exit(1);
	say(want, "freed", "SIGSEGV", at + 32 * PAGE, "write", __func__);
	SAY(changed_by, "brk");
	store(at + 32 * PAGE);
}

/* Each turn takes a page; nothing is kept of it but the stack. */
static ALONE int deeper(int turns)
{
	volatile char page[PAGE];

	page[0] = (char)turns;
	return turns ? deeper(turns - 1) + page[0] : 0;
}

static void limit_stack(struct crash_want *want)
{
	struct rlimit limit;

	getrlimit(RLIMIT_STACK, &limit);
	limit.rlim_cur = 512 * 1024;
	if (setrlimit(RLIMIT_STACK, &limit) < 0)
		exit(1);
	say(want, "stack_overflow", "SIGSEGV", 0, "", "deeper");
	want->address[0] = 0;
	SAY(stack_limit, "524288");
}

WAY endless(struct crash_want *want, const char *scratch)
{
	limit_stack(want);
	deeper(1 << 30);
}

static void on_signal(int sig)
{
	_exit(sig == SIGSEGV ? 3 : 4);
}

/* The handler needs the stack, too. */
WAY endless_with_handler(struct crash_want *want, const char *scratch)
{
	signal(SIGSEGV, on_signal);
	limit_stack(want);
	SAY(access, "-");
	deeper(1 << 30);
}

static void *thread(void *arg)
{
	deeper(1 << 30);
	return arg;
}

WAY endless_thread(struct crash_want *want, const char *scratch)
{
	pthread_attr_t attr;
	pthread_t id;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 * PAGE);
	/* One that each turn has to touch. */
	pthread_attr_setguardsize(&attr, 8 * PAGE);
	/* A probe of the compiler's for stacks reads what it writes. */
	say(want, "stack_guard", "SIGSEGV", 0, "", "deeper");
	want->address[0] = 0;
	SAY(protection, "none");
	if (pthread_create(&id, &attr, thread, NULL) == 0)
		pthread_join(id, NULL);
}

WAY no_access(struct crash_want *want, const char *scratch)
{
	uintptr_t at = anonymous(2, PROT_NONE);

	say(want, "no_access", "SIGSEGV", at + PAGE, "read", __func__);
	SAY(protection, "none");
	load(at + PAGE);
}

WAY made_read_only(struct crash_want *want, const char *scratch)
{
	uintptr_t at = anonymous(4, PROT_READ | PROT_WRITE);

	store(at + PAGE);
	mprotect((void *)(at + PAGE), PAGE, PROT_READ);
	say(want, "read_only", "SIGSEGV", at + PAGE + 1, "write", __func__);
	SAY(protection, "read");
	SAY(changed_by, "mprotect");
	store(at + PAGE + 1);
}

WAY file_read_only(struct crash_want *want, const char *scratch)
{
	int fd = make_file(want, scratch, 5 * PAGE);
	uintptr_t at = map_file(fd, 2, PROT_READ, MAP_SHARED, 3 * PAGE);

	say(want, "read_only", "SIGSEGV", at + PAGE + 5, "write", __func__);
	SAY(offset, "%lu", 4 * PAGE + 5);
	SAY(file_size, "%lu", 5 * PAGE);
	SAY(changed_by, "-");
	store(at + PAGE + 5);
}

static const char constant[] = "a constant";

WAY own_constant(struct crash_want *want, const char *scratch)
{
	ssize_t n = readlink("/proc/self/exe", want->path, sizeof(want->path) - 1);

	want->path[n < 0 ? 0 : n] = 0;
	say(want, "read_only", "SIGSEGV", (uintptr_t)constant, "write", __func__);
	store((uintptr_t)constant);
}

WAY not_executable(struct crash_want *want, const char *scratch)
{
	uintptr_t at = anonymous(1, PROT_READ | PROT_WRITE);
	void (*volatile code)(void);

	store(at);
	code = (void (*)(void))(at + 16);
	say(want, "not_executable", "SIGSEGV", at + 16, "exec", "-");
	SAY(protection, "read+write");
	(void)said(0);
	code();
}

WAY protection_key(struct crash_want *want, const char *scratch)
{
	int key = pkey_alloc(0, PKEY_DISABLE_WRITE);
	uintptr_t at = anonymous(1, PROT_READ | PROT_WRITE);

	if (key < 0)
		SKIP("no protection keys: %s", strerror(errno));
	if (pkey_mprotect((void *)at, PAGE, PROT_READ | PROT_WRITE, key) < 0)
		exit(1);
	say(want, "protection_key", "SIGSEGV", at, "write", __func__);
	SAY(protection_key, "%d", key);
	SAY(changed_by, "pkey_mprotect");
	store(at);
}

WAY guard_marker(struct crash_want *want, const char *scratch)
{
	uintptr_t at = anonymous(4, PROT_READ | PROT_WRITE);

	if (madvise((void *)(at + PAGE), PAGE, MADV_GUARD_INSTALL) < 0)
		SKIP("no guards of madvise: %s", strerror(errno));
	say(want, "guard_marker", "SIGSEGV", at + PAGE + 7, "read", __func__);
	SAY(protection, "read+write");
	SAY(changed_by, "madvise");
	load(at + PAGE + 7);
}

WAY kernel_address(struct crash_want *want, const char *scratch)
{
	say(want, "kernel_address", "SIGSEGV", 0xffff888000000010, "read", __func__);
	load(0xffff888000000010);
}

#if defined(__x86_64__)
WAY non_canonical(struct crash_want *want, const char *scratch)
{
	say(want, "non_canonical", "SIGSEGV", 0x4141414141414149, "-", __func__);
	/* By rsp or rbp it would be another exception. */
	__asm__ volatile("movb 8(%0), %%cl" : : "a"(0x4141414141414141) : "cl", "memory");
}

/* As where a return address was written over. Some processors are there already when they see it.
 */
WAY smashed_return(struct crash_want *want, const char *scratch)
{
	say(want, "non_canonical", "SIGSEGV", 0x4242424242424242, "-", "");
	__asm__ volatile("push %0\n\tret" : : "r"(0x4242424242424242) : "memory");
}

WAY privileged(struct crash_want *want, const char *scratch)
{
	say(want, "privileged", "SIGSEGV", 0, "-", __func__);
	SAY(address, "-");
	__asm__ volatile("hlt" : : : "memory");
}

WAY misaligned_vector(struct crash_want *want, const char *scratch)
{
	static char room[64] __attribute__((aligned(16)));

	say(want, "misaligned", "SIGSEGV", (uintptr_t)room + 24, "-", __func__);
	__asm__ volatile("movaps %%xmm0, 8(%0)" : : "r"(room + 16) : "memory");
}

/* With the flag AC of the processor each access has to be aligned. */
WAY misaligned_word(struct crash_want *want, const char *scratch)
{
	static char room[64] __attribute__((aligned(16)));

	say(want, "misaligned", "SIGBUS", (uintptr_t)room + 1, "-", __func__);
	__asm__ volatile("pushf\n\torl $0x40000, (%%rsp)\n\tpopf\n\tmovl $1, 1(%0)"
			 :
			 : "r"(room)
			 : "memory", "cc");
	SAY(skip, "this processor does not look at AC");
}

WAY general_protection(struct crash_want *want, const char *scratch)
{
	say(want, "general_protection", "SIGSEGV", 0, "-", __func__);
	SAY(address, "-");
	/* A gate that is the kernel's alone. */
	__asm__ volatile("int $0x81" : : : "memory");
}

WAY handler_without_stack(struct crash_want *want, const char *scratch)
{
	signal(SIGSEGV, on_signal);
	say(want, "handler_frame", "SIGSEGV", 0, "-", __func__);
	want->address[0] = 0;
	__asm__ volatile("mov $0x2000, %%rsp\n\tmovb $1, 8" : : : "memory");
}

/* What is addressed by the stack's registers raises another exception, and another signal; not by
 * QEMU. */
WAY non_canonical_stack(struct crash_want *want, const char *scratch)
{
	say(want, "non_canonical", "", 0x4141414141414141, "-", __func__);
	__asm__ volatile("mov %0, %%rsp\n\tpop %%rax" : : "r"(0x4141414141414141) : "memory");
}
#endif

/* The case of the books: 10 bytes, mapped over two pages. */
WAY beyond_end(struct crash_want *want, const char *scratch)
{
	int fd = make_file(want, scratch, 10);
	uintptr_t at = map_file(fd, 2, PROT_READ | PROT_WRITE, MAP_SHARED, 0);

	/* The rest of the page of the file's last byte is there. */
	store(at + PAGE - 1);
	say(want, "beyond_end", "SIGBUS", at + PAGE, "read", __func__);
	SAY(offset, "%lu", PAGE);
	SAY(file_size, "10");
	load(at + PAGE);
}

WAY truncated(struct crash_want *want, const char *scratch)
{
	int fd = make_file(want, scratch, 4 * PAGE);
	uintptr_t at = map_file(fd, 4, PROT_READ | PROT_WRITE, MAP_SHARED, 0);

	store(at + 3 * PAGE);
	if (ftruncate(fd, 100) < 0)
		exit(1);
	say(want, "truncated", "SIGBUS", at + 3 * PAGE, "write", __func__);
	SAY(offset, "%lu", 3 * PAGE);
	SAY(file_size, "100");
	store(at + 3 * PAGE);
}

WAY full_tmpfs(struct crash_want *want, const char *scratch)
{
	uintptr_t at;
	int fd;

	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", scratch, "tmpfs", 0, "size=1m") < 0)
		SKIP("no tmpfs of its own: %s", strerror(errno));
	fd = make_file(want, scratch, 1024 * PAGE);
	at = map_file(fd, 1024, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	say(want, "no_space", "SIGBUS", at + 256 * PAGE, "write", __func__);
	SAY(offset, "%lu", 256 * PAGE);
	for (size_t i = 0; i < 1024; i++)
		store(at + i * PAGE);
}

/* Of huge pages of 2 MiB; 1 where it is not known. */
static unsigned long pool_has(const char *name)
{
	unsigned long pages = 1;
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/hugepages-2048kB/%s", name);
	f = fopen(path, "re");
	if (!f || fscanf(f, "%lu", &pages) != 1)
		pages = 1;
	if (f)
		fclose(f);
	return pages;
}

WAY no_huge_page(struct crash_want *want, const char *scratch)
{
	const size_t size = 2 << 20;
	unsigned long pool = pool_has("nr_hugepages") + pool_has("nr_overcommit_hugepages");
	uintptr_t at;
	void *p;

	p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_NORESERVE | 21 << 26, -1, 0);
	if (p == MAP_FAILED || pool)
		SKIP("the pool has %lu pages, mmap: %s", pool, strerror(errno));
	at = (uintptr_t)p;
	say(want, "huge_pool_empty", "SIGBUS", at + 5, "write", __func__);
	/* The kernel tells of the page. */
	want->address[0] = 0;
	store(at + 5);
}

WAY asked_for(struct crash_want *want, const char *scratch)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_SIGBUS };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	uintptr_t at = anonymous(2, PROT_READ | PROT_WRITE);
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);

	if (fd < 0)
		fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	reg.range.start = at;
	reg.range.len = 2 * PAGE;
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) < 0 || ioctl(fd, UFFDIO_REGISTER, &reg) < 0)
		SKIP("no userfaultfd: %s", strerror(errno));
	say(want, "userfaultfd", "SIGBUS", at, "write", __func__);
	store(at);
}

WAY poisoned(struct crash_want *want, const char *scratch)
{
	uintptr_t at = anonymous(2, PROT_READ | PROT_WRITE);

	store(at);
	if (!getenv("CRASH_POISON"))
		SKIP("it takes a page from the machine for good");
	if (madvise((void *)at, PAGE, MADV_HWPOISON) < 0)
		SKIP("no poison: %s", strerror(errno));
	say(want, "hardware_error", "SIGBUS", at, "read", __func__);
	load(at);
}

WAY sent(struct crash_want *want, const char *scratch)
{
	say(want, "sent", "SIGSEGV", 0, "-", "-");
	SAY(address, "-");
	SAY(sender, "%d", (int)getpid());
	kill(getpid(), SIGSEGV);
}

#define CASE(name)                                                                                 \
	{                                                                                          \
#name, name                                                                        \
	}

const struct crash_case crash_cases[] = {
	CASE(null_write),
	CASE(null_read),
	CASE(null_call),
	CASE(nothing_there),
	CASE(used_after_unmap),
	CASE(used_after_move),
	CASE(used_after_break),
	CASE(endless),
	CASE(endless_with_handler),
	CASE(endless_thread),
	CASE(no_access),
	CASE(made_read_only),
	CASE(file_read_only),
	CASE(own_constant),
	CASE(not_executable),
	CASE(protection_key),
	CASE(guard_marker),
	CASE(kernel_address),
#if defined(__x86_64__)
	CASE(non_canonical),
	CASE(non_canonical_stack),
	CASE(smashed_return),
	CASE(privileged),
	CASE(misaligned_vector),
	CASE(misaligned_word),
	CASE(general_protection),
	CASE(handler_without_stack),
#endif
	CASE(beyond_end),
	CASE(truncated),
	CASE(full_tmpfs),
	CASE(no_huge_page),
	CASE(asked_for),
	CASE(poisoned),
	CASE(sent),
};
const unsigned crash_n_cases = sizeof(crash_cases) / sizeof(crash_cases[0]);

static sigjmp_buf back;

static void go_back(int sig)
{
	siglongjmp(back, sig);
}

uint64_t crash_handled(unsigned n)
{
	const struct sigaction action = { .sa_handler = go_back };
	uintptr_t at = anonymous(1, PROT_NONE);
	volatile unsigned i = 0;
	struct timespec used;

	sigaction(SIGSEGV, &action, NULL);
	sigsetjmp(back, 1);
	if (i++ < n)
		load(at);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * 1000000000 + (uint64_t)used.tv_nsec;
}
