/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

/*
 * One test: a name, what was wrong first, and the figures that it was judged by. Names are one
 * word, because tests/vm wants that; the line that tests/run and tests/vm read is printed by
 * check_end().
 */
struct check {
	char name[96];
	char why[400];
	bool failed;
};

void check_begin(struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Fails the test unless good; the first reason is kept, the others are printed. Gives good. */
bool check_that(struct check *c, bool good, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Prints "ok NAME - FIGURES" or "not ok NAME - WHY; FIGURES". */
void check_end(struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void check_skip(const char *name, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Runs PROGRAM as the user UID, where this is not 0, and gives what it prints; check_stop() waits
 * for it and gives whether it ended with 0. The program is opened before the rights go: it may
 * stand in a directory that is root's alone.
 */
FILE *check_start(const char *program, uid_t uid, const char *const args[], pid_t *ret_pid);
bool check_stop(FILE *f, pid_t pid);

/*
 * Writes a file of n pages to the disk and takes it out of the page cache; p is a mapping of them
 * that nobody has touched. A page that somebody looks at, as who writes it, goes at another time:
 * that is tried for a second. False where they stay.
 */
bool check_forget(int fd, void *p, size_t n);

/* Where the hierarchy of cgroups is mounted that has the memory controller, and whether it is one
 * of version 1. False where there is none. */
bool check_cgroups(char *dir, size_t size, bool *v1);
