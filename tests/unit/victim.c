/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process with mappings of all sorts that waits to be looked at. It is linked statically: pages
 * of a shared library have other shares while the program that looks runs too.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <signal.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)

int main(int argc, char **argv)
{
	char *anon = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *shared = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int exe = open(argv[0], O_RDONLY | O_CLOEXEC), memfd = memfd_create("victim", MFD_CLOEXEC);
	volatile char *file = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE, exe, 0);
	char *mem, c;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (argc != 1 || anon == MAP_FAILED || shared == MAP_FAILED || file == MAP_FAILED ||
	    memfd < 0 || ftruncate(memfd, (off_t)MIB) < 0)
		return 1;
	mem = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	if (mem == MAP_FAILED)
		return 1;
	memset(anon, 1, 400000);
	memset(shared, 1, 300000);
	memset(mem, 1, 200000);
	c = file[0]; /* from the page cache, then copied on write */
	file[4096] = c;
	mlock(anon, 8192);
	if (write(1, "x", 1) != 1)
		return 1;
	for (;;)
		pause();
}
