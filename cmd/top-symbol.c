/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/top-symbol.h"

#include <errno.h>

#include "base/parse.h"
#include "model/fault-raw.h"
#include "source/symbolize.h"

/* What a key may wait for it. */
#define PATIENCE_NS UINT64_C(100000000)
/* Libraries come and go, and compilers write down their names later. */
#define KNOWN_NS UINT64_C(10000000000)

void vmt_top_symbols_done(struct vmt_top_symbols *t)
{
	size_t i;

	for (i = 0; i < VMT_TOP_SYMBOLS; i++)
		vmt_buf_done(&t->known[i].text);
	*t = (struct vmt_top_symbols){ .next = 0 };
}

static bool is_of(const struct vmt_top_symbol *known, uint64_t pid, uint64_t ip, uint64_t time_ns)
{
	return known->pid && known->pid == pid && known->ip == ip && time_ns >= known->from_ns &&
	       time_ns <= known->to_ns;
}

static struct vmt_top_symbol *find(struct vmt_top_symbols *t, const struct vmt_ui_code *code)
{
	size_t i;

	for (i = 0; i < VMT_TOP_SYMBOLS; i++)
		if (is_of(&t->known[i], code->pid, code->ip, code->time_ns))
			return &t->known[i];
	return NULL;
}

static const struct vmt_map *find_map(const struct vmt_proc_maps *pm, uint64_t ip)
{
	size_t i;

	for (i = 0; i < pm->n_maps; i++) {
		const struct vmt_map *m = &pm->maps[i];

		if (ip >= m->start && ip < m->end)
			return VMT_HAS(map, perms, m) && m->perms.len > 2 && m->perms.ptr[2] == 'x'
				       ? m
				       : NULL;
	}
	return NULL;
}

/* As a probe would have kept it. */
static void describe(const struct vmt_map *m, struct vmt_fault_code *code)
{
	struct vmt_bytes device = VMT_HAS(map, device, m) ? m->device : VMT_BYTES("");
	uint64_t major = 0, minor = 0;

	if (vmt_take_hex(&device, &major) == 0 && vmt_take_char(&device, ':') == 0)
		(void)vmt_take_hex(&device, &minor);
	code->dev_major = (uint32_t)major;
	code->dev_minor = (uint32_t)minor;
	code->inode = VMT_HAS(map, inode, m) ? m->inode : 0;
	code->has_file = code->inode || major || minor;
	code->start = m->start;
	code->end = m->end;
	code->offset_bytes = VMT_HAS(map, offset_bytes, m) ? m->offset_bytes : 0;
	code->path = VMT_HAS(map, path, m) ? m->path : VMT_BYTES("");
	code->vdso = vmt_bytes_is(code->path, "[vdso]");
}

/* Of s->procs[0], whose mappings are there. */
static int symbolize(struct vmt_collector *c, struct vmt_sample *s, const struct vmt_map *m,
		     uint64_t ip, struct vmt_buf *ret)
{
	const struct vmt_proc *p = &s->procs[0];
	struct vmt_fault_code code = { .pid = p->pid, .start_time_ns = p->start_time_ns };
	struct vmt_fault_stack stack = {
		.pid = p->pid, .start_time_ns = p->start_time_ns, .addresses = &ip, .n_user = 1
	};
	struct vmt_fault_sample f = {
		.codes = &code, .n_codes = 1, .stacks = &stack, .n_stacks = 1
	};
	const struct vmt_fault_frame *frame;
	int r;

	describe(m, &code);
	r = vmt_symbolize(c, s, &f, &s->arena);
	if (r < 0)
		return r;
	frame = &f.frames[stack.frames[0]];
	if (frame->symbol.len || (frame->module.len && frame->has_offset))
		vmt_fault_frame_text(ret, frame);
	return vmt_buf_error(ret);
}

/*
 * The process that has the number now had it since it began: what was before is of one that has
 * ended. /proc has the begin on CLOCK_BOOTTIME and in ticks, rounded down (fs/proc/array.c:
 * do_task_stat()). Whether that process is the one that faulted.
 */
static bool bound(struct vmt_top_symbol *known, const struct vmt_ui_code *code,
		  const struct vmt_sample *s)
{
	const struct vmt_host *h = &s->host;
	uint64_t asleep = h->boottime_ns > h->monotonic_ns ? h->boottime_ns - h->monotonic_ns : 0;
	uint64_t began;

	known->to_ns = h->monotonic_ns > code->time_ns ? h->monotonic_ns : code->time_ns;
	if (s->n_procs != 1 || !VMT_HAS(proc, start_time_ns, &s->procs[0]))
		return false;
	began = s->procs[0].start_time_ns > asleep ? s->procs[0].start_time_ns - asleep : 0;
	if (began > code->time_ns) {
		known->to_ns = began - 1;
		return false;
	}
	known->from_ns = began;
	return true;
}

static int look_up(struct vmt_collector *c, const struct vmt_ui_code *code,
		   struct vmt_top_symbol *ret)
{
	static const size_t first = 0;
	VMT_AUTO_SAMPLE s = NULL;
	struct vmt_err err = { 0 };
	const struct vmt_map *m;
	int r;

	vmt_collector_set_deadline(c, vmt_now_ns(CLOCK_MONOTONIC) + PATIENCE_NS);
	r = vmt_collect(c, VMT_SOURCE_BIT(PIDS), &code->pid, 1, &s, &err);
	if (r == 0 && !bound(ret, code, s))
		return 0;
	if (r == 0)
		r = vmt_collect_procs(c, s, VMT_SOURCE_BIT(MAPS), &first, 1, &err);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	m = s->maps ? find_map(&s->maps[0], code->ip) : NULL;
	return m ? symbolize(c, s, m, code->ip, &ret->text) : 0;
}

int vmt_top_symbols_look(struct vmt_top_symbols *t, struct vmt_collector *c,
			 const struct vmt_ui_code *code)
{
	struct vmt_top_symbol *known = find(t, code);
	int r;

	if (known && vmt_now_ns(CLOCK_MONOTONIC) < known->until_ns)
		return 0;
	if (!known) {
		known = &t->known[t->next];
		t->next = (t->next + 1) % VMT_TOP_SYMBOLS;
		known->pid = code->pid;
		known->ip = code->ip;
	}
	known->from_ns = 0;
	known->to_ns = code->time_ns;
	vmt_buf_clear(&known->text);
	r = look_up(c, code, known);
	known->until_ns = vmt_now_ns(CLOCK_MONOTONIC) + KNOWN_NS;
	return r < 0 ? r : 1;
}

int vmt_top_symbols_put(const struct vmt_top_symbols *t, struct vmt_model *m)
{
	uint64_t start_ns = m->n_singles ? m->sample->faults->start_ns : 0;
	size_t i, k;

	for (k = 0; k < VMT_TOP_SYMBOLS; k++) {
		const struct vmt_top_symbol *known = &t->known[k];
		struct vmt_bytes text = { known->text.data, known->text.len };

		if (!known->pid || !text.len)
			continue;
		text.ptr = vmt_arena_copy(&m->arena, text.ptr, text.len);
		if (!text.ptr)
			return -ENOMEM;
		for (i = 0; i < m->n_singles; i++) {
			struct vmt_single *one = &m->singles[i];

			if (VMT_HAS(single, ip, one) && VMT_HAS(single, pid, one) &&
			    VMT_HAS(single, after_ns, one) &&
			    is_of(known, one->pid, one->ip, start_ns + one->after_ns))
				VMT_SET(single, symbol, one, text);
		}
	}
	return 0;
}
