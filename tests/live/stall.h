/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/*
 * A process whose address space nobody can look at: it holds its mmap lock for writing while it
 * waits for a file system that does not answer. The file system is one of FUSE, with one file; it
 * never comes back from a write. All of it is made without privileges but that of mounting.
 */
struct stall {
	char dir[128]; /* where it is mounted; empty while it is not */
	int device; /* /dev/fuse; nothing else keeps the connection */
	pid_t server;
	pid_t victim;
	char why[160];
};

/*
 * Mounts below parent, which has to exist, in a mount namespace of the caller's own, and starts
 * both processes. The victim has megabytes of memory of its own. With reading it holds its lock
 * for reading, and a process that shares its memory waits to write. 0 once it is stuck, -errno and
 * why otherwise.
 */
int stall_start(struct stall *s, const char *parent, size_t megabytes, bool reading);
/* Ends all of it. 0, or -ETIMEDOUT when a process is stuck for good. */
int stall_end(struct stall *s);

/* Whether reading /proc/PID/NAME does not end within the time. */
bool stall_blocks(pid_t pid, const char *name, unsigned milliseconds);
/* The state of a process as /proc/PID/stat has it, which never blocks; 0 where there is none. */
char stall_state(pid_t pid);
