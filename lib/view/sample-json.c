/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/sample-json.h"

#include <errno.h>
#include <inttypes.h>

#include "base/fmt.h"
#include "view/row-json.h"

/* A member of rows: a field, or all fields of a group, which are one object. */
struct piece {
	struct vmt_row_json plan; /* ',"name":value' */
	const struct vmt_field **fields; /* heap */
	size_t n;
	char brief[64]; /* the name of a field in larger units, or empty */
};

struct pieces {
	struct piece *of; /* heap */
	size_t n;
};

/* The parts, and the mappings behind them. */
#define N_PARTS ((size_t)VMT_RECORDED_COUNT + 1)

struct vmt_sample_json {
	struct vmt_recorded_part parts[N_PARTS];
	struct pieces pieces[N_PARTS];
	uint64_t page_size; /* of the sample that is written; 0: not known */
	size_t own; /* bytes of the last line in parts that each sample has of its own */
};

static int add_piece(struct pieces *p, const struct vmt_entity *e, size_t first)
{
	const struct vmt_field *f = &e->fields[first];
	struct piece *piece = &p->of[p->n];
	size_t i;

	piece->fields = calloc(e->n_fields, sizeof(*piece->fields));
	if (!piece->fields)
		return -ENOMEM;
	p->n++;
	for (i = first; i < e->n_fields; i++) {
		const struct vmt_field *g = &e->fields[i];

		if (i == first || (f->group && g->group && strcmp(f->group, g->group) == 0))
			piece->fields[piece->n++] = g;
	}
	if (!vmt_recorded_brief_name(e, f, piece->brief, sizeof(piece->brief)))
		piece->brief[0] = 0;
	return vmt_row_json_init(&piece->plan, piece->fields, piece->n, 0, 1, true);
}

static int make_pieces(struct pieces *p, const struct vmt_recorded_part *part)
{
	const struct vmt_entity *e = part->entity;
	size_t i, k;
	int r = 0;

	p->of = calloc(e->n_fields, sizeof(*p->of));
	if (!p->of)
		return -ENOMEM;
	for (i = 0; r == 0 && i < e->n_fields; i++) {
		const struct vmt_field *f = &e->fields[i];
		bool first = f != part->id && vmt_recorded_field(part, f);

		for (k = 0; f->group && k < i; k++)
			if (e->fields[k].group && strcmp(e->fields[k].group, f->group) == 0)
				first = false;
		if (first)
			r = add_piece(p, e, i);
	}
	return r;
}

int vmt_sample_json_new(struct vmt_sample_json **ret)
{
	VMT_CLEANUP(vmt_sample_json_freep) struct vmt_sample_json *j = calloc(1, sizeof(*j));
	size_t i;

	if (!j)
		return -ENOMEM;
	for (i = 0; i < N_PARTS; i++) {
		j->parts[i] = i < VMT_RECORDED_COUNT ? vmt_recorded_part((enum vmt_recorded_id)i)
						     : vmt_recorded_maps();
		if (make_pieces(&j->pieces[i], &j->parts[i]) < 0)
			return -ENOMEM;
	}
	*ret = VMT_STEAL(j);
	return 0;
}

void vmt_sample_json_free(struct vmt_sample_json *j)
{
	size_t i, k;

	if (!j)
		return;
	for (i = 0; i < N_PARTS; i++) {
		for (k = 0; k < j->pieces[i].n; k++) {
			vmt_row_json_done(&j->pieces[i].of[k].plan);
			free(j->pieces[i].of[k].fields);
		}
		free(j->pieces[i].of);
	}
	free(j);
}

/* Whether a member is to be written: it is known, or, beside a row of the key sample, another one.
 */
static bool is_wanted(const struct piece *p, const void *row, const void *base)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (base ? !vmt_recorded_same(p->fields[i], row, base)
			 : vmt_row_has(row, p->fields[i]->index))
			return true;
	return false;
}

/* A number in a larger unit, where it comes out even. */
static bool put_brief(const struct vmt_sample_json *j, const struct piece *p, struct vmt_buf *out,
		      const void *row)
{
	const struct vmt_field *f = p->fields[0];
	uint64_t unit = f->unit == VMT_UNIT_BYTES ? j->page_size : 1000;

	if (!p->brief[0] || !unit || !vmt_row_has(row, f->index) ||
	    vmt_field_number(f, row) % unit != 0)
		return false;
	vmt_buf_addf(out, ",\"%s\":%" PRIu64, p->brief, vmt_field_number(f, row) / unit);
	return true;
}

/* A member; brief: of a row that says what has changed. */
static void put_piece(const struct vmt_sample_json *j, const struct piece *p, struct vmt_buf *out,
		      const void *row, bool brief)
{
	const struct vmt_field *f = p->fields[0];
	const struct vmt_bytes *text = vmt_field_at(f, row);

	if (brief && put_brief(j, p, out, row))
		return;

	/* That there are none is known, and not the same as that nobody knows. */
	if (f->type == VMT_TYPE_KEYS && vmt_row_has(row, f->index) && !text->len)
		vmt_buf_addf(out, ",\"%s\":{}", f->name);
	else
		vmt_row_json_put(&p->plan, out, row);
	if (!brief || p->n > 1 || f->unit != VMT_UNIT_MILLI || !vmt_row_has(row, f->index) ||
	    vmt_buf_error(out) < 0)
		return;
	/* Thousandths have three digits behind the point: 0.500. */
	while (out->data[out->len - 1] == '0')
		out->len--;
	out->len -= out->data[out->len - 1] == '.';
}

/* By what a row is known in a list of changed ones. */
static void put_id(struct vmt_buf *out, const struct vmt_recorded_part *part, const void *row,
		   size_t place)
{
	if (!part->id)
		vmt_buf_addf(out, ",\"row\":%zu", place);
	else if (part->id->type == VMT_TYPE_HEX)
		vmt_buf_addf(out, ",\"%s\":\"0x%" PRIx64 "\"", part->id->name,
			     vmt_field_number(part->id, row));
	else
		vmt_buf_addf(out, ",\"%s\":%" PRIu64, part->id->name,
			     vmt_field_number(part->id, row));
}

/* An element of a list: with a comma before it where it is not the first. A row that is the same in
 * base is none. */
static void put_row(const struct vmt_sample_json *j, struct vmt_buf *out, size_t part,
		    const void *row, const void *base, size_t place, bool *first)
{
	const struct pieces *p = &j->pieces[part];
	size_t from = out->len, brace, begin, i;

	if (!*first)
		vmt_buf_addc(out, ',');
	brace = out->len;
	if (!j->parts[part].single && (base || j->parts[part].id))
		put_id(out, &j->parts[part], row, place);
	begin = out->len;
	for (i = 0; i < p->n; i++)
		if (is_wanted(&p->of[i], row, base))
			put_piece(j, &p->of[i], out, row, base);
	if (vmt_buf_error(out) < 0)
		return;
	if (base && out->len == begin) {
		out->len = from;
		return;
	}
	/* Members have a comma before them, the first one too. */
	if (out->len == brace)
		vmt_buf_addc(out, '{');
	else
		out->data[brace] = '{';
	vmt_buf_addc(out, '}');
	*first = false;
}

struct list {
	const char *rows;
	size_t n;
};

static void put_all(const struct vmt_sample_json *j, struct vmt_buf *out, size_t part,
		    struct list now)
{
	size_t size = j->parts[part].entity->row_size, i;
	bool first = true;

	vmt_buf_addc(out, '[');
	for (i = 0; i < now.n; i++)
		put_row(j, out, part, now.rows + i * size, NULL, i, &first);
	vmt_buf_addc(out, ']');
}

/* Whether rows have numbers, each larger than the one before. */
static bool is_ordered(const struct vmt_recorded_part *part, struct list l)
{
	size_t size = part->entity->row_size, i;

	for (i = 0; i < l.n; i++)
		if (!vmt_row_has((const void *)(l.rows + i * size), part->id->index) ||
		    (i && vmt_field_number(part->id, l.rows + i * size) <=
				  vmt_field_number(part->id, l.rows + (i - 1) * size)))
			return false;
	return true;
}

static uint64_t id_at(const struct vmt_recorded_part *part, struct list l, size_t i)
{
	return i < l.n ? vmt_field_number(part->id, l.rows + i * part->entity->row_size)
		       : UINT64_MAX;
}

/* Processes of the same number that are others are no change of one. */
static bool is_other(const struct vmt_recorded_part *part, const void *a, const void *b)
{
	return part->entity == &vmt_entity_proc &&
	       !vmt_recorded_same(&vmt_entity_proc.fields[VMT_FIELD_proc_start_time_ns], a, b);
}

/* One of the three lists of what is different in rows that are known by their numbers. */
static void put_changes(const struct vmt_sample_json *j, struct vmt_buf *out, size_t part,
			struct list now, struct list key, char which)
{
	const struct vmt_recorded_part *p = &j->parts[part];
	size_t size = p->entity->row_size, i = 0, k = 0;
	bool first = true;

	while (i < now.n || k < key.n) {
		uint64_t a = id_at(p, now, i), b = id_at(p, key, k);
		const char *row = now.rows + i * size, *base = key.rows + k * size;
		bool here = i < now.n && (k >= key.n || a <= b);
		bool there = k < key.n && (i >= now.n || b <= a);
		bool same = here && there && !is_other(p, row, base);

		if (which == 'c' && same) {
			put_row(j, out, part, row, base, 0, &first);
		} else if (which == 'n' && here && !same) {
			put_row(j, out, part, row, NULL, 0, &first);
		} else if (which == 'g' && there && !here) {
			if (p->id->type == VMT_TYPE_HEX)
				vmt_buf_addf(out, "%s\"0x%" PRIx64 "\"", first ? "" : ",", b);
			else
				vmt_buf_addf(out, "%s%" PRIu64, first ? "" : ",", b);
			first = false;
		}
		i += here;
		k += there;
	}
}

static void put_difference(const struct vmt_sample_json *j, struct vmt_buf *out, size_t part,
			   struct list now, struct list key)
{
	static const struct {
		char which;
		const char *name;
	} lists[] = { { 'c', "changed" }, { 'n', "new" }, { 'g', "gone" } };
	const struct vmt_recorded_part *p = &j->parts[part];
	size_t brace = out->len, i;
	bool first = true;

	if (!p->id) {
		vmt_buf_adds(out, "{\"changed\":[");
		for (i = 0; i < now.n; i++)
			put_row(j, out, part, now.rows + i * p->entity->row_size,
				key.rows + i * p->entity->row_size, i, &first);
		vmt_buf_adds(out, "]}");
		if (first && vmt_buf_error(out) == 0)
			out->len = brace;
		return;
	}
	for (i = 0; i < VMT_ARRAY_LEN(lists); i++) {
		size_t from = out->len, begin;

		vmt_buf_addf(out, "%c\"%s\":[", from == brace ? '{' : ',', lists[i].name);
		begin = out->len;
		put_changes(j, out, part, now, key, lists[i].which);
		if (vmt_buf_error(out) < 0)
			return;
		if (out->len == begin)
			out->len = from;
		else
			vmt_buf_addc(out, ']');
	}
	if (out->len != brace)
		vmt_buf_addc(out, '}');
}

/* The value of a part; nothing where there is nothing to say of it. */
static void put_part(const struct vmt_sample_json *j, struct vmt_buf *out, size_t part,
		     struct list now, const struct list *key)
{
	const struct vmt_recorded_part *p = &j->parts[part];
	bool first = true;

	if (p->single) {
		put_row(j, out, part, now.rows, key ? key->rows : NULL, 0, &first);
	} else if (!key || p->own) {
		if (now.n)
			put_all(j, out, part, now);
	} else if (p->id ? is_ordered(p, now) && is_ordered(p, *key) && key->n : now.n == key->n) {
		put_difference(j, out, part, now, *key);
	} else if (now.n || key->n) {
		put_all(j, out, part, now);
	}
}

/* A member "name": value, taken away again where the value turns out to be nothing. */
static size_t open_member(struct vmt_buf *out, const char *name, bool first)
{
	size_t from = out->len;

	vmt_buf_addf(out, "%s\"%s\":", first ? "" : ",", name);
	return from;
}

static bool close_member(struct vmt_buf *out, size_t from, size_t begin)
{
	if (vmt_buf_error(out) < 0 || out->len != begin)
		return true;
	out->len = from;
	return false;
}

static const struct vmt_proc_maps *maps_of(const struct vmt_sample *s, uint64_t pid)
{
	const struct vmt_proc *p = s && s->maps ? vmt_sample_proc(s, pid) : NULL;

	return p ? &s->maps[p - s->procs] : NULL;
}

/* Whether what there is of mappings is a list, be it not all that was asked for. */
static bool is_list(enum vmt_source_state state)
{
	return state == VMT_STATE_OK || state == VMT_STATE_PARTIAL;
}

/* "mappings": a member for each process of which there are some. Those that could not be read are
 * not gone. */
static void put_maps(const struct vmt_sample_json *j, struct vmt_buf *out,
		     const struct vmt_sample *s, const struct vmt_sample *key)
{
	bool first = true;
	size_t i;

	for (i = 0; s->maps && i < s->n_procs; i++) {
		const struct vmt_proc_maps *now = &s->maps[i], *was = maps_of(key, s->procs[i].pid);
		struct list a = { (const char *)now->maps, now->n_maps };
		struct list b = { was ? (const char *)was->maps : NULL, was ? was->n_maps : 0 };
		char name[32];
		size_t from, begin;

		if (!is_list(now->state))
			continue;
		snprintf(name, sizeof(name), "%" PRIu64, s->procs[i].pid);
		from = out->len;
		if (first)
			vmt_buf_addc(out, '{');
		open_member(out, name, first);
		begin = out->len;
		put_part(j, out, VMT_RECORDED_COUNT, a, key ? &b : NULL);
		if (close_member(out, from, begin))
			first = false;
	}
	if (!first)
		vmt_buf_addc(out, '}');
}

/* "mapping_status": how the mappings of a process were read, where that is something else than what
 * their list says, or the key sample. */
static void put_maps_status(struct vmt_buf *out, const struct vmt_sample *s,
			    const struct vmt_sample *key)
{
	bool first = true;
	size_t i;

	for (i = 0; (s->maps || (key && key->maps)) && i < s->n_procs; i++) {
		const struct vmt_proc_maps *was = maps_of(key, s->procs[i].pid);
		enum vmt_source_state now = s->maps ? s->maps[i].state : VMT_STATE_UNUSED,
				      known = was ? was->state : VMT_STATE_UNUSED;

		if (!key && s->maps[i].n_maps)
			known = VMT_STATE_OK;
		if (now == known)
			continue;
		vmt_buf_addf(out, "%c\"%" PRIu64 "\":\"%s\"", first ? '{' : ',', s->procs[i].pid,
			     vmt_source_state_name(now));
		first = false;
	}
	if (!first)
		vmt_buf_addc(out, '}');
}

static void put_text(struct vmt_buf *out, const char *name, const char *text)
{
	vmt_buf_addf(out, ",\"%s\":", name);
	vmt_json_quote(out, vmt_bytes_of(text));
}

static bool same_source(const struct vmt_source_stat *a, const struct vmt_source_stat *b)
{
	return a->state == b->state && a->error == b->error && a->denied == b->denied &&
	       a->gone == b->gone && a->timed_out == b->timed_out && a->skipped == b->skipped &&
	       a->failed == b->failed && strcmp(a->reason, b->reason) == 0 &&
	       strcmp(a->fix, b->fix) == 0;
}

static void put_source(struct vmt_buf *out, const struct vmt_source_stat *st)
{
	const struct {
		const char *name;
		uint64_t v;
	} counts[] = {
		{ "denied", st->denied },	{ "gone", st->gone },
		{ "timed_out", st->timed_out }, { "skipped", st->skipped },
		{ "failed", st->failed },
	};
	size_t i;

	vmt_buf_addf(out, "{\"status\":\"%s\"", vmt_source_state_name(st->state));
	for (i = 0; i < VMT_ARRAY_LEN(counts); i++)
		if (counts[i].v)
			vmt_buf_addf(out, ",\"%s\":%" PRIu64, counts[i].name, counts[i].v);
	if (st->reason[0])
		put_text(out, "reason", st->reason);
	if (st->fix[0])
		put_text(out, "fix", st->fix);
	vmt_buf_addc(out, '}');
}

/* How the sources were read, without what it cost. */
static void put_sources(struct vmt_buf *out, const struct vmt_sample *s,
			const struct vmt_sample *key)
{
	bool first = true;
	size_t i;

	for (i = VMT_SOURCE_NONE + 1; i < VMT_SOURCE_COUNT; i++) {
		if (key ? same_source(&s->sources[i], &key->sources[i])
			: s->sources[i].state == VMT_STATE_UNUSED)
			continue;
		vmt_buf_addf(out, "%c\"%s\":", first ? '{' : ',',
			     vmt_source_name((enum vmt_source_id)i));
		put_source(out, &s->sources[i]);
		first = false;
	}
	if (!first)
		vmt_buf_addc(out, '}');
}

static void put_time(struct vmt_buf *out, uint64_t realtime_ns)
{
	vmt_buf_adds(out, ",\"time\":\"");
	vmt_fmt_time(out, realtime_ns);
	vmt_buf_addc(out, '"');
}

/* Clocks are written to the microsecond: what lies behind that is when they were asked. */
static uint64_t micro(uint64_t ns)
{
	return ns - ns % 1000;
}

/* Clocks that are read one after the other are not further apart than before, for this much. */
#define CLOCK_NS 2000

/* Whether the other clocks have gone on by as much as the first one, since the key sample. */
static bool is_in_step(const struct vmt_host *h, const struct vmt_host *key)
{
	uint64_t since = micro(h->realtime_ns) - micro(key->realtime_ns);
	uint64_t least = since - CLOCK_NS, width = 2 * CLOCK_NS;

	return h->realtime_ns >= key->realtime_ns &&
	       micro(h->monotonic_ns) - micro(key->monotonic_ns) - least <= width &&
	       micro(h->boottime_ns) - micro(key->boottime_ns) - least <= width;
}

/* What every line about a moment begins with, in this order: who looks for samples alone reads no
 * further. key: of whose clocks the others are known; NULL: they are written. */
static void put_moment(struct vmt_buf *out, const char *type, const struct vmt_host *h,
		       const struct vmt_host *key)
{
	vmt_buf_addf(out, "{\"type\":\"%s\",\"realtime_ns\":%" PRIu64, type, micro(h->realtime_ns));
	if (!key || !is_in_step(h, key))
		vmt_buf_addf(out, ",\"monotonic_ns\":%" PRIu64 ",\"boottime_ns\":%" PRIu64,
			     micro(h->monotonic_ns), micro(h->boottime_ns));
}

/* How many processes there were, where that is another number than in the key sample. */
static void put_scan(struct vmt_buf *out, const struct vmt_sample *s, const struct vmt_sample *key)
{
	if (key && s->procs_seen == key->procs_seen && s->vanished == key->vanished &&
	    s->denied == key->denied && s->timed_out == key->timed_out &&
	    s->issues_dropped == key->issues_dropped)
		return;
	vmt_buf_addf(out,
		     ",\"scan\":{\"procs_seen\":%" PRIu64 ",\"vanished\":%" PRIu64
		     ",\"denied\":%" PRIu64 ",\"timed_out\":%" PRIu64 ",\"errors_dropped\":%" PRIu64
		     "}",
		     s->procs_seen, s->vanished, s->denied, s->timed_out, s->issues_dropped);
}

void vmt_sample_json_put(struct vmt_sample_json *j, struct vmt_buf *out, const struct vmt_sample *s,
			 const struct vmt_sample *key, uint64_t missed)
{
	size_t i, from, begin;
	bool first = true;

	j->page_size = s->host.page_size;
	j->own = 0;
	put_moment(out, "sample", &s->host, key ? &key->host : NULL);
	vmt_buf_addf(out, ",\"key_ns\":%" PRIu64, micro((key ? key : s)->host.monotonic_ns));
	if (!key)
		put_time(out, s->host.realtime_ns);
	vmt_buf_addf(out, ",\"took_ns\":%" PRIu64 ",\"missed_total\":%" PRIu64,
		     micro(s->host.took_ns), missed);
	put_scan(out, s, key);
	vmt_buf_adds(out, ",\"data\":{");
	for (i = 0; i < VMT_RECORDED_COUNT; i++) {
		const void *rows, *key_rows = NULL;
		struct list now, was;

		now.n = vmt_recorded_rows(s, (enum vmt_recorded_id)i, &rows);
		now.rows = rows;
		/* Where nobody looked for processes, none are gone. */
		if (i == VMT_RECORDED_PROCS && key &&
		    key->sources[VMT_SOURCE_PIDS].state != VMT_STATE_UNUSED &&
		    s->sources[VMT_SOURCE_PIDS].state == VMT_STATE_UNUSED)
			continue;
		was.n = key ? vmt_recorded_rows(key, (enum vmt_recorded_id)i, &key_rows) : 0;
		was.rows = key_rows;
		from = open_member(out, j->parts[i].key, first);
		begin = out->len;
		put_part(j, out, i, now, key ? &was : NULL);
		if (close_member(out, from, begin))
			first = false;
		if (j->parts[i].own)
			j->own += out->len - from;
	}
	from = open_member(out, j->parts[VMT_RECORDED_COUNT].key, first);
	begin = out->len;
	put_maps(j, out, s, key);
	if (close_member(out, from, begin))
		first = false;
	from = open_member(out, "mapping_status", first);
	begin = out->len;
	put_maps_status(out, s, key);
	close_member(out, from, begin);
	vmt_buf_addc(out, '}');
	from = open_member(out, "sources", false);
	begin = out->len;
	put_sources(out, s, key);
	close_member(out, from, begin);
	vmt_buf_adds(out, "}\n");
}

size_t vmt_sample_json_own(const struct vmt_sample_json *j)
{
	return j->own;
}

static void text_or_null(struct vmt_buf *out, const char *name, struct vmt_bytes text)
{
	vmt_buf_addf(out, ",\"%s\":", name);
	if (text.len)
		vmt_json_quote(out, text);
	else
		vmt_buf_adds(out, "null");
}

static void number_or_null(struct vmt_buf *out, const char *name, uint64_t v)
{
	vmt_buf_addf(out, ",\"%s\":", name);
	if (v)
		vmt_buf_addu(out, v);
	else
		vmt_buf_adds(out, "null");
}

void vmt_sample_json_header(struct vmt_buf *out, const struct vmt_sample *s, const char *version,
			    uint64_t interval_ns)
{
	const struct vmt_host *h = &s->host;

	vmt_buf_addf(out,
		     "{\"type\":\"header\",\"schema\":\"vmtop.recording\",\"version\":%d,"
		     "\"minor\":%d,\"vmtop\":\"%s\"",
		     VMT_RECORDING_VERSION, VMT_RECORDING_MINOR, version);
	put_time(out, h->realtime_ns);
	text_or_null(out, "boot_id", h->boot_id);
	number_or_null(out, "interval_ns", interval_ns);
	vmt_buf_adds(out, ",\"host\":{\"system\":\"Linux\"");
	text_or_null(out, "release", h->release);
	text_or_null(out, "machine", h->machine);
	number_or_null(out, "page_size_bytes", h->page_size);
	number_or_null(out, "user_hz", h->user_hz);
	number_or_null(out, "cpus", h->cpus);
	number_or_null(out, "max_map_count", h->max_map_count);
	vmt_buf_adds(out, ",\"euid\":");
	if (h->euid != VMT_EUID_UNKNOWN)
		vmt_buf_addu(out, h->euid);
	else
		vmt_buf_adds(out, "null");
	vmt_buf_adds(out, "}}\n");
}

void vmt_sample_json_gap(struct vmt_buf *out, const struct vmt_sample *s, const char *reason,
			 int64_t duration_ns)
{
	put_moment(out, "gap", &s->host, NULL);
	put_time(out, s->host.realtime_ns);
	put_text(out, "reason", reason);
	vmt_buf_addf(out, ",\"duration_ns\":%" PRId64 "}\n", duration_ns);
}

void vmt_sample_json_end(struct vmt_buf *out, uint64_t realtime_ns, const char *reason,
			 uint64_t samples, uint64_t missed)
{
	vmt_buf_addf(out, "{\"type\":\"end\",\"realtime_ns\":%" PRIu64, realtime_ns);
	put_time(out, realtime_ns);
	put_text(out, "reason", reason);
	vmt_buf_addf(out, ",\"samples_total\":%" PRIu64 ",\"missed_total\":%" PRIu64 "}\n", samples,
		     missed);
}
