/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

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
