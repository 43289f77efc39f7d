/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/physical.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "base/parse.h"

#define FILE_MAX ((size_t)16 << 20)

struct vmt_physical *vmt_physical_new(struct vmt_root *root)
{
	struct vmt_physical *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->refs = 1;
	p->root = root ? vmt_root_ref(root) : NULL;
	vmt_arena_init(&p->arena);
	return p;
}

struct vmt_physical *vmt_physical_ref(struct vmt_physical *p)
{
	__atomic_add_fetch(&p->refs, 1, __ATOMIC_RELAXED);
	return p;
}

void vmt_physical_unref(struct vmt_physical *p)
{
	if (!p || __atomic_sub_fetch(&p->refs, 1, __ATOMIC_ACQ_REL))
		return;
	vmt_root_unref(p->root);
	vmt_arena_done(&p->arena);
	free(p->zones);
	free(p->iomem);
	free(p);
}

/* "Node 0, zone   Normal" */
static int take_heading(struct vmt_bytes line, struct vmt_zone *z)
{
	struct vmt_bytes name;

	*z = (struct vmt_zone){ 0 };
	line.ptr += strlen("Node ");
	line.len -= strlen("Node ");
	vmt_take_blanks(&line);
	if (vmt_take_u64(&line, &z->node) < 0 || vmt_take_char(&line, ',') < 0)
		return -EINVAL;
	vmt_take_blanks(&line);
	if (!vmt_bytes_is(vmt_take_word(&line), "zone"))
		return -EINVAL;
	vmt_take_blanks(&line);
	name = vmt_take_word(&line);
	if (name.len == 0 || name.len >= sizeof(z->name))
		return -EINVAL;
	memcpy(z->name, name.ptr, name.len);
	return 0;
}

static int zone_end(struct vmt_physical *p, const struct vmt_zone *z, bool has_start)
{
	/* An empty zone has no frames, and says no start. */
	if (!has_start || z->spanned == 0)
		return 0;
	if (z->start + z->spanned < z->start)
		return -ERANGE;
	if (vmt_grow(&p->zones, &p->cap_zones, p->n_zones + 1, sizeof(*p->zones)) < 0)
		return -ENOMEM;
	p->zones[p->n_zones++] = *z;
	return 0;
}

int vmt_zones_parse(struct vmt_bytes text, struct vmt_physical *p, struct vmt_err *err)
{
	static const char path[] = "/proc/zoneinfo";
	struct vmt_zone z = { 0 };
	bool has_start = false;
	struct vmt_bytes line;
	unsigned lineno = 0;
	int r = 0;

	while (r == 0 && vmt_take_line(&text, &line)) {
		struct vmt_bytes key;

		lineno++;
		if (vmt_bytes_starts(line, "Node ")) {
			r = zone_end(p, &z, has_start);
			has_start = false;
			if (r == 0)
				r = take_heading(line, &z);
			continue;
		}
		vmt_take_blanks(&line);
		key = vmt_take_word(&line);
		vmt_take_blanks(&line);
		if (vmt_bytes_is(key, "spanned")) {
			r = vmt_take_u64(&line, &z.spanned);
		} else if (vmt_bytes_is(key, "start_pfn:")) {
			r = vmt_take_u64(&line, &z.start);
			has_start = true;
		}
	}
	if (r == 0)
		r = zone_end(p, &z, has_start);
	if (r == -ENOMEM)
		return vmt_err_set(err, r, NULL, 0, "out of memory");
	return r < 0 ? vmt_err_set(err, r, path, lineno, "this is not a zone") : 0;
}

int vmt_iomem_parse(struct vmt_bytes text, struct vmt_physical *p, struct vmt_err *err)
{
	static const char path[] = "/proc/iomem";
	bool any = false, all_zero = true;
	struct vmt_bytes line;
	unsigned lineno = 0;

	while (vmt_take_line(&text, &line)) {
		struct vmt_iomem io = { 0 };

		lineno++;
		vmt_take_blanks(&line);
		if (vmt_take_hex(&line, &io.first) < 0 || vmt_take_char(&line, '-') < 0 ||
		    vmt_take_hex(&line, &io.last) < 0 || line.len < 3 || line.ptr[0] != ' ' ||
		    line.ptr[1] != ':' || line.ptr[2] != ' ')
			return vmt_err_set(err, -EINVAL, path, lineno, "this is not a resource");
		any = true;
		all_zero &= io.last == 0;
		io.name = vmt_arena_copy(&p->arena, line.ptr + 3, line.len - 3);
		if (!io.name ||
		    vmt_grow(&p->iomem, &p->cap_iomem, p->n_iomem + 1, sizeof(*p->iomem)) < 0)
			return vmt_err_set(err, -ENOMEM, NULL, 0, "out of memory");
		p->iomem[p->n_iomem++] = io;
	}
	if (any && all_zero) {
		p->n_iomem = 0;
		return vmt_err_set(err, -EPERM, path, 0,
				   "its addresses are not shown: it needs CAP_SYS_ADMIN");
	}
	return 0;
}

static int load(struct vmt_physical *p, const char *name,
		int (*parse)(struct vmt_bytes text, struct vmt_physical *p, struct vmt_err *err),
		uint64_t *ret_bytes, struct vmt_err *err)
{
	VMT_AUTO_BUF buf = { 0 };
	int64_t n = vmt_slurp_at(p->root->proc_fd, name, &buf, FILE_MAX);

	/* A file of the machine that is not there is no process that ended. */
	if (n < 0)
		return vmt_err_set(err, n == -ESRCH ? -ENOENT : (int)n, name, 0, "%s",
				   strerror(n == -ESRCH ? ENOENT : (int)-n));
	*ret_bytes = (uint64_t)n;
	return parse((struct vmt_bytes){ buf.data, buf.len }, p, err);
}

static void load_block_size(struct vmt_physical *p)
{
	VMT_AUTO_BUF buf = { 0 };
	struct vmt_bytes text;
	uint64_t bytes;

	if (vmt_slurp_at(p->root->fd, "sys/devices/system/memory/block_size_bytes", &buf, 64) <= 0)
		return;
	text = (struct vmt_bytes){ buf.data, buf.len };
	if (vmt_take_hex(&text, &bytes) == 0)
		p->block_frames = bytes / p->root->page_size;
}

int vmt_zones_load(struct vmt_physical *p, uint64_t *ret_bytes, struct vmt_err *err)
{
	load_block_size(p);
	return load(p, "zoneinfo", vmt_zones_parse, ret_bytes, err);
}

int vmt_iomem_load(struct vmt_physical *p, uint64_t *ret_bytes, struct vmt_err *err)
{
	return load(p, "iomem", vmt_iomem_parse, ret_bytes, err);
}

/* Whether sysfs says that the block of a frame is of that node. */
static bool node_has(const struct vmt_physical *p, uint64_t node, uint64_t frame)
{
	char path[96];
	struct stat st;

	if (!p->block_frames || !p->root)
		return false;
	snprintf(path, sizeof(path), "sys/devices/system/node/node%" PRIu64 "/memory%" PRIu64, node,
		 frame / p->block_frames);
	return fstatat(p->root->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

int vmt_physical_zone(const struct vmt_physical *p, uint64_t frame)
{
	int found = -1, n = 0, sure = -1, n_sure = 0;
	size_t i;

	for (i = 0; i < p->n_zones; i++) {
		const struct vmt_zone *z = &p->zones[i];

		if (frame < z->start || frame - z->start >= z->spanned)
			continue;
		found = (int)i;
		n++;
	}
	if (n <= 1)
		return found;
	for (i = 0; i < p->n_zones; i++) {
		const struct vmt_zone *z = &p->zones[i];

		if (frame < z->start || frame - z->start >= z->spanned ||
		    !node_has(p, z->node, frame))
			continue;
		sure = (int)i;
		n_sure++;
	}
	return n_sure == 1 ? sure : -1;
}

const char *vmt_physical_region(const struct vmt_physical *p, uint64_t address)
{
	const struct vmt_iomem *best = NULL;
	size_t i;

	for (i = 0; i < p->n_iomem; i++) {
		const struct vmt_iomem *io = &p->iomem[i];

		if (address >= io->first && address <= io->last &&
		    (!best || io->last - io->first <= best->last - best->first))
			best = io;
	}
	return best ? best->name : NULL;
}
