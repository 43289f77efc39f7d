/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loaded into vmtop by LD_PRELOAD: before the first write to stdout, which comes when all is read,
 * the program makes the system call that VMTOP_CALL names, and says on stderr what came of it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static long call(const char *name)
{
	char *argv[] = { (char[]){ "true" }, NULL };
	union bpf_attr attr = { 0 };
	struct iovec iov = { &attr, 1 };
	void *p;

	if (!strcmp(name, "socket"))
		return socket(AF_INET, SOCK_STREAM, 0);
	if (!strcmp(name, "socketpair")) {
		int pair[2];

		return socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	}
	if (!strcmp(name, "execve"))
		return execv("/bin/true", argv);
	if (!strcmp(name, "fork")) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		return pid < 0 ? pid : waitpid(pid, NULL, 0);
	}
	if (!strcmp(name, "ptrace"))
		return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	if (!strcmp(name, "kill"))
		return kill(getppid(), SIGCONT);
	if (!strcmp(name, "process_vm_readv"))
		return process_vm_readv(getppid(), &iov, 1, &iov, 1, 0);
	if (!strcmp(name, "mount"))
		return mount(NULL, "/nowhere", NULL, MS_REMOUNT, NULL);
	if (!strcmp(name, "bpf-load"))
		return syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (!strcmp(name, "open-write"))
		return open("/dev/null", O_WRONLY);
	if (!strcmp(name, "open-create"))
		return open("/nowhere/file", O_RDONLY | O_CREAT, 0600);
	if (!strcmp(name, "rename"))
		return rename("/nowhere/a", "/nowhere/b");
	if (!strcmp(name, "unlink"))
		return unlink("/nowhere/a");
	if (!strcmp(name, "chmod"))
		return syscall(SYS_fchmodat, AT_FDCWD, "/nowhere/a", 0600);
	if (!strcmp(name, "ioctl-type"))
		return ioctl(STDERR_FILENO, TIOCSTI, "x");
	if (!strcmp(name, "mmap-exec")) {
		p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		return p == MAP_FAILED ? -1 : 0;
	}
	/* Not forbidden; refused so that the program does without. */
	if (!strcmp(name, "openat2"))
		return syscall(SYS_openat2, AT_FDCWD, "/", &attr, sizeof(attr));
	if (!strcmp(name, "read-only"))
		return open("/dev/null", O_RDONLY);
	abort();
}

static void *call_in_thread(void *name)
{
	return call(name) < 0 ? name : NULL;
}

ssize_t write(int fd, const void *from, size_t n)
{
	static ssize_t (*next)(int fd, const void *from, size_t n);
	static bool done;
	const char *name = getenv("VMTOP_CALL"), *in_thread = getenv("VMTOP_CALL_THREAD");

	if (!next)
		next = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
	if (fd == STDOUT_FILENO && name && !done) {
		done = true;
		if (in_thread) {
			pthread_t thread;

			if (pthread_create(&thread, NULL, call_in_thread, (void *)(uintptr_t)name))
				abort();
			pthread_join(thread, NULL);
		} else {
			errno = 0;
			call(name);
			dprintf(STDERR_FILENO, "made %s: %s\n", name, strerrorname_np(errno));
		}
	}
	return next(fd, from, n);
}
