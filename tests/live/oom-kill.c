/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * oom-kill VMTOP [--machine]: what vmtop events tells of processes that the OOM killer takes: one
 * at the limit of the cgroup above its own; with --machine, which is for guests, also one that
 * takes all memory of the machine, and one that may have that of one node alone, of two.
 * oom-kill --victims: for other tests. Prints the name of a cgroup with a limit, or "skip", and
 * why; then, for each line that it reads, lets so many processes be killed at that limit, and
 * prints their numbers.
 */

#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MIB	 ((uint64_t)1 << 20)
#define LIMIT	 (32 * MIB)
#define PATIENCE 120 /* seconds; loading takes some under emulation */

static const char *vmtop;

struct tree {
	char outer[160];
	char inner[200];
	bool v1;
};

static bool put(const char *dir, const char *file, const char *text)
{
	char path[300];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : write(fd, text, strlen(text));
	if (fd >= 0)
		close(fd);
	return n == (ssize_t)strlen(text);
}

static void remove_tree(const struct tree *t)
{
	/* Busy until the last of a process in it is freed. */
	for (int i = 0; rmdir(t->inner) && errno == EBUSY && i < 3000; i++)
		usleep(10000);
	rmdir(t->outer);
}

/* Whether an OOM kill of a cgroup ends the machine. */
static bool panics(void)
{
	char c = 0;
	int fd = open("/proc/sys/vm/panic_on_oom", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		if (read(fd, &c, 1) != 1)
			c = 0;
		close(fd);
	}
	return c == '2';
}

/* Nothing below goes to swap, and the limit is one for all below: on version 1 before 5.11 both
 * have to be asked for. */
static bool binds(const struct tree *t)
{
	if (!t->v1)
		return put(t->outer, "memory.swap.max", "0") || errno == ENOENT;
	put(t->outer, "memory.use_hierarchy", "1");
	return put(t->outer, "memory.swappiness", "0");
}

static bool make_tree(struct tree *t, const char *name)
{
	char dir[128], limit[24];

	if (!check_cgroups(dir, sizeof(dir), &t->v1)) {
		check_skip(name, "no hierarchy of cgroups is mounted");
		return false;
	}
	if (panics()) {
		check_skip(name, "vm.panic_on_oom is 2");
		return false;
	}
	snprintf(t->outer, sizeof(t->outer), "%s/vmtop-oom-%d", dir, (int)getpid());
	snprintf(t->inner, sizeof(t->inner), "%s/inner", t->outer);
	if (!t->v1)
		put(dir, "cgroup.subtree_control", "+memory");
	snprintf(limit, sizeof(limit), "%llu", (unsigned long long)LIMIT);
	if (mkdir(t->outer, 0755) ||
	    (!t->v1 && !put(t->outer, "cgroup.subtree_control", "+memory")) ||
	    !put(t->outer, t->v1 ? "memory.limit_in_bytes" : "memory.max", limit) || !binds(t) ||
	    mkdir(t->inner, 0755)) {
		check_skip(name, "%s: %s", t->outer, strerror(errno));
		remove_tree(t);
		return false;
	}
	return true;
}

/* Touches memory until it is killed, and tells where that lies. */
static __attribute__((noreturn)) void hog(uint64_t bytes, int tell)
{
	volatile char *m = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (m == MAP_FAILED || write(tell, &m, sizeof(m)) != sizeof(m))
		_exit(2);
	for (uint64_t at = 0; at < bytes; at += 4096)
		m[at] = 1;
	_exit(3);
}

/* A process that is to be killed. */
struct job {
	const char *name;
	const struct tree *tree; /* NULL: in none of ours */
	uint64_t bytes;
	bool policy; /* node 1 alone */
	/* Of run_hog(). */
	pid_t pid;
	int status;
	uint64_t at; /* what it filled */
};

static bool bind_to_node_1(void)
{
	unsigned long nodes = 2;

	/* MPOL_BIND */
	return syscall(SYS_set_mempolicy, 2, &nodes, 8 * sizeof(nodes)) == 0;
}

/* Starts a hog, and waits until it was killed. */
static void run_hog(struct job *job)
{
	int pair[2];

	job->pid = -1;
	if (pipe2(pair, O_CLOEXEC))
		return;
	job->pid = fork();
	if (job->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (!put("/proc/self", "oom_score_adj", "1000") ||
		    (job->tree && !put(job->tree->inner, "cgroup.procs", "0")) ||
		    (job->policy && !bind_to_node_1()))
			_exit(1);
		hog(job->bytes, pair[1]);
	}
	close(pair[1]);
	if (read(pair[0], &job->at, sizeof(job->at)) != sizeof(job->at))
		job->at = 0;
	close(pair[0]);
	if (job->pid > 0 && waitpid(job->pid, &job->status, 0) != job->pid)
		job->pid = -1;
}

struct stream {
	pid_t pid;
	int out;
	char text[1 << 18];
	size_t len;
};

/* Reads from a pipe until it has said what is looked for, or its end: whether it did. */
static bool read_until(int fd, char *text, size_t *len, size_t size, const char *what)
{
	time_t end = time(NULL) + PATIENCE;

	while (!what || !strstr(text, what)) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n;

		if (time(NULL) >= end || poll(&p, 1, 1000) < 0)
			return false;
		if (!p.revents)
			continue;
		n = read(fd, text + *len, size - 1 - *len);
		if (n <= 0)
			return !what;
		*len += (size_t)n;
		text[*len] = 0;
	}
	return true;
}

/* vmtop events, which counts when it returns. */
static bool start_vmtop(struct stream *s)
{
	int out[2], err[2];
	char said[4096] = "";
	size_t len = 0;
	bool counting;

	if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		return false;
	s->pid = fork();
	if (s->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)put("/proc/self", "oom_score_adj", "-1000");
		dup2(out[1], STDOUT_FILENO);
		dup2(err[1], STDERR_FILENO);
		execl(vmtop, "vmtop", "events", "--only", "oom", "--ndjson", "-v", NULL);
		_exit(127);
	}
	close(out[1]);
	close(err[1]);
	/* All of it has room until it is read, at the end. */
	(void)fcntl(out[0], F_SETPIPE_SZ, 1 << 20);
	s->out = out[0];
	s->len = 0;
	s->text[0] = 0;
	counting = s->pid > 0 && read_until(err[0], said, &len, sizeof(said), "counting");
	if (!counting)
		fprintf(stderr, "%s", said);
	/* It writes to nobody from now on. */
	return counting;
}

/* The line of a type that has a text in it, after from; NULL where there is none. */
static char *line_of(char *from, const char *type, const char *with)
{
	char *line = from;

	while (line && *line) {
		char *end = strchr(line, '\n');
		char keep = 0, *hit;

		if (end) {
			keep = *end;
			*end = 0;
		}
		hit = strstr(line, type) && (!with || strstr(line, with)) ? line : NULL;
		if (end)
			*end = keep;
		if (hit)
			return hit;
		line = end ? end + 1 : NULL;
	}
	return NULL;
}

/* The value of a key of a line of JSON, without quotes; "-" for null, or where it is not there. */
static const char *value(const char *json, const char *key, char *out, size_t size)
{
	char name[64];
	const char *p, *end = json ? strchrnul(json, '\n') : NULL;
	size_t n = 0;

	snprintf(name, sizeof(name), "\"%s\":", key);
	snprintf(out, size, "-");
	p = json ? strstr(json, name) : NULL;
	if (!p || p > end)
		return out;
	p += strlen(name);
	p += *p == '"';
	if (!strncmp(p, "null", 4))
		return out;
	while (p[n] && !strchr("\",}", p[n]) && n + 1 < size) {
		out[n] = p[n];
		n++;
	}
	out[n] = 0;
	return out;
}

static bool is(const char *json, const char *key, const char *want)
{
	char text[256];

	return !strcmp(value(json, key, text, sizeof(text)), want);
}

static uint64_t number(const char *json, const char *key)
{
	char text[64];

	return strtoull(value(json, key, text, sizeof(text)), NULL, 0);
}

/* Ends vmtop, and reads all that it had to say. */
static void end_vmtop(struct check *c, struct stream *s)
{
	int status = 0;

	kill(s->pid, SIGINT);
	check_that(c, read_until(s->out, s->text, &s->len, sizeof(s->text), NULL),
		   "the stream does not end");
	close(s->out);
	waitpid(s->pid, &status, 0);
	check_that(c, WIFEXITED(status) && !WEXITSTATUS(status), "vmtop ended with 0x%x", status);
}

/* The line about the kill of a process, NULL where there is none. */
static char *kill_of(struct check *c, struct stream *s, const struct job *job)
{
	char with[40], text[80];
	char *line;

	check_that(c, job->pid > 0 && WIFSIGNALED(job->status) && WTERMSIG(job->status) == SIGKILL,
		   "the hog ended with status 0x%x", job->status);
	snprintf(with, sizeof(with), "\"pid\":%d,", (int)job->pid);
	check_that(c, line_of(s->text, "\"type\":\"event\"", with), "no event of the kill");
	line = line_of(s->text, "\"type\":\"kill\"", with);
	if (!check_that(c, line, "no line of the kill"))
		return NULL;
	check_that(c,
		   is(line, "by_pid", value(line, "pid", text, sizeof(text))) || job->tree == NULL,
		   "another process asked for memory");
	check_that(c, is(line, "order", "0"), "order %s", value(line, "order", text, sizeof(text)));
	check_that(c, strstr(line, "\"gfp\":\"GFP_"), "no flags of the request");
	return line;
}

/* The mapping that it filled is the largest, of the size that it has, and its pages are known. */
static void judge_map(struct check *c, const char *line, uint64_t at, uint64_t bytes,
		      uint64_t least)
{
	char text[80];
	uint64_t rss = number(line, "map_rss_bytes"), start = number(line, "map_start");
	uint64_t size = number(line, "map_size_bytes");

	/* The kernel may have merged it with what lies beside it. */
	check_that(c, at && start <= at && start + size >= at + bytes,
		   "the largest mapping is %s, and the one that was filled is 0x%llx",
		   value(line, "map_start", text, sizeof(text)), (unsigned long long)at);
	check_that(c, is(line, "map_path", "[anon]"), "it is %s",
		   value(line, "map_path", text, sizeof(text)));
	check_that(c, rss >= least && rss <= size, "%llu bytes of it in memory, of %llu",
		   (unsigned long long)rss, (unsigned long long)size);
	check_that(c, number(line, "anon_bytes") + 4 * MIB >= rss, "%s bytes anonymous",
		   value(line, "anon_bytes", text, sizeof(text)));
}

static void judge_cgroup(struct check *c, const struct job *job, const char *line)
{
	char path[64], text[256];
	const char *limit;
	bool v1 = job->tree->v1;

	snprintf(path, sizeof(path), "/vmtop-oom-%d", (int)getpid());
	check_that(c, is(line, "constraint", "cgroup"), "constraint %s",
		   value(line, "constraint", text, sizeof(text)));
	/* Behind what a namespace of cgroups hides. */
	limit = value(line, "limit_cgroup", text, sizeof(text));
	check_that(c,
		   strlen(limit) >= strlen(path) &&
			   strcmp(limit + strlen(limit) - strlen(path), path) == 0,
		   "the limit of %s", limit);
	check_that(c, is(line, "limit_levels", "1"), "%s levels above",
		   value(line, "limit_levels", text, sizeof(text)));
	check_that(c, is(line, "limit_file", v1 ? "memory.limit_in_bytes" : "memory.max"),
		   "limit %s", value(line, "limit_file", text, sizeof(text)));
	check_that(c, is(line, "reason", "memory_limit"), "reason %s",
		   value(line, "reason", text, sizeof(text)));
	check_that(c, number(line, "limit_bytes") == LIMIT, "limit_bytes %s",
		   value(line, "limit_bytes", text, sizeof(text)));
	check_that(c,
		   number(line, "limit_usage_bytes") <= LIMIT &&
			   number(line, "limit_usage_bytes") > LIMIT - MIB,
		   "usage %s", value(line, "limit_usage_bytes", text, sizeof(text)));
	strcat(path, "/inner");
	check_that(c, is(line, "cgroup", path), "cgroup %s",
		   value(line, "cgroup", text, sizeof(text)));
	check_that(c, is(line, "oom_score_adj", "1000"), "another oom_score_adj");
	judge_map(c, line, job->at, job->bytes, LIMIT / 2);
	check_end(c, "%s of the mapping in memory, %s ns in the kernel",
		  value(line, "map_rss_bytes", text, sizeof(text)),
		  value(line, "took_ns", path, sizeof(path)));
}

/* The zones of a kill have figures that go together, and bear out its reason: kswapd may have made
 * room, or lowered a watermark that was boosted, since the kernel looked, and then there is none.
 */
static void judge_zones(struct check *c, struct stream *s, const char *kill)
{
	const char *const type = "\"type\":\"oom_zone\"";
	bool min = true, high = true;
	char with[40], text[40];
	int usable = 0;

	snprintf(with, sizeof(with), "\"kill\":%llu,", (unsigned long long)number(kill, "kill"));
	for (char *line = line_of(s->text, type, with), *end; line;
	     line = end ? line_of(end + 1, type, with) : NULL) {
		uint64_t kept = number(line, "reserve_bytes") + number(line, "highatomic_bytes");
		uint64_t free = number(line, "free_bytes");

		end = strchr(line, '\n');
		if (!is(line, "usable", "true"))
			continue;
		usable++;
		min = min && free <= number(line, "min_bytes") + kept;
		high = high && free <= number(line, "high_bytes") + kept;
		check_that(c, number(line, "managed_bytes") > free,
			   "a zone has more free than it has");
		check_that(c, number(line, "min_bytes") <= number(line, "low_bytes"),
			   "min over low");
	}
	check_that(c, usable > 0, "no zone that it may use");
	check_that(c,
		   is(kill, "reason",
		      min    ? "zone_min"
		      : high ? "zone_high"
			     : "-"),
		   "reason %s", value(kill, "reason", text, sizeof(text)));
}

static void judge_machine(struct check *c, const struct job *job, struct stream *s,
			  const char *line)
{
	char text[80], other[40], why[40];

	check_that(c, is(line, "constraint", job->policy ? "policy" : "machine"), "constraint %s",
		   value(line, "constraint", text, sizeof(text)));
	check_that(c, is(line, "limit_cgroup", "-"), "the limit of a cgroup");
	judge_map(c, line, job->at, job->bytes, 32 * MIB);
	if (job->policy)
		check_that(
			c,
			number(line, "other_free_bytes") > 32 * MIB &&
				number(line, "other_free_bytes") > number(line, "zone_free_bytes"),
			"%s free elsewhere", value(line, "other_free_bytes", text, sizeof(text)));
	judge_zones(c, s, line);
	check_end(c, "%s: %s free in its zones, %s in others",
		  value(line, "reason", why, sizeof(why)),
		  value(line, "zone_free_bytes", text, sizeof(text)),
		  value(line, "other_free_bytes", other, sizeof(other)));
}

static int make_victims(void)
{
	struct tree tree = { 0 };
	char line[32];
	int r = 0;

	if (!make_tree(&tree, "victims of the OOM killer"))
		return 0;
	printf("%s\n", strrchr(tree.outer, '/') + 1);
	fflush(stdout);
	while (r == 0 && fgets(line, sizeof(line), stdin)) {
		for (int n = atoi(line); r == 0 && n > 0; n--) {
			struct job job = { .tree = &tree, .bytes = 4 * LIMIT };

			run_hog(&job);
			if (job.pid < 0 || !WIFSIGNALED(job.status))
				r = 1;
			else
				printf("%d%s", (int)job.pid, n > 1 ? " " : "\n");
		}
		fflush(stdout);
	}
	remove_tree(&tree);
	return r;
}

int main(int argc, char **argv)
{
	static struct stream s;
	struct tree tree = { 0 };
	struct job jobs[3];
	struct check c;
	size_t n = 0;

	if (argc < 2)
		return 2;
	if (!strcmp(argv[1], "--victims"))
		return make_victims();
	vmtop = argv[1];
	if (make_tree(&tree, "oom/cgroup"))
		jobs[n++] = (struct job){ .name = "cgroup", .tree = &tree, .bytes = 4 * LIMIT };
	if (argc > 2 && !strcmp(argv[2], "--machine")) {
		jobs[n++] = (struct job){ .name = "machine", .bytes = 4096 * MIB };
		jobs[n++] = (struct job){ .name = "policy", .bytes = 4096 * MIB, .policy = true };
	}
	if (!n)
		return 0;
	check_begin(&c, "oom/stream");
	if (check_that(&c, start_vmtop(&s), "vmtop does not count")) {
		for (size_t i = 0; i < n; i++)
			run_hog(&jobs[i]);
		/* What it had to say of them was in the ring before they could end. */
		end_vmtop(&c, &s);
	}
	check_end(&c, "%zu kills", n);
	for (size_t i = 0; i < n; i++) {
		const char *line;

		check_begin(&c, "oom/%s", jobs[i].name);
		line = kill_of(&c, &s, &jobs[i]);
		if (!line)
			check_end(&c, "nothing");
		else if (jobs[i].tree)
			judge_cgroup(&c, &jobs[i], line);
		else
			judge_machine(&c, &jobs[i], &s, line);
	}
	if (tree.outer[0])
		remove_tree(&tree);
	return 0;
}
