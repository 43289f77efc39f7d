/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/completion.h"

/* bash 4.4 and later; nothing of the package bash-completion is needed. */
static const char head[] =
	"# SPDX-License-Identifier: GPL-2.0-or-later\n"
	"# bash completion for vmtop                                  -*- shell-script -*-\n"
	"#\n"
	"# Made by 'vmtop completion bash' from the tables of the program.\n"
	"\n"
	"# Each of these offers what fits to $cur.\n"
	"_vmtop_words()\n"
	"{\n"
	"	local word\n"
	"	for word in $1; do\n"
	"		[[ $word == \"$cur\"* ]] && COMPREPLY+=(\"$word\")\n"
	"	done\n"
	"}\n"
	"\n"
	"# Words with commas between; + before the first adds columns, - turns an order round.\n"
	"_vmtop_list()\n"
	"{\n"
	"	local word head= last=${cur##*,}\n"
	"	head=${cur%\"$last\"}\n"
	"	[[ $last == [-+]* ]] && head+=${last:0:1} last=${last:1}\n"
	"	for word in $1; do\n"
	"		[[ $word == \"${last,,}\"* ]] && COMPREPLY+=(\"$head$word\")\n"
	"	done\n"
	"	compopt -o nospace\n"
	"}\n"
	"\n"
	"_vmtop_pids()\n"
	"{\n"
	"	local path words=\n"
	"	for path in /proc/[0-9]*; do\n"
	"		words+=\" ${path#/proc/}\"\n"
	"	done\n"
	"	\"$1\" \"$words\"\n"
	"}\n"
	"\n"
	"_vmtop_users()\n"
	"{\n"
	"	\"$1\" \"$(compgen -u)\"\n"
	"}\n"
	"\n";

static const char tail[] =
	"_vmtop()\n"
	"{\n"
	"	local cur=${COMP_WORDS[COMP_CWORD]} cmd= opt= opts= takes= most=0\n"
	"	local word i=1 operands=0 only_operands= before= IFS=$' \\t\\n'\n"
	"	COMPREPLY=()\n"
	"	_vmtop_options ''\n"
	"	while ((i < COMP_CWORD)); do\n"
	"		word=${COMP_WORDS[i++]}\n"
	"		if [[ -n $only_operands || $word != -?* ]]; then\n"
	"			if [[ -z $cmd ]]; then\n"
	"				cmd=$word\n"
	"				_vmtop_options \"$cmd\" || return 0\n"
	"			else\n"
	"				((operands++))\n"
	"			fi\n"
	"		elif [[ $word == -- ]]; then\n"
	"			only_operands=1\n"
	"		elif [[ \" $takes \" == *\" $word \"* ]]; then\n"
	"			# readline may have made a word of the = behind it\n"
	"			[[ ${COMP_WORDS[i]} == = ]] && ((i++))\n"
	"			((i >= COMP_CWORD)) && opt=$word\n"
	"			((i++))\n"
	"		fi\n"
	"	done\n"
	"	if [[ -n $opt ]]; then\n"
	"		[[ $cur == = ]] && cur=\n"
	"	elif [[ -z $only_operands && $cur == --*=* ]]; then\n"
	"		opt=${cur%%=*} before=${cur%%=*}= cur=${cur#*=}\n"
	"		[[ \" $takes \" == *\" $opt \"* ]] || return 0\n"
	"	fi\n"
	"	if [[ -n $opt ]]; then\n"
	"		_vmtop_values \"$cmd\" \"$opt\"\n"
	"	elif [[ -z $only_operands && $cur == -* ]]; then\n"
	"		_vmtop_words \"$opts\"\n"
	"	elif [[ -z $cmd ]]; then\n"
	"		_vmtop_values '' ''\n"
	"	elif ((operands < most)); then\n"
	"		_vmtop_values \"$cmd\" ''\n"
	"	fi\n"
	"	[[ -n $before ]] && COMPREPLY=(\"${COMPREPLY[@]/#/$before}\")\n"
	"	return 0\n"
	"}\n"
	"\n"
	"complete -F _vmtop vmtop\n";

static void add_long(const struct vmt_opt *opt, void *arg)
{
	struct vmt_buf *out = arg;

	vmt_buf_addf(out, "%s--%s", out->len ? " " : "", opt->name);
}

static void add_taking(const struct vmt_opt *opt, void *arg)
{
	struct vmt_buf *out = arg;

	if (opt->arg != VMT_OPT_VALUE)
		return;
	if (opt->letter)
		vmt_buf_addf(out, "%s-%c", out->len ? " " : "", opt->letter);
	vmt_buf_addf(out, "%s--%s", out->len ? " " : "", opt->name);
}

static void options_of(struct vmt_buf *out, const struct vmt_cmd *cmd)
{
	VMT_AUTO_BUF opts = { 0 };
	VMT_AUTO_BUF takes = { 0 };

	vmt_cmd_each_opt(cmd, add_long, &opts);
	vmt_cmd_each_opt(cmd, add_taking, &takes);
	vmt_buf_addf(out,
		     "	%s)\n"
		     "		opts='%s'\n"
		     "		takes='%s'\n"
		     "		most=%u\n"
		     "		;;\n",
		     cmd->name, opts.data ? opts.data : "", takes.data ? takes.data : "",
		     cmd->max_operands);
}

/* Prints one case of _vmtop_values. */
static void values_case(struct vmt_buf *out, const char *pattern, const struct vmt_values *v)
{
	const char *how = v->list ? "_vmtop_list" : "_vmtop_words";

	switch (v->how) {
	case VMT_COMPLETE_NOTHING:
		return;
	case VMT_COMPLETE_WORDS:
		vmt_buf_addf(out, "	%s) %s '%s' ;;\n", pattern, how, v->words.data);
		return;
	case VMT_COMPLETE_PIDS:
		vmt_buf_addf(out, "	%s) _vmtop_pids %s ;;\n", pattern, how);
		return;
	case VMT_COMPLETE_USERS:
		vmt_buf_addf(out, "	%s) _vmtop_users %s ;;\n", pattern, how);
		return;
	case VMT_COMPLETE_FILES:
		/* readline knows best how to quote names. */
		vmt_buf_addf(out, "	%s) compopt -o default ;;\n", pattern);
		return;
	case VMT_COMPLETE_DIRS:
		vmt_buf_addf(out, "	%s) compopt -o dirnames ;;\n", pattern);
		return;
	}
}

struct values_job {
	struct vmt_buf *out;
	const struct vmt_cmd *cmd;
};

static void values_of(const struct vmt_opt *opt, void *arg)
{
	const struct values_job *job = arg;
	VMT_AUTO_VALUES v = { 0 };
	VMT_AUTO_BUF pattern = { 0 };

	if (opt->arg != VMT_OPT_VALUE)
		return;
	vmt_values_of_option(&v, job->cmd, opt);
	if (opt->letter)
		vmt_buf_addf(&pattern, "%s,-%c | ", job->cmd->name, opt->letter);
	vmt_buf_addf(&pattern, "%s,--%s", job->cmd->name, opt->name);
	if (!vmt_buf_error(&pattern))
		values_case(job->out, pattern.data, &v);
}

static void values_of_operands(struct vmt_buf *out, const struct vmt_cmd *cmd)
{
	VMT_AUTO_VALUES v = { 0 };
	VMT_AUTO_BUF pattern = { 0 };

	vmt_values_of_operand(&v, cmd);
	vmt_buf_addf(&pattern, "%s,", cmd->name);
	if (!vmt_buf_error(&pattern))
		values_case(out, pattern.data, &v);
}

void vmt_completion_bash(struct vmt_buf *out)
{
	/* Before the command, options of every group may stand. */
	static const struct vmt_cmd none = {
		.name = "''",
		.operands = "@command",
		.groups = VMT_GROUP_ALL,
	};
	struct values_job job = { out, &none };
	size_t i;

	vmt_buf_adds(out, head);
	vmt_buf_adds(out, "# The options of command $1, and how many operands it takes.\n"
			  "_vmtop_options()\n{\n	case $1 in\n");
	options_of(out, &none);
	for (i = 0; vmt_cmds[i]; i++)
		if (!vmt_cmds[i]->hidden)
			options_of(out, vmt_cmds[i]);
	vmt_buf_adds(out,
		     "	*) return 1 ;;\n	esac\n}\n\n"
		     "# Offers values of option $2 of command $1; operands where $2 is empty.\n"
		     "_vmtop_values()\n{\n	case $1,$2 in\n");
	vmt_cmd_each_opt(&none, values_of, &job);
	values_of_operands(out, &none);
	for (i = 0; vmt_cmds[i]; i++) {
		if (vmt_cmds[i]->hidden)
			continue;
		job.cmd = vmt_cmds[i];
		vmt_cmd_each_opt(vmt_cmds[i], values_of, &job);
		values_of_operands(out, vmt_cmds[i]);
	}
	vmt_buf_adds(out, "	esac\n}\n\n");
	vmt_buf_adds(out, tail);
}
