/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "source/collect.h"
#include "source/root.h"

#define MAPS	VMT_SOURCE_BIT(MAPS)
#define SMAPS	VMT_SOURCE_BIT(SMAPS)
#define ROLLUP	VMT_SOURCE_BIT(ROLLUP)
#define PAGEMAP VMT_SOURCE_BIT(PAGEMAP)
#define CHEAP                                                                                      \
	(VMT_SOURCE_BIT(MEMINFO) | VMT_SOURCE_BIT(VMSTAT) | VMT_SOURCE_BIT(ZONEINFO) |             \
	 VMT_SOURCE_BIT(PIDS))

static struct vmt_collector *collector(const char *root)
{
	const struct vmt_collect_opts opts = { .root = root };
	struct vmt_collector *c = NULL;

	assert_int_equal(vmt_collector_new(&opts, &c, NULL), 0);
	return c;
}

static struct vmt_sample *collect(struct vmt_collector *c, uint32_t sources, uint64_t pid)
{
	struct vmt_sample *s = NULL;

	assert_int_equal(vmt_collect(c, sources, pid ? &pid : NULL, pid ? 1 : 0, &s, NULL), 0);
	return s;
}

/* Dear sources of the one process of a sample. */
static void collect_one(struct vmt_collector *c, struct vmt_sample *s, uint32_t sources)
{
	const size_t zero = 0;

	assert_int_equal(s->n_procs, 1);
	assert_int_equal(vmt_collect_procs(c, s, sources, &zero, 1, NULL), 0);
}

/* A saved machine with a process, a kernel thread, a zombie and one that was ending. */
static void save(struct unit_dir *d)
{
	unit_dir_make(d);
	unit_dir_write(d, "vmtop-fixture",
		       "page_size 4096\nuser_hz 100\nrelease 6.1.0-13-amd64\nmachine x86_64\n"
		       "realtime_ns 1700000000000000000\nmonotonic_ns 11\nboottime_ns 12\n"
		       "cpus 2\neuid 0\n");
	unit_dir_write(d, "proc/meminfo", "MemTotal: 1000 kB\nMemFree: 10 kB\nNew: 1 kB\n");
	unit_dir_write(d, "proc/vmstat", "pgfault 77\n");
	unit_dir_write(d, "etc/passwd", "alice:x:1000:1000::/:\n");
	unit_dir_write(d, "proc/42/stat",
		       "42 (a b) S 1 42 42 0 -1 0 5 0 6 0 0 0 0 0 20 0 1 0 300 0 0\n");
	unit_dir_write(d, "proc/42/statm", "3 1 0 0 0 0 0\n");
	unit_dir_write(
		d, "proc/42/status",
		"Name:\ta b\nUid:\t1000\t1000\t1000\t1000\nVmSize:\t 12 kB\nRssAnon:\t 4 kB\n");
	unit_dir_write(
		d, "proc/42/maps",
		"1000-2000 r--p 00000000 fe:00 7 /bin/x\n2000-4000 rw-p 00000000 00:00 0 \n");
	unit_dir_write(d, "proc/42/smaps",
		       "1000-2000 r--p 00000000 fe:00 7 /bin/x\nRss: 4 kB\n"
		       "2000-4000 rw-p 00000000 00:00 0 \nRss: 0 kB\n");
	unit_dir_write(d, "proc/2/stat",
		       "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 0 0 0\n");
	unit_dir_write(d, "proc/2/statm", "0 0 0 0 0 0 0\n");
	unit_dir_write(d, "proc/2/status", "Name:\tkthreadd\nUid:\t0\t0\t0\t0\n");
	unit_dir_write(d, "proc/50/stat",
		       "50 (z) Z 42 50 50 0 -1 0 1 0 0 0 0 0 0 0 20 0 1 0 400 0 0\n");
	unit_dir_write(d, "proc/50/statm", "0 0 0 0 0 0 0\n");
	unit_dir_write(d, "proc/50/status", "Name:\tz\nUid:\t7\t7\t7\t7\n");
	unit_dir_write(d, "proc/60/comm", "ending\n");
}

static void test_saved_machine(void **state)
{
	struct vmt_collector *c;
	struct vmt_sample *s;
	struct unit_dir d;

	save(&d);
	c = collector(d.path);
	s = collect(c, CHEAP, 0);
	assert_true(s->host.realtime_ns == UINT64_C(1700000000000000000));
	assert_int_equal(s->host.page_size, 4096);
	assert_bytes(s->host.release, "6.1.0-13-amd64");
	assert_bytes(s->host.root, d.path);
	assert_field(system, total_bytes, &s->system, 1024000);
	assert_field(system, pgfault_total, &s->system, 77);
	assert_unknown(system, available_bytes, &s->system);
	assert_unknown(system, pgmajfault_total, &s->system);
	assert_unknown(system, managed_bytes, &s->system);
	assert_int_equal(s->sources[VMT_SOURCE_MEMINFO].state, VMT_STATE_OK);
	assert_int_equal(s->sources[VMT_SOURCE_MEMINFO].unknown_keys, 1);
	assert_false(s->sources[VMT_SOURCE_MEMINFO].bytes_unknown);
	assert_int_equal(s->sources[VMT_SOURCE_ZONEINFO].state, VMT_STATE_ABSENT);
	assert_true(s->sources[VMT_SOURCE_ZONEINFO].reason[0] != 0);
	assert_int_equal(s->sources[VMT_SOURCE_PIDS].state, VMT_STATE_OK);
	assert_int_equal(s->n_procs, 3);
	assert_int_equal(s->procs_seen, 4);
	assert_int_equal(s->vanished, 1);
	assert_field(system, processes_total, &s->system, 3);
	assert_text(proc, class, &s->procs[0], "kernel");
	assert_text(proc, class, &s->procs[1], "user");
	assert_text(proc, class, &s->procs[2], "zombie");
	assert_text(proc, user, &s->procs[1], "alice");
	assert_text(proc, user, &s->procs[2], "7");
	assert_text(proc, comm, &s->procs[1], "a b");
	assert_field(proc, rss_bytes, &s->procs[1], 4096);
	assert_field(proc, start_time_ns, &s->procs[1], UINT64_C(3000000000));
	assert_unknown(proc, rss_bytes, &s->procs[0]);
	assert_unknown(proc, rss_bytes, &s->procs[2]);
	vmt_sample_free(s);
	vmt_collector_free(c);
	unit_dir_remove(&d);
}

static void test_dear_sources_of_a_saved_machine(void **state)
{
	const size_t all[] = { 0, 1, 2 };
	struct vmt_collector *c;
	struct vmt_sample *s;
	struct unit_dir d;

	save(&d);
	c = collector(d.path);
	s = collect(c, CHEAP, 0);
	assert_int_equal(vmt_collect_procs(c, s, SMAPS | ROLLUP, all, 3, NULL), 0);
	/* What has no memory is not read. */
	assert_unknown(proc, read_status, &s->procs[0]);
	assert_unknown(proc, maps_total, &s->procs[0]);
	assert_unknown(proc, read_status, &s->procs[2]);
	assert_field(proc, maps_total, &s->procs[1], 2);
	assert_int_equal(s->maps[1].n_maps, 2);
	assert_true(s->maps[1].consistent);
	assert_int_equal(s->maps[1].state, VMT_STATE_OK);
	assert_field(map, rss_bytes, &s->maps[1].maps[0], 4096);
	assert_unknown(map, pss_bytes, &s->maps[1].maps[0]);
	/* That nothing recorded it is no failure of the process. */
	assert_int_equal(s->sources[VMT_SOURCE_ROLLUP].state, VMT_STATE_ABSENT);
	assert_unknown(proc, pss_bytes, &s->procs[1]);
	assert_int_equal(s->n_issues, 0);
	assert_int_equal(s->sources[VMT_SOURCE_SMAPS].state, VMT_STATE_OK);
	vmt_sample_free(s);
	vmt_collector_free(c);
	unit_dir_remove(&d);
}

static void test_a_second_call_adds(void **state)
{
	const size_t one = 1;
	struct vmt_collector *c;
	struct vmt_sample *s;
	struct unit_dir d;

	save(&d);
	unit_dir_write(&d, "proc/42/smaps_rollup", "1-2 ---p 0 00:00 0 [rollup]\nPss: 2 kB\n");
	c = collector(d.path);
	s = collect(c, CHEAP, 0);
	assert_int_equal(vmt_collect_procs(c, s, ROLLUP, &one, 1, NULL), 0);
	assert_field(proc, pss_bytes, &s->procs[1], 2048);
	assert_unknown(proc, maps_total, &s->procs[1]);
	assert_int_equal(s->maps[1].n_maps, 0);
	/* Linux 6.1 is known to lose some. */
	assert_int_equal(s->sources[VMT_SOURCE_ROLLUP].state, VMT_STATE_OK);
	assert_non_null(strstr(s->sources[VMT_SOURCE_ROLLUP].reason, "6.1"));
	unit_dir_write(&d, "proc/42/maps", "nonsense\n");
	assert_int_equal(vmt_collect_procs(c, s, MAPS, &one, 1, NULL), 0);
	assert_int_equal(s->sources[VMT_SOURCE_MAPS].state, VMT_STATE_FAILED);
	assert_int_equal(s->maps[1].state, VMT_STATE_FAILED);
	assert_int_equal(s->n_issues, 1);
	assert_text(issue, status, &s->issues[0], "failed");
	assert_text(issue, comm, &s->issues[0], "a b");
	assert_non_null(strstr(s->issues[0].hint.ptr, "maps:1"));
	assert_field(proc, pss_bytes, &s->procs[1], 2048);
	unit_dir_write(&d, "proc/42/maps", "1000-2000 r--p 00000000 fe:00 7 /bin/x\n");
	assert_int_equal(vmt_collect_procs(c, s, MAPS, &one, 1, NULL), 0);
	assert_int_equal(s->sources[VMT_SOURCE_MAPS].state, VMT_STATE_PARTIAL);
	assert_field(proc, maps_total, &s->procs[1], 1);
	vmt_sample_free(s);
	vmt_collector_free(c);
	unit_dir_remove(&d);
}

static void test_no_machine(void **state)
{
	const struct vmt_collect_opts opts = { .root = "/does/not/exist" };
	struct vmt_collector *c = NULL;
	struct vmt_err err = { 0 };

	assert_int_equal(vmt_collector_new(&opts, &c, &err), -ENOENT);
	assert_null(c);
	assert_string_equal(err.path, "/does/not/exist");
}

static void test_live_machine(void **state)
{
	struct vmt_collector *c = collector(NULL);
	struct vmt_sample *s = collect(c, CHEAP, 0);
	const struct vmt_system *y = &s->system;
	const struct vmt_proc *self = vmt_sample_proc(s, (uint64_t)getpid());
	size_t i;

	assert_true(VMT_HAS(system, total_bytes, y) && y->total_bytes > 0);
	assert_true(VMT_HAS(system, pgfault_total, y) && y->pgfault_total > 0);
	assert_true(VMT_HAS(system, reserve_bytes, y) && y->reserve_bytes > 0);
	assert_true(VMT_HAS(system, low_bytes, y) && y->low_bytes < y->total_bytes);
	assert_non_null(self);
	assert_field(proc, ppid, self, getppid());
	assert_text(proc, class, self, "user");
	assert_text(proc, state, self, "R");
	assert_true(VMT_HAS(proc, rss_bytes, self) && VMT_HAS(proc, peak_rss_bytes, self));
	assert_true(VMT_HAS(proc, page_table_bytes, self));
	for (i = 0; i < s->n_procs; i++) {
		const struct vmt_proc *p = &s->procs[i];

		if (i)
			assert_true(p->pid > s->procs[i - 1].pid);
		assert_true(VMT_HAS(proc, comm, p) && VMT_HAS(proc, user, p));
		assert_true(VMT_HAS(proc, start_time_ns, p) && VMT_HAS(proc, class, p));
		if (!vmt_bytes_is(p->class, "user"))
			assert_unknown(proc, rss_bytes, p);
	}
	assert_int_equal(s->sources[VMT_SOURCE_PIDS].state, VMT_STATE_OK);
	assert_true(s->sources[VMT_SOURCE_MEMINFO].bytes_unknown);
	vmt_sample_free(s);
	vmt_collector_free(c);
}

/*
 * What the kernel calls available, made again from its parts: the readers of meminfo and zoneinfo
 * together are right to the byte when nothing moves between the two reads.
 */
static void test_available_is_explained(void **state)
{
	struct vmt_collector *c = collector(NULL);
	bool equal = false;
	int tries;

	for (tries = 0; tries < 50 && !equal; tries++) {
		struct vmt_sample *s = collect(c, CHEAP & ~VMT_SOURCE_BIT(PIDS), 0);
		const struct vmt_system *y = &s->system;
		int64_t low = (int64_t)y->low_bytes;
		int64_t file = (int64_t)(y->active_file_bytes + y->inactive_file_bytes);
		int64_t reclaim = (int64_t)y->kreclaimable_bytes;
		int64_t v = (int64_t)y->free_bytes - (int64_t)y->reserve_bytes + file -
			    (file / 2 < low ? file / 2 : low) + reclaim -
			    (reclaim / 2 < low ? reclaim / 2 : low);

		if (!VMT_HAS(system, available_bytes, y) ||
		    !VMT_HAS(system, kreclaimable_bytes, y)) {
			vmt_sample_free(s);
			vmt_collector_free(c);
			skip();
		}
		/* Halves of pages may be rounded the other way, and meminfo rounds to KiB. */
		equal = llabs(v - (int64_t)y->available_bytes) <= 2 * (int64_t)s->host.page_size;
		vmt_sample_free(s);
	}
	vmt_collector_free(c);
	assert_true(equal);
}

/*
 * A child that waits to be killed: a program that says when it is ready, or ourselves once more
 * where path is NULL.
 */
static pid_t child(const char *path)
{
	int fds[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (path) {
			dup2(fds[1], 1);
			execl(path, path, NULL);
			_exit(1);
		}
		if (write(fds[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &c, 1), 1);
	close(fds[0]);
	return pid;
}

/* The path of victim.c, from meson. */
static const char *victim(void)
{
	const char *path = getenv("UNIT_VICTIM");

	if (!path)
		skip();
	return path;
}

static void reap(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void stop(pid_t pid)
{
	int status;

	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
}

/* The sums of a stopped process agree with those that the kernel makes itself. */
static void test_a_stopped_process(void **state)
{
	const char *path = victim();
	struct vmt_collector *c = collector(NULL);
	pid_t pid = child(path);
	struct vmt_sample *s;
	uint64_t rss = 0, size = 0, pss = 0, uss = 0;
	bool shmem = false, vdso = false, stack = false;
	const struct vmt_proc *p;
	size_t i;

	stop(pid);
	s = collect(c, CHEAP, (uint64_t)pid);
	collect_one(c, s, SMAPS | ROLLUP);
	p = &s->procs[0];
	assert_text(proc, read_status, p, "ok");
	assert_text(proc, state, p, "T");
	assert_true(s->maps[0].consistent);
	assert_field(proc, maps_total, p, s->maps[0].n_maps);
	for (i = 0; i < s->maps[0].n_maps; i++) {
		const struct vmt_map *m = &s->maps[0].maps[i];

		rss += m->rss_bytes;
		pss += m->pss_bytes;
		uss += m->uss_bytes;
		assert_true(VMT_HAS(map, rss_bytes, m) && VMT_HAS(map, vm_flags, m));
		assert_int_equal(m->shared_clean_bytes + m->shared_dirty_bytes +
					 m->private_clean_bytes + m->private_dirty_bytes,
				 m->rss_bytes);
		if (!vmt_bytes_is(m->path, "[vsyscall]"))
			size += m->size_bytes;
		shmem |= vmt_bytes_is(m->kind, "shmem");
		vdso |= vmt_bytes_is(m->kind, "vdso");
		stack |= vmt_bytes_is(m->kind, "stack");
		if (vmt_bytes_starts(m->path, "/memfd:victim") ||
		    vmt_bytes_starts(m->path, "/dev/zero"))
			assert_text(map, kind, m, "shmem");
	}
	assert_true(shmem && vdso && stack);
	assert_field(proc, vsize_bytes, p, size);
	assert_field(proc, uss_bytes, p, uss);
	/* Each mapping's share is cut to a KiB. */
	assert_in_range(p->pss_bytes - pss, 0, 1024 * s->maps[0].n_maps);
	assert_true(rss >= p->uss_bytes);
	assert_int_equal(p->anonymous_bytes + p->file_bytes + p->shmem_bytes, p->rss_bytes);
	vmt_sample_free(s);
	vmt_collector_free(c);
	reap(pid);
}

/* Columns of pmap -X, whose names are the keys of smaps, and our fields. */
static const struct {
	const char *column;
	const char *field;
} columns[] = {
	{ "Size", "size_bytes" },
	{ "KernelPageSize", "kernel_page_size_bytes" },
	{ "MMUPageSize", "mmu_page_size_bytes" },
	{ "Rss", "rss_bytes" },
	{ "Pss", "pss_bytes" },
	{ "Pss_Dirty", "pss_dirty_bytes" },
	{ "Shared_Clean", "shared_clean_bytes" },
	{ "Shared_Dirty", "shared_dirty_bytes" },
	{ "Private_Clean", "private_clean_bytes" },
	{ "Private_Dirty", "private_dirty_bytes" },
	{ "Referenced", "referenced_bytes" },
	{ "Anonymous", "anonymous_bytes" },
	{ "KSM", "ksm_bytes" },
	{ "LazyFree", "lazy_free_bytes" },
	{ "AnonHugePages", "anon_huge_pages_bytes" },
	{ "ShmemPmdMapped", "shmem_pmd_mapped_bytes" },
	{ "FilePmdMapped", "file_pmd_mapped_bytes" },
	{ "Shared_Hugetlb", "shared_hugetlb_bytes" },
	{ "Private_Hugetlb", "private_hugetlb_bytes" },
	{ "Swap", "swap_bytes" },
	{ "SwapPss", "swap_pss_bytes" },
	{ "Locked", "locked_bytes" },
};

static unsigned split(char *line, char **words, unsigned max)
{
	unsigned n = 0;
	char *save_ptr = NULL, *w;

	for (w = strtok_r(line, " \n", &save_ptr); w && n < max;
	     w = strtok_r(NULL, " \n", &save_ptr))
		words[n++] = w;
	return n;
}

static const char *field_of(const char *column)
{
	size_t i;

	for (i = 0; i < VMT_ARRAY_LEN(columns); i++)
		if (strcmp(columns[i].column, column) == 0)
			return columns[i].field;
	return NULL;
}

/* One line of pmap against one of our rows; returns how many figures were compared. */
static unsigned compare_row(const struct vmt_map *m, char **head, char **cells, unsigned n_head,
			    unsigned n_cells)
{
	unsigned i, figures = 0;

	/* Address Perm Offset Device Inode, then the keys. */
	assert_true(n_cells >= n_head - 1);
	assert_int_equal(strtoull(cells[0], NULL, 16), m->start);
	assert_memory_equal(cells[1], m->perms.ptr, 4);
	assert_int_equal(strtoull(cells[2], NULL, 16), m->offset_bytes);
	assert_int_equal(strtoull(cells[4], NULL, 10), m->inode);
	for (i = 5; i < n_head - 1; i++) {
		const char *name = field_of(head[i]);
		const struct vmt_field *f =
			name ? vmt_field_find(&vmt_entity_map, vmt_bytes_of(name)) : NULL;

		if (!f)
			continue;
		assert_true(vmt_row_has(&m->row, f->index));
		if (strtoull(cells[i], NULL, 10) * 1024 != vmt_field_number(f, m))
			fail_msg("%s at %s: pmap says %s kB, we %llu bytes", head[i], cells[0],
				 cells[i], (unsigned long long)vmt_field_number(f, m));
		figures++;
	}
	return figures;
}

static unsigned compare_all(const struct vmt_proc_maps *maps, char *text)
{
	char *save_ptr = NULL, *line, *head[64], *cells[64];
	unsigned n_head, n_cells, rows = 0, figures = 0;

	/* The command, the head, the rows, a line of '=', the sums. */
	line = strtok_r(text, "\n", &save_ptr);
	assert_non_null(line);
	line = strtok_r(NULL, "\n", &save_ptr);
	assert_non_null(line);
	n_head = split(line, head, 64);
	assert_string_equal(head[0], "Address");
	while ((line = strtok_r(NULL, "\n", &save_ptr)) && !strstr(line, "====")) {
		n_cells = split(line, cells, 64);
		assert_true(rows < maps->n_maps);
		figures += compare_row(&maps->maps[rows], head, cells, n_head, n_cells);
		rows++;
	}
	assert_int_equal(rows, maps->n_maps);
	assert_true(figures >= rows * 15);
	return figures;
}

static char *run_pmap(pid_t pid)
{
	char cmd[64], *text = calloc(1, 1 << 20);
	size_t n;
	FILE *f;

	snprintf(cmd, sizeof(cmd), "LC_ALL=C pmap -XX %d", (int)pid);
	f = popen(cmd, "r");
	assert_non_null(f);
	n = fread(text, 1, (1 << 20) - 1, f);
	assert_true(n > 0 && n < (1 << 20) - 1);
	assert_int_equal(pclose(f), 0);
	return text;
}

static bool same_figures(const struct vmt_proc_maps *a, const struct vmt_proc_maps *b)
{
	size_t i, k;

	if (a->n_maps != b->n_maps)
		return false;
	for (i = 0; i < a->n_maps; i++)
		for (k = 0; k < vmt_entity_map.n_fields; k++)
			if (vmt_field_compare(&vmt_entity_map.fields[k], &a->maps[i], &b->maps[i],
					      false))
				return false;
	return true;
}

/*
 * Every figure of a stopped process equals that of pmap, which has a reader of its own. What
 * counts is a look of pmap between two of ours that agree.
 */
static void test_every_figure_of_pmap(void **state)
{
	const char *path = victim();
	struct vmt_collector *c = collector(NULL);
	pid_t pid = child(path);
	unsigned figures = 0;
	int tries;

	if (access("/usr/bin/pmap", X_OK) < 0) {
		reap(pid);
		vmt_collector_free(c);
		skip();
	}
	stop(pid);
	for (tries = 0; tries < 50 && !figures; tries++) {
		struct vmt_sample *a = collect(c, CHEAP, (uint64_t)pid), *b;
		char *text;

		collect_one(c, a, SMAPS);
		text = run_pmap(pid);
		b = collect(c, CHEAP, (uint64_t)pid);
		collect_one(c, b, SMAPS);
		if (same_figures(&a->maps[0], &b->maps[0]))
			figures = compare_all(&a->maps[0], text);
		free(text);
		vmt_sample_free(a);
		vmt_sample_free(b);
	}
	assert_true(figures > 0);
	print_message("# %u figures\n", figures);
	vmt_collector_free(c);
	reap(pid);
}

static void test_a_zombie_and_one_that_was_reaped(void **state)
{
	struct vmt_collector *c = collector(NULL);
	struct vmt_sample *s;
	const size_t zero = 0;
	siginfo_t info;
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	s = collect(c, CHEAP, (uint64_t)pid);
	collect_one(c, s, MAPS | ROLLUP);
	assert_text(proc, class, &s->procs[0], "zombie");
	assert_unknown(proc, rss_bytes, &s->procs[0]);
	assert_unknown(proc, vsize_bytes, &s->procs[0]);
	assert_unknown(proc, maps_total, &s->procs[0]);
	assert_unknown(proc, pss_bytes, &s->procs[0]);
	assert_int_equal(s->vanished, 0);
	vmt_sample_free(s);

	pid = (waitpid(pid, NULL, 0), child(NULL));
	s = collect(c, CHEAP, (uint64_t)pid);
	reap(pid);
	assert_int_equal(vmt_collect_procs(c, s, MAPS | ROLLUP, &zero, 1, NULL), 0);
	assert_text(proc, read_status, &s->procs[0], "gone");
	assert_int_equal(s->vanished, 1);
	assert_int_equal(s->n_issues, 0);
	vmt_sample_free(s);

	/* One that is not there at all is left out. */
	s = collect(c, CHEAP, (uint64_t)pid);
	assert_int_equal(s->n_procs, 0);
	assert_int_equal(s->vanished, 0);
	vmt_sample_free(s);
	vmt_collector_free(c);
}

static void *sleeper(void *arg)
{
	for (;;)
		pause();
	return NULL;
}

static void end_first_thread(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, sleeper, NULL))
		_exit(1);
}

static pid_t headless(void)
{
	int fds[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		end_first_thread();
		if (write(fds[1], "x", 1) != 1)
			_exit(1);
		/* Not pthread_exit(): sanitizers run things there. */
		syscall(60 /* exit */, 0);
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &c, 1), 1);
	close(fds[0]);
	return pid;
}

/* Its first thread ended; the memory of the others is not lost from the report. */
static void test_the_first_thread_has_ended(void **state)
{
#ifdef __x86_64__
	struct vmt_collector *c = collector(NULL);
	pid_t pid = headless();
	struct vmt_sample *s = NULL;
	int i;

	for (i = 0; i < 1000; i++) {
		vmt_sample_free(s);
		s = collect(c, CHEAP, (uint64_t)pid);
		assert_int_equal(s->n_procs, 1);
		if (vmt_bytes_is(s->procs[0].state, "Z"))
			break;
		usleep(1000);
	}
	collect_one(c, s, SMAPS | ROLLUP);
	assert_text(proc, state, &s->procs[0], "Z");
	assert_text(proc, class, &s->procs[0], "user");
	assert_true(VMT_HAS(proc, rss_bytes, &s->procs[0]) && s->procs[0].rss_bytes > 0);
	assert_text(proc, read_status, &s->procs[0], "ok");
	assert_true(VMT_HAS(proc, maps_total, &s->procs[0]) && s->procs[0].maps_total > 5);
	assert_true(VMT_HAS(proc, pss_bytes, &s->procs[0]) && s->procs[0].pss_bytes > 0);
	vmt_sample_free(s);
	vmt_collector_free(c);
	reap(pid);
#else
	skip();
#endif
}

static void test_a_deadline_that_has_passed(void **state)
{
	struct vmt_collector *c = collector(NULL);
	struct vmt_sample *s = collect(c, CHEAP, (uint64_t)getpid());

	vmt_collector_set_deadline(c, 1);
	collect_one(c, s, MAPS);
	assert_text(proc, read_status, &s->procs[0], "skipped");
	assert_unknown(proc, maps_total, &s->procs[0]);
	assert_int_equal(s->sources[VMT_SOURCE_MAPS].state, VMT_STATE_SKIPPED);
	assert_int_equal(s->n_issues, 1);
	assert_text(issue, status, &s->issues[0], "skipped");
	vmt_sample_free(s);
	vmt_collector_free(c);
}

static const enum vmt_source_id refused[] = { VMT_SOURCE_MAPS, VMT_SOURCE_SMAPS, VMT_SOURCE_ROLLUP,
					      VMT_SOURCE_PAGEMAP };

/* Runs as nobody: 0 where a process of root costs its own values and nothing else. */
static int as_nobody(pid_t of_root)
{
	const uint64_t pid = (uint64_t)of_root;
	const size_t zero = 0;
	const struct vmt_collect_opts opts = { 0 };
	struct vmt_collector *c;
	struct vmt_sample *s;
	size_t i;

	if (setgid(65534) < 0 || setuid(65534) < 0)
		return 2;
	if (vmt_collector_new(&opts, &c, NULL) < 0 ||
	    vmt_collect(c, CHEAP, &pid, 1, &s, NULL) < 0 || s->n_procs != 1)
		return 3;
	if (!VMT_HAS(proc, rss_bytes, &s->procs[0]) || s->procs[0].rss_bytes == 0)
		return 4;
	if (vmt_collect_procs(c, s, MAPS | ROLLUP, &zero, 1, NULL) < 0)
		return 5;
	if (!vmt_bytes_is(s->procs[0].read_status, "denied") || s->denied != 1 || s->n_issues != 2)
		return 6;
	if (VMT_HAS(proc, maps_total, &s->procs[0]) || VMT_HAS(proc, pss_bytes, &s->procs[0]))
		return 7;
	if (s->maps[0].state != VMT_STATE_DENIED)
		return 8;
	/* What needs the list is refused with it, and that is no news of the process. */
	if (vmt_collect_procs(c, s, SMAPS | PAGEMAP, &zero, 1, NULL) < 0)
		return 9;
	if (s->denied != 1 || s->n_issues != 2)
		return 10;
	for (i = 0; i < VMT_ARRAY_LEN(refused); i++) {
		const struct vmt_source_stat *st = &s->sources[refused[i]];
		const char *chmod = strstr(st->fix, " && sudo chmod 0750 ");
		const char *setcap = strstr(st->fix, " && sudo setcap cap_");

		if (st->state != VMT_STATE_DENIED || st->denied != 1 || !st->reason[0])
			return 11 + (int)i;
		/* For a group alone, before it has the rights. */
		if (!strstr(st->fix, "sudo chown root:vmtop ") || !chmod || !setcap ||
		    setcap < chmod)
			return 21 + (int)i;
	}
	vmt_sample_free(s);
	vmt_collector_free(c);
	return 0;
}

static void test_without_rights(void **state)
{
	pid_t of_root, pid;
	int status;

	if (geteuid() != 0)
		skip();
	of_root = child(NULL);
	pid = fork();
	if (pid == 0)
		_exit(as_nobody(of_root));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	reap(of_root);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* Reads a recording as nobody; the files of it are root's. */
static int recording_as_nobody(char *path)
{
	struct vmt_collector *c;
	struct vmt_sample *s;
	const size_t one = 1;

	if (setgid(65534) < 0 || setuid(65534) < 0)
		return 2;
	c = collector(path);
	s = collect(c, CHEAP, 0);
	if (s->host.euid != VMT_EUID_UNKNOWN)
		return 3;
	if (vmt_collect_procs(c, s, MAPS, &one, 1, NULL) < 0)
		return 4;
	if (s->n_issues != 1 || !vmt_bytes_is(s->issues[0].status, "denied") ||
	    !strstr(s->issues[0].hint.ptr, "recording"))
		return 5;
	if (s->sources[VMT_SOURCE_MAPS].fix[0] ||
	    strstr(s->sources[VMT_SOURCE_MAPS].reason, "root"))
		return 6;
	vmt_sample_free(s);
	vmt_collector_free(c);
	return 0;
}

/* Who recorded it is not known, and is not who reads it. */
static void test_a_recording_without_rights(void **state)
{
	struct unit_dir d;
	int status;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	save(&d);
	unit_dir_write(&d, "vmtop-fixture", "page_size 4096\nuser_hz 100\n");
	assert_int_equal(fchmod(d.fd, 0755), 0);
	assert_int_equal(fchmodat(d.fd, "proc/42/maps", 0600, 0), 0);
	pid = fork();
	if (pid == 0)
		_exit(recording_as_nobody(d.path));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	unit_dir_remove(&d);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* A reader that hangs until the pipe is closed. */
struct stall {
	int fds[2];
	int opens;
};

static void hang(void *arg)
{
	struct stall *stall = arg;
	char c;

	__atomic_add_fetch(&stall->opens, 1, __ATOMIC_SEQ_CST);
	while (read(stall->fds[0], &c, 1) < 0 && errno == EINTR)
		;
}

static void count_opens(void *arg)
{
	struct stall *stall = arg;

	__atomic_add_fetch(&stall->opens, 1, __ATOMIC_SEQ_CST);
}

static struct vmt_collector *impatient(const char *root)
{
	const struct vmt_collect_opts opts = { .root = root,
					       .read_timeout_ns = UINT64_C(100000000) };
	struct vmt_collector *c = NULL;

	assert_int_equal(vmt_collector_new(&opts, &c, NULL), 0);
	return c;
}

/* smaps never answers: the list that came before stays, and nobody goes there again. */
static void test_a_process_that_does_not_answer(void **state)
{
	struct stall stall = { .opens = 0 };
	struct vmt_collector *c;
	struct vmt_sample *s;
	struct unit_dir d;
	const size_t one = 1;
	uint64_t t0;
	int i;

	save(&d);
	unit_dir_write(&d, "proc/42/smaps_rollup", "1-2 ---p 0 00:00 0 [rollup]\nPss: 2 kB\n");
	assert_int_equal(pipe2(stall.fds, O_CLOEXEC), 0);
	c = impatient(d.path);
	s = collect(c, CHEAP, 0);
	unit_on_open("smaps", hang, &stall);
	assert_int_equal(vmt_collect_procs(c, s, SMAPS | PAGEMAP, &one, 1, NULL), 0);
	assert_int_equal(stall.opens, 1);
	assert_text(proc, read_status, &s->procs[1], "timed_out");
	assert_field(proc, maps_total, &s->procs[1], 2);
	assert_int_equal(s->maps[1].n_maps, 2);
	assert_int_equal(s->maps[1].state, VMT_STATE_PARTIAL);
	assert_text(map, path, &s->maps[1].maps[0], "/bin/x");
	assert_unknown(map, rss_bytes, &s->maps[1].maps[0]);
	assert_int_equal(s->sources[VMT_SOURCE_MAPS].state, VMT_STATE_OK);
	assert_int_equal(s->sources[VMT_SOURCE_SMAPS].timed_out, 1);
	assert_non_null(strstr(s->sources[VMT_SOURCE_SMAPS].reason, "1 timed out: the reader"));
	assert_int_equal(s->sources[VMT_SOURCE_PAGEMAP].state, VMT_STATE_SKIPPED);
	assert_int_equal(s->n_issues, 1);
	assert_text(issue, source, &s->issues[0], "smaps");
	assert_int_equal(s->timed_out, 1);

	/* Not for another source either, and it is the same failure. */
	unit_on_open("smaps_rollup", count_opens, &stall);
	assert_int_equal(vmt_collect_procs(c, s, MAPS | ROLLUP, &one, 1, NULL), 0);
	assert_int_equal(stall.opens, 1);
	assert_text(proc, read_status, &s->procs[1], "timed_out");
	assert_int_equal(s->maps[1].n_maps, 2);
	assert_int_equal(s->maps[1].state, VMT_STATE_PARTIAL);
	assert_int_equal(s->n_issues, 1);
	assert_int_equal(s->timed_out, 1);
	assert_int_equal(s->sources[VMT_SOURCE_ROLLUP].state, VMT_STATE_SKIPPED);
	vmt_sample_free(s);

	/* Nor in the next sample, which says it once. */
	s = collect(c, CHEAP, 0);
	t0 = vmt_now_ns(CLOCK_MONOTONIC);
	assert_int_equal(vmt_collect_procs(c, s, MAPS, &one, 1, NULL), 0);
	assert_true(vmt_now_ns(CLOCK_MONOTONIC) - t0 < UINT64_C(100000000));
	assert_int_equal(vmt_collect_procs(c, s, ROLLUP, &one, 1, NULL), 0);
	assert_text(proc, read_status, &s->procs[1], "timed_out");
	assert_unknown(proc, maps_total, &s->procs[1]);
	assert_int_equal(s->n_issues, 1);
	assert_int_equal(s->timed_out, 1);
	assert_int_equal(stall.opens, 1);
	vmt_sample_free(s);

	/* Until the reader is back. */
	unit_on_open(NULL, NULL, NULL);
	close(stall.fds[1]);
	for (i = 0, s = NULL; i < 5000; i++) {
		vmt_sample_free(s);
		s = collect(c, CHEAP, 0);
		assert_int_equal(vmt_collect_procs(c, s, SMAPS, &one, 1, NULL), 0);
		if (vmt_bytes_is(s->procs[1].read_status, "ok"))
			break;
		usleep(1000);
	}
	assert_text(proc, read_status, &s->procs[1], "ok");
	assert_field(map, rss_bytes, &s->maps[1].maps[0], 4096);
	assert_int_equal(s->n_issues, 0);
	vmt_sample_free(s);
	vmt_collector_free(c);
	close(stall.fds[0]);
	unit_dir_remove(&d);
}

/* The worst stays: a source that could be read does not take back what another one said. */
static void test_a_later_success_excuses_nothing(void **state)
{
	struct vmt_collector *c;
	struct vmt_sample *s;
	struct unit_dir d;
	const size_t one = 1;

	save(&d);
	unit_dir_write(&d, "proc/42/smaps_rollup", "1-2 ---p 0 00:00 0 [rollup]\nPss: 2 kB\n");
	unit_dir_write(&d, "proc/42/maps", "nonsense\n");
	c = collector(d.path);
	s = collect(c, CHEAP, 0);
	assert_int_equal(vmt_collect_procs(c, s, MAPS, &one, 1, NULL), 0);
	assert_text(proc, read_status, &s->procs[1], "failed");
	assert_int_equal(vmt_collect_procs(c, s, ROLLUP, &one, 1, NULL), 0);
	assert_text(proc, read_status, &s->procs[1], "failed");
	assert_int_equal(s->maps[1].state, VMT_STATE_FAILED);
	assert_field(proc, pss_bytes, &s->procs[1], 2048);
	/* The same failure again is no second one. */
	assert_int_equal(vmt_collect_procs(c, s, MAPS, &one, 1, NULL), 0);
	assert_int_equal(s->n_issues, 1);
	vmt_sample_free(s);
	vmt_collector_free(c);
	unit_dir_remove(&d);
}

/* A list without a byte is of an address space that is gone: not 0 mappings. */
static void test_no_list_is_not_an_empty_one(void **state)
{
	struct vmt_collector *c;
	struct vmt_sample *s;
	struct unit_dir d;
	const size_t one = 1;

	save(&d);
	unit_dir_write(&d, "proc/42/maps", "");
	c = collector(d.path);
	s = collect(c, CHEAP, 0);
	assert_int_equal(vmt_collect_procs(c, s, MAPS | VMT_COLLECT_COUNT, &one, 1, NULL), 0);
	assert_text(proc, read_status, &s->procs[1], "partial");
	assert_unknown(proc, maps_total, &s->procs[1]);
	assert_int_equal(s->n_issues, 1);
	assert_non_null(strstr(s->issues[0].hint.ptr, "execve"));
	vmt_sample_free(s);
	vmt_collector_free(c);
	unit_dir_remove(&d);
}

static void test_the_number_of_mappings_alone(void **state)
{
	struct vmt_collector *c;
	struct vmt_sample *s;
	struct unit_dir d;
	const size_t one = 1;

	save(&d);
	c = collector(d.path);
	s = collect(c, CHEAP, 0);
	assert_int_equal(vmt_collect_procs(c, s, MAPS | VMT_COLLECT_COUNT, &one, 1, NULL), 0);
	assert_field(proc, maps_total, &s->procs[1], 2);
	assert_text(proc, read_status, &s->procs[1], "ok");
	assert_int_equal(s->maps[1].n_maps, 0);
	assert_int_equal(s->maps[1].state, VMT_STATE_UNUSED);
	/* The rows of those that somebody wants to see. */
	assert_int_equal(vmt_collect_procs(c, s, MAPS, &one, 1, NULL), 0);
	assert_int_equal(s->maps[1].n_maps, 2);
	assert_int_equal(s->maps[1].state, VMT_STATE_OK);
	vmt_sample_free(s);
	vmt_collector_free(c);
	unit_dir_remove(&d);
}

/* A mapping that this kernel has no way to read costs its own values. */
static void test_a_mapping_that_is_too_large(void **state)
{
	static uint64_t words[2] = { 0, UINT64_C(1) << 63 };
	struct vmt_collector *c;
	struct vmt_sample *s;
	struct unit_dir d;
	const size_t one = 1;

	save(&d);
	unit_dir_write(&d, "proc/42/maps",
		       "1000-2000 rw-p 00000000 00:00 0 \n"
		       "10000000000-20000000000 ---p 00000000 00:00 0 \n");
	unit_dir_write_bytes(&d, "proc/42/pagemap", words, sizeof(words));
	c = collector(d.path);
	s = collect(c, CHEAP, 0);
	assert_int_equal(vmt_collect_procs(c, s, PAGEMAP, &one, 1, NULL), 0);
	assert_text(proc, read_status, &s->procs[1], "partial");
	assert_field(map, present_pages, &s->maps[1].maps[0], 1);
	assert_unknown(map, present_pages, &s->maps[1].maps[1]);
	assert_int_equal(s->sources[VMT_SOURCE_PAGEMAP].state, VMT_STATE_PARTIAL);
	assert_int_equal(s->sources[VMT_SOURCE_PAGEMAP].skipped, 0);
	assert_non_null(strstr(s->sources[VMT_SOURCE_PAGEMAP].reason, "PAGEMAP_SCAN"));
	vmt_sample_free(s);
	vmt_collector_free(c);
	unit_dir_remove(&d);
}

/* Runs without a free descriptor. */
static int without_descriptors(void)
{
	struct vmt_collector *c = collector(NULL);
	const struct vmt_source_stat *st;
	int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
	const struct rlimit none = { (rlim_t)next, (rlim_t)next };
	struct vmt_sample *s;

	close(next);
	if (setrlimit(RLIMIT_NOFILE, &none) < 0)
		return 2;
	if (vmt_collect(c, CHEAP, NULL, 0, &s, NULL) < 0)
		return 3;
	st = &s->sources[VMT_SOURCE_PIDS];
	if (st->state != VMT_STATE_FAILED || !strstr(st->reason, "EMFILE"))
		return 4;
	if (s->n_procs || VMT_HAS(system, processes_total, &s->system))
		return 5;
	vmt_sample_free(s);
	vmt_collector_free(c);
	return 0;
}

static void test_no_descriptor_is_free(void **state)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(without_descriptors());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int collect_saved(void *arg)
{
	const struct vmt_collect_opts opts = { .root = arg };
	const size_t all[] = { 0, 1, 2 };
	struct vmt_collector *c = NULL;
	struct vmt_sample *s = NULL;
	int r;

	r = vmt_collector_new(&opts, &c, NULL);
	if (r == 0)
		r = vmt_collect(c, CHEAP, NULL, 0, &s, NULL);
	if (r == 0)
		r = vmt_collect_procs(c, s, SMAPS, all, s->n_procs, NULL);
	vmt_sample_free(s);
	vmt_collector_free(c);
	return r;
}

static void test_failing_allocations(void **state)
{
	struct unit_dir d;

	save(&d);
	assert_true(unit_alloc_sweep(collect_saved, d.path) > 20);
	unit_dir_remove(&d);
}

/* Nothing stays open behind a collector. */
static void test_descriptors_are_closed(void **state)
{
	int before = open("/dev/null", O_RDONLY | O_CLOEXEC), after, i;

	close(before);
	for (i = 0; i < 3; i++) {
		struct vmt_collector *c = collector(NULL);
		struct vmt_sample *s = collect(c, CHEAP, (uint64_t)getpid());

		collect_one(c, s, SMAPS | ROLLUP | VMT_SOURCE_BIT(PAGEMAP) | VMT_SOURCE_BIT(ELF));
		vmt_sample_free(s);
		vmt_collector_free(c);
	}
	after = open("/dev/null", O_RDONLY | O_CLOEXEC);
	close(after);
	assert_int_equal(after, before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_saved_machine),
		cmocka_unit_test(test_dear_sources_of_a_saved_machine),
		cmocka_unit_test(test_a_second_call_adds),
		cmocka_unit_test(test_no_machine),
		cmocka_unit_test(test_live_machine),
		cmocka_unit_test(test_available_is_explained),
		cmocka_unit_test(test_a_stopped_process),
		cmocka_unit_test(test_every_figure_of_pmap),
		cmocka_unit_test(test_a_zombie_and_one_that_was_reaped),
		cmocka_unit_test(test_the_first_thread_has_ended),
		cmocka_unit_test(test_a_deadline_that_has_passed),
		cmocka_unit_test(test_without_rights),
		cmocka_unit_test(test_a_recording_without_rights),
		cmocka_unit_test(test_a_process_that_does_not_answer),
		cmocka_unit_test(test_a_later_success_excuses_nothing),
		cmocka_unit_test(test_no_list_is_not_an_empty_one),
		cmocka_unit_test(test_the_number_of_mappings_alone),
		cmocka_unit_test(test_a_mapping_that_is_too_large),
		cmocka_unit_test(test_no_descriptor_is_free),
		cmocka_unit_test(test_failing_allocations),
		cmocka_unit_test(test_descriptors_are_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
