/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * truth VMTOP SCRATCH: what vmtop says of a process that stands still is what was done to it, to
 * the byte, by smaps and by the cheaper sources; and ps says what the mappings add up to.
 *
 * truth --make SCRATCH: makes the process, prints what is in it as JSON, and stops.
 */

#include "check.h"
#include "truth.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define UNKNOWN	    UINT64_MAX
#define CHEAP_KEYS  4
#define TOTAL_KEYS  15
#define COLUMNS_MAX 40
#define TRIES	    5

/* Read from smaps unless the cheaper sources have them; a run asks for these alone. */
static const enum truth_figure cheap[CHEAP_KEYS] = { TRUTH_RSS, TRUTH_ANON, TRUTH_FILE,
						     TRUTH_SWAP };

struct row {
	uint64_t start;
	uint64_t end;
	char perms[8];
	uint64_t figures[TRUTH_FIGURES]; /* UNKNOWN where there is none */
	char path[200];
};

struct rows {
	struct row *row;
	size_t n;
};

static void print_json(const struct truth *t)
{
	printf("{\"pid\":%d,\"threads\":%u,\"regions\":[", getpid(), t->n_threads + 1);
	for (size_t i = 0; i < t->n_regions; i++) {
		const struct truth_region *r = &t->regions[i];

		printf("%s{\"label\":\"%s\",\"start\":\"%" PRIx64
		       "\",\"perms\":\"%s\",\"path\":\"%s\"",
		       i ? "," : "", r->label, r->start, r->perms, r->path);
		for (size_t k = 0; k < TRUTH_FIGURES; k++)
			printf(",\"%s\":%" PRIu64, truth_keys[k], r->figures[k]);
		putchar('}');
	}
	printf("],\"absent\":[");
	for (size_t i = 0; i < t->n_absent; i++)
		printf("%s{\"label\":\"%s\",\"why\":\"%s\"}", i ? "," : "", t->absent[i].label,
		       t->absent[i].why);
	puts("]}");
	fflush(stdout);
}

/* Memory that a descriptor names, so that the workload writes to it behind its exec(). */
static struct truth *map_truth(int fd)
{
	struct truth *t = mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (t == MAP_FAILED) {
		perror("truth: mmap");
		exit(3);
	}
	return t;
}

static int new_truth(void)
{
	int fd = (int)syscall(SYS_memfd_create, "truth-told", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, sizeof(struct truth))) {
		perror("truth: memfd_create");
		exit(3);
	}
	return fd;
}

static int make(const char *scratch, int fd, bool print)
{
	struct truth *t = map_truth(fd);

	close(fd);
	if (!truth_make(t, scratch)) {
		fprintf(stderr, "truth: %s\n", t->why);
		return 1;
	}
	if (print)
		print_json(t);
	raise(SIGSTOP);
	return 0;
}

/* The output of vmtop with these arguments, NULL last; it is the caller's. NULL where it failed. */
static char *run_vmtop(struct check *c, const char *vmtop, const char *const *args)
{
	char *argv[16] = { (char *)(uintptr_t)vmtop };
	size_t n = 0, room = 1 << 16;
	char *text = malloc(room);
	int fds[2], status;
	pid_t pid;

	for (size_t i = 0; args[i]; i++)
		argv[i + 1] = (char *)(uintptr_t)args[i];
	if (!text || pipe2(fds, O_CLOEXEC))
		exit(3);
	pid = fork();
	if (!pid) {
		dup2(fds[1], STDOUT_FILENO);
		execv(vmtop, argv);
		_exit(127);
	}
	close(fds[1]);
	for (;;) {
		ssize_t got = read(fds[0], text + n, room - n - 1);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		n += (size_t)got;
		if (room - n < 4096)
			text = realloc(text, room *= 2);
		if (!text)
			exit(3);
	}
	text[n] = 0;
	close(fds[0]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		exit(3);
	if (check_that(c, WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s %s: status %x", vmtop,
		       args[0], (unsigned)status))
		return text;
	free(text);
	return NULL;
}

/* A number of a list with commas; an empty one is unknown. Gives what is behind it. */
static char *number(char *at, int base, uint64_t *ret)
{
	char *end;

	*ret = strtoull(at, &end, base);
	if (end == at)
		*ret = UNKNOWN;
	return *end == ',' ? end + 1 : end;
}

/* The mappings of a process, with all figures or with the cheap ones. */
static struct rows read_maps(struct check *c, const char *vmtop, pid_t pid, bool all)
{
	char pid_text[16], columns[1000] = "start,end,perms";
	const char *args[] = { "maps", pid_text, "--csv", "--noheadings", "-o", columns, NULL };
	size_t used = strlen(columns);
	struct rows rows = { 0 };
	char *text, *save = NULL;

	snprintf(pid_text, sizeof(pid_text), "%d", pid);
	for (size_t i = 0; i < (all ? TRUTH_FIGURES : CHEAP_KEYS); i++)
		used += (size_t)snprintf(columns + used, sizeof(columns) - used, ",%s",
					 truth_keys[all ? i : cheap[i]]);
	snprintf(columns + used, sizeof(columns) - used, ",path");
	text = run_vmtop(c, vmtop, args);
	for (char *line = text ? strtok_r(text, "\r\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\r\n", &save)) {
		struct row *bigger = realloc(rows.row, (rows.n + 1) * sizeof(*bigger)), *r;
		char *at = line, *comma;

		if (!bigger)
			exit(3);
		rows.row = bigger;
		r = &rows.row[rows.n++];
		memset(r, 0, sizeof(*r));
		for (size_t k = 0; k < TRUTH_FIGURES; k++)
			r->figures[k] = UNKNOWN;
		at = number(at, 16, &r->start);
		at = number(at, 16, &r->end);
		comma = strchr(at, ',');
		if (!check_that(c, comma && comma - at < (long)sizeof(r->perms), "a row is %s",
				line))
			break;
		memcpy(r->perms, at, (size_t)(comma - at));
		at = comma + 1;
		for (size_t i = 0; i < (all ? TRUTH_FIGURES : CHEAP_KEYS); i++)
			at = number(at, 10, &r->figures[all ? i : cheap[i]]);
		snprintf(r->path, sizeof(r->path), "%s", at);
	}
	free(text);
	return rows;
}

static const struct row *find(const struct rows *rows, uint64_t start)
{
	for (size_t i = 0; i < rows->n; i++)
		if (rows->row[i].start == start)
			return &rows->row[i];
	return NULL;
}

/* Whether this kernel's smaps has a key at all: where it has not, the figure is unknown. */
static bool kernel_has(const char *key)
{
	char line[256];
	size_t n = strlen(key);
	bool found = false;
	FILE *f = fopen("/proc/self/smaps", "re");

	while (f && !found && fgets(line, sizeof(line), f))
		found = strncmp(line, key, n) == 0 && line[n] == ':';
	if (f)
		fclose(f);
	return found;
}

/* Judges one region by a run with all figures and one with the cheap ones. */
static void judge_region(struct check *c, const struct truth_region *t, const struct rows *all,
			 const struct rows *few, const bool *have)
{
	const struct row *row = find(all, t->start), *other = find(few, t->start);
	unsigned figures = 0;

	if (!check_that(c, row && other, "%" PRIx64 " is not there", t->start))
		return;
	check_that(c, row->end - row->start == t->figures[TRUTH_SIZE], "%" PRIu64 " bytes long",
		   row->end - row->start);
	check_that(c, strcmp(row->perms, t->perms) == 0, "perms are %s", row->perms);
	check_that(c, *t->path ? strstr(row->path, t->path) != NULL : !*row->path,
		   "its name is '%s', not '%s'", row->path, t->path);
	for (size_t k = 0; k < TRUTH_FIGURES; k++) {
		uint64_t want = have[k] ? t->figures[k] : UNKNOWN;

		figures++;
		check_that(c, row->figures[k] == want, "%s is %" PRId64 ", not %" PRId64,
			   truth_keys[k], (int64_t)row->figures[k], (int64_t)want);
	}
	for (size_t i = 0; i < CHEAP_KEYS; i++) {
		uint64_t want = t->figures[cheap[i]], got = other->figures[cheap[i]];
		/* Only smaps tells what shared memory has in swap. */
		bool hidden = cheap[i] == TRUTH_SWAP && t->perms[3] == 's' && got == UNKNOWN;

		figures++;
		check_that(c, got == want || hidden, "%s is %" PRId64 " alone, not %" PRIu64,
			   truth_keys[cheap[i]], (int64_t)got, want);
	}
	check_that(c, figures == TRUTH_FIGURES + CHEAP_KEYS, "%u figures", figures);
}

/* Each figure that is not the truth has to be found, one at a time. */
static void judge_the_judge(const struct truth_region *t, const struct rows *all,
			    const struct rows *few, const bool *have)
{
	struct check c;

	check_begin(&c, "truth-can-fail");
	for (size_t k = 0; k < TRUTH_FIGURES; k++) {
		struct truth_region lie = *t;
		struct check inner;

		if (!have[k])
			continue;
		lie.figures[k] += 4096;
		check_begin(&inner, "a-lie");
		judge_region(&inner, &lie, all, few, have);
		check_that(&c, inner.failed, "%s may be wrong", truth_keys[k]);
	}
	check_end(&c, "%s", "");
}

/* The figures of ps that are sums of those of the mappings. */
static const struct {
	const char *key;
	enum truth_figure figure;
	bool status; /* of status or statm, and with that less exact before 6.2 */
} totals[TOTAL_KEYS] = {
	{ "vsize_bytes", TRUTH_SIZE, false },
	{ "rss_bytes", TRUTH_RSS, true },
	{ "anonymous_bytes", TRUTH_ANON, true },
	{ "swap_bytes", TRUTH_SWAP, true },
	{ "pss_bytes", TRUTH_PSS, false },
	{ "pss_dirty_bytes", TRUTH_PSS_DIRTY, false },
	{ "uss_bytes", TRUTH_USS, false },
	{ "shared_clean_bytes", TRUTH_SHARED_CLEAN, false },
	{ "shared_dirty_bytes", TRUTH_SHARED_DIRTY, false },
	{ "private_clean_bytes", TRUTH_PRIVATE_CLEAN, false },
	{ "private_dirty_bytes", TRUTH_PRIVATE_DIRTY, false },
	{ "swap_pss_bytes", TRUTH_SWAP_PSS, false },
};

static uint64_t sum(const struct rows *rows, enum truth_figure figure)
{
	uint64_t total = 0;

	for (size_t i = 0; i < rows->n; i++) {
		/* The gate area is in no sum of the kernel's. */
		if (strcmp(rows->row[i].path, "[vsyscall]") == 0)
			continue;
		if (rows->row[i].figures[figure] == UNKNOWN)
			return UNKNOWN;
		total += rows->row[i].figures[figure];
	}
	return total;
}

/*
 * Before 6.2 each thread keeps up to 64 events of its own, each of up to 16 pages, from the
 * counters of the process (TASK_RSS_EVENTS_THRESH, mm/memory.c).
 */
static uint64_t status_slack(unsigned threads)
{
	struct utsname name;
	unsigned major = 0, minor = 0;
	char *end;

	uname(&name);
	major = (unsigned)strtoul(name.release, &end, 10);
	minor = *end == '.' ? (unsigned)strtoul(end + 1, NULL, 10) : 0;
	return major < 6 || (major == 6 && minor < 2) ? (uint64_t)threads * 64 * 16 * 4096 : 0;
}

static void judge_totals(struct check *c, const char *vmtop, pid_t pid, const struct rows *all,
			 unsigned threads)
{
	char pid_text[16], columns[600] = "threads";
	const char *args[] = { "ps",	       "-p", pid_text, "--pss", "--csv",
			       "--noheadings", "-o", columns,  NULL };
	size_t used = strlen(columns);
	uint64_t value, slack = status_slack(threads);
	char *text, *at;

	snprintf(pid_text, sizeof(pid_text), "%d", pid);
	for (size_t i = 0; i < TOTAL_KEYS && totals[i].key; i++)
		used += (size_t)snprintf(columns + used, sizeof(columns) - used, ",%s",
					 totals[i].key);
	text = run_vmtop(c, vmtop, args);
	if (!text)
		return;
	at = number(text, 10, &value);
	check_that(c, value == threads, "%" PRIu64 " threads of %u", value, threads);
	for (size_t i = 0; i < TOTAL_KEYS && totals[i].key; i++) {
		uint64_t want = sum(all, totals[i].figure), off;
		/* smaps rounds each mapping down to a KiB, smaps_rollup the sum. */
		bool pss = totals[i].figure == TRUTH_PSS || totals[i].figure == TRUTH_PSS_DIRTY ||
			   totals[i].figure == TRUTH_SWAP_PSS;
		bool good;

		at = number(at, 10, &value);
		off = value > want ? value - want : want - value;
		if (value == UNKNOWN || want == UNKNOWN)
			good = value == want;
		else if (pss)
			good = value >= want && off <= 1024 * (uint64_t)all->n;
		else
			good = off <= (totals[i].status ? slack : 0);
		check_that(c, good, "%s is %" PRId64 ", the mappings have %" PRId64, totals[i].key,
			   (int64_t)value, (int64_t)want);
	}
	free(text);
}

struct workload {
	struct truth *truth;
	int fd;
	pid_t pid;
};

/*
 * A copy of this program: pages that the judge has too, of its memory or of its file, have other
 * shares as it goes on.
 */
static int copy_of_me(const char *scratch)
{
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), to, fd = -1;
	char path[300];
	struct stat st;

	snprintf(path, sizeof(path), "%s/truth-program-%d", scratch, getpid());
	to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
	if (from >= 0 && to >= 0 && fstat(from, &st) == 0 &&
	    sendfile(to, from, NULL, (size_t)st.st_size) == st.st_size) {
		close(to);
		to = -1;
		fd = open(path, O_PATH | O_CLOEXEC);
	}
	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	unlink(path);
	return fd;
}

static bool start(struct workload *w, const char *scratch)
{
	int status, program = copy_of_me(scratch);
	char fd[16], *argv[] = { "truth", "--tell", fd, (char *)(uintptr_t)scratch, NULL };
	pid_t parent = getpid();

	snprintf(fd, sizeof(fd), "%d", w->fd);
	if (program < 0)
		return false;
	w->pid = fork();
	if (!w->pid) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent ||
		    fcntl(w->fd, F_SETFD, 0))
			_exit(1);
		fexecve(program, argv, environ);
		_exit(127);
	}
	close(program);
	return w->pid > 0 && waitpid(w->pid, &status, WUNTRACED) == w->pid && WIFSTOPPED(status);
}

static void stop(struct workload *w)
{
	if (w->pid > 0) {
		kill(w->pid, SIGKILL);
		while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	close(w->fd);
}

/* A region that is a hostile case is called by that. */
static void begin_region(struct check *c, const char *label)
{
	check_begin(c, "%s%s", strchr(label, '/') ? "" : "truth-", label);
}

static bool same_figures(const struct rows *a, const struct rows *b)
{
	bool same = a->n == b->n;

	for (size_t i = 0; same && i < a->n; i++)
		same = memcmp(a->row[i].figures, b->row[i].figures, sizeof(a->row[i].figures)) == 0;
	return same;
}

/* The sums, between two readings of the mappings that say the same. Gives these, whose rows are the
 * caller's. */
static struct rows judge_process(struct check *c, const char *vmtop, const struct workload *w)
{
	struct rows before = { 0 }, after = { 0 };
	bool still = false;

	for (int tries = 0; !still && tries < TRIES; tries++) {
		free(before.row);
		check_begin(c, "truth-process");
		before = read_maps(c, vmtop, w->pid, true);
		judge_totals(c, vmtop, w->pid, &before, w->truth->n_threads + 1);
		after = read_maps(c, vmtop, w->pid, true);
		still = same_figures(&before, &after);
		free(after.row);
	}
	return before;
}

static int judge(const char *vmtop, const char *scratch, bool last)
{
	struct truth *told = malloc(sizeof(*told));
	bool have[TRUTH_FIGURES], failed = false;
	struct workload w = { .fd = new_truth() };
	struct rows all = { 0 }, few = { 0 };
	struct check c;

	if (!told)
		return 3;
	w.truth = map_truth(w.fd);
	for (size_t k = 0; k < TRUTH_FIGURES; k++)
		have[k] = true;
	have[TRUTH_KSM] = kernel_has("KSM");
	have[TRUTH_PSS_DIRTY] = kernel_has("Pss_Dirty");

	check_begin(&c, "truth-workload");
	if (!check_that(&c, start(&w, scratch), "%s",
			w.truth->why[0] ? w.truth->why : "no start")) {
		check_end(&c, "%s", "");
		munmap(w.truth, sizeof(*w.truth));
		free(told);
		stop(&w);
		return 1;
	}
	/* Pages that both have touched are shared. */
	memcpy(told, w.truth, sizeof(*told));
	munmap(w.truth, sizeof(*told));
	w.truth = told;
	all = read_maps(&c, vmtop, w.pid, true);
	few = read_maps(&c, vmtop, w.pid, false);
	check_that(&c, all.n == few.n && all.n > w.truth->n_regions, "%zu mappings, then %zu",
		   all.n, few.n);
	/* A dirty page of a file is clean as soon as anybody calls sync(2): that is told by another
	 * try, not by the figures. */
	for (size_t i = 0; !last && i < w.truth->n_regions; i++) {
		const struct truth_region *t = &w.truth->regions[i];
		const struct row *row = find(&all, t->start);

		failed |= strcmp(t->label, "file-shared-written") == 0 && row &&
			  row->figures[TRUTH_PRIVATE_CLEAN] != 0;
	}
	if (failed) {
		stop(&w);
		free(told);
		free(all.row);
		free(few.row);
		return -EAGAIN;
	}
	check_end(&c, "%zu mappings, %u of them known", all.n, w.truth->n_regions);

	for (size_t i = 0; i < w.truth->n_regions; i++) {
		const struct truth_region *t = &w.truth->regions[i];

		begin_region(&c, t->label);
		judge_region(&c, t, &all, &few, have);
		check_end(&c, "RSS %" PRIu64 ", PSS %" PRIu64, t->figures[TRUTH_RSS],
			  t->figures[TRUTH_PSS]);
	}
	judge_the_judge(&w.truth->regions[0], &all, &few, have);
	for (size_t i = 0; i < w.truth->n_absent; i++) {
		begin_region(&c, w.truth->absent[i].label);
		check_skip(c.name, "%s", w.truth->absent[i].why);
	}
	free(all.row);
	all = judge_process(&c, vmtop, &w);
	check_end(&c, "RSS %" PRIu64 ", PSS %" PRIu64 ", USS %" PRIu64, sum(&all, TRUTH_RSS),
		  sum(&all, TRUTH_PSS), sum(&all, TRUTH_USS));
	stop(&w);
	free(told);
	free(all.row);
	free(few.row);
	return 0;
}

int main(int argc, char **argv)
{
	const char *swap = getenv("GUEST_SWAP");
	int r;

	if (argc == 3 && strcmp(argv[1], "--make") == 0)
		return make(argv[2], new_truth(), true);
	if (argc == 4 && strcmp(argv[1], "--tell") == 0)
		return make(argv[3], atoi(argv[2]), false);
	if (argc != 3) {
		fprintf(stderr, "usage: truth VMTOP SCRATCH | truth --make SCRATCH\n");
		return 2;
	}
	if (swap && swapon(swap, 0)) {
		perror(swap);
		swap = NULL;
	}
	for (int tries = TRIES; tries > 0; tries--) {
		r = judge(argv[1], argv[2], tries == 1);
		if (r != -EAGAIN)
			break;
	}
	if (swap)
		swapoff(swap);
	return r;
}
