/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

/* The number that a file of /proc or /sys has; -1 where it cannot be read. */
long number_read(const char *path);
/* Sets it; whether the kernel took it. */
bool number_write(const char *path, long number);
