/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/completion.h"
#include "cmd/schema-json.h"

void vmt_values_done(struct vmt_values *v)
{
	vmt_buf_done(&v->words);
}

void vmt_quoted(struct vmt_buf *out, const char *text, const char *end_quote)
{
	vmt_buf_addc(out, '\'');
	for (; *text; text++) {
		if (*text == '\'')
			vmt_buf_adds(out, end_quote);
		else
			vmt_buf_addc(out, *text);
	}
	vmt_buf_addc(out, '\'');
}

static void add_word(struct vmt_buf *words, const char *word)
{
	if (words->len)
		vmt_buf_addc(words, ' ');
	vmt_buf_adds(words, word);
}

/* Columns by their titles, as -o help lists them, in lower case for the sake of typing. */
static void add_columns(struct vmt_buf *words, const struct vmt_cmd *cmd)
{
	const struct vmt_entity *e = cmd && cmd->n_sections ? cmd->sections[0].entity : NULL;
	size_t i, k;

	for (i = 0; e && i < e->n_fields; i++) {
		const char *title = e->fields[i].title;

		if (words->len)
			vmt_buf_addc(words, ' ');
		for (k = 0; title[k]; k++)
			vmt_buf_addc(words, title[k] >= 'A' && title[k] <= 'Z'
						    ? (char)(title[k] - 'A' + 'a')
						    : title[k]);
	}
}

/* Commands; schemas: what has a schema. */
static void add_commands(struct vmt_buf *words, bool schemas)
{
	size_t i;

	for (i = 0; vmt_cmds[i]; i++)
		if (!vmt_cmds[i]->hidden && (!schemas || vmt_cmds[i]->n_sections))
			add_word(words, vmt_cmds[i]->name);
	if (schemas)
		add_word(words, VMT_SCHEMA_RECORDING);
}

static void take_apart(struct vmt_values *v, const struct vmt_cmd *cmd, const char *values)
{
	static const struct {
		const char *name;
		enum vmt_complete how;
	} kinds[] = {
		{ "@pid", VMT_COMPLETE_PIDS },
		{ "@file", VMT_COMPLETE_FILES },
		{ "@dir", VMT_COMPLETE_DIRS },
		{ "@user", VMT_COMPLETE_USERS },
	};
	size_t i;

	*v = (struct vmt_values){ .how = VMT_COMPLETE_NOTHING };
	if (!values)
		return;
	for (i = 0; i < VMT_ARRAY_LEN(kinds); i++) {
		if (strcmp(values, kinds[i].name) == 0) {
			v->how = kinds[i].how;
			return;
		}
	}
	if (strcmp(values, "@column") == 0)
		add_columns(&v->words, cmd);
	else if (strcmp(values, "@command") == 0)
		add_commands(&v->words, false);
	else if (strcmp(values, "@schema") == 0)
		add_commands(&v->words, true);
	else if (strcmp(values, "@format") == 0)
		for (i = 0; vmt_outputs[i].name; i++) {
			if (cmd ? vmt_cmd_takes_format(cmd, &vmt_outputs[i])
				: !vmt_outputs[i].commands)
				add_word(&v->words, vmt_outputs[i].name);
		}
	else if (values[0] != '@')
		vmt_buf_adds(&v->words, values);
	if (v->words.len)
		v->how = VMT_COMPLETE_WORDS;
}

void vmt_values_of_option(struct vmt_values *v, const struct vmt_cmd *cmd,
			  const struct vmt_opt *opt)
{
	take_apart(v, cmd, opt->values);
	v->list = opt->metavar &&
		  (strcmp(opt->metavar, "LIST") == 0 || strchr(opt->metavar, ',') != NULL);
}

void vmt_values_of_operand(struct vmt_values *v, const struct vmt_cmd *cmd)
{
	take_apart(v, cmd, cmd->operands);
}

static int run(struct vmt_ctx *ctx)
{
	static const struct {
		const char *shell;
		void (*make)(struct vmt_buf *out);
	} shells[] = {
		{ "bash", vmt_completion_bash },
		{ "zsh", vmt_completion_zsh },
		{ "fish", vmt_completion_fish },
	};
	VMT_AUTO_BUF out = { 0 };
	VMT_AUTO_BUF word = { 0 };
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(shells); i++) {
		if (strcmp(ctx->operands[0], shells[i].shell) == 0) {
			shells[i].make(&out);
			return vmt_print_text(ctx, &out);
		}
	}
	vmt_fmt_safe(&word, vmt_bytes_of(ctx->operands[0]), true);
	return vmt_usage_error(ctx, "no script for '%.60s'; there is bash, zsh and fish",
			       word.data ? word.data : "");
}

const struct vmt_cmd vmt_cmd_completion = {
	.name = "completion",
	.summary = "completion script of a shell",
	.synopsis = "bash|zsh|fish",
	.groups = VMT_GROUP_BASE,
	.operands = "bash zsh fish",
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
