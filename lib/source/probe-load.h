/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Loading and attaching one BPF object for one rung, each hook on its own, so that an optional one
 * that this kernel refuses costs no more than what it gives. For the probe-*.c files alone.
 */

#include <errno.h>
#include <pthread.h>

#include "source/probe-internal.h"

struct bpf_map;
struct bpf_object;
struct bpf_link;
struct bpf_program;
struct bpf_object_open_opts;

/* What the generated skeleton of an object can do. */
struct vmt_probe_object {
	void *(*open)(const struct bpf_object_open_opts *opts);
	struct bpf_object *(*object)(void *skeleton);
	int (*load)(void *skeleton);
	void (*destroy)(void *skeleton);
	/* Sizes and constants, before it is loaded; small: only to see whether it loads. */
	int (*configure)(void *skeleton, const struct vmt_probe *p,
			 const struct vmt_probe_rung *rung, bool small);
};

/* Memory of a BPF_F_MMAPABLE array. */
struct vmt_probe_array {
	const unsigned char *base;
	size_t stride; /* bytes of an element */
	size_t len; /* elements */
	size_t bytes; /* mapped */
};

struct vmt_probe_loaded {
	const struct vmt_probe_object *ops;
	const struct vmt_probe_rung *rung;
	void *skeleton;
	uint64_t have; /* VMT_HAVE_ and VMT_HOOK_ bits */
	/* Whose program hangs on an event in place of another, and gives it the rest; or NULL. */
	const struct vmt_probe_hook *deputy;
	bool ahead; /* faults in user mode are counted by their begin: bpf/fault-ahead.bpf.h */
	bool timed; /* and those that have an event are timed */
	struct bpf_link **links;
	size_t n_links;
	size_t cap_links;
	struct vmt_probe_event {
		int fd; /* owned by a link */
		unsigned cpu;
		unsigned every; /* one of so many faults has it; 0: it is of record */
	} * events; /* software events */
	size_t n_events;
	size_t cap_events;
	pthread_mutex_t lock; /* of events, while the programs run */
};

/*
 * Opens the object and loads what of it the rung and the options want. 0; else a negative errno of
 * libbpf or the kernel, with the reason in err, and nothing is left. ret is for
 * vmt_probe_unload() and lives as long as its maps are looked at.
 */
int vmt_probe_load(struct vmt_probe *p, const struct vmt_probe_rung *rung,
		   const struct vmt_probe_object *ops, struct vmt_probe_loaded *ret,
		   struct vmt_err *err);
/* Whether there is such a file. */
bool vmt_probe_exists(const char *path);
/*
 * To be asked once an object is loaded: 0, or -ENOTSUP where its variables are nowhere. libbpf
 * takes a kernel that refuses it one array to be mapped, for want of memory perhaps, for one
 * before 5.5, and leaves the skeleton's pointers NULL.
 */
static inline int vmt_probe_has_bss(const volatile void *bss)
{
	return bss ? 0 : -ENOTSUP;
}
/* What an error of loading or attaching means; ret_fix: the command that would change it, or NULL.
 */
enum vmt_try_status vmt_probe_judge(int error, const char **ret_reason, const char **ret_fix);
/* What an error of loading means, in words. */
const char *vmt_probe_explain(int error);
/* What may be added where its own doings were not counted: programs see the numbers that processes
 * have outside of all PID namespaces. "" in the first of them. */
const char *vmt_probe_other_numbers(void);
/* Nothing of libbpf goes to stderr. */
void vmt_probe_silence(void);
/* Frees the types of the kernel, which vmt_probe_load() keeps for the next rung. */
void vmt_probe_btf_done(struct vmt_probe *p);
/* What needs a hook that did not attach is taken out of ret->have. */
int vmt_probe_attach(struct vmt_probe *p, struct vmt_probe_loaded *l, struct vmt_err *err);
/*
 * Opens the software events on a CPU that has come online since, and lets them count. Those that it
 * had before are dead, and keep what they counted. loaded is a struct vmt_probe_loaded; 0 or
 * -errno.
 */
int vmt_probe_attach_cpu(void *loaded, unsigned cpu);
/* Stops the software events, and sums what they counted. -errno where one does not tell. */
int vmt_probe_events_stop(struct vmt_probe_loaded *l, uint64_t *ret_counted);
/* Programs that began before have ended when it returns. */
void vmt_probe_wait(void);
/* Detaches and closes all of it. The kernel then has neither program nor link of it. */
void vmt_probe_unload(struct vmt_probe_loaded *l);

/* Gives a table of an object that is not loaded yet its size. 0 or -errno. */
int vmt_probe_resize(struct bpf_object *object, const char *name, uint32_t entries);
/* Puts rows first .. n-1 of a table on its list of free ones. */
int vmt_probe_fill(struct vmt_probe_loaded *l, const char *queue, uint32_t first, uint32_t n,
		   struct vmt_err *err);
/* The same, of the list itself, once it is loaded. 0 or -errno. */
int vmt_probe_fill_queue(struct bpf_map *queue, uint32_t first, uint32_t n);
/* Maps the array of that name, to be read without bpf(2) from then on. 0 or a negative errno; the
 * caller unmaps it. */
int vmt_probe_map(struct vmt_probe_loaded *l, const char *name, struct vmt_probe_array *ret,
		  struct vmt_err *err);
/* The same of a map of a skeleton. */
int vmt_probe_array_map(struct bpf_map *map, struct vmt_probe_array *ret);
void vmt_probe_unmap(struct vmt_probe_array *a);

static inline const void *vmt_probe_at(const struct vmt_probe_array *a, size_t i)
{
	return a->base + i * a->stride;
}

/* Adds processes to the map "filter" of the object. */
int vmt_probe_filter(struct vmt_probe_loaded *l, const pid_t *pids, size_t n, struct vmt_err *err);

/* Sum over CPUs of one of the object's own counters (enum vmt_stat). */
uint64_t vmt_probe_stat(const struct vmt_probe_array *stats, unsigned which);

/*
 * Runs of the programs of an object that the kernel left out because they were active on the CPU
 * already, from /proc/self/fdinfo, which needs no bpf(). -ENODATA on kernels that do not count them
 * (before 5.12, which do not leave them out either).
 */
int vmt_probe_misses(const struct vmt_probe_loaded *l, uint64_t *ret_misses);
/* The same of one program, by its descriptor. */
int vmt_probe_program_misses(int fd, uint64_t *ret_misses);

/*
 * enum vmt_kind_fact: what can be told of kinds: which hooks are attached, and what this machine
 * does with memory. What has no setting is not in the kernel. Since 6.8 the size of a PMD has one
 * of its own, which mostly inherits the other.
 */
uint32_t vmt_probe_kind_facts(uint32_t have);

/*
 * Finds out, before events count, how page tables are read, where the rung has a hook for it: *t is
 * written, and prog, which is table_look(), run. What came of it is noted, and l->have is less
 * where they cannot be read: without CAP_SYS_ADMIN, to whom alone pagemap tells frames (the
 * kernel's Documentation/admin-guide/mm/pagemap.rst).
 */
struct vmt_fault_tables;
/* The same for any object: prog is its table_look(). 0, or a negative errno with the reason:
 * -ENOTSUP where entries are not known on this machine, -EPERM, -ENODATA. */
int vmt_tables_learn(volatile struct vmt_fault_tables *t, int prog, const char **ret_reason);
void vmt_probe_tables(struct vmt_probe *p, struct vmt_probe_loaded *l,
		      volatile struct vmt_fault_tables *t, int prog);

/* Rows for tasks: twice as many as /proc/loadavg says there are. */
uint32_t vmt_probe_tasks_usual(void);

/* Durations that a program kept, of count calls or faults. */
struct vmt_slot_latency;
void vmt_probe_latency(const struct vmt_slot_latency *from, uint64_t count,
		       struct vmt_fault_latency *ret);

/* A name that a program kept, as maps shows it. memory: the mapping is no file's. */
struct vmt_slot_name;
int vmt_probe_path(const struct vmt_slot_name *name, bool memory, struct vmt_arena *arena,
		   struct vmt_bytes *ret_path, bool *ret_deleted, bool *ret_cut);
/* The name in a row of a table, which rows count from 1: *ret stays as it is where there is none,
 * or none yet. Names in brackets alone are those of files. 0 or -ENOMEM. */
int vmt_probe_name(const struct vmt_probe_array *names, uint32_t row, struct vmt_arena *arena,
		   struct vmt_bytes *ret);
