/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What is done to the whole machine while a probe counts: CPUs go and come, its reader stops. */

#include "probe-hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int write_to(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), r = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		r = -errno;
	close(fd);
	return r;
}

#define TOUCHED 300u

/* On the CPU that goes and comes, where it is there. */
static int touch_there(void *unused)
{
	cpu_set_t set;

	(void)unused;
	CPU_ZERO(&set);
	CPU_SET(1, &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
	return !touch_fresh(TOUCHED);
}

/* What the probe has seen of CPUs so far. */
static void seen_so_far(struct session *s, struct vmt_fault_totals *ret)
{
	struct vmt_fault_sample f = { 0 };
	struct vmt_arena arena;

	vmt_arena_init(&arena);
	if (!vmt_probe_read(s->probe, &arena, &f, NULL))
		*ret = f.totals;
	vmt_arena_done(&arena);
}

#define PARTS 5

static void cpus_go_and_come(enum vmt_rung_id rung, bool ours)
{
	static const char path[] = "/sys/devices/system/cpu/cpu1/online";
	static const char parts[PARTS][2] = { "1", "0", "1", "0", "1" };
	struct vmt_probe_opts opts = { .rung = rung };
	struct vmt_fault_totals t = { 0 };
	struct life lives[PARTS] = { 0 };
	uint64_t mapped = 0, gone = 0, back = 0;
	struct session s;
	struct check c;
	int r;

	check_begin(&c, "F12/a-CPU-goes-and-comes/%s", vmt_rung_name(rung));
	if (!ours) {
		check_skip(c.name, "it would take a CPU from everybody; in guests");
		return;
	}
	if (access(path, W_OK)) {
		check_skip(c.name, "%s: %s", path, strerror(errno));
		return;
	}
	session_begin(&s, &opts);
	for (int i = 0; i < PARTS; i++) {
		r = write_to(path, parts[i]);
		check_that(&c, !r, "%s: %s", path, strerror(-r));
		/* It is on the first time. */
		gone += parts[i][0] == '0';
		back += parts[i][0] == '1' && i > 0;
		/* Until its events are there again: what comes before them is known to be missing.
		 */
		for (int tries = 0; tries < 12000 && !s.result; tries++) {
			seen_so_far(&s, &t);
			if (t.cpus_gone >= gone && t.cpus_back + t.cpus_blind >= back)
				break;
			usleep(10000);
		}
		lives[i] = life_begin(touch_there, NULL);
		life_wait(&lives[i]);
	}
	if (session_end(&s, &c)) {
		t = s.faults.totals;
		for (int i = 0; i < PARTS; i++) {
			const struct vmt_fault_proc *p = account_of(&s.faults, lives[i].pid);

			judge_life(&c, &s.faults, &lives[i]);
			check_that(&c, p && p->mapped >= TOUCHED,
				   "life %d, CPU %s: %" PRIu64 " of %u in mappings", i, parts[i],
				   p ? p->mapped : 0, TOUCHED);
			mapped += p ? p->mapped : 0;
		}
		judge_sums(&c, &s.faults);
		check_that(&c, t.cpus_gone == gone && t.cpus_back == back && !t.cpus_blind,
			   "%" PRIu64 " went, %" PRIu64 " came, %" PRIu64 " unwatched", t.cpus_gone,
			   t.cpus_back, t.cpus_blind);
		check_that(&c, !t.record_lost, "%" PRIu64 " events without a program",
			   t.record_lost);
	}
	check_end(&c, "%" PRIu64 " faults in mappings; a CPU went %" PRIu64 " times", mapped,
		  t.cpus_gone);
	session_done(&s);
}

static uint64_t now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int touch_100(void *unused)
{
	(void)unused;
	return !touch_fresh(100);
}

/* What counts goes on while whoever reads it stands still. */
static void stopped_meanwhile(void)
{
	struct vmt_probe_opts opts = { 0 };
	struct life before, after;
	uint64_t begun, ended;
	struct session s;
	struct check c;
	pid_t waker;

	check_begin(&c, "F13/stopped-and-continued");
	session_begin(&s, &opts);
	begun = now_ns(CLOCK_MONOTONIC);
	before = life_begin(touch_100, NULL);
	life_wait(&before);
	fflush(stdout);
	waker = fork();
	if (!waker) {
		siginfo_t info;

		/* The parent is not ours to wait for: look until it stands. */
		for (;;) {
			char text[512] = "", path[40];
			const char *state;
			ssize_t n;
			int fd;

			snprintf(path, sizeof(path), "/proc/%d/stat", (int)getppid());
			fd = open(path, O_RDONLY | O_CLOEXEC);
			n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
			close(fd);
			state = n > 0 ? strrchr(text, ')') : NULL;
			if (!state)
				_exit(1);
			if (state[2] == 'T')
				break;
		}
		memset(&info, 0, sizeof(info));
		kill(getppid(), SIGCONT);
		_exit(0);
	}
	raise(SIGSTOP);
	waitpid(waker, NULL, 0);
	after = life_begin(touch_100, NULL);
	life_wait(&after);
	ended = now_ns(CLOCK_MONOTONIC);
	if (session_end(&s, &c)) {
		judge_life(&c, &s.faults, &before);
		judge_life(&c, &s.faults, &after);
		judge_sums(&c, &s.faults);
		check_that(&c, s.faults.window_ns >= ended - begun,
			   "a window of %" PRIu64 " ns in %" PRIu64 " ns", s.faults.window_ns,
			   ended - begun);
	}
	check_end(&c, "%" PRIu64 " and %" PRIu64 " faults", before.minor, after.minor);
	session_done(&s);
}

void machine(enum vmt_rung_id best, bool ours)
{
	if (session_is_bpf(best))
		stopped_meanwhile();
	check_skip("F13/asleep", "%s",
		   ours ? "the guest has nothing that would wake it"
			: "it would put everybody to sleep");
	cpus_go_and_come(best, ours);
	/* Where the events are not only the check, but the count. */
	if (ours && session_is_bpf(best) && best != VMT_RUNG_TRACEPOINT)
		cpus_go_and_come(VMT_RUNG_TRACEPOINT, ours);
}
