/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/devices.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/parse.h"

#ifndef MFD_HUGE_SHIFT
#define MFD_HUGE_SHIFT 26 /* linux/memfd.h; log2 of the size stands there */
#endif

/* A host with thousands of containers has as many mounts; more than this teach nothing. */
#define MOUNTINFO_MAX ((size_t)8 * 1024 * 1024)

const struct vmt_device *vmt_devices_find(const struct vmt_devices *d, uint64_t major,
					  uint64_t minor)
{
	size_t i;

	for (i = 0; i < d->n; i++)
		if (d->dev[i].major == major && d->dev[i].minor == minor)
			return &d->dev[i];
	return NULL;
}

static int add(struct vmt_devices *d, struct vmt_device dev)
{
	int r;

	if (vmt_devices_find(d, dev.major, dev.minor))
		return 0;
	r = vmt_grow(&d->dev, &d->cap, d->n + 1, sizeof(*d->dev));
	if (r < 0)
		return r;
	d->dev[d->n++] = dev;
	return 0;
}

/* "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw": the third word, and the word
 * behind the lone dash. */
static bool take_mount(struct vmt_bytes line, struct vmt_device *dev, struct vmt_bytes *fs)
{
	struct vmt_bytes word;
	unsigned i;

	for (i = 0; line.len; i++) {
		word = vmt_take_word(&line);
		vmt_take_blanks(&line);
		if (i == 2 &&
		    (vmt_take_u64(&word, &dev->major) < 0 || vmt_take_char(&word, ':') < 0 ||
		     vmt_take_u64(&word, &dev->minor) < 0 || word.len))
			return false;
		if (i > 5 && vmt_bytes_is(word, "-")) {
			*fs = vmt_take_word(&line);
			return true;
		}
	}
	return false;
}

int vmt_devices_parse(struct vmt_devices *d, struct vmt_bytes mountinfo)
{
	struct vmt_bytes line, fs;

	while (vmt_take_line(&mountinfo, &line)) {
		struct vmt_device dev = { 0 };
		int r;

		if (!take_mount(line, &dev, &fs))
			continue;
		dev.hugetlb = vmt_bytes_is(fs, "hugetlbfs");
		if (!dev.hugetlb && !vmt_bytes_is(fs, "tmpfs"))
			continue;
		r = add(d, dev);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The device of what memfd_create(2) makes; false where there is none of that sort. */
static int add_memfd(struct vmt_devices *d, unsigned flags, bool *ret_has)
{
	VMT_AUTO_CLOSE int fd = memfd_create("vmtop", MFD_CLOEXEC | flags);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return 0;
	*ret_has = true;
	return add(d, (struct vmt_device){ .major = major(st.st_dev),
					   .minor = minor(st.st_dev),
					   .hugetlb = flags & MFD_HUGETLB,
					   .internal = true });
}

static int add_internal(struct vmt_devices *d)
{
	/* log2 of the sizes of huge pages that there are: x86, arm64 with each page size, ppc64,
	 * s390; 0 for the default of this kernel. One that it has not is ENODEV. */
	static const unsigned sizes[] = { 0, 16, 20, 21, 24, 25, 29, 30, 31, 34 };
	int r = add_memfd(d, 0, &d->has_internal);
	size_t i;

	for (i = 0; r == 0 && i < VMT_ARRAY_LEN(sizes); i++)
		r = add_memfd(d, MFD_HUGETLB | sizes[i] << MFD_HUGE_SHIFT, &d->has_internal_huge);
	return r;
}

int vmt_devices_load(struct vmt_devices *d, const struct vmt_root *root)
{
	VMT_AUTO_BUF buf = { 0 };
	VMT_AUTO_CLOSE int self = -1;
	int64_t n;
	int r;

	*d = (struct vmt_devices){ 0 };
	if (root->live) {
		r = add_internal(d);
		if (r < 0)
			return r;
		/* By number: /proc/self is a symbolic link, and none is followed. */
		self = vmt_root_open_pid(root, (uint64_t)getpid());
	} else {
		self = vmt_open_dir_at(root->proc_fd, "self");
		if (self < 0)
			self = vmt_root_open_pid(root, 1);
	}
	if (self < 0)
		return 0;
	n = vmt_slurp_at(self, "mountinfo", &buf, MOUNTINFO_MAX);
	if (n == -ENOMEM)
		return -ENOMEM;
	if (n <= 0)
		return 0;
	return vmt_devices_parse(d, (struct vmt_bytes){ buf.data, buf.len });
}

void vmt_devices_done(struct vmt_devices *d)
{
	free(d->dev);
	*d = (struct vmt_devices){ 0 };
}
