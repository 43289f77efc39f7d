/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/collect-kernel.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/parse.h"
#include "source/collect-private.h"
#include "source/kernel.h"
#include "source/lines.h"
#include "source/machine.h"
#include "source/physical.h"

/* vmallocinfo has a line of a hundred bytes an area, and there may be a hundred thousand. */
#define FILE_MAX   ((size_t)64 << 20)
#define PIECE	   ((size_t)64 << 10)
#define KCORE_HEAD ((size_t)64 << 10)

static int parse(enum vmt_source_id id, struct vmt_bytes text, const struct vmt_root *root,
		 struct vmt_sample *s, struct vmt_err *err)
{
	struct vmt_kernel_sample *k = s->kernel;
	struct vmt_system sys = { 0 };
	int r;

	switch (id) {
	case VMT_SOURCE_MEMINFO:
		return vmt_kernel_meminfo_parse(text, &s->arena, k, err);
	case VMT_SOURCE_VMSTAT:
		return vmt_kernel_vmstat_parse(text, &s->arena, k, err);
	case VMT_SOURCE_SLABINFO:
		return vmt_slabinfo_parse(text, root->page_size, &s->arena, k, err);
	case VMT_SOURCE_VMALLOCINFO:
		return vmt_vmallocinfo_parse(text, root->page_size, &s->arena, k, err);
	case VMT_SOURCE_SOCKSTAT:
		return vmt_sockstat_parse(text, k, err);
	case VMT_SOURCE_MODULES:
		return vmt_modules_parse(text, k, err);
	case VMT_SOURCE_ZONEINFO:
		r = vmt_zoneinfo_parse(text, root->page_size, &sys, err);
		k->has_pcp = VMT_HAS(system, pcp_bytes, &sys);
		k->pcp_bytes = sys.pcp_bytes;
		return r;
	default:
		return -EINVAL;
	}
}

/* The net of the process that looks, by number: /proc/net is a symbolic link, and none is followed.
 * A saved machine has the file where the link would be. */
static int open_net(const struct vmt_root *root)
{
	int pid, net;

	if (!root->live)
		return vmt_open_dir_at(root->proc_fd, "net");
	pid = vmt_root_open_pid(root, (uint64_t)getpid());
	if (pid < 0)
		return pid;
	net = vmt_open_dir_at(pid, "net");
	close(pid);
	return net;
}

static int read_file(const struct vmt_root *root, enum vmt_source_id id, const char *name,
		     struct vmt_sample *s)
{
	struct vmt_meter m = vmt_meter_begin();
	VMT_AUTO_CLOSE int net = -1;
	struct vmt_err err = { 0 };
	VMT_AUTO_BUF buf = { 0 };
	int64_t n;
	int dir = root->proc_fd;

	if (id == VMT_SOURCE_SOCKSTAT) {
		net = open_net(root);
		dir = net;
	}
	n = dir < 0 ? dir : vmt_slurp_at(dir, name, &buf, FILE_MAX);
	if (n >= 0) {
		int r = parse(id, (struct vmt_bytes){ buf.data, buf.len }, root, s, &err);

		n = r < 0 ? r : n;
	}
	return vmt_machine_done(s, id, &m, n, &err);
}

/* Whether a cache is counted as reclaimable, by its folder in sysfs or the one that it is merged
 * with. 0 or 1, or a negative errno. */
static int reclaim_account(int slabs, struct vmt_bytes name, uint64_t *bytes)
{
	VMT_AUTO_BUF path = { 0 };
	VMT_AUTO_BUF buf = { 0 };
	char target[256];
	ssize_t len;
	int64_t n;

	/* What a module calls its cache is no path. */
	if (memchr(name.ptr, '/', name.len) || memchr(name.ptr, 0, name.len) || name.ptr[0] == '.')
		return -ENOENT;
	vmt_buf_add(&path, name.ptr, name.len);
	if (vmt_buf_error(&path) < 0)
		return -ENOMEM;
	len = readlinkat(slabs, path.data, target, sizeof(target) - 1);
	if (len > 0) {
		target[len] = 0;
		if (strchr(target, '/'))
			return -ENOENT;
		vmt_buf_clear(&path);
		vmt_buf_adds(&path, target);
	}
	vmt_buf_adds(&path, "/reclaim_account");
	if (vmt_buf_error(&path) < 0)
		return -ENOMEM;
	n = vmt_slurp_at(slabs, path.data, &buf, 64);
	if (n < 0)
		return n == -ESRCH ? -ENOENT : (int)n;
	*bytes += (uint64_t)n;
	if (n < 1 || (buf.data[0] != '0' && buf.data[0] != '1'))
		return -EINVAL;
	return buf.data[0] == '1';
}

static int read_slabs(const struct vmt_root *root, struct vmt_sample *s)
{
	struct vmt_meter m = vmt_meter_begin();
	struct vmt_kernel_sample *k = s->kernel;
	struct vmt_err err = { 0 };
	VMT_AUTO_CLOSE int dir = vmt_open_dir_at(root->fd, "sys/kernel/slab");
	uint64_t bytes = 0, known = 0;
	int last = dir < 0 ? dir : 0;
	size_t i;

	for (i = 0; dir >= 0 && i < k->n_slabs; i++) {
		int r = reclaim_account(dir, k->slabs[i].name, &bytes);

		if (r == -ENOMEM)
			return r;
		if (r < 0) {
			last = r;
			continue;
		}
		VMT_SET(slab, reclaimable, &k->slabs[i], r == 1);
		known++;
	}
	/* A cache that came or went between the two reads is none of the file's faults. */
	return vmt_machine_done(s, VMT_SOURCE_SLAB, &m, last < 0 && !known ? last : (int64_t)bytes,
				&err);
}

static int symbol_line(void *arg, struct vmt_bytes line)
{
	return vmt_kallsyms_line(line, arg);
}

static int64_t slurp_symbols(int fd, struct vmt_kernel_sample *k)
{
	VMT_AUTO_FREE char *piece = malloc(PIECE);
	struct vmt_lines lines;
	int64_t all = 0;
	int r = piece ? 0 : -ENOMEM;

	vmt_lines_init(&lines);
	while (r == 0) {
		ssize_t n = read(fd, piece, PIECE);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			r = -errno;
		if (n <= 0)
			break;
		all += n;
		r = vmt_lines_feed(&lines, (struct vmt_bytes){ piece, (size_t)n }, symbol_line, k);
	}
	if (r == 0)
		r = vmt_lines_finish(&lines, symbol_line, k);
	vmt_lines_done(&lines);
	return r < 0 ? r : all;
}

static int read_symbols(const struct vmt_root *root, struct vmt_sample *s)
{
	struct vmt_meter m = vmt_meter_begin();
	struct vmt_kernel_sample k = *s->kernel;
	struct vmt_err err = { 0 };
	VMT_AUTO_CLOSE int fd = vmt_open_at(root->proc_fd, "kallsyms");
	int64_t n = fd < 0 ? fd : slurp_symbols(fd, &k);

	if (n >= 0) {
		*s->kernel = k;
		s->kernel->has_symbols = true;
	}
	return vmt_machine_done(s, VMT_SOURCE_KALLSYMS, &m, n, &err);
}

/* The headers alone: what lies behind them is memory. -errno, or their bytes. */
static int64_t read_headers(int fd, char *head)
{
	Elf64_Ehdr ehdr;
	ssize_t n = pread(fd, &ehdr, sizeof(ehdr), 0);
	size_t want;

	if (n < 0)
		return -errno;
	if ((size_t)n < sizeof(ehdr) || ehdr.e_phoff > KCORE_HEAD)
		return -EINVAL;
	want = ehdr.e_phoff + (size_t)ehdr.e_phnum * sizeof(Elf64_Phdr);
	n = pread(fd, head, want < KCORE_HEAD ? want : KCORE_HEAD, 0);
	return n < 0 ? -errno : n;
}

static int read_kcore(const struct vmt_root *root, struct vmt_sample *s)
{
	struct vmt_meter m = vmt_meter_begin();
	VMT_AUTO_FREE char *head = malloc(KCORE_HEAD);
	struct vmt_err err = { 0 };
	VMT_AUTO_CLOSE int fd = -1;
	int64_t n;

	if (!head)
		return -ENOMEM;
	fd = vmt_open_at(root->proc_fd, "kcore");
	n = fd < 0 ? fd : read_headers(fd, head);
	if (n >= 0) {
		int r = vmt_kcore_parse((struct vmt_bytes){ head, (size_t)n }, &s->arena, s->kernel,
					&err);

		n = r < 0 ? r : n;
	}
	return vmt_machine_done(s, VMT_SOURCE_KCORE, &m, n, &err);
}

static int read_image(struct vmt_root *root, struct vmt_sample *s)
{
	struct vmt_kernel_sample *k = s->kernel;

	return vmt_collect_regions(root, s, "Kernel ", &k->regions, &k->n_regions);
}

int vmt_collect_kernel(struct vmt_collector *c, struct vmt_sample *s, uint64_t sources)
{
	const struct {
		enum vmt_source_id id;
		const char *name;
	} files[] = {
		/* The lists beside the counts that they are held against. */
		{ VMT_SOURCE_SLABINFO, "slabinfo" }, { VMT_SOURCE_VMALLOCINFO, "vmallocinfo" },
		{ VMT_SOURCE_MEMINFO, "meminfo" },   { VMT_SOURCE_VMSTAT, "vmstat" },
		{ VMT_SOURCE_ZONEINFO, "zoneinfo" }, { VMT_SOURCE_SOCKSTAT, "sockstat" },
		{ VMT_SOURCE_MODULES, "modules" },
	};
	struct vmt_root *root = vmt_collector_shared(c)->root;
	size_t i;
	int r = 0;

	s->kernel = vmt_arena_alloc(&s->arena, 1, sizeof(*s->kernel));
	if (!s->kernel)
		return -ENOMEM;
	s->kernel->uses = sources & VMT_SOURCE_BIT(ZONEINFO);
	for (i = 0; r == 0 && i < VMT_ARRAY_LEN(files); i++)
		if (sources >> files[i].id & 1)
			r = read_file(root, files[i].id, files[i].name, s);
	if (r == 0 && sources & VMT_SOURCE_BIT(SLAB))
		r = read_slabs(root, s);
	if (r == 0 && sources & VMT_SOURCE_BIT(KCORE))
		r = read_kcore(root, s);
	if (r == 0 && sources & VMT_SOURCE_BIT(KALLSYMS))
		r = read_symbols(root, s);
	if (r == 0 && sources & VMT_SOURCE_BIT(IOMEM))
		r = read_image(root, s);
	return r;
}
