/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "cmd/text.h"

#define WIDTH	    79
#define HELP_COLUMN 26

static void opt_help(const struct vmt_opt *opt, void *arg)
{
	struct vmt_buf *out = arg;
	VMT_AUTO_BUF left = { 0 };

	if (opt->letter)
		vmt_buf_addf(&left, "-%c, ", opt->letter);
	else
		vmt_buf_adds(&left, "    ");
	vmt_buf_addf(&left, "--%s", opt->name);
	if (opt->arg == VMT_OPT_VALUE)
		vmt_buf_addf(&left, " %s", opt->metavar);
	else if (opt->arg == VMT_OPT_MAYBE)
		vmt_buf_addf(&left, "[=%s]", opt->values);
	vmt_buf_addf(out, "  %-*s", HELP_COLUMN - 2, left.data ? left.data : "");
	if (left.len > HELP_COLUMN - 4)
		vmt_buf_addf(out, "\n%*s", HELP_COLUMN, "");
	vmt_wrap(out, opt->help, WIDTH - HELP_COLUMN, HELP_COLUMN);
}

static void main_help(struct vmt_buf *out)
{
	size_t i;

	vmt_buf_adds(out,
		     "Usage: vmtop COMMAND [OPTION]...\n\n"
		     "Shows what Linux virtual memory does: which mapping faults, how and for how "
		     "long;\nwho holds memory; why 'available' is what it is.\n\nCommands:\n");
	for (i = 0; vmt_cmds[i]; i++)
		if (!vmt_cmds[i]->hidden)
			vmt_buf_addf(out, "  %-12s %s\n", vmt_cmds[i]->name, vmt_cmds[i]->summary);
	vmt_buf_adds(
		out,
		"\nWithout a command: the dashboard; where there is no terminal, memory and the largest\n"
		"processes. 'vmtop help COMMAND' tells more, and 'vmtop doctor' what this machine and\n"
		"these rights can give.\n");
}

static void cmd_help(struct vmt_buf *out, const struct vmt_cmd *cmd)
{
	VMT_AUTO_BUF text = { 0 };
	size_t i;

	vmt_buf_addf(&text, "Usage: vmtop %s %s", cmd->name, cmd->synopsis);
	if (text.data)
		vmt_wrap(out, text.data, WIDTH - 7, 7);
	vmt_buf_addc(out, '\n');
	vmt_buf_clear(&text);
	vmt_buf_addf(&text, "%s.", cmd->summary);
	if (text.data)
		vmt_wrap(out, text.data, WIDTH, 0);
	if (cmd->cost) {
		vmt_buf_clear(&text);
		vmt_buf_addf(&text, "Cost: %s.", cmd->cost);
		if (text.data)
			vmt_wrap(out, text.data, WIDTH, 0);
	}
	vmt_buf_adds(out, "\nOptions:\n");
	vmt_cmd_each_opt(cmd, opt_help, out);
	if (cmd->n_sections) {
		vmt_buf_addf(out, "\nIn JSON (see 'vmtop schema %s'):\n", cmd->name);
		for (i = 0; i < cmd->n_sections; i++) {
			vmt_buf_addf(out, "  data.%-*s", HELP_COLUMN - 7, cmd->sections[i].key);
			vmt_wrap(out, cmd->sections[i].help, WIDTH - HELP_COLUMN, HELP_COLUMN);
		}
	}
	if (!cmd->hidden)
		vmt_buf_addf(out, "\nManual: vmtop-%s(1)\n", cmd->name);
}

int vmt_help(struct vmt_ctx *ctx, const struct vmt_cmd *cmd)
{
	VMT_AUTO_BUF out = { 0 };

	if (cmd)
		cmd_help(&out, cmd);
	else
		main_help(&out);
	return vmt_print_text(ctx, &out);
}

static int run_help(struct vmt_ctx *ctx)
{
	const struct vmt_cmd *cmd = NULL;

	if (ctx->n_operands) {
		cmd = vmt_cmd_find(ctx->operands[0]);
		if (!cmd) {
			VMT_AUTO_BUF word = { 0 };

			vmt_fmt_safe(&word, vmt_bytes_of(ctx->operands[0]), true);
			return vmt_usage_error(ctx, "no command '%.60s'",
					       word.data ? word.data : "");
		}
	}
	return vmt_help(ctx, cmd);
}

const struct vmt_cmd vmt_cmd_help = {
	.name = "help",
	.summary = "help of vmtop or of a command",
	.synopsis = "[COMMAND]",
	.groups = VMT_GROUP_BASE,
	.operands = "@command",
	.max_operands = 1,
	.run = run_help,
};
