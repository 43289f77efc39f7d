/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/proc-files.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/parse.h"
#include "model/map-key.h"
#include "source/file-cache.h"
#include "source/mapped-file.h"
#include "source/namespace.h"
#include "source/thread-stacks.h"

/* A mount table of a container host; more is not read. */
#define MOUNTS_MAX ((size_t)8 * 1024 * 1024)
/* Files of one process that are looked at. */
#define FILES_MAX ((size_t)4096)
/* A power of 2, more than twice as large. */
#define SLOTS ((size_t)16384)

/* The different files of a process, told by device and inode. */
struct files {
	struct vmt_proc_task *task;
	struct vmt_job *job;
	struct vmt_proc_read *read;
	struct vmt_file_cache *cache;
	int dir_fd;
	uint32_t *of; /* of each mapping, which one */
	size_t n;
	size_t first[FILES_MAX]; /* the first mapping of each */
	bool runs[FILES_MAX]; /* some of it is mapped executable */
	const struct vmt_file_facts *facts[FILES_MAX]; /* NULL where nothing is known */
	bool more; /* there are more of them */
	struct vmt_devices mounts; /* of the process's own mount namespace */
	bool has_mounts;
	uint32_t slots[SLOTS]; /* number of a file and 1, or 0 */
};

static void files_free(struct files **fp)
{
	if (*fp) {
		free((*fp)->of);
		vmt_devices_done(&(*fp)->mounts);
	}
	free(*fp);
}

/* The file of mapping i, which is new or known; VMT_NO_FILE where there is no room. */
static uint32_t number_of(struct files *f, size_t i)
{
	const struct vmt_map *m = &f->task->maps[i];
	uint64_t h = m->inode * UINT64_C(0x9e3779b97f4a7c15);
	size_t at;

	for (at = (h >> 32) % SLOTS; f->slots[at]; at = (at + 1) % SLOTS) {
		const struct vmt_map *o = &f->task->maps[f->first[f->slots[at] - 1]];

		if (o->inode == m->inode && vmt_bytes_equal(o->device, m->device))
			return f->slots[at] - 1;
	}
	if (f->n == FILES_MAX) {
		f->more = true;
		return VMT_NO_FILE;
	}
	f->first[f->n] = i;
	f->slots[at] = (uint32_t)++f->n;
	return (uint32_t)f->n - 1;
}

static int find_files(struct files *f)
{
	const struct vmt_proc_task *task = f->task;
	size_t i;

	f->of = calloc(task->n_maps ? task->n_maps : 1, sizeof(*f->of));
	if (!f->of)
		return -ENOMEM;
	for (i = 0; i < task->n_maps; i++) {
		const struct vmt_map *m = &task->maps[i];

		f->of[i] = vmt_map_has_file(m) ? number_of(f, i) : VMT_NO_FILE;
		if (f->of[i] != VMT_NO_FILE && m->perms.len == 4 && m->perms.ptr[2] == 'x')
			f->runs[f->of[i]] = true;
	}
	return 0;
}

static int files_new(struct vmt_proc_task *task, struct vmt_job *job, int dir_fd,
		     struct vmt_proc_read *read, struct files **ret)
{
	struct files *f = calloc(1, sizeof(*f));

	*ret = f;
	if (!f)
		return -ENOMEM;
	f->task = task;
	f->job = job;
	f->dir_fd = dir_fd;
	f->read = read;
	f->cache = task->shared->files;
	return find_files(f);
}

static bool numbers_of(struct vmt_bytes dev, uint64_t *ret_major, uint64_t *ret_minor)
{
	return vmt_take_hex(&dev, ret_major) == 0 && vmt_take_char(&dev, ':') == 0 &&
	       vmt_take_hex(&dev, ret_minor) == 0;
}

static const struct vmt_device *device_of(const struct files *f, const struct vmt_map *m)
{
	uint64_t major, minor;

	return numbers_of(m->device, &major, &minor)
		       ? vmt_devices_find(&f->task->shared->devices, major, minor)
		       : NULL;
}

/*
 * The same where our own mount table does not have it: a container has a tmpfs of its own. Its
 * table is read once, and only for devices that are no disk (major 0).
 */
static const struct vmt_device *device_there(struct files *f, const struct vmt_map *m)
{
	const struct vmt_device *dev = device_of(f, m);
	VMT_AUTO_BUF buf = { 0 };
	uint64_t major, minor;

	if (dev || !numbers_of(m->device, &major, &minor) || major)
		return dev;
	if (!f->has_mounts && vmt_slurp_at(f->dir_fd, "mountinfo", &buf, MOUNTS_MAX) > 0)
		/* What there is no memory for is not known. */
		vmt_devices_parse(&f->mounts, (struct vmt_bytes){ buf.data, buf.len });
	f->has_mounts = true;
	return vmt_devices_find(&f->mounts, major, minor);
}

static enum vmt_backing backing_of(struct files *f, const struct vmt_map *m,
				   const struct vmt_mapped_file *file)
{
	const struct vmt_device *dev = device_there(f, m);

	if (file->secret)
		return VMT_BACKING_SECRET;
	if (file->type == S_IFCHR)
		/* /dev/zero, Documentation/admin-guide/devices.txt */
		return file->rdev_major == 1 && file->rdev_minor == 5 ? VMT_BACKING_ZERO
								      : VMT_BACKING_DEVICE;
	if (!dev)
		return VMT_BACKING_FILE;
	return dev->internal ? VMT_BACKING_KERNEL : VMT_BACKING_TMPFS;
}

/* Looks a file up and, with headers, reads these. What is learned of it is in the cache then. */
static int look(struct files *f, size_t number, bool headers)
{
	VMT_CLEANUP(vmt_mapped_file_done) struct vmt_mapped_file file = { .fd = -1 };
	const struct vmt_map *m = &f->task->maps[f->first[number]];
	struct vmt_file_facts facts = { 0 };
	struct vmt_elf_facts elf = { 0 };
	VMT_AUTO_CLOSE int fd = -1;
	int r;

	r = vmt_mapped_file_find(f->dir_fd, m, &file);
	if (r < 0)
		return r;
	facts.role.backing = backing_of(f, m, &file);
	facts.has_names = file.has_names && facts.role.backing != VMT_BACKING_KERNEL;
	facts.deleted = file.deleted;
	if (file.type == S_IFREG && headers && facts.role.backing != VMT_BACKING_SECRET) {
		fd = vmt_mapped_file_read(&file);
		r = fd < 0 ? fd : vmt_elf_read(fd, &elf);
		if (r == 0 || r == -ENOEXEC || r == -EIO)
			facts.headers = facts.role.read = true;
	} else {
		/* What is no regular file has none. */
		facts.headers = file.type != S_IFREG;
	}
	f->facts[number] = vmt_file_cache_add(
		f->cache, m, &facts, facts.headers && r == 0 ? &elf : NULL, &f->task->arena);
	return f->facts[number] ? r : -ENOMEM;
}

/* Looks at one file, unless that was done already. */
static int look_once(struct files *f, size_t number, bool headers, enum vmt_source_id source)
{
	const struct vmt_map *m = &f->task->maps[f->first[number]];
	struct timespec t0, t1;
	uint64_t ns;
	int r;

	f->facts[number] = vmt_file_cache_find(f->cache, m, headers);
	if (f->facts[number])
		return 0;
	vmt_job_begin(f->job, (int)source);
	clock_gettime(CLOCK_MONOTONIC, &t0);
	r = look(f, number, headers);
	clock_gettime(CLOCK_MONOTONIC, &t1);
	ns = (uint64_t)(t1.tv_sec - t0.tv_sec) * 1000000000 + (uint64_t)t1.tv_nsec -
	     (uint64_t)t0.tv_nsec;
	if (ns > f->read->longest_ns)
		f->read->longest_ns = ns;
	if (f->facts[number])
		f->read->reads++;
	return r;
}

static int too_many(const struct files *f)
{
	if (!f->more)
		return 0;
	return vmt_err_set(f->read->err, -E2BIG, NULL, 0,
			   "it maps more than %zu files; the rest was left out", FILES_MAX);
}

/* Whether a failure is one that is told, as the mappings of that file have no role. */
static bool is_odd(const struct files *f, size_t number, int code)
{
	return code < 0 && !f->facts[number] && code != -EACCES && code != -EPERM &&
	       code != -ENXIO && code != -ENODEV && !vmt_mapped_file_is_elsewhere(code);
}

/* What looking at several files came to: failed is what of an odd one, denied a refusal, any: some
 * could be looked at. */
static int result_of(const struct files *f, int denied, bool any, int failed)
{
	if (denied && !any)
		return denied;
	if (failed && !f->more)
		return vmt_err_set(f->read->err, failed, NULL, 0,
				   "some of the files that it maps cannot be looked at");
	return too_many(f);
}

static int set_elf(struct vmt_proc_task *task, const struct vmt_file_facts *facts,
		   struct vmt_map *m)
{
	static const char hex[] = "0123456789abcdef";
	size_t i, n = facts->build_id_len;
	char *text = NULL;

	if (n) {
		text = vmt_arena_alloc(&task->arena, 2 * n + 1, 1);
		if (!text)
			return -ENOMEM;
	}
	for (i = 0; i < n; i++) {
		text[2 * i] = hex[facts->build_id[i] >> 4];
		text[2 * i + 1] = hex[facts->build_id[i] & 15];
	}
	pthread_mutex_lock(&task->lock);
	VMT_SET(map, elf_class, m, facts->elf_class);
	if (n)
		VMT_SET(map, build_id, m, ((struct vmt_bytes){ text, 2 * n }));
	pthread_mutex_unlock(&task->lock);
	return 0;
}

int vmt_proc_read_elf(struct vmt_proc_task *task, struct vmt_job *job, int dir_fd,
		      struct vmt_proc_read *read)
{
	VMT_CLEANUP(files_free) struct files *f = NULL;
	int denied = 0, failed = 0, r;
	bool any = false;
	size_t i;

	if (!task->shared->root->live)
		return -ENOENT;
	r = files_new(task, job, dir_fd, read, &f);
	if (r < 0)
		return r;
	for (i = 0; i < f->n; i++) {
		struct vmt_map *m = &task->maps[f->first[i]];

		if (!vmt_bytes_is(m->kind, "file"))
			continue;
		r = look_once(f, i, true, VMT_SOURCE_ELF);
		if (r == -ENOMEM || r == -ESRCH)
			return r;
		if (r == -EACCES || r == -EPERM)
			denied = r;
		if (is_odd(f, i, r))
			failed = r;
		any |= r == 0;
		if (f->facts[i] && f->facts[i]->elf_class)
			r = set_elf(task, f->facts[i], m);
		if (r == -ENOMEM)
			return r;
	}
	pthread_mutex_lock(&task->lock);
	for (i = 0; i < task->n_maps; i++) {
		if (f->of[i] == VMT_NO_FILE || f->first[f->of[i]] == i)
			continue;
		VMT_COPY(map, elf_class, &task->maps[i], &task->maps[f->first[f->of[i]]]);
		VMT_COPY(map, build_id, &task->maps[i], &task->maps[f->first[f->of[i]]]);
	}
	pthread_mutex_unlock(&task->lock);
	return result_of(f, denied, any, failed);
}

/* Whether there is something to look up: what the kernel's own mounts of shmem and hugetlb have
 * tells by its device what it is, unless it is run. */
static bool is_worth_a_look(const struct files *f, size_t number)
{
	const struct vmt_map *m = &f->task->maps[f->first[number]];
	const struct vmt_device *dev = device_of(f, m);

	/* anon_inode:[perf_event] and the like are no files that could be looked up. */
	if (m->path.len == 0 || (m->path.ptr[0] != '/' && m->path.ptr[0] != '('))
		return false;
	return !dev || (!dev->hugetlb && (f->runs[number] || !dev->internal));
}

/* What goes with a role, once that is there. */
static void set_facts(struct files *f)
{
	static const char gone[] = " (deleted)";
	struct vmt_proc_task *task = f->task;
	uint64_t ipc = 0;
	bool has_ipc = false;
	size_t i;

	for (i = 0; i < task->n_maps; i++) {
		struct vmt_map *m = &task->maps[i];
		const struct vmt_file_facts *facts = f->of[i] == VMT_NO_FILE ? NULL
									     : f->facts[f->of[i]];
		size_t len = sizeof(gone) - 1;

		if (facts && facts->has_names)
			VMT_SET(map, deleted, m, facts->deleted);
		else if (vmt_bytes_is(m->kind, "file") && m->path.len && m->path.ptr[0] == '/' &&
			 (m->path.len < len ||
			  memcmp(m->path.ptr + m->path.len - len, gone, len) != 0))
			/* d_path() of fs/d_path.c says it of every file that is; others may be
			 * called so. */
			VMT_SET(map, deleted, m, false);
		/* Before its file was looked at, a mapping may have no role. */
		if (!task->shared->root->live || !VMT_HAS(map, role, m) ||
		    !vmt_bytes_is(m->role, "sysv"))
			continue;
		if (!has_ipc)
			ipc = vmt_ipc_namespace(f->dir_fd);
		has_ipc = true;
		if (ipc)
			VMT_SET(map, ipc_namespace, m, ipc);
	}
}

/* Under no lock: the rows are the job's, until they are shown. */
static int assign(struct files *f, const uint64_t *stacks, size_t n_stacks)
{
	static const struct vmt_role_file internal = { .backing = VMT_BACKING_KERNEL };
	static const struct vmt_role_file tmpfs = { .backing = VMT_BACKING_TMPFS };
	VMT_AUTO_FREE const struct vmt_role_file **roles = calloc(f->n ? f->n : 1, sizeof(*roles));
	struct vmt_proc_task *task = f->task;
	const struct vmt_role_input in = { .file_of = f->of,
					   .files = roles,
					   .n_files = f->n,
					   .stacks = stacks,
					   .n_stacks = n_stacks,
					   .page_size = task->shared->root->page_size };
	size_t i;
	int r;

	if (!roles)
		return -ENOMEM;
	for (i = 0; i < f->n; i++) {
		const struct vmt_device *dev = device_of(f, &task->maps[f->first[i]]);

		if (f->facts[i])
			roles[i] = &f->facts[i]->role;
		else if (dev)
			roles[i] = dev->internal ? &internal : &tmpfs;
	}
	pthread_mutex_lock(&task->lock);
	r = vmt_roles_assign(task->maps, task->n_maps, &in);
	if (r == 0)
		set_facts(f);
	pthread_mutex_unlock(&task->lock);
	return r;
}

static int look_at_all(struct files *f)
{
	int denied = 0, failed = 0, r;
	bool any = false;
	size_t i;

	for (i = 0; i < f->n; i++) {
		if (!is_worth_a_look(f, i))
			continue;
		r = look_once(f, i, f->runs[i], VMT_SOURCE_ROLE);
		if (r == -ENOMEM || r == -ESRCH)
			return r;
		if (r == -EACCES || r == -EPERM)
			denied = r;
		if (is_odd(f, i, r))
			failed = r;
		any |= r == 0;
	}
	return result_of(f, denied, any, failed);
}

int vmt_proc_read_roles(struct vmt_proc_task *task, struct vmt_job *job, int dir_fd,
			struct vmt_proc_read *read)
{
	VMT_CLEANUP(files_free) struct files *f = NULL;
	VMT_AUTO_FREE uint64_t *stacks = NULL;
	size_t n_stacks = 0;
	int r, looked, unseen = 0;

	r = files_new(task, job, dir_fd, read, &f);
	if (r < 0)
		return r;
	/* What can be said at once, so that it is there if a file never answers. */
	if (task->shared->root->live)
		unseen = vmt_thread_stacks(dir_fd, task->pid, &stacks, &n_stacks);
	if (unseen == -ENOMEM)
		return unseen;
	r = assign(f, stacks, n_stacks);
	if (r < 0 || !task->shared->root->live)
		return r < 0 ? r : -ENOENT;
	looked = look_at_all(f);
	if (looked == -ENOMEM || looked == -ESRCH)
		return looked;
	r = assign(f, stacks, n_stacks);
	if (r == 0 && looked == 0 && unseen < 0)
		return vmt_err_set(read->err, unseen, "task", 0,
				   "the stacks of threads are not known");
	return r < 0 ? r : looked;
}
