/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/record-writer.h"

/* Builds without libzstd or json-c. */

int vmt_record_file_open(const char *path, bool fresh, struct vmt_record_file **ret,
			 struct vmt_record_found *ret_found, struct vmt_err *err)
{
	return vmt_err_set(err, -ENOSYS, path, 0, "this vmtop was built without recordings");
}

int vmt_record_file_close(struct vmt_record_file *f)
{
	return 0;
}

int vmt_record_file_add(struct vmt_record_file *f, struct vmt_bytes lines)
{
	return -ENOSYS;
}

int vmt_record_file_finish(struct vmt_record_file *f)
{
	return 0;
}

size_t vmt_record_file_frame(const struct vmt_record_file *f)
{
	return 0;
}

uint64_t vmt_record_file_size(const struct vmt_record_file *f)
{
	return 0;
}
