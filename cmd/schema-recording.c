/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "cmd/schema-json.h"
#include "model/recorded.h"

/*
 * JSON Schema of one line of a recording, made from the tables that sample-json.c writes lines
 * from; tests validate lines of recorders. It is as narrow as vmtop-recording(5) lets it be for
 * this version of vmtop: a line is of one of five sorts, and nothing is in it that this recorder
 * would not write.
 */

/* The parts, and the mappings behind them. */
#define N_PARTS ((size_t)VMT_RECORDED_COUNT + 1)

static struct vmt_recorded_part part_at(size_t i)
{
	return i < VMT_RECORDED_COUNT ? vmt_recorded_part((enum vmt_recorded_id)i)
				      : vmt_recorded_maps();
}

/* The name of the definition of a row that says what has changed. */
struct name {
	char text[64];
};

static struct name change_of(const struct vmt_entity *e)
{
	struct name n;

	snprintf(n.text, sizeof(n.text), "%s_change", e->name);
	return n;
}

static void definition(struct vmt_json *j, const char *name)
{
	vmt_json_key(j, name);
	vmt_json_object(j);
}

/* A number in larger units: pages, or microseconds. */
static void brief(struct vmt_json *j, const struct vmt_entity *e, const struct vmt_field *f)
{
	char name[64], help[256];

	if (!vmt_recorded_brief_name(e, f, name, sizeof(name)))
		return;
	snprintf(help, sizeof(help), "in place of %s, where it is a whole number of %s", f->name,
		 f->unit == VMT_UNIT_BYTES ? "pages" : "microseconds");
	vmt_schema_plain(j, name, "integer", false, NULL, help);
}

/* The fields of a row; changes: those that differ from the row of the key sample. */
static void fields(struct vmt_json *j, const struct vmt_recorded_part *p, bool changes)
{
	const struct vmt_entity *e = p->entity;
	size_t i;

	for (i = 0; i < e->n_fields; i++) {
		const struct vmt_field *f = &e->fields[i];
		bool null = changes && f != p->id;

		if (!vmt_recorded_field(p, f))
			continue;
		if (vmt_schema_begins_group(e, i))
			vmt_schema_group(j, e, f->group);
		if (f->group)
			continue;
		vmt_schema_field(j, f,
				 VMT_SCHEMA_KEYLESS |
					 (null ? VMT_SCHEMA_NULLABLE : VMT_SCHEMA_STRICT));
		if (null)
			brief(j, e, f);
	}
}

static void rows_of(struct vmt_json *j, const struct vmt_recorded_part *p)
{
	const char *id = p->id ? p->id->name : "row";
	const bool named = !p->single;

	definition(j, p->entity->name);
	vmt_schema_object(j, p->entity->help, false);
	fields(j, p, false);
	vmt_schema_object_end(j, &id, p->id != NULL);
	vmt_json_object_end(j);
	if (p->own)
		return;

	definition(j, change_of(p->entity).text);
	vmt_schema_object(j, "what is different from the key sample", false);
	if (named && !p->id)
		vmt_schema_plain(j, id, "integer", false, NULL,
				 "its place in the list of the key sample");
	fields(j, p, true);
	vmt_schema_object_end(j, &id, named);
	/* One that is the same is not there. */
	vmt_schema_number(j, "minProperties", named ? 2 : 1);
	vmt_json_object_end(j);
}

static void names_that_went(struct vmt_json *j, const struct vmt_field *id)
{
	vmt_json_key(j, "gone");
	vmt_json_object(j);
	vmt_schema_text(j, "description", "names of rows that are not there any more");
	vmt_schema_type(j, "array", false);
	vmt_schema_number(j, "minItems", 1);
	vmt_json_key(j, "items");
	vmt_json_object(j);
	if (id->type == VMT_TYPE_HEX) {
		vmt_schema_type(j, "string", false);
		vmt_schema_text(j, "pattern", VMT_SCHEMA_HEX);
	} else {
		vmt_schema_type(j, "integer", false);
		vmt_schema_number(j, "minimum", 0);
	}
	vmt_json_object_end(j);
	vmt_json_object_end(j);
}

/* What stands for a list that has changed: how it did, or all of it. */
static void list_change(struct vmt_json *j, const struct vmt_recorded_part *p)
{
	vmt_json_key(j, "oneOf");
	vmt_json_array(j);
	vmt_json_object(j);
	vmt_schema_object(j, "how the list differs from that of the key sample", false);
	vmt_schema_rows(j, "changed", change_of(p->entity).text, "rows that differ", 1);
	if (p->id) {
		vmt_schema_rows(j, "new", p->entity->name, "whole rows", 1);
		names_that_went(j, p->id);
	}
	vmt_schema_object_end(j, NULL, 0);
	vmt_schema_number(j, "minProperties", 1);
	vmt_json_object_end(j);
	vmt_json_object(j);
	vmt_schema_list(j, p->entity->name, "the list, which has become another one", 0);
	vmt_json_object_end(j);
	vmt_json_array_end(j);
}

static void part(struct vmt_json *j, const struct vmt_recorded_part *p, bool key)
{
	definition(j, p->key);
	if (p->single)
		vmt_schema_ref(j, key ? p->entity->name : change_of(p->entity).text);
	else if (key || p->own)
		vmt_schema_list(j, p->entity->name, p->entity->help, 1);
	else
		list_change(j, p);
	vmt_json_object_end(j);
}

/* Opens a member for each process, named by its id; what such a member is follows. */
static void by_process(struct vmt_json *j, const char *key, const char *help)
{
	definition(j, key);
	vmt_schema_text(j, "description", help);
	vmt_schema_type(j, "object", false);
	vmt_schema_number(j, "minProperties", 1);
	vmt_json_key(j, "propertyNames");
	vmt_json_object(j);
	vmt_schema_text(j, "pattern", "^[1-9][0-9]*$");
	vmt_json_object_end(j);
	vmt_json_key(j, "additionalProperties");
	vmt_json_object(j);
}

static void by_process_end(struct vmt_json *j)
{
	vmt_json_object_end(j);
	vmt_json_object_end(j);
}

static void states(struct vmt_json *j)
{
	int i;

	vmt_json_key(j, "enum");
	vmt_json_array(j);
	for (i = VMT_STATE_UNUSED; i <= VMT_STATE_SKIPPED; i++)
		vmt_json_str(j, vmt_source_state_name((enum vmt_source_state)i));
	vmt_json_array_end(j);
}

static void data(struct vmt_json *j, bool key)
{
	const struct vmt_recorded_part maps = vmt_recorded_maps();
	const char *singles[N_PARTS];
	size_t i, n = 0;

	definition(j, "data");
	vmt_schema_object(j, key ? "all that is known" : "what is not as in the key sample", false);
	for (i = 0; i < VMT_RECORDED_COUNT; i++) {
		const struct vmt_recorded_part p = part_at(i);

		part(j, &p, key);
		if (key && p.single)
			singles[n++] = p.key;
	}
	by_process(j, maps.key, "mappings of the processes that were asked for");
	if (key)
		vmt_schema_list(j, maps.entity->name, maps.entity->help, 1);
	else
		list_change(j, &maps);
	by_process_end(j);
	by_process(j, "mapping_status", "how those of a process were read");
	states(j);
	by_process_end(j);
	vmt_schema_object_end(j, singles, n);
	vmt_json_object_end(j);
}

static void source(struct vmt_json *j)
{
	static const char *const keys[] = { "status" };

	definition(j, "source");
	vmt_schema_object(j, "how a source was read", false);
	definition(j, "status");
	states(j);
	vmt_json_object_end(j);
	vmt_schema_plain(j, "denied", "integer", false, NULL,
			 "processes where it was not permitted");
	vmt_schema_plain(j, "gone", "integer", false, NULL, "processes that ended meanwhile");
	vmt_schema_plain(j, "timed_out", "integer", false, NULL,
			 "processes that did not answer in time");
	vmt_schema_plain(j, "skipped", "integer", false, NULL, "reads that were left out");
	vmt_schema_plain(j, "failed", "integer", false, NULL, "what failed in its own way");
	vmt_schema_plain(j, "reason", "string", false, NULL, "why it is not ok");
	vmt_schema_plain(j, "fix", "string", false, NULL, "command that would change it");
	vmt_schema_object_end(j, keys, VMT_ARRAY_LEN(keys));
	vmt_json_object_end(j);
}

static void sources(struct vmt_json *j)
{
	int i;

	definition(j, "sources");
	vmt_schema_object(j, "how the sources were read that were, or otherwise than before",
			  false);
	for (i = VMT_SOURCE_NONE + 1; i < VMT_SOURCE_COUNT; i++) {
		definition(j, vmt_source_name((enum vmt_source_id)i));
		vmt_schema_ref(j, "source");
		vmt_json_object_end(j);
	}
	vmt_schema_object_end(j, NULL, 0);
	vmt_schema_number(j, "minProperties", 1);
	vmt_json_object_end(j);
}

/* Opens a sort of line, which has a type. */
static void line(struct vmt_json *j, const char *name, const char *type, const char *help)
{
	definition(j, name);
	vmt_schema_object(j, help, false);
	vmt_schema_const(j, "type", "the sort of line");
	vmt_json_str(j, type);
	vmt_json_object_end(j);
}

static void line_end(struct vmt_json *j, const char *const *keys, size_t n)
{
	vmt_schema_object_end(j, keys, n);
	vmt_json_object_end(j);
}

static void when(struct vmt_json *j)
{
	vmt_schema_plain(j, "time", "string", false, VMT_SCHEMA_TIME, "the same in words, in UTC");
}

static void clocks(struct vmt_json *j)
{
	vmt_schema_plain(j, "realtime_ns", "integer", false, NULL, "since 1970");
	vmt_schema_plain(j, "monotonic_ns", "integer", false, NULL, "the same on CLOCK_MONOTONIC");
	vmt_schema_plain(j, "boottime_ns", "integer", false, NULL, "the same on CLOCK_BOOTTIME");
}

static void header(struct vmt_json *j)
{
	static const char *const host_keys[] = { "system",	    "release", "machine",
						 "page_size_bytes", "user_hz", "cpus",
						 "max_map_count",   "euid" };
	static const char *const keys[] = { "type", "schema",  "version",     "minor", "vmtop",
					    "time", "boot_id", "interval_ns", "host" };

	line(j, "header", "header", "stands before each key sample");
	vmt_schema_const(j, "schema", "what the file is");
	vmt_json_str(j, "vmtop.recording");
	vmt_json_object_end(j);
	vmt_schema_const(j, "version", "of the format: who reads another one does not read this");
	vmt_json_u64(j, VMT_RECORDING_VERSION);
	vmt_json_object_end(j);
	vmt_schema_const(j, "minor", "of the version: who reads one reads them all");
	vmt_json_u64(j, VMT_RECORDING_MINOR);
	vmt_json_object_end(j);
	vmt_schema_plain(j, "vmtop", "string", false, VMT_SCHEMA_VMTOP, "version of the recorder");
	when(j);
	vmt_schema_plain(j, "boot_id", "string", true, NULL, "the kernel's id of this boot");
	vmt_schema_plain(j, "interval_ns", "integer", true, NULL,
			 "between samples, as they were to be");
	definition(j, "host");
	vmt_schema_object(j, "the machine", false);
	vmt_schema_const(j, "system", "the kernel's name, as uname -s");
	vmt_json_str(j, "Linux");
	vmt_json_object_end(j);
	vmt_schema_plain(j, "release", "string", true, NULL, "release of the kernel, as uname -r");
	vmt_schema_plain(j, "machine", "string", true, NULL, "architecture, as uname -m");
	vmt_schema_plain(j, "page_size_bytes", "integer", true, NULL, "size of a base page");
	vmt_schema_plain(j, "user_hz", "integer", true, NULL, "ticks a second of /proc/PID/stat");
	vmt_schema_plain(j, "cpus", "integer", true, NULL, "processors online");
	vmt_schema_plain(j, "max_map_count", "integer", true, NULL,
			 "limit of the mappings of a process");
	vmt_schema_plain(j, "euid", "integer", true, NULL, "effective user id of the recorder");
	vmt_schema_object_end(j, host_keys, VMT_ARRAY_LEN(host_keys));
	vmt_json_object_end(j);
	line_end(j, keys, VMT_ARRAY_LEN(keys));
}

static void sample(struct vmt_json *j, bool key)
{
	static const char *const of_key[] = { "type",	      "realtime_ns", "key_ns", "took_ns",
					      "missed_total", "data",	     "scan",   "time",
					      "monotonic_ns", "boottime_ns" };
	const size_t always = 6;

	line(j, key ? "key_sample" : "sample", "sample",
	     key ? "a sample that others are told from" : "how a sample differs from a key sample");
	clocks(j);
	vmt_schema_plain(j, "key_ns", "integer", false, NULL, "monotonic_ns of the key sample");
	if (key)
		when(j);
	vmt_schema_plain(j, "took_ns", "integer", false, NULL, "time that collecting took");
	vmt_schema_plain(j, "missed_total", "integer", false, NULL,
			 "ticks that no sample was taken for, since the recorder began");
	vmt_schema_scan(j);
	data(j, key);
	sources(j);
	vmt_schema_object_end(j, of_key, key ? VMT_ARRAY_LEN(of_key) : always);
	/* Both clocks, or none. */
	if (!key) {
		static const char *const pair[] = { "monotonic_ns", "boottime_ns" };
		size_t i;

		vmt_json_key(j, "dependentRequired");
		vmt_json_object(j);
		for (i = 0; i < VMT_ARRAY_LEN(pair); i++) {
			vmt_json_key(j, pair[i]);
			vmt_json_array(j);
			vmt_json_str(j, pair[1 - i]);
			vmt_json_array_end(j);
		}
		vmt_json_object_end(j);
	}
	vmt_json_object_end(j);
}

static void gap(struct vmt_json *j)
{
	static const char *const reasons[] = { "stopped", "suspended", "clock" };
	static const char *const keys[] = { "type", "realtime_ns", "monotonic_ns", "boottime_ns",
					    "time", "reason",	   "duration_ns" };
	size_t i;

	line(j, "gap_line", "gap", "time that no sample covers, before the next one");
	clocks(j);
	when(j);
	definition(j, "reason");
	vmt_json_key(j, "enum");
	vmt_json_array(j);
	for (i = 0; i < VMT_ARRAY_LEN(reasons); i++)
		vmt_json_str(j, reasons[i]);
	vmt_json_array_end(j);
	vmt_json_object_end(j);
	definition(j, "duration_ns");
	vmt_schema_text(j, "description", "how long; of clock how far it was set, back below 0");
	vmt_schema_type(j, "integer", false);
	vmt_json_object_end(j);
	line_end(j, keys, VMT_ARRAY_LEN(keys));
}

static void end(struct vmt_json *j)
{
	static const char *const keys[] = { "type",   "realtime_ns",   "time",
					    "reason", "samples_total", "missed_total" };

	line(j, "end", "end", "the last line of a recorder that ended by itself");
	vmt_schema_plain(j, "realtime_ns", "integer", false, NULL, "since 1970");
	when(j);
	vmt_schema_plain(j, "reason", "string", false, "^[a-z]+$", "why, in a word");
	vmt_schema_plain(j, "samples_total", "integer", false, NULL, "that it wrote to this file");
	vmt_schema_plain(j, "missed_total", "integer", false, NULL,
			 "ticks that no sample was taken for, since it began");
	line_end(j, keys, VMT_ARRAY_LEN(keys));
}

void vmt_schema_recording(struct vmt_json *j)
{
	static const char *const lines[] = { "header", "key_sample", "sample", "gap_line", "end" };
	size_t i;

	vmt_json_object(j);
	vmt_schema_title(j, VMT_SCHEMA_RECORDING, VMT_RECORDING_VERSION);
	vmt_schema_text(j, "description", "a line of a recording");
	vmt_json_key(j, "oneOf");
	vmt_json_array(j);
	for (i = 0; i < VMT_ARRAY_LEN(lines); i++) {
		vmt_json_object(j);
		vmt_schema_ref(j, lines[i]);
		vmt_json_object_end(j);
	}
	vmt_json_array_end(j);
	vmt_json_key(j, "$defs");
	vmt_json_object(j);
	header(j);
	sample(j, true);
	sample(j, false);
	gap(j);
	end(j);
	source(j);
	for (i = 0; i < N_PARTS; i++) {
		const struct vmt_recorded_part p = part_at(i);

		rows_of(j, &p);
	}
	vmt_json_object_end(j);
	vmt_json_object_end(j);
}
