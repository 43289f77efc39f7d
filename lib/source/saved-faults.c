/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/saved-faults.h"

#include <errno.h>

#include "base/parse.h"
#include "model/fault-parts.h"
#include "model/latency.h"

#define NAME	  "vmtop-faults"
#define BYTES_MAX ((size_t)1 << 20)

/* While it is read. */
struct reading {
	struct vmt_arena *arena;
	struct vmt_fault_sample *to;
	uint64_t page_size;
	size_t cap_maps, cap_singles; /* of the arena's arrays */
};

static struct vmt_bytes word(struct vmt_bytes *line)
{
	struct vmt_bytes w;

	vmt_take_blanks(line);
	w = (struct vmt_bytes){ line->ptr, 0 };
	while (w.len < line->len && !vmt_is_blank(line->ptr[w.len]))
		w.len++;
	line->ptr += w.len;
	line->len -= w.len;
	return w;
}

static bool take(struct vmt_bytes *line, uint64_t *ret)
{
	struct vmt_bytes w = word(line);

	return w.len && vmt_take_u64(&w, ret) == 0 && !w.len;
}

static bool take_hex(struct vmt_bytes *line, uint64_t *ret)
{
	struct vmt_bytes w = word(line);

	return w.len && vmt_take_hex(&w, ret) == 0 && !w.len;
}

/* Which of n words it is. */
static bool take_one(struct vmt_bytes *line, const char *const *words, size_t n, size_t *ret)
{
	struct vmt_bytes w = word(line);

	for (*ret = 0; *ret < n; ++*ret)
		if (words[*ret] && vmt_bytes_is(w, words[*ret]))
			return true;
	return false;
}

/* What is left of the line. */
static struct vmt_bytes rest_of(struct reading *r, struct vmt_bytes line)
{
	struct vmt_bytes text = { NULL, 0 };

	vmt_take_blanks(&line);
	if (line.len)
		text.ptr = vmt_arena_copy(r->arena, line.ptr, line.len);
	text.len = text.ptr ? line.len : 0;
	return text;
}

static bool take_map(struct reading *r, struct vmt_bytes line)
{
	static const char *const words[] = { "anon", "file", "shmem", "heap", "stack" };
	static const enum vmt_fault_class classes[] = { VMT_FAULT_ANON, VMT_FAULT_FILE,
							VMT_FAULT_SHMEM, VMT_FAULT_ANON,
							VMT_FAULT_ANON };
	static const enum vmt_fault_special specials[] = { VMT_FAULT_PLAIN, VMT_FAULT_PLAIN,
							   VMT_FAULT_PLAIN, VMT_FAULT_HEAP,
							   VMT_FAULT_STACK };
	struct vmt_fault_raw m = { .slot = 0 };
	uint64_t slot;
	size_t kind;

	if (!take(&line, &slot) || !slot || slot > UINT32_MAX || !take(&line, &m.pid) ||
	    !take_hex(&line, &m.start) || !take_hex(&line, &m.end) || m.end <= m.start ||
	    !take_hex(&line, &m.offset_bytes) ||
	    !take_one(&line, words, VMT_ARRAY_LEN(words), &kind) || r->to->n_maps == r->cap_maps)
		return false;
	m.slot = (uint32_t)slot;
	m.owner_pid = m.pid;
	m.class = classes[kind];
	m.special = specials[kind];
	m.path = rest_of(r, line);
	m.has_file = m.class != VMT_FAULT_ANON;
	r->to->maps[r->to->n_maps++] = m;
	return true;
}

static struct vmt_fault_raw *map_of(const struct vmt_fault_sample *f, uint32_t slot)
{
	size_t i;

	for (i = 0; i < f->n_maps; i++)
		if (f->maps[i].slot == slot)
			return &f->maps[i];
	return NULL;
}

/* Adds a run to the counts of its mapping and of all. */
static void add_counts(struct vmt_fault_sample *f, const struct vmt_fault_single *s)
{
	struct vmt_fault_raw *m = map_of(f, s->slot);
	uint64_t *fault = s->major ? &f->totals.kernel_major : &f->totals.kernel_minor;

	*fault += s->faults;
	f->totals.singles += s->faults;
	*(m ? &f->totals.mapped : &f->totals.unattributed) += s->faults;
	if (!m)
		return;
	*(s->major ? &m->major : &m->minor) += s->faults;
	m->major_read = m->major;
	m->minor_read = m->minor;
	m->kinds[s->kind] += s->kind == VMT_KIND_UNKNOWN ? 0 : s->faults;
	*(s->access == VMT_ACCESS_WRITE	 ? &m->write
	  : s->access == VMT_ACCESS_READ ? &m->read
					 : &m->exec) += s->faults;
	m->user += s->faults;
	if (!s->latency_ns)
		return;
	m->latency.count += s->faults;
	m->latency.sum_ns += s->total_ns;
	m->latency.bucket[vmt_latency_bucket(s->latency_ns)] += (uint32_t)s->faults;
	if (s->latency_ns > m->latency.max_ns)
		m->latency.max_ns = s->latency_ns;
}

static bool take_fault(struct reading *r, struct vmt_bytes line)
{
	static const char *const access[] = { NULL, "read", "write", "exec" };
	static const char *const fault[] = { "minor", "major" };
	const char *kinds[VMT_FAULT_KINDS];
	struct vmt_fault_single s = { .page = r->page_size, .mode = VMT_MODE_USER };
	uint64_t after, pid, tid, slot;
	size_t how, major, kind;
	struct vmt_bytes comm;

	for (kind = 0; kind < VMT_FAULT_KINDS; kind++)
		kinds[kind] = vmt_fault_kind_name((enum vmt_fault_kind)kind);
	if (!take(&line, &after) || after > r->to->window_ns || !take(&line, &pid) ||
	    pid > UINT32_MAX || !take(&line, &tid) || tid > UINT32_MAX || !take(&line, &slot) ||
	    slot > UINT32_MAX || !take_hex(&line, &s.address) || !take_hex(&line, &s.ip) ||
	    !take_one(&line, access, VMT_ARRAY_LEN(access), &how) ||
	    !take_one(&line, fault, VMT_ARRAY_LEN(fault), &major) ||
	    !take_one(&line, kinds, VMT_ARRAY_LEN(kinds), &kind) || !take(&line, &s.latency_ns) ||
	    !take(&line, &s.faults) || !s.faults || s.faults > UINT32_MAX ||
	    s.latency_ns > UINT32_MAX || r->to->n_singles == r->cap_singles)
		return false;
	s.end_ns = s.first_ns = r->to->start_ns + after;
	s.total_ns = s.latency_ns * s.faults;
	s.pid = (uint32_t)pid;
	s.tid = (uint32_t)tid;
	s.slot = (uint32_t)slot;
	s.access = (enum vmt_fault_access)how;
	s.major = major == 1;
	s.kind = (enum vmt_fault_kind)kind;
	vmt_take_blanks(&line);
	comm = line;
	memcpy(s.comm, comm.ptr, comm.len < sizeof(s.comm) ? comm.len : sizeof(s.comm) - 1);
	r->to->singles[r->to->n_singles++] = s;
	add_counts(r->to, &s);
	return true;
}

int vmt_saved_faults_parse(struct vmt_bytes text, uint64_t end_ns, uint64_t page_size,
			   struct vmt_arena *arena, struct vmt_fault_sample *ret,
			   struct vmt_err *err)
{
	struct reading r = { .arena = arena, .to = ret, .page_size = page_size };
	struct vmt_bytes cur = text, line;
	unsigned number = 0;

	/* No more of either than there are lines. */
	while (vmt_take_line(&cur, &line))
		r.cap_maps++;
	r.cap_singles = r.cap_maps;
	*ret = (struct vmt_fault_sample){
		.have = VMT_HAVE_MAPS | VMT_HAVE_ACCESS | VMT_HAVE_MODE | VMT_HAVE_LATENCY |
			VMT_HAVE_KINDS | VMT_HAVE_SINGLES,
		.rung = VMT_RUNG_TRACEPOINT,
		.complete = true,
		.singles_asked = true,
	};
	ret->maps = vmt_arena_alloc(arena, r.cap_maps + 1, sizeof(*ret->maps));
	ret->singles = vmt_arena_alloc(arena, r.cap_singles + 1, sizeof(*ret->singles));
	if (!ret->maps || !ret->singles)
		return -ENOMEM;
	for (cur = text; vmt_take_line(&cur, &line);) {
		struct vmt_bytes what = word(&line);
		bool good = true;

		number++;
		if (!what.len || *what.ptr == '#')
			continue;
		if (vmt_bytes_is(what, "window")) {
			/* Of another one what came before would lie outside. */
			good = !ret->window_ns && take(&line, &ret->window_ns) &&
			       ret->window_ns < end_ns;
			ret->start_ns = good ? end_ns - ret->window_ns : 0;
		} else if (vmt_bytes_is(what, "map")) {
			good = take_map(&r, line);
		} else if (vmt_bytes_is(what, "fault")) {
			good = ret->window_ns && take_fault(&r, line);
		} else {
			good = false;
		}
		if (!good)
			return vmt_err_set(err, -EINVAL, NAME, number,
					   "not a line of saved faults");
	}
	return arena->failed ? -ENOMEM : 0;
}

int vmt_saved_faults_read(const struct vmt_root *root, struct vmt_arena *arena,
			  struct vmt_fault_sample *ret, struct vmt_err *err)
{
	VMT_AUTO_BUF text = { 0 };
	int64_t n = vmt_slurp_at(root->fd, NAME, &text, BYTES_MAX);

	if (n < 0)
		return (int)n;
	return vmt_saved_faults_parse((struct vmt_bytes){ text.data, text.len }, root->monotonic_ns,
				      root->page_size, arena, ret, err);
}
