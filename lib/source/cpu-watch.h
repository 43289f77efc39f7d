/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Tells when CPUs go offline and come back, while it happens: events that were opened on a CPU are
 * gone with it, and are not there again when it comes back (perf_event_exit_cpu(),
 * kernel/events/core.c). By the kernel's uevents, which no process can send (netlink(7),
 * NETLINK_KOBJECT_UEVENT); a thread sleeps until there is one.
 */
struct vmt_cpu_watch;

typedef void vmt_cpu_fn(void *arg, unsigned cpu, bool online);

/* Hears of what happens from here on. 0 or -errno. */
int vmt_cpu_watch_new(struct vmt_cpu_watch **ret);
/* Calls fn for it, in a thread of its own; also for what happened since vmt_cpu_watch_new(). */
int vmt_cpu_watch_start(struct vmt_cpu_watch *w, vmt_cpu_fn *fn, void *arg);
/* fn is not called any more. How often the kernel had more to say than there was room for: what was
 * it is not known. */
unsigned vmt_cpu_watch_stop(struct vmt_cpu_watch *w);
/* Stops it, too; NULL is fine. */
void vmt_cpu_watch_free(struct vmt_cpu_watch *w);

/* What an uevent says of a CPU; false where it is about something else. */
bool vmt_cpu_of_uevent(const char *text, size_t len, unsigned *ret_cpu, bool *ret_online);
