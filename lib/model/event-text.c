/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <signal.h>

#include "base/fmt.h"
#include "model/crash.h"
#include "model/events.h"

/* Sentences of events: "mmap 0x7f0000-0x7f1000 (4.00K) read+write, private+anonymous; 2.10us". */

static void add_size(struct vmt_buf *out, uint64_t bytes, uint64_t page)
{
	vmt_fmt_size(out, bytes, VMT_SIZE_HUMAN, page);
}

static void add_range(struct vmt_buf *out, uint64_t start, uint64_t len, uint64_t page)
{
	vmt_buf_addf(out, " 0x%" PRIx64 "-0x%" PRIx64 " (", start, start + len);
	add_size(out, len, page);
	vmt_buf_addc(out, ')');
}

static bool has_range(const struct vmt_event *e)
{
	return VMT_HAS(event, start, e) && VMT_HAS(event, size_bytes, e);
}

static void add_file(struct vmt_buf *out, const struct vmt_event *e, const char *before)
{
	if (VMT_HAS(event, path, e)) {
		vmt_buf_adds(out, before);
		vmt_fmt_safe(out, e->path, false);
	} else if (VMT_HAS(event, inode, e)) {
		vmt_buf_addf(out, "%sinode %" PRIu64 " of ", before, e->inode);
		vmt_fmt_safe(out, e->device, true);
	}
}

static bool is(const struct vmt_event *e, const char *name)
{
	return vmt_bytes_is(e->event, name);
}

static void break_text(struct vmt_buf *out, const struct vmt_event *e, uint64_t page)
{
	uint64_t now = (uint64_t)e->result;

	if (e->failed) {
		vmt_buf_addf(out, " is refused: the break stays 0x%" PRIx64, now);
		return;
	}
	if (!has_range(e)) {
		vmt_buf_addf(out, " says 0x%" PRIx64, now);
		return;
	}
	vmt_buf_adds(out, now < e->old_start ? " shrinks the heap," : " grows the heap,");
	add_range(out, e->start, e->size_bytes, page);
}

static void remap_text(struct vmt_buf *out, const struct vmt_event *e, uint64_t page)
{
	add_range(out, e->old_start, e->old_size_bytes, page);
	if (!has_range(e))
		return;
	if (e->start == e->old_start)
		vmt_buf_adds(out, " becomes");
	else
		vmt_buf_adds(out, " moves to");
	add_range(out, e->start, e->size_bytes, page);
}

static void exit_text(struct vmt_buf *out, const struct vmt_event *e)
{
	const char *name;

	if (VMT_HAS(event, exit_status, e)) {
		vmt_buf_addf(out, " with status %" PRIu64, e->exit_status);
		return;
	}
	name = sigabbrev_np((int)e->exit_signal);
	vmt_buf_addf(out, " by signal %" PRIu64, e->exit_signal);
	if (name)
		vmt_buf_addf(out, " (SIG%s)", name);
}

/* What the call is about. */
static void object_text(struct vmt_buf *out, const struct vmt_event *e, uint64_t page)
{
	if (is(e, "exit"))
		exit_text(out, e);
	else if (is(e, "brk"))
		break_text(out, e, page);
	else if (is(e, "mremap"))
		remap_text(out, e, page);
	else if (VMT_HAS(event, child_pid, e))
		vmt_buf_addf(out, " makes process %" PRIu64, e->child_pid);
	else if (has_range(e))
		add_range(out, e->start, e->size_bytes, page);
	else if (VMT_HAS(event, start, e))
		vmt_buf_addf(out, " 0x%" PRIx64, e->start);
	else if (VMT_HAS(event, size_bytes, e)) {
		vmt_buf_addc(out, ' ');
		add_size(out, e->size_bytes, page);
	}
	if (is(e, "memfd_create") && VMT_HAS(event, fd, e))
		vmt_buf_addf(out, " makes descriptor %" PRIu64, e->fd);
}

void vmt_event_sentence(struct vmt_buf *out, const struct vmt_event *e, uint64_t page)
{
	bool exec = is(e, "execve") || is(e, "execveat");

	if (is(e, "crash")) {
		vmt_crash_sentence(out, e, page);
		return;
	}
	if (is(e, "stall")) {
		vmt_stall_sentence(out, e, page);
		return;
	}
	vmt_fmt_safe(out, e->event, true);
	object_text(out, e, page);
	if (VMT_HAS(event, protection, e)) {
		vmt_buf_adds(out, is(e, "mmap") ? " " : " to ");
		vmt_fmt_safe(out, e->protection, true);
	}
	if (VMT_HAS(event, flags, e)) {
		vmt_buf_adds(out, VMT_HAS(event, protection, e) ? ", " : " ");
		vmt_fmt_safe(out, e->flags, true);
	}
	add_file(out, e, exec ? " becomes " : is(e, "memfd_create") ? ", " : " of ");
	if (VMT_HAS(event, path, e) && VMT_HAS(event, offset_bytes, e))
		vmt_buf_addf(out, " at 0x%" PRIx64, e->offset_bytes);
	if (VMT_HAS(event, error, e)) {
		vmt_buf_adds(out, ": ");
		vmt_fmt_safe(out, e->error, true);
	}
	if (VMT_HAS(event, rss_change_bytes, e) && e->rss_change_bytes) {
		vmt_buf_adds(out, e->rss_change_bytes < 0 ? "; RSS " : "; RSS +");
		vmt_fmt_size_signed(out, e->rss_change_bytes, VMT_SIZE_HUMAN, page);
	}
	if (VMT_HAS(event, duration_ns, e)) {
		vmt_buf_adds(out, "; ");
		vmt_fmt_duration(out, e->duration_ns);
	}
	if (VMT_HAS(event, compat, e) && e->compat)
		vmt_buf_adds(out, "; 32 bits");
}
