/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>

#include "base/parse.h"
#include "model/recorded.h"
#include "source/recording-private.h"
#include "source/row-parse.h"

/* Bytes of the rows that a line adds to a sample: what is in a line that can be parsed is less,
 * where vmtop has written it. */
#define ROWS_BYTES ((size_t)64 << 20)

static inline void put_object(struct json_object **o)
{
	json_object_put(*o);
}
#define AUTO_OBJECT VMT_CLEANUP(put_object) struct json_object *

static int parse_object(struct vmt_bytes text, struct json_object **ret, struct vmt_err *err)
{
	AUTO_OBJECT o = NULL;
	int r = vmt_json_parse(text, &o, err);

	if (r == -ENOMEM)
		return r;
	if (r < 0 || !json_object_is_type(o, json_type_object))
		return r < 0 ? -EBADMSG
			     : vmt_err_set(err, -EBADMSG, NULL, 0, "a line is no JSON object");
	*ret = VMT_STEAL(o);
	return 0;
}

static struct json_object *member(struct json_object *o, const char *name)
{
	struct json_object *v = NULL;

	return o && json_object_is_type(o, json_type_object) &&
			       json_object_object_get_ex(o, name, &v)
		       ? v
		       : NULL;
}

/* A whole number that is not negative. */
static bool number(struct json_object *o, const char *name, uint64_t *ret)
{
	struct json_object *v = member(o, name);

	if (!v || !json_object_is_type(v, json_type_int))
		return false;
	/* It takes a negative one for 0. */
	if (json_object_get_int64(v) < 0)
		return false;
	*ret = json_object_get_uint64(v);
	return true;
}

static struct vmt_bytes string(struct json_object *o, const char *name)
{
	struct json_object *v = member(o, name);

	if (!v || !json_object_is_type(v, json_type_string))
		return (struct vmt_bytes){ 0 };
	return (struct vmt_bytes){ json_object_get_string(v),
				   (size_t)json_object_get_string_len(v) };
}

static bool take_word(struct vmt_bytes *cur, const char *word)
{
	size_t n = strlen(word);

	if (cur->len < n || memcmp(cur->ptr, word, n) != 0)
		return false;
	cur->ptr += n;
	cur->len -= n;
	return true;
}

/* The beginning of a sample as vmtop writes it: of most lines, nothing else is read at first. */
static bool quick_sample(struct vmt_bytes text, struct vmt_recorded_line *l)
{
	const struct {
		const char *word;
		uint64_t *to;
		bool optional; /* both of them or none */
	} members[] = {
		{ "{\"type\":\"sample\",\"realtime_ns\":", &l->realtime_ns, false },
		{ ",\"monotonic_ns\":", &l->monotonic_ns, true },
		{ ",\"boottime_ns\":", &l->boottime_ns, true },
		{ ",\"key_ns\":", &l->key_ns, false },
	};
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(members); i++) {
		if (!take_word(&text, members[i].word)) {
			if (members[i].optional)
				continue;
			return false;
		}
		if (vmt_take_u64(&text, members[i].to) < 0)
			return false;
	}
	if (!l->monotonic_ns != !l->boottime_ns)
		return false;
	l->type = VMT_LINE_SAMPLE;
	/* The line is whole. */
	return text.len > 1 && text.ptr[0] == ',' && text.ptr[text.len - 1] == '}';
}

int vmt_recorded_line(struct vmt_bytes text, struct vmt_recorded_line *ret)
{
	static const char *const types[] = {
		[VMT_LINE_HEADER] = "header",
		[VMT_LINE_SAMPLE] = "sample",
		[VMT_LINE_GAP] = "gap",
		[VMT_LINE_END] = "end",
	};
	AUTO_OBJECT o = NULL;
	struct json_object *v;
	struct vmt_bytes type, reason;
	size_t i;
	int r;

	*ret = (struct vmt_recorded_line){ 0 };
	if (quick_sample(text, ret))
		return 0;
	*ret = (struct vmt_recorded_line){ 0 };
	r = parse_object(text, &o, NULL);
	if (r < 0)
		return r;
	type = string(o, "type");
	for (i = VMT_LINE_HEADER; i < VMT_ARRAY_LEN(types); i++)
		if (vmt_bytes_is(type, types[i]))
			ret->type = (enum vmt_recorded_type)i;
	if (ret->type == VMT_LINE_OTHER || ret->type == VMT_LINE_HEADER)
		return type.len ? 0 : -EBADMSG;
	if (!number(o, "realtime_ns", &ret->realtime_ns))
		return -EBADMSG;
	number(o, "monotonic_ns", &ret->monotonic_ns);
	number(o, "boottime_ns", &ret->boottime_ns);
	if (ret->type == VMT_LINE_SAMPLE && (!number(o, "key_ns", &ret->key_ns) || !ret->key_ns))
		return -EBADMSG;
	v = member(o, "duration_ns");
	ret->duration_ns = v ? json_object_get_int64(v) : 0;
	reason = string(o, "reason");
	if (reason.len >= sizeof(ret->reason))
		reason.len = sizeof(ret->reason) - 1;
	if (reason.len)
		memcpy(ret->reason, reason.ptr, reason.len);
	return 0;
}

static int keep(struct vmt_arena *arena, struct json_object *o, const char *name,
		struct vmt_bytes *ret)
{
	return vmt_bytes_keep(arena, string(o, name), NULL, ret);
}

int vmt_recorded_head(struct vmt_bytes text, struct vmt_arena *arena, struct vmt_recorded_head *ret)
{
	AUTO_OBJECT o = NULL;
	struct json_object *host;
	struct vmt_host *h = &ret->host;
	int r = parse_object(text, &o, NULL);

	if (r < 0)
		return r;
	*ret = (struct vmt_recorded_head){ .host.euid = VMT_EUID_UNKNOWN };
	host = member(o, "host");
	if (!vmt_bytes_is(string(o, "schema"), "vmtop.recording") ||
	    !number(o, "version", &ret->version) || !host)
		return -EBADMSG;
	number(o, "interval_ns", &ret->interval_ns);
	number(host, "page_size_bytes", &h->page_size);
	number(host, "user_hz", &h->user_hz);
	number(host, "cpus", &h->cpus);
	number(host, "max_map_count", &h->max_map_count);
	number(host, "euid", &h->euid);
	/* It is divided by, and sums are made of it. */
	if (ret->version == VMT_RECORDING_VERSION &&
	    (h->page_size < 512 || h->page_size > UINT64_C(1) << 30 ||
	     h->page_size & (h->page_size - 1)))
		return -EBADMSG;
	if (keep(arena, o, "boot_id", &h->boot_id) < 0 ||
	    keep(arena, host, "release", &h->release) < 0 ||
	    keep(arena, host, "machine", &h->machine) < 0)
		return -ENOMEM;
	return 0;
}

struct reader {
	struct vmt_sample *s;
	struct vmt_err *err;
	bool changes; /* there is a key sample, of which s was made */
	size_t *left; /* of ROWS_BYTES */
	void *said; /* a row of the part that is read, for one that has changed */
};

static int broken(const struct reader *rd, const char *what)
{
	return vmt_err_set(rd->err, -EBADMSG, NULL, 0, "%s", what);
}

static int parse_row(const struct reader *rd, const struct vmt_recorded_part *p,
		     struct json_object *o, void *row)
{
	int r;

	if (!json_object_is_type(o, json_type_object))
		return broken(rd, "a row is no object");
	r = vmt_row_parse(p->entity, o, &rd->s->arena, row, NULL, rd->err);
	return r < 0 && r != -ENOMEM ? -EBADMSG : r;
}

/* The members of o that are in larger units. */
static int read_brief(const struct reader *rd, const struct vmt_recorded_part *p,
		      struct json_object *o, void *row)
{
	json_object_object_foreach(o, name, v)
	{
		uint64_t unit, n;
		const struct vmt_field *f =
			vmt_recorded_brief(p->entity, name, rd->s->host.page_size, &unit);

		if (!f)
			continue;
		if (!number(o, name, &n) || __builtin_mul_overflow(n, unit, &n))
			return broken(rd, "a number of units is none");
		*(uint64_t *)(void *)((char *)row + f->offset) = n;
		vmt_row_mark(row, f->index);
		(void)v;
	}
	return 0;
}

/* What o says in place of what row has. Of a group all is said that o has of it. */
static int change_row(const struct reader *rd, const struct vmt_recorded_part *p,
		      struct json_object *o, void *row)
{
	void *said = rd->said;
	size_t i;
	int r;

	memset(said, 0, p->entity->row_size);
	r = parse_row(rd, p, o, said);
	for (i = 0; r == 0 && i < p->entity->n_fields; i++) {
		const struct vmt_field *f = &p->entity->fields[i];

		if (!json_object_object_get_ex(o, f->group ? f->group : f->name, NULL))
			continue;
		if (vmt_row_has(said, f->index))
			vmt_field_copy(f, row, said);
		else
			vmt_row_unmark(row, f->index);
	}
	return r == 0 ? read_brief(rd, p, o, row) : r;
}

/* Rows of a part, on their way into a sample. */
struct list {
	char *rows;
	size_t n;
};

static char *row_at(const struct vmt_recorded_part *p, struct list l, size_t i)
{
	return l.rows + i * p->entity->row_size;
}

/* Room for n rows. */
static int more_rows(const struct reader *rd, const struct vmt_recorded_part *p, size_t n,
		     char **ret)
{
	size_t size = p->entity->row_size;

	if (n >= *rd->left / size)
		return broken(rd, "a list is too long");
	*rd->left -= n * size;
	*ret = vmt_arena_alloc(&rd->s->arena, n + 1, size);
	return *ret ? 0 : -ENOMEM;
}

static int read_all(const struct reader *rd, const struct vmt_recorded_part *p,
		    struct json_object *array, struct list *ret)
{
	size_t n = json_object_array_length(array), i;
	struct list l = { NULL, n };
	int r = more_rows(rd, p, n, &l.rows);

	for (i = 0; r == 0 && i < n; i++)
		r = parse_row(rd, p, json_object_array_get_idx(array, i), row_at(p, l, i));
	*ret = l;
	return r;
}

/* The row that a changed one is known by, or NULL. */
static char *find_row(const struct vmt_recorded_part *p, struct list l, struct json_object *o)
{
	size_t lo = 0, hi = l.n;
	struct vmt_bytes text;
	uint64_t id;

	if (!p->id)
		return number(o, "row", &id) && id < l.n ? row_at(p, l, id) : NULL;
	text = string(o, p->id->name);
	if (p->id->type != VMT_TYPE_HEX) {
		if (!number(o, p->id->name, &id))
			return NULL;
	} else if (!take_word(&text, "0x") || vmt_take_hex(&text, &id) < 0 || text.len) {
		return NULL;
	}
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (vmt_field_number(p->id, row_at(p, l, mid)) < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < l.n && vmt_field_number(p->id, row_at(p, l, lo)) == id ? row_at(p, l, lo)
									   : NULL;
}

static struct json_object *list_of(struct json_object *o, const char *name)
{
	struct json_object *v = member(o, name);

	return v && json_object_is_type(v, json_type_array) ? v : NULL;
}

/* Rows that went are the ones whose number is said, as a member of an object of its own. */
static int drop_rows(const struct reader *rd, const struct vmt_recorded_part *p,
		     struct json_object *gone, struct list *l)
{
	size_t n = json_object_array_length(gone), size = p->entity->row_size, i, k = 0;
	VMT_AUTO_FREE bool *drop = calloc(l->n ? l->n : 1, sizeof(*drop));

	if (!drop)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		AUTO_OBJECT o = json_object_new_object();
		struct json_object *id = json_object_array_get_idx(gone, i);
		char *row;

		if (!o || json_object_object_add(o, p->id->name, json_object_get(id)) < 0)
			return -ENOMEM;
		row = find_row(p, *l, o);
		if (!row)
			return broken(rd, "a row is gone that was not there");
		drop[(size_t)(row - l->rows) / size] = true;
	}
	for (i = 0; i < l->n; i++)
		if (!drop[i])
			memmove(row_at(p, *l, k++), row_at(p, *l, i), size);
	l->n = k;
	return 0;
}

/* Puts those that are new where their numbers belong, in the place of one with the same. */
static int add_rows(const struct reader *rd, const struct vmt_recorded_part *p,
		    struct json_object *fresh, struct list *l)
{
	size_t size = p->entity->row_size, i = 0, k = 0;
	struct list more, all = { 0 };
	int r = read_all(rd, p, fresh, &more);

	if (r < 0)
		return r;
	r = more_rows(rd, p, l->n + more.n, &all.rows);
	if (r < 0)
		return r;
	while (i < l->n || k < more.n) {
		uint64_t a = i < l->n ? vmt_field_number(p->id, row_at(p, *l, i)) : UINT64_MAX;
		uint64_t b = k < more.n ? vmt_field_number(p->id, row_at(p, more, k)) : UINT64_MAX;
		bool old = k >= more.n || (i < l->n && a < b);

		memcpy(row_at(p, all, all.n++), old ? row_at(p, *l, i) : row_at(p, more, k), size);
		if (!old && i < l->n && a == b)
			i++;
		i += old;
		k += !old;
	}
	*l = all;
	return 0;
}

/* Those that are known by numbers are in their order: others look them up. */
static bool is_ordered(const struct vmt_recorded_part *p, struct list l)
{
	size_t i;

	for (i = 0; p->id && i < l.n; i++)
		if (!vmt_row_has((const void *)row_at(p, l, i), p->id->index) ||
		    (i && vmt_field_number(p->id, row_at(p, l, i)) <=
				  vmt_field_number(p->id, row_at(p, l, i - 1))))
			return false;
	return true;
}

/* What v says of a part: all of its rows, or how they differ from those of l, which are copies that
 * may be changed. */
static int read_part(struct reader *rd, const struct vmt_recorded_part *p, struct json_object *v,
		     struct list *l)
{
	struct json_object *changed, *gone, *fresh;
	size_t n, i;
	int r = 0;

	rd->said = vmt_arena_alloc(&rd->s->arena, 1, p->entity->row_size);
	if (!rd->said)
		return -ENOMEM;
	if (json_object_is_type(v, json_type_array) && !p->single) {
		r = read_all(rd, p, v, l);
	} else if (p->single) {
		r = json_object_is_type(v, json_type_object) && l->n
			    ? change_row(rd, p, v, l->rows)
			    : broken(rd, "a row is no object");
	} else if (!rd->changes || p->own || !json_object_is_type(v, json_type_object)) {
		r = broken(rd, "a list is none");
	} else {
		changed = list_of(v, "changed");
		gone = p->id ? list_of(v, "gone") : NULL;
		fresh = p->id ? list_of(v, "new") : NULL;
		n = changed ? json_object_array_length(changed) : 0;
		for (i = 0; r == 0 && i < n; i++) {
			struct json_object *o = json_object_array_get_idx(changed, i);
			char *row = find_row(p, *l, o);

			r = row ? change_row(rd, p, o, row)
				: broken(rd, "a row has changed that was not there");
		}
		if (r == 0 && gone)
			r = drop_rows(rd, p, gone, l);
		if (r == 0 && fresh)
			r = add_rows(rd, p, fresh, l);
	}
	if (r == 0 && !is_ordered(p, *l))
		r = broken(rd, "rows are not in their order");
	return r;
}

static int read_parts(struct reader *rd, struct json_object *data)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < VMT_RECORDED_COUNT; i++) {
		enum vmt_recorded_id id = (enum vmt_recorded_id)i;
		const struct vmt_recorded_part p = vmt_recorded_part(id);
		struct json_object *v = member(data, p.key);
		const void *rows;
		struct list l;

		if (!v && !p.own)
			continue;
		/* Those of the key sample are none of this one. */
		if (p.own) {
			r = vmt_recorded_set(rd->s, id, NULL, 0);
			if (!v || r < 0)
				continue;
		}
		l.n = vmt_recorded_rows(rd->s, id, &rows);
		/* A copy, which nobody else has. */
		r = more_rows(rd, &p, l.n, &l.rows);
		if (r < 0)
			return r;
		if (l.n)
			memcpy(l.rows, rows, l.n * p.entity->row_size);
		r = read_part(rd, &p, v, &l);
		if (r == 0)
			r = vmt_recorded_set(rd->s, id, l.rows, l.n);
	}
	return r;
}

/* The processes are others than they were: each keeps its mappings. */
static int move_maps(const struct reader *rd, const struct vmt_proc *old, size_t n_old,
		     const struct vmt_proc_maps *maps)
{
	struct vmt_sample *s = rd->s;
	size_t i, k = 0;

	s->maps = vmt_arena_alloc(&s->arena, s->n_procs + 1, sizeof(*s->maps));
	if (!s->maps)
		return -ENOMEM;
	for (i = 0; maps && i < s->n_procs; i++) {
		while (k < n_old && old[k].pid < s->procs[i].pid)
			k++;
		if (k < n_old && old[k].pid == s->procs[i].pid)
			s->maps[i] = maps[k];
	}
	return 0;
}

static int read_maps(struct reader *rd, struct json_object *v)
{
	const struct vmt_recorded_part p = vmt_recorded_maps();
	struct vmt_sample *s = rd->s;
	size_t i;
	int r = 0;

	if (!json_object_is_type(v, json_type_object))
		return broken(rd, "mappings are none");
	for (i = 0; r == 0 && i < s->n_procs; i++) {
		struct vmt_proc_maps *pm = &s->maps[i];
		struct list l = { (char *)pm->maps, pm->n_maps };
		struct json_object *of;
		char name[32];

		snprintf(name, sizeof(name), "%" PRIu64, s->procs[i].pid);
		of = member(v, name);
		if (!of)
			continue;
		r = read_part(rd, &p, of, &l);
		pm->maps = (struct vmt_map *)(void *)l.rows;
		pm->n_maps = l.n;
		if (pm->state == VMT_STATE_UNUSED)
			pm->state = VMT_STATE_OK;
		pm->answered = true;
	}
	return r;
}

/* A state by its name; false where that is none. */
static bool state_of(struct vmt_bytes name, enum vmt_source_state *ret)
{
	int i;

	for (i = VMT_STATE_UNUSED; i <= VMT_STATE_SKIPPED; i++) {
		*ret = (enum vmt_source_state)i;
		if (vmt_bytes_is(name, vmt_source_state_name(*ret)))
			return true;
	}
	return false;
}

/* How mappings were read. Of a process of which that failed nothing is known. */
static int read_maps_status(const struct reader *rd, struct json_object *v)
{
	struct vmt_sample *s = rd->s;
	size_t i;

	if (!json_object_is_type(v, json_type_object))
		return broken(rd, "the status of mappings is none");
	for (i = 0; i < s->n_procs; i++) {
		struct vmt_proc_maps *pm = &s->maps[i];
		char name[32];

		snprintf(name, sizeof(name), "%" PRIu64, s->procs[i].pid);
		if (!member(v, name))
			continue;
		if (!state_of(string(v, name), &pm->state))
			return broken(rd, "mappings have no status");
		if (pm->state != VMT_STATE_OK && pm->state != VMT_STATE_PARTIAL)
			*pm = (struct vmt_proc_maps){ .state = pm->state };
	}
	return 0;
}

static void copy_text(char *to, size_t size, struct vmt_bytes text)
{
	size_t i, n = text.len < size ? text.len : size - 1;

	for (i = 0; i < n; i++)
		to[i] = text.ptr[i];
	to[n] = 0;
}

static int read_source(const struct reader *rd, const char *name, struct json_object *o)
{
	struct vmt_bytes status = string(o, "status");
	struct vmt_source_stat *st, now = { 0 };
	size_t i;

	for (i = VMT_SOURCE_NONE + 1; i < VMT_SOURCE_COUNT; i++)
		if (strcmp(vmt_source_name((enum vmt_source_id)i), name) == 0)
			break;
	/* One of a newer version. */
	if (i == VMT_SOURCE_COUNT)
		return 0;
	st = &rd->s->sources[i];
	if (!state_of(status, &now.state))
		return broken(rd, "a source has no status");
	number(o, "denied", &now.denied);
	number(o, "gone", &now.gone);
	number(o, "timed_out", &now.timed_out);
	number(o, "skipped", &now.skipped);
	number(o, "failed", &now.failed);
	copy_text(now.reason, sizeof(now.reason), string(o, "reason"));
	copy_text(now.fix, sizeof(now.fix), string(o, "fix"));
	*st = now;
	return 0;
}

/* What was not asked for when it was recorded cannot be had now. */
static void finish_sources(struct vmt_sample *s)
{
	size_t i;

	for (i = VMT_SOURCE_NONE + 1; i < VMT_SOURCE_COUNT; i++) {
		struct vmt_source_stat *st = &s->sources[i];

		st->cost_unknown = true;
		if (st->state != VMT_STATE_UNUSED)
			continue;
		st->state = VMT_STATE_ABSENT;
		snprintf(st->reason, sizeof(st->reason), "not recorded");
	}
}

static void read_counts(struct vmt_sample *s, struct json_object *o)
{
	struct json_object *scan = member(o, "scan");

	number(o, "took_ns", &s->host.took_ns);
	number(scan, "procs_seen", &s->procs_seen);
	number(scan, "vanished", &s->vanished);
	number(scan, "denied", &s->denied);
	number(scan, "timed_out", &s->timed_out);
	number(scan, "errors_dropped", &s->issues_dropped);
}

int vmt_recorded_sample(struct vmt_bytes text, const struct vmt_sample *key,
			struct vmt_sample **ret, struct vmt_err *err)
{
	VMT_AUTO_SAMPLE s = NULL;
	AUTO_OBJECT o = NULL;
	struct json_object *data, *maps, *status, *sources;
	size_t left = ROWS_BYTES;
	struct reader rd = { .err = err, .changes = key, .left = &left };
	const struct vmt_proc_maps *old_maps;
	const struct vmt_proc *old;
	size_t n_old;
	int r = parse_object(text, &o, err);

	if (r == 0 && key)
		r = vmt_recorded_copy(key, &s);
	else if (r == 0 && !(s = vmt_sample_new()))
		r = -ENOMEM;
	if (r < 0)
		return r;
	rd.s = s;
	read_counts(s, o);
	data = member(o, "data");
	old = s->procs;
	n_old = s->n_procs;
	old_maps = s->maps;
	if (!data)
		return broken(&rd, "a sample has no data");
	r = read_parts(&rd, data);
	maps = member(data, vmt_recorded_maps().key);
	status = member(data, "mapping_status");
	if (r == 0 && (maps || status || old_maps))
		r = move_maps(&rd, old, n_old, old_maps);
	if (r == 0 && maps)
		r = read_maps(&rd, maps);
	if (r == 0 && status)
		r = read_maps_status(&rd, status);
	sources = member(o, "sources");
	if (r == 0 && sources && json_object_is_type(sources, json_type_object)) {
		json_object_object_foreach(sources, name, v)
		{
			r = read_source(&rd, name, v);
			if (r < 0)
				break;
		}
	}
	if (r < 0)
		return r;
	/* Those of the key sample, which are not those of this moment. */
	if (s->sources[VMT_SOURCE_PIDS].state == VMT_STATE_UNUSED && key) {
		s->n_procs = 0;
		s->maps = NULL;
	}
	finish_sources(s);
	*ret = VMT_STEAL(s);
	return 0;
}
