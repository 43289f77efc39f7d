/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/doc.h"

const struct vmt_output vmt_outputs[] = {
	{ "text", "tables for people", NULL, vmt_out_text },
	{ "json", "one JSON document, described by 'vmtop schema'", NULL, vmt_out_json },
	{ "ndjson", "one JSON object a line: header, rows, end", NULL, vmt_out_ndjson },
	{ "csv", "comma-separated values (RFC 4180) of the first table", NULL, vmt_out_csv },
	{ "folded", "stacks and their counts, for flame graphs; of faults alone", &vmt_entity_stack,
	  vmt_out_folded },
	{ 0 },
};

const struct vmt_output *vmt_output_find(const char *name)
{
	size_t i;

	for (i = 0; vmt_outputs[i].name; i++)
		if (strcmp(vmt_outputs[i].name, name) == 0)
			return &vmt_outputs[i];
	return NULL;
}
