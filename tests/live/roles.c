/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * roles VMTOP SCRATCH: what vmtop maps says that mappings are, of a process that knows what it
 * made: the segments of its own file and of the C library, stacks of threads that sleep and that
 * run, with guards, without, of its own making; code made at run time, memfd, SysV, shared
 * anonymous memory, tmpfs, huge pages, devices, files that were removed and files with names that
 * lie. By root and by nobody, with VmFlags and without.
 */

#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sched.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif
#define TMPFS_MAGIC 0x01021994
#define NOBODY	    65534
#define MIB	    ((size_t)1 << 20)

/* What a mapping is, by who made it. */
struct truth {
	char what[24];
	uint64_t at; /* an address in it */
	char role[16]; /* "-": it cannot be told */
	char deleted; /* y, n, or - where it cannot be told */
};

#define TRUTHS_MAX 64

struct report {
	struct truth truth[TRUTHS_MAX];
	size_t n;
};

/* How vmtop looks. */
struct look {
	const char *name;
	uid_t uid;
	bool flags;
};

static size_t page;
static struct report truths;
static const struct look *look;

static void note(const char *what, const void *at, const char *role, char deleted)
{
	struct truth *t = &truths.truth[truths.n];

	if (truths.n == TRUTHS_MAX)
		exit(4);
	truths.n++;
	snprintf(t->what, sizeof(t->what), "%s", what);
	snprintf(t->role, sizeof(t->role), "%s", role);
	t->at = (uint64_t)(uintptr_t)at;
	t->deleted = deleted;
}

/* A mapping with nothing beside it that it could become one with: a file is no neighbour. */
static char *map(size_t size, int prot, int flags, int fd)
{
	char *p = mmap(NULL, size + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	munmap(p, page);
	munmap(p + page + size, page);
	p = mmap(p + page, size, prot, flags | MAP_FIXED, fd, 0);
	return p == MAP_FAILED ? NULL : p;
}

#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW   (PROT_READ | PROT_WRITE)

/* Segments of our own file. */
static const char in_rodata[3 * 4096] = "constant";
static char in_data[3 * 4096] = "data";
static char in_bss[1 << 20];
static const char *const in_relro[2048] = { in_rodata, in_data };

static void note_segments(void)
{
	note("own text", (const void *)(uintptr_t)note_segments, "text", '-');
	note("own rodata", in_rodata + 4096, "rodata", '-');
	note("own data", in_data + 4096, "data", '-');
	note("own bss", in_bss + sizeof(in_bss) / 2, "bss", '-');
	note("own relro", (const void *)&in_relro[1024], "relro", '-');
	note("text of the C library", (const void *)(uintptr_t)getenv, "text", 'n');
	note("heap", (char *)sbrk(0) - 1, "heap", '-');
	note("stack", &(char){ 0 }, "stack", '-');
	note("vdso", (const void *)getauxval(AT_SYSINFO_EHDR), "vdso", '-');
}

static int ready[2];

static void *sleeps(void *arg)
{
	char c = 0;

	note("stack of a sleeper", &c, "thread-stack", '-');
	if (write(ready[1], &c, 1) != 1)
		exit(4);
	for (;;)
		pause();
	return NULL;
}

/* A thread that has nobody to tell where it is. */
static void *runs(void *arg)
{
	static volatile unsigned long turns;
	char c = 0;

	note("stack of a runner", &c, "thread-stack", '-');
	if (write(ready[1], &c, 1) != 1)
		exit(4);
	/* Not for ever, where the one who asked is gone. */
	for (turns = 0; getppid() != 1; turns++)
		;
	exit(0);
	return NULL;
}

static void *borrowed(void *arg)
{
	char c = 0;

	note("stack of its own", &c, "anon", '-');
	if (write(ready[1], &c, 1) != 1)
		exit(4);
	for (;;)
		pause();
	return NULL;
}

static void start(void *(*body)(void *arg), void *stack)
{
	pthread_attr_t attr;
	pthread_t thread;
	size_t size;
	void *at;
	char c;

	pthread_attr_init(&attr);
	if (stack)
		pthread_attr_setstack(&attr, stack, MIB);
	if (pthread_create(&thread, &attr, body, NULL) || read(ready[0], &c, 1) != 1)
		exit(4);
	pthread_attr_destroy(&attr);
	if (stack || pthread_getattr_np(thread, &attr))
		return;
	pthread_attr_getstack(&attr, &at, &size);
	note("guard of a thread", (char *)at - 1, "guard", '-');
	pthread_attr_destroy(&attr);
}

static void note_anonymous(void)
{
	char *p;

	if (pipe2(ready, O_CLOEXEC) < 0)
		exit(4);
	start(sleeps, NULL);
	start(borrowed, map(MIB, RW, ANON, -1));
	note("anonymous", map(4 * page, RW, ANON, -1), "anon", '-');
	note("code", map(page, PROT_READ | PROT_EXEC, ANON, -1), "jit", '-');
	note("writable code", map(page, RW | PROT_EXEC, ANON, -1), "jit", '-');
	p = map(4 * page, RW, ANON, -1);
	if (p && prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, p, 4 * page, "stack") == 0)
		note("named stack", p, "anon", '-');
	/* As of a stack, but nobody stands on it. */
	p = map(8 * page, RW, ANON, -1);
	if (p && mprotect(p, page, PROT_NONE) == 0) {
		note("above a guard", p + page, "anon", '-');
		note("below no stack", p, "reserved", '-');
	}
	note("address space", map(64 * MIB, PROT_NONE, ANON | MAP_NORESERVE, -1), "reserved", '-');
	p = map(4 * page, RW, ANON | MAP_GROWSDOWN, -1);
	note("grows down", p, look->flags ? "thread-stack" : "anon", '-');
	p = map(2 * MIB, RW, ANON | MAP_HUGETLB, -1);
	if (p)
		note("huge page", p, "hugetlb", '-');
	note("shared", map(page, RW, MAP_SHARED | MAP_ANONYMOUS, -1), "shared-anon", '-');
}

static int file_of_size(int fd)
{
	if (fd < 0 || ftruncate(fd, (off_t)(4 * page)) < 0)
		return -1;
	return fd;
}

static void note_shared(void)
{
	struct statfs fs;
	char name[64];
	int fd, id;
	void *p;

	fd = file_of_size(memfd_create("[heap]", MFD_CLOEXEC));
	if (fd >= 0) {
		note("memfd", map(page, RW, MAP_SHARED, fd), "memfd", '-');
		note("memfd, private", map(page, RW, MAP_PRIVATE, fd), "memfd", '-');
		note("memfd with code", map(page, PROT_READ | PROT_EXEC, MAP_SHARED, fd), "memfd",
		     '-');
	}
	id = shmget(IPC_PRIVATE, 4 * page, IPC_CREAT | 0600);
	if (id >= 0) {
		p = shmat(id, NULL, 0);
		shmctl(id, IPC_RMID, NULL);
		if (p != (void *)-1)
			note("SysV", p, "sysv", '-');
	}
	fd = (int)syscall(SYS_memfd_secret, O_CLOEXEC);
	fd = file_of_size(fd);
	if (fd >= 0 && look->uid == 0)
		note("secret", map(page, RW, MAP_SHARED, fd), "secretmem", '-');
	if (statfs("/dev/shm", &fs) == 0 && fs.f_type == TMPFS_MAGIC) {
		snprintf(name, sizeof(name), "/dev/shm/vmtop-roles-%d (deleted)", getpid());
		fd = file_of_size(open(name, O_CREAT | O_RDWR | O_CLOEXEC, 0600));
		if (fd >= 0) {
			note("tmpfs", map(page, RW, MAP_SHARED, fd), "tmpfs",
			     look->uid ? '-' : 'y');
			unlink(name);
		}
	}
}

static void note_file(const char *scratch, const char *name, bool removed, char deleted)
{
	/* Without rights for map_files nobody can look a removed file up. */
	bool lost = removed && look->uid;
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", scratch, name);
	fd = file_of_size(open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600));
	if (fd < 0)
		exit(4);
	note(name, map(page, RW, MAP_PRIVATE, fd), lost && !look->flags ? "-" : "file",
	     lost ? '-' : deleted);
	if (removed)
		unlink(path);
}

/* A tmpfs that nobody else has, as in a container, and a file there that is called as one of the
 * kernel's. In a process with threads this is for the caller alone, which is the first. */
static void note_container(const char *scratch)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "%s/tmpfs", scratch);
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mkdir(path, 0700) < 0 || mount("none", path, "tmpfs", 0, NULL) < 0)
		return;
	snprintf(path, sizeof(path), "%s/tmpfs/memfd:x", scratch);
	fd = file_of_size(open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600));
	if (fd >= 0)
		note("tmpfs of its own", map(page, RW, MAP_SHARED, fd), "tmpfs", 'n');
}

static void note_files(const char *scratch)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	note("a look at headers", map(page, PROT_READ, MAP_PRIVATE, fd), "file", '-');
	note_file(scratch, "plain", false, 'n');
	note_file(scratch, "[heap]", false, 'n');
	note_file(scratch, "SYSV00000000 (deleted)", false, 'n');
	note_file(scratch, "removed", true, 'y');
	fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
	if (fd >= 0)
		note("/dev/zero", map(page, RW, MAP_PRIVATE, fd), "anon", '-');
	fd = open("/dev/mem", O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		void *p = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, 0xf0000);

		if (p != MAP_FAILED)
			note("/dev/mem", p, "device", '-');
	}
}

static void *volatile keep;

static int workload(const char *scratch, int up)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* That there is a heap, kept from the compiler. */
	keep = malloc(100);
	in_bss[sizeof(in_bss) / 2] = in_data[4096] = 1;
	note_segments();
	note_anonymous();
	note_shared();
	note_files(scratch);
	if (look->uid == 0)
		note_container(scratch);
	start(runs, NULL);
	if (write(up, &truths, sizeof(truths)) != sizeof(truths))
		return 4;
	for (;;)
		pause();
}

struct row {
	uint64_t start;
	uint64_t end;
	char role[24];
	char deleted;
};

/* "start,end,role,deleted[,...]" */
static bool take_row(const char *line, struct row *r)
{
	char deleted[8] = "";
	char *at;

	r->start = strtoull(line, &at, 16);
	if (*at != ',')
		return false;
	r->end = strtoull(at + 1, &at, 16);
	if (*at != ',' || r->end <= r->start)
		return false;
	at++;
	snprintf(r->role, sizeof(r->role), "%.*s", (int)strcspn(at, ","), at);
	at += strcspn(at, ",");
	if (*at == ',')
		snprintf(deleted, sizeof(deleted), "%.*s", (int)strcspn(at + 1, ",\n"), at + 1);
	r->deleted = deleted[0] ? deleted[0] == 'y' ? 'y' : 'n' : '-';
	return true;
}

#define ROWS_MAX 1024

static size_t read_rows(const char *vmtop, pid_t pid, struct row *rows, bool *ret_ok)
{
	char line[4400], number[16];
	const char *args[] = { "vmtop", "maps", number, "--csv", "-o", NULL, NULL };
	size_t n = 0;
	pid_t child;
	FILE *f;

	snprintf(number, sizeof(number), "%d", pid);
	args[5] = look->flags ? "start,end,role,deleted,vm_flags" : "start,end,role,deleted";
	f = check_start(vmtop, look->uid, args, &child);
	while (fgets(line, sizeof(line), f))
		if (n < ROWS_MAX && take_row(line, &rows[n]))
			n++;
	*ret_ok = check_stop(f, child);
	return n;
}

static const struct row *find(const struct row *rows, size_t n, uint64_t at)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (at >= rows[i].start && at < rows[i].end)
			return &rows[i];
	return NULL;
}

static void compare(struct check *c, const struct report *r, const struct row *rows, size_t n)
{
	size_t i;

	for (i = 0; i < r->n; i++) {
		const struct truth *t = &r->truth[i];
		const struct row *row = find(rows, n, t->at);
		const char *role = strcmp(t->role, "-") == 0 ? "" : t->role;

		if (!check_that(c, t->at && row, "%s (%llx) is not there", t->what,
				(unsigned long long)t->at))
			continue;
		check_that(c, strcmp(row->role, role) == 0, "%s (%llx) is '%s', not '%s'", t->what,
			   (unsigned long long)t->at, row->role, role);
		if (t->deleted != '-' || (look->uid && strcmp(t->what, "removed") == 0))
			check_that(c, row->deleted == t->deleted, "%s: deleted is %c, not %c",
				   t->what, row->deleted, t->deleted);
	}
}

/* This program, once more: the tree may stand in a directory that is root's alone. */
static bool copy_self(const char *path)
{
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	char block[65536];
	ssize_t n = 0;

	while (from >= 0 && to >= 0 && (n = read(from, block, sizeof(block))) > 0)
		if (write(to, block, (size_t)n) != n)
			n = -1;
	if (from >= 0)
		close(from);
	return from >= 0 && to >= 0 && close(to) == 0 && n == 0;
}

static void judge(const char *vmtop, const char *scratch)
{
	static struct row rows[ROWS_MAX];
	struct report r = { .n = 0 };
	size_t n, i, without = 0;
	char folder[200], path[256], self[256], number[8];
	struct check c;
	int up[2];
	pid_t pid;
	bool ok;

	check_begin(&c, "roles/%s", look->name);
	snprintf(folder, sizeof(folder), "%s/roles-XXXXXX", scratch);
	if (!mkdtemp(folder) || (look->uid && chown(folder, look->uid, look->uid) < 0) ||
	    pipe(up) < 0)
		exit(3);
	snprintf(self, sizeof(self), "%s/roles", folder);
	if (!copy_self(self))
		exit(3);
	pid = fork();
	if (!pid) {
		snprintf(number, sizeof(number), "%d", up[1]);
		if (look->uid && (setgid(look->uid) < 0 || setuid(look->uid) < 0))
			_exit(126);
		execl(self, "roles", "--workload", folder, number, look->name, NULL);
		_exit(127);
	}
	close(up[1]);
	if (read(up[0], &r, sizeof(r)) != sizeof(r)) {
		check_that(&c, false, "the workload did not come up");
		n = 0;
	} else {
		n = read_rows(vmtop, pid, rows, &ok);
		check_that(&c, ok, "vmtop maps failed");
		check_that(&c, r.n > 30, "only %zu mappings could be made", r.n);
		compare(&c, &r, rows, n);
	}
	for (i = 0; i < n; i++)
		without += rows[i].role[0] == 0;
	check_that(&c, look->uid || !without, "%zu mappings have no role", without);
	check_end(&c, "%zu mappings, %zu known", n, r.n);
	close(up[0]);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	for (i = 0; i < 3; i++) {
		static const char *const left[] = { "plain", "[heap]", "SYSV00000000 (deleted)" };

		snprintf(path, sizeof(path), "%s/%s", folder, left[i]);
		unlink(path);
	}
	unlink(self);
	snprintf(path, sizeof(path), "%s/tmpfs", folder);
	rmdir(path);
	rmdir(folder);
}

/* The number of huge pages of the default size, or -1 where there is no such thing. */
static int get_huge_pages(void)
{
	FILE *f = fopen("/proc/sys/vm/nr_hugepages", "re");
	int n = -1;

	if (!f || fscanf(f, "%d", &n) != 1)
		n = -1;
	if (f)
		fclose(f);
	return n;
}

static void set_huge_pages(int n)
{
	FILE *f = fopen("/proc/sys/vm/nr_hugepages", "we");

	if (!f)
		return;
	fprintf(f, "%d", n);
	fclose(f);
}

int main(int argc, char **argv)
{
	static const struct look looks[] = {
		{ "root", 0, false },
		{ "root-flags", 0, true },
		{ "nobody", NOBODY, false },
		{ "nobody-flags", NOBODY, true },
	};
	int pages;
	size_t i;

	page = (size_t)sysconf(_SC_PAGESIZE);
	if (argc == 5 && strcmp(argv[1], "--workload") == 0) {
		for (i = 0; i < 4; i++)
			if (strcmp(argv[4], looks[i].name) == 0)
				look = &looks[i];
		return look ? workload(argv[2], atoi(argv[3])) : 2;
	}
	if (argc != 3) {
		fprintf(stderr, "usage: roles VMTOP SCRATCH\n");
		return 2;
	}
	/* One huge page, where this kernel has some to give and nobody else asked for any. */
	pages = get_huge_pages();
	if (pages == 0)
		set_huge_pages(1);
	for (i = 0; i < 4; i++) {
		look = &looks[i];
		if (look->uid && access("/proc/self/map_files", X_OK) == 0 && geteuid() != 0)
			check_skip(look->name, "only root can become nobody");
		else
			judge(argv[1], argv[2]);
	}
	if (pages == 0)
		set_huge_pages(0);
	return 0;
}
