/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * odd-kernel PAGES [ADDRESS [stay]]: a child writes to so many fresh pages, at ADDRESS
 * (hexadecimal) where there is one, has them taken to swap, reads them again, and ends. Prints its
 * number and what wait4() says of it: PID MINOR MAJOR. For odd-kernel.sh, which asks vmtop about
 * the same life. With "stay" the child does not end, but stands still, until somebody ends it. Ends
 * with 77 where the kernel has no such address.
 */

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE   4096ul
#define CANNOT 77

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

/* Without swap, this does nothing. */
static void out(volatile char *p, size_t pages)
{
	(void)madvise((void *)(uintptr_t)p, pages * PAGE, MADV_PAGEOUT);
}

static int touch(size_t pages, void *at, bool stay)
{
	volatile char *p =
		mmap(at, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return 1;
	/* An address above 47 bits is a hint: without it there are none. */
	if (at && (void *)(size_t)p != at)
		return CANNOT;
	for (size_t i = 0; i < pages; i++)
		p[i * PAGE] = 1;
	/* Where there is swap, they go there, and come back. */
	out(p, pages);
	for (size_t i = 0; i < pages; i++)
		(void)p[i * PAGE];
	if (stay) {
		out(p, pages);
		raise(SIGSTOP);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct rusage usage = { 0 };
	bool stay = argc == 4;
	int status;
	pid_t pid;

	if (argc < 2 || argc > 4) {
		fprintf(stderr, "usage: odd-kernel PAGES [ADDRESS [stay]]\n");
		return 2;
	}
	/* Huge pages would make the number of faults a matter of luck; the child inherits it. */
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	pid = fork();
	if (!pid)
		_exit(touch(strtoul(argv[1], NULL, 10),
			    argc > 2 ? (void *)strtoul(argv[2], NULL, 16) : NULL, stay));
	if (pid < 0 || wait4(pid, &status, stay ? WUNTRACED : 0, &usage) != pid ||
	    WIFSIGNALED(status))
		return 3;
	printf("%d %ld %ld\n", (int)pid, usage.ru_minflt, usage.ru_majflt);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}
