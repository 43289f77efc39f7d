/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/metrics-state.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "base/parse.h"
#include "cmd/metrics-groups.h"
#include "cmd/whole-file.h"
#include "source/root.h"

#define FIRST_LINE "vmtop-metrics-state 1"
/* The largest number of processes has some 60 bytes each. */
#define BYTES_MAX (UINT64_C(512) << 20)

void vmt_metric_state_init(struct vmt_metric_state *s)
{
	*s = (struct vmt_metric_state){ 0 };
	vmt_arena_init(&s->arena);
}

void vmt_metric_state_done(struct vmt_metric_state *s)
{
	vmt_arena_done(&s->arena);
	free(s->totals);
	free(s->seen);
	vmt_metric_state_init(s);
}

static int copy(struct vmt_metric_state *s, struct vmt_bytes text, struct vmt_bytes *ret)
{
	char *p = vmt_arena_copy(&s->arena, text.ptr, text.len);

	*ret = (struct vmt_bytes){ p, p ? text.len : 0 };
	return p ? 0 : -ENOMEM;
}

static struct vmt_metric_total *find_total(const struct vmt_metric_state *s, struct vmt_bytes name)
{
	size_t i;

	for (i = 0; i < s->n_totals; i++)
		if (vmt_bytes_equal(s->totals[i].name, name))
			return &s->totals[i];
	return NULL;
}

static int add_total(struct vmt_metric_state *s, struct vmt_bytes name,
		     const struct vmt_fault_counts *faults)
{
	struct vmt_bytes own;

	if (vmt_grow(&s->totals, &s->cap_totals, s->n_totals + 1, sizeof(*s->totals)) < 0 ||
	    copy(s, name, &own) < 0)
		return -ENOMEM;
	s->totals[s->n_totals++] = (struct vmt_metric_total){ own, *faults };
	return 0;
}

static int add_seen(struct vmt_metric_state *s, const struct vmt_metric_seen *seen)
{
	if (vmt_grow(&s->seen, &s->cap_seen, s->n_seen + 1, sizeof(*s->seen)) < 0)
		return -ENOMEM;
	s->seen[s->n_seen++] = *seen;
	return 0;
}

const struct vmt_fault_counts *vmt_metric_state_total(const struct vmt_metric_state *s,
						      struct vmt_bytes name)
{
	const struct vmt_metric_total *t = find_total(s, name);

	return t ? &t->faults : NULL;
}

static const struct vmt_metric_seen *find_seen(const struct vmt_metric_state *s, uint64_t pid)
{
	size_t lo = 0, hi = s->n_seen;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->seen[mid].pid < pid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < s->n_seen && s->seen[lo].pid == pid ? &s->seen[lo] : NULL;
}

/* " 1 2" to the end of the line. */
static int take_numbers(struct vmt_bytes *line, uint64_t *ret, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (vmt_take_char(line, ' ') < 0 || vmt_take_u64(line, &ret[i]) < 0)
			return -EINVAL;
	return line->len ? -EINVAL : 0;
}

static int take_state_line(struct vmt_metric_state *s, struct vmt_bytes line)
{
	struct vmt_bytes word = vmt_take_word(&line), name;
	uint64_t v[4];

	if (vmt_bytes_is(word, "boot")) {
		vmt_take_blanks(&line);
		return copy(s, line, &s->boot_id);
	}
	if (vmt_bytes_is(word, "group")) {
		vmt_take_blanks(&line);
		name = vmt_take_word(&line);
		if (!name.len || s->n_totals > VMT_METRIC_GROUPS_MAX || find_total(s, name) ||
		    take_numbers(&line, v, 2) < 0)
			return -EINVAL;
		return add_total(s, name, &(struct vmt_fault_counts){ v[0], v[1] });
	}
	if (!vmt_bytes_is(word, "process") || take_numbers(&line, v, 4) < 0 ||
	    (s->n_seen && s->seen[s->n_seen - 1].pid >= v[0]))
		return -EINVAL;
	return add_seen(s, &(struct vmt_metric_seen){ v[0], v[1], { v[2], v[3] } });
}

int vmt_metric_state_parse(struct vmt_metric_state *s, const char *path, struct vmt_bytes text,
			   struct vmt_err *err)
{
	unsigned lineno = 1;
	struct vmt_bytes line;
	int r = vmt_take_line(&text, &line) && vmt_bytes_is(line, FIRST_LINE) ? 0 : -EINVAL;
	bool ended = false;

	while (r == 0 && !ended && vmt_take_line(&text, &line)) {
		lineno++;
		ended = vmt_bytes_is(line, "end");
		if (!ended)
			r = take_state_line(s, line);
	}
	/* A file that was cut would have groups begin anew, or count twice. */
	if (r == 0 && !ended)
		r = -EINVAL;
	if (r < 0)
		vmt_metric_state_done(s);
	if (r == -ENOMEM)
		return vmt_err_set(err, r, NULL, 0, "out of memory");
	return r < 0 ? vmt_err_set(err, r, path, lineno, "not the state of vmtop metrics") : 0;
}

int vmt_metric_state_load(struct vmt_metric_state *s, const char *path, struct vmt_err *err)
{
	VMT_AUTO_BUF text = { 0 };
	int r = vmt_whole_file(path, O_NOFOLLOW, BYTES_MAX, &text, NULL, err);

	if ((r == 0 || r == -EFBIG) && !vmt_is_own_file(&text, "vmtop-metrics-state "))
		return vmt_err_set(err, -EEXIST, path, 0,
				   "not the state of vmtop metrics, and kept");
	/* What is no regular file cannot be replaced either. */
	if (r == -EINVAL)
		return vmt_err_set(err, -EEXIST, path, 0, "not a regular file");
	if (r == -EFBIG)
		return vmt_err_set(err, -EINVAL, path, 0, "not the state of vmtop metrics");
	return r < 0 ? r
		     : vmt_metric_state_parse(s, path, (struct vmt_bytes){ text.data, text.len },
					      err);
}

/* A pause between two looks; a run has the lock for as long as it reads the processes. */
#define LOOK_NS 5000000

int vmt_metric_state_lock(const char *path, uint64_t until_ns, int *ret_fd, struct vmt_err *err)
{
	const struct timespec pause = { .tv_nsec = LOOK_NS };
	VMT_AUTO_BUF name = { 0 };
	VMT_AUTO_CLOSE int fd = -1;
	struct stat st;

	vmt_buf_addf(&name, "%s.lock", path);
	if (vmt_buf_error(&name) < 0)
		return vmt_err_set(err, -ENOMEM, NULL, 0, "out of memory");
	fd = open(name.data, O_RDONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
		  0600);
	if (fd < 0 || fstat(fd, &st) < 0)
		return vmt_err_set(err, -errno, name.data, 0, "%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return vmt_err_set(err, -EINVAL, name.data, 0, "not a regular file");
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return vmt_err_set(err, -errno, name.data, 0, "%s", strerror(errno));
		if (vmt_now_ns(CLOCK_MONOTONIC) >= until_ns)
			return vmt_err_set(err, -ETIMEDOUT, name.data, 0,
					   "another run has had it all the time");
		nanosleep(&pause, NULL);
	}
	*ret_fd = VMT_STEAL_FD(fd);
	return 0;
}

void vmt_metric_state_write(const struct vmt_metric_state *s, struct vmt_buf *out)
{
	size_t i;

	vmt_buf_adds(out, FIRST_LINE "\nboot ");
	vmt_buf_add(out, s->boot_id.ptr, s->boot_id.len);
	vmt_buf_addc(out, '\n');
	for (i = 0; i < s->n_totals; i++) {
		const struct vmt_metric_total *t = &s->totals[i];

		vmt_buf_adds(out, "group ");
		vmt_buf_add(out, t->name.ptr, t->name.len);
		vmt_buf_addf(out, " %" PRIu64 " %" PRIu64 "\n", t->faults.minor, t->faults.major);
	}
	for (i = 0; i < s->n_seen; i++)
		vmt_buf_addf(out, "process %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
			     s->seen[i].pid, s->seen[i].start_ns, s->seen[i].faults.minor,
			     s->seen[i].faults.major);
	vmt_buf_adds(out, "end\n");
}

/* What came since; a count that went back is another one's. */
static void add_since(uint64_t *total, uint64_t now, uint64_t before)
{
	if (now >= before && __builtin_add_overflow(*total, now - before, total))
		*total = UINT64_MAX;
}

static bool is_counted(const struct vmt_proc *p)
{
	return VMT_HAS(proc, start_time_ns, p) && VMT_HAS(proc, minor_faults_total, p) &&
	       VMT_HAS(proc, major_faults_total, p);
}

static int count(const struct vmt_metric_state *old, const struct vmt_proc *p,
		 struct vmt_bytes name, struct vmt_metric_state *ret)
{
	static const struct vmt_fault_counts none;
	struct vmt_metric_seen now = { .pid = p->pid,
				       .start_ns = p->start_time_ns,
				       .faults = { p->minor_faults_total, p->major_faults_total } };
	const struct vmt_metric_seen *before = find_seen(old, p->pid);
	const struct vmt_fault_counts *since = &none;
	struct vmt_metric_total *total = find_total(ret, name);

	/* Else the next run would count its whole life again. */
	if (!is_counted(p))
		return before ? add_seen(ret, before) : 0;
	if (!total) {
		if (add_total(ret, name, &none) < 0)
			return -ENOMEM;
		total = &ret->totals[ret->n_totals - 1];
	}
	if (before && before->start_ns == now.start_ns)
		since = &before->faults;
	add_since(&total->faults.minor, now.faults.minor, since->minor);
	add_since(&total->faults.major, now.faults.major, since->major);
	return add_seen(ret, &now);
}

int vmt_metric_state_next(const struct vmt_metric_state *old, struct vmt_bytes boot_id,
			  const struct vmt_proc *procs, const struct vmt_bytes *names, size_t n,
			  struct vmt_metric_state *ret)
{
	static const struct vmt_metric_state none;
	size_t i;
	int r = copy(ret, boot_id, &ret->boot_id);

	if (!vmt_bytes_equal(old->boot_id, boot_id))
		old = &none;
	for (i = 0; i < old->n_totals && r == 0; i++)
		r = add_total(ret, old->totals[i].name, &old->totals[i].faults);
	for (i = 0; i < n && r == 0; i++)
		if (names[i].ptr)
			r = count(old, &procs[i], names[i], ret);
	return r;
}
