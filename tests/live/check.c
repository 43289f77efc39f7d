/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void check_begin(struct check *c, const char *fmt, ...)
{
	va_list args;

	memset(c, 0, sizeof(*c));
	va_start(args, fmt);
	vsnprintf(c->name, sizeof(c->name), fmt, args);
	va_end(args);
}

bool check_that(struct check *c, bool good, const char *fmt, ...)
{
	char why[sizeof(c->why)];
	va_list args;

	if (good)
		return true;
	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	printf("# %s: %s\n", c->name, why);
	if (!c->failed)
		memcpy(c->why, why, sizeof(why));
	c->failed = true;
	return false;
}

void check_end(struct check *c, const char *fmt, ...)
{
	char figures[600];
	va_list args;

	va_start(args, fmt);
	vsnprintf(figures, sizeof(figures), fmt, args);
	va_end(args);
	if (c->failed)
		printf("not ok %s - %s%s%s\n", c->name, c->why, *figures ? "; " : "", figures);
	else
		printf("ok %s%s%s\n", c->name, *figures ? " - " : "", figures);
	fflush(stdout);
}

void check_skip(const char *name, const char *fmt, ...)
{
	va_list args;

	printf("skip %s - ", name);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}
