/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The rung without BPF: the software events of minor and major faults, one record a fault, with its
 * address, in one ring for each CPU; and in the same rings the records of new mappings, names,
 * births and ends. Where the kernel allows an ordinary user no more (perf_event_paranoid 2), the
 * events are those of his own processes in user mode, and what the kernel faulted for them is in
 * their account without a mapping. A thread empties the rings.
 */

#include "source/probe-perf.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/thread.h"
#include "source/maps.h"
#include "source/pids.h"
#include "source/perf-event.h"

/*
 * Pages of data in a ring: what is asked for first, and halved until the kernel agrees. An ordinary
 * user gets perf_event_mlock_kb, less what his other programs use.
 */
#define RING_PAGES 2048u
/* The same where memory is to be small: a CPU fills it in 20 ms with half a million faults a
 * second. */
#define RING_PAGES_SMALL 128u
#define WAKE_BYTES	 (128u << 10)
#define ROWS_USUAL	 16384u
#define FDS_SPARE	 64u
#define DRAIN_MS	 20
#define PATIENCE_S	 2
#define HORIZON_NS	 1000000u /* a record is in its ring this long after its time at the latest */

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static int keep_fd(struct vmt_perf_state *s, int fd)
{
	if (vmt_grow(&s->fds, &s->cap_fds, s->n_fds + 1, sizeof(*s->fds))) {
		close(fd);
		return -ENOMEM;
	}
	s->fds[s->n_fds++] = fd;
	return 0;
}

static int keep_major(struct vmt_perf_state *s, uint64_t id)
{
	size_t i = s->n_major;

	if (vmt_grow(&s->major_ids, &s->cap_major, s->n_major + 1, sizeof(*s->major_ids)))
		return -ENOMEM;
	for (; i > 0 && s->major_ids[i - 1] > id; i--)
		s->major_ids[i] = s->major_ids[i - 1];
	s->major_ids[i] = id;
	s->n_major++;
	return 0;
}

static int open_event(struct vmt_perf_state *s, pid_t pid, unsigned cpu, bool major)
{
	struct perf_event_attr attr;
	int fd;

	vmt_perf_fault_attr(&attr, major);
	attr.sample_type = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_TID | PERF_SAMPLE_TIME |
			   PERF_SAMPLE_ADDR;
	attr.sample_id_all = 1;
	attr.inherit = pid >= 0;
	/* Since 5.13: new threads, and no new processes. */
	attr.inherit_thread = pid >= 0 && s->chosen && !s->no_inherit_thread;
	attr.exclude_kernel = s->user_only;
	attr.exclude_hv = 1;
	attr.use_clockid = 1;
	attr.clockid = CLOCK_MONOTONIC;
	attr.watermark = 1;
	attr.wakeup_watermark = WAKE_BYTES;
	if (!major && !s->sums) {
		attr.mmap = 1;
		attr.mmap2 = 1;
		attr.mmap_data = 1;
		attr.comm = 1;
		attr.comm_exec = 1;
		attr.task = 1;
	}
	fd = vmt_perf_event_open(&attr, pid, (int)cpu);
	if (fd != -EINVAL || !attr.inherit_thread)
		return fd;
	s->no_inherit_thread = true;
	attr.inherit_thread = 0;
	return vmt_perf_event_open(&attr, pid, (int)cpu);
}

static struct vmt_perf_ring *ring_of(struct vmt_perf_state *s, unsigned cpu)
{
	for (size_t i = 0; i < s->n_rings; i++)
		if (s->rings[i].cpu == cpu)
			return &s->rings[i];
	return NULL;
}

/* Gives the event the CPU's ring, and makes that of the first event. */
static int use_ring(struct vmt_perf_state *s, unsigned cpu, int fd)
{
	struct vmt_perf_ring *ring = ring_of(s, cpu);
	size_t page = page_size();
	void *base = MAP_FAILED;
	unsigned pages = s->probe->opts.single_ring ? RING_PAGES_SMALL : RING_PAGES;

	if (ring)
		return ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, ring->fd) ? -errno : 0;
	if (vmt_grow(&s->rings, &s->cap_rings, s->n_rings + 1, sizeof(*s->rings)))
		return -ENOMEM;
	for (; pages && base == MAP_FAILED; pages /= 2)
		base = mmap(NULL, (pages + 1) * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (base == MAP_FAILED)
		return -errno;
	pages *= 2;
	ring = &s->rings[s->n_rings++];
	*ring = (struct vmt_perf_ring){
		.cpu = cpu,
		.fd = fd,
		.page = base,
		.data = (unsigned char *)base + page,
		.size = pages * page,
	};
	return 0;
}

/* Both events of a task (or of all, pid -1) on one CPU. */
static int watch_on(struct vmt_perf_state *s, pid_t pid, unsigned cpu)
{
	for (int major = 0; major < 2; major++) {
		int fd = open_event(s, pid, cpu, major), r;
		uint64_t id;

		if (fd < 0)
			return fd;
		r = keep_fd(s, fd);
		if (r)
			return r;
		if (ioctl(fd, PERF_EVENT_IOC_ID, &id))
			return -errno;
		r = use_ring(s, cpu, fd);
		if (!r && major)
			r = keep_major(s, id);
		if (!r && ioctl(fd, PERF_EVENT_IOC_ENABLE, 0))
			r = -errno;
		if (r)
			return r;
	}
	return 0;
}

struct watch_job {
	struct vmt_perf_state *s;
	pid_t tid;
};

static int watch_cpu(unsigned cpu, void *data)
{
	struct watch_job *job = data;

	return watch_on(job->s, job->tid, cpu);
}

static int watch_task(struct vmt_perf_state *s, pid_t tid)
{
	struct watch_job job = { s, tid };
	struct rlimit limit;

	if (!getrlimit(RLIMIT_NOFILE, &limit) && s->n_fds + FDS_SPARE > limit.rlim_cur) {
		s->fds_short = true;
		return -EMFILE;
	}
	return vmt_cpus_online(watch_cpu, &job);
}

static int keep_watched(struct vmt_perf_state *s, uint64_t pid)
{
	if (vmt_grow(&s->watched, &s->cap_watched, s->n_watched + 1, sizeof(*s->watched)))
		return -ENOMEM;
	s->watched[s->n_watched++] = pid;
	return 0;
}

/* All threads of a process; those that come later inherit. */
static int watch_process(struct vmt_perf_state *s, uint64_t pid)
{
	VMT_AUTO_CLOSE int pid_fd = vmt_root_open_pid(s->root, pid);
	struct dirent *e;
	DIR *dir;
	int fd, r = 0;

	if (pid_fd < 0)
		return pid_fd;
	fd = vmt_open_dir_at(pid_fd, "task");
	if (fd < 0)
		return fd == -ENOENT ? -ESRCH : fd;
	dir = fdopendir(fd);
	if (!dir) {
		r = -errno;
		close(fd);
		return r;
	}
	for (errno = 0; !r && (e = readdir(dir)); errno = 0) {
		uint64_t tid;

		if (vmt_parse_pid(e->d_name, &tid) < 0)
			continue;
		r = watch_task(s, (pid_t)tid);
		if (r == -ESRCH)
			r = 0;
	}
	if (!r && errno)
		r = errno == ENOENT ? -ESRCH : -errno;
	closedir(dir);
	return r ?: keep_watched(s, pid);
}

static void drop_events(struct vmt_perf_state *s)
{
	for (size_t i = 0; i < s->n_rings; i++)
		munmap(s->rings[i].page, s->rings[i].size + page_size());
	for (size_t i = 0; i < s->n_fds; i++)
		close(s->fds[i]);
	s->n_rings = 0;
	s->n_fds = 0;
	s->n_major = 0;
	s->n_watched = 0;
}

/* The processes that are to be watched one by one; how many could be. */
static int watch_each(struct vmt_perf_state *s, size_t *ret_n)
{
	int last = -ESRCH;

	*ret_n = 0;
	for (size_t i = 0; i < s->before.n; i++) {
		int r = watch_process(s, s->before.rows[i].pid);

		if (!r)
			++*ret_n;
		else if (r == -ENOMEM || r == -EMFILE)
			return *ret_n ? 0 : r;
		else if (r != -ESRCH)
			last = r;
	}
	return *ret_n ? 0 : last;
}

/* The most that the kernel allows: all CPUs with the kernel's faults, without them, own processes.
 */
static int watch_most(struct vmt_perf_state *s, size_t *ret_n)
{
	int r = -EACCES;

	*ret_n = 0;
	for (int user_only = 0; user_only < 2 && r; user_only++) {
		s->user_only = user_only;
		s->everything = !s->probe->opts.n_pids;
		if (s->everything) {
			r = watch_task(s, -1);
			if (!r)
				return 0;
			drop_events(s);
		}
	}
	for (int user_only = 0; user_only < 2; user_only++) {
		s->user_only = user_only;
		s->everything = false;
		r = watch_each(s, ret_n);
		if (!r)
			return 0;
		drop_events(s);
	}
	return r;
}

static void *drain_thread(void *data)
{
	struct vmt_perf_state *s = data;
	VMT_AUTO_FREE struct pollfd *poll_fds = calloc(s->n_rings, sizeof(*poll_fds));

	for (size_t i = 0; poll_fds && i < s->n_rings; i++)
		poll_fds[i] = (struct pollfd){ .fd = s->rings[i].fd, .events = POLLIN };
	for (;;) {
		bool stop;

		if (poll_fds)
			(void)poll(poll_fds, s->n_rings, DRAIN_MS);
		else
			usleep(DRAIN_MS * 1000);
		stop = __atomic_load_n(&s->stop, __ATOMIC_ACQUIRE);
		pthread_mutex_lock(&s->lock);
		vmt_perf_drain(s, stop ? UINT64_MAX : vmt_probe_now() - HORIZON_NS);
		pthread_mutex_unlock(&s->lock);
		if (stop)
			return NULL;
		/* A watched task that ended makes poll() return at once from then on. */
		usleep(1000);
	}
}

/* A moment from now on, as pthread_timedjoin_np() and pthread_mutex_timedlock() take it. */
static struct timespec patience(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += PATIENCE_S;
	return t;
}

/*
 * The maps of a process can be made to block for as long as its owner likes. A thread that reads
 * them then is left behind with all that it uses; it ends with the program.
 */
static int end_thread(struct vmt_perf_state *s)
{
	struct timespec until = patience();

	if (!s->has_thread)
		return 0;
	__atomic_store_n(&s->stop, true, __ATOMIC_RELEASE);
	if (pthread_timedjoin_np(s->thread, NULL, &until)) {
		s->stuck = true;
		return -ETIMEDOUT;
	}
	s->has_thread = false;
	return 0;
}

static void perf_close(void *state)
{
	struct vmt_perf_state *s = state;

	if (!s)
		return;
	vmt_probe_cpus_done(&s->cpus);
	if (end_thread(s)) {
		pthread_detach(s->thread);
		return;
	}
	drop_events(s);
	free(s->rings);
	free(s->fds);
	free(s->major_ids);
	free(s->watched);
	vmt_probe_counts_done(&s->before);
	vmt_probe_counts_done(&s->after);
	vmt_spaces_done(&s->spaces);
	vmt_devices_done(&s->devices);
	vmt_root_unref(s->root);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static int start_thread(struct vmt_perf_state *s, struct vmt_err *err)
{
	sigset_t all, old;
	int r;

	/* Signals are for the program's own threads. */
	vmt_thread_signals(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&s->thread, NULL, drain_thread, s);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r)
		return vmt_err_set(err, -r, NULL, 0, "no thread to read the events");
	s->has_thread = true;
	return 0;
}

static int perf_start(struct vmt_probe *p, const struct vmt_probe_rung *rung, void **ret_state,
		      struct vmt_err *err)
{
	struct vmt_perf_state *s = calloc(1, sizeof(*s));
	size_t n = 0;
	int r;

	if (!s)
		return vmt_err_set(err, -ENOMEM, NULL, 0, "no memory for the probe");
	s->probe = p;
	s->chosen = p->opts.n_pids && !p->opts.follow;
	s->sums = p->opts.sums;
	pthread_mutex_init(&s->lock, NULL);
	vmt_spaces_init(&s->spaces, p->opts.maps ? p->opts.maps : ROWS_USUAL);
	r = vmt_root_open(NULL, &s->root, err);
	if (!r)
		r = vmt_probe_counts_take(p, s->root, &s->before, err);
	if (!r && vmt_devices_load(&s->devices, s->root))
		r = vmt_err_set(err, -ENOMEM, NULL, 0, "no memory for the probe");
	if (r)
		goto fail;
	vmt_probe_cpus_init(&s->cpus, NULL, NULL);
	r = watch_most(s, &n);
	if (r) {
		bool denied = r == -EACCES || r == -EPERM;

		vmt_probe_note(p, rung, NULL, denied ? VMT_TRY_REFUSED : VMT_TRY_ABSENT, r,
			       denied ? "perf_event_paranoid allows no events"
				      : "no software events of faults",
			       denied ? "sysctl kernel.perf_event_paranoid=2" : NULL, NULL);
		vmt_err_set(err, r, NULL, 0, "perf_event_open: %s", vmt_errno_name(r));
		goto fail;
	}
	/* Again, now that events count: what faulted in between was nobody's. */
	p->start_ns = vmt_probe_now();
	r = vmt_probe_counts_take(p, s->root, &s->before, err);
	if (!r)
		r = start_thread(s, err);
	if (r)
		goto fail;
	vmt_probe_cpus_start(&s->cpus);
	p->have |= rung->have | (s->user_only ? 0 : VMT_HAVE_MODE);
	if (s->sums)
		p->have &= ~(uint32_t)(VMT_HAVE_MAPS | VMT_HAVE_MODE);
	p->canary = VMT_CANARY_NONE;
	snprintf(p->canary_text, sizeof(p->canary_text), "%s, %s%s",
		 s->everything ? "all processes" : "processes of this user or those named",
		 s->user_only ? "faults in user mode; the kernel's for them are unattributed"
			      : "get_user_pages is unattributed",
		 s->fds_short ? "; not all of them: RLIMIT_NOFILE is too low" : "");
	vmt_probe_note(p, rung, NULL, VMT_TRY_OK, 0, p->canary_text, NULL, NULL);
	*ret_state = s;
	return 0;
fail:
	perf_close(s);
	return r;
}

static int perf_watch(void *state, pid_t pid, struct vmt_err *err)
{
	struct vmt_perf_state *s = state;
	struct timespec until = patience();
	int r = s->stuck ? ETIMEDOUT : pthread_mutex_timedlock(&s->lock, &until);

	if (r)
		return vmt_err_set(err, -r, NULL, 0, "the maps of a process do not answer");
	r = watch_process(s, (uint64_t)pid);
	pthread_mutex_unlock(&s->lock);
	return r ? vmt_err_set(err, r, NULL, 0, "cannot watch process %d", (int)pid) : 0;
}

/*
 * An event counts also what found its ring full; the record of what was lost is only written once
 * there is room and another event, so at the end the counts say it.
 */
static uint64_t uncounted(struct vmt_perf_state *s)
{
	uint64_t counted = 0;

	for (size_t i = 0; i < s->n_fds; i++) {
		uint64_t n;

		if (!vmt_perf_event_read(s->fds[i], &n))
			counted += n;
	}
	return counted > s->samples ? counted - s->samples : 0;
}

static int perf_stop(void *state, struct vmt_err *err)
{
	struct vmt_perf_state *s = state;
	int r;

	for (size_t i = 0; i < s->n_fds; i++)
		(void)vmt_perf_event_stop(s->fds[i]);
	vmt_probe_cpus_stop(&s->cpus);
	r = vmt_probe_counts_take(s->probe, s->root, &s->after, err);
	if (!r && end_thread(s))
		return vmt_err_set(err, -ETIMEDOUT, NULL, 0,
				   "the maps of a process do not answer: its faults are not known");
	s->lost += uncounted(s);
	s->stopped = !r;
	return r;
}

static enum vmt_fault_class class_of(struct vmt_perf_state *s, const struct vmt_space_row *row,
				     enum vmt_fault_special *ret_special)
{
	static const struct {
		const char *kind;
		enum vmt_fault_class class;
		enum vmt_fault_special special;
	} kinds[] = {
		{ "anon", VMT_FAULT_ANON, VMT_FAULT_PLAIN },
		{ "file", VMT_FAULT_FILE, VMT_FAULT_PLAIN },
		{ "shmem", VMT_FAULT_SHMEM, VMT_FAULT_PLAIN },
		{ "hugetlb", VMT_FAULT_HUGETLB, VMT_FAULT_PLAIN },
		{ "heap", VMT_FAULT_ANON, VMT_FAULT_HEAP },
		{ "stack", VMT_FAULT_ANON, VMT_FAULT_STACK },
		{ "vdso", VMT_FAULT_OTHER, VMT_FAULT_VDSO },
	};
	struct vmt_bytes kind =
		vmt_map_kind(&s->devices, row->dev_major, row->dev_minor, row->inode, row->path);

	*ret_special = VMT_FAULT_PLAIN;
	for (size_t i = 0; i < VMT_ARRAY_LEN(kinds); i++) {
		if (!vmt_bytes_is(kind, kinds[i].kind))
			continue;
		*ret_special = kinds[i].special;
		return kinds[i].class;
	}
	return VMT_FAULT_OTHER;
}

static int read_rows(struct vmt_perf_state *s, struct vmt_arena *arena,
		     struct vmt_fault_sample *ret)
{
	struct vmt_spaces *all = &s->spaces;

	ret->maps = vmt_arena_alloc(arena, all->n_rows ? all->n_rows : 1, sizeof(*ret->maps));
	if (!ret->maps)
		return -ENOMEM;
	for (size_t i = 0; i < all->n_rows; i++) {
		const struct vmt_space_row *row = &all->rows[i];
		struct vmt_fault_raw *out = &ret->maps[ret->n_maps];
		const struct vmt_space *space;
		char *path = NULL, *comm;

		if (!row->minor && !row->major)
			continue;
		space = vmt_spaces_get(all, row->pid);
		comm = vmt_arena_copy(arena, row->comm, row->comm_len);
		if (row->path.len)
			path = vmt_arena_copy(arena, row->path.ptr, row->path.len);
		if (!space || !comm || (row->path.len && !path))
			return -ENOMEM;
		ret->n_maps++;
		out->pid = row->pid;
		out->owner_pid = row->pid;
		out->start_time_ns = space->start_time_ns;
		out->exec_id = row->exec_id;
		out->start = row->start;
		out->end = row->end;
		out->offset_bytes = row->offset;
		out->vm_flags = row->vm_flags;
		out->inode = row->inode;
		out->dev_major = row->dev_major;
		out->dev_minor = row->dev_minor;
		out->class = class_of(s, row, &out->special);
		out->has_file = row->inode != 0;
		out->path = (struct vmt_bytes){ path, row->path.len };
		out->comm = (struct vmt_bytes){ comm, row->comm_len };
		out->minor = row->minor;
		out->major = row->major;
		out->user = row->user;
		out->kernel = row->kernel;
	}
	ret->totals.slots_used = all->n_rows - all->n_free;
	ret->totals.slots_total = all->max_rows;
	return 0;
}

/*
 * The account of the process of a space, or NULL where it has ended. The space keeps what the
 * kernel says: its figure goes with the process, and what was counted once must not be taken back.
 */
static struct vmt_fault_proc *account_of(struct vmt_space *space, struct vmt_fault_proc *procs,
					 size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (procs[i].pid != space->pid)
			continue;
		space->start_time_ns = procs[i].start_time_ns;
		space->kernel_minor = procs[i].kernel_minor;
		space->kernel_major = procs[i].kernel_major;
		return &procs[i];
	}
	/* What was sampled since is the least of what it had. */
	if (space->kernel_minor < space->minor)
		space->kernel_minor = space->minor;
	if (space->kernel_major < space->major)
		space->kernel_major = space->major;
	return NULL;
}

/* The accounts are those of /proc; what was sampled goes from unattributed to the mappings. */
static int read_accounts(struct vmt_perf_state *s, struct vmt_arena *arena,
			 struct vmt_fault_sample *ret)
{
	struct vmt_fault_totals *t = &ret->totals;
	struct vmt_fault_proc *procs;
	size_t n_alive, n;
	int r = vmt_probe_counts_compare(&s->before, &s->after, arena, ret);

	if (r)
		return r;
	n_alive = ret->n_procs;
	n = n_alive + s->spaces.n_spaces;
	procs = vmt_arena_alloc(arena, n ? n : 1, sizeof(*procs));
	if (!procs)
		return -ENOMEM;
	memcpy(procs, ret->procs, ret->n_procs * sizeof(*procs));
	for (size_t i = 0; i < s->spaces.n_spaces; i++) {
		struct vmt_space *space = s->spaces.spaces[i];
		struct vmt_fault_proc *out = account_of(space, procs, n_alive);

		/* get_user_pages() alone is in no sample. */
		if (!space->minor && !space->major &&
		    (out || (!space->kernel_minor && !space->kernel_major)))
			continue;
		if (!out) {
			char *comm = vmt_arena_copy(arena, space->comm, space->comm_len);

			if (!comm)
				return -ENOMEM;
			out = &procs[ret->n_procs++];
			out->pid = space->pid;
			out->start_time_ns = space->start_time_ns;
			out->comm = (struct vmt_bytes){ comm, space->comm_len };
			out->exited = true;
			out->kernel_minor = space->kernel_minor;
			out->kernel_major = space->kernel_major;
			out->unattributed = out->kernel_minor + out->kernel_major;
			t->kernel_minor += out->kernel_minor;
			t->kernel_major += out->kernel_major;
			t->unattributed += out->unattributed;
		}
		out->record_minor = space->minor;
		out->record_major = space->major;
		out->mapped = space->mapped;
		out->dropped = space->dropped;
		out->unattributed -= space->mapped + space->dropped;
		t->record_minor += space->minor;
		t->record_major += space->major;
		t->mapped += space->mapped;
		t->dropped += space->dropped;
		t->unattributed -= space->mapped + space->dropped;
	}
	ret->procs = procs;
	return 0;
}

/* The same sums without rows. Whoever ended has no counters any more: what they were last, and what
 * was sampled, stays and is the least. */
static int read_sums(struct vmt_perf_state *s, struct vmt_fault_sample *ret)
{
	VMT_CLEANUP(vmt_arena_done) struct vmt_arena arena;
	struct vmt_fault_totals *t = &ret->totals, *past = &s->past;
	int r;

	vmt_arena_init(&arena);
	r = vmt_probe_counts_compare(&s->before, &s->after, &arena, ret);
	if (r)
		goto out;
	for (size_t i = 0; i < s->spaces.n_spaces; i++) {
		struct vmt_space *space = s->spaces.spaces[i];

		(void)account_of(space, ret->procs, ret->n_procs);
		space->exited = !vmt_probe_counts_has(&s->after, space->pid);
		if (space->exited) {
			past->kernel_minor += space->kernel_minor;
			past->kernel_major += space->kernel_major;
			past->record_minor += space->minor;
			past->record_major += space->major;
		} else {
			t->record_minor += space->minor;
			t->record_major += space->major;
		}
	}
	vmt_spaces_forget_exited(&s->spaces);
	t->kernel_minor += past->kernel_minor;
	t->kernel_major += past->kernel_major;
	t->record_minor += past->record_minor;
	t->record_major += past->record_major;
	t->unattributed += past->kernel_minor + past->kernel_major;
out:
	ret->procs = NULL;
	ret->n_procs = 0;
	return r;
}

static int perf_read(struct vmt_probe *p, void *state, struct vmt_arena *arena,
		     struct vmt_fault_sample *ret, struct vmt_err *err)
{
	struct vmt_perf_state *s = state;
	struct timespec until = patience();
	int r = 0;

	if (s->stuck || pthread_mutex_timedlock(&s->lock, &until))
		return vmt_err_set(err, -ETIMEDOUT, NULL, 0,
				   "the maps of a process do not answer: its faults are not known");
	if (!s->stopped) {
		vmt_perf_drain(s, UINT64_MAX);
		r = vmt_probe_counts_take(p, s->root, &s->after, err);
	}
	if (s->sums) {
		r = r ?: read_sums(s, ret);
	} else {
		r = r ?: read_accounts(s, arena, ret);
		r = r ?: read_rows(s, arena, ret);
	}
	ret->totals.unresolved = s->unresolved;
	ret->totals.record_lost = s->lost;
	vmt_probe_cpus_read(&s->cpus, &ret->totals);
	ret->totals.lost = s->lost + ret->totals.dropped;
	pthread_mutex_unlock(&s->lock);
	return r ? vmt_err_set(err, r, NULL, 0, "no memory for the faults") : 0;
}

const struct vmt_probe_backend vmt_probe_perf = {
	.start = perf_start,
	.watch = perf_watch,
	.stop = perf_stop,
	.read = perf_read,
	.close = perf_close,
};
