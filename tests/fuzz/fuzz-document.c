/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A document that vmtop printed, or a stream of them, as diff reads it: what is taken is in order,
 * and what is refused has a reason. */
#include "fuzz.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "source/document.h"

static void check_maps(const struct vmt_proc_maps *pm, uint64_t pid)
{
	size_t i;

	for (i = 0; i < pm->n_maps; i++) {
		const struct vmt_map *m = &pm->maps[i];

		CHECK(m->pid == pid && m->start < m->end);
		CHECK(m->size_bytes == m->end - m->start);
		CHECK(!i || m->start >= m[-1].end);
	}
}

static void check_document(const struct vmt_document *d, size_t size)
{
	const struct vmt_sample *s = d->sample;
	size_t i, n = 0;

	CHECK(s && vmt_bytes_starts(d->schema, "vmtop."));
	CHECK(d->has_system || d->has_procs || d->has_maps);
	CHECK(!s->maps == !d->has_maps);
	for (i = 0; i < s->n_procs; i++) {
		CHECK(VMT_HAS(proc, pid, &s->procs[i]));
		CHECK(!i || s->procs[i].pid > s->procs[i - 1].pid);
		if (!s->maps)
			continue;
		check_maps(&s->maps[i], s->procs[i].pid);
		n += s->maps[i].n_maps;
	}
	/* Each of them has a few bytes at least. */
	CHECK(s->n_procs <= size && n <= size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vmt_document d = { 0 };
	struct vmt_err err = { 0 };
	int fd = memfd_create("document", MFD_CLOEXEC), r;

	CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size && lseek(fd, 0, SEEK_SET) == 0);
	r = vmt_document_read(fd, "document", &d, &err);
	close(fd);
	if (r == 0) {
		check_document(&d, size);
		vmt_document_done(&d);
	} else {
		CHECK(!d.sample && err.text[0]);
		CHECK(r == -EBADMSG || r == -EPROTONOSUPPORT || r == -E2BIG);
	}
	return 0;
}
