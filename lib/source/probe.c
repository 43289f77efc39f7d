/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/probe.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "source/probe-load.h"

/* A verifier's log can be megabytes; what matters is its end. */
#define LOG_KEPT ((size_t)8 << 10)

uint64_t vmt_probe_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

bool vmt_probe_capable(unsigned cap)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (cap / 32 >= _LINUX_CAPABILITY_U32S_3 || syscall(SYS_capget, &header, data))
		return false;
	return data[cap / 32].effective >> (cap % 32) & 1;
}

bool vmt_probe_wants(const struct vmt_probe *p, pid_t pid)
{
	if (!p->opts.n_pids)
		return true;
	for (size_t i = 0; i < p->opts.n_pids; i++)
		if (p->pids[i] == pid)
			return true;
	return false;
}

void vmt_probe_note(struct vmt_probe *p, const struct vmt_probe_rung *rung,
		    const struct vmt_probe_hook *hook, enum vmt_try_status status, int error,
		    const char *reason, const char *fix, const char *log)
{
	struct vmt_probe_try *t;

	if (vmt_grow(&p->tries, &p->cap_tries, p->n_tries + 1, sizeof(*p->tries)))
		return;
	t = &p->tries[p->n_tries++];
	t->probe = rung >= vmt_filemap_ladder && rung < vmt_filemap_ladder + vmt_filemap_ladder_len
			   ? "filemap"
			   : "fault";
	t->rung = vmt_rung_name(rung->id);
	t->hook = hook ? hook->hook : NULL;
	t->gives = hook ? hook->gives : rung->gives;
	t->status = status;
	t->error = error;
	snprintf(t->reason, sizeof(t->reason), "%s", reason ? reason : "");
	snprintf(t->fix, sizeof(t->fix), "%s", fix ? fix : "");
	t->log = (struct vmt_bytes){ NULL, 0 };
	if (log && *log) {
		size_t len = strlen(log);
		char *copy;

		if (len > LOG_KEPT) {
			log += len - LOG_KEPT;
			len = LOG_KEPT;
		}
		copy = malloc(len);
		if (copy) {
			memcpy(copy, log, len);
			t->log = (struct vmt_bytes){ copy, len };
		}
	}
}

int vmt_probe_open(const struct vmt_probe_opts *opts, struct vmt_probe **ret, struct vmt_err *err)
{
	struct vmt_probe *p;

	if (opts->rung >= VMT_RUNGS || (opts->n_pids && !opts->pids) ||
	    (opts->follow && !opts->n_pids))
		return vmt_err_set(err, -EINVAL, NULL, 0, "contradicting options of the probe");
	for (size_t i = 0; i < opts->n_pids; i++)
		if (opts->pids[i] <= 0)
			return vmt_err_set(err, -EINVAL, NULL, 0, "%d is no process",
					   (int)opts->pids[i]);
	p = calloc(1, sizeof(*p));
	if (!p)
		return vmt_err_set(err, -ENOMEM, NULL, 0, "no memory for the probe");
	p->opts = *opts;
	p->filter_fd = -1;
	if (opts->n_pids) {
		p->pids = calloc(opts->n_pids, sizeof(*p->pids));
		if (!p->pids) {
			free(p);
			return vmt_err_set(err, -ENOMEM, NULL, 0, "no memory for the probe");
		}
		memcpy(p->pids, opts->pids, opts->n_pids * sizeof(*p->pids));
		p->opts.pids = p->pids;
	}
	*ret = p;
	return 0;
}

/* Whether one of the notes from the first on is of a rung, and not of one of its hooks. */
static bool is_noted(const struct vmt_probe *p, size_t first)
{
	for (size_t i = first; i < p->n_tries; i++)
		if (!p->tries[i].hook)
			return true;
	return false;
}

/* Goes down a ladder; the rung that works and its state, or the error of the last. */
static int climb(struct vmt_probe *p, const struct vmt_probe_rung *ladder, size_t n,
		 const struct vmt_probe_rung **ret_rung, void **ret_state, struct vmt_err *err)
{
	const struct vmt_probe_rung *found = NULL;
	int r = vmt_err_set(err, -EOPNOTSUPP, NULL, 0, "no way to count page faults was tried");

	for (size_t i = 0; i < n; i++) {
		const struct vmt_probe_rung *rung = &ladder[i];
		size_t notes = p->n_tries;
		struct vmt_err why = { 0 };

		if (p->opts.rung != VMT_RUNG_NONE && rung->id != p->opts.rung)
			continue;
		if (found) {
			vmt_probe_note(p, rung, NULL, VMT_TRY_UNUSED, 0, "a better one works", NULL,
				       NULL);
			continue;
		}
		if (!rung->backend) {
			vmt_probe_note(p, rung, NULL, VMT_TRY_NOT_BUILT, 0,
				       "built without libbpf (-Dbpf=disabled)", NULL, NULL);
			r = vmt_err_set(err, -EOPNOTSUPP, NULL, 0, "%s: not in this build",
					vmt_rung_name(rung->id));
			continue;
		}
		r = rung->backend->start(p, rung, ret_state, &why);
		if (r >= 0) {
			found = rung;
			continue;
		}
		/* Every rung leaves a note of its own, whatever its backend wrote down. */
		if (!is_noted(p, notes))
			vmt_probe_note(p, rung, NULL, VMT_TRY_REFUSED, r, why.text, NULL, NULL);
		vmt_err_set(err, r, NULL, 0, "%s: %s", vmt_rung_name(rung->id), why.text);
	}
	if (!found)
		return r;
	*ret_rung = found;
	return 0;
}

int vmt_probe_start(struct vmt_probe *p, struct vmt_err *err)
{
	struct vmt_err why = { 0 };
	int r;

	if (p->started)
		return vmt_err_set(err, -EALREADY, NULL, 0, "the probe runs already");
	p->have = 0;
	/*
	 * The one that may fail comes first: loading it faults, and its map updates make the
	 * kernel skip programs for their moment, which the other would count as lost.
	 */
	if (p->opts.filemap)
		(void)climb(p, vmt_filemap_ladder, vmt_filemap_ladder_len, &p->filemap_rung,
			    &p->filemap_state, &why);
	r = climb(p, vmt_fault_ladder, vmt_fault_ladder_len, &p->rung, &p->state, &why);
#ifdef VMT_HAVE_LIBBPF
	vmt_probe_btf_done(p);
#endif
	if (r)
		return vmt_err_set(err, r, NULL, 0, "%s", why.text);
	p->started = true;
	return 0;
}

int vmt_probe_watch(struct vmt_probe *p, pid_t pid, struct vmt_err *err)
{
	pid_t *grown;
	int r;

	if (!p->started || !p->opts.n_pids || pid <= 0)
		return vmt_err_set(err, -EINVAL, NULL, 0, "the probe watches no chosen processes");
	if (vmt_probe_wants(p, pid))
		return 0;
	if (!p->rung->backend->watch)
		return vmt_err_set(err, -EOPNOTSUPP, NULL, 0, "%s cannot watch another process",
				   vmt_rung_name(p->rung->id));
	grown = reallocarray(p->pids, p->opts.n_pids + 1, sizeof(*grown));
	if (!grown)
		return vmt_err_set(err, -ENOMEM, NULL, 0, "no memory");
	p->pids = grown;
	p->opts.pids = grown;
	r = p->rung->backend->watch(p->state, pid, err);
	if (r)
		return r;
	p->pids[p->opts.n_pids++] = pid;
	return p->filemap_state ? p->filemap_rung->backend->watch(p->filemap_state, pid, err) : 0;
}

int vmt_probe_drain(struct vmt_probe *p, struct vmt_err *err)
{
	if (!p->started)
		return vmt_err_set(err, -EINVAL, NULL, 0, "the probe does not run");
	if (!p->opts.singles || !p->rung->backend->drain)
		return 0;
	return p->rung->backend->drain(p->state, err);
}

int vmt_probe_live(struct vmt_probe *p, bool last, struct vmt_arena *arena,
		   struct vmt_fault_sample *ret, struct vmt_err *err)
{
	struct vmt_fault_sample s = { 0 };
	int r;

	if (!p->started || !p->opts.single_live)
		return vmt_err_set(err, -EINVAL, NULL, 0, "the probe does not run");
	if (!p->rung->backend->live)
		return vmt_err_set(err, -EOPNOTSUPP, NULL, 0, "%s has no single faults",
				   vmt_rung_name(p->rung->id));
	s.rung = p->rung->id;
	s.start_ns = p->start_ns;
	r = p->rung->backend->live(p->state, last, arena, &s, err);
	if (!r)
		*ret = s;
	return r;
}

int vmt_probe_stop(struct vmt_probe *p, struct vmt_err *err)
{
	int r = 0;

	if (!p->started)
		return vmt_err_set(err, -EINVAL, NULL, 0, "the probe does not run");
	if (p->stopped)
		return 0;
	p->stop_ns = vmt_probe_now();
	if (p->filemap_state)
		r = p->filemap_rung->backend->stop(p->filemap_state, err);
	if (!r)
		r = p->rung->backend->stop(p->state, err);
	if (!r)
		p->stopped = true;
	return r;
}

/* The files of filemap_fault have no path on every rung; the mapping that faulted has. */
static void join_paths(struct vmt_fault_sample *s)
{
	for (size_t i = 0; i < s->n_files; i++) {
		struct vmt_fault_file *f = &s->files[i];

		for (size_t j = 0; !f->path.len && j < s->n_maps; j++) {
			const struct vmt_fault_raw *m = &s->maps[j];

			if (m->has_file && m->path.len && m->inode == f->inode &&
			    m->dev_major == f->dev_major && m->dev_minor == f->dev_minor) {
				f->path = m->path;
				f->deleted = m->deleted;
				f->path_cut = m->path_cut;
			}
		}
	}
}

static int copy_tries(const struct vmt_probe *p, struct vmt_arena *arena,
		      struct vmt_fault_sample *s)
{
	s->tries = vmt_arena_alloc(arena, p->n_tries ? p->n_tries : 1, sizeof(*s->tries));
	if (!s->tries)
		return -ENOMEM;
	for (size_t i = 0; i < p->n_tries; i++) {
		s->tries[i] = p->tries[i];
		if (!p->tries[i].log.len)
			continue;
		s->tries[i].log.ptr =
			vmt_arena_copy(arena, p->tries[i].log.ptr, p->tries[i].log.len);
		if (!s->tries[i].log.ptr)
			return -ENOMEM;
	}
	s->n_tries = p->n_tries;
	return 0;
}

int vmt_probe_read(struct vmt_probe *p, struct vmt_arena *arena, struct vmt_fault_sample *ret,
		   struct vmt_err *err)
{
	struct vmt_fault_sample s = { 0 };
	int r;

	r = copy_tries(p, arena, &s);
	if (r)
		return vmt_err_set(err, r, NULL, 0, "no memory for the faults");
	s.canary = p->canary;
	s.singles_asked = p->opts.singles;
	s.start_ns = p->start_ns;
	memcpy(s.canary_text, p->canary_text, sizeof(s.canary_text));
	if (p->started) {
		s.rung = p->rung->id;
		s.have = p->have;
		s.complete = p->stopped;
		s.window_ns = (p->stopped ? p->stop_ns : vmt_probe_now()) - p->start_ns;
		r = p->rung->backend->read(p, p->state, arena, &s, err);
		if (r)
			return r;
		if (p->filemap_state) {
			s.filemap_rung = p->filemap_rung->id;
			r = p->filemap_rung->backend->read(p, p->filemap_state, arena, &s, err);
			if (r)
				return r;
			join_paths(&s);
		}
	}
	*ret = s;
	return 0;
}

void vmt_probe_close(struct vmt_probe *p)
{
	if (!p)
		return;
	if (p->filemap_state)
		p->filemap_rung->backend->close(p->filemap_state);
	if (p->state)
		p->rung->backend->close(p->state);
	for (size_t i = 0; i < p->n_tries; i++) {
		char *log;

		memcpy(&log, &p->tries[i].log.ptr, sizeof(log));
		free(log);
	}
	free(p->tries);
	free(p->pids);
	free(p);
}
