/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/child.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A byte each way, more than once: what the second round touches, the first has faulted in. */
#define ROUNDS 2

static bool say(int fd)
{
	return write(fd, "", 1) == 1;
}

static bool hear(int fd)
{
	char c;
	ssize_t n;

	do {
		n = read(fd, &c, 1);
	} while (n < 0 && errno == EINTR);
	return n == 1;
}

/*
 * The child. All is made ready before it waits, an attempt to execute what cannot be executed
 * included: what that touches is not touched for the first time when it is let go.
 */
static void become(int fd, const struct vmt_ctx *ctx, char **words, const sigset_t *mask)
{
	int i, error;

	signal(SIGPIPE, ctx->old_pipe);
	signal(SIGXFSZ, ctx->old_xfsz);
	signal(SIGCHLD, ctx->old_chld);
	if (ctx->old_debuginfod)
		putenv(ctx->old_debuginfod);
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp("/", words);
	for (i = 0; i < ROUNDS; i++)
		if (!say(fd) || !hear(fd))
			_exit(VMT_EXIT_FAILED);
	execvp(words[0], words);
	error = errno;
	if (write(fd, &error, sizeof(error)) != sizeof(error))
		_exit(VMT_EXIT_FAILED);
	_exit(error == ENOENT ? VMT_EXIT_NO_COMMAND : VMT_EXIT_NO_EXEC);
}

int vmt_child_start(struct vmt_child *c, const struct vmt_ctx *ctx, char **words,
		    const sigset_t *mask)
{
	int pair[2], i;

	*c = (struct vmt_child){ .pid_fd = -1, .socket = -1 };
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	c->pid = fork();
	if (c->pid == 0) {
		close(pair[0]);
		become(pair[1], ctx, words, mask);
	}
	close(pair[1]);
	c->socket = pair[0];
	if (c->pid < 0) {
		c->pid = 0;
		return -errno;
	}
	c->pid_fd = (int)syscall(SYS_pidfd_open, c->pid, 0);
	if (c->pid_fd < 0)
		return -errno;
	for (i = 0; i < ROUNDS; i++)
		if (!hear(c->socket) || (i + 1 < ROUNDS && !say(c->socket)))
			return -ECHILD;
	return 0;
}

int vmt_child_go(struct vmt_child *c)
{
	return say(c->socket) ? 0 : -ECHILD;
}

void vmt_child_heard(struct vmt_child *c)
{
	int error;
	ssize_t n;

	do {
		n = read(c->socket, &error, sizeof(error));
	} while (n < 0 && errno == EINTR);
	/* Nothing comes where the descriptor went with the program. */
	if (n == sizeof(error))
		c->error = -error;
	close(c->socket);
	c->socket = -1;
}

int vmt_child_wait(struct vmt_child *c)
{
	pid_t r;

	do {
		r = wait4(c->pid, &c->status, 0, &c->usage);
	} while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	c->ended = true;
	return 0;
}

int vmt_child_code(const struct vmt_child *c)
{
	if (WIFSIGNALED(c->status))
		return 128 + WTERMSIG(c->status);
	return WEXITSTATUS(c->status);
}

int vmt_child_complain(const struct vmt_child *c, const struct vmt_ctx *ctx)
{
	vmt_complain(ctx, "%s: %s", ctx->operands[0], strerror(-c->error));
	return c->error == -ENOENT ? VMT_EXIT_NO_COMMAND : VMT_EXIT_NO_EXEC;
}

void vmt_child_done(struct vmt_child *c)
{
	if (c->pid > 0 && !c->ended) {
		kill(c->pid, SIGKILL);
		(void)vmt_child_wait(c);
	}
	if (c->pid_fd >= 0)
		close(c->pid_fd);
	if (c->socket >= 0)
		close(c->socket);
	*c = (struct vmt_child){ .pid_fd = -1, .socket = -1 };
}
