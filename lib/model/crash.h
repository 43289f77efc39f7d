/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/buf.h"
#include "base/mem.h"
#include "model/rows.h"
#include "model/sample.h"

struct vmt_event_raw;

/*
 * A SIGSEGV or SIGBUS: what was known when the kernel made it, and what follows from that. Numbers
 * are those of the kernel's include/uapi, flags of mappings VM_* of its include/linux/mm.h.
 */
struct vmt_crash_map {
	uint64_t start; /* both 0: there is none, or it is not known */
	uint64_t end;
	uint64_t vm_flags;
	uint64_t offset_bytes; /* in the file, of start */
	uint64_t inode; /* 0: of no file */
	uint64_t file_bytes; /* size of the file */
	uint32_t dev_major, dev_minor;
	struct vmt_bytes path; /* empty where it is not known */
};

/* What the process did to mappings; ns 0: nothing that is known. */
struct vmt_crash_change {
	uint64_t start;
	uint64_t end;
	uint64_t ns; /* CLOCK_MONOTONIC */
	uint32_t tid;
	unsigned call; /* enum vmt_event_call */
	unsigned value; /* protection, or advice */
};

struct vmt_crash {
	int signal;
	int code; /* si_code */
	bool blocked; /* the thread blocks it: it waits */
	bool handled; /* the process has a function for it */
	bool has_address;
	bool has_registers;
	bool has_trap;
	bool has_space; /* the mappings were looked at */
	bool has_top;
	bool has_tmpfs;
	bool has_huge;
	bool has_stack_limit;
	bool has_file_then;
	bool user_bus; /* a userfaultfd wants SIGBUS at the address */
	uint64_t start_ns; /* of the process, since boot */
	uint64_t address;
	uint64_t ip;
	uint64_t sp;
	uint64_t trap; /* x86: number of the exception */
	uint64_t error; /* x86: its error code; arm64: the syndrome */
	uint64_t top; /* what sp points to */
	uint64_t regs[16]; /* x86, by their numbers */
	uint64_t stack_limit; /* bytes */
	uint64_t blocks; /* of the tmpfs; 0: without a limit */
	uint64_t blocks_used;
	uint64_t blocks_slack; /* so much the kernel's common counter is behind at most */
	uint64_t huge_free; /* pages of the pool */
	uint64_t huge_reserved;
	uint64_t huge_bytes; /* of such a page */
	uint64_t file_then; /* bytes of the file when it was mapped */
	uint32_t pkey;
	uint32_t sender;
	uint32_t lsb; /* log2 of the bytes that are broken */
	size_t n_bytes;
	uint8_t bytes[16]; /* at ip */
	struct vmt_crash_map at; /* that the address is in; of a signal's frame, that sp is in */
	struct vmt_crash_map below;
	struct vmt_crash_map above;
	struct vmt_crash_map image; /* that ip is in */
	struct vmt_crash_change gone; /* took away what was at the address */
	struct vmt_crash_change changed; /* protected it, or put a guard there */
	struct vmt_bytes symbol; /* of ip; empty: not known */
};

enum vmt_crash_access {
	VMT_CRASH_ACCESS_UNKNOWN,
	VMT_CRASH_READ,
	VMT_CRASH_WRITE,
	VMT_CRASH_EXEC,
};

enum vmt_crash_reason {
#define R(id, name, help) VMT_CRASH_##id,
#include "model/crash-reason.def"
#undef R
	VMT_CRASH_REASONS,
};

/* "null_page" */
const char *vmt_crash_reason_name(enum vmt_crash_reason reason);
/* What the access was, by the exception; machine is that of the host, as "x86_64". */
enum vmt_crash_access vmt_crash_access(const struct vmt_crash *c, struct vmt_bytes machine);
/* Why, by what is known; VMT_CRASH_UNKNOWN where that does not decide. *ret_address is the address
 * that it was about, which the signal may not have told. */
enum vmt_crash_reason vmt_crash_reason(const struct vmt_crash *c, const struct vmt_host *host,
				       uint64_t *ret_address);
/* Whether c->changed is what the mapping at the address has from: nothing came after it. */
bool vmt_crash_was_changed(const struct vmt_crash *c);
/* Whether c->gone took away what was at the address, and put nothing there. */
bool vmt_crash_was_freed(const struct vmt_crash *c);
/* The fields of a row that are of a crash; texts are in arena. */
void vmt_crash_fill(const struct vmt_event_raw *e, const struct vmt_host *host,
		    struct vmt_arena *arena, struct vmt_event *row);
/* The sentence of such a row, without who and when. page in bytes. */
void vmt_crash_sentence(struct vmt_buf *out, const struct vmt_event *row, uint64_t page);
