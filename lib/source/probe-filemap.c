/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The rungs of the filemap probe: bpf/filemap.bpf.c. */

#include <assert.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bpf/filemap.h"
#include "source/probe-load.h"

/* Generated; our warnings are not bpftool's. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wcast-qual"
#include "filemap.skel.h"
#pragma GCC diagnostic pop

#define FILES_USUAL 4096u
#define ROWS_MOST   (1u << 20)

struct filemap_state {
	struct vmt_probe_loaded loaded;
	struct vmt_filemap_bpf *skeleton;
	struct vmt_probe_array files;
	struct vmt_probe_array names;
	struct vmt_probe_array stats;
};

static void *filemap_open(const struct bpf_object_open_opts *opts)
{
	return vmt_filemap_bpf__open_opts(opts);
}

static struct bpf_object *filemap_object(void *skeleton)
{
	return ((struct vmt_filemap_bpf *)skeleton)->obj;
}

static int filemap_load(void *skeleton)
{
	struct vmt_filemap_bpf *s = skeleton;

	return vmt_filemap_bpf__load(s) ?: vmt_probe_has_bss(s->bss);
}

static void filemap_destroy(void *skeleton)
{
	vmt_filemap_bpf__destroy(skeleton);
}

static int filemap_configure(void *skeleton, const struct vmt_probe *p,
			     const struct vmt_probe_rung *rung, bool small)
{
	struct vmt_filemap_bpf *s = skeleton;
	uint32_t files = p->opts.files ? p->opts.files : FILES_USUAL;
	int cpus = libbpf_num_possible_cpus();
	int r = 0;

	if (cpus < 0)
		return cpus;
	files = small || files < 2 ? 2 : files > ROWS_MOST ? ROWS_MOST : files;
	s->rodata->vmt_filter_on = p->opts.n_pids > 0;
	s->rodata->vmt_page_shift = (uint32_t)__builtin_ctzl((unsigned long)sysconf(_SC_PAGESIZE));
	s->rodata->vmt_pages_on = !(p->opts.without & VMT_HAVE_FILE_PAGES);
	/* Calls without an end are not taken out. */
	if (rung->id == VMT_RUNG_TRACEPOINT)
		r = bpf_map__set_type(s->maps.calls, BPF_MAP_TYPE_LRU_HASH);
	if (small || !s->rodata->vmt_pages_on)
		r = r ?: bpf_map__set_max_entries(s->maps.ahead, 1);
	r = r ?: bpf_map__set_max_entries(s->maps.stats, (__u32)cpus);
	if (p->opts.watched)
		r = r ?: bpf_map__set_max_entries(s->maps.filter, p->opts.watched);
	r = r ?: bpf_map__set_max_entries(s->maps.files, files);
	r = r ?: bpf_map__set_max_entries(s->maps.file_index, files);
	r = r ?: bpf_map__set_max_entries(s->maps.file_free, files);
	r = r ?: bpf_map__set_max_entries(s->maps.names, files);
	r = r ?: bpf_map__set_max_entries(s->maps.name_index, files);
	r = r ?: bpf_map__set_max_entries(s->maps.name_free, files);
	return r;
}

static const struct vmt_probe_object filemap_ops = {
	.open = filemap_open,
	.object = filemap_object,
	.load = filemap_load,
	.destroy = filemap_destroy,
	.configure = filemap_configure,
};

/*
 * The self-check: the first store into a private mapping of a file always asks filemap_fault for
 * the page, whatever is cached or mapped around it.
 */
static bool counts_itself(struct filemap_state *s)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	VMT_AUTO_CLOSE int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	unsigned char *base;

	if (fd < 0)
		return true;
	base = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (base == MAP_FAILED)
		return true;
	*(volatile unsigned char *)base = 1;
	munmap(base, page);
	return s->skeleton->bss->control.checked != 0;
}

static void filemap_close(void *state)
{
	struct filemap_state *s = state;

	if (!s)
		return;
	vmt_probe_unmap(&s->files);
	vmt_probe_unmap(&s->names);
	vmt_probe_unmap(&s->stats);
	vmt_probe_unload(&s->loaded);
	free(s);
}

static int filemap_start(struct vmt_probe *p, const struct vmt_probe_rung *rung, void **ret_state,
			 struct vmt_err *err)
{
	struct filemap_state *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return vmt_err_set(err, -ENOMEM, NULL, 0, "no memory for the probe");
	r = vmt_probe_load(p, rung, &filemap_ops, &s->loaded, err);
	if (r) {
		free(s);
		return r;
	}
	s->skeleton = s->loaded.skeleton;
	r = vmt_probe_map(&s->loaded, "files", &s->files, err);
	r = r ?: vmt_probe_map(&s->loaded, "names", &s->names, err);
	r = r ?: vmt_probe_map(&s->loaded, "stats", &s->stats, err);
	r = r ?: vmt_probe_fill(&s->loaded, "file_free", 0, (uint32_t)s->files.len, err);
	r = r ?: vmt_probe_fill(&s->loaded, "name_free", 0, (uint32_t)s->names.len, err);
	r = r ?: vmt_probe_filter(&s->loaded, p->pids, p->opts.n_pids, err);
	r = r ?: vmt_probe_attach(p, &s->loaded, err);
	if (r)
		goto fail;
	s->skeleton->bss->control.check_tgid = (uint32_t)getpid();
	s->skeleton->bss->control.active = 1;
	if (!counts_itself(s)) {
		char text[160];

		snprintf(text, sizeof(text), "attached, and its own call was not counted%s",
			 vmt_probe_other_numbers());
		vmt_probe_note(p, rung, NULL, VMT_TRY_SILENT, -ENODATA, text,
			       rung->function ? "sysctl kernel.ftrace_enabled=1" : NULL, NULL);
		r = vmt_err_set(err, -ENODATA, NULL, 0, "%s", text);
		goto fail;
	}
	s->skeleton->bss->control.check_tgid = 0;
	p->have |= (uint32_t)s->loaded.have;
	p->filter_fd = bpf_map__fd(s->skeleton->maps.filter);
	vmt_probe_note(p, rung, NULL, VMT_TRY_OK, 0, NULL, NULL, NULL);
	*ret_state = s;
	return 0;
fail:
	filemap_close(s);
	return r;
}

static int filemap_watch(void *state, pid_t pid, struct vmt_err *err)
{
	struct filemap_state *s = state;

	return vmt_probe_filter(&s->loaded, &pid, 1, err);
}

static int filemap_stop(void *state, struct vmt_err *err)
{
	struct filemap_state *s = state;

	(void)err;
	s->skeleton->bss->control.active = 0;
	return 0;
}

static void copy_pages(const struct vmt_slot_file *f, size_t page, bool result,
		       struct vmt_fault_file *out)
{
	static_assert(VMT_FAULT_PARTS == VMT_FILE_PARTS, "the same parts on both sides");

	out->part_bytes = f->part_pages * page;
	memcpy(out->parts, f->parts, sizeof(out->parts));
	out->brought_bytes = f->brought * page;
	out->ahead_bytes = f->ahead * page;
	out->ahead_hits = f->ahead_hits;
	out->ahead_lost = f->ahead_lost;
	/* At the tracepoint a call is one or the other, or the second of one fault. */
	if (!result && f->calls >= f->major + f->retried)
		out->cached = f->calls - f->major - f->retried;
}

static int filemap_read(struct vmt_probe *p, void *state, struct vmt_arena *arena,
			struct vmt_fault_sample *ret, struct vmt_err *err)
{
	struct filemap_state *s = state;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t n = 0;

	for (size_t i = 0; i < s->files.len; i++) {
		const struct vmt_slot_file *f = vmt_probe_at(&s->files, i);

		n += f->ready != 0;
	}
	ret->files = vmt_arena_alloc(arena, n ? n : 1, sizeof(*ret->files));
	if (!ret->files)
		return vmt_err_set(err, -ENOMEM, NULL, 0, "no memory for the faults");
	for (size_t i = 0; i < s->files.len && ret->n_files < n; i++) {
		const struct vmt_slot_file *f = vmt_probe_at(&s->files, i);
		struct vmt_fault_file *out = &ret->files[ret->n_files];
		const struct vmt_slot_name *name;

		if (!f->ready)
			continue;
		ret->n_files++;
		out->inode = f->ino;
		out->dev_major = f->dev >> 20;
		out->dev_minor = f->dev & ((1u << 20) - 1);
		out->calls = f->calls;
		out->cached = f->cached;
		out->major = f->major;
		out->retried = f->retried;
		out->failed = f->failed;
		out->around = f->around;
		out->has_offset = f->first != 0;
		if (f->first) {
			out->first_offset_bytes = (f->first - 1) * page;
			out->last_offset_bytes = f->last * page;
		}
		copy_pages(f, page, p->have & VMT_HAVE_FILE_RESULT, out);
		vmt_probe_latency(&f->latency, f->calls, &out->latency);
		if (!f->name || f->name > s->names.len)
			continue;
		name = vmt_probe_at(&s->names, f->name - 1);
		if (name->ready &&
		    vmt_probe_path(name, false, arena, &out->path, &out->deleted, &out->path_cut))
			return vmt_err_set(err, -ENOMEM, NULL, 0, "no memory for the faults");
	}
	return 0;
}

const struct vmt_probe_backend vmt_probe_filemap_bpf = {
	.start = filemap_start,
	.watch = filemap_watch,
	.stop = filemap_stop,
	.read = filemap_read,
	.close = filemap_close,
};
