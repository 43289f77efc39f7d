/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * cgroups [RUNG]...: which cgroup the faults are of. A process starts another one in a cgroup that
 * is removed while the faults are still counted, then moves to a cgroup itself, and stays. Each has
 * that of its end, and the process that stays has what its own /proc/self/cgroup says.
 */

#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/rows.h"
#include "source/pids.h"
#include "window.h"

#define PAGE 4096u

struct tree {
	char outer[160];
	char inner[180]; /* in outer */
};

/* What the child says of itself, in memory of both. */
struct truth {
	pid_t ended; /* the one in inner */
	char own[4096]; /* its /proc/self/cgroup at the end */
	char unable[160];
};

/* Where memory is charged: the hierarchy of the memory controller, else that of version 2. */
static bool find_hierarchy(char *dir, size_t size)
{
	FILE *f = setmntent("/proc/mounts", "r");
	struct mntent *m;
	bool memory = false;

	*dir = 0;
	while (f && !memory && (m = getmntent(f))) {
		memory = !strcmp(m->mnt_type, "cgroup") && hasmntopt(m, "memory");
		if (memory || !strcmp(m->mnt_type, "cgroup2"))
			snprintf(dir, size, "%s", m->mnt_dir);
	}
	if (f)
		endmntent(f);
	return *dir;
}

static bool make_tree(struct tree *t, const char *name)
{
	char dir[128];

	if (!find_hierarchy(dir, sizeof(dir))) {
		check_skip(name, "no hierarchy of cgroups is mounted");
		return false;
	}
	snprintf(t->outer, sizeof(t->outer), "%s/vmtop-test-%d", dir, (int)getpid());
	snprintf(t->inner, sizeof(t->inner), "%s/inner", t->outer);
	if (mkdir(t->outer, 0755) || mkdir(t->inner, 0755)) {
		check_skip(name, "%s: %s", t->outer, strerror(errno));
		rmdir(t->outer);
		return false;
	}
	return true;
}

static bool enter(const char *cgroup)
{
	char path[220];
	int fd, r;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	r = fd < 0 ? -1 : (int)write(fd, "0", 1);
	if (fd >= 0)
		close(fd);
	return r == 1;
}

static void touch(size_t pages)
{
	volatile char *m = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (size_t i = 0; m != MAP_FAILED && i < pages; i++)
		m[i * PAGE] = 1;
}

static __attribute__((noreturn)) void unable(struct truth *t, const char *what)
{
	snprintf(t->unable, sizeof(t->unable), "%s: %m", what);
	_exit(1);
}

struct job {
	struct tree tree;
	struct truth *truth;
};

static void workload(const struct pipes *p, void *arg)
{
	const struct job *job = arg;
	const struct tree *tree = &job->tree;
	struct truth *t = job->truth;
	int fd, status;
	pid_t pid;
	ssize_t n;

	meet(p);
	touch(16);
	pid = fork();
	if (!pid) {
		touch(16);
		if (!enter(tree->inner))
			unable(t, tree->inner);
		touch(16);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		unable(t, "the process in the inner cgroup");
	t->ended = pid;
	/* It may be busy until the last of the process is freed. */
	for (int i = 0; rmdir(tree->inner) && errno == EBUSY && i < 12000; i++)
		usleep(10000);
	if (!access(tree->inner, F_OK))
		unable(t, "rmdir");
	if (!enter(tree->outer))
		unable(t, tree->outer);
	touch(16);
	fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, t->own, sizeof(t->own) - 1);
	if (n <= 0)
		unable(t, "/proc/self/cgroup");
	meet(p);
}

static struct vmt_bytes of_process(const struct vmt_fault_sample *f, pid_t pid)
{
	for (size_t i = 0; i < f->n_procs; i++)
		if (f->procs[i].pid == (uint64_t)pid)
			return f->procs[i].cgroup;
	return (struct vmt_bytes){ 0 };
}

/* In a namespace of cgroups /proc shows the end of the path that the kernel has. */
static bool ends(struct vmt_bytes path, struct vmt_bytes end)
{
	return end.len && path.len >= end.len &&
	       !memcmp(path.ptr + path.len - end.len, end.ptr, end.len);
}

static void judge(struct check *c, const struct vmt_fault_sample *f, const struct truth *t,
		  pid_t child, const struct tree *tree)
{
	struct vmt_bytes stays = of_process(f, child), ended = of_process(f, t->ended);
	const char *name = strrchr(tree->outer, '/');
	struct vmt_arena arena;
	struct vmt_proc own = { 0 };
	char inner[64];

	vmt_arena_init(&arena);
	vmt_pid_cgroup_parse(vmt_bytes_of(t->own), &arena, &own);
	snprintf(inner, sizeof(inner), "%s/inner", name);
	check_that(c, f->has_cgroups && !f->totals.cgroups_lost, "no cgroups");
	check_that(c, ends(stays, own.cgroup), "/proc/self/cgroup says %.*s", (int)own.cgroup.len,
		   own.cgroup.ptr);
	check_that(c, ends(stays, vmt_bytes_of(name)), "not the one that it moved to");
	check_that(c, ends(ended, vmt_bytes_of(inner)), "one that ended is in %.*s", (int)ended.len,
		   ended.ptr);
	check_end(c, "%s: %.*s, and %.*s, which is gone", vmt_rung_name(f->rung), (int)stays.len,
		  stays.ptr, (int)ended.len, ended.ptr);
	vmt_arena_done(&arena);
}

static void on_rung(const char *rung_name, enum vmt_rung_id rung, struct truth *t)
{
	struct vmt_probe_opts opts = { .rung = rung, .follow = true, .asks = VMT_ASK_CGROUP };
	struct job job = { .truth = t };
	struct window w;
	struct check c;
	int r;

	check_begin(&c, "cgroups/%s", rung_name);
	if (!make_tree(&job.tree, c.name))
		return;
	memset(t, 0, sizeof(*t));
	r = window_begin(&w, workload, &job);
	r = r ?: window_count(&w, &opts, false, NULL);
	if (check_that(&c, !r, "%s; %s", w.err.text, t->unable))
		judge(&c, &w.f, t, w.child, &job.tree);
	else
		check_end(&c, "%s", "");
	window_end(&w);
	rmdir(job.tree.inner);
	rmdir(job.tree.outer);
}

int main(int argc, char **argv)
{
	struct truth *t =
		mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (t == MAP_FAILED)
		return 1;
	if (argc == 1)
		on_rung("auto", VMT_RUNG_NONE, t);
	for (int i = 1; i < argc; i++)
		on_rung(argv[i], vmt_rung_of(argv[i]), t);
	return 0;
}
