/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/namespace.h"

#include <unistd.h>

#include "base/parse.h"

uint64_t vmt_ipc_namespace(int dir_fd)
{
	char text[64];
	ssize_t n = readlinkat(dir_fd, "ns/ipc", text, sizeof(text));
	struct vmt_bytes cur = { text, n < 0 ? 0 : (size_t)n };
	uint64_t v;

	if (!vmt_bytes_starts(cur, "ipc:["))
		return 0;
	cur.ptr += 5;
	cur.len -= 5;
	return vmt_take_u64(&cur, &v) == 0 && vmt_take_char(&cur, ']') == 0 ? v : 0;
}
