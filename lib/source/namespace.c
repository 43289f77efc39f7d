/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/namespace.h"

#include <unistd.h>

#include "base/parse.h"

#define FIRST_PID_NAMESPACE UINT64_C(0xeffffffc)

/* The number in the link of a namespace, "TYPE:[4026531839]"; 0 where it cannot be had. */
static uint64_t read_number(int dir_fd, const char *link, const char *type)
{
	char text[64];
	ssize_t n = readlinkat(dir_fd, link, text, sizeof(text));
	struct vmt_bytes cur = { text, n < 0 ? 0 : (size_t)n };
	uint64_t v;

	if (!vmt_bytes_starts(cur, type))
		return 0;
	cur.ptr += strlen(type);
	cur.len -= strlen(type);
	return vmt_take_u64(&cur, &v) == 0 && vmt_take_char(&cur, ']') == 0 ? v : 0;
}

uint64_t vmt_ipc_namespace(int dir_fd)
{
	return read_number(dir_fd, "ns/ipc", "ipc:[");
}

bool vmt_in_pid_namespace(int proc_fd)
{
	uint64_t number = read_number(proc_fd, "self/ns/pid", "pid:[");

	return number && number != FIRST_PID_NAMESPACE;
}
