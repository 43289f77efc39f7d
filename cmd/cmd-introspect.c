/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "base/json.h"
#include "cmd/commands.h"
#include "vmtop-config.h"

/*
 * Everything that the tables say, as JSON: for the checks of man pages and completions, and for
 * vmtop-fields(7), which is made from it. It is no contract; it changes with the tables.
 */
static void text(struct vmt_json *j, const char *key, const char *value)
{
	vmt_json_key(j, key);
	if (value)
		vmt_json_str(j, value);
	else
		vmt_json_null(j);
}

static void flag(struct vmt_json *j, const char *key, bool value)
{
	vmt_json_key(j, key);
	vmt_json_bool(j, value);
}

static void number(struct vmt_json *j, const char *key, uint64_t value)
{
	vmt_json_key(j, key);
	vmt_json_u64(j, value);
}

struct opts_job {
	struct vmt_json *j;
	const struct vmt_cmd *cmd;
};

static const char *group_of(const struct vmt_cmd *cmd, const struct vmt_opt *opt)
{
	static const struct {
		unsigned group;
		const char *name;
	} groups[] = {
		{ VMT_GROUP_TABLE, "table" },
		{ VMT_GROUP_TOP, "top" },
		{ VMT_GROUP_OUTPUT, "output" },
		{ VMT_GROUP_BASE, "base" },
	};
	size_t i, n;

	for (i = 0; i < VMT_ARRAY_LEN(groups); i++) {
		const struct vmt_opt *opts = vmt_group_opts(groups[i].group, &n);

		if (cmd->groups & groups[i].group && opt >= opts && opt < opts + n)
			return groups[i].name;
	}
	return NULL;
}

static void option(const struct vmt_opt *opt, void *arg)
{
	const struct opts_job *job = arg;
	struct vmt_json *j = job->j;
	char letter[2] = { opt->letter, 0 };

	vmt_json_object(j);
	text(j, "name", opt->name);
	text(j, "letter", opt->letter ? letter : NULL);
	flag(j, "takes_value", opt->arg == VMT_OPT_VALUE);
	text(j, "metavar", opt->metavar);
	text(j, "values", opt->values);
	text(j, "group", group_of(job->cmd, opt));
	text(j, "help", opt->help);
	vmt_json_object_end(j);
}

static void sections(struct vmt_json *j, const struct vmt_cmd *cmd)
{
	size_t i;

	vmt_json_key(j, "sections");
	vmt_json_array(j);
	for (i = 0; i < cmd->n_sections; i++) {
		const struct vmt_section_def *s = &cmd->sections[i];

		vmt_json_object(j);
		text(j, "key", s->key);
		text(j, "entity", s->entity->name);
		flag(j, "single", s->single);
		text(j, "help", s->help);
		vmt_json_object_end(j);
	}
	vmt_json_array_end(j);
}

static void command(struct vmt_json *j, const struct vmt_cmd *cmd)
{
	struct opts_job job = { j, cmd };

	vmt_json_object(j);
	text(j, "name", cmd->name);
	text(j, "summary", cmd->summary);
	text(j, "synopsis", cmd->synopsis);
	text(j, "cost", cmd->cost);
	flag(j, "hidden", cmd->hidden);
	flag(j, "sections_optional", cmd->sections_optional);
	flag(j, "has_probes", cmd->has_probes);
	text(j, "operands", cmd->operands);
	number(j, "min_operands", cmd->min_operands);
	number(j, "max_operands", cmd->max_operands);
	sections(j, cmd);
	vmt_json_key(j, "options");
	vmt_json_array(j);
	vmt_cmd_each_opt(cmd, option, &job);
	vmt_json_array_end(j);
	vmt_json_object_end(j);
}

static void entity(struct vmt_json *j, const struct vmt_entity *e)
{
	size_t i;

	vmt_json_object(j);
	text(j, "name", e->name);
	text(j, "plural", e->plural);
	text(j, "help", e->help);
	text(j, "sort", e->sort);
	vmt_json_key(j, "fields");
	vmt_json_array(j);
	for (i = 0; i < e->n_fields; i++) {
		const struct vmt_field *f = &e->fields[i];
		enum vmt_source_id cheaper;

		vmt_json_object(j);
		text(j, "key", f->name);
		text(j, "group", f->group);
		text(j, "title", f->title);
		text(j, "type", vmt_type_name(f->type));
		text(j, "unit", vmt_unit_name(f->unit));
		text(j, "kind", vmt_kind_name(f->kind));
		text(j, "source", vmt_source_name(f->source));
		if (vmt_field_cheaper(f, &cheaper))
			text(j, "cheaper_source", vmt_source_name(cheaper));
		flag(j, "default", f->flags & VMT_DEFAULT);
		text(j, "help", f->help);
		vmt_json_object_end(j);
	}
	vmt_json_array_end(j);
	vmt_json_object_end(j);
}

static void sources(struct vmt_json *j)
{
	enum vmt_source_id id;

	vmt_json_key(j, "sources");
	vmt_json_array(j);
	for (id = 0; id < VMT_SOURCE_COUNT; id++) {
		vmt_json_object(j);
		text(j, "name", vmt_source_name(id));
		text(j, "what", vmt_source_what(id));
		text(j, "cost", vmt_source_cost_name(vmt_source_cost(id)));
		text(j, "help", vmt_source_help(id));
		vmt_json_object_end(j);
	}
	vmt_json_array_end(j);
}

static void exit_codes(struct vmt_json *j)
{
	static const struct {
		enum vmt_exit code;
		const char *help;
	} codes[] = {
		{ VMT_EXIT_OK, "done" },
		{ VMT_EXIT_FAILED, "failed" },
		{ VMT_EXIT_USAGE, "wrong usage" },
		{ VMT_EXIT_NOTHING, "nothing found" },
		{ VMT_EXIT_DENIED, "not permitted" },
		{ VMT_EXIT_PARTIAL, "something could not be read (--strict)" },
		{ VMT_EXIT_BUDGET, "a budget of run is broken" },
		{ VMT_EXIT_TIMEOUT, "the time of --timeout is over" },
		{ VMT_EXIT_NO_EXEC, "the command of run cannot be executed" },
		{ VMT_EXIT_NO_COMMAND, "there is no such command to run" },
	};
	size_t i;

	vmt_json_key(j, "exit_codes");
	vmt_json_array(j);
	for (i = 0; i < VMT_ARRAY_LEN(codes); i++) {
		vmt_json_object(j);
		number(j, "code", codes[i].code);
		text(j, "help", codes[i].help);
		vmt_json_object_end(j);
	}
	vmt_json_array_end(j);
}

static int run(struct vmt_ctx *ctx)
{
	VMT_AUTO_BUF out = { 0 };
	struct vmt_json j;
	size_t i;

	vmt_json_init(&j, &out, 1);
	vmt_json_object(&j);
	text(&j, "vmtop", VMTOP_VERSION);
	number(&j, "document_version", VMT_DOC_VERSION);
	vmt_json_key(&j, "commands");
	vmt_json_array(&j);
	for (i = 0; vmt_cmds[i]; i++)
		command(&j, vmt_cmds[i]);
	vmt_json_array_end(&j);
	vmt_json_key(&j, "entities");
	vmt_json_array(&j);
	for (i = 0; vmt_entities[i]; i++)
		entity(&j, vmt_entities[i]);
	vmt_json_array_end(&j);
	sources(&j);
	vmt_json_key(&j, "outputs");
	vmt_json_array(&j);
	for (i = 0; vmt_outputs[i].name; i++) {
		vmt_json_object(&j);
		text(&j, "name", vmt_outputs[i].name);
		text(&j, "help", vmt_outputs[i].help);
		vmt_json_object_end(&j);
	}
	vmt_json_array_end(&j);
	exit_codes(&j);
	vmt_json_object_end(&j);
	if (vmt_json_finish(&j) < 0)
		return vmt_no_memory(ctx);
	vmt_buf_addc(&out, '\n');
	return vmt_print_text(ctx, &out);
}

const struct vmt_cmd vmt_cmd_introspect = {
	.name = "introspect",
	.summary = "the tables of commands, options, fields and sources as JSON",
	.synopsis = "",
	.groups = VMT_GROUP_BASE,
	.hidden = true,
	.run = run,
};
