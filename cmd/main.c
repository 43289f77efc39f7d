/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <locale.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
#include <wchar.h>

#include "cmd/commands.h"
#include "cmd/privilege.h"
#include "vmtop-config.h"

/* A descriptor below 3 that is closed would be given to the next file that is opened, and output
 * would land there. What takes its place cannot be written to, so that lost output is an error; and
 * a command that is run finds it closed, as it was. */
static int fill_standard_fds(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return errno == ENOENT ? 0 : -errno;
	} while (fd <= STDERR_FILENO);
	close(fd);
	return 0;
}

/* Takes DEBUGINFOD_URLS out of the environment; what stood there, for a command that is run. */
static char *hide_debuginfod(void)
{
	static const char name[] = "DEBUGINFOD_URLS=";
	char *found = NULL, **at;

	for (at = environ; !found && at && *at; at++)
		if (strncmp(*at, name, sizeof(name) - 1) == 0)
			found = *at;
	unsetenv("DEBUGINFOD_URLS");
	return found;
}

static int print_version(struct vmt_ctx *ctx)
{
	VMT_AUTO_BUF text = { 0 };

	vmt_buf_adds(&text, "vmtop " VMTOP_VERSION "\n");
	if (ctx->verbose)
		vmt_buf_adds(&text, "built with:" VMTOP_FEATURES "\n");
	return vmt_print_text(ctx, &text);
}

/* A monitoring plugin has no codes but 0 to 3: what failed is unknown. */
static int plugin_code(const struct vmt_ctx *ctx, int code)
{
	return ctx->cmd->plugin && code > 3 ? 3 : code;
}

/* What is not its run. */
static int other_code(const struct vmt_ctx *ctx, int code)
{
	return ctx->cmd && ctx->cmd->plugin && code ? 3 : code;
}

int main(int argc, char **argv)
{
	/* Alone: the machine and its largest processes, once. */
	struct vmt_ctx ctx = { .cmd = &vmt_cmd_report };
	char *no_args[] = { (char[]){ "vmtop" }, NULL };
	mbstate_t state = { 0 };
	wchar_t wide;
	int r;

	/* A full pipe or a size limit is an error of write(2), not the end of the process. */
	ctx.old_pipe = signal(SIGPIPE, SIG_IGN);
	ctx.old_xfsz = signal(SIGXFSZ, SIG_IGN);
	r = fill_standard_fds();
	if (r < 0) {
		vmt_complain(&ctx, "/dev/null: cannot open it: %s", strerror(-r));
		return VMT_EXIT_FAILED;
	}
	setlocale(LC_CTYPE, "");
	/* What converts the characters of some locales is a library, which comes with the first of
	 * them: before anything is given up. */
	mbrtowc(&wide, "a", 1, &state);
	/* The rows of a process are some hundred kB, needed again for the next one: they stay with
	 * us, instead of being given back, faulted in and cleared each time. */
	mallopt(M_MMAP_THRESHOLD, 1 << 20);
	mallopt(M_TRIM_THRESHOLD, 4 << 20);
	/* libelf's sibling libdw asks servers for symbols where this is set. */
	ctx.old_debuginfod = hide_debuginfod();
	if (argc < 1) {
		argc = 1;
		argv = no_args;
	}
	ctx.started_ns = vmt_now_ns(CLOCK_MONOTONIC);
	r = vmt_options_parse(&ctx, argc, argv);
	if (r >= 0)
		return other_code(&ctx, r);
	if (vmt_ctx_given(&ctx, "version"))
		return other_code(&ctx, print_version(&ctx));
	if (vmt_ctx_given(&ctx, "help"))
		return other_code(&ctx, vmt_help(&ctx, ctx.named ? ctx.cmd : NULL));
	/* Where a command is run, what that may do is not for us to take. */
	r = ctx.cmd->runs && ctx.n_operands ? 0 : vmt_privilege_drop(&ctx);
	if (r == 0)
		r = ctx.cmd->run(&ctx);
	vmt_filter_free(ctx.filter);
	return plugin_code(&ctx, r);
}
