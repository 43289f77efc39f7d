/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
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
	struct stall_waits *waits; /* of stall_slow() */
	char why[160];
};

/*
 * Mounts below parent, which has to exist, in a mount namespace of the caller's own, and starts
 * both processes. The victim has megabytes of memory of its own. With reading it holds its lock
 * for reading, and a process that shares its memory waits to write. 0 once it is stuck, -errno and
 * why otherwise.
 */
int stall_start(struct stall *s, const char *parent, size_t megabytes, bool reading);
/*
 * The same file system without a victim: each read of DIR/file, STALL_SLOW_SIZE bytes, is answered
 * after the time, and writes never.
 */
int stall_slow(struct stall *s, const char *parent, unsigned microseconds);
#define STALL_SLOW_SIZE 65536u
/* How long each read was in the server, in ns: at most n of them, and how many there were. */
size_t stall_waited(const struct stall *s, uint64_t *ret, size_t n);

/* Waits so long, and not a timer's slack longer; the end of it is spent looking at the clock. */
void stall_pause(unsigned microseconds);

/* Ends all of it. 0, or -ETIMEDOUT when a process is stuck for good. */
int stall_end(struct stall *s);

/* Whether reading /proc/PID/NAME does not end within the time. */
bool stall_blocks(pid_t pid, const char *name, unsigned milliseconds);
/* The state of a process as /proc/PID/stat has it, which never blocks; 0 where there is none. */
char stall_state(pid_t pid);
