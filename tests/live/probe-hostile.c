/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * probe-hostile [--machine] [RUNG [PART]...]: the hostile cases of the probe, natively and in
 * guests. RUNG is the one that has to be the best. With --machine the machine is the test's own:
 * CPUs go and come. PARTs, of refused, storms, mmap and machine, are done alone.
 */

#include "probe-hostile.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

void session_begin(struct session *s, const struct vmt_probe_opts *opts)
{
	struct vmt_err unused;

	memset(s, 0, sizeof(*s));
	vmt_arena_init(&s->arena);
	s->result = vmt_probe_open(opts, &s->probe, &s->err);
	if (s->result)
		return;
	s->result = vmt_probe_start(s->probe, &s->err);
	if (s->result)
		(void)vmt_probe_read(s->probe, &s->arena, &s->faults, &unused);
}

bool session_end(struct session *s, struct check *c)
{
	int r = s->result;

	if (!check_that(c, !r, "it does not start: %s", s->err.text))
		return false;
	r = vmt_probe_stop(s->probe, &s->err);
	r = r ?: vmt_probe_read(s->probe, &s->arena, &s->faults, &s->err);
	return check_that(c, !r, "it cannot be read: %s", s->err.text);
}

void session_done(struct session *s)
{
	vmt_probe_close(s->probe);
	vmt_arena_done(&s->arena);
	s->probe = NULL;
}

enum vmt_rung_id session_best(void)
{
	struct vmt_probe_opts opts = { 0 };
	enum vmt_rung_id best = VMT_RUNG_NONE;
	struct session s;
	struct check c;

	check_begin(&c, "best");
	session_begin(&s, &opts);
	if (!s.result && session_end(&s, &c))
		best = s.faults.rung;
	session_done(&s);
	return best;
}

bool session_is_bpf(enum vmt_rung_id rung)
{
	return rung == VMT_RUNG_FEXIT || rung == VMT_RUNG_KPROBE || rung == VMT_RUNG_TRACEPOINT;
}

const struct vmt_probe_try *session_try(const struct vmt_fault_sample *f, enum vmt_rung_id rung,
					const char *hook)
{
	for (size_t i = 0; i < f->n_tries; i++) {
		const struct vmt_probe_try *t = &f->tries[i];

		if (!strcmp(t->probe, "fault") && !strcmp(t->rung, vmt_rung_name(rung)) &&
		    (hook ? t->hook && !strcmp(t->hook, hook) : !t->hook))
			return t;
	}
	return NULL;
}

struct life life_begin(int (*body)(void *arg), void *arg)
{
	struct life l = { 0 };

	fflush(stdout);
	l.pid = fork();
	if (l.pid < 0)
		abort();
	if (!l.pid)
		_exit(body(arg));
	return l;
}

void life_wait(struct life *l)
{
	struct rusage usage;

	if (wait4(l->pid, &l->status, 0, &usage) != l->pid)
		abort();
	l->minor = (uint64_t)usage.ru_minflt;
	l->major = (uint64_t)usage.ru_majflt;
}

const struct vmt_fault_proc *account_of(const struct vmt_fault_sample *f, pid_t pid)
{
	const struct vmt_fault_proc *found = NULL;

	for (size_t i = 0; i < f->n_procs; i++) {
		if (f->procs[i].pid != (uint64_t)pid)
			continue;
		if (found)
			return NULL;
		found = &f->procs[i];
	}
	return found;
}

static bool adds_up(const struct vmt_fault_proc *p)
{
	return p->mapped + p->gup + p->unattributed + p->dropped ==
	       p->kernel_minor + p->kernel_major;
}

void judge_life(struct check *c, const struct vmt_fault_sample *f, const struct life *l)
{
	const struct vmt_fault_proc *p = account_of(f, l->pid);
	uint64_t rows = 0;
	bool shared = false;

	if (!check_that(c, p, "process %d has no account of its own", (int)l->pid))
		return;
	check_that(c, p->kernel_minor == l->minor && p->kernel_major == l->major,
		   "process %d: %" PRIu64 "+%" PRIu64 " faults, wait4 says %" PRIu64 "+%" PRIu64,
		   (int)l->pid, p->kernel_minor, p->kernel_major, l->minor, l->major);
	check_that(c, adds_up(p), "process %d does not add up", (int)l->pid);
	for (size_t i = 0; i < f->n_maps; i++) {
		if (f->maps[i].pid == (uint64_t)l->pid)
			rows += f->maps[i].minor + f->maps[i].major;
		shared |= f->maps[i].pid == 0;
	}
	/* A crowded table has rows of several processes, and a full one drops. */
	check_that(c, rows == p->mapped || (shared && rows < p->mapped),
		   "process %d: %" PRIu64 " in rows of %" PRIu64, (int)l->pid, rows, p->mapped);
}

void judge_sums(struct check *c, const struct vmt_fault_sample *f)
{
	const struct vmt_fault_totals *t = &f->totals;
	uint64_t kernel = 0, mapped = 0;

	for (size_t i = 0; i < f->n_procs; i++) {
		const struct vmt_fault_proc *p = &f->procs[i];

		check_that(c, adds_up(p), "process %" PRIu64 " does not add up", p->pid);
		kernel += p->kernel_minor + p->kernel_major;
	}
	for (size_t i = 0; i < f->n_maps; i++)
		mapped += f->maps[i].minor + f->maps[i].major;
	check_that(c, kernel == t->kernel_minor + t->kernel_major,
		   "%" PRIu64 " in the accounts, %" PRIu64 " in all", kernel,
		   t->kernel_minor + t->kernel_major);
	check_that(c, mapped == t->mapped, "%" PRIu64 " in the rows of %" PRIu64, mapped,
		   t->mapped);
	check_that(c, t->mapped + t->gup + t->unattributed + t->dropped == kernel,
		   "the sums of all do not add up");
}

char *touch_fresh(size_t pages)
{
	volatile char *p = mmap(NULL, pages * HOSTILE_PAGE, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	for (size_t i = 0; i < pages; i++)
		p[i * HOSTILE_PAGE] = 1;
	return (char *)(uintptr_t)p;
}

static bool wanted(char *const *parts, const char *part)
{
	for (size_t i = 0; parts && parts[i]; i++)
		if (!strcmp(parts[i], part))
			return true;
	return !parts;
}

int main(int argc, char **argv)
{
	bool ours = argc > 1 && !strcmp(argv[1], "--machine");
	const char *expected = argc > 1 + ours ? argv[1 + ours] : NULL;
	char *const *parts = argc > 2 + ours ? argv + 2 + ours : NULL;
	enum vmt_rung_id best;
	struct check c;

	setvbuf(stdout, NULL, _IOLBF, 0);
	/* Huge pages would make the number of faults a matter of luck; children inherit it. */
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	best = session_best();
	check_begin(&c, "probe-hostile/best%s%s", parts ? "-for-" : "", parts ? parts[0] : "");
	check_that(&c, best != VMT_RUNG_NONE, "nothing works here");
	check_that(&c, !expected || !strcmp(vmt_rung_name(best), expected), "not %s", expected);
	check_end(&c, "%s", vmt_rung_name(best));
	if (best == VMT_RUNG_NONE)
		return 0;
	if (wanted(parts, "refused"))
		refused(best);
	if (wanted(parts, "storms"))
		storms(best, ours);
	if (wanted(parts, "mmap"))
		mmap_storms(best);
	if (wanted(parts, "machine"))
		machine(best, ours);
	return 0;
}
