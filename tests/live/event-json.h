/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Values of keys of one line of JSON, whose objects do not lie in each other. */

/* Without quotes, and as it is written; "-" for null, or where it is not there. */
const char *event_json_value(const char *json, const char *key, char *out, size_t size);
/* Of a number, 0 for what is none. */
uint64_t event_json_number(const char *json, const char *key);
