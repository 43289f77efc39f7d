/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "model/fault-raw.h"
#include "model/model.h"

/*
 * From stacks as addresses to rows of text. Stacks of a process that read the same are one row.
 * What the kernel counted for a process and no stack has is a row, too, so that the rows of a
 * process add up to what the kernel counted.
 */

static struct vmt_bytes last_part(struct vmt_bytes path)
{
	size_t i;

	for (i = path.len; i > 0; i--)
		if (path.ptr[i - 1] == '/')
			return (struct vmt_bytes){ path.ptr + i, path.len - i };
	return path;
}

/* ; is what stands between frames. */
static void add_text(struct vmt_buf *out, struct vmt_bytes text)
{
	size_t i;

	for (i = 0; i < text.len; i++)
		vmt_buf_addc(out, text.ptr[i] == ';' ? ':' : text.ptr[i]);
}

void vmt_fault_frame_text(struct vmt_buf *out, const struct vmt_fault_frame *f)
{
	if (f->symbol.len) {
		add_text(out, f->symbol);
	} else if (f->kernel) {
		vmt_buf_adds(out, "[kernel]");
	} else if (f->module.len && f->has_offset) {
		add_text(out, last_part(f->module));
		vmt_buf_addf(out, "+0x%" PRIx64, f->offset);
	} else {
		vmt_buf_adds(out, "[unknown]");
	}
	if (f->kernel)
		vmt_buf_adds(out, "_[k]");
	else if (f->jit)
		vmt_buf_adds(out, "_[j]");
}

const char *vmt_fault_stack_reason(const struct vmt_fault_stack *s)
{
	switch (s->lost) {
	case -EEXIST:
		return "[stack lost: collision]";
	case -ENOMEM:
		return "[stack lost: table full]";
	case -ESRCH:
		return "[another program by now]";
	default:
		return "[no user stack]";
	}
}

/*
 * Frames of the kernel at the inner end that every fault has: those of the probe and of the
 * exception. Where the exception has no name in the stack there are none of them, as at an event
 * whose registers are those of the faulting instruction.
 */
static uint32_t exception_frames(const struct vmt_fault_sample *f, const struct vmt_fault_stack *s)
{
	uint32_t i;

	for (i = 0; i < s->n_kernel; i++) {
		struct vmt_bytes name = f->frames[s->frames[i]].symbol;

		if (vmt_bytes_is(name, "asm_exc_page_fault") ||
		    vmt_bytes_is(name, "el1h_64_sync_handler"))
			return i + 1;
	}
	return 0;
}

static int stack_text(struct vmt_arena *arena, const struct vmt_fault_sample *f,
		      const struct vmt_fault_stack *s, struct vmt_stack *row)
{
	uint32_t skip = exception_frames(f, s), n = s->n_kernel + s->n_user, i;
	VMT_AUTO_BUF text = { 0 };
	char *copy;

	if (s->n_user == 0 || s->lost)
		vmt_buf_adds(&text, vmt_fault_stack_reason(s));
	for (i = n; i > skip; i--) {
		if (text.len)
			vmt_buf_addc(&text, ';');
		vmt_fault_frame_text(&text, &f->frames[s->frames[i - 1]]);
	}
	if (vmt_buf_error(&text) < 0)
		return -ENOMEM;
	copy = vmt_arena_copy(arena, text.data, text.len);
	if (!copy)
		return -ENOMEM;
	VMT_SET(stack, stack, row, ((struct vmt_bytes){ copy, text.len }));
	VMT_SET(stack, depth, row, n - skip);
	return 0;
}

static void describe_leaf(const struct vmt_fault_sample *f, const struct vmt_fault_stack *s,
			  struct vmt_stack *row)
{
	const struct vmt_fault_frame *leaf;

	VMT_SET(stack, kernel_mode, row, s->n_kernel > 0);
	if (s->n_user == 0)
		return;
	leaf = &f->frames[s->frames[s->n_kernel]];
	VMT_SET(stack, ip, row, leaf->address);
	if (leaf->module.len)
		VMT_SET(stack, module, row, leaf->module);
	if (leaf->has_offset)
		VMT_SET(stack, offset_bytes, row, leaf->offset);
	if (leaf->symbol.len)
		VMT_SET(stack, symbol, row, leaf->symbol);
}

static void count(struct vmt_stack *row, uint64_t minor, uint64_t major)
{
	VMT_SET(stack, minor_faults_total, row, row->minor_faults_total + minor);
	VMT_SET(stack, major_faults_total, row, row->major_faults_total + major);
	VMT_SET(stack, faults_total, row, row->minor_faults_total + row->major_faults_total);
}

static int by_text(const void *pa, const void *pb)
{
	const struct vmt_stack *a = pa, *b = pb;
	int c = vmt_compare_u64(a->pid, b->pid);

	if (!c)
		c = vmt_compare_u64(a->start_time_ns, b->start_time_ns);
	if (!c)
		c = vmt_bytes_compare(a->comm, b->comm);
	return c ? c : vmt_bytes_compare(a->stack, b->stack);
}

/* Puts rows that read the same together; n of them, in order. How many are left. */
static size_t merge(struct vmt_stack *rows, size_t n)
{
	size_t i, kept = 0;

	for (i = 0; i < n; i++) {
		struct vmt_stack *to = kept ? &rows[kept - 1] : NULL;

		if (!to || by_text(to, &rows[i]) != 0) {
			rows[kept++] = rows[i];
			continue;
		}
		count(to, rows[i].minor_faults_total, rows[i].major_faults_total);
		if (to->ip != rows[i].ip) {
			VMT_UNSET(stack, ip, to);
			VMT_UNSET(stack, offset_bytes, to);
		}
	}
	return kept;
}

/* The account of a process, and what of it stacks have. */
struct account {
	const struct vmt_fault_proc *proc;
	uint64_t minor;
	uint64_t major;
};

static int by_proc(const void *pa, const void *pb)
{
	const struct vmt_fault_proc *a = ((const struct account *)pa)->proc;
	const struct vmt_fault_proc *b = ((const struct account *)pb)->proc;
	int c = vmt_compare_u64(a->pid, b->pid);

	return c ? c : vmt_compare_u64(a->start_time_ns, b->start_time_ns);
}

/* Of a process, or the one that processes share once the table of them is full, which is pid 0's
 * and so the first. NULL where there is neither. */
static struct account *account_of(struct account *accounts, size_t n,
				  const struct vmt_fault_stack *s)
{
	const struct vmt_fault_proc proc = { .pid = s->pid, .start_time_ns = s->start_time_ns };
	const struct account key = { .proc = &proc };
	struct account *found = bsearch(&key, accounts, n, sizeof(*accounts), by_proc);

	return found || n == 0 || accounts[0].proc->pid ? found : &accounts[0];
}

/* What the kernel counted and no stack has: get_user_pages, what is unattributed, losses. */
static int add_rest(struct vmt_model *m)
{
	const struct vmt_fault_sample *f = m->sample->faults;
	VMT_AUTO_FREE struct account *accounts = calloc(f->n_procs + 1, sizeof(*accounts));
	size_t i;

	if (!accounts)
		return -ENOMEM;
	for (i = 0; i < f->n_procs; i++)
		accounts[i].proc = &f->procs[i];
	qsort(accounts, f->n_procs, sizeof(*accounts), by_proc);
	for (i = 0; i < f->n_stacks; i++) {
		struct account *a = account_of(accounts, f->n_procs, &f->stacks[i]);

		if (!a)
			continue;
		a->minor += f->stacks[i].minor;
		a->major += f->stacks[i].major;
	}
	for (i = 0; i < f->n_procs; i++) {
		const struct account *a = &accounts[i];
		const struct vmt_fault_proc *p = a->proc;
		uint64_t rest_minor = p->kernel_minor > a->minor ? p->kernel_minor - a->minor : 0;
		uint64_t rest_major = p->kernel_major > a->major ? p->kernel_major - a->major : 0;
		struct vmt_stack *row;

		if (rest_minor + rest_major == 0)
			continue;
		row = &m->stacks[m->n_stacks++];
		if (p->pid) {
			VMT_SET(stack, pid, row, p->pid);
			VMT_SET(stack, start_time_ns, row, p->start_time_ns);
		}
		VMT_SET(stack, comm, row, p->pid ? p->comm : VMT_BYTES("(table full)"));
		VMT_SET(stack, stack, row, VMT_BYTES("[no stack]"));
		VMT_SET(stack, depth, row, 0);
		count(row, rest_minor, rest_major);
	}
	return 0;
}

int vmt_model_stacks(struct vmt_model *m)
{
	const struct vmt_fault_sample *f = m->sample->faults;
	size_t i;
	int r;

	if (!(f->have & VMT_HAVE_STACKS) || f->depth != VMT_STACK_FULL)
		return 0;
	m->stacks = vmt_arena_alloc(&m->arena, f->n_stacks + f->n_procs + 1, sizeof(*m->stacks));
	if (!m->stacks)
		return -ENOMEM;
	for (i = 0; i < f->n_stacks; i++) {
		const struct vmt_fault_stack *s = &f->stacks[i];
		struct vmt_stack *row = &m->stacks[m->n_stacks];

		/* A row that was made for a fault which then was not counted. */
		if (s->minor + s->major == 0 || !s->frames)
			continue;
		m->n_stacks++;
		VMT_SET(stack, pid, row, s->pid);
		VMT_SET(stack, start_time_ns, row, s->start_time_ns);
		VMT_SET(stack, comm, row, s->comm);
		count(row, s->minor, s->major);
		describe_leaf(f, s, row);
		r = stack_text(&m->arena, f, s, row);
		if (r < 0)
			return r;
	}
	if (m->n_stacks)
		qsort(m->stacks, m->n_stacks, sizeof(*m->stacks), by_text);
	m->n_stacks = merge(m->stacks, m->n_stacks);
	/* Behind them, and cleared of what merging left there. */
	memset(m->stacks + m->n_stacks, 0,
	       (f->n_stacks + f->n_procs + 1 - m->n_stacks) * sizeof(*m->stacks));
	return add_rest(m);
}

/* A stack by its innermost frame in user mode. */
struct leaf {
	const struct vmt_fault_stack *stack;
	const struct vmt_fault_frame *frame; /* NULL where there is none */
};

static int by_leaf(const void *pa, const void *pb)
{
	const struct leaf *a = pa, *b = pb;
	int c = vmt_compare_u64(a->stack->pid, b->stack->pid);

	if (!c)
		c = vmt_compare_u64(a->stack->start_time_ns, b->stack->start_time_ns);
	if (!c)
		c = vmt_compare_u64(a->stack->exec_id, b->stack->exec_id);
	if (!c)
		c = vmt_compare_u64(a->frame == NULL, b->frame == NULL);
	return c || !a->frame ? c : vmt_compare_u64(a->frame->address, b->frame->address);
}

static void label_leaf(struct vmt_fault *row, const struct leaf *leaf)
{
	const struct vmt_fault_frame *frame = leaf->frame;

	VMT_SET(fault, pid, row, leaf->stack->pid);
	VMT_SET(fault, start_time_ns, row, leaf->stack->start_time_ns);
	VMT_SET(fault, comm, row, leaf->stack->comm);
	if (!frame)
		return;
	VMT_SET(fault, ip, row, frame->address);
	if (frame->symbol.len)
		VMT_SET(fault, symbol, row, frame->symbol);
	if (frame->module.len)
		VMT_SET(fault, path, row, frame->module);
	if (frame->has_offset)
		VMT_SET(fault, offset_bytes, row, frame->offset);
}

static void count_leaf(struct vmt_fault *row, const struct vmt_fault_stack *s)
{
	uint64_t n = s->minor + s->major;

#define ADD(member, value) VMT_SET(fault, member, row, row->member + (value))
	ADD(keys, 1);
	ADD(faults_total, n);
	ADD(minor_faults_total, s->minor);
	ADD(major_faults_total, s->major);
	ADD(user_faults_total, s->n_kernel ? 0 : n);
	ADD(kernel_faults_total, s->n_kernel ? n : 0);
#undef ADD
}

int vmt_model_fault_ips(struct vmt_model *m)
{
	const struct vmt_fault_sample *f = m->sample->faults;
	VMT_AUTO_FREE struct leaf *leaves = NULL;
	size_t i, n = 0;

	if (!(f->have & VMT_HAVE_STACKS))
		return 0;
	leaves = calloc(f->n_stacks + 1, sizeof(*leaves));
	m->faults = vmt_arena_alloc(&m->arena, f->n_stacks + 1, sizeof(*m->faults));
	if (!leaves || !m->faults)
		return -ENOMEM;
	for (i = 0; i < f->n_stacks; i++) {
		const struct vmt_fault_stack *s = &f->stacks[i];

		if (s->minor + s->major == 0 || !s->frames)
			continue;
		leaves[n++] =
			(struct leaf){ s, s->n_user ? &f->frames[s->frames[s->n_kernel]] : NULL };
	}
	if (n)
		qsort(leaves, n, sizeof(*leaves), by_leaf);
	for (i = 0; i < n; i++) {
		if (i == 0 || by_leaf(&leaves[i - 1], &leaves[i]) != 0)
			label_leaf(&m->faults[m->n_faults++], &leaves[i]);
		count_leaf(&m->faults[m->n_faults - 1], leaves[i].stack);
	}
	return 0;
}
