/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/fmt.h"
#include "model/recorded.h"
#include "source/recording-private.h"
#include "source/row-parse.h"

/* Bytes that are gone through for frames behind a broken one, or in what is none: of a large file
 * that is something else nobody waits for its end. */
#define SEARCH_MAX  (UINT64_C(256) << 20)
#define SEARCH_ZERO (UINT64_C(8) << 20)
/* Frames that begin and are none, as only who means harm has many. */
#define FALSE_STARTS_MAX 4096
#define REMARKS_MAX	 64

/* Behind the last whole frame, beside one that was not finished: what a recorder leaves that was
 * killed while it wrote a frame once more. A frame takes no more. */
#define REMAINS_MAX (UINT64_C(1) << 20)

/* Times that a file is looked at anew because its recorder wrote to it meanwhile. */
#define LOOKS_MAX 8

/* Where a sample is. */
struct entry {
	uint64_t frame; /* byte of the file where it begins; REST: in the rest */
	uint64_t realtime_ns, monotonic_ns, boottime_ns;
	uint32_t at, len; /* of its line in the frame */
	uint32_t key; /* place of its key sample */
	uint32_t head; /* place of what its header said */
	bool follows;
};

#define REST UINT64_MAX

struct vmt_recording {
	int fd;
	char *path;
	struct vmt_frames *frames;
	struct vmt_arena arena; /* of heads */
	struct vmt_recorded_head *heads;
	size_t n_heads, cap_heads;
	struct entry *entries;
	size_t n, cap;
	uint64_t end; /* behind the last whole frame */
	struct vmt_buf rest; /* whole lines behind it */
	size_t n_whole; /* entries that are not in the rest */
	char *remarks[REMARKS_MAX];
	size_t n_remarks, n_whole_remarks;
	bool damaged, whole_damaged;
	unsigned false_starts;
	bool searched; /* no frame begins behind end, up to that of the file */
	bool early; /* the file ends in the frame there */
	/* The file, when it was looked at last, and how often it had changed by then. */
	uint64_t size;
	struct timespec written;
	unsigned looks;
	/* While lines are gone through, and what that was at end. */
	struct lines {
		bool has_head, has_key, gap;
		size_t key, head;
		uint64_t orphans; /* samples whose key sample was lost */
		uint64_t strange; /* lines that could not be understood */
	} lines, whole_lines;
	bool counts; /* samples, of which nothing is kept but these times */
	uint64_t first_ns, last_ns;
	/* What was read last. */
	struct vmt_buf text;
	uint64_t text_frame;
	bool has_text;
	struct vmt_sample *key_sample;
	size_t key_at;
};

void vmt_recording_free(struct vmt_recording *r)
{
	size_t i;

	if (!r)
		return;
	for (i = 0; i < r->n_remarks; i++)
		free(r->remarks[i]);
	vmt_sample_free(r->key_sample);
	vmt_frames_free(r->frames);
	vmt_arena_done(&r->arena);
	vmt_buf_done(&r->rest);
	vmt_buf_done(&r->text);
	free(r->heads);
	free(r->entries);
	free(r->path);
	vmt_closep(&r->fd);
	free(r);
}

static void __attribute__((format(printf, 3, 4)))
remark(struct vmt_recording *r, bool damage, const char *fmt, ...)
{
	va_list ap;

	r->damaged |= damage;
	if (r->n_remarks == REMARKS_MAX)
		return;
	va_start(ap, fmt);
	if (vasprintf(&r->remarks[r->n_remarks], fmt, ap) >= 0)
		r->n_remarks++;
	va_end(ap);
}

static bool same_head(const struct vmt_recorded_head *a, const struct vmt_recorded_head *b)
{
	const struct vmt_host *x = &a->host, *y = &b->host;

	return a->interval_ns == b->interval_ns && x->page_size == y->page_size &&
	       x->user_hz == y->user_hz && x->cpus == y->cpus &&
	       x->max_map_count == y->max_map_count && x->euid == y->euid &&
	       vmt_bytes_equal(x->boot_id, y->boot_id) && vmt_bytes_equal(x->release, y->release) &&
	       vmt_bytes_equal(x->machine, y->machine);
}

static int take_head(struct vmt_recording *r, struct vmt_bytes text, struct vmt_err *err)
{
	struct vmt_arena arena;
	struct vmt_recorded_head h;
	int e;

	vmt_arena_init(&arena);
	e = vmt_recorded_head(text, &arena, &h);
	if (e == 0 && h.version != VMT_RECORDING_VERSION)
		e = vmt_err_set(err, -EPROTONOSUPPORT, r->path, 0,
				"a recording of version %" PRIu64 ": this vmtop reads version %d",
				h.version, VMT_RECORDING_VERSION);
	r->lines.has_key = false;
	r->lines.has_head = e == 0;
	if (e < 0 || (r->n_heads && same_head(&h, &r->heads[r->n_heads - 1]))) {
		vmt_arena_done(&arena);
	} else if (vmt_grow(&r->heads, &r->cap_heads, r->n_heads + 1, sizeof(*r->heads)) < 0) {
		vmt_arena_done(&arena);
		return -ENOMEM;
	} else {
		vmt_arena_join(&r->arena, &arena);
		r->heads[r->n_heads++] = h;
	}
	if (e == 0)
		r->lines.head = r->n_heads - 1;
	return e;
}

/* The clocks that a line does not say. False where they would be before those of the key sample. */
static bool go_on(const struct entry *key, struct entry *e)
{
	uint64_t since;

	return !__builtin_sub_overflow(e->realtime_ns, key->realtime_ns, &since) &&
	       !__builtin_add_overflow(key->monotonic_ns, since, &e->monotonic_ns) &&
	       !__builtin_add_overflow(key->boottime_ns, since, &e->boottime_ns);
}

static int add_sample(struct vmt_recording *r, const struct vmt_recorded_line *l, uint64_t frame,
		      uint64_t at, size_t len)
{
	const struct entry *before;
	bool is_key = l->monotonic_ns && l->key_ns == l->monotonic_ns;
	struct entry e = {
		.frame = frame,
		.realtime_ns = l->realtime_ns,
		.monotonic_ns = l->monotonic_ns,
		.boottime_ns = l->boottime_ns,
		.at = (uint32_t)at,
		.len = (uint32_t)len,
		.head = (uint32_t)r->lines.head,
	};

	if (r->counts) {
		r->first_ns = r->n++ ? r->first_ns : l->realtime_ns;
		r->last_ns = l->realtime_ns;
		return 0;
	}
	if (!r->lines.has_head ||
	    (!is_key &&
	     (!r->lines.has_key || r->entries[r->lines.key].monotonic_ns != l->key_ns))) {
		r->lines.orphans++;
		r->lines.gap = true;
		return 0;
	}
	if (r->n == VMT_RECORDING_SAMPLES_MAX)
		return -E2BIG;
	if (vmt_grow(&r->entries, &r->cap, r->n + 1, sizeof(*r->entries)) < 0)
		return -ENOMEM;
	if (!e.monotonic_ns && !go_on(&r->entries[r->lines.key], &e)) {
		r->lines.strange++;
		return 0;
	}
	before = r->n ? &r->entries[r->n - 1] : NULL;
	if (is_key) {
		r->lines.key = r->n;
		r->lines.has_key = true;
	}
	e.key = (uint32_t)r->lines.key;
	e.follows = before && !r->lines.gap && before->head == e.head &&
		    e.monotonic_ns > before->monotonic_ns;
	r->lines.gap = false;
	r->entries[r->n++] = e;
	return 0;
}

static void add_gap(struct vmt_recording *r, const struct vmt_recorded_line *l)
{
	VMT_AUTO_BUF text = { 0 };
	uint64_t ns = l->duration_ns < 0 ? 0 - (uint64_t)l->duration_ns : (uint64_t)l->duration_ns;

	vmt_fmt_time(&text, l->realtime_ns);
	vmt_buf_adds(&text, ": ");
	if (strcmp(l->reason, "clock") == 0) {
		/* Samples go on, and so do rates, which are not by this clock; but not across what
		 * lay before this line. */
		vmt_buf_adds(&text, "the clock was set ");
		vmt_buf_adds(&text, l->duration_ns < 0 ? "back by " : "forward by ");
	} else {
		r->lines.gap = true;
		vmt_buf_adds(&text, "nothing was recorded (");
		vmt_fmt_safe(&text, vmt_bytes_of(l->reason), true);
		vmt_buf_adds(&text, ") for ");
	}
	vmt_fmt_duration(&text, ns);
	remark(r, false, "%s", vmt_buf_error(&text) < 0 ? "" : text.data);
}

/* All lines of a frame's text. */
static int take_lines(struct vmt_recording *r, const struct vmt_buf *text, uint64_t frame,
		      struct vmt_err *err)
{
	size_t at = 0;
	int e = 0;

	while (e == 0 && at < text->len) {
		const char *begin = text->data + at, *nl = memchr(begin, '\n', text->len - at);
		struct vmt_recorded_line l;
		struct vmt_bytes line;

		if (!nl)
			break;
		line = (struct vmt_bytes){ begin, (size_t)(nl - begin) };
		e = vmt_recorded_line(line, &l);
		if (e == 0 && l.type == VMT_LINE_HEADER)
			e = take_head(r, line, err);
		else if (e == 0 && l.type == VMT_LINE_SAMPLE)
			e = add_sample(r, &l, frame, at, line.len);
		else if (e == 0 && l.type == VMT_LINE_GAP)
			add_gap(r, &l);
		if (e == -EBADMSG) {
			r->lines.strange++;
			e = 0;
		}
		at += line.len + 1;
	}
	return e;
}

/* Whether the file is another one than at the last look: 1, 0 or a negative errno. What could not
 * be read may be whole by now, or gone: a recorder writes its last frame once more, smaller, and
 * cuts the file behind it. One that never stands still is taken as it is at some time. */
static int look(struct vmt_recording *r)
{
	struct stat st;
	bool changed;

	if (fstat(r->fd, &st) < 0)
		return -errno;
	changed = r->size != (uint64_t)st.st_size || r->written.tv_sec != st.st_mtim.tv_sec ||
		  r->written.tv_nsec != st.st_mtim.tv_nsec;
	r->size = (uint64_t)st.st_size;
	r->written = st.st_mtim;
	return changed && r->looks++ < LOOKS_MAX;
}

/* The next whole frame behind a place where one is broken: 1, with what is in it, or 0; then
 * r->searched says whether there is none. */
static int resume(struct vmt_recording *r, uint64_t at, struct vmt_buf *text, uint64_t *ret_at,
		  uint64_t *ret_end)
{
	uint64_t limit = at + (r->n_heads ? SEARCH_MAX : SEARCH_ZERO);
	int e;

	limit = limit < r->size ? limit : r->size;
	while (r->false_starts < FALSE_STARTS_MAX) {
		e = vmt_frames_find(r->frames, at + 1, limit, &at);
		r->searched = e == 0 && limit == r->size;
		if (e <= 0)
			return e;
		e = vmt_frames_read(r->frames, at, text, ret_end);
		*ret_at = at;
		if (e == VMT_FRAME_WHOLE || e < 0)
			return e < 0 ? e : 1;
		r->false_starts++;
	}
	return 0;
}

/* What is behind the last whole frame. Its whole lines are read; nothing vouches for them but that
 * they can be. 1: the file has changed, and there may be a whole frame now, or nothing. */
static int take_rest(struct vmt_recording *r, struct vmt_buf *text, struct vmt_err *err)
{
	size_t before = r->n;
	const char *nl;
	uint64_t end;
	int e = vmt_frames_read(r->frames, r->end, text, &end);

	if (e < 0)
		return e;
	r->early = e == VMT_FRAME_EARLY;
	nl = e == VMT_FRAME_EARLY && text->len ? memrchr(text->data, '\n', text->len) : NULL;
	if (!nl || (!r->n_heads && (text->len < 8 || memcmp(text->data, "{\"type\":", 8) != 0))) {
		int changed = look(r);

		if (changed || r->end >= r->size)
			return changed;
		remark(r, true, "%s at byte %" PRIu64,
		       e == VMT_FRAME_EARLY ? "ends early" : "the last frame is broken", r->end);
		return 0;
	}
	vmt_buf_add(&r->rest, text->data, (size_t)(nl - text->data) + 1);
	if (vmt_buf_error(&r->rest) < 0)
		return -ENOMEM;
	e = take_lines(r, &r->rest, REST, err);
	if (e < 0)
		return e;
	remark(r, true,
	       "ends early at byte %" PRIu64 ": the last frame was not finished, its %zu sample%s "
	       "can be read without a checksum",
	       end, r->n - before, r->n - before == 1 ? "" : "s");
	return 0;
}

/* The whole frames from r->end on. */
static int take_frames(struct vmt_recording *r, struct vmt_buf *text, struct vmt_err *err)
{
	uint64_t next, from;
	int e;

	while (r->end < r->size) {
		from = r->end;
		e = vmt_frames_read(r->frames, from, text, &next);
		if (e == VMT_FRAME_BROKEN || e == VMT_FRAME_EARLY) {
			e = look(r);
			if (e > 0)
				continue;
			if (e == 0)
				e = resume(r, r->end, text, &from, &next);
			if (e == 0)
				break;
			if (e > 0 && r->n_heads)
				remark(r, true,
				       "the frame at byte %" PRIu64 " is broken, %" PRIu64
				       " bytes are left out",
				       r->end, from - r->end);
			else if (e > 0)
				remark(r, true, "the first %" PRIu64 " bytes are broken", from);
			r->lines.gap = true;
		}
		if (e < 0)
			return e;
		e = take_lines(r, text, from, err);
		if (e < 0)
			return e;
		/* Text that is none of ours is not gone through to its end. */
		if (!r->n_heads && next > SEARCH_ZERO)
			break;
		r->end = next;
	}
	r->n_whole = r->n;
	r->n_whole_remarks = r->n_remarks;
	r->whole_damaged = r->damaged;
	r->whole_lines = r->lines;
	return 0;
}

static int scan(struct vmt_recording *r, struct vmt_err *err)
{
	VMT_AUTO_BUF text = { 0 };
	int e = look(r);

	r->looks = 0;
	do {
		if (e >= 0)
			e = take_frames(r, &text, err);
		if (e == 0 && r->end < r->size)
			e = take_rest(r, &text, err);
	} while (e > 0);
	return e;
}

static int find_samples(struct vmt_recording *r, struct vmt_err *err)
{
	int e = scan(r, err);

	if (e == -E2BIG) {
		remark(r, true, "more than %zu samples: those behind are not read",
		       VMT_RECORDING_SAMPLES_MAX);
		e = 0;
	}
	if (e == -EPROTONOSUPPORT)
		return e;
	if (e < 0)
		return vmt_err_set(err, e, r->path, 0, "%s",
				   e == -ENOMEM ? "out of memory" : strerror(-e));
	if (r->lines.orphans)
		remark(r, true, "%" PRIu64 " samples lack the key sample that they differ from",
		       r->lines.orphans);
	if (r->lines.strange)
		remark(r, true, "%" PRIu64 " lines are left out: nothing of a recording",
		       r->lines.strange);
	if (!r->n_heads)
		return vmt_err_set(err, -EBADMSG, r->path, 0, "no recording of vmtop");
	return 0;
}

static int open_file(const char *path, int *ret, struct vmt_err *err)
{
	VMT_AUTO_CLOSE int fd = -1;
	struct stat st;

	if (strcmp(path, "-") == 0)
		return vmt_err_set(err, -EINVAL, NULL, 0, "a recording is read from a file");
	/* A pipe that nobody writes to, or a terminal, is not waited for. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return vmt_err_set(err, -errno, path, 0, "%s", strerror(errno));
	if (fstat(fd, &st) < 0)
		return vmt_err_set(err, -errno, path, 0, "%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return vmt_err_set(err, -EBADMSG, path, 0, "no regular file");
	if (!st.st_size)
		return vmt_err_set(err, -EBADMSG, path, 0, "empty, no recording of vmtop");
	*ret = VMT_STEAL_FD(fd);
	return 0;
}

static int open_fd(int fd, const char *path, bool counts, struct vmt_recording **ret,
		   struct vmt_err *err)
{
	VMT_AUTO_RECORDING r = calloc(1, sizeof(struct vmt_recording));
	int e;

	if (!r) {
		close(fd);
		return vmt_err_set(err, -ENOMEM, NULL, 0, "out of memory");
	}
	vmt_arena_init(&r->arena);
	r->fd = fd;
	r->counts = counts;
	r->path = strdup(path);
	if (!r->path || vmt_frames_new(r->fd, &r->frames) < 0)
		return vmt_err_set(err, -ENOMEM, NULL, 0, "out of memory");
	e = find_samples(r, err);
	if (e < 0)
		return e;
	*ret = VMT_STEAL(r);
	return 0;
}

int vmt_recording_open_fd(int fd, const char *path, struct vmt_recording **ret, struct vmt_err *err)
{
	return open_fd(fd, path, false, ret, err);
}

int vmt_recording_open(const char *path, struct vmt_recording **ret, struct vmt_err *err)
{
	VMT_AUTO_RECORDING r = NULL;
	int fd, e = open_file(path, &fd, err);

	if (e == 0)
		e = vmt_recording_open_fd(fd, path, &r, err);
	if (e < 0)
		return e;
	if (!r->n)
		return vmt_err_set(err, -EBADMSG, path, 0, "a recording without a whole sample");
	*ret = VMT_STEAL(r);
	return 0;
}

int vmt_recording_refresh(struct vmt_recording *r, struct vmt_err *err)
{
	/* The frame that was not finished is read anew, whether it is finished by now or not. */
	while (r->n_remarks > r->n_whole_remarks)
		free(r->remarks[--r->n_remarks]);
	if (r->key_sample && r->key_at >= r->n_whole)
		vmt_sample_free(VMT_STEAL(r->key_sample));
	if (r->has_text && r->text_frame == REST)
		r->has_text = false;
	r->n = r->n_whole;
	r->damaged = r->whole_damaged;
	r->lines = r->whole_lines;
	vmt_buf_clear(&r->rest);
	return find_samples(r, err);
}

size_t vmt_recording_n(const struct vmt_recording *r)
{
	return r->n;
}

uint64_t vmt_recording_time(const struct vmt_recording *r, size_t i)
{
	return i < r->n ? r->entries[i].realtime_ns : 0;
}

size_t vmt_recording_find(const struct vmt_recording *r, uint64_t realtime_ns)
{
	size_t i;

	for (i = 0; i < r->n && r->entries[i].realtime_ns < realtime_ns; i++)
		;
	return i;
}

bool vmt_recording_follows(const struct vmt_recording *r, size_t i)
{
	return i < r->n && r->entries[i].follows;
}

uint64_t vmt_recording_interval(const struct vmt_recording *r, size_t i)
{
	return i < r->n ? r->heads[r->entries[i].head].interval_ns : 0;
}

/* The text of a sample's line. */
static int line_of(struct vmt_recording *r, const struct entry *e, struct vmt_bytes *ret)
{
	const struct vmt_buf *text = e->frame == REST ? &r->rest : &r->text;
	uint64_t end;
	int x;

	if (e->frame != REST && (!r->has_text || r->text_frame != e->frame)) {
		r->has_text = false;
		x = vmt_frames_read(r->frames, e->frame, &r->text, &end);
		if (x < 0)
			return x;
		/* Somebody has written where vmtop had read. */
		if (x != VMT_FRAME_WHOLE)
			return -EBADMSG;
		r->text_frame = e->frame;
		r->has_text = true;
	}
	if (e->at > text->len || e->len > text->len - e->at)
		return -EBADMSG;
	*ret = (struct vmt_bytes){ text->data + e->at, e->len };
	return 0;
}

static int host_of(const struct vmt_recording *r, const struct entry *e, struct vmt_sample *s)
{
	const struct vmt_host *from = &r->heads[e->head].host;
	struct vmt_host *h = &s->host;
	uint64_t took_ns = h->took_ns;

	*h = *from;
	h->took_ns = took_ns;
	h->realtime_ns = e->realtime_ns;
	h->monotonic_ns = e->monotonic_ns;
	h->boottime_ns = e->boottime_ns;
	if (vmt_bytes_keep(&s->arena, from->boot_id, NULL, &h->boot_id) < 0 ||
	    vmt_bytes_keep(&s->arena, from->release, NULL, &h->release) < 0 ||
	    vmt_bytes_keep(&s->arena, from->machine, NULL, &h->machine) < 0)
		return -ENOMEM;
	return 0;
}

static int read_sample(struct vmt_recording *r, size_t i, const struct vmt_sample *key,
		       struct vmt_sample **ret, struct vmt_err *err)
{
	VMT_AUTO_SAMPLE s = NULL;
	struct vmt_bytes line;
	int e = line_of(r, &r->entries[i], &line);

	if (e == -EBADMSG)
		vmt_err_set(err, e, NULL, 0, "its frame is broken now");
	if (e == 0)
		e = vmt_recorded_sample(line, key, &s, err);
	if (e == 0)
		e = host_of(r, &r->entries[i], s);
	if (e < 0)
		return e;
	*ret = VMT_STEAL(s);
	return 0;
}

int vmt_recording_sample(struct vmt_recording *r, size_t i, struct vmt_sample **ret,
			 struct vmt_err *err)
{
	struct vmt_err why = { 0 };
	size_t key;
	int e = 0;

	if (i >= r->n)
		return vmt_err_set(err, -EINVAL, r->path, 0, "no sample %zu", i);
	key = r->entries[i].key;
	if (key != i && (!r->key_sample || r->key_at != key)) {
		vmt_sample_free(VMT_STEAL(r->key_sample));
		e = read_sample(r, key, NULL, &r->key_sample, &why);
		r->key_at = key;
	}
	if (e == 0)
		e = read_sample(r, i, key != i ? r->key_sample : NULL, ret, &why);
	if (e < 0)
		return vmt_err_set(err, e, r->path, 0, "sample %zu: %s", i + 1,
				   e == -ENOMEM	 ? "out of memory"
				   : why.text[0] ? why.text
						 : strerror(-e));
	return 0;
}

const char *vmt_recording_remark(const struct vmt_recording *r, size_t i)
{
	return i < r->n_remarks ? r->remarks[i] : NULL;
}

bool vmt_recording_is_damaged(const struct vmt_recording *r)
{
	return r->damaged;
}

int vmt_recording_tail(int fd, const char *path, struct vmt_recording_tail *ret,
		       struct vmt_err *err)
{
	VMT_AUTO_RECORDING r = NULL;
	uint64_t remains = 0;
	struct stat st;
	int e = open_fd(fd, path, true, &r, err);

	if (!r)
		return e;
	if (fstat(r->fd, &st) < 0)
		return vmt_err_set(err, -errno, path, 0, "%s", strerror(errno));
	if (r->end < (uint64_t)st.st_size)
		remains = (uint64_t)st.st_size - r->end;
	if (remains && !(r->searched && (r->early || remains <= REMAINS_MAX)))
		return vmt_err_set(err, -EBADMSG, path, 0,
				   "behind byte %" PRIu64 " is what is no recording: nothing is "
				   "added to it",
				   r->end);
	*ret = (struct vmt_recording_tail){
		.first_ns = r->first_ns,
		.last_ns = r->last_ns,
		.end = r->end,
		.remains = r->early ? 0 : remains,
		.rest = r->rest,
	};
	r->rest = (struct vmt_buf){ 0 };
	return 0;
}
