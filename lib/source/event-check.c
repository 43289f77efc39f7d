/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/event-check.h"

#include <signal.h>
#include <sys/mman.h>
#include <time.h>

bool vmt_event_check_signal(void)
{
	const struct timespec now = { 0 };
	sigset_t bus, old;
	bool good;

	sigemptyset(&bus);
	sigaddset(&bus, SIGBUS);
	if (pthread_sigmask(SIG_BLOCK, &bus, &old))
		return false;
	good = raise(SIGBUS) == 0 && sigtimedwait(&bus, NULL, &now) == SIGBUS;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return good;
}

bool vmt_event_check_maps(size_t page, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		void *at = mmap(NULL, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (at == MAP_FAILED || munmap(at, 3 * page))
			return false;
	}
	/* The kernel refuses a range that begins within a page. */
	(void)munmap((void *)1, page);
	return true;
}
