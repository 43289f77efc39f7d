/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/symbolize.h"

#include <errno.h>
#include <stdio.h>
#include <sys/auxv.h>

#include "source/collect-private.h"
#include "source/symbol-file.h"
#include "source/symbol-table.h"

/* An address in one program image of one process, or of the kernel: then these are 0. */
struct place {
	uint64_t pid;
	uint64_t start_time_ns;
	uint64_t exec_id;
	uint64_t address;
	uint64_t lookup; /* what is looked up: of a return address, the call before it */
	const struct vmt_fault_code *code; /* the mapping that it lies in, or NULL */
	struct vmt_fault_frame *frame;
	uint32_t *to; /* who wants to know the number of its frame */
	bool kernel;
};

struct work {
	struct vmt_collector *collector;
	struct vmt_sample *sample;
	struct vmt_fault_sample *faults;
	struct vmt_arena *arena;
	const struct vmt_fault_code **codes; /* in order of process and start */
	struct place *places; /* one for each address of each stack, then one for each frame */
	size_t n;
	struct vmt_job **jobs;
	size_t n_jobs;
	size_t cap_jobs;
	struct run { /* of a job: its addresses are those of these places */
		size_t first;
		size_t n;
	} * runs;
	size_t cap_runs;
};

static int compare_image(uint64_t pid, uint64_t start_time_ns, uint64_t exec_id,
			 const struct vmt_fault_code *b)
{
	int c = vmt_compare_u64(pid, b->pid);

	if (!c)
		c = vmt_compare_u64(start_time_ns, b->start_time_ns);
	return c ? c : vmt_compare_u64(exec_id, b->exec_id);
}

static int by_image(const void *pa, const void *pb)
{
	const struct vmt_fault_code *a = *(const struct vmt_fault_code *const *)pa;
	const struct vmt_fault_code *b = *(const struct vmt_fault_code *const *)pb;
	int c = compare_image(a->pid, a->start_time_ns, a->exec_id, b);

	return c ? c : vmt_compare_u64(a->start, b->start);
}

static int by_place(const void *pa, const void *pb)
{
	const struct place *a = pa, *b = pb;
	int c = vmt_compare_u64(a->pid, b->pid);

	if (!c)
		c = vmt_compare_u64(a->start_time_ns, b->start_time_ns);
	if (!c)
		c = vmt_compare_u64(a->exec_id, b->exec_id);
	if (!c)
		c = vmt_compare_u64(a->address, b->address);
	return c ? c : vmt_compare_u64(a->lookup, b->lookup);
}

static bool same_code(const struct vmt_fault_code *a, const struct vmt_fault_code *b)
{
	return a->has_file == b->has_file && a->inode == b->inode && a->dev_major == b->dev_major &&
	       a->dev_minor == b->dev_minor && a->vdso == b->vdso &&
	       a->offset_bytes - a->start == b->offset_bytes - b->start;
}

/* The mapping that an address lay in. Where others were there at other times it is not known which
 * of them was meant. */
static const struct vmt_fault_code *find_code(const struct work *w, const struct place *p)
{
	size_t lo = 0, hi = w->faults->n_codes, i;
	const struct vmt_fault_code *found = NULL;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (compare_image(p->pid, p->start_time_ns, p->exec_id, w->codes[mid]) > 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (i = lo; i < w->faults->n_codes; i++) {
		const struct vmt_fault_code *code = w->codes[i];

		if (compare_image(p->pid, p->start_time_ns, p->exec_id, code) != 0 ||
		    code->start > p->lookup)
			break;
		if (p->lookup >= code->end)
			continue;
		if (found && !same_code(found, code))
			return NULL;
		found = code;
	}
	return found;
}

static int list_places(struct work *w)
{
	struct vmt_fault_sample *f = w->faults;
	size_t n = 0, i, k;

	for (i = 0; i < f->n_stacks; i++)
		n += f->stacks[i].n_kernel + f->stacks[i].n_user;
	w->places = calloc(n ? n : 1, sizeof(*w->places));
	if (!w->places)
		return -ENOMEM;
	for (i = 0; i < f->n_stacks; i++) {
		struct vmt_fault_stack *s = &f->stacks[i];

		s->frames = vmt_arena_alloc(w->arena, s->n_kernel + s->n_user + (size_t)1,
					    sizeof(*s->frames));
		if (!s->frames)
			return -ENOMEM;
		for (k = 0; k < s->n_kernel + (size_t)s->n_user; k++) {
			struct place *p = &w->places[w->n++];

			p->kernel = k < s->n_kernel;
			if (!p->kernel) {
				p->pid = s->pid;
				p->start_time_ns = s->start_time_ns;
				p->exec_id = s->exec_id;
			}
			p->address = s->addresses[k];
			/* The innermost frame is where it was; a call may be the last of its
			 * function, and what it returns to that of the next. */
			p->lookup = p->address - (k != 0 && k != s->n_kernel && p->address != 0);
			p->to = &s->frames[k];
		}
	}
	return 0;
}

/* Sorts the places, gives each distinct one a frame, and keeps one place of each. */
static int make_frames(struct work *w)
{
	struct vmt_fault_sample *f = w->faults;
	size_t i, n = 0;

	if (w->n)
		qsort(w->places, w->n, sizeof(*w->places), by_place);
	f->frames = vmt_arena_alloc(w->arena, w->n ? w->n : 1, sizeof(*f->frames));
	if (!f->frames)
		return -ENOMEM;
	for (i = 0; i < w->n; i++) {
		if (n == 0 || by_place(&w->places[n - 1], &w->places[i]) != 0) {
			struct place *p = &w->places[n];

			*p = w->places[i];
			p->frame = &f->frames[n++];
			p->frame->address = p->address;
			p->frame->kernel = p->kernel;
		}
		*w->places[i].to = (uint32_t)(n - 1);
	}
	w->n = n;
	f->n_frames = n;
	return 0;
}

static struct vmt_bytes plain_path(const struct vmt_fault_code *code)
{
	static const char gone[] = " (deleted)";
	struct vmt_bytes path = code->path;

	if (code->deleted && path.len > sizeof(gone) - 1)
		path.len -= sizeof(gone) - 1;
	return path;
}

static void name_modules(struct work *w)
{
	size_t i;

	for (i = 0; i < w->n; i++) {
		struct place *p = &w->places[i];

		if (p->kernel)
			continue;
		p->code = find_code(w, p);
		if (!p->code)
			continue;
		if (p->code->vdso)
			p->frame->module = VMT_BYTES("[vdso]");
		else
			p->frame->module = plain_path(p->code);
		p->frame->offset = p->code->offset_bytes + (p->address - p->code->start);
		p->frame->has_offset = p->code->has_file || p->code->vdso;
	}
}

/* What is looked up in one go: a file, a process's compiled code, the kernel. */
static enum vmt_symbol_place sort_of(const struct place *p)
{
	if (p->kernel)
		return VMT_SYMBOL_KERNEL;
	return p->code && p->code->has_file ? VMT_SYMBOL_FILE : VMT_SYMBOL_PERF_MAP;
}

static uint64_t wanted_of(const struct place *p)
{
	if (sort_of(p) != VMT_SYMBOL_FILE)
		return p->lookup;
	return p->code->offset_bytes + (p->lookup - p->code->start);
}

static int compare_group(const struct place *a, const struct place *b)
{
	int c = vmt_compare_u64(sort_of(a), sort_of(b));

	if (c || a->kernel)
		return c;
	if (sort_of(a) == VMT_SYMBOL_PERF_MAP) {
		c = vmt_compare_u64(a->pid, b->pid);
		return c ? c : vmt_compare_u64(a->start_time_ns, b->start_time_ns);
	}
	c = vmt_compare_u64(a->code->dev_major, b->code->dev_major);
	if (!c)
		c = vmt_compare_u64(a->code->dev_minor, b->code->dev_minor);
	if (!c)
		c = vmt_compare_u64(a->code->inode, b->code->inode);
	return c ? c : vmt_bytes_compare(a->code->path, b->code->path);
}

static int by_group(const void *pa, const void *pb)
{
	int c = compare_group(pa, pb);

	return c ? c : vmt_compare_u64(wanted_of(pa), wanted_of(pb));
}

/* What opening the mapped file needs, of the first live process that has it, or else its path. */
static int describe_file(const struct work *w, struct vmt_symbol_task *t,
			 const struct place *places, size_t n)
{
	const struct vmt_fault_code *code = places[0].code;
	struct vmt_bytes path;
	char device[24], *copy, *dev;
	int len;
	size_t i;

	for (i = 0; i < n; i++) {
		if (!vmt_sample_proc_since(w->sample, places[i].pid, places[i].start_time_ns))
			continue;
		code = places[i].code;
		t->pid = places[i].pid;
		VMT_SET(map, start, &t->map, code->start);
		VMT_SET(map, end, &t->map, code->end);
		break;
	}
	path = plain_path(code);
	len = snprintf(device, sizeof(device), "%02x:%02x", code->dev_major, code->dev_minor);
	copy = vmt_arena_copy(&t->arena, path.len ? path.ptr : "", path.len);
	dev = vmt_arena_copy(&t->arena, device, (size_t)len);
	if (!copy || !dev)
		return -ENOMEM;
	VMT_SET(map, inode, &t->map, code->inode);
	VMT_SET(map, path, &t->map, ((struct vmt_bytes){ copy, path.len }));
	VMT_SET(map, path_ambiguous, &t->map, false);
	VMT_SET(map, device, &t->map, ((struct vmt_bytes){ dev, (size_t)len }));
	return 0;
}

static void describe_perf_map(const struct work *w, struct vmt_symbol_task *t,
			      const struct place *p)
{
	const struct vmt_host *h = &w->sample->host;

	if (vmt_sample_proc_since(w->sample, p->pid, p->start_time_ns))
		t->pid = p->pid;
	else
		t->gone_pid = p->pid;
	if (h->boottime_ns > p->start_time_ns && h->realtime_ns > h->boottime_ns - p->start_time_ns)
		t->not_before_ns = h->realtime_ns - (h->boottime_ns - p->start_time_ns);
}

static int add_job(struct work *w, size_t first, size_t n)
{
	const struct place *places = &w->places[first];
	struct vmt_symbol_task *t;
	struct vmt_job *job;
	size_t i;
	int r = 0;

	if (vmt_grow(&w->jobs, &w->cap_jobs, w->n_jobs + 1, sizeof(struct vmt_job *)) < 0 ||
	    vmt_grow(&w->runs, &w->cap_runs, w->n_jobs + 1, sizeof(*w->runs)) < 0)
		return -ENOMEM;
	t = vmt_symbol_task_new(vmt_collector_shared(w->collector), sort_of(places), n);
	if (!t)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		t->wanted[i].address = wanted_of(&places[i]);
	if (t->place == VMT_SYMBOL_FILE)
		r = describe_file(w, t, places, n);
	else if (t->place == VMT_SYMBOL_PERF_MAP)
		describe_perf_map(w, t, places);
	job = vmt_symbol_job_new(t);
	if (!job)
		return -ENOMEM;
	w->runs[w->n_jobs] = (struct run){ first, n };
	w->jobs[w->n_jobs++] = job;
	return r;
}

static int add_jobs(struct work *w)
{
	size_t i, k;
	int r = 0;

	if (w->n)
		qsort(w->places, w->n, sizeof(*w->places), by_group);
	for (i = 0; i < w->n && r == 0; i = k) {
		for (k = i + 1; k < w->n && compare_group(&w->places[i], &w->places[k]) == 0; k++)
			;
		r = add_job(w, i, k - i);
	}
	return r;
}

/* Frames that have no names now and could have some are said to be, with the reason. */
static void say_why(struct work *w, const struct run *run, int result)
{
	const struct place *first = &w->places[run->first];
	enum vmt_symbol_place sort = sort_of(first);
	const char *hint = NULL;
	size_t i;

	/* What is no ELF file or was never there has no symbols. */
	if (result >= 0 || result == -ENOEXEC || result == -ENOENT || result == -ESRCH ||
	    result == -EOPNOTSUPP)
		return;
	if (result == -ESTALE) {
		/* A file that is another one by now is none that was mapped. The map of an earlier
		 * process with this number is missed where there is code that needs one: other
		 * addresses are mistakes of who followed the frame pointers. */
		for (i = 0; i < run->n && !first[i].code; i++)
			;
		if (sort != VMT_SYMBOL_PERF_MAP || i == run->n)
			return;
		hint = "its perf map in /tmp is of another user, or older than it";
	}
	vmt_sample_failed(w->sample, VMT_SOURCE_ELF, first->pid, VMT_BYTES(""), result, hint);
}

static void done(size_t index, struct vmt_job *job, int result, void *ctx, void *arg)
{
	struct work *w = arg;
	const struct run *run = &w->runs[index];
	struct vmt_source_stat *stat = &w->sample->sources[VMT_SOURCE_ELF];
	struct vmt_symbol_task *t = ctx;
	size_t i;

	(void)job;
	say_why(w, run, result);
	if (!t)
		return;
	stat->reads++;
	stat->bytes_unknown = true;
	stat->cpu_ns += t->cpu_ns;
	if (t->longest_ns > stat->longest_ns)
		stat->longest_ns = t->longest_ns;
	if (result < 0)
		return;
	vmt_arena_join(w->arena, &t->arena);
	for (i = 0; i < run->n; i++) {
		struct vmt_fault_frame *frame = w->places[run->first + i].frame;

		frame->symbol = t->wanted[i].name;
		if (t->place == VMT_SYMBOL_KERNEL)
			frame->module = t->wanted[i].module;
		else
			frame->jit = t->place == VMT_SYMBOL_PERF_MAP && frame->symbol.len;
	}
}

/* The vdso is the same in all processes of 64 bits, this one included. */
static int name_vdso(struct work *w)
{
	VMT_CLEANUP(vmt_symbol_table_freep) struct vmt_symbol_table *t = NULL;
	unsigned long base = getauxval(AT_SYSINFO_EHDR);
	size_t i;
	int r;

	for (i = 0; i < w->n; i++) {
		const struct place *p = &w->places[i];
		struct vmt_bytes name;
		char *copy;

		if (!p->code || !p->code->vdso || !base || p->address >> 32 == 0)
			continue;
		if (!t) {
			const void *image = (const void *)base;

			r = vmt_symbol_table_image(image, p->code->end - p->code->start, &t);
			if (r < 0)
				return r == -ENOMEM ? r : 0;
		}
		if (vmt_symbol_table_find(t, p->lookup - p->code->start, &name) < 0)
			continue;
		copy = vmt_arena_copy(w->arena, name.ptr, name.len);
		if (!copy)
			return -ENOMEM;
		p->frame->symbol = (struct vmt_bytes){ copy, name.len };
	}
	return 0;
}

static void work_done(struct work *w)
{
	size_t i;

	for (i = 0; i < w->n_jobs; i++)
		vmt_job_unref(w->jobs[i]);
	free(w->jobs);
	free(w->runs);
	free(w->codes);
	free(w->places);
}

int vmt_symbolize(struct vmt_collector *c, struct vmt_sample *s, struct vmt_fault_sample *f,
		  struct vmt_arena *arena)
{
	VMT_CLEANUP(work_done)
	struct work w = { .collector = c, .sample = s, .faults = f, .arena = arena };
	size_t i;
	int r;

	vmt_elf_init();
	w.codes = calloc(f->n_codes + 1, sizeof(*w.codes));
	if (!w.codes)
		return -ENOMEM;
	for (i = 0; i < f->n_codes; i++)
		w.codes[i] = &f->codes[i];
	qsort(w.codes, f->n_codes, sizeof(*w.codes), by_image);
	r = list_places(&w);
	if (r == 0)
		r = make_frames(&w);
	if (r < 0)
		return r;
	name_modules(&w);
	r = add_jobs(&w);
	if (r < 0)
		return r;
	r = vmt_pool_run(vmt_collector_pool(c), w.jobs, w.n_jobs, vmt_collector_deadline(c), done,
			 &w);
	return r < 0 ? r : name_vdso(&w);
}
