/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/symbol-file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/parse.h"
#include "source/in-root.h"
#include "source/mapped-file.h"
#include "source/symbol-table.h"

/* Texts of symbols beyond this are not read; /proc/kallsyms has 10 MB. */
#define TEXT_MAX ((size_t)256 << 20)

/* A debug file beyond this is not read whole for its checksum. */
#define CRC_MAX (UINT64_C(2) << 30)

/*
 * How much older than its writer a file may look. The time of a file is that of the last timer
 * tick (fs/inode.c: current_time()), which comes late where the processors of a guest wait for
 * those of the host; and some file systems keep whole seconds, or every second one.
 */
#define FILE_TIME_NS UINT64_C(2000000000)

/* Opens a regular file by its path as seen from a root; no other sort is opened at all. */
static int open_below(int root, const char *path, struct stat *ret_stat)
{
	VMT_AUTO_CLOSE int fd = -1;
	char name[40];
	int r;

	while (*path == '/')
		path++;
	fd = vmt_open_in_root(root, path);
	if (fd < 0)
		return fd;
	if (fstat(fd, ret_stat) < 0)
		return -errno;
	if (!S_ISREG(ret_stat->st_mode))
		return -EINVAL;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	r = open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return r < 0 ? -errno : r;
}

/* The symbols of a debug file, where it belongs to the program that link is of. by_name: nothing
 * but its name says so yet. */
static int try_debug(int root, const struct vmt_buf *path, const struct vmt_debug_link *link,
		     bool by_name, struct vmt_symbol_table **ret)
{
	VMT_CLEANUP(vmt_symbol_table_freep) struct vmt_symbol_table *t = NULL;
	struct vmt_debug_link own;
	VMT_AUTO_CLOSE int fd = -1;
	struct stat st;
	uint32_t crc;
	int r = vmt_buf_error(path);

	if (r < 0)
		return r;
	fd = open_below(root, path->data, &st);
	if (fd < 0)
		return fd;
	r = vmt_symbol_table_read(fd, &t, NULL, &own);
	if (r < 0)
		return r;
	if (own.build_id_len && link->build_id_len) {
		if (own.build_id_len != link->build_id_len ||
		    memcmp(own.build_id, link->build_id, own.build_id_len) != 0)
			return -ESTALE;
	} else if (!by_name) {
		return -ESTALE;
	} else {
		if (lseek(fd, 0, SEEK_SET) < 0)
			return -errno;
		r = vmt_debug_link_crc(fd, CRC_MAX, &crc);
		if (r < 0)
			return r;
		if (crc != link->crc)
			return -ESTALE;
	}
	*ret = VMT_STEAL(t);
	return 0;
}

/*
 * Where debug files lie by agreement (GDB manual, "Debugging Information in Separate Files"): by
 * build-id below /usr/lib/debug; by the name that the program has for it, beside it, in .debug, and
 * below /usr/lib/debug. The network is not asked.
 */
static int find_debug(int own_root, int root, struct vmt_bytes path,
		      const struct vmt_debug_link *link, struct vmt_symbol_table **ret)
{
	static const char *const before[] = { "", "", "/usr/lib/debug" };
	static const char *const between[] = { "", ".debug/", "" };
	VMT_AUTO_BUF name = { 0 };
	size_t i;

	if (link->build_id_len > 1) {
		vmt_buf_adds(&name, "/usr/lib/debug/.build-id/");
		for (i = 0; i < link->build_id_len; i++)
			vmt_buf_addf(&name, i == 1 ? "/%02x" : "%02x", link->build_id[i]);
		vmt_buf_adds(&name, ".debug");
		if (try_debug(own_root, &name, link, false, ret) == 0)
			return 0;
		if (root != own_root && try_debug(root, &name, link, false, ret) == 0)
			return 0;
	}
	while (path.len && path.ptr[path.len - 1] != '/')
		path.len--;
	for (i = 0; link->name[0] && i < VMT_ARRAY_LEN(before); i++) {
		vmt_buf_clear(&name);
		vmt_buf_adds(&name, before[i]);
		vmt_buf_add(&name, path.ptr, path.len);
		vmt_buf_adds(&name, between[i]);
		vmt_buf_adds(&name, link->name);
		if (try_debug(root, &name, link, true, ret) == 0)
			return 0;
	}
	return -ENOENT;
}

/* Opens the mapped file by what its process maps. One that has ended maps nothing any more, though
 * it be in the list, as a zombie is: then by its path as we see it. *ret_dir: whose root that is.
 */
static int open_mapped(struct vmt_symbol_task *t, int *ret_dir)
{
	VMT_AUTO_CLOSE int dir = -1;
	VMT_AUTO_CLOSE int own = -1;
	int fd = -ESRCH;

	if (t->pid) {
		dir = vmt_root_open_pid(t->shared->root, t->pid);
		fd = dir < 0 ? dir : vmt_mapped_file_open(dir, &t->map);
	}
	if (fd == -ESRCH || fd == -ENOENT) {
		/* What lies there in our own memory is no matter. */
		VMT_SET(map, start, &t->map, 0);
		VMT_SET(map, end, &t->map, 0);
		own = vmt_root_open_pid(t->shared->root, (uint64_t)getpid());
		fd = own < 0 ? own : vmt_mapped_file_open(own, &t->map);
		*ret_dir = VMT_STEAL_FD(own);
	} else {
		*ret_dir = VMT_STEAL_FD(dir);
	}
	return fd;
}

static int run_file(struct vmt_symbol_task *t)
{
	VMT_CLEANUP(vmt_symbol_table_freep) struct vmt_symbol_table *table = NULL, *debug = NULL;
	struct vmt_debug_link link;
	VMT_AUTO_CLOSE int dir = -1;
	VMT_AUTO_CLOSE int fd = -1;
	VMT_AUTO_CLOSE int root = -1;
	bool full;
	size_t i;
	int r;

	fd = open_mapped(t, &dir);
	if (fd < 0)
		return fd;
	r = vmt_symbol_table_read(fd, &table, &full, &link);
	if (r < 0)
		return r;
	if (!full && t->map.path.len && t->map.path.ptr[0] == '/') {
		root = openat(dir, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (find_debug(t->shared->root->fd, root < 0 ? t->shared->root->fd : root,
			       t->map.path, &link, &debug) == 0)
			vmt_symbol_table_replace(table, debug);
	}
	for (i = 0; i < t->n; i++) {
		struct vmt_bytes name;
		char *copy;

		if (vmt_symbol_table_find(table, t->wanted[i].address, &name) < 0)
			continue;
		copy = vmt_arena_copy(&t->arena, name.ptr, name.len);
		if (!copy)
			return -ENOMEM;
		t->wanted[i].name = (struct vmt_bytes){ copy, name.len };
	}
	return 0;
}

/* The number of a process in its own PID namespace, which is what it calls its map by. */
static uint64_t own_number(int dir, uint64_t pid)
{
	VMT_AUTO_BUF buf = { 0 };
	struct vmt_bytes text, line;

	if (vmt_slurp_at(dir, "status", &buf, 65536) < 0)
		return pid;
	text = (struct vmt_bytes){ buf.data, buf.len };
	while (vmt_take_line(&text, &line)) {
		if (!vmt_bytes_starts(line, "NSpid:"))
			continue;
		line = (struct vmt_bytes){ line.ptr + 6, line.len - 6 };
		while (vmt_take_blanks(&line) && vmt_take_u64(&line, &pid) == 0)
			;
	}
	return pid;
}

/* Keeps what was found: the text that it lies in goes away. */
static int keep(struct vmt_symbol_task *t)
{
	size_t i;

	for (i = 0; i < t->n; i++) {
		struct vmt_text_symbol *w = &t->wanted[i];
		char *name = vmt_arena_copy(&t->arena, w->name.len ? w->name.ptr : "", w->name.len);
		char *module = vmt_arena_copy(&t->arena, w->module.len ? w->module.ptr : "",
					      w->module.len);

		if (!name || !module)
			return -ENOMEM;
		w->name.ptr = name;
		w->module.ptr = module;
	}
	return 0;
}

/* Whether a file is older than what came into being at ns, and not only looks it. */
static bool is_before(const struct timespec *file, uint64_t ns)
{
	uint64_t from = ns > FILE_TIME_NS ? ns - FILE_TIME_NS : 0, s = from / 1000000000;

	if (file->tv_sec < 0 || (uint64_t)file->tv_sec != s)
		return file->tv_sec < 0 || (uint64_t)file->tv_sec < s;
	return (uint64_t)file->tv_nsec < from % 1000000000;
}

/* -ESRCH where the process has ended: a zombie has a directory, and no root (fs/proc/base.c:
 * get_task_root()). */
static int open_root(const struct vmt_symbol_task *t, int *ret_dir)
{
	VMT_AUTO_CLOSE int dir = vmt_root_open_pid(t->shared->root, t->pid);
	int root;

	if (dir < 0)
		return dir;
	root = openat(dir, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	*ret_dir = VMT_STEAL_FD(dir);
	return root;
}

static int run_perf_map(struct vmt_symbol_task *t)
{
	VMT_AUTO_CLOSE int dir = -1;
	VMT_AUTO_CLOSE int root = -1;
	VMT_AUTO_CLOSE int fd = -1;
	VMT_AUTO_BUF buf = { 0 };
	struct stat st, owner;
	char name[64];
	int64_t r;

	if (t->pid) {
		root = open_root(t, &dir);
		if (root < 0 && root != -ESRCH)
			return root;
		if (dir >= 0 && fstat(dir, &owner) < 0)
			return -errno;
	}
	snprintf(name, sizeof(name), "/tmp/perf-%" PRIu64 ".map",
		 dir >= 0 ? own_number(dir, t->pid)
		 : t->pid ? t->pid
			  : t->gone_pid);
	fd = open_below(dir >= 0 ? root : t->shared->root->fd, name, &st);
	if (fd < 0)
		return fd;
	/* Everybody can write to /tmp. */
	if (dir >= 0 && st.st_uid && st.st_uid != owner.st_uid)
		return -ESTALE;
	/* Of an earlier process with this number. */
	if (is_before(&st.st_mtim, t->not_before_ns))
		return -ESTALE;
	r = vmt_slurp_fd(fd, &buf, TEXT_MAX);
	if (r < 0)
		return (int)r;
	vmt_perf_map_find((struct vmt_bytes){ buf.data, buf.len }, t->wanted, t->n);
	return keep(t);
}

static int run_kernel(struct vmt_symbol_task *t)
{
	VMT_AUTO_BUF buf = { 0 };
	int64_t r = vmt_slurp_at(t->shared->root->proc_fd, "kallsyms", &buf, TEXT_MAX);

	if (r < 0)
		return (int)r;
	vmt_kallsyms_find((struct vmt_bytes){ buf.data, buf.len }, t->wanted, t->n);
	return keep(t);
}

static int run(struct vmt_job *job, void *ctx)
{
	static int (*const runs[])(struct vmt_symbol_task * t) = {
		[VMT_SYMBOL_FILE] = run_file,
		[VMT_SYMBOL_PERF_MAP] = run_perf_map,
		[VMT_SYMBOL_KERNEL] = run_kernel,
	};
	struct vmt_symbol_task *t = ctx;
	uint64_t t0 = vmt_now_ns(CLOCK_MONOTONIC), cpu0 = vmt_now_ns(CLOCK_THREAD_CPUTIME_ID);
	int r;

	vmt_job_begin(job, VMT_SOURCE_ELF);
	r = runs[t->place](t);
	t->cpu_ns = vmt_now_ns(CLOCK_THREAD_CPUTIME_ID) - cpu0;
	t->longest_ns = vmt_now_ns(CLOCK_MONOTONIC) - t0;
	return r;
}

static void task_free(void *ctx)
{
	struct vmt_symbol_task *t = ctx;

	vmt_proc_shared_unref(t->shared);
	vmt_arena_done(&t->arena);
	free(t);
}

static const struct vmt_job_type job_type = { .run = run, .free = task_free };

struct vmt_symbol_task *vmt_symbol_task_new(struct vmt_proc_shared *shared,
					    enum vmt_symbol_place place, size_t n)
{
	struct vmt_symbol_task *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	__atomic_add_fetch(&shared->refs, 1, __ATOMIC_RELAXED);
	t->shared = shared;
	t->place = place;
	vmt_arena_init(&t->arena);
	t->wanted = vmt_arena_alloc(&t->arena, n ? n : 1, sizeof(*t->wanted));
	t->n = n;
	if (!t->wanted) {
		task_free(t);
		return NULL;
	}
	return t;
}

struct vmt_job *vmt_symbol_job_new(struct vmt_symbol_task *task)
{
	return vmt_job_new(&job_type, task);
}
