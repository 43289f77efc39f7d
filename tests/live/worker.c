/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void become(const char *kind, const struct worker_opts *opts, int out, int in)
{
	char pages[24], storm[24], out_text[12], in_text[12];
	const char *argv[] = {
		opts->program, kind, pages, storm, opts->dir, out_text, in_text, NULL
	};

	snprintf(pages, sizeof(pages), "%zu", opts->pages);
	snprintf(storm, sizeof(storm), "%u", opts->storm_ms);
	snprintf(out_text, sizeof(out_text), "%d", out);
	snprintf(in_text, sizeof(in_text), "%d", in);
	if (fcntl(out, F_SETFD, 0) || fcntl(in, F_SETFD, 0))
		_exit(126);
	execv(opts->program, (char *const *)(uintptr_t)argv);
	_exit(127);
}

int worker_start(struct worker *w, const char *kind, const struct worker_opts *opts)
{
	int from[2], to[2];

	memset(w, 0, sizeof(*w));
	w->kind = kind;
	if (pipe2(from, O_CLOEXEC))
		return -errno;
	if (pipe2(to, O_CLOEXEC)) {
		int r = -errno;

		close(from[0]);
		close(from[1]);
		return r;
	}
	w->pid = fork();
	if (w->pid == 0)
		become(kind, opts, from[1], to[0]);
	close(from[1]);
	close(to[0]);
	w->from = from[0];
	w->to = to[1];
	if (w->pid < 0) {
		int r = -errno;

		w->pid = 0;
		worker_end(w);
		return r;
	}
	w->id = (uint64_t)w->pid;
	return 0;
}

void worker_go(struct worker *w, unsigned n)
{
	/* Where it is gone, worker_truth() tells. */
	while (n-- && write(w->to, "g", 1) == 1)
		;
}

int worker_truth(struct worker *w, unsigned seconds)
{
	struct pollfd p = { .fd = w->from, .events = POLLIN };
	char *to = (char *)&w->truth;
	size_t left = sizeof(w->truth);

	while (left) {
		int r = poll(&p, 1, (int)seconds * 1000);
		ssize_t n;

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return r ? -errno : -ETIMEDOUT;
		n = read(w->from, to, left);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EPIPE;
		to += n;
		left -= (size_t)n;
	}
	return 0;
}

int worker_reap(struct worker *w)
{
	pid_t r;

	do {
		r = wait4(w->pid, &w->wait_status, 0, &w->usage);
	} while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	w->pid = 0;
	return 0;
}

void worker_end(struct worker *w)
{
	if (w->pid > 0) {
		kill(w->pid, SIGKILL);
		worker_reap(w);
	}
	if (w->from > 0)
		close(w->from);
	if (w->to > 0)
		close(w->to);
	w->from = w->to = 0;
}
