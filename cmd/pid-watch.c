/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/pid-watch.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int vmt_pid_watch_open(struct vmt_pid_watch *w, int signals, const uint64_t *pids, size_t n_pids)
{
	struct pollfd *fds = calloc(n_pids + 1, sizeof(*fds));
	size_t i;

	if (!fds)
		return -ENOMEM;
	*w = (struct vmt_pid_watch){ .fds = fds, .n = n_pids + 1 };
	fds[0] = (struct pollfd){ .fd = signals, .events = POLLIN };
	for (i = 0; i < n_pids; i++) {
		int fd = (int)syscall(SYS_pidfd_open, (pid_t)pids[i], 0);

		if (fd >= 0 || errno != ESRCH)
			w->left++;
		fds[i + 1] = (struct pollfd){ .fd = fd, .events = POLLIN };
	}
	return 0;
}

bool vmt_pid_watch_wait(struct vmt_pid_watch *w, uint64_t wait_ns)
{
	const struct timespec ts = { .tv_sec = (time_t)(wait_ns / 1000000000),
				     .tv_nsec = (long)(wait_ns % 1000000000) };

	if (ppoll(w->fds, w->n, &ts, NULL) <= 0)
		return false;
	if (w->fds[0].revents)
		return true;
	for (size_t i = 1; i < w->n; i++) {
		if (!w->fds[i].revents)
			continue;
		close(w->fds[i].fd);
		/* poll() passes over what is negative. */
		w->fds[i].fd = -1;
		w->left--;
	}
	return false;
}

bool vmt_pid_watch_is_over(const struct vmt_pid_watch *w)
{
	return w->n > 1 && w->left == 0;
}

void vmt_pid_watch_done(struct vmt_pid_watch *w)
{
	for (size_t i = 1; i < w->n; i++)
		if (w->fds[i].fd >= 0)
			close(w->fds[i].fd);
	free(w->fds);
	*w = (struct vmt_pid_watch){ 0 };
}

int vmt_signals_taken(int signals)
{
	struct signalfd_siginfo info;
	int sig = 0;

	while (signals >= 0 && read(signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		if (!sig || info.ssi_signo != SIGINT)
			sig = (int)info.ssi_signo;
	return sig;
}
