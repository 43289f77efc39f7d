/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "cmd/commands.h"

/*
 * A command that is run: its process waits, with all that it needs for that in memory, until it is
 * let go, so that whoever counts its faults knows where the count begins.
 */
struct vmt_child {
	pid_t pid; /* 0 where there is none */
	int pid_fd; /* becomes readable when it has ended (pidfd_open(2), Linux 5.3); or -1 */
	int socket; /* to the process until it has become the command; then -1 */
	int error; /* why it could not become the command, as negative errno; 0 */
	bool ended; /* waited for: what follows is set */
	int status; /* as wait(2) gives it */
	struct rusage usage; /* of it, and of the children that it waited for */
};

/*
 * Makes the process. mask is the signal mask that the command gets. Words live as long as c. 0 or
 * -errno.
 */
int vmt_child_start(struct vmt_child *c, const struct vmt_ctx *ctx, char **words,
		    const sigset_t *mask);
/* Lets it become the command. 0, or -errno where it is gone. */
int vmt_child_go(struct vmt_child *c);
/* Once c->socket is readable: takes what it says. Then the command runs, or c->error is set. */
void vmt_child_heard(struct vmt_child *c);
/* Waits for its end; what it used is in c. 0 or -errno. */
int vmt_child_wait(struct vmt_child *c);
/* The exit code that its end is for a shell. */
int vmt_child_code(const struct vmt_child *c);
/* Says why c->error; an exit code. */
int vmt_child_complain(const struct vmt_child *c, const struct vmt_ctx *ctx);
/* Kills what was not let go, or not waited for. */
void vmt_child_done(struct vmt_child *c);
#define VMT_AUTO_CHILD VMT_CLEANUP(vmt_child_done) struct vmt_child
