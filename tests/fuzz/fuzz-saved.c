/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vmtop metrics groups processes by, and keeps between its runs; faults of a saved machine;
 * and lists of events. The first byte says which. */
#include <errno.h>

#include "cmd/metrics-groups.h"
#include "cmd/metrics-state.h"
#include "fuzz.h"
#include "model/events.h"
#include "model/model.h"
#include "source/saved-faults.h"

static struct vmt_bytes text_of(const struct vmt_buf *b)
{
	CHECK(vmt_buf_error(b) == 0);
	return (struct vmt_bytes){ b->data, b->len };
}

/* Each process is in a group that there is, or in the rest. */
static void groups(struct vmt_bytes text)
{
	static const char *const names[] = { "sh", "a", "", "memory", "\x1b[2J" };
	VMT_AUTO_METRIC_GROUPS g = { 0 };
	struct vmt_err err = { 0 };
	size_t i, k;

	if (vmt_metric_groups_parse("groups.conf", text, &g, &err) < 0) {
		CHECK(err.text[0]);
		return;
	}
	CHECK(g.n <= VMT_METRIC_GROUPS_MAX);
	for (i = 0; i < VMT_ARRAY_LEN(names); i++) {
		struct vmt_proc p = { 0 };
		struct vmt_bytes name;

		VMT_SET(proc, comm, &p, vmt_bytes_of(names[i]));
		VMT_SET(proc, uid, &p, i * 1000);
		if (i & 1)
			VMT_SET(proc, cgroup, &p, vmt_bytes_of(names[i]));
		name = vmt_metric_group_of(&g, &p);
		for (k = 0; k < g.n && !vmt_bytes_is(name, g.groups[k].name); k++)
			CHECK(g.groups[k].name[0]);
		CHECK(k < g.n || vmt_bytes_is(name, VMT_METRIC_GROUP_REST));
	}
	for (k = 0; k < g.n; k++) {
		bool asks = false;

		for (i = 0; i < VMT_GROUP_KEY_COUNT; i++) {
			asks |= g.groups[k].patterns[i] != NULL;
			CHECK(!g.groups[k].patterns[i] ||
			      vmt_metric_groups_ask(&g, (enum vmt_group_key)i));
		}
		CHECK(asks);
	}
}

/* A state that is read is written, and read again it is the same; no total goes back. */
static void state(struct vmt_bytes text)
{
	VMT_AUTO_BUF first = { 0 };
	VMT_AUTO_BUF second = { 0 };
	struct vmt_proc procs[2] = { 0 };
	const struct vmt_bytes names[2] = { VMT_BYTES("memory"), VMT_BYTES("other") };
	struct vmt_metric_state s, again, next;
	struct vmt_err err = { 0 };
	size_t i;

	vmt_metric_state_init(&s);
	vmt_metric_state_init(&again);
	vmt_metric_state_init(&next);
	if (vmt_metric_state_parse(&s, "state", text, &err) < 0) {
		CHECK(err.text[0] && err.line > 0 && !s.n_totals && !s.n_seen);
	} else {
		vmt_metric_state_write(&s, &first);
		CHECK(vmt_metric_state_parse(&again, "state", text_of(&first), NULL) == 0);
		vmt_metric_state_write(&again, &second);
		CHECK(vmt_bytes_equal(text_of(&first), text_of(&second)));
		for (i = 0; i < 2; i++) {
			procs[i].pid = 3 + 4 * i;
			VMT_SET(proc, start_time_ns, &procs[i], 1);
			VMT_SET(proc, minor_faults_total, &procs[i], UINT64_MAX - 1);
			VMT_SET(proc, major_faults_total, &procs[i], 5000);
		}
		CHECK(vmt_metric_state_next(&s, s.boot_id, procs, names, 2, &next) == 0);
		for (i = 0; i < s.n_totals; i++) {
			const struct vmt_fault_counts *now =
				vmt_metric_state_total(&next, s.totals[i].name);

			CHECK(now && now->minor >= s.totals[i].faults.minor &&
			      now->major >= s.totals[i].faults.major);
		}
	}
	vmt_metric_state_done(&s);
	vmt_metric_state_done(&again);
	vmt_metric_state_done(&next);
}

/* What the mappings have is what the faults are. */
static void faults(struct vmt_bytes text)
{
	const struct vmt_host host = { .page_size = 4096 };
	const uint64_t end = UINT64_C(1) << 40;
	struct vmt_fault_sample f = { 0 };
	struct vmt_err err = { 0 };
	struct vmt_single *rows;
	struct vmt_arena arena;
	uint64_t mapped = 0, all = 0;
	size_t i, n;
	int r;

	vmt_arena_init(&arena);
	r = vmt_saved_faults_parse(text, end, 4096, &arena, &f, &err);
	CHECK(r == 0 || (r == -EINVAL && err.line > 0));
	for (i = 0; r == 0 && i < f.n_maps; i++) {
		CHECK(f.maps[i].start < f.maps[i].end && f.maps[i].slot);
		mapped += f.maps[i].minor + f.maps[i].major;
	}
	for (i = 0; r == 0 && i < f.n_singles; i++) {
		CHECK(f.singles[i].end_ns >= f.start_ns && f.singles[i].end_ns <= end);
		CHECK(f.singles[i].faults > 0 &&
		      memchr(f.singles[i].comm, 0, sizeof(f.singles[i].comm)));
		all += f.singles[i].faults;
	}
	if (r == 0) {
		CHECK(f.totals.singles == all && f.totals.mapped == mapped);
		CHECK(f.totals.mapped + f.totals.unattributed == all);
		CHECK(f.totals.kernel_minor + f.totals.kernel_major == all);
		CHECK(vmt_single_rows(&f, &host, &arena, &rows, &n) == 0 && n == f.n_singles);
	}
	vmt_arena_done(&arena);
}

/* What is refused has the word that is none. */
static void only(struct vmt_bytes text)
{
	VMT_AUTO_FREE char *list = strndup(text.len ? text.ptr : "", text.len);
	struct vmt_bytes word = { 0 };
	uint32_t calls = 0;
	int r;

	CHECK(list);
	r = vmt_event_only_parse(list, &calls, &word);
	CHECK(r == 0 ? calls && calls < UINT32_C(1) << VMT_CALLS : r == -EINVAL && word.ptr);
	if (r < 0)
		CHECK(word.ptr >= list && word.ptr + word.len <= list + strlen(list));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const all[])(struct vmt_bytes text) = { groups, state, faults, only };
	unsigned choice = fuzz_choice(&data, &size) % VMT_ARRAY_LEN(all);

	all[choice](fuzz_text(data, size));
	return 0;
}
