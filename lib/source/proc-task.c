/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/proc-job.h"

#include <errno.h>

#include "source/maps.h"

struct vmt_err *vmt_proc_keep_err(struct vmt_arena *arena, const struct vmt_err *err)
{
	struct vmt_err *kept = err->text[0] ? vmt_arena_alloc(arena, 1, sizeof(*kept)) : NULL;

	if (kept)
		*kept = *err;
	return kept;
}

int vmt_proc_parse_list(const struct vmt_proc_task *task, struct vmt_arena *arena,
			struct vmt_map **ret, size_t *ret_n)
{
	const struct vmt_bytes text = { task->list.data, task->list.len };
	struct vmt_maps_parser parser;
	int r;

	vmt_maps_init(&parser, false, task->pid, arena, &task->shared->devices);
	r = vmt_maps_feed(&parser, text, "maps", NULL);
	if (r == 0)
		r = vmt_maps_finish(&parser, "maps", NULL);
	if (r == 0) {
		*ret = VMT_STEAL(parser.maps);
		*ret_n = parser.n_maps;
	}
	vmt_maps_done(&parser);
	return r;
}

void vmt_proc_keep_commit(struct vmt_proc_task *task, const struct vmt_maps_parser *parser,
			  int code)
{
	if (!parser->smaps)
		return;
	task->has_commit = code == 0 && !parser->no_commit;
	task->commit_bytes = parser->commit_bytes;
}

void vmt_proc_keep_maps(struct vmt_proc_task *task, struct vmt_maps_parser *parser, bool whole,
			int code)
{
	struct vmt_map *before;

	pthread_mutex_lock(&task->lock);
	before = task->maps;
	task->maps = parser->count_only ? NULL : VMT_STEAL(parser->maps);
	task->n_maps = parser->count_only ? 0 : parser->n_maps;
	if (whole)
		task->maps_total = parser->n_maps;
	task->has_total |= whole;
	task->has_maps = true;
	task->consistent = false;
	vmt_proc_keep_commit(task, parser, code);
	pthread_mutex_unlock(&task->lock);
	free(before);
}

void vmt_proc_task_sums(const struct vmt_proc_task *task, struct vmt_proc *p)
{
	const struct vmt_proc_read *smaps = &task->read[vmt_proc_slot(VMT_SOURCE_SMAPS)];
	const struct vmt_proc_read *maps = &task->read[vmt_proc_slot(VMT_SOURCE_MAPS)];

	if (task->has_total && maps->code != -EXDEV && smaps->code != -EXDEV)
		VMT_SET(proc, maps_total, p, task->maps_total);
	if (task->has_commit)
		VMT_SET(proc, commit_bytes, p, task->commit_bytes);
}

void vmt_proc_part_free(void *arg)
{
	struct vmt_proc_part *part = arg;

	if (!part)
		return;
	vmt_arena_done(&part->arena);
	free(part->maps);
	free(part);
}

int vmt_proc_job_copy(struct vmt_job *job, struct vmt_proc_task *ret)
{
	struct vmt_proc_task *task = vmt_job_context(job);
	struct vmt_map *maps = NULL;
	size_t n, i;
	int r = 0;

	*ret = (struct vmt_proc_task){ 0 };
	vmt_arena_init(&ret->arena);
	pthread_mutex_lock(&task->lock);
	n = task->n_maps;
	if (task->maps && n) {
		maps = calloc(n, sizeof(*maps));
		if (!maps)
			r = -ENOMEM;
		for (i = 0; maps && r == 0 && i < n; i++) {
			maps[i] = task->maps[i];
			r = vmt_row_own_text(&vmt_entity_map, &ret->arena, &maps[i],
					     i ? &maps[i - 1] : NULL,
					     i ? &task->maps[i - 1] : NULL);
		}
	} else if (task->list.len) {
		r = vmt_proc_parse_list(task, &ret->arena, &maps, &n);
	}
	ret->rollup = task->rollup;
	if (r == 0)
		r = vmt_row_own_text(&vmt_entity_proc, &ret->arena, &ret->rollup, NULL, NULL);
	if (r == 0) {
		ret->count_only = task->count_only;
		ret->maps = maps;
		ret->n_maps = maps ? n : 0;
		ret->maps_total = task->maps_total;
		ret->has_maps = task->has_maps;
		ret->has_total = task->has_total;
		ret->commit_bytes = task->commit_bytes;
		ret->has_commit = task->has_commit;
		ret->consistent = task->consistent;
		ret->compared = task->compared;
		memcpy(ret->read, task->read, sizeof(ret->read));
		for (i = 0; i < VMT_PROC_SLOTS; i++)
			if (task->read[i].err)
				ret->read[i].err =
					vmt_proc_keep_err(&ret->arena, task->read[i].err);
	}
	pthread_mutex_unlock(&task->lock);
	if (r < 0) {
		ret->rollup = (struct vmt_proc){ 0 };
		free(maps);
	}
	return r;
}
