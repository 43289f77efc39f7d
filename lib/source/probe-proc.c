/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The last rung: counters of /proc/PID/stat, before and after. It works wherever /proc does. */

#include "source/probe-proc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "model/rows.h"
#include "source/pids.h"

#define STAT_MAX 4096u

static int take_one(const struct vmt_root *root, uint64_t pid, struct vmt_arena *arena,
		    struct vmt_buf *buf, struct vmt_probe_count *ret)
{
	VMT_AUTO_CLOSE int fd = vmt_root_open_pid(root, pid);
	struct vmt_pid_facts facts = { 0 };
	struct vmt_proc proc = { 0 };
	int64_t n;
	int r;

	if (fd < 0)
		return fd;
	vmt_buf_clear(buf);
	n = vmt_slurp_at(fd, "stat", buf, STAT_MAX);
	if (n < 0)
		return (int)n;
	r = vmt_pid_stat_parse((struct vmt_bytes){ buf->data, buf->len }, root->user_hz, arena,
			       &proc, &facts, NULL);
	if (r)
		return r;
	*ret = (struct vmt_probe_count){
		.pid = pid,
		.start_time_ns = proc.start_time_ns,
		.minor = proc.minor_faults_total,
		.major = proc.major_faults_total,
	};
	ret->comm_len = proc.comm.len < sizeof(ret->comm) ? proc.comm.len : sizeof(ret->comm);
	memcpy(ret->comm, proc.comm.ptr, ret->comm_len);
	return 0;
}

int vmt_probe_counts_take(const struct vmt_probe *p, const struct vmt_root *root,
			  struct vmt_probe_counts *counts, struct vmt_err *err)
{
	VMT_AUTO_FREE uint64_t *pids = NULL;
	VMT_CLEANUP(vmt_buf_done) struct vmt_buf buf;
	size_t n_pids = 0;
	int r;

	vmt_buf_init(&buf);
	counts->n = 0;
	counts->taken_ns = vmt_now_ns(CLOCK_BOOTTIME);
	r = vmt_pids_list(root, &pids, &n_pids, err);
	if (r)
		return r;
	for (size_t i = 0; i < n_pids; i++) {
		VMT_CLEANUP(vmt_arena_done) struct vmt_arena arena;

		vmt_arena_init(&arena);
		if (!vmt_probe_wants(p, (pid_t)pids[i]))
			continue;
		if (vmt_grow(&counts->rows, &counts->cap, counts->n + 1, sizeof(*counts->rows)))
			return vmt_err_set(err, -ENOMEM, NULL, 0, "no memory for the counters");
		r = take_one(root, pids[i], &arena, &buf, &counts->rows[counts->n]);
		if (r == -ENOMEM)
			return vmt_err_set(err, r, NULL, 0, "no memory for the counters");
		if (!r)
			counts->n++;
	}
	return 0;
}

int vmt_probe_counts_add(const struct vmt_root *root, uint64_t pid, struct vmt_probe_counts *counts,
			 struct vmt_err *err)
{
	VMT_CLEANUP(vmt_arena_done) struct vmt_arena arena;
	VMT_AUTO_BUF buf;
	struct vmt_probe_count row = { 0 };
	size_t i = counts->n;
	int r;

	vmt_arena_init(&arena);
	vmt_buf_init(&buf);
	if (vmt_grow(&counts->rows, &counts->cap, counts->n + 1, sizeof(*counts->rows)))
		return vmt_err_set(err, -ENOMEM, NULL, 0, "no memory for the counters");
	r = take_one(root, pid, &arena, &buf, &row);
	if (r)
		return vmt_err_set(err, r, NULL, 0, "the counters of process %llu cannot be read",
				   (unsigned long long)pid);
	while (i && counts->rows[i - 1].pid > pid)
		i--;
	if (i && counts->rows[i - 1].pid == pid) {
		counts->rows[i - 1] = row;
		return 0;
	}
	memmove(&counts->rows[i + 1], &counts->rows[i], (counts->n - i) * sizeof(row));
	counts->rows[i] = row;
	counts->n++;
	return 0;
}

void vmt_probe_counts_done(struct vmt_probe_counts *counts)
{
	free(counts->rows);
	*counts = (struct vmt_probe_counts){ 0 };
}

static const struct vmt_probe_count *find_pid(const struct vmt_probe_counts *counts, uint64_t pid)
{
	size_t low = 0, high = counts->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (counts->rows[mid].pid < pid)
			low = mid + 1;
		else
			high = mid;
	}
	return low < counts->n && counts->rows[low].pid == pid ? &counts->rows[low] : NULL;
}

const struct vmt_probe_count *vmt_probe_counts_find(const struct vmt_probe_counts *counts,
						    uint64_t pid, uint64_t start_time_ns)
{
	const struct vmt_probe_count *row = find_pid(counts, pid);

	return row && row->start_time_ns == start_time_ns ? row : NULL;
}

bool vmt_probe_counts_has(const struct vmt_probe_counts *counts, uint64_t pid)
{
	return find_pid(counts, pid) != NULL;
}

int vmt_probe_counts_compare(const struct vmt_probe_counts *before,
			     const struct vmt_probe_counts *after, struct vmt_arena *arena,
			     struct vmt_fault_sample *ret)
{
	struct vmt_fault_totals *t = &ret->totals;
	uint64_t self = (uint64_t)getpid();

	ret->procs = vmt_arena_alloc(arena, after->n ? after->n : 1, sizeof(*ret->procs));
	if (!ret->procs)
		return -ENOMEM;
	for (size_t i = 0; i < after->n; i++) {
		const struct vmt_probe_count *now = &after->rows[i];
		const struct vmt_probe_count *then =
			vmt_probe_counts_find(before, now->pid, now->start_time_ns);
		struct vmt_fault_proc *out = &ret->procs[ret->n_procs];
		char *comm;

		/* Not seen before, and not born since: it was hidden, and its start is unknown. */
		if (!then && now->start_time_ns + 1000000000u < before->taken_ns) {
			t->no_account++;
			continue;
		}
		comm = vmt_arena_copy(arena, now->comm, now->comm_len);
		if (!comm)
			return -ENOMEM;
		ret->n_procs++;
		out->pid = now->pid;
		out->start_time_ns = now->start_time_ns;
		out->comm = (struct vmt_bytes){ comm, now->comm_len };
		out->self = now->pid == self;
		out->kernel_minor = now->minor - (then ? then->minor : 0);
		out->kernel_major = now->major - (then ? then->major : 0);
		out->unattributed = out->kernel_minor + out->kernel_major;
		t->kernel_minor += out->kernel_minor;
		t->kernel_major += out->kernel_major;
		t->unattributed += out->unattributed;
	}
	return 0;
}

struct proc_state {
	const struct vmt_probe *probe;
	struct vmt_root *root;
	struct vmt_probe_counts before;
	struct vmt_probe_counts after;
	bool stopped;
};

#define CANARY_PAGES 64u

/* What getrusage() says, and what /proc says between two calls of it that agree. */
struct canary_view {
	struct rusage usage;
	struct vmt_probe_count count;
};

static int canary_look(const struct vmt_root *root, struct canary_view *view)
{
	VMT_CLEANUP(vmt_arena_done) struct vmt_arena arena;
	VMT_AUTO_BUF buf;

	/* Both stay: fresh memory in each turn would fault in each turn. */
	vmt_arena_init(&arena);
	vmt_buf_init(&buf);
	for (int i = 0; i < 16; i++) {
		struct rusage before;
		int r;

		vmt_buf_clear(&buf);
		getrusage(RUSAGE_SELF, &before);
		r = take_one(root, (uint64_t)getpid(), &arena, &buf, &view->count);
		getrusage(RUSAGE_SELF, &view->usage);
		if (r)
			return r;
		if (before.ru_minflt == view->usage.ru_minflt &&
		    before.ru_majflt == view->usage.ru_majflt)
			return 0;
	}
	/* Reading faults each time, or another thread of this process does. */
	return -EAGAIN;
}

/*
 * The self-check: fresh pages of our own, by /proc and by getrusage(). Both add up the same
 * counters (fs/proc/array.c do_task_stat(), kernel/sys.c getrusage()), so they agree to the unit
 * unless /proc is not that of this process.
 */
static enum vmt_canary canary(struct vmt_probe *p, const struct vmt_root *root)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct canary_view before = { 0 }, after = { 0 };
	uint64_t counted, usage;
	unsigned char *base;
	int r;

	base = mmap(NULL, CANARY_PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
	if (base == MAP_FAILED) {
		snprintf(p->canary_text, sizeof(p->canary_text), "no memory to check itself with");
		return VMT_CANARY_PARTIAL;
	}
	madvise(base, CANARY_PAGES * page, MADV_NOHUGEPAGE);
	r = canary_look(root, &before);
	for (size_t i = 0; i < CANARY_PAGES; i++)
		*(volatile unsigned char *)(base + i * page) = 1;
	r = r ?: canary_look(root, &after);
	munmap(base, CANARY_PAGES * page);
	if (r) {
		snprintf(p->canary_text, sizeof(p->canary_text),
			 "own counters cannot be compared: %s", vmt_errno_name(r));
		return VMT_CANARY_PARTIAL;
	}
	counted = after.count.minor - before.count.minor + after.count.major - before.count.major;
	usage = (uint64_t)(after.usage.ru_minflt - before.usage.ru_minflt) +
		(uint64_t)(after.usage.ru_majflt - before.usage.ru_majflt);
	snprintf(p->canary_text, sizeof(p->canary_text),
		 "own faults: %llu by /proc, %u pages touched; getrusage says %llu",
		 (unsigned long long)counted, CANARY_PAGES, (unsigned long long)usage);
	return counted == usage && counted >= CANARY_PAGES ? VMT_CANARY_TRUSTED
							   : VMT_CANARY_PARTIAL;
}

static void proc_close(void *state)
{
	struct proc_state *s = state;

	if (!s)
		return;
	vmt_probe_counts_done(&s->before);
	vmt_probe_counts_done(&s->after);
	vmt_root_unref(s->root);
	free(s);
}

static int proc_start(struct vmt_probe *p, const struct vmt_probe_rung *rung, void **ret_state,
		      struct vmt_err *err)
{
	struct proc_state *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return vmt_err_set(err, -ENOMEM, NULL, 0, "no memory for the probe");
	s->probe = p;
	r = vmt_root_open(NULL, &s->root, err);
	/* Before the first reading, so that its faults are in nobody's figures. */
	for (int i = 0; !r && i < 4; i++) {
		p->canary = canary(p, s->root);
		if (p->canary == VMT_CANARY_TRUSTED)
			break;
	}
	if (!r)
		r = vmt_probe_counts_take(p, s->root, &s->before, err);
	if (r) {
		proc_close(s);
		return r;
	}
	p->start_ns = vmt_probe_now();
	p->have |= rung->have;
	vmt_probe_note(p, rung, NULL, VMT_TRY_OK, 0, p->canary_text, NULL, NULL);
	*ret_state = s;
	return 0;
}

static int proc_stop(void *state, struct vmt_err *err)
{
	struct proc_state *s = state;
	int r = vmt_probe_counts_take(s->probe, s->root, &s->after, err);

	s->stopped = !r;
	return r;
}

/* From now on: what the process faulted before is not asked for. */
static int proc_watch(void *state, pid_t pid, struct vmt_err *err)
{
	struct proc_state *s = state;

	return vmt_probe_counts_add(s->root, (uint64_t)pid, &s->before, err);
}

static int proc_read(struct vmt_probe *p, void *state, struct vmt_arena *arena,
		     struct vmt_fault_sample *ret, struct vmt_err *err)
{
	struct proc_state *s = state;
	int r;

	if (!s->stopped) {
		r = vmt_probe_counts_take(p, s->root, &s->after, err);
		if (r)
			return r;
	}
	r = vmt_probe_counts_compare(&s->before, &s->after, arena, ret);
	return r ? vmt_err_set(err, r, NULL, 0, "no memory for the faults") : 0;
}

const struct vmt_probe_backend vmt_probe_proc = {
	.start = proc_start,
	.watch = proc_watch,
	.stop = proc_stop,
	.read = proc_read,
	.close = proc_close,
};
