/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/probe-oom.h"

#include <assert.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "bpf/fault.h"
#include "source/probe-btf.h"
#include "source/probe-oom-record.h"

/* Generated; our warnings are not bpftool's. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wcast-qual"
#include "oom.skel.h"
#pragma GCC diagnostic pop

/* Some forty victims, of which one is taken some times a second. */
#define RING_USUAL (256u << 10)
/* Pages of the self-check, as many as a table of the last level has, and one more. */
#define CHECKS 513

struct vmt_ooms {
	struct vmt_oom_bpf *skeleton;
	struct bpf_link **links;
	size_t n_links;
	struct vmt_probe_array names;
	struct vmt_probe_array stats;
	struct ring_buffer *ring;
	const char *no_tables; /* why pages are not counted, or NULL */
	const char *no_retry; /* why it is not known what reclaim looked at, or NULL */
	uint64_t before; /* losses of the self-check */
	struct vmt_oom_taker taker;
	/* Of the self-check. */
	const void *looked_at;
	bool right;
};

void vmt_ooms_free(struct vmt_ooms *x)
{
	if (!x)
		return;
	for (size_t i = 0; i < x->n_links; i++)
		bpf_link__destroy(x->links[i]);
	free(x->links);
	ring_buffer__free(x->ring);
	vmt_probe_unmap(&x->names);
	vmt_probe_unmap(&x->stats);
	vmt_oom_bpf__destroy(x->skeleton);
	free(x);
}

static void freep(struct vmt_ooms **x)
{
	vmt_ooms_free(*x);
}

/* Whether the tracepoint has a number where it has the task since 6.8 (72ba14deb40a), as its type
 * says. */
static bool is_by_number(const struct btf *btf)
{
	const struct btf_type *t;
	int id;

	if (!btf)
		return false;
	id = btf__find_by_name_kind(btf, "btf_trace_mark_victim", BTF_KIND_TYPEDEF);
	t = id < 0 ? NULL : btf__type_by_id(btf, (__u32)id);
	t = t ? btf__type_by_id(btf, t->type) : NULL; /* a pointer */
	t = t ? btf__type_by_id(btf, t->type) : NULL; /* to a function */
	if (!t || !btf_is_func_proto(t) || btf_vlen(t) < 2)
		return false;
	t = btf__type_by_id(btf, btf_params(t)[1].type);
	return t && !btf_is_ptr(t);
}

static int configure(const struct vmt_ooms *x, const struct vmt_ooms_opts *opts)
{
	struct vmt_oom_bpf *s = x->skeleton;
	uint32_t names = opts->names ? opts->names : VMT_OOM_NAMES;
	int cpus = libbpf_num_possible_cpus();
	struct bpf_program *prog;
	struct btf *btf;
	int r;

	if (cpus < 1)
		return -EINVAL;
	btf = vmt_probe_btf();
	bpf_object__for_each_program (prog, s->obj)
		bpf_program__set_autoload(
			prog, !vmt_probe_btf_lacks(btf, bpf_program__section_name(prog)) &&
				      !(x->no_retry && prog == s->progs.reclaim_looks));
	s->rodata->vmt_by_number = is_by_number(btf);
	btf__free(btf);
	s->rodata->vmt_cpus = (__u32)cpus;
	s->rodata->vmt_page = (uint64_t)sysconf(_SC_PAGESIZE);
	s->rodata->vmt_filter_on = opts->filter_fd >= 0;
	r = bpf_map__set_max_entries(s->maps.stats, (__u32)cpus);
	r = r ?: bpf_map__set_max_entries(s->maps.names, names);
	r = r ?: bpf_map__set_max_entries(s->maps.name_index, names);
	r = r ?: bpf_map__set_max_entries(s->maps.name_free, names);
	r = r ?: bpf_map__set_max_entries(s->maps.ooms, opts->ring ? opts->ring : RING_USUAL);
	if (opts->filter_fd >= 0)
		return r ?: bpf_map__reuse_fd(s->maps.filter, opts->filter_fd);
	return r ?: bpf_map__set_max_entries(s->maps.filter, 1);
}

static int attach_one(struct vmt_ooms *x, struct bpf_program *prog)
{
	struct bpf_link **links = reallocarray(x->links, x->n_links + 1, sizeof(*links));
	struct bpf_link *link;

	if (!links)
		return -ENOMEM;
	x->links = links;
	link = bpf_program__attach(prog);
	if (libbpf_get_error(link))
		return errno ? -errno : -EINVAL;
	x->links[x->n_links++] = link;
	return 0;
}

static int attach(struct vmt_ooms *x)
{
	int r = attach_one(x, x->skeleton->progs.victim_marked);

	/* It adds to what is known, and is nothing that the rest needs. */
	if (r == 0 && !x->no_retry && attach_one(x, x->skeleton->progs.reclaim_looks) < 0)
		x->no_retry = "this kernel has no such hook";
	return r;
}

/* What is optional is left out where the kernel refuses all together. */
static int load(struct vmt_ooms *x, const struct vmt_ooms_opts *opts)
{
	int r;

	for (;;) {
		x->skeleton = vmt_oom_bpf__open();
		r = !x->skeleton ? (errno ? -errno : -ENOMEM) : configure(x, opts);
		r = r ?: vmt_oom_bpf__load(x->skeleton);
		r = r ?: vmt_probe_has_bss(x->skeleton->bss);
		if (r == 0 || x->no_retry || r == -EPERM || r == -ENOMEM)
			return r;
		x->no_retry = "this kernel refuses the program";
		vmt_oom_bpf__destroy(VMT_STEAL(x->skeleton));
	}
}

/* Of the self-check: a mapping of which is known how much of it is there. */
static bool is_right(const struct vmt_ooms *x, const struct vmt_oom_record *r)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	if (r->tgid != (uint32_t)getpid() || r->by_tgid != (uint32_t)getpid() ||
	    (r->flags & VMT_OOM_RSS && vmt_oom_pages(r->rss[1]) < CHECKS))
		return false;
	if (x->no_tables)
		return r->n_maps > 0;
	for (uint32_t i = 0; i < r->n_maps && i < VMT_OOM_MAPS; i++) {
		const struct vmt_oom_map_slot *m = &r->maps[i];

		if (m->start <= (uintptr_t)x->looked_at &&
		    m->end >= (uintptr_t)x->looked_at + CHECKS * page)
			return m->present >= CHECKS && m->present <= (m->end - m->start) / page;
	}
	return false;
}

static void on_check(void *arg, const struct vmt_oom_record *r)
{
	struct vmt_ooms *x = arg;

	x->right = is_right(x, r);
}

int vmt_ooms_take(struct vmt_ooms *x, struct vmt_arena *arena, vmt_ooms_fn *fn, void *arg)
{
	int n;

	x->taker.arena = arena;
	x->taker.fn = fn;
	x->taker.arg = arg;
	x->taker.taken = 0;
	n = ring_buffer__consume(x->ring);
	return n < 0 ? n : (int)x->taker.taken;
}

/* How page tables can be read, which is a guess until it is proved. */
static void find_tables(struct vmt_ooms *x)
{
	volatile struct vmt_fault_tables *t = &x->skeleton->bss->tables;

	if (vmt_tables_learn(t, bpf_program__fd(x->skeleton->progs.table_look), &x->no_tables))
		t->shift = 0;
}

/* Looks at this process as at a victim. */
static int check(struct vmt_ooms *x)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size = CHECKS * page;
	char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int r;

	if (at == MAP_FAILED)
		return -ENOMEM;
	for (size_t i = 0; i < CHECKS; i++)
		at[i * page] = 1;
	x->looked_at = at;
	r = bpf_prog_test_run_opts(bpf_program__fd(x->skeleton->progs.victim_look), &opts);
	if (r == 0)
		r = ring_buffer__consume(x->ring);
	munmap(at, size);
	x->before = vmt_probe_stat(&x->stats, VMT_STAT_DROPPED);
	return r < 0 ? r : x->right ? 0 : -ENODATA;
}

static int prepare(struct vmt_ooms *x)
{
	struct vmt_oom_bpf *s = x->skeleton;
	int r = vmt_probe_array_map(s->maps.names, &x->names);

	r = r ?: vmt_probe_array_map(s->maps.stats, &x->stats);
	for (uint32_t i = 0; r == 0 && i < x->names.len; i++)
		if (bpf_map_update_elem(bpf_map__fd(s->maps.name_free), NULL, &i, BPF_ANY))
			r = -errno;
	if (r)
		return r;
	x->taker.names = &x->names;
	x->taker.check = on_check;
	x->taker.check_arg = x;
	x->ring = ring_buffer__new(bpf_map__fd(s->maps.ooms), vmt_oom_on_record, &x->taker, NULL);
	return x->ring ? 0 : errno ? -errno : -ENOMEM;
}

/* Until what it says of this process is right. */
static int begin(struct vmt_ooms *x, const struct vmt_ooms_opts *opts, struct vmt_err *err)
{
	int r;

	vmt_probe_silence();
	r = load(x, opts);
	if (r)
		return vmt_err_set(err, r, NULL, 0, "%s", vmt_probe_explain(r));
	r = prepare(x);
	if (r)
		return vmt_err_set(err, r, NULL, 0, "cannot fill or map a table: %s",
				   vmt_errno_name(r));
	r = attach(x);
	if (r)
		return vmt_err_set(err, r, NULL, 0, "a program does not attach: %s",
				   vmt_probe_explain(r));
	find_tables(x);
	r = check(x);
	if (r)
		return vmt_err_set(err, r, NULL, 0,
				   "attached, and what it says of vmtop is wrong%s",
				   vmt_probe_other_numbers());
	return 0;
}

int vmt_ooms_start(const struct vmt_ooms_opts *opts, struct vmt_ooms **ret, struct vmt_err *err)
{
	VMT_CLEANUP(freep) struct vmt_ooms *x = calloc(1, sizeof(*x));
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

static struct vmt_probe_try try_of(const char *hook, const char *gives, bool works,
				   const char *reason)
{
	struct vmt_probe_try t = { .probe = "oom",
				   .rung = "tracepoint",
				   .hook = hook,
				   .gives = gives,
				   .status = works ? VMT_TRY_OK : VMT_TRY_ABSENT };

	snprintf(t.reason, sizeof(t.reason), "%s", reason ? reason : "");
	return t;
}

size_t vmt_ooms_try(struct vmt_probe_try *ret, size_t most)
{
	const struct vmt_ooms_opts opts = { .filter_fd = -1 };
	VMT_CLEANUP(freep) struct vmt_ooms *x = calloc(1, sizeof(*x));
	struct vmt_probe_try all = try_of(NULL, "victims of the OOM killer, and why", true, NULL);
	const char *reason = NULL, *fix = NULL;
	struct vmt_err err = { 0 };
	size_t n = 0;
	int r = x ? begin(x, &opts, &err) : -ENOMEM;

	if (r == 0 && most > 3) {
		ret[n++] = try_of("tp_btf/mark_victim", "the victim, and what was asked for", true,
				  NULL);
		ret[n++] = try_of("tp_btf/reclaim_retry_zone", "what reclaim looked at last",
				  !x->no_retry, x->no_retry);
		ret[n++] = try_of("page tables", "pages of the victim's mappings", !x->no_tables,
				  x->no_tables);
	}
	all.error = r;
	if (r == -ENODATA) {
		all.status = VMT_TRY_SILENT;
	} else if (r) {
		all.status = vmt_probe_judge(r, &reason, &fix);
		snprintf(all.fix, sizeof(all.fix), "%s", fix ? fix : "");
	}
	snprintf(all.reason, sizeof(all.reason), "%.190s",
		 !r  ? "looked at vmtop itself: its mapping of known pages is there, to the page"
		 : x ? err.text
		 : reason ? reason
			  : "");
	if (n < most)
		ret[n++] = all;
	return n;
}

const char *vmt_ooms_tables(const struct vmt_ooms *x)
{
	return x->no_tables;
}

uint64_t vmt_ooms_lost(const struct vmt_ooms *x)
{
	return vmt_probe_stat(&x->stats, VMT_STAT_DROPPED) - x->before +
	       vmt_probe_stat(&x->stats, VMT_STAT_UNRESOLVED) + x->taker.broken;
}

uint64_t vmt_ooms_nameless(const struct vmt_ooms *x)
{
	return vmt_probe_stat(&x->stats, VMT_STAT_NAME_FULL);
}

void vmt_ooms_stop(struct vmt_ooms *x)
{
	x->skeleton->bss->control.active = 0;
	vmt_probe_wait();
}
