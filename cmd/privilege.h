/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/buf.h"
#include "cmd/commands.h"

/*
 * What vmtop may do. It runs as root, for the files of /proc and the programs in the kernel that
 * only root may have, and prints other people's strings; so that a mistake in that is worth little,
 * all that no source needs is given back before the first of them is read: capabilities(7) but
 * those of vmtop(1)'s RIGHTS, the bounding and the ambient set, and that execve() could ever give
 * any (PR_SET_NO_NEW_PRIVS).
 */

/* Of vmt_cmd.keeps: what a command needs beside what all do. */
enum vmt_right {
	VMT_RIGHT_FILES = 1, /* writes files in directories of others: CAP_DAC_OVERRIDE */
	VMT_RIGHT_KCORE = 2, /* the layout of the kernel, of /proc/kcore: CAP_SYS_RAWIO */
	VMT_RIGHT_SIGNALS = 4, /* for a command that it runs, whoever that becomes: CAP_KILL */
	/* Of --sandbox alone; the capabilities are those of all commands. */
	VMT_RIGHT_PROBES = 8, /* programs in the kernel, and perf events */
	VMT_RIGHT_LIBRARY = 16, /* loads a library late */
	VMT_RIGHT_TERMINAL = 32, /* opens its terminal; the keys there write files */
};

/* What this run may: enum vmt_right. */
unsigned vmt_privilege_rights(const struct vmt_ctx *ctx);

/*
 * Once, while there is one thread; behind the fork of a command that is run, which keeps what it
 * was started with. Where --sandbox was given, its filter is set then. Complains where the kernel
 * refuses; an exit code or 0.
 */
int vmt_privilege_drop(const struct vmt_ctx *ctx);

/* Appends the shell command that gives the program exe the capabilities of a level ("user",
 * "observer", "pages", "physical") on a kernel of that release, and a newline; -EINVAL where there
 * is no such level. */
int vmt_privilege_setcap(struct vmt_buf *out, const char *level, const char *exe,
			 const char *release);
