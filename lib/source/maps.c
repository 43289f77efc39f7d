/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/maps.h"

#include <errno.h>

#include "base/parse.h"
#include "source/exact-path.h"
#include "source/kv.h"

/* FNV-1a with 64 bits. It tells that a list changed, not who changed it. */
#define FNV_BASIS UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

/* Two of three lines of smaps are of one form. */
static size_t take_many(void *arg, struct vmt_bytes text, unsigned *line)
{
	struct vmt_maps_parser *p = arg;
	size_t n = p->n_maps ? vmt_smaps_run(&p->maps[p->n_maps - 1], text, &p->hint) : 0;

	*line += (unsigned)(n / VMT_KV_LINE);
	return n;
}

void vmt_maps_init(struct vmt_maps_parser *p, bool smaps, uint64_t pid, struct vmt_arena *arena,
		   const struct vmt_devices *devices)
{
	*p = (struct vmt_maps_parser){
		.arena = arena, .devices = devices, .pid = pid, .smaps = smaps, .print = FNV_BASIS
	};
	vmt_lines_init(&p->lines);
	if (smaps)
		p->lines.many = take_many;
}

void vmt_maps_done(struct vmt_maps_parser *p)
{
	vmt_lines_done(&p->lines);
	vmt_other_done(&p->other);
	free(p->maps);
	p->maps = NULL;
	p->n_maps = p->cap_maps = 0;
}

static void print_add(struct vmt_maps_parser *p, struct vmt_bytes b)
{
	uint64_t h = p->print;
	size_t i;

	if (p->no_print)
		return;

	for (i = 0; i < b.len; i++)
		h = (h ^ (unsigned char)b.ptr[i]) * FNV_PRIME;
	p->print = (h ^ '\n') * FNV_PRIME;
}

static bool is_sysv(struct vmt_bytes path)
{
	struct vmt_bytes cur = path;
	uint64_t key;

	if (!vmt_bytes_starts(path, "/SYSV"))
		return false;
	cur.ptr += 5;
	cur.len -= 5;
	return vmt_take_hex(&cur, &key) == 0 && path.len - cur.len == 5 + 8;
}

/*
 * What backs a mapping. A process can give a file nearly any name, so a name in brackets counts
 * only where there is no inode, and a name of shmem only where the device is one of no block
 * device (major 0) and the kernel's own mount is not known better.
 */
struct vmt_bytes vmt_map_kind(const struct vmt_devices *devices, uint64_t major, uint64_t minor,
			      uint64_t inode, struct vmt_bytes path)
{
	const struct vmt_device *dev;

	if (inode == 0 && major == 0 && minor == 0) {
		if (path.len == 0 || vmt_bytes_starts(path, "[anon:"))
			return VMT_BYTES("anon");
		if (vmt_bytes_is(path, "[heap]"))
			return VMT_BYTES("heap");
		/* [stack:TID] up to Linux 4.4 */
		if (vmt_bytes_is(path, "[stack]") || vmt_bytes_starts(path, "[stack:"))
			return VMT_BYTES("stack");
		if (vmt_bytes_is(path, "[vdso]"))
			return VMT_BYTES("vdso");
		return VMT_BYTES("special");
	}
	dev = devices ? vmt_devices_find(devices, major, minor) : NULL;
	if (dev)
		return dev->hugetlb ? VMT_BYTES("hugetlb") : VMT_BYTES("shmem");
	if (major == 0) {
		if (!(devices && devices->has_internal_huge) &&
		    vmt_bytes_is(path, "/anon_hugepage (deleted)"))
			return VMT_BYTES("hugetlb");
		if (!(devices && devices->has_internal) &&
		    (vmt_bytes_starts(path, "/memfd:") || is_sysv(path) ||
		     vmt_bytes_is(path, "/dev/zero (deleted)") ||
		     vmt_bytes_starts(path, "[anon_shmem:")))
			return VMT_BYTES("shmem");
		/* anon_inode:[perf_event], socket:[42]: no file of a file system */
		if (path.len && path.ptr[0] != '/' && path.ptr[0] != '(')
			return VMT_BYTES("special");
	}
	return VMT_BYTES("file");
}

/* The sixteen texts that there are, so that no row owns one, and which of them it is. */
static int take_perms(struct vmt_bytes *cur, struct vmt_bytes *ret, unsigned *ret_rights)
{
	static const char all[16][5] = {
		"---p", "---s", "--xp", "--xs", "-w-p", "-w-s", "-wxp", "-wxs",
		"r--p", "r--s", "r-xp", "r-xs", "rw-p", "rw-s", "rwxp", "rwxs",
	};
	const char *p = cur->ptr;
	unsigned i = 0;

	if (cur->len < 4)
		return -EINVAL;
	i |= p[0] == 'r' ? 8 : 0;
	i |= p[1] == 'w' ? 4 : 0;
	i |= p[2] == 'x' ? 2 : 0;
	i |= p[3] == 's' ? 1 : 0;
	if (memcmp(p, all[i], 4) != 0)
		return -EINVAL;
	cur->ptr += 4;
	cur->len -= 4;
	*ret = (struct vmt_bytes){ all[i], 4 };
	*ret_rights = i;
	return 0;
}

static int take_blank(struct vmt_bytes *cur)
{
	return vmt_take_char(cur, ' ');
}

/* Makes room for one more row. Not zeroed: a value means something only where its bit is set, and
 * clearing the half kilobyte of each row would cost as much as parsing its line. */
static int add_row(struct vmt_maps_parser *p)
{
	/* Most processes have fewer; what is not used is not touched either. */
	size_t cap = p->cap_maps ? 2 * p->cap_maps : 256;
	struct vmt_map *maps;

	if (p->n_maps < p->cap_maps)
		return 0;
	maps = reallocarray(p->maps, cap, sizeof(*maps));
	if (!maps)
		return -ENOMEM;
	p->maps = maps;
	p->cap_maps = cap;
	return 0;
}

/* The memory of rows was last in the hands of who took those before, another thread: what is
 * written of the row after the next is fetched while this one is made. */
static inline void fetch_ahead(const struct vmt_maps_parser *p)
{
	const char *row = (const char *)&p->maps[p->n_maps + 2];
	size_t at;

	if (p->cap_maps - p->n_maps <= 2)
		return;
	for (at = 0; at < 256; at += 64)
		__builtin_prefetch(row + at, 1);
}

/* What a mapping is of, as far as numbers say it. */
struct place {
	uint64_t offset;
	uint64_t major;
	uint64_t minor;
	uint64_t inode;
	struct vmt_bytes device;
};

/* " 00000000 fe:00 247134" */
static int take_place(struct vmt_bytes *cur, struct place *ret)
{
	/* That of memory without a file, by far the most there are. */
	static const char none[] = " 00000000 00:00 0";
	const size_t len = sizeof(none) - 1, device = 10;
	int r;

	if (cur->len > len && cur->ptr[len] == ' ' && memcmp(cur->ptr, none, len) == 0) {
		*ret = (struct place){ .device = { cur->ptr + device, 5 } };
		cur->ptr += len;
		cur->len -= len;
		return 0;
	}
	r = take_blank(cur);
	if (r == 0)
		r = vmt_take_hex(cur, &ret->offset);
	if (r == 0)
		r = take_blank(cur);
	if (r < 0)
		return r;
	ret->device.ptr = cur->ptr;
	r = vmt_take_hex(cur, &ret->major);
	if (r == 0)
		r = vmt_take_char(cur, ':');
	if (r == 0)
		r = vmt_take_hex(cur, &ret->minor);
	if (r < 0)
		return r;
	ret->device.len = (size_t)(cur->ptr - ret->device.ptr);
	r = take_blank(cur);
	return r < 0 ? r : vmt_take_u64(cur, &ret->inode);
}

static bool same_text(const char *a, const char *b, size_t n)
{
	/* Most addresses have twelve digits. */
	return n >= 8 && n <= 16 && memcmp(a, b, 8) == 0 && memcmp(a + n - 8, b + n - 8, 8) == 0;
}

/*
 * An address and the dash behind it: mostly the end of the mapping before, which was read already.
 */
static int take_start(const struct vmt_maps_parser *p, struct vmt_bytes *cur, uint64_t *ret)
{
	size_t n = p->last_len;
	int r;

	if (cur->len > n && same_text(cur->ptr, p->last_text, n) && cur->ptr[n] == '-') {
		*ret = p->last_end;
		cur->ptr += n + 1;
		cur->len -= n + 1;
		return 0;
	}
	r = vmt_take_hex(cur, ret);
	return r < 0 ? r : vmt_take_char(cur, '-');
}

/*
 * An address and the blank behind it: mostly one of which all but the last eight digits are those
 * of the start, which begins at text and has n digits.
 */
static int take_end(struct vmt_maps_parser *p, struct vmt_bytes *cur, const char *text, size_t n,
		    uint64_t start, uint64_t *ret)
{
	const char *at = cur->ptr;
	uint64_t low;
	int r;

	if (n >= 8 && n <= 16 && cur->len > n && memcmp(at, text, n - 8) == 0 && at[n] == ' ' &&
	    vmt_hex_eight(at + n - 8, &low)) {
		*ret = (start & ~(uint64_t)UINT32_MAX) | low;
		cur->ptr += n + 1;
		cur->len -= n + 1;
	} else {
		r = vmt_take_hex(cur, ret);
		if (r == 0)
			r = take_blank(cur);
		if (r < 0)
			return r;
		n = (size_t)(cur->ptr - 1 - at);
	}
	p->last_len = 0;
	if (n <= sizeof(p->last_text)) {
		memcpy(p->last_text, at, n);
		p->last_len = n;
	}
	return 0;
}

/* "55d0a0000000-55d0a0002000 r--p 00000000 fe:00 247134                     /usr/bin/cat", of which
 * start and the dash behind it were taken: cur is what comes then. */
static int take_mapping(struct vmt_maps_parser *p, struct vmt_bytes line, struct vmt_bytes cur,
			uint64_t start)
{
	struct vmt_map *m, *before;
	struct vmt_bytes perms, device, path;
	struct place place = { 0 };
	uint64_t end;
	int r;

	p->reason = "this is no line of a mapping";
	r = take_end(p, &cur, line.ptr, (size_t)(cur.ptr - 1 - line.ptr), start, &end);
	if (r == 0)
		r = take_perms(&cur, &perms, &p->rights);
	if (r == 0)
		r = take_place(&cur, &place);
	if (r < 0)
		return r;
	if (cur.len && vmt_take_blanks(&cur) == 0)
		return -EINVAL;
	path = cur;
	p->reason = "the end of the range is not behind its start";
	if (end <= start)
		return -EINVAL;
	p->reason = "the addresses go back";
	if (start < p->last_end) {
		p->went_back = true;
		return -EINVAL;
	}
	p->last_end = end;
	/* The page of vsyscall is the kernel's, and no part of the size of the process. */
	if (start <= INT64_MAX)
		p->size_bytes += end - start;
	if (p->count_only) {
		p->n_maps++;
		print_add(p, line);
		return 0;
	}

	p->reason = "out of memory";
	if (p->batch && p->n_maps == p->batch) {
		r = p->full(p, p->full_arg);
		if (r < 0)
			return r;
		if (p->count_only) {
			p->n_maps++;
			print_add(p, line);
			return 0;
		}
	}
	r = add_row(p);
	if (r < 0)
		return r;
	before = p->n_maps ? &p->maps[p->n_maps - 1] : NULL;
	m = &p->maps[p->n_maps];
	fetch_ahead(p);
	m->row = (struct vmt_row){ 0 };
	r = vmt_bytes_keep(p->arena, place.device, before ? &before->device : NULL, &device);
	if (r == 0)
		r = vmt_bytes_keep(p->arena, path, before ? &before->path : NULL, &path);
	if (r < 0)
		return r;
	if (p->pid)
		VMT_SET(map, pid, m, p->pid);
	VMT_SET(map, start, m, start);
	VMT_SET(map, end, m, end);
	VMT_SET(map, size_bytes, m, end - start);
	VMT_SET(map, perms, m, perms);
	VMT_SET(map, offset_bytes, m, place.offset);
	VMT_SET(map, device, m, device);
	VMT_SET(map, inode, m, place.inode);
	VMT_SET(map, kind, m,
		vmt_map_kind(p->devices, place.major, place.minor, place.inode, path));
	/* A mapping without a name has one that is known: none. */
	VMT_SET(map, path, m, path);
	VMT_SET(map, path_ambiguous, m, vmt_path_is_ambiguous(path));
	p->n_maps++;
	print_add(p, line);
	return 0;
}

/* The keys of the mapping m that are not known; before is the one before it, or NULL. */
static int keep_other(struct vmt_maps_parser *p, struct vmt_map *m, const struct vmt_map *before)
{
	const struct vmt_other *o = &p->other;
	struct vmt_bytes text = VMT_BYTES("");
	int r = vmt_buf_error(&o->text);

	p->reason = "out of memory";
	if (r == 0 && o->n)
		r = vmt_bytes_keep(p->arena, (struct vmt_bytes){ o->text.data, o->text.len },
				   before && VMT_HAS(map, other, before) ? &before->other : NULL,
				   &text);
	if (r < 0)
		return r;
	VMT_SET(map, other, m, text);
	p->other_dropped |= o->dropped;
	if (p->unknown_here > p->unknown_keys)
		p->unknown_keys = p->unknown_here;
	p->unknown_here = 0;
	vmt_other_clear(&p->other);
	return 0;
}

/* What follows from all lines of a mapping. */
static int mapping_end(struct vmt_maps_parser *p)
{
	struct vmt_map *m;

	if (!p->smaps || !p->n_maps)
		return 0;
	m = &p->maps[p->n_maps - 1];
	vmt_smaps_derive(m);
	if (!VMT_HAS(map, commit_bytes, m) ||
	    __builtin_add_overflow(p->commit_bytes, m->commit_bytes, &p->commit_bytes))
		p->no_commit = true;
	if (p->unknown_here)
		return keep_other(p, m, p->n_maps > 1 ? m - 1 : NULL);
	VMT_SET(map, other, m, VMT_BYTES(""));
	return 0;
}

void vmt_maps_take(struct vmt_maps_parser *p, struct vmt_arena *arena, struct vmt_map **ret,
		   size_t *ret_n)
{
	vmt_arena_join(arena, p->arena);
	*ret = VMT_STEAL(p->maps);
	*ret_n = p->n_maps;
	p->taken += p->n_maps;
	p->n_maps = p->cap_maps = 0;
	memset(p->flags, 0, sizeof(p->flags));
}

/* A line below a mapping in smaps that is not the next one of the kernel's order. */
static int take_other_line(struct vmt_maps_parser *p, struct vmt_bytes line)
{
	struct vmt_bytes *flags = &p->flags[p->rights];
	struct vmt_map *m;
	int r;

	p->reason = "there is no mapping above this line";
	if (p->n_maps == 0)
		return -EINVAL;
	p->reason = "this is not a value of that key";
	m = &p->maps[p->n_maps - 1];
	r = vmt_smaps_line(m, line, &p->hint, p->arena, *flags, &p->other);
	if (r == 0)
		p->unknown_here++;
	if (r < 0)
		return r;
	if (VMT_HAS(map, vm_flags, m))
		*flags = m->vm_flags;
	return 0;
}

static int take_line(void *arg, struct vmt_bytes line)
{
	struct vmt_maps_parser *p = arg;
	struct vmt_bytes cur = line;
	uint64_t start;
	int r, dash;

	if (p->smaps && p->n_maps && vmt_smaps_expected(&p->maps[p->n_maps - 1], line, &p->hint))
		return 0;
	/* Keys of smaps have a colon behind the first word, mappings a dash behind a number. */
	dash = take_start(p, &cur, &start);
	if (p->smaps && dash < 0 && dash != -ERANGE)
		return take_other_line(p, line);
	r = mapping_end(p);
	p->hint = 0;
	if (r < 0)
		return r;
	p->reason = "this is no line of a mapping";
	return dash < 0 ? dash : take_mapping(p, line, cur, start);
}

static int fail(struct vmt_maps_parser *p, int r, const char *path, struct vmt_err *err)
{
	if (r >= 0)
		return 0;
	p->error = r;
	switch (r) {
	case -ENOMEM:
		return vmt_err_set(err, r, NULL, 0, "out of memory");
	case -ECANCELED:
	case -EAGAIN:
		/* full() wants no more; the text is all right. */
		return r;
	case -EFBIG:
		return vmt_err_set(err, r, path, p->lines.line + 1, "the line has no end");
	case -ERANGE:
		return vmt_err_set(err, r, path, p->lines.line, "the number is too large");
	default:
		return vmt_err_set(err, r, path, p->lines.line, "%s", p->reason);
	}
}

int vmt_maps_feed(struct vmt_maps_parser *p, struct vmt_bytes chunk, const char *path,
		  struct vmt_err *err)
{
	if (p->error)
		return p->error;
	return fail(p, vmt_lines_feed(&p->lines, chunk, take_line, p), path, err);
}

int vmt_maps_finish(struct vmt_maps_parser *p, const char *path, struct vmt_err *err)
{
	int r;

	if (p->error)
		return p->error;
	r = vmt_lines_finish(&p->lines, take_line, p);
	if (r == 0)
		r = mapping_end(p);
	return fail(p, r, path, err);
}
