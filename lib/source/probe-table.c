/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/probe-internal.h"

/*
 * The ladder: every way to count faults, best first. Whether one works is found out by trying it;
 * no version of a kernel stands here.
 */

#ifdef VMT_HAVE_LIBBPF
#define FAULT_BPF   (&vmt_probe_fault_bpf)
#define FILEMAP_BPF (&vmt_probe_filemap_bpf)
#else
#define FAULT_BPF   NULL
#define FILEMAP_BPF NULL
#endif

/* The count of record, and the lives of tasks: the same on every rung with BPF. */
#define EVERYWHERE                                                                                  \
	{ "record_minor",                                                                           \
	  "software:minor-faults",                                                                  \
	  "the count of record of minor faults",                                                    \
	  VMT_HAVE_RECORD,                                                                          \
	  false,                                                                                    \
	  false },                                                                                  \
		{ "record_major",                                                                   \
		  "software:major-faults",                                                          \
		  "the count of record of major faults",                                            \
		  VMT_HAVE_RECORD,                                                                  \
		  false,                                                                            \
		  false },                                                                          \
		{ "walk_task", "iter/task", "the counters of tasks that are idle at start and end", \
		  0,	       true,	    VMT_HOOK_ALWAYS },                                      \
		{ "task_free",                                                                      \
		  "tp_btf/sched_process_free",                                                      \
		  "the last counters of tasks that end",                                            \
		  VMT_HAVE_DEATHS,                                                                  \
		  true,                                                                             \
		  false },                                                                          \
		{ "task_exit",                                                                      \
		  "tp_btf/sched_process_exit",                                                      \
		  "tasks that end without an event",                                                \
		  VMT_HAVE_DEATHS,                                                                  \
		  true,                                                                             \
		  false },                                                                          \
		{ "task_forget",                                                                    \
		  "tp_btf/sched_process_free",                                                      \
		  "room for more children than the table of watched processes holds",               \
		  0,                                                                                \
		  true,                                                                             \
		  true },                                                                           \
		{ "task_exec",	  "tp_btf/sched_process_exec", "names of programs", 0, true,        \
		  VMT_HOOK_ALWAYS },                                                                \
	{                                                                                           \
		"task_fork", "tp_btf/sched_process_fork", "children of watched processes", 0,       \
			false, VMT_HOOK_FOLLOW                                                      \
	}

/* What leaves a mark with a fault, so that its kind is known. */
#define OF_COPIES    "copies on write, and pages made writable"
#define OF_SWAP	     "pages that come from swap"
#define OF_FILES     "file pages that fault-around did not map"
#define OF_HUGE	     "transparent huge pages"
#define OF_HUGE_WP   "stores to write-protected huge pages"
#define OF_NUMA	     "NUMA hinting"
#define OF_READS     "reading of files"
#define OF_SWAPIN    "reading from swap"
#define OF_USERFAULT "faults that userfaultfd served"
#define OF_TABLES    "copies on write, huge pages, swap and NUMA hinting, by entries of page tables"

/* What it was spent on, where that is asked for. */
#define SHARES                                                                                     \
	{ "share_user",                                                                            \
	  "tp_btf/page_fault_user",                                                                \
	  "the begin of faults before they have the lock",                                         \
	  VMT_HOOK_SHARES,                                                                         \
	  true,                                                                                    \
	  VMT_HOOK_ASKED },                                                                        \
		{ "share_kernel",                                                                  \
		  "tp_btf/page_fault_kernel",                                                      \
		  "the begin of faults before they have the lock",                                 \
		  VMT_HOOK_SHARES,                                                                 \
		  true,                                                                            \
		  VMT_HOOK_ASKED },                                                                \
		{ "lock_start",                                                                    \
		  "tp_btf/mmap_lock_start_locking",                                                \
		  "waiting for mmap_lock",                                                         \
		  VMT_HOOK_LOCK,                                                                   \
		  true,                                                                            \
		  VMT_HOOK_ASKED },                                                                \
	{                                                                                          \
		"lock_end", "tp_btf/mmap_lock_acquire_returned", "waiting for mmap_lock",          \
			VMT_HOOK_LOCK, true, VMT_HOOK_ASKED                                        \
	}

/* Of memory that a process has for itself, and of shared memory. */
#define SWAP_READS(enter, leave)                                                                   \
	{ enter "_swap_read", enter "/do_swap_page", OF_SWAPIN, VMT_HOOK_SWAP_READ, true,          \
	  VMT_HOOK_ASKED },                                                                        \
		{ leave "_swap_read", leave "/do_swap_page", OF_SWAPIN, VMT_HOOK_SWAP_READ, true,  \
		  VMT_HOOK_ASKED },                                                                \
		{ enter "_shmem_read", enter "/shmem_fault", OF_SWAPIN, VMT_HOOK_SWAP_READ, true,  \
		  VMT_HOOK_ASKED },                                                                \
	{                                                                                          \
		leave "_shmem_read", leave "/shmem_fault", OF_SWAPIN, VMT_HOOK_SWAP_READ, true,    \
			VMT_HOOK_ASKED                                                             \
	}

static const struct vmt_probe_hook fexit_hooks[] = {
	{ "fentry_fault", "fentry/handle_mm_fault", "the mapping of every fault", 0, false,
	  VMT_HOOK_ALWAYS },
	{ "fexit_fault", "fexit/handle_mm_fault", "the result and duration of every fault", 0,
	  false, VMT_HOOK_ALWAYS },
	{ "fentry_wp", "fentry/do_wp_page", OF_COPIES, VMT_HOOK_WP, true, VMT_HOOK_ALWAYS },
	{ "fentry_swap", "fentry/do_swap_page", OF_SWAP, VMT_HOOK_SWAP, true, VMT_HOOK_ALWAYS },
	{ "fentry_vma_fault", "fentry/__do_fault", OF_FILES, VMT_HOOK_FAULT, true,
	  VMT_HOOK_ALWAYS },
	{ "fexit_thp", "fexit/do_huge_pmd_anonymous_page", OF_HUGE, VMT_HOOK_THP, true,
	  VMT_HOOK_ALWAYS },
	{ "fentry_huge_wp", "fentry/do_huge_pmd_wp_page", OF_HUGE_WP, VMT_HOOK_HUGE_WP, true,
	  VMT_HOOK_ALWAYS },
	/* Where a trampoline cannot pass on its argument: 5.10. */
	{ "kprobe_huge_wp", "kprobe/do_huge_pmd_wp_page", OF_HUGE_WP, VMT_HOOK_HUGE_WP_KPROBE, true,
	  VMT_HOOK_ALWAYS },
	{ "fentry_numa", "fentry/task_numa_fault", OF_NUMA, VMT_HOOK_NUMA, true, VMT_HOOK_ALWAYS },
	{ "fentry_userfault", "fentry/handle_userfault", OF_USERFAULT, VMT_HOOK_USERFAULT, true,
	  VMT_HOOK_ALWAYS },
	EVERYWHERE,
	SHARES,
	{ "fentry_read", "fentry/filemap_fault", OF_READS, VMT_HOOK_READ, true, VMT_HOOK_ASKED },
	{ "fexit_read", "fexit/filemap_fault", OF_READS, VMT_HOOK_READ, true, VMT_HOOK_ASKED },
	SWAP_READS("fentry", "fexit"),
};

static const struct vmt_probe_hook kprobe_hooks[] = {
	{ "kprobe_fault", "kprobe/handle_mm_fault", "the mapping of every fault", 0, false,
	  VMT_HOOK_ALWAYS },
	{ "kretprobe_fault", "kretprobe/handle_mm_fault", "the result and duration of every fault",
	  0, false, VMT_HOOK_ALWAYS },
	{ "kprobe_wp", "kprobe/do_wp_page", OF_COPIES, VMT_HOOK_WP, true, VMT_HOOK_ALWAYS },
	{ "kprobe_swap", "kprobe/do_swap_page", OF_SWAP, VMT_HOOK_SWAP, true, VMT_HOOK_ALWAYS },
	{ "kprobe_vma_fault", "kprobe/__do_fault", OF_FILES, VMT_HOOK_FAULT, true,
	  VMT_HOOK_ALWAYS },
	{ "kretprobe_thp", "kretprobe/do_huge_pmd_anonymous_page", OF_HUGE, VMT_HOOK_THP, true,
	  VMT_HOOK_ALWAYS },
	{ "kprobe_huge_wp", "kprobe/do_huge_pmd_wp_page", OF_HUGE_WP, VMT_HOOK_HUGE_WP_KPROBE, true,
	  VMT_HOOK_ALWAYS },
	{ "kprobe_numa", "kprobe/task_numa_fault", OF_NUMA, VMT_HOOK_NUMA, true, VMT_HOOK_ALWAYS },
	{ "kprobe_userfault", "kprobe/handle_userfault", OF_USERFAULT, VMT_HOOK_USERFAULT, true,
	  VMT_HOOK_ALWAYS },
	EVERYWHERE,
	SHARES,
	{ "kprobe_read", "kprobe/filemap_fault", OF_READS, VMT_HOOK_READ, true, VMT_HOOK_ASKED },
	{ "kretprobe_read", "kretprobe/filemap_fault", OF_READS, VMT_HOOK_READ, true,
	  VMT_HOOK_ASKED },
	SWAP_READS("kprobe", "kretprobe"),
};

static const struct vmt_probe_hook tracepoint_hooks[] = {
	/* Before the events, whose faults they decide on: vmt_probe_attach(). */
	{ "ahead_user", "tp_btf/page_fault_user", "faults in user mode by their begin", 0, true,
	  VMT_HOOK_AHEAD },
	{ "ahead_signal", "tp_btf/signal_generate", "those of them that fail", 0, true,
	  VMT_HOOK_AHEAD },
	{ "quick_minor", "software:minor-faults", "minor faults with less to do, for counts alone",
	  0, true, VMT_HOOK_COUNTS },
	{ "begin_kernel", "tp_btf/page_fault_kernel", "access and duration of faults in the kernel",
	  VMT_HAVE_ACCESS | VMT_HAVE_MODE | VMT_HAVE_LATENCY | VMT_HAVE_KINDS, true,
	  VMT_HOOK_ALWAYS },
	{ "fault_signal", "tp_btf/signal_generate", "faults that ended with SIGBUS",
	  VMT_HAVE_SIGBUS, true, VMT_HOOK_ALWAYS },
	{ "timed_user", "tp_btf/page_fault_user",
	  "faults in user mode by their begin, and their kind", 0, true, VMT_HOOK_TIMED },
	{ "begin_user", "tp_btf/page_fault_user", "access and duration of faults in user mode",
	  VMT_HAVE_BEGIN, true, VMT_HOOK_ALWAYS },
	{ "timed_switch", "tp_btf/sched_switch", "times of faults that wait, and are counted so", 0,
	  true, VMT_HOOK_TIMED },
	{ "timed_minor", "software:minor-faults", "times of faults that are counted by their begin",
	  0, true, VMT_HOOK_TIMED },
	EVERYWHERE,
	{ "trace_vma_fault", "tp_btf/mm_filemap_fault", OF_FILES, VMT_HOOK_FAULT, true,
	  VMT_HOOK_ALWAYS },
	{ "table_look", "page tables", OF_TABLES, VMT_HOOK_TABLES, true, VMT_HOOK_ALWAYS },
	{ "table_moved", "tp_btf/set_migration_pte", "pages that are moved meanwhile",
	  VMT_HOOK_MOVED, true, VMT_HOOK_ALWAYS },
	SHARES,
	{ "trace_read", "tp_btf/mm_filemap_fault", OF_READS, VMT_HOOK_READ, true, VMT_HOOK_ASKED },
};

#define AROUND                                                                                     \
	(VMT_HAVE_MAPS | VMT_HAVE_ACCESS | VMT_HAVE_MODE | VMT_HAVE_LATENCY | VMT_HAVE_GUP |       \
	 VMT_HAVE_GUP_MAP | VMT_HAVE_FAILED | VMT_HAVE_SIGBUS | VMT_HAVE_RETRIED | VMT_HAVE_KINDS)

/* The performance unit of kprobes: there whenever the kernel has them. */
#define KPROBES "/sys/bus/event_source/devices/kprobe/type"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

const struct vmt_probe_rung vmt_fault_ladder[] = {
	{ VMT_RUNG_FEXIT, "every fault with its mapping, result and duration, get_user_pages too",
	  "handle_mm_fault", NULL, 4, AROUND, FAULT_BPF, fexit_hooks, LEN(fexit_hooks) },
	{ VMT_RUNG_KPROBE, "the same as fexit, at a higher cost", "handle_mm_fault", KPROBES, 4,
	  AROUND, FAULT_BPF, kprobe_hooks, LEN(kprobe_hooks) },
	{ VMT_RUNG_TRACEPOINT,
	  "every fault with its mapping and duration; get_user_pages by process", NULL, NULL, 0,
	  VMT_HAVE_MAPS | VMT_HAVE_GUP, FAULT_BPF, tracepoint_hooks, LEN(tracepoint_hooks) },
	{ VMT_RUNG_PERF, "faults with their mapping, of processes that still run when it is read",
	  NULL, NULL, 0, VMT_HAVE_MAPS | VMT_HAVE_RECORD, &vmt_probe_perf, NULL, 0 },
	{ VMT_RUNG_PROC, "counts by process", NULL, NULL, 0, 0, &vmt_probe_proc, NULL, 0 },
};
const size_t vmt_fault_ladder_len = LEN(vmt_fault_ladder);

#define OF_PAGES "pages that faults bring into the page cache"
#define PAGES                                                                                      \
	{                                                                                          \
		"trace_add", "tp_btf/mm_filemap_add_to_page_cache", OF_PAGES, VMT_HAVE_FILE_PAGES, \
			true, VMT_HOOK_ALWAYS                                                      \
	}

static const struct vmt_probe_hook fexit_filemap_hooks[] = {
	{ "fentry_filemap", "fentry/filemap_fault", "the file of every call", 0, false,
	  VMT_HOOK_ALWAYS },
	{ "fexit_filemap", "fexit/filemap_fault", "its result and duration", 0, false,
	  VMT_HOOK_ALWAYS },
	{ "trace_around", "tp_btf/mm_filemap_map_pages", "fault-around", VMT_HAVE_FILE_AROUND, true,
	  VMT_HOOK_ALWAYS },
	PAGES,
};

static const struct vmt_probe_hook kprobe_filemap_hooks[] = {
	{ "kprobe_filemap", "kprobe/filemap_fault", "the file of every call", 0, false,
	  VMT_HOOK_ALWAYS },
	{ "kretprobe_filemap", "kretprobe/filemap_fault", "its result and duration", 0, false,
	  VMT_HOOK_ALWAYS },
	{ "trace_around", "tp_btf/mm_filemap_map_pages", "fault-around", VMT_HAVE_FILE_AROUND, true,
	  VMT_HOOK_ALWAYS },
	PAGES,
};

static const struct vmt_probe_hook trace_filemap_hooks[] = {
	{ "trace_filemap", "tp_btf/mm_filemap_fault", "the file of every call", 0, false,
	  VMT_HOOK_ALWAYS },
	{ "trace_around", "tp_btf/mm_filemap_map_pages", "fault-around", VMT_HAVE_FILE_AROUND, true,
	  VMT_HOOK_ALWAYS },
	PAGES,
};

#define AROUND_FILE (VMT_HAVE_FILES | VMT_HAVE_FILE_RESULT | VMT_HAVE_FILE_LATENCY)

const struct vmt_probe_rung vmt_filemap_ladder[] = {
	{ VMT_RUNG_FEXIT, "calls of filemap_fault with result and duration", "filemap_fault", NULL,
	  1, AROUND_FILE, FILEMAP_BPF, fexit_filemap_hooks, LEN(fexit_filemap_hooks) },
	{ VMT_RUNG_KPROBE, "the same as fexit, at a higher cost", "filemap_fault", KPROBES, 1,
	  AROUND_FILE, FILEMAP_BPF, kprobe_filemap_hooks, LEN(kprobe_filemap_hooks) },
	{ VMT_RUNG_TRACEPOINT, "calls of filemap_fault", NULL, NULL, 0, VMT_HAVE_FILES, FILEMAP_BPF,
	  trace_filemap_hooks, LEN(trace_filemap_hooks) },
};
const size_t vmt_filemap_ladder_len = LEN(vmt_filemap_ladder);
