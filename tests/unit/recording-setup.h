/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/record-writer.h"
#include "model/fault-table.h"
#include "model/recorded.h"
#include "source/recording.h"
#include "unit.h"

/* What tests of recordings begin with. */

#define SECOND UINT64_C(1000000000)

static uint64_t state = UINT64_C(0x2545f4914f6cdd1d);

/* xorshift64: the same samples in each run. */
static inline uint64_t next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* A directory of its own, and a file in it. In memory where that can be: each frame is synced, and
 * a busy disk may take a second for it. */
static char path[64];

static inline int setup(void **unused)
{
	char memory[] = "/dev/shm/vmtop-recording-XXXXXX", disk[] = "/tmp/vmtop-recording-XXXXXX";
	const char *dir = mkdtemp(memory);

	if (!dir)
		dir = mkdtemp(disk);
	if (!dir)
		return -1;
	snprintf(path, sizeof(path), "%s/a.rec", dir);
	return 0;
}

static inline int teardown(void **unused)
{
	char name[80];
	unsigned i;

	unlink(path);
	for (i = 1; i < 9; i++) {
		snprintf(name, sizeof(name), "%s.%u", path, i);
		unlink(name);
	}
	*strrchr(path, '/') = 0;
	rmdir(path);
	return 0;
}

static inline struct vmt_bytes text(struct vmt_sample *s, const char *word)
{
	return vmt_bytes_of(vmt_arena_copy(&s->arena, word, strlen(word)));
}

/* One in so many of the fields is known. */
static uint64_t sparse = 1;

/* Some of the fields of a row, with any value: what sort of value it is decides the rest. */
static inline void any_row(struct vmt_sample *s, const struct vmt_entity *e, void *row)
{
	static const char *const words[] = { "bash", "a b", "\xc3\xa4", "\xff\x01", "" };
	size_t i;

	for (i = 0; i < e->n_fields; i++) {
		const struct vmt_field *f = &e->fields[i];
		void *at = (char *)row + f->offset;

		if (next() % 3 == 0 || next() % sparse || f->type == VMT_TYPE_HIST)
			continue;
		vmt_row_mark(row, f->index);
		switch (f->type) {
		case VMT_TYPE_STR:
			*(struct vmt_bytes *)at = text(s, words[next() % VMT_ARRAY_LEN(words)]);
			break;
		case VMT_TYPE_KEYS:
			*(struct vmt_bytes *)at = (struct vmt_bytes){ "", 0 };
			break;
		case VMT_TYPE_BOOL:
			*(bool *)at = next() % 2;
			break;
		case VMT_TYPE_I64:
			*(int64_t *)at = (int64_t)next() >> (next() % 63);
			break;
		default:
			*(uint64_t *)at = next() >> (1 + next() % 62);
		}
	}
}

/* Faults since the sample before; rows of some mappings have histograms. */
static inline void any_faults(struct vmt_sample *s)
{
	struct vmt_fault_table *t = vmt_arena_alloc(&s->arena, 1, sizeof(*t));
	struct vmt_hist_bucket *b;
	size_t k;

	t->n_probe = 1;
	t->n_rows = next() % 4;
	t->n_procs = next() % 3;
	t->probe = vmt_arena_alloc(&s->arena, 1, sizeof(*t->probe));
	t->rows = vmt_arena_alloc(&s->arena, t->n_rows + 1, sizeof(*t->rows));
	t->procs = vmt_arena_alloc(&s->arena, t->n_procs + 1, sizeof(*t->procs));
	any_row(s, &vmt_entity_probe, t->probe);
	for (k = 0; k < t->n_rows; k++) {
		any_row(s, &vmt_entity_fault, &t->rows[k]);
		if (next() % 2)
			continue;
		b = vmt_arena_alloc(&s->arena, 2, sizeof(*b));
		b[0] = (struct vmt_hist_bucket){ 128, 143, 1 + next() % 9 };
		b[1] = (struct vmt_hist_bucket){ 4096, UINT64_MAX, 1 + next() % 9 };
		VMT_SET(fault, histogram, &t->rows[k], ((struct vmt_hist){ b, 2 }));
	}
	for (k = 0; k < t->n_procs; k++)
		any_row(s, &vmt_entity_balance, &t->procs[k]);
	s->fault_table = t;
}

/* Events since the sample before, some of which may be missing. */
static inline void any_events(struct vmt_sample *s)
{
	size_t k;

	s->n_events = next() % 4;
	s->events = vmt_arena_alloc(&s->arena, s->n_events + 1, sizeof(*s->events));
	for (k = 0; k < s->n_events; k++)
		any_row(s, &vmt_entity_event, &s->events[k]);
	s->n_event_gaps = next() % 2;
	s->event_gaps = vmt_arena_alloc(&s->arena, 1, sizeof(*s->event_gaps));
	if (s->n_event_gaps)
		any_row(s, &vmt_entity_gap, s->event_gaps);
	s->sources[VMT_SOURCE_EVENTS].state = VMT_STATE_OK;
}

/* The same machine a little later: rows go, come and change. */
static inline struct vmt_sample *any_sample(uint64_t i)
{
	struct vmt_sample *s = vmt_sample_new();
	size_t n = sparse > 1 ? 2 : 3 + next() % 5, k;

	assert_non_null(s);
	s->host = (struct vmt_host){ .realtime_ns = (1000 + 10 * i) * SECOND,
				     .monotonic_ns = (50 + 10 * i) * SECOND,
				     .boottime_ns = (70 + 10 * i) * SECOND,
				     .page_size = 4096,
				     .user_hz = 100,
				     .cpus = 2,
				     .euid = VMT_EUID_UNKNOWN,
				     .boot_id = text(s, "b"),
				     .release = text(s, "6.1"),
				     .machine = text(s, "x86_64") };
	any_row(s, &vmt_entity_system, &s->system);
	if (next() % 2)
		any_row(s, &vmt_entity_commit, &s->commit);
	s->procs = vmt_arena_alloc(&s->arena, n, sizeof(*s->procs));
	s->maps = vmt_arena_alloc(&s->arena, n, sizeof(*s->maps));
	for (k = 0; k < n; k++) {
		any_row(s, &vmt_entity_proc, &s->procs[k]);
		VMT_SET(proc, pid, &s->procs[k], (k ? s->procs[k - 1].pid : 0) + 1 + next() % 3);
		VMT_SET(proc, start_time_ns, &s->procs[k], next() % 3);
	}
	s->n_procs = n;
	s->maps[0].n_maps = next() % 4;
	s->maps[0].state = VMT_STATE_OK;
	s->maps[0].maps = vmt_arena_alloc(&s->arena, 4, sizeof(*s->maps[0].maps));
	for (k = 0; k < s->maps[0].n_maps; k++) {
		any_row(s, &vmt_entity_map, &s->maps[0].maps[k]);
		VMT_SET(map, start, &s->maps[0].maps[k], (k + 1) * 4096 + next() % 4096);
	}
	s->pressure = vmt_arena_alloc(&s->arena, 2, sizeof(*s->pressure));
	s->n_pressure = next() % 3;
	for (k = 0; k < s->n_pressure; k++)
		any_row(s, &vmt_entity_pressure, &s->pressure[k]);
	s->sources[VMT_SOURCE_MEMINFO].state = VMT_STATE_OK;
	s->sources[VMT_SOURCE_STATUS].state = next() % 2 ? VMT_STATE_OK : VMT_STATE_PARTIAL;
	s->sources[VMT_SOURCE_STATUS].denied = next() % 2;
	snprintf(s->sources[VMT_SOURCE_STATUS].reason, sizeof(s->sources[0].reason),
		 "a \"reason\"");
	s->procs_seen = n;
	if (next() % 3)
		any_faults(s);
	if (next() % 3)
		any_events(s);
	return s;
}

static inline void same_rows(const struct vmt_entity *e, const void *a, size_t n, const void *b,
			     size_t m)
{
	const struct vmt_recorded_part part = { .entity = e };
	size_t i, k;

	assert_int_equal(n, m);
	for (i = 0; i < n; i++)
		for (k = 0; k < e->n_fields; k++)
			if (vmt_recorded_field(&part, &e->fields[k]) &&
			    !vmt_recorded_same(&e->fields[k], (const char *)a + i * e->row_size,
					       (const char *)b + i * e->row_size))
				fail_msg("%s %zu: %s", e->name, i, e->fields[k].name);
}

static inline void same_sample(const struct vmt_sample *a, const struct vmt_sample *b)
{
	int i;

	for (i = 0; i < VMT_RECORDED_COUNT; i++) {
		const void *x, *y;
		size_t n = vmt_recorded_rows(a, (enum vmt_recorded_id)i, &x);
		size_t m = vmt_recorded_rows(b, (enum vmt_recorded_id)i, &y);

		same_rows(vmt_recorded_part((enum vmt_recorded_id)i).entity, x, n, y, m);
	}
	/* Where no process has any, there is no list. */
	assert_true(b->maps || !a->maps[0].n_maps);
	same_rows(&vmt_entity_map, a->maps[0].maps, a->maps[0].n_maps,
		  b->maps ? b->maps[0].maps : NULL, b->maps ? b->maps[0].n_maps : 0);
	assert_int_equal(a->host.monotonic_ns, b->host.monotonic_ns);
	assert_int_equal(a->host.page_size, b->host.page_size);
	assert_int_equal(a->procs_seen, b->procs_seen);
	assert_int_equal(a->sources[VMT_SOURCE_STATUS].state, b->sources[VMT_SOURCE_STATUS].state);
	assert_int_equal(a->sources[VMT_SOURCE_STATUS].denied,
			 b->sources[VMT_SOURCE_STATUS].denied);
	assert_string_equal(a->sources[VMT_SOURCE_STATUS].reason,
			    b->sources[VMT_SOURCE_STATUS].reason);
	assert_int_equal(b->sources[VMT_SOURCE_EVENTS].state,
			 a->sources[VMT_SOURCE_EVENTS].state ? VMT_STATE_OK : VMT_STATE_ABSENT);
	assert_int_equal(b->sources[VMT_SOURCE_SMAPS].state, VMT_STATE_ABSENT);
	assert_string_equal(b->sources[VMT_SOURCE_SMAPS].reason, "not recorded");
}

/* Reads all samples; how many, or a negative errno where it is none. */
static inline int read_all(bool *ret_damaged, char *remark, size_t size)
{
	VMT_AUTO_RECORDING rec = NULL;
	struct vmt_err err = { 0 };
	int r = vmt_recording_open(path, &rec, &err);
	size_t i;

	if (r < 0) {
		snprintf(remark, size, "%s", err.text);
		return r;
	}
	for (i = 0; i < vmt_recording_n(rec); i++) {
		struct vmt_sample *s = NULL;

		r = vmt_recording_sample(rec, i, &s, &err);
		if (r < 0)
			fail_msg("sample %zu: %s", i, err.text);
		vmt_sample_free(s);
	}
	*ret_damaged = vmt_recording_is_damaged(rec);
	remark[0] = 0;
	for (i = 0; vmt_recording_remark(rec, i); i++)
		snprintf(remark, size, "%s", vmt_recording_remark(rec, i));
	return (int)vmt_recording_n(rec);
}

/* A recording of lines that no recorder would write. */
static inline void write_lines(const char *lines)
{
	struct vmt_record_file *f;
	struct vmt_record_found found;

	unlink(path);
	assert_int_equal(vmt_record_file_open(path, true, &f, &found, NULL), 0);
	assert_int_equal(vmt_record_file_add(f, vmt_bytes_of(lines)), 0);
	assert_int_equal(vmt_record_file_close(f), 0);
}

#define HEAD(version, page, more)                                                                  \
	"{\"type\":\"header\",\"schema\":\"vmtop.recording\",\"version\":" version                 \
	",\"minor\":7,\"boot_id\":\"b\",\"host\":{\"page_size_bytes\":" page "}" more "}\n"
#define SAMPLE(key, data)                                                                             \
	"{\"type\":\"sample\",\"realtime_ns\":5,\"monotonic_ns\":6,\"boottime_ns\":7,\"key_ns\":" key \
	",\"data\":{" data "}}\n"
#define CHANGE(data)                                                                               \
	"{\"type\":\"sample\",\"realtime_ns\":8,\"monotonic_ns\":9,\"boottime_ns\":9,\"key_ns\":6" \
	",\"data\":{" data "}}\n"
