/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/probe-load.h"

#include <assert.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/membarrier.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/parse.h"
#include "bpf/abi.h"
#include "bpf/fault.h"
#include "source/perf-event.h"
#include "source/probe-aid.h"
#include "source/probe-btf.h"
#include "source/probe-guard.h"

/*
 * What a verifier may write: kernels before 6.4 fail with ENOSPC where it is too small, in place of
 * the error that the log is about. Untouched pages of it cost nothing.
 */
#define LOG_BYTES (((size_t)16 << 20) - 1)

/* libbpf has one printer for the whole program, without data of the caller; it stays silent. */
static int say_nothing(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

void vmt_probe_silence(void)
{
	libbpf_set_print(say_nothing);
}

static void note_error(struct vmt_probe *p, const struct vmt_probe_rung *rung,
		       const struct vmt_probe_hook *hook, int error, const char *log)
{
	const char *reason, *fix;
	enum vmt_try_status status = vmt_probe_judge(error, &reason, &fix);

	vmt_probe_note(p, rung, hook, status, error, reason, fix, log);
}

static bool hook_wanted(const struct vmt_probe *p, const struct vmt_probe_hook *h)
{
	uint64_t without = p->opts.without;

	if (h->only == VMT_HOOK_FOLLOW && !p->opts.follow)
		return false;
	if (h->only == VMT_HOOK_ASKED && !(p->opts.asks & VMT_ASK_SHARES))
		return false;
	if ((h->only == VMT_HOOK_COUNTS || h->only == VMT_HOOK_AHEAD) &&
	    (VMT_HAVE_BEGIN & ~without || p->opts.stacks || p->opts.singles || p->opts.by_kind ||
	     p->opts.asks & VMT_ASK_SHARES))
		return false;
	if (h->only == VMT_HOOK_TIMED && !vmt_probe_guard_periods(&p->opts))
		return false;
	if (p->opts.without & VMT_HAVE_KINDS)
		without |= VMT_HOOKS;
	return !h->optional || !h->have || h->have & ~without;
}

/*
 * Opens and loads with the hooks that use[] names. On success the skeleton; on failure NULL and
 * *ret_error. log, LOG_BYTES of it, has the verifier's words: those on hook i begin at its byte i,
 * so that where they begin says whose they are.
 */
static void *load_with(struct vmt_probe *p, const struct vmt_probe_rung *rung,
		       const struct vmt_probe_object *ops, const bool *use, bool small, char *log,
		       int *ret_error)
{
	void *skeleton;
	int r;

	memset(log, 0, rung->n_hooks + 1);
	skeleton = ops->open(NULL);
	if (!skeleton) {
		*ret_error = errno ? -errno : -ENOMEM;
		return NULL;
	}
	for (size_t i = 0; i < rung->n_hooks; i++) {
		struct bpf_program *prog = bpf_object__find_program_by_name(ops->object(skeleton),
									    rung->hooks[i].prog);

		if (!prog) {
			r = -ENOENT;
			goto fail;
		}
		bpf_program__set_autoload(prog, use[i]);
		r = bpf_program__set_log_buf(prog, log + i, LOG_BYTES - rung->n_hooks);
		if (r)
			goto fail;
	}
	r = ops->configure(skeleton, p, rung, small);
	if (!r)
		r = ops->load(skeleton);
	if (!r)
		return skeleton;
fail:
	ops->destroy(skeleton);
	*ret_error = r;
	return NULL;
}

/* The hook that the verifier had words on, or n_hooks. */
static size_t culprit(const struct vmt_probe_rung *rung, const char *log)
{
	size_t i = 0;

	while (i < rung->n_hooks && !log[i])
		i++;
	return i;
}

/* A hook that does not load, and why; -errno where the rung is nothing without it. */
static int lose_hook(struct vmt_probe *p, const struct vmt_probe_rung *rung,
		     const struct vmt_probe_hook *hook, int error, const char *log,
		     struct vmt_err *err)
{
	enum vmt_try_status status;
	const char *reason, *fix;
	char text[160];

	if (hook->optional) {
		note_error(p, rung, hook, error, log);
		return 0;
	}
	status = vmt_probe_judge(error, &reason, &fix);
	snprintf(text, sizeof(text), "%s: %s", hook->hook, reason);
	vmt_probe_note(p, rung, NULL, status, error, text, fix, log);
	return vmt_err_set(err, error, NULL, 0, "%s", text);
}

/*
 * A kernel, or a security module, that permits no program at a function says so of one that does
 * nothing, too: without reading its types anew, and making all tables, to hear it. All else is for
 * the programs themselves to find out.
 */
static int check_permitted(struct vmt_probe *p, const struct vmt_probe_rung *rung, bool *use,
			   struct vmt_err *err)
{
	const struct vmt_probe_hook *hook = &rung->hooks[0];
	int id;

	if (!p->btf || !use[0] || strncmp(hook->hook, "fentry/", strlen("fentry/")) != 0)
		return 0;
	id = btf__find_by_name_kind(p->btf, rung->function, BTF_KIND_FUNC);
	if (id < 0 || vmt_aid_try((uint32_t)id) != -EPERM)
		return 0;
	use[0] = false;
	return lose_hook(p, rung, hook, -EPERM, NULL, err);
}

/* Takes out of use[] what this kernel does not have. */
static int check_hooks(struct vmt_probe *p, const struct vmt_probe_rung *rung, bool *use,
		       struct vmt_err *err)
{
	int r;

	/* Reading it takes longer than most that is done with it. */
	if (!p->btf)
		p->btf = vmt_probe_btf();
	r = vmt_probe_btf_arguments(p->btf, rung, err);
	if (r)
		vmt_probe_note(p, rung, NULL, VMT_TRY_ABSENT, r, err ? err->text : NULL, NULL,
			       NULL);
	for (size_t i = 0; !r && i < rung->n_hooks; i++) {
		/* Nobody misses it. */
		if (rung->hooks[i].only == VMT_HOOK_COUNTS && !vmt_probe_btf_casts(p->btf))
			use[i] = false;
		if ((rung->hooks[i].only == VMT_HOOK_AHEAD ||
		     rung->hooks[i].only == VMT_HOOK_TIMED) &&
		    (!vmt_probe_btf_casts(p->btf) ||
		     vmt_probe_btf_lacks(p->btf, rung->hooks[i].hook)))
			use[i] = false;
		if (!use[i] || !vmt_probe_btf_lacks(p->btf, rung->hooks[i].hook))
			continue;
		use[i] = false;
		r = lose_hook(p, rung, &rung->hooks[i], -ESRCH, NULL, err);
	}
	return r ?: check_permitted(p, rung, use, err);
}

void vmt_probe_btf_done(struct vmt_probe *p)
{
	btf__free(p->btf);
	p->btf = NULL;
}

/*
 * Loads the hooks of use[], and takes out of it those that this kernel refuses. 0 and the skeleton,
 * or -errno where one was refused that the rung cannot do without.
 */
static int load_some(struct vmt_probe *p, const struct vmt_probe_rung *rung,
		     const struct vmt_probe_object *ops, bool *use, void **ret, struct vmt_err *err)
{
	VMT_AUTO_FREE bool *one = calloc(rung->n_hooks, sizeof(*one));
	VMT_AUTO_FREE char *log = calloc(1, LOG_BYTES);
	void *skeleton;
	int r, error;
	size_t i;

	if (!one || !log)
		return vmt_err_set(err, -ENOMEM, NULL, 0, "no memory to load programs");
	for (;;) {
		*ret = load_with(p, rung, ops, use, false, log, &error);
		if (*ret)
			return 0;
		i = culprit(rung, log);
		if (i == rung->n_hooks || !use[i])
			break;
		use[i] = false;
		r = lose_hook(p, rung, &rung->hooks[i], error, log + i, err);
		if (r)
			return r;
	}

	/* One of them failed without a word of the verifier. Which? */
	for (i = 0; i < rung->n_hooks; i++) {
		if (!use[i])
			continue;
		one[i] = true;
		skeleton = load_with(p, rung, ops, one, true, log, &error);
		one[i] = false;
		if (skeleton) {
			ops->destroy(skeleton);
			continue;
		}
		use[i] = false;
		r = lose_hook(p, rung, &rung->hooks[i], error, log + i, err);
		if (r)
			return r;
	}
	*ret = load_with(p, rung, ops, use, false, log, &error);
	if (*ret)
		return 0;
	note_error(p, rung, NULL, error, log + culprit(rung, log));
	return vmt_err_set(err, error, NULL, 0, "programs do not load: %s", vmt_errno_name(error));
}

int vmt_probe_load(struct vmt_probe *p, const struct vmt_probe_rung *rung,
		   const struct vmt_probe_object *ops, struct vmt_probe_loaded *ret,
		   struct vmt_err *err)
{
	VMT_AUTO_FREE bool *use = calloc(rung->n_hooks, sizeof(*use));
	int r;

	*ret = (struct vmt_probe_loaded){ .ops = ops,
					  .rung = rung,
					  .lock = PTHREAD_MUTEX_INITIALIZER };
	if (!use)
		return vmt_err_set(err, -ENOMEM, NULL, 0, "no memory to load programs");
	libbpf_set_print(say_nothing);
	if (rung->file && !vmt_probe_exists(rung->file)) {
		vmt_probe_note(p, rung, NULL, VMT_TRY_ABSENT, -ENOENT,
			       "this kernel has no kprobes (CONFIG_KPROBE_EVENTS)", NULL, NULL);
		return vmt_err_set(err, -ENOENT, NULL, 0, "this kernel has no kprobes");
	}
	for (size_t i = 0; i < rung->n_hooks; i++)
		use[i] = hook_wanted(p, &rung->hooks[i]);
	r = check_hooks(p, rung, use, err);
	/* libbpf reads them for itself: twice as much would be in memory. */
	if (!r)
		vmt_probe_btf_done(p);
	r = r ?: load_some(p, rung, ops, use, &ret->skeleton, err);
	if (r)
		return r;
	for (size_t i = 0; i < rung->n_hooks; i++)
		ret->have |= rung->hooks[i].have;
	for (size_t i = 0; i < rung->n_hooks; i++)
		if (!use[i])
			ret->have &= ~rung->hooks[i].have;
	/* What the rung gives by itself costs nothing more; kinds want their hooks. */
	ret->have |= rung->have & ~(p->opts.without & VMT_HAVE_KINDS);
	return 0;
}

static int keep_link(struct vmt_probe_loaded *l, struct bpf_link *link)
{
	if (vmt_grow(&l->links, &l->cap_links, l->n_links + 1, sizeof(struct bpf_link *))) {
		bpf_link__destroy(link);
		return -ENOMEM;
	}
	l->links[l->n_links++] = link;
	return 0;
}

struct event_job {
	struct vmt_probe_loaded *l;
	struct bpf_program *prog;
	const struct vmt_probe_hook *hook;
};

static bool is_major(const struct vmt_probe_hook *hook)
{
	return !strcmp(hook->hook, "software:major-faults");
}

/* The software event on one CPU. The link owns the event's descriptor from here on. */
static int attach_event(unsigned cpu, void *data)
{
	struct event_job *job = data;
	struct vmt_probe_loaded *l = job->l;
	bool timed = job->hook->only == VMT_HOOK_TIMED;
	struct perf_event_attr attr;
	struct bpf_link *link;
	int fd, r;

	if (vmt_grow(&l->events, &l->cap_events, l->n_events + 1, sizeof(*l->events)))
		return -ENOMEM;
	vmt_perf_fault_attr(&attr, is_major(job->hook));
	attr.exclude_kernel = timed;
	attr.exclude_user = l->ahead && !timed && !is_major(job->hook);
	fd = vmt_perf_event_open(&attr, -1, (int)cpu);
	if (fd < 0)
		return fd;
	link = bpf_program__attach_perf_event(job->prog, fd);
	if (!link) {
		r = errno ? -errno : -EINVAL;
		close(fd);
		return r;
	}
	r = keep_link(l, link);
	if (r)
		return r;
	l->events[l->n_events++] = (struct vmt_probe_event){ fd, cpu, timed };
	return 0;
}

static struct bpf_program *program_of(const struct vmt_probe_loaded *l,
				      const struct vmt_probe_hook *hook)
{
	struct bpf_program *prog =
		bpf_object__find_program_by_name(l->ops->object(l->skeleton), hook->prog);

	return prog && bpf_program__autoload(prog) ? prog : NULL;
}

/* Whether a program hangs on its event itself: two of them would count a fault twice. */
static bool hangs(const struct vmt_probe_loaded *l, const struct vmt_probe_hook *hook)
{
	if (hook->only == VMT_HOOK_COUNTS)
		return l->deputy == hook;
	if (hook->only == VMT_HOOK_TIMED)
		return l->timed;
	return !l->deputy || strcmp(l->deputy->hook, hook->hook) != 0;
}

/* Where a deputy finds the program of which it takes the place. */
static struct bpf_map *rest_of(const struct vmt_probe_loaded *l)
{
	return bpf_object__find_map_by_name(l->ops->object(l->skeleton), "quick_rest");
}

/* Tells the program of that hook which one it stands for. 0 or -errno; it does not hang there then.
 */
static int depute(struct vmt_probe_loaded *l, const struct vmt_probe_hook *hook)
{
	const struct vmt_probe_hook *end = l->rung->hooks + l->rung->n_hooks;
	struct bpf_map *rest = rest_of(l);

	for (const struct vmt_probe_hook *h = hook + 1; rest && h < end; h++) {
		struct bpf_program *prog = strcmp(h->hook, hook->hook) ? NULL : program_of(l, h);
		int fd = prog ? bpf_program__fd(prog) : -1;

		if (fd < 0)
			continue;
		if (bpf_map_update_elem(bpf_map__fd(rest), &(uint32_t){ 0 }, &fd, BPF_ANY))
			return errno ? -errno : -EINVAL;
		l->deputy = hook;
		return 0;
	}
	return -ENOENT;
}

/* What times faults that are counted by their begin: five programs. */
static bool is_of_timed(const struct vmt_probe_hook *hook)
{
	return hook->only == VMT_HOOK_TIMED || !strcmp(hook->prog, "begin_kernel") ||
	       !strcmp(hook->prog, "fault_signal");
}

/* Whether all programs that count by the begin of faults are loaded, and the walk over tasks, which
 * charges what is pending at the end. */
static bool can_ahead(const struct vmt_probe_loaded *l, bool *ret_timed)
{
	size_t n_timed = 0;
	bool walks = false, any = false, all = true;

	for (size_t i = 0; i < l->rung->n_hooks; i++) {
		const struct vmt_probe_hook *hook = &l->rung->hooks[i];

		walks |= !strcmp(hook->hook, "iter/task") && program_of(l, hook);
		n_timed += is_of_timed(hook) && program_of(l, hook);
		if (hook->only != VMT_HOOK_AHEAD)
			continue;
		any |= program_of(l, hook) != NULL;
		all &= program_of(l, hook) != NULL;
	}
	*ret_timed = walks && n_timed == 5;
	return *ret_timed || (walks && any && all);
}

int vmt_probe_attach_cpu(void *loaded, unsigned cpu)
{
	struct vmt_probe_loaded *l = loaded;
	int r = 0;

	pthread_mutex_lock(&l->lock);
	/* Should they not be dead: two of them would count a fault twice. */
	for (size_t i = 0; i < l->n_events; i++)
		if (l->events[i].cpu == cpu) {
			(void)vmt_perf_event_stop(l->events[i].fd);
			/* Nobody changes their period any more. */
			l->events[i].cpu = UINT_MAX;
		}
	for (size_t i = 0; i < l->rung->n_hooks && !r; i++) {
		const struct vmt_probe_hook *hook = &l->rung->hooks[i];
		struct bpf_program *prog = program_of(l, hook);
		struct event_job job = { l, prog, hook };

		if (prog && bpf_program__type(prog) == BPF_PROG_TYPE_PERF_EVENT && hangs(l, hook))
			r = attach_event(cpu, &job);
	}
	pthread_mutex_unlock(&l->lock);
	return r;
}

int vmt_probe_events_stop(struct vmt_probe_loaded *l, uint64_t *ret_counted)
{
	uint64_t sum = 0;
	int r = 0;

	for (size_t i = 0; i < l->n_events; i++) {
		uint64_t n = 0;

		if (l->events[i].every) {
			r = vmt_perf_event_stop(l->events[i].fd) ?: r;
			continue;
		}
		r = vmt_perf_event_stop(l->events[i].fd) ?: r;
		r = vmt_perf_event_read(l->events[i].fd, &n) ?: r;
		sum += n;
	}
	*ret_counted = sum;
	return r;
}

void vmt_probe_wait(void)
{
	/* synchronize_rcu() in the kernel; refused only where a CPU runs without ticks. */
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		usleep(50000);
}

static int attach_hook(struct vmt_probe_loaded *l, const struct vmt_probe_hook *hook,
		       struct bpf_program *prog)
{
	struct bpf_link *link;
	int r;

	if (hook->only == VMT_HOOK_COUNTS) {
		r = depute(l, hook);
		if (r)
			return r;
	}
	if (bpf_program__type(prog) == BPF_PROG_TYPE_PERF_EVENT) {
		struct event_job job = { l, prog, hook };

		return hangs(l, hook) ? vmt_cpus_online(attach_event, &job) : 0;
	}
	link = bpf_program__attach(prog);
	if (!link)
		return errno ? -errno : -EINVAL;
	return keep_link(l, link);
}

/* Says of a hook that it does not attach, and why; text is what is said. needed: the rung is
 * nothing without it. */
static void note_refused(struct vmt_probe *p, const struct vmt_probe_loaded *l,
			 const struct vmt_probe_hook *hook, bool needed, int error,
			 char (*text)[160])
{
	const char *reason, *fix;
	enum vmt_try_status status = vmt_probe_judge(error, &reason, &fix);

	snprintf(*text, sizeof(*text), "%s does not attach: %s", hook->hook, reason);
	vmt_probe_note(p, l->rung, needed ? NULL : hook, status, error, *text, fix, NULL);
}

/*
 * Attaches what counts faults by their begin and times those that have an event, all of it or, when
 * one is refused, nothing: l->timed is false then, and they are counted at their events.
 */
static void attach_timed(struct vmt_probe *p, struct vmt_probe_loaded *l)
{
	const struct vmt_probe_hook *end = l->rung->hooks + l->rung->n_hooks, *hook;
	size_t links = l->n_links, events = l->n_events;
	char text[160];
	int r = 0;

	for (hook = l->rung->hooks; hook < end; hook++) {
		if (hook->only != VMT_HOOK_TIMED)
			continue;
		r = attach_hook(l, hook, program_of(l, hook));
		if (r)
			break;
	}
	if (!r) {
		for (hook = l->rung->hooks; hook < end; hook++)
			if (hook->only == VMT_HOOK_TIMED)
				vmt_probe_note(p, l->rung, hook, VMT_TRY_OK, 0, NULL, NULL, NULL);
		return;
	}
	note_refused(p, l, hook, false, r, &text);
	while (l->n_links > links)
		bpf_link__destroy(l->links[--l->n_links]);
	l->n_events = events;
	l->ahead = l->timed = false;
}

int vmt_probe_attach(struct vmt_probe *p, struct vmt_probe_loaded *l, struct vmt_err *err)
{
	bool tried = false;

	/* Before the events: whether one of them is for all faults is known then. */
	l->ahead = can_ahead(l, &l->timed);
	for (size_t i = 0; i < l->rung->n_hooks; i++) {
		const struct vmt_probe_hook *hook = &l->rung->hooks[i];
		struct bpf_program *prog = program_of(l, hook);
		char text[160];
		bool needed;
		int r;

		if (!prog)
			continue;
		/* Run by whoever wants to know, who says what came of it. */
		if (bpf_program__type(prog) == BPF_PROG_TYPE_RAW_TRACEPOINT)
			continue;
		if (hook->only == VMT_HOOK_TIMED) {
			if (l->timed && !tried)
				attach_timed(p, l);
			tried = true;
			continue;
		}
		if (hook->only == VMT_HOOK_AHEAD && !l->ahead)
			continue;
		/* It is timed_user() then. */
		if (l->timed && !strcmp(hook->prog, "begin_user"))
			continue;
		/* The walk over tasks is run, not triggered: whoever needs it makes its link. */
		if (bpf_program__expected_attach_type(prog) == BPF_TRACE_ITER)
			r = 0;
		else
			r = attach_hook(l, hook, prog);
		if (!r) {
			vmt_probe_note(p, l->rung, hook, VMT_TRY_OK, 0, NULL, NULL, NULL);
			continue;
		}
		/* The event of a deputy is that of the hook that it stands for. */
		needed = !hook->optional || l->deputy == hook;
		note_refused(p, l, hook, needed, r, &text);
		if (needed)
			return vmt_err_set(err, r, NULL, 0, "%s", text);
		l->have &= ~hook->have;
		/* Both of them stand before what is timed. */
		if (hook->only == VMT_HOOK_AHEAD || (l->timed && is_of_timed(hook)))
			l->ahead = l->timed = false;
	}
	return 0;
}

void vmt_probe_unload(struct vmt_probe_loaded *l)
{
	for (size_t i = 0; i < l->n_links; i++)
		bpf_link__destroy(l->links[i]);
	if (l->deputy)
		(void)bpf_map_delete_elem(bpf_map__fd(rest_of(l)), &(uint32_t){ 0 });
	free(l->links);
	free(l->events);
	if (l->skeleton)
		l->ops->destroy(l->skeleton);
	pthread_mutex_destroy(&l->lock);
	*l = (struct vmt_probe_loaded){ 0 };
}

int vmt_probe_array_map(struct bpf_map *map, struct vmt_probe_array *ret)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct vmt_probe_array a = {
		.stride = ((size_t)bpf_map__value_size(map) + 7) / 8 * 8,
		.len = bpf_map__max_entries(map),
	};
	void *base;

	a.bytes = (a.stride * a.len + page - 1) / page * page;
	base = mmap(NULL, a.bytes, PROT_READ, MAP_SHARED, bpf_map__fd(map), 0);
	if (base == MAP_FAILED)
		return -errno;
	a.base = base;
	*ret = a;
	return 0;
}

static struct bpf_map *map_of(struct vmt_probe_loaded *l, const char *name)
{
	return bpf_object__find_map_by_name(l->ops->object(l->skeleton), name);
}

int vmt_probe_map(struct vmt_probe_loaded *l, const char *name, struct vmt_probe_array *ret,
		  struct vmt_err *err)
{
	struct bpf_map *map = map_of(l, name);
	int r;

	if (!map)
		return vmt_err_set(err, -ENOENT, NULL, 0, "no table %s", name);
	r = vmt_probe_array_map(map, ret);
	return r < 0 ? vmt_err_set(err, r, NULL, 0, "cannot map the table %s", name) : 0;
}

void vmt_probe_unmap(struct vmt_probe_array *a)
{
	void *base;

	memcpy(&base, &a->base, sizeof(base));
	if (base)
		munmap(base, a->bytes);
	*a = (struct vmt_probe_array){ 0 };
}

int vmt_probe_filter(struct vmt_probe_loaded *l, const pid_t *pids, size_t n, struct vmt_err *err)
{
	struct bpf_map *map = map_of(l, "filter");
	__u8 one = 1;

	if (!map)
		return vmt_err_set(err, -ENOENT, NULL, 0, "no table filter");
	for (size_t i = 0; i < n; i++) {
		__u32 pid = (__u32)pids[i];

		if (bpf_map_update_elem(bpf_map__fd(map), &pid, &one, BPF_ANY))
			return vmt_err_set(err, errno == E2BIG ? -ENOSPC : -errno, NULL, 0,
					   "cannot watch process %u", pid);
	}
	return 0;
}

uint64_t vmt_probe_stat(const struct vmt_probe_array *stats, unsigned which)
{
	uint64_t sum = 0;

	for (size_t cpu = 0; cpu < stats->len; cpu++) {
		const struct vmt_stat_slot *s = vmt_probe_at(stats, cpu);

		sum += s->v[which];
	}
	return sum;
}

int vmt_probe_program_misses(int fd, uint64_t *ret_misses)
{
	char path[64], text[4096];
	struct vmt_bytes cur, line;
	VMT_AUTO_CLOSE int info = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = open(path, O_RDONLY | O_CLOEXEC);
	if (info < 0)
		return -errno;
	n = read(info, text, sizeof(text));
	if (n < 0)
		return -errno;
	cur = (struct vmt_bytes){ text, (size_t)n };
	while (vmt_take_line(&cur, &line)) {
		if (!vmt_bytes_starts(line, "recursion_misses:"))
			continue;
		line.ptr += strlen("recursion_misses:");
		line.len -= strlen("recursion_misses:");
		vmt_take_blanks(&line);
		return vmt_take_u64(&line, ret_misses);
	}
	return -ENODATA;
}

int vmt_probe_misses(const struct vmt_probe_loaded *l, uint64_t *ret_misses)
{
	struct bpf_program *prog;
	uint64_t sum = 0;

	bpf_object__for_each_program (prog, l->ops->object(l->skeleton)) {
		uint64_t misses;
		int r;

		if (bpf_program__fd(prog) < 0)
			continue;
		r = vmt_probe_program_misses(bpf_program__fd(prog), &misses);
		if (r)
			return r;
		sum += misses;
	}
	*ret_misses = sum;
	return 0;
}

void vmt_probe_latency(const struct vmt_slot_latency *from, uint64_t count,
		       struct vmt_fault_latency *ret)
{
	static_assert(VMT_FAULT_BUCKETS == VMT_BPF_HIST && VMT_BPF_HIST_UNIT == 4 &&
			      VMT_BPF_HIST_SHARE == 3,
		      "the buckets of model/latency.c");

	*ret = (struct vmt_fault_latency){
		.count = count, .others = from->others, .sum_ns = from->sum, .max_ns = from->max
	};
	memcpy(ret->bucket, from->hist, sizeof(ret->bucket));
}

int vmt_probe_path(const struct vmt_slot_name *name, bool memory, struct vmt_arena *arena,
		   struct vmt_bytes *ret_path, bool *ret_deleted, bool *ret_cut)
{
	static const char gone[] = " (deleted)";
	size_t len = name->len < VMT_NAME_BYTES ? name->len : VMT_NAME_BYTES;
	VMT_CLEANUP(vmt_buf_done) struct vmt_buf path;
	char *copy;
	int r;

	vmt_buf_init(&path);
	*ret_deleted = (name->flags & VMT_NAME_DELETED) != 0;
	*ret_cut = (name->flags & VMT_NAME_CUT) != 0;
	if (name->flags & VMT_NAME_PSEUDO) {
		/* As simple_dname() and anon_inodefs_dname() write them. */
		vmt_buf_adds(&path, memory || !len || name->bytes[0] != '[' ? "/" : "anon_inode:");
		vmt_buf_add(&path, name->bytes, len ? len - 1 : 0);
		if (memory)
			vmt_buf_adds(&path, gone);
		*ret_deleted = memory;
	} else {
		if (*ret_cut)
			vmt_buf_adds(&path, "...");
		while (len > 0) {
			size_t from = len - 1;

			while (from > 0 && name->bytes[from - 1])
				from--;
			vmt_buf_addc(&path, '/');
			vmt_buf_add(&path, name->bytes + from, len - 1 - from);
			len = from;
		}
		if (*ret_deleted)
			vmt_buf_adds(&path, gone);
	}
	r = vmt_buf_error(&path);
	if (r)
		return r;
	copy = vmt_arena_copy(arena, path.data, path.len);
	if (!copy)
		return -ENOMEM;
	*ret_path = (struct vmt_bytes){ copy, path.len };
	return 0;
}

int vmt_probe_name(const struct vmt_probe_array *names, uint32_t row, struct vmt_arena *arena,
		   struct vmt_bytes *ret)
{
	const struct vmt_slot_name *name;
	bool deleted, cut;

	if (!row || row > names->len)
		return 0;
	name = vmt_probe_at(names, row - 1);
	if (!name->ready)
		return 0;
	return vmt_probe_path(name, name->flags & VMT_NAME_PSEUDO && name->bytes[0] != '[', arena,
			      ret, &deleted, &cut);
}
