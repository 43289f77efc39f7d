/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/event-numbers.h"

#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/mem.h"
#include "bpf/events.h"

/* Of Linux 6.10, and the same on all architectures. */
#ifndef SYS_mseal
#define SYS_mseal 462
#endif

struct number {
	uint16_t number;
	uint8_t call;
};

static void fill(uint8_t *table, const struct number *numbers, size_t n)
{
	memset(table, 0, VMT_EVENT_NUMBERS);
	for (size_t i = 0; i < n; i++)
		table[numbers[i].number] = numbers[i].call;
}

void vmt_event_numbers_native(uint8_t *table)
{
	static const struct number numbers[] = {
		{ SYS_mmap, VMT_BPF_CALL_MMAP },
		{ SYS_munmap, VMT_BPF_CALL_MUNMAP },
		{ SYS_mprotect, VMT_BPF_CALL_MPROTECT },
		{ SYS_pkey_mprotect, VMT_BPF_CALL_PKEY_MPROTECT },
		{ SYS_mremap, VMT_BPF_CALL_MREMAP },
		{ SYS_brk, VMT_BPF_CALL_BRK },
		{ SYS_madvise, VMT_BPF_CALL_MADVISE },
		{ SYS_process_madvise, VMT_BPF_CALL_PROCESS_MADVISE },
		{ SYS_mlock, VMT_BPF_CALL_MLOCK },
		{ SYS_mlock2, VMT_BPF_CALL_MLOCK2 },
		{ SYS_munlock, VMT_BPF_CALL_MUNLOCK },
		{ SYS_mlockall, VMT_BPF_CALL_MLOCKALL },
		{ SYS_munlockall, VMT_BPF_CALL_MUNLOCKALL },
		{ SYS_msync, VMT_BPF_CALL_MSYNC },
		{ SYS_memfd_create, VMT_BPF_CALL_MEMFD_CREATE },
		{ SYS_shmat, VMT_BPF_CALL_SHMAT },
		{ SYS_shmdt, VMT_BPF_CALL_SHMDT },
		{ SYS_remap_file_pages, VMT_BPF_CALL_REMAP_FILE_PAGES },
		{ SYS_mseal, VMT_BPF_CALL_MSEAL },
#ifdef SYS_fork
		{ SYS_fork, VMT_BPF_CALL_FORK },
		{ SYS_vfork, VMT_BPF_CALL_VFORK },
#endif
		{ SYS_clone, VMT_BPF_CALL_CLONE },
		{ SYS_clone3, VMT_BPF_CALL_CLONE3 },
		{ SYS_execve, VMT_BPF_CALL_EXECVE },
		{ SYS_execveat, VMT_BPF_CALL_EXECVEAT },
	};

	fill(table, numbers, VMT_ARRAY_LEN(numbers));
}

void vmt_event_numbers_compat(uint8_t *table)
{
	static const struct number numbers[] = {
#if defined(__x86_64__)
		{ 90, VMT_BPF_CALL_OLD_MMAP },
		{ 117, VMT_BPF_CALL_OLD_IPC },
		{ 144, VMT_BPF_CALL_MSYNC },
		{ 219, VMT_BPF_CALL_MADVISE },
		{ 257, VMT_BPF_CALL_REMAP_FILE_PAGES },
		{ 356, VMT_BPF_CALL_MEMFD_CREATE },
		{ 358, VMT_BPF_CALL_EXECVEAT },
		{ 376, VMT_BPF_CALL_MLOCK2 },
		{ 380, VMT_BPF_CALL_PKEY_MPROTECT },
		{ 397, VMT_BPF_CALL_SHMAT },
		{ 398, VMT_BPF_CALL_SHMDT },
#elif defined(__aarch64__)
		{ 144, VMT_BPF_CALL_MSYNC },
		{ 220, VMT_BPF_CALL_MADVISE },
		{ 253, VMT_BPF_CALL_REMAP_FILE_PAGES },
		{ 305, VMT_BPF_CALL_SHMAT },
		{ 306, VMT_BPF_CALL_SHMDT },
		{ 385, VMT_BPF_CALL_MEMFD_CREATE },
		{ 387, VMT_BPF_CALL_EXECVEAT },
		{ 390, VMT_BPF_CALL_MLOCK2 },
		{ 394, VMT_BPF_CALL_PKEY_MPROTECT },
#else
#error "numbers of 32 bits of this architecture are not listed yet"
#endif
		{ 2, VMT_BPF_CALL_FORK },
		{ 11, VMT_BPF_CALL_EXECVE },
		{ 45, VMT_BPF_CALL_BRK },
		{ 91, VMT_BPF_CALL_MUNMAP },
		{ 120, VMT_BPF_CALL_CLONE },
		{ 125, VMT_BPF_CALL_MPROTECT },
		{ 150, VMT_BPF_CALL_MLOCK },
		{ 151, VMT_BPF_CALL_MUNLOCK },
		{ 152, VMT_BPF_CALL_MLOCKALL },
		{ 153, VMT_BPF_CALL_MUNLOCKALL },
		{ 163, VMT_BPF_CALL_MREMAP },
		{ 190, VMT_BPF_CALL_VFORK },
		{ 192, VMT_BPF_CALL_MMAP },
		/* Newer ones are numbered alike everywhere. */
		{ 435, VMT_BPF_CALL_CLONE3 },
		{ 440, VMT_BPF_CALL_PROCESS_MADVISE },
		{ SYS_mseal, VMT_BPF_CALL_MSEAL },
	};

	fill(table, numbers, VMT_ARRAY_LEN(numbers));
}
