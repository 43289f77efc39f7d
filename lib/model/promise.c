/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/promise.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "model/proc-group.h"
#include "model/vm-flags.h"

struct vmt_shared_anon_map {
	uint64_t inode;
	uint64_t end; /* bytes from the start of the object to the end of the mapping */
	uint64_t rss; /* bytes */
};

/* Made by mm/shmem.c shmem_zero_setup(), and charged when it was made. */
static bool is_shared_anon(const struct vmt_map *m)
{
	return VMT_HAS(map, vm_flags, m) && VMT_HAS(map, rss_bytes, m) &&
	       vmt_bytes_is(m->kind, "shmem") && vmt_bytes_is(m->path, "/dev/zero (deleted)") &&
	       m->perms.len == 4 && m->perms.ptr[3] == 's' && !vmt_vm_flags_have(m->vm_flags, "nr");
}

int vmt_shared_anon_add(struct vmt_shared_anon *a, const struct vmt_map *maps, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		struct vmt_shared_anon_map map = { .inode = maps[i].inode };

		if (!is_shared_anon(&maps[i]) ||
		    __builtin_add_overflow(maps[i].offset_bytes, maps[i].size_bytes, &map.end))
			continue;
		map.rss = maps[i].rss_bytes;
		if (vmt_grow(&a->maps, &a->cap, a->n + 1, sizeof(*a->maps)) < 0)
			return -ENOMEM;
		a->maps[a->n++] = map;
	}
	return 0;
}

static int by_inode(const void *a, const void *b)
{
	const struct vmt_shared_anon_map *x = a, *y = b;

	return (x->inode > y->inode) - (x->inode < y->inode);
}

bool vmt_shared_anon_untouched(struct vmt_shared_anon *a, uint64_t *ret)
{
	uint64_t sum = 0, end = 0, rss = 0;
	size_t i;

	if (a->n)
		qsort(a->maps, a->n, sizeof(*a->maps), by_inode);
	for (i = 0; i < a->n; i++) {
		const struct vmt_shared_anon_map *m = &a->maps[i];

		end = m->end > end ? m->end : end;
		rss = m->rss > rss ? m->rss : rss;
		if (i + 1 < a->n && a->maps[i + 1].inode == m->inode)
			continue;
		if (end > rss && __builtin_add_overflow(sum, end - rss, &sum))
			return false;
		end = rss = 0;
	}
	*ret = sum;
	return true;
}

void vmt_shared_anon_done(struct vmt_shared_anon *a)
{
	free(a->maps);
	*a = (struct vmt_shared_anon){ 0 };
}

/* Whether its address space is that of another one that is among them. */
static bool is_again(const struct vmt_proc *procs, size_t n, const struct vmt_proc *p)
{
	uint64_t first = vmt_proc_mm(p);
	size_t i;

	for (i = 0; first != p->pid && i < n; i++)
		if (procs[i].pid == first)
			return true;
	return false;
}

static void set_size(struct vmt_commit_part *row, uint64_t bytes)
{
	if (bytes <= INT64_MAX)
		VMT_SET(commit_part, size_bytes, row, (int64_t)bytes);
}

/* One more process; a sum that no machine can have is unknown. */
static void add(struct vmt_commit_part *row, uint64_t bytes)
{
	bool known = VMT_HAS(commit_part, size_bytes, row);
	uint64_t sum;

	VMT_SET(commit_part, processes, row, row->processes + 1);
	VMT_UNSET(commit_part, size_bytes, row);
	if (known && !__builtin_add_overflow((uint64_t)row->size_bytes, bytes, &sum))
		set_size(row, sum);
}

void vmt_commit_parts(const struct vmt_system *s, const struct vmt_proc *procs, size_t n,
		      bool has_untouched, uint64_t untouched,
		      struct vmt_commit_part rows[VMT_COMMIT_PART_COUNT])
{
	static const struct {
		const char *name;
		const char *from;
	} texts[VMT_COMMIT_PART_COUNT] = {
		[VMT_COMMIT_PROCESSES] = { "processes", "COMMIT: accountable mappings, by smaps" },
		[VMT_COMMIT_ESTIMATED] = { "estimated",
					   "VmData + VmStk, where smaps was not read: an estimate" },
		[VMT_COMMIT_SHMEM] = { "shmem",
				       "Shmem: tmpfs and shared memory, as far as resident" },
		[VMT_COMMIT_UNTOUCHED] = { "untouched",
					   "shared anonymous memory of processes that could be read, "
					   "and SysV segments, less what is resident" },
		[VMT_COMMIT_REST] = { "rest", "Committed_AS - all of the above" },
	};
	bool known = VMT_HAS(system, committed_bytes, s) && s->committed_bytes <= INT64_MAX;
	int64_t rest = known ? (int64_t)s->committed_bytes : 0;
	size_t i;

	for (i = 0; i < VMT_COMMIT_PART_COUNT; i++) {
		rows[i] = (struct vmt_commit_part){ 0 };
		VMT_SET(commit_part, name, &rows[i], vmt_bytes_of(texts[i].name));
		VMT_SET(commit_part, from, &rows[i], vmt_bytes_of(texts[i].from));
	}
	/* Every machine has processes: none of them means that they could not be listed. */
	for (i = VMT_COMMIT_PROCESSES; n && i <= VMT_COMMIT_ESTIMATED; i++) {
		VMT_SET(commit_part, processes, &rows[i], 0);
		VMT_SET(commit_part, size_bytes, &rows[i], 0);
	}
	for (i = 0; i < n; i++) {
		if (is_again(procs, n, &procs[i]))
			continue;
		if (VMT_HAS(proc, commit_bytes, &procs[i]))
			add(&rows[VMT_COMMIT_PROCESSES], procs[i].commit_bytes);
		else if (VMT_HAS(proc, commit_estimate_bytes, &procs[i]))
			add(&rows[VMT_COMMIT_ESTIMATED], procs[i].commit_estimate_bytes);
	}
	if (VMT_HAS(system, shared_bytes, s))
		set_size(&rows[VMT_COMMIT_SHMEM], s->shared_bytes);
	if (has_untouched)
		set_size(&rows[VMT_COMMIT_UNTOUCHED], untouched);
	for (i = 0; known && i < VMT_COMMIT_REST; i++)
		if (VMT_HAS(commit_part, size_bytes, &rows[i]))
			known = !__builtin_sub_overflow(rest, rows[i].size_bytes, &rest);
	if (known)
		VMT_SET(commit_part, size_bytes, &rows[VMT_COMMIT_REST], rest);
	for (i = 0; known && s->committed_bytes && i < VMT_COMMIT_PART_COUNT; i++) {
		double percent = (double)rows[i].size_bytes * 1e5 / (double)s->committed_bytes;

		/* A saved machine may say anything. */
		if (VMT_HAS(commit_part, size_bytes, &rows[i]) && fabs(percent) < 9e18)
			VMT_SET(commit_part, committed_percent, &rows[i], (int64_t)percent);
	}
}
