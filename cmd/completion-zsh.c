/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/completion.h"

static const char head[] =
	"#compdef vmtop\n"
	"# SPDX-License-Identifier: GPL-2.0-or-later\n"
	"# zsh completion for vmtop\n"
	"#\n"
	"# Made by 'vmtop completion zsh' from the tables of the program.\n"
	"\n"
	"# Words with commas between; + before the first adds columns, - turns an order round.\n"
	"_vmtop_list() {\n"
	"	local expl what=$1\n"
	"	shift\n"
	"	compset -P '*,'\n"
	"	compset -P '[-+]'\n"
	"	compset -S ',*'\n"
	"	_wanted values expl \"$what\" compadd -q -S , -M 'm:{[:upper:]}={[:lower:]}' -- \"$@\"\n"
	"}\n"
	"\n"
	"_vmtop_pids() {\n"
	"	_vmtop_list 'process id' /proc/<->(N:t)\n"
	"}\n"
	"\n"
	"_vmtop_pid() {\n"
	"	local expl\n"
	"	_wanted processes expl 'process id' compadd -- /proc/<->(N:t)\n"
	"}\n"
	"\n";

static const char tail[] = "# Read from a directory of $fpath, or by source.\n"
			   "if [[ $funcstack[1] == _vmtop ]]; then\n"
			   "	_vmtop \"$@\"\n"
			   "else\n"
			   "	compdef _vmtop vmtop\n"
			   "fi\n";

/* Text in the brackets or behind the colon of an _arguments spec, inside single quotes. */
static void spec_text(struct vmt_buf *out, const char *text)
{
	for (; *text; text++) {
		if (strchr("[]:\\", *text))
			vmt_buf_addc(out, '\\');
		if (*text == '\'')
			vmt_buf_adds(out, "'\\''");
		else
			vmt_buf_addc(out, *text);
	}
}

/* ":MESSAGE:ACTION" of an option's value or an operand. */
static void spec_action(struct vmt_buf *out, const char *message, const struct vmt_values *v)
{
	vmt_buf_addc(out, ':');
	spec_text(out, message);
	vmt_buf_addc(out, ':');
	switch (v->how) {
	case VMT_COMPLETE_NOTHING:
		/* A blank as action: say what is wanted, offer nothing. */
		vmt_buf_addc(out, ' ');
		return;
	case VMT_COMPLETE_WORDS:
		if (v->list)
			vmt_buf_addf(out, "{_vmtop_list value %s}", v->words.data);
		else
			vmt_buf_addf(out, "(%s)", v->words.data);
		return;
	case VMT_COMPLETE_PIDS:
		vmt_buf_adds(out, v->list ? "{_vmtop_pids}" : "{_vmtop_pid}");
		return;
	case VMT_COMPLETE_FILES:
		vmt_buf_adds(out, "_files");
		return;
	case VMT_COMPLETE_DIRS:
		vmt_buf_adds(out, "_files -/");
		return;
	case VMT_COMPLETE_USERS:
		vmt_buf_adds(out, "_users");
		return;
	}
}

struct spec_job {
	struct vmt_buf *out;
	const struct vmt_cmd *cmd;
};

static void option(const struct vmt_opt *opt, void *arg)
{
	const struct spec_job *job = arg;
	bool value = opt->arg == VMT_OPT_VALUE;
	struct vmt_buf *out = job->out;
	VMT_AUTO_VALUES v = { 0 };

	vmt_buf_adds(out, "\t\t\t");
	if (opt->letter)
		vmt_buf_addf(out, "'(-%c --%s)'{-%c%s,--%s%s}'[", opt->letter, opt->name,
			     opt->letter, value ? "+" : "", opt->name, value ? "=" : "");
	else
		vmt_buf_addf(out, "'--%s%s[", opt->name, value ? "=" : "");
	spec_text(out, opt->help);
	vmt_buf_addc(out, ']');
	if (value) {
		vmt_values_of_option(&v, job->cmd, opt);
		spec_action(out, opt->metavar, &v);
	}
	vmt_buf_adds(out, "' \\\n");
}

static void operands(struct vmt_buf *out, const struct vmt_cmd *cmd)
{
	VMT_AUTO_VALUES v = { 0 };

	if (!cmd->max_operands)
		return;
	vmt_values_of_operand(&v, cmd);
	vmt_buf_adds(out, "\t\t\t");
	vmt_buf_adds(out, cmd->max_operands > 1 ? "'*" : cmd->min_operands ? "'1" : "'1:");
	spec_action(out, "operand", &v);
	vmt_buf_adds(out, "' \\\n");
}

static void command(struct vmt_buf *out, const struct vmt_cmd *cmd)
{
	struct spec_job job = { out, cmd };

	vmt_buf_addf(out, "\t%s)\n\t\t_arguments -s -S : \\\n", cmd->name);
	vmt_cmd_each_opt(cmd, option, &job);
	operands(out, cmd);
	vmt_buf_adds(out, "\t\t\t&& ret=0\n\t\t;;\n");
}

static void commands(struct vmt_buf *out)
{
	size_t i;

	vmt_buf_adds(out, "_vmtop_commands() {\n\tlocal -a commands\n\tcommands=(\n");
	for (i = 0; vmt_cmds[i]; i++) {
		if (vmt_cmds[i]->hidden)
			continue;
		vmt_buf_addf(out, "\t\t'%s:", vmt_cmds[i]->name);
		spec_text(out, vmt_cmds[i]->summary);
		vmt_buf_adds(out, "'\n");
	}
	vmt_buf_adds(out, "\t)\n\t_describe -t commands 'vmtop command' commands\n}\n\n");
}

void vmt_completion_zsh(struct vmt_buf *out)
{
	/* Before the command, options of every group may stand. */
	static const struct vmt_cmd none = {
		.groups = VMT_GROUP_ALL,
	};
	struct spec_job job = { out, &none };
	size_t i;

	vmt_buf_adds(out, head);
	commands(out);
	vmt_buf_adds(out, "_vmtop() {\n"
			  "\tlocal curcontext=$curcontext state line ret=1\n"
			  "\ttypeset -A opt_args\n"
			  "\t_arguments -C -s -S : \\\n");
	vmt_cmd_each_opt(&none, option, &job);
	vmt_buf_adds(out, "\t\t\t'(-): :_vmtop_commands' \\\n"
			  "\t\t\t'(-)*:: :->command' && ret=0\n"
			  "\t[[ $state == command ]] || return ret\n"
			  "\tcurcontext=${curcontext%:*:*}:vmtop-$words[1]:\n"
			  "\tcase $words[1] in\n");
	for (i = 0; vmt_cmds[i]; i++)
		if (!vmt_cmds[i]->hidden)
			command(out, vmt_cmds[i]);
	vmt_buf_adds(out, "\tesac\n\treturn ret\n}\n\n");
	vmt_buf_adds(out, tail);
}
