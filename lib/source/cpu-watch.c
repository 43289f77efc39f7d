/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/cpu-watch.h"

#include <errno.h>
#include <linux/netlink.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/thread.h"

/* The multicast group of the kernel's own messages; udev sends to another. */
#define KERNEL_GROUP 1

struct vmt_cpu_watch {
	int socket;
	int end; /* readable: the thread is to end */
	pthread_t thread;
	bool has_thread;
	vmt_cpu_fn *fn;
	void *arg;
	unsigned missed;
};

bool vmt_cpu_of_uevent(const char *text, size_t len, unsigned *ret_cpu, bool *ret_online)
{
	struct vmt_bytes cur = { text, strnlen(text, len) };
	static const char online[] = "online@/devices/system/cpu/cpu";
	static const char offline[] = "offline@/devices/system/cpu/cpu";
	bool up = vmt_bytes_starts(cur, online);
	size_t skip = up ? sizeof(online) - 1 : sizeof(offline) - 1;
	uint64_t cpu;

	if (!up && !vmt_bytes_starts(cur, offline))
		return false;
	cur.ptr += skip;
	cur.len -= skip;
	if (vmt_take_u64(&cur, &cpu) || cur.len || cpu > 1u << 20)
		return false;
	*ret_cpu = (unsigned)cpu;
	*ret_online = up;
	return true;
}

int vmt_cpu_watch_new(struct vmt_cpu_watch **ret)
{
	const struct sockaddr_nl group = { .nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP };
	struct vmt_cpu_watch *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return -ENOMEM;
	w->socket =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
	w->end = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->socket < 0 || w->end < 0 ||
	    bind(w->socket, (const struct sockaddr *)&group, sizeof(group))) {
		r = errno ? -errno : -EINVAL;
		vmt_cpu_watch_free(w);
		return r;
	}
	*ret = w;
	return 0;
}

static void take(struct vmt_cpu_watch *w)
{
	for (;;) {
		char text[4096];
		struct sockaddr_nl from = { 0 };
		struct iovec iov = { text, sizeof(text) };
		struct msghdr msg = { .msg_name = &from,
				      .msg_namelen = sizeof(from),
				      .msg_iov = &iov,
				      .msg_iovlen = 1 };
		ssize_t n = recvmsg(w->socket, &msg, 0);
		unsigned cpu;
		bool online;

		if (n < 0 && errno == ENOBUFS) {
			w->missed++;
			continue;
		}
		if (n < 0)
			return;
		/* 0 is the kernel. */
		if (!from.nl_pid && vmt_cpu_of_uevent(text, (size_t)n, &cpu, &online))
			w->fn(w->arg, cpu, online);
	}
}

static void *watch_thread(void *arg)
{
	struct vmt_cpu_watch *w = arg;
	struct pollfd fds[] = {
		{ .fd = w->end, .events = POLLIN },
		{ .fd = w->socket, .events = POLLIN },
	};

	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return NULL;
		take(w);
		if (fds[0].revents)
			return NULL;
	}
}

int vmt_cpu_watch_start(struct vmt_cpu_watch *w, vmt_cpu_fn *fn, void *arg)
{
	sigset_t all, old;
	int r;

	w->fn = fn;
	w->arg = arg;
	/* Signals are for the program's own threads. */
	vmt_thread_signals(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&w->thread, NULL, watch_thread, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	w->has_thread = !r;
	return -r;
}

unsigned vmt_cpu_watch_stop(struct vmt_cpu_watch *w)
{
	if (w->has_thread) {
		(void)eventfd_write(w->end, 1);
		pthread_join(w->thread, NULL);
		w->has_thread = false;
	}
	return w->missed;
}

void vmt_cpu_watch_free(struct vmt_cpu_watch *w)
{
	if (!w)
		return;
	vmt_cpu_watch_stop(w);
	if (w->socket >= 0)
		close(w->socket);
	if (w->end >= 0)
		close(w->end);
	free(w);
}
