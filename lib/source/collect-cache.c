/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/collect-cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "source/cache-file.h"
#include "source/collect-private.h"
#include "source/mapped-file.h"

/* The directory that a tree begins with. The first job opens it, before there are others. */
struct start {
	unsigned refs;
	int fd;
	bool one_device;
	uint64_t dev_major;
	uint64_t dev_minor;
};

static void start_unref(struct start *s)
{
	if (!s || __atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL))
		return;
	vmt_closep(&s->fd);
	free(s);
}

enum what {
	NAMED, /* a file that somebody named */
	DIR_OF_TREE,
	FILE_OF_TREE, /* of a file system that may have to ask for it */
	REST, /* a row that is there; what is not known of it */
};

/* What a reader owns: a directory or a file, and what it found. */
struct task {
	enum what what;
	struct start *start; /* of a tree */
	char *path; /* as it is shown; of a tree its first skip bytes are how start was named */
	size_t skip;
	struct vmt_mounts *mounts;
	uint64_t page_size;
	struct vmt_cached_file wanted; /* REST: whose numbers are to be had */
	size_t row; /* REST */
	/* What it found; texts are the arena's. */
	struct vmt_arena arena;
	struct vmt_cached_file *rows;
	struct link {
		uint64_t dev_major;
		uint64_t dev_minor;
		uint64_t inode; /* 0: nothing else leads to it */
	} * links; /* one for each row */
	size_t n_rows;
	size_t cap_rows;
	size_t cap_links;
	struct found {
		const char *path;
		enum what what;
	} * found; /* to be looked at, too */
	size_t n_found;
	size_t cap_found;
	uint64_t empty;
	uint64_t denied; /* rows */
	uint64_t failed;
	uint64_t reads;
	uint64_t cpu_ns;
	bool other_device; /* what was left out was asked to be */
};

static void task_free(void *ctx)
{
	struct task *t = ctx;

	if (!t)
		return;
	start_unref(t->start);
	vmt_mounts_unref(t->mounts);
	vmt_arena_done(&t->arena);
	free(t->path);
	free(t->rows);
	free(t->links);
	free(t->found);
	free(t);
}

static void task_freep(struct task **t)
{
	task_free(*t);
}

static struct task *task_new(enum what what, const char *path, struct vmt_mounts *mounts,
			     uint64_t page_size, struct start *start, size_t skip)
{
	struct task *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->what = what;
	vmt_arena_init(&t->arena);
	t->mounts = vmt_mounts_ref(mounts);
	t->page_size = page_size;
	t->skip = skip;
	if (start) {
		__atomic_add_fetch(&start->refs, 1, __ATOMIC_RELAXED);
		t->start = start;
	}
	t->path = strdup(path);
	if (!t->path) {
		task_free(t);
		return NULL;
	}
	return t;
}

static struct vmt_cached_file *add_row(struct task *t, const struct statx *st)
{
	if (vmt_grow(&t->rows, &t->cap_rows, t->n_rows + 1, sizeof(*t->rows)) < 0 ||
	    vmt_grow(&t->links, &t->cap_links, t->n_rows + 1, sizeof(*t->links)) < 0)
		return NULL;
	t->rows[t->n_rows] = (struct vmt_cached_file){ 0 };
	t->links[t->n_rows] = (struct link){ 0 };
	if (st->stx_nlink > 1 || t->what == NAMED)
		t->links[t->n_rows] =
			(struct link){ st->stx_dev_major, st->stx_dev_minor, st->stx_ino };
	return &t->rows[t->n_rows++];
}

/* Looks at a file that was looked up; at is its directory's path, or NULL where name is all of it.
 * 0, or what is no fault of the file: -ENOMEM, -ETIMEDOUT. */
static int look_at(struct task *t, struct vmt_job *job, int fd, const struct statx *st,
		   const char *dir, const char *name)
{
	const struct vmt_cache_look look = { job, t->mounts, t->page_size };
	const struct vmt_mount *mount = vmt_cache_mount(t->mounts, st);
	struct vmt_cached_file *row = add_row(t, st);
	size_t len = (dir ? strlen(dir) + 1 : 0) + strlen(name);
	char *path;
	int r;

	if (!row)
		return -ENOMEM;
	r = vmt_cache_identify(st, mount, &t->arena, row);
	if (r < 0)
		return r;
	t->reads++;
	r = vmt_cache_ask(&look, fd, st, mount, row);
	if (r == -ENOMEM)
		return r;
	if (t->what != NAMED && vmt_cache_is_empty(row)) {
		t->n_rows--;
		t->empty++;
		return 0;
	}
	path = vmt_arena_alloc(&t->arena, len + 1, 1);
	if (!path)
		return -ENOMEM;
	/* The root directory ends with its slash. */
	len = (size_t)snprintf(path, len + 1, "%s%s%s", dir ? dir : "",
			       dir && strcmp(dir, "/") != 0 ? "/" : "", name);
	VMT_SET(cached_file, path, row, ((struct vmt_bytes){ path, len }));
	if (r == -EPERM || r == -EACCES)
		t->denied++;
	else if (r < 0)
		t->failed++;
	return r == -ETIMEDOUT ? r : 0;
}

/* A row for what could not be looked at. */
static int unread_row(struct task *t, int code)
{
	static const struct statx nothing;
	struct vmt_cached_file *row = add_row(t, &nothing);
	char *path = vmt_arena_copy(&t->arena, t->path, strlen(t->path));

	if (!row || !path)
		return -ENOMEM;
	VMT_SET(cached_file, path, row, vmt_bytes_of(path));
	VMT_SET(cached_file, kind, row, VMT_BYTES("other"));
	VMT_SET(cached_file, read_status, row, vmt_bytes_of(vmt_failure_word(code)));
	return 0;
}

static int add_found(struct task *t, enum what what, const char *dir, const char *name)
{
	size_t len = strlen(dir) + 1 + strlen(name);
	char *path = vmt_arena_alloc(&t->arena, len + 1, 1);

	if (!path || vmt_grow(&t->found, &t->cap_found, t->n_found + 1, sizeof(*t->found)) < 0)
		return -ENOMEM;
	snprintf(path, len + 1, "%s%s%s", dir, strcmp(dir, "/") != 0 ? "/" : "", name);
	t->found[t->n_found++] = (struct found){ path, what };
	return 0;
}

/* The part of a path below the start of its tree. */
static const char *below(const struct task *t)
{
	const char *p = t->path + t->skip;

	while (*p == '/')
		p++;
	return *p ? p : ".";
}

/* One entry of a directory; local: what it has can be opened right here. */
static int take_entry(struct task *t, struct vmt_job *job, int dir_fd, const struct dirent *d,
		      bool local)
{
	VMT_AUTO_CLOSE int fd = -1;
	struct statx st;
	int r;

	if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
		return 0;
	if (d->d_type == DT_DIR)
		return add_found(t, DIR_OF_TREE, t->path, d->d_name);
	if (d->d_type != DT_REG && d->d_type != DT_UNKNOWN)
		return 0;
	if (!local)
		return add_found(t, FILE_OF_TREE, t->path, d->d_name);
	fd = openat(dir_fd, d->d_name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	r = fd < 0 ? -errno : vmt_cache_stat(fd, &st);
	/* It is gone since, or may not be looked up: without it nothing is known of the entry. */
	if (r == -ENOENT)
		return 0;
	if (r < 0) {
		t->failed++;
		return 0;
	}
	if (S_ISDIR(st.stx_mode))
		return add_found(t, DIR_OF_TREE, t->path, d->d_name);
	return S_ISREG(st.stx_mode) ? look_at(t, job, fd, &st, t->path, d->d_name) : 0;
}

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

/* Opens where the tree begins. It was named, so that a symbolic link is followed. */
static int open_start(struct task *t)
{
	struct start *start = t->start;
	struct statx st;
	int r;

	start->fd = open(t->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
	r = start->fd < 0 ? -errno : vmt_cache_stat(start->fd, &st);
	if (r < 0)
		return r;
	start->dev_major = st.stx_dev_major;
	start->dev_minor = st.stx_dev_minor;
	return 0;
}

static int read_dir(struct task *t, struct vmt_job *job)
{
	VMT_CLEANUP(closedirp) DIR *dir = NULL;
	const struct vmt_mount *mount;
	struct vmt_bytes fs;
	struct statx st;
	int fd, r;

	if (t->start->fd < 0) {
		r = open_start(t);
		if (r < 0)
			return r;
	}
	fd = strcmp(below(t), ".") == 0 ? fcntl(t->start->fd, F_DUPFD_CLOEXEC, 0)
					: vmt_open_dir_at(t->start->fd, below(t));
	if (fd < 0)
		return fd == -1 ? -errno : fd;
	dir = fdopendir(fd);
	if (!dir) {
		r = -errno;
		close(fd);
		return r;
	}
	r = vmt_cache_stat(fd, &st);
	if (r < 0)
		return r;
	if (t->start->one_device &&
	    (st.stx_dev_major != t->start->dev_major || st.stx_dev_minor != t->start->dev_minor)) {
		t->other_device = true;
		return 0;
	}
	mount = vmt_cache_mount(t->mounts, &st);
	fs = mount ? mount->fs_type : (struct vmt_bytes){ 0 };
	if (vmt_fs_is_pseudo(fs))
		return 0;
	/* Reading a directory is no use of it. Only its owner may say so. */
	fcntl(fd, F_SETFL, O_NOATIME);
	for (;;) {
		const struct dirent *d;

		errno = 0;
		d = readdir(dir);
		if (!d)
			return errno ? -errno : 0;
		if (!vmt_job_renew(job))
			return -ETIMEDOUT;
		r = take_entry(t, job, fd, d, !vmt_fs_may_wait(fs));
		if (r < 0)
			return r;
	}
}

/* Looks up a file by its path and looks at it. */
static int read_file(struct task *t, struct vmt_job *job)
{
	VMT_AUTO_CLOSE int fd = -1;
	struct statx st;
	int r;

	/* Whoever names a file means what the name leads to. */
	fd = open(t->path, O_PATH | O_CLOEXEC | (t->what == NAMED ? 0 : O_NOFOLLOW));
	r = fd < 0 ? -errno : vmt_cache_stat(fd, &st);
	if (r < 0)
		return r;
	if (S_ISDIR(st.stx_mode))
		return -EISDIR;
	if (!S_ISREG(st.stx_mode))
		return t->what == NAMED ? -EINVAL : 0;
	return look_at(t, job, fd, &st, NULL, t->path);
}

/* The numbers of a row that the kernel's lists gave. The path has to lead to the same inode. */
static int read_rest(struct task *t, struct vmt_job *job)
{
	const struct vmt_cache_look look = { job, t->mounts, t->page_size };
	const struct vmt_mount *mount;
	VMT_AUTO_CLOSE int fd = open(t->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct vmt_cached_file *row;
	struct statx st;
	int r = fd < 0 ? -errno : vmt_cache_stat(fd, &st);

	if (r < 0)
		return r;
	if (!S_ISREG(st.stx_mode) || st.stx_ino != t->wanted.inode)
		return -ESTALE;
	row = add_row(t, &st);
	mount = vmt_cache_mount(t->mounts, &st);
	r = row ? vmt_cache_identify(&st, mount, &t->arena, row) : -ENOMEM;
	if (r < 0)
		return r;
	if (!vmt_bytes_equal(row->device, t->wanted.device))
		return -ESTALE;
	t->reads++;
	return vmt_cache_ask(&look, fd, &st, mount, row);
}

static int run(struct vmt_job *job, void *ctx)
{
	uint64_t cpu0 = vmt_now_ns(CLOCK_THREAD_CPUTIME_ID);
	struct task *t = ctx;
	int r;

	vmt_job_begin(job, VMT_SOURCE_CACHESTAT);
	r = t->what == DIR_OF_TREE ? read_dir(t, job)
	    : t->what == REST	   ? read_rest(t, job)
				   : read_file(t, job);
	t->cpu_ns = vmt_now_ns(CLOCK_THREAD_CPUTIME_ID) - cpu0;
	return r;
}

static const struct vmt_job_type job_type = { .run = run, .free = task_free };

/* The whole of it, in the thread that asked. */
struct work {
	struct vmt_collector *c;
	struct vmt_sample *s;
	struct vmt_mounts *mounts;
	struct start *start;
	const struct vmt_cache_opts *opts;
	struct vmt_inode_index links; /* inodes with several names: which of them have a row */
	struct vmt_job **jobs; /* of the next round */
	struct path_of {
		char *path; /* for what is left behind with its task */
		enum what what;
		size_t row;
	} * paths;
	size_t n;
	size_t cap;
	size_t cap_paths;
	struct path_of *running; /* of this round */
	struct vmt_cached_file *again; /* named, and listed under another name */
	size_t n_again;
	size_t cap_again;
	int error;
};

static void work_done(struct work *w)
{
	size_t i;

	for (i = 0; i < w->n; i++) {
		vmt_job_unref(w->jobs[i]);
		free(w->paths[i].path);
	}
	free(w->jobs);
	free(w->paths);
	free(w->again);
	vmt_inode_index_done(&w->links);
	start_unref(w->start);
	vmt_mounts_unref(w->mounts);
}

static int add_job(struct work *w, struct task *t)
{
	VMT_CLEANUP(task_freep) struct task *owned = t;
	char *path;

	if (!owned || vmt_grow(&w->jobs, &w->cap, w->n + 1, sizeof(struct vmt_job *)) < 0 ||
	    vmt_grow(&w->paths, &w->cap_paths, w->n + 1, sizeof(*w->paths)) < 0)
		return -ENOMEM;
	path = strdup(owned->path);
	if (!path)
		return -ENOMEM;
	w->paths[w->n] = (struct path_of){ path, owned->what, owned->row };
	w->jobs[w->n] = vmt_job_new(&job_type, VMT_STEAL(owned));
	if (!w->jobs[w->n]) {
		free(path);
		return -ENOMEM;
	}
	w->n++;
	return 0;
}

static int add_path(struct work *w, enum what what, const char *path)
{
	return add_job(w, task_new(what, path, w->mounts, w->s->host.page_size,
				   what == DIR_OF_TREE ? w->start : NULL,
				   what == DIR_OF_TREE ? strlen(w->opts->tree) : 0));
}

static bool was_not_begun(int code)
{
	return code == -EBUSY || code == -ECANCELED;
}

static void note_skipped(struct work *w)
{
	w->s->cache.incomplete = true;
	w->s->sources[VMT_SOURCE_CACHESTAT].skipped++;
	w->s->cache.skipped++;
}

/* Notes what could not be looked at at all. */
static int note_failure(struct work *w, const struct path_of *of, int code)
{
	const char *why = code == -EISDIR	? "is a directory; --tree lists what is in it"
			  : code == -EINVAL	? "is no regular file, and others are not opened"
			  : was_not_begun(code) ? "was not begun"
						: strerror(-code);
	bool named = of->what == NAMED || of->what == REST ||
		     (w->opts->tree && !strcmp(of->path, w->opts->tree));
	VMT_AUTO_BUF text = { 0 };
	char *hint;

	/* An entry that is gone since is nothing odd; where the tree begins is. */
	if (!named && code == -ENOENT)
		return 0;
	w->s->cache.incomplete = true;
	/* Of thousands of them their number is enough. */
	if (!named && was_not_begun(code)) {
		note_skipped(w);
		return 0;
	}
	vmt_buf_addf(&text, "%s: %s", of->path, why);
	hint = text.data ? vmt_arena_copy(&w->s->arena, text.data, text.len) : NULL;
	if (!hint)
		return -ENOMEM;
	vmt_sample_failed(w->s, VMT_SOURCE_CACHESTAT, 0, (struct vmt_bytes){ 0 }, code, hint);
	return 0;
}

/* Notes what is not known of a row that is there. That its path leads elsewhere by now, or in our
 * namespace, is nothing odd, nor is a file system or a kernel without such numbers. */
static int note_rest(struct work *w, const struct path_of *of, int code)
{
	if (vmt_mapped_file_is_elsewhere(code) || code == -ENOSYS || code == -EOPNOTSUPP)
		return 0;
	return code == -ENOMEM ? code : note_failure(w, of, code);
}

/* A file that was named has its row, also where it is the same as another one. */
static int add_again(struct work *w, const struct vmt_cached_file *row)
{
	if (vmt_grow(&w->again, &w->cap_again, w->n_again + 1, sizeof(*w->again)) < 0)
		return -ENOMEM;
	w->again[w->n_again++] = *row;
	return 0;
}

/* Such rows follow the others, so that sums can end before them. */
static int take_again(struct work *w)
{
	size_t i;

	for (i = 0; i < w->n_again; i++) {
		struct vmt_cached_file *row = vmt_cache_sample_add(&w->s->cache);

		if (!row)
			return -ENOMEM;
		*row = w->again[i];
	}
	w->s->cache.n_again = w->n_again;
	return 0;
}

/* Takes the rows that a task found; an inode with several names once. */
static int take_rows(struct work *w, struct task *t)
{
	size_t i, known;

	vmt_arena_join(&w->s->arena, &t->arena);
	for (i = 0; i < t->n_rows; i++) {
		const struct link *l = &t->links[i];
		struct vmt_cached_file *row;
		int r = 1;

		if (l->inode)
			r = vmt_inode_index_add(&w->links, l->dev_major << 32 | l->dev_minor,
						l->inode, 0, &known);
		if (r == 0 && t->what == NAMED)
			r = add_again(w, &t->rows[i]);
		if (r < 0)
			return r;
		if (r == 0)
			continue;
		row = vmt_cache_sample_add(&w->s->cache);
		if (!row)
			return -ENOMEM;
		*row = t->rows[i];
	}
	w->s->cache.empty += t->empty;
	if (t->denied || t->failed)
		w->s->cache.incomplete = true;
	for (i = 0; i < t->n_found; i++) {
		int r = add_path(w, t->found[i].what, t->found[i].path);

		if (r < 0)
			return r;
	}
	return 0;
}

static void take_rest(struct work *w, struct task *t, int result)
{
	struct vmt_cached_file *row = &w->s->cache.files[t->row];
	const struct vmt_cached_file *from = t->rows;

	if (t->n_rows == 0 || result < 0)
		return;
	VMT_COPY(cached_file, dirty_bytes, row, from);
	VMT_COPY(cached_file, writeback_bytes, row, from);
	VMT_COPY(cached_file, evicted_bytes, row, from);
	VMT_COPY(cached_file, recently_evicted_bytes, row, from);
}

static void done(size_t index, struct vmt_job *job, int result, void *ctx, void *arg)
{
	struct work *w = arg;
	const struct path_of *of = &w->running[index];
	struct vmt_source_stat *st = &w->s->sources[VMT_SOURCE_CACHESTAT];
	struct task *t = ctx;
	int r = 0;

	(void)job;
	if (w->error)
		return;
	if (t) {
		st->reads += t->reads;
		st->cpu_ns += t->cpu_ns;
		st->answered += t->reads - t->denied - t->failed;
		st->denied += t->denied;
		if (of->what == NAMED && result < 0 && t->n_rows == 0)
			r = unread_row(t, result);
		if (of->what == REST)
			take_rest(w, t, result);
		else
			r = r < 0 ? r : take_rows(w, t);
	}
	/* What a row cannot say of itself is said here. Of the rest the row is there already. */
	if (r == 0 && result < 0 && of->what != REST) {
		r = result == -ENOMEM ? result : note_failure(w, of, result);
	} else if (r == 0 && was_not_begun(result)) {
		note_skipped(w);
	} else if (r == 0 && result == -ETIMEDOUT) {
		w->s->cache.incomplete = true;
		st->timed_out++;
	} else if (r == 0 && result < 0) {
		r = note_rest(w, of, result);
	}
	w->error = r;
}

/* Runs what was added, and what that finds, until there is no more. */
static int run_all(struct work *w)
{
	while (w->n && !w->error) {
		VMT_AUTO_FREE struct vmt_job **jobs = VMT_STEAL(w->jobs);
		VMT_AUTO_FREE struct path_of *paths = VMT_STEAL(w->paths);
		size_t n = w->n, i;
		int r;

		w->n = w->cap = w->cap_paths = 0;
		w->running = paths;
		r = vmt_pool_run(vmt_collector_pool(w->c), jobs, n, vmt_collector_deadline(w->c),
				 done, w);
		for (i = 0; i < n; i++) {
			vmt_job_unref(jobs[i]);
			free(paths[i].path);
		}
		if (r < 0)
			return r;
	}
	return w->error;
}

/* Where a tree begins, which its first job will open. */
static int add_tree(struct work *w)
{
	w->start = calloc(1, sizeof(*w->start));
	if (!w->start)
		return -ENOMEM;
	w->start->refs = 1;
	w->start->fd = -1;
	w->start->one_device = w->opts->one_device;
	return add_path(w, DIR_OF_TREE, w->opts->tree);
}

/* The mounts. Without them it is not known of which file system a file is, and so not which wait
 * for a server: that is said. 0 or -ENOMEM. */
static int load_mounts(struct work *w)
{
	w->mounts = vmt_mounts_load(vmt_collector_shared(w->c)->root);
	if (!w->mounts)
		return -ENOMEM;
	if (w->mounts->error)
		vmt_sample_failed(w->s, VMT_SOURCE_CACHESTAT, 0, (struct vmt_bytes){ 0 },
				  w->mounts->error,
				  "mountinfo cannot be read: file systems are not known");
	return 0;
}

/* A recording has the names of files at most. */
static bool is_live(struct vmt_collector *c, struct vmt_sample *s)
{
	struct vmt_source_stat *st = &s->sources[VMT_SOURCE_CACHESTAT];

	if (vmt_collector_shared(c)->root->live)
		return true;
	st->state = VMT_STATE_ABSENT;
	st->error = -ENOENT;
	snprintf(st->reason, sizeof(st->reason), "a recording has no page cache");
	s->cache.incomplete = true;
	return false;
}

int vmt_collect_cache(struct vmt_collector *c, struct vmt_sample *s,
		      const struct vmt_cache_opts *opts)
{
	VMT_CLEANUP(work_done) struct work w = { .c = c, .s = s, .opts = opts };
	size_t i;
	int r = 0;

	s->cache.asked = true;
	if (!is_live(c, s))
		return 0;
	r = load_mounts(&w);
	for (i = 0; r == 0 && i < opts->n_paths; i++)
		r = add_path(&w, NAMED, opts->paths[i]);
	if (r == 0 && opts->tree)
		r = add_tree(&w);
	if (r == 0)
		r = run_all(&w);
	return r < 0 ? r : take_again(&w);
}

/* Rows of which the jobs are there at one time: of all that --all has, they would be gigabytes. */
#define REST_ROUND ((size_t)512)

int vmt_collect_cache_rest(struct vmt_collector *c, struct vmt_sample *s, const size_t *rows,
			   size_t n)
{
	VMT_CLEANUP(work_done) struct work w = { .c = c, .s = s };
	size_t i;
	int r = 0;

	if (!is_live(c, s))
		return 0;
	r = load_mounts(&w);
	for (i = 0; r == 0 && i < n; i++) {
		const struct vmt_cached_file *row = &s->cache.files[rows[i]];
		struct task *t;

		if (!VMT_HAS(cached_file, path, row) || row->path.len == 0 ||
		    row->path.ptr[0] != '/' || memchr(row->path.ptr, 0, row->path.len) ||
		    (VMT_HAS(cached_file, deleted, row) && row->deleted))
			continue;
		t = task_new(REST, row->path.ptr, w.mounts, s->host.page_size, NULL, 0);
		if (t) {
			t->wanted = *row;
			t->row = rows[i];
			/* Its texts end with the sample. */
			t->wanted.device.ptr =
				vmt_arena_copy(&t->arena, row->device.ptr, row->device.len);
		}
		r = add_job(&w, t);
		if (r == 0 && w.n >= REST_ROUND)
			r = run_all(&w);
	}
	return r < 0 ? r : run_all(&w);
}
