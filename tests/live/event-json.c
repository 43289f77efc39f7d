/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "event-json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *event_json_value(const char *json, const char *key, char *out, size_t size)
{
	char name[64];
	const char *p;
	size_t n = 0;

	snprintf(name, sizeof(name), "\"%s\":", key);
	p = strstr(json, name);
	snprintf(out, size, "-");
	if (!p)
		return out;
	p += strlen(name);
	if (!strncmp(p, "null", 4))
		return out;
	p += *p == '"';
	while (p[n] && p[n] != '"' && p[n] != ',' && p[n] != '}' && n + 1 < size) {
		out[n] = p[n];
		n++;
	}
	out[n] = 0;
	return out;
}

uint64_t event_json_number(const char *json, const char *key)
{
	char text[64];

	return strtoull(event_json_value(json, key, text, sizeof(text)), NULL, 10);
}
