/* SPDX-License-Identifier: GPL-2.0-or-later */
/* meminfo, vmstat, zoneinfo, mountinfo, passwd, sysvipc/shm, pressure, settings, mm_stat, files of
 * cgroups, the layout of physical memory and modes of huge pages; the first byte says which. */
#include <errno.h>
#include <stdio.h>

#include "fuzz.h"
#include "model/huge.h"
#include "source/cgroup-files.h"
#include "source/devices.h"
#include "source/machine.h"
#include "source/mounts.h"
#include "source/physical.h"
#include "source/sysvipc.h"
#include "source/users.h"

static int zones(struct vmt_bytes text)
{
	struct vmt_system sys = { 0 };
	int r = vmt_zoneinfo_parse(text, 4096, &sys, NULL);

	if (r == 0 && VMT_HAS(system, managed_bytes, &sys)) {
		CHECK(VMT_HAS(system, low_bytes, &sys) && VMT_HAS(system, reserve_bytes, &sys));
		CHECK(sys.reserve_bytes <= sys.managed_bytes);
		CHECK(sys.managed_bytes % 4096 == 0 && sys.low_bytes % 4096 == 0);
	}
	return r;
}

/* The same table, with all that stands in it. */
static void all_mounts(struct vmt_bytes text)
{
	struct vmt_mounts *m = vmt_mounts_parse(text);
	size_t i;

	CHECK(m);
	for (i = 0; i < m->n; i++) {
		const struct vmt_mount *at = &m->mounts[i], *found;

		CHECK(at->fs_type.len > 0);
		found = vmt_mounts_by_id(m, at->id);
		CHECK(found && found->id == at->id);
		/* Where it is mounted whole or in part, its own root is to be seen. */
		found = vmt_mounts_of(m, at->major, at->minor, at->root);
		CHECK(found && found->major == at->major && found->minor == at->minor);
		CHECK(found->root.len <= at->root.len || vmt_bytes_is(at->root, "/"));
	}
	vmt_mounts_unref(m);
}

static int mounts(struct vmt_bytes text)
{
	struct vmt_devices d = { 0 };
	int r = vmt_devices_parse(&d, text);
	size_t i;

	all_mounts(text);

	/* Each is there once, and is found. */
	for (i = 0; i < d.n; i++)
		CHECK(vmt_devices_find(&d, d.dev[i].major, d.dev[i].minor) == &d.dev[i]);
	vmt_devices_done(&d);
	return r;
}

static int users(struct vmt_bytes text)
{
	struct vmt_users u = { 0 };
	size_t i;
	int r;

	vmt_buf_add(&u.text, text.ptr, text.len);
	r = vmt_users_parse(&u);
	for (i = 0; i < u.n; i++) {
		CHECK(i == 0 || u.users[i - 1].uid < u.users[i].uid);
		CHECK(u.users[i].name.len > 0);
		CHECK(!memchr(u.users[i].name.ptr, ':', u.users[i].name.len));
		CHECK(vmt_users_find(&u, u.users[i].uid) == &u.users[i]);
	}
	vmt_users_done(&u);
	return r;
}

static int segments(struct vmt_bytes text, uint64_t *unknown)
{
	VMT_AUTO_FREE struct vmt_segment *s = NULL;
	size_t n = 0;
	int r = vmt_sysvipc_parse(text, &s, &n, unknown, NULL);

	/* A line each, of seven digits and as many blanks at least. */
	CHECK(r == 0 ? n * 13 <= text.len : !s && n == 0);
	return r;
}

static int pressure(struct vmt_bytes text)
{
	struct vmt_pressure rows[2];
	size_t n = 0;
	int r = vmt_pressure_parse(text, "memory", rows, &n, NULL);

	CHECK(n <= 2);
	return r;
}

static int numbers(struct vmt_bytes text)
{
	uint64_t a = 0, b = 0;
	int r = vmt_zram_parse(text, &a, &b);

	/* One number is no three. */
	if (vmt_setting_parse(text, &a) == 0)
		CHECK(r < 0);
	return r;
}

/* The second byte says which file and version. */
static int cgroup(struct vmt_bytes text, uint64_t *unknown)
{
	unsigned char which = text.len ? (unsigned char)text.ptr[0] : 0;
	size_t file = (which & 63) % vmt_cgroup_n_files();
	unsigned version = which & 64 ? 1 : 2;
	struct vmt_cgroup c = { 0 };
	struct vmt_err err = { 0 };
	int r;

	if (!text.len)
		return 0;
	text.ptr++;
	text.len--;
	r = vmt_cgroup_file_parse(file, version, text, 4096, &c, unknown, &err);
	/* A line that is there, or the first of an empty file; none for a file that is not. */
	CHECK(r == 0 || !vmt_cgroup_file_name(file, version) || err.line > 0);
	CHECK(err.line <= text.len + 1);
	return r;
}

/* Ranges and zones; what an address is in has it. */
static int layout(struct vmt_bytes text, bool zones_alone, struct vmt_err *err)
{
	struct vmt_physical *p = vmt_physical_new(NULL);
	int r;
	size_t i;

	CHECK(p);
	r = zones_alone ? vmt_zones_parse(text, p, err) : vmt_iomem_parse(text, p, err);
	for (i = 0; i < p->n_zones; i++) {
		const struct vmt_zone *z = &p->zones[i];
		int at = vmt_physical_zone(p, z->start);

		CHECK(z->spanned && z->start + z->spanned >= z->start && !z->name[15]);
		/* Those that lie over each other are told apart by sysfs, which is not here. */
		CHECK(at == -1 || (size_t)at == i);
	}
	for (i = 0; i < p->n_iomem; i++)
		CHECK(p->iomem[i].first > p->iomem[i].last ||
		      vmt_physical_region(p, p->iomem[i].first));
	CHECK(r != -EPERM || !p->n_iomem);
	vmt_physical_unref(p);
	return r == -EPERM ? 0 : r;
}

/* A mode has a word, which means it. */
static int mode(struct vmt_bytes text)
{
	char again[64];
	enum vmt_thp_mode m = vmt_thp_mode_parse(text);
	int n = snprintf(again, sizeof(again), "[%s]\n", vmt_thp_mode_name(m));

	CHECK(n > 2 && (size_t)n < sizeof(again));
	CHECK(m == vmt_thp_mode_parse((struct vmt_bytes){ again, (size_t)n }));
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned choice = fuzz_choice(&data, &size) % 12;
	struct vmt_bytes text = fuzz_text(data, size);
	struct vmt_system sys = { 0 };
	struct vmt_err err = { 0 };
	uint64_t unknown = 0;
	int r;

	if (choice == 0)
		r = vmt_meminfo_parse(text, &sys, &unknown, &err);
	else if (choice == 1)
		r = vmt_vmstat_parse(text, &sys, &err);
	else if (choice == 2)
		r = zones(text);
	else if (choice == 3)
		r = mounts(text);
	else if (choice == 4)
		r = users(text);
	else if (choice == 5)
		r = segments(text, &unknown);
	else if (choice == 6)
		r = pressure(text);
	else if (choice == 7)
		r = numbers(text);
	else if (choice == 8)
		r = cgroup(text, &unknown);
	else if (choice < 11)
		r = layout(text, choice == 9, &err);
	else
		r = mode(text);
	CHECK(r == 0 || r == -EINVAL || r == -ERANGE);
	CHECK(unknown <= size);
	/* A malformed text is one of a line that is there. */
	if (r < 0 && choice < 2)
		CHECK(err.line > 0 && err.line <= size);
	return 0;
}
