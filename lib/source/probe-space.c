/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/probe-space.h"

#include <stdlib.h>
#include <string.h>

#define NO_ROW SIZE_MAX

void vmt_spaces_init(struct vmt_spaces *s, size_t max_rows)
{
	*s = (struct vmt_spaces){ .max_rows = max_rows };
	vmt_arena_init(&s->arena);
}

void vmt_spaces_done(struct vmt_spaces *s)
{
	for (size_t i = 0; i < s->n_spaces; i++) {
		free(s->spaces[i]->maps);
		free(s->spaces[i]);
	}
	free(s->spaces);
	free(s->rows);
	free(s->free_rows);
	free(s->paths);
	vmt_arena_done(&s->arena);
	*s = (struct vmt_spaces){ 0 };
}

struct vmt_space *vmt_spaces_get(struct vmt_spaces *s, uint64_t pid)
{
	size_t low = 0, high = s->n_spaces;
	struct vmt_space *space;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->spaces[mid]->pid < pid)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < s->n_spaces && s->spaces[low]->pid == pid)
		return s->spaces[low];
	space = calloc(1, sizeof(*space));
	if (!space ||
	    vmt_grow(&s->spaces, &s->cap_spaces, s->n_spaces + 1, sizeof(struct vmt_space *))) {
		free(space);
		s->no_memory = true;
		return NULL;
	}
	space->pid = pid;
	memmove(&s->spaces[low + 1], &s->spaces[low],
		(s->n_spaces - low) * sizeof(struct vmt_space *));
	s->spaces[low] = space;
	s->n_spaces++;
	return space;
}

void vmt_space_name(struct vmt_space *space, const char *comm, size_t len)
{
	space->comm_len = len < sizeof(space->comm) ? len : sizeof(space->comm);
	memcpy(space->comm, comm, space->comm_len);
}

/* The first mapping that ends behind an address. */
static size_t first_behind(const struct vmt_space *space, uint64_t address)
{
	size_t low = 0, high = space->n_maps;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (space->maps[mid].end <= address)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool insert(struct vmt_spaces *s, struct vmt_space *space, size_t at,
		   struct vmt_space_map map)
{
	if (vmt_grow(&space->maps, &space->cap_maps, space->n_maps + 1, sizeof(*space->maps))) {
		s->no_memory = true;
		return false;
	}
	memmove(&space->maps[at + 1], &space->maps[at],
		(space->n_maps - at) * sizeof(*space->maps));
	space->maps[at] = map;
	space->n_maps++;
	return true;
}

/* Takes a range out of what is mapped. */
static void clear(struct vmt_spaces *s, struct vmt_space *space, uint64_t start, uint64_t end)
{
	size_t i = first_behind(space, start);

	while (i < space->n_maps && space->maps[i].start < end) {
		struct vmt_space_map *m = &space->maps[i];

		if (m->start < start && m->end > end) {
			struct vmt_space_map rest = { end, m->end, m->row };

			m->end = start;
			insert(s, space, i + 1, rest);
			return;
		}
		if (m->start < start) {
			m->end = start;
			i++;
		} else if (m->end > end) {
			m->start = end;
			return;
		} else {
			memmove(m, m + 1, (space->n_maps - i - 1) * sizeof(*m));
			space->n_maps--;
		}
	}
}

static bool same(const struct vmt_space_row *row, const struct vmt_space_new *map)
{
	if (row->inode != map->inode || row->dev_major != map->dev_major ||
	    row->dev_minor != map->dev_minor || (row->vm_flags & 8) != (map->vm_flags & 8) ||
	    !vmt_bytes_equal(row->path, map->path))
		return false;
	/* The place in the file moves with the address. */
	return !map->inode || row->offset - row->start == map->offset - map->start;
}

static size_t path_slot(const struct vmt_bytes *table, size_t cap, struct vmt_bytes path)
{
	uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */
	size_t i;

	for (size_t k = 0; k < path.len; k++)
		hash = (hash ^ (unsigned char)path.ptr[k]) * 0x100000001b3;
	for (i = hash & (cap - 1); table[i].len && !vmt_bytes_equal(table[i], path);)
		i = (i + 1) & (cap - 1);
	return i;
}

/* The one copy of a path; processes map the same files again and again. */
static bool keep_path(struct vmt_spaces *s, struct vmt_bytes path, struct vmt_bytes *ret)
{
	size_t i;
	char *copy;

	if ((s->n_paths + 1) * 2 > s->cap_paths) {
		size_t cap = s->cap_paths ? s->cap_paths * 2 : 256;
		struct vmt_bytes *table = calloc(cap, sizeof(*table));

		if (!table)
			return false;
		for (i = 0; i < s->cap_paths; i++)
			if (s->paths[i].len)
				table[path_slot(table, cap, s->paths[i])] = s->paths[i];
		free(s->paths);
		s->paths = table;
		s->cap_paths = cap;
	}
	i = path_slot(s->paths, s->cap_paths, path);
	if (!s->paths[i].len) {
		copy = vmt_arena_copy(&s->arena, path.ptr, path.len);
		if (!copy)
			return false;
		s->paths[i] = (struct vmt_bytes){ copy, path.len };
		s->n_paths++;
	}
	*ret = s->paths[i];
	return true;
}

static size_t take_row(struct vmt_spaces *s)
{
	if (s->n_free)
		return s->free_rows[--s->n_free];
	if (s->n_rows >= s->max_rows)
		return NO_ROW;
	if (vmt_grow(&s->rows, &s->cap_rows, s->n_rows + 1, sizeof(*s->rows))) {
		s->no_memory = true;
		return NO_ROW;
	}
	return s->n_rows++;
}

/* Rows that nothing faulted in can be others'. Parts of one mapping share a row. */
static void release(struct vmt_spaces *s, struct vmt_space *space)
{
	for (size_t i = 0; i < space->n_maps; i++) {
		size_t at = space->maps[i].row;

		if (at == NO_ROW || s->rows[at].minor || s->rows[at].major || !s->rows[at].pid)
			continue;
		if (vmt_grow(&s->free_rows, &s->cap_free, s->n_free + 1, sizeof(*s->free_rows)))
			break;
		s->rows[at].pid = 0;
		s->free_rows[s->n_free++] = at;
	}
	space->n_maps = 0;
}

static size_t new_row(struct vmt_spaces *s, const struct vmt_space *space,
		      const struct vmt_space_new *map)
{
	struct vmt_space_row *row;
	struct vmt_bytes path = { NULL, 0 };
	size_t at;

	if (map->path.len && !keep_path(s, map->path, &path)) {
		s->no_memory = true;
		return NO_ROW;
	}
	at = take_row(s);
	if (at == NO_ROW)
		return NO_ROW;
	row = &s->rows[at];
	*row = (struct vmt_space_row){
		.pid = space->pid,
		.exec_id = space->exec_id,
		.start = map->start,
		.end = map->end,
		.offset = map->offset,
		.inode = map->inode,
		.dev_major = map->dev_major,
		.dev_minor = map->dev_minor,
		.vm_flags = map->vm_flags,
		.path = path,
		.comm_len = space->comm_len,
	};
	memcpy(row->comm, space->comm, sizeof(row->comm));
	return at;
}

void vmt_space_map(struct vmt_spaces *s, struct vmt_space *space, const struct vmt_space_new *map)
{
	size_t row = NO_ROW;

	if (map->end <= map->start)
		return;
	for (size_t i = first_behind(space, map->start);
	     row == NO_ROW && i < space->n_maps && space->maps[i].start < map->end; i++)
		if (space->maps[i].row != NO_ROW && same(&s->rows[space->maps[i].row], map))
			row = space->maps[i].row;
	clear(s, space, map->start, map->end);
	if (row == NO_ROW)
		row = new_row(s, space, map);
	if (row != NO_ROW) {
		struct vmt_space_row *r = &s->rows[row];

		if (map->start < r->start) {
			r->offset = map->offset;
			r->start = map->start;
		}
		if (map->end > r->end)
			r->end = map->end;
		r->vm_flags = map->vm_flags;
	}
	insert(s, space, first_behind(space, map->start),
	       (struct vmt_space_map){ map->start, map->end, row });
}

void vmt_space_exec(struct vmt_spaces *s, struct vmt_space *space)
{
	release(s, space);
	space->exec_id++;
}

void vmt_space_exit(struct vmt_spaces *s, struct vmt_space *space)
{
	release(s, space);
	free(VMT_STEAL(space->maps));
	space->cap_maps = 0;
	space->exited = true;
}

void vmt_spaces_forget_exited(struct vmt_spaces *s)
{
	size_t n = s->n_spaces;

	s->n_spaces = 0;
	for (size_t i = 0; i < n; i++) {
		struct vmt_space *space = s->spaces[i];

		if (space->exited) {
			free(space->maps);
			free(space);
		} else {
			s->spaces[s->n_spaces++] = space;
		}
	}
}

void vmt_space_fork(struct vmt_spaces *s, const struct vmt_space *parent, struct vmt_space *child)
{
	release(s, child);
	vmt_space_name(child, parent->comm, parent->comm_len);
	for (size_t i = 0; i < parent->n_maps; i++) {
		const struct vmt_space_map *m = &parent->maps[i];
		struct vmt_space_new copy = { .start = m->start, .end = m->end };

		if (m->row != NO_ROW) {
			const struct vmt_space_row *r = &s->rows[m->row];

			copy.offset = r->offset + (r->inode ? m->start - r->start : 0);
			copy.inode = r->inode;
			copy.dev_major = r->dev_major;
			copy.dev_minor = r->dev_minor;
			copy.vm_flags = r->vm_flags;
			copy.path = r->path;
		}
		vmt_space_map(s, child, &copy);
	}
	child->read_ns = parent->read_ns;
}

bool vmt_space_fault(struct vmt_spaces *s, struct vmt_space *space, uint64_t address, bool major,
		     bool user)
{
	size_t i = first_behind(space, address);
	struct vmt_space_row *row;

	if (i == space->n_maps || space->maps[i].start > address)
		return false;
	if (space->maps[i].row == NO_ROW) {
		space->dropped++;
		return true;
	}
	row = &s->rows[space->maps[i].row];
	if (major)
		row->major++;
	else
		row->minor++;
	if (user)
		row->user++;
	else
		row->kernel++;
	space->mapped++;
	return true;
}
