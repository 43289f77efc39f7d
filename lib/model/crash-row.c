/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#include "base/fmt.h"
#include "model/crash.h"
#include "model/events.h"

/* Rows of crashes and their sentences: "crash by SIGSEGV at main of /bin/x: write to 0x8: the
 * null page". */

#define VM_GROWSDOWN 0x100u

static const struct {
	const char *name;
	const char *text;
} reasons[VMT_CRASH_REASONS] = {
#define R(id, name, help) { name, help },
#include "model/crash-reason.def"
#undef R
};

/* By its number: a code means something else with each signal. */
static const char *code_name(int signal, int code)
{
	static const char *const segv[] = {
		[1] = "SEGV_MAPERR",  [2] = "SEGV_ACCERR",  [3] = "SEGV_BNDERR",
		[4] = "SEGV_PKUERR",  [5] = "SEGV_ACCADI",  [6] = "SEGV_ADIDERR",
		[7] = "SEGV_ADIPERR", [8] = "SEGV_MTEAERR", [9] = "SEGV_MTESERR",
		[10] = "SEGV_CPERR",
	};
	static const char *const bus[] = {
		[1] = "BUS_ADRALN",    [2] = "BUS_ADRERR",    [3] = "BUS_OBJERR",
		[4] = "BUS_MCEERR_AR", [5] = "BUS_MCEERR_AO",
	};

	switch (code) {
	case 0:
		return "SI_USER";
	case -1:
		return "SI_QUEUE";
	case -6:
		return "SI_TKILL";
	case 0x80:
		return "SI_KERNEL";
	default:
		break;
	}
	if (signal == SIGSEGV && code > 0 && (size_t)code < VMT_ARRAY_LEN(segv))
		return segv[code];
	if (signal == SIGBUS && code > 0 && (size_t)code < VMT_ARRAY_LEN(bus))
		return bus[code];
	return NULL;
}

static struct vmt_bytes copy(struct vmt_arena *arena, struct vmt_bytes text)
{
	char *c = vmt_arena_copy(arena, text.ptr, text.len);

	return (struct vmt_bytes){ c, c ? text.len : 0 };
}

static struct vmt_bytes protection(struct vmt_arena *arena, uint64_t vm_flags)
{
	VMT_AUTO_BUF text = { 0 };

	vmt_event_prot(&text, vm_flags & 7);
	if (vmt_buf_error(&text) < 0) {
		arena->failed = true;
		return (struct vmt_bytes){ 0 };
	}
	return copy(arena, (struct vmt_bytes){ text.data, text.len });
}

/* The file of a mapping, or what else it is known to be. */
static struct vmt_bytes name_of(const struct vmt_crash_map *m)
{
	if (m->path.len)
		return m->path;
	if (m->vm_flags & VM_GROWSDOWN)
		return VMT_BYTES("[stack]");
	return (struct vmt_bytes){ 0 };
}

static void fill_mapping(const struct vmt_crash *c, uint64_t address, struct vmt_arena *arena,
			 struct vmt_event *row)
{
	const struct vmt_crash_map *at = &c->at;
	char buf[24];
	int n;

	VMT_SET(event, start, row, at->start);
	VMT_SET(event, end, row, at->end);
	VMT_SET(event, size_bytes, row, at->end - at->start);
	VMT_SET(event, protection, row, protection(arena, at->vm_flags));
	if (!at->inode)
		return;
	n = snprintf(buf, sizeof(buf), "%02x:%02x", at->dev_major, at->dev_minor);
	VMT_SET(event, device, row, copy(arena, (struct vmt_bytes){ buf, n > 0 ? (size_t)n : 0 }));
	VMT_SET(event, inode, row, at->inode);
	VMT_SET(event, offset_bytes, row, address - at->start + at->offset_bytes);
	if (at->file_bytes != UINT64_MAX)
		VMT_SET(event, file_size_bytes, row, at->file_bytes);
	if (c->has_file_then)
		VMT_SET(event, old_file_size_bytes, row, c->file_then);
	if (at->path.len)
		VMT_SET(event, path, row, at->path);
}

static void fill_neighbours(const struct vmt_crash *c, uint64_t address, struct vmt_event *row)
{
	/* They may have changed while they were read. */
	if (c->below.end && c->below.end <= address) {
		VMT_SET(event, below_bytes, row, address - c->below.end);
		if (name_of(&c->below).len)
			VMT_SET(event, below_path, row, name_of(&c->below));
	}
	if (c->above.end && c->above.start >= address) {
		VMT_SET(event, above_bytes, row, c->above.start - address);
		if (name_of(&c->above).len)
			VMT_SET(event, above_path, row, name_of(&c->above));
	}
}

/* What the process did to the address before: of what is mapped what changed it. */
static void fill_change(const struct vmt_event_raw *e, const struct vmt_crash_change *change,
			struct vmt_event *row)
{
	if (!change->ns || change->ns > e->end_ns)
		return;
	VMT_SET(event, changed_by, row, vmt_bytes_of(vmt_event_name(change->call)));
	VMT_SET(event, changed_tid, row, change->tid);
	VMT_SET(event, changed_before_ns, row, e->end_ns - change->ns);
}

static void fill_code(const struct vmt_crash *c, struct vmt_arena *arena, struct vmt_event *row)
{
	if (!c->has_registers)
		return;
	VMT_SET(event, ip, row, c->ip);
	VMT_SET(event, stack_pointer, row, c->sp);
	/* It is there until the next one is looked up. */
	if (c->symbol.len)
		VMT_SET(event, symbol, row, copy(arena, c->symbol));
	if (!c->image.end || !c->image.inode)
		return;
	if (c->image.path.len)
		VMT_SET(event, module, row, c->image.path);
	VMT_SET(event, module_offset, row, c->ip - c->image.start + c->image.offset_bytes);
}

static const char *access_name(enum vmt_crash_access access)
{
	return access == VMT_CRASH_READ	   ? "read"
	       : access == VMT_CRASH_WRITE ? "write"
	       : access == VMT_CRASH_EXEC  ? "exec"
					   : NULL;
}

void vmt_crash_fill(const struct vmt_event_raw *e, const struct vmt_host *host,
		    struct vmt_arena *arena, struct vmt_event *row)
{
	const struct vmt_crash *c = e->crash;
	uint64_t address, page = host->page_size;
	enum vmt_crash_reason reason = vmt_crash_reason(c, host, &address);
	enum vmt_crash_access access = vmt_crash_access(c, host->machine);
	bool own = reason == VMT_CRASH_STACK_OVERFLOW || reason == VMT_CRASH_STACK_GUARD;

	VMT_SET(event, signal_name, row,
		c->signal == SIGBUS ? VMT_BYTES("SIGBUS") : VMT_BYTES("SIGSEGV"));
	if (code_name(c->signal, c->code))
		VMT_SET(event, signal_code, row, vmt_bytes_of(code_name(c->signal, c->code)));
	VMT_SET(event, handled, row, c->handled);
	VMT_SET(event, blocked, row, c->blocked);
	VMT_SET(event, reason, row, vmt_bytes_of(vmt_crash_reason_name(reason)));
	if (c->code <= 0) {
		/* Of kill, tgkill and sigqueue; a timer's comes from whoever was interrupted. */
		if (c->code == SI_USER || c->code == SI_TKILL || c->code == SI_QUEUE)
			VMT_SET(event, sender_pid, row, c->sender);
		return;
	}
	fill_code(c, arena, row);
	if (c->has_address || reason == VMT_CRASH_NON_CANONICAL ||
	    (reason == VMT_CRASH_MISALIGNED && address) || own)
		VMT_SET(event, address, row, address);
	if (access_name(access))
		VMT_SET(event, access, row, vmt_bytes_of(access_name(access)));
	if (c->has_stack_limit && own) {
		if (c->stack_limit != UINT64_MAX)
			VMT_SET(event, stack_limit_bytes, row, c->stack_limit);
		if (reason == VMT_CRASH_STACK_OVERFLOW && c->above.end && !c->at.end)
			VMT_SET(event, stack_bytes, row, c->above.end - (address & ~(page - 1)));
	}
	if (reason == VMT_CRASH_PROTECTION_KEY)
		VMT_SET(event, protection_key, row, c->pkey);
	if (c->has_huge)
		VMT_SET(event, free_huge_total, row,
			c->huge_free > c->huge_reserved ? c->huge_free - c->huge_reserved : 0);
	if (!c->has_address || !c->has_space)
		return;
	if (c->at.end) {
		fill_mapping(c, address, arena, row);
		if (vmt_crash_was_changed(c))
			fill_change(e, &c->changed, row);
		return;
	}
	fill_neighbours(c, address, row);
	if (vmt_crash_was_freed(c))
		fill_change(e, &c->gone, row);
}

static void add_size(struct vmt_buf *out, uint64_t bytes, uint64_t page)
{
	vmt_fmt_size(out, bytes, VMT_SIZE_HUMAN, page);
}

static void add_place(struct vmt_buf *out, const struct vmt_event *e)
{
	if (!VMT_HAS(event, ip, e))
		return;
	vmt_buf_adds(out, " at ");
	if (VMT_HAS(event, symbol, e)) {
		vmt_fmt_safe(out, e->symbol, false);
		if (!VMT_HAS(event, module, e))
			return;
		vmt_buf_adds(out, " of ");
		vmt_fmt_safe(out, e->module, false);
	} else if (VMT_HAS(event, module, e)) {
		vmt_fmt_safe(out, e->module, false);
		vmt_buf_addf(out, "+0x%" PRIx64, e->module_offset);
	} else {
		vmt_buf_addf(out, "0x%" PRIx64, e->ip);
	}
}

static void add_access(struct vmt_buf *out, const struct vmt_event *e)
{
	if (!VMT_HAS(event, address, e))
		return;
	if (!VMT_HAS(event, access, e))
		vmt_buf_addf(out, ": address 0x%" PRIx64, e->address);
	else if (vmt_bytes_is(e->access, "write"))
		vmt_buf_addf(out, ": write to 0x%" PRIx64, e->address);
	else if (vmt_bytes_is(e->access, "exec"))
		vmt_buf_addf(out, ": execution of 0x%" PRIx64, e->address);
	else
		vmt_buf_addf(out, ": read of 0x%" PRIx64, e->address);
}

static void add_neighbour(struct vmt_buf *out, uint64_t bytes, const char *side, bool named,
			  struct vmt_bytes name, uint64_t page)
{
	vmt_buf_adds(out, ", ");
	add_size(out, bytes, page);
	vmt_buf_addf(out, " %s ", side);
	if (named)
		vmt_fmt_safe(out, name, false);
	else
		vmt_buf_adds(out, "anonymous memory");
}

static bool is(const struct vmt_event *e, const char *reason)
{
	return vmt_bytes_is(e->reason, reason);
}

/* The mapping, or what is next to where there is none. */
static void add_mapping(struct vmt_buf *out, const struct vmt_event *e, uint64_t page)
{
	if (VMT_HAS(event, start, e)) {
		vmt_buf_addf(out, "; 0x%" PRIx64 "-0x%" PRIx64 " is ", e->start, e->end);
		vmt_fmt_safe(out, e->protection, false);
		if (VMT_HAS(event, path, e)) {
			vmt_buf_adds(out, " of ");
			vmt_fmt_safe(out, e->path, false);
			vmt_buf_addf(out, " at 0x%" PRIx64, e->offset_bytes);
		}
	} else if (!is(e, "null_page") && !is(e, "stack_overflow") && !is(e, "kernel_address")) {
		if (VMT_HAS(event, below_bytes, e))
			add_neighbour(out, e->below_bytes, "above", VMT_HAS(event, below_path, e),
				      e->below_path, page);
		if (VMT_HAS(event, above_bytes, e))
			add_neighbour(out, e->above_bytes, "below", VMT_HAS(event, above_path, e),
				      e->above_path, page);
	}
}

static void add_details(struct vmt_buf *out, const struct vmt_event *e, uint64_t page)
{
	if (VMT_HAS(event, sender_pid, e))
		vmt_buf_addf(out, " (process %" PRIu64 ")", e->sender_pid);
	if (VMT_HAS(event, protection_key, e))
		vmt_buf_addf(out, " (%" PRIu64 ")", e->protection_key);
	if (VMT_HAS(event, stack_bytes, e)) {
		vmt_buf_adds(out, ": it would be ");
		add_size(out, e->stack_bytes, page);
		if (VMT_HAS(event, stack_limit_bytes, e)) {
			vmt_buf_adds(out, ", RLIMIT_STACK is ");
			add_size(out, e->stack_limit_bytes, page);
		}
	}
	if (is(e, "beyond_end") || is(e, "truncated")) {
		vmt_buf_addf(out, ": it has %" PRIu64 " byte%s", e->file_size_bytes,
			     e->file_size_bytes == 1 ? "" : "s");
		if (is(e, "truncated"))
			vmt_buf_addf(out, ", and had %" PRIu64, e->old_file_size_bytes);
	}
}

void vmt_crash_sentence(struct vmt_buf *out, const struct vmt_event *e, uint64_t page)
{
	/* One that is blocked ends nobody yet. */
	vmt_buf_adds(out, e->blocked ? "blocked " : e->handled ? "handled " : "crash by ");
	vmt_fmt_safe(out, e->signal_name, true);
	add_place(out, e);
	add_access(out, e);
	vmt_buf_adds(out, ": ");
	for (size_t i = 0; i < VMT_CRASH_REASONS; i++)
		if (is(e, reasons[i].name))
			vmt_buf_adds(out, reasons[i].text);
	add_details(out, e, page);
	add_mapping(out, e, page);
	if (VMT_HAS(event, changed_by, e)) {
		vmt_buf_adds(out, "; ");
		vmt_fmt_safe(out, e->changed_by, true);
		vmt_buf_adds(out, VMT_HAS(event, start, e) ? " made it so " : " took it away ");
		vmt_fmt_duration(out, e->changed_before_ns);
		vmt_buf_addf(out, " before, by thread %" PRIu64, e->changed_tid);
	}
}
