/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * shares [--dir DIR] [RUNG]...: what the time of faults was spent on. A file of FUSE whose server
 * waits is read by faults: the time that they read is no less than the server waited, and no more
 * than they took. And a thread faults while another one holds mmap_lock, through /proc/self/mem in
 * a page of that file, and a third one waits to change a mapping: the time that the fault waited
 * for the lock is most of what the access took, and it read nothing. In a guest, memory
 * comes from swap: it is most of the time of these faults, and they read no file.
 */

#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "stall.h"
#include "window.h"

#define PAGE	   4096u
#define PAGES	   (STALL_SLOW_SIZE / PAGE)
#define READS	   8u /* pages that are faulted; the lock is held with the others */
#define FUSE_US	   50000u
#define SWAP_PAGES 512u /* of the process's own, and of shared memory */

/* What the child found, in memory of both. */
struct truth {
	uint64_t file; /* the mapping of the slow file */
	uint64_t fresh; /* a mapping for each page, with a gap behind it */
	uint64_t access_ns; /* of faults that found the lock held, all together */
	unsigned hits; /* how many these were */
	bool hit[PAGES];
	uint64_t swapped[2]; /* mappings that were in swap for a part; 0: there is no swap */
	char unable[160];
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static __attribute__((noreturn)) void unable(struct truth *t, const char *what)
{
	snprintf(t->unable, sizeof(t->unable), "%s: %m", what);
	_exit(1);
}

/* A thread that does something when it is told to, once for each time. */
struct worker {
	pthread_t thread;
	void (*work)(struct worker *w);
	struct truth *truth;
	char *range; /* for the one that changes a mapping */
	unsigned page; /* for the one that holds the lock */
	pid_t tid;
	unsigned told;
	unsigned begun;
	unsigned done;
};

static void *worker_run(void *arg)
{
	struct worker *w = arg;
	unsigned n = 0;

	__atomic_store_n(&w->tid, (pid_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
	for (;;) {
		while (__atomic_load_n(&w->told, __ATOMIC_ACQUIRE) == n)
			stall_pause(50);
		n++;
		__atomic_store_n(&w->begun, n, __ATOMIC_RELEASE);
		w->work(w);
		__atomic_store_n(&w->done, n, __ATOMIC_RELEASE);
	}
	return NULL;
}

static void worker_start(struct worker *w, struct truth *t, void (*work)(struct worker *w))
{
	w->truth = t;
	w->work = work;
	if (pthread_create(&w->thread, NULL, worker_run, w))
		unable(t, "pthread_create");
	while (!__atomic_load_n(&w->tid, __ATOMIC_ACQUIRE))
		stall_pause(50);
}

static void worker_tell(struct worker *w)
{
	__atomic_fetch_add(&w->told, 1, __ATOMIC_RELEASE);
}

static bool worker_is_done(const struct worker *w)
{
	return __atomic_load_n(&w->done, __ATOMIC_ACQUIRE) == w->told;
}

static void hold_lock(struct worker *w)
{
	int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	char c;

	/* What get_user_pages() waits for, it waits for with the lock. */
	if (fd < 0 || pread(fd, &c, 1, (off_t)(w->truth->file + w->page * PAGE)) != 1)
		unable(w->truth, "/proc/self/mem");
	close(fd);
}

static void change_mapping(struct worker *w)
{
	if (mprotect(w->range, PAGE, w->told % 2 ? PROT_READ : PROT_READ | PROT_WRITE))
		unable(w->truth, "mprotect");
}

/* Faults behind a lock that is held for reading, and waited for by one who wants to write. */
static void fault_behind(struct truth *t, struct worker *holder, struct worker *writer, unsigned i)
{
	volatile char *page = (volatile char *)(uintptr_t)(t->fresh + 2 * i * PAGE);
	uint64_t begin;

	holder->page = READS + i;
	worker_tell(holder);
	/* Until it waits for the server. */
	while (__atomic_load_n(&holder->begun, __ATOMIC_ACQUIRE) != holder->told ||
	       (stall_state(holder->tid) == 'R' && !worker_is_done(holder)))
		stall_pause(100);
	worker_tell(writer);
	while (!worker_is_done(writer) &&
	       (__atomic_load_n(&writer->begun, __ATOMIC_ACQUIRE) != writer->told ||
		stall_state(writer->tid) != 'D'))
		stall_pause(100);
	if (!worker_is_done(writer)) {
		begin = now_ns();
		*page = 1;
		t->access_ns += now_ns() - begin;
		t->hit[i] = true;
		t->hits++;
	}
	while (!worker_is_done(writer) || !worker_is_done(holder))
		stall_pause(100);
}

struct job {
	struct truth *truth;
	const char *dir;
	const char *group; /* whose memory can be put into swap; NULL: there is none */
};

static bool put(const char *group, const char *name, const char *text)
{
	char path[200];
	ssize_t len = (ssize_t)strlen(text);
	bool good;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", group, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	good = fd >= 0 && write(fd, text, (size_t)len) == len;
	if (fd >= 0)
		close(fd);
	return good;
}

/* Makes memory and lets the kernel take it away: who lowers the limit waits until it is done. */
static void swap_out(struct truth *t, const char *group)
{
	static const int kinds[] = { MAP_PRIVATE, MAP_SHARED };
	size_t size = SWAP_PAGES * PAGE;

	if (!put(group, "cgroup.procs", "0"))
		unable(t, group);
	for (unsigned k = 0; k < 2; k++) {
		volatile char *m =
			mmap(NULL, size, PROT_READ | PROT_WRITE, kinds[k] | MAP_ANONYMOUS, -1, 0);

		if (m == MAP_FAILED || madvise((void *)(uintptr_t)m, size, MADV_NOHUGEPAGE))
			unable(t, "mmap");
		for (size_t i = 0; i < size; i += PAGE)
			m[i] = 1;
		t->swapped[k] = (uintptr_t)m;
	}
	if (!put(group, "memory.high", "0") || !put(group, "memory.high", "max"))
		unable(t, "memory.high");
}

static void swap_in(const struct truth *t)
{
	for (unsigned k = 0; k < 2; k++)
		for (size_t i = 0; t->swapped[k] && i < SWAP_PAGES; i++)
			(void)*(volatile const char *)(uintptr_t)(t->swapped[k] + i * PAGE);
}

static void workload(const struct pipes *p, void *arg)
{
	static struct worker holder, writer;
	const struct job *job = arg;
	struct truth *t = job->truth;
	char path[160], *fresh;
	volatile const char *file;
	unsigned i;
	int fd;

	snprintf(path, sizeof(path), "%s/file", job->dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	file = mmap(NULL, STALL_SLOW_SIZE, PROT_READ, MAP_PRIVATE, fd, 0);
	/* One page comes at a time. */
	if (fd < 0 || file == MAP_FAILED ||
	    madvise((void *)(uintptr_t)file, STALL_SLOW_SIZE, MADV_RANDOM))
		unable(t, path);
	t->file = (uintptr_t)file;
	fresh = mmap(NULL, (2 * PAGES + 2) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (fresh == MAP_FAILED)
		unable(t, "mmap");
	for (i = 0; i <= PAGES; i++)
		if (mprotect(fresh + (2 * i + 1) * PAGE, PAGE, PROT_READ | PROT_WRITE))
			unable(t, "mprotect");
	t->fresh = (uintptr_t)fresh + PAGE;
	writer.range = fresh + (2 * PAGES + 1) * PAGE;
	if (job->group)
		swap_out(t, job->group);
	meet(p);
	/* They look at the clock all the time, and the probe is there by now. */
	worker_start(&holder, t, hold_lock);
	worker_start(&writer, t, change_mapping);
	for (i = 0; i < READS; i++)
		(void)file[i * PAGE];
	for (i = 0; READS + i < PAGES; i++)
		fault_behind(t, &holder, &writer, i);
	swap_in(t);
	meet(p);
}

static void judge_reads(struct check *c, const struct vmt_fault_sample *f, const struct truth *t,
			const struct stall *s)
{
	uint64_t waits[PAGES] = { 0 }, waited = 0, faults = 0, stall = 0, read = 0, by_kind = 0;
	size_t n = stall_waited(s, waits, PAGES), i;

	if (!f->has_read) {
		check_skip(c->name, "%s: no hook at filemap_fault()", vmt_rung_name(f->rung));
		return;
	}
	for (i = 0; i < READS && i < n; i++)
		waited += waits[i];
	for (i = 0; i < f->n_maps; i++) {
		const struct vmt_fault_raw *m = &f->maps[i];

		if (m->start > t->file || t->file >= m->end)
			continue;
		faults += m->minor + m->major;
		stall += m->latency.sum_ns;
		read += m->spent.read_ns;
		for (size_t k = 0; k < f->n_kinds; k++)
			if (f->kinds[k].slot == m->slot && f->kinds[k].pid == m->pid)
				by_kind += f->kinds[k].spent.read_ns;
	}
	check_that(c, faults == READS, "%" PRIu64 " faults", faults);
	check_that(c, read >= waited && read <= stall, "not between the waits and the stall");
	check_that(c, by_kind == read, "by kind it is %" PRIu64, by_kind);
	check_end(c, "%s: %.1f ms of %.1f read, the server waited %.1f", vmt_rung_name(f->rung),
		  (double)read / 1e6, (double)stall / 1e6, (double)waited / 1e6);
}

static void judge_lock(struct check *c, const struct vmt_fault_sample *f, const struct truth *t)
{
	uint64_t lock = 0, stall = 0, read = 0, faults = 0;

	if (!f->has_lock) {
		check_skip(c->name, "%s: this kernel does not tell who waits for mmap_lock",
			   vmt_rung_name(f->rung));
		return;
	}
	if (!t->hits) {
		check_skip(c->name, "%s: nobody had to wait for mmap_lock", vmt_rung_name(f->rung));
		return;
	}
	for (size_t i = 0; i < f->n_maps; i++) {
		const struct vmt_fault_raw *m = &f->maps[i];
		uint64_t page = (m->start - t->fresh) / (2 * PAGE);

		if (m->start < t->fresh || page >= PAGES || !t->hit[page])
			continue;
		faults += m->minor + m->major;
		lock += m->spent.lock_ns;
		read += m->spent.read_ns;
		stall += m->latency.sum_ns;
	}
	check_that(c, faults == t->hits, "%" PRIu64 " faults for %u accesses", faults, t->hits);
	check_that(c, lock <= stall && stall <= t->access_ns, "more than the accesses took");
	check_that(c, lock >= t->access_ns / 2, "less than half of what they took");
	check_that(c, !read, "and it read");
	check_end(c, "%s: %u faults waited %.1f ms of %.1f, the accesses took %.1f",
		  vmt_rung_name(f->rung), t->hits, (double)lock / 1e6, (double)stall / 1e6,
		  (double)t->access_ns / 1e6);
}

/* What of the major faults was swap; of those from the swap cache, nothing is. */
static void judge_swap(struct check *c, const struct vmt_fault_sample *f, const struct truth *t)
{
	uint64_t swap = 0, stall = 0, all = 0;

	if (!t->swapped[0]) {
		check_skip(c->name, "no swap area that is a test's own");
		return;
	}
	if (!f->has_swap) {
		check_that(c, f->rung == VMT_RUNG_TRACEPOINT, "no hook at do_swap_page()");
		check_end(c, "%s: what comes from swap is not told", vmt_rung_name(f->rung));
		return;
	}
	for (size_t i = 0; i < f->n_maps; i++) {
		const struct vmt_fault_raw *m = &f->maps[i];
		uint64_t in_kinds = 0, major_ns = 0;

		if (m->start != t->swapped[0] && m->start != t->swapped[1])
			continue;
		for (size_t k = 0; k < f->n_kinds; k++) {
			const struct vmt_fault_by_kind *by = &f->kinds[k];

			if (by->slot != m->slot || by->pid != m->pid)
				continue;
			in_kinds += by->spent.swap_ns;
			if (by->kind == VMT_KIND_SWAP_MAJOR)
				major_ns += by->latency.sum_ns;
			else
				check_that(c, !by->spent.swap_ns, "kind %d is swap", by->kind);
		}
		check_that(c, in_kinds == m->spent.swap_ns, "by kind it is %" PRIu64, in_kinds);
		check_that(c, major_ns && in_kinds <= major_ns && in_kinds >= major_ns / 2,
			   "%" PRIu64 " ns of %" PRIu64 " of those from swap", in_kinds, major_ns);
		check_that(c, !m->spent.read_ns, "it read a file");
		swap += in_kinds;
		stall += major_ns;
		all++;
	}
	check_that(c, all == 2, "%" PRIu64 " of 2 mappings", all);
	check_end(c, "%s: %.1f ms of %.1f of faults that read from swap", vmt_rung_name(f->rung),
		  (double)swap / 1e6, (double)stall / 1e6);
}

/* A swap area, and a group that can be put there, where the machine is the test's own. */
static bool make_group(char *path, size_t size)
{
	const char *swap = getenv("GUEST_SWAP");

	snprintf(path, size, "/sys/fs/cgroup/vmtop-test-%d", (int)getpid());
	if (!swap || !put("/sys/fs/cgroup", "cgroup.subtree_control", "+memory") ||
	    mkdir(path, 0755))
		return false;
	if (!swapon(swap, 0))
		return true;
	rmdir(path);
	return false;
}

static void waits(const char *name, enum vmt_rung_id rung, const char *dir, struct truth *t)
{
	struct vmt_probe_opts opts = { .rung = rung, .by_kind = true, .asks = VMT_ASK_SHARES };
	struct job job = { .truth = t };
	struct check reads, lock, swap;
	struct window w;
	char group[100];
	struct stall s;
	int r;

	check_begin(&reads, "shares/%s/reading", name);
	check_begin(&lock, "shares/%s/mmap-lock", name);
	check_begin(&swap, "shares/%s/swap", name);
	if (stall_slow(&s, dir, FUSE_US)) {
		check_skip(reads.name, "%s", s.why);
		check_skip(lock.name, "%s", s.why);
		check_skip(swap.name, "%s", s.why);
		return;
	}
	memset(t, 0, sizeof(*t));
	job.dir = s.dir;
	job.group = make_group(group, sizeof(group)) ? group : NULL;
	r = window_begin(&w, workload, &job);
	r = r ?: window_count(&w, &opts, false, NULL);
	if (check_that(&reads, !r, "%s; %s", w.err.text, t->unable))
		judge_reads(&reads, &w.f, t, &s);
	else
		check_end(&reads, "%s", "");
	if (check_that(&lock, !r, "%s; %s", w.err.text, t->unable))
		judge_lock(&lock, &w.f, t);
	else
		check_end(&lock, "%s", "");
	if (check_that(&swap, !r, "%s; %s", w.err.text, t->unable))
		judge_swap(&swap, &w.f, t);
	else
		check_end(&swap, "%s", "");
	window_end(&w);
	if (job.group) {
		swapoff(getenv("GUEST_SWAP"));
		rmdir(group);
	}
	stall_end(&s);
}

int main(int argc, char **argv)
{
	struct truth *t =
		mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const char *dir = "/var/tmp";
	int i = 1;

	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (t == MAP_FAILED)
		return 1;
	if (argc > 2 && !strcmp(argv[1], "--dir")) {
		dir = argv[2];
		i = 3;
	}
	if (i == argc)
		waits("auto", VMT_RUNG_NONE, dir, t);
	for (; i < argc; i++)
		waits(argv[i], vmt_rung_of(argv[i]), dir, t);
	return 0;
}
