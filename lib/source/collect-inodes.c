/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/collect-inodes.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>

#include "source/collect-private.h"

/* Why there is nothing. */
static void cannot(struct vmt_sample *s, int code, const char *why)
{
	struct vmt_source_stat *st = &s->sources[VMT_SOURCE_INODES];

	st->state = code == -EPERM || code == -EACCES			     ? VMT_STATE_DENIED
		    : code == -ENOENT || code == -ENOSYS || code == -ENOTSUP ? VMT_STATE_ABSENT
									     : VMT_STATE_FAILED;
	st->error = code;
	snprintf(st->reason, sizeof(st->reason), "%.150s", why);
	s->cache.incomplete = true;
}

#ifdef VMT_HAVE_LIBBPF
#include <sys/stat.h>

#include "source/mounts.h"
#include "source/probe-inodes.h"

/* A directory that leads to files, by its dentry. */
struct dir {
	uint64_t parent; /* its dentry; itself at the root */
	uint64_t super;
	struct vmt_bytes name;
	bool root;
	bool resolved; /* path and shown are known */
	bool lost; /* there is no way from it to the root */
	struct vmt_bytes path; /* in its file system; empty at its root */
	struct vmt_bytes shown; /* as seen from our own root */
};

/* An inode, as it was put out. */
struct file {
	struct vmt_inode_facts r;
	struct vmt_bytes name;
};

/* A superblock, with the texts that its rows have in common. */
struct super {
	const struct vmt_inode_super *from;
	struct vmt_bytes device;
	struct vmt_bytes fs_type;
};

struct walk {
	struct vmt_sample *s;
	struct vmt_inodes *inodes;
	struct vmt_mounts *mounts;
	const struct vmt_inode_opts *opts;
	struct vmt_arena arena; /* names */
	struct vmt_inode_index file_index;
	struct file *files;
	size_t n_files;
	size_t cap_files;
	struct vmt_inode_index dir_index;
	struct dir *dirs;
	size_t n_dirs;
	size_t cap_dirs;
	struct vmt_inode_index super_index;
	struct super *supers;
	size_t n_supers;
	size_t cap_supers;
	size_t most; /* rows; and directories */
	uint64_t dropped; /* inodes beyond that */
	uint64_t live_ns; /* that pages were counted; 0: they were not */
	struct vmt_buf text; /* being put together */
};

static void walk_done(struct walk *w)
{
	vmt_inodes_free(w->inodes);
	vmt_mounts_unref(w->mounts);
	vmt_arena_done(&w->arena);
	vmt_inode_index_done(&w->file_index);
	vmt_inode_index_done(&w->dir_index);
	vmt_inode_index_done(&w->super_index);
	free(w->files);
	free(w->dirs);
	free(w->supers);
	vmt_buf_done(&w->text);
}

static int keep_name(struct walk *w, const struct vmt_inode_record *r, struct vmt_bytes *ret)
{
	size_t n = r->f.name_len < VMT_INODE_NAME ? r->f.name_len : VMT_INODE_NAME - 1;
	const char *p = vmt_arena_copy(&w->arena, r->name, n);

	if (!p)
		return -ENOMEM;
	*ret = (struct vmt_bytes){ p, n };
	return 0;
}

static int take_dir(struct walk *w, const struct vmt_inode_record *r)
{
	size_t at;
	int known;

	/* What is in it is named by its inode then. */
	if (w->n_dirs >= w->most)
		return 0;
	known = vmt_inode_index_add(&w->dir_index, r->f.address, 0, w->n_dirs, &at);
	if (known < 0 ||
	    (known && vmt_grow(&w->dirs, &w->cap_dirs, w->n_dirs + 1, sizeof(*w->dirs)) < 0))
		return -ENOMEM;
	w->n_dirs += known ? 1 : 0;
	/* The address may have come to be another directory's. */
	w->dirs[at] = (struct dir){ .parent = r->f.parent, .super = r->f.super, .root = r->f.root };
	return keep_name(w, r, &w->dirs[at].name);
}

/* Room for one more file. What is not used yet is not written to either. */
static int make_room(struct walk *w)
{
	size_t cap = w->cap_files ? 2 * w->cap_files : 1024;
	struct file *files;

	if (w->n_files < w->cap_files)
		return 0;
	files = reallocarray(w->files, cap, sizeof(*files));
	if (!files)
		return -ENOMEM;
	w->files = files;
	w->cap_files = cap;
	return 0;
}

static int take_file(struct walk *w, const struct vmt_inode_record *r)
{
	struct file *f;
	size_t at;
	int known;

	/* What walk_used() met can have been let go of since. */
	if (!w->opts->all && !(w->opts->mapped && r->f.mappings) &&
	    !(w->opts->open && r->f.openers))
		return 0;
	if (w->n_files >= w->most) {
		w->dropped++;
		return 0;
	}
	known = vmt_inode_index_add(&w->file_index, r->f.address, r->f.ino, w->n_files, &at);
	if (known <= 0)
		return known;
	if (make_room(w) < 0)
		return -ENOMEM;
	f = &w->files[w->n_files++];
	f->r = r->f;
	return keep_name(w, r, &f->name);
}

static int take(const struct vmt_inode_record *r, void *arg)
{
	return r->f.what == VMT_INODE_DIR ? take_dir(arg, r) : take_file(arg, r);
}

static struct vmt_bytes keep_text(struct walk *w)
{
	const char *p = vmt_buf_error(&w->text)
				? NULL
				: vmt_arena_copy(&w->s->arena, w->text.data, w->text.len);

	if (!p)
		w->s->arena.failed = true;
	return (struct vmt_bytes){ p ? p : "", p ? w->text.len : 0 };
}

/* "fe:00", as maps has it. */
static struct vmt_bytes device_text(struct walk *w, uint64_t dev)
{
	vmt_buf_clear(&w->text);
	vmt_buf_addf(&w->text, "%02" PRIx64 ":%02" PRIx64, dev >> 20, dev & 0xfffff);
	return keep_text(w);
}

/* The superblock of a record, or NULL on ENOMEM. */
static const struct super *super_of(struct walk *w, uint64_t address)
{
	const struct vmt_inode_super *from;
	struct super *s;
	size_t at;
	int known = vmt_inode_index_add(&w->super_index, address, 0, w->n_supers, &at);

	if (known < 0)
		return NULL;
	if (known == 0)
		return &w->supers[at];
	if (vmt_grow(&w->supers, &w->cap_supers, w->n_supers + 1, sizeof(*w->supers)) < 0)
		return NULL;
	s = &w->supers[w->n_supers++];
	*s = (struct super){ 0 };
	from = vmt_inodes_super(w->inodes, address);
	if (!from)
		return s;
	s->from = from;
	s->device = device_text(w, from->dev);
	vmt_buf_clear(&w->text);
	vmt_buf_add(&w->text, from->type, strnlen(from->type, sizeof(from->type)));
	s->fs_type = keep_text(w);
	return s;
}

/* Puts a path of a file system, as seen from our root, into w->text; false where it is not mounted
 * there: then "[ext4 fe:00]/path". */
static bool show(struct walk *w, const struct super *s, struct vmt_bytes path)
{
	const struct vmt_mount *m = NULL;

	if (s->from)
		m = vmt_mounts_of(w->mounts, s->from->dev >> 20, s->from->dev & 0xfffff,
				  path.len ? path : VMT_BYTES("/"));
	vmt_buf_clear(&w->text);
	if (m) {
		size_t skip = vmt_bytes_is(m->root, "/") ? 0 : m->root.len;

		if (!vmt_bytes_is(m->point, "/"))
			vmt_buf_add(&w->text, m->point.ptr, m->point.len);
		vmt_buf_add(&w->text, path.ptr + skip, path.len - skip);
		return true;
	}
	vmt_buf_addc(&w->text, '[');
	vmt_buf_add(&w->text, s->fs_type.ptr, s->fs_type.len);
	vmt_buf_addc(&w->text, ' ');
	vmt_buf_add(&w->text, s->device.ptr, s->device.len);
	vmt_buf_addc(&w->text, ']');
	vmt_buf_add(&w->text, path.ptr, path.len);
	return false;
}

/* Finds the path of a directory; those above it first. 0 or -ENOMEM. */
static int resolve(struct walk *w, size_t at, unsigned depth)
{
	struct dir *d = &w->dirs[at];
	const struct super *s;
	size_t up;
	int r;

	if (d->resolved)
		return 0;
	d->resolved = true;
	/* As it is for who comes back here: addresses that were used again can make a ring. */
	d->lost = true;
	s = super_of(w, d->super);
	if (!s)
		return -ENOMEM;
	if (!d->root) {
		if (depth == VMT_INODE_DEPTH ||
		    !vmt_inode_index_find(&w->dir_index, d->parent, 0, &up))
			return 0;
		r = resolve(w, up, depth + 1);
		if (r < 0)
			return r;
		if (w->dirs[up].lost)
			return 0;
		vmt_buf_clear(&w->text);
		vmt_buf_add(&w->text, w->dirs[up].path.ptr, w->dirs[up].path.len);
		vmt_buf_addc(&w->text, '/');
		vmt_buf_add(&w->text, d->name.ptr, d->name.len);
		d->path = keep_text(w);
	}
	show(w, s, d->path);
	d->shown = keep_text(w);
	d->lost = false;
	return 0;
}

/* A file of which no name is cached, or no way to the root: "[ext4 fe:00 inode 12]". */
static void inode_text(struct walk *w, const struct super *s, const struct file *f)
{
	vmt_buf_clear(&w->text);
	vmt_buf_addc(&w->text, '[');
	vmt_buf_add(&w->text, s->fs_type.ptr, s->fs_type.len);
	vmt_buf_addc(&w->text, ' ');
	vmt_buf_add(&w->text, s->device.ptr, s->device.len);
	vmt_buf_addf(&w->text, " inode %" PRIu64 "]", (uint64_t)f->r.ino);
}

/* "[block fe:00 vda]"; what a file system on it calls it. */
static void block_text(struct walk *w, const struct file *f)
{
	size_t i;

	vmt_buf_clear(&w->text);
	vmt_buf_addf(&w->text, "[block %02x:%02x", f->r.rdev >> 20, f->r.rdev & 0xfffff);
	for (i = 0; i < w->n_supers; i++) {
		const struct vmt_inode_super *s = w->supers[i].from;

		if (!s || s->dev != f->r.rdev)
			continue;
		vmt_buf_addc(&w->text, ' ');
		vmt_buf_add(&w->text, s->id, strnlen(s->id, sizeof(s->id)));
		break;
	}
	vmt_buf_addc(&w->text, ']');
}

static int set_path(struct walk *w, const struct super *s, const struct file *f,
		    struct vmt_cached_file *row)
{
	size_t up;
	int r;

	if (S_ISBLK(f->r.mode)) {
		block_text(w, f);
	} else if (f->r.root && f->name.len && !S_ISDIR(f->r.mode)) {
		/* Mounted nowhere: a memfd, a SysV segment, shared anonymous memory. */
		vmt_buf_clear(&w->text);
		vmt_buf_addc(&w->text, '/');
		vmt_buf_add(&w->text, f->name.ptr, f->name.len);
		vmt_buf_adds(&w->text, " (deleted)");
	} else if (f->r.root && S_ISDIR(f->r.mode)) {
		show(w, s, (struct vmt_bytes){ 0 });
		if (w->text.len == 0)
			vmt_buf_addc(&w->text, '/');
	} else if (f->name.len && vmt_inode_index_find(&w->dir_index, f->r.parent, 0, &up)) {
		const struct dir *d;

		r = resolve(w, up, 0);
		if (r < 0)
			return r;
		d = &w->dirs[up];
		if (d->lost) {
			inode_text(w, s, f);
		} else {
			vmt_buf_clear(&w->text);
			vmt_buf_add(&w->text, d->shown.ptr, d->shown.len);
			vmt_buf_addc(&w->text, '/');
			vmt_buf_add(&w->text, f->name.ptr, f->name.len);
			/* As in /proc/PID/maps; another name may lead to it. */
			if (f->r.nlink == 0 || !f->r.hashed)
				vmt_buf_adds(&w->text, " (deleted)");
		}
	} else {
		inode_text(w, s, f);
	}
	VMT_SET(cached_file, path, row, keep_text(w));
	return 0;
}

/* Bytes a second, in thousandths. */
static uint64_t rate_of(const struct walk *w, uint64_t pages)
{
	double bytes = (double)pages * (double)w->s->host.page_size;

	return (uint64_t)(bytes * 1e12 / (double)w->live_ns + 0.5);
}

static int add_row(struct walk *w, const struct file *f)
{
	const struct super *s = super_of(w, f->r.super);
	struct vmt_cached_file *row = vmt_cache_sample_add(&w->s->cache);
	uint64_t magic = s && s->from ? s->from->magic : 0;
	uint64_t page = w->s->host.page_size;

	if (!s || !row)
		return -ENOMEM;
	if (magic == HUGETLBFS_MAGIC) {
		/* Its entries were huge pages up to 6.6, and are base pages since (a08c7193e4f1).
		 */
		VMT_SET(cached_file, cached_bytes, row, f->r.blocks * 512);
		VMT_SET(cached_file, method, row, VMT_BYTES("blocks"));
	} else if (magic == OVERLAYFS_SUPER_MAGIC) {
		/* Pages are those of the file below, which was not found. */
		VMT_SET(cached_file, method, row, VMT_BYTES("inode"));
	} else {
		VMT_SET(cached_file, cached_bytes, row, f->r.pages * page);
		VMT_SET(cached_file, method, row, VMT_BYTES("inode"));
	}
	VMT_SET(cached_file, size_bytes, row, f->r.size);
	VMT_SET(cached_file, kind, row, vmt_cache_kind(magic, f->r.mode));
	VMT_SET(cached_file, inode, row, f->r.ino);
	if (s->from) {
		VMT_SET(cached_file, fs_type, row, s->fs_type);
		VMT_SET(cached_file, device, row,
			S_ISBLK(f->r.mode) ? device_text(w, f->r.rdev) : s->device);
	}
	VMT_SET(cached_file, deleted, row, f->r.nlink == 0 && !S_ISBLK(f->r.mode));
	if (vmt_inodes_has_mappings(w->inodes)) {
		VMT_SET(cached_file, mappings_total, row, f->r.mappings);
		VMT_SET(cached_file, mappers_total, row, f->r.mappers);
	}
	if (vmt_inodes_has_files(w->inodes))
		VMT_SET(cached_file, openers_total, row, f->r.openers);
	/* The tracepoints do not see shmem. */
	if (w->live_ns && magic != TMPFS_MAGIC) {
		VMT_SET(cached_file, added_bytes_per_second, row, rate_of(w, f->r.added));
		VMT_SET(cached_file, deleted_bytes_per_second, row, rate_of(w, f->r.deleted));
	}
	VMT_SET(cached_file, read_status, row, VMT_BYTES("ok"));
	vmt_cached_file_derive(row, page);
	return set_path(w, s, f, row);
}

/* Files of a file system whose superblock was not among those that were seen are rows as well; so
 * that what a block device is called is known, superblocks come first. */
static int make_rows(struct walk *w)
{
	struct vmt_cache_sample *c = &w->s->cache;
	size_t i;
	int r = 0;

	/* As many as there are, and no more: it is the greater part of our memory. */
	c->files = calloc(w->n_files ? w->n_files : 1, sizeof(*c->files));
	if (!c->files)
		return -ENOMEM;
	c->cap_files = w->n_files ? w->n_files : 1;
	for (i = 0; i < w->n_files; i++)
		if (!super_of(w, w->files[i].r.super))
			return -ENOMEM;
	for (i = 0; r == 0 && i < w->n_files; i++)
		r = add_row(w, &w->files[i]);
	return r < 0 ? r : w->s->arena.failed ? -ENOMEM : 0;
}

static void set_stats(struct walk *w)
{
	struct vmt_source_stat *st = &w->s->sources[VMT_SOURCE_INODES];
	struct vmt_cache *c = &w->s->cache.walk;
	struct vmt_inodes_stats is;

	vmt_inodes_stats(w->inodes, &is);
	st->reads += is.runs;
	st->answered += is.runs;
	st->bytes_unknown = true;
	if (is.longest_ns > st->longest_ns)
		st->longest_ns = is.longest_ns;
	if (w->opts->all) {
		VMT_SET(cache, superblocks_total, c, is.supers);
		VMT_SET(cache, inodes_total, c, is.seen);
		VMT_SET(cache, restarts_total, c, is.restarts);
		VMT_SET(cache, cut_total, c, is.cut);
		VMT_SET(cache, walk_ns, c, is.took_ns);
		VMT_SET(cache, longest_ns, c, is.longest_ns);
	}
	if (w->live_ns) {
		uint64_t page = w->s->host.page_size;

		VMT_SET(cache, live_ns, c, w->live_ns);
		VMT_SET(cache, added_bytes, c, is.added * page);
		VMT_SET(cache, deleted_bytes, c, is.deleted * page);
		VMT_SET(cache, churn_lost_bytes, c, is.churn_lost * page);
	}
	if (!is.cut && !is.supers_cut && !is.used_lost && !is.users_late && !w->dropped)
		return;
	w->s->cache.incomplete = true;
	st->state = VMT_STATE_PARTIAL;
	if (is.used_lost)
		snprintf(st->reason, sizeof(st->reason),
			 "%" PRIu64 " mapped or open files found the table full", is.used_lost);
	else if (w->dropped)
		snprintf(st->reason, sizeof(st->reason),
			 "%" PRIu64 " inodes are more than there is room for", w->dropped);
	else if (is.users_late)
		snprintf(st->reason, sizeof(st->reason),
			 "who %s files is not known: a process could not be read in time",
			 vmt_inodes_has_files(w->inodes) ? "maps" : "maps or has open");
	else
		snprintf(st->reason, sizeof(st->reason),
			 "%" PRIu64 " lists of inodes were not walked to their end: time was over, "
			 "or they kept changing",
			 is.cut + is.supers_cut);
}

/* Counts pages that come and go for a while. */
static int watch(struct walk *w, struct vmt_err *err)
{
	uint64_t ns = w->opts->live_ns, t0;
	struct timespec ts = { .tv_sec = (time_t)(ns / 1000000000),
			       .tv_nsec = (long)(ns % 1000000000) };
	int r = vmt_inodes_live_start(w->inodes, err);

	if (r < 0)
		return r;
	t0 = vmt_now_ns(CLOCK_MONOTONIC);
	/* A signal that does not end us ends the wait. */
	nanosleep(&ts, NULL);
	vmt_inodes_live_stop(w->inodes);
	w->live_ns = vmt_now_ns(CLOCK_MONOTONIC) - t0;
	return 0;
}

static int walk(struct walk *w, struct vmt_pool *pool, uint64_t deadline_ns, struct vmt_err *err)
{
	const struct vmt_inode_opts *o = w->opts;
	const struct vmt_inodes_opts opts = { .mappings = o->mapped || o->all,
					      .files = o->open || o->all,
					      .live = o->live_ns != 0,
					      .pids = o->pids,
					      .n_pids = o->n_pids };
	int r = vmt_inodes_open(&opts, &w->inodes, err);

	if (r == 0 && o->mapped && !o->all && !vmt_inodes_has_mappings(w->inodes))
		return vmt_err_set(err, -ENOTSUP, NULL, 0,
				   "this kernel has no list of all mappings (Linux 5.12)");
	if (r == 0 && o->open && !o->all && !vmt_inodes_has_files(w->inodes))
		return vmt_err_set(err, -ENOTSUP, NULL, 0,
				   "this kernel has no list of all open files (Linux 5.8)");
	if (r == 0 && o->live_ns)
		r = watch(w, err);
	if (r == 0)
		r = vmt_inodes_count_users(w->inodes, pool, deadline_ns, err);
	if (r == 0 && o->all)
		r = vmt_inodes_all(w->inodes, deadline_ns, take, w, err);
	else if (r == 0)
		r = vmt_inodes_used(w->inodes, deadline_ns, take, w, err);
	return r;
}

int vmt_collect_inodes(struct vmt_collector *c, struct vmt_sample *s,
		       const struct vmt_inode_opts *opts)
{
	const struct vmt_root *root = vmt_collector_shared(c)->root;
	uint64_t cpu0 = vmt_now_ns(CLOCK_THREAD_CPUTIME_ID);
	VMT_CLEANUP(walk_done)
	struct walk w = { .s = s, .opts = opts, .most = opts->most ? opts->most : VMT_INODES_MAX };
	struct vmt_err err = { 0 };
	int r;

	s->cache.asked = true;
	if (!root->live) {
		cannot(s, -ENOENT, "a recording has no page cache");
		return 0;
	}
	vmt_arena_init(&w.arena);
	w.mounts = vmt_mounts_load(root);
	if (!w.mounts)
		return -ENOMEM;
	if (w.mounts->error)
		vmt_sample_failed(s, VMT_SOURCE_INODES, 0, (struct vmt_bytes){ 0 }, w.mounts->error,
				  "mountinfo cannot be read: paths are not known");
	r = walk(&w, vmt_collector_pool(c), vmt_collector_deadline(c), &err);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		cannot(s, r, err.text);
	else
		r = make_rows(&w);
	if (r == 0)
		set_stats(&w);
	s->sources[VMT_SOURCE_INODES].cpu_ns += vmt_now_ns(CLOCK_THREAD_CPUTIME_ID) - cpu0;
	return r == -ENOMEM ? r : 0;
}
#else
int vmt_collect_inodes(struct vmt_collector *c, struct vmt_sample *s,
		       const struct vmt_inode_opts *opts)
{
	(void)c;
	(void)opts;
	s->cache.asked = true;
	cannot(s, -ENOSYS, "vmtop was built without BPF");
	return 0;
}
#endif
