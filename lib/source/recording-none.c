/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "source/recording.h"

/* Builds without libzstd or json-c. */

int vmt_recording_open(const char *path, struct vmt_recording **ret, struct vmt_err *err)
{
	return vmt_err_set(err, -ENOSYS, path, 0, "this vmtop was built without recordings");
}

int vmt_recording_open_fd(int fd, const char *path, struct vmt_recording **ret, struct vmt_err *err)
{
	close(fd);
	return vmt_recording_open(path, ret, err);
}

void vmt_recording_free(struct vmt_recording *r)
{
}

int vmt_recording_refresh(struct vmt_recording *r, struct vmt_err *err)
{
	return -ENOSYS;
}

size_t vmt_recording_n(const struct vmt_recording *r)
{
	return 0;
}

uint64_t vmt_recording_time(const struct vmt_recording *r, size_t i)
{
	return 0;
}

size_t vmt_recording_find(const struct vmt_recording *r, uint64_t realtime_ns)
{
	return 0;
}

bool vmt_recording_follows(const struct vmt_recording *r, size_t i)
{
	return false;
}

uint64_t vmt_recording_interval(const struct vmt_recording *r, size_t i)
{
	return 0;
}

int vmt_recording_sample(struct vmt_recording *r, size_t i, struct vmt_sample **ret,
			 struct vmt_err *err)
{
	return -ENOSYS;
}

const char *vmt_recording_remark(const struct vmt_recording *r, size_t i)
{
	return NULL;
}

bool vmt_recording_is_damaged(const struct vmt_recording *r)
{
	return false;
}

int vmt_recording_tail(int fd, const char *path, struct vmt_recording_tail *ret,
		       struct vmt_err *err)
{
	struct vmt_recording *r;

	return vmt_recording_open_fd(fd, path, &r, err);
}
