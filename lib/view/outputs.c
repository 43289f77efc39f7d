/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/doc.h"

static const struct vmt_entity *const with_stacks[] = { &vmt_entity_stack, &vmt_entity_event_site,
							NULL };
static const char *const with_pictures[] = { "report", "diff", NULL };

const struct vmt_output vmt_outputs[] = {
	{ "text", "tables for people", NULL, NULL, vmt_out_text },
	{ "json", "one JSON document, described by 'vmtop schema'", NULL, NULL, vmt_out_json },
	{ "ndjson", "one JSON object a line: header, rows, end", NULL, NULL, vmt_out_ndjson },
	{ "csv", "comma-separated values (RFC 4180) of the first table", NULL, NULL, vmt_out_csv },
	{ "folded", "stacks and their counts, for flame graphs; of faults and events", with_stacks,
	  NULL, vmt_out_folded },
	{ "html", "a page with pictures, in one file without script; of report and diff", NULL,
	  with_pictures, vmt_out_html },
	{ "svg", "one picture; of report and diff", NULL, with_pictures, vmt_out_svg },
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
