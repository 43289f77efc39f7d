/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/probe-collapse.h"

#include <assert.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/parse.h"
#include "bpf/collapse.h"
#include "source/probe-btf.h"
#include "source/probe-hooks.h"
#include "source/probe-load.h"
#include "source/root.h"

/* Generated; our warnings are not bpftool's. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wcast-qual"
#include "collapse.skel.h"
#pragma GCC diagnostic pop

#define ROWS_USUAL 4096u
#define ROWS_MOST  (1u << 20)
#define NAMES_MOST 64
#define HUGE_MOST  (UINT64_C(1) << 30)
#define COLLAPSE   25 /* MADV_COLLAPSE, since 6.1 */

static_assert((int)VMT_COLLAPSE_SCAN == (int)VMT_BPF_COLLAPSE_SCAN &&
		      (int)VMT_COLLAPSE_DONE == (int)VMT_BPF_COLLAPSE_DONE &&
		      (int)VMT_COLLAPSE_SCAN_FILE == (int)VMT_BPF_COLLAPSE_SCAN_FILE &&
		      (int)VMT_COLLAPSE_DONE_FILE == (int)VMT_BPF_COLLAPSE_DONE_FILE &&
		      (int)VMT_COLLAPSE_STEPS == (int)VMT_BPF_COLLAPSE_COUNT,
	      "the same on both sides");

/* By enum vmt_bpf_collapse. */
static const struct vmt_hook hooks[] = {
	{ "tp_btf/mm_khugepaged_scan_pmd", "looks at anonymous memory" },
	{ "tp_btf/mm_collapse_huge_page", "huge pages that were made of it, or were not" },
	{ "tp_btf/mm_khugepaged_scan_file", "looks at memory of files and of shmem, since 6.1" },
	{ "tp_btf/mm_khugepaged_collapse_file", "huge pages that were made of these, since 6.3" },
};

/* How its result is called, and where it is among how many arguments, the first being 0, in those
 * kernels whose BTF does not say how arguments are called. */
static const struct {
	const char *argument;
	struct {
		unsigned n, at;
	} known[2];
} results[] = {
	{ "status", { { 7, 5 } } }, /* mm, page, writable, referenced, none_or_zero, status */
	{ "status", { { 3, 2 } } }, /* mm, isolated, status */
	{ "result", { { 6, 5 } } }, /* mm, page, file, present, swap, result */
	{ "result", { { 8, 7 } } }, /* mm, page, index, is_shmem, addr, file, nr, result */
};
static_assert(VMT_ARRAY_LEN(hooks) == VMT_BPF_COLLAPSE_COUNT &&
		      VMT_ARRAY_LEN(results) == VMT_BPF_COLLAPSE_COUNT &&
		      VMT_ARRAY_LEN(hooks) <= VMT_HOOKS_MOST,
	      "one for each step");

struct vmt_collapses {
	struct vmt_collapse_bpf *skeleton;
	struct vmt_hooks hooks;
	struct vmt_probe_array rows;
	struct {
		int32_t value;
		char name[48];
	} names[NAMES_MOST]; /* of enum scan_result */
	size_t n_names;
	bool can_ask; /* it has MADV_COLLAPSE */
	bool silent; /* which was asked for, and not counted */
	char doubt[160];
};

void vmt_collapses_free(struct vmt_collapses *x)
{
	if (!x)
		return;
	vmt_hooks_detach(&x->hooks);
	vmt_probe_unmap(&x->rows);
	vmt_collapse_bpf__destroy(x->skeleton);
	free(x);
}

static void freep(struct vmt_collapses **x)
{
	vmt_collapses_free(*x);
}

/* The parameters of a function or, with a ready type, of that; NULL where there is none. */
static const struct btf_type *proto_of(const struct btf *btf, const char *prefix, const char *name,
				       unsigned kind)
{
	const struct btf_type *t;
	char type[128];
	int id;

	snprintf(type, sizeof(type), "%s%s", prefix, name);
	id = btf__find_by_name_kind(btf, type, kind);
	t = id < 0 ? NULL : btf__type_by_id(btf, (__u32)id);
	t = t ? btf__type_by_id(btf, t->type) : NULL;
	if (t && btf_is_ptr(t))
		t = btf__type_by_id(btf, t->type);
	return t && btf_is_func_proto(t) ? t : NULL;
}

/* Which argument of a tracepoint has its result; 0 where that cannot be told. The first parameter
 * is the program's own. */
static unsigned find_result(const struct btf *btf, unsigned step)
{
	static const char *const functions[] = { "__bpf_trace_", "__traceiter_" };
	const char *name = strchr(hooks[step].hook, '/') + 1;
	const struct btf_type *t;

	for (size_t i = 0; i < VMT_ARRAY_LEN(functions); i++) {
		t = proto_of(btf, functions[i], name, BTF_KIND_FUNC);
		for (unsigned k = 1; t && k < btf_vlen(t); k++) {
			const char *is = btf__name_by_offset(btf, btf_params(t)[k].name_off);

			if (is && !strcmp(is, results[step].argument))
				return k - 1;
		}
	}
	t = proto_of(btf, "btf_trace_", name, BTF_KIND_TYPEDEF);
	for (size_t i = 0; t && i < VMT_ARRAY_LEN(results[step].known); i++)
		if (results[step].known[i].n && btf_vlen(t) == results[step].known[i].n + 1)
			return results[step].known[i].at;
	return 0;
}

static void take_names(struct vmt_collapses *x, const struct btf *btf)
{
	int id = btf__find_by_name_kind(btf, "scan_result", BTF_KIND_ENUM);
	const struct btf_type *t = id < 0 ? NULL : btf__type_by_id(btf, (__u32)id);

	for (unsigned i = 0; t && i < btf_vlen(t) && x->n_names < NAMES_MOST; i++) {
		const struct btf_enum *e = &btf_enum(t)[i];
		const char *name = btf__name_by_offset(btf, e->name_off);

		if (!name)
			continue;
		x->names[x->n_names].value = e->val;
		snprintf(x->names[x->n_names].name, sizeof(x->names[0].name), "%s", name);
		x->n_names++;
	}
}

static int configure(struct vmt_collapses *x, const struct vmt_collapses_opts *opts,
		     const struct btf *btf)
{
	struct vmt_collapse_bpf *s = x->skeleton;
	uint32_t rows = opts->rows ? opts->rows : ROWS_USUAL;
	int cpus = libbpf_num_possible_cpus();
	int r;

	if (cpus < 1)
		return -EINVAL;
	rows = rows < 2 ? 2 : rows > ROWS_MOST ? ROWS_MOST : rows;
	vmt_hooks_look(&x->hooks, s->obj, btf);
	for (unsigned i = 0; i < VMT_ARRAY_LEN(hooks); i++) {
		unsigned at = x->hooks.error[i] ? 0 : find_result(btf, i);

		s->rodata->vmt_results[i] = at;
		if (!x->hooks.error[i] && !at)
			vmt_hooks_omit(&x->hooks, s->obj, i, -ENOTSUP);
	}
	s->rodata->vmt_filter_on = opts->filter_fd >= 0;
	s->rodata->vmt_uid_on = opts->by_user;
	s->rodata->vmt_uid = opts->uid;
	r = bpf_map__set_max_entries(s->maps.stats, (__u32)cpus);
	r = r ?: bpf_map__set_max_entries(s->maps.collapses, rows);
	r = r ?: bpf_map__set_max_entries(s->maps.collapse_index, rows);
	r = r ?: bpf_map__set_max_entries(s->maps.collapse_free, rows);
	/* No files are named. */
	r = r ?: bpf_map__set_max_entries(s->maps.names, 1);
	r = r ?: bpf_map__set_max_entries(s->maps.name_index, 1);
	r = r ?: bpf_map__set_max_entries(s->maps.name_free, 1);
	if (opts->filter_fd >= 0)
		return r ?: bpf_map__reuse_fd(s->maps.filter, opts->filter_fd);
	return r ?: bpf_map__set_max_entries(s->maps.filter, 1);
}

static int load(struct vmt_collapses *x, const struct vmt_collapses_opts *opts)
{
	struct btf *btf = vmt_probe_btf();
	int r;

	if (!btf)
		return -ENOENT;
	x->hooks.all = hooks;
	x->hooks.n = VMT_ARRAY_LEN(hooks);
	x->skeleton = vmt_collapse_bpf__open();
	r = x->skeleton ? configure(x, opts, btf) : errno ? -errno : -ENOMEM;
	take_names(x, btf);
	x->can_ask = btf__find_by_name_kind(btf, "madvise_collapse", BTF_KIND_FUNC) >= 0;
	btf__free(btf);
	return r ?: vmt_collapse_bpf__load(x->skeleton) ?: vmt_probe_has_bss(x->skeleton->bss);
}

/* The size of a huge page that one entry of a page table of the second level maps, or 0. */
static size_t huge_size(void)
{
	static const char path[] = "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size";
	VMT_AUTO_BUF text = { 0 };
	struct vmt_bytes cur;
	uint64_t size;

	if (vmt_slurp_at(AT_FDCWD, path, &text, 64) <= 0)
		return 0;
	cur = (struct vmt_bytes){ text.data, text.len };
	return vmt_take_u64(&cur, &size) == 0 && size >= (uint64_t)sysconf(_SC_PAGESIZE) &&
			       size <= HUGE_MOST
		       ? (size_t)size
		       : 0;
}

/*
 * Has the kernel look at a place of this process that has no page yet: that makes no huge page. A
 * mapping of which nothing was ever touched would not be looked at, so a page of it is that lies in
 * no such place.
 */
static void check(struct vmt_collapses *x)
{
	size_t huge = huge_size(), page = (size_t)sysconf(_SC_PAGESIZE), size = 2 * huge + page;
	unsigned char *base, *place, *other;

	if (!x->can_ask || !huge || x->hooks.error[VMT_BPF_COLLAPSE_SCAN] ||
	    prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) != 0)
		return;
	base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (base == MAP_FAILED)
		return;
	place = (unsigned char *)(((uintptr_t)base + huge - 1) & ~(uintptr_t)(huge - 1));
	other = place == base ? base + 2 * huge : base;
	*(volatile unsigned char *)other = 1;
	x->skeleton->bss->control.check_tgid = (uint32_t)getpid();
	/* What comes of it is an error: nothing is there. */
	(void)madvise(place, huge, COLLAPSE);
	x->skeleton->bss->control.check_tgid = 0;
	x->silent = !x->skeleton->bss->control.checked;
	munmap(base, size);
}

static void find_doubt(struct vmt_collapses *x)
{
	for (size_t i = 0; i < x->hooks.n && !x->doubt[0]; i++)
		if (x->hooks.error[i])
			snprintf(x->doubt, sizeof(x->doubt), "not told: %s (%s)", hooks[i].gives,
				 vmt_probe_explain(x->hooks.error[i]));
	if (x->silent)
		snprintf(x->doubt, sizeof(x->doubt), "a look at vmtop itself was not counted%s",
			 vmt_probe_other_numbers());
}

static int begin(struct vmt_collapses *x, const struct vmt_collapses_opts *opts,
		 struct vmt_err *err)
{
	int r;

	vmt_probe_silence();
	r = load(x, opts);
	if (r)
		return vmt_err_set(err, r, NULL, 0, "%s", vmt_probe_explain(r));
	r = vmt_probe_array_map(x->skeleton->maps.collapses, &x->rows);
	r = r ?: vmt_probe_fill_queue(x->skeleton->maps.collapse_free, 1, (uint32_t)x->rows.len);
	if (r)
		return vmt_err_set(err, r, NULL, 0, "cannot fill or map a table: %s",
				   vmt_errno_name(r));
	r = vmt_hooks_attach(&x->hooks, x->skeleton->obj);
	if (r)
		return vmt_err_set(err, r, NULL, 0, "no program attaches: %s",
				   vmt_probe_explain(r));
	check(x);
	find_doubt(x);
	return 0;
}

int vmt_collapses_start(const struct vmt_collapses_opts *opts, struct vmt_collapses **ret,
			struct vmt_err *err)
{
	VMT_CLEANUP(freep) struct vmt_collapses *x = calloc(1, sizeof(*x));
	int r;

	if (!x)
		return vmt_err_set(err, -ENOMEM, NULL, 0, "out of memory");
	r = begin(x, opts, err);
	if (r)
		return r;
	x->skeleton->bss->control.active = 1;
	*ret = VMT_STEAL(x);
	return 0;
}

size_t vmt_collapses_try(struct vmt_probe_try *ret, size_t most)
{
	const struct vmt_collapses_opts opts = { .filter_fd = -1 };
	VMT_CLEANUP(freep) struct vmt_collapses *x = calloc(1, sizeof(*x));
	const struct vmt_hooks none = { 0 };
	struct vmt_err err = { .text = "out of memory" };
	int r = x ? begin(x, &opts, &err) : -ENOMEM;

	if (r == 0 && x->silent)
		r = vmt_err_set(&err, -ENODATA, NULL, 0, "%s", x->doubt);
	return vmt_hooks_tries(x ? &x->hooks : &none, "khugepaged",
			       "why memory does not become huge pages", r, r ? err.text : NULL, ret,
			       most);
}

const char *vmt_collapses_doubt(const struct vmt_collapses *x)
{
	return x->doubt[0] ? x->doubt : NULL;
}

void vmt_collapses_stop(struct vmt_collapses *x)
{
	x->skeleton->bss->control.active = 0;
	vmt_probe_wait();
}

static const char *name_of(const struct vmt_collapses *x, int32_t value)
{
	for (size_t i = 0; i < x->n_names; i++)
		if (x->names[i].value == value)
			return x->names[i].name;
	return NULL;
}

int vmt_collapses_read(const struct vmt_collapses *x, struct vmt_arena *arena,
		       struct vmt_collapse_sample *ret)
{
	const struct vmt_slot_collapse *first = vmt_probe_at(&x->rows, 0);

	*ret = (struct vmt_collapse_sample){ .shared = first->times,
					     .ownerless = x->skeleton->bss->control.ownerless };
	ret->raws = vmt_arena_alloc(arena, x->rows.len, sizeof(*ret->raws));
	if (!ret->raws)
		return -ENOMEM;
	for (size_t i = 1; i < x->rows.len; i++) {
		const struct vmt_slot_collapse *c = vmt_probe_at(&x->rows, i);
		struct vmt_collapse_raw *raw = &ret->raws[ret->n];
		const char *name;

		if (!c->ready || !c->times)
			continue;
		name = name_of(x, c->result);
		*raw = (struct vmt_collapse_raw){
			.start_ns = c->start,
			.times = c->times,
			.pid = c->tgid,
			.uid = c->uid,
			.step = (enum vmt_collapse_step)c->step,
			.result = c->result,
			.name = name ? vmt_arena_copy(arena, name, strlen(name)) : NULL,
		};
		memcpy(raw->comm, c->comm, sizeof(raw->comm));
		ret->n++;
	}
	return arena->failed ? -ENOMEM : 0;
}
