/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>

#include "base/parse.h"
#include "source/collect-private.h"
#include "source/machine.h"
#include "source/root.h"

#define FILE_MAX ((size_t)4096)

int vmt_zram_parse(struct vmt_bytes text, uint64_t *ret_data, uint64_t *ret_used)
{
	uint64_t v[3]; /* orig_data_size, compr_data_size, mem_used_total */
	struct vmt_bytes line;
	size_t i;
	int r;

	if (!vmt_take_line(&text, &line))
		return -EINVAL;
	for (i = 0; i < VMT_ARRAY_LEN(v); i++) {
		vmt_take_blanks(&line);
		r = vmt_take_u64(&line, &v[i]);
		if (r < 0)
			return r;
		if (line.len && !vmt_is_blank(*line.ptr))
			return -EINVAL;
	}
	*ret_data = v[0];
	*ret_used = v[2];
	return 0;
}

static bool is_zram(const char *name)
{
	uint64_t v;

	return strncmp(name, "zram", 4) == 0 && vmt_parse_u64(name + 4, &v) == 0;
}

/* Adds up the devices of a directory. */
static int read_devices(DIR *dir, struct vmt_source_stat *st, uint64_t *data, uint64_t *used)
{
	VMT_AUTO_BUF buf = { 0 };
	struct dirent *e;

	for (errno = 0; (e = readdir(dir)); errno = 0) {
		char path[sizeof(e->d_name) + sizeof("/mm_stat")];
		uint64_t d, u;
		int64_t got;
		int r;

		if (!is_zram(e->d_name))
			continue;
		vmt_buf_clear(&buf);
		snprintf(path, sizeof(path), "%s/mm_stat", e->d_name);
		got = vmt_slurp_at(dirfd(dir), path, &buf, FILE_MAX);
		/* It was removed meanwhile. */
		if (got == -ENOENT || got == -ENODEV)
			continue;
		r = got < 0 ? (int)got
			    : vmt_zram_parse((struct vmt_bytes){ buf.data, buf.len }, &d, &u);
		if (r == 0 && (__builtin_add_overflow(*data, d, data) ||
			       __builtin_add_overflow(*used, u, used)))
			r = -ERANGE;
		if (r < 0)
			return r;
		st->reads++;
		st->bytes += (uint64_t)got;
	}
	return -errno;
}

int vmt_collect_zram(const struct vmt_root *root, struct vmt_sample *s)
{
	struct vmt_source_stat *st = &s->sources[VMT_SOURCE_ZRAM];
	struct vmt_system *sys = &s->system;
	struct vmt_meter m = vmt_meter_begin();
	uint64_t data = 0, used = 0, pages;
	struct vmt_err err = { 0 };
	DIR *dir;
	int fd, r;

	/* Without a page of zsmalloc there is nothing in any of them. */
	if (VMT_HAS(system, zs_pages, sys) && sys->zs_pages == 0) {
		VMT_SET(system, zram_bytes, sys, 0);
		VMT_SET(system, zram_data_bytes, sys, 0);
		return 0;
	}
	/* Not /sys/block: its entries are links, which are not followed out of a root. */
	fd = vmt_open_dir_at(root->fd, "sys/devices/virtual/block");
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		r = fd < 0 ? fd : -errno;
		if (fd >= 0)
			close(fd);
		/* A recording has those directories that had something in them; and where zswap
		 * explains all pages of zsmalloc, zram has none. */
		if (r == -ENOENT && VMT_HAS(system, zs_pages, sys) &&
		    VMT_HAS(system, zswap_bytes, sys) &&
		    !__builtin_mul_overflow(sys->zs_pages, root->page_size, &pages) &&
		    pages <= sys->zswap_bytes) {
			VMT_SET(system, zram_bytes, sys, 0);
			VMT_SET(system, zram_data_bytes, sys, 0);
			return 0;
		}
		return vmt_machine_failed(s, VMT_SOURCE_ZRAM, r, &err);
	}
	r = read_devices(dir, st, &data, &used);
	closedir(dir);
	vmt_meter_end(&m, st);
	if (r < 0)
		return vmt_machine_failed(s, VMT_SOURCE_ZRAM, r, &err);
	/* A machine without such a device was read as well. */
	st->reads += st->reads == 0;
	VMT_SET(system, zram_bytes, sys, used);
	VMT_SET(system, zram_data_bytes, sys, data);
	return 0;
}
