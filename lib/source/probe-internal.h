/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the files of the probe share with each other; nobody else includes it. */

#include "source/probe.h"

struct btf;
struct vmt_probe_rung;

/* Bits of vmt_probe_hook.have behind those of enum vmt_fault_have, of hooks that tell kinds of
 * faults apart. */
enum {
	VMT_HOOK_WP = 1 << 20,
	VMT_HOOK_SWAP = 1 << 21,
	VMT_HOOK_FAULT = 1 << 22,
	VMT_HOOK_THP = 1 << 23,
	VMT_HOOK_HUGE_WP = 1 << 24,
	VMT_HOOK_HUGE_WP_KPROBE = 1 << 25,
	VMT_HOOK_NUMA = 1 << 26,
	VMT_HOOK_USERFAULT = 1 << 27,
	VMT_HOOK_TABLES = 1 << 28,
	VMT_HOOK_MOVED = 1 << 29,
};
/* And of those that tell what the time of a fault was spent on. They leave the fault probe by no
 * bit: its caller's have other meanings. */
#define VMT_HOOK_LOCK	   (UINT32_C(1) << 30)
#define VMT_HOOK_READ	   (UINT32_C(1) << 31)
#define VMT_HOOK_SWAP_READ (UINT64_C(1) << 32)
#define VMT_HOOK_SHARES	   (VMT_HOOK_LOCK | VMT_HOOK_READ | VMT_HOOK_SWAP_READ)
#define VMT_HOOKS	   (UINT32_C(0x3ff) << 20)

/* What a hook is not wanted without. */
enum vmt_hook_only {
	VMT_HOOK_ALWAYS,
	VMT_HOOK_FOLLOW, /* opts.follow */
	VMT_HOOK_ASKED, /* VMT_ASK_SHARES */
	VMT_HOOK_COUNTS, /* nothing but counts: in place of the next hook on the same event */
	VMT_HOOK_AHEAD, /* the same: in place of events of faults in user mode, all or none */
	VMT_HOOK_TIMED, /* the guard: events of faults in user mode that are counted by their begin
			 */
};

/* What comes with the begin of each fault. */
#define VMT_HAVE_BEGIN                                                                             \
	(VMT_HAVE_ACCESS | VMT_HAVE_MODE | VMT_HAVE_LATENCY | VMT_HAVE_KINDS |                     \
	 VMT_HAVE_ABANDONED | VMT_HAVE_SIGBUS)

/* One program, or software event, that a rung attaches. */
struct vmt_probe_hook {
	const char *prog; /* name in the BPF object */
	const char *hook; /* what it hangs on, as SEC() says it */
	const char *gives;
	uint64_t have; /* VMT_HAVE_ and VMT_HOOK_ bits that need it */
	bool optional; /* without it the rung still works */
	enum vmt_hook_only only;
};

/* How a rung is driven. state belongs to the rung. */
struct vmt_probe_backend {
	/* Loads, attaches, checks itself. On failure nothing is left. */
	int (*start)(struct vmt_probe *p, const struct vmt_probe_rung *rung, void **ret_state,
		     struct vmt_err *err);
	int (*watch)(void *state, pid_t pid, struct vmt_err *err);
	int (*drain)(void *state, struct vmt_err *err); /* NULL: it has no single faults */
	int (*live)(void *state, bool last, struct vmt_arena *arena, struct vmt_fault_sample *ret,
		    struct vmt_err *err); /* NULL with drain */
	int (*stop)(void *state, struct vmt_err *err);
	int (*read)(struct vmt_probe *p, void *state, struct vmt_arena *arena,
		    struct vmt_fault_sample *ret, struct vmt_err *err);
	void (*close)(void *state);
};

/* A row of the ladder. */
struct vmt_probe_rung {
	enum vmt_rung_id id;
	const char *gives;
	const char *function; /* kernel function that it stands around, or NULL */
	const char *file; /* that has to be there, or NULL: spares loading what cannot attach */
	unsigned arguments; /* that the function has to have, or we would misread them */
	uint32_t have; /* what it gives even without optional hooks */
	const struct vmt_probe_backend *backend; /* NULL: not in this build */
	const struct vmt_probe_hook *hooks;
	size_t n_hooks;
};

/* Best first. */
extern const struct vmt_probe_rung vmt_fault_ladder[];
extern const size_t vmt_fault_ladder_len;
extern const struct vmt_probe_rung vmt_filemap_ladder[];
extern const size_t vmt_filemap_ladder_len;

extern const struct vmt_probe_backend vmt_probe_fault_bpf;
extern const struct vmt_probe_backend vmt_probe_filemap_bpf;
extern const struct vmt_probe_backend vmt_probe_perf;
extern const struct vmt_probe_backend vmt_probe_proc;

struct vmt_probe {
	struct vmt_probe_opts opts;
	pid_t *pids; /* copy of opts.pids */
	struct vmt_probe_try *tries;
	size_t n_tries;
	size_t cap_tries;
	const struct vmt_probe_rung *rung; /* that runs */
	void *state;
	const struct vmt_probe_rung *filemap_rung;
	void *filemap_state;
	enum vmt_canary canary;
	char canary_text[200];
	uint32_t have;
	struct btf *btf; /* of the kernel, while the probe is started */
	int filter_fd; /* the BPF map of watched processes, shared by the objects; -1 without */
	bool started;
	bool stopped;
	uint64_t start_ns; /* CLOCK_MONOTONIC */
	uint64_t stop_ns;
};

/* CLOCK_MONOTONIC in ns, the clock of bpf_ktime_get_ns(). */
uint64_t vmt_probe_now(void);

/* Whether rows of this process are wanted: no filter, or it is in it. */
bool vmt_probe_wants(const struct vmt_probe *p, pid_t pid);

/*
 * Notes what came of a rung (hook NULL) or of one of its hooks; reason and fix may be NULL. log is
 * copied, its end kept. Failing to keep a note is no failure of the probe.
 */
void vmt_probe_note(struct vmt_probe *p, const struct vmt_probe_rung *rung,
		    const struct vmt_probe_hook *hook, enum vmt_try_status status, int error,
		    const char *reason, const char *fix, const char *log);

/* Whether the process has the capability (CAP_*), effective. */
bool vmt_probe_capable(unsigned cap);
