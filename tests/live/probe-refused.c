/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What the kernel refuses, does not have, or says yes to and does not do. */

#include "bpf-shim.h"
#include "probe-hostile.h"

#include <bpf/btf.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"

#define LOG_MOST 8192u

static int touch_some(void *unused)
{
	(void)unused;
	return touch_fresh(100) ? 0 : 1;
}

/* Begins with VMTOP_SHIM, has a child live in the window, and ends. */
static bool run_with(struct session *s, struct check *c, const char *shim,
		     const struct vmt_probe_opts *opts, struct life *life)
{
	bool done;

	setenv("VMTOP_SHIM", shim, 1);
	bpf_shim_attached = 0;
	session_begin(s, opts);
	unsetenv("VMTOP_SHIM");
	*life = life_begin(touch_some, NULL);
	life_wait(life);
	done = session_end(s, c);
	return done;
}

/* Every rung above the one that runs says why it does not. */
static void judge_reasons(struct check *c, const struct vmt_fault_sample *f)
{
	for (int rung = VMT_RUNG_FEXIT; rung < (int)f->rung; rung++) {
		const struct vmt_probe_try *t = session_try(f, (enum vmt_rung_id)rung, NULL);

		check_that(c, t && t->status != VMT_TRY_OK && t->status != VMT_TRY_UNUSED,
			   "no word of %s", vmt_rung_name((enum vmt_rung_id)rung));
		check_that(c, !t || t->reason[0], "%s is %s without a reason",
			   vmt_rung_name((enum vmt_rung_id)rung),
			   t ? vmt_try_status_name(t->status) : "");
	}
}

/* What runs in place of another counts as well as ever. */
static void judge_instead(struct check *c, const struct session *s, const struct life *life)
{
	const struct vmt_fault_proc *p = account_of(&s->faults, life->pid);

	judge_reasons(c, &s->faults);
	judge_sums(c, &s->faults);
	if (!session_is_bpf(s->faults.rung))
		return;
	check_that(c, s->faults.canary == VMT_CANARY_TRUSTED, "its canary says %s",
		   s->faults.canary_text);
	judge_life(c, &s->faults, life);
	/* Two programs that take the begin of one fault would say so. */
	check_that(c, !p || !p->abandoned, "%llu faults begun and not ended",
		   p ? (unsigned long long)p->abandoned : 0);
}

static void bad_program(enum vmt_rung_id best, const char *program, const char *shim)
{
	struct vmt_probe_opts opts = { 0 };
	const struct vmt_probe_try *t;
	struct session s;
	struct life life;
	struct check c;
	char env[64];
	size_t len = 0;

	check_begin(&c, "F01/refused-by-the-verifier/%s/%s", shim, program);
	snprintf(env, sizeof(env), "%s %s", shim, program);
	if (run_with(&s, &c, env, &opts, &life)) {
		check_that(&c, s.faults.rung > best, "%s runs with a program that is bad",
			   vmt_rung_name(s.faults.rung));
		t = session_try(&s.faults, best, NULL);
		len = t ? t->log.len : 0;
		check_that(&c, t && t->status == VMT_TRY_REFUSED && t->error < 0,
			   "%s is not refused", vmt_rung_name(best));
		check_that(&c, len && len <= LOG_MOST, "%zu bytes of the verifier's log", len);
		if (len && !strcmp(shim, "spoil"))
			check_that(&c, memmem(t->log.ptr, len, "invalid", 7) != NULL,
				   "the log has not what the verifier said: %.*s", (int)len,
				   t->log.ptr);
		judge_instead(&c, &s, &life);
	}
	check_end(&c, "%s in place of %s, %zu bytes of log", vmt_rung_name(s.faults.rung),
		  vmt_rung_name(best), len);
	session_done(&s);
}

static void refused_by_the_verifier(enum vmt_rung_id best)
{
	static const char *const first[VMT_RUNGS] = {
		[VMT_RUNG_FEXIT] = "fexit_fault",
		[VMT_RUNG_KPROBE] = "kretprobe_fault",
	};

	if (first[best])
		bad_program(best, first[best], "spoil");
	/* On every rung that has BPF: what is left has none. */
	bad_program(best, "record_minor", "spoil");
	bad_program(best, "record_minor", "flood");
}

/* Without programs around handle_mm_fault() the events are all there is; with them, the check. */
static void silent_events(enum vmt_rung_id best)
{
	struct vmt_probe_opts opts = { 0 };
	const struct vmt_probe_try *t;
	struct session s;
	struct life life;
	struct check c;

	check_begin(&c, "F02/silent/events");
	if (run_with(&s, &c, "silent", &opts, &life)) {
		t = session_try(&s.faults, best, NULL);
		if (best == VMT_RUNG_TRACEPOINT) {
			check_that(&c, t && t->status == VMT_TRY_SILENT && t->reason[0],
				   "%s, and nobody says that it is silent", vmt_rung_name(best));
			check_that(&c, s.faults.rung > best, "%s goes on",
				   vmt_rung_name(s.faults.rung));
		} else {
			check_that(&c, s.faults.canary == VMT_CANARY_PARTIAL, "the canary is %s",
				   vmt_canary_name(s.faults.canary));
			judge_life(&c, &s.faults, &life);
		}
		judge_sums(&c, &s.faults);
	}
	check_end(&c, "%s, canary %s: %s", vmt_rung_name(s.faults.rung),
		  vmt_canary_name(s.faults.canary), s.faults.canary_text);
	session_done(&s);
}

/* Hooks of the rung that runs of which it says that they were refused, and why. */
static unsigned refusals(const struct vmt_fault_sample *f)
{
	unsigned n = 0;

	for (size_t i = 0; i < f->n_tries; i++) {
		const struct vmt_probe_try *t = &f->tries[i];

		n += !strcmp(t->probe, "fault") && !strcmp(t->rung, vmt_rung_name(f->rung)) &&
		     t->hook && t->status == VMT_TRY_REFUSED && t->reason[0];
	}
	return n;
}

/* With the overhead guard faults may be counted by their begin, which takes more programs. */
static const char *with_guard(const struct vmt_probe_opts *opts)
{
	return opts->guard ? "/guard" : "";
}

/* One hook cannot be had: what it gives is unknown, and nothing else changes. */
static void one_hook(enum vmt_rung_id best, const char *program, uint32_t gone, bool filemap,
		     bool guard)
{
	struct vmt_probe_opts opts = {
		.rung = best, .filemap = filemap, .guard = guard, .guard_rate = 1000
	};
	struct session s;
	struct life life;
	struct check c;
	char env[64];

	check_begin(&c, "F03/without/%s%s", program, with_guard(&opts));
	snprintf(env, sizeof(env), "spoil %s", program);
	if (run_with(&s, &c, env, &opts, &life)) {
		const struct vmt_fault_sample *f = &s.faults;

		check_that(&c, f->rung == best, "%s in place of %s", vmt_rung_name(f->rung),
			   vmt_rung_name(best));
		check_that(&c, !(f->have & gone), "it says that it has %x", f->have & gone);
		check_that(&c, f->have & VMT_HAVE_MAPS && f->have & VMT_HAVE_RECORD,
			   "it has %x alone", f->have);
		check_that(&c, filemap || refusals(f), "no word of it");
		check_that(&c, f->canary == VMT_CANARY_TRUSTED, "the canary says %s",
			   f->canary_text);
		if (gone & VMT_HAVE_FILES)
			check_that(&c, !f->n_files && f->filemap_rung == VMT_RUNG_NONE, "%zu files",
				   f->n_files);
		judge_life(&c, f, &life);
		judge_sums(&c, f);
	}
	check_end(&c, "%s, filemap by %s", vmt_rung_name(s.faults.rung),
		  vmt_rung_name(s.faults.filemap_rung));
	session_done(&s);
}

/*
 * The Nth program does not attach. Where it may be missing the rest goes on; where it may not, all
 * of the rung is taken away again, and the next is tried.
 */
static void nth_attachment(enum vmt_rung_id best, unsigned nth, bool guard)
{
	struct vmt_probe_opts opts = { .guard = guard, .guard_rate = 1000 };
	const struct vmt_probe_try *t = NULL;
	struct session s;
	struct life life;
	struct check c;
	char env[64];

	check_begin(&c, "F03/attachment-%u-refused%s", nth, with_guard(&opts));
	snprintf(env, sizeof(env), "attach %u", nth);
	if (run_with(&s, &c, env, &opts, &life)) {
		for (size_t i = 0; i < s.faults.n_tries; i++)
			if (s.faults.tries[i].error == -EBUSY)
				t = &s.faults.tries[i];
		check_that(&c, bpf_shim_attached >= nth, "there were only %u", bpf_shim_attached);
		check_that(&c, t && t->reason[0], "no word of it");
		check_that(&c, !t || (s.faults.rung == best) == (t->hook != NULL),
			   "%s runs without what it needs", vmt_rung_name(s.faults.rung));
		judge_instead(&c, &s, &life);
	}
	check_end(&c, "%s; %s %s: %s", vmt_rung_name(s.faults.rung), t ? t->rung : "",
		  t && t->hook ? t->hook : "", t ? t->reason : "");
	session_done(&s);
}

static void one_of_several(enum vmt_rung_id best)
{
	static const uint32_t begin = VMT_HAVE_ACCESS | VMT_HAVE_MODE | VMT_HAVE_LATENCY;
	static const uint32_t file = VMT_HAVE_FILES | VMT_HAVE_FILE_RESULT | VMT_HAVE_FILE_LATENCY;

	one_hook(best, "task_exec", 0, false, false);
	one_hook(best, "walk_task", 0, false, false);
	if (best == VMT_RUNG_TRACEPOINT) {
		one_hook(best, "begin_user", begin | VMT_HAVE_ABANDONED, false, false);
		one_hook(best, "fault_signal", VMT_HAVE_SIGBUS, false, false);
		one_hook(best, "trace_filemap", file, true, false);
	} else {
		one_hook(best, best == VMT_RUNG_FEXIT ? "fexit_filemap" : "kretprobe_filemap", file,
			 true, false);
	}
	for (unsigned nth = 1; nth <= 4; nth++)
		nth_attachment(best, nth, false);
	if (best != VMT_RUNG_TRACEPOINT)
		return;
	/* What counts by the begin of faults needs all of them. */
	one_hook(best, "walk_task", 0, false, true);
	one_hook(best, "begin_kernel", begin | VMT_HAVE_KINDS, false, true);
	one_hook(best, "fault_signal", VMT_HAVE_SIGBUS, false, true);
	one_hook(best, "timed_user", 0, false, true);
	one_hook(best, "timed_switch", 0, false, true);
	one_hook(best, "timed_minor", 0, false, true);
	/* Behind that of the walk: these, and where there are few CPUs the first of record. */
	for (unsigned nth = 2; nth <= 9; nth++)
		nth_attachment(best, nth, true);
}

/* The kernel times every program of the machine while somebody wants that. */
static void no_statistics(enum vmt_rung_id best)
{
	static const char path[] = "/proc/sys/kernel/bpf_stats_enabled";
	struct vmt_probe_opts opts = { .filemap = true };
	char before = 0, inside = 0;
	struct session s;
	struct life life;
	struct check c;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	check_begin(&c, "F08/no-statistics-of-programs");
	if (fd < 0 || pread(fd, &before, 1, 0) != 1) {
		check_skip(c.name, "%s: %s", path, strerror(errno));
		return;
	}
	memset(bpf_shim_calls, 0, sizeof(bpf_shim_calls));
	session_begin(&s, &opts);
	life = life_begin(touch_some, NULL);
	life_wait(&life);
	check_that(&c, pread(fd, &inside, 1, 0) == 1 && inside == before,
		   "bpf_stats_enabled went from %c to %c", before, inside);
	session_end(&s, &c);
	check_that(&c, bpf_shim_calls[BPF_PROG_LOAD] && bpf_shim_calls[BPF_MAP_CREATE],
		   "the calls of bpf() are not seen");
	check_that(&c, !bpf_shim_calls[BPF_ENABLE_STATS], "it asks for them");
	check_end(&c, "%s: %lu programs loaded, %lu times BPF_ENABLE_STATS", vmt_rung_name(best),
		  bpf_shim_calls[BPF_PROG_LOAD], bpf_shim_calls[BPF_ENABLE_STATS]);
	session_done(&s);
	close(fd);
}

/* What a test makes of the kernel's types before anybody looks at them. */
static void (*change_btf)(struct btf *btf);

/* Stands before that of libbpf, for libbpf itself too. */
struct btf *btf__load_vmlinux_btf(void)
{
	struct btf *(*real)(void) = (struct btf * (*)(void))
		dlsym(RTLD_NEXT, "btf__load_vmlinux_btf");
	struct btf *btf = real ? real() : NULL;

	if (btf && change_btf)
		change_btf(btf);
	return btf;
}

static const char changed[] = "handle_mm_fault";

/* As in kernels before 5.9, with an argument less; or as in one to come, with one more. */
static void change_arguments(struct btf *btf, unsigned arguments)
{
	int id = btf__find_by_name_kind(btf, changed, BTF_KIND_FUNC);

	for (__u32 i = 1; id > 0 && i < btf__type_cnt(btf); i++) {
		const struct btf_type *t = btf__type_by_id(btf, i);

		if (btf_is_func_proto(t) && btf_vlen(t) == arguments) {
			((struct btf_type *)(uintptr_t)btf__type_by_id(btf, (__u32)id))->type = i;
			return;
		}
	}
}

static void three_arguments(struct btf *btf)
{
	change_arguments(btf, 3);
}

static void five_arguments(struct btf *btf)
{
	change_arguments(btf, 5);
}

static void other_name(struct btf *btf)
{
	int id = btf__find_by_name_kind(btf, changed, BTF_KIND_FUNC);
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, (__u32)id) : NULL;
	const char *name = t ? btf__name_by_offset(btf, t->name_off) : NULL;

	if (name)
		*(char *)(uintptr_t)name = 'x';
}

static void changed_function(const char *how, void (*change)(struct btf *btf), const char *word)
{
	static const enum vmt_rung_id around[] = { VMT_RUNG_FEXIT, VMT_RUNG_KPROBE };
	struct vmt_probe_opts opts = { 0 };
	struct session s;
	struct life life;
	struct check c;

	check_begin(&c, "F19/function-%s", how);
	change_btf = change;
	if (run_with(&s, &c, "", &opts, &life)) {
		for (size_t i = 0; i < sizeof(around) / sizeof(around[0]); i++) {
			const struct vmt_probe_try *t = session_try(&s.faults, around[i], NULL);

			check_that(&c, t && t->status == VMT_TRY_ABSENT, "%s is %s",
				   vmt_rung_name(around[i]),
				   t ? vmt_try_status_name(t->status) : "not tried");
			/* A kernel without kprobes is not asked any further. */
			check_that(&c,
				   !t || strstr(t->reason, word) || strstr(t->reason, "kprobes"),
				   "%s: '%s'", vmt_rung_name(around[i]), t ? t->reason : "");
		}
		check_that(&c, s.faults.rung > VMT_RUNG_KPROBE, "%s reads arguments of another",
			   vmt_rung_name(s.faults.rung));
		judge_instead(&c, &s, &life);
	}
	change_btf = NULL;
	check_end(&c, "%s: %s", vmt_rung_name(s.faults.rung),
		  s.faults.n_tries ? s.faults.tries[0].reason : "");
	session_done(&s);
}

/* Gives error for bpf(), and for perf_event_open() where events too are refused. */
static int filter_calls(int error, bool events)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, events ? SYS_perf_event_open : ~0u, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
	};
	struct sock_fprog prog = { sizeof(code) / sizeof(code[0]), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0))
		return -errno;
	return 0;
}

struct denial {
	const char *name;
	int error;
	bool events;
	enum vmt_rung_id rung;
};

static int under_denial(void *arg)
{
	const struct denial *d = arg;
	pid_t self = getpid();
	struct vmt_probe_opts opts = { .pids = &self, .n_pids = 1 };
	const struct vmt_fault_proc *p;
	struct session s;
	struct check c;
	int r = filter_calls(d->error, d->events);

	check_begin(&c, "F20/%s", d->name);
	if (r) {
		check_skip(c.name, "no seccomp filter: %s", strerror(-r));
		return 0;
	}
	session_begin(&s, &opts);
	check_that(&c, touch_fresh(100), "no memory");
	if (session_end(&s, &c)) {
		check_that(&c, s.faults.rung == d->rung, "%s", vmt_rung_name(s.faults.rung));
		judge_reasons(&c, &s.faults);
		p = account_of(&s.faults, self);
		check_that(&c, p && p->kernel_minor >= 100, "of 100 faults %llu",
			   p ? (unsigned long long)p->kernel_minor : 0);
		judge_sums(&c, &s.faults);
	}
	check_end(&c, "%s: %s", vmt_rung_name(s.faults.rung),
		  s.faults.n_tries ? s.faults.tries[0].reason : "");
	session_done(&s);
	return 0;
}

static void denied(void)
{
	static const struct denial denials[] = {
		{ "bpf-ENOSYS", ENOSYS, false, VMT_RUNG_PERF },
		{ "bpf-EPERM", EPERM, false, VMT_RUNG_PERF },
		{ "bpf-EACCES", EACCES, false, VMT_RUNG_PERF },
		{ "bpf-and-events-ENOSYS", ENOSYS, true, VMT_RUNG_PROC },
		{ "bpf-and-events-EPERM", EPERM, true, VMT_RUNG_PROC },
	};

	for (size_t i = 0; i < sizeof(denials) / sizeof(denials[0]); i++) {
		struct denial d = denials[i];
		struct life l = life_begin(under_denial, &d);

		life_wait(&l);
		if (l.status)
			printf("not ok F20/%s-ends - with status %d\n", d.name, l.status);
	}
}

void refused(enum vmt_rung_id best)
{
	if (!session_is_bpf(best)) {
		check_skip("F01/refused", "nothing with BPF works here: it is %s",
			   vmt_rung_name(best));
		denied();
		return;
	}
	refused_by_the_verifier(best);
	silent_events(best);
	one_of_several(best);
	no_statistics(best);
	changed_function("renamed", other_name, "handle_mm_fault");
	changed_function("of-three-arguments", three_arguments, "3 arguments");
	changed_function("of-five-arguments", five_arguments, "5 arguments");
	denied();
}
