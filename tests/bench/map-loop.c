/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * map-loop N [--touch]: mappings for tests/bench/events. For each line that it reads it maps a page
 * N times, writes to it where that is asked for, and unmaps it, and prints the CPU time (user and
 * system, in ns) of that and N. Ends with its input.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* One round of the loop; whether it could be done. */
static int pass(unsigned long n, size_t page, int touch)
{
	for (unsigned long i = 0; i < n; i++) {
		char *p = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			       0);

		if (p == MAP_FAILED)
			return -1;
		if (touch)
			*(volatile char *)p = 1;
		if (munmap(p, page))
			return -1;
	}
	return 0;
}

static uint64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

int main(int argc, char **argv)
{
	unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	int touch = argc == 3 && !strcmp(argv[2], "--touch");
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char line[16];

	if (n == 0 || argc > 2 + touch) {
		fputs("usage: map-loop N [--touch]\n", stderr);
		return 2;
	}
	while (fgets(line, sizeof(line), stdin)) {
		uint64_t before = cpu_ns();

		if (pass(n, page, touch) < 0) {
			perror("map-loop");
			return 1;
		}
		printf("%llu %lu\n", (unsigned long long)(cpu_ns() - before), n);
		if (fflush(stdout))
			return 1;
	}
	return 0;
}
