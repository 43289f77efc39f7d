/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "bpf/events.h"

/* What a SIGSEGV or SIGBUS was about, as it was found when the kernel made the signal. */

/* Changes of mappings that are kept of each process, the last ones. */
#define VMT_CRASH_CHANGES 16
/* Mappings of files whose size was read when they were made, the last ones. */
#define VMT_CRASH_FILES 16
#define VMT_CRASH_REGS	16
#define VMT_CRASH_CODE	16

enum vmt_crash_flag {
	VMT_CRASH_HANDLED = 1, /* the process has a function for the signal, which will run */
	VMT_CRASH_OWN = 2, /* of the thread that ran; else another one sent it */
	VMT_CRASH_REGISTERS = 4, /* ip, sp and regs are known */
	VMT_CRASH_TRAP = 8, /* trap and error are known: those of the last exception, where the
			     * kernel was entered by one or by an interrupt */
	VMT_CRASH_SPACE = 16, /* the mappings were looked at */
	VMT_CRASH_CODE_READ = 32, /* code holds the bytes at ip */
	VMT_CRASH_TMPFS = 64, /* blocks and blocks_used are those of the tmpfs */
	VMT_CRASH_HUGE = 128, /* huge_free, huge_reserved and huge_bytes are those of the pool */
	VMT_CRASH_STACK_LIMIT = 256, /* stack_limit is known */
	VMT_CRASH_FILE_SIZE = 512, /* file_size_then is known */
	VMT_CRASH_USER_BUS = 1024, /* of the mapping a userfaultfd wants SIGBUS */
	VMT_CRASH_TOP = 2048, /* top is what sp points to */
	VMT_CRASH_BLOCKED = 4096, /* the thread blocks the signal, which waits */
};

/* A mapping; end 0: there is none. */
struct vmt_crash_area {
	__u64 start;
	__u64 end;
	__u64 flags; /* VM_* */
	__u64 pgoff; /* in pages */
	__u64 ino; /* 0: of no file */
	__u64 file_size; /* bytes */
	__u32 dev;
	__u32 name; /* row of names + 1; 0 for none */
};

/* A change of mappings that a process made. */
struct vmt_slot_change {
	__u64 start;
	__u64 end;
	__u64 ns; /* CLOCK_MONOTONIC, when the call ended; 0: none */
	__u32 tid;
	__u16 call; /* enum vmt_bpf_call */
	__u16 value; /* mprotect: protection; madvise: advice */
};

/* The mapping of a file as it was made. */
struct vmt_crash_file {
	__u64 start;
	__u64 end;
	__u64 ns;
	__u64 ino;
	__u64 file_size;
};

/* Of one process: in the row of its number in processes. What two threads do at the same time may
 * leave one of both. */
struct vmt_slot_changes {
	__u32 tgid;
	__u32 n; /* so far, of changes */
	__u32 n_files;
	__u32 pad;
	struct vmt_slot_change changes[VMT_CRASH_CHANGES];
	struct vmt_crash_file files[VMT_CRASH_FILES];
};

struct vmt_crash_record {
	struct vmt_event_record e; /* of the thread that the signal is for; call is CRASH */
	__u64 start; /* of its process, as in struct vmt_slot_process */
	__u64 address;
	__u64 ip;
	__u64 sp;
	__u64 top;
	__u64 trap; /* x86: number of the exception */
	__u64 error; /* x86: its error code; arm64: the syndrome */
	__u64 stack_limit; /* RLIMIT_STACK, bytes */
	__u64 blocks;
	__u64 blocks_used; /* as the common counter has them */
	__u64 huge_free; /* pages */
	__u64 huge_reserved;
	__u64 huge_bytes; /* of one */
	__u64 file_size_then; /* of the file at the address, when it was mapped */
	__u64 regs[VMT_CRASH_REGS]; /* x86: by their numbers in instructions */
	struct vmt_crash_area at; /* the mapping that the address is in */
	struct vmt_crash_area below; /* the nearest one that ends at the address or below */
	struct vmt_crash_area above;
	struct vmt_crash_area code; /* of ip */
	struct vmt_slot_change gone; /* the last one that took away what was at the address */
	struct vmt_slot_change changed; /* the last mprotect, or guard */
	__u32 sig;
	__s32 si_code;
	__u32 pkey;
	__u32 sender;
	__u32 lsb; /* log2 of what is broken, of a hardware error */
	__u32 flags; /* enum vmt_crash_flag */
	__u8 bytes[VMT_CRASH_CODE];
};
_Static_assert(sizeof(struct vmt_crash_record) % 8 == 0, "no holes");
