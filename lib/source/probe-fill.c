/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The lists of free rows: tens of thousands of numbers, which took a system call each. A program
 * that user space runs (BPF_PROG_TEST_RUN of a raw tracepoint, Linux 5.10) puts some hundred at
 * once; where there is no such thing, it is the system calls. And how many rows there shall be for
 * tasks.
 */

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/parse.h"
#include "source/probe-aid.h"
#include "source/probe-load.h"

#define TASKS_LEAST 16384u
#define TASKS_MOST  (1u << 20)

/* How far it came. */
static uint32_t fill_at_once(int queue, uint32_t first, uint32_t n)
{
	VMT_AUTO_CLOSE int prog = vmt_aid_fill(queue);

	while (prog >= 0 && first < n) {
		uint64_t args[] = { first, n };
		LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = args, .ctx_size_in = sizeof(args));

		if (bpf_prog_test_run_opts(prog, &opts) || opts.retval <= first || opts.retval > n)
			break;
		first = opts.retval;
	}
	return first;
}

int vmt_probe_resize(struct bpf_object *object, const char *name, uint32_t entries)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, name);

	return map ? bpf_map__set_max_entries(map, entries) : -ENOENT;
}

int vmt_probe_fill_queue(struct bpf_map *queue, uint32_t first, uint32_t n)
{
	int fd = bpf_map__fd(queue);

	for (uint32_t i = fill_at_once(fd, first, n); i < n; i++)
		if (bpf_map_update_elem(fd, NULL, &i, BPF_ANY))
			return -errno;
	return 0;
}

int vmt_probe_fill(struct vmt_probe_loaded *l, const char *queue, uint32_t first, uint32_t n,
		   struct vmt_err *err)
{
	struct bpf_map *map = bpf_object__find_map_by_name(l->ops->object(l->skeleton), queue);
	int r;

	if (!map)
		return vmt_err_set(err, -ENOENT, NULL, 0, "no table %s", queue);
	r = vmt_probe_fill_queue(map, first, n);
	return r ? vmt_err_set(err, r, NULL, 0, "cannot fill %s", queue) : 0;
}

uint32_t vmt_probe_tasks_usual(void)
{
	VMT_AUTO_CLOSE int fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
	char text[128];
	struct vmt_bytes cur;
	uint64_t n = 0;
	ssize_t got;

	if (fd < 0)
		return TASKS_LEAST;
	got = read(fd, text, sizeof(text));
	if (got <= 0)
		return TASKS_LEAST;
	cur = (struct vmt_bytes){ text, (size_t)got };
	while (cur.len && cur.ptr[0] != '/')
		cur = (struct vmt_bytes){ cur.ptr + 1, cur.len - 1 };
	if (vmt_take_char(&cur, '/') || vmt_take_u64(&cur, &n))
		return TASKS_LEAST;
	n *= 2;
	return n < TASKS_LEAST ? TASKS_LEAST : n > TASKS_MOST ? TASKS_MOST : (uint32_t)n;
}
