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
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/rows.h"
#include "source/pids.h"
#include "source/probe.h"

#define PAGE	4096u
#define WAIT_MS 60000

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

static void meet(const int said[2], const int told[2])
{
	char c = 0;

	if (write(said[1], &c, 1) != 1 || read(told[0], &c, 1) != 1)
		_exit(1);
}

static __attribute__((noreturn)) void workload(const struct tree *tree, struct truth *t,
					       const int said[2], const int told[2])
{
	int fd, status;
	pid_t pid;
	ssize_t n;

	meet(said, told);
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
	for (int i = 0; rmdir(tree->inner) && errno == EBUSY && i < 1000; i++)
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
	meet(said, told);
	_exit(0);
}

static bool hear(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char c;

	return poll(&p, 1, WAIT_MS) == 1 && read(fd, &c, 1) == 1;
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
	struct vmt_probe_opts opts = {
		.rung = rung, .n_pids = 1, .follow = true, .asks = VMT_ASK_CGROUP
	};
	struct vmt_fault_sample f = { 0 };
	struct vmt_err err = { 0 };
	VMT_AUTO_PROBE probe = NULL;
	struct vmt_arena arena;
	struct tree tree;
	struct check c;
	int said[2], told[2], r;
	pid_t child;

	check_begin(&c, "cgroups/%s", rung_name);
	if (!make_tree(&tree, c.name))
		return;
	memset(t, 0, sizeof(*t));
	vmt_arena_init(&arena);
	if (pipe2(said, O_CLOEXEC) || pipe2(told, O_CLOEXEC))
		exit(1);
	child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		workload(&tree, t, said, told);
	}
	close(said[1]);
	close(told[0]);
	opts.pids = &child;
	r = hear(said[0]) ? 0 : vmt_err_set(&err, -EIO, NULL, 0, "the workload did not start");
	r = r ?: vmt_probe_open(&opts, &probe, &err);
	r = r ?: vmt_probe_start(probe, &err);
	if (!r) {
		(void)!write(told[1], "", 1);
		check_that(&c, hear(said[0]), "the workload did not end: %s", t->unable);
		r = vmt_probe_stop(probe, &err);
		r = r ?: vmt_probe_read(probe, &arena, &f, &err);
	}
	if (check_that(&c, !r, "%s", err.text) && !c.failed)
		judge(&c, &f, t, child, &tree);
	else
		check_end(&c, "%s", "");
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(said[0]);
	close(told[1]);
	vmt_probe_close(probe);
	probe = NULL;
	rmdir(tree.inner);
	rmdir(tree.outer);
	vmt_arena_done(&arena);
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
