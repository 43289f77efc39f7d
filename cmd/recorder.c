/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "cmd/record-writer.h"
#include "model/recorded.h"
#include "source/root.h"
#include "source/row-parse.h"
#include "view/sample-json.h"
#include "vmtop-config.h"

#define FRAME_NS  (UINT64_C(60) * 1000000000)
#define FRAME_MAX ((size_t)4 << 20)
/* Frames from one key sample to the next: half an hour, where a frame is a minute. A key sample
 * that is lost takes as many with it. */
#define KEY_FRAMES 30
/* Clocks are read one after the other, and are slewed. */
#define STEP_NS INT64_C(1000000000)

struct vmt_recorder {
	struct vmt_recorder_opts opts;
	struct vmt_record_file *file;
	struct vmt_sample_json *json;
	struct vmt_sample *key; /* NULL: the next one is */
	uint64_t key_after_ns; /* the same, from that time on; all on CLOCK_MONOTONIC */
	size_t key_len; /* bytes of its line, without what each sample has of its own */
	struct vmt_host last; /* of the sample before; without texts */
	bool has_last;
	struct vmt_record_found found; /* in the file, when it was opened */
	uint64_t frame_ns; /* when the frame was begun */
	uint64_t file_ns; /* when the file was opened */
	uint64_t file_age_ns; /* of the first sample in it, at that time */
	uint64_t samples, missed;
	uint64_t file_samples;
	struct vmt_buf text, line;
	/* Processes with more mappings are recorded without: they did not fit. */
	size_t maps_max;
	size_t left_out; /* of the last sample, so many */
};

uint64_t vmt_recorder_suspended(const struct vmt_host *before, const struct vmt_host *now)
{
	uint64_t was = before->boottime_ns - before->monotonic_ns,
		 is = now->boottime_ns - now->monotonic_ns;

	/* CLOCK_MONOTONIC stands still meanwhile. */
	return is > was && is - was >= (uint64_t)STEP_NS ? is - was : 0;
}

int64_t vmt_recorder_clock_step(const struct vmt_host *before, const struct vmt_host *now)
{
	int64_t step = (int64_t)((now->realtime_ns - now->boottime_ns) -
				 (before->realtime_ns - before->boottime_ns));

	return step >= STEP_NS || step <= -STEP_NS ? step : 0;
}

static void free_recorder(struct vmt_recorder *r)
{
	if (!r)
		return;
	if (r->file)
		vmt_record_file_close(r->file);
	vmt_sample_json_free(r->json);
	vmt_sample_free(r->key);
	vmt_buf_done(&r->text);
	vmt_buf_done(&r->line);
	free(r);
}

static void free_recorderp(struct vmt_recorder **r)
{
	free_recorder(*r);
}

static int open_file(struct vmt_recorder *r, bool fresh, struct vmt_err *err)
{
	int e = vmt_record_file_open(r->opts.path, fresh, &r->file, &r->found, err);
	uint64_t now_ns = vmt_now_ns(CLOCK_REALTIME), first_ns = r->found.first_ns;

	vmt_sample_free(VMT_STEAL(r->key));
	r->file_ns = vmt_now_ns(CLOCK_MONOTONIC);
	r->file_age_ns = first_ns && first_ns < now_ns ? now_ns - first_ns : 0;
	r->file_samples = 0;
	return e;
}

int vmt_recorder_open(const struct vmt_recorder_opts *opts, struct vmt_recorder **ret,
		      struct vmt_err *err)
{
	VMT_CLEANUP(free_recorderp) struct vmt_recorder *r = calloc(1, sizeof(*r));
	int e;

	if (!r || vmt_sample_json_new(&r->json) < 0)
		return vmt_err_set(err, -ENOMEM, NULL, 0, "out of memory");
	r->opts = *opts;
	r->maps_max = SIZE_MAX;
	if (!r->opts.frame_ns)
		r->opts.frame_ns = FRAME_NS;
	e = open_file(r, opts->fresh, err);
	if (e < 0)
		return e;
	*ret = VMT_STEAL(r);
	return 0;
}

static int failed(const struct vmt_recorder *r, int e, struct vmt_err *err)
{
	return vmt_err_set(err, e, r->opts.path, 0, "%s",
			   e == -ENOMEM ? "out of memory" : strerror(-e));
}

static int add(struct vmt_recorder *r)
{
	int e = vmt_buf_error(&r->text);

	if (e == 0 && r->text.len)
		e = vmt_record_file_add(r->file, (struct vmt_bytes){ r->text.data, r->text.len });
	return e;
}

static int close_file(struct vmt_recorder *r, const char *reason)
{
	int e = 0, x;

	vmt_buf_clear(&r->text);
	/* A file that nothing was written to stays as it was. */
	if (r->file_samples) {
		vmt_sample_json_end(&r->text, vmt_now_ns(CLOCK_REALTIME), reason, r->file_samples,
				    r->missed);
		e = add(r);
	}
	x = vmt_record_file_close(VMT_STEAL(r->file));
	return e ? e : x;
}

int vmt_recorder_close(struct vmt_recorder *r, const char *reason, struct vmt_err *err)
{
	int e = r->file ? close_file(r, reason) : 0;

	if (e < 0)
		failed(r, e, err);
	free_recorder(r);
	return e;
}

/* FILE.1 is the youngest of those that are full; the oldest goes. */
static int rename_files(const struct vmt_recorder *r, struct vmt_err *err)
{
	VMT_AUTO_BUF from = { 0 }, to = { 0 };
	unsigned i;

	for (i = r->opts.keep; i-- > 0;) {
		vmt_buf_clear(&from);
		vmt_buf_clear(&to);
		vmt_buf_adds(&from, r->opts.path);
		if (i)
			vmt_buf_addf(&from, ".%u", i);
		vmt_buf_addf(&to, "%s.%u", r->opts.path, i + 1);
		if (vmt_buf_error(&from) < 0 || vmt_buf_error(&to) < 0)
			return failed(r, -ENOMEM, err);
		if (rename(from.data, to.data) < 0 && errno != ENOENT)
			return vmt_err_set(err, -errno, from.data, 0, "cannot be renamed: %s",
					   strerror(errno));
	}
	if (!r->opts.keep && unlink(r->opts.path) < 0 && errno != ENOENT)
		return failed(r, -errno, err);
	return 0;
}

static int rotate(struct vmt_recorder *r, struct vmt_err *err)
{
	int e = close_file(r, "rotated");

	if (e < 0)
		return failed(r, e, err);
	e = rename_files(r, err);
	if (e == 0)
		e = open_file(r, false, err);
	/* What is in the file before is not missing. */
	r->found.last_ns = 0;
	return e;
}

int vmt_recorder_reopen(struct vmt_recorder *r, struct vmt_err *err)
{
	int e = close_file(r, "reopened");

	return e < 0 ? failed(r, e, err) : open_file(r, false, err);
}

static bool is_full(const struct vmt_recorder *r, uint64_t now_ns)
{
	if (!r->file_samples && !r->found.first_ns)
		return false;
	return (r->opts.rotate_bytes && vmt_record_file_size(r->file) >= r->opts.rotate_bytes) ||
	       (r->opts.rotate_ns && now_ns - r->file_ns + r->file_age_ns >= r->opts.rotate_ns);
}

/* What lies between this sample and the one before; whether there is a gap, behind which nothing is
 * taken for known. */
static bool put_gaps(struct vmt_recorder *r, const struct vmt_sample *s)
{
	uint64_t ns = s->host.realtime_ns;
	bool gap = false;
	int64_t step;

	if (!r->has_last) {
		if (r->found.last_ns)
			vmt_sample_json_gap(&r->text, s, "stopped",
					    ns > r->found.last_ns ? (int64_t)(ns - r->found.last_ns)
								  : 0);
		return true;
	}
	ns = vmt_recorder_suspended(&r->last, &s->host);
	if (ns) {
		vmt_sample_json_gap(&r->text, s, "suspended", (int64_t)ns);
		gap = true;
	}
	step = vmt_recorder_clock_step(&r->last, &s->host);
	if (step)
		vmt_sample_json_gap(&r->text, s, "clock", step);
	return gap;
}

/* The line of a sample, against the key sample where there is one. What vmtop would not read is not
 * written: -E2BIG with err. */
static int make_line(struct vmt_recorder *r, const struct vmt_sample *s, uint64_t missed,
		     struct vmt_err *err)
{
	vmt_buf_clear(&r->line);
	vmt_sample_json_put(r->json, &r->line, s, r->key, missed);
	if (vmt_buf_error(&r->line) < 0)
		return -ENOMEM;
	return vmt_json_fits((struct vmt_bytes){ r->line.data, r->line.len }, err);
}

/* Bytes of a line that a key sample can make fewer. */
static size_t shared_len(const struct vmt_recorder *r)
{
	return r->line.len - vmt_sample_json_own(r->json);
}

/* The lines of a sample: as it differs from the key sample, or, where that is most of it, as a key
 * sample of its own. */
static int put_sample(struct vmt_recorder *r, const struct vmt_sample *s, uint64_t missed,
		      struct vmt_err *err)
{
	int e = make_line(r, s, missed, err);

	if (r->key && (e == -E2BIG || (e == 0 && shared_len(r) > r->key_len / 2))) {
		vmt_sample_free(VMT_STEAL(r->key));
		e = make_line(r, s, missed, err);
	}
	if (e == 0 && !r->key) {
		/* In the file before anything else is: whoever finds it knows whose it is. */
		vmt_sample_json_header(&r->text, s, VMTOP_VERSION, r->opts.interval_ns);
		e = add(r);
		vmt_buf_clear(&r->text);
		r->key_len = shared_len(r);
		r->key_after_ns = s->host.monotonic_ns + KEY_FRAMES * r->opts.frame_ns;
		if (e == 0)
			e = vmt_recorded_copy(s, &r->key);
	}
	if (e == 0)
		vmt_buf_add(&r->text, r->line.data, r->line.len);
	return e;
}

/* Takes the mappings away from processes that have more of them than so many. */
static size_t leave_out(struct vmt_sample *s, size_t max)
{
	struct vmt_source_stat *st = &s->sources[VMT_SOURCE_MAPS];
	size_t i, n = 0;

	for (i = 0; s->maps && i < s->n_procs; i++) {
		if (s->maps[i].n_maps <= max)
			continue;
		s->maps[i] = (struct vmt_proc_maps){ .state = VMT_STATE_SKIPPED };
		n++;
	}
	st->skipped += n;
	if (n) {
		st->state = VMT_STATE_PARTIAL;
		snprintf(st->reason, sizeof(st->reason),
			 "%" PRIu64 " processes have more mappings than a sample can hold",
			 st->skipped);
	}
	return n;
}

/* Sets the limit so low that a quarter of the mappings goes, of the processes with the most; false
 * where there are none. */
static bool lower_limit(struct vmt_recorder *r, const struct vmt_sample *s)
{
	size_t all = 0, left, i;

	for (i = 0; s->maps && i < s->n_procs; i++)
		all += s->maps[i].n_maps;
	for (left = all; left > all - all / 4 || left == all;) {
		size_t largest = 0;

		for (i = 0; s->maps && i < s->n_procs; i++)
			if (s->maps[i].n_maps > largest && s->maps[i].n_maps <= r->maps_max)
				largest = s->maps[i].n_maps;
		if (!largest)
			break;
		r->maps_max = largest - 1;
		for (i = 0; i < s->n_procs; i++)
			left -= s->maps[i].n_maps == largest ? largest : 0;
	}
	return left < all;
}

/* As much of a sample as a line can hold: mappings of those processes are left out that have the
 * most. */
static int put_what_fits(struct vmt_recorder *r, const struct vmt_sample *s, uint64_t missed,
			 struct vmt_err *err)
{
	VMT_AUTO_SAMPLE less = NULL;
	struct vmt_err why = { 0 };
	size_t most = 0, i;
	int e;

	for (i = 0; s->maps && i < s->n_procs; i++)
		most = s->maps[i].n_maps > most ? s->maps[i].n_maps : most;
	r->left_out = 0;
	for (;;) {
		if (most > r->maps_max && !less) {
			e = vmt_recorded_copy(s, &less);
			if (e < 0)
				return e;
		}
		if (less)
			r->left_out += leave_out(less, r->maps_max);
		e = put_sample(r, less ? less : s, missed, &why);
		if (e != -E2BIG)
			return e;
		if (!lower_limit(r, less ? less : s))
			return vmt_err_set(err, e, r->opts.path, 0, "a sample does not fit: %s",
					   why.text);
	}
}

int vmt_recorder_put(struct vmt_recorder *r, const struct vmt_sample *s, uint64_t missed,
		     struct vmt_err *err)
{
	uint64_t now_ns = s->host.monotonic_ns;
	int e = 0;

	if (is_full(r, now_ns)) {
		e = rotate(r, err);
		if (e < 0)
			return e;
	}
	vmt_buf_clear(&r->text);
	if (put_gaps(r, s) || (r->key && now_ns >= r->key_after_ns))
		vmt_sample_free(VMT_STEAL(r->key));
	if (!r->key || now_ns - r->frame_ns >= r->opts.frame_ns ||
	    vmt_record_file_frame(r->file) >= FRAME_MAX)
		e = vmt_record_file_finish(r->file);
	if (!vmt_record_file_frame(r->file))
		r->frame_ns = now_ns;
	if (e == 0)
		e = put_what_fits(r, s, missed, err);
	if (e == -E2BIG)
		return e;
	if (e == 0)
		e = add(r);
	if (e < 0)
		return failed(r, e, err);
	r->last = s->host;
	r->has_last = true;
	r->missed = missed;
	r->samples++;
	r->file_samples++;
	return 0;
}

uint64_t vmt_recorder_samples(const struct vmt_recorder *r)
{
	return r->samples;
}

size_t vmt_recorder_left_out(const struct vmt_recorder *r)
{
	return r->left_out;
}

uint64_t vmt_recorder_dropped(const struct vmt_recorder *r)
{
	return r->found.dropped;
}

uint64_t vmt_recorder_size(const struct vmt_recorder *r)
{
	return r->file ? vmt_record_file_size(r->file) : 0;
}
