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
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "saved.h"

/* Dear sources of the one process of a sample. */
static void collect_one(struct vmt_collector *c, struct vmt_sample *s, uint64_t sources)
{
	const size_t zero = 0;

	assert_int_equal(s->n_procs, 1);
	assert_int_equal(vmt_collect_procs(c, s, sources, &zero, 1, NULL), 0);
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
		/* One that ends meanwhile may have had memory in the file before. */
		if (vmt_bytes_is(p->class, "kernel"))
			assert_unknown(proc, rss_bytes, p);
	}
	assert_int_equal(s->sources[VMT_SOURCE_PIDS].state, VMT_STATE_OK);
	assert_true(s->sources[VMT_SOURCE_MEMINFO].bytes > 0);
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

static void reap(pid_t pid);

/* Directories that were held are taken or closed, and what is read below them is of the process. */
static void a08_held_directories(void **state)
{
	const uint64_t files = VMT_SOURCE_BIT(STATUS) | VMT_SOURCE_BIT(STAT);
	struct vmt_collector *c = collector(NULL);
	size_t before = unit_open_files();
	pid_t pid = child(NULL);
	struct vmt_sample *s = collect(c, files | VMT_COLLECT_HOLD, (uint64_t)pid);
	uint64_t end;

	assert_int_equal(unit_open_files(), before + 1);
	/* What is read later is part of the time. */
	end = s->procs[0].read_end_ns;
	assert_true(end > s->procs[0].read_start_ns);
	collect_one(c, s, ROLLUP);
	assert_true(s->procs[0].read_end_ns > end);
	assert_text(proc, read_status, &s->procs[0], "ok");
	assert_true(VMT_HAS(proc, pss_bytes, &s->procs[0]) && s->procs[0].pss_bytes > 0);
	vmt_sample_free(s);
	assert_int_equal(unit_open_files(), before);
	s = collect(c, files | VMT_COLLECT_HOLD, (uint64_t)pid);
	reap(pid);
	collect_one(c, s, ROLLUP);
	assert_text(proc, read_status, &s->procs[0], "gone");
	assert_unknown(proc, pss_bytes, &s->procs[0]);
	vmt_sample_free(s);
	vmt_collector_free(c);
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
static void a14_a_stopped_process(void **state)
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

static void a04_a_zombie_and_one_that_was_reaped(void **state)
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
static void a06_the_first_thread_has_ended(void **state)
{
#ifdef __x86_64__
	struct vmt_collector *c = collector(NULL);
	pid_t pid = headless();
	struct vmt_sample *s = NULL;
	int i;

	for (i = 0; i < 20000; i++) {
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

static void e01_without_rights(void **state)
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

/* Nothing stays open behind a collector. */
static void a15_descriptors_are_closed(void **state)
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
		cmocka_unit_test(test_no_machine),
		cmocka_unit_test(test_live_machine),
		cmocka_unit_test(test_available_is_explained),
		cmocka_unit_test(a08_held_directories),
		cmocka_unit_test(a14_a_stopped_process),
		cmocka_unit_test(test_every_figure_of_pmap),
		cmocka_unit_test(a04_a_zombie_and_one_that_was_reaped),
		cmocka_unit_test(a06_the_first_thread_has_ended),
		cmocka_unit_test(test_a_deadline_that_has_passed),
		cmocka_unit_test(e01_without_rights),
		cmocka_unit_test(test_no_descriptor_is_free),
		cmocka_unit_test(a15_descriptors_are_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
