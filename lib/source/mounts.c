/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/mounts.h"

#include "base/parse.h"

/* A host with thousands of containers has as many mounts. */
#define MOUNTINFO_MAX ((size_t)64 * 1024 * 1024)

static bool is_octal(const char *p)
{
	return p[0] >= '0' && p[0] <= '3' && p[1] >= '0' && p[1] <= '7' && p[2] >= '0' &&
	       p[2] <= '7';
}

/* The kernel writes blank, tab, newline, backslash and # as \ooo (fs/proc_namespace.c mangle()). */
static int unescape(struct vmt_arena *arena, struct vmt_bytes word, struct vmt_bytes *ret)
{
	char *to = vmt_arena_copy(arena, word.ptr, word.len);
	size_t i, n = 0;

	if (!to)
		return -ENOMEM;
	for (i = 0; i < word.len; i++) {
		if (word.ptr[i] == '\\' && word.len - i >= 4 && is_octal(word.ptr + i + 1)) {
			to[n++] = (char)((word.ptr[i + 1] - '0') << 6 |
					 (word.ptr[i + 2] - '0') << 3 | (word.ptr[i + 3] - '0'));
			i += 3;
		} else {
			to[n++] = word.ptr[i];
		}
	}
	to[n] = 0;
	*ret = (struct vmt_bytes){ to, n };
	return 0;
}

/* "36 35 98:0 /root /point rw,noatime master:1 - ext3 /dev/root rw" */
static bool take_mount(struct vmt_bytes line, struct vmt_mount *m)
{
	struct vmt_bytes word;
	unsigned i;

	for (i = 0; line.len; i++) {
		word = vmt_take_word(&line);
		vmt_take_blanks(&line);
		if (i == 0 && (vmt_take_u64(&word, &m->id) < 0 || word.len))
			return false;
		if (i == 2 &&
		    (vmt_take_u64(&word, &m->major) < 0 || vmt_take_char(&word, ':') < 0 ||
		     vmt_take_u64(&word, &m->minor) < 0 || word.len))
			return false;
		if (i == 3)
			m->root = word;
		if (i == 4)
			m->point = word;
		if (i > 5 && vmt_bytes_is(word, "-")) {
			m->fs_type = vmt_take_word(&line);
			vmt_take_blanks(&line);
			vmt_take_word(&line);
			vmt_take_blanks(&line);
			m->options = vmt_take_word(&line);
			return m->fs_type.len > 0;
		}
	}
	return false;
}

static int parse(struct vmt_mounts *m, struct vmt_bytes text)
{
	struct vmt_bytes line;

	while (vmt_take_line(&text, &line)) {
		struct vmt_mount found = { 0 };
		int r;

		if (!take_mount(line, &found))
			continue;
		r = vmt_grow(&m->mounts, &m->cap, m->n + 1, sizeof(*m->mounts));
		if (r == 0)
			r = unescape(&m->arena, found.root, &found.root);
		if (r == 0)
			r = unescape(&m->arena, found.point, &found.point);
		if (r == 0)
			r = unescape(&m->arena, found.fs_type, &found.fs_type);
		if (r == 0)
			r = unescape(&m->arena, found.options, &found.options);
		if (r < 0)
			return r;
		m->mounts[m->n++] = found;
	}
	return 0;
}

struct vmt_mounts *vmt_mounts_parse(struct vmt_bytes mountinfo)
{
	struct vmt_mounts *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->refs = 1;
	vmt_arena_init(&m->arena);
	if (parse(m, mountinfo) < 0) {
		vmt_mounts_unref(m);
		return NULL;
	}
	return m;
}

struct vmt_mounts *vmt_mounts_load(const struct vmt_root *root)
{
	VMT_AUTO_BUF buf = { 0 };
	VMT_AUTO_CLOSE int self = -1;
	struct vmt_mounts *m;
	int64_t n;

	if (root->live) {
		/* By number: /proc/self is a symbolic link, and none is followed. */
		self = vmt_root_open_pid(root, (uint64_t)getpid());
	} else {
		self = vmt_open_dir_at(root->proc_fd, "self");
		if (self < 0)
			self = vmt_root_open_pid(root, 1);
	}
	n = self < 0 ? self : vmt_slurp_at(self, "mountinfo", &buf, MOUNTINFO_MAX);
	if (n == -ENOMEM)
		return NULL;
	m = vmt_mounts_parse((struct vmt_bytes){ buf.data, n > 0 ? (size_t)n : 0 });
	/* We are there. */
	if (n == -ESRCH)
		n = -ENOENT;
	if (m && n < 0 && (root->live || n != -ENOENT))
		m->error = (int)n;
	return m;
}

struct vmt_mounts *vmt_mounts_ref(struct vmt_mounts *m)
{
	__atomic_add_fetch(&m->refs, 1, __ATOMIC_RELAXED);
	return m;
}

void vmt_mounts_unref(struct vmt_mounts *m)
{
	if (!m || __atomic_sub_fetch(&m->refs, 1, __ATOMIC_ACQ_REL))
		return;
	free(m->mounts);
	vmt_arena_done(&m->arena);
	free(m);
}

const struct vmt_mount *vmt_mounts_by_id(const struct vmt_mounts *m, uint64_t id)
{
	size_t i;

	for (i = 0; i < m->n; i++)
		if (m->mounts[i].id == id)
			return &m->mounts[i];
	return NULL;
}

/* Whether path is dir, or below it. */
static bool is_below(struct vmt_bytes path, struct vmt_bytes dir)
{
	if (vmt_bytes_is(dir, "/"))
		return true;
	return path.len >= dir.len && memcmp(path.ptr, dir.ptr, dir.len) == 0 &&
	       (path.len == dir.len || path.ptr[dir.len] == '/');
}

const struct vmt_mount *vmt_mounts_of(const struct vmt_mounts *m, uint64_t major, uint64_t minor,
				      struct vmt_bytes path)
{
	const struct vmt_mount *best = NULL;
	size_t i;

	for (i = 0; i < m->n; i++) {
		const struct vmt_mount *at = &m->mounts[i];

		if (at->major != major || at->minor != minor || !is_below(path, at->root))
			continue;
		if (!best || at->root.len < best->root.len ||
		    (at->root.len == best->root.len && at->point.len < best->point.len))
			best = at;
	}
	return best;
}

bool vmt_mount_has(const struct vmt_mount *m, const char *option)
{
	struct vmt_bytes rest = m->options;

	while (rest.len) {
		const char *comma = memchr(rest.ptr, ',', rest.len);
		size_t n = comma ? (size_t)(comma - rest.ptr) : rest.len;

		if (vmt_bytes_is((struct vmt_bytes){ rest.ptr, n }, option))
			return true;
		n += comma != NULL;
		rest.ptr += n;
		rest.len -= n;
	}
	return false;
}

static bool is_one_of(struct vmt_bytes word, const char *const *words, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (vmt_bytes_is(word, words[i]))
			return true;
	return false;
}

bool vmt_fs_may_wait(struct vmt_bytes fs_type)
{
	static const char *const known[] = {
		"9p",	"afs",	   "autofs",   "ceph", "cifs",	 "coda",
		"fuse", "fuseblk", "gfs2",     "gpfs", "lustre", "nfs",
		"nfs4", "ocfs2",   "orangefs", "smb3", "smbfs",	 "virtiofs",
	};

	return fs_type.len == 0 || vmt_bytes_starts(fs_type, "fuse.") ||
	       is_one_of(fs_type, known, VMT_ARRAY_LEN(known));
}

bool vmt_fs_is_pseudo(struct vmt_bytes fs_type)
{
	static const char *const known[] = {
		"binfmt_misc", "bpf",	     "cgroup",	   "cgroup2",	"configfs", "debugfs",
		"devpts",      "efivarfs",   "fusectl",	   "mqueue",	"nsfs",	    "proc",
		"pstore",      "rpc_pipefs", "securityfs", "selinuxfs", "sysfs",    "tracefs",
	};

	return is_one_of(fs_type, known, VMT_ARRAY_LEN(known));
}
