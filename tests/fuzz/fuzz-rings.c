/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records of the rings that BPF programs fill, of any lengths, bytes and order, and rows of the
 * tables that they refer to, up to the rows that are shown. The first byte says whose rings, the
 * second how they are read. Then there are commands, see command(): records are long, and most of
 * one is zeroes, so of each it is said where it differs from one byte. A build without BPF has none
 * of these sources; they are compiled for this target alone, with libbpf's rings and threads as
 * they are here.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "bpf/crash.h"
#include "bpf/fault-by-kind.h"
#include "bpf/fault-event.h"
#include "fuzz.h"
#include "model/crash.h"
#include "model/events.h"
#include "model/model.h"
#include "source/probe-events-internal.h"
#include "source/probe-fault.h"
#include "source/probe-oom-record.h"

#define RINGS	2u
#define RECORDS 64u /* of a ring; more wait for the next reading, and are left out */
#define ROWS	24u /* of a table; of those by kind some are for no mapping */
#define PAGE	UINT64_C(4096)

/* A record in memory of its own, which ends where it ends. */
struct record {
	unsigned char *bytes;
	size_t size;
};

struct ring_buffer {
	ring_buffer_sample_fn fn;
	void *ctx;
	unsigned number;
};

static struct {
	struct record records[RECORDS];
	size_t n;
} waiting[RINGS];

/* A ring is called by its number, in the place of a descriptor. */
struct ring_buffer *ring_buffer__new(int fd, ring_buffer_sample_fn fn, void *ctx,
				     const struct ring_buffer_opts *opts)
{
	struct ring_buffer *ring = calloc(1, sizeof(*ring));

	CHECK(ring && !opts && fd >= 0 && (unsigned)fd < RINGS);
	*ring = (struct ring_buffer){ fn, ctx, (unsigned)fd };
	return ring;
}

/* As libbpf has it: a record is taken, whatever is said of it; a negative result ends the call. */
int ring_buffer__consume(struct ring_buffer *ring)
{
	struct record *records = waiting[ring->number].records;
	size_t *n = &waiting[ring->number].n, taken = 0;
	int r = 0;

	while (taken < *n && r >= 0) {
		r = ring->fn(ring->ctx, records[taken].bytes, records[taken].size);
		free(records[taken++].bytes);
	}
	*n -= taken;
	memmove(records, records + taken, *n * sizeof(*records));
	return r < 0 ? r : (int)taken;
}

void ring_buffer__free(struct ring_buffer *ring)
{
	free(ring);
}

/* There is no object. */
struct bpf_program *bpf_object__next_program(const struct bpf_object *object,
					     struct bpf_program *program)
{
	(void)object;
	(void)program;
	return NULL;
}

/* Who empties a ring does so when it is read: with a thread no two runs were the same. */
int fuzz_thread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *),
		       void *arg);
int fuzz_thread_join(pthread_t thread, void **ret);

int fuzz_thread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *),
		       void *arg)
{
	(void)attr;
	(void)fn;
	(void)arg;
	memset(thread, 0, sizeof(*thread));
	return 0;
}

int fuzz_thread_join(pthread_t thread, void **ret)
{
	(void)thread;
	(void)ret;
	return 0;
}

static void put(unsigned ring, unsigned char *bytes, size_t size)
{
	struct record *r = &waiting[ring].records[waiting[ring].n];

	if (waiting[ring].n == RECORDS) {
		free(bytes);
		return;
	}
	*r = (struct record){ bytes, size };
	waiting[ring].n++;
}

static size_t empty(unsigned ring)
{
	size_t n = waiting[ring].n;

	while (waiting[ring].n)
		free(waiting[ring].records[--waiting[ring].n].bytes);
	return n;
}

/* Bytes that are all the same but for what is said: how many places, and of each where it is, in
 * units of 4 bytes, how many bytes follow, and these. */
static void make(unsigned char *to, size_t size, const uint8_t **data, size_t *left)
{
	unsigned places;

	memset(to, (int)fuzz_choice(data, left), size);
	for (places = fuzz_choice(data, left); places && *left; places--) {
		size_t at = fuzz_choice(data, left) * (size_t)4, n;

		at += fuzz_choice(data, left) * (size_t)1024;
		n = fuzz_choice(data, left);
		n = n < *left ? n : *left;
		if (at < size)
			memcpy(to + at, *data, n < size - at ? n : size - at);
		*data += n;
		*left -= n;
	}
}

/* What a program may write, and what it does not. */
static const struct {
	size_t size;
	unsigned ring;
} kinds[] = {
	{ sizeof(struct vmt_event_record), 0 },
	{ sizeof(struct vmt_event_stacked), 0 },
	{ sizeof(struct vmt_crash_record), 0 },
	{ sizeof(struct vmt_stall_record), 0 },
	{ sizeof(struct vmt_oom_record), 0 },
	{ sizeof(struct vmt_fault_event), 0 },
	{ sizeof(struct vmt_slot_map), 1 },
	{ sizeof(struct vmt_slot_proc), 1 },
	{ sizeof(struct vmt_slot_kind), 1 },
	{ sizeof(struct vmt_slot_process), 1 },
	{ 0, 0 },
	{ 0, 1 },
};

/* The tables, each of ROWS rows. */
struct tables {
	struct vmt_slot_name names[ROWS];
	struct vmt_slot_map maps[ROWS];
	struct vmt_slot_proc procs[ROWS];
	struct vmt_slot_kind kinds[ROWS];
};

#define TABLE(t, member)                                                                           \
	{                                                                                          \
		(const unsigned char *)(t)->member, sizeof((t)->member[0]), ROWS, 0                \
	}

/*
 * A record, or a row of a table: which of them; of a record how much longer it is than it should
 * be, or shorter, below 128, of a row its number; and its bytes.
 */
static void command(struct tables *t, const uint8_t **data, size_t *left)
{
	struct {
		void *rows;
		size_t size;
	} tables[] = { { t->names, sizeof(t->names[0]) },
		       { t->maps, sizeof(t->maps[0]) },
		       { t->procs, sizeof(t->procs[0]) },
		       { t->kinds, sizeof(t->kinds[0]) } };
	unsigned which = fuzz_choice(data, left) % (VMT_ARRAY_LEN(kinds) + VMT_ARRAY_LEN(tables));
	unsigned more = fuzz_choice(data, left);
	unsigned char *bytes;
	size_t size;

	if (which >= VMT_ARRAY_LEN(kinds)) {
		which -= (unsigned)VMT_ARRAY_LEN(kinds);
		size = tables[which].size;
		make((unsigned char *)tables[which].rows + more % ROWS * size, size, data, left);
		return;
	}
	size = kinds[which].size + more;
	if (more >= 128)
		size = size > 256 ? size - 256 : 0;
	bytes = malloc(size ? size : 1);
	CHECK(bytes);
	make(bytes, size, data, left);
	put(kinds[which].ring, bytes, size);
}

static const struct vmt_host host = { .page_size = PAGE,
				      .realtime_ns = UINT64_C(1700000000000000000),
				      .monotonic_ns = UINT64_C(5000000000),
				      .boottime_ns = UINT64_C(5000000000),
				      .machine = VMT_BYTES("x86_64") };

/* It has names and paths in it, and is for an encoder: there is one, and it has an end. */
static void sentence(const struct vmt_buf *b)
{
	CHECK(vmt_buf_error(b) == 0 && b->len > 0 && b->len < 1 << 14);
}

static void path(struct vmt_bytes p)
{
	/* A slash for each component, and " (deleted)" and "..." around it. */
	CHECK(p.len <= 2 * VMT_NAME_BYTES + 16 && (p.ptr || !p.len));
}

struct sums {
	struct vmt_arena *arena;
	size_t given, checks;
	int result; /* of the function that takes */
	size_t after; /* so many */
};

/* Sometimes who takes has enough. */
static int enough(struct sums *s)
{
	return s->after && !--s->after ? s->result : 0;
}

static int on_event(void *arg, const struct vmt_event_raw *e)
{
	struct sums *s = arg;
	struct vmt_event row = { 0 };
	VMT_AUTO_BUF text = { 0 };

	s->given++;
	CHECK(e->call > VMT_CALL_NONE && e->call < VMT_CALLS);
	CHECK(!e->crash == (e->call != VMT_CALL_CRASH) && !e->stall == (e->call != VMT_CALL_STALL));
	path(e->path);
	if (e->stack) {
		CHECK(e->stack->n_kernel <= VMT_STACK_KERNEL);
		CHECK(e->stack->n_user <= VMT_STACK_USER + 1 && e->stack->comm.len <= 16);
	}
	if (e->crash) {
		path(e->crash->at.path);
		path(e->crash->image.path);
		CHECK(e->crash->n_bytes <= sizeof(e->crash->bytes));
	}
	if (e->stall) {
		path(e->stall->cgroup);
		path(e->stall->limit);
		CHECK(e->stall->cause < VMT_STALL_CAUSES);
	}
	CHECK(vmt_event_row(e, &host, 0, s->arena, &row) == 0);
	vmt_event_sentence(&text, &row, PAGE);
	sentence(&text);
	return enough(s);
}

static void events(struct tables *t, unsigned how, size_t n)
{
	struct vmt_arena arena;
	struct sums s = { .arena = &arena, .result = -ENOMEM, .after = how >> 4 };
	struct vmt_events x = { .names = TABLE(t, names),
				.frames_most = how & 1 ? VMT_STACK_USER : 1 };
	size_t left = how & 2 ? 3 : SIZE_MAX;
	int r;

	vmt_arena_init(&arena);
	x.pressure.throttle_told = how & 4;
	x.arena = &arena;
	x.fn = on_event;
	x.arg = &s;
	x.ring = ring_buffer__new(0, vmt_events_on_record, &x, NULL);
	do {
		x.left = left;
		r = ring_buffer__consume(x.ring);
		CHECK(r >= 0 || r == -EAGAIN || r == -ENOMEM);
	} while (r == -EAGAIN);
	/* Each is somewhere. */
	CHECK(x.listed == s.given && x.taken == s.given);
	CHECK(x.listed + x.broken + empty(0) == n);
	ring_buffer__free(x.ring);
	vmt_arena_done(&arena);
}

static void on_check(void *arg, const struct vmt_oom_record *r)
{
	struct sums *s = arg;

	CHECK(r->flags & VMT_OOM_CHECK);
	s->checks++;
}

static int on_victim(void *arg, const struct vmt_oom_raw *raw)
{
	struct sums *s = arg;
	struct vmt_oom_report report = { 0 };
	struct vmt_event event = { 0 };
	VMT_AUTO_BUF text = { 0 };
	VMT_AUTO_BUF details = { 0 };
	VMT_AUTO_BUF line = { 0 };
	size_t i;

	s->given++;
	CHECK(raw->n_zones <= VMT_OOM_ZONE_COUNT && raw->n_maps <= VMT_OOM_MAP_COUNT);
	path(raw->cgroup);
	path(raw->limit_cgroup);
	for (i = 0; i < raw->n_maps; i++)
		path(raw->maps[i].path);
	CHECK(vmt_oom_rows(raw, &host, 0, s->given, NULL, 0, NULL, s->arena, &report) == 0);
	CHECK(report.n_zones <= raw->n_zones && report.n_maps == raw->n_maps);
	vmt_oom_sentence(&text, &report.oom, PAGE);
	sentence(&text);
	vmt_oom_details(&details, &report, PAGE, s->given & 1);
	CHECK(vmt_buf_error(&details) == 0);
	vmt_oom_event(&report, &event);
	vmt_event_sentence(&line, &event, PAGE);
	sentence(&line);
	return enough(s);
}

static void victims(struct tables *t, unsigned how, size_t n)
{
	const struct vmt_probe_array names = TABLE(t, names);
	struct vmt_arena arena;
	struct sums s = { .arena = &arena, .result = -ENOMEM, .after = how >> 4 };
	struct vmt_oom_taker taker = { .names = &names,
				       .arena = &arena,
				       .fn = on_victim,
				       .arg = &s,
				       .check = on_check,
				       .check_arg = &s };
	struct ring_buffer *ring = ring_buffer__new(0, vmt_oom_on_record, &taker, NULL);
	int r;

	vmt_arena_init(&arena);
	r = ring_buffer__consume(ring);
	CHECK(r >= 0 || r == -ENOMEM);
	CHECK(taker.taken == s.given && taker.taken + taker.broken + s.checks + empty(0) == n);
	ring_buffer__free(ring);
	vmt_arena_done(&arena);
}

static struct bpf_object *no_object(void *skeleton)
{
	return skeleton;
}

/* What one reading gave: faults that are no row's, or that a row has not, are nowhere. */
static uint64_t single_faults(const struct vmt_fault_sample *f)
{
	struct vmt_arena arena;
	struct vmt_single *rows;
	uint64_t sum = 0;
	size_t i, n;

	for (i = 0; i < f->n_singles; i++) {
		const struct vmt_fault_single *one = &f->singles[i];

		CHECK(one->faults > 0);
		CHECK(i == 0 || f->singles[i - 1].end_ns <= one->end_ns);
		CHECK((int)one->access <= VMT_BPF_EXEC && (int)one->mode <= VMT_BPF_MODE_KERNEL);
		CHECK((int)one->kind < VMT_FAULT_KINDS);
		sum += one->faults;
	}
	vmt_arena_init(&arena);
	CHECK(vmt_single_rows(f, &host, &arena, &rows, &n) == 0 && n == f->n_singles);
	vmt_arena_done(&arena);
	return sum;
}

static void fault_rows(const struct vmt_fault_sample *f)
{
	size_t i;

	for (i = 0; i < f->n_maps; i++) {
		path(f->maps[i].path);
		CHECK(f->maps[i].comm.len <= 16 && f->maps[i].class < VMT_FAULT_CLASSES);
	}
	for (i = 0; i < f->n_procs; i++)
		CHECK(f->procs[i].comm.len <= 16);
	for (i = 0; i < f->n_kinds; i++)
		CHECK(f->kinds[i].kind < VMT_FAULT_KINDS &&
		      f->kinds[i].minor + f->kinds[i].major > 0);
}

/* Nor does the model stumble over what cannot be. */
static void fault_model(struct vmt_fault_sample *f, enum vmt_fault_group group)
{
	const struct vmt_model_opts opts = { .fault_group = group };
	VMT_AUTO_SAMPLE s = vmt_sample_new();
	VMT_AUTO_MODEL m = NULL;

	CHECK(s);
	s->host = host;
	s->faults = f;
	f->rung = VMT_RUNG_FEXIT;
	f->complete = true;
	f->have |= VMT_HAVE_MAPS | VMT_HAVE_ACCESS | VMT_HAVE_MODE | VMT_HAVE_LATENCY |
		   VMT_HAVE_GUP | VMT_HAVE_KINDS;
	CHECK(vmt_model_build(s, NULL, &opts, &m, NULL) == 0);
	s->faults = NULL;
}

/* Bits of how. */
enum {
	SUMS = 1, /* no rows but those of single faults */
	FORGET = 2, /* who ended is told of once */
	RATE = 4, /* of single faults */
	LIVE = 8, /* they are handed out while they come */
	RUNS = 16, /* and those in a row are one */
	KINDS = 32,
};

static void faults(struct tables *t, unsigned how, size_t n_singles, size_t n_rows)
{
	static const struct vmt_probe_object ops = { .object = no_object };
	static const size_t sizes[VMT_DRAIN_PILES] = { sizeof(struct vmt_slot_map),
						       sizeof(struct vmt_slot_proc),
						       sizeof(struct vmt_slot_kind) };
	struct vmt_probe p = { .opts = { .singles = true,
					 .single_live = how & LIVE,
					 .single_rate = how & RATE ? 2 : 0,
					 .single_least_ns = how & RUNS ? 0 : 1,
					 .by_kind = how & KINDS },
			       .start_ns = 1 };
	static const volatile __u64 none;
	struct vmt_fault_state s = { .loaded = { .ops = &ops },
				     .maps = TABLE(t, maps),
				     .procs = TABLE(t, procs),
				     .names = TABLE(t, names),
				     .events_lost = &none,
				     .sums = how & SUMS,
				     .forget = how & FORGET };
	uint64_t sum = 0, known = 0, whole = 0;
	struct vmt_arena arena;
	size_t i, piles = 0;

	s.asked.kinds = (struct vmt_probe_kinds){ .rows = TABLE(t, kinds),
						  .lost = &none,
						  .pile = VMT_PILE_KINDS };
	s.asked.cgroups_lost = &none;
	for (i = 0; i < n_rows; i++)
		known += waiting[1].records[i].size == sizes[0] ||
			 waiting[1].records[i].size == sizes[1] ||
			 waiting[1].records[i].size == sizes[2];
	for (i = 0; i < n_singles; i++)
		whole += waiting[0].records[i].size == sizeof(struct vmt_fault_event);
	CHECK(vmt_probe_singles_new(0, &p.opts, &s.singles, NULL) == 0);
	CHECK(vmt_drain_start(1, sizes, false, NULL, &s.drain) == 0);
	CHECK(vmt_probe_live_new(&s.maps, s.drain, VMT_PILE_MAPS, &s.live) == 0);
	for (i = 0; i < VMT_DRAIN_PILES; i++)
		piles += vmt_drain_count(s.drain, (unsigned)i);
	/* A row that is in no pile is told of. */
	CHECK(piles == known && vmt_drain_error(s.drain) == (known == n_rows ? 0 : -EBADMSG));
	for (i = 0; how & LIVE && i < 2; i++) {
		struct vmt_fault_sample f = { 0 };

		vmt_arena_init(&arena);
		CHECK(vmt_fault_bpf_live(&s, i == 1, &arena, &f, NULL) == 0);
		sum += single_faults(&f);
		fault_rows(&f);
		if (i == 1)
			CHECK(sum + f.totals.singles_limited + f.totals.singles_lost == n_singles);
		vmt_arena_done(&arena);
	}
	/* Twice: what is forgotten in between is in the totals. */
	for (i = 0; i < 2; i++) {
		struct vmt_fault_sample f = { 0 };
		int r;

		vmt_arena_init(&arena);
		CHECK(vmt_probe_singles_drain(s.singles, NULL) == 0);
		r = vmt_fault_bpf_read(&p, &s, &arena, &f, NULL);
		CHECK(r == (known == n_rows ? 0 : -EBADMSG));
		fault_rows(&f);
		CHECK(r ||
		      (f.totals.singles == whole && f.totals.singles_lost == n_singles - whole));
		if (r == 0)
			fault_model(&f, (enum vmt_fault_group)(how >> 6));
		if (r == 0 && !(how & LIVE))
			CHECK(single_faults(&f) + f.totals.singles_limited +
				      f.totals.singles_lost ==
			      n_singles);
		vmt_arena_done(&arena);
	}
	vmt_probe_live_free(s.live);
	vmt_probe_singles_free(s.singles);
	vmt_drain_free(s.drain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned choice = fuzz_choice(&data, &size), how = fuzz_choice(&data, &size);
	struct tables *t = calloc(1, sizeof(*t));

	CHECK(t);
	while (size)
		command(t, &data, &size);
	if (choice % 3 == 0)
		events(t, how, waiting[0].n);
	else if (choice % 3 == 1)
		victims(t, how, waiting[0].n);
	else
		faults(t, how, waiting[0].n, waiting[1].n);
	(void)empty(0);
	(void)empty(1);
	free(t);
	return 0;
}
