/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What a thread does that is known, for the self-check of events. For probe-events.c alone. */

#include <stdbool.h>
#include <stddef.h>

/* A SIGBUS of its own, which it has blocked, and takes back: no handler runs. */
bool vmt_event_check_signal(void);
/* n times three pages, which are mapped and unmapped, and a munmap that is refused. page in bytes.
 */
bool vmt_event_check_maps(size_t page, unsigned n);
