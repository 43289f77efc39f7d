/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/collect-zones.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/parse.h"
#include "source/collect-private.h"
#include "source/zones.h"

/* zoneinfo has five lines for each processor and zone: 8192 of them on eight nodes are 10 MiB. */
#define FILE_MAX       ((size_t)32 << 20)
#define LINE_MAX_BYTES ((size_t)64 << 10)

static int parse(enum vmt_source_id id, struct vmt_bytes text, const struct vmt_root *root,
		 struct vmt_sample *s, struct vmt_err *err)
{
	int r;

	switch (id) {
	case VMT_SOURCE_ZONEINFO:
		r = vmt_zone_rows_parse(text, root->page_size, &s->arena, s->zones, err);
		return r ? r : vmt_zones_sum(s->zones, &s->system, err);
	case VMT_SOURCE_BUDDYINFO:
		return vmt_buddyinfo_parse(text, root->page_size, &s->arena, s->zones, err);
	case VMT_SOURCE_PAGETYPEINFO:
		return vmt_pagetypeinfo_parse(text, root->page_size, &s->arena, s->zones, err);
	case VMT_SOURCE_VMSTAT:
		return vmt_compaction_parse(text, s->zones, err);
	default:
		return -EINVAL;
	}
}

static int read_file(const struct vmt_root *root, enum vmt_source_id id, const char *name,
		     struct vmt_sample *s)
{
	struct vmt_meter m = vmt_meter_begin();
	struct vmt_err err = { 0 };
	VMT_AUTO_BUF buf = { 0 };
	int64_t n = vmt_slurp_at(root->proc_fd, name, &buf, FILE_MAX);

	if (n >= 0) {
		int r = parse(id, (struct vmt_bytes){ buf.data, buf.len }, root, s, &err);

		n = r < 0 ? r : n;
	}
	return vmt_machine_done(s, id, &m, n, &err);
}

/* A file of one line, without its newline. -errno, or its bytes. */
static int64_t read_line(int dir, const char *name, struct vmt_buf *buf)
{
	int64_t n;

	vmt_buf_clear(buf);
	n = vmt_slurp_at(dir, name, buf, LINE_MAX_BYTES);
	while (n > 0 && buf->len &&
	       (buf->data[buf->len - 1] == '\n' || vmt_is_blank(buf->data[buf->len - 1])))
		buf->len--;
	return n;
}

static int read_node(const struct vmt_root *root, struct vmt_sample *s, struct vmt_node *node,
		     struct vmt_source_stat *st, struct vmt_err *err)
{
	VMT_AUTO_CLOSE int dir = -1;
	VMT_AUTO_BUF buf = { 0 };
	struct vmt_bytes text;
	char name[64];
	int64_t n;
	int r;

	snprintf(name, sizeof(name), "sys/devices/system/node/node%" PRIu64, node->node);
	dir = vmt_open_dir_at(root->fd, name);
	if (dir < 0)
		return dir;
	n = read_line(dir, "cpulist", &buf);
	if (n < 0)
		return (int)n;
	st->bytes += (uint64_t)n;
	r = vmt_bytes_keep(&s->arena, (struct vmt_bytes){ buf.data ? buf.data : "", buf.len }, NULL,
			   &text);
	if (r < 0)
		return r;
	VMT_SET(node, cpus, node, text);
	n = read_line(dir, "distance", &buf);
	if (n < 0)
		return (int)n;
	st->bytes += (uint64_t)n;
	r = vmt_bytes_keep(&s->arena, (struct vmt_bytes){ buf.data ? buf.data : "", buf.len }, NULL,
			   &text);
	if (r < 0)
		return r;
	VMT_SET(node, distances, node, text);
	vmt_buf_clear(&buf);
	n = vmt_slurp_at(dir, "meminfo", &buf, LINE_MAX_BYTES);
	if (n < 0)
		return (int)n;
	st->bytes += (uint64_t)n;
	return vmt_node_meminfo_parse((struct vmt_bytes){ buf.data, buf.len }, node, err);
}

static int read_nodes(const struct vmt_root *root, struct vmt_sample *s)
{
	struct vmt_source_stat *st = &s->sources[VMT_SOURCE_NODE];
	struct vmt_zone_sample *z = s->zones;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < z->n_nodes; i++) {
		struct vmt_meter m = vmt_meter_begin();
		struct vmt_err err = { 0 };
		int n = read_node(root, s, &z->nodes[i], st, &err);

		vmt_meter_end(&m, st);
		if (n == 0)
			st->reads++;
		else
			r = vmt_machine_failed(s, VMT_SOURCE_NODE, n == -ESRCH ? -ENOENT : n, &err);
	}
	return r;
}

int vmt_collect_zones(struct vmt_collector *c, struct vmt_sample *s, uint64_t sources)
{
	const struct {
		enum vmt_source_id id;
		const char *name;
	} files[] = {
		/* Beside each other, as the blocks are those that the zones count. */
		{ VMT_SOURCE_ZONEINFO, "zoneinfo" },
		{ VMT_SOURCE_BUDDYINFO, "buddyinfo" },
		{ VMT_SOURCE_VMSTAT, "vmstat" },
		{ VMT_SOURCE_PAGETYPEINFO, "pagetypeinfo" },
	};
	struct vmt_root *root = vmt_collector_shared(c)->root;
	size_t i;
	int r = 0;

	s->zones = vmt_arena_alloc(&s->arena, 1, sizeof(*s->zones));
	if (!s->zones)
		return -ENOMEM;
	for (i = 0; r == 0 && i < VMT_ARRAY_LEN(files); i++)
		if (sources >> files[i].id & 1)
			r = read_file(root, files[i].id, files[i].name, s);
	if (r == 0 && sources & VMT_SOURCE_BIT(NODE))
		r = read_nodes(root, s);
	if (r == 0 && sources & VMT_SOURCE_BIT(IOMEM))
		r = vmt_collect_regions(root, s, "", &s->zones->regions, &s->zones->n_regions);
	return r;
}
