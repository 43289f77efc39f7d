/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/check-state.h"

#include <inttypes.h>

#include "base/parse.h"

#define HEAD "vmtop-check-state 1"

/* The fields of a process that something is measured by between two runs. */
static const unsigned proc_fields[] = { VMT_FIELD_proc_rss_bytes };

static bool is_kept(const struct vmt_figure_want *wants, size_t n, const struct vmt_proc *p)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (vmt_measures[wants[i].measure].needs & VMT_NEEDS_PROCS &&
		    vmt_figure_wants(&wants[i], p))
			return true;
	return false;
}

static void write_proc(struct vmt_buf *out, const struct vmt_proc *p)
{
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(proc_fields); i++) {
		const struct vmt_field *f = &vmt_entity_proc.fields[proc_fields[i]];

		if (vmt_row_has(&p->row, f->index))
			vmt_buf_addf(out, "proc %" PRIu64 " %" PRIu64 " %s %" PRIu64 "\n", p->pid,
				     p->start_time_ns, f->name, vmt_field_number(f, p));
	}
}

void vmt_check_state_write(struct vmt_buf *out, const struct vmt_sample *s,
			   const struct vmt_figure_want *wants, size_t n)
{
	size_t i, kept = 0;

	vmt_buf_adds(out, HEAD "\nboot_id ");
	vmt_buf_add(out, s->host.boot_id.ptr, s->host.boot_id.len);
	vmt_buf_addf(out, "\nmonotonic_ns %" PRIu64 "\n", s->host.monotonic_ns);
	for (i = 0; i < vmt_entity_system.n_fields; i++) {
		const struct vmt_field *f = &vmt_entity_system.fields[i];

		if (f->kind == VMT_KIND_COUNTER && vmt_row_has(&s->system.row, f->index))
			vmt_buf_addf(out, "system %s %" PRIu64 "\n", f->name,
				     vmt_field_number(f, &s->system));
	}
	for (i = 0; i < s->n_procs && kept < VMT_CHECK_STATE_PROCS; i++) {
		/* Without a start it could be another one the next time. */
		if (!VMT_HAS(proc, start_time_ns, &s->procs[i]) || !is_kept(wants, n, &s->procs[i]))
			continue;
		write_proc(out, &s->procs[i]);
		kept++;
	}
	vmt_buf_adds(out, "end\n");
}

/* " 123" at the front of what is left. */
static int take_number(struct vmt_bytes *cur, uint64_t *ret)
{
	int r = vmt_take_char(cur, ' ');

	return r < 0 ? r : vmt_take_u64(cur, ret);
}

static struct vmt_bytes take_name(struct vmt_bytes *cur)
{
	vmt_take_char(cur, ' ');
	return vmt_take_word(cur);
}

static int read_system(struct vmt_sample *s, struct vmt_bytes line)
{
	struct vmt_bytes name = take_name(&line);
	const struct vmt_field *f = vmt_field_find(&vmt_entity_system, name);
	uint64_t v;

	if (take_number(&line, &v) < 0 || line.len)
		return -EINVAL;
	/* Of another version of vmtop. */
	if (!f || f->kind != VMT_KIND_COUNTER || f->type != VMT_TYPE_U64)
		return 0;
	memcpy((char *)&s->system + f->offset, &v, sizeof(v));
	vmt_row_mark(&s->system.row, f->index);
	return 0;
}

static int read_proc(struct vmt_sample *s, size_t *cap, struct vmt_bytes line)
{
	struct vmt_proc *p = s->n_procs ? &s->procs[s->n_procs - 1] : NULL;
	const struct vmt_field *f;
	uint64_t pid, start, v;
	struct vmt_bytes name;

	if (take_number(&line, &pid) < 0 || take_number(&line, &start) < 0)
		return -EINVAL;
	name = take_name(&line);
	if (take_number(&line, &v) < 0 || line.len)
		return -EINVAL;
	if (!p || p->pid != pid) {
		/* In their order they can be looked for. */
		if ((p && p->pid > pid) || s->n_procs >= VMT_CHECK_STATE_PROCS)
			return -EINVAL;
		if (s->n_procs == *cap) {
			size_t more = *cap ? *cap * 2 : 16;
			struct vmt_proc *grown = vmt_arena_alloc(&s->arena, more, sizeof(*grown));

			if (!grown)
				return -ENOMEM;
			if (s->n_procs)
				memcpy(grown, s->procs, s->n_procs * sizeof(*grown));
			s->procs = grown;
			*cap = more;
		}
		p = &s->procs[s->n_procs++];
		memset(p, 0, sizeof(*p));
		VMT_SET(proc, pid, p, pid);
		VMT_SET(proc, start_time_ns, p, start);
	} else if (p->start_time_ns != start) {
		return -EINVAL;
	}
	f = vmt_field_find(&vmt_entity_proc, name);
	if (!f || f->index != VMT_FIELD_proc_rss_bytes)
		return 0;
	VMT_SET(proc, rss_bytes, p, v);
	return 0;
}

static int read_line(struct vmt_sample *s, size_t *cap, struct vmt_bytes line, bool *ret_end)
{
	struct vmt_bytes word = vmt_take_word(&line);
	uint64_t v;

	if (vmt_bytes_is(word, "end")) {
		*ret_end = true;
		return line.len ? -EINVAL : 0;
	}
	if (vmt_bytes_is(word, "boot_id")) {
		vmt_take_char(&line, ' ');
		return vmt_bytes_keep(&s->arena, line, NULL, &s->host.boot_id);
	}
	if (vmt_bytes_is(word, "monotonic_ns")) {
		if (take_number(&line, &v) < 0 || line.len)
			return -EINVAL;
		s->host.monotonic_ns = v;
		return 0;
	}
	if (vmt_bytes_is(word, "system"))
		return read_system(s, line);
	if (vmt_bytes_is(word, "proc"))
		return read_proc(s, cap, line);
	return 0;
}

int vmt_check_state_read(struct vmt_bytes text, struct vmt_sample **ret, struct vmt_err *err)
{
	VMT_AUTO_SAMPLE s = vmt_sample_new();
	struct vmt_bytes line;
	unsigned number = 1;
	bool end = false;
	size_t cap = 0;
	int r = 0;

	if (!s)
		return vmt_err_set(err, -ENOMEM, NULL, 0, "out of memory");
	if (text.len > VMT_CHECK_STATE_MAX)
		return vmt_err_set(err, -EINVAL, NULL, 0, "too large to be a state of check");
	if (!vmt_take_line(&text, &line) || !vmt_bytes_is(line, HEAD))
		return vmt_err_set(err, -EINVAL, NULL, 1, "not a state of this version of check");
	while (r == 0 && !end && vmt_take_line(&text, &line)) {
		number++;
		r = read_line(s, &cap, line, &end);
	}
	if (r == -ENOMEM)
		return vmt_err_set(err, r, NULL, 0, "out of memory");
	if (r < 0)
		return vmt_err_set(err, r, NULL, number, "malformed");
	/* Torn: what is there may be right, and what it is measured against is not. */
	if (!end || text.len)
		return vmt_err_set(err, -EINVAL, NULL, number, "it does not end where it should");
	*ret = VMT_STEAL(s);
	return 0;
}
