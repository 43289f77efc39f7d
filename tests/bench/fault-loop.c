/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * fault-loop MIB: write faults for tests/bench/faults. For each line that it reads it maps MIB MiB
 * of private anonymous memory, writes to every page of 4 KiB and unmaps it, and prints the CPU time
 * (user and system, in ns) and the faults that getrusage() counted of that. Ends with its input.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static uint64_t ns_of(struct timeval t)
{
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_usec * 1000;
}

static uint64_t cpu_ns(const struct rusage *u)
{
	return ns_of(u->ru_utime) + ns_of(u->ru_stime);
}

/* One round of the loop; whether it could be done. */
static int pass(size_t bytes, size_t page)
{
	char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || madvise(p, bytes, MADV_NOHUGEPAGE) < 0)
		return -1;
	for (size_t i = 0; i < bytes; i += page)
		((volatile char *)p)[i] = 1;
	return munmap(p, bytes);
}

int main(int argc, char **argv)
{
	unsigned long mib = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char line[16];

	if (mib == 0 || mib > 4096) {
		fputs("usage: fault-loop MIB\n", stderr);
		return 2;
	}
	while (fgets(line, sizeof(line), stdin)) {
		struct rusage before, after;

		getrusage(RUSAGE_SELF, &before);
		if (pass(mib << 20, page) < 0) {
			perror("fault-loop");
			return 1;
		}
		getrusage(RUSAGE_SELF, &after);
		printf("%llu %ld\n", (unsigned long long)(cpu_ns(&after) - cpu_ns(&before)),
		       after.ru_minflt - before.ru_minflt);
		if (fflush(stdout))
			return 1;
	}
	return 0;
}
