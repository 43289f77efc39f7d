/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "cmd/commands.h"
#include "cmd/schema-json.h"

/*
 * JSON Schema of the documents that out-json.c writes, made from the tables that it writes them
 * from. A change of the envelope there is a change here; a test validates documents of every
 * command.
 *
 * The schema is as narrow as the promise of vmtop-json(5) lets it be for this version of vmtop:
 * every key is there but objects of keys that this version does not know, nothing else is, and
 * whatever may be unknown may be null.
 */

/* The definition of a kind of row. */
static void entity(struct vmt_json *j, const struct vmt_entity *e)
{
	const char *keys[VMT_ROW_WORDS * 64];
	size_t i, n = 0;

	vmt_json_key(j, e->name);
	vmt_json_object(j);
	vmt_schema_object(j, e->help, false);
	for (i = 0; i < e->n_fields; i++) {
		const struct vmt_field *f = &e->fields[i];

		if (!f->group) {
			vmt_schema_field(j, f, VMT_SCHEMA_NULLABLE);
			/* There only where the kernel has such keys. */
			if (f->type != VMT_TYPE_KEYS)
				keys[n++] = f->name;
		} else if (vmt_schema_begins_group(e, i)) {
			vmt_schema_group(j, e, f->group);
			keys[n++] = f->group;
		}
	}
	vmt_schema_object_end(j, keys, n);
	vmt_json_object_end(j);
}

static void host(struct vmt_json *j)
{
	static const char *const keys[] = {
		"release", "machine", "page_size_bytes", "cpus", "root", "euid", "took_ns",
	};

	vmt_json_key(j, "host");
	vmt_json_object(j);
	vmt_schema_object(j, "the machine, and how it was looked at", false);
	vmt_schema_plain(j, "release", "string", true, NULL, "release of the kernel, as uname -r");
	vmt_schema_plain(j, "machine", "string", true, NULL, "architecture, as uname -m");
	vmt_schema_plain(j, "page_size_bytes", "integer", true, NULL, "size of a base page");
	vmt_schema_plain(j, "cpus", "integer", true, NULL, "processors online");
	vmt_schema_plain(j, "root", "string", true, NULL,
			 "directory of --root; null on a live machine");
	vmt_schema_plain(j, "euid", "integer", true, NULL, "effective user id of vmtop");
	vmt_schema_plain(j, "took_ns", "integer", true, NULL, "time that collecting took");
	vmt_schema_object_end(j, keys, VMT_ARRAY_LEN(keys));
	vmt_json_object_end(j);
}

/* A single row: an object, or null where there is nothing to put into it. */
static void row(struct vmt_json *j, const char *key, const struct vmt_entity *e, const char *help,
		bool nullable)
{
	vmt_json_key(j, key);
	vmt_json_object(j);
	vmt_schema_text(j, "description", help);
	if (nullable) {
		vmt_json_key(j, "oneOf");
		vmt_json_array(j);
		vmt_json_object(j);
		vmt_schema_ref(j, e->name);
		vmt_json_object_end(j);
		vmt_json_object(j);
		vmt_schema_type(j, "null", false);
		vmt_json_object_end(j);
		vmt_json_array_end(j);
	} else {
		vmt_schema_ref(j, e->name);
	}
	vmt_json_object_end(j);
}

static void data(struct vmt_json *j, const struct vmt_cmd *cmd)
{
	const char *keys[VMT_SECTIONS_MAX];
	size_t i;

	vmt_json_key(j, "data");
	vmt_json_object(j);
	vmt_schema_object(j, "what the command has to say", false);
	for (i = 0; i < cmd->n_sections; i++) {
		const struct vmt_section_def *s = &cmd->sections[i];

		if (s->single)
			row(j, s->key, s->entity, s->help, true);
		else
			vmt_schema_rows(j, s->key, s->entity->name, s->help, 0);
		keys[i] = s->key;
	}
	vmt_schema_object_end(j, keys, cmd->sections_optional ? 0 : cmd->n_sections - cmd->n_asked);
	vmt_json_object_end(j);
}

static bool uses(const struct vmt_cmd *cmd, const struct vmt_entity *e)
{
	size_t i;

	if (e == &vmt_entity_finding || e == &vmt_entity_source || e == &vmt_entity_issue)
		return true;
	if (cmd->has_probes && (e == &vmt_entity_probe || e == &vmt_entity_rung))
		return true;
	for (i = 0; i < cmd->n_sections; i++)
		if (cmd->sections[i].entity == e)
			return true;
	return false;
}

/* "probes" and "rungs" come together, and only where probes ran. */
static void probes_together(struct vmt_json *j)
{
	vmt_json_key(j, "dependentRequired");
	vmt_json_object(j);
	vmt_json_key(j, "probes");
	vmt_json_array(j);
	vmt_json_str(j, "rungs");
	vmt_json_array_end(j);
	vmt_json_key(j, "rungs");
	vmt_json_array(j);
	vmt_json_str(j, "probes");
	vmt_json_array_end(j);
	vmt_json_object_end(j);
}

static void document(struct vmt_json *j, const struct vmt_cmd *cmd)
{
	static const char *const keys[] = {
		"schema", "version", "vmtop", "time",	  "boot_id", "monotonic_ns",
		"host",	  "data",    "scan",  "findings", "sources", "errors",
	};
	char name[64];
	size_t i;

	snprintf(name, sizeof(name), "vmtop.%s", cmd->name);
	vmt_json_object(j);
	vmt_schema_title(j, cmd->name, VMT_DOC_VERSION);
	vmt_schema_object(j, cmd->summary, false);
	vmt_schema_const(j, "schema", "kind of document");
	snprintf(name, sizeof(name), "vmtop.%s", cmd->name);
	vmt_json_str(j, name);
	vmt_json_object_end(j);
	vmt_schema_const(j, "version", "keys are only added while it stays");
	vmt_json_u64(j, VMT_DOC_VERSION);
	vmt_json_object_end(j);
	vmt_schema_plain(j, "vmtop", "string", false, VMT_SCHEMA_VMTOP, "version of vmtop");
	vmt_schema_plain(j, "time", "string", true, VMT_SCHEMA_TIME,
			 "when it was collected, in UTC");
	vmt_schema_plain(j, "boot_id", "string", true, NULL, "the kernel's id of this boot");
	vmt_schema_plain(j, "monotonic_ns", "integer", true, NULL,
			 "CLOCK_MONOTONIC when it was collected");
	host(j);
	data(j, cmd);
	vmt_schema_scan(j);
	if (cmd->has_probes) {
		row(j, "probes", &vmt_entity_probe, vmt_entity_probe.help, false);
		vmt_schema_rows(j, "rungs", vmt_entity_rung.name,
				"every hook and rung that was tried", 0);
	}
	vmt_schema_rows(j, "findings", vmt_entity_finding.name, "what does not fit together", 0);
	vmt_schema_rows(j, "sources", vmt_entity_source.name,
			"what was read, whether it could be, and its cost", 0);
	vmt_schema_rows(j, "errors", vmt_entity_issue.name, "why values are unknown", 0);
	vmt_schema_object_end(j, keys, VMT_ARRAY_LEN(keys));
	if (cmd->has_probes)
		probes_together(j);
	vmt_json_key(j, "$defs");
	vmt_json_object(j);
	for (i = 0; vmt_entities[i]; i++)
		if (uses(cmd, vmt_entities[i]))
			entity(j, vmt_entities[i]);
	vmt_json_object_end(j);
	vmt_json_object_end(j);
}

static int run(struct vmt_ctx *ctx)
{
	VMT_AUTO_BUF out = { 0 };
	const struct vmt_cmd *cmd;
	struct vmt_json j;
	bool recording;
	size_t i;

	if (!ctx->n_operands) {
		for (i = 0; vmt_cmds[i]; i++)
			if (vmt_cmds[i]->n_sections)
				vmt_buf_addf(&out, "%s\n", vmt_cmds[i]->name);
		vmt_buf_adds(&out, VMT_SCHEMA_RECORDING "\n");
		return vmt_print_text(ctx, &out);
	}
	recording = strcmp(ctx->operands[0], VMT_SCHEMA_RECORDING) == 0;
	cmd = vmt_cmd_find(ctx->operands[0]);
	if (!recording && (!cmd || !cmd->n_sections)) {
		VMT_AUTO_BUF word = { 0 };

		vmt_fmt_safe(&word, vmt_bytes_of(ctx->operands[0]), true);
		return vmt_usage_error(ctx, "no document '%.60s' ('vmtop schema' lists them)",
				       word.data ? word.data : "");
	}
	vmt_json_init(&j, &out, 2);
	if (recording)
		vmt_schema_recording(&j);
	else
		document(&j, cmd);
	if (vmt_json_finish(&j) < 0)
		return vmt_no_memory(ctx);
	vmt_buf_addc(&out, '\n');
	return vmt_print_text(ctx, &out);
}

const struct vmt_cmd vmt_cmd_schema = {
	.name = "schema",
	.summary = "JSON Schema of a command's document, or of a recording",
	.synopsis = "[NAME]",
	.groups = VMT_GROUP_BASE,
	.operands = "@schema",
	.max_operands = 1,
	.run = run,
};
