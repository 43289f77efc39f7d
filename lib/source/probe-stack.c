/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/probe-stack.h"

#include <assert.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"

static_assert(VMT_FAULT_STACK_MOST == VMT_STACK_USER, "the same depth");

/* An administrator can lower it: a map for longer stacks is refused. */
uint32_t vmt_probe_frames_most(void)
{
	VMT_AUTO_CLOSE int fd = open("/proc/sys/kernel/perf_event_max_stack", O_RDONLY | O_CLOEXEC);
	char text[32];
	struct vmt_bytes cur;
	uint64_t v;
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));

	if (n <= 0)
		return VMT_STACK_USER;
	cur = (struct vmt_bytes){ text, (size_t)n };
	if (vmt_take_u64(&cur, &v) || v == 0 || v > VMT_STACK_USER)
		return VMT_STACK_USER;
	return (uint32_t)v;
}

int vmt_probe_stacks_configure(struct bpf_object *object, enum vmt_stack_depth depth, bool small)
{
	static const char *const tables[] = { "stacks",	     "stacks_more", "stack_rows",
					      "stack_index", "stack_free",  "codes",
					      "code_index",  "code_free" };
	static const char *const traces[] = { "stacks", "stacks_more" };
	bool off = depth == VMT_STACK_NONE || small;
	uint32_t frames = off || depth == VMT_STACK_LEAF ? 1 : vmt_probe_frames_most();
	int r = 0;

	/* A single frame needs little room: collisions are rarer in a larger map. */
	if (depth == VMT_STACK_LEAF && !small)
		r = vmt_probe_resize(object, "stacks", 1u << 15)
			    ?: vmt_probe_resize(object, "stacks_more", 1u << 17);
	for (size_t i = 0; off && i < VMT_ARRAY_LEN(tables); i++)
		r = r ?: vmt_probe_resize(object, tables[i], 1);
	for (size_t i = 0; i < VMT_ARRAY_LEN(traces); i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(object, traces[i]);

		if (!map)
			return -ENOENT;
		r = r ?: bpf_map__set_value_size(map, frames * (uint32_t)sizeof(__u64));
	}
	return r;
}

int vmt_probe_stacks_map(struct vmt_probe_loaded *l, struct vmt_probe_stacks *s,
			 struct vmt_err *err)
{
	int r;

	if (s->depth == VMT_STACK_NONE)
		return 0;
	r = vmt_probe_map(l, "stack_rows", &s->rows, err);
	r = r ?: vmt_probe_map(l, "codes", &s->codes, err);
	r = r ?: vmt_probe_fill(l, "stack_free", 0, (uint32_t)s->rows.len, err);
	r = r ?: vmt_probe_fill(l, "code_free", 0, (uint32_t)s->codes.len, err);
	return r;
}

void vmt_probe_stacks_unmap(struct vmt_probe_stacks *s)
{
	vmt_probe_unmap(&s->rows);
	vmt_probe_unmap(&s->codes);
}

int vmt_probe_stack_copy(const struct vmt_slot_stack *from, uint32_t most, struct vmt_arena *arena,
			 struct vmt_fault_stack *to)
{
	uint32_t n_user = from->n_user < VMT_STACK_USER ? from->n_user : VMT_STACK_USER;
	uint32_t n_kernel = from->n_kernel < VMT_STACK_KERNEL ? from->n_kernel : VMT_STACK_KERNEL;
	size_t len = strnlen(from->comm, sizeof(from->comm));
	char *comm = vmt_arena_copy(arena, from->comm, len);
	uint64_t *addresses;
	bool cut;

	/* And one more, which no chain of frame pointers has. */
	addresses = vmt_arena_alloc(arena, n_kernel + n_user + 2, sizeof(*addresses));
	if (!comm || !addresses)
		return -ENOMEM;
	memcpy(addresses, from->kernel, n_kernel * sizeof(*addresses));
	memcpy(addresses + n_kernel, from->user, n_user * sizeof(*addresses));
	cut = n_user >= most;
	if (from->caller && n_user && (n_user == 1 || from->user[1] != from->caller)) {
		uint64_t *second = addresses + n_kernel + 1;

		memmove(second + 1, second, (n_user - 1) * sizeof(*addresses));
		*second = from->caller;
		n_user++;
	}
	to->cut = cut;
	to->pid = from->tgid;
	to->start_time_ns = from->start_time;
	to->exec_id = from->exec_id;
	to->comm = (struct vmt_bytes){ comm, len };
	to->minor = from->minor;
	to->major = from->major;
	to->addresses = addresses;
	to->n_kernel = n_kernel;
	to->n_user = n_user;
	to->lost = from->user_id < 0 ? from->user_id : 0;
	if (!to->lost && from->kernel_id < 0 && from->kernel_id != -EFAULT)
		to->lost = from->kernel_id;
	return 0;
}

static int copy_code(const struct vmt_slot_code *from, const struct vmt_probe_array *names,
		     struct vmt_arena *arena, struct vmt_fault_code *to)
{
	const struct vmt_slot_name *name;
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	to->pid = from->tgid;
	to->start_time_ns = from->start_time;
	to->exec_id = from->exec_id;
	to->start = from->vm_start;
	to->end = from->vm_end;
	to->offset_bytes = from->vm_pgoff * page;
	to->inode = from->ino;
	to->dev_major = from->dev >> 20;
	to->dev_minor = from->dev & ((1u << 20) - 1);
	to->has_file = from->ino || from->dev;
	to->vdso = from->vdso;
	if (!from->name || from->name > names->len)
		return 0;
	name = vmt_probe_at(names, from->name - 1);
	return name->ready
		       ? vmt_probe_path(name, false, arena, &to->path, &to->deleted, &to->path_cut)
		       : 0;
}

static size_t count_ready(const struct vmt_probe_array *a)
{
	size_t n = 0;

	/* Both kinds of rows begin with it. */
	for (size_t i = 0; i < a->len; i++)
		n += *(const volatile __u32 *)vmt_probe_at(a, i) != 0;
	return n;
}

int vmt_probe_codes_read(const struct vmt_probe_stacks *s, const struct vmt_probe_array *names,
			 uint32_t hidden, struct vmt_arena *arena, struct vmt_fault_sample *ret)
{
	size_t n = count_ready(&s->codes);

	if (s->depth == VMT_STACK_NONE)
		return 0;
	ret->codes = vmt_arena_alloc(arena, n + 1, sizeof(*ret->codes));
	if (!ret->codes)
		return -ENOMEM;
	for (size_t i = 0; i < s->codes.len && ret->n_codes < n; i++) {
		const struct vmt_slot_code *from = vmt_probe_at(&s->codes, i);
		int r;

		if (!from->ready || (hidden && from->tgid == hidden))
			continue;
		r = copy_code(from, names, arena, &ret->codes[ret->n_codes++]);
		if (r)
			return r;
	}
	return 0;
}

int vmt_probe_stacks_read(const struct vmt_probe_stacks *s, const struct vmt_probe_array *names,
			  uint32_t hidden, struct vmt_arena *arena, struct vmt_fault_sample *ret)
{
	size_t n_stacks = count_ready(&s->rows);
	uint32_t most;
	int r;

	if (s->depth == VMT_STACK_NONE)
		return 0;
	most = vmt_probe_frames_most();
	ret->stacks = vmt_arena_alloc(arena, n_stacks + 1, sizeof(*ret->stacks));
	if (!ret->stacks)
		return -ENOMEM;
	for (size_t i = 0; i < s->rows.len && ret->n_stacks < n_stacks; i++) {
		const struct vmt_slot_stack *from = vmt_probe_at(&s->rows, i);

		if (!from->ready || (hidden && from->tgid == hidden))
			continue;
		r = vmt_probe_stack_copy(from, most, arena, &ret->stacks[ret->n_stacks++]);
		if (r)
			return r;
	}
	r = vmt_probe_codes_read(s, names, hidden, arena, ret);
	if (r)
		return r;
	ret->have |= VMT_HAVE_STACKS;
	ret->depth = s->depth;
	ret->totals.stacks_collided = s->lost->collided;
	ret->totals.stacks_full = s->lost->full;
	ret->totals.stacks_absent = s->lost->absent;
	ret->totals.stack_rows_full = s->lost->rows;
	ret->totals.codes_full = s->lost->codes;
	return 0;
}
