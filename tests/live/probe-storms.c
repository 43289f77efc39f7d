/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What processes do: too many of them, killed ones, mappings that go while they are faulted. */

#include "probe-hostile.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/io_uring.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int touch_four(void *unused)
{
	(void)unused;
	for (int i = 0; i < 4; i++) {
		/* A page between two of them keeps them apart. */
		char *p = touch_fresh(8);

		if (!p || mprotect(p, HOSTILE_PAGE, PROT_NONE))
			return 1;
	}
	return 0;
}

#define LIVES 48

/*
 * Tables that are too small: what has no row is counted as such, and the sums hold all the same.
 * Only our own children are watched, so that it is known who should be there.
 */
static void full_tables(const char *name, struct vmt_probe_opts opts, bool accounts)
{
	pid_t self = getpid();
	struct life lives[LIVES];
	uint64_t truth = 0, counted = 0, rows = 0;
	const struct vmt_fault_totals *t;
	struct session s;
	struct check c;

	check_begin(&c, "F04/full/%s", name);
	opts.pids = &self;
	opts.n_pids = 1;
	opts.follow = true;
	session_begin(&s, &opts);
	for (size_t i = 0; i < LIVES; i++)
		lives[i] = life_begin(touch_four, NULL);
	for (size_t i = 0; i < LIVES; i++)
		life_wait(&lives[i]);
	t = &s.faults.totals;
	if (session_end(&s, &c)) {
		for (size_t i = 0; i < LIVES; i++)
			truth += lives[i].minor + lives[i].major;
		for (size_t i = 0; i < s.faults.n_procs; i++) {
			const struct vmt_fault_proc *p = &s.faults.procs[i];

			if (p->pid != (uint64_t)self)
				counted += p->kernel_minor + p->kernel_major;
			rows += p->pid == 0;
		}
		judge_sums(&c, &s.faults);
		if (accounts) {
			check_that(&c, counted == truth,
				   "%" PRIu64 " faults of children, wait4 says %" PRIu64, counted,
				   truth);
			for (size_t i = 0; i < LIVES && !opts.procs; i++)
				judge_life(&c, &s.faults, &lives[i]);
		} else {
			check_that(&c, counted <= truth, "%" PRIu64 " of %" PRIu64, counted, truth);
			check_that(&c, counted == truth || t->no_account,
				   "%" PRIu64 " faults are missing without a word",
				   truth - counted);
		}
		check_that(&c, t->lost == t->dropped + t->no_account, "lost is %" PRIu64, t->lost);
		check_that(&c, !opts.procs || rows == 1, "%" PRIu64 " rows for who has none", rows);
		check_that(&c, opts.maps != 8 || t->dropped, "nothing was dropped in 8 rows");
		check_that(&c, !opts.names || t->paths_missing, "every file has a name");
	}
	check_end(&c,
		  "%" PRIu64 " of %" PRIu64 " faults; %" PRIu64 " dropped, %" PRIu64
		  " events without an account, %" PRIu64 " files without a name, %" PRIu64
		  " of %" PRIu64 " rows",
		  counted, truth, t->dropped, t->no_account, t->paths_missing, t->slots_used,
		  t->slots_total);
	session_done(&s);
}

/* Observers that know nothing of each other. */

#define OBSERVERS 5

struct observer {
	pid_t pid;
	int to;
	int from;
};

struct seen {
	uint64_t minor;
	uint64_t major;
	uint64_t mapped;
	int error;
};

static int observe(int in, int out)
{
	struct vmt_probe_opts opts = { 0 };
	const struct vmt_fault_proc *p;
	struct seen seen = { 0 };
	struct session s;
	struct check c;
	pid_t victim;
	char ready = 'x';

	check_begin(&c, "F09/observer");
	session_begin(&s, &opts);
	if (s.result || write(out, &ready, 1) != 1 || read(in, &victim, sizeof(victim)) <= 0 ||
	    !session_end(&s, &c)) {
		printf("# F09: %s\n", s.err.text);
		fflush(stdout);
		return 1;
	}
	p = account_of(&s.faults, victim);
	seen.error = !p;
	if (p)
		seen = (struct seen){ p->kernel_minor, p->kernel_major,
				      p->mapped + p->gup + p->unattributed + p->dropped, 0 };
	if (write(out, &seen, sizeof(seen)) != sizeof(seen))
		return 1;
	session_done(&s);
	return 0;
}

static bool observer_start(struct observer *o)
{
	int to[2], from[2];
	char ready;

	if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC))
		abort();
	fflush(stdout);
	o->pid = fork();
	if (o->pid < 0)
		abort();
	if (!o->pid) {
		/* Or it would wait for itself when the test is gone. */
		close(to[1]);
		close(from[0]);
		_exit(observe(to[0], from[1]));
	}
	close(to[0]);
	close(from[1]);
	o->to = to[1];
	o->from = from[0];
	return read(o->from, &ready, 1) == 1;
}

static void several_at_once(size_t n)
{
	struct observer observers[OBSERVERS];
	bool ready = true;
	struct life life;
	struct check c;

	check_begin(&c, "F09/%zu-at-once", n);
	for (size_t i = 0; i < n; i++)
		ready = observer_start(&observers[i]) && ready;
	check_that(&c, ready, "not all of them start");
	life = life_begin(touch_four, NULL);
	life_wait(&life);
	for (size_t i = 0; i < n; i++) {
		struct seen seen;
		int status;

		check_that(
			&c,
			write(observers[i].to, &life.pid, sizeof(life.pid)) == sizeof(life.pid) &&
				read(observers[i].from, &seen, sizeof(seen)) == sizeof(seen) &&
				!seen.error && seen.minor == life.minor &&
				seen.major == life.major && seen.mapped == life.minor + life.major,
			"observer %zu does not count what wait4 says", i);
		close(observers[i].to);
		close(observers[i].from);
		check_that(&c, waitpid(observers[i].pid, &status, 0) > 0 && !status,
			   "observer %zu ends with %d", i, status);
	}
	check_end(&c, "%" PRIu64 "+%" PRIu64 " faults, each time", life.minor, life.major);
}

/* Threads of the kernel that fault for a process. */

#define RING_PAGES 64u

static long ring_setup(struct io_uring_params *params)
{
	memset(params, 0, sizeof(*params));
	return syscall(SYS_io_uring_setup, 1, params);
}

/* Reads a file into fresh memory by a worker of the ring. *told is where, and how much. */
static int read_by_ring(int file, uint64_t told[2])
{
	struct io_uring_params p;
	long fd = ring_setup(&p);
	size_t size, bytes = RING_PAGES * HOSTILE_PAGE;
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
	char *ring, *to;
	int result;

	if (fd < 0)
		return errno;
	size = p.cq_off.cqes + p.cq_entries * sizeof(*cqe);
	if (size < p.sq_off.array + p.sq_entries * sizeof(unsigned))
		size = p.sq_off.array + p.sq_entries * sizeof(unsigned);
	ring = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, (int)fd,
		    IORING_OFF_SQ_RING);
	sqe = mmap(NULL, sizeof(*sqe) * p.sq_entries, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_POPULATE, (int)fd, IORING_OFF_SQES);
	to = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!(p.features & IORING_FEAT_SINGLE_MMAP) || ring == MAP_FAILED || sqe == MAP_FAILED ||
	    to == MAP_FAILED)
		return EINVAL;
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_READ;
	sqe->flags = IOSQE_ASYNC;
	sqe->fd = file;
	sqe->addr = (uintptr_t)to;
	sqe->len = (unsigned)bytes;
	((unsigned *)(uintptr_t)(ring + p.sq_off.array))[0] = 0;
	__atomic_fetch_add((unsigned *)(uintptr_t)(ring + p.sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, (int)fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		return errno;
	cqe = (struct io_uring_cqe *)(uintptr_t)(ring + p.cq_off.cqes);
	result = cqe->res;
	if (result < 0)
		return -result;
	told[0] = (uintptr_t)to;
	told[1] = (uint64_t)result;
	return 0;
}

struct ring_job {
	int file;
	volatile uint64_t *told;
};

static int ring_life(void *arg)
{
	struct ring_job *job = arg;
	uint64_t told[2] = { 0 };
	int r = read_by_ring(job->file, told);

	job->told[0] = told[0];
	job->told[1] = told[1];
	job->told[2] = (uint64_t)r;
	return 0;
}

static void by_a_kernel_thread(enum vmt_rung_id best)
{
	struct vmt_probe_opts opts = { 0 };
	size_t bytes = RING_PAGES * HOSTILE_PAGE;
	uint64_t *told =
		mmap(NULL, HOSTILE_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int file = memfd_create("read-by-a-ring", MFD_CLOEXEC);
	char *content = touch_fresh(RING_PAGES);
	struct ring_job job = { file, told };
	uint64_t faults = 0, kernel = 0, charged = 0;
	struct session s;
	struct life life;
	struct check c;

	check_begin(&c, "F16/worker-of-io_uring");
	if (told == MAP_FAILED || file < 0 || !content ||
	    write(file, content, bytes) != (ssize_t)bytes)
		abort();
	session_begin(&s, &opts);
	life = life_begin(ring_life, &job);
	life_wait(&life);
	if (session_end(&s, &c) && !told[2]) {
		check_that(&c, told[1] == bytes, "%" PRIu64 " bytes were read", told[1]);
		for (size_t i = 0; i < s.faults.n_maps; i++) {
			const struct vmt_fault_raw *m = &s.faults.maps[i];

			if (m->owner_pid != (uint64_t)life.pid || m->start >= told[0] + bytes ||
			    m->end <= told[0])
				continue;
			faults += m->minor + m->major;
			kernel += m->kernel;
			charged = m->pid;
		}
		check_that(&c, faults >= RING_PAGES, "%" PRIu64 " faults in the buffer of %u pages",
			   faults, RING_PAGES);
		if (s.faults.have & VMT_HAVE_MODE)
			check_that(&c, kernel >= RING_PAGES, "%" PRIu64 " in kernel mode", kernel);
		judge_life(&c, &s.faults, &life);
		judge_sums(&c, &s.faults);
	}
	if (told[2] && !c.failed)
		check_skip(c.name, "io_uring: %s", strerror((int)told[2]));
	else
		check_end(&c, "%s: %" PRIu64 " faults, %" PRIu64 " in kernel mode, charged to %s",
			  vmt_rung_name(best), faults, kernel,
			  charged == (uint64_t)life.pid ? "the process" : "a thread of the kernel");
	session_done(&s);
	close(file);
	munmap(content, bytes);
	munmap(told, HOSTILE_PAGE);
}

/* Processes that are killed while they fault. */

#define KILLED 120

static void *fault_on(void *unused)
{
	for (;;) {
		char *p = touch_fresh(16);

		if (p)
			munmap(p, 16 * HOSTILE_PAGE);
	}
	return unused;
}

static int fault_for_ever(void *arg)
{
	int *ready = arg;
	pthread_t thread;

	if (pthread_create(&thread, NULL, fault_on, NULL) || write(ready[1], "x", 1) != 1)
		return 1;
	fault_on(NULL);
	return 0;
}

static void killed_in_a_fault(void)
{
	/* Twice as many as there is room for, were they not taken away when they are gone. */
	pid_t self = getpid();
	struct vmt_probe_opts opts = {
		.pids = &self, .n_pids = 1, .follow = true, .tasks = KILLED
	};
	struct life lives[KILLED];
	uint64_t faults = 0;
	struct session s;
	struct check c;
	int ready[2];

	check_begin(&c, "F17/killed-in-a-fault");
	if (pipe2(ready, O_CLOEXEC))
		abort();
	session_begin(&s, &opts);
	for (size_t i = 0; i < KILLED; i++) {
		char one;

		lives[i] = life_begin(fault_for_ever, ready);
		if (read(ready[0], &one, 1) != 1)
			abort();
		kill(lives[i].pid, SIGKILL);
		life_wait(&lives[i]);
		/* Accounts go when their tasks are freed, which is behind a grace period. */
		if (i % 16 == 15)
			syscall(SYS_membarrier, 1, 0, 0);
	}
	if (session_end(&s, &c)) {
		for (size_t i = 0; i < KILLED; i++) {
			check_that(&c, WIFSIGNALED(lives[i].status), "a life ended by itself");
			judge_life(&c, &s.faults, &lives[i]);
			faults += lives[i].minor + lives[i].major;
		}
		judge_sums(&c, &s.faults);
		check_that(&c, !s.faults.totals.no_account,
			   "%" PRIu64 " events found no account: those of the dead stay",
			   s.faults.totals.no_account);
	}
	check_end(&c, "%d processes of 2 threads, room for %d tasks: %" PRIu64 " faults", KILLED,
		  KILLED, faults);
	session_done(&s);
	close(ready[0]);
	close(ready[1]);
}

/* More children than there is room for in the table of those who are watched. */

#define CHILDREN 300
#define WATCHED	 64

static int nothing(void *unused)
{
	(void)unused;
	return 0;
}

static void more_than_can_be_watched(void)
{
	pid_t self = getpid();
	struct vmt_probe_opts opts = {
		.pids = &self,
		.n_pids = 1,
		.follow = true,
		.watched = WATCHED,
	};
	uint64_t truth = 0, counted = 0;
	const struct vmt_fault_totals *t;
	struct session s;
	struct check c;

	check_begin(&c, "F17/more-children-than-can-be-watched");
	session_begin(&s, &opts);
	for (size_t i = 0; i < CHILDREN; i++) {
		struct life l = life_begin(nothing, NULL);

		life_wait(&l);
		truth += l.minor + l.major;
	}
	t = &s.faults.totals;
	if (session_end(&s, &c)) {
		for (size_t i = 0; i < s.faults.n_procs; i++)
			if (s.faults.procs[i].pid != (uint64_t)self)
				counted += s.faults.procs[i].kernel_minor +
					   s.faults.procs[i].kernel_major;
		judge_sums(&c, &s.faults);
		check_that(&c, s.faults.n_procs == CHILDREN + 1, "%zu accounts", s.faults.n_procs);
		check_that(&c, counted == truth, "%" PRIu64 " faults, wait4 says %" PRIu64, counted,
			   truth);
		check_that(&c, !t->lost, "%" PRIu64 " are lost", t->lost);
	}
	check_end(&c,
		  "%d processes, room for %d: %" PRIu64 " faults; %" PRIu64 " of %" PRIu64
		  " rows in use",
		  CHILDREN, WATCHED, counted, t->slots_used, t->slots_total);
	session_done(&s);
}

/* Whoever takes over the rows of the dead stands still: they stay where they are. */

#define STANDING 400

static int while_it_stands(void *arg)
{
	struct life *lives = arg;
	pid_t reader = getppid();

	for (;;) {
		char text[512] = "", path[40];
		const char *state;
		ssize_t n;
		int fd;

		/* The reader is not ours to wait for: look until it stands. */
		snprintf(path, sizeof(path), "/proc/%d/stat", (int)reader);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
		close(fd);
		state = n > 0 ? strrchr(text, ')') : NULL;
		if (!state)
			return 1;
		if (state[2] == 'T')
			break;
	}
	for (size_t i = 0; i < STANDING; i++) {
		lives[i] = life_begin(touch_four, NULL);
		life_wait(&lives[i]);
	}
	kill(reader, SIGCONT);
	return 0;
}

static void reader_stopped(void)
{
	struct vmt_probe_opts opts = { 0 };
	size_t size = STANDING * sizeof(struct life);
	struct life *lives =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct life parent;
	struct session s;
	struct check c;

	check_begin(&c, "F05/reader-of-the-ring-stopped");
	if (lives == MAP_FAILED)
		abort();
	session_begin(&s, &opts);
	parent = life_begin(while_it_stands, lives);
	raise(SIGSTOP);
	life_wait(&parent);
	if (session_end(&s, &c)) {
		check_that(&c, !parent.status, "the workload ends with %x",
			   (unsigned)parent.status);
		for (size_t i = 0; i < STANDING; i++)
			judge_life(&c, &s.faults, &lives[i]);
		judge_sums(&c, &s.faults);
		/* What the ring has no room for. */
		check_that(&c, s.faults.totals.slots_used > STANDING, "the ring was not full");
	}
	check_end(&c,
		  "%d processes that began and ended meanwhile; %" PRIu64 " of %" PRIu64
		  " rows in use",
		  STANDING, s.faults.totals.slots_used, s.faults.totals.slots_total);
	session_done(&s);
	munmap(lives, size);
}

/* Programs that the kernel skips: while it changes a table of anybody on the same CPU. */

#define STORM_THREADS 4
#define STORM_ROUNDS  1500

static void *storm_thread(void *arg)
{
	(void)arg;
	for (int i = 0; i < STORM_ROUNDS; i++) {
		char *p = touch_fresh(16);

		if (p)
			munmap(p, 16 * HOSTILE_PAGE);
	}
	return NULL;
}

static int storm_life(void *unused)
{
	pthread_t threads[STORM_THREADS];

	(void)unused;
	for (int i = 0; i < STORM_THREADS; i++)
		if (pthread_create(&threads[i], NULL, storm_thread, NULL))
			return 1;
	for (int i = 0; i < STORM_THREADS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

static void programs_that_are_skipped(enum vmt_rung_id best)
{
	struct vmt_probe_opts opts = { 0 };
	int map = bpf_map_create(BPF_MAP_TYPE_HASH, "vmtop_storm", 4, 8, 1024, NULL);
	const struct vmt_fault_totals *t;
	unsigned long updates = 0;
	uint64_t rows = 0;
	struct session s;
	struct life life;
	struct check c;
	siginfo_t info;

	check_begin(&c, "F18/programs-that-are-skipped");
	session_begin(&s, &opts);
	life = life_begin(storm_life, NULL);
	do {
		for (uint32_t key = 0; key < 512 && map >= 0; key++, updates++) {
			uint64_t value = key;

			bpf_map_update_elem(map, &key, &value, BPF_ANY);
			bpf_map_delete_elem(map, &key);
		}
		info.si_pid = 0;
	} while (!waitid(P_PID, (id_t)life.pid, &info, WEXITED | WNOHANG | WNOWAIT) &&
		 !info.si_pid);
	life_wait(&life);
	t = &s.faults.totals;
	if (session_end(&s, &c)) {
		judge_life(&c, &s.faults, &life);
		judge_sums(&c, &s.faults);
		check_that(&c, s.faults.have & VMT_HAVE_MISSES || t->recursion_misses == 0,
			   "misses without knowing of them");
		/* What is not attributed was kept from a program, and that was counted. */
		check_that(&c,
			   !t->unattributed || t->recursion_misses ||
				   !(s.faults.have & VMT_HAVE_MISSES),
			   "%" PRIu64 " unattributed, and no program was skipped", t->unattributed);
		for (size_t i = 0; i < s.faults.n_maps; i++)
			if (s.faults.maps[i].pid == (uint64_t)life.pid)
				rows += s.faults.maps[i].minor + s.faults.maps[i].major;
		check_that(&c, rows * 100 >= life.minor * 99, "%" PRIu64 " of %" PRIu64 " in rows",
			   rows, life.minor);
	}
	check_end(&c,
		  "%s: %" PRIu64 " faults beside %lu updates of a table; %" PRIu64
		  " recursion misses, %" PRIu64 " repaired, %" PRIu64
		  " events without a program, %" PRIu64 " unattributed",
		  vmt_rung_name(best), life.minor, updates, t->recursion_misses, t->repaired,
		  t->record_lost, t->unattributed);
	session_done(&s);
	if (map >= 0)
		close(map);
}

/* Mappings that go, or become others, while a fault in them waits. */

#define UNMAPPED 200u

static sigjmp_buf unmapped_jump;
static volatile char *unmapped_at;

static void on_signal(int sig)
{
	(void)sig;
	siglongjmp(unmapped_jump, 1);
}

/* One fault after the other, at a place where somebody else takes the mapping away. */
static void *fault_there(void *arg)
{
	volatile uint64_t *told = arg;
	struct sigaction action = { .sa_handler = on_signal };
	pthread_barrier_t *barrier = (pthread_barrier_t *)(uintptr_t)told[0];

	sigaction(SIGSEGV, &action, NULL);
	for (unsigned i = 0; i < UNMAPPED; i++) {
		pthread_barrier_wait(barrier);
		if (!sigsetjmp(unmapped_jump, 1))
			*unmapped_at = 1;
		else
			told[2]++;
		pthread_barrier_wait(barrier);
	}
	return NULL;
}

static int unmap_life(void *arg)
{
	volatile uint64_t *told = arg;
	pthread_barrier_t barrier;
	pthread_t thread;
	int uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	struct uffdio_api api = { .api = UFFD_API };
	char *area = mmap(NULL, 4 * HOSTILE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	told[1] = 0;
	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api) || area == MAP_FAILED) {
		told[1] = (uint64_t)errno;
		return 0;
	}
	unmapped_at = area + HOSTILE_PAGE;
	told[0] = (uintptr_t)&barrier;
	told[3] = (uintptr_t)unmapped_at;
	pthread_barrier_init(&barrier, NULL, 2);
	if (pthread_create(&thread, NULL, fault_there, arg))
		return 1;
	for (unsigned i = 0; i < UNMAPPED; i++) {
		struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
		struct pollfd wait = { .fd = uffd, .events = POLLIN };
		struct uffd_msg message;
		int prot = i % 2 ? PROT_READ | PROT_WRITE : PROT_NONE;

		if (mmap(area + HOSTILE_PAGE, HOSTILE_PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
			return 2;
		range.range.start = (uintptr_t)(area + HOSTILE_PAGE);
		range.range.len = HOSTILE_PAGE;
		if (ioctl(uffd, UFFDIO_REGISTER, &range))
			return 3;
		pthread_barrier_wait(&barrier);
		while (poll(&wait, 1, -1) < 0 || read(uffd, &message, sizeof(message)) <= 0)
			;
		/* The mapping that it faulted in is freed; it goes on in another, or in none. */
		if (mmap(area + HOSTILE_PAGE, HOSTILE_PAGE, prot,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
			return 4;
		if (ioctl(uffd, UFFDIO_WAKE, &range.range))
			return 5;
		pthread_barrier_wait(&barrier);
	}
	pthread_join(thread, NULL);
	return 0;
}

static void mapping_gone_meanwhile(enum vmt_rung_id best)
{
	struct vmt_probe_opts opts = { 0 };
	uint64_t *told =
		mmap(NULL, HOSTILE_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t there = 0, retried = 0;
	struct session s;
	struct life life;
	struct check c;

	check_begin(&c, "F22/mapping-gone-in-mid-fault");
	if (told == MAP_FAILED)
		abort();
	session_begin(&s, &opts);
	life = life_begin(unmap_life, told);
	life_wait(&life);
	if (session_end(&s, &c) && !told[1]) {
		check_that(&c, !life.status, "the workload ends with %x", (unsigned)life.status);
		check_that(&c, told[2] == UNMAPPED / 2, "%" PRIu64 " signals", told[2]);
		for (size_t i = 0; i < s.faults.n_maps; i++) {
			const struct vmt_fault_raw *m = &s.faults.maps[i];

			if (m->pid == (uint64_t)life.pid && m->start <= told[3] &&
			    told[3] < m->end) {
				there += m->minor + m->major;
				retried += m->retried;
			}
		}
		check_that(&c, there == UNMAPPED / 2, "%" PRIu64 " faults where %u came to an end",
			   there, UNMAPPED / 2);
		if (s.faults.have & VMT_HAVE_RETRIED)
			check_that(&c, retried >= UNMAPPED, "%" PRIu64 " retried of %u", retried,
				   UNMAPPED);
		judge_life(&c, &s.faults, &life);
		judge_sums(&c, &s.faults);
	}
	if (told[1] && !c.failed)
		check_skip(c.name, "userfaultfd: %s", strerror((int)told[1]));
	else
		check_end(&c,
			  "%s: %u mappings gone, %" PRIu64 " faults counted, %" PRIu64 " retried",
			  vmt_rung_name(best), UNMAPPED, there, retried);
	session_done(&s);
	munmap(told, HOSTILE_PAGE);
}

void storms(enum vmt_rung_id best, bool ours)
{
	if (!session_is_bpf(best)) {
		check_skip("F04/full", "nothing with BPF works here: it is %s",
			   vmt_rung_name(best));
		return;
	}
	full_tables("mappings", (struct vmt_probe_opts){ .maps = 8 }, true);
	full_tables("processes", (struct vmt_probe_opts){ .procs = 8 }, true);
	full_tables("names", (struct vmt_probe_opts){ .names = 2 }, true);
	full_tables("tasks", (struct vmt_probe_opts){ .tasks = 8 }, false);
	several_at_once(2);
	/* Each loads a probe, which takes a guest seconds. */
	if (!ours)
		several_at_once(OBSERVERS);
	by_a_kernel_thread(best);
	reader_stopped();
	killed_in_a_fault();
	more_than_can_be_watched();
	programs_that_are_skipped(best);
	mapping_gone_meanwhile(best);
}
