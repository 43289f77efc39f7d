/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/completion.h"

static const char head[] =
	"# SPDX-License-Identifier: GPL-2.0-or-later\n"
	"# fish completion for vmtop\n"
	"#\n"
	"# Made by 'vmtop completion fish' from the tables of the program.\n"
	"\n"
	"# The command on the line so far, - before there is one.\n"
	"function __vmtop_command\n"
	"	set -l skip 0\n"
	"	for word in (commandline -opc)[2..-1]\n"
	"		if test $skip = 1\n"
	"			set skip 0\n"
	"		else if contains -- $word $__vmtop_taking\n"
	"			set skip 1\n"
	"		else if not string match -q -- '-*' $word\n"
	"			echo $word\n"
	"			return\n"
	"		end\n"
	"	end\n"
	"	echo -\n"
	"end\n"
	"\n"
	"function __vmtop_at\n"
	"	contains -- (__vmtop_command) $argv\n"
	"end\n"
	"\n"
	"# Words with commas between; + before the first adds columns, - turns an order round.\n"
	"function __vmtop_list\n"
	"	set -l token (string replace -r -- '^--[^=]*=' '' (commandline -ct))\n"
	"	set -l before (string match -r -- '^(?:.*,)?[-+]?' \"$token\")\n"
	"	printf '%s\\n' \"$before\"$argv\n"
	"end\n"
	"\n"
	"function __vmtop_pids\n"
	"	string replace -f -r '^/proc/([0-9]+)$' '$1' /proc/*\n"
	"end\n"
	"\n"
	"function __vmtop_dirs\n"
	"	__fish_complete_directories (string replace -r -- '^--[^=]*=' '' (commandline -ct)) ''\n"
	"end\n"
	"\n"
	"complete -c vmtop -f\n";

/* Behind a command substitution's quotes, a quote is escaped. */
#define END_QUOTE "\\'"

struct fish_job {
	struct vmt_buf *out;
	const struct vmt_cmd *cmd; /* NULL in the list of options that take a value */
	const char *at; /* words of __vmtop_at; NULL for everywhere */
};

static void taking(const struct vmt_opt *opt, void *arg)
{
	struct vmt_buf *out = arg;

	if (opt->arg != VMT_OPT_VALUE)
		return;
	if (opt->letter)
		vmt_buf_addf(out, " -%c", opt->letter);
	vmt_buf_addf(out, " --%s", opt->name);
}

static void condition(struct vmt_buf *out, const char *at)
{
	vmt_buf_adds(out, "complete -c vmtop");
	if (at)
		vmt_buf_addf(out, " -n '__vmtop_at %s'", at);
}

/* What follows -a, or -F for files. */
static void candidates(struct vmt_buf *out, const struct vmt_values *v)
{
	switch (v->how) {
	case VMT_COMPLETE_NOTHING:
		return;
	case VMT_COMPLETE_WORDS:
		if (v->list)
			vmt_buf_addf(out, " -a '(__vmtop_list %s)'", v->words.data);
		else
			vmt_buf_addf(out, " -a '%s'", v->words.data);
		return;
	case VMT_COMPLETE_PIDS:
		vmt_buf_adds(out, v->list ? " -a '(__vmtop_list (__vmtop_pids))'"
					  : " -a '(__vmtop_pids)'");
		return;
	case VMT_COMPLETE_FILES:
		vmt_buf_adds(out, " -F");
		return;
	case VMT_COMPLETE_DIRS:
		vmt_buf_adds(out, " -a '(__vmtop_dirs)'");
		return;
	case VMT_COMPLETE_USERS:
		vmt_buf_adds(out, v->list ? " -a '(__vmtop_list (__fish_complete_users))'"
					  : " -a '(__fish_complete_users)'");
		return;
	}
}

static void option(const struct vmt_opt *opt, void *arg)
{
	const struct fish_job *job = arg;
	VMT_AUTO_VALUES v = { 0 };

	condition(job->out, job->at);
	if (opt->letter)
		vmt_buf_addf(job->out, " -s %c", opt->letter);
	vmt_buf_addf(job->out, " -l %s", opt->name);
	if (opt->arg == VMT_OPT_VALUE) {
		vmt_values_of_option(&v, job->cmd, opt);
		vmt_buf_adds(job->out, v.how == VMT_COMPLETE_FILES ? " -r" : " -x");
		candidates(job->out, &v);
	}
	vmt_buf_adds(job->out, " -d ");
	vmt_quoted(job->out, opt->help, END_QUOTE);
	vmt_buf_addc(job->out, '\n');
}

static void command(struct vmt_buf *out, const struct vmt_cmd *cmd)
{
	struct fish_job job = { out, cmd, cmd->name };
	VMT_AUTO_VALUES v = { 0 };

	vmt_buf_addf(out, "\n# %s\ncomplete -c vmtop -n '__vmtop_at -' -a %s -d ", cmd->name,
		     cmd->name);
	vmt_quoted(out, cmd->summary, END_QUOTE);
	vmt_buf_addc(out, '\n');
	vmt_cmd_each_opt(cmd, option, &job);
	vmt_values_of_operand(&v, cmd);
	if (v.how == VMT_COMPLETE_NOTHING)
		return;
	condition(out, cmd->name);
	candidates(out, &v);
	vmt_buf_addc(out, '\n');
}

void vmt_completion_fish(struct vmt_buf *out)
{
	/* Before the command, options of every group may stand. */
	static const struct vmt_cmd none = {
		.groups = VMT_GROUP_ALL,
	};
	struct fish_job job = { out, &none, "-" };
	size_t i;

	vmt_buf_adds(out, head);
	vmt_buf_adds(out, "\n# Options whose value is the next word, before the command.\n"
			  "set -g __vmtop_taking");
	vmt_cmd_each_opt(&none, taking, out);
	vmt_buf_adds(out, "\n\n# before a command\n");
	vmt_cmd_each_opt(&none, option, &job);
	for (i = 0; vmt_cmds[i]; i++)
		if (!vmt_cmds[i]->hidden)
			command(out, vmt_cmds[i]);
}
