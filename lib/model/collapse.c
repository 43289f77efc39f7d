/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/collapse.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const steps[VMT_COLLAPSE_STEPS] = {
	[VMT_COLLAPSE_SCAN] = "scan",
	[VMT_COLLAPSE_DONE] = "collapse",
	[VMT_COLLAPSE_SCAN_FILE] = "scan_file",
	[VMT_COLLAPSE_DONE_FILE] = "collapse_file",
};

static const struct {
	const char *name;
	const char *text;
} reasons[] = {
#define R(name, text) { name, text },
#include "model/collapse-reason.def"
#undef R
};

/* NULL where this result is not known. */
static const char *reason_of(const struct vmt_collapse_raw *raw)
{
	if (!raw->name)
		return NULL;
	if (!strcmp(raw->name, "SCAN_SUCCEED"))
		return raw->step == VMT_COLLAPSE_SCAN || raw->step == VMT_COLLAPSE_SCAN_FILE
			       ? "nothing was against it: a collapse was tried, or is done"
			       : "it is a huge page now";
	/* collapse_file() says so of what it made for MADV_COLLAPSE. */
	if (raw->step == VMT_COLLAPSE_DONE_FILE && !strcmp(raw->name, "SCAN_PTE_MAPPED_HUGEPAGE"))
		return "it is a huge page now or before, still mapped page by page";
	for (size_t i = 0; i < VMT_ARRAY_LEN(reasons); i++)
		if (!strcmp(raw->name, reasons[i].name))
			return reasons[i].text;
	return NULL;
}

static struct vmt_bytes copy(struct vmt_arena *arena, const char *text, size_t len)
{
	const char *c = vmt_arena_copy(arena, text, len);

	return (struct vmt_bytes){ c, c ? len : 0 };
}

static void fill(const struct vmt_collapse_raw *raw, struct vmt_arena *arena,
		 struct vmt_event_collapse *row)
{
	const char *reason = reason_of(raw);
	char number[32];

	*row = (struct vmt_event_collapse){ 0 };
	if (raw->pid) {
		VMT_SET(event_collapse, pid, row, raw->pid);
		VMT_SET(event_collapse, comm, row,
			copy(arena, raw->comm, strnlen(raw->comm, sizeof(raw->comm))));
		VMT_SET(event_collapse, uid, row, raw->uid);
		VMT_SET(event_collapse, start_time_ns, row, raw->start_ns);
	}
	if ((unsigned)raw->step < VMT_COLLAPSE_STEPS)
		VMT_SET(event_collapse, step, row, vmt_bytes_of(steps[raw->step]));
	VMT_SET(event_collapse, times_total, row, raw->times);
	if (raw->name) {
		VMT_SET(event_collapse, result, row, copy(arena, raw->name, strlen(raw->name)));
	} else {
		snprintf(number, sizeof(number), "unknown (%d)", raw->result);
		VMT_SET(event_collapse, result, row, copy(arena, number, strlen(number)));
	}
	if (reason)
		VMT_SET(event_collapse, reason, row, vmt_bytes_of(reason));
}

int vmt_collapse_rows(const struct vmt_collapse_sample *s, struct vmt_arena *arena,
		      struct vmt_event_collapse **ret, size_t *ret_n)
{
	struct vmt_event_collapse *rows = vmt_arena_alloc(arena, s->n + 1, sizeof(*rows));
	size_t n = s->n;

	if (!rows)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		fill(&s->raws[i], arena, &rows[i]);
	if (s->shared) {
		rows[n] = (struct vmt_event_collapse){ 0 };
		VMT_SET(event_collapse, times_total, &rows[n], s->shared);
		n++;
	}
	*ret = rows;
	*ret_n = n;
	return arena->failed ? -ENOMEM : 0;
}
