/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Memory whose absent pages a thread of the same process fills, by userfaultfd. */
struct slow_memory {
	int fd;
	/* Called for each fault, in that thread, before its page is there; it may wait. */
	void (*wait)(void *arg);
	void *arg;
};

/* Pages with one without access on either side, so that no neighbour merges with them, and without
 * huge ones; NULL with errno. */
char *pages_apart(size_t pages);

/* Whether there is userfaultfd; with errno. */
bool slow_memory_open(struct slow_memory *m);
/* Begins with the pages from start on. m lives as long as the process. What could not be done, with
 * errno, or NULL. */
const char *slow_memory_start(struct slow_memory *m, char *start, size_t pages);
