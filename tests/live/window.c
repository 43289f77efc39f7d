/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "window.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS 180000

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void pipes_open(struct pipes *p)
{
	if (pipe2(p->said, O_CLOEXEC) || pipe2(p->told, O_CLOEXEC))
		exit(1);
}

void pipes_parent(struct pipes *p)
{
	close(p->said[1]);
	close(p->told[0]);
}

void pipes_close(struct pipes *p)
{
	close(p->said[0]);
	close(p->told[1]);
}

void meet(const struct pipes *p)
{
	char c = 0;

	if (write(p->said[1], &c, 1) != 1 || read(p->told[0], &c, 1) != 1)
		_exit(1);
}

bool hear(const struct pipes *p, struct vmt_probe *probe)
{
	struct pollfd fd = { .fd = p->said[0], .events = POLLIN };
	uint64_t end = now_ms() + WAIT_MS;
	int r;
	char c;

	do {
		r = poll(&fd, 1, probe ? 50 : WAIT_MS);
		if (probe && vmt_probe_drain(probe, NULL))
			return false;
	} while (!r && now_ms() < end);
	return r == 1 && read(p->said[0], &c, 1) == 1;
}

void tell(const struct pipes *p)
{
	char c = 0;

	(void)!write(p->told[1], &c, 1);
}

int window_begin(struct window *w, void (*work)(const struct pipes *p, void *arg), void *arg)
{
	*w = (struct window){ 0 };
	vmt_arena_init(&w->arena);
	pipes_open(&w->pipes);
	w->child = fork();
	if (w->child < 0)
		exit(1);
	if (!w->child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		work(&w->pipes, arg);
		_exit(0);
	}
	pipes_parent(&w->pipes);
	return hear(&w->pipes, NULL)
		       ? 0
		       : vmt_err_set(&w->err, -EIO, NULL, 0, "the workload did not start");
}

int window_count(struct window *w, struct vmt_probe_opts *opts, bool taken, bool *ret_done)
{
	VMT_AUTO_PROBE probe = NULL;
	bool done = false;
	int r;

	opts->pids = &w->child;
	opts->n_pids = 1;
	r = vmt_probe_open(opts, &probe, &w->err);
	r = r ?: vmt_probe_start(probe, &w->err);
	if (!r) {
		tell(&w->pipes);
		done = hear(&w->pipes, taken ? probe : NULL);
		r = vmt_probe_stop(probe, &w->err);
	}
	r = r ?: vmt_probe_read(probe, &w->arena, &w->f, &w->err);
	if (ret_done)
		*ret_done = done;
	else if (!r && !done)
		r = vmt_err_set(&w->err, -EIO, NULL, 0, "the workload did not end");
	return r;
}

void window_end(struct window *w)
{
	kill(w->child, SIGKILL);
	waitpid(w->child, NULL, 0);
	pipes_close(&w->pipes);
	vmt_arena_done(&w->arena);
}

const struct vmt_fault_raw *window_row(const struct vmt_fault_sample *f, pid_t pid, uint64_t start)
{
	for (size_t i = 0; i < f->n_maps; i++)
		if (f->maps[i].pid == (uint64_t)pid && f->maps[i].start <= start &&
		    start < f->maps[i].end)
			return &f->maps[i];
	return NULL;
}
