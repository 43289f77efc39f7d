/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>

#include "model/events.h"
#include "model/model.h"

/* From which places of their code processes called: rows of events by stack, put together. */

static struct vmt_bytes last_part(struct vmt_bytes path)
{
	const char *slash = path.len ? memrchr(path.ptr, '/', path.len) : NULL;

	if (slash) {
		size_t skip = (size_t)(slash - path.ptr) + 1;

		return (struct vmt_bytes){ path.ptr + skip, path.len - skip };
	}
	return path;
}

static bool begins(struct vmt_bytes text, const char *with)
{
	size_t n = strlen(with);

	return text.len >= n && memcmp(text.ptr, with, n) == 0;
}

/* Whether a file is the C library or the dynamic linker, by the names that they have had: what is
 * in these was called by somebody else. */
static bool is_library(struct vmt_bytes module)
{
	static const char *const names[] = { "libc.so",	 "libc-2.", "libpthread",
					     "ld-linux", "ld-2.",   "ld.so",
					     "ld64.so",	 "ld-musl", "libc.musl" };
	struct vmt_bytes name = last_part(module);

	for (size_t i = 0; i < VMT_ARRAY_LEN(names); i++)
		if (begins(name, names[i]))
			return true;
	return false;
}

/* The innermost frame in neither of these; where a frame on the way there is not known, the
 * outermost in them. NULL where there is none at all. */
static const struct vmt_fault_frame *site_of(const struct vmt_fault_sample *f,
					     const struct vmt_fault_stack *s)
{
	const struct vmt_fault_frame *found = NULL;

	for (uint32_t i = s->n_kernel; s->frames && i < s->n_kernel + s->n_user; i++) {
		const struct vmt_fault_frame *frame = &f->frames[s->frames[i]];

		if (!frame->module.len && !frame->symbol.len)
			break;
		found = frame;
		if (!is_library(frame->module))
			break;
	}
	return found;
}

struct entry {
	const struct vmt_event_place *site;
	const struct vmt_fault_stack *stack;
	const struct vmt_fault_frame *frame; /* or NULL */
	size_t number; /* of the stack, where stacks are told apart; else 0 */
};

static int by_place(const void *pa, const void *pb)
{
	const struct entry *a = pa, *b = pb;
	int c = vmt_compare_u64(a->stack->pid, b->stack->pid);

	c = c ?: vmt_compare_u64(a->stack->start_time_ns, b->stack->start_time_ns);
	c = c ?: vmt_compare_u64(a->stack->exec_id, b->stack->exec_id);
	c = c ?: vmt_compare_u64(a->site->call, b->site->call);
	c = c ?: vmt_compare_u64(a->frame == NULL, b->frame == NULL);
	if (!c && a->frame)
		c = vmt_compare_u64(a->frame->address, b->frame->address);
	return c ?: vmt_compare_u64(a->number, b->number);
}

static struct vmt_bytes kept(struct vmt_arena *arena, struct vmt_buf *text)
{
	char *copy = vmt_buf_error(text) < 0 ? NULL : vmt_arena_copy(arena, text->data, text->len);

	if (!copy)
		arena->failed = true;
	return (struct vmt_bytes){ copy, copy ? text->len : 0 };
}

/* The frames, the outermost first, or why there are none. */
static struct vmt_bytes stack_text(const struct vmt_fault_sample *f,
				   const struct vmt_fault_stack *s, struct vmt_arena *arena)
{
	uint32_t n = s->n_kernel + s->n_user;
	VMT_AUTO_BUF text = { 0 };

	if (!s->frames || !n)
		vmt_buf_adds(&text, vmt_fault_stack_reason(s));
	else if (s->cut)
		vmt_buf_adds(&text, "[cut]");
	for (uint32_t i = s->frames ? n : 0; i > 0; i--) {
		if (text.len)
			vmt_buf_addc(&text, ';');
		vmt_fault_frame_text(&text, &f->frames[s->frames[i - 1]]);
	}
	return kept(arena, &text);
}

static void set_stack(const struct vmt_fault_sample *f, const struct vmt_fault_stack *s,
		      struct vmt_arena *arena, struct vmt_event_site *row)
{
	VMT_SET(event_site, stack, row, stack_text(f, s, arena));
	VMT_SET(event_site, depth, row, s->frames ? s->n_kernel + s->n_user : 0);
}

int vmt_event_stack_text(const struct vmt_fault_sample *f, const struct vmt_fault_stack *s,
			 struct vmt_arena *arena, struct vmt_event_stack *ret)
{
	const struct vmt_fault_frame *frame = site_of(f, s);
	VMT_AUTO_BUF text = { 0 };

	*ret = (struct vmt_event_stack){ .stack = stack_text(f, s, arena) };
	if (frame) {
		vmt_fault_frame_text(&text, frame);
		ret->site = kept(arena, &text);
	}
	return arena->failed ? -ENOMEM : 0;
}

static void label(const struct entry *e, struct vmt_arena *arena, struct vmt_event_site *row)
{
	const struct vmt_fault_frame *frame = e->frame;
	VMT_AUTO_BUF text = { 0 };

	VMT_SET(event_site, pid, row, e->stack->pid);
	VMT_SET(event_site, comm, row, e->stack->comm);
	VMT_SET(event_site, start_time_ns, row, e->stack->start_time_ns);
	VMT_SET(event_site, kind, row,
		vmt_bytes_of(vmt_event_kind_name(vmt_event_kind_of(e->site->call))));
	VMT_SET(event_site, event, row, vmt_bytes_of(vmt_event_name(e->site->call)));
	if (!frame)
		return;
	VMT_SET(event_site, ip, row, frame->address);
	if (frame->module.len)
		VMT_SET(event_site, module, row, frame->module);
	if (frame->has_offset)
		VMT_SET(event_site, offset_bytes, row, frame->offset);
	if (frame->symbol.len)
		VMT_SET(event_site, symbol, row, frame->symbol);
	vmt_fault_frame_text(&text, frame);
	VMT_SET(event_site, site, row, kept(arena, &text));
}

/* What of a row is known where it is of all of its stacks. */
#define ADD_KNOWN(member, row, known, value)                                                       \
	do {                                                                                       \
		if ((known) && ((row)->stacks == 0 || VMT_HAS(event_site, member, row)))           \
			VMT_SET(event_site, member, row, (row)->member + (value));                 \
		else                                                                               \
			VMT_UNSET(event_site, member, row);                                        \
	} while (0)

static void add_touch(const struct vmt_event_place *p, struct vmt_event_site *row)
{
	const struct vmt_event_touch *t = &p->touch;
	/* Nothing is left of what a process that has ended mapped. */
	uint64_t left = !t->is_mapped_known ? 0 : t->reserved < p->mapped ? t->reserved : p->mapped;

	ADD_KNOWN(reserved_bytes, row, t->is_mapped_known, t->reserved);
	ADD_KNOWN(touched_bytes, row, t->is_touched_known, t->touched);
	ADD_KNOWN(resident_bytes, row, t->is_touched_known, t->resident);
	ADD_KNOWN(given_back_bytes, row, t->is_mapped_known || t->is_ended, p->mapped - left);
}

static void add(const struct entry *e, struct vmt_event_site *row)
{
	const struct vmt_event_count *n = &e->site->count;

	VMT_SET(event_site, events_total, row, row->events_total + n->events);
	VMT_SET(event_site, failed_total, row, row->failed_total + n->failed);
	if (vmt_event_has_bytes(e->site->call))
		VMT_SET(event_site, range_bytes, row, row->range_bytes + n->bytes);
	VMT_SET(event_site, total_ns, row, row->total_ns + n->ns);
	VMT_SET(event_site, mean_ns, row, row->total_ns / row->events_total);
	add_touch(e->site, row);
	VMT_SET(event_site, stacks, row, row->stacks + 1);
}

static int by_reserved(const void *pa, const void *pb)
{
	const struct vmt_event_claim *a = *(const struct vmt_event_claim *const *)pa;
	const struct vmt_event_claim *b = *(const struct vmt_event_claim *const *)pb;
	int c = vmt_compare_u64(b->touch.reserved, a->touch.reserved);

	c = c ?: vmt_compare_u64(a->pid, b->pid);
	return c ?: vmt_compare_u64(a->low, b->low);
}

static void made_row(const struct vmt_event_sample *s, const struct vmt_event_claim *c,
		     struct vmt_arena *arena, struct vmt_event_made *row)
{
	const struct vmt_event_place *place = &s->places[c->place];
	const struct vmt_fault_stack *stack = &s->stacks->stacks[place->stack];
	const struct vmt_fault_frame *frame = site_of(s->stacks, stack);
	VMT_AUTO_BUF text = { 0 };

	VMT_SET(event_made, pid, row, c->pid);
	VMT_SET(event_made, comm, row, stack->comm);
	VMT_SET(event_made, start_time_ns, row, c->process_ns);
	VMT_SET(event_made, start, row, c->low);
	VMT_SET(event_made, end, row, c->high);
	VMT_SET(event_made, kind, row, c->kind);
	VMT_SET(event_made, event, row, vmt_bytes_of(vmt_event_name(place->call)));
	if (s->stop_ns >= c->ns)
		VMT_SET(event_made, age_ns, row, s->stop_ns - c->ns);
	VMT_SET(event_made, reserved_bytes, row, c->touch.reserved);
	if (c->touch.is_touched_known) {
		VMT_SET(event_made, touched_bytes, row, c->touch.touched);
		VMT_SET(event_made, resident_bytes, row, c->touch.resident);
	}
	VMT_SET(event_made, stack, row, stack_text(s->stacks, stack, arena));
	VMT_SET(event_made, path, row, c->path);
	if (!frame)
		return;
	VMT_SET(event_made, ip, row, frame->address);
	if (frame->module.len)
		VMT_SET(event_made, module, row, frame->module);
	if (frame->has_offset)
		VMT_SET(event_made, offset_bytes, row, frame->offset);
	if (frame->symbol.len)
		VMT_SET(event_made, symbol, row, frame->symbol);
	vmt_fault_frame_text(&text, frame);
	VMT_SET(event_made, site, row, kept(arena, &text));
}

int vmt_event_made_rows(const struct vmt_event_sample *s, struct vmt_arena *arena,
			struct vmt_event_made **ret, size_t *ret_n)
{
	VMT_AUTO_FREE const struct vmt_event_claim **all =
		calloc(s->n_claims + 1, sizeof(struct vmt_event_claim *));
	struct vmt_event_made *rows;
	size_t n = 0;

	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < s->n_claims; i++)
		if (s->claims[i].touch.reserved)
			all[n++] = &s->claims[i];
	if (n)
		qsort(all, n, sizeof(struct vmt_event_claim *), by_reserved);
	if (n > VMT_EVENT_MADE_MOST)
		n = VMT_EVENT_MADE_MOST;
	rows = vmt_arena_alloc(arena, n + 1, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		made_row(s, all[i], arena, &rows[i]);
	*ret = rows;
	*ret_n = n;
	return arena->failed ? -ENOMEM : 0;
}

/* A process, and what of its calls no stack has. */
struct account {
	const struct vmt_event_process *process;
	uint64_t rest[VMT_CALLS];
};

static int compare_process(const struct vmt_event_process *p, uint64_t pid, uint64_t start_ns)
{
	return vmt_compare_u64(p->pid, pid) ?: vmt_compare_u64(p->start_ns, start_ns);
}

static int by_process(const void *pa, const void *pb)
{
	const struct vmt_event_process *b = ((const struct account *)pb)->process;

	return compare_process(((const struct account *)pa)->process, b->pid, b->start_ns);
}

/* Of the process of a stack, or the one of all that found the table full, which is the first; NULL
 * where there is neither. */
static struct account *account_of(struct account *all, size_t n, const struct vmt_fault_stack *s)
{
	const struct vmt_event_process wanted = { .pid = (uint32_t)s->pid,
						  .start_ns = s->start_time_ns };
	const struct account key = { .process = &wanted };
	struct account *found = bsearch(&key, all, n, sizeof(*all), by_process);

	return found || !n || all[0].process->pid ? found : &all[0];
}

/* What passes the programs of system calls, and so has a stack. */
static bool has_stack(unsigned call)
{
	enum vmt_event_kind kind = vmt_event_kind_of(call);

	return call != VMT_CALL_EXIT &&
	       (kind == VMT_EVENT_KIND_MAP || kind == VMT_EVENT_KIND_PROCESS);
}

static void rest_row(const struct vmt_event_process *p, unsigned call, uint64_t n,
		     struct vmt_arena *arena, struct vmt_event_site *row)
{
	size_t len = strnlen(p->comm, sizeof(p->comm));
	char *comm = vmt_arena_copy(arena, p->comm, len);

	if (!comm)
		arena->failed = true;
	VMT_SET(event_site, comm, row, VMT_BYTES("(table full)"));
	if (p->pid) {
		VMT_SET(event_site, pid, row, p->pid);
		VMT_SET(event_site, comm, row, ((struct vmt_bytes){ comm, comm ? len : 0 }));
		VMT_SET(event_site, start_time_ns, row, p->start_ns);
	}
	VMT_SET(event_site, kind, row, vmt_bytes_of(vmt_event_kind_name(vmt_event_kind_of(call))));
	VMT_SET(event_site, event, row, vmt_bytes_of(vmt_event_name(call)));
	VMT_SET(event_site, events_total, row, n);
	VMT_SET(event_site, stack, row, VMT_BYTES("[no stack]"));
	VMT_SET(event_site, depth, row, 0);
}

/* Calls that were counted for a process and no stack has, so that rows by stack add up to what the
 * kernel counted: *ret_n rows of arena. */
static int rest_rows(const struct vmt_event_sample *s, struct vmt_arena *arena,
		     struct vmt_event_site **ret, size_t *ret_n)
{
	VMT_AUTO_FREE struct account *all = calloc(s->n_processes + 1, sizeof(*all));
	size_t n = 0;

	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < s->n_processes; i++)
		all[i].process = &s->processes[i];
	if (s->n_processes)
		qsort(all, s->n_processes, sizeof(*all), by_process);
	for (size_t i = 0; i < s->n_processes; i++)
		for (unsigned c = 1; c < VMT_CALLS; c++)
			all[i].rest[c] = has_stack(c) ? all[i].process->counts[c].events : 0;
	for (size_t i = 0; i < s->n_places; i++) {
		const struct vmt_event_place *p = &s->places[i];
		struct account *a = account_of(all, s->n_processes, &s->stacks->stacks[p->stack]);

		if (a)
			a->rest[p->call] -= a->rest[p->call] < p->count.events ? a->rest[p->call]
									       : p->count.events;
	}
	for (size_t i = 0; i < s->n_processes; i++)
		for (unsigned c = 1; c < VMT_CALLS; c++)
			n += all[i].rest[c] != 0;
	*ret = vmt_arena_alloc(arena, n + 1, sizeof(**ret));
	*ret_n = n;
	if (!*ret)
		return -ENOMEM;
	n = 0;
	for (size_t i = 0; i < s->n_processes; i++)
		for (unsigned c = 1; c < VMT_CALLS; c++)
			if (all[i].rest[c])
				rest_row(all[i].process, c, all[i].rest[c], arena, &(*ret)[n++]);
	return 0;
}

int vmt_event_site_rows(const struct vmt_event_sample *s, bool by_stack, struct vmt_arena *arena,
			struct vmt_event_site **ret, size_t *ret_n)
{
	VMT_AUTO_FREE struct entry *all = calloc(s->n_places + 1, sizeof(*all));
	struct vmt_event_site *rows, *rest = NULL;
	size_t n = 0, n_rows = 0, n_rest = 0;

	if (!all || (by_stack && rest_rows(s, arena, &rest, &n_rest) < 0))
		return -ENOMEM;
	rows = vmt_arena_alloc(arena, s->n_places + n_rest + 1, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	for (size_t i = 0; i < s->n_places; i++) {
		const struct vmt_event_place *site = &s->places[i];
		const struct vmt_fault_stack *stack = &s->stacks->stacks[site->stack];

		/* A call that has not ended yet has a row, and is not counted. */
		if (site->count.events)
			all[n++] = (struct entry){ site, stack, site_of(s->stacks, stack),
						   by_stack ? site->stack : 0 };
	}
	if (n)
		qsort(all, n, sizeof(*all), by_place);
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || by_place(&all[i - 1], &all[i]) != 0)
			label(&all[i], arena, &rows[n_rows++]);
		add(&all[i], &rows[n_rows - 1]);
		if (rows[n_rows - 1].stacks == 1) {
			set_stack(s->stacks, all[i].stack, arena, &rows[n_rows - 1]);
		} else {
			VMT_UNSET(event_site, stack, &rows[n_rows - 1]);
			VMT_UNSET(event_site, depth, &rows[n_rows - 1]);
		}
	}
	if (n_rest)
		memcpy(rows + n_rows, rest, n_rest * sizeof(*rows));
	*ret = rows;
	*ret_n = n_rows + n_rest;
	return arena->failed ? -ENOMEM : 0;
}
