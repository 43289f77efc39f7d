/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/document.h"

#include <json-c/json.h>

#include "base/parse.h"
#include "source/document-split.h"
#include "source/row-parse.h"

#define VERSION 1 /* of documents that this reader understands */
#define PIECE	((size_t)65536)

/* Rows of one sample. */
struct rows {
	struct vmt_proc *procs;
	size_t n_procs, cap_procs;
	struct vmt_map *maps;
	size_t n_maps, cap_maps;
	struct vmt_system system;
	bool has_system, has_procs, has_maps;
	/* Of the sample, where it has its own. */
	struct vmt_bytes time;
	uint64_t realtime_ns;
};

struct reader {
	const char *path;
	struct vmt_err *err;
	struct vmt_document *doc;
	struct vmt_sample *s;
	struct rows rows;
	struct rows before; /* of a stream: the sample before, which is whole */
	bool has_before;
	bool version_known;
	bool ended; /* its last line, or its last brace, was read */
	unsigned line; /* of the stream; 0 in a document */
};

static int refuse(const struct reader *rd, int code, const char *why)
{
	return vmt_err_set(rd->err, code, rd->path, rd->line, "%s", why);
}

static int no_memory(const struct reader *rd)
{
	return refuse(rd, -ENOMEM, "no memory");
}

static void rows_clear(struct rows *rows)
{
	free(rows->procs);
	free(rows->maps);
	*rows = (struct rows){ 0 };
}

/* The envelope. */

static int keep_text(struct reader *rd, struct json_object *o, struct vmt_bytes *ret)
{
	struct vmt_bytes text;

	if (!json_object_is_type(o, json_type_string))
		return 0;
	text = (struct vmt_bytes){ json_object_get_string(o),
				   (size_t)json_object_get_string_len(o) };
	return vmt_bytes_keep(&rd->s->arena, text, NULL, ret) < 0 ? no_memory(rd) : 0;
}

static void keep_number(struct json_object *o, uint64_t *ret)
{
	if (json_object_is_type(o, json_type_int) && json_object_get_int64(o) >= 0)
		*ret = json_object_get_uint64(o);
}

/* "2026-01-31T23:59:59.999Z", as base/fmt.h writes it; 0 where it is none. */
static uint64_t time_of(struct vmt_bytes text)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ";
	static const uint64_t days_before[] = { 0,   31,  59,  90,  120, 151,
						181, 212, 243, 273, 304, 334 };
	uint64_t v[7] = { 0 }, days, leaps;
	size_t i, part = 0;

	if (text.len != sizeof(form) - 1)
		return 0;
	for (i = 0; i < text.len; i++) {
		if (form[i] != 'd') {
			if (text.ptr[i] != form[i])
				return 0;
			part++;
		} else if (!vmt_is_digit(text.ptr[i])) {
			return 0;
		} else {
			v[part] = 10 * v[part] + (uint64_t)(text.ptr[i] - '0');
		}
	}
	if (v[0] < 1970 || v[1] < 1 || v[1] > 12 || v[2] < 1 || v[2] > 31 || v[3] > 23 ||
	    v[4] > 59 || v[5] > 60)
		return 0;
	/* Leap days before this month. */
	leaps = v[0] - (v[1] < 3);
	leaps = leaps / 4 - leaps / 100 + leaps / 400 - (1969 / 4 - 1969 / 100 + 1969 / 400);
	days = (v[0] - 1970) * 365 + leaps + days_before[v[1] - 1] + v[2] - 1;
	return ((days * 24 + v[3]) * 60 + v[4]) * UINT64_C(60000000000) +
	       v[5] * UINT64_C(1000000000) + v[6] * UINT64_C(1000000);
}

static int read_host(struct reader *rd, struct json_object *o)
{
	struct vmt_host *h = &rd->s->host;
	int r;

	if (!json_object_is_type(o, json_type_object))
		return refuse(rd, -EBADMSG, "host: is no object");
	keep_number(json_object_object_get(o, "page_size_bytes"), &h->page_size);
	keep_number(json_object_object_get(o, "cpus"), &h->cpus);
	keep_number(json_object_object_get(o, "euid"), &h->euid);
	r = keep_text(rd, json_object_object_get(o, "release"), &h->release);
	if (r == 0)
		r = keep_text(rd, json_object_object_get(o, "machine"), &h->machine);
	if (r == 0)
		r = keep_text(rd, json_object_object_get(o, "root"), &h->root);
	return r;
}

static int check_version(struct reader *rd, struct json_object *o)
{
	if (!json_object_is_type(o, json_type_int))
		return refuse(rd, -EBADMSG, "version: is no number");
	if (json_object_get_int64(o) != VERSION)
		return vmt_err_set(rd->err, -EPROTONOSUPPORT, rd->path, rd->line,
				   "a document of version %lld; this vmtop understands version %d",
				   (long long)json_object_get_int64(o), VERSION);
	rd->version_known = true;
	return 0;
}

static int check_schema(struct reader *rd, struct json_object *o)
{
	int r = keep_text(rd, o, &rd->doc->schema);

	if (r < 0)
		return r;
	if (!vmt_bytes_starts(rd->doc->schema, "vmtop."))
		return refuse(rd, -EBADMSG, "no document of vmtop: its schema is another one");
	if (vmt_bytes_is(rd->doc->schema, "vmtop.diff"))
		return refuse(rd, -EBADMSG, "is a comparison itself, and of no moment");
	return 0;
}

static int read_member(struct reader *rd, const char *key, struct json_object *o)
{
	int r = 0;

	if (strcmp(key, "schema") == 0)
		return check_schema(rd, o);
	if (strcmp(key, "version") == 0)
		return check_version(rd, o);
	if (strcmp(key, "host") == 0)
		return read_host(rd, o);
	if (strcmp(key, "vmtop") == 0)
		return keep_text(rd, o, &rd->doc->vmtop);
	if (strcmp(key, "boot_id") == 0)
		return keep_text(rd, o, &rd->s->host.boot_id);
	if (strcmp(key, "monotonic_ns") == 0)
		keep_number(o, &rd->s->host.monotonic_ns);
	if (strcmp(key, "time") == 0) {
		r = keep_text(rd, o, &rd->doc->time);
		rd->s->host.realtime_ns = time_of(rd->doc->time);
	}
	return r;
}

/* Rows. */

/* Texts that are those of the row before are not kept twice: thousands of mappings are of a few
 * files. */
static int keep_texts(struct reader *rd, const struct vmt_entity *e, void *row, const void *before)
{
	size_t i;

	for (i = 0; i < e->n_fields; i++) {
		const struct vmt_field *f = &e->fields[i];
		struct vmt_bytes *text = (struct vmt_bytes *)((char *)row + f->offset);

		if (!vmt_field_is_text(f) || !vmt_row_has(row, f->index))
			continue;
		if (vmt_bytes_keep(&rd->s->arena, *text,
				   before && vmt_row_has(before, f->index) ? vmt_field_at(f, before)
									   : NULL,
				   text) < 0)
			return no_memory(rd);
	}
	return 0;
}

static int parse_row(struct reader *rd, const struct vmt_entity *e, struct json_object *o,
		     void *row, const void *before)
{
	VMT_CLEANUP(vmt_arena_done) struct vmt_arena scratch = { 0 };
	struct vmt_err err = { 0 };
	int r = vmt_row_parse(e, o, &scratch, row, &rd->doc->unknown_keys, &err);

	if (r < 0)
		return vmt_err_set(rd->err, r == -ENOMEM ? r : -EBADMSG, rd->path, rd->line,
				   "%s: %s", e->name, err.text);
	return keep_texts(rd, e, row, before);
}

static bool is_too_much(const struct reader *rd)
{
	return rd->rows.n_maps * sizeof(*rd->rows.maps) +
		       rd->rows.n_procs * sizeof(*rd->rows.procs) + rd->s->arena.used >
	       VMT_DOCUMENT_MEMORY_MAX;
}

static int add_map(struct reader *rd, struct json_object *o)
{
	struct rows *rows = &rd->rows;
	struct vmt_map *m;
	int r;

	if (vmt_grow(&rows->maps, &rows->cap_maps, rows->n_maps + 1, sizeof(*m)) < 0)
		return no_memory(rd);
	m = &rows->maps[rows->n_maps];
	*m = (struct vmt_map){ 0 };
	r = parse_row(rd, &vmt_entity_map, o, m, rows->n_maps ? m - 1 : NULL);
	if (r < 0)
		return r;
	if (!VMT_HAS(map, pid, m) || !VMT_HAS(map, start, m) || !VMT_HAS(map, end, m))
		return refuse(rd, -EBADMSG,
			      "a mapping without pid, start or end: print it without -o");
	if (m->end <= m->start)
		return refuse(rd, -EBADMSG, "a mapping that ends before it begins");
	VMT_SET(map, size_bytes, m, m->end - m->start);
	rows->n_maps++;
	return 0;
}

static int add_proc(struct reader *rd, struct json_object *o)
{
	struct rows *rows = &rd->rows;
	struct vmt_proc *p;
	int r;

	if (vmt_grow(&rows->procs, &rows->cap_procs, rows->n_procs + 1, sizeof(*p)) < 0)
		return no_memory(rd);
	p = &rows->procs[rows->n_procs];
	*p = (struct vmt_proc){ 0 };
	r = parse_row(rd, &vmt_entity_proc, o, p, rows->n_procs ? p - 1 : NULL);
	if (r < 0)
		return r;
	if (!VMT_HAS(proc, pid, p))
		return refuse(rd, -EBADMSG, "a process without pid: print it without -o");
	rows->n_procs++;
	return 0;
}

/* A row of a section, or of a line of that type. o may be NULL. */
static int add_row(struct reader *rd, const char *section, struct json_object *o)
{
	if (is_too_much(rd))
		return refuse(rd, -E2BIG, "has more rows than there is memory for");
	if (strcmp(section, "maps") == 0 && o) {
		rd->rows.has_maps = true;
		return add_map(rd, o);
	}
	if (strcmp(section, "processes") == 0 && o) {
		rd->rows.has_procs = true;
		return add_proc(rd, o);
	}
	if (strcmp(section, "system") == 0 && o) {
		rd->rows.system = (struct vmt_system){ 0 };
		rd->rows.has_system = true;
		return parse_row(rd, &vmt_entity_system, o, &rd->rows.system, NULL);
	}
	return 0;
}

static bool is_read(const char *section)
{
	return strcmp(section, "maps") == 0 || strcmp(section, "processes") == 0 ||
	       strcmp(section, "system") == 0;
}

/* A document of one object. */

static int parse_piece(struct reader *rd, const char *what, struct vmt_bytes text,
		       struct json_object **ret)
{
	struct vmt_err err = { 0 };
	int r = vmt_json_parse(text, ret, &err);

	if (r < 0)
		r = vmt_err_set(rd->err, r == -ENOMEM ? r : -EBADMSG, rd->path, 0, "%s: %s", what,
				err.text);
	return r;
}

static int on_member(void *arg, const char *key, struct vmt_bytes text)
{
	static const char *const read[] = { "schema",  "version", "vmtop",	 "time",
					    "boot_id", "host",	  "monotonic_ns" };
	struct json_object *o = NULL;
	size_t i;
	int r = 0;

	for (i = 0; i < VMT_ARRAY_LEN(read); i++) {
		if (strcmp(key, read[i]) != 0)
			continue;
		r = parse_piece(arg, key, text, &o);
		if (r == 0)
			r = read_member(arg, key, o);
		json_object_put(o);
		break;
	}
	return r;
}

static int on_row(void *arg, const char *section, struct vmt_bytes text)
{
	struct json_object *o = NULL;
	int r = parse_piece(arg, section, text, &o);

	if (r == 0)
		r = add_row(arg, section, o);
	json_object_put(o);
	return r;
}

/* None of them is something that is known, too. */
static void on_rows(void *arg, const char *section)
{
	struct reader *rd = arg;

	if (strcmp(section, "maps") == 0)
		rd->rows.has_maps = true;
	if (strcmp(section, "processes") == 0)
		rd->rows.has_procs = true;
}

/* Streams: a line each. */

static int read_envelope(struct reader *rd, struct json_object *o)
{
	int r;

	json_object_object_foreach(o, key, value)
	{
		r = read_member(rd, key, value);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The rows so far are a whole sample; those of the next one follow. */
static int next_sample(struct reader *rd, struct json_object *o)
{
	if (rd->rows.has_procs || rd->rows.has_maps || rd->rows.has_system) {
		rows_clear(&rd->before);
		rd->rows.time = rd->doc->time;
		rd->rows.realtime_ns = rd->s->host.realtime_ns;
		rd->before = rd->rows;
		rd->rows = (struct rows){ 0 };
		rd->has_before = true;
	}
	return read_envelope(rd, o);
}

static int read_line(struct reader *rd, struct vmt_bytes line)
{
	static const struct {
		const char *type, *section;
	} sections[] = {
		{ "map", "maps" },
		{ "proc", "processes" },
		{ "system", "system" },
	};
	struct json_object *o = NULL;
	struct vmt_err err = { 0 };
	const char *type;
	size_t i;
	int r;

	rd->line++;
	if (rd->ended)
		return refuse(rd, -EBADMSG, "a line behind its last one");
	r = vmt_json_parse(line, &o, &err);
	if (r < 0)
		return vmt_err_set(rd->err, r == -ENOMEM ? r : -EBADMSG, rd->path, rd->line, "%s",
				   err.text);
	type = json_object_get_string(json_object_is_type(o, json_type_object)
					      ? json_object_object_get(o, "type")
					      : NULL);
	if (!type) {
		json_object_put(o);
		return refuse(rd, -EBADMSG, "a line without a type");
	}
	if (strcmp(type, "header") == 0)
		r = read_envelope(rd, o);
	else if (strcmp(type, "sample") == 0)
		r = next_sample(rd, o);
	rd->ended = strcmp(type, "end") == 0;
	for (i = 0; r == 0 && i < VMT_ARRAY_LEN(sections); i++) {
		if (strcmp(type, sections[i].type) != 0)
			continue;
		json_object_object_del(o, "type");
		r = add_row(rd, sections[i].section, o);
		break;
	}
	json_object_put(o);
	return r;
}

/* The file. */

/* Whether it is a stream: its first line is an object that has a type, wherever that stands in it.
 * A document may be one line, too, but none that is longer than a piece is the head of a stream. */
static bool is_stream(struct vmt_bytes head)
{
	struct json_object *o = NULL;
	struct vmt_bytes line = head;
	struct vmt_err err = { 0 };
	const char *end = memchr(head.ptr, '\n', head.len);
	bool found;

	if (end)
		line.len = (size_t)(end - head.ptr);
	if (!line.len || vmt_json_parse(line, &o, &err) < 0)
		return false;
	found = json_object_is_type(o, json_type_object) && json_object_object_get(o, "type");
	json_object_put(o);
	return found;
}

/* Bytes that were read; 0 at the end. */
static ssize_t read_piece(const struct reader *rd, int fd, char *piece)
{
	ssize_t n;

	do {
		n = read(fd, piece, PIECE);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return vmt_err_set(rd->err, -errno, rd->path, 0, "%s", strerror(errno));
	return n;
}

static int read_object(struct reader *rd, int fd, char *piece, ssize_t n)
{
	struct vmt_splitter sp = {
		.arg = rd, .member = on_member, .rows = on_rows, .is_read = is_read, .row = on_row
	};
	int r = 0;

	while (r == 0 && n > 0) {
		r = vmt_split(&sp, (struct vmt_bytes){ piece, (size_t)n });
		if (r == 0)
			n = read_piece(rd, fd, piece);
	}
	rd->ended = vmt_split_is_whole(&sp);
	vmt_split_done(&sp);
	if (r == VMT_SPLIT_BROKEN)
		return refuse(rd, -EBADMSG, "no JSON document of vmtop, or a broken one");
	if (r == VMT_SPLIT_TOO_LONG)
		return refuse(rd, -EBADMSG, "a row or key that is too long");
	return r < 0 ? r : n < 0 ? (int)n : 0;
}

static int read_stream(struct reader *rd, int fd, char *piece, ssize_t n)
{
	VMT_AUTO_BUF line = { 0 };
	int r = 0;

	while (r == 0 && n > 0) {
		struct vmt_bytes cur = { piece, (size_t)n };

		while (r == 0 && cur.len) {
			const char *end = memchr(cur.ptr, '\n', cur.len);
			size_t len = end ? (size_t)(end - cur.ptr) : cur.len;

			if (line.len + len > VMT_JSON_TEXT_MAX)
				return refuse(rd, -EBADMSG, "a line that is too long");
			vmt_buf_add(&line, cur.ptr, len);
			if (vmt_buf_error(&line) < 0)
				return no_memory(rd);
			cur.ptr += len + (end != NULL);
			cur.len -= len + (end != NULL);
			if (!end)
				continue;
			r = read_line(rd,
				      (struct vmt_bytes){ line.data ? line.data : "", line.len });
			vmt_buf_clear(&line);
		}
		if (r == 0)
			n = read_piece(rd, fd, piece);
	}
	if (r < 0)
		return r;
	if (n < 0)
		return (int)n;
	/* A line without its end is not whole. */
	if (line.len)
		rd->ended = false;
	rd->line = 0;
	return 0;
}

/* What was read, as a sample. */

static int by_pid(const void *l, const void *r)
{
	const struct vmt_proc *x = l, *y = r;

	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static int by_address(const void *l, const void *r)
{
	const struct vmt_map *x = l, *y = r;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return x->start < y->start ? -1 : x->start > y->start;
}

/* Processes of which there are mappings alone. maps are in order. */
static int add_nameless(struct reader *rd)
{
	struct rows *rows = &rd->rows;
	size_t n = rows->n_procs, i;

	for (i = 0; i < rows->n_maps; i++) {
		const struct vmt_proc key = { .pid = rows->maps[i].pid };

		if (i && rows->maps[i - 1].pid == key.pid)
			continue;
		if (n && bsearch(&key, rows->procs, n, sizeof(key), by_pid))
			continue;
		if (vmt_grow(&rows->procs, &rows->cap_procs, rows->n_procs + 1, sizeof(key)) < 0)
			return no_memory(rd);
		rows->procs[rows->n_procs] = (struct vmt_proc){ 0 };
		VMT_SET(proc, pid, &rows->procs[rows->n_procs], key.pid);
		rows->n_procs++;
	}
	if (rows->n_procs > n)
		qsort(rows->procs, rows->n_procs, sizeof(*rows->procs), by_pid);
	return 0;
}

/* Whether the list of mappings of a process, of which n are there, is all of it. */
static enum vmt_source_state state_of(const struct vmt_proc *p, size_t n)
{
	static const char *const halves[] = { "timed_out", "skipped", "gone",
					      "denied",	   "absent",  "failed" };
	size_t i;

	for (i = 0; VMT_HAS(proc, read_status, p) && i < VMT_ARRAY_LEN(halves); i++)
		if (vmt_bytes_is(p->read_status, halves[i]))
			return n ? VMT_STATE_PARTIAL : VMT_STATE_FAILED;
	/* A kernel thread and a zombie have none; of another one without any nothing is known. */
	if (n == 0 && !(VMT_HAS(proc, class, p) && !vmt_bytes_is(p->class, "user")))
		return VMT_STATE_SKIPPED;
	return VMT_STATE_OK;
}

static int check_order(const struct reader *rd)
{
	const struct rows *rows = &rd->rows;
	size_t i;

	for (i = 1; i < rows->n_procs; i++)
		if (rows->procs[i].pid == rows->procs[i - 1].pid)
			return refuse(rd, -EBADMSG, "a process that is there twice");
	for (i = 1; i < rows->n_maps; i++)
		if (rows->maps[i].pid == rows->maps[i - 1].pid &&
		    rows->maps[i].start < rows->maps[i - 1].end)
			return refuse(rd, -EBADMSG, "mappings of a process that overlap");
	return 0;
}

static int into_sample(struct reader *rd)
{
	struct rows *rows = &rd->rows;
	struct vmt_sample *s = rd->s;
	struct vmt_map *maps = NULL;
	size_t i, at = 0;
	int r;

	if (rows->n_procs)
		qsort(rows->procs, rows->n_procs, sizeof(*rows->procs), by_pid);
	if (rows->n_maps)
		qsort(rows->maps, rows->n_maps, sizeof(*rows->maps), by_address);
	r = add_nameless(rd);
	if (r == 0)
		r = check_order(rd);
	if (r < 0)
		return r;
	s->procs = vmt_arena_alloc(&s->arena, rows->n_procs + 1, sizeof(*s->procs));
	if (rows->has_maps) {
		s->maps = vmt_arena_alloc(&s->arena, rows->n_procs + 1, sizeof(*s->maps));
		maps = vmt_arena_alloc(&s->arena, rows->n_maps + 1, sizeof(*maps));
	}
	if (!s->procs || (rows->has_maps && (!s->maps || !maps)))
		return no_memory(rd);
	if (rows->n_procs)
		memcpy(s->procs, rows->procs, rows->n_procs * sizeof(*s->procs));
	s->n_procs = rows->n_procs;
	s->procs_seen = s->n_procs;
	if (rows->n_maps)
		memcpy(maps, rows->maps, rows->n_maps * sizeof(*maps));
	for (i = 0; maps && i < s->n_procs; i++) {
		size_t begin = at;

		while (at < rows->n_maps && maps[at].pid == s->procs[i].pid)
			at++;
		s->maps[i].maps = maps + begin;
		s->maps[i].n_maps = at - begin;
		s->maps[i].state = state_of(&s->procs[i], at - begin);
	}
	s->system = rows->system;
	if (rows->has_system)
		s->sources[VMT_SOURCE_MEMINFO].state = VMT_STATE_OK;
	rd->doc->has_system = rows->has_system;
	rd->doc->has_procs = rows->has_procs;
	rd->doc->has_maps = rows->has_maps;
	return 0;
}

static int finish(struct reader *rd)
{
	if (!rd->ended && rd->has_before) {
		rows_clear(&rd->rows);
		rd->rows = rd->before;
		rd->before = (struct rows){ 0 };
		rd->doc->time = rd->rows.time;
		rd->s->host.realtime_ns = rd->rows.realtime_ns;
		rd->doc->remark = "ends early: its last whole sample counts";
	} else if (!rd->ended) {
		return refuse(rd, -EBADMSG, "ends early");
	}
	if (!rd->doc->schema.len || !rd->version_known)
		return refuse(rd, -EBADMSG, "no document of vmtop: it has no schema and version");
	if (!rd->rows.has_procs && !rd->rows.has_maps && !rd->rows.has_system)
		return vmt_err_set(rd->err, -EBADMSG, rd->path, 0,
				   "%.*s: has neither the machine, nor processes, nor mappings",
				   (int)(rd->doc->schema.len < 40 ? rd->doc->schema.len : 40),
				   rd->doc->schema.ptr);
	return into_sample(rd);
}

int vmt_document_read(int fd, const char *path, struct vmt_document *ret, struct vmt_err *err)
{
	struct vmt_document doc = { 0 };
	struct reader rd = { .path = path, .err = err, .doc = &doc };
	VMT_AUTO_FREE char *piece = malloc(PIECE);
	VMT_AUTO_SAMPLE s = vmt_sample_new();
	ssize_t n;
	int r;

	rd.s = s;
	if (!piece || !s)
		return no_memory(&rd);
	s->host.euid = VMT_EUID_UNKNOWN;
	n = read_piece(&rd, fd, piece);
	if (n < 0)
		return (int)n;
	if (n == 0)
		return refuse(&rd, -EBADMSG, "is empty");
	if (is_stream((struct vmt_bytes){ piece, (size_t)n }))
		r = read_stream(&rd, fd, piece, n);
	else
		r = read_object(&rd, fd, piece, n);
	if (r == 0)
		r = finish(&rd);
	rows_clear(&rd.rows);
	rows_clear(&rd.before);
	if (r < 0)
		return r;
	doc.sample = VMT_STEAL(s);
	*ret = doc;
	return 0;
}

void vmt_document_done(struct vmt_document *d)
{
	vmt_sample_free(d->sample);
	*d = (struct vmt_document){ 0 };
}
