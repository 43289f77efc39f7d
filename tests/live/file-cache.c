/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * file-cache [--dir DIR] [RUNG]...: what page faults bring into the page cache, and what of it was
 * read ahead, where that is known. Each case is a process with a file of its own, of which it is
 * known which pages are cached before, and which it touches in the window.
 */

#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "source/probe.h"

#define PAGE  4096u
#define PAGES 256u /* of each file; four to a part of it */
/* What was read ahead may be taken again before it is touched, by whoever needs memory. */
#define TRIES 3

/* What is touched of the file, and how. A store to a private page always asks filemap_fault for
 * the page, whatever the kernel maps around it. */
struct scene {
	const char *name;
	bool cold; /* nothing of it is cached before */
	bool random; /* MADV_RANDOM: nothing is read ahead */
	unsigned first; /* pages that are touched, in order of their offset */
	unsigned n;
	unsigned second; /* and some more of them */
	unsigned n_second;
	bool reads; /* then all of the file is read(2), which brings the rest in */
};

static const struct scene scenes[] = {
	{ .name = "ahead", .cold = true, .n = PAGES },
	{ .name = "random", .cold = true, .random = true, .n = PAGES },
	{ .name = "read", .cold = true, .random = true, .first = 64, .n = 32, .reads = true },
	{ .name = "cached", .n = PAGES },
	{ .name = "offsets", .first = 20, .n = 10, .second = 200, .n_second = 23 },
};
#define SCENES (sizeof(scenes) / sizeof(scenes[0]))

struct actor {
	pid_t pid;
	int say; /* a byte for each step */
	int hear;
	struct stat st;
	char path[300];
};

/* Whether the mapping has none of its pages in the page cache, or all. */
static bool is_cached(void *p, bool all)
{
	unsigned char there[PAGES];
	unsigned n = 0;

	if (mincore(p, PAGES * PAGE, there))
		return false;
	for (unsigned i = 0; i < PAGES; i++)
		n += there[i] & 1;
	return n == (all ? PAGES : 0);
}

static const char *make_file(const char *path, const struct scene *scene, int *ret_fd)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	char page[PAGE];
	void *p;

	if (fd < 0)
		return "no file";
	for (unsigned i = 0; i < PAGES; i++) {
		memset(page, (int)i + 1, sizeof(page));
		if (pwrite(fd, page, sizeof(page), (off_t)i * PAGE) != (ssize_t)sizeof(page))
			return "the file cannot be written";
	}
	*ret_fd = fd;
	p = mmap(NULL, PAGES * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED || fsync(fd))
		return "no mapping of a file that is written";
	if (scene->cold && !check_forget(fd, p, PAGES))
		return "the file cannot be taken out of the page cache";
	/* What is cached stays: who needs memory takes clean pages first. */
	if (!scene->cold && mlock(p, PAGES * PAGE))
		return "pages cannot be held";
	if (!is_cached(p, !scene->cold))
		return "the page cache does not hold what it should";
	return scene->cold && munmap(p, PAGES * PAGE) ? "munmap" : NULL;
}

/* The child: prepares, says so, waits, touches, says so. */
static int act(const struct scene *scene, const char *path, int say, int hear)
{
	volatile unsigned char *p;
	char buf[PAGE], c;
	const char *why;
	int fd = -1;

	why = make_file(path, scene, &fd);
	if (why) {
		dprintf(say, "%s", why);
		return 1;
	}
	p = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED ||
	    (scene->random && madvise((void *)(uintptr_t)p, PAGES * PAGE, MADV_RANDOM)))
		return 1;
	if (write(say, "r", 1) != 1 || read(hear, &c, 1) != 1)
		return 1;
	for (unsigned i = 0; i < scene->n; i++)
		p[(scene->first + i) * PAGE] = 1;
	for (unsigned i = 0; i < scene->n_second; i++)
		p[(scene->second + i) * PAGE] = 1;
	for (unsigned i = 0; scene->reads && i < PAGES; i++)
		if (pread(fd, buf, sizeof(buf), (off_t)i * PAGE) != (ssize_t)sizeof(buf))
			return 1;
	return write(say, "r", 1) == 1 && read(hear, &c, 1) == 1 ? 0 : 1;
}

static void hire(struct actor *a, const struct scene *scene, const char *dir)
{
	int down[2], up[2];

	snprintf(a->path, sizeof(a->path), "%s/file-cache-%s-%d", dir, scene->name, (int)getpid());
	if (pipe2(down, O_CLOEXEC) || pipe2(up, O_CLOEXEC))
		abort();
	a->pid = fork();
	if (a->pid < 0)
		abort();
	if (!a->pid) {
		close(down[1]);
		close(up[0]);
		_exit(act(scene, a->path, up[1], down[0]));
	}
	close(down[0]);
	close(up[1]);
	a->say = down[1];
	a->hear = up[0];
}

/* Waits for its next step; false where it gave up, and says why. */
static bool stepped(struct actor *a, char *why, size_t size)
{
	ssize_t n = read(a->hear, why, size - 1);

	if (n == 1 && why[0] == 'r')
		return true;
	snprintf(why + (n > 0 ? n : 0), size - (n > 0 ? (size_t)n : 0), n > 0 ? "" : "it ended");
	return false;
}

static void dismiss(struct actor *a)
{
	close(a->say);
	close(a->hear);
	kill(a->pid, SIGKILL);
	waitpid(a->pid, NULL, 0);
	unlink(a->path);
}

static const struct vmt_fault_file *find(const struct vmt_fault_sample *f, const struct stat *st)
{
	for (size_t i = 0; i < f->n_files; i++)
		if (f->files[i].inode == st->st_ino && f->files[i].dev_major == major(st->st_dev) &&
		    f->files[i].dev_minor == minor(st->st_dev))
			return &f->files[i];
	return NULL;
}

/* The self-check of the probe stores into the first page of this program, which no scene does. */
static bool has_self_check(const struct vmt_fault_sample *f)
{
	const struct vmt_fault_file *own;
	struct stat st;

	if (stat("/proc/self/exe", &st))
		return false;
	own = find(f, &st);
	return own && own->has_offset && !own->first_offset_bytes;
}

static bool was_touched(const struct scene *s, unsigned page)
{
	return (page >= s->first && page < s->first + s->n) ||
	       (page >= s->second && page < s->second + s->n_second);
}

/* Each part of the file has as many calls as pages of it were touched, and those that came again.
 */
static void judge_parts(struct check *c, const struct scene *s, const struct vmt_fault_file *f)
{
	uint64_t again = f->calls - s->n - s->n_second, more = 0;

	check_that(c, f->part_bytes == PAGES / VMT_FAULT_PARTS * PAGE, "parts of %" PRIu64 " bytes",
		   f->part_bytes);
	for (unsigned i = 0; i < VMT_FAULT_PARTS; i++) {
		unsigned n = 0;

		for (unsigned k = 0; k < PAGES / VMT_FAULT_PARTS; k++)
			n += was_touched(s, i * (PAGES / VMT_FAULT_PARTS) + k);
		check_that(c, f->parts[i] >= n && (n || !f->parts[i]),
			   "part %u: %u calls for %u pages", i, f->parts[i], n);
		more += f->parts[i] - n;
	}
	check_that(c, more == again, "%" PRIu64 " calls in the parts", more);
}

static void judge(struct check *c, const struct scene *s, uint32_t have,
		  const struct vmt_fault_file *f)
{
	uint64_t touched = s->n + s->n_second;
	bool result = have & VMT_HAVE_FILE_RESULT;

	check_that(c, f->calls >= touched && f->calls <= 2 * touched, "%" PRIu64 " calls",
		   f->calls);
	if (f->calls >= touched)
		judge_parts(c, s, f);
	if (!check_that(c, have & VMT_HAVE_FILE_PAGES, "it is not known what was brought in"))
		return;
	check_that(c, !f->ahead_lost, "%" PRIu64 " pages were lost", f->ahead_lost);
	check_that(c,
		   f->brought_bytes == (!s->cold    ? 0
					: s->random ? touched * PAGE
						    : (uint64_t)PAGES * PAGE),
		   "%" PRIu64 " bytes", f->brought_bytes);
	/* Each page that was touched was read for it, or there. */
	check_that(c, f->major + (s->cold ? f->ahead_hits : f->cached) == touched,
		   "%" PRIu64 " + %" PRIu64 " or %" PRIu64 " pages", f->major, f->ahead_hits,
		   f->cached);
	check_that(c, f->ahead_bytes == f->brought_bytes - f->major * PAGE,
		   "%" PRIu64 " bytes ahead", f->ahead_bytes);
	if (s->cold && s->random)
		check_that(c, f->major == touched && !f->ahead_hits, "something was read ahead");
	else if (s->cold)
		check_that(c, f->major && f->major < touched / 4, "nothing was read ahead");
	else
		check_that(c, !f->major && !f->ahead_hits, "something was read");
	/* At the tracepoint nothing else is; around the function some calls are retried. */
	if (!result)
		check_that(c, f->cached + f->major == touched, "%" PRIu64 " + %" PRIu64, f->cached,
			   f->major);
}

/* What came of a scene. */
struct outcome {
	struct check c;
	bool skipped;
	char text[300]; /* why, or the figures */
};

static void window(enum vmt_rung_id rung, struct actor *actors, bool *ready,
		   struct outcome *outcomes)
{
	struct vmt_probe_opts opts = { .rung = rung, .filemap = true };
	const char *name = vmt_rung_name(rung);
	struct vmt_fault_sample f = { 0 };
	struct vmt_err err = { 0 };
	struct vmt_probe *probe = NULL;
	struct vmt_arena arena;
	pid_t pids[SCENES];
	char why[200];
	int r;

	vmt_arena_init(&arena);
	for (size_t i = 0; i < SCENES; i++)
		pids[i] = actors[i].pid;
	opts.pids = pids;
	opts.n_pids = SCENES;
	r = vmt_probe_open(&opts, &probe, &err);
	r = r ?: vmt_probe_start(probe, &err);
	for (size_t i = 0; !r && i < SCENES; i++) {
		if (!ready[i] || write(actors[i].say, "g", 1) != 1)
			continue;
		ready[i] = stepped(&actors[i], why, sizeof(why));
	}
	r = r ?: vmt_probe_stop(probe, &err);
	if (probe && vmt_probe_read(probe, &arena, &f, &err))
		r = r ?: -EIO;
	for (size_t i = 0; i < f.n_tries; i++) {
		const struct vmt_probe_try *t = &f.tries[i];

		if (!strcmp(t->probe, "filemap") && t->hook && t->status != VMT_TRY_OK)
			printf("# %s %s: %s\n# %.*s\n", t->rung, t->hook, t->reason,
			       (int)t->log.len, t->log.len ? t->log.ptr : "");
	}
	for (size_t i = 0; i < SCENES; i++) {
		const struct vmt_fault_file *file = find(&f, &actors[i].st);
		struct outcome *o = &outcomes[i];

		check_begin(&o->c, "file-cache/%s/%s", name, scenes[i].name);
		o->skipped = r || f.filemap_rung == VMT_RUNG_NONE;
		if (o->skipped) {
			snprintf(o->text, sizeof(o->text), "%s",
				 r ? err.text : "filemap_fault is not counted here");
			continue;
		}
		if (check_that(&o->c, ready[i], "it did not come to its end") &&
		    check_that(&o->c, file, "the file is not there"))
			judge(&o->c, &scenes[i], f.have, file);
		check_that(&o->c, !has_self_check(&f), "the self-check is in a row");
		snprintf(o->text, sizeof(o->text),
			 "%" PRIu64 " calls, %" PRIu64 " cached, %" PRIu64 " read, %" PRIu64
			 " bytes brought in, %" PRIu64 " hits of what was read ahead",
			 file ? file->calls : 0, file ? file->cached : 0, file ? file->major : 0,
			 file ? file->brought_bytes : 0, file ? file->ahead_hits : 0);
	}
	vmt_probe_close(probe);
	vmt_arena_done(&arena);
}

/* False where one of them failed. */
static bool play(enum vmt_rung_id rung, const char *dir, struct outcome *outcomes)
{
	struct actor actors[SCENES];
	bool ready[SCENES], good = true;
	char why[200];

	for (size_t i = 0; i < SCENES; i++) {
		hire(&actors[i], &scenes[i], dir);
		ready[i] = stepped(&actors[i], why, sizeof(why)) &&
			   stat(actors[i].path, &actors[i].st) == 0;
		if (!ready[i])
			printf("# %s: %s\n", scenes[i].name, why);
	}
	window(rung, actors, ready, outcomes);
	for (size_t i = 0; i < SCENES; i++) {
		dismiss(&actors[i]);
		good &= !outcomes[i].c.failed;
	}
	return good;
}

static void climb(enum vmt_rung_id rung, const char *dir)
{
	struct outcome outcomes[SCENES] = { 0 };

	for (int i = 0; i < TRIES && !play(rung, dir, outcomes); i++)
		;
	for (size_t i = 0; i < SCENES; i++) {
		struct outcome *o = &outcomes[i];

		if (o->skipped)
			check_skip(o->c.name, "%s", o->text);
		else
			check_end(&o->c, "%s", o->text);
	}
}

int main(int argc, char **argv)
{
	const char *dir = "/var/tmp";
	int i = 1;

	signal(SIGPIPE, SIG_IGN);
	if (argc > 2 && !strcmp(argv[1], "--dir")) {
		dir = argv[2];
		i = 3;
	}
	if (i == argc) {
		climb(VMT_RUNG_TRACEPOINT, dir);
		return 0;
	}
	for (; i < argc; i++)
		climb(vmt_rung_of(argv[i]), dir);
	return 0;
}
