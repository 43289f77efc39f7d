/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/document.h"

/* Builds without json-c. */

int vmt_document_read(int fd, const char *path, struct vmt_document *ret, struct vmt_err *err)
{
	return vmt_err_set(err, -ENOSYS, path, 0, "this vmtop was built without json-c");
}

void vmt_document_done(struct vmt_document *d)
{
	vmt_sample_free(d->sample);
	*d = (struct vmt_document){ 0 };
}
