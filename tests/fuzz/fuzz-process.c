/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stat, statm, status, smaps_rollup, cgroup, numa_maps, syscall and cmdline; the first byte says
 * which. */
#include "base/parse.h"
#include "fuzz.h"
#include "source/maps.h"
#include "source/numa-maps.h"
#include "source/pids.h"
#include "source/proc-texts.h"
#include "source/thread-stacks.h"

static int stat_of(struct vmt_bytes text, struct vmt_arena *arena, struct vmt_proc *p)
{
	const char *open = text.len ? memchr(text.ptr, '(', text.len) : NULL;
	const char *close = text.len ? memrchr(text.ptr, ')', text.len) : NULL;
	struct vmt_pid_facts facts = { 0 };
	int r = vmt_pid_stat_parse(text, 100, arena, p, &facts, NULL);

	if (r == 0) {
		/* The name is all that stands between them, whatever it is. */
		CHECK(open && close && open < close);
		CHECK(p->comm.len == (size_t)(close - open - 1));
		CHECK(memcmp(p->comm.ptr, open + 1, p->comm.len) == 0);
		CHECK(p->state.len == 1);
		CHECK(VMT_HAS(proc, start_time_ns, p));
	}
	return r;
}

static int statm_of(struct vmt_bytes text, struct vmt_proc *p)
{
	int r = vmt_pid_statm_parse(text, 65536, p, NULL);

	if (r == 0)
		CHECK(p->vsize_bytes % 65536 == 0 && p->rss_bytes % 65536 == 0);
	else
		CHECK(!VMT_HAS(proc, vsize_bytes, p) && !VMT_HAS(proc, rss_bytes, p));
	return r;
}

static int status_of(struct vmt_bytes text, struct vmt_arena *arena, struct vmt_proc *p)
{
	struct vmt_pid_facts facts = { 0 };
	int r = vmt_pid_status_parse(text, arena, p, &facts, NULL);

	if (r == 0) {
		CHECK(facts.unknown_keys <= text.len);
		CHECK(p->comm.len <= text.len);
		vmt_pid_settle(p, &facts);
		CHECK(VMT_HAS(proc, class, p) || !VMT_HAS(proc, state, p));
	}
	return r;
}

/* One line of numa_maps; what is told of it lies in it. */
static int numa_of(struct vmt_bytes text)
{
	struct vmt_numa_line n = { 0 };
	struct vmt_bytes line = { 0 };
	int r;

	vmt_take_line(&text, &line);
	r = vmt_numa_line_parse(line, &n);
	if (r == 0) {
		CHECK(n.policy.len && n.policy.ptr > line.ptr);
		CHECK(n.policy.ptr + n.policy.len <= line.ptr + line.len);
		CHECK(!n.nodes.len || (n.nodes.ptr[0] == 'N' && n.nodes.ptr > n.policy.ptr));
		CHECK(!n.nodes.len || n.nodes.ptr + n.nodes.len <= line.ptr + line.len);
		CHECK(n.unknown <= line.len);
	}
	return r;
}

static int syscall_of(struct vmt_bytes text)
{
	uint64_t sp = 0;

	CHECK(vmt_syscall_stack(text, &sp) == (sp != 0));
	return 0;
}

/* Its words, with blanks in the place of what is between them, and nothing of what is behind. */
static int cmdline_of(struct vmt_bytes text, struct vmt_arena *arena)
{
	struct vmt_bytes line = { 0 };
	int r = vmt_proc_cmdline_parse(text, arena, &line);
	size_t i;

	CHECK(r == 0 && line.len <= text.len && !(line.len && memchr(line.ptr, 0, line.len)));
	for (i = 0; i < text.len; i++)
		CHECK(i < line.len ? line.ptr[i] == (text.ptr[i] ? text.ptr[i] : ' ')
				   : !text.ptr[i] || text.ptr[i] == ' ');
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned choice = fuzz_choice(&data, &size) % 8;
	struct vmt_bytes text = fuzz_text(data, size);
	struct vmt_proc p = { 0 };
	struct vmt_arena arena;
	uint64_t unknown = 0;
	int r;

	vmt_arena_init(&arena);
	if (choice == 0) {
		r = stat_of(text, &arena, &p);
	} else if (choice == 1) {
		r = statm_of(text, &p);
	} else if (choice == 2) {
		r = status_of(text, &arena, &p);
	} else if (choice == 4) {
		r = vmt_pid_cgroup_parse(text, &arena, &p);
		if (VMT_HAS(proc, cgroup, &p))
			CHECK(p.cgroup.len < text.len && !memchr(p.cgroup.ptr, '\n', p.cgroup.len));
	} else if (choice == 5) {
		r = numa_of(text);
	} else if (choice == 6) {
		r = syscall_of(text);
	} else if (choice == 7) {
		r = cmdline_of(text, &arena);
	} else {
		r = vmt_rollup_parse(text, &p, &arena, &unknown, NULL);
		if (VMT_HAS(proc, other, &p))
			fuzz_other(p.other);
		r = r > 0 ? 0 : r;
		if (VMT_HAS(proc, uss_bytes, &p))
			CHECK(p.uss_bytes >= p.private_clean_bytes);
	}
	CHECK(r == 0 || r == -EINVAL || r == -ERANGE);
	vmt_arena_done(&arena);
	return 0;
}
