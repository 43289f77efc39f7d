/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/diff-doc.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/fmt.h"
#include "cmd/moment.h"
#include "source/recording.h"

/* Opens what is to be read; whatever it is, that does not wait. A negative errno with err filled.
 */
static int open_file(const char *name, struct vmt_err *err)
{
	VMT_AUTO_CLOSE int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return vmt_err_set(err, -errno, name, 0, "%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return vmt_err_set(err, -EBADMSG, name, 0, "is no regular file");
	return VMT_STEAL_FD(fd);
}

/* What recordings begin with: a frame of zstd (RFC 8878). */
static bool is_recording(int fd)
{
	static const unsigned char magic[4] = { 0x28, 0xb5, 0x2f, 0xfd };
	unsigned char head[4];

	return pread(fd, head, sizeof(head), 0) == sizeof(head) &&
	       memcmp(head, magic, sizeof(head)) == 0;
}

/* FILE, or FILE@TIME where no file is called that: *ret_time is the time then. */
static int open_named(const char *name, char **ret_path, const char **ret_time, struct vmt_err *err)
{
	const char *at = name;
	struct stat st;

	*ret_time = NULL;
	while (stat(name, &st) < 0 && errno == ENOENT && (at = strchr(at, '@'))) {
		free(*ret_path);
		*ret_path = strndup(name, (size_t)(at - name));
		if (!*ret_path)
			return vmt_err_set(err, -ENOMEM, name, 0, "no memory");
		at++;
		if (**ret_path && stat(*ret_path, &st) == 0) {
			*ret_time = at;
			return open_file(*ret_path, err);
		}
	}
	return open_file(name, err);
}

/* The sample of that time, or the last one where it is NULL. fd is the recording's. */
static int read_recording(struct vmt_ctx *ctx, int fd, const char *path, const char *when,
			  struct vmt_document *doc)
{
	VMT_AUTO_RECORDING rec = NULL;
	VMT_AUTO_BUF time = { 0 };
	struct vmt_err err = { 0 };
	struct vmt_sample *s;
	const char *text;
	uint64_t ns;
	size_t i, at;

	if (vmt_recording_open_fd(fd, path, &rec, &err) < 0)
		return vmt_complain_err(ctx, &err);
	for (i = 0; (text = vmt_recording_remark(rec, i)); i++)
		vmt_note(ctx, "%s: %s", path, text);
	if (!vmt_recording_n(rec)) {
		vmt_complain(ctx, "%s: a recording without a whole sample", path);
		return VMT_EXIT_FAILED;
	}
	at = vmt_recording_n(rec) - 1;
	if (when && vmt_parse_moment(when, vmt_recording_time(rec, 0), &ns) < 0)
		return vmt_usage_error(ctx,
				       "FILE@TIME takes a time, as 03:14 or "
				       "2026-11-21T03:14:05, not '%.40s'",
				       when);
	if (when)
		at = vmt_recording_find(rec, ns);
	if (at >= vmt_recording_n(rec)) {
		vmt_complain(ctx, "%s: no sample of that time, or later", path);
		return VMT_EXIT_NOTHING;
	}
	if (vmt_recording_sample(rec, at, &s, &err) < 0)
		return vmt_complain_err(ctx, &err);
	*doc = (struct vmt_document){ .sample = s, .schema = VMT_BYTES("vmtop.recording") };
	vmt_fmt_time(&time, s->host.realtime_ns);
	if (vmt_buf_error(&time) < 0 ||
	    vmt_bytes_keep(&s->arena, (struct vmt_bytes){ time.data, time.len }, NULL, &doc->time) <
		    0)
		return vmt_no_memory(ctx);
	doc->has_system = VMT_HAS(system, total_bytes, &s->system);
	doc->has_procs = s->n_procs > 0;
	for (i = 0; s->maps && i < s->n_procs; i++)
		doc->has_maps |= s->maps[i].state == VMT_STATE_OK && s->maps[i].n_maps;
	return 0;
}

int vmt_diff_input_read(struct vmt_ctx *ctx, const char *name, struct vmt_diff_input *ret)
{
	VMT_AUTO_CLOSE int fd = -1;
	VMT_AUTO_FREE char *path = NULL;
	const char *when = NULL;
	struct vmt_err err = { 0 };
	int r;

	ret->name = name;
	fd = open_named(name, &path, &when, &err);
	if (fd < 0)
		return vmt_complain_err(ctx, &err);
	if (is_recording(fd))
		return read_recording(ctx, VMT_STEAL_FD(fd), when ? path : name, when, &ret->doc);
	if (when)
		return vmt_usage_error(ctx, "%s: FILE@TIME is for recordings, and that is none",
				       path);
	r = vmt_document_read(fd, name, &ret->doc, &err);
	if (r < 0)
		return vmt_complain_err(ctx, &err);
	if (ret->doc.remark) {
		ctx->partial = true;
		vmt_note(ctx, "%s: %s", name, ret->doc.remark);
	}
	return 0;
}

void vmt_diff_input_done(struct vmt_diff_input *in)
{
	vmt_document_done(&in->doc);
}

static bool is_among(uint64_t pid, const uint64_t *pids, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (pids[i] == pid)
			return true;
	return false;
}

size_t vmt_diff_input_keep(struct vmt_diff_input *in, const uint64_t *pids, size_t n)
{
	struct vmt_sample *s = in->doc.sample;
	size_t i, k = 0;

	for (i = 0; i < s->n_procs; i++) {
		if (!is_among(s->procs[i].pid, pids, n))
			continue;
		s->procs[k] = s->procs[i];
		if (s->maps)
			s->maps[k] = s->maps[i];
		k++;
	}
	s->n_procs = k;
	return k;
}

void vmt_diff_input_row(const struct vmt_diff_input *in, struct vmt_diff_document *row)
{
	const struct vmt_sample *s = in->doc.sample;
	uint64_t maps = 0;
	size_t i;

	*row = (struct vmt_diff_document){ 0 };
	VMT_SET(diff_document, name, row, vmt_bytes_of(in->name));
	VMT_SET(diff_document, schema, row, in->doc.schema);
	if (in->doc.vmtop.len)
		VMT_SET(diff_document, version, row, in->doc.vmtop);
	if (in->doc.time.len)
		VMT_SET(diff_document, time, row, in->doc.time);
	if (s->host.boot_id.len)
		VMT_SET(diff_document, boot_id, row, s->host.boot_id);
	if (s->host.release.len)
		VMT_SET(diff_document, release, row, s->host.release);
	if (s->host.root.len)
		VMT_SET(diff_document, root, row, s->host.root);
	if (s->host.page_size)
		VMT_SET(diff_document, page_size_bytes, row, s->host.page_size);
	if (in->doc.has_procs || in->doc.has_maps)
		VMT_SET(diff_document, processes_total, row, s->n_procs);
	for (i = 0; s->maps && i < s->n_procs; i++)
		maps += s->maps[i].n_maps;
	if (s->maps)
		VMT_SET(diff_document, maps_total, row, maps);
	VMT_SET(diff_document, unknown_keys_total, row, in->doc.unknown_keys);
}
