/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/sharers.h"

#include <errno.h>

#include "model/map-key.h"

/* Set in the mode of a segment that ends with its last mapping: include/linux/shm.h SHM_DEST. */
#define SHM_DEST 01000

#define NO_ROW SIZE_MAX

/* Sums of a row, in the order of its fields. */
enum sum {
	SUM_RSS,
	SUM_SWAP,
	SUM_PSS,
	SUM_USS,
	N_SUMS,
};

struct file {
	struct vmt_bytes kind; /* constant */
	struct vmt_bytes device;
	struct vmt_bytes name;
	uint64_t inode;
	uint64_t ipc_namespace;
	bool has_ipc;
	bool has_deleted;
	bool deleted;
	uint64_t processes;
	uint64_t rss; /* of all of them, as far as it is known */
	size_t last; /* the row of the process that was added last, or NO_ROW */
	struct vmt_segment segment;
	bool has_segment;
};

struct row {
	struct vmt_sharer sharer;
	uint32_t file;
	uint32_t at; /* in the order in which they came */
	uint32_t known[N_SUMS]; /* mappings of which the value was known */
};

struct vmt_sharers {
	uint64_t ipc_namespace;
	bool chosen; /* no more files than there are */
	struct vmt_key_table keys;
	struct vmt_buf key;
	struct vmt_arena arena;
	size_t names_left;
	struct file *files;
	size_t cap_files;
	struct row *rows;
	size_t cap_rows;
	size_t n;
	struct vmt_sharer *sorted;
	struct vmt_sharer other; /* what found no room */
};

struct vmt_sharers *vmt_sharers_new(uint64_t ipc_namespace)
{
	struct vmt_sharers *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->ipc_namespace = ipc_namespace;
	s->names_left = VMT_SHARED_NAMES_MAX;
	vmt_arena_init(&s->arena);
	vmt_key_table_init(&s->keys, VMT_SHARED_FILES_MAX, VMT_SHARED_NAMES_MAX);
	return s;
}

void vmt_sharers_free(struct vmt_sharers *s)
{
	if (!s)
		return;
	vmt_key_table_done(&s->keys);
	vmt_buf_done(&s->key);
	vmt_arena_done(&s->arena);
	free(s->files);
	free(s->rows);
	free(s->sorted);
	free(s);
}

/* What is mapped, in one word: the role where that says it, as it says "text" of a library. */
static struct vmt_bytes kind_of(const struct vmt_map *m)
{
	static const char *const roles[] = { "memfd",	"sysv",	  "shared-anon", "shmem",  "tmpfs",
					     "hugetlb", "device", "secretmem",	 "special" };
	size_t i;

	for (i = 0; VMT_HAS(map, role, m) && i < VMT_ARRAY_LEN(roles); i++)
		if (vmt_bytes_is(m->role, roles[i]))
			return vmt_bytes_of(roles[i]);
	if (vmt_bytes_is(m->kind, "shmem"))
		return VMT_BYTES("shmem");
	if (vmt_bytes_is(m->kind, "hugetlb"))
		return VMT_BYTES("hugetlb");
	return vmt_bytes_is(m->kind, "special") ? VMT_BYTES("special") : VMT_BYTES("file");
}

/* Private mappings of /dev/zero share nothing, though they have a file. */
static bool is_shareable(const struct vmt_map *m)
{
	return !(VMT_HAS(map, role, m) &&
		 (vmt_bytes_is(m->role, "anon") || vmt_bytes_is(m->role, "jit") ||
		  vmt_bytes_is(m->role, "reserved")));
}

static int copy(struct vmt_arena *arena, struct vmt_bytes text, struct vmt_bytes *ret)
{
	const char *p = vmt_arena_copy(arena, text.ptr, text.len);

	*ret = (struct vmt_bytes){ p, text.len };
	return p ? 0 : -ENOMEM;
}

static int file_init(struct vmt_sharers *s, struct file *f, const struct vmt_map *m)
{
	*f = (struct file){ .kind = kind_of(m), .inode = m->inode, .last = NO_ROW };
	f->has_ipc = VMT_HAS(map, ipc_namespace, m);
	f->ipc_namespace = f->has_ipc ? m->ipc_namespace : 0;
	s->names_left -= m->path.len;
	return copy(&s->arena, m->device, &f->device) < 0 ? -ENOMEM
							  : copy(&s->arena, m->path, &f->name);
}

/* The number of the file of a mapping; -ENOENT where it is of no interest, -ENOSPC, -ENOMEM. */
static int64_t file_of(struct vmt_sharers *s, const struct vmt_map *m, bool add)
{
	size_t before = s->keys.n;
	int64_t at;

	vmt_buf_clear(&s->key);
	if (!is_shareable(m) || !vmt_map_file_key(m, &s->key))
		return -ENOENT;
	if (vmt_buf_error(&s->key) < 0)
		return -ENOMEM;
	at = vmt_key_table_take(&s->keys, (struct vmt_bytes){ s->key.data, s->key.len },
				add && m->path.len <= s->names_left);
	if (at == -ENOENT && add)
		return -ENOSPC;
	if (at < 0 || s->keys.n == before)
		return at;
	if (vmt_grow(&s->files, &s->cap_files, s->keys.n, sizeof(*s->files)) < 0 ||
	    file_init(s, &s->files[at], m) < 0)
		return -ENOMEM;
	return at;
}

int vmt_sharers_want(struct vmt_sharers *s, const struct vmt_map *maps, size_t n)
{
	size_t i;

	s->chosen = true;
	for (i = 0; i < n; i++)
		if (file_of(s, &maps[i], true) == -ENOMEM)
			return -ENOMEM;
	return 0;
}

static struct row *add_row(struct vmt_sharers *s, uint32_t file)
{
	struct row *row;

	if (vmt_grow(&s->rows, &s->cap_rows, s->n + 1, sizeof(*s->rows)) < 0)
		return NULL;
	row = &s->rows[s->n];
	*row = (struct row){ .file = file, .at = (uint32_t)s->n };
	s->files[file].last = s->n++;
	return row;
}

static int begin_row(struct vmt_sharers *s, uint32_t file, const struct vmt_proc *p)
{
	struct row *row = add_row(s, file);
	struct vmt_bytes comm;

	if (!row)
		return -ENOMEM;
	s->files[file].processes++;
	VMT_SET(sharer, pid, &row->sharer, p->pid);
	if (!VMT_HAS(proc, comm, p))
		return 0;
	if (copy(&s->arena, p->comm, &comm) < 0)
		return -ENOMEM;
	VMT_SET(sharer, comm, &row->sharer, comm);
	return 0;
}

static void add_to(uint64_t *sum, bool has, uint64_t v, uint32_t *known)
{
	if (has && !__builtin_add_overflow(*sum, v, sum))
		++*known;
}

static void add_map(struct file *f, struct row *row, const struct vmt_map *m)
{
	struct vmt_sharer *r = &row->sharer;
	uint64_t v;

	r->maps_total++;
	if (!__builtin_add_overflow(r->size_bytes, m->size_bytes, &v))
		r->size_bytes = v;
	if (VMT_HAS(map, deleted, m)) {
		f->has_deleted = true;
		f->deleted = m->deleted;
	}
	if (!VMT_HAS(map, rss_bytes, m)) {
		r->unknown_total++;
		return;
	}
	if (!__builtin_add_overflow(f->rss, m->rss_bytes, &v))
		f->rss = v;
	add_to(&r->rss_bytes, true, m->rss_bytes, &row->known[SUM_RSS]);
	add_to(&r->swap_bytes, VMT_HAS(map, swap_bytes, m), m->swap_bytes, &row->known[SUM_SWAP]);
	add_to(&r->pss_bytes, VMT_HAS(map, pss_bytes, m), m->pss_bytes, &row->known[SUM_PSS]);
	add_to(&r->uss_bytes, VMT_HAS(map, uss_bytes, m), m->uss_bytes, &row->known[SUM_USS]);
}

int vmt_sharers_add(struct vmt_sharers *s, const struct vmt_proc *p, const struct vmt_map *maps,
		    size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		int64_t at = file_of(s, &maps[i], !s->chosen);
		struct file *f;

		if (at == -ENOMEM)
			return -ENOMEM;
		if (at == -ENOENT)
			continue;
		f = at < 0 ? NULL : &s->files[at];
		if (f && (f->last == NO_ROW || s->rows[f->last].sharer.pid != p->pid)) {
			if (s->n >= VMT_SHARERS_MAX)
				f = NULL;
			else if (begin_row(s, (uint32_t)at, p) < 0)
				return -ENOMEM;
		}
		if (f)
			add_map(f, &s->rows[f->last], &maps[i]);
		else
			s->other.maps_total++;
	}
	return 0;
}

/* The file that is a segment, of those that are mapped. */
static struct file *find_segment(const struct vmt_sharers *s, const struct vmt_segment *segment)
{
	size_t i;

	for (i = 0; i < s->keys.n; i++) {
		struct file *f = &s->files[i];

		if (f->inode == segment->id && vmt_bytes_is(f->kind, "sysv") &&
		    (!f->has_ipc || !s->ipc_namespace || f->ipc_namespace == s->ipc_namespace))
			return f;
	}
	return NULL;
}

/* A segment that nobody maps, or that nobody was seen to map. */
static int add_unmapped(struct vmt_sharers *s, const struct vmt_segment *segment)
{
	struct vmt_bytes key = { (const char *)&segment->id, sizeof(segment->id) };
	struct row *row;
	struct file *f;
	int64_t at;

	/* A key of a length that no file has. */
	at = s->n < VMT_SHARERS_MAX ? vmt_key_table_take(&s->keys, key, true) : -ENOSPC;
	if (at == -ENOSPC) {
		s->other.maps_total++;
		return 0;
	}
	if (at < 0 || vmt_grow(&s->files, &s->cap_files, s->keys.n, sizeof(*s->files)) < 0)
		return -ENOMEM;
	f = &s->files[at];
	*f = (struct file){ .kind = VMT_BYTES("sysv"), .inode = segment->id, .last = NO_ROW };
	f->has_segment = true;
	f->segment = *segment;
	f->rss = segment->rss;
	f->has_ipc = s->ipc_namespace != 0;
	f->ipc_namespace = s->ipc_namespace;
	row = add_row(s, (uint32_t)at);
	if (!row)
		return -ENOMEM;
	row->sharer.size_bytes = segment->size;
	return 0;
}

int vmt_sharers_add_segments(struct vmt_sharers *s, const struct vmt_segment *segments, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		struct file *f = find_segment(s, &segments[i]);
		int r = 0;

		if (f) {
			f->has_segment = true;
			f->segment = segments[i];
		} else if (!s->chosen) {
			r = add_unmapped(s, &segments[i]);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

/* What is the file's goes into each of its rows. */
static void fill_file(struct vmt_sharer *r, const struct file *f)
{
	VMT_SET(sharer, kind, r, f->kind);
	if (f->device.len)
		VMT_SET(sharer, device, r, f->device);
	VMT_SET(sharer, inode, r, f->inode);
	if (f->has_ipc)
		VMT_SET(sharer, ipc_namespace, r, f->ipc_namespace);
	if (f->name.len)
		VMT_SET(sharer, name, r, f->name);
	VMT_SET(sharer, processes_total, r, f->processes);
	if (f->has_segment) {
		VMT_SET(sharer, deleted, r, f->segment.mode & SHM_DEST);
		VMT_SET(sharer, held_bytes, r, f->segment.rss);
		VMT_SET(sharer, held_swap_bytes, r, f->segment.swap);
		VMT_SET(sharer, attached_total, r, f->segment.attached);
		VMT_SET(sharer, creator_pid, r, f->segment.creator);
	} else if (f->has_deleted) {
		VMT_SET(sharer, deleted, r, f->deleted);
	}
}

static void fill(const struct vmt_sharers *s, struct row *row)
{
	struct vmt_sharer *r = &row->sharer;
	uint64_t known = r->maps_total - r->unknown_total;

	fill_file(r, &s->files[row->file]);
	VMT_SET(sharer, maps_total, r, r->maps_total);
	VMT_SET(sharer, unknown_total, r, r->unknown_total);
	VMT_SET(sharer, size_bytes, r, r->size_bytes);
	if (known == 0)
		return;
	if (row->known[SUM_RSS] == known)
		VMT_SET(sharer, rss_bytes, r, r->rss_bytes);
	if (row->known[SUM_SWAP] == known)
		VMT_SET(sharer, swap_bytes, r, r->swap_bytes);
	if (row->known[SUM_PSS] == known)
		VMT_SET(sharer, pss_bytes, r, r->pss_bytes);
	if (row->known[SUM_USS] == known)
		VMT_SET(sharer, uss_bytes, r, r->uss_bytes);
}

static int compare(const void *a, const void *b, void *arg)
{
	const struct row *x = a, *y = b;
	const struct file *files = arg;
	uint64_t fx = files[x->file].rss, fy = files[y->file].rss;

	if (fx != fy)
		return fx > fy ? -1 : 1;
	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	if (x->sharer.rss_bytes != y->sharer.rss_bytes)
		return x->sharer.rss_bytes > y->sharer.rss_bytes ? -1 : 1;
	return x->at < y->at ? -1 : 1;
}

const struct vmt_sharer *vmt_sharers_rows(struct vmt_sharers *s, size_t *ret_n,
					  uint64_t *ret_dropped)
{
	size_t i;

	free(s->sorted);
	s->sorted = calloc(s->n + 1, sizeof(*s->sorted));
	if (!s->sorted)
		return NULL;
	if (s->n)
		qsort_r(s->rows, s->n, sizeof(*s->rows), compare, s->files);
	for (i = 0; i < s->n; i++) {
		fill(s, &s->rows[i]);
		s->sorted[i] = s->rows[i].sharer;
	}
	*ret_dropped = s->other.maps_total;
	*ret_n = s->n;
	if (s->other.maps_total) {
		VMT_SET(sharer, maps_total, &s->other, s->other.maps_total);
		s->sorted[(*ret_n)++] = s->other;
	}
	return s->sorted;
}
