/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/role.h"

#include <errno.h>

#include "model/vm-flags.h"

/*
 * One placing of an ELF file in the address space. A file that is mapped in pieces that fit its
 * segments was loaded; one that is only looked into is not, whatever it holds.
 */
struct module {
	uint32_t file;
	uint64_t bias; /* address - p_vaddr, modulo 2^64 */
	unsigned segments; /* that were seen; at most 2 are counted */
	unsigned last; /* the one that was seen last */
	bool has_text; /* one of them is executable */
};

/* Addresses behind the file's part of a segment: zeroed memory that the loader made. */
struct extent {
	uint64_t start;
	uint64_t end;
};

#define NO_MODULE SIZE_MAX

struct work {
	struct vmt_map *maps;
	const struct vmt_role_input *in;
	size_t n;
	size_t *module; /* of each mapping, or NO_MODULE */
	size_t *last; /* of each file, the module that was seen last, or NO_MODULE */
	unsigned *segment; /* of each mapping that has a module */
	struct module *modules;
	size_t n_modules;
	size_t cap_modules;
	bool *runs; /* of each file, whether some of it is mapped executable */
	struct extent *bss;
	size_t n_bss;
	size_t cap_bss;
};

static bool can(const struct vmt_map *m, unsigned at, char what)
{
	return m->perms.len == 4 && m->perms.ptr[at] == what;
}

static bool is_private(const struct vmt_map *m)
{
	return can(m, 3, 'p');
}

/* No access at all. */
static bool is_closed(const struct vmt_map *m)
{
	return can(m, 0, '-') && can(m, 1, '-') && can(m, 2, '-');
}

static bool is_kind(const struct vmt_map *m, const char *kind)
{
	return vmt_bytes_is(m->kind, kind);
}

static bool has_flag(const struct vmt_map *m, const char *flag)
{
	return VMT_HAS(map, vm_flags, m) && vmt_vm_flags_have(m->vm_flags, flag);
}

/* NULL where there is none, or nothing is known of it. */
static const struct vmt_role_file *file_of(const struct work *w, size_t i)
{
	return w->in->file_of[i] == VMT_NO_FILE ? NULL : w->in->files[w->in->file_of[i]];
}

static uint64_t page_down(const struct work *w, uint64_t v)
{
	return v & ~(w->in->page_size - 1);
}

static uint64_t page_up(const struct work *w, uint64_t v)
{
	return page_down(w, v + w->in->page_size - 1);
}

/* Whether the mapping is a piece of the segment as fs/binfmt_elf.c elf_map() and ld.so place it, in
 * whole pages; and where that puts the file. */
static bool fits(const struct work *w, const struct vmt_map *m, const struct vmt_segment *s,
		 uint64_t *ret_bias)
{
	uint64_t first = page_down(w, s->offset), last = page_up(w, s->offset + s->filesz);

	if (s->filesz == 0 || m->offset_bytes < first || m->offset_bytes >= last ||
	    m->end - m->start > last - m->offset_bytes)
		return false;
	*ret_bias = m->start - (page_down(w, s->vaddr) + (m->offset_bytes - first));
	return true;
}

/* How well the rights go with a segment; two segments can share a page of the file. */
static unsigned agreement(const struct vmt_map *m, const struct vmt_segment *s)
{
	return (can(m, 2, 'x') == s->exec ? 2u : 0u) + (can(m, 1, 'w') == s->write ? 1u : 0u);
}

/* Which segment a mapping is of. One that goes on where the module began is believed before one
 * that would begin another. */
static bool find_segment(const struct work *w, const struct vmt_map *m,
			 const struct vmt_role_file *file, const struct module *before,
			 unsigned *ret_segment, uint64_t *ret_bias)
{
	unsigned best = 0, i;
	bool found = false;

	for (i = 0; i < file->segments.n; i++) {
		const struct vmt_segment *s = &file->segments.load[i];
		unsigned score;
		uint64_t bias;

		if (!fits(w, m, s, &bias))
			continue;
		score = 1 + agreement(m, s) + (before && before->bias == bias ? 4 : 0);
		if (found && score <= best)
			continue;
		found = true;
		best = score;
		*ret_segment = i;
		*ret_bias = bias;
	}
	return found;
}

/* Pieces of one placing stand together, so that they are of the one that was seen last. */
static int note_module(struct work *w, size_t i)
{
	const struct vmt_role_file *file = file_of(w, i);
	const struct vmt_map *m = &w->maps[i];
	size_t at = w->last[w->in->file_of[i]];
	struct module *mod = at == NO_MODULE ? NULL : &w->modules[at];
	unsigned segment;
	uint64_t bias;

	if (!is_private(m) || !find_segment(w, m, file, mod, &segment, &bias))
		return 0;
	if (!mod || mod->bias != bias) {
		int r = vmt_grow(&w->modules, &w->cap_modules, w->n_modules + 1,
				 sizeof(*w->modules));

		if (r < 0)
			return r;
		at = w->n_modules++;
		mod = &w->modules[at];
		*mod = (struct module){ .file = w->in->file_of[i], .bias = bias };
		w->last[mod->file] = at;
	}
	if (mod->segments == 0 || (mod->segments == 1 && mod->last != segment))
		mod->segments++;
	mod->last = segment;
	mod->has_text |= can(m, 2, 'x') && file->segments.load[segment].exec;
	w->module[i] = at;
	w->segment[i] = segment;
	return 0;
}

/* A file of which one piece fits was perhaps only opened to look at its headers. */
static bool is_loaded(const struct module *m)
{
	return m->has_text || m->segments > 1;
}

static const struct module *module_of(const struct work *w, size_t i)
{
	const struct module *m = w->module[i] == NO_MODULE ? NULL : &w->modules[w->module[i]];

	return m && is_loaded(m) ? m : NULL;
}

static int add_bss(struct work *w, const struct module *mod, const struct vmt_segment *s)
{
	/* A segment without a byte of the file begins on a page of its own. */
	uint64_t start = s->filesz ? page_up(w, s->vaddr + s->filesz) : page_down(w, s->vaddr);
	uint64_t end = page_up(w, s->vaddr + s->memsz);

	if (!s->write || end <= start || end + mod->bias <= start + mod->bias)
		return 0;
	if (vmt_grow(&w->bss, &w->cap_bss, w->n_bss + 1, sizeof(*w->bss)) < 0)
		return -ENOMEM;
	w->bss[w->n_bss++] = (struct extent){ start + mod->bias, end + mod->bias };
	return 0;
}

static int compare_extents(const void *a, const void *b)
{
	const struct extent *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* All extents of bss, in order; those that overlap become one. */
static int find_bss(struct work *w)
{
	size_t i, n = 0;
	unsigned k;

	for (i = 0; i < w->n_modules; i++) {
		const struct module *mod = &w->modules[i];
		const struct vmt_segments *all = &w->in->files[mod->file]->segments;

		for (k = 0; is_loaded(mod) && k < all->n; k++)
			if (add_bss(w, mod, &all->load[k]) < 0)
				return -ENOMEM;
	}
	if (w->n_bss)
		qsort(w->bss, w->n_bss, sizeof(*w->bss), compare_extents);
	for (i = 0; i < w->n_bss; i++) {
		if (n == 0 || w->bss[i].start > w->bss[n - 1].end)
			w->bss[n++] = w->bss[i];
		else if (w->bss[i].end > w->bss[n - 1].end)
			w->bss[n - 1].end = w->bss[i].end;
	}
	w->n_bss = n;
	return 0;
}

/* The greater part decides: what is mapped right behind bss can become one mapping with it. */
static bool is_bss(const struct work *w, const struct vmt_map *m)
{
	size_t lo = 0, hi = w->n_bss;
	uint64_t inside = 0;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (w->bss[mid].end <= m->start)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < w->n_bss && w->bss[lo].start < m->end; lo++) {
		uint64_t start = w->bss[lo].start > m->start ? w->bss[lo].start : m->start;
		uint64_t end = w->bss[lo].end < m->end ? w->bss[lo].end : m->end;

		inside += end - start;
	}
	return inside > (m->end - m->start) / 2;
}

/* A piece that may not be written, in the part that ld.so protects once it has relocated. */
static bool is_relro(const struct work *w, const struct vmt_map *m, const struct module *mod)
{
	const struct vmt_segments *all = &w->in->files[mod->file]->segments;
	const struct vmt_segment *s = &all->relro;

	return all->has_relro && !can(m, 1, 'w') &&
	       m->start - mod->bias >= page_down(w, s->vaddr) &&
	       m->end - mod->bias <= page_up(w, s->vaddr + s->memsz);
}

static const char *role_of_segment(const struct work *w, size_t i, const struct module *mod)
{
	const struct vmt_segment *s = &w->in->files[mod->file]->segments.load[w->segment[i]];
	const struct vmt_map *m = &w->maps[i];

	if (is_closed(m))
		return "guard";
	if (can(m, 2, 'x'))
		return "text";
	if (is_relro(w, m, mod))
		return "relro";
	return s->write || can(m, 1, 'w') ? "data" : "rodata";
}

/* Whether the loaded file whose pieces are around has closed the space between two of them. */
static bool is_hole(const struct work *w, size_t i)
{
	return is_closed(&w->maps[i]) && i > 0 && module_of(w, i - 1) &&
	       w->in->file_of[i - 1] == w->in->file_of[i];
}

static bool holds_stack(const struct work *w, const struct vmt_map *m)
{
	size_t lo = 0, hi = w->in->n_stacks;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (w->in->stacks[mid] < m->start)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < w->in->n_stacks && w->in->stacks[lo] < m->end;
}

/* What nobody may touch, right below a mapping, or within it (VM_MAYBE_GUARD, Linux 6.18). */
static bool is_guarded(const struct work *w, size_t i)
{
	const struct vmt_map *m = &w->maps[i];

	return has_flag(m, "gu") ||
	       (i > 0 && w->maps[i - 1].end == m->start && is_closed(&w->maps[i - 1]));
}

static bool is_thread_stack(const struct work *w, size_t i)
{
	const struct vmt_map *m = &w->maps[i];

	if (!is_kind(m, "anon") || !is_private(m) || !can(m, 1, 'w'))
		return false;
	return has_flag(m, "gd") || (holds_stack(w, m) && is_guarded(w, i));
}

static const char *role_of_anonymous(const struct work *w, size_t i)
{
	const struct vmt_map *m = &w->maps[i];

	if (has_flag(m, "ss"))
		return "shadow-stack";
	if (is_bss(w, m))
		return "bss";
	if (is_thread_stack(w, i))
		return "thread-stack";
	if (can(m, 2, 'x'))
		return "jit";
	if (!is_closed(m))
		return "anon";
	if (i + 1 < w->n && m->end == w->maps[i + 1].start &&
	    (is_kind(&w->maps[i + 1], "stack") || is_thread_stack(w, i + 1)))
		return "guard";
	return "reserved";
}

/* Mappings without a file have names that the kernel alone gives. */
static const char *role_of_kernels(const struct vmt_map *m)
{
	if (vmt_bytes_is(m->path, "[vsyscall]"))
		return "vsyscall";
	return vmt_bytes_starts(m->path, "[vvar") ? "vvar" : "special";
}

/* On the kernel's own mount nobody makes files by name: shmem_file_setup() and its like do. */
static const char *role_of_shmem(const struct vmt_map *m, enum vmt_backing backing)
{
	if (backing == VMT_BACKING_TMPFS)
		return "tmpfs";
	if (vmt_bytes_starts(m->path, "/memfd:"))
		return "memfd";
	if (vmt_bytes_starts(m->path, "/SYSV"))
		return "sysv";
	if (vmt_bytes_starts(m->path, "/dev/zero") || vmt_bytes_starts(m->path, "[anon_shmem:"))
		return "shared-anon";
	return "shmem";
}

/*
 * Whether it is a file that is mapped for its data. Its headers say so; or it is one of which
 * nothing runs, and no device, which VmFlags tell where it was not looked up.
 */
static bool is_plain(const struct work *w, size_t i, const struct vmt_role_file *file)
{
	if (file && file->read)
		return true;
	if (w->in->file_of[i] == VMT_NO_FILE || w->runs[w->in->file_of[i]])
		return false;
	return (file && file->backing == VMT_BACKING_FILE) || VMT_HAS(map, vm_flags, &w->maps[i]);
}

static const char *role_of_file(const struct work *w, size_t i)
{
	const struct vmt_role_file *file = file_of(w, i);
	enum vmt_backing backing = file ? file->backing : VMT_BACKING_UNKNOWN;
	const struct module *mod = module_of(w, i);
	const struct vmt_map *m = &w->maps[i];

	if (mod)
		return role_of_segment(w, i, mod);
	switch (backing) {
	case VMT_BACKING_DEVICE:
		return "device";
	case VMT_BACKING_SECRET:
		return "secretmem";
	case VMT_BACKING_ZERO:
		return can(m, 2, 'x') ? "jit" : is_closed(m) ? "reserved" : "anon";
	case VMT_BACKING_UNKNOWN:
	case VMT_BACKING_FILE:
	case VMT_BACKING_TMPFS:
	case VMT_BACKING_KERNEL:
		break;
	}
	if (has_flag(m, "pf") || has_flag(m, "io"))
		return "device";
	if (is_kind(m, "special"))
		return "special";
	if (file && is_hole(w, i))
		return "guard";
	if (can(m, 2, 'x') && !is_kind(m, "shmem"))
		return "text";
	if (is_kind(m, "shmem") || backing == VMT_BACKING_TMPFS || backing == VMT_BACKING_KERNEL)
		return role_of_shmem(m, backing);
	return is_plain(w, i, file) ? "file" : NULL;
}

static const char *role_of(const struct work *w, size_t i)
{
	const struct vmt_map *m = &w->maps[i];

	if (is_kind(m, "hugetlb") || has_flag(m, "ht"))
		return "hugetlb";
	if (is_kind(m, "heap"))
		return "heap";
	if (is_kind(m, "stack"))
		return "stack";
	if (is_kind(m, "vdso"))
		return "vdso";
	if (is_kind(m, "anon"))
		return role_of_anonymous(w, i);
	if (m->inode == 0 && is_kind(m, "special") && vmt_bytes_starts(m->path, "["))
		return role_of_kernels(m);
	return role_of_file(w, i);
}

static void work_done(struct work *w)
{
	free(w->module);
	free(w->last);
	free(w->runs);
	free(w->segment);
	free(w->modules);
	free(w->bss);
}

int vmt_roles_assign(struct vmt_map *maps, size_t n, const struct vmt_role_input *in)
{
	VMT_CLEANUP(work_done) struct work w = { .maps = maps, .in = in, .n = n };
	size_t i;
	int r;

	w.module = calloc(n ? n : 1, sizeof(*w.module));
	w.segment = calloc(n ? n : 1, sizeof(*w.segment));
	w.last = calloc(in->n_files ? in->n_files : 1, sizeof(*w.last));
	w.runs = calloc(in->n_files ? in->n_files : 1, sizeof(*w.runs));
	if (!w.module || !w.segment || !w.last || !w.runs)
		return -ENOMEM;
	for (i = 0; i < in->n_files; i++)
		w.last[i] = NO_MODULE;
	for (i = 0; i < n; i++) {
		const struct vmt_role_file *file = file_of(&w, i);

		w.module[i] = NO_MODULE;
		if (in->file_of[i] != VMT_NO_FILE && can(&maps[i], 2, 'x'))
			w.runs[in->file_of[i]] = true;
		if (!file || !file->read || file->segments.n == 0)
			continue;
		r = note_module(&w, i);
		if (r < 0)
			return r;
	}
	r = find_bss(&w);
	if (r < 0)
		return r;
	for (i = 0; i < n; i++) {
		const char *role = role_of(&w, i);

		if (role)
			VMT_SET(map, role, &maps[i], vmt_bytes_of(role));
		else
			VMT_UNSET(map, role, &maps[i]);
	}
	return 0;
}
