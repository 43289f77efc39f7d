/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/stream-out.h"

#include <poll.h>

int vmt_stream_write(struct vmt_sink *sink, int signals, uint64_t until_ns)
{
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = signals, .events = POLLIN },
			/* POLLERR of a pipe: whoever read it is gone. */
			{ .fd = sink->fd, .events = vmt_sink_rest(sink) ? POLLOUT : 0 },
		};
		uint64_t now = vmt_now_ns(CLOCK_MONOTONIC);
		uint64_t wait = now < until_ns && fds[1].events ? until_ns - now : 0;
		const struct timespec ts = { .tv_sec = (time_t)(wait / 1000000000),
					     .tv_nsec = (long)(wait % 1000000000) };
		int n = ppoll(fds, 2, &ts, NULL), r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || fds[0].revents)
			return 0;
		if (fds[1].revents & (POLLERR | POLLNVAL))
			return -EPIPE;
		r = vmt_sink_write(sink);
		if (r < 0)
			return r;
	}
}
