/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/collect-cgroups.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fmt.h"
#include "model/tree.h"
#include "source/cgroup-mount.h"
#include "source/collect-private.h"

/* memory.stat has some KiB; cgroup.procs eight bytes for each of 2^22 processes. */
#define FILE_MAX ((size_t)64 * 1024 * 1024)

struct walk {
	struct vmt_collector *c;
	struct vmt_sample *s;
	const struct vmt_cgroup_want *want;
	const struct vmt_root *root;
	struct vmt_cgroup_mount mount;
	struct vmt_cgroup *rows; /* heap; level by level, siblings by name */
	struct vmt_cgroup_link *links; /* heap, one for each row */
	bool *gone; /* heap, one for each row: removed, or not looked at */
	size_t n;
	size_t cap_rows, cap_links, cap_gone;
	size_t most;
	struct vmt_buf text;
	bool late; /* the deadline is over */
	uint64_t unread; /* cgroups with a file that could not be read */
	const char *first; /* what is wrong with the first of them; in the arena */
};

static struct vmt_source_stat *source_of(const struct walk *w)
{
	return &w->s->sources[VMT_SOURCE_MEMCG];
}

/* Removed: the directory, or what its files are about. */
static bool is_gone(int r)
{
	return r == -ENOENT || r == -ENODEV || r == -ESRCH;
}

static int add_row(struct walk *w, struct vmt_bytes path, size_t parent)
{
	const char *slash;
	struct vmt_cgroup *c;

	if (vmt_grow(&w->rows, &w->cap_rows, w->n + 1, sizeof(*w->rows)) < 0 ||
	    vmt_grow(&w->links, &w->cap_links, w->n + 1, sizeof(*w->links)) < 0 ||
	    vmt_grow(&w->gone, &w->cap_gone, w->n + 1, sizeof(*w->gone)) < 0)
		return -ENOMEM;
	path.ptr = vmt_arena_copy(&w->s->arena, path.ptr, path.len);
	if (!path.ptr)
		return -ENOMEM;
	slash = memrchr(path.ptr, '/', path.len);
	c = &w->rows[w->n];
	*c = (struct vmt_cgroup){ 0 };
	w->links[w->n] = (struct vmt_cgroup_link){ .parent = parent };
	w->gone[w->n] = false;
	VMT_SET(cgroup, version, c, vmt_bytes_of(w->mount.version == 1 ? "v1" : "v2"));
	VMT_SET(cgroup, depth, c, parent == SIZE_MAX ? 0 : w->rows[parent].depth + 1);
	VMT_SET(cgroup, path, c, path);
	VMT_SET(cgroup, name, c, path);
	if (path.len > 1) {
		c->name.ptr = slash + 1;
		c->name.len = path.len - (size_t)(slash + 1 - path.ptr);
	}
	w->n++;
	return 0;
}

/* "/a/b memory.stat: EACCES" as an issue; a cgroup has one at most. */
static int note_failure(struct walk *w, size_t i, const char *name, int r,
			const struct vmt_err *err)
{
	VMT_AUTO_BUF hint = { 0 };
	const char *copy;

	if (w->links[i].unread)
		return 0;
	w->links[i].unread = true;
	vmt_fmt_safe(&hint, w->rows[i].path, false);
	if (name)
		vmt_buf_addf(&hint, " %s", name);
	if (err && err->text[0] && err->line)
		vmt_buf_addf(&hint, ", line %u: %s", err->line, err->text);
	else
		vmt_buf_addf(&hint, ": %s", strerror(-r));
	copy = vmt_buf_error(&hint) < 0 ? NULL : vmt_arena_copy(&w->s->arena, hint.data, hint.len);
	if (!copy)
		return -ENOMEM;
	if (!w->unread++)
		w->first = copy;
	vmt_sample_failed(w->s, VMT_SOURCE_MEMCG, 0, (struct vmt_bytes){ 0 }, r, copy);
	return 0;
}

/* 0, -ENOMEM, or -ENODEV where the cgroup was removed. */
static int read_file(struct walk *w, size_t i, int dir, size_t file)
{
	const char *name = vmt_cgroup_file_name(file, w->mount.version);
	struct vmt_source_stat *st = source_of(w);
	VMT_AUTO_CLOSE int fd = -1;
	struct vmt_err err = { 0 };
	int64_t n;
	int r;

	if (!name)
		return 0;
	vmt_buf_clear(&w->text);
	fd = vmt_open_at(dir, name);
	n = fd < 0 ? fd : vmt_slurp_fd(fd, &w->text, FILE_MAX);
	/* What this kernel, or this cgroup, has not; a threaded one has no list of processes, and
	 * pressure may be switched off. */
	if (n == -ENOENT || n == -EOPNOTSUPP)
		return 0;
	if (n == -ENODEV || n == -ENOMEM)
		return (int)n;
	if (n < 0)
		return note_failure(w, i, name, (int)n, NULL);
	st->reads++;
	st->bytes += (uint64_t)n;
	r = vmt_cgroup_file_parse(file, w->mount.version,
				  (struct vmt_bytes){ w->text.data, w->text.len },
				  w->root->page_size, &w->rows[i], &st->unknown_keys, &err);
	return r < 0 ? note_failure(w, i, name, r, &err) : 0;
}

static int read_files(struct walk *w, size_t i, int dir)
{
	size_t file;
	int r = 0;

	for (file = 0; r == 0 && file < vmt_cgroup_n_files(); file++)
		if (w->want->files >> file & 1)
			r = read_file(w, i, dir, file);
	/* The first of version 1 says usage of its own making; its counters are of those below it
	 * alone (mm/memcontrol-v1.c mem_cgroup_usage()). */
	if (r == 0 && i == 0 && w->mount.version == 1 && !w->mount.above_hidden) {
		struct vmt_cgroup *c = &w->rows[0];

		VMT_UNSET(cgroup, peak_bytes, c);
		VMT_UNSET(cgroup, memsw_peak_bytes, c);
		VMT_UNSET(cgroup, kernel_bytes, c);
	}
	return r;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names of directories in dir, which is closed. Symbolic links are none. */
static int list_names(int dir_fd, char ***ret, size_t *ret_n)
{
	DIR *dir = fdopendir(dir_fd);
	size_t cap = 0;
	struct dirent *e;
	int r = 0;

	if (!dir) {
		r = -errno;
		close(dir_fd);
		return r;
	}
	for (errno = 0; r == 0 && (e = readdir(dir)); errno = 0) {
		char *copy;

		if ((e->d_type != DT_DIR && e->d_type != DT_UNKNOWN) ||
		    strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		copy = strdup(e->d_name);
		r = copy ? vmt_grow(ret, &cap, *ret_n + 1, sizeof(**ret)) : -ENOMEM;
		if (r < 0)
			free(copy);
		else
			(*ret)[(*ret_n)++] = copy;
	}
	if (r == 0 && errno)
		r = -errno;
	closedir(dir);
	if (*ret_n)
		qsort(*ret, *ret_n, sizeof(**ret), compare_names);
	return r;
}

static int add_child(struct walk *w, size_t i, const char *name)
{
	VMT_AUTO_BUF path = { 0 };

	if (w->n >= w->most) {
		w->s->cgroup_facts.left_out++;
		return 0;
	}
	if (w->rows[i].path.len > 1)
		vmt_buf_add(&path, w->rows[i].path.ptr, w->rows[i].path.len);
	vmt_buf_addc(&path, '/');
	vmt_buf_adds(&path, name);
	if (vmt_buf_error(&path) < 0)
		return -ENOMEM;
	return add_row(w, (struct vmt_bytes){ path.data, path.len }, i);
}

/* Takes dir. What could be listed of one that cannot be to its end is there. */
static int list_children(struct walk *w, size_t i, int dir)
{
	char **names = NULL;
	size_t n = 0, k;
	int listed = list_names(dir, &names, &n), r = listed == -ENOMEM ? listed : 0;

	for (k = 0; k < n; k++) {
		if (r == 0)
			r = add_child(w, i, names[k]);
		free(names[k]);
	}
	free(names);
	/* Not removed meanwhile, which is what every cgroup may be. */
	if (r < 0 || listed == 0 || is_gone(listed))
		return r;
	w->s->cgroup_facts.unlisted++;
	return note_failure(w, i, NULL, listed, NULL);
}

/* Its number; and whether a look at what is below it can be saved. */
static bool look_at(struct walk *w, size_t i, int dir)
{
	struct stat st;

	/* Numbers of a recording are those of some other file system. */
	if (!w->root->live || fstat(dir, &st) < 0)
		return true;
	VMT_SET(cgroup, id, &w->rows[i], st.st_ino);
	/* fs/kernfs/inode.c: a directory has a link for each that is in it, and two. */
	return st.st_nlink != 2;
}

/* Of a directory that was opened and then removed no file is there any more. Every cgroup has the
 * list of its processes, whatever else it lacks. */
static bool is_removed(int dir)
{
	return faccessat(dir, "cgroup.procs", F_OK, 0) < 0 && errno == ENOENT;
}

/* Reads row i, and adds those right below it where listing. 0 or -ENOMEM. */
static int visit(struct walk *w, size_t i, bool listing)
{
	struct vmt_bytes path = w->rows[i].path;
	VMT_AUTO_CLOSE int dir = -1;
	uint64_t reads;
	bool any;
	int r;

	dir = vmt_open_dir_at(w->mount.fd, path.len > 1 ? path.ptr + 1 : ".");
	if (dir == -ENOMEM)
		return dir;
	/* Not removed: no directory, or a link that took its place. */
	w->gone[i] = is_gone(dir) || dir == -ENOTDIR || dir == -ELOOP;
	if (is_gone(dir))
		source_of(w)->gone++;
	if (w->gone[i])
		return 0;
	w->links[i].denied = dir == -EACCES || dir == -EPERM;
	if (dir < 0) {
		w->s->cgroup_facts.unlisted += listing;
		return note_failure(w, i, NULL, dir, NULL);
	}
	any = look_at(w, i, dir);
	reads = source_of(w)->reads;
	r = read_files(w, i, dir);
	if (r == 0 && source_of(w)->reads == reads && is_removed(dir))
		r = -ENODEV;
	if (r == -ENODEV) {
		w->gone[i] = true;
		source_of(w)->gone++;
		return 0;
	}
	if (r < 0 || !listing || !any)
		return r;
	/* The directory that is listed is another open file: this one may be a path alone. */
	r = vmt_open_dir_at(dir, ".");
	if (r == -ENOMEM)
		return r;
	if (r < 0 && is_gone(r))
		return 0;
	if (r < 0) {
		w->s->cgroup_facts.unlisted++;
		return note_failure(w, i, NULL, r, NULL);
	}
	return list_children(w, i, r);
}

/* Bytes of the part of path behind the first n that goes one level down; all of it at its end. */
static size_t level_down(struct vmt_bytes path, size_t n)
{
	size_t from = n == 1 ? 1 : n + 1;
	const char *slash = memchr(path.ptr + from, '/', path.len - from);

	return slash ? (size_t)(slash - path.ptr) : path.len;
}

/* The cgroups from the first to the one that is wanted, which has to be there. */
static int walk_down(struct walk *w, struct vmt_bytes path, struct vmt_err *err)
{
	size_t n = 1;
	int r;

	for (;;) {
		size_t self = w->s->cgroup_facts.first = w->n;
		bool last = n == path.len;

		r = add_row(w, (struct vmt_bytes){ path.ptr, n }, self ? self - 1 : SIZE_MAX);
		if (r == 0)
			r = visit(w, self, last && !w->want->alone);
		if (r == 0 && w->gone[self])
			return vmt_err_set(err, -ENOENT, NULL, 0, "no such cgroup");
		if (r < 0 || last)
			return r;
		n = level_down(path, n);
	}
}

static int walk_below(struct walk *w, size_t first)
{
	uint64_t deadline = vmt_collector_deadline(w->c);
	size_t i;
	int r = 0;

	for (i = first; r == 0 && i < w->n; i++) {
		w->late = w->late || (deadline && vmt_now_ns(CLOCK_MONOTONIC) >= deadline);
		if (w->late)
			w->gone[i] = true;
		else
			r = visit(w, i, true);
		if (w->late) {
			source_of(w)->skipped++;
			w->s->cgroup_facts.unlisted++;
		}
	}
	return r;
}

/* Hands the rows to the sample, one behind those above it; without those that are gone, which have
 * none below them. */
static int settle(struct walk *w)
{
	VMT_AUTO_FREE size_t *parents = calloc(w->n ? w->n : 1, sizeof(*parents));
	VMT_AUTO_FREE size_t *order = NULL;
	VMT_AUTO_FREE size_t *places = NULL;
	VMT_AUTO_FREE size_t *at = calloc(w->n ? w->n : 1, sizeof(*at));
	struct vmt_sample *s = w->s;
	size_t i, n = 0;
	int r;

	if (!parents || !at)
		return -ENOMEM;
	for (i = 0; i < w->n; i++)
		parents[i] = w->links[i].parent;
	r = vmt_tree_order(parents, w->n, &order, &places);
	if (r < 0)
		return r;
	s->cgroups = vmt_arena_alloc(&s->arena, w->n, sizeof(*s->cgroups));
	s->cgroup_links = vmt_arena_alloc(&s->arena, w->n, sizeof(*s->cgroup_links));
	if (!s->cgroups || !s->cgroup_links)
		return -ENOMEM;
	for (i = 0; i < w->n; i++) {
		size_t from = order[i];

		at[from] = n;
		if (w->gone[from])
			continue;
		s->cgroups[n] = w->rows[from];
		s->cgroup_links[n] = w->links[from];
		if (parents[from] != SIZE_MAX)
			s->cgroup_links[n].parent = at[parents[from]];
		n++;
	}
	s->n_cgroups = n;
	return 0;
}

static int walk(struct walk *w, struct vmt_err *err)
{
	VMT_AUTO_BUF path = { 0 };
	int r = vmt_cgroup_mount_path(&w->mount, w->want->path ? w->want->path : "/", &path);

	if (r == -EINVAL)
		return vmt_err_set(err, r, NULL, 0, "a path of a cgroup has no \"..\" in it");
	if (r == 0)
		r = walk_down(w, (struct vmt_bytes){ path.data, path.len }, err);
	if (r == 0)
		r = walk_below(w, w->s->cgroup_facts.first + 1);
	return r < 0 ? r : settle(w);
}

static int keep_mount(struct walk *w)
{
	struct vmt_cgroup_facts *f = &w->s->cgroup_facts;

	f->above_hidden = w->mount.above_hidden;
	f->recursive = w->mount.recursive;
	return vmt_bytes_keep(&w->s->arena,
			      (struct vmt_bytes){ w->mount.point.data, w->mount.point.len }, NULL,
			      &f->mount);
}

static void say_left_out(const struct walk *w)
{
	struct vmt_source_stat *st = source_of(w);

	if (w->unread)
		snprintf(st->reason, sizeof(st->reason), "%llu not read in full, the first %.100s",
			 (unsigned long long)w->unread, w->first);
	if (!w->s->cgroup_facts.left_out)
		return;
	st->state = VMT_STATE_PARTIAL;
	snprintf(st->reason, sizeof(st->reason),
		 "more than %zu cgroups: %llu and those below them left out", w->most,
		 (unsigned long long)w->s->cgroup_facts.left_out);
}

int vmt_collect_cgroups(struct vmt_collector *c, struct vmt_sample *s,
			const struct vmt_cgroup_want *want, struct vmt_err *err)
{
	struct walk w = {
		.c = c,
		.s = s,
		.want = want,
		.root = vmt_collector_shared(c)->root,
		.most = want->most ? want->most : VMT_CGROUPS_MAX,
	};
	struct vmt_meter m = vmt_meter_begin();
	struct vmt_err why = { 0 };
	int r;

	s->cgroup_facts = (struct vmt_cgroup_facts){ 0 };
	r = vmt_cgroup_mount_find(w.root, &w.mount, &why);
	if (r == 0) {
		r = keep_mount(&w);
		if (r == 0)
			r = walk(&w, err);
		say_left_out(&w);
	} else if (r == -ENOENT) {
		struct vmt_source_stat *st = source_of(&w);

		st->error = r;
		snprintf(st->reason, sizeof(st->reason), "%.150s", why.text);
		r = 0;
	} else if (r != -ENOMEM) {
		r = vmt_machine_failed(s, VMT_SOURCE_MEMCG, r, &why);
	}
	vmt_meter_end(&m, source_of(&w));
	vmt_cgroup_mount_done(&w.mount);
	vmt_buf_done(&w.text);
	free(w.rows);
	free(w.links);
	free(w.gone);
	if (r == -ENOMEM)
		return vmt_err_set(err, r, NULL, 0, "out of memory");
	return r;
}
